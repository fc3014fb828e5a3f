package reconcile_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"musterline.example/directory"
	"musterline.example/guard"
	"musterline.example/internal/githubsim"
	"musterline.example/mapping"
	"musterline.example/plan"
	"musterline.example/reconcile"
)

func TestAfterASyncPlanningAgainGivesNothing(t *testing.T) {
	l := openLab(t)
	platform := l.team("platform", "ada", "+bob")
	l.join("cy", "dee")
	l.corp.group("eng", "ada", "cy", "@sre")
	l.corp.group("sre", "bob", "dee", "@eng")
	l.mapped("platform", "eng")
	if r := l.mustSync(t); r.Done != 2 || r.State != "done" {
		t.Errorf("%+v", r)
	}
	if got, want := members(platform), "ada +bob cy dee"; got != want {
		t.Errorf("platform holds %q, want %q", got, want)
	}
	if d := l.plan(t); !d.Plan.Empty() || len(d.Objections) > 0 {
		t.Errorf("left to do: %+v", d.Plan.Teams)
	}
	if r := l.mustSync(t); r.Done != 0 {
		t.Errorf("the second sync wrote %d times", r.Done)
	}
}

func TestTheFirstConnectionRemovesNobodyWithoutAPerson(t *testing.T) {
	l := openLab(t)
	platform := l.team("platform", "ada", "eve")
	l.join("cy")
	l.corp.group("eng", "ada", "cy")
	l.mapped("platform", "eng")
	if r := l.mustSync(t); r.Done != 1 || r.Objected != 1 || r.State != "objected" {
		t.Errorf("%+v", r)
	}
	if got, want := members(platform), "ada cy eve"; got != want {
		t.Fatalf("platform holds %q, want %q: the addition goes on, the removal waits", got, want)
	}
	if got, want := objecting(l.plan(t)), "first_connection platform"; got != want {
		t.Errorf("objections %q, want %q", got, want)
	}
	l.approveAll(t, "eve has changed teams")
	if r := l.mustSync(t); r.Done != 1 || r.State != "done" {
		t.Errorf("after the approval: %+v", r)
	}
	if got, want := members(platform), "ada cy"; got != want {
		t.Errorf("platform holds %q, want %q", got, want)
	}
	// Connected now: one more leaver is an ordinary day.
	l.corp.group("eng", "ada")
	if r := l.mustSync(t); r.Done != 1 || r.Objected != 0 {
		t.Errorf("an ordinary day: %+v", r)
	}
}

func TestAWaiverIsUsedUp(t *testing.T) {
	l := openLab(t)
	platform := l.team("platform", "ada", "eve")
	l.corp.group("eng", "ada")
	l.mapped("platform", "eng")
	l.mustSync(t)
	l.approveAll(t, "right")
	l.mustSync(t)
	l.set(func(tg *reconcile.Target) {
		tg.Guards.TeamRemovals, tg.Guards.TeamRemovalsSmall = guard.Limit{}, guard.Limit{Max: 0, Percent: 1}
	})
	platform.Set("eve", githubsim.Member) // drift
	if r := l.mustSync(t); r.Done != 0 || r.Objected != 1 {
		t.Errorf("the waiver of an earlier removal let a new one pass: %+v", r)
	}
}

func TestAnEmptiedGroupRemovesNobody(t *testing.T) {
	l := openLab(t)
	platform := l.team("platform", "ada", "bob")
	l.corp.group("eng", "ada", "bob")
	l.mapped("platform", "eng")
	l.mustSync(t)
	l.corp.group("eng")
	for range 3 {
		l.clock.pass(48 * time.Hour)
		if r := l.mustSync(t); r.Done != 0 || r.Objected != 2 {
			t.Errorf("%+v", r)
		}
	}
	if got, want := members(platform), "ada bob"; got != want {
		t.Errorf("platform holds %q, want %q", got, want)
	}
	if got := objecting(l.plan(t)); !strings.Contains(got, "empty_group platform") {
		t.Errorf("objections: %s", got)
	}
}

