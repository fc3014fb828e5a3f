package signin_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"musterline.example/answer"
	"musterline.example/internal/githubsim"
)

// as signs in with a GitHub account.
func (l *lab) as(login string) *browser {
	l.t.Helper()
	l.github.Browse(login)
	b := l.browser()
	b.get("/login/github").want(http.StatusOK)
	return b
}

func (l *lab) host() string { return strings.TrimPrefix(l.web.URL, "http://") }

func (l *lab) subject(login string) string {
	l.t.Helper()
	return fmt.Sprintf("github:%s#%d", l.host(), l.id(login))
}

func (l *lab) id(login string) int64 {
	l.t.Helper()
	return l.github.World().User(login).ID()
}

func TestGitHubSaysWhoSomebodyIsAndWhatTheyMay(t *testing.T) {
	l := newLab(t)
	ann := l.as("ann")
	m := ann.me()
	if m.Subject != l.subject("ann") || m.How != "github" || m.Who != l.host()+"/ann" || !m.has("owner", "octo", "github") || !m.has("owner", "hex", "github") {
		t.Errorf("%+v", m)
	}
	ann.api("POST", "/targets/octo/pause", `{"reason":"x"}`).want(http.StatusOK).says("/ann")
	ann.api("GET", "/status", "").want(http.StatusOK).says(`"octo"`, `"hex"`)
	ann.api("GET", "/tokens", "").want(http.StatusForbidden)
	if text := ann.api("GET", "/audit", "").want(http.StatusOK).says(`"pause"`).text; strings.Contains(text, `"session"`) {
		t.Error("an owner sees who has signed in to the whole server: ", text)
	}

	bob := l.as("bob")
	if m := bob.me(); len(m.Targets) != 1 || m.Targets[0].Target != "octo" {
		t.Errorf("%+v", m)
	}
	bob.api("GET", "/targets/octo/teams", "").want(http.StatusNotFound) // a member is nobody here
}

// Who has an account on GitHub and nothing to do with this server gets no session, and is told of no organization.
func TestAStrangerIsNotLetIn(t *testing.T) {
	l := newLab(t)
	stranger := func(b *browser, path string) {
		t.Helper()
		l.github.Browse("eve")
		p := b.get(path).want(http.StatusForbidden).safe().says("You are not a member of an organization that is connected here", "sign in with that")
		for _, name := range []string{"octo", "hex"} {
			if strings.Contains(p.text, name) {
				t.Errorf("a stranger is told of %s: %s", name, p.text)
			}
		}
	}
	eve := l.browser()
	before := len(l.github.Calls())
	stranger(eve, "/login/github")
	if eve.me().SignedIn || eve.cookie("musterline") != "" {
		t.Error("is in")
	}
	if n := len(l.github.Calls()) - before; n > 10 {
		t.Errorf("%d calls", n)
	}
	before = len(l.github.Calls())
	stranger(eve, "/login/github")
	for _, c := range l.github.Calls()[before:] {
		if strings.HasPrefix(c.Route, "GET /user/{account_id}") || strings.Contains(c.Route, "memberships") {
			t.Error("a second time a minute GitHub was asked", c.Route)
		}
	}
	// Nor does somebody who is in become a stranger.
	bob := l.as("bob")
	stranger(bob, "/login/github?prove=1")
	if m := bob.me(); m.Login != "bob" {
		t.Errorf("%+v", m)
	}
}

