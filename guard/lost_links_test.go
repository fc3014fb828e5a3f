package guard_test

import (
	"testing"

	"musterline.example/guard"
	"musterline.example/team"
)

// Single sign-on gets another NameID format: four of twenty identities are gone at the first read.
func lostLinksWorld() *world {
	w := calm()
	w.remove("platform", 4, team.LinkRevoked)
	w.source(func(f *guard.SourceFacts) { f.LinksBefore, f.LinksLost = 20, 4 })
	return w
}

func TestLostLinksHoldsMoreThanThree(t *testing.T) {
	w := lostLinksWorld()
	const message = "corp: 4 of 20 linked identities revoked at once (limit 3); 4 removals would follow"
	w.says(t, message, "lost_links")
	w.source(func(f *guard.SourceFacts) { f.LinksLost = 0 }) // the next read shows no loss, and they wait still
	w.says(t, message, "lost_links")
	w.source(func(f *guard.SourceFacts) { f.LinksBefore, f.LinksLost = 80, 4 })
	w.silent(t)
}

func TestLostLinksStopsNobodyElse(t *testing.T) {
	w := lostLinksWorld()
	w.remove("web", 2, team.NotInGroup)
	if a, _ := w.approve(); len(refs(a.Plan())) != 2 {
		t.Errorf("approved %v; want who left a group", refs(a.Plan()))
	}
}
