package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ParseJSON reads one JSON value. It reports syntax errors, duplicate keys and anything after the value.
func ParseJSON(data []byte, r *Report) *Node {
	data = Clean(data, r)
	if data == nil {
		return nil
	}
	p := &jsonParser{data: data, report: r, line: 1}
	p.dec = json.NewDecoder(bytes.NewReader(data))
	p.dec.UseNumber()
	n, err := p.value(0)
	if err == nil {
		line, column := p.next()
		if _, more := p.dec.Token(); more != io.EOF {
			r.Addf(line, column, "something follows the end of the document")
		}
		return n
	}
	if errors.Is(err, io.EOF) && len(bytes.TrimSpace(data)) == 0 {
		return &Node{Sort: Null, Line: 1, Column: 1}
	}
	line, column := p.next()
	message := "is not JSON"
	switch s, syntax := errors.AsType[*json.SyntaxError](err); {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), syntax && strings.HasPrefix(s.Error(), "unexpected end"):
		line, column = place(data, len(data))
		message = "ends in the middle: the file is cut off"
	case errors.Is(err, errDeep):
		message = fmt.Sprintf("nests more than %d levels deep", depth)
	case syntax:
		message += ": " + s.Error()
	}
	r.Addf(line, column, "%s", message)
	return nil
}

var errDeep = errors.New("nests too deep")

type jsonParser struct {
	dec    *json.Decoder
	data   []byte
	report *Report

	// Places are counted forward from the last one, so that a large file is walked once.
	line, column, offset int
}

// next returns the place of the next token.
func (p *jsonParser) next() (line, column int) {
	to := int(p.dec.InputOffset())
	for to < len(p.data) && strings.IndexByte(" \t\r\n,:", p.data[to]) >= 0 {
		to++
	}
	for ; p.offset < to; p.offset++ {
		switch b := p.data[p.offset]; {
		case b == '\n':
			p.line, p.column = p.line+1, 0
		case b&0xC0 != 0x80: // not the inside of a rune
			p.column++
		}
	}
	return p.line, p.column + 1
}

func (p *jsonParser) value(level int) (*Node, error) {
	if level > depth {
		return nil, errDeep
	}
	line, column := p.next()
	t, err := p.dec.Token()
	if err != nil {
		return nil, err
	}
	n := &Node{Sort: Text, Line: line, Column: column}
	switch t := t.(type) {
	case nil:
		n.Sort = Null
	case string:
		n.Text, n.Quoted = t, true
	case json.Number:
		n.Text = t.String()
	case bool:
		n.Text = "false"
		if t {
			n.Text = "true"
		}
	case json.Delim:
		if t == '[' {
			n.Sort = List
			for p.dec.More() {
				item, err := p.value(level + 1)
				if err != nil {
					return nil, err
				}
				n.Items = append(n.Items, item)
			}
		} else {
			n.Sort = Map
			first := make(map[string]int)
			for p.dec.More() {
				line, column := p.next()
				key, err := p.dec.Token()
				if err != nil {
					return nil, err
				}
				value, err := p.value(level + 1)
				if err != nil {
					return nil, err
				}
				name, _ := key.(string)
				if before, again := first[name]; again {
					p.report.Addf(line, column, "%s is set twice: the first is on line %d", name, before)
					continue
				}
				first[name] = line
				n.Fields = append(n.Fields, Field{name, line, column, value})
			}
		}
		if _, err := p.dec.Token(); err != nil {
			return nil, err
		}
	}
	return n, nil
}
