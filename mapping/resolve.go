package mapping

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"musterline.example/directory"
	"musterline.example/team"
)

// Resolve is the only place that decides who belongs where. Teams come out in order of id, members in order of account, so that the same
// input gives the same result. A team that is refused as a whole is not among the wanted.
//
// Who is in no mapped group goes, unless one of these keeps them, the first that applies being the reason given:
//
//	protected account, or our own                       never goes
//	the linked identity is in doubt                     until a person looks
//	invited by hand, and nobody is linked to it         until it is accepted
//	a mapped group is unread, unsettled or too large    the team loses nobody
//	nobody is linked to the account, and somebody
//	in a mapped group is not linked yet                 it may be theirs
//	the team was disconnected                           until the end of the grace
//	additive team, and the ledger does not say granted  for good
//	fewer complete reads agree than RemovalReads        until they do
func Resolve(in Input) Result {
	shared := &resolver{Input: in}
	shared.index()
	shared.meet()
	teams := shared.byTeam()
	keys := slices.SortedFunc(maps.Keys(teams), compareTeamKeys)

	// Teams do not look at each other, so they are decided side by side, in stretches whose results lie in a row in the end.
	stretch := max(1, (len(keys)+stretches-1)/stretches)
	var workers []*resolver
	var all sync.WaitGroup
	for part := range slices.Chunk(keys, stretch) {
		r := shared.worker()
		r.result.Wanted = make([]team.Wanted, 0, len(part))
		workers = append(workers, r)
		all.Go(func() {
			for _, key := range part {
				r.team(key, teams[key])
			}
		})
	}
	all.Wait()
	shared.result.Wanted = make([]team.Wanted, 0, len(keys))
	for _, r := range workers {
		shared.result.add(r.result)
	}
	shared.unmapped(teams)
	return shared.result
}

// stretches is in how many parts teams are decided at once.
const stretches = 4

// add puts the result of some teams behind that of those before them.
func (r *Result) add(more Result) {
	r.Wanted, r.Held, r.Refused = append(r.Wanted, more.Wanted...), append(r.Held, more.Held...), append(r.Refused, more.Refused...)
	r.Settled = append(r.Settled, more.Settled...)
	maps.Copy(r.Found, more.Found)
	maps.Copy(r.Forget, more.Forget)
	maps.Copy(r.Absences, more.Absences)
}

// A teamKey names a team that exists by its id and one to be created by its name.
type teamKey struct {
	id  team.ID
	new string
}

func compareTeamKeys(a, b teamKey) int {
	return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.new, b.new))
}

type resolver struct {
	Input
	result Result

	accounts   map[team.AccountID]*team.Account
	teams      map[team.ID]*team.Team
	grace      map[team.ID]time.Time // when it ends, for the teams that lost mappings
	people     map[*directory.Snapshot]map[directory.UserID]*person
	candidates []candidate // of the team at hand; the room is used again for the next
}

func (r *resolver) index() {
	r.accounts = make(map[team.AccountID]*team.Account, len(r.Accounts))
	for i := range r.Accounts {
		r.accounts[r.Accounts[i].ID] = &r.Accounts[i]
	}
	r.teams = make(map[team.ID]*team.Team, len(r.Teams))
	for i := range r.Teams {
		r.teams[r.Teams[i].ID] = &r.Teams[i]
	}
	r.grace = make(map[team.ID]time.Time)
	for _, c := range r.Disconnects {
		if c.Until.After(r.Now) && c.Until.After(r.grace[c.Team]) {
			r.grace[c.Team] = c.Until
		}
	}
	r.result = newResult()
}

func newResult() Result { return Result{Found: Ledger{}, Forget: Ledger{}, Absences: Absences{}} }

// worker is a resolver that shares what is only read.
func (r *resolver) worker() *resolver {
	w := *r
	w.result = newResult()
	return &w
}

// byTeam gathers the mappings of each team and refuses those that belong to none.
func (r *resolver) byTeam() map[teamKey][]Mapping {
	teams := make(map[teamKey][]Mapping)
	for _, m := range r.Mappings {
		switch {
		case m.TeamID != "":
			teams[teamKey{id: m.TeamID}] = append(teams[teamKey{id: m.TeamID}], m)
		case m.New != nil:
			teams[teamKey{new: m.New.Name}] = append(teams[teamKey{new: m.New.Name}], m)
		default:
			r.refuse(m, "", NoSuchTeam, fmt.Sprintf("there is no team %q in the organization: create it, or correct the name", m.Team))
		}
	}
	return teams
}

