package reconcile_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"musterline.example/directory"
	"musterline.example/guard"
	"musterline.example/internal/githubsim"
	"musterline.example/mapping"
	"musterline.example/reconcile"
)

func TestAFirstConnectionDoesNotEndWhileSomethingElseKeepsStrangers(t *testing.T) {
	for name, c := range map[string]struct{ trouble, mended func(l *lab) }{
		"the source cannot be read": {
			func(l *lab) { l.corp.fail = errors.New("503") },
			func(l *lab) { l.corp.fail = nil },
		},
		"the group is not there yet": {
			func(l *lab) { delete(l.corp.groups, "eng") },
			func(l *lab) { l.corp.group("eng", "ada") },
		},
		"somebody is not linked yet": {
			func(l *lab) { l.corp.user("new", directory.Active, ""); l.corp.group("eng", "ada", "new") },
			func(l *lab) { l.corp.group("eng", "ada") },
		},
		"several reads must agree": {
			func(l *lab) { l.set(func(tg *reconcile.Target) { tg.Settings.RemovalReads = 2 }) },
			func(*lab) {},
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := openLab(t)
			platform := l.team("platform", "ada", "eve", "joe")
			l.corp.group("eng", "ada")
			l.mapped("platform", "eng")
			c.trouble(l)
			l.mustSync(t)
			c.mended(l)
			l.clock.pass(time.Hour)
			l.mustSync(t)
			if got, want := members(platform), "ada eve joe"; got != want {
				t.Errorf("platform holds %q, want %q", got, want)
			}
			if got := objecting(l.plan(t)); !strings.Contains(got, "first_connection platform") {
				t.Errorf("objections: %s", got)
			}
		})
	}
}

func TestAGroupIsEmptiedWhereverItsMembersWere(t *testing.T) {
	for name, groups := range map[string]struct{ before, after []string }{
		"only in a group within it":               {[]string{"@sre"}, nil},
		"beside a group within it that was empty": {[]string{"ada", "bob", "@none"}, []string{"@none"}},
	} {
		t.Run(name, func(t *testing.T) {
			l := openLab(t)
			platform := l.team("platform", "ada", "bob")
			l.corp.group("sre", "ada", "bob")
			l.corp.group("none")
			l.corp.group("eng", groups.before...)
			l.mapped("platform", "eng")
			l.mustSync(t)
			l.corp.group("eng", groups.after...)
			for range 3 {
				l.clock.pass(48 * time.Hour)
				l.mustSync(t)
			}
			if got, want := members(platform), "ada bob"; got != want {
				t.Errorf("platform holds %q, want %q", got, want)
			}
			if got := objecting(l.plan(t)); !strings.Contains(got, "empty_group platform") {
				t.Errorf("objections: %s", got)
			}
		})
	}
}

// A change that a guard has stopped does not pass it later, when the size of a day ago is the small one already.
func TestGroupsThatHaveShrunkAreSeenForAsLongAsTheirLeaversWait(t *testing.T) {
	l := openLab(t)
	teams := make(map[string]*githubsim.Team)
	for _, name := range []string{"a", "b", "c", "d"} {
		teams[name] = l.team("team-"+name, name+"1", name+"2", name+"3")
		l.corp.group(name, name+"1", name+"2", name+"3")
		l.mapped("team-"+name, name)
	}
	l.mustSync(t)
	l.clock.pass(25 * time.Hour)
	l.mustSync(t)
	for _, name := range []string{"a", "b", "c"} {
		l.corp.group(name, name+"1", name+"2")
	}
	for range 4 {
		l.clock.pass(25 * time.Hour)
		if r := l.mustSync(t); r.Objected != 3 || r.Done != 0 {
			t.Fatalf("%+v; %s", r, objecting(l.plan(t)))
		}
	}
	l.approveAll(t, "they have left")
	l.clock.pass(time.Minute)
	if r := l.mustSync(t); r.Done != 3 {
		t.Errorf("%+v", r)
	}
	l.clock.pass(25 * time.Hour)
	l.corp.group("d", "d1", "d2")
	if r := l.mustSync(t); r.Done != 1 {
		t.Errorf("an ordinary day: %+v; %s", r, objecting(l.plan(t)))
	}
	if got, want := members(teams["a"])+" "+members(teams["d"]), "a1 a2 d1 d2"; got != want {
		t.Errorf("a and d hold %q, want %q", got, want)
	}
}

func TestASourceLooksTheSameForEveryTargetThatItFeeds(t *testing.T) {
	l := openLab(t)
	l.team("platform", "ada")
	l.corp.group("eng", "ada")
	l.corp.group("far", "bob", "cy")
	l.mapped("platform", "eng")
	l.deps.File["other"] = []mapping.Mapping{{ID: "file:9", Origin: mapping.FromFile, Target: "other", Team: "far", Source: "corp", Group: "far", Mode: mapping.Exclusive}}
	s := l.plan(t).World.Sources["corp"].Snapshot
	if g := s.Groups["far"]; !g.Read() {
		t.Error("a read for one target leaves out the groups of another: their sizes and the number of users jump from read to read")
	}
}

func TestTheGuardsOfATeamFollowItsRename(t *testing.T) {
	l := openLab(t)
	platform := l.team("platform", "ada", "bob")
	l.corp.group("eng", "ada", "bob")
	l.mapped("platform", "eng")
	l.set(func(tg *reconcile.Target) {
		tg.TeamGuards = map[string]guard.Settings{"platform": {TeamRemovals: guard.Limit{Max: 0, Percent: 1}}}
	})
	l.mustSync(t)
	platform.Rename("infrastructure")
	l.corp.group("eng", "ada")
	if r := l.mustSync(t); r.Objected != 1 {
		t.Errorf("%+v", r)
	}
}

func TestAChangeThatTwoWaiversLetPassCountsForNeitherGuard(t *testing.T) {
	l := openLab(t)
	l.team("platform", "ada", "bob")
	l.corp.group("eng", "ada", "bob")
	l.mapped("platform", "eng")
	l.mustSync(t)
	l.corp.group("eng", "ada")
	l.set(func(tg *reconcile.Target) { tg.Guards.TeamRemovalsSmall = guard.Limit{Percent: 1} })
	l.approveAll(t, "right")
	l.set(func(tg *reconcile.Target) { tg.Guards.SourceRemovals = guard.Limit{Percent: 1} })
	l.approveAll(t, "still right")
	l.mustSync(t)
	done, err := l.store.Recent(context.Background(), "octo", noon.Add(-time.Hour))
	if err != nil || len(done) != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	if got, want := strings.Join(done[0].Waived, " "), "team_removals source_removals"; got != want {
		t.Errorf("waived for %q, want %q", got, want)
	}
}
