package githubsim_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"testing"
	"time"

	"musterline.example/internal/githubsim"
)

func TestOrganizationIsFoundByLoginAndID(t *testing.T) {
	l := newLab(t)
	id := l.acme.ID()
	l.want(200, "GET", "/orgs/AcMe", "")
	l.want(200, "GET", fmt.Sprintf("/organizations/%d", id), "")
	l.want(200, "GET", fmt.Sprintf("/api/v3/organizations/%d/members", id), "")
	l.want(404, "GET", "/orgs/acme/", "")
	l.want(404, "GET", "/orgs//acme", "")
	l.want(404, "GET", "/orgs/nowhere", "")
	l.want(404, "PURGE", "/orgs/acme", "")
	equal[any](t, "url has the caller's prefix", l.want(200, "GET", "/api/v3/orgs/acme", "").object(t)["url"], l.web.URL+"/api/v3/orgs/acme")

	l.acme.Rename("acme-corp")
	moved := l.want(301, "GET", "/orgs/acme/teams?per_page=5", "")
	equal(t, "Location", moved.Header.Get("Location"), fmt.Sprintf("%s/organizations/%d/teams?per_page=5", l.web.URL, id))
	l.want(200, "GET", moved.Header.Get("Location"), "")
	l.gh.World().AddOrganization("acme", "eve")
	l.want(200, "GET", "/orgs/acme", "")
}

func TestUsersKeepTheirID(t *testing.T) {
	l := newLab(t)
	w := l.gh.World()
	bob := w.User("bob")
	team := l.acme.AddTeam("Ops")
	team.Set("bob", githubsim.Member)
	bob.Rename("robert")
	equal[any](t, "by id", l.want(200, "GET", fmt.Sprintf("/user/%d", bob.ID()), "").object(t)["login"], "robert")
	l.want(404, "GET", "/users/bob", "")
	equal(t, "still in the team", team.Members(), map[string]githubsim.Role{"robert": githubsim.Member})

	bob.Delete()
	stranger := w.AddUser("robert")
	if stranger.ID() == bob.ID() {
		t.Error("an id was dealt twice")
	}
	l.want(200, "GET", "/users/robert", "")
	l.want(404, "GET", "/orgs/acme/memberships/robert", "")
	equal(t, "nobody left", len(team.Members()), 0)
	equal[any](t, "an organization is a user too", l.want(200, "GET", "/users/acme", "").object(t)["type"], "Organization")
}

func TestMembersOfAnOrganization(t *testing.T) {
	l := newLab(t)
	equal(t, "all", field(t, l.want(200, "GET", "/orgs/acme/members", ""), "login"), []string{"ann", "bob", "cy", "dee"})
	equal(t, "owners", field(t, l.want(200, "GET", "/orgs/acme/members?role=admin", ""), "login"), []string{"ann"})
	l.gh.World().User("cy").SetTwoFactor(false)
	equal(t, "without 2FA", field(t, l.want(200, "GET", "/orgs/acme/members?filter=2fa_disabled", ""), "login"), []string{"cy"})
	l.gh.PutToken(githubsim.Token{Value: "ghp_bob", User: "bob", Scopes: []string{"read:org"}})
	l.want(422, "GET", "/orgs/acme/members?filter=2fa_disabled", "", "Authorization: token ghp_bob")
	l.gh.PutToken(githubsim.Token{Value: "ghp_eve", User: "eve", Scopes: []string{"read:org"}})
	equal(t, "a stranger sees nobody, and no error", len(field(t, l.want(200, "GET", "/orgs/acme/members", "", "Authorization: token ghp_eve"), "login")), 0)
	l.acme.Publicize("dee")
	equal(t, "a stranger sees who shows it", field(t, l.want(200, "GET", "/orgs/acme/members", "", "Authorization: token ghp_eve"), "login"), []string{"dee"})
	l.want(403, "GET", "/orgs/acme/teams", "", "Authorization: token ghp_eve")

	l.want(200, "PUT", "/orgs/acme/memberships/bob", `{"role":"admin"}`)
	equal(t, "promoted", l.acme.Roles()["bob"], githubsim.Owner)
	l.want(204, "GET", "/orgs/acme/members/cy", "")
	team := l.acme.AddTeam("Ops")
	team.Set("cy", githubsim.Member)
	l.want(204, "DELETE", "/orgs/acme/memberships/cy", "")
	equal(t, "out of the teams as well", len(team.Members()), 0)
	l.acme.MakeMember("bob")
	l.want(403, "DELETE", "/orgs/acme/memberships/ann", "")
}

