package github_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"musterline.example/api"
	"musterline.example/api/access"
	"musterline.example/api/github"
	"musterline.example/directory"
	"musterline.example/guard"
	"musterline.example/internal/githubsim"
	"musterline.example/internal/githubsim/contracttest"
	"musterline.example/internal/pgtest"
	"musterline.example/internal/secret"
	"musterline.example/mapping"
	"musterline.example/setting"
	"musterline.example/source"
	"musterline.example/store"
	"musterline.example/target"
	target_github "musterline.example/target/github"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// The tokens of the people in the lab. What they may do on GitHub is what the lab's world says.
const (
	ann       = "ghp_ann_owner"           // an owner, admin:org
	annReads  = "ghp_ann_owner_who_reads" // the same owner, read:org
	bob       = "ghp_bob_maintainer"      // maintainer of platform, write:org
	bobReads  = "ghp_bob_reads"           // the same, read:org
	cat       = "ghp_cat_member"          // member of platform, write:org
	dan       = "ghp_dan_in_no_team"      // member of the organization, write:org
	eve       = "ghp_eve_outsider"        // no member, admin:org
	fine      = "github_pat_ann"          // an owner's fine-grained token for acme
	elsewhere = "github_pat_ann_other"    // an owner's fine-grained token for another organization
	wrong     = "ghp_nobodys"
)

// A lab is the API over a real store and a simulated GitHub.
type lab struct {
	t       testing.TB
	world   *githubsim.World
	acme    *githubsim.Organization
	gh      *githubsim.Server
	ghWeb   *httptest.Server
	store   *store.Store
	web     *httptest.Server
	log     *lines
	app     string // an installation token
	limit   int
	proxies []netip.Prefix
	search  map[string]source.Searcher

	mu       sync.Mutex
	now      time.Time
	settings github.Settings
	file     []mapping.Mapping
	faulty   atomic.Bool // answers are not held against the description
	hasty    bool        // not even looked at
}

// discard takes the work of writing and keeps nothing.
type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// lines are what was logged.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// each runs a test on both databases.
func each(t *testing.T, test func(t *testing.T, l *lab)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) { test(t, newLab(t)) })
	t.Run("PostgreSQL", func(t *testing.T) { test(t, newLabOn(t, postgres(t))) })
}

// keyOnce is the key of all labs: a database with its tables is made once and copied for each test, and belongs to one key.
var keyOnce = sync.OnceValues(secret.New)

func postgres(t testing.TB) string {
	t.Helper()
	return pgtest.Prepared(t, "api", func(url string) error {
		key, err := keyOnce()
		if err != nil {
			return err
		}
		s, err := store.Open(context.Background(), url, store.Options{Key: key, Create: true, Who: "test"})
		if err != nil {
			return err
		}
		return s.Shut()
	})
}

func newLab(t testing.TB) *lab {
	t.Helper()
	return newLabOn(t, "sqlite:"+filepath.Join(t.TempDir(), "a.db"))
}

func newLabOn(t testing.TB, url string, change ...func(*lab)) *lab {
	t.Helper()
	l := &lab{t: t, world: githubsim.NewWorld(), log: &lines{}, now: time.Now().Truncate(time.Second), settings: github.DefaultSettings}
	l.gh = githubsim.New(githubsim.Options{World: l.world})
	l.people()
	l.ghWeb = httptest.NewServer(l.gh)
	t.Cleanup(l.ghWeb.Close)
	l.app = l.installation()
	key, err := keyOnce()
	if err != nil {
		t.Fatal(err)
	}
	if l.store, err = store.Open(context.Background(), url, store.Options{Key: key, Create: true, Now: l.clock, Who: "test"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.store.Shut() })
	for _, c := range change {
		c(l)
	}
	l.read("corp", directory.Group{ID: "1", Name: "Platform", Description: "who keeps it running"}, directory.Group{ID: "2", Name: "Design"},
		directory.Group{ID: "3", Name: "Docs"}, directory.Group{ID: "4", Name: "on-call"}, directory.Group{ID: "5", Name: "Sales"},
		directory.Group{ID: "6", Name: "Security"})
	l.serve()
	return l
}

