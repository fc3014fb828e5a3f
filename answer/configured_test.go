package answer_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"musterline.example/answer"
	"musterline.example/catalog"
	"musterline.example/config"
	"musterline.example/store"
	"musterline.example/team"
)

// url is where the simulated GitHub answers.
func (s *street) url() string { return s.config.Targets["octo"].Values.Text("api_url") }

func (s *street) put(section, name, body string) error {
	_, err := s.PutRow(s.t.Context(), answer.RowWish{Section: section, Name: name, Body: []byte(body), Version: store.AnyVersion, By: "ann"})
	return err
}

func (s *street) mustPut(section, name, body string) {
	s.t.Helper()
	if err := s.put(section, name, body); err != nil {
		s.t.Fatal(err)
	}
}

// taken is the body of a target that keeps an organization.
func (s *street) keeping(organization string) string {
	return fmt.Sprintf(`{"kind":"github","organization":%q,"api_url":%q,"token":"x","pace":"0s"}`, organization, s.url())
}

func (s *street) requests() []answer.Request {
	s.t.Helper()
	all, err := s.Requests(s.t.Context(), "octo")
	if err != nil {
		s.t.Fatal(err)
	}
	return all.Requests
}

func TestChangesThatFitEachAndNotTogetherAreNotAllTaken(t *testing.T) {
	s := open(t)
	var all sync.WaitGroup
	results := make([]error, 8)
	for i := range results {
		all.Go(func() { results[i] = s.put("targets", fmt.Sprintf("t%d", i), s.keeping("third-org")) })
	}
	all.Wait()
	taken := 0
	for _, err := range results {
		switch {
		case err == nil:
			taken++
		case class(err) != answer.Usage && class(err) != answer.Conflict:
			t.Error(err)
		}
	}
	if rows, err := s.Rows(t.Context(), "targets"); err != nil || taken != 1 || len(rows.Rows) != 2 {
		t.Errorf("%d were taken, and there are %d targets: %v", taken, len(rows.Rows), err)
	}
}

