package job

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/riverqueue/river"

	"musterline.example/apply"
	"musterline.example/reconcile"
	"musterline.example/store"
	"musterline.example/target"
)

// A syncer does the syncs of targets, one slice at a time.
type syncer struct {
	river.WorkerDefaults[syncArgs]

	jobs *Jobs
}

// Timeout implements river.Worker.
func (s *syncer) Timeout(*river.Job[syncArgs]) time.Duration { return s.jobs.times.timeout }

// NextRetry implements river.Worker: of what fails is only tried again what has to do with the database. A run that failed is finished.
func (s *syncer) NextRetry(job *river.Job[syncArgs]) time.Time { return retry(job.Attempt) }

func retry(attempt int) time.Time {
	return time.Now().Add(min(time.Second<<min(attempt, 10), time.Minute))
}

// Work implements river.Worker.
func (s *syncer) Work(ctx context.Context, job *river.Job[syncArgs]) error {
	j := s.jobs
	defer j.at("sync")()
	w := &slice{Jobs: j, job: job, target: job.Args.Target, began: j.Now()}
	if err := j.Store.Held(); err != nil { // a command may be at the database, which takes itself for alone
		j.Log.WarnContext(ctx, "no sync is begun", "target", w.target, "error", err)
		return river.JobSnooze(j.times.apart)
	}
	if taken, err := j.taken(ctx, w.target); err != nil {
		return err
	} else if taken {
		return river.JobSnooze(j.times.apart)
	}
	work, err := w.chooseLane(ctx)
	if err != nil {
		return err
	}
	if !work { // it was done while this job was on its way
		return w.complete(ctx, nothing)
	}
	deps, err := j.Deps(w.lane)
	if err != nil {
		return err
	}
	deps.Reader = &reader{Jobs: j, deps: deps}
	working, leave := context.WithCancel(ctx)
	defer leave()
	defer context.AfterFunc(j.life, leave)()
	report, more, err := reconcile.Slice(working, deps, w.target, w.budget())
	ended, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second) // what became of it is written even when time is up
	defer cancel()
	return w.end(ended, report, more, err)
}

// A slice is one piece of a run.
type slice struct {
	*Jobs

	job      *river.Job[syncArgs]
	target   string
	lane     string
	began    time.Time
	run      reconcile.Run
	progress *progress
	wrote    int
	noticed  time.Time // when somebody was seen to wait
}

// chooseLane finds out whether there is anything to do, and whether somebody waits for it: for the open run, or for what it will take in.
func (s *slice) chooseLane(ctx context.Context) (work bool, err error) {
	due, err := s.Store.Due(ctx, s.target)
	if err != nil {
		return false, err
	}
	s.lane = lane(due)
	open, err := s.Store.OpenRun(ctx, s.target)
	if errors.Is(err, store.ErrNotFound) {
		return len(due) > 0, nil
	}
	if err == nil && open.Trigger != reconcile.BySchedule {
		s.lane = reconcile.ByPerson
	}
	return true, err
}

// nothing is what is written beside the end of a job that has done nothing.
func nothing(context.Context, *store.Turn) error { return nil }

// lane is that of who waits for requests.
func lane(waiting []reconcile.Request) string {
	for _, r := range waiting {
		if r.Waited() {
			return reconcile.ByPerson
		}
	}
	return reconcile.BySchedule
}

// queueOf is where the jobs of a lane stand.
func queueOf(lane string) string {
	if lane == reconcile.BySchedule {
		return scheduled
	}
	return interactive
}

func (s *slice) budget() reconcile.Budget {
	return reconcile.Budget{
		Deadline: s.began.Add(s.times.slice), Patient: true, Kept: s.Every,
		Begun: func(r reconcile.Run) { s.run, s.progress = r, s.follow(r) },
		Phase: func(p reconcile.Phase) { s.progress.phase(p) },
		Planned: func(d *reconcile.Decision) {
			n := 0
			for _, c := range d.Approved.Plan().Teams {
				n += len(c.Changes())
			}
			s.progress.planned(n)
		},
		Progress: func(w apply.Written) {
			s.wrote++
			s.progress.write(w)
		},
		Call: s.call,
	}
}

// call is what a slice is told between two writes. It ends for somebody who waits before the next team, or within one that takes long; but it
// writes something first, so that many who wait hold up nobody for ever.
func (s *slice) call(within bool) reconcile.Called {
	if s.leaving() || s.Store.Held() != nil {
		return reconcile.Called{Leave: true}
	}
	ctx, cancel := context.WithTimeout(s.life, 10*time.Second)
	defer cancel()
	signs, err := s.Store.Signs(ctx, s.run.ID)
	now := s.Now()
	switch {
	case err != nil:
		s.Log.WarnContext(ctx, "nobody can be heard between two writes", "run", s.run.ID, "error", err)
	case signs.Cancelled != "":
		return reconcile.Called{Cancelled: "cancelled by " + signs.Cancelled}
	case signs.Pause.By != "":
		return reconcile.Called{Cancelled: paused(signs.Pause)}
	case signs.Waiting > 0 && s.noticed.IsZero():
		s.noticed = now
	}
	switch {
	case s.wrote == 0:
		return reconcile.Called{}
	case now.Sub(s.began) >= s.times.hard:
		return reconcile.Called{Leave: true}
	case s.noticed.IsZero():
		return reconcile.Called{}
	}
	return reconcile.Called{Leave: !within || now.Sub(s.noticed) >= s.times.polite}
}

func paused(p reconcile.Pause) string { return "the target was paused by " + p.By + ": " + p.Reason }

