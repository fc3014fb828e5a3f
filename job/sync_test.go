package job

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"musterline.example/directory"
	"musterline.example/internal/githubsim"
	"musterline.example/mapping"
	"musterline.example/plan"
	"musterline.example/reconcile"
	"musterline.example/store"
	"musterline.example/target"
	"musterline.example/team"
)

func TestTenRequestsMakeOneRun(t *testing.T) {
	both(t, func(l *lab) {
		platform := l.team("platform", "bob")
		l.join("ada")
		l.corp.group("eng", "ada")
		l.mapped("platform", "corp", "eng")
		l.idle()
		for range 10 {
			l.ask(reconcile.ByPerson)
		}
		l.start()
		runs := l.quiet()
		if len(runs) != 1 || runs[0].Report.State != "done" || runs[0].Trigger != reconcile.ByPerson || runs[0].Requester != "ada" {
			l.Errorf("%+v", runs)
		}
		l.holds(platform, "ada")
	})
}

func TestWhatIsAskedAfterARunIsDoneAsWell(t *testing.T) {
	both(t, func(l *lab) {
		platform := l.team("platform")
		l.join("ada", "bob")
		l.corp.group("eng", "ada")
		l.mapped("platform", "corp", "eng")
		l.start()
		l.ask(reconcile.ByPerson)
		l.quiet()
		l.holds(platform, "ada")
		l.corp.group("eng", "ada", "bob")
		l.ask(reconcile.ByPerson)
		if runs := l.quiet(); len(runs) != 2 {
			l.Errorf("%d runs", len(runs))
		}
		l.holds(platform, "ada bob")
	})
}

func TestARequestIsNotThereWithoutItsJob(t *testing.T) {
	both(t, func(l *lab) {
		l.idle()
		l.store.OnAsked(func(context.Context, store.Tx, []reconcile.Request) error { return errors.New("no") })
		if _, err := l.store.AddRequest(context.Background(), reconcile.Request{Target: "octo"}); err == nil {
			l.Error("the request was taken")
		}
		if waiting, err := l.store.Requests(context.Background(), "octo"); err != nil || len(waiting) != 0 {
			l.Errorf("%v, %v", waiting, err)
		}
	})
}

func TestNoneIsLostOfManyWhoAskWhileRunsGoOn(t *testing.T) {
	both(t, func(l *lab) {
		var teams []*githubsim.Team
		for i := range 8 {
			name := fmt.Sprintf("team-%d", i)
			teams = append(teams, l.team(name, "ada"))
			l.corp.group(name, "ada")
			l.mapped(name, "corp", name)
		}
		l.start()
		var asking sync.WaitGroup
		for i, tm := range teams {
			asking.Go(func() {
				for n := range 10 {
					login := fmt.Sprintf("user-%d-%d", i, n)
					l.join(login)
					l.corp.set(func() {
						g := l.corp.groups[directory.GroupID(tm.Slug())]
						g.Members = append(slices.Clone(g.Members), directory.UserID(login))
						l.corp.users[directory.UserID(login)] = directory.User{ID: directory.UserID(login), Status: directory.Active, Accounts: map[string]string{"github": login}}
						l.corp.groups[g.ID] = g
					})
					trigger := []string{reconcile.ByPerson, reconcile.ByEvent, reconcile.BySchedule}[n%3]
					if _, err := l.store.AddRequest(context.Background(), reconcile.Request{Target: "octo", Trigger: trigger, Asker: login}); err != nil {
						l.Error(err)
					}
					time.Sleep(time.Duration(n) * 7 * time.Millisecond)
				}
			})
		}
		asking.Wait()
		l.ask(reconcile.ByPerson)
		runs := l.quiet()
		for _, tm := range teams {
			if n := len(tm.Members()); n != 11 {
				l.Errorf("%s has %d members, want 11", tm.Slug(), n)
			}
		}
		if len(runs) > 80 {
			l.Errorf("%d runs for 81 requests", len(runs))
		}
		for _, r := range runs {
			if r.Report.State != "done" {
				l.Errorf("run %s: %+v", r.ID, r.Report)
			}
		}
	})
}

func TestTheScheduleAsks(t *testing.T) {
	both(t, func(l *lab) {
		platform := l.team("platform")
		l.join("ada")
		l.corp.group("eng", "ada")
		l.mapped("platform", "corp", "eng")
		l.every = time.Second
		l.jobs = l.server(l.store)
		l.start()
		l.until("the schedule has asked three times", func() bool { return len(l.runs()) >= 3 })
		l.holds(platform, "ada")
		for _, r := range l.runs() {
			if r.Trigger != reconcile.BySchedule {
				l.Errorf("%+v", r)
			}
		}
	})
}

