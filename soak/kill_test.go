package soak

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"musterline.example/directory"
	"musterline.example/guard"
	"musterline.example/internal/githubsim"
	"musterline.example/mapping"
)

// TestKillNineLosesNothing kills the real program in the middle of an apply, at random moments and at exact points, over and over on one
// database. The next run closes every intent, does nothing twice, loses nothing, and finds the lock free.
func TestKillNineLosesNothing(t *testing.T) { //nolint:tparallel // its two databases run beside each other, and beside no other suite: kills want a steady pace
	for _, kind := range []string{"sqlite", "postgres"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			url := database(t, kind)
			h := newHouse(t, url, 2*time.Millisecond)
			defer h.shut()
			k := &killer{house: h, kind: kind, rand: rand.New(rand.NewPCG(*seed, uint64(len(kind))))}
			k.begin(t)
			for struck, round := 0, 0; struck < *kills; round++ {
				if round > 20+2**kills {
					t.Fatalf("only %d kills in %d rounds", struck, round)
				}
				k.turn()
				if k.kill(t) {
					struck++
				}
				k.recover(t)
			}
			k.account(t)
		})
	}
}

const (
	killPeople = 40
	killTeams  = 6
)

// A killer is the house with an account of its own of who is in which team and which writes took effect.
type killer struct {
	*house
	kind string
	rand *rand.Rand

	mu     sync.Mutex
	strike func(point string) // told of each moment of a write, while a run is to be killed
	was    map[string]bool    // members before the write in hand
	writes map[deed]int       // that took effect
	twice  []string
	span   time.Duration // of a whole run
	calls  int
}

func (k *killer) begin(t *testing.T) {
	t.Helper()
	k.writes = map[deed]int{}
	k.gh.SetLimits(githubsim.Limits{REST: 1_000_000, GraphQL: 1_000_000}) // days of work in a minute
	var lines []string
	for i := range killPeople {
		login := fmt.Sprintf("person-%d", i)
		k.org.AddMember(login)
		k.corp.user(login, directory.Active, login)
	}
	for i := range killTeams {
		k.org.AddTeam(fmt.Sprintf("team-%d", i))
		k.corp.group(fmt.Sprintf("g%d", i), fmt.Sprintf("g%d", i))
		lines = append(lines, fmt.Sprintf("{ team: octo/team-%d, groups: [corp/g%d] }", i, i))
	}
	off := "guards: { off: [" + strings.Join(guard.Names(), ", ") + "] } # this is about crashes"
	if err := k.configure(strings.Join(lines, ", "), "", "", off); err != nil {
		t.Fatal(err)
	}
	k.before, k.after = k.see, k.seen
	k.turn()
	began := time.Now()
	k.recover(t)
	k.span = time.Since(began)
}

// turn moves people about.
func (k *killer) turn() {
	for i := range killTeams {
		id := directory.GroupID(fmt.Sprintf("g%d", i))
		g := k.corp.groups[id]
		g.Members = nil
		for p := range killPeople {
			if k.rand.IntN(4) == 0 {
				g.Members = append(g.Members, directory.UserID(fmt.Sprintf("person-%d", p)))
			}
		}
		k.corp.groups[id] = g
	}
	for _, p := range []*provider{k.corp, k.hr} {
		if err := k.house.write(p); err != nil {
			panic(err)
		}
	}
}

// teamOf returns the team and the login that a write is about.
func (k *killer) teamOf(c githubsim.Call) (*githubsim.Team, string) {
	parts := strings.Split(strings.Trim(c.Path, "/"), "/")
	if len(parts) != 6 || parts[4] != "memberships" {
		return nil, ""
	}
	for _, t := range k.org.Teams() {
		if fmt.Sprint(t.ID()) == parts[3] {
			return t, parts[5]
		}
	}
	return nil, ""
}

func (k *killer) see(c githubsim.Call) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.calls++
	if k.strike != nil && !c.Write {
		k.strike("on a read")
	}
	if !c.Write {
		return
	}
	t, login := k.teamOf(c)
	_, member := t.Members()[login]
	k.was = map[string]bool{login: member}
	if k.strike != nil {
		k.strike("before the write")
	}
}

