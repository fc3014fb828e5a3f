// Command githubsim serves a simulated GitHub over plain HTTP, for trying a client without an account. It forgets everything when
// it ends.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"musterline.example/internal/githubsim"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "githubsim:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("githubsim", flag.ContinueOnError)
	load := flags.String("load", "", "organization `file` (JSON; see githubsim.Load); a small one is made up without")
	listen := flags.String("listen", "127.0.0.1:8090", "`address` to listen on")
	token := flags.String("token", "", "accept this `token` beside those that begin with ghp_sim")
	user := flags.String("user", "", "`login` that the tokens act for; the first owner without")
	logTo := flags.String("call-log", "", "append one JSON line per call to this `file`")
	latency := flags.Duration("latency", 0, "how long every call takes")
	secondary := flags.Bool("secondary-limits", false, "enforce the secondary rate limits as published")
	if err := flags.Parse(args); err != nil {
		return err
	}

	world, err := read(*load)
	if err != nil {
		return err
	}
	org := world.Organizations()[0]
	owner := *user
	if owner == "" {
		owner = org.Owners()[0]
	}
	if !world.HasUser(owner) {
		return fmt.Errorf("no user %q", owner)
	}
	opts := githubsim.Options{
		World:     world,
		KeepCalls: 1000,
		Token: func(value string) (githubsim.Token, bool) {
			known := strings.HasPrefix(value, "ghp_sim") || *token != "" && value == *token
			return githubsim.Token{Name: "token of " + owner, User: owner, Scopes: []string{"admin:org", "read:user", "user:email"}}, known
		},
		Latency: func(githubsim.Call) time.Duration { return *latency },
	}
	if *secondary {
		opts.Limits.Secondary = githubsim.PublishedSecondary()
	}
	if *logTo != "" {
		log, err := os.OpenFile(*logTo, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		defer log.Close()
		var mu sync.Mutex
		opts.Trace = func(c githubsim.Call) {
			mu.Lock()
			defer mu.Unlock()
			_ = json.NewEncoder(log).Encode(c)
		}
	}

	l, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, `Simulated GitHub with the organization %s (%d people, %d teams).
  REST     http://%[4]s  and  http://%[4]s/api/v3
  GraphQL  http://%[4]s/graphql  and  http://%[4]s/api/graphql
Any token that begins with ghp_sim acts for %[5]s, an owner unless --user says otherwise:
  curl -H 'Authorization: Bearer ghp_sim' http://%[4]s/orgs/%[1]s/teams
`, org.Login(), len(org.Roles()), len(org.Teams()), l.Addr(), owner)

	server := &http.Server{Handler: githubsim.New(opts), ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_ = server.Shutdown(grace)
	return nil
}

func read(path string) (*githubsim.World, error) {
	if path == "" {
		return githubsim.Load(strings.NewReader(`{"organization": "acme", "owners": ["ann"], "members": ["bob", "cy", "dee"],
			"teams": [{"name": "Platform", "members": ["bob"], "maintainers": ["cy"]}, {"name": "Platform On-Call", "parent": "Platform", "members": ["dee"]}]}`))
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return githubsim.Load(f)
}
