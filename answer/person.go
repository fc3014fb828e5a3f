package answer

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"musterline.example/directory"
	"musterline.example/link"
	"musterline.example/mapping"
	"musterline.example/store"
	"musterline.example/team"
)

// A PersonWish asks for one person: a user, or an account.
type PersonWish struct {
	User    string   // "source/id"
	Account string   // "host/number", in place of a user
	Targets []string // whose teams count; nil: all
}

// Someone is everything that memory knows of a user and of the accounts that are theirs, or of an account that is nobody's.
type Someone struct {
	PersonLine
	ReadAt  time.Time      `json:"read_at,omitzero"` // of the source
	Gone    bool           `json:"gone,omitempty"`   // linked once, and not among the users that were last read
	Claims  []PersonClaim  `json:"claims"`
	Links   []Link         `json:"links"`
	Others  []string       `json:"others"` // users of other sources with the same account
	Hosts   []PersonHost   `json:"hosts"`
	Groups  []PersonGroup  `json:"groups"`
	Teams   []PersonTeam   `json:"teams"`
	History []PersonEvent  `json:"history"` // the newest first
	Manual  []PersonManual `json:"manual"`
}

// A PersonClaim is a login that the identity provider's attributes assert: a claim, no link.
type PersonClaim struct {
	Kind  string `json:"kind"` // of target, such as github
	Login string `json:"login"`
}

// A PersonHost is a host on which the person may have an account, with its targets.
type PersonHost struct {
	Host    string   `json:"host"`
	Targets []string `json:"targets"`
}

// A PersonManual is a link that somebody has made by hand.
type PersonManual struct {
	Host string `json:"host"`
	File string `json:"file,omitempty"` // where it stands in a configuration file, it can be taken back there only
	Line int    `json:"line,omitempty"`
}

// A PersonGroup is a group that the person is in.
type PersonGroup struct {
	ID    string   `json:"id"`
	Name  string   `json:"name"`
	Path  []string `json:"path"`  // names of the groups from this one to the one that lists the person; of one that lists them itself, only it
	Teams []string `json:"teams"` // target/team that the group is mapped to
}

// A PersonTeam is a team with which the person has to do, in the words of Why.
type PersonTeam struct {
	Target   string       `json:"target"`
	Team     Known        `json:"team"`
	Verdict  string       `json:"verdict"` // in, out, held, refused or waits
	Summary  string       `json:"summary"`
	Role     string       `json:"role,omitempty"`
	Origin   string       `json:"origin,omitempty"` // granted or found
	Since    time.Time    `json:"since,omitzero"`
	Mappings []WhyMapping `json:"mappings"` // that reach the person
	Held     *WhyHeld     `json:"held,omitempty"`
	Pending  *WhyPending  `json:"pending,omitempty"`
	LeavesAt time.Time    `json:"leaves_at,omitzero"`
}

// A PersonEvent is one entry of the audit record about the person's account.
type PersonEvent struct {
	Entry     int64     `json:"entry"`
	At        time.Time `json:"at"`
	Kind      string    `json:"kind"`
	Run       string    `json:"run,omitempty"`
	Target    string    `json:"target,omitempty"`
	Team      Known     `json:"team,omitzero"`
	Act       string    `json:"act,omitempty"`
	Result    string    `json:"result,omitempty"`
	Error     string    `json:"error,omitempty"`
	Why       string    `json:"why,omitempty"`
	Requester string    `json:"requester,omitempty"`
}

// events is how many entries of a target the history of a person holds.
const events = 50

