package native_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"musterline.example/answer"
	"musterline.example/api/access"
	"musterline.example/api/native"
	"musterline.example/internal/githubsim"
)

// Every route of the table is served, every route that is served is in the table, and each lets in whom the table says.
func TestEveryRouteAsEveryRoleAndAsNobody(t *testing.T) {
	l := newLab(t)
	served := l.api.Routes()
	for route := range access.Routes {
		if _, path, _ := strings.Cut(route, " "); strings.HasPrefix(path, native.Prefix+"/") && !slices.Contains(served, route) {
			t.Errorf("the table has %s, and nobody serves it", route)
		}
	}
	least := map[access.Permission]access.Role{
		access.Read: access.Viewer, access.ReadAll: access.Viewer, access.ReadGroups: access.Viewer, access.ReadMappings: access.Viewer, access.ChangeMappings: access.Maintainer,
		access.Operate: access.Owner, access.Administer: access.Administrator, access.SignedIn: access.Administrator,
	}
	if _, err := l.house.Sync(t.Context(), answer.SyncWish{Target: "octo", By: "a test"}, nil); err != nil {
		t.Fatal(err)
	}
	asked, err := l.house.Ask(t.Context(), answer.AskWish{Target: "octo", Trigger: "person"})
	if err != nil {
		t.Fatal(err)
	}
	param := regexp.MustCompile(`\{[a-z]+\}`)
	names := strings.NewReplacer("{target}", "octo", "{source}", "people", "{team}", "free", "{run}", "1", "{request}", asked.ID, "{token}", "99", "{id}", "none")
	bodies := map[string]string{ // whoever is let in changes nothing by them
		"POST /targets/{target}/sync": `{"digest":"of another plan"}`, "POST /runs/{run}/undo": `{"digest":"of another plan"}`,
		"PUT /targets/{target}/teams/{team}/mappings": `{"groups":[]}`, "POST /targets/{target}/teams/{team}/mappings/preview": `{"groups":[]}`,
		"PUT /targets/{target}/enabled": `{"enabled":true}`, "POST /links": `{"user":"x","account":"x","reason":"x"}`,
		"POST /links/remove": `{"user":"x"}`, "POST /tokens": `{"name":"","role":"viewer"}`, "POST /roles": `{"subject":"x","role":"viewer"}`,
		"POST /roles/remove": `{"subject":"x"}`, "POST /links/preview": `{"user":"x","account":"x"}`,
	}
	if _, err := l.house.Sync(t.Context(), answer.SyncWish{Target: "octo", By: "a test"}, nil); err != nil { // which takes the request
		t.Fatal(err)
	}
	before := l.state()
	for _, route := range served {
		need, known := access.Routes[route]
		if !known {
			t.Errorf("the table lacks %s", route)
			continue
		}
		method, path, _ := strings.Cut(route, " ")
		path = strings.TrimPrefix(path, native.Prefix)
		onTarget := strings.Contains(path, "{target}") || path == "/targets/{name}" && method == http.MethodGet || strings.Contains(path, "{run}")
		body := ""
		if method == http.MethodPost || method == http.MethodPut {
			if body = bodies[method+" "+path]; body == "" {
				body = "{}"
			}
		}
		path = param.ReplaceAllString(names.Replace(path), "octo")
		if path == "/why" {
			path += "?user=ada-l&team=docs"
		}
		if need == access.Public {
			l.ask("", method, path, "").want(http.StatusOK)
			continue
		}
		l.ask("", method, path, body).want(http.StatusUnauthorized)
		if strings.HasSuffix(path, "/events") {
			path += "?cursor=" // a parameter that it does not take: a stream would not end while the request waits
		}
		for _, role := range access.Roles {
			got := l.ask(string(role), method, path, body)
			if may := role.AtLeast(least[need]); (got.status == http.StatusForbidden) == may && !strings.HasSuffix(path, "cursor=") || got.status == http.StatusUnauthorized {
				if own := strings.HasPrefix(path, "/me/"); !own || got.status != http.StatusForbidden { // what is somebody's own no token opens
					t.Errorf("%s as %s, who needs %s: %d %s", route, role, least[need], got.status, got.text)
				}
			}
			if path == "/me/sign-out" {
				continue
			}
			got = l.ask("signed-in "+string(role), method, path, body)
			if may := need == access.SignedIn || role.AtLeast(least[need]); (got.status == http.StatusForbidden) == may && !strings.HasSuffix(path, "cursor=") || got.status == http.StatusUnauthorized {
				t.Errorf("%s as a %s who has signed in and needs %s: %d %s", route, role, least[need], got.status, got.text)
			}
		}
		if onTarget {
			l.ask("hex's owner", method, strings.TrimSuffix(path, "?cursor="), body).want(http.StatusNotFound)
			l.ask("signed-in owner of hex", method, strings.TrimSuffix(path, "?cursor="), body).want(http.StatusNotFound)
		}
	}
	if after := l.state(); after != before {
		t.Errorf("something was changed:\n%s\nwas\n%s", after, before)
	}
}

