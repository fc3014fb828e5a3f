// Package clients_test drives the real server with the clients that people have: those that are libraries are used, and of those that are not
// to be had here the requests are sent that they send.
package clients_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"musterline.example/internal/githubsim"
	"musterline.example/internal/githubsim/contracttest"
)

// The tokens of the people of octo-org.
const (
	olga  = "ghp_olga_owner"
	mia   = "ghp_mia_maintainer_of_platform"
	mark  = "ghp_mark_member"
	wrong = "ghp_nobodys"
)

// groups are how many the identity provider has: three pages of a hundred.
const groups = 250

// The server is built once, as it is shipped.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "musterline-clients")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "musterline")
	out, err := exec.Command("go", "build", "-o", path, "../../cmd/musterline").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := binary(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// A lab is a server that runs, on a simulated GitHub, behind a proxy that writes down what was asked and holds each answer against GitHub's
// published description.
type lab struct {
	t   *testing.T
	org *githubsim.Organization
	gh  *githubsim.Server
	url string // of the proxy: clients are told this in place of https://api.github.com

	mu       sync.Mutex
	requests []request
}

// A request is one that a client made.
type request struct {
	method, target string // target: path and query
	header         http.Header
	body           string
	status         int
}

// newLab starts all of it, and waits until the groups can be listed.
func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{t: t}
	world := githubsim.NewWorld()
	l.org = world.AddOrganization("octo-org", "olga")
	for _, login := range []string{"mia", "mark", "ada", "bob", "cyn"} {
		l.org.AddMember(login)
	}
	l.org.AddTeam("Platform").Set("mia", githubsim.Maintainer)
	l.org.AddTeam("Design")
	l.org.AddTeam("Engineering")
	l.org.AddTeam("Backend").SetParent(l.org.Team("engineering"))
	l.gh = githubsim.New(githubsim.Options{World: world})
	for _, token := range []githubsim.Token{
		{Value: olga, User: "olga", Scopes: []string{"admin:org"}},
		{Value: mia, User: "mia", Scopes: []string{"write:org"}},
		{Value: mark, User: "mark", Scopes: []string{"write:org"}},
	} {
		l.gh.PutToken(token)
	}
	hub := httptest.NewServer(l.gh)
	t.Cleanup(hub.Close)

	dir := t.TempDir()
	l.write(dir, "directory.yaml", directory())
	l.write(dir, "musterline.yaml", fmt.Sprintf(`
server: { listen: "127.0.0.1:0" }
sources: { people: { kind: file, path: directory.yaml } }
targets: { octo: { kind: github, organization: octo-org, api_url: %q, token: %s, pace: 0s } }
`, hub.URL, olga))
	l.front(l.serve(dir))
	l.until("the groups can be listed", func() bool { return l.do("GET", "/orgs/octo-org/team-sync/groups", olga, "").status == http.StatusOK })
	l.forget()
	return l
}

// directory is an identity provider with the two groups of GitHub's documentation, and others.
func directory() string {
	var b strings.Builder
	b.WriteString("users:\n")
	for _, login := range []string{"mia", "ada", "bob", "cyn"} {
		fmt.Fprintf(&b, "  - { id: %[1]s, name: %[1]s, accounts: { github: %[1]s } }\n", login)
	}
	b.WriteString("groups:\n" +
		"  - { id: \"123\", name: Octocat admins, description: The people who configure your octoworld., members: [mia, ada, bob] }\n" +
		"  - { id: \"456\", name: Octocat docs members, description: The people who make your octoworld come to life., members: [cyn] }\n")
	for i := range groups - 2 {
		fmt.Fprintf(&b, "  - { id: g%03[1]d, name: \"Group %03[1]d\", members: [] }\n", i)
	}
	return b.String()
}

func (l *lab) write(dir, name, text string) {
	l.t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		l.t.Fatal(err)
	}
}

