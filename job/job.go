// Package job does what nobody waits for at a terminal: syncs that somebody asked for, syncs that are due, the reads of sources that they
// rest on, and the messages to who is told of them. The jobs are River's, on the store's own database; there is one file for each, and each calls reconcile.
//
// What is to be done stands in rows: requests for syncs, wanted reads of sources. A job drains them and holds nothing itself, so that ten
// requests make one run and none is lost. Whoever asks puts the job into the same transaction. While a job runs River makes no other, so at
// its end it looks for what came meanwhile, after it has given its place away; and every few seconds each server looks for rows that no job
// does.
package job

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"musterline.example/notify"
	"musterline.example/reconcile"
	"musterline.example/store"
)

// Options say what the jobs work with. Store, Deps and Every are needed.
type Options struct {
	Store *store.Store

	// Deps returns what a slice or a read works with, as it is configured now: targets opened in the lane of who waits, "person" or
	// "schedule". Reader is filled in by the jobs.
	Deps func(lane string) (reconcile.Deps, error)

	// Every is the time from one sync of a target to the next, and how old a read of a source may be for it.
	Every time.Duration
	// ReadTimeout is how long a source may take to be read; 30 minutes when 0.
	ReadTimeout time.Duration
	// Workers is how many syncs that somebody waits for, syncs of the schedule and reads of sources are done at once by this process: 10, 4
	// and 4 when 0.
	Workers Workers

	// Notify returns who is told of what happens, and the names of all who are configured, also of those that do not fit at present. It may be
	// nil: nobody is told.
	Notify func() (all []notify.To, configured []string, err error)

	Observer Observer // may be nil
	Log      *slog.Logger
	Now      func() time.Time // the clock of the store
}

// Workers is how much is done at once.
type Workers struct{ Interactive, Scheduled, Reading int }

// An Observer is told of what was done, for figures. Its methods are called by several goroutines at once and return soon.
type Observer interface {
	// RunEnded tells of a run that is finished.
	RunEnded(run reconcile.Run, report reconcile.Report)
	// SourceRead tells of a try to read a source, how long it took and how it ended.
	SourceRead(source string, took time.Duration, err error)
	// Notified tells of a try to deliver a message.
	Notified(notification string, delivered bool)
}

// Jobs are the workers of one process. They are safe for concurrent use.
type Jobs struct {
	Options
	times times
	queue queue
	name  string // of this process among those that share the database

	life     context.Context //nolint:containedctx // of reads and of the clock, which end with the process and not with a call
	end      context.CancelFunc
	ticking  sync.WaitGroup
	mu       sync.Mutex
	started  bool
	stopping bool
	ticked   time.Time // when the clock last went round without an error
	trouble  error     // of the last round
	running  map[string]int
	cache    map[string]cached // last snapshots, by source
	tried    map[string]time.Time
	notified string // the names that are configured, as the clock saw them last
}

// Times are how long things take. Tests are in a hurry.
type times struct {
	slice   time.Duration // after which no team is begun
	hard    time.Duration // after which a slice ends within a team
	timeout time.Duration // after which a slice is cut off
	rescue  time.Duration // after which its process is taken for dead
	polite  time.Duration // for which a team in hand goes on though somebody waits
	tick    time.Duration // from one look at the clock to the next
	beat    time.Duration // from one sign of life of who reads a source to the next
	silent  time.Duration // without a sign, after which another takes over
	wait    time.Duration // after which a run that waits for a read looks by itself
	inline  time.Duration // how long a slice waits for single groups of a source
	apart   time.Duration // after which a slice looks again whether somebody wants to be alone with its target
	backoff time.Duration // from the first failure of a run to the next try
	tidy    time.Duration // from one tidying to the next

	patience []time.Duration // from one try to deliver a message to the next
}

var usual = times{
	slice: time.Minute, hard: 90 * time.Second, timeout: 2 * time.Minute, rescue: 3 * time.Minute, polite: 5 * time.Second,
	tick: 5 * time.Second, beat: 10 * time.Second, silent: time.Minute, wait: 10 * time.Second, inline: 20 * time.Second, apart: 2 * time.Second, backoff: 30 * time.Second,
	tidy: 24 * time.Hour, patience: patience,
}