// The same with bodies that are right: who may not is refused before anything is looked at or changed.
func TestWhoMayNotChangesNothing(t *testing.T) {
	l := newLab(t)
	for _, c := range []struct{ method, path, body, needs string }{
		{"POST", "/targets/octo/sync", `{}`, "owner"},
		{"POST", "/targets/octo/pause", `{"reason":"x"}`, "owner"},
		{"POST", "/targets/octo/resume", `{}`, "owner"},
		{"POST", "/targets/octo/approvals", `{"reason":"x"}`, "owner"},
		{"POST", "/links", `{"user":"people/ada","account":"github.com/1","reason":"x"}`, "owner"},
		{"PUT", "/targets/octo/teams/free/mappings", `{"groups":[{"group":"people/leads"}]}`, "maintainer"},
		{"POST", "/targets/octo/teams/free/mappings/preview", `{"groups":[{"group":"people/leads"}]}`, "maintainer"},
		{"PUT", "/targets/octo/enabled", `{"enabled":false,"members":"keep"}`, "owner"},
		{"PUT", "/sources/new", `{"kind":"file","path":"directory.yaml"}`, "administrator"},
		{"DELETE", "/sources/new", ``, "administrator"},
		{"POST", "/tokens", `{"name":"x","role":"viewer"}`, "administrator"},
		{"DELETE", "/tokens/1", ``, "administrator"},
		{"POST", "/roles", `{"subject":"github:github.com#1","role":"viewer"}`, "administrator"},
	} {
		before := l.state()
		for _, who := range []string{
			"", "ghp_nobodys", "viewer", "maintainer", "owner", "octo's viewer", "octo's maintainer", "octo's owner", "hex's owner", "ghp_bob", "ghp_ann_reads",
			"signed-in viewer", "signed-in maintainer", "signed-in owner", "signed-in owner of hex",
		} {
			role := strings.TrimPrefix(strings.TrimPrefix(who, "octo's "), "signed-in ")
			if access.Role(role).AtLeast(access.Role(c.needs)) {
				continue
			}
			got := l.ask(who, c.method, c.path, c.body, "If-Match", "*")
			if got.want(got.status); !slices.Contains([]int{401, 403, 404, 429}, got.status) {
				t.Errorf("%s %s as %q: %d %s", c.method, c.path, who, got.status, got.text)
			}
		}
		if after := l.state(); after != before {
			t.Errorf("%s %s by who may not has changed something", c.method, c.path)
		}
	}
}

