package config

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"musterline.example/guard"
	"musterline.example/internal/document"
	"musterline.example/setting"
)

// The sections that rows can hold.
const (
	SourcesSection  = "sources"
	TargetsSection  = "targets"
	RulesSection    = "rules"
	SettingsSection = "settings" // one row for each of SettingNames
	EnabledSection  = "enabled"  // of targets, by name: {"enabled": false, "members": "keep"}
)

// NotificationsSection holds who is told of what happens.
const NotificationsSection = "notifications"

// SettingNames are the names of rows in SettingsSection: sections of a file that are one map.
var SettingNames = []string{"enterprise", "guards", "links", "schedule"}

// A Row is a part of the configuration that was made in the console or by the API instead of in the file.
type Row struct {
	Section string
	Name    string
	Body    []byte                    // JSON of what a file would hold there, without secrets
	Secrets map[string]setting.Secret // by key
}

// With returns the configuration of the file and these rows together, checked as one file is, or Problems. Rows override nothing of the
// file: what both define is a problem of the row. What rows say is taken as it is written: they name no variables of the environment and no
// files with secrets, because whoever makes a row is not always somebody who may read those.
//
// The File of a problem that a row has is "section/name", and it has no line. No problem of a row repeats its keys or values: … stands in
// their place.
func (c *Config) With(rows []Row) (*Config, error) {
	l := &loader{
		report: &document.Report{File: c.Path}, env: c.origin.env, readFile: c.origin.readFile, kinds: c.origin.kinds, origin: c.origin,
		given: make(map[*document.Node]string), rows: rows,
		config: &Config{Path: c.Path, Dir: c.Dir, Sources: map[string]SourceConfig{}, Targets: map[string]TargetConfig{}},
	}
	root := *c.origin.root
	root.Fields = slices.Clone(root.Fields)
	for i := range rows {
		l.add(&root, i)
	}
	l.file(&root)
	if err := l.report.Err(); err != nil {
		problems, _ := err.(document.Problems) //nolint:errorlint // Err returns no other
		for i, p := range problems {
			if p.Line < 0 {
				row := rows[-p.Line-1]
				problems[i] = document.Problem{File: row.Section + "/" + row.Name, Message: p.Message}
			}
		}
		return nil, problems
	}
	for _, r := range rows {
		l.turnOff(r)
	}
	l.config.origin = c.origin
	return l.config, nil
}

// turnOff makes of a target that was turned off, and whose members stay, one whose plans are only shown. One whose members shall go is synced
// until they are gone: it has no mappings left.
func (l *loader) turnOff(r Row) {
	t, known := l.config.Targets[r.Name]
	if r.Section != EnabledSection || !known {
		return
	}
	var body struct {
		Enabled bool   `json:"enabled"`
		Members string `json:"members"`
	}
	if json.Unmarshal(r.Body, &body) != nil || body.Enabled {
		return
	}
	if t.Disabled = true; body.Members != "remove" {
		t.Apply, t.Guards.Apply = guard.ApplyOff, guard.ApplyOff
	}
	l.config.Targets[r.Name] = t
}

// Defined returns the line on which the file itself defines what a row of this section and name would; 0 when it does not.
func (c *Config) Defined(section, name string) int {
	in := c.origin.root
	if section != SettingsSection {
		in = in.Get(section)
	}
	if section == EnabledSection {
		return 0
	}
	if in == nil || in.Sort != document.Map {
		return 0
	}
	for _, f := range in.Fields {
		if f.Key == name {
			return f.Line
		}
	}
	return 0
}

// ProperName reports whether a word can name a source, a target or a rule: it stands before a slash in references, and in addresses.
func ProperName(word string) bool { return properName(word) }

// Reserved reports whether a word is a path of the server, so that no target can have it for its name.
func Reserved(word string) bool { return slices.Contains(reserved, word) }

// A Written is one part of the file as it stands there: with its variables, without its secrets.
type Written struct {
	Name    string
	Line    int
	Body    json.RawMessage
	Secrets []string // the keys of those that are set
}

// Written lists what the file defines in a section, in its order. Rules have their place in the file for a name.
func (c *Config) Written(section string) []Written {
	var all []Written
	add := func(name string, line int, n *document.Node, fields []setting.Field) {
		w := Written{Name: name, Line: line}
		shown := *n
		shown.Fields = slices.DeleteFunc(slices.Clone(n.Fields), func(f document.Field) bool {
			secret := slices.ContainsFunc(fields, func(s setting.Field) bool {
				return s.Type == setting.SecretValue && (f.Key == s.Key || f.Key == s.Key+"_file")
			})
			if secret {
				w.Secrets = append(w.Secrets, strings.TrimSuffix(f.Key, "_file"))
			}
			return secret
		})
		w.Body, _ = json.Marshal(plain(&shown)) // texts, lists and maps can always be encoded
		all = append(all, w)
	}
	in := c.origin.root.Get(section)
	switch section {
	case SourcesSection, TargetsSection, NotificationsSection:
		for _, f := range fields(in) {
			add(f.Key, f.Line, f.Value, c.fieldsOf(section, f.Key))
		}
	case RulesSection:
		for i, n := range items(in) {
			add(strconv.Itoa(i+1), n.Line, n, nil)
		}
	case SettingsSection:
		for _, f := range c.origin.root.Fields {
			if slices.Contains(SettingNames, f.Key) {
				add(f.Key, f.Line, f.Value, nil)
			}
		}
	}
	return all
}

