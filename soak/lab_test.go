package soak

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"musterline.example/directory"
	"musterline.example/guard"
	"musterline.example/internal/githubsim"
	"musterline.example/internal/pgtest"
	"musterline.example/internal/secret"
	"musterline.example/link"
	"musterline.example/mapping"
	"musterline.example/reconcile"
	"musterline.example/setting"
	"musterline.example/source"
	"musterline.example/store"
	"musterline.example/target"
	"musterline.example/target/github"
)

// A T is what a test and a rapid check have in common.
type T interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Logf(format string, args ...any)
}

// place is the folder of everything that tests write: in memory where there is such a thing, for a database that is thrown away need not
// be safe from a power cut.
var place = sync.OnceValue(func() string {
	for _, dir := range []string{"/dev/shm", ""} {
		if home, err := os.MkdirTemp(dir, "soak"); err == nil {
			return home
		}
	}
	panic("no folder for temporary files")
})

// clearUp removes what the tests left.
func clearUp() { _ = os.RemoveAll(place()) }

var folders atomic.Int64

// folder makes a new folder.
func folder(t T) string {
	t.Helper()
	dir := filepath.Join(place(), fmt.Sprint(folders.Add(1)))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A memory is an empty database of Musterline with its tables and key, to be copied.
type memory struct {
	key  *secret.Key
	text []byte // of the key file
	file []byte // of the database
}

var prepared = sync.OnceValues(func() (memory, error) {
	dir, err := os.MkdirTemp(place(), "template")
	if err != nil {
		return memory{}, err
	}
	var m memory
	if m.key, err = secret.Create(filepath.Join(dir, "musterline.key")); err != nil {
		return m, err
	}
	if m.text, err = os.ReadFile(filepath.Join(dir, "musterline.key")); err != nil {
		return m, err
	}
	if err := prepare("sqlite:"+filepath.Join(dir, "musterline.db"), m.key); err != nil {
		return m, err
	}
	m.file, err = os.ReadFile(filepath.Join(dir, "musterline.db"))
	return m, err
})

func prepare(url string, key *secret.Key) error {
	s, err := store.Open(context.Background(), url, store.Options{Key: key, Create: true, Who: "soak"})
	if err != nil {
		return err
	}
	return s.Shut()
}

// database returns the URL of a new database of a kind, sqlite or postgres.
func database(t *testing.T, kind string) string {
	t.Helper()
	m, err := prepared()
	if err != nil {
		t.Fatal(err)
	}
	if kind == "postgres" {
		return pgtest.Prepared(t, "soak", func(url string) error { return prepare(url, m.key) })
	}
	path := filepath.Join(folder(t), "musterline.db")
	if err := os.WriteFile(path, m.file, 0o600); err != nil {
		t.Fatal(err)
	}
	return "sqlite:" + path
}

// A provider is an identity provider. What is true of it lies in users and groups; lie, if set, is what it says instead.
type provider struct {
	name   string
	users  map[directory.UserID]directory.User
	groups map[directory.GroupID]directory.Group
	fail   error
	old    time.Duration // how long ago what it hands out was read
	lie    func(*directory.Snapshot)
	said   *directory.Snapshot // all that it said last; nil when it failed
}

func newProvider(name string) *provider {
	return &provider{name: name, users: map[directory.UserID]directory.User{}, groups: map[directory.GroupID]directory.Group{}}
}

// speak is everything that the provider says at a moment.
func (p *provider) speak(now time.Time) *directory.Snapshot {
	s := &directory.Snapshot{Source: p.name, TakenAt: now.Add(-p.old), Users: maps.Clone(p.users), Groups: make(map[directory.GroupID]directory.Group, len(p.groups))}
	for id, g := range p.groups {
		g.Members, g.Groups = slices.Clone(g.Members), slices.Clone(g.Groups)
		s.Groups[id] = g
	}
	if p.lie != nil {
		p.lie(s)
	}
	return s
}

// Snapshot implements source.Source.
func (p *provider) Snapshot(_ context.Context, sel source.Selection) (*directory.Snapshot, error) {
	p.said = nil
	if p.fail != nil {
		return nil, p.fail
	}
	all := p.speak(time.Now())
	want, err := sel.Settle(all.Groups)
	if err != nil {
		return nil, err
	}
	s := &directory.Snapshot{Source: p.name, TakenAt: all.TakenAt, Users: all.Users, Groups: make(map[directory.GroupID]directory.Group, len(all.Groups))}
	for id, g := range all.Groups {
		s.Groups[id] = directory.Group{ID: id, Name: g.Name}
	}
	for _, id := range want {
		for _, inner := range all.Closure(id) {
			g := all.Groups[inner]
			g.ReadAt = s.TakenAt
			s.Groups[inner] = g
		}
	}
	p.said = all
	return s, s.Validate()
}

// user sets a user who claims a login, if there is one.
func (p *provider) user(id string, status directory.Status, login string) {
	u := directory.User{ID: directory.UserID(id), Name: id, Username: id + "@example.com", Status: status}
	if login != "" {
		u.Accounts = map[string]string{"github": login}
	}
	p.users[u.ID] = u
}

// group sets a group; a leading "@" is a nested one.
func (p *provider) group(id, name string, members ...string) {
	g := directory.Group{ID: directory.GroupID(id), Name: name}
	for _, m := range members {
		if sub, ok := strings.CutPrefix(m, "@"); ok {
			g.Groups = append(g.Groups, directory.GroupID(sub))
		} else {
			g.Members = append(g.Members, directory.UserID(m))
		}
	}
	p.groups[g.ID] = g
}

// A hub is two identity providers and a simulated GitHub with the organization octo-org.
type hub struct {
	corp, hr *provider
	gh       *githubsim.Server
	org      *githubsim.Organization
	before   func(githubsim.Call) // told of each call before it is answered
	after    func(githubsim.Call)
}

// newHub makes the organization with its owner boss, who is the account behind every token. Each call takes so long.
func newHub(latency time.Duration) *hub {
	h := &hub{corp: newProvider("corp"), hr: newProvider("hr"), before: func(githubsim.Call) {}, after: func(githubsim.Call) {}}
	world := githubsim.NewWorld()
	h.gh = githubsim.New(githubsim.Options{
		World: world, Now: time.Now, KeepCalls: 1,
		Latency: func(c githubsim.Call) time.Duration { h.before(c); return latency },
		Trace:   func(c githubsim.Call) { h.after(c) },
	})
	h.org = world.AddOrganization("octo-org", "boss")
	return h
}

// A lab is a hub with the engine in this process, and its memory.
type lab struct {
	*hub
	store *store.Store
	deps  reconcile.Deps
}

// newLab opens the engine on a database. It is shut by shut.
func newLab(t *testing.T, url string) *lab {
	t.Helper()
	l := &lab{hub: newHub(0)}
	m, err := prepared()
	if err != nil {
		t.Fatal(err)
	}
	if l.store, err = store.Open(context.Background(), url, store.Options{Key: m.key, Now: time.Now, Who: "soak"}); err != nil {
		t.Fatal(err)
	}
	l.deps = reconcile.Deps{
		Sources: map[string]source.Source{"corp": l.corp, "hr": l.hr},
		Targets: map[string]reconcile.Target{"octo": {Kind: "github", Applies: guard.ApplyAuto, Settings: mapping.DefaultSettings}},
		File:    map[string][]mapping.Mapping{},
		Memory:  l.store, Notebook: l.store, Log: l.store, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	}
	l.reopen(t)
	return l
}

func (l *lab) shut() { _ = l.store.Shut() }

var tokens atomic.Int64

// reopen opens the target anew, as every command does: nothing that a limit taught an earlier one is known.
func (l *lab) reopen(t T) {
	t.Helper()
	token := fmt.Sprintf("ghp_boss%d", tokens.Add(1))
	l.gh.PutToken(githubsim.Token{Value: token, User: "boss", Scopes: []string{"admin:org"}})
	hints, err := l.store.Hints(context.Background(), "octo")
	if err != nil {
		t.Fatal(err)
	}
	octo, err := github.Kind.Open(context.Background(), setting.Values{"organization": l.org.Login(), "api_url": "http://127.0.0.1:1", "token": setting.Secret(token), "pace": "0s"},
		target.Env{Name: "octo", Lane: "person", Now: time.Now, HTTP: wire{http.Handler(l.gh)}, Log: slog.New(slog.DiscardHandler), Hints: hints})
	if err != nil {
		t.Fatal(err)
	}
	l.set(func(tg *reconcile.Target) { tg.Target = octo })
}

// set changes the settings of the target.
func (l *lab) set(change func(*reconcile.Target)) {
	t := l.deps.Targets["octo"]
	change(&t)
	l.deps.Targets["octo"] = t
}

// mapped maps a group to a team in the configuration file.
func (l *lab) mapped(team, source, group string, role mapping.Role, mode mapping.Mode) {
	l.deps.File["octo"] = append(l.deps.File["octo"], mapping.Mapping{ID: fmt.Sprintf("file:%d", len(l.deps.File["octo"])+1), Origin: mapping.FromFile,
		Target: "octo", Team: team, Source: source, Group: group, Role: role, Mode: mode})
}

func (l *lab) plan(t T) *reconcile.Decision {
	t.Helper()
	d, err := reconcile.Plan(context.Background(), l.deps, "octo")
	if err != nil {
		t.Fatalf("plan: %v", err)
	}
	return d
}

// sync runs slices until nothing is left to do. planned is told of each plan before anything is written, between of each slice that ended.
func (l *lab) sync(planned func(*reconcile.Decision), between func()) (reconcile.Report, error) {
	total.add("syncs", 1)
	var sum reconcile.Report
	for range 20 {
		r, more, err := reconcile.Slice(context.Background(), l.deps, "octo", reconcile.Budget{
			Run: reconcile.Run{Trigger: "person", Requester: "ada"}, Planned: planned,
		})
		r.Done, r.Failed, r.Unknown = r.Done+sum.Done, r.Failed+sum.Failed, r.Unknown+sum.Unknown
		if sum = r; err != nil || !more {
			return sum, err
		}
		between()
	}
	return sum, errors.New("the run does not end")
}

// approve waives everything that is objected to, and says how many changes that was.
func (l *lab) approve(t T) int {
	t.Helper()
	d := l.plan(t)
	w := guard.WaiverFor(d.Plan, d.Objections, guard.Filter{}, "ada", "looked at it", time.Now())
	if len(w.Changes) == 0 {
		return 0
	}
	total.add("approvals", 1)
	if _, err := l.store.AddWaiver(context.Background(), w); err != nil {
		t.Fatal(err)
	}
	return len(w.Changes)
}

// say makes a person's statement of whose account it is.
func (l *lab) say(t T, source, user string, account int64) {
	t.Helper()
	err := l.store.AddStatement(context.Background(), host, link.Statement{
		User: link.UserRef{Source: source, ID: directory.UserID(user)}, Account: accountID(account), Tier: link.Manual, By: "ada: asked", At: time.Now(),
	})
	if err != nil {
		t.Fatal(err)
	}
}

// host is that of the target in a lab.
const host = "127.0.0.1:1"

// countObjections adds the guards that object to the tally.
func countObjections(d *reconcile.Decision) {
	for _, o := range d.Objections {
		if len(o.Changes) > 0 {
			total.add("objections by "+o.Guard, 1)
		}
	}
}
