package e2e

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// api asks the API as whoever is signed in in the tab, and returns the answer's text.
func (b *tab) api(method, path, body string, headers ...string) string {
	b.t.Helper()
	h := map[string]string{}
	if body != "" {
		h["Content-Type"] = "application/json"
	}
	for i := 0; i+1 < len(headers); i += 2 {
		h[headers[i]] = headers[i+1]
	}
	wish, err := json.Marshal(map[string]any{"path": path, "init": map[string]any{"method": method, "headers": h, "body": body}})
	if err != nil {
		b.t.Fatal(err)
	}
	return eval[string](b, `(async () => { const w = `+string(wish)+`; if (!w.init.body) delete w.init.body;
		const r = await fetch("/api/musterline" + w.path, w.init); return r.status + " " + await r.text() })()`)
}

// hex is a second organization, made over the API.
func (b *tab) hex() {
	b.t.Helper()
	b.lab.world.AddOrganization("hex-org", "olga")
	said := b.api("PUT", "/targets/hex", `{"kind":"github","organization":"hex-org","api_url":"`+b.lab.hub.URL+`","token":"`+ownersToken+`","pace":"0s"}`, "If-Match", `"0"`)
	if !strings.HasPrefix(said, "200") {
		b.t.Fatal(said)
	}
}

// What the file says is shown with its line and cannot be changed; what was made in the console can, is checked, and says who has changed it.
func TestSettingsOfAnOrganization(t *testing.T) {
	l := newLab(t)
	l.serve()
	b := l.signIn("root", "administrator")
	b.hex()
	b.open("/console/settings/organizations/northlight")
	b.see("This is defined in musterline.yaml, line 8. Change it there.", "Groups per team", "Team removals")
	if b.there("button", "Save changes") {
		t.Error("what the file defines can be saved")
	}
	b.open("/console/settings/organizations/hex")
	b.see("Groups per team")
	b.fill("Groups per team", "700")
	b.see("1 unsaved change")
	b.expect("422")
	b.click("button", "Save changes")
	b.see("Must be from 1 to 100.")
	b.wait("after a refusal the focus is in the form", func() bool { return eval[bool](b, `!!document.activeElement.closest("form")`) })
	b.axe()
	b.fill("Groups per team", "7")
	b.fill("Grace", "1h")
	b.see("2 unsaved changes")
	b.click("button", "Save changes")
	b.see("Saved.", "set by root")
	b.shot("settings-saved")
	if got := b.api("GET", "/targets/hex", ""); !strings.Contains(got, `"groups_per_team":7`) || !strings.Contains(got, `"grace":"1h"`) || !strings.Contains(got, `"secrets":["token"]`) {
		t.Errorf("the target is %s", got)
	}
	// Somebody else is faster.
	b.fill("Groups per team", "9")
	other := l.signIn("fay", "administrator")
	row := other.api("GET", "/targets/hex", "")
	_, row, _ = strings.Cut(row, " ")
	var is struct{ Body map[string]any }
	if err := json.Unmarshal([]byte(row), &is); err != nil {
		t.Fatal(err)
	}
	is.Body["grace"] = "2h"
	changed, _ := json.Marshal(is.Body)
	if said := other.api("PUT", "/targets/hex", string(changed), "If-Match", "*"); !strings.HasPrefix(said, "200") {
		t.Fatal(said)
	}
	b.expect("412")
	b.click("button", "Save changes")
	b.see("Somebody else has changed this meanwhile", "By fay", "grace: 1h → 2h")
	b.axe()
	b.shot("settings-conflict")
	b.click("button", "Save mine too")
	b.see("Saved.")
	if got := b.api("GET", "/targets/hex", ""); !strings.Contains(got, `"groups_per_team":9`) || !strings.Contains(got, `"grace":"2h"`) {
		t.Errorf("one of the two changes is lost: %s", got)
	}
	// The enterprise wins.
	b.api("PUT", "/settings/enterprise", `{"organizations":["hex"],"groups_per_team":3}`, "If-Match", `"0"`)
	b.open("/console/settings/organizations/hex")
	b.see("3 holds here, whatever is set in this form.", "by the enterprise")
	// A guard is switched off, and its limit set.
	b.click("button", "Lost links")
	b.see("1 unsaved change")
	b.click("button", "Save changes")
	b.see("Saved.")
	if got := b.api("GET", "/targets/hex", ""); !strings.Contains(got, `"guards":{"off":["lost_links"]}`) {
		t.Errorf("the target is %s", got)
	}
	// Leaving asks.
	b.fill("Grace", "3h")
	b.click("link", "About")
	b.see("Leave without saving?")
	b.confirm("Stay")
	b.gone("Leave without saving?")
	b.click("button", "Discard")
	b.click("link", "About")
	b.see("Version", "SQLite")
}

