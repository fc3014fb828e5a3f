package signin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"musterline.example/api/access"
	"musterline.example/store"
)

// cookieName is what a session's cookie is called; behind "__Host-" where there is HTTPS.
const cookieName = "musterline"

// held is what a session holds.
type held struct {
	Subject string     `json:"subject"`
	Way     access.Way `json:"way"`
	Name    string     `json:"name,omitempty"`
	Login   string     `json:"login,omitempty"`
	Since   time.Time  `json:"since"`

	Role   access.Role `json:"role,omitempty"` // of a sign-in link; the store ends the session with the target
	Target string      `json:"target,omitempty"`

	User    *access.ProvenUser    `json:"user,omitempty"`
	Account *access.ProvenAccount `json:"account,omitempty"`
}

// holds is the key of held among the values of scs.
const holds = "held"

// document is a session's data as it is kept.
type document struct {
	Deadline time.Time `json:"deadline"`
	Held     held      `json:"held"`
}

// A codec writes sessions as JSON. It implements scs.Codec.
type codec struct{}

// Encode implements scs.Codec.
func (codec) Encode(deadline time.Time, values map[string]any) ([]byte, error) {
	in, _ := values[holds].(held)
	return json.Marshal(document{deadline, in})
}

// Decode implements scs.Codec.
func (codec) Decode(b []byte) (time.Time, map[string]any, error) {
	d, err := read(b)
	return d.Deadline, map[string]any{holds: d.Held}, err
}

func read(b []byte) (document, error) {
	var d document
	if err := json.Unmarshal(b, &d); err != nil {
		return d, fmt.Errorf("read a session: %w", err)
	}
	return d, nil
}

// idle is the store of sessions that last only as long as they are used. scs would write with every request that reads.
type idle struct {
	*store.Sessions

	s *SignIn
}

// CommitCtx implements scs.CtxStore.
func (i idle) CommitCtx(ctx context.Context, token string, b []byte, expiry time.Time) error {
	return i.Sessions.CommitCtx(ctx, token, b, i.s.lasts(expiry))
}

// lasts is until when a session lasts that is used now, and ends at the latest at its deadline.
func (s *SignIn) lasts(deadline time.Time) time.Time {
	if unused := s.Now().Add(s.SignIn.Idle); unused.Before(deadline) {
		return unused
	}
	return deadline
}

// subjectOf reads who has signed in out of a session's data.
func subjectOf(data []byte) string {
	d, _ := read(data) // of what cannot be read nobody has signed in
	return d.Held.Subject
}

// steady is how often a session that is used is made to last: not with every request, which would write each time.
const steady = time.Minute

// Person implements native.Sessions.
func (s *SignIn) Person(r *http.Request) (*access.Person, error) { return s.person(r, true) }

// Still implements native.Sessions.
func (s *SignIn) Still(r *http.Request) (*access.Person, error) { return s.person(r, false) }

// person finds who has signed in. used says that the session is used, and lasts longer for it.
func (s *SignIn) person(r *http.Request, used bool) (*access.Person, error) {
	token := s.token(r)
	if token == "" {
		return nil, nil
	}
	if err := s.cross.Check(r); err != nil {
		return nil, &access.Refusal{Status: http.StatusForbidden, Message: "This request came from a page that is not ours, and a session counts for our own alone.", Err: err}
	}
	one, found, err := s.kept.Get(r.Context(), token)
	if err != nil {
		return nil, &access.Refusal{Status: http.StatusServiceUnavailable, Message: "The session could not be looked up.", Retry: time.Second, Err: err}
	}
	if !found || one.Subject == "" {
		return nil, nil
	}
	d, err := read(one.Data)
	if err != nil {
		return nil, &access.Refusal{Status: http.StatusServiceUnavailable, Message: "The session could not be looked up.", Retry: time.Second, Err: err}
	}
	if lasts := s.lasts(d.Deadline); used && lasts.Sub(one.ExpiresAt) >= steady {
		if err := s.kept.Touch(r.Context(), token, lasts); err != nil {
			s.Log.WarnContext(r.Context(), "a session could not be made to last", "error", err)
		}
		one.ExpiresAt = lasts
	}
	return d.Held.person(one), nil
}

func (h held) person(of store.Session) *access.Person {
	return &access.Person{
		Session: of.ID, Since: h.Since, ExpiresAt: of.ExpiresAt, Subject: h.Subject, Way: h.Way, Name: h.Name, Login: h.Login,
		Role: h.Role, Target: h.Target, User: h.User, Account: h.Account,
	}
}

// token is the secret of a request's session.
func (s *SignIn) token(r *http.Request) string {
	name := s.base(r).cookie
	if name == "" {
		return ""
	}
	c, err := r.Cookie(name)
	if err != nil || len(c.Value) > 200 {
		return ""
	}
	return c.Value
}

// begin makes a session of somebody who has come in, under a new secret: whoever has put the old one into the browser knows the new one not.
// What the old session was ends. until is when the session ends at the latest; zero: after its lifetime.
func (s *SignIn) begin(w http.ResponseWriter, r *http.Request, h held, until time.Time) error {
	ctx, err := s.sessions.Load(r.Context(), s.token(r))
	if err != nil {
		return err
	}
	if err := s.sessions.RenewToken(ctx); err != nil {
		return err
	}
	if until.IsZero() {
		until = s.Now().Add(s.SignIn.Lifetime)
	}
	s.sessions.SetDeadline(ctx, until.UTC())
	s.sessions.Put(ctx, holds, h)
	token, _, err := s.sessions.Commit(ctx)
	if err != nil {
		return err
	}
	s.setCookie(w, r, "", token, int(until.Sub(s.Now()).Seconds()))
	return nil
}

// setCookie gives the browser a cookie for so long; with a negative time it takes it away.
func (s *SignIn) setCookie(w http.ResponseWriter, r *http.Request, which, value string, seconds int) {
	b := s.base(r)
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure wherever there is HTTPS: over HTTP on this machine a browser would drop it
		Name: b.cookie + which, Value: value, Path: "/", MaxAge: seconds, Secure: b.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// SignOut implements native.Sessions.
func (s *SignIn) SignOut(w http.ResponseWriter, r *http.Request) error {
	if err := s.kept.DeleteCtx(r.Context(), s.token(r)); err != nil {
		return err
	}
	s.setCookie(w, r, "", "", -1)
	return nil
}

// Of implements native.Sessions.
func (s *SignIn) Of(ctx context.Context, subject string) ([]access.Person, error) {
	kept, err := s.kept.Of(ctx, subject)
	if err != nil {
		return nil, err
	}
	all := make([]access.Person, 0, len(kept))
	for _, k := range kept {
		d, err := read(k.Data)
		if err != nil {
			return nil, err
		}
		all = append(all, *d.Held.person(k))
	}
	return all, nil
}

// End implements native.Sessions.
func (s *SignIn) End(ctx context.Context, id, by string) error { return s.kept.Revoke(ctx, id, by) }
