package github

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"musterline.example/internal/githubapi"
	"musterline.example/team"
)

// How many teams are asked for in one call. Twenty with a hundred members each are answered by real organizations where a hundred are
// not (GraphQL: ten seconds, 500,000 nodes); what counts is how many people come back, so small teams come in larger batches.
const (
	startTeams = 20
	maxTeams   = 100
	leastTeams = 5
	objects    = 2000 // people a call, as in 20 × 100
	perMore    = 20   // further pages a call
)

// Teams reads teams as they are now, in as few calls as GitHub will answer. A team is absent only if GitHub says that it does not exist:
// a null without that word, a list shorter than its own total, or any other fault is an error.
func (o *organization) Teams(ctx context.Context, ids []team.ID) ([]team.Team, error) {
	if ids = distinct(ids); len(ids) == 0 {
		return nil, nil
	}
	defer o.flush()
	at, err := o.place(ctx)
	if err != nil {
		return nil, o.trouble(err, "read teams of %s", o.login)
	}
	var read []team.Team
	if o.byREST() {
		read, err = o.teamsByREST(ctx, at, ids)
	} else {
		read, err = o.teams(ctx, at, ids)
		if o.refused(err) {
			read, err = o.teamsByREST(ctx, at, ids)
		}
	}
	if err != nil {
		return nil, o.trouble(err, "read teams of %s", at.Organization)
	}
	slices.SortFunc(read, func(a, b team.Team) int { return cmp.Compare(a.ID, b.ID) })
	return read, nil
}

func (o *organization) teams(ctx context.Context, at githubapi.Standing, ids []team.ID) ([]team.Team, error) {
	handles, err := o.handles(ctx, at, ids)
	if err != nil {
		return nil, err
	}
	r := &reading{o: o, at: at, teams: map[team.ID]*partial{}}
	doubtful, err := r.read(ctx, ids, handles)
	if err != nil {
		return nil, err
	}
	// A remembered handle may be stale. Whether the team is gone is for the id to say.
	if len(doubtful) > 0 {
		again := map[team.ID]string{}
		for _, id := range doubtful {
			t, err := o.teamByID(ctx, at, id)
			if err != nil {
				return nil, err
			}
			if t != nil {
				again[id] = t.handle
			}
		}
		still, err := r.read(ctx, doubtful, again)
		if err != nil {
			return nil, err
		}
		for _, id := range still {
			if again[id] != "" {
				return nil, githubapi.Gap("team %s exists and cannot be read", id)
			}
		}
	}
	if err := r.rest(ctx); err != nil {
		return nil, err
	}
	read := make([]team.Team, 0, len(ids))
	for _, id := range ids {
		p := r.teams[id]
		if p == nil {
			continue
		}
		t, err := p.team()
		if err != nil {
			return nil, err
		}
		read = append(read, t)
	}
	return read, nil
}

// handles finds the node id of each team: remembered, else by one call each when few are missing, else by the list of all teams.
func (o *organization) handles(ctx context.Context, at githubapi.Standing, ids []team.ID) (map[team.ID]string, error) {
	found, missing := map[team.ID]string{}, []team.ID(nil)
	for _, id := range ids {
		if handle, ok := o.hint("team:" + string(id)); ok && handle != "" {
			found[id] = handle
		} else {
			missing = append(missing, id)
		}
	}
	if len(missing) > 3 {
		all, err := o.listAll(ctx, at)
		if err != nil {
			return nil, err
		}
		for _, id := range missing {
			if t, ok := all[id]; ok {
				found[id] = t.ID
			}
		}
		missing = slices.DeleteFunc(missing, func(id team.ID) bool { return found[id] != "" })
	}
	for _, id := range missing {
		t, err := o.teamByID(ctx, at, id)
		if err != nil {
			return nil, err
		}
		if t != nil {
			found[id] = t.handle
		}
	}
	return found, nil
}

// A reading is one answer to Teams while it is being put together.
type reading struct {
	o     *organization
	at    githubapi.Standing
	teams map[team.ID]*partial
	more  []more
}

// A more is the next page of a part of a team.
type more struct {
	p     *partial
	part  part
	after string
}

