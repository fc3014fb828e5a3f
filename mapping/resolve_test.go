package mapping_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"musterline.example/directory"
	"musterline.example/link"
	"musterline.example/mapping"
	"musterline.example/team"
)

// Each case is a sentence about one team called "platform".
func TestWhoBelongsInATeam(t *testing.T) {
	for sentence, c := range map[string]struct {
		world   *world
		want    string
		held    string
		refused string
	}{
		"a group member comes, a stranger goes": {
			world: newWorld().group("platform", "ada", "bob").team("platform", "bob", "eve").mapped("platform", "platform"),
			want:  "+ada, +bob, -eve (not in a mapped group)",
		},
		"several groups are a union": {
			world: newWorld().group("a", "ada").group("b", "bob", "ada").team("platform").mapped("platform", "a", "b"),
			want:  "+ada, +bob",
		},
		"nested groups count, and a cycle among them is harmless": {
			world: newWorld().group("a", "ada", "@b").group("b", "bob", "@c").group("c", "cy", "@a").team("platform").mapped("platform", "a"),
			want:  "+ada, +bob, +cy",
		},
		"a disabled user goes and is held, a locked one stays": {
			world: newWorld().user("ada", directory.Disabled, "ada").account("ada").user("bob", directory.Locked, "bob").account("bob").
				group("a", "ada", "bob").team("platform", "ada", "bob").mapped("platform", "a"),
			want: "-ada (disabled at the identity provider), +bob",
			held: "ada inactive",
		},
		"a user who is not in the organization is held and nobody is invited": {
			world: newWorld().user("ada", directory.Active, "ada").group("a", "ada", "bob").team("platform").mapped("platform", "a"),
			want:  "+bob", held: "ada not-a-member",
		},
		"not being a member holds back nobody else": {
			world: newWorld().user("ada", directory.Active, "ada").group("a", "ada", "bob").team("platform", "eve").mapped("platform", "a"),
			want:  "+bob, -eve (not in a mapped group)", held: "ada not-a-member",
		},
		"accounts nobody is linked to wait while a user of the group is not linked": {
			world: newWorld().user("ada", directory.Active, "").group("a", "ada").group("other", "bob").team("platform", "eve", "bob").mapped("platform", "a"),
			want:  "-bob (not in a mapped group), =eve (somebody in a mapped group is not linked yet)", held: "ada not-linked",
		},
		"a disabled user who is not linked makes nobody wait": {
			world: newWorld().user("ada", directory.Disabled, "").group("a", "ada", "bob").team("platform", "eve").mapped("platform", "a"),
			want:  "+bob, -eve (not in a mapped group)", held: "ada inactive",
		},
		"a pending invitation counts as present and is reported": {
			world: newWorld().group("a", "ada").team("platform", "?ada").mapped("platform", "a"),
			want:  "+ada", held: "ada pending",
		},
		"a pending invitation of somebody who is in no mapped group is cancelled": {
			world: newWorld().group("a", "ada").group("other", "eve").team("platform", "?eve").mapped("platform", "a"),
			want:  "+ada, -eve (pending invitation that no mapping wants)",
		},
		"a pending invitation of an account that nobody is linked to is left to whoever sent it": {
			world: newWorld().group("a", "ada").team("platform", "?eve").mapped("platform", "a"),
			want:  "+ada, =eve (invited by hand, not accepted yet)",
		},
		"a group that was never found: the mapping is refused and the team loses nobody": {
			world: newWorld().group("a", "ada").team("platform", "eve").mapped("platform", "a", "typo"),
			want:  "+ada, =eve (a mapped group is missing, too large or named twice)", refused: "platform: no-such-group",
		},
		"a group that is gone takes its members along, with the reason that the guard looks for": {
			world: func() *world {
				w := newWorld().group("a", "ada").group("b", "bob").team("platform", "bob").mapped("platform", "a", "b")
				delete(w.snapshot.Groups, "b")
				return w
			}(),
			want: "+ada, -bob (mapped group is gone)",
		},
		"a team that does not exist is refused": {
			world: newWorld().group("a", "ada").mapped("platform", "a"),
			want:  "not wanted", refused: "platform: no-such-team",
		},
		"a sixth group is refused and nothing is done": {
			world: newWorld().group("a").group("b").group("c").group("d").group("e").group("f", "ada").team("platform", "eve").mapped("platform", "a", "b", "c", "d", "e", "f"),
			want:  "not wanted", refused: "platform: too-many-groups",
		},
	} {
		t.Run(sentence, func(t *testing.T) {
			r := c.world.resolve()
			if got := verdict(t, r, "platform"); got != c.want {
				t.Errorf("platform: %s\n   want: %s", got, c.want)
			}
			if got := heldPeople(r); got != c.held {
				t.Errorf("held %q, want %q", got, c.held)
			}
			if got := refusals(r); got != c.refused {
				t.Errorf("refused %q, want %q", got, c.refused)
			}
		})
	}
}

