package native_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
	"musterline.example/job"
	"musterline.example/reconcile"
)

const configuration = `
sources:
  people: { kind: file, path: directory.yaml }
  other:  { kind: file, path: directory.yaml }
targets:
  octo: { kind: github, organization: octo-org, api_url: "${GITHUB}", token: "${TOKEN}", pace: 0s, sources: [people] }
  hex:  { kind: github, organization: hex-org, api_url: "${GITHUB}", token: "${TOKEN}", pace: 0s }
mappings:
- { team: octo/docs, groups: [people/docs] }
- { team: octo/platform, groups: [people/platform] }
`

const people = `
users:
- { id: ada, name: Ada, accounts: { github: ada-l } }
- { id: bob, name: Bob, accounts: { github: bob } }
- { id: cy, name: Cy, accounts: { github: cy } }
groups:
- { id: docs, name: docs, members: [ada] }
- { id: leads, name: leads, members: [ada, bob] }
- { id: platform, name: platform, members: [ada, bob] }
`

const organizations = `{"organization": "octo-org", "owners": ["ann"], "members": ["ada-l", "bob", "cy", "dee", "eve"],
 "teams": [{"name": "Docs", "members": ["ada-l", "cy"]}, {"name": "Platform", "members": ["bob", "dee", "eve"]}, {"name": "Free", "members": ["cy"]},
  {"name": "Empty"}]}`

// A lab is a server with its jobs, beside a simulated GitHub.
type lab struct {
	t      testing.TB
	dir    string
	github *githubsim.Server
	org    *githubsim.Organization
	house  *answer.House
	now    *answer.Current
	api    *native.API
	server *httptest.Server
	tokens map[string]string

	cookies map[string]*http.Cookie // of people who have signed in
}

const secretOfTarget = "ghp_simulated_and_secret"

