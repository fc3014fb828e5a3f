package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"musterline.example/store/internal/db"
)

// A Lease is the right to be at a work that only one may be at. Who holds it says so from time to time; it is taken from who is silent.
type Lease struct {
	Name   string
	Epoch  int64 // how often it was taken from somebody silent: whoever held it in an earlier one has lost it
	Holder string
	BeatAt time.Time
}

// Lease returns a lease; nobody holds one that was never taken.
func (s *Store) Lease(ctx context.Context, name string) (Lease, error) {
	return leaseOf(ctx, s.queries, name)
}

func leaseOf(ctx context.Context, q *db.Queries, name string) (Lease, error) {
	row, err := q.GetLease(ctx, name)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return Lease{}, fmt.Errorf("read lease %s: %w", name, err)
	}
	return Lease{Name: name, Epoch: row.Epoch, Holder: row.Holder, BeatAt: moment(row.BeatAt)}, nil
}

// TakeLease takes a lease in the epoch of l for its holder. It reports false when somebody else holds it who was heard of after silent, or
// when its epoch is another now.
func (s *Store) TakeLease(ctx context.Context, l Lease, silent time.Time) (taken bool, err error) {
	err = s.write(ctx, "take lease "+l.Name, func(t *tx) error {
		n, err := t.TakeLease(ctx, db.TakeLeaseParams{
			Name: l.Name, Epoch: l.Epoch, Holder: l.Holder, Now: micros(s.now()), Silent: micros(silent),
		})
		taken = n > 0
		return err
	})
	return taken, err
}

// BeatLease says that the holder is still there. It reports false when the lease is no longer theirs.
func (s *Store) BeatLease(ctx context.Context, l Lease) (held bool, err error) {
	err = s.write(ctx, "keep lease "+l.Name, func(t *tx) error {
		n, err := t.BeatLease(ctx, db.BeatLeaseParams{Name: l.Name, Epoch: l.Epoch, Holder: l.Holder, Now: micros(s.now())})
		held = n > 0
		return err
	})
	return held, err
}
