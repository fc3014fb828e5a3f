package e2e

import (
	"strings"
	"testing"
)

// What somebody may write into a directory: a part of a page, letters that turn the line round, and a word that does not end.
const (
	markup = `<img src=x onerror="document.title='owned'">`
	turned = "\u202egnp.exe \U0001F600"
)

var endless = strings.Repeat("w", 200)

// hostile gives people, groups and teams such names.
func (l *lab) hostile() {
	l.t.Helper()
	l.people.renames("Platform engineers", markup)
	l.people.renames("On call", endless)
	l.people.renames("Security", turned)
	l.people.renames("Design", turned+endless)
	l.people.sets("ada", "cn", markup)
	l.people.sets("cleo", "cn", endless)
	l.people.sets("joe", "cn", turned)
	l.people.sets("joe", "mail", endless+"@example.com")
	l.people.sets("fay", "cn", turned)
	l.people.sets("ivy", "githubLogin", markup)
	l.org.AddTeam(markup)
	l.org.AddTeam(endless)
}

// intact fails the test where a name has become a part of the page, turns round what follows it, or makes the page wider than the screen.
func (b *tab) intact(width int) {
	b.t.Helper()
	if title := eval[string](b, "document.title"); title == "owned" || eval[int](b, `document.querySelectorAll("img[src=x]").length`) != 0 {
		b.t.Errorf("at %s a name has become a part of the page", b.at())
	}
	if wide := eval[int](b, "document.documentElement.scrollWidth"); wide > width {
		b.t.Errorf("%s is %d wide, for %s", b.at(), wide, eval[string](b, `[...document.body.querySelectorAll("*")].filter(e =>
			e.getBoundingClientRect().right > innerWidth && ![...e.children].some(c => c.getBoundingClientRect().right > innerWidth)).map(e => e.outerHTML.slice(0, 300)).join("\n")`))
	}
	if open := eval[[]string](b, `(() => {
		const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), open = []
		while (texts.nextNode()) {
			const t = texts.currentNode, e = t.parentElement
			if (t.data.includes("\u202e") && !e.closest("bdi, [dir=auto], textarea, option, title")) open.push(e.outerHTML.slice(0, 300))
		}
		return open
	})()`); len(open) > 0 {
		b.t.Errorf("at %s a name turns round what follows it:\n%s", b.at(), strings.Join(open, "\n"))
	}
}

// Whatever people, groups and teams are called, a name is text on every page, keeps to itself, and the page fits on a telephone.
func TestNoNameBreaksAPage(t *testing.T) {
	l := newLab(t)
	l.run("sync", "--config", "musterline.yaml")
	l.hostile()
	l.run("sync", "--config", "musterline.yaml")
	l.serve()
	b := l.signIn("\u202e<b>"+endless[:80], "administrator") // a word of a hundred bytes at most
	l.notified(b)
	b.guise(360, 740, "light")
	for _, page := range pages {
		b.open(page.path)
		b.settled()
		b.intact(360)
		b.shot("names-" + page.name)
	}
	b.guise(1280, 900, "light")
	b.open("/console/people")
	b.see(markup, endless, "gnp.exe")
	b.intact(1280)
	b.open("/console/people/people/" + uuid("ada"))
	b.see(markup, "ada-l", "platform")
	b.intact(1280)
	b.axe()
	b.open("/console/people/why?user=people%2F" + uuid("cleo") + "&team=northlight%2Fplatform")
	b.see("In the team", markup, endless)
	b.intact(1280)
	b.axe()
	b.open("/console/connections/sources/people")
	b.click("button", "Show groups")
	b.see(markup, endless, "gnp.exe")
	b.intact(1280)
	b.guise(360, 740, "light")
	b.settled()
	b.intact(360)
	b.axe()
	b.shot("names-source-groups")
}
