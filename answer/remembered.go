package answer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"musterline.example/audit"
	"musterline.example/directory"
	"musterline.example/guard"
	"musterline.example/link"
	"musterline.example/mapping"
	"musterline.example/plan"
	"musterline.example/store"
	"musterline.example/target"
	"musterline.example/team"
)

// Remembered are the teams of a target as memory has them: nobody is asked.
type Remembered struct {
	Teams    []RememberedTeam `json:"teams"`              // in order of slug
	ListedAt time.Time        `json:"listed_at,omitzero"` // when the target was asked for all its teams; zero: those that nothing maps are not known
	PlanAt   time.Time        `json:"plan_at,omitzero"`   // of the last plan, of which held, objected, refused and pending tell
	Counts   map[string]int   `json:"counts"`             // how many teams each filter would show
}

// A RememberedTeam is one team as memory has it.
type RememberedTeam struct {
	ID        string    `json:"id,omitempty"` // none while it is to be created, or was never seen
	Slug      string    `json:"slug"`
	Name      string    `json:"name"`
	Parent    string    `json:"parent,omitempty"` // its slug
	Groups    []string  `json:"groups"`           // source/group mapped to it
	Mode      string    `json:"mode,omitempty"`
	Origin    string    `json:"origin,omitempty"` // who owns the mappings: file, rule or api
	State     string    `json:"state"`            // unmapped, in_sync, pending, waits, leaving, refused, unread or foreign
	Members   int       `json:"members"`
	ReadAt    time.Time `json:"read_at,omitzero"` // of the members; zero: they are not known
	ChangedAt time.Time `json:"changed_at,omitzero"`
	Held      int       `json:"held"`     // who should be in it and cannot be yet
	Objected  int       `json:"objected"` // changes that guards stop
	Pending   int       `json:"pending"`  // changes of the last plan that did not come about
	Leaving   int       `json:"leaving"`  // members in grace
	Refused   string    `json:"refused,omitempty"`
	Foreign   string    `json:"foreign,omitempty"`
}

// RememberedFilters are the words by which a list of remembered teams is chosen.
var RememberedFilters = []string{"mapped", "unmapped", "held", "objected", "refused"}

// Fits reports whether a filter chooses the team.
func (t *RememberedTeam) Fits(filter string) bool {
	switch filter {
	case "mapped":
		return len(t.Groups) > 0
	case "unmapped":
		return len(t.Groups) == 0
	case "held":
		return t.Held > 0
	case "objected":
		return t.Objected > 0
	case "refused":
		return t.Refused != ""
	}
	return true
}

// contains reports whether the names of a team or of its groups hold a text, in small letters or capitals.
func (t *RememberedTeam) contains(text string) bool {
	text = strings.ToLower(text)
	has := func(s string) bool { return strings.Contains(strings.ToLower(s), text) }
	return has(t.Slug) || has(t.Name) || slices.ContainsFunc(t.Groups, has)
}

// A recalled target is what memory has to say of it at once.
type recalled struct {
	name     string
	place    team.Place
	teams    []store.KnownTeam
	listedAt time.Time
	mappings []mapping.Mapping
	plan     store.Plan // its Plan is nil when there was none
	stopped  map[guard.Ref][]string
	results  map[store.WriteKey]audit.Result // of the run whose plan it is
	leaving  map[team.ID]mapping.Disconnect
}

func (h *House) recall(ctx context.Context, name string) (*recalled, error) {
	if err := OneOf("target", name, h.targetNames()); err != nil {
		return nil, err
	}
	r := &recalled{name: name, leaving: make(map[team.ID]mapping.Disconnect)}
	var err error
	if r.mappings, err = h.mappings(ctx, name); err != nil || h.Store == nil {
		return r, err
	}
	if r.place, err = h.Store.Place(ctx, name); err != nil && !errors.Is(err, store.ErrNotFound) {
		return r, err
	}
	if r.teams, r.listedAt, err = h.Store.Teams(ctx, name, r.place); err != nil {
		return r, err
	}
	ends, err := h.Store.Disconnects(ctx, name)
	if err != nil {
		return r, err
	}
	for _, d := range ends {
		r.leaving[d.Team] = d
	}
	r.plan, err = h.Store.LastPlan(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return r, nil
	}
	if err != nil {
		return r, err
	}
	r.stopped = guard.Stopped(r.plan.Objections)
	r.results, err = h.Store.Results(ctx, r.plan.Run)
	return r, err
}

