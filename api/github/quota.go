package github

import (
	"container/list"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// How many requests an hour there are, where nothing else is said. GitHub gives a person 5,000 and a stranger 60 ("Rate limits for the REST
// API"); ours protect a server that has less to do for each.
const (
	defaultLimit   = 100_000
	anonymousLimit = 60
	quotaWindow    = time.Hour
	quotaCallers   = 50_000 // that are remembered at once
)

// quotas count requests by caller.
type quotas struct {
	limit int
	now   func() time.Time

	mu      sync.Mutex
	windows map[string]*list.Element // of *window
	order   list.List                // the same, in the order of their ends: an hour that begins later ends later
}

// A window is one caller's hour.
type window struct {
	caller string
	used   int
	ends   time.Time
}

// A quota is how a caller stands.
type quota struct {
	Limit     int   `json:"limit"`
	Remaining int   `json:"remaining"`
	Reset     int64 `json:"reset"` // seconds since 1970 in UTC
	Used      int   `json:"used"`
}

func newQuotas(limit int, now func() time.Time) *quotas {
	return &quotas{limit: limit, now: now, windows: map[string]*list.Element{}}
}

// see returns how a caller stands after using so many requests more.
func (q *quotas) see(caller string, limit, use int) quota {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	w := q.window(caller, now)
	w.used = min(w.used+use, limit)
	return quota{Limit: limit, Remaining: limit - w.used, Reset: w.ends.Unix(), Used: w.used}
}

// window returns the hour of a caller, or begins one. When too many are remembered the one that ends first is forgotten: who is forgotten
// begins a new hour.
func (q *quotas) window(caller string, now time.Time) *window {
	if e := q.windows[caller]; e != nil {
		if w, _ := e.Value.(*window); now.Before(w.ends) {
			return w
		}
		q.forget(e)
	}
	if len(q.windows) >= quotaCallers {
		q.forget(q.order.Front())
	}
	w := &window{caller: caller, ends: now.Add(quotaWindow)}
	q.windows[caller] = q.order.PushBack(w)
	return w
}

func (q *quotas) forget(e *list.Element) {
	if w, ok := q.order.Remove(e).(*window); ok {
		delete(q.windows, w.caller)
	}
}

// A meter charges a request when its answer is begun, and writes on it how the caller stands. What has not changed is free, as on GitHub.
type meter struct {
	http.ResponseWriter
	quotas *quotas
	caller string
	limit  int
	free   bool
	done   bool
}

// WriteHeader implements http.ResponseWriter.
func (m *meter) WriteHeader(status int) {
	if !m.done {
		m.done = true
		use := 1
		if m.free || status == http.StatusNotModified {
			use = 0
		}
		show(m.Header(), m.quotas.see(m.caller, m.limit, use))
	}
	m.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (m *meter) Write(b []byte) (int, error) {
	if !m.done {
		m.WriteHeader(http.StatusOK)
	}
	return m.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController through.
func (m *meter) Unwrap() http.ResponseWriter { return m.ResponseWriter }

func show(h http.Header, q quota) {
	h.Set("X-RateLimit-Limit", strconv.Itoa(q.Limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(q.Remaining))
	h.Set("X-RateLimit-Used", strconv.Itoa(q.Used))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(q.Reset, 10))
	h.Set("X-RateLimit-Resource", "core")
}
