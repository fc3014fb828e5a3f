package signin_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"musterline.example/api/native"
	"musterline.example/store"
)

func TestNobodyIsToldHowToSignIn(t *testing.T) {
	l := newLab(t)
	m := l.browser().me()
	if m.SignedIn || len(m.Providers) != 2 || m.Providers[0].Name != "Example SSO" || m.Providers[1].ID != "github" || len(m.Roles) != 0 {
		t.Errorf("%+v", m)
	}
	l.browser().api("GET", "/status", "").want(http.StatusUnauthorized)
	l.browser().get("/login").want(http.StatusOK).safe().says("Sign in with Example SSO", "Sign in with GitHub", "musterline sign-in")
}

func TestALinkLetsInOnce(t *testing.T) {
	l := newLab(t)
	path := l.link("administrator", "")
	b := l.browser()
	for range 3 { // to look at it uses nothing up: mail scanners do
		l.browser().get(path).want(http.StatusOK).safe().says("Sign in")
	}
	in := b.do("POST", path, "").want(http.StatusOK)
	if in.at.Path != "/console/" {
		t.Error("was sent to", in.at.Path)
	}
	m := b.me()
	if !m.SignedIn || m.Subject != "local:grace" || m.How != "link" || m.Who != "grace (sign-in link)" || !m.has("administrator", "", "link") {
		t.Errorf("%+v", m)
	}
	b.api("GET", "/tokens", "").want(http.StatusOK)
	l.browser().do("POST", path, "").want(http.StatusGone).safe().says("This link was used")
	l.browser().do("POST", path[:len(path)-1]+"x", "").want(http.StatusNotFound).says("not all of it was copied")
	late := l.link("viewer", "")
	l.clock.later(16 * time.Minute)
	l.browser().do("POST", late, "").want(http.StatusGone).says("This link has ended")
}

func TestALinkForATargetIsForThatOneAlone(t *testing.T) {
	l := newLab(t)
	b := l.browser().byLink("owner", "octo")
	b.api("GET", "/targets/octo/teams", "").want(http.StatusOK).says("platform")
	b.api("POST", "/targets/octo/pause", `{"reason":"x"}`).want(http.StatusOK).says("grace (sign-in link)")
	b.api("GET", "/targets/hex/teams", "").want(http.StatusNotFound)
	b.api("GET", "/tokens", "").want(http.StatusForbidden)
	if text := b.api("GET", "/configured", "").want(http.StatusOK).text; strings.Contains(text, "hex") {
		t.Error("sees", text)
	}
}

// A target of the same name that is another organization by now is not what the link was for.
func TestTheSessionOfALinkEndsWithItsTarget(t *testing.T) {
	l := newLab(t)
	if _, err := l.house.Sync(t.Context(), syncWish("octo"), nil); err != nil {
		t.Fatal(err)
	}
	b := l.browser().byLink("viewer", "octo")
	b.api("GET", "/targets/octo/teams", "").want(http.StatusOK)
	place, err := l.house.Store.Place(t.Context(), "octo")
	if err != nil {
		t.Fatal(err)
	}
	place.OrganizationID = "999"
	if err := l.house.Store.SavePlace(t.Context(), "octo", place); err != nil {
		t.Fatal(err)
	}
	b.api("GET", "/targets/octo/teams", "").want(http.StatusUnauthorized)
}

func TestTheSecretOfASessionIsNewAfterSigningIn(t *testing.T) {
	l := newLab(t)
	eve := l.browser().byLink("viewer", "")
	planted := eve.cookie("musterline")
	b := l.browser()
	b.setCookie("musterline", planted)
	b.byLink("administrator", "")
	if b.cookie("musterline") == planted {
		t.Error("who has planted a session has an administrator's now")
	}
	if eve.me().SignedIn {
		t.Error("the planted session goes on")
	}
}

func TestASessionThatWasRevokedIsOutAtTheNextRequest(t *testing.T) {
	l := newLab(t)
	admin, b := l.browser().byLink("administrator", ""), l.browser().byLink("viewer", "")
	id := b.me().Session
	if text := b.api("GET", "/sessions", "").want(http.StatusOK).text; strings.Count(text, `"id"`) != 2 || !strings.Contains(text, `"own":true`) {
		t.Error("somebody sees their own sessions:", text) // both are grace's
	}
	admin.api("DELETE", "/sessions/"+id, "").want(http.StatusNoContent)
	b.api("GET", "/status", "").want(http.StatusUnauthorized)
	admin.api("DELETE", "/sessions/"+id, "").want(http.StatusNotFound)
	if b.me().SignedIn {
		t.Error("is in")
	}
}

func TestSigningOutEndsTheSession(t *testing.T) {
	l := newLab(t)
	b := l.browser().byLink("viewer", "")
	secret := b.cookie("musterline")
	b.api("POST", "/me/sign-out", "").want(http.StatusNoContent)
	if b.cookie("musterline") != "" || b.me().SignedIn {
		t.Error("is in")
	}
	b.setCookie("musterline", secret)
	b.api("GET", "/status", "").want(http.StatusUnauthorized)
}

