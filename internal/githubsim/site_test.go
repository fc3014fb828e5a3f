package githubsim_test

import (
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"musterline.example/internal/githubapi"
)

const manifest = `{"name":"Musterline acme","url":"https://m.example.com","redirect_url":"https://m.example.com/back?a=b",
 "setup_url":"https://m.example.com/installed","public":false,"default_permissions":{"members":"write"}}`

// submit sends a form as a browser does, and follows no redirect.
func (l *lab) submit(path string, form url.Values) (*http.Response, string) {
	l.t.Helper()
	c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, err := c.PostForm(l.web.URL+path, form)
	if err != nil {
		l.t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	return r, string(text)
}

// madeApp is the code that leads to an App that was made from a manifest.
func (l *lab) madeApp(name string) string {
	l.t.Helper()
	made, text := l.submit("/organizations/acme/settings/apps/manifest", url.Values{"manifest": {manifest}, "state": {"s 1"}, "name": {name}})
	to, err := made.Location()
	if err != nil {
		l.t.Fatalf("%s: %s", made.Status, text)
	}
	if to.Host != "m.example.com" || to.Query().Get("a") != "b" || to.Query().Get("state") != "s 1" || to.Query().Get("code") == "" {
		l.t.Fatalf("it leads to %s", to)
	}
	return to.Query().Get("code")
}

func TestAnAppIsMadeFromAManifestInstalledAndWorks(t *testing.T) {
	l := newLab(t)
	l.faulty.Store(true) // the web site is described nowhere
	page, text := l.submit("/organizations/acme/settings/apps/new?state=s+1", url.Values{"manifest": {manifest}})
	if page.StatusCode != http.StatusOK || !strings.Contains(text, "Create GitHub App for acme") || !strings.Contains(text, `value="s 1"`) || !strings.Contains(text, "members, write") {
		t.Fatalf("%s\n%s", page.Status, text)
	}
	code := l.madeApp("Musterline acme")
	l.faulty.Store(false)
	made := l.do("POST", "/app-manifests/"+code+"/conversions", "", "Authorization: ")
	var app struct {
		ID      int64
		Slug    string
		HTMLURL string `json:"html_url"`
		PEM     string
	}
	made.into(t, &app)
	if made.StatusCode != http.StatusCreated || app.Slug != "musterline-acme" || !strings.HasSuffix(app.HTMLURL, "/apps/musterline-acme") {
		t.Fatalf("%s: %s", made.Status, made.body)
	}
	if _, err := githubapi.ParseKey([]byte(app.PEM)); err != nil {
		t.Error(err)
	}
	if again := l.do("POST", "/app-manifests/"+code+"/conversions", "", "Authorization: "); again.StatusCode != http.StatusNotFound {
		t.Errorf("the code is good twice: %s", again.Status)
	}
	l.faulty.Store(true)
	installed, text := l.submit("/apps/musterline-acme/installations", nil)
	to, err := installed.Location()
	if err != nil || to.Path != "/installed" || !regexp.MustCompile(`^\d+$`).MatchString(to.Query().Get("installation_id")) || to.Query().Get("setup_action") != "install" {
		t.Fatalf("%s %v: %s", installed.Status, to, text)
	}
}

func TestACodeIsGoodForAnHour(t *testing.T) {
	l := newLab(t)
	l.faulty.Store(true)
	code := l.madeApp("Musterline")
	l.clock.Advance(time.Hour + time.Second)
	if late := l.do("POST", "/app-manifests/"+code+"/conversions", ""); late.StatusCode != http.StatusNotFound {
		t.Error(late.Status)
	}
}

func TestAManifestThatIsWrongMakesNothing(t *testing.T) {
	l := newLab(t)
	l.faulty.Store(true)
	for name, text := range map[string]string{
		"no JSON": "{", "no address": `{"name":"x"}`, "a long name": `{"name":"` + strings.Repeat("x", 35) + `","url":"https://x.example","redirect_url":"https://x.example"}`,
	} {
		if page, said := l.submit("/organizations/acme/settings/apps/new", url.Values{"manifest": {text}}); page.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%s: %s %s", name, page.Status, said)
		}
	}
	if page, _ := l.submit("/organizations/nowhere/settings/apps/new", url.Values{"manifest": {manifest}}); page.StatusCode != http.StatusNotFound {
		t.Error(page.Status)
	}
	l.madeApp("Taken")
	l.do("POST", "/app-manifests/"+l.madeApp("Other")+"/conversions", "")
	if page, _ := l.submit("/organizations/acme/settings/apps/manifest", url.Values{"manifest": {manifest}, "name": {"other"}}); page.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a name is taken twice: %s", page.Status)
	}
}
