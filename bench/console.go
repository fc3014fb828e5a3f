package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"musterline.example/internal/githubsim"
)

const (
	consolePeople = 10_000
	consoleTeams  = 1_000
	consoleEach   = 20 // members of a team
	pageLoads     = 10
)

// console measures in a real browser how long pages take until they can be used, without anything in the browser's cache, for a company of
// 10,000 people whose 1,000 teams are in line.
func console(out io.Writer, _ string) (err error) {
	dir, err := os.MkdirTemp("", "musterline-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	program, _, err := build(dir)
	if err != nil {
		return err
	}
	hub := company()
	defer hub.Close()
	r := &running{dir: dir}
	if err := r.settle(hub.URL); err != nil {
		return err
	}
	if err := r.start(program); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.end()) }()
	link, err := r.letIn(program)
	if err != nil {
		return err
	}
	if err := r.synced(program); err != nil {
		return err
	}
	tab, end, err := browse()
	if err != nil {
		fmt.Fprintf(out, "the console, in a browser: not measured: %v\n", err)
		return nil
	}
	defer end()
	fmt.Fprintf(out, "the console, %d people and %d teams of %d, nothing cached, %d loads each      repeat: go run ./bench console\n",
		consolePeople, consoleTeams, consoleEach, pageLoads)
	if err := chromedp.Do(tab, chromedp.Navigate(link), chromedp.Click("form button"), chromedp.WaitVisible("#root h1")); err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	for _, page := range []struct{ name, path string }{
		{"Overview", "/console/"},
		{"Teams", "/console/organizations/octo/teams"},
		{"Team", "/console/organizations/octo/teams/team-0500"},
		{"Plan", "/console/organizations/octo/plan"},
		{"Runs", "/console/runs"},
		{"People", "/console/people"},
		{"Audit log", "/console/audit"},
	} {
		text, err := visited(tab, r.base+page.path)
		if err != nil {
			return fmt.Errorf("%s: %w", page.name, err)
		}
		fmt.Fprintf(out, "  %-10s  %s\n", page.name, text)
	}
	return nil
}

// company is an organization in which everybody is where their groups say.
func company() *httptest.Server {
	world := githubsim.NewWorld()
	org := world.AddOrganization("octo-org", "olga")
	for i := range consolePeople {
		org.AddMember(fmt.Sprintf("p%05d", i))
	}
	for i := range consoleTeams {
		t := org.AddTeam(fmt.Sprintf("team-%04d", i))
		for _, login := range membersOf(i) {
			t.Set(login, githubsim.Member)
		}
	}
	gh := githubsim.New(githubsim.Options{World: world})
	gh.PutToken(githubsim.Token{Value: token(0), User: "olga", Scopes: []string{"admin:org"}})
	return httptest.NewServer(gh)
}

func membersOf(t int) []string {
	var ids []string
	for i := range consoleEach {
		ids = append(ids, fmt.Sprintf("p%05d", (t*consoleEach/2+i)%consolePeople))
	}
	return ids
}

// settle writes configuration and directory.
func (r *running) settle(github string) error {
	var users, groups []map[string]any
	for i := range consolePeople {
		id := fmt.Sprintf("p%05d", i)
		users = append(users, map[string]any{"id": id, "name": "Person " + id, "email": id + "@example.com", "accounts": map[string]string{"github": id}})
	}
	for i := range consoleTeams {
		name := fmt.Sprintf("team-%04d", i)
		groups = append(groups, map[string]any{"id": name, "name": name, "members": membersOf(i)})
	}
	text, err := json.Marshal(map[string]any{"users": users, "groups": groups})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	at := l.Addr().String()
	if err := l.Close(); err != nil {
		return err
	}
	config := fmt.Sprintf(`server: { listen: %q, external_url: "http://%s" }
database: "sqlite:musterline.db"
secrets: { key_file: musterline.key }
sources: { people: { kind: file, path: directory.json } }
targets: { octo: { kind: github, organization: octo-org, api_url: %q, token: %s, pace: 0s } }
rules: [{ match: "people/team-*", team: "octo/{{ .Group.Name }}" }]
`, at, at, github, token(0))
	return errors.Join(os.WriteFile(filepath.Join(r.dir, "directory.json"), text, 0o600), os.WriteFile(filepath.Join(r.dir, "musterline.yaml"), []byte(config), 0o600))
}

