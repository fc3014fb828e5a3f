package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"musterline.example/directory"
	"musterline.example/guard"
	"musterline.example/internal/githubsim"
	"musterline.example/internal/pgtest"
	"musterline.example/internal/secret"
	"musterline.example/mapping"
	"musterline.example/plan"
	"musterline.example/reconcile"
	"musterline.example/setting"
	"musterline.example/source"
	"musterline.example/store"
	"musterline.example/target"
	"musterline.example/target/github"
	"musterline.example/team"
)

func TestMain(m *testing.M) {
	if url := os.Getenv("MUSTERLINE_JOB_VICTIM"); url != "" {
		victim(url)
		return
	}
	code := pgtest.Main(m)
	if path, err := keyOnce(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// hasty lets things happen soon. What happens is the same.
var hasty = times{
	slice: 20 * time.Second, hard: 40 * time.Second, timeout: time.Minute, rescue: 61 * time.Second, polite: 50 * time.Millisecond,
	tick: 100 * time.Millisecond, beat: 100 * time.Millisecond, silent: 2 * time.Second, wait: 300 * time.Millisecond,
	inline: 5 * time.Second, apart: 100 * time.Millisecond, backoff: 200 * time.Millisecond, tidy: time.Hour,
	patience: patience,
}

// A clock goes on by itself, and further when told to.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// A provider is an identity provider that behaves: what it is asked it answers in full, or not at all.
type provider struct {
	name string
	now  func() time.Time

	mu     sync.Mutex
	users  map[directory.UserID]directory.User
	groups map[directory.GroupID]directory.Group
	fail   error
	reads  int
	asked  []source.Selection
	hold   chan struct{} // closed to let a read go on; nil: at once
}

func (p *provider) Snapshot(ctx context.Context, sel source.Selection) (*directory.Snapshot, error) {
	began := p.now()
	p.mu.Lock()
	p.reads++
	p.asked = append(p.asked, sel)
	hold := p.hold
	p.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail != nil {
		return nil, p.fail
	}
	want, err := sel.Settle(p.groups)
	if err != nil {
		return nil, err
	}
	s := &directory.Snapshot{Source: p.name, TakenAt: began, Users: maps.Clone(p.users), Groups: map[directory.GroupID]directory.Group{}}
	for id, g := range p.groups {
		s.Groups[id] = directory.Group{ID: id, Name: g.Name}
	}
	all := &directory.Snapshot{Groups: p.groups}
	for _, id := range want {
		for _, inner := range all.Closure(id) {
			g := p.groups[inner]
			g.ReadAt = began
			s.Groups[inner] = g
		}
	}
	return s, s.Validate()
}

// group sets a group of active users who claim the login of their name.
func (p *provider) group(id string, members ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	g := directory.Group{ID: directory.GroupID(id), Name: id}
	for _, m := range members {
		g.Members = append(g.Members, directory.UserID(m))
		p.users[directory.UserID(m)] = directory.User{ID: directory.UserID(m), Status: directory.Active, Accounts: map[string]string{"github": m}}
	}
	p.groups[g.ID] = g
}

func (p *provider) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

func (p *provider) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reads
}

// A gate stands before a target and does what a test wants before calls go through.
type gate struct {
	target.Target

	mu    sync.Mutex
	asked func(ctx context.Context) error // before who is a member is read
	read  func() error
	apply func(c plan.TeamChange) error
	write func() // after each write
}

func (g *gate) Accounts(ctx context.Context, ids []team.AccountID) (target.Accounts, error) {
	g.mu.Lock()
	asked, f := g.asked, g.read
	g.mu.Unlock()
	if asked != nil {
		if err := asked(ctx); err != nil {
			return target.Accounts{}, err
		}
	}
	if f != nil {
		if err := f(); err != nil {
			return target.Accounts{}, err
		}
	}
	return g.Target.Accounts(ctx, ids)
}

func (g *gate) Apply(ctx context.Context, c plan.TeamChange, did func(target.Outcome) error) error {
	g.mu.Lock()
	before, after := g.apply, g.write
	g.mu.Unlock()
	if before != nil {
		if err := before(c); err != nil {
			return err
		}
	}
	return g.Target.Apply(ctx, c, func(o target.Outcome) error {
		if after != nil {
			after()
		}
		return did(o)
	})
}

func (g *gate) set(change func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	change()
}

// A watch keeps what a log warns of.
type watch struct {
	slog.Handler

	t testing.TB
}

func (w watch) Enabled(context.Context, slog.Level) bool { return true }
func (w watch) Handle(_ context.Context, r slog.Record) error {
	text := r.Message
	r.Attrs(func(a slog.Attr) bool { text += " " + a.String(); return true })
	if strings.Contains(text, "SQLITE_BUSY") || strings.Contains(text, "database is locked") {
		w.t.Errorf("two writers on SQLite: %s", text)
	}
	if testing.Verbose() && r.Level >= slog.LevelInfo {
		fmt.Println(time.Now().Format("05.000"), r.Level, text)
	}
	return nil
}
func (w watch) WithAttrs([]slog.Attr) slog.Handler { return w }
func (w watch) WithGroup(string) slog.Handler      { return w }

// A lab is two identity providers, a simulated GitHub with organizations, and a server between them.
type lab struct {
	testing.TB

	clock   *clock
	corp    *provider
	people  *provider
	gh      *githubsim.Server
	web     string
	org     *githubsim.Organization
	key     *secret.Key
	keyPath string
	url     string
	store   *store.Store
	gate    *gate
	mu      sync.Mutex
	deps    reconcile.Deps
	lanes   []string // that deps were asked for
	jobs    *Jobs
	times   times
	every   time.Duration
}

// both runs a test on both databases.
func both(t *testing.T, f func(l *lab)) {
	t.Helper()
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		f(newLab(t, "sqlite:"+filepath.Join(t.TempDir(), "m.db")))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		f(newLab(t, postgres(t)))
	})
}

