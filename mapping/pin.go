package mapping

import (
	"bytes"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"text/template"

	"musterline.example/directory"
	"musterline.example/team"
)

// Load brings the mappings of a target in line with the configuration file. A row of the file that is as it was keeps its ids; one that is no
// longer in the file is gone; a team that the file maps loses the mappings it had from the API and the console. Mappings of rules and
// of other teams stay. Lost are the teams that are left without a mapping: no grace is given, because the file's author has seen the plan.
func Load(rows, file []Mapping) (after []Mapping, lost []Disconnect) {
	pins := make(map[fileKey]Mapping)
	owned := make(map[string]bool) // teams of the file, by name and id
	for _, m := range rows {
		if m.Origin == FromFile {
			pins[m.fileKey()] = m
		}
	}
	for _, m := range file {
		if before, ok := pins[m.fileKey()]; ok {
			m.TeamID, m.GroupID = before.TeamID, before.GroupID
		}
		owned[m.Team], owned[string(m.TeamID)] = true, true
		after = append(after, m)
	}
	delete(owned, "")
	for _, m := range rows {
		if m.Origin == FromRule || m.Origin == FromAPI && !owned[m.Team] && !owned[string(m.TeamID)] {
			after = append(after, m)
		}
	}
	return after, unmapped(rows, after, FromFile)
}

// A fileKey is what makes two entries of a file the same mapping, wherever they stand in it.
type fileKey struct{ team, source, group string }

func (m Mapping) fileKey() fileKey { return fileKey{m.Team, m.Source, m.Group} }

// unmapped are the teams that have mappings of an origin before and none of any after.
func unmapped(before, after []Mapping, origin Origin) []Disconnect {
	still := make(map[team.ID]bool, len(after))
	for _, m := range after {
		still[m.TeamID] = true
	}
	var lost []Disconnect
	for _, m := range before {
		if m.Origin == origin && m.TeamID != "" && !still[m.TeamID] {
			still[m.TeamID] = true
			lost = append(lost, Disconnect{Team: m.TeamID, By: m.ID, Origin: origin})
		}
	}
	return lost
}

// Expand gives the mappings that rules make from the groups a source lists, beside those that exist. A rule binds a group's id to a team
// once: a mapping it made before keeps its team when the group is renamed to another name that matches. One renamed to a name that no
// longer matches has no mapping any more, and the team is among the lost. A group that is no longer listed keeps its mapping, because
// missing is not unmapped. Two groups that would become one team are refused both. Sources that could not be read keep what they had.
func Expand(rules []Rule, existing []Mapping, sources map[string]Reading) (mappings []Mapping, lost []Disconnect, refused []Refused) {
	bound := make(map[string]Mapping) // by rule and key
	for _, m := range existing {
		if m.Origin == FromRule {
			bound[m.ID+"\x00"+m.Key()] = m
		} else {
			mappings = append(mappings, m)
		}
	}
	for _, rule := range rules {
		reading := sources[rule.Source]
		readable := reading.Snapshot != nil && reading.Failed == ""
		for _, m := range existing {
			if m.Origin != FromRule || m.ID != rule.ID {
				continue
			}
			if !readable || !listed(reading.Snapshot, m.GroupID) {
				mappings = append(mappings, m)
			}
		}
		if readable {
			made, conflicts := rule.expand(reading.Snapshot, bound)
			mappings, refused = append(mappings, made...), append(refused, conflicts...)
		}
	}
	return mappings, unmapped(existing, mappings, FromRule), refused
}

func listed(s *directory.Snapshot, id directory.GroupID) bool {
	_, ok := s.Groups[id]
	return ok
}

