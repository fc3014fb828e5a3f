package githubsim

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A TokenKind is a sort of token, as GitHub's documentation lists them.
type TokenKind string

// The kinds of token. Installation tokens are made by the API itself.
const (
	ClassicToken      TokenKind = "classic"      // ghp_…; the zero Token is one
	FineGrainedToken  TokenKind = "fine-grained" // github_pat_…
	InstallationToken TokenKind = "installation" // ghs_…
)

// A Token is a credential and the state it is in. Put it again, or UpdateToken, to change the state.
type Token struct {
	Value string
	Name  string // shown in the call log instead of the value; "token of <user>" when empty
	Kind  TokenKind
	User  string // login of the account it acts for, as it is now

	Scopes []string // classic
	NoSSO  []string // classic: organizations with single sign-on that it has not been authorized for

	Organization string            // fine-grained: the one organization it may reach
	Permissions  map[string]string // fine-grained: "members" → "read" or "write"
	Pending      bool              // fine-grained: an owner has not approved it yet; it reads public things only

	Expires time.Time // zero: never
	Revoked bool

	installation int64
	userID       int64
	app          string // the client id of the OAuth app that it was made for
}

// PutToken makes the server accept a token, or replaces what it knows of one. It panics when the user does not exist.
func (s *Server) PutToken(t Token) {
	s.world.mu.RLock()
	t.userID = s.world.mustUser(t.User).id
	s.world.mu.RUnlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[t.Value] = t.named()
}

func (t Token) named() *Token {
	if t.Kind == "" {
		t.Kind = ClassicToken
	}
	if t.Name == "" {
		t.Name = "token of " + t.User
	}
	return &t
}

// UpdateToken changes the state of a token: let it expire, revoke it, take scopes away. It panics for a token nobody put.
func (s *Server) UpdateToken(value string, change func(*Token)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tokens[value]
	if t == nil {
		panic("githubsim: no such token")
	}
	change(t)
}

// An App is a GitHub App. Key verifies the JSON web tokens it signs.
type App struct {
	ID          int64
	Slug        string
	Owner       string // login of the account that owns the app
	Key         *rsa.PublicKey
	Permissions map[string]string

	// Of an App that was made from a manifest.
	Name     string // the slug when empty
	URL      string // of its home page
	SetupURL string // where somebody is led who has installed it
}

// ClientID is the other name that an App's tokens may carry as issuer.
func (a *App) ClientID() string { return fmt.Sprintf("Iv23li%014d", a.ID) }

// AddApp registers an App.
func (s *Server) AddApp(a App) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apps[a.ID] = &a
}

// An Installation is an App on one organization. Its permissions may lag behind what the App asks for.
type Installation struct {
	ID           int64 // dealt by Install
	App          int64
	Organization string            // login at the time of installing
	Permissions  map[string]string // the App's when nil
	Selected     bool              // of the organization's repositories only a selection
	Suspended    bool

	org     *Organization
	created time.Time
	since   time.Time // suspended since
}

// Install installs an App on an organization and returns the installation's id.
func (s *Server) Install(i Installation) int64 {
	i.org = s.world.Organization(i.Organization)
	s.mu.Lock()
	defer s.mu.Unlock()
	app := s.apps[i.App]
	if app == nil {
		panic(fmt.Sprintf("githubsim: no app %d", i.App))
	}
	if i.Permissions == nil {
		i.Permissions = maps.Clone(app.Permissions)
	}
	s.lastInstall++
	i.ID, i.created = s.lastInstall, s.now()
	s.installations[i.ID] = &i
	return i.ID
}

// UpdateInstallation changes an installation's state: suspend it, take permissions away.
func (s *Server) UpdateInstallation(id int64, change func(*Installation)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.installations[id]
	if i == nil {
		panic(fmt.Sprintf("githubsim: no installation %d", id))
	}
	change(i)
	if i.since.IsZero() && i.Suspended {
		i.since = s.now()
	} else if !i.Suspended {
		i.since = time.Time{}
	}
}

// Uninstall removes an installation. Its tokens answer 401 from then on.
func (s *Server) Uninstall(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.installations, id)
	maps.DeleteFunc(s.tokens, func(_ string, t *Token) bool { return t.installation == id })
}

// A credential is who is calling, as far as the Authorization header proves it.
type credential struct {
	token *Token        // a copy; nil without token
	user  *User         // nil for Apps and strangers
	app   *App          // an App with its own JSON web token
	inst  *Installation // a copy; an App on an organization
	addr  string
}

func (c credential) name() string {
	switch {
	case c.inst != nil:
		return fmt.Sprintf("installation %d", c.inst.ID)
	case c.app != nil:
		return fmt.Sprintf("app %d", c.app.ID)
	case c.token != nil:
		return c.token.Name
	}
	return "anonymous"
}

func (c credential) anonymous() bool { return c.token == nil && c.app == nil }

func (c credential) has(kind TokenKind) bool { return c.token != nil && c.token.Kind == kind }

