package apply_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"musterline.example/apply"
	"musterline.example/audit"
	"musterline.example/guard"
	"musterline.example/plan"
	"musterline.example/target"
	"musterline.example/team"
)

var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

// An organization behaves as a target does, in memory. Its writes fail as told.
type organization struct {
	target.Target
	teams   map[team.ID]*team.Team
	members map[team.AccountID]string
	fail    func(plan.Change) error
	wait    func(ctx context.Context) error // in each write
	reads   atomic.Int32
}

func (o *organization) Teams(_ context.Context, ids []team.ID) ([]team.Team, error) {
	o.reads.Add(1)
	var read []team.Team
	for _, id := range ids {
		if t, ok := o.teams[id]; ok {
			again := *t
			again.Members = slices.Clone(t.Members)
			read = append(read, again)
		}
	}
	return read, nil
}

func (o *organization) Accounts(_ context.Context, ids []team.AccountID) (target.Accounts, error) {
	o.reads.Add(1)
	var a target.Accounts
	for _, id := range ids {
		if login, ok := o.members[id]; ok {
			a.List = append(a.List, team.Account{ID: id, Login: login})
		}
	}
	return a, nil
}

func (o *organization) Apply(ctx context.Context, c plan.TeamChange, did func(target.Outcome) error) error {
	for _, ch := range c.Changes() {
		outcome := target.Outcome{Act: string(ch.Act), Account: ch.Account, Team: c.Team, Result: target.Done}
		if o.wait != nil {
			if err := o.wait(ctx); err != nil {
				if err := did(target.Outcome{Act: string(ch.Act), Account: ch.Account, Team: c.Team, Result: target.Failed, Err: err}); err != nil {
					return err
				}
				return err
			}
		}
		if o.fail != nil {
			if err := o.fail(ch); err != nil {
				outcome.Result, outcome.Err = target.Failed, err
			}
		}
		if outcome.Result == target.Done {
			o.write(o.teams[c.Team], ch)
		}
		if err := did(outcome); err != nil {
			return err
		}
	}
	return nil
}

func (o *organization) write(t *team.Team, ch plan.Change) {
	t.Members = slices.DeleteFunc(t.Members, func(m team.Membership) bool { return m.Account == ch.Account })
	if ch.Act == plan.Add || ch.Act == plan.Update {
		t.Members = append(t.Members, team.Membership{Account: ch.Account, Login: ch.Login, Role: ch.Role})
	}
	t.Sort()
}

// A diary is an audit log that can be read.
type diary struct {
	lines []string
	refer func(entry string) error
}

func (d *diary) note(entry string) error {
	if d.refer != nil {
		if err := d.refer(entry); err != nil {
			return err
		}
	}
	d.lines = append(d.lines, entry)
	return nil
}

func (d *diary) Intent(_ context.Context, i audit.Intent) (string, error) {
	return i.Slug, d.note(fmt.Sprintf("intent %s: %d writes", i.Slug, len(i.Writes)))
}

func (d *diary) Outcome(_ context.Context, intent string, o audit.Outcome) error {
	return d.note(fmt.Sprintf("%s: %s %s %s", intent, o.Act, o.Account, o.Result))
}

func (d *diary) Close(_ context.Context, intent string) error { return d.note("close " + intent) }

// newOrganization has the teams a, b, … each holding eve; ada and bob are members of the organization and in no team.
func newOrganization(teams ...string) *organization {
	o := &organization{teams: map[team.ID]*team.Team{}, members: map[team.AccountID]string{"1": "ada", "2": "bob", "3": "eve"}}
	for _, slug := range teams {
		o.teams[team.ID(slug)] = &team.Team{ID: team.ID(slug), Slug: slug, Members: []team.Membership{{Account: "3", Login: "eve"}}}
	}
	return o
}