func TestATargetDoesNotGoWhileSomebodyMakesARuleForIt(t *testing.T) {
	s := open(t)
	ctx := t.Context()
	for range 10 {
		s.mustPut("targets", "third", s.keeping("third-org"))
		var both sync.WaitGroup
		var gone, made error
		both.Go(func() {
			gone = s.DeleteRow(ctx, answer.RowWish{Section: "targets", Name: "third", Version: store.AnyVersion, By: "ann"})
		})
		both.Go(func() {
			made = s.put("rules", "r", `{"match":"people/gh-*","team":"third/{{ .Group.Name }}"}`)
		})
		both.Wait()
		if gone == nil && made == nil || gone != nil && made != nil {
			t.Fatalf("gone: %v, made: %v", gone, made)
		}
		if made == nil {
			if err := s.DeleteRow(ctx, answer.RowWish{Section: "rules", Name: "r", Version: store.AnyVersion, By: "ann"}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// withRule is a house whose API has made a rule, by which a sync has put people into a team.
func withRule(t *testing.T) *street {
	t.Helper()
	s := open(t)
	s.write("more.yaml", strings.ReplaceAll(people, "name: leads", "name: gh-leads"))
	s.mustPut("targets", "third", s.keeping("third-org"))
	s.mustPut("sources", "more", `{"kind":"file","path":"more.yaml"}`)
	s.mustPut("rules", "leads", `{"match":"people/lea*","team":"octo/{{ .Group.Name }}","create":true}`)
	house, err := answer.NewCurrent(s.House).House(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.House = house
	s.sync()
	if got := s.members("leads"); got != "ada-l" {
		t.Fatalf("the rule's team holds %s", got)
	}
	return s
}

// A start must not fail for what the file has come to say; and what is missing then must not look like what somebody has taken away.
func TestAHouseOpensWithoutTheRowsThatDoNotFitAndLeavesAloneWhatRestsOnThem(t *testing.T) {
	ctx := t.Context()
	s := withRule(t)
	s.reload(strings.ReplaceAll(configuration, "people", "staff") + `
rules:
- { match: "staff/none-*", team: "octo/{{ .Group.Name }}" }
`)
	const why = "there is no source of that name"
	for what, f := range map[string]func() error{
		"plan":    func() error { _, err := s.Plan(ctx, "octo"); return err },
		"sync":    func() error { _, err := s.Sync(ctx, answer.SyncWish{Target: "octo", By: "ann"}, nil); return err },
		"approve": func() error { _, err := s.Approve(ctx, answer.ApproveWish{Target: "octo", Preview: true}); return err },
	} {
		if err := f(); class(err) != answer.Conflict || !strings.Contains(err.Error(), "rules/leads") || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if got := s.members("leads"); got != "ada-l" {
		t.Errorf("the rule's team holds %s", got)
	}
	d, err := s.AllDeps(ctx, answer.Schedule)
	if _, there := d.Targets["octo"]; err != nil || there || len(d.Targets) != 1 {
		t.Errorf("jobs work at %v: %v", d.Targets, err)
	}
	status, err := s.Status(ctx)
	if err != nil || len(status.Unfit) != 1 || status.Unfit[0].Name != "leads" || !strings.Contains(status.Unfit[0].Reason, why) ||
		strings.Join(status.Targets[0].RestsOn, " ") != "rules/leads" || len(status.Targets[1].RestsOn) != 0 {
		t.Errorf("status: %+v, %v", status, err)
	}
	rows, err := s.Rows(ctx, "rules")
	if err != nil || len(rows.Rows) != 2 || rows.Rows[0].Unfit != "" || !strings.Contains(rows.Rows[1].Unfit, why) {
		t.Errorf("rows: %+v, %v", rows, err)
	}
	one, err := s.Row(ctx, "rules", "leads")
	if err != nil || !strings.Contains(one.Unfit, why) {
		t.Errorf("row: %+v, %v", one, err)
	}
	for name, house := range map[string]*answer.House{"that is open": s.House, "that has not opened its database": s.another()} {
		report, err := house.Check(ctx)
		said := fmt.Sprintf("%+v", report)
		if err != nil || !strings.Contains(said, "rules/leads") || !strings.Contains(said, why) || report.Troubles() == 0 {
			t.Errorf("check of a house %s: %s, %v", name, said, err)
		}
	}

	// What does not fit is in nobody's way, and can be mended.
	s.mustPut("settings", "enterprise", `{"organizations":["third"]}`)
	if err := s.put("rules", "leads", `{"match":"people/l*","team":"octo/{{ .Group.Name }}","create":true}`); class(err) != answer.Usage {
		t.Errorf("a rule that does not fit was put: %v", err)
	}
	s.mustPut("rules", "leads", `{"match":"staff/lea*","team":"octo/{{ .Group.Name }}","create":true}`)
	mended, err := answer.NewCurrent(s.House).House(ctx)
	if err != nil {
		t.Fatal(err)
	}
	s.House = mended
	s.sync()
	if got := s.members("leads"); got != "ada-l" {
		t.Errorf("the rule's team holds %s", got)
	}
}

func TestOfAChangeThatIsWrongOnlyThatIsSaidAndNotWhatWouldFollow(t *testing.T) {
	s := withRule(t)
	s.mustPut("rules", "r", `{"match":"people/*","team":"third/{{ .Group.Name }}"}`)
	err := s.put("targets", "third", strings.Replace(s.keeping("x"), `"organization":"x",`, "", 1))
	if class(err) != answer.Usage || !strings.Contains(err.Error(), "organization is required") || strings.Contains(err.Error(), "rules") {
		t.Error(err)
	}
}

func TestATargetThatDoesNotFitIsNoTargetAndTheOthersGoOn(t *testing.T) {
	ctx := t.Context()
	s := withRule(t)
	s.reload(strings.Replace(configuration, "mappings:", `  fourth: { kind: github, organization: third-org, api_url: "${GITHUB}", token: x, pace: 0s }
mappings:`, 1))
	if _, err := s.Plan(ctx, "third"); class(err) != answer.NotFound {
		t.Errorf("%v", err)
	}
	if _, err := s.Plan(ctx, "octo"); err != nil {
		t.Error(err)
	}
	rows, err := s.Rows(ctx, "targets")
	if err != nil || len(rows.Rows) != 3 || !strings.Contains(rows.Rows[2].Unfit, "is the organization of targets.fourth too") {
		t.Errorf("%+v, %v", rows, err)
	}
	// To change what rests on nothing is no way to make a rule for it fit.
	if err := s.put("rules", "r", `{"match":"people/*","team":"third/{{ .Group.Name }}"}`); class(err) != answer.Usage {
		t.Errorf("a rule for it was put: %v", err)
	}
	if err := s.DeleteRow(ctx, answer.RowWish{Section: "targets", Name: "third", Version: store.AnyVersion, By: "ann"}); err != nil {
		t.Error(err)
	}
}

func TestWhatTheFileHasComeToDefineIsShownAndCanBeTakenAway(t *testing.T) {
	ctx := t.Context()
	s := withRule(t)
	if _, err := s.CreateToken(ctx, answer.TokenWish{Name: "x", Target: "third", Role: "owner", By: "ann"}); err != nil {
		t.Fatal(err)
	}
	s.reload(strings.Replace(configuration, "mappings:", `  third: { kind: github, organization: another-org, api_url: "${GITHUB}", token: x, pace: 0s }
mappings:`, 1))
	if h := s.Config.Targets["third"]; h.Values.Text("organization") != "another-org" || len(h.LeftOut) != 0 {
		t.Errorf("%+v", h)
	}
	wish := answer.RowWish{Section: "targets", Name: "third", Body: []byte(s.keeping("third-org")), Version: store.AnyVersion, By: "ann"}
	if _, err := s.PutRow(ctx, wish); class(err) != answer.Forbidden {
		t.Errorf("it was put: %v", err)
	}
	rows, err := s.Rows(ctx, "targets")
	if err != nil || len(rows.Rows) != 3 || rows.Rows[1].Origin != "file" || rows.Rows[2].Origin != "api" || !strings.Contains(rows.Rows[2].Unfit, "is defined in the file") {
		t.Errorf("%+v, %v", rows, err)
	}
	if err := s.DeleteRow(ctx, wish); err != nil {
		t.Error(err)
	}
	now, err := answer.NewCurrent(s.House).House(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := now.DeleteRow(ctx, wish); class(err) != answer.Forbidden {
		t.Errorf("the file's was deleted: %v", err)
	}
	if tokens, _, err := s.Store.Tokens(ctx, "third", store.Page{}); err != nil || len(tokens) != 1 || !tokens[0].RevokedAt.IsZero() {
		t.Errorf("the target's tokens: %+v, %v", tokens, err)
	}
}

func TestATargetThatBecomesAnotherOrganizationLosesItsTokensAtOnce(t *testing.T) {
	ctx := t.Context()
	s := open(t)
	s.mustPut("targets", "third", s.keeping("third-org"))
	stands := func() bool {
		t.Helper()
		tokens, _, err := s.Store.Tokens(ctx, "third", store.Page{})
		if err != nil || len(tokens) == 0 {
			t.Fatal(tokens, err)
		}
		return tokens[0].RevokedAt.IsZero()
	}
	for body, want := range map[string]bool{
		s.keeping("third-org"): true,
		strings.Replace(s.keeping("Third-Org"), s.url(), strings.TrimRight(s.url(), "/")+"/", 1):   true, // in other words
		strings.Replace(s.keeping("third-org"), `"pace":"0s"`, `"pace":"1s","apply":"approve"`, 1): true,
		s.keeping("fourth-org"): false,
		strings.Replace(s.keeping("third-org"), s.url(), strings.TrimRight(s.url(), "/")+"/api/v3", 1): false,
		`{"kind":"github","organization":"third-org","token":"x"}`:                                     false, // the address is the usual one now
	} {
		s.mustPut("targets", "third", s.keeping("third-org"))
		if _, err := s.CreateToken(ctx, answer.TokenWish{Name: "x", Target: "third", Role: "owner", By: "ann"}); err != nil {
			// The house of the start does not know the target.
			house, lost := answer.NewCurrent(s.House).House(ctx)
			if lost != nil {
				t.Fatal(lost)
			}
			s.House = house
			if _, err := s.CreateToken(ctx, answer.TokenWish{Name: "x", Target: "third", Role: "owner", By: "ann"}); err != nil {
				t.Fatal(err)
			}
		}
		s.mustPut("targets", "third", body)
		if stands() != want {
			t.Errorf("after %s a token stands: %v", body, !want)
		}
	}
}

// Two houses stand for two servers, which know of no lock of each other.
func TestOfManyWhoSetTheGroupsOfATeamFromOneVersionOneWins(t *testing.T) {
	ctx := t.Context()
	s := open(t)
	houses := []*answer.House{s.House, s.With(s.Config)}
	s.org.AddTeam("Free")
	for round := range 3 {
		is, err := s.Team(ctx, "octo", "free")
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		results := make([]error, 8)
		var winner answer.TeamMappings
		for i := range results {
			groups := []answer.GroupWish{{Group: "people/leads", Role: []string{"member", "maintainer"}[round%2]}}
			if i%2 == 0 {
				groups = append(groups, answer.GroupWish{Group: "people/docs"})
			}
			all.Go(func() {
				var now answer.TeamMappings
				if now, results[i] = houses[i%2].MapTeam(ctx, answer.MapWish{
					Target: "octo", Team: "free", Groups: groups, Version: is.Version, By: "ann",
				}); results[i] == nil {
					winner = now // there is one
				}
			})
		}
		all.Wait()
		won := 0
		for _, err := range results {
			if err == nil {
				won++
			} else if class(err) != answer.Stale || strings.Contains(err.Error(), "map team") {
				t.Error(err)
			}
		}
		if won != 1 {
			t.Fatalf("%d won", won)
		}
		if now, err := s.Team(ctx, "octo", "free"); err != nil || now.Version != winner.Version || len(now.Mappings) != len(winner.Mappings) {
			t.Errorf("the winner was told of %+v, and there is %+v: %v", winner, now, err)
		}
	}
}

// A server of many organizations must not wait for the slowest GitHub.
func TestATargetThatDoesNotAnswerIsInTheWayOfNoOther(t *testing.T) {
	ctx := t.Context()
	s := built(t)
	release, asked := make(chan struct{}), make(chan struct{}, 100)
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		<-release
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer slow.Close()
	free := sync.OnceFunc(func() { close(release) })
	defer free()
	s.write("musterline.yaml", strings.Replace(configuration, "mappings:", fmt.Sprintf(`  slow: { kind: github, organization: slow-org, api_url: %q, token: x, pace: 0s }
mappings:`, slow.URL), 1))
	env := func(string) (string, bool) { return s.url(), true }
	c, err := config.Load(filepath.Join(s.dir, "musterline.yaml"), env, config.Kinds{Sources: catalog.Sources(), Targets: catalog.Targets()})
	if err != nil {
		t.Fatal(err)
	}
	s.config = c
	s.House = s.another()
	if err := s.Hold(ctx, "a test"); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.org.AddTeam("Free")
	ended := make(chan error)
	go func() {
		_, err := s.MapTeam(ctx, answer.MapWish{Target: "slow", Team: "any", Version: answer.AnyVersion, By: "ann"})
		ended <- err
	}()
	<-asked
	wish := answer.MapWish{Target: "octo", Team: "free", Groups: []answer.GroupWish{{Group: "people/leads"}}, Version: answer.AnyVersion, By: "ann"}
	if _, err := s.MapTeam(ctx, wish); err != nil {
		t.Error(err)
	}
	select {
	case err := <-ended:
		t.Errorf("the slow one has ended: %v", err)
	default:
	}
	free()
	if <-ended == nil {
		t.Error("a team of a GitHub that does not answer was mapped")
	}
}

func TestATeamOfATargetThatIsTurnedOffMeanwhileIsNotMapped(t *testing.T) {
	ctx := t.Context()
	s := open(t)
	s.org.AddTeam("Free")
	if _, err := s.Store.SetEnabled(ctx, "octo", store.Enabled{Keep: true}, 0, "joe"); err != nil { // which this house has not heard of
		t.Fatal(err)
	}
	wish := answer.MapWish{Target: "octo", Team: "free", Groups: []answer.GroupWish{{Group: "people/leads"}}, Version: answer.AnyVersion, By: "ann"}
	if _, err := s.MapTeam(ctx, wish); class(err) != answer.Forbidden || !strings.Contains(err.Error(), "turned off") {
		t.Error(err)
	}
}

// serving is a house as a server has it.
func serving(t *testing.T) *street {
	t.Helper()
	s := built(t)
	if err := s.Share(t.Context(), "a test"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if now, err := answer.NewCurrent(s.House).House(t.Context()); err != nil || now != s.House {
		t.Fatal(err)
	}
	return s
}

// What somebody does so that something happens makes it happen at once.
func TestWhatChangesAPlanAsksAServerForItsSync(t *testing.T) {
	ctx := t.Context()
	s := serving(t)
	n := 0
	follows := func(what string, want answer.Request) {
		t.Helper()
		all := s.requests()
		if n++; len(all) != n {
			t.Fatalf("%s: %d requests, not %d", what, len(all), n)
		}
		got := all[n-1]
		if got.Trigger != "person" || got.Asker != "ann" || got.Why == "" || fmt.Sprint(got.Teams) != fmt.Sprint(want.Teams) {
			t.Errorf("%s: %+v", what, got)
		}
	}
	s.mustPut("targets", "third", s.keeping("third-org"))
	now, err := answer.NewCurrent(s.House).House(ctx)
	if err != nil || now == s.House {
		t.Fatal(err)
	}
	s.House = now
	team1 := team.ID(fmt.Sprint(s.org.Team("docs").ID()))
	if _, err := s.Approve(ctx, answer.ApproveWish{Target: "octo", Teams: []string{"docs"}, Preview: true, By: "ann"}); err != nil || len(s.requests()) != 0 {
		t.Fatalf("a preview asks for %v: %v", s.requests(), err)
	}
	if _, err := s.Approve(ctx, answer.ApproveWish{Target: "octo", Teams: []string{"docs"}, Reason: "seen", By: "ann"}); err != nil {
		t.Fatal(err)
	}
	follows("a waiver", answer.Request{Teams: []team.ID{team1}})
	host := strings.TrimPrefix(s.url(), "http://")
	if _, err := s.Link(ctx, answer.LinkWish{User: "people/cy", Account: host + "/77", Reason: "seen", By: "ann"}); err != nil {
		t.Fatal(err)
	}
	follows("a link", answer.Request{})
	if _, err := s.Unlink(ctx, answer.UnlinkWish{User: "people/cy", By: "ann"}); err != nil {
		t.Fatal(err)
	}
	follows("an unlink", answer.Request{})
	waiting, err := s.Store.Requests(ctx, "octo")
	if err != nil || waiting[1].Account != "77" || waiting[2].Account != "77" || len(waiting) != 3 {
		t.Errorf("%+v, %v", waiting, err)
	}
	if _, err := s.Resume(ctx, answer.PauseWish{Target: "octo", By: "ann"}); err != nil || len(s.requests()) != n {
		t.Errorf("to resume what runs asks for a sync: %v", err)
	}
	if _, err := s.Pause(ctx, answer.PauseWish{Target: "octo", By: "ann", Reason: "x"}); err != nil || len(s.requests()) != n {
		t.Errorf("a pause asks for a sync: %v", err)
	}
	if _, err := s.Resume(ctx, answer.PauseWish{Target: "octo", By: "ann"}); err != nil {
		t.Fatal(err)
	}
	follows("the end of a pause", answer.Request{})
}

func TestACommandThatHasTheDatabaseForItselfAsksNobody(t *testing.T) {
	ctx := t.Context()
	s := open(t)
	if _, err := s.Approve(ctx, answer.ApproveWish{Target: "octo", Reason: "seen", By: "ann"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Pause(ctx, answer.PauseWish{Target: "octo", By: "ann", Reason: "x"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Resume(ctx, answer.PauseWish{Target: "octo", By: "ann"}); err != nil {
		t.Fatal(err)
	}
	if all := s.requests(); len(all) != 0 {
		t.Errorf("%+v", all)
	}
}

func TestAnApprovalOfAnUndoAsksForNoSync(t *testing.T) {
	ctx := t.Context()
	s := serving(t)
	if _, err := s.Approve(ctx, answer.ApproveWish{Target: "octo", Reason: "seen", By: "ann"}); err != nil {
		t.Fatal(err)
	}
	done := s.sync()
	before := len(s.requests())
	if _, err := s.Approve(ctx, answer.ApproveWish{Target: "octo", Undo: done.Run, Reason: "seen", By: "ann"}); err != nil || len(s.requests()) != before {
		t.Errorf("%v, %v", s.requests(), err)
	}
}
