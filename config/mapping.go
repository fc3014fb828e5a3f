package config

import (
	"fmt"

	"musterline.example/mapping"
	"musterline.example/setting"
	"musterline.example/team"
)

// teamKey names a team as the file does.
type teamKey struct{ target, team string }

// mappings reads the mappings: one for each team and group. What belongs to the team as a whole, the mode, must be said the same way
// wherever it is said.
func (l *loader) mappings(top *section) {
	type modeAt struct {
		mode mapping.Mode
		line int
	}
	modes := make(map[teamKey]modeAt)
	lines := make(map[[4]string]int) // target, team, source, group → where it is mapped
	for _, n := range top.maps("mappings") {
		s := l.section("mappings", n, mappingFields)
		target, name := l.teamRef(s)
		key, written := teamKey{target, name}, s.written("team")
		if mode := mapping.Mode(s.values.Text("mode")); s.fine("mode") && target != "" {
			at := modeAt{mode, s.child("mode").Line}
			if set := l.config.Targets[target].TeamModes[name]; set != "" && set != mode {
				s.says("mode", "is %s for %s under targets.%s.teams: a team has one mode", set, written, target)
			} else if first, again := modes[key]; again && first.mode != mode {
				s.says("mode", "is %s for %s on line %d: a team has one mode", first.mode, written, first.line)
			} else if !again {
				modes[key] = at
			}
		}
		role, _ := team.ParseRole(s.values.Text("role")) // what is wrong with it was said
		for _, it := range s.items("groups") {
			ref, ok := l.groupRef(s, "groups", it)
			if !ok || target == "" {
				continue
			}
			line := max(it.node.Line, n.Line) // a list that is an anchor's stands further up
			full := [4]string{target, name, ref.source, ref.group}
			if first, again := lines[full]; again {
				l.report.At(it.node, "%s: %s is mapped to %s already, on line %d", s.name("groups"), it.node.Text, written, first)
				continue
			}
			lines[full] = line
			l.config.Mappings = append(l.config.Mappings, mapping.Mapping{
				ID: fmt.Sprintf("file:%d", line), Origin: mapping.FromFile, Target: target, Team: name,
				Source: ref.source, Group: ref.group, Role: role,
			})
		}
	}
	for i, m := range l.config.Mappings {
		l.config.Mappings[i].Mode = mapping.Exclusive
		if mode := l.config.Targets[m.Target].TeamModes[m.Team]; mode != "" {
			l.config.Mappings[i].Mode = mode
		} else if at, ok := modes[teamKey{m.Target, m.Team}]; ok {
			l.config.Mappings[i].Mode = at.mode
		}
	}
}

// teamRef reads the key team, TARGET/TEAM. It returns nothing when it has said what is wrong.
func (l *loader) teamRef(s *section) (target, rest string) {
	if !s.fine("team") {
		return "", ""
	}
	target, rest, ok := parseRef(s.values.Text("team"))
	if !ok {
		s.says("team", "must be TARGET/TEAM, such as octo/platform")
		return "", ""
	}
	if _, known := l.config.Targets[target]; !known {
		s.says("team", "%q: there is no target of that name%s", s.written("team"), setting.DidYouMean(target, l.targetNames()))
		return "", ""
	}
	return target, rest
}

// groupRef reads SOURCE/GROUP. It returns false when it has said what is wrong.
func (l *loader) groupRef(s *section, key string, it item) (groupRef, bool) {
	source, group, ok := parseRef(it.text)
	if !ok {
		form := "SOURCE/GROUP, such as corp/platform"
		if key == "match" {
			form = "SOURCE/PATTERN, such as corp/gh-*"
		}
		l.report.At(it.node, "%s: %q must be %s", s.name(key), it.node.Text, form)
		return groupRef{}, false
	}
	if _, known := l.config.Sources[source]; !known {
		l.report.At(it.node, "%s: %q: there is no source of that name%s", s.name(key), it.node.Text, setting.DidYouMean(source, l.sourceNames()))
		return groupRef{}, false
	}
	return groupRef{source, group}, true
}

// itemOf is a single text as an item of a list.
func (s *section) itemOf(key string) item { return item{s.node.Get(key), s.values.Text(key)} }
