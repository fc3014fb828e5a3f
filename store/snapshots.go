package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math"
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

// SaveSnapshot keeps a complete read as a run of a target has judged it: its figures for good, its body as the source's last, and what it
// says of groups: new, renamed, with members for the first time, gone, back. The same read saved again, for this target or another, changes
// no group; one that is older than the last leaves figures only. To the runs of this target the zero shape is no part of what is usual,
// and the sizes of a read that is not usual are nothing to compare with.
func (s *Store) SaveSnapshot(ctx context.Context, target string, snapshot *directory.Snapshot, shape guard.Shape, usual bool) error {
	sizes := sizesOf(snapshot)
	packedSizes, err := packSizes(sizes)
	if err != nil {
		return fmt.Errorf("save snapshot of %s: %w", snapshot.Source, err)
	}
	at := micros(snapshot.TakenAt)
	body, err := s.packNewer(ctx, snapshot, at)
	if err != nil {
		return fmt.Errorf("save snapshot of %s: %w", snapshot.Source, err)
	}
	return s.write(ctx, "save snapshot of "+snapshot.Source, func(t *tx) error {
		last, err := t.GetSourceState(ctx, snapshot.Source)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if err := t.putFigures(ctx, snapshot, shape, packedSizes, usual); err != nil {
			return err
		}
		if err := t.PutView(ctx, db.PutViewParams{
			Source: snapshot.Source, Target: target, TakenAt: at, Lossy: !usual,
			GroupsN: int64(shape.Groups), UsersN: int64(shape.Users), LinkedN: int64(shape.Linked), ActiveN: int64(shape.Active),
		}); err != nil {
			return err
		}
		if at > last.TakenAt && body != nil {
			if err := t.PutSnapshot(ctx, db.PutSnapshotParams{Name: snapshot.Source, TakenAt: at, Body: body}); err != nil {
				return err
			}
		}
		if at <= last.RecordedAt {
			return nil
		}
		if err := t.PutRecorded(ctx, db.PutRecordedParams{Name: snapshot.Source, RecordedAt: at}); err != nil {
			return err
		}
		return t.putGroups(ctx, snapshot)
	})
}

// packNewer packs a snapshot that is newer than the last one; nil for another, which will never be newer.
func (s *Store) packNewer(ctx context.Context, snapshot *directory.Snapshot, at int64) ([]byte, error) {
	last, err := s.queries.GetTakenAt(ctx, snapshot.Source)
	if err == nil && at <= last {
		return nil, nil
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	return pack(snapshot)
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
	before, err := t.ReadBefore(ctx, db.ReadBeforeParams{Source: s.Source, Moment: p.TakenAt - 1}) // of whichever target
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
	columns: []string{"source", "id", "name", "folded", "first_seen", "had_members", "missing_since", "missing_reads", "description"},
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
		now.Name, now.Description = g.Name, g.Description
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
		return []any{s.Source, r.ID, r.Name, listed(r.Name, r.ID), r.FirstSeen, r.HadMembers, r.MissingSince, r.MissingReads, r.Description}
	})
}

// listsAnybody reports whether there is anybody in a group or in the groups within it.
func listsAnybody(s *directory.Snapshot, id directory.GroupID) bool {
	for range s.WalkIDs(id) {
		return true
	}
	return false
}

// listed is where a group stands in the list of its source: its folded name, then its id. As bytes it sorts the same on both databases; the
// zero byte between sorts a name before all that it begins, and no name holds one.
func listed(name, id string) []byte { return []byte(fold(name) + "\x00" + id) }

// fold is the form of a name in which groups are sorted and searched.
func fold(name string) string { return strings.ToLower(name) }

// SaveFailure remembers that a source could not be read.
func (s *Store) SaveFailure(ctx context.Context, source string, at time.Time, message string) error {
	return s.write(ctx, "save failure of source "+source, func(t *tx) error {
		return t.PutFailure(ctx, db.PutFailureParams{Name: source, Failure: message, FailedAt: micros(at)})
	})
}

// Reads returns what is known of a source from its complete reads, for whichever target they were made.
func (s *Store) Reads(ctx context.Context, source string) (reconcile.Reads, error) {
	r, err := s.readsOf(ctx, source)
	if err != nil {
		return reconcile.Reads{}, fmt.Errorf("read what is known of source %s: %w", source, err)
	}
	return r, nil
}

