package answer

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"musterline.example/directory"
	"musterline.example/guard"
	"musterline.example/internal/secret"
	"musterline.example/store"
)

// read keeps a snapshot of a source with one user.
func read(t *testing.T, s *store.Store, source, user string, at time.Time) {
	t.Helper()
	if err := s.SaveSnapshot(t.Context(), "octo", &directory.Snapshot{
		Source: source, TakenAt: at, Users: map[directory.UserID]directory.User{directory.UserID(user): {ID: directory.UserID(user)}},
		Groups: map[directory.GroupID]directory.Group{},
	}, guard.Shape{At: at, Users: 1}, true); err != nil {
		t.Fatal(err)
	}
}

func stored(t *testing.T) *store.Store {
	t.Helper()
	key, err := secret.New()
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "a.db"), store.Options{Key: key, Create: true, Who: "a test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Shut() })
	return s
}

func TestASnapshotIsUnpackedOnceForAllWhoAskUntilThereIsAnother(t *testing.T) {
	db, kept := stored(t), &snapshots{}
	at := time.Now().Truncate(time.Second)
	if s, err := kept.last(t.Context(), db, "corp"); s != nil || err != nil {
		t.Fatalf("of a source that was never read: %v, %v", s, err)
	}
	read(t, db, "corp", "ada", at)
	var all sync.WaitGroup
	got := make([]*directory.Snapshot, 20)
	for i := range got {
		all.Go(func() {
			var err error
			if got[i], err = kept.last(context.Background(), db, "corp"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, s := range got {
		if s == nil || s != got[0] {
			t.Fatal("it was unpacked more than once")
		}
	}
	read(t, db, "corp", "bob", at.Add(time.Minute))
	now, err := kept.last(t.Context(), db, "corp")
	if err != nil || len(now.Users) != 1 || now.Users["bob"].ID != "bob" {
		t.Errorf("after another read: %+v, %v", now, err)
	}
}

func TestNoMoreSnapshotsAreKeptThanAFew(t *testing.T) {
	db, kept := stored(t), &snapshots{}
	for i := range 2 * mostSnapshots {
		name := fmt.Sprint("s", i)
		read(t, db, name, "ada", time.Now().Add(time.Duration(i)*time.Second).Truncate(time.Second))
		if _, err := kept.last(t.Context(), db, name); err != nil {
			t.Fatal(err)
		}
	}
	if _, last := kept.kept[fmt.Sprint("s", 2*mostSnapshots-1)]; len(kept.kept) != mostSnapshots || !last {
		t.Errorf("%d are kept", len(kept.kept))
	}
}

func TestASnapshotThatNobodyAsksForIsPutAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept := &snapshots{}
		kept.of("corp")
		time.Sleep(restful / 2)
		kept.of("people")
		time.Sleep(restful - time.Second)
		kept.of("people")
		time.Sleep(2 * time.Second)
		kept.mu.Lock()
		_, corp := kept.kept["corp"]
		_, people := kept.kept["people"]
		kept.mu.Unlock()
		if corp || !people {
			t.Errorf("what nobody asks for is kept: %t; what somebody has just asked for: %t", corp, people)
		}
		time.Sleep(3 * restful)
		kept.mu.Lock()
		defer kept.mu.Unlock()
		if len(kept.kept) != 0 || kept.tidies {
			t.Errorf("%d are kept for nobody", len(kept.kept))
		}
	})
}
