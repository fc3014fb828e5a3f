package e2e

import (
	"strings"
	"testing"
)

// Before anything is connected every page says what it is for and where to begin, in light, in dark and on a telephone.
func TestAFreshInstallationSaysWhereToBegin(t *testing.T) {
	l := newLab(t)
	l.write("musterline.yaml", strings.SplitN(settings, "sources:", 2)[0])
	l.serve()
	b := l.newTab()
	b.open(l.link("root", "administrator"))
	b.click("button", "Sign in")
	b.see("Keep your teams in line with your identity provider")
	for _, page := range []struct{ name, path, says, way string }{
		{"overview", "/console/", "Connect a GitHub organization", "link Open connections"},
		{"teams", "/console/teams", "No organization is connected", "link Open connections"},
		{"plans", "/console/plans", "No plans yet", "link Open connections"},
		{"runs", "/console/runs", "No organization is connected", "link Open connections"},
		{"people", "/console/people", "No source is connected", "link Open connections"},
		{"accounts", "/console/people?view=accounts", "No organization is connected", "link Accounts without a user"},
		{"connections", "/console/connections", "There is no source", "link Connect an organization"},
	} {
		for _, guise := range []struct {
			name, scheme  string
			width, height int64
		}{{"light", "light", 1280, 900}, {"dark", "dark", 1280, 900}, {"narrow", "light", 360, 740}} {
			b.guise(guise.width, guise.height, guise.scheme)
			b.open(page.path)
			b.see(page.says)
			b.settled()
			if role, name, _ := strings.Cut(page.way, " "); !b.there(role, name) {
				t.Errorf("%s leads nowhere:\n%s", page.name, b.text())
			}
			b.axe()
			if wide := eval[int](b, `document.documentElement.scrollWidth`); int64(wide) > guise.width {
				t.Errorf("%s, %s: it is %d wide", page.name, guise.name, wide)
			}
			b.shot("fresh-" + page.name + "-" + guise.name)
		}
	}
}
