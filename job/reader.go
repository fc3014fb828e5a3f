package job

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"musterline.example/directory"
	"musterline.example/reconcile"
	"musterline.example/source"
	"musterline.example/store"
)

// A reader answers the runs from what was read of the sources for all of them. It asks for a read where that is too old.
type reader struct {
	*Jobs

	deps reconcile.Deps
}

// since returns the moment before which no read may have been made that a run can use; zero: any will do.
//
//	asked for                            the read was made
//	some teams or one account            at any time: it comes soon, and the next full run is never far
//	everything, by the schedule          within the time from one sync to the next
//	everything, by a person or an event  after they asked
func (j *Jobs) since(run reconcile.Run) time.Time {
	if run.Narrow() {
		return time.Time{}
	}
	// Not the whole time: the target that is the first to ask would find its own last read just young enough, and read every other time.
	since := run.StartedAt.Add(-j.Every * 9 / 10)
	for _, r := range run.Requests {
		if r.Waited() && !r.Narrow() && r.AskedAt.After(since) {
			since = r.AskedAt
		}
	}
	return since
}

// Snapshot implements reconcile.Reader.
func (r *reader) Snapshot(ctx context.Context, name string, groups source.Selection, run reconcile.Run) (*directory.Snapshot, error) {
	last, err := r.Store.SourceRead(ctx, name)
	if err != nil {
		return nil, err
	}
	since := r.since(run)
	never := last.At.IsZero()
	switch {
	case !never && !last.At.Before(since):
		// Young enough. Of a narrow run, whose snapshot may be old, a source that cannot be read at present is one that failed.
		if last.Failure != "" && run.Narrow() && r.Now().Sub(last.At) > r.Every {
			return nil, errors.New(last.Failure)
		}
	case last.Failure != "" && !last.FailedAt.Before(since) && (!never || !last.FailedAt.Before(run.StartedAt.Add(-r.Every))):
		return nil, errors.New(last.Failure)
	default:
		if never && since.IsZero() {
			since = run.StartedAt
		}
		if err := r.want(ctx, name, since); err != nil {
			return nil, err
		}
		return nil, &reconcile.Wait{Source: name, Until: r.Now().Add(r.times.wait)}
	}
	for range 3 {
		snapshot, version, err := r.last(ctx, name, last.Version)
		if err != nil {
			return nil, err
		}
		lacks, err := r.lacks(snapshot, groups, run)
		if err != nil || len(lacks.IDs)+len(lacks.Names) == 0 {
			return snapshot, err
		}
		mended, ok := r.mend(ctx, name, snapshot, version, lacks)
		if ok {
			return mended, nil
		}
		if last, err = r.Store.SourceRead(ctx, name); err != nil {
			return nil, err
		}
	}
	snapshot, _, err := r.last(ctx, name, last.Version)
	return snapshot, err
}

// A cached snapshot saves unpacking. Nobody changes it.
type cached struct {
	snapshot *directory.Snapshot
	version  int64
}

// last returns the last complete read of a source.
func (j *Jobs) last(ctx context.Context, name string, version int64) (*directory.Snapshot, int64, error) {
	j.mu.Lock()
	c := j.cache[name]
	j.mu.Unlock()
	if c.snapshot != nil && c.version == version {
		return c.snapshot, version, nil
	}
	snapshot, version, err := j.Store.LastSnapshot(ctx, name)
	if err == nil && snapshot == nil {
		err = errors.New("source " + name + " was never read")
	}
	if err != nil {
		return nil, 0, err
	}
	j.keep(name, cached{snapshot, version})
	return snapshot, version, nil
}

func (j *Jobs) keep(name string, c cached) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if c.version > j.cache[name].version {
		j.cache[name] = c
	}
}

// lacks returns the groups that a run needs and a snapshot does not tell of: those that are listed and were not asked for, because they were
// mapped since; and, for a run that somebody waits for, those that were never listed, because they are new.
func (r *reader) lacks(s *directory.Snapshot, groups source.Selection, run reconcile.Run) (source.Selection, error) {
	var lacks source.Selection
	ids, err := groups.Settle(s.Groups)
	if err != nil {
		return lacks, err
	}
	for _, id := range ids {
		if len(s.Unread(id)) > 0 && r.try(s.Source, "id "+string(id)) {
			lacks.IDs = append(lacks.IDs, id)
		}
	}
	if !run.Narrow() {
		return lacks, nil
	}
	for _, id := range groups.IDs {
		if _, listed := s.Groups[id]; !listed && r.try(s.Source, "id "+string(id)) {
			lacks.IDs = append(lacks.IDs, id)
		}
	}
	for _, name := range groups.Names {
		if _, listed := s.Groups[directory.GroupID(name)]; !listed && len(s.Find(name)) == 0 && r.try(s.Source, "name "+name) {
			lacks.Names = append(lacks.Names, name)
		}
	}
	return lacks, nil
}

// try reports whether a group should be asked for: not again within the time from one sync to the next, in which all are read.
func (j *Jobs) try(source, group string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	now, key := j.Now(), source+"\x00"+group
	if last, ok := j.tried[key]; ok && now.Sub(last) < j.Every {
		return false
	}
	maps.DeleteFunc(j.tried, func(_ string, at time.Time) bool { return now.Sub(at) >= j.Every })
	j.tried[key] = now
	return true
}

// mend reads single groups and puts them into the last snapshot, each with the moment when it was read. When that fails the groups stay
// unread, which removes nobody and adds nobody; the next full read will tell.
func (r *reader) mend(
	ctx context.Context, name string, s *directory.Snapshot, version int64, lacks source.Selection,
) (mended *directory.Snapshot, ok bool) {
	src, known := r.deps.Sources[name]
	if !known {
		return s, true
	}
	inTime, cancel := context.WithTimeout(ctx, r.times.inline)
	defer cancel()
	part, err := src.Snapshot(inTime, lacks)
	if err != nil {
		r.Log.WarnContext(ctx, "groups that were mapped since the last read could not be read", "source", name, "error", err)
		return s, true
	}
	mended = merge(s, part)
	if err := mended.Validate(); err != nil {
		r.Log.WarnContext(ctx, "groups that were mapped since the last read do not fit to it", "source", name, "error", err)
		return s, true
	}
	done, err := r.Store.MendSnapshot(ctx, mended, version)
	if err != nil {
		r.Log.WarnContext(ctx, "groups that were mapped since the last read were not kept", "source", name, "error", err)
		return mended, true
	}
	if done {
		r.keep(name, cached{mended, version + 1})
	}
	return mended, done
}

// merge returns a snapshot with the groups that another has read of the same source since, those within them, and the users in them.
func merge(s, since *directory.Snapshot) *directory.Snapshot {
	all := &directory.Snapshot{Source: s.Source, TakenAt: s.TakenAt, Users: maps.Clone(s.Users), Groups: maps.Clone(s.Groups)}
	for id, g := range since.Groups {
		if g.Read() {
			all.Groups[id] = g
		}
	}
	maps.Copy(all.Users, since.Users)
	return all
}

// want asks for a read of a source that begins no earlier than at.
func (j *Jobs) want(ctx context.Context, name string, at time.Time) error {
	return j.Store.Turn(ctx, "ask for source "+name, func(u *store.Turn) error {
		if err := u.Want(ctx, name, at); err != nil {
			return err
		}
		return j.wakeReader(ctx, u, name)
	})
}

// inOrder returns the names of a map in order.
func inOrder[T any](of map[string]T) []string { return slices.Sorted(maps.Keys(of)) }
