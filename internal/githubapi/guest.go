package githubapi

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"musterline.example/internal/httpx"
)

// guestsAtOnce bounds the calls to one GitHub that are under way for guests. GitHub allows a hundred at once, ours included ("About
// secondary rate limits").
const guestsAtOnce = 32

// guestPatience bounds one call for a guest. GitHub ends a call after ten seconds.
const guestPatience = 10 * time.Second

// A Reception asks one GitHub for guests: people and programs who show us a credential of their own and want to be let in. Each call is
// made with the guest's credential and counts against the guest's limits, never against ours. No credential is kept: answers to
// revalidate lie under a keyed hash of it, whose key is gone with the process.
type Reception struct {
	at      Endpoint
	network http.RoundTripper
	cache   Cache
	key     []byte
	slots   chan struct{}
	log     *slog.Logger
}

// NewReception returns the reception of a client's GitHub. It calls nobody.
func NewReception(c *Client, network http.RoundTripper) *Reception {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // it never fails
	return &Reception{
		at: c.at, network: httpx.Buffer{Base: network, Max: 4 << 20}, cache: NewMemoryCache(16 << 20), key: key,
		slots: make(chan struct{}, guestsAtOnce), log: c.logger,
	}
}

// A Guest is one credential at a reception, for as long as one question takes.
type Guest struct {
	c    *Client
	mine shelf
}

// Known reports whether GitHub has accepted the credential lately. One that it may not accept is best asked about once: each refusal counts
// towards the limit of failed logins of this address.
func (g *Guest) Known() bool {
	value, _ := g.mine.Get(accepted)
	return len(value) > 0
}

// accepted is the key under which a shelf keeps that its credential was accepted. No address has a space.
const accepted = "was accepted"

// As returns the guest with this credential.
func (r *Reception) As(token string) *Guest {
	hash := hmac.New(sha256.New, r.key)
	_, _ = hash.Write([]byte(token))
	mine := shelf{r.cache, hex.EncodeToString(hash.Sum(nil)) + " "}
	c := &Client{at: r.at, cred: personal(token), now: time.Now, logger: r.log}
	c.http = &http.Client{
		CheckRedirect: httpx.SameHost(r.at.REST),
		Transport:     lobby{c, mine, r.slots, revalidator{signer{c.cred, r.network}, mine}},
	}
	return &Guest{c, mine}
}

// Kind returns the sort of the guest's credential, as far as its form tells.
func (g *Guest) Kind() Kind { return g.c.cred.kind() }

// Get reads one REST resource. The path has no leading slash. Redirects are followed on GitHub's own host. Errors are *Error, or the
// context's.
func (g *Guest) Get(ctx context.Context, path string) (http.Header, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, g.c.at.REST.String()+path, nil)
	if err != nil {
		return nil, nil, Problem(Missing) // a path that is no address names nothing
	}
	req.Header.Set("Accept", "application/vnd.github+json")
	req.Header.Set("X-GitHub-Api-Version", "2022-11-28")
	req.Header.Set("User-Agent", UserAgent)
	resp, err := g.c.http.Do(req)
	if err != nil {
		return nil, nil, g.c.Explain(err)
	}
	defer resp.Body.Close()
	body := httpx.Body(resp)
	if resp.StatusCode != http.StatusOK {
		return nil, nil, g.c.explain(resp, body)
	}
	return resp.Header, body, nil
}

// Query posts a document, as Client.Query does.
func (g *Guest) Query(ctx context.Context, document string, variables map[string]any, out any) ([]Fault, error) {
	return g.c.Query(ctx, document, variables, out)
}

// Scopes returns the scopes of the guest's credential with those that they imply, as an answer tells them. Only classic and OAuth tokens
// have scopes; told says whether this one has.
func Scopes(h http.Header) (scopes []string, told bool) {
	values := h.Values("X-OAuth-Scopes")
	if values == nil {
		return nil, false
	}
	for _, v := range values {
		scopes = append(scopes, splitList(v)...)
	}
	return impliedScopes(scopes), true
}

// A lobby lets so many calls through at once and tells a guest's own limits.
type lobby struct {
	c     *Client
	mine  shelf
	slots chan struct{}
	base  http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (l lobby) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), guestPatience)
	defer cancel() // the body is in memory by then
	select {
	case l.slots <- struct{}{}:
		defer func() { <-l.slots }()
	case <-ctx.Done():
		return nil, errors.New("too many callers are waiting for GitHub")
	}
	began := time.Now()
	resp, err := l.base.RoundTrip(req.WithContext(ctx))
	if err != nil {
		if req.Context().Err() == nil && errors.Is(err, context.DeadlineExceeded) {
			err = errors.New("no answer in time")
		}
		l.c.log(req, 0, "", time.Since(began), err)
		return nil, err
	}
	l.c.log(req, resp.StatusCode, resp.Header.Get("X-GitHub-Request-Id"), time.Since(began), nil)
	switch {
	case resp.StatusCode == http.StatusUnauthorized:
		l.mine.Put(accepted, nil)
	case resp.StatusCode < http.StatusInternalServerError:
		l.mine.Put(accepted, []byte{1})
	}
	if state, wait, _ := limitOf(resp, "core"); state != "" {
		e := limited(state, max(wait, time.Second))
		e.Status, e.Request = resp.StatusCode, resp.Header.Get("X-GitHub-Request-Id")
		return nil, e
	}
	return resp, nil
}

// A shelf is the part of a cache that belongs to one credential.
type shelf struct {
	cache  Cache
	prefix string
}

func (s shelf) Get(key string) ([]byte, bool) { return s.cache.Get(s.prefix + key) }
func (s shelf) Put(key string, value []byte)  { s.cache.Put(s.prefix+key, value) }
