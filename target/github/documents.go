package github

import (
	_ "embed" // the documents below
	"fmt"
	"strings"
)

// The GraphQL documents lie in files, so that they can be read, tried and validated as what they are.
var (
	//go:embed queries/accounts.graphql
	accountsDocument string
	//go:embed queries/accounts_by_id.graphql
	accountsByIDDocument string
	//go:embed queries/enterprise.graphql
	enterpriseDocument string
	//go:embed queries/identity.graphql
	identityFragment string
	//go:embed queries/teams.graphql
	teamsQuery string
	//go:embed queries/team_parts.graphql
	teamParts string
	//go:embed queries/team_ref.graphql
	teamRef string
	//go:embed queries/list.graphql
	listQuery string
	//go:embed queries/maintains.graphql
	maintainsDocument string
	//go:embed queries/maintained.graphql
	maintainedDocument string
	//go:embed queries/maintains_any.graphql
	maintainsAnyDocument string
)

var (
	teamsDocument = teamsQuery + teamParts
	listDocument  = listQuery + teamRef
)

const rateLimit = "rateLimit { cost limit remaining resetAt } "

// A part is a list within a team that may be longer than one page.
type part int

// The parts, and the field and fragment of each.
const (
	people part = iota
	invited
	below
)

var partFields = [...]string{
	people:  "members(first: 100, after: $a%d, membership: IMMEDIATE) { ...People }",
	invited: "invitations(first: 100, after: $a%d) { ...Invited }",
	below:   "childTeams(first: 100, after: $a%d, immediateOnly: true) { ...Below }",
}

// moreDocument asks for the next page of a part of each of some teams at once: t0 with $i0 and $a0, t1 with $i1 and $a1, ….
func moreDocument(parts []part) string {
	var head, body strings.Builder
	for i, p := range parts {
		fmt.Fprintf(&head, "$i%d: ID!, $a%d: String, ", i, i)
		fmt.Fprintf(&body, "t%d: node(id: $i%d) { ... on Team { "+partFields[p]+" } } ", i, i, i)
	}
	return "query MoreOfTeams(" + strings.TrimSuffix(head.String(), ", ") + ") { " + body.String() + rateLimit + "} " + usedFragments(body.String(), teamParts)
}

// findDocument asks for teams by slug (s0 with $s0, …) and for those whose name or slug holds a text (n0 with $n0 after $a0, …).
func findDocument(slugs, names int) string {
	var head, body strings.Builder
	for i := range slugs {
		fmt.Fprintf(&head, ", $s%d: String!", i)
		fmt.Fprintf(&body, "s%d: team(slug: $s%d) { ...TeamRef } ", i, i)
	}
	for i := range names {
		fmt.Fprintf(&head, ", $n%d: String!, $a%d: String", i, i)
		fmt.Fprintf(&body, "n%d: teams(first: 100, after: $a%d, query: $n%d) { pageInfo { hasNextPage endCursor } nodes { ...TeamRef } } ", i, i, i)
	}
	return "query FindTeams($organization: String!" + head.String() + ") { organization(login: $organization) { " + body.String() + "} " + rateLimit + "} " + teamRef
}

// identitiesDocument asks for the identity of each of some accounts by login (i0 with $l0, …), in the organization or the enterprise.
func identitiesDocument(logins int, enterprise bool) string {
	var head, body strings.Builder
	for i := range logins {
		fmt.Fprintf(&head, ", $l%d: String!", i)
		fmt.Fprintf(&body, "i%d: externalIdentities(first: 1, login: $l%d) { ...IdentityOf } ", i, i)
	}
	if enterprise {
		return "query EnterpriseIdentitiesByLogin($owner: String!" + head.String() + ") { enterprise(slug: $owner) { ownerInfo { samlIdentityProvider { " +
			body.String() + "} } } " + rateLimit + "} " + identityFragment
	}
	return "query IdentitiesByLogin($owner: String!" + head.String() + ") { organization(login: $owner) { samlIdentityProvider { " +
		body.String() + "} } " + rateLimit + "} " + identityFragment
}

// usedFragments returns those fragments of a file that a selection uses: GraphQL refuses a document with others.
func usedFragments(selection, file string) string {
	var used strings.Builder
	for fragment := range strings.SplitSeq(file, "fragment ") {
		if name, _, ok := strings.Cut(fragment, " "); ok && strings.Contains(selection, "..."+name+" ") {
			used.WriteString("fragment " + fragment)
		}
	}
	return used.String()
}
