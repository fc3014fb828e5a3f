package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"musterline.example/directory"
	"musterline.example/guard"
	"musterline.example/reconcile"
	"musterline.example/source"
	"musterline.example/store"
	"musterline.example/target"
	"musterline.example/team"
)

// A kept reader answers with the last read that was kept, as a server's does.
type kept struct {
	l    *lab
	wait error
	runs []reconcile.Run
}

func (k *kept) Snapshot(ctx context.Context, name string, _ source.Selection, run reconcile.Run) (*directory.Snapshot, error) {
	k.runs = append(k.runs, run)
	if k.wait != nil {
		return nil, k.wait
	}
	return k.l.store.Snapshot(ctx, name)
}

// served lets the lab's sources be read beforehand.
func (l *lab) served() *kept {
	k := &kept{l: l}
	l.deps.Reader = k
	return k
}

// read reads the source for all targets, before any run.
func (l *lab) read(t *testing.T) {
	t.Helper()
	s, err := reconcile.ReadSource(context.Background(), l.deps, "corp")
	if err != nil {
		t.Fatal(err)
	}
	packed, err := store.PackSnapshot(s)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.store.Turn(context.Background(), "test", func(u *store.Turn) error { return u.KeepSnapshot(context.Background(), packed) }); err != nil {
		t.Fatal(err)
	}
}

func (l *lab) slice(b reconcile.Budget) (reconcile.Report, bool, error) {
	if b.Run.Trigger == "" {
		b.Run = reconcile.Run{Trigger: "person", Requester: "ada"}
	}
	return reconcile.Slice(context.Background(), l.deps, "octo", b)
}

func TestAGroupThatIsEmptyInAReadMadeBeforeTheRunIsObjectedTo(t *testing.T) {
	l := openLab(t)
	platform := l.team("platform", "ada", "bob", "cy")
	l.corp.group("eng", "ada", "bob", "cy")
	l.mapped("platform", "eng")
	l.served()
	l.read(t)
	l.mustSync(t)
	l.clock.pass(time.Hour)
	l.corp.group("eng")
	l.read(t)
	for range 3 { // the same read, again and again
		if r := l.mustSync(t); r.State != "objected" {
			t.Errorf("%+v", r)
		}
		if got := objecting(l.plan(t)); !strings.Contains(got, "empty_group platform") {
			t.Errorf("objecting: %s", got)
		}
	}
	if got := members(platform); got != "ada bob cy" {
		t.Errorf("platform holds %q", got)
	}
}

func TestRunsOnTheSameReadDoNotMakeAGroupMissingTwice(t *testing.T) {
	l := openLab(t)
	platform := l.team("platform", "ada")
	l.corp.group("eng", "ada")
	l.mapped("platform", "eng")
	l.served()
	l.read(t)
	l.mustSync(t)
	delete(l.corp.groups, "eng")
	l.clock.pass(time.Hour)
	l.read(t)
	l.mustSync(t)
	l.clock.pass(25 * time.Hour)
	l.mustSync(t) // a day later, on that one read
	if got := members(platform); got != "ada" {
		t.Fatalf("platform holds %q after one read without its group", got)
	}
	l.read(t)
	l.mustSync(t)
	if got := members(platform); got != "" {
		t.Errorf("platform holds %q after two reads and a day", got)
	}
}

func TestARunLooksAtWhatWasUsualBeforeItsRead(t *testing.T) {
	l := openLab(t)
	var all []string
	for i := range 60 {
		all = append(all, fmt.Sprintf("user-%02d", i))
	}
	l.team("platform", all...)
	l.corp.group("eng", all...)
	l.mapped("platform", "eng")
	l.set(func(tg *reconcile.Target) {
		tg.Guards.TeamRemovals = guard.Limit{Max: 100, Percent: 100}
		tg.Guards.SourceRemovals = guard.Limit{Max: 100, Percent: 100}
	})
	l.served()
	for range 3 {
		l.read(t)
		l.mustSync(t)
		l.clock.pass(time.Hour)
	}
	l.corp.users = map[directory.UserID]directory.User{}
	l.corp.group("eng", all[:30]...)
	l.read(t)
	for range 8 { // were it recorded each time, the strange look would become the usual one
		l.mustSync(t)
	}
	if got := objecting(l.plan(t)); !strings.Contains(got, "source_shape corp") {
		t.Errorf("objecting: %s", got)
	}
}

