package native_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"musterline.example/answer"
	"musterline.example/setting"
	"musterline.example/store"
)

func TestAnOrganizationIsConfiguredOverHTTP(t *testing.T) {
	l := newLab(t)
	put := func(path, tag, body string) reply {
		t.Helper()
		return l.ask("administrator", "PUT", path, body, "If-Match", tag)
	}
	url := strings.TrimSuffix(l.house.Config.Targets["octo"].Values.Text("api_url"), "/")
	made := put("/targets/third", `"0"`, `{"kind":"github","organization":"third-org","api_url":"`+url+`","token":"`+secretOfTarget+`","apply":"approve"}`).want(200)
	if made.header.Get("Etag") == "" || strings.Contains(made.text, secretOfTarget) {
		t.Errorf("made: %s %s", made.header, made.text)
	}
	made.says(`"secrets":["token"]`, `"origin":"api"`, `"by":"token administrator"`, `"apply":"approve"`)
	l.get("/configured").want(200).says(`"third"`)
	put("/rules/by-name", `"0"`, `{"match":"people/gh-*","team":"third/{{ .Group.Name }}"}`).want(200)
	put("/sources/more", `"0"`, `{"kind":"file","path":"directory.yaml"}`).want(200)
	l.get("/sources/more/groups").want(200).says(`"leads"`)
	put("/settings/guards", `"0"`, `{"team_removals":{"max":1}}`).want(200)
	put("/settings/enterprise", `"0"`, `{"organizations":["third"],"groups_per_team":7}`).want(200)
	h, err := l.now.House(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	third := h.Config.Targets["third"]
	if third.Settings.GroupsPerTeam != 7 || !third.Enterprise || third.Guards.TeamRemovals.Max != 1 || third.Values.Text("token") != secretOfTarget {
		t.Error("what was put is not in force")
	}

	// A version is of one moment.
	tag := made.header.Get("Etag")
	body := `{"kind":"github","organization":"third-org","api_url":"` + url + `"}`
	put("/targets/third", `"0"`, body).want(http.StatusPreconditionFailed)
	put("/targets/third", `"77"`, body).want(http.StatusPreconditionFailed)
	put("/targets/third", `77`, body).want(http.StatusUnprocessableEntity)
	put("/targets/third", ``, body).want(http.StatusPreconditionRequired)
	changed := put("/targets/third", tag, body).want(200)
	if next := changed.header.Get("Etag"); next == tag || next == "" {
		t.Errorf("the tag was %s and is %s", tag, next)
	}
	changed.says(`"secrets":["token"]`) // what was left out stays
	put("/targets/third", tag, body).want(http.StatusPreconditionFailed)

	// A secret is not sent where nobody wanted it.
	put("/targets/third", "*", `{"kind":"github","organization":"third-org","api_url":"https://evil.example.com"}`).want(422).says("give token anew")
	put("/targets/third", "*", `{"kind":"github","organization":"third-org","api_url":"https://ghes.example.com","token":"ghp_another"}`).want(200)
	put("/targets/third", "*", `{"kind":"github","organization":"third-org","api_url":"https://ghes.example.com","token":null,"app_id":"1","private_key":`+strconv.Quote(privateKey(t))+`}`).
		want(200).says(`"secrets":["private_key"]`)

	// What is referred to stays.
	l.ask("administrator", "DELETE", "/targets/third", "", "If-Match", "*").want(http.StatusConflict).says("rules.team")
	l.ask("administrator", "DELETE", "/rules/by-name", "").want(http.StatusPreconditionRequired)
	l.ask("administrator", "DELETE", "/rules/by-name", "", "If-Match", "*").want(http.StatusNoContent)
	l.ask("administrator", "DELETE", "/settings/enterprise", "", "If-Match", "*").want(http.StatusNoContent)
	l.ask("administrator", "DELETE", "/targets/third", "", "If-Match", "*").want(http.StatusNoContent)
	l.ask("administrator", "DELETE", "/targets/third", "", "If-Match", "*").want(http.StatusNotFound)
	l.get("/targets/third").want(http.StatusNotFound)
	if entries := as[answer.Audit](l.get("/audit?kind=configured").want(200)).Entries; len(entries) != 11 {
		t.Errorf("%d changes stand in the audit record", len(entries))
	}
	if record := l.get("/audit/export").want(200).text; strings.Contains(record, secretOfTarget) || strings.Contains(record, "ghp_another") {
		t.Error("a secret stands in the audit record")
	}
}

func TestWhatTheFileDefinesIsReadOnly(t *testing.T) {
	l := newLab(t)
	for path, line := range map[string]string{"/sources/people": "line 3", "/targets/octo": "line 6"} {
		got := l.get(path).want(200).says(`"origin":"file"`, `"file":"musterline.yaml"`)
		if strings.Contains(got.text, secretOfTarget) || strings.Contains(got.text, "${TOKEN}") {
			t.Errorf("%s shows a secret: %s", path, got.text)
		}
		before := l.state()
		l.ask("administrator", "PUT", path, `{"kind":"file","path":"x"}`, "If-Match", "*").want(http.StatusForbidden).says("musterline.yaml, "+line, "change it there")
		l.ask("administrator", "DELETE", path, "", "If-Match", "*").want(http.StatusForbidden).says(line)
		if l.state() != before {
			t.Errorf("%s was changed", path)
		}
	}
	l.get("/targets/octo").says(`"secrets":["token"]`, `"${GITHUB}"`)
	l.ask("administrator", "PUT", "/targets/octo/teams/docs/mappings", `{"groups":[]}`, "If-Match", "*").want(http.StatusForbidden).says("musterline.yaml, line 9")
	l.ask("administrator", "PUT", "/targets/octo/enabled", `{"enabled":false,"members":"remove"}`, "If-Match", "*").want(http.StatusForbidden).says("line 9")
}

// A row that does not fit is refused whole, with what is wrong and nothing of what it says.
func TestARowThatIsWrongIsRefused(t *testing.T) {
	l := newLab(t)
	before := l.state()
	for body, want := range map[string]string{
		`{"kind":"hunter2"}`:                                     "there is no kind",
		`{"kind":"file","pth":"hunter2"}`:                        "did you mean path?",
		`{"kind":"file"}`:                                        "path is required",
		`{"kind":"file","path":["hunter2"]}`:                     "takes one value, not a list",
		`{"kind":"file","path":"hunter2","path":"hunter2"}`:      "no key twice",
		`{"kind":"ldap","bind_password":5}`:                      "bind_password must be a text",
		`{"kind":"ldap","bind_password_file":"/etc/hunter2"}`:    "give the secret itself",
		`{"kind":"ldap","url":"hunter2","base_dn":"dc=hunter2"}`: "url must be",
		`["hunter2"]`:     "one JSON object",
		`"hunter2"`:       "one JSON object",
		`{"kind":"file"`:  "no JSON",
		`{"kind": hunter`: "no JSON",
	} {
		got := l.ask("administrator", "PUT", "/sources/new", body, "If-Match", `"0"`).want(http.StatusUnprocessableEntity).says(want)
		if strings.Contains(got.text, "hunter") {
			t.Errorf("%s is repeated: %s", body, got.text)
		}
	}
	for _, path := range []string{"/targets/orgs", "/targets/%3Cscript%3E", "/sources/a%2Fb", "/settings/hunter2", "/rules/%20"} {
		got := l.ask("administrator", "PUT", path, `{"kind":"file","path":"x"}`, "If-Match", `"0"`)
		if got.status != 422 || strings.Contains(got.text, "script") || strings.Contains(got.text, "hunter2") {
			t.Errorf("%s: %d %s", path, got.status, got.text)
		}
	}
	if l.state() != before {
		t.Error("something was changed")
	}
}

func TestATargetIsTurnedOffWithAnAnswerAboutItsMembers(t *testing.T) {
	l := newLab(t)
	is := l.get("/targets/octo/enabled").want(200).says(`"enabled":true`)
	tag := is.header.Get("Etag")
	put := func(tag, body string) reply {
		t.Helper()
		return l.ask("administrator", "PUT", "/targets/octo/enabled", body, "If-Match", tag)
	}
	put(tag, `{"enabled":false}`).want(422).says("keep or remove")
	put(tag, `{"enabled":true,"members":"keep"}`).want(422)
	put(`"5"`, `{"enabled":false,"members":"keep"}`).want(412)
	put(tag, `{"enabled":false,"members":"keep"}`).want(200).says(`"members":"keep"`)
	l.get("/status?target=octo").want(200).says(`"apply":"off"`)
	l.ask("administrator", "PUT", "/targets/octo/teams/free/mappings", `{"groups":[{"group":"people/leads"}]}`, "If-Match", "*").want(403).says("turned off")
	put("*", `{"enabled":true}`).want(200)
	l.get("/status?target=octo").want(200).says(`"apply":"auto"`)
}

// One row that cannot be opened is refused; one that could once, and cannot any more, stops nothing but itself.
func TestASourceThatCannotBeOpenedStopsNothingElse(t *testing.T) {
	l := newLab(t)
	row := `{"kind":"ldap","url":"ldaps://ldap.example.com","base_dn":"dc=example,dc=com","bind_dn":"cn=x,dc=example,dc=com","bind_password":"x","ca_file":"ca.pem"}`
	put := func() reply { return l.ask("administrator", "PUT", "/sources/bad", row, "If-Match", "*") }
	r := put().want(422).says("a file that it names", "no such file")
	if strings.Contains(r.text, "ca.pem") {
		t.Errorf("what was given is repeated: %s", r.text)
	}
	l.get("/sources/bad").want(404)
	if _, err := l.house.Store.PutConfigured(t.Context(), store.Change{
		Section: "sources", Name: "bad", Body: []byte(strings.Replace(row, `"bind_password":"x",`, "", 1)),
		Secrets: map[string]setting.Secret{"bind_password": "x"}, Version: store.AnyVersion, By: "a time when the file was there",
	}); err != nil {
		t.Fatal(err)
	}
	l.get("/sources/bad").want(200)
	h, err := l.now.House(t.Context())
	if err != nil || len(h.Config.Sources) != 3 {
		t.Fatalf("%d sources, %v", len(h.Config.Sources), err)
	}
	if _, err := h.Searchers(t.Context()); err != nil {
		t.Error(err)
	}
	if d, err := h.AllDeps(t.Context(), answer.Schedule); err != nil || len(d.Sources) != 3 || len(d.Targets) != 2 {
		t.Errorf("%d sources, %d targets, %v", len(d.Sources), len(d.Targets), err)
	}
	l.post("/targets/octo/plan", "").want(200)
}

// privateKey is one as GitHub gives out for an App.
func privateKey(t *testing.T) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
}
