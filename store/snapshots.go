package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"musterline.example/directory"
	"musterline.example/guard"
	"musterline.example/reconcile"
	"musterline.example/store/internal/db"
)

// shapes is how many earlier reads guards look at.
const shapes = 7

// SaveSnapshot keeps a complete read: its figures for good, its body as the source's last, and what it says of groups: new, renamed, with
// members for the first time, gone, back. The same read saved again changes nothing; one that is older than the last leaves figures only.
// Only a usual read leaves sizes for later ones to be compared with.
func (s *Store) SaveSnapshot(ctx context.Context, snapshot *directory.Snapshot, shape guard.Shape, usual bool) error {
	sizes := sizesOf(snapshot)
	packedSizes, err := packSizes(sizes)
	if err != nil {
		return fmt.Errorf("save snapshot of %s: %w", snapshot.Source, err)
	}
	body, err := pack(snapshot)
	if err != nil {
		return fmt.Errorf("save snapshot of %s: %w", snapshot.Source, err)
	}
	return s.write(ctx, "save snapshot of "+snapshot.Source, func(t *tx) error {
		at := micros(snapshot.TakenAt)
		last, err := t.GetTakenAt(ctx, snapshot.Source)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if err := t.putFigures(ctx, snapshot, shape, packedSizes, usual); err != nil {
			return err
		}
		if at <= last {
			return nil
		}
		if err := t.PutSnapshot(ctx, db.PutSnapshotParams{Name: snapshot.Source, TakenAt: at, Body: body}); err != nil {
			return err
		}
		return t.putGroups(ctx, snapshot)
	})
}

// sizesOf returns the flattened size of every group whose members, and those of the groups in it, were read.
func sizesOf(s *directory.Snapshot) map[directory.GroupID]int {
	sizes := make(map[directory.GroupID]int)
	for id, g := range s.Groups {
		if !g.Read() || len(s.Unread(id)) > 0 {
			continue
		}
		sizes[id] = s.Size(id)
	}
	return sizes
}

// A size is one group's, in an order that makes equal sizes equal bytes.
type size struct {
	ID directory.GroupID `json:"g"`
	N  int               `json:"n"`
}

func packSizes(sizes map[directory.GroupID]int) ([]byte, error) {
	ordered := make([]size, 0, len(sizes))
	for _, id := range slices.Sorted(maps.Keys(sizes)) {
		ordered = append(ordered, size{id, sizes[id]})
	}
	return pack(ordered)
}

func unpackSizes(packed []byte) (map[directory.GroupID]int, error) {
	var ordered []size
	if err := unpack(packed, &ordered); err != nil {
		return nil, err
	}
	sizes := make(map[directory.GroupID]int, len(ordered))
	for _, s := range ordered {
		sizes[s.ID] = s.N
	}
	return sizes, nil
}

// putFigures keeps the figures of a read. A source that is read every quarter of an hour mostly says what it said before: then the sizes
// are kept once.
func (t *tx) putFigures(ctx context.Context, s *directory.Snapshot, shape guard.Shape, sizes []byte, usual bool) error {
	p := db.PutReadParams{
		Source: s.Source, TakenAt: micros(s.TakenAt), SizesAt: micros(s.TakenAt), Sizes: sizes,
		GroupsN: int64(shape.Groups), UsersN: int64(shape.Users), LinkedN: int64(shape.Linked), ActiveN: int64(shape.Active),
	}
	if !usual {
		p.SizesAt, p.Sizes = 0, nil
		return t.PutRead(ctx, p)
	}
	before, err := t.ReadBefore(ctx, db.ReadBeforeParams{Source: s.Source, Moment: p.TakenAt - 1})
	switch {
	case errors.Is(err, sql.ErrNoRows):
	case err != nil:
		return err
	default:
		same, err := t.GetSizes(ctx, db.GetSizesParams{Source: s.Source, TakenAt: before.SizesAt})
		if err != nil {
			return err
		}
		if bytes.Equal(same, sizes) {
			p.SizesAt, p.Sizes = before.SizesAt, nil
		}
	}
	return t.PutRead(ctx, p)
}

var sourceGroups = table{
	name:    "source_groups",
	key:     []string{"source", "id"},
	columns: []string{"source", "id", "name", "folded", "first_seen", "had_members", "missing_since", "missing_reads"},
}

// putGroups brings the known groups of a source in line with a read. Rows that say the same already are not written.
func (t *tx) putGroups(ctx context.Context, s *directory.Snapshot) error {
	rows, err := t.GetGroups(ctx, s.Source)
	if err != nil {
		return err
	}
	known := make(map[directory.GroupID]db.GetGroupsRow, len(rows))
	for _, r := range rows {
		known[directory.GroupID(r.ID)] = r
	}
	var changed []db.GetGroupsRow
	for id, g := range s.Groups {
		before, there := known[id]
		now := before
		if !there {
			now.ID, now.FirstSeen = string(id), micros(s.TakenAt)
		}
		now.Name = g.Name
		now.HadMembers = before.HadMembers || listsAnybody(s, id)
		now.MissingSince, now.MissingReads = 0, 0
		if now != before || !there {
			changed = append(changed, now)
		}
	}
	for id, r := range known {
		if _, listed := s.Groups[id]; listed {
			continue
		}
		if r.MissingSince == 0 {
			r.MissingSince = micros(s.TakenAt)
		}
		r.MissingReads++
		changed = append(changed, r)
	}
	return t.put(ctx, sourceGroups, len(changed), func(i int) []any {
		r := &changed[i]
		return []any{s.Source, r.ID, r.Name, fold(r.Name), r.FirstSeen, r.HadMembers, r.MissingSince, r.MissingReads}
	})
}

