package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"musterline.example/internal/githubsim"
	"musterline.example/internal/ldaptest"
)

var errNoConsole = errors.New("the console is not built: make console")

// The program is built once, as it is shipped. The console must be part of it.
var program = sync.OnceValues(func() (string, error) {
	if _, err := os.Stat("../web/dist/index.html"); err != nil {
		return "", errNoConsole
	}
	if path := os.Getenv("MUSTERLINE_PROGRAM"); path != "" {
		return path, nil // whoever works on tests has built it already
	}
	dir, err := os.MkdirTemp("", "musterline-e2e")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "musterline")
	out, err := exec.Command("go", "build", "-o", path, "../cmd/musterline").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	flag.Parse()
	if atOnce := flag.Lookup("test.parallel").Value; atOnce.String() == strconv.Itoa(runtime.GOMAXPROCS(0)) {
		_ = atOnce.Set(strconv.Itoa(runtime.GOMAXPROCS(0) + 1)) // each waits a part of its time, for the browser or for the server
	}
	code := m.Run()
	if chromium.cancel != nil {
		chromium.cancel()
	}
	if path, err := program(); err == nil && os.Getenv("MUSTERLINE_PROGRAM") == "" {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// ownersToken is the owner's at the simulated GitHub.
const ownersToken = "ghp_owner_of_northlight"

// A lab is a company: an OpenLDAP with its people and groups, an organization on a simulated GitHub, and a server that keeps one in line with
// the other.
type lab struct {
	t      *testing.T
	dir    string
	people *directory
	world  *githubsim.World
	org    *githubsim.Organization
	github *githubsim.Server
	hub    *httptest.Server
	url    string        // of the console's server
	idp    string        // of the identity provider to sign in with; empty: there is none
	let    chan struct{} // a write to GitHub takes one from here, where there is a hold

	server *exec.Cmd
	ended  chan struct{}
	log    bytes.Buffer
}

// settings is what the server is told. What stands in capitals is filled in.
const settings = `
server: { listen: "LISTEN", external_url: "URL" }
database: "sqlite:musterline.db"
secrets: { key_file: musterline.key }
sources:
  people: { kind: ldap, url: "LDAP", ca_file: "AUTHORITY", bind_dn: "READER", bind_password: "PASSWORD", base_dn: "BASE", account_attribute: githubLogin }
targets:
  northlight: { kind: github, organization: northlight, api_url: "HUB", token: TOKEN, pace: 0s }
mappings:
  - { team: northlight/platform, groups: [people/Platform engineers] }
  - { team: northlight/security, groups: [people/Security] }
`

// newLab starts the company. A test may change the files and the world before serve. It runs beside others: each has a company of its own.
func newLab(t *testing.T) *lab {
	t.Helper()
	t.Parallel()
	l := &lab{t: t, dir: t.TempDir(), people: newDirectory(t), world: githubsim.NewWorld()}
	l.org = l.world.AddOrganization("northlight", "olga")
	for _, login := range []string{"ada-l", "ben-o", "cleo-m", "dana-l", "emil-k", "fay-w", "gus-f", "hana-s", "mia", "stray"} {
		l.org.AddMember(login)
	}
	for _, name := range []string{"Platform", "Security", "Design", "Engineering", "Backend"} {
		l.org.AddTeam(name)
	}
	l.org.Team("backend").SetParent(l.org.Team("engineering"))
	for login, in := range map[string]string{"ada-l": "platform", "fay-w": "security", "stray": "security", "dana-l": "design"} {
		l.org.Team(in).Set(login, githubsim.Member)
	}
	l.org.Team("platform").Set("mia", githubsim.Maintainer)
	l.github = githubsim.New(githubsim.Options{World: l.world, KeepCalls: 10_000})
	l.github.PutToken(githubsim.Token{Value: ownersToken, User: "olga", Scopes: []string{"admin:org"}})
	l.hub = httptest.NewServer(http.HandlerFunc(l.takes))
	t.Cleanup(l.hub.Close)
	l.url = "http://" + ownAddress(t)
	t.Cleanup(l.stop)
	l.write("musterline.yaml", settings)
	return l
}

// write writes a file of the company's.
func (l *lab) write(name, text string) {
	l.t.Helper()
	text = strings.NewReplacer(
		"HUB", l.hub.URL, "TOKEN", ownersToken, "LISTEN", strings.TrimPrefix(l.url, "http://"), "URL", l.url,
		"LDAP", l.people.TLSURL, "AUTHORITY", l.people.CAFile, "READER", ldaptest.Reader, "PASSWORD", ldaptest.Password, "BASE", ldaptest.Base,
	).Replace(text)
	if err := os.WriteFile(filepath.Join(l.dir, name), []byte(text), 0o600); err != nil {
		l.t.Fatal(err)
	}
}

// run runs a command of the program and returns what it prints.
func (l *lab) run(args ...string) string {
	l.t.Helper()
	var out, said bytes.Buffer
	c := l.command(args...)
	c.Stdout, c.Stderr = &out, &said
	err := start(c)
	if err == nil {
		err = c.Wait()
	}
	if err != nil {
		l.t.Fatalf("musterline %s: %v\n%s%s", strings.Join(args, " "), err, &out, &said)
	}
	return out.String()
}

func (l *lab) command(args ...string) *exec.Cmd {
	l.t.Helper()
	path, err := program()
	if err != nil {
		if os.Getenv("CI") != "true" && errors.Is(err, errNoConsole) {
			l.t.Skip(err)
		}
		l.t.Fatal(err)
	}
	c := exec.Command(path, args...)
	c.Dir = l.dir
	c.Env = []string{}
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return c
}

// start starts a command. The kernel ends it with the thread that has started it, so that is one that stays as long as the tests run.
func start(c *exec.Cmd) error {
	err := make(chan error)
	starter() <- func() { err <- c.Start() }
	return <-err
}

var starter = sync.OnceValue(func() chan<- func() {
	wanted := make(chan func())
	go func() {
		runtime.LockOSThread()
		for do := range wanted {
			do()
		}
	}()
	return wanted
})

// serve starts the server and waits until it listens.
func (l *lab) serve() {
	l.t.Helper()
	l.server = l.command("serve", "--config", "musterline.yaml")
	said, err := l.server.StderrPipe()
	if err != nil {
		l.t.Fatal(err)
	}
	if err := start(l.server); err != nil {
		l.t.Fatal(err)
	}
	up, ended := make(chan struct{}), make(chan struct{})
	l.ended = ended
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(said); lines.Scan(); {
			l.log.Write(append(slices.Clone(lines.Bytes()), '\n'))
			var line struct{ Msg string }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "serving" {
				close(up)
			}
		}
	}()
	select {
	case <-up:
	case <-ended:
		l.t.Fatalf("the server does not start:\n%s", &l.log)
	}
}

// stop ends the server as an operator does.
func (l *lab) stop() {
	l.t.Helper()
	if l.server == nil {
		return
	}
	_ = l.server.Process.Signal(syscall.SIGTERM)
	<-l.ended
	if err := l.server.Wait(); err != nil {
		l.t.Errorf("the server did not end well: %v\n%s", err, &l.log)
	}
	l.server = nil
	if strings.Contains(l.log.String(), ownersToken) {
		l.t.Error("a token is in the log")
	}
}

// hold makes GitHub take so many writes of memberships and no more until it is let go, so that a run is under way for as long as a test
// looks at it. It has to be called before anything is started that writes.
func (l *lab) hold(writes int) (letGo func()) {
	l.t.Helper()
	l.let = make(chan struct{}, writes)
	for range writes {
		l.let <- struct{}{}
	}
	letGo = sync.OnceFunc(func() { close(l.let) })
	l.t.Cleanup(letGo)
	return letGo
}

// takes is GitHub, behind a hold.
func (l *lab) takes(w http.ResponseWriter, r *http.Request) {
	if l.let != nil && r.Method != http.MethodGet && strings.Contains(r.URL.Path, "/memberships/") {
		select {
		case <-l.let:
		case <-r.Context().Done():
		}
	}
	l.github.ServeHTTP(w, r)
}

// ours reports whether an address is of the test: the console leads to the simulated GitHub and identity provider, and back.
func (l *lab) ours(address string) bool {
	return strings.HasPrefix(address, l.hub.URL) || l.idp != "" && strings.HasPrefix(address, l.idp)
}

// members are the logins in a team on GitHub, in order.
func (l *lab) members(slug string) string {
	var logins []string
	for login := range l.org.Team(slug).Members() {
		logins = append(logins, login)
	}
	slices.Sort(logins)
	return strings.Join(logins, " ")
}

// until waits for something to come about.
func (l *lab) until(what string, so func() bool) {
	l.t.Helper()
	for end := time.Now().Add(patience); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			l.t.Fatalf("waited in vain until %s\n%s", what, &l.log)
		}
	}
}

// signIn opens a tab for somebody who signs in by a link that is good once.
func (l *lab) signIn(name, role string, more ...string) *tab {
	l.t.Helper()
	b := l.newTab()
	b.open(l.link(name, role, more...))
	b.click("button", "Sign in")
	b.wait("the console is opened", func() bool { return b.comes(`() => location.pathname === "/console/"`, 500) })
	return b
}

// link is one that lets somebody in once.
func (l *lab) link(name, role string, more ...string) string {
	l.t.Helper()
	var link struct{ URL string }
	args := append([]string{"sign-in", "--json", "--config", "musterline.yaml", "--name", name, "--role", role}, more...)
	if err := json.Unmarshal([]byte(l.run(args...)), &link); err != nil {
		l.t.Fatal(err)
	}
	return link.URL
}

var hosts atomic.Uint32

// ownAddress is one on this machine at which nobody listens, on a host of its own where loopback has more than one: no connection that
// somebody makes meanwhile takes the port.
func ownAddress(t *testing.T) string {
	t.Helper()
	n := hosts.Add(1)
	l, err := net.Listen("tcp", fmt.Sprintf("127.%d.%d.%d:0", 100+os.Getpid()%100, n>>8, n&255)) // it is closed at once
	if err != nil {
		l, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
