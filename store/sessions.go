package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"musterline.example/store/internal/db"
)

// Sessions are the console's sessions. They satisfy the store interfaces of scs (github.com/alexedwards/scs/v2), with and without context.
// Of a token only its SHA-256 is kept, and the data is encrypted and bound to it: who has the database can neither use a session nor
// exchange two.
type Sessions struct {
	s       *Store
	subject func(data []byte) string
}

// Sessions returns the sessions. subject reads out of a session's data who has signed in; empty while nobody has.
func (s *Store) Sessions(subject func(data []byte) string) *Sessions { return &Sessions{s, subject} }

// A Session is one of somebody who has signed in.
type Session struct {
	ID        string // what Revoke takes; it is no secret
	Subject   string
	StartedAt time.Time
	ExpiresAt time.Time
	Data      []byte // as it was committed
}

// sessionPlace is what the data of a session is bound to.
func sessionPlace(hash []byte) string { return "session:" + hex.EncodeToString(hash) }

// FindCtx returns the data of a session; found is false when there is none or its time is over.
func (x *Sessions) FindCtx(ctx context.Context, token string) (data []byte, found bool, err error) {
	one, found, err := x.Get(ctx, token)
	return one.Data, found, err
}

// Get returns a session; found is false when there is none or its time is over.
func (x *Sessions) Get(ctx context.Context, token string) (one Session, found bool, err error) {
	hash := sha256.Sum256([]byte(token))
	row, err := x.s.queries.GetSession(ctx, hash[:])
	if errors.Is(err, sql.ErrNoRows) {
		return Session{}, false, nil
	}
	if err == nil && (row.EndedAt != 0 || row.ExpiresAt <= micros(x.s.now())) {
		return Session{}, false, nil
	}
	if err == nil {
		one, err = x.open(row)
	}
	if err != nil {
		return Session{}, false, fmt.Errorf("read session: %w", err)
	}
	return one, true, nil
}

// open returns a session with its data.
func (x *Sessions) open(row db.Session) (Session, error) {
	data, err := x.unseal(row)
	return Session{
		ID: hex.EncodeToString(row.Hash), Subject: row.Subject, StartedAt: moment(row.MadeAt), ExpiresAt: moment(row.ExpiresAt), Data: data,
	}, err
}

// Touch moves the expiry of a session and nothing else, so that a request which only uses it takes nothing back that another is keeping in it.
// A session that has ended stays so.
func (x *Sessions) Touch(ctx context.Context, token string, expiry time.Time) error {
	hash := sha256.Sum256([]byte(token))
	return x.s.write(ctx, "touch session", func(t *tx) error {
		return t.TouchSession(ctx, db.TouchSessionParams{ExpiresAt: micros(expiry), Hash: hash[:]})
	})
}

func (x *Sessions) unseal(row db.Session) ([]byte, error) {
	if x.s.key == nil {
		return nil, errNoKey
	}
	return x.s.key.Decrypt(row.Sealed, sessionPlace(row.Hash))
}

// CommitCtx keeps a session until its expiry. The first time that somebody has signed in with it is an audit entry. A session that was
// ended while the request was under way stays ended; that is no error.
func (x *Sessions) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	if x.s.key == nil {
		return fmt.Errorf("save session: %w", errNoKey)
	}
	hash := sha256.Sum256([]byte(token))
	sealed, err := x.s.key.Encrypt(data, sessionPlace(hash[:]))
	if err != nil {
		return fmt.Errorf("save session: %w", err)
	}
	subject := x.subject(data)
	return x.s.write(ctx, "save session", func(t *tx) error {
		row, err := t.session(ctx, hash[:])
		if err == nil && subject != row.Subject {
			if err = t.hold(ctx); err == nil {
				row, err = t.session(ctx, hash[:])
			}
		}
		if err != nil || row.EndedAt != 0 {
			return err
		}
		if subject != "" && subject != row.Subject {
			if err := t.noteSession(ctx, "begin", subject, subject, 1); err != nil {
				return err
			}
		}
		return t.PutSession(ctx, db.PutSessionParams{
			Hash: hash[:], Subject: subject, Sealed: sealed, MadeAt: micros(x.s.now()), ExpiresAt: micros(expiry),
		})
	})
}

