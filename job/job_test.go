package job

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/riverqueue/river"

	"musterline.example/internal/pgtest"
	"musterline.example/reconcile"
	"musterline.example/store"
)

// River takes a job for stuck that runs longer than the rescue says, also one that is alive and was given no time to end by.
func TestEveryJobHasATimeInWhichItEndsByItself(t *testing.T) {
	j := &Jobs{Options: Options{ReadTimeout: 30 * time.Minute}, times: usual}
	for _, order := range [][2]time.Duration{{usual.slice, usual.hard}, {usual.hard, usual.timeout}, {usual.timeout, usual.rescue}, {3 * usual.beat, usual.silent}} {
		if order[0] >= order[1] {
			t.Errorf("%s is not before %s", order[0], order[1])
		}
	}
	if d := (&syncer{jobs: j}).Timeout(&river.Job[syncArgs]{}); d != 2*time.Minute {
		t.Errorf("a slice has %s", d)
	}
	if d := (&sourceReader{jobs: j}).Timeout(&river.Job[readArgs]{}); d != 30*time.Minute {
		t.Errorf("a read has %s", d)
	}
}

func TestServersThatStartAtOnceMakeTheTablesOnce(t *testing.T) {
	t.Parallel()
	l := newLab(t, pgtest.URL(t))
	var starting sync.WaitGroup
	for range 4 {
		s := l.openStore()
		starting.Go(func() {
			j, err := New(context.Background(), Options{Store: s, Every: time.Hour, Deps: func(string) (reconcile.Deps, error) { return l.deps, nil }})
			if err != nil {
				t.Error(err)
				return
			}
			l.stop(j)
		})
	}
	starting.Wait()
}

func TestReadinessSaysWhatIsWrong(t *testing.T) {
	both(t, func(l *lab) {
		l.idle()
		if err := l.jobs.Ready(); err == nil {
			l.Error("ready before the start")
		}
		l.start()
		l.until("the jobs are ready", func() bool { return l.jobs.Ready() == nil })
		broken := l.server(l.openSecond())
		damaged := errors.New("the configuration is damaged")
		broken.Deps = func(string) (reconcile.Deps, error) { return reconcile.Deps{}, damaged }
		if err := broken.Start(context.Background()); err != nil {
			l.Fatal(err)
		}
		l.until("the other says why it is not", func() bool { return errors.Is(broken.Ready(), damaged) })
		l.stop(l.jobs)
		if err := l.jobs.Ready(); err == nil {
			l.Error("stopped and ready")
		}
	})
}

// An observer that counts.
type counter struct {
	mu    sync.Mutex
	runs  []reconcile.Report
	reads []error
}

func (c *counter) RunEnded(_ reconcile.Run, r reconcile.Report) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.runs = append(c.runs, r)
}

func (c *counter) Notified(string, bool) {}

func (c *counter) SourceRead(_ string, _ time.Duration, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reads = append(c.reads, err)
}

func TestAnObserverIsToldOfRunsAndReads(t *testing.T) {
	both(t, func(l *lab) {
		l.team("platform")
		l.join("ada")
		l.corp.group("eng", "ada")
		l.people.set(func() { l.people.fail = errors.New("503") })
		l.mapped("platform", "corp", "eng")
		l.idle()
		c := &counter{}
		l.jobs.Observer = c
		l.ask(reconcile.ByPerson)
		if s, err := l.jobs.Stats(context.Background()); err != nil || s.Waiting != 1 || s.Oldest.IsZero() {
			l.Errorf("%+v, %v", s, err)
		}
		l.start()
		l.until("everything is told", func() bool {
			c.mu.Lock()
			defer c.mu.Unlock()
			return len(c.runs) == 1 && len(c.reads) == 2
		})
		if c.runs[0].State != "done" || c.runs[0].Done != 1 || (c.reads[0] == nil) == (c.reads[1] == nil) {
			l.Errorf("%+v, %v", c.runs, c.reads)
		}
		l.until("nothing waits", func() bool {
			s, err := l.jobs.Stats(context.Background())
			return err == nil && s == Stats{}
		})
	})
}

func TestJobsNeedTheirTools(t *testing.T) {
	for _, o := range []Options{{}, {Store: &store.Store{}}, {Store: &store.Store{}, Deps: func(string) (reconcile.Deps, error) { return reconcile.Deps{}, nil }}} {
		if _, err := New(context.Background(), o); err == nil {
			t.Errorf("made with %+v", o)
		}
	}
}

func TestAServerThatLostItsLockOnTheDatabaseBeginsNothingAndIsNotReady(t *testing.T) {
	t.Parallel()
	l := newLab(t, pgtest.URL(t))
	ctx := context.Background()
	platform := l.team("platform")
	l.join("ada")
	l.corp.group("eng", "ada")
	l.mapped("platform", "corp", "eng")
	unlock, err := l.store.LockShared(ctx)
	if err != nil {
		t.Fatal(err)
	}
	l.start()
	l.until("the jobs are ready", func() bool { return l.jobs.Ready() == nil })
	const (
		number = 0x6d7573746572 // of the lock on the database
		locks  = "FROM pg_locks WHERE locktype = 'advisory' AND objid = x'73746572'::int AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
	)
	command, watching := l.connect(), l.connect()
	taken := make(chan error, 1)
	go func() {
		// A command waits for the lock, and has it as soon as PostgreSQL drops the connection of the server.
		_, err := command.Exec(ctx, "SELECT pg_advisory_lock($1)", int64(number))
		taken <- err
	}()
	l.until("a command waits", func() bool {
		var n int
		l.sql(watching, "SELECT COUNT(*) "+locks+"AND NOT granted", &n)
		return n == 1
	})
	l.sql(watching, "SELECT COUNT(pg_terminate_backend(pid)) "+locks+"AND granted", new(int))
	if err := <-taken; err != nil {
		t.Fatal(err)
	}
	if err := l.jobs.Ready(); !errors.Is(err, store.ErrLocked) {
		t.Errorf("ready beside a command: %v", err)
	}
	if _, done, err := l.jobs.Alone(ctx, "octo"); !errors.Is(err, store.ErrLocked) {
		t.Errorf("an act beside a command: %v", err)
		done()
	}
	l.ask(reconcile.ByPerson)
	l.until("its job has looked", func() bool {
		var n int
		l.sql(watching, "SELECT COUNT(*) FROM river_job WHERE kind = 'sync' AND attempted_at IS NOT NULL AND state <> 'running'", &n)
		return n > 0
	})
	if runs := l.runs(); len(runs) != 0 {
		t.Errorf("begun beside a command: %+v", runs)
	}
	if err := command.Close(ctx); err != nil {
		t.Fatal(err)
	}
	l.quiet()
	l.holds(platform, "ada")
	if err := l.jobs.Ready(); err != nil {
		t.Error(err)
	}
	l.stop(l.jobs)
	if err := unlock(); err != nil {
		t.Error(err)
	}
}

func TestAFaultOfOursDoesNotEndTheClock(t *testing.T) {
	l := newLab(t, "sqlite:"+filepath.Join(t.TempDir(), "m.db"))
	j := l.server(l.store)
	deps, faults := j.Deps, 0
	j.Deps = func(lane string) (reconcile.Deps, error) {
		if faults++; faults == 1 {
			panic("a test")
		}
		return deps(lane)
	}
	if err := j.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	l.until("it is ready", func() bool { return j.Ready() == nil })
}
