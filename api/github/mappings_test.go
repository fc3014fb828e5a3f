package github_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"musterline.example/api/access"
	"musterline.example/api/github"
	"musterline.example/directory"
	"musterline.example/guard"
	"musterline.example/internal/githubsim"
	"musterline.example/mapping"
	"musterline.example/plan"
	"musterline.example/reconcile"
	"musterline.example/store"
	"musterline.example/team"
)

func (l *lab) id(slug string) team.ID { return team.ID(fmt.Sprint(l.acme.Team(slug).ID())) }

// entries are the audit entries about mappings of a team, the newest first.
func (l *lab) entries(slug string) []store.Entry {
	l.t.Helper()
	all, err := l.store.Entries(context.Background(), store.Filter{Team: string(l.id(slug))})
	if err != nil {
		l.t.Fatal(err)
	}
	return all
}

func TestAnUnmappedTeamHasNoGroups(t *testing.T) {
	l := newLab(t)
	equal(t, "body", l.get(mappings, ann).want(t, http.StatusOK).text, `{"groups":[]}`)
}

func TestAnOrganizationThatIsOffIsNotManaged(t *testing.T) {
	l := newLab(t)
	l.set(func(s *github.Settings) { s.Off = true })
	for _, a := range []answer{l.get(mappings, ann), l.get(list, ann), l.do(http.MethodPatch, mappings, ann, wish("1"))} {
		a.want(t, http.StatusForbidden)
		if !strings.HasPrefix(a.body.Message, "This team is not externally managed. Learn more at https://docs.github.com/articles/synchronizing-teams") {
			t.Error(a.text)
		}
		equal(t, "status", a.body.Status, "403")
	}
}

func TestATagStandsForTheMapping(t *testing.T) {
	each(t, func(t *testing.T, l *lab) {
		tags := map[string]bool{}
		for _, body := range []string{
			wish(), wish("1"), wish("1", "2"), wish("2"),
			`{"groups":[{"group_id":"corp:2","group_name":"renamed","group_description":"as said: 2"}]}`,
			`{"groups":[{"group_id":"corp:2","group_name":"renamed","group_description":""}]}`,
		} {
			l.do(http.MethodPatch, mappings, ann, body).want(t, http.StatusOK)
			a := l.get(mappings, ann)
			tag := a.header.Get("ETag")
			if tags[tag] {
				t.Error("another mapping has the same tag")
			}
			tags[tag] = true
			for _, names := range []string{tag, "W/" + tag, `"other", ` + tag} {
				b := l.get(mappings, ann, "If-None-Match", names).want(t, http.StatusNotModified)
				equal(t, "body", b.text, "")
				equal(t, "tag", b.header.Get("ETag"), tag)
			}
			l.get(mappings, ann, "If-None-Match", `"guessed"`).want(t, http.StatusOK)
		}
		equal(t, "HEAD", l.do(http.MethodHead, mappings, annReads, "").header.Get("ETag") != "", true)
	})
}

// terraform compares all three texts and takes a difference for a replacement.
func TestGroupsComeBackInOrderAndAsTheyWereSaid(t *testing.T) {
	each(t, func(t *testing.T, l *lab) {
		body := `{"groups":[{"group_id":"corp:3","group_name":"Docs (old name)","group_description":""},{"group_id":"corp:1","group_name":"","group_description":"  x\n<&>"},` +
			`{"group_id":"corp:2","group_name":"Ünïcode","group_description":"` + strings.Repeat("long ", 2000) + `"}]}`
		var said struct{ Groups []map[string]string }
		if err := json.Unmarshal([]byte(body), &said); err != nil {
			t.Fatal(err)
		}
		check := func(a answer, order ...int) {
			t.Helper()
			if len(a.body.Groups) != len(order) {
				t.Fatalf("%d groups", len(a.body.Groups))
			}
			for i, o := range order {
				g, s := a.body.Groups[i], said.Groups[o]
				if g.ID != s["group_id"] || g.Name != s["group_name"] || g.Description != s["group_description"] {
					t.Errorf("%d: got %+v, want %v", i, g, s)
				}
			}
		}
		check(l.do(http.MethodPatch, mappings, ann, body).want(t, http.StatusOK), 0, 1, 2)
		for range 3 {
			check(l.get(mappings, ann), 0, 1, 2)
		}
		l.read("corp", directory.Group{ID: "1", Name: "Renamed"}, directory.Group{ID: "2", Name: "Too"}, directory.Group{ID: "3", Name: "Three"})
		check(l.get(mappings, ann), 0, 1, 2) // what the source calls it now is no news to who said it
		before := l.get(mappings, ann).header.Get("ETag")
		check(l.do(http.MethodPatch, mappings, ann, body).want(t, http.StatusOK), 0, 1, 2)
		equal(t, "the same again has the tag", l.get(mappings, ann).header.Get("ETag"), before)
	})
}

