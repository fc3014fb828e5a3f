package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"musterline.example/internal/githubsim"
	"musterline.example/internal/pgtest"
)

const (
	servedGroups = 100_000
	askedFor     = 10 * time.Second // how long each load lasts
	askedRate    = 1000             // requests a second for the group list
	atOnce       = 16               // callers who read mappings one after the other
	patches      = 50
	githubTakes  = 100 * time.Millisecond // over each call, while mappings are changed
	mappingPath  = "/api/v3/orgs/octo-org/teams/platform/team-sync/group-mappings"
	groupsPath   = "/api/v3/orgs/octo-org/team-sync/groups"
)

// serve measures the real program as a server, on both databases: the group list and mappings under load, how long a PATCH takes to reach
// GitHub, how long the start takes and what it holds in memory when nothing happens.
func serve(out io.Writer, _ string) error {
	dir, err := os.MkdirTemp("", "musterline-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	program, size, err := build(dir)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "musterline serve, %d groups, callers on the same machine      repeat: go run ./bench serve\n", servedGroups)
	fmt.Fprintf(out, "  program %d MiB (limit 60)\n", size>>20)
	plain, err := bare()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "  %-10s  a bare handler with the same answer: %s\n", "", plain)
	if err := served(out, dir, program, "sqlite", "sqlite:"+filepath.Join(dir, "bench.db")); err != nil {
		return err
	}
	url, stop, err := pgtest.Start()
	if err != nil {
		fmt.Fprintf(out, "  postgres    not measured: %v\n", err)
		return nil
	}
	defer stop()
	return served(out, dir, program, "postgres", url)
}

// build builds the program as it is shipped and returns its path and its size in bytes.
func build(dir string) (path string, size int64, err error) {
	path = filepath.Join(dir, "musterline")
	c := exec.CommandContext(context.Background(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "./cmd/musterline") //nolint:gosec // our own
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := c.CombinedOutput(); err != nil {
		return "", 0, fmt.Errorf("build the program: %w\n%s", err, text)
	}
	about, err := os.Stat(path)
	if err != nil {
		return "", 0, err
	}
	return path, about.Size(), nil
}

// A run of the program with its GitHub.
type running struct {
	dir   string
	base  string
	cmd   *exec.Cmd
	ready time.Duration
	log   *os.File

	slow  atomic.Bool
	wrote chan time.Time // of the writes at GitHub
}

func served(out io.Writer, dir, program, name, database string) (err error) {
	r := &running{dir: dir, wrote: make(chan time.Time, 1000)}
	hub := r.github()
	defer hub.Close()
	if err := r.lay(hub.URL, database); err != nil {
		return err
	}
	if err := r.start(program); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.end()) }()
	first := r.ready
	if err := r.filled(); err != nil {
		return err
	}
	// Once more on the database that is filled: the usual start, and what the program holds then.
	if err := r.end(); err != nil {
		return err
	}
	if err := r.start(program); err != nil {
		return err
	}
	<-time.After(5 * time.Second)
	idle := r.resident()
	if _, err := r.patch("people:g-000001"); err != nil {
		return err
	}
	<-time.After(5 * time.Second) // the sync of it is none of what is measured next
	lists := load(askedRate, 0, func() error {
		return r.get(groupsPath + "?per_page=30&q=" + fmt.Sprintf("Team%%20%04d", rand.IntN(servedGroups/10)))
	})
	reads := load(0, atOnce, func() error { return r.get(mappingPath) })
	after := r.resident()
	unread, err := r.latencies()
	if err != nil {
		return err
	}
	read, err := r.latencies()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "  %-10s  start to ready %d ms on an empty database, %d ms on a filled one (limit 300); idle %d MiB (limit 60), %d MiB after the load\n", name, first.Milliseconds(), r.ready.Milliseconds(), idle, after)
	fmt.Fprintf(out, "  %-10s  list groups with q: %s (limit p99 10 ms at 1,000/s)\n", "", lists)
	fmt.Fprintf(out, "  %-10s  read a mapping: %s (limit 5,000/s)\n", "", reads)
	fmt.Fprintf(out, "  %-10s  PATCH to first write on GitHub, %s a call: %s (limit p99 1 s)\n", "", githubTakes, read)
	fmt.Fprintf(out, "  %-10s  … to a group that was never mapped, for which the source is read: %s\n", "", unread)
	return nil
}