func TestALimitIsWaitedForWithoutAWorkerAndTheRunGoesOn(t *testing.T) {
	both(t, func(l *lab) {
		platform := l.team("platform")
		l.join("ada")
		l.corp.group("eng", "ada")
		l.mapped("platform", "corp", "eng")
		until := l.clock.Now().Add(7 * time.Second)
		limited := true
		l.gate.apply = func(plan.TeamChange) error {
			if l.clock.Now().Before(until) {
				return &target.Error{Class: target.Limited, Message: "slow down", Until: until}
			}
			limited = false
			return nil
		}
		l.start()
		l.ask(reconcile.BySchedule)
		l.until("the run waits", func() bool {
			run, err := l.store.OpenRun(context.Background(), "octo")
			if err != nil {
				return false
			}
			p, err := l.store.Progress(context.Background(), run.ID)
			stats, _ := l.jobs.Stats(context.Background())
			return err == nil && p.WaitsFor == "slow down" && p.WaitsUntil.Equal(until.Truncate(time.Microsecond)) && stats.Syncs == 0
		})
		runs := l.quiet()
		if len(runs) != 1 || runs[0].Report.State != "done" || limited {
			l.Errorf("%+v", runs)
		}
		l.holds(platform, "ada")
	})
}

func TestALimitOfTheScheduleIsNotInTheWayOfAPerson(t *testing.T) {
	both(t, func(l *lab) {
		platform := l.team("platform")
		l.join("ada")
		l.corp.group("eng", "ada")
		l.mapped("platform", "corp", "eng")
		l.gate.read = func() error {
			l.mu.Lock()
			defer l.mu.Unlock()
			if l.lanes[len(l.lanes)-1] == reconcile.BySchedule {
				return &target.Error{Class: target.Limited, Message: "half is for others", Until: l.clock.Now().Add(time.Hour)}
			}
			return nil
		}
		l.times.tick = time.Hour // which would change the last lane
		l.start()
		l.until("the first round is over", func() bool { return l.jobs.Ready() == nil })
		l.ask(reconcile.BySchedule)
		l.until("the run waits", func() bool {
			run, err := l.store.OpenRun(context.Background(), "octo")
			if err != nil {
				return false
			}
			p, err := l.store.Progress(context.Background(), run.ID)
			return err == nil && p.WaitsFor != "" && p.Phase == reconcile.ReadingTeams
		})
		l.ask(reconcile.ByPerson)
		l.quiet()
		l.holds(platform, "ada")
	})
}

// long prepares a first sync of many teams of which every write takes a while.
func (l *lab) long(n int, each time.Duration) []*githubsim.Team {
	teams := make([]*githubsim.Team, n)
	l.join("ada", "bob")
	for i := range teams {
		name := fmt.Sprintf("team-%03d", i)
		teams[i] = l.team(name)
		l.corp.group(name, "ada", "bob")
		l.mapped(name, "corp", name)
	}
	l.gate.write = func() { time.Sleep(each) }
	return teams
}

func TestAPersonDoesNotWaitBehindALongFirstSync(t *testing.T) {
	both(t, func(l *lab) {
		teams := l.long(60, 20*time.Millisecond)
		last := teams[len(teams)-1]
		l.start()
		l.ask(reconcile.BySchedule)
		l.until("the first sync is under way", func() bool { return len(teams[3].Members()) == 2 })
		l.ask(reconcile.ByEvent, last)
		before := 0
		for _, tm := range teams {
			before += len(tm.Members())
		}
		l.until("the team is written", func() bool { return len(last.Members()) == 2 })
		written := 0
		for _, tm := range teams {
			written += len(tm.Members())
		}
		if written > len(teams) {
			l.Errorf("%d of %d writes were made before that of the team that somebody waits for", written, 2*len(teams))
		}
		runs := l.quiet()
		if len(runs) != 1 {
			l.Errorf("%d runs", len(runs))
		}
		if got := runs[0].Report; got.State != "done" || got.Done != 120 {
			l.Errorf("the report counts the whole run: %+v", got)
		}
		for _, tm := range teams {
			l.holds(tm, "ada bob")
		}
	})
}

