package githubsim

import (
	"net/http"
	"slices"
	"time"
)

func getOrganization(c *call) (reply, error) { return ok(c.showOrganization(c.org)) }

func listMembers(c *call) (reply, error) {
	q := c.r.URL.Query()
	role, filter := q.Get("role"), q.Get("filter")
	if filter != "" && filter != "all" && !c.rules(c.org) {
		return reply{}, invalid("OrganizationMember", "filter", "invalid", "Only owners can use this filter.")
	}
	var users []*User
	for _, id := range c.org.members.keys() {
		m := c.org.members.byID[id]
		switch {
		case !c.belongs(c.org) && !m.public: // strangers see public members, and nothing tells them that there are more
		case role == "admin" && !m.owner, role == "member" && m.owner:
		case filter == "2fa_disabled" && !m.user.no2FA, filter == "2fa_insecure":
		default:
			users = append(users, m.user)
		}
	}
	return page(c, users, c.showUser)
}

func checkMember(c *call) (reply, error) {
	u, err := c.named()
	if err != nil {
		return reply{}, err
	}
	if m, is := c.org.members.get(u.id); !is || !m.public && !c.belongs(c.org) {
		return reply{}, notFound()
	}
	return noContent()
}

func listOutsideCollaborators(c *call) (reply, error) { return page(c, []*User(nil), c.showUser) }

func getMembership(c *call) (reply, error) {
	if !c.belongs(c.org) {
		return reply{}, problemf(http.StatusForbidden, "You must be a member of %s to see membership in it.", c.org.login)
	}
	u, err := c.named()
	if err != nil {
		return reply{}, err
	}
	if m, is := c.showMembership(c.org, u); is {
		return ok(m)
	}
	return reply{}, notFound()
}

func setMembership(c *call) (reply, error) {
	if err := c.mustRule(); err != nil {
		return reply{}, err
	}
	var in struct {
		Role string `json:"role"`
	}
	if err := c.read(&in); err != nil {
		return reply{}, err
	}
	if in.Role == "" {
		in.Role = "member"
	}
	if in.Role != "member" && in.Role != "admin" {
		return reply{}, invalid("OrganizationMember", "role", "invalid", "role is admin or member.")
	}
	u, err := c.person()
	if err != nil {
		return reply{}, err
	}
	if c.org.isMember(u) {
		if err := c.keepOneOwner(u, in.Role == "admin"); err != nil {
			return reply{}, err
		}
		c.org.add(u, in.Role == "admin")
	} else {
		role := "direct_member"
		if in.Role == "admin" {
			role = "admin"
		}
		if _, err := c.invite(u, "", role); err != nil {
			return reply{}, err
		}
	}
	m, _ := c.showMembership(c.org, u)
	return ok(m)
}

func removeMembership(c *call) (reply, error) {
	if err := c.mustRule(); err != nil {
		return reply{}, err
	}
	u, err := c.named()
	if err != nil {
		return reply{}, err
	}
	if i := c.org.pendingFor(u); i != nil {
		delete(c.w.invitations, i.id)
		return noContent()
	}
	if !c.org.isMember(u) {
		return reply{}, notFound()
	}
	if err := c.keepOneOwner(u, false); err != nil {
		return reply{}, err
	}
	c.org.remove(u)
	return noContent()
}

func (c *call) mustRule() error {
	if !c.rules(c.org) {
		return problemf(http.StatusForbidden, "You must be an owner of %s.", c.org.login)
	}
	return nil
}

func (c *call) keepOneOwner(u *User, owner bool) error {
	if !owner && c.org.isOwner(u) && len(c.org.owners()) == 1 {
		return problemf(http.StatusForbidden, "An organization keeps at least one owner.")
	}
	return nil
}

// person returns the user of the path; an organization's login answers 422.
func (c *call) person() (*User, error) {
	if login := c.r.PathValue("username"); c.w.orgNamed(login) != nil {
		return nil, problemf(http.StatusUnprocessableEntity, "%s is an organization; only people can be members.", login)
	}
	return c.named()
}

