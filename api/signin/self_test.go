package signin_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"musterline.example/answer"
	"musterline.example/link"
)

type mySides struct {
	User, Link *struct{ User, Account, Tier, State string }
	Problems   []struct{ Reason, Message, Hint string }
	Notes      []string
	Targets    []struct {
		Target string
		Teams  []struct {
			Team, Role string
			Path       []string
		}
	}
	Ready, Done   bool
	ProvenUser    *struct{ Login string }           `json:"proven_user"`
	ProvenAccount *struct{ ID, Login, Host string } `json:"proven_account"`
	Members       []struct {
		Target string
		Member bool
	}
}

func (b *browser) link() mySides {
	b.l.t.Helper()
	return sidesOf(b.api("GET", "/me/link", "").want(http.StatusOK))
}

func sidesOf(p page) mySides {
	p.t.Helper()
	var s mySides
	if err := json.Unmarshal([]byte(p.text), &s); err != nil {
		p.t.Fatal(err)
	}
	return s
}

func (s mySides) problem(reason string) bool {
	return slices.ContainsFunc(s.Problems, func(p struct{ Reason, Message, Hint string }) bool {
		return p.Reason == reason && p.Message != "" && p.Hint != ""
	})
}

func (l *lab) sync() {
	l.t.Helper()
	if _, err := l.house.Sync(l.t.Context(), syncWish("octo"), nil); err != nil {
		l.t.Fatal(err)
	}
}

// Somebody signs in to both, sees which teams that gives, and is linked; nothing else is visible to them.
func TestSomebodyLinksThemselves(t *testing.T) {
	l := newLab(t)
	l.idp.is(func() {
		l.idp.user = map[string]any{"sub": "00u3", "name": "Cy", "preferred_username": "cy@example.com"}
	})
	l.sync()
	b := l.browser()
	b.get("/login/oidc").want(http.StatusOK)
	s := b.link()
	if s.Ready || s.User == nil || s.User.User != "people/cy" || s.ProvenUser == nil || s.ProvenAccount != nil || len(s.Problems) > 0 {
		t.Fatalf("%+v", s)
	}
	b.api("POST", "/me/link", "").want(http.StatusConflict).says("both sides")
	l.github.Browse("cy")
	if in := b.get("/login/github?prove=1&return=/console/link").want(http.StatusOK); in.at.Path != "/console/link" {
		t.Error("was sent to", in.at)
	}
	if m := b.me(); m.How != "oidc" || m.Name != "Cy" {
		t.Errorf("the sign-in is another now: %+v", m)
	}
	s = b.link()
	teams := map[string]string{}
	for _, target := range s.Targets {
		for _, one := range target.Teams {
			teams[target.Target+"/"+one.Team] = strings.Join(one.Path, " > ")
		}
	}
	if !s.Ready || s.Done || s.ProvenAccount.Login != "cy" || fmt.Sprint(teams) != "map[octo/docs:docs octo/platform:platform]" || len(s.Members) != 1 || s.Members[0].Target != "octo" {
		t.Fatalf("%+v %v", s, teams)
	}
	before := len(l.requests())
	s = sidesOf(b.api("POST", "/me/link", "").want(http.StatusOK))
	if !s.Done || s.Link == nil || s.Link.Tier != "self" || s.Link.Account != fmt.Sprint(l.id("cy")) {
		t.Fatalf("%+v", s)
	}
	if got := len(l.requests()); got != before+2 { // both organizations are on this host
		t.Errorf("%d requests for a sync, and there were %d", got, before)
	}
	said, err := l.house.Store.Statements(t.Context(), l.host())
	if err != nil || len(said) != 1 || said[0].Tier != link.Self || string(said[0].Account) != fmt.Sprint(l.id("cy")) {
		t.Fatal(said, err)
	}
	for _, word := range []string{"oidc:" + l.idp.url() + "#00u3", l.host() + "/" + fmt.Sprint(l.id("cy")), "Cy (cy@example.com)"} {
		if !strings.Contains(said[0].By, word) {
			t.Errorf("the evidence lacks %s: %s", word, said[0].By)
		}
	}
	sidesOf(b.api("POST", "/me/link", "").want(http.StatusOK))
	if got := len(l.requests()); got != before+2 {
		t.Error("the same again asked for a sync again")
	}
	l.sync()
	if s = b.link(); !s.Done || s.Link.State != "standing" {
		t.Errorf("%+v", s)
	}
	b.api("GET", "/status", "").want(http.StatusForbidden)
	b.api("GET", "/links", "").want(http.StatusForbidden)
	b.api("GET", "/targets/octo/teams", "").want(http.StatusNotFound)
}

func (l *lab) requests() []string {
	l.t.Helper()
	var all []string
	for _, target := range []string{"octo", "hex"} {
		waiting, err := l.house.Store.Requests(l.t.Context(), target)
		if err != nil {
			l.t.Fatal(err)
		}
		for _, r := range waiting {
			all = append(all, r.ID)
		}
	}
	return all
}

