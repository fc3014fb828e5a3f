// Package document reads a YAML or JSON file into a small tree in which every word knows its line and column, so that whoever reads the
// tree can name each mistake where it stands, all of them at once.
//
// Scalars keep the text that the file holds: an id such as 0123, 1e5, no or 2024-01-01 is text here and never a number, a truth value
// or a date. Nothing in this package knows what the words mean.
package document

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// A Sort says what a Node is.
type Sort uint8

// The sorts of nodes.
const (
	Null Sort = iota // nothing, or the plain words null and ~
	Text
	List
	Map
)

// String returns the sort in words that fit "must be …".
func (s Sort) String() string { return [...]string{"empty", "a text", "a list", "a map"}[s] }

// A Node is one value of a document. An alias shares the node of its anchor.
type Node struct {
	Sort   Sort
	Line   int
	Column int
	Text   string // of Text, quotes and escapes undone; of Null as written: "", "null" or "~"
	Quoted bool   // the text stood in quotes or in a block
	Items  []*Node
	Fields []Field
}

// A Field is one entry of a Map.
type Field struct {
	Key    string
	Line   int
	Column int
	Value  *Node
}

// Get returns the value under key, or nil.
func (n *Node) Get(key string) *Node {
	if n == nil {
		return nil
	}
	for _, f := range n.Fields {
		if f.Key == key {
			return f.Value
		}
	}
	return nil
}

// A Problem is something wrong at one place of a file.
type Problem struct {
	File    string
	Line    int // 1 is the first; 0 when it is about the file itself
	Column  int
	Message string
}

// Error returns "file:line:column: message".
func (p Problem) Error() string {
	if p.Line == 0 {
		return p.File + ": " + p.Message
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message)
}

// shown is how many problems an error prints; a directory with a wrong column has one for each row, and nobody reads ten thousand lines.
const shown = 100

// Problems are everything that is wrong, as one error.
type Problems []Problem

// Error prints one problem a line.
func (ps Problems) Error() string {
	lines := make([]string, 0, min(len(ps), shown+1))
	for i, p := range ps {
		if i == shown {
			lines = append(lines, fmt.Sprintf("and %d more", len(ps)-shown))
			break
		}
		lines = append(lines, p.Error())
	}
	return strings.Join(lines, "\n")
}

// A Report gathers the problems of one file.
type Report struct {
	File     string
	problems []Problem
}

// Addf adds a problem.
func (r *Report) Addf(line, column int, format string, args ...any) {
	r.problems = append(r.problems, Problem{r.File, line, column, fmt.Sprintf(format, args...)})
}

// At adds a problem where a node stands.
func (r *Report) At(n *Node, format string, args ...any) { r.Addf(n.Line, n.Column, format, args...) }

// Err returns the problems in order of place, each once, as a Problems; nil when there are none.
func (r *Report) Err() error {
	if len(r.problems) == 0 {
		return nil
	}
	sorted := slices.Clone(r.problems)
	slices.SortStableFunc(sorted, func(a, b Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		if a.Column != b.Column {
			return a.Column - b.Column
		}
		return strings.Compare(a.Message, b.Message)
	})
	// An anchor that is used twice is walked twice; its mistakes are one.
	return Problems(slices.Compact(sorted))
}

// Clean undoes a byte order mark and reports text that is not UTF-8, which spreadsheets and old editors write. It returns nil when data
// cannot be read as text.
func Clean(data []byte, r *Report) []byte {
	switch {
	case bytes.HasPrefix(data, []byte{0xFE, 0xFF}), bytes.HasPrefix(data, []byte{0xFF, 0xFE}):
		r.Addf(1, 1, "is UTF-16: save it as UTF-8")
		return nil
	case bytes.HasPrefix(data, []byte{0xEF, 0xBB, 0xBF}):
		data = data[3:]
	}
	if utf8.Valid(data) {
		if i := bytes.IndexByte(data, 0); i >= 0 {
			line, column := place(data, i)
			r.Addf(line, column, "holds a zero byte: the file is not text, or it is damaged")
			return nil
		}
		if len(data) == 0 {
			data = []byte{}
		}
		return data
	}
	for i := 0; i < len(data); {
		c, size := utf8.DecodeRune(data[i:])
		if c == utf8.RuneError && size == 1 {
			line, column := place(data, i)
			r.Addf(line, column, "is not UTF-8 from here on: save the file as UTF-8")
			return nil
		}
		i += size
	}
	return nil
}

// place returns the line and column of a byte of the text.
func place(text []byte, offset int) (line, column int) {
	before := text[:offset]
	return bytes.Count(before, []byte{'\n'}) + 1, utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
}