func TestWhoAsksForEverythingDuringARunGetsOneThatReadsAnew(t *testing.T) {
	both(t, func(l *lab) {
		teams := l.long(20, 20*time.Millisecond)
		l.times.slice = 200 * time.Millisecond
		l.start()
		l.ask(reconcile.BySchedule)
		l.until("the first sync has ended its first slice", func() bool { return len(teams[8].Members()) == 2 })
		l.corp.group("team-000", "ada")
		l.ask(reconcile.ByPerson)
		runs := l.quiet()
		if len(runs) != 2 || runs[0].Trigger != reconcile.ByPerson {
			l.Errorf("%+v", runs)
		}
		l.holds(teams[0], "ada")
	})
}

func TestAStopFinishesTheWriteInHandAndTheNextServerDoesTheRest(t *testing.T) {
	both(t, func(l *lab) {
		teams := l.long(20, 20*time.Millisecond)
		l.start()
		l.ask(reconcile.BySchedule)
		l.until("the sync is under way", func() bool { return len(teams[2].Members()) > 0 })
		l.stop(l.jobs)
		done := 0
		for _, tm := range teams {
			done += len(tm.Members())
		}
		if done >= 40 {
			l.Fatal("the sync was over before it could be stopped")
		}
		if open, err := l.store.OpenIntents(context.Background(), "octo"); err != nil || len(open) != 0 {
			l.Errorf("left open: %+v, %v", open, err)
		}
		runs := l.runs()
		if len(runs) != 1 || !runs[0].FinishedAt.IsZero() {
			l.Errorf("the run is over: %+v", runs)
		}
		if err := l.jobs.Ready(); err == nil {
			l.Error("stopped and ready")
		}
		next := l.server(l.store)
		if err := next.Start(context.Background()); err != nil {
			l.Fatal(err)
		}
		runs = l.quiet()
		if len(runs) != 1 || runs[0].Report.Done != 40 {
			l.Errorf("%+v", runs)
		}
		for _, tm := range teams {
			l.holds(tm, "ada bob")
		}
	})
}

// TestAReadThatIsNotAnsweredDoesNotHoldAStop: the server that goes on reads anew.
func TestAReadThatIsNotAnsweredDoesNotHoldAStop(t *testing.T) {
	both(t, func(l *lab) {
		platform := l.team("platform")
		l.join("ada")
		l.corp.group("eng", "ada")
		l.mapped("platform", "corp", "eng")
		asked := make(chan struct{}, 10)
		l.gate.asked = func(ctx context.Context) error {
			asked <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		}
		l.start()
		l.ask(reconcile.ByPerson)
		<-asked
		if err := l.jobs.Stop(context.Background()); err != nil {
			l.Error(err)
		}
		runs := l.runs()
		if len(runs) != 1 || !runs[0].FinishedAt.IsZero() {
			l.Errorf("the run is over: %+v", runs)
		}
		l.gate.set(func() { l.gate.asked = nil })
		if err := l.server(l.store).Start(context.Background()); err != nil {
			l.Fatal(err)
		}
		if runs = l.quiet(); len(runs) != 1 || runs[0].Report.State != "done" {
			l.Errorf("%+v", runs)
		}
		l.holds(platform, "ada")
	})
}

// TestAFaultOfOursEndsItsRunAndNoOther: the run says what it was, the intent stays open, and the next run does the work.
func TestAFaultOfOursEndsItsRunAndNoOther(t *testing.T) {
	both(t, func(l *lab) {
		platform := l.team("platform")
		l.join("ada")
		l.corp.group("eng", "ada")
		l.mapped("platform", "corp", "eng")
		faulty := true
		l.gate.apply = func(plan.TeamChange) error {
			if faulty {
				faulty = false
				panic("a test")
			}
			return nil
		}
		l.start()
		l.ask(reconcile.ByPerson)
		l.until("the run is over", func() bool { runs := l.runs(); return len(runs) == 1 && !runs[0].FinishedAt.IsZero() })
		if r := l.runs()[0].Report; r.State != "failed" || !strings.Contains(r.Error, "a fault of Musterline's own") || strings.Contains(r.Error, "a test") {
			l.Errorf("%+v", r)
		}
		l.ask(reconcile.ByPerson)
		l.until("the next run is over", func() bool { runs := l.runs(); return len(runs) > 1 && !runs[0].FinishedAt.IsZero() })
		if r := l.runs()[0].Report; r.State != "done" {
			l.Errorf("%+v", r)
		}
		l.holds(platform, "ada")
	})
}

