package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"musterline.example/directory"
	"musterline.example/guard"
	"musterline.example/internal/githubsim"
	"musterline.example/internal/secret"
	"musterline.example/mapping"
	"musterline.example/reconcile"
	"musterline.example/setting"
	"musterline.example/source"
	"musterline.example/store"
	"musterline.example/target"
	"musterline.example/target/github"
)

// A size is an organization: teams of so many members each, and accounts in all.
type size struct{ teams, members, accounts int }

// limit is the figure to stay within: ⌈T/20⌉ + ⌈U/100⌉ + ⌈overflow pages/20⌉ + 1, the probe.
func (s size) limit() int {
	overflow := s.teams * (ceil(s.members, 100) - 1)
	return ceil(s.teams, 20) + ceil(s.accounts, 100) + ceil(overflow, 20) + 1
}

func ceil(n, by int) int { return (n + by - 1) / by }

// peers are the GitHub calls of others for the same sizes, counted on loopback with simulated APIs: github-team-sync (Entra ID),
// team-link, peribolos and github-ops-app (Okta, orphans on). A dash was not run.
var peers = map[size]string{
	{20, 25, 500}:   "104     40     70    413",
	{200, 50, 2000}: "1,005    400    626  5,203",
	{20, 250, 4000}: "144     80    145  8,343",
}

// calls counts what a sync asks of GitHub.
func calls(out io.Writer, _ string) error {
	fmt.Fprintln(out, "GitHub calls of a sync without a change (names pinned, hints kept)          repeat: go run ./bench calls")
	fmt.Fprintln(out, "  teams × members  accounts   calls   limit   writes     time | team-sync  team-link  peribolos  ops-app")
	for _, s := range []size{{20, 25, 500}, {200, 50, 2000}, {20, 250, 4000}, {1000, 50, 10000}} {
		h, err := newHouse(s)
		if err != nil {
			return err
		}
		counted, took, err := h.sync()
		if err != nil {
			return err
		}
		others := peers[s]
		if others == "" {
			others = "–      –      –      –"
		}
		fmt.Fprintf(out, "  %5d × %-7d  %8d  %6d  %6d  %7d  %7s | %s\n", s.teams, s.members, s.accounts, counted.Calls, s.limit(), counted.Writes, took.Round(time.Millisecond), others)
		h.close()
	}
	fmt.Fprintln(out)
	fmt.Fprintln(out, "GitHub calls of a sync with changes: as many writes, beside the batched re-read of what is touched")
	fmt.Fprintln(out, "  teams × members  accounts  changes   calls  reads  writes")
	for _, c := range []struct {
		size
		changes int
	}{{size{20, 25, 500}, 10}, {size{200, 50, 2000}, 100}, {size{200, 50, 2000}, 400}} {
		h, err := newHouse(c.size)
		if err != nil {
			return err
		}
		h.change(c.changes)
		counted, _, err := h.sync()
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "  %5d × %-7d  %8d  %7d  %6d  %5d  %6d\n", c.teams, c.members, c.accounts, c.changes, counted.Calls, counted.Calls-counted.Writes, counted.Writes)
		h.close()
	}
	return nil
}

// A house is a simulated GitHub, an identity provider that agrees with it, and a Musterline that has synced once.
type house struct {
	size
	corp  *provider
	gh    *githubsim.Server
	deps  reconcile.Deps
	close func()
}

// A provider is an identity provider in memory.
type provider struct{ snapshot *directory.Snapshot }

// Snapshot implements source.Source.
func (p *provider) Snapshot(context.Context, source.Selection) (*directory.Snapshot, error) {
	again := *p.snapshot
	again.TakenAt = time.Now()
	return &again, nil
}

