package githubsim

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"
)

// An Organization holds people and teams.
type Organization struct {
	w          *World
	id         int64
	login      string
	name       string
	created    time.Time
	enterprise *Enterprise
	members    ordered[*orgMember]
	teams      ordered[*Team]
	called     map[string]*Team // by folded name
	slugs      map[string]*Team
	groups     ordered[*ExternalGroup]
	saml       *saml
	allowList  []netip.Prefix
	noClassic  bool
	noTeamsBy  bool // members may not create teams
}

type orgMember struct {
	user   *User
	owner  bool
	public bool
}

// AddOrganization creates an organization. Name at least one owner: GitHub has no organization without.
func (w *World) AddOrganization(login string, owners ...string) *Organization {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mustBeFree(login)
	w.lastOrg++
	o := &Organization{w: w, id: w.lastOrg, login: login, created: w.now(), called: map[string]*Team{}, slugs: map[string]*Team{}}
	w.orgs[o.id] = o
	w.take(login, o)
	for _, owner := range owners {
		o.add(w.ensureUser(owner), true)
	}
	return o
}

// Organization returns the organization that has the login now, whatever the case. It panics when there is none.
func (w *World) Organization(login string) *Organization {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if o := w.orgNamed(login); o != nil {
		return o
	}
	panic(fmt.Sprintf("githubsim: no organization %q", login))
}

// Organizations returns all organizations in the order of their ids.
func (w *World) Organizations() []*Organization {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return byID(slices.Collect(maps.Values(w.orgs)))
}

func (w *World) orgNamed(login string) *Organization {
	o, _ := w.logins[fold(login)].(*Organization)
	return o
}

func (w *World) ensureUser(login string) *User {
	if u := w.userNamed(login); u != nil {
		return u
	}
	return w.addUser(login)
}

// ID returns the organization's id.
func (o *Organization) ID() int64 { return o.id }

// NodeID returns the organization's id in GraphQL.
func (o *Organization) NodeID() string { return nodeID(nodeOrganization, o.id) }

// Login returns the login the organization has now.
func (o *Organization) Login() string {
	o.w.mu.RLock()
	defer o.w.mu.RUnlock()
	return o.login
}

// Rename gives the organization another login. Until somebody takes the old one, it answers 301 with the address by id.
func (o *Organization) Rename(login string) {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	if fold(login) == fold(o.login) {
		o.login = login
		return
	}
	o.w.mustBeFree(login)
	old := fold(o.login)
	delete(o.w.logins, old)
	o.login = login
	o.w.take(login, o)
	o.w.moved[old] = o.id
}

// SetName sets the name shown on the profile.
func (o *Organization) SetName(name string) {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	o.name = name
}

// AddMember makes the user a member at once, as if an invitation had been accepted; the account is created if need be.
// Teams of a pending invitation are joined.
func (o *Organization) AddMember(login string) *User {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	u := o.w.ensureUser(login)
	if _, is := o.members.get(u.id); !is {
		o.add(u, false)
	}
	return u
}

// MakeOwner makes the user an owner, a member first if need be. Owners read as maintainers in all teams they are in.
func (o *Organization) MakeOwner(login string) *User {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	u := o.w.ensureUser(login)
	o.add(u, true)
	return u
}

// MakeMember takes ownership away from an owner.
func (o *Organization) MakeMember(login string) {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	o.add(o.w.mustUser(login), false)
}

// RemoveMember removes the user from the organization and with that from all of its teams.
func (o *Organization) RemoveMember(login string) {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	o.remove(o.w.mustUser(login))
}

// Publicize makes a membership visible to people outside the organization.
func (o *Organization) Publicize(login string) {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	if m, is := o.members.get(o.w.mustUser(login).id); is {
		m.public = true
	}
}

// MembersCanCreateTeams switches the policy that lets every member create teams; it is on unless told otherwise.
func (o *Organization) MembersCanCreateTeams(yes bool) {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	o.noTeamsBy = !yes
}

// AllowAddresses switches the IP allow list on with these prefixes ("192.0.2.0/24"); none switches it off.
func (o *Organization) AllowAddresses(prefixes ...string) {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	o.allowList = nil
	for _, p := range prefixes {
		o.allowList = append(o.allowList, netip.MustParsePrefix(p))
	}
}

// ForbidClassicTokens switches the policy that refuses personal access tokens (classic).
func (o *Organization) ForbidClassicTokens(yes bool) {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	o.noClassic = yes
}

// Roles returns the members by login with their role, Owner or Member.
func (o *Organization) Roles() map[string]Role {
	o.w.mu.RLock()
	defer o.w.mu.RUnlock()
	roles := map[string]Role{}
	for _, m := range o.members.byID {
		roles[m.user.login] = m.role()
	}
	return roles
}

// Owners returns the logins of the owners in the order of their ids.
func (o *Organization) Owners() []string {
	o.w.mu.RLock()
	defer o.w.mu.RUnlock()
	var logins []string
	for _, u := range o.owners() {
		logins = append(logins, u.login)
	}
	return logins
}

func (m *orgMember) role() Role {
	if m.owner {
		return Owner
	}
	return Member
}

func (o *Organization) add(u *User, owner bool) {
	if m, is := o.members.get(u.id); is {
		m.owner = owner
		return
	}
	o.members.set(u.id, &orgMember{user: u, owner: owner})
	u.orgs[o.id] = o
	for id, i := range o.w.invitations {
		if i.org == o && i.invitee == u {
			if !i.failed() {
				for _, t := range i.teams {
					t.members.set(u.id, i.teamRole(t))
				}
			}
			delete(o.w.invitations, id)
		}
	}
}

func (o *Organization) remove(u *User) {
	o.members.delete(u.id)
	delete(u.orgs, o.id)
	for _, t := range o.teams.byID {
		t.members.delete(u.id)
	}
}

func (o *Organization) isMember(u *User) bool {
	if u == nil {
		return false
	}
	_, is := o.members.get(u.id)
	return is
}

func (o *Organization) isOwner(u *User) bool {
	if u == nil {
		return false
	}
	m, is := o.members.get(u.id)
	return is && m.owner
}

func (o *Organization) owners() []*User {
	var owners []*User
	for _, id := range o.members.keys() {
		if m := o.members.byID[id]; m.owner {
			owners = append(owners, m.user)
		}
	}
	return owners
}

func (o *Organization) admits(addr netip.Addr) bool {
	return len(o.allowList) == 0 || slices.ContainsFunc(o.allowList, func(p netip.Prefix) bool { return p.Contains(addr.Unmap()) })
}

// An ExternalGroup is an identity provider's group in an enterprise with managed users (the adjacent feature, read only here).
type ExternalGroup struct {
	id      int64
	name    string
	updated time.Time
	members []*User
}

// ID returns the group's id.
func (g *ExternalGroup) ID() int64 { return g.id }

// AddExternalGroup creates an external group with these members.
func (o *Organization) AddExternalGroup(name string, logins ...string) *ExternalGroup {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	o.w.lastGroup++
	g := &ExternalGroup{id: o.w.lastGroup, name: name, updated: o.w.now()}
	for _, login := range logins {
		g.members = append(g.members, o.w.mustUser(login))
	}
	o.groups.set(g.id, g)
	return g
}
