package githubsim_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"musterline.example/internal/githubsim"
)

func faultyLab(t *testing.T) *lab {
	l := newLab(t)
	l.faulty.Store(true)
	l.acme.AddTeam("Ops").Set("cy", githubsim.Member)
	l.acme.AddTeam("Dev")
	return l
}

func TestFaultStrikesTheNthCall(t *testing.T) {
	l := faultyLab(t)
	f := l.gh.Inject(githubsim.Fault{Name: "flaky", Method: "GET", Path: "/orgs/*/teams", After: 1, Times: 2, Status: 503, RetryAfter: 7 * time.Second})
	for _, want := range []int{200, 503, 503, 200} {
		a := l.want(want, "GET", "/api/v3/orgs/acme/teams", "")
		if want == 503 {
			equal(t, "Retry-After", a.Header.Get("Retry-After"), "7")
		}
	}
	l.want(200, "GET", "/orgs/acme/teams/ops", "")
	equal(t, "struck", f.Struck(), 2)
	equal(t, "call log", l.gh.Calls()[1].Fault, "flaky")
	f.Remove()

	l.gh.Inject(githubsim.Fault{Operation: "Teams", Status: 502, Body: "<html>bad gateway</html>"})
	l.want(502, "POST", "/graphql", `{"query":"query Teams { viewer { login } }"}`)
	l.want(200, "POST", "/graphql", `{"query":"query People { viewer { login } }"}`)
	l.gh.ClearFaults()
	l.gh.Inject(githubsim.Fault{Secondary: true, Status: 429})
	l.want(429, "GET", "/user", "")
	l.gh.ClearFaults()
	l.gh.Inject(githubsim.Fault{GraphQL: true, Secondary: true})
	l.want(200, "POST", "/graphql", `{"query":"{viewer{login}}"}`)
}

func TestFaultByChanceIsRepeatable(t *testing.T) {
	run := func() (hits []int) {
		l := faultyLab(t)
		l.gh.Inject(githubsim.Fault{Probability: 0.3, Seed: 11, Status: 500})
		for range 30 {
			hits = append(hits, l.do("GET", "/user", "").StatusCode)
		}
		return hits
	}
	a, b := run(), run()
	equal(t, "the same seed", a, b)
	n := 0
	for _, s := range a {
		if s == 500 {
			n++
		}
	}
	if n == 0 || n == 30 {
		t.Errorf("%d of 30 struck", n)
	}
}

func TestFaultCutsTheConnection(t *testing.T) {
	l := faultyLab(t)
	ops := l.acme.Team("ops")
	drop := func(when githubsim.Drop) {
		t.Helper()
		l.gh.ClearFaults()
		l.gh.Inject(githubsim.Fault{Method: "PUT", Drop: when})
		if a, err := l.try("PUT", "/orgs/acme/teams/ops/memberships/bob", ""); err == nil {
			t.Errorf("%s: answered %d %s", when, a.StatusCode, a.body)
		}
	}
	drop(githubsim.DropRequest)
	equal(t, "nothing happened", len(ops.Members()), 1)
	drop(githubsim.DropAnswer)
	equal(t, "it took effect", ops.Members()["bob"], githubsim.Member)
	drop(githubsim.DropBody)

	l.gh.ClearFaults()
	l.gh.Inject(githubsim.Fault{Truncate: true})
	if a := l.want(200, "GET", "/orgs/acme/teams", ""); json.Valid(a.body) {
		t.Errorf("whole: %s", a.body)
	}
}

func TestFaultShortensLists(t *testing.T) {
	l := faultyLab(t)
	l.gh.Inject(githubsim.Fault{Short: true})
	equal(t, "REST", field(t, l.want(200, "GET", "/orgs/acme/teams", ""), "slug"), []string{"ops"})
	data, errs := l.query(`{ organization(login: "acme") { teams(first: 10) { totalCount nodes { slug } pageInfo { hasNextPage } } } }`, nil)
	if len(errs) > 0 || at(data, "organization.teams.totalCount") != 2.0 || at(data, "organization.teams.nodes.1") != nil || at(data, "organization.teams.pageInfo.hasNextPage") != true {
		t.Error(data, errs)
	}
}

func TestFaultMakesDataPartial(t *testing.T) {
	l := faultyLab(t)
	l.gh.Inject(githubsim.Fault{GraphQL: true, Errors: []githubsim.GraphQLError{{Type: "SERVICE_UNAVAILABLE", Message: "Something went wrong.", Path: []string{"organization", "teams", "nodes", "1", "members"}}}})
	data, errs := l.query(`{ organization(login: "acme") { teams(first: 10) { nodes { slug members(first: 5) { totalCount } } } } }`, nil)
	equal[any](t, "whole", at(data, "organization.teams.nodes.0.members.totalCount"), 1.0)
	equal[any](t, "erased", at(data, "organization.teams.nodes.1.members"), nil)
	equal[any](t, "path", at(errs, "0.path"), []any{"organization", "teams", "nodes", 1.0, "members"})
}

func TestLatencyAndTrace(t *testing.T) {
	traced := make(chan githubsim.Call, 9)
	l := newLab(t, func(o *githubsim.Options) {
		o.Latency = func(c githubsim.Call) time.Duration {
			if c.Route == "GET /user" {
				return 20 * time.Millisecond
			}
			return 0
		}
		o.Trace = func(c githubsim.Call) { traced <- c }
	})
	l.want(http.StatusOK, "GET", "/user", "")
	if c := <-traced; c.Duration < 20*time.Millisecond || c.Credential != "token of ann" {
		t.Errorf("%+v", c)
	}
}
