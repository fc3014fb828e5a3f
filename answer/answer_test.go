package answer_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"musterline.example/answer"
	"musterline.example/catalog"
	"musterline.example/config"
	"musterline.example/internal/githubsim"
	"musterline.example/reconcile"
)

const configuration = `
sources:
  people: { kind: file, path: directory.yaml }
targets:
  octo: { kind: github, organization: octo-org, api_url: "${GITHUB}", token: ghp_sim, pace: 0s }
mappings:
- { team: octo/docs, groups: [people/docs] }
- { team: octo/platform, groups: [people/platform] }
`

const people = `
users:
- { id: ada, accounts: { github: ada-l } }
- { id: bob, accounts: { github: bob } }
- { id: cy, accounts: { github: cy } }
groups:
- { id: docs, name: docs, members: [ada] }
- { id: leads, name: leads, members: [ada] }
- { id: platform, name: platform, members: [ada, bob] }
`

const organization = `{"organization": "octo-org", "owners": ["ann"], "members": ["ada-l", "bob", "cy", "dee", "eve"],
 "teams": [{"name": "Docs", "members": ["ada-l", "cy"]}, {"name": "Platform", "members": ["bob", "dee", "eve"]}]}`

// A street is a house and the GitHub across from it.
type street struct {
	*answer.House
	t      testing.TB
	dir    string
	config *config.Config
	github *githubsim.Server
	org    *githubsim.Organization
}

