package native_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"musterline.example/answer"
	"musterline.example/internal/githubsim"
)

// peopled has people of every sort: Ada and Bob are linked, Cy is in the platform team by the group and in docs by hand, Ivy's login is
// nobody's in the organization, Joe has none, Gone is disabled.
const peopled = `
users:
- { id: ada, name: Ada Lovelace, email: ada@example.com, accounts: { github: ada-l } }
- { id: bob, name: Bob, accounts: { github: bob } }
- { id: ivy, name: Ivy, accounts: { github: ivy-l } }
- { id: joe, name: Joe, email: joe@example.com }
- { id: gone, name: Gone, status: disabled, accounts: { github: eve } }
groups:
- { id: docs, name: docs, members: [joe], groups: [writers] }
- { id: writers, name: writers, members: [ada] }
- { id: leads, name: leads, members: [ada, bob] }
- { id: platform, name: platform, members: [ada, bob, ivy, gone] }
`

// synced is a lab whose octo was synced once, with people of every sort.
func synced(t *testing.T) *lab {
	t.Helper()
	l := newLab(t)
	l.write("directory.yaml", peopled)
	if _, err := l.house.Sync(t.Context(), answer.SyncWish{Target: "octo", Trigger: "schedule", By: "cron"}, nil); err != nil {
		t.Fatal(err)
	}
	return l
}

func names(p answer.People) string {
	var all []string
	for _, one := range p.People {
		all = append(all, one.ID+":"+one.State)
	}
	return strings.Join(all, " ")
}

func TestPeopleAreListedByHowTheyStand(t *testing.T) {
	l := synced(t)
	all := as[answer.People](l.get("/people?source=people").want(200))
	if got := names(all); got != "ada:linked bob:linked gone:inactive ivy:not-a-member joe:not-linked" {
		t.Errorf("%s\n%+v", got, all)
	}
	if all.Counts["linked"] != 2 || all.Counts["not-linked"] != 1 || all.Counts["inactive"] != 1 {
		t.Errorf("counts: %v", all.Counts)
	}
	if len(all.Sources) != 1 || all.Sources[0].ReadAt.IsZero() {
		t.Errorf("it does not say how old it is: %+v", all.Sources)
	}
	for query, want := range map[string]string{
		"q=LOVELACE":                 "ada:linked",
		"q=ada-l":                    "ada:linked",
		"q=joe%40example":            "joe:not-linked",
		"q=people/bob":               "bob:linked",
		"state=inactive":             "gone:inactive",
		"state=not-a-member&q=ivy":   "ivy:not-a-member",
		"q=nobody-at-all":            "",
		"size=2":                     "ada:linked bob:linked",
		"target=octo&state=conflict": "",
	} {
		if got := names(as[answer.People](l.get("/people?" + query).want(200))); got != want {
			t.Errorf("%s: %s", query, got)
		}
	}
	l.get("/people?state=happy").want(http.StatusUnprocessableEntity)
	l.get("/people?source=nowhere").want(http.StatusNotFound)
}

func TestPagesOfPeopleShowEverybodyOnce(t *testing.T) {
	l := synced(t)
	var seen []string
	for path := "/people?source=people&size=2"; path != ""; {
		page := as[answer.People](l.get(path).want(200))
		seen = append(seen, names(page))
		path = ""
		if page.Next != "" {
			path = "/people?source=people&size=2&cursor=" + page.Next
		}
	}
	if got := strings.Join(seen, " "); got != "ada:linked bob:linked gone:inactive ivy:not-a-member joe:not-linked" {
		t.Error(got)
	}
}

func TestWhoSeesOneTargetSeesItsPeopleAlone(t *testing.T) {
	l := synced(t)
	if got := names(as[answer.People](l.ask("octo's viewer", "GET", "/people", "").want(200))); !strings.Contains(got, "ada:linked") {
		t.Error(got)
	}
	l.ask("octo's viewer", "GET", "/people?source=other", "").want(http.StatusNotFound) // octo does not show it
	l.ask("octo's viewer", "GET", "/person?user=other/ada", "").want(http.StatusNotFound)
	l.ask("octo's viewer", "GET", "/targets/hex/accounts", "").want(http.StatusNotFound)
	l.ask("", "GET", "/people", "").want(http.StatusUnauthorized)
}

