package guard_test

import (
	"testing"

	"musterline.example/guard"
	"musterline.example/plan"
	"musterline.example/team"
)

// The wrong group is mapped to a team of 12 that people have kept by hand.
func firstConnectionWorld() *world {
	w := calm()
	w.team("sre", 12)
	w.remove("sre", 2, team.NotInGroup)
	w.about("sre", func(f *guard.TeamFacts) { f.Connected, f.Known = false, nil })
	return w
}

func TestFirstConnectionCountsInItsMessage(t *testing.T) {
	w := firstConnectionWorld()
	w.says(t, "sre would lose 2 of 12 members at its first connection", "first_connection")
}

func TestFirstConnectionProtectsStrangersOnly(t *testing.T) {
	w := firstConnectionWorld()
	w.about("sre", func(f *guard.TeamFacts) { f.Known = map[team.AccountID]bool{w.on("sre").Remove[0].Account: true} })
	a, _ := w.approve()
	if got := refs(a.Plan()); len(got) != 1 || got[0].Account != w.on("sre").Remove[0].Account {
		t.Errorf("approved %v; want the removal of the member in the ledger", got)
	}
}

func TestFirstConnectionCountsInvitations(t *testing.T) {
	w := firstConnectionWorld()
	for i := range w.on("sre").Remove {
		w.on("sre").Remove[i].Act = plan.Cancel
	}
	w.says(t, "sre would lose 2 of 12 members at its first connection", "first_connection")
}

func TestFirstConnectionAppliesAsGitHubDoesWhenTold(t *testing.T) {
	w := firstConnectionWorld()
	w.settings.FirstConnection = guard.Apply
	w.silent(t)
	w.about("sre", func(f *guard.TeamFacts) { f.Settings = &guard.Settings{FirstConnection: guard.Hold} })
	w.says(t, "sre would lose 2 of 12 members at its first connection", "first_connection")
}

func TestFirstConnectionLetsWhatAPersonDisconnectedGo(t *testing.T) {
	w := firstConnectionWorld()
	for i := range w.on("sre").Remove {
		w.on("sre").Remove[i].Why = []team.Reason{{Rule: team.TeamUnmapped}}
	}
	w.silent(t)
	w.on("sre").Remove[0].Why = append(w.on("sre").Remove[0].Why, team.Reason{Rule: team.NotInGroup})
	w.says(t, "sre would lose 1 of 12 members at its first connection", "first_connection")
}

func TestFirstConnectionLetsTheCreatorLeave(t *testing.T) {
	w := calm()
	c := w.team("made", 0)
	c.Team, c.Create = "", &team.New{Name: "made"}
	c.Remove = []plan.Change{{Act: plan.Remove, Account: "5", Why: []team.Reason{{Rule: team.CreatorLeaves}}}}
	w.silent(t)
	c.Team, c.Create = "Tmade", nil // made, and then the server died
	w.about("made", func(f *guard.TeamFacts) { f.Connected = false })
	w.silent(t)
}
