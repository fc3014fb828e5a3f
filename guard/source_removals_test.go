package guard_test

import (
	"fmt"
	"testing"

	"musterline.example/guard"
	"musterline.example/plan"
	"musterline.example/team"
)

// A department is missing from the read: four in each of 30 teams.
func sourceRemovalsWorld() *world {
	w := calm()
	for i := range 30 {
		slug := fmt.Sprintf("team-%02d", i)
		w.team(slug, 40)
		w.remove(slug, 4, team.NotInGroup)
	}
	return w
}

func TestSourceRemovalsCountsAllTeams(t *testing.T) {
	w := sourceRemovalsWorld()
	w.says(t, "corp: 120 removals of 2,000 memberships (limit 100)", "source_removals")
	w.source(func(f *guard.SourceFacts) { f.Memberships = 2400 })
	w.silent(t)
	w.done("platform", 1, plan.Remove)
	w.says(t, "corp: 121 removals of 2,400 memberships, 1 of them in the last 24 h (limit 120)", "source_removals")
}

func TestSourceRemovalsCountsWhatAPersonDisconnected(t *testing.T) {
	w := calm()
	w.on("platform").Unmapped = true
	w.remove("platform", 40, team.TeamUnmapped)
	w.source(func(f *guard.SourceFacts) { f.Memberships = 80 })
	w.says(t, "corp: 40 removals of 80 memberships (limit 25)", "source_removals")
}

func TestSourceRemovalsStopsTheSourceAndNoOther(t *testing.T) {
	w := sourceRemovalsWorld()
	w.remove("web", 1, team.NotInGroup)
	w.on("web").Sources = []string{"people"}
	w.facts.Sources["people"] = w.facts.Sources["corp"]
	w.remove("platform", 1, team.NotInGroup)
	w.on("platform").Sources = []string{"people", "corp"}
	a, _ := w.approve()
	if got := refs(a.Plan()); len(got) != 1 || got[0].Team != "Tweb" {
		t.Errorf("approved %v; want what belongs to people alone", got)
	}
}

func TestSourceRemovalsSeesGroupsShrink(t *testing.T) {
	w := calm()
	w.remove("platform", 1, team.NotInGroup)
	shrink := func(n, of int) {
		w.source(func(f *guard.SourceFacts) {
			f.Groups, f.Shrunk = of, nil
			for i := range n {
				f.Shrunk = append(f.Shrunk, fmt.Sprintf("g%d", i))
			}
		})
	}
	shrink(8, 40)
	w.silent(t)
	shrink(9, 40)
	w.says(t, "corp: 9 of 40 mapped groups have fewer members than a day ago (limit 8): g0, g1, g2 and 6 more", "source_removals")
	shrink(2, 2) // one of few groups shrinks on an ordinary day
	w.silent(t)
	shrink(3, 3)
	w.says(t, "corp: 3 of 3 mapped groups have fewer members than a day ago (limit 2): g0, g1, g2", "source_removals")
	shrink(0, 0) // nothing older is known
	w.silent(t)
}
