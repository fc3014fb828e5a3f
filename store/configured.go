package store

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"musterline.example/setting"
	"musterline.example/store/internal/db"
)

// A Configured is one row of what administrators configure in the console or by the API instead of in the file. The store knows nothing
// of what a body means: package config does.
type Configured struct {
	Section string // "sources", "targets", "rules" …
	Name    string
	Body    json.RawMessage // without secrets
	Secrets []string        // the names of those that are set, sorted
	Version int64           // another after each change, and never one that a row of this name had before
	By      string
	At      time.Time
}

// An Opened is a configured row with its secrets, for who opens sources and targets by it.
type Opened struct {
	Configured
	Values map[string]setting.Secret
}

// AnyVersion in a change is any version, also that of a row that is not there.
const AnyVersion = -1

// ErrConflict is in the chain of the error about a change that was made from another version than the row has.
var ErrConflict = errors.New("it was changed since it was read: read it again")

// ErrRevised is in the chain of the error about a change that was checked against rows of which another has changed since. What fits each
// need not fit together: whoever made it looks at the rows anew.
var ErrRevised = errors.New("another part of the configuration was changed at the same moment")

// A Change is what a configured row shall be.
type Change struct {
	Section, Name string
	Target        string // that it is about, for who looks for it in the audit record; may be empty
	Body          json.RawMessage
	Secrets       map[string]setting.Secret // set; an empty one is taken away, and one that is not named stays as it is
	Version       int64                     // of the row that the change was made from; 0 when there was none
	Revision      *int64                    // of all rows, as the change was checked against them; nil: it was checked against none
	Moved         bool                      // it makes another organization of a target
	Shadowed      bool                      // the file defines the same, and what holds of it stays when the row goes
	By            string
}

// PutConfigured makes or changes a row. A body that is no JSON is refused, a stale version is ErrConflict, a stale revision is ErrRevised, and
// a change that changes nothing leaves the row and its version as they are. The audit entry holds the body before and after, and of secrets
// what happened to them. When a target moves, the tokens, roles, sign-in links and sessions that are bound to it end in the same transaction:
// whoever owns the one organization need not own the other.
func (s *Store) PutConfigured(ctx context.Context, c Change) (now Configured, err error) {
	err = s.write(ctx, "configure", func(t *tx) error {
		now, err = t.putConfigured(ctx, c)
		return err
	})
	return now, err
}

// configuredBody is a change in an audit entry.
type configuredBody struct {
	Section string            `json:"section"`
	Name    string            `json:"name"`
	Version int64             `json:"version"`
	Before  json.RawMessage   `json:"before,omitempty"`
	After   json.RawMessage   `json:"after,omitempty"`
	Secrets map[string]string `json:"secrets,omitempty"` // "set", "changed" or "removed"
}

func (t *tx) putConfigured(ctx context.Context, c Change) (Configured, error) {
	body, err := c.compact()
	if err != nil {
		return Configured{}, err
	}
	before, err := t.configured(ctx, c.Section, c.Name, c.Version)
	if err != nil {
		return Configured{}, err
	}
	names, did, err := t.putSecrets(ctx, before, c)
	if err != nil {
		return Configured{}, err
	}
	if before.Version != 0 && bytes.Equal(before.Body, body) && len(did) == 0 {
		return before, nil
	}
	now := Configured{Section: c.Section, Name: c.Name, Body: body, Secrets: names, By: c.By, At: moment(micros(t.s.now()))}
	if now.Version, err = t.revise(ctx, c); err != nil {
		return Configured{}, err
	}
	if err := t.PutConfigured(ctx, db.PutConfiguredParams{
		Section: now.Section, Name: now.Name, Body: string(now.Body), Secrets: list(now.Secrets), Version: now.Version, MadeBy: now.By, At: micros(now.At),
	}); err != nil {
		return Configured{}, err
	}
	act := "change"
	if before.Version == 0 {
		act = "create"
	}
	if c.Section == targetsSection && c.Moved {
		if err := t.leave(ctx, c, "the target is another organization now"); err != nil {
			return Configured{}, err
		}
	}
	return now, t.noteConfigured(ctx, act, c.Target, c.By, configuredBody{
		Section: c.Section, Name: c.Name, Version: now.Version, Before: before.Body, After: now.Body, Secrets: did,
	})
}

// configuredCounter counts the changes of all rows.
const configuredCounter = "configured"

// revise takes the next number, which is the version of the row that changes and the revision of all of them.
func (t *tx) revise(ctx context.Context, c Change) (int64, error) {
	n, err := t.number(ctx, configuredCounter)
	if err == nil && c.Revision != nil && n != *c.Revision+1 {
		err = ErrRevised
	}
	return n, err
}

