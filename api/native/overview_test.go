package native_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"musterline.example/answer"
	"musterline.example/internal/githubsim"
)

type memoryTeams struct {
	answer.Remembered
	Next string
}

type memoryPeople struct {
	answer.TeamPeople
	Next string
}

func (l *lab) sync(who string) {
	l.t.Helper()
	if _, err := l.house.Sync(l.t.Context(), answer.SyncWish{Target: "octo", By: who}, nil); err != nil {
		l.t.Fatal(err)
	}
}

func slugs(teams []answer.RememberedTeam) string {
	var all []string
	for _, t := range teams {
		all = append(all, t.Slug)
	}
	return strings.Join(all, " ")
}

func kinds(needs []answer.Need) string {
	var all []string
	for _, n := range needs {
		all = append(all, strings.TrimSpace(n.Kind+" "+n.Target+n.Source))
	}
	return strings.Join(all, ", ")
}

// Docs loses cy and platform dee and eve, at a first connection: the guard holds them.
func TestTheOverviewSaysWhatNeedsAPersonAndWhetherTeamsAreInSync(t *testing.T) {
	l := newLab(t)
	before := as[answer.Overview](l.get("/overview").want(200))
	if before.Targets[1].State != "never" || before.Targets[1].InSync || before.Sources[0].Trouble != "unread" {
		t.Errorf("before the first run: %+v", before)
	}
	l.sync("a test")
	o := as[answer.Overview](l.get("/overview").want(200))
	octo := o.Targets[1]
	if octo.State != "waits" || octo.InSync || octo.Objected != 3 || octo.Mapped != 2 || octo.Run == nil {
		t.Errorf("%+v", octo)
	}
	if got := kinds(o.Needs); got != "objected octo" {
		t.Errorf("needs: %s", got)
	}
	if len(o.Days) != 30 || o.Days[29].Add != 1 || o.Days[29].Remove != 0 {
		t.Errorf("days: %+v", o.Days)
	}
	l.post("/targets/octo/approvals", `{"reason":"they have left"}`).want(200)
	l.sync("a test")
	o = as[answer.Overview](l.get("/overview").want(200))
	if octo := o.Targets[1]; octo.State != "in_sync" || !octo.InSync || octo.Says != "Every mapped team holds who it should" || len(o.Needs) != 0 {
		t.Errorf("%+v, needs %+v", octo, o.Needs)
	}
	if o.Days[29].Remove != 3 || o.Days[29].Drift != 0 {
		t.Errorf("today: %+v", o.Days[29])
	}
	// By hand on GitHub, after the first connection: drift.
	l.org.Team("docs").Set("eve", githubsim.Member)
	l.sync("a test")
	if o = as[answer.Overview](l.get("/overview").want(200)); o.Days[29].Drift != 1 || o.Days[29].Remove != 3 {
		t.Errorf("after another's hand: %+v", o.Days[29])
	}
	l.post("/targets/octo/pause", `{"reason":"audit week"}`).want(200)
	l.write("directory.yaml", "damaged: [")
	o = as[answer.Overview](l.get("/overview").want(200))
	if o.Targets[1].State != "paused" || o.Targets[1].Paused.Reason != "audit week" || kinds(o.Needs) != "paused octo" {
		t.Errorf("paused: %+v %s", o.Targets[1], kinds(o.Needs))
	}
}

func TestTheOverviewShowsEachTheirOwn(t *testing.T) {
	l := newLab(t)
	o := as[answer.Overview](l.ask("hex's owner", "GET", "/overview", "").want(200))
	if len(o.Targets) != 1 || o.Targets[0].Name != "hex" || len(o.Sources) != 2 {
		t.Errorf("hex's owner sees %+v", o)
	}
	o = as[answer.Overview](l.ask("octo's viewer", "GET", "/overview", "").want(200))
	if len(o.Targets) != 1 || o.Targets[0].Name != "octo" || len(o.Sources) != 1 || o.Sources[0].Name != "people" {
		t.Errorf("octo's viewer sees %+v", o)
	}
}

func TestASourceThatFailsNeedsAPerson(t *testing.T) {
	l := newLab(t)
	l.sync("a test")
	l.write("directory.yaml", "damaged: [")
	l.sync("a test")
	o := as[answer.Overview](l.get("/overview").want(200))
	if !strings.Contains(kinds(o.Needs), "source people") || o.Sources[1].Trouble != "failing" || o.Sources[1].ReadAt.IsZero() {
		t.Errorf("%s %+v", kinds(o.Needs), o.Sources)
	}
}

