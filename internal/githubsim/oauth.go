package githubsim

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// An OAuthApp lets people sign in elsewhere with their account here: an OAuth App, or a GitHub App with its user tokens.
//
// Source: GitHub's "Authorizing OAuth apps", "Generating a user access token for a GitHub App", and "Troubleshooting" of both.
type OAuthApp struct {
	ClientID string
	Secret   string
	Name     string   // for people
	Callback string   // the registered one; redirect_uri must be it, or lie below it
	Scopes   []string // that people grant at the most; nil: whatever is asked

	GitHubApp bool // tokens are a GitHub App's: ghu_…, for eight hours, with a token to refresh them
	Suspended bool // GitHub has suspended it
	Denied    bool // people say no
}

// code is a grant on its way.
type oauthCode struct {
	app       string
	user      int64
	redirect  string
	challenge string
	scopes    []string
	until     time.Time
}

// AddOAuthApp registers an app, or replaces it.
func (s *Server) AddOAuthApp(a OAuthApp) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.oauthApps[a.ClientID] = &a
}

// Browse says whose browser comes to the web pages: that account consents at once to whatever an app asks. With no login, and at first, a page
// asks which account it is.
func (s *Server) Browse(login string) {
	if login != "" {
		s.world.mu.RLock()
		s.world.mustUser(login)
		s.world.mu.RUnlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.browses = login
}

// isWeb says whether a path is one of those that take no credential of the API.
func isWeb(path string) bool {
	return strings.HasPrefix(path, "/login/oauth/") || strings.HasPrefix(path, "/applications/")
}

func (s *Server) serveWeb(c *call) reply {
	switch c.Route = c.Method + " " + c.Path; {
	case c.Route == "GET /login/oauth/authorize":
		return s.authorize(c)
	case c.Route == "POST /login/oauth/access_token":
		return s.accessToken(c)
	case c.Method == http.MethodDelete && strings.HasSuffix(c.Path, "/token"):
		return s.deleteToken(c)
	}
	c.Route = ""
	return notFound().reply()
}

func webPage(status int, text string) reply {
	return reply{status: status, raw: []byte(text), web: true, header: http.Header{"Content-Type": {"text/html; charset=utf-8"}}}
}

// authorize is where a browser is sent to.
func (s *Server) authorize(c *call) reply {
	q := c.r.URL.Query()
	s.mu.Lock()
	app := s.oauthApps[q.Get("client_id")]
	login := s.browses
	s.mu.Unlock()
	if app == nil {
		return webPage(http.StatusNotFound, "<!doctype html><title>Page not found</title><h1>404</h1>")
	}
	back := cmp.Or(q.Get("redirect_uri"), app.Callback)
	refuse := func(to, code, description string) reply {
		return goBack(to, url.Values{
			"error": {code}, "error_description": {description}, "error_uri": {docs + "/troubleshooting"}, "state": {q.Get("state")},
		})
	}
	switch {
	case app.Suspended:
		return refuse(app.Callback, "application_suspended", "Your application has been suspended. Contact support@github.com.")
	case !below(app.Callback, back):
		return refuse(app.Callback, "redirect_uri_mismatch", "The redirect_uri MUST match the registered callback URL for this application.")
	case q.Get("code_challenge") != "" && q.Get("code_challenge_method") != "S256":
		return refuse(back, "invalid_request", "Only S256 is a code challenge method here.")
	}
	if as := q.Get("as"); as != "" {
		login = as // somebody was chosen on the page below
	} else if login == "" || q.Get("prompt") == "select_account" && s.asks() {
		return s.chooser(c, app)
	}
	s.world.mu.RLock()
	user := s.world.userNamed(login)
	s.world.mu.RUnlock()
	switch {
	case user == nil:
		return webPage(http.StatusNotFound, "<!doctype html><title>Nobody</title><h1>There is no such account</h1>")
	case app.Denied:
		return refuse(back, "access_denied", "The user has denied your application access.")
	}
	scopes := strings.FieldsFunc(q.Get("scope"), func(r rune) bool { return r == ' ' || r == ',' })
	if app.Scopes != nil {
		scopes = slices.DeleteFunc(scopes, func(one string) bool { return !slices.Contains(app.Scopes, one) })
	}
	code := strings.ToLower(rand.Text())[:20]
	s.mu.Lock()
	s.oauthCodes[code] = oauthCode{
		app: app.ClientID, user: user.id, redirect: q.Get("redirect_uri"), challenge: q.Get("code_challenge"), scopes: scopes, until: c.now.Add(10 * time.Minute),
	}
	s.mu.Unlock()
	return goBack(back, url.Values{"code": {code}, "state": {q.Get("state")}})
}

// asks says whether somebody stands before the pages who can choose: not when an account was set.
func (s *Server) asks() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.browses == ""
}