func newLab(t testing.TB) *lab {
	t.Helper()
	l := &lab{t: t, dir: t.TempDir(), tokens: map[string]string{}, cookies: map[string]*http.Cookie{}}
	world, err := githubsim.Load(strings.NewReader(organizations))
	if err != nil {
		t.Fatal(err)
	}
	l.org, l.github = world.Organizations()[0], githubsim.New(githubsim.Options{World: world})
	l.github.PutToken(githubsim.Token{Value: secretOfTarget, User: "ann", Scopes: []string{"admin:org"}})
	l.github.PutToken(githubsim.Token{Value: "ghp_ann", User: "ann", Scopes: []string{"admin:org"}})
	l.github.PutToken(githubsim.Token{Value: "ghp_ann_reads", User: "ann", Scopes: []string{"read:org"}})
	l.github.PutToken(githubsim.Token{Value: "ghp_bob", User: "bob", Scopes: []string{"write:org"}})
	web := httptest.NewServer(l.github)
	t.Cleanup(web.Close)
	l.write("directory.yaml", people)
	l.write("musterline.yaml", configuration)
	env := func(name string) (string, bool) {
		return map[string]string{"GITHUB": web.URL, "TOKEN": secretOfTarget}[name], true
	}
	c, err := config.Load(filepath.Join(l.dir, "musterline.yaml"), env, config.Kinds{Sources: catalog.Sources(), Targets: catalog.Targets()})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	l.house = answer.New(c, answer.Options{Now: time.Now, Log: log})
	if err := l.house.Share(t.Context(), "a test"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.house.Close)
	l.now = answer.NewCurrent(l.house)
	doors, err := signin.New(signin.Options{Store: l.house.Store, House: l.now.House, SignIn: c.Server.SignIn, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	guard := access.New(access.Options{Tokens: l.house.Store, Assignments: l.house.Store, People: doors, Log: log})
	l.api = native.New(native.Options{House: l.now.House, Access: guard, Sessions: doors, Version: "test", Log: log})
	l.server = httptest.NewServer(api.New(api.Options{
		GitHub: api.Plain(http.NotFoundHandler()), Rooms: map[string]api.Room{native.Prefix: l.api, signin.Prefix: doors}, Log: log,
	}))
	t.Cleanup(l.server.Close)
	for _, role := range []string{"viewer", "maintainer", "owner", "administrator"} {
		l.token(role, "", role)
		if role != "administrator" {
			l.token("octo's "+role, "octo", role)
		}
	}
	l.token("hex's owner", "hex", "owner")
	for _, role := range access.Roles {
		l.signIn("signed-in "+string(role), "", string(role))
	}
	l.signIn("signed-in owner of hex", "hex", "owner")
	return l
}

// work starts the jobs.
func (l *lab) work() {
	l.t.Helper()
	jobs, err := job.New(l.t.Context(), job.Options{
		Store: l.house.Store, Every: time.Hour,
		Deps: func(lane string) (reconcile.Deps, error) {
			h, err := l.now.House(context.Background())
			if err != nil {
				return reconcile.Deps{}, err
			}
			return h.Deps(context.Background(), lane, "octo")
		},
	})
	if err == nil {
		err = jobs.Start(l.t.Context())
	}
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { _ = jobs.Stop(context.Background()) })
}

func (l *lab) token(name, target, role string) {
	l.t.Helper()
	made, err := l.house.CreateToken(l.t.Context(), answer.TokenWish{Name: name, Target: target, Role: role, By: "a test"})
	if err != nil {
		l.t.Fatal(err)
	}
	l.tokens[name] = made.Text
}

// signIn signs somebody in with a link.
func (l *lab) signIn(name, target, role string) {
	l.t.Helper()
	made, err := l.house.SignInLink(l.t.Context(), answer.SignInWish{Name: "grace", Target: target, Role: role, ExpiresAt: time.Now().Add(time.Hour), URL: l.server.URL, By: "a test"})
	if err != nil {
		l.t.Fatal(err)
	}
	once := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answered, err := once.Post(made.URL, "", nil)
	if err != nil || len(answered.Cookies()) != 1 {
		l.t.Fatal("not signed in: ", err)
	}
	_ = answered.Body.Close()
	l.cookies[name] = answered.Cookies()[0]
}

func (l *lab) write(name, text string) {
	l.t.Helper()
	if err := os.WriteFile(filepath.Join(l.dir, name), []byte(text), 0o600); err != nil {
		l.t.Fatal(err)
	}
}

// A reply is an answer with its body.
type reply struct {
	t      testing.TB
	what   string
	status int
	header http.Header
	text   string
}

// ask asks as somebody: by the name of a token, or with a token itself.
func (l *lab) ask(who, method, path, body string, headers ...string) reply {
	l.t.Helper()
	r, err := http.NewRequestWithContext(l.t.Context(), method, l.server.URL+native.Prefix+path, strings.NewReader(body))
	if err != nil {
		l.t.Fatal(err)
	}
	if token := l.tokens[who]; token != "" {
		who = token
	}
	if c := l.cookies[who]; c != nil {
		r.AddCookie(c)
	} else if who != "" {
		r.Header.Set("Authorization", "Bearer "+who)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answered, err := http.DefaultClient.Do(r)
	if err != nil {
		l.t.Fatal(err)
	}
	defer func() { _ = answered.Body.Close() }()
	text, err := io.ReadAll(answered.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	conforms(l.t, r, answered.StatusCode, answered.Header, string(text))
	return reply{l.t, method + " " + path, answered.StatusCode, answered.Header, string(text)}
}

func (l *lab) get(path string) reply { l.t.Helper(); return l.ask("administrator", "GET", path, "") }

func (l *lab) post(path, body string) reply {
	l.t.Helper()
	return l.ask("administrator", "POST", path, body)
}

// want checks the status, and that a refusal has the form of all.
func (r reply) want(status int) reply {
	r.t.Helper()
	if r.status != status {
		r.t.Fatalf("%s: %d %s, not %d", r.what, r.status, r.text, status)
	}
	if kind := r.header.Get("Content-Type"); r.status >= 400 && kind != "application/json" {
		r.t.Errorf("%s: the refusal is %s", r.what, kind)
	}
	if r.status >= 400 {
		var p struct {
			Error struct{ Class, Message, Request string }
		}
		if err := json.Unmarshal([]byte(r.text), &p); err != nil || p.Error.Class == "" || p.Error.Message == "" ||
			p.Error.Request == "" || p.Error.Request != r.header.Get("X-Request-Id") {
			r.t.Errorf("%s: %d is not in the form of refusals: %s", r.what, r.status, r.text)
		}
	}
	return r
}

func (r reply) says(words ...string) reply {
	r.t.Helper()
	for _, w := range words {
		if !strings.Contains(r.text, w) {
			r.t.Errorf("%s: %s\ndoes not say: %s", r.what, r.text, w)
		}
	}
	return r
}

func as[T any](r reply) T {
	r.t.Helper()
	var v T
	if err := json.Unmarshal([]byte(r.text), &v); err != nil {
		r.t.Fatalf("%s: %v: %s", r.what, err, r.text)
	}
	return v
}

func (l *lab) members(team string) string {
	var logins []string
	for login := range l.org.Team(team).Members() {
		logins = append(logins, login)
	}
	slices.Sort(logins)
	return strings.Join(logins, " ")
}

// An event is one of a stream.
type event struct{ id, name, data string }

// follow reads a stream to its end.
func (l *lab) follow(who, path string, headers ...string) []event {
	l.t.Helper()
	text := l.ask(who, "GET", path, "", headers...).want(http.StatusOK)
	if got := text.header.Get("Content-Type"); got != "text/event-stream" {
		l.t.Errorf("%s is %s", path, got)
	}
	var events []event
	for block := range strings.SplitSeq(text.text, "\n\n") {
		var e event
		for line := range strings.SplitSeq(block, "\n") {
			key, value, _ := strings.Cut(line, ": ")
			switch key {
			case "id":
				e.id = value
			case "event":
				e.name = value
			case "data":
				e.data = value
			}
		}
		if e.name != "" {
			events = append(events, e)
		}
	}
	return events
}

// state is everything that a refusal may not change.
func (l *lab) state() string {
	l.t.Helper()
	verified, err := l.house.Store.Verify(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	requests, err := l.house.Store.Requests(l.t.Context(), "octo")
	if err != nil {
		l.t.Fatal(err)
	}
	ids := []string{verified.Head, l.members("docs"), l.members("platform"), l.members("free")}
	for _, r := range requests {
		ids = append(ids, r.ID)
	}
	return strings.Join(ids, "\n")
}