// Whom the identity provider vouches for may have an account that is no member yet: who they are is known, and of organizations they see those alone
// in which they get a team.
func TestAStrangersAccountAsASecondSideNamesNoOrganizationOfOthers(t *testing.T) {
	l := newLab(t)
	l.idp.is(func() {
		l.idp.user = map[string]any{"sub": "00u3", "name": "Cy", "preferred_username": "cy@example.com"}
	})
	l.sync()
	b := l.browser()
	b.get("/login/oidc").want(http.StatusOK)
	l.github.Browse("eve")
	b.get("/login/github?prove=1").want(http.StatusOK)
	if m := b.me(); len(m.Targets) != 0 {
		t.Errorf("%+v", m)
	}
	if s := b.link(); len(s.Members) != 1 || s.Members[0].Target != "octo" || s.Members[0].Member || len(s.Targets) != 1 {
		t.Errorf("%+v", s)
	}
	l.idp.is(func() { l.idp.user = map[string]any{"sub": "00u9", "preferred_username": "none@example.com"} })
	b = l.browser()
	b.get("/login/oidc").want(http.StatusOK)
	b.get("/login/github?prove=1").want(http.StatusOK)
	if s := b.link(); len(s.Members) != 0 || len(s.Targets) != 0 {
		t.Errorf("%+v", s)
	}
}

// Who is a member can only be told by GitHub: while it cannot be asked nobody new comes in by it.
func TestGitHubThatCannotSayWhoIsAMemberLetsNobodyIn(t *testing.T) {
	l := newLab(t)
	l.github.Browse("ann")
	l.github.Inject(githubsim.Fault{Path: "/user/*", Status: http.StatusForbidden, Message: "not now"})
	b := l.browser()
	p := b.get("/login/github").want(http.StatusBadGateway).safe().says("could not be asked")
	if strings.Contains(p.text, "octo") || b.me().SignedIn {
		t.Error(p.text)
	}
}