func TestTurningAnOrganizationOffAsksWhatBecomesOfItsMembers(t *testing.T) {
	l := newLab(t)
	l.serve()
	b := l.signIn("root", "administrator")
	b.open("/console/settings/organizations/northlight")
	b.click("button", "Turn off")
	b.see("What becomes of the members?")
	b.axe()
	b.shot("settings-off")
	b.press(kb.Escape)
	b.gone("What becomes of the members?")
	b.click("button", "Turn off")
	b.see("What becomes of the members?")
	b.confirm("Turn off")
	b.see("members stay", "Its teams are no longer kept in line, and their members stay.")
	b.click("button", "Turn on")
	b.confirm("Turn on")
	b.see("are kept in line")
}

// Two people have the same page open. Whoever comes second decides about how it is now, and not over what the first has decided.
func TestWhoTurnsAnOrganizationOffSecondSeesWhatTheFirstDecided(t *testing.T) {
	l := newLab(t)
	l.write("musterline.yaml", strings.SplitN(settings, "mappings:", 2)[0])
	l.serve()
	ann, bob := l.signIn("ann", "administrator"), l.signIn("bob", "administrator")
	bob.expect("412")
	const enabled = "/targets/northlight/enabled"
	bob.open("/console/connections/targets/northlight")
	bob.click("button", "Turn off")
	bob.see("What becomes of the members?", "The next sync removes them")
	ann.api("PUT", enabled, `{"enabled": false, "members": "keep"}`, "If-Match", "*")
	bob.click("radio", "Those that Musterline brought leave")
	bob.confirm("Turn off")
	bob.see("Somebody else has turned it off meanwhile", "and their members stay", "nothing was changed")
	bob.axe()
	bob.shot("turned-off-meanwhile")
	bob.confirm("Close")
	bob.see("Turned off", "and their members stay")
	if got := bob.api("GET", enabled, ""); !strings.Contains(got, `"members":"keep"`) {
		t.Errorf("bob's decision came about: %s", got)
	}
	// A page that says what was so before leads to what is so.
	ann.api("PUT", enabled, `{"enabled": true}`, "If-Match", "*")
	bob.click("button", "Turn on")
	bob.see("Somebody else has turned it on meanwhile")
}

// A token is made, opens the API once it is copied, shows its text once, and ends when it is revoked.
func TestTokens(t *testing.T) {
	l := newLab(t)
	l.serve()
	b := l.signIn("root", "administrator")
	b.open("/console/settings/tokens")
	b.see("There are no tokens")
	b.click("button", "New token")
	b.click("button", "Make token")
	b.see("A token needs a name.")
	b.fill("Name", "terraform <b>&\u202e")
	b.axe()
	b.shot("settings-token-new")
	b.click("button", "Make token")
	b.see("Copy it now: nobody can read it again.", "mst_")
	b.axe()
	b.shot("settings-token-made")
	text := eval[string](b, `document.querySelector(".secret code").textContent`)
	status := func() string {
		return eval[string](b, `fetch("/api/musterline/status", {credentials: "omit", headers: {Authorization: "Bearer `+text+`"}}).then(r => String(r.status))`)
	}
	if got := status(); got != "200" {
		t.Errorf("the token opens with %s", got)
	}
	b.open("/console/settings/tokens")
	b.see("terraform <b>", "viewer", "Made by root") // as text, not as HTML
	if strings.Contains(b.text(), text) {
		t.Error("the token is shown twice")
	}
	b.click("button", "Revoke terraform")
	b.see("Whatever uses it is refused at once.")
	b.confirm("Revoke")
	b.see("revoked by root")
	b.expect("401")
	if got := status(); got != "401" {
		t.Errorf("a revoked token is answered with %s", got)
	}
}

func TestRolesAreGivenAndTakenBack(t *testing.T) {
	l := newLab(t)
	l.serve()
	b := l.signIn("root", "administrator")
	b.open("/console/settings/roles")
	b.click("button", "Give a role")
	b.fill("Host and number of the account", "nonsense")
	b.expect("422")
	b.click("button", "Give role")
	b.see("Not saved", "A subject is written")
	b.fill("Host and number of the account", "github.com#1024")
	b.axe()
	b.shot("settings-role-new")
	b.click("button", "Give role")
	b.see("github:github.com#1024", "on everything")
	b.click("button", "Take the role")
	b.confirm("Take back")
	b.see("No role was given yet")
}

// A viewer is offered what a viewer may do, and is told so where an address leads further.
func TestAViewerIsRefusedWhatIsNotTheirs(t *testing.T) {
	l := newLab(t)
	l.run("sync", "--config", "musterline.yaml")
	l.serve()
	b := l.signIn("vic", "viewer", "--target", "northlight")
	b.open("/console/settings")
	b.see("Groups per team")
	if b.there("button", "Save changes") || b.there("button", "Turn off") {
		t.Error("a viewer is offered a change")
	}
	for _, name := range []string{"Tokens", "Roles", "Enterprise"} {
		if b.there("link", name) {
			t.Errorf("a viewer is offered %s", name)
		}
	}
	b.expect("403")
	b.open("/console/settings/tokens")
	b.see("You may not see this")
	b.axe()
	b.shot("settings-refused")
	b.open("/console/settings/sessions")
	b.see("Where you are signed in.", "This session")
}

