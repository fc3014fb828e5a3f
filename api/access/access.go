// Package access decides who may do what: it reads credentials, finds out what role they give on the team or organization in question, and
// holds the one table that says which permission each route needs.
//
// Two sorts of credentials are taken. A Musterline token is looked up in our own store. Any other is a token of the target's own system: that
// one system is asked, with that token, who its owner is and what they are to the organization or the team. Answers are kept for a minute, under
// a keyed hash of the token and never the token itself, and only for what reads; whatever changes something asks anew. Whoever shows wrong
// credentials soon has to wait, so that nobody can use us to guess.
//
// A person who has signed in (package signin) is a caller too. Their roles are those that a sign-in link or an administrator gave, and what the
// target's own system says of the account that they have proven to be theirs: person.go.
package access

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"musterline.example/setting"
	"musterline.example/store"
	"musterline.example/target"
	"musterline.example/team"
)

// keepFor is how long an answer of a target about somebody is taken for true where nothing is changed by it.
const keepFor = time.Minute

// Tokens know Musterline's own tokens. The store satisfies it.
type Tokens interface {
	// Token returns the token whose text this is; its errors are those of store.Token.
	Token(ctx context.Context, text string) (store.Token, error)
	// Touch keeps that a token was used now.
	Touch(ctx context.Context, t store.Token) error
}

// Assignments know the roles that an administrator has given to people. The store satisfies it.
type Assignments interface {
	RolesOf(ctx context.Context, subjects ...string) ([]store.Assigned, error)
}

// Options are what Access works with.
type Options struct {
	Tokens      Tokens      // may be nil: there are none
	Assignments Assignments // may be nil: there are none
	People      People      // may be nil: nobody signs in
	Now         func() time.Time
	Log         *slog.Logger
}

// Access answers who may. It is safe for concurrent use.
type Access struct {
	tokens      Tokens
	assignments Assignments
	people      People
	now         func() time.Time
	log         *slog.Logger

	key     []byte                  // of the hashes that stand for credentials; gone with the process
	wrong   *cache[asked, struct{}] // credentials that a host did not accept a moment ago
	good    *cache[asked, struct{}] // those that it did; they do not wait because a stranger guesses
	entries *cache[asked, Entry]
	words   *cache[told, target.Guest] // what targets say of people's accounts
	guesses *guesses
}

// asked is what an answer is about.
type asked struct {
	caller [sha256.Size]byte
	host   string
	target string
	door   target.Door
}

// New returns an Access. It calls nobody.
func New(o Options) *Access {
	a := &Access{tokens: o.Tokens, assignments: o.Assignments, people: o.People, now: o.Now, log: o.Log, key: make([]byte, sha256.Size)}
	_, _ = rand.Read(a.key) // it never fails
	if a.now == nil {
		a.now = time.Now
	}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	a.wrong, a.good = newCache[asked, struct{}](10_000, a.now), newCache[asked, struct{}](10_000, a.now)
	a.entries, a.guesses = newCache[asked, Entry](50_000, a.now), newGuesses(a.now)
	a.words = newCache[told, target.Guest](50_000, a.now)
	return a
}

// A Refusal is why somebody is not let in. Its message repeats nothing that the caller sent.
type Refusal struct {
	Status  int // 401, 403, 404, 429, 502 or 503
	Message string
	Retry   time.Duration // of 429 and 503
	Err     error         // for our own log
}

// Error returns the message.
func (r *Refusal) Error() string { return r.Message }

// Unwrap returns the cause.
func (r *Refusal) Unwrap() error { return r.Err }

func refuse(status int, message string) *Refusal { return &Refusal{Status: status, Message: message} }

// NotFound is the refusal to say whether there is such a thing.
func NotFound() *Refusal { return refuse(http.StatusNotFound, "Not Found") }

var badCredentials = refuse(http.StatusUnauthorized, "Bad credentials")

