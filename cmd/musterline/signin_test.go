package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"musterline.example/answer"
)

// The first administrator, or somebody for whom nothing else opens, gets in beside the server that runs.
func TestALinkFromTheCommandLineOpensTheServerThatRuns(t *testing.T) {
	s := layOut(t, "")
	s.start()
	text, code := s.run("sign-in", "--name", "grace", "--url", s.at, "--json")
	if code != exitDone {
		t.Fatal(code, text)
	}
	var made answer.SignInLink
	if err := json.Unmarshal([]byte(text), &made); err != nil || made.Role != "administrator" || made.Subject != "local:grace" {
		t.Fatal(text, err)
	}
	jar, _ := cookiejar.New(nil)
	browser := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	in, err := browser.Post(made.URL, "", nil)
	if err != nil || in.StatusCode != http.StatusSeeOther {
		t.Fatal(in, err)
	}
	_ = in.Body.Close()
	me, err := browser.Get(s.at + "/api/musterline/me")
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(me.Body)
	_ = me.Body.Close()
	if !strings.Contains(string(body), `"role":"administrator"`) || !strings.Contains(string(body), "grace (sign-in link)") {
		t.Error(string(body))
	}
	if strings.Contains(s.log.String(), "msl_") {
		t.Error("the log of the server holds the link")
	}
	if text, code := s.run("token", "create", "--name", "ci", "--role", "viewer"); code != exitDone || !strings.Contains(text, "mst_") {
		t.Error("a token is made beside the server too:", code, text)
	}
	if text, code := s.run("token", "revoke", "1"); code != exitDone {
		t.Error(code, text)
	}
	if text, code := s.run("sync"); code == exitDone || !strings.Contains(text, "--server URL") {
		t.Error("the engine is still one's alone:", code, text)
	}
}

func TestALinkIsMadeBeforeTheFirstStart(t *testing.T) {
	s := layOut(t, "")
	text, code := s.run("sign-in", "--name", "ada", "--url", "https://musterline.example.com/")
	if code != exitDone || !strings.Contains(text, "https://musterline.example.com/login/link/msl_") || !strings.Contains(text, "role administrator on") {
		t.Fatal(code, text)
	}
	if _, err := os.Stat(filepath.Join(s.dir, "musterline.db")); err != nil {
		t.Error(err)
	}
	if text, code := s.run("audit"); code != exitDone || !strings.Contains(text, "sign-in") || strings.Contains(text, "msl_") {
		t.Error(code, text)
	}
}

func TestALinkThatMakesNoSenseIsRefused(t *testing.T) {
	s := layOut(t, "")
	for says, args := range map[string][]string{
		"did you mean administrator":       {"--role", "adminstrator"},
		"did you mean octo":                {"--role", "owner", "--target", "octoo"},
		"one of the whole server":          {"--target", "octo"},
		"a day at most":                    {"--for", "2d"},
		"a sign-in link ends":              {"--for", "never"},
		"one word":                         {"--name", "two words"},
		"neither HTTPS nor this machine":   {"--url", "http://musterline.example.com"},
		"is no address of a server":        {"--url", "musterline"},
		"where the database and the key":   {"--server", "http://127.0.0.1:1"},
		"takes no arguments":               {"ada"},
		"sign-in has no option --rolle; d": {"--rolle", "viewer"},
	} {
		text, code := s.run(append([]string{"sign-in"}, args...)...)
		if flat := strings.Join(strings.Fields(text), " "); code == exitDone || !strings.Contains(flat, says) || strings.Contains(text, "msl_") {
			t.Errorf("%v: %d %s\ndoes not say: %s", args, code, text, says)
		}
	}
}
