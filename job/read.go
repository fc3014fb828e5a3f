package job

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/riverqueue/river"

	"musterline.example/reconcile"
	"musterline.example/store"
)

// A sourceReader reads sources, each once for all targets. A read may take half an hour, too long for a dead process to be waited for: a lease
// with a sign of life every few seconds tells who is at it.
type sourceReader struct {
	river.WorkerDefaults[readArgs]

	jobs *Jobs
}

// Timeout implements river.Worker.
func (s *sourceReader) Timeout(*river.Job[readArgs]) time.Duration { return s.jobs.ReadTimeout }

// NextRetry implements river.Worker.
func (s *sourceReader) NextRetry(job *river.Job[readArgs]) time.Time { return retry(job.Attempt) }

// Work implements river.Worker.
func (s *sourceReader) Work(ctx context.Context, job *river.Job[readArgs]) error {
	j := s.jobs
	defer j.at("read")()
	if err := j.Store.Held(); err != nil {
		j.Log.WarnContext(ctx, "no source is read", "source", job.Args.Source, "error", err)
		return river.JobSnooze(j.times.apart)
	}
	r := &sourceRead{Jobs: j, job: job, source: job.Args.Source, lease: store.Lease{
		Name: leaseOf(job.Args.Source), Epoch: job.Args.Epoch, Holder: fmt.Sprintf("%s, attempt %d of job %d", j.name, job.Attempt, job.ID),
	}}
	taken, err := j.Store.TakeLease(ctx, r.lease, j.Now().Add(-j.times.silent))
	if err != nil {
		return err
	}
	if !taken {
		return r.outdone(ctx)
	}
	return r.work(ctx)
}

func leaseOf(source string) string { return "read " + source }

// A sourceRead is one try to read a source.
type sourceRead struct {
	*Jobs

	job    *river.Job[readArgs]
	source string
	lease  store.Lease
}

// outdone ends a job whose source somebody else reads.
func (r *sourceRead) outdone(ctx context.Context) error {
	now, err := r.Store.Lease(ctx, r.lease.Name)
	if err != nil {
		return err
	}
	if now.Epoch != r.lease.Epoch {
		return nil // it was taken over while this one was held up
	}
	return river.JobSnooze(r.times.silent)
}

func (r *sourceRead) work(ctx context.Context) error {
	wanted, err := r.Store.WantedSources(ctx)
	if err != nil {
		return r.handBack(ctx, err)
	}
	if !slices.Contains(wanted, r.source) {
		return r.handBack(ctx, nil) // it was read while this job was on its way
	}
	deps, err := r.Deps(reconcile.BySchedule)
	if err != nil {
		return r.handBack(ctx, err)
	}
	began := r.Now()
	reading, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(r.life, func() { cancel(errLeaving) })()
	beating := make(chan struct{})
	go func() {
		defer close(beating)
		if err := r.round(reading, func(ctx context.Context) error { r.beat(ctx, cancel); return nil }); err != nil {
			cancel(errTaken) // as it will be
		}
	}()
	snapshot, err := reconcile.ReadSource(reading, deps, r.source)
	why := context.Cause(reading)
	cancel(nil)
	<-beating
	took := r.Now().Sub(began)
	ended, end := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer end()
	switch {
	case err == nil:
	case errors.Is(why, errTaken):
		return nil
	case errors.Is(why, errLeaving), errors.Is(ctx.Err(), context.Canceled):
		return r.handBack(ended, river.JobSnooze(0))
	case errors.Is(err, reconcile.ErrNoSource):
		return r.finish(ended, began, err, store.Packed{}, false)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		err = fmt.Errorf("it was not read in %s: %w", r.ReadTimeout, err)
	}
	var packed store.Packed
	if err == nil {
		packed, err = store.PackSnapshot(snapshot)
	}
	if r.Observer != nil {
		r.Observer.SourceRead(r.source, took, err)
	}
	return r.finish(ended, began, err, packed, true)
}

// Reasons to break a read off.
var (
	errLeaving = errors.New("the process is about to end")
	errTaken   = errors.New("another server has taken the read over")
)

// beat says from time to time that the read goes on. It breaks the read off when another has taken it over.
func (r *sourceRead) beat(ctx context.Context, cancel context.CancelCauseFunc) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(r.times.beat):
		}
		held, err := r.Store.BeatLease(ctx, r.lease)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			r.Log.WarnContext(ctx, "a sign of life was lost", "source", r.source, "error", err)
		case !held:
			cancel(errTaken)
			return
		}
	}
}

// handBack leaves the read to another, for a reason.
func (r *sourceRead) handBack(ctx context.Context, reason error) error {
	if err := r.Store.Turn(ctx, "hand back the read of source "+r.source, func(u *store.Turn) error {
		_, err := u.EndLease(ctx, r.lease)
		return err
	}); err != nil {
		return err
	}
	return reason
}

// finish keeps what was read, or that it failed, ends the job, and wakes the runs that wait for it. When somebody has asked for a read since
// this one began, the next one follows. When the database does not take it, the read is handed back, so that the next try need not wait until
// this one counts as silent.
func (r *sourceRead) finish(ctx context.Context, began time.Time, failed error, read store.Packed, again bool) error {
	if err := r.Store.Turn(ctx, "end the read of source "+r.source, func(u *store.Turn) error {
		held, err := u.EndLease(ctx, r.lease)
		if err != nil || !held {
			return err
		}
		if failed != nil {
			err = u.FailRead(ctx, r.source, began, failed.Error())
		} else {
			err = u.KeepSnapshot(ctx, read)
		}
		if err != nil {
			return err
		}
		if err := r.queue.completeRead(ctx, u.Tx(), r.job); err != nil {
			return err
		}
		wanted, err := u.Wanted(ctx, r.source)
		if err != nil {
			return err
		}
		if again && wanted.After(began) {
			if err := r.wakeReader(ctx, u, r.source); err != nil {
				return err
			}
		}
		return r.wakeWaiting(ctx, u)
	}); err != nil {
		return errors.Join(err, r.handBack(ctx, nil))
	}
	return nil
}

// wakeWaiting wakes the runs that wait for sources.
func (j *Jobs) wakeWaiting(ctx context.Context, u *store.Turn) error {
	targets, err := u.InPhase(ctx, reconcile.ReadingSources)
	if err != nil {
		return err
	}
	for _, target := range targets {
		waiting, err := u.Waiting(ctx, target)
		if err != nil {
			return err
		}
		run, err := u.OpenRun(ctx, target)
		if errors.Is(err, store.ErrNotFound) {
			continue // it has ended since, and nothing waits for the source
		}
		if err != nil {
			return err
		}
		s := slice{run: run}
		if err := j.wake(ctx, u.Tx(), target, s.line(waiting), true); err != nil {
			return err
		}
	}
	return nil
}

// wakeReader sees to it that a source has a job that reads it.
func (j *Jobs) wakeReader(ctx context.Context, u *store.Turn, source string) error {
	l, err := u.Lease(ctx, leaseOf(source))
	if err != nil {
		return err
	}
	if _, err := j.queue.insert(ctx, u.Tx(), readArgs{source, l.Epoch}, river.InsertOpts{Queue: reading}); err != nil {
		return fmt.Errorf("make a job for source %s: %w", source, err)
	}
	return nil
}
