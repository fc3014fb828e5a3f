package store_test

import (
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"musterline.example/internal/secret"
	"musterline.example/store"
	"musterline.example/store/storetest"
	"musterline.example/target"
)

var _ target.Hints = (*store.Hints)(nil)

// file is a SQLite database for one case.
type file struct{ path string }

func (f file) URL() string { return "sqlite:" + f.path }

func (f file) Try(statement string, args ...any) error {
	in, err := sql.Open("sqlite", "file:"+(&url.URL{Path: f.path}).EscapedPath()+"?_pragma=busy_timeout(10000)")
	if err != nil {
		return err
	}
	_, err = in.Exec(statement, args...)
	return errors.Join(err, in.Close())
}

func (f file) Exec(t testing.TB, statement string, args ...any) {
	t.Helper()
	if err := f.Try(statement, args...); err != nil {
		t.Fatal(statement, err)
	}
}

func (f file) Disarm(t testing.TB) {
	t.Helper()
	f.Exec(t, "DROP TRIGGER audit_entries_stay")
	f.Exec(t, "DROP TRIGGER audit_entries_remain")
}

func TestSQLite(t *testing.T) {
	storetest.Run(t, func(t *testing.T, _ func(string) error) storetest.Database {
		return file{filepath.Join(t.TempDir(), "a database?.db")}
	})
}

func newKey(t testing.TB) *secret.Key {
	t.Helper()
	k, err := secret.New()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestAMissingDatabaseIsNotMadeUnlessToldTo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.db")
	for _, o := range []store.Options{{Key: newKey(t)}, {ReadOnly: true}, {ReadOnly: true, Create: false, Key: newKey(t)}} {
		if _, err := store.Open(t.Context(), "sqlite:"+path, o); !errors.Is(err, store.ErrNoDatabase) || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got %v", err)
		}
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the file was made")
	}
	if empty, err := store.Empty(t.Context(), "sqlite:"+path); err != nil || !empty {
		t.Errorf("Empty = %v, %v", empty, err)
	}
}

func TestADatabaseIsForItsOwnersEyesOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.db")
	s, err := store.Open(t.Context(), "sqlite:"+path, store.Options{Key: newKey(t), Create: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Shut() }()
	for _, name := range []string{path, path + "-wal"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has mode %o", filepath.Base(name), mode)
		}
	}
}

func TestAServerTakesSQLiteAlone(t *testing.T) {
	at := "sqlite:" + filepath.Join(t.TempDir(), "m.db")
	s, err := store.Open(t.Context(), at, store.Options{Key: newKey(t), Create: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Shut() }()
	unlock, err := s.LockShared(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.LockShared(t.Context()); !errors.Is(err, store.ErrLocked) {
		t.Errorf("a second server got %v", err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
}

func TestTablesOfANewerProgramAreRefused(t *testing.T) {
	f := file{filepath.Join(t.TempDir(), "m.db")}
	k := newKey(t)
	s, err := store.Open(t.Context(), f.URL(), store.Options{Key: k, Create: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Shut(); err != nil {
		t.Fatal(err)
	}
	f.Exec(t, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)")
	for _, o := range []store.Options{{Key: k}, {Key: k, ReadOnly: true}} {
		if _, err := store.Open(t.Context(), f.URL(), o); err == nil {
			t.Error("it was opened")
		}
	}
}
