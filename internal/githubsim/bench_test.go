package githubsim_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"musterline.example/internal/githubsim"
)

// BenchmarkTeamsPage reads 20 teams of 50 members out of an organization of 1,000 teams and 10,000 people: what one call of a
// client costs beside the client.
func BenchmarkTeamsPage(b *testing.B) {
	w := githubsim.NewWorld()
	o := w.AddOrganization("acme", "ann")
	for i := range 10_000 {
		o.AddMember(fmt.Sprint("user-", i))
	}
	for i := range 1000 {
		t := o.AddTeam(fmt.Sprint("Team ", i))
		for j := range 50 {
			t.Set(fmt.Sprint("user-", (i*37+j*101)%10_000), githubsim.Member)
		}
	}
	gh := githubsim.New(githubsim.Options{World: w, EnterpriseServer: true})
	gh.PutToken(githubsim.Token{Value: "ghp_x", User: "ann", Scopes: []string{"read:org"}})
	body, _ := json.Marshal(map[string]any{"query": `{ organization(login: "acme") { teams(first: 20) { pageInfo { endCursor } nodes { databaseId slug
		members(first: 100, membership: IMMEDIATE) { totalCount pageInfo { hasNextPage } edges { role node { databaseId login } } } } } } }`})
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest("POST", "/graphql", strings.NewReader(string(body)))
		r.Header.Set("Authorization", "Bearer ghp_x")
		rec := httptest.NewRecorder()
		gh.ServeHTTP(rec, r)
		if rec.Code != http.StatusOK {
			b.Fatal(rec.Body)
		}
	}
}
