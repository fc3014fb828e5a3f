package githubsim

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

type root struct{}

func (root) typeName() string          { return "Query" }
func (*Organization) typeName() string { return "Organization" }
func (*Team) typeName() string         { return "Team" }
func (*User) typeName() string         { return "User" }
func (*Enterprise) typeName() string   { return "Enterprise" }
func (*Invitation) typeName() string   { return "OrganizationInvitation" }
func (*identity) typeName() string     { return "ExternalIdentity" }

func (s *saml) typeName() string {
	if s.enterprise != nil {
		return "EnterpriseIdentityProvider"
	}
	return "OrganizationIdentityProvider"
}

// Views of an object under another type.
type (
	ownerInfo struct{ *Enterprise }
	samlSide  struct{ *identity }
	scimSide  struct{ *SCIM }
	address   struct {
		value   string
		primary bool
	}
	attribute struct{ name, value string }
	allowance struct{}
)

func (ownerInfo) typeName() string { return "EnterpriseOwnerInfo" }
func (samlSide) typeName() string  { return "ExternalIdentitySamlAttributes" }
func (scimSide) typeName() string  { return "ExternalIdentityScimAttributes" }
func (address) typeName() string   { return "UserEmailMetadata" }
func (attribute) typeName() string { return "ExternalIdentityAttribute" }
func (allowance) typeName() string { return "RateLimit" }

// of makes a resolver of a function on one type of object.
func of[T any](read func(x *execution, on T, args map[string]any) (any, error)) resolver {
	return func(x *execution, on any, args map[string]any) (any, error) { return read(x, on.(T), args) }
}

// plain makes a resolver of a property.
func plain[T any](read func(T) any) resolver {
	return func(_ *execution, on any, _ map[string]any) (any, error) { return read(on.(T)), nil }
}

// maybe keeps a nil pointer from becoming a value that is not nil.
func maybe[T any](p *T) any {
	if p == nil {
		return nil
	}
	return p
}

