package githubsim_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"musterline.example/internal/githubsim"
)

func Example() {
	world := githubsim.NewWorld()
	acme := world.AddOrganization("acme", "ann") // ann owns it
	acme.AddMember("bob")
	platform := acme.AddTeam("Platform")

	gh := githubsim.New(githubsim.Options{World: world})
	gh.PutToken(githubsim.Token{Value: "ghp_ann", User: "ann", Scopes: []string{"admin:org"}})
	web := httptest.NewServer(gh)
	defer web.Close()

	req, _ := http.NewRequest("PUT", web.URL+"/orgs/acme/teams/platform/memberships/bob", strings.NewReader(`{"role":"maintainer"}`))
	req.Header.Set("Authorization", "Bearer ghp_ann")
	resp, _ := http.DefaultClient.Do(req)
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()

	fmt.Println(resp.StatusCode, strings.Contains(string(body), `"active"`))
	fmt.Println(platform.Members())
	fmt.Printf("%+v\n", gh.Counts())
	// Output:
	// 200 true
	// map[bob:maintainer]
	// {Calls:1 REST:1 GraphQL:0 Writes:1 NotModified:0 RESTCost:1 GraphQLPoints:0 Points:5}
}

// The second page of the query named Teams fails once, and one membership write in ten takes effect without an answer.
func ExampleServer_Inject() {
	gh := githubsim.New(githubsim.Options{})
	gh.Inject(githubsim.Fault{Operation: "Teams", After: 1, Times: 1, Status: 502})
	gh.Inject(githubsim.Fault{Name: "lost answer", Method: "PUT", Path: "/organizations/*/team/*/memberships/*",
		Probability: 0.1, Seed: 1, Drop: githubsim.DropAnswer})
	limit := gh.Inject(githubsim.Fault{Method: "PUT", After: 20, Times: 1, Secondary: true, Status: 429, RetryAfter: 30 * time.Second})
	fmt.Println(limit.Struck(), "calls were limited so far")
	// Output: 0 calls were limited so far
}

func ExampleLoad() {
	world, err := githubsim.Load(strings.NewReader(`{"organization": "acme", "owners": ["ann"], "members": ["bob"],
		"teams": [{"name": "k8s.io admins", "members": ["bob"], "maintainers": []}]}`))
	if err != nil {
		panic(err)
	}
	fmt.Println(world.Organization("acme").Team("k8s-io-admins").Members())
	// Output: map[bob:member]
}
