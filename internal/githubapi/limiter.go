package githubapi

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"musterline.example/internal/httpx"
)

// A Lane says who waits for a call.
type Lane int

// The lanes. A person's calls, and those that an event has caused, go before those of the schedule.
const (
	Person Lane = iota
	Schedule
)

// ParseLane reads "person", "event" or "schedule"; anything else is the schedule.
func ParseLane(word string) Lane {
	if word == "person" || word == "event" {
		return Person
	}
	return Schedule
}

// GitHub's own figures (rate limits and best practices for the REST API): 100 calls at once, of which we take a tenth; writes one after
// the other and a second apart; 80 writes a minute. After a secondary limit that does not say for how long: at least a minute, then longer.
const (
	defaultPace    = time.Second
	defaultAtOnce  = 10
	defaultMaxWait = 15 * time.Second
	secondaryWait  = time.Minute
	slowest        = 30 * time.Second
	calmAfter      = 20 // writes without a limit, after which the pace is believed again
)

// A Limiter keeps everything that uses one credential within GitHub's limits. It is shared by the whole process, because the limits are.
type Limiter struct {
	mu      sync.Mutex
	pace    time.Duration
	maxWait time.Duration

	reads, writes queue
	blocked       time.Time     // secondary limit: nothing before
	strikes       int           // secondary limits in a row that gave no time
	slow          time.Duration // the pace, while secondary limits are fresh
	calm          int
	quotas        map[string]Quota
}

// A Quota is the hourly ration of one resource, as GitHub last told it.
type Quota struct {
	Limit, Remaining int
	Reset            time.Time
}

// NewLimiter returns a limiter that spaces writes by pace (negative: the default, a second) and never waits longer than maxWait
// (zero: 15 seconds) for a limit to pass: a caller who would have to wait longer gets an error that says until when.
func NewLimiter(pace, maxWait time.Duration) *Limiter {
	l := &Limiter{maxWait: maxWait, quotas: map[string]Quota{}}
	if maxWait == 0 {
		l.maxWait = defaultMaxWait
	}
	l.reads.free, l.writes.free = defaultAtOnce, 1
	l.SetPace(pace)
	return l
}

// SetPace changes the spacing of writes; negative is the default.
func (l *Limiter) SetPace(pace time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if pace < 0 {
		pace = defaultPace
	}
	l.pace = pace
}

// Quota returns what GitHub last said of a resource, "core" or "graphql".
func (l *Limiter) Quota(resource string) Quota {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.quotas[resource]
}

// A queue hands out places, to persons first and in order of arrival.
type queue struct {
	free    int
	next    time.Time // no place before
	waiting [2][]*waiter
	timer   *time.Timer
}

type waiter struct{ ready chan struct{} }

func (q *queue) pop() *waiter {
	for lane := range q.waiting {
		if len(q.waiting[lane]) > 0 {
			w := q.waiting[lane][0]
			q.waiting[lane] = q.waiting[lane][1:]
			return w
		}
	}
	return nil
}

func (q *queue) empty() bool { return len(q.waiting[Person])+len(q.waiting[Schedule]) == 0 }

// acquire waits for a place and returns the function that gives it back.
func (l *Limiter) acquire(ctx context.Context, lane Lane, resource string, write bool) (release func(), err error) {
	q := &l.reads
	if write {
		q = &l.writes
	}
	for {
		l.mu.Lock()
		wait, refusal := l.rationed(lane, resource)
		if refusal != nil {
			l.mu.Unlock()
			return nil, refusal
		}
		if wait > 0 {
			l.mu.Unlock()
			if err := httpx.Sleep(ctx, wait); err != nil {
				return nil, err
			}
			continue
		}
		w := &waiter{ready: make(chan struct{})}
		q.waiting[lane] = append(q.waiting[lane], w)
		l.dispatch(q)
		l.mu.Unlock()

		select {
		case <-w.ready:
		case <-ctx.Done():
			l.leave(q, lane, w)
			return nil, ctx.Err()
		}
		// While this call stood in the queue another may have met a limit.
		l.mu.Lock()
		wait, refusal = l.rationed(lane, resource)
		l.mu.Unlock()
		if wait > 0 || refusal != nil {
			l.giveBack(q)
			continue
		}
		return sync.OnceFunc(func() { l.giveBack(q) }), nil
	}
}