func TestInvitationsExpire(t *testing.T) {
	l := newLab(t)
	team := l.acme.AddTeam("Ops")
	eve := l.gh.World().User("eve")
	made := l.want(201, "POST", "/orgs/acme/invitations", fmt.Sprintf(`{"invitee_id":%d,"team_ids":[%d]}`, eve.ID(), team.ID())).object(t)
	equal[any](t, "team_count", made["team_count"], 1.0)
	l.want(422, "POST", "/orgs/acme/invitations", fmt.Sprintf(`{"invitee_id":%d}`, eve.ID()))
	l.want(422, "POST", "/orgs/acme/invitations", `{}`)
	l.want(201, "POST", "/orgs/acme/invitations", `{"email":"zoe@example.org"}`)
	equal(t, "team's invitations", field(t, l.want(200, "GET", "/orgs/acme/teams/ops/invitations", ""), "login"), []string{"eve"})
	equal[any](t, "membership is pending", l.want(200, "GET", "/orgs/acme/memberships/eve", "").object(t)["state"], "pending")
	equal(t, "teams of it", field(t, l.want(200, "GET", fmt.Sprintf("/orgs/acme/invitations/%.0f/teams", made["id"]), ""), "slug"), []string{"ops"})
	data, errs := l.query(`{ organization(login: "acme") { pendingMembers(first: 5) { nodes { login } } team(slug: "ops") { invitations(first: 5) { nodes { role invitationType invitee { databaseId } createdAt } } } } }`, nil)
	if len(errs) > 0 || at(data, "organization.pendingMembers.nodes.0.login") != "eve" || at(data, "organization.team.invitations.nodes.0.invitationType") != "USER" {
		t.Error(data, errs)
	}

	l.clock.Advance(githubsim.InvitationLife)
	equal(t, "none pending", len(field(t, l.want(200, "GET", "/orgs/acme/invitations", ""), "login")), 0)
	equal(t, "failed", field(t, l.want(200, "GET", "/orgs/acme/failed_invitations", ""), "login"), []string{"eve", ""})
	l.want(404, "GET", "/orgs/acme/memberships/eve", "")

	l.want(200, "PUT", "/orgs/acme/memberships/eve", "")
	l.want(204, "DELETE", "/orgs/acme/memberships/eve", "")
	l.want(404, "GET", "/orgs/acme/memberships/eve", "")
	again := l.acme.Invite("eve", team)
	l.want(204, "DELETE", fmt.Sprintf("/orgs/acme/invitations/%d", again.ID()), "")
	l.acme.Invite("eve", team).Accept()
	equal(t, "accepted", team.Members(), map[string]githubsim.Role{"eve": githubsim.Member})
}

func TestInvitationsAreRationed(t *testing.T) {
	l := newLab(t, func(o *githubsim.Options) { o.Limits.Invitations = 2 })
	for _, want := range []int{201, 201, 422} {
		l.want(want, "POST", "/orgs/acme/invitations", fmt.Sprintf(`{"email":"p%d@example.org"}`, time.Now().UnixNano()))
	}
	l.clock.Advance(24 * time.Hour)
	l.want(201, "POST", "/orgs/acme/invitations", `{"email":"q@example.org"}`)
}

var links = regexp.MustCompile(`<([^>]+)>; rel="(\w+)"`)

