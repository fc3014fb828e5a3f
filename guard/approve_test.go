package guard_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"musterline.example/guard"
	"musterline.example/plan"
	"musterline.example/team"
)

func (w *world) under(waivers ...guard.Waiver) (guard.Approved, []guard.Objection) {
	return guard.Approve(w.plan, w.facts, guard.All(w.settings), waivers)
}

// waive waives what is objected to now.
func (w *world) waive(choose guard.Filter) guard.Waiver {
	_, objections := w.under()
	waiver := guard.WaiverFor(w.plan, objections, choose, "ops@example.com", "they have moved", now)
	waiver.ID = "w1"
	return waiver
}

func TestTheZeroApprovedHoldsNoPlan(t *testing.T) {
	if a, objections := guard.Approve(nil, guard.Facts{}, guard.All(guard.Settings{}), nil); a.Plan() != nil || objections != nil {
		t.Error("something came of nothing")
	}
	if (guard.Approved{}).Plan() != nil {
		t.Error("the zero value can be applied")
	}
}

func TestApprovedIsACopy(t *testing.T) {
	w := calm()
	w.remove("platform", 2, team.NotInGroup)
	w.plan.Held = []plan.Held{{User: "corp/joe"}}
	a, _ := w.under()
	if a.Plan().Digest != "d1" || !a.At().Equal(now) || len(a.Plan().Held) != 1 {
		t.Errorf("%+v at %v", a.Plan(), a.At())
	}
	if len(a.Plan().Teams) != 1 {
		t.Errorf("teams without changes are approved: %+v", a.Plan().Teams)
	}
	w.on("platform").Remove[0].Account = "somebody else"
	w.plan.Held[0].User = "somebody else"
	if a.Plan().Teams[0].Remove[0].Account != "platform-100" || a.Plan().Held[0].User != "corp/joe" {
		t.Error("changing the plan changes what was approved")
	}
}

func TestAnObjectionStopsWhatItNamesAndNoMore(t *testing.T) {
	w := teamRemovalsWorld()
	w.add("platform", 2)
	w.remove("web", 1, team.NotInGroup)
	a, objections := w.under()
	if got := a.Plan().Summary(); got.Add != 2 || got.Remove != 1 {
		t.Errorf("approved %+v", got)
	}
	if n := guard.Count(objections); n != 9 {
		t.Errorf("%d changes are objected to; want 9", n)
	}
}

func TestAWaiverLetsItsChangesPass(t *testing.T) {
	w := teamRemovalsWorld()
	waiver := w.waive(guard.Filter{})
	a, objections := w.under(waiver)
	if len(objections) > 0 || len(refs(a.Plan())) != 9 {
		t.Fatalf("%+v", objections)
	}
	if diff := cmp.Diff([]guard.Waiver{waiver}, a.Waivers()); diff != "" {
		t.Errorf("waivers used:\n%s", diff)
	}

	// A rename does not break it, and the next plan may differ otherwise.
	w.on("platform").Slug = "platform-engineering"
	w.plan.Digest = "d2"
	if _, objections := w.under(waiver); len(objections) > 0 {
		t.Errorf("a rename brought back %+v", objections)
	}

	// Part of it is done or no longer wanted: the rest holds.
	w.on("platform-engineering").Remove = w.on("platform-engineering").Remove[:4]
	if a, _ := w.under(waiver); len(a.Waivers()) != 1 || len(a.Waivers()[0].Changes) != 4 {
		t.Errorf("waivers used: %+v", a.Waivers())
	}
}

func TestAWaiverIsForItsChangesTargetAndTime(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*guard.Waiver)
		free   bool
	}{
		"as it is":          {func(*guard.Waiver) {}, true},
		"72 hours":          {func(w *guard.Waiver) { w.At = now.Add(-72 * time.Hour) }, true},
		"too old":           {func(w *guard.Waiver) { w.At = now.Add(-72*time.Hour - time.Second) }, false},
		"another target":    {func(w *guard.Waiver) { w.Target = "hexa" }, false},
		"another guard":     {func(w *guard.Waiver) { w.Changes[0].Guards = []string{"empty_group"} }, false},
		"another account":   {func(w *guard.Waiver) { w.Changes[0].Account = "x" }, false},
		"another act":       {func(w *guard.Waiver) { w.Changes[0].Act = plan.Cancel }, false},
		"another team":      {func(w *guard.Waiver) { w.Changes[0].Team = "Tweb" }, false},
		"nobody's changes":  {func(w *guard.Waiver) { w.Changes = nil }, false},
		"more guards still": {func(w *guard.Waiver) { w.Changes[0].Guards = append(w.Changes[0].Guards, "empty_group") }, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := calm()
			w.remove("platform", 1, team.NotInGroup)
			w.about("platform", func(f *guard.TeamFacts) { f.Connected = false; f.Known = nil })
			waiver := w.waive(guard.Filter{})
			c.change(&waiver)
			if a, _ := w.under(waiver); (len(refs(a.Plan())) == 1) != c.free {
				t.Errorf("approved %v; want free: %t", refs(a.Plan()), c.free)
			}
		})
	}
}