func TestAPatchReplacesTheWholeSet(t *testing.T) {
	each(t, func(t *testing.T, l *lab) {
		patch := func(ids ...string) string {
			t.Helper()
			return l.do(http.MethodPatch, mappings, ann, wish(ids...)).want(t, http.StatusOK).ids()
		}
		equal(t, "answer", patch("1", "2"), "corp:1 corp:2")
		equal(t, "answer", patch("2", "3", "4", "5", "6"), "corp:2 corp:3 corp:4 corp:5 corp:6")
		equal(t, "read", l.get(mappings, ann).ids(), "corp:2 corp:3 corp:4 corp:5 corp:6")
		a := l.do(http.MethodPatch, mappings, ann, `{"groups":[]}`).want(t, http.StatusOK)
		equal(t, "body", a.text, `{"groups":[]}`)
		equal(t, "read", l.get(mappings, ann).text, `{"groups":[]}`)
		equal(t, "audit entries", len(l.entries("platform")), 3)
		equal(t, "who", l.entries("platform")[0].Actor.Requester, strings.TrimPrefix(l.ghWeb.URL, "http://")+"/ann")
	})
}

func TestOneGroupMayBeMappedToManyTeams(t *testing.T) {
	l := newLab(t)
	for _, slug := range []string{"platform", "design", "backend"} {
		path := "/orgs/acme/teams/" + slug + "/team-sync/group-mappings"
		equal(t, slug, l.do(http.MethodPatch, path, ann, wish("1")).want(t, http.StatusOK).ids(), "corp:1")
	}
	equal(t, "the first", l.get(mappings, ann).ids(), "corp:1")
}

func TestTheSameGroupTwiceCountsOnce(t *testing.T) {
	l := newLab(t)
	equal(t, "groups", l.do(http.MethodPatch, mappings, ann, wish("1", "2", "1", "1", "2", "1")).want(t, http.StatusOK).ids(), "corp:1 corp:2")
	equal(t, "five and two again", l.do(http.MethodPatch, mappings, ann, wish("1", "2", "3", "4", "5", "1", "5")).want(t, http.StatusOK).ids(),
		"corp:1 corp:2 corp:3 corp:4 corp:5")
}