func TestAFailedSourceRemovesNobodyAndOthersStillAdd(t *testing.T) {
	w := newWorld().group("a", "ada").team("platform", "eve").mapped("platform", "a")
	w.in.Sources["people"] = mapping.Reading{Failed: "connection refused"}
	w.in.Mappings = append(w.in.Mappings, mapping.Mapping{ID: "file:2", Origin: mapping.FromFile, TeamID: "platform-id", Team: "platform", Source: "people", Group: "sre", GroupID: "sre", Mode: mapping.Exclusive})
	if got, want := verdict(t, w.resolve(), "platform"), "+ada, =eve (a mapped group could not be read)"; got != want {
		t.Errorf("platform: %s, want %s", got, want)
	}
}

func TestAGroupPastTheLimitGivesNobody(t *testing.T) {
	w := newWorld().group("a", "ada", "bob", "cy").group("b", "dee").team("platform", "ada").mapped("platform", "a", "b")
	w.in.Settings.MembersPerGroup = 2
	r := w.resolve()
	if got, want := verdict(t, r, "platform"), "=ada (a mapped group is missing, too large or named twice), +dee"; got != want {
		t.Errorf("platform: %s, want %s", got, want)
	}
	if !strings.Contains(r.Refused[0].Message, "3 members, the limit is 2") {
		t.Errorf("the refusal does not say its size: %s", r.Refused[0].Message)
	}
}

func TestParentTeamsAreRefusedByNameUnlessAllowed(t *testing.T) {
	w := newWorld().group("a", "ada").team("platform", "eve").mapped("platform", "a")
	w.in.Teams[0].Children = []team.Ref{{ID: "9", Slug: "sre"}, {ID: "8", Slug: "build"}}
	r := w.resolve()
	if got := verdict(t, r, "platform"); got != "not wanted" {
		t.Errorf("platform: %s", got)
	}
	if len(r.Refused) != 1 || !strings.Contains(r.Refused[0].Message, "build, sre") {
		t.Errorf("the refusal does not name the children: %v", r.Refused)
	}
	w.in.Settings.ParentTeams = true
	if got, want := verdict(t, w.resolve(), "platform"), "+ada, -eve (not in a mapped group)"; got != want {
		t.Errorf("allowed: %s, want %s", got, want)
	}
}

func TestTheHighestRoleWinsAndOnlyOurOwnIsTakenBack(t *testing.T) {
	w := newWorld().group("a", "ada", "bob", "cy").group("leads", "ada").owner("cy").
		team("platform", "+bob", "+cy").mapped("platform", "a", "leads")
	w.in.Mappings[1].Role = team.Maintainer
	if got, want := verdict(t, w.resolve(), "platform"), "+ada*, +bob, +cy"; got != want {
		t.Errorf("made maintainer by hand: %s, want %s", got, want)
	}
	for _, login := range []string{"bob", "cy"} {
		w.known("platform", login, mapping.LedgerGranted, "a")
	}
	for i := range w.in.Ledger["platform-id"] {
		w.in.Ledger["platform-id"][i].Role = team.Maintainer
	}
	if got, want := verdict(t, w.resolve(), "platform"), "+ada*, +bob demote, +cy"; got != want {
		t.Errorf("given by us: %s, want %s (an owner is never demoted)", got, want)
	}
}