func TestAGuardThatObjectsOnlyLaterIsNotWaived(t *testing.T) {
	w := teamRemovalsWorld()
	waiver := w.waive(guard.Filter{})
	w.about("platform", func(f *guard.TeamFacts) { f.Emptied = []string{"corp/sre"} })
	a, objections := w.under(waiver)
	if got := objectors(objections); !slices.Equal(got, []string{"empty_group"}) || len(refs(a.Plan())) != 0 {
		t.Errorf("%v object, approved %v", got, refs(a.Plan()))
	}
	if len(a.Waivers()) > 0 {
		t.Error("a waiver counts as used for changes that are stopped")
	}
}

func TestAWaivedChangeCountsForNothing(t *testing.T) {
	w := teamRemovalsWorld()
	waiver := w.waive(guard.Filter{}) // of 9
	w.remove("platform", 8, team.NotInGroup)
	if _, objections := w.under(waiver); len(objections) > 0 {
		t.Errorf("8 more are within the limit: %+v", objections)
	}
	w.remove("platform", 1, team.NotInGroup)
	a, objections := w.under(waiver)
	if guard.Count(objections) != 9 || len(refs(a.Plan())) != 9 {
		t.Errorf("%d are stopped and %d approved; want the waived 9 to pass and the other 9 to wait", guard.Count(objections), len(refs(a.Plan())))
	}

	// Nor does it once it is done.
	w = calm()
	w.remove("platform", 3, team.NotInGroup)
	w.done("platform", 9, plan.Remove, "team_removals")
	w.silent(t)
	w.facts.Recent[0].Waived = []string{"empty_group"}
	w.facts.Recent[1].Waived = nil
	w.silent(t)
	for i := range 4 {
		w.facts.Recent[i].Waived = nil
	}
	w.facts.Recent[4].Waived, w.facts.Recent[5].Waived = nil, nil
	if _, objections := w.under(); guard.Count(objections) != 3 {
		t.Errorf("6 done and 3 planned are 9: %+v", objections)
	}
}

func TestAWaiverIsChosenByTeamAndGuard(t *testing.T) {
	w := teamRemovalsWorld()
	w.about("platform", func(f *guard.TeamFacts) { f.Emptied = []string{"corp/sre"} })
	w.remove("web", 10, team.NotInGroup)
	all := w.waive(guard.Filter{})
	if len(all.Changes) != 19 || !slices.Equal(all.Changes[0].Guards, []string{"empty_group", "team_removals"}) {
		t.Fatalf("%+v", all)
	}
	one := all.Changes[3].Ref
	for name, c := range map[string]struct {
		choose guard.Filter
		want   int
	}{
		"by slug":           {guard.Filter{Teams: []string{"platform"}}, 9},
		"by id":             {guard.Filter{Teams: []string{"Tweb"}}, 10},
		"by guard":          {guard.Filter{Guards: []string{"empty_group"}}, 9},
		"by another guard":  {guard.Filter{Guards: []string{"team_removals"}}, 19},
		"by both":           {guard.Filter{Teams: []string{"web"}, Guards: []string{"empty_group"}}, 0},
		"exactly":           {guard.Filter{Changes: []guard.Ref{one}}, 1},
		"no such team":      {guard.Filter{Teams: []string{"nobody"}}, 0},
		"what is not there": {guard.Filter{Changes: []guard.Ref{{Team: "Tx", Account: "y", Act: plan.Add}}}, 0},
	} {
		waiver := w.waive(c.choose)
		if len(waiver.Changes) != c.want {
			t.Errorf("%s: %d changes; want %d", name, len(waiver.Changes), c.want)
		}
		// The filter chooses changes; the waiver answers every objection to them.
		if a, _ := w.under(waiver); len(refs(a.Plan())) < len(waiver.Changes) {
			t.Errorf("%s: %d of %d pass", name, len(refs(a.Plan())), len(waiver.Changes))
		}
	}
}

