package httpx

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"
)

// A Retry repeats reads that met a broken gateway: 502, 503, 504, or a connection that failed or was cut. Writes pass through, for
// nobody can know whether a write that was cut has happened. It belongs above whatever must see each try, such as a limiter.
type Retry struct {
	Base  http.RoundTripper
	Tries int                                              // 4 when zero
	Wait  func(try int) time.Duration                      // before the try after that one; Backoff when nil
	Sleep func(ctx context.Context, d time.Duration) error // Sleep when nil
	// Final says of an error that it is an answer and no accident, so that it is not tried again. May be nil.
	Final func(error) bool
	// MaxWait bounds how long a Retry-After of a 503 is obeyed; 10 seconds when zero.
	MaxWait time.Duration
}

// Backoff waits half a second, one, two, four …, with a quarter of chance, so that many clients do not come back at once.
func Backoff(try int) time.Duration {
	d := 500 * time.Millisecond << min(try, 6)
	return d + rand.N(d/4)
}

type readKey struct{}
type onceKey struct{}

// AsRead says of all requests under the context that they change nothing, whatever their method: a query that is sent by POST.
func AsRead(ctx context.Context) context.Context { return context.WithValue(ctx, readKey{}, true) }

// GatewayOnce says that a 502 or 504 is an answer: that what was asked is too much. A caller who can ask for less wants it at once.
func GatewayOnce(ctx context.Context) context.Context { return context.WithValue(ctx, onceKey{}, true) }

// IsRead reports whether a request changes nothing.
func IsRead(req *http.Request) bool {
	switch req.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return true
	}
	marked, _ := req.Context().Value(readKey{}).(bool)
	return marked
}

// RoundTrip implements http.RoundTripper.
func (r Retry) RoundTrip(req *http.Request) (*http.Response, error) {
	tries, wait, sleep, bound := r.Tries, r.Wait, r.Sleep, r.MaxWait
	if tries == 0 {
		tries = 4
	}
	if wait == nil {
		wait = Backoff
	}
	if sleep == nil {
		sleep = Sleep
	}
	if bound == 0 {
		bound = 10 * time.Second
	}
	if !IsRead(req) {
		return r.Base.RoundTrip(req)
	}
	for try := 0; ; try++ {
		again, err := Rewind(req)
		if err != nil {
			return nil, err
		}
		resp, err := r.Base.RoundTrip(again)
		if try+1 >= tries || !r.worth(req, resp, err) {
			return resp, err
		}
		d := wait(try)
		if resp != nil {
			if asked, ok := RetryAfter(resp.Header, time.Now()); ok {
				d = max(d, asked)
			}
		}
		if d > bound {
			return resp, err
		}
		if err := sleep(req.Context(), d); err != nil {
			return nil, err
		}
	}
}

func (r Retry) worth(req *http.Request, resp *http.Response, err error) bool {
	if err != nil {
		return req.Context().Err() == nil && !errors.Is(err, ErrTooLarge) && (r.Final == nil || !r.Final(err))
	}
	switch resp.StatusCode {
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		once, _ := req.Context().Value(onceKey{}).(bool)
		return !once
	case http.StatusServiceUnavailable:
		return true
	}
	return false
}