// approved is the plan that ada and bob come into every team and eve goes.
func (o *organization) approved(t *testing.T) guard.Approved {
	t.Helper()
	var wanted []team.Wanted
	var current []team.Team
	for id, now := range o.teams {
		wanted = append(wanted, team.Wanted{Team: id, Sources: []string{"corp"}, Members: []team.Want{
			{Account: "1", Login: "ada", In: team.Yes}, {Account: "2", Login: "bob", In: team.Yes},
			{Account: "3", Login: "eve", In: team.Out, Why: []team.Reason{{Rule: team.NotInGroup}}}}})
		current = append(current, *now)
	}
	a, objections := guard.Approve(plan.Compute("octo", wanted, current), guard.Facts{Now: noon}, nil, nil)
	if len(objections) > 0 {
		t.Fatal(objections)
	}
	return a
}

func (o *organization) run(t *testing.T, a guard.Approved, log audit.Log, change ...func(*apply.Options)) (apply.Report, error) {
	t.Helper()
	opts := apply.Options{Run: "run-1", Now: func() time.Time { return noon }}
	for _, c := range change {
		c(&opts)
	}
	return apply.Run(context.Background(), o, a, log, opts)
}

func TestAnUnapprovedPlanIsRefused(t *testing.T) {
	if _, err := newOrganization("a").run(t, guard.Approved{}, &diary{}); !errors.Is(err, apply.ErrNotApproved) {
		t.Errorf("the zero Approved: %v", err)
	}
}

func TestEveryWriteStandsBetweenItsIntentAndItsOutcome(t *testing.T) {
	o, d := newOrganization("a"), &diary{}
	report, err := o.run(t, o.approved(t), d)
	if err != nil || report.Done != 3 {
		t.Fatalf("%+v, %v", report, err)
	}
	want := "intent a: 3 writes\na: add 1 done\na: add 2 done\na: remove 3 done\nclose a"
	if got := strings.Join(d.lines, "\n"); got != want {
		t.Errorf("the log:\n%s\nwant:\n%s", got, want)
	}
	if o.reads.Load() != 2 {
		t.Errorf("%d reads for one batch, want one of teams and one of accounts", o.reads.Load())
	}
}

func TestWithoutAnEntryThereIsNoAct(t *testing.T) {
	o := newOrganization("a")
	full := errors.New("disk full")
	_, err := o.run(t, o.approved(t), &diary{refer: func(string) error { return full }})
	if !errors.Is(err, full) {
		t.Errorf("error %v", err)
	}
	if len(o.teams["a"].Members) != 1 {
		t.Errorf("written without an entry: %+v", o.teams["a"].Members)
	}
}

func TestALostOutcomeEntryStopsTheRunWithTheIntentOpen(t *testing.T) {
	o := newOrganization("a", "b")
	a := o.approved(t)
	full := errors.New("disk full")
	d := &diary{refer: func(entry string) error {
		if strings.Contains(entry, "add 2") {
			return full
		}
		return nil
	}}
	if _, err := o.run(t, a, d); !errors.Is(err, full) {
		t.Errorf("error %v", err)
	}
	if slices.Contains(d.lines, "close a") || len(o.teams["b"].Members) != 1 {
		t.Errorf("went on: %q, b %+v", d.lines, o.teams["b"].Members)
	}
}

func TestATeamThatMovedIsLeftAlone(t *testing.T) {
	o, d := newOrganization("a", "b"), &diary{}
	a := o.approved(t)
	o.teams["a"].Members[0].Role = team.Maintainer // by hand, after the plan
	report, err := o.run(t, a, d)
	if err != nil || len(report.Moved) != 1 || report.Moved[0].Slug != "a" || report.Done != 3 || report.Skipped != 3 {
		t.Errorf("%+v, %v", report, err)
	}
	delete(o.teams, "b")
	if report, _ := o.run(t, a, d); len(report.Moved) != 2 {
		t.Errorf("a team that is gone: %+v", report)
	}
}