// Person returns what memory knows of a user or of an account.
func (h *House) Person(ctx context.Context, wish PersonWish) (Someone, error) {
	p := Someone{
		Claims: []PersonClaim{}, Links: []Link{}, Others: []string{}, Hosts: []PersonHost{}, Groups: []PersonGroup{}, Teams: []PersonTeam{},
		History: []PersonEvent{}, Manual: []PersonManual{},
	}
	if h.Store == nil {
		return p, Errorf(Nothing, "there is nothing stored yet to answer from")
	}
	targets := wish.Targets
	if targets == nil {
		targets = h.targetNames()
	}
	st, err := h.standing(ctx, wish.Targets)
	if err != nil {
		return p, err
	}
	ref, host, account, err := h.sought(wish, st)
	if err != nil {
		return p, err
	}
	q := &personal{House: h, p: &p, ref: ref, st: st, targets: targets, shown: h.sourcesShown(wish.Targets)}
	if ref.Source == "" {
		p.State, p.Accounts = PersonUnmatched, []PersonAccount{{Host: host, Account: string(account)}}
	} else if err := q.user(ctx); err != nil {
		return p, err
	}
	for _, target := range targets {
		if err := q.target(ctx, target); err != nil {
			return p, err
		}
	}
	if ref.Source == "" && p.Accounts[0].Login == "" && len(p.Teams) == 0 && len(p.History) == 0 {
		return p, Errorf(NotFound, "no such account is known").WithHint("memory knows the members of the organizations as of their last runs")
	}
	if err := q.links(ctx); err != nil {
		return p, err
	}
	slices.SortFunc(p.Teams, func(a, b PersonTeam) int {
		return cmp.Or(cmp.Compare(a.Target, b.Target), cmp.Compare(a.Team.Name, b.Team.Name), cmp.Compare(a.Team.ID, b.Team.ID))
	})
	slices.SortFunc(p.History, func(a, b PersonEvent) int { return cmp.Compare(b.Entry, a.Entry) })
	return p, nil
}

// sought says whom a wish is about: a user, or an account whose user is not known.
func (h *House) sought(wish PersonWish, st *standings) (ref link.UserRef, host string, account team.AccountID, err error) {
	shown := h.sourcesShown(wish.Targets)
	if wish.User != "" {
		ref, ok := link.ParseUserRef(wish.User)
		if !ok {
			return ref, "", "", noUser(wish.User)
		}
		return ref, "", "", OneOf("source", ref.Source, shown)
	}
	host, number, _ := strings.Cut(wish.Account, "/")
	if host == "" || number == "" || strings.ContainsFunc(number, func(r rune) bool { return r < '0' || r > '9' }) {
		return ref, "", "", Usagef("write a user as SOURCE/ID, or an account as HOST/NUMBER")
	}
	for _, user := range st.owner[[2]string{host, number}] {
		if slices.Contains(shown, user.Source) {
			return user, host, team.AccountID(number), nil
		}
	}
	return ref, host, team.AccountID(number), nil
}

// A personal gathers what is known of one person.
type personal struct {
	*House
	p        *Someone
	ref      link.UserRef // zero: of the account nobody knows whose it is
	st       *standings
	targets  []string
	shown    []string
	snapshot *directory.Snapshot
	above    map[directory.GroupID]directory.Path // the groups that the user is in, with the path that leads to them
	mapped   map[directory.GroupID][]string
}

// user says what the source knows of the user.
func (q *personal) user(ctx context.Context) error {
	var err error
	if q.snapshot, err = q.lastRead(ctx, q.ref.Source); err != nil {
		return err
	}
	u, listed := directory.User{ID: q.ref.ID}, false
	if q.snapshot != nil {
		if u, listed = q.snapshot.Users[q.ref.ID]; !listed {
			u.ID = q.ref.ID
		}
		q.p.ReadAt = q.snapshot.TakenAt
	}
	q.p.PersonLine = q.st.line(q.ref.Source, u)
	if !listed {
		if len(q.p.Accounts) == 0 {
			return Errorf(NotFound, "no such user is known").WithHint("memory knows the users of mapped groups, as of the last read of their source")
		}
		q.p.Gone, q.p.Status, q.p.State = true, "", PersonLinked
		q.p.Message = "was not among the users of the mapped groups when the source was last read"
	}
	for _, kind := range slices.Sorted(maps.Keys(u.Accounts)) {
		q.p.Claims = append(q.p.Claims, PersonClaim{kind, u.Accounts[kind]})
	}
	for _, a := range q.p.Accounts {
		for _, other := range q.st.owner[[2]string{a.Host, a.Account}] {
			if other != q.ref && slices.Contains(q.shown, other.Source) {
				q.p.Others = append(q.p.Others, other.String())
			}
		}
	}
	q.above, q.mapped = above(q.snapshot, q.ref.ID), make(map[directory.GroupID][]string)
	return nil
}