// end sees to what comes after a slice.
func (s *slice) end(ctx context.Context, report reconcile.Report, more bool, err error) error {
	wait, waits := errors.AsType[*reconcile.Wait](err)
	switch {
	case errors.Is(err, reconcile.ErrNoTarget):
		return s.complete(ctx, nil) // what is asked of it waits until it is configured again
	case errors.Is(err, reconcile.ErrPaused):
		if err := s.endPaused(ctx); err != nil {
			return err
		}
		return s.complete(ctx, nil)
	case s.run.ID == "" && s.leaving():
		return river.JobSnooze(0) // there is no run yet
	case s.run.ID == "":
		return err // there is no run: the database said no
	case waits:
		return s.sleep(ctx, "source "+wait.Source+" to be read", wait.Until, wait.Source)
	case more && target.ClassOf(err) == target.Limited:
		limit, _ := errors.AsType[*target.Error](err)
		return s.sleep(ctx, limit.Message, limit.Until, "")
	case more:
		if err != nil {
			s.Log.InfoContext(ctx, "a slice was broken off", "target", s.target, "run", s.run.ID, "error", err)
		}
		s.progress.save(ctx)
		return s.goOn(ctx)
	}
	s.progress.save(ctx)
	s.Log.InfoContext(ctx, "sync", "target", s.target, "run", s.run.ID, "trigger", s.run.Trigger, "state", report.State,
		"done", report.Done, "failed", report.Failed, "objected", report.Objected, "error", report.Error)
	if s.Observer != nil {
		s.Observer.RunEnded(s.run, report)
	}
	return s.complete(ctx, func(ctx context.Context, u *store.Turn) error { return s.tryAgain(ctx, u, report, err) })
}

// endPaused ends a run that the pause found open.
func (s *slice) endPaused(ctx context.Context) error {
	run, err := s.Store.OpenRun(ctx, s.target)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	p, err := s.Store.Paused(ctx, s.target)
	if err != nil || p.By == "" {
		return err
	}
	return s.Store.Finish(ctx, run.ID, reconcile.Report{Run: run.ID, State: "cancelled", Error: paused(p), At: s.Now()})
}

// tryAgain asks for another run soon when the last failed for a reason that may pass: later each time, and never later than the schedule.
func (s *slice) tryAgain(ctx context.Context, u *store.Turn, report reconcile.Report, err error) error {
	passing := err != nil && target.ClassOf(err) == target.Unavailable || report.Unknown > 0
	if report.State != "failed" || !passing {
		return nil
	}
	n, err := u.Failures(ctx, s.target)
	if err != nil {
		return err
	}
	after := min(s.times.backoff<<min(max(n-1, 0), 10), s.Every)
	return u.Ask(ctx, reconcile.Request{
		Target: s.target, Trigger: reconcile.BySchedule, Asker: "schedule", Why: "run " + s.run.ID + " failed", DueAt: s.Now().Add(after),
	})
}

// complete ends the job, and begins the next when requests came that this run did not take: first it gives its place away, then it looks. In
// the other order one that came in between would find the place taken and be seen by nobody.
func (s *slice) complete(ctx context.Context, with func(context.Context, *store.Turn) error) error {
	return s.Store.Turn(ctx, "end the sync of target "+s.target, func(u *store.Turn) error {
		if err := s.queue.completeSync(ctx, u.Tx(), s.job); err != nil {
			return err
		}
		if with != nil {
			if err := with(ctx, u); err != nil {
				return err
			}
		}
		waiting, err := u.Waiting(ctx, s.target)
		if err != nil || len(waiting) == 0 || with == nil {
			return err
		}
		return s.wake(ctx, u.Tx(), s.target, queueOf(lane(waiting)), false)
	})
}

// goOn begins the next slice at once, in the line of who waits for it.
//
// It does not snooze, here and below: River writes a snooze down a while after a job asked for it, in the line where it stood. Who asks in
// between would find it running, and wait as long as it sleeps. So the job gives its place to another and looks who came, in one transaction.
func (s *slice) goOn(ctx context.Context) error {
	return s.Store.Turn(ctx, "go on with the sync of target "+s.target, func(u *store.Turn) error {
		if err := s.queue.completeSync(ctx, u.Tx(), s.job); err != nil {
			return err
		}
		waiting, err := u.Waiting(ctx, s.target)
		if err != nil {
			return err
		}
		return s.wake(ctx, u.Tx(), s.target, s.line(waiting), false)
	})
}

// line is where the job of this run stands: that of whoever it was begun for, or waits now.
func (s *slice) line(waiting []reconcile.Request) string {
	if s.run.Trigger != reconcile.BySchedule {
		return interactive
	}
	return queueOf(lane(waiting))
}

// sleep leaves the run open until a moment, and holds no worker. What the schedule has to wait for is not always in the way of a person.
func (s *slice) sleep(ctx context.Context, why string, until time.Time, source string) error {
	s.progress.waits(ctx, why, until)
	return s.Store.Turn(ctx, "let the sync of target "+s.target+" wait", func(u *store.Turn) error {
		if err := s.queue.completeSync(ctx, u.Tx(), s.job); err != nil {
			return err
		}
		waiting, err := u.Waiting(ctx, s.target)
		if err != nil {
			return err
		}
		signs, err := u.Signs(ctx, s.run.ID)
		if err != nil {
			return err
		}
		wanted, err := u.WantedSources(ctx)
		if err != nil {
			return err
		}
		switch {
		case signs.Cancelled != "", source != "" && !slices.Contains(wanted, source),
			s.lane == reconcile.BySchedule && lane(waiting) == reconcile.ByPerson:
			return s.wake(ctx, u.Tx(), s.target, s.line(waiting), false)
		}
		return s.later(ctx, u.Tx(), s.target, s.line(waiting), until)
	})
}
