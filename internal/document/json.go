package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// ParseJSON reads one JSON value. It reports syntax errors, duplicate keys and anything after the value.
//
// What is JSON is encoding/json's to say. Only then is the text walked, without asking again, because its own tokens take three times as long
// and a directory is large.
func ParseJSON(data []byte, r *Report) *Node {
	data = Clean(data, r)
	if data == nil {
		return nil
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return &Node{Sort: Null, Line: 1, Column: 1}
	}
	p := &jsonWalk{data: data, report: r, line: 1}
	if !json.Valid(data) {
		end, whole := p.explain()
		if !whole {
			return nil
		}
		p.data = data[:end]
	}
	n, err := p.value(0)
	if err != nil {
		line, column := p.next()
		r.Addf(line, column, "%v", err)
		return nil
	}
	return n
}

var errDeep = fmt.Errorf("nests more than %d levels deep", depth)

// fewKeys is how many keys of a map are compared one by one to find one that is set twice.
const fewKeys = 8

// A jsonWalk goes through text that is known to be JSON.
type jsonWalk struct {
	data   []byte
	at     int // how far it is
	report *Report

	// Places are counted forward from the last one, so that a large file is walked once.
	line, column, offset int
}

// explain reports what is wrong with text that is not JSON. Whole says that it begins with a value, which ends before end.
func (p *jsonWalk) explain() (end int, whole bool) {
	message, offset := "is not JSON", len(p.data)
	wrong, ok := errors.AsType[*json.SyntaxError](json.Unmarshal(p.data, new(json.RawMessage)))
	switch {
	case !ok:
	case strings.HasPrefix(wrong.Error(), "unexpected end"):
		message = "ends in the middle: the file is cut off"
	default:
		offset = max(int(wrong.Offset)-1, 0) // it counts the byte that is wrong
		whole = strings.HasSuffix(wrong.Error(), "after top-level value")
		switch {
		case whole:
			message = "something follows the end of the document"
		case strings.HasSuffix(wrong.Error(), "exceeded max depth"):
			message = errDeep.Error()
		default:
			message += ": " + wrong.Error()
		}
	}
	line, column := place(p.data, offset)
	p.report.Addf(line, column, "%s", message)
	return offset, whole
}

// next goes to the next token and returns its place.
func (p *jsonWalk) next() (line, column int) {
	for p.at < len(p.data) && strings.IndexByte(" \t\r\n,:", p.data[p.at]) >= 0 {
		p.at++
	}
	for ; p.offset < p.at; p.offset++ {
		switch b := p.data[p.offset]; {
		case b == '\n':
			p.line, p.column = p.line+1, 0
		case b&0xC0 != 0x80: // not the inside of a rune
			p.column++
		}
	}
	return p.line, p.column + 1
}

func (p *jsonWalk) value(level int) (*Node, error) {
	line, column := p.next()
	if level > depth {
		return nil, errDeep
	}
	n := &Node{Sort: Text, Line: line, Column: column}
	var err error
	switch p.data[p.at] {
	case '"':
		n.Text, n.Quoted = p.text(), true
	case '[':
		n.Sort = List
		err = p.list(n, level)
	case '{':
		n.Sort = Map
		err = p.fields(n, level)
	default:
		if n.Text = p.word(); n.Text == "null" {
			n.Sort, n.Text = Null, ""
		}
	}
	return n, err
}

func (p *jsonWalk) list(n *Node, level int) error {
	p.at++
	for p.next(); p.data[p.at] != ']'; p.next() {
		item, err := p.value(level + 1)
		if err != nil {
			return err
		}
		n.Items = append(n.Items, item)
	}
	p.at++
	return nil
}

func (p *jsonWalk) fields(n *Node, level int) error {
	p.at++
	var first map[string]int // where each key was set, once there are many
	for line, column := p.next(); p.data[p.at] != '}'; line, column = p.next() {
		key := p.text()
		value, err := p.value(level + 1)
		if err != nil {
			return err
		}
		if len(n.Fields) == fewKeys && first == nil {
			first = make(map[string]int)
			for _, f := range n.Fields {
				first[f.Key] = f.Line
			}
		}
		if before := setBefore(n, first, key); before > 0 {
			p.report.Addf(line, column, "%s is set twice: the first is on line %d", key, before)
			continue
		}
		if first != nil {
			first[key] = line
		}
		n.Fields = append(n.Fields, Field{key, line, column, value})
	}
	p.at++
	return nil
}

// setBefore returns the line on which a key of the map was set; 0: on none.
func setBefore(n *Node, first map[string]int, key string) int {
	if first != nil {
		return first[key]
	}
	for _, f := range n.Fields {
		if f.Key == key {
			return f.Line
		}
	}
	return 0
}

// text takes a string, its escapes undone.
func (p *jsonWalk) text() string {
	from, escaped := p.at, false
	for p.at++; p.data[p.at] != '"'; p.at++ {
		if p.data[p.at] == '\\' {
			escaped = true
			p.at++
		}
	}
	p.at++
	if !escaped {
		return string(p.data[from+1 : p.at-1])
	}
	var s string
	_ = json.Unmarshal(p.data[from:p.at], &s) // it is a string
	return s
}

// word takes a number, a truth value or null.
func (p *jsonWalk) word() string {
	from := p.at
	for p.at < len(p.data) && strings.IndexByte(" \t\r\n,:]}", p.data[p.at]) < 0 {
		p.at++
	}
	return string(p.data[from:p.at])
}