// resolvers has the meaning of every field of schema.graphql.
var resolvers = map[string]map[string]resolver{
	"Query": {
		"organization": of(resolveOrganization),
		"enterprise":   of(resolveEnterprise),
		"node":         of(resolveNode),
		"nodes":        of(resolveNodes),
		"viewer":       of(resolveViewer),
		"user":         of(resolveUser),
		"rateLimit":    of(resolveRateLimit),
	},
	"Organization": {
		"id":          plain(func(o *Organization) any { return nodeID(nodeOrganization, o.id) }),
		"databaseId":  plain(func(o *Organization) any { return o.id }),
		"login":       plain(func(o *Organization) any { return o.login }),
		"name":        plain(func(o *Organization) any { return orNull(o.name) }),
		"description": plain(func(*Organization) any { return nil }),
		"email":       plain(func(*Organization) any { return nil }),
		"url": of(func(x *execution, o *Organization, _ map[string]any) (any, error) {
			return x.c.web("/%s", o.login), nil
		}),
		"createdAt":  plain(func(o *Organization) any { return moment(o.created) }),
		"updatedAt":  plain(func(o *Organization) any { return moment(o.created) }),
		"archivedAt": plain(func(*Organization) any { return nil }),
		"requiresTwoFactorAuthentication": of(func(x *execution, o *Organization, _ map[string]any) (any, error) {
			if !x.c.rules(o) {
				return nil, nil
			}
			return false, nil
		}),
		"viewerCanAdminister":  of(func(x *execution, o *Organization, _ map[string]any) (any, error) { return x.c.rules(o), nil }),
		"membersWithRole":      of(resolveMembersWithRole),
		"pendingMembers":       of(resolvePendingMembers),
		"team":                 of(resolveTeam),
		"teams":                of(resolveTeams),
		"samlIdentityProvider": of(resolveOrganizationSAML),
		"enterpriseOwners":     of(resolveEnterpriseOwners),
	},
	"Team": {
		"id":           plain(func(t *Team) any { return nodeID(nodeTeam, t.id) }),
		"databaseId":   plain(func(t *Team) any { return t.id }),
		"slug":         plain(func(t *Team) any { return t.slug }),
		"name":         plain(func(t *Team) any { return t.name }),
		"description":  plain(func(t *Team) any { return orNull(t.description) }),
		"combinedSlug": plain(func(t *Team) any { return t.org.login + "/" + t.slug }),
		"privacy":      plain(func(t *Team) any { return map[bool]string{true: "SECRET", false: "VISIBLE"}[t.secret] }),
		"notificationSetting": plain(func(t *Team) any {
			return map[bool]string{true: "NOTIFICATIONS_DISABLED", false: "NOTIFICATIONS_ENABLED"}[t.silent]
		}),
		"organization": plain(func(t *Team) any { return t.org }),
		"parentTeam":   plain(func(t *Team) any { return maybe(t.parent) }),
		"url": of(func(x *execution, t *Team, _ map[string]any) (any, error) {
			return x.c.web("/orgs/%s/teams/%s", t.org.login, t.slug), nil
		}),
		"createdAt":           plain(func(t *Team) any { return moment(t.created) }),
		"updatedAt":           plain(func(t *Team) any { return moment(t.updated) }),
		"viewerCanAdminister": of(func(x *execution, t *Team, _ map[string]any) (any, error) { return x.c.maintains(t), nil }),
		"ancestors":           of(resolveAncestors),
		"childTeams":          of(resolveChildTeams),
		"members":             of(resolveTeamMembers),
		"invitations":         of(resolveTeamInvitations),
	},
	"User": {
		"id":         plain(func(u *User) any { return nodeID(nodeUser, u.id) }),
		"databaseId": plain(func(u *User) any { return u.id }),
		"login":      plain(func(u *User) any { return u.login }),
		"name":       plain(func(u *User) any { return orNull(u.name) }),
		"email":      plain(func(u *User) any { return u.email }),
		"url":        of(func(x *execution, u *User, _ map[string]any) (any, error) { return x.c.web("/%s", u.login), nil }),
		"createdAt":  plain(func(u *User) any { return moment(u.created) }),
		"updatedAt":  plain(func(u *User) any { return moment(u.created) }),
		"isViewer":   of(func(x *execution, u *User, _ map[string]any) (any, error) { return x.c.cred.user == u, nil }),
		"organization": of(func(x *execution, u *User, args map[string]any) (any, error) {
			if o := x.c.w.orgNamed(args["login"].(string)); o != nil && o.isMember(u) && x.c.belongs(o) && x.c.enter(o, nothing) == nil {
				return o, nil
			}
			return nil, nil
		}),
		"organizations":                    of(resolveUserOrganizations),
		"enterprises":                      of(resolveUserEnterprises),
		"organizationVerifiedDomainEmails": of(resolveVerifiedEmails),
	},
	"Enterprise": {
		"id":          plain(func(e *Enterprise) any { return nodeID(nodeEnterprise, e.id) }),
		"databaseId":  plain(func(e *Enterprise) any { return e.id }),
		"slug":        plain(func(e *Enterprise) any { return e.slug }),
		"name":        plain(func(e *Enterprise) any { return e.name }),
		"description": plain(func(*Enterprise) any { return nil }),
		"url": of(func(x *execution, e *Enterprise, _ map[string]any) (any, error) {
			return x.c.web("/enterprises/%s", e.slug), nil
		}),
		"createdAt":     plain(func(e *Enterprise) any { return moment(e.created) }),
		"updatedAt":     plain(func(e *Enterprise) any { return moment(e.created) }),
		"viewerIsAdmin": of(func(x *execution, e *Enterprise, _ map[string]any) (any, error) { return x.c.runs(e), nil }),
		"organizations": of(resolveEnterpriseOrganizations),
		"ownerInfo": of(func(x *execution, e *Enterprise, _ map[string]any) (any, error) {
			if !x.c.runs(e) {
				return nil, nil
			}
			return ownerInfo{e}, nil
		}),
	},
	"EnterpriseOwnerInfo": {
		"samlIdentityProvider": plain(func(i ownerInfo) any { return maybe(i.saml) }),
	},
	"OrganizationIdentityProvider": {
		"id":                 plain(func(s *saml) any { return nodeID(nodeOrganizationIDP, s.id) }),
		"issuer":             plain(func(s *saml) any { return orNull(s.issuer) }),
		"ssoUrl":             plain(func(s *saml) any { return orNull(s.ssoURL) }),
		"organization":       plain(func(s *saml) any { return maybe(s.org) }),
		"externalIdentities": of(resolveExternalIdentities),
	},
	"EnterpriseIdentityProvider": {
		"id":                 plain(func(s *saml) any { return nodeID(nodeEnterpriseIDP, s.id) }),
		"issuer":             plain(func(s *saml) any { return orNull(s.issuer) }),
		"ssoUrl":             plain(func(s *saml) any { return orNull(s.ssoURL) }),
		"enterprise":         plain(func(s *saml) any { return maybe(s.enterprise) }),
		"externalIdentities": of(resolveExternalIdentities),
	},
	"ExternalIdentity": {
		"id":   plain(func(i *identity) any { return nodeID(nodeExternalIdentity, i.id) }),
		"guid": plain(func(i *identity) any { return i.guid }),
		"user": plain(func(i *identity) any { return maybe(i.user) }),
		"organizationInvitation": plain(func(i *identity) any {
			if i.saml.org == nil {
				return nil
			}
			return maybe(i.saml.org.pendingFor(i.user))
		}),
		"samlIdentity": plain(func(i *identity) any {
			if i.NameID == "" {
				return nil
			}
			return samlSide{i}
		}),
		"scimIdentity": plain(func(i *identity) any {
			if i.SCIM == nil {
				return nil
			}
			return scimSide{i.SCIM}
		}),
	},
	"ExternalIdentitySamlAttributes": {
		"nameId":     plain(func(s samlSide) any { return s.NameID }),
		"username":   plain(func(s samlSide) any { return cmp.Or(s.Username, s.NameID) }),
		"givenName":  plain(func(samlSide) any { return nil }),
		"familyName": plain(func(samlSide) any { return nil }),
		"emails":     plain(func(s samlSide) any { return addresses(s.Emails) }),
		"groups":     plain(func(s samlSide) any { return texts(s.Groups) }),
		"attributes": plain(func(s samlSide) any {
			all := []any{}
			for _, name := range sortedKeys(s.Attributes) {
				for _, v := range s.Attributes[name] {
					all = append(all, attribute{name, v})
				}
			}
			return all
		}),
	},
	"ExternalIdentityScimAttributes": {
		"username":   plain(func(s scimSide) any { return orNull(s.Username) }),
		"givenName":  plain(func(s scimSide) any { return orNull(s.GivenName) }),
		"familyName": plain(func(s scimSide) any { return orNull(s.FamilyName) }),
		"emails":     plain(func(s scimSide) any { return addresses(s.Emails) }),
		"groups":     plain(func(s scimSide) any { return texts(s.Groups) }),
	},
	"ExternalIdentityAttribute": {
		"name":     plain(func(a attribute) any { return a.name }),
		"value":    plain(func(a attribute) any { return a.value }),
		"metadata": plain(func(attribute) any { return nil }),
	},
	"UserEmailMetadata": {
		"value":   plain(func(a address) any { return a.value }),
		"primary": plain(func(a address) any { return a.primary }),
		"type":    plain(func(address) any { return "work" }),
	},
	"OrganizationInvitation": {
		"id":        plain(func(i *Invitation) any { return nodeID(nodeInvitation, i.id) }),
		"email":     plain(func(i *Invitation) any { return orNull(i.email) }),
		"invitee":   plain(func(i *Invitation) any { return maybe(i.invitee) }),
		"role":      plain(func(i *Invitation) any { return strings.ToUpper(i.role) }),
		"createdAt": plain(func(i *Invitation) any { return moment(i.created) }),
		"invitationType": plain(func(i *Invitation) any {
			return map[bool]string{true: "USER", false: "EMAIL"}[i.invitee != nil]
		}),
		"invitationSource": plain(func(*Invitation) any { return "MEMBER" }),
		"inviterActor":     plain(func(i *Invitation) any { return maybe(i.inviter) }),
		"organization":     plain(func(i *Invitation) any { return i.org }),
	},
	"RateLimit": {
		"cost":      of(func(x *execution, _ allowance, _ map[string]any) (any, error) { return x.size.cost(), nil }),
		"nodeCount": of(func(x *execution, _ allowance, _ map[string]any) (any, error) { return x.size.nodes, nil }),
		"limit":     of(func(x *execution, _ allowance, _ map[string]any) (any, error) { return x.quota().Limit, nil }),
		"remaining": of(func(x *execution, _ allowance, _ map[string]any) (any, error) { return x.quota().Remaining, nil }),
		"used":      of(func(x *execution, _ allowance, _ map[string]any) (any, error) { return x.quota().Used, nil }),
		"resetAt": of(func(x *execution, _ allowance, _ map[string]any) (any, error) {
			return moment(time.Unix(x.quota().Reset, 0)), nil
		}),
	},
	"PageInfo": {
		"hasNextPage":     plain(func(p pageInfo) any { return p.c.after }),
		"hasPreviousPage": plain(func(p pageInfo) any { return p.c.before }),
		"startCursor": plain(func(p pageInfo) any {
			if len(p.c.page) == 0 {
				return nil
			}
			return cursorOf(p.c.page[0].key)
		}),
		"endCursor": plain(func(p pageInfo) any {
			if len(p.c.page) == 0 {
				return nil
			}
			return cursorOf(p.c.page[len(p.c.page)-1].key)
		}),
	},

	"TeamConnection": connectionFields, "TeamEdge": edgeFields,
	"TeamMemberConnection": connectionFields, "TeamMemberEdge": edgeFields,
	"OrganizationMemberConnection": connectionFields, "OrganizationMemberEdge": edgeFields,
	"UserConnection": connectionFields, "UserEdge": edgeFields,
	"OrganizationConnection": connectionFields, "OrganizationEdge": edgeFields,
	"OrganizationInvitationConnection": connectionFields, "OrganizationInvitationEdge": edgeFields,
	"ExternalIdentityConnection": connectionFields, "ExternalIdentityEdge": edgeFields,
	"EnterpriseConnection": connectionFields, "EnterpriseEdge": edgeFields,
	"OrganizationEnterpriseOwnerConnection": connectionFields, "OrganizationEnterpriseOwnerEdge": edgeFields,
}

