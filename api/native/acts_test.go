package native_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"musterline.example/answer"
	"musterline.example/api/client"
	"musterline.example/api/native"
	"musterline.example/internal/githubsim"
)

type accepted struct {
	ID, Events, Run string
}

// A sync that is asked for is carried out by a job, and whoever follows it hears everything that happens, once.
func TestASyncIsAskedForAndFollowed(t *testing.T) {
	l := newLab(t)
	l.work()
	asked := l.ask("octo's owner", "POST", "/targets/octo/sync", `{"by":"ada","why":"a new colleague"}`).want(http.StatusAccepted)
	wish := as[accepted](asked)
	if got := asked.header.Get("Location"); got != native.Prefix+"/requests/"+wish.ID || wish.Events != got+"/events" {
		t.Errorf("it is to be found at %s and %s", got, wish.Events)
	}
	path := strings.TrimPrefix(wish.Events, native.Prefix)
	events := l.follow("octo's viewer", path)
	var names []string
	for _, e := range events {
		if len(names) == 0 || names[len(names)-1] != e.name {
			names = append(names, e.name)
		}
	}
	told := strings.Join(names, " ")
	if !strings.HasSuffix(told, "done end") || !strings.Contains(told, "plan") || !strings.Contains(told, "write") {
		t.Fatalf("heard %s", told)
	}
	var done answer.Done
	for _, e := range events {
		if e.name == "done" {
			if err := json.Unmarshal([]byte(e.data), &done); err != nil {
				t.Fatal(err)
			}
		}
	}
	if done.Added != 1 || done.State != "objected" || done.Objected != 3 || l.members("platform") != "ada-l ann bob dee eve" && l.members("platform") != "ada-l bob dee eve" {
		t.Errorf("done %+v, platform is %s", done, l.members("platform"))
	}
	request := as[answer.Request](l.ask("octo's viewer", "GET", "/requests/"+wish.ID, "").want(200))
	if request.Run != done.Run || request.Asker != "ada, by token octo's owner" || request.Why != "a new colleague" {
		t.Errorf("the request is %+v", request)
	}
	l.ask("hex's owner", "GET", "/requests/"+wish.ID, "").want(404).says("no such request")
	l.ask("hex's owner", "GET", path, "").want(404)

	// From the middle on, and from the end on.
	again := l.follow("viewer", "/runs/"+done.Run+"/events", "Last-Event-ID", "1")
	for _, e := range again {
		if e.name == "write" {
			t.Errorf("a write was told twice: %s", e.data)
		}
	}
	if len(again) == 0 || again[len(again)-1].name != "end" {
		t.Errorf("heard %v", again)
	}
	l.ask("viewer", "GET", "/runs/"+done.Run+"/events", "", "Last-Event-ID", "x").want(422)
	l.get("/runs/"+done.Run).want(200).says(`"act":"add"`, `"login":"ada-l"`)
	l.get("/runs/" + done.Run + "/done").want(200).says(`"added":1`)
	l.get("/runs/" + done.Run + "/progress").want(200).says(`"finished":true`)
	l.get("/targets/octo/plan").want(200).says(`"run":"`+done.Run+`"`, "first_connection")
	l.get("/targets/octo/requests").want(200).says(`"requests":[]`)
	l.post("/runs/"+done.Run+"/cancel", `{}`).want(http.StatusConflict)
	l.get("/runs/99").want(404)
	l.get("/runs/99/events").want(404)
}

