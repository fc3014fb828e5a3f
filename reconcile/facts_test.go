package reconcile_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"musterline.example/directory"
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
			func(l *lab) {},
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
