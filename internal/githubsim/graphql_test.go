package githubsim_test

import (
	"fmt"
	"strings"
	"testing"

	"musterline.example/internal/githubsim"
)

func TestGraphQLPages(t *testing.T) {
	l := newLab(t)
	for i := range 45 {
		l.acme.AddTeam(fmt.Sprintf("Team %02d", 44-i))
	}
	const doc = `query Page($after: String, $order: TeamOrder) { organization(login: "acme") { teams(first: 20, after: $after, orderBy: $order) {
		totalCount nodes { slug databaseId } pageInfo { hasNextPage hasPreviousPage endCursor } } } }`
	read := func(order any) (slugs []string) {
		var after any
		for {
			data, errs := l.query(doc, map[string]any{"after": after, "order": order})
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			teams := at(data, "organization.teams")
			for _, n := range at(teams, "nodes").([]any) {
				slugs = append(slugs, at(n, "slug").(string))
			}
			if after == nil { // lists change between pages: who stays is neither repeated nor skipped
				l.acme.Team(slugs[3]).Delete()
			}
			if at(teams, "pageInfo.hasNextPage") == false {
				return slugs
			}
			after = at(teams, "pageInfo.endCursor")
		}
	}
	byID := read(nil)
	equal(t, "teams", len(byID), 45)
	equal(t, "oldest first", byID[0], "team-44")
	up := read(map[string]any{"field": "NAME", "direction": "ASC"})
	equal(t, "by name", up[0]+" "+up[43], "team-00 team-44")
	down := read(map[string]any{"field": "NAME", "direction": "DESC"})
	equal(t, "by name, downwards", down[0]+" "+down[42], "team-44 team-00")

	data, _ := l.query(`{ organization(login: "acme") { membersWithRole(last: 2) { nodes { login } pageInfo { hasNextPage hasPreviousPage startCursor } } } }`, nil)
	equal[any](t, "last", at(data, "organization.membersWithRole.nodes.0.login"), "cy")
	data, _ = l.query(`query($c: String) { organization(login: "acme") { membersWithRole(last: 5, before: $c) { nodes { login } pageInfo { hasNextPage } } } }`,
		map[string]any{"c": at(data, "organization.membersWithRole.pageInfo.startCursor")})
	equal[any](t, "before", at(data, "organization.membersWithRole.nodes.1.login"), "bob")
	_, errs := l.query(`{ organization(login: "acme") { membersWithRole(first: 2, after: "junk") { totalCount } } }`, nil)
	equal(t, "a damaged cursor", len(errs), 1)
}

func TestGraphQLRefusesWhatGitHubRefuses(t *testing.T) {
	l := newLab(t)
	ids := make([]string, 101)
	for name, c := range map[string]struct {
		doc, kind string
		variables map[string]any
	}{
		"no bound":        {doc: `{ organization(login: "acme") { teams { totalCount } } }`, kind: "MISSING_PAGINATION_BOUNDARIES"},
		"bound too high":  {doc: `{ organization(login: "acme") { teams(first: 101) { totalCount } } }`, kind: "EXCESSIVE_PAGINATION"},
		"bound of zero":   {doc: `query($n: Int) { organization(login: "acme") { teams(first: $n) { totalCount } } }`, kind: "EXCESSIVE_PAGINATION", variables: map[string]any{"n": 0}},
		"two bounds":      {doc: `{ organization(login: "acme") { teams(first: 1, last: 1) { totalCount } } }`, kind: "INVALID_PAGINATION_BOUNDARIES"},
		"too many nodes":  {doc: `{ organization(login: "acme") { teams(first: 100) { nodes { childTeams(first: 100) { nodes { members(first: 51) { totalCount } } } } } } }`, kind: "MAX_NODE_LIMIT_EXCEEDED"},
		"too many ids":    {doc: `query($ids: [ID!]!) { nodes(ids: $ids) { id } }`, kind: "ARGUMENT_LIMIT", variables: map[string]any{"ids": ids}},
		"unknown field":   {doc: `{ organization(login: "acme") { shoeSize } }`},
		"not a document":  {doc: `{ organization(`},
		"a mutation":      {doc: `mutation { addTeamMember(input: {}) { id } }`},
		"wrong variable":  {doc: `query($n: Int!) { organization(login: "acme") { teams(first: $n) { totalCount } } }`, variables: map[string]any{"n": "many"}},
		"no such org":     {doc: `{ organization(login: "nowhere") { id } }`, kind: "NOT_FOUND"},
		"no such node":    {doc: `{ node(id: "T_nothing") { id } }`, kind: "NOT_FOUND"},
		"no such account": {doc: `{ user(login: "nobody") { id } }`, kind: "NOT_FOUND"},
	} {
		_, errs := l.query(c.doc, c.variables)
		if got := strings.Join(kinds(errs), " "); len(errs) != 1 || got != c.kind {
			t.Errorf("%s: %v", name, errs)
		}
	}
	l.want(400, "POST", "/graphql", `{"query":`)
	l.want(400, "POST", "/graphql", `{}`)
	l.want(401, "POST", "/graphql", `{"query":"{viewer{login}}"}`, "Authorization: ")
	l.want(200, "POST", "/api/graphql", `{"query":"{viewer{login}}"}`)
	l.want(404, "GET", "/graphql", "")
}

