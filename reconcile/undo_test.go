package reconcile_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"musterline.example/internal/githubsim"
	"musterline.example/mapping"
	"musterline.example/reconcile"
	"musterline.example/team"
)

func undo(t *testing.T, l *lab, run string) reconcile.Report {
	t.Helper()
	r, err := reconcile.Undo(context.Background(), l.deps, "octo", run, reconcile.Budget{Run: reconcile.Run{Requester: "ada"}})
	if err != nil {
		t.Fatalf("undo: %v", err)
	}
	return r
}

func TestUndoLeavesWhatHasChangedSince(t *testing.T) {
	l := openLab(t)
	platform := l.team("platform", "ada", "bob", "+cy", "dan")
	l.corp.group("eng", "ada", "bob", "cy", "dan")
	l.mapped("platform", "eng")
	l.mustSync(t)
	l.deps.File["octo"][0].Role = team.Maintainer
	l.corp.group("eng", "ada", "bob", "dan")
	r := l.mustSync(t) // promotes three, removes cy
	if got, want := members(platform), "+ada +bob +dan"; got != want {
		t.Fatalf("platform holds %q, want %q", got, want)
	}
	platform.Remove("bob")                // has left since
	platform.Set("cy", githubsim.Member)  // is back since, and no maintainer
	platform.Set("dan", githubsim.Member) // was demoted since
	undo(t, l, r.Run)
	if got, want := members(platform), "ada cy dan"; got != want {
		t.Errorf("platform holds %q, want %q", got, want)
	}
}

func TestAnUndoMakesThePlanThatWasShownOrNone(t *testing.T) {
	l := openLab(t)
	platform := l.team("platform", "ada")
	l.join("bob", "cy")
	l.corp.group("eng", "ada", "bob", "cy")
	l.mapped("platform", "eng")
	r := l.mustSync(t)
	shown, err := reconcile.PlanUndo(context.Background(), l.deps, "octo", r.Run)
	if err != nil {
		t.Fatal(err)
	}
	platform.Remove("bob") // somebody has been quicker
	budget := reconcile.Budget{Digest: shown.Plan.Digest}
	if _, err := reconcile.Undo(context.Background(), l.deps, "octo", r.Run, budget); !errors.Is(err, reconcile.ErrMoved) {
		t.Errorf("undone, although the plan was another: %v", err)
	}
	if got, want := members(platform), "ada cy"; got != want {
		t.Errorf("platform holds %q, want %q", got, want)
	}
	if shown, err = reconcile.PlanUndo(context.Background(), l.deps, "octo", r.Run); err != nil {
		t.Fatal(err)
	}
	var told *reconcile.Decision
	budget = reconcile.Budget{Digest: shown.Plan.Digest, Planned: func(d *reconcile.Decision) { told = d }}
	if _, err := reconcile.Undo(context.Background(), l.deps, "octo", r.Run, budget); err != nil {
		t.Fatal(err)
	}
	if got, want := members(platform), "ada"; got != want || told == nil || told.Plan.Digest != shown.Plan.Digest {
		t.Errorf("platform holds %q, want %q; told of %+v", got, want, told)
	}
}

func TestUndoLeavesTheLedgerAsItWas(t *testing.T) {
	l := openLab(t)
	platform := l.team("platform", "ada", "eve")
	l.corp.group("eng", "ada")
	l.mapped("platform", "eng")
	l.mustSync(t)
	l.approveAll(t, "right")
	r := l.mustSync(t)
	undo(t, l, r.Run)
	if got, want := members(platform), "ada eve"; got != want {
		t.Errorf("platform holds %q, want %q", got, want)
	}
	standing, err := l.deps.Targets["octo"].Probe(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	ledger, err := l.store.Ledger(context.Background(), standing.Place)
	if err != nil {
		t.Fatal(err)
	}
	for id, rows := range ledger {
		if len(rows) != 1 || rows[0].Origin != mapping.LedgerFound {
			t.Errorf("team %s: %+v, want ada only: eve was put there by hand", id, rows)
		}
	}
}

func TestUndoRemovesNoProtectedAccount(t *testing.T) {
	l := openLab(t)
	platform := l.team("platform", "ada")
	l.join("root")
	l.corp.group("eng", "ada", "root")
	l.mapped("platform", "eng")
	r := l.mustSync(t)
	l.set(func(tg *reconcile.Target) { tg.Protected = []string{"root"} })
	d, err := reconcile.PlanUndo(context.Background(), l.deps, "octo", r.Run)
	if err != nil {
		t.Fatal(err)
	}
	if got := objecting(d); !strings.Contains(got, "protected platform") {
		t.Errorf("objections: %s", got)
	}
	undo(t, l, r.Run)
	if got, want := members(platform), "ada root"; got != want {
		t.Errorf("platform holds %q, want %q", got, want)
	}
}

func TestUndoDoesNotBringTheCreatorBack(t *testing.T) {
	l := openLab(t)
	l.join("ada")
	l.corp.group("gh-data", "ada")
	l.deps.Rules = []mapping.Rule{{ID: "rule:1", Source: "corp", Match: "gh-*", Target: "octo", Team: `{{ trimPrefix "gh-" .Group.Name }}`, Create: true, Mode: mapping.Exclusive}}
	r := l.mustSync(t)
	undo(t, l, r.Run)
	if got := members(l.org.Team("data")); got != "" {
		t.Errorf("data holds %q", got)
	}
}

func TestUndoTakesBackWhatACrashLeftOpen(t *testing.T) {
	l := openLab(t)
	platform := l.team("platform")
	l.join("ada", "bob", "cy")
	l.corp.group("eng", "ada", "bob", "cy")
	l.mapped("platform", "eng")
	l.gh.Inject(githubsim.Fault{Method: "PUT", Times: 1, Drop: githubsim.DropAnswer})
	r, err := l.sync()
	t.Logf("the run with the cut: %+v, %v", r, err)
	if got, want := members(platform), "ada bob cy"; got != want {
		t.Fatalf("platform holds %q, want %q", got, want)
	}
	d, err := reconcile.PlanUndo(context.Background(), l.deps, "octo", r.Run)
	if err != nil || d.Plan.Summary().Remove != 3 {
		t.Errorf("shown: %+v, %v", d.Plan.Summary(), err)
	}
	undo(t, l, r.Run)
	if got := members(platform); got != "" {
		t.Errorf("platform holds %q after the undo", got)
	}
}

func TestAnUndoIsARunOfItsOwn(t *testing.T) {
	l := openLab(t)
	platform := l.team("platform")
	l.join("ada", "bob")
	l.corp.group("eng", "ada")
	l.mapped("platform", "eng")
	first := l.mustSync(t)
	l.corp.group("eng", "ada", "bob")
	begun(t, l)
	r := undo(t, l, first.Run)
	run, err := l.store.Run(context.Background(), r.Run)
	if err != nil || run.Undoes != first.Run {
		t.Errorf("the undo ran as %+v, %v", run.Run, err)
	}
	if got := members(platform); got != "" {
		t.Errorf("platform holds %q", got)
	}
}
