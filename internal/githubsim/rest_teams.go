package githubsim

import (
	"encoding/json"
	"net/http"
	"slices"
)

func listTeams(c *call) (reply, error) {
	if !c.belongs(c.org) {
		return reply{}, problemf(http.StatusForbidden, "You must be a member of %s to see its teams.", c.org.login)
	}
	kind := c.r.URL.Query().Get("team_type")
	teams := slices.DeleteFunc(c.org.allTeams(), func(t *Team) bool {
		return !c.sees(t) || kind == "enterprise" && t.enterprise == nil || kind == "organization" && t.enterprise != nil
	})
	return page(c, teams, c.showTeam)
}

// A teamInput is the body of a request that makes or changes a team. Absent and null differ for the parent.
type teamInput struct {
	Name                *string         `json:"name"`
	Description         *string         `json:"description"`
	Privacy             *string         `json:"privacy"`
	NotificationSetting *string         `json:"notification_setting"`
	ParentTeamID        json.RawMessage `json:"parent_team_id"`
	Maintainers         []string        `json:"maintainers"`

	parent    *Team
	setParent bool
}

func (c *call) readTeam() (*teamInput, error) {
	in := &teamInput{}
	if err := c.read(in); err != nil {
		return nil, err
	}
	if in.ParentTeamID != nil {
		in.setParent = true
		if string(in.ParentTeamID) != "null" {
			var id int64
			if json.Unmarshal(in.ParentTeamID, &id) != nil {
				return nil, problemf(http.StatusUnprocessableEntity, "Invalid request: parent_team_id is a number or null.")
			}
			in.parent = c.w.teams[id]
			if in.parent == nil || in.parent.org != c.org {
				return nil, invalid("Team", "parent_team_id", "invalid", "%d is not a team of %s.", id, c.org.login)
			}
			if in.parent.secret || in.parent.enterprise != nil {
				return nil, invalid("Team", "parent_team_id", "invalid", "A secret or enterprise team cannot be a parent.")
			}
		}
	}
	if in.Privacy != nil && *in.Privacy != "secret" && *in.Privacy != "closed" {
		return nil, invalid("Team", "privacy", "invalid", "privacy is secret or closed.")
	}
	if s := in.NotificationSetting; s != nil && *s != "notifications_enabled" && *s != "notifications_disabled" {
		return nil, invalid("Team", "notification_setting", "invalid", "No such setting.")
	}
	return in, nil
}

// createTeam makes a team. Whoever makes it becomes its maintainer, an owner too, as GitHub documents; an App does not, it is no
// user. A team is secret unless asked otherwise, closed when it has a parent.
func createTeam(c *call) (reply, error) {
	if !c.belongs(c.org) || c.org.noTeamsBy && !c.rules(c.org) {
		return reply{}, problemf(http.StatusForbidden, "You may not create teams in %s.", c.org.login)
	}
	in, err := c.readTeam()
	if err != nil {
		return reply{}, err
	}
	if in.Name == nil || *in.Name == "" {
		return reply{}, invalid("Team", "name", "missing_field", "A team needs a name.")
	}
	if c.org.teamCalled(*in.Name) != nil {
		return reply{}, invalid("Team", "name", "already_exists", "Another team has this name.")
	}
	var maintainers []*User
	for _, login := range in.Maintainers {
		u := c.w.userNamed(login)
		if !c.org.isMember(u) {
			return reply{}, invalid("Team", "maintainers", "invalid", "%s is not a member of %s.", login, c.org.login)
		}
		maintainers = append(maintainers, u)
	}
	secret := in.parent == nil && (in.Privacy == nil || *in.Privacy == "secret")
	if in.parent != nil && in.Privacy != nil && *in.Privacy == "secret" {
		return reply{}, invalid("Team", "privacy", "invalid", "A nested team cannot be secret.")
	}
	t := c.org.addTeam(*in.Name)
	t.secret = secret
	if in.parent != nil {
		t.setParent(in.parent)
	}
	if in.Description != nil {
		t.description = *in.Description
	}
	t.silent = in.NotificationSetting != nil && *in.NotificationSetting == "notifications_disabled"
	if c.cred.user != nil {
		maintainers = append(maintainers, c.cred.user)
	}
	for _, u := range maintainers {
		t.members.set(u.id, Maintainer)
	}
	return created(c.showTeamFull(t))
}

