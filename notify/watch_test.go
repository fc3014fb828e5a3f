package notify_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"musterline.example/guard"
	"musterline.example/notify"
	"musterline.example/plan"
	"musterline.example/team"
)

func all() notify.To {
	to := notify.To{Name: "ops", Console: "https://m.example.com/console"}
	for _, t := range notify.Types {
		to.Events = append(to.Events, t.Type)
	}
	return to
}

func types(events []notify.Event) string {
	var names []string
	for _, e := range events {
		names = append(names, string(e.Type))
	}
	return strings.Join(names, " ")
}

func TestARunThatFailedIsToldOnceUntilOneSucceeds(t *testing.T) {
	t.Parallel()
	to, w := all(), notify.TargetWatch{}
	said := func(states ...string) string {
		var runs []notify.Run
		for i, s := range states {
			runs = append(runs, notify.Run{ID: fmt.Sprint(w.Run + int64(i) + 1), Number: w.Run + int64(i) + 1, Target: "octo", State: s, Error: "GitHub is away", EndedAt: noon})
		}
		var events []notify.Event
		events, w = to.Runs(w, runs)
		w = notify.Recall[notify.TargetWatch](notify.Store(w)) // as it is between two looks
		return types(events)
	}
	for i, step := range []struct{ states, want string }{
		{"done", ""},
		{"failed", "run_failed"},
		{"failed", ""},
		{"cancelled off", ""},
		{"failed", ""},
		{"objected", "run_recovered"},
		{"done", ""},
		{"failed done failed failed", "run_failed run_recovered run_failed"},
		{"done", "run_recovered"},
	} {
		if got := said(strings.Fields(step.states)...); got != step.want {
			t.Errorf("step %d, %s: told %q, not %q", i, step.states, got, step.want)
		}
	}
	events, w := to.Runs(w, []notify.Run{{ID: "1", Number: 1, State: "failed"}})
	if len(events) > 0 || w.Failing {
		t.Error("a run was looked at again")
	}
	events, _ = to.Runs(w, []notify.Run{{ID: "99", Number: 99, Target: "octo", State: "failed", Error: "GitHub is away", EndedAt: noon}})
	want := `{"type":"run_failed","timestamp":"2026-03-01T12:00:00Z","data":{"sentence":"The sync of octo failed.","target":"octo","run":"99",` +
		`"reason":"GitHub is away","url":"https://m.example.com/console/runs/99"}}`
	if got := string(events[0].Body()); got != want {
		t.Errorf("told\n%s\nnot\n%s", got, want)
	}
}

func refs(of team.ID, accounts ...team.AccountID) []guard.Ref {
	var all []guard.Ref
	for _, a := range accounts {
		all = append(all, guard.Ref{Team: of, Account: a, Act: plan.Remove})
	}
	return all
}

func TestAnObjectionIsToldOnceUntilItsChangesAreOthers(t *testing.T) {
	t.Parallel()
	to, w, at := all(), notify.TargetWatch{}, noon
	said := func(objections ...guard.Objection) string {
		at = at.Add(15 * time.Minute)
		events, now := to.Plan(w, "octo", at, objections)
		w = notify.Recall[notify.TargetWatch](notify.Store(now))
		var told []string
		for _, e := range events {
			for _, o := range e.Data.Objections {
				told = append(told, o.Guard)
			}
		}
		return strings.Join(told, " ")
	}
	empty := guard.Objection{Guard: "empty_group", Team: "7", Slug: "security", Changes: refs("7", "1", "2"), Message: "2 of 3"}
	source := guard.Objection{Guard: "source_removals", Source: "people", Changes: refs("7", "1", "2"), Message: "3 of 11"}
	warning := guard.Objection{Guard: "stale_source", Source: "people", Message: "old"}
	moved := empty
	moved.Message = "2 of 4, measured an hour later"
	turned := empty
	turned.Changes = []guard.Ref{empty.Changes[1], empty.Changes[0]}
	more := empty
	more.Changes = refs("7", "1", "2", "3")
	for i, step := range []struct {
		objections []guard.Objection
		want       string
	}{
		{nil, ""},
		{[]guard.Objection{warning}, ""},
		{[]guard.Objection{empty}, "empty_group"},
		{[]guard.Objection{moved}, ""},
		{[]guard.Objection{turned, source}, "source_removals"},
		{nil, ""}, // as when a source could not be read
		{[]guard.Objection{empty, source}, ""},
		{[]guard.Objection{more, source}, "empty_group"},
	} {
		if got := said(step.objections...); got != step.want {
			t.Errorf("step %d: told %q, not %q", i, got, step.want)
		}
	}
	at = at.Add(25 * time.Hour)
	said()
	if got := said(empty); got != "empty_group" {
		t.Errorf("what was gone for a day is told of as %q", got)
	}
	if events, _ := to.Plan(w, "octo", at, []guard.Objection{more}); len(events) > 0 {
		t.Error("a plan was looked at again")
	}
}