// Every check comes before the first write.
func TestARefusedPatchChangesNothing(t *testing.T) {
	each(t, func(t *testing.T, l *lab) {
		l.do(http.MethodPatch, mappings, ann, wish("1", "2")).want(t, http.StatusOK)
		before := l.get(mappings, ann)
		entries, asked := len(l.entries("platform")), l.asked()
		group := `{"group_id":"corp:3","group_name":"n","group_description":"d"}`
		for body, want := range map[string]struct {
			code    int
			message string
			detail  string // code of the first of errors
		}{
			"":                                {422, "Invalid request.\n\ngroups is missing.", "invalid"},
			" \n":                             {422, "Invalid request.\n\ngroups is missing.", "invalid"},
			"{}":                              {422, "Invalid request.\n\ngroups is missing.", "invalid"},
			`{"groups":`:                      {400, "Problems parsing JSON", ""},
			`{"groups":[]} x`:                 {400, "Problems parsing JSON", ""},
			"groups=":                         {400, "Problems parsing JSON", ""},
			"\xef\xbb\xbf{}":                  {400, "Problems parsing JSON", ""},
			"[]":                              {400, "Body should be a JSON object", ""},
			"null":                            {400, "Body should be a JSON object", ""},
			`"groups"`:                        {400, "Body should be a JSON object", ""},
			"7":                               {400, "Body should be a JSON object", ""},
			`{"groups":null}`:                 {422, "Invalid request.\n\ngroups is not an array.", "invalid"},
			`{"groups":{}}`:                   {422, "Invalid request.\n\ngroups is not an array.", "invalid"},
			`{"groups":"seekrit"}`:            {422, "Invalid request.\n\ngroups is not an array.", "invalid"},
			`{"Groups":[]}`:                   {422, "Invalid request.\n\ngroups is the only permitted key.", "invalid"},
			`{"groups":[],"org":"acme"}`:      {422, "Invalid request.\n\ngroups is the only permitted key.", "invalid"},
			`{"groups":[],"synced_at":"now"}`: {422, "Invalid request.\n\ngroups is the only permitted key.", "invalid"},
			`{"seekrit":1}`:                   {422, "Invalid request.\n\ngroups is the only permitted key.", "invalid"},
			`{"groups":[7]}`:                  {422, "Validation Failed", "invalid"},
			`{"groups":[null]}`:               {422, "Validation Failed", "invalid"},
			`{"groups":[{}]}`:                 {422, "Validation Failed", "missing_field"},
			`{"groups":[{"group_id":"corp:3","group_name":"n"}]}`:                                       {422, "Validation Failed", "missing_field"},
			`{"groups":[{"group_id":"corp:3","group_description":"d"}]}`:                                {422, "Validation Failed", "missing_field"},
			`{"groups":[{"group_name":"n","group_description":"d"}]}`:                                   {422, "Validation Failed", "missing_field"},
			`{"groups":[{"group_id":3,"group_name":"n","group_description":"d"}]}`:                      {422, "Validation Failed", "invalid"},
			`{"groups":[{"group_id":"corp:3","group_name":"n","group_description":null}]}`:              {422, "Validation Failed", "invalid"},
			`{"groups":[{"group_id":"corp:3","group_name":"n\u0000","group_description":"d"}]}`:         {422, "Validation Failed", "invalid"},
			`{"groups":[` + group + `,{"group_id":"corp:99","group_name":"n","group_description":""}]}`: {422, "Validation Failed", "missing"},
			`{"groups":[{"group_id":"seekrit:3","group_name":"n","group_description":""}]}`:             {422, "Validation Failed", "missing"},
			`{"groups":[{"group_id":"3","group_name":"n","group_description":""}]}`:                     {422, "Validation Failed", "missing"},
			`{"groups":[{"group_id":"","group_name":"n","group_description":""}]}`:                      {422, "Validation Failed", "missing"},
			`{"groups":[{"group_id":":","group_name":"n","group_description":""}]}`:                     {422, "Validation Failed", "missing"},
			wish("1", "2", "3", "4", "5", "6"):                                                          {422, "Validation Failed", "invalid"},
			strings.Repeat("[", 100_000):                                                                {400, "Problems parsing JSON", ""},
			strings.Repeat(" ", 2<<20):                                                                  {413, "The body is larger than 1 MiB.", ""},
			`{"groups":["` + strings.Repeat("x", 2<<20) + `"]}`:                                         {413, "The body is larger than 1 MiB.", ""},
		} {
			a := l.do(http.MethodPatch, mappings, ann, body)
			short := body[:min(len(body), 80)]
			if a.code != want.code || a.body.Message != want.message {
				t.Errorf("%s: got %d %s, want %d %s", short, a.code, a.text, want.code, want.message)
			}
			if strings.Contains(a.text, "seekrit") {
				t.Errorf("%s: repeats what was sent: %s", short, a.text)
			}
			if want.detail != "" && (len(a.body.Errors) != 1 || a.body.Errors[0].Code != want.detail || a.body.Errors[0].Field != "groups") {
				t.Errorf("%s: %s", short, a.text)
			}
		}
		equal(t, "what is read", l.get(mappings, ann).text, before.text)
		equal(t, "audit entries", len(l.entries("platform")), entries)
		equal(t, "requests", l.asked(), asked)
	})
}

func (l *lab) asked() int {
	l.t.Helper()
	all, err := l.store.Requests(context.Background(), "octo")
	if err != nil {
		l.t.Fatal(err)
	}
	return len(slices.DeleteFunc(all, func(r reconcile.Request) bool { return !r.DueAt.IsZero() })) // without the ends of graces
}

func TestTheLimitOfGroupsIsASetting(t *testing.T) {
	l := newLab(t)
	a := l.do(http.MethodPatch, mappings, ann, wish("1", "2", "3", "4", "5", "6")).want(t, http.StatusUnprocessableEntity)
	if !strings.Contains(a.body.Errors[0].Message, "at most 5") {
		t.Error(a.text)
	}
	l.set(func(s *github.Settings) { s.GroupsPerTeam = 6 })
	l.do(http.MethodPatch, mappings, ann, wish("1", "2", "3", "4", "5", "6")).want(t, http.StatusOK)
}

