package job

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"musterline.example/store"
)

// ErrBusy is what Alone returns while a sync of the target is under way, or another act that wants to be alone.
var ErrBusy = errors.New("a run of the target is under way")

// ErrLost is the cause of the end of a right to be alone that was not given back: the database was not reached for a while, or another has
// taken the target.
var ErrLost = errors.New("the right to be alone with the target was lost")

// Alone takes a target for one act that must meet no sync, such as taking a run back or carrying out a plan that somebody has seen. Until
// done no server begins a slice of that target; what is asked meanwhile waits. The right ends by itself when this process dies. The context
// that is returned ends with the right: when it is lost, ErrLost is its cause, and the act has half the time in which this process would count
// as silent to end. A process that has lost its lock on the database is refused with the error of Store.Held.
func (j *Jobs) Alone(ctx context.Context, target string) (alone context.Context, done func(), err error) {
	if err := j.Store.Held(); err != nil {
		return nil, nil, err
	}
	l, err := j.Store.Lease(ctx, actOf(target))
	if err != nil {
		return nil, nil, err
	}
	l.Holder = fmt.Sprintf("%s at %s", j.name, j.Now().UTC().Format(time.RFC3339Nano))
	taken, err := j.Store.TakeLease(ctx, l, j.Now().Add(-j.times.silent))
	if err != nil {
		return nil, nil, err
	}
	if !taken {
		return nil, nil, ErrBusy
	}
	// A slice counts as running before it looks for the lease: one of the two sees the other.
	running, err := j.queue.syncing(ctx, target)
	if err == nil && running {
		err = ErrBusy
	}
	if err != nil {
		return nil, nil, errors.Join(err, j.letGo(ctx, l))
	}
	alone, end := context.WithCancelCause(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := j.round(alone, func(ctx context.Context) error { j.hold(ctx, l, end); return nil }); err != nil {
			end(ErrLost)
		}
	}()
	return alone, func() {
		end(nil)
		<-ended
		if err := j.letGo(ctx, l); err != nil {
			j.Log.ErrorContext(ctx, "a target is not given free at once", "target", target, "error", err)
		}
	}, nil
}

func actOf(target string) string { return "act on " + target }

// hold says from time to time that the act goes on, and ends it when that is not heard: well before another may be at the target.
func (j *Jobs) hold(ctx context.Context, l store.Lease, end context.CancelCauseFunc) {
	heard := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(j.times.beat):
		}
		asked := time.Now()
		held, err := j.beatAlone(ctx, l)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil && held:
			heard = asked
			continue
		case err != nil && !errors.Is(err, store.ErrLocked) && time.Since(heard) < j.times.silent/2:
			j.Log.WarnContext(ctx, "a sign of life was lost", "lease", l.Name, "error", err)
			continue
		}
		j.Log.ErrorContext(ctx, "a right was lost, and its act is ended", "lease", l.Name, "error", err)
		end(ErrLost)
		return
	}
}

// beatAlone says that an act goes on. A process that has lost its lock on the database to a command has lost the right as well.
func (j *Jobs) beatAlone(ctx context.Context, l store.Lease) (held bool, err error) {
	if err := j.Store.Held(); err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, j.times.beat)
	defer cancel()
	return j.Store.BeatLease(ctx, l)
}

func (j *Jobs) letGo(ctx context.Context, l store.Lease) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return j.Store.Turn(ctx, "let go of "+l.Name, func(u *store.Turn) error {
		_, err := u.EndLease(ctx, l)
		return err
	})
}

// taken reports whether somebody is at a target who wants to be alone with it.
func (j *Jobs) taken(ctx context.Context, target string) (bool, error) {
	l, err := j.Store.Lease(ctx, actOf(target))
	return l.Holder != "" && l.BeatAt.After(j.Now().Add(-j.times.silent)), err
}

// syncing implements queue.
func (q *riverQueue[D, T]) syncing(ctx context.Context, target string) (bool, error) {
	for page := river.NewJobListParams().Kinds(syncArgs{}.Kind()).States(rivertype.JobStateRunning).First(100); ; {
		found, err := q.client.JobList(ctx, page)
		if err != nil {
			return false, fmt.Errorf("list the jobs that run: %w", err)
		}
		for _, job := range found.Jobs {
			var args syncArgs
			if json.Unmarshal(job.EncodedArgs, &args) == nil && args.Target == target {
				return true, nil
			}
		}
		if found.LastCursor == nil || len(found.Jobs) < 100 {
			return false, nil
		}
		page = page.After(found.LastCursor)
	}
}
