package githubsim

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Team belongs to an organization, or to its enterprise and is then shown in the organization.
type Team struct {
	w           *World
	org         *Organization
	id          int64
	name        string
	slug        string
	description string
	secret      bool
	silent      bool // notifications disabled
	created     time.Time
	updated     time.Time
	parent      *Team
	children    ordered[*Team]
	members     ordered[Role] // immediate members; what was set, not what is shown
	enterprise  *Enterprise
	managedBy   string // an identity provider's group that owns the membership
	deleted     bool
}

// AddTeam creates a visible ("closed") team without members. It panics when the name is taken.
func (o *Organization) AddTeam(name string) *Team {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	if o.teamCalled(name) != nil {
		panic(fmt.Sprintf("githubsim: a team is already called %q", name))
	}
	return o.addTeam(name)
}

// AddEnterpriseTeam creates a team that belongs to the organization's enterprise: the organization shows it and cannot change it.
func (o *Organization) AddEnterpriseTeam(name string) *Team {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	if o.enterprise == nil {
		panic("githubsim: organization " + o.login + " belongs to no enterprise")
	}
	t := o.addTeam(name)
	delete(o.slugs, t.slug)
	t.slug = "ent:" + t.slug
	o.slugs[t.slug] = t
	t.enterprise = o.enterprise
	return t
}

func (o *Organization) addTeam(name string) *Team {
	o.w.lastTeam++
	t := &Team{w: o.w, org: o, id: o.w.lastTeam, name: name, created: o.w.now(), updated: o.w.now()}
	t.slug = o.freeSlug(name, t)
	o.w.teams[t.id] = t
	o.teams.set(t.id, t)
	o.called[fold(name)], o.slugs[t.slug] = t, t
	return t
}

// Team returns the team with the slug. It panics when there is none.
func (o *Organization) Team(slug string) *Team {
	o.w.mu.RLock()
	defer o.w.mu.RUnlock()
	if t := o.teamSlugged(slug); t != nil {
		return t
	}
	panic(fmt.Sprintf("githubsim: no team %s/%s", o.login, slug))
}

// Teams returns the teams in the order of their ids.
func (o *Organization) Teams() []*Team {
	o.w.mu.RLock()
	defer o.w.mu.RUnlock()
	return o.allTeams()
}

func (o *Organization) allTeams() []*Team {
	teams := make([]*Team, 0, o.teams.len())
	for _, id := range o.teams.keys() {
		teams = append(teams, o.teams.byID[id])
	}
	return teams
}

func (o *Organization) teamSlugged(slug string) *Team { return o.slugs[fold(slug)] }
func (o *Organization) teamCalled(name string) *Team  { return o.called[fold(name)] }

// ID returns the team's id, which survives renaming and moving.
func (t *Team) ID() int64 { return t.id }

// NodeID returns the team's id in GraphQL.
func (t *Team) NodeID() string { return nodeID(nodeTeam, t.id) }

// Slug returns the slug the team has now.
func (t *Team) Slug() string {
	t.w.mu.RLock()
	defer t.w.mu.RUnlock()
	return t.slug
}

// Name returns the name the team has now.
func (t *Team) Name() string {
	t.w.mu.RLock()
	defer t.w.mu.RUnlock()
	return t.name
}

// Deleted says whether the team is gone.
func (t *Team) Deleted() bool {
	t.w.mu.RLock()
	defer t.w.mu.RUnlock()
	return t.deleted
}

// Rename gives the team another name and the slug that follows from it. The old slug answers 404 from then on.
func (t *Team) Rename(name string) {
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	t.rename(name)
}

func (t *Team) rename(name string) {
	delete(t.org.called, fold(t.name))
	delete(t.org.slugs, t.slug)
	t.name = name
	t.slug = t.org.freeSlug(name, t)
	t.org.called[fold(name)], t.org.slugs[t.slug] = t, t
	t.updated = t.w.now()
}

