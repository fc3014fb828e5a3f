package native_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"musterline.example/answer"
	"musterline.example/guard"
	"musterline.example/plan"
	"musterline.example/team"
)

type changePage struct {
	answer.PlanChanges

	Next string
}

// The figures of a plan and its pages are of one plan: it is kept when it is made to be looked at, and every page of it shows each change once.
func TestAPlanIsLookedAtByThePage(t *testing.T) {
	l := newLab(t)
	l.get("/targets/octo/shown-plan").want(404).says(`"nothing"`)
	l.get("/plans").want(200).says(`"plans":[]`)
	before := l.state()
	head := as[answer.ShownPlan](l.ask("octo's viewer", "POST", "/targets/octo/shown-plan", `{}`).want(200))
	if l.state() != before || len(l.writes()) != 0 {
		t.Error("to look at a plan has changed something")
	}
	if head.Summary.Add != 1 || head.Summary.Remove != 3 || head.Summary.Objected != 3 || head.Free != 1 || head.Ready != 1 || head.Run != nil ||
		head.By != "token octo's viewer" || head.Organization != "octo-org" || len(head.Guards) != 1 {
		t.Fatalf("the plan is %+v", head)
	}
	g := head.Guards[0]
	if g.Guard != "first_connection" || g.Changes != 3 || g.Teams != 2 || len(g.Objections) != 2 || g.Objections[0].Wrong == "" ||
		!strings.HasPrefix(g.Objections[0].Right, "musterline approve octo") {
		t.Errorf("the guard says %+v", g)
	}
	if again := as[answer.ShownPlan](l.ask("octo's viewer", "GET", "/targets/octo/shown-plan", "").want(200)); again.Digest != head.Digest || !again.At.Equal(head.At) {
		t.Errorf("somebody else is shown %+v", again)
	}
	var all []string
	next := ""
	for pages := 0; ; pages++ {
		page := as[changePage](l.get("/targets/octo/shown-plan/changes?size=1&digest=" + head.Digest + "&cursor=" + next).want(200))
		if page.Total != 4 || len(page.Teams) != 1 || len(page.Teams[0].Changes) != 1 {
			t.Fatalf("a page is %+v", page)
		}
		team, change := page.Teams[0], page.Teams[0].Changes[0]
		all = append(all, fmt.Sprintf("%s %d>%d>%d %v %s %s %v", team.Slug, team.Members, team.Now, team.After, team.Continued, change.Act, change.Account.Login, change.Objected))
		if next = page.Next; next == "" {
			break
		}
	}
	want := []string{
		"docs 2>2>1 false remove cy [first_connection]",
		"platform 3>4>2 false add ada-l []",
		"platform 3>4>2 true remove dee [first_connection]",
		"platform 3>4>2 true remove eve [first_connection]",
	}
	if strings.Join(all, "\n") != strings.Join(want, "\n") {
		t.Errorf("the pages show\n%s", strings.Join(all, "\n"))
	}
	for choice, n := range map[string]int{
		"team=docs": 1, "team=docs&team=platform": 4, "guard=first_connection": 3, "guard=team_removals": 0, "act=add": 1, "act=remove": 3, "act=update": 0,
		"objected=true": 3, "q=PLAT": 3, "q=PLAT&act=add": 1, "q=%2525": 0,
	} {
		if page := as[changePage](l.get("/targets/octo/shown-plan/changes?" + choice).want(200)); page.Total != n {
			t.Errorf("%s chooses %d changes, not %d", choice, page.Total, n)
		}
	}
	if got := as[changePage](l.get("/targets/octo/shown-plan/changes?act=add").want(200)).Teams[0].Changes[0]; got.Why != "people/platform" || got.Role != "member" || got.User != "people/ada" {
		t.Errorf("the addition is told as %+v", got)
	}
	l.get("/plans").want(200).says(`"target":"octo"`, head.Digest)
	l.ask("hex's owner", "GET", "/plans", "").want(200).says(`"plans":[]`)
	l.ask("hex's owner", "GET", "/targets/octo/shown-plan", "").want(404)
	l.ask("hex's owner", "GET", "/targets/octo/shown-plan/changes", "").want(404)
	l.get("/targets/octo/shown-plan/changes?act=boss").want(422)
	l.get("/targets/octo/shown-plan/changes?size=1&cursor=" + strings.Repeat("x", 20)).want(422)
	l.get("/targets/octo/shown-plan?undo=99").want(404)
	l.post("/targets/octo/shown-plan", `{"undo":"99"}`).want(404)
}