func TestWhoIsBoundToATargetSeesThatOneOnly(t *testing.T) {
	l := newLab(t)
	who := "octo's viewer"
	configured := as[answer.Configured](l.ask(who, "GET", "/configured", "").want(200))
	if names := strings.Join(append(configured.TargetNames(), configured.SourceNames()...), " "); names != "octo people" {
		t.Errorf("sees %s", names)
	}
	status := as[answer.Status](l.ask(who, "GET", "/status", "").want(200))
	if len(status.Targets) != 1 || len(status.Sources) != 1 {
		t.Errorf("sees %d targets and %d sources", len(status.Targets), len(status.Sources))
	}
	for _, path := range []string{"/targets/hex/plan", "/targets/hex/teams", "/status?target=hex", "/audit?target=hex", "/runs?target=hex", "/sources/other/groups", "/targets/none/teams"} {
		l.ask(who, "GET", path, "").want(http.StatusNotFound)
	}
	l.ask(who, "GET", "/sources/people/groups", "").want(200)
	l.ask(who, "GET", "/tokens", "").want(http.StatusForbidden)
	l.ask(who, "GET", "/audit/verify", "").want(http.StatusForbidden)
	if entries := as[answer.Audit](l.ask(who, "GET", "/audit", "").want(200)).Entries; len(entries) != 3 {
		t.Errorf("sees %d entries, and three tokens of octo were made", len(entries))
	}
}

// A caller's own GitHub token opens what is about one target, as far as GitHub says who they are.
func TestGitHubTokensOpenTheirTarget(t *testing.T) {
	l := newLab(t)
	l.ask("ghp_ann", "GET", "/targets/octo/teams", "").want(200).says("platform")
	l.ask("ghp_ann", "POST", "/targets/octo/pause", `{"reason":"x"}`).want(200).says(`"by":"`, "/ann\"")
	l.ask("ghp_ann", "POST", "/targets/octo/resume", `{}`).want(200)
	l.ask("ghp_ann_reads", "GET", "/targets/octo/plan", "").want(404).says("no run of the target has made a plan yet")
	l.ask("ghp_ann_reads", "POST", "/targets/octo/pause", `{"reason":"x"}`).want(403).says("write:org")
	l.ask("ghp_bob", "POST", "/targets/octo/pause", `{"reason":"x"}`).want(404)
	l.ask("ghp_nobodys", "GET", "/targets/octo/teams", "").want(401)
	l.ask("ghp_ann", "GET", "/status", "").want(403).says("it takes a Musterline token")
	l.ask("ghp_ann", "GET", "/status?target=octo", "").want(200)
	l.ask("ghp_ann", "GET", "/tokens", "").want(403)
}

func TestRolesAreTheSameWordsEverywhere(t *testing.T) {
	var roles []string
	for _, r := range access.Roles {
		roles = append(roles, string(r))
	}
	if got := answer.RoleNames(); !slices.Equal(got, roles) {
		t.Errorf("%v and %v", got, roles)
	}
}

// GitHub's maintainer of a team owns that team's groups, may look for groups to choose from, and is nobody to the rest of the organization.
func TestAMaintainerOnGitHubHasTheirOwnTeamAlone(t *testing.T) {
	l := newLab(t)
	l.org.Team("platform").Set("bob", githubsim.Maintainer)
	before := l.state()
	for _, path := range []string{
		"/targets/octo/teams", "/audit?target=octo", "/audit/export?target=octo", "/runs?target=octo", "/status?target=octo", "/targets/octo/plan",
		"/targets/octo/requests", "/targets/octo", "/targets/octo/enabled", "/why?user=ada-l&team=octo/docs",
	} {
		if got := l.ask("ghp_bob", "GET", path, ""); got.status != http.StatusForbidden {
			t.Errorf("%s: %d %s", path, got.status, got.text)
		}
	}
	groups := `{"groups":[{"group":"people/leads"}]}`
	l.ask("ghp_bob", "GET", "/targets/octo/teams/free", "").want(http.StatusForbidden)
	l.ask("ghp_bob", "PUT", "/targets/octo/teams/free/mappings", groups, "If-Match", "*").want(http.StatusForbidden)
	l.ask("ghp_bob", "POST", "/targets/octo/teams/free/mappings/preview", groups).want(http.StatusForbidden)
	l.ask("ghp_bob", "PUT", "/targets/octo/teams/none/mappings", groups, "If-Match", "*").want(http.StatusNotFound)
	l.ask("ghp_bob", "POST", "/targets/octo/pause", `{"reason":"x"}`).want(http.StatusForbidden)
	if after := l.state(); after != before {
		t.Error("something was changed")
	}
	if found := as[answer.Groups](l.ask("ghp_bob", "GET", "/sources/people/groups?target=octo", "").want(200)); len(found.Groups) != 3 || len(found.Groups[0].Teams) != 0 {
		t.Errorf("groups to choose from, without who else has them: %+v", found)
	}
	l.ask("ghp_bob", "GET", "/sources/other/groups?target=octo", "").want(http.StatusNotFound)
	l.ask("ghp_bob", "GET", "/targets/octo/teams/platform", "").want(200).says("people/platform")
	l.ask("ghp_bob", "PUT", "/targets/octo/teams/platform/mappings", groups, "If-Match", "*").want(http.StatusForbidden).says("musterline.yaml")
	l.org.Team("free").Set("bob", githubsim.Maintainer)
	l.ask("ghp_bob", "POST", "/targets/octo/teams/Free/mappings/preview", groups).want(200)
	l.ask("ghp_bob", "PUT", "/targets/octo/teams/free/mappings", groups, "If-Match", "*").want(200).says("people/leads")
	l.ask("ghp_ann", "PUT", "/targets/octo/teams/free/mappings", `{"groups":[]}`, "If-Match", "*").want(200)
}

