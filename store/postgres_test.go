package store_test

import (
	"context"
	"errors"
	"os"
	"testing"

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
	storetest.Run(t, func(t *testing.T) storetest.Database { return server{pgtest.URL(t)} })
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
	if _, err := s.Lock(t.Context()); !errors.Is(err, store.ErrLocked) {
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
