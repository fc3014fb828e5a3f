package httpx_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"musterline.example/internal/httpx"
)

type answers func(req *http.Request) (*http.Response, error)

func (a answers) RoundTrip(req *http.Request) (*http.Response, error) { return a(req) }

func answer(status int, header http.Header, body string) *http.Response {
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body))}
}

func request(ctx context.Context, method string) *http.Request {
	req, err := http.NewRequestWithContext(ctx, method, "https://api.example/x", strings.NewReader("body"))
	if err != nil {
		panic(err)
	}
	return req
}

func TestReadsAreTriedAgainAfterABrokenGateway(t *testing.T) {
	for _, c := range []struct {
		name   string
		method string
		ctx    func(context.Context) context.Context
		first  func() (*http.Response, error)
		tries  int
	}{
		{"502", "GET", nil, func() (*http.Response, error) { return answer(502, nil, ""), nil }, 2},
		{"503", "GET", nil, func() (*http.Response, error) { return answer(503, nil, ""), nil }, 2},
		{"503 that says when", "GET", nil, func() (*http.Response, error) { return answer(503, http.Header{"Retry-After": {"7"}}, ""), nil }, 2},
		{"503 for too long", "GET", nil, func() (*http.Response, error) { return answer(503, http.Header{"Retry-After": {"70"}}, ""), nil }, 1},
		{"504", "GET", nil, func() (*http.Response, error) { return answer(504, nil, ""), nil }, 2},
		{"500", "GET", nil, func() (*http.Response, error) { return answer(500, nil, ""), nil }, 1},
		{"cut", "GET", nil, func() (*http.Response, error) { return nil, io.ErrUnexpectedEOF }, 2},
		{"too large", "GET", nil, func() (*http.Response, error) { return nil, httpx.ErrTooLarge }, 1},
		{"a write", "PUT", nil, func() (*http.Response, error) { return answer(502, nil, ""), nil }, 1},
		{"a write that was cut", "PUT", nil, func() (*http.Response, error) { return nil, io.ErrUnexpectedEOF }, 1},
		{"a query by POST", "POST", httpx.AsRead, func() (*http.Response, error) { return answer(502, nil, ""), nil }, 2},
		{"a query that can ask for less", "POST", func(ctx context.Context) context.Context { return httpx.GatewayOnce(httpx.AsRead(ctx)) }, func() (*http.Response, error) { return answer(502, nil, ""), nil }, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tries := 0
				r := httpx.Retry{Base: answers(func(req *http.Request) (*http.Response, error) {
					if body, _ := io.ReadAll(req.Body); string(body) != "body" {
						t.Errorf("try %d sent %q", tries, body)
					}
					if tries++; tries == 1 {
						return c.first()
					}
					return answer(200, nil, "fine"), nil
				})}
				ctx := t.Context()
				if c.ctx != nil {
					ctx = c.ctx(ctx)
				}
				resp, err := r.RoundTrip(request(ctx, c.method))
				if tries != c.tries {
					t.Errorf("%d tries, want %d", tries, c.tries)
				}
				if tries == 2 && (err != nil || resp.StatusCode != 200) {
					t.Errorf("%v, %v", resp, err)
				}
			})
		})
	}
}

func TestTriesEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries, began := 0, time.Now()
		resp, err := httpx.Retry{Base: answers(func(*http.Request) (*http.Response, error) {
			tries++
			return answer(502, nil, ""), nil
		})}.RoundTrip(request(t.Context(), "GET"))
		if err != nil || resp.StatusCode != 502 || tries != 4 {
			t.Errorf("%v, %v after %d tries", resp, err, tries)
		}
		if took := time.Since(began); took < 3*time.Second || took > 5*time.Second {
			t.Errorf("took %s", took)
		}
	})
}

func TestACancelledContextEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := httpx.Retry{Base: answers(func(*http.Request) (*http.Response, error) { return answer(502, nil, ""), nil })}.RoundTrip(request(ctx, "GET"))
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
}

func TestAnAnswerIsReadWholeOrIsAnError(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/cut" {
			w.Header().Set("Content-Length", "100")
		}
		_, _ = io.WriteString(w, "0123456789")
	}))
	defer web.Close()
	for _, c := range []struct {
		path string
		max  int64
		want error
	}{{"/", 10, nil}, {"/", 9, httpx.ErrTooLarge}, {"/cut", 1000, io.ErrUnexpectedEOF}} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", web.URL+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := httpx.Buffer{Max: c.max}.RoundTrip(req)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.path, err, c.want)
		}
		if err != nil {
			continue
		}
		for range 2 {
			if body := string(httpx.Body(resp)); body != "0123456789" {
				t.Errorf("%s: the body reads %q", c.path, body)
			}
		}
	}
}

func TestRetryAfterInItsTwoForms(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		value, date string
		want        time.Duration
		ok          bool
	}{
		{"", "", 0, false}, {"soon", "", 0, false}, {"30", "", 30 * time.Second, true}, {"-1", "", 0, true}, {"9999999999999", "", 365 * 24 * time.Hour, true},
		{"Fri, 20 Nov 2026 12:01:00 GMT", "", time.Minute, true},
		{"Fri, 20 Nov 2026 12:01:00 GMT", "Fri, 20 Nov 2026 12:00:50 GMT", 10 * time.Second, true},
		{"Fri, 20 Nov 2026 11:00:00 GMT", "", 0, true},
	} {
		h := http.Header{"Retry-After": {c.value}, "Date": {c.date}}
		if d, ok := httpx.RetryAfter(h, now); d != c.want || ok != c.ok {
			t.Errorf("%q: %s, %t", c.value, d, ok)
		}
	}
}

func TestRedirectsStayOnTheHostAndKeepTheirMethod(t *testing.T) {
	base, _ := url.Parse("https://api.example/v3/")
	for _, c := range []struct {
		to, method string
		follow     bool
	}{
		{"https://api.example/other", "GET", true},
		{"https://API.example/other", "GET", true},
		{"http://api.example/other", "GET", false},
		{"https://api.example.evil/other", "GET", false},
		{"https://api.example:444/other", "GET", false},
		{"https://api.example/other", "PUT", false},
	} {
		first, _ := http.NewRequest(c.method, "https://api.example/v3/x", nil)
		next, _ := http.NewRequest("GET", c.to, nil)
		if err := httpx.SameHost(base)(next, []*http.Request{first}); (err == nil) != c.follow {
			t.Errorf("%s to %s: %v", c.method, c.to, err)
		}
	}
}
