package signin

import (
	"context"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"musterline.example/api/access"
	"musterline.example/config"
)

// skew is how far the clocks of this server and of a provider may differ.
const skew = 2 * time.Minute

// rediscover is how long what a provider says of itself is taken for true. Its keys are asked for when one is not known.
const rediscover = time.Hour

// providers opens the doors that are configured. It calls nobody.
func (s *SignIn) providers() error {
	if c := s.SignIn.OIDC; c != nil {
		client, err := outside(c.CAFile)
		if err != nil {
			return fmt.Errorf("server.sign_in.oidc.ca_file: %w", err)
		}
		s.oidc = &oidcDoor{OIDC: *c, s: s, http: client}
		s.mux.HandleFunc("GET "+Prefix+"/oidc", s.oidc.begin)
		s.mux.HandleFunc("GET "+Prefix+"/oidc/callback", s.oidc.end)
	}
	if c := s.SignIn.GitHub; c != nil {
		client, err := outside("")
		if err != nil {
			return err
		}
		if s.github, err = newGitHubDoor(s, *c, client); err != nil {
			return err
		}
		s.mux.HandleFunc("GET "+Prefix+"/github", s.github.begin)
		s.mux.HandleFunc("GET "+Prefix+"/github/callback", s.github.end)
	}
	return nil
}

// outside returns who asks providers: no longer than they may take, no further than they were asked, and reading no more than an answer can hold.
func outside(caFile string) (*http.Client, error) {
	transport, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		transport = &http.Transport{Proxy: http.ProxyFromEnvironment}
	}
	transport = transport.Clone()
	transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if caFile != "" {
		text, err := os.ReadFile(caFile)
		if err != nil {
			return nil, err
		}
		roots, err := x509.SystemCertPool()
		if err != nil {
			roots = x509.NewCertPool()
		}
		if !roots.AppendCertsFromPEM(text) {
			return nil, errors.New("the file holds no certificate")
		}
		transport.TLSClientConfig.RootCAs = roots
	}
	return &http.Client{
		Transport: bounded{transport}, Timeout: patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// longestAnswer is how many bytes of an answer are read.
const longestAnswer = 1 << 20

// bounded reads no more of an answer than it can reasonably hold.
type bounded struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, longestAnswer), resp.Body}
	}
	return resp, err
}

// An oidcDoor lets in whom the identity provider vouches for (OpenID Connect Core 1.0, authorization code flow with PKCE).
type oidcDoor struct {
	config.OIDC

	s    *SignIn
	http *http.Client
	seen atomic.Pointer[discovered]

	asking sync.Mutex // held by the one who asks the provider where its doors are
	failed error      // what came of it when that was asked last; nil: it has said so, or was not asked
	at     time.Time  // when it failed
}

// remembered is how long a provider that could not be asked is not asked again: whoever wants in meanwhile is told the same at once.
const remembered = 3 * time.Second

// discovered is what the provider says of itself.
type discovered struct {
	*oidc.Provider

	at   time.Time
	auth oauth2.AuthStyle
	iss  bool // it names itself when it sends people back (RFC 9207)
}

// discover asks the provider where its doors are, unless it has said so lately, or could not be asked a moment ago. One asks, and the others who
// want in wait for what comes of it.
func (d *oidcDoor) discover(ctx context.Context) (*discovered, error) {
	if found := d.seen.Load(); found != nil && d.s.Now().Sub(found.at) < rediscover {
		return found, nil
	}
	d.asking.Lock()
	defer d.asking.Unlock()
	if found := d.seen.Load(); found != nil && d.s.Now().Sub(found.at) < rediscover {
		return found, nil
	}
	if d.failed != nil && d.s.Now().Sub(d.at) < remembered {
		return nil, d.failed
	}
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), patience) // others wait for the answer too
	defer done()
	found, err := d.introduced(ctx)
	d.failed, d.at = err, d.s.Now()
	if err != nil {
		return nil, err
	}
	d.seen.Store(found)
	return found, nil
}

// introduced asks the provider where its doors are.
func (d *oidcDoor) introduced(ctx context.Context) (*discovered, error) {
	p, err := oidc.NewProvider(oidc.ClientContext(ctx, d.http), d.Issuer)
	if err != nil {
		return nil, err
	}
	var says struct {
		Auth []string `json:"token_endpoint_auth_methods_supported"`
		Iss  bool     `json:"authorization_response_iss_parameter_supported"`
	}
	if err := p.Claims(&says); err != nil {
		return nil, err
	}
	found := &discovered{Provider: p, at: d.s.Now(), auth: oauth2.AuthStyleInHeader, iss: says.Iss}
	if len(says.Auth) > 0 && !slices.Contains(says.Auth, "client_secret_basic") { // the default where none are named
		found.auth = oauth2.AuthStyleInParams
	}
	return found, nil
}