// invite opens an invitation unless one is open already, within the day's ration.
func (c *call) invite(u *User, email, role string) (*Invitation, error) {
	if i := c.org.pendingFor(u); i != nil {
		i.role = role
		return i, nil
	}
	today := c.org.invitationsThat(func(i *Invitation) bool { return c.now.Sub(i.created) < 24*time.Hour })
	if len(today) >= c.limits.Invitations {
		return nil, problemf(http.StatusUnprocessableEntity, "%s has sent its %d invitations of 24 hours.", c.org.login, c.limits.Invitations)
	}
	inviter := c.cred.user
	if inviter == nil {
		if owners := c.org.owners(); len(owners) > 0 {
			inviter = owners[0] // GitHub names the App's bot account, which this world does not have
		}
	}
	return c.w.open(&Invitation{org: c.org, invitee: u, email: email, role: role, inviter: inviter}), nil
}

func listInvitations(c *call) (reply, error) {
	if err := c.mustRule(); err != nil {
		return reply{}, err
	}
	return page(c, c.org.pending(), c.showInvitation)
}

func listFailedInvitations(c *call) (reply, error) {
	if err := c.mustRule(); err != nil {
		return reply{}, err
	}
	return page(c, c.org.lapsed(), c.showInvitation)
}

func createInvitation(c *call) (reply, error) {
	if err := c.mustRule(); err != nil {
		return reply{}, err
	}
	var in struct {
		InviteeID int64   `json:"invitee_id"`
		Email     string  `json:"email"`
		Role      string  `json:"role"`
		TeamIDs   []int64 `json:"team_ids"`
	}
	if err := c.read(&in); err != nil {
		return reply{}, err
	}
	if in.Role == "" {
		in.Role = "direct_member"
	}
	u := c.w.users[in.InviteeID]
	switch {
	case (in.InviteeID == 0) == (in.Email == ""):
		return reply{}, invalid("OrganizationInvitation", "invitee_id", "missing_field", "Name either invitee_id or email.")
	case in.InviteeID != 0 && u == nil:
		return reply{}, invalid("OrganizationInvitation", "invitee_id", "missing", "No user has this id.")
	case c.org.isMember(u):
		return reply{}, invalid("OrganizationInvitation", "invitee_id", "already_exists", "The user is a member already.")
	case c.org.pendingFor(u) != nil:
		return reply{}, invalid("OrganizationInvitation", "invitee_id", "already_exists", "An invitation is pending already.")
	case !slices.Contains([]string{"admin", "direct_member", "billing_manager", "reinstate"}, in.Role):
		return reply{}, invalid("OrganizationInvitation", "role", "invalid", "No such role.")
	}
	var teams []*Team
	for _, id := range in.TeamIDs {
		t := c.w.teams[id]
		if t == nil || t.org != c.org || t.enterprise != nil {
			return reply{}, invalid("OrganizationInvitation", "team_ids", "invalid", "%d is not a team of %s.", id, c.org.login)
		}
		teams = append(teams, t)
	}
	i, err := c.invite(u, in.Email, in.Role)
	if err != nil {
		return reply{}, err
	}
	for _, t := range teams {
		i.join(t, Member)
	}
	return created(c.showInvitation(i))
}

func (c *call) invitation() (*Invitation, error) {
	if err := c.mustRule(); err != nil {
		return nil, err
	}
	i := c.w.invitations[number(c.r.PathValue("invitation_id"))]
	if i == nil || i.org != c.org || i.failed() {
		return nil, notFound()
	}
	return i, nil
}

func cancelInvitation(c *call) (reply, error) {
	i, err := c.invitation()
	if err != nil {
		return reply{}, err
	}
	delete(c.w.invitations, i.id)
	return noContent()
}

func listInvitationTeams(c *call) (reply, error) {
	i, err := c.invitation()
	if err != nil {
		return reply{}, err
	}
	return page(c, i.teams, c.showTeam)
}

func listExternalGroups(c *call) (reply, error) {
	groups := make([]*ExternalGroup, 0, c.org.groups.len())
	for _, id := range c.org.groups.keys() {
		groups = append(groups, c.org.groups.byID[id])
	}
	shown, header := cut(c, groups, func(g *ExternalGroup) object {
		return object{{"group_id", g.id}, {"group_name", g.name}, {"updated_at", stamp(g.updated.UTC())}}
	})
	return reply{status: http.StatusOK, body: object{{"groups", shown}}, header: header}, nil
}

