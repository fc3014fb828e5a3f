package reconcile_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"musterline.example/directory"
	"musterline.example/internal/githubsim"
	"musterline.example/reconcile"
)

// begun leaves a run open of which one slice is done and no write.
func begun(t *testing.T, l *lab) {
	t.Helper()
	_, more, err := reconcile.Slice(context.Background(), l.deps, "octo", reconcile.Budget{Deadline: l.clock.Now(), Run: reconcile.Run{Trigger: "person", Requester: "ada"}})
	if err != nil || !more {
		t.Fatalf("the first slice: more %t, %v", more, err)
	}
}

func TestARunThatNobodyWentOnWithIsNotTakenUpWithOldEyes(t *testing.T) {
	l := openLab(t)
	platform := l.team("platform")
	l.join("ada", "bob")
	l.corp.group("eng", "ada", "bob")
	l.mapped("platform", "eng")
	begun(t, l)
	l.clock.pass(24 * time.Hour)
	l.corp.user("bob", directory.Disabled, "bob")
	l.mustSync(t)
	if got, want := members(platform), "ada"; got != want {
		t.Errorf("platform holds %q, want %q", got, want)
	}
}

func TestASavedPlanIsHeldAgainstTheWorldThoughARunIsOpen(t *testing.T) {
	l := openLab(t)
	platform := l.team("platform")
	l.join("ada", "bob")
	l.corp.group("eng", "ada")
	l.mapped("platform", "eng")
	saved := l.plan(t).Plan.Digest
	l.corp.group("eng", "ada", "bob")
	begun(t, l)
	_, _, err := reconcile.Slice(context.Background(), l.deps, "octo", reconcile.Budget{Digest: saved, Answered: true})
	if !errors.Is(err, reconcile.ErrMoved) {
		t.Errorf("err %v", err)
	}
	if got := members(platform); got != "" {
		t.Errorf("platform holds %q", got)
	}
}

func TestASavedPlanIsNotMadeAnewForATeamThatMoved(t *testing.T) {
	l := openLab(t)
	platform := l.team("platform", "ada")
	l.join("bob", "mallory")
	l.corp.group("eng", "ada")
	l.mapped("platform", "eng")
	l.mustSync(t)
	l.corp.group("eng", "ada", "bob")
	saved := l.plan(t).Plan.Digest
	r, more, err := reconcile.Slice(context.Background(), l.deps, "octo", reconcile.Budget{
		Digest: saved, Answered: true, Planned: func(*reconcile.Decision) { platform.Set("mallory", githubsim.Member) },
	})
	if err != nil || more || r.Skipped != 1 {
		t.Errorf("more %t, %+v, %v: what has moved is not in the plan that somebody saw", more, r, err)
	}
}

func TestASliceIsNotAnotherRead(t *testing.T) {
	l := openLab(t)
	platform, other := l.team("platform", "ada", "bob"), l.team("other", "ada")
	l.join("cy")
	l.corp.group("eng", "ada", "bob")
	l.corp.group("ops", "ada")
	l.mapped("platform", "eng")
	l.mapped("other", "ops")
	l.set(func(tg *reconcile.Target) { tg.Settings.RemovalReads = 2 })
	l.mustSync(t)
	l.corp.group("eng", "ada")
	l.corp.group("ops", "ada", "cy")
	begun(t, l)
	l.mustSync(t)
	if got, want := members(platform), "ada bob"; got != want {
		t.Errorf("platform holds %q after one read without bob, want %q", got, want)
	}
	if got, want := members(other), "ada cy"; got != want {
		t.Errorf("other holds %q, want %q", got, want)
	}
	l.clock.pass(time.Hour)
	l.mustSync(t)
	if got, want := members(platform), "ada"; got != want {
		t.Errorf("platform holds %q after the second, want %q", got, want)
	}
}

func TestAnInvitationGoesToTheAccountAndNotToItsOldLogin(t *testing.T) {
	l := openLab(t)
	platform := l.team("platform", "ada", "bob")
	l.corp.group("eng", "ada", "bob")
	l.mapped("platform", "eng")
	l.mustSync(t)
	l.org.RemoveMember("bob")
	l.clock.pass(time.Hour)
	l.mustSync(t)
	l.gh.World().User("bob").Rename("robert")
	l.gh.World().AddUser("bob") // a stranger takes the name
	l.set(func(tg *reconcile.Target) { tg.Settings.Reinvite = true })
	l.clock.pass(time.Hour)
	l.mustSync(t)
	if got := platform.Pending(); len(got) != 1 || got[0] != "robert" {
		t.Errorf("invited: %v, want robert", got)
	}
}
