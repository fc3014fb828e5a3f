package soak

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"musterline.example/directory"
	"musterline.example/internal/githubsim"
	"musterline.example/mapping"
	"musterline.example/team"
)

const (
	replayPeople = 300
	replayTeams  = 30
	replaySteps  = 200
	replaySpan   = 5 * 365 * 24 * time.Hour
)

// TestFiveYearsOfAnOrganization replays an organization of 300 people in 30 teams: joiners, movers and leavers as there are in a company,
// in 200 steps that make five years. Every step converges and no guard is in the way of an ordinary one. Now and then there is a storm:
// a reorganisation that a person approves, or a lie of the identity provider that nobody does.
func TestFiveYearsOfAnOrganization(t *testing.T) { //nolint:tparallel // its two databases run beside each other, and beside no other suite
	for _, kind := range []string{"sqlite", "postgres"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			url := database(t, kind)
			run := func() {
				l := newLab(t, url)
				defer l.shut()
				r := &replay{lab: l, t: t, rand: rand.New(rand.NewPCG(*seed, 5)), in: map[string][]int{}, given: map[int]string{}}
				r.begin()
				for n := range *steps {
					wait(replaySpan/replaySteps - 24*time.Hour)
					r.sync("the day before") // an ordinary night: nothing has changed
					wait(24 * time.Hour)
					r.step(n)
				}
				if _, err := l.store.Verify(context.Background()); err != nil {
					t.Error(err)
				}
				total.add("replay: people who ever worked there", r.next)
			}
			bubble(t, run)
		})
	}
}

// A replay is the company, with an account of its own of who works where.
type replay struct {
	*lab
	t     *testing.T
	rand  *rand.Rand
	next  int
	in    map[string][]int // groups → people, in order of joining
	given map[int]string   // the group somebody began in
}

func replayGroup(i int) string { return fmt.Sprintf("unit-%02d", i) }
func login(n int) string       { return fmt.Sprintf("worker-%d", n) }

func (r *replay) begin() {
	for i := range replayTeams {
		g := replayGroup(i)
		r.corp.group(g, g)
		r.org.AddTeam(g)
		role := team.Member
		if i%10 == 9 {
			role = team.Maintainer
		}
		r.mapped(g, "corp", g, role, mapping.Exclusive)
	}
	for range replayPeople {
		r.join()
	}
	r.write()
	r.sync("the first")
	r.converged()
}

// join is a new colleague: an account in the organization, a home and perhaps a second team.
func (r *replay) join() {
	n := r.next
	r.next++
	r.org.AddMember(login(n))
	home := replayGroup(r.rand.IntN(replayTeams))
	r.in[home] = append(r.in[home], n)
	if second := replayGroup(r.rand.IntN(replayTeams)); second != home && r.rand.IntN(3) == 0 {
		r.in[second] = append(r.in[second], n)
	}
	r.corp.user(login(n), directory.Active, login(n))
	total.add("replay: joiners", 1)
}

// leave ends somebody's time: disabled first as a rule, and gone from the organization when IT comes round to it.
func (r *replay) leave(n int) {
	r.corp.user(login(n), directory.Disabled, login(n))
	if r.rand.IntN(4) == 0 {
		r.org.RemoveMember(login(n))
	}
	for g, people := range r.in {
		r.in[g] = slices.DeleteFunc(slices.Clone(people), func(p int) bool { return p == n })
	}
	total.add("replay: leavers", 1)
}

// write puts the account into the groups of the identity provider.
func (r *replay) write() {
	for i := range replayTeams {
		g := replayGroup(i)
		var members []string
		for _, n := range r.in[g] {
			members = append(members, login(n))
		}
		r.corp.group(g, g, members...)
	}
}

// somebody is anybody in a group of some size.
func (r *replay) somebody() (string, int) {
	for {
		g := replayGroup(r.rand.IntN(replayTeams))
		if len(r.in[g]) > 3 {
			return g, r.in[g][r.rand.IntN(len(r.in[g]))]
		}
	}
}