// The session ends while somebody types. Nothing of that is lost: they sign in in another tab, come back, and save it.
func TestASessionThatEndsTakesNothingTypedWithIt(t *testing.T) {
	l := newLab(t)
	l.serve()
	b := l.signIn("root", "administrator")
	b.open("/console/settings/schedule")
	b.fill("Every", "20m")
	other := l.signIn("fay", "administrator")
	other.open("/console/settings/sessions")
	other.click("button", "End the session of root")
	other.confirm("End session")
	other.gone("root (sign-in link)")
	b.expect("401")
	b.click("button", "Save changes")
	b.see("Your session has ended")
	b.axe()
	b.shot("session-ended")
	b.click("button", "Go on")
	b.see("You are not signed in yet.")
	again := b.another()
	again.open("/console/signed-in")
	again.see("Sign in to Musterline")
	again.open(l.link("root", "administrator"))
	again.click("button", "Sign in")
	again.see("Overview")
	again.open("/console/signed-in")
	again.see("You are signed in", "Go back to the other tab")
	again.axe()
	again.shot("signed-in")
	b.wait("the page goes on, by itself or when asked", func() bool {
		for _, n := range b.find("button", "Go on") {
			b.tryClick(n)
		}
		return !strings.Contains(b.text(), "Your session has ended")
	})
	if got := eval[string](b, `[...document.querySelectorAll("input")].map(i => i.value).join(" ")`); !strings.Contains(got, "20m") {
		t.Errorf("what was typed is lost: the fields say %q", got)
	}
	b.click("button", "Save changes")
	b.see("Saved.")
	if got := b.api("GET", "/settings/schedule", ""); !strings.Contains(got, `"every":"20m"`) {
		t.Errorf("the schedule is %s", got)
	}
}

// Everything can be reached and done with the keyboard alone, and the focus is where it is of use.
func TestSettingsByKeyboard(t *testing.T) {
	l := newLab(t)
	l.serve()
	b := l.signIn("root", "administrator")
	b.open("/console/settings/tokens")
	b.see("There are no tokens")
	reach := func(want string) {
		t.Helper()
		for range 60 {
			if strings.Contains(b.focused(), want) {
				return
			}
			b.press(kb.Tab)
		}
		t.Fatalf("the keyboard does not come to %q; it is at %q", want, b.focused())
	}
	b.press(kb.Tab)
	if got := b.focused(); !strings.Contains(got, "Skip to content") {
		t.Errorf("the first stop is %q", got)
	}
	reach("New token")
	b.press(kb.Enter)
	b.wait("the field has the focus", func() bool { return strings.HasPrefix(b.focused(), "input") })
	b.press("ci")
	reach("Make token")
	b.press(kb.Enter)
	b.see("The token ci is made")
	b.open("/console/settings/tokens")
	b.see("ci")
	reach("Revoke ci")
	b.press(kb.Enter)
	b.see("Whatever uses it is refused at once.")
	b.press(kb.Escape)
	b.gone("Whatever uses it is refused at once.")
	b.wait("the focus is where it was before the dialog", func() bool { return strings.Contains(b.focused(), "Revoke ci") })
}

// The bar with the button stays at the lower edge of a low window, and what the keyboard comes to is never behind it.
func TestTheKeyboardComesToNothingBehindTheBar(t *testing.T) {
	l := newLab(t)
	l.serve()
	b := l.signIn("root", "administrator")
	b.guise(1280, 420, "light")
	b.open("/console/settings/guards")
	b.see("Save changes")
	b.settled()
	fields := 0
	for range 60 {
		b.press(kb.Tab)
		at := eval[struct {
			Name          string
			Field, Behind bool
		}](b, `(() => {
			const e = document.activeElement, bar = document.querySelector(".save-bar"), inForm = e.closest("form") === bar.closest("form")
			const field = inForm && !bar.contains(e), is = e.getBoundingClientRect(), edge = bar.getBoundingClientRect()
			return {Name: e.getAttribute("aria-label") || e.id || e.innerText, Field: field, Behind: field && is.bottom > edge.top + 1 && is.top < edge.bottom}
		})()`)
		if at.Field {
			fields++
		}
		if at.Behind {
			t.Errorf("%q has the focus and is behind the bar", at.Name)
		}
	}
	if fields < 10 {
		t.Errorf("the keyboard came to %d fields: is the page another one now?", fields)
	}
}
