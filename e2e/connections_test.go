package e2e

import (
	"strings"
	"testing"

	"musterline.example/internal/githubsim"
	"musterline.example/internal/ldaptest"
)

func TestAnOrganizationIsConnectedByAToken(t *testing.T) {
	l := newLab(t)
	l.world.AddOrganization("southlight", "olga")
	l.github.PutToken(githubsim.Token{Value: "ghp_reads_only", User: "olga", Scopes: []string{"read:org"}})
	l.serve()
	b := l.signIn("root", "administrator")
	b.open("/console/connections")
	b.see("northlight", "Defined in", "musterline.yaml")
	b.click("link", "Connect an organization")
	b.fill("Name", "south")
	b.click("radio", "A token, or a GitHub App that there is")
	b.fill("Organization", "southlight")
	b.fill("API address", "no address")
	b.fill("Token", "ghp_reads_only")
	b.expect("422")
	b.click("button", "Test connection")
	b.see("API address must be a URL")
	b.fill("API address", l.hub.URL)
	b.click("button", "Test connection")
	b.see("It does not work yet", "Needed, and missing")
	b.shot("connections-new-lacks")
	b.axe()
	b.fill("Token", ownersToken)
	b.click("button", "Test connection")
	b.see("It works", "admin:org", "Has it")
	b.click("button", "Connect")
	b.see("Save changes", "southlight")
	if at := b.at(); at != "/console/connections/targets/south" {
		t.Errorf("it leads to %s", at)
	}
	if text := b.text(); strings.Contains(text, ownersToken) {
		t.Error("the token is shown")
	}
	b.click("button", "Pause")
	b.fill("Reason", "the key is changed today")
	b.axe()
	b.press("\t\t\r") // over Cancel to Pause
	b.see("Paused. A run that is under way", "the key is changed today")
	b.click("button", "Resume")
	b.see("The guards look at it as ever")
	b.fill("Reason", "it is changed")
	b.press("\t\t\r")
	b.see("Resumed. A sync is asked for.")
	b.click("button", "Disconnect this organization")
	b.see("Everybody stays")
	b.click("button", "Disconnect")
	b.see("Identity providers, whose groups are read")
	b.gone("southlight")
}

func TestAnOrganizationIsConnectedByAGitHubApp(t *testing.T) {
	l := newLab(t)
	l.world.AddOrganization("southlight", "olga")
	l.serve()
	b := l.signIn("root", "administrator")
	b.open("/console/connections/new/target")
	b.fill("Name", "south")
	b.fill("Organization", "southlight")
	b.fill("API address", l.hub.URL+"/api/v3")
	b.click("button", "Continue to GitHub")
	b.see("Create a GitHub App", "Members: read and write")
	b.shot("connections-app-begin")
	b.axe()
	b.click("button", "Continue to 127.0.0.1")
	b.see("A simulated GitHub")
	b.click("button", "Create GitHub App for southlight")
	b.see("The App was created")
	b.axe()
	b.click("link", "Install it on southlight")
	b.see("Install Musterline southlight")
	b.click("button", "Install")
	b.see("It works", "members:write", "Has it")
	b.shot("connections-app-done")
	if at := b.at(); !strings.HasPrefix(at, "/console/connections/targets/south") {
		t.Errorf("it leads to %s", at)
	}
}

func TestASourceIsMadeOfADirectoryServerAndTested(t *testing.T) {
	slapd := ldaptest.StartSlapd(t, ldaptest.Options{LDIF: ldaptest.Company(40, 6)})
	l := newLab(t)
	l.serve()
	b := l.signIn("root", "administrator")
	b.open("/console/connections/new/source")
	b.click("radio", "LDAP")
	b.fill("Name", "corp")
	b.click("button", "Test connection")
	b.see("URL is required")
	b.fill("URL", slapd.URL)
	b.click("checkbox", "No encryption")
	b.fill("Bind DN", ldaptest.Reader)
	b.fill("Bind password", "not the password")
	b.fill("Base DN", ldaptest.Base)
	b.click("button", "Test connection")
	b.see("It does not work yet")
	b.fill("Bind password", ldaptest.Password)
	b.click("button", "Test connection")
	b.see("It works", "6 groups")
	b.shot("connections-ldap-works")
	b.axe()
	b.click("button", "Add source")
	b.see("Not read yet", "Save changes")
	b.click("button", "Show groups")
	b.see("g0", "not mapped")
	b.click("button", "Test connection")
	b.see("It works")
	if text := b.text() + eval[string](b, `[...document.querySelectorAll("input")].map(i => i.value).join(" ")`); strings.Contains(text, ldaptest.Password) {
		t.Error("the password is shown")
	}
	b.click("button", "Delete this source")
	b.click("button", "Delete")
	b.see("Identity providers, whose groups are read", "people")
	b.gone("corp")
}

// Two people change the same connection: the second sees the first's change, and decides.
func TestTheSecondToSaveSeesWhatTheFirstHasSaved(t *testing.T) {
	l := newLab(t)
	l.write("more.yaml", company)
	l.serve()
	b := l.signIn("root", "administrator")
	b.open("/console/connections/new/source")
	b.click("radio", "YAML, JSON or CSV file")
	b.fill("Name", "more")
	b.fill("File", "more.yaml")
	b.click("button", "Add source")
	b.see("Save changes")
	other := l.signIn("ann", "administrator")
	other.open("/console/connections/sources/more")
	other.see("Save changes")
	l.write("else.yaml", company)
	l.write("mine.yaml", company)
	b.fill("File", "else.yaml")
	b.click("button", "Save changes")
	b.see("Saved. It counts from now.")
	other.expect("412")
	other.fill("File", "mine.yaml")
	other.click("button", "Save changes")
	other.see("Somebody has changed it meanwhile", "else.yaml", "mine.yaml", "root")
	other.shot("connections-conflict")
	other.axe()
	other.click("button", "Save mine over it")
	other.see("Saved. It counts from now.")
}
