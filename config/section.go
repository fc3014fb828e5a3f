package config

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"musterline.example/internal/document"
	"musterline.example/setting"
)

// loader is one reading of one file.
type loader struct {
	report   *document.Report
	env      func(string) (string, bool)
	readFile func(string) ([]byte, error)
	kinds    Kinds
	config   *Config

	origin origin // of the file that rows are added to
	rows   []Row
	given  map[*document.Node]string // what rows say
}

// text returns a scalar with its variables replaced. Only the value itself ever holds them: messages quote document.Node.Text, which is
// what the file says. It returns false when it has said what is wrong.
func (l *loader) text(n *document.Node) (string, bool) {
	if value, row := l.given[n]; row {
		return value, true
	}
	if !strings.Contains(n.Text, "${") {
		return n.Text, true
	}
	fine := true
	var b strings.Builder
	for rest := n.Text; ; {
		before, after, found := strings.Cut(rest, "${")
		if !found {
			b.WriteString(rest)
			return b.String(), fine
		}
		if literal, ok := strings.CutSuffix(before, "$"); ok {
			b.WriteString(literal + "${")
			rest = after
			continue
		}
		b.WriteString(before)
		name, after, closed := strings.Cut(after, "}")
		if !closed || !variable(name) {
			l.report.At(n, "${ begins a variable such as ${GITHUB_TOKEN}; write $${ for the two characters themselves")
			return "", false
		}
		value, set := "", false
		if l.env != nil {
			value, set = l.env(name)
		}
		if !set {
			l.report.At(n, "the environment variable %s is not set", name)
			fine = false
		}
		b.WriteString(value)
		rest = after
	}
}