// read asks for the teams of some handles and returns those that GitHub did not find there.
func (r *reading) read(ctx context.Context, ids []team.ID, handles map[team.ID]string) (doubtful []team.ID, err error) {
	var known []team.ID
	for _, id := range ids {
		if handles[id] != "" {
			known = append(known, id)
		}
	}
	for len(known) > 0 {
		var lost []team.ID
		var n int
		size, err := githubapi.Shrinking(ctx, r.o.batchSize(), leastTeams, func(ctx context.Context, size int) error {
			n = min(size, len(known))
			lost, err = r.batch(ctx, known[:n], handles)
			return err
		})
		r.o.batchDone(size, r.people(known[:n]), n)
		if err != nil {
			return nil, err
		}
		doubtful, known = append(doubtful, lost...), known[n:]
	}
	return doubtful, nil
}

func (r *reading) people(ids []team.ID) (sum int) {
	for _, id := range ids {
		if p := r.teams[id]; p != nil {
			sum += len(p.members)
		}
	}
	return sum
}

// batch asks for some teams in one call.
func (r *reading) batch(ctx context.Context, ids []team.ID, handles map[team.ID]string) (lost []team.ID, err error) {
	asked := make([]string, len(ids))
	for i, id := range ids {
		asked[i] = handles[id]
	}
	var out struct {
		Nodes []*ghTeam `json:"nodes"`
	}
	// A null is looked into by id, whether GitHub says NOT_FOUND beside it or not; any other fault is none that we can answer for.
	err = r.o.api.Ask(ctx, teamsDocument, map[string]any{"ids": asked}, &out, func(f githubapi.Fault) bool {
		return f.At("nodes") && len(f.Path) <= 2 && f.NotFound()
	})
	if err != nil {
		return nil, err
	}
	if len(out.Nodes) != len(asked) {
		return nil, githubapi.Gap("%d of %d teams were answered", len(out.Nodes), len(asked))
	}
	for i, t := range out.Nodes {
		switch {
		case t == nil:
			lost = append(lost, ids[i])
		case t.TypeName != "Team" || number(t.DatabaseID) != string(ids[i]) || t.Organization == nil || number(t.Organization.DatabaseID) != r.at.OrganizationID:
			lost = append(lost, ids[i]) // the handle is somebody else's
		default:
			if err := r.begin(t); err != nil {
				return nil, err
			}
		}
	}
	return lost, nil
}

// begin takes the first page of a team in.
func (r *reading) begin(t *ghTeam) error {
	p := &partial{ref: t.ref(), at: map[team.AccountID]int{}}
	r.teams[p.ref.ID] = p
	r.o.keep("team:"+string(p.ref.ID), t.ID)
	if t.Members == nil || t.Children == nil || t.Invitations == nil && p.ref.Foreign == "" {
		return githubapi.Gap("a list of team %s was left out", p.ref.Slug)
	}
	r.more = slices.DeleteFunc(r.more, func(m more) bool { return m.p.ref.ID == p.ref.ID })
	p.handle = t.ID
	return r.take(p, t, true)
}

// take adds a page of one or more parts to a team and notes which of them go on.
func (r *reading) take(p *partial, t *ghTeam, first bool) error {
	goesOn := func(which part, page pageInfo) error {
		if !page.HasNextPage {
			return nil
		}
		if page.EndCursor == "" {
			return githubapi.Gap("a list of team %s goes on and does not say where", p.ref.Slug)
		}
		r.more = append(r.more, more{p, which, page.EndCursor})
		return nil
	}
	if m := t.Members; m != nil {
		p.counts[people].Page(m.TotalCount, first)
		for _, e := range m.Edges {
			if e == nil || e.Node == nil || e.Node.DatabaseID == 0 {
				return githubapi.Gap("a member of team %s was left out", p.ref.Slug)
			}
			p.add(team.Membership{Account: team.AccountID(number(e.Node.DatabaseID)), Login: e.Node.Login, Role: role(e.Role)})
		}
		if err := goesOn(people, m.PageInfo); err != nil {
			return err
		}
	}
	if i := t.Invitations; i != nil {
		p.counts[invited].Page(i.TotalCount, first)
		for _, n := range i.Nodes {
			if n == nil {
				return githubapi.Gap("an invitation into team %s was left out", p.ref.Slug)
			}
			p.counts[invited].Seen++
			if n.Invitee == nil {
				continue // invited by address: nobody's account yet
			}
			p.invited = append(p.invited, team.Membership{Account: team.AccountID(number(n.Invitee.DatabaseID)), Login: n.Invitee.Login, Pending: true})
		}
		if err := goesOn(invited, i.PageInfo); err != nil {
			return err
		}
	}
	if c := t.Children; c != nil {
		p.counts[below].Page(c.TotalCount, first)
		for _, n := range c.Nodes {
			if n == nil {
				return githubapi.Gap("a child of team %s was left out", p.ref.Slug)
			}
			p.counts[below].Seen++
			p.ref.Children = append(p.ref.Children, team.Ref{ID: team.ID(number(n.DatabaseID)), Slug: n.Slug})
		}
		if err := goesOn(below, c.PageInfo); err != nil {
			return err
		}
	}
	return nil
}

