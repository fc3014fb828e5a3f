package githubsim

import (
	"cmp"
	"math/rand/v2"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"
)

// A Fault makes calls go wrong. All the conditions that are set must hold; then every effect that is set happens.
//
//	gh.Inject(githubsim.Fault{Operation: "Teams", After: 1, Times: 1, Status: 502})
//	gh.Inject(githubsim.Fault{Method: "PUT", Path: "/organizations/*/team/*/memberships/*", Probability: 0.1, Drop: githubsim.DropAnswer})
type Fault struct {
	Name string // shown in the call log; "fault" when empty

	// Which calls. Path is a pattern of path.Match on the path without /api/v3, Route the pattern of Call.Route.
	Method, Path, Route string
	Operation           string            // name of a GraphQL operation
	GraphQL             bool              // any GraphQL call
	Match               func(c Call) bool // anything else
	After               int               // leaves the first so many of these calls alone
	Times               int               // strikes so many times; zero: for ever
	Probability         float64           // of each call, drawn from Seed; zero: always
	Seed                uint64

	// What happens.
	Delay      time.Duration // before the call is answered, in real time
	Status     int           // answers this; nothing is done, and it costs nothing
	Message    string        // of that answer
	Body       string        // of that answer, in place of the usual {"message": …}
	Header     http.Header   // of any answer
	RetryAfter time.Duration // Retry-After of any answer
	Secondary  bool          // answers as the secondary limit does, with Status or 403, and RetryAfter if set; GraphQL: 200 for 403
	Drop       Drop          // cuts the connection
	Truncate   bool          // sends half of the JSON in a well-formed answer
	Short      bool          // lists come half empty, with links and cursors as if nothing were missing
	Errors     []GraphQLError
}

// A Drop says when the connection is cut.
type Drop string

// The moments of a cut.
const (
	DropRequest Drop = "request" // before anything is done
	DropAnswer  Drop = "answer"  // after everything is done, before a byte of the answer: the caller cannot know whether it took effect
	DropBody    Drop = "body"    // in the middle of the answer's body
)

// A GraphQLError is partial data: the value at Path becomes null and the error is added. Path uses the keys of the answer; "*"
// stands for every list position. An error without Path leaves the data alone.
type GraphQLError struct {
	Type    string
	Message string
	Path    []string
}

// An Injected fault can be taken back.
type Injected struct {
	s *Server
	f *Fault
}

type faultState struct {
	seen, struck int
	rand         *rand.Rand
}

// Inject adds a fault. The first that matches a call strikes; faults added earlier go first.
func (s *Server) Inject(f Fault) Injected {
	if f.Name == "" {
		f.Name = "fault"
	}
	in := &f
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, in)
	s.faultStates[in] = &faultState{rand: rand.New(rand.NewPCG(f.Seed, 0))}
	return Injected{s, in}
}

// Remove takes the fault back.
func (i Injected) Remove() {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	i.s.faults = slices.DeleteFunc(i.s.faults, func(f *Fault) bool { return f == i.f })
	delete(i.s.faultStates, i.f)
}

// Struck says how many calls the fault has hit.
func (i Injected) Struck() int {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	if st := i.s.faultStates[i.f]; st != nil {
		return st.struck
	}
	return 0
}

// ClearFaults takes all faults back.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
	clear(s.faultStates)
}

func (s *Server) faultFor(c *call) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		if !f.matches(c) {
			continue
		}
		st := s.faultStates[f]
		st.seen++
		if st.seen <= f.After || f.Times > 0 && st.struck >= f.Times || f.Probability > 0 && st.rand.Float64() >= f.Probability {
			continue
		}
		st.struck++
		return f
	}
	return nil
}

func (f *Fault) matches(c *call) bool {
	if f.Path != "" {
		if ok, err := path.Match(f.Path, c.Path); err != nil || !ok {
			return false
		}
	}
	return (f.Method == "" || f.Method == c.Method) &&
		(f.Route == "" || f.Route == c.Route) &&
		(f.Operation == "" || f.Operation == c.Operation) &&
		(!f.GraphQL || c.GraphQL) &&
		(f.Match == nil || f.Match(c.Call))
}

func (f *Fault) answers() bool     { return f != nil && (f.Status != 0 || f.Secondary) }
func (f *Fault) dropsBefore() bool { return f != nil && f.Drop == DropRequest }
func (f *Fault) dropsAfter() bool  { return f != nil && f.Drop == DropAnswer }
func (f *Fault) shortens() bool    { return f != nil && f.Short }

func (f *Fault) reply(c *call) reply {
	c.header.Set("X-GitHub-Request-Id", requestID())
	if f.Status < 500 {
		_ = c.srv.admit(c) // a refusal shows the caller's limits; a gateway that fails knows nothing of them
	}
	if f.Secondary {
		return secondaryProblem(c, f.Status, f.RetryAfter, f.RetryAfter == 0).reply()
	}
	if f.Body != "" {
		return reply{status: f.Status, raw: []byte(f.Body)}
	}
	return problemf(f.Status, "%s", cmp.Or(f.Message, http.StatusText(f.Status))).reply()
}

// partial lays the fault's GraphQL errors over an answer.
func (f *Fault) partial(data any, errors []any) (any, []any) {
	if f == nil {
		return data, errors
	}
	for _, e := range f.Errors {
		full := object{{"type", e.Type}, {"message", e.Message}}
		if len(e.Path) > 0 {
			var hit [][]any
			data = erase(data, e.Path, nil, &hit)
			if len(hit) > 0 {
				full = append(full, entry{"path", hit[0]})
			}
		}
		errors = append(errors, full)
	}
	return data, errors
}

// erase replaces what lies at the path by null and notes where that was.
func erase(v any, keys []string, at []any, hit *[][]any) any {
	if len(keys) == 0 {
		*hit = append(*hit, slices.Clone(at))
		return nil
	}
	switch v := v.(type) {
	case object:
		for i := range v {
			if v[i].key == keys[0] {
				v[i].value = erase(v[i].value, keys[1:], append(at, v[i].key), hit)
			}
		}
	case []any:
		for i := range v {
			if keys[0] == "*" || strings.TrimSpace(keys[0]) == itoa(i) {
				v[i] = erase(v[i], keys[1:], append(at, i), hit)
			}
		}
	}
	return v
}