// keyOnce is the key of all labs: a database with its tables is made once and copied for each test, and belongs to one key. It lies in a
// file for those servers that are processes of their own.
var keyOnce = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "musterline-job-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "key")
	_, err = secret.Create(path)
	return path, err
})

func postgres(t testing.TB) string {
	t.Helper()
	return pgtest.Prepared(t, "job", func(url string) error {
		path, err := keyOnce()
		if err != nil {
			return err
		}
		key, err := secret.Open(path)
		if err != nil {
			return err
		}
		s, err := store.Open(context.Background(), url, store.Options{Key: key, Create: true, Who: "test"})
		if err != nil {
			return err
		}
		j, err := New(context.Background(), Options{Store: s, Every: time.Hour, Deps: func(string) (reconcile.Deps, error) { return reconcile.Deps{}, nil }})
		if err == nil {
			j.queue.close()
		}
		return errors.Join(err, s.Shut())
	})
}

func newLab(t testing.TB, url string) *lab {
	t.Helper()
	l := &lab{TB: t, clock: &clock{}, url: url, times: hasty, every: time.Hour}
	newProvider := func(name string) *provider {
		return &provider{name: name, now: l.clock.Now, users: map[directory.UserID]directory.User{}, groups: map[directory.GroupID]directory.Group{}}
	}
	l.corp, l.people = newProvider("corp"), newProvider("people")
	world := githubsim.NewWorld()
	l.gh = githubsim.New(githubsim.Options{World: world, Now: l.clock.Now})
	l.org = world.AddOrganization("octo-org", "boss")
	l.gh.PutToken(githubsim.Token{Value: "ghp_bossToken", User: "boss", Scopes: []string{"admin:org"}})
	web := httptest.NewServer(l.gh)
	t.Cleanup(web.Close)
	l.web = web.URL
	var err error
	if l.keyPath, err = keyOnce(); err == nil {
		l.key, err = secret.Open(l.keyPath)
	}
	if err != nil {
		t.Fatal(err)
	}
	l.store = l.openStore()
	l.gate = &gate{Target: l.openTarget("octo", "octo-org")}
	l.deps = reconcile.Deps{
		Sources: map[string]source.Source{"corp": l.corp, "people": l.people},
		Targets: map[string]reconcile.Target{"octo": {Target: l.gate, Kind: "github", Applies: guard.ApplyAuto, Settings: mapping.DefaultSettings}},
		File:    map[string][]mapping.Mapping{}, Now: l.clock.Now, Logger: slog.New(slog.DiscardHandler),
		Memory: l.store, Notebook: l.store, Log: l.store,
	}
	l.set(func(tg *reconcile.Target) { tg.Guards.FirstConnection = guard.Apply })
	return l
}

func (l *lab) openStore() *store.Store {
	l.Helper()
	s, err := store.Open(context.Background(), l.url, store.Options{Key: l.key, Now: l.clock.Now, Create: true, Who: "test"})
	if err != nil {
		l.Fatal(err)
	}
	l.Cleanup(func() { _ = s.Shut() })
	return s
}

func (l *lab) openTarget(name, organization string) target.Target {
	l.Helper()
	hints, err := l.store.Hints(context.Background(), name)
	if err != nil {
		l.Fatal(err)
	}
	tg, err := github.Kind.Open(context.Background(), setting.Values{"organization": organization, "api_url": l.web, "token": "ghp_bossToken", "pace": "0s"},
		target.Env{Name: name, Lane: "person", Now: l.clock.Now, HTTP: http.DefaultTransport, Log: slog.New(slog.DiscardHandler), Hints: hints})
	if err != nil {
		l.Fatal(err)
	}
	return tg
}