// connectionFields and edgeFields serve all connections; what an edge says beside its node is in item.edge.
var connectionFields = map[string]resolver{
	"totalCount": plain(func(c *connection) any { return c.total }),
	"pageInfo":   plain(func(c *connection) any { return pageInfo{c} }),
	"nodes": plain(func(c *connection) any {
		nodes := make([]any, 0, len(c.page))
		for _, i := range c.page {
			nodes = append(nodes, i.node)
		}
		return nodes
	}),
	"edges": plain(func(c *connection) any {
		edges := make([]any, 0, len(c.page))
		for _, i := range c.page {
			edges = append(edges, edge{i, c.name})
		}
		return edges
	}),
}

var edgeFields = map[string]resolver{
	"node":                plain(func(e edge) any { return e.node }),
	"cursor":              plain(func(e edge) any { return cursorOf(e.key) }),
	"role":                plain(func(e edge) any { return e.edge["role"] }),
	"hasTwoFactorEnabled": plain(func(e edge) any { return e.edge["hasTwoFactorEnabled"] }),
	"organizationRole":    plain(func(e edge) any { return e.edge["organizationRole"] }),
}

func resolveOrganization(x *execution, _ root, args map[string]any) (any, error) {
	login := args["login"].(string)
	o := x.c.w.orgNamed(login)
	if o == nil {
		return nil, &graphqlError{"NOT_FOUND", fmt.Sprintf("No organization has the login '%s'.", login)}
	}
	if p := x.c.enter(o, nothing); p != nil {
		return nil, x.refused(p)
	}
	return o, nil
}

