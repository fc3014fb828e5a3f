package signin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"musterline.example/answer"
	"musterline.example/api"
	"musterline.example/api/access"
	"musterline.example/api/native"
	"musterline.example/api/signin"
	"musterline.example/catalog"
	"musterline.example/config"
	"musterline.example/internal/githubsim"
	"musterline.example/store"
)

const configuration = `
server: { external_url: "${SELF}", sign_in: { ${SIGNIN} } }
sources:
  people: { kind: file, path: directory.yaml }
targets:
  octo: { kind: github, organization: octo-org, api_url: "${GITHUB}", token: "${TOKEN}", pace: 0s }
  hex:  { kind: github, organization: hex-org, api_url: "${GITHUB}", token: "${TOKEN}", pace: 0s }
mappings:
- { team: octo/docs, groups: [people/docs] }
- { team: octo/platform, groups: [people/platform] }
`

const people = `
users:
- { id: ada, name: Ada, username: ada@example.com, email: Ada.Lovelace@example.com, accounts: { github: ada-l } }
- { id: bob, name: Bob, username: bob@example.com, accounts: { github: bob } }
- { id: cy, name: Cy, username: cy@example.com }
- { id: old, name: Old, username: old@example.com, active: false }
- { id: two, name: Two, username: twin@example.com }
- { id: twin, name: Twin, username: twin@example.com }
groups:
- { id: docs, name: docs, members: [ada, cy, two, twin, old] }
- { id: leads, name: leads, members: [ada] }
- { id: platform, name: platform, members: [bob, cy], groups: [leads] }
`

const organizations = `{"organization": "octo-org", "owners": ["ann", "root"], "members": ["ada-l", "bob", "cy"],
 "teams": [{"name": "Docs", "members": ["cy"]}, {"name": "Platform", "members": ["bob"]}, {"name": "Free", "members": ["cy"]}]}`

const (
	secretOfTarget = "ghp_simulated_and_secret"
	clientSecret   = "client secret of the sign-in"
)

// A clock is ours to turn.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.at }

func (c *clock) later(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.at = c.at.Add(d) }

// A lab is a server beside a simulated GitHub and an identity provider.
type lab struct {
	t      *testing.T
	dir    string
	clock  *clock
	github *githubsim.Server
	web    *httptest.Server // GitHub's
	org    *githubsim.Organization
	idp    *provider
	house  *answer.House
	signIn *signin.SignIn
	self   *httptest.Server
	log    *bytes.Buffer
	logged *sync.Mutex
}

type lockedWriter struct {
	mu *sync.Mutex
	b  *bytes.Buffer
}

func (w lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(p)
}

