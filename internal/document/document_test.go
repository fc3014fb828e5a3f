package document

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// show prints a tree with its places, one value a line.
func show(n *Node) string {
	var b strings.Builder
	var walk func(n *Node, path string)
	walk = func(n *Node, path string) {
		fmt.Fprintf(&b, "%d:%d %s", n.Line, n.Column, path)
		switch n.Sort {
		case Null:
			fmt.Fprintf(&b, " null %q\n", n.Text)
		case Text:
			fmt.Fprintf(&b, " %q\n", n.Text)
		case List:
			b.WriteString(" list\n")
			for i, item := range n.Items {
				walk(item, fmt.Sprintf("%s[%d]", path, i))
			}
		case Map:
			b.WriteString(" map\n")
			for _, f := range n.Fields {
				walk(f.Value, path+"."+f.Key)
			}
		}
	}
	if n == nil {
		return "nothing\n"
	}
	walk(n, "$")
	return b.String()
}

func TestScalarsKeepTheTextOfTheFile(t *testing.T) {
	for _, word := range []string{
		"08volt", "0xmh", "0x1F", "0o17", "017", "1_000", "1e5", ".5", "1.10", "+1", "-1", "yes", "no", "on", "y", "True", "NO",
		"2024-01-01", "2001-12-14t21:59:43.10-05:00", "12:30:45", ".inf", "-.Inf", ".nan", "249043822", "0b101", "1.", "a:b", "a#b", "ada@example.com",
		"9999999999999999999999999", "=", "a b  c", "0x", "0o", "é", "名前", "🦊", "x-", "Null1", "~ada",
	} {
		for _, form := range []string{"id: %s\n", "{id: %s}", "id:   %s   # comment\n", "id: '%s'\n", "id: \"%s\"\n", "id: %s\r\n"} {
			r := &Report{File: "f"}
			n := ParseYAML(fmt.Appendf(nil, form, word), r)
			if err := r.Err(); err != nil {
				t.Errorf("%q as %q: %v", form, word, err)
				continue
			}
			if got := n.Get("id"); got == nil || got.Sort != Text || got.Text != word {
				t.Errorf("%q with %q gives %s", form, word, show(n))
			}
			r = &Report{File: "f"}
			n = ParseYAML(fmt.Appendf(nil, "ids:\n- "+strings.TrimPrefix(strings.Trim(form, "{}"), "id: ")+"\n", word), r)
			if got := n.Get("ids"); r.Err() != nil || got == nil || len(got.Items) != 1 || got.Items[0].Text != word {
				t.Errorf("%q with %q in a list gives %s %v", form, word, show(n), r.Err())
			}
		}
	}
}