// A Caller is somebody who shows a credential that has the form of one, or a person who has signed in. A Musterline token has been looked up; of
// any other nothing is known yet.
type Caller struct {
	credential setting.Secret
	key        [sha256.Size]byte
	from       netip.Addr
	token      *store.Token
	person     *Person
}

// Token returns the caller's Musterline token, if it is one.
func (c Caller) Token() (store.Token, bool) {
	if c.token == nil {
		return store.Token{}, false
	}
	return *c.token, true
}

// Key stands for the credential in counters and keys of caches. It tells nothing of it.
func (c Caller) Key() string { return string(c.key[:]) }

// Credential is what to show to the target's own system: nothing, which stands for ours, when the caller is one whom we vouch for.
func (c Caller) Credential() setting.Secret {
	if c.token != nil {
		return ""
	}
	return c.credential
}

// Identify reads the credential of a request that came from an address: "Bearer T", "token T", or basic authentication with the token as
// the password, which are equal as on GitHub.
func (a *Access) Identify(ctx context.Context, authorization string, from netip.Addr) (Caller, error) {
	if authorization == "" {
		return Caller{}, refuse(http.StatusUnauthorized, "Requires authentication")
	}
	text := presented(authorization)
	if text == "" {
		return Caller{}, badCredentials
	}
	c := Caller{credential: setting.Secret(text), from: from}
	hash := hmac.New(sha256.New, a.key)
	_, _ = hash.Write([]byte(text))
	hash.Sum(c.key[:0])
	if !strings.HasPrefix(text, store.TokenPrefix) {
		return c, nil
	}
	known := asked{caller: c.key}
	if _, good, _ := a.good.get(known); !good {
		if w := a.guesses.wait(from, ""); w > 0 {
			return Caller{}, tooMany(w)
		}
	}
	if a.tokens == nil {
		return Caller{}, a.bad(from)
	}
	t, err := a.tokens.Token(ctx, text)
	switch {
	case errors.Is(err, store.ErrMistyped), errors.Is(err, store.ErrNotFound):
		return Caller{}, a.bad(from)
	case errors.Is(err, store.ErrExpired), errors.Is(err, store.ErrRevoked):
		a.log.InfoContext(ctx, "a token that has ended was shown", "token", t.ID, "name", t.Name, "from", from)
		return Caller{}, a.bad(from)
	case err != nil:
		return Caller{}, &Refusal{Status: http.StatusServiceUnavailable, Message: "The token could not be looked up.", Retry: time.Second, Err: err}
	}
	if err := a.tokens.Touch(ctx, t); err != nil {
		a.log.WarnContext(ctx, "the last use of a token was not kept", "token", t.ID, "error", err)
	}
	a.good.put(known, struct{}{}, nil, guessWindow)
	c.token = &t
	return c, nil
}

// bad counts a wrong credential of ours.
func (a *Access) bad(from netip.Addr) *Refusal {
	a.guesses.wrong(from, "")
	return badCredentials
}

func tooMany(wait time.Duration) *Refusal {
	return &Refusal{
		Status: http.StatusTooManyRequests, Message: "Too many wrong credentials were shown lately. Wait before you try another.", Retry: wait,
	}
}

// presented takes the token out of an Authorization header.
func presented(header string) string {
	scheme, rest, _ := strings.Cut(strings.TrimSpace(header), " ")
	rest = strings.TrimSpace(rest)
	switch strings.ToLower(scheme) {
	case "bearer", "token":
		return rest
	case "basic":
		if b, err := base64.StdEncoding.DecodeString(rest); err == nil {
			user, password, _ := strings.Cut(string(b), ":")
			if password == "" || password == "x-oauth-basic" {
				return user // the older form, with the token in the name's place
			}
			return password
		}
	}
	return ""
}

// A Place is a target as somebody wants into it.
type Place struct {
	Target   string // the word in the configuration
	Host     string // of its system
	Gate     target.Gate
	Unscoped bool // whether tokens that do not say what they may do may write
}