// server makes the jobs of a server on the lab's database.
func (l *lab) server(s *store.Store) *Jobs {
	l.Helper()
	j, err := newJobs(context.Background(), Options{
		Store: s, Every: l.every, Now: l.clock.Now, Log: slog.New(watch{t: l.TB}),
		Deps: func(lane string) (reconcile.Deps, error) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.lanes = append(l.lanes, lane)
			d := l.deps
			d.Memory, d.Notebook, d.Log = s, s, s
			return d, nil
		},
	}, l.times)
	if err != nil {
		l.Fatal(err)
	}
	l.Cleanup(func() { l.stop(j) })
	return j
}

// idle opens the queue without working.
func (l *lab) idle() {
	l.Helper()
	l.jobs = l.server(l.store)
	// Nothing is due before somebody asks.
	if _, err := l.store.Schedule(context.Background(), inOrder(l.deps.Targets), l.every); err != nil {
		l.Fatal(err)
	}
	for _, target := range inOrder(l.deps.Targets) {
		next, err := l.store.Schedule(context.Background(), inOrder(l.deps.Targets), l.every)
		if err != nil {
			l.Fatal(err)
		}
		l.SetNext(target, next[target], l.clock.Now().Add(l.every))
	}
}

// SetNext moves the schedule of a target.
func (l *lab) SetNext(target string, was, next time.Time) {
	l.Helper()
	if err := l.store.Pause(context.Background(), target, reconcile.Pause{By: "test", Reason: "nothing is due"}); err != nil {
		l.Fatal(err)
	}
	if _, err := l.store.AskOnSchedule(context.Background(), target, was, next); err != nil {
		l.Fatal(err)
	}
	if _, err := l.store.Resume(context.Background(), target, "test"); err != nil {
		l.Fatal(err)
	}
}

func (l *lab) start() {
	l.Helper()
	if l.jobs == nil {
		l.idle()
	}
	if err := l.jobs.Start(context.Background()); err != nil {
		l.Fatal(err)
	}
}

func (l *lab) stop(j *Jobs) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := j.Stop(ctx); err != nil {
		l.Error(err)
	}
}

// team makes a team with members of the organization and maps it to a group of the same name in the file.
func (l *lab) team(name string, logins ...string) *githubsim.Team {
	tm := l.org.AddTeam(name)
	for _, login := range logins {
		l.join(login)
		tm.Set(login, githubsim.Member)
	}
	return tm
}

func (l *lab) join(logins ...string) {
	for _, login := range logins {
		if _, member := l.org.Roles()[login]; !member {
			l.org.AddMember(login)
		}
	}
}

func (l *lab) mapped(name, src string, groups ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, g := range groups {
		l.deps.File["octo"] = append(l.deps.File["octo"], mapping.Mapping{
			ID: fmt.Sprintf("file:%d", len(l.deps.File["octo"])+1), Origin: mapping.FromFile,
			Target: "octo", Team: name, Source: src, Group: g, Mode: mapping.Exclusive,
		})
	}
}

func (l *lab) set(change func(*reconcile.Target)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.deps.Targets["octo"]
	change(&t)
	l.deps.Targets = maps.Clone(l.deps.Targets)
	l.deps.Targets["octo"] = t
}

func (l *lab) ask(trigger string, teams ...*githubsim.Team) {
	l.Helper()
	r := reconcile.Request{Target: "octo", Trigger: trigger, Asker: "ada", Why: "a test"}
	for _, t := range teams {
		r.Teams = append(r.Teams, idOf(t))
	}
	if _, err := l.store.AddRequest(context.Background(), r); err != nil {
		l.Fatal(err)
	}
}

func idOf(t *githubsim.Team) team.ID { return team.ID(strconv.FormatInt(t.ID(), 10)) }

// until waits for something to be so, and fails the test when it does not become so.
func (l *lab) until(what string, so func() bool) {
	l.Helper()
	for deadline := time.Now().Add(90 * time.Second); !so(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			for _, r := range l.runs() {
				l.Logf("run %s %s %+v", r.ID, r.Trigger, r.Report)
			}
			l.Fatalf("it never came that %s", what)
		}
	}
}

func (l *lab) runs() []store.Run {
	l.Helper()
	runs, err := l.store.Runs(context.Background(), "", "", 100)
	if err != nil {
		l.Fatal(err)
	}
	return runs
}

// quiet waits until nothing is asked and no run is open, and returns the runs, the newest first.
func (l *lab) quiet() []store.Run {
	l.Helper()
	var runs []store.Run
	l.until("nothing is left to do", func() bool {
		waiting, err := l.store.Due(context.Background(), "octo")
		if err != nil {
			l.Fatal(err)
		}
		runs = l.runs()
		return len(waiting) == 0 && len(runs) > 0 && !slices.ContainsFunc(runs, func(r store.Run) bool { return r.FinishedAt.IsZero() })
	})
	return runs
}

func members(tm *githubsim.Team) string {
	return strings.Join(slices.Sorted(maps.Keys(tm.Members())), " ")
}

func (l *lab) holds(tm *githubsim.Team, want string) {
	l.Helper()
	if got := members(tm); got != want {
		l.Errorf("the team holds %q, want %q", got, want)
	}
}
