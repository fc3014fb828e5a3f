package clients_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"musterline.example/internal/githubsim"
)

// A provider is one of the two clients that terraform-provider-github 6.13.0 has, by the headers that it sends. Its resource is
// resource_github_team_sync_group_mapping.go in https://github.com/integrations/terraform-provider-github; what is sent here was written down
// from that provider, run by terraform 1.11.4.
type provider struct {
	*lab
	legacy bool              // legacy_client = true, which is the default
	cached map[string]answer // of the other client, by path
}

const team = "/api/v3/orgs/octo-org/teams/platform/team-sync/group-mappings"

// guess is what the other client asks for when it has nothing: whether the answer is "[]", by the way GitHub makes its tags.
const guess = `"d41c935eb5c029c094b396655d6701ed2035fea14feb9434d73918c953bbc336"`

func (p *provider) headers(accept string) []string {
	agent := "terraform-provider-github/6.13.0"
	if p.legacy {
		accept += ",application/vnd.github.stone-crop-preview+json"
		agent = "go-github/v88.0.0"
	}
	return []string{"Accept", accept, "X-GitHub-Api-Version", "2022-11-28", "User-Agent", agent, "Accept-Encoding", "identity"}
}

// get reads as both clients do. state is the tag in terraform's state, "" when there is none.
func (p *provider) get(path, accept, state string) answer {
	p.t.Helper()
	headers := p.headers(accept)
	if p.legacy {
		if state != "" {
			headers = append(headers, "If-None-Match", state)
		}
		return p.do(http.MethodGet, path, olga, "", headers...)
	}
	kept, there := p.cached[path]
	tag := guess
	if there {
		tag = kept.header.Get("ETag")
	}
	a := p.do(http.MethodGet, path, olga, "", append(headers, "If-None-Match", tag)...)
	if a.status == http.StatusNotModified {
		if !there {
			p.t.Fatalf("%s: 304 to a client that has nothing", path)
		}
		return kept
	}
	p.cached[path] = a
	return a
}

// patch sends groups as go-github writes them, with the end of the line.
func (p *provider) patch(groups ...map[string]string) answer {
	p.t.Helper()
	body, err := json.Marshal(map[string]any{"groups": append([]map[string]string{}, groups...)})
	if err != nil {
		p.t.Fatal(err)
	}
	return p.do(http.MethodPatch, team, olga, string(body)+"\n", append(p.headers("application/vnd.github.v3+json"), "Content-Type", "application/json")...)
}

// begin is what every command does first: each plan and each apply asks for the organization.
func (p *provider) begin() {
	p.t.Helper()
	if !p.legacy {
		p.cached = map[string]answer{} // each command is a process
	}
	var org struct{ ID int64 }
	p.get("/api/v3/orgs/octo-org", "application/vnd.github.surtur-preview+json", "").want(p.t, http.StatusOK).into(p.t, &org)
	equal(p.t, "organization", org.ID, p.org.ID())
}

// data is github_organization_team_sync_groups: by page, and as long as a Link says that there is more.
func (p *provider) data() []map[string]string {
	p.t.Helper()
	var all []map[string]string
	for page := ""; ; {
		query := url.Values{"per_page": {"100"}}
		if page != "" {
			query.Set("page", page)
		}
		a := p.get("/api/v3/orgs/octo-org/team-sync/groups?"+query.Encode(), "application/vnd.github.v3+json", "").want(p.t, http.StatusOK)
		var body struct{ Groups []map[string]string }
		a.into(p.t, &body)
		all = append(all, body.Groups...)
		link := a.header.Get("Link")
		if link == "" {
			return all
		}
		next, err := url.Parse(link[1:strings.Index(link, ">")])
		if err != nil {
			p.t.Fatal(err)
		}
		page = next.Query().Get("page")
	}
}

// read is the resource's Read, with the tag of the state. It returns what the state holds after it: the groups as text, and the tag.
func (p *provider) read(was, tag string) (groups, etag string) {
	p.t.Helper()
	a := p.get(team, "application/vnd.github.v3+json", tag)
	if p.legacy && a.status == http.StatusNotModified {
		return was, tag
	}
	var body struct{ Groups []map[string]any }
	a.want(p.t, http.StatusOK).into(p.t, &body)
	var lines []string
	for _, g := range body.Groups { // a set: nothing but these three is compared
		lines = append(lines, fmt.Sprint(g["group_id"], " ", g["group_name"], " ", g["group_description"]))
	}
	return strings.Join(lines, "; "), a.header.Get("ETag")
}