func TestAPersonIsShownWithTeamsAndReasons(t *testing.T) {
	l := synced(t)
	p := as[answer.Someone](l.get("/person?user=people/ada").want(200))
	if p.State != "linked" || len(p.Links) != 1 || p.Links[0].Tier != "attribute" || p.Links[0].Evidence == "" || len(p.Accounts) != 1 {
		t.Fatalf("%+v", p)
	}
	if len(p.Groups) != 3 || p.Groups[0].Name != "docs" || strings.Join(p.Groups[0].Path, ">") != "docs>writers" || strings.Join(p.Groups[0].Teams, "") != "octo/docs" {
		t.Errorf("groups: %+v", p.Groups)
	}
	var teams []string
	for _, one := range p.Teams {
		teams = append(teams, one.Team.Name+" "+one.Verdict+" "+one.Origin)
	}
	if got := strings.Join(teams, ", "); got != "docs in found, platform in granted" {
		t.Errorf("teams: %s", got)
	}
	if why := as[answer.Answer](l.get("/why?user=people/ada&team=octo/platform").want(200)); p.Teams[1].Summary != why.Summary {
		t.Errorf("the page says %q, and why says %q", p.Teams[1].Summary, why.Summary)
	}
	kinds := map[string]bool{}
	for _, e := range p.History {
		kinds[e.Kind] = true
	}
	if !kinds["outcome"] || !kinds["link"] {
		t.Errorf("history: %+v", p.History)
	}

	joe := as[answer.Someone](l.get("/person?user=people/joe").want(200))
	if joe.State != "not-linked" || len(joe.Teams) != 1 || joe.Teams[0].Verdict != "held" || joe.Teams[0].Held.Message == "" {
		t.Errorf("%+v", joe)
	}
	number := p.Accounts[0].Account
	if by := as[answer.Someone](l.get("/person?account=" + p.Accounts[0].Host + "/" + number).want(200)); by.ID != "ada" {
		t.Errorf("by the account: %+v", by)
	}
	dee := as[answer.Accounts](l.get("/targets/octo/accounts?q=dee&unlinked=true").want(200)).Accounts
	if len(dee) != 1 {
		t.Fatalf("%+v", dee)
	}
	if nobody := as[answer.Someone](l.get("/person?account=" + p.Accounts[0].Host + "/" + dee[0].Account).want(200)); nobody.ID != "" || nobody.Accounts[0].Login != "dee" {
		t.Errorf("%+v", nobody)
	}
	l.get("/person?user=people/nobody").want(http.StatusNotFound)
	l.get("/person?account=" + p.Accounts[0].Host + "/1").want(http.StatusNotFound)
	l.get("/person?account=ada").want(http.StatusUnprocessableEntity)
}

func TestAccountsThatNobodyIsLinkedTo(t *testing.T) {
	l := synced(t)
	var logins []string
	for _, a := range as[answer.Accounts](l.get("/targets/octo/accounts?unlinked=true").want(200)).Accounts {
		logins = append(logins, a.Login)
	}
	if got := strings.Join(logins, " "); got != "ann cy dee" { // eve is Gone's
		t.Error(got)
	}
	all := as[answer.Accounts](l.get("/targets/octo/accounts?size=2").want(200))
	if all.Total != 6 || len(all.Accounts) != 2 || all.Next == "" {
		t.Errorf("%+v", all)
	}
	if never := as[answer.Accounts](l.get("/targets/hex/accounts").want(200)); len(never.Accounts) != 0 || never.Host == "" {
		t.Errorf("%+v", never)
	}
}