func (l *lab) people() {
	l.acme = l.world.AddOrganization("acme", "ann")
	l.acme.AddMember("bob")
	l.acme.AddMember("cat")
	l.acme.AddMember("dan")
	l.world.AddUser("eve")
	platform := l.acme.AddTeam("Platform")
	platform.Set("bob", githubsim.Maintainer)
	platform.Set("cat", githubsim.Member)
	l.acme.AddTeam("Design")
	l.acme.AddTeam("Engineering")
	l.acme.AddTeam("Backend").SetParent(l.acme.Team("engineering"))
	for _, tk := range []githubsim.Token{
		{Value: ann, User: "ann", Scopes: []string{"admin:org"}},
		{Value: annReads, User: "ann", Scopes: []string{"read:org"}},
		{Value: bob, User: "bob", Scopes: []string{"write:org"}},
		{Value: bobReads, User: "bob", Scopes: []string{"read:org"}},
		{Value: cat, User: "cat", Scopes: []string{"write:org"}},
		{Value: dan, User: "dan", Scopes: []string{"write:org"}},
		{Value: eve, User: "eve", Scopes: []string{"admin:org"}},
		{Value: fine, User: "ann", Kind: githubsim.FineGrainedToken, Organization: "acme", Permissions: map[string]string{"members": "write"}},
		{Value: elsewhere, User: "ann", Kind: githubsim.FineGrainedToken, Organization: "other", Permissions: map[string]string{"members": "write"}},
	} {
		l.gh.PutToken(tk)
	}
}

