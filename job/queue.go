package job

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"

	"musterline.example/store"
)

// The queues. A click never waits behind the schedule, nor a sync behind the reading of a source.
const (
	interactive = "interactive" // syncs that a person or an event waits for
	scheduled   = "scheduled"   // all other syncs
	reading     = "reading"     // reads of sources
	telling     = "telling"     // messages to who is told of what happens
)

// tellers is how many messages one process sends at once. Each waits for seconds, and works hardly at all.
const tellers = 4

// syncArgs is the sync of one target. There is one at a time, and what it has to do stands in the requests.
type syncArgs struct {
	Target string `json:"target"`
}

func (syncArgs) Kind() string { return "sync" }

// readArgs is the read of one source, once in each epoch of its lease.
type readArgs struct {
	Source string `json:"source"`
	Epoch  int64  `json:"epoch"`
}

func (readArgs) Kind() string { return "read" }

// unique lets one job with the same arguments wait or run. River's own default would count those that are completed as well, and skip what
// is asked for within a day of the last.
var unique = river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
	rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning, rivertype.JobStateRetryable, rivertype.JobStateScheduled,
}}

// A queue is River on one of the two databases.
type queue interface {
	start(ctx context.Context) error
	stop(ctx context.Context) error
	stopNow(ctx context.Context) error

	// insert puts a job into a transaction. One that waits or runs already is returned instead, and stays as it is.
	insert(ctx context.Context, t store.Tx, args river.JobArgs, o river.InsertOpts) (*rivertype.JobInsertResult, error)
	// drop takes a job out that is not running.
	drop(ctx context.Context, t store.Tx, id int64) error
	// completeSync and the others end the job that calls them, in a transaction.
	completeSync(ctx context.Context, t store.Tx, job *river.Job[syncArgs]) error
	completeRead(ctx context.Context, t store.Tx, job *river.Job[readArgs]) error
	completeDelivery(ctx context.Context, t store.Tx, job *river.Job[deliverArgs]) error
	// syncing reports whether a sync of the target runs in any process.
	syncing(ctx context.Context, target string) (bool, error)
	// close gives back what open took.
	close()
}

// open brings River's tables up to date and makes its client.
func open(ctx context.Context, on store.Queue, config *river.Config) (queue, error) {
	if on.SQLite != nil {
		driver := riversqlite.New(on.SQLite)
		if err := migrate(ctx, driver, config.Logger); err != nil {
			return nil, err
		}
		client, err := river.NewClient(driver, config)
		return &riverQueue[*riversqlite.Driver, *sql.Tx]{client, func(t store.Tx) *sql.Tx { return t.SQLite }, func() {}}, err
	}
	driver := riverpgxv5.New(on.Postgres)
	if err := migratePostgres(ctx, on.Postgres, driver, config.Logger); err != nil {
		on.Postgres.Close()
		return nil, err
	}
	client, err := river.NewClient(driver, config)
	if err != nil {
		on.Postgres.Close()
		return nil, err
	}
	return &riverQueue[*riverpgxv5.Driver, pgx.Tx]{client, func(t store.Tx) pgx.Tx { return t.Postgres }, on.Postgres.Close}, nil
}

func migrate[T any](ctx context.Context, driver riverdriver.Driver[T], log *slog.Logger) error {
	m, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: log})
	if err != nil {
		return fmt.Errorf("migrate the job queue: %w", err)
	}
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("migrate the job queue: %w", err)
	}
	return nil
}

// migrating is the number of the lock under which servers that start at once stand in line: "musjob" in ASCII.
const migrating = 0x6d75736a6f62

func migratePostgres(ctx context.Context, pool *pgxpool.Pool, driver riverdriver.Driver[pgx.Tx], log *slog.Logger) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("migrate the job queue: %w", err)
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", int64(migrating)); err != nil {
		return fmt.Errorf("migrate the job queue: %w", err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		if _, err := conn.Exec(ctx, "SELECT pg_advisory_unlock($1)", int64(migrating)); err != nil {
			_ = conn.Conn().Close(ctx) // which lets go of the lock as well
		}
	}()
	return migrate(ctx, driver, log)
}

// A riverQueue is River with a driver whose transactions are T.
type riverQueue[D riverdriver.Driver[T], T any] struct {
	client *river.Client[T]
	of     func(store.Tx) T
	give   func()
}

func (q *riverQueue[D, T]) start(ctx context.Context) error   { return q.client.Start(ctx) }
func (q *riverQueue[D, T]) stop(ctx context.Context) error    { return q.client.Stop(ctx) }
func (q *riverQueue[D, T]) stopNow(ctx context.Context) error { return q.client.StopAndCancel(ctx) }
func (q *riverQueue[D, T]) close()                            { q.give() }

func (q *riverQueue[D, T]) insert(
	ctx context.Context, t store.Tx, args river.JobArgs, o river.InsertOpts,
) (*rivertype.JobInsertResult, error) {
	o.UniqueOpts = unique
	return q.client.InsertTx(ctx, q.of(t), args, &o)
}

func (q *riverQueue[D, T]) drop(ctx context.Context, t store.Tx, id int64) error {
	_, err := q.client.JobCancelTx(ctx, q.of(t), id)
	return err
}

func (q *riverQueue[D, T]) completeSync(ctx context.Context, t store.Tx, job *river.Job[syncArgs]) error {
	_, err := river.JobCompleteTx[D](ctx, q.of(t), job)
	return lost(err)
}

func (q *riverQueue[D, T]) completeRead(ctx context.Context, t store.Tx, job *river.Job[readArgs]) error {
	_, err := river.JobCompleteTx[D](ctx, q.of(t), job)
	return lost(err)
}

func (q *riverQueue[D, T]) completeDelivery(ctx context.Context, t store.Tx, job *river.Job[deliverArgs]) error {
	_, err := river.JobCompleteTx[D](ctx, q.of(t), job)
	return lost(err)
}

// lost lets a job end that was rescued from it while it was held up: what it did is done, and the other goes on from there.
func lost(err error) error {
	if errors.Is(err, rivertype.ErrNotFound) {
		return nil
	}
	return err
}

// asleep reports whether a job waits for a moment that is still to come.
func asleep(job *rivertype.JobRow) bool {
	return slices.Contains([]rivertype.JobState{rivertype.JobStateScheduled, rivertype.JobStateRetryable}, job.State)
}