// Who owns two organizations asks about both at once, and says which where a word means something in each.
func TestAnOwnerOfTwoOrganizationsAsksWhy(t *testing.T) {
	l := newLab(t)
	l.sync()
	ann := l.as("ann")
	ann.api("GET", "/why?user=bob&team=platform", "").want(http.StatusOK).says(`"target":"octo"`)
	ann.api("GET", "/why?user=bob&team=octo/platform", "").want(http.StatusOK).says(`"target":"octo"`)
	ann.api("GET", "/why?user=bob&team=nothing", "").want(http.StatusNotFound)
	ann.api("GET", "/links", "").want(http.StatusOK).says("people/bob")
	ann.api("GET", "/links?target=octo", "").want(http.StatusOK).says("people/bob")
	ann.api("GET", "/links?target=gone", "").want(http.StatusNotFound)
	l.github.World().Organization("hex-org").AddTeam("Platform")
	if _, err := l.house.MapTeam(t.Context(), answer.MapWish{
		Target: "hex", Team: "platform", Groups: []answer.GroupWish{{Group: "people/platform"}}, Version: answer.AnyVersion, By: "a test",
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.house.Sync(t.Context(), syncWish("hex"), nil); err != nil {
		t.Fatal(err)
	}
	ann.api("GET", "/why?user=bob&team=platform", "").want(http.StatusUnprocessableEntity).says("target/team")
	ann.api("GET", "/why?user=bob&team=hex/platform", "").want(http.StatusOK).says(`"target":"hex"`)
	// The record as a whole is no organization's.
	ann.api("GET", "/audit/verify", "").want(http.StatusForbidden)
	l.assign(l.subject("ann"), "viewer", "")
	ann.api("GET", "/audit/verify", "").want(http.StatusOK)
}

func TestAMaintainerHasTheirTeamAlone(t *testing.T) {
	l := newLab(t)
	l.org.Team("free").Set("bob", githubsim.Maintainer)
	bob := l.as("bob")
	m := bob.me()
	if !m.has("maintainer", "octo", "github") || len(m.Targets) != 1 || len(m.Targets[0].Maintains) != 1 {
		t.Errorf("%+v", m)
	}
	groups := `{"groups":[{"group":"people/leads"}]}`
	bob.api("GET", "/targets/octo/teams", "").want(http.StatusForbidden)
	bob.api("GET", "/sources/people/groups?target=octo", "").want(http.StatusOK)
	bob.api("GET", "/targets/octo/teams/free", "").want(http.StatusOK)
	bob.api("GET", "/targets/octo/teams/platform", "").want(http.StatusForbidden)
	bob.api("PUT", "/targets/octo/teams/platform/mappings", groups, "If-Match", "*").want(http.StatusForbidden)
	bob.api("POST", "/targets/octo/teams/free/mappings/preview", groups).want(http.StatusOK)
	bob.api("PUT", "/targets/octo/teams/free/mappings", groups, "If-Match", "*").want(http.StatusOK).says("people/leads")
	bob.api("POST", "/targets/octo/pause", `{"reason":"x"}`).want(http.StatusForbidden)
	// Who maintains a team below another is nothing to that one.
	l.org.AddTeam("Below").SetParent(l.org.Team("docs"))
	l.org.Team("below").Set("bob", githubsim.Maintainer)
	bob.api("GET", "/targets/octo/teams/docs", "").want(http.StatusForbidden)
}

// What somebody was a moment ago is good enough to look, and never to change anything.
func TestWhoWasDemotedASecondAgoChangesNothing(t *testing.T) {
	l := newLab(t)
	l.org.Team("free").Set("bob", githubsim.Maintainer)
	bob := l.as("bob")
	groups := `{"groups":[{"group":"people/leads"}]}`
	bob.api("GET", "/targets/octo/teams/free", "").want(http.StatusOK)
	l.org.Team("free").Set("bob", githubsim.Member)
	bob.api("PUT", "/targets/octo/teams/free/mappings", groups, "If-Match", "*").want(http.StatusForbidden)
	ann := l.as("ann")
	ann.api("GET", "/targets/octo/teams", "").want(http.StatusOK)
	l.org.MakeMember("ann")
	ann.api("POST", "/targets/octo/pause", `{"reason":"x"}`).want(http.StatusNotFound)
}

// Logins change hands; numbers do not.
func TestALoginThatHasChangedHandsOpensNothing(t *testing.T) {
	l := newLab(t)
	ann := l.as("ann")
	ann.api("GET", "/targets/octo/teams", "").want(http.StatusOK)
	l.github.World().User("ann").Rename("ann-was")
	l.github.World().AddUser("ann")
	l.github.Browse("ann")
	l.browser().get("/login/github").want(http.StatusForbidden).says("not a member")
	l.assign(l.subject("ann"), "viewer", "hex")
	stranger := l.as("ann")
	if m := stranger.me(); len(m.Roles) != 1 || m.Subject == l.subject("ann-was") {
		t.Errorf("%+v", m)
	}
	stranger.api("GET", "/targets/octo/teams", "").want(http.StatusNotFound)
	l.clock.later(2 * time.Minute)
	ann.api("POST", "/targets/octo/pause", `{"reason":"x"}`).want(http.StatusOK)
}

// An account on another GitHub is nothing here, whatever its number.
func TestAnAccountOfAnotherHostIsNobody(t *testing.T) {
	l := newLab(t)
	other := newLab(t)
	settings := fmt.Sprintf(`only github: { client_id: Iv1.simulated, client_secret: "${SECRET}", url: %q, api_url: %q }`, other.web.URL, other.web.URL)
	far := newLab(t, settings)
	_ = l
	other.github.AddOAuthApp(githubsim.OAuthApp{ClientID: "Iv1.simulated", Secret: clientSecret, Callback: far.self.URL + "/login/github/callback"})
	other.github.Browse("ann")
	b := far.browser()
	b.get("/login/github").want(http.StatusForbidden).says("not a member")
	far.assign(fmt.Sprintf("github:%s#%d", other.host(), other.id("ann")), "viewer", "hex")
	b.get("/login/github").want(http.StatusOK)
	if m := b.me(); len(m.Roles) != 1 || len(m.Targets) != 0 || m.Login != "ann" {
		t.Errorf("%+v", m)
	}
	b.api("GET", "/targets/octo/teams", "").want(http.StatusNotFound)
	far.assign("github:"+far.host()+"#"+fmt.Sprint(other.id("ann")), "administrator", "")
	b.api("GET", "/tokens", "").want(http.StatusForbidden)
}

func TestARoleThatWasAssignedToAnAccount(t *testing.T) {
	l := newLab(t)
	l.assign(l.subject("eve"), "owner", "hex")
	eve := l.as("eve")
	eve.api("GET", "/targets/hex/teams", "").want(http.StatusOK)
	eve.api("GET", "/targets/octo/teams", "").want(http.StatusNotFound)
}

func TestEveryTroubleWithGitHubHasItsSentence(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(l *lab, a *githubsim.OAuthApp)
		status int
		says   string
	}{
		{"says no", func(_ *lab, a *githubsim.OAuthApp) { a.Denied = true }, http.StatusForbidden, "said no"},
		{"suspended", func(_ *lab, a *githubsim.OAuthApp) { a.Suspended = true }, http.StatusForbidden, "has suspended it"},
		{"another address", func(l *lab, a *githubsim.OAuthApp) { a.Callback = l.self.URL + "/login/github/callback/elsewhere" }, http.StatusNotFound, "no such page"},
		{"another secret", func(_ *lab, a *githubsim.OAuthApp) { a.Secret = "new" }, http.StatusBadGateway, "client id and secret"},
		{"down for tokens", func(l *lab, _ *githubsim.OAuthApp) {
			l.github.Inject(githubsim.Fault{Path: "/login/oauth/access_token", Drop: githubsim.DropRequest})
		}, http.StatusBadGateway, "cannot be reached"},
		{"broken for tokens", func(l *lab, _ *githubsim.OAuthApp) {
			l.github.Inject(githubsim.Fault{Path: "/login/oauth/access_token", Status: 503})
		}, http.StatusBadGateway, "a trouble of its own"},
		{"down for the account", func(l *lab, _ *githubsim.OAuthApp) {
			l.github.Inject(githubsim.Fault{Path: "/user", Drop: githubsim.DropRequest})
		}, http.StatusBadGateway, "cannot be reached"},
		{"another API", func(l *lab, _ *githubsim.OAuthApp) {
			l.github.Inject(githubsim.Fault{Path: "/user", Status: 401})
		}, http.StatusBadGateway, "cannot be believed"},
		{"an answer that is none", func(l *lab, _ *githubsim.OAuthApp) {
			l.github.Inject(githubsim.Fault{Path: "/user", Status: 200, Body: `{"login":"ann"}`})
		}, http.StatusBadGateway, "cannot be believed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t)
			app := githubsim.OAuthApp{ClientID: "Iv1.simulated", Secret: clientSecret, Callback: l.self.URL + "/login/github/callback"}
			c.change(l, &app)
			l.github.AddOAuthApp(app)
			b := l.browser()
			b.get("/login/github").want(c.status).safe().says(c.says)
			if b.me().SignedIn {
				t.Error("is in")
			}
		})
	}
}