// SetParent moves the team below another of the same organization, or to the top with nil. It panics on a cycle.
func (t *Team) SetParent(parent *Team) {
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	if parent != nil && parent.within(t) {
		panic(fmt.Sprintf("githubsim: %s cannot be below %s", t.slug, parent.slug))
	}
	t.setParent(parent)
}

func (t *Team) setParent(parent *Team) {
	if t.parent != nil {
		t.parent.children.delete(t.id)
	}
	t.parent = parent
	if parent != nil {
		parent.children.set(t.id, t)
	}
	t.updated = t.w.now()
}

// within says whether t is the team or below it.
func (t *Team) within(ancestor *Team) bool {
	for ; t != nil; t = t.parent {
		if t == ancestor {
			return true
		}
	}
	return false
}

// Delete removes the team and, as GitHub does for an owner, all teams below it.
func (t *Team) Delete() {
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	t.delete()
}

func (t *Team) delete() {
	for _, id := range slices.Clone(t.children.keys()) {
		t.children.byID[id].delete()
	}
	t.setParent(nil)
	t.org.teams.delete(t.id)
	delete(t.org.called, fold(t.name))
	delete(t.org.slugs, t.slug)
	delete(t.w.teams, t.id)
	for _, i := range t.w.invitations {
		i.teams = slices.DeleteFunc(i.teams, func(other *Team) bool { return other == t })
	}
	t.deleted = true
}

// SetSecret says whether only members and owners see the team. It panics for a nested team, which GitHub keeps visible.
func (t *Team) SetSecret(secret bool) {
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	if secret && (t.parent != nil || t.children.len() > 0) {
		panic("githubsim: a nested team cannot be secret")
	}
	t.secret = secret
}

// SetDescription sets the description.
func (t *Team) SetDescription(text string) {
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	t.description = text
}

// ManageBy hands the membership to an identity provider's group; the API then refuses changes with 403. "" takes it back.
func (t *Team) ManageBy(group string) {
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	t.managedBy = group
}

// Set makes the user an immediate member with the role, whatever was before. It panics for a user outside the organization.
func (t *Team) Set(login string, role Role) {
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	u := t.w.mustUser(login)
	if !t.org.isMember(u) {
		panic(fmt.Sprintf("githubsim: %s is not a member of %s", login, t.org.login))
	}
	t.members.set(u.id, role)
}

// Remove ends the user's immediate membership.
func (t *Team) Remove(login string) {
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	t.members.delete(t.w.mustUser(login).id)
}

// Members returns the immediate members by login with the role GitHub shows: Maintainer for owners.
func (t *Team) Members() map[string]Role {
	t.w.mu.RLock()
	defer t.w.mu.RUnlock()
	roles := map[string]Role{}
	for id := range t.members.byID {
		if u := t.w.users[id]; u != nil {
			roles[u.login] = t.roleOf(u)
		}
	}
	return roles
}

// Pending returns the logins, or addresses, that a pending invitation will bring into the team.
func (t *Team) Pending() []string {
	t.w.mu.RLock()
	defer t.w.mu.RUnlock()
	var who []string
	for _, i := range t.invitations() {
		who = append(who, i.who())
	}
	slices.Sort(who)
	return who
}

// roleOf returns the role that GitHub shows for an immediate or inherited member, "" for neither.
//
//	set in the team   below a child team   owner   shown
//	member            -                    no      member
//	maintainer        -                    no      maintainer
//	any               -                    yes     maintainer
//	-                 yes                  no      member
//	-                 yes                  yes     maintainer
func (t *Team) roleOf(u *User) Role {
	role, immediate := t.members.get(u.id)
	if !immediate {
		if !t.inherits(u) {
			return ""
		}
		role = Member
	}
	if t.org.isOwner(u) {
		return Maintainer
	}
	return role
}

func (t *Team) inherits(u *User) bool {
	for _, c := range t.children.byID {
		if _, is := c.members.get(u.id); is || c.inherits(u) {
			return true
		}
	}
	return false
}