func (d *oidcDoor) client(r *http.Request, p *discovered) *oauth2.Config {
	at := p.Endpoint()
	at.AuthStyle = p.auth
	return &oauth2.Config{
		ClientID: d.ClientID, ClientSecret: d.ClientSecret.Reveal(), Endpoint: at, Scopes: d.Scopes, RedirectURL: d.s.base(r).url + Prefix + "/oidc/callback",
	}
}

// begin sends somebody to the provider.
func (d *oidcDoor) begin(w http.ResponseWriter, r *http.Request) {
	ctx, done := context.WithTimeout(r.Context(), patience)
	defer done()
	p, err := d.discover(ctx)
	if err != nil {
		d.fail(w, r, err, within(r.URL.Query().Get("return")))
		return
	}
	d.s.depart(w, r, access.ByOIDC, func(f flow) (string, error) {
		options := []oauth2.AuthCodeOption{oidc.Nonce(f.Nonce), oauth2.S256ChallengeOption(f.Verifier)}
		if f.Again {
			options = append(options, oauth2.SetAuthURLParam("prompt", "login")) // who proves it again may mean somebody else
		}
		return d.client(r, p).AuthCodeURL(f.State, options...), nil
	})
}

// end takes back whom the provider sends.
func (d *oidcDoor) end(w http.ResponseWriter, r *http.Request) {
	f, ok := d.s.arrive(w, r, access.ByOIDC, d.Name)
	if !ok {
		return
	}
	ctx, done := context.WithTimeout(r.Context(), patience)
	defer done()
	user, err := d.vouch(ctx, r, f)
	if err != nil {
		d.fail(w, r, err, f.To)
		return
	}
	d.s.proven(w, r, f, func(h *held) {
		if h.Way == "" || h.Way == access.ByOIDC {
			h.Subject, h.Way, h.Name, h.Login = user.Is(), access.ByOIDC, user.Name, user.Login
		}
		h.User = user
	})
}

// claims are what we read of an ID token.
type claims struct {
	Name      string     `json:"name"`
	Preferred string     `json:"preferred_username"`
	Email     string     `json:"email"`
	Verified  *flexible  `json:"email_verified"`
	Party     string     `json:"azp"`
	NotBefore *unixClock `json:"nbf"`
}

// flexible is a truth that some providers write as text.
type flexible bool

// UnmarshalJSON implements json.Unmarshaler.
func (f *flexible) UnmarshalJSON(b []byte) error {
	yes, err := strconv.ParseBool(strings.Trim(string(b), `"`))
	*f = flexible(yes && err == nil)
	return nil
}

// unixClock is a NumericDate (RFC 7519).
type unixClock float64

func (c unixClock) time() time.Time { return time.Unix(int64(c), 0) }

// vouch asks the provider, for a code, who has signed in, and makes sure that it is the answer to this very question.
func (d *oidcDoor) vouch(ctx context.Context, r *http.Request, f flow) (*access.ProvenUser, error) {
	p, err := d.discover(ctx)
	if err != nil {
		return nil, err
	}
	if iss := r.URL.Query().Get("iss"); iss != d.Issuer && (iss != "" || p.iss) {
		return nil, errWrongIssuer
	}
	ctx = oidc.ClientContext(ctx, d.http)
	token, err := d.client(r, p).Exchange(ctx, r.URL.Query().Get("code"), oauth2.VerifierOption(f.Verifier))
	if err != nil {
		return nil, err
	}
	raw, _ := token.Extra("id_token").(string)
	if raw == "" {
		return nil, errNoIDToken
	}
	// Its times are looked at below, with some patience for clocks that differ.
	said, err := p.Verifier(&oidc.Config{ClientID: d.ClientID, SkipExpiryCheck: true, SkipIssuerCheck: true}).Verify(ctx, raw)
	if err != nil {
		if strings.Contains(err.Error(), "fetching keys") { // go-oidc has no type for it
			return nil, err
		}
		return nil, fmt.Errorf("%w: %w", errBadIDToken, err)
	}
	var c claims
	all := map[string]any{}
	if err := errors.Join(said.Claims(&c), said.Claims(&all)); err != nil {
		return nil, fmt.Errorf("%w: %w", errBadIDToken, err)
	}
	now := d.s.Now()
	switch {
	case said.Issuer != d.Issuer && "https://"+said.Issuer != d.Issuer: // Google leaves the scheme out
		return nil, errWrongIssuer
	case len(said.Audience) > 1 && c.Party != d.ClientID, c.Party != "" && c.Party != d.ClientID:
		return nil, fmt.Errorf("%w: it was made for another client", errBadIDToken)
	case subtle.ConstantTimeCompare([]byte(said.Nonce), []byte(f.Nonce)) != 1:
		return nil, errWrongNonce
	case now.After(said.Expiry.Add(skew)), said.IssuedAt.After(now.Add(skew)), c.NotBefore != nil && c.NotBefore.time().After(now.Add(skew)):
		return nil, errClocksDiffer
	case said.Subject == "":
		return nil, fmt.Errorf("%w: it names nobody", errBadIDToken)
	}
	user := &access.ProvenUser{
		Issuer: d.Issuer, Subject: said.Subject, Name: access.Plain(c.Name), Login: access.Plain(firstOf(c.Preferred, c.Email)), At: now.UTC(),
	}
	if d.Source == "" {
		return user, nil
	}
	user.Claim = d.Claim
	if user.Value = text(all[d.Claim]); user.Value == "" {
		more, err := d.ask(ctx, p, token, said.Subject)
		if err != nil {
			return nil, err
		}
		if user.Value = text(more[d.Claim]); user.Value == "" {
			return nil, missingClaim(d.Claim)
		}
		if verified, told := more["email_verified"]; told {
			yes := flexible(text(verified) == "true")
			c.Verified = &yes
		}
	}
	if d.Claim == "email" && c.Verified != nil && !*c.Verified {
		return nil, errUnverifiedEmail
	}
	return user, nil
}