// Somebody who reads a plan while another is made is told so, and turns no page of the old one.
func TestAPlanThatWasOvertakenIsStale(t *testing.T) {
	l := newLab(t)
	head := as[answer.ShownPlan](l.post("/targets/octo/shown-plan", `{}`).want(200))
	l.org.Team("platform").Remove("dee")
	newer := as[answer.ShownPlan](l.post("/targets/octo/shown-plan", `{}`).want(200))
	if newer.Digest == head.Digest {
		t.Fatal("the plan has not moved")
	}
	for _, part := range []string{"changes", "held", "refused", "leaving"} {
		l.get("/targets/octo/shown-plan/" + part + "?digest=" + head.Digest).want(412).says(`"stale"`)
		l.get("/targets/octo/shown-plan/" + part + "?digest=" + newer.Digest).want(200)
	}
}

// Whoever is held, refused or leaving is told by the page, with the reason.
func TestThoseWhomAPlanLeavesAreLookedAtByThePage(t *testing.T) {
	l := newLab(t)
	l.write("directory.yaml", strings.NewReplacer(
		"- { id: cy, name: Cy, accounts: { github: cy } }",
		"- { id: cy, name: Cy, accounts: { github: cy } }\n- { id: zoe, name: Zoe }\n- { id: yan, name: Yan, accounts: { github: nobody-here } }",
		"members: [ada] }", "members: [ada, zoe, yan] }",
	).Replace(people))
	head := as[answer.ShownPlan](l.post("/targets/octo/shown-plan", `{}`).want(200))
	if head.Summary.Held != 2 || len(head.Held) != 2 || head.Held[0].Reason != "not-linked" || head.Held[0].People != 1 || head.Held[0].Means == "" {
		t.Fatalf("held are %+v", head.Held)
	}
	type heldPage struct {
		answer.PlanHeld

		Next string
	}
	first := as[heldPage](l.get("/targets/octo/shown-plan/held?size=1").want(200))
	if len(first.Held) != 1 || first.Total != 2 || first.Next == "" {
		t.Fatalf("the first page is %+v", first)
	}
	second := as[heldPage](l.get("/targets/octo/shown-plan/held?size=1&cursor=" + first.Next).want(200))
	if len(second.Held) != 1 || second.Next != "" || second.Held[0].User == first.Held[0].User {
		t.Errorf("the second page is %+v", second)
	}
	if of := as[heldPage](l.get("/targets/octo/shown-plan/held?reason=not-linked").want(200)); of.Total != 1 || of.Held[0].Message == "" {
		t.Errorf("not linked are %+v", of)
	}
	if of := as[heldPage](l.get("/targets/octo/shown-plan/held?q=yan").want(200)); of.Total != 1 {
		t.Errorf("Yan is %+v", of)
	}
	l.get("/targets/octo/shown-plan/refused").want(200).says(`"refused":[]`, `"total":0`)
	l.get("/targets/octo/shown-plan/leaving").want(200).says(`"leaving":[]`, `"total":0`)
}

// The plan of a run says what came of each change.
func TestThePlanOfARunSaysWhatCameOfIt(t *testing.T) {
	l := newLab(t)
	l.work()
	wish := as[accepted](l.post("/targets/octo/sync", `{"why":"a new colleague"}`).want(202))
	l.follow("viewer", strings.TrimPrefix(wish.Events, "/api/musterline"))
	head := as[answer.ShownPlan](l.get("/targets/octo/shown-plan").want(200))
	if head.Run == nil || head.Run.ID != "1" || head.Written != 1 || head.Failed != 0 || head.Open != "" {
		t.Fatalf("the plan is %+v", head)
	}
	for _, team := range as[changePage](l.get("/targets/octo/shown-plan/changes").want(200)).Teams {
		for _, ch := range team.Changes {
			if done := ch.Result == "done"; done != (ch.Act == "add") {
				t.Errorf("%s %s: %q", ch.Act, ch.Account.Login, ch.Result)
			}
		}
	}
	run := as[answer.ShownRun](l.ask("octo's viewer", "GET", "/runs/1/summary", "").want(200))
	if run.State != "objected" || run.Writes != 1 || run.Settled != 1 || run.Undoable != 1 || !run.Planned || run.Organization != "octo-org" ||
		!slices.ContainsFunc(run.Wishes, func(w answer.RunWish) bool { return w.Why == "a new colleague" && w.Asker == "token administrator" }) || run.UndoneBy != "" {
		t.Errorf("the run is %+v", run)
	}
	l.ask("hex's owner", "GET", "/runs/1/summary", "").want(404)
	l.ask("hex's owner", "GET", "/runs/1/writes", "").want(404)

	// The newer of the two is shown.
	fresh := as[answer.ShownPlan](l.post("/targets/octo/shown-plan", `{}`).want(200))
	if fresh.Run != nil || fresh.Summary.Add != 0 {
		t.Errorf("planned anew it is %+v", fresh)
	}
}

