package soak

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"musterline.example/directory"
	"musterline.example/guard"
	"musterline.example/internal/githubsim"
	"musterline.example/mapping"
)

// An engine is Musterline at work on a world: in this process, or the real binary.
type engine interface {
	open(w *world)                  // with the settings of the world as they are now
	sync(w *world) error            // once; it tells the truth of each plan by w.planned
	plan(w *world) (free, all int)  // changes that no guard objects to, and all
	approve(w *world) (changes int) // everything that is objected to
	say(w *world, p *person)        // that a person is their account
	verify(w *world) error          // the audit record
	memory(w *world) *recorded      // what is remembered
}

// A person is a user of a provider with an account of their own.
type person struct {
	id      string
	source  *provider
	account *githubsim.User
	plain   string // the login they began with
	renamed int
}

func (p *person) key() userKey { return userKey{p.source.name, directory.UserID(p.id)} }

// A unit is a team with what is mapped to it.
type unit struct {
	team   *githubsim.Team
	text   string // what the file calls it
	mode   mapping.Mode
	lines  []line
	pinned bool
}

// A line is one group of a unit.
type line struct {
	source *provider
	group  string
	role   mapping.Role
}

// A world is an organization and its identity providers on some random days, beside the truth about it.
type world struct {
	*hub
	t      *rapid.T
	engine engine
	truth  *truth
	real   bool // time cannot be made to pass

	people []*person
	groups map[string][]string // by source
	units  []*unit
	saml   bool
	guards guard.Settings
	midway func()
	calls  int
	named  int
	story  []string
}

// newWorld draws people, groups, teams and mappings.
func newWorld(t *rapid.T, h *hub, e engine) *world {
	w := &world{hub: h, t: t, engine: e, groups: map[string][]string{}}
	w.truth = newTruth(h.gh, h.org, h.corp, h.hr)
	h.before = w.truth.before
	h.after = func(c githubsim.Call) {
		w.truth.after(c)
		if c.GraphQL && w.midway != nil {
			if w.calls--; w.calls == 0 {
				w.midway()
				w.midway = nil
			}
		}
	}
	if w.saml = w.chance(3, "SAML"); w.saml {
		h.org.EnableSAML("https://idp.example.com", "https://idp.example.com/sso")
	}
	w.truth.reinvite = w.chance(5, "reinvite")
	w.truth.rule = w.chance(3, "a rule")
	for i := range rapid.IntRange(4, 10).Draw(t, "people") {
		p := &person{id: fmt.Sprintf("u%d", i), plain: fmt.Sprintf("Person-%d", i), source: h.corp}
		if w.chance(5, "of hr") {
			p.source = h.hr
		}
		p.account = h.gh.World().AddUser(p.plain)
		if !w.chance(8, "outsider") {
			h.org.AddMember(p.plain)
		}
		if w.saml && w.chance(2, "identity") {
			w.identify(p)
		}
		if w.chance(12, "owner") && w.in(p) {
			h.org.MakeOwner(p.account.Login())
		}
		if w.chance(12, "protected") {
			w.truth.protected[p.account.ID()] = true
		}
		w.people = append(w.people, p)
		p.source.user(p.id, directory.Active, w.claim(p))
	}
	for source, n := range map[*provider]int{h.corp: 4, h.hr: 2} {
		for i := range n {
			g := fmt.Sprintf("%s-g%d", source.name, i)
			w.groups[source.name] = append(w.groups[source.name], g)
			source.group(g, "Group "+g)
		}
	}
	if w.truth.rule {
		for _, g := range []string{"a", "b"} {
			w.groups["corp"] = append(w.groups["corp"], "rule-"+g)
			h.corp.group("rule-"+g, "gh-made-"+g)
		}
	}
	for _, source := range []*provider{h.corp, h.hr} {
		for _, g := range w.groups[source.name] {
			w.regroup(source, g)
		}
	}
	for i := range rapid.IntRange(1, 4).Draw(t, "teams") {
		u := &unit{team: h.org.AddTeam(fmt.Sprintf("Team %d", i)), mode: mapping.Exclusive}
		if w.chance(5, "additive") {
			u.mode = mapping.Additive
			w.truth.additive[u.team.ID()] = true
		}
		u.text = u.team.Slug()
		w.truth.teams[u.team.ID()] = u.team
		for _, p := range w.people {
			if w.in(p) && w.chance(3, "member of a team") {
				w.put(u, p)
			}
		}
		w.units = append(w.units, u)
		w.remap(u)
	}
	w.engine.open(w)
	return w
}