func TestGraphQLCostFollowsThePublishedFormula(t *testing.T) {
	l := newLab(t)
	var ids []any
	for i := range 100 {
		ids = append(ids, l.acme.AddTeam(fmt.Sprint("T", i)).NodeID())
	}
	for _, c := range []struct {
		doc         string
		cost, nodes float64
	}{
		{`{ viewer { login } rateLimit { cost nodeCount } }`, 1, 0},
		{`{ rateLimit { cost nodeCount } organization(login: "acme") { teams(first: 100) { nodes { members(first: 100) { totalCount } } } } }`, 1, 10_100},
		{`{ rateLimit { cost nodeCount } organization(login: "acme") { teams(first: 100) { nodes { members(first: 20) { nodes { login } } invitations(first: 1) { totalCount } } } } }`, 2, 100 + 2000 + 100},
		{`query($ids: [ID!]!) { rateLimit { cost nodeCount } nodes(ids: $ids) { ... on Team { members(first: 100) { totalCount } } } }`, 1, 10_100},
	} {
		data, errs := l.query(c.doc, map[string]any{"ids": ids})
		if len(errs) > 0 || at(data, "rateLimit.cost") != c.cost || at(data, "rateLimit.nodeCount") != c.nodes {
			t.Errorf("%s: %v %v", c.doc, at(data, "rateLimit"), errs)
		}
	}
	equal(t, "points", l.gh.Counts().GraphQLPoints, 5)
	last := l.gh.Calls()[3]
	equal(t, "call log", fmt.Sprint(last.Route, " ", last.Cost, last.Points, last.Nodes, last.GraphQL, last.Write), "POST /graphql 1 1 10100 true false")
}

func TestGraphQLGivesPartialData(t *testing.T) {
	l := newLab(t)
	team := l.acme.AddTeam("Ops")
	gone := l.acme.AddTeam("Gone")
	gone.Delete()
	data, errs := l.query(`query Q($ids: [ID!]!) { viewer { me: login __typename } nodes(ids: $ids) { __typename ...T ... on User { login } } }
		fragment T on Team { slug combinedSlug organization { login } }`, map[string]any{"ids": []any{team.NodeID(), gone.NodeID(), l.gh.World().User("bob").NodeID()}})
	equal[any](t, "alias", at(data, "viewer"), map[string]any{"me": "ann", "__typename": "User"})
	equal[any](t, "first", at(data, "nodes.0.combinedSlug"), "acme/ops")
	equal[any](t, "second", at(data, "nodes.1"), nil)
	equal[any](t, "third", at(data, "nodes.2"), map[string]any{"__typename": "User", "login": "bob"})
	equal[any](t, "error", errs[0].(map[string]any)["path"], []any{"nodes", 1.0})

	l.gh.SetLimits(githubsim.Limits{ResourceNodes: 3})
	data, errs = l.query(`{ organization(login: "acme") { membersWithRole(first: 10) { totalCount } name } viewer { login } }`, nil)
	equal(t, "resource limit", kinds(errs), []string{"RESOURCE_LIMITS_EXCEEDED"})
	equal[any](t, "the null rises to what may be null", data, map[string]any{"organization": nil, "viewer": map[string]any{"login": "ann"}})

	l.gh.SetLimits(githubsim.Limits{TimeoutNodes: 500})
	l.want(502, "POST", "/graphql", `{"query":"{ organization(login: \"acme\") { teams(first: 10) { nodes { members(first: 100) { totalCount } } } } }"}`)
	l.want(200, "POST", "/graphql", `{"query":"{ organization(login: \"acme\") { teams(first: 4) { nodes { members(first: 100) { totalCount } } } } }"}`)
}

