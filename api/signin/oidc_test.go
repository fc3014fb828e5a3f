package signin_test

import (
	"crypto/rand"
	"crypto/rsa"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestTheIdentityProviderLetsIn(t *testing.T) {
	l := newLab(t)
	b := l.browser()
	in := b.get("/login/oidc?return=/console/teams/octo%3Fq=x").want(http.StatusOK)
	if in.at.Path != "/console/teams/octo" || in.at.RawQuery != "q=x" {
		t.Error("was sent to", in.at)
	}
	m := b.me()
	if m.Subject != "oidc:"+l.idp.url()+"#00u1" || m.Name != "Ada Lovelace" || m.Login != "ada@example.com" || m.How != "oidc" || m.Who != "Ada Lovelace (ada@example.com)" || !m.Link || len(m.Roles) != 0 {
		t.Errorf("%+v", m)
	}
}

// The secret may have to be shown in another way, and claims be asked for elsewhere.
func TestProvidersDiffer(t *testing.T) {
	l := newLab(t)
	l.idp.is(func() {
		l.idp.auth, l.idp.iss = "client_secret_post", l.idp.web.URL
		l.idp.user = map[string]any{"sub": "00u1", "name": "Ada"}
		l.idp.more = map[string]any{"preferred_username": "ada@example.com"}
	})
	b := l.browser()
	b.get("/login/oidc").want(http.StatusOK)
	if m := b.me(); m.Name != "Ada" {
		t.Errorf("%+v", m)
	}
	l.assign("group:people/docs", "viewer", "")
	if _, err := l.house.Sync(t.Context(), syncWish("octo"), nil); err != nil {
		t.Fatal(err)
	}
	if m := b.me(); !m.has("viewer", "", "group") {
		t.Errorf("the claim from the other place counts: %+v", m)
	}
}

func TestWithNoRoleThereIsOnlyWhatIsOnesOwn(t *testing.T) {
	l := newLab(t)
	b := l.browser()
	b.get("/login/oidc").want(http.StatusOK)
	for _, path := range []string{"/status", "/configured", "/kinds", "/runs", "/audit", "/links", "/tokens", "/sources/people/groups", "/why?user=ada&team=docs"} {
		got := b.api("GET", path, "").want(http.StatusForbidden)
		if path == "/status" {
			got.says("you have no role here", "ask an administrator")
		}
	}
	for _, path := range []string{"/targets/octo/teams", "/status?target=octo", "/audit?target=octo", "/targets/none/teams"} {
		b.api("GET", path, "").want(http.StatusNotFound)
	}
	b.api("POST", "/targets/octo/pause", `{"reason":"x"}`).want(http.StatusNotFound)
	b.api("GET", "/sessions", "").want(http.StatusOK)
}

func TestRolesThatWereAssigned(t *testing.T) {
	l := newLab(t)
	b := l.browser()
	b.get("/login/oidc").want(http.StatusOK)
	l.assign("oidc:"+l.idp.url()+"#00u1", "viewer", "octo")
	b.api("GET", "/targets/octo/teams", "").want(http.StatusOK)
	b.api("POST", "/targets/octo/pause", `{"reason":"x"}`).want(http.StatusForbidden)
	b.api("GET", "/targets/hex/teams", "").want(http.StatusNotFound)
	if text := b.api("GET", "/configured", "").want(http.StatusOK).text; strings.Contains(text, "hex") {
		t.Error("sees", text)
	}
	l.assign("oidc:"+l.idp.url()+"#00u1", "owner", "hex")
	status := b.api("GET", "/status", "").want(http.StatusOK).says(`"name":"octo"`, `"name":"hex"`)
	_ = status
	b.api("POST", "/targets/hex/pause", `{"reason":"x"}`).want(http.StatusOK).says("Ada Lovelace (ada@example.com)")
	b.api("POST", "/targets/octo/pause", `{"reason":"x"}`).want(http.StatusForbidden)
	l.assign("oidc:"+l.idp.url()+"#00u1", "administrator", "")
	b.api("POST", "/targets/octo/pause", `{"reason":"x"}`).want(http.StatusOK)
	b.api("GET", "/roles", "").want(http.StatusOK)
	if err := l.house.Store.WithdrawRole(t.Context(), "oidc:"+l.idp.url()+"#00u1", "", "root"); err != nil {
		t.Fatal(err)
	}
	b.api("GET", "/roles", "").want(http.StatusForbidden)
}

// Everybody in a group has its roles: whoever the claim names, and nobody whom it names twice or who is disabled.
func TestRolesOfGroups(t *testing.T) {
	l := newLab(t)
	l.assign("group:people/docs", "viewer", "octo")
	l.assign("group:people/leads", "owner", "octo")
	if _, err := l.house.Sync(t.Context(), syncWish("octo"), nil); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, role string }{
		{"ada@example.com", "owner"}, {"ADA@Example.com", "owner"}, {"cy@example.com", "viewer"}, {"bob@example.com", ""},
		{"twin@example.com", ""}, {"old@example.com", ""}, {"nobody@example.com", ""},
	} {
		l.idp.is(func() { l.idp.user = map[string]any{"sub": "sub of " + c.name, "preferred_username": c.name} })
		b := l.browser()
		b.get("/login/oidc").want(http.StatusOK)
		m := b.me()
		if c.role == "" && len(m.Roles) > 0 || c.role != "" && !m.has(c.role, "octo", "group") {
			t.Errorf("%s: %+v", c.name, m.Roles)
		}
	}
}

