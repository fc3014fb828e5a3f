package answer

import (
	"context"
	"sync"
	"time"

	"musterline.example/directory"
	"musterline.example/store"
)

const (
	// restful is how long a snapshot is kept that nobody asks for. It takes many times the memory of what lies in the database.
	restful = time.Minute
	// mostSnapshots is how many are kept at once; of one more, the one that was asked for longest ago goes.
	mostSnapshots = 8
)

// snapshots keep the last snapshots of sources unpacked, for who asks again and again. The zero value is ready; it is safe for concurrent use, and
// for the houses of one database only.
type snapshots struct {
	mu     sync.Mutex
	kept   map[string]*keptSnapshot
	tidies bool // somebody comes to put away what nobody asks for
}

// A keptSnapshot is the last one of a source. It is that of now while the database has no other version, or no other moment, of it.
type keptSnapshot struct {
	used time.Time // under the mutex of all

	mu       sync.Mutex // held while it is unpacked: who comes meanwhile waits for it
	version  int64
	snapshot *directory.Snapshot // nil: none is known
}

// last returns the last snapshot of a source, which nobody may change; nil when there never was one.
func (s *snapshots) last(ctx context.Context, from *store.Store, source string) (*directory.Snapshot, error) {
	state, err := from.SourceRead(ctx, source)
	if err != nil || state.Version == 0 {
		return nil, err
	}
	k := s.of(source)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.snapshot != nil && k.version == state.Version && k.snapshot.TakenAt.UnixMicro() == state.At.UnixMicro() {
		return k.snapshot, nil
	}
	read, version, err := from.LastSnapshot(ctx, source)
	if err != nil {
		return nil, err
	}
	k.version, k.snapshot = version, read
	return read, nil
}

// of returns the place of a source's snapshot.
func (s *snapshots) of(source string) *keptSnapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.kept[source]
	if k == nil {
		if s.kept == nil {
			s.kept = make(map[string]*keptSnapshot)
		}
		for len(s.kept) >= mostSnapshots {
			s.forget()
		}
		k = &keptSnapshot{}
		s.kept[source] = k
	}
	k.used = time.Now()
	if !s.tidies {
		s.tidies = true
		time.AfterFunc(restful, s.tidy)
	}
	return k
}

// forget puts away the snapshot that was asked for longest ago.
func (s *snapshots) forget() {
	oldest := ""
	for name, k := range s.kept {
		if oldest == "" || k.used.Before(s.kept[oldest].used) {
			oldest = name
		}
	}
	delete(s.kept, oldest)
}

// tidy puts away what nobody has asked for lately, and comes again while anything is left.
func (s *snapshots) tidy() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, k := range s.kept {
		if time.Since(k.used) >= restful {
			delete(s.kept, name)
		}
	}
	if s.tidies = len(s.kept) > 0; s.tidies {
		time.AfterFunc(restful/2, s.tidy)
	}
}
