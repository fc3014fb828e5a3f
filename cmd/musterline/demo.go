package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
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
	var dir, listen string
	command := &cobra.Command{
		Use:   "demo",
		Short: "See it work on sample data: no account, no network",
		Long: `Starts the whole product on the data of a company that does not exist: a
server with its console, a simulated GitHub and a simulated identity provider to
sign in with, and a year of history, made by syncs that really ran. It prints
the address of the console and a link that signs you in, and ends with Ctrl-C.
Everything is on this machine.

With --once it tells a story in the terminal instead, and ends: a first plan,
approvals, an apply, a group that comes back empty, and why somebody is in a
team. Every step is the real command line with its real output.`,
		Example: `  musterline demo
  musterline demo --once`,
		Args: arguments(0, 0, ""),
		RunE: func(command *cobra.Command, _ []string) error {
			if once {
				return c.tellDemo(command.Context(), dir)
			}
			return c.demo(command.Context(), dir, listen)
		},
	}
	command.Flags().BoolVar(&once, "once", false, "tell a story in the terminal and end")
	command.Flags().StringVar(&dir, "dir", "", "put the files into this `folder` and leave them there (default: a temporary one)")
	command.Flags().StringVar(&listen, "listen", "", "the `address` of the console (default: a free port of this machine)")
	return command
}

// tellDemo lays the files out, starts GitHub and tells the story.
func (c *cli) tellDemo(ctx context.Context, dir string) error {
	dir, clean, err := demoDir(dir)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer clean()
	hub, err := newDemoHub(c.now)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer hub.stop()
	pace := "0s"
	if c.screen().Live {
		pace = "150ms" // slow enough to be watched
	}
	if err := demoFiles(dir, demoValues{URL: hub.url, Pace: pace}); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	t := &teller{cli: c, screen: c.screen(), dir: dir, started: c.now()}
	return t.story(ctx)
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

// A demoHub is the sample organization on a simulated GitHub, served on this machine only.
type demoHub struct {
	url  string
	org  *githubsim.Organization
	sim  *githubsim.Server
	stop func()
}

func newDemoHub(now func() time.Time) (*demoHub, error) {
	file, err := sample.Open("demo/organization.json")
	if err != nil {
		return nil, err
	}
	world, err := githubsim.Load(file)
	if err != nil {
		return nil, err
	}
	h := &demoHub{org: world.Organization("northlight"), sim: githubsim.New(githubsim.Options{World: world, Now: now, KeepCalls: 1000})}
	h.sim.PutToken(githubsim.Token{Value: "ghp_simulated", Name: "musterline", User: "amara-okafor", Scopes: []string{"admin:org"}})
	h.url, h.stop, err = serveHere("127.0.0.1:0", h.sim)
	return h, err
}

// serveHere serves at an address of this machine, until stop.
func serveHere(address string, handler http.Handler) (url string, stop func(), err error) {
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", address)
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }() // ends with Close
	return "http://" + listener.Addr().String(), func() { _ = server.Close() }, nil
}

// demoValues are what stands in the configuration of the sample company.
type demoValues struct {
	URL, Pace           string // of GitHub
	Server, Listen, IDP string // of the console; empty: there is none
}

func demoFiles(dir string, values demoValues) error {
	directory, err := sample.ReadFile("demo/directory.yaml")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "directory.yaml"), directory, 0o600); err != nil {
		return err
	}
	return demoConfig(dir, values)
}

func demoConfig(dir string, values demoValues) error {
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