// GitHub's token tells whose it is, and then is nowhere any more.
func TestTheTokenOfSomebodyIsGivenBack(t *testing.T) {
	l := newLab(t)
	l.as("ann")
	var gave bool
	for _, c := range l.github.Calls() {
		gave = gave || c.Route == "DELETE /applications/{client_id}/token" && c.Status == http.StatusNoContent
	}
	if !gave {
		t.Error("the token was kept")
	}
	l.github.Inject(githubsim.Fault{Route: "DELETE /applications/{client_id}/token", Path: "/applications/*/token", Drop: githubsim.DropRequest})
	l.as("bob") // nor does it matter when that fails
}

// GitHub that is down takes no role away that is ours to know, and says that it is GitHub.
func TestGitHubIsDownWhileSomebodyIsIn(t *testing.T) {
	l := newLab(t)
	ann := l.as("ann")
	l.assign(l.subject("eve"), "viewer", "octo")
	eve := l.as("eve")
	l.github.Inject(githubsim.Fault{Path: "/user/*", Status: http.StatusForbidden, Message: "not now"}) // which is not tried again, as a cut is
	eve.api("GET", "/runs?target=octo", "").want(http.StatusOK)
	ann.api("GET", "/runs?target=octo", "").want(http.StatusBadGateway).says("could not be asked")
	ann.api("POST", "/targets/octo/pause", `{"reason":"x"}`).want(http.StatusBadGateway)
	m := ann.me()
	if !m.SignedIn || len(m.Targets) != 1 || m.Targets[0].Target != "hex" || m.Unsure == "" { // hex was asked when she signed in
		t.Errorf("%+v", m)
	}
	if m := eve.me(); len(m.Targets) != 1 || m.Targets[0].Unavailable == "" {
		t.Errorf("%+v", m)
	}
}