const identitiesQuery = `query($login: String, $name: String, $only: Boolean) { organization(login: "acme") { samlIdentityProvider { ssoUrl issuer
	externalIdentities(first: 10, login: $login, userName: $name, membersOnly: $only) { totalCount edges { node { guid id user { databaseId login }
		samlIdentity { nameId username groups emails { value primary type } attributes { name value } }
		scimIdentity { username givenName familyName groups emails { value } } } } } } } }`

func TestExternalIdentities(t *testing.T) {
	l := newLab(t)
	l.acme.EnableSAML("https://idp.example.org/saml", "https://idp.example.org/sso")
	l.acme.SetIdentity("bob", githubsim.Identity{NameID: "bob@example.org", Emails: []string{"bob@example.org"}, Groups: []string{"eng"},
		Attributes: map[string][]string{"id": {"u1"}}, SCIM: &githubsim.SCIM{Username: "bob@example.org", GivenName: "Bob"}})
	l.acme.SetIdentity("cy", githubsim.Identity{NameID: "cy@example.org"})
	l.acme.SetIdentity("", githubsim.Identity{SCIM: &githubsim.SCIM{Username: "new@example.org"}})
	count := func(variables map[string]any) any {
		t.Helper()
		data, errs := l.query(identitiesQuery, variables)
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		return at(data, "organization.samlIdentityProvider.externalIdentities.totalCount")
	}
	data, _ := l.query(identitiesQuery, nil)
	list := at(data, "organization.samlIdentityProvider.externalIdentities")
	equal[any](t, "claim", at(list, "edges.0.node.samlIdentity.attributes.0"), map[string]any{"name": "id", "value": "u1"})
	equal[any](t, "e-mail", at(list, "edges.0.node.samlIdentity.emails.0.primary"), true)
	equal[any](t, "unclaimed", at(list, "edges.2.node.user"), nil)
	equal[any](t, "all", count(nil), 3.0)
	equal[any](t, "by login", count(map[string]any{"login": "CY"}), 1.0)
	equal[any](t, "by name", count(map[string]any{"name": "new@example.org"}), 1.0)
	l.acme.RemoveMember("cy")
	equal[any](t, "members only", count(map[string]any{"only": true}), 1.0)
	l.acme.RevokeIdentity("bob")
	equal[any](t, "revoked", count(map[string]any{"login": "bob"}), 0.0)

	l.gh.PutToken(githubsim.Token{Value: "ghp_bob", User: "bob", Scopes: []string{"read:org"}})
	data, errs := l.query(identitiesQuery, nil, "Authorization: Bearer ghp_bob")
	if len(errs) > 0 || at(data, "organization.samlIdentityProvider") != nil {
		t.Error("a member sees identities", data, errs)
	}

	inc := l.gh.World().AddEnterprise("inc", "ann")
	inc.Adopt(l.acme)
	inc.EnableSAML("https://idp.example.org/enterprise", "https://idp.example.org/sso")
	l.acme.SetIdentity("bob", githubsim.Identity{NameID: "bob@example.org"})
	data, _ = l.query(identitiesQuery, nil)
	equal[any](t, "SAML at the enterprise hides the organization's", at(data, "organization.samlIdentityProvider"), nil)
	data, errs = l.query(`{ enterprise(slug: "inc") { organizations(first: 5) { nodes { login } } ownerInfo { samlIdentityProvider { issuer externalIdentities(first: 5, membersOnly: true) { nodes { user { login } } } } } } }`, nil)
	if len(errs) > 0 || at(data, "enterprise.ownerInfo.samlIdentityProvider.externalIdentities.nodes.0.user.login") != "bob" {
		t.Error(data, errs)
	}
	bob := l.gh.World().User("bob")
	bob.SetVerifiedEmails(l.acme, "bob@acme.example")
	data, _ = l.query(`{ user(login: "bob") { organizationVerifiedDomainEmails(login: "acme") } }`, nil)
	equal[any](t, "verified", at(data, "user.organizationVerifiedDomainEmails"), []any{"bob@acme.example"})
}
