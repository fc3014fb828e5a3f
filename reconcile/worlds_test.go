package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"musterline.example/directory"
	"musterline.example/guard"
	"musterline.example/internal/githubsim"
	"musterline.example/link"
	"musterline.example/reconcile"
	"musterline.example/team"
)

// A chaos is a lab whose world changes at random, beside a simple account of what is true in it: written without a look at the engine, so
// that the two can disagree.
type chaos struct {
	*lab
	t      *rapid.T
	people []string // login = user id at the beginning
	teams  map[string]*githubsim.Team
	groups []string
	maps   map[string][]string // team → groups
}

// TestRandomWorldsKeepTheirPromises lives some days of random organizations. After every sync: nobody was removed without a fact at the
// identity provider, nobody was added without one, every write has its entry; and after one without faults, with everything approved, the
// teams hold who is wanted and planning again gives nothing.
func TestRandomWorldsKeepTheirPromises(t *testing.T) {
	dir := t.TempDir()
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		home := fmt.Sprintf("%s/%d", dir, n)
		if err := os.Mkdir(home, 0o700); err != nil {
			rt.Fatal(err)
		}
		l := newLab(rt, home)
		defer l.shut()
		c := &chaos{lab: l, t: rt}
		c.begin()
		for range rapid.IntRange(1, 4).Draw(rt, "days") {
			c.change()
			c.day()
		}
		c.settleDown()
	})
}

// begin draws people, groups, teams and mappings.
func (c *chaos) begin() {
	for i := range 8 {
		login := fmt.Sprintf("Person-%d", i)
		c.people = append(c.people, login)
		c.corp.user(login, directory.Active, c.claim(login))
		if rapid.IntRange(0, 9).Draw(c.t, "outsider") > 0 {
			c.join(login)
		}
	}
	c.groups = []string{"g0", "g1", "g2", "g3"}
	for _, g := range c.groups {
		c.regroup(g)
	}
	c.teams, c.maps = map[string]*githubsim.Team{}, map[string][]string{}
	for _, name := range []string{"t0", "t1", "t2"} {
		c.teams[name] = c.team(name)
		for _, p := range c.someOf(c.people, "members of "+name) {
			if _, member := c.org.Roles()[p]; member {
				c.teams[name].Set(p, rapid.SampledFrom([]githubsim.Role{githubsim.Member, githubsim.Maintainer}).Draw(c.t, "role"))
			}
		}
		c.maps[name] = c.someOf(c.groups, "groups of "+name)
	}
	c.remap()
	if rapid.Bool().Draw(c.t, "an owner") {
		owner := rapid.SampledFrom(c.people).Draw(c.t, "owner")
		if _, member := c.org.Roles()[owner]; member {
			c.org.MakeOwner(owner)
		}
	}
}

// claim is the login that the identity provider asserts: in another case now and then, or none.
func (c *chaos) claim(login string) string {
	return rapid.SampledFrom([]string{login, login, strings.ToUpper(login), "@" + strings.ToLower(login), ""}).Draw(c.t, "claim")
}

func (c *chaos) someOf(from []string, label string) []string {
	var some []string
	for _, s := range from {
		if rapid.Bool().Draw(c.t, label) {
			some = append(some, s)
		}
	}
	return some
}

func (c *chaos) regroup(g string) {
	members := c.someOf(c.people, "members of "+g)
	for _, inner := range c.groups {
		if rapid.IntRange(0, 4).Draw(c.t, "nested") == 0 {
			members = append(members, "@"+inner) // cycles, and itself
			if _, there := c.corp.groups[directory.GroupID(inner)]; !there {
				c.corp.group(inner)
			}
		}
	}
	c.corp.group(g, members...)
}

func (c *chaos) remap() {
	c.deps.File["octo"] = nil
	for _, name := range slices.Sorted(maps.Keys(c.maps)) {
		c.mapped(name, c.maps[name]...)
	}
}