// Somebody of the identity provider has what their account has, where it is proven to be theirs: a person's word, or both sides shown. What an
// attribute says is no such proof, because who can write it must not become an owner by it.
func TestALinkedAccountCountsWhereItIsProven(t *testing.T) {
	l := newLab(t)
	l.write("directory.yaml", strings.Replace(people, "accounts: { github: ada-l }", "accounts: { github: ann }", 1))
	if _, err := l.house.Sync(t.Context(), syncWish("octo"), nil); err != nil {
		t.Fatal(err)
	}
	links, err := l.house.Links(t.Context())
	if err != nil || !strings.Contains(fmt.Sprint(links), "people/ada") {
		t.Fatal("the attribute has made no link", links, err)
	}
	b := l.browser()
	b.get("/login/oidc").want(http.StatusOK)
	b.api("GET", "/targets/octo/teams", "").want(http.StatusNotFound)
	if _, err := l.house.Link(t.Context(), answer.LinkWish{User: "people/ada", Account: fmt.Sprintf("%s/%d", l.host(), l.id("ann")), Reason: "asked her", By: "root"}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.house.Sync(t.Context(), syncWish("octo"), nil); err != nil {
		t.Fatal(err)
	}
	l.clock.later(2 * time.Minute)
	b.api("GET", "/targets/octo/teams", "").want(http.StatusOK)
	if m := b.me(); !m.has("owner", "octo", "github") {
		t.Errorf("%+v", m)
	}
}

// GitHub is asked once a minute what somebody is, however many pages they look at, and anew for every change.
func TestGitHubIsAskedOnceAMinuteAndAnewForChanges(t *testing.T) {
	l := newLab(t)
	ann := l.as("ann")
	asked := func() (n int) {
		for _, c := range l.github.Calls() {
			if c.Route == "GET /user/{account_id}" {
				n++
			}
		}
		return n
	}
	for range 5 {
		ann.api("GET", "/runs?target=octo", "").want(http.StatusOK)
	}
	if n := asked(); n != 2 { // whether they are a member of any, which the first said; and what they are to this one
		t.Errorf("asked %d times for five pages", n)
	}
	l.as("ann").api("GET", "/runs?target=octo", "").want(http.StatusOK)
	if n := asked(); n != 2 {
		t.Errorf("asked %d times for one account in two browsers", n)
	}
	ann.api("POST", "/targets/octo/pause", `{"reason":"x"}`).want(http.StatusOK)
	ann.api("POST", "/targets/octo/resume", `{}`).want(http.StatusOK)
	if n := asked(); n != 4 {
		t.Errorf("asked %d times, with two changes", n)
	}
	l.clock.later(61 * time.Second)
	ann.api("GET", "/runs?target=octo", "").want(http.StatusOK)
	if n := asked(); n != 5 {
		t.Errorf("asked %d times, and the last answer was old", n)
	}
}

// Names are whatever their bearers like: they stand in the audit record and on pages as one line of text, and pretend nothing.
func TestANameIsOneLineAndPretendsNothing(t *testing.T) {
	l := newLab(t)
	l.github.World().User("eve").SetName("Ann\n(\u202egithub.com/ann)\x1b[31m<b>"+strings.Repeat("x", 300), "")
	l.assign(l.subject("eve"), "viewer", "octo")
	m := l.as("eve").me()
	if strings.ContainsAny(m.Who, "\n\x1b") || strings.Contains(m.Who, "\u202e") || len(m.Who) > 200 || !strings.HasSuffix(m.Who, "("+l.host()+"/eve)") || strings.Count(m.Who, "(") != 1 {
		t.Errorf("%q", m.Who)
	}
}
