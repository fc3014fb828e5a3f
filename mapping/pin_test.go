package mapping_test

import (
	"testing"
	"time"

	"musterline.example/directory"
	"musterline.example/mapping"
	"musterline.example/team"
)

func TestANewEntryOfTheFileMeansTheTeamThatItsNameWasPinnedTo(t *testing.T) {
	row := mapping.Mapping{ID: "file:1", Origin: mapping.FromFile, Team: "platform", TeamID: "7", Source: "corp", Group: "eng", GroupID: "eng"}
	file := []mapping.Mapping{
		{ID: "file:1", Origin: mapping.FromFile, Team: "platform", Source: "corp", Group: "eng"},
		{ID: "file:2", Origin: mapping.FromFile, Team: "platform", Source: "corp", Group: "ops"},
		{ID: "file:3", Origin: mapping.FromFile, Team: "data", Source: "corp", Group: "eng"},
	}
	after, lost := mapping.Load([]mapping.Mapping{row}, file)
	impostor := team.Team{ID: "9", Slug: "platform", Name: "platform"} // team 7 has another name by now
	pinned, _ := mapping.Pin(after, []team.Team{impostor, {ID: "8", Slug: "data"}}, nil)
	if len(lost) != 0 || pinned[1].TeamID != "7" || pinned[2].GroupID != "eng" {
		t.Errorf("%+v, lost %+v", pinned, lost)
	}
}

var byPrefix = mapping.Rule{ID: "rule:1", Source: "corp", Match: "gh-*", Target: "octo", Team: `{{ trimPrefix "gh-" .Group.Name }}`, Create: true, Mode: mapping.Exclusive}

func (w *world) renamed(id, name string) {
	g := w.snapshot.Groups[directory.GroupID(id)]
	g.Name = name
	w.snapshot.Groups[g.ID] = g
}

func (w *world) ruled(rules []mapping.Rule, before []mapping.Mapping) ([]mapping.Mapping, []mapping.Refused) {
	made, _, refused := mapping.Expand(rules, before, w.in.Sources)
	pinned, more := mapping.Pin(made, w.in.Teams, w.in.Sources)
	return pinned, append(refused, more...)
}

func teamsOf(ms []mapping.Mapping) map[directory.GroupID]team.ID {
	all := make(map[directory.GroupID]team.ID)
	for _, m := range ms {
		all[m.GroupID] = m.TeamID
	}
	return all
}

func TestAGroupThatTakesTheNameOfABoundOneDoesNotGetItsTeam(t *testing.T) {
	w := newWorld().group("gh-payments", "ada").team("payments")
	bound, _ := w.ruled([]mapping.Rule{byPrefix}, nil)
	w.renamed("gh-payments", "gh-money")
	w.group("impostor", "eve")
	w.renamed("impostor", "gh-payments")
	again, refused := w.ruled([]mapping.Rule{byPrefix}, bound)
	if len(again) != 1 || again[0].GroupID != "gh-payments" || again[0].TeamID != "payments-id" {
		t.Errorf("mappings %+v", again)
	}
	if len(refused) != 1 || refused[0].Reason != mapping.SlugConflict {
		t.Errorf("refused %+v", refused)
	}
}

func TestTwoRulesThatMakeOneTeamOfTwoGroupsAreAConflict(t *testing.T) {
	w := newWorld().group("gh-data", "ada").group("git-data", "eve").team("data")
	other := byPrefix
	other.ID, other.Match, other.Team = "rule:2", "git-*", `{{ trimPrefix "git-" .Group.Name }}`
	made, refused := w.ruled([]mapping.Rule{byPrefix, other}, nil)
	if len(made) != 0 || len(refused) != 2 {
		t.Errorf("made %+v, refused %+v", made, refused)
	}
}

