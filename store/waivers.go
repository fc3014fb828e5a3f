package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"musterline.example/audit"
	"musterline.example/guard"
	"musterline.example/plan"
	"musterline.example/reconcile"
	"musterline.example/store/internal/db"
	"musterline.example/team"
)

// AddWaiver keeps a person's acceptance of changes and returns its id. What the caller asks for is asked in the same transaction.
func (s *Store) AddWaiver(ctx context.Context, w guard.Waiver, asks ...reconcile.Request) (id string, err error) {
	if len(w.Changes) == 0 {
		return "", errors.New("add waiver: it names no change")
	}
	err = s.write(ctx, "add waiver", func(t *tx) error {
		if id, err = t.addWaiver(ctx, w); err != nil {
			return err
		}
		_, err = t.ask(ctx, asks...)
		return err
	})
	return id, err
}

// addWaiver keeps a waiver with its audit entry, and returns its id.
func (t *tx) addWaiver(ctx context.Context, w guard.Waiver) (id string, err error) {
	if err := t.hold(ctx); err != nil {
		return "", err
	}
	if w.At.IsZero() {
		w.At = t.s.now()
	}
	number, err := t.number(ctx, "waiver")
	if err != nil {
		return "", err
	}
	w.ID = strconv.FormatInt(number, 10)
	if _, err := t.record(ctx, note{
		kind: KindWaiver, at: w.At, target: w.Target, actor: audit.Actor{Trigger: "person", Requester: w.By},
		body: map[string]any{"id": w.ID, "reason": w.Reason, "changes": w.Changes},
	}); err != nil {
		return "", err
	}
	if err := t.PutWaiver(ctx, db.PutWaiverParams{
		ID: w.ID, Number: number, Target: w.Target, MadeBy: w.By, Reason: w.Reason, At: micros(w.At),
	}); err != nil {
		return "", err
	}
	return w.ID, t.put(ctx, waived, len(w.Changes), func(i int) []any {
		c := &w.Changes[i]
		return []any{w.ID, int64(i), string(c.Team), c.Slug, string(c.Account), string(c.Act), c.Role, list(c.Guards), int64(0)}
	})
}

var waived = table{name: "waived", columns: []string{"waiver", "number", "team", "slug", "account", "act", "role", "guards", "settled_at"}}

// Waivers returns the waivers of a target with the changes that are not used up, the oldest first. Those that no guard can accept any
// more, because they are twice as old as a waiver lives, are left out.
func (s *Store) Waivers(ctx context.Context, target string) ([]guard.Waiver, error) {
	all, err := waiversOf(ctx, s.queries, db.GetWaiversParams{Target: target, Since: micros(s.now().Add(-2 * guard.WaiverLife)), Settled: 0})
	if err != nil {
		return nil, err
	}
	var waivers []guard.Waiver
	for _, w := range all {
		waivers = append(waivers, w.Waiver)
	}
	return waivers, nil
}

// A Waiver is a waiver with what became of its changes.
type Waiver struct {
	guard.Waiver
	Settled []time.Time // of each change: when it was done or no longer wanted; zero while it can be used
	numbers []int64
}

// ListWaivers returns every waiver of a target since a moment, used up or not, the oldest first.
func (s *Store) ListWaivers(ctx context.Context, target string, since time.Time) ([]Waiver, error) {
	return waiversOf(ctx, s.queries, db.GetWaiversParams{Target: target, Since: micros(since), Settled: math.MaxInt64})
}

func waiversOf(ctx context.Context, q *db.Queries, p db.GetWaiversParams) ([]Waiver, error) {
	rows, err := q.GetWaivers(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("read waivers: %w", err)
	}
	var (
		waivers []Waiver
		l       = lists{}
	)
	for _, r := range rows {
		if n := len(waivers); n == 0 || waivers[n-1].ID != r.ID {
			waivers = append(waivers, Waiver{Waiver: guard.Waiver{ID: r.ID, Target: r.Target, By: r.MadeBy, Reason: r.Reason, At: moment(r.At)}})
		}
		guards, err := l.read(r.Guards)
		if err != nil {
			return nil, fmt.Errorf("read waivers: %w", err)
		}
		w := &waivers[len(waivers)-1]
		w.Changes = append(w.Changes, guard.Waived{
			Ref:    guard.Ref{Team: team.ID(r.Team), Slug: r.Slug, Account: team.AccountID(r.Account), Act: plan.Act(r.Act)},
			Role:   r.Role,
			Guards: guards,
		})
		w.Settled, w.numbers = append(w.Settled, moment(r.SettledAt)), append(w.numbers, r.Number)
	}
	return waivers, nil
}

// SettleWaivers takes changes out of waivers that are done or no longer wanted. They stay to be seen in ListWaivers.
func (s *Store) SettleWaivers(ctx context.Context, target string, done []guard.Ref) error {
	if len(done) == 0 {
		return nil
	}
	open := db.GetWaiversParams{Target: target}
	if waivers, err := waiversOf(ctx, s.queries, open); err != nil || len(waivers) == 0 {
		return err
	}
	ended := make(map[guard.Ref]bool, len(done))
	for _, r := range done {
		ended[canonical(r)] = true
	}
	return s.write(ctx, "settle waivers", func(t *tx) error {
		waivers, err := waiversOf(ctx, t.Queries, open)
		if err != nil {
			return err
		}
		for _, w := range waivers {
			for i, c := range w.Changes {
				if !ended[canonical(c.Ref)] {
					continue
				}
				if err := t.SettleWaived(ctx, db.SettleWaivedParams{Waiver: w.ID, Number: w.numbers[i], SettledAt: micros(s.now())}); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// canonical is a reference by the team's id, or by its slug while it has none.
func canonical(r guard.Ref) guard.Ref {
	if r.Team != "" {
		r.Slug = ""
	}
	return r
}