func newHouse(s size) (*house, error) {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "musterline-bench-")
	if err != nil {
		return nil, err
	}
	h := &house{size: s, corp: &provider{snapshot: &directory.Snapshot{Source: "corp", Users: map[directory.UserID]directory.User{}, Groups: map[directory.GroupID]directory.Group{}}}}
	world := githubsim.NewWorld()
	h.gh = githubsim.New(githubsim.Options{World: world, Limits: githubsim.Limits{REST: 1_000_000, GraphQL: 1_000_000}})
	org := world.AddOrganization("octo-org", "person-0")
	h.gh.PutToken(githubsim.Token{Value: "ghp_simToken", User: "person-0", Scopes: []string{"admin:org"}})
	for i := range s.accounts {
		login := fmt.Sprintf("person-%d", i)
		if i > 0 {
			org.AddMember(login)
		}
		h.corp.snapshot.Users[directory.UserID(login)] = directory.User{ID: directory.UserID(login), Status: directory.Active, Accounts: map[string]string{"github": login}}
	}
	var file []mapping.Mapping
	for i := range s.teams {
		slug := fmt.Sprintf("team-%d", i)
		tm := org.AddTeam(slug)
		g := directory.Group{ID: directory.GroupID(slug), Name: slug, ReadAt: time.Now()}
		for j := range s.members {
			login := h.member(i, j)
			tm.Set(login, githubsim.Member)
			g.Members = append(g.Members, directory.UserID(login))
		}
		h.corp.snapshot.Groups[g.ID] = g
		file = append(file, mapping.Mapping{ID: "file:" + slug, Origin: mapping.FromFile, Target: "octo", Team: slug, Source: "corp", Group: slug, Mode: mapping.Exclusive})
	}
	web := httptest.NewServer(h.gh)

	key, err := secret.Create(filepath.Join(dir, "musterline.key"))
	if err != nil {
		return nil, err
	}
	memory, err := store.Open(ctx, "sqlite:"+filepath.Join(dir, "musterline.db"), store.Options{Key: key, Create: true, Who: "bench"})
	if err != nil {
		return nil, err
	}
	h.close = func() {
		web.Close()
		_ = memory.Shut()
		_ = os.RemoveAll(dir)
	}
	hints, err := memory.Hints(ctx, "octo")
	if err != nil {
		return nil, err
	}
	octo, err := github.Kind.Open(ctx, setting.Values{"organization": "octo-org", "api_url": web.URL, "token": "ghp_simToken", "pace": "0s"},
		target.Env{Name: "octo", Lane: "person", Now: time.Now, HTTP: http.DefaultTransport, Log: slog.New(slog.DiscardHandler), Hints: hints})
	if err != nil {
		return nil, err
	}
	h.deps = reconcile.Deps{
		Sources: map[string]source.Source{"corp": h.corp},
		Targets: map[string]reconcile.Target{"octo": {Target: octo, Kind: "github", Applies: guard.ApplyAuto, Settings: mapping.DefaultSettings, Guards: guard.Settings{Off: guard.Names()}}},
		File:    map[string][]mapping.Mapping{"octo": file},
		Memory:  memory, Notebook: memory, Log: memory, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	}
	_, _, err = h.sync() // pins names and learns hints
	return h, err
}

// member is the j-th member of the i-th team.
func (h *house) member(i, j int) string { return fmt.Sprintf("person-%d", (i*7+j)%h.accounts) }

// change takes the last member out of some groups and puts somebody new into others.
func (h *house) change(n int) {
	for i := range n {
		id := directory.GroupID(fmt.Sprintf("team-%d", i/2%h.teams))
		g := h.corp.snapshot.Groups[id]
		if i%2 == 0 {
			g.Members = g.Members[:len(g.Members)-1]
		} else {
			g.Members = append([]directory.UserID{directory.UserID(h.member(i/2%h.teams, h.members+i))}, g.Members...)
		}
		h.corp.snapshot.Groups[id] = g
	}
}

// sync counts the calls of one sync.
func (h *house) sync() (githubsim.Counts, time.Duration, error) {
	h.gh.Reset()
	start := time.Now()
	for {
		_, more, err := reconcile.Slice(context.Background(), h.deps, "octo", reconcile.Budget{Run: reconcile.Run{Trigger: "person", Requester: "bench"}})
		if err != nil || !more {
			return h.gh.Counts(), time.Since(start), err
		}
	}
}