// New makes the jobs, brings the queue's tables up to date and takes the store's requests from now on. Nothing is worked before Start.
func New(ctx context.Context, o Options) (*Jobs, error) { return newJobs(ctx, o, usual) }

func newJobs(ctx context.Context, o Options, t times) (*Jobs, error) {
	if o.Store == nil || o.Deps == nil || o.Every <= 0 {
		return nil, errors.New("jobs need a store, something to work with and a schedule")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.ReadTimeout = cmp.Or(o.ReadTimeout, 30*time.Minute)
	o.Workers = Workers{cmp.Or(o.Workers.Interactive, 10), cmp.Or(o.Workers.Scheduled, 4), cmp.Or(o.Workers.Reading, 4)}
	host, _ := os.Hostname() // a name for people: the random part tells processes apart
	j := &Jobs{
		Options: o, times: t, name: fmt.Sprintf("%s-%d-%s", host, os.Getpid(), rand.Text()[:8]), running: make(map[string]int), cache: make(map[string]cached), tried: make(map[string]time.Time),
	}
	on, err := o.Store.Queue(ctx)
	if err != nil {
		return nil, err
	}
	if j.queue, err = open(ctx, on, j.config(on.SQLite != nil)); err != nil {
		return nil, fmt.Errorf("open the job queue: %w", err)
	}
	o.Store.OnAsked(j.asked)
	return j, nil
}

// config sets what decides about speed: jobs are fetched MaxWorkers at a time, FetchCooldown apart; and on SQLite, which notifies nobody, a
// job waits for the next poll.
func (j *Jobs) config(polls bool) *river.Config {
	workers := river.NewWorkers()
	river.AddWorker(workers, &syncer{jobs: j})
	river.AddWorker(workers, &sourceReader{jobs: j})
	river.AddWorker(workers, &deliverer{jobs: j, client: notify.Client()})
	soon, later := time.Second, time.Second
	if polls {
		soon, later = 100*time.Millisecond, 500*time.Millisecond
	}
	of := func(n int, poll time.Duration) river.QueueConfig {
		return river.QueueConfig{MaxWorkers: n, FetchCooldown: 20 * time.Millisecond, FetchPollInterval: poll}
	}
	return &river.Config{
		Queues: map[string]river.QueueConfig{
			interactive: of(j.Workers.Interactive, min(soon, 250*time.Millisecond)),
			scheduled:   of(j.Workers.Scheduled, later),
			reading:     of(j.Workers.Reading, later),
			telling:     of(tellers, later),
		},
		Workers: workers, Logger: slog.New(warnings{j.Log.Handler()}),
		JobTimeout: j.times.timeout, RescueStuckJobsAfter: j.times.rescue,
		// The rows of requests and runs tell what was done; those of jobs only help to find out why it was not.
		CompletedJobRetentionPeriod: time.Hour, CancelledJobRetentionPeriod: time.Hour, DiscardedJobRetentionPeriod: 24 * time.Hour,
	}
}

// Start begins to work. The context counts for the start only: Stop ends the work.
func (j *Jobs) Start(ctx context.Context) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.started || j.stopping {
		return errors.New("the jobs were started or stopped already")
	}
	j.life, j.end = context.WithCancel(context.WithoutCancel(ctx))
	if err := j.queue.start(context.WithoutCancel(ctx)); err != nil {
		j.end()
		return fmt.Errorf("start the jobs: %w", err)
	}
	j.started = true
	j.ticking.Go(j.clock)
	j.ticking.Go(j.tidy)
	return nil
}

// Stop lets every sync finish the write in hand and leaves the rest to another server, or to the next start. Reads are broken off, of sources
// and of targets. When ctx ends first, syncs are broken off as well. Requests that come later are kept, and wait.
func (j *Jobs) Stop(ctx context.Context) error {
	j.mu.Lock()
	was, started := j.stopping, j.started
	j.stopping = true
	j.mu.Unlock()
	switch {
	case was:
		return nil
	case !started:
		j.queue.close()
		return nil
	}
	j.end()
	j.ticking.Wait()
	err := j.queue.stop(ctx)
	if ctx.Err() != nil {
		now, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		err = j.queue.stopNow(now)
	}
	if err != nil {
		return fmt.Errorf("stop the jobs: %w", err) // what they work with stays open: to close it would be to wait for them
	}
	j.queue.close()
	return nil
}

