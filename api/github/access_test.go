package github_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"musterline.example/api/access"
	"musterline.example/api/github"
	"musterline.example/internal/githubsim"
	"musterline.example/store"
)

// outcome sorts an answer: "ok" for whoever was let in, else the status of the refusal.
func outcome(a answer) string {
	if a.code < 300 || strings.HasPrefix(a.body.Message, "The members of this team are kept in line") {
		return "ok"
	}
	return strconv.Itoa(a.code)
}

// Every route, as everybody and as nobody. A route that is new has no line in expected, and fails here.
func TestEveryRouteAsEveryRoleAndAsNobody(t *testing.T) {
	l := newLab(t)
	l.acme.Team("design").Set("dan", githubsim.Maintainer)
	callers := []struct{ who, token string }{
		{"nobody", ""}, {"wrong", wrong},
		{"owner", ann}, {"maintainer", bob}, {"maintainer of another team", dan}, {"member", cat}, {"outsider", eve}, {"app", l.app},
		{"administrator's token", l.token(access.Administrator, "")}, {"owner's token", l.token(access.Owner, "octo")},
		{"maintainer's token", l.token(access.Maintainer, "octo")}, {"viewer's token", l.token(access.Viewer, "octo")},
		{"token of another target", l.token(access.Administrator, "elsewhere")}, {"token of no role", l.token("conductor", "octo")},
	}
	type row map[string]string
	expected := map[access.Permission]row{
		access.Identified: {"nobody": "401", "wrong": "401"},
		access.LookUp: {
			"nobody": "401", "wrong": "401", "token of another target": "404", "token of no role": "404",
		},
		access.ReadGroups: {
			"nobody": "401", "wrong": "401", "member": "403", "outsider": "404", "token of another target": "404", "token of no role": "404",
		},
		access.ReadMappings: {
			"nobody": "401", "wrong": "401", "maintainer of another team": "403", "member": "403", "outsider": "404", "token of another target": "404",
			"token of no role": "404",
		},
		access.ChangeMappings: {
			"nobody": "401", "wrong": "401", "maintainer of another team": "403", "member": "403", "outsider": "404", "app": "403", "viewer's token": "403",
			"token of another target": "404", "token of no role": "404",
		},
		access.ChangeMembers: {
			"nobody": "401", "wrong": "401", "maintainer of another team": "403", "member": "403", "outsider": "404", "app": "403", "viewer's token": "403",
			"token of another target": "404", "token of no role": "404",
		},
	}
	fill := strings.NewReplacer("{org}", "acme", "{org_id}", fmt.Sprint(l.acme.ID()), "{team_slug}", "platform", "{team_id}", string(l.id("platform")), "{username}", "dan")
	l.do(http.MethodPatch, mappings, ann, wish("1")).want(t, http.StatusOK)
	served := github.New(github.Options{Access: access.New(access.Options{}), Memory: l.store}).Routes()
	for _, route := range served {
		need, known := access.Routes[route]
		want := expected[need]
		if !known || want == nil {
			t.Errorf("%s: no permission, or one of which nobody said here who has it", route)
			continue
		}
		method, path, _ := strings.Cut(route, " ")
		body := ""
		if method == http.MethodPatch {
			body = wish("1")
		}
		for _, c := range callers {
			wanted := "ok"
			if w, said := want[c.who]; said {
				wanted = w
			}
			if need == access.LookUp { // what GitHub shows to whom is GitHub's to say
				switch {
				case route == "GET /user" && (c.who == "app" || strings.HasSuffix(c.who, "token")):
					wanted = "403" // which are no users
				case strings.Contains(route, "team") && c.who == "outsider":
					wanted = "404"
				}
			}
			got := outcome(l.do(method, "/api/v3"+fill.Replace(path), c.token, body))
			if need == access.LookUp && c.who == "outsider" && strings.Contains(route, "team") && got == "403" {
				got = "404" // in the simulator's words
			}
			if got != wanted {
				t.Errorf("%s as %s: got %s, want %s", route, c.who, got, wanted)
			}
		}
	}
	for route := range access.Routes {
		if _, path, _ := strings.Cut(route, " "); !slices.Contains(served, route) && !strings.HasPrefix(path, "/api/") {
			t.Errorf("the table has %s, and nobody serves it", route)
		}
	}
}