// serve starts the server, and returns where it listens.
func (l *lab) serve(dir string) *url.URL {
	l.t.Helper()
	path, err := binary()
	if err != nil {
		l.t.Fatal(err)
	}
	server := exec.Command(path, "serve", "--config", filepath.Join(dir, "musterline.yaml"))
	server.Env = []string{}
	server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	said, err := server.StderrPipe()
	if err != nil {
		l.t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		l.t.Fatal(err)
	}
	var log bytes.Buffer
	at, ended := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(said); lines.Scan(); {
			log.Write(append(lines.Bytes(), '\n'))
			var line struct{ Msg, At string }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "serving" {
				at <- line.At
			}
		}
	}()
	l.t.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGTERM)
		<-ended
		if err := server.Wait(); err != nil {
			l.t.Errorf("the server did not end well: %v\n%s", err, &log)
		}
		for _, secret := range []string{olga, mia, mark, wrong} {
			if strings.Contains(log.String(), secret) {
				l.t.Error("a token is in the log")
			}
		}
	})
	select {
	case a := <-at:
		u, err := url.Parse(a)
		if err != nil {
			l.t.Fatal(err)
		}
		return u
	case <-ended:
		l.t.Fatalf("the server does not start:\n%s", &log)
		return nil
	}
}

// front puts the proxy before the server. Clients see no difference: it leaves Host as it is.
func (l *lab) front(server *url.URL) {
	published, err := contracttest.Router()
	if err != nil {
		l.t.Logf("answers are not held against GitHub's description: %v", err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(server)
		r.Out.Host = r.In.Host
	}}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			l.t.Error(err)
		}
		asked := r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body))
		rec := httptest.NewRecorder()
		proxy.ServeHTTP(rec, r)
		if published != nil {
			if err := contracttest.Conforms(published, asked, rec); err != nil {
				l.t.Errorf("%s %s: %d is not as published: %v\n%s", r.Method, r.URL.Path, rec.Code, err, rec.Body)
			}
		}
		l.mu.Lock()
		l.requests = append(l.requests, request{asked.Method, asked.URL.RequestURI(), asked.Header, string(body), rec.Code})
		l.mu.Unlock()
		maps.Copy(w.Header(), rec.Header())
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	}))
	l.t.Cleanup(web.Close)
	l.url = web.URL
}

// asked returns what was asked since the last forget, each as "METHOD target status".
func (l *lab) asked() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var lines []string
	for _, r := range l.requests {
		lines = append(lines, fmt.Sprint(r.method, " ", r.target, " ", r.status))
	}
	return lines
}

func (l *lab) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests = nil
}

// An answer is what came back.
type answer struct {
	status int
	header http.Header
	text   string
}

// do makes one request. Headers come in pairs; one without a value is sent empty.
func (l *lab) do(method, target, token, body string, headers ...string) answer {
	l.t.Helper()
	req, err := http.NewRequestWithContext(l.t.Context(), method, l.url+target, strings.NewReader(body))
	if err != nil {
		l.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for pair := range slices.Chunk(headers, 2) {
		req.Header.Set(pair[0], pair[1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		l.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(text)}
}

// want fails unless the answer has the status.
func (a answer) want(t *testing.T, status int) answer {
	t.Helper()
	if a.status != status {
		t.Fatalf("got %d %s, want %d", a.status, a.text, status)
	}
	return a
}

// into reads the body.
func (a answer) into(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.text), v); err != nil {
		t.Fatalf("%v: %s", err, a.text)
	}
}

// ids are the groups of an answer.
func (a answer) ids(t *testing.T) string {
	t.Helper()
	var body struct {
		Groups []struct {
			ID string `json:"group_id"`
		} `json:"groups"`
	}
	a.into(t, &body)
	var ids []string
	for _, g := range body.Groups {
		ids = append(ids, g.ID)
	}
	return strings.Join(ids, " ")
}

// until waits for something to come about.
func (l *lab) until(what string, done func() bool) {
	l.t.Helper()
	for range 3000 {
		if done() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	l.t.Fatalf("waited in vain until %s", what)
}

// members are the logins in a team on GitHub, in order.
func (l *lab) members(slug string) string {
	return strings.Join(slices.Sorted(maps.Keys(l.org.Team(slug).Members())), " ")
}

// removals are how often somebody was taken out of a team on GitHub.
func (l *lab) removals() int {
	n := 0
	for _, c := range l.gh.Calls() {
		if c.Method == http.MethodDelete {
			n++
		}
	}
	return n
}

func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\ngot  %v\nwant %v", what, got, want)
	}
}

// same compares what was asked, line by line.
func same(t testing.TB, what string, got []string, want ...string) {
	t.Helper()
	equal(t, what, strings.Join(got, "\n"), strings.Join(want, "\n"))
}
