package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"musterline.example/directory"
	"musterline.example/reconcile"
	"musterline.example/store/internal/db"
)

// A Queue is what a job queue lives on: the store's own pool of one writer on SQLite, which knows no two, or a pool of its own on
// PostgreSQL, which the caller closes. One of the two is set.
type Queue struct {
	SQLite   *sql.DB
	Postgres *pgxpool.Pool
}

// Queue opens what a job queue lives on.
func (s *Store) Queue(ctx context.Context) (Queue, error) {
	if s.locked {
		return Queue{}, errors.New("open the job queue: the database is open for reading only")
	}
	q, err := s.engine.queue(ctx, s.writes)
	if err != nil {
		return q, fmt.Errorf("open the job queue: %w", err)
	}
	return q, nil
}

// A Turn is a transaction in which one job ends and the next begins, with what is stored of both.
type Turn struct{ t *tx }

// Turn runs f in one transaction, and again when the database broke it off in favour of another.
func (s *Store) Turn(ctx context.Context, doing string, f func(*Turn) error) error {
	return s.write(ctx, doing, func(t *tx) error { return f(&Turn{t}) })
}

// Tx is the transaction as the driver knows it.
func (u *Turn) Tx() Tx { return u.t.own }

// Waiting returns the requests of a target that are due and that no run has taken; none of a paused one.
func (u *Turn) Waiting(ctx context.Context, target string) ([]reconcile.Request, error) {
	row, err := u.t.GetTarget(ctx, target)
	if err != nil && !errors.Is(err, sql.ErrNoRows) || row.PausedAt > 0 {
		return nil, err
	}
	return u.t.due(ctx, target)
}

// due returns the requests of a target that are due and that no run has taken.
func (t *tx) due(ctx context.Context, target string) ([]reconcile.Request, error) {
	waiting, err := requestsOf(ctx, t.Queries, target, "")
	return onlyDue(waiting, t.s.now()), err
}

func onlyDue(waiting []reconcile.Request, now time.Time) []reconcile.Request {
	var due []reconcile.Request
	for _, r := range waiting {
		if !r.DueAt.After(now) {
			due = append(due, r)
		}
	}
	return due
}

// Ask adds requests, and the jobs of those that are due.
func (u *Turn) Ask(ctx context.Context, requests ...reconcile.Request) error {
	_, err := u.t.ask(ctx, requests...)
	return err
}

// Failures returns how many runs of a target have failed in a row.
func (u *Turn) Failures(ctx context.Context, target string) (int, error) {
	n, err := u.t.FailuresInARow(ctx, target)
	return int(n), err
}

// Want says that somebody waits for a read of a source that begins no earlier than at.
func (u *Turn) Want(ctx context.Context, source string, at time.Time) error {
	return u.t.WantRead(ctx, db.WantReadParams{Name: source, WantedAt: micros(at)})
}

// Wanted returns the latest moment for which a read of a source is wanted.
func (u *Turn) Wanted(ctx context.Context, source string) (time.Time, error) {
	row, err := u.t.GetSourceState(ctx, source)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	return moment(row.WantedAt), err
}

// Lease returns a lease.
func (u *Turn) Lease(ctx context.Context, name string) (Lease, error) {
	return leaseOf(ctx, u.t.Queries, name)
}

// EndLease gives a lease back. It reports false when it was lost.
func (u *Turn) EndLease(ctx context.Context, l Lease) (held bool, err error) {
	n, err := u.t.EndLease(ctx, db.EndLeaseParams{Name: l.Name, Epoch: l.Epoch, Holder: l.Holder})
	return n > 0, err
}

// BreakLease begins the next epoch of a lease whose holder was not heard of since silent. It reports false when there is no such holder.
func (u *Turn) BreakLease(ctx context.Context, l Lease, silent time.Time) (broken bool, err error) {
	n, err := u.t.BreakLease(ctx, db.BreakLeaseParams{Name: l.Name, Epoch: l.Epoch, Silent: micros(silent)})
	return n > 0, err
}

