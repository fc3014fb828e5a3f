package githubsim

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// A World is what the simulated GitHub knows: accounts, organizations, teams, invitations, identities, enterprises.
//
// Its methods, and those of the values it hands out, are safe for concurrent use, also while a Server answers from it.
// They stand for what people do by hand on the web site, so they take effect at once, need no credential and cost no call.
// A method that names something that does not exist panics: the mistake is in the test, as with httptest.NewRequest.
type World struct {
	mu  sync.RWMutex
	now func() time.Time

	users       map[int64]*User
	orgs        map[int64]*Organization
	teams       map[int64]*Team
	enterprises map[int64]*Enterprise
	identities  map[int64]*identity
	invitations map[int64]*Invitation

	logins map[string]any   // folded login → *User or *Organization: GitHub has one name space for both
	moved  map[string]int64 // folded former login of an organization → its id, until somebody takes the name

	lastUser, lastOrg, lastTeam, lastEnterprise, lastIdentity, lastInvitation, lastGroup int64
}

// NewWorld returns a world without a soul in it.
//
// Ids of different kinds start far apart, so that a client that mixes two kinds up meets a 404 and not another object.
func NewWorld() *World {
	return &World{
		now:   time.Now,
		users: map[int64]*User{}, orgs: map[int64]*Organization{}, teams: map[int64]*Team{},
		enterprises: map[int64]*Enterprise{}, identities: map[int64]*identity{}, invitations: map[int64]*Invitation{},
		logins: map[string]any{}, moved: map[string]int64{},
		lastUser: 1_000_000, lastTeam: 5_000_000, lastOrg: 9_000_000, lastEnterprise: 300_000,
		lastIdentity: 20_000_000, lastInvitation: 40_000_000, lastGroup: 800_000,
	}
}

// A Role is a person's role in a team or in an organization.
type Role string

// The roles GitHub knows. Maintainer belongs to teams, Owner to organizations (the API spells it "admin").
const (
	Member     Role = "member"
	Maintainer Role = "maintainer"
	Owner      Role = "admin"
)

// A User is a person's account. Its id never changes and is never dealt again; its login may change hands.
type User struct {
	w       *World
	id      int64
	login   string
	name    string
	email   string
	created time.Time
	deleted bool
	no2FA   bool
	orgs    map[int64]*Organization
	emails  map[int64][]string // organization id → verified-domain addresses it may see
}

// AddUser creates an account. It panics when the login is taken.
func (w *World) AddUser(login string) *User {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.addUser(login)
}

func (w *World) addUser(login string) *User {
	w.mustBeFree(login)
	w.lastUser++
	u := &User{w: w, id: w.lastUser, login: login, created: w.now(), orgs: map[int64]*Organization{}, emails: map[int64][]string{}}
	w.users[u.id] = u
	w.take(login, u)
	return u
}

// User returns the account that has the login now, whatever the case. It panics when there is none.
func (w *World) User(login string) *User {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.mustUser(login)
}

// HasUser says whether an account has the login now.
func (w *World) HasUser(login string) bool {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.userNamed(login) != nil
}

func (w *World) userNamed(login string) *User {
	u, _ := w.logins[fold(login)].(*User)
	return u
}

func (w *World) mustUser(login string) *User {
	if u := w.userNamed(login); u != nil {
		return u
	}
	panic(fmt.Sprintf("githubsim: no user %q", login))
}

func (w *World) mustBeFree(login string) {
	if w.logins[fold(login)] != nil {
		panic(fmt.Sprintf("githubsim: login %q is taken", login))
	}
}

func (w *World) take(login string, owner any) {
	w.logins[fold(login)] = owner
	delete(w.moved, fold(login))
}

// ID returns the account's id, the one thing about it that stays.
func (u *User) ID() int64 { return u.id }

// NodeID returns the account's id in GraphQL.
func (u *User) NodeID() string { return nodeID(nodeUser, u.id) }

// Login returns the login the account has now; a deleted account keeps its last.
func (u *User) Login() string {
	u.w.mu.RLock()
	defer u.w.mu.RUnlock()
	return u.login
}

