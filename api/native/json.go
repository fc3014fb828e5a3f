package native

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"musterline.example/setting"
)

var typeOfProblem = reflect.TypeFor[problem]()

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
