package githubsim

import (
	"fmt"
	"net/http"
	"time"
)

// Limits are GitHub's rations. A zero primary figure means GitHub's own; a zero secondary figure means not enforced.
type Limits struct {
	REST, GraphQL       int // an hour, for a person: 5,000 requests and 5,000 points
	AppREST, AppGraphQL int // an hour, for an installation on Enterprise Cloud: 15,000 and 10,000
	Anonymous           int // an hour, for an address: 60
	Invitations         int // an organization's in 24 hours: 500
	Nodes               int // of one GraphQL query: 500,000

	// TimeoutNodes makes a GraphQL query for more nodes than this (first × first …) answer 502, as if ten seconds had passed.
	TimeoutNodes int
	// ResourceNodes makes it answer the objects up to this many and null for the rest, with a resource-limit error.
	ResourceNodes int

	Secondary Secondary
}

// Secondary are the limits against bursts. Their figures are enforced where they are not zero.
type Secondary struct {
	Concurrent    int // calls at once, REST and GraphQL together
	RESTPoints    int // a minute
	GraphQLPoints int // a minute
	ContentMinute int // writes a minute
	ContentHour   int // writes an hour

	Status       int  // 403 or 429; 403 when zero. GraphQL answers 200 for 403, as GitHub does
	NoRetryAfter bool // leave Retry-After out: a client must wait at least a minute by itself
}

// PublishedSecondary returns the secondary limits as GitHub publishes them.
func PublishedSecondary() Secondary {
	return Secondary{Concurrent: 100, RESTPoints: 900, GraphQLPoints: 2000, ContentMinute: 80, ContentHour: 500}
}

func (l Limits) filledIn() Limits {
	for figure, published := range map[*int]int{
		&l.REST: 5000, &l.GraphQL: 5000, &l.AppREST: 15000, &l.AppGraphQL: 10000, &l.Anonymous: 60, &l.Invitations: 500, &l.Nodes: 500_000,
	} {
		if *figure == 0 {
			*figure = published
		}
	}
	return l
}

// SetLimits changes the limits from the next call on. What has been used stays used.
func (s *Server) SetLimits(l Limits) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opts.Limits = l.filledIn()
}

// Exhaust uses up all but left of what the account of a token may still do this hour, for REST and GraphQL.
func (s *Server) Exhaust(token string, left int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tokens[token]
	if t == nil {
		panic("githubsim: no such token")
	}
	cred := credential{token: t, user: &User{id: t.userID}}
	if t.installation != 0 {
		cred = credential{token: t, inst: &Installation{ID: t.installation}}
	}
	for _, resource := range []string{"core", "graphql"} {
		s.budget(cred, resource, s.now()).used = max(0, s.limit(cred, resource)-left)
	}
}

// A window is a ration that starts afresh at a moment.
type window struct {
	used  int
	until time.Time
}

func (w *window) open(now time.Time) bool { return now.Before(w.until) }

func (s *Server) limit(c credential, resource string) int {
	l, gql := s.opts.Limits, resource == "graphql"
	switch {
	case c.anonymous():
		return l.Anonymous
	case c.inst != nil && gql:
		return l.AppGraphQL
	case c.inst != nil:
		return l.AppREST
	case gql:
		return l.GraphQL
	}
	return l.REST
}

func (s *Server) budget(c credential, resource string, now time.Time) *window {
	return s.windowOf(resource+" "+c.account(), now, time.Hour)
}

func (s *Server) windowOf(key string, now time.Time, length time.Duration) *window {
	b := s.budgets[key]
	if b == nil || !b.open(now) {
		b = &window{until: now.Add(length)}
		s.budgets[key] = b
	}
	return b
}

func (c *call) resource() string {
	if c.GraphQL {
		return "graphql"
	}
	return "core"
}

// afford refuses a call whose cost exceeds what is left of the primary ration.
func (s *Server) afford(c *call, cost int) *problem {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opts.EnterpriseServer || c.Route == "GET /rate_limit" {
		return nil
	}
	if s.budget(c.cred, c.resource(), c.now).used+cost <= s.limit(c.cred, c.resource()) {
		return nil
	}
	p := problemf(http.StatusForbidden, "The hourly rate limit of %s is used up.", c.cred.name())
	p.doc, p.free = limitDocs, true
	return p
}