// open opens a house that writes, beside a simulated GitHub.
func open(t testing.TB) *street {
	t.Helper()
	s := built(t)
	if err := s.Hold(t.Context(), "a test"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// built is a house that is not entered yet.
func built(t testing.TB) *street {
	t.Helper()
	s := &street{t: t, dir: t.TempDir()}
	world, err := githubsim.Load(strings.NewReader(organization))
	if err != nil {
		t.Fatal(err)
	}
	s.org, s.github = world.Organizations()[0], githubsim.New(githubsim.Options{World: world})
	s.github.PutToken(githubsim.Token{Value: "ghp_sim", User: "ann", Scopes: []string{"admin:org"}})
	web := httptest.NewServer(s.github)
	t.Cleanup(web.Close)
	s.write("directory.yaml", people)
	s.write("musterline.yaml", configuration)
	env := func(string) (string, bool) { return web.URL, true }
	s.config, err = config.Load(filepath.Join(s.dir, "musterline.yaml"), env, config.Kinds{Sources: catalog.Sources(), Targets: catalog.Targets()})
	if err != nil {
		t.Fatal(err)
	}
	s.House = s.another()
	return s
}

// another is a second house of the same configuration.
func (s *street) another() *answer.House {
	return answer.New(s.config, answer.Options{Now: time.Now, Log: slog.New(slog.DiscardHandler)})
}

func (s *street) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *street) sync() answer.Done {
	s.t.Helper()
	done, err := s.Sync(s.t.Context(), answer.SyncWish{Target: "octo", Trigger: "schedule", By: "cron"}, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return done
}

func (s *street) members(team string) string {
	var logins []string
	for login := range s.org.Team(team).Members() {
		logins = append(logins, login)
	}
	slices.Sort(logins)
	return strings.Join(logins, " ")
}

func class(err error) answer.Class {
	if err == nil {
		return ""
	}
	return answer.ErrorOf(err).Class
}

func TestAnApprovalOfWhatWasShownReadsNothingAgain(t *testing.T) {
	s := open(t)
	wish := answer.ApproveWish{Target: "octo", Preview: true, By: "ann"}
	shown, err := s.Approve(t.Context(), wish)
	if err != nil || shown.Changes != 3 || shown.Waiver != "" || shown.Plan.Summary.Remove != 3 || len(shown.Plan.Teams[1].Add) != 0 {
		t.Fatalf("shown: %+v, %v", shown, err)
	}
	calls := len(s.github.Calls())
	wish.Preview, wish.Digest, wish.Reason = false, shown.Digest, "checked"
	made, err := s.Approve(t.Context(), wish)
	if err != nil || made.Waiver != "1" || made.Changes != 3 || made.By != "ann" || made.Reason != "checked" || !made.Until.After(made.At) {
		t.Errorf("approved: %+v, %v", made, err)
	}
	if n := len(s.github.Calls()) - calls; n != 0 {
		t.Errorf("%d calls to approve what was just shown", n)
	}
	s.sync()
	if got := s.members("platform") + "; " + s.members("docs"); got != "ada-l bob; ada-l" {
		t.Errorf("teams hold %s", got)
	}
}

func TestWhatWasNotShownIsNotApproved(t *testing.T) {
	s := open(t)
	wish := answer.ApproveWish{Target: "octo", Preview: true, By: "ann", Reason: "checked"}
	shown, err := s.Approve(t.Context(), wish)
	if err != nil {
		t.Fatal(err)
	}
	// Somebody looks at less in between, and the world moves: another change is objected to.
	less := wish
	less.Teams = []string{"docs"}
	if _, err := s.Approve(t.Context(), less); err != nil {
		t.Fatal(err)
	}
	s.write("directory.yaml", strings.Replace(people, "[ada, bob]", "[ada]", 1))
	wish.Preview, wish.Digest = false, shown.Digest
	if _, err := s.Approve(t.Context(), wish); class(err) != answer.Conflict || !errors.Is(err, reconcile.ErrMoved) {
		t.Errorf("approved what nobody was shown: %v", err)
	}
	if waivers, err := s.Store.Waivers(t.Context(), "octo"); err != nil || len(waivers) != 0 {
		t.Errorf("waivers: %+v, %v", waivers, err)
	}
	// Planned anew, by another house with nothing in mind, the digest of the same is the same.
	wish.Preview = true
	if shown, err = s.Approve(t.Context(), wish); err != nil {
		t.Fatal(err)
	}
	if other, err := s.another().Approve(t.Context(), wish); err != nil || other.Digest != shown.Digest || shown.Changes != 4 {
		t.Errorf("shown %+v, elsewhere %+v, %v", shown, other, err)
	}
}

func TestAnApprovalNeedsNoPreview(t *testing.T) {
	s := open(t)
	made, err := s.Approve(t.Context(), answer.ApproveWish{Target: "octo", Teams: []string{"platform"}, By: "ann", Reason: "checked"})
	if err != nil || made.Waiver == "" || made.Changes != 2 {
		t.Errorf("%+v, %v", made, err)
	}
	if _, err := s.Approve(t.Context(), answer.ApproveWish{Target: "octo", By: "ann"}); class(err) != answer.Usage {
		t.Errorf("approved without a reason: %v", err)
	}
}

func TestErrorsSayWhatTheyMeanAndRepeatNothing(t *testing.T) {
	s := open(t)
	s.sync()
	ctx := t.Context()
	const word = "<b>zz9"
	for name, c := range map[string]struct {
		ask  func() error
		want answer.Class
	}{
		"no such target to plan":    {func() error { _, err := s.Plan(ctx, word); return err }, answer.NotFound},
		"no such target to sync":    {func() error { _, err := s.Sync(ctx, answer.SyncWish{Target: word}, nil); return err }, answer.NotFound},
		"no such target to pause":   {func() error { _, err := s.Pause(ctx, answer.PauseWish{Target: word, Reason: "x"}); return err }, answer.NotFound},
		"no reason to pause":        {func() error { _, err := s.Pause(ctx, answer.PauseWish{Target: "octo"}); return err }, answer.Usage},
		"no such target to resume":  {func() error { _, err := s.Resume(ctx, answer.PauseWish{Target: word}); return err }, answer.NotFound},
		"no such target in status":  {func() error { _, err := s.Status(ctx, word); return err }, answer.NotFound},
		"no such target's teams":    {func() error { _, err := s.Teams(ctx, word); return err }, answer.NotFound},
		"no such target to approve": {func() error { _, err := s.Approve(ctx, answer.ApproveWish{Target: word, Reason: "x"}); return err }, answer.NotFound},
		"no such guard": {func() error {
			_, err := s.Approve(ctx, answer.ApproveWish{Target: "octo", Guards: []string{word}, Reason: "x"})
			return err
		}, answer.NotFound},
		"no such team to approve": {func() error {
			_, err := s.Approve(ctx, answer.ApproveWish{Target: "octo", Teams: []string{word}, Reason: "x"})
			return err
		}, answer.NotFound},
		"no such run to approve": {func() error {
			_, err := s.Approve(ctx, answer.ApproveWish{Target: "octo", Undo: word, Reason: "x"})
			return err
		}, answer.NotFound},
		"no such run":               {func() error { _, err := s.Run(ctx, word); return err }, answer.NotFound},
		"no such run to undo":       {func() error { _, err := s.Undo(ctx, answer.UndoWish{Run: word}, nil); return err }, answer.NotFound},
		"no such run to plan":       {func() error { _, err := s.PlanUndo(ctx, word); return err }, answer.NotFound},
		"no such page of runs":      {func() error { _, err := s.Runs(ctx, answer.RunsWish{Before: word}); return err }, answer.NotFound},
		"no such team":              {func() error { _, err := s.Why(ctx, "bob", word); return err }, answer.NotFound},
		"no such person":            {func() error { _, err := s.Why(ctx, word, "docs"); return err }, answer.NotFound},
		"no such source":            {func() error { _, err := s.Groups(ctx, answer.GroupsWish{Source: word}); return err }, answer.NotFound},
		"no such team's entries":    {func() error { _, err := s.Audit(ctx, answer.AuditFilter{Team: word}); return err }, answer.NotFound},
		"no such account's entries": {func() error { return s.Export(ctx, answer.AuditFilter{Account: word}, io.Discard) }, answer.NotFound},
		"no such target's entries":  {func() error { _, err := s.Audit(ctx, answer.AuditFilter{Target: word}); return err }, answer.NotFound},
		"no user": {func() error {
			_, err := s.Link(ctx, answer.LinkWish{User: word, Account: "h/1", Reason: "x"})
			return err
		}, answer.Usage},
		"no such source's user": {func() error {
			_, err := s.Link(ctx, answer.LinkWish{User: word + "/ada", Account: "h/1", Reason: "x"})
			return err
		}, answer.NotFound},
		"no account": {func() error {
			_, err := s.Link(ctx, answer.LinkWish{User: "people/ada", Account: "zz9", Reason: "x"})
			return err
		}, answer.Usage},
		"a login is no account": {func() error {
			_, err := s.Link(ctx, answer.LinkWish{User: "people/ada", Account: "h/zz9", Reason: "x"})
			return err
		}, answer.Usage},
		"no such host": {func() error {
			_, err := s.Link(ctx, answer.LinkWish{User: "people/ada", Account: "zz9/1", Reason: "x"})
			return err
		}, answer.NotFound},
		"nothing said of the user": {func() error { _, err := s.Unlink(ctx, answer.UnlinkWish{User: "people/zz9"}); return err }, answer.Nothing},
	} {
		err := c.ask()
		if got := class(err); got != c.want {
			t.Errorf("%s: %q (%v), want %q", name, got, err, c.want)
			continue
		}
		if public := answer.ErrorOf(err).Public(); strings.Contains(public.Message+public.Hint, "zz9") || public.Message == "" {
			t.Errorf("%s: repeats what the asker said: %s (%s)", name, public.Message, public.Hint)
		}
	}
}

func TestAnErrorAroundAnErrorKeepsItsClassAndHint(t *testing.T) {
	inner := answer.Errorf(answer.NotFound, "there is no team %q", "zz9").Plainly("there is no such team").WithHint("look again")
	outer := answer.ErrorOf(errors.Join(inner, errors.New("and more")))
	if outer.Class != answer.NotFound || outer.Hint != "look again" || outer.Message != "there is no team \"zz9\"\nand more" {
		t.Errorf("%+v", outer)
	}
	if got := outer.Public().Message; got != "there is no such team\nand more" {
		t.Errorf("in public: %q", got)
	}
	if answer.ErrorOf(nil) != nil {
		t.Error("no error became one")
	}
	if got := class(context.Canceled); got != answer.Stopped {
		t.Errorf("who gave up waiting is told %q", got)
	}
}

func TestARunIsToldWithItsWrites(t *testing.T) {
	s := open(t)
	var told []answer.Progress
	done, err := s.Sync(t.Context(), answer.SyncWish{Target: "octo", Trigger: "person", By: "ann"}, func(p answer.Progress) { told = append(told, p) })
	if err != nil || done.Added != 1 || done.Objected != 3 || done.State != "objected" || !slices.Equal(done.Guards, []string{"first_connection"}) {
		t.Fatalf("%+v, %v", done, err)
	}
	if len(told) != 2 || told[0].Plan == nil || told[0].Plan.Free() != 1 || told[1].Write == nil || told[1].Write.Account.Login != "ada-l" || told[1].Write.Team != "platform" {
		t.Errorf("told: %+v", told)
	}
	s.sync()
	runs, err := s.Runs(t.Context(), answer.RunsWish{Target: "octo", Limit: 1})
	if err != nil || len(runs.Runs) != 1 || runs.Runs[0].ID != "2" || runs.Runs[0].Target != "octo" {
		t.Fatalf("%+v, %v", runs, err)
	}
	if runs, err = s.Runs(t.Context(), answer.RunsWish{Before: "2"}); err != nil || len(runs.Runs) != 1 || runs.Runs[0].ID != "1" {
		t.Fatalf("%+v, %v", runs, err)
	}
	run, err := s.Run(t.Context(), "1")
	if err != nil || run.Requester != "ann" || run.Done != 1 || run.Summary.Objected != 3 || len(run.Writes) != 1 {
		t.Fatalf("%+v, %v", run, err)
	}
	if w := run.Writes[0]; w.Account.Login != "ada-l" || w.Team != "platform" || w.Act != "add" || w.User != "people/ada" || w.Result != "done" {
		t.Errorf("%+v", w)
	}
}

func TestARunGoesOnWhereItsDeadlineStoppedIt(t *testing.T) {
	s := open(t)
	budget := reconcile.Budget{Run: reconcile.Run{Trigger: "schedule"}, Deadline: time.Now().Add(-time.Second)}
	done, more, err := s.Carry(t.Context(), answer.Schedule, "octo", budget, nil)
	if err != nil || !more || done.Added != 0 {
		t.Fatalf("%+v, %t, %v", done, more, err)
	}
	planned, wrote := 0, 0
	done, more, err = s.Carry(t.Context(), answer.Schedule, "octo", reconcile.Budget{
		Planned: func(*reconcile.Decision) { planned++ }, Deadline: time.Now().Add(time.Hour),
	}, func(p answer.Progress) {
		if p.Write != nil {
			wrote++
		}
	})
	if err != nil || more || done.Run != "1" || done.Added != 1 || planned == 0 || wrote != 1 {
		t.Errorf("%+v, %t, %v; planned %d, wrote %d", done, more, err, planned, wrote)
	}
}

func TestASyncMakesThePlanThatWasShownOrNone(t *testing.T) {
	s := open(t)
	p, err := s.Plan(t.Context(), "octo")
	if err != nil {
		t.Fatal(err)
	}
	s.org.Team("platform").Set("ada-l", githubsim.Member)
	wish := answer.SyncWish{Target: "octo", Trigger: answer.Person, By: "ann", Digest: p.Digest, Answered: true}
	if _, err := s.Sync(t.Context(), wish, nil); class(err) != answer.Conflict {
		t.Errorf("carried out, although the world has moved: %v", err)
	}
}

// What comes after the plan that was seen has been seen by nobody.
func TestAPlanThatWasShownIsCarriedOutInOneGo(t *testing.T) {
	s := open(t)
	s.write("directory.yaml", morePeople)
	p, err := s.Plan(t.Context(), "octo")
	if err != nil {
		t.Fatal(err)
	}
	planned := 0
	done, more, err := s.Carry(t.Context(), answer.Person, "octo", reconcile.Budget{
		Answered: true, Digest: p.Digest, Deadline: time.Now().Add(-time.Second), Planned: func(*reconcile.Decision) { planned++ },
	}, nil)
	if err != nil || more || planned != 1 || done.Added != 2 {
		t.Errorf("%+v, more %t, planned %d times, %v", done, more, planned, err)
	}
}

func TestAPausedTargetIsNoError(t *testing.T) {
	s := open(t)
	if p, err := s.Pause(t.Context(), answer.PauseWish{Target: "octo", By: "ann", Reason: "inventory"}); err != nil || p.Paused == nil || p.WasPaused {
		t.Fatalf("%+v, %v", p, err)
	}
	done := s.sync()
	if done.State != "paused" || done.Words().Paused == nil || done.Words().Paused.Reason != "inventory" || done.Run != "" {
		t.Errorf("%+v", done)
	}
	if p, err := s.Plan(t.Context(), "octo"); err != nil || p.Setting().Paused == nil || p.Setting().Paused.By != "ann" {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestPagesOfGroupsMakeTheWhole(t *testing.T) {
	s := open(t)
	all, err := s.Groups(t.Context(), answer.GroupsWish{Source: "people"})
	if err != nil || len(all.Groups) != 3 || all.Next != "" {
		t.Fatalf("%+v, %v", all, err)
	}
	var found []string
	for wish := (answer.GroupsWish{Source: "people", Size: 2}); ; {
		page, err := s.Groups(t.Context(), wish)
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range page.Groups {
			found = append(found, g.Name)
		}
		if wish.Next = page.Next; wish.Next == "" {
			break
		}
	}
	if got := strings.Join(found, " "); got != "docs leads platform" {
		t.Errorf("pages: %s", got)
	}
	some, err := s.Groups(t.Context(), answer.GroupsWish{Source: "people", Prefix: "LE", Size: 5})
	if err != nil || len(some.Groups) != 1 || some.Groups[0].Name != "leads" || len(some.Groups[0].Teams) != 0 {
		t.Errorf("%+v, %v", some, err)
	}
}

func TestAHouseThatOnlyLooksWritesNothing(t *testing.T) {
	s := built(t)
	if err := s.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx := t.Context()
	for name, act := range map[string]func() error{
		"sync":    func() error { _, err := s.Sync(ctx, answer.SyncWish{Target: "octo"}, nil); return err },
		"undo":    func() error { _, err := s.Undo(ctx, answer.UndoWish{Run: "1"}, nil); return err },
		"pause":   func() error { _, err := s.Pause(ctx, answer.PauseWish{Target: "octo", Reason: "x"}); return err },
		"resume":  func() error { _, err := s.Resume(ctx, answer.PauseWish{Target: "octo"}); return err },
		"approve": func() error { _, err := s.Approve(ctx, answer.ApproveWish{Target: "octo", Reason: "x"}); return err },
		"link": func() error {
			_, err := s.Link(ctx, answer.LinkWish{User: "people/ada", Account: "h/1", Reason: "x"})
			return err
		},
		"unlink": func() error { _, err := s.Unlink(ctx, answer.UnlinkWish{User: "people/ada"}); return err },
	} {
		if err := act(); class(err) != answer.Unavailable {
			t.Errorf("%s: %v", name, err)
		}
	}
	if p, err := s.Plan(ctx, "octo"); err != nil || !p.Setting().NoHistory || p.Summary.Objected != 3 {
		t.Errorf("plan: %+v, %v", p, err)
	}
	if files, err := os.ReadDir(s.dir); err != nil || len(files) != 2 {
		t.Errorf("left behind: %v, %v", files, err)
	}
}

func TestASecondHouseMayLookWhileOneIsHeld(t *testing.T) {
	s := open(t)
	s.sync()
	if err := s.another().Hold(t.Context(), "another test"); class(err) != answer.Unavailable || !strings.Contains(err.Error(), "a test") {
		t.Errorf("held twice: %v", err)
	}
	if err := s.another().Share(t.Context(), "a server"); class(err) != answer.Unavailable {
		t.Errorf("shared while held: %v", err)
	}
	second := s.another()
	if err := second.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	why, err := second.Why(t.Context(), "ada", "platform")
	if err != nil || why.Verdict != "in" || why.Ledger == nil || why.Ledger.Origin != "granted" {
		t.Errorf("%+v, %v", why, err)
	}
}

func TestAHouseAnswersManyAtOnceFromOneOpening(t *testing.T) {
	s := open(t)
	s.sync()
	ctx := t.Context()
	var all sync.WaitGroup
	for range 4 {
		for name, ask := range map[string]func() error{
			"plan":    func() error { _, err := s.Plan(ctx, "octo"); return err },
			"status":  func() error { _, err := s.Status(ctx); return err },
			"why":     func() error { _, err := s.Why(ctx, "ada", "platform"); return err },
			"groups":  func() error { _, err := s.Groups(ctx, answer.GroupsWish{Source: "people"}); return err },
			"teams":   func() error { _, err := s.Teams(ctx, "octo"); return err },
			"audit":   func() error { _, err := s.Audit(ctx, answer.AuditFilter{}); return err },
			"preview": func() error { _, err := s.Approve(ctx, answer.ApproveWish{Target: "octo", Preview: true}); return err },
			"check":   func() error { _, err := s.Check(ctx); return err },
		} {
			all.Go(func() {
				if err := ask(); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
	}
	all.Wait()
	person, err := s.Deps(ctx, answer.Person, "octo")
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.Deps(ctx, answer.Person, "octo")
	if err != nil {
		t.Fatal(err)
	}
	schedule, err := s.Deps(ctx, answer.Schedule, "octo")
	if err != nil {
		t.Fatal(err)
	}
	if person.Sources["people"] != again.Sources["people"] || person.Targets["octo"].Target != again.Targets["octo"].Target {
		t.Error("opened twice")
	}
	if person.Targets["octo"].Target == schedule.Targets["octo"].Target {
		t.Error("the schedule goes in the lane of persons")
	}
}

func TestNamesInTheRecordAreThoseOfItsEntries(t *testing.T) {
	s := open(t)
	s.sync()
	found, err := s.Audit(t.Context(), answer.AuditFilter{Team: "platform", Account: "ada-l", Limit: 5})
	if err != nil || len(found.Entries) == 0 {
		t.Fatalf("%+v, %v", found, err)
	}
	if len(found.Names.Teams) != 1 || len(found.Names.Accounts) != 1 {
		t.Errorf("names: %+v", found.Names)
	}
	e := found.Entries[0]
	if found.Names.Team(e.Target, e.Team) != "platform" || found.Names.Account(e.Account) != "ada-l" || found.Names.Account("77") != "77" {
		t.Errorf("names: %+v", found.Names)
	}
	if found.Form().Names != nil {
		t.Error("the names are in what programs were promised")
	}
}