func (k *killer) seen(c githubsim.Call) {
	if !c.Write {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	t, login := k.teamOf(c)
	_, member := t.Members()[login]
	if c.Status/100 == 2 {
		k.writes[deed{seat{t.ID(), k.gh.World().User(login).ID()}, c.Method}]++
		total.add("kill: writes that took effect", 1)
		if k.was[login] == member {
			k.twice = append(k.twice, fmt.Sprintf("%s %s: nothing was left to do", c.Method, c.Path))
		}
	}
	if k.strike != nil {
		k.strike("after the write, before its answer")
	}
}

// kill starts a sync and kills it at a point that is drawn. It reports whether the program was still alive.
func (k *killer) kill(t *testing.T) bool {
	t.Helper()
	cmd := k.command("sync")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	points := []string{"at a random moment", "before the write", "after the write, before its answer", "after the write, before its answer", "soon after the write", "on a read"}
	point := points[k.rand.IntN(len(points))]
	nth := 1 + k.rand.IntN(25)
	if point == "on a read" {
		nth = 1 + k.rand.IntN(5)
	}
	delay := time.Duration(k.rand.Int64N(int64(k.span)))
	soon := time.Duration(k.rand.IntN(3000)) * time.Microsecond
	due := make(chan struct{})
	k.mu.Lock()
	if point != "at a random moment" {
		k.strike = func(at string) {
			if at == point || point == "soon after the write" && at == "after the write, before its answer" {
				if nth--; nth == 0 {
					if point == "soon after the write" {
						time.AfterFunc(soon, func() { close(due) })
					} else {
						_ = cmd.Process.Kill() // at this very point: the call is not answered before
					}
				}
			}
		}
	}
	k.mu.Unlock()
	k.mu.Lock()
	err := cmd.Start() // the first call waits for the lock, so that the process is known by then
	k.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	if point == "at a random moment" {
		time.AfterFunc(delay, func() { close(due) })
	}
	select {
	case err = <-ended:
	case <-due:
		_ = cmd.Process.Kill()
		err = <-ended
	}
	k.mu.Lock()
	k.strike = nil
	k.mu.Unlock()
	exit, failed := errors.AsType[*exec.ExitError](err)
	if failed && exit.ExitCode() >= 0 {
		t.Fatalf("sync: %v: %s", err, &errs)
	}
	if !failed {
		total.add("kill: too late, the run had ended", 1)
		return false
	}
	total.add("kills "+k.kind+", "+point, 1)
	return true
}

// recover runs once more and checks that nothing is left of the crash.
func (k *killer) recover(t *testing.T) {
	t.Helper()
	s := k.opened(t)
	open, err := s.OpenIntents(context.Background(), "octo")
	if err = errors.Join(err, s.Shut()); err != nil {
		t.Fatal(err)
	}
	total.add("kill: intents left open", len(open))
	if _, err := k.run("sync"); err != nil { // the lock of the dead is free, or it would fail
		t.Fatalf("the run after the crash: %v", err)
	}
	if _, err := k.run("audit", "verify"); err != nil {
		t.Fatal(err)
	}
	s = k.opened(t)
	defer func() { _ = s.Shut() }()
	if open, err = s.OpenIntents(context.Background(), "octo"); err != nil || len(open) > 0 {
		t.Fatalf("intents are left open: %+v, %v", open, err)
	}
	for i := range killTeams {
		var want []string
		for _, id := range k.corp.groups[directory.GroupID(fmt.Sprintf("g%d", i))].Members {
			want = append(want, string(id))
		}
		slices.Sort(want)
		if got := slices.Sorted(maps.Keys(k.org.Team(fmt.Sprintf("team-%d", i)).Members())); !slices.Equal(got, want) {
			t.Fatalf("team-%d holds %v, and should hold %v", i, got, want)
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.twice) > 0 {
		t.Fatalf("done twice: %s", strings.Join(k.twice, "; "))
	}
}

// account compares every write that took effect with the record: one outcome each, done or seen, and none beside.
func (k *killer) account(t *testing.T) {
	t.Helper()
	s := k.opened(t)
	defer func() { _ = s.Shut() }()
	recorded := map[deed]int{}
	r := remembered(t, s)
	for _, o := range r.outcomes {
		if o.result == "done" || o.result == "seen" {
			recorded[deed{o.seat, methods[o.act]}]++
			total.add("kill: outcomes "+o.result, 1)
		}
	}
	if !maps.Equal(recorded, k.writes) {
		for d, n := range k.writes {
			if recorded[d] != n {
				t.Errorf("%s of account %d in team %d took effect %d times, the record says %d", d.method, d.seat.account, d.seat.team, n, recorded[d])
			}
		}
		for d, n := range recorded {
			if k.writes[d] == 0 {
				t.Errorf("%s of account %d in team %d: the record says %d times, GitHub has none", d.method, d.seat.account, d.seat.team, n)
			}
		}
	}
	for _, team := range k.org.Teams() {
		for login := range team.Members() {
			if r.ledger[seat{team.ID(), k.gh.World().User(login).ID()}] != mapping.LedgerGranted {
				t.Errorf("the ledger does not know that %s was put into %s", login, team.Slug())
			}
		}
	}
}