func TestAMissingGroupRemovesNobodyForADayAndTwoReads(t *testing.T) {
	l := openLab(t)
	platform := l.team("platform", "ada", "bob")
	l.corp.group("eng", "ada")
	l.corp.group("ops", "bob")
	l.mapped("platform", "eng", "ops")
	l.mustSync(t)
	delete(l.corp.groups, "ops")
	l.clock.pass(time.Minute)
	l.mustSync(t)
	l.clock.pass(23 * time.Hour)
	l.mustSync(t)
	if got, want := members(platform), "ada bob"; got != want {
		t.Fatalf("platform holds %q within a day, want %q", got, want)
	}
	l.clock.pass(2 * time.Hour)
	if r := l.mustSync(t); r.Done != 1 {
		t.Errorf("after a day: %+v; %+v", r, l.plan(t).Objections)
	}
	if got, want := members(platform), "ada"; got != want {
		t.Errorf("platform holds %q, want %q", got, want)
	}
}

func TestOneReadIsNotEnoughForAMissingGroupHoweverLongAgoTheLastWas(t *testing.T) {
	l := openLab(t)
	platform := l.team("platform", "ada", "bob")
	l.corp.group("eng", "ada")
	l.corp.group("ops", "bob")
	l.mapped("platform", "eng", "ops")
	l.mustSync(t)
	delete(l.corp.groups, "ops")
	l.clock.pass(72 * time.Hour)
	l.mustSync(t)
	if got, want := members(platform), "ada bob"; got != want {
		t.Errorf("platform holds %q after one read without the group, want %q", got, want)
	}
}

func TestWhoHasLeftTheOrganizationIsInvitedAgainOnlyWhenAsked(t *testing.T) {
	l := openLab(t)
	platform := l.team("platform", "ada", "bob")
	l.corp.group("eng", "ada", "bob")
	l.mapped("platform", "eng")
	l.mustSync(t)
	l.org.RemoveMember("bob")
	for range 2 {
		l.clock.pass(time.Hour)
		l.mustSync(t)
	}
	if got := platform.Pending(); len(got) > 0 {
		t.Fatalf("invited without being asked to: %v", got)
	}
	l.set(func(tg *reconcile.Target) { tg.Settings.Reinvite = true })
	l.clock.pass(time.Hour)
	l.mustSync(t)
	if got := platform.Pending(); len(got) != 1 || got[0] != "bob" {
		t.Fatalf("pending: %v, want bob", got)
	}
	for range 3 {
		l.clock.pass(time.Hour)
		if r := l.mustSync(t); r.Done != 0 {
			t.Errorf("invited again while the invitation stands: %+v", r)
		}
	}
	l.clock.pass(8 * 24 * time.Hour) // it has expired
	l.mustSync(t)
	if got := platform.Pending(); len(got) > 0 {
		t.Errorf("invited again at once: %v", got)
	}
	l.clock.pass(15 * 24 * time.Hour)
	l.mustSync(t)
	if got := platform.Pending(); len(got) != 1 {
		t.Errorf("not invited again after twice the time: %v", got)
	}
}

func TestAProtectedLoginMeansTheAccountItMeantAtFirst(t *testing.T) {
	l := openLab(t)
	platform := l.team("platform", "ada", "robot")
	l.corp.group("eng", "ada")
	l.mapped("platform", "eng")
	l.set(func(tg *reconcile.Target) { tg.Protected, tg.Guards.Off = []string{"Robot"}, guard.Names() })
	l.mustSync(t)
	l.gh.World().User("robot").Rename("automaton")
	l.team("other", "robot") // somebody else has taken the name
	platform.Set("robot", githubsim.Member)
	l.mustSync(t)
	if got, want := members(platform), "ada automaton"; got != want {
		t.Errorf("platform holds %q, want %q: the account is protected, not whoever has its old login", got, want)
	}
}

func TestDriftIsNamedAndPutRight(t *testing.T) {
	l := openLab(t)
	platform := l.team("platform", "ada", "bob")
	l.corp.group("eng", "ada", "bob")
	l.corp.group("other", "eve")
	l.mapped("platform", "eng")
	l.mustSync(t)
	l.join("eve")
	platform.Set("eve", githubsim.Member)
	platform.Remove("bob")
	var reasons []string
	for _, ch := range l.plan(t).Plan.Teams[0].Changes() {
		reasons = append(reasons, ch.Login+" "+string(ch.Why[len(ch.Why)-1].Rule))
	}
	if got, want := strings.Join(reasons, "; "), "bob drift: removed by hand, author unknown; eve drift: added by hand, author unknown"; got != want {
		t.Errorf("reasons: %s\n   want: %s", got, want)
	}
	l.mustSync(t)
	if got, want := members(platform), "ada bob"; got != want {
		t.Errorf("platform holds %q, want %q", got, want)
	}
}