func TestTheLegacyRouteTakesWhatItsDescriptionAllows(t *testing.T) {
	each(t, func(t *testing.T, l *lab) {
		path := l.legacy("platform", "/team-sync/group-mappings")
		l.do(http.MethodPatch, path, ann, `{"synced_at":"2020-01-01T00:00:00Z","else":1,"groups":[{"group_id":"corp:1","group_name":"n","group_description":"d",`+
			`"id":"x","name":"y","description":"z"}]}`).want(t, http.StatusOK)
		equal(t, "groups", l.get(path, ann).ids(), "corp:1")
		for _, body := range []string{"", "{}", `{"synced_at":"x"}`, `{"GROUPS":[]}`, `{"groups":[],"synced_at":7}`} {
			l.do(http.MethodPatch, path, ann, body).want(t, http.StatusUnprocessableEntity)
		}
		equal(t, "groups", l.get(path, ann).ids(), "corp:1")
		// A key in another case is another key: it does not empty the set that stands beside it.
		l.do(http.MethodPatch, path, ann, `{"groups":[{"group_id":"corp:2","group_name":"n","group_description":"d"}],"GROUPS":[]}`).want(t, http.StatusOK)
		equal(t, "groups", l.get(path, ann).ids(), "corp:2")
	})
}

func TestGroupsMayHaveKeysThatNobodyKnows(t *testing.T) {
	l := newLab(t)
	l.do(http.MethodPatch, mappings, ann, `{"groups":[{"group_id":"corp:1","group_name":"n","group_description":"d","description":"The Azure"}]}`).want(t, http.StatusOK)
}

func TestAParentTeamIsRefusedUnlessItIsAllowed(t *testing.T) {
	l := newLab(t)
	const path = "/orgs/acme/teams/engineering/team-sync/group-mappings"
	a := l.do(http.MethodPatch, path, ann, wish("1")).want(t, http.StatusForbidden)
	if !strings.HasPrefix(a.body.Message, "This team is not externally managed.") || !strings.Contains(a.body.Message, "backend") {
		t.Error(a.text)
	}
	l.do(http.MethodPatch, l.byID("engineering", "/team-sync/group-mappings"), ann, wish("1")).want(t, http.StatusForbidden)
	equal(t, "groups", l.get(path, ann).ids(), "")
	l.set(func(s *github.Settings) { s.ParentTeams = true })
	l.do(http.MethodPatch, path, ann, wish("1")).want(t, http.StatusOK)

	// A mapped team that becomes a parent is refused from then on.
	l.set(func(s *github.Settings) { s.ParentTeams = false })
	l.do(http.MethodPatch, mappings, ann, wish("1")).want(t, http.StatusOK)
	l.acme.AddTeam("Below").SetParent(l.acme.Team("platform"))
	l.do(http.MethodPatch, mappings, ann, wish("2")).want(t, http.StatusForbidden)
	equal(t, "groups", l.get(mappings, ann).ids(), "corp:1")
}

func TestATeamOfTheEnterpriseIsNotTheOrganizationsToMap(t *testing.T) {
	l := newLab(t)
	l.world.AddEnterprise("big", "ann").Adopt(l.acme)
	l.acme.AddEnterpriseTeam("Everybody")
	const path = "/orgs/acme/teams/ent:everybody/team-sync/group-mappings"
	l.get(path, ann).want(t, http.StatusUnprocessableEntity)
	l.do(http.MethodPatch, path, ann, wish("1")).want(t, http.StatusUnprocessableEntity)
}

