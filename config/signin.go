package config

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"musterline.example/internal/document"
	"musterline.example/setting"
)

// A SignIn says how people sign in to the console. A link from the command line always lets them in.
type SignIn struct {
	OIDC     *OIDC         // nil: not with the identity provider
	GitHub   *GitHubSignIn // nil: not with GitHub
	Idle     time.Duration // a session ends that was not used for so long
	Lifetime time.Duration // and every session after so long
}

// An OIDC is an identity provider that vouches for people by OpenID Connect.
type OIDC struct {
	Issuer       string
	ClientID     string
	ClientSecret setting.Secret
	Name         string // for people
	Scopes       []string
	CAFile       string // absolute; empty: the system's

	// Which user of which source a person is: the one whose Matches is what the Claim says. Without a Source nobody is any.
	Source  string
	Claim   string
	Matches string // MatchID, MatchUsername or MatchEmail
}

// What of a user a claim is held against.
const (
	MatchID       = "id"
	MatchUsername = "username"
	MatchEmail    = "email"
)

// A GitHubSignIn is an OAuth App or a GitHub App by which people show which account is theirs.
type GitHubSignIn struct {
	ClientID     string
	ClientSecret setting.Secret
	URL          string // of the web site, without a slash at its end
	APIURL       string // of the API that belongs to it, without a slash at its end
}

var signInFields = []setting.Field{
	{Key: "idle", Type: setting.Duration, Default: "8h", Help: "A session ends that was not used for so long."},
	{Key: "lifetime", Type: setting.Duration, Default: "168h", Help: "Every session ends after so long, used or not."},
}

var oidcFields = []setting.Field{
	{Key: "issuer", Type: setting.URL, Required: true, Example: "https://idp.example.com", Help: "The issuer, exactly as the provider writes it: its configuration lies at ISSUER/.well-known/openid-configuration."},
	{Key: "client_id", Type: setting.Text, Required: true, Example: "musterline", Help: "The id of the client that was made for this server at the provider."},
	{Key: "client_secret", Type: setting.SecretValue, Required: true, Help: "Its secret."},
	{Key: "name", Type: setting.Text, Default: "Single sign-on", Help: "What people know the provider by: it stands on the button."},
	{Key: "scopes", Type: setting.List, Example: "[openid, profile, email]", Help: "What is asked of the provider; openid, profile and email when not set."},
	{Key: "ca_file", Type: setting.Path, Example: "idp-ca.pem", Help: "Certificates to trust beside the system's."},
	{Key: "source", Type: setting.Text, Example: "corp", Help: "The source whose users sign in here: for linking oneself, and for roles that groups have. Without it a person is no user."},
	{Key: "claim", Type: setting.Text, Default: "sub", Example: "preferred_username", Help: "The claim that says which user of the source a person is. It must be one that people cannot set themselves."},
	{Key: "matches", Type: setting.Choice, Choices: []string{MatchID, MatchUsername, MatchEmail}, Default: MatchID, Help: "What of the user the claim is held against."},
}

var githubSignInFields = []setting.Field{
	{Key: "client_id", Type: setting.Text, Required: true, Example: "Ov23liExample", Help: "The client id of an OAuth App or of a GitHub App."},
	{Key: "client_secret", Type: setting.SecretValue, Required: true, Help: "A client secret of it."},
	{Key: "url", Type: setting.URL, Default: "https://github.com", Example: "https://github.example.com", Help: "The web site of the GitHub that people sign in to."},
	{Key: "api_url", Type: setting.URL, Default: "https://api.github.com", Example: "https://github.example.com/api/v3", Help: "The API that belongs to it, as on a target."},
}

// signIn reads how people sign in. It is read after the sources, which it refers to.
func (l *loader) signIn(server *section) {
	s := l.section("server.sign_in", server.child("sign_in"), signInFields, "oidc", "github")
	in := SignIn{Idle: s.values.Duration("idle"), Lifetime: s.values.Duration("lifetime")}
	if s.positive("idle") && s.positive("lifetime") && in.Idle > in.Lifetime {
		s.says("idle", "is longer than server.sign_in.lifetime (%s)", in.Lifetime)
	}
	if n := s.node.Get("oidc"); n != nil {
		in.OIDC = l.oidc(n)
	}
	if n := s.node.Get("github"); n != nil {
		o := l.section("server.sign_in.github", n, githubSignInFields)
		o.webURL("url")
		o.webURL("api_url")
		in.GitHub = &GitHubSignIn{
			ClientID: o.values.Text("client_id"), ClientSecret: o.values.Secret("client_secret"),
			URL: strings.TrimRight(o.values.Text("url"), "/"), APIURL: strings.TrimRight(o.values.Text("api_url"), "/"),
		}
		for _, key := range []string{"url", "api_url"} {
			if o.fine(key) && !safe(o.values.Text(key)) {
				o.says(key, "must begin with https://: the client secret is sent there")
			}
		}
	}
	l.config.Server.SignIn = in
	if in.OIDC == nil && in.GitHub == nil || server.bad["external_url"] {
		return
	}
	switch address := l.config.Server.ExternalURL; {
	case address == "":
		server.says("external_url", "is not set, and people who sign in are sent back to it")
	case !safe(address):
		server.says("external_url", "must begin with https:// where people sign in: browsers keep no session otherwise, except on this machine (http://localhost)")
	}
}

func (l *loader) oidc(n *document.Node) *OIDC {
	s := l.section("server.sign_in.oidc", n, oidcFields)
	o := &OIDC{
		Issuer: s.values.Text("issuer"), ClientID: s.values.Text("client_id"), ClientSecret: s.values.Secret("client_secret"), Name: s.values.Text("name"),
		CAFile: s.values.Text("ca_file"), Source: s.values.Text("source"), Claim: s.values.Text("claim"), Matches: s.values.Text("matches"),
		Scopes: []string{"openid", "profile", "email"},
	}
	s.webURL("issuer")
	if s.fine("issuer") && !safe(o.Issuer) {
		s.says("issuer", "must begin with https://: what it says of people is believed")
	}
	if s.fine("scopes") {
		if o.Scopes = s.values.List("scopes"); !slices.Contains(o.Scopes, "openid") {
			s.says("scopes", "must hold openid: without it the provider does not say who has signed in")
		}
	}
	if _, known := l.config.Sources[o.Source]; s.fine("source") && !known {
		s.says("source", "%q: there is no source of that name%s", s.written("source"), setting.DidYouMean(o.Source, l.sourceNames()))
	}
	for _, key := range []string{"claim", "matches"} {
		if s.node.Get(key) != nil && s.node.Get("source") == nil {
			s.says(key, "goes with source: it says which of its users a person is")
		}
	}
	return o
}

// safe reports whether what is sent to an address can be read by nobody on the way: HTTPS, or this very machine.
func safe(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "https" || Loopback(u.Host))
}

// Loopback reports whether a host, with or without a port, is this machine.
func Loopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}