func TestManyObjectionsAreOneMessage(t *testing.T) {
	t.Parallel()
	var many []guard.Objection
	for i := range 30 {
		id := team.ID(fmt.Sprint(i))
		many = append(many, guard.Objection{Guard: "team_removals", Team: id, Slug: "t" + string(id), Changes: refs(id, "1"), Message: strings.Repeat("a", 3000)})
	}
	many[0].Changes = append(many[0].Changes, many[1].Changes...) // of which two guards speak
	events, _ := all().Plan(notify.TargetWatch{}, "octo", noon, many)
	if len(events) != 1 {
		t.Fatalf("%d messages", len(events))
	}
	d := events[0].Data
	if d.Sentence != "30 changes of octo wait for approval: team_removals objects." || d.Changes != 30 || len(d.Objections) != 20 || d.More != 10 {
		t.Errorf("%s, %d changes, %d listed, %d more", d.Sentence, d.Changes, len(d.Objections), d.More)
	}
	if d.URL != "https://m.example.com/console/organizations/octo/plan" || *d.Objections[0].Team != (notify.Team{ID: "0", Slug: "t0"}) {
		t.Errorf("%s, %+v", d.URL, d.Objections[0].Team)
	}
	if n := len(events[0].Body()); n > 32<<10 {
		t.Errorf("a message of %d bytes", n)
	}
}

func TestASourceIsToldOfWhenItFailsAndWhenItIsBack(t *testing.T) {
	t.Parallel()
	to, w := all(), notify.SourceWatch{}
	for i, step := range []struct{ failure, want string }{{"", ""}, {"no route", "source_failed"}, {"no route", ""}, {"no bind", ""}, {"", "source_recovered"}, {"", ""}} {
		var events []notify.Event
		events, w = to.Source(w, notify.Source{Name: "corp", ReadAt: noon, Failure: step.failure, FailedAt: noon})
		w = notify.Recall[notify.SourceWatch](notify.Store(w))
		if got := types(events); got != step.want {
			t.Errorf("step %d: told %q, not %q", i, got, step.want)
		}
	}
}

func TestWhoDoesNotWantToHearIsNotTold(t *testing.T) {
	t.Parallel()
	to := all()
	to.Events = slices.DeleteFunc(to.Events, func(t notify.Type) bool { return t != notify.RunRecovered })
	failed, w := to.Runs(notify.TargetWatch{}, []notify.Run{{Number: 1, State: "failed"}})
	back, _ := to.Runs(w, []notify.Run{{Number: 2, State: "done"}})
	planned, _ := to.Plan(notify.TargetWatch{}, "octo", noon, []guard.Objection{{Guard: "g", Changes: refs("7", "1")}})
	read, _ := to.Source(notify.SourceWatch{}, notify.Source{Failure: "no"})
	if got := types(slices.Concat(failed, back, planned, read)); got != "run_recovered" {
		t.Errorf("told %q", got)
	}
}