// refused turns a refusal at an organization's door into GraphQL's form of it and keeps its headers (X-GitHub-SSO).
func (x *execution) refused(p *problem) error {
	for k, v := range p.header {
		x.c.header[http.CanonicalHeaderKey(k)] = v
	}
	if p.scope {
		return &graphqlError{"INSUFFICIENT_SCOPES", p.message}
	}
	return &graphqlError{"FORBIDDEN", p.message}
}

// inside checks that the caller may read people and teams of the organization.
func (x *execution) inside(o *Organization) error {
	if p := x.c.enter(o, readMembers); p != nil {
		return x.refused(p)
	}
	return nil
}

func resolveEnterprise(x *execution, _ root, args map[string]any) (any, error) {
	slug := args["slug"].(string)
	if e := x.c.w.enterpriseNamed(slug); e != nil && x.c.knows(e) {
		return e, nil
	}
	return nil, &graphqlError{"NOT_FOUND", fmt.Sprintf("No enterprise has the slug '%s'.", slug)}
}

// runs says whether the caller is an owner of the enterprise with a token that may use it.
func (c *call) runs(e *Enterprise) bool {
	if c.cred.user == nil || e.owners[c.cred.user.id] == nil || !c.cred.has(ClassicToken) {
		return false
	}
	return slices.ContainsFunc(c.cred.token.Scopes, func(s string) bool {
		return slices.Contains([]string{"read:enterprise", "admin:enterprise", "read:org", "write:org", "admin:org"}, s)
	})
}