func TestWhoLeftTheOrganizationSinceThePlanIsNotAdded(t *testing.T) {
	o, d := newOrganization("a"), &diary{}
	a := o.approved(t)
	delete(o.members, "2")
	report, err := o.run(t, a, d)
	if err != nil || report.Done != 2 || report.Skipped != 1 {
		t.Fatalf("%+v, %v", report, err)
	}
	if !slices.Contains(d.lines, "a: add 2 skipped") {
		t.Errorf("the log does not say that bob was skipped: %q", d.lines)
	}
}

func TestARenamedAccountIsWrittenUnderTheLoginOfToday(t *testing.T) {
	o := newOrganization("a")
	a := o.approved(t)
	o.members["1"] = "ada-lovelace"
	if _, err := o.run(t, a, &diary{}); err != nil {
		t.Fatal(err)
	}
	if m, ok := o.teams["a"].Member("1"); !ok || m.Login != "ada-lovelace" {
		t.Errorf("ada is %+v", m)
	}
}

func TestALostAnswerLeavesTheIntentOpen(t *testing.T) {
	o, d := newOrganization("a"), &diary{}
	a := o.approved(t)
	o.fail = func(ch plan.Change) error {
		if ch.Account == "2" {
			return &target.Error{Class: target.Unavailable, Message: "connection cut"}
		}
		return nil
	}
	report, err := o.run(t, a, d)
	if err != nil || report.Unknown != 1 || report.Done != 2 {
		t.Fatalf("%+v, %v", report, err)
	}
	if slices.Contains(d.lines, "close a") || slices.ContainsFunc(d.lines, func(l string) bool { return strings.Contains(l, "add 2") }) {
		t.Errorf("the write without an answer was closed: %q", d.lines)
	}
}