// A Packed snapshot is ready to be stored.
type Packed struct {
	snapshot *directory.Snapshot
	body     []byte
}

// PackSnapshot does before a transaction what takes time.
func PackSnapshot(s *directory.Snapshot) (Packed, error) {
	body, err := pack(s)
	if err != nil {
		return Packed{}, fmt.Errorf("pack snapshot of %s: %w", s.Source, err)
	}
	return Packed{s, body}, nil
}

// KeepSnapshot keeps a complete read that no run has judged yet: its body as the source's last, and the groups it lists. One that is older
// than the last is not kept.
func (u *Turn) KeepSnapshot(ctx context.Context, p Packed) error {
	s, at := p.snapshot, micros(p.snapshot.TakenAt)
	last, err := u.t.GetSourceState(ctx, s.Source)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if at <= last.TakenAt {
		return nil
	}
	if err := u.t.PutSnapshot(ctx, db.PutSnapshotParams{Name: s.Source, TakenAt: at, Body: p.body}); err != nil {
		return err
	}
	if at <= last.RecordedAt {
		return nil
	}
	if err := u.t.PutRecorded(ctx, db.PutRecordedParams{Name: s.Source, RecordedAt: at}); err != nil {
		return err
	}
	return u.t.putGroups(ctx, s)
}

// FailRead remembers that a read of a source that began at a moment failed.
func (u *Turn) FailRead(ctx context.Context, source string, began time.Time, message string) error {
	return u.t.PutFailure(ctx, db.PutFailureParams{Name: source, Failure: message, FailedAt: micros(began)})
}

// InPhase returns the targets whose open run is in a phase.
func (u *Turn) InPhase(ctx context.Context, p reconcile.Phase) ([]string, error) {
	return u.t.OpenRunsInPhase(ctx, string(p))
}

// OpenRun returns the open run of a target; ErrNotFound when there is none.
func (u *Turn) OpenRun(ctx context.Context, target string) (reconcile.Run, error) {
	return openRunOf(ctx, u.t.Queries, target)
}

// Signs returns the signs of a run.
func (u *Turn) Signs(ctx context.Context, run string) (Signs, error) {
	return signsOf(ctx, u.t.Queries, run, u.t.s.now())
}

// WantedSources returns the sources of which somebody waits for a read that has neither succeeded nor failed.
func (u *Turn) WantedSources(ctx context.Context) ([]string, error) { return u.t.WantedSources(ctx) }

// Waiting is what stands in the queue: how many requests are due that no run has taken, and when the oldest was made.
func (s *Store) Waiting(ctx context.Context) (n int, oldest time.Time, err error) {
	row, err := s.queries.CountWaiting(ctx, micros(s.now()))
	if err != nil {
		return 0, oldest, fmt.Errorf("count waiting requests: %w", err)
	}
	return int(row.N), moment(row.Oldest), nil
}

// Due returns the requests of a target that are due and that no run has taken.
func (s *Store) Due(ctx context.Context, target string) ([]reconcile.Request, error) {
	waiting, err := s.Requests(ctx, target)
	return onlyDue(waiting, s.now()), err
}

// TargetsWithWork returns the targets that are not paused and have a request that is due, or an open run.
func (s *Store) TargetsWithWork(ctx context.Context) ([]string, error) {
	targets, err := s.queries.TargetsWithWork(ctx, micros(s.now()))
	if err != nil {
		return nil, fmt.Errorf("look for work: %w", err)
	}
	return targets, nil
}

// WantedSources returns the sources of which somebody waits for a read that has neither succeeded nor failed.
func (s *Store) WantedSources(ctx context.Context) ([]string, error) {
	sources, err := s.queries.WantedSources(ctx)
	if err != nil {
		return nil, fmt.Errorf("look for sources to read: %w", err)
	}
	return sources, nil
}