// installation makes a token of an App that is installed on acme.
func (l *lab) installation() string {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		l.t.Fatal(err)
	}
	l.gh.AddApp(githubsim.App{ID: 7, Slug: "watcher", Owner: "ann", Key: &key.PublicKey, Permissions: map[string]string{"members": "read"}})
	id := l.gh.Install(githubsim.Installation{App: 7, Organization: "acme"})
	part := func(v any) string {
		b, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(b)
	}
	now := time.Now()
	text := part(map[string]string{"alg": "RS256", "typ": "JWT"}) + "." +
		part(map[string]any{"iss": "7", "iat": now.Add(-time.Minute).Unix(), "exp": now.Add(5 * time.Minute).Unix()})
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		l.t.Fatal(err)
	}
	req, _ := http.NewRequest(http.MethodPost, fmt.Sprintf("%s/app/installations/%d/access_tokens", l.ghWeb.URL, id), nil)
	req.Header.Set("Authorization", "Bearer "+text+"."+base64.RawURLEncoding.EncodeToString(sig))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		l.t.Fatal(err)
	}
	defer resp.Body.Close()
	var out struct {
		Token string `json:"token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil || out.Token == "" {
		l.t.Fatal(resp.Status, err)
	}
	return out.Token
}

func (l *lab) clock() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now
}

// pass lets time pass.
func (l *lab) pass(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now = l.now.Add(d)
}

// set changes the organization's settings.
func (l *lab) set(change func(*github.Settings)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(&l.settings)
}

// read saves a complete read of a source.
func (l *lab) read(name string, groups ...directory.Group) {
	l.t.Helper()
	s := &directory.Snapshot{Source: name, TakenAt: l.clock(), Users: map[directory.UserID]directory.User{}, Groups: map[directory.GroupID]directory.Group{}}
	for _, g := range groups {
		s.Groups[g.ID] = g
	}
	if err := l.store.SaveSnapshot(context.Background(), "octo", s, guard.Shape{Groups: len(groups)}, true); err != nil {
		l.t.Fatal(err)
	}
	l.pass(2 * time.Second) // what the API remembers of sources is over
}

// opened is acme as a target on the lab's GitHub.
func (l *lab) opened(name, organization string, web *httptest.Server) github.Target {
	l.t.Helper()
	made, err := target_github.Kind.Open(context.Background(),
		setting.Values{"organization": organization, "api_url": web.URL, "token": ann, "pace": "0s"},
		target.Env{Name: name, Lane: "person", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		l.t.Fatal(err)
	}
	return github.Target{
		Name: name, Organization: organization, Host: strings.TrimPrefix(web.URL, "http://"), Gate: made.(target.Gate), File: l.file,
		Settings: func(context.Context) (github.Settings, error) {
			l.mu.Lock()
			defer l.mu.Unlock()
			return l.settings, nil
		},
	}
}

// serve starts the API anew, with nothing remembered.
func (l *lab) serve(more ...github.Target) {
	l.t.Helper()
	log := slog.New(slog.NewTextHandler(l.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if l.hasty {
		log = slog.New(slog.NewJSONHandler(discard{}, nil)) // as a server writes it
	}
	who := access.New(access.Options{Tokens: l.store, Assignments: l.store, Now: l.clock, Log: log})
	room := github.New(github.Options{
		Access: who, Memory: l.store, Targets: append([]github.Target{l.opened("octo", "acme", l.ghWeb)}, more...),
		Sources: []string{"corp", "people"}[:1+min(len(l.search), 1)], Search: l.search, File: "/etc/musterline/musterline.yaml",
		Key: []byte("a key of the servers"), Limit: l.limit, Now: l.clock, Log: log,
	})
	l.start(api.New(api.Options{GitHub: room, TrustedProxies: l.proxies, Now: l.clock, Log: log}))
}

func (l *lab) start(h http.Handler) {
	l.web = httptest.NewServer(l.watched(h))
	l.t.Cleanup(l.web.Close)
}

// watched holds every answer against GitHub's published description, where that is at hand.
func (l *lab) watched(h http.Handler) http.Handler {
	if l.hasty {
		return h
	}
	router, err := contracttest.Router()
	if err != nil {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		asked := r.Clone(r.Context())
		h.ServeHTTP(rec, r)
		if asked.Method == http.MethodHead {
			asked.Method = http.MethodGet
		}
		if !l.faulty.Load() && !strings.Contains(asked.URL.Path, "/members/") { // a legacy path that is described no more
			if _, rest, found := strings.Cut(asked.URL.Path, "/api/v3"); found {
				asked.URL.Path = rest // of a target's own address
			}
			if err := contracttest.Conforms(router, asked, rec); err != nil {
				l.t.Errorf("%s %s: %d is not as published: %v\n%s", r.Method, r.URL.Path, rec.Code, err, rec.Body)
			}
		}
		maps.Copy(w.Header(), rec.Header())
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	})
}

// An answer is what came back.
type answer struct {
	code   int
	header http.Header
	text   string
	body   struct {
		Message string `json:"message"`
		Docs    string `json:"documentation_url"`
		Status  string `json:"status"`
		Errors  []struct{ Resource, Field, Code, Message string }
		Groups  []struct {
			ID          string  `json:"group_id"`
			Name        string  `json:"group_name"`
			Description string  `json:"group_description"`
			Status      string  `json:"status"`
			SyncedAt    *string `json:"synced_at"`
		} `json:"groups"`
	}
}

// ids are the groups of an answer.
func (a answer) ids() string {
	var ids []string
	for _, g := range a.body.Groups {
		ids = append(ids, g.ID)
	}
	return strings.Join(ids, " ")
}

// do makes one request. Headers come in pairs.
func (l *lab) do(method, path, token, body string, headers ...string) answer {
	l.t.Helper()
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	address := path
	if strings.HasPrefix(path, "/") {
		address = l.web.URL + path
	}
	req, err := http.NewRequest(method, address, in)
	if err != nil {
		l.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		}
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
	a := answer{code: resp.StatusCode, header: resp.Header, text: string(text)}
	if len(text) > 0 {
		if err := json.Unmarshal(text, &a.body); err != nil {
			if _, ok := errors.AsType[*json.SyntaxError](err); ok {
				l.t.Errorf("%s %s: no JSON: %s", method, path, text)
			}
		}
	}
	return a
}

func (l *lab) get(path, token string, headers ...string) answer {
	l.t.Helper()
	return l.do(http.MethodGet, path, token, "", headers...)
}

// want fails unless the answer has the status.
func (a answer) want(t testing.TB, code int) answer {
	t.Helper()
	if a.code != code {
		t.Fatalf("got %d %s, want %d", a.code, a.text, code)
	}
	return a
}

func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// Paths of the team platform, in all forms.
const (
	mappings = "/orgs/acme/teams/platform/team-sync/group-mappings"
	list     = "/orgs/acme/team-sync/groups"
)

func (l *lab) byID(slug, rest string) string {
	return fmt.Sprintf("/organizations/%d/team/%d%s", l.acme.ID(), l.acme.Team(slug).ID(), rest)
}

func (l *lab) legacy(slug, rest string) string {
	return fmt.Sprintf("/teams/%d%s", l.acme.Team(slug).ID(), rest)
}

// wish is a body that asks for groups of corp by their ids.
func wish(ids ...string) string {
	groups := []map[string]string{}
	for _, id := range ids {
		groups = append(groups, map[string]string{"group_id": "corp:" + id, "group_name": "Group " + id, "group_description": "as said: " + id})
	}
	b, _ := json.Marshal(map[string]any{"groups": groups})
	return string(b)
}

// token makes a Musterline token.
func (l *lab) token(role access.Role, targetName string) string {
	l.t.Helper()
	_, text, err := l.store.CreateToken(context.Background(), store.Token{Name: "for " + string(role), Role: string(role), Target: targetName}, "test")
	if err != nil {
		l.t.Fatal(err)
	}
	return text
}