// A GET may rest on an answer of the last minute, a PATCH never.
func TestAMaintainerDemotedASecondAgoIsRefused(t *testing.T) {
	l := newLab(t)
	l.do(http.MethodPatch, mappings, bob, wish("1")).want(t, http.StatusOK)
	l.get(mappings, bob).want(t, http.StatusOK)
	l.acme.Team("platform").Set("bob", githubsim.Member)
	l.get(mappings, bob).want(t, http.StatusOK)
	l.do(http.MethodPatch, mappings, bob, wish("2")).want(t, http.StatusForbidden)
	l.get(mappings, bob).want(t, http.StatusForbidden) // what the PATCH has learned is known to all
	equal(t, "groups", l.get(mappings, ann).ids(), "corp:1")

	l.acme.Team("platform").Set("bob", githubsim.Maintainer)
	l.get(mappings, bob).want(t, http.StatusForbidden) // a no is kept as long as a yes
	l.pass(time.Minute)
	l.get(mappings, bob).want(t, http.StatusOK)
	l.acme.RemoveMember("bob")
	l.pass(time.Minute)
	l.get(mappings, bob).want(t, http.StatusNotFound)
}

func TestGitHubIsAskedOnceAMinuteAndWithTheCallersOwnToken(t *testing.T) {
	l := newLab(t)
	l.get(mappings, bob).want(t, http.StatusOK)
	l.get(mappings, cat).want(t, http.StatusForbidden)
	l.gh.Reset()
	for range 20 {
		l.get(mappings, bob).want(t, http.StatusOK)
		l.get(mappings, cat).want(t, http.StatusForbidden)
	}
	equal(t, "calls within the minute", l.gh.Counts().Calls, 0)
	l.pass(time.Minute)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { l.get(mappings, bob) })
	}
	all.Wait()
	equal(t, "calls for twenty at once", l.gh.Counts().Calls, 3)
	l.get(list, bob).want(t, http.StatusOK)
	l.do(http.MethodPatch, mappings, bob, wish("1")).want(t, http.StatusOK)
	for _, c := range l.gh.Calls() {
		if c.Credential != "token of bob" {
			t.Errorf("%s %s was asked with the %s", c.Method, c.Path, c.Credential)
		}
	}
}

func TestATokenMustShowThatItMayWrite(t *testing.T) {
	l := newLab(t)
	for token, words := range map[string]string{annReads: "write:org", bobReads: "write:org", fine: "classic token", l.app: "organization owner"} {
		l.get(mappings, token).want(t, http.StatusOK)
		a := l.do(http.MethodPatch, mappings, token, wish("1")).want(t, http.StatusForbidden)
		if !strings.Contains(a.body.Message, words) {
			t.Error(a.text)
		}
	}
	equal(t, "groups", l.get(mappings, ann).ids(), "")
	l.set(func(s *github.Settings) { s.Unscoped = true })
	l.do(http.MethodPatch, mappings, fine, wish("1")).want(t, http.StatusOK)
	l.do(http.MethodPatch, mappings, l.app, wish("2")).want(t, http.StatusOK)
	l.do(http.MethodPatch, mappings, annReads, wish("3")).want(t, http.StatusForbidden) // which says that it may not
	l.do(http.MethodPatch, mappings, elsewhere, wish("3")).want(t, http.StatusForbidden)
}

func TestATokenThatSingleSignOnHoldsBackIsToldSo(t *testing.T) {
	l := newLab(t)
	l.gh.UpdateToken(bob, func(tk *githubsim.Token) { tk.NoSSO = []string{"acme"} })
	a := l.get(mappings, bob).want(t, http.StatusForbidden)
	if !strings.Contains(a.body.Message, "single sign-on") {
		t.Error(a.text)
	}
}

func TestWithoutGitHubNobodyIsLetIn(t *testing.T) {
	l := newLab(t)
	l.get(mappings, bob).want(t, http.StatusOK)
	l.faulty.Store(true)
	for _, fault := range []githubsim.Fault{
		{Status: http.StatusBadGateway}, {Status: http.StatusInternalServerError}, {Drop: githubsim.DropRequest}, {Truncate: true}, {Body: "<html>", Status: 200},
		{Path: "/user/memberships/*/*", Drop: githubsim.DropAnswer}, {Path: "/orgs/acme/teams/platform", Status: http.StatusServiceUnavailable}, {GraphQL: true, Status: 502},
	} {
		in := l.gh.Inject(fault)
		a := l.do(http.MethodPatch, mappings, bob, wish("1"))
		if a.code != http.StatusBadGateway {
			t.Errorf("%+v: got %d %s", fault, a.code, a.text)
		}
		in.Remove()
	}
	l.get(mappings, bob).want(t, http.StatusOK) // an accident is no answer: nothing of it is kept
	equal(t, "groups", l.get(mappings, ann).ids(), "")
}