// change is a day in the life of a company.
func (c *chaos) change() {
	for range rapid.IntRange(0, 4).Draw(c.t, "changes") {
		person := rapid.SampledFrom(c.people).Draw(c.t, "person")
		id := directory.UserID(person)
		u := c.corp.users[id]
		name := rapid.SampledFrom([]string{"t0", "t1", "t2"}).Draw(c.t, "team")
		login, inOrg := c.loginOf(person)
		switch rapid.IntRange(0, 8).Draw(c.t, "what") {
		case 0:
			u.Status = rapid.SampledFrom([]directory.Status{directory.Active, directory.Locked, directory.Disabled}).Draw(c.t, "status")
			c.corp.users[id] = u
		case 1:
			c.regroup(rapid.SampledFrom(c.groups).Draw(c.t, "group"))
		case 2:
			if inOrg && !strings.HasSuffix(login, "-x") { // renames the account; the attribute at the identity provider goes stale
				c.gh.World().User(login).Rename(login + "-x")
			}
		case 3:
			if inOrg && login != "boss" {
				c.teams[name].Set(login, githubsim.Member) // drift
			}
		case 4:
			if inOrg {
				c.teams[name].Remove(login) // drift
			}
		case 5:
			if role, member := c.org.Roles()[login]; member && role != "owner" && role != "admin" && len(c.org.Owners()) > 1 || inOrg && !slices.Contains(c.org.Owners(), login) {
				c.org.RemoveMember(login)
			}
		case 6:
			if !inOrg && c.gh.World().HasUser(person) {
				c.join(person)
			}
		case 7:
			c.maps[name] = c.someOf(c.groups, "groups of "+name)
			c.remap()
		case 8:
			g := directory.GroupID(rapid.SampledFrom(c.groups).Draw(c.t, "group"))
			if group, there := c.corp.groups[g]; there {
				group.Name += "-renamed"
				c.corp.groups[g] = group
			}
		}
	}
}

// loginOf returns today's login of a person's account.
func (c *chaos) loginOf(person string) (string, bool) {
	for _, login := range []string{person, person + "-x"} {
		if _, member := c.org.Roles()[login]; member {
			return login, true
		}
	}
	return person, false
}

// day syncs once, perhaps in bad weather.
func (c *chaos) day() {
	c.clock.pass(time.Duration(rapid.IntRange(1, 30).Draw(c.t, "hours")) * time.Hour)
	before := c.picture()
	sourceDown := rapid.IntRange(0, 5).Draw(c.t, "source") == 0
	if sourceDown {
		c.corp.fail = errors.New("read users: page 2: 503")
	}
	c.weather()
	report, err := c.sync()
	c.corp.fail = nil
	c.gh.ClearFaults()
	c.judge(before, sourceDown)
	if err == nil && report.State == "" {
		c.t.Fatalf("a run without a state: %+v", report)
	}
	if rapid.Bool().Draw(c.t, "approve") && !sourceDown {
		c.approveAll(c.t, "looked at it")
		before = c.picture()
		if _, err := c.sync(); err != nil {
			c.t.Fatalf("sync after the approval: %v", err)
		}
		c.judge(before, false)
	}
}

// weather injects what GitHub answers on a bad day.
func (c *chaos) weather() {
	seed := rapid.Uint64().Draw(c.t, "seed")
	switch rapid.IntRange(0, 7).Draw(c.t, "weather") {
	case 0:
		c.gh.Inject(githubsim.Fault{Method: "PUT", Probability: 0.4, Seed: seed, Drop: githubsim.DropAnswer})
	case 1:
		c.gh.Inject(githubsim.Fault{Method: "DELETE", Probability: 0.4, Seed: seed, Drop: githubsim.DropAnswer})
	case 2:
		c.gh.Inject(githubsim.Fault{GraphQL: true, After: 2, Short: true})
	case 3:
		c.gh.Inject(githubsim.Fault{GraphQL: true, After: 1, Truncate: true, Times: 5})
	case 4:
		c.gh.Inject(githubsim.Fault{Method: "PUT", Probability: 0.5, Seed: seed, Status: 403})
	}
}

// A picture is who is in which team, by account and not by login.
type picture map[string]map[int64]string

