package guard_test

import (
	"testing"

	"musterline.example/guard"
	"musterline.example/team"
)

// A filter at the identity provider empties a group of two.
func emptyGroupWorld() *world {
	w := calm()
	w.remove("platform", 2, team.NotInGroup)
	w.about("platform", func(f *guard.TeamFacts) { f.Emptied = []string{"corp/sre"} })
	return w
}

func TestEmptyGroupHoldsAtAnySize(t *testing.T) {
	w := emptyGroupWorld()
	w.says(t, "platform would lose 2 of 40 members: corp/sre had members and is empty now", "empty_group")
	w.settings.EmptyGroup = guard.Apply
	w.silent(t)
}

func TestEmptyGroupStopsNothingElse(t *testing.T) {
	w := emptyGroupWorld()
	w.add("platform", 2)
	w.remove("web", 1, team.NotInGroup)
	if a, _ := w.approve(); len(refs(a.Plan())) != 3 {
		t.Errorf("approved %v; want the additions and the other team", refs(a.Plan()))
	}
}

func TestEmptyGroupLetsWhatAPersonDisconnectedGo(t *testing.T) {
	w := emptyGroupWorld()
	for i := range w.on("platform").Remove {
		w.on("platform").Remove[i].Why = []team.Reason{{Rule: team.TeamUnmapped}}
	}
	w.silent(t)
}