func TestACancelledRunEndsAfterTheWriteInHand(t *testing.T) {
	both(t, func(l *lab) {
		teams := l.long(20, 20*time.Millisecond)
		l.start()
		l.ask(reconcile.ByPerson)
		l.until("the sync is under way", func() bool { return len(teams[2].Members()) > 0 })
		run, err := l.store.OpenRun(context.Background(), "octo")
		if err != nil {
			l.Fatal(err)
		}
		if was, err := l.store.CancelRun(context.Background(), run.ID, "eve"); err != nil || !was {
			l.Fatal(was, err)
		}
		runs := l.quiet()
		done := 0
		for _, tm := range teams {
			done += len(tm.Members())
		}
		if done >= 40 || runs[0].Report.State != "cancelled" || runs[0].Report.Error != "cancelled by eve" || runs[0].Report.Done != done {
			l.Errorf("%d writes, %+v", done, runs[0].Report)
		}
		if open, err := l.store.OpenIntents(context.Background(), "octo"); err != nil || len(open) != 0 {
			l.Errorf("left open: %+v, %v", open, err)
		}
		entries, err := l.store.Entries(context.Background(), store.Filter{Kind: store.KindCancel})
		if err != nil || len(entries) != 1 || entries[0].Actor.Requester != "eve" {
			l.Errorf("%+v, %v", entries, err)
		}
	})
}

func TestARunThatWaitsForALimitCanBeCancelled(t *testing.T) {
	both(t, func(l *lab) {
		l.team("platform")
		l.join("ada")
		l.corp.group("eng", "ada")
		l.mapped("platform", "corp", "eng")
		l.gate.read = func() error {
			return &target.Error{Class: target.Limited, Message: "slow down", Until: l.clock.Now().Add(time.Hour)}
		}
		l.start()
		l.ask(reconcile.BySchedule)
		l.until("the run waits", func() bool {
			run, err := l.store.OpenRun(context.Background(), "octo")
			if err != nil {
				return false
			}
			p, err := l.store.Progress(context.Background(), run.ID)
			return err == nil && p.WaitsFor == "slow down"
		})
		run, err := l.store.OpenRun(context.Background(), "octo")
		if err != nil {
			l.Fatal(err)
		}
		if _, err := l.store.CancelRun(context.Background(), run.ID, "eve"); err != nil {
			l.Fatal(err)
		}
		if runs := l.quiet(); runs[0].Report.State != "cancelled" {
			l.Errorf("%+v", runs[0].Report)
		}
	})
}

func TestAPausedTargetIsLeftAloneAndItsRequestsWait(t *testing.T) {
	both(t, func(l *lab) {
		platform := l.team("platform")
		l.join("ada")
		l.corp.group("eng", "ada")
		l.mapped("platform", "corp", "eng")
		l.idle()
		ctx := context.Background()
		if err := l.store.Pause(ctx, "octo", reconcile.Pause{By: "eve", Reason: "audit"}); err != nil {
			l.Fatal(err)
		}
		l.ask(reconcile.ByPerson)
		l.start()
		other := l.server(l.store) // by whose clock a few rounds go by
		if err := other.Start(ctx); err != nil {
			l.Fatal(err)
		}
		l.until("a read of the sources shows that jobs are worked", func() bool { return l.corp.count() > 0 })
		time.Sleep(500 * time.Millisecond)
		if runs := l.runs(); len(runs) != 0 {
			l.Errorf("%+v", runs)
		}
		if waiting, err := l.store.Requests(ctx, "octo"); err != nil || len(waiting) != 1 {
			l.Errorf("%+v, %v", waiting, err)
		}
		if _, err := l.store.Resume(ctx, "octo", "eve"); err != nil {
			l.Fatal(err)
		}
		l.quiet()
		l.holds(platform, "ada")
	})
}

func TestAPauseStopsARunAfterTheWriteInHand(t *testing.T) {
	both(t, func(l *lab) {
		teams := l.long(20, 20*time.Millisecond)
		l.start()
		l.ask(reconcile.ByPerson)
		l.until("the sync is under way", func() bool { return len(teams[2].Members()) > 0 })
		if err := l.store.Pause(context.Background(), "octo", reconcile.Pause{By: "eve", Reason: "too much"}); err != nil {
			l.Fatal(err)
		}
		runs := l.quiet()
		if r := runs[0].Report; r.State != "cancelled" || !strings.Contains(r.Error, "eve") || r.Done >= 40 {
			l.Errorf("%+v", r)
		}
	})
}

