package guard_test

import (
	"testing"

	"musterline.example/guard"
	"musterline.example/plan"
	"musterline.example/team"
)

// A target whose plans a person wants to see first.
func approvalWorld() *world {
	w := calm()
	w.add("platform", 2)
	w.remove("web", 1, team.NotInGroup)
	w.settings.Apply = guard.ApplyApprove
	return w
}

func TestApprovalWaitsForAPerson(t *testing.T) {
	w := approvalWorld()
	w.says(t, "octo waits for a person (apply: approve) with 3 changes in 2 teams", "approval")
	w.facts.ApprovedByHand = true
	w.silent(t)
}

func TestAYesAnswersNoOtherGuard(t *testing.T) {
	w := approvalWorld()
	w.remove("web", 20, team.NotInGroup)
	w.facts.ApprovedByHand = true
	w.says(t, "web would lose 21 of 40 members (limit 8)", "team_removals")
}

func TestApprovalHoldsTheMakingOfATeam(t *testing.T) {
	w := calm()
	w.settings.Apply = guard.ApplyApprove
	c := w.team("made", 0)
	c.Team, c.Create = "", &team.New{Name: "made"}
	a, objections := w.approve()
	if len(a.Plan().Teams) > 0 {
		t.Error("an empty team is made without approval")
	}
	waiver := guard.WaiverFor(w.plan, objections, guard.Filter{}, "ops", "yes", now)
	a, objections = guard.Approve(w.plan, w.facts, guard.All(w.settings), []guard.Waiver{waiver})
	if len(objections) > 0 || len(a.Plan().Teams) != 1 || a.Plan().Teams[0].Create == nil || len(a.Waivers()) != 1 {
		t.Errorf("%+v, %+v, %+v", objections, a.Plan().Teams, a.Waivers())
	}
	c.Add = []plan.Change{{Act: plan.Add, Account: "5"}}
	if a, _ := w.approve(); len(a.Plan().Teams) > 0 {
		t.Error("a team is made for members who wait")
	}
}

func TestApprovalOfOneTeam(t *testing.T) {
	w := approvalWorld()
	w.settings.Apply = guard.ApplyAuto
	w.about("web", func(f *guard.TeamFacts) { f.Settings = &guard.Settings{Apply: guard.ApplyApprove} })
	w.says(t, "octo waits for a person (apply: approve) with 1 change in 1 team", "approval")
}