// Words of the record are looked up among what the caller may see: a team or account of another target is none, and no hint names it.
func TestTheRecordOfAnotherTargetIsNeitherShownNorNamed(t *testing.T) {
	l := newLab(t)
	if _, err := l.house.Sync(t.Context(), answer.SyncWish{Target: "octo", By: "a test"}, nil); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		"/audit?team=octo/platform", "/audit?team=platform", "/audit/export?team=octo/platform", "/audit?team=nonsense", "/audit?target=hex&team=octo/platform",
		"/audit?team=platfor", "/audit/export?team=plaform&format=csv", "/why?user=ada-l&team=nonsense", "/why?user=ada-l&team=platfor", "/why?user=ada-l&team=octo/platform",
	} {
		got := l.ask("hex's owner", "GET", path, "").want(http.StatusNotFound)
		for _, word := range []string{"platform", "docs", "octo", "dee"} {
			if strings.Contains(got.text, word) {
				t.Errorf("%s names what is octo's: %s", path, got.text)
			}
		}
	}
	l.ask("octo's viewer", "GET", "/audit?team=platform", "").want(200).says(`"platform"`)
	l.ask("octo's viewer", "GET", "/audit?target=octo&team=octo/platform", "").want(200).says(`"platform"`)
	l.ask("octo's viewer", "GET", "/why?user=ada-l&team=platform", "").want(200)
	l.ask("viewer", "GET", "/audit?team=octo/platform", "").want(200).says(`"platform"`)
}

// What a target does not show is not shown to who sees that target alone, whatever they show themselves with.
func TestSourcesThatATargetDoesNotShowStayHidden(t *testing.T) {
	l := newLab(t)
	for _, who := range []string{"octo's owner", "ghp_ann"} {
		status := as[answer.Status](l.ask(who, "GET", "/status?target=octo", "").want(200))
		if len(status.Sources) != 1 || status.Sources[0].Name != "people" {
			t.Errorf("%s sees %+v", who, status.Sources)
		}
	}
	if status := as[answer.Status](l.get("/status").want(200)); len(status.Sources) != 2 {
		t.Errorf("an administrator sees %+v", status.Sources)
	}
	host := l.house.Host(t.Context(), "octo")
	l.post("/links", `{"user":"other/ada","account":"`+host+`/1","reason":"x"}`).want(200)
	l.post("/links", `{"user":"people/bob","account":"`+host+`/2","reason":"x"}`).want(200)
	if text := l.ask("octo's viewer", "GET", "/links", "").want(200).says("people/bob").text; strings.Contains(text, "other/") {
		t.Error("links of a hidden source are shown: ", text)
	}
	l.get("/links").want(200).says("other/ada")
	l.ask("ghp_ann", "POST", "/links", `{"user":"other/ada","account":"`+host+`/3","reason":"x"}`).want(403)
}