func getTeam(c *call) (reply, error) { return ok(c.showTeamFull(c.team)) }

func updateTeam(c *call) (reply, error) {
	t := c.team
	if err := c.mayChange(); err != nil {
		return reply{}, err
	}
	in, err := c.readTeam()
	if err != nil {
		return reply{}, err
	}
	if in.Name != nil {
		if *in.Name == "" {
			return reply{}, invalid("Team", "name", "missing_field", "A team needs a name.")
		}
		if other := c.org.teamCalled(*in.Name); other != nil && other != t {
			return reply{}, invalid("Team", "name", "already_exists", "Another team has this name.")
		}
	}
	if in.parent != nil && in.parent.within(t) {
		return reply{}, invalid("Team", "parent_team_id", "invalid", "A team cannot be below itself.")
	}
	parent := t.parent
	if in.setParent {
		parent = in.parent
	}
	secret := t.secret
	if in.Privacy != nil {
		secret = *in.Privacy == "secret"
	}
	if secret && (parent != nil || t.children.len() > 0) {
		if in.Privacy != nil {
			return reply{}, invalid("Team", "privacy", "invalid", "A nested team cannot be secret.")
		}
		secret = false // a secret team that gets a parent becomes visible
	}
	if in.Name != nil && *in.Name != t.name {
		t.rename(*in.Name)
	}
	if in.setParent {
		t.setParent(parent)
	}
	if in.Description != nil {
		t.description = *in.Description
	}
	if in.NotificationSetting != nil {
		t.silent = *in.NotificationSetting == "notifications_disabled"
	}
	t.secret, t.updated = secret, c.now
	return ok(c.showTeamFull(t))
}

// deleteTeam deletes the team and those below it. A maintainer who is no owner may not take teams of others along.
func deleteTeam(c *call) (reply, error) {
	if err := c.mayChange(); err != nil {
		return reply{}, err
	}
	if c.team.children.len() > 0 && !c.rules(c.org) {
		return reply{}, problemf(http.StatusForbidden, "Only an owner deletes a team with teams below it.")
	}
	c.team.delete()
	return noContent()
}

// mayChange refuses enterprise teams with 422 and people who neither own nor maintain with 403.
func (c *call) mayChange() error {
	if err := c.notEnterprise(); err != nil {
		return err
	}
	if !c.maintains(c.team) {
		return problemf(http.StatusForbidden, "You must be an owner of %s or a maintainer of the team.", c.org.login)
	}
	return nil
}

func (c *call) notEnterprise() error {
	if c.team.enterprise != nil {
		return problemf(http.StatusUnprocessableEntity, "%s is an enterprise team; an organization cannot do this with it.", c.team.name)
	}
	return nil
}

func listChildTeams(c *call) (reply, error) {
	children := make([]*Team, 0, c.team.children.len())
	for _, id := range c.team.children.keys() {
		children = append(children, c.team.children.byID[id])
	}
	return page(c, children, c.showTeam)
}

// listTeamMembers lists the members with those of teams below, which say so by inherited.
func listTeamMembers(c *call) (reply, error) {
	members := c.team.list(true, true)
	if role := c.r.URL.Query().Get("role"); role == "member" || role == "maintainer" {
		members = slices.DeleteFunc(members, func(m shown) bool { return m.role != Role(role) })
	}
	return page(c, members, func(m shown) object {
		return append(c.showUser(m.user), entry{"role", string(m.role)}, entry{"inherited", m.inherited})
	})
}

func listTeamInvitations(c *call) (reply, error) {
	if err := c.notEnterprise(); err != nil {
		return reply{}, err
	}
	if !c.maintains(c.team) {
		return reply{}, notFound()
	}
	return page(c, c.team.invitations(), c.showInvitation)
}

// getTeamMembership counts members of teams below in, and answers pending for who is invited.
func getTeamMembership(c *call) (reply, error) {
	u, err := c.named()
	if err != nil {
		return reply{}, err
	}
	if role := c.team.roleOf(u); role != "" {
		return ok(c.showTeamMembership(u, role, "active"))
	}
	if i := c.org.pendingFor(u); i != nil && slices.Contains(i.teams, c.team) {
		return ok(c.showTeamMembership(u, i.teamRole(c.team), "pending"))
	}
	return reply{}, notFound()
}

