package githubsim_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"musterline.example/internal/githubsim"
)

// An oauthLab is a GitHub with ada and bob, and an app by which people sign in elsewhere.
type oauthLab struct {
	t    *testing.T
	gh   *githubsim.Server
	web  *httptest.Server
	now  atomic.Int64 // seconds since the beginning
	http *http.Client
}

const callback = "https://app.example/login/callback"

func newOAuthLab(t *testing.T, change func(*githubsim.OAuthApp)) *oauthLab {
	t.Helper()
	l := &oauthLab{t: t}
	began := time.Now()
	world := githubsim.NewWorld()
	world.AddUser("ada")
	world.AddUser("bob")
	l.gh = githubsim.New(githubsim.Options{World: world, Now: func() time.Time { return began.Add(time.Duration(l.now.Load()) * time.Second) }})
	app := githubsim.OAuthApp{ClientID: "Ov1", Secret: "shh", Name: "Musterline", Callback: callback}
	if change != nil {
		change(&app)
	}
	l.gh.AddOAuthApp(app)
	l.gh.Browse("ada")
	l.web = httptest.NewServer(l.gh)
	t.Cleanup(l.web.Close)
	l.http = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return l
}

// authorize asks as a browser does, and returns where it is sent.
func (l *oauthLab) authorize(values ...string) (url.Values, string) {
	l.t.Helper()
	q := url.Values{"client_id": {"Ov1"}, "redirect_uri": {callback}, "state": {"st"}}
	for i := 0; i+1 < len(values); i += 2 {
		q.Set(values[i], values[i+1])
	}
	resp, err := l.http.Get(l.web.URL + "/login/oauth/authorize?" + q.Encode())
	if err != nil {
		l.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusFound {
		return nil, ""
	}
	to, err := resp.Location()
	if err != nil {
		l.t.Fatal(err)
	}
	said := to.Query()
	to.RawQuery = ""
	return said, to.String()
}

func (l *oauthLab) exchange(accept string, values ...string) url.Values {
	l.t.Helper()
	q := url.Values{"client_id": {"Ov1"}, "client_secret": {"shh"}}
	for i := 0; i+1 < len(values); i += 2 {
		q.Set(values[i], values[i+1])
	}
	r, _ := http.NewRequest(http.MethodPost, l.web.URL+"/login/oauth/access_token", strings.NewReader(q.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", accept)
	resp, err := l.http.Do(r)
	if err != nil {
		l.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusOK {
		l.t.Fatalf("%d %s: even what is wrong is told with 200", resp.StatusCode, text)
	}
	if accept != "application/json" {
		said, _ := url.ParseQuery(string(text))
		return said
	}
	var all map[string]any
	if err := json.Unmarshal(text, &all); err != nil {
		l.t.Fatal(err)
	}
	said := url.Values{}
	for key, value := range all {
		if s, ok := value.(string); ok {
			said.Set(key, s)
		}
	}
	return said
}

func (l *oauthLab) whose(token string) string {
	l.t.Helper()
	r, _ := http.NewRequest(http.MethodGet, l.web.URL+"/user", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := l.http.Do(r)
	if err != nil {
		l.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var user struct{ Login string }
	_ = json.NewDecoder(resp.Body).Decode(&user)
	return user.Login
}

func TestPeopleSignInElsewhereWithTheirAccount(t *testing.T) {
	l := newOAuthLab(t, nil)
	for _, accept := range []string{"", "application/json"} {
		sum := sha256.Sum256([]byte("verifier"))
		said, to := l.authorize("code_challenge", base64.RawURLEncoding.EncodeToString(sum[:]), "code_challenge_method", "S256", "scope", "read:user user:email")
		if to != callback || said.Get("state") != "st" || said.Get("code") == "" {
			t.Fatal(said, to)
		}
		got := l.exchange(accept, "code", said.Get("code"), "redirect_uri", callback, "code_verifier", "verifier")
		if !strings.HasPrefix(got.Get("access_token"), "gho_") || got.Get("scope") != "read:user,user:email" || l.whose(got.Get("access_token")) != "ada" {
			t.Error(got)
		}
		if again := l.exchange(accept, "code", said.Get("code"), "code_verifier", "verifier"); again.Get("error") != "bad_verification_code" {
			t.Error("a code is good for once:", again)
		}
	}
}

func TestWhatIsWrongWithASignInIsTold(t *testing.T) {
	sum := sha256.Sum256([]byte("verifier"))
	challenge := base64.RawURLEncoding.EncodeToString(sum[:])
	l := newOAuthLab(t, nil)
	if said, to := l.authorize("redirect_uri", "https://evil.example/"); to != callback || said.Get("error") != "redirect_uri_mismatch" || said.Get("code") != "" {
		t.Error(said, to)
	}
	if said, _ := l.authorize("code_challenge", "x", "code_challenge_method", "plain"); said.Get("error") != "invalid_request" {
		t.Error(said)
	}
	if said, to := l.authorize("client_id", "none"); said != nil || to != "" {
		t.Error("an unknown app sends nobody anywhere", said, to)
	}
	for name, wrong := range map[string][]string{
		"incorrect_client_credentials": {"client_secret", "no"},
		"bad_verification_code":        {"code_verifier", "another"},
		"redirect_uri_mismatch":        {"redirect_uri", "https://evil.example/"},
	} {
		said, _ := l.authorize("code_challenge", challenge, "code_challenge_method", "S256")
		if got := l.exchange("application/json", append([]string{"code", said.Get("code"), "code_verifier", "verifier"}, wrong...)...); got.Get("error") != name || got.Has("access_token") {
			t.Error(name, got)
		}
	}
	said, _ := l.authorize()
	l.now.Add(600)
	if got := l.exchange("", "code", said.Get("code")); got.Get("error") != "bad_verification_code" {
		t.Error("a code lasts ten minutes:", got)
	}
	for want, change := range map[string]func(*githubsim.OAuthApp){
		"access_denied":         func(a *githubsim.OAuthApp) { a.Denied = true },
		"application_suspended": func(a *githubsim.OAuthApp) { a.Suspended = true },
	} {
		if said, _ := newOAuthLab(t, change).authorize(); said.Get("error") != want || said.Get("state") != "st" {
			t.Error(want, said)
		}
	}
}

func TestTheTokensOfAGitHubAppEnd(t *testing.T) {
	l := newOAuthLab(t, func(a *githubsim.OAuthApp) { a.GitHubApp = true })
	said, _ := l.authorize("scope", "admin:org")
	got := l.exchange("", "code", said.Get("code"))
	if !strings.HasPrefix(got.Get("access_token"), "ghu_") || got.Get("expires_in") != "28800" || got.Get("scope") != "" || got.Get("refresh_token") == "" {
		t.Error(got)
	}
	l.now.Add(8 * 3600)
	if whose := l.whose(got.Get("access_token")); whose != "" {
		t.Error("still", whose)
	}
}

func TestAnAppGivesATokenBack(t *testing.T) {
	l := newOAuthLab(t, nil)
	said, _ := l.authorize()
	token := l.exchange("", "code", said.Get("code")).Get("access_token")
	for _, c := range []struct {
		secret string
		status int
	}{{"no", http.StatusNotFound}, {"shh", http.StatusNoContent}, {"shh", http.StatusNotFound}} {
		r, _ := http.NewRequest(http.MethodDelete, l.web.URL+"/applications/Ov1/token", strings.NewReader(`{"access_token":"`+token+`"}`))
		r.SetBasicAuth("Ov1", c.secret)
		resp, err := l.http.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != c.status {
			t.Error(resp.StatusCode, c)
		}
	}
	if l.whose(token) != "" {
		t.Error("the token goes on")
	}
}

func TestSomebodyIsAskedWhichAccountItIs(t *testing.T) {
	l := newOAuthLab(t, nil)
	l.gh.Browse("")
	resp, err := l.http.Get(l.web.URL + "/login/oauth/authorize?client_id=Ov1&state=st")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, _ := io.ReadAll(resp.Body)
	if !strings.Contains(string(text), ">ada<") || !strings.Contains(string(text), "as=bob") || resp.StatusCode != http.StatusOK {
		t.Error(resp.StatusCode, string(text))
	}
	said, _ := l.authorize("as", "bob")
	if whose := l.whose(l.exchange("", "code", said.Get("code")).Get("access_token")); whose != "bob" {
		t.Error(whose)
	}
}