func TestAnAdditiveTeamLosesOnlyWhomWeBrought(t *testing.T) {
	w := newWorld().group("a", "ada").group("b", "bob", "cy", "dee").team("platform", "bob", "cy", "dee").mapped("platform", "a").
		known("platform", "bob", mapping.LedgerGranted, "a").known("platform", "cy", mapping.LedgerFound, "a")
	w.in.Mappings[0].Mode = mapping.Additive
	want := "+ada, -bob (not in a mapped group), =cy (additive team: not granted by us), =dee (additive team: not granted by us)"
	if got := verdict(t, w.resolve(), "platform"); got != want {
		t.Errorf("platform: %s\n   want: %s", got, want)
	}
}

func TestProtectedAccountsAndOurOwnStay(t *testing.T) {
	w := newWorld().group("a", "ada").team("platform", "bot", "boss", "eve").mapped("platform", "a")
	w.in.Place.Self, w.in.Settings.Protected = "bot-id", []team.AccountID{"boss-id"}
	want := "+ada, =boss (protected account), =bot (protected account), -eve (not in a mapped group)"
	if got := verdict(t, w.resolve(), "platform"); got != want {
		t.Errorf("platform: %s\n   want: %s", got, want)
	}
}

// TestOurOwnAccountLeavesATeamThatOnlyItsMakingBroughtItInto: the run that made the team was interrupted before its creator had left.
func TestOurOwnAccountLeavesATeamThatOnlyItsMakingBroughtItInto(t *testing.T) {
	made := func() *world {
		w := newWorld().group("a", "ada").team("platform", "bot").mapped("platform", "a")
		w.in.Place.Self = "bot-id"
		w.in.Ledger = mapping.Ledger{w.in.Teams[0].ID: {{Account: "bot-id", Origin: mapping.LedgerCreated, Role: team.Maintainer}}}
		return w
	}
	w := made()
	if got, want := verdict(t, w.resolve(), "platform"), "+ada, -bot (created the team, is in no mapped group)"; got != want {
		t.Errorf("platform: %s, want %s", got, want)
	}
	w = made()
	w.in.Mappings, w.in.Disconnects = nil, []mapping.Disconnect{{Team: w.in.Teams[0].ID}}
	if got, want := verdict(t, w.resolve(), "platform"), "-bot (created the team, is in no mapped group)"; got != want {
		t.Errorf("unmapped: %s, want %s", got, want)
	}
}

func TestAFrozenLinkAddsNobodyAndRemovesNobody(t *testing.T) {
	w := newWorld().user("ada", directory.Active, "shared").user("bob", directory.Active, "shared").account("shared").
		group("a", "ada", "bob").team("platform", "shared").mapped("platform", "a")
	if got, want := verdict(t, w.resolve(), "platform"), "=shared (linked identity is in doubt)"; got != want {
		t.Errorf("platform: %s, want %s", got, want)
	}
	if got, want := heldPeople(w.resolve()), "ada ambiguous, bob ambiguous"; got != want {
		t.Errorf("held %q, want %q", got, want)
	}
}

func TestALinkedPersonWhoseAccountLeftTheOrganizationIsHeld(t *testing.T) {
	w := newWorld().group("a", "ada", "bob").team("platform").mapped("platform", "a")
	w.before = w.linkAll()
	w.in.Accounts = w.in.Accounts[1:] // ada has left
	r := w.resolve()
	if got, want := verdict(t, r, "platform"), "+bob"; got != want {
		t.Errorf("platform: %s, want %s", got, want)
	}
	if got, want := heldPeople(r), "ada not-a-member"; got != want {
		t.Errorf("held %q, want %q", got, want)
	}
	w.in.Settings.Reinvite = true
	w.in.Former = map[team.AccountID]mapping.Former{"ada-id": {Login: "ada", LeftAt: noon.Add(-time.Hour)}}
	if got, want := verdict(t, w.resolve(), "platform"), "+ada, +bob"; got != want {
		t.Errorf("reinvite: %s, want %s", got, want)
	}
	w.in.Former["ada-id"] = mapping.Former{Login: "ada", Invited: 1, LastAt: noon.Add(-time.Hour)}
	if got, want := verdict(t, w.resolve(), "platform"), "+bob"; got != want {
		t.Errorf("invited an hour ago: %s, want %s", got, want)
	}
}