// What a person has seen is what is done; when the world has moved, nothing is.
func TestAPlanThatWasShownIsDoneOrNothing(t *testing.T) {
	l := newLab(t)
	shown := as[answer.Plan](l.post("/targets/octo/plan", "").want(200))
	wrong := as[accepted](l.post("/targets/octo/sync", `{"digest":"of another plan","answered":true}`).want(202))
	events := l.follow("viewer", strings.TrimPrefix(wrong.Events, native.Prefix))
	last := events[len(events)-1]
	if last.name != "error" || !strings.Contains(last.data, `"conflict"`) || len(l.writes()) != 0 {
		t.Fatalf("heard %+v, and there were %d writes", events, len(l.writes()))
	}
	right := as[accepted](l.post("/targets/octo/sync", fmt.Sprintf(`{"digest":%q,"answered":true}`, shown.Digest)).want(202))
	events = l.follow("viewer", strings.TrimPrefix(right.Events, native.Prefix))
	if events[len(events)-1].name != "end" || len(l.writes()) != 1 {
		t.Fatalf("heard %+v, and there were %d writes", events, len(l.writes()))
	}
	undo := as[answer.Plan](l.post("/runs/2/undo/plan", "").want(200))
	if undo.Summary.Remove != 1 {
		t.Fatalf("undoing changes %+v", undo.Summary)
	}
	back := as[accepted](l.post("/runs/2/undo", fmt.Sprintf(`{"digest":%q}`, undo.Digest)).want(202))
	events = l.follow("viewer", strings.TrimPrefix(back.Events, native.Prefix))
	if events[len(events)-1].name != "end" || len(l.writes()) != 2 {
		t.Fatalf("heard %+v", events)
	}
	l.post("/targets/octo/sync", `{}`).want(409).says(`"paused"`, "musterline resume octo")
	l.post("/targets/octo/sync", `{"digest":"x"}`).want(409).says(`"paused"`)
	l.post("/runs/99/undo", `{}`).want(404)
}

func (l *lab) writes() (all []githubsim.Call) {
	for _, c := range l.github.Calls() {
		if c.Write {
			all = append(all, c)
		}
	}
	return all
}

func TestAnApprovalOverHTTPIsOfWhatWasShown(t *testing.T) {
	l := newLab(t)
	shown := as[answer.Approval](l.post("/targets/octo/approvals", `{"preview":true}`).want(200))
	if shown.Changes != 3 || shown.Waiver != "" {
		t.Fatalf("shown: %+v", shown)
	}
	l.post("/targets/octo/approvals", `{}`).want(422).says("needs a reason")
	l.post("/targets/octo/approvals", `{"reason":"x","digest":"of something else"}`).want(409)
	l.post("/targets/octo/approvals", `{"reason":"x","guards":["hunter2"]}`).want(404)
	made := as[answer.Approval](l.post("/targets/octo/approvals", fmt.Sprintf(`{"reason":"checked","by":"ada","digest":%q}`, shown.Digest)).want(200))
	if made.Waiver != "1" || made.By != "ada, by token administrator" {
		t.Errorf("made: %+v", made)
	}
}

func TestTheGroupsOfATeamAreSetAfterAPreview(t *testing.T) {
	l := newLab(t)
	l.work()
	is := l.get("/targets/octo/teams/free").want(200)
	tag := is.header.Get("Etag")
	set := func(who, tag, body string) reply {
		t.Helper()
		return l.ask(who, "PUT", "/targets/octo/teams/free/mappings", body, "If-Match", tag)
	}
	body := `{"groups":[{"group":"people/leads"}]}`
	preview := as[answer.Plan](l.ask("maintainer", "POST", "/targets/octo/teams/free/mappings/preview", body).want(200))
	if len(preview.Teams) != 1 || len(preview.Teams[0].Add) != 2 || len(preview.Teams[0].Remove) != 1 || preview.Teams[0].Remove[0].Objected[0] != "first_connection" {
		t.Fatalf("the preview shows %+v", preview.Teams)
	}
	if l.get("/targets/octo/teams/free").header.Get("Etag") != tag {
		t.Error("the preview has changed something")
	}
	for wrong, says := range map[string]string{
		`{"groups":[{"group":"people/none"}]}`:                           "lists no such group",
		`{"groups":[{"group":"none/leads"}]}`:                            "no such source",
		`{"groups":[{"group":"other/leads"}]}`:                           "no such source",
		`{"groups":[{"group":"leads"}]}`:                                 "SOURCE/GROUP",
		`{"groups":[{"group":"people/leads"},{"group":"people/leads"}]}`: "named twice",
		`{"groups":[{"group":"people/leads","role":"boss"}]}`:            "member or maintainer",
		`{"groups":[{"group":"people/leads"}],"mode":"boss"}`:            "exclusive, additive",
		`{"gruops":[]}`:             "did you mean groups?",
		`{"groups":"people/leads"}`: "groups must be a list",
		`{"groups":[{"group":1}]}`:  "must be a text",
		`{"groups":[` + strings.Repeat(`{"group":"people/leads"},`, 5) + `{"group":"people/docs"}]}`: "at most 5 groups",
	} {
		set("maintainer", "*", wrong).want(422).says(says)
	}
	set("maintainer", `"another"`, body).want(412)
	set("maintainer", ``, body).want(428)
	l.ask("maintainer", "PUT", "/targets/octo/teams/hunter2/mappings", body, "If-Match", "*").want(404)
	now := set("maintainer", tag, body).want(200).says(`"origin":"api"`, `"people/leads"`)
	set("maintainer", tag, body).want(412)
	// A job carries it out; the membership stands in the ledger once the run has ended.
	run := as[struct{ Runs []answer.RunStatus }](l.get("/runs?target=octo").want(200)).Runs
	for range 1000 {
		if len(run) > 0 && !run[0].FinishedAt.IsZero() {
			break
		}
		time.Sleep(20 * time.Millisecond)
		run = as[struct{ Runs []answer.RunStatus }](l.get("/runs?target=octo").want(200)).Runs
	}
	if got := l.members("free"); !strings.Contains(got, "ada-l") || !strings.Contains(got, "bob") || !strings.Contains(got, "cy") {
		t.Errorf("free is %s after %+v", got, run)
	}
	// Taken away again: who came for it leaves after the grace, and the preview says when.
	gone := as[answer.Plan](l.ask("maintainer", "POST", "/targets/octo/teams/free/mappings/preview", `{"groups":[]}`).want(200))
	if len(gone.Teams) != 1 || len(gone.Teams[0].Leaving) != 2 || len(gone.Teams[0].Remove) != 0 {
		t.Errorf("taken away, the preview shows %+v", gone.Teams)
	}
	set("maintainer", now.header.Get("Etag"), `{"groups":[]}`).want(200).says(`"mappings":[]`)
}

