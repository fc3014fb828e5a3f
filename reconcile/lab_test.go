package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"musterline.example/directory"
	"musterline.example/guard"
	"musterline.example/internal/githubsim"
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

var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

// A T is what a test and a rapid check have in common.
type T interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

// A clock goes when told to.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// A provider is an identity provider that behaves: what it is asked it answers in full, or not at all.
type provider struct {
	now    func() time.Time
	users  map[directory.UserID]directory.User
	groups map[directory.GroupID]directory.Group
	fail   error
}

func (p *provider) Snapshot(_ context.Context, sel source.Selection) (*directory.Snapshot, error) {
	if p.fail != nil {
		return nil, p.fail
	}
	want, err := sel.Settle(p.groups)
	if err != nil {
		return nil, err
	}
	s := &directory.Snapshot{Source: "corp", TakenAt: p.now(), Users: maps.Clone(p.users), Groups: map[directory.GroupID]directory.Group{}}
	for id, g := range p.groups {
		s.Groups[id] = directory.Group{ID: id, Name: g.Name}
	}
	all := &directory.Snapshot{Groups: p.groups}
	for _, id := range want {
		for _, inner := range all.Closure(id) {
			g := p.groups[inner]
			g.ReadAt = s.TakenAt
			s.Groups[inner] = g
		}
	}
	return s, s.Validate()
}

// user sets a user who claims a login.
func (p *provider) user(id string, status directory.Status, login string) {
	u := directory.User{ID: directory.UserID(id), Status: status}
	if login != "" {
		u.Accounts = map[string]string{"github": login}
	}
	p.users[u.ID] = u
}

// group sets a group; a leading "@" is a nested one. Members who are not known yet become active users who claim the login of their name.
func (p *provider) group(id string, members ...string) {
	g := directory.Group{ID: directory.GroupID(id), Name: id}
	for _, m := range members {
		if sub, ok := strings.CutPrefix(m, "@"); ok {
			g.Groups = append(g.Groups, directory.GroupID(sub))
			continue
		}
		g.Members = append(g.Members, directory.UserID(m))
		if _, known := p.users[directory.UserID(m)]; !known {
			p.user(m, directory.Active, m)
		}
	}
	p.groups[g.ID] = g
}

// A lab is an identity provider "corp", a simulated GitHub with the organization octo-org, and a Musterline between them with its memory in
// a file.
type lab struct {
	clock *clock
	corp  *provider
	gh    *githubsim.Server
	org   *githubsim.Organization
	store *store.Store
	deps  reconcile.Deps
	close []func()
}

// newLab makes the organization with its owner boss, who is the account behind the token.
func newLab(t T, dir string) *lab {
	t.Helper()
	l := &lab{clock: &clock{now: noon}}
	l.corp = &provider{now: l.clock.Now, users: map[directory.UserID]directory.User{}, groups: map[directory.GroupID]directory.Group{}}
	world := githubsim.NewWorld()
	l.gh = githubsim.New(githubsim.Options{World: world, Now: l.clock.Now})
	l.org = world.AddOrganization("octo-org", "boss")
	l.gh.PutToken(githubsim.Token{Value: "ghp_bossToken", User: "boss", Scopes: []string{"admin:org"}})
	web := httptest.NewServer(l.gh)
	l.close = append(l.close, web.Close)

	ctx := context.Background()
	key, err := secret.Create(filepath.Join(dir, "musterline.key"))
	if err != nil {
		t.Fatal(err)
	}
	if l.store, err = store.Open(ctx, "sqlite:"+filepath.Join(dir, "musterline.db"), store.Options{Key: key, Now: l.clock.Now, Create: true, Who: "test"}); err != nil {
		t.Fatal(err)
	}
	l.close = append(l.close, func() { _ = l.store.Shut() })

	octo, err := github.Kind.Open(ctx, setting.Values{"organization": "octo-org", "api_url": web.URL, "token": "ghp_bossToken", "pace": "0s"},
		target.Env{Name: "octo", Lane: "person", Now: l.clock.Now, HTTP: http.DefaultTransport, Log: slog.New(slog.DiscardHandler), Meter: target.Counting(nil)})
	if err != nil {
		t.Fatal(err)
	}
	l.deps = reconcile.Deps{
		Sources: map[string]source.Source{"corp": l.corp},
		Targets: map[string]reconcile.Target{"octo": {Target: octo, Kind: "github", Applies: guard.ApplyAuto, Settings: mapping.DefaultSettings}},
		File:    map[string][]mapping.Mapping{},
		Memory:  l.store, Notebook: l.store, Log: l.store, Now: l.clock.Now, Logger: slog.New(slog.DiscardHandler),
	}
	return l
}

