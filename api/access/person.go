package access

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode"

	"musterline.example/target"
	"musterline.example/team"
)

// A Way is how somebody has signed in.
type Way string

// The ways to sign in.
const (
	ByLink   Way = "link"   // with a link from the command line
	ByOIDC   Way = "oidc"   // the identity provider vouches
	ByGitHub Way = "github" // GitHub vouches
)

// A Person is somebody who has signed in, with what they have proven in that session. What was proven holds as long as the session.
type Person struct {
	Session   string // its id, which is no secret
	Since     time.Time
	ExpiresAt time.Time // when it ends if it is not used any more

	Subject string // who they signed in as: oidc:ISSUER#SUBJECT, github:HOST#NUMBER, or local:NAME
	Way     Way
	Name    string // as they are called; may be empty
	Login   string // as they are known where they signed in

	// Role is what a sign-in link gives, on Target or, when that is empty, on all. It ends with the session.
	Role   Role
	Target string

	User    *ProvenUser    // nil: no identity provider has vouched for them
	Account *ProvenAccount // nil: they have shown no account
}

// A ProvenUser is who somebody is at an identity provider, as it said itself.
type ProvenUser struct {
	Issuer  string    `json:"issuer"`
	Subject string    `json:"subject"`
	Name    string    `json:"name,omitempty"`
	Login   string    `json:"login,omitempty"`
	Claim   string    `json:"claim,omitempty"` // which claim says whose user it is, and what it said
	Value   string    `json:"value,omitempty"`
	At      time.Time `json:"at"`
}

// Is is the user as the subject of roles.
func (u ProvenUser) Is() string { return "oidc:" + u.Issuer + "#" + u.Subject }

// A ProvenAccount is an account on a GitHub that somebody has signed in to.
type ProvenAccount struct {
	Host  string         `json:"host"`
	ID    team.AccountID `json:"id"`
	Login string         `json:"login"` // then
	Name  string         `json:"name,omitempty"`
	At    time.Time      `json:"at"`
}

// Is is the account as the subject of roles.
func (a ProvenAccount) Is() string { return accountSubject(a.Host, a.ID) }

func accountSubject(host string, id team.AccountID) string {
	return fmt.Sprintf("github:%s#%s", host, id)
}

