package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"musterline.example/answer"
	"musterline.example/internal/githubsim"
)

// A far desk is one at the other end of a network: every question, answer, progress and error goes through JSON.
type far struct{ near answer.Desk }

// sent is a value as it comes out at the other end.
func sent[T any](v T) T {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	var out T
	if err := json.Unmarshal(text, &out); err != nil {
		panic(err)
	}
	return out
}

// back is an answer with its error as they come back.
func back[T any](v T, err error) (T, error) {
	if err != nil {
		return sent(v), sent(answer.ErrorOf(err))
	}
	return sent(v), nil
}

func over(tell func(answer.Progress)) func(answer.Progress) {
	return func(p answer.Progress) { tell(sent(p)) }
}

func (f far) Configured(ctx context.Context) (answer.Configured, error) {
	return back(f.near.Configured(ctx))
}

func (f far) Plan(ctx context.Context, target string) (answer.Plan, error) {
	return back(f.near.Plan(ctx, target))
}

func (f far) PlanUndo(ctx context.Context, run string) (answer.Plan, error) {
	return back(f.near.PlanUndo(ctx, run))
}

func (f far) Sync(ctx context.Context, wish answer.SyncWish, tell func(answer.Progress)) (answer.Done, error) {
	return back(f.near.Sync(ctx, sent(wish), over(tell)))
}

func (f far) Undo(ctx context.Context, wish answer.UndoWish, tell func(answer.Progress)) (answer.Done, error) {
	return back(f.near.Undo(ctx, sent(wish), over(tell)))
}

func (f far) Approve(ctx context.Context, wish answer.ApproveWish) (answer.Approval, error) {
	return back(f.near.Approve(ctx, sent(wish)))
}

func (f far) Pause(ctx context.Context, wish answer.PauseWish) (answer.Pausing, error) {
	return back(f.near.Pause(ctx, sent(wish)))
}

func (f far) Resume(ctx context.Context, wish answer.PauseWish) (answer.Pausing, error) {
	return back(f.near.Resume(ctx, sent(wish)))
}

func (f far) Link(ctx context.Context, wish answer.LinkWish) (answer.Linked, error) {
	return back(f.near.Link(ctx, sent(wish)))
}

func (f far) Unlink(ctx context.Context, wish answer.UnlinkWish) (answer.Unlinked, error) {
	return back(f.near.Unlink(ctx, sent(wish)))
}

func (f far) Check(ctx context.Context) (answer.Check, error) { return back(f.near.Check(ctx)) }

func (f far) Status(ctx context.Context, targets ...string) (answer.Status, error) {
	return back(f.near.Status(ctx, targets...))
}

func (f far) Why(ctx context.Context, user, team string) (answer.Answer, error) {
	return back(f.near.Why(ctx, user, team))
}

func (f far) Groups(ctx context.Context, wish answer.GroupsWish) (answer.Groups, error) {
	return back(f.near.Groups(ctx, sent(wish)))
}

func (f far) Teams(ctx context.Context, target string) (answer.Teams, error) {
	return back(f.near.Teams(ctx, target))
}

func (f far) Links(ctx context.Context) (answer.Links, error) { return back(f.near.Links(ctx)) }

func (f far) Runs(ctx context.Context, wish answer.RunsWish) (answer.Runs, error) {
	return back(f.near.Runs(ctx, sent(wish)))
}

func (f far) Run(ctx context.Context, id string) (answer.Run, error) {
	return back(f.near.Run(ctx, id))
}

func (f far) Audit(ctx context.Context, choose answer.AuditFilter) (answer.Audit, error) {
	return back(f.near.Audit(ctx, sent(choose)))
}

func (f far) ExportCSV(ctx context.Context, choose answer.AuditFilter, to io.Writer) error {
	return f.near.ExportCSV(ctx, sent(choose), to)
}

func (f far) Export(ctx context.Context, choose answer.AuditFilter, to io.Writer) error {
	return f.near.Export(ctx, sent(choose), to)
}