func (w *world) linkAll() []link.Link {
	r := link.Resolve(link.Input{Snapshots: []*directory.Snapshot{w.snapshot}, Kind: "github", Accounts: w.in.Accounts, Now: noon})
	var all []link.Link
	for _, l := range r.Links {
		all = append(all, l)
	}
	return all
}

func TestDisconnectingWaitsForTheGraceAndTakesOnlyWhomTheMappingsBrought(t *testing.T) {
	w := newWorld().group("a", "ada").team("platform", "ada", "eve").known("platform", "ada", mapping.LedgerFound, "a")
	w.in.Disconnects = []mapping.Disconnect{{Team: "platform-id", Until: noon.Add(10 * time.Minute)}}
	if got, want := verdict(t, w.resolve(), "platform"), "=ada (disconnected, in grace)"; got != want {
		t.Errorf("in grace: %s, want %s", got, want)
	}
	w.in.Now = noon.Add(10 * time.Minute)
	r := w.resolve()
	if got, want := verdict(t, r, "platform"), "-ada (team is no longer mapped)"; got != want {
		t.Errorf("after: %s, want %s", got, want)
	}
	if !r.Wanted[0].Unmapped || len(r.Settled) != 0 {
		t.Errorf("unmapped %v, settled %v", r.Wanted[0].Unmapped, r.Settled)
	}
	w.in.Disconnects[0].Keep = true
	if r := w.resolve(); len(r.Wanted) != 0 || len(r.Forget["platform-id"]) != 1 || len(r.Settled) != 1 {
		t.Errorf("keep: %+v", r)
	}
}

func TestATeamThatLosesOneOfItsMappingsWaitsForTheGraceToo(t *testing.T) {
	w := newWorld().group("a", "ada").group("b", "bob").team("platform", "ada", "bob").mapped("platform", "a").
		known("platform", "ada", mapping.LedgerFound, "a").known("platform", "bob", mapping.LedgerFound, "b")
	w.in.Disconnects = []mapping.Disconnect{{Team: "platform-id", Until: noon.Add(10 * time.Minute)}}
	if got, want := verdict(t, w.resolve(), "platform"), "+ada, =bob (disconnected, in grace)"; got != want {
		t.Errorf("in grace: %s, want %s", got, want)
	}
	w.in.Now = noon.Add(time.Hour)
	if got, want := verdict(t, w.resolve(), "platform"), "+ada, -bob (not in a mapped group)"; got != want {
		t.Errorf("after: %s, want %s", got, want)
	}
}

func TestTheLedgerLearnsWhoWasFoundAndForgetsWhoLeft(t *testing.T) {
	w := newWorld().group("a", "ada", "bob").group("b", "bob").team("platform", "ada", "bob").mapped("platform", "a", "b").
		known("platform", "bob", mapping.LedgerGranted, "a").known("platform", "gone", mapping.LedgerFound, "a")
	r := w.resolve()
	want := mapping.Ledger{"platform-id": {
		{Account: "ada-id", Origin: mapping.LedgerFound, Mappings: []string{"corp/a"}, Since: noon},
		{Account: "bob-id", Origin: mapping.LedgerGranted, Mappings: []string{"corp/a", "corp/b"}, Since: noon.Add(-time.Hour)},
	}}
	if diff := cmp.Diff(want, r.Found); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
	if len(r.Forget["platform-id"]) != 1 || r.Forget["platform-id"][0].Account != "gone-id" {
		t.Errorf("forget %+v, want gone", r.Forget)
	}
}