func TestRemovalReadsCountsReadsAndNotRuns(t *testing.T) {
	l := openLab(t)
	platform := l.team("platform", "ada", "bob")
	l.corp.group("eng", "ada", "bob")
	l.mapped("platform", "eng")
	l.set(func(tg *reconcile.Target) { tg.Settings.RemovalReads = 2 })
	l.served()
	l.read(t)
	l.mustSync(t)
	l.corp.group("eng", "ada")
	l.clock.pass(time.Hour)
	l.read(t)
	for range 4 {
		l.mustSync(t)
	}
	if got := members(platform); got != "ada bob" {
		t.Fatalf("platform holds %q after one read without bob", got)
	}
	l.clock.pass(time.Hour)
	l.read(t)
	l.mustSync(t)
	if got := members(platform); got != "ada" {
		t.Errorf("platform holds %q", got)
	}
}

func TestARunThatWaitsForASourceIsLeftOpen(t *testing.T) {
	l := openLab(t)
	platform := l.team("platform")
	l.join("ada")
	l.corp.group("eng", "ada")
	l.mapped("platform", "eng")
	k := l.served()
	k.wait = &reconcile.Wait{Source: "corp", Until: l.clock.Now().Add(time.Second)}
	_, more, err := l.slice(reconcile.Budget{})
	if _, waits := errors.AsType[*reconcile.Wait](err); !waits || !more {
		t.Fatalf("more %t, %v", more, err)
	}
	k.wait = nil
	l.read(t)
	l.mustSync(t)
	if got := members(platform); got != "ada" {
		t.Errorf("platform holds %q", got)
	}
	if runs, err := l.store.Runs(context.Background(), "octo", "", 0); err != nil || len(runs) != 1 {
		t.Errorf("%+v, %v", runs, err)
	}
}

// A fussy target does before some calls what a test wants.
type fussy struct {
	target.Target

	accounts, teams func() error
	asked           [][]team.ID
}

func (f *fussy) Accounts(ctx context.Context, ids []team.AccountID) (target.Accounts, error) {
	if f.accounts != nil && len(ids) == 0 {
		if err := f.accounts(); err != nil {
			return target.Accounts{}, err
		}
	}
	return f.Target.Accounts(ctx, ids)
}

func (f *fussy) Teams(ctx context.Context, ids []team.ID) ([]team.Team, error) {
	f.asked = append(f.asked, ids)
	if f.teams != nil {
		if err := f.teams(); err != nil {
			return nil, err
		}
	}
	return f.Target.Teams(ctx, ids)
}

func (l *lab) fussy() *fussy {
	f := &fussy{Target: l.deps.Targets["octo"].Target}
	l.deps.Targets = maps.Clone(l.deps.Targets)
	l.set(func(t *reconcile.Target) { t.Target = f })
	return f
}

func TestWhoComesBackFindsTheRunOpenAfterALimit(t *testing.T) {
	l := openLab(t)
	platform := l.team("platform")
	l.join("ada")
	l.corp.group("eng", "ada")
	l.mapped("platform", "eng")
	f := l.fussy()
	limit := &target.Error{Class: target.Limited, Message: "slow down", Until: l.clock.Now().Add(time.Minute)}
	accounts := 0
	f.accounts = func() error { accounts++; return nil }
	f.teams = func() error { return limit }
	_, more, err := l.slice(reconcile.Budget{Patient: true})
	if !more || target.ClassOf(err) != target.Limited {
		t.Fatalf("more %t, %v", more, err)
	}
	f.teams = nil
	l.clock.pass(time.Minute)
	r, more, err := l.slice(reconcile.Budget{Patient: true})
	if more || err != nil || r.State != "done" {
		t.Errorf("more %t, %+v, %v", more, r, err)
	}
	if accounts != 1 {
		t.Errorf("the accounts were read %d times", accounts)
	}
	if got := members(platform); got != "ada" {
		t.Errorf("platform holds %q", got)
	}
}