func (f far) Verify(ctx context.Context) (answer.Verified, error) { return back(f.near.Verify(ctx)) }

// A stage is one company with its simulated GitHub and the command line in front of it.
type stage struct {
	t    *testing.T
	dir  string
	host string
	org  *githubsim.Organization
	web  *githubsim.Server
	cli  cli
}

func newStage(t *testing.T, between func(answer.Desk) answer.Desk) *stage {
	t.Helper()
	s := &stage{t: t, dir: t.TempDir()}
	if err := furnish(s.dir); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(filepath.Join(s.dir, "org.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	world, err := githubsim.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	s.org, s.web = world.Organizations()[0], githubsim.New(githubsim.Options{World: world})
	s.web.PutToken(githubsim.Token{Value: "ghp_sim", User: s.org.Owners()[0], Scopes: []string{"admin:org"}})
	server := httptest.NewServer(s.web)
	t.Cleanup(server.Close)
	s.host = strings.TrimPrefix(server.URL, "http://")
	env := map[string]string{"GITHUB": server.URL, "TOKEN": "ghp_sim", "COLUMNS": "120", "SUDO_USER": "ann"}
	clock := time.Date(2026, 8, 21, 12, 0, 0, 0, time.UTC)
	s.cli = cli{
		stdin: strings.NewReader(""), between: between, now: func() time.Time { return clock },
		env: func(name string) (string, bool) { value, ok := env[name]; return value, ok },
	}
	return s
}

// random are the parts of an answer that are another's in every run.
var random = regexp.MustCompile(`[0-9a-f]{64}|[0-9A-F]{32}`)

// run carries out a command line, and returns all that it says, without what is another's in every run of the test.
func (s *stage) run(args ...string) string {
	var out, errs bytes.Buffer
	c := s.cli
	c.stdout, c.stderr = &out, &errs
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "HOST", s.host)
	}
	code := c.run(s.t.Context(), append(args, "--config", filepath.Join(s.dir, "musterline.yaml")))
	said := strings.Join([]string{fmt.Sprint("exit ", code), out.String(), errs.String()}, "\n")
	return random.ReplaceAllString(strings.NewReplacer(s.host, "HOST", s.dir, "DIR").Replace(said), "RANDOM")
}

func (s *stage) edit(old, with string) {
	path := filepath.Join(s.dir, "directory.yaml")
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), old) {
		s.t.Fatalf("no %q to edit: %v", old, err)
	}
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(text), old, with)), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// TestACommandSaysTheSameAtTheOtherEndOfANetwork tells one story twice: with the house at hand, and with every question and answer sent
// through JSON.
func TestACommandSaysTheSameAtTheOtherEndOfANetwork(t *testing.T) {
	near := newStage(t, nil)
	distant := newStage(t, func(d answer.Desk) answer.Desk { return far{d} })
	both := func(act func(*stage)) { act(near); act(distant) }
	say := func(line string, want ...string) {
		t.Helper()
		here, there := near.run(strings.Split(line, " ")...), distant.run(strings.Split(line, " ")...)
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
	say("teams", "octo/platform")
	say("link", "attribute")
	say("link add people/joe HOST/gil --reason asked", "is a login")
	say("link add people/joe HOST/1000007 --reason asked", "people/joe is account 1000007")
	say("link", "stated")
	say("link remove people/joe --json", `"user": "people/joe"`)
	say("link remove people/joe", "nobody has said anything")
	say("audit", "approved by ann (waiver 1): checked", "octo/platform: − dee")
	say("audit --team platform --account eve --json", `"outcome"`)
	say("audit --all --json", `"kind":"waiver"`)
	say("audit verify", "The audit record is whole")
	say("pause octo --reason inventory", "octo is paused")
	say("plan", "paused by ann since 12:00: inventory")
	say("sync", "octo is paused by ann since 12:00: inventory; nothing was done")
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