// Subjects are all that the person is known as.
func (p *Person) Subjects() []string {
	all := []string{p.Subject}
	if p.User != nil {
		all = append(all, p.User.Is())
	}
	if p.Account != nil {
		all = append(all, p.Account.Is())
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Who is the person for people and the audit record: "Ada Lovelace (github.com/ada-l)". The last brackets are what somebody has vouched for; a
// name is whatever its bearer likes, and can hold none.
func (p *Person) Who() string {
	known := p.Login
	switch p.Way {
	case ByGitHub:
		if p.Account != nil {
			known = p.Account.Host + "/" + p.Account.Login
		}
	case ByLink:
		return Plain(cmp.Or(p.Name, p.Login)) + " (sign-in link)"
	case ByOIDC:
	}
	if known = Plain(cmp.Or(known, p.Subject)); Plain(p.Name) == "" || Plain(p.Name) == known {
		return known
	}
	return Plain(p.Name) + " (" + known + ")"
}

// longest is how many bytes of a name are kept.
const longest = 100

// Plain makes a name fit to stand in a sentence: one line of bounded length, without brackets, and without what turns the direction of the
// text around it.
func Plain(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case r == '(':
			return '['
		case r == ')':
			return ']'
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, name)
	name = strings.Join(strings.Fields(name), " ")
	if len(name) > longest {
		name = strings.TrimSpace(strings.ToValidUTF8(name[:longest], ""))
	}
	return name
}

// People know more of a person than they have proven. It may be nil.
type People interface {
	// Groups returns the groups with roles that the person's user is in, as subjects: "group:SOURCE/ID".
	Groups(ctx context.Context, p *Person) ([]string, error)
	// Account returns the account on a host that the person's user is linked to, by a proof that the account is theirs or by an operator's
	// word; empty when there is none. An attribute at the identity provider or an address is no such proof: it says who may be put into a
	// team, and whoever can write it must not become an owner by it.
	Account(ctx context.Context, p *Person, host string) (team.AccountID, error)
}

// Signed returns the caller who is a person that has signed in.
func (a *Access) Signed(p *Person, from netip.Addr) Caller {
	c := Caller{person: p, from: from}
	hash := hmac.New(sha256.New, a.key)
	_, _ = hash.Write([]byte("session:" + p.Session))
	hash.Sum(c.key[:0])
	return c
}

// Person returns who has signed in, if the caller has.
func (c Caller) Person() (*Person, bool) { return c.person, c.person != nil }

// A Given is a role that a person has without anybody asking their GitHub.
type Given struct {
	Role   Role   `json:"role"`
	Target string `json:"target"` // empty: on all
	From   string `json:"from"`   // link, assigned or group
}

// Given returns the roles of a person that are ours to know: of a sign-in link, and those that administrators have given to them or to groups that
// they are in. They are read anew each time.
func (a *Access) Given(ctx context.Context, p *Person) ([]Given, error) {
	var all []Given
	if p.Role != Nobody {
		all = append(all, Given{p.Role, p.Target, "link"})
	}
	if a.assignments == nil {
		return all, nil
	}
	var groups []string
	if a.people != nil && p.User != nil {
		var err error
		if groups, err = a.people.Groups(ctx, p); err != nil {
			return nil, unread("The roles could not be looked up.", err)
		}
	}
	for i, subjects := range [][]string{p.Subjects(), groups} {
		assigned, err := a.assignments.RolesOf(ctx, subjects...)
		if err != nil {
			return nil, unread("The roles could not be looked up.", err)
		}
		for _, g := range assigned {
			all = append(all, Given{Role(g.Role), g.Target, [...]string{"assigned", "group"}[i]})
		}
	}
	return all, nil
}

func unread(message string, err error) *Refusal {
	return &Refusal{Status: http.StatusServiceUnavailable, Message: message, Retry: time.Second, Err: err}
}

// On is the most that some roles are on a target; with no target, on the whole server.
func On(given []Given, target string) Role {
	most := Nobody
	for _, g := range given {
		if (g.Target == "" || g.Target == target) && g.Role.rank() > most.rank() {
			most = g.Role
		}
	}
	return most
}

// greet finds out what a person is at a door. What GitHub says of their account is asked with the target's own credential, by the account's
// number. GitHub that does not answer takes away no role that is ours to know; the entry then says that there may be more.
func (a *Access) greet(ctx context.Context, p *Person, at Place, to target.Door, fresh bool) (Entry, error) {
	given, err := a.Given(ctx, p)
	if err != nil {
		return Entry{}, err
	}
	e := Entry{Who: p.Who(), Role: On(given, at.Target)}
	if e.Role.AtLeast(Owner) && to.Organization() {
		return e, nil // GitHub could not say more
	}
	g, err := a.word(ctx, p, at, to, fresh)
	if err != nil {
		if ctx.Err() != nil {
			return Entry{}, ctx.Err()
		}
		e.Unsure = a.explain(err, at.Host, false)
		return e, nil
	}
	e.Guest, e.Team = g, g.Team
	switch {
	case g.Owner && Owner.rank() > e.Role.rank():
		e.Role = Owner
	case g.Maintainer && to.Organization():
		e.Lists = true
	case g.Maintainer && Maintainer.rank() > e.Role.rank():
		e.Role = Maintainer
	}
	return e, nil
}

// Word returns what the target's own system says of the person's account there, at most a minute old; the zero value when they have none that is
// known to be theirs.
func (a *Access) Word(ctx context.Context, p *Person, at Place, to target.Door) (target.Guest, error) {
	g, err := a.word(ctx, p, at, to, false)
	if err != nil {
		return g, a.explain(err, at.Host, false)
	}
	return g, nil
}

// word is what the target's own system says of the person's account there; nobody when they have none that is known to be theirs.
func (a *Access) word(ctx context.Context, p *Person, at Place, to target.Door, fresh bool) (target.Guest, error) {
	var account team.AccountID
	if p.Account != nil && p.Account.Host == at.Host {
		account = p.Account.ID
	} else if a.people != nil && p.User != nil {
		var err error
		if account, err = a.people.Account(ctx, p, at.Host); err != nil {
			return target.Guest{}, err
		}
	}
	if account == "" || at.Gate == nil {
		return target.Guest{}, nil
	}
	key := told{host: at.Host, target: at.Target, account: account, door: to}
	key.door.Nested = false
	load := func(ctx context.Context) (target.Guest, time.Duration, error) {
		ctx, done := context.WithTimeout(ctx, patience)
		defer done()
		g, err := at.Gate.Known(ctx, account, to)
		switch {
		case err == nil:
			return g, keepFor, nil
		case ctx.Err() != nil:
			err = &target.Error{Class: target.Unavailable, Message: "it did not answer in time", Err: err}
		}
		return g, patience, err // a page asks for several things, and waits once for what does not answer
	}
	if !fresh {
		return a.words.ask(ctx, key, load)
	}
	g, keep, err := load(ctx)
	if err != nil && ctx.Err() != nil {
		return g, ctx.Err() // whoever asked has gone, which says nothing of the target
	}
	a.words.put(key, g, err, keep) // who was demoted a second ago is so everywhere
	return g, err
}

// patience is how long a target may take to say what somebody's account is to it.
const patience = 5 * time.Second

// told is what a target said of an account at a door.
type told struct {
	host    string
	target  string
	account team.AccountID
	door    target.Door
}
