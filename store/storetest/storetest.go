// Package storetest is the suite that the store passes on every database: what each method promises, that each is one transaction, and
// what happens when many call at once or somebody dies in between.
package storetest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"musterline.example/audit"
	"musterline.example/internal/secret"
	"musterline.example/reconcile"
	"musterline.example/store"
	"musterline.example/team"
)

// A Database is one fresh database that can be opened several times and looked at behind the store's back.
type Database interface {
	// URL is what store.Open opens.
	URL() string
	// Exec runs SQL as somebody would who has the database and not the key file.
	Exec(t testing.TB, statement string, args ...any)
	// Try is Exec with the error.
	Try(statement string, args ...any) error
	// Disarm takes away the triggers that forbid to change the audit record.
	Disarm(t testing.TB)
}

// Run runs the suite. Each case gets a fresh database of its own, or a copy of one that prepare has prepared: that is the same, and quicker where
// tables are made slowly.
func Run(t *testing.T, fresh func(t *testing.T, prepare func(url string) error) Database) {
	key, err := secret.New()
	if err != nil {
		t.Fatal(err)
	}
	prepare := func(url string) error {
		s, err := store.Open(context.Background(), url, store.Options{Create: true, Key: key, Now: (&clock{now: start}).Now})
		if err != nil {
			return err
		}
		return s.Shut()
	}
	for depth, cases := range map[string]map[string]func(*world){
		"basic":        basic,
		"access":       access,
		"transactions": transactions,
		"concurrency":  concurrency,
	} {
		t.Run(depth, func(t *testing.T) {
			for sentence, f := range cases {
				t.Run(sentence, func(t *testing.T) {
					t.Parallel()
					w := &world{T: t, db: fresh(t, prepare), key: key, clock: &clock{now: start}}
					w.Store = w.open(store.Options{Create: true})
					f(w)
				})
			}
		})
	}
}

// start is when every case begins.
var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// octo is where the teams of target octo live.
var octo = team.Place{Host: "github.com", OrganizationID: "1", Organization: "octo-org", Self: "99"}

// A clock stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// A world is what one case works with.
type world struct {
	*testing.T
	*store.Store
	db    Database
	key   *secret.Key
	clock *clock
}

func (w *world) ctx() context.Context { return w.Context() }

// open opens the database once more.
func (w *world) open(o store.Options) *store.Store {
	w.Helper()
	if o.Key == nil {
		o.Key = w.key
	}
	o.Now = w.clock.Now
	s, err := store.Open(w.ctx(), w.db.URL(), o)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() {
		if err := s.Shut(); err != nil {
			w.Error(err)
		}
	})
	return s
}

// later moves the clock.
func (w *world) later(d time.Duration) {
	w.clock.mu.Lock()
	defer w.clock.mu.Unlock()
	w.clock.now = w.clock.now.Add(d)
}

// must fails the case when err is set.
func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// is fails the case when err is not the wanted one.
func (w *world) is(err, want error) {
	w.Helper()
	if !errors.Is(err, want) {
		w.Fatalf("got the error %v, want %v", err, want)
	}
}

// equal compares; nil and empty are the same.
func (w *world) equal(got, want any) {
	w.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(store.Waiver{})); diff != "" {
		w.Errorf("(-want +got)\n%s", diff)
	}
}

// run begins a run of target octo and lets it be known where its teams live.
func (w *world) run() string {
	w.Helper()
	r, err := w.Begin(w.ctx(), reconcile.Run{Target: "octo", Trigger: "person", Requester: "ada"})
	w.must(err)
	w.must(w.Found(w.ctx(), r.ID, octo, nil))
	return r.ID
}

// intend records the intent of writes to team 7.
func (w *world) intend(run string, writes ...audit.Write) string {
	w.Helper()
	id, err := w.Intent(w.ctx(), audit.Intent{
		Run: run, Target: "octo", Team: "7", Slug: "platform", Plan: "d1", Sources: []string{"corp"}, Writes: writes, At: w.clock.Now(),
		Actor: audit.Actor{Credential: "App 12", Trigger: "person", Requester: "ada"},
	})
	w.must(err)
	return id
}

// outcome records one.
func (w *world) outcome(intent, act, account string, r audit.Result) {
	w.Helper()
	w.must(w.Outcome(w.ctx(), intent, audit.Outcome{Act: act, Account: account, Team: "7", Result: r, At: w.clock.Now()}))
}

// entries returns the audit entries of a kind, the newest first.
func (w *world) entries(kind store.Kind) []store.Entry {
	w.Helper()
	e, err := w.Entries(w.ctx(), store.Filter{Kind: kind, Limit: 1000})
	w.must(err)
	return e
}

// verified fails the case when the audit record is not whole.
func (w *world) verified() store.Verified {
	w.Helper()
	v, err := w.Verify(w.ctx())
	w.must(err)
	return v
}
