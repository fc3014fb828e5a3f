package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"musterline.example/internal/pgtest"
	"musterline.example/store"
	"musterline.example/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// server is a PostgreSQL database for one case.
type server struct{ url string }

func (s server) URL() string { return s.url }

func (s server) Try(statement string, args ...any) error {
	conn, err := pgx.Connect(context.Background(), s.url)
	if err != nil {
		return err
	}
	_, err = conn.Exec(context.Background(), statement, args...)
	return errors.Join(err, conn.Close(context.Background()))
}

func (s server) Exec(t testing.TB, statement string, args ...any) {
	t.Helper()
	if err := s.Try(statement, args...); err != nil {
		t.Fatal(statement, err)
	}
}

func (s server) Disarm(t testing.TB) {
	t.Helper()
	s.Exec(t, "ALTER TABLE audit_entries DISABLE TRIGGER ALL")
}

func TestPostgreSQL(t *testing.T) {
	pgtest.URL(t) // skips once rather than in every case
	storetest.Run(t, func(t *testing.T, prepare func(string) error) storetest.Database {
		return server{pgtest.Prepared(t, "store", prepare)}
	})
}

func TestServersShareAPostgreSQLAndACommandWantsItAlone(t *testing.T) {
	url, k := pgtest.URL(t), newKey(t)
	s, err := store.Open(t.Context(), url, store.Options{Key: k, Create: true, Who: "musterline serve"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Shut() }()
	first, err := s.LockShared(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	second, err := s.LockShared(t.Context())
	if err != nil {
		t.Fatal("a second server:", err)
	}
	// Who has it is said whole: PostgreSQL itself would cut it off in the middle of a word.
	if _, err := s.Lock(t.Context()); !errors.Is(err, store.ErrLocked) || !regexp.MustCompile(
		fmt.Sprintf(`by musterline serve \(process %d on [^ ]+, since 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ\)$`, os.Getpid())).MatchString(err.Error()) {
		t.Errorf("a command got %v", err)
	}
	if err := errors.Join(first(), second()); err != nil {
		t.Fatal(err)
	}
	unlock, err := s.Lock(t.Context())
	if err != nil {
		t.Fatal("a command after the servers:", err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
}

func TestAnEmptyPostgreSQLIsNotFilledUnlessToldTo(t *testing.T) {
	url := pgtest.URL(t)
	for _, o := range []store.Options{{Key: newKey(t)}, {ReadOnly: true}} {
		if _, err := store.Open(t.Context(), url, o); !errors.Is(err, store.ErrNoDatabase) {
			t.Errorf("got %v", err)
		}
	}
	if empty, err := store.Empty(t.Context(), url); err != nil || !empty {
		t.Errorf("Empty = %v, %v", empty, err)
	}
}

// lockNumber is that of the lock on the database, which all servers of all versions share.
const lockNumber = 0x6d7573746572

// locks are those on the database of a test among all of the PostgreSQL; lockLost breaks the session that holds one, as a restart does.
const (
	locks    = "FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
	lockLost = "SELECT pg_terminate_backend(pid) " + locks + "AND granted"
)

func TestAServerTakesItsLockAgainThatItLostWithTheConnection(t *testing.T) {
	url := pgtest.URL(t)
	s, err := store.Open(t.Context(), url, store.Options{Key: newKey(t), Create: true, Who: "musterline serve"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Shut() }()
	unlock, err := s.LockShared(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	server{url}.Exec(t, lockLost)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	for free, until := true, time.Now().Add(time.Minute); free; time.Sleep(10 * time.Millisecond) { // nobody asks: it is taken nevertheless
		if err := conn.QueryRow(t.Context(), "SELECT pg_try_advisory_lock($1)", int64(lockNumber)).Scan(&free); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(until) {
			t.Fatal("the lock stays free")
		}
		if _, err := conn.Exec(t.Context(), "SELECT pg_advisory_unlock_all()"); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Held(); err != nil {
		t.Error(err)
	}
	if err := unlock(); err != nil {
		t.Error(err)
	}
}

func TestAServerThatLostItsLockToACommandSaysSoUntilItHasItAgain(t *testing.T) {
	url := pgtest.URL(t)
	s, err := store.Open(t.Context(), url, store.Options{Key: newKey(t), Create: true, Who: "musterline serve"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Shut() }()
	if err := s.Held(); err != nil {
		t.Error("without a lock, which cannot be lost:", err)
	}
	unlock, err := s.LockShared(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Held(); err != nil {
		t.Error(err)
	}
	command, err := pgx.Connect(t.Context(), url+"&application_name=musterline%20sync")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = command.Close(context.Background()) }()
	watching, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = watching.Close(context.Background()) }()
	taken := make(chan error, 1)
	go func() {
		_, err := command.Exec(context.Background(), "SELECT pg_advisory_lock($1)", int64(lockNumber))
		taken <- err
	}()
	for waits := 0; waits == 0; {
		if err := watching.QueryRow(t.Context(), "SELECT COUNT(*) "+locks+"AND NOT granted").Scan(&waits); err != nil {
			t.Fatal(err)
		}
	}
	server{url}.Exec(t, lockLost)
	if err := <-taken; err != nil {
		t.Fatal(err)
	}
	if err := s.Held(); !errors.Is(err, store.ErrLocked) || !strings.Contains(err.Error(), "musterline sync") {
		t.Errorf("beside a command: %v", err)
	}
	if err := command.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	for until := time.Now().Add(time.Minute); s.Held() != nil; {
		if time.Now().After(until) {
			t.Fatal("it is never held again:", s.Held())
		}
	}
	if err := unlock(); err != nil {
		t.Error(err)
	}
	if err := s.Held(); err != nil {
		t.Error("after it was given back:", err)
	}
}
