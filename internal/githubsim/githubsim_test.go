package githubsim_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"musterline.example/internal/githubsim"
)

// A clock is moved by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// A lab is a simulated GitHub with the organization acme: ann owns it; bob, cy and dee are members; eve is nobody there.
type lab struct {
	t     *testing.T
	clock *clock
	gh    *githubsim.Server
	acme  *githubsim.Organization
	web   *httptest.Server

	faulty atomic.Bool // answers are not held against the published description any more
}

const annToken = "ghp_ann"

func newLab(t *testing.T, change ...func(*githubsim.Options)) *lab {
	t.Helper()
	w := githubsim.NewWorld()
	l := &lab{t: t, clock: &clock{now: time.Date(2030, 3, 4, 5, 6, 7, 0, time.UTC)}}
	opts := githubsim.Options{World: w, Now: l.clock.Now}
	for _, c := range change {
		c(&opts)
	}
	l.gh = githubsim.New(opts)
	l.acme = w.AddOrganization("acme", "ann")
	for _, login := range []string{"bob", "cy", "dee"} {
		l.acme.AddMember(login)
	}
	w.AddUser("eve")
	l.gh.PutToken(githubsim.Token{Value: annToken, User: "ann", Scopes: []string{"admin:org"}})
	l.web = httptest.NewServer(watched(l, l.gh))
	t.Cleanup(l.web.Close)
	return l
}

// An answer is a response with its body read.
type answer struct {
	*http.Response
	body []byte
}

func (a answer) into(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
}

func (a answer) object(t *testing.T) map[string]any {
	t.Helper()
	var m map[string]any
	a.into(t, &m)
	return m
}

// do sends a request with ann's token. Headers are given as "Name: value"; one of Authorization takes the place of the token.
func (l *lab) do(method, path, body string, headers ...string) answer {
	l.t.Helper()
	a, err := l.try(method, path, body, headers...)
	if err != nil {
		l.t.Fatal(err)
	}
	return a
}

func (l *lab) try(method, path, body string, headers ...string) (answer, error) {
	l.t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	url := path
	if !strings.HasPrefix(path, "http") {
		url = l.web.URL + path
	}
	req, err := http.NewRequest(method, url, r)
	if err != nil {
		l.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+annToken)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return answer{resp, b}, err
}

// want sends a request and holds its status.
func (l *lab) want(status int, method, path, body string, headers ...string) answer {
	l.t.Helper()
	a := l.do(method, path, body, headers...)
	if a.StatusCode != status {
		l.t.Fatalf("%s %s: %d, want %d: %s", method, path, a.StatusCode, status, a.body)
	}
	return a
}

// query runs a GraphQL document and returns data and errors.
func (l *lab) query(query string, variables map[string]any, headers ...string) (data map[string]any, errs []any) {
	l.t.Helper()
	b, _ := json.Marshal(map[string]any{"query": query, "variables": variables})
	m := l.want(200, "POST", "/graphql", string(b), headers...).object(l.t)
	data, _ = m["data"].(map[string]any)
	errs, _ = m["errors"].([]any)
	return data, errs
}

// at walks into decoded JSON: "organization.teams.nodes.0.slug".
func at(v any, path string) any {
	for key := range strings.SplitSeq(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[key]
		case []any:
			var i int
			if json.Unmarshal([]byte(key), &i) != nil || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

// field returns one field of every object of a list.
func field(t *testing.T, a answer, name string) []string {
	t.Helper()
	var list []map[string]any
	a.into(t, &list)
	var out []string
	for _, o := range list {
		s, _ := o[name].(string)
		out = append(out, s)
	}
	return out
}

func equal[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}