// The answer of a provider is good in the browser that asked, for ten minutes, and once.
func TestTheAnswerOfAProviderIsGoodForThatBrowserOnce(t *testing.T) {
	l := newLab(t)
	victim, attacker := l.browser(), l.browser()
	callback := func(b *browser) string {
		to := b.still("GET", "/login/oidc").want(http.StatusSeeOther).header.Get("Location")
		return b.still("GET", to).want(http.StatusFound).header.Get("Location")
	}
	path := func(address string) string { u, _ := url.Parse(address); return u.RequestURI() }

	victim.still("GET", path(callback(attacker))).want(http.StatusBadRequest).safe().says("was not begun here", "Example SSO")
	if victim.me().SignedIn {
		t.Error("the victim is in as the attacker")
	}
	callback(victim)
	victim.still("GET", path(callback(attacker))).want(http.StatusBadRequest).says("was not begun here")

	late := path(callback(victim))
	l.clock.later(11 * time.Minute)
	victim.still("GET", late).want(http.StatusBadRequest).says("That took too long")

	once := path(callback(victim))
	flow := victim.cookie("musterline-door")
	victim.still("GET", once).want(http.StatusSeeOther)
	if victim.cookie("musterline-door") != "" {
		t.Error("the flow is still there")
	}
	victim.setCookie("musterline-door", flow)
	victim.still("GET", once).want(http.StatusBadRequest).says("This sign-in was used")
	victim.setCookie("musterline-door", flow[:len(flow)-2]+"AA")
	victim.still("GET", once).want(http.StatusBadRequest).says("was not begun here")
	l.browser().still("GET", "/login/oidc/callback?code=x&state=").want(http.StatusBadRequest)
}

func TestEveryTroubleWithTheProviderHasItsSentence(t *testing.T) {
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		change func(p *provider)
		status int
		says   string
	}{
		{"down", func(p *provider) { p.down = true }, http.StatusBadGateway, "Example SSO cannot be reached"},
		{"says no", func(p *provider) { p.refuse = "access_denied" }, http.StatusForbidden, "said no"},
		{"says something odd", func(p *provider) { p.refuse = "<b>odd</b>" }, http.StatusForbidden, "did not let you in"},
		{"has a trouble", func(p *provider) { p.refuse = "server_error" }, http.StatusBadGateway, "a trouble of its own"},
		{"does not know us", func(p *provider) { p.refuse = "unauthorized_client" }, http.StatusForbidden, "does not know Musterline"},
		{"another issuer", func(p *provider) { p.issuer = "https://other.example" }, http.StatusBadGateway, "not who it should be"},
		{"another issuer's token", func(p *provider) { p.change = func(c map[string]any) { c["iss"] = "https://other.example" } }, http.StatusBadGateway, "not who it should be"},
		{"another issuer's answer", func(p *provider) { p.iss = "https://other.example" }, http.StatusBadGateway, "not who it should be"},
		{"another nonce", func(p *provider) { p.change = func(c map[string]any) { c["nonce"] = "x" } }, http.StatusBadRequest, "was not begun here"},
		{"no nonce", func(p *provider) { p.change = func(c map[string]any) { delete(c, "nonce") } }, http.StatusBadRequest, "was not begun here"},
		{"another client's", func(p *provider) { p.change = func(c map[string]any) { c["aud"] = "other" } }, http.StatusBadGateway, "cannot be believed"},
		{"also another client's", func(p *provider) {
			p.change = func(c map[string]any) { c["aud"], c["azp"] = []string{"musterline", "other"}, "other" }
		}, http.StatusBadGateway, "cannot be believed"},
		{"another key", func(p *provider) { p.signer = other }, http.StatusBadGateway, "cannot be believed"},
		{"no ID token", func(p *provider) { p.change = func(c map[string]any) { c["no id_token"] = true } }, http.StatusBadGateway, "cannot be believed"},
		{"old", func(p *provider) {
			p.change = func(c map[string]any) { c["exp"] = p.clock.now().Add(-3 * time.Minute).Unix() }
		}, http.StatusBadGateway, "The clocks differ"},
		{"from the future", func(p *provider) {
			p.change = func(c map[string]any) { c["iat"] = p.clock.now().Add(3 * time.Minute).Unix() }
		}, http.StatusBadGateway, "The clocks differ"},
		{"not yet", func(p *provider) {
			p.change = func(c map[string]any) { c["nbf"] = p.clock.now().Add(3 * time.Minute).Unix() }
		}, http.StatusBadGateway, "The clocks differ"},
		{"no claim", func(p *provider) { delete(p.user, "preferred_username") }, http.StatusForbidden, "does not tell enough of you"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t)
			l.idp.is(func() { c.change(l.idp) })
			b := l.browser()
			got := b.get("/login/oidc?return=/console/people").want(c.status).safe().says(c.says, "Try again")
			if !strings.Contains(got.text, "/login/oidc?return=%2Fconsole%2Fpeople") {
				t.Error("where to try again is lost: ", got.text)
			}
			if strings.Contains(got.text, "odd") || strings.Contains(got.text, "alert") {
				t.Error("the page repeats what it was told: ", got.text)
			}
			if b.me().SignedIn {
				t.Error("is in")
			}
		})
	}
}

