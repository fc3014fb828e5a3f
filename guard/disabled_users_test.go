package guard_test

import (
	"fmt"
	"testing"

	"musterline.example/guard"
	"musterline.example/team"
)

// The status is read from the wrong attribute: 60 people of 1,000 turn inactive, three in each of twenty teams.
func disabledUsersWorld() *world {
	w := calm()
	for i := range 20 {
		slug := fmt.Sprintf("team-%02d", i)
		w.team(slug, 40)
		w.remove(slug, 3, team.UserDisabled)
	}
	w.source(func(f *guard.SourceFacts) { f.Disabled = 60 })
	return w
}

func TestDisabledUsersHoldsAStorm(t *testing.T) {
	w := disabledUsersWorld()
	const message = "corp: 60 of 1,000 users turned inactive at once (limit 50); 60 removals would follow"
	w.says(t, message, "disabled_users")
	w.source(func(f *guard.SourceFacts) { f.Disabled = 0 }) // the next read shows no jump, and they wait still
	w.says(t, message, "disabled_users")
}

func TestDisabledUsersStopsNobodyElse(t *testing.T) {
	w := disabledUsersWorld()
	w.remove("web", 2, team.NotInGroup)
	if a, _ := w.approve(); len(refs(a.Plan())) != 2 {
		t.Errorf("approved %v; want who left a group", refs(a.Plan()))
	}
}

func TestDisabledUsersCountsPeopleAndNotMemberships(t *testing.T) {
	w := calm()
	w.source(func(f *guard.SourceFacts) {
		f.Now.Users, f.Now.Linked, f.Now.Active, f.Disabled = 40, 40, 40, 1
		f.History = []guard.Shape{f.Now, f.Now}
	})
	w.remove("platform", 1, team.UserDisabled)
	for _, slug := range []string{"a", "b", "c"} {
		w.team(slug, 40)
		w.remove(slug, 1, team.UserDisabled)
		w.on(slug).Remove[0].User = "corp/platform-100"
	}
	w.silent(t)
}

func TestDisabledUsersLetsTwoOfAFewGo(t *testing.T) {
	w := calm()
	w.source(func(f *guard.SourceFacts) {
		f.Now.Users, f.Now.Linked, f.Now.Active = 10, 10, 10
		f.History = []guard.Shape{f.Now, f.Now}
	})
	w.remove("platform", 2, team.UserDisabled)
	w.silent(t)
	w.remove("platform", 1, team.UserDisabled)
	w.says(t, "corp: 3 of 10 users turned inactive at once (limit 2); 3 removals would follow", "disabled_users")
}