func TestOneRefusedWriteFailsNoOther(t *testing.T) {
	o, d := newOrganization("a"), &diary{}
	a := o.approved(t)
	o.fail = func(ch plan.Change) error {
		if ch.Account == "1" {
			return &target.Error{Class: target.Refused, Message: "is an organization"}
		}
		return nil
	}
	report, err := o.run(t, a, d)
	if err != nil || report.Failed != 1 || report.Done != 2 || len(report.Failures) != 1 || report.Failures[0].Change.Login != "ada" {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestThreeFailuresOfAKindOpenTheBreaker(t *testing.T) {
	o := newOrganization("a", "b", "c", "d")
	a := o.approved(t)
	o.fail = func(plan.Change) error {
		return &target.Error{Class: target.Forbidden, Message: "needs admin:org"}
	}
	report, err := o.run(t, a, &diary{})
	if err == nil || !strings.Contains(err.Error(), "needs admin:org") || report.Failed != 3 {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestAQuarterOfLostAnswersOpensTheBreaker(t *testing.T) {
	o := newOrganization("a", "b", "c", "d", "e", "f")
	a := o.approved(t)
	n := 0
	o.fail = func(plan.Change) error {
		if n++; n%4 == 0 {
			return &target.Error{Class: target.Unavailable, Message: "502"}
		}
		return nil
	}
	if _, err := o.run(t, a, &diary{}); err == nil || !strings.Contains(err.Error(), "of 1") {
		t.Errorf("error %v after %d writes", err, n)
	}
}

func TestTheDeadlineStopsBetweenTeamsAndWhoIsWaitedForIsFirst(t *testing.T) {
	slugs := make([]string, 30)
	for i := range slugs {
		slugs[i] = fmt.Sprintf("team-%02d", i)
	}
	o, d := newOrganization(slugs...), &diary{}
	a := o.approved(t)
	now := noon
	report, err := o.run(t, a, d, func(opts *apply.Options) {
		opts.Now = func() time.Time { return now }
		opts.Deadline, opts.First = noon.Add(time.Second), []team.ID{"team-29"}
		opts.Progress = func(apply.Written) { now = noon.Add(time.Second) }
	})
	if err != nil || !report.More || report.Done != 3 {
		t.Errorf("%+v, %v", report, err)
	}
	if d.lines[0] != "intent team-29: 3 writes" {
		t.Errorf("first was %q", d.lines[0])
	}
}

func TestWhoIsToldToLeaveFinishesTheWriteInHandAndClosesTheIntent(t *testing.T) {
	o, d := newOrganization("platform", "security"), &diary{}
	a := o.approved(t)
	report, err := o.run(t, a, d, func(opts *apply.Options) {
		opts.Leave = func(within bool) bool { return within }
	})
	if err != nil || !report.More || report.Done != 1 {
		t.Errorf("%+v, %v", report, err)
	}
	want := []string{"intent platform: 3 writes", "", "not-done", "not-done", "close"}
	for i, line := range d.lines {
		if i >= len(want) || !strings.Contains(line, want[i]) {
			t.Errorf("line %d of the record is %q of\n%s", i, line, strings.Join(d.lines, "\n"))
		}
	}
	if len(d.lines) != len(want) {
		t.Errorf("the record is\n%s", strings.Join(d.lines, "\n"))
	}
}

func TestWhoIsToldToLeaveBeginsNoOtherTeam(t *testing.T) {
	o, d := newOrganization("platform", "security"), &diary{}
	a := o.approved(t)
	teams := 0
	report, err := o.run(t, a, d, func(opts *apply.Options) {
		opts.Leave = func(within bool) bool {
			if !within {
				teams++
			}
			return teams > 1
		}
	})
	if err != nil || !report.More || report.Done != 3 {
		t.Errorf("%+v, %v\n%s", report, err, strings.Join(d.lines, "\n"))
	}
}

// until runs the plan with a context that ends in the middle of the write of that number.
func (o *organization) until(t *testing.T, write int, d *diary, wait func(ctx context.Context) error) (apply.Report, error) {
	t.Helper()
	a := o.approved(t)
	ctx, giveUp := context.WithCancel(t.Context())
	defer giveUp()
	n := 0
	o.wait = func(ctx context.Context) error {
		if n++; n == write {
			giveUp()
			return wait(ctx)
		}
		return nil
	}
	return apply.Run(ctx, o, a, d, apply.Options{Run: "run-1", Now: func() time.Time { return noon }})
}

func TestWhoGivesUpWaitingCutsNoWriteOffAndLeavesNoneInDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, d := newOrganization("a", "b"), &diary{}
		report, err := o.until(t, 2, d, func(ctx context.Context) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(10 * time.Second): // as long as GitHub takes at most
				return nil
			}
		})
		if !errors.Is(err, context.Canceled) || !report.More || report.Done != 2 || report.Unknown != 0 {
			t.Errorf("%+v, %v", report, err)
		}
		want := "intent a: 3 writes\na: add 1 done\na: add 2 done\na: remove 3 not-done\nclose a"
		if got := strings.Join(d.lines, "\n"); got != want {
			t.Errorf("the log:\n%s\nwant:\n%s", got, want)
		}
	})
}

func TestAWriteThatIsNotAnsweredIsNotWaitedForForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, d := newOrganization("a", "b"), &diary{}
		report, err := o.until(t, 2, d, func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		})
		if !errors.Is(err, context.Canceled) || report.Done != 1 || report.Unknown != 1 {
			t.Errorf("%+v, %v", report, err)
		}
		want := "intent a: 3 writes\na: add 1 done" // open: the next run looks what became of it
		if got := strings.Join(d.lines, "\n"); got != want {
			t.Errorf("the log:\n%s\nwant:\n%s", got, want)
		}
	})
}

func TestWhoGivesUpWaitingInTheLastWriteOfAllHasEverythingDone(t *testing.T) {
	o, d := newOrganization("a"), &diary{}
	report, err := o.until(t, 3, d, func(context.Context) error { return nil })
	if err != nil || report.More || report.Done != 3 || d.lines[len(d.lines)-1] != "close a" {
		t.Errorf("%+v, %v\n%s", report, err, strings.Join(d.lines, "\n"))
	}
}