type writePage struct {
	answer.RunWrites

	Next string
}

func TestTheWritesOfARunComeByThePage(t *testing.T) {
	l := newLab(t)
	l.work()
	l.post("/targets/octo/approvals", `{"reason":"checked"}`).want(200)
	shown := as[answer.ShownPlan](l.post("/targets/octo/shown-plan", `{}`).want(200))
	wish := as[accepted](l.post("/targets/octo/sync", `{}`).want(202))
	l.follow("viewer", strings.TrimPrefix(wish.Events, "/api/musterline"))
	run := as[answer.Request](l.get("/requests/" + wish.ID).want(200)).Run
	var all []string
	next := ""
	for {
		page := as[writePage](l.get("/runs/" + run + "/writes?size=3&cursor=" + next).want(200))
		for _, w := range page.Writes {
			all = append(all, fmt.Sprintf("%s %s %s %s", w.Team, w.Act, w.Account.Login, w.Result))
			if w.Said == "" {
				t.Errorf("nobody says why: %+v", w)
			}
		}
		if next = page.Next; next == "" {
			break
		}
	}
	if len(all) != 4 || shown.Summary.Add+shown.Summary.Remove != 4 {
		t.Errorf("written was %q", all)
	}
	if page := as[writePage](l.get("/runs/" + run + "/writes?result=failed").want(200)); len(page.Writes) != 0 {
		t.Errorf("failed are %+v", page)
	}
	if page := as[writePage](l.get("/runs/" + run + "/writes?q=DEE").want(200)); len(page.Writes) != 1 {
		t.Errorf("dee is %+v", page)
	}
	l.get("/runs/" + run + "/writes?result=nice").want(422)
	l.get("/runs/99/writes").want(404)
	l.get("/runs/99/summary").want(404)

	// A page takes up the events where it stands, without plans.
	for _, e := range l.follow("viewer", "/runs/"+run+"/events?after=3&brief=true") {
		if e.name == "plan" || e.name == "write" && e.id != "4" {
			t.Errorf("told was %+v", e)
		}
	}
}

func TestRunsAreChosenByHowTheyEndedAndWhatSetThemOff(t *testing.T) {
	l := newLab(t)
	l.work()
	wish := as[accepted](l.post("/targets/octo/sync", `{}`).want(202))
	l.follow("viewer", strings.TrimPrefix(wish.Events, "/api/musterline"))
	for choice, n := range map[string]int{
		"": 1, "state=objected": 1, "state=running": 0, "state=failed": 0, "trigger=person": 1, "trigger=schedule": 0, "target=octo&trigger=person": 1, "target=hex": 0,
	} {
		if got := strings.Count(l.get("/runs?"+choice).want(200).text, `"id":`); got != n {
			t.Errorf("%q chooses %d runs, not %d", choice, got, n)
		}
	}
	l.ask("hex's owner", "GET", "/runs", "").want(200).says(`"runs":[]`)
	l.get("/runs?state=nice").want(422)
}

// An approval that is previewed for a page keeps the whole plan to be looked at, and says no more than what it is about.
func TestAnApprovalIsLookedAtByThePage(t *testing.T) {
	l := newLab(t)
	shown := as[answer.Approval](l.post("/targets/octo/approvals", `{"preview":true,"show":true,"teams":["platform"]}`).want(200))
	if shown.Changes != 2 || len(shown.Plan.Teams) != 0 {
		t.Fatalf("shown: %+v", shown)
	}
	page := as[changePage](l.get("/targets/octo/shown-plan/changes?objected=true&team=platform&digest=" + shown.Plan.Digest).want(200))
	if page.Total != 2 {
		t.Errorf("the page has %d changes, the approval %d", page.Total, shown.Changes)
	}
	made := as[answer.Approval](l.post("/targets/octo/approvals", fmt.Sprintf(`{"teams":["platform"],"reason":"they have left","digest":%q}`, shown.Digest)).want(200))
	if made.Changes != 2 || made.Waiver == "" {
		t.Errorf("made: %+v", made)
	}
}

