// Package githubsim is a simulated GitHub that behaves: an http.Handler with organizations, teams and people behind it, which
// pages, rations, refuses, forgets and fails as the real one does.
//
// It is for tests, for benchmarks that count calls, and for the demonstration that needs no account. It answers the part of
// REST (also below /api/v3) and GraphQL (/graphql, /api/graphql) that a tool reads and writes which keeps teams, and holds
// its answers against GitHub's published descriptions in its own tests. It is not a GitHub: no repositories, no webhooks,
// of the web pages only those of site.go and of signing in elsewhere (oauth.go), and nothing survives the process.
//
//	world := githubsim.NewWorld()
//	acme := world.AddOrganization("acme", "ann")         // ann owns it
//	acme.AddMember("bob")
//	acme.AddTeam("Platform").Set("bob", githubsim.Member)
//
//	gh := githubsim.New(githubsim.Options{World: world})
//	gh.PutToken(githubsim.Token{Value: "ghp_ann", User: "ann", Scopes: []string{"admin:org"}})
//	web := httptest.NewServer(gh)                        // base address of a client: web.URL, or web.URL+"/api/v3"
//
// Where GitHub publishes nothing, the simulator takes the stricter reading and says so beside the code. The words of most
// error messages are its own; a client must not read them.
package githubsim

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"io"
	"net/http"
	"net/netip"
	"path"
	"strings"
	"sync"
	"time"
)

// Options say how a Server behaves. The zero value is github.com with an empty world.
type Options struct {
	World *World // NewWorld() when nil

	// Now is the clock of everything: expiry of tokens and invitations, limits, dates in answers. The world shares it.
	Now func() time.Time

	// Latency is how long a call takes beside the work itself; it really sleeps. Route, Method, Path and Operation are filled in.
	Latency func(Call) time.Duration

	Limits Limits

	// Token recognizes tokens that PutToken was not told of, so that a demonstration may accept any of a form. It is asked once per
	// token, within a call, and must not turn to the Server or the World.
	Token func(value string) (Token, bool)

	// BadCredentials is how many 401 within five minutes lock an address out with 403, good credentials included. Zero means 10.
	BadCredentials int

	// EnterpriseServer makes it a GitHub Enterprise Server with rate limits off: no x-ratelimit headers, rateLimit null.
	EnterpriseServer bool

	// KeepCalls is how many of the last calls the call log keeps. Zero keeps all, which only a process that ends should do.
	KeepCalls int

	// Trace, when set, gets every finished call, in order of completion.
	Trace func(Call)
}

// A Server answers as GitHub does from its World. It is safe for concurrent use.
type Server struct {
	opts  Options
	world *World
	now   func() time.Time
	mux   *http.ServeMux
	site  *http.ServeMux // the few web pages that there are

	mu            sync.Mutex
	tokens        map[string]*Token
	apps          map[int64]*App
	installations map[int64]*Installation
	lastInstall   int64
	lastApp       int64
	manifests     map[string]manifested
	oauthApps     map[string]*OAuthApp
	oauthCodes    map[string]oauthCode
	browses       string // whose browser comes to the web pages
	lockouts      map[string]*window
	budgets       map[string]*window
	active        int
	faults        []*Fault
	faultStates   map[*Fault]*faultState
	calls         []Call
	counts        Counts
	serial        int
}

// New returns a server that answers from the options' world.
func New(opts Options) *Server {
	if opts.World == nil {
		opts.World = NewWorld()
	}
	if opts.Now == nil {
		opts.Now = opts.World.now
	}
	if opts.BadCredentials == 0 {
		opts.BadCredentials = 10
	}
	opts.Limits = opts.Limits.filledIn()
	opts.World.mu.Lock()
	opts.World.now = opts.Now
	opts.World.mu.Unlock()
	s := &Server{
		opts: opts, world: opts.World, now: opts.Now,
		tokens: map[string]*Token{}, apps: map[int64]*App{}, installations: map[int64]*Installation{}, lastInstall: 60_000_000,
		lastApp: 700_000, manifests: map[string]manifested{},
		oauthApps: map[string]*OAuthApp{}, oauthCodes: map[string]oauthCode{},
		faultStates: map[*Fault]*faultState{}, lockouts: map[string]*window{}, budgets: map[string]*window{},
	}
	s.mux, s.site = s.routes(), s.pages()
	return s
}

// World returns the world that the server answers from.
func (s *Server) World() *World { return s.world }

// A call is one request on its way to its answer.
type call struct {
	Call
	srv     *Server
	w       *World
	r       *http.Request
	body    []byte
	now     time.Time
	began   time.Time
	base    string // the API's address as the caller wrote it, "/api/v3" included
	prefix  string
	graphql *graphqlRequest
	cred    credential
	fault   *Fault
	header  http.Header // of the answer
	limits  Limits
	// admitted says that cred is known, a stranger's included, and with it the limits to show.
	admitted bool
	filed    bool // in the call log
	org      *Organization
	team     *Team
}

type callKey struct{}

const prefixV3 = "/api/v3"