func (c *call) knows(e *Enterprise) bool {
	if c.runs(e) {
		return true
	}
	for _, o := range e.orgs {
		if c.cred.user != nil && o.isMember(c.cred.user) {
			return true
		}
	}
	return false
}

func resolveNode(x *execution, _ root, args map[string]any) (any, error) {
	return x.node(args["id"].(string))
}

func resolveNodes(x *execution, _ root, args map[string]any) (any, error) {
	var found []any
	for _, id := range args["ids"].([]any) {
		n, err := x.node(id.(string))
		if err != nil {
			n = err
		}
		found = append(found, n)
	}
	return found, nil
}

func (x *execution) node(id string) (any, error) {
	missing := &graphqlError{"NOT_FOUND", fmt.Sprintf("Nothing has the global id '%s'.", id)}
	kind, n, ok := parseNodeID(id)
	if !ok {
		return nil, missing
	}
	switch kind {
	case nodeUser:
		if u := x.c.w.users[n]; u != nil {
			return u, nil
		}
	case nodeOrganization:
		if o := x.c.w.orgs[n]; o != nil {
			if p := x.c.enter(o, nothing); p != nil {
				return nil, x.refused(p)
			}
			return o, nil
		}
	case nodeTeam:
		if t := x.c.w.teams[n]; t != nil {
			if err := x.inside(t.org); err != nil {
				return nil, err
			}
			if x.c.sees(t) {
				return t, nil
			}
		}
	case nodeEnterprise:
		if e := x.c.w.enterprises[n]; e != nil && x.c.knows(e) {
			return e, nil
		}
	case nodeOrganizationIDP:
		if o := x.c.w.orgs[n]; o != nil && o.saml != nil && x.c.rules(o) && x.inside(o) == nil {
			return o.saml, nil
		}
	case nodeEnterpriseIDP:
		if e := x.c.w.enterprises[n]; e != nil && e.saml != nil && x.c.runs(e) {
			return e.saml, nil
		}
	case nodeInvitation:
		if i := x.c.w.invitations[n]; i != nil && !i.failed() && x.c.rules(i.org) && x.inside(i.org) == nil {
			return i, nil
		}
	case nodeExternalIdentity:
		if i := x.c.w.identities[n]; i != nil && (i.saml.org != nil && x.c.rules(i.saml.org) || i.saml.enterprise != nil && x.c.runs(i.saml.enterprise)) {
			return i, nil
		}
	}
	return nil, missing
}

