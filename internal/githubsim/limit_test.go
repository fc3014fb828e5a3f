package githubsim_test

import (
	"testing"
	"time"

	"musterline.example/internal/githubsim"
)

func TestPrimaryLimit(t *testing.T) {
	l := newLab(t)
	l.gh.Exhaust(annToken, 1)
	l.gh.PutToken(githubsim.Token{Value: "ghp_second", User: "ann", Scopes: []string{"admin:org"}})
	l.want(200, "GET", "/user", "")
	refused := l.want(403, "GET", "/user", "", "Authorization: Bearer ghp_second") // an account's tokens share one limit
	equal(t, "remaining", refused.Header.Get("X-RateLimit-Remaining"), "0")
	l.want(200, "GET", "/rate_limit", "")
	data, errs := l.query(`{ viewer { login } }`, nil)
	if len(errs) > 0 {
		t.Error(data, errs)
	}
	_, errs = l.query(`{ viewer { login } }`, nil)
	equal(t, "GraphQL", kinds(errs), []string{"RATE_LIMITED"})
	l.clock.Advance(time.Hour)
	l.want(200, "GET", "/user", "")
}

func TestSecondaryLimits(t *testing.T) {
	l := newLab(t, func(o *githubsim.Options) {
		o.Limits.Secondary = githubsim.Secondary{RESTPoints: 12, ContentMinute: 2, ContentHour: 3}
	})
	l.acme.AddTeam("Ops")
	put := func(want int) answer {
		t.Helper()
		return l.want(want, "PUT", "/orgs/acme/teams/ops/memberships/bob", "")
	}
	put(200)
	put(200)
	refused := put(403)
	equal(t, "Retry-After", refused.Header.Get("Retry-After"), "60")
	l.want(200, "GET", "/user", "")
	l.want(200, "GET", "/user", "")
	l.want(403, "GET", "/user", "")
	l.clock.Advance(time.Minute)
	put(200)
	equal(t, "an hour's content", put(403).Header.Get("Retry-After"), "3540")
	l.gh.SetLimits(githubsim.Limits{Secondary: githubsim.Secondary{ContentMinute: 1, Status: 429, NoRetryAfter: true}})
	l.gh.Reset()
	put(200)
	equal(t, "no Retry-After", put(429).Header.Get("Retry-After"), "")
}

func TestEnterpriseServerHasNoLimits(t *testing.T) {
	l := newLab(t, func(o *githubsim.Options) { o.EnterpriseServer = true; o.Limits.REST = 1 })
	for range 3 {
		a := l.want(200, "GET", "/api/v3/user", "")
		equal(t, "limit", a.Header.Get("X-RateLimit-Limit"), "")
	}
	l.want(404, "GET", "/api/v3/rate_limit", "")
	data, _ := l.query(`{ rateLimit { cost } viewer { login } }`, nil)
	equal[any](t, "rateLimit", data["rateLimit"], nil)
	equal[any](t, "version", l.want(200, "GET", "/api/v3/meta", "").object(t)["installed_version"] != nil, true)
}
