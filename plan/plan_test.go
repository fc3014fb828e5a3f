package plan_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"musterline.example/plan"
	"musterline.example/team"
)

// TestComputeFollowsItsTable walks the table at plan.Compute.
func TestComputeFollowsItsTable(t *testing.T) {
	absent, pending := "absent", "pending"
	for _, c := range []struct {
		want    team.Want
		current string // absent, pending, member or maintainer
		act     plan.Act
	}{
		{team.Want{In: team.Yes}, absent, plan.Add},
		{team.Want{In: team.Yes}, pending, ""},
		{team.Want{In: team.Yes}, "member", ""},
		{team.Want{In: team.Yes}, "maintainer", ""},
		{team.Want{In: team.Yes, Demote: true}, "maintainer", plan.Update},
		{team.Want{In: team.Yes, Role: team.Maintainer}, absent, plan.Add},
		{team.Want{In: team.Yes, Role: team.Maintainer}, pending, ""},
		{team.Want{In: team.Yes, Role: team.Maintainer}, "member", plan.Update},
		{team.Want{In: team.Yes, Role: team.Maintainer}, "maintainer", ""},
		{team.Want{In: team.Keep}, absent, ""},
		{team.Want{In: team.Keep}, "member", ""},
		{team.Want{In: team.Out}, absent, ""},
		{team.Want{In: team.Out}, pending, plan.Cancel},
		{team.Want{In: team.Out}, "member", plan.Remove},
		{team.Want{In: team.Out}, "maintainer", plan.Remove},
	} {
		now := team.Team{ID: "7", Slug: "platform"}
		if c.current != absent {
			m := team.Membership{Account: "1", Login: "ada", Pending: c.current == pending}
			if c.current == "maintainer" {
				m.Role = team.Maintainer
			}
			now.Members = append(now.Members, m)
		}
		c.want.Account, c.want.Login = "1", "ada"
		p := plan.Compute("octo", []team.Wanted{{Team: "7", Members: []team.Want{c.want}}}, []team.Team{now})
		var act plan.Act
		for _, tc := range p.Teams {
			for _, ch := range tc.Changes() {
				act = ch.Act
			}
		}
		if act != c.act {
			t.Errorf("%s %s (demote %t) of a team with the account %s: %q, want %q", c.want.In, c.want.Role, c.want.Demote, c.current, act, c.act)
		}
	}
}

func TestGraceIsShownAndIsNoChange(t *testing.T) {
	end := time.Date(2026, 3, 14, 14, 32, 0, 0, time.UTC)
	p := plan.Compute("octo", []team.Wanted{{Team: "7", Grace: end, Members: []team.Want{{Account: "1", In: team.Keep, InGrace: true}}}},
		[]team.Team{{ID: "7", Members: []team.Membership{{Account: "1", Login: "ada"}}}})
	if !p.Empty() || len(p.Teams) != 1 || len(p.Teams[0].Leaving) != 1 || !p.Teams[0].Leaving[0].At.Equal(end) {
		t.Errorf("%+v", p)
	}
}

func TestATeamToBeCreatedTakesItsCreatorOut(t *testing.T) {
	p := plan.Compute("octo", []team.Wanted{{Create: &team.New{Name: "data"}, Members: []team.Want{
		{Account: "1", Login: "ada", In: team.Yes}, {Account: "9", Login: "admin", In: team.Out}}}}, nil)
	if len(p.Teams) != 1 || len(p.Teams[0].Add) != 1 || len(p.Teams[0].Remove) != 1 || p.Teams[0].Slug != "data" {
		t.Errorf("%+v", p)
	}
}

func TestHeldPeopleAndReasonsDoNotChangeTheDigest(t *testing.T) {
	wanted := []team.Wanted{{Team: "7", Members: []team.Want{{Account: "1", Login: "ada", In: team.Yes, Why: []team.Reason{{Mapping: "file:12"}}}}}}
	current := []team.Team{{ID: "7"}}
	a := plan.Compute("octo", wanted, current)
	wanted[0].Members[0].Why = []team.Reason{{Mapping: "file:13"}}
	b := plan.Compute("octo", wanted, current)
	if a.Digest != b.Digest {
		t.Error("a mapping that moved a line in its file changed the digest")
	}
	wanted[0].Members[0].Role = team.Maintainer
	if c := plan.Compute("octo", wanted, current); c.Digest == a.Digest {
		t.Error("another role left the digest as it was")
	}
}

