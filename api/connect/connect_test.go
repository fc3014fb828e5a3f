package connect_test

import (
	"bytes"
	"context"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"musterline.example/answer"
	"musterline.example/api"
	"musterline.example/api/access"
	"musterline.example/api/connect"
	"musterline.example/api/native"
	"musterline.example/catalog"
	"musterline.example/config"
	"musterline.example/internal/githubsim"
)

// A lab is a server with the pages, beside a simulated GitHub.
type lab struct {
	t      *testing.T
	github *githubsim.Server
	hub    *httptest.Server
	now    *answer.Current
	server *httptest.Server
	who    *access.Person // who has signed in; nil: nobody
	log    bytes.Buffer
	clock  time.Duration // how much later it is
	apps   int           // how many were made
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{t: t, who: &access.Person{Session: "one", Way: access.ByLink, Name: "root", Role: access.Administrator}}
	world := githubsim.NewWorld()
	world.AddOrganization("octo-org", "ann")
	l.github = githubsim.New(githubsim.Options{World: world})
	l.hub = httptest.NewServer(l.github)
	t.Cleanup(l.hub.Close)
	dir := t.TempDir()
	path := filepath.Join(dir, "musterline.yaml")
	if err := os.WriteFile(path, []byte("targets:\n  filed: { kind: github, organization: filed-org, token: x }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(path, func(string) (string, bool) { return "", false }, config.Kinds{Sources: catalog.Sources(), Targets: catalog.Targets()})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(&l.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	house := answer.New(c, answer.Options{Now: time.Now, Log: log})
	if err := house.Share(t.Context(), "a test"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(house.Close)
	l.now = answer.NewCurrent(house)
	room := connect.New(connect.Options{
		House: l.now.House, Sessions: sessions{l}, Access: access.New(access.Options{Log: log}), Key: []byte("a key"), Log: log,
		Now: func() time.Time { return time.Now().Add(l.clock) },
	})
	l.server = httptest.NewServer(api.New(api.Options{GitHub: api.Plain(http.NotFoundHandler()), Rooms: map[string]api.Room{connect.Prefix: room}, Log: log}))
	t.Cleanup(l.server.Close)
	return l
}

// sessions has one person signed in, or nobody.
type sessions struct{ l *lab }

func (s sessions) Person(*http.Request) (*access.Person, error)        { return s.l.who, nil }
func (s sessions) Still(*http.Request) (*access.Person, error)         { return s.l.who, nil }
func (s sessions) Doors() []native.Door                                { return nil }
func (s sessions) Of(context.Context, string) ([]access.Person, error) { return nil, nil }
func (s sessions) End(context.Context, string, string) error           { return nil }
func (s sessions) SignOut(http.ResponseWriter, *http.Request) error    { return nil }

// A page is an answer with its text.
type page struct {
	*http.Response
	text string // as people read it
	raw  string
}

// browse goes to an address, or sends a form there, and follows no redirect.
func (l *lab) browse(address string, form url.Values) page {
	l.t.Helper()
	jar, _ := cookiejar.New(nil)
	c := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	var r *http.Response
	var err error
	if form == nil {
		r, err = c.Get(address)
	} else {
		r, err = c.PostForm(address, form)
	}
	if err != nil {
		l.t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	return page{r, html.UnescapeString(string(text)), string(text)}
}

func (l *lab) begin(name, organization string) page {
	return l.browse(l.server.URL+"/connect/github-app?"+url.Values{"name": {name}, "organization": {organization}, "api_url": {l.hub.URL + "/api/v3"}}.Encode(), nil)
}

var (
	action   = regexp.MustCompile(`action="([^"]*)"`)
	manifest = regexp.MustCompile(`name="manifest" value="(.*)">`)
	link     = regexp.MustCompile(`primary wide" href="([^"]*)"`)
)

// toGitHub goes from the first page to GitHub and to where that leads back.
func (l *lab) toGitHub(p page) (back string) {
	l.t.Helper()
	if p.StatusCode != http.StatusOK {
		l.t.Fatalf("%s: %s", p.Status, p.text)
	}
	to, m := action.FindStringSubmatch(p.text)[1], manifest.FindStringSubmatch(p.text)[1]
	if made := l.browse(to, url.Values{"manifest": {m}}); made.StatusCode != http.StatusOK {
		l.t.Fatalf("GitHub: %s: %s", made.Status, made.text)
	}
	u, _ := url.Parse(to)
	name := "Musterline octo-org"
	if l.apps++; l.apps > 1 {
		name += " " + strconv.Itoa(l.apps)
	}
	answered := l.browse(l.hub.URL+"/organizations/octo-org/settings/apps/manifest", url.Values{"manifest": {m}, "state": {u.Query().Get("state")}, "name": {name}})
	if back = answered.Header.Get("Location"); back == "" {
		l.t.Fatalf("GitHub: %s: %s", answered.Status, answered.text)
	}
	return back
}

func (l *lab) house() *answer.House {
	l.t.Helper()
	h, err := l.now.House(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	return h
}

func TestAnOrganizationIsConnectedByAnApp(t *testing.T) {
	l := newLab(t)
	first := l.begin("octo", "octo-org")
	if csp := first.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "form-action "+l.hub.URL+";") || !strings.Contains(csp, "default-src 'none'") {
		t.Errorf("the page may do too much: %s", csp)
	}
	back := l.toGitHub(first)
	if !strings.HasPrefix(back, l.server.URL+"/connect/github-app/callback?") {
		t.Fatalf("GitHub leads to %s", back)
	}
	saved := l.browse(back, nil)
	if saved.StatusCode != http.StatusOK || !strings.Contains(saved.text, "Install it on octo-org") {
		t.Fatalf("%s: %s", saved.Status, saved.text)
	}
	row, err := l.house().Row(t.Context(), "targets", "octo")
	if err != nil || !strings.Contains(string(row.Body), `"app_id":"70`) || strings.Join(row.Secrets, "") != "private_key" || !strings.HasPrefix(row.By, "root") {
		t.Fatalf("%+v, %v", row, err)
	}
	if before, _ := l.house().CheckTarget(t.Context(), "octo"); len(before.Trouble) == 0 {
		t.Errorf("before it is installed: %+v", before)
	}
	install := link.FindStringSubmatch(saved.text)[1]
	if install != l.hub.URL+"/apps/musterline-octo-org/installations/new" {
		t.Errorf("it is installed at %s", install)
	}
	done := l.browse(l.hub.URL+"/apps/musterline-octo-org/installations", url.Values{})
	home := l.browse(done.Header.Get("Location"), nil)
	if to := home.Header.Get("Location"); home.StatusCode != http.StatusSeeOther || to != "/console/connections/targets/octo?check=now" {
		t.Errorf("it leads to %q", to)
	}
	after, err := l.house().CheckTarget(t.Context(), "octo")
	if err != nil || len(after.Trouble)+len(after.Needs)+len(after.Extra) > 0 || !strings.Contains(after.Credential, "App") {
		t.Errorf("%+v, %v", after, err)
	}
	if again := l.browse(back, nil); again.StatusCode != http.StatusBadRequest || !strings.Contains(again.text, "used before") {
		t.Errorf("the same again: %s %s", again.Status, again.text)
	}
	if code := regexp.MustCompile(`code=([0-9a-f]+)`).FindStringSubmatch(back)[1]; strings.Contains(l.log.String(), code) || strings.Contains(l.log.String(), "PRIVATE KEY") {
		t.Error("the code or the key is in the log")
	}
}

func TestWhoComesBackMustHaveLeftFromHere(t *testing.T) {
	l := newLab(t)
	back := l.toGitHub(l.begin("octo", "octo-org"))
	for name, wrong := range map[string]func(){
		"another session": func() { l.who.Session = "two" },
		"too late":        func() { l.who.Session, l.clock = "one", time.Hour+time.Minute },
	} {
		wrong()
		if p := l.browse(back, nil); p.StatusCode != http.StatusBadRequest || !strings.Contains(p.text, "not begun here") {
			t.Errorf("%s: %s %s", name, p.Status, p.text)
		}
	}
	l.who.Session, l.clock = "one", 0
	for _, state := range []string{"", "x", "x.y", "e30.e30"} {
		if p := l.browse(l.server.URL+"/connect/github-app/callback?code=1&state="+state, nil); p.StatusCode != http.StatusBadRequest {
			t.Errorf("%q: %s", state, p.Status)
		}
	}
	if _, err := l.house().Row(t.Context(), "targets", "octo"); err == nil {
		t.Error("something was saved")
	}
	if p := l.browse(back, nil); p.StatusCode != http.StatusOK {
		t.Errorf("from the right place: %s", p.Status)
	}
}

func TestOnlyAdministratorsConnect(t *testing.T) {
	l := newLab(t)
	l.who.Role = access.Owner
	if p := l.begin("octo", "octo-org"); p.StatusCode != http.StatusForbidden {
		t.Error(p.Status)
	}
	l.who.Role, l.who.Target = access.Administrator, "filed"
	if p := l.begin("octo", "octo-org"); p.StatusCode != http.StatusForbidden {
		t.Error(p.Status)
	}
	l.who = nil
	if p := l.begin("octo", "octo-org"); p.StatusCode != http.StatusSeeOther || !strings.HasPrefix(p.Header.Get("Location"), "/login?return=") {
		t.Error(p.Status)
	}
}

func TestWhatCannotBeSavedDoesNotLeadToGitHub(t *testing.T) {
	l := newLab(t)
	for name, organization := range map[string]string{"filed": "octo-org", "../x": "octo-org", "": "octo-org", "octo": "", "two": "filed-org"} {
		query := url.Values{"name": {name}, "organization": {organization}}
		if name != "two" {
			query.Set("api_url", l.hub.URL)
		}
		if p := l.browse(l.server.URL+"/connect/github-app?"+query.Encode(), nil); p.StatusCode != http.StatusUnprocessableEntity || strings.Contains(p.text, "<form") {
			t.Errorf("%q of %q: %s %s", name, organization, p.Status, p.text)
		}
	}
	hostile := l.browse(l.server.URL+"/connect/github-app?"+url.Values{"name": {"octo"}, "organization": {`"><script>x</script>`}, "api_url": {l.hub.URL}}.Encode(), nil)
	if strings.Contains(hostile.raw, "<script") {
		t.Error(hostile.text)
	}
}

func TestGitHubThatHandsNothingOut(t *testing.T) {
	l := newLab(t)
	back := l.toGitHub(l.begin("octo", "octo-org"))
	l.github.Inject(githubsim.Fault{Status: 500})
	if p := l.browse(back, nil); p.StatusCode != http.StatusBadGateway || !strings.Contains(p.text, "Nothing was saved") {
		t.Errorf("%s %s", p.Status, p.text)
	}
}

// An App never makes a connection another organization, unasked.
func TestANameThatIsTakenStaysWhatItIs(t *testing.T) {
	l := newLab(t)
	if p := l.browse(l.toGitHub(l.begin("octo", "octo-org")), nil); p.StatusCode != http.StatusOK {
		t.Fatal(p.Status, p.text)
	}
	before, err := l.house().Row(t.Context(), "targets", "octo")
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := url.Values{"name": {"octo"}, "organization": {"octo-org"}} // on github.com
	for name, p := range map[string]page{
		"another organization": l.begin("octo", "second-org"),
		"another GitHub":       l.browse(l.server.URL+"/connect/github-app?"+elsewhere.Encode(), nil),
	} {
		if p.StatusCode != http.StatusConflict || !strings.Contains(p.text, "another connection of that name") || strings.Contains(p.text, "<form") {
			t.Errorf("%s: %s %s", name, p.Status, p.text)
		}
	}
	again := l.begin("octo", "Octo-Org")
	if again.StatusCode != http.StatusOK || !strings.Contains(again.text, "octo is connected already") {
		t.Fatalf("%s %s", again.Status, again.text)
	}
	if p := l.browse(l.toGitHub(again), nil); p.StatusCode != http.StatusOK {
		t.Fatal(p.Status, p.text)
	}
	after, err := l.house().Row(t.Context(), "targets", "octo")
	if err != nil || !strings.Contains(string(after.Body), `"organization":"octo-org"`) || string(after.Body) == string(before.Body) {
		t.Errorf("%s, before %s, %v", after.Body, before.Body, err)
	}
}

func TestWhatWasChangedMeanwhileStays(t *testing.T) {
	l := newLab(t)
	back := l.toGitHub(l.begin("octo", "octo-org"))
	if p := l.browse(l.toGitHub(l.begin("octo", "octo-org")), nil); p.StatusCode != http.StatusOK {
		t.Fatal(p.Status, p.text)
	}
	before, err := l.house().Row(t.Context(), "targets", "octo")
	if err != nil {
		t.Fatal(err)
	}
	if p := l.browse(back, nil); p.StatusCode != http.StatusPreconditionFailed || !strings.Contains(p.text, "could not be saved") {
		t.Errorf("%s %s", p.Status, p.text)
	}
	if after, err := l.house().Row(t.Context(), "targets", "octo"); err != nil || after.Version != before.Version {
		t.Errorf("%+v, %v", after, err)
	}
}

func TestAnotherSiteLeadsNobodyToAnApp(t *testing.T) {
	l := newLab(t)
	for site, want := range map[string]int{"cross-site": http.StatusForbidden, "same-site": http.StatusForbidden, "same-origin": http.StatusOK, "none": http.StatusOK} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
			l.server.URL+"/connect/github-app?"+url.Values{"name": {"octo"}, "organization": {"octo-org"}, "api_url": {l.hub.URL}}.Encode(), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Sec-Fetch-Site", site)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: %s", site, resp.Status)
		}
	}
}