// compact checks what both databases must be able to keep, and returns the body without its white space.
func (c Change) compact() (json.RawMessage, error) {
	for _, word := range append(slices.Collect(maps.Keys(c.Secrets)), c.Section, c.Name) {
		if word == "" || !utf8.ValidString(word) || strings.ContainsRune(word, 0) {
			return nil, errors.New("a configured row needs a section and a name, and its secrets need names, in plain text")
		}
	}
	var body bytes.Buffer
	if !utf8.Valid(c.Body) || json.Compact(&body, c.Body) != nil {
		return nil, errors.New("the body of a configured row is no JSON")
	}
	return body.Bytes(), nil
}

// configured holds the record, and returns the row that is to be changed; the zero value when there is none.
func (t *tx) configured(ctx context.Context, section, name string, version int64) (Configured, error) {
	if err := t.hold(ctx); err != nil {
		return Configured{}, err
	}
	row, err := t.GetConfigured(ctx, db.GetConfiguredParams{Section: section, Name: name})
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return Configured{}, err
	}
	if version != AnyVersion && version != row.Version {
		return Configured{}, ErrConflict
	}
	if row.Version == 0 {
		return Configured{}, nil
	}
	return configuredOf(row)
}

// putSecrets keeps the secrets of a change. It returns the names of those that the row has then, and what was done to which.
func (t *tx) putSecrets(ctx context.Context, before Configured, c Change) (names []string, did map[string]string, err error) {
	names, did = slices.Clone(before.Secrets), map[string]string{}
	for name, value := range c.Secrets {
		place := secretPlace(c.Section, c.Name, name)
		at := slices.Index(names, name)
		if value == "" {
			if at < 0 {
				continue
			}
			names, did[name] = slices.Delete(names, at, at+1), "removed"
			if _, err := t.Queries.DeleteCredential(ctx, place); err != nil {
				return nil, nil, err
			}
			continue
		}
		if did[name] = "changed"; at < 0 {
			names, did[name] = append(names, name), "set"
		}
		sealed, err := t.s.key.Encrypt([]byte(value.Reveal()), place)
		if err != nil {
			return nil, nil, err
		}
		if err := t.PutCredential(ctx, db.PutCredentialParams{Place: place, Sealed: sealed, At: micros(t.s.now())}); err != nil {
			return nil, nil, err
		}
	}
	slices.Sort(names)
	return names, did, nil
}

// secretPlace is the place that a secret of a row is bound to. Each part is escaped, so that no two rows have one place.
func secretPlace(section, name, secret string) string {
	return "configured:" + url.PathEscape(section) + "/" + url.PathEscape(name) + "/" + url.PathEscape(secret)
}

func (t *tx) noteConfigured(ctx context.Context, act, target, by string, body configuredBody) error {
	_, err := t.record(ctx, note{kind: KindConfigured, act: act, target: target, actor: person(by), body: body})
	return err
}

// targetsSection is the section whose rows are targets, to which tokens and roles are bound.
const targetsSection = "targets"

// DeleteConfigured deletes a row with its secrets: of c it reads section, name, target, version, revision and by. ErrNotFound when there is
// none, also for AnyVersion; a stale version is ErrConflict, a stale revision ErrRevised. With a target ends what is bound to it, as when it moves.
func (s *Store) DeleteConfigured(ctx context.Context, c Change) error {
	return s.write(ctx, "configure", func(t *tx) error {
		before, err := t.configured(ctx, c.Section, c.Name, AnyVersion)
		switch {
		case err != nil:
			return err
		case before.Version == 0:
			return ErrNotFound
		case c.Version != AnyVersion && c.Version != before.Version:
			return ErrConflict
		}
		did := map[string]string{}
		for _, name := range before.Secrets {
			did[name] = "removed"
			if _, err := t.Queries.DeleteCredential(ctx, secretPlace(c.Section, c.Name, name)); err != nil {
				return err
			}
		}
		version, err := t.revise(ctx, c)
		if err != nil {
			return err
		}
		if err := t.Queries.DeleteConfigured(ctx, db.DeleteConfiguredParams{Section: c.Section, Name: c.Name}); err != nil {
			return err
		}
		if c.Section == targetsSection && !c.Shadowed {
			if err := t.leave(ctx, c, "the target was deleted"); err != nil {
				return err
			}
		}
		return t.noteConfigured(ctx, "delete", c.Target, c.By, configuredBody{
			Section: c.Section, Name: c.Name, Version: version, Before: before.Body, Secrets: did,
		})
	})
}

