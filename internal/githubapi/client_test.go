package githubapi

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"musterline.example/internal/githubsim"
	"musterline.example/internal/httpx"
)

const secret = "ghp_0123456789abcdefSECRET"

// inProcess calls a handler without a network, so that a test may own the clock.
type inProcess struct{ h http.Handler }

func (p inProcess) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	if req.Body == nil {
		req.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	in := req.Clone(req.Context())
	in.RemoteAddr = "192.0.2.1:1234"
	p.h.ServeHTTP(w, in)
	resp := w.Result()
	resp.Request = req
	return resp, nil
}

// opened returns a client on a handler, with a pool of its own.
func opened(t *testing.T, h http.Handler, change func(*Config)) *Client {
	t.Helper()
	cfg := Config{URL: "https://api.github.com", Organization: "acme", Token: secret, Pace: -1, HTTP: inProcess{h}, Pool: NewPool()}
	if change != nil {
		change(&cfg)
	}
	c, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func simulated(t *testing.T) (*githubsim.Server, *githubsim.Organization) {
	return simulatedAt(t, nil)
}

func simulatedAt(t *testing.T, now func() time.Time) (*githubsim.Server, *githubsim.Organization) {
	t.Helper()
	world := githubsim.NewWorld()
	acme := world.AddOrganization("acme", "ann")
	acme.AddMember("bob")
	gh := githubsim.New(githubsim.Options{World: world, Now: now})
	gh.PutToken(githubsim.Token{Value: secret, User: "ann", Scopes: []string{"admin:org"}})
	return gh, acme
}

func TestAddresses(t *testing.T) {
	for _, c := range []struct{ in, rest, graphql, host string }{
		{"https://api.github.com", "https://api.github.com/", "https://api.github.com/graphql", "github.com"},
		{"https://api.github.com/", "https://api.github.com/", "https://api.github.com/graphql", "github.com"},
		{"https://api.octo.ghe.com", "https://api.octo.ghe.com/", "https://api.octo.ghe.com/graphql", "octo.ghe.com"},
		{"https://Git.Example.com/api/v3", "https://Git.Example.com/api/v3/", "https://Git.Example.com/api/graphql", "git.example.com"},
		{"http://127.0.0.1:8080", "http://127.0.0.1:8080/", "http://127.0.0.1:8080/graphql", "127.0.0.1:8080"},
		{"https://example.com/gh/api/v3/", "https://example.com/gh/api/v3/", "https://example.com/gh/api/graphql", "example.com"},
	} {
		at, err := ParseEndpoint(c.in)
		if err != nil || at.REST.String() != c.rest || at.GraphQL.String() != c.graphql || at.Host != c.host {
			t.Errorf("%s: %v %v %q, %v", c.in, at.REST, at.GraphQL, at.Host, err)
		}
	}
	for _, bad := range []string{"", "github.com", "ftp://api.github.com", "https://u:p@api.github.com", "https://api.github.com/?x=1", "https://%zz"} {
		if _, err := ParseEndpoint(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func TestProbeIsOneCall(t *testing.T) {
	gh, acme := simulated(t)
	s, err := opened(t, gh, nil).Probe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s.Host != "github.com" || s.OrganizationID != fmt.Sprint(acme.ID()) || s.Organization != "acme" || s.Login != "ann" || s.Credential != "classic token of ann" || !slices.Equal(s.Has, []string{"admin:org"}) {
		t.Errorf("%+v", s)
	}
	if n := gh.Counts().Calls; n != 1 {
		t.Errorf("%d calls", n)
	}
}

func TestARenamedOrganizationIsFoundAndTold(t *testing.T) {
	gh, acme := simulated(t)
	acme.Rename("acme-inc")
	s, err := opened(t, inPlace(gh), nil).Probe(t.Context())
	if err != nil || s.Organization != "acme-inc" || len(s.Troubles) != 1 || s.Troubles[0].State != Renamed {
		t.Errorf("%+v, %v", s, err)
	}
}

// Each state of a connection, from a GitHub that is in it.
func TestStates(t *testing.T) {
	reply := func(status int, header http.Header, body string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			maps.Copy(w.Header(), header)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		})
	}
	sim := func(change func(*githubsim.Server, *githubsim.Organization)) http.Handler {
		gh, acme := simulated(t)
		change(gh, acme)
		return gh
	}
	token := func(change func(*githubsim.Token)) http.Handler {
		return sim(func(gh *githubsim.Server, _ *githubsim.Organization) { gh.UpdateToken(secret, change) })
	}
	for _, c := range []struct {
		name  string
		gh    http.Handler
		state State
		class Class
		hint  string // of the fix
	}{
		{"revoked", token(func(t *githubsim.Token) { t.Revoked = true }), TokenExpired, BadCredential, "new token"},
		{"expired", token(func(t *githubsim.Token) { t.Expires = time.Unix(1, 0) }), TokenExpired, BadCredential, "new token"},
		{"locked out", reply(403, nil, `{"message":"Maximum number of login attempts exceeded. Please try again later."}`), LockedOut, BadCredential, "wait"},
		{"not an owner", sim(func(gh *githubsim.Server, _ *githubsim.Organization) {
			gh.PutToken(githubsim.Token{Value: secret, User: "bob", Scopes: []string{"admin:org"}})
		}), NotOwner, Forbidden, "owner"},
		{"SSO", token(func(t *githubsim.Token) { t.NoSSO = []string{"acme"} }), SSOUnauthorized, Forbidden, "https://github.com/orgs/acme/sso"},
		{"SSO elsewhere", reply(403, http.Header{"X-Github-Sso": {"required; url=https://evil.example/orgs/acme/sso"}}, "{}"), SSOUnauthorized, Forbidden, "Configure SSO"},
		{"SSO partial", reply(200, http.Header{"X-Github-Sso": {"partial-results; organizations=1,2"}}, `{"data":{}}`), SSOUnauthorized, Forbidden, "Configure SSO"},
		{"SSO by GraphQL", reply(200, nil, `{"data":{"organization":null},"errors":[{"type":"FORBIDDEN","path":["organization"],"extensions":{"saml_failure":true},"message":"No."}]}`), SSOUnauthorized, Forbidden, "Configure SSO"},
		{"forbidden by GraphQL", reply(200, nil, `{"data":{"organization":null},"errors":[{"type":"FORBIDDEN","path":["organization"],"message":"No SAML provider for you."}]}`), ScopeMissing, Forbidden, "admin:org"},
		{"IP", sim(func(_ *githubsim.Server, acme *githubsim.Organization) { acme.AllowAddresses("10.0.0.0/8") }), IPBlocked, Forbidden, "address"},
		{"classic", sim(func(_ *githubsim.Server, acme *githubsim.Organization) { acme.ForbidClassicTokens(true) }), ClassicRefused, Forbidden, "fine-grained"},
		{"no such organization", sim(func(gh *githubsim.Server, acme *githubsim.Organization) {
			acme.Rename("other")
			gh.World().AddUser("acme") // a person has the name now
		}), NoOrganization, NotFound, "name"},
		{"REST scopes", reply(403, http.Header{"X-Oauth-Scopes": {"repo"}, "X-Accepted-Oauth-Scopes": {"admin:org, write:org"}}, `{"message":"No."}`), ScopeMissing, Forbidden, "admin:org"},
		{"REST permissions", reply(403, http.Header{"X-Accepted-Github-Permissions": {"members=write"}}, `{"message":"Resource not accessible by integration"}`), ScopeMissing, Forbidden, "Members"},
		{"forbidden otherwise", reply(403, http.Header{"X-Oauth-Scopes": {"admin:org"}, "X-Accepted-Oauth-Scopes": {"write:org"}}, `{"message":"No."}`), Denied, Forbidden, "role"},
		{"primary", sim(func(gh *githubsim.Server, _ *githubsim.Organization) { gh.Exhaust(secret, 0) }), PrimaryLimit, Limited, "reset"},
		{"secondary", sim(func(gh *githubsim.Server, _ *githubsim.Organization) {
			gh.Inject(githubsim.Fault{Secondary: true, RetryAfter: time.Hour})
		}), SecondaryLimit, Limited, "slower"},
		{"secondary, 429, no word", sim(func(gh *githubsim.Server, _ *githubsim.Organization) {
			gh.Inject(githubsim.Fault{Secondary: true, Status: 429})
		}), SecondaryLimit, Limited, "slower"},
		{"503", reply(503, http.Header{"Retry-After": {"100"}}, "down"), BadGateway, Unavailable, "githubstatus"},
		{"too large", reply(502, nil, "<html>"), TooMuch, Unavailable, "next run"},
		{"proxy", reply(200, nil, "<html>Please log in to the proxy</html>"), Incomplete, Unavailable, "next run"},
		{"truncated", sim(func(gh *githubsim.Server, _ *githubsim.Organization) { gh.Inject(githubsim.Fault{Truncate: true}) }), Incomplete, Unavailable, "next run"},
		{"elsewhere", reply(307, http.Header{"Location": {"https://evil.example/graphql"}}, ""), Redirected, Unavailable, "API address"},
		{"400", reply(400, nil, `{"message":"Problems parsing JSON"}`), Invalid, Refused, "own words"},
		{"teapot", reply(418, nil, ""), Broken, Unavailable, "API address"},
	} {
		inTime(t, c.name, func(t *testing.T) {
			_, err := opened(t, c.gh, nil).Probe(t.Context())
			e, ok := As(err)
			if !ok || e.State != c.state || e.Class != c.class {
				t.Fatalf("%v: %+v, want %s", err, e, c.state)
			}
			if e.Message == "" || !strings.Contains(e.Fix, c.hint) || strings.Contains(e.Fix+e.Error(), "evil") || strings.Contains(fmt.Sprintf("%+v", e), secret) {
				t.Errorf("message %q, fix %q", e.Error(), e.Fix)
			}
			if e.Class == Limited && time.Until(e.Until) < 30*time.Second {
				t.Errorf("until %v", e.Until)
			}
		})
	}
}

// inTime runs a subtest whose waits take no time.
func inTime(t *testing.T, name string, test func(t *testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
}

func TestEveryStateHasWordsAndAWayOut(t *testing.T) {
	for _, s := range States() {
		if e := Problem(s); e.Message == "" || e.Fix == "" || e.Class == "" {
			t.Errorf("%s: %+v", s, e)
		}
	}
}

func TestA401IsSentOnce(t *testing.T) {
	gh, _ := simulated(t)
	gh.UpdateToken(secret, func(t *githubsim.Token) { t.Revoked = true })
	c := opened(t, gh, nil)
	if _, err := c.Get(t.Context(), "orgs/acme/members", nil); !Is(err, TokenExpired) {
		t.Error(err)
	}
	if n := gh.Counts().Calls; n != 1 {
		t.Errorf("%d calls", n)
	}
}

func TestTheEndOfATokenIsToldInTime(t *testing.T) {
	gh, _ := simulated(t)
	end := time.Now().Add(5 * 24 * time.Hour).Truncate(time.Second)
	gh.UpdateToken(secret, func(t *githubsim.Token) { t.Expires = end })
	s, err := opened(t, gh, nil).Probe(t.Context())
	if err != nil || !s.Expires.Equal(end) || len(s.Troubles) != 1 || s.Troubles[0].State != TokenExpiring {
		t.Errorf("%+v, %v", s, err)
	}
	for _, form := range []string{"2026-12-01 10:00:00 UTC", "2026-12-01 12:00:00 +0200"} {
		if at, ok := parseExpiry(form); !ok || at.UTC().Hour() != 10 {
			t.Errorf("%s: %v, %t", form, at, ok)
		}
	}
}

func TestScopesAreWeighed(t *testing.T) {
	need := []Requirement{{Scopes: []string{"admin:org", "write:org"}, Permission: "members", Level: "write"}}
	for _, c := range []struct {
		kind         Kind
		has          []string
		lacks, extra []string
	}{
		{Classic, []string{"admin:org"}, nil, nil},
		{Classic, []string{"write:org", "read:user"}, nil, nil},
		{Classic, []string{"read:org"}, []string{"admin:org"}, nil},
		{Classic, []string{"admin:org", "repo", "delete_repo"}, nil, []string{"repo", "delete_repo"}},
		{App, []string{"members:write", "metadata:read"}, nil, nil},
		{App, []string{"members:read"}, []string{"members:write"}, []string{"members:read"}[:0]},
		{App, []string{"contents:write", "members:write"}, nil, []string{"contents:write"}},
	} {
		lacks, extra := (Standing{Kind: c.kind, Has: c.has, Known: true}).Weigh(need, "read:user", "members:read")
		if !slices.Equal(lacks, c.lacks) || !slices.Equal(extra, c.extra) {
			t.Errorf("%s %v: lacks %v, extra %v", c.kind, c.has, lacks, extra)
		}
	}
	if lacks, extra := (Standing{Kind: FineGrained}).Weigh(need); lacks != nil || extra != nil {
		t.Error("a fine-grained token does not tell what it has")
	}
}

func TestShortLimitsAreWaitedForByTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gh, _ := simulated(t)
		for _, f := range []githubsim.Fault{
			{Secondary: true, RetryAfter: 5 * time.Second, Times: 2},
			{Secondary: true, Status: 429, RetryAfter: 3 * time.Second, Times: 1},
		} {
			gh.ClearFaults()
			in := gh.Inject(f)
			c := opened(t, gh, nil)
			began := time.Now()
			if _, err := c.Probe(t.Context()); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took != time.Duration(f.Times)*f.RetryAfter || in.Struck() != f.Times {
				t.Errorf("took %s and %d limits", took, in.Struck())
			}
		}
	})
}