// A shown is a member as lists show it.
type shown struct {
	user      *User
	role      Role
	inherited bool
}

// list returns the members in the order of ids: immediate ones, those of teams below, or both.
func (t *Team) list(immediate, inherited bool) []shown {
	if !inherited || t.children.len() == 0 {
		if !immediate {
			return nil
		}
		members := make([]shown, 0, t.members.len())
		for _, id := range t.members.keys() {
			u := t.w.users[id]
			members = append(members, shown{user: u, role: t.shownRole(u, t.members.byID[id])})
		}
		return members
	}
	var all ordered[shown]
	var below func(*Team)
	below = func(team *Team) {
		for _, c := range team.children.byID {
			for id := range c.members.byID {
				all.set(id, shown{user: t.w.users[id], role: t.shownRole(t.w.users[id], Member), inherited: true})
			}
			below(c)
		}
	}
	below(t)
	for id, role := range t.members.byID {
		if immediate {
			all.set(id, shown{user: t.w.users[id], role: t.shownRole(t.w.users[id], role)})
		} else {
			all.delete(id)
		}
	}
	members := make([]shown, 0, all.len())
	for _, id := range all.keys() {
		members = append(members, all.byID[id])
	}
	return members
}

func (t *Team) shownRole(u *User, set Role) Role {
	if t.org.isOwner(u) {
		return Maintainer
	}
	return set
}

func (t *Team) descendants() []*Team {
	var all []*Team
	for _, id := range t.children.keys() {
		c := t.children.byID[id]
		all = append(append(all, c), c.descendants()...)
	}
	return byID(all)
}

func (t *Team) privacy() string {
	if t.secret {
		return "secret"
	}
	return "closed"
}

// freeSlug returns the slug of a name that no other team of the organization has.
//
// GitHub does not publish what it does when two names share a slug ("a.b" and "a b"); here the later one gets a number.
func (o *Organization) freeSlug(name string, t *Team) string {
	slug := Slug(name)
	if slug == "" {
		slug = fmt.Sprintf("team-%d", t.id)
	}
	free := func(s string) bool { other := o.teamSlugged(s); return other == nil || other == t }
	for n, s := 1, slug; ; n++ {
		if free(s) {
			return s
		}
		s = fmt.Sprintf("%s-%d", slug, n)
	}
}

// Slug returns the slug GitHub makes of a team's name: lower case, letters without their accents, "-" for every run of other
// characters, none at the ends. "My TEam Näme" becomes "my-team-name" (GitHub's own example), "k8s.io-admins" "k8s-io-admins".
// Underscores stay. A name with no Latin letter or digit has no slug.
func Slug(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch plain, known := unaccented[r]; {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_':
			b.WriteRune(r)
		case known:
			b.WriteString(plain)
		case r >= '\u0300' && r <= '\u036f': // a combining accent belongs to the letter before
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.TrimRight(b.String(), "-")
}

// unaccented spells the lower-case letters of Latin-1 and Latin Extended-A in ASCII.
var unaccented = func() map[rune]string {
	m := map[rune]string{}
	for plain, letters := range map[string]string{
		"a": "àáâãäåāăą", "ae": "æ", "c": "çćĉċč", "d": "ďđð", "e": "èéêëēĕėęě", "g": "ĝğġģ", "h": "ĥħ", "i": "ìíîïĩīĭįı",
		"ij": "ĳ", "j": "ĵ", "k": "ķĸ", "l": "ĺļľŀł", "n": "ñńņňŉŋ", "o": "òóôõöøōŏő", "oe": "œ", "r": "ŕŗř", "s": "śŝşš",
		"ss": "ß", "t": "ţťŧ", "th": "þ", "u": "ùúûüũūŭůűų", "w": "ŵ", "y": "ýÿŷ", "z": "źżž",
	} {
		for _, r := range letters {
			m[r] = plain
		}
	}
	return m
}()