// ServeHTTP answers one request. A fault that drops the connection panics with http.ErrAbortHandler, which net/http servers
// turn into a cut connection.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, page := s.site.Handler(r); page != "" {
		s.site.ServeHTTP(w, r)
		return
	}
	c, unreadable := s.begin(r)
	defer s.record(c)

	c.fault = s.faultFor(c)
	s.sleep(r.Context(), c)
	if c.fault.dropsBefore() {
		panic(http.ErrAbortHandler)
	}
	var rep reply
	switch {
	case c.fault.answers():
		rep = c.fault.reply(c)
	case unreadable != nil:
		rep = problemf(http.StatusBadRequest, "The request's body could not be read.").reply()
	case isWeb(c.Path):
		c.header.Set("X-GitHub-Request-Id", requestID())
		rep = s.serveWeb(c)
	default:
		rep = s.answer(c)
	}
	rep = s.settle(c, rep)
	if c.fault.dropsAfter() {
		panic(http.ErrAbortHandler)
	}
	s.record(c) // before the caller can know of the answer, and ask for the log
	s.send(w, c, rep)
}

func (s *Server) begin(r *http.Request) (*call, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 10<<20))
	c := &call{srv: s, w: s.world, r: r, body: body, now: s.now(), began: time.Now(), header: http.Header{}}
	c.Method, c.Path, c.At, c.Query = r.Method, r.URL.Path, c.now, r.URL.RawQuery
	if rest, found := strings.CutPrefix(c.Path, prefixV3); found {
		c.Path, c.prefix = rest, prefixV3
	}
	c.base = "http://" + r.Host + c.prefix
	if r.TLS != nil {
		c.base = "https://" + r.Host + c.prefix
	}
	if c.Path == "/graphql" && c.prefix == "" || c.Path == "/api/graphql" {
		c.Route, c.GraphQL = "POST /graphql", true
		c.graphql = parseGraphQLRequest(body)
		c.Operation = c.graphql.operationName()
	} else {
		inner := r.Clone(context.WithValue(r.Context(), callKey{}, c))
		inner.URL.Path, inner.URL.RawPath = c.Path, strings.TrimPrefix(r.URL.RawPath, prefixV3)
		inner.Body = io.NopCloser(bytes.NewReader(body))
		c.r = inner
		if path.Clean(c.Path) == c.Path { // the mux would redirect an unclean path; GitHub answers 404
			_, c.Route = s.mux.Handler(inner)
		}
	}
	c.Write = !c.GraphQL && writes(r.Method)

	s.mu.Lock()
	s.serial++
	c.N, c.limits = s.serial, s.opts.Limits
	s.active++
	s.mu.Unlock()
	return c, err
}

func writes(method string) bool {
	return method != http.MethodGet && method != http.MethodHead && method != http.MethodOptions
}

func (s *Server) sleep(ctx context.Context, c *call) {
	var d time.Duration
	if s.opts.Latency != nil {
		d = s.opts.Latency(c.Call)
	}
	if c.fault != nil {
		d += c.fault.Delay
	}
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// answer takes a call past the doorkeepers (credential, version, limits) and to its handler.
func (s *Server) answer(c *call) reply {
	c.header.Set("X-GitHub-Request-Id", requestID())
	if p := s.admit(c); p != nil {
		return p.reply()
	}
	if v := c.r.Header.Get("X-GitHub-Api-Version"); v != "" && v != "2022-11-28" && v != "2026-03-10" {
		return problemf(http.StatusBadRequest, "%q is not a version of this API.", v).reply()
	}
	if p := s.burst(c); p != nil {
		return p.reply()
	}
	if c.GraphQL {
		return s.serveGraphQL(c)
	}
	if p := s.afford(c, 1); p != nil {
		return p.reply()
	}
	if c.Route == "" {
		return notFound().reply()
	}
	out := new(reply)
	s.mux.ServeHTTP(replyWriter{out: out}, c.r)
	return *out
}

// record files the finished, or cut, call, once.
func (s *Server) record(c *call) {
	if c.filed {
		return
	}
	c.filed = true
	c.Duration = time.Since(c.began)
	c.Credential = c.cred.name()
	if c.fault != nil {
		c.Fault = c.fault.Name
	}
	s.mu.Lock()
	s.active--
	s.calls = append(s.calls, c.Call)
	if keep := s.opts.KeepCalls; keep > 0 && len(s.calls) >= 2*keep {
		s.calls = append(s.calls[:0], s.calls[len(s.calls)-keep:]...)
	}
	s.counts.add(c.Call)
	s.mu.Unlock()
	if s.opts.Trace != nil {
		s.opts.Trace(c.Call)
	}
}

func requestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return strings.ToUpper(hex.EncodeToString(b[:]))
}

// address returns where the caller is, for the IP allow list and for limits of callers without credentials.
func (c *call) address() netip.Addr {
	if a, err := netip.ParseAddrPort(c.r.RemoteAddr); err == nil {
		return a.Addr()
	}
	return netip.Addr{}
}