func TestWhoDeclinesIsNotInvitedAgain(t *testing.T) {
	l := openLab(t)
	platform := l.team("platform", "ada", "bob")
	l.corp.group("eng", "ada", "bob")
	l.mapped("platform", "eng")
	l.set(func(tg *reconcile.Target) { tg.Settings.Reinvite = true })
	l.mustSync(t)
	l.org.RemoveMember("bob")
	for range 2 {
		l.clock.pass(time.Hour)
		l.mustSync(t)
	}
	if got := platform.Pending(); len(got) != 1 {
		t.Fatalf("pending: %v, want bob", got)
	}
	cancel := httptest.NewRequest(http.MethodDelete, "/orgs/octo-org/memberships/bob", nil) // an owner cancels it
	cancel.Header.Set("Authorization", "Bearer ghp_bossToken")
	l.gh.ServeHTTP(httptest.NewRecorder(), cancel)
	if got := platform.Pending(); len(got) > 0 {
		t.Fatalf("still pending: %v", got)
	}
	for range 4 {
		l.clock.pass(5 * 24 * time.Hour)
		l.mustSync(t)
	}
	l.clock.pass(300 * 24 * time.Hour)
	l.mustSync(t)
	if got := platform.Pending(); len(got) > 0 {
		t.Errorf("invited again after the refusal: %v", got)
	}
}

func TestAFailedSourceRemovesNobody(t *testing.T) {
	l := openLab(t)
	platform := l.team("platform", "ada", "bob")
	l.corp.group("eng", "ada", "bob")
	l.mapped("platform", "eng")
	l.mustSync(t)
	l.corp.fail = errors.New("read group eng: page 3: 503 Service Unavailable")
	r := l.mustSync(t)
	if r.Done != 0 || len(r.Unread) != 1 || !strings.Contains(r.Unread[0], "page 3") {
		t.Errorf("%+v", r)
	}
	if got, want := members(platform), "ada bob"; got != want {
		t.Errorf("platform holds %q, want %q", got, want)
	}
}

func TestALoginThatChangedHandsAddsNobody(t *testing.T) {
	l := openLab(t)
	platform, leads := l.team("platform", "ada"), l.team("leads")
	l.corp.group("eng", "ada")
	l.mapped("platform", "eng")
	l.mustSync(t)
	l.org.RemoveMember("ada")
	l.gh.World().User("ada").Rename("ada-gone")
	l.join("ada") // somebody else has taken the name
	l.mapped("leads", "eng")
	l.mustSync(t)
	if got := members(platform) + members(leads); got != "" {
		t.Errorf("the stranger got in: %q", got)
	}
}

func TestARenamedAccountStaysWhoTheyAre(t *testing.T) {
	l := openLab(t)
	platform := l.team("platform", "ada")
	l.corp.group("eng", "ada")
	l.mapped("platform", "eng")
	l.mustSync(t)
	l.gh.World().User("ada").Rename("countess")
	if r := l.mustSync(t); r.Done != 0 {
		t.Errorf("%+v", r)
	}
	if got, want := members(platform), "countess"; got != want {
		t.Errorf("platform holds %q, want %q", got, want)
	}
}

func TestATeamRenamedBetweenPlanAndApplyIsKeptByItsID(t *testing.T) {
	l := openLab(t)
	platform := l.team("platform")
	l.join("ada")
	l.corp.group("eng", "ada")
	l.mapped("platform", "eng")
	l.mustSync(t)
	l.join("bob")
	l.corp.group("eng", "ada", "bob")
	_, _, err := reconcile.Slice(context.Background(), l.deps, "octo", reconcile.Budget{Planned: func(*reconcile.Decision) { platform.Rename("infrastructure") }})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := members(platform), "ada bob"; got != want {
		t.Errorf("the renamed team holds %q, want %q", got, want)
	}
	l.team("platform", "eve") // the name is free, and somebody takes it
	if r := l.mustSync(t); r.Done != 0 || r.Objected != 0 {
		t.Errorf("a new team of the old name was taken for it: %+v", r)
	}
}

