package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
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

// SavePlace remembers where a target's teams live.
func (s *Store) SavePlace(ctx context.Context, target string, place team.Place) error {
	before, err := s.target(ctx, target)
	if err != nil || placeOf(before) == place {
		return err
	}
	return s.write(ctx, "save the place of target "+target, func(t *tx) error {
		return t.PutPlace(ctx, db.PutPlaceParams{
			Name: target, Host: place.Host, OrganizationID: place.OrganizationID, Organization: place.Organization, Self: string(place.Self),
		})
	})
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

// Resume lets a paused target run again. It reports whether it was paused.
func (s *Store) Resume(ctx context.Context, target, by string) (was bool, err error) {
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
		return t.PutPause(ctx, db.PutPauseParams{Name: target})
	})
	return was, err
}

// Hints are small facts about a target that make reads cheaper. They are all read at once and written one by one; a hint that cannot be
// written is lost, which costs a call and no truth.
type Hints struct {
	s      *Store
	target string
	mu     sync.Mutex
	values map[string]string
}

// Hints returns the hints of a target.
func (s *Store) Hints(ctx context.Context, target string) (*Hints, error) {
	rows, err := s.queries.GetHints(ctx, target)
	if err != nil {
		return nil, fmt.Errorf("read hints of target %s: %w", target, err)
	}
	h := &Hints{s: s, target: target, values: make(map[string]string, len(rows))}
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

// Keep keeps a hint. In a store that is open for reading it lasts as long as h.
func (h *Hints) Keep(key, value string) {
	h.mu.Lock()
	same := h.values[key] == value
	h.values[key] = value
	h.mu.Unlock()
	if same || h.s.locked {
		return
	}
	ctx, cancel := recording(context.Background())
	defer cancel()
	if err := h.s.write(ctx, "keep hint", func(t *tx) error {
		return t.PutHint(ctx, db.PutHintParams{Target: h.target, Name: key, Value: value})
	}); err != nil {
		h.s.log.WarnContext(ctx, "a hint was lost", "target", h.target, "error", err)
	}
}