// github is an organization whose calls take their time when asked to.
func (r *running) github() *httptest.Server {
	world := githubsim.NewWorld()
	org := world.AddOrganization("octo-org", "olga")
	for i := range 100 {
		org.AddMember(fmt.Sprintf("p%d", i))
	}
	org.AddTeam("platform")
	gh := githubsim.New(githubsim.Options{World: world})
	for i := range 50 {
		gh.PutToken(githubsim.Token{Value: token(i), User: "olga", Scopes: []string{"admin:org"}})
	}
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if r.slow.Load() {
			<-time.After(githubTakes)
			if strings.Contains(req.URL.Path, "/memberships/") && req.Method != http.MethodGet {
				r.wrote <- time.Now()
			}
		}
		gh.ServeHTTP(w, req)
	}))
}

// token is one of the tokens of an owner: one alone would be out of requests within the hour.
func token(i int) string { return "ghp_bench" + strconv.Itoa(i) }

// lay writes configuration and directory: groups of one member each.
func (r *running) lay(github, database string) error {
	var users, groups []map[string]any
	for i := range 100 {
		users = append(users, map[string]any{"id": fmt.Sprintf("p%d", i), "name": "Person", "accounts": map[string]string{"github": fmt.Sprintf("p%d", i)}})
	}
	for i := range servedGroups {
		groups = append(groups, map[string]any{"id": fmt.Sprintf("g-%06d", i), "name": fmt.Sprintf("Team %06d", i), "members": []string{fmt.Sprintf("p%d", i%100)}})
	}
	text, err := json.Marshal(map[string]any{"users": users, "groups": groups})
	if err != nil {
		return err
	}
	config := fmt.Sprintf(`database: %q
server: { listen: "127.0.0.1:0" }
secrets: { key_file: %s.key }
sources: { people: { kind: file, path: directory.json } }
targets: { octo: { kind: github, organization: octo-org, api_url: %q, token: %s, pace: 0s, grace: 0s, guards: { first_connection: apply, off: [team_removals, team_additions, empty_group, source_removals] } } }
`, database, strings.SplitN(database, ":", 2)[0], github, token(0))
	return errors.Join(os.WriteFile(filepath.Join(r.dir, "directory.json"), text, 0o600), os.WriteFile(filepath.Join(r.dir, "musterline.yaml"), []byte(config), 0o600))
}

// start starts the program and waits until it is ready.
func (r *running) start(program string) (err error) {
	if r.log, err = os.Create(filepath.Join(r.dir, "log")); err != nil {
		return err
	}
	r.cmd = exec.CommandContext(context.Background(), program, "serve", "--config", filepath.Join(r.dir, "musterline.yaml")) //nolint:gosec // built a moment ago
	r.cmd.Stderr, r.base = r.log, ""
	began := time.Now()
	if err := r.cmd.Start(); err != nil {
		return err
	}
	for time.Since(began) < time.Minute {
		<-time.After(5 * time.Millisecond)
		if r.base == "" {
			text, err := os.ReadFile(r.log.Name())
			if err != nil {
				return err
			}
			for line := range bytes.Lines(text) {
				var said struct {
					Msg string `json:"msg"`
					At  string `json:"at"`
				}
				if json.Unmarshal(line, &said) == nil && said.Msg == "serving" {
					r.base = said.At
				}
			}
			continue
		}
		if r.get("/readyz") == nil {
			r.ready = time.Since(began)
			return nil
		}
	}
	return errors.New("the server does not become ready")
}

func (r *running) end() error {
	if r.cmd.ProcessState != nil {
		return nil
	}
	return errors.Join(r.cmd.Process.Signal(syscall.SIGTERM), r.cmd.Wait(), r.log.Close())
}

// filled waits until the groups are listed.
func (r *running) filled() error {
	for range 600 {
		if r.get(groupsPath+"?q=Team%2009999") == nil {
			return nil
		}
		<-time.After(100 * time.Millisecond)
	}
	return errors.New("the groups are not listed")
}

func (r *running) resident() int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, _ := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")))
			return kib / 1024
		}
	}
	return 0
}