func TestTerraform(t *testing.T) {
	for name, legacy := range map[string]bool{"its client": true, "its other client": false} {
		t.Run(name, func(t *testing.T) {
			p := &provider{lab: newLab(t), legacy: legacy, cached: map[string]answer{}}
			admins := map[string]string{"group_id": "people:123", "group_name": "Octocat admins", "group_description": "as written in the file of terraform"}
			docs := map[string]string{"group_id": "people:456", "group_name": "Docs", "group_description": ""}
			const onlyAdmins = "people:123 Octocat admins as written in the file of terraform"

			// apply, the first: a plan with the data source, and a create.
			p.begin()
			equal(t, "groups of the data source", len(p.data()), groups)
			p.begin()
			p.patch(admins).want(t, http.StatusOK)
			state, tag := p.read("", "")
			equal(t, "state after create", state, onlyAdmins)
			p.until("the team holds who is in the group", func() bool { return p.members("platform") == "ada bob mia" })

			// plan, with nothing changed. The first may learn that a sync has been made since, which is no difference; the next learns nothing.
			for range 2 {
				p.begin()
				state, tag = p.read(state, tag)
				equal(t, "state after a refresh", state, onlyAdmins)
			}
			p.until("a refresh is answered with 304", func() bool {
				p.forget()
				state, tag = p.read(state, tag)
				_, _ = p.read(state, tag)
				lines := p.asked()
				return strings.HasSuffix(lines[len(lines)-1], " 304")
			})

			// apply, with one group more: the attribute forces a new resource.
			p.begin()
			p.patch().want(t, http.StatusOK)
			equal(t, "between the two", p.do("GET", team, olga, "").text, `{"groups":[]}`)
			time.Sleep(time.Second) // as the provider does between writes; a sync of the team without groups is made meanwhile
			p.patch(admins, docs).want(t, http.StatusOK)
			was := tag
			state, tag = p.read("", "")
			equal(t, "state after a change", state, onlyAdmins+"; people:456 Docs ")
			if tag == was {
				t.Error("another mapping has the same tag")
			}
			p.until("the team holds both groups", func() bool { return p.members("platform") == "ada bob cyn mia" })
			equal(t, "people who were taken out for a change that kept them", p.removals(), 0)

			// import knows the slug only.
			p.begin()
			imported, _ := p.read("", "")
			equal(t, "imported state", imported, state)

			// What somebody else changes is seen.
			p.do("PATCH", team, olga, `{"groups":[{"group_id":"people:456","group_name":"Docs","group_description":""}]}`).want(t, http.StatusOK)
			p.begin()
			drifted, _ := p.read(state, tag)
			equal(t, "state after a change by another hand", drifted, "people:456 Docs ")

			// The other client may lose the body of a request that it repeats.
			p.do("PATCH", team, olga, "", append(p.headers("application/vnd.github.v3+json"), "Content-Type", "application/json")...).want(t, http.StatusUnprocessableEntity)
			equal(t, "groups after an empty body", p.do("GET", team, olga, "").ids(t), "people:456")

			// destroy
			p.begin()
			equal(t, "answer to destroy", p.patch().want(t, http.StatusOK).text, `{"groups":[]}`)
			gone, _ := p.read("", "")
			equal(t, "state after destroy", gone, "")
			equal(t, "people who were taken out within the grace", p.removals(), 0)
		})
	}
}

// Both of the provider's clients wait and repeat when they are told so in this form; another 429 fails the apply.
func TestTerraformIsToldToWait(t *testing.T) {
	l := newLab(t)
	for i := range 30 {
		a := l.do("PATCH", team, fmt.Sprint(wrong, i), `{"groups":[]}`, "Accept", "application/vnd.github.v3+json")
		if a.status == http.StatusUnauthorized {
			continue
		}
		var body struct {
			Message string `json:"message"`
			Docs    string `json:"documentation_url"`
		}
		a.want(t, http.StatusTooManyRequests).into(t, &body)
		if a.header.Get("Retry-After") == "" || !strings.HasSuffix(body.Docs, "secondary-rate-limits") ||
			!strings.HasPrefix(body.Message, "You have exceeded a secondary rate limit") {
			t.Errorf("%v %+v", a.header, body)
		}
		if n := a.header.Get("X-RateLimit-Remaining"); n == "0" {
			t.Error("it says that the hour is used up, and a client would wait for its end")
		}
		return
	}
	t.Fatal("thirty wrong credentials were looked at")
}

// terraform drops a resource from its state at 404, and the next apply maps anew: so 404 is only for a team that is gone.
func TestTerraformLosesNoStateWhileGitHubIsDown(t *testing.T) {
	l := newLab(t)
	l.gh.Inject(githubsim.Fault{Status: http.StatusBadGateway})
	l.do("GET", team, mia, "").want(t, http.StatusBadGateway)
	l.gh.ClearFaults()
	l.do("GET", team, mia, "").want(t, http.StatusOK)
	l.org.Team("platform").Delete()
	l.do("GET", team, olga, "").want(t, http.StatusNotFound)
}