// done reports whether the run that has planned a change has carried it out.
func (r *recalled) done(c *plan.TeamChange, ch plan.Change) bool {
	key := store.WriteKey{Team: c.Team, Account: ch.Account, Act: ch.Act}
	if c.Team == "" {
		key.Slug = c.Slug
	}
	switch r.results[key] {
	case audit.Done, audit.Already, audit.Seen, audit.Pending:
		return true
	}
	return false
}

// Remembered lists the teams of a target from memory: those that a filter chooses (all when it is empty) and whose names, or those of their
// groups, contain a text.
func (h *House) Remembered(ctx context.Context, name, text, filter string) (Remembered, error) {
	r, err := h.recall(ctx, name)
	if err != nil {
		return Remembered{}, err
	}
	all := Remembered{Teams: []RememberedTeam{}, ListedAt: r.listedAt, PlanAt: r.plan.At, Counts: map[string]int{}}
	for _, t := range r.rows() {
		if text != "" && !t.contains(text) {
			continue
		}
		all.Counts["all"]++
		for _, f := range RememberedFilters {
			if t.Fits(f) {
				all.Counts[f]++
			}
		}
		if t.Fits(filter) {
			all.Teams = append(all.Teams, t)
		}
	}
	return all, nil
}

// rows are all teams: those that were read or listed, those that mappings name and nobody has seen, and those that are to be created.
func (r *recalled) rows() []RememberedTeam {
	rows := make([]RememberedTeam, 0, len(r.teams))
	at := make(map[team.ID]int, len(r.teams))
	named := make(map[string]int, len(r.teams)) // slugs win over names
	slugs := make(map[team.ID]string, len(r.teams))
	for i := range r.teams {
		t := &r.teams[i]
		slugs[t.ID] = t.Slug
		at[t.ID] = len(rows)
		rows = append(rows, RememberedTeam{
			ID: string(t.ID), Slug: t.Slug, Name: t.Name, Groups: []string{}, Members: t.Size, ReadAt: t.ReadAt, ChangedAt: t.ChangedAt, Foreign: t.Foreign,
		})
	}
	for i := range rows {
		rows[i].Parent = cmp.Or(slugs[r.teams[i].Parent], string(r.teams[i].Parent))
		if _, known := named[rows[i].Name]; !known {
			named[rows[i].Name] = i
		}
	}
	for i := range rows {
		named[rows[i].Slug] = i
	}
	row := func(id team.ID, name string) *RememberedTeam {
		if i, known := at[id]; known && id != "" {
			return &rows[i]
		}
		if i, known := named[name]; known && (id == "" || rows[i].ID == "") {
			return &rows[i]
		}
		rows = append(rows, RememberedTeam{ID: string(id), Slug: name, Name: name, Groups: []string{}})
		i := len(rows) - 1
		if named[name] = i; id != "" {
			at[id] = i
		}
		return &rows[i]
	}
	for _, m := range r.mappings {
		t := row(m.TeamID, m.Team)
		t.Groups = append(t.Groups, m.Source+"/"+m.Group)
		t.Mode, t.Origin = cmp.Or(string(m.Mode), t.Mode, string(mapping.Exclusive)), string(m.Origin)
	}
	r.planned(row)
	for i := range rows {
		t := &rows[i]
		slices.Sort(t.Groups)
		t.State = r.state(t)
	}
	slices.SortFunc(rows, func(a, b RememberedTeam) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.Slug), strings.ToLower(b.Slug)), strings.Compare(a.ID, b.ID))
	})
	return rows
}

// planned adds what the last plan says of teams.
func (r *recalled) planned(row func(id team.ID, slug string) *RememberedTeam) {
	p := r.plan.Plan
	if p == nil {
		return
	}
	for i := range p.Teams {
		c := &p.Teams[i]
		t := row(c.Team, c.Slug)
		for _, ch := range c.Changes() {
			switch {
			case r.done(c, ch):
			case len(r.stopped[guard.RefOf(c, ch)]) > 0:
				t.Objected++
			default:
				t.Pending++
			}
		}
		t.Leaving = len(c.Leaving)
	}
	for _, held := range p.Held {
		row(held.Team, held.Slug).Held++
	}
	for _, refused := range p.Refused {
		t := row(refused.Team, refused.Slug)
		t.Refused = cmp.Or(t.Refused, refused.Message)
	}
}

