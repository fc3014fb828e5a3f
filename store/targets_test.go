package store

import (
	"context"
	"database/sql"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
)

// A counting engine counts the transactions that write.
type counting struct {
	engine

	begun atomic.Int64
}

func (c *counting) begin(ctx context.Context, writes *sql.DB) (*txn, error) {
	c.begun.Add(1)
	return c.engine.begin(ctx, writes)
}

func TestTheHintsOfOneReadAreOneTransaction(t *testing.T) {
	at := "sqlite:" + filepath.Join(t.TempDir(), "hints.db")
	s := begun(t, at)
	c := &counting{engine: s.engine}
	s.engine = c
	h, err := s.Hints(t.Context(), "octo")
	if err != nil {
		t.Fatal(err)
	}
	const people, hands = 2000, 4
	read := func() {
		var all sync.WaitGroup
		for hand := range hands {
			all.Go(func() {
				for i := hand; i < people; i += hands {
					h.Keep("account:"+strconv.Itoa(i), "U_"+strconv.Itoa(i))
				}
			})
		}
		all.Wait()
		h.Flush()
	}
	read()
	if n := c.begun.Load(); n != 1 {
		t.Errorf("%d transactions for one read", n)
	}
	read() // says nothing new
	h.Flush()
	if n := c.begun.Load(); n != 1 {
		t.Errorf("%d transactions after a read that said nothing new", n)
	}
	kept, err := s.Hints(t.Context(), "octo")
	if err != nil {
		t.Fatal(err)
	}
	for i := range people {
		if v, ok := kept.Hint("account:" + strconv.Itoa(i)); !ok || v != "U_"+strconv.Itoa(i) {
			t.Fatalf("account %d: %q, %v", i, v, ok)
		}
	}
}

func TestReadsAtTheSameTimeKeepAllTheirHintsAndTheLastOfEach(t *testing.T) {
	s := begun(t, "sqlite:"+filepath.Join(t.TempDir(), "hints.db"))
	h, err := s.Hints(t.Context(), "octo")
	if err != nil {
		t.Fatal(err)
	}
	const reads, each = 8, 40
	var all sync.WaitGroup
	for r := range reads {
		all.Go(func() {
			for i := range each {
				h.Keep("team:shared", strconv.Itoa(r*each+i))
				h.Keep("team:"+strconv.Itoa(r*each+i), "T")
				if i%10 == 0 {
					h.Flush()
				}
			}
			h.Flush()
		})
	}
	all.Wait()
	kept, err := s.Hints(t.Context(), "octo")
	if err != nil {
		t.Fatal(err)
	}
	if len(kept.values) != reads*each+1 {
		t.Errorf("%d hints were kept", len(kept.values))
	}
	now, _ := h.Hint("team:shared")
	if was, _ := kept.Hint("team:shared"); was != now {
		t.Errorf("%q was written last and %q said last", was, now)
	}
}

func TestAHintThatCannotBeWrittenIsLostAndNothingElse(t *testing.T) {
	s := begun(t, "sqlite:"+filepath.Join(t.TempDir(), "hints.db"))
	h, err := s.Hints(t.Context(), "octo")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.writes.ExecContext(t.Context(), "ALTER TABLE hints RENAME TO away"); err != nil {
		t.Fatal(err)
	}
	h.Keep("team:7", "lost")
	h.Flush()
	if v, _ := h.Hint("team:7"); v != "lost" {
		t.Errorf("this process does not know it any more: %q", v)
	}
	if _, err := s.writes.ExecContext(t.Context(), "ALTER TABLE away RENAME TO hints"); err != nil {
		t.Fatal(err)
	}
	h.Keep("team:8", "kept")
	h.Flush()
	kept, err := s.Hints(t.Context(), "octo")
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := kept.Hint("team:8"); v != "kept" || len(kept.values) != 1 {
		t.Errorf("%v", kept.values)
	}
}
