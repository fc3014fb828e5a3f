package guard_test

import (
	"testing"
	"time"

	"musterline.example/guard"
	"musterline.example/team"
)

// A source has not been read for eight days. Two who are not in the last read have joined since.
func staleSourceWorld() *world {
	w := calm()
	w.remove("platform", 2, team.NotInGroup)
	w.source(func(f *guard.SourceFacts) { f.ReadAt = now.Add(-8 * 24 * time.Hour) })
	return w
}

func TestStaleSourceWarnsAndThenFreezes(t *testing.T) {
	w := staleSourceWorld()
	w.says(t, "corp was last read in full 8 days ago (limit 7 days); this stops 2 removals", "stale_source")
	w.source(func(f *guard.SourceFacts) { f.ReadAt = now.Add(-25 * time.Hour) })
	a, objections := w.approve()
	if len(objections) != 1 || len(objections[0].Changes) != 0 || objections[0].Message != "corp was last read in full 25 h ago (limit 24 h)" {
		t.Errorf("%+v; want a warning", objections)
	}
	if len(refs(a.Plan())) != 2 {
		t.Error("a warning stopped something")
	}
	w.source(func(f *guard.SourceFacts) { f.ReadAt = now.Add(-24 * time.Hour) })
	w.silent(t)
}

func TestStaleSourceKnowsNothingOfASourceThatIsNotThere(t *testing.T) {
	w := calm()
	w.remove("platform", 2, team.NotInGroup)
	w.remove("platform", 1, team.TeamUnmapped)
	w.on("platform").Sources = []string{"former"}
	a, objections := w.approve()
	if len(objections) != 1 || objections[0].Message != "former is not configured (limit 7 days); this stops 2 removals" || len(refs(a.Plan())) != 1 {
		t.Errorf("%+v, %v", objections, refs(a.Plan()))
	}
	w.on("platform").Sources = []string{"corp"}
	w.source(func(f *guard.SourceFacts) { f.ReadAt = time.Time{} })
	w.says(t, "corp has never been read in full (limit 7 days); this stops 3 removals", "stale_source")
}
