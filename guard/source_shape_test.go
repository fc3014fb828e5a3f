package guard_test

import (
	"testing"

	"musterline.example/guard"
	"musterline.example/team"
)

// The attribute with the login is renamed for some: fewer are linked, and who is not linked is not in.
func sourceShapeWorld() *world {
	w := calm()
	w.remove("platform", 4, team.NotInGroup)
	w.source(func(f *guard.SourceFacts) { f.Now.Linked = 600 })
	return w
}

func TestSourceShapeNamesWhatHasJumped(t *testing.T) {
	for _, c := range []struct {
		now     guard.Shape
		message string
	}{
		{guard.Shape{Groups: 100, Users: 1000, Linked: 900, Active: 980}, ""},
		{guard.Shape{Groups: 90, Users: 900, Linked: 810, Active: 882}, ""},
		{guard.Shape{Groups: 89, Users: 1000, Linked: 900, Active: 980}, "89 groups, usually 100"},
		{guard.Shape{Groups: 100, Users: 899, Linked: 810, Active: 882}, "899 users, usually 1,000"},
		{guard.Shape{Groups: 100, Users: 1200, Linked: 1080, Active: 1176}, "1,200 users, usually 1,000"},
		{guard.Shape{Groups: 100, Users: 1000, Linked: 600, Active: 980}, "600 linked users, usually 900"},
		{guard.Shape{Groups: 100, Users: 1000, Linked: 900, Active: 500}, "500 active users, usually 980"},
		{guard.Shape{Groups: 20, Users: 1000, Linked: 0, Active: 980}, "20 groups, usually 100, 0 linked users, usually 900"},
	} {
		w := calm()
		w.remove("platform", 4, team.NotInGroup)
		w.source(func(f *guard.SourceFacts) { f.Now = c.now })
		if c.message == "" {
			w.silent(t)
			continue
		}
		w.says(t, "corp looks other than in its last 3 reads: "+c.message+" (limit 10 %); this stops 4 removals", "source_shape")
	}
}

func TestSourceShapeIsSilentWithoutAPastAndForSmallDifferences(t *testing.T) {
	w := sourceShapeWorld()
	w.source(func(f *guard.SourceFacts) { f.History = f.History[:1] })
	w.silent(t)
	small := guard.Shape{Groups: 4, Users: 10, Linked: 10, Active: 10}
	w.source(func(f *guard.SourceFacts) {
		f.History, f.Now = []guard.Shape{small, small}, guard.Shape{Groups: 2, Users: 6, Linked: 6, Active: 6}
	})
	w.silent(t)
}

func TestSourceShapeAsksTheMedian(t *testing.T) {
	w := calm()
	w.remove("platform", 4, team.NotInGroup)
	odd := guard.Shape{Groups: 1, Users: 1, Linked: 1, Active: 1}
	w.source(func(f *guard.SourceFacts) { f.History[0] = odd })
	w.silent(t)
}

func TestSourceShapeStopsNoAdditions(t *testing.T) {
	w := sourceShapeWorld()
	w.add("platform", 3)
	if a, _ := w.approve(); len(refs(a.Plan())) != 3 {
		t.Errorf("approved %v; want the additions", refs(a.Plan()))
	}
}
