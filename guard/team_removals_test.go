package guard_test

import (
	"testing"
	"time"

	"musterline.example/guard"
	"musterline.example/plan"
	"musterline.example/team"
)

// A page of a group fails to load in a way that nobody notices: 9 of 40 are gone.
func teamRemovalsWorld() *world {
	w := calm()
	w.remove("platform", 9, team.NotInGroup)
	return w
}

func TestTeamRemovalsHasALimitForEachSize(t *testing.T) {
	for _, c := range []struct{ members, allowed int }{
		{1, 3}, {4, 3}, {9, 3}, {10, 5}, {25, 5}, {29, 5}, {30, 6}, {40, 8}, {200, 40},
	} {
		w := calm()
		w.source(func(f *guard.SourceFacts) { f.Memberships = 10_000 })
		w.team("sre", c.members)
		w.remove("sre", c.allowed, team.NotInGroup)
		w.silent(t)
		w.remove("sre", 1, team.NotInGroup)
		if _, objections := w.approve(); len(objections) != 1 || objections[0].Guard != "team_removals" {
			t.Errorf("%d of %d members may go: %v", c.allowed+1, c.members, objectors(objections))
		}
	}
}

func TestTeamRemovalsAddsUpSmallSteps(t *testing.T) {
	w := calm()
	w.remove("platform", 3, team.NotInGroup)
	w.done("platform", 6, plan.Remove)
	w.says(t, "platform would lose 9 of 46 members, 6 of them in the last 24 h (limit 8)", "team_removals")
	for i := range w.facts.Recent {
		w.facts.Recent[i].At = now.Add(-25 * time.Hour)
	}
	w.silent(t)
}

func TestTeamRemovalsCountsNoAdditionsAndNobodyElse(t *testing.T) {
	w := calm()
	w.remove("platform", 3, team.NotInGroup)
	w.done("platform", 20, plan.Add)
	w.done("web", 8, plan.Remove)
	w.silent(t)
}

func TestTeamRemovalsLetsWhatAPersonDisconnectedGo(t *testing.T) {
	w := calm()
	w.remove("platform", 20, team.TeamUnmapped)
	w.remove("platform", 8, team.NotInGroup)
	w.silent(t)
	w.on("platform").Remove = nil
	w.remove("platform", 3, team.NotInGroup)
	w.done("platform", 20, plan.Remove)
	for i := range w.facts.Recent {
		w.facts.Recent[i].Rule = team.TeamUnmapped
	}
	w.silent(t)
}

func TestTeamRemovalsOfOneTeamHoldAtAnySize(t *testing.T) {
	w := calm()
	w.team("sre", 8)
	w.remove("sre", 3, team.NotInGroup)
	w.about("sre", func(f *guard.TeamFacts) { f.Settings = &guard.Settings{TeamRemovals: guard.Limit{Max: 1}} })
	w.says(t, "sre would lose 3 of 8 members (limit 1)", "team_removals")
	w.about("sre", func(f *guard.TeamFacts) { f.Settings = &guard.Settings{TeamRemovals: guard.Limit{Max: -1}} })
	w.silent(t)
	w.remove("platform", 9, team.NotInGroup)
	w.says(t, "platform would lose 9 of 40 members (limit 8)", "team_removals")
}
