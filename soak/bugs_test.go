package soak

import (
	"context"
	"testing"
	"time"

	"musterline.example/directory"
	"musterline.example/internal/githubsim"
	"musterline.example/mapping"
	"musterline.example/reconcile"
	"musterline.example/store"
)

// These are small worlds that random ones have found.

// TestACreationWithoutAnswerIsClosedAsItIs: GitHub fails three times in a row to say whether it has made a team, and the run stops there with
// an open intent. The next one closes it. The acting account, whose removal was never tried, was taken for our own in any team then, which is
// protected, and stayed.
func TestACreationWithoutAnswerIsClosedAsItIs(t *testing.T) {
	for name, drop := range map[string]githubsim.Drop{"made": githubsim.DropAnswer, "not made": githubsim.DropRequest} {
		t.Run(name, func(t *testing.T) {
			url := database(t, "sqlite")
			bubble(t, func() {
				l := newLab(t, url)
				defer l.shut()
				l.org.AddMember("ada")
				l.corp.user("ada", directory.Active, "ada")
				for _, g := range []string{"a", "b", "c"} {
					l.corp.group(g, "gh-"+g, "ada")
				}
				l.deps.Rules = []mapping.Rule{{ID: "rule:1", Source: "corp", Match: "gh-*", Target: "octo", Team: `{{ trimPrefix "gh-" .Group.Name }}`, Create: true, Mode: mapping.Exclusive}}
				fault := l.gh.Inject(githubsim.Fault{Method: "POST", Path: "/orgs/*/teams", Times: 3, Drop: drop})
				report, err := l.sync(nil, func() {})
				t.Logf("the run that loses the answers: %+v, %v", report, err)
				fault.Remove()
				l.reopen(t)
				if report, err = l.sync(nil, func() {}); err != nil {
					t.Fatalf("the run after it: %+v, %v", report, err)
				}
				entries, err := l.store.Entries(context.Background(), store.Filter{Kind: store.KindOutcome})
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range entries {
					if e.Act == "remove" && e.Result == "seen" {
						t.Errorf("entry %d has seen a removal in team %q that was never tried", e.Seq, e.Team)
					}
				}
				for _, made := range l.org.Teams() {
					if _, there := made.Members()["boss"]; there {
						t.Errorf("the acting account was left in %s", made.Slug())
					}
				}
			})
		})
	}
}

// TestADeletedAccountIsNotInvitedForEver: with reinvite, somebody whose account was deleted was planned anew by every run. Wanted in three
// teams, they stopped every run: the circuit breaker took the refusals for a target that is unwell.
func TestADeletedAccountIsNotInvitedForEver(t *testing.T) {
	url := database(t, "sqlite")
	bubble(t, func() {
		l := newLab(t, url)
		defer l.shut()
		l.set(func(tg *reconcile.Target) { tg.Settings.Reinvite = true })
		ada := l.org.AddMember("ada")
		l.corp.user("ada", directory.Active, "ada")
		l.corp.group("g", "g", "ada")
		l.org.AddTeam("team")
		l.mapped("team", "corp", "g", 0, mapping.Exclusive)
		for range 3 {
			if _, err := l.sync(nil, func() {}); err != nil {
				t.Fatal(err)
			}
			if !l.gh.World().HasUser("ada") {
				wait(24 * time.Hour)
				continue
			}
			ada.Delete()
		}
		if d := l.plan(t); !d.Plan.Empty() {
			t.Errorf("there is still to do: %+v", d.Plan.Teams)
		}
	})
}

// TestAMemberIsNotForgottenOnAWordOfNotFound: GitHub answers 404 where it will not say 403, and to a removal that is taken for "already out".
// The ledger forgets the membership, and in an additive team nobody takes it back any more.
func TestAMemberIsNotForgottenOnAWordOfNotFound(t *testing.T) {
	url := database(t, "sqlite")
	bubble(t, func() {
		l := newLab(t, url)
		defer l.shut()
		for _, p := range []string{"ada", "bob"} {
			l.org.AddMember(p)
			l.corp.user(p, directory.Active, p)
		}
		l.corp.group("g", "g", "ada", "bob")
		l.org.AddTeam("team")
		l.mapped("team", "corp", "g", 0, mapping.Additive)
		sync := func() {
			wait(25 * time.Hour)
			l.reopen(t)
			if _, err := l.sync(nil, func() {}); err != nil {
				t.Fatal(err)
			}
		}
		sync()
		l.corp.group("g", "g", "ada")
		fault := l.gh.Inject(githubsim.Fault{Method: "DELETE", Status: 404, Times: 1})
		sync()
		fault.Remove()
		sync()
		if _, there := l.org.Team("team").Members()["bob"]; there {
			t.Error("bob was brought by us, is in no mapped group, and stays")
		}
	})
}

// TestAnInvitationOfSomebodyWhoIsWantedStands: somebody has left the organization and is invited back by hand, into a team whose group lists
// them. Without reinvite we do not invite; but what a person has done is undone.
func TestAnInvitationOfSomebodyWhoIsWantedStands(t *testing.T) {
	url := database(t, "sqlite")
	bubble(t, func() {
		l := newLab(t, url)
		defer l.shut()
		for _, p := range []string{"ada", "bob"} {
			l.org.AddMember(p)
			l.corp.user(p, directory.Active, p)
		}
		l.corp.group("g", "g", "ada", "bob")
		made := l.org.AddTeam("team")
		l.mapped("team", "corp", "g", 0, mapping.Exclusive)
		for range 2 {
			if _, err := l.sync(nil, func() {}); err != nil {
				t.Fatal(err)
			}
			if len(made.Pending()) == 0 && made.Members()["ada"] != "" {
				l.org.RemoveMember("ada")
				l.org.Invite("ada", made)
			}
		}
		if len(made.Pending()) == 0 {
			t.Error("the invitation was taken back, and the group lists ada")
		}
	})
}