func TestTeamsAreListedFromMemory(t *testing.T) {
	l := newLab(t)
	list := func(query string) memoryTeams {
		t.Helper()
		return as[memoryTeams](l.ask("viewer", "GET", "/targets/octo/memory/teams"+query, "").want(200))
	}
	if first := list(""); slugs(first.Teams) != "docs platform" || !first.ListedAt.IsZero() || first.Teams[0].State != "unread" {
		t.Errorf("before anything was read: %+v", first)
	}
	calls := len(l.github.Calls())
	l.ask("viewer", "POST", "/targets/octo/memory/teams", "").want(http.StatusOK).says(`"slug":"free"`, `"listed_at"`)
	if len(l.github.Calls()) == calls {
		t.Error("GitHub was not asked")
	}
	l.sync("a test")
	calls = len(l.github.Calls())
	all := list("")
	if slugs(all.Teams) != "docs empty free platform" || all.ListedAt.IsZero() {
		t.Errorf("%+v", all)
	}
	docs, empty := all.Teams[0], all.Teams[1]
	if docs.State != "waits" || docs.Objected != 1 || docs.Members != 2 || docs.Origin != "file" || docs.ReadAt.IsZero() {
		t.Errorf("%+v", docs)
	}
	if empty.State != "unmapped" || !empty.ReadAt.IsZero() {
		t.Errorf("%+v", empty)
	}
	platform := all.Teams[3]
	if platform.Members != 4 || platform.Objected != 2 || platform.ChangedAt.IsZero() { // bob, dee, eve, and ada who has come since
		t.Errorf("%+v", platform)
	}
	for query, want := range map[string]string{
		"?filter=mapped": "docs platform", "?filter=unmapped": "empty free", "?filter=objected": "docs platform", "?filter=held": "", "?q=PLAT": "platform",
		"?q=people/docs": "docs", "?q=nobody": "",
	} {
		if got := slugs(list(query).Teams); got != want {
			t.Errorf("%s lists %q", query, got)
		}
	}
	if got := list("?q=o").Counts; got["all"] != 2 || got["mapped"] != 2 || got["unmapped"] != 0 {
		t.Errorf("counts: %v", got)
	}
	var turned []string
	for page := list("?size=1"); ; page = list("?size=1&cursor=" + page.Next) {
		turned = append(turned, slugs(page.Teams))
		if page.Next == "" {
			break
		}
	}
	if got := strings.Join(turned, " "); got != "docs empty free platform" {
		t.Errorf("page by page: %s", got)
	}
	l.ask("viewer", "GET", "/targets/octo/memory/teams?filter=wrong", "").want(422)
	if len(l.github.Calls()) != calls {
		t.Error("a list from memory has asked GitHub")
	}
}

func TestATeamFromMemorySaysWhoIsInItAndWhy(t *testing.T) {
	l := newLab(t)
	l.sync("a test")
	type view struct {
		answer.TeamView
		May struct{ Map, Approve bool }
	}
	got := l.ask("viewer", "GET", "/targets/octo/memory/teams/platform", "").want(200)
	v := as[view](got)
	if v.Closed == nil || v.Closed.Reason != "file" || v.File != "musterline.yaml" || v.Line == 0 || v.May.Map || v.May.Approve || v.Limit != 5 {
		t.Errorf("%+v", v)
	}
	if got.header.Get("Etag") != l.get("/targets/octo/teams/platform").header.Get("Etag") {
		t.Error("it is of another version than the team")
	}
	if v.People != (answer.PeopleCount{All: 4, Member: 2, Leaving: 2}) || len(v.Objections) != 1 || v.Mappings[0].People != 2 {
		t.Errorf("%+v", v)
	}
	if may := as[view](l.ask("owner", "GET", "/targets/octo/memory/teams/platform", "").want(200)).May; !may.Map || !may.Approve {
		t.Errorf("an owner may %+v", may)
	}
	calls := len(l.github.Calls())
	people := as[memoryPeople](l.ask("viewer", "GET", "/targets/octo/memory/teams/platform/people", "").want(200)).People
	var said []string
	for _, p := range people {
		said = append(said, strings.Join(slices.Concat([]string{p.State, p.Account.Login, p.User, p.Origin, p.Link}, p.Why, p.Objected), "|"))
	}
	want := []string{
		"member|ada-l|people/ada|granted|attribute|people/platform", "member|bob|people/bob|found|attribute|people/platform",
		"leaving|dee||||not in a mapped group|first_connection", "leaving|eve||||not in a mapped group|first_connection",
	}
	if !slices.Equal(said, want) {
		t.Errorf("people:\n%s", strings.Join(said, "\n"))
	}
	for query, n := range map[string]int{"?state=member": 2, "?state=leaving": 2, "?state=held": 0, "?q=ADA": 1, "?q=people/bob": 1, "?q=%25": 0} {
		if got := len(as[memoryPeople](l.ask("viewer", "GET", "/targets/octo/memory/teams/platform/people"+query, "").want(200)).People); got != n {
			t.Errorf("%s: %d people", query, got)
		}
	}
	if len(l.github.Calls()) != calls {
		t.Error("GitHub was asked")
	}
	l.ask("viewer", "GET", "/targets/octo/memory/teams/nobody", "").want(404)
}

