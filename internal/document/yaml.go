package document

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// depth is how deep a document may nest. Nothing we read needs ten; a thousand brackets in a row are an attack or an accident.
const depth = 64

// ParseYAML reads one YAML document. A file with nothing in it gives a Null at the first line; several documents, duplicate keys, unknown
// aliases and whatever the grammar forbids are reported. It returns nil when there is no tree to go on with.
func ParseYAML(data []byte, r *Report) (root *Node) {
	data = Clean(data, r)
	if data == nil {
		return nil
	}
	// Windows line ends make the parser count columns and lines apart from what an editor shows.
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	if line, column, deep := tooDeep(data); deep {
		r.Addf(line, column, "nests more than %d levels deep", depth)
		return nil
	}
	defer func() {
		// The parser is another's, and some malformed inputs make it panic. A file must never take the program down.
		if p := recover(); p != nil {
			r.Addf(1, 1, "is not YAML that can be read")
			root = nil
		}
	}()
	file, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		line, column, message := 1, 1, "is not YAML"
		if s, ok := errors.AsType[*yaml.SyntaxError](err); ok {
			message = s.Message
			if s.Token != nil && s.Token.Position != nil {
				line, column = max(s.Token.Position.Line, 1), max(s.Token.Position.Column, 1)
			}
		}
		r.Addf(line, column, "%s", hint(data, line, message))
		return nil
	}
	c := &converter{report: r, anchors: make(map[string]*Node)}
	for _, doc := range file.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.CommentType || doc.Body.Type() == ast.DirectiveType {
			continue
		}
		if root != nil {
			line, column := at(doc.Body)
			r.Addf(line, column, "a second document begins here: the file must hold one")
			break
		}
		root = c.node(doc.Body, 1, 1, 0)
	}
	if root == nil {
		root = &Node{Sort: Null, Line: 1, Column: 1}
	}
	return root
}

// hint adds what people most often did to get a message that the parser words for itself.
func hint(data []byte, line int, message string) string {
	lines := strings.Split(string(data), "\n")
	if line <= len(lines) {
		if text := lines[line-1]; strings.HasPrefix(strings.TrimLeft(text, " "), "\t") {
			return message + ": indent with spaces, not tabs"
		}
	}
	return message
}

// tooDeep looks for nesting that would exhaust the parser's stack: flow brackets, and block levels by indentation. It knows nothing of
// quotes; a text with 64 open brackets in it is refused as well.
func tooDeep(data []byte) (line, column int, deep bool) {
	open, dashes, start := 0, 0, true
	for i, b := range data {
		switch b {
		case '[', '{':
			open++
		case ']', '}':
			open = max(open-1, 0)
		case '\n':
			dashes, start = 0, true
			continue
		case '-', '?', ':', '!', '&':
			if start {
				dashes++
			}
		case ' ':
		default:
			start = false
		}
		if open > depth || dashes > depth && !bytes.HasPrefix(data[max(i-2, 0):], []byte("---")) {
			line, column = place(data, i)
			return line, column, true
		}
	}
	return 0, 0, false
}

type converter struct {
	report  *Report
	anchors map[string]*Node
}

func at(n ast.Node) (line, column int) {
	if n == nil {
		return 1, 1
	}
	t := n.GetToken()
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		t = m.Values[0].Key.GetToken()
	}
	if m, ok := n.(*ast.MappingValueNode); ok {
		t = m.Key.GetToken()
	}
	return position(t, 1, 1)
}

func position(t *token.Token, line, column int) (int, int) {
	if t == nil || t.Position == nil || t.Position.Line < 1 {
		return line, column
	}
	return t.Position.Line, max(t.Position.Column, 1)
}