// variable reports whether s is a name that a shell would take.
func variable(s string) bool {
	for i, r := range s {
		if r != '_' && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}

// A section is a map of the file, held against the fields that it may have.
type section struct {
	*loader
	path   string // "targets.octo", for messages
	node   *document.Node
	fields []setting.Field
	values setting.Values
	bad    map[string]bool // keys about which something was said
}

// section reads a map: it names unknown keys, values of the wrong sort and missing ones, and fills in defaults. The nested keys are maps
// or lists that the caller reads. A node that is nil or empty is a map with nothing in it.
func (l *loader) section(path string, node *document.Node, fields []setting.Field, nested ...string) *section {
	s := &section{loader: l, path: path, node: node, fields: fields, values: setting.Values{}, bad: map[string]bool{}}
	if node == nil {
		s.node = &document.Node{Sort: document.Map, Line: 1, Column: 1}
	} else if node.Sort != document.Map && node.Sort != document.Null {
		l.report.At(node, "%s must be a map, not %s", cmp.Or(path, "the file"), node.Sort)
		s.node = &document.Node{Sort: document.Map, Line: node.Line, Column: node.Column}
		for _, f := range fields {
			s.bad[f.Key] = true // what could not be read is not missing
		}
	}
	known := slices.Clone(nested)
	for _, f := range fields {
		known = append(known, f.Key)
		if f.Type == setting.SecretValue {
			known = append(known, f.Key+"_file")
		}
	}
	for _, f := range s.node.Fields {
		switch field, isField := s.field(f.Key); {
		case slices.Contains(nested, f.Key):
		case isField:
			s.value(field, f)
		case slices.Contains(known, f.Key) && ofRow(f.Line):
			s.bad[strings.TrimSuffix(f.Key, "_file")] = true
			l.report.Addf(f.Line, f.Column, "%s is for configuration files: give the secret itself", s.name(f.Key))
		case slices.Contains(known, f.Key):
			s.secretFile(strings.TrimSuffix(f.Key, "_file"), f)
		default:
			l.report.Addf(f.Line, f.Column, "%s is not a setting here%s", s.name(shown(f)), setting.DidYouMean(f.Key, known))
		}
	}
	s.problems(setting.Check(fields, s.values))
	for _, f := range fields {
		if path, ok := s.values[f.Key].(string); ok && f.Type == setting.Path {
			s.values[f.Key] = s.absolute(path)
		}
	}
	return s
}

func (s *section) field(key string) (setting.Field, bool) {
	i := slices.IndexFunc(s.fields, func(f setting.Field) bool { return f.Key == key })
	if i < 0 {
		return setting.Field{}, false
	}
	return s.fields[i], true
}

// value takes one value over, as its field wants it.
func (s *section) value(field setting.Field, f document.Field) {
	n := f.Value
	switch n.Sort {
	case document.Null:
		s.says(f.Key, "has no value: give one, or leave the key out")
	case document.Map:
		s.says(f.Key, "takes %s, not a map", map[bool]string{true: "a list", false: "one value"}[field.Type == setting.List])
	case document.List:
		if field.Type != setting.List {
			s.says(f.Key, "takes one value, not a list")
			return
		}
		list := make([]any, 0, len(n.Items))
		for _, item := range n.Items {
			if item.Sort != document.Text || item.Text == "" {
				s.bad[f.Key] = true
				s.report.At(item, "%s must hold texts, not %s", s.name(f.Key), map[bool]string{true: "an empty one", false: item.Sort.String()}[item.Sort == document.Text])
				continue
			}
			text, fine := s.text(item)
			if !fine {
				s.bad[f.Key] = true
			}
			list = append(list, text)
		}
		s.values[f.Key] = list
	case document.Text:
		text, fine := s.text(n)
		s.bad[f.Key] = !fine
		switch field.Type {
		case setting.SecretValue:
			s.values[f.Key] = setting.Secret(text)
		case setting.Number:
			s.values[f.Key] = text
			if f.Key == "percent" {
				s.values[f.Key] = strings.TrimSuffix(text, "%") // the sign says the same as the key
			}
		default:
			s.values[f.Key] = text
		}
	}
}

// absolute returns a path as it is seen from the configuration file.
func (s *section) absolute(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(s.config.Dir, path)
}

// secretFile reads the secret of a key from the file that key_file names.
func (s *section) secretFile(key string, f document.Field) {
	s.bad[key] = true
	if other := s.node.Get(key); other != nil {
		s.report.Addf(f.Line, f.Column, "%s is set as well: give one of the two", s.name(key))
		return
	}
	if f.Value.Sort != document.Text || f.Value.Text == "" {
		s.report.At(f.Value, "%s must be the path of a file, not %s", s.name(f.Key), f.Value.Sort)
		return
	}
	path, fine := s.text(f.Value)
	if !fine {
		return
	}
	data, err := s.readFile(s.absolute(path))
	if err != nil {
		// The path is quoted as written: the error would show the values of its variables.
		s.report.At(f.Value, "%s: %s cannot be read: %v", s.name(f.Key), f.Value.Text, reason(err))
		return
	}
	// Editors and echo end a file with a line break; a secret that ends with one is rarer than a sync that fails for it.
	secret := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	if secret == "" {
		s.report.At(f.Value, "%s: %s is empty", s.name(f.Key), f.Value.Text)
		return
	}
	s.values[key] = setting.Secret(secret)
	s.bad[key] = false
}

// problems tells what is wrong with values, each where it stands, and nothing twice.
func (s *section) problems(ps []setting.Problem) {
	for _, p := range ps {
		if !s.bad[p.Key] {
			s.says(p.Key, "%s", p.Message)
		}
	}
}

// name returns the full name of a key, for messages.
func (s *section) name(key string) string {
	if s.path == "" {
		return key
	}
	return s.path + "." + key
}

// says reports something about a key, where its value stands or, when it has none, where the section does.
func (s *section) says(key, format string, args ...any) {
	s.bad[key] = true
	at := s.node
	for _, k := range []string{key, key + "_file"} {
		if n := s.node.Get(k); n != nil {
			at = n
		}
	}
	s.report.At(at, "%s %s", s.name(key), fmt.Sprintf(format, args...))
}

// fine reports whether a key has a value and nothing was said about it.
func (s *section) fine(key string) bool { return !s.bad[key] && s.values.Has(key) }

// written returns the text of a key as the file has it, for messages: its value may hold what a variable must not give away.
func (s *section) written(key string) string {
	if n := s.node.Get(key); n != nil {
		return n.Text
	}
	return ""
}

// child returns the node under a key; for an absent one a map with nothing in it, where the section stands.
func (s *section) child(key string) *document.Node {
	if n := s.node.Get(key); n != nil {
		return n
	}
	return &document.Node{Sort: document.Null, Line: s.node.Line, Column: s.node.Column}
}

// list returns the items under a key, and says so when there is no list.
func (s *section) list(key string) []*document.Node {
	switch n := s.child(key); n.Sort {
	case document.List:
		return n.Items
	case document.Null:
		return nil
	default:
		s.report.At(n, "%s must be a list, not %s", s.name(key), n.Sort)
		return nil
	}
}

// maps returns the maps in the list under a key, and says so of whatever else there is.
func (s *section) maps(key string) []*document.Node {
	return slices.DeleteFunc(slices.Clone(s.list(key)), func(n *document.Node) bool {
		if n.Sort != document.Map {
			s.report.At(n, "each of %s must be a map, not %s", s.name(key), n.Sort)
		}
		return n.Sort != document.Map
	})
}

// entries returns the fields of the map under a key, and says so when there is no map.
func (s *section) entries(key string) []document.Field {
	n := s.child(key)
	if n.Sort != document.Map && n.Sort != document.Null {
		s.report.At(n, "%s must be a map, not %s", s.name(key), n.Sort)
	}
	return n.Fields
}

// items returns the values of a list field with the places where they were written. What was refused is not among them.
func (s *section) items(key string) (items []item) {
	n := s.node.Get(key)
	switch {
	case n == nil || s.bad[key] && n.Sort != document.List:
		return nil
	case n.Sort == document.Text:
		return []item{{n, s.values.Text(key)}}
	}
	texts := s.values.List(key)
	for _, node := range n.Items {
		if node.Sort == document.Text && node.Text != "" && len(items) < len(texts) {
			items = append(items, item{node, texts[len(items)]})
		}
	}
	return items
}

// An item is one text of a list.
type item struct {
	node *document.Node
	text string
}

func (s *section) positive(key string) bool {
	if s.fine(key) && s.values.Duration(key) <= 0 {
		s.says(key, "must be longer than nothing")
	}
	return s.fine(key)
}

// between checks a number.
func (s *section) between(key string, low, high int) {
	if n := s.values.Number(key); s.fine(key) && (n < low || n > high) {
		s.says(key, "must be from %d to %d", low, high)
	}
}

// networks reads addresses and networks, an address as the network of it alone.
func (s *section) networks(key string) []netip.Prefix {
	var all []netip.Prefix
	for _, it := range s.items(key) {
		network, err := netip.ParsePrefix(it.text)
		if one, other := netip.ParseAddr(it.text); other == nil {
			network, err = one.Prefix(one.BitLen())
		}
		if err != nil {
			s.report.At(it.node, "%s must hold addresses or networks, such as 10.0.0.0/8", s.name(key))
			continue
		}
		all = append(all, network.Masked())
	}
	return all
}

// address checks what is listened on.
func (s *section) address(key string) {
	if !s.fine(key) {
		return
	}
	if _, port, err := net.SplitHostPort(s.values.Text(key)); err != nil || port == "" {
		s.says(key, "must be HOST:PORT, such as 127.0.0.1:8080 or :8080")
	}
}

// webURL checks an address that browsers are sent to.
func (s *section) webURL(key string) {
	if !s.fine(key) {
		return
	}
	u, err := url.Parse(s.values.Text(key))
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		s.says(key, "must be a web address such as https://musterline.example.com")
	}
}
