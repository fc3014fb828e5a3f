package config

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"musterline.example/guard"
	"musterline.example/internal/document"
	"musterline.example/mapping"
	"musterline.example/setting"
	"musterline.example/team"
)

// kind reads the kind of a source or target and names it with the nearest right word when there is none such.
func (l *loader) kind(path string, n *document.Node, kinds []string) (name string, known bool) {
	if n.Sort != document.Map && n.Sort != document.Null {
		l.report.At(n, "%s must be a map with a kind, not %s", path, n.Sort)
		return "", false
	}
	k := n.Get(kindField.Key)
	switch {
	case k == nil:
		l.report.At(n, "%s has no kind: use %s", path, strings.Join(kinds, ", "))
		return "", false
	case k.Sort != document.Text:
		l.report.At(k, "%s.kind must be a word, not %s", path, k.Sort)
		return "", false
	}
	name, fine := l.text(k)
	if !fine {
		return "", false
	}
	if slices.Contains(kinds, name) {
		return name, true
	}
	l.report.At(k, "%s.kind: there is no kind %q%s; the kinds are %s", path, k.Text, setting.DidYouMean(name, kinds), strings.Join(kinds, ", "))
	return "", false
}

// targets reads the targets, each held against what its kind and every target asks for.
func (l *loader) targets(top *section) {
	places := make(map[string]string) // organization and host → the target that has them
	for _, f := range top.entries("targets") {
		path := "targets." + f.Key
		switch {
		case !properName(f.Key):
			l.report.Addf(f.Line, f.Column, "a target's name is made of letters, digits, -, _ and ., and begins with a letter or digit")
		case slices.Contains(reserved, f.Key):
			l.report.Addf(f.Line, f.Column, "%s cannot name a target: it is a path of the server", f.Key)
		}
		name, known := l.kind(path, f.Value, slices.Sorted(maps.Keys(l.kinds.Targets)))
		if !known {
			l.config.Targets[f.Key] = TargetConfig{Line: f.Line}
			continue
		}
		kind := l.kinds.Targets[name]
		s := l.section(path, f.Value, slices.Concat([]setting.Field{kindField}, kind.Settings, targetFields), "guards", "teams")
		t := TargetConfig{
			Kind: name, Line: f.Line, Settings: mapping.DefaultSettings,
			TeamGuards: make(map[string]guard.Settings), TeamModes: make(map[string]mapping.Mode),
		}
		l.common(s, &t)
		t.Guards = l.guards(path+".guards", s.child("guards")).Over(l.config.Guards)
		t.Guards.Apply = t.Apply
		for _, entry := range s.entries("teams") {
			path := path + ".teams." + shown(entry)
			one := l.section(path, entry.Value, teamFields, "guards")
			if one.fine("mode") {
				t.TeamModes[entry.Key] = mapping.Mode(one.values.Text("mode"))
			}
			if one.node.Get("guards") != nil {
				t.TeamGuards[entry.Key] = l.guards(path+".guards", one.child("guards"))
			}
		}
		t.Values = s.values
		for _, field := range targetFields {
			delete(t.Values, field.Key)
		}
		delete(t.Values, kindField.Key)
		if organization := s.values.Text("organization"); organization != "" {
			place := team.FoldLogin(organization) + "@" + host(s.values.Text("api_url"))
			if other, taken := places[place]; taken {
				s.says("organization", "is the organization of targets.%s too: two targets may not keep the same teams", other)
			}
			places[place] = f.Key
		}
		l.config.Targets[f.Key] = t
	}
}

// common takes over what every target and an enterprise may set. Keys that were not given leave t as it is.
func (l *loader) common(s *section, t *TargetConfig) {
	s.between("groups_per_team", 1, 100)
	s.between("members_per_group", 1, 200_000)
	s.between("removal_reads", 1, 10)
	number := func(key string, to *int) {
		if s.fine(key) {
			*to = s.values.Number(key)
		}
	}
	number("groups_per_team", &t.Settings.GroupsPerTeam)
	number("members_per_group", &t.Settings.MembersPerGroup)
	number("removal_reads", &t.Settings.RemovalReads)
	if s.fine("parent_teams") {
		t.Settings.ParentTeams = s.values.Text("parent_teams") == "allow"
	}
	if s.fine("revoked_links") {
		t.Settings.HoldRevoked = s.values.Text("revoked_links") == "hold"
	}
	if s.fine("grace") {
		if t.Grace = s.values.Duration("grace"); t.Grace < 0 {
			s.says("grace", "must not be less than nothing")
		}
	}
	if s.fine("unscoped_tokens") {
		t.Unscoped = s.values.Text("unscoped_tokens") == "write"
	}
	if s.fine("reinvite") {
		t.Settings.Reinvite = s.values.Flag("reinvite")
	}
	if s.fine("apply") {
		t.Apply = s.values.Text("apply")
		t.Guards.Apply = t.Apply
	}
	if s.node.Get("sources") != nil {
		t.Sources = nil
	}
	for _, it := range s.items("sources") {
		if _, ok := l.config.Sources[it.text]; !ok {
			l.report.At(it.node, "%s: there is no source %q%s", s.name("sources"), it.node.Text, setting.DidYouMean(it.text, l.sourceNames()))
		}
		t.Sources = append(t.Sources, it.text)
	}
	for _, it := range s.items("protected") {
		if strings.ContainsAny(it.text, " /\t") || it.text == "" || it.text == "@" {
			l.report.At(it.node, "%s must hold logins or ids", s.name("protected"))
			continue
		}
		t.Protected = append(t.Protected, it.text)
		if id := team.AccountID(it.text); digits(it.text) {
			t.Settings.Protected = append(t.Settings.Protected, id)
		} else {
			t.ProtectedLogins = append(t.ProtectedLogins, strings.TrimPrefix(it.text, "@"))
		}
	}
}

