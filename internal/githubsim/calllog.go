package githubsim

import (
	"slices"
	"time"
)

// A Call is one line of the call log. It names the credential and never shows the token.
type Call struct {
	N           int           `json:"n"`
	At          time.Time     `json:"at"` // by the server's clock
	Method      string        `json:"method"`
	Route       string        `json:"route"` // the route's pattern, "" when no route matched
	Path        string        `json:"path"`  // without /api/v3
	Query       string        `json:"query,omitempty"`
	GraphQL     bool          `json:"graphql"`
	Operation   string        `json:"operation,omitempty"` // name of the GraphQL operation
	Status      int           `json:"status"`              // 0: the connection was dropped before anything was done
	Write       bool          `json:"write"`               // a REST request that may change something
	NotModified bool          `json:"not_modified,omitempty"`
	Cost        int           `json:"cost"`   // taken from the primary limit: 1 for REST, 0 for 304, points for GraphQL
	Points      int           `json:"points"` // by the rule of the secondary limits: 1 to read, 5 to write
	Nodes       int           `json:"nodes,omitempty"`
	Duration    time.Duration `json:"duration"` // in real time
	Credential  string        `json:"credential"`
	Fault       string        `json:"fault,omitempty"`
}

// Counts sum calls up.
type Counts struct {
	Calls         int `json:"calls"`
	REST          int `json:"rest"`
	GraphQL       int `json:"graphql"`
	Writes        int `json:"writes"`
	NotModified   int `json:"not_modified"`
	RESTCost      int `json:"rest_cost"`
	GraphQLPoints int `json:"graphql_points"`
	Points        int `json:"points"`
}

func (n *Counts) add(c Call) {
	n.Calls++
	n.Points += c.Points
	if c.GraphQL {
		n.GraphQL++
		n.GraphQLPoints += c.Cost
	} else {
		n.REST++
		n.RESTCost += c.Cost
	}
	if c.Write {
		n.Writes++
	}
	if c.NotModified {
		n.NotModified++
	}
}

// Calls returns the finished calls since the last Reset, in order of completion.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.calls
	if keep := s.opts.KeepCalls; keep > 0 && len(calls) > keep {
		calls = calls[len(calls)-keep:]
	}
	return slices.Clone(calls)
}

// Counts returns the sums over all calls since the last Reset, kept or not.
func (s *Server) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts
}

// Reset forgets the calls and starts every limit afresh. World, tokens and faults stay.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls, s.counts = nil, Counts{}
	clear(s.budgets)
	clear(s.lockouts)
}