// fieldsOf are the settings of the kind of a source, a target or a notification.
func (c *Config) fieldsOf(section, name string) []setting.Field {
	switch section {
	case SourcesSection:
		return c.origin.kinds.Sources[c.Sources[name].Kind].Settings
	case NotificationsSection:
		return NotificationFields(c.Notifications[name].Kind)
	}
	return c.origin.kinds.Targets[c.Targets[name].Kind].Settings
}

func fields(n *document.Node) []document.Field {
	if n == nil {
		return nil
	}
	return n.Fields
}

func items(n *document.Node) []*document.Node {
	if n == nil {
		return nil
	}
	return n.Items
}

// plain is a node as JSON has it.
func plain(n *document.Node) any {
	switch n.Sort {
	case document.Map:
		m := make(map[string]any, len(n.Fields))
		for _, f := range n.Fields {
			m[f.Key] = plain(f.Value)
		}
		return m
	case document.List:
		items := make([]any, len(n.Items))
		for i, item := range n.Items {
			items[i] = plain(item)
		}
		return items
	case document.Text:
		return n.Text
	}
	return nil
}

// origin is what a file was read from, to be read again with rows.
type origin struct {
	root     *document.Node
	env      func(string) (string, bool)
	readFile func(string) ([]byte, error)
	kinds    Kinds
}

// rowLine is what nodes of a row have for their line, so that every problem knows its row: no file has lines below 1.
func rowLine(row int) int { return -row - 1 }

// ofRow reports whether a line is a row's.
func ofRow(line int) bool { return line < 0 }

// add puts a row where the file would have it.
func (l *loader) add(root *document.Node, row int) {
	r, line := l.rows[row], rowLine(row)
	problem := func(format string, args ...any) { l.report.Addf(line, 0, format, args...) }
	if at := (&Config{origin: l.origin}).Defined(r.Section, r.Name); at > 0 {
		problem("is defined in the file, on line %d: change it there, or take it out there first", at)
		return
	}
	parsed := &document.Report{}
	node := document.ParseJSON(r.Body, parsed)
	if parsed.Err() != nil || node == nil || node.Sort != document.Map {
		problem("must be one JSON object, with no key twice")
		return
	}
	l.take(node, line)
	for key, secret := range r.Secrets {
		n := &document.Node{Sort: document.Text, Line: line}
		l.give(n, secret.Reveal())
		node.Fields = append(node.Fields, document.Field{Key: key, Line: line, Value: n})
	}
	field := document.Field{Key: r.Name, Line: line, Value: node}
	switch r.Section {
	case SourcesSection, TargetsSection, NotificationsSection:
		in := l.part(root, r.Section, document.Map, line)
		in.Fields = append(in.Fields, field)
	case RulesSection:
		if !properName(r.Name) {
			problem("a rule's name is made of letters, digits, -, _ and ., and begins with a letter or digit")
		}
		in := l.part(root, r.Section, document.List, line)
		in.Items = append(in.Items, node)
	case SettingsSection:
		switch {
		case !slices.Contains(SettingNames, r.Name):
			problem("there are no settings of that name")
		case r.Name == "links" && node.Get("manual") != nil:
			problem("links by hand are no settings: say them one by one")
		default:
			root.Fields = append(root.Fields, field)
		}
	case EnabledSection: // once all targets are known
	default:
		problem("there is no section of that name")
	}
}

// part returns the section of a copy of the file to which rows are added.
func (l *loader) part(root *document.Node, name string, sort document.Sort, line int) *document.Node {
	for i, f := range root.Fields {
		if f.Key != name {
			continue
		}
		in := *f.Value
		if in.Sort == document.Null {
			in.Sort = sort
		}
		in.Fields, in.Items = slices.Clone(in.Fields), slices.Clone(in.Items)
		root.Fields[i].Value = &in
		return &in
	}
	in := &document.Node{Sort: sort, Line: line}
	root.Fields = append(root.Fields, document.Field{Key: name, Line: line, Value: in})
	return in
}

// take makes a parsed body one of a row.
func (l *loader) take(n *document.Node, line int) {
	n.Line, n.Column = line, 0
	if n.Sort == document.Text {
		l.give(n, n.Text)
	}
	for _, item := range n.Items {
		l.take(item, line)
	}
	for i := range n.Fields {
		n.Fields[i].Line, n.Fields[i].Column = line, 0
		l.take(n.Fields[i].Value, line)
	}
}

// hidden stands in problems where a row's own words would.
const hidden = "…"

// give keeps the value of a row's text apart from what problems show of it.
func (l *loader) give(n *document.Node, value string) {
	l.given[n] = value
	if n.Text = hidden; value == "" {
		n.Text = ""
	}
}

// shown is a key as problems show it.
func shown(f document.Field) string {
	if ofRow(f.Line) {
		return hidden
	}
	return f.Key
}

// ruleID names a rule by its place in the file, or by the name of its row: that stays when another row goes.
func (l *loader) ruleID(n *document.Node, at int) string {
	if ofRow(n.Line) {
		return "rule:" + l.rows[-n.Line-1].Name
	}
	return fmt.Sprintf("rule:%d", at+1)
}