func TestWhatWasShownIsAcceptedWithTheChange(t *testing.T) {
	l := newLab(t)
	l.sync("a test")
	const path, body = "/targets/octo/teams/free/mappings", `"groups":[{"group":"people/leads"}]`
	shown := as[answer.Preview](l.ask("owner", "POST", path+"/preview", "{"+body+"}").want(200))
	if shown.Seen == "" || shown.Accepted != 1 || len(shown.Teams) != 1 || len(shown.Teams[0].Add) != 2 {
		t.Fatalf("%+v", shown)
	}
	put := func(who, more string) reply {
		t.Helper()
		return l.ask(who, "PUT", path, "{"+body+`,"seen":"`+shown.Seen+`"`+more+"}", "If-Match", "*")
	}
	put("owner", "").want(422).says("needs a reason")
	l.ask("owner", "PUT", path, "{"+body+`,"seen":"another","reason":"x"}`, "If-Match", "*").want(409).says("something else would come about")
	l.ask("owner", "PUT", path, `{"groups":[{"group":"people/docs"}],"seen":"`+shown.Seen+`","reason":"x"}`, "If-Match", "*").want(409)
	if got := as[answer.TeamMappings](l.get("/targets/octo/teams/free").want(200)); len(got.Mappings) != 0 {
		t.Errorf("a refusal has mapped %+v", got)
	}
	put("owner", `,"reason":"cy has moved on"`).want(200).says(`"waiver":"1"`)
	l.sync("a test")
	if got := l.members("free"); got != "ada-l bob" {
		t.Errorf("free holds %s", got)
	}
	waivers, err := l.house.Store.ListWaivers(t.Context(), "octo", time.Time{})
	if err != nil || len(waivers) != 1 || len(waivers[0].Changes) != 1 || waivers[0].Reason != "cy has moved on" || waivers[0].Settled[0].IsZero() {
		t.Errorf("waivers: %+v %v", waivers, err)
	}
	// Docs and platform wait for their own waiver still.
	if got := l.members("platform"); got != "ada-l bob dee eve" {
		t.Errorf("platform holds %s", got)
	}
}

func TestWhoMayMapAndNotApproveAcceptsNothing(t *testing.T) {
	l := newLab(t)
	const path = "/targets/octo/teams/free/mappings"
	shown := as[answer.Preview](l.ask("maintainer", "POST", path+"/preview", `{"groups":[{"group":"people/leads"}]}`).want(200))
	set := as[answer.TeamMappings](l.ask("maintainer", "PUT", path, `{"groups":[{"group":"people/leads"}],"seen":"`+shown.Seen+`","reason":"x"}`, "If-Match", "*").want(200))
	if set.Waiver != "" {
		t.Errorf("waiver %s", set.Waiver)
	}
	l.sync("a test")
	if got := l.members("free"); got != "ada-l bob cy" {
		t.Errorf("free holds %s", got)
	}
}

// What a preview has shown is what is saved, whoever saves it.
func TestWhatIsNotWhatWasShownIsNotSaved(t *testing.T) {
	l := newLab(t)
	l.sync("a test")
	const path, body = "/targets/octo/teams/free/mappings", `"groups":[{"group":"people/leads"}]`
	for _, who := range []string{"owner", "maintainer"} {
		shown := as[answer.Preview](l.ask(who, "POST", path+"/preview", "{"+body+"}").want(200))
		l.org.Team("free").Set("dee", githubsim.Member)
		save := "{" + body + `,"reason":"x","seen":"` + shown.Seen + `"}`
		l.ask(who, "PUT", path, save, "If-Match", "*").want(409).says("something else would come about")
		l.org.Team("free").Remove("dee")
		if got := as[answer.TeamMappings](l.get("/targets/octo/teams/free").want(200)); len(got.Mappings) != 0 {
			t.Errorf("%s has mapped %+v", who, got)
		}
	}
}
