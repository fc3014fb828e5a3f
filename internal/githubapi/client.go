// Package githubapi is our one client of GitHub, for each of its three roles: a source of teams, a target whose teams we keep, and an
// organization whose posture is assessed. It knows addresses, credentials, limits, conditional requests and what GitHub's refusals mean;
// it knows none of our nouns.
//
// A call passes, from the outside in: redirects on one host · reads tried again after a broken gateway · the limiter · conditional
// requests · the credential · the answer read whole and bounded · the network.
package githubapi

import (
	"context"
	"crypto/rsa"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/google/go-github/v92/github"

	"musterline.example/internal/httpx"
)

// UserAgent is how we introduce ourselves. GitHub refuses calls without one.
const UserAgent = "musterline"

// A Config says which GitHub, as whom, and how fast. Either Token, or AppID and Key, must be set.
type Config struct {
	URL          string // what GET {URL}/orgs/{org} answers on; https://api.github.com when empty
	Organization string // login; where an App's installation is looked for

	Token string
	AppID string // id or client id
	Key   *rsa.PrivateKey

	Lane Lane
	Pace time.Duration // between writes; zero: the default, a second, or what another client has set; negative: none

	HTTP  http.RoundTripper // http.DefaultTransport when nil
	Now   func() time.Time  // of tokens and their ends; time.Now when nil
	Log   *slog.Logger      // nil: none
	Cache Cache             // of answers to revalidate; the credential's in memory when nil
	Pool  *Pool             // the process's when nil
	Meter Meter             // nil: nobody counts
}

// A Meter is told what calls cost, each with its own context. Its methods return at once. The resource is GitHub's word for a ration: "core" or
// "graphql".
type Meter interface {
	// Called tells of one call; status 0 is one without an answer.
	Called(ctx context.Context, resource string, status int, took time.Duration)
	// Spent tells how many points of a ration an answer took, and Left what GitHub says remains of it.
	Spent(ctx context.Context, resource string, points int)
	Left(resource string, remaining, limit int)
	// Waited tells how long a call stood in the queue or before a limit.
	Waited(d time.Duration)
}

type noMeter struct{}

func (noMeter) Called(context.Context, string, int, time.Duration) {}
func (noMeter) Spent(context.Context, string, int)                 {}
func (noMeter) Left(string, int, int)                              {}
func (noMeter) Waited(time.Duration)                               {}

// A Client speaks with one GitHub under one credential.
type Client struct {
	at     Endpoint
	cred   credential
	org    string
	lane   Lane
	now    func() time.Time
	logger *slog.Logger
	shared *shared
	meter  Meter
	http   *http.Client
	rest   *github.Client
}

// Open returns a client. It calls nobody.
func Open(cfg Config) (*Client, error) {
	if cfg.URL == "" {
		cfg.URL = "https://api.github.com"
	}
	at, err := ParseEndpoint(cfg.URL)
	if err != nil {
		return nil, err
	}
	c := &Client{at: at, org: cfg.Organization, lane: cfg.Lane, now: cfg.Now, logger: cfg.Log, meter: cfg.Meter}
	if c.meter == nil {
		c.meter = noMeter{}
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.logger == nil {
		c.logger = slog.New(slog.DiscardHandler)
	}
	pool := cfg.Pool
	if pool == nil {
		pool = process
	}
	network := httpx.Buffer{Base: cfg.HTTP}
	policy := httpx.SameHost(at.REST)
	switch {
	case cfg.Token != "" && (cfg.AppID != "" || cfg.Key != nil):
		return nil, errors.New("both a token and a GitHub App are given: use one")
	case cfg.Token != "":
		c.cred, c.shared = personal(cfg.Token), pool.of(at, "token", cfg.Token)
	case cfg.AppID != "" && cfg.Key != nil:
		c.shared = pool.of(at, "app", cfg.AppID, cfg.Organization)
		app := &http.Client{CheckRedirect: policy, Transport: httpx.Retry{Base: appSigner{cfg.AppID, cfg.Key, c.now, network}}}
		web, err := c.library(app)
		if err != nil {
			return nil, err
		}
		c.cred = &installation{app: cfg.AppID, key: cfg.Key, org: cfg.Organization, now: c.now, shared: c.shared, web: web}
	default:
		return nil, errors.New("no credential is given: a token, or app_id with private_key")
	}
	if cfg.Pace != 0 {
		c.shared.limiter.SetPace(max(cfg.Pace, 0))
	}
	cache := cfg.Cache
	if cache == nil {
		cache = c.shared.cache
	}
	c.http = &http.Client{
		CheckRedirect: policy,
		Transport: httpx.Retry{
			Final: func(err error) bool { _, ok := As(err); return ok || errors.Is(err, httpx.ErrRedirect) },
			Base:  gate{c, revalidator{signer{c.cred, network}, cache}},
		},
	}
	c.rest, err = c.library(c.http)
	return c, err
}

// library returns go-github over an HTTP client. Its own idea of limits is off: ours waits, and shares.
func (c *Client) library(over *http.Client) (*github.Client, error) {
	base := c.at.REST.String()
	return github.NewClient(github.WithHTTPClient(over), github.WithURLs(&base, &base), github.WithUserAgent(UserAgent), github.WithDisableRateLimitCheck())
}

// At returns where the client calls.
func (c *Client) At() Endpoint { return c.at }

// Organization returns the login that the client was opened with.
func (c *Client) Organization() string { return c.org }

// Kind returns the sort of credential.
func (c *Client) Kind() Kind { return c.cred.kind() }

// REST returns the REST client. Its errors go through Explain.
func (c *Client) REST() *github.Client { return c.rest }

// Get reads one REST resource that the library has no method for into out. The path has no leading slash.
func (c *Client) Get(ctx context.Context, path string, out any) (*github.Response, error) {
	req, err := c.rest.NewRequest(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.rest.Do(req, out)
	return resp, c.Explain(err)
}

// Quota returns what GitHub last said of a resource, "core" or "graphql".
func (c *Client) Quota(resource string) Quota { return c.shared.limiter.Quota(resource) }

// log writes one line per call: what was asked, never with what.
func (c *Client) log(req *http.Request, status int, id string, took time.Duration, err error) {
	args := []any{"method", req.Method, "path", req.URL.Path, "status", status, "request", id, "took", took.Round(time.Millisecond)}
	if err != nil {
		args = append(args, "error", c.scrub(err.Error()))
	}
	c.logger.DebugContext(req.Context(), "github call", args...)
}
