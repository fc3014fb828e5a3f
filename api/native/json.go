package native

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"musterline.example/answer"
	"musterline.example/setting"
)

var typeOfProblem = reflect.TypeFor[problem]()

// read reads a body that must be as the OpenAPI document has it, and whose texts people can be shown.
func (a *API) read(data []byte, v any) error {
	if err := strict(data, v); err != nil {
		return err
	}
	var given any
	if err := json.Unmarshal(data, &given); err != nil {
		return errors.New("the body is no JSON")
	}
	t := reflect.TypeOf(v).Elem()
	if t == reflect.TypeFor[part]() {
		return texts("", given, true) // the rest is as its kind has it
	}
	schemas, found := a.doors.OpenAPI().Components.Schemas, &huma.ValidateResult{}
	huma.Validate(schemas, schemas.Schema(t, true, ""), huma.NewPathBuffer(nil, 0), huma.ModeWriteToServer, given, found)
	if len(found.Errors) == 0 {
		return texts("", given, false)
	}
	d, ok := errors.AsType[*huma.ErrorDetail](found.Errors[0])
	switch { // without the value, in any case
	case !ok:
		return errors.New("the body is not as the OpenAPI document describes it")
	case d.Location == "":
		return errors.New(d.Message)
	}
	return fmt.Errorf("%s: %s", d.Location, d.Message)
}

// texts finds control characters: a terminal would obey them, and a database takes no NUL. In a part of the configuration keys and
// certificates have several lines.
func texts(key string, v any, lines bool) error {
	switch v := v.(type) {
	case string:
		if strings.ContainsFunc(v, func(r rune) bool { return unicode.IsControl(r) && (!lines || !strings.ContainsRune("\t\r\n", r)) }) {
			return fmt.Errorf("%s must be without control characters", cmp.Or(key, "a text"))
		}
	case []any:
		for _, one := range v {
			if err := texts(key, one, lines); err != nil {
				return err
			}
		}
	case map[string]any:
		for name, one := range v {
			if err := texts("", name, false); err != nil {
				return err
			}
			if lines {
				name = "" // of its kind, or the caller's own word
			}
			if err := texts(name, one, lines); err != nil {
				return err
			}
		}
	}
	return nil
}

// printable is the same of an address.
func printable(r *http.Request) error {
	query, err := url.QueryUnescape(r.URL.RawQuery)
	if text := r.URL.Path + query; err != nil || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		return answer.Usagef("the address must be UTF-8 without control characters")
	}
	return nil
}

// strict reads a body. What is wrong with it is said by the names that we have for its keys, and never by its own words: no key that is not
// known, no value of another sort, nothing after the end.
func strict(data []byte, v any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(v)
	if err == nil {
		if _, more := decoder.Token(); !errors.Is(more, io.EOF) {
			return errors.New("something follows the end of the JSON")
		}
		return nil
	}
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if t.Field == "" {
			return errors.New("the body must be one JSON object")
		}
		return fmt.Errorf("%s must be %s", t.Field, sortOf(t.Type))
	}
	if word, unknown := strings.CutPrefix(err.Error(), "json: unknown field "); unknown {
		return unknownKey(strings.Trim(word, `"`), reflect.TypeOf(v))
	}
	if _, ok := errors.AsType[*json.SyntaxError](err); ok || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return errors.New("the body is no JSON")
	}
	return errors.New("a value in the body is not of the right form") // such as a moment that is none
}

// sortOf is what a value should be, in words.
func sortOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "a whole number"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "an object"
	}
	return "a text"
}

// unknownKey names the key that was most likely meant, and without one those that there are.
func unknownKey(word string, of reflect.Type) error {
	known := slices.Compact(slices.Sorted(slices.Values(keysOf(of, nil))))
	if near, ok := setting.Nearest(word, known); ok {
		return fmt.Errorf("a key of the body is not known; did you mean %s?", near)
	}
	return fmt.Errorf("a key of the body is not known; there are: %s", strings.Join(known, ", "))
}

// keysOf are the keys of a type and of what is in it.
func keysOf(t reflect.Type, seen []reflect.Type) (keys []string) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || slices.Contains(seen, t) {
		return nil
	}
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name != "" && name != "-" {
			keys = append(keys, name)
		}
		if f.IsExported() {
			keys = append(keys, keysOf(f.Type, append(seen, t))...)
		}
	}
	return keys
}