func TestMembersOfChildTeamsAreNoMembers(t *testing.T) {
	l := openLab(t)
	parent := l.team("engineering", "ada")
	l.team("platform", "bob").SetParent(parent)
	l.corp.group("eng", "ada")
	l.mapped("engineering", "eng")
	d := l.plan(t)
	if len(d.Plan.Refused) != 1 || d.Plan.Refused[0].Reason != string(mapping.ParentTeam) || !strings.Contains(d.Plan.Refused[0].Message, "platform") {
		t.Errorf("refused: %+v", d.Plan.Refused)
	}
	l.set(func(tg *reconcile.Target) { tg.Settings.ParentTeams = true })
	if d := l.plan(t); !d.Plan.Empty() {
		t.Errorf("the child's member is taken for one of the parent: %+v", d.Plan.Teams)
	}
}

func TestACrashedIntentIsClosedByTheNextRun(t *testing.T) {
	l := openLab(t)
	platform := l.team("platform")
	l.join("ada", "bob")
	l.corp.group("eng", "ada", "bob")
	l.mapped("platform", "eng")
	cut := l.gh.Inject(githubsim.Fault{Method: "PUT", Times: 1, Drop: githubsim.DropAnswer}) // it takes effect, and nobody hears of it
	r, err := l.sync()
	if err != nil {
		t.Logf("the run with the cut: %v", err)
	}
	if cut.Struck() == 0 {
		t.Fatal("no answer was cut")
	}
	t.Logf("%+v", r)
	l.mustSync(t)
	if got, want := members(platform), "ada bob"; got != want {
		t.Errorf("platform holds %q, want %q", got, want)
	}
	open, err := l.store.OpenIntents(context.Background(), "octo")
	if err != nil || len(open) > 0 {
		t.Errorf("left open: %+v, %v", open, err)
	}
	if _, err := l.store.Verify(context.Background()); err != nil {
		t.Errorf("audit: %v", err)
	}
}

