package native_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"musterline.example/answer"
)

func TestConnectionsSayHowTheyStand(t *testing.T) {
	l := synced(t)
	all := as[answer.Connections](l.get("/connections").want(200))
	if len(all.Sources) != 2 || len(all.Targets) != 2 {
		t.Fatalf("%+v", all)
	}
	people, octo := all.Sources[1], all.Targets[1]
	if people.Name != "people" || people.Title == "" || people.File != "musterline.yaml" || people.Line != 3 || people.ReadAt.IsZero() || people.Users != 5 {
		t.Errorf("%+v", people)
	}
	if octo.Name != "octo" || octo.Organization != "octo-org" || octo.Run == nil || !octo.Enabled || strings.Join(octo.Secrets, "") != "token" || octo.Mapped != 2 {
		t.Errorf("%+v", octo)
	}
	seen := as[answer.Connections](l.ask("octo's viewer", "GET", "/connections", "").want(200))
	if len(seen.Targets) != 1 || len(seen.Sources) != 1 || seen.Sources[0].Name != "people" {
		t.Errorf("octo's viewer sees %+v", seen)
	}
	one := l.get("/connections/targets/octo").want(200).says(`"key":"organization"`, `"key":"private_key"`, `"multiline":true`, `"line":6`, `"groups_per_team"`)
	if strings.Contains(one.text, secretOfTarget) {
		t.Error("it shows a secret")
	}
	l.get("/connections/sources/people").want(200).says(`"key":"path"`, `"users":5`)
	l.ask("octo's viewer", "GET", "/connections/targets/hex", "").want(http.StatusNotFound)
	l.ask("octo's viewer", "GET", "/connections/sources/people", "").want(http.StatusForbidden)
	l.get("/connections/targets/nowhere").want(http.StatusNotFound)
}

func TestASourceIsTriedBeforeItIsSaved(t *testing.T) {
	l := newLab(t)
	before := l.state()
	tried := as[answer.Checked](l.post("/sources/check", `{"kind":"file","path":"directory.yaml"}`).want(200))
	if len(tried.Trouble) > 0 || !strings.Contains(strings.Join(tried.Facts, " "), "3 groups") || tried.Name != "" {
		t.Errorf("%+v", tried)
	}
	missing := as[answer.Checked](l.post("/sources/check", `{"kind":"file","path":"nowhere.yaml"}`).want(200))
	if len(missing.Trouble) == 0 {
		t.Errorf("%+v", missing)
	}
	l.post("/sources/check", `{"kind":"file"}`).want(422).says(`"fields":[{"key":"path"`)
	l.post("/sources/check?name=people", `{"kind":"file","path":"directory.yaml"}`).want(http.StatusForbidden) // the file's
	l.ask("owner", "POST", "/sources/check", `{"kind":"file","path":"directory.yaml"}`).want(http.StatusForbidden)
	if l.state() != before || strings.Contains(l.get("/sources").want(200).text, "unsaved") {
		t.Error("a try left something behind")
	}
}

func TestATargetIsTriedBeforeItIsSaved(t *testing.T) {
	l := newLab(t)
	url := l.house.Config.Targets["octo"].Values.Text("api_url")
	body := func(more string) string {
		return `{"kind":"github","organization":"third-org","api_url":"` + url + `"` + more + `}`
	}
	tried := as[answer.Checked](l.post("/targets/check", `{"kind":"github","organization":"Octo-Org2","api_url":"`+url+`","token":"ghp_nobody_knows"}`).want(200))
	if len(tried.Trouble) == 0 || strings.Contains(strings.Join(tried.Trouble, " "), "ghp_nobody_knows") {
		t.Errorf("%+v", tried)
	}
	l.github.World().AddOrganization("third-org", "ann")
	good := as[answer.Checked](l.post("/targets/check", body(`,"token":"ghp_ann"`)).want(200))
	if len(good.Trouble) > 0 || len(good.Has) == 0 {
		t.Errorf("%+v", good)
	}
	reads := as[answer.Checked](l.post("/targets/check", body(`,"token":"ghp_ann_reads"`)).want(200))
	if len(reads.Needs) == 0 || len(reads.Trouble) == 0 {
		t.Errorf("%+v", reads)
	}
	if none := as[answer.Checked](l.post("/targets/check", body(``)).want(200)); len(none.Trouble) == 0 {
		t.Error("without a credential nothing is wrong")
	}
	l.post("/targets/check", `{"kind":"github","organization":"octo-org","api_url":"`+url+`","token":"ghp_ann"}`).want(422).says(`"key":"organization"`, "too")

	// A saved secret serves for a try, and goes nowhere else.
	l.ask("administrator", "PUT", "/targets/third", body(`,"token":"ghp_ann"`), "If-Match", `"0"`).want(200)
	saved := as[answer.Checked](l.post("/targets/check?name=third", body(`,"pace":"0s"`)).want(200))
	if len(saved.Trouble) > 0 || saved.Name != "third" {
		t.Errorf("%+v", saved)
	}
	l.post("/targets/check?name=third", `{"kind":"github","organization":"third-org","api_url":"https://evil.example.com"}`).want(422).says(`"key":"token"`)
}

func TestWhatIsWrongIsSaidAtItsField(t *testing.T) {
	l := newLab(t)
	refused := l.ask("administrator", "PUT", "/targets/third",
		`{"kind":"github","api_url":"not an address","pace":"soon","token":"`+secretOfTarget+`","groups_per_team":1000}`, "If-Match", `"0"`).want(422)
	var p struct {
		Error struct{ Fields []answer.FieldTrouble }
	}
	if err := json.Unmarshal([]byte(refused.text), &p); err != nil {
		t.Fatal(err)
	}
	at := map[string]string{}
	for _, f := range p.Error.Fields {
		at[f.Key] = f.Message
	}
	for _, key := range []string{"organization", "api_url", "pace", "groups_per_team"} {
		if at[key] == "" {
			t.Errorf("nothing is said of %s: %s", key, refused.text)
		}
	}
	if strings.Contains(refused.text, "soon") || strings.Contains(refused.text, secretOfTarget) {
		t.Errorf("it repeats a value: %s", refused.text)
	}
}

// A key has several lines, and is taken as it is.
func TestAnAppsKeyIsTakenWithItsLines(t *testing.T) {
	l := newLab(t)
	made := l.ask("administrator", "PUT", "/targets/third", `{"kind":"github","organization":"third-org","app_id":"12","private_key":`+
		strconv.Quote(privateKey(t))+`}`, "If-Match", `"0"`).want(200).says(`"secrets":["private_key"]`)
	if strings.Contains(made.text, "BEGIN") {
		t.Error("it shows the key")
	}
	l.ask("administrator", "PUT", "/targets/fourth", `{"kind":"github","organization":"fourth-org","app_id":"12","private_key":"no key"}`,
		"If-Match", `"0"`).want(422)
}
