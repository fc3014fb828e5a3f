package githubsim_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"musterline.example/internal/githubsim"
)

func fuzzed(f *testing.F) *githubsim.Server {
	w := githubsim.NewWorld()
	o := w.AddOrganization("acme", "ann")
	o.EnableSAML("idp", "https://idp.example.org")
	o.SetIdentity("ann", githubsim.Identity{NameID: "ann@example.org"})
	parent := o.AddTeam("Parent")
	child := o.AddTeam("Child")
	child.SetParent(parent)
	child.Set("ann", githubsim.Member)
	gh := githubsim.New(githubsim.Options{World: w, EnterpriseServer: true})
	gh.PutToken(githubsim.Token{Value: "ghp_x", User: "ann", Scopes: []string{"admin:org"}})
	f.Cleanup(gh.Reset)
	return gh
}

func answered(t *testing.T, gh *githubsim.Server, method, path, body string) {
	r, err := http.NewRequest(method, "http://sim"+path, strings.NewReader(body))
	if err != nil {
		t.Skip()
	}
	r.RemoteAddr = "192.0.2.1:1"
	r.Header.Set("Authorization", "Bearer ghp_x")
	rec := httptest.NewRecorder()
	gh.ServeHTTP(rec, r)
	if rec.Code >= 500 || rec.Code != http.StatusNoContent && rec.Code != http.StatusNotModified && !json.Valid(rec.Body.Bytes()) {
		t.Errorf("%s %s %q: %d %s", method, path, body, rec.Code, rec.Body)
	}
}

// Whatever document comes, the answer is JSON and nobody panics.
func FuzzGraphQL(f *testing.F) {
	f.Add(teamsQuery, "")
	f.Add(identitiesQuery, `{"login":"ann"}`)
	f.Add(`query($i:[ID!]!){nodes(ids:$i){id ... on Team{members(first:3,membership:CHILD_TEAM){edges{role node{login}}}}}}`, `{"i":["T_kgAAAAAATEtB"]}`)
	f.Add(`{a:viewer{login} a:viewer{id organizations(last:1){nodes{login}}}}`, `{}`)
	f.Add(`query($s:Boolean!){viewer @skip(if:$s){login} __typename rateLimit{resetAt}}`, `{"s":true}`)
	f.Add(`{__schema{types{name}}}`, `{}`)
	gh := fuzzed(f)
	f.Fuzz(func(t *testing.T, query, variables string) {
		body := map[string]any{"query": query}
		if json.Valid([]byte(variables)) {
			body["variables"] = json.RawMessage(variables)
		}
		b, _ := json.Marshal(body)
		answered(t, gh, "POST", "/graphql", string(b))
	})
}

// Whatever request comes, the answer is JSON and nobody panics.
func FuzzREST(f *testing.F) {
	f.Add("GET", "/orgs/acme/teams?per_page=0&page=-3", "")
	f.Add("PUT", "/organizations/9000001/team/5000002/memberships/ann", `{"role":"maintainer"}`)
	f.Add("PATCH", "/orgs/acme/teams/child", `{"parent_team_id":5000001,"privacy":"secret","name":null}`)
	f.Add("POST", "/orgs/acme/teams", `{"name":"平台"}`)
	f.Add("POST", "/orgs/acme/invitations", `{"email":"a@b","team_ids":[1]}`)
	f.Add("GET", "/api/v3/orgs/ac%2Fme/../x", "")
	f.Add("PATCH", "/user/memberships/orgs/acme", `{"state":"active"}`)
	gh := fuzzed(f)
	f.Fuzz(func(t *testing.T, method, path, body string) {
		if !strings.HasPrefix(path, "/") {
			t.Skip()
		}
		answered(t, gh, method, path, body)
	})
}