// above finds the groups that a user is in, each with a shortest path from it to the group that lists the user.
func above(s *directory.Snapshot, user directory.UserID) map[directory.GroupID]directory.Path {
	found := make(map[directory.GroupID]directory.Path)
	if s == nil {
		return found
	}
	within := make(map[directory.GroupID][]directory.GroupID)
	var last []directory.GroupID
	for _, id := range slices.Sorted(maps.Keys(s.Groups)) {
		g := s.Groups[id]
		for _, sub := range g.Groups {
			within[sub] = append(within[sub], id)
		}
		if slices.Contains(g.Members, user) {
			found[id] = directory.Path{id}
			last = append(last, id)
		}
	}
	for len(last) > 0 {
		var next []directory.GroupID
		for _, id := range last {
			for _, over := range within[id] {
				if _, seen := found[over]; !seen {
					found[over] = append(directory.Path{over}, found[id]...)
					next = append(next, over)
				}
			}
		}
		last = next
	}
	return found
}

// names are the names of a path's groups.
func (q *personal) names(path directory.Path, prefix string) []string {
	names := make([]string, len(path))
	for i, id := range path {
		names[i] = prefix + q.snapshot.Groups[id].Name
	}
	return names
}

// account is the person's on a host; empty when none is known.
func (q *personal) account(host string) *PersonAccount {
	for i := range q.p.Accounts {
		if q.p.Accounts[i].Host == host {
			return &q.p.Accounts[i]
		}
	}
	return nil
}

