package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"musterline.example/store/internal/db"
)

// Tidied is how many rows Tidy has deleted.
type Tidied struct{ Requests, Progress, Views, Deliveries int64 }

// tidyAtOnce is how many rows one transaction deletes, so that whoever writes meanwhile waits for no more than that.
const tidyAtOnce = 500

// Tidy deletes what nobody asks for any more: requests that a run has answered which ended before a moment, the progress of those runs, what
// runs made of reads of sources before it, messages to notifications that arrived or failed, sessions whose time is over, and sign-in links a day after theirs. Who waits is never forgotten, nor
// is anything that the guards, an undo, the answer to why, or the audit record rest on: of what runs made of reads, twice as many as
// guards look at stay, however old they are.
func (s *Store) Tidy(ctx context.Context, before time.Time) (done Tidied, err error) {
	at := micros(before)
	if done.Requests, err = s.batches(ctx, "forget old requests", func(t *tx) (int64, error) {
		return t.TidyRequests(ctx, db.TidyRequestsParams{Before: at, N: tidyAtOnce})
	}); err != nil {
		return done, err
	}
	if done.Progress, err = s.batches(ctx, "forget the progress of old runs", func(t *tx) (int64, error) {
		return t.TidyProgress(ctx, db.TidyProgressParams{Before: at, N: tidyAtOnce})
	}); err != nil {
		return done, err
	}
	if done.Views, err = s.tidyViews(ctx, at); err != nil {
		return done, err
	}
	if done.Deliveries, err = s.batches(ctx, "forget old deliveries", func(t *tx) (int64, error) {
		return t.TidyDeliveries(ctx, db.TidyDeliveriesParams{Before: at, N: tidyAtOnce})
	}); err != nil {
		return done, err
	}
	return done, s.Sessions(nil).Sweep(ctx)
}

// batches runs a transaction again until it deletes no full batch.
func (s *Store) batches(ctx context.Context, doing string, f func(*tx) (int64, error)) (all int64, err error) {
	for {
		var n int64
		if err := s.write(ctx, doing, func(t *tx) (err error) {
			n, err = f(t)
			return err
		}); err != nil {
			return all, err
		}
		if all += n; n < tidyAtOnce {
			return all, nil
		}
	}
}

func (s *Store) tidyViews(ctx context.Context, before int64) (all int64, err error) {
	pairs, err := s.queries.OldViews(ctx, before)
	if err != nil {
		return 0, fmt.Errorf("look for old reads: %w", err)
	}
	for _, p := range pairs {
		first, err := s.queries.UsualView(ctx, db.UsualViewParams{Source: p.Source, Target: p.Target, Later: 2*shapes - 1})
		if errors.Is(err, sql.ErrNoRows) {
			continue // there are too few
		}
		if err != nil {
			return all, fmt.Errorf("look for old reads: %w", err)
		}
		n, err := s.batches(ctx, "forget old reads", func(t *tx) (int64, error) {
			return t.TidyViews(ctx, db.TidyViewsParams{Source: p.Source, Target: p.Target, Before: min(before, first), N: tidyAtOnce})
		})
		if all += n; err != nil {
			return all, err
		}
	}
	return all, nil
}
