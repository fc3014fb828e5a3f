package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"musterline.example/internal/githubsim"
	"musterline.example/internal/oidcsim"
	"musterline.example/web"
)

// demo starts the sample company's GitHub and identity provider, lets its history happen, serves, and tells the visitor where.
func (c *cli) demo(ctx context.Context, dir, listen string) error {
	dir, clean, err := demoDir(dir)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer clean()
	clock := &demoClock{real: c.now}
	hub, err := newDemoHub(clock.now)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer hub.stop()
	if listen == "" {
		if listen, err = unusedAddress(ctx); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
	}
	values := demoValues{URL: hub.url, Pace: "0s", Server: "http://" + listen, Listen: listen}
	hub.sim.AddOAuthApp(githubsim.OAuthApp{ClientID: "musterline", Secret: "simulated", Name: "Musterline", Callback: values.Server + "/login/github/callback"})
	idp, stop, err := demoIDP(ctx, values.Server)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer stop()
	values.IDP = idp
	if err := demoFiles(dir, values); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	link, err := c.demoPast(ctx, dir, hub, clock)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	values.Pace = "3s" // so that a run can be watched
	if err := demoConfig(dir, values); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	return c.demoServe(ctx, dir, values, link)
}

// demoServe runs the server on what has been made, and tells the visitor of it once it answers.
func (c *cli) demoServe(ctx context.Context, dir string, values demoValues, link string) (err error) {
	log, err := os.OpenFile(filepath.Join(dir, "musterline.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	server := &cli{stdin: c.stdin, stdout: log, stderr: log, env: c.env, now: c.now, config: filepath.Join(dir, "musterline.yaml"), noColor: true}
	serving, end := context.WithCancel(ctx)
	defer end()
	ended := make(chan error, 1)
	go func() { ended <- server.serve(serving, "") }()
	if !answers(serving, values.Server+"/readyz", ended) {
		end()
		return <-ended
	}
	c.inviteToConsole(dir, values, link)
	err = <-ended
	c.screen().Blank()
	c.screen().Para(0, "The company is gone, with everything in it.")
	return err
}

// answers waits until a server is ready; false when it has ended instead, or nobody waits any more.
func answers(ctx context.Context, address string, ended chan error) bool {
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return false
		}
		if resp, err := new(http.Client).Do(r); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return true
			}
		}
		select {
		case err := <-ended:
			ended <- err
			return false
		case <-ctx.Done():
			return false
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// unusedAddress is one of this machine at which nobody listens now.
func unusedAddress(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

var demoUser = regexp.MustCompile(`^- \{ id: ([a-z]+), name: "([^"]+)", email: ([^,]+@[^, ]+)`)

// demoIDP serves an identity provider that knows the people of the directory, on this machine only.
func demoIDP(ctx context.Context, server string) (issuer string, stop func(), err error) {
	directory, err := sample.ReadFile("demo/directory.yaml")
	if err != nil {
		return "", nil, err
	}
	var people []oidcsim.Person
	for line := range strings.SplitSeq(string(directory), "\n") {
		if m := demoUser.FindStringSubmatch(line); m != nil && !strings.Contains(line, "active: false") {
			people = append(people, oidcsim.Person{Subject: m[1], Name: m[2], Login: m[3], Email: m[3]})
		}
	}
	address, err := unusedAddress(ctx)
	if err != nil {
		return "", nil, err
	}
	provider, err := oidcsim.New(oidcsim.Options{
		Issuer: "http://" + address, ClientID: "musterline", Secret: "simulated", Callback: server + "/login/oidc/callback", People: people,
	})
	if err != nil {
		return "", nil, err
	}
	return serveHere(address, provider)
}

// inviteToConsole tells the visitor where everything is.
func (c *cli) inviteToConsole(dir string, values demoValues, link string) {
	s := c.screen()
	s.Para(0, "Northlight is a company of some 45 people that does not exist. Its GitHub, its identity provider and Musterline run on this machine until Ctrl-C, "+
		"and everything that has happened was done by syncs that really ran.")
	s.Blank()
	s.Title("The console is at %s/console/", values.Server)
	s.Line("Sign in as an administrator with this link, which is good for once:")
	s.Blank()
	s.Line("  %s", link)
	s.Blank()
	if !web.Built() {
		s.Para(0, "This program was built without Node, so the console is not part of it: the address says how to build it. The command line and the API give "+
			"the same answers.")
		s.Blank()
	}
	s.Para(0, "There is something to do: a group has come back empty this morning, and a guard holds its team until somebody says whether that is right. A run puts "+
		"everybody into the team all-hands, slowly enough to be watched. Two people cannot be matched yet. Last night somebody changed teams by hand.")
	s.Blank()
	s.Para(0, "To see what a person without a role sees, open %s/console/link in another browser and sign in as Joe Mwangi.", values.Server)
	s.Blank()
	s.Line("The files are in %s. In another terminal:", dir)
	s.Blank()
	s.Table(2, [][]string{
		{"cd " + dir, ""},
		{"musterline status", "how things stand"},
		{"musterline why xenia-p platform", "why somebody is in a team"},
		{"musterline audit", "who did what, and why"},
		{"musterline demo --once", "the same as a story, here in the terminal"},
	})
}