func TestALimitEndsTheRunOfWhoDoesNotComeBack(t *testing.T) {
	l := openLab(t)
	l.team("platform")
	l.corp.group("eng")
	l.mapped("platform", "eng")
	l.fussy().accounts = func() error { return &target.Error{Class: target.Limited, Message: "slow down"} }
	r, more, err := l.slice(reconcile.Budget{})
	if more || err == nil || r.State != "failed" {
		t.Errorf("more %t, %+v, %v", more, r, err)
	}
}

func TestAReadThatTakesLongGoesOnInTheNextSlice(t *testing.T) {
	l := openLab(t)
	platform := l.team("platform")
	l.join("ada")
	l.corp.group("eng", "ada")
	l.mapped("platform", "eng")
	f := l.fussy()
	accounts := 0
	f.accounts = func() error { accounts++; l.clock.pass(time.Minute); return nil }
	_, more, err := l.slice(reconcile.Budget{Patient: true, Deadline: l.clock.Now().Add(30 * time.Second)})
	if !more || err != nil || len(f.asked) != 0 {
		t.Fatalf("more %t, teams %v, %v", more, f.asked, err)
	}
	r, more, err := l.slice(reconcile.Budget{Patient: true, Deadline: l.clock.Now().Add(30 * time.Second)})
	if more || err != nil || r.State != "done" || accounts != 1 {
		t.Errorf("more %t, %+v, %v; the accounts were read %d times", more, r, err, accounts)
	}
	if got := members(platform); got != "ada" {
		t.Errorf("platform holds %q", got)
	}
}

func TestARunForATeamReadsThatTeamAndJudgesTheWhole(t *testing.T) {
	l := openLab(t)
	platform := l.team("platform", "ada")
	l.team("design", "ada", "bob", "cy", "dan")
	l.corp.group("eng", "ada")
	l.corp.group("des", "ada", "bob", "cy", "dan")
	l.mapped("platform", "eng")
	l.mapped("design", "des")
	patient := reconcile.Budget{Patient: true, Kept: time.Hour}
	for range 2 {
		if _, more, err := l.slice(patient); more || err != nil {
			t.Fatal(more, err)
		}
	}
	f := l.fussy()
	accounts := 0
	f.accounts = func() error { accounts++; return nil }
	l.corp.group("eng", "ada", "bob")
	l.corp.group("des")
	l.clock.pass(time.Minute)
	ask := func() (reconcile.Report, bool, error) {
		id := team.ID(fmt.Sprint(platform.ID()))
		if _, err := l.store.AddRequest(context.Background(), reconcile.Request{Target: "octo", Teams: []team.ID{id}, Trigger: "event"}); err != nil {
			t.Fatal(err)
		}
		return l.slice(patient)
	}
	r, more, err := ask()
	if more || err != nil || r.Done != 1 || r.Objected != 4 {
		t.Errorf("more %t, %+v, %v", more, r, err)
	}
	if accounts != 0 || len(f.asked) != 2 || len(f.asked[0]) != 1 {
		t.Errorf("accounts were read %d times, teams %v", accounts, f.asked)
	}
	if got := members(platform); got != "ada bob" {
		t.Errorf("platform holds %q", got)
	}
	l.clock.pass(2 * time.Hour) // what was kept is old
	if _, more, err = ask(); more || err != nil || accounts != 1 {
		t.Errorf("more %t, %v; the accounts were read %d times", more, err, accounts)
	}
}

