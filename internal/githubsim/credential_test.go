package githubsim_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"musterline.example/internal/githubsim"
)

const teamsQuery = `{ organization(login: "acme") { teams(first: 1) { totalCount } } }`

// kinds returns the types of GraphQL errors.
func kinds(errs []any) (kinds []string) {
	for _, e := range errs {
		kind, _ := at(e, "type").(string)
		kinds = append(kinds, kind)
	}
	return kinds
}

// Every state that a connection can be in, and how it shows in REST and GraphQL.
func TestStatesOfATokenShow(t *testing.T) {
	const value = "ghp_state"
	expired := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	members := map[string]string{"members": "read"}
	for name, c := range map[string]struct {
		token   githubsim.Token
		arrange func(*lab)
		status  int
		header  string // that the REST answer has
		graphql int
		kind    string
	}{
		"classic":               {token: githubsim.Token{User: "ann", Scopes: []string{"read:org"}}, status: 200, header: "X-Oauth-Scopes", graphql: 200},
		"expiring":              {token: githubsim.Token{User: "ann", Scopes: []string{"read:org"}, Expires: expired.AddDate(1, 0, 0)}, status: 200, header: "Github-Authentication-Token-Expiration", graphql: 200},
		"expired":               {token: githubsim.Token{User: "ann", Scopes: []string{"read:org"}, Expires: expired}, status: 401, graphql: 401},
		"revoked":               {token: githubsim.Token{User: "ann", Revoked: true}, status: 401, graphql: 401},
		"scope missing":         {token: githubsim.Token{User: "ann", Scopes: []string{"repo"}}, status: 403, graphql: 200, kind: "INSUFFICIENT_SCOPES"},
		"sso unauthorized":      {token: githubsim.Token{User: "ann", Scopes: []string{"read:org"}, NoSSO: []string{"acme"}}, status: 403, header: "X-Github-Sso", graphql: 200, kind: "FORBIDDEN"},
		"ip blocked":            {token: githubsim.Token{User: "ann", Scopes: []string{"read:org"}}, arrange: func(l *lab) { l.acme.AllowAddresses("192.0.2.0/24") }, status: 403, graphql: 200, kind: "FORBIDDEN"},
		"ip allowed":            {token: githubsim.Token{User: "ann", Scopes: []string{"read:org"}}, arrange: func(l *lab) { l.acme.AllowAddresses("127.0.0.0/8", "::1/128") }, status: 200, graphql: 200},
		"classic forbidden":     {token: githubsim.Token{User: "ann", Scopes: []string{"read:org"}}, arrange: func(l *lab) { l.acme.ForbidClassicTokens(true) }, status: 403, graphql: 200, kind: "FORBIDDEN"},
		"fine-grained":          {token: githubsim.Token{Kind: githubsim.FineGrainedToken, User: "ann", Organization: "acme", Permissions: members}, arrange: func(l *lab) { l.acme.ForbidClassicTokens(true) }, status: 200, graphql: 200},
		"pending approval":      {token: githubsim.Token{Kind: githubsim.FineGrainedToken, User: "ann", Organization: "acme", Permissions: members, Pending: true}, status: 403, graphql: 200, kind: "FORBIDDEN"},
		"permission missing":    {token: githubsim.Token{Kind: githubsim.FineGrainedToken, User: "ann", Organization: "acme"}, status: 403, header: "X-Accepted-Github-Permissions", graphql: 200, kind: "FORBIDDEN"},
		"another organization":  {token: githubsim.Token{Kind: githubsim.FineGrainedToken, User: "ann", Organization: "other", Permissions: members}, status: 403, graphql: 200, kind: "FORBIDDEN"},
		"account gone":          {token: githubsim.Token{User: "dee", Scopes: []string{"read:org"}}, arrange: func(l *lab) { l.gh.World().User("dee").Delete() }, status: 401, graphql: 401},
		"account not a member":  {token: githubsim.Token{User: "eve", Scopes: []string{"read:org"}}, status: 403, graphql: 200},
		"account left the team": {token: githubsim.Token{User: "cy", Scopes: []string{"read:org"}}, status: 200, graphql: 200},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			c.token.Value = value
			l.gh.PutToken(c.token)
			if c.arrange != nil {
				c.arrange(l)
			}
			a := l.want(c.status, "GET", "/orgs/acme/teams", "", "Authorization: Bearer "+value)
			if c.header != "" && a.Header.Get(c.header) == "" {
				t.Errorf("%s is missing: %v", c.header, a.Header)
			}
			b, _ := json.Marshal(map[string]any{"query": teamsQuery})
			g := l.want(c.graphql, "POST", "/graphql", string(b), "Authorization: Bearer "+value)
			if c.graphql == 200 {
				errs, _ := g.object(t)["errors"].([]any)
				if got := strings.Join(kinds(errs), " "); got != c.kind {
					t.Errorf("GraphQL errors %q, want %q: %s", got, c.kind, g.body)
				}
			}
		})
	}
}

func TestListsOverOrganizationsHideWithoutSSO(t *testing.T) {
	l := newLab(t)
	l.gh.World().AddOrganization("beta", "ann")
	l.gh.UpdateToken(annToken, func(t *githubsim.Token) { t.NoSSO = []string{"beta"} })
	a := l.want(200, "GET", "/user/orgs", "")
	equal(t, "organizations", field(t, a, "login"), []string{"acme"})
	equal(t, "header", a.Header.Get("X-GitHub-SSO"), fmt.Sprintf("partial-results; organizations=%d", l.acme.ID()+1))
}