// resolveViewer shows an App as the account of its bot.
func resolveViewer(x *execution, _ root, _ map[string]any) (any, error) {
	if u := x.c.cred.user; u != nil {
		return u, nil
	}
	bot := &User{w: x.c.w, login: "app[bot]", emails: map[int64][]string{}}
	if x.c.cred.inst != nil {
		bot.id = x.c.cred.inst.App
		bot.login = fmt.Sprintf("app-%d[bot]", bot.id)
	}
	return bot, nil
}

func resolveUser(x *execution, _ root, args map[string]any) (any, error) {
	login := args["login"].(string)
	if u := x.c.w.userNamed(login); u != nil {
		return u, nil
	}
	return nil, &graphqlError{"NOT_FOUND", fmt.Sprintf("No user has the login '%s'.", login)}
}

func resolveRateLimit(x *execution, _ root, _ map[string]any) (any, error) {
	if x.c.srv.opts.EnterpriseServer {
		return nil, nil
	}
	return allowance{}, nil
}

func (x *execution) quota() quota { return x.c.srv.quota(x.c, "graphql") }

func resolveMembersWithRole(x *execution, o *Organization, args map[string]any) (any, error) {
	if err := x.inside(o); err != nil {
		return nil, err
	}
	ids, belongs, rules := o.members.keys(), x.c.belongs(o), x.c.rules(o)
	if !belongs {
		ids = slices.DeleteFunc(slices.Clone(ids), func(id int64) bool { return !o.members.byID[id].public })
	}
	return connect(x, "OrganizationMember", args, ids, func(id int64) item {
		m := o.members.byID[id]
		said := map[string]any{}
		if belongs {
			said["role"] = strings.ToUpper(string(m.role()))
		}
		if rules {
			said["hasTwoFactorEnabled"] = !m.user.no2FA
		}
		return item{idKey(id), m.user, said}
	})
}

func resolvePendingMembers(x *execution, o *Organization, args map[string]any) (any, error) {
	if err := x.inside(o); err != nil {
		return nil, err
	}
	if !x.c.rules(o) {
		return nil, &graphqlError{"FORBIDDEN", "Only owners see who is invited."}
	}
	var users []*User
	for _, i := range o.pending() {
		if i.invitee != nil {
			users = append(users, i.invitee)
		}
	}
	return connect(x, "User", args, byID(users), userItem)
}

func userItem(u *User) item                 { return item{idKey(u.id), u, nil} }
func teamItem(t *Team) item                 { return item{idKey(t.id), t, nil} }
func organizationItem(o *Organization) item { return item{idKey(o.id), o, nil} }
func enterpriseItem(e *Enterprise) item     { return item{idKey(e.id), e, nil} }

func resolveTeam(x *execution, o *Organization, args map[string]any) (any, error) {
	if err := x.inside(o); err != nil {
		return nil, err
	}
	if t := o.teamSlugged(args["slug"].(string)); t != nil && x.c.sees(t) {
		return t, nil
	}
	return nil, nil
}