func TestAWriteMetByALimitIsSentAgainWithItsBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gh, acme := simulated(t)
		gh.Inject(githubsim.Fault{Method: "POST", Secondary: true, RetryAfter: 5 * time.Second, Times: 1})
		c := opened(t, gh, nil)
		req, err := c.REST().NewRequest(t.Context(), "POST", "orgs/acme/teams", map[string]string{"name": "Once"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.REST().Do(req, nil); err != nil {
			t.Fatal(err)
		}
		if n := len(acme.Teams()); n != 1 {
			t.Errorf("%d teams", n)
		}
	})
}

func TestAWriteThatWasCutIsNotSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		c := opened(t, nil, func(cfg *Config) {
			cfg.HTTP = answering(func(*http.Request) (*http.Response, error) { calls++; return nil, io.ErrUnexpectedEOF })
		})
		req, err := c.REST().NewRequest(t.Context(), "PUT", "organizations/1/team/2/memberships/bob", map[string]string{"role": "member"})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.REST().Do(req, nil)
		if err = c.Explain(err); !Is(err, Unreachable) || calls != 1 {
			t.Errorf("%v after %d calls", err, calls)
		}
	})
}

type answering func(*http.Request) (*http.Response, error)

func (a answering) RoundTrip(req *http.Request) (*http.Response, error) { return a(req) }