// Each side can be done again, and then counts in place of what was proven before.
func TestASideIsProvenAgain(t *testing.T) {
	l := newLab(t)
	l.sync()
	b := l.as("bob")
	first := b.cookie("musterline")
	b.get("/login/oidc?prove=1").want(http.StatusOK)
	if b.cookie("musterline") == first {
		t.Error("the secret is the same although the session may more now")
	}
	if m := b.me(); m.How != "github" || m.Login != "bob" {
		t.Errorf("%+v", m)
	}
	l.github.Browse("ada-l")
	b.get("/login/github?prove=1").want(http.StatusOK)
	m := b.me()
	if m.Login != "ada-l" || m.Subject != l.subject("ada-l") {
		t.Errorf("the account was done again, and it is whom they signed in as: %+v", m)
	}
	if s := b.link(); s.ProvenAccount.Login != "ada-l" || s.User == nil || s.User.User != "people/ada" {
		t.Errorf("%+v", s)
	}
	l.idp.is(func() { l.idp.user["preferred_username"] = "cy@example.com" })
	b.get("/login/oidc?prove=1").want(http.StatusOK)
	if s := b.link(); s.User.User != "people/cy" || s.ProvenAccount.Login != "ada-l" {
		t.Errorf("%+v", s)
	}
	b.get("/login/oidc").want(http.StatusOK) // signing in anew leaves the rest behind
	if s := b.link(); s.ProvenAccount != nil {
		t.Errorf("%+v", s)
	}
}

// A proof counts in the session in which it was begun, and in no other.
func TestAProofIsForTheSessionInWhichItWasBegun(t *testing.T) {
	l := newLab(t)
	b := l.as("bob")
	back := b.still("GET", b.still("GET", "/login/oidc?prove=1").want(http.StatusSeeOther).header.Get("Location")).want(http.StatusFound).header.Get("Location")
	b.api("POST", "/me/sign-out", "").want(http.StatusNoContent)
	b.still("GET", strings.TrimPrefix(back, l.self.URL)).want(http.StatusUnauthorized).says("Your session has ended")
	if b.me().SignedIn {
		t.Error("is in")
	}
}

func TestWhatIsInTheWayOfALinkIsToldPlainly(t *testing.T) {
	l := newLab(t)
	who := func(b *browser, name string) mySides {
		l.idp.is(func() { l.idp.user = map[string]any{"sub": "of " + name, "preferred_username": name} })
		b.get("/login/oidc?prove=1").want(http.StatusOK)
		return b.link()
	}
	b := l.as("cy")
	if s := who(b, "cy@example.com"); !s.problem("never-read") {
		t.Errorf("%+v", s)
	}
	l.sync()
	for name, reason := range map[string]string{"none@example.com": "not-found", "twin@example.com": "ambiguous", "old@example.com": "inactive"} {
		s := who(b, name)
		if !s.problem(reason) || s.Ready {
			t.Errorf("%s: %+v", name, s)
		}
		b.api("POST", "/me/link", "").want(http.StatusConflict)
	}
	// bob's account is bob's, by an attribute.
	mallory := l.as("bob")
	if s := who(mallory, "cy@example.com"); !s.problem("taken") || strings.Contains(fmt.Sprint(s.Problems), "bob") {
		t.Errorf("%+v", s)
	}
	mallory.api("POST", "/me/link", "").want(http.StatusConflict).says("linked to somebody else")
	// What somebody has said by hand counts for more.
	if _, err := l.house.Link(t.Context(), answer.LinkWish{User: "people/cy", Account: fmt.Sprintf("%s/%d", l.host(), l.id("eve")), Reason: "x", By: "root"}); err != nil {
		t.Fatal(err)
	}
	if s := who(b, "cy@example.com"); !s.problem("said-by-hand") {
		t.Errorf("%+v", s)
	}
	// Another account by an attribute is no hindrance, and is said.
	ada := l.as("cy")
	if s := who(ada, "ada@example.com"); !s.Ready || len(s.Notes) != 1 || !strings.Contains(s.Notes[0], "ada-l") {
		t.Errorf("%+v", s)
	}
	if said, err := l.house.Store.Statements(t.Context(), l.host()); err != nil || len(said) != 1 {
		t.Error("something was said: ", said, err)
	}
}

func TestALinkIsMadeFromOurOwnPagesAlone(t *testing.T) {
	l := newLab(t)
	l.sync()
	b := l.as("ada-l")
	b.get("/login/oidc?prove=1").want(http.StatusOK)
	b.api("POST", "/me/link", "", "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example").want(http.StatusForbidden)
	b.api("POST", "/me/link", "").want(http.StatusOK)
}