// drawWorld draws current teams and what they should hold.
func drawWorld(t *rapid.T) (wanted []team.Wanted, current []team.Team) {
	for i := range rapid.IntRange(0, 4).Draw(t, "teams") {
		now := team.Team{ID: team.ID(fmt.Sprint(i)), Slug: fmt.Sprintf("team-%d", rapid.IntRange(0, 2).Draw(t, "slug"))}
		w := team.Wanted{Team: now.ID}
		for j := range 6 {
			id := team.AccountID(fmt.Sprint(j))
			there := rapid.Bool().Draw(t, "there")
			m := team.Membership{Account: id, Login: "login-" + string(id), Role: team.Role(rapid.IntRange(0, 1).Draw(t, "role")), Pending: rapid.Bool().Draw(t, "pending")}
			if there {
				now.Members = append(now.Members, m)
			}
			if rapid.Bool().Draw(t, "named") {
				w.Members = append(w.Members, team.Want{Account: id, Login: m.Login, In: team.In(rapid.IntRange(0, 2).Draw(t, "in")), Role: team.Role(rapid.IntRange(0, 1).Draw(t, "want")), Demote: rapid.Bool().Draw(t, "demote")})
			}
		}
		wanted, current = append(wanted, w), append(current, now)
	}
	return wanted, current
}

// apply does to the teams what the plan says.
func apply(p *plan.Plan, current []team.Team) []team.Team {
	var after []team.Team
	for _, now := range current {
		now.Members = slices.Clone(now.Members)
		for _, c := range p.Teams {
			if c.Team != now.ID {
				continue
			}
			for _, ch := range c.Changes() {
				now.Members = slices.DeleteFunc(now.Members, func(m team.Membership) bool { return m.Account == ch.Account })
				if ch.Act == plan.Add || ch.Act == plan.Update {
					now.Members = append(now.Members, team.Membership{Account: ch.Account, Login: ch.Login, Role: ch.Role})
				}
			}
		}
		now.Sort()
		after = append(after, now)
	}
	return after
}

func TestAfterApplyingThePlanIsEmpty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		wanted, current := drawWorld(t)
		p := plan.Compute("octo", wanted, current)
		if again := plan.Compute("octo", wanted, apply(p, current)); !again.Empty() {
			t.Fatalf("left to do: %+v", again.Teams)
		}
	})
}

func TestWhoIsNotNamedStays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		wanted, current := drawWorld(t)
		p := plan.Compute("octo", wanted, current)
		for _, c := range p.Teams {
			w := wanted[slices.IndexFunc(wanted, func(w team.Wanted) bool { return w.Team == c.Team })]
			for _, ch := range c.Changes() {
				if !slices.ContainsFunc(w.Members, func(m team.Want) bool { return m.Account == ch.Account }) {
					t.Fatalf("%s of %s, whom nobody named", ch.Act, ch.Account)
				}
			}
		}
	})
}

func TestTheOrderOfInputsDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		wanted, current := drawWorld(t)
		p := plan.Compute("octo", wanted, current)
		shuffle := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		shuffle.Shuffle(len(wanted), func(i, j int) { wanted[i], wanted[j] = wanted[j], wanted[i] })
		shuffle.Shuffle(len(current), func(i, j int) { current[i], current[j] = current[j], current[i] })
		if diff := gocmp.Diff(p, plan.Compute("octo", wanted, current)); diff != "" {
			t.Fatal(diff)
		}
		if !slices.IsSortedFunc(p.Teams, func(a, b plan.TeamChange) int {
			return cmp.Or(cmp.Compare(a.Slug, b.Slug), cmp.Compare(a.Team, b.Team))
		}) {
			t.Fatal("teams out of order")
		}
	})
}
