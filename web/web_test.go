package web

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func get(t *testing.T, h http.Handler, method, path, encoding string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	r.Header.Set("Accept-Encoding", encoding)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func text(t *testing.T, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestTheConsoleIsServed(t *testing.T) {
	h := &handler{files: fstest.MapFS{
		"index.html":       {Data: []byte("<p>page")},
		"assets/a-1234.js": {Data: []byte("run()")},
	}}
	for path, want := range map[string]struct {
		status           int
		body, kind, keep string
	}{
		"/console/":                              {200, "<p>page", "text/html; charset=utf-8", "no-cache"},
		"/console/organizations/octo/teams/ops":  {200, "<p>page", "text/html; charset=utf-8", "no-cache"},
		"/console/../../etc/passwd":              {200, "<p>page", "text/html; charset=utf-8", "no-cache"},
		"/console/assets/a-1234.js":              {200, "run()", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"},
		"/console/assets/of-another-version.css": {404, "There is no such file (any more): reload the page.\n", "text/plain; charset=utf-8", "no-store"},
	} {
		got := get(t, h, http.MethodGet, path, "")
		if body := text(t, got.Body); got.StatusCode != want.status || body != want.body {
			t.Errorf("%s: %d %q", path, got.StatusCode, body)
		}
		if kind, keep := got.Header.Get("Content-Type"), got.Header.Get("Cache-Control"); kind != want.kind || keep != want.keep {
			t.Errorf("%s: %q, %q", path, kind, keep)
		}
		if policy := got.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: %q", path, policy)
		}
	}
	for range 2 {
		got := get(t, h, http.MethodGet, "/console/", "br, gzip")
		z, err := gzip.NewReader(got.Body)
		if err != nil || text(t, z) != "<p>page" {
			t.Errorf("packed: %v", err)
		}
	}
	if got := get(t, h, http.MethodPost, "/console/", ""); got.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("it took a POST: %d", got.StatusCode)
	}
	if got := get(t, h, http.MethodGet, "/console", ""); got.Header.Get("Location") != "/console/" {
		t.Errorf("%v", got.Header)
	}
}

func TestAProgramWithoutTheConsoleSaysSo(t *testing.T) {
	h := &handler{files: fstest.MapFS{}}
	if body := text(t, get(t, h, http.MethodGet, "/console/", "").Body); !strings.Contains(body, "built without Node") {
		t.Errorf("%s", body)
	}
}