// Rename gives the account another login and frees the old one for anybody. The id stays.
func (u *User) Rename(login string) {
	u.w.mu.Lock()
	defer u.w.mu.Unlock()
	if fold(login) != fold(u.login) {
		u.w.mustBeFree(login)
	}
	delete(u.w.logins, fold(u.login))
	u.login = login
	u.w.take(login, u)
}

// Delete removes the account from every organization and frees its login. AddUser with the same login then makes a stranger with another id.
func (u *User) Delete() {
	u.w.mu.Lock()
	defer u.w.mu.Unlock()
	for _, o := range u.orgs {
		o.remove(u)
	}
	for id, i := range u.w.invitations {
		if i.invitee == u {
			delete(u.w.invitations, id)
		}
	}
	for _, i := range u.w.identities {
		if i.user == u {
			i.user = nil
		}
	}
	delete(u.w.logins, fold(u.login))
	delete(u.w.users, u.id)
	u.deleted = true
}

// SetName sets the name and the public e-mail address shown on the profile.
func (u *User) SetName(name, email string) {
	u.w.mu.Lock()
	defer u.w.mu.Unlock()
	u.name, u.email = name, email
}

// SetTwoFactor says whether the account has two-factor authentication; it does unless told otherwise.
func (u *User) SetTwoFactor(on bool) {
	u.w.mu.Lock()
	defer u.w.mu.Unlock()
	u.no2FA = !on
}

// SetVerifiedEmails sets the addresses at domains that the organization has verified (organizationVerifiedDomainEmails).
func (u *User) SetVerifiedEmails(o *Organization, emails ...string) {
	u.w.mu.Lock()
	defer u.w.mu.Unlock()
	u.emails[o.id] = emails
}

// An ordered is a map by id that remembers its keys in order. Lists are read far more often than they change.
type ordered[V any] struct {
	byID map[int64]V
	ids  []int64 // nil after a change
	mu   sync.Mutex
}

func (o *ordered[V]) get(id int64) (V, bool) { v, ok := o.byID[id]; return v, ok }
func (o *ordered[V]) len() int               { return len(o.byID) }

func (o *ordered[V]) set(id int64, v V) {
	if o.byID == nil {
		o.byID = map[int64]V{}
	}
	if _, had := o.byID[id]; !had {
		o.ids = nil
	}
	o.byID[id] = v
}

func (o *ordered[V]) delete(id int64) {
	delete(o.byID, id)
	o.ids = nil
}

// keys returns the ids in rising order. Readers share the world's lock, so the cache has its own.
func (o *ordered[V]) keys() []int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ids == nil {
		o.ids = slices.Sorted(maps.Keys(o.byID))
	}
	return o.ids
}

// An Enterprise is an account above organizations.
type Enterprise struct {
	w       *World
	id      int64
	slug    string
	name    string
	created time.Time
	owners  map[int64]*User
	orgs    map[int64]*Organization
	saml    *saml
}

// AddEnterprise creates an enterprise with its owners, named by login.
func (w *World) AddEnterprise(slug string, owners ...string) *Enterprise {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lastEnterprise++
	e := &Enterprise{w: w, id: w.lastEnterprise, slug: slug, name: slug, created: w.now(), owners: map[int64]*User{}, orgs: map[int64]*Organization{}}
	for _, login := range owners {
		u := w.mustUser(login)
		e.owners[u.id] = u
	}
	w.enterprises[e.id] = e
	return e
}

// Adopt makes an organization part of the enterprise.
func (e *Enterprise) Adopt(o *Organization) {
	e.w.mu.Lock()
	defer e.w.mu.Unlock()
	e.orgs[o.id], o.enterprise = o, e
}

// ID returns the enterprise's id.
func (e *Enterprise) ID() int64 { return e.id }

func (w *World) enterpriseNamed(slug string) *Enterprise {
	for _, e := range w.enterprises {
		if fold(e.slug) == fold(slug) {
			return e
		}
	}
	return nil
}

func fold(s string) string { return strings.ToLower(s) }

func byID[T interface{ ID() int64 }](items []T) []T {
	slices.SortFunc(items, func(a, b T) int { return cmp.Compare(a.ID(), b.ID()) })
	return items
}