func TestNoAnswerWithinAMinuteIsAFailureAndNotTheCallersEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := opened(t, nil, func(cfg *Config) {
			cfg.HTTP = answering(func(req *http.Request) (*http.Response, error) {
				<-req.Context().Done()
				return nil, req.Context().Err()
			})
		})
		_, err := c.Probe(t.Context())
		if !Is(err, Unreachable) {
			t.Errorf("%v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.Probe(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
}

func TestConditionalRequestsAreFreeAndNeverStale(t *testing.T) {
	gh, acme := simulated(t)
	c := opened(t, gh, nil)
	count := func() int {
		var members []any
		if _, err := c.Get(t.Context(), "orgs/acme/members", &members); err != nil {
			t.Fatal(err)
		}
		return len(members)
	}
	if a, b := count(), count(); a != 2 || b != 2 {
		t.Errorf("%d, then %d members", a, b)
	}
	if n := gh.Counts(); n.NotModified != 1 || n.RESTCost != 1 {
		t.Errorf("%+v", n)
	}
	acme.AddMember("cy")
	if n := count(); n != 3 {
		t.Errorf("a change within the minute of max-age is not seen: %d", n)
	}
}

func TestAnAnswerThatWasCutIsNotKept(t *testing.T) {
	gh, _ := simulated(t)
	gh.Inject(githubsim.Fault{Path: "/orgs/acme/members", Times: 1, Truncate: true})
	c := opened(t, gh, nil)
	var members []any
	if _, err := c.Get(t.Context(), "orgs/acme/members", &members); !Is(err, Incomplete) {
		t.Errorf("%v", err)
	}
	if _, err := c.Get(t.Context(), "orgs/acme/members", &members); err != nil || len(members) != 2 {
		t.Errorf("%v, %v", members, err)
	}
}

func TestTheCacheForgetsAndHoldsNoSecret(t *testing.T) {
	m := NewMemoryCache(100)
	for i := range 10 {
		m.Put(fmt.Sprint("key ", i), bytes.Repeat([]byte{'x'}, 30))
	}
	if _, ok := m.Get("key 0"); ok {
		t.Error("nothing was forgotten")
	}
	if _, ok := m.Get("key 9"); !ok {
		t.Error("the latest was forgotten")
	}
	gh, _ := simulated(t)
	spy := &spyCache{}
	c := opened(t, gh, func(cfg *Config) { cfg.Cache = spy })
	if _, err := c.Get(t.Context(), "orgs/acme/members", nil); err != nil || len(spy.all) == 0 {
		t.Fatalf("%v, %d bytes kept", err, len(spy.all))
	}
	if bytes.Contains(spy.all, []byte(secret)) {
		t.Error("the cache holds the token")
	}
}

type spyCache struct{ all []byte }

func (s *spyCache) Get(string) ([]byte, bool)    { return nil, false }
func (s *spyCache) Put(key string, value []byte) { s.all = append(append(s.all, key...), value...) }

func TestNothingGoesToAnotherHost(t *testing.T) {
	var asked []string
	c := opened(t, nil, func(cfg *Config) {
		cfg.HTTP = answering(func(req *http.Request) (*http.Response, error) {
			asked = append(asked, req.URL.Host)
			return &http.Response{StatusCode: 302, Header: http.Header{"Location": {"https://evil.example/x"}}, Body: http.NoBody, Request: req}, nil
		})
	})
	if _, err := c.Get(t.Context(), "orgs/acme", nil); !Is(err, Redirected) {
		t.Error(err)
	}
	req, _ := http.NewRequestWithContext(t.Context(), "GET", "https://evil.example/y", nil)
	if _, err := c.http.Do(req); !errors.Is(err, httpx.ErrRedirect) {
		t.Error(err)
	}
	if !slices.Equal(asked, []string{"api.github.com"}) {
		t.Errorf("asked %v", asked)
	}
}

func TestARedirectOnTheHostIsFollowed(t *testing.T) {
	gh, acme := simulated(t)
	acme.Rename("acme-inc")
	var org struct{ Login string }
	if _, err := opened(t, inPlace(gh), nil).Get(t.Context(), "orgs/acme", &org); err != nil || org.Login != "acme-inc" {
		t.Errorf("%+v, %v", org, err)
	}
}

// inPlace makes the simulator's absolute addresses https, as its callers see it.
func inPlace(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		maps.Copy(w.Header(), rec.Header())
		if to := rec.Header().Get("Location"); to != "" {
			w.Header().Set("Location", strings.Replace(to, "http://", "https://", 1))
		}
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	})
}

