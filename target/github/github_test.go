package github

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"musterline.example/internal/githubapi"
	"musterline.example/internal/githubsim"
	"musterline.example/plan"
	"musterline.example/setting"
	"musterline.example/target"
	"musterline.example/team"
)

// A lab is a simulated GitHub with the organization acme, owned by ann, and a target on it.
type lab struct {
	gh    *githubsim.Server
	world *githubsim.World
	acme  *githubsim.Organization
	url   string
	hints memory
}

const annsToken = "ghp_annsSecretToken"

func newLab(t *testing.T, opts githubsim.Options) *lab {
	t.Helper()
	if opts.World == nil {
		opts.World = githubsim.NewWorld()
	}
	l := &lab{gh: githubsim.New(opts), world: opts.World}
	l.acme = l.world.AddOrganization("acme", "ann")
	l.gh.PutToken(githubsim.Token{Value: annsToken, User: "ann", Scopes: []string{"admin:org"}})
	web := httptest.NewServer(l.gh)
	t.Cleanup(web.Close)
	l.url = web.URL
	return l
}

func (l *lab) values(more map[string]any) setting.Values {
	v := setting.Values{"organization": "acme", "api_url": l.url, "token": annsToken, "pace": "0s"}
	for key, value := range more {
		v[key] = value
		if value == nil {
			delete(v, key)
		}
	}
	return v
}

func (l *lab) open(t *testing.T, more map[string]any) *organization { return l.openOver(t, more, nil) }

// openOver opens the target over a transport of the test's own.
func (l *lab) openOver(t *testing.T, more map[string]any, web http.RoundTripper) *organization {
	t.Helper()
	o, err := open(l.values(more), target.Env{Name: "octo", Lane: "person", Log: slog.New(slog.DiscardHandler), Hints: &l.hints, HTTP: web}, githubapi.NewPool())
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// memory is hints in a map.
type memory struct {
	m       sync.Map
	news    atomic.Int64 // kept since the last flush
	flushes atomic.Int64 // that had something to write
}

func (h *memory) Hint(key string) (string, bool) {
	v, ok := h.m.Load(key)
	s, _ := v.(string)
	return s, ok
}

func (h *memory) Keep(key, value string) {
	h.m.Store(key, value)
	h.news.Add(1)
}

func (h *memory) Flush() {
	if h.news.Swap(0) > 0 {
		h.flushes.Add(1)
	}
}

func TestWhatOneReadHasLearntIsKeptInOneGo(t *testing.T) {
	for _, reads := range []string{"graphql", "rest"} {
		l := newLab(t, githubsim.Options{})
		for i := range 250 {
			l.acme.AddMember(fmt.Sprintf("user-%d", i))
		}
		var teams []*githubsim.Team
		for i := range 120 {
			teams = append(teams, l.acme.AddTeam(fmt.Sprintf("Team %d", i)))
		}
		for doing, read := range map[string]func(o *organization) error{
			"all accounts": func(o *organization) error { return second(o.Accounts(t.Context(), nil)) },
			"some accounts": func(o *organization) error {
				_, err := o.Accounts(t.Context(), []team.AccountID{team.AccountID(fmt.Sprint(l.world.User("user-3").ID())), team.AccountID(fmt.Sprint(l.world.User("user-4").ID()))})
				return err
			},
			"teams":         func(o *organization) error { return second(o.Teams(t.Context(), ids(teams))) },
			"looked up":     func(o *organization) error { return second(o.Find(t.Context(), []string{"team-7", "Team 8"})) },
			"list of teams": func(o *organization) error { _, _, err := o.List(t.Context(), target.Page{Size: 10}); return err },
			"a new team": func(o *organization) error {
				return o.Apply(t.Context(), plan.TeamChange{Slug: "new", Create: &team.New{Name: "New " + reads, Privacy: team.Closed}}, func(target.Outcome) error { return nil })
			},
		} {
			l.hints.m.Clear()
			l.hints.flushes.Store(0)
			if err := read(l.open(t, setting.Values{"reads": reads})); err != nil {
				t.Errorf("%s by %s: %v", doing, reads, err)
			}
			kept := false
			l.hints.m.Range(func(any, any) bool { kept = true; return false })
			if news, flushes := l.hints.news.Load(), l.hints.flushes.Load(); news != 0 || kept && flushes != 1 {
				t.Errorf("%s by %s: %d flushes, and %d hints are left", doing, reads, flushes, news)
			}
		}
	}
}

func ids(teams []*githubsim.Team) []team.ID {
	var all []team.ID
	for _, t := range teams {
		all = append(all, team.ID(fmt.Sprint(t.ID())))
	}
	return all
}

func TestAWarmSyncThatChangesNothingCostsTheFiguresOfTheDesign(t *testing.T) {
	for _, size := range []struct{ teams, members, users, calls int }{
		{20, 25, 500, 7}, {200, 50, 2000, 31}, {20, 250, 4000, 44}, {1000, 50, 10000, 151},
	} {
		t.Run(fmt.Sprintf("%dx%d of %d", size.teams, size.members, size.users), func(t *testing.T) {
			if testing.Short() && size.users > 5000 {
				t.Skip("short")
			}
			l := newLab(t, githubsim.Options{})
			l.acme.EnableSAML("idp", "https://idp.example")
			for i := range size.users - 1 {
				login := fmt.Sprintf("user-%d", i)
				l.acme.AddMember(login)
				l.acme.SetIdentity(login, githubsim.Identity{NameID: login + "@acme.example"})
			}
			for i := range size.teams {
				tm := l.acme.AddTeam(fmt.Sprintf("Team %d", i))
				for j := range size.members {
					tm.Set(fmt.Sprintf("user-%d", (i*7+j)%(size.users-1)), githubsim.Member)
				}
			}
			ctx := context.Background()
			all := ids(l.acme.Teams())
			web := inProcess{l.gh}                                             // a call is counted when it returns, not a moment later
			if _, err := l.openOver(t, nil, web).Teams(ctx, all); err != nil { // warm
				t.Fatal(err)
			}
			l.gh.Reset()
			o := l.openOver(t, nil, web)
			if _, err := o.Probe(ctx); err != nil {
				t.Fatal(err)
			}
			accounts, err := o.Accounts(ctx, nil)
			if err != nil {
				t.Fatal(err)
			}
			teams, err := o.Teams(ctx, all)
			if err != nil {
				t.Fatal(err)
			}
			if len(accounts.List) != size.users || !accounts.Identities || accounts.Trouble != "" || len(teams) != size.teams || len(teams[0].Members) != size.members {
				t.Fatalf("read %d accounts (identities %t: %s) and %d teams", len(accounts.List), accounts.Identities, accounts.Trouble, len(teams))
			}
			linked := 0
			for _, a := range accounts.List {
				linked += len(a.Identities)
			}
			counts := l.gh.Counts()
			t.Logf("%d calls of %d allowed, %d points", counts.Calls, size.calls, counts.GraphQLPoints)
			if counts.Calls > size.calls || counts.Writes > 0 || linked != size.users-1 {
				t.Errorf("%d calls (at most %d), %d writes, %d identities", counts.Calls, size.calls, counts.Writes, linked)
			}
		})
	}
}
