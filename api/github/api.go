package github

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"musterline.example/api/access"
	"musterline.example/api/request"
	"musterline.example/internal/marked"
	"musterline.example/team"
)

// API is GitHub's API as we serve it.
type API struct {
	access  *access.Access
	memory  Memory
	answers *marked.Answers
	targets []*Target
	sources []string
	options Options
	key     []byte
	now     func() time.Time
	log     *slog.Logger
	quotas  *quotas
	mux     *http.ServeMux
	doors   huma.API
	needs   map[string]access.Permission // of the routes that are served
	states  recent[string, sourceStates]
	plans   recent[string, planned]
	places  recent[string, team.Place]
}

// New returns the API. It calls nobody, and panics when it would serve a route that the table of permissions lacks.
func New(o Options) *API {
	a := &API{
		access: o.Access, memory: o.Memory, answers: o.Answers, sources: slices.Sorted(slices.Values(o.Sources)), options: o, key: o.Key, now: o.Now, log: o.Log,
		mux: http.NewServeMux(), needs: map[string]access.Permission{},
	}
	for _, t := range o.Targets {
		a.targets = append(a.targets, &t)
	}
	if a.answers == nil {
		a.answers = marked.New(a.memory.Mark)
	}
	if a.now == nil {
		a.now = time.Now
	}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	a.options.File = filepath.Base(cmp.Or(o.File, "musterline.yaml")) // where it lies is nothing to callers
	if o.Limit == 0 {
		o.Limit = defaultLimit
	}
	a.quotas = newQuotas(o.Limit, a.now)
	a.states.now, a.plans.now = a.now, a.now
	a.places.now, a.places.life, a.places.errors = a.now, time.Minute, true
	a.doors = a.huma()
	a.register()
	return a
}

// Routes returns the routes that are served, without the prefixes.
func (a *API) Routes() []string { return slices.Sorted(maps.Keys(a.needs)) }

// HandleFunc implements humago.Mux: every operation is registered here, and none without its line in the table of permissions.
func (a *API) HandleFunc(pattern string, handle func(http.ResponseWriter, *http.Request)) {
	need, known := access.Routes[pattern]
	if !known || need == access.Closed {
		panic("github: the table of permissions lacks " + pattern)
	}
	a.needs[pattern] = need
	a.mux.HandleFunc(pattern, handle)
}

// A visit is one request on its way to its operation.
type visit struct {
	info   *request.Info
	self   string  // the address that was asked, without its query
	prefix string  // of the API, as the caller wrote it: "", "/api/v3" or "/octo/api/v3"
	bound  *Target // that the prefix names
	caller access.Caller
	need   access.Permission
	meter  *meter
}

type visitKey struct{}

func visitOf(ctx context.Context) *visit {
	if v, ok := ctx.Value(visitKey{}).(*visit); ok {
		return v
	}
	return &visit{info: request.Of(ctx)} // which may do nothing: its need is Closed
}

// base is the address that the caller has for the API.
func (v *visit) base() string { return v.info.Base + v.prefix }

const v3 = "/api/v3"

// versions are those of the API that GitHub has published; no header at all means the first.
var versions = []string{"", "2022-11-28", "2026-03-10"}

// ServeHTTP answers one request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := &visit{info: request.Of(r.Context())}
	v.self = v.info.Base + r.URL.EscapedPath()
	v.meter = &meter{ResponseWriter: w, quotas: a.quotas, caller: "address " + v.info.From.String(), limit: anonymousLimit}
	h := w.Header()
	h.Set("X-GitHub-Request-Id", v.info.ID)
	h.Set("X-GitHub-Media-Type", "github.v3; format=json")

	rest := a.split(v, r.URL.Path)
	inner := r.Clone(marked.Request(context.WithValue(r.Context(), visitKey{}, v)))
	inner.URL.Path, inner.URL.RawPath = rest, ""
	if raw := r.URL.RawPath; raw != "" {
		inner.URL.RawPath = strings.TrimPrefix(raw, v.prefix)
	}
	inner.Header.Del("Content-Type") // the body is JSON whatever it says: curl -d says it is a form
	if r.Method == http.MethodPatch {
		// huma has its own answer to a body without a byte, and readGroups GitHub's; JSON does not mind a space.
		inner.Body = spaced{io.MultiReader(strings.NewReader(" "), r.Body), r.Body}
	}
	if err := a.open(inner, v); err != nil {
		a.fail(v.meter, inner, err)
		return
	}
	a.mux.ServeHTTP(v.meter, inner)
}

// A spaced body has a space before it.
type spaced struct {
	io.Reader
	io.Closer
}

// split takes the prefix off a path.
func (a *API) split(v *visit, p string) string {
	if rest, found := strings.CutPrefix(p, v3+"/"); found {
		v.prefix = v3
		return "/" + rest
	}
	first, rest, _ := strings.Cut(strings.TrimPrefix(p, "/"), "/")
	if rest, found := strings.CutPrefix("/"+rest, v3+"/"); found {
		if i := slices.IndexFunc(a.targets, func(t *Target) bool { return t.Name == first }); i >= 0 {
			v.prefix, v.bound = "/"+first+v3, a.targets[i]
			return "/" + rest
		}
	}
	return p
}

