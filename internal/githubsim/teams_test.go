package githubsim_test

import (
	"fmt"
	"strings"
	"testing"

	"musterline.example/internal/githubsim"
)

func TestSlug(t *testing.T) {
	for name, want := range map[string]string{
		"k8s.io-admins": "k8s-io-admins", "My TEam Näme": "my-team-name", "snake_case": "snake_case", "a  &  b": "a-b",
		"--edge--": "edge", "Ærø & Straße": "aero-strasse", "e\u0301lan": "elan", "平台": "", "UPPER": "upper", "R&D (EU)": "r-d-eu",
	} {
		if got := githubsim.Slug(name); got != want {
			t.Errorf("Slug(%q) = %q, want %q", name, got, want)
		}
	}
	l := newLab(t)
	equal(t, "slug taken by another name", []string{l.acme.AddTeam("a.b").Slug(), l.acme.AddTeam("a b").Slug(), l.acme.AddTeam("a-b").Slug()}, []string{"a-b", "a-b-1", "a-b-2"})
	if s := l.acme.AddTeam("平台").Slug(); !strings.HasPrefix(s, "team-") {
		t.Errorf("slug of a name without Latin letters: %q", s)
	}
}

func TestMembersOfChildTeamsAreInherited(t *testing.T) {
	l := newLab(t)
	parent, child := l.acme.AddTeam("Parent"), l.acme.AddTeam("Child")
	child.SetParent(parent)
	parent.Set("bob", githubsim.Member)
	child.Set("bob", githubsim.Maintainer)
	child.Set("cy", githubsim.Maintainer)
	child.Set("ann", githubsim.Member)

	var members []map[string]any
	l.want(200, "GET", "/orgs/acme/teams/parent/members", "").into(t, &members)
	got := map[string]string{}
	for _, m := range members {
		got[m["login"].(string)] = fmt.Sprint(m["role"], " ", m["inherited"])
	}
	equal(t, "parent's members", got, map[string]string{"ann": "maintainer true", "bob": "member false", "cy": "member true"})
	equal(t, "maintainers only", field(t, l.want(200, "GET", "/orgs/acme/teams/child/members?role=maintainer", ""), "login"), []string{"ann", "bob", "cy"})
	equal(t, "children", field(t, l.want(200, "GET", "/orgs/acme/teams/parent/teams", ""), "slug"), []string{"child"})
	l.want(200, "GET", "/orgs/acme/teams/parent/memberships/cy", "")
	l.want(404, "GET", "/orgs/acme/teams/parent/memberships/dee", "")

	data, errs := l.query(`{ organization(login: "acme") { team(slug: "parent") {
		immediate: members(first: 10, membership: IMMEDIATE) { edges { role node { login } } }
		child: members(first: 10, membership: CHILD_TEAM) { edges { role node { login } } }
		all: members(first: 10) { totalCount }
		childTeams(first: 1) { nodes { slug parentTeam { slug } } } } } }`, nil)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	team := at(data, "organization.team")
	equal[any](t, "immediate", at(team, "immediate.edges.0.node.login"), "bob")
	equal[any](t, "one immediate", at(team, "immediate.edges.1"), nil)
	equal[any](t, "inherited", at(team, "child.edges.0.node.login"), "ann")
	equal[any](t, "owner's role", at(team, "child.edges.0.role"), "MAINTAINER")
	equal[any](t, "all", at(team, "all.totalCount"), 3.0)
	equal[any](t, "parent of child", at(team, "childTeams.nodes.0.parentTeam.slug"), "parent")
}

func TestSetTeamMembership(t *testing.T) {
	l := newLab(t)
	team := l.acme.AddTeam("Ops")
	path := "/orgs/acme/teams/ops/memberships/"
	l.gh.PutToken(githubsim.Token{Value: "ghp_bob", User: "bob", Scopes: []string{"admin:org"}})
	bob := "Authorization: token ghp_bob"

	l.want(403, "PUT", path+"cy", "", bob)
	equal[any](t, "new member", l.want(200, "PUT", path+"cy", "").object(t)["role"], "member")
	l.want(200, "PUT", path+"cy", `{"role":"maintainer"}`)
	equal(t, "promoted", team.Members()["cy"], githubsim.Maintainer)
	l.want(200, "PUT", path+"cy", "")
	equal(t, "demoted by an omitted role", team.Members()["cy"], githubsim.Member)
	equal[any](t, "owner reads as maintainer", l.want(200, "PUT", path+"ann", `{"role":"member"}`).object(t)["role"], "maintainer")
	l.want(422, "PUT", path+"cy", `{"role":"admin"}`)
	l.want(422, "PUT", path+"cy", `{"role":7}`)
	l.want(400, "PUT", path+"cy", `{"role":`)
	l.want(400, "PUT", path+"cy", `[]`)
	l.want(422, "PUT", path+"acme", "")
	l.want(404, "PUT", path+"nobody", "")
	l.want(403, "PUT", path+"cy", "", "Authorization: token ghp_bob")

	team.Set("bob", githubsim.Maintainer)
	l.want(200, "PUT", path+"dee", "", bob)
	l.want(403, "PUT", path+"eve", "", bob)
	equal[any](t, "an outsider is invited", l.want(200, "PUT", path+"eve", `{"role":"maintainer"}`).object(t)["state"], "pending")
	equal(t, "pending", team.Pending(), []string{"eve"})
	equal[any](t, "pending is read", l.want(200, "GET", path+"eve", "").object(t)["state"], "pending")
	l.acme.AddMember("eve")
	equal(t, "accepted", team.Members()["eve"], githubsim.Maintainer)

	l.want(204, "DELETE", path+"eve", "")
	l.want(204, "DELETE", path+"eve", "")
	l.want(404, "GET", path+"eve", "")

	team.ManageBy("directory")
	l.want(403, "PUT", path+"eve", "")
	l.want(403, "DELETE", path+"cy", "")

	byID := fmt.Sprintf("/api/v3/organizations/%d/team/%d/memberships/dee", l.acme.ID(), team.ID())
	l.want(200, "GET", byID, "")
	l.want(404, "GET", fmt.Sprintf("/organizations/%d/team/%d", l.acme.ID()+1, team.ID()), "")
}

