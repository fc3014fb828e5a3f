package main

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"github.com/spf13/cobra"

	"musterline.example/answer"
	"musterline.example/cmd/musterline/view"
	"musterline.example/internal/githubsim"
	"musterline.example/internal/words"
)

// The sample company: what its GitHub holds, what its identity provider says, and the configuration between the two.
//
//go:embed demo/organization.json demo/directory.yaml demo/musterline.yaml
var sample embed.FS

func (c *cli) demoCommand() *cobra.Command {
	var once bool
	var dir string
	command := &cobra.Command{
		Use:   "demo",
		Short: "See it work on sample data: no account, no network",
		Long: `Starts a simulated GitHub inside the program, with the organization of a company
that does not exist, and tells a story on it: a first plan, approvals, an apply,
a group that comes back empty, and why somebody is in a team. Every step is the
real command line with its real output. Afterwards the simulated GitHub keeps
running, so that you can go on in another terminal, until Ctrl-C.`,
		Example: "  musterline demo",
		Args:    arguments(0, 0, ""),
		RunE: func(command *cobra.Command, _ []string) error {
			return c.demo(command.Context(), dir, once)
		},
	}
	command.Flags().BoolVar(&once, "once", false, "end after the story")
	command.Flags().StringVar(&dir, "dir", "", "put the files into this `folder` and leave them there (default: a temporary one)")
	return command
}

// demo lays the files out, starts GitHub, tells the story, and waits.
func (c *cli) demo(ctx context.Context, dir string, once bool) error {
	dir, clean, err := demoDir(dir)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer clean()
	url, stop, err := demoGitHub()
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer stop()
	pace := "0s"
	if c.screen().Live {
		pace = "150ms" // slow enough to be watched
	}
	if err := demoFiles(dir, map[string]string{"URL": url, "Pace": pace}); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	t := &teller{cli: c, screen: c.screen(), dir: dir, started: c.now()}
	if err := t.story(ctx); err != nil || once {
		return err
	}
	t.invite(url)
	<-ctx.Done()
	t.screen.Blank()
	t.screen.Para(0, "The simulated GitHub is gone, with everything in it.")
	return nil
}

// demoDir returns an empty folder, and what takes a temporary one away.
func demoDir(dir string) (path string, clean func(), err error) {
	if dir == "" {
		dir, err = os.MkdirTemp("", "musterline-demo-")
		return dir, func() { _ = os.RemoveAll(dir) }, err
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", nil, err
	}
	if found, err := os.ReadDir(dir); err != nil || len(found) > 0 {
		return "", nil, errors.Join(err, fmt.Errorf("%s is not empty: name a folder that is", dir))
	}
	path, err = filepath.Abs(dir)
	return path, func() {}, err
}

// demoGitHub serves the sample organization on this machine only.
func demoGitHub() (url string, stop func(), err error) {
	file, err := sample.Open("demo/organization.json")
	if err != nil {
		return "", nil, err
	}
	world, err := githubsim.Load(file)
	if err != nil {
		return "", nil, err
	}
	github := githubsim.New(githubsim.Options{World: world})
	github.PutToken(githubsim.Token{Value: "ghp_simulated", Name: "musterline", User: "amara-okafor", Scopes: []string{"admin:org"}})
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: github, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }() // ends with Close
	return "http://" + listener.Addr().String(), func() { _ = server.Close() }, nil
}

func demoFiles(dir string, values map[string]string) error {
	directory, err := sample.ReadFile("demo/directory.yaml")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "directory.yaml"), directory, 0o600); err != nil {
		return err
	}
	config, err := template.ParseFS(sample, "demo/musterline.yaml")
	if err != nil {
		return err
	}
	var text strings.Builder
	if err := config.Execute(&text, values); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "musterline.yaml"), []byte(text.String()), 0o600)
}

// A teller tells the story of the demonstration.
type teller struct {
	cli     *cli
	screen  view.Screen
	dir     string
	started time.Time
	step    int
}

