package e2e

import (
	"strings"
	"testing"
)

// plan is where the plan of the company's organization is shown.
const plan = "/console/organizations/northlight/plan"

// What a guard has stopped is looked at, approved with a reason, and then done on GitHub; the reason stands in the record.
func TestAHeldPlanIsApprovedAndWritten(t *testing.T) {
	l := newLab(t)
	l.run("sync", "--config", "musterline.yaml")
	l.serve()
	b := l.signIn("root", "administrator")
	b.open("/console/plans")
	b.see("1 change stopped by first_connection")
	b.click("link", "northlight")
	b.see("Plan of northlight", "platform would lose 1 of 4 members at its first connection", "If it is wrong:", "4 → 3 members, 4 until approved")
	before := l.members("platform")

	b.click("button", "Approve…")
	b.see("1 change would pass", "These and no others")
	b.axe()
	b.shot("approve-light")
	b.confirm("Approve 1 change")
	b.wait("without a reason the focus is where one is written", func() bool { return strings.HasPrefix(b.focused(), "textarea") })
	if l.members("platform") != before {
		t.Fatal("something was written before anybody approved")
	}
	b.fill("Reason", "Mia has changed to sales")
	b.confirm("Approve 1 change")
	b.see("1 change approved", "Waiver 1")
	l.until("mia has left the team", func() bool { return !strings.Contains(l.members("platform"), "mia") })
	b.open("/console/audit?kind=waiver")
	b.see("1 change approved by root", "Mia has changed to sales")
}

// By guard and by team alike, the dialog shows exactly what would pass.
func TestAnApprovalShowsExactlyWhatWouldPass(t *testing.T) {
	l := newLab(t)
	l.people.dismisses("joe")
	l.run("sync", "--config", "musterline.yaml")
	l.serve()
	b := l.signIn("root", "administrator")
	b.open(plan)
	b.see("mia", "stray")
	b.click("button", "Approve…")
	b.see("2 changes would pass")
	b.click("radio", "Those of some teams")
	b.click("checkbox", "security")
	b.click("button", "Show what would pass")
	b.see("1 change would pass")
	b.shot("approve-teams-light")
	b.fill("Reason", "Stray is nobody of ours")
	b.confirm("Approve 1 change")
	b.see("1 change approved")
	l.until("stray has left the team", func() bool { return !strings.Contains(l.members("security"), "stray") })
	if !strings.Contains(l.members("platform"), "mia") {
		t.Error("somebody has left whom nobody has approved")
	}
}

// A plan that moves while it is read says so and shows the new one; what is applied is exactly what was shown.
func TestAPlanGoesStaleWhileItIsRead(t *testing.T) {
	l := newLab(t)
	l.run("sync", "--config", "musterline.yaml")
	l.serve()
	b := l.signIn("root", "administrator")
	b.open(plan)
	b.see("mia")
	l.people.joins("hana", "Platform engineers")
	b.click("button", "Plan again")
	b.see("hana-s", "people/Platform engineers")

	// Somebody else plans meanwhile, in another world.
	other := l.signIn("ann", "administrator")
	other.open(plan)
	other.see("hana-s")
	l.org.Team("platform").Remove("mia")
	other.click("button", "Plan again")
	other.gone("mia")
	b.expect("412")
	b.fill("Find a team", "plat")
	b.see("There is a newer plan than the one you were reading", "hana-s")
	b.gone("mia")

	// And the world moves once more between looking and saying yes.
	b.click("button", "Apply this plan…")
	b.see("Apply exactly this plan?", "1 change will be made")
	b.shot("apply-light")
	l.org.Team("platform").Remove("ben-o")
	b.confirm("Apply")
	b.see("The plan has moved since you saw it", "Nothing was changed", "ben-o")
	if strings.Contains(l.members("platform"), "hana-s") {
		t.Fatal("a plan that had moved was applied")
	}
	b.click("button", "Apply this plan…")
	b.see("2 changes will be made")
	b.confirm("Apply")
	b.see("asked for by root", "Writes", "hana-s", "ben-o", "Done")
	if got := l.members("platform"); !strings.Contains(got, "hana-s") || !strings.Contains(got, "ben-o") {
		t.Errorf("in the team are %s", got)
	}
}

// Who may only look is offered nothing that changes something.
func TestAViewerLooksAtPlansAndRunsAndNoMore(t *testing.T) {
	l := newLab(t)
	l.run("sync", "--config", "musterline.yaml")
	l.serve()
	b := l.signIn("vic", "viewer")
	b.open(plan)
	b.see("first_connection", "Owners of the organization can approve")
	if b.there("button", "Approve…") {
		t.Error("a viewer is offered to approve")
	}
	if !eval[bool](b, `[...document.querySelectorAll("button")].filter(x => /Sync now|Apply this plan/.test(x.innerText)).every(x => x.disabled)`) {
		t.Error("a viewer is offered to sync")
	}
	b.click("button", "Plan again") // which changes nothing
	b.see("for vic")
}