// Earlier returns what complete reads of a source said that runs of a target have judged; with before set, only reads made before it. The
// last one and the failure are left out.
func (s *Store) Earlier(ctx context.Context, source, target string, before time.Time) (reconcile.Reads, error) {
	r, err := s.earlier(ctx, source, target, before)
	if err != nil {
		return reconcile.Reads{}, fmt.Errorf("read what is known of source %s: %w", source, err)
	}
	return r, nil
}

func (s *Store) earlier(ctx context.Context, source, target string, before time.Time) (r reconcile.Reads, err error) {
	row, err := s.queries.GetSourceState(ctx, source)
	if errors.Is(err, sql.ErrNoRows) {
		return r, nil
	}
	if err != nil {
		return r, err
	}
	until := int64(math.MaxInt64)
	if !before.IsZero() {
		until = micros(before)
	}
	last, err := s.queries.LastViews(ctx, db.LastViewsParams{Source: source, Target: target, Before: until, N: shapes})
	if err != nil {
		return r, err
	}
	for _, l := range last {
		r.Shapes = append(r.Shapes, guard.Shape{
			At: moment(l.TakenAt), Groups: int(l.GroupsN), Users: int(l.UsersN), Linked: int(l.LinkedN), Active: int(l.ActiveN),
		})
	}
	if r.DayAgo, err = s.dayAgo(ctx, source, target, until); err != nil {
		return r, err
	}
	if err := s.groupsOf(ctx, source, &r); err != nil {
		return r, err
	}
	if row.RecordedAt != until {
		return r, nil
	}
	for id, gone := range r.Missing { // that read is counted already
		if gone.Reads--; gone.Reads == 0 {
			delete(r.Missing, id)
			continue
		}
		r.Missing[id] = gone
	}
	return r, nil
}

// Snapshot returns the last complete read of a source; nil when there never was one.
func (s *Store) Snapshot(ctx context.Context, source string) (*directory.Snapshot, error) {
	snapshot, _, err := s.LastSnapshot(ctx, source)
	return snapshot, err
}

// LastSnapshot is Snapshot with its version, which is another one for each body that was kept.
func (s *Store) LastSnapshot(ctx context.Context, source string) (*directory.Snapshot, int64, error) {
	row, err := s.queries.GetSource(ctx, source)
	if errors.Is(err, sql.ErrNoRows) || err == nil && row.Body == nil {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("read the last snapshot of %s: %w", source, err)
	}
	last := &directory.Snapshot{}
	if err := unpack(row.Body, last); err != nil {
		return nil, 0, fmt.Errorf("read the last snapshot of %s: %w", source, err)
	}
	return last, row.Version, nil
}

// MendSnapshot puts a snapshot in the place of the one of that version, to which groups were added that it lacked. It reports false when
// another has taken its place meanwhile.
func (s *Store) MendSnapshot(ctx context.Context, snapshot *directory.Snapshot, version int64) (done bool, err error) {
	body, err := pack(snapshot)
	if err != nil {
		return false, fmt.Errorf("mend snapshot of %s: %w", snapshot.Source, err)
	}
	err = s.write(ctx, "mend snapshot of "+snapshot.Source, func(t *tx) error {
		n, err := t.MendSnapshot(ctx, db.MendSnapshotParams{Name: snapshot.Source, Version: version, Body: body})
		done = n > 0
		return err
	})
	return done, err
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
	if r.DayAgo, err = s.dayAgo(ctx, source, "", math.MaxInt64); err != nil {
		return r, err
	}
	return r, s.groupsOf(ctx, source, &r)
}

// dayAgo returns the sizes of the complete read nearest 24 hours ago, among those before until that a target did not find lossy; nil when
// there is none at all.
func (s *Store) dayAgo(ctx context.Context, source, target string, until int64) (map[directory.GroupID]int, error) {
	then := micros(s.now().Add(-24 * time.Hour))
	before, err := s.queries.ReadBefore(ctx, db.ReadBeforeParams{Source: source, Target: target, Moment: min(then, until-1)})
	none := errors.Is(err, sql.ErrNoRows)
	if err != nil && !none {
		return nil, err
	}
	at := before.SizesAt
	after, err := s.queries.ReadAfter(ctx, db.ReadAfterParams{Source: source, Target: target, Moment: then, Before: until})
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

// groupsOf fills in the past of the groups that a source ever listed.
func (s *Store) groupsOf(ctx context.Context, source string, r *reconcile.Reads) error {
	rows, err := s.queries.PastGroups(ctx, source)
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
