package e2e

import (
	"strings"
	"testing"
)

// Where nothing is known yet the pages say so, and what to do; where nothing fits a search they say that instead.
func TestPagesWithNothingToShowSayWhatToDo(t *testing.T) {
	l := newLab(t)
	l.write("musterline.yaml", strings.SplitN(settings, "sources:", 2)[0])
	l.serve()
	b := l.signIn("root", "administrator")
	b.open("/console/people")
	b.see("No source is connected", "The people of mapped groups are listed here once one is.")
	b.axe()
	b.shot("empty-people")
	b.open("/console/people?view=accounts")
	b.see("No organization is connected")
	b.open("/console/people/people/nobody")
	b.expect("404")
	b.see("There is no such thing")
	b.axe()
	b.open("/console/people/why?user=joe&team=platform")
	b.see("There is no such team")
	b.axe()
	b.open("/console/connections")
	b.see("No organization is connected", "Connect one by a GitHub App or by a token.", "There is no source", "Add the identity provider that knows the groups.")
	b.axe()
	b.shot("empty-connections")
	b.open("/console/connections/sources/nothing")
	b.see("There is no such thing")
}

// The server is away while somebody goes from page to page: each page says so, keeps what it has, and is there again when asked once more.
func TestPagesSayThatTheServerIsAwayAndComeBack(t *testing.T) {
	l := newLab(t)
	l.run("sync", "--config", "musterline.yaml")
	l.serve()
	b := l.signIn("root", "administrator")
	for _, page := range []struct{ path, link, says string }{
		{"/console/people", "Ada Lovelace", "ada-l"},
		{"/console/connections", "people", "5 groups"},
	} {
		// Once there and back, so that only the answer is missing afterwards and not the script of the page.
		b.open(page.path)
		b.click("link", page.link)
		b.see(page.says)
		b.open(page.path)
		b.settled()
		b.expect("ERR_", "Failed to load resource")
		l.stop()
		b.click("link", page.link)
		b.see("This could not be shown")
		b.axe()
		b.shot("away" + page.link)
		l.serve()
		b.click("button", "Try again")
		b.see(page.says)
	}
}