func TestManyBadCredentialsLockOut(t *testing.T) {
	l := newLab(t, func(o *githubsim.Options) { o.BadCredentials = 3 })
	for range 3 {
		l.want(401, "GET", "/user", "", "Authorization: Bearer wrong")
	}
	l.want(403, "GET", "/user", "")
	l.clock.Advance(6 * time.Minute)
	l.want(200, "GET", "/user", "")
	l.want(200, "GET", "/user", "", "Authorization: Basic "+base64.StdEncoding.EncodeToString([]byte("x:"+annToken)))
}

func jwt(t *testing.T, key *rsa.PrivateKey, issuer any, iat, exp time.Time) string {
	t.Helper()
	part := func(v any) string { b, _ := json.Marshal(v); return base64.RawURLEncoding.EncodeToString(b) }
	head := part(map[string]string{"alg": "RS256", "typ": "JWT"}) + "." + part(map[string]any{"iss": issuer, "iat": iat.Unix(), "exp": exp.Unix()})
	sum := sha256.Sum256([]byte(head))
	sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return head + "." + base64.RawURLEncoding.EncodeToString(sig)
}

func TestAppsActThroughInstallations(t *testing.T) {
	l := newLab(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	app := githubsim.App{ID: 77, Slug: "keeper", Owner: "ann", Key: &key.PublicKey, Permissions: map[string]string{"members": "write"}}
	l.gh.AddApp(app)
	id := l.gh.Install(githubsim.Installation{App: 77, Organization: "acme"})
	now := l.clock.Now()
	good := "Authorization: Bearer " + jwt(t, key, "77", now.Add(-time.Minute), now.Add(9*time.Minute))
	other, _ := rsa.GenerateKey(rand.Reader, 2048)
	for name, bad := range map[string]string{
		"expired":   jwt(t, key, "77", now.Add(-20*time.Minute), now.Add(-time.Minute)),
		"too long":  jwt(t, key, "77", now, now.Add(time.Hour)),
		"future":    jwt(t, key, "77", now.Add(5*time.Minute), now.Add(9*time.Minute)),
		"other key": jwt(t, other, "77", now, now.Add(9*time.Minute)),
		"other app": jwt(t, key, "78", now, now.Add(9*time.Minute)),
	} {
		if a := l.do("GET", "/app", "", "Authorization: Bearer "+bad); a.StatusCode != 401 {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.body)
		}
	}
	equal[any](t, "app", l.want(200, "GET", "/app", "", good).object(t)["slug"], "keeper")
	l.want(200, "GET", "/app", "", "Authorization: Bearer "+jwt(t, key, app.ClientID(), now, now.Add(9*time.Minute)))
	l.want(200, "GET", "/app/installations", "", good)
	l.want(200, "GET", "/orgs/acme/installation", "", good)
	l.want(401, "GET", "/app", "")
	l.want(403, "GET", "/orgs/acme/teams", "", good)

	tokens := fmt.Sprintf("/app/installations/%d/access_tokens", id)
	minted := l.want(201, "POST", tokens, "", good).object(t)
	inst := "Authorization: token " + minted["token"].(string)
	l.acme.AddTeam("Ops")
	l.want(200, "PUT", "/orgs/acme/teams/ops/memberships/bob", "", inst)
	a := l.want(201, "POST", "/orgs/acme/teams", `{"name":"Made by an app"}`, inst)
	equal(t, "limit", a.Header.Get("X-RateLimit-Limit"), "15000")
	equal(t, "an app joins no team", len(l.acme.Team("made-by-an-app").Members()), 0)
	l.want(403, "GET", "/user", "", inst)
	l.acme.EnableSAML("idp", "https://idp.example.org")
	data, errs := l.query(`{ viewer { login } organization(login: "acme") { viewerCanAdminister samlIdentityProvider { issuer } } }`, nil, inst)
	if len(errs) > 0 || at(data, "organization.samlIdentityProvider.issuer") != "idp" {
		t.Error(data, errs)
	}

	weak := l.want(201, "POST", tokens, `{"permissions":{"members":"read"}}`, good).object(t)["token"].(string)
	l.want(403, "DELETE", "/orgs/acme/teams/ops/memberships/bob", "", "Authorization: token "+weak)
	l.want(422, "POST", tokens, `{"permissions":{"administration":"write"}}`, good)
	l.gh.UpdateInstallation(id, func(i *githubsim.Installation) { i.Permissions = map[string]string{"members": "read"} })
	l.want(403, "PUT", "/orgs/acme/teams/ops/memberships/bob", "", inst)

	l.gh.UpdateInstallation(id, func(i *githubsim.Installation) { i.Suspended = true; i.Selected = true })
	l.want(403, "GET", "/orgs/acme/teams", "", inst)
	l.want(403, "POST", tokens, "", good)
	shown := l.want(200, "GET", fmt.Sprintf("/app/installations/%d", id), "", good).object(t)
	if shown["suspended_at"] == nil || shown["repository_selection"] != "selected" {
		t.Error(shown)
	}
	l.gh.UpdateInstallation(id, func(i *githubsim.Installation) { i.Suspended = false })
	l.clock.Advance(time.Hour)
	l.want(401, "GET", "/orgs/acme/teams", "", inst)
	l.gh.Uninstall(id)
	now = l.clock.Now()
	l.want(404, "GET", "/orgs/acme/installation", "", "Authorization: Bearer "+jwt(t, key, 77, now, now.Add(9*time.Minute)))
}