// story goes on until a step goes wrong.
func (t *teller) story(ctx context.Context) error {
	t.screen.Para(0, "Northlight is a company of 40 people. Its identity provider is the file directory.yaml, its GitHub a simulated one inside this program. "+
		"musterline.yaml says which groups drive which of its eleven teams. Each step below is a real command and what it really says.")
	t.screen.Blank()
	t.screen.Line("$ cd %s", t.dir)
	for _, step := range []func(context.Context) error{
		t.tell("The first plan changes nothing, it only looks. People who would leave a team at its first connection are never removed unseen: the guard first_connection objects.", "plan"),
		t.tell("A person looks at the objections and approves them, with a reason that the audit record keeps. Still nothing is changed.",
			"approve", "northlight", "--reason", "checked with the team leads", "--yes"),
		t.tell("Now the plan is carried out. On a terminal, apply without --yes asks first.", "apply", "northlight", "--yes"),
		t.tell("Planning again finds nothing to do. That is what in sync means.", "plan"),
		t.emptyGroup,
		t.tell("At three in the morning, cron runs a sync. Is the group empty because the people have left, or because somebody slipped? A guard holds the removals until a person says which.", "sync"),
		t.tell("It was right: the data people have moved to another department. Somebody approves exactly that team.",
			"approve", "northlight", "--team", "data", "--reason", "data has moved to the insights department, HR-204", "--yes"),
		t.tell("", "sync"),
		t.tell("Whoever asks later gets an answer from stored evidence: why somebody is in a team ...", "why", "xenia-p", "platform"),
		t.tell("... why somebody is not any more ...", "why", "mia-petrov", "data"),
		t.tell("... and why somebody cannot be yet.", "why", "people/joe", "docs"),
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// tell is a step that says why it is made and runs one command.
func (t *teller) tell(why string, args ...string) func(context.Context) error {
	return func(ctx context.Context) error {
		if why != "" {
			t.heading(why)
		} else {
			t.screen.Blank()
		}
		return t.run(ctx, args...)
	}
}

func (t *teller) heading(why string) {
	t.step++
	t.screen.Blank()
	t.screen.Step(t.step, why)
}

// run shows a command line and carries it out, as a shell in the folder would.
func (t *teller) run(ctx context.Context, args ...string) error {
	quoted := make([]string, len(args))
	for i, a := range args {
		quoted[i] = words.Quote(a)
	}
	t.screen.Command("musterline " + strings.Join(quoted, " "))
	command := &cli{stdin: strings.NewReader(""), stdout: t.cli.stdout, stderr: t.cli.stderr, env: t.cli.env, now: t.cli.now}
	args = append(args, "--config", filepath.Join(t.dir, "musterline.yaml"))
	if t.cli.noColor {
		args = append(args, "--no-color")
	}
	if code := command.run(ctx, args); code != exitDone {
		return answer.Errorf(answer.Failed, "demo: that should have ended with exit code 0, not %d", code)
	}
	return ctx.Err()
}

// emptyGroup does what a slip at an identity provider does.
func (t *teller) emptyGroup(ctx context.Context) error {
	t.heading("Overnight something goes wrong at the identity provider: the group data comes back empty.")
	path := filepath.Join(t.dir, "directory.yaml")
	t.screen.Command(`sed -i '/id: data,/s/members: \[.*\]/members: []/' directory.yaml`)
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	lines := strings.Split(string(text), "\n")
	for i, line := range lines {
		if before, _, ok := strings.Cut(line, "members: ["); ok && strings.Contains(line, "id: data,") {
			lines[i] = before + "members: [] }"
		}
	}
	return errors.Join(os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600), ctx.Err()) //nolint:gosec // the folder is the visitor's own
}

// invite tells the visitor how to go on.
func (t *teller) invite(url string) {
	s := t.screen
	s.Blank()
	s.Title("Now you. The simulated GitHub keeps running at %s until Ctrl-C.", url)
	s.Para(0, "In another terminal:")
	s.Blank()
	s.Line("  cd %s", t.dir)
	if program, err := os.Executable(); err == nil {
		if found, err := exec.LookPath("musterline"); err != nil || found != program {
			s.Line("  alias musterline=%s", words.Quote(program))
		}
	}
	s.Table(2, [][]string{
		{cmp.Or(t.cli.variable("EDITOR"), "vi") + " directory.yaml", "take somebody out of a group, or put somebody in"},
		{"musterline plan", "see what that would change"},
		{"musterline sync", "change it"},
		{"musterline why tove-n release", "ask about anybody"},
		{"musterline undo 1", "take the first run back"},
		{"musterline status", "see how things stand"},
		{"musterline audit", "see who did what, and why"},
	})
	s.Blank()
}
