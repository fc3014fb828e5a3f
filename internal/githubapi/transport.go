package githubapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"musterline.example/internal/httpx"
)

// answerWithin bounds one try. GitHub itself ends a call after ten seconds and answers 502 or 504.
const answerWithin = 60 * time.Second

// maxLimited is how often one call may meet a limit and be repeated.
const maxLimited = 4

// A gate is where every call of a client goes out: never to another host, never past the limiter, and once more when GitHub asked to
// wait and the wait is short. What it reads off answers (scopes, expiry, quota) is kept for Probe.
type gate struct {
	c    *Client
	base http.RoundTripper
}

// RoundTrip implements http.RoundTripper. Its errors are *Error, or the context's.
func (g gate) RoundTrip(req *http.Request) (*http.Response, error) {
	c := g.c
	if req.URL.Scheme != c.at.REST.Scheme || !strings.EqualFold(req.URL.Host, c.at.REST.Host) {
		return nil, fmt.Errorf("%w: %s is not %s", httpx.ErrRedirect, req.URL.Host, c.at.REST.Host)
	}
	write, resource := !httpx.IsRead(req), "core"
	if req.URL.Path == c.at.GraphQL.Path {
		resource = "graphql"
	}
	for met := 0; ; met++ {
		again, err := httpx.Rewind(req)
		if err != nil {
			return nil, err
		}
		asked := time.Now()
		release, err := c.shared.limiter.acquire(req.Context(), c.lane, resource, write)
		if err != nil {
			return nil, err
		}
		began := time.Now()
		c.meter.Waited(began.Sub(asked))
		resp, err := g.send(again)
		release()
		g.measure(req.Context(), resource, resp, time.Since(began))
		if err != nil {
			if req.Context().Err() == nil && errors.Is(err, context.DeadlineExceeded) {
				err = fmt.Errorf("no answer within %s", answerWithin)
			}
			c.log(req, 0, "", time.Since(began), err)
			return nil, err
		}
		id := resp.Header.Get("X-GitHub-Request-Id")
		c.log(req, resp.StatusCode, id, time.Since(began), nil)
		state, wait, told := limitOf(resp, resource)
		c.shared.limiter.observe(resource, resp.Header, write, state != "")
		c.shared.seen.observe(resp.Header)
		switch {
		case state == SecondaryLimit:
			wait = c.shared.limiter.block(wait, told, write)
		case state == "":
			if resp.StatusCode == http.StatusUnauthorized {
				c.cred.rejected()
			}
			if resp.StatusCode == http.StatusOK && resp.Header.Get("X-GitHub-SSO") != "" {
				// A 200 that leaves organizations out, the silent form of "not authorized", or GraphQL's refusal.
				return nil, c.unauthorized(resp)
			}
			return resp, nil
		}
		if wait > c.shared.limiter.maxWait || met >= maxLimited {
			e := limited(state, wait)
			e.Status, e.Request = resp.StatusCode, id
			return nil, e
		}
		if state == PrimaryLimit {
			if err := httpx.Sleep(req.Context(), wait); err != nil {
				return nil, err
			}
		}
	}
}

// measure tells the meter of one call. A REST answer costs a point, unless it only says that nothing has changed; what a GraphQL answer
// costs stands in it, and Query tells.
func (g gate) measure(ctx context.Context, resource string, resp *http.Response, took time.Duration) {
	if resp == nil {
		g.c.meter.Called(ctx, resource, 0, took)
		return
	}
	status := resp.StatusCode
	if resp.Header.Get(revalidated) != "" {
		status = http.StatusNotModified
	}
	g.c.meter.Called(ctx, resource, status, took)
	if resource == "core" && status != http.StatusNotModified {
		g.c.meter.Spent(ctx, resource, 1)
	}
	remaining, err1 := strconv.Atoi(resp.Header.Get("X-RateLimit-Remaining"))
	limit, err2 := strconv.Atoi(resp.Header.Get("X-RateLimit-Limit"))
	if err1 == nil && err2 == nil {
		g.c.meter.Left(resource, remaining, limit)
	}
}

func (g gate) send(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), answerWithin)
	defer cancel() // the body is in memory by then
	return g.base.RoundTrip(req.WithContext(ctx))
}

// limitOf says whether an answer is that of a limit, and how long to wait by GitHub's own word, in the order of GitHub's page on rate
// limits: retry-after; else the reset when nothing remains; else at least a minute. GraphQL answers 200 for some of it.
func limitOf(resp *http.Response, resource string) (state State, wait time.Duration, told bool) {
	h := resp.Header
	switch resp.StatusCode {
	case http.StatusForbidden, http.StatusTooManyRequests:
	case http.StatusOK:
		if resource != "graphql" {
			return "", 0, false
		}
	default:
		return "", 0, false
	}
	after, has := httpx.RetryAfter(h, time.Now())
	if resp.StatusCode == http.StatusOK && !has && h.Get("X-RateLimit-Remaining") != "0" && resp.ContentLength > 4096 {
		return "", 0, false // an answer with data, not worth parsing twice
	}
	var said struct {
		Message string `json:"message"`
		Docs    string `json:"documentation_url"`
		Errors  []struct {
			Type    string `json:"type"`
			Message string `json:"message"`
		} `json:"errors"`
		Data json.RawMessage `json:"data"`
	}
	_ = json.Unmarshal(httpx.Body(resp), &said) // a proxy's answer is no JSON and no limit of GitHub's
	primary := false
	var words strings.Builder
	words.WriteString(strings.ToLower(said.Message))
	for _, e := range said.Errors {
		primary = primary || e.Type == "RATE_LIMITED" || e.Type == "RATE_LIMIT"
		words.WriteString(" " + strings.ToLower(e.Message))
	}
	secondary := strings.Contains(words.String(), "secondary rate limit") || strings.Contains(words.String(), "abuse detection") ||
		strings.Contains(said.Docs, "secondary-rate-limits") || strings.Contains(said.Docs, "abuse-rate-limits")
	if resp.StatusCode == http.StatusOK && !primary && !secondary && !(has && len(said.Data) == 0) {
		return "", 0, false
	}
	switch reset := resetOf(h); {
	case has:
		return SecondaryLimit, after, true
	case secondary && (h.Get("X-RateLimit-Remaining") != "0" || reset <= 0):
		return SecondaryLimit, 0, false
	case primary || h.Get("X-RateLimit-Remaining") == "0":
		if reset <= 0 {
			return SecondaryLimit, 0, false
		}
		return PrimaryLimit, reset, true
	case resp.StatusCode == http.StatusTooManyRequests:
		return SecondaryLimit, 0, false
	}
	return "", 0, false
}

func resetOf(h http.Header) time.Duration {
	var unix int64
	if _, err := fmt.Sscan(h.Get("X-RateLimit-Reset"), &unix); err != nil {
		return 0
	}
	return time.Until(localTime(h, time.Unix(unix, 0)))
}

// A signer adds the credential, as the last thing before the network, so that nothing above it ever holds one.
type signer struct {
	cred credential
	base http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (s signer) RoundTrip(req *http.Request) (*http.Response, error) {
	token, err := s.cred.token(req.Context())
	if err != nil {
		return nil, err
	}
	req = req.Clone(req.Context())
	req.Header.Set("Authorization", "Bearer "+token)
	return s.base.RoundTrip(req)
}

// contextError returns the context's error in err's chain, alone.
func contextError(err error) error {
	for _, end := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, end) {
			return end
		}
	}
	return nil
}