func TestListsAreTurnedPageByPage(t *testing.T) {
	l := newLab(t)
	for range 3 {
		if _, err := l.house.Sync(t.Context(), answer.SyncWish{Target: "octo", By: "a test"}, nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, list := range []struct{ path, key string }{
		{"/runs?", "runs"}, {"/tokens?", "tokens"}, {"/audit?", "entries"}, {"/targets/octo/teams?", "teams"}, {"/links?", "links"},
		{"/sources/people/groups?", "groups"}, {"/sources?", "rows"}, {"/targets?", "rows"},
	} {
		turn := func(size int) (all []string) {
			cursor := ""
			for range 100 {
				page := as[map[string]json.RawMessage](l.get(fmt.Sprintf("%ssize=%d&cursor=%s", list.path, size, cursor)).want(200))
				var items []json.RawMessage
				if err := json.Unmarshal(page[list.key], &items); err != nil {
					t.Fatal(err)
				}
				if len(items) > size {
					t.Errorf("%s: a page of %d holds %d", list.path, size, len(items))
				}
				var texts []string
				for _, i := range items {
					texts = append(texts, string(i))
				}
				if list.key == "entries" {
					all = append(texts, all...)
				} else {
					all = append(all, texts...)
				}
				if page["next"] == nil {
					return all
				}
				cursor = strings.Trim(string(page["next"]), `"`)
			}
			t.Fatalf("%s does not end", list.path)
			return nil
		}
		whole, parts := turn(1000), turn(1)
		if len(whole) < 2 || strings.Join(whole, "\n") != strings.Join(parts, "\n") {
			t.Errorf("%s: at once\n%s\none by one\n%s", list.path, strings.Join(whole, "\n"), strings.Join(parts, "\n"))
		}
	}
	cursor := as[struct{ Next string }](l.get("/runs?size=1").want(200)).Next
	for _, wrong := range []string{"/runs?target=octo&cursor=" + cursor, "/tokens?cursor=" + cursor, "/runs?cursor=" + cursor[1:], "/runs?cursor=hunter2", "/runs?size=0", "/runs?size=1001", "/runs?size=x", "/runs?sise=1"} {
		if got := l.get(wrong).want(422); strings.Contains(got.text, "hunter2") || strings.Contains(got.text, "sise") {
			t.Errorf("%s: %s", wrong, got.text)
		}
	}
}

func TestTheAuditRecordIsChosenExportedAndVerified(t *testing.T) {
	l := newLab(t)
	if _, err := l.house.Sync(t.Context(), answer.SyncWish{Target: "octo", By: "a test"}, nil); err != nil {
		t.Fatal(err)
	}
	outcomes := as[answer.Audit](l.get("/audit?kind=outcome&team=platform").want(200))
	if len(outcomes.Entries) != 1 || outcomes.Entries[0].Act != "add" {
		t.Errorf("outcomes: %+v", outcomes.Entries)
	}
	lines := l.get("/audit/export").want(200)
	all := as[answer.Audit](l.get("/audit?size=1000").want(200)).Entries
	if n := strings.Count(lines.text, "\n"); n != len(all) || lines.header.Get("Content-Type") != "application/x-ndjson" {
		t.Errorf("%d lines of %d entries are %s", n, len(all), lines.header.Get("Content-Type"))
	}
	csv := l.get("/audit/export?format=csv&kind=outcome").want(200)
	if !strings.HasPrefix(csv.text, "seq,at,kind") || strings.Count(csv.text, "\n") != 2 || !strings.HasPrefix(csv.header.Get("Content-Type"), "text/csv") {
		t.Errorf("the table is %s", csv.text)
	}
	if one := l.ask("hex's owner", "GET", "/audit/export", "").want(200).text; strings.Contains(one, `"octo"`) || !strings.Contains(one, `"hex"`) {
		t.Errorf("hex's owner exports %s", one)
	}
	l.get("/audit/export?format=xml").want(422)
	l.get("/audit/export?team=hunter2").want(404)
	l.get("/audit?since=yesterday").want(422)
	l.get("/audit/verify").want(200).says(fmt.Sprintf(`"entries":%d`, len(all)))
	l.post("/audit/verify", "").want(405)
}

func TestTokensAndRolesAreGivenAndTakenAway(t *testing.T) {
	l := newLab(t)
	made := as[answer.Token](l.post("/tokens", `{"name":"ci","role":"viewer","target":"octo","expires_at":"2999-01-01T00:00:00Z"}`).want(201))
	l.ask(made.Text, "GET", "/targets/octo/requests", "").want(200)
	if listed := l.get("/tokens").want(200).says(`"ci"`); strings.Contains(listed.text, made.Text) {
		t.Error("the text of a token is shown again")
	}
	for body, says := range map[string]string{
		`{"name":"","role":"viewer"}`: "needs a name", `{"name":"x"}`: "role", `{"name":"x","role":"hunter2"}`: "viewer, maintainer",
		`{"name":"x","role":"viewer","target":"hunter2"}`: "no such target", `{"name":"x","role":"administrator","target":"octo"}`: "whole server",
		`{"name":"x","role":"viewer","expires_at":"2000-01-01T00:00:00Z"}`: "ended before", `{"name":"x","role":"viewer","expires_at":"hunter2"}`: "right form",
	} {
		got := l.post("/tokens", body)
		if got.want(got.status); got.status != 422 && got.status != 404 {
			t.Errorf("%s: %d", body, got.status)
		}
		if got.says(says); strings.Contains(got.text, "hunter2") {
			t.Errorf("%s is repeated: %s", body, got.text)
		}
	}
	l.ask("administrator", "DELETE", "/tokens/"+made.ID, "").want(200).says(`"revoked_by":"token administrator"`)
	l.ask(made.Text, "GET", "/targets/octo/requests", "").want(401)
	l.ask("administrator", "DELETE", "/tokens/"+made.Text, "").want(404)

	l.post("/roles", `{"subject":"github:github.com#1","role":"owner","target":"octo"}`).want(200).says(`"by":"token administrator"`)
	l.post("/roles", `{"subject":"hunter2","role":"owner"}`).want(422)
	l.get("/roles").want(200).says("github:github.com#1")
	l.post("/roles/remove", `{"subject":"github:github.com#1","target":"octo"}`).want(204)
	l.post("/roles/remove", `{"subject":"github:github.com#1","target":"octo"}`).want(404)
}

// Everything that can be wrong about a request itself.
func TestWhatMakesNoSenseIsRefusedInOneForm(t *testing.T) {
	l := newLab(t)
	before := l.state()
	l.get("/").want(404)
	l.get("/nothing").want(404).says("openapi.json")
	l.get("/targets//plan").want(404)
	l.get("/targets/../tokens").want(404)
	l.get("/targets/hunter2/plan").want(404)
	if got := l.ask("administrator", "PATCH", "/tokens", "{}").want(405); got.header.Get("Allow") != "GET, POST" {
		t.Errorf("allowed are %s", got.header.Get("Allow"))
	}
	l.ask("administrator", "POST", "/links", `user=hunter2`, "Content-Type", "application/x-www-form-urlencoded").want(415)
	l.ask("administrator", "POST", "/links", `{}`, "Content-Type", "").want(415)
	l.post("/links", ``).want(400)
	l.post("/links", strings.Repeat(" ", 300<<10)).want(413)
	l.post("/links", `{"user":"`+strings.Repeat("a", 300<<10)+`"}`).want(413)
	for _, body := range []string{
		`{`, `null`, `[]`, `1`, `"x"`, `{} {}`, `{"hunter2":1}`, `{"user":1}`, `{"user":{"hunter2":1}}`, "\xff\xfe", `{"user":"people/ada","account":"hunter2","reason":"x"}`,
	} {
		got := l.post("/links", body)
		if got.want(got.status); got.status != 422 || strings.Contains(got.text, "hunter2") {
			t.Errorf("%s: %d %s", body, got.status, got.text)
		}
	}
	l.post("/links", `{"usr":"x"}`).want(422).says("did you mean user?")
	if l.state() != before {
		t.Error("something was changed")
	}
}

func TestAClientSendsItsTokenNowhereElse(t *testing.T) {
	for url, fine := range map[string]bool{
		"https://musterline.example.com": true, "http://127.0.0.1:1": true, "http://[::1]:1": true, "http://localhost:1": true,
		"http://musterline.example.com": false, "http://10.0.0.1": false, "ftp://x": false, "musterline.example.com": false, "": false,
		"https://user:pass@x.example": false, "http://localhost.example.com": false,
	} {
		if _, err := client.New(client.Options{URL: url, Token: "mst_x"}); (err == nil) != fine {
			t.Errorf("%s: %v", url, err)
		}
	}
	if _, err := client.New(client.Options{URL: "https://x.example", Token: "two words"}); err == nil || strings.Contains(err.Error(), "two") {
		t.Errorf("a token of two words: %v", err)
	}
	if _, err := client.New(client.Options{URL: "https://x.example", Token: "x", CAFile: "/dev/null"}); err == nil {
		t.Error("a file without certificates was taken")
	}
}

// Whatever a body, a cursor or a name is, the answer is one of ours, and what is refused is in our form.
func FuzzRequests(f *testing.F) {
	f.Add("/links", "", `{"user":"people/ada","account":"github.com/1","reason":"x"}`)
	f.Add("/targets/octo/approvals", "", `{"preview":true,"teams":["a"]}`)
	f.Add("/tokens", "eyJ", `{"name":"x","role":"viewer","expires_at":"2999-01-01T00:00:00Z"}`)
	f.Add("/targets/octo/teams/free/mappings/preview", "x", `{"groups":[{"group":"people/leads"}]}`)
	f.Add("/roles", "..", `{"subject":"oidc:a#b","role":"owner"}`)
	l := newLab(f)
	paths := []string{"/links", "/links/remove", "/targets/octo/pause", "/targets/octo/resume", "/tokens", "/roles", "/roles/remove", "/targets/octo/approvals"}
	f.Fuzz(func(t *testing.T, path, cursor, body string) {
		l.t = t
		known := paths[len(path)%len(paths)]
		for _, got := range []reply{
			l.post(known, body), l.ask("administrator", "PUT", "/sources/fuzzed", body, "If-Match", "*"),
			l.get("/audit?cursor=" + escape(cursor)), l.get("/targets/" + escape(path) + "/requests"), l.get("/why?user=" + escape(cursor) + "&team=" + escape(path)),
		} {
			if got.status >= 500 {
				t.Errorf("%s %q: %d %s", got.what, body, got.status, got.text)
			}
			got.want(got.status)
		}
	})
}

func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, "%%%02X", s[i])
	}
	return b.String()
}