func TestSeveralReadsMustAgreeWhenAsked(t *testing.T) {
	w := newWorld().group("a", "ada").user("dee", directory.Disabled, "dee").group("b", "dee").account("dee").
		team("platform", "eve", "dee").mapped("platform", "a", "b")
	w.in.Settings.RemovalReads = 2
	first := w.resolve()
	if got, want := verdict(t, first, "platform"), "+ada, -dee (disabled at the identity provider), =eve (seen gone by one complete read so far)"; got != want {
		t.Errorf("first read: %s, want %s", got, want)
	}
	w.in.Absences = first.Absences
	if got, want := verdict(t, w.resolve(), "platform"), "+ada, -dee (disabled at the identity provider), -eve (not in a mapped group)"; got != want {
		t.Errorf("second read: %s, want %s", got, want)
	}
}

func TestTheFileOwnsATeamBeforeTheAPI(t *testing.T) {
	w := newWorld().group("a", "ada").group("b", "bob").team("platform").mapped("platform", "a", "b")
	w.in.Mappings[1].Origin = mapping.FromAPI
	r := w.resolve()
	if got, want := verdict(t, r, "platform"), "+ada"; got != want {
		t.Errorf("platform: %s, want %s", got, want)
	}
	if got, want := refusals(r), "platform: two-origins"; got != want {
		t.Errorf("refused %q, want %q", got, want)
	}
}

func TestEveryMemberHasAReasonWithThePathOfGroups(t *testing.T) {
	w := newWorld().group("a", "@b").group("b", "ada").team("platform", "ada").mapped("platform", "a")
	want := []team.Reason{{Mapping: "file:a", Key: "corp/a", Path: []string{"corp/a", "corp/b"}, Link: "attribute"}}
	if diff := cmp.Diff(want, w.resolve().Wanted[0].Members[0].Why); diff != "" {
		t.Errorf("why (-want +got):\n%s", diff)
	}
}

func TestRulesMakeMappingsAndBindThemOnce(t *testing.T) {
	w := newWorld().group("gh-platform", "ada").group("gh-data", "bob").group("other", "cy").team("platform")
	rules := []mapping.Rule{{ID: "rule:1", Source: "corp", Match: "gh-*", Target: "octo", Team: `{{ trimPrefix "gh-" .Group.Name }}`, Create: true, Mode: mapping.Exclusive}}
	made, _, refused := mapping.Expand(rules, nil, w.in.Sources)
	if len(made) != 2 || len(refused) != 0 {
		t.Fatalf("made %v, refused %v", made, refused)
	}
	pinned, _ := mapping.Pin(made, w.in.Teams, w.in.Sources)
	w.in.Mappings = pinned
	r := w.resolve()
	if got, want := verdict(t, r, "platform"), "+ada"; got != want {
		t.Errorf("platform: %s, want %s", got, want)
	}
	if got, want := verdict(t, r, "data"), "+bob"; got != want {
		t.Errorf("data, to be created: %s, want %s", got, want)
	}

	renamed := w.snapshot.Groups["gh-platform"]
	renamed.Name = "gh-infrastructure"
	w.snapshot.Groups["gh-platform"] = renamed
	again, lost, _ := mapping.Expand(rules, pinned, w.in.Sources)
	for _, m := range again {
		if m.GroupID == "gh-platform" && (m.TeamID != "platform-id" || m.New != nil) {
			t.Errorf("a renamed group lost its team: %+v", m)
		}
	}
	if len(lost) != 0 {
		t.Errorf("lost %+v", lost)
	}
	delete(w.snapshot.Groups, "gh-platform")
	if gone, lost, _ := mapping.Expand(rules, pinned, w.in.Sources); len(gone) != 2 || len(lost) != 0 {
		t.Errorf("a group that is gone lost its mapping: %+v, %+v", gone, lost)
	}
	renamed.Name = "infrastructure"
	w.snapshot.Groups["gh-platform"] = renamed
	if _, lost, _ := mapping.Expand(rules, pinned, w.in.Sources); len(lost) != 1 || lost[0].Team != "platform-id" || lost[0].Origin != mapping.FromRule {
		t.Errorf("a rule that stops matching does not unmap: %+v", lost)
	}

	twin := directory.Group{ID: "twin", Name: "gh-Data", ReadAt: noon}
	w.snapshot.Groups["twin"] = twin
	_, _, refused = mapping.Expand(rules, nil, w.in.Sources)
	if len(refused) != 2 || refused[0].Reason != mapping.SlugConflict {
		t.Errorf("two groups for one slug: %+v", refused)
	}
}