func TestTheCallersOwnLimitIsTheirOwnAndToldAsSuch(t *testing.T) {
	l := newLab(t)
	l.gh.Exhaust(bob, 0)
	a := l.get(mappings, bob).want(t, http.StatusTooManyRequests)
	if after, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || after < 1 {
		t.Error(a.header)
	}
	l.get(mappings, ann).want(t, http.StatusOK)
	l.gh.Reset()
	l.gh.Inject(githubsim.Fault{Times: 1, Secondary: true, RetryAfter: 17 * time.Second, Path: "/user/*/*/*"})
	a = l.get(mappings, cat).want(t, http.StatusTooManyRequests)
	if after, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || after < 10 || after > 20 {
		t.Error(a.header.Get("Retry-After"))
	}
}

// GitHub locks out an address, which is ours, after several wrong credentials: so we must not be asked to try them.
func TestNobodyCanUseUsToGuess(t *testing.T) {
	l := newLab(t)
	l.get(mappings, ann).want(t, http.StatusOK)
	l.gh.Reset()
	codes := map[int]int{}
	for i := range 60 {
		ask := [][2]string{{http.MethodGet, mappings}, {http.MethodPatch, mappings}, {http.MethodGet, "/user"}, {http.MethodGet, list}}[i%4]
		a := l.do(ask[0], ask[1], fmt.Sprintf("ghp_guess%d", i), "{}")
		codes[a.code]++
		if a.code == http.StatusTooManyRequests && a.header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	if n := l.gh.Counts().Calls; n > 24 { // a few for each credential that was looked at
		t.Errorf("GitHub was asked %d times", n)
	}
	if codes[401] > 10 || codes[429] < 40 || codes[200] > 0 {
		t.Error(codes)
	}
	l.get(mappings, ann).want(t, http.StatusOK) // who is known goes on, and writes
	l.do(http.MethodPatch, mappings, ann, wish("1")).want(t, http.StatusOK)
	l.get(mappings, bob).want(t, http.StatusTooManyRequests) // who is not has to wait
	l.pass(5*time.Minute + time.Second)
	l.get(mappings, bob).want(t, http.StatusOK)

	// The same wrong token again is not asked about again.
	l.gh.Reset()
	for range 10 {
		l.get(mappings, wrong).want(t, http.StatusUnauthorized)
	}
	if n := l.gh.Counts().Calls; n > 3 {
		t.Errorf("GitHub was asked %d times about one token", n)
	}
}

func TestGuessesAtMusterlineTokensEndToo(t *testing.T) {
	l := newLab(t)
	own := l.token(access.Owner, "octo")
	codes := map[int]int{}
	for i := range 40 {
		codes[l.get(mappings, fmt.Sprintf("mst_%d", i)).code]++
	}
	equal(t, "looked at", codes[401], 20)
	equal(t, "made to wait", codes[429], 20)
	l.get(mappings, own).want(t, http.StatusTooManyRequests)
	l.pass(5*time.Minute + time.Second)
	l.get(mappings, own).want(t, http.StatusOK)
}

func TestWhenGitHubLocksUsOutEverybodyWaits(t *testing.T) {
	l := newLab(t)
	in := l.gh.Inject(githubsim.Fault{Status: http.StatusForbidden, Message: "Maximum number of login attempts exceeded. Please try again later."})
	l.faulty.Store(true)
	a := l.get(mappings, bob).want(t, http.StatusServiceUnavailable)
	if a.header.Get("Retry-After") == "" {
		t.Error(a.header)
	}
	in.Remove()
	l.gh.Reset()
	l.get(mappings, cat).want(t, http.StatusTooManyRequests)
	equal(t, "calls", l.gh.Counts().Calls, 0)
	l.pass(5*time.Minute + time.Second)
	l.get(mappings, bob).want(t, http.StatusOK)
}

func TestATokenOfOursEndsAtOnceAndKeepsItsLastUse(t *testing.T) {
	each(t, func(t *testing.T, l *lab) {
		ctx := context.Background()
		made, text, err := l.store.CreateToken(ctx, store.Token{Name: "deploy", Role: "owner", ExpiresAt: l.clock().Add(time.Hour)}, "ann")
		if err != nil {
			t.Fatal(err)
		}
		l.get(mappings, text).want(t, http.StatusOK)
		used, err := l.store.TokenByID(ctx, made.ID)
		if err != nil || used.LastUsedAt.IsZero() {
			t.Error(used.LastUsedAt, err)
		}
		if err := l.store.RevokeToken(ctx, made.ID, "ann"); err != nil {
			t.Fatal(err)
		}
		l.get(mappings, text).want(t, http.StatusUnauthorized)
		_, text, err = l.store.CreateToken(ctx, store.Token{Name: "short", Role: "owner", ExpiresAt: l.clock().Add(time.Minute)}, "ann")
		if err != nil {
			t.Fatal(err)
		}
		l.get(mappings, text).want(t, http.StatusOK)
		l.pass(time.Hour)
		l.get(mappings, text).want(t, http.StatusUnauthorized)
		if errors.Is(err, store.ErrExpired) {
			t.Error(err)
		}
	})
}

// An administrator may give somebody a role that GitHub does not.
func TestAnAssignedRoleCountsBesideGitHubs(t *testing.T) {
	each(t, func(t *testing.T, l *lab) {
		host := strings.TrimPrefix(l.ghWeb.URL, "http://")
		assign := func(login string, role access.Role, on string) {
			t.Helper()
			if err := l.store.AssignRole(context.Background(), store.Assigned{
				Subject: fmt.Sprintf("github:%s#%d", host, l.world.User(login).ID()), Role: string(role), Target: on,
			}, "ann"); err != nil {
				t.Fatal(err)
			}
			l.pass(time.Minute)
		}
		l.get(mappings, dan).want(t, http.StatusForbidden)
		assign("dan", access.Owner, "elsewhere")
		l.get(mappings, dan).want(t, http.StatusForbidden)
		assign("dan", access.Viewer, "octo")
		l.get(mappings, dan).want(t, http.StatusOK)
		l.do(http.MethodPatch, mappings, dan, wish("1")).want(t, http.StatusForbidden)
		assign("dan", access.Maintainer, "")
		l.do(http.MethodPatch, mappings, dan, wish("1")).want(t, http.StatusOK)
		assign("ann", access.Viewer, "") // who is more stays more
		l.do(http.MethodPatch, mappings, ann, wish("2")).want(t, http.StatusOK)
	})
}

// Administering a team below is not administering the one above.
func TestAMaintainerOfATeamBelowIsNoneOfTheTeamAbove(t *testing.T) {
	l := newLab(t)
	l.acme.Team("backend").Set("dan", githubsim.Maintainer)
	l.set(func(s *github.Settings) { s.ParentTeams = true })
	l.do(http.MethodPatch, "/orgs/acme/teams/backend/team-sync/group-mappings", dan, wish("1")).want(t, http.StatusOK)
	l.do(http.MethodPatch, "/orgs/acme/teams/engineering/team-sync/group-mappings", dan, wish("1")).want(t, http.StatusForbidden)
}

func TestASecretTeamIsNotFoundByWhoMayNotSeeIt(t *testing.T) {
	l := newLab(t)
	l.acme.AddTeam("Shadow").SetSecret(true)
	const path = "/orgs/acme/teams/shadow/team-sync/group-mappings"
	l.get(path, ann).want(t, http.StatusOK)
	for _, token := range []string{bob, cat, dan, eve} {
		equal(t, "message", l.get(path, token).want(t, http.StatusNotFound).body.Message, "Not Found")
	}
}

// A renamed organization goes on under both names for as long as the configuration has the old one.
func TestARenamedTeamIsFoundByItsNewSlugAlone(t *testing.T) {
	l := newLab(t)
	l.do(http.MethodPatch, mappings, ann, wish("1")).want(t, http.StatusOK)
	l.acme.Team("platform").Rename("Foundation")
	l.pass(time.Minute)
	l.get(mappings, ann).want(t, http.StatusNotFound)
	equal(t, "groups", l.get("/orgs/acme/teams/foundation/team-sync/group-mappings", ann).want(t, http.StatusOK).ids(), "corp:1")
}

// A stranger cannot make us show our own credential again and again when it is not accepted: GitHub would lock us out.
func TestOurOwnCredentialIsNotShownForEveryStranger(t *testing.T) {
	l := newLab(t)
	l.gh.UpdateToken(ann, func(tk *githubsim.Token) { tk.Revoked = true })
	for range 20 {
		l.get("/orgs/unknown/team-sync/groups", bob).want(t, http.StatusNotFound)
		l.get("/organizations/1/team-sync/groups", bob).want(t, http.StatusBadGateway)
	}
	if n := l.gh.Counts().Calls; n > 3 {
		t.Errorf("%d calls", n)
	}
	l.get(mappings, bob).want(t, http.StatusOK)
	l.gh.UpdateToken(ann, func(tk *githubsim.Token) { tk.Revoked = false })
	l.pass(time.Minute)
	l.get("/organizations/1/team-sync/groups", bob).want(t, http.StatusNotFound)
}