func TestASessionEndsThatIsNotUsedAndAfterAWeek(t *testing.T) {
	l := newLab(t)
	b := l.browser().byLink("viewer", "")
	for range 10 {
		l.clock.later(7 * time.Hour)
		b.api("GET", "/status", "").want(http.StatusOK)
	}
	l.clock.later(8*time.Hour + time.Minute)
	b.api("GET", "/status", "").want(http.StatusUnauthorized)
	b.byLink("viewer", "")
	for range 23 {
		l.clock.later(7 * time.Hour)
		b.api("GET", "/status", "").want(http.StatusOK)
	}
	l.clock.later(7*time.Hour + 1)
	b.api("GET", "/status", "").want(http.StatusUnauthorized)
}

// A form or script on another page does nothing with somebody's session; a program with a token needs no origin.
func TestARequestFromAnotherPageIsRefused(t *testing.T) {
	l := newLab(t)
	b := l.browser().byLink("administrator", "")
	for _, headers := range [][]string{
		{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"},
		{"Sec-Fetch-Site", "same-site", "Origin", "https://other.example"},
		{"Sec-Fetch-Site", "", "Origin", "http://127.0.0.1:1"},
		{"Sec-Fetch-Site", "", "Origin", "null"},
	} {
		b.api("POST", "/targets/octo/pause", `{"reason":"x"}`, headers...).want(http.StatusForbidden).says("not ours")
		b.api("POST", "/me/sign-out", ``, headers...).want(http.StatusForbidden)
		b.do("POST", l.link("viewer", ""), "", headers...).want(http.StatusForbidden).says("nothing was done")
	}
	if paused, err := l.house.Store.Paused(t.Context(), "octo"); err != nil || paused.Reason != "" {
		t.Error("something was changed", paused, err)
	}
	b.api("GET", "/status", "", "Sec-Fetch-Site", "cross-site").want(http.StatusOK) // reading is the browser's own to forbid
	token := tokenOf(t, l, "owner")
	l.browser().api("POST", "/targets/octo/pause", `{"reason":"x"}`, "Sec-Fetch-Site", "cross-site", "Authorization", "Bearer "+token).want(http.StatusOK)
}

// A page that looks again by itself, on a screen that nobody touches, keeps no session alive.
func TestASessionThatOnlyAPageUsesEnds(t *testing.T) {
	l := newLab(t)
	b := l.browser().byLink("viewer", "")
	for range 15 {
		l.clock.later(30 * time.Minute)
		b.api("GET", "/runs", "", native.Unattended, "1").want(http.StatusOK)
	}
	l.clock.later(31 * time.Minute)
	b.api("GET", "/runs", "", native.Unattended, "1").want(http.StatusUnauthorized)
	if b.me().SignedIn {
		t.Error("is in")
	}
	b = l.browser().byLink("viewer", "")
	for range 17 {
		l.clock.later(30 * time.Minute)
		b.api("GET", "/runs", "").want(http.StatusOK)
	}
}

func TestACredentialInTheHeaderWinsOverTheSession(t *testing.T) {
	l := newLab(t)
	b := l.browser().byLink("administrator", "")
	b.api("GET", "/tokens", "", "Authorization", "Bearer "+tokenOf(t, l, "viewer")).want(http.StatusForbidden)
	b.api("GET", "/tokens", "", "Authorization", "Bearer mst_nonsense").want(http.StatusUnauthorized)
}

func TestWhatIsOnesOwnTakesASession(t *testing.T) {
	l := newLab(t)
	token := tokenOf(t, l, "owner")
	for _, path := range []string{"GET /sessions", "POST /me/sign-out"} {
		method, path, _ := strings.Cut(path, " ")
		l.browser().api(method, path, "", "Authorization", "Bearer "+token).want(http.StatusForbidden)
	}
	l.browser().byLink("viewer", "")
	admins := tokenOf(t, l, "administrator")
	l.browser().api("GET", "/sessions", "", "Authorization", "Bearer "+admins).want(http.StatusOK).says("local:grace")
}

func TestTheCookieCannotBeReadByScriptsAndIsForOurPagesAlone(t *testing.T) {
	l := newLab(t)
	b := l.browser()
	set := b.still("POST", l.link("viewer", "")).want(http.StatusSeeOther).header.Get("Set-Cookie")
	for _, word := range []string{"musterline=", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=604"} {
		if !strings.Contains(set, word) {
			t.Errorf("%s lacks %s", set, word)
		}
	}
	if strings.Contains(set, "Domain") || strings.Contains(set, "Secure") {
		t.Error("over http on this machine a browser would drop it:", set)
	}
}

func TestTheAuditRecordHasWhoSignedIn(t *testing.T) {
	l := newLab(t)
	b := l.browser().byLink("administrator", "")
	b.api("POST", "/me/sign-out", "").want(http.StatusNoContent)
	var acts []string
	for _, kind := range []store.Kind{store.KindSignIn, store.KindSession} {
		entries, err := l.house.Store.Entries(t.Context(), store.Filter{Kind: kind})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			acts = append(acts, string(e.Kind)+" "+e.Act+" by "+e.Actor.Requester)
		}
	}
	if got := strings.Join(acts, ", "); got != "sign-in use by local:grace, sign-in create by root, session end by local:grace, session begin by local:grace" {
		t.Error(got)
	}
}