func (w *world) chance(of int, label string) bool {
	return rapid.IntRange(1, of).Draw(w.t, label) == of
}

func (w *world) pick(label string) *person { return rapid.SampledFrom(w.people).Draw(w.t, label) }

func (w *world) in(p *person) bool {
	_, member := w.org.Roles()[p.account.Login()]
	return member && w.gh.World().User(p.account.Login()).ID() == p.account.ID()
}

// claim is the login that the identity provider asserts: in another case now and then, or none.
func (w *world) claim(p *person) string {
	login := p.account.Login()
	return rapid.SampledFrom([]string{login, login, login, strings.ToUpper(login), "@" + strings.ToLower(login), ""}).Draw(w.t, "claim")
}

func (w *world) identify(p *person) {
	w.org.SetIdentity(p.account.Login(), githubsim.Identity{NameID: p.id + "@example.com"})
	w.truth.identities[p.account.ID()] = p.id + "@example.com"
}

// put makes somebody a member by hand.
func (w *world) put(u *unit, p *person) {
	role := githubsim.Member
	at := seat{u.team.ID(), p.account.ID()}
	owner := w.org.Roles()[p.account.Login()] == githubsim.Owner
	_, there := u.team.Members()[p.account.Login()]
	if w.chance(4, "as maintainer") {
		role = githubsim.Maintainer
		w.truth.byHand[at] = !owner && !w.truth.given[at]
	} else {
		delete(w.truth.byHand, at)
	}
	u.team.Set(p.account.Login(), role)
	w.truth.touched[at] = true
	if !there {
		delete(w.truth.granted, at)
	}
}

// take removes somebody by hand.
func (w *world) take(u *unit, p *person) {
	at := seat{u.team.ID(), p.account.ID()}
	u.team.Remove(p.account.Login())
	w.truth.touched[at] = true
	delete(w.truth.granted, at)
	delete(w.truth.byHand, at)
}

func (w *world) regroup(source *provider, id string) {
	g := source.groups[directory.GroupID(id)]
	g.Members, g.Groups = nil, nil
	for _, p := range w.people {
		if p.source == source && w.chance(3, "member of a group") {
			g.Members = append(g.Members, directory.UserID(p.id))
		}
	}
	for _, inner := range w.groups[source.name] {
		if w.chance(6, "nested") {
			g.Groups = append(g.Groups, directory.GroupID(inner)) // cycles, and itself
		}
	}
	source.groups[g.ID] = g
}

// remap draws the groups of a team anew. The file then calls the team as it is called now.
func (w *world) remap(u *unit) {
	u.lines, u.text, u.pinned = nil, u.team.Slug(), false
	for _, source := range []*provider{w.corp, w.hr} {
		for _, g := range w.groups[source.name] {
			if !strings.HasPrefix(g, "rule-") && w.chance(4, "mapped") && len(u.lines) < 5 {
				u.lines = append(u.lines, line{source, g, rapid.SampledFrom([]mapping.Role{0, 0, 0, 1}).Draw(w.t, "role")})
			}
		}
	}
}

// lines are the mappings of all teams, for the truth.
func (w *world) lines() []mapped {
	var all []mapped
	for _, u := range w.units {
		for _, l := range u.lines {
			all = append(all, mapped{u.team.ID(), l.source.name, directory.GroupID(l.group), l.role != 0, u.text})
		}
	}
	return all
}

// planned is told of each plan before it is carried out.
func (w *world) planned() {
	for _, p := range []*provider{w.corp, w.hr} {
		asked := p == w.corp && w.truth.rule || slices.ContainsFunc(w.lines(), func(m mapped) bool { return m.source == p.name })
		if !asked {
			p.said = nil // nobody reads a source that nothing is mapped to
		}
	}
	w.truth.learn(w.lines())
	for _, u := range w.units {
		u.pinned = u.pinned || !slices.ContainsFunc(u.lines, func(l line) bool { return w.truth.said[l.source.name] == nil })
	}
}

