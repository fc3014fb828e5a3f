package view

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/google/go-cmp/cmp"

	"musterline.example/answer"
	"musterline.example/guard"
	"musterline.example/plan"
	"musterline.example/team"
)

var update = flag.Bool("update", false, "write the golden files anew")

var noon = time.Date(2026, 8, 21, 12, 0, 0, 0, time.UTC)

// aPlan has one of everything that a plan can hold.
func aPlan() Plan {
	path := func(groups ...string) []team.Reason {
		return []team.Reason{{Mapping: "file:12", Path: groups, Link: "attribute"}}
	}
	because := func(rule team.Rule, note string) []team.Reason { return []team.Reason{{Rule: rule, Note: note}} }
	p := &plan.Plan{Target: "octo", Digest: "4f2a", Teams: []plan.TeamChange{
		{Team: "3", Slug: "data", Members: 6, Sources: []string{"corp"},
			Add: []plan.Change{{Act: plan.Add, Account: "41", Login: "kim-j", Why: path("corp/data")}},
			Remove: []plan.Change{
				{Act: plan.Remove, Account: "12", Login: "dave", Why: because(team.NotInGroup, "")},
				{Act: plan.Remove, Account: "11", Login: "Carol", Why: because(team.UserDisabled, "corp/carol")},
				{Act: plan.Cancel, Account: "19", Login: "zoe", Why: because(team.NotWanted, "")},
			}},
		{Slug: "docs", Create: &team.New{Name: "docs", Privacy: team.Closed}, Sources: []string{"corp"},
			Add: []plan.Change{{Act: plan.Add, Account: "41", Login: "kim-j", Role: team.Maintainer, Why: path("corp/gh-docs", "corp/writers")}}},
		{Team: "9", Slug: "legacy", Members: 3, Unmapped: true,
			Leaving: []plan.Leaving{{Account: "5", Login: "eve", At: noon.Add(10 * time.Minute), Why: because(team.InGrace, "")}}},
		{Team: "7", Slug: "platform", Members: 12, Sources: []string{"corp", "people"},
			Add: []plan.Change{{Act: plan.Add, Account: "1024", Login: "ada-l-with-a-very-long-login-indeed", Why: append(path("corp/platform", "corp/site-reliability-engineering", "corp/site-reliability-engineering-on-call"),
				path("people/everybody-who-has-ever-been-on-call")...)}},
			Update: []plan.Change{{Act: plan.Update, Account: "5", Login: "eve", From: team.Member, Role: team.Maintainer, Why: path("corp/leads")}},
			Remove: []plan.Change{{Act: plan.Remove, Account: "9", Login: "bob", Why: because(team.NotInGroup, "")}}},
	},
		Refused: []plan.Refused{{Team: "2", Slug: "engineering", Mapping: "file:9", Reason: "parent-team",
			Message: "has child teams (data, platform), and GitHub does not synchronize parent teams: map the children, or set parent_teams: allow to keep its immediate members"}},
		Held: []plan.Held{
			{Team: "7", Slug: "platform", User: "corp/joe", Name: "Joe Doe", Reason: "not-linked", Message: "no tier names an account"},
			{Team: "3", Slug: "data", User: "corp/joe", Name: "Joe Doe", Reason: "not-linked", Message: "no tier names an account"},
			{Team: "7", Slug: "platform", User: "corp/ann", Name: "ann", Reason: "not-a-member", Message: "ann-x is not a member of the organization; nobody is invited"},
			{Team: "7", Slug: "platform", User: "corp/ben", Name: "Ben", Reason: "not-a-member", Message: "ben-x is not a member of the organization; nobody is invited"},
		}}
	stop := func(name, slug string, id team.ID, message, way string, accounts ...team.AccountID) guard.Objection {
		o := guard.Objection{Guard: name, Team: id, Slug: slug, Message: message, WayOut: way}
		for _, a := range accounts {
			act := plan.Remove
			if a == "19" {
				act = plan.Cancel
			}
			o.Changes = append(o.Changes, guard.Ref{Team: id, Account: a, Act: act})
		}
		return o
	}
	shown := answer.PlanOf(p,
		[]guard.Objection{
			stop("first_connection", "data", "3", "data would lose 3 of 6 members at its first connection",
				"If this is right: musterline approve octo --team data --reason TEXT. If not: put the people into a mapped group, map another group, or set the team's mode to additive.", "11", "12", "19"),
			stop("first_connection", "platform", "7", "platform would lose 1 of 12 members at its first connection",
				"If this is right: musterline approve octo --team platform --reason TEXT. If not: put the people into a mapped group, map another group, or set the team's mode to additive.", "9"),
			{Guard: "disabled_users", Source: "corp", Message: "corp: 1 of 12 users were disabled at once (limit 0)", Changes: []guard.Ref{{Team: "3", Account: "11", Act: plan.Remove}},
				WayOut: "If this is right: musterline approve octo --guard disabled_users --reason TEXT. If not: see at the identity provider."},
			{Guard: "stale_source", Source: "people", Message: "people was last read in full 26 h ago (limit 24 h)", WayOut: "Nothing is stopped. To end this warning, see under the source's last error why it cannot be read."},
		})
	shown.Beside = &answer.PlanSetting{
		Mapped: 5, Host: "github.com", Organization: "octo-org",
		Notes: []string{"source people could not be read, and nobody leaves a team for it: open directory.yaml: no such file or directory"},
	}
	return Plan{Plan: shown, Now: noon}
}