func TestNobodyWaivesAheadOfAnObjection(t *testing.T) {
	w := calm()
	w.remove("platform", 3, team.NotInGroup)
	if waiver := w.waive(guard.Filter{}); len(waiver.Changes) > 0 {
		t.Errorf("%+v", waiver)
	}
}

// TestAFirstDayAtALargeCompany is an organization where 40 teams lose somebody at their first connection, six of them more than their share, and
// the source more than its own: all objections come at once, and one waiver answers them all.
func TestAFirstDayAtALargeCompany(t *testing.T) {
	w := &world{plan: &plan.Plan{Target: "octo"}, facts: calm().facts}
	w.source(func(f *guard.SourceFacts) { f.Memberships = 2100 })
	for i := range 40 {
		slug, members, leavers := fmt.Sprintf("team-%02d", i), 30, 2
		if i < 6 {
			leavers = 7
		}
		if i == 39 {
			leavers = 5
		}
		w.team(slug, members)
		w.remove(slug, leavers, team.NotInGroup)
		w.add(slug, 3)
		w.about(slug, func(f *guard.TeamFacts) { f.Connected, f.Known = false, nil })
	}
	a, objections := w.under()
	count := make(map[string]int)
	for _, o := range objections {
		count[o.Guard]++
	}
	if want := map[string]int{"first_connection": 40, "team_removals": 6, "source_removals": 1}; !cmp.Equal(count, want) {
		t.Errorf("objections %v; want %v", count, want)
	}
	if last := objections[len(objections)-1]; last.Message != "corp: 113 removals of 2,100 memberships (limit 105)" {
		t.Error(last.Message)
	}
	if s := a.Plan().Summary(); s.Add != 120 || s.Remove != 0 {
		t.Errorf("approved %+v; want the additions", s)
	}
	a, objections = w.under(w.waive(guard.Filter{}))
	if s := a.Plan().Summary(); len(objections) > 0 || s.Remove != 113 || s.Add != 120 {
		t.Errorf("after one waiver: %+v, approved %+v", objections, s)
	}
}

// random draws a world with a bit of everything, and waivers of some of it.
func random(t *rapid.T) (*world, []guard.Waiver) {
	w := calm()
	rules := []team.Rule{team.NotInGroup, team.UserDisabled, team.LinkRevoked, team.TeamUnmapped, team.GroupMissing}
	for i := range rapid.IntRange(0, 4).Draw(t, "teams") {
		slug := fmt.Sprintf("team-%d", i)
		c := w.team(slug, rapid.IntRange(0, 30).Draw(t, "members"))
		c.Sources = rapid.SampledFrom([][]string{{"corp"}, {"people"}, {"corp", "people"}, nil}).Draw(t, "sources")
		c.Unmapped = rapid.Bool().Draw(t, "unmapped")
		for range rapid.IntRange(0, 3).Draw(t, "kinds") {
			w.remove(slug, rapid.IntRange(0, 12).Draw(t, "leavers"), rapid.SampledFrom(rules).Draw(t, "rule"))
		}
		w.add(slug, rapid.SampledFrom([]int{0, 1, 5, 40}).Draw(t, "newcomers"))
		w.about(slug, func(f *guard.TeamFacts) {
			f.Connected = rapid.Bool().Draw(t, "connected")
			if rapid.Bool().Draw(t, "strangers") {
				f.Known = nil
			}
			f.Emptied = rapid.SampledFrom([][]string{nil, nil, {"corp/g"}}).Draw(t, "emptied")
			f.Missing = rapid.SampledFrom([][]guard.MissingGroup{nil, nil, {{Name: "corp/h", Since: now, Reads: 1}}}).Draw(t, "missing")
		})
		if rapid.IntRange(0, 4).Draw(t, "new") == 0 {
			c := w.on(slug)
			c.Team, c.Create, c.Remove = "", &team.New{Name: slug}, nil
		}
		w.done(slug, rapid.IntRange(0, 6).Draw(t, "done"), plan.Remove)
	}
	w.settings.Apply = rapid.SampledFrom([]string{"", guard.ApplyApprove}).Draw(t, "apply")
	w.facts.MappingsLost = rapid.IntRange(0, 6).Draw(t, "lost")
	if rapid.Bool().Draw(t, "people") {
		w.facts.Sources["people"] = guard.SourceFacts{ReadAt: now.Add(-time.Duration(rapid.IntRange(0, 200).Draw(t, "age")) * time.Hour)}
	}
	_, objections := w.under()
	var waivers []guard.Waiver
	for range rapid.IntRange(0, 2).Draw(t, "waivers") {
		choose := guard.Filter{
			Teams:  rapid.SampledFrom([][]string{nil, {"team-0"}, {"team-1", "team-2"}}).Draw(t, "choose teams"),
			Guards: rapid.SampledFrom([][]string{nil, {"team_removals"}, {"first_connection"}}).Draw(t, "choose guards"),
		}
		waiver := guard.WaiverFor(w.plan, objections, choose, "ops", "yes", now.Add(-time.Duration(rapid.IntRange(0, 100).Draw(t, "waived"))*time.Hour))
		if rapid.Bool().Draw(t, "half") {
			waiver.Changes = waiver.Changes[:len(waiver.Changes)/2]
		}
		waivers = append(waivers, waiver)
	}
	return w, waivers
}

