package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver

	"musterline.example/store/internal/db"
)

// sqlite is a database in one file.
type sqlite struct{ path string }

// open opens one connection that writes and a few that read. Two that write would wait for each other in vain: SQLite has one writer.
func (e *sqlite) open(ctx context.Context, o Options) (writes, reads *sql.DB, err error) {
	switch _, err := os.Stat(e.path); {
	case errors.Is(err, fs.ErrNotExist) && !o.Create:
		return nil, nil, fmt.Errorf("%s: %w", e.path, ErrNoDatabase)
	case errors.Is(err, fs.ErrNotExist):
		// It will say who is in which group: its owner's eyes only. What SQLite puts beside it takes the same mode.
		f, err := os.OpenFile(e.path, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return nil, nil, err
		}
		if err := f.Close(); err != nil {
			return nil, nil, err
		}
	case err != nil:
		return nil, nil, err
	}
	if reads, err = sql.Open("sqlite", e.dsn("query_only(1)")); err != nil {
		return nil, nil, err
	}
	reads.SetMaxOpenConns(5) // of which Mark has one
	reads.SetMaxIdleConns(5)
	if o.ReadOnly {
		if err := reads.PingContext(ctx); err != nil {
			return nil, nil, errors.Join(fmt.Errorf("%s: %w", e.path, err), reads.Close())
		}
		return reads, reads, nil
	}
	// FULL: an intent must be on the disk before the act, even when the power fails.
	if writes, err = sql.Open("sqlite", e.dsn("journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)")+"&_txlock=immediate"); err != nil {
		return nil, nil, errors.Join(err, reads.Close())
	}
	writes.SetMaxOpenConns(1)
	if err := writes.PingContext(ctx); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("%s: %w", e.path, err), writes.Close(), reads.Close())
	}
	return writes, reads, nil
}

// dsn names the file to the driver.
func (e *sqlite) dsn(pragmas ...string) string {
	q := url.Values{"mode": {"rw"}, "_pragma": append([]string{"busy_timeout(10000)"}, pragmas...)}
	return "file:" + (&url.URL{Path: filepath.ToSlash(e.path)}).EscapedPath() + "?" + q.Encode()
}

func (e *sqlite) empty(ctx context.Context) (bool, error) {
	info, err := os.Stat(e.path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	in, err := sql.Open("sqlite", e.dsn("query_only(1)"))
	if err != nil {
		return false, err
	}
	defer func() { _ = in.Close() }()
	var n int
	if err := in.QueryRowContext(ctx, "SELECT COUNT(*) FROM sqlite_master WHERE name = 'stores'").Scan(&n); err != nil {
		return false, fmt.Errorf("%s: %w", e.path, err)
	}
	if n == 0 {
		return true, nil
	}
	return none(in.QueryRowContext(ctx, "SELECT COUNT(*) FROM stores"))
}

// none reports whether a count is 0.
func none(row *sql.Row) (bool, error) {
	var n int
	err := row.Scan(&n)
	return n == 0, err
}

func (e *sqlite) reader(reads *sql.DB) (db.DBTX, marker) {
	return &prepared{DB: reads, statements: make(map[string]*sql.Stmt)}, &sqliteMarks{reads: reads}
}

func (e *sqlite) snapshot() *sql.TxOptions { return nil } // what SQLite always does

func (e *sqlite) begin(ctx context.Context, writes *sql.DB) (*txn, error) {
	t, err := writes.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	return &txn{DBTX: t, Tx: Tx{SQLite: t}, commit: t.Commit, rollback: t.Rollback}, nil
}

// queue shares the pool that writes: of two, one starves.
func (e *sqlite) queue(_ context.Context, writes *sql.DB) (Queue, error) {
	return Queue{SQLite: writes}, nil
}

func (e *sqlite) again(error) bool { return false } // the one writer is never broken off

// rowsAtOnce is 1: a prepared statement run for each row is ten times faster here than long ones, whose parameters are found by name.
func (e *sqlite) rowsAtOnce() int { return 1 }

func (e *sqlite) dialect() dialect {
	return dialect{goose.DialectSQLite3, []string{
		`CREATE TRIGGER audit_entries_stay BEFORE UPDATE ON audit_entries
		BEGIN SELECT RAISE(ABORT, 'audit entries are never changed'); END`,
		// Pruning first moves the base of the record, under its seal.
		`CREATE TRIGGER audit_entries_remain BEFORE DELETE ON audit_entries
		WHEN OLD.seq > (SELECT base_seq FROM audit_head)
		BEGIN SELECT RAISE(ABORT, 'audit entries are never deleted but by pruning'); END`,
	}}
}

// lock takes the lock of the operating system on a file beside the database. SQLite serves one process at a time, so a server takes it
// alone as well. A process that dies lets go of it.
func (e *sqlite) lock(_ context.Context, _ *sql.DB, who holder, _ bool, _ *slog.Logger) (lock, error) {
	path := e.path + ".lock"
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock database: %w", err)
	}
	if err := tryLock(f); err != nil {
		holder, _ := os.ReadFile(path)
		_ = f.Close()
		if !errors.Is(err, errHeld) {
			return nil, fmt.Errorf("lock database: %w", err)
		}
		return nil, inUse(string(holder))
	}
	if err := errors.Join(f.Truncate(0), writeAt(f, who.String())); err != nil {
		return nil, errors.Join(fmt.Errorf("lock database: %w", err), f.Close())
	}
	return fileLock{f}, nil
}

// A fileLock is held as long as its process lives.
type fileLock struct{ file *os.File }

func (l fileLock) held() error { return nil }

func (l fileLock) unlock() error {
	// The file stays: deleting it would let two processes hold two files of one name.
	return errors.Join(l.file.Truncate(0), l.file.Close())
}

func writeAt(f *os.File, text string) error {
	_, err := f.WriteAt([]byte(text), 0)
	return err
}