// goBack sends the browser to an app, with what it is told beside its own parameters.
func goBack(to string, values url.Values) reply {
	u, err := url.Parse(to)
	if err != nil {
		return webPage(http.StatusNotFound, "<!doctype html><title>Page not found</title><h1>404</h1>")
	}
	q := u.Query()
	for key, value := range values {
		if value[0] != "" {
			q[key] = value
		}
	}
	u.RawQuery = q.Encode()
	return reply{status: http.StatusFound, web: true, header: http.Header{"Location": {u.String()}}}
}

// below says whether an address is a registered one or lies below it. On this machine the port is free, as RFC 8252 has it.
func below(registered, address string) bool {
	r, err := url.Parse(registered)
	a, bad := url.Parse(address)
	if err != nil || bad != nil || r.Scheme != a.Scheme || r.Hostname() != a.Hostname() || a.User != nil {
		return false
	}
	if r.Port() != a.Port() && r.Hostname() != "127.0.0.1" && r.Hostname() != "[::1]" {
		return false
	}
	return a.Path == r.Path || strings.HasPrefix(a.Path, strings.TrimSuffix(r.Path, "/")+"/")
}

var chooserPage = template.Must(template.New("chooser").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Sign in to the simulated GitHub</title>
<style>body{font:14px/1.5 system-ui,sans-serif;max-width:340px;margin:48px auto;padding:0 16px}ul{list-style:none;padding:0}
a{display:block;padding:6px 12px;margin:4px 0;border:1px solid #d1d9e0;border-radius:6px;text-decoration:none;color:inherit}</style></head>
<body><h1>Simulated GitHub</h1><p><strong>{{.App}}</strong> wants to know who you are. Sign in as:</p>
<ul>{{range .People}}<li><a href="{{.Address}}">{{.Login}}{{with .Name}} ({{.}}){{end}}</a></li>
{{end}}</ul></body></html>
`))

// chooser asks which account it is.
func (s *Server) chooser(c *call, app *OAuthApp) reply {
	type one struct{ Login, Name, Address string }
	var people []one
	q := c.r.URL.Query()
	s.world.mu.RLock()
	for _, u := range s.world.users {
		q.Set("as", u.login)
		people = append(people, one{u.login, u.name, "?" + q.Encode()})
	}
	s.world.mu.RUnlock()
	slices.SortFunc(people, func(a, b one) int { return strings.Compare(a.Login, b.Login) })
	var b strings.Builder
	_ = chooserPage.Execute(&b, map[string]any{"App": cmp.Or(app.Name, app.ClientID), "People": people}) // into memory
	return webPage(http.StatusOK, b.String())
}

// accessToken changes a code for a token. What is wrong is told with 200, as GitHub does.
func (s *Server) accessToken(c *call) reply {
	in := c.form()
	s.world.mu.RLock()
	defer s.world.mu.RUnlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	app := s.oauthApps[in.Get("client_id")]
	if app == nil || subtle.ConstantTimeCompare([]byte(app.Secret), []byte(in.Get("client_secret"))) != 1 {
		return c.said(url.Values{"error": {"incorrect_client_credentials"}, "error_description": {"The client_id and/or client_secret passed are incorrect."}})
	}
	grant, known := s.oauthCodes[in.Get("code")]
	delete(s.oauthCodes, in.Get("code")) // once, whatever comes of it
	sum := sha256.Sum256([]byte(in.Get("code_verifier")))
	user := s.world.users[grant.user]
	switch {
	case !known, grant.app != app.ClientID, !c.now.Before(grant.until), user == nil,
		grant.challenge != "" && base64.RawURLEncoding.EncodeToString(sum[:]) != grant.challenge:
		return c.said(url.Values{"error": {"bad_verification_code"}, "error_description": {"The code passed is incorrect or expired."}})
	case in.Get("redirect_uri") != "" && in.Get("redirect_uri") != grant.redirect:
		return c.said(url.Values{
			"error": {"redirect_uri_mismatch"}, "error_description": {"The redirect_uri MUST match the registered callback URL for this application."},
		})
	}
	t := Token{Value: "gho_" + rand.Text(), Name: "token of " + user.login + " for " + cmp.Or(app.Name, app.ClientID), User: user.login, Scopes: grant.scopes, userID: user.id, app: app.ClientID}
	said := url.Values{"token_type": {"bearer"}, "scope": {strings.Join(grant.scopes, ",")}}
	if app.GitHubApp {
		t.Value, t.Scopes, t.Expires = "ghu_"+rand.Text(), nil, c.now.Add(8*time.Hour)
		said = url.Values{
			"token_type": {"bearer"}, "scope": {""}, "expires_in": {"28800"}, "refresh_token": {"ghr_" + rand.Text()}, "refresh_token_expires_in": {"15897600"},
		}
	}
	said.Set("access_token", t.Value)
	s.tokens[t.Value] = t.named()
	return c.said(said)
}

// form reads what was posted, as a form or as JSON.
func (c *call) form() url.Values {
	if strings.HasPrefix(c.r.Header.Get("Content-Type"), "application/json") {
		in := map[string]string{}
		_ = json.Unmarshal(c.body, &in) // what cannot be read is missing
		all := url.Values{}
		for key, value := range in {
			all.Set(key, value)
		}
		return all
	}
	in, _ := url.ParseQuery(string(c.body))
	for key, value := range c.r.URL.Query() {
		if !in.Has(key) {
			in[key] = value
		}
	}
	return in
}

// said answers as a form, which is the default, or as JSON for who accepts it.
func (c *call) said(values url.Values) reply {
	if !strings.Contains(c.r.Header.Get("Accept"), "application/json") {
		return reply{status: http.StatusOK, raw: []byte(values.Encode()), web: true, header: http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}}}
	}
	all := object{}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		var value any = values.Get(key)
		if strings.HasSuffix(key, "expires_in") {
			value = number(values.Get(key))
		}
		all = append(all, entry{key, value})
	}
	return reply{status: http.StatusOK, body: all, web: true, header: http.Header{"Content-Type": {"application/json; charset=utf-8"}}}
}

// deleteToken is how an app gives a token back: DELETE /applications/{client_id}/token, with its own name and secret.
func (s *Server) deleteToken(c *call) reply {
	c.Route = "DELETE /applications/{client_id}/token"
	id, secret, _ := c.r.BasicAuth()
	named, _, _ := strings.Cut(strings.TrimPrefix(c.Path, "/applications/"), "/")
	s.mu.Lock()
	defer s.mu.Unlock()
	app := s.oauthApps[id]
	if app == nil || id != named || subtle.ConstantTimeCompare([]byte(app.Secret), []byte(secret)) != 1 {
		return notFound().reply()
	}
	var in struct {
		Token string `json:"access_token"`
	}
	if json.Unmarshal(c.body, &in) != nil {
		return invalid("OauthAccess", "access_token", "missing_field", "access_token is missing").reply()
	}
	t := s.tokens[in.Token]
	if t == nil || t.app != id {
		return notFound().reply()
	}
	delete(s.tokens, in.Token)
	return reply{status: http.StatusNoContent, web: true}
}