// newLab makes one. settings change the map sign_in.
func newLab(t *testing.T, settings ...string) *lab {
	t.Helper()
	l := &lab{t: t, dir: t.TempDir(), clock: &clock{at: time.Now()}, log: &bytes.Buffer{}, logged: &sync.Mutex{}}
	world, err := githubsim.Load(strings.NewReader(organizations))
	if err != nil {
		t.Fatal(err)
	}
	world.AddUser("eve")
	hex := world.AddOrganization("hex-org", "root")
	hex.MakeOwner("ann")
	hex.AddTeam("Ops")
	l.org = world.Organization("octo-org")
	l.github = githubsim.New(githubsim.Options{World: world})
	l.github.PutToken(githubsim.Token{Value: secretOfTarget, User: "root", Scopes: []string{"admin:org"}})
	l.web = httptest.NewServer(l.github)
	t.Cleanup(l.web.Close)
	l.idp = newProvider(t, l.clock)

	var room http.Handler
	l.self = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { room.ServeHTTP(w, r) }))
	t.Cleanup(l.self.Close)
	l.github.AddOAuthApp(githubsim.OAuthApp{ClientID: "Iv1.simulated", Secret: clientSecret, Name: "Musterline", Callback: l.self.URL + "/login/github/callback"})
	l.github.Browse("ada-l")
	in := strings.Join(append([]string{
		`oidc: { issuer: "${IDP}", client_id: musterline, client_secret: "${SECRET}", name: Example SSO, source: people, claim: preferred_username, matches: username }`,
		`github: { client_id: Iv1.simulated, client_secret: "${SECRET}", url: "${GITHUB}", api_url: "${GITHUB}" }`,
	}, settings...), ", ")
	if len(settings) > 0 && strings.HasPrefix(settings[0], "only ") {
		in = strings.TrimPrefix(settings[0], "only ")
	}
	l.write("directory.yaml", people)
	l.write("musterline.yaml", strings.ReplaceAll(configuration, "${SIGNIN}", in))
	env := map[string]string{"GITHUB": l.web.URL, "TOKEN": secretOfTarget, "SELF": l.self.URL, "IDP": l.idp.url(), "SECRET": clientSecret}
	c, err := config.Load(filepath.Join(l.dir, "musterline.yaml"), func(name string) (string, bool) { v, ok := env[name]; return v, ok },
		config.Kinds{Sources: catalog.Sources(), Targets: catalog.Targets()})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(lockedWriter{l.logged, l.log}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	l.house = answer.New(c, answer.Options{Now: l.clock.now, Log: slog.New(slog.DiscardHandler)})
	if err := l.house.Share(t.Context(), "a test"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.house.Close)
	house := func(context.Context) (*answer.House, error) { return l.house, nil }
	l.signIn, err = signin.New(signin.Options{
		Store: l.house.Store, House: house, SignIn: c.Server.SignIn, ExternalURL: c.Server.ExternalURL, Now: l.clock.now, Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	guard := access.New(access.Options{Tokens: l.house.Store, Assignments: l.house.Store, People: l.signIn, Now: l.clock.now, Log: log})
	l.signIn.Access = guard
	room = api.New(api.Options{
		GitHub: api.Plain(http.NotFoundHandler()), Now: l.clock.now, Log: log, Rooms: map[string]api.Room{
			native.Prefix: native.New(native.Options{House: house, Access: guard, Sessions: l.signIn, Version: "test", Now: l.clock.now, Log: log}),
			signin.Prefix: l.signIn,
			"/console": api.Plain(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, "the console at "+r.URL.RequestURI())
			})),
		},
	})
	t.Cleanup(l.noSecrets)
	return l
}

// noSecrets holds the log against everything that may not be in it.
func (l *lab) noSecrets() {
	l.logged.Lock()
	defer l.logged.Unlock()
	text := l.log.String()
	for _, secret := range append(l.idp.gaveOut(), clientSecret, secretOfTarget, "msl_", "gho_") {
		if strings.Contains(text, secret) {
			l.t.Errorf("the log holds a secret: %.12s…", secret)
		}
	}
}

func (l *lab) write(name, text string) {
	l.t.Helper()
	if err := os.WriteFile(filepath.Join(l.dir, name), []byte(text), 0o600); err != nil {
		l.t.Fatal(err)
	}
}

// link makes a sign-in link and returns its path.
func (l *lab) link(role, target string) string {
	l.t.Helper()
	made, err := l.house.SignInLink(l.t.Context(), answer.SignInWish{Name: "grace", Role: role, Target: target, ExpiresAt: l.clock.now().Add(15 * time.Minute), By: "root"})
	if err != nil {
		l.t.Fatal(err)
	}
	return strings.TrimPrefix(made.URL, l.self.URL)
}

func (l *lab) assign(subject, role, target string) {
	l.t.Helper()
	if err := l.house.Store.AssignRole(l.t.Context(), store.Assigned{Subject: subject, Role: role, Target: target}, "root"); err != nil {
		l.t.Fatal(err)
	}
}

// A browser keeps cookies and follows whither it is sent.
type browser struct {
	l    *lab
	http *http.Client
	jar  *cookiejar.Jar
}

func (l *lab) browser() *browser {
	jar, _ := cookiejar.New(nil)
	return &browser{l: l, jar: jar, http: &http.Client{Jar: jar, Timeout: 30 * time.Second}}
}

// A page is what a browser got.
type page struct {
	t      *testing.T
	what   string
	at     *url.URL
	status int
	header http.Header
	text   string
}

