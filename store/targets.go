package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"musterline.example/audit"
	"musterline.example/reconcile"
	"musterline.example/store/internal/db"
	"musterline.example/team"
)

// target returns what is known of a target; the zero value when it was never heard of.
func (s *Store) target(ctx context.Context, name string) (db.Target, error) {
	row, err := s.queries.GetTarget(ctx, name)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return row, fmt.Errorf("read target %s: %w", name, err)
	}
	return row, nil
}

// Place returns where a target's teams live; ErrNotFound when it was never read.
func (s *Store) Place(ctx context.Context, target string) (team.Place, error) {
	row, err := s.target(ctx, target)
	if err == nil && row.Host == "" && row.OrganizationID == "" {
		err = fmt.Errorf("the organization of target %s: %w", target, ErrNotFound)
	}
	return placeOf(row), err
}

func placeOf(row db.Target) team.Place {
	return team.Place{Host: row.Host, OrganizationID: row.OrganizationID, Organization: row.Organization, Self: team.AccountID(row.Self)}
}

// SavePlace remembers where a target's teams live. When that is another organization than before, tokens and roles that were given for the one
// before end in the same transaction, with an audit entry for each: whoever owns the one need not own the other.
func (s *Store) SavePlace(ctx context.Context, target string, place team.Place) error {
	before, err := s.target(ctx, target)
	if err != nil || placeOf(before) == place {
		return err
	}
	return s.write(ctx, "save the place of target "+target, func(t *tx) error {
		if err := t.hold(ctx); err != nil {
			return err
		}
		row, err := t.GetTarget(ctx, target)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if before := placeOf(row); before.OrganizationID != "" && (before.Host != place.Host || before.OrganizationID != place.OrganizationID) {
			if err := t.endAccess(ctx, target, audit.Actor{Trigger: reconcile.ByEvent, Requester: "musterline"}, "the target is another organization now"); err != nil {
				return err
			}
		}
		return t.PutPlace(ctx, db.PutPlaceParams{
			Name: target, Host: place.Host, OrganizationID: place.OrganizationID, Organization: place.Organization, Self: string(place.Self),
		})
	})
}

// ConfiguredAs keeps what the configuration says which organization a target is. When it said another one before, tokens and roles that were given
// for that end here and now, as they would with SavePlace when the next run finds out. An organization that was renamed, to what it is called since, is
// no other one.
func (s *Store) ConfiguredAs(ctx context.Context, target, host, organization string) error {
	is := host + "/" + team.FoldLogin(organization)
	before, err := s.target(ctx, target)
	if err != nil || before.ConfiguredAs == is {
		return err
	}
	return s.write(ctx, "keep what target "+target+" is configured as", func(t *tx) error {
		if err := t.hold(ctx); err != nil {
			return err
		}
		row, err := t.GetTarget(ctx, target)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		now := row.Host + "/" + team.FoldLogin(row.Organization)
		if row.ConfiguredAs != "" && row.ConfiguredAs != is && now != is {
			if err := t.endAccess(ctx, target, audit.Actor{Trigger: reconcile.ByEvent, Requester: "musterline"}, "the target is configured as another organization now"); err != nil {
				return err
			}
			if err := t.PutPlace(ctx, db.PutPlaceParams{Name: target}); err != nil {
				return err
			}
		}
		return t.PutConfiguredAs(ctx, db.PutConfiguredAsParams{Name: target, ConfiguredAs: is})
	})
}

// endAccess revokes the tokens and withdraws the roles that are bound to a target. Sign-in links that would give one are no good any more, and
// sessions of those who have signed in with one end: the role that it gave lasts as long as they. Plans go, which are of the organization before.
func (t *tx) endAccess(ctx context.Context, target string, by audit.Actor, why string) error {
	if err := t.hold(ctx); err != nil {
		return err
	}
	if err := t.DeleteSignInLinksOf(ctx, target); err != nil {
		return err
	}
	if err := t.DeleteShownPlansOf(ctx, target); err != nil {
		return err
	}
	if err := t.DeletePlanOf(ctx, target); err != nil {
		return err
	}
	subjects, err := t.WhoUsedLinksOf(ctx, target)
	if err != nil {
		return err
	}
	for _, subject := range subjects {
		n, err := t.EndSessionsOf(ctx, db.EndSessionsOfParams{Now: micros(t.s.now()), Nothing: []byte{}, Subject: subject})
		if err == nil && n > 0 {
			err = t.noteSession(ctx, "revoke", subject, by.Requester, n)
		}
		if err != nil {
			return err
		}
	}
	tokens, err := t.GetStandingTokensOf(ctx, target)
	if err != nil {
		return err
	}
	for _, row := range tokens {
		if err := t.revoke(ctx, row, by, why); err != nil {
			return err
		}
	}
	roles, err := t.GetRolesOfTarget(ctx, target)
	if err != nil {
		return err
	}
	for _, row := range roles {
		if err := t.withdraw(ctx, row, by, why); err != nil {
			return err
		}
	}
	return nil
}