// An Entry is somebody at a door, with what they are there.
type Entry struct {
	Role  Role
	Who   string     // for people and the audit record
	Team  *team.Team // at a team's door; without members
	Guest target.Guest
	Lists bool     // at the organization's door: they maintain some team, for which they may look for groups, and are nothing else there
	Why   *Refusal // what stops them from changing anything, whatever their role

	// Unsure is why the target's own system could not be asked. The role is then what is known without it, and may be more.
	Unsure error
}

// May reports whether whoever is at the door may do something there.
func (e Entry) May(p Permission) bool { return p.Allows(e.Role) || e.Lists && p == ReadGroups }

// Enter finds out what a caller is at a door. fresh says that something is to be changed: then nothing is taken from memory.
func (a *Access) Enter(ctx context.Context, c Caller, at Place, to target.Door, fresh bool) (Entry, error) {
	if t, ours := c.Token(); ours {
		if t.Target != "" && t.Target != at.Target {
			return Entry{}, NotFound()
		}
	}
	if c.person != nil {
		return a.greet(ctx, c.person, at, to, fresh)
	}
	key := asked{caller: c.key, host: at.Host, target: at.Target, door: to}
	key.door.Nested = false // whoever asks for more is the same at the same door
	load := func(ctx context.Context) (Entry, time.Duration, error) {
		e, err := a.enter(ctx, c, at, to)
		return e, life(err), err
	}
	if !fresh {
		if e, kept, err := a.entries.get(key); kept {
			return e, err
		}
	}
	if err := a.mayAsk(c, at.Host); err != nil {
		return Entry{}, err
	}
	if !fresh {
		e, err := a.entries.ask(ctx, key, load)
		a.learn(c, at.Host, err)
		return e, err
	}
	e, keep, err := load(ctx)
	a.entries.put(key, e, err, keep) // who was demoted a second ago is so everywhere
	a.learn(c, at.Host, err)
	return e, err
}

// mayAsk says whether a host may be asked about a caller's credential.
func (a *Access) mayAsk(c Caller, host string) error {
	if c.token != nil {
		return nil
	}
	known := asked{caller: c.key, host: host}
	if _, bad, _ := a.wrong.get(known); bad {
		return badCredentials // the same again is no new guess
	}
	if _, good, _ := a.good.get(known); good {
		return nil
	}
	if w := a.guesses.wait(c.from, host); w > 0 {
		return tooMany(w)
	}
	return nil
}

// learn keeps what a host's answer says of a caller's credential.
func (a *Access) learn(c Caller, host string, err error) {
	if c.token != nil {
		return
	}
	known := asked{caller: c.key, host: host}
	r, refused := errors.AsType[*Refusal](err)
	switch {
	case err == nil, refused && (r.Status == http.StatusForbidden || r.Status == http.StatusNotFound):
		a.good.put(known, struct{}{}, nil, guessWindow)
	case refused && r.Status == http.StatusUnauthorized:
		a.good.put(known, struct{}{}, nil, 0)
		a.wrong.put(known, struct{}{}, nil, keepFor)
		a.guesses.wrong(c.from, host)
	}
}

// life is how long an answer is kept: a no as long as a yes, an accident not at all.
func life(err error) time.Duration {
	if err == nil {
		return keepFor
	}
	if r, ok := errors.AsType[*Refusal](err); ok && (r.Status == http.StatusForbidden || r.Status == http.StatusNotFound) {
		return keepFor
	}
	return 0
}

