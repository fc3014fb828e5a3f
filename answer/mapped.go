package answer

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"musterline.example/directory"
	"musterline.example/mapping"
	"musterline.example/reconcile"
	"musterline.example/source"
	"musterline.example/store"
	"musterline.example/team"
)

// A TeamMappings is one team with the groups that belong in it.
type TeamMappings struct {
	Team
	Mode     string        `json:"mode"`
	Mappings []TeamMapping `json:"mappings"`
	Origin   string        `json:"origin,omitempty"` // who owns them: file, rule or api; none while there are none
	File     string        `json:"file,omitempty"`
	Line     int           `json:"line,omitempty"`   // of the file
	Waiver   string        `json:"waiver,omitempty"` // that was made with the change

	Version string `json:"-"` // for the change that is made from it
}

// A TeamMapping says that the members of one group belong in the team.
type TeamMapping struct {
	ID      string            `json:"id"` // "file:12", "rule:1", or a number
	Source  string            `json:"source"`
	Group   string            `json:"group"`              // its name
	GroupID directory.GroupID `json:"group_id,omitempty"` // none until it is settled
	Role    team.Role         `json:"role"`
}

// A MapWish is what the groups of a team shall be. None at all take the team out of our hands.
type MapWish struct {
	Target  string
	Team    string // a slug, an id, or an exact name
	Groups  []GroupWish
	Mode    string // exclusive when empty
	Version string // of the mappings that the wish was made from; AnyVersion for whatever they are
	By      string

	// Seen is the digest of the preview that was shown: with it what would come about by now must be what was shown. With Accept the wish is also
	// the acceptance of what was shown there and guards object to, for which it needs a Reason. Else guards judge as ever.
	Seen   string
	Accept bool // by somebody who may approve
	Reason string
}

// AnyVersion in a MapWish is any version.
const AnyVersion = "*"

// A GroupWish is one group of a MapWish.
type GroupWish struct {
	Group string `json:"group"`          // "source/id", else "source/name"
	Role  string `json:"role,omitempty"` // the least that its members get; member when empty
}

// Team returns one team of a target with its groups.
func (h *House) Team(ctx context.Context, target, word string) (TeamMappings, error) {
	at, err := h.target(ctx, Person, target)
	if err != nil {
		return TeamMappings{}, err
	}
	t, err := findTeam(ctx, at, word)
	if err != nil {
		return TeamMappings{}, err
	}
	mappings, err := h.mappings(ctx, target)
	if err != nil {
		return TeamMappings{}, err
	}
	return h.teamMappings(ctx, target, t, mappings)
}

// findTeam looks a team up by slug, id or exact name.
func findTeam(ctx context.Context, at reconcile.Target, word string) (team.Team, error) {
	found, err := at.Find(ctx, []string{word})
	if err != nil {
		return team.Team{}, err
	}
	if len(found) == 0 && word != "" && !strings.ContainsFunc(word, func(r rune) bool { return r < '0' || r > '9' }) {
		found, err = at.Teams(ctx, []team.ID{team.ID(word)})
	} else if len(found) == 1 {
		found, err = at.Teams(ctx, []team.ID{found[0].ID}) // which knows the children too
	}
	switch {
	case err != nil:
		return team.Team{}, err
	case len(found) == 0:
		return team.Team{}, Errorf(NotFound, "there is no such team")
	case len(found) > 1:
		return team.Team{}, Usagef("several teams have that name: use the slug")
	}
	return found[0], nil
}

func (h *House) teamMappings(ctx context.Context, target string, t team.Team, all []mapping.Mapping) (TeamMappings, error) {
	out := TeamMappings{
		Team: Team{Target: target, ID: string(t.ID), Slug: t.Slug, Name: t.Name, Parent: string(t.Parent), Foreign: t.Foreign, Groups: []string{}},
		Mode: string(mapping.Exclusive), Mappings: []TeamMapping{},
	}
	if h.Store != nil {
		place, err := h.Store.Place(ctx, target)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return out, err
		}
		connected, err := h.Store.Connected(ctx, place)
		if err != nil {
			return out, err
		}
		_, out.Connected = connected[t.ID]
	}
	for _, m := range all {
		if !belongs(m, t) {
			continue
		}
		out.Mappings = append(out.Mappings, TeamMapping{ID: m.ID, Source: m.Source, Group: m.Group, GroupID: m.GroupID, Role: m.Role})
		out.Groups = append(out.Groups, m.Source+"/"+m.Group)
		out.Mode, out.Origin = cmp.Or(string(m.Mode), out.Mode), string(m.Origin)
		if line, ok := strings.CutPrefix(m.ID, "file:"); ok {
			out.File = filepath.Base(h.Config.Path)
			_, _ = fmt.Sscan(line, &out.Line) // an id of ours
		}
	}
	out.Version = versionOf(all, t)
	slices.Sort(out.Groups)
	return out, nil
}