func (r *recalled) state(t *RememberedTeam) string {
	_, ends := r.leaving[team.ID(t.ID)]
	switch {
	case t.Refused != "":
		return "refused"
	case t.Objected > 0:
		return "waits"
	case t.Leaving > 0 || ends && len(t.Groups) == 0:
		return "leaving"
	case len(t.Groups) == 0 && t.Foreign != "":
		return "foreign"
	case len(t.Groups) == 0:
		return "unmapped"
	case t.ReadAt.IsZero():
		return "unread"
	case t.Pending > 0:
		return "pending"
	}
	return "in_sync"
}

// ListTeams asks a target for the names of all its teams, and keeps them for Remembered.
func (h *House) ListTeams(ctx context.Context, name string) error {
	if err := h.writes(); err != nil {
		return err
	}
	at, err := h.target(ctx, Person, name)
	if err != nil {
		return err
	}
	began := h.now()
	var all []team.Team
	for page := (target.Page{Size: 100}); ; {
		teams, next, err := at.List(ctx, page)
		if err != nil {
			return fmt.Errorf("target %s: %w", name, err)
		}
		if all = append(all, teams...); next.Token == "" {
			break
		}
		page = next
	}
	place, err := h.Store.Place(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		// Before the first run nobody has said which organization it is.
		standing, err := at.Probe(ctx)
		if err != nil {
			return fmt.Errorf("target %s: %w", name, err)
		}
		if err := h.Store.SavePlace(ctx, name, standing.Place); err != nil {
			return err
		}
		place = standing.Place
	} else if err != nil {
		return err
	}
	return h.Store.SaveTeamList(ctx, place, all, began)
}

// A TeamView is one team as memory has it, with everything that the groups of it can be set by.
type TeamView struct {
	RememberedTeam

	Description string      `json:"description,omitempty"`
	Children    []string    `json:"children"` // slugs
	Mappings    []MappedBy  `json:"mappings"`
	File        string      `json:"file,omitempty"`
	Line        int         `json:"line,omitempty"`
	ConnectedAt time.Time   `json:"connected_at,omitzero"` // its first connection has ended
	Limit       int         `json:"limit"`                 // how many groups it may have
	Sources     []string    `json:"sources"`               // whose groups it can be given
	Closed      *Closed     `json:"closed,omitempty"`      // why its groups cannot be set here; none: they can
	Grace       int         `json:"grace"`                 // seconds that members stay whose group is taken away
	Ends        *TeamEnds   `json:"ends,omitempty"`        // groups were taken away, and the time of their members ends
	Apply       string      `json:"apply"`                 // who carries plans out: auto, approve or off
	Paused      *Pause      `json:"paused,omitempty"`
	People      PeopleCount `json:"people"`
	Refusals    []Refused   `json:"refusals"`
	Lately      []TeamEvent `json:"lately"`     // what happened to it, the newest first
	Objections  []Objection `json:"objections"` // that stop changes of this team
	PlanRun     string      `json:"plan_run,omitempty"`
	PlanAt      time.Time   `json:"plan_at,omitzero"`

	Version string `json:"-"` // of the mappings, for the change that is made from them
}

// A TeamEvent is something that happened to a team, by the audit record.
type TeamEvent struct {
	Seq  int64     `json:"seq"` // of the entry
	At   time.Time `json:"at"`
	Said string    `json:"said"`
	Run  string    `json:"run,omitempty"`
}

// A MappedBy is a mapping with what is known of its group.
type MappedBy struct {
	TeamMapping

	People  int       `json:"people"` // in the group and the groups within it, as read last
	ReadAt  time.Time `json:"read_at,omitzero"`
	Missing bool      `json:"missing,omitempty"` // the source lists no such group
	Failure string    `json:"failure,omitempty"` // why the source could not be read since
}