// refuse reports a mapping that is not carried out.
func (r *resolver) refuse(m Mapping, id team.ID, reason RefusedReason, message string) {
	slug := m.Team
	if t := r.teams[id]; t != nil {
		slug = t.Slug
	}
	r.result.Refused = append(r.result.Refused, Refused{Team: id, Slug: slug, Mapping: m.ID, Reason: reason, Message: message})
}

// team decides about one mapped team.
func (r *resolver) team(key teamKey, ms []Mapping) {
	ms = r.oneOrigin(key, ms)
	now := &team.Team{}
	if key.id != "" {
		now = r.teams[key.id]
	}
	if reason, message := r.unfit(now, ms); reason != "" {
		r.refuse(ms[0], key.id, reason, message)
		return
	}
	d := &decision{resolver: r, now: now, mode: ms[0].Mode, create: ms[0].New, ledger: r.Ledger[key.id], keys: make(map[string]bool, len(ms))}
	for _, m := range ms {
		if m.GroupID != "" {
			d.keys[m.Key()] = true
		}
	}
	if tooMany := len(d.keys); tooMany > r.Settings.GroupsPerTeam {
		r.refuse(ms[0], key.id, TooManyGroups, fmt.Sprintf("%d groups are mapped to this team, the limit is %d: nest them in one group, or raise groups_per_team", tooMany, r.Settings.GroupsPerTeam))
		return
	}
	r.candidates = r.candidates[:0]
	for _, m := range ms {
		d.group(m)
	}
	if key.id == "" && d.keep != nil {
		return // what is in the group is not known: the team is not made for it yet
	}
	w := team.Wanted{Team: key.id, Sources: sources(ms), Grace: r.grace[key.id]}
	if key.id == "" {
		w.Create = d.create
	}
	w.Members = d.members()
	r.result.Wanted = append(r.result.Wanted, w)
}

// oneOrigin leaves the mappings of the strongest origin and refuses the others.
func (r *resolver) oneOrigin(key teamKey, ms []Mapping) []Mapping {
	rank := func(o Origin) int { return slices.Index([]Origin{FromFile, FromRule, FromAPI}, o) }
	owner := slices.MinFunc(ms, func(a, b Mapping) int { return cmp.Compare(rank(a.Origin), rank(b.Origin)) }).Origin
	var kept []Mapping
	for _, m := range ms {
		if m.Origin == owner {
			kept = append(kept, m)
			continue
		}
		r.refuse(m, key.id, TwoOrigins, fmt.Sprintf("the mappings of this team belong to the %s (%s): remove them there first", owner, firstOf(ms, owner).ID))
	}
	return kept
}

func firstOf(ms []Mapping, o Origin) Mapping {
	return ms[slices.IndexFunc(ms, func(m Mapping) bool { return m.Origin == o })]
}

// unfit says why nothing at all is done to a team.
func (r *resolver) unfit(now *team.Team, ms []Mapping) (RefusedReason, string) {
	switch {
	case now == nil:
		return TeamDeleted, fmt.Sprintf("the team that %q was pinned to is gone from the organization: a new team of that name is not taken for it; remove the mapping, or map the new team", ms[0].Team)
	case now.Foreign != "":
		return ForeignTeam, now.Foreign
	case len(now.Children) > 0 && !r.Settings.ParentTeams:
		children := make([]string, len(now.Children))
		for i, c := range now.Children {
			children[i] = c.Slug
		}
		slices.Sort(children)
		return ParentTeam, fmt.Sprintf("has child teams (%s), and GitHub does not synchronize parent teams: map the children, or set parent_teams: allow to keep its immediate members", strings.Join(children, ", "))
	}
	for _, m := range ms[1:] {
		if m.Mode != ms[0].Mode {
			return TwoModes, fmt.Sprintf("is exclusive by one mapping and additive by another (%s and %s): the mode belongs to the team", ms[0].ID, m.ID)
		}
	}
	return "", ""
}

func sources(ms []Mapping) []string {
	var names []string
	for _, m := range ms {
		names = append(names, m.Source)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