// command runs the program on the same configuration and returns what it prints.
func (r *running) command(program string, args ...string) ([]byte, error) {
	args = append(args, "--config", filepath.Join(r.dir, "musterline.yaml"))
	text, err := exec.CommandContext(context.Background(), program, args...).Output() //nolint:gosec // built a moment ago
	if err != nil {
		return nil, fmt.Errorf("musterline %s: %w", args[0], err)
	}
	return text, nil
}

// letIn returns a link for an administrator.
func (r *running) letIn(program string) (string, error) {
	text, err := r.command(program, "sign-in", "--json", "--name", "bench", "--role", "administrator")
	if err != nil {
		return "", err
	}
	var link struct {
		URL string `json:"url"`
	}
	err = json.Unmarshal(text, &link)
	return link.URL, err
}

// synced waits until the first run has ended.
func (r *running) synced(program string) error {
	for range 600 {
		text, err := r.command(program, "status", "--json")
		if err != nil {
			return err
		}
		var status struct {
			Targets []struct {
				Run *struct {
					State string `json:"state"`
				} `json:"run"`
			} `json:"targets"`
		}
		if err := json.Unmarshal(text, &status); err != nil {
			return err
		}
		if len(status.Targets) == 1 && status.Targets[0].Run != nil && status.Targets[0].Run.State == "done" {
			return nil
		}
		<-time.After(200 * time.Millisecond)
	}
	return errors.New("the first run does not end")
}

// browse opens a browser without a cache.
func browse() (context.Context, func(), error) {
	path, err := exec.LookPath("chromium-headless-shell")
	if err != nil {
		return nil, nil, err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.DisableGPU)
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	tab, end := chromedp.NewContext(allocator)
	tab, late := context.WithTimeout(tab, 10*time.Minute)
	both := func() { late(); end(); stop() }
	_, err = chromedp.Call(tab, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true})
	if err != nil {
		both()
	}
	return tab, both, err
}

// usable answers with the milliseconds from the click until a page shows what it is for, what it has loaded, and how often it has asked.
const usable = `new Promise((done, fail) => { const look = () => {
	if (performance.now() > 60_000) return fail(new Error("it shows nothing: " + document.body.innerText))
	const there = document.querySelector("h1") && !document.querySelector('[aria-label="Loading"], [aria-busy="true"]')
	if (!there) return setTimeout(look, 5)
	const got = performance.getEntriesByType("resource")
	done({MS: performance.now(), KB: got.reduce((n, r) => n + r.transferSize, 0) / 1000, Asked: got.filter(r => r.name.includes("/api/")).length})
}; look() })`

func visited(tab context.Context, address string) (string, error) {
	type visit struct {
		MS, KB float64
		Asked  int
	}
	var all []visit
	for range pageLoads {
		if err := chromedp.Do(tab, chromedp.Navigate("about:blank"), chromedp.Navigate(address)); err != nil {
			return "", err
		}
		v, err := chromedp.Run(tab, chromedp.Evaluate[visit](usable, chromedp.EvalAwaitPromise))
		if err != nil {
			return "", err
		}
		all = append(all, v)
	}
	slices.SortFunc(all, func(a, b visit) int { return int(a.MS - b.MS) })
	last := all[len(all)-1]
	return fmt.Sprintf("usable after %.0f ms (the slowest %.0f; limit 1,000), %.0f kB over the wire, %d calls of the API", all[len(all)/2].MS, last.MS, last.KB, last.Asked), nil
}