// Taking a run back is looked at like any plan, and its reason is kept.
func TestAnUndoIsLookedAtByThePageAndKeepsItsReason(t *testing.T) {
	l := newLab(t)
	l.work()
	wish := as[accepted](l.post("/targets/octo/sync", `{}`).want(202))
	l.follow("viewer", strings.TrimPrefix(wish.Events, "/api/musterline"))
	plan := as[answer.ShownPlan](l.post("/targets/octo/shown-plan", `{"undo":"1"}`).want(200))
	if plan.Undoes != "1" || plan.Summary.Remove != 1 || plan.Ready != 1 {
		t.Fatalf("the undo is %+v", plan)
	}
	page := as[changePage](l.get("/targets/octo/shown-plan/changes?undo=1&digest=" + plan.Digest).want(200))
	if page.Total != 1 || page.Teams[0].Changes[0].Account.Login != "ada-l" || page.Teams[0].Changes[0].Act != "remove" {
		t.Errorf("it changes %+v", page)
	}
	if sync := as[answer.ShownPlan](l.get("/targets/octo/shown-plan").want(200)); sync.Undoes != "" {
		t.Errorf("the plan of a sync is %+v", sync)
	}
	back := as[accepted](l.post("/runs/1/undo", fmt.Sprintf(`{"digest":%q,"reason":"the wrong  Ada"}`, plan.Digest)).want(202))
	events := l.follow("viewer", strings.TrimPrefix(back.Events, "/api/musterline"))
	if events[len(events)-1].name != "end" {
		t.Fatalf("heard %+v", events)
	}
	l.get("/status?target=octo").want(200).says("run 1 was undone by run 2: the wrong Ada")
	l.get("/audit?kind=pause").want(200).says("the wrong Ada")
	if run := as[answer.ShownRun](l.get("/runs/1/summary").want(200)); run.UndoneBy != "2" {
		t.Errorf("undone by %q", run.UndoneBy)
	}
	if nothing := as[answer.ShownPlan](l.post("/targets/octo/shown-plan", `{"undo":"1"}`).want(200)); nothing.Summary.Remove != 0 || nothing.Undoes != "1" {
		t.Errorf("a second time it is %+v", nothing)
	}
}

type journalPage struct {
	Entries []answer.JournalEntry
	Next    string
}

// The audit record is read in words, the newest first, by the page, and each page shows entries once.
func TestTheAuditRecordIsReadInWords(t *testing.T) {
	l := newLab(t)
	l.work()
	wish := as[accepted](l.post("/targets/octo/sync", `{}`).want(202))
	l.follow("viewer", strings.TrimPrefix(wish.Events, "/api/musterline"))
	var seqs []int64
	next := ""
	for {
		page := as[journalPage](l.get("/audit/journal?size=3&cursor=" + next).want(200))
		for _, e := range page.Entries {
			if len(seqs) > 0 && e.Seq != seqs[len(seqs)-1]-1 {
				t.Errorf("entry %d comes after %d", e.Seq, seqs[len(seqs)-1])
			}
			if seqs = append(seqs, e.Seq); e.Said == "" || e.Details == nil {
				t.Errorf("entry %d says nothing", e.Seq)
			}
		}
		if next = page.Next; next == "" {
			break
		}
	}
	if len(seqs) < 5 || seqs[len(seqs)-1] != 1 {
		t.Fatalf("the pages show entries %v", seqs)
	}
	outcome := as[journalPage](l.get("/audit/journal?kind=outcome").want(200)).Entries[0]
	if outcome.TeamSlug != "platform" || outcome.Login != "ada-l" || !strings.Contains(outcome.Said, "octo/platform") {
		t.Errorf("the outcome is %+v", outcome)
	}
	told := false
	for _, d := range outcome.Details {
		told = told || d.Label == "ledger › role" && d.After != nil && *d.After == "member" && d.Before != nil && *d.Before == ""
	}
	if !told {
		t.Errorf("before and after do not show: %+v", outcome.Details)
	}
	for choice, some := range map[string]bool{
		"team=octo/platform&kind=outcome": true, "account=ada-l": true, "act=add": true, "act=remove": false, "result=done": true, "result=failed": false,
		"actor=" + url.QueryEscape("token administrator"): true, "actor=nobody": false, "q=ADA": true, "q=zzz": false, "target=octo": true, "run=1": true,
		"since=2020-01-01T00:00:00Z": true, "until=2020-01-01T00:00:00Z": false, "q=administrator": true,
	} {
		if page := as[journalPage](l.get("/audit/journal?" + choice).want(200)); len(page.Entries) > 0 != some {
			t.Errorf("%q chooses %d entries", choice, len(page.Entries))
		}
		lines := strings.Count(l.get("/audit/export?"+choice).want(200).text, "\n")
		if lines > 0 != some {
			t.Errorf("%q exports %d lines", choice, lines)
		}
	}
	l.get("/audit/journal?act=turn-off").want(200)
	l.get("/audit/journal?act=turned-off").want(422)
	l.get("/audit?kind=outcomes").want(422)
	bound := as[journalPage](l.ask("hex's owner", "GET", "/audit/journal", "").want(200))
	for _, e := range bound.Entries {
		if e.Target != "hex" {
			t.Errorf("hex's owner reads %+v", e)
		}
	}
	l.ask("hex's owner", "GET", "/audit/journal?target=octo", "").want(http.StatusNotFound)
	l.get("/audit/journal?cursor=" + strings.Repeat("x", 20)).want(422)
}

