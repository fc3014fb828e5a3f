package e2e

import (
	"net/http/httptest"
	"strings"
	"testing"

	"musterline.example/internal/githubsim"
	"musterline.example/internal/oidcsim"
)

// signInWays gives the company an identity provider to sign in with, beside its GitHub.
func (l *lab) signInWays() *oidcsim.Provider {
	l.t.Helper()
	web := httptest.NewUnstartedServer(nil)
	address := "http://" + web.Listener.Addr().String()
	idp, err := oidcsim.New(oidcsim.Options{
		Issuer: address, ClientID: "musterline", Secret: "s3cret", Callback: l.url + "/login/oidc/callback",
		People: []oidcsim.Person{
			{Subject: "joe", Name: "Joe Marsh", Login: "joe"}, {Subject: "ada", Name: "Ada Lovelace", Login: "ada"},
			{Subject: "zed", Name: "Zed <b>Nobody</b>", Login: "zed"},
		},
	})
	if err != nil {
		l.t.Fatal(err)
	}
	web.Config.Handler = idp
	web.Start()
	l.t.Cleanup(web.Close)
	l.idp = web.URL
	l.github.AddOAuthApp(githubsim.OAuthApp{ClientID: "console", Secret: "s3cret", Name: "Musterline", Callback: l.url + "/login/github/callback"})
	l.write("musterline.yaml", strings.Replace(settings, `external_url: "URL" }`, `external_url: "URL", sign_in: {
  oidc: { issuer: "`+address+`", client_id: musterline, client_secret: s3cret, name: Northlight ID, source: people, claim: preferred_username, matches: username },
  github: { client_id: console, client_secret: s3cret, url: "HUB", api_url: "HUB" } } }`, 1))
	return idp
}

// Joe has no role and no login that anybody knows. He signs in on both sides, sees which team he will get and that nothing else is here for him,
// links himself, and is in the team after the sync that this has asked for.
func TestSomebodyLinksThemselves(t *testing.T) {
	l := newLab(t)
	l.signInWays()
	l.org.AddMember("joe-marsh")
	l.run("sync", "--config", "musterline.yaml")
	l.serve()
	b := l.newTab()
	b.open("/console/")
	b.see("Sign in to Musterline", "Sign in with Northlight ID", "Sign in with GitHub")
	b.axe()
	b.shot("sign-in")
	b.click("link", "Sign in with Northlight ID")
	b.see("Sign in to the simulated identity provider")
	b.click("button", "Sign in")
	b.see("My accounts", "Signed in as Joe Marsh", "Not shown yet in this session.", "Sign in with GitHub first.", "You have no role in Musterline", "ask an administrator of Musterline")
	b.see("northlight/security", "because you are in Security")
	if b.there("navigation", "Console") || b.there("link", "Overview") {
		t.Error("other pages are offered to somebody without a role")
	}
	b.axe()
	b.shot("link-one-side")
	b.open("/console/runs")
	b.see("My accounts")
	if at := b.at(); at != "/console/link" {
		t.Errorf("somebody without a role is led to %s", at)
	}
	b.click("link", "Sign in with GitHub")
	b.see("Simulated GitHub", "Sign in as:")
	b.click("link", "stray")
	b.see("Signed in as stray")
	b.click("link", "Sign in again with GitHub")
	b.click("link", "joe-marsh")
	b.see("Signed in as joe-marsh")
	b.axe()
	b.shot("link-both-sides")
	b.guise(360, 740, "dark")
	b.settled()
	if wide := eval[int](b, `document.documentElement.scrollWidth`); wide > 360 {
		t.Errorf("it is %d wide", wide)
	}
	b.axe()
	b.shot("link-narrow")
	b.guise(1280, 900, "light")
	b.click("button", "Link my accounts")
	b.see("Your accounts are linked")
	b.axe()
	b.shot("link-done")
	l.until("joe is in the team", func() bool { return strings.Contains(l.members("security"), "joe-marsh") })
}

// What is in the way of a link is said in plain words, and nothing can be linked.
func TestALinkThatCannotBeMadeSaysWhy(t *testing.T) {
	l := newLab(t)
	l.signInWays()
	l.run("sync", "--config", "musterline.yaml")
	l.serve()
	b := l.newTab()
	b.open("/console/link")
	b.click("link", "Sign in with Northlight ID")
	choosePerson(b, "zed")
	b.see("You were not found", "Zed <b>Nobody</b>")
	b.axe()
	b.shot("link-not-found")
	b.click("link", "Sign in again with Northlight ID")
	choosePerson(b, "joe")
	b.see("people/" + uuid("joe"))
	b.click("link", "Sign in with GitHub")
	b.click("link", "ada-l")
	b.see("This account is somebody else’s")
	if got := eval[bool](b, `[...document.querySelectorAll("button")].find(x => x.innerText === "Link my accounts").disabled`); !got {
		t.Error("a link that cannot be made is offered")
	}
	b.axe()
	b.shot("link-taken")
}

func choosePerson(b *tab, subject string) {
	b.t.Helper()
	b.see("Sign in to the simulated identity provider")
	eval[bool](b, `document.querySelector("select").value = "`+subject+`", true`)
	b.click("button", "Sign in")
}

// A provider that is down is named, and the other still lets people in.
func TestAProviderThatIsDownIsNamed(t *testing.T) {
	l := newLab(t)
	idp := l.signInWays()
	l.run("sync", "--config", "musterline.yaml")
	l.serve()
	b := l.newTab()
	idp.Stop(true)
	b.expect("502", "503")
	b.open("/console/")
	b.click("link", "Sign in with Northlight ID")
	b.see("Northlight ID cannot be reached")
	b.axe()
	b.shot("sign-in-idp-down")
	b.open("/console/")
	b.click("link", "Sign in with GitHub")
	b.click("link", "olga")
	b.see("Overview") // an owner of the organization, by GitHub's word
	idp.Stop(false)

	other := l.newTab()
	other.expect("502", "503")
	other.open("/console/")
	l.github.Inject(githubsim.Fault{Path: "/login/oauth/access_token", Status: 503})
	other.click("link", "Sign in with GitHub")
	other.click("link", "olga")
	other.see("GitHub (127.0.0.1", "did not let you in", "has a trouble of its own at the moment")
	if said := other.text(); !strings.Contains(said, "GitHub") || strings.Contains(said, "Northlight ID") {
		t.Errorf("it does not say which: %s", said)
	}
	other.axe()
	other.shot("sign-in-github-down")
}

// Who maintains a team on GitHub is led to what is theirs, and offered nothing else.
func TestAMaintainerOnGitHubIsOfferedTheirTeams(t *testing.T) {
	l := newLab(t)
	l.signInWays()
	l.run("sync", "--config", "musterline.yaml")
	l.org.Team("design").Set("dana-l", githubsim.Maintainer)
	l.serve()
	b := l.newTab()
	b.open("/console/")
	b.click("link", "Sign in with GitHub")
	b.click("link", "dana-l")
	b.see("Teams", "design")
	for _, name := range []string{"Overview", "Runs", "People", "Connections", "Audit log"} {
		if b.there("link", name) {
			t.Errorf("they are offered %s", name)
		}
	}
	b.settled()
	b.axe()
	b.shot("maintainer-teams")
	b.open("/console/audit")
	b.see("Your role does not open this page")
	b.axe()
	b.open("/console/settings")
	b.see("Where you are signed in.")
}
