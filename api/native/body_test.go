package native_test

import (
	"net/http"
	"strings"
	"testing"
)

// A key that is missing is no wish: nothing is unmapped or turned off because somebody forgot a word.
func TestABodyIsAsTheDocumentHasItOrNothingIsDone(t *testing.T) {
	l := newLab(t)
	before := l.state()
	for _, c := range []struct{ method, path, body, says string }{
		{"PUT", "/targets/octo/teams/free/mappings", `{}`, "groups"},
		{"PUT", "/targets/octo/teams/free/mappings", `{"groups":null}`, "groups"},
		{"PUT", "/targets/octo/teams/free/mappings", `{"groups":[{}]}`, "group"},
		{"PUT", "/targets/octo/teams/free/mappings", `{"groups":[],"mode":"other"}`, "exclusive"},
		{"POST", "/targets/octo/teams/free/mappings/preview", `{}`, "groups"},
		{"PUT", "/targets/octo/enabled", `{"members":"keep"}`, "enabled"},
		{"PUT", "/targets/octo/enabled", `{}`, "enabled"},
		{"POST", "/targets/octo/sync", `{"trigger":"never"}`, "person"},
		{"POST", "/targets/octo/sync", `{"why":"` + strings.Repeat("x", 501) + `"}`, "why"},
		{"POST", "/targets/octo/pause", `{"reason":"` + strings.Repeat("x", 2001) + `"}`, "reason"},
		{"POST", "/tokens", `{"name":"x"}`, "role"},
		{"POST", "/tokens", `{"name":"x","role":"king"}`, "viewer"},
		{"POST", "/roles", `{"role":"viewer"}`, "subject"},
		{"POST", "/links", `{"user":"people/ada","account":"github.com/1"}`, "reason"},
	} {
		got := l.ask("administrator", c.method, c.path, c.body, "If-Match", "*").want(http.StatusUnprocessableEntity).says(c.says)
		if strings.Contains(got.text, "king") || strings.Contains(got.text, "never") || strings.Contains(got.text, "xxxx") {
			t.Errorf("%s repeats what it was sent: %s", c.path, got.text)
		}
	}
	if after := l.state(); after != before {
		t.Error("something was changed")
	}
}

// A terminal obeys some characters, and a database takes no NUL.
func TestControlCharactersAreRefusedWhereverTheyStand(t *testing.T) {
	l := newLab(t)
	before := l.state()
	for _, bad := range []string{`\u001b[31m`, `\u0000`, `\u009b2J`, `\u007f`, `\r`} {
		for _, c := range []struct{ method, path, body string }{
			{"POST", "/targets/octo/pause", `{"reason":"x` + bad + `"}`},
			{"POST", "/targets/octo/pause", `{"reason":"x","by":"root` + bad + `"}`},
			{"POST", "/targets/octo/sync", `{"teams":["7` + bad + `"]}`},
			{"POST", "/tokens", `{"name":"x` + bad + `","role":"viewer"}`},
			{"POST", "/links", `{"user":"people/ada` + bad + `","account":"github.com/1","reason":"x"}`},
			{"PUT", "/targets/octo/teams/free/mappings", `{"groups":[{"group":"people/leads` + bad + `"}]}`},
		} {
			l.ask("administrator", c.method, c.path, c.body, "If-Match", "*").want(http.StatusUnprocessableEntity).says("control characters")
		}
	}
	l.ask("administrator", "PUT", "/sources/new", `{"kind":"file","path":"directory\u0000.yaml"}`, "If-Match", "*").want(http.StatusUnprocessableEntity)
	for _, path := range []string{"/runs/1%00", "/audit?team=x%00", "/audit?run=%1b", "/targets/octo/teams/x%00", "/tokens/%ff", "/runs?target=%ff", "/why?user=x%0a&team=docs"} {
		l.ask("administrator", "GET", path, "").want(http.StatusUnprocessableEntity)
	}
	if after := l.state(); after != before {
		t.Error("something was changed")
	}
}