func TestClocksMayDifferALittle(t *testing.T) {
	l := newLab(t)
	l.idp.is(func() {
		l.idp.change = func(c map[string]any) {
			c["iat"], c["exp"] = l.clock.now().Add(time.Minute).Unix(), l.clock.now().Add(-time.Minute).Unix()
		}
	})
	l.browser().get("/login/oidc").want(http.StatusOK)
}

func TestAnAddressThatIsNotVerifiedIsNobodys(t *testing.T) {
	settings := `only oidc: { issuer: "${IDP}", client_id: musterline, client_secret: "${SECRET}", name: Example SSO, source: people, claim: email, matches: email }`
	l := newLab(t, settings)
	l.idp.is(func() { l.idp.user["email_verified"] = false })
	l.browser().get("/login/oidc").want(http.StatusForbidden).says("not verified")
	l.idp.is(func() { delete(l.idp.user, "email"); delete(l.idp.user, "email_verified") })
	l.browser().get("/login/oidc").want(http.StatusForbidden).says("does not tell your address")
	l.idp.is(func() { l.idp.user["email"], l.idp.user["email_verified"] = "ada.lovelace@EXAMPLE.com", "true" })
	b := l.browser()
	b.get("/login/oidc").want(http.StatusOK)
	l.assign("group:people/docs", "viewer", "")
	if _, err := l.house.Sync(t.Context(), syncWish("octo"), nil); err != nil {
		t.Fatal(err)
	}
	if m := b.me(); !m.has("viewer", "", "group") {
		t.Errorf("%+v", m.Roles)
	}
}

// A provider that was down when the server started lets people in as soon as it is up.
func TestAProviderThatWasDownIsAskedAgain(t *testing.T) {
	l := newLab(t)
	l.idp.is(func() { l.idp.down = true })
	b := l.browser()
	b.get("/login/oidc").want(http.StatusBadGateway)
	l.idp.is(func() { l.idp.down = false })
	l.clock.later(5 * time.Second)
	b.get("/login/oidc").want(http.StatusOK)
	b.get("/login/oidc").want(http.StatusOK)
	if n := l.idp.calls["/.well-known/openid-configuration"]; n != 2 {
		t.Errorf("asked %d times who it is", n)
	}
}

// A provider that is down is asked once, however many want in at the same moment: they all hear what came of it.
func TestAProviderThatIsDownIsAskedOnceForAll(t *testing.T) {
	l := newLab(t)
	l.idp.is(func() { l.idp.down = true })
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			resp, err := http.Get(l.self.URL + "/login/oidc")
			if err != nil {
				t.Error(err)
				return
			}
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusBadGateway {
				t.Error(resp.Status)
			}
		})
	}
	all.Wait()
	if n := l.idp.calls["/.well-known/openid-configuration"]; n != 1 {
		t.Errorf("asked %d times", n)
	}
}

func TestOneIsSentBackToTheConsoleAndNowhereElse(t *testing.T) {
	l := newLab(t)
	for wish, want := range map[string]string{
		"": "/console/", "/console": "/console", "/console/": "/console/", "/console/runs/7?tab=log": "/console/runs/7?tab=log", "/console/a/../b": "/console/b",
		"https://evil.example/console/": "/console/", "//evil.example/console/": "/console/", `/\evil.example`: "/console/", "/console/../login": "/console/",
		"/api/musterline/me": "/console/", "javascript:alert(1)": "/console/", "console/x": "/console/", "/consoles/x": "/console/", "/console//evil.example": "/console/",
		"/console/\r\nSet-Cookie: a=b": "/console/", "/console/%2e%2e/%2e%2e/login": "/console/",
	} {
		in := l.browser().get("/login/oidc?return=" + url.QueryEscape(wish)).want(http.StatusOK)
		if got := in.at.RequestURI(); got != want || in.at.Host != strings.TrimPrefix(l.self.URL, "http://") {
			t.Errorf("%q leads to %s", wish, in.at)
		}
	}
}

func TestTheRequestToTheProviderIsProvenLater(t *testing.T) {
	l := newLab(t)
	to, err := url.Parse(l.browser().still("GET", "/login/oidc").want(http.StatusSeeOther).header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	q := to.Query()
	if q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 || len(q.Get("nonce")) < 22 || len(q.Get("state")) < 22 ||
		q.Get("response_type") != "code" || q.Get("scope") != "openid profile email" || q.Get("redirect_uri") != l.self.URL+"/login/oidc/callback" {
		t.Error(q)
	}
}