// session returns a session, ended ones too; the zero value when there is none.
func (t *tx) session(ctx context.Context, hash []byte) (db.Session, error) {
	row, err := t.GetSession(ctx, hash)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return row, err
}

// sessionBody is sessions in an audit entry.
type sessionBody struct {
	Subject  string `json:"subject"`
	Sessions int64  `json:"sessions"`
}

func (t *tx) noteSession(ctx context.Context, act, subject, by string, n int64) error {
	_, err := t.record(ctx, note{kind: KindSession, act: act, actor: person(by), body: sessionBody{subject, n}})
	return err
}

// DeleteCtx ends a session, as signing out does. One that is not there is no error.
func (x *Sessions) DeleteCtx(ctx context.Context, token string) error {
	hash := sha256.Sum256([]byte(token))
	err := x.end(ctx, hash[:], "end", "")
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// end ends one session, with an entry when somebody had signed in with it.
func (x *Sessions) end(ctx context.Context, hash []byte, act, by string) error {
	return x.s.write(ctx, "end session", func(t *tx) error {
		if err := t.hold(ctx); err != nil {
			return err
		}
		row, err := t.session(ctx, hash)
		if err != nil {
			return err
		}
		n, err := t.EndSession(ctx, db.EndSessionParams{Now: micros(x.s.now()), Nothing: []byte{}, Hash: hash})
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		if err != nil || row.Subject == "" {
			return err
		}
		return t.noteSession(ctx, act, row.Subject, cmp.Or(by, row.Subject), 1)
	})
}

// AllCtx returns the data of every session that is not over, by the id of each: the tokens are not known.
func (x *Sessions) AllCtx(ctx context.Context) (map[string][]byte, error) {
	rows, err := x.s.queries.GetSessions(ctx, micros(x.s.now()))
	if err != nil {
		return nil, fmt.Errorf("read sessions: %w", err)
	}
	all := make(map[string][]byte, len(rows))
	for _, r := range rows {
		if all[hex.EncodeToString(r.Hash)], err = x.unseal(r); err != nil {
			return nil, fmt.Errorf("read sessions: %w", err)
		}
	}
	return all, nil
}

// Find is FindCtx without a context.
func (x *Sessions) Find(token string) (data []byte, found bool, err error) {
	return x.FindCtx(context.Background(), token)
}

// Commit is CommitCtx without a context.
func (x *Sessions) Commit(token string, data []byte, expiry time.Time) error {
	return x.CommitCtx(context.Background(), token, data, expiry)
}

// Delete is DeleteCtx without a context.
func (x *Sessions) Delete(token string) error { return x.DeleteCtx(context.Background(), token) }

// All is AllCtx without a context.
func (x *Sessions) All() (map[string][]byte, error) { return x.AllCtx(context.Background()) }

// Of returns the sessions of a subject that are not over, the newest first; with no subject, those of everybody who has signed in.
func (x *Sessions) Of(ctx context.Context, subject string) ([]Session, error) {
	now := micros(x.s.now())
	rows, err := x.s.queries.GetSessionsOf(ctx, db.GetSessionsOfParams{Subject: subject, Now: now})
	if subject == "" && err == nil {
		rows, err = x.s.queries.GetSessions(ctx, now)
	}
	var all []Session
	for _, r := range rows {
		if subject == "" && r.Subject == "" {
			continue // nobody has signed in with it yet
		}
		one, bad := x.open(r)
		all, err = append(all, one), cmp.Or(err, bad)
	}
	if err != nil {
		return nil, fmt.Errorf("read sessions: %w", err)
	}
	return all, nil
}

// Revoke ends one session of somebody; ErrNotFound when it is over already.
func (x *Sessions) Revoke(ctx context.Context, id, by string) error {
	hash, err := hex.DecodeString(id)
	if err != nil {
		return fmt.Errorf("end session: %w", ErrNotFound)
	}
	return x.end(ctx, hash, "revoke", by)
}

// RevokeAll ends every session of a subject and returns how many there were.
func (x *Sessions) RevokeAll(ctx context.Context, subject, by string) (n int64, err error) {
	if subject == "" {
		return 0, errors.New("end sessions: of nobody")
	}
	err = x.s.write(ctx, "end sessions", func(t *tx) error {
		if err := t.hold(ctx); err != nil {
			return err
		}
		if n, err = t.EndSessionsOf(ctx, db.EndSessionsOfParams{Now: micros(x.s.now()), Nothing: []byte{}, Subject: subject}); err != nil || n == 0 {
			return err
		}
		return t.noteSession(ctx, "revoke", subject, by, n)
	})
	return n, err
}

// Sweep deletes the sessions whose time is over, and sign-in links a day after theirs.
func (x *Sessions) Sweep(ctx context.Context) error {
	return x.s.write(ctx, "sweep sessions", func(t *tx) error {
		if _, err := t.SweepSessions(ctx, micros(x.s.now())); err != nil {
			return err
		}
		_, err := t.SweepSignInLinks(ctx, micros(x.s.now().AddDate(0, 0, -1)))
		return err
	})
}

// signInPrefix is what the text of every sign-in link begins with.
const signInPrefix = "msl_"

// ErrUsed is in the chain of the error about a sign-in link that somebody has signed in with.
var ErrUsed = errors.New("used already")

// A SignInLink lets whoever follows it first sign in as a subject, once.
type SignInLink struct {
	Subject   string
	Role      string // a word of api/access
	Target    string // empty: all
	ExpiresAt time.Time
}

// signInBody is a sign-in link in an audit entry.
type signInBody struct {
	Subject   string    `json:"subject"`
	Role      string    `json:"role"`
	ExpiresAt time.Time `json:"expires_at"`
}

// CreateSignInLink makes a sign-in link. Its text is returned this once: only its SHA-256 is kept.
func (s *Store) CreateSignInLink(ctx context.Context, l SignInLink, by string) (text string, err error) {
	if l.Subject == "" || l.Role == "" || !l.ExpiresAt.After(s.now()) {
		return "", errors.New("create sign-in link: it needs a subject, a role, and an expiry that is not past")
	}
	text = mint(signInPrefix)
	hash := sha256.Sum256([]byte(text))
	err = s.write(ctx, "create sign-in link", func(t *tx) error {
		if err := t.noteSignIn(ctx, "create", l, by); err != nil {
			return err
		}
		return t.PutSignInLink(ctx, db.PutSignInLinkParams{
			Hash: hash[:], Subject: l.Subject, Role: l.Role, Target: l.Target, MadeBy: by, MadeAt: micros(s.now()), ExpiresAt: micros(l.ExpiresAt),
		})
	})
	if err != nil {
		return "", err
	}
	return text, nil
}

func (t *tx) noteSignIn(ctx context.Context, act string, l SignInLink, by string) error {
	_, err := t.record(ctx, note{
		kind: KindSignIn, act: act, target: l.Target, actor: person(by), body: signInBody{l.Subject, l.Role, l.ExpiresAt.UTC()},
	})
	return err
}

// UseSignInLink uses a link up and says who may sign in. The errors are ErrMistyped, ErrNotFound, ErrExpired and ErrUsed; none holds the text.
func (s *Store) UseSignInLink(ctx context.Context, text string) (SignInLink, error) {
	if !minted(signInPrefix, text) {
		return SignInLink{}, fmt.Errorf("sign-in link: %w", ErrMistyped)
	}
	hash := sha256.Sum256([]byte(text))
	// A look before the transaction: who guesses must not make those wait who write.
	row, err := s.queries.GetSignInLink(ctx, hash[:])
	if errors.Is(err, sql.ErrNoRows) {
		return SignInLink{}, fmt.Errorf("sign-in link: %w", ErrNotFound)
	}
	if err != nil {
		return SignInLink{}, fmt.Errorf("read sign-in link: %w", err)
	}
	link := SignInLink{Subject: row.Subject, Role: row.Role, Target: row.Target, ExpiresAt: moment(row.ExpiresAt)}
	err = s.write(ctx, "sign-in link", func(t *tx) error {
		if err := t.hold(ctx); err != nil {
			return err
		}
		row, err := t.GetSignInLink(ctx, hash[:])
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return ErrNotFound
		case err != nil:
			return err
		case row.UsedAt != 0:
			return ErrUsed
		case row.ExpiresAt <= micros(s.now()):
			return ErrExpired
		}
		if err := t.UseSignInLink(ctx, db.UseSignInLinkParams{Now: micros(s.now()), Hash: hash[:]}); err != nil {
			return err
		}
		return t.noteSignIn(ctx, "use", link, link.Subject)
	})
	if err != nil {
		return SignInLink{}, err
	}
	return link, nil
}