// leave ends the access to the organization that a target has been, and forgets where its teams lived: the next read tells where they live now.
func (t *tx) leave(ctx context.Context, c Change, why string) error {
	if err := t.endAccess(ctx, c.Name, person(c.By), why); err != nil {
		return err
	}
	if err := t.PutPlace(ctx, db.PutPlaceParams{Name: c.Name}); err != nil {
		return err
	}
	return t.PutConfiguredAs(ctx, db.PutConfiguredAsParams{Name: c.Name}) // what it becomes is no move: its access is that of those who are given it
}

func configuredOf(r db.Configured) (Configured, error) {
	c := Configured{Section: r.Section, Name: r.Name, Body: json.RawMessage(r.Body), Version: r.Version, By: r.MadeBy, At: moment(r.At)}
	if err := json.Unmarshal([]byte(r.Secrets), &c.Secrets); err != nil {
		return Configured{}, fmt.Errorf("damaged list: %w", err)
	}
	return c, nil
}

// Configured returns one row; ErrNotFound when there is none.
func (s *Store) Configured(ctx context.Context, section, name string) (Configured, error) {
	row, err := s.queries.GetConfigured(ctx, db.GetConfiguredParams{Section: section, Name: name})
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return Configured{}, fmt.Errorf("read a configured row of %s: %w", section, err)
	}
	return configuredOf(row)
}

// ListConfigured returns the rows of a section, or of all when it is empty, in the order of section and name.
func (s *Store) ListConfigured(ctx context.Context, section string) ([]Configured, error) {
	return listConfigured(ctx, s.queries, section)
}

func listConfigured(ctx context.Context, q *db.Queries, section string) ([]Configured, error) {
	var (
		rows []db.Configured
		err  error
	)
	if section == "" {
		rows, err = q.GetAllConfigured(ctx)
	} else {
		rows, err = q.GetConfiguredSection(ctx, section)
	}
	if err != nil {
		return nil, fmt.Errorf("list configured rows: %w", err)
	}
	all := make([]Configured, len(rows))
	for i, r := range rows {
		if all[i], err = configuredOf(r); err != nil {
			return nil, fmt.Errorf("list configured rows: %w", err)
		}
	}
	slices.SortFunc(all, func(a, b Configured) int { // here, because the databases sort text each in their own way
		return cmp.Or(strings.Compare(a.Section, b.Section), strings.Compare(a.Name, b.Name))
	})
	return all, nil
}

// OpenConfigured returns all rows with their secrets as they were at one moment, and the revision of that moment.
func (s *Store) OpenConfigured(ctx context.Context) (rows []Opened, revision int64, err error) {
	if s.key == nil {
		return nil, 0, fmt.Errorf("open configured rows: %w", errNoKey)
	}
	t, err := s.reads.BeginTx(ctx, s.engine.snapshot())
	if err != nil {
		return nil, 0, fmt.Errorf("open configured rows: %w", err)
	}
	defer func() { _ = t.Rollback() }() // it has only read
	q := db.New(t)
	if revision, err = configuredRevision(ctx, q); err != nil {
		return nil, 0, err
	}
	all, err := listConfigured(ctx, q, "")
	if err != nil {
		return nil, 0, err
	}
	for _, c := range all {
		o := Opened{c, map[string]setting.Secret{}}
		for _, name := range c.Secrets {
			place := secretPlace(c.Section, c.Name, name)
			sealed, err := q.GetCredential(ctx, place)
			if errors.Is(err, sql.ErrNoRows) {
				err = ErrNotFound
			}
			if err != nil {
				return nil, 0, fmt.Errorf("open %s %s: secret %s: %w", c.Section, c.Name, name, err)
			}
			plain, err := s.key.Decrypt(sealed, place)
			if err != nil {
				return nil, 0, fmt.Errorf("open %s %s: secret %s: %w", c.Section, c.Name, name, err)
			}
			o.Values[name] = setting.Secret(plain)
		}
		rows = append(rows, o)
	}
	return rows, revision, nil
}

// ConfiguredRevision is another after every change of any row. A server that sees it move opens the rows anew.
func (s *Store) ConfiguredRevision(ctx context.Context) (int64, error) {
	return configuredRevision(ctx, s.queries)
}

func configuredRevision(ctx context.Context, q *db.Queries) (int64, error) {
	revision, err := q.GetCounter(ctx, configuredCounter)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("read the revision of configured rows: %w", err)
	}
	return revision, nil
}