// change is something that happens in a company.
func (w *world) change() {
	p := w.pick("person")
	u := rapid.SampledFrom(w.units).Draw(w.t, "team")
	user := p.source.users[directory.UserID(p.id)]
	group := rapid.SampledFrom(w.groups[p.source.name]).Draw(w.t, "group")
	login := p.account.Login()
	exists := w.gh.World().HasUser(login) && w.gh.World().User(login).ID() == p.account.ID()
	what := rapid.SampledFrom([]string{
		"status", "status", "regroup", "regroup", "regroup", "user renamed", "login taken over", "drift in", "drift in", "drift out", "leaves the organization",
		"joins the organization", "remap", "remap", "unmap", "group renamed", "team renamed", "organization renamed", "attribute cleared", "attribute changed",
		"identity", "identity revoked", "link by hand", "invited by hand", "accepts", "child team", "team deleted", "rule group renamed", "owner", "user deleted",
		"group deleted", "wrong claim",
	}).Draw(w.t, "what")
	total.add("changes: "+what, 1)
	w.tell("%s: %s/%s, account %d, group %s, team %s", what, p.source.name, p.id, p.account.ID(), group, u.text)
	switch what {
	case "status":
		user.Status = rapid.SampledFrom([]directory.Status{directory.Active, directory.Locked, directory.Disabled}).Draw(w.t, "status")
		p.source.users[user.ID] = user
	case "regroup":
		w.regroup(p.source, group)
	case "user renamed":
		if exists {
			p.renamed++
			p.account.Rename(fmt.Sprintf("%s-x%d", p.plain, p.renamed))
		}
	case "login taken over":
		if exists && !w.gh.World().HasUser(p.plain) {
			w.gh.World().AddUser(p.plain) // somebody else's
			w.org.AddMember(p.plain)
		}
	case "drift in":
		if w.in(p) && !u.team.Deleted() {
			w.put(u, p)
		}
	case "drift out":
		if w.in(p) && !u.team.Deleted() {
			w.take(u, p)
		}
	case "leaves the organization":
		if w.in(p) && (w.org.Roles()[login] != githubsim.Owner) {
			w.leave(p)
			w.org.RemoveMember(login)
		}
	case "joins the organization":
		if exists && !w.in(p) {
			w.org.AddMember(login)
		}
	case "remap":
		if !u.team.Deleted() {
			w.remap(u)
		}
	case "unmap":
		u.lines = nil
	case "group renamed":
		g := p.source.groups[directory.GroupID(group)]
		if !strings.HasPrefix(group, "rule-") && g.ID != "" {
			g.Name += "-renamed"
			p.source.groups[g.ID] = g
		}
	case "team renamed":
		if u.pinned && !u.team.Deleted() {
			w.named++
			u.team.Rename(fmt.Sprintf("Renamed %d", w.named))
		}
	case "organization renamed":
		w.named++
		w.org.Rename(fmt.Sprintf("octo-%d", w.named))
	case "attribute cleared":
		user.Accounts = nil
		p.source.users[user.ID] = user
	case "attribute changed":
		user.Accounts = map[string]string{"github": login}
		p.source.users[user.ID] = user
	case "identity":
		if w.saml && w.in(p) {
			w.identify(p)
		}
	case "identity revoked":
		if w.truth.identities[p.account.ID()] != "" && w.in(p) {
			w.org.RevokeIdentity(login)
			delete(w.truth.identities, p.account.ID())
		}
	case "link by hand":
		if exists && user.ID != "" {
			w.truth.statements[p.key()] = p.account.ID()
			w.engine.say(w, p)
		}
	case "invited by hand":
		if exists && !w.in(p) && !u.team.Deleted() && !slices.Contains(w.org.Invitations(), login) {
			w.org.Invite(login, u.team)
			w.truth.touched[seat{u.team.ID(), p.account.ID()}] = true
		}
	case "accepts":
		if exists && !w.in(p) && slices.Contains(w.org.Invitations(), login) {
			w.org.AddMember(login)
		}
	case "child team":
		if !u.team.Deleted() && w.chance(3, "really") {
			w.named++
			w.org.AddTeam(fmt.Sprintf("Child %d", w.named)).SetParent(u.team)
			w.truth.parents[u.team] = true
		}
	case "team deleted":
		if u.pinned && !u.team.Deleted() && !w.truth.parents[u.team] && w.chance(3, "really") {
			u.team.Delete()
		}
	case "rule group renamed":
		if w.truth.rule {
			g := w.corp.groups["rule-a"]
			if g.ID == "" {
				return
			}
			g.Name = rapid.SampledFrom([]string{"gh-made-a", "gh-made-c", "no longer a match"}).Draw(w.t, "name")
			w.corp.groups[g.ID] = g
		}
	case "owner":
		if w.in(p) && w.chance(2, "really") {
			w.org.MakeOwner(login)
		}
	case "user deleted":
		if exists && w.org.Roles()[login] != githubsim.Owner && w.chance(3, "really") {
			w.leave(p)
			p.account.Delete()
			if w.chance(2, "a stranger comes") {
				w.gh.World().AddUser(login)
				w.org.AddMember(login)
			}
		}
	case "group deleted":
		if !strings.HasPrefix(group, "rule-") && len(w.groups[p.source.name]) > 1 && w.chance(2, "really") {
			delete(p.source.groups, directory.GroupID(group))
			for id, g := range p.source.groups {
				g.Groups = slices.DeleteFunc(slices.Clone(g.Groups), func(in directory.GroupID) bool { return in == directory.GroupID(group) })
				p.source.groups[id] = g
			}
			w.groups[p.source.name] = slices.DeleteFunc(w.groups[p.source.name], func(g string) bool { return g == group })
		}
	case "wrong claim":
		if w.chance(2, "really") {
			user.Accounts = map[string]string{"github": w.pick("whose").account.Login()}
			p.source.users[user.ID] = user
		}
	}
}

