package guard_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"musterline.example/guard"
	"musterline.example/plan"
	"musterline.example/team"
)

var now = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// A world is a plan with the facts around it.
type world struct {
	plan     *plan.Plan
	facts    guard.Facts
	settings guard.Settings
}

// calm is a world in which no guard has anything to say: two connected teams of 40 in an organization of 1,000, one source that was read
// an hour ago and looks as it always does.
func calm() *world {
	usual := guard.Shape{Groups: 100, Users: 1000, Linked: 900, Active: 980}
	w := &world{
		plan: &plan.Plan{Target: "octo", Digest: "d1"},
		facts: guard.Facts{
			Now: now, OrganizationMembers: 1000, MappingsBefore: 20,
			Place:   team.Place{Host: "github.com", OrganizationID: "1", Organization: "octo", Self: "1"},
			Sources: map[string]guard.SourceFacts{"corp": {ReadAt: now.Add(-time.Hour), Now: usual, History: []guard.Shape{usual, usual, usual}, Memberships: 2000, Shrunk: []string{}, Groups: 40, LinksBefore: 900}},
			Teams:   map[team.ID]guard.TeamFacts{},
		},
	}
	w.team("platform", 40)
	w.team("web", 40)
	return w
}

// team adds a connected team without changes. Its id is "T" and the slug.
func (w *world) team(slug string, members int) *plan.TeamChange {
	id := team.ID("T" + slug)
	w.facts.Teams[id] = guard.TeamFacts{Connected: true, Members24: members, Known: map[team.AccountID]bool{}}
	w.plan.Teams = append(w.plan.Teams, plan.TeamChange{Team: id, Slug: slug, Members: members, Sources: []string{"corp"}, BasedOn: "b"})
	return &w.plan.Teams[len(w.plan.Teams)-1]
}

// on returns a team of the plan.
func (w *world) on(slug string) *plan.TeamChange {
	for i := range w.plan.Teams {
		if w.plan.Teams[i].Slug == slug {
			return &w.plan.Teams[i]
		}
	}
	panic("no team " + slug)
}

// source changes the facts of corp.
func (w *world) source(change func(*guard.SourceFacts)) {
	f := w.facts.Sources["corp"]
	change(&f)
	w.facts.Sources["corp"] = f
}

// about changes the facts of a team.
func (w *world) about(slug string, change func(*guard.TeamFacts)) {
	f := w.facts.Teams[team.ID("T"+slug)]
	change(&f)
	w.facts.Teams[team.ID("T"+slug)] = f
}

// remove plans the removal of n known members of a team for a rule.
func (w *world) remove(slug string, n int, rule team.Rule) {
	c := w.on(slug)
	for range n {
		i := len(c.Remove)
		id := team.AccountID(fmt.Sprintf("%s-%d", slug, 100+i))
		w.facts.Teams[c.Team].Known[id] = true
		c.Remove = append(c.Remove, plan.Change{
			Act: plan.Remove, Account: id, Login: "login-" + string(id), User: "corp/" + string(id), Why: []team.Reason{{Rule: rule}},
		})
	}
}

// add plans n additions to a team.
func (w *world) add(slug string, n int) {
	c := w.on(slug)
	for range n {
		id := team.AccountID(fmt.Sprintf("%s-new-%d", slug, 100+len(c.Add)))
		c.Add = append(c.Add, plan.Change{Act: plan.Add, Account: id, Login: "login-" + string(id)})
	}
}

// done records n changes of the last day.
func (w *world) done(slug string, n int, act plan.Act, waived ...string) {
	for i := range n {
		w.facts.Recent = append(w.facts.Recent, guard.Done{
			Ref: guard.Ref{Team: team.ID("T" + slug), Account: team.AccountID(fmt.Sprintf("gone-%d", i)), Act: act},
			At:  now.Add(-time.Hour), Sources: []string{"corp"}, Waived: waived,
		})
	}
}

// approve asks all guards but those named.
func (w *world) approve(off ...string) (guard.Approved, []guard.Objection) {
	w.settings.Off = off
	return guard.Approve(w.plan, w.facts, guard.All(w.settings), nil)
}

// objectors are the guards that object, each once.
func objectors(objections []guard.Objection) []string {
	var names []string
	for _, o := range objections {
		if !slices.Contains(names, o.Guard) {
			names = append(names, o.Guard)
		}
	}
	return names
}

// refs are the changes of a plan.
func refs(p *plan.Plan) []guard.Ref {
	var out []guard.Ref
	for i := range p.Teams {
		for _, ch := range p.Teams[i].Changes() {
			out = append(out, guard.RefOf(&p.Teams[i], ch))
		}
	}
	return out
}

// says checks which guards object in a world, and what the first of them says.
func (w *world) says(t *testing.T, message string, names ...string) {
	t.Helper()
	_, objections := w.approve()
	if got := objectors(objections); !slices.Equal(got, names) {
		t.Fatalf("%v object; want %v\n%+v", got, names, objections)
	}
	if len(objections) > 0 && objections[0].Message != message {
		t.Errorf("message\n got %q\nwant %q", objections[0].Message, message)
	}
	for _, o := range objections {
		if len(o.Changes) > 0 && !strings.Contains(o.WayOut, "musterline approve octo ") {
			t.Errorf("%s leaves no way out: %q", o.Guard, o.WayOut)
		}
	}
}

// silent checks that no guard objects.
func (w *world) silent(t *testing.T) {
	t.Helper()
	if a, objections := w.approve(); len(objections) > 0 || len(refs(a.Plan())) != len(refs(w.plan)) {
		t.Errorf("%+v", objections)
	}
}

// worlds hold for each guard a world that only this guard saves.
var worlds = map[string]func() *world{
	"first_connection":      firstConnectionWorld,
	"empty_group":           emptyGroupWorld,
	"missing_group":         missingGroupWorld,
	"team_removals":         teamRemovalsWorld,
	"team_additions":        teamAdditionsWorld,
	"source_removals":       sourceRemovalsWorld,
	"organization_removals": organizationRemovalsWorld,
	"source_shape":          sourceShapeWorld,
	"disabled_users":        disabledUsersWorld,
	"lost_links":            lostLinksWorld,
	"mappings_lost":         mappingsLostWorld,
	"stale_source":          staleSourceWorld,
	"approval":              approvalWorld,
	"protected":             protectedWorld,
	"foreign_writer":        foreignWriterWorld,
}

// TestEachGuardIsMissed switches one guard off while all others stay on, and sees harm done; with the guard on none is.
func TestEachGuardIsMissed(t *testing.T) {
	for _, name := range guard.Names() {
		t.Run(name, func(t *testing.T) {
			w := worlds[name]()
			if a, _ := w.approve(name); len(refs(a.Plan())) != len(refs(w.plan)) {
				t.Errorf("without %s the others let %d of %d changes pass: the guard is not needed here", name, len(refs(a.Plan())), len(refs(w.plan)))
			}
			a, objections := w.approve()
			if left := refs(a.Plan()); len(left) > 0 {
				t.Errorf("with %s on, harm is done: %v", name, left)
			}
			if got := objectors(objections); !slices.Equal(got, []string{name}) {
				t.Errorf("%v object", got)
			}
		})
	}
}

func TestACalmWorldHasNoObjections(t *testing.T) {
	w := calm()
	w.remove("platform", 3, team.NotInGroup)
	w.add("platform", 5)
	w.silent(t)
}