// open finds the route of a request and who its caller says to be, and holds the caller to their quota.
func (a *API) open(r *http.Request, v *visit) error {
	if path.Clean(r.URL.Path) != r.URL.Path { // the mux would send the caller to another path; GitHub has no such redirects
		return notFound()
	}
	_, pattern := a.mux.Handler(r)
	need, known := a.needs[pattern]
	caller, err := a.access.Identify(r.Context(), r.Header.Get("Authorization"), v.info.From)
	if err == nil {
		v.caller = caller
		v.meter.caller, v.meter.limit = caller.Key(), a.quotas.limit
		if t, ours := caller.Token(); ours {
			v.info.Who = "token " + t.Name
		}
	}
	v.meter.free = pattern == "GET /rate_limit"
	if q := a.quotas.see(v.meter.caller, v.meter.limit, 0); q.Remaining == 0 && !v.meter.free {
		v.meter.free = true
		p := problemf(http.StatusTooManyRequests, docsLimits, "API rate limit exceeded.")
		p.retry = time.Unix(q.Reset, 0).Sub(a.now())
		return p
	}
	switch {
	case !known:
		if allowed := a.methods(r); len(allowed) > 0 {
			v.meter.Header().Set("Allow", strings.Join(allowed, ", "))
			return problemf(http.StatusMethodNotAllowed, docs, "Method Not Allowed")
		}
		return notFound()
	case err != nil:
		return err
	case !slices.Contains(versions, r.Header.Get("X-GitHub-Api-Version")):
		return problemf(http.StatusBadRequest, docs, "X-GitHub-Api-Version is not a version of this API.")
	}
	v.need, v.info.Route = need, pattern
	return nil
}

// methods returns those that a path answers to.
func (a *API) methods(r *http.Request) []string {
	var allowed []string
	for _, m := range []string{http.MethodDelete, http.MethodGet, http.MethodPatch, http.MethodPut} {
		asked := r.Clone(r.Context())
		asked.Method = m
		if _, pattern := a.mux.Handler(asked); a.needs[pattern] != access.Closed {
			allowed = append(allowed, m)
		}
	}
	return allowed
}

// fail writes an error in GitHub's form.
func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := explain(err)
	a.note(r.Context(), p)
	maps.Copy(w.Header(), p.GetHeaders())
	w.Header().Set("Content-Type", contentType)
	body, err := json.Marshal(p)
	if err != nil {
		panic("github: " + err.Error()) // strings and numbers
	}
	w.WriteHeader(p.status)
	_, _ = w.Write(body) // the caller has gone
}

// note tells the log why somebody was refused, where that is not plain from the answer.
func (a *API) note(ctx context.Context, p *problem) {
	if p.err == nil {
		return
	}
	level := slog.LevelInfo
	if p.status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	a.log.Log(ctx, level, "refused", "request", request.Of(ctx).ID, "status", p.status, "error", p.err)
}

// A reply is an answer that is written as it stands.
type reply struct {
	Status      int
	ContentType string `header:"Content-Type"`
	Caching     string `header:"Cache-Control"`
	Vary        string `header:"Vary"`
	ETag        string `header:"ETag"` //nolint:tagliatelle // its own spelling
	Link        string `header:"Link"`
	Warning     string `header:"Warning"`
	Body        []byte
}

// answer makes a reply of a body, or of nothing when the caller has it already. The tag stands for the body, so whatever changes in it
// changes the tag.
func answer(body []byte, ifNoneMatch string) *reply {
	sum := sha256.Sum256(body)
	r := &reply{
		Status: http.StatusOK, ContentType: contentType, Caching: "private, no-cache", Vary: "Authorization",
		ETag: `"` + hex.EncodeToString(sum[:16]) + `"`, Body: body,
	}
	if names(ifNoneMatch, r.ETag) {
		r.Status, r.ContentType, r.Body = http.StatusNotModified, "", nil
	}
	return r
}

// names reports whether an If-None-Match names the tag: weakly compared, in a list (RFC 9110, 13.1.2).
func names(ifNoneMatch, tag string) bool {
	for t := range strings.SplitSeq(ifNoneMatch, ",") {
		if t = strings.TrimSpace(t); t == "*" || strings.TrimPrefix(t, "W/") == tag {
			return true
		}
	}
	return false
}

// shown is a value as JSON. HTML is nothing to us: a & in a name stays one.
func shown(v any) []byte {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("github: " + fmt.Sprint(err)) // strings and numbers
	}
	return []byte(strings.TrimSuffix(b.String(), "\n"))
}

// act makes an operation of huma's of one of ours.
func act[I any](a *API, id, summary, route string, do func(context.Context, *I) (*reply, error)) {
	method, path, _ := strings.Cut(route, " ")
	huma.Register(a.doors, huma.Operation{
		OperationID: id, Method: method, Path: path, Summary: summary, MaxBodyBytes: maxBody, BodyReadTimeout: 10 * time.Second,
		SkipValidateBody: true, // readGroups does it, in GitHub's words
	}, func(ctx context.Context, in *I) (*reply, error) {
		out, err := do(ctx, in)
		if err != nil {
			p := explain(err)
			a.note(ctx, p)
			return nil, p
		}
		return out, nil
	})
}

// huma returns huma over our mux. Nothing of it shows: no pages, no hooks, JSON alone, and refusals in GitHub's form.
func (a *API) huma() huma.API { //nolint:ireturn // huma has no other name for it
	c := huma.DefaultConfig("GitHub team synchronization", "1")
	c.OpenAPIPath, c.DocsPath, c.SchemasPath, c.CreateHooks = "", "", "", nil
	c.Formats = map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat}
	c.Transformers = []huma.Transformer{ours}
	return humago.New(a, c)
}

// Fail writes a refusal in GitHub's form.
func (a *API) Fail(w http.ResponseWriter, r *http.Request, status int, message string) {
	info := request.Of(r.Context())
	w.Header().Set("X-GitHub-Request-Id", info.ID)
	m := &meter{ResponseWriter: w, quotas: a.quotas, caller: "address " + info.From.String(), limit: anonymousLimit, free: true}
	a.fail(m, r, problemf(status, docs, "%s", message))
}
