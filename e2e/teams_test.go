package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"musterline.example/internal/githubsim"
)

// pickGroup picks a group for the team whose page is open, by the beginning of its name.
func (b *tab) pickGroup(beginning, name string) {
	b.t.Helper()
	b.click("button", "Add groups")
	b.fill("Find a group by the beginning of its name", beginning)
	b.wait("the list holds what was typed", func() bool {
		return eval[int](b, `document.querySelectorAll('[role="listbox"] [role="option"]').length`) == 1
	})
	b.click("option", name)
	b.press(kb.Escape)
	b.wait("the list is closed", func() bool { return !b.there("option", name) })
	b.see("not saved")
}

// saveGroups asks to save, and says why where guards object.
func (b *tab) saveGroups(why string) {
	b.t.Helper()
	b.click("button", "Save changes")
	b.see("Who would come and go")
	b.wait("the preview is there", func() bool { return !b.there("status", "planned") && !strings.Contains(b.text(), "is being planned") })
	if why != "" {
		b.fill("Why is that right?", why)
	}
}

func TestATeamIsMappedAndWhatThePreviewShowsComesAbout(t *testing.T) {
	l := newLab(t)
	l.org.Team("design").Set("stray", githubsim.Member)
	l.run("sync", "--config", "musterline.yaml")
	l.serve()
	b := l.signIn("root", "administrator")
	b.click("link", "Teams")
	b.see("Design", "Not mapped", "people/Platform engineers")
	b.click("link", "Design")
	b.see("No group is connected")
	b.pickGroup("des", "Design")
	b.saveGroups("")
	b.see("Join 1", "emil-k", "Emil Kraus", "Leave 1", "stray", "stopped by first_connection", "Guards object", "1 person is held back")
	b.axe()
	b.shot("team-preview-light")
	before := l.members("design")
	b.confirm("Save changes") // without a reason
	b.wait("the focus is where one is written", func() bool { return strings.HasPrefix(b.focused(), "textarea") })
	b.see("Who would come and go")
	if l.members("design") != before {
		t.Error("saved without a reason")
	}
	b.fill("Why is that right?", "stray has left the company")
	b.confirm("Save changes")
	b.see("Saved")
	b.wait("the focus is on what came of it", func() bool { return strings.Contains(b.focused(), "Saved") })
	l.until("design is as the preview has shown", func() bool { return l.members("design") == "dana-l emil-k" })
	b.see("Emil Kraus", "granted", "In sync")
	b.wait("stray is none of its people", func() bool {
		return !strings.Contains(eval[string](b, `document.querySelector('section[aria-label="People"]').innerText`), "stray")
	})
	if said := l.run("audit", "--config", "musterline.yaml", "--team", "northlight/design"); !strings.Contains(said, "stray") {
		t.Errorf("the audit record does not tell of it:\n%s", said)
	}
	// Taken away again: who came for it leaves after the grace, and who was there stays out of our hands.
	b.click("button", "Disconnect")
	b.see("Leave after the grace", "emil-k")
	b.confirm("Disconnect")
	b.see("Groups were taken away by")
}

func TestTwoPeopleWhoEditTheSameMappingSeeEachOther(t *testing.T) {
	l := newLab(t)
	l.run("sync", "--config", "musterline.yaml")
	l.serve()
	ann, bob := l.signIn("ann", "administrator"), l.signIn("bob", "owner", "--target", "northlight")
	bob.expect("412")
	for _, b := range []*tab{ann, bob} {
		b.open("/console/organizations/northlight/teams/design")
		b.see("No group is connected")
	}
	ann.pickGroup("des", "Design")
	bob.pickGroup("wri", "Writers")
	ann.saveGroups("")
	ann.see("emil-k")
	ann.confirm("Save changes")
	ann.see("Saved")
	l.until("ann's change has come about", func() bool { return strings.Contains(l.members("design"), "emil-k") })
	ann.see("In sync") // the first connection of the team has ended: what bob takes away leaves after the grace
	bob.saveGroups("")
	bob.see("hana-s")
	bob.confirm("Save changes")
	bob.see("Somebody else has changed the groups of this team meanwhile", "Saved by them", "people/Design", "Yours, not saved", "people/Writers")
	bob.axe()
	bob.shot("team-conflict-light")
	if got := l.members("design"); strings.Contains(got, "hana-s") {
		t.Errorf("bob's change came about: %s", got)
	}
	bob.click("button", "Save mine over theirs")
	bob.see("Who would come and go", "hana-s")
	bob.wait("the preview is there", func() bool { return !strings.Contains(bob.text(), "is being planned") })
	bob.confirm("Save changes")
	bob.see("Saved")
	l.until("hana is in it", func() bool { return strings.Contains(l.members("design"), "hana-s") })
}

