package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"musterline.example/store/internal/db"
)

// postgres is a database on a server, for when one machine is not enough.
type postgres struct{ url string }

// advisory is the number of our lock on the database: "muster" in ASCII.
const advisory = 0x6d7573746572

// open opens one pool for everything.
func (e *postgres) open(ctx context.Context, o Options) (writes, reads *sql.DB, err error) {
	pool, err := e.pool(o.ReadOnly)
	if err != nil {
		return nil, nil, err
	}
	if err := pool.PingContext(ctx); err != nil {
		return nil, nil, errors.Join(err, pool.Close())
	}
	if !o.Create && !o.ReadOnly { // a reader is told by current
		empty, err := emptyPostgres(ctx, pool)
		if err == nil && empty {
			err = fmt.Errorf("it is empty: %w", ErrNoDatabase)
		}
		if err != nil {
			return nil, nil, errors.Join(err, pool.Close())
		}
	}
	return pool, pool, nil
}

func (e *postgres) pool(readOnly bool) (*sql.DB, error) {
	config, err := pgx.ParseConfig(e.url)
	if err != nil {
		return nil, err // pgx leaves the password out of it
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "musterline"
	}
	if readOnly {
		config.RuntimeParams["default_transaction_read_only"] = "on"
	}
	pool := stdlib.OpenDB(*config)
	pool.SetMaxOpenConns(16)
	pool.SetMaxIdleConns(16) // to open one costs PostgreSQL a process: under load none is closed only to be opened again
	pool.SetConnMaxIdleTime(5 * time.Minute)
	return pool, nil
}

func (e *postgres) empty(ctx context.Context) (bool, error) {
	pool, err := e.pool(true)
	if err != nil {
		return false, err
	}
	defer func() { _ = pool.Close() }()
	return emptyPostgres(ctx, pool)
}

func emptyPostgres(ctx context.Context, in *sql.DB) (bool, error) {
	var there bool
	if err := in.QueryRowContext(ctx, "SELECT to_regclass('stores') IS NOT NULL").Scan(&there); err != nil || !there {
		return !there, err
	}
	return none(in.QueryRowContext(ctx, "SELECT COUNT(*) FROM stores"))
}

func (e *postgres) reader(reads *sql.DB) (db.DBTX, marker) { return reads, postgresMarks{reads} } // pgx keeps statements by itself

func (e *postgres) snapshot() *sql.TxOptions {
	return &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
}

// begin begins a transaction of pgx on a connection that database/sql lends, so that both can take part in it.
func (e *postgres) begin(ctx context.Context, writes *sql.DB) (*txn, error) {
	conn, err := writes.Conn(ctx)
	if err != nil {
		return nil, err
	}
	var own pgx.Tx
	if err := conn.Raw(func(conn any) (err error) {
		own, err = conn.(*stdlib.Conn).Conn().Begin(ctx) //nolint:forcetypeassert // the pool was opened by stdlib
		return err
	}); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &txn{
		DBTX: conn, Tx: Tx{Postgres: own},
		commit: func() error { return own.Commit(ctx) },
		rollback: func() error {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
			defer cancel()
			if err := own.Rollback(ctx); err != nil && !errors.Is(err, pgx.ErrTxClosed) {
				return errors.Join(err, conn.Close())
			}
			return conn.Close()
		},
	}, nil
}

// queue opens a pool of pgx's own, for a queue that listens to notifications.
func (e *postgres) queue(ctx context.Context, _ *sql.DB) (Queue, error) {
	config, err := pgxpool.ParseConfig(e.url)
	if err != nil {
		return Queue{}, err // pgx leaves the password out of it
	}
	if config.ConnConfig.RuntimeParams["application_name"] == "" {
		config.ConnConfig.RuntimeParams["application_name"] = "musterline jobs"
	}
	config.MaxConns, config.MaxConnIdleTime = 8, 5*time.Minute
	pool, err := pgxpool.NewWithConfig(ctx, config)
	return Queue{Postgres: pool}, err
}

// again is true for a transaction that lost a race: serialization_failure and deadlock_detected.
func (e *postgres) again(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (pg.Code == "40001" || pg.Code == "40P01")
}

// rowsAtOnce spares round trips and keeps statements short enough to be parsed quickly.
func (e *postgres) rowsAtOnce() int { return 500 }

func (e *postgres) dialect() dialect {
	return dialect{goose.DialectPostgres, []string{
		`CREATE FUNCTION audit_entries_stay() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN
			-- Pruning first moves the base of the record, under its seal.
			IF TG_OP = 'DELETE' THEN
				IF OLD.seq <= (SELECT base_seq FROM audit_head) THEN RETURN OLD; END IF;
				RAISE EXCEPTION 'audit entries are never deleted but by pruning';
			END IF;
			RAISE EXCEPTION 'audit entries are never changed';
		END $$`,
		`CREATE TRIGGER audit_entries_stay BEFORE UPDATE OR DELETE ON audit_entries FOR EACH ROW EXECUTE FUNCTION audit_entries_stay()`,
		`CREATE TRIGGER audit_entries_remain BEFORE TRUNCATE ON audit_entries FOR EACH STATEMENT EXECUTE FUNCTION audit_entries_stay()`,
	}}
}