func TestNoSecretInLogsAndErrors(t *testing.T) {
	var log bytes.Buffer
	for _, h := range []http.Handler{
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(422)
			fmt.Fprintf(w, `{"message":"You sent %s to https://evil.example/%s"}`, r.Header.Get("Authorization"), secret)
		}),
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, `{"data":null,"errors":[{"type":"ODD","message":"token %s"}]}`, r.Header.Get("Authorization"))
		}),
	} {
		c := opened(t, h, func(cfg *Config) {
			cfg.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		})
		_, err := c.Probe(t.Context())
		if err == nil || strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), secret) {
			t.Errorf("%+v", err)
		}
	}
	if log.Len() == 0 || strings.Contains(log.String(), secret) {
		t.Errorf("log: %s", log.String())
	}
}

// An app is registered and installed on the simulated acme.
func withApp(t *testing.T) (*githubsim.Server, int64, func(*Config)) { return withAppAt(t, nil) }

func withAppAt(t *testing.T, now func() time.Time) (*githubsim.Server, int64, func(*Config)) {
	t.Helper()
	gh, _ := simulatedAt(t, now)
	gh.AddApp(githubsim.App{ID: 12, Slug: "musterline", Owner: "ann", Key: &appKey().PublicKey, Permissions: map[string]string{"members": "write", "metadata": "read"}})
	id := gh.Install(githubsim.Installation{App: 12, Organization: "acme"})
	return gh, id, func(cfg *Config) { cfg.Token, cfg.AppID, cfg.Key = "", "12", appKey() }
}

var appKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func TestAnAppActsUnderAShortTokenThatIsSharedAndRenewed(t *testing.T) {
	now := time.Now()
	clock := func() time.Time { return now }
	gh, _, app := withAppAt(t, clock)
	pool := NewPool()
	open := func() *Client {
		return opened(t, gh, func(cfg *Config) { app(cfg); cfg.Pool, cfg.Now = pool, clock })
	}
	s, err := open().Probe(t.Context())
	if err != nil || s.Self != "" || s.Credential != "GitHub App 12 (musterline)" || !slices.Contains(s.Has, "members:write") {
		t.Fatalf("%+v, %v", s, err)
	}
	if n := gh.Counts().Calls; n != 3 { // installation, token, probe
		t.Errorf("%d calls when cold", n)
	}
	gh.Reset()
	if _, err := open().Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := gh.Counts().Calls; n != 1 {
		t.Errorf("%d calls when warm", n)
	}
	now = now.Add(56 * time.Minute)
	gh.Reset()
	if _, err := open().Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := gh.Counts().Calls; n != 3 {
		t.Errorf("%d calls when the token is about to end", n)
	}
}

func TestAnAppAsksForItsTokenAgainAfterABrokenGateway(t *testing.T) {
	key := appKey() // made outside of the bubble
	synctest.Test(t, func(t *testing.T) {
		gh, _, app := withAppAt(t, time.Now)
		gh.Inject(githubsim.Fault{Method: "POST", Path: "/app/installations/*/access_tokens", Times: 2, Status: 502})
		c := opened(t, gh, func(cfg *Config) { app(cfg); cfg.Key = key })
		if _, err := c.Probe(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestStatesOfAnApp(t *testing.T) {
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		change func(gh *githubsim.Server, id int64, cfg *Config)
		state  State
	}{
		{"uninstalled", func(gh *githubsim.Server, id int64, _ *Config) { gh.Uninstall(id) }, AppUninstalled},
		{"suspended", func(gh *githubsim.Server, id int64, _ *Config) {
			gh.UpdateInstallation(id, func(i *githubsim.Installation) { i.Suspended = true })
		}, AppSuspended},
		{"wrong key", func(_ *githubsim.Server, _ int64, cfg *Config) { cfg.Key = other }, AppKeyWrong},
		{"wrong id", func(_ *githubsim.Server, _ int64, cfg *Config) { cfg.AppID = "13" }, AppKeyWrong},
		{"wrong clock", func(_ *githubsim.Server, _ int64, cfg *Config) {
			cfg.Now = func() time.Time { return time.Now().Add(time.Hour) }
		}, AppKeyWrong},
	} {
		t.Run(c.name, func(t *testing.T) {
			gh, id, app := withApp(t)
			client := opened(t, gh, func(cfg *Config) { app(cfg); c.change(gh, id, cfg) })
			if _, err := client.Probe(t.Context()); !Is(err, c.state) {
				t.Errorf("%v", err)
			}
		})
	}
	gh, id, app := withApp(t)
	gh.UpdateInstallation(id, func(i *githubsim.Installation) {
		i.Selected, i.Permissions = true, map[string]string{"members": "read", "metadata": "read"}
	})
	s, err := opened(t, gh, app).Probe(t.Context())
	lacks, _ := s.Weigh([]Requirement{{Permission: "members", Level: "write"}})
	if err != nil || !slices.Equal(lacks, []string{"members:write"}) || len(s.Troubles) != 1 || s.Troubles[0].State != AppSelected {
		t.Errorf("%+v lacks %v, %v", s, lacks, err)
	}
}

func TestKeysInBothForms(t *testing.T) {
	pkcs8, err := x509.MarshalPKCS8PrivateKey(appKey())
	if err != nil {
		t.Fatal(err)
	}
	for kind, der := range map[string][]byte{"RSA PRIVATE KEY": x509.MarshalPKCS1PrivateKey(appKey()), "PRIVATE KEY": pkcs8} {
		key, err := ParseKey(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
		if err != nil || !key.Equal(appKey()) {
			t.Errorf("%s: %v", kind, err)
		}
	}
	for _, bad := range [][]byte{nil, []byte("no key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("x")})} {
		if _, err := ParseKey(bad); err == nil {
			t.Errorf("%q was taken for a key", bad)
		}
	}
}

func TestACredentialIsGivenOnce(t *testing.T) {
	for _, cfg := range []Config{{}, {AppID: "1"}, {Key: appKey()}, {Token: "x", AppID: "1", Key: appKey()}, {Token: "x", URL: "nowhere"}} {
		if _, err := Open(cfg); err == nil {
			t.Errorf("%+v was accepted", cfg)
		}
	}
	for token, kind := range map[string]Kind{"ghp_x": Classic, "github_pat_x": FineGrained, "gho_x": OAuth, "ghs_x": App, "0123": Other} {
		if KindOf(token) != kind {
			t.Errorf("%s: %s", token, KindOf(token))
		}
	}
}

func TestTheDocumentIsValid(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "githubsim", "schema.graphql"))
	if err != nil {
		t.Fatal(err)
	}
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "GitHub", Input: string(text)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gqlparser.LoadQueryWithRules(schema, ProbeDocument, rules.NewDefaultRules()); err != nil {
		t.Error(err)
	}
}

// Whatever an answer says, it is a value or an *Error with words for a person, and holds no secret.
func FuzzAnswers(f *testing.F) {
	f.Add(200, "", "", `{"data":{"viewer":{"databaseId":1},"organization":{"databaseId":2,"login":"acme","viewerCanAdminister":true}}}`)
	f.Add(200, "", "0", `{"errors":[{"type":"RATE_LIMITED","message":"x"}]}`)
	f.Add(403, "1", "5", `{"message":"secondary rate limit","documentation_url":"#secondary-rate-limits"}`)
	f.Add(403, "", "", `{"message":"IP allow list","errors":["x",{"message":"`+secret+`"}]}`)
	f.Add(401, "", "", `[]`)
	f.Add(200, "", "", `{"data":{"organization":null},"errors":[{"path":["organization",0,null]}]}`)
	f.Fuzz(func(t *testing.T, status int, after, remaining, body string) {
		if status < 200 || status > 599 {
			t.Skip()
		}
		synctest.Test(t, func(t *testing.T) {
			c := opened(t, nil, func(cfg *Config) {
				cfg.HTTP = answering(func(req *http.Request) (*http.Response, error) {
					h := http.Header{"Retry-After": {after}, "X-Ratelimit-Remaining": {remaining}, "X-Ratelimit-Limit": {"10"}, "X-Ratelimit-Reset": {"946688000"}}
					return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), Request: req}, nil
				})
			})
			_, err := c.Probe(t.Context())
			if err == nil {
				return
			}
			e, ok := As(err)
			if !ok || e.Message == "" || e.Fix == "" {
				t.Errorf("%+v", err)
			}
			if strings.Contains(err.Error(), secret) {
				t.Error("the error tells the token")
			}
		})
	})
}

// A counter is a meter that adds up.
type counter struct {
	mu       sync.Mutex
	statuses map[string][]int
	spent    map[string]int
	left     map[string]int
	waits    int
}

func (c *counter) Called(_ context.Context, resource string, status int, _ time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.statuses[resource] = append(c.statuses[resource], status)
}

func (c *counter) Spent(_ context.Context, resource string, points int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spent[resource] += points
}

func (c *counter) Left(resource string, remaining, _ int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left[resource] = remaining
}

func (c *counter) Waited(time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waits++
}

func TestTheMeterIsToldWhatCallsCost(t *testing.T) {
	gh, _ := simulated(t)
	m := &counter{statuses: map[string][]int{}, spent: map[string]int{}, left: map[string]int{}}
	c := opened(t, gh, func(cfg *Config) { cfg.Meter = m })
	for range 2 { // the second time nothing has changed, and it is free
		if _, err := c.Get(t.Context(), "orgs/acme", &struct{}{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Query(t.Context(), "query { rateLimit { cost remaining } viewer { login } }", nil, &struct{}{}); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(m.statuses, m.spent, m.waits); got != "map[core:[200 304] graphql:[200]] map[core:1 graphql:1] 3" {
		t.Error(got)
	}
	if core := c.Quota("core"); m.left["core"] != core.Remaining || core.Remaining == 0 {
		t.Errorf("left %d, GitHub says %+v", m.left["core"], core)
	}
}
