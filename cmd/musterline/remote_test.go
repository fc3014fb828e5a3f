package main

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"musterline.example/answer"
	"musterline.example/api"
	"musterline.example/api/access"
	"musterline.example/api/client"
	"musterline.example/api/native"
	"musterline.example/internal/githubsim"
	"musterline.example/reconcile"
	"musterline.example/store"
)

// One token is good, without being in any database: a command that only looks finds none, and writes into none.
type oneToken struct{}

func (oneToken) Token(_ context.Context, text string) (store.Token, error) {
	if text != "mst_good" {
		return store.Token{}, store.ErrNotFound
	}
	return store.Token{Name: "good", Role: "administrator"}, nil
}

func (oneToken) Touch(context.Context, store.Token) error { return nil }

// behindServer puts a real server between a command and its house: HTTP, the API, and the client of --server.
func behindServer(t *testing.T) func(answer.Desk) answer.Desk {
	t.Helper()
	return func(d answer.Desk) answer.Desk {
		h, _ := d.(*answer.House)
		carry := func(target string) {
			// As a job would: what waits is taken into a run. What goes wrong stands in the run.
			go func() {
				_, _, _ = h.Carry(context.WithoutCancel(t.Context()), answer.Schedule, target, reconcile.Budget{}, nil)
			}()
		}
		log := slog.New(slog.DiscardHandler)
		room := native.New(native.Options{
			House:  func(context.Context) (*answer.House, error) { return h, nil },
			Access: access.New(access.Options{Tokens: oneToken{}, Log: log}), Asked: carry, Log: log,
		})
		web := httptest.NewServer(api.New(api.Options{
			GitHub: api.Plain(http.NotFoundHandler()), Rooms: map[string]api.Room{native.Prefix: room}, Log: log,
		}))
		t.Cleanup(web.Close)
		c, err := client.New(client.Options{URL: web.URL, Token: "mst_good"})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
}

// byToken is what stands behind who acts through the API; words that a server does not repeat are those that a command line has in quotes.
var byToken = regexp.MustCompile(`, by token good`)

// TestACommandSaysTheSameThroughAServer tells the story of far_test with a real server in between.
func TestACommandSaysTheSameThroughAServer(t *testing.T) {
	near := newStage(t, nil)
	distant := newStage(t, behindServer(t))
	both := func(act func(*stage)) { act(near); act(distant) }
	say := func(line string, want ...string) {
		t.Helper()
		here, there := near.run(strings.Split(line, " ")...), distant.run(strings.Split(line, " ")...)
		there = byToken.ReplaceAllString(there, "")
		if d := cmp.Diff(here, there); d != "" {
			t.Errorf("musterline %s (-near +far)\n%s", line, d)
		}
		for _, w := range want {
			if !strings.Contains(here, w) {
				t.Errorf("musterline %s does not say %q:\n%s", line, w, here)
			}
		}
	}
	say("plan", "no history", "stopped by first_connection")
	say("plan --json", `"digest"`)
	say("why ada platform", "nothing stored yet")
	say("sync okto", "did you mean octo?")
	say("apply --yes", "2 added in 2 teams", "people held")
	say("apply", "standard input is no terminal")
	say("plan --detailed-exitcode", "exit 3")
	say("status", "1 change for approval (first_connection)")
	say("approve octo --reason checked --yes --team docs", "no guard objects to the changes chosen")
	say("approve octo --reason checked --yes --team plattform", "did you mean platform?")
	say("approve octo --reason checked --yes", "Approved by ann: 1 change (waiver 1, until 2026-08-24 12:00)")
	say("approve octo --reason checked --yes --json", `"changes": 0`)
	say("sync", "− dee")
	both(func(s *stage) { s.edit("members: [bob, cy]", "members: [bob, cy, eve, fay]") })
	say("sync --json", `"added": 2`)
	for _, question := range []string{"why ada platform", "why dee platform --json", "why kim data", "why ada-k platform", "why people/joe docs"} {
		say(question)
	}
	say("groups", "people/on-call")
	say("groups people --prefix on --json", `"on-call"`)
	say("groups peple", "did you mean people?")
	say("teams", "octo/platform")
	say("link", "attribute")
	say("link add people/joe HOST/gil --reason asked", "is a login")
	say("link add people/joe HOST/1000007 --reason asked", "people/joe is account 1000007")
	say("link", "stated")
	say("link remove people/joe --json", `"user": "people/joe"`)
	say("link remove people/joe", "nobody has said anything")
	say("audit", "approved by ann (waiver 1): checked", "octo/platform: − dee")
	say("audit --team platform --account eve --json", `"outcome"`)
	say("audit --limit 3")
	say("audit --all --json", `"kind":"waiver"`)
	say("audit verify", "The audit record is whole")
	say("pause octo --reason inventory", "octo is paused")
	say("plan", "paused by ann since 12:00: inventory")
	say("sync", "octo is paused by ann since 12:00: inventory; nothing was done")
	say("apply --yes")
	say("resume octo", "octo runs again")
	say("undo 9 --yes", `there is no run "9"`)
	say("undo 2 --yes", "octo is paused, so that")
	say("undo 2 --yes", "nothing of that run is left to undo")
	say("status --json", `"undoes": "2"`)
	both(func(s *stage) {
		s.web.Inject(githubsim.Fault{Match: func(c githubsim.Call) bool { return c.Method == "PUT" || c.Method == "DELETE" }, Status: 422, Message: "no"})
	})
	say("resume octo")
	say("sync", "failed", "they are tried again by the next sync")
	both(func(s *stage) {
		if err := os.Remove(filepath.Join(s.dir, "directory.yaml")); err != nil {
			t.Fatal(err)
		}
	})
	say("plan", "source people could not be read")
	say("sync", "nobody joined or left a team for it")
	say("groups", "exit 1")
}

// A token that is made by a command opens the server to other commands, as far as it reaches.
func TestTokensOpenTheServer(t *testing.T) {
	s := newStage(t, nil)
	s.run("sync")
	made := s.tokens(t, "token", "create", "--name", "looks", "--role", "viewer", "--target", "octo", "--for", "30d")
	if again := s.run("token", "list"); strings.Contains(again, made) || !strings.Contains(again, "looks") || !strings.Contains(again, "good") {
		t.Errorf("token list says %s", again)
	}
	h := s.house(t)
	guard := access.New(access.Options{Tokens: h.Store, Assignments: h.Store})
	room := native.New(native.Options{House: func(context.Context) (*answer.House, error) { return h, nil }, Access: guard})
	web := httptest.NewServer(api.New(api.Options{
		GitHub: api.Plain(http.NotFoundHandler()), Rooms: map[string]api.Room{native.Prefix: room},
	}))
	defer web.Close()

	// The database is the server's now: a command is sent there.
	if said := s.run("pause", "octo", "--reason", "x"); !strings.Contains(said, "--server URL") || !strings.Contains(said, "exit 1") {
		t.Errorf("a command beside a server says %s", said)
	}
	ask := func(token string, args ...string) string {
		return s.run(append(args, "--server", web.URL, "--token", token)...)
	}
	if said := ask(made, "status"); !strings.Contains(said, "octo") || !strings.Contains(said, "exit 0") {
		t.Errorf("status says %s", said)
	}
	if said := ask(made, "pause", "octo", "--reason", "x"); !strings.Contains(said, "your role does not allow this") {
		t.Errorf("pause says %s", said)
	}
	if said := ask(made+"x", "status"); !strings.Contains(said, "Bad credentials") {
		t.Errorf("a wrong token: %s", said)
	}
	admin, err := h.CreateToken(t.Context(), answer.TokenWish{Name: "admin", Role: "administrator"})
	if err != nil {
		t.Fatal(err)
	}
	if said := ask(admin.Text, "token", "revoke", "1"); !strings.Contains(said, "Token 1 (looks) is revoked.") {
		t.Errorf("revoke says %s", said)
	}
	if said := ask(made, "status"); !strings.Contains(said, "Bad credentials") {
		t.Errorf("a revoked token: %s", said)
	}
	if said := ask(admin.Text, "token", "revoke", "77"); !strings.Contains(said, "there is no such token") {
		t.Errorf("revoke of nothing says %s", said)
	}
	if said := ask(admin.Text, "token", "create", "--name", "two", "--role", "veiwer"); !strings.Contains(said, "did you mean viewer?") {
		t.Errorf("create says %s", said)
	}
	if said := ask(admin.Text, "check"); !strings.Contains(said, "octo") {
		t.Errorf("check says %s", said)
	}
	if said := s.run("status", "--server", "http://192.0.2.1", "--token", made); !strings.Contains(said, "is not sent over plain http") {
		t.Errorf("plain http says %s", said)
	}
	if said := s.run("status", "--server", web.URL); !strings.Contains(said, "a server asks who you are") {
		t.Errorf("without a token: %s", said)
	}
	file := filepath.Join(s.dir, "token")
	if err := os.WriteFile(file, []byte(admin.Text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if said := s.run("token", "list", "--server", web.URL, "--token-file", file); !strings.Contains(said, "revoked") {
		t.Errorf("with a file: %s", said)
	}
}

// tokens runs a command and returns what it prints on standard output.
func (s *stage) tokens(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	c := s.cli
	c.stdout, c.stderr = &out, &errs
	if code := c.run(t.Context(), append(args, "--config", filepath.Join(s.dir, "musterline.yaml"))); code != 0 {
		t.Fatal(out.String(), errs.String())
	}
	if !strings.Contains(errs.String(), "viewer on octo") || !strings.HasPrefix(out.String(), store.TokenPrefix) || strings.Contains(errs.String(), strings.TrimSpace(out.String())) {
		t.Errorf("create says %s and prints %s", errs.String(), out.String())
	}
	return strings.TrimSpace(out.String())
}

// house opens the stage's house as a server does.
func (s *stage) house(t *testing.T) *answer.House {
	t.Helper()
	c := s.cli
	c.config, c.stderr = filepath.Join(s.dir, "musterline.yaml"), &bytes.Buffer{}
	h, err := c.house()
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Share(t.Context(), "musterline serve"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return h
}

func TestUntilWhenATokenIsGood(t *testing.T) {
	now := time.Date(2026, 8, 21, 12, 0, 0, 0, time.UTC)
	for life, want := range map[string]string{
		"never": "0001-01-01T00:00:00Z", "12h": "2026-08-22T00:00:00Z", "30d": "2026-09-20T12:00:00Z",
		"0d": "", "-1h": "", "soon": "", "": "", "99999d": "",
	} {
		at, err := until(life, now)
		if got := at.Format(time.RFC3339); err == nil != (want != "") || err == nil && got != want {
			t.Errorf("%q is good until %s: %v", life, got, err)
		}
	}
}