// leave is what an account loses with the organization.
func (w *world) leave(p *person) {
	delete(w.truth.identities, p.account.ID())
	for at := range w.truth.teams {
		s := seat{at, p.account.ID()}
		delete(w.truth.granted, s)
		delete(w.truth.byHand, s)
		w.truth.touched[s] = true
	}
}

// sources fail and lie.
func (w *world) trouble() {
	p := rapid.SampledFrom([]*provider{w.corp, w.hr}).Draw(w.t, "provider")
	what := rapid.SampledFrom([]string{"", "", "", "", "fails", "empty group", "missing group", "everyone disabled", "half gone", "no attributes", "old"}).Draw(w.t, "trouble")
	group := directory.GroupID(rapid.SampledFrom(w.groups[p.name]).Draw(w.t, "of"))
	odd := rapid.IntRange(0, 1).Draw(w.t, "half")
	if what != "" {
		total.add("sources: "+what, 1)
		w.tell("source %s: %s (%s)", p.name, what, group)
	}
	switch what {
	case "fails":
		p.fail = errors.New("read users: page 2: 503 Service Unavailable")
	case "empty group":
		p.lie = func(s *directory.Snapshot) {
			g := s.Groups[group]
			g.Members, g.Groups = nil, nil
			if g.ID != "" {
				s.Groups[group] = g
			}
		}
	case "missing group":
		p.lie = func(s *directory.Snapshot) {
			delete(s.Groups, group)
			for id, g := range s.Groups {
				g.Groups = slices.DeleteFunc(g.Groups, func(in directory.GroupID) bool { return in == group })
				s.Groups[id] = g
			}
		}
	case "everyone disabled":
		p.lie = func(s *directory.Snapshot) {
			for id, u := range s.Users {
				u.Status = directory.Disabled
				s.Users[id] = u
			}
		}
	case "half gone":
		p.lie = func(s *directory.Snapshot) {
			gone := map[directory.UserID]bool{}
			for i, id := range slices.Sorted(maps.Keys(s.Users)) {
				if i%2 == odd {
					gone[id] = true
					delete(s.Users, id)
				}
			}
			for id, g := range s.Groups {
				g.Members = slices.DeleteFunc(g.Members, func(u directory.UserID) bool { return gone[u] })
				s.Groups[id] = g
			}
		}
	case "no attributes":
		p.lie = func(s *directory.Snapshot) {
			for id, u := range s.Users {
				u.Accounts = nil
				s.Users[id] = u
			}
		}
	case "old":
		p.old = 8 * 24 * time.Hour
	}
}