func TestApprovedAndObjectedAreThePlan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, waivers := random(t)
		before := fmt.Sprintf("%+v", w.plan)
		a, objections := w.under(waivers...)
		if after := fmt.Sprintf("%+v", w.plan); after != before {
			t.Fatal("the plan was changed")
		}
		stopped := guard.Stopped(objections)
		planned, approved := refs(w.plan), refs(a.Plan())
		for _, r := range approved {
			if by := stopped[r]; len(by) > 0 {
				t.Fatalf("%v is approved and stopped by %v", r, by)
			}
		}
		for _, r := range planned {
			if len(stopped[r]) == 0 && !slices.Contains(approved, r) {
				t.Fatalf("%v is neither approved nor stopped", r)
			}
			delete(stopped, r)
		}
		for r := range stopped {
			if r.Act != guard.Creation {
				t.Fatalf("%v is stopped and not planned", r)
			}
		}
		for _, c := range a.Plan().Teams {
			if c.Empty() {
				t.Fatalf("%s is approved with nothing to do", c.Slug)
			}
		}
		again, same := w.under(waivers...)
		if diff := cmp.Diff(objections, same) + cmp.Diff(a.Plan(), again.Plan()); diff != "" {
			t.Fatalf("asked twice:\n%s", diff)
		}
	})
}

func TestAWaiverOfEverythingLeavesNoObjection(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, _ := random(t)
		_, objections := w.under()
		waiver := guard.WaiverFor(w.plan, objections, guard.Filter{}, "ops", "yes", now)
		a, left := w.under(waiver)
		if guard.Count(left) > 0 {
			t.Fatalf("%+v", left)
		}
		if len(refs(a.Plan())) != len(refs(w.plan)) {
			t.Fatalf("%d of %d changes are approved", len(refs(a.Plan())), len(refs(w.plan)))
		}
	})
}

// TestAWaiverLetsNobodyElsePass: whatever is waived, no change passes that has an objection of its own and no waiver.
func TestAWaiverLetsNobodyElsePass(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, waivers := random(t)
		w.settings.Off = []string{"team_removals", "team_additions", "source_removals", "organization_removals", "disabled_users", "lost_links"} // these count
		covered := make(map[guard.Ref]bool)
		for _, waiver := range waivers {
			for _, c := range waiver.Changes {
				covered[c.Ref] = covered[c.Ref] || waiver.Live("octo", now)
			}
		}
		_, objections := w.under()
		stopped := guard.Stopped(objections)
		a, _ := w.under(waivers...)
		for _, r := range refs(a.Plan()) {
			if len(stopped[r]) > 0 && !covered[r] {
				t.Fatalf("%v passes without a waiver", r)
			}
		}
	})
}

// Who has accepted that somebody joins as a member has not accepted a maintainer.
func TestAWaiverIsForTheRoleThatWasAccepted(t *testing.T) {
	w := calm()
	w.settings.TeamAdditions = guard.Limit{Max: 1, Percent: 1}
	w.add("platform", 3)
	waiver := w.waive(guard.Filter{})
	if len(waiver.Changes) == 0 || waiver.Changes[0].Role != "member" {
		t.Fatalf("%+v", waiver)
	}
	if _, objections := w.under(waiver); guard.Count(objections) != 0 {
		t.Fatalf("%+v", objections)
	}
	for i := range w.on("platform").Add {
		w.on("platform").Add[i].Role = team.Maintainer
	}
	stopped := guard.Stopped(second(w.under(waiver)))
	ref := guard.RefOf(w.on("platform"), w.on("platform").Add[0])
	if len(stopped[ref]) == 0 {
		t.Errorf("%+v passes", ref)
	}
}

func second(_ guard.Approved, objections []guard.Objection) []guard.Objection { return objections }
