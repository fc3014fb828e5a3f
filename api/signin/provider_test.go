package signin_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// A provider is an OpenID provider that lets in whom it is told to, and goes wrong when it is told to.
type provider struct {
	t     *testing.T
	clock *clock
	web   *httptest.Server
	key   *rsa.PrivateKey

	mu     sync.Mutex
	codes  map[string]grant
	given  []string
	calls  map[string]int
	down   bool           // answers nothing of use
	user   map[string]any // who is let in, as claims
	more   map[string]any // claims that only the userinfo endpoint tells
	refuse string         // this error in place of a code
	change func(claims map[string]any)
	issuer string // what it calls itself; empty: its address
	signer *rsa.PrivateKey
	iss    string // the iss parameter of its answers
	auth   string // how the client must show its secret
}

type grant struct{ nonce, challenge, redirect, client string }

var providersKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func newProvider(t *testing.T, c *clock) *provider {
	t.Helper()
	p := &provider{t: t, clock: c, key: providersKey(), codes: map[string]grant{}, calls: map[string]int{}, auth: "client_secret_basic"}
	p.user = map[string]any{"sub": "00u1", "name": "Ada Lovelace", "preferred_username": "ada@example.com", "email": "ada.lovelace@example.com"}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("GET /keys", p.keys)
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("GET /userinfo", p.userinfo)
	p.web = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.calls[r.URL.Path]++
		if p.down {
			http.Error(w, "down for maintenance", http.StatusServiceUnavailable)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(p.web.Close)
	return p
}

func (p *provider) url() string { return p.web.URL }

// is changes the provider.
func (p *provider) is(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

// gaveOut are the codes and tokens that it has given out.
func (p *provider) gaveOut() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.given...)
}

func (p *provider) name() string {
	if p.issuer != "" {
		return p.issuer
	}
	return p.web.URL
}

func answerJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func (p *provider) discovery(w http.ResponseWriter, _ *http.Request) {
	answerJSON(w, http.StatusOK, map[string]any{
		"issuer": p.name(), "authorization_endpoint": p.web.URL + "/authorize", "token_endpoint": p.web.URL + "/token", "jwks_uri": p.web.URL + "/keys",
		"userinfo_endpoint": p.web.URL + "/userinfo", "id_token_signing_alg_values_supported": []string{"RS256"},
		"token_endpoint_auth_methods_supported": []string{p.auth}, "authorization_response_iss_parameter_supported": p.iss != "",
	})
}

func (p *provider) keys(w http.ResponseWriter, _ *http.Request) {
	answerJSON(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: p.key.Public(), KeyID: "1", Algorithm: "RS256", Use: "sig"}}})
}

func (p *provider) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	back, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || q.Get("client_id") != "musterline" || q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || q.Get("nonce") == "" {
		http.Error(w, "a bad request", http.StatusBadRequest)
		return
	}
	said := url.Values{"state": {q.Get("state")}}
	if p.iss != "" {
		said.Set("iss", p.iss)
	}
	if p.refuse != "" {
		said.Set("error", p.refuse)
		said.Set("error_description", "<script>alert(1)</script>")
	} else {
		code := rand.Text()
		p.given = append(p.given, code, q.Get("state"))
		p.codes[code] = grant{q.Get("nonce"), q.Get("code_challenge"), q.Get("redirect_uri"), q.Get("client_id")}
		said.Set("code", code)
	}
	back.RawQuery = said.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	id, secret, basic := r.BasicAuth()
	if p.auth == "client_secret_basic" {
		id, _ = url.QueryUnescape(id)
		secret, _ = url.QueryUnescape(secret)
	} else {
		basic, id, secret = true, r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	if !basic || id != "musterline" || secret != clientSecret {
		answerJSON(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client", "error_description": "saw " + secret})
		return
	}
	code := r.PostFormValue("code")
	g, known := p.codes[code]
	delete(p.codes, code)
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if !known || g.redirect != r.PostFormValue("redirect_uri") || base64.RawURLEncoding.EncodeToString(sum[:]) != g.challenge {
		answerJSON(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant", "error_description": "the code " + code})
		return
	}
	now := p.clock.now()
	claims := map[string]any{"iss": p.name(), "aud": "musterline", "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(), "nonce": g.nonce}
	maps.Copy(claims, p.user)
	if p.change != nil {
		p.change(claims)
	}
	key := p.key
	if p.signer != nil {
		key = p.signer
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: "1"}}, nil)
	if err != nil {
		p.t.Error(err)
	}
	text, _ := json.Marshal(claims)
	signed, err := signer.Sign(text)
	if err != nil {
		p.t.Error(err)
	}
	raw, _ := signed.CompactSerialize()
	access := rand.Text()
	p.given = append(p.given, raw, access)
	said := map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": 300}
	if claims["no id_token"] == nil {
		said["id_token"] = raw
	}
	answerJSON(w, http.StatusOK, said)
}

func (p *provider) userinfo(w http.ResponseWriter, _ *http.Request) {
	said := map[string]any{"sub": p.user["sub"]}
	maps.Copy(said, p.more)
	answerJSON(w, http.StatusOK, said)
}
