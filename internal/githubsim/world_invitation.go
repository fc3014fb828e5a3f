package githubsim

import (
	"fmt"
	"slices"
	"time"
)

// InvitationLife is how long GitHub keeps an invitation open; then it becomes a failed one.
const InvitationLife = 7 * 24 * time.Hour

// An Invitation asks somebody into an organization, and on acceptance into teams.
type Invitation struct {
	w       *World
	org     *Organization
	id      int64
	invitee *User // nil when invited by an address
	email   string
	role    string // direct_member, admin, billing_manager, reinstate
	inviter *User
	teams   []*Team
	roles   map[int64]Role // by team id
	created time.Time
}

// Invite opens an invitation by hand, for a login or (with an @) an address, into these teams as member.
func (o *Organization) Invite(who string, teams ...*Team) *Invitation {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	var inviter *User
	if owners := o.owners(); len(owners) > 0 {
		inviter = owners[0]
	}
	i := &Invitation{org: o, role: "direct_member", inviter: inviter}
	if u := o.w.userNamed(who); u != nil {
		i.invitee = u
	} else {
		i.email = who
	}
	o.w.open(i)
	for _, t := range teams {
		i.join(t, Member)
	}
	return i
}

// Accept makes the invitee a member of the organization and of the invitation's teams. It panics for an expired one, and for one
// sent to an address: nobody knows yet which account that will be; use AddMember.
func (i *Invitation) Accept() {
	i.w.mu.Lock()
	defer i.w.mu.Unlock()
	if i.failed() || i.invitee == nil {
		panic(fmt.Sprintf("githubsim: invitation of %s cannot be accepted", i.who()))
	}
	i.org.add(i.invitee, i.role == "admin")
}

// ID returns the invitation's id.
func (i *Invitation) ID() int64 { return i.id }

// Invitations returns the logins or addresses with a pending invitation.
func (o *Organization) Invitations() []string {
	o.w.mu.RLock()
	defer o.w.mu.RUnlock()
	var who []string
	for _, i := range o.pending() {
		who = append(who, i.who())
	}
	slices.Sort(who)
	return who
}

// open deals the invitation its id and keeps it.
func (w *World) open(i *Invitation) *Invitation {
	w.lastInvitation++
	i.w, i.id, i.created, i.roles = w, w.lastInvitation, w.now(), map[int64]Role{}
	w.invitations[i.id] = i
	return i
}

func (i *Invitation) join(t *Team, role Role) {
	if !slices.Contains(i.teams, t) {
		i.teams = append(i.teams, t)
	}
	i.roles[t.id] = role
}

func (i *Invitation) teamRole(t *Team) Role { return i.roles[t.id] }

func (i *Invitation) who() string {
	if i.invitee != nil {
		return i.invitee.login
	}
	return i.email
}

func (i *Invitation) expires() time.Time { return i.created.Add(InvitationLife) }
func (i *Invitation) failed() bool       { return !i.w.now().Before(i.expires()) }

func (o *Organization) pending() []*Invitation { return o.invitationsThat((*Invitation).isOpen) }
func (o *Organization) lapsed() []*Invitation  { return o.invitationsThat((*Invitation).failed) }
func (i *Invitation) isOpen() bool             { return !i.failed() }

func (o *Organization) invitationsThat(match func(*Invitation) bool) []*Invitation {
	var found []*Invitation
	for _, i := range o.w.invitations {
		if i.org == o && match(i) {
			found = append(found, i)
		}
	}
	return byID(found)
}

func (o *Organization) pendingFor(u *User) *Invitation {
	for _, i := range o.w.invitations {
		if i.org == o && i.invitee == u && u != nil && !i.failed() {
			return i
		}
	}
	return nil
}

func (t *Team) invitations() []*Invitation {
	if len(t.w.invitations) == 0 {
		return nil
	}
	return t.org.invitationsThat(func(i *Invitation) bool { return !i.failed() && slices.Contains(i.teams, t) })
}
