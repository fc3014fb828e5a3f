package github_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"musterline.example/api/access"
	"musterline.example/api/github"
	"musterline.example/internal/githubsim"
)

// Every operation answers on its path, in all forms, with and without /api/v3.
func TestEveryFormOfAPathIsTheSameMapping(t *testing.T) {
	each(t, func(t *testing.T, l *lab) {
		forms := []string{mappings, l.byID("platform", "/team-sync/group-mappings"), l.legacy("platform", "/team-sync/group-mappings")}
		for i, path := range forms {
			for j, prefix := range []string{"", "/api/v3"} {
				id := strconv.Itoa(1 + (i+j)%6)
				l.do(http.MethodPatch, prefix+path, ann, wish(id)).want(t, http.StatusOK)
				for _, other := range forms {
					equal(t, "the group by "+other, l.get(other, ann).want(t, http.StatusOK).ids(), "corp:"+id)
				}
			}
		}
		for _, path := range []string{list, fmt.Sprintf("/organizations/%d/team-sync/groups", l.acme.ID())} {
			equal(t, "groups of "+path, len(l.get(path, ann).want(t, http.StatusOK).body.Groups), 6)
		}
	})
}

func TestTheNameOfAnOrganizationHasNoCase(t *testing.T) {
	l := newLab(t)
	l.get("/orgs/ACME/team-sync/groups", ann).want(t, http.StatusOK)
	l.get("/orgs/AcMe/teams/platform/team-sync/group-mappings", ann).want(t, http.StatusOK)
}

func TestWhatIsNoPathIsNotFound(t *testing.T) {
	l := newLab(t)
	for _, path := range []string{
		list + "/", mappings + "/", "/orgs/acme/", "//orgs/acme", "/orgs/./acme", "/orgs/acme/../acme", "/", "/api/v3", "/api/v3/", "/nothing",
		"/api/v3/api/v3/user", "/octo/user", "/orgs/acme/external-groups", "/repos/acme/x", "/graphql", "/orgs/acme/teams/%2e%2e/team-sync/group-mappings",
		"/orgs/acme/teams/a%2fb/team-sync/group-mappings", "/organizations/x/team/1/team-sync/group-mappings",
		fmt.Sprintf("/organizations/%d/team/x/team-sync/group-mappings", l.acme.ID()), fmt.Sprintf("/organizations/%d/team/0", l.acme.ID()),
	} {
		a := l.get(path, ann).want(t, http.StatusNotFound)
		if a.body.Message != "Not Found" || a.body.Docs == "" || a.body.Status != "404" {
			t.Errorf("%s: %s", path, a.text)
		}
	}
}

func TestAMethodThatAPathHasNotIsRefused(t *testing.T) {
	l := newLab(t)
	l.faulty.Store(true) // the description has no such answers
	a := l.do(http.MethodPost, mappings, ann, "{}").want(t, http.StatusMethodNotAllowed)
	equal(t, "Allow", a.header.Get("Allow"), "GET, PATCH")
	equal(t, "HEAD", l.do(http.MethodHead, mappings, ann, "").code, http.StatusOK)
}

// The documentation's own samples send a token in either form; git and curl -u send it as a password.
func TestATokenIsTakenInEveryFormThatGitHubTakes(t *testing.T) {
	l := newLab(t)
	basic := func(user, password string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
	}
	for _, header := range []string{
		"Bearer " + ann, "token " + ann, "bearer " + ann, "TOKEN  " + ann, basic("ann", ann), basic(ann, ""), basic(ann, "x-oauth-basic"),
	} {
		l.get(mappings, "", "Authorization", header).want(t, http.StatusOK)
	}
}

func TestWithoutAGoodCredentialNobodyIsLetIn(t *testing.T) {
	each(t, func(t *testing.T, l *lab) {
		for header, message := range map[string]string{
			"": "Requires authentication", "Bearer ": "Bad credentials", "Digest x": "Bad credentials", "Basic %%%": "Bad credentials",
			"Bearer " + wrong: "Bad credentials", "Bearer mst_nonsense": "Bad credentials",
		} {
			a := l.get(mappings, "", "Authorization", header).want(t, http.StatusUnauthorized)
			equal(t, "message", a.body.Message, message)
			if a.body.Docs == "" {
				t.Error("no documentation_url")
			}
		}
	})
}