// rationed says how long a call has to wait for a limit, or that it is too long to wait for.
func (l *Limiter) rationed(lane Lane, resource string) (time.Duration, *Error) {
	now := time.Now()
	if wait := l.blocked.Sub(now); wait > l.maxWait {
		return 0, limited(SecondaryLimit, wait)
	} else if wait > 0 {
		return wait, nil
	}
	q := l.quotas[resource]
	wait := q.Reset.Sub(now)
	if q.Limit == 0 || wait <= 0 {
		return 0, nil
	}
	state := PrimaryLimit
	switch {
	case q.Remaining <= 0:
	case lane == Schedule && q.Remaining <= q.Limit/2:
		state = QuotaReserved
	default:
		return 0, nil
	}
	if wait > l.maxWait {
		return 0, limited(state, wait)
	}
	return wait, nil
}

// dispatch gives free places to those who wait. The caller holds the lock.
func (l *Limiter) dispatch(q *queue) {
	for q.free > 0 && !q.empty() {
		if wait := time.Until(q.next); wait > 0 {
			if q.timer == nil {
				q.timer = time.AfterFunc(wait, func() {
					l.mu.Lock()
					defer l.mu.Unlock()
					q.timer = nil
					l.dispatch(q)
				})
			}
			return
		}
		w := q.pop()
		q.free--
		if q == &l.writes {
			q.next = time.Now().Add(max(l.pace, l.slow))
		}
		close(w.ready)
	}
}

func (l *Limiter) giveBack(q *queue) {
	l.mu.Lock()
	defer l.mu.Unlock()
	q.free++
	l.dispatch(q)
}

// leave takes a waiter out of the queue, or gives its place back if it was given one in the same moment.
func (l *Limiter) leave(q *queue, lane Lane, w *waiter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(q.waiting[lane], w); i >= 0 {
		q.waiting[lane] = slices.Delete(q.waiting[lane], i, i+1)
		if q.empty() && q.timer != nil {
			q.timer.Stop()
			q.timer = nil
		}
		return
	}
	q.free++
	l.dispatch(q)
}

// observe notes the quota that an answer tells and, of an answer without complaint, that all is well.
func (l *Limiter) observe(resource string, h http.Header, write, refused bool) {
	limit, err1 := strconv.Atoi(h.Get("X-RateLimit-Limit"))
	remaining, err2 := strconv.Atoi(h.Get("X-RateLimit-Remaining"))
	reset, err3 := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err1 == nil && err2 == nil && err3 == nil {
		l.quotas[resource] = Quota{limit, remaining, localTime(h, time.Unix(reset, 0))}
	}
	if refused {
		return
	}
	l.strikes = 0
	if write && l.slow > 0 {
		if l.calm++; l.calm >= calmAfter {
			l.calm, l.slow = 0, l.slow/2
			if l.slow <= l.pace {
				l.slow = 0
			}
		}
	}
}

// block stops everything for a while after a secondary limit and slows writes down. It returns how long the caller has to wait, which is
// GitHub's word if it gave one, else a minute and longer each time.
func (l *Limiter) block(wait time.Duration, told, write bool) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !told {
		wait = min(secondaryWait<<l.strikes, 16*time.Minute)
		l.strikes = min(l.strikes+1, 4)
	}
	if write {
		l.calm, l.slow = 0, min(max(2*l.slow, 2*l.pace, 200*time.Millisecond), slowest)
	}
	if until := time.Now().Add(wait); until.After(l.blocked) {
		l.blocked = until
	}
	return time.Until(l.blocked)
}

// localTime turns a moment of the server's clock into one of ours, by the answer's own Date.
func localTime(h http.Header, at time.Time) time.Time {
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return at
	}
	return time.Now().Add(at.Sub(date))
}