// lossy are the faults after which nobody can know from the answer whether a write was done.
var lossy = map[string]bool{"write 502": true, "cut before write": true, "cut after write": true, "cut answer of write": true, "truncated answer of write": true, "cut anything": true}

// weather is what GitHub answers on a bad day.
func (w *world) weather() {
	f := githubsim.Fault{Seed: rapid.Uint64Range(1, 1000).Draw(w.t, "seed"), Probability: rapid.SampledFrom([]float64{0.2, 0.5, 0.9}).Draw(w.t, "probability")}
	writes := func(c githubsim.Call) bool { return c.Write }
	after := rapid.IntRange(0, 4).Draw(w.t, "after")
	times := rapid.IntRange(1, 6).Draw(w.t, "times")
	f.Name = rapid.SampledFrom([]string{
		"", "", "", "", "429 with Retry-After", "429 on writes", "secondary limit", "secondary limit without Retry-After", "primary limit", "502 on GraphQL",
		"502 on big pages", "resource limit", "partial data", "error beside data", "cut request", "cut answer", "cut body", "truncated body", "short pages",
		"write 403", "write 404", "write 422", "write 500", "write 502", "cut before write", "cut after write", "cut answer of write",
		"truncated answer of write", "401", "503", "published limits",
	}).Draw(w.t, "weather")
	soon := rapid.SampledFrom([]time.Duration{time.Second, 10 * time.Second, time.Minute, time.Hour}).Draw(w.t, "retry after")
	if w.real {
		soon = time.Hour // waiting costs time there
	}
	if f.Name == "" {
		return
	}
	w.tell("weather: %s, after %d, %d times, probability %.1f, seed %d", f.Name, after, times, f.Probability, f.Seed)
	switch f.Name {
	case "429 with Retry-After":
		f.Status, f.RetryAfter, f.After, f.Times = 429, soon, after, times
	case "429 on writes":
		f.Status, f.RetryAfter, f.Match, f.Times = 429, soon, writes, times
	case "secondary limit":
		f.Secondary, f.RetryAfter, f.After, f.Times = true, soon, after, times
	case "secondary limit without Retry-After":
		f.Secondary, f.After, f.Times = true, after, times
	case "primary limit":
		w.gh.SetLimits(githubsim.Limits{REST: 5 + after, GraphQL: 10 + after})
		return
	case "502 on GraphQL":
		f.GraphQL, f.Status, f.After, f.Times = true, 502, after, times
	case "502 on big pages":
		w.gh.SetLimits(githubsim.Limits{TimeoutNodes: 500 * (1 + after)})
		return
	case "resource limit":
		w.gh.SetLimits(githubsim.Limits{ResourceNodes: 500 * (1 + after)})
		return
	case "published limits":
		w.gh.SetLimits(githubsim.Limits{Secondary: githubsim.PublishedSecondary()})
		return
	case "partial data":
		f.GraphQL, f.After = true, after
		f.Errors = []githubsim.GraphQLError{{Type: "INTERNAL", Message: "Something went wrong", Path: rapid.SampledFrom([][]string{
			{"nodes", "*", "members"}, {"nodes", "*"}, {"organization", "membersWithRole"}, {"organization", "membersWithRole", "nodes", "*"}, {"organization"},
		}).Draw(w.t, "path")}}
	case "error beside data":
		f.GraphQL, f.After, f.Errors = true, after, []githubsim.GraphQLError{{Type: "INTERNAL", Message: "Something went wrong"}}
	case "cut request":
		f.GraphQL, f.Drop, f.After, f.Times = true, githubsim.DropRequest, after, times
	case "cut answer":
		f.GraphQL, f.Drop, f.After, f.Times = true, githubsim.DropAnswer, after, times
	case "cut body":
		f.GraphQL, f.Drop, f.After, f.Times = true, githubsim.DropBody, after, times
	case "truncated body":
		f.GraphQL, f.Truncate, f.After, f.Times = true, true, after, times
	case "short pages":
		f.GraphQL, f.Short, f.After = true, true, after
	case "write 403":
		f.Match, f.Status = writes, 403
	case "write 404":
		f.Match, f.Status = writes, 404
	case "write 422":
		f.Match, f.Status = writes, 422
	case "write 500":
		f.Match, f.Status = writes, 500
	case "write 502":
		f.Match, f.Status = writes, 502
	case "cut before write":
		f.Match, f.Drop = writes, githubsim.DropRequest
	case "cut after write":
		f.Match, f.Drop = writes, githubsim.DropAnswer
	case "cut answer of write":
		f.Match, f.Drop = writes, githubsim.DropBody
	case "truncated answer of write":
		f.Match, f.Truncate = writes, true
	case "401":
		f.Status, f.After, f.Times = 401, after, times
	case "503":
		f.Status, f.After, f.Times = 503, after, times
	}
	w.gh.Inject(f)
}