func (r *replay) step(n int) {
	total.add("replay: steps", 1)
	for range r.rand.IntN(3) {
		r.join()
	}
	for range r.rand.IntN(3) {
		_, who := r.somebody()
		r.leave(who)
	}
	for range r.rand.IntN(3) {
		from, who := r.somebody()
		to := replayGroup(r.rand.IntN(replayTeams))
		if slices.Contains(r.in[to], who) {
			continue
		}
		r.in[from] = slices.DeleteFunc(slices.Clone(r.in[from]), func(p int) bool { return p == who })
		r.in[to] = append(r.in[to], who)
		total.add("replay: movers", 1)
	}
	r.write()
	if r.rand.IntN(3) == 0 { // somebody helps out by hand
		_, who := r.somebody()
		if _, member := r.org.Roles()[login(who)]; member {
			r.org.Teams()[r.rand.IntN(replayTeams)].Set(login(who), githubsim.Member)
			total.add("replay: drift", 1)
		}
	}
	if stopped := r.sync("an ordinary step"); stopped > 0 {
		r.t.Fatalf("step %d: guards stop %d changes of an ordinary day", n, stopped)
	}
	r.converged()
	if n%8 == 7 {
		r.storm(n / 8)
	}
}

// storm is a day on which guards object.
func (r *replay) storm(n int) {
	wait(48 * time.Hour)
	names := []string{"half of the users gone", "a group empty", "everybody disabled", "a reorganisation", "a group missing"}
	what := names[n%len(names)]
	total.add("replay: storms, "+what, 1)
	before := r.teams()
	g := replayGroup(r.rand.IntN(replayTeams))
	for len(r.in[g]) < 4 {
		g = replayGroup(r.rand.IntN(replayTeams))
	}
	switch what {
	case "half of the users gone":
		r.corp.lie = func(s *directory.Snapshot) {
			for id, g := range s.Groups {
				g.Members = slices.DeleteFunc(g.Members, func(u directory.UserID) bool { return len(u)%2 == 0 || u[len(u)-1]%2 == 0 })
				s.Groups[id] = g
			}
			maps.DeleteFunc(s.Users, func(u directory.UserID, _ directory.User) bool { return len(u)%2 == 0 || u[len(u)-1]%2 == 0 })
		}
	case "a group empty":
		r.corp.lie = func(s *directory.Snapshot) {
			is := s.Groups[directory.GroupID(g)]
			is.Members = nil
			s.Groups[is.ID] = is
		}
	case "everybody disabled":
		r.corp.lie = func(s *directory.Snapshot) {
			for id, u := range s.Users {
				u.Status = directory.Disabled
				s.Users[id] = u
			}
		}
	case "a group missing":
		r.corp.lie = func(s *directory.Snapshot) { delete(s.Groups, directory.GroupID(g)) }
	case "a reorganisation":
		to := replayGroup((slices.Index(r.groups(), g) + 1) % replayTeams)
		for _, p := range r.in[g] {
			if !slices.Contains(r.in[to], p) {
				r.in[to] = append(r.in[to], p)
			}
		}
		r.in[g] = r.in[g][:1]
		r.write()
	}
	if stopped := r.sync(what); stopped == 0 {
		r.t.Fatalf("storm %q: no guard objects", what)
	}
	if what == "a reorganisation" {
		for round := 0; r.approve(r.t) > 0; round++ {
			if round == 5 {
				r.t.Fatal("approved, and approved again")
			}
			r.sync("approved")
		}
	} else {
		if after := r.teams(); !maps.Equal(before, after) {
			r.t.Fatalf("storm %q: teams have changed", what)
		}
		r.corp.lie = nil
		wait(time.Hour)
		r.sync("recovered")
	}
	r.converged()
}

func (r *replay) groups() (names []string) {
	for i := range replayTeams {
		names = append(names, replayGroup(i))
	}
	return names
}

// sync syncs, and says how many changes are stopped.
func (r *replay) sync(what string) (stopped int) {
	r.t.Helper()
	r.reopen(r.t)
	report, err := r.lab.sync(countObjections, func() {})
	if err != nil || report.Failed+report.Unknown > 0 {
		r.t.Fatalf("%s: %+v, %v", what, report, err)
	}
	total.add("replay: writes", report.Done)
	return report.Objected
}

// teams are all memberships.
func (r *replay) teams() map[string]bool {
	all := map[string]bool{}
	for _, t := range r.org.Teams() {
		for login := range t.Members() {
			all[t.Slug()+"/"+login] = true
		}
	}
	return all
}

// converged checks that the teams are the account, and that planning again gives nothing.
func (r *replay) converged() {
	r.t.Helper()
	want := map[string]bool{}
	for g, people := range r.in {
		for _, n := range people {
			want[g+"/"+login(n)] = true
		}
	}
	got := r.teams()
	for at := range want {
		if !got[at] {
			r.t.Fatalf("%s is missing", at)
		}
	}
	for at := range got {
		if !want[at] {
			r.t.Fatalf("%s is there and should not be", at)
		}
	}
	r.reopen(r.t)
	if d := r.plan(r.t); !d.Plan.Empty() {
		r.t.Fatalf("there is still to do: %+v", d.Plan.Summary())
	}
}