func TestWhoCreatesATeamDoesNotStayInIt(t *testing.T) {
	w := newWorld().group("gh-data", "bob").account("admin")
	w.in.Place.Self = "admin-id"
	made, _, _ := mapping.Expand([]mapping.Rule{{ID: "rule:1", Source: "corp", Match: "gh-*", Team: "{{ .Group.Name }}", Create: true}}, nil, w.in.Sources)
	w.in.Mappings = made
	if got, want := verdict(t, w.resolve(), "gh-data"), "-admin (created the team, is in no mapped group), +bob"; got != want {
		t.Errorf("gh-data: %s, want %s", got, want)
	}
}

func TestPinPrefersSlugsAndIds(t *testing.T) {
	teams := []team.Team{{ID: "1", Slug: "platform", Name: "Everything"}, {ID: "2", Slug: "everything-2", Name: "platform"}, {ID: "3", Slug: "x", Name: "Twice"}, {ID: "4", Slug: "y", Name: "Twice"}}
	w := newWorld().group("a").group("b")
	pin := func(name, group string) (mapping.Mapping, []mapping.Refused) {
		pinned, refused := mapping.Pin([]mapping.Mapping{{Team: name, Source: "corp", Group: group}}, teams, w.in.Sources)
		if len(pinned) == 0 {
			return mapping.Mapping{}, refused
		}
		return pinned[0], refused
	}
	if m, _ := pin("platform", "a"); m.TeamID != "1" || m.GroupID != "a" {
		t.Errorf("platform: %+v", m)
	}
	if m, _ := pin("Everything", "none"); m.TeamID != "1" || m.GroupID != "" {
		t.Errorf("by display name: %+v", m)
	}
	if _, refused := pin("Twice", "a"); len(refused) != 1 || !strings.Contains(refused[0].Message, "x and y") {
		t.Errorf("two teams of one name: %+v", refused)
	}
	pinned, _ := mapping.Pin([]mapping.Mapping{{Team: "platform", TeamID: "9", Source: "corp", Group: "a", GroupID: "z"}}, teams, w.in.Sources)
	if pinned[0].TeamID != "9" || pinned[0].GroupID != "z" {
		t.Errorf("a pinned mapping was resolved anew: %+v", pinned[0])
	}
}

// BenchmarkResolve decides about a million memberships in ten thousand teams.
func BenchmarkResolve(b *testing.B) {
	const teams, members, people = 10_000, 100, 50_000
	w := newWorld()
	for i := range people {
		login := fmt.Sprintf("person-%d", i)
		w.user(login, directory.Active, login)
		w.in.Accounts = append(w.in.Accounts, team.Account{ID: team.AccountID(login + "-id"), Login: login})
	}
	for i := range teams {
		slug := fmt.Sprintf("team-%d", i)
		g := directory.Group{ID: directory.GroupID(slug), Name: slug, ReadAt: noon}
		tm := team.Team{ID: team.ID(slug + "-id"), Slug: slug, Name: slug}
		for j := range members {
			login := fmt.Sprintf("person-%d", (i*37+j*101)%people)
			g.Members = append(g.Members, directory.UserID(login))
			tm.Members = append(tm.Members, team.Membership{Account: team.AccountID(login + "-id"), Login: login})
		}
		tm.Sort()
		var rows []mapping.Entry
		keys := []string{"corp/" + slug}
		for _, m := range tm.Members {
			rows = append(rows, mapping.Entry{Account: m.Account, Origin: mapping.LedgerFound, Mappings: keys})
		}
		w.in.Ledger[tm.ID] = rows
		w.snapshot.Groups[g.ID], w.in.Teams = g, append(w.in.Teams, tm)
		w.in.Mappings = append(w.in.Mappings, mapping.Mapping{ID: "file:" + slug, Origin: mapping.FromFile, Target: "octo", Team: slug, TeamID: tm.ID, Source: "corp", Group: slug, GroupID: g.ID, Mode: mapping.Exclusive})
	}
	w.resolve()
	b.ResetTimer()
	b.ReportAllocs()
	for b.Loop() {
		if r := mapping.Resolve(w.in); len(r.Wanted) != teams {
			b.Fatal(len(r.Wanted))
		}
	}
}