// listsAnybody reports whether there is anybody in a group or in the groups within it.
func listsAnybody(s *directory.Snapshot, id directory.GroupID) bool {
	for range s.WalkIDs(id) {
		return true
	}
	return false
}

// fold is the form of a name in which groups are sorted and searched. As bytes it sorts the same on both databases.
func fold(name string) []byte { return []byte(strings.ToLower(name)) }

// SaveFailure remembers that a source could not be read.
func (s *Store) SaveFailure(ctx context.Context, source string, at time.Time, message string) error {
	return s.write(ctx, "save failure of source "+source, func(t *tx) error {
		return t.PutFailure(ctx, db.PutFailureParams{Name: source, Failure: message, FailedAt: micros(at)})
	})
}

// Reads returns what the complete reads of a source that were saved so far said.
func (s *Store) Reads(ctx context.Context, source string) (reconcile.Reads, error) {
	r, err := s.readsOf(ctx, source)
	if err != nil {
		return reconcile.Reads{}, fmt.Errorf("read what is known of source %s: %w", source, err)
	}
	return r, nil
}

func (s *Store) readsOf(ctx context.Context, source string) (r reconcile.Reads, err error) {
	row, err := s.queries.GetSource(ctx, source)
	if errors.Is(err, sql.ErrNoRows) {
		return r, nil
	}
	if err != nil {
		return r, err
	}
	if row.Body != nil {
		r.Last = &directory.Snapshot{}
		if err := unpack(row.Body, r.Last); err != nil {
			return r, err
		}
	}
	if row.FailedAt > row.TakenAt {
		r.Failure, r.FailedAt = row.Failure, moment(row.FailedAt)
	}
	last, err := s.queries.LastReads(ctx, db.LastReadsParams{Source: source, N: shapes})
	if err != nil {
		return r, err
	}
	for _, l := range last {
		r.Shapes = append(r.Shapes, guard.Shape{
			At: moment(l.TakenAt), Groups: int(l.GroupsN), Users: int(l.UsersN), Linked: int(l.LinkedN), Active: int(l.ActiveN),
		})
	}
	if r.DayAgo, err = s.dayAgo(ctx, source); err != nil {
		return r, err
	}
	return r, s.groupsOf(ctx, source, &r)
}

// dayAgo returns the sizes of the complete read nearest 24 hours ago; nil when there is none at all.
func (s *Store) dayAgo(ctx context.Context, source string) (map[directory.GroupID]int, error) {
	then := micros(s.now().Add(-24 * time.Hour))
	before, err := s.queries.ReadBefore(ctx, db.ReadBeforeParams{Source: source, Moment: then})
	none := errors.Is(err, sql.ErrNoRows)
	if err != nil && !none {
		return nil, err
	}
	at := before.SizesAt
	after, err := s.queries.ReadAfter(ctx, db.ReadAfterParams{Source: source, Moment: then})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		if none {
			return nil, nil
		}
	case err != nil:
		return nil, err
	case none || after.TakenAt-then < then-before.TakenAt:
		at = after.SizesAt
	}
	packed, err := s.queries.GetSizes(ctx, db.GetSizesParams{Source: source, TakenAt: at})
	if err != nil {
		return nil, err
	}
	return unpackSizes(packed)
}

// groupsOf fills in what is known of each group that a source ever listed.
func (s *Store) groupsOf(ctx context.Context, source string, r *reconcile.Reads) error {
	rows, err := s.queries.GetGroups(ctx, source)
	if err != nil {
		return err
	}
	r.HadMembers, r.Names = map[directory.GroupID]bool{}, make(map[directory.GroupID]string, len(rows))
	r.Missing = map[directory.GroupID]reconcile.Missing{}
	for _, g := range rows {
		id := directory.GroupID(g.ID)
		r.Names[id] = g.Name
		if g.HadMembers {
			r.HadMembers[id] = true
		}
		if g.MissingSince != 0 {
			r.Missing[id] = reconcile.Missing{Since: moment(g.MissingSince), Reads: int(g.MissingReads)}
		}
	}
	return nil
}

// A SourceState is how a source stands, without what it said.
type SourceState struct {
	Name     string
	ReadAt   time.Time // of the last complete read; zero when there never was one
	Failure  string    // of the last try, when it failed after that
	FailedAt time.Time
	Shape    guard.Shape // of the last complete read
}

// Sources lists the sources that were ever read or tried, in order of name.
func (s *Store) Sources(ctx context.Context) ([]SourceState, error) {
	rows, err := s.queries.ListSources(ctx)
	if err != nil {
		return nil, fmt.Errorf("read sources: %w", err)
	}
	states := make([]SourceState, 0, len(rows))
	for _, r := range rows {
		st := SourceState{Name: r.Name, ReadAt: moment(r.TakenAt)}
		if r.FailedAt > r.TakenAt {
			st.Failure, st.FailedAt = r.Failure, moment(r.FailedAt)
		}
		last, err := s.queries.LastReads(ctx, db.LastReadsParams{Source: r.Name, N: 1})
		if err != nil {
			return nil, fmt.Errorf("read sources: %w", err)
		}
		for _, l := range last {
			st.Shape = guard.Shape{At: moment(l.TakenAt), Groups: int(l.GroupsN), Users: int(l.UsersN), Linked: int(l.LinkedN), Active: int(l.ActiveN)}
		}
		states = append(states, st)
	}
	slices.SortFunc(states, func(a, b SourceState) int { return strings.Compare(a.Name, b.Name) })
	return states, nil
}