func TestAnyAcceptIsAccepted(t *testing.T) {
	l := newLab(t)
	for _, accept := range []string{
		"application/vnd.github.v3+json", "application/vnd.github.v3+json,application/vnd.github.stone-crop-preview+json",
		"application/vnd.github.surtur-preview+json", "*/*", "", "text/html", "application/cbor",
	} {
		a := l.get(mappings, ann, "Accept", accept).want(t, http.StatusOK)
		equal(t, "type", a.header.Get("Content-Type"), "application/json; charset=utf-8")
		a = l.get("/orgs/nobody/team-sync/groups", ann, "Accept", accept).want(t, http.StatusNotFound)
		equal(t, "type of a refusal", a.header.Get("Content-Type"), "application/json; charset=utf-8")
	}
}

func TestOnlyVersionsThatThereAreAreTaken(t *testing.T) {
	l := newLab(t)
	l.get(mappings, ann, "X-GitHub-Api-Version", "2022-11-28").want(t, http.StatusOK)
	l.get(mappings, ann, "X-GitHub-Api-Version", "1999-01-01").want(t, http.StatusBadRequest)
}

// gh says application/json and sends nothing; curl -d says that JSON is a form.
func TestABodyIsJSONWhateverItsTypeSays(t *testing.T) {
	l := newLab(t)
	l.get(mappings, ann, "Content-Type", "application/json; charset=utf-8").want(t, http.StatusOK)
	for _, contentType := range []string{"application/json", "application/json; charset=utf-8", "application/x-www-form-urlencoded", "text/plain", "multipart/form-data", "nonsense; ;"} {
		a := l.do(http.MethodPatch, mappings, ann, wish("1")+"\n", "Content-Type", contentType).want(t, http.StatusOK)
		equal(t, "groups", a.ids(), "corp:1")
	}
}

func TestEveryAnswerTellsWhatIsLeft(t *testing.T) {
	l := newLabOn(t, "sqlite:"+t.TempDir()+"/a.db", func(l *lab) { l.limit = 5 })
	left := func(a answer) (int, int) {
		t.Helper()
		var figures [4]int
		for i, name := range []string{"Limit", "Remaining", "Used", "Reset"} {
			n, err := strconv.Atoi(a.header.Get("X-RateLimit-" + name))
			if err != nil {
				t.Fatalf("X-RateLimit-%s of %d: %v", name, a.code, err)
			}
			figures[i] = n
		}
		equal(t, "resource", a.header.Get("X-RateLimit-Resource"), "core")
		equal(t, "used and remaining", figures[1]+figures[2], figures[0])
		if ends := time.Unix(int64(figures[3]), 0); ends.Before(l.clock()) || ends.After(l.clock().Add(time.Hour+time.Second)) {
			t.Error("reset at", ends)
		}
		return figures[0], figures[1]
	}
	_, n := left(l.get("/nothing", ""))
	equal(t, "a stranger's", n, 59)
	a := l.get(mappings, ann)
	limit, n := left(a)
	equal(t, "limit", limit, 5)
	equal(t, "remaining", n, 4)
	_, n = left(l.get(mappings, ann, "If-None-Match", a.header.Get("ETag")).want(t, http.StatusNotModified))
	equal(t, "what has not changed is free", n, 4)
	_, n = left(l.get("/rate_limit", ann).want(t, http.StatusOK))
	equal(t, "asking is free", n, 4)
	for range 4 {
		l.get("/nothing", ann)
	}
	a = l.get(mappings, ann).want(t, http.StatusTooManyRequests) // not 403: terraform's provider loses the body of what it repeats then
	left(a)
	if after, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || after < 1 || after > 3600 {
		t.Error("Retry-After", a.header.Get("Retry-After"))
	}
	l.get(mappings, bob).want(t, http.StatusOK) // another caller
	l.pass(time.Hour + time.Second)
	_, n = left(l.get(mappings, ann).want(t, http.StatusOK))
	equal(t, "in the next hour", n, 4)
}

func TestEveryAnswerHasAnIDOfItsOwn(t *testing.T) {
	l := newLab(t)
	var seen []string
	for _, path := range []string{mappings, "/nothing", list} {
		id := l.get(path, ann).header.Get("X-GitHub-Request-Id")
		if len(id) < 16 || slices.Contains(seen, id) {
			t.Error("id", id)
		}
		seen = append(seen, id)
		if !strings.Contains(l.log.String(), id) {
			t.Error("the log does not name it")
		}
	}
}