// What the file or a rule says is changed there.
func TestATeamOfTheFileOrOfARuleIsRefusedByName(t *testing.T) {
	each(t, func(t *testing.T, l *lab) {
		save := func(m mapping.Mapping) {
			t.Helper()
			m.Source, m.Target, m.GroupID = "corp", "octo", directory.GroupID(m.Group)
			if err := l.store.SaveMappings(context.Background(), "octo", []mapping.Mapping{m}, nil); err != nil {
				t.Fatal(err)
			}
		}
		refused := func(words string) {
			t.Helper()
			for _, body := range []string{wish("2"), wish()} {
				a := l.do(http.MethodPatch, mappings, ann, body).want(t, http.StatusForbidden)
				if !strings.Contains(a.body.Message, words) || strings.Contains(a.body.Message, "/etc") {
					t.Error(a.text)
				}
			}
			equal(t, "groups", l.get(mappings, ann).want(t, http.StatusOK).ids(), "corp:1")
			l.do(http.MethodPut, "/orgs/acme/teams/platform/memberships/dan", ann, "").want(t, http.StatusForbidden)
		}
		save(mapping.Mapping{ID: "file:14", Origin: mapping.FromFile, Team: "platform", TeamID: l.id("platform"), Group: "1"})
		refused("by line 14 of the configuration file musterline.yaml")
		equal(t, "the name", l.get(mappings, ann).body.Groups[0].Name, "Platform") // as the source lists it
		equal(t, "the description", l.get(mappings, ann).body.Groups[0].Description, "who keeps it running")
		save(mapping.Mapping{ID: "file:3", Origin: mapping.FromFile, Team: "Platform", Group: "1"}) // by name, and not settled yet
		refused("by line 3 of")
		save(mapping.Mapping{ID: "rule:2", Origin: mapping.FromRule, Team: "platform", TeamID: l.id("platform"), Group: "1"})
		refused("by rule 2 of")
	})
}

// The file counts from the start, before any run has brought the rows in line.
func TestATeamOfTheFileIsRefusedBeforeTheFirstRun(t *testing.T) {
	l := newLabOn(t, "sqlite:"+t.TempDir()+"/a.db", func(l *lab) {
		l.file = []mapping.Mapping{{ID: "file:9", Origin: mapping.FromFile, Team: "platform", Source: "corp", Group: "Platform"}}
	})
	a := l.do(http.MethodPatch, mappings, ann, wish("1")).want(t, http.StatusForbidden)
	if !strings.Contains(a.body.Message, "line 9") {
		t.Error(a.text)
	}
	l.do(http.MethodDelete, "/orgs/acme/teams/platform/memberships/cat", ann, "").want(t, http.StatusForbidden)
	l.do(http.MethodPatch, "/orgs/acme/teams/design/team-sync/group-mappings", ann, wish("1")).want(t, http.StatusOK)
}

// terraform changes a mapping by emptying it and setting it anew at once; so nobody leaves before a grace is over.
func TestGroupsThatAreTakenAwayLeaveAGrace(t *testing.T) {
	each(t, func(t *testing.T, l *lab) {
		l.do(http.MethodPatch, mappings, ann, wish("1", "2")).want(t, http.StatusOK)
		l.do(http.MethodPatch, mappings, ann, wish("2")).want(t, http.StatusOK)
		l.set(func(s *github.Settings) { s.Grace = time.Hour })
		l.do(http.MethodPatch, mappings, ann, wish()).want(t, http.StatusOK)
		lost, err := l.store.Disconnects(context.Background(), "octo")
		if err != nil || len(lost) != 2 {
			t.Fatal(lost, err)
		}
		equal(t, "the first grace", lost[0].Until, l.clock().Add(10*time.Minute).UTC())
		equal(t, "the second", lost[1].Until, l.clock().Add(time.Hour).UTC())
		equal(t, "the team", lost[1].Team, l.id("platform"))
	})
}

func TestAPatchAsksForASyncOfItsTeam(t *testing.T) {
	each(t, func(t *testing.T, l *lab) {
		l.do(http.MethodPatch, mappings, bob, wish("1")).want(t, http.StatusOK)
		all, err := l.store.Requests(context.Background(), "octo")
		if err != nil || len(all) != 1 {
			t.Fatal(all, err)
		}
		equal(t, "trigger", all[0].Trigger, "event")
		equal(t, "asker", all[0].Asker, strings.TrimPrefix(l.ghWeb.URL, "http://")+"/bob")
		if !slices.Equal(all[0].Teams, []team.ID{l.id("platform")}) {
			t.Error(all[0].Teams)
		}
	})
}

