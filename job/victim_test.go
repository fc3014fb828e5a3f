package job

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"musterline.example/directory"
	"musterline.example/guard"
	"musterline.example/internal/secret"
	"musterline.example/mapping"
	"musterline.example/reconcile"
	"musterline.example/setting"
	"musterline.example/source"
	"musterline.example/store"
	"musterline.example/target"
	"musterline.example/target/github"
)

// dying lets a dead server be found soon.
var dying = func() times {
	t := hasty
	t.slice, t.hard, t.timeout, t.rescue = time.Second, 1500*time.Millisecond, 2*time.Second, 3*time.Second
	return t
}()

// An order is what a victim is told: a server in a process of its own, which will be killed.
type order struct {
	URL, Web, Key string
	File          []mapping.Mapping
	Users         map[directory.UserID]directory.User
	Groups        map[directory.GroupID]directory.Group
}

// victim is a server until it is killed. It says so when a write is in hand, and the write takes for ever.
func victim(text string) {
	var o order
	must(json.Unmarshal([]byte(text), &o))
	key, err := secret.Open(o.Key)
	must(err)
	s, err := store.Open(context.Background(), o.URL, store.Options{Key: key, Who: "victim"})
	must(err)
	tg, err := github.Kind.Open(context.Background(), setting.Values{"organization": "octo-org", "api_url": o.Web, "token": "ghp_bossToken", "pace": "0s"},
		target.Env{Name: "octo", Lane: "person", Now: time.Now, HTTP: http.DefaultTransport, Log: slog.New(slog.DiscardHandler)})
	must(err)
	writes := 0
	held := &gate{Target: tg, write: func() {
		if writes++; writes == 3 {
			fmt.Println("in hand")
			select {}
		}
	}}
	corp := &provider{name: "corp", now: time.Now, users: o.Users, groups: o.Groups}
	j, err := newJobs(context.Background(), Options{Store: s, Every: time.Hour, Deps: func(string) (reconcile.Deps, error) {
		return reconcile.Deps{
			Sources: map[string]source.Source{"corp": corp}, File: map[string][]mapping.Mapping{"octo": o.File},
			Targets: map[string]reconcile.Target{"octo": {
				Target: held, Kind: "github", Applies: guard.ApplyAuto, Settings: mapping.DefaultSettings, Guards: guard.Settings{FirstConnection: guard.Apply},
			}},
			Memory: s, Notebook: s, Log: s, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
		}, nil
	}}, dying)
	must(err)
	must(j.Start(context.Background()))
	select {}
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// killed runs a victim on the lab's database until it is killed in the middle of a write.
func (l *lab) killed() {
	l.Helper()
	o := order{URL: l.url, Web: l.web, Key: l.keyPath, File: l.deps.File["octo"], Users: maps.Clone(l.corp.users), Groups: maps.Clone(l.corp.groups)}
	text, err := json.Marshal(o)
	if err != nil {
		l.Fatal(err)
	}
	sqlite := strings.HasPrefix(l.url, "sqlite:")
	l.idle()
	l.ask(reconcile.ByPerson)
	if sqlite { // one process at a time
		l.stop(l.jobs)
		if err := l.store.Shut(); err != nil {
			l.Fatal(err)
		}
	}
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), "MUSTERLINE_JOB_VICTIM="+string(text))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		l.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		l.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "in hand" {
		l.Errorf("the victim said %q", lines.Text())
	}
	if err := cmd.Process.Kill(); err != nil {
		l.Fatal(err)
	}
	_ = cmd.Wait()
	if sqlite {
		l.store = l.openStore()
		l.gate.Target = l.openTarget("octo", "octo-org")
	}
}

func TestWhatAKilledServerWasAtIsFinishedByAnother(t *testing.T) {
	both(t, func(l *lab) {
		teams := l.long(6, 0)
		l.gate.write = nil
		l.times = dying
		l.killed()
		l.jobs = l.server(l.store)
		l.start()
		runs := l.quiet()
		for _, tm := range teams {
			l.holds(tm, "ada bob")
		}
		if len(runs) != 1 || runs[0].Report.State != "done" {
			l.Errorf("%+v", runs)
		}
		if open, err := l.store.OpenIntents(context.Background(), "octo"); err != nil || len(open) != 0 {
			l.Errorf("left open: %+v, %v", open, err)
		}
		if _, err := l.store.Verify(context.Background()); err != nil {
			l.Error(err)
		}
	})
}