// PyGithub makes the next address of the url of a team, and asserts that host, port and prefix are its own.
func TestObjectsCarryAddressesAtTheCallersOwnBase(t *testing.T) {
	l := newLab(t)
	for _, prefix := range []string{"", "/api/v3", "/octo/api/v3"} {
		for path, url := range map[string]string{
			"/orgs/acme":                prefix + "/orgs/acme",
			"/orgs/acme/teams/platform": prefix + l.byID("platform", ""),
			l.byID("platform", ""):      prefix + l.byID("platform", ""),
			l.legacy("platform", ""):    prefix + l.byID("platform", ""),
			"/user":                     prefix + "/users/ann",
			fmt.Sprintf("/organizations/%d", l.acme.ID()): prefix + "/orgs/acme",
		} {
			a := l.get(prefix+path, ann).want(t, http.StatusOK)
			if !strings.Contains(a.text, `"url":"`+l.web.URL+url+`"`) {
				t.Errorf("%s%s has no url %s: %s", prefix, path, url, a.text)
			}
			if !strings.Contains(a.text, `"html_url":"`+l.ghWeb.URL) {
				t.Error("the web page is not GitHub's own")
			}
		}
	}
	l.get("/api/v3"+l.byID("platform", "/team-sync/group-mappings"), ann).want(t, http.StatusOK)
}

func TestLookUpsAreGitHubsOwnAnswersToTheCaller(t *testing.T) {
	l := newLab(t)
	l.acme.AddTeam("Shadow").SetSecret(true)
	l.get("/orgs/acme/teams/shadow", ann).want(t, http.StatusOK)
	l.get("/orgs/acme/teams/shadow", dan).want(t, http.StatusNotFound)
	l.get("/orgs/acme/teams/none", ann).want(t, http.StatusNotFound)
	l.get("/orgs/nobody", ann).want(t, http.StatusNotFound)
	l.get("/orgs/acme", eve).want(t, http.StatusOK) // as on GitHub, where everybody may
	equal(t, "the user", strings.Contains(l.get("/user", eve).text, `"login":"eve"`), true)

	before := l.gh.Counts()
	first := l.get("/orgs/acme", ann)
	again := l.get("/orgs/acme", ann)
	equal(t, "the body", again.text, first.text)
	after := l.gh.Counts()
	equal(t, "calls that found nothing new and were free", after.NotModified-before.NotModified > 0, true)
	l.get("/orgs/acme", ann, "If-None-Match", first.header.Get("ETag")).want(t, http.StatusNotModified)
}

// A Musterline token is no user; of its organization and teams it is shown what our own credential sees.
func TestAMusterlineTokenLooksUpItsOwnOrganization(t *testing.T) {
	each(t, func(t *testing.T, l *lab) {
		own, other := l.token(access.Viewer, "octo"), l.token(access.Owner, "elsewhere")
		l.get("/orgs/acme", own).want(t, http.StatusOK)
		l.get("/orgs/acme/teams/platform", own).want(t, http.StatusOK)
		l.get("/user", own).want(t, http.StatusForbidden)
		l.get("/rate_limit", own).want(t, http.StatusOK)
		l.get("/orgs/acme", other).want(t, http.StatusNotFound)
		l.get(mappings, other).want(t, http.StatusNotFound)
		l.get(list, other).want(t, http.StatusNotFound)
	})
}

func TestTwoOrganizationsOfOneNameAreToldApartByTheAddress(t *testing.T) {
	l := newLab(t)
	world := githubsim.NewWorld()
	world.AddOrganization("acme", "zoe").AddTeam("Platform")
	elsewhere := githubsim.New(githubsim.Options{World: world})
	elsewhere.PutToken(githubsim.Token{Value: ann, User: "zoe", Scopes: []string{"admin:org"}}) // what our own credential there is
	elsewhere.PutToken(githubsim.Token{Value: "ghp_zoe", User: "zoe", Scopes: []string{"admin:org"}})
	web := httptest.NewServer(elsewhere)
	defer web.Close()
	l.serve(l.opened("ghes", "acme", web))

	l.do(http.MethodPatch, "/ghes/api/v3"+mappings, "ghp_zoe", wish("1")).want(t, http.StatusOK)
	equal(t, "the other's groups", l.get("/octo/api/v3"+mappings, ann).want(t, http.StatusOK).ids(), "")
	equal(t, "its own", l.get("/ghes/api/v3"+mappings, "ghp_zoe").ids(), "corp:1")
	equal(t, "user", strings.Contains(l.get("/ghes/api/v3/user", "ghp_zoe").text, `"zoe"`), true)

	// Without the target nobody is asked about the token.
	before, there := l.gh.Counts().Calls, elsewhere.Counts().Calls
	l.get(mappings, ann).want(t, http.StatusNotFound)
	l.get("/user", ann).want(t, http.StatusNotFound)
	l.get(l.legacy("platform", "/team-sync/group-mappings"), ann).want(t, http.StatusNotFound)
	equal(t, "calls", l.gh.Counts().Calls-before+elsewhere.Counts().Calls-there, 0)
	a := l.get(mappings, l.token(access.Administrator, "")).want(t, http.StatusNotFound)
	if !strings.Contains(a.body.Message, "/TARGET/api/v3") {
		t.Error(a.text)
	}
	// And a token is shown to its own host alone.
	l.get("/octo/api/v3"+mappings, "ghp_zoe").want(t, http.StatusUnauthorized)
	for _, c := range elsewhere.Calls() {
		if c.Credential == "token of ann" {
			t.Error("a token went to the other host")
		}
	}
}

