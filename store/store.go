// Package store is the memory of Musterline in a database: SQLite in a file, or PostgreSQL by URL.
//
// It satisfies reconcile.Memory and audit.Log, and offers the commands and the doors what they show. It decides nothing: every method is
// one transaction or one question. There is one file for each noun with its SQL beside it; sqlc makes package internal/db of the SQL,
// once for both databases. What differs between the two lies in sqlite.go and postgres.go.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"musterline.example/audit"
	"musterline.example/internal/secret"
	"musterline.example/reconcile"
	"musterline.example/store/internal/db"
)

var (
	_ reconcile.Memory = (*Store)(nil)
	_ audit.Log        = (*Store)(nil)
)

// Options say how a database is opened.
type Options struct {
	Key *secret.Key // may be nil for a reader: then credentials and Verify are out of reach
	Now func() time.Time
	Log *slog.Logger

	ReadOnly bool // writes nothing, not even migrations
	Create   bool // makes a database that is not there
	Beside   bool // writes rows beside a server that may be running: it neither makes a database nor brings its tables up to date

	// Who is named to whoever finds the database locked: "musterline sync". The process and the host are added.
	Who string
}

// A Store is an open database. It is safe for concurrent use.
type Store struct {
	engine  engine
	writes  *sql.DB
	reads   *sql.DB
	queries *db.Queries // of reads
	marks   marker      // of reads
	key     *secret.Key
	chain   []byte // the key of the audit chain
	now     func() time.Time
	log     *slog.Logger
	who     string
	locked  bool // nothing is written: opened as reader
	beside  bool // the tables stay as they are
	asked   Asked
	lock    atomic.Pointer[lock] // the last that was taken; nil: none
}

// Asked is told, within the transaction that makes them, of requests that are due at once. It puts the job that does them into the same
// transaction, so that neither is there without the other.
type Asked func(ctx context.Context, t Tx, requests []reconcile.Request) error

// OnAsked says who is told of requests. It is called before the store is shared.
func (s *Store) OnAsked(f Asked) { s.asked = f }

// A Tx is a transaction of the store as the database's own driver knows it, for a job queue that takes part in it. One of the two is set.
type Tx struct {
	SQLite   *sql.Tx
	Postgres pgx.Tx
}

// An engine is what the two databases do differently.
type engine interface {
	// open opens the pools. It makes the database only when told to.
	open(ctx context.Context, o Options) (writes, reads *sql.DB, err error)
	// empty reports whether there is nothing in the database yet.
	empty(ctx context.Context) (bool, error)
	dialect() dialect
	// snapshot is how to begin a transaction whose reads all see one moment.
	snapshot() *sql.TxOptions
	// rowsAtOnce is how many rows one statement writes when many are to be written.
	rowsAtOnce() int
	// lock takes the database for one process, or shares it with others that share it.
	lock(ctx context.Context, writes *sql.DB, who holder, shared bool, log *slog.Logger) (lock, error)
	// begin begins a transaction that writes.
	begin(ctx context.Context, writes *sql.DB) (*txn, error)
	// queue opens what a job queue lives on.
	queue(ctx context.Context, writes *sql.DB) (Queue, error)
	// reader is what asks on the pool for reading, and what sees whether anything has changed.
	reader(reads *sql.DB) (db.DBTX, marker)
	// again reports whether the same transaction may succeed when tried again.
	again(err error) bool
}

// A lock is the right of a process to a database.
type lock interface {
	// held returns nil while the process has it, and takes it again when it was lost.
	held() error
	unlock() error
}

// A txn is a transaction under way. After a commit rollback does nothing.
type txn struct {
	db.DBTX
	Tx

	commit, rollback func() error
}

// ErrNoDatabase is in the chain of the error of Open when there is no database and none may be made.
var ErrNoDatabase = fmt.Errorf("no database: %w", fs.ErrNotExist)

// ErrNotFound is in the chain of errors about a row that is not there.
var ErrNotFound = errors.New("not found")

// engineOf reads the URL of a database: sqlite:PATH or postgres://….
func engineOf(url string) (engine, error) {
	scheme, rest, _ := strings.Cut(url, ":")
	switch {
	case scheme == "sqlite" && rest != "":
		return &sqlite{path: strings.TrimPrefix(rest, "//")}, nil
	case (scheme == "postgres" || scheme == "postgresql") && strings.HasPrefix(rest, "//"):
		return &postgres{url: url}, nil
	}
	return nil, errors.New("a database is written sqlite:PATH or postgres://…") // without the URL: it may hold a password
}

// Empty reports whether there is no database at url, or one that holds nothing yet. A key file may be made only beside an empty database.
func Empty(ctx context.Context, url string) (bool, error) {
	e, err := engineOf(url)
	if err != nil {
		return false, err
	}
	empty, err := e.empty(ctx)
	if err != nil {
		return false, fmt.Errorf("look into the database: %w", err)
	}
	return empty, nil
}

