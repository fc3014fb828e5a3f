package job

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/riverqueue/river"

	"musterline.example/notify"
	"musterline.example/store"
)

// patience is how long a message waits from one try to the next. It is the schedule that the Standard Webhooks specification recommends:
// ten tries in three days.
var patience = []time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
}

// longest is how long a destination may ask to be left alone.
const longest = 24 * time.Hour

// missed is how many runs are looked through that have ended since the last look, so that a server that was away for long is soon up to date.
const missed = 50

// deliverArgs is a message to be delivered.
type deliverArgs struct {
	Delivery string `json:"delivery"`
}

func (deliverArgs) Kind() string { return "deliver" }

// tell looks at what has happened and makes the messages of it. What was told is compared with what is, so that it does not matter who has
// made a run, a plan or a read, nor whether this server was there.
func (j *Jobs) tell(ctx context.Context) error {
	if j.Notify == nil {
		return nil
	}
	all, configured, err := j.Notify()
	if err != nil {
		return err
	}
	if names := strings.Join(configured, " "); names != j.notified {
		if err := j.Store.ForgetTold(ctx, configured); err != nil {
			return err
		}
		j.notified = names
	}
	if len(all) == 0 {
		return nil
	}
	off, err := j.Store.Silences(ctx)
	if err != nil {
		return err
	}
	told, err := j.Store.Told(ctx)
	if err != nil {
		return err
	}
	l := &look{Jobs: j, told: told, ended: map[endedKey][]notify.Run{}, plans: map[string]*store.Plan{}, reads: map[string]notify.Source{}}
	var errs []error
	for _, to := range all {
		if _, silent := off[to.Name]; silent {
			continue
		}
		for _, target := range to.Targets {
			errs = append(errs, l.target(ctx, to, target))
		}
		for _, source := range to.Sources {
			errs = append(errs, l.source(ctx, to, source))
		}
	}
	return errors.Join(append(errs, j.deliverDue(ctx))...)
}

// A look is one look at everything that there may be to tell. What several destinations want to know is asked once.
type look struct {
	*Jobs

	told  map[[2]string]string
	ended map[endedKey][]notify.Run
	plans map[string]*store.Plan
	reads map[string]notify.Source
}

type endedKey struct {
	target string
	after  int64
	limit  int
}

// target tells a destination what is new of a target. One that was told nothing yet hears of the last run only.
func (l *look) target(ctx context.Context, to notify.To, target string) error {
	subject := "target:" + target
	before := l.told[[2]string{to.Name, subject}]
	w := notify.Recall[notify.TargetWatch](before)
	limit := missed
	if before == "" {
		limit = 1
	}
	runs, err := l.runs(ctx, endedKey{target, w.Run, limit})
	if err != nil {
		return err
	}
	events, w := to.Runs(w, runs)
	mark, err := l.Store.PlanMark(ctx, target)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if mark.At.After(w.Plan) {
		p, err := l.plan(ctx, target)
		if err != nil {
			return err
		}
		planned, now := to.Plan(w, target, p.At, p.Objections)
		events, w = append(events, planned...), now
	}
	return l.send(ctx, to, subject, before, notify.Store(w), events)
}

func (l *look) runs(ctx context.Context, of endedKey) ([]notify.Run, error) {
	if known, ok := l.ended[of]; ok {
		return known, nil
	}
	ended, err := l.Store.Ended(ctx, of.target, of.after, of.limit)
	runs := make([]notify.Run, len(ended))
	for i, e := range ended {
		runs[i] = notify.Run{ID: e.ID, Number: e.Number, Target: of.target, State: e.State, Error: e.Error, EndedAt: e.At}
	}
	l.ended[of] = runs
	return runs, err
}

// plan returns the last plan of a target. That of an undo is somebody's who looks at it: nobody else is told what it waits for.
func (l *look) plan(ctx context.Context, target string) (*store.Plan, error) {
	if p := l.plans[target]; p != nil {
		return p, nil
	}
	p, err := l.Store.LastPlan(ctx, target)
	if err != nil {
		return nil, err
	}
	run, err := l.Store.Run(ctx, p.Run)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if run.Undoes != "" {
		p.Objections = nil
	}
	l.plans[target] = &p
	return &p, nil
}

// source tells a destination what is new of a source.
func (l *look) source(ctx context.Context, to notify.To, source string) error {
	is, known := l.reads[source]
	if !known {
		read, err := l.Store.SourceRead(ctx, source)
		if err != nil {
			return err
		}
		is = notify.Source{Name: source, ReadAt: read.At, Failure: read.Failure, FailedAt: read.FailedAt}
		l.reads[source] = is
	}
	subject := "source:" + source
	before := l.told[[2]string{to.Name, subject}]
	events, w := to.Source(notify.Recall[notify.SourceWatch](before), is)
	return l.send(ctx, to, subject, before, notify.Store(w), events)
}

// send remembers what a destination is told and makes the messages of it with their jobs, in one transaction.
func (j *Jobs) send(ctx context.Context, to notify.To, subject, before, after string, events []notify.Event) error {
	if before == after {
		return nil
	}
	t := store.Telling{Notification: to.Name, Subject: subject, Before: before, After: after}
	for _, e := range events {
		t.Deliveries = append(t.Deliveries, store.Delivery{ID: "msg_" + rand.Text(), Type: string(e.Type), Body: e.Body()})
	}
	return j.Store.Turn(ctx, "tell "+to.Name, func(u *store.Turn) error {
		told, err := u.Tell(ctx, t)
		if err != nil || !told { // another server has told it
			return err
		}
		for _, d := range t.Deliveries {
			if err := j.wakeDelivery(ctx, u.Tx(), d.ID, time.Time{}); err != nil {
				return err
			}
		}
		return nil
	})
}