func TestWhoDisconnectsATeamSeesWhatSomebodyElseHasMadeOfItMeanwhile(t *testing.T) {
	l := newLab(t)
	l.write("musterline.yaml", strings.SplitN(settings, "mappings:", 2)[0])
	l.serve()
	ann, bob := l.signIn("ann", "administrator"), l.signIn("bob", "administrator")
	bob.expect("412")
	const path = "/targets/northlight/teams/design/mappings"
	ann.api("PUT", path, `{"groups": [{"group": "people/Design", "role": "member"}]}`, "If-Match", "*")
	bob.open("/console/organizations/northlight/teams/design")
	bob.see("Design", "Disconnect")
	ann.api("PUT", path, `{"groups": [{"group": "people/Design", "role": "member"}, {"group": "people/Writers", "role": "member"}]}`, "If-Match", "*")
	bob.click("button", "Disconnect")
	bob.see("Who would come and go")
	bob.wait("the preview is there", func() bool { return !strings.Contains(bob.text(), "is being planned") })
	if bob.there("textbox", "Why is that right?") {
		bob.fill("Why is that right?", "the team is managed by hand")
	}
	bob.confirm("Disconnect")
	bob.see("Somebody else has changed the groups of this team meanwhile", "people/Writers", "Yours, not saved", "No group")
	if got := bob.api("GET", "/targets/northlight/teams/design", ""); !strings.Contains(got, "Writers") {
		t.Errorf("bob's came about: %s", got)
	}
	bob.click("button", "Save mine over theirs")
	bob.see("Who would come and go")
	bob.wait("the preview is there", func() bool { return !strings.Contains(bob.text(), "is being planned") })
	if bob.there("textbox", "Why is that right?") {
		bob.fill("Why is that right?", "the team is managed by hand")
	}
	bob.confirm("Disconnect")
	bob.see("Saved", "No group is connected")
}

func TestNamesFromElsewhereAreTextAndNothingElse(t *testing.T) {
	l := newLab(t)
	const hostile = `<img src=x onerror="document.title='owned'">`
	long := strings.Repeat("w", 200)
	rtl := "\u202egnp.exe \U0001F600"
	l.people.renames("Design", hostile)
	l.people.renames("Writers", long)
	l.people.sets("emil", "cn", rtl)
	l.run("sync", "--config", "musterline.yaml")
	l.serve()
	b := l.signIn("root", "administrator")
	b.open("/console/organizations/northlight/teams/design")
	b.see("No group is connected")
	b.click("button", "Add groups")
	b.see(hostile, long)
	b.click("option", hostile)
	b.press(kb.Escape)
	b.saveGroups("")
	b.see("emil-k", "gnp.exe")
	b.confirm("Save changes")
	b.see("Saved", hostile)
	l.until("emil is in it", func() bool { return strings.Contains(l.members("design"), "emil-k") })
	b.see("granted")
	b.guise(360, 740, "light")
	b.settled()
	if wide := eval[int](b, `document.documentElement.scrollWidth`); wide > 360 {
		t.Errorf("it is %d wide", wide)
	}
	if title := eval[string](b, "document.title"); title != "Design · Musterline" {
		t.Errorf("the title is %q", title)
	}
	if n := eval[int](b, `document.querySelectorAll("img[src=x]").length`); n != 0 {
		t.Error("a name became a part of the page")
	}
	b.axe()
	b.shot("team-hostile-narrow")
}

func TestWhoOnlyLooksCannotSetGroups(t *testing.T) {
	l := newLab(t)
	l.run("sync", "--config", "musterline.yaml")
	l.serve()
	b := l.signIn("vera", "viewer")
	b.open("/console/organizations/northlight/teams/design")
	b.see("your role only looks")
	if b.there("button", "Save changes") || b.there("button", "Add groups") {
		t.Error("who may not is offered it")
	}
	b.open("/console/organizations/northlight/teams/platform")
	b.see("The groups cannot be set here", "musterline.yaml, line", "Platform engineers › ", "ada-l")
	b.open("/console/organizations/northlight/teams/engineering")
	b.see("has child teams (backend)", "Map the children")
}

func TestTheOverviewLeadsToWhatNeedsAPerson(t *testing.T) {
	l := newLab(t)
	l.run("sync", "--config", "musterline.yaml")
	l.serve()
	b := l.signIn("root", "administrator")
	b.see("Needs you", "1 change waits until somebody approves", "1 person is held back", "northlight", "Waits for approval", "people")
	b.click("link", "See the people: northlight")
	b.wait("the way leads to the people", func() bool { return strings.HasPrefix(b.at(), "/console/people") })
	b.open("/console/")
	b.see("Changes in the last 30 days")
	b.click("DisclosureTriangle", "Show as a table")
	b.see("Put right after a change by hand")
}

func TestWhoHasConnectedNothingIsLedThere(t *testing.T) {
	l := newLab(t)
	l.write("musterline.yaml", strings.SplitN(settings, "sources:", 2)[0])
	l.serve()
	b := l.signIn("root", "administrator")
	b.see("Keep your teams in line with your identity provider", "Connect a GitHub organization")
	b.axe()
	b.shot("first-light")
	b.open("/console/teams")
	b.see("No organization is connected")
}