// The last one wins whole, and both are in the audit record.
func TestTwoPatchesAtOnce(t *testing.T) {
	each(t, func(t *testing.T, l *lab) {
		var both sync.WaitGroup
		sets := []string{wish("1", "2", "3"), wish("4", "5")}
		for _, body := range sets {
			both.Go(func() {
				if a := l.do(http.MethodPatch, mappings, ann, body); a.code != http.StatusOK {
					t.Error(a.text)
				}
			})
		}
		both.Wait()
		if got := l.get(mappings, ann).ids(); got != "corp:1 corp:2 corp:3" && got != "corp:4 corp:5" {
			t.Error("a mixture:", got)
		}
		equal(t, "audit entries", len(l.entries("platform")), 2)
		equal(t, "requests", l.asked(), 2)
	})
}

// A client that has lost the answer repeats the request.
func TestTheSamePatchAgainGivesTheSame(t *testing.T) {
	l := newLab(t)
	first := l.do(http.MethodPatch, mappings, ann, wish("1", "2")).want(t, http.StatusOK)
	l.pass(time.Minute)
	again := l.do(http.MethodPatch, mappings, ann, wish("1", "2")).want(t, http.StatusOK)
	equal(t, "the answer", again.text, first.text)
	equal(t, "audit entries", len(l.entries("platform")), 1)
}

func TestWhatAMappingHasBesideItsGroupIsKept(t *testing.T) {
	l := newLab(t)
	ctx := context.Background()
	if _, err := l.store.MapTeam(ctx, "octo", l.id("platform"), []mapping.Mapping{
		{Team: "platform", Source: "corp", Group: "Platform", GroupID: "1", Role: team.Maintainer, Mode: mapping.Additive},
	}, mapping.Disconnect{By: "console"}); err != nil {
		t.Fatal(err)
	}
	l.do(http.MethodPatch, mappings, ann, wish("1", "2")).want(t, http.StatusOK)
	all, err := l.store.Mappings(ctx, "octo")
	if err != nil || len(all) != 2 {
		t.Fatal(all, err)
	}
	equal(t, "role", all[0].Role, team.Maintainer)
	equal(t, "mode", all[0].Mode, mapping.Additive)
	equal(t, "role of the new one", all[1].Role, team.Member)
	equal(t, "name of the new one", all[1].Group, "Design") // as the source has it, not as the caller calls it
}

func TestATeamThatIsGoneIsNotFoundAndNoOtherIs(t *testing.T) {
	l := newLab(t)
	l.do(http.MethodPatch, mappings, ann, wish("1")).want(t, http.StatusOK)
	fault := l.gh.Inject(githubsim.Fault{Status: http.StatusBadGateway})
	l.pass(2 * time.Minute)
	l.faulty.Store(true)
	l.get(mappings, ann).want(t, http.StatusBadGateway) // terraform drops from its state what is not found
	fault.Remove()
	l.get(mappings, ann).want(t, http.StatusOK)
	l.acme.Team("platform").Delete()
	l.pass(2 * time.Minute)
	l.get(mappings, ann).want(t, http.StatusNotFound)
	l.get("/orgs/acme/teams/platform/team-sync/group-mappings", eve).want(t, http.StatusNotFound)
}

