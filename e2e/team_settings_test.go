package e2e

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/chromedp"

	"musterline.example/internal/githubsim"
)

// teamOf makes a team in an organization of the simulated GitHub, with people in it.
func (l *lab) teamOf(organization, name string, logins ...string) {
	l.t.Helper()
	for _, org := range l.world.Organizations() {
		if org.Login() != organization {
			continue
		}
		team := org.AddTeam(name)
		for _, login := range logins {
			org.AddMember(login)
			team.Set(login, githubsim.Member)
		}
	}
}

// A team's own limits are set over those of its organization, which its page shows, and taken back; each says where it comes from. What the
// file defines can only be looked at.
func TestSettingsOfATeam(t *testing.T) {
	l := newLab(t)
	l.serve()
	b := l.signIn("root", "administrator")
	b.hex()
	l.teamOf("hex-org", "Core Team")
	b.open("/console/organizations/northlight/teams/security")
	b.click("link", "Team settings")
	b.see("Settings of single teams of northlight are set in musterline.yaml, line 8, under targets.northlight.teams.", "Team removals", "What else holds for this team")
	if b.there("button", "Save changes") {
		t.Error("what the file defines can be saved")
	}
	const settings = "/console/organizations/hex/teams/core-team/settings"
	b.open(settings)
	b.see("Core Team", "Team removals", "Mode", "exclusive", "the groups of the team")
	b.axe()
	b.choose("Team removals: Limit", "More")
	b.fill("Team removals: Limit: number", "1")
	b.click("button", "Save changes")
	b.see("Saved.", "Console set by root", "The team's limit (more than 1)")
	b.shot("team-settings-set-light")
	if got := b.api("GET", "/targets/hex", ""); !strings.Contains(got, `"teams":{"core-team":{"guards":{"team_removals":{"max":1}}}}`) || !strings.Contains(got, `"secrets":["token"]`) {
		t.Errorf("the target is %s", got)
	}
	b.open("/console/settings/organizations/hex")
	b.see("Teams with settings of their own: core-team.")
	b.click("link", "core-team")
	b.see("Team removals")

	// Somebody else is faster.
	other := l.signIn("fay", "administrator")
	said := other.api("PUT", "/targets/hex/teams/core-team/settings", `{"guards":{"team_removals":{"max":1},"empty_group":"apply"}}`, "If-Match", "*")
	if !strings.HasPrefix(said, "200") {
		t.Fatal(said)
	}
	b.expect("412")
	b.fill("Team removals: Limit: number", "2")
	b.click("button", "Save changes")
	b.see("Somebody else has changed this meanwhile", "By fay", "guards.empty_group: not set → apply")
	b.axe()
	b.click("button", "Save mine too")
	b.see("Saved.")
	var is struct {
		Row struct{ Body json.RawMessage }
	}
	_, answered, _ := strings.Cut(b.api("GET", "/targets/hex/teams/core-team/settings", ""), " ")
	if err := json.Unmarshal([]byte(answered), &is); err != nil || string(is.Row.Body) != `{"guards":{"empty_group":"apply","team_removals":{"max":2}}}` {
		t.Errorf("one of the two changes is lost: %v %s", err, is.Row.Body)
	}

	// Both are taken back, and the organization's hold again.
	b.click("button", "Take back: Team removals: Limit")
	b.click("button", "Take back: Empty group: What to do")
	b.see("2 unsaved changes")
	b.click("button", "Save changes")
	b.see("Saved.")
	b.gone("Console set by")
	if got := b.api("GET", "/targets/hex", ""); strings.Contains(got, "teams") {
		t.Errorf("the target is %s", got)
	}

	viewer := l.signIn("vic", "viewer")
	viewer.open(settings)
	viewer.see("Only administrators of Musterline can change these settings.", "Team removals")
	if viewer.there("button", "Save changes") {
		t.Error("a viewer is offered a change")
	}
}

// choose chooses by the keyboard, in the select of this name, what begins so.
func (b *tab) choose(name, begins string) {
	b.t.Helper()
	n := b.node("combobox", name)
	if _, err := chromedp.Call(b.ctx, dom.Focus, dom.FocusParams{BackendNodeID: n.BackendDOMNodeID}); err != nil {
		b.t.Fatalf("select %q: %v", name, err)
	}
	b.press(begins)
}
