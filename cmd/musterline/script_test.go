package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"musterline.example/internal/githubsim"
	"musterline.example/setting"
	"musterline.example/source"
	"musterline.example/source/file"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"musterline": main})
}

// TestScripts runs the manual: every script under testdata is a page that shows a command at work, against a simulated GitHub. Beside the
// usual words of a script there are
//
//	github start FILE     serve the organization of FILE; sets $GITHUB, $HOST and $TOKEN
//	github members TEAM   print the members of a team, a maintainer with a "*"
//	github add TEAM LOGIN…, github remove TEAM LOGIN…, github drop LOGIN…
//	                      do by hand what somebody might: LOGIN joins or leaves a team, or leaves the organization
//	github writes         print how many writes there were since the last time
//	github id LOGIN       set $ID to the number of an account
//	github hold           let writes wait from now on
//	github held           wait for the first write that waits
//	github release        let them go, a moment from now: a signal sent before has been heard by then
//	github holds FILE [parents]
//	                      check that every team holds the members of the group of its slug in the directory FILE and nobody else;
//	                      parent teams only when told
//	github audited        check that every write that GitHub has seen is in the audit record, and no other
//	github answered       check that why answers for every one of them
//	github fail STATUS    answer every write with STATUS; "none" ends it
//	edit FILE OLD NEW     put NEW for OLD
//	exits N COMMAND…      run a command that must end with exit code N
//
// The files of testdata/company are there in every script that does not bring its own.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           "testdata",
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(env *testscript.Env) error {
			env.Setenv("TZ", "UTC")
			env.Setenv("COLUMNS", "200") // no line is broken where a page looks for words
			env.Setenv("GITHUB", "http://127.0.0.1:1")
			env.Setenv("TOKEN", "ghp_sim")
			env.Values["github"] = new(hub)
			return furnish(env.WorkDir)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"github": githubCommand,
			"edit":   edit,
			"exits":  exits,
		},
	})
}

// furnish puts the company's files into the folder of a script.
func furnish(dir string) error {
	company := os.DirFS("testdata/company")
	return fs.WalkDir(company, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if _, err := os.Stat(filepath.Join(dir, path)); err == nil {
			return nil
		}
		text, err := fs.ReadFile(company, path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, path), text, 0o600)
	})
}

// A hub is the simulated GitHub of one script.
type hub struct {
	server *githubsim.Server
	org    *githubsim.Organization
	writes int
	gate   atomic.Pointer[gate]
	fault  *githubsim.Injected
}

// A gate is where writes wait.
type gate struct {
	held, open chan struct{}
	once       sync.Once
}

// wait holds a write up while the gate is closed.
func (h *hub) wait(c githubsim.Call) time.Duration {
	if g := h.gate.Load(); g != nil && c.Write {
		g.once.Do(func() { close(g.held) })
		<-g.open
	}
	return 0
}

func (h *hub) hold(*testscript.TestScript, []string) {
	h.gate.Store(&gate{held: make(chan struct{}), open: make(chan struct{})})
}

func (h *hub) release(*testscript.TestScript, []string) {
	g := h.gate.Swap(nil)
	time.AfterFunc(time.Second, func() { close(g.open) })
}

func githubCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: github start|members|add|remove|drop|writes|hold|held|release|fail …")
	}
	h, _ := ts.Value("github").(*hub)
	act, args := args[0], args[1:]
	if act == "start" {
		h.start(ts, args[0])
		return
	}
	if h.server == nil {
		ts.Fatalf("github %s: there is none yet: github start org.json", act)
	}
	acts := map[string]func(*testscript.TestScript, []string){
		"members": h.members, "add": h.add, "remove": h.remove, "drop": h.drop, "writes": h.countWrites, "hold": h.hold, "release": h.release, "fail": h.fail,
		"holds": h.holds, "audited": h.audited, "answered": h.answered,
		"held": func(*testscript.TestScript, []string) { <-h.gate.Load().held },
		"id": func(ts *testscript.TestScript, args []string) {
			ts.Setenv("ID", strconv.FormatInt(h.server.World().User(args[0]).ID(), 10))
		},
	}
	if acts[act] == nil {
		ts.Fatalf("github %s: unknown", act)
	}
	acts[act](ts, args)
}

func (h *hub) start(ts *testscript.TestScript, path string) {
	file, err := os.Open(ts.MkAbs(path))
	ts.Check(err)
	world, err := githubsim.Load(file)
	ts.Check(errors.Join(err, file.Close()))
	h.org = world.Organizations()[0]
	h.server = githubsim.New(githubsim.Options{World: world, Latency: h.wait})
	h.server.PutToken(githubsim.Token{Value: "ghp_sim", User: h.org.Owners()[0], Scopes: []string{"admin:org"}})
	h.server.PutToken(githubsim.Token{Value: "ghp_poor", User: h.org.Owners()[0], Scopes: []string{"read:org", "delete_repo"}})
	h.server.PutToken(githubsim.Token{Value: "ghp_ends", User: h.org.Owners()[0], Scopes: []string{"admin:org"}, Expires: time.Now().Add(5*24*time.Hour + time.Hour)})
	web := httptest.NewServer(h.server)
	ts.Defer(web.Close)
	ts.Setenv("GITHUB", web.URL)
	ts.Setenv("HOST", strings.TrimPrefix(web.URL, "http://"))
}

