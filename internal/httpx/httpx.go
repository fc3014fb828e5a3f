// Package httpx is what every client of somebody else's API needs below it: answers read whole and bounded, reads tried again when a
// gateway fails, redirects that stay on one host, and the two forms of Retry-After.
//
// It knows no vendor and no stage. The pieces are http.RoundTrippers and small functions, put together by whoever owns the client.
package httpx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// DefaultMaxBody bounds an answer where nothing else is said. A page of a hundred of anything is far below it.
const DefaultMaxBody = 64 << 20

// ErrTooLarge is the error of an answer longer than its bound.
var ErrTooLarge = errors.New("the answer is larger than allowed")

// A Buffer reads each answer whole before it hands it on, at most Max bytes. A connection that is cut in the middle of a body is then
// an error of RoundTrip like any other, and everything above may look into the body as often as it likes.
type Buffer struct {
	Base http.RoundTripper // http.DefaultTransport when nil
	Max  int64             // DefaultMaxBody when zero
}

// RoundTrip implements http.RoundTripper.
func (b Buffer) RoundTrip(req *http.Request) (*http.Response, error) {
	base, limit := b.Base, b.Max
	if base == nil {
		base = http.DefaultTransport
	}
	if limit == 0 {
		limit = DefaultMaxBody
	}
	resp, err := base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	_ = resp.Body.Close() // read to the end or given up
	switch {
	case int64(len(body)) > limit:
		return nil, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, limit)
	case err != nil:
		return nil, fmt.Errorf("the connection was cut in the middle of the answer: %w", err)
	}
	SetBody(resp, body)
	return resp, nil
}

// SetBody gives an answer another body.
func SetBody(resp *http.Response, body []byte) {
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
}

// Body returns the body of an answer that a Buffer has read, and leaves it readable.
func Body(resp *http.Response) []byte {
	body, _ := io.ReadAll(resp.Body) // from memory
	SetBody(resp, body)
	return body
}

// Rewind returns a copy of a request with its body at the start, for another try.
func Rewind(req *http.Request) (*http.Request, error) {
	again := req.Clone(req.Context())
	if req.Body == nil || req.Body == http.NoBody {
		return again, nil
	}
	if req.GetBody == nil {
		return nil, errors.New("the request's body cannot be sent twice")
	}
	body, err := req.GetBody()
	again.Body = body
	return again, err
}

// Sleep waits for d or until the context ends, whose error it then returns.
func Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// maxWait, in seconds, is more than anybody waits and less than a Duration overflows at.
const maxWait = 365 * 24 * 60 * 60

// RetryAfter reads the header of that name in its two forms, seconds and a date (RFC 9110, 10.2.3). A date is held against the answer's
// own Date, so that a clock that is wrong on either side does not matter.
func RetryAfter(h http.Header, now time.Time) (time.Duration, bool) {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if v == "" {
		return 0, false
	}
	if n, err := strconv.Atoi(v); err == nil {
		return time.Duration(min(max(n, 0), maxWait)) * time.Second, true
	}
	at, err := http.ParseTime(v)
	if err != nil {
		return 0, false
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	return max(at.Sub(now), 0), true
}

// SameHost returns a redirect policy that follows only to the scheme and host of base, ten times, and never with another method:
// net/http would turn a redirected PUT into a GET, whose success would then pass for that of the PUT.
func SameHost(base *url.URL) func(*http.Request, []*http.Request) error {
	return func(req *http.Request, via []*http.Request) error {
		switch {
		case req.URL.Scheme != base.Scheme || !strings.EqualFold(req.URL.Host, base.Host):
			return fmt.Errorf("%w: to another host than %s", ErrRedirect, base.Host)
		case len(via) >= 10:
			return fmt.Errorf("%w: ten in a row", ErrRedirect)
		case req.Method != via[len(via)-1].Method:
			return fmt.Errorf("%w: a %s would become a %s", ErrRedirect, via[len(via)-1].Method, req.Method)
		}
		return nil
	}
}

// ErrRedirect is the error of a redirect that SameHost does not follow.
var ErrRedirect = errors.New("redirect not followed")