func (c *chaos) picture() picture {
	p := picture{}
	for name, tm := range c.teams {
		p[name] = map[int64]string{}
		for login := range tm.Members() {
			p[name][c.gh.World().User(login).ID()] = login
		}
	}
	return p
}

// belongs reports whether an account may be in a team by what is true at the identity provider: some user of a mapped group, active or locked,
// is that person.
func (c *chaos) belongs(name, person string) bool {
	s := &directory.Snapshot{Users: c.corp.users, Groups: c.corp.groups}
	for _, g := range c.maps[name] {
		for u := range s.Walk(directory.GroupID(g)) {
			if string(u.ID) == person && u.Status.Member() {
				return true
			}
		}
	}
	return false
}

// judge compares two pictures with what is true.
func (c *chaos) judge(before picture, sourceDown bool) {
	after := c.picture()
	owner := map[int64]string{}
	for _, p := range c.people {
		for _, login := range []string{p, p + "-x"} {
			if c.gh.World().HasUser(login) {
				owner[c.gh.World().User(login).ID()] = p
			}
		}
	}
	for name := range c.teams {
		for id, login := range before[name] {
			if _, still := after[name][id]; still {
				continue
			}
			if sourceDown && len(c.maps[name]) > 0 {
				c.t.Fatalf("%s lost %s while the source could not be read", name, login)
			}
			if c.belongs(name, owner[id]) && c.provable(owner[id], login) {
				c.t.Fatalf("%s lost %s, who is in a mapped group", name, login)
			}
		}
		for id, login := range after[name] {
			if _, there := before[name][id]; !there && !c.belongs(name, owner[id]) {
				c.t.Fatalf("%s gained %s, who is in no mapped group", name, login)
			}
		}
	}
	if _, err := c.store.Verify(context.Background()); err != nil {
		c.t.Fatalf("audit: %v", err)
	}
}

// provable reports whether it can be known whose account it is: the identity provider names its login, or named it once while it was right.
func (c *chaos) provable(person, login string) bool {
	standing, err := c.deps.Targets["octo"].Probe(context.Background())
	if err != nil {
		c.t.Fatal(err)
	}
	links, err := c.store.Links(context.Background(), standing.Place.Host)
	if err != nil {
		c.t.Fatal(err)
	}
	known := slices.ContainsFunc(links, func(l link.Link) bool { return l.User == userRef(person) && l.State == link.Standing })
	claim := strings.TrimPrefix(c.corp.users[directory.UserID(person)].Accounts["github"], "@")
	return known || strings.EqualFold(claim, login)
}

// settleDown is fair weather with a person who approves: then the teams hold who is wanted and nobody is left to do.
func (c *chaos) settleDown() {
	c.set(func(tg *reconcile.Target) { tg.Guards.Off = guard.Names() })
	for range 2 {
		c.clock.pass(time.Hour)
		if _, err := c.sync(); err != nil {
			c.t.Fatalf("sync in fair weather: %v", err)
		}
	}
	d := c.plan(c.t)
	if !d.Plan.Empty() {
		c.t.Fatalf("in fair weather there is still to do: %+v", d.Plan.Teams)
	}
	for name, tm := range c.teams {
		if len(c.maps[name]) == 0 {
			continue
		}
		in := tm.Members()
		for _, person := range c.people {
			l, linked := d.Links.Links[userRef(person)]
			login, member := c.loginOf(person)
			if !member || !linked || l.State != "standing" {
				continue
			}
			if _, there := in[login]; there != c.belongs(name, person) {
				c.t.Fatalf("%s: %s is there %t, belongs %t; held %+v", name, login, there, !there, heldIn(d, tm))
			}
		}
	}
	open, err := c.store.OpenIntents(context.Background(), "octo")
	if err != nil || len(open) > 0 {
		c.t.Fatalf("intents left open: %+v, %v", open, err)
	}
}

func heldIn(d *reconcile.Decision, tm *githubsim.Team) []string {
	var held []string
	for _, h := range d.Plan.Held {
		if h.Team == team.ID(fmt.Sprint(tm.ID())) {
			held = append(held, h.User+" "+h.Reason)
		}
	}
	return held
}