func getExternalGroup(c *call) (reply, error) {
	g, is := c.org.groups.get(number(c.r.PathValue("group_id")))
	if !is {
		return reply{}, notFound()
	}
	members, header := cut(c, g.members, func(u *User) object {
		return object{{"member_id", u.id}, {"member_login", u.login}, {"member_name", u.name}, {"member_email", u.email}}
	})
	return reply{status: http.StatusOK, header: header, body: object{
		{"group_id", g.id}, {"group_name", g.name}, {"updated_at", stamp(g.updated.UTC())}, {"teams", []any{}}, {"members", members}}}, nil
}

func (c *call) showOrganizationSimple(o *Organization) object {
	url := c.api("/orgs/%s", o.login)
	return object{
		{"login", o.login}, {"id", o.id}, {"node_id", nodeID(nodeOrganization, o.id)}, {"url", url}, {"repos_url", url + "/repos"},
		{"events_url", url + "/events"}, {"hooks_url", url + "/hooks"}, {"issues_url", url + "/issues"},
		{"members_url", url + "/members{/member}"}, {"public_members_url", url + "/public_members{/member}"},
		{"avatar_url", c.web("/avatars/u/%d?v=4", o.id)}, {"description", nil},
	}
}

func (c *call) showOrganization(o *Organization) object {
	full := append(c.showOrganizationSimple(o), object{
		{"html_url", c.web("/%s", o.login)}, {"is_verified", false}, {"has_organization_projects", true}, {"has_repository_projects", true},
		{"public_repos", 0}, {"public_gists", 0}, {"followers", 0}, {"following", 0}, {"type", "Organization"},
		{"created_at", stamp(o.created.UTC())}, {"updated_at", stamp(o.created.UTC())}, {"archived_at", nil},
	}...)
	if o.name != "" {
		full = append(full, entry{"name", o.name})
	}
	if c.rules(o) { // settings are for owners only; their absence is how a client learns that it is none
		full = append(full, object{
			{"two_factor_requirement_enabled", false}, {"default_repository_permission", "read"}, {"members_can_create_teams", !o.noTeamsBy},
			{"plan", object{{"name", "enterprise"}, {"space", 976562499}, {"private_repos", 999999}, {"filled_seats", o.members.len()}, {"seats", o.members.len() + 100}}},
		}...)
	}
	return full
}

// showMembership shows a membership in an organization, or the invitation to one.
func (c *call) showMembership(o *Organization, u *User) (object, bool) {
	state, role := "active", "member"
	if m, is := o.members.get(u.id); is {
		role = string(m.role())
	} else if i := o.pendingFor(u); i != nil {
		state = "pending"
		if i.role == "admin" {
			role = "admin"
		}
	} else {
		return nil, false
	}
	return object{
		{"url", c.api("/orgs/%s/memberships/%s", o.login, u.login)}, {"state", state}, {"role", role}, {"direct_membership", true},
		{"enterprise_teams_providing_indirect_membership", []any{}}, {"organization_url", c.api("/orgs/%s", o.login)},
		{"organization", c.showOrganizationSimple(o)}, {"user", c.showUser(u)},
	}, true
}

func (c *call) showInvitation(i *Invitation) object {
	o := object{{"id", i.id}, {"node_id", nodeID(nodeInvitation, i.id)}}
	if i.invitee != nil {
		o = append(o, entry{"login", i.invitee.login}, entry{"email", nil})
	} else {
		o = append(o, entry{"login", nil}, entry{"email", i.email})
	}
	o = append(o, object{{"role", i.role}, {"created_at", stamp(i.created.UTC())}}...)
	if i.failed() {
		o = append(o, entry{"failed_at", stamp(i.expires().UTC())}, entry{"failed_reason", "The invitation has expired."})
	} else {
		o = append(o, entry{"failed_at", nil}, entry{"failed_reason", nil})
	}
	return append(o, object{
		{"inviter", c.showUser(i.inviter)}, {"team_count", len(i.teams)}, {"invitation_source", "member"},
		{"invitation_teams_url", c.api("/organizations/%d/invitations/%d/teams", i.org.id, i.id)},
	}...)
}