// rest reads all further pages of all teams, twenty a call, whosesoever they are.
func (r *reading) rest(ctx context.Context) error {
	size := perMore
	for len(r.more) > 0 {
		var err error
		size, err = githubapi.Shrinking(ctx, size, leastTeams, func(ctx context.Context, size int) error {
			return r.pages(ctx, r.more[:min(size, len(r.more))])
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// pages reads one further page of each of some lists. The queue of what is left changes only when all of them are in.
func (r *reading) pages(ctx context.Context, batch []more) error {
	parts, variables := make([]part, len(batch)), map[string]any{}
	for i, m := range batch {
		parts[i] = m.part
		variables[fmt.Sprintf("i%d", i)], variables[fmt.Sprintf("a%d", i)] = m.p.handle, m.after
	}
	var out map[string]json.RawMessage
	if err := r.o.api.Ask(ctx, moreDocument(parts), variables, &out, nil); err != nil {
		return err
	}
	read := make([]*ghTeam, len(batch))
	for i, m := range batch {
		if err := json.Unmarshal(out[fmt.Sprintf("t%d", i)], &read[i]); err != nil || read[i] == nil || !read[i].has(m.part) {
			return githubapi.Gap("a page of team %s was left out", m.p.ref.Slug)
		}
	}
	r.more = slices.Clone(r.more[len(batch):])
	for i, m := range batch {
		if err := r.take(m.p, read[i], false); err != nil {
			return err
		}
	}
	return nil
}

func (t *ghTeam) has(p part) bool {
	switch p {
	case people:
		return t.Members != nil
	case invited:
		return t.Invitations != nil
	}
	return t.Children != nil
}

// A partial is a team of which more pages may be to come.
type partial struct {
	ref     team.Team
	handle  string
	counts  [3]githubapi.Count
	members []team.Membership
	at      map[team.AccountID]int // place in members
	invited []team.Membership
}

// add takes a member in once: a list that changes while it is paged may show somebody twice.
func (p *partial) add(m team.Membership) {
	if i, seen := p.at[m.Account]; seen {
		p.members[i] = m
		return
	}
	p.at[m.Account] = len(p.members)
	p.members = append(p.members, m)
	p.counts[people].Seen++
}

// team returns the team, or that something of it is missing.
func (p *partial) team() (team.Team, error) {
	for i, what := range []string{people: "members", invited: "invitations", below: "child teams"} {
		if err := p.counts[i].Check(what + " of team " + p.ref.Slug); err != nil {
			return team.Team{}, err
		}
	}
	t := p.ref
	t.Members = p.members
	for _, m := range p.invited {
		if _, member := p.at[m.Account]; !member {
			p.at[m.Account] = len(t.Members)
			t.Members = append(t.Members, m)
		}
	}
	t.Sort()
	return t, nil
}

// batchSize says how many teams to ask for next.
func (o *organization) batchSize() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.batch
}

// batchDone learns from an answer: never again more than GitHub had to be asked less for, and as many teams as hold about as many people
// as is known to be answered.
func (o *organization) batchDone(size, people, teams int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if size < o.batch {
		o.ceiling = size
	}
	fit := maxTeams
	if people > 0 {
		fit = objects * teams / people
	}
	o.batch = min(max(fit, startTeams), o.ceiling)
}

func distinct[T cmp.Ordered](ids []T) []T {
	return slices.Compact(slices.Sorted(slices.Values(ids)))
}

func parseID(id string) (int64, bool) {
	n, err := strconv.ParseInt(id, 10, 64)
	return n, err == nil && n > 0
}