// wakeDelivery sees to it that a message has a job: at once when at is zero, whatever it sleeps for.
func (j *Jobs) wakeDelivery(ctx context.Context, t store.Tx, id string, at time.Time) error {
	o := river.InsertOpts{Queue: telling}
	if !at.IsZero() {
		o.ScheduledAt = time.Now().Add(at.Sub(j.Now())) // River is told the time by the machine
	}
	for range 2 {
		r, err := j.queue.insert(ctx, t, deliverArgs{id}, o)
		if err != nil {
			return fmt.Errorf("make a job for a message: %w", err)
		}
		if !r.UniqueSkippedAsDuplicate || !at.IsZero() || !asleep(r.Job) {
			return nil
		}
		if err := j.queue.drop(ctx, t, r.Job.ID); err != nil {
			return fmt.Errorf("wake the job of a message: %w", err)
		}
	}
	return nil
}

// deliverDue gives a job to every message whose next try is due and that has none which is about to begin: one that somebody wants tried
// again, and one whose job was given up.
func (j *Jobs) deliverDue(ctx context.Context) error {
	due, err := j.Store.DueDeliveries(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, id := range due {
		errs = append(errs, j.Store.Turn(ctx, "look after a message", func(u *store.Turn) error {
			return j.wakeDelivery(ctx, u.Tx(), id, time.Time{})
		}))
	}
	return errors.Join(errs...)
}

// A deliverer delivers messages, each try a job of its own. Nothing else waits for it.
type deliverer struct {
	river.WorkerDefaults[deliverArgs]

	jobs   *Jobs
	client *http.Client
}

// Timeout implements river.Worker.
func (d *deliverer) Timeout(*river.Job[deliverArgs]) time.Duration { return d.jobs.times.timeout }

// NextRetry implements river.Worker: of what fails is only tried again what has to do with the database.
func (d *deliverer) NextRetry(job *river.Job[deliverArgs]) time.Time { return retry(job.Attempt) }

// Work implements river.Worker.
func (d *deliverer) Work(ctx context.Context, job *river.Job[deliverArgs]) error {
	j := d.jobs
	if err := j.Store.Held(); err != nil {
		return river.JobSnooze(j.times.apart)
	}
	m, err := j.Store.Delivery(ctx, job.Args.Delivery)
	if errors.Is(err, store.ErrNotFound) || err == nil && m.State != store.DeliveryWaits {
		return nil // it was given up while this job was on its way
	}
	if err != nil {
		return err
	}
	all, configured, err := j.Notify()
	if err != nil {
		return err
	}
	at := slices.IndexFunc(all, func(to notify.To) bool { return to.Name == m.Notification })
	if at < 0 {
		if slices.Contains(configured, m.Notification) {
			return river.JobSnooze(j.times.beat) // what it is configured as does not fit at present
		}
		m.State, m.Trouble = store.DeliveryFailed, "it is no longer configured"
		return j.afterTry(ctx, job, m, false)
	}
	sending, leave := context.WithCancel(ctx)
	defer leave()
	defer context.AfterFunc(j.life, leave)()
	a := notify.Send(sending, d.client, all[at], m.ID, m.Body, j.Now())
	if !a.OK() && a.Status == 0 && sending.Err() != nil {
		return river.JobSnooze(0) // another server, or the next start, sends it
	}
	m.Attempts++
	m.Status, m.Trouble = a.Status, a.Trouble
	switch {
	case a.OK():
		m.State = store.DeliveryDone
	case a.Gone():
		m.State = store.DeliveryFailed
	case m.Attempts > len(j.times.patience):
		m.State = store.DeliveryFailed
		j.Log.ErrorContext(ctx, "a notification was not delivered, and is given up", "notification", m.Notification, "message", m.ID, "event", m.Type,
			"tries", m.Attempts, "trouble", m.Trouble)
	default:
		wait := j.times.patience[m.Attempts-1]
		wait += time.Duration((mathrand.Float64() - 0.5) * float64(wait) / 10) // so that what failed together does not come again together
		m.NextAt = j.Now().Add(max(wait, min(a.RetryAfter, longest)))
		j.Log.WarnContext(ctx, "a notification was not delivered yet", "notification", m.Notification, "message", m.ID, "trouble", m.Trouble, "next", m.NextAt)
	}
	if j.Observer != nil {
		j.Observer.Notified(m.Notification, a.OK())
	}
	ended, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second) // it was sent, whoever leaves
	defer cancel()
	return j.afterTry(ended, job, m, a.Gone())
}

// afterTry ends the job of one try, and begins the next when there is one.
func (j *Jobs) afterTry(ctx context.Context, job *river.Job[deliverArgs], m store.Delivery, gone bool) error {
	return j.Store.Turn(ctx, "write down a try to deliver", func(u *store.Turn) error {
		if err := j.queue.completeDelivery(ctx, u.Tx(), job); err != nil {
			return err
		}
		if err := u.Tried(ctx, m); err != nil {
			return err
		}
		if gone {
			return u.Silence(ctx, m.Notification, "it answered 410 Gone")
		}
		if m.State != store.DeliveryWaits {
			return nil
		}
		return j.wakeDelivery(ctx, u.Tx(), m.ID, m.NextAt)
	})
}