func TestTheEndOfAGraceWakesASync(t *testing.T) {
	both(t, func(l *lab) {
		platform := l.team("platform")
		l.join("ada")
		l.corp.group("eng", "ada")
		ctx := context.Background()
		l.idle()
		eng := mapping.Mapping{Team: "platform", Source: "corp", Group: "eng", GroupID: "eng", Mode: mapping.Exclusive}
		asks := reconcile.Request{Target: "octo", Teams: []team.ID{idOf(platform)}, Trigger: reconcile.ByEvent, Asker: "terraform"}
		if _, err := l.store.MapTeam(ctx, "octo", idOf(platform), []mapping.Mapping{eng}, mapping.Disconnect{By: "terraform"}, asks); err != nil {
			l.Fatal(err)
		}
		l.start()
		l.quiet()
		l.holds(platform, "ada")
		end := mapping.Disconnect{By: "terraform", Until: l.clock.Now().Add(10 * time.Minute)}
		if _, err := l.store.MapTeam(ctx, "octo", idOf(platform), nil, end, asks); err != nil {
			l.Fatal(err)
		}
		l.quiet()
		l.holds(platform, "ada")
		if waiting, err := l.store.Requests(ctx, "octo"); err != nil || len(waiting) != 1 || !waiting[0].DueAt.Equal(end.Until.Truncate(time.Microsecond)) {
			l.Errorf("%+v, %v", waiting, err)
		}
		l.clock.pass(10 * time.Minute)
		l.until("the members leave", func() bool { return members(platform) == "" })
	})
}

func TestAFailureThatMayPassIsTriedAgainSoon(t *testing.T) {
	both(t, func(l *lab) {
		platform := l.team("platform")
		l.join("ada")
		l.corp.group("eng", "ada")
		l.mapped("platform", "corp", "eng")
		fails := 2
		l.gate.read = func() error {
			if fails > 0 {
				fails--
				return &target.Error{Class: target.Unavailable, Message: "502"}
			}
			return nil
		}
		l.start()
		l.ask(reconcile.ByPerson)
		l.until("the third run succeeds", func() bool {
			runs := l.runs()
			return len(runs) == 3 && runs[0].Report.State == "done" && runs[1].Report.State == "failed" && runs[2].Report.State == "failed"
		})
		l.holds(platform, "ada")
	})
}

func TestABadCredentialIsNotTriedAgainBeforeItIsTime(t *testing.T) {
	both(t, func(l *lab) {
		l.team("platform")
		l.corp.group("eng")
		l.mapped("platform", "corp", "eng")
		l.gate.read = func() error { return &target.Error{Class: target.BadCredential, Message: "401"} }
		l.start()
		l.ask(reconcile.ByPerson)
		runs := l.quiet()
		if len(runs) != 1 || runs[0].Report.State != "failed" {
			l.Errorf("%+v", runs)
		}
		if waiting, err := l.store.Requests(context.Background(), "octo"); err != nil || len(waiting) != 0 {
			l.Errorf("%+v, %v", waiting, err)
		}
	})
}

func TestTwoServersDoARunOnce(t *testing.T) {
	l := newLab(t, postgres(t))
	teams := l.long(10, 5*time.Millisecond)
	l.idle()
	second := l.server(l.openStore())
	for range 10 {
		l.ask(reconcile.ByPerson)
	}
	l.start()
	if err := second.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	l.quiet()
	if runs := l.runs(); len(runs) != 1 {
		t.Errorf("%d runs", len(runs))
	}
	adds := 0
	for _, c := range l.gh.Calls() {
		if c.Write && c.Method == "PUT" {
			adds++
		}
	}
	if adds != 20 {
		t.Errorf("%d additions were written, want 20", adds)
	}
	for _, tm := range teams {
		l.holds(tm, "ada bob")
	}
}

func TestStoreAndQueueShareTheOneWriterOfSQLite(t *testing.T) {
	t.Parallel()
	l := newLab(t, "sqlite:"+filepath.Join(t.TempDir(), "m.db"))
	l.long(30, time.Millisecond)
	l.start()
	var busy sync.WaitGroup
	for i := range 8 {
		busy.Go(func() {
			for n := range 60 {
				target := "octo"
				if n%2 == 0 {
					target = fmt.Sprintf("nobody-%d", i) // nobody takes it
				}
				if _, err := l.store.AddRequest(context.Background(), reconcile.Request{Target: target, Trigger: reconcile.ByEvent, Asker: "load"}); err != nil {
					t.Error(err)
				}
				if err := l.store.KeepReading(context.Background(), "other", &reconcile.Reading{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	busy.Wait()
	for _, r := range l.quiet() { // a log that tells of a busy database fails the test as well
		if r.Report.State != "done" {
			t.Errorf("%+v", r.Report)
		}
	}
}