// setTeamMembership follows GitHub's rules:
//
//	the user is            the caller is     then
//	a member of the org    owner/maintainer  member of the team with the role asked for; none asked for is "member", and demotes
//	an owner of the org    owner/maintainer  the same, but reads as maintainer
//	outside, invited       owner             the team is added to the invitation; pending
//	outside                owner             an invitation is sent; pending
//	outside                maintainer        403
//	an organization        anybody           422
func setTeamMembership(c *call) (reply, error) {
	if err := c.mayChange(); err != nil {
		return reply{}, err
	}
	var in struct {
		Role string `json:"role"`
	}
	if err := c.read(&in); err != nil {
		return reply{}, err
	}
	role := Role(in.Role)
	if role == "" {
		role = Member
	}
	if role != Member && role != Maintainer {
		return reply{}, invalid("TeamMember", "role", "invalid", "role is member or maintainer.")
	}
	u, err := c.person()
	if err != nil {
		return reply{}, err
	}
	if err := c.notManaged(); err != nil {
		return reply{}, err
	}
	if c.org.isMember(u) {
		c.team.members.set(u.id, role)
		return ok(c.showTeamMembership(u, c.team.roleOf(u), "active"))
	}
	if !c.rules(c.org) {
		return reply{}, problemf(http.StatusForbidden, "%s is not a member of %s, and only an owner invites.", u.login, c.org.login)
	}
	i := c.org.pendingFor(u)
	if i == nil {
		if i, err = c.invite(u, "", "direct_member"); err != nil {
			return reply{}, err
		}
	}
	i.join(c.team, role)
	return ok(c.showTeamMembership(u, role, "pending"))
}

// removeTeamMembership ends an immediate membership, or takes the team out of a pending invitation. It answers 204 as well when
// there is nothing to end: the description declares no 404.
func removeTeamMembership(c *call) (reply, error) {
	u, err := c.named()
	if err != nil {
		return reply{}, err
	}
	if u != c.cred.user || c.team.enterprise != nil { // everybody may leave a team
		if err := c.mayChange(); err != nil {
			return reply{}, err
		}
	}
	if err := c.notManaged(); err != nil {
		return reply{}, err
	}
	c.team.members.delete(u.id)
	if i := c.org.pendingFor(u); i != nil {
		i.teams = slices.DeleteFunc(i.teams, func(t *Team) bool { return t == c.team })
	}
	return noContent()
}

func (c *call) notManaged() error {
	if c.team.managedBy != "" {
		return problemf(http.StatusForbidden, "The members of this team are managed by %s.", c.team.managedBy)
	}
	return nil
}

func (c *call) showTeamMembership(u *User, role Role, state string) object {
	return object{
		{"state", state}, {"role", string(role)},
		{"url", c.api("/organizations/%d/team/%d/memberships/%s", c.org.id, c.team.id, u.login)},
	}
}

func (c *call) showTeamSimple(t *Team) object {
	url := c.api("/organizations/%d/team/%d", t.org.id, t.id)
	notify := "notifications_enabled"
	if t.silent {
		notify = "notifications_disabled"
	}
	o := object{
		{"name", t.name}, {"id", t.id}, {"node_id", nodeID(nodeTeam, t.id)}, {"slug", t.slug}, {"description", orNull(t.description)},
		{"privacy", t.privacy()}, {"notification_setting", notify}, {"url", url}, {"html_url", c.web("/orgs/%s/teams/%s", t.org.login, t.slug)},
		{"members_url", url + "/members{/member}"}, {"repositories_url", url + "/repos"}, {"permission", "pull"},
	}
	if t.enterprise != nil {
		return append(o, entry{"type", "enterprise"}, entry{"enterprise_id", t.enterprise.id})
	}
	return append(o, entry{"type", "organization"}, entry{"organization_id", t.org.id})
}

func (c *call) showTeam(t *Team) object {
	if t.parent == nil {
		return append(c.showTeamSimple(t), entry{"parent", nil})
	}
	return append(c.showTeamSimple(t), entry{"parent", c.showTeamSimple(t.parent)})
}

func (c *call) showTeamFull(t *Team) object {
	return append(c.showTeam(t), object{
		{"created_at", stamp(t.created.UTC())}, {"updated_at", stamp(t.updated.UTC())},
		{"members_count", len(t.list(true, true))}, {"repos_count", 0}, {"organization", c.showOrganization(t.org)},
	}...)
}
