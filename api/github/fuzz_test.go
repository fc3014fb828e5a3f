package github_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"musterline.example/api"
	"musterline.example/api/access"
	"musterline.example/api/github"
)

// quiet is a lab whose requests go without a network.
type quiet struct {
	*lab
	h     http.Handler
	token string
}

func newQuiet(f testing.TB) *quiet {
	f.Helper()
	l := newLabOn(f, "sqlite:"+filepath.Join(f.TempDir(), "a.db"), func(l *lab) { l.hasty = true })
	who := access.New(access.Options{Tokens: l.store, Now: l.clock})
	room := github.New(github.Options{
		Access: who, Memory: l.store, Targets: []github.Target{l.opened("octo", "acme", l.ghWeb)}, Sources: []string{"corp"},
		Key: []byte("a key of the servers"), Limit: 1 << 40, Now: l.clock,
	})
	return &quiet{l, api.New(api.Options{GitHub: room}), l.token(access.Owner, "octo")}
}

func (q *quiet) ask(method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/", strings.NewReader(body))
	u, err := url.ParseRequestURI(path)
	if err != nil {
		return nil // no client could send it
	}
	r.URL = u
	r.Header.Set("Authorization", "Bearer "+q.token)
	w := httptest.NewRecorder()
	q.h.ServeHTTP(w, r)
	return w
}

// sound holds an answer against what every answer must be.
func sound(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	if w.Code >= http.StatusInternalServerError {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	var body map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	if w.Code >= http.StatusBadRequest {
		if m, ok := body["message"].(string); !ok || m == "" || body["documentation_url"] == nil {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
}

// Whatever a body holds, either it is refused and nothing has changed, or it has become the groups of the team as it said.
func FuzzBody(f *testing.F) {
	for _, body := range []string{
		wish(), wish("1"), wish("1", "2", "3", "4", "5", "6"), wish("1", "1"), "", "{}", "null", "[", `{"groups":null}`, `{"groups":[{}]}`,
		`{"groups":[{"group_id":"corp:1","group_name":"a\u0000","group_description":"\ud800"}]}`, `{"groups":[],"groups":[1]}`, `{"GROUPS":[]}`,
		`{"groups":[{"group_id":"corp:1","group_name":"a","group_description":"b","x":[{}]}],"y":1e999}`, "{\"groups\":[]}\x00", "\xff",
	} {
		f.Add(body, false)
		f.Add(body, true)
	}
	q := newQuiet(f)
	f.Fuzz(func(t *testing.T, body string, legacy bool) {
		path := mappings
		if legacy {
			path = q.legacy("platform", "/team-sync/group-mappings")
		}
		before := q.ask(http.MethodGet, mappings, "").Body.String()
		w := q.ask(http.MethodPatch, path, body)
		sound(t, w)
		after := q.ask(http.MethodGet, mappings, "").Body.String()
		switch {
		case w.Code != http.StatusOK && after != before:
			t.Fatalf("refused with %d, and changed:\n%s\n%s", w.Code, before, after)
		case w.Code == http.StatusOK && after != w.Body.String():
			t.Fatalf("said:\n%s\nis:\n%s", w.Body, after)
		case w.Code == http.StatusOK && strings.Contains(after, `"groups":[]`):
			var said struct{ Groups *[]any }
			if err := json.Unmarshal([]byte(body), &said); err != nil || said.Groups == nil {
				t.Fatalf("unmapped by %q", body)
			}
		}
	})
}

// Whatever a cursor is, it leads to a page of the list or is refused; it never ends the list early.
func FuzzCursor(f *testing.F) {
	q := newQuiet(f)
	q.many("corp", "Group", 9)
	q.pass(2 * time.Second)
	link := q.ask(http.MethodGet, list+"?per_page=4&q=g", "").Header().Get("Link")
	u, err := url.Parse(strings.TrimPrefix(strings.Split(link, ">")[0], "<"))
	if err != nil {
		f.Fatal(err)
	}
	good := u.Query().Get("page")
	for _, cursor := range []string{good, good[1:], good + "A", "1", "", "g", "gAAAA", strings.ToLower(good), "\x00", strings.Repeat("g", 9000)} {
		f.Add(cursor, "4", "g")
	}
	f.Add(good, "5", "g")
	f.Add(good, "4", "")
	f.Add("", "-1", "\xff\x00")
	f.Add("", "1e9", "%")
	f.Fuzz(func(t *testing.T, cursor, size, prefix string) {
		query := url.Values{"page": {cursor}, "per_page": {size}, "q": {prefix}}
		w := q.ask(http.MethodGet, list+"?"+query.Encode(), "")
		sound(t, w)
		switch {
		case w.Code == http.StatusOK && cursor != "" && (cursor != good || size != "4" || prefix != "g"):
			t.Fatalf("taken: %s", w.Body)
		case w.Code == http.StatusOK && cursor != "" && strings.Contains(w.Body.String(), `"groups":[]`):
			t.Fatal("an empty page")
		case w.Code != http.StatusOK && w.Code != http.StatusUnprocessableEntity:
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	})
}

// Whatever is asked for, the answer is one.
func FuzzRequest(f *testing.F) {
	for _, path := range []string{
		mappings, list, "/api/v3" + list, "/octo/api/v3/user", "/orgs/acme/teams/%2e%2e/team-sync/group-mappings", "/orgs/a%00b", "/orgs/acme/teams/%ff",
		"/organizations/9223372036854775808/team/1", "/teams/-1/team-sync/group-mappings", "//", "/%2f", "/orgs/acme?q=%zz", "/orgs/acme/teams/a;b", "*",
	} {
		f.Add("GET", path)
		f.Add("PATCH", path)
	}
	f.Add("BREW", "/")
	f.Add("PUT", "/orgs/acme/teams/platform/memberships/ann")
	q := newQuiet(f)
	f.Fuzz(func(t *testing.T, method, path string) {
		if strings.ContainsFunc(method, func(r rune) bool { return r < 'A' || r > 'Z' }) || method == "" || method == http.MethodHead {
			return
		}
		if w := q.ask(method, path, ""); w != nil {
			sound(t, w)
		}
	})
}

// Whatever stands in the header, it is a credential that is good or it is none.
func FuzzAuthorization(f *testing.F) {
	for _, header := range []string{"Bearer x", "token", "Basic YTpi", "Basic :", "", " ", "Bearer \x00", "Bearer mst_", "bearer  " + strings.Repeat("a", 9000)} {
		f.Add(header)
	}
	q := newQuiet(f)
	f.Fuzz(func(t *testing.T, header string) {
		r := httptest.NewRequest(http.MethodGet, "/nothing", nil)
		r.Header["Authorization"] = []string{header}
		w := httptest.NewRecorder()
		q.h.ServeHTTP(w, r)
		if sound(t, w); w.Code != http.StatusNotFound && w.Code != http.StatusTooManyRequests {
			t.Fatal(w.Code)
		}
	})
}