// versionOf names what the mappings of a team are.
func versionOf(all []mapping.Mapping, t team.Team) string {
	sum := sha256.New()
	for _, m := range all {
		if belongs(m, t) {
			fmt.Fprintf(sum, "%q %q %q %q %q %q\n", m.ID, m.Source, m.Group, m.GroupID, m.Role, m.Mode)
		}
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

// belongs reports whether a mapping is one of a team, by its id or by what was written for it.
func belongs(m mapping.Mapping, t team.Team) bool {
	return m.TeamID == t.ID || m.TeamID == "" && (m.Team == t.Slug || m.Team == t.Name)
}

// A remapping is a MapWish that has been understood.
type remapping struct {
	at     reconcile.Target
	team   team.Team
	wanted []mapping.Mapping
	all    []mapping.Mapping // of the target, as they are now
	end    mapping.Disconnect
}

// remap checks a MapWish. Nothing is changed by it.
func (h *House) remap(ctx context.Context, wish MapWish) (*remapping, error) {
	if err := OneOf("target", wish.Target, h.targetNames()); err != nil {
		return nil, err
	}
	at, err := h.target(ctx, Person, wish.Target)
	if err != nil {
		return nil, err
	}
	r := &remapping{at: at}
	if r.team, err = findTeam(ctx, at, wish.Team); err != nil {
		return nil, err
	}
	if r.all, err = h.mappings(ctx, wish.Target); err != nil {
		return nil, err
	}
	is, err := h.teamMappings(ctx, wish.Target, r.team, r.all)
	if err != nil {
		return nil, err
	}
	if wish.Version != AnyVersion && wish.Version != is.Version {
		return nil, stale()
	}
	configured := h.Config.Targets[wish.Target]
	switch {
	case configured.Disabled:
		return nil, turnedOff()
	case is.Origin == string(mapping.FromFile):
		return nil, Errorf(Forbidden, "the groups of this team are set in %s, line %d", is.File, is.Line).WithHint("change them there")
	case is.Origin == string(mapping.FromRule):
		return nil, Errorf(Forbidden, "the groups of this team are set by a rule (%s)", is.Mappings[0].ID).WithHint("change the rule")
	case r.team.Foreign != "":
		return nil, Errorf(Forbidden, "the team is not the organization's to change: %s", r.team.Foreign)
	case len(r.team.Children) > 0 && !configured.Settings.ParentTeams && len(wish.Groups) > 0:
		return nil, Errorf(Forbidden, "the team has child teams, and GitHub does not synchronize parent teams").
			WithHint("map the children, or set parent_teams: allow for the target")
	case len(wish.Groups) > configured.Settings.GroupsPerTeam:
		return nil, Usagef("a team of this target has at most %d groups", configured.Settings.GroupsPerTeam).
			WithHint("groups_per_team raises it")
	}
	mode := mapping.Mode(cmp.Or(wish.Mode, string(mapping.Exclusive)))
	if mode != mapping.Exclusive && mode != mapping.Additive {
		return nil, Usagef("mode is exclusive or additive")
	}
	seen := make(map[string]bool)
	for i, g := range wish.Groups {
		m, err := h.groupWish(ctx, configured.Sources, g)
		if err != nil {
			return nil, fmt.Errorf("groups[%d]: %w", i, err)
		}
		m.Target, m.Team, m.TeamID, m.Mode, m.Origin = wish.Target, r.team.Slug, r.team.ID, mode, mapping.FromAPI
		if seen[m.Key()] {
			return nil, Usagef("groups[%d]: the group is named twice", i)
		}
		seen[m.Key()] = true
		r.wanted = append(r.wanted, m)
	}
	r.end = mapping.Disconnect{Team: r.team.ID, Until: h.now().Add(configured.Grace), By: wish.By, Origin: mapping.FromAPI}
	return r, nil
}

// groupWish finds the group that somebody wants in a team: by its id, else by its exact name, as it was listed last, else as it is now.
func (h *House) groupWish(ctx context.Context, shown []string, wish GroupWish) (mapping.Mapping, error) {
	var m mapping.Mapping
	var err error
	if m.Role, err = team.ParseRole(cmp.Or(wish.Role, team.Member.String())); err != nil {
		return m, Usagef("a role is member or maintainer")
	}
	name, group, ok := strings.Cut(wish.Group, "/")
	if !ok || name == "" || group == "" {
		return m, Usagef("a group is written SOURCE/GROUP, such as corp/platform")
	}
	known := h.sourceNames()
	if len(shown) > 0 {
		known = slices.DeleteFunc(known, func(s string) bool { return !slices.Contains(shown, s) })
	}
	if err := OneOf("source", name, known); err != nil {
		return m, Usagef("%w", err).Plainly("there is no such source here")
	}
	m.Source = name
	last, err := h.lastRead(ctx, name)
	if err != nil {
		return m, err
	}
	if found, err := groupIn(last, group, &m); found || err != nil {
		return m, err
	}
	s, err := h.source(ctx, name)
	if err != nil {
		return m, err
	}
	if last, err = s.Snapshot(ctx, source.Selection{}); err != nil {
		return m, Errorf(Unavailable, "source %s: %w", name, err)
	}
	if found, err := groupIn(last, group, &m); found || err != nil {
		return m, err
	}
	return m, Usagef("source %s lists no such group", name)
}

func groupIn(s *directory.Snapshot, word string, m *mapping.Mapping) (bool, error) {
	if s == nil {
		return false, nil
	}
	if g, ok := s.Groups[directory.GroupID(word)]; ok {
		m.Group, m.GroupID = g.Name, g.ID
		return true, nil
	}
	switch found := s.Find(word); len(found) {
	case 0:
		return false, nil
	case 1:
		m.Group, m.GroupID = found[0].Name, found[0].ID
		return true, nil
	default:
		return false, Usagef("several groups have that name: use the id")
	}
}

// MapTeam makes these the groups of a team, and asks for a sync of it. Who was in it for a group that is taken away leaves after a grace.
func (h *House) MapTeam(ctx context.Context, wish MapWish) (TeamMappings, error) {
	if err := h.writes(); err != nil {
		return TeamMappings{}, err
	}
	r, err := h.remap(ctx, wish)
	if err != nil {
		return TeamMappings{}, err
	}
	// To look the team and its groups up has taken a while: what the wish was made from is compared once more where it is written.
	unchanged := func(rows []mapping.Mapping) error {
		now, _ := mapping.Load(rows, h.deps.File[wish.Target])
		if wish.Version != AnyVersion && wish.Version != versionOf(now, r.team) {
			return stale()
		}
		return nil
	}
	accept, err := h.accepted(ctx, wish, r)
	if err != nil {
		return TeamMappings{}, err
	}
	made, waiver, err := h.Store.MapTeamIf(ctx, wish.Target, r.team.ID, unchanged, r.wanted, r.end, accept, reconcile.Request{
		Target: wish.Target, Teams: []team.ID{r.team.ID}, Trigger: reconcile.ByPerson, Asker: wish.By, Why: "the groups of the team were set",
	})
	if refusal, ok := errors.AsType[*Error](err); ok {
		return TeamMappings{}, refusal
	}
	if owned, ok := errors.AsType[*store.Owned](err); ok {
		return TeamMappings{}, Errorf(Forbidden, "%w", owned).Plainly("the groups of this team are set elsewhere")
	}
	if errors.Is(err, store.ErrOff) {
		return TeamMappings{}, turnedOff()
	}
	if err != nil {
		return TeamMappings{}, err
	}
	set, err := h.teamMappings(ctx, wish.Target, r.team, made)
	set.Waiver = waiver
	return set, err
}

func turnedOff() error {
	return Errorf(Forbidden, "the target is turned off: no team of it is mapped").WithHint("turn it on first")
}

// A foresight is memory as it would be if a team had other groups.
type foresight struct {
	reconcile.Recollection
	*remapping
}

// Mappings implements reconcile.Recollection.
func (f *foresight) Mappings(ctx context.Context, target string) ([]mapping.Mapping, error) {
	rows, err := f.Recollection.Mappings(ctx, target)
	rows = slices.DeleteFunc(rows, func(m mapping.Mapping) bool { return belongs(m, f.team) })
	return append(rows, f.wanted...), err
}

// Disconnects implements reconcile.Recollection.
func (f *foresight) Disconnects(ctx context.Context, target string) ([]mapping.Disconnect, error) {
	all, err := f.Recollection.Disconnects(ctx, target)
	for _, m := range f.all {
		kept := slices.ContainsFunc(f.wanted, func(w mapping.Mapping) bool { return w.Key() == m.Key() })
		if m.TeamID == f.team.ID && !kept {
			return append(all, f.end), err
		}
	}
	return all, err
}