// target adds the teams and the history of a target.
func (q *personal) target(ctx context.Context, name string) error {
	host := q.host(ctx, name)
	if i := slices.IndexFunc(q.p.Hosts, func(h PersonHost) bool { return h.Host == host }); i >= 0 {
		q.p.Hosts[i].Targets = append(q.p.Hosts[i].Targets, name)
	} else {
		q.p.Hosts = append(q.p.Hosts, PersonHost{host, []string{name}})
	}
	account := q.account(host)
	place, err := q.Store.Place(ctx, name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	mappings, err := q.mappings(ctx, name)
	if err != nil {
		return err
	}
	last, err := q.Store.LastPlan(ctx, name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	t := &personalTarget{personal: q, name: name, place: place, plan: last, teams: make(map[team.ID]*inquiry), slugs: make(map[team.ID]string)}
	for _, m := range mappings {
		t.slugs[m.TeamID] = m.Team
		if _, in := q.above[m.GroupID]; in && m.Source == q.ref.Source {
			t.team(m.TeamID, m.Team)
			q.mapped[m.GroupID] = append(q.mapped[m.GroupID], name+"/"+m.Team)
		}
	}
	t.fromPlan(account)
	var rows []store.Membership
	if account != nil {
		if rows, err = q.Store.LedgerOf(ctx, place, team.AccountID(account.Account)); err != nil {
			return err
		}
		if err := t.login(ctx, account); err != nil {
			return err
		}
		if err := t.history(ctx, account); err != nil {
			return err
		}
	}
	for _, r := range rows {
		t.team(r.Team, t.slug(r.Team)).row = &r.Row
	}
	for _, id := range slices.Sorted(maps.Keys(t.teams)) {
		if err := t.conclude(ctx, t.teams[id], mappings, account); err != nil {
			return err
		}
	}
	return nil
}

// A personalTarget gathers what a target has to do with a person.
type personalTarget struct {
	*personal
	name  string
	place team.Place
	plan  store.Plan
	teams map[team.ID]*inquiry
	slugs map[team.ID]string
	done  map[team.ID][]WhyEvent
}

// team is the inquiry about a team, which is begun when it is the first time.
func (t *personalTarget) team(id team.ID, slug string) *inquiry {
	if q, ok := t.teams[id]; ok || id == "" {
		return cmp.Or(q, &inquiry{}) // a team that is to be created has no id and nobody in it yet
	}
	q := &inquiry{House: t.House, where: knownTeam{t.name, id, slug}, place: t.place, plan: t.plan}
	t.teams[id] = q
	return q
}

// slug is the name of a team, as the mappings and the plan have it; else its id.
func (t *personalTarget) slug(id team.ID) string { return cmp.Or(t.slugs[id], string(id)) }

// fromPlan takes the names of teams from the last plan, and the teams that it says something about the person of.
func (t *personalTarget) fromPlan(account *PersonAccount) {
	if t.plan.Plan == nil {
		return
	}
	for i := range t.plan.Plan.Teams {
		c := &t.plan.Plan.Teams[i]
		t.slugs[c.Team] = c.Slug
		if account == nil {
			continue
		}
		for _, ch := range c.Changes() {
			if string(ch.Account) == account.Account {
				t.team(c.Team, c.Slug)
			}
		}
	}
	for _, held := range t.plan.Plan.Held {
		if held.Slug != "" {
			t.slugs[held.Team] = held.Slug
		}
		if held.User == t.ref.String() && t.ref.Source != "" {
			t.team(held.Team, held.Slug)
		}
	}
}

// login looks an account's login up where the link does not know it.
func (t *personalTarget) login(ctx context.Context, account *PersonAccount) error {
	if account.Login != "" || t.place.Host == "" {
		return nil
	}
	members, err := t.Store.Members(ctx, t.place)
	for login, id := range members {
		if string(id) == account.Account {
			account.Login = login
		}
	}
	return err
}

// history tells what runs have done to the memberships of an account.
func (t *personalTarget) history(ctx context.Context, account *PersonAccount) error {
	entries, err := t.Store.Entries(ctx, store.Filter{Target: t.name, Account: account.Account, Limit: events})
	if err != nil {
		return err
	}
	t.done = make(map[team.ID][]WhyEvent)
	q := &inquiry{House: t.House, where: knownTeam{target: t.name}, who: person{account: team.AccountID(account.Account)}}
	for _, e := range entries {
		event := PersonEvent{
			Entry: e.Seq, At: e.At, Kind: string(e.Kind), Run: e.Run, Target: e.Target, Act: e.Act, Result: e.Result, Requester: e.Actor.Requester,
		}
		if e.Team != "" {
			event.Team = Known{ID: e.Team, Name: t.slug(team.ID(e.Team))}
		}
		if e.Kind == store.KindOutcome {
			var body struct {
				Intent string `json:"intent"`
				Error  string `json:"error"`
			}
			_ = json.Unmarshal(e.Body, &body) // an entry that cannot be read gives no reason
			why := WhyEvent{Run: e.Run, Act: e.Act, Result: e.Result, At: e.At}
			if err := q.explain(ctx, &why, body.Intent); err != nil {
				return err
			}
			event.Why, event.Error = why.Why, body.Error
			id := team.ID(e.Team)
			t.done[id] = append(t.done[id], why)
		}
		t.p.History = append(t.p.History, event)
	}
	return nil
}

// conclude says in the words of Why how the person stands with a team.
func (t *personalTarget) conclude(ctx context.Context, q *inquiry, mappings []mapping.Mapping, account *PersonAccount) error {
	q.who.user, q.who.name = t.ref, cmp.Or(t.p.Name, t.p.Username)
	a := Answer{Target: t.name, Team: Known{ID: string(q.where.id), Name: cmp.Or(q.where.slug, t.slug(q.where.id))}, History: t.done[q.where.id]}
	if t.ref.Source != "" {
		a.User = t.ref.String()
	}
	if account != nil {
		q.who.account, q.who.login = team.AccountID(account.Account), account.Login
		a.Account = Known{ID: account.Account, Name: account.Login}
	}
	for _, m := range mappings {
		if m.TeamID != q.where.id {
			continue
		}
		shown := WhyMapping{ID: m.ID, Group: m.Source + "/" + m.Group, Role: m.Role.String(), Mode: string(m.Mode)}
		if path, in := t.above[m.GroupID]; in && m.Source == t.ref.Source {
			shown.Path, shown.Status, shown.ReadAt = t.names(path, m.Source+"/"), t.p.Status, t.p.ReadAt
		}
		a.Mappings = append(a.Mappings, shown)
	}
	if q.row != nil {
		a.Ledger = &LedgerRow{Origin: q.row.Origin.String(), Role: q.row.Role.String(), Mappings: q.row.Mappings, Since: q.row.Since}
	}
	if err := q.pending(ctx, &a); err != nil {
		return err
	}
	a.Conclude(t.now())
	one := PersonTeam{
		Target: t.name, Team: a.Team, Verdict: a.Verdict, Summary: a.Summary, Held: a.Held, Pending: a.Pending, LeavesAt: a.LeavesAt,
		Mappings: []WhyMapping{},
	}
	for _, m := range a.Mappings {
		if len(m.Path) > 0 {
			one.Mappings = append(one.Mappings, m)
		}
	}
	if a.Ledger != nil {
		one.Role, one.Origin, one.Since = a.Ledger.Role, a.Ledger.Origin, a.Ledger.Since
	}
	t.p.Teams = append(t.p.Teams, one)
	return nil
}

// links adds the links in full, what was said of the person by hand, and the groups with their teams.
func (q *personal) links(ctx context.Context) error {
	for id, path := range q.above {
		teams := slices.Compact(slices.Sorted(slices.Values(q.mapped[id])))
		q.p.Groups = append(q.p.Groups, PersonGroup{ID: string(id), Name: q.snapshot.Groups[id].Name, Path: q.names(path, ""), Teams: list(teams)})
	}
	slices.SortFunc(q.p.Groups, func(a, b PersonGroup) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	if q.ref.Source == "" {
		return nil
	}
	all, err := q.Links(ctx)
	if err != nil {
		return err
	}
	hosts := make([]string, len(q.p.Hosts))
	for i, h := range q.p.Hosts {
		hosts[i] = h.Host
	}
	for _, l := range all.Links {
		if l.User == q.ref.String() && slices.Contains(hosts, l.Host) {
			q.p.Links = append(q.p.Links, l)
		}
	}
	for _, host := range hosts {
		said, err := q.Store.Statements(ctx, host)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(said, func(s link.Statement) bool { return s.User == q.ref && s.Tier == link.Manual }) {
			q.p.Manual = append(q.p.Manual, PersonManual{Host: host})
		}
	}
	for _, m := range q.Config.Manual {
		if m.User == q.ref && slices.Contains(hosts, m.Host) {
			q.p.Manual = append(q.p.Manual, PersonManual{Host: m.Host, File: filepath.Base(q.Config.Path), Line: m.Line})
		}
	}
	return q.linked(ctx, hosts)
}

// linked adds to the history how the person came to be linked, as far as the newest entries about links tell.
func (q *personal) linked(ctx context.Context, hosts []string) error {
	entries, err := q.Store.Entries(ctx, store.Filter{Kind: store.KindLink, Limit: events})
	if err != nil {
		return err
	}
	type linkSaid struct {
		User     string `json:"user"`
		Account  string `json:"account"`
		Login    string `json:"login"`
		Tier     string `json:"tier"`
		State    string `json:"state"`
		Evidence string `json:"evidence"`
		Trouble  string `json:"trouble"`
	}
	for _, e := range entries {
		var body struct {
			Host      string     `json:"host"`
			Statement *linkSaid  `json:"statement"`
			Links     []linkSaid `json:"links"`
		}
		if json.Unmarshal(e.Body, &body) != nil || !slices.Contains(hosts, body.Host) {
			continue
		}
		event := PersonEvent{Entry: e.Seq, At: e.At, Kind: string(e.Kind), Run: e.Run, Act: e.Act, Requester: e.Actor.Requester}
		if s := body.Statement; s != nil {
			body.Links = append(body.Links, *s)
		}
		i := slices.IndexFunc(body.Links, func(l linkSaid) bool { return l.User == q.ref.String() })
		if i < 0 {
			continue
		}
		l := body.Links[i]
		event.Result = l.State
		if l.Account != "" {
			event.Why = fmt.Sprintf("%s (%s) on %s", cmp.Or(l.Login, "account "+l.Account), cmp.Or(l.Trouble, l.Evidence, l.Tier), body.Host)
		}
		q.p.History = append(q.p.History, event)
	}
	return nil
}