// leaving reports whether the process is about to end.
func (j *Jobs) leaving() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.stopping
}

// Ready returns nil while jobs are worked, the database answers and this process has its lock, and says what is wrong otherwise.
func (j *Jobs) Ready() error {
	held := j.Store.Held() // before the mutex, which nobody holds while the database is asked
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case !j.started:
		return errors.New("the jobs are not started")
	case j.stopping:
		return errors.New("the jobs are stopping")
	case held != nil:
		return held
	case j.trouble != nil:
		return fmt.Errorf("the jobs: %w", j.trouble)
	case j.ticked.IsZero():
		return errors.New("the jobs are starting")
	}
	return nil
}

// Stats are figures of the queue.
type Stats struct {
	Waiting int       // requests that are due and that no run has taken, of all servers
	Oldest  time.Time // of them; zero when there is none
	Syncs   int       // slices that this process is at
	Reads   int       // sources that this process is reading
}

// Stats returns the figures of the queue.
func (j *Jobs) Stats(ctx context.Context) (Stats, error) {
	n, oldest, err := j.Store.Waiting(ctx)
	j.mu.Lock()
	defer j.mu.Unlock()
	return Stats{Waiting: n, Oldest: oldest, Syncs: j.running["sync"], Reads: j.running["read"]}, err
}

// at counts a work that this process is at, until done.
func (j *Jobs) at(work string) (done func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.running[work]++
	return func() {
		j.mu.Lock()
		defer j.mu.Unlock()
		j.running[work]--
	}
}

// asked puts the jobs of requests into the transaction that makes them.
func (j *Jobs) asked(ctx context.Context, t store.Tx, requests []reconcile.Request) error {
	waited := make(map[string]bool)
	for _, r := range requests {
		waited[r.Target] = waited[r.Target] || r.Waited()
	}
	for _, target := range inOrder(waited) { // one order for all, so that nobody waits for who waits for them
		in := scheduled
		if waited[target] {
			in = interactive
		}
		if err := j.wake(ctx, t, target, in, waited[target]); err != nil {
			return err
		}
	}
	return nil
}

// wake sees to it that a target has a job. One that sleeps or stands in the line of the schedule gives its place to another when somebody
// waits; one that runs looks between its writes who does.
func (j *Jobs) wake(ctx context.Context, t store.Tx, target, in string, now bool) error {
	for range 2 {
		r, err := j.queue.insert(ctx, t, syncArgs{target}, river.InsertOpts{Queue: in})
		if err != nil {
			return fmt.Errorf("make a job for target %s: %w", target, err)
		}
		there := r.Job
		if !r.UniqueSkippedAsDuplicate || !now || there.State == rivertype.JobStateRunning || there.Queue == in && !asleep(there) {
			return nil
		}
		if err := j.queue.drop(ctx, t, there.ID); err != nil {
			return fmt.Errorf("wake the job of target %s: %w", target, err)
		}
	}
	return nil
}

// later gives a target a job that begins at a moment. River looks every few seconds which these are, and is told the time by the machine.
func (j *Jobs) later(ctx context.Context, t store.Tx, target, in string, at time.Time) error {
	_, err := j.queue.insert(ctx, t, syncArgs{target}, river.InsertOpts{Queue: in, ScheduledAt: time.Now().Add(at.Sub(j.Now()))})
	if err != nil {
		return fmt.Errorf("make a job for target %s: %w", target, err)
	}
	return nil
}

// warnings is a handler for a library that tells more than operators want to know.
type warnings struct{ slog.Handler }

func (w warnings) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && w.Handler.Enabled(ctx, l)
}
func (w warnings) WithAttrs(a []slog.Attr) slog.Handler { return warnings{w.Handler.WithAttrs(a)} }
func (w warnings) WithGroup(name string) slog.Handler   { return warnings{w.Handler.WithGroup(name)} }