func TestLoadKeepsPinsReplacesAPIMappingsAndTellsWhatIsLost(t *testing.T) {
	row := func(origin mapping.Origin, slug, group string) mapping.Mapping {
		return mapping.Mapping{ID: "file:1", Origin: origin, Team: slug, TeamID: team.ID(slug + "-id"), Source: "corp", Group: group, GroupID: directory.GroupID(group + "-id")}
	}
	rows := []mapping.Mapping{row(mapping.FromFile, "a", "x"), row(mapping.FromFile, "b", "x"), row(mapping.FromFile, "b", "y"), row(mapping.FromFile, "c", "x"),
		row(mapping.FromAPI, "d", "x"), row(mapping.FromAPI, "a", "z"), row(mapping.FromRule, "e", "x")}
	file := []mapping.Mapping{{ID: "file:7", Origin: mapping.FromFile, Team: "a", Source: "corp", Group: "x"},
		{ID: "file:8", Origin: mapping.FromFile, Team: "b", Source: "corp", Group: "y"},
		{ID: "file:9", Origin: mapping.FromFile, Team: "d", Source: "corp", Group: "x"}}
	after, lost := mapping.Load(rows, file)
	var got []string
	for _, m := range after {
		got = append(got, fmt.Sprintf("%s %s %s/%s %s", m.ID, m.Origin, m.Team, m.Group, m.TeamID))
	}
	want := []string{"file:7 file a/x a-id", "file:8 file b/y b-id", "file:9 file d/x ", "file:1 rule e/x e-id"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("after (-want +got):\n%s", diff)
	}
	if len(lost) != 1 || lost[0].Team != "c-id" {
		t.Errorf("lost %+v, want c", lost)
	}
}

// Somebody was linked to one account, and the attribute names another now: of neither is anybody sure, and neither leaves.
func TestAnAccountOfWhichItIsInDoubtWhoseItIsStays(t *testing.T) {
	w := newWorld().user("ada", directory.Active, "countess").group("eng", "ada").account("ada").account("countess").
		team("platform", "ada", "countess").mapped("platform", "eng")
	w.before = []link.Link{{User: link.UserRef{Source: "corp", ID: "ada"}, Account: "ada-id", Login: "ada", Tier: link.Attribute, Value: "ada", State: link.Standing}}
	if got, want := verdict(t, w.resolve(), "platform"), "=ada (linked identity is in doubt), =countess (linked identity is in doubt)"; got != want {
		t.Errorf("platform: %s, want %s", got, want)
	}
}

func TestATeamThatIsKeptElsewhereIsNotEmptiedWhenItLosesItsMapping(t *testing.T) {
	w := newWorld().team("platform", "ada").known("platform", "ada", mapping.LedgerGranted, "eng")
	w.in.Teams[0].Foreign = "is kept in line by GitHub itself"
	w.in.Disconnects = []mapping.Disconnect{{Team: "platform-id", Origin: mapping.FromFile}}
	r := w.resolve()
	if len(r.Wanted) != 0 || len(r.Settled) != 1 || len(r.Forget["platform-id"]) != 1 {
		t.Errorf("%+v", r)
	}
}
