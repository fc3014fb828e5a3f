package soak

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"musterline.example/directory"
	"musterline.example/guard"
	"musterline.example/mapping"
	"musterline.example/reconcile"
)

// A company is a lab in which everything has been in order for some days: so many teams of so many people, each team with a group of its
// own, and everybody linked by the attribute.
type company struct {
	*lab
	t     *rapid.T
	teams int
	size  int
}

func teamName(i int) string  { return fmt.Sprintf("team-%d", i) }
func groupName(i int) string { return fmt.Sprintf("g%d", i) }
func worker(i, n int) string { return fmt.Sprintf("p%d-%d", i, n) }
func (c *company) members() (in map[string]bool) {
	in = map[string]bool{}
	for _, t := range c.org.Teams() {
		for login := range t.Members() {
			in[t.Slug()+"/"+login] = true
		}
	}
	return in
}

func newCompany(t *rapid.T, l *lab, teams, size int) *company {
	c := &company{lab: l, t: t, teams: teams, size: size}
	for i := range teams {
		t := l.org.AddTeam(teamName(i))
		var people []string
		for n := range size {
			p := worker(i, n)
			l.org.AddMember(p)
			l.corp.user(p, directory.Active, p)
			t.Set(p, "member")
			people = append(people, p)
		}
		l.corp.group(groupName(i), groupName(i), people...)
		l.mapped(teamName(i), "corp", groupName(i), 0, mapping.Exclusive)
	}
	return c
}

// calm lets some ordinary days pass.
func (c *company) calm() {
	for range 3 {
		wait(24 * time.Hour)
		c.day()
	}
}

func (c *company) day() *reconcile.Decision {
	var last *reconcile.Decision
	c.reopen(c.t)
	if _, err := c.sync(func(d *reconcile.Decision) { last = d }, func() {}); err != nil {
		c.t.Fatalf("sync: %v", err)
	}
	return last
}

// lose takes people out of a group.
func (c *company) lose(i, n int) {
	g := c.corp.groups[directory.GroupID(groupName(i))]
	g.Members = g.Members[n:]
	c.corp.groups[g.ID] = g
}

// A harm is what comes over a company. It returns the company after some calm days, and what happens then.
type harm struct {
	guard string
	begin func(t *rapid.T, l *lab) (c *company, happens func())
}

// harms hold for each guard the family of worlds that only this guard saves. The guards that are not here cannot be missed by the engine
// as it is: see docs/soak.md.
var harms = []harm{
	{"first_connection", func(t *rapid.T, l *lab) (*company, func()) {
		c := newCompany(t, l, 5, rapid.IntRange(2, 8).Draw(t, "size"))
		c.calm()
		strangers := rapid.IntRange(1, 3).Draw(t, "strangers")
		return c, func() {
			made := l.org.AddTeam("by-hand")
			for n := range strangers {
				made.Set(worker(n, 0), "member")
			}
			l.corp.group("new", "new", worker(4, 1))
			l.mapped("by-hand", "corp", "new", 0, mapping.Exclusive)
		}
	}},
	{"empty_group", func(t *rapid.T, l *lab) (*company, func()) {
		c := newCompany(t, l, rapid.IntRange(4, 9).Draw(t, "teams"), rapid.IntRange(1, 3).Draw(t, "size"))
		c.calm()
		return c, func() { c.lose(0, c.size) }
	}},
	{"missing_group", func(t *rapid.T, l *lab) (*company, func()) {
		c := newCompany(t, l, rapid.IntRange(4, 9).Draw(t, "teams"), rapid.IntRange(1, 3).Draw(t, "size"))
		c.calm()
		return c, func() { delete(l.corp.groups, directory.GroupID(groupName(0))) }
	}},
	{"team_removals", func(t *rapid.T, l *lab) (*company, func()) {
		c := newCompany(t, l, 4, rapid.IntRange(10, 20).Draw(t, "size"))
		c.calm()
		most := c.size - 1
		n := rapid.IntRange(6, most).Draw(t, "leavers")
		return c, func() { c.lose(0, n) }
	}},
	{"team_additions", func(t *rapid.T, l *lab) (*company, func()) {
		c := newCompany(t, l, rapid.IntRange(6, 8).Draw(t, "teams"), rapid.IntRange(6, 8).Draw(t, "size"))
		c.calm()
		return c, func() {
			g := l.corp.groups[directory.GroupID(groupName(0))]
			for i := 1; i < c.teams; i++ {
				g.Groups = append(g.Groups, directory.GroupID(groupName(i)))
			}
			l.corp.groups[g.ID] = g
		}
	}},
	{"source_removals", func(t *rapid.T, l *lab) (*company, func()) {
		c := newCompany(t, l, rapid.IntRange(5, 12).Draw(t, "teams"), rapid.IntRange(2, 6).Draw(t, "size"))
		c.calm()
		n := rapid.IntRange(max(3, c.teams/5+1), c.teams).Draw(t, "groups that shrink")
		return c, func() {
			for i := range n {
				c.lose(i, 1)
			}
		}
	}},
	{"organization_removals", func(t *rapid.T, l *lab) (*company, func()) {
		l.set(func(tg *reconcile.Target) { tg.Guards.OrganizationRemovals = guard.Limit{Max: 3} })
		c := newCompany(t, l, 11, 10)
		c.calm()
		n := rapid.IntRange(2, 5).Draw(t, "leavers of each")
		return c, func() { c.lose(0, n); c.lose(1, n) }
	}},
	{"source_shape", func(t *rapid.T, l *lab) (*company, func()) {
		others := rapid.IntRange(12, 40).Draw(t, "others")
		for n := range others {
			l.corp.user(worker(99, n), directory.Active, "")
		}
		c := newCompany(t, l, 4, rapid.IntRange(4, 8).Draw(t, "size"))
		c.calm()
		gone := rapid.IntRange(1, 2).Draw(t, "gone from a group")
		return c, func() {
			for n := range others {
				delete(l.corp.users, directory.UserID(worker(99, n)))
			}
			c.lose(0, gone)
		}
	}},
	{"disabled_users", func(t *rapid.T, l *lab) (*company, func()) {
		c := newCompany(t, l, rapid.IntRange(4, 6).Draw(t, "teams"), rapid.IntRange(5, 8).Draw(t, "size"))
		c.calm()
		n := rapid.IntRange(3, 4).Draw(t, "disabled")
		return c, func() {
			for i := range n {
				l.corp.user(worker(i%2, i/2), directory.Disabled, worker(i%2, i/2))
			}
		}
	}},
	{"lost_links", func(t *rapid.T, l *lab) (*company, func()) {
		c := newCompany(t, l, rapid.IntRange(4, 6).Draw(t, "teams"), rapid.IntRange(5, 8).Draw(t, "size"))
		c.calm()
		return c, func() {
			for i := range 4 {
				l.corp.user(worker(i, 0), directory.Active, "")
			}
		}
	}},
	{"mappings_lost", func(t *rapid.T, l *lab) (*company, func()) {
		c := newCompany(t, l, rapid.IntRange(5, 10).Draw(t, "teams"), rapid.IntRange(1, 3).Draw(t, "size"))
		c.calm()
		n := rapid.IntRange(4, min(c.teams, 8)).Draw(t, "lost")
		return c, func() { l.deps.File["octo"] = l.deps.File["octo"][n:] }
	}},
	{"stale_source", func(t *rapid.T, l *lab) (*company, func()) {
		c := newCompany(t, l, 4, rapid.IntRange(4, 8).Draw(t, "size"))
		c.calm()
		n := rapid.IntRange(1, 3).Draw(t, "leavers")
		days := rapid.IntRange(8, 30).Draw(t, "days")
		return c, func() { c.lose(0, n); l.corp.old = time.Duration(days) * 24 * time.Hour }
	}},
	{"approval", func(t *rapid.T, l *lab) (*company, func()) {
		c := newCompany(t, l, 4, rapid.IntRange(4, 8).Draw(t, "size"))
		c.calm()
		n := rapid.IntRange(1, 3).Draw(t, "leavers")
		return c, func() {
			l.set(func(tg *reconcile.Target) { tg.Applies = guard.ApplyApprove })
			c.lose(0, n)
		}
	}},
	{"protected", func(t *rapid.T, l *lab) (*company, func()) {
		c := newCompany(t, l, 4, rapid.IntRange(4, 8).Draw(t, "size"))
		c.calm()
		safe := fmt.Sprint(l.gh.World().User(worker(0, 0)).ID())
		l.set(func(tg *reconcile.Target) {
			tg.TeamGuards = map[string]guard.Settings{teamName(0): {Protected: []string{safe}}}
		})
		return c, func() { c.lose(0, 1) }
	}},
}