func TestAPlanReadsLikeThis(t *testing.T) {
	for _, width := range []int{80, 120} {
		var out bytes.Buffer
		aPlan().Text(Screen{Out: &out, Width: width})
		name := map[int]string{80: "plan-80.golden", 120: "plan-120.golden"}[width]
		golden(t, name, out.Bytes())
		for line := range strings.Lines(out.String()) {
			if w := lipgloss.Width(strings.TrimRight(line, "\n")); w > width {
				t.Errorf("%d columns: %s", w, line)
			}
		}
	}
}

func TestColoursAddNothingToTheWords(t *testing.T) {
	var plain, coloured bytes.Buffer
	aPlan().Text(Screen{Out: &plain, Width: 80})
	aPlan().Text(Screen{Out: &coloured, Width: 80, Colour: true})
	var stripped strings.Builder
	in := false
	for _, r := range coloured.String() {
		switch {
		case r == '\x1b':
			in = true
		case in:
			in = r != 'm'
		default:
			stripped.WriteRune(r)
		}
	}
	if coloured.String() == plain.String() {
		t.Error("no colours")
	}
	if d := cmp.Diff(plain.String(), stripped.String()); d != "" {
		t.Error(d)
	}
}

func TestTheJSONOfAPlanIsStable(t *testing.T) {
	var out bytes.Buffer
	if err := WriteJSON(&out, answer.Plans{Format: answer.Format, Plans: []answer.Plan{aPlan().Form()}}); err != nil {
		t.Fatal(err)
	}
	golden(t, "plan.json.golden", out.Bytes())
	if bytes.Contains(out.Bytes(), []byte("null")) {
		t.Error("an empty list is written as null")
	}
	var back answer.Plans
	if err := json.Unmarshal(out.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s (-want +got; go test -update writes it anew)\n%s", name, d)
	}
}

func TestTheEffortOfHeldPeopleGrowsAsTheirNumber(t *testing.T) {
	effort := func(people int) (asked int) {
		defer func(f func(string) int) { measure = f }(measure)
		width := measure
		measure = func(text string) int { asked++; return width(text) }
		p := Plan{Plan: answer.Plan{Target: "octo"}, Now: noon}
		for i := range people {
			p.Held = append(p.Held, answer.Held{Team: "platform", User: fmt.Sprintf("corp/u%d", i), Reason: "not-linked", Message: "nothing names an account"})
		}
		p.Text(Screen{Out: io.Discard, Width: 80})
		return asked
	}
	if few, many := effort(200), effort(800); few == 0 || many > 5*few {
		t.Errorf("the text of 200 people is measured %d times, that of 800 %d times", few, many)
	}
}