func openLab(t *testing.T) *lab {
	t.Helper()
	l := newLab(t, t.TempDir())
	t.Cleanup(l.shut)
	return l
}

func (l *lab) shut() {
	for _, f := range slices.Backward(l.close) {
		f()
	}
}

// team makes a team with members of the organization; a leading "+" is a maintainer.
func (l *lab) team(name string, logins ...string) *githubsim.Team {
	tm := l.org.AddTeam(name)
	for _, login := range logins {
		role := githubsim.Member
		if rest, ok := strings.CutPrefix(login, "+"); ok {
			login, role = rest, githubsim.Maintainer
		}
		l.join(login)
		tm.Set(login, role)
	}
	return tm
}

// join makes members of the organization.
func (l *lab) join(logins ...string) {
	for _, login := range logins {
		if _, member := l.org.Roles()[login]; !member {
			l.org.AddMember(login)
		}
	}
}

// mapped maps groups of corp to a team in the configuration file.
func (l *lab) mapped(team string, groups ...string) {
	for _, g := range groups {
		l.deps.File["octo"] = append(l.deps.File["octo"], mapping.Mapping{ID: fmt.Sprintf("file:%d", len(l.deps.File["octo"])+1), Origin: mapping.FromFile,
			Target: "octo", Team: team, Source: "corp", Group: g, Mode: mapping.Exclusive})
	}
}

// set changes the settings of the target.
func (l *lab) set(change func(*reconcile.Target)) {
	t := l.deps.Targets["octo"]
	change(&t)
	l.deps.Targets["octo"] = t
}

func (l *lab) plan(t T) *reconcile.Decision {
	t.Helper()
	d, err := reconcile.Plan(context.Background(), l.deps, "octo")
	if err != nil {
		t.Fatalf("plan: %v", err)
	}
	return d
}

// sync runs slices until nothing is left to do.
func (l *lab) sync() (reconcile.Report, error) {
	var sum reconcile.Report
	for range 20 {
		r, more, err := reconcile.Slice(context.Background(), l.deps, "octo", reconcile.Budget{Run: reconcile.Run{Trigger: "person", Requester: "ada"}})
		r.Done, r.Failed = r.Done+sum.Done, r.Failed+sum.Failed
		if sum = r; err != nil || !more {
			return sum, err
		}
	}
	return sum, errors.New("the run does not end")
}

func (l *lab) mustSync(t T) reconcile.Report {
	t.Helper()
	r, err := l.sync()
	if err != nil {
		t.Fatalf("sync: %v", err)
	}
	return r
}

// members says who is in a team, in order, maintainers with "+".
func members(tm *githubsim.Team) string {
	var all []string
	for login, role := range tm.Members() {
		if role == githubsim.Maintainer {
			login = "+" + login
		}
		all = append(all, login)
	}
	slices.SortFunc(all, func(a, b string) int { return strings.Compare(strings.TrimPrefix(a, "+"), strings.TrimPrefix(b, "+")) })
	return strings.Join(all, " ")
}

func (l *lab) approveAll(t T, reason string) {
	t.Helper()
	d := l.plan(t)
	w := guard.WaiverFor(d.Plan, d.Objections, guard.Filter{}, "ada", reason, l.clock.Now())
	if len(w.Changes) == 0 {
		return // nothing is objected to
	}
	if _, err := l.store.AddWaiver(context.Background(), w); err != nil {
		t.Fatal(err)
	}
}

func objecting(d *reconcile.Decision) string {
	var all []string
	for _, o := range d.Objections {
		all = append(all, o.Guard+" "+o.Slug+o.Source)
	}
	return strings.Join(all, ", ")
}

func userRef(id string) link.UserRef {
	return link.UserRef{Source: "corp", ID: directory.UserID(id)}
}