func TestWhatALinkWillDoIsWhatItThenDoes(t *testing.T) {
	l := synced(t)
	var dee answer.Stranger
	for _, a := range as[answer.Accounts](l.get("/targets/octo/accounts?q=dee").want(200)).Accounts {
		dee = a
	}
	host := as[answer.Accounts](l.get("/targets/octo/accounts").want(200)).Host
	before := l.state()
	body := `{"user":"people/joe","account":"` + host + "/" + dee.Account + `"}`
	effect := as[answer.LinkEffect](l.post("/links/preview", body).want(200))
	if l.state() != before {
		t.Error("a preview changed something")
	}
	octo := effect.Targets[len(effect.Targets)-1]
	if octo.Target != "octo" || octo.Trouble != "" || len(octo.Held) != 0 {
		t.Fatalf("%+v", effect)
	}
	var said []string
	for _, c := range octo.Changes {
		said = append(said, c.Act+" "+c.Account.Login+" "+c.Team)
	}
	if len(said) == 0 || said[0] != "add dee docs" {
		t.Errorf("%v", said)
	}
	l.post("/links", `{"user":"people/joe","account":"`+host+"/"+dee.Account+`","reason":"told me on the phone"}`).want(200)
	stated := as[answer.People](l.get("/people?q=joe&source=people").want(200)).People[0]
	if stated.State != "linked" || stated.Accounts[0].State != "stated" {
		t.Errorf("before the sync: %+v", stated)
	}
	if _, err := l.house.Sync(t.Context(), answer.SyncWish{Target: "octo", Trigger: "person", By: "ann"}, nil); err != nil {
		t.Fatal(err)
	}
	if got := l.members("docs"); !strings.Contains(got, "dee") {
		t.Errorf("docs: %s", got)
	}
	joe := as[answer.Someone](l.get("/person?user=people/joe").want(200))
	if len(joe.Manual) != 1 || joe.Links[0].By == "" || joe.State != "linked" {
		t.Errorf("%+v", joe)
	}
	back := as[answer.LinkEffect](l.post("/links/preview", `{"user":"people/joe","account":"`+host+`","remove":true}`).want(200))
	if octo := back.Targets[len(back.Targets)-1]; len(octo.Held) != 1 {
		t.Errorf("taken back: %+v", octo)
	}

	l.ask("viewer", "POST", "/links/preview", body).want(http.StatusForbidden)
	l.post("/links/preview", `{"user":"people/joe","account":"`+host+`"}`).want(http.StatusUnprocessableEntity)
	l.post("/links/preview", `{"user":"joe","account":"`+host+`/12"}`).want(http.StatusUnprocessableEntity)
}

func TestAnEffectSaysWhatCannotBeTold(t *testing.T) {
	l := synced(t)
	host := as[answer.Accounts](l.get("/targets/octo/accounts").want(200)).Host
	l.github.Inject(githubsim.Fault{Status: 502})
	effect := as[answer.LinkEffect](l.post("/links/preview", `{"user":"people/joe","account":"`+host+`/1000002"}`).want(200))
	for _, one := range effect.Targets {
		if one.Trouble == "" {
			t.Errorf("%+v", one)
		}
	}
}

// What was shown of one host is what is taken back.
func TestALinkIsTakenBackOnOneHost(t *testing.T) {
	l := newLab(t)
	l.ask("administrator", "PUT", "/targets/far", `{"kind":"github","organization":"far-org","api_url":"https://ghe.example/api/v3","token":"x"}`, "If-Match", `"0"`).want(200)
	here := l.house.Host(t.Context(), "octo")
	for _, account := range []string{here + "/1000003", "ghe.example/7"} {
		l.post("/links", `{"user":"people/cy","account":"`+account+`","reason":"asked him"}`).want(200)
	}
	l.post("/links/remove", `{"user":"people/cy","host":"nowhere.example"}`).want(404)
	l.ask("octo's owner", "POST", "/links/remove", `{"user":"people/cy","host":"ghe.example"}`).want(403)
	if un := as[answer.Unlinked](l.post("/links/remove", `{"user":"people/cy","host":"ghe.example"}`).want(200)); !slices.Equal(un.Hosts, []string{"ghe.example"}) {
		t.Errorf("taken back on %v", un.Hosts)
	}
	l.post("/links/remove", `{"user":"people/cy","host":"ghe.example"}`).want(404)
	if un := as[answer.Unlinked](l.post("/links/remove", `{"user":"people/cy"}`).want(200)); !slices.Equal(un.Hosts, []string{here}) {
		t.Errorf("taken back on %v", un.Hosts)
	}
}