// A SourceRead is when a source was last read and tried.
type SourceRead struct {
	At       time.Time // of the last complete read; zero when there never was one
	Failure  string    // of the last try, when it began after that
	FailedAt time.Time
	Version  int64 // of the snapshot
}

// SourceRead returns when a source was last read.
func (s *Store) SourceRead(ctx context.Context, source string) (SourceRead, error) {
	row, err := s.queries.GetSourceState(ctx, source)
	if errors.Is(err, sql.ErrNoRows) {
		return SourceRead{}, nil
	}
	if err != nil {
		return SourceRead{}, fmt.Errorf("read the state of source %s: %w", source, err)
	}
	r := SourceRead{At: moment(row.TakenAt), Version: row.Version}
	if row.FailedAt > row.TakenAt {
		r.Failure, r.FailedAt = row.Failure, moment(row.FailedAt)
	}
	return r, nil
}

// Schedule returns when each target is due, and keeps it so that targets that have come are spread over the time from now and those that
// are gone have none. One that should have been long ago is spread like a new one.
func (s *Store) Schedule(ctx context.Context, targets []string, every time.Duration) (map[string]time.Time, error) {
	rows, err := s.queries.GetSchedules(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the schedule: %w", err)
	}
	now := s.now()
	next := make(map[string]time.Time, len(targets))
	before := make(map[string]int64, len(rows))
	for _, r := range rows {
		before[r.Target] = r.NextAt
	}
	type move struct {
		target string
		at     time.Time
		new    bool
	}
	var moves []move
	for i, target := range targets {
		at, known := before[target]
		delete(before, target)
		next[target] = moment(at)
		if known && !next[target].Before(now.Add(-every)) && !next[target].After(now.Add(2*every)) {
			continue
		}
		next[target] = now.Add(every * time.Duration(i) / time.Duration(len(targets)))
		moves = append(moves, move{target, next[target], !known})
	}
	if len(moves)+len(before) == 0 {
		return next, nil
	}
	old := make(map[string]int64, len(rows))
	for _, r := range rows {
		old[r.Target] = r.NextAt
	}
	return next, s.write(ctx, "save the schedule", func(t *tx) error {
		for gone := range before {
			if err := t.DeleteSchedule(ctx, gone); err != nil {
				return err
			}
		}
		for _, m := range moves {
			if m.new {
				if err := t.PutSchedule(ctx, db.PutScheduleParams{Target: m.target, NextAt: micros(m.at)}); err != nil {
					return err
				}
			} else if _, err := t.MoveSchedule(ctx, db.MoveScheduleParams{Target: m.target, NextAt: micros(m.at), Before: old[m.target]}); err != nil {
				return err
			}
		}
		return nil
	})
}

// AskOnSchedule asks for the sync of a target that was due at a moment, and moves its schedule on to the next. Of several servers one does it;
// the others are told false. While an earlier request of the schedule waits, or the target is paused, no other is made.
func (s *Store) AskOnSchedule(ctx context.Context, target string, due, next time.Time) (asked bool, err error) {
	err = s.write(ctx, "ask on schedule for target "+target, func(t *tx) error {
		asked = false
		n, err := t.MoveSchedule(ctx, db.MoveScheduleParams{Target: target, NextAt: micros(next), Before: micros(due)})
		if err != nil || n == 0 {
			return err
		}
		row, err := t.GetTarget(ctx, target)
		if err != nil && !errors.Is(err, sql.ErrNoRows) || row.PausedAt > 0 {
			return err
		}
		waiting, err := t.due(ctx, target)
		if err != nil {
			return err
		}
		for _, r := range waiting {
			if r.Trigger == reconcile.BySchedule && !r.Narrow() {
				return nil
			}
		}
		asked = true
		_, err = t.ask(ctx, reconcile.Request{Target: target, Trigger: reconcile.BySchedule, Asker: "schedule", Why: "it is time"})
		return err
	})
	return asked, err
}
