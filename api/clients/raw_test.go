package clients_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// linked is the address that a Link header has for the next page, "" without one.
func linked(header http.Header) string {
	address, _, _ := strings.Cut(strings.TrimPrefix(header.Get("Link"), "<"), ">")
	return address
}

// The requests of gh api, written down from Debian's gh 2.23.0: https always, an Accept header that is empty, a Content-Type without a body, and
// with --paginate each Link as it stands, with the token only where the host is the one it was told.
func TestTheRequestsOfGh(t *testing.T) {
	l := newLab(t)
	headers := []string{"Accept", "", "Content-Type", "application/json; charset=utf-8", "Time-Zone", "Etc/UTC", "User-Agent", "GitHub CLI 2.23.0", "Authorization", "token " + olga}
	at, n := l.url+"/api/v3/orgs/octo-org/team-sync/groups?per_page=100", 0
	for pages := 1; at != ""; pages++ {
		target, ours := strings.CutPrefix(at, l.url)
		if !ours {
			t.Fatalf("gh would not send its token to %s", at)
		}
		a := l.do("GET", target, "", "", headers...).want(t, http.StatusOK)
		n += len(strings.Fields(a.ids(t)))
		if at = linked(a.header); pages > 3 {
			t.Fatal("there is no last page")
		}
	}
	equal(t, "groups with --paginate", n, groups)
	one := l.do("GET", "/api/v3/orgs/octo-org/team-sync/groups", "", "", headers...).want(t, http.StatusOK)
	equal(t, "groups without", len(strings.Fields(one.ids(t))), 30)

	const path = "/api/v3/orgs/octo-org/teams/design/team-sync/group-mappings"
	// -f 'groups[][group_id]=people:123' -f 'groups[][group_name]=Octocat admins' -f 'groups[][group_description]='
	fields := `{"groups":[{"group_description":"","group_id":"people:123","group_name":"Octocat admins"}]}`
	equal(t, "groups after -f", l.do("PATCH", path, "", fields, headers...).want(t, http.StatusOK).ids(t), "people:123")
	// echo '{"groups":[]}' | gh api -X PATCH … --input -
	equal(t, "groups after --input -", l.do("PATCH", path, "", `{"groups":[]}`+"\n", headers...).want(t, http.StatusOK).text, `{"groups":[]}`)
	var refused struct{ Message string }
	l.do("PATCH", path, "", `{"x":"y"}`, headers...).want(t, http.StatusUnprocessableEntity).into(t, &refused)
	if refused.Message == "" {
		t.Error("gh prints the message, and there is none")
	}
}

// The requests of PyGithub 1.55, written down from it: it looks up the organization and the team, takes the team's url for the next
// request, and refuses an address with another host, port or prefix than the one it was told.
func TestTheRequestsOfPyGithub(t *testing.T) {
	l := newLab(t)
	headers := []string{"Accept", "*/*", "User-Agent", "PyGithub/Python", "Authorization", "token " + olga}
	for _, prefix := range []string{"/api/v3", ""} {
		var user struct{ Login string }
		l.do("GET", prefix+"/user", "", "", headers...).want(t, http.StatusOK).into(t, &user)
		equal(t, "user", user.Login, "olga")
		var org, team struct {
			ID  int64
			URL string
		}
		l.do("GET", prefix+"/orgs/octo-org", "", "", headers...).want(t, http.StatusOK).into(t, &org)
		l.do("GET", prefix+"/orgs/octo-org/teams/platform", "", "", headers...).want(t, http.StatusOK).into(t, &team)
		for what, address := range map[string]string{"organization": org.URL, "team": team.URL} {
			u, err := url.Parse(address)
			if err != nil || !strings.HasPrefix(address, l.url+prefix+"/") || u.Port() == "" {
				t.Fatalf("PyGithub refuses the url of the %s: %s", what, address)
			}
		}
		equal(t, "path of the team", strings.TrimPrefix(team.URL, l.url), fmt.Sprintf("%s/organizations/%d/team/%d", prefix, org.ID, team.ID))
		path := strings.TrimPrefix(team.URL, l.url) + "/team-sync/group-mappings"
		l.do("GET", path, "", "", headers...).want(t, http.StatusOK)
		// Its JSON has spaces.
		body := `{"groups": [{"group_id": "people:123", "group_name": "Octocat admins", "group_description": "d"}]}`
		a := l.do("PATCH", path, "", body, append(headers, "Content-Type", "application/json")...).want(t, http.StatusOK)
		equal(t, "groups of the team", a.ids(t), "people:123")
		if n, err := strconv.Atoi(a.header.Get("X-RateLimit-Remaining")); err != nil || n == 0 {
			t.Error("PyGithub reads the limits of every answer:", a.header)
		}
		l.do("GET", prefix+"/rate_limit", "", "", headers...).want(t, http.StatusOK)
		l.do("GET", prefix+"/orgs/octo-org/teams/nowhere", "", "", headers...).want(t, http.StatusNotFound)
	}
}

// Every sample of GitHub's documentation is run by curl as it is printed, but for the host, what stands there in capitals, and the id of the
// group, which is another at every identity provider.
func TestTheSamplesOfGitHubsDocumentation(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	text, err := os.ReadFile("testdata/samples.sh")
	if err != nil {
		t.Fatal(err)
	}
	l := newLab(t)
	ours := strings.NewReplacer("https://api.github.com", l.url, "/ORG/", "/octo-org/", "TEAM_SLUG", "platform", "TEAM_ID", strconv.FormatInt(l.org.Team("platform").ID(), 10),
		"<YOUR-TOKEN>", olga, `"group_id":"123"`, `"group_id":"people:123"`)
	samples := strings.Split(strings.TrimSpace(string(text)), "\n\n")[1:]
	for i, sample := range samples {
		out, err := exec.CommandContext(t.Context(), "sh", "-c", ours.Replace(sample)).Output()
		if err != nil {
			t.Fatalf("%s: %v", sample, err)
		}
		var body struct {
			Message string
			Groups  []map[string]any
		}
		if err := json.Unmarshal(out, &body); err != nil || body.Message != "" || body.Groups == nil {
			t.Errorf("%s\nanswers %s", sample, out)
		}
		if patched := strings.Contains(sample, "-X PATCH"); patched && (len(body.Groups) != 1 || body.Groups[0]["group_name"] != "Octocat admins") {
			t.Errorf("sample %d answers %s", i, out)
		}
	}
	equal(t, "samples", len(l.asked()), len(samples))
	l.until("the team holds who is in the group", func() bool { return l.members("platform") == "ada bob mia" })
}
