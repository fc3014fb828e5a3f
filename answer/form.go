package answer

import (
	"strings"
)

// A FieldTrouble is what is wrong with one field of a form.
type FieldTrouble struct {
	Key     string `json:"key"`
	Message string `json:"message"` // goes on after the field's name: "is required: …"
}

// OfField says which field an error is about.
func (e *Error) OfField(key, message string) *Error {
	e.Fields = append(e.Fields, FieldTrouble{key, message})
	return e
}

// About finds which fields of a part of the configuration the lines of an error are about: those that begin with the part's path and a key,
// as package config writes them.
func (e *Error) About(path string, lines []string) *Error {
	for _, line := range lines {
		rest, ours := strings.CutPrefix(line, path+".")
		if !ours {
			continue
		}
		if key, message, ok := strings.Cut(rest, " "); ok {
			e.Fields = append(e.Fields, FieldTrouble{strings.TrimSuffix(key, ":"), message})
		}
	}
	return e
}