func TestTreesAndPlaces(t *testing.T) {
	for _, test := range []struct{ name, yaml, want, problems string }{
		{"empty", "", "1:1 $ null \"\"\n", ""},
		{"comments only", "# nothing\n\n", "1:1 $ null \"\"\n", ""},
		{"a document mark", "---\na: 1\n...\n", "2:1 $ map\n2:4 $.a \"1\"\n", ""},
		{"byte order mark", "\ufeffa: b\n", "1:1 $ map\n1:4 $.a \"b\"\n", ""},
		{"windows lines", "a: b\r\nc:\r\n  - d\r\n  - e\r\n", "1:1 $ map\n1:4 $.a \"b\"\n3:3 $.c list\n3:5 $.c[0] \"d\"\n4:5 $.c[1] \"e\"\n", ""},
		{"nulls", "a:\nb: null\nc: ~\nd: ''\n", "1:1 $ map\n1:1 $.a null \"\"\n2:4 $.b null \"null\"\n3:4 $.c null \"~\"\n4:4 $.d \"\"\n", ""},
		{"anchors", "a: &x [b]\nc: *x\nd: &y {e: f}\ng: {<<: *y, h: i}\n",
			"1:1 $ map\n1:7 $.a list\n1:8 $.a[0] \"b\"\n1:7 $.c list\n1:8 $.c[0] \"b\"\n3:7 $.d map\n3:11 $.d.e \"f\"\n4:4 $.g map\n4:16 $.g.h \"i\"\n3:11 $.g.e \"f\"\n", ""},
		{"an unknown alias", "a: *x\n", "1:1 $ map\n1:1 $.a null \"\"\n", "f:1:4: there is no anchor &x before this"},
		{"duplicate keys", "a: 1\nb: 2\na: 3\n", "1:1 $ map\n1:4 $.a \"1\"\n2:4 $.b \"2\"\n", "f:3:1: a is set twice: the first is on line 1"},
		{"two documents", "a: 1\n---\nb: 2\n", "1:1 $ map\n1:4 $.a \"1\"\n", "f:3:1: a second document begins here: the file must hold one"},
		{"a block", "a: |\n  x\n  y\nb: >-\n  p\n  q\n", "1:1 $ map\n1:4 $.a \"x\\ny\\n\"\n4:4 $.b \"p q\"\n", ""},
		{"a tab", "a:\n\tb: 1\n", "nothing\n", "f:2:1: found character '\t' that cannot start any token: indent with spaces, not tabs"},
		{"not UTF-8", "a: 1\nb: \xff\n", "nothing\n", "f:2:4: is not UTF-8 from here on: save the file as UTF-8"},
		{"UTF-16", "\xff\xfea\x00", "nothing\n", "f:1:1: is UTF-16: save it as UTF-8"},
		{"a zero byte", "a: \x00\n", "nothing\n", "f:1:4: holds a zero byte: the file is not text, or it is damaged"},
		{"too deep", strings.Repeat("[", 5000), "nothing\n", "f:1:65: nests more than 64 levels deep"},
		{"keys that are no words", "1: a\nyes: b\nnull: c\n? d\n: e\n", "1:1 $ map\n1:4 $.1 \"a\"\n2:6 $.yes \"b\"\n3:7 $.null \"c\"\n5:3 $.d \"e\"\n", ""},
		{"tags", "a: !!str 12\nb: !!int 12\nc: !!str null\n", "1:1 $ map\n1:9 $.a \"12\"\n2:9 $.b \"12\"\n3:9 $.c \"null\"\n", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := &Report{File: "f"}
			got := show(ParseYAML([]byte(test.yaml), r))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("tree (-want +got):\n%s", diff)
			}
			problems := ""
			if err := r.Err(); err != nil {
				problems = err.Error()
			}
			if diff := cmp.Diff(test.problems, problems); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestJSONPlaces(t *testing.T) {
	for _, test := range []struct{ name, json, want, problems string }{
		{"a tree", "{\"a\": [1, \"x\", null, true],\n \"é\": {\"b\": 1.50, \"ü\": 2}}", "1:1 $ map\n1:7 $.a list\n1:8 $.a[0] \"1\"\n1:11 $.a[1] \"x\"\n1:16 $.a[2] null \"\"\n1:22 $.a[3] \"true\"\n2:7 $.é map\n2:13 $.é.b \"1.50\"\n2:24 $.é.ü \"2\"\n", ""},
		{"duplicate keys", "{\"a\": 1,\n\"a\": 2}", "1:1 $ map\n1:7 $.a \"1\"\n", "f:2:1: a is set twice: the first is on line 1"},
		{"cut off", "{\"a\": [1,\n 2", "nothing\n", "f:2:3: ends in the middle: the file is cut off"},
		{"cut off in a text", "{\"a\": \"xy", "nothing\n", "f:1:10: ends in the middle: the file is cut off"},
		{"more after the end", "{}\n{}", "1:1 $ map\n", "f:2:1: something follows the end of the document"},
		{"a wrong character", "{\"a\": 1,\n  b: 2}", "nothing\n", "f:2:3: is not JSON: invalid character 'b' looking for beginning of object key string"},
		{"empty", " \n", "1:1 $ null \"\"\n", ""},
		{"too deep", strings.Repeat("[", 500) + strings.Repeat("]", 500), "nothing\n", "f:1:66: nests more than 64 levels deep"},
		{"a million levels", strings.Repeat("[", 1e6), "nothing\n", "f:1:10001: nests more than 64 levels deep"},
		{"escapes", `{"a\u0062\"": "\ud83e\udd8a\n\ud800"}`, "1:1 $ map\n1:15 $.ab\" \"🦊\\n\ufffd\"\n", ""},
		{"many keys, one of them twice", `{"a":0,"b":1,"c":2,"d":3,"e":4,"f":5,"g":6,"h":7,"i":8,"j":9,` + "\n" + `"i":10}`,
			"1:1 $ map\n1:6 $.a \"0\"\n1:12 $.b \"1\"\n1:18 $.c \"2\"\n1:24 $.d \"3\"\n1:30 $.e \"4\"\n1:36 $.f \"5\"\n1:42 $.g \"6\"\n1:48 $.h \"7\"\n1:54 $.i \"8\"\n1:60 $.j \"9\"\n",
			"f:2:1: i is set twice: the first is on line 1"},
		{"a scalar", " 12 ", "1:2 $ \"12\"\n", ""},
		{"no value", "{\"a\":}", "nothing\n", "f:1:6: is not JSON: invalid character '}' looking for beginning of value"},
		{"something after a value that is too deep", strings.Repeat("[", 70) + strings.Repeat("]", 70) + "x", "nothing\n",
			"f:1:66: nests more than 64 levels deep\nf:1:141: something follows the end of the document"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := &Report{File: "f"}
			got := show(ParseJSON([]byte(test.json), r))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("tree (-want +got):\n%s", diff)
			}
			problems := ""
			if err := r.Err(); err != nil {
				problems = err.Error()
			}
			if diff := cmp.Diff(test.problems, problems); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

// plain is the tree as encoding/json reads the same text into an any, numbers as text.
func plain(n *Node) any {
	switch n.Sort {
	case Null:
		return nil
	case List:
		items := []any{}
		for _, item := range n.Items {
			items = append(items, plain(item))
		}
		return items
	case Map:
		fields := map[string]any{}
		for _, f := range n.Fields {
			fields[f.Key] = plain(f.Value)
		}
		return fields
	case Text:
	}
	if !n.Quoted && (n.Text == "true" || n.Text == "false") {
		return n.Text == "true"
	}
	if !n.Quoted {
		return json.Number(n.Text)
	}
	return n.Text
}

func FuzzJSONIsWhatEncodingJSONReads(f *testing.F) {
	f.Add("{\"a\": [1, null, \"x\\u00e9\", true, {}, []]}")
	f.Add("[1.5e-3, \"a,b:c]\", -0]\n")
	f.Add("{\"a\": 1} x")
	f.Fuzz(func(t *testing.T, text string) {
		r := &Report{File: "f"}
		n := ParseJSON([]byte(text), r)
		clean := Clean([]byte(text), &Report{})
		if r.Err() != nil || len(bytes.TrimSpace(clean)) == 0 {
			if twice := strings.Contains(fmt.Sprint(r.Err()), "set twice") || strings.Contains(fmt.Sprint(r.Err()), "levels deep"); json.Valid(clean) && clean != nil && !twice {
				t.Fatalf("it is JSON, and yet: %v", r.Err())
			}
			return
		}
		d := json.NewDecoder(bytes.NewReader(clean))
		d.UseNumber()
		var want any
		if err := d.Decode(&want); err != nil {
			t.Fatalf("it is no JSON: %v", err)
		}
		if diff := cmp.Diff(want, plain(n)); diff != "" {
			t.Fatal(diff)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("a: 1\nb: [x, {y: z}]\n")
	f.Add("a: &x [b]\nc: *x\n<<: {d: e}\n")
	f.Add("{\"a\": [1, null]}")
	f.Add("? [a]\n: - b\n!!str c: |\n  d\n")
	f.Fuzz(func(t *testing.T, text string) {
		for name, parse := range map[string]func([]byte, *Report) *Node{"yaml": ParseYAML, "json": ParseJSON} {
			r := &Report{File: "f"}
			n := parse([]byte(text), r)
			if n == nil && r.Err() == nil {
				t.Fatalf("%s: neither a tree nor a problem", name)
			}
			for _, p := range r.problems {
				if p.Line < 1 || p.Column < 1 || p.Message == "" {
					t.Fatalf("%s: a problem without a place: %+v", name, p)
				}
			}
			if n != nil && n.Line < 1 {
				t.Fatalf("%s: a node without a place", name)
			}
		}
	})
}