var caller = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
	MaxIdleConnsPerHost: 256, MaxConnsPerHost: 256, DialContext: (&net.Dialer{}).DialContext,
}}

func (r *running) get(path string) error {
	_, err := r.ask(http.MethodGet, path, "")
	return err
}

func (r *running) ask(method, path, body string) ([]byte, error) {
	req, err := http.NewRequestWithContext(context.Background(), method, r.base+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token(rand.IntN(50)))
	resp, err := caller.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, text)
	}
	return text, err
}

func (r *running) patch(group string) ([]byte, error) {
	return r.ask(http.MethodPatch, mappingPath, fmt.Sprintf(`{"groups":[{"group_id":%q,"group_name":"x","group_description":""}]}`, group))
}

// latencies maps the team to one group after the other and measures until the first write has been made at GitHub. The first time the
// members of none of them have been read, the second time those of all.
func (r *running) latencies() (figures, error) {
	r.slow.Store(true)
	defer r.slow.Store(false)
	var all figures
	for i := range patches {
		for len(r.wrote) > 0 {
			<-r.wrote
		}
		began := time.Now()
		if _, err := r.patch(fmt.Sprintf("people:g-%06d", 2+i)); err != nil {
			return all, err
		}
		select {
		case at := <-r.wrote:
			all.took = append(all.took, at.Sub(began))
		case <-time.After(30 * time.Second):
			return all, errors.New("GitHub sees no write within 30 seconds of a PATCH")
		}
		<-time.After(time.Second) // idle again
	}
	return all, nil
}

// Figures are how long requests took.
type figures struct {
	took   []time.Duration
	failed int
	why    error
	over   time.Duration
}

// String tells rate and percentiles.
func (f figures) String() string {
	slices.Sort(f.took)
	at := func(share float64) string {
		if len(f.took) == 0 {
			return "-"
		}
		return f.took[min(len(f.took)-1, int(share*float64(len(f.took))))].Round(10 * time.Microsecond).String()
	}
	text := fmt.Sprintf("p50 %s, p95 %s, p99 %s, longest %s", at(.5), at(.95), at(.99), at(1))
	if f.over > 0 {
		text = fmt.Sprintf("%.0f/s, ", float64(len(f.took))/f.over.Seconds()) + text
	}
	if f.failed > 0 {
		text += fmt.Sprintf("; %d FAILED, such as: %v", f.failed, f.why)
	}
	return text
}

// load asks at a rate, whether or not answers have come, or with so many callers as fast as they are answered. The time of a request at a
// rate counts from when it was due. A second of the same goes before it and is not counted: it opens the connections.
func load(rate, callers int, ask func() error) figures {
	loadFor(time.Second, rate, callers, ask)
	return loadFor(askedFor, rate, callers, ask)
}

func loadFor(over time.Duration, rate, callers int, ask func() error) figures {
	var all figures
	var mu sync.Mutex
	note := func(began time.Time) {
		err := ask()
		took := time.Since(began)
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			all.failed, all.why = all.failed+1, err
			return
		}
		all.took = append(all.took, took)
	}
	var wait sync.WaitGroup
	began := time.Now()
	if rate > 0 {
		for i := range int(over.Seconds()) * rate {
			due := began.Add(time.Duration(i) * time.Second / time.Duration(rate))
			<-time.After(time.Until(due))
			wait.Go(func() { note(due) })
		}
	}
	for range callers {
		wait.Go(func() {
			for time.Since(began) < over {
				note(time.Now())
			}
		})
	}
	wait.Wait()
	all.over = time.Since(began)
	return all
}

// bare measures a handler of net/http that only writes, under both loads.
func bare() (string, error) {
	answer := bytes.Repeat([]byte("x"), 3000)
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(answer) }))
	defer plain.Close()
	r := &running{base: plain.URL}
	lists := load(askedRate, 0, func() error { return r.get("/") })
	reads := load(0, atOnce, func() error { return r.get("/") })
	if lists.failed+reads.failed > 0 {
		return "", errors.Join(lists.why, reads.why)
	}
	return fmt.Sprintf("at %d/s %s; as fast as it goes %s", askedRate, lists, reads), nil
}
