// Package setting holds what an operator must tell us to open a source or a target: the fields a kind asks for and the values given.
//
// A kind declares its fields as data. The console's form, the command line's help, the configuration check and the capability table
// are made from them, so a kind never checks by hand what a Field can say.
package setting

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Secret is a value that must never reach a log, an error or a page. However it is printed or encoded, it shows as stars; only within
// an unexported field of a struct that is printed whole package fmt asks no methods, so such a struct is never printed.
type Secret string

const stars = "********"

// Reveal returns the secret itself, for the one place that sends it.
func (s Secret) Reveal() string { return string(s) }

// String implements fmt.Stringer with stars.
func (s Secret) String() string { return stars }

// GoString implements fmt.GoStringer with stars, for %#v.
func (s Secret) GoString() string { return stars }

// Format implements fmt.Formatter with stars, for the verbs that do not ask String: a %d by mistake would show the secret as wrong.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, stars) }

// MarshalText implements encoding.TextMarshaler with stars, for JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(stars), nil }

// LogValue implements slog.LogValuer with stars.
func (s Secret) LogValue() slog.Value { return slog.StringValue(stars) }

// A Type says what sort of value a field takes.
type Type string

// The sorts of values. A Path is relative to the configuration file. A SecretValue may be given in the file, by ${VAR} or, under the key
// with _file appended, as the path of a file that holds it.
const (
	Text        Type = "text"
	SecretValue Type = "secret"
	Flag        Type = "flag"
	Number      Type = "number"
	Duration    Type = "duration"
	URL         Type = "url"
	Path        Type = "path"
	Choice      Type = "choice"
	List        Type = "list" // of texts
)

// A Field is one thing that a kind asks the operator for.
type Field struct {
	Key      string // the word in configuration files
	Label    string // the word on the console's form
	Help     string // one sentence
	Type     Type
	Required bool
	Default  string   // as it would be written in a file
	Choices  []string // for Choice
	Example  string

	Multiline bool // its value has several lines, as a certificate or a key has
}

// Values are the settings of one source or target: texts, flags, numbers and lists by key, as a YAML or JSON decoder gives them.
// Missing keys read as the zero value; Check has named wrong ones before a kind sees them.
type Values map[string]any

// Has reports whether the key was given at all.
func (v Values) Has(key string) bool { _, ok := v[key]; return ok }

// Text returns the value as text; numbers and flags as they would be written.
func (v Values) Text(key string) string {
	switch x := v[key].(type) {
	case nil:
		return ""
	case string:
		return x
	case Secret:
		return x.Reveal()
	default:
		return fmt.Sprint(x)
	}
}

// Secret returns the value as a Secret.
func (v Values) Secret(key string) Secret { return Secret(v.Text(key)) }

// Flag returns the value as a truth value; anything but true or "true" is false.
func (v Values) Flag(key string) bool { return v.Text(key) == "true" }

// Number returns the value as a whole number, 0 if it is none.
func (v Values) Number(key string) int { n, _ := strconv.Atoi(v.Text(key)); return n }

// Duration returns the value as a time span such as "90s" or "15m", 0 if it is none.
func (v Values) Duration(key string) time.Duration { d, _ := time.ParseDuration(v.Text(key)); return d }

// List returns the value as texts. A single text is a list of one.
func (v Values) List(key string) []string {
	switch x := v[key].(type) {
	case nil:
		return nil
	case []string:
		return x
	case []any:
		out := make([]string, 0, len(x))
		for _, e := range x {
			out = append(out, fmt.Sprint(e))
		}
		return out
	default:
		return []string{v.Text(key)}
	}
}

// A Problem is something wrong with one value. It never repeats the value, which may be a secret.
type Problem struct {
	Key     string
	Message string
}

// Check holds the values against the fields and returns everything that is wrong, in order of key: unknown keys with the nearest right
// word, missing required ones, values of a wrong type. It also fills in defaults.
func Check(fields []Field, v Values) []Problem {
	var problems []Problem
	known := make([]string, 0, len(fields))
	for _, f := range fields {
		known = append(known, f.Key)
		if _, given := v[f.Key]; !given {
			if f.Default != "" {
				v[f.Key] = f.Default
			} else if f.Required {
				problems = append(problems, Problem{f.Key, "is required: " + f.Help})
			}
			continue
		}
		if msg := f.check(v); msg != "" {
			problems = append(problems, Problem{f.Key, msg})
		}
	}
	for key := range v {
		if !slices.Contains(known, key) {
			problems = append(problems, Problem{key, "is not a setting here" + DidYouMean(key, known)})
		}
	}
	slices.SortFunc(problems, func(a, b Problem) int { return strings.Compare(a.Key, b.Key) })
	return problems
}

func (f Field) check(v Values) string {
	switch v[f.Key].(type) {
	case []any, []string:
		if f.Type != List {
			return "takes one value, not a list"
		}
		if f.Required && len(v.List(f.Key)) == 0 {
			return "is empty: " + f.Help
		}
		return ""
	}
	if f.Type == List {
		return ""
	}
	text := v.Text(f.Key)
	switch f.Type {
	case Flag:
		if text != "true" && text != "false" {
			return "must be true or false"
		}
	case Number:
		if _, err := strconv.Atoi(text); err != nil {
			return "must be a whole number"
		}
	case Duration:
		if _, err := time.ParseDuration(text); err != nil {
			return "must be a time span such as 90s, 15m or 6h"
		}
	case URL:
		if !strings.HasPrefix(text, "https://") && !strings.HasPrefix(text, "http://") &&
			!strings.HasPrefix(text, "ldaps://") && !strings.HasPrefix(text, "ldap://") {
			return "must be a URL such as " + f.Example
		}
	case Choice:
		if !slices.Contains(f.Choices, text) {
			return "must be one of " + strings.Join(f.Choices, ", ") + DidYouMean(text, f.Choices)
		}
	}
	if f.Required && text == "" {
		return "is empty: " + f.Help
	}
	return ""
}
