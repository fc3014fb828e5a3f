package job

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"time"

	"musterline.example/reconcile"
	"musterline.example/store"
)

// clock looks every few seconds at what is due: syncs and reads of the schedule, rows that no job does, and what there is to tell. Each server has one. What they
// see they all do in transactions of which one succeeds, so there is no leader who could be dead.
func (j *Jobs) clock() {
	for {
		err := j.round(j.life, j.tick)
		if j.life.Err() != nil {
			return
		}
		if err != nil {
			j.Log.ErrorContext(j.life, "what is due was not seen to", "error", err)
		}
		j.mu.Lock()
		if j.trouble = err; err == nil {
			j.ticked = j.Now()
		}
		j.mu.Unlock()
		select {
		case <-j.life.Done():
			return
		case <-time.After(j.times.tick):
		}
	}
}

// round does what comes round, and lets no panic get out of it.
func (j *Jobs) round(ctx context.Context, do func(context.Context) error) (err error) {
	defer func() {
		if why := recover(); why != nil {
			j.Log.ErrorContext(ctx, "panic", "panic", fmt.Sprint(why), "stack", string(debug.Stack()))
			err = errors.New("a fault of Musterline's own, of which the log tells more")
		}
	}()
	return do(ctx)
}

// tick goes round once. What goes wrong with one target or source stops no other.
func (j *Jobs) tick(ctx context.Context) error {
	deps, err := j.Deps(reconcile.BySchedule)
	if err != nil {
		return err
	}
	return errors.Join(j.ask(ctx, inOrder(deps.Targets)), j.sweep(ctx, inOrder(deps.Targets)), j.read(ctx, inOrder(deps.Sources)), j.tell(ctx))
}

// ask asks for the syncs that are due. The next is due a little sooner or later than exactly then, so that targets do not fall into step.
func (j *Jobs) ask(ctx context.Context, targets []string) error {
	schedule, err := j.Store.Schedule(ctx, targets, j.Every)
	if err != nil {
		return err
	}
	now := j.Now()
	var errs []error
	for _, target := range targets {
		due := schedule[target]
		if due.After(now) {
			continue
		}
		jitter := time.Duration((rand.Float64() - 0.5) * float64(j.Every) / 10)
		next := due.Add(j.Every + jitter)
		if next.Before(now) {
			next = now.Add(j.Every + jitter)
		}
		_, err := j.Store.AskOnSchedule(ctx, target, due, next)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// sweep gives a job to every target that has something to do and none: a request that became due, a run that a crash left open.
func (j *Jobs) sweep(ctx context.Context, targets []string) error {
	busy, err := j.Store.TargetsWithWork(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, target := range busy {
		if !slices.Contains(targets, target) {
			continue
		}
		errs = append(errs, j.Store.Turn(ctx, "look after target "+target, func(u *store.Turn) error {
			waiting, err := u.Waiting(ctx, target)
			if err != nil {
				return err
			}
			return j.wake(ctx, u.Tx(), target, queueOf(lane(waiting)), false)
		}))
	}
	return errors.Join(errs...)
}

// read sees to it that sources are read as often as targets are synced, whether or not a mapping names them yet, and takes reads over from
// servers that have fallen silent.
func (j *Jobs) read(ctx context.Context, sources []string) error {
	now := j.Now()
	wanted, err := j.Store.WantedSources(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, source := range sources {
		if slices.Contains(wanted, source) {
			errs = append(errs, j.takeOver(ctx, source))
			continue
		}
		last, err := j.Store.SourceRead(ctx, source)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		tried := last.At
		if last.FailedAt.After(tried) {
			tried = last.FailedAt
		}
		if enough := now.Add(-j.Every); tried.Before(enough) { // one that somebody has begun meanwhile will do
			errs = append(errs, j.want(ctx, source, enough))
		}
	}
	return errors.Join(errs...)
}

// takeOver sees to it that a wanted source has a job, in the next epoch when whoever reads it was not heard of for a while.
func (j *Jobs) takeOver(ctx context.Context, source string) error {
	return j.Store.Turn(ctx, "look after source "+source, func(u *store.Turn) error {
		l, err := u.Lease(ctx, leaseOf(source))
		if err != nil {
			return err
		}
		silent := j.Now().Add(-j.times.silent)
		if l.Holder != "" && l.BeatAt.Before(silent) {
			broken, err := u.BreakLease(ctx, l, silent)
			if err != nil {
				return err
			}
			if broken {
				j.Log.WarnContext(ctx, "a read is taken over from a server that is silent", "source", source, "since", l.BeatAt)
			}
		}
		return j.wakeReader(ctx, u, source)
	})
}
