package githubsim_test

import (
	"testing"

	"musterline.example/internal/githubsim"
)

func TestCore(t *testing.T) {
	l := newLab(t)
	team := l.acme.AddTeam("Platform")
	team.Set("bob", githubsim.Member)
	l.want(200, "GET", "/orgs/ACME", "")
	l.want(200, "GET", "/api/v3/orgs/acme/teams/platform/members", "")
	l.want(404, "GET", "/orgs/acme/", "")
	l.want(404, "GET", "/orgs//acme", "")
	l.want(200, "PUT", "/orgs/acme/teams/platform/memberships/cy", "")
	a := l.want(200, "PUT", "/orgs/acme/teams/platform/memberships/eve", `{"role":"maintainer"}`)
	t.Logf("%s %v", a.body, a.Header)
	data, errs := l.query(`query Q($n:Int!){ rateLimit{cost remaining nodeCount resetAt} organization(login:"acme"){ id databaseId viewerCanAdminister membersWithRole(first:100){edges{role hasTwoFactorEnabled node{login}}} teams(first:$n){ totalCount nodes { slug ...M invitations(first:10){nodes{invitee{login} role}}} pageInfo{hasNextPage endCursor} } } }
	fragment M on Team { members(first:100, membership: IMMEDIATE){ edges{ role node{ __typename databaseId login } } } }`, map[string]any{"n": 20})
	t.Log(data, errs)
	for _, c := range l.gh.Calls() {
		t.Logf("%+v", c)
	}
}