// do asks for a path of ours, or for an address, as a browser does from our own pages.
func (b *browser) do(method, path, body string, headers ...string) page {
	b.l.t.Helper()
	address := path
	if strings.HasPrefix(path, "/") {
		address = b.l.self.URL + path
	}
	r, err := http.NewRequestWithContext(b.l.t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		b.l.t.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := b.http.Do(r)
	if err != nil {
		b.l.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.l.t.Fatal(err)
	}
	return page{b.l.t, method + " " + path, resp.Request.URL, resp.StatusCode, resp.Header, string(text)}
}

func (b *browser) get(path string) page { b.l.t.Helper(); return b.do("GET", path, "") }

// still asks without following.
func (b *browser) still(method, path string, headers ...string) page {
	b.l.t.Helper()
	b.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	defer func() { b.http.CheckRedirect = nil }()
	return b.do(method, path, "", headers...)
}

func (b *browser) api(method, path, body string, headers ...string) page {
	b.l.t.Helper()
	return b.do(method, native.Prefix+path, body, headers...)
}

// cookie is the value of a cookie of ours.
func (b *browser) cookie(name string) string {
	at, _ := url.Parse(b.l.self.URL)
	for _, c := range b.jar.Cookies(at) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

func (b *browser) setCookie(name, value string) {
	at, _ := url.Parse(b.l.self.URL)
	b.jar.SetCookies(at, []*http.Cookie{{Name: name, Value: value, Path: "/"}})
}

// byLink signs in with a link.
func (b *browser) byLink(role, target string) *browser {
	b.l.t.Helper()
	b.do("POST", b.l.link(role, target), "").want(http.StatusOK)
	return b
}

// whoami is what /me says, as far as tests look at it.
type whoami struct {
	SignedIn  bool          `json:"signed_in"`
	Providers []native.Door `json:"providers"`
	Session   string        `json:"session"`
	Subject   string        `json:"subject"`
	Name      string        `json:"name"`
	Login     string        `json:"login"`
	Who       string        `json:"who"`
	How       string        `json:"how"`
	Since     time.Time     `json:"since"`
	ExpiresAt time.Time     `json:"expires_at"`
	Unsure    string        `json:"unsure"`
	Link      bool          `json:"link"`
	Roles     []struct{ Role, Target, From string }
	Targets   []struct {
		Target, Account, Login, Unavailable string
		Member, Owner                       bool
		Maintains                           []struct{ ID, Slug string }
	}
}

func (b *browser) me() whoami {
	b.l.t.Helper()
	var m whoami
	if err := json.Unmarshal([]byte(b.api("GET", "/me", "").want(http.StatusOK).text), &m); err != nil {
		b.l.t.Fatal(err)
	}
	return m
}

func (m whoami) has(role, target, from string) bool {
	for _, r := range m.Roles {
		if r.Role == role && r.Target == target && r.From == from {
			return true
		}
	}
	return false
}

func (p page) want(status int) page {
	p.t.Helper()
	if p.status != status {
		p.t.Fatalf("%s: %d at %s, not %d\n%s", p.what, p.status, p.at.Path, status, p.text)
	}
	return p
}

var tags = regexp.MustCompile(`<[^>]*>`)

func (p page) says(words ...string) page {
	p.t.Helper()
	text := strings.ReplaceAll(tags.ReplaceAllString(p.text, ""), "&#39;", "'")
	for _, w := range words {
		if !strings.Contains(text, w) {
			p.t.Errorf("%s: %d at %s does not say %q:\n%s", p.what, p.status, p.at.Path, w, text)
		}
	}
	return p
}

// safe checks that a page keeps to itself.
func (p page) safe() page {
	p.t.Helper()
	if csp := p.header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
		p.t.Errorf("%s: policy %q", p.what, csp)
	}
	if p.header.Get("Referrer-Policy") != "no-referrer" || p.header.Get("Cache-Control") != "no-store" || strings.Contains(p.text, "<script") || strings.Contains(p.text, " style=") {
		p.t.Errorf("%s: %v\n%s", p.what, p.header, p.text)
	}
	return p
}
