package e2e

import (
	"strings"
	"testing"
)

func TestSomebodyIsLinkedByHandAndJoinsAsWasSaid(t *testing.T) {
	l := newLab(t)
	l.run("sync", "--config", "musterline.yaml")
	l.serve()
	b := l.signIn("root", "administrator")
	b.open("/console/people")
	b.fill("Name, mail address, id or login", "joe")
	b.see("Joe Marsh", "Not linked")
	b.gone("Ada Lovelace")
	b.wait("the search is in the address", func() bool { return strings.Contains(b.at(), "q=joe") })
	b.click("link", "Joe Marsh")
	b.see("No account is known to be theirs", "Held")
	b.click("button", "Link an account")
	b.fill("Find the account", "mia")
	b.click("radio", "mia")
	b.click("button", "See what it does")
	b.see("Give a reason")
	b.fill("Reason", "She told me on the phone")
	b.axe()
	b.click("button", "See what it does")
	b.see("mia", "joins", "security")
	b.shot("people-link-effect")
	b.axe()
	b.click("button", "Link to mia")
	b.see("Joe Marsh is linked to mia", "said by hand")
	l.until("mia is in the security team", func() bool { return strings.Contains(l.members("security"), "mia") })

	b.click("button", "Take back")
	b.see("Take back the link of Joe Marsh")
	b.confirm("Cancel")
	b.gone("Take back the link of Joe Marsh")
	b.click("button", "Take back")
	b.see("Take back the link of Joe Marsh", "leaves")
	b.fill("Reason", "It was another Joe")
	b.confirm("Take back")
	b.gone("Take back the link of Joe Marsh")
	b.see("What was said by hand is taken back", "Link by hand taken back", "It was another Joe", "No account is known to be theirs")
}

func TestItIsToldWhyAndWhyNot(t *testing.T) {
	l := newLab(t)
	l.run("sync", "--config", "musterline.yaml")
	l.serve()
	b := l.signIn("root", "viewer")
	b.open("/console/people")
	b.fill("Why is this person", "cleo@example.com")
	b.fill("in this team, or not", "northlight/platform")
	b.press("\r")
	b.see("In the team", "Musterline put them there", "Platform engineers", "On call", "attribute cleo-m = login", "Audit entry", "run 1")
	b.shot("people-why-in")
	b.open("/console/people/why?user=people%2F" + uuid("joe") + "&team=northlight%2Fsecurity")
	b.see("Held", "should be in northlight/security and cannot be yet")
	b.axe()
	b.open("/console/people/why?user=dana-l&team=platform")
	b.see("Not in the team")
	b.expect("404")
	b.open("/console/people/why?user=nobody-at-all&team=platform")
	b.see("obody of that name is known")

	// A viewer is offered nothing that they may not do.
	b.open("/console/people/people/" + uuid("joe"))
	b.see("Joe Marsh", "Not linked")
	if b.there("button", "Link an account") {
		t.Error("a viewer is offered to link")
	}
}