func TestPagesAreLinked(t *testing.T) {
	l := newLab(t)
	for i := range 250 {
		l.acme.AddTeam(fmt.Sprintf("Team %03d", i))
	}
	seen, next := 0, l.web.URL+"/api/v3/orgs/acme/teams?per_page=1000"
	var rels []string
	for next != "" {
		a := l.want(200, "GET", next, "")
		seen += len(field(t, a, "slug"))
		next = ""
		for _, m := range links.FindAllStringSubmatch(a.Header.Get("Link"), -1) {
			rels = append(rels, m[2])
			u, _ := url.Parse(m[1])
			equal(t, "link's path", u.Path, fmt.Sprintf("/api/v3/organizations/%d/teams", l.acme.ID()))
			if m[2] == "next" {
				next = m[1]
			}
		}
	}
	equal(t, "teams", seen, 250)
	equal(t, "rels", rels, []string{"next", "last", "prev", "next", "last", "first", "prev", "first"})
	equal(t, "30 by default", len(field(t, l.want(200, "GET", "/orgs/acme/teams", ""), "slug")), 30)
	if a := l.want(200, "GET", "/orgs/acme/members", ""); a.Header.Get("Link") != "" {
		t.Error("Link although everything fits on one page")
	}
}

func TestConditionalReadsAreFree(t *testing.T) {
	l := newLab(t)
	first := l.want(200, "GET", "/orgs/acme/members", "")
	tag := first.Header.Get("ETag")
	again := l.want(304, "GET", "/orgs/acme/members", "", "If-None-Match: "+tag)
	equal(t, "body", len(again.body), 0)
	equal(t, "used", again.Header.Get("X-RateLimit-Used"), "1")
	l.want(200, "GET", "/orgs/acme/members", "", "If-None-Match: "+tag, "Accept: application/vnd.github.v3+json")
	l.gh.PutToken(githubsim.Token{Value: "ghp_other", User: "ann", Scopes: []string{"admin:org"}})
	l.want(200, "GET", "/orgs/acme/members", "", "If-None-Match: "+tag, "Authorization: Bearer ghp_other")
	l.acme.RemoveMember("dee")
	l.want(200, "GET", "/orgs/acme/members", "", "If-None-Match: "+tag)
	equal(t, "counts", l.gh.Counts(), githubsim.Counts{Calls: 5, REST: 5, NotModified: 1, RESTCost: 4, Points: 5})
}

func TestSmallRoutes(t *testing.T) {
	l := newLab(t)
	l.want(200, "GET", "/user", "")
	l.want(200, "GET", "/user/memberships/orgs", "")
	l.want(200, "GET", "/user/memberships/orgs/acme", "")
	l.want(200, "GET", "/user/orgs", "")
	l.want(200, "GET", "/orgs/acme/outside_collaborators", "")
	l.want(200, "GET", "/meta", "")
	before := l.want(200, "GET", "/rate_limit", "")
	equal(t, "rate_limit is free", l.want(200, "GET", "/rate_limit", "").Header.Get("X-RateLimit-Used"), before.Header.Get("X-RateLimit-Used"))
	g := l.acme.AddExternalGroup("Engineers", "bob")
	l.want(200, "GET", "/orgs/acme/external-groups", "")
	l.want(200, "GET", fmt.Sprintf("/orgs/acme/external-group/%d", g.ID()), "")
	l.want(400, "GET", "/user", "", "X-GitHub-Api-Version: 1999-01-01")
	l.want(200, "GET", "/user", "", "X-GitHub-Api-Version: 2022-11-28", "Accept: ", "Content-Type: application/json")
	team := l.acme.AddTeam("Ops")
	l.want(200, "GET", fmt.Sprintf("/teams/%d/members", team.ID()), "")
	if a, err := http.Get(l.web.URL + "/users/bob"); err != nil || a.StatusCode != 200 || a.Header.Get("X-RateLimit-Limit") != "60" {
		t.Error("anonymous read", a, err)
	}
}
