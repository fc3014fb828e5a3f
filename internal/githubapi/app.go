package githubapi

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/go-github/v92/github"

	"musterline.example/internal/httpx"
)

// renewBefore is how long before its end an installation's token is replaced. It lives an hour (GitHub: "Generating an installation
// access token"), and a slice of work lives two minutes.
const renewBefore = 5 * time.Minute

// A grant is an App's running token on one organization.
type grant struct {
	mu           sync.Mutex
	token        string
	expires      time.Time
	installation *github.Installation
}

// An installation is an App's credential on one organization.
type installation struct {
	app    string // id or client id
	key    *rsa.PrivateKey
	org    string
	now    func() time.Time
	shared *shared
	web    *github.Client // signs with the App's own JSON web token; below no limiter, whose rations are the installation's
}

func (i *installation) kind() Kind { return App }

func (i *installation) secret() string {
	g := &i.shared.grant
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.token
}

// token returns the running token, or a new one when it is about to end. Callers that come at the same time wait for one and the same.
func (i *installation) token(ctx context.Context) (string, error) {
	g := &i.shared.grant
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.token != "" && i.now().Before(g.expires.Add(-renewBefore)) {
		return g.token, nil
	}
	found, _, err := i.web.Apps.GetOrganizationInstallation(ctx, i.org)
	if err != nil {
		return "", i.trouble(fmt.Errorf("find the App's installation on %s: %w", i.org, err))
	}
	g.installation = found
	if found.SuspendedAt != nil {
		return "", Problem(AppSuspended)
	}
	// A token more does no harm, so that a broken gateway is worth another try here, as for a read.
	made, _, err := i.web.Apps.CreateInstallationToken(httpx.AsRead(ctx), found.GetID(), &github.InstallationTokenOptions{})
	if err != nil {
		return "", i.trouble(fmt.Errorf("make a token for installation %d: %w", found.GetID(), err))
	}
	if made.GetToken() == "" {
		return "", Problem(Broken)
	}
	g.token, g.expires = made.GetToken(), made.GetExpiresAt().Time
	return g.token, nil
}

// trouble gives the refusals of an App's own calls the names they have there.
func (i *installation) trouble(err error) error {
	if ctx := contextError(err); ctx != nil {
		return ctx
	}
	if e, ok := errors.AsType[*github.AbuseRateLimitError](err); ok {
		return limited(SecondaryLimit, max(e.GetRetryAfter(), secondaryWait))
	}
	if e, ok := errors.AsType[*github.RateLimitError](err); ok {
		return limited(PrimaryLimit, max(time.Until(e.Rate.Reset.Time), secondaryWait))
	}
	resp, ok := errors.AsType[*github.ErrorResponse](err)
	if !ok || resp.Response == nil {
		e := Problem(Unreachable)
		e.Err = err
		return e
	}
	state := BadGateway
	switch code := resp.Response.StatusCode; {
	case code == http.StatusTooManyRequests:
		wait, _ := httpx.RetryAfter(resp.Response.Header, time.Now())
		return limited(SecondaryLimit, max(wait, secondaryWait))
	case code == http.StatusUnauthorized:
		state = AppKeyWrong
	case code == http.StatusNotFound:
		state = AppUninstalled
	case code == http.StatusForbidden && strings.Contains(strings.ToLower(resp.Message), "suspended"):
		state = AppSuspended
	case code == http.StatusForbidden && strings.Contains(strings.ToLower(resp.Message), "ip allow list"):
		state = IPBlocked
	case code == http.StatusForbidden:
		state = Denied
	case code == http.StatusUnprocessableEntity:
		state = AppPending
	}
	e := Problem(state)
	e.Status, e.Request = resp.Response.StatusCode, resp.Response.Header.Get("X-GitHub-Request-Id")
	return e
}

// rejected forgets the running token, so that the next call, not this one, asks for another.
func (i *installation) rejected() {
	g := &i.shared.grant
	g.mu.Lock()
	defer g.mu.Unlock()
	g.token = ""
}

// found returns the installation as it was when the running token was made.
func (i *installation) found() *github.Installation {
	g := &i.shared.grant
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.installation
}

// An appSigner signs an App's own calls, each with a JSON web token of its own.
type appSigner struct {
	app  string
	key  *rsa.PrivateKey
	now  func() time.Time
	base http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (s appSigner) RoundTrip(req *http.Request) (*http.Response, error) {
	token, err := webToken(s.app, s.key, s.now())
	if err != nil {
		return nil, err
	}
	req = req.Clone(req.Context())
	req.Header.Set("Authorization", "Bearer "+token)
	return s.base.RoundTrip(req)
}

// webToken makes the JSON web token by which an App proves itself: RS256, begun a minute ago because clocks differ, ended before
// GitHub's ten minutes are over ("Generating a JSON Web Token (JWT) for a GitHub App").
func webToken(app string, key *rsa.PrivateKey, now time.Time) (string, error) {
	claims, err := json.Marshal(map[string]any{"iss": app, "iat": now.Add(-time.Minute).Unix(), "exp": now.Add(9 * time.Minute).Unix()})
	if err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + encode(claims)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		return "", fmt.Errorf("sign the App's token: %w", err)
	}
	return text + "." + encode(signature), nil
}

// ParseKey reads an App's private key as GitHub hands it out: RSA in PEM, in PKCS #1 or #8.
func ParseKey(text []byte) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("the private key is no PEM file: use the .pem file that GitHub gave out")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	if parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		if key, ok := parsed.(*rsa.PrivateKey); ok {
			return key, nil
		}
	}
	return nil, errors.New("the private key is no RSA key: use the .pem file that GitHub gave out")
}