// enterprise lays the enterprise's settings over those of its organizations.
func (l *loader) enterprise(top *section) {
	if top.node.Get("enterprise") == nil {
		l.protect()
		return
	}
	s := l.section("enterprise", top.child("enterprise"), enterpriseFields, "guards")
	over := l.guards("enterprise.guards", s.child("guards"))
	var checked bool
	for _, it := range s.items("organizations") {
		t, ok := l.config.Targets[it.text]
		if !ok {
			l.report.At(it.node, "%s: there is no target %q%s", s.name("organizations"), it.node.Text, setting.DidYouMean(it.text, l.targetNames()))
			continue
		}
		l.common(s, &t)
		checked = true
		t.Guards = over.Over(t.Guards)
		t.Enterprise = true
		l.config.Targets[it.text] = t
	}
	if !checked {
		l.common(s, &TargetConfig{}) // names the mistakes
	}
	l.protect()
}

// protect gives the guards the accounts that no team may lose, once all of them are known.
func (l *loader) protect() {
	for name, t := range l.config.Targets {
		t.Guards.Protected = nil
		for _, id := range t.Settings.Protected {
			t.Guards.Protected = append(t.Guards.Protected, string(id))
		}
		l.config.Targets[name] = t
	}
}

// guards reads limits. What is not given stays zero, which means the default, or for a team the organization's.
func (l *loader) guards(path string, n *document.Node) guard.Settings {
	var g guard.Settings
	if n.Sort != document.Map {
		if n.Sort != document.Null {
			l.report.At(n, "%s must be a map, not %s", path, n.Sort)
		}
		return g
	}
	known := []string{offKey}
	for _, k := range guardKeys {
		known = append(known, k.name)
	}
	for _, f := range n.Fields {
		name := path + "." + shown(f)
		if slices.Contains(known, f.Key) {
			name = path + "." + f.Key
		}
		i := slices.IndexFunc(guardKeys, func(k guardKey) bool { return k.name == f.Key })
		switch {
		case f.Key == offKey:
			s := l.section(path, &document.Node{Sort: document.Map, Line: f.Line, Column: f.Column, Fields: []document.Field{f}}, []setting.Field{{Key: offKey, Type: setting.List}})
			for _, it := range s.items(offKey) {
				if !slices.Contains(guard.Names(), it.text) {
					l.report.At(it.node, "%s: there is no guard %q%s", name, it.node.Text, setting.DidYouMean(it.text, guard.Names()))
				}
				g.Off = append(g.Off, it.text)
			}
			continue
		case i < 0:
			l.report.Addf(f.Line, f.Column, "%s is not a setting here%s", name, setting.DidYouMean(f.Key, known))
			continue
		}
		field := setting.Field{Key: f.Key, Type: setting.Choice, Choices: []string{guard.Hold, guard.Apply}}
		one := &document.Node{Sort: document.Map, Line: f.Line, Column: f.Column, Fields: []document.Field{f}}
		switch to := guardKeys[i].of(&g).(type) {
		case *guard.Limit:
			*to = l.limit(name, f)
		case *string:
			*to = l.section(path, one, []setting.Field{field}).values.Text(f.Key)
		case *time.Duration:
			field.Type, field.Choices = setting.Duration, nil
			if s := l.section(path, one, []setting.Field{field}); s.positive(f.Key) {
				*to = s.values.Duration(f.Key)
			}
		}
	}
	return g
}

// limit reads { max: 5, percent: 20 }, a number alone, or off.
func (l *loader) limit(name string, f document.Field) (limit guard.Limit) {
	n := f.Value
	if text, _ := l.text(n); n.Sort == document.Text && text == offKey {
		return guard.Limit{Max: -1}
	}
	fields := limitFields
	path, node := name, n
	if n.Sort == document.Text {
		path, _, _ = strings.Cut(name, "."+f.Key)
		node = &document.Node{Sort: document.Map, Line: n.Line, Column: n.Column, Fields: []document.Field{f}}
		fields = []setting.Field{{Key: f.Key, Type: setting.Number}}
	}
	s := l.section(path, node, fields)
	for _, field := range fields {
		s.between(field.Key, 0, 1_000_000)
	}
	limit = guard.Limit{Max: s.values.Number(fields[0].Key), Percent: s.values.Number("percent")}
	said := slices.Contains(slices.Collect(maps.Values(s.bad)), true)
	if limit == (guard.Limit{}) && !said {
		l.report.At(n, "%s: a limit of nothing at all is not told from one that is not set; apply: approve asks a person about every change, off switches the limit off", name)
	}
	return limit
}

// host is where an API lives: two paths on one host are one server.
func host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	name := strings.ToLower(cmp.Or(u.Hostname(), address))
	if port := u.Port(); port != "" && !(u.Scheme == "https" && port == "443") && !(u.Scheme == "http" && port == "80") {
		name += ":" + port
	}
	return name
}

func digits(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

func (l *loader) sourceNames() []string { return slices.Sorted(maps.Keys(l.config.Sources)) }
func (l *loader) targetNames() []string { return slices.Sorted(maps.Keys(l.config.Targets)) }