// drift is another hand in the middle of a run.
func (w *world) drift() {
	if !w.chance(4, "another hand") {
		return
	}
	p, u := w.pick("hand of"), rapid.SampledFrom(w.units).Draw(w.t, "in team")
	in := rapid.Bool().Draw(w.t, "in or out")
	w.calls = rapid.IntRange(1, 6).Draw(w.t, "at call")
	w.midway = func() {
		if !w.in(p) || u.team.Deleted() {
			return
		}
		total.add("hands in the middle of a run", 1)
		w.tell("in the middle of the run: %s in team %s: %t", p.account.Login(), u.team.Slug(), in)
		at := seat{u.team.ID(), p.account.ID()}
		w.truth.mu.Lock()
		defer w.truth.mu.Unlock()
		w.truth.touched[at] = true
		delete(w.truth.byHand, at)
		if _, there := u.team.Members()[p.account.Login()]; !there || !in {
			delete(w.truth.granted, at)
		}
		if in {
			u.team.Set(p.account.Login(), githubsim.Member)
		} else {
			u.team.Remove(p.account.Login())
		}
	}
}

// between is told of each slice that ended with work left: mappings are edited while a run is on.
func (w *world) between() {
	if w.chance(3, "edited while running") {
		total.add("mappings edited between slices", 1)
		u := rapid.SampledFrom(w.units).Draw(w.t, "team")
		if !u.team.Deleted() {
			w.remap(u)
			w.engine.open(w)
		}
	}
}

// day syncs once, perhaps in bad weather, and perhaps approves afterwards.
func (w *world) day() {
	if !w.real {
		hours := rapid.SampledFrom([]int{1, 1, 5, 20, 30, 30, 24 * 8}).Draw(w.t, "hours")
		wait(time.Duration(hours) * time.Hour)
	}
	w.weather()
	w.trouble()
	w.drift()
	w.engine.open(w)
	err := w.engine.sync(w)
	w.tell("sync: %v", err)
	w.judge()
	w.fair()
	if err != nil {
		total.add("syncs that failed", 1)
		return
	}
	if w.chance(2, "approve") {
		w.engine.open(w)
		if w.engine.approve(w) > 0 {
			w.tell("approved, sync: %v", w.engine.sync(w))
			w.judge()
		}
	}
}

// fair ends the bad weather.
func (w *world) fair() {
	w.midway = nil
	w.gh.ClearFaults()
	w.gh.SetLimits(githubsim.Limits{})
	w.gh.Reset()
	for _, p := range []*provider{w.corp, w.hr} {
		p.fail, p.lie, p.old = nil, nil, 0
	}
}

func (w *world) judge() {
	if broken := w.truth.broken(); len(broken) > 0 {
		w.fail("%s", strings.Join(broken, "\n"))
	}
	if err := w.engine.verify(w); err != nil {
		w.fail("audit verify: %v", err)
	}
}
