package guard_test

import (
	"testing"

	"musterline.example/guard"
	"musterline.example/team"
)

// A mistake of ours: a plan removes the account that acts for us.
func protectedWorld() *world {
	w := calm()
	w.remove("platform", 1, team.NotInGroup)
	w.facts.Place.Self = w.on("platform").Remove[0].Account
	return w
}

func TestProtectedKeepsOurselvesAndWhoIsNamed(t *testing.T) {
	w := protectedWorld()
	w.remove("web", 2, team.NotInGroup)
	w.settings.Protected = []string{"web-100"}
	a, objections := w.approve()
	if len(objections) != 2 || objections[0].Message != "platform would lose login-platform-100, protected; the mapping should have kept them" {
		t.Errorf("%+v", objections)
	}
	if got := refs(a.Plan()); len(got) != 1 || got[0].Account != "web-101" {
		t.Errorf("approved %v", got)
	}
	w.about("web", func(f *guard.TeamFacts) { f.Settings = &guard.Settings{Protected: []string{"web-101"}} })
	if a, _ := w.approve(); len(refs(a.Plan())) != 0 {
		t.Error("a team's protected accounts come on top of the organization's")
	}
}

func TestAnAppHasNoAccountToProtect(t *testing.T) {
	w := calm()
	w.facts.Place.Self = ""
	w.remove("platform", 1, team.NotInGroup)
	w.on("platform").Remove[0].Account = ""
	w.silent(t)
}
