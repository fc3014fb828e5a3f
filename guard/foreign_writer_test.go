package guard_test

import (
	"testing"
	"time"

	"musterline.example/guard"
	"musterline.example/plan"
	"musterline.example/team"
)

// A second Musterline adds whom this one removes.
func foreignWriterWorld() *world {
	w := calm()
	w.remove("platform", 1, team.NotInGroup)
	w.add("platform", 1)
	w.facts.Unintended = []guard.Unintended{
		{Ref: guard.Ref{Team: "Tplatform", Account: "platform-100", Act: plan.Add}, At: now.Add(-50 * time.Minute)},
		{Ref: guard.Ref{Team: "Tplatform", Account: "platform-101", Act: plan.Add}, At: now.Add(-20 * time.Minute)},
	}
	return w
}

func TestForeignWriterStopsTheTeam(t *testing.T) {
	w := foreignWriterWorld()
	w.says(t, "platform was changed under our own credential by somebody else: 2 writes, the last 20 min ago; this stops 2 changes", "foreign_writer")
	w.remove("web", 1, team.NotInGroup)
	if a, _ := w.approve(); len(refs(a.Plan())) != 1 {
		t.Errorf("approved %v; want the other team", refs(a.Plan()))
	}
}