// A Closed is why the groups of a team cannot be set over the API, and what to do instead.
type Closed struct {
	Reason  string `json:"reason"` // file, rule, off, foreign, parent or new
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// A TeamEnds is when those leave who were in a team for a group that was taken away.
type TeamEnds struct {
	At   time.Time `json:"at"`
	By   string    `json:"by"`
	Keep bool      `json:"keep,omitempty"` // they stay
}

// PeopleCount counts who has to do with a team, by what the filters of its people are called.
type PeopleCount struct {
	All     int `json:"all"`
	Member  int `json:"member"`
	Invited int `json:"invited"`
	Joining int `json:"joining"`
	Leaving int `json:"leaving"`
	Held    int `json:"held"`
}

// RememberedTeam says from memory how a team stands: by its slug, its id or its exact name. One that memory does not know is looked up at
// the target.
func (h *House) RememberedTeam(ctx context.Context, name, word string) (TeamView, error) {
	i, err := h.inspect(ctx, name, word)
	if err != nil {
		return TeamView{}, err
	}
	return i.view(ctx)
}

// A TeamPerson is somebody who has to do with a team, and why.
type TeamPerson struct {
	Account  Account    `json:"account"`        // empty for somebody who is held and has none
	User     string     `json:"user,omitempty"` // source/id
	Name     string     `json:"name,omitempty"`
	State    string     `json:"state"` // member, invited, joining, leaving or held
	Role     team.Role  `json:"role"`
	Becomes  *team.Role `json:"becomes,omitempty"` // the role that the last plan gives them
	Why      []string   `json:"why"`               // in words: paths of groups, else what keeps, brings or removes them
	Link     string     `json:"link,omitempty"`    // the tier that says whose account it is
	Evidence string     `json:"evidence,omitempty"`
	Origin   string     `json:"origin,omitempty"` // granted or found, by the ledger
	Since    time.Time  `json:"since,omitzero"`
	LeavesAt time.Time  `json:"leaves_at,omitzero"`
	Held     string     `json:"held,omitempty"` // the reason in one word, such as not-linked
	Objected []string   `json:"objected"`       // guards that stop their coming or going
}

// TeamPeople are people of a team.
type TeamPeople struct {
	People []TeamPerson `json:"people"` // in order of login, those without one last
	ReadAt time.Time    `json:"read_at,omitzero"`
	Counts PeopleCount  `json:"counts"`
}

// TeamPeople lists from memory who is in a team, comes, goes, or is held: those whose login, name or user contains a text, in one state or in all.
func (h *House) TeamPeople(ctx context.Context, name, word, text, state string) (TeamPeople, error) {
	i, err := h.inspect(ctx, name, word)
	if err != nil {
		return TeamPeople{}, err
	}
	people, err := i.people(ctx)
	if err != nil {
		return TeamPeople{}, err
	}
	all := TeamPeople{People: []TeamPerson{}, ReadAt: i.team.ReadAt}
	text = strings.ToLower(text)
	for _, p := range people {
		if text != "" && !strings.Contains(strings.ToLower(p.Account.Login+"\x00"+p.Name+"\x00"+p.User), text) {
			continue
		}
		all.Counts.add(p.State)
		if state == "" || state == p.State {
			all.People = append(all.People, p)
		}
	}
	return all, nil
}

func (c *PeopleCount) add(state string) {
	c.All++
	switch state {
	case "member":
		c.Member++
	case "invited":
		c.Invited++
	case "joining":
		c.Joining++
	case "leaving":
		c.Leaving++
	case "held":
		c.Held++
	}
}

// An inspection is one team with what memory has to say of it.
type inspection struct {
	*House
	*recalled
	row      RememberedTeam
	team     store.KnownTeam
	of       []mapping.Mapping // its mappings
	read     map[string]*directory.Snapshot
	failures map[string]string
	rows     []plan.TeamChange // of the last plan
}

func (h *House) inspect(ctx context.Context, name, word string) (*inspection, error) {
	r, err := h.recall(ctx, name)
	if err != nil {
		return nil, err
	}
	i := &inspection{House: h, recalled: r, read: make(map[string]*directory.Snapshot), failures: make(map[string]string)}
	if err := i.find(ctx, word); err != nil {
		return nil, err
	}
	if i.team.ID != "" && h.Store != nil {
		known, err := h.Store.KnownTeam(ctx, name, r.place, i.team.ID)
		if err == nil {
			i.team = known
		} else if !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
	}
	for _, m := range r.mappings {
		if belongs(m, i.team.Team) {
			i.of = append(i.of, m)
		}
	}
	if r.plan.Plan != nil {
		for n := range r.plan.Plan.Teams {
			if c := r.plan.Plan.Teams[n]; c.Team == i.team.ID && (c.Team != "" || c.Slug == i.team.Slug) {
				i.rows = append(i.rows, c)
			}
		}
	}
	return i, i.reads(ctx)
}

// find looks the team up among those that memory knows, else at the target.
func (i *inspection) find(ctx context.Context, word string) error {
	var found []RememberedTeam
	all := i.recalled.rows()
	for _, is := range []func(t *RememberedTeam) bool{
		func(t *RememberedTeam) bool { return t.Slug == word },
		func(t *RememberedTeam) bool { return t.ID == word && word != "" },
		func(t *RememberedTeam) bool { return t.Name == word },
	} {
		for n := range all {
			if is(&all[n]) {
				found = append(found, all[n])
			}
		}
		if len(found) > 0 {
			break
		}
	}
	switch {
	case len(found) > 1:
		return Usagef("several teams have that name: use the slug")
	case len(found) == 1 && found[0].ID != "":
		i.row = found[0]
		i.team = store.KnownTeam{Team: team.Team{ID: team.ID(i.row.ID), Slug: i.row.Slug, Name: i.row.Name, Foreign: i.row.Foreign}}
		return nil
	case len(found) == 1 && len(found[0].Groups) > 0 && i.creates(found[0].Slug):
		i.row = found[0]
		i.team = store.KnownTeam{Team: team.Team{Slug: i.row.Slug, Name: i.row.Name}}
		return nil
	}
	at, err := i.target(ctx, Person, i.name)
	if err != nil {
		return err
	}
	t, err := findTeam(ctx, at, word)
	if err != nil {
		return err
	}
	i.team = store.KnownTeam{Team: t, Size: len(t.Members), ReadAt: i.now()}
	i.recalled.teams = append(i.recalled.teams, i.team)
	for _, row := range i.recalled.rows() {
		if row.ID == string(t.ID) {
			i.row = row
		}
	}
	return nil
}

// creates reports whether a team of that name is to be created.
func (i *inspection) creates(name string) bool {
	return slices.ContainsFunc(i.recalled.mappings, func(m mapping.Mapping) bool { return m.New != nil && (m.Team == name || m.New.Name == name) })
}

// reads takes the last snapshots of the sources that the team's mappings name.
func (i *inspection) reads(ctx context.Context) error {
	if i.Store == nil {
		return nil
	}
	states, err := i.Store.Sources(ctx)
	if err != nil {
		return err
	}
	for _, s := range states {
		i.failures[s.Name] = s.Failure
	}
	for _, m := range i.of {
		if _, known := i.read[m.Source]; known {
			continue
		}
		if i.read[m.Source], err = i.lastRead(ctx, m.Source); err != nil {
			return err
		}
	}
	return nil
}

func (i *inspection) view(ctx context.Context) (TeamView, error) {
	configured := i.Config.Targets[i.name]
	v := TeamView{
		RememberedTeam: i.row, Description: i.team.Description, Children: []string{}, Mappings: []MappedBy{}, Limit: configured.Settings.GroupsPerTeam,
		Sources: list(configured.Sources), Grace: int(configured.Grace / time.Second), Apply: configured.Apply, Refusals: []Refused{},
		Objections: []Objection{}, Lately: []TeamEvent{}, PlanRun: i.plan.Run, PlanAt: i.plan.At, Version: versionOf(i.recalled.mappings, i.team.Team),
	}
	v.Mode = cmp.Or(v.Mode, string(mapping.Exclusive))
	if len(v.Sources) == 0 {
		v.Sources = list(i.sourceNames())
	}
	for _, m := range i.of {
		by := MappedBy{
			TeamMapping: TeamMapping{ID: m.ID, Source: m.Source, Group: m.Group, GroupID: m.GroupID, Role: m.Role}, Failure: i.failures[m.Source],
		}
		if s := i.read[m.Source]; s != nil {
			by.ReadAt = s.TakenAt
			if g, there := s.Groups[m.GroupID]; there {
				by.Group, by.People = g.Name, s.Size(m.GroupID)
			} else {
				by.Missing = m.GroupID != ""
			}
		}
		v.Mappings = append(v.Mappings, by)
		if line, ok := strings.CutPrefix(m.ID, "file:"); ok {
			v.File = filepath.Base(i.Config.Path)
			_, _ = fmt.Sscan(line, &v.Line) // an id of ours
		}
	}
	v.Children = i.children()
	v.Closed = i.closed(v)
	if d, ends := i.leaving[i.team.ID]; ends && i.team.ID != "" {
		v.Ends = &TeamEnds{At: d.Until, By: d.By, Keep: d.Keep}
	}
	i.viewPlan(&v)
	people, err := i.people(ctx)
	if err != nil {
		return v, err
	}
	for _, p := range people {
		v.People.add(p.State)
	}
	if v.Paused, err = i.paused(ctx, i.name); err != nil || i.Store == nil {
		return v, err
	}
	connected, err := i.Store.Connected(ctx, i.place)
	if err != nil {
		return v, err
	}
	v.ConnectedAt = connected[i.team.ID]
	v.Lately, err = i.lately(ctx)
	return v, err
}

// manyEvents is how much of what happened to a team its page tells.
const manyEvents = 12

// lately is what happened to the team, as the audit record has it. Intents say the same as their outcomes.
func (i *inspection) lately(ctx context.Context) ([]TeamEvent, error) {
	all := []TeamEvent{}
	if i.team.ID == "" {
		return all, nil
	}
	entries, err := i.Store.Entries(ctx, store.Filter{Target: i.name, Team: string(i.team.ID), Limit: 4 * manyEvents})
	if err != nil {
		return all, err
	}
	entries = slices.DeleteFunc(entries, func(e store.Entry) bool { return e.Kind == store.KindIntent || e.Kind == store.KindClose })
	entries = entries[:min(len(entries), manyEvents)]
	names := i.namesIn(ctx, i.name, entries)
	for _, e := range entries {
		said := strings.TrimPrefix(Sentence(names, e), i.name+"/"+i.team.Slug+": ") // which everybody knows who looks at the team
		all = append(all, TeamEvent{Seq: e.Seq, At: e.At, Said: said, Run: e.Run})
	}
	return all, nil
}

// children are the slugs of the teams below the team, by what was read of it and by what was listed.
func (i *inspection) children() []string {
	slugs := []string{}
	if i.team.ID == "" {
		return slugs
	}
	for _, c := range i.team.Children {
		slugs = append(slugs, c.Slug)
	}
	for n := range i.recalled.teams {
		if i.recalled.teams[n].Parent == i.team.ID {
			slugs = append(slugs, i.recalled.teams[n].Slug)
		}
	}
	slices.Sort(slugs)
	return slices.Compact(slugs)
}

// closed says why the groups of the team cannot be set over the API, as remap does when somebody tries.
func (i *inspection) closed(v TeamView) *Closed {
	configured := i.Config.Targets[i.name]
	switch {
	case v.Origin == string(mapping.FromFile):
		return &Closed{"file", fmt.Sprintf("The groups of this team are set in %s, line %d", v.File, v.Line), "change them there"}
	case v.Origin == string(mapping.FromRule):
		return &Closed{"rule", fmt.Sprintf("The groups of this team are set by a rule (%s)", i.of[0].ID), "change the rule"}
	case configured.Disabled:
		return &Closed{"off", "The target is turned off: no team of it is mapped", "turn it on first"}
	case i.team.Foreign != "":
		return &Closed{"foreign", "The team is not the organization's to change: " + i.team.Foreign, ""}
	case i.team.ID == "":
		return &Closed{"new", "The team does not exist yet", ""}
	case len(v.Children) > 0 && !configured.Settings.ParentTeams && len(v.Mappings) == 0:
		return &Closed{
			"parent", "The team has child teams (" + strings.Join(v.Children, ", ") + "), and GitHub does not synchronize parent teams",
			"map the children, or set parent_teams: allow for the target",
		}
	}
	return nil
}

// viewPlan adds what the last plan says of the team.
func (i *inspection) viewPlan(v *TeamView) {
	if i.plan.Plan == nil {
		return
	}
	about := PlanOf(&plan.Plan{Target: i.name, Teams: i.rows}, i.stopping())
	v.Objections = about.Objections
	for _, r := range i.plan.Plan.Refused {
		if r.Team == i.team.ID && (r.Team != "" || r.Slug == i.team.Slug) {
			v.Refusals = append(v.Refusals, Refused{Team: r.Slug, Mapping: r.Mapping, Reason: r.Reason, Message: r.Message})
		}
	}
}

// stopping are the objections that stop changes of the team, and of each what it stops there.
func (i *inspection) stopping() []guard.Objection {
	var left []guard.Objection
	for _, o := range i.plan.Objections {
		o.Changes = slices.DeleteFunc(slices.Clone(o.Changes), func(ref guard.Ref) bool {
			return ref.Team != i.team.ID || ref.Team == "" && ref.Slug != i.team.Slug
		})
		if len(o.Changes) > 0 {
			left = append(left, o)
		}
	}
	return left
}

// A grounds is why a user belongs in the team.
type grounds struct {
	paths []string
	name  string
}

// people gathers everybody who has to do with the team.
func (i *inspection) people(ctx context.Context) ([]TeamPerson, error) {
	links, err := i.linksHere(ctx)
	if err != nil {
		return nil, err
	}
	ledger := make(map[team.AccountID]mapping.Entry)
	if i.Store != nil && i.team.ID != "" {
		rows, err := i.Store.LedgerOfTeam(ctx, i.place, i.team.ID)
		if err != nil {
			return nil, err
		}
		for _, e := range rows {
			ledger[e.Account] = e
		}
	}
	belong := i.grounds()
	all := make(map[string]*TeamPerson)
	person := func(account team.AccountID, login, user string) *TeamPerson {
		key := cmp.Or(string(account), "user "+user)
		if p, there := all[key]; there {
			p.User = cmp.Or(p.User, user)
			return p
		}
		p := &TeamPerson{Account: Account{account, login}, User: user, Why: []string{}, Objected: []string{}}
		if l, linked := links[account]; linked && account != "" {
			p.User, p.Link, p.Evidence = cmp.Or(user, l.User.String()), string(l.Tier), l.Evidence
		}
		if e, known := ledger[account]; known {
			p.Origin, p.Since = e.Origin.String(), e.Since
		}
		all[key] = p
		return p
	}
	for _, m := range i.team.Members {
		p := person(m.Account, m.Login, "")
		p.State, p.Role = "member", m.Role
		if m.Pending {
			p.State = "invited"
		}
		p.Why = list(belong[p.User].paths)
		if len(p.Why) == 0 {
			p.Why = i.because(m, p.User, ledger)
		}
	}
	for n := range i.rows {
		i.coming(&i.rows[n], person)
	}
	if i.plan.Plan != nil {
		for _, held := range i.plan.Plan.Held {
			if held.Team != i.team.ID || held.Team == "" && held.Slug != i.team.Slug {
				continue
			}
			p := person("", "", held.User)
			p.State, p.Held, p.Name = "held", held.Reason, held.Name
			p.Why = append(list(belong[held.User].paths), held.Message)
		}
	}
	people := make([]TeamPerson, 0, len(all))
	for _, p := range all {
		p.Name = cmp.Or(p.Name, belong[p.User].name)
		people = append(people, *p)
	}
	slices.SortFunc(people, func(a, b TeamPerson) int { return strings.Compare(a.Key(), b.Key()) })
	return people, nil
}

// Key is by what people of a team are in order: by login, those without one last, by user.
func (p *TeamPerson) Key() string {
	if p.Account.ID == "" {
		return "\uffff" + p.User
	}
	return team.FoldLogin(p.Account.Login) + "\x00" + string(p.Account.ID)
}

// coming adds what the last plan would still do.
func (i *inspection) coming(c *plan.TeamChange, person func(account team.AccountID, login, user string) *TeamPerson) {
	for _, ch := range c.Changes() {
		if i.done(c, ch) {
			continue
		}
		p := person(ch.Account, ch.Login, ch.User)
		p.Objected = list(i.stopped[guard.RefOf(c, ch)])
		switch ch.Act {
		case plan.Add:
			p.State, p.Role = "joining", ch.Role
			p.Why = []string{Why(ch.Why)}
		case plan.Update:
			becomes := ch.Role
			p.Becomes = &becomes
		case plan.Remove, plan.Cancel:
			p.State = "leaving"
			p.Why = []string{Why(ch.Why)}
		}
	}
	for _, l := range c.Leaving {
		p := person(l.Account, l.Login, "")
		p.State, p.LeavesAt = "leaving", l.At
		p.Why = []string{Why(l.Why)}
	}
}

// because says why a member stays whom no mapped group names, as far as memory can tell.
func (i *inspection) because(m team.Membership, user string, ledger map[team.AccountID]mapping.Entry) []string {
	row, known := ledger[m.Account]
	switch {
	case slices.Contains(i.Config.Targets[i.name].Settings.Protected, m.Account) || m.Account == i.place.Self && m.Account != "":
		return []string{string(team.Protected)}
	case len(i.of) == 0:
		return []string{}
	case i.row.Mode == string(mapping.Additive) && (!known || row.Origin != mapping.LedgerGranted):
		return []string{string(team.Granted)}
	}
	for _, of := range i.of {
		if i.failures[of.Source] != "" {
			return []string{string(team.SourceUnread)}
		}
	}
	if user == "" && i.unlinked() {
		return []string{string(team.UserUnlinked)}
	}
	return []string{}
}

// unlinked reports whether the last plan holds somebody of the team who is not linked yet: any account that no user is linked to may be theirs.
func (i *inspection) unlinked() bool {
	return i.plan.Plan != nil && slices.ContainsFunc(i.plan.Plan.Held, func(h plan.Held) bool {
		return h.Team == i.team.ID && h.Reason == string(link.NotLinked)
	})
}

// accounts are those of the members, and of whom the last plan would have come or go.
func (i *inspection) accounts() []team.AccountID {
	var all []team.AccountID
	for _, m := range i.team.Members {
		all = append(all, m.Account)
	}
	for n := range i.rows {
		for _, ch := range i.rows[n].Changes() {
			all = append(all, ch.Account)
		}
		for _, l := range i.rows[n].Leaving {
			all = append(all, l.Account)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// linksHere are the links of those who have to do with the team, by account.
func (i *inspection) linksHere(ctx context.Context) (map[team.AccountID]link.Link, error) {
	if i.Store == nil {
		return nil, nil
	}
	sources, err := i.sourcesOf(ctx, i.name)
	if err != nil {
		return nil, err
	}
	all, err := i.Store.LinksOfAccounts(ctx, i.host(ctx, i.name), i.accounts())
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(l link.Link) bool { return !slices.Contains(sources, l.User.Source) })
	of := make(map[team.AccountID]link.Link, len(all))
	for _, l := range all {
		if before, twice := of[l.Account]; !twice || before.State != link.Standing {
			of[l.Account] = l
		}
	}
	return of, nil
}

// grounds walks the last snapshots for everybody who is in a group of the team, with the paths of groups that lead to them.
func (i *inspection) grounds() map[string]grounds {
	all := make(map[string]grounds)
	for _, m := range i.of {
		s := i.read[m.Source]
		if s == nil || m.GroupID == "" {
			continue
		}
		said := make(map[*directory.GroupID]string) // by the path, which the users of a group share
		for u, path := range s.Walk(m.GroupID) {
			if !u.Status.Member() {
				continue
			}
			if len(path) == 0 {
				continue
			}
			text, known := said[&path[0]]
			if !known {
				names := make([]string, len(path))
				for n, id := range path {
					names[n] = m.Source + "/" + s.Groups[id].Name
				}
				text = Path(names)
				said[&path[0]] = text
			}
			user := m.Source + "/" + string(u.ID)
			g := all[user]
			g.name = cmp.Or(u.Name, u.Username)
			g.paths = append(g.paths, text)
			all[user] = g
		}
	}
	return all
}