func (h *hub) members(ts *testscript.TestScript, args []string) {
	members := h.org.Team(args[0]).Members()
	var words []string
	for _, login := range slices.Sorted(maps.Keys(members)) {
		if members[login] == githubsim.Maintainer {
			login += "*"
		}
		words = append(words, login)
	}
	fmt.Fprintln(ts.Stdout(), strings.Join(words, " "))
}

func (h *hub) add(_ *testscript.TestScript, args []string) {
	for _, login := range args[1:] {
		h.org.Team(args[0]).Set(login, githubsim.Member)
	}
}

func (h *hub) remove(_ *testscript.TestScript, args []string) {
	for _, login := range args[1:] {
		h.org.Team(args[0]).Remove(login)
	}
}

func (h *hub) drop(_ *testscript.TestScript, args []string) {
	for _, login := range args {
		h.org.RemoveMember(login)
	}
}

func (h *hub) countWrites(ts *testscript.TestScript, _ []string) {
	n := h.server.Counts().Writes
	fmt.Fprintln(ts.Stdout(), n-h.writes)
	h.writes = n
}

func (h *hub) fail(ts *testscript.TestScript, args []string) {
	if h.fault != nil {
		h.fault.Remove()
		h.fault = nil
	}
	if args[0] == "none" {
		return
	}
	status, err := strconv.Atoi(args[0])
	ts.Check(err)
	fault := h.server.Inject(githubsim.Fault{Match: func(c githubsim.Call) bool { return c.Method == "PUT" || c.Method == "DELETE" }, Status: status, Message: "no"})
	h.fault = &fault
}

func (h *hub) holds(ts *testscript.TestScript, args []string) {
	people, err := file.Kind.Open(context.Background(), setting.Values{"path": args[0]}, source.Env{Name: "people", Dir: ts.Getenv("WORK"), Now: time.Now})
	ts.Check(err)
	said, err := people.Snapshot(context.Background(), source.Selection{All: true})
	ts.Check(err)
	in := h.org.Roles()
	parents := map[string]bool{"docs": true, "infra": true}
	for id, g := range said.Groups {
		if parents[g.Name] && len(args) == 1 {
			continue
		}
		var want []string
		for u := range said.Walk(id) {
			if login := u.Accounts["github"]; u.Status.Member() && in[login] != "" {
				want = append(want, login)
			}
		}
		slices.Sort(want)
		if got := slices.Sorted(maps.Keys(h.org.Team(g.Name).Members())); !slices.Equal(got, want) {
			ts.Fatalf("team %s holds\n%v, the directory says\n%v", g.Name, got, want)
		}
	}
}

// A written is one write that GitHub has seen.
type written struct{ method, team, login string }

// seen are the writes that GitHub has answered, from its own log.
func (h *hub) seen() map[written]int {
	slugs := make(map[string]string)
	for _, t := range h.org.Teams() {
		slugs[strconv.FormatInt(t.ID(), 10)] = t.Slug()
	}
	all := make(map[written]int)
	for _, c := range h.server.Calls() {
		if c.Write && c.Status < 300 {
			parts := strings.Split(strings.Trim(c.Path, "/"), "/") // organizations/ID/team/ID/memberships/LOGIN
			all[written{c.Method, slugs[parts[3]], parts[5]}]++
		}
	}
	return all
}

func (h *hub) audited(ts *testscript.TestScript, _ []string) {
	ts.Check(ts.Exec("musterline", "audit", "--all", "--json"))
	logins, slugs := make(map[string]string), make(map[string]string)
	for login := range h.org.Roles() {
		logins[strconv.FormatInt(h.server.World().User(login).ID(), 10)] = login
	}
	for _, t := range h.org.Teams() {
		slugs[strconv.FormatInt(t.ID(), 10)] = t.Slug()
	}
	recorded := make(map[written]int)
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		var e struct{ Kind, Team, Account, Act, Result string }
		ts.Check(json.Unmarshal([]byte(line), &e))
		if e.Kind == "outcome" && e.Result == "done" {
			method := map[string]string{"add": "PUT", "update": "PUT", "remove": "DELETE"}[e.Act]
			recorded[written{method, slugs[e.Team], logins[e.Account]}]++
		}
	}
	if seen := h.seen(); !maps.Equal(seen, recorded) || len(seen) == 0 {
		ts.Fatalf("GitHub has seen\n%v, the record says\n%v", seen, recorded)
	}
}

func (h *hub) answered(ts *testscript.TestScript, _ []string) {
	for w := range h.seen() {
		ts.Check(ts.Exec("musterline", "why", w.login, w.team))
		said := ts.ReadFile("stdout")
		verdict := map[string]string{"PUT": " is in meridian/", "DELETE": " is not in meridian/"}[w.method]
		if !strings.HasPrefix(said, w.login+verdict+w.team) || !strings.Contains(said, "audit entries ") {
			ts.Fatalf("why %s %s: %s", w.login, w.team, said)
		}
	}
}

func edit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: edit FILE OLD NEW")
	}
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, args[1]) {
		ts.Fatalf("%s does not contain %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.ReplaceAll(text, args[1], args[2])), 0o600))
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits N COMMAND…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		code = exit.ExitCode()
	}
	if code != want {
		ts.Fatalf("%s exited with %d, not %d", strings.Join(args[1:], " "), code, want)
	}
}