func resolveTeams(x *execution, o *Organization, args map[string]any) (any, error) {
	if err := x.inside(o); err != nil {
		return nil, err
	}
	query, _ := args["query"].(string)
	privacy, _ := args["privacy"].(string)
	setting, _ := args["notificationSetting"].(string)
	roots, _ := args["rootTeamsOnly"].(bool)
	role, _ := args["role"].(string)
	ldap, _ := args["ldapMapped"].(bool)
	return x.teams(args, o.allTeams(), func(t *Team) bool {
		switch {
		case !x.c.sees(t), ldap:
		case query != "" && !strings.Contains(fold(t.name), fold(query)) && !strings.Contains(t.slug, fold(query)):
		case privacy != "" && (privacy == "SECRET") != t.secret:
		case setting != "" && (setting == "NOTIFICATIONS_DISABLED") != t.silent:
		case roots && t.parent != nil:
		case role != "" && !x.c.plays(t, role):
		default:
			return true
		}
		return false
	})
}

// plays says whether the caller is in the team, or administers it.
func (c *call) plays(t *Team, role string) bool {
	if role == "ADMIN" {
		return c.maintains(t)
	}
	return c.cred.user != nil && t.roleOf(c.cred.user) != ""
}

// teams pages teams, those of some users only and in the order of names if the arguments say so.
func (x *execution) teams(args map[string]any, teams []*Team, match func(*Team) bool) (any, error) {
	logins, narrowed := args["userLogins"].([]any)
	teams = slices.DeleteFunc(teams, func(t *Team) bool {
		return !match(t) || narrowed && !slices.ContainsFunc(logins, func(login any) bool {
			u := x.c.w.userNamed(login.(string))
			return u != nil && t.roleOf(u) != ""
		})
	})
	show := teamItem
	if order, given := args["orderBy"].(map[string]any); given {
		show = func(t *Team) item { return item{fold(t.name) + "\x00" + idKey(t.id), t, nil} }
		slices.SortFunc(teams, func(a, b *Team) int { return cmp.Compare(show(a).key, show(b).key) })
		if order["direction"] == "DESC" {
			slices.Reverse(teams)
		}
	}
	return connect(x, "Team", args, teams, show)
}

func resolveAncestors(x *execution, t *Team, args map[string]any) (any, error) {
	var up []*Team
	for p := t.parent; p != nil; p = p.parent {
		up = append(up, p)
	}
	return connect(x, "Team", args, byID(up), teamItem)
}

func resolveChildTeams(x *execution, t *Team, args map[string]any) (any, error) {
	below := t.descendants()
	if immediate, _ := args["immediateOnly"].(bool); immediate {
		below = slices.DeleteFunc(below, func(c *Team) bool { return c.parent != t })
	}
	return x.teams(args, below, x.c.sees)
}

func resolveTeamMembers(x *execution, t *Team, args map[string]any) (any, error) {
	kind, _ := args["membership"].(string)
	members := t.list(kind != "CHILD_TEAM", kind != "IMMEDIATE")
	role, _ := args["role"].(string)
	query, _ := args["query"].(string)
	if role != "" || query != "" {
		members = slices.DeleteFunc(members, func(m shown) bool {
			return role != "" && strings.ToUpper(string(m.role)) != role ||
				query != "" && !strings.Contains(fold(m.user.login), fold(query)) && !strings.Contains(fold(m.user.name), fold(query))
		})
	}
	show := func(m shown) item {
		return item{idKey(m.user.id), m.user, map[string]any{"role": strings.ToUpper(string(m.role))}}
	}
	if order, given := args["orderBy"].(map[string]any); given {
		if order["field"] == "LOGIN" {
			byKey := show
			show = func(m shown) item { i := byKey(m); i.key = fold(m.user.login); return i }
			slices.SortFunc(members, func(a, b shown) int { return cmp.Compare(fold(a.user.login), fold(b.user.login)) })
		}
		if order["direction"] == "DESC" {
			slices.Reverse(members)
		}
	}
	return connect(x, "TeamMember", args, members, show)
}