func (rule Rule) expand(s *directory.Snapshot, bound map[string]Mapping) (made []Mapping, refused []Refused) {
	bySlug := make(map[string][]Mapping)
	for _, id := range slices.Sorted(maps.Keys(s.Groups)) {
		g := s.Groups[id]
		if ok, err := path.Match(rule.Match, g.Name); err != nil || !ok {
			continue
		}
		m := Mapping{ID: rule.ID, Origin: FromRule, Target: rule.Target, Source: rule.Source, Group: g.Name, GroupID: id, Role: rule.Role, Mode: rule.Mode}
		if before, ok := bound[m.ID+"\x00"+m.Key()]; ok && before.TeamID != "" {
			m.Team, m.TeamID = before.Team, before.TeamID
			made = append(made, m)
			continue
		}
		name, err := rule.TeamName(g)
		if err != nil || Slug(name) == "" {
			refused = append(refused, Refused{Slug: g.Name, Mapping: rule.ID, Reason: NoSuchTeam,
				Message: fmt.Sprintf("gives no team name for group %q: correct the rule's team", g.Name)})
			continue
		}
		m.Team = name
		if rule.Create {
			m.New = &team.New{Name: name, Description: g.Description, Privacy: rule.Privacy}
		}
		bySlug[Slug(name)] = append(bySlug[Slug(name)], m)
	}
	for _, slug := range slices.Sorted(maps.Keys(bySlug)) {
		ms := bySlug[slug]
		if len(ms) == 1 {
			made = append(made, ms[0])
			continue
		}
		for _, m := range ms {
			refused = append(refused, Refused{Slug: slug, Mapping: m.ID, Reason: SlugConflict,
				Message: fmt.Sprintf("makes the team %q from %d groups (%q and %q): narrow its match, or map them by hand", slug, len(ms), ms[0].Group, ms[1].Group)})
		}
	}
	return made, refused
}

// TeamName gives the name of the team that the rule makes from a group.
func (rule Rule) TeamName(g directory.Group) (string, error) {
	t, err := ParseTeamName(rule.Team)
	if err != nil {
		return "", err
	}
	var name bytes.Buffer
	if err := t.Execute(&name, struct{ Group directory.Group }{g}); err != nil {
		return "", err
	}
	return strings.TrimSpace(name.String()), nil
}

// ParseTeamName reads the template of a rule's team. It knows .Group.Name, .Group.ID and .Group.Description, and the functions
// trimPrefix, trimSuffix, replace, lower and upper, which take what they change last, so that they can stand in a pipe.
func ParseTeamName(text string) (*template.Template, error) {
	return template.New("team").Option("missingkey=error").Funcs(template.FuncMap{
		"trimPrefix": func(prefix, s string) string { return strings.TrimPrefix(s, prefix) },
		"trimSuffix": func(suffix, s string) string { return strings.TrimSuffix(s, suffix) },
		"replace":    func(old, by, s string) string { return strings.ReplaceAll(s, old, by) },
		"lower":      strings.ToLower,
		"upper":      strings.ToUpper,
	}).Parse(text)
}

// Slug is the form of a team's name in addresses, in which two names are the same team: lower case, everything but letters, digits, "_"
// and "-" a hyphen, none doubled or at an end.
func Slug(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9', r == '_':
			b.WriteRune(r)
		default:
			b.WriteByte('-')
		}
	}
	parts := strings.FieldsFunc(b.String(), func(r rune) bool { return r == '-' })
	return strings.Join(parts, "-")
}

// Pin settles the names of mappings that have no ids yet: a team by slug, else by exact display name, among the teams found under
// the name; a group by id, else by exact name, in the last snapshot. A team's name that fits two is refused here; what fits none, and a group's name
// that fits two, stays unpinned, and Resolve refuses it. Pinned mappings are left as they are, whatever their names mean today.
func Pin(mappings []Mapping, found []team.Team, sources map[string]Reading) (pinned []Mapping, refused []Refused) {
	for _, m := range mappings {
		if m.TeamID == "" {
			switch fits := named(m.Team, found); len(fits) {
			case 0:
			case 1:
				m.TeamID, m.New = fits[0].ID, nil
			default:
				refused = append(refused, Refused{Slug: m.Team, Mapping: m.ID, Reason: NameNotUnique,
					Message: fmt.Sprintf("the name %q fits two teams (%s and %s): use the slug", m.Team, fits[0].Slug, fits[1].Slug)})
				continue
			}
		}
		if s := sources[m.Source].Snapshot; m.GroupID == "" && s != nil {
			if g, ok := s.Groups[directory.GroupID(m.Group)]; ok {
				m.GroupID = g.ID
			} else if fits := s.Find(m.Group); len(fits) == 1 {
				m.GroupID = fits[0].ID
			}
		}
		pinned = append(pinned, m)
	}
	return pinned, refused
}

// named returns the teams that a name means: the one with that slug, else all with that display name.
func named(name string, teams []team.Team) []team.Team {
	var byName []team.Team
	for _, t := range teams {
		if strings.EqualFold(t.Slug, name) {
			return []team.Team{t}
		}
		if t.Name == name {
			byName = append(byName, t)
		}
	}
	return byName
}