// TestEachGuardIsMissedByTheEngine switches one guard off while all others are on, in random worlds of a family: what happens there does harm
// without this guard and none with it, and it is this guard alone that objects.
func TestEachGuardIsMissedByTheEngine(t *testing.T) {
	for _, h := range harms {
		t.Run(h.guard, func(t *testing.T) {
			check(t, *families, func(t *testing.T, rt *rapid.T) {
				for _, off := range []bool{true, false} {
					url := database(t, "sqlite")
					bubble(t, func() {
						l := newLab(t, url)
						defer l.shut()
						h.live(rt, l, off)
					})
				}
			})
		})
	}
}

// live lives one world of the family.
func (h harm) live(t *rapid.T, l *lab, off bool) {
	c, happens := h.begin(t, l)
	if off {
		l.set(func(tg *reconcile.Target) { tg.Guards.Off = []string{h.guard} })
	}
	before := c.members()
	happens()
	for at := range c.members() {
		before[at] = true // what happened on GitHub itself is there before the sync
	}
	wait(time.Hour)
	d := c.day()
	after := c.members()
	changed := 0
	for at := range before {
		if !after[at] {
			changed++
		}
	}
	for at := range after {
		if !before[at] && (h.guard == "team_additions" || h.guard == "approval") {
			changed++
		}
	}
	var objecting []string
	for _, o := range d.Objections {
		if len(o.Changes) > 0 {
			objecting = append(objecting, o.Guard)
		}
	}
	switch {
	case off && changed == 0:
		t.Fatalf("without %s the other guards let nothing pass: it is not needed here; %v object", h.guard, objecting)
	case off:
		total.add("guards: worlds in which "+h.guard+" is missed", 1)
	case changed > 0:
		t.Fatalf("with %s on, %d memberships changed", h.guard, changed)
	case strings.Join(objecting, " ") != h.guard:
		t.Fatalf("%v object, not %s alone", objecting, h.guard)
	}
}

// TestNoGuardIsForgottenHere names the guards without a family.
func TestNoGuardIsForgottenHere(t *testing.T) {
	have := map[string]bool{"foreign_writer": true} // the engine gathers no writes of others under our credential yet: guard's own test has its world
	for _, h := range harms {
		have[h.guard] = true
	}
	for _, name := range guard.Names() {
		if !have[name] {
			t.Errorf("guard %s has no family of worlds", name)
		}
	}
}