func TestAnEntryIsTakenApartForPeople(t *testing.T) {
	l := newLab(t)
	l.ask("administrator", "PUT", "/settings/guards", `{"team_removals":{"max":5}}`, "If-Match", `"0"`).want(200)
	l.ask("administrator", "PUT", "/settings/guards", `{"team_removals":{"max":7}}`, "If-Match", "*").want(200)
	entry := as[journalPage](l.get("/audit/journal?kind=configured&size=1").want(200)).Entries[0]
	text, _ := json.Marshal(entry.Details)
	if !strings.Contains(string(text), `"before":"max: 5","after":"max: 7"`) {
		t.Errorf("the change is told as %s", text)
	}
}

// A plan of ten thousand changes, all of which a guard stops, comes by the page: each change once, a team over several pages says that it goes on,
// and the figures stay small.
func TestTenThousandChangesComeByThePage(t *testing.T) {
	l := newLab(t)
	p := &plan.Plan{Target: "octo", Digest: "large"}
	objections := make([]guard.Objection, 0, 40)
	for i := range 40 {
		c := plan.TeamChange{Team: team.ID(fmt.Sprint(1000 + i)), Slug: fmt.Sprintf("team-%02d", i), Members: 250}
		o := guard.Objection{Guard: "team_removals", Team: c.Team, Slug: c.Slug, Message: c.Slug + " would lose all"}
		for n := range 250 {
			ch := plan.Change{Act: plan.Remove, Account: team.AccountID(fmt.Sprint(i*1000 + n)), Login: fmt.Sprintf("p%d-%03d", i, n)}
			c.Remove, o.Changes = append(c.Remove, ch), append(o.Changes, guard.RefOf(&c, ch))
		}
		p.Teams, objections = append(p.Teams, c), append(objections, o)
	}
	if err := l.house.Store.SavePlan(t.Context(), "1", p, objections); err != nil {
		t.Fatal(err)
	}
	answered := l.get("/targets/octo/shown-plan").want(200)
	head := as[answer.ShownPlan](answered)
	if head.Summary.Objected != 10_000 || head.Guards[0].Changes != 10_000 || head.Guards[0].Teams != 40 || len(head.Guards[0].Objections) != 5 ||
		head.Guards[0].More != 35 || len(answered.text) > 5_000 {
		t.Errorf("the figures are %d bytes: %+v", len(answered.text), head)
	}
	seen := make(map[string]bool)
	next, pages, goneOn := "", 0, 0
	for {
		page := as[changePage](l.get("/targets/octo/shown-plan/changes?digest=large&size=300&cursor=" + next).want(200))
		pages++
		for _, of := range page.Teams {
			if of.Continued {
				goneOn++
			}
			for _, ch := range of.Changes {
				if seen[ch.Account.Login] {
					t.Fatalf("%s is shown twice", ch.Account.Login)
				}
				seen[ch.Account.Login] = true
			}
		}
		if next = page.Next; next == "" {
			break
		}
	}
	if len(seen) != 10_000 || pages != 34 || goneOn == 0 {
		t.Errorf("%d pages have shown %d changes, and %d teams went on", pages, len(seen), goneOn)
	}
}