func TestTheStatusClaimsNothingThatNoRunHasShown(t *testing.T) {
	each(t, func(t *testing.T, l *lab) {
		ctx := context.Background()
		status := func() string {
			t.Helper()
			l.pass(2 * time.Second)
			g := l.get(mappings, ann).want(t, http.StatusOK).body.Groups
			at := "never"
			if g[0].SyncedAt != nil {
				at = *g[0].SyncedAt
			}
			return g[0].Status + " " + at
		}
		run := func(state string, p *plan.Plan, objections ...guard.Objection) (planned, finished time.Time) {
			t.Helper()
			l.pass(time.Minute)
			r, err := l.store.Begin(ctx, reconcile.Run{Target: "octo", Trigger: "schedule"})
			if err != nil {
				t.Fatal(err)
			}
			p.Target = "octo"
			planned = l.clock()
			if err := l.store.SavePlan(ctx, r.ID, p, objections); err != nil {
				t.Fatal(err)
			}
			l.pass(time.Minute)
			if state != "" {
				if err := l.store.Finish(ctx, r.ID, reconcile.Report{Run: r.ID, State: state}); err != nil {
					t.Fatal(err)
				}
			}
			return planned, l.clock()
		}
		stamp := func(at time.Time) string { return "synced " + at.UTC().Format(time.RFC3339) }
		id := l.id("platform")
		l.do(http.MethodPatch, mappings, ann, wish("1")).want(t, http.StatusOK)
		equal(t, "before any run", status(), "unsynced never")
		_, finished := run("done", &plan.Plan{Teams: []plan.TeamChange{{Team: id}}})
		equal(t, "after a run", status(), stamp(finished))
		run("failed", &plan.Plan{Teams: []plan.TeamChange{{Team: id}}})
		equal(t, "after a run that failed with a change left", status(), "unsynced never")
		planned, _ := run("failed", &plan.Plan{})
		equal(t, "after one that failed and had nothing to do here", status(), stamp(planned))
		run("objected", &plan.Plan{Teams: []plan.TeamChange{{Team: id}}}, guard.Objection{Guard: "x", Changes: []guard.Ref{{Team: id}}})
		equal(t, "with a change that a guard stops", status(), "unsynced never")
		run("done", &plan.Plan{Refused: []plan.Refused{{Team: id, Reason: "parent-team"}}})
		equal(t, "with a team that is refused", status(), "unsynced never")
		_, finished = run("done", &plan.Plan{})
		equal(t, "in line", status(), stamp(finished))
		l.do(http.MethodPatch, mappings, ann, wish("2", "1")).want(t, http.StatusOK)
		g := l.get(mappings, ann).body.Groups
		equal(t, "the new one", g[1].ID+" "+g[1].Status, "corp:2 unsynced")
		equal(t, "the one that stays", g[0].ID+" "+g[0].Status, "corp:1 synced")
		run("", &plan.Plan{Teams: []plan.TeamChange{{Team: id}}})
		g = l.get(mappings, ann).body.Groups
		equal(t, "while a run is at it", g[0].Status+" "+g[1].Status, "unsynced unsynced")
	})
}

// Only team synchronization is served. Members of a mapped team come from its groups.
func TestMembersCannotBeChangedByHand(t *testing.T) {
	each(t, func(t *testing.T, l *lab) {
		paths := []string{
			"/orgs/acme/teams/platform/memberships/dan", l.byID("platform", "/memberships/dan"), l.legacy("platform", "/memberships/dan"),
			l.legacy("platform", "/members/dan"),
		}
		for _, method := range []string{http.MethodPut, http.MethodDelete} {
			for _, path := range paths {
				a := l.do(method, path, ann, `{"role":"member"}`).want(t, http.StatusNotFound)
				if !strings.Contains(a.body.Message, "Only team synchronization is served here") {
					t.Error(a.text)
				}
			}
		}
		l.do(http.MethodPatch, mappings, ann, wish("1")).want(t, http.StatusOK)
		for _, method := range []string{http.MethodPut, http.MethodDelete} {
			for _, path := range paths {
				a := l.do(method, path, ann, `{"role":"member"}`).want(t, http.StatusForbidden)
				if !strings.Contains(a.body.Message, "groups") || strings.Contains(a.text, "dan") {
					t.Error(a.text)
				}
				l.do(method, path, cat, "").want(t, http.StatusForbidden)
				l.do(method, path, eve, "").want(t, http.StatusNotFound)
				l.do(method, path, "", "").want(t, http.StatusUnauthorized)
			}
		}
		equal(t, "members", len(l.acme.Team("platform").Members()), 2)
		l.do(http.MethodPatch, mappings, ann, wish()).want(t, http.StatusOK)
		l.do(http.MethodPut, paths[0], ann, "").want(t, http.StatusNotFound)
	})
}

func TestAGitHubAppMayReadAndAMusterlineTokenMayWrite(t *testing.T) {
	each(t, func(t *testing.T, l *lab) {
		l.get(mappings, l.app).want(t, http.StatusOK)
		l.do(http.MethodPatch, mappings, l.app, wish("1")).want(t, http.StatusForbidden)
		for role, code := range map[access.Role]int{access.Viewer: 403, access.Maintainer: 200, access.Owner: 200, access.Administrator: 200} {
			l.get(mappings, l.token(role, "octo")).want(t, http.StatusOK)
			l.do(http.MethodPatch, mappings, l.token(role, "octo"), wish("1")).want(t, code)
			l.do(http.MethodPatch, l.byID("platform", "/team-sync/group-mappings"), l.token(role, ""), wish("2")).want(t, code)
		}
		equal(t, "who", l.entries("platform")[0].Actor.Requester[:6], "token ")
	})
}