func TestARuleThatMovesInTheFileKeepsItsTeams(t *testing.T) {
	w := newWorld().group("gh-data", "ada").team("data")
	other := byPrefix
	other.Match, other.Team = "zz-*", "{{ .Group.Name }}"
	second := byPrefix
	second.ID = "rule:2"
	bound, _ := w.ruled([]mapping.Rule{other, second}, nil)
	w.in.Teams[0].Slug, w.in.Teams[0].Name = "analytics", "Analytics"
	made, lost, _ := mapping.Expand([]mapping.Rule{byPrefix}, bound, w.in.Sources) // the first of the two is gone
	if got := teamsOf(made)["gh-data"]; got != "data-id" || len(lost) != 0 || len(made) != 1 {
		t.Errorf("made %+v, lost %+v", made, lost)
	}
}

func TestATeamIsMadeUnderItsParentAndNotBeforeItsGroupIsKnown(t *testing.T) {
	rule := byPrefix
	rule.Parent = "Engineering"
	w := newWorld().group("gh-data", "ada").team("engineering")
	w.in.Teams[0].Name = "Engineering"
	made, refused := w.ruled([]mapping.Rule{rule}, nil)
	if len(refused) != 0 || len(made) != 1 || made[0].New == nil || made[0].New.Parent != "engineering-id" || made[0].Parent != "" {
		t.Errorf("made %+v, refused %+v", made, refused)
	}
	w.in.Mappings = made
	w.in.Sources["corp"] = mapping.Reading{Snapshot: w.snapshot, Failed: "503"}
	if got, want := verdict(t, w.resolve(), "data"), "not wanted"; got != want {
		t.Errorf("while the source cannot be read: %s, want %s", got, want)
	}
	w.in.Sources["corp"] = mapping.Reading{Snapshot: w.snapshot}
	w.in.Teams = nil
	if made, refused := w.ruled([]mapping.Rule{rule}, nil); len(made) != 0 || len(refused) != 1 || refused[0].Reason != mapping.NoSuchTeam {
		t.Errorf("without the parent: made %+v, refused %+v", made, refused)
	}
}

// Two rules that fit one group keep each its own team when they change places.
func TestRulesThatChangePlacesKeepEachItsTeam(t *testing.T) {
	w := newWorld().group("gh-data", "ada").team("data").team("all")
	every := byPrefix
	every.ID, every.Team, every.Role = "rule:2", "all", team.Maintainer
	bound, _ := w.ruled([]mapping.Rule{byPrefix, every}, nil)
	first, second := every, byPrefix
	first.ID, second.ID = "rule:1", "rule:2"
	made, _ := w.ruled([]mapping.Rule{first, second}, bound)
	if len(made) != 2 || made[0].TeamID != "all-id" || made[0].Role != team.Maintainer || made[1].TeamID != "data-id" || made[1].Role != team.Member {
		t.Errorf("%+v", made)
	}
}

func TestAnUnreadSourceKeepsWhatARuleMadeThoughTheRuleHasMoved(t *testing.T) {
	w := newWorld().group("gh-data", "ada").team("data")
	second := byPrefix
	second.ID = "rule:2"
	bound, _ := w.ruled([]mapping.Rule{second}, nil)
	w.in.Sources["corp"] = mapping.Reading{Snapshot: w.snapshot, Failed: "503"}
	if made, lost, _ := mapping.Expand([]mapping.Rule{byPrefix}, bound, w.in.Sources); len(made) != 1 || len(lost) != 0 {
		t.Errorf("made %+v, lost %+v", made, lost)
	}
}

// Terraform changes a mapping by taking it away and setting it anew: in between, even an empty team stays connected.
func TestATeamWithNobodyToLoseIsNotSettledBeforeItsGraceEnds(t *testing.T) {
	w := newWorld().team("platform")
	w.in.Disconnects = []mapping.Disconnect{{Team: "platform-id", Origin: mapping.FromAPI, Until: noon.Add(time.Minute)}}
	if r := w.resolve(); len(r.Settled) != 0 {
		t.Errorf("settled in its grace: %+v", r)
	}
	w.in.Now = noon.Add(time.Hour)
	if r := w.resolve(); len(r.Settled) != 1 {
		t.Errorf("not settled after it: %+v", r)
	}
}