// ask reads the claims that the provider keeps out of its ID token (OpenID Connect Core 1.0, 5.3).
func (d *oidcDoor) ask(ctx context.Context, p *discovered, token *oauth2.Token, subject string) (map[string]any, error) {
	if p.UserInfoEndpoint() == "" {
		return nil, missingClaim(d.Claim)
	}
	said, err := p.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return nil, err
	}
	if said.Subject != subject {
		return nil, fmt.Errorf("%w: its answers name two people", errBadIDToken)
	}
	all := map[string]any{}
	return all, said.Claims(&all)
}

// text is a claim as text; empty for one that is none.
func text(claim any) string {
	switch c := claim.(type) {
	case string:
		return c
	case bool:
		return strconv.FormatBool(c)
	case json.Number:
		return c.String()
	case float64:
		return strconv.FormatFloat(c, 'f', -1, 64)
	}
	return ""
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// What can be wrong with what an identity provider says.
var (
	errNoIDToken       = errors.New("the provider gave no ID token: the scope openid may be missing for the client")
	errBadIDToken      = errors.New("the provider's ID token cannot be believed")
	errWrongIssuer     = errors.New("the answer is another issuer's than server.sign_in.oidc.issuer")
	errWrongNonce      = errors.New("the ID token belongs to another sign-in")
	errClocksDiffer    = errors.New("the ID token is not good at this time: the clocks of this server and of the provider differ by more than two minutes")
	errUnverifiedEmail = errors.New("the provider says that the address is not verified")
)

// A missingClaim is the name of a claim that the provider did not make.
type missingClaim string

// Error implements error.
func (m missingClaim) Error() string {
	return "the provider does not say the claim " + string(m) + ", which server.sign_in.oidc.claim names"
}

// fail tells somebody, and the log, why the identity provider does not let them in.
func (d *oidcDoor) fail(w http.ResponseWriter, r *http.Request, err error, to string) {
	s := d.s
	s.Log.WarnContext(r.Context(), "nobody was signed in", "provider", d.Name, "error", spoken(err))
	again := s.again(access.ByOIDC, to)
	_, mismatch := errors.AsType[*oidc.IssuerMismatchError](err)
	refused, spoke := errors.AsType[*oauth2.RetrieveError](err)
	claim, missing := errors.AsType[missingClaim](err)
	switch {
	case mismatch, errors.Is(err, errWrongIssuer):
		s.tell(w, r, otherIssuer.with(d.Name, again))
	case errors.Is(err, errWrongNonce):
		s.tell(w, r, otherBrowser.with(d.Name, again))
	case errors.Is(err, errClocksDiffer):
		s.tell(w, r, clocks.with(d.Name, again))
	case errors.Is(err, errUnverifiedEmail):
		s.tell(w, r, notVerified.with(d.Name, again))
	case missing && claim == "email":
		s.tell(w, r, noEmail.with(d.Name, again))
	case missing:
		s.tell(w, r, noClaim.with(d.Name, again))
	case errors.Is(err, errNoIDToken), errors.Is(err, errBadIDToken):
		s.tell(w, r, unbelievable.with(d.Name, again))
	case spoke:
		s.tell(w, r, notExchanged(refused).with(d.Name, again))
	default:
		s.tell(w, r, unreachable(err).with(d.Name, again))
	}
}

// spoken is an error for the log: without what addresses and bodies may hold of codes and tokens.
func spoken(err error) string {
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		status := 0
		if refused.Response != nil {
			status = refused.Response.StatusCode
		}
		return fmt.Sprintf("the code was not taken: status %d, code %s", status, code(refused.ErrorCode))
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		at, bad := url.Parse(u.URL)
		if bad != nil {
			return u.Err.Error()
		}
		return at.Scheme + "://" + at.Host + at.Path + ": " + u.Err.Error()
	}
	said := err.Error()
	if len(said) > 300 {
		said = strings.ToValidUTF8(said[:300], "") + " …"
	}
	return said
}
