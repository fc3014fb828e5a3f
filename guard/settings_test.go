package guard_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"musterline.example/guard"
	"musterline.example/plan"
	"musterline.example/team"
)

func TestTheGuardsAndTheirOrder(t *testing.T) {
	const want = "first_connection empty_group missing_group team_removals team_additions source_removals organization_removals source_shape " +
		"disabled_users lost_links mappings_lost stale_source approval protected foreign_writer"
	if got := strings.Join(guard.Names(), " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for _, g := range guard.All(guard.Settings{Off: []string{"approval"}}) {
		if g.Name() == "approval" {
			t.Error("approval is off and still there")
		}
	}
}

func TestAZeroFieldMeansTheDefault(t *testing.T) {
	got := guard.Settings{TeamRemovals: guard.Limit{Max: 50}, Protected: []string{"7"}}.Over(guard.Defaults)
	if got.TeamRemovals != (guard.Limit{Max: 50}) || got.EmptyGroup != guard.Hold || got.MissingGroup != 24*time.Hour || got.LostLinks != guard.Defaults.LostLinks {
		t.Errorf("%+v", got)
	}
	own := guard.Settings{EmptyGroup: guard.Apply, Protected: []string{"8"}, Off: []string{"approval"}}.Over(got)
	if own.TeamRemovals != got.TeamRemovals || own.EmptyGroup != guard.Apply || len(own.Protected) != 2 || len(own.Off) != 1 {
		t.Errorf("%+v", own)
	}
}

func TestSettingsNameEveryWordThatNoGuardUnderstands(t *testing.T) {
	if err := guard.Defaults.Validate(); err != nil {
		t.Error(err)
	}
	err := guard.Settings{FirstConnection: "aply", EmptyGroup: "hodl", Apply: "yes", Off: []string{"team_removal"}}.Validate()
	for _, word := range []string{"aply", "hodl", "yes", "team_removal"} {
		if err == nil || !strings.Contains(err.Error(), `"`+word+`"`) {
			t.Errorf("%v does not name %q", err, word)
		}
	}
}

func TestASlipOfTheHandHolds(t *testing.T) {
	w := firstConnectionWorld()
	w.settings.FirstConnection = "aply"
	w.says(t, "sre would lose 2 of 12 members at its first connection", "first_connection")
}

func TestAGuardIsSwitchedOffForOneTeam(t *testing.T) {
	w := teamRemovalsWorld()
	w.about("platform", func(f *guard.TeamFacts) { f.Settings = &guard.Settings{Off: []string{"team_removals"}} })
	w.silent(t)
	w.remove("web", 9, team.NotInGroup)
	w.says(t, "web would lose 9 of 40 members (limit 8)", "team_removals")
}

func TestATeamThatIsToBeMadeHasNoFacts(t *testing.T) {
	w := calm()
	w.facts.Teams[""] = guard.TeamFacts{Connected: true, Emptied: []string{"x"}, Settings: &guard.Settings{Apply: guard.ApplyApprove}}
	c := w.team("a team to be made", 0)
	c.Team, c.Create = "", &team.New{Name: c.Slug}
	for range 100 {
		c.Add = append(c.Add, plan.Change{Act: plan.Add, Account: team.AccountID(strings.Repeat("x", len(c.Add)+1))})
	}
	w.silent(t)
}

func TestTheWayOutQuotesNamesWithSpaces(t *testing.T) {
	w := teamRemovalsWorld()
	w.on("platform").Slug = "Platform team"
	_, objections := w.approve()
	if want := `musterline approve octo --team "Platform team" --reason TEXT`; !strings.Contains(objections[0].WayOut, want) {
		t.Errorf("%q does not say %q", objections[0].WayOut, want)
	}
}

// Who sets something for a team is offered what the team's guards hear, and nothing else.
func TestTheGuardsThatHearATeam(t *testing.T) {
	for _, name := range guard.Names() {
		w := worlds[name]()
		for id, f := range w.facts.Teams {
			f.Settings = &guard.Settings{Off: []string{name}}
			w.facts.Teams[id] = f
		}
		_, objections := w.approve()
		hears := !slices.Contains(objectors(objections), name)
		if said := slices.Contains(guard.TeamNames(), name); said != hears {
			t.Errorf("%s hears a team: %t, and is told of as if: %t", name, hears, said)
		}
	}
}