func resolveTeamInvitations(x *execution, t *Team, args map[string]any) (any, error) {
	if !x.c.maintains(t) {
		return nil, nil
	}
	return connect(x, "OrganizationInvitation", args, t.invitations(), func(i *Invitation) item { return item{idKey(i.id), i, nil} })
}

// resolveOrganizationSAML is null without SAML, with SAML at the enterprise, and for who may not see it: the answer does not say which.
func resolveOrganizationSAML(x *execution, o *Organization, _ map[string]any) (any, error) {
	if err := x.inside(o); err != nil {
		return nil, err
	}
	if !x.c.rules(o) {
		return nil, nil
	}
	return maybe(o.saml), nil
}

func resolveExternalIdentities(x *execution, s *saml, args map[string]any) (any, error) {
	login, _ := args["login"].(string)
	userName, _ := args["userName"].(string)
	var members func(*User) bool
	if only, _ := args["membersOnly"].(bool); only {
		members = s.isMember
	}
	return connect(x, "ExternalIdentity", args, s.find(login, userName, members), func(i *identity) item { return item{idKey(i.id), i, nil} })
}

func (s *saml) isMember(u *User) bool {
	if s.org != nil {
		return s.org.isMember(u)
	}
	for _, o := range s.enterprise.orgs {
		if o.isMember(u) {
			return true
		}
	}
	return false
}

func resolveEnterpriseOwners(x *execution, o *Organization, args map[string]any) (any, error) {
	var owners []*User
	if o.enterprise != nil {
		for _, u := range o.enterprise.owners {
			owners = append(owners, u)
		}
	}
	return connect(x, "OrganizationEnterpriseOwner", args, byID(owners), func(u *User) item {
		role := "UNAFFILIATED"
		if o.isOwner(u) {
			role = "OWNER"
		} else if o.isMember(u) {
			role = "DIRECT_MEMBER"
		}
		return item{idKey(u.id), u, map[string]any{"organizationRole": role}}
	})
}

func resolveEnterpriseOrganizations(x *execution, e *Enterprise, args map[string]any) (any, error) {
	query, _ := args["query"].(string)
	var orgs []*Organization
	for _, o := range e.orgs {
		if strings.Contains(fold(o.login), fold(query)) {
			orgs = append(orgs, o)
		}
	}
	return connect(x, "Organization", args, byID(orgs), organizationItem)
}

// resolveUserOrganizations lists the caller's own; of other people only what the caller shares with them.
func resolveUserOrganizations(x *execution, u *User, args map[string]any) (any, error) {
	var orgs []*Organization
	for _, o := range u.orgs {
		if x.c.belongs(o) && x.c.enter(o, nothing) == nil {
			orgs = append(orgs, o)
		}
	}
	return connect(x, "Organization", args, byID(orgs), organizationItem)
}

func resolveUserEnterprises(x *execution, u *User, args map[string]any) (any, error) {
	var found []*Enterprise
	for _, e := range x.c.w.enterprises {
		if u == x.c.cred.user && x.c.knows(e) {
			found = append(found, e)
		}
	}
	return connect(x, "Enterprise", args, byID(found), enterpriseItem)
}

func resolveVerifiedEmails(x *execution, u *User, args map[string]any) (any, error) {
	o := x.c.w.orgNamed(args["login"].(string))
	if o == nil || !x.c.rules(o) || !o.isMember(u) {
		return []any{}, nil
	}
	return texts(u.emails[o.id]), nil
}

func moment(t time.Time) string { return stamp(t.UTC()) }

func texts(s []string) []any {
	out := make([]any, 0, len(s))
	for _, t := range s {
		out = append(out, t)
	}
	return out
}

// addresses marks the first as primary.
func addresses(emails []string) []any {
	out := make([]any, 0, len(emails))
	for i, e := range emails {
		out = append(out, address{e, i == 0})
	}
	return out
}

func sortedKeys(m map[string][]string) []string { return slices.Sorted(maps.Keys(m)) }
