package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"musterline.example/internal/pgtest"
	"musterline.example/internal/secret"
)

// begun opens a new database.
func begun(t *testing.T, at string) *Store {
	t.Helper()
	k, err := secret.New()
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), at, Options{Key: k, Create: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Shut() })
	return s
}

// refused fails the test unless a token cannot be made and the error says why.
func refused(t *testing.T, s *Store, because string) {
	t.Helper()
	made, text, err := s.CreateToken(t.Context(), Token{Name: "x", Role: "viewer"}, "ada")
	if err == nil || !strings.Contains(err.Error(), because) {
		t.Fatalf("got %v, want %q", err, because)
	}
	if made != (Token{}) || text != "" {
		t.Error("a token that was not kept was given out")
	}
}

// whole fails the test unless there are as many tokens, each with its entry, and the record is whole.
func whole(t *testing.T, s *Store, tokens int) {
	t.Helper()
	all, _, err := s.Tokens(t.Context(), "", Page{})
	if err != nil {
		t.Fatal(err)
	}
	entries, err := s.Entries(t.Context(), Filter{Kind: KindToken})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != tokens || len(entries) != tokens {
		t.Errorf("%d tokens and %d entries, want %d", len(all), len(entries), tokens)
	}
	if _, err := s.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

// works fails the test unless a token can be made.
func works(t *testing.T, s *Store) {
	t.Helper()
	if _, _, err := s.CreateToken(t.Context(), Token{Name: "x", Role: "viewer"}, "ada"); err != nil {
		t.Fatal(err)
	}
}

// tell sets something of the one connection that writes.
func tell(t *testing.T, s *Store, pragma string) {
	t.Helper()
	if _, err := s.writes.ExecContext(t.Context(), "PRAGMA "+pragma); err != nil {
		t.Fatal(err)
	}
}

func TestAFullDiskRefusesWhatDoesNotFitAndKeepsTheRest(t *testing.T) {
	s := begun(t, "sqlite:"+filepath.Join(t.TempDir(), "m.db"))
	works(t, s)
	var pages int
	if err := s.writes.QueryRowContext(t.Context(), "PRAGMA page_count").Scan(&pages); err != nil {
		t.Fatal(err)
	}
	tell(t, s, fmt.Sprintf("max_page_count(%d)", pages))
	large, err := json.Marshal(strings.Repeat("x", 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	put := func() error {
		_, err := s.PutConfigured(t.Context(), Change{Section: "sources", Name: "corp", Body: large, By: "ada"})
		return err
	}
	if err := put(); err == nil || !strings.Contains(err.Error(), "disk is full") {
		t.Fatalf("got %v", err)
	}
	if _, err := s.Configured(t.Context(), "sources", "corp"); !errors.Is(err, ErrNotFound) {
		t.Errorf("the row that did not fit: %v", err)
	}
	whole(t, s, 1)
	tell(t, s, "max_page_count(1000000)")
	if err := put(); err != nil {
		t.Fatal("with room again:", err)
	}
	works(t, s)
	whole(t, s, 2)
}

func TestADatabaseThatCannotBeWrittenSaysSoAndAnswers(t *testing.T) {
	s := begun(t, "sqlite:"+filepath.Join(t.TempDir(), "m.db"))
	works(t, s)
	tell(t, s, "query_only(1)")
	refused(t, s, "readonly database")
	whole(t, s, 1)
	tell(t, s, "query_only(0)")
	works(t, s)
	whole(t, s, 2)
}

func TestADatabaseLockedByAnotherProgramSaysSoAndAnswers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.db")
	s := begun(t, "sqlite:"+path)
	works(t, s)
	tell(t, s, "busy_timeout(1)") // rather than the ten seconds that it waits
	other, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	held, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	refused(t, s, "database is locked")
	whole(t, s, 1)
	if err := held.Rollback(); err != nil {
		t.Fatal(err)
	}
	works(t, s)
	whole(t, s, 2)
}

func TestAFileThatIsNoDatabaseIsLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.db")
	letter := strings.Repeat("Dear Ada, this is no database. ", 200)
	if err := os.WriteFile(path, []byte(letter), 0o600); err != nil {
		t.Fatal(err)
	}
	k, err := secret.New()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), "sqlite:"+path, Options{Key: k, Create: true}); err == nil || !strings.Contains(err.Error(), "not a database") {
		t.Errorf("got %v", err)
	}
	after, err := os.ReadFile(path)
	if err != nil || string(after) != letter {
		t.Errorf("it was changed (%v)", err)
	}
}

// stranger is a session of somebody else on the same PostgreSQL.
func stranger(t *testing.T, at string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

func TestAConnectionThatIsCutInATransactionLeavesNothingOfIt(t *testing.T) {
	at := pgtest.URL(t)
	s := begun(t, at)
	works(t, s)
	holder, cutter := stranger(t, at), stranger(t, at)
	if _, err := holder.Exec(t.Context(), "BEGIN; SELECT id FROM audit_head FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		_, _, err := s.CreateToken(context.WithoutCancel(t.Context()), Token{Name: "x", Role: "viewer"}, "ada")
		done <- err
	}()
	for cut := 0; cut == 0; { // until it waits in its transaction
		if err := cutter.QueryRow(t.Context(), `SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity
			WHERE datname = current_database() AND application_name = 'musterline' AND wait_event_type = 'Lock'`).Scan(&cut); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-done; err == nil || !strings.HasPrefix(err.Error(), "create token: ") || !strings.Contains(err.Error(), "57P01") {
		t.Errorf("got %v", err) // 57P01 is admin_shutdown
	}
	if _, err := holder.Exec(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	works(t, s)
	whole(t, s, 2)
}

func TestAServerThatCutsEveryConnectionIsFoundAgain(t *testing.T) {
	at := pgtest.URL(t)
	s := begun(t, at)
	works(t, s)
	if _, err := stranger(t, at).Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE datname = current_database() AND application_name = 'musterline'`); err != nil {
		t.Fatal(err)
	}
	// Each idle connection may cost one call that fails; none half succeeds.
	made := 1
	for range 20 {
		if _, _, err := s.CreateToken(t.Context(), Token{Name: "x", Role: "viewer", ExpiresAt: time.Now().Add(time.Hour)}, "ada"); err == nil {
			made++
		}
	}
	if made < 12 {
		t.Errorf("of 20 calls %d failed", 21-made)
	}
	whole(t, s, made)
}