func TestSomebodyWhoJoinedSinceIsFoundWhenTheirAccountIsAskedFor(t *testing.T) {
	l := openLab(t)
	platform := l.team("platform", "ada")
	l.corp.group("eng", "ada", "bob")
	l.mapped("platform", "eng")
	patient := reconcile.Budget{Patient: true, Kept: time.Hour}
	if _, more, err := l.slice(patient); more || err != nil {
		t.Fatal(more, err)
	}
	l.join("bob")
	id := team.AccountID(fmt.Sprint(l.gh.World().User("bob").ID()))
	if _, err := l.store.AddRequest(context.Background(), reconcile.Request{Target: "octo", Account: id, Trigger: "event"}); err != nil {
		t.Fatal(err)
	}
	l.clock.pass(time.Minute)
	if r, more, err := l.slice(patient); more || err != nil || r.Done != 1 {
		t.Errorf("more %t, %+v, %v", more, r, err)
	}
	if got := members(platform); got != "ada bob" {
		t.Errorf("platform holds %q", got)
	}
}

func TestTheCallsOfARunAreThoseThatItsTargetAnswered(t *testing.T) {
	l := openLab(t)
	l.join("ada")
	for _, name := range []string{"a", "b", "c"} {
		l.team(name)
		l.corp.group(name, "ada")
		l.mapped(name, name)
	}
	counted := func(doing string) target.Calls {
		t.Helper()
		runs, err := l.store.Runs(context.Background(), "octo", "", 1)
		if err != nil || len(runs) != 1 {
			t.Fatalf("%d runs, %v", len(runs), err)
		}
		seen := l.gh.Counts()
		if want := (target.Calls{Made: seen.Calls, Cost: seen.RESTCost + seen.GraphQLPoints}); runs[0].Calls != want || want.Cost == 0 {
			t.Errorf("%s: %+v are counted, and GitHub has answered %+v", doing, runs[0].Calls, want)
		}
		return runs[0].Calls
	}
	teams := 0
	first, more, err := l.slice(reconcile.Budget{Patient: true, Call: func(within bool) reconcile.Called {
		if !within {
			teams++
		}
		return reconcile.Called{Leave: !within && teams > 2}
	}})
	if err != nil || !more {
		t.Fatalf("more %t, %v", more, err)
	}
	if got := counted("a slice"); got != first.Calls {
		t.Errorf("the run has %+v, its only slice %+v", got, first.Calls)
	}
	if _, more, err = l.slice(reconcile.Budget{Patient: true}); err != nil || more {
		t.Fatalf("more %t, %v", more, err)
	}
	if got := counted("the whole run"); got.Made <= first.Calls.Made {
		t.Errorf("the second slice made none: %+v after %+v", got, first.Calls)
	}

	done, err := l.store.Runs(context.Background(), "octo", "", 1)
	if err != nil {
		t.Fatal(err)
	}
	l.gh.Reset()
	undone, err := reconcile.Undo(context.Background(), l.deps, "octo", done[0].ID, reconcile.Budget{Run: reconcile.Run{Requester: "ada"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := counted("an undo"); got != undone.Calls {
		t.Errorf("the undo has %+v, and says %+v", got, undone.Calls)
	}
}

func TestTheReportInMemoryCountsAllSlices(t *testing.T) {
	l := openLab(t)
	l.join("ada")
	for _, name := range []string{"a", "b", "c"} {
		l.team(name)
		l.corp.group(name, "ada")
		l.mapped(name, name)
	}
	for {
		teams := 0
		_, more, err := l.slice(reconcile.Budget{Patient: true, Call: func(within bool) reconcile.Called {
			if !within {
				teams++
			}
			return reconcile.Called{Leave: !within && teams > 2} // once it is asked between reads
		}})
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			break
		}
	}
	runs, err := l.store.Runs(context.Background(), "octo", "", 0)
	if err != nil || len(runs) != 1 || runs[0].Report.Done != 3 {
		t.Errorf("%+v, %v", runs, err)
	}
}