// node converts one value; line and column are where it stands if it does not say so itself.
func (c *converter) node(n ast.Node, line, column, level int) *Node {
	if n == nil {
		return &Node{Sort: Null, Line: line, Column: column}
	}
	line, column = at(n)
	if level > depth {
		c.report.Addf(line, column, "nests more than %d levels deep", depth)
		return &Node{Sort: Null, Line: line, Column: column}
	}
	out := &Node{Line: line, Column: column}
	switch n := n.(type) {
	case *ast.NullNode:
		if n.Token != nil && n.Token.Type == token.NullType {
			out.Text = n.Token.Value
		}
	case *ast.StringNode:
		out.Sort, out.Text = Text, n.Value
		out.Quoted = n.Token != nil && (n.Token.Type == token.SingleQuoteType || n.Token.Type == token.DoubleQuoteType)
	case *ast.LiteralNode:
		out.Sort, out.Quoted = Text, true
		if n.Value != nil {
			out.Text = n.Value.Value
		}
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode, *ast.MergeKeyNode:
		out.Sort, out.Text = Text, n.GetToken().Value
	case *ast.SequenceNode:
		out.Sort = List
		for _, v := range n.Values {
			out.Items = append(out.Items, c.node(v, line, column, level+1))
		}
	case *ast.MappingNode:
		out.Sort = Map
		c.fields(out, n.Values, level)
	case *ast.MappingValueNode:
		out.Sort = Map
		c.fields(out, []*ast.MappingValueNode{n}, level)
	case *ast.AnchorNode:
		out = c.node(n.Value, line, column, level+1)
		if n.Name != nil {
			c.anchors[n.Name.GetToken().Value] = out
		}
	case *ast.AliasNode:
		name := ""
		if n.Value != nil {
			name = n.Value.GetToken().Value
		}
		anchored, ok := c.anchors[name]
		if !ok {
			c.report.Addf(line, column, "there is no anchor &%s before this", name)
			return out
		}
		return anchored
	case *ast.TagNode:
		if tag := n.Start.Value; tag == "!!binary" || tag == "!!merge" {
			c.report.Addf(line, column, "the tag %s is not known here", tag)
		}
		out = c.node(n.Value, line, column, level+1)
		if n.Start.Value == "!!str" && out.Sort == Null {
			out = &Node{Sort: Text, Line: out.Line, Column: out.Column, Text: out.Text, Quoted: true}
		}
	default:
		c.report.Addf(line, column, "%s is not understood here", strings.ToLower(fmt.Sprint(n.Type())))
	}
	return out
}

func (c *converter) fields(out *Node, values []*ast.MappingValueNode, level int) {
	first := make(map[string]int, len(values))
	var merged []*Node
	for _, v := range values {
		line, column := position(v.Key.GetToken(), out.Line, out.Column)
		if v.Key.IsMergeKey() {
			merged = append(merged, c.node(v.Value, line, column, level+1))
			continue
		}
		key, ok := c.key(v.Key)
		if !ok {
			c.report.Addf(line, column, "a key must be a plain word")
			continue
		}
		value := c.node(v.Value, line, column, level+1)
		if before, again := first[key]; again {
			c.report.Addf(line, column, "%s is set twice: the first is on line %d", key, before)
			continue
		}
		first[key] = line
		if value.Sort == Null && value.Text == "" {
			value = &Node{Sort: Null, Line: line, Column: column} // an empty value has no place of its own
		}
		out.Fields = append(out.Fields, Field{Key: key, Line: line, Column: column, Value: value})
	}
	for _, m := range merged {
		from := []*Node{m}
		if m.Sort == List {
			from = m.Items
		}
		for _, f := range from {
			if f.Sort != Map {
				c.report.At(f, "<< takes a map or a list of maps")
				continue
			}
			for _, field := range f.Fields {
				if _, own := first[field.Key]; !own {
					first[field.Key] = field.Line
					out.Fields = append(out.Fields, field)
				}
			}
		}
	}
}

// key returns a key as text: keys may look like numbers or truth values as well.
func (c *converter) key(k ast.MapKeyNode) (string, bool) {
	switch k := k.(type) {
	case *ast.MappingKeyNode:
		if inner, ok := k.Value.(ast.MapKeyNode); ok {
			if _, again := inner.(*ast.MappingKeyNode); !again {
				return c.key(inner)
			}
		}
		return "", false
	case *ast.StringNode:
		return k.Value, true
	case *ast.NullNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return k.GetToken().Value, true
	case *ast.AliasNode:
		n := c.node(k, 1, 1, 0)
		return n.Text, n.Sort == Text
	}
	return "", false
}