// placeRun remembers where the teams of a run's target live.
func (s *Store) placeRun(ctx context.Context, run string, place team.Place) error {
	r, err := s.queries.GetRun(ctx, run)
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("run %s: %w", run, ErrNotFound)
	}
	if err != nil {
		return fmt.Errorf("read run %s: %w", run, err)
	}
	return s.SavePlace(ctx, r.Target, place)
}

// Paused returns the pause of a target; the zero value when it runs.
func (s *Store) Paused(ctx context.Context, target string) (reconcile.Pause, error) {
	row, err := s.target(ctx, target)
	if err != nil || row.PausedAt == 0 {
		return reconcile.Pause{}, err
	}
	return reconcile.Pause{By: row.PausedBy, Reason: row.PauseReason, At: moment(row.PausedAt)}, nil
}

// Pause stops a target.
func (s *Store) Pause(ctx context.Context, target string, p reconcile.Pause) error {
	if p.At.IsZero() {
		p.At = s.now()
	}
	return s.write(ctx, "pause target "+target, func(t *tx) error {
		if _, err := t.record(ctx, note{
			kind: KindPause, at: p.At, target: target, actor: audit.Actor{Trigger: "person", Requester: p.By},
			body: map[string]string{"reason": p.Reason},
		}); err != nil {
			return err
		}
		return t.PutPause(ctx, db.PutPauseParams{Name: target, PausedBy: p.By, PauseReason: p.Reason, PausedAt: micros(p.At)})
	})
}

// Resume lets a paused target run again. It reports whether it was paused. If it was, what the caller asks for is asked in the same transaction.
func (s *Store) Resume(ctx context.Context, target, by string, asks ...reconcile.Request) (was bool, err error) {
	err = s.write(ctx, "resume target "+target, func(t *tx) error {
		if err := t.hold(ctx); err != nil {
			return err
		}
		row, err := t.GetTarget(ctx, target)
		if was = err == nil && row.PausedAt != 0; !was {
			if errors.Is(err, sql.ErrNoRows) {
				err = nil
			}
			return err
		}
		if _, err := t.record(ctx, note{
			kind: KindResume, target: target, actor: audit.Actor{Trigger: "person", Requester: by},
			body: map[string]string{"paused_by": row.PausedBy, "reason": row.PauseReason},
		}); err != nil {
			return err
		}
		if err := t.PutPause(ctx, db.PutPauseParams{Name: target}); err != nil {
			return err
		}
		_, err = t.ask(ctx, asks...)
		return err
	})
	return was, err
}

// Hints are small facts about a target that make reads cheaper. They are all read at once, and what a read of the target has said that is
// new is written in one transaction; a hint that cannot be written is lost, which costs a call and no truth. Hints are safe for concurrent
// use.
type Hints struct {
	s      *Store
	target string

	mu     sync.Mutex
	values map[string]string
	unkept map[string]bool // keys of values that Flush has yet to write

	writing sync.Mutex // held by a Flush, so that what was said last is written last; taken before mu
}

var hints = table{name: "hints", key: []string{"target", "name"}, columns: []string{"target", "name", "value"}}

// Hints returns the hints of a target.
func (s *Store) Hints(ctx context.Context, target string) (*Hints, error) {
	rows, err := s.queries.GetHints(ctx, target)
	if err != nil {
		return nil, fmt.Errorf("read hints of target %s: %w", target, err)
	}
	h := &Hints{s: s, target: target, values: make(map[string]string, len(rows)), unkept: make(map[string]bool)}
	for _, r := range rows {
		h.values[r.Name] = r.Value
	}
	return h, nil
}

// Hint returns a hint, if there is one.
func (h *Hints) Hint(key string) (value string, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	value, ok = h.values[key]
	return value, ok
}

// Keep keeps a hint: in h at once, in the database with the next Flush.
func (h *Hints) Keep(key, value string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if before, ok := h.values[key]; ok && before == value {
		return
	}
	h.values[key] = value
	h.unkept[key] = true
}

// Flush writes what Keep was given since the last Flush, in one transaction; nothing new is none. In a store that is open for reading hints
// last as long as h.
func (h *Hints) Flush() {
	h.writing.Lock()
	defer h.writing.Unlock()
	rows := h.news()
	if len(rows) == 0 || h.s.locked {
		return
	}
	ctx, cancel := recording(context.Background())
	defer cancel()
	if err := h.s.write(ctx, "keep hints", func(t *tx) error {
		return t.put(ctx, hints, len(rows), func(i int) []any { return []any{h.target, rows[i].Name, rows[i].Value} })
	}); err != nil {
		h.s.log.WarnContext(ctx, "hints were lost", "target", h.target, "hints", len(rows), "error", err)
	}
}

// news takes what is to be written, in order of key: two servers that write the same rows then wait for each other and do not lock.
func (h *Hints) news() []db.GetHintsRow {
	h.mu.Lock()
	defer h.mu.Unlock()
	rows := make([]db.GetHintsRow, 0, len(h.unkept))
	for _, key := range slices.Sorted(maps.Keys(h.unkept)) {
		rows = append(rows, db.GetHintsRow{Name: key, Value: h.values[key]})
	}
	clear(h.unkept)
	return rows
}