func TestTeamsAreMadeChangedAndDeleted(t *testing.T) {
	l := newLab(t)
	made := l.want(201, "POST", "/orgs/acme/teams", `{"name":"Site Reliability","description":"on call","maintainers":["bob"]}`).object(t)
	equal[any](t, "slug", made["slug"], "site-reliability")
	equal[any](t, "privacy", made["privacy"], "secret")
	equal(t, "creator and maintainers", l.acme.Team("site-reliability").Members(), map[string]githubsim.Role{"ann": githubsim.Maintainer, "bob": githubsim.Maintainer})
	l.want(422, "POST", "/orgs/acme/teams", `{"name":"SITE reliability"}`)
	l.want(422, "POST", "/orgs/acme/teams", `{}`)
	l.want(422, "POST", "/orgs/acme/teams", `{"name":"x","maintainers":["eve"]}`)

	parent := l.acme.AddTeam("Parent")
	child := l.want(201, "POST", "/orgs/acme/teams", fmt.Sprintf(`{"name":"Child","parent_team_id":%d}`, parent.ID())).object(t)
	equal[any](t, "a nested team is closed", child["privacy"], "closed")
	equal[any](t, "parent", at(child, "parent.slug"), "parent")
	l.want(422, "PATCH", "/orgs/acme/teams/child", `{"privacy":"secret"}`)
	l.want(422, "PATCH", "/orgs/acme/teams/parent", fmt.Sprintf(`{"parent_team_id":%.0f}`, child["id"]))
	l.want(200, "PATCH", "/orgs/acme/teams/child", `{"name":"Kid"}`)
	l.want(404, "GET", "/orgs/acme/teams/child", "")
	equal[any](t, "parent unsaid stays", at(l.want(200, "GET", "/orgs/acme/teams/kid", "").object(t), "parent.slug"), "parent")
	l.want(200, "PATCH", "/orgs/acme/teams/kid", `{"parent_team_id":null}`)
	equal[any](t, "parent null goes", l.want(200, "GET", "/orgs/acme/teams/kid", "").object(t)["parent"], nil)

	l.acme.Team("kid").SetParent(parent)
	l.want(204, "DELETE", "/orgs/acme/teams/parent", "")
	l.want(404, "GET", "/orgs/acme/teams/kid", "")

	l.gh.PutToken(githubsim.Token{Value: "ghp_bob", User: "bob", Scopes: []string{"admin:org"}})
	l.want(201, "POST", "/orgs/acme/teams", `{"name":"Bobs"}`, "Authorization: token ghp_bob")
	equal(t, "a member who creates maintains", l.acme.Team("bobs").Members(), map[string]githubsim.Role{"bob": githubsim.Maintainer})
	l.acme.MembersCanCreateTeams(false)
	l.want(403, "POST", "/orgs/acme/teams", `{"name":"More"}`, "Authorization: token ghp_bob")
}

func TestSecretTeamsAreHidden(t *testing.T) {
	l := newLab(t)
	l.acme.AddTeam("Open")
	hush := l.acme.AddTeam("Hush")
	hush.SetSecret(true)
	l.gh.PutToken(githubsim.Token{Value: "ghp_bob", User: "bob", Scopes: []string{"read:org"}})
	bob := "Authorization: token ghp_bob"
	equal(t, "bob sees", field(t, l.want(200, "GET", "/orgs/acme/teams", "", bob), "slug"), []string{"open"})
	l.want(404, "GET", "/orgs/acme/teams/hush", "", bob)
	data, _ := l.query(`query($id: ID!) { organization(login: "acme") { team(slug: "hush") { slug } teams(first: 5) { totalCount } } node(id: $id) { id } }`, map[string]any{"id": hush.NodeID()}, bob)
	equal[any](t, "team", at(data, "organization.team"), nil)
	equal[any](t, "teams", at(data, "organization.teams.totalCount"), 1.0)
	equal[any](t, "node", at(data, "node"), nil)
	hush.Set("bob", githubsim.Member)
	l.want(200, "GET", "/orgs/acme/teams/hush", "", bob)
}

func TestEnterpriseTeamsAreReadOnly(t *testing.T) {
	l := newLab(t)
	l.gh.World().AddEnterprise("inc", "ann").Adopt(l.acme)
	team := l.acme.AddEnterpriseTeam("Everybody")
	path := fmt.Sprintf("/organizations/%d/team/%d", l.acme.ID(), team.ID())
	equal[any](t, "type", l.want(200, "GET", path, "").object(t)["type"], "enterprise")
	equal(t, "filtered", len(field(t, l.want(200, "GET", "/orgs/acme/teams?team_type=organization", ""), "slug")), 0)
	equal(t, "asked for", len(field(t, l.want(200, "GET", "/orgs/acme/teams?team_type=enterprise", ""), "slug")), 1)
	l.want(422, "PATCH", path, `{"name":"x"}`)
	l.want(422, "DELETE", path, "")
	l.want(422, "PUT", path+"/memberships/bob", "")
	l.want(422, "DELETE", path+"/memberships/bob", "")
	l.want(422, "GET", path+"/invitations", "")
}