const limitDocs = "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api"

// burst refuses a call that bursts through a secondary limit. A refused call counts towards none.
func (s *Server) burst(c *call) *problem {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.Points = 1
	if c.Write {
		c.Points = 5
	}
	if s.opts.EnterpriseServer {
		return nil
	}
	lim, who := s.opts.Limits.Secondary, c.cred.account()
	type ration struct {
		what     string
		n, limit int
		length   time.Duration
	}
	rations := []ration{{"rest points", c.Points, lim.RESTPoints, time.Minute}}
	if c.GraphQL {
		rations = []ration{{"graphql points", c.Points, lim.GraphQLPoints, time.Minute}}
	}
	if c.Write {
		rations = append(rations, ration{"content of a minute", 1, lim.ContentMinute, time.Minute}, ration{"content of an hour", 1, lim.ContentHour, time.Hour})
	}
	var wait time.Duration
	for _, r := range rations {
		if b := s.windowOf(r.what+" "+who, c.now, r.length); r.limit > 0 && b.used+r.n > r.limit {
			wait = max(wait, b.until.Sub(c.now))
		}
	}
	if lim.Concurrent > 0 && s.active > lim.Concurrent {
		wait = max(wait, time.Minute)
	}
	if wait > 0 {
		return secondaryProblem(c, lim.Status, wait, lim.NoRetryAfter)
	}
	for _, r := range rations {
		s.windowOf(r.what+" "+who, c.now, r.length).used += r.n
	}
	return nil
}

// secondaryProblem is the refusal of a secondary limit: 403 or 429, or for GraphQL 200 where REST answers 403.
func secondaryProblem(c *call, status int, wait time.Duration, noRetryAfter bool) *problem {
	switch {
	case c.GraphQL && (status == 0 || status == http.StatusForbidden):
		status = http.StatusOK
	case status == 0:
		status = http.StatusForbidden
	}
	p := problemf(status, "You have exceeded a secondary rate limit. Wait before you try again.")
	p.doc = limitDocs + "#about-secondary-rate-limits"
	p.header, p.free = http.Header{}, true
	if !noRetryAfter {
		p.header.Set("Retry-After", seconds(wait))
	}
	return p
}

// seconds spells a wait for Retry-After, never too short.
func seconds(wait time.Duration) string { return itoa(int((wait + time.Second - 1) / time.Second)) }

// charge takes the cost of an answered call from the primary ration.
func (s *Server) charge(c *call, cost int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.Cost = cost
	if !s.opts.EnterpriseServer {
		s.budget(c.cred, c.resource(), c.now).used += cost
	}
}

// A quota is a ration as answers show it.
type quota struct {
	Limit     int   `json:"limit"`
	Used      int   `json:"used"`
	Remaining int   `json:"remaining"`
	Reset     int64 `json:"reset"`
}

func (s *Server) quota(c *call, resource string) quota {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, limit := s.budget(c.cred, resource, c.now), s.limit(c.cred, resource)
	return quota{Limit: limit, Used: b.used, Remaining: max(0, limit-b.used), Reset: b.until.Unix()}
}

func (s *Server) showQuota(c *call) {
	if s.opts.EnterpriseServer {
		c.header.Set("X-GitHub-Enterprise-Version", enterpriseServerVersion)
		return
	}
	q := s.quota(c, c.resource())
	c.header.Set("X-RateLimit-Limit", fmt.Sprint(q.Limit))
	c.header.Set("X-RateLimit-Used", fmt.Sprint(q.Used))
	c.header.Set("X-RateLimit-Remaining", fmt.Sprint(q.Remaining))
	c.header.Set("X-RateLimit-Reset", fmt.Sprint(q.Reset))
	c.header.Set("X-RateLimit-Resource", c.resource())
}

const enterpriseServerVersion = "3.19.0"
