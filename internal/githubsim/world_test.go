package githubsim_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"musterline.example/internal/githubsim"
)

// However the world was stirred, REST, GraphQL and the world itself tell the same story.
func TestAllViewsAgree(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			l := newLab(t)
			rnd := rand.New(rand.NewPCG(seed, 1))
			stir(l, rnd, 120)
			for _, team := range l.acme.Teams() {
				compareViews(l, team)
			}
			members := map[string]githubsim.Role{}
			var list []map[string]any
			l.want(200, "GET", "/orgs/acme/members?per_page=100&role=admin", "").into(t, &list)
			for _, m := range list {
				members[m["login"].(string)] = githubsim.Owner
			}
			l.want(200, "GET", "/orgs/acme/members?per_page=100&role=member", "").into(t, &list)
			for _, m := range list {
				members[m["login"].(string)] = githubsim.Member
			}
			equal(t, "members of the organization", members, l.acme.Roles())
			equal(t, "invitations", len(field(t, l.want(200, "GET", "/orgs/acme/invitations?per_page=100", ""), "login")), len(l.acme.Invitations()))
		})
	}
}

// stir does what people and clients do, in any order.
func stir(l *lab, rnd *rand.Rand, steps int) {
	w := l.gh.World()
	login := func() string { return fmt.Sprint("p", rnd.IntN(12)) }
	member := func() string {
		who := login()
		l.acme.AddMember(who)
		return who
	}
	team := func() *githubsim.Team {
		teams := l.acme.Teams()
		if len(teams) == 0 || len(teams) < 8 && rnd.IntN(4) == 0 {
			return l.acme.AddTeam(fmt.Sprint("Team ", rnd.Uint64()))
		}
		return teams[rnd.IntN(len(teams))]
	}
	role := func() githubsim.Role { return []githubsim.Role{githubsim.Member, githubsim.Maintainer}[rnd.IntN(2)] }
	for range steps {
		switch rnd.IntN(11) {
		case 0, 1, 2:
			team().Set(member(), role())
		case 3:
			if who := login(); w.HasUser(who) {
				l.do("PUT", fmt.Sprintf("/orgs/acme/teams/%s/memberships/%s", team().Slug(), who), fmt.Sprintf(`{"role":%q}`, role()))
			}
		case 4:
			if who := login(); w.HasUser(who) {
				l.do("DELETE", fmt.Sprintf("/orgs/acme/teams/%s/memberships/%s", team().Slug(), who), "")
			}
		case 5:
			l.do("PATCH", "/orgs/acme/teams/"+team().Slug(), fmt.Sprintf(`{"parent_team_id":%d}`, team().ID()))
		case 6:
			team().Rename(fmt.Sprint("Team ", rnd.Uint64()))
		case 7:
			if rnd.IntN(4) == 0 {
				l.do("DELETE", "/orgs/acme/teams/"+team().Slug(), "")
			}
		case 8:
			if who := login(); w.HasUser(who) {
				l.do("DELETE", "/orgs/acme/memberships/"+who, "")
			}
		case 9:
			l.acme.MakeOwner(member())
		case 10:
			if who := login(); !w.HasUser(who) {
				l.acme.Invite(w.AddUser(who).Login(), team())
				l.clock.Advance(time.Duration(rnd.IntN(3)) * 24 * time.Hour)
			} else if rnd.IntN(3) == 0 {
				w.User(who).Delete()
			}
		}
	}
}

func compareViews(l *lab, team *githubsim.Team) {
	t := l.t
	var rest []struct {
		Login     string
		Role      githubsim.Role
		Inherited bool
	}
	l.want(200, "GET", fmt.Sprintf("/organizations/%d/team/%d/members?per_page=100", l.acme.ID(), team.ID()), "").into(t, &rest)
	immediate, inherited := map[string]githubsim.Role{}, map[string]githubsim.Role{}
	for _, m := range rest {
		if m.Inherited {
			inherited[m.Login] = m.Role
		} else {
			immediate[m.Login] = m.Role
		}
		got := l.want(200, "GET", fmt.Sprintf("/orgs/acme/teams/%s/memberships/%s", team.Slug(), m.Login), "").object(t)
		equal[any](t, "role of "+m.Login, got["role"], string(m.Role))
	}
	equal(t, "REST against the world", immediate, team.Members())

	data, errs := l.query(`query($id: ID!) { node(id: $id) { ... on Team { slug
		immediate: members(first: 100, membership: IMMEDIATE) { edges { role node { login } } }
		inherited: members(first: 100, membership: CHILD_TEAM) { edges { role node { login } } }
		invitations(first: 100) { nodes { invitee { login } } } } } }`, map[string]any{"id": team.NodeID()})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	roles := func(name string) map[string]githubsim.Role {
		roles := map[string]githubsim.Role{}
		for _, e := range at(data, "node."+name+".edges").([]any) {
			roles[at(e, "node.login").(string)] = githubsim.Role(strings.ToLower(at(e, "role").(string)))
		}
		return roles
	}
	equal(t, "GraphQL against the world", roles("immediate"), team.Members())
	equal(t, "GraphQL against REST", roles("inherited"), inherited)
	equal[any](t, "slug", at(data, "node.slug"), team.Slug())
	equal(t, "invitations", len(at(data, "node.invitations.nodes").([]any)), len(team.Pending()))
}