func (a *Access) enter(ctx context.Context, c Caller, at Place, to target.Door) (Entry, error) {
	if t, ours := c.Token(); ours {
		e := Entry{Who: "token " + t.Name}
		if r, err := ParseRole(t.Role); err == nil {
			e.Role = r
		}
		if to.Organization() {
			return e, nil
		}
		g, err := at.Gate.Admit(ctx, "", to)
		if err != nil {
			return Entry{}, a.explain(err, at.Host, false)
		}
		e.Team = g.Team
		return e, nil
	}
	g, err := at.Gate.Admit(ctx, c.credential, to)
	if err != nil {
		return Entry{}, a.explain(err, at.Host, true)
	}
	e := Entry{Guest: g, Team: g.Team, Who: at.Host + "/" + g.Login}
	switch {
	case g.App:
		// What an app may is what its installation was given, which GitHub does not show with a token of it. That it sees the team is known.
		e.Who = "an app on " + at.Host
		if e.Role = Viewer; !to.Organization() && at.Unscoped {
			e.Role = Maintainer // unscoped_tokens: write
		}
	case g.Owner:
		e.Role = Owner
	case g.Maintainer && to.Organization():
		e.Lists = true // of which team is asked at that team's door
	case g.Maintainer:
		e.Role = Maintainer
	}
	if err := a.assigned(ctx, &e, at); err != nil {
		return Entry{}, err
	}
	switch {
	case g.Writes, !g.Scoped && at.Unscoped:
	case g.Scoped:
		e.Why = refuse(http.StatusForbidden, "The token lacks the scope write:org, without which it may not change teams.")
	default:
		e.Why = refuse(http.StatusForbidden,
			"A token of this sort does not show that it may change teams. Use a classic token with the scope write:org, or a Musterline token.")
	}
	return e, nil
}

// assigned raises a role to what an administrator has given the account.
func (a *Access) assigned(ctx context.Context, e *Entry, at Place) error {
	if a.assignments == nil || e.Guest.Account == "" {
		return nil
	}
	given, err := a.assignments.RolesOf(ctx, accountSubject(at.Host, e.Guest.Account))
	if err != nil {
		return unread("The roles could not be looked up.", err)
	}
	for _, g := range given {
		if r := Role(g.Role); (g.Target == "" || g.Target == at.Target) && r.rank() > e.Role.rank() {
			e.Role = r
		}
	}
	return nil
}

// explain turns what a target said into what the caller is told. guest is whether it was asked with the caller's credential: what is wrong
// with ours is not theirs to know.
func (a *Access) explain(err error, host string, guest bool) error {
	said, ok := errors.AsType[*target.Error](err)
	if !ok {
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		said = &target.Error{Class: target.Unavailable}
	}
	if said.State == "locked-out" {
		a.guesses.lock(host)
		return &Refusal{
			Status: http.StatusServiceUnavailable, Message: host + " does not check credentials for this server at the moment.", Retry: guessWindow, Err: err,
		}
	}
	switch said.Class {
	case target.NotFound:
		r := NotFound()
		r.Err = err
		return r
	case target.Limited:
		status, wait := http.StatusTooManyRequests, max(said.Until.Sub(a.now()), time.Second)
		if !guest {
			status = http.StatusServiceUnavailable
		}
		return &Refusal{Status: status, Message: "The rate limit of " + host + " is used up.", Retry: wait, Err: err}
	case target.BadCredential:
		if guest {
			return badCredentials
		}
	case target.Forbidden:
		if guest {
			return &Refusal{Status: http.StatusForbidden, Message: host + " does not allow it: " + said.Error() + ".", Err: err}
		}
	}
	return &Refusal{
		Status: http.StatusBadGateway, Message: host + " could not be asked whether you may. Nothing was changed.", Err: err,
	}
}

// Relay asks the target's own system with the caller's credential, or with ours for a caller whom we vouch for.
func (a *Access) Relay(ctx context.Context, c Caller, at Place, about target.Question, door target.Door) (target.Relayed, error) {
	t, ours := c.Token()
	switch {
	case ours && t.Target != "" && t.Target != at.Target:
		return target.Relayed{}, NotFound()
	case ours && about == target.AboutUser:
		return target.Relayed{}, refuse(http.StatusForbidden, "A Musterline token is no user: name the organization instead.")
	}
	if err := a.mayAsk(c, at.Host); err != nil {
		return target.Relayed{}, err
	}
	said, err := at.Gate.Relay(ctx, c.Credential(), about, door)
	if err != nil {
		err = a.explain(err, at.Host, !ours)
	}
	a.learn(c, at.Host, err)
	return said, err
}