func TestPausedAndOffWriteNothing(t *testing.T) {
	l := openLab(t)
	platform := l.team("platform")
	l.join("ada")
	l.corp.group("eng", "ada")
	l.mapped("platform", "eng")
	l.set(func(tg *reconcile.Target) { tg.Applies = guard.ApplyOff })
	if r := l.mustSync(t); r.State != "off" || r.Summary.Add != 1 {
		t.Errorf("apply: off: %+v", r)
	}
	l.set(func(tg *reconcile.Target) { tg.Applies = guard.ApplyAuto })
	if err := l.store.Pause(context.Background(), "octo", reconcile.Pause{By: "ada", Reason: "look first", At: noon}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.sync(); !errors.Is(err, reconcile.ErrPaused) || !strings.Contains(err.Error(), "look first") {
		t.Errorf("paused: %v", err)
	}
	if got := members(platform); got != "" {
		t.Errorf("platform holds %q", got)
	}
}

func TestUndoTakesARunBackAndPauses(t *testing.T) {
	l := openLab(t)
	platform := l.team("platform", "ada", "+bob")
	l.join("cy")
	l.corp.group("eng", "ada", "bob")
	l.mapped("platform", "eng")
	l.mustSync(t)
	l.corp.group("eng", "ada", "cy")
	r := l.mustSync(t)
	if got, want := members(platform), "ada cy"; got != want {
		t.Fatalf("platform holds %q, want %q", got, want)
	}
	undone, err := reconcile.Undo(context.Background(), l.deps, "octo", r.Run, reconcile.Budget{Run: reconcile.Run{Requester: "ada"}})
	if err != nil || undone.Done != 2 {
		plan, _ := l.store.LastPlan(context.Background(), "octo")
		t.Fatalf("%+v, %v: %+v", undone, err, plan.Objections)
	}
	if got, want := members(platform), "ada +bob"; got != want {
		t.Errorf("platform holds %q, want %q", got, want)
	}
	if _, err := l.sync(); !errors.Is(err, reconcile.ErrPaused) || !strings.Contains(err.Error(), r.Run) {
		t.Errorf("not paused with the run as the reason: %v", err)
	}
	if _, err := reconcile.Undo(context.Background(), l.deps, "octo", r.Run, reconcile.Budget{}); !errors.Is(err, reconcile.ErrNothingToUndo) {
		t.Errorf("undone twice: %v", err)
	}
}

func TestAPlanIsAppliedExactlyOrNotAtAll(t *testing.T) {
	l := openLab(t)
	platform := l.team("platform")
	l.join("ada", "bob")
	l.corp.group("eng", "ada")
	l.mapped("platform", "eng")
	shown := l.plan(t).Plan.Digest
	l.corp.group("eng", "ada", "bob")
	if _, _, err := reconcile.Slice(context.Background(), l.deps, "octo", reconcile.Budget{Digest: shown}); !errors.Is(err, reconcile.ErrMoved) {
		t.Errorf("error %v", err)
	}
	if got := members(platform); got != "" {
		t.Errorf("platform holds %q", got)
	}
}

func TestRemovingATeamFromTheFileTakesWhomItBroughtAndNobodyElse(t *testing.T) {
	l := openLab(t)
	platform := l.team("platform", "ada")
	l.join("bob")
	l.corp.group("eng", "ada", "bob")
	l.mapped("platform", "eng")
	l.mustSync(t)
	l.deps.File["octo"] = nil
	d := l.plan(t)
	if len(d.Plan.Teams) != 1 || !d.Plan.Teams[0].Unmapped || len(d.Plan.Teams[0].Remove) != 2 {
		t.Fatalf("%+v", d.Plan.Teams)
	}
	platform.Set("boss", githubsim.Maintainer) // by hand, after the team left the file: not ours
	l.mustSync(t)
	if got, want := members(platform), "+boss"; got != want {
		t.Errorf("platform holds %q, want %q", got, want)
	}
	if d := l.plan(t); len(d.Plan.Teams) != 0 {
		t.Errorf("the team does not leave the plan: %+v", d.Plan.Teams)
	}
}

func TestARuleCreatesATeamOnceAndItsCreatorDoesNotStay(t *testing.T) {
	l := openLab(t)
	l.join("ada")
	l.corp.group("gh-data", "ada")
	l.deps.Rules = []mapping.Rule{{ID: "rule:1", Source: "corp", Match: "gh-*", Target: "octo", Team: `{{ trimPrefix "gh-" .Group.Name }}`, Create: true, Mode: mapping.Exclusive}}
	l.mustSync(t)
	data := l.org.Team("data")
	if data == nil {
		t.Fatal("no team was created")
	}
	if got, want := members(data), "ada"; got != want {
		t.Errorf("data holds %q, want %q", got, want)
	}
	if d := l.plan(t); !d.Plan.Empty() {
		t.Errorf("left to do: %+v", d.Plan.Teams)
	}
	g := l.corp.groups["gh-data"]
	g.Name = "gh-analytics"
	l.corp.groups["gh-data"] = g
	l.mustSync(t)
	if n := len(l.org.Teams()); n != 1 {
		t.Errorf("%d teams: a renamed group created another one", n)
	}
}

func TestAStormOfDisabledUsersIsHeldInEveryLaterRunToo(t *testing.T) {
	l := openLab(t)
	names := []string{"a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8"}
	for i := range 4 {
		l.team("team-"+string(rune('a'+i)), names[2*i:2*i+2]...)
		l.corp.group("g"+string(rune('a'+i)), names[2*i:2*i+2]...)
		l.mapped("team-"+string(rune('a'+i)), "g"+string(rune('a'+i)))
	}
	l.mustSync(t)
	for _, n := range names {
		l.corp.user(n, directory.Disabled, n)
	}
	for range 3 {
		if r := l.mustSync(t); r.Done != 0 || r.Objected != 8 {
			t.Fatalf("%+v", r)
		}
		l.clock.pass(time.Hour)
	}
	if got := objecting(l.plan(t)); !strings.Contains(got, "disabled_users corp") {
		t.Errorf("objections: %s", got)
	}
}

func TestEveryWriteHasItsReason(t *testing.T) {
	l := openLab(t)
	l.team("platform")
	l.join("ada")
	l.corp.group("eng", "@sre")
	l.corp.group("sre", "ada")
	l.mapped("platform", "eng")
	r := l.mustSync(t)
	writes, err := l.store.RunWrites(context.Background(), r.Run)
	if err != nil || len(writes) != 1 {
		t.Fatalf("%+v, %v", writes, err)
	}
	if w := writes[0]; w.Act != string(plan.Add) || w.Login != "ada" || w.User != "corp/ada" || len(w.Mappings) != 1 || w.Mappings[0] != "corp/eng" {
		t.Errorf("%+v", w)
	}
}