// account is the key of the caller's limits: people share one over all their tokens.
func (c credential) account() string {
	switch {
	case c.inst != nil:
		return fmt.Sprint("installation:", c.inst.ID)
	case c.app != nil:
		return fmt.Sprint("app:", c.app.ID)
	case c.user != nil:
		return fmt.Sprint("user:", c.user.id)
	}
	return "address:" + c.addr
}

const lockout = 5 * time.Minute

// admit finds out who is calling. A wrong credential answers 401; many of them lock the address out with 403.
func (s *Server) admit(c *call) *problem {
	s.world.mu.RLock()
	defer s.world.mu.RUnlock()
	s.mu.Lock()
	defer s.mu.Unlock()

	c.cred.addr, c.admitted = c.address().String(), true
	value := presented(c.r.Header.Get("Authorization"))
	if value == "" {
		if c.r.Header.Get("Authorization") != "" {
			return s.badCredentials(c)
		}
		if !c.public() {
			return problemf(http.StatusUnauthorized, "This call needs a credential.")
		}
		return nil
	}
	if b := s.lockouts[c.cred.addr]; b != nil && b.open(c.now) && b.used >= s.opts.BadCredentials {
		return problemf(http.StatusForbidden, "Too many bad credentials came from this address. Try again later.")
	}
	if strings.Count(value, ".") == 2 {
		app, why := s.verify(value, c.now)
		if why != "" {
			_ = s.badCredentials(c) // counts it; the answer says what is wrong with the token
			return problemf(http.StatusUnauthorized, "The JSON web token is refused: %s.", why)
		}
		c.cred.app = app
		return nil
	}
	t := s.tokens[value]
	if t == nil && s.opts.Token != nil {
		if known, ok := s.opts.Token(value); ok {
			if u := s.world.userNamed(known.User); u != nil {
				known.Value, known.userID = value, u.id
				t = known.named()
				s.tokens[value] = t
			}
		}
	}
	if t == nil || t.Revoked || !t.Expires.IsZero() && !c.now.Before(t.Expires) {
		return s.badCredentials(c)
	}
	cp := *t
	if t.installation != 0 {
		inst := s.installations[t.installation]
		if inst == nil {
			return s.badCredentials(c)
		}
		i := *inst
		c.cred.inst = &i
	} else if c.cred.user = s.world.users[t.userID]; c.cred.user == nil {
		return s.badCredentials(c)
	}
	c.cred.token = &cp
	if t.Kind == ClassicToken {
		c.header.Set("X-OAuth-Scopes", strings.Join(t.Scopes, ", "))
		c.header.Set("X-Accepted-OAuth-Scopes", "")
	}
	if !t.Expires.IsZero() && t.installation == 0 {
		c.header.Set("GitHub-Authentication-Token-Expiration", t.Expires.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	return nil
}

// badCredentials counts towards the lock-out. GitHub says "several" within "a short period" and gives no figures.
func (s *Server) badCredentials(c *call) *problem {
	b := s.lockouts[c.cred.addr]
	if b == nil || !b.open(c.now) {
		b = &window{until: c.now.Add(lockout)}
		s.lockouts[c.cred.addr] = b
	}
	b.used++
	return problemf(http.StatusUnauthorized, "Bad credentials")
}

// presented takes the token out of an Authorization header: "Bearer T" and "token T" are equal, and a password is a token too.
func presented(header string) string {
	scheme, rest, _ := strings.Cut(header, " ")
	rest = strings.TrimSpace(rest)
	switch strings.ToLower(scheme) {
	case "bearer", "token":
		return rest
	case "basic":
		if b, err := base64.StdEncoding.DecodeString(rest); err == nil {
			_, password, _ := strings.Cut(string(b), ":")
			return password
		}
	}
	return ""
}

// public says whether the call may be made without a credential.
func (c *call) public() bool {
	switch c.Route {
	case "GET /meta", "GET /rate_limit", "GET /users/{username}", "GET /user/{account_id}", "GET /orgs/{org}", "GET /organizations/{org_id}":
		return !c.srv.opts.EnterpriseServer || c.Route == "GET /meta"
	case "POST /app-manifests/{code}/conversions":
		return true // the code is the credential
	}
	return c.Route == "" && !c.GraphQL
}

// verify checks an App's JSON web token: RS256, a known issuer, not from the future, at most ten minutes long.
func (s *Server) verify(jwt string, now time.Time) (app *App, why string) {
	parts := strings.Split(jwt, ".")
	var head struct {
		Alg string `json:"alg"`
	}
	var claims struct {
		Iss any     `json:"iss"`
		Iat float64 `json:"iat"`
		Exp float64 `json:"exp"`
	}
	sig, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || !unpack(parts[0], &head) || !unpack(parts[1], &claims) {
		return nil, "it cannot be decoded"
	}
	if head.Alg != "RS256" {
		return nil, "its algorithm is not RS256"
	}
	issuer, _ := claims.Iss.(string)
	if n, is := claims.Iss.(float64); is {
		issuer = strconv.FormatInt(int64(n), 10)
	}
	for _, a := range s.apps {
		if issuer == strconv.FormatInt(a.ID, 10) || issuer == a.ClientID() {
			app = a
		}
	}
	if app == nil {
		return nil, "its issuer is no app"
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if app.Key == nil || rsa.VerifyPKCS1v15(app.Key, crypto.SHA256, sum[:], sig) != nil {
		return nil, "its signature is wrong"
	}
	iat, exp := time.Unix(int64(claims.Iat), 0), time.Unix(int64(claims.Exp), 0)
	switch {
	case iat.After(now.Add(time.Minute)):
		return nil, "it was issued in the future"
	case !exp.After(now):
		return nil, "it has expired"
	case exp.After(now.Add(10*time.Minute + 30*time.Second)):
		return nil, "it expires more than ten minutes from now"
	}
	return app, ""
}

func unpack(part string, into any) bool {
	b, err := base64.RawURLEncoding.DecodeString(part)
	return err == nil && json.Unmarshal(b, into) == nil
}

// A need is what a route asks of a credential: one scope of a classic token, or one permission of the others.
type need struct {
	scopes     []string // any of them, the weakest first
	permission string
	level      string
}

var (
	nothing      = need{}
	readMembers  = need{[]string{"read:org", "write:org", "admin:org"}, "members", "read"}
	writeMembers = need{[]string{"write:org", "admin:org"}, "members", "write"}
	adminMembers = need{[]string{"admin:org"}, "members", "write"}
)

// satisfied says whether the credential has what is needed, apart from the person's own rights.
func (n need) satisfied(c credential) bool {
	if n.permission == "" {
		return true
	}
	switch {
	case c.inst != nil:
		return granted(c.token.Permissions, n) && granted(c.inst.Permissions, n)
	case c.has(FineGrainedToken):
		return !c.token.Pending && granted(c.token.Permissions, n)
	case c.has(ClassicToken):
		return slices.ContainsFunc(n.scopes, func(s string) bool { return slices.Contains(c.token.Scopes, s) })
	}
	return false
}

func granted(permissions map[string]string, n need) bool {
	level := permissions[n.permission]
	return level == n.level || level == "write" || level == "admin"
}

// enter checks a caller at an organization's door, in GitHub's order: address, policy, single sign-on, permission.
func (c *call) enter(o *Organization, n need) *problem {
	if !o.admits(c.address()) {
		return problemf(http.StatusForbidden, "The organization `%s` has an IP allow list enabled, and this address is not on it.", o.login)
	}
	cred := c.cred
	switch {
	case cred.anonymous():
		if n.permission != "" {
			return problemf(http.StatusUnauthorized, "This call needs a credential.")
		}
	case cred.has(ClassicToken):
		if o.noClassic {
			return problemf(http.StatusForbidden, "The organization `%s` forbids access by personal access tokens (classic).", o.login)
		}
		if slices.ContainsFunc(cred.token.NoSSO, func(login string) bool { return c.w.orgNamed(login) == o }) {
			p := problemf(http.StatusForbidden, "The organization `%s` has SAML single sign-on, and this token has not been authorized for it.", o.login)
			p.header = http.Header{"X-Github-Sso": {fmt.Sprintf("required; url=https://github.com/orgs/%s/sso?authorization_request=SIMULATED%d", o.login, c.N)}}
			return p
		}
		if n.permission != "" {
			c.header.Set("X-Accepted-OAuth-Scopes", strings.Join(slices.Sorted(slices.Values(n.scopes)), ", "))
		}
	case cred.has(FineGrainedToken):
		if c.w.orgNamed(cred.token.Organization) != o && n.permission != "" {
			return problemf(http.StatusForbidden, "This personal access token was not made for the organization `%s`.", o.login)
		}
	case cred.inst != nil:
		if cred.inst.Suspended {
			return problemf(http.StatusForbidden, "This installation has been suspended.")
		}
		if cred.inst.org != o && n.permission != "" {
			return problemf(http.StatusForbidden, "The app is not installed on the organization `%s`.", o.login)
		}
	}
	if !n.satisfied(cred) {
		if n.permission != "" && !cred.has(ClassicToken) {
			c.header.Set("X-Accepted-GitHub-Permissions", n.permission+"="+n.level)
		}
		p := problemf(http.StatusForbidden, "The credential lacks what this call needs: scope %s, or permission %s:%s.", n.scopes[0], n.permission, n.level)
		p.scope = cred.has(ClassicToken)
		return p
	}
	return nil
}

// rules says whether the caller has an owner's rights: an owner with a token, or an App whose permission let it in.
func (c *call) rules(o *Organization) bool {
	if c.cred.inst != nil {
		return c.cred.inst.org == o
	}
	return o.isOwner(c.cred.user)
}

func (c *call) belongs(o *Organization) bool { return c.rules(o) || o.isMember(c.cred.user) }

// maintains says whether the caller may change a team's members.
func (c *call) maintains(t *Team) bool {
	if c.rules(t.org) {
		return true
	}
	if c.cred.user == nil {
		return false
	}
	role, _ := t.members.get(c.cred.user.id)
	return role == Maintainer
}

// sees says whether the caller may know of the team.
func (c *call) sees(t *Team) bool {
	if c.rules(t.org) {
		return true
	}
	return c.belongs(t.org) && (!t.secret || c.cred.user != nil && t.roleOf(c.cred.user) != "")
}
