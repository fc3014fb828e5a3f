package e2e

import (
	"strings"
	"testing"
)

// pages are all pages of the console, as an administrator sees them.
var pages = []struct{ name, path string }{
	{"overview", "/console/"},
	{"teams", "/console/organizations/northlight/teams"},
	{"team", "/console/organizations/northlight/teams/security"},
	{"team-free", "/console/organizations/northlight/teams/design"},
	{"team-parent", "/console/organizations/northlight/teams/engineering"},
	{"team-settings", "/console/organizations/northlight/teams/security/settings"},
	{"people", "/console/people"},
	{"people-accounts", "/console/people?view=accounts"},
	{"people-why", "/console/people/why?user=people%2F" + uuid("joe") + "&team=northlight%2Fsecurity"},
	{"person", "/console/people/people/" + uuid("cleo")},
	{"person-held", "/console/people/people/" + uuid("joe")},
	{"connections", "/console/connections"},
	{"connections-source", "/console/connections/sources/people"},
	{"connections-target", "/console/connections/targets/northlight"},
	{"connections-new-source", "/console/connections/new/source"},
	{"connections-new-target", "/console/connections/new/target"},
	{"my-accounts", "/console/link"},
	{"plans", "/console/plans"},
	{"plan", "/console/organizations/northlight/plan"},
	{"plan-held", "/console/organizations/northlight/plan?part=held"},
	{"plan-refused", "/console/organizations/northlight/plan?part=refused"},
	{"runs", "/console/runs"},
	{"run", "/console/runs/1"},
	{"undo", "/console/runs/1/undo?target=northlight"},
	{"audit", "/console/audit"},
	{"settings-organization", "/console/settings/organizations/northlight"},
	{"settings-enterprise", "/console/settings/enterprise"},
	{"settings-guards", "/console/settings/guards"},
	{"settings-schedule", "/console/settings/schedule"},
	{"settings-notifications", "/console/settings/notifications"},
	{"settings-notification", "/console/settings/notifications/pager"},
	{"settings-notification-new", "/console/settings/notifications/_new"},
	{"settings-tokens", "/console/settings/tokens"},
	{"settings-roles", "/console/settings/roles"},
	{"settings-sessions", "/console/settings/sessions"},
	{"settings-about", "/console/settings/about"},
}

// Every page, in light, in dark and on a telephone: axe finds nothing, nothing is wider than the screen, the page has a heading and a title
// of its own, and it asks the API no more than three times.
func TestEveryPageInEveryGuise(t *testing.T) {
	l := newLab(t)
	l.run("sync", "--config", "musterline.yaml")
	l.serve()
	type pair struct{ light, dark *tab } // to change the light of a page that is open takes a browser longer than to open it twice
	pairs := make(chan pair, 2)
	for range cap(pairs) {
		b := l.signIn("root", "administrator")
		if len(pairs) == 0 {
			l.notified(b)
		}
		dark := b.another()
		dark.guise(1280, 900, "dark")
		pairs <- pair{b, dark}
	}
	for _, page := range pages {
		t.Run(page.name, func(t *testing.T) {
			t.Parallel()
			with := <-pairs
			defer func() { pairs <- with }()
			with.light.during(t, func(b *tab) {
				b.guise(1280, 900, "light")
				b.open(page.path)
				b.settled()
				if calls := b.calls(); len(calls) > 3 {
					t.Errorf("it asks the API %d times:\n%s", len(calls), strings.Join(calls, "\n"))
				}
				if n := eval[int](b, `document.querySelectorAll("h1").length`); n != 1 {
					t.Errorf("it has %d headings of the first order", n)
				}
				if title := eval[string](b, "document.title"); title == "Musterline" || !strings.HasSuffix(title, "· Musterline") {
					t.Errorf("its title is %q", title)
				}
				b.looksWell(page.name+"-light", 1280)
				b.guise(360, 740, "light")
				b.settled()
				b.looksWell(page.name+"-narrow", 360)
			})
			with.dark.during(t, func(b *tab) {
				b.open(page.path)
				b.settled()
				b.looksWell(page.name+"-dark", 1280)
			})
		})
	}
}

// during lends a tab to a part of its test, which fails for what the browser says meanwhile.
func (b *tab) during(t *testing.T, do func(*tab)) {
	t.Helper()
	whole := b.t
	b.t = t
	defer func() {
		b.finish()
		b.t = whole
	}()
	do(b)
}

// looksWell fails the test where axe finds something or the page is wider than the screen, and keeps a picture of it.
func (b *tab) looksWell(name string, width int) {
	b.t.Helper()
	b.axe()
	if wide := eval[int](b, `document.documentElement.scrollWidth`); wide > width {
		b.t.Errorf("%s: it is %d wide", name, wide)
	}
	b.shot(name)
}