// A team's id alone finds its organization, among those of one host.
func TestALegacyPathFindsTheOrganization(t *testing.T) {
	l := newLab(t)
	other := l.world.AddOrganization("other", "ann")
	other.AddTeam("Elsewhere")
	l.serve(l.opened("second", "other", l.ghWeb))
	path := fmt.Sprintf("/teams/%d/team-sync/group-mappings", other.Team("elsewhere").ID())
	l.do(http.MethodPatch, path, ann, wish("2")).want(t, http.StatusOK)
	equal(t, "by name", l.get("/orgs/other/teams/elsewhere/team-sync/group-mappings", ann).ids(), "corp:2")
	equal(t, "in the first", l.get(mappings, ann).ids(), "")
	l.get("/teams/1/team-sync/group-mappings", ann).want(t, http.StatusNotFound)
	l.get(path, bob).want(t, http.StatusNotFound) // who is no member there
}

func TestTheAddressIsTheOneThatTheCallerUsed(t *testing.T) {
	forwarded := []string{"X-Forwarded-Host", "sync.example.com, inner", "X-Forwarded-Proto", "https"}
	next := func(l *lab, headers ...string) string {
		link := l.get(list+"?per_page=2", ann, headers...).want(l.t, http.StatusOK).header.Get("Link")
		address, _, _ := strings.Cut(strings.TrimPrefix(link, "<"), "/orgs")
		return address
	}
	l := newLab(t)
	equal(t, "as it was asked", next(l), l.web.URL)
	equal(t, "by the Host header", next(l, "Host", "other.example.com:8443"), "http://other.example.com:8443")
	equal(t, "from a stranger", next(l, forwarded...), l.web.URL)
	l.get(list, ann, "Host", `a"b`).want(t, http.StatusBadRequest)
	l.get(list, ann, "Host", `a>b`).want(t, http.StatusBadRequest)

	l = newLabOn(t, "sqlite:"+t.TempDir()+"/a.db", func(l *lab) { l.proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	equal(t, "through a proxy", next(l, forwarded...), "https://sync.example.com")
	l.get(list, ann, "X-Forwarded-For", "203.0.113.7, 198.51.100.9, 127.0.0.3")
	if !strings.Contains(l.log.String(), "from=198.51.100.9") {
		t.Error("the log does not have the address before the proxies")
	}
}

func TestAPanicIsAnAnswerAndNoSecretIsLogged(t *testing.T) {
	l := newLab(t)
	l.get(mappings, ann)
	l.get(mappings, wrong)
	l.do(http.MethodPatch, mappings, ann, wish("1"))
	l.get(list+"?q=seekrit", ann)
	own := l.token(access.Owner, "octo")
	l.get(mappings, own)
	for _, secret := range []string{ann, wrong, own, "seekrit"} {
		if strings.Contains(l.log.String(), secret) {
			t.Errorf("the log has %s", secret)
		}
	}
	l.settings.GroupsPerTeam = 5
	broken := l.opened("broken", "broken", l.ghWeb)
	broken.Settings = nil // asking it is a panic
	l.serve(broken)
	a := l.get("/orgs/broken/team-sync/groups", ann).want(t, http.StatusInternalServerError)
	equal(t, "message", a.body.Message, "Server Error")
	l.get(mappings, ann).want(t, http.StatusOK)
}

func TestARouteWithoutAPermissionIsNotServed(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("it was registered")
		}
	}()
	l := newLab(t)
	github.New(github.Options{Access: access.New(access.Options{}), Memory: l.store}).HandleFunc("GET /forgotten", func(http.ResponseWriter, *http.Request) {})
}
