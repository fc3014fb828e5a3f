// Package oidcsim is a simulated identity provider for signing in: OpenID Connect's authorization code flow with PKCE (OpenID Connect Core 1.0,
// RFC 7636), with a page that asks who somebody wants to be in place of a password. It is for the demonstration and for tests.
package oidcsim

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Person is somebody whom the provider knows.
type Person struct {
	Subject string // its own word for them, which never changes
	Name    string
	Login   string // preferred_username
	Email   string
}

// Options are what the provider knows.
type Options struct {
	Issuer   string // its address, without a slash at its end
	ClientID string
	Secret   string
	Callback string // where people may be sent back to
	People   []Person
	Now      func() time.Time
}

// A Provider is a simulated identity provider. It is safe for concurrent use.
type Provider struct {
	o   Options
	key *rsa.PrivateKey
	mux *http.ServeMux

	mu    sync.Mutex
	codes map[string]grant
	down  bool
}

type grant struct {
	person                     Person
	redirect, challenge, nonce string
	at                         time.Time
}

const codeLife = 5 * time.Minute

// New returns a provider.
func New(o Options) (*Provider, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	p := &Provider{o: o, key: key, mux: http.NewServeMux(), codes: map[string]grant{}}
	p.mux.HandleFunc("GET /.well-known/openid-configuration", p.discovery)
	p.mux.HandleFunc("GET /keys", p.keys)
	p.mux.HandleFunc("GET /authorize", p.authorize)
	p.mux.HandleFunc("POST /authorize", p.authorize)
	p.mux.HandleFunc("POST /token", p.token)
	return p, nil
}

// Stop makes everything answer with 503, or work again.
func (p *Provider) Stop(stopped bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = stopped
}

// ServeHTTP answers one request.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	down := p.down
	p.mu.Unlock()
	if down {
		http.Error(w, "down for maintenance", http.StatusServiceUnavailable)
		return
	}
	p.mux.ServeHTTP(w, r)
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // whoever asked has gone
}

func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) {
	write(w, http.StatusOK, map[string]any{
		"issuer": p.o.Issuer, "authorization_endpoint": p.o.Issuer + "/authorize", "token_endpoint": p.o.Issuer + "/token", "jwks_uri": p.o.Issuer + "/keys",
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"}, "token_endpoint_auth_methods_supported": []string{"client_secret_basic"},
		"code_challenge_methods_supported": []string{"S256"},
	})
}

func raw(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (p *Provider) keys(w http.ResponseWriter, _ *http.Request) {
	write(w, http.StatusOK, map[string]any{"keys": []map[string]string{{
		"kty": "RSA", "kid": "1", "alg": "RS256", "use": "sig", "n": raw(p.key.N.Bytes()), "e": raw(big.NewInt(int64(p.key.E)).Bytes()),
	}}})
}

var page = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Sign in to the simulated identity provider</title></head>
<body><main><h1>Sign in to the simulated identity provider</h1>
<p>Nothing of this leaves the machine, and there are no passwords: choose who you are.</p>
<form method="post"><p><label>Person <select name="person">{{range .}}<option value="{{.Subject}}">{{.Name}}</option>{{end}}</select></label></p>
<p><button>Sign in</button> <button name="cancel" value="yes">Cancel</button></p></form>
</main></body></html>
`))

func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	back, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || q.Get("client_id") != p.o.ClientID || !strings.HasPrefix(q.Get("redirect_uri"), p.o.Callback) ||
		q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" {
		http.Error(w, "invalid_request", http.StatusBadRequest)
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = page.Execute(w, p.o.People) // whoever asked has gone
		return
	}
	said := url.Values{"state": {q.Get("state")}}
	i := slices.IndexFunc(p.o.People, func(one Person) bool { return one.Subject == r.PostFormValue("person") })
	if i < 0 || r.PostFormValue("cancel") != "" {
		said.Set("error", "access_denied")
	} else {
		code := rand.Text()
		said.Set("code", code)
		p.mu.Lock()
		p.codes[code] = grant{p.o.People[i], q.Get("redirect_uri"), q.Get("code_challenge"), q.Get("nonce"), p.o.Now()}
		p.mu.Unlock()
	}
	back.RawQuery = said.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound) //nolint:gosec // it begins with the callback that was registered
}

func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	id, secret, _ := r.BasicAuth()
	secret, err := url.QueryUnescape(secret)
	if err != nil || id != p.o.ClientID || subtle.ConstantTimeCompare([]byte(secret), []byte(p.o.Secret)) != 1 {
		write(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
		return
	}
	p.mu.Lock()
	g, known := p.codes[r.PostFormValue("code")]
	delete(p.codes, r.PostFormValue("code"))
	p.mu.Unlock()
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	now := p.o.Now()
	if !known || now.Sub(g.at) > codeLife || g.redirect != r.PostFormValue("redirect_uri") || g.challenge != raw(sum[:]) {
		write(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant"})
		return
	}
	signed, err := p.sign(map[string]any{
		"iss": p.o.Issuer, "aud": p.o.ClientID, "sub": g.person.Subject, "nonce": g.nonce, "iat": now.Unix(), "exp": now.Add(codeLife).Unix(),
		"name": g.person.Name, "preferred_username": g.person.Login, "email": g.person.Email, "email_verified": true,
	})
	if err != nil {
		http.Error(w, "server_error", http.StatusInternalServerError)
		return
	}
	write(w, http.StatusOK, map[string]any{"access_token": rand.Text(), "token_type": "Bearer", "expires_in": int(codeLife.Seconds()), "id_token": signed})
}

// sign makes a JSON web token (RFC 7519) of claims, signed with RS256 (RFC 7518, section 3.3).
func (p *Provider) sign(claims map[string]any) (string, error) {
	head, err := json.Marshal(map[string]string{"alg": "RS256", "kid": "1", "typ": "JWT"})
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	text := raw(head) + "." + raw(body)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, p.key, crypto.SHA256, sum[:])
	return text + "." + raw(signature), err
}