// longestName is how many bytes PostgreSQL keeps of the name of a session (NAMEDATALEN).
const longestName = 63

const (
	// patience is how long a lock is tried for: PostgreSQL takes a moment to find out that a process which was killed has gone.
	patience = 3 * time.Second
	// watchful is how often the session of a lock is looked after, and how long it may take to answer.
	watchful, answered = 2 * time.Second, 5 * time.Second
)

// A session holds an advisory lock. The lock ends with the process, and also with the connection, as when PostgreSQL is restarted; so the
// session is watched, and the lock taken again.
type session struct {
	pool     *sql.DB
	who      string
	shared   bool
	log      *slog.Logger
	end      context.CancelFunc
	watching sync.WaitGroup

	mu   sync.Mutex
	conn *sql.Conn // nil while the lock is lost
}

// lock takes an advisory lock in a session of its own. Servers share it; a command wants it alone.
func (e *postgres) lock(ctx context.Context, writes *sql.DB, who holder, shared bool, log *slog.Logger) (lock, error) {
	l := &session{pool: writes, who: who.within(longestName), shared: shared, log: log}
	if err := l.take(ctx, patience); err != nil {
		return nil, err
	}
	watching, end := context.WithCancel(context.WithoutCancel(ctx))
	l.end = end
	l.watching.Go(func() {
		for {
			select {
			case <-watching.Done():
				return
			case <-time.After(watchful):
				l.look()
			}
		}
	})
	return l, nil
}

// take tries for a while to take the lock.
func (l *session) take(ctx context.Context, patience time.Duration) error {
	conn, err := l.pool.Conn(ctx)
	if err != nil {
		return fmt.Errorf("lock database: %w", err)
	}
	try := "SELECT pg_try_advisory_lock($1)"
	if l.shared {
		try = "SELECT pg_try_advisory_lock_shared($1)"
	}
	var held bool
	// The name of the session is where others read who holds the lock.
	_, err = conn.ExecContext(ctx, "SELECT set_config('application_name', $1, false)", l.who)
	for until := time.Now().Add(patience); err == nil; {
		if err = conn.QueryRowContext(ctx, try, int64(advisory)).Scan(&held); held || !time.Now().Before(until) {
			break
		}
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	if err != nil {
		return errors.Join(fmt.Errorf("lock database: %w", err), conn.Close())
	}
	if !held {
		var holder string
		var since time.Time
		// A lock that was let go in between has no holder any more; the refusal stands, and the next try succeeds.
		_ = conn.QueryRowContext(ctx, `SELECT a.application_name, a.backend_start FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
			WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
			AND (l.classid::bigint << 32) + l.objid::bigint = $1 LIMIT 1`, int64(advisory)).Scan(&holder, &since)
		if of, ours := strings.CutSuffix(holder, ")"); ours {
			holder = of + ", since " + since.UTC().Format(time.RFC3339) + ")"
		}
		return errors.Join(inUse(holder), giveBack(ctx, conn))
	}
	l.conn = conn
	return nil
}

// giveBack gives a session to the others as it was.
func giveBack(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, "SELECT set_config('application_name', 'musterline', false)")
	return errors.Join(err, conn.Close())
}

// look sees whether the lock is held; who asks next is told. A fault here is no reason to end the program: nobody stands above it.
func (l *session) look() {
	defer func() {
		if why := recover(); why != nil {
			l.log.Error("panic", "in", "watching the lock on the database", "panic", fmt.Sprint(why), "stack", string(debug.Stack()))
		}
	}()
	_ = l.held()
}

// held implements lock. It asks under no context of a caller: one that ended meanwhile would end the connection, and the lock with it.
func (l *session) held() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), answered)
	defer cancel()
	if l.conn != nil {
		_, err := l.conn.ExecContext(ctx, "SELECT 1")
		if err == nil {
			return nil
		}
		l.log.WarnContext(ctx, "the lock on the database was lost with its connection", "error", err)
		// What may be left of the connection is no use to others: its session may still hold the lock.
		_ = l.conn.Raw(func(any) error { return driver.ErrBadConn })
		_ = l.conn.Close()
		l.conn = nil
	}
	again, end := context.WithTimeout(context.Background(), answered)
	defer end()
	if err := l.take(again, 0); err != nil {
		return fmt.Errorf("the lock on the database was lost with its connection, and is not had again: %w", err)
	}
	l.log.InfoContext(ctx, "the lock on the database is held again")
	return nil
}

// unlock implements lock.
func (l *session) unlock() error {
	l.end()
	l.watching.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	release := "SELECT pg_advisory_unlock($1)"
	if l.shared {
		release = "SELECT pg_advisory_unlock_shared($1)"
	}
	_, err := l.conn.ExecContext(ctx, release, int64(advisory))
	err = errors.Join(err, giveBack(ctx, l.conn))
	l.conn = nil
	return err
}
