package mapping

import (
	"bytes"
	"cmp"
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
// longer in the file is gone; a team that the file maps loses the mappings it had from the API and the console. A new one means by a name what
// the others mean by it, whoever goes by that name now. Mappings of rules and of other teams stay. Lost are the teams that are left without a mapping: no grace is given, because the file's author has seen the plan.
func Load(rows, file []Mapping) (after []Mapping, lost []Disconnect) {
	pins := make(map[fileKey]Mapping)
	teams, groups := make(map[string]team.ID), make(map[fileKey]directory.GroupID)
	owned := make(map[string]bool) // teams of the file, by name and id
	for _, m := range rows {
		if m.Origin != FromFile {
			continue
		}
		pins[m.fileKey()] = m
		if m.TeamID != "" {
			teams[m.Team] = m.TeamID
		}
		if m.GroupID != "" {
			groups[fileKey{source: m.Source, group: m.Group}] = m.GroupID
		}
	}
	for _, m := range file {
		before := pins[m.fileKey()]
		m.TeamID = cmp.Or(before.TeamID, teams[m.Team])
		m.GroupID = cmp.Or(before.GroupID, groups[fileKey{source: m.Source, group: m.Group}])
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
// once: a mapping it made before keeps its team when the group is renamed to another name that matches, or the rule moves to another place in
// the file. One renamed to a name that no longer matches has no mapping any more, and the team is among the lost. A group that is no
// longer listed keeps its mapping, because missing is not unmapped. Several groups that would become one team are refused all. Sources
// that could not be read keep what they had.
func Expand(rules []Rule, existing []Mapping, sources map[string]Reading) (mappings []Mapping, lost []Disconnect, refused []Refused) {
	readable := func(source string) bool { return sources[source].Snapshot != nil && sources[source].Failed == "" }
	var bound []Mapping
	for _, m := range existing {
		switch {
		case m.Origin != FromRule:
			mappings = append(mappings, m)
		case readable(m.Source) && listed(sources[m.Source].Snapshot, m.GroupID):
			bound = append(bound, m)
		case slices.ContainsFunc(rules, func(r Rule) bool { return r.Source == m.Source && (r.ID == m.ID || r.matches(m.Group)) }):
			mappings = append(mappings, m)
		}
	}
	var made []Mapping
	for _, rule := range rules {
		if readable(rule.Source) {
			fit, nameless := rule.expand(sources[rule.Source].Snapshot)
			made, refused = append(made, fit...), append(refused, nameless...)
		}
	}
	bind(made, bound)
	made, conflicts := disjoint(made)
	mappings, refused = append(mappings, made...), append(refused, conflicts...)
	return mappings, unmapped(existing, mappings, FromRule), refused
}

func listed(s *directory.Snapshot, id directory.GroupID) bool {
	_, ok := s.Groups[id]
	return ok
}

func (rule Rule) matches(name string) bool {
	ok, err := path.Match(rule.Match, name)
	return ok && err == nil
}

// expand gives a mapping for each group that matches, as if there had been none before.
func (rule Rule) expand(s *directory.Snapshot) (made []Mapping, refused []Refused) {
	for _, id := range slices.Sorted(maps.Keys(s.Groups)) {
		g := s.Groups[id]
		if !rule.matches(g.Name) {
			continue
		}
		m := Mapping{ID: rule.ID, Origin: FromRule, Target: rule.Target, Source: rule.Source, Group: g.Name, GroupID: id, Role: rule.Role, Mode: rule.Mode}
		name, err := rule.TeamName(g)
		if err != nil || Slug(name) == "" {
			refused = append(refused, Refused{Slug: g.Name, Mapping: rule.ID, Reason: NoSuchTeam,
				Message: fmt.Sprintf("gives no team name for group %q: correct the rule's team", g.Name)})
			continue
		}
		m.Team = name
		if rule.Create {
			m.New, m.Parent = &team.New{Name: name, Description: g.Description, Privacy: rule.Privacy}, rule.Parent
		}
		made = append(made, m)
	}
	return made, refused
}

// bind gives mappings the teams that rules bound their groups to before. Rules are known by their place in the file, which changes: of
// several that match one group, a binding belongs to the one that gives its team's name, else to the one in its place, else to
// whichever is left.
func bind(made, bound []Mapping) {
	taken := make([]bool, len(bound))
	for _, fits := range []func(m, b Mapping) bool{
		func(m, b Mapping) bool { return m.Team == b.Team },
		func(m, b Mapping) bool { return m.ID == b.ID },
		func(Mapping, Mapping) bool { return true },
	} {
		byKey := make(map[string][]int)
		for i, b := range bound {
			if b.TeamID != "" && !taken[i] {
				byKey[b.Key()] = append(byKey[b.Key()], i)
			}
		}
		for n := range made {
			m := &made[n]
			if m.TeamID != "" {
				continue
			}
			for _, i := range byKey[m.Key()] {
				if !taken[i] && fits(*m, bound[i]) {
					taken[i] = true
					m.Team, m.TeamID, m.New, m.Parent = bound[i].Team, bound[i].TeamID, nil, ""
					break
				}
			}
		}
	}
}

// disjoint refuses mappings that would make one team of several groups. What is bound already stays.
func disjoint(made []Mapping) (left []Mapping, refused []Refused) {
	bySlug := make(map[string][]Mapping)
	for _, m := range made {
		if m.TeamID == "" {
			bySlug[Slug(m.Team)] = append(bySlug[Slug(m.Team)], m)
		}
	}
	for _, m := range made {
		slug := Slug(m.Team)
		i := slices.IndexFunc(bySlug[slug], func(o Mapping) bool { return o.Key() != m.Key() })
		if m.TeamID != "" || i < 0 {
			left = append(left, m)
			continue
		}
		refused = append(refused, Refused{Slug: slug, Mapping: m.ID, Reason: SlugConflict,
			Message: fmt.Sprintf("would make the team %q of group %q, and of group %q too: narrow the match, or map them by hand", slug, m.Group, bySlug[slug][i].Group)})
	}
	return left, refused
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
// that fits two, stays unpinned, and Resolve refuses it. Pinned mappings are left as they are, whatever their names mean today. A rule does
// not give a group the team of another one.
func Pin(mappings []Mapping, found []team.Team, sources map[string]Reading) (pinned []Mapping, refused []Refused) {
	claims := make(map[team.ID][]Mapping) // of rules
	for _, m := range mappings {
		if m.Origin != FromRule {
			continue
		}
		id := m.TeamID
		if fits := named(m.Team, found); id == "" && len(fits) == 1 {
			id = fits[0].ID
		}
		claims[id] = append(claims[id], m)
	}
	for _, m := range mappings {
		if m.TeamID == "" {
			switch fits := named(m.Team, found); len(fits) {
			case 0:
				parents := named(m.Parent, found)
				if m.Parent != "" && len(parents) != 1 {
					refused = append(refused, Refused{Slug: m.Team, Mapping: m.ID, Reason: NoSuchTeam,
						Message: fmt.Sprintf("is to be created under %q, which is the name of %d teams: create that, or correct the rule's parent", m.Parent, len(parents))})
					continue
				}
				if m.Parent != "" {
					under := *m.New
					under.Parent = parents[0].ID
					m.New, m.Parent = &under, ""
				}
			case 1:
				i := slices.IndexFunc(claims[fits[0].ID], func(o Mapping) bool { return o.Key() != m.Key() })
				if m.Origin == FromRule && i >= 0 {
					refused = append(refused, Refused{Team: fits[0].ID, Slug: fits[0].Slug, Mapping: m.ID, Reason: SlugConflict,
						Message: fmt.Sprintf("would put group %q into this team, to which a rule maps group %q: narrow the match, or map them by hand", m.Group, claims[fits[0].ID][i].Group)})
					continue
				}
				m.TeamID, m.New, m.Parent = fits[0].ID, nil, ""
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