// Open opens a database and brings its tables up to date. Without Create a missing one is ErrNoDatabase; a key file that is not this
// database's is secret.ErrWrongKey; a database of a newer program is refused.
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	e, err := engineOf(url)
	if err != nil {
		return nil, err
	}
	if o.Key == nil && !o.ReadOnly {
		return nil, errors.New("open database: writing needs the key file")
	}
	s := &Store{engine: e, key: o.Key, now: o.Now, log: o.Log, who: o.Who, locked: o.ReadOnly, beside: o.Beside}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.writes, s.reads, err = e.open(ctx, o); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	asks, marks := e.reader(s.reads)
	s.queries, s.marks = db.New(asks), marks
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open database: %w", err), s.Shut())
	}
	return s, nil
}

// prepare migrates, and makes sure of the key.
func (s *Store) prepare(ctx context.Context) error {
	if s.locked || s.beside {
		if err := current(ctx, s.reads); err != nil {
			return err
		}
	} else if err := migrate(ctx, s.writes, s.engine.dialect(), s.log); err != nil {
		return err
	}
	if s.key == nil {
		return nil
	}
	s.chain = s.key.Derive("audit chain")
	if !s.locked && !s.beside {
		if err := s.found(ctx); err != nil {
			return err
		}
	}
	owner, err := s.queries.GetFingerprint(ctx)
	if err != nil {
		return fmt.Errorf("read fingerprint: %w", err)
	}
	if owner != s.key.Fingerprint() {
		return fmt.Errorf("this key file (%s) did not encrypt this database, which belongs to key file %s: %w",
			s.key.Fingerprint(), owner, secret.ErrWrongKey)
	}
	return nil
}

// found makes the rows that a new database begins with.
func (s *Store) found(ctx context.Context) error {
	if _, err := s.queries.GetFingerprint(ctx); !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	return s.write(ctx, "begin database", func(t *tx) error {
		if err := t.PutFingerprint(ctx, s.key.Fingerprint()); err != nil {
			return err
		}
		if _, err := t.GetHead(ctx); !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		return t.putHead(ctx, head{mac: genesis, baseMAC: genesis})
	})
}

// Shut closes the database. Its name is not Close because that ends an intent.
func (s *Store) Shut() error {
	err := errors.Join(s.marks.shut(), s.writes.Close())
	if s.reads != s.writes {
		err = errors.Join(err, s.reads.Close())
	}
	return err
}

// Derive returns a key for a purpose, the same for all servers that share the database. It tells nothing of the key file.
func (s *Store) Derive(purpose string) []byte { return s.key.Derive(purpose) }

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return s.reads.PingContext(ctx) }

// Lock takes the database for this process alone until unlock, as a command that writes does. When another holds it, the error says who
// and is ErrLocked.
func (s *Store) Lock(ctx context.Context) (unlock func() error, err error) {
	return s.take(ctx, false)
}

// LockShared takes the database as a server does: on PostgreSQL beside other servers, on SQLite alone.
func (s *Store) LockShared(ctx context.Context) (unlock func() error, err error) {
	return s.take(ctx, true)
}

func (s *Store) take(ctx context.Context, shared bool) (unlock func() error, err error) {
	l, err := s.engine.lock(ctx, s.writes, s.holder(), shared, s.log)
	if err != nil {
		return nil, err
	}
	s.lock.Store(&l)
	return func() error {
		s.lock.CompareAndSwap(&l, nil)
		return l.unlock()
	}, nil
}

// Held returns nil while this process has the lock that it took, or took none. On PostgreSQL a lock ends with its connection, as when the
// server is restarted: it is taken again within seconds, and until then the error says why not; it is ErrLocked when another process has the
// database. On SQLite a lock lasts as long as its process.
func (s *Store) Held() error {
	l := s.lock.Load()
	if l == nil {
		return nil
	}
	return (*l).held()
}

// ErrLocked is in the chain of the error of Lock when another process holds the database.
var ErrLocked = errors.New("the database is in use")

// tx is one transaction that writes.
type tx struct {
	*db.Queries
	sql  db.DBTX
	own  Tx
	s    *Store
	last *head // of the audit record, once this transaction holds it
}

// attempts is how often a transaction is tried that the database broke off for no fault of its own.
const attempts = 4

// write runs f in one transaction. It runs f again when PostgreSQL broke it off in favour of another.
func (s *Store) write(ctx context.Context, doing string, f func(*tx) error) error {
	if s.locked {
		return fmt.Errorf("%s: the database is open for reading only", doing)
	}
	var err error
	for range attempts {
		if err = s.once(ctx, f); err == nil {
			return nil
		}
		if !s.engine.again(err) {
			break
		}
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// once runs f in one transaction.
func (s *Store) once(ctx context.Context, f func(*tx) error) error {
	t, err := s.engine.begin(ctx, s.writes)
	if err != nil {
		return err
	}
	defer func() { _ = t.rollback() }() // the error of f tells more
	if err := f(&tx{Queries: db.New(t), sql: t.DBTX, own: t.Tx, s: s}); err != nil {
		return err
	}
	return t.commit()
}

// number takes the next number of a counter.
func (t *tx) number(ctx context.Context, counter string) (int64, error) {
	return t.Count(ctx, db.CountParams{Name: counter, N: 1})
}
