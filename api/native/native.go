// Package native is Musterline's own API, below /api/musterline: everything that the commands and the configuration file can do, over HTTP.
// It decides nothing. Every question goes to the house, whose answers are the bodies, so that they are those of the command line.
//
// native.go is the way of a request to its operation; problem.go is the one form of refusals; the other files are the operations, by what
// they are about. The OpenAPI document is made from the same lines that serve: GET /api/musterline/openapi.json.
package native

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"musterline.example/answer"
	"musterline.example/api/access"
	"musterline.example/api/request"
	"musterline.example/target"
	"musterline.example/team"
)

// Prefix is where the API lies.
const Prefix = "/api/musterline"

// Options are what the API works with. House and Access are needed.
type Options struct {
	// House returns the house as it is configured now.
	House  func(ctx context.Context) (*answer.House, error)
	Access *access.Access

	// Sessions are of people who sign in. Nil: nobody can.
	Sessions Sessions

	// Asked is told of a target for which a sync was asked, where no job queue hears of it with the request. It may be nil.
	Asked func(target string)
	// Alone takes a target for one act that a caller has seen the plan of, until done, so that no job is at it meanwhile. The context that it
	// returns ends when that is no longer so, and the act with it. Nil: acts keep out of each other's way within this process, and out of that
	// of runs that are open.
	Alone func(ctx context.Context, target string) (alone context.Context, done func(), err error)

	// Watch is how often whoever follows events is let in anew; every 5 seconds when zero.
	Watch time.Duration

	Version string // of the program, for the OpenAPI document
	Now     func() time.Time
	Log     *slog.Logger
}

// API is Musterline's own API.
type API struct {
	Options

	mux   *http.ServeMux
	doors huma.API
	needs map[string]access.Permission // of the routes that are served
	acts  *acts
	teams teamLists

	changed bell // rung when a request has changed something
}

// New returns the API. It calls nobody, and panics when it would serve a route that the table of permissions lacks.
func New(o Options) *API {
	neverNull()
	a := &API{Options: o, mux: http.NewServeMux(), needs: map[string]access.Permission{}}
	if a.Now == nil {
		a.Now = time.Now
	}
	if a.Log == nil {
		a.Log = slog.New(slog.DiscardHandler)
	}
	if a.Sessions == nil {
		a.Sessions = nobody{}
	}
	a.acts = newActs(a.Now)
	a.doors = a.huma()
	a.registerLooks()
	a.registerRuns()
	a.registerShown()
	a.registerShownRuns()
	a.registerActs()
	a.registerMappings()
	a.registerOverview()
	a.registerRows()
	a.registerPeople()
	a.registerConnections()
	a.registerExplained()
	a.registerNotified()
	a.registerAudit()
	a.registerKeys()
	a.registerMe()
	a.registerMyLink()
	a.registerSessions()
	a.mux.HandleFunc("GET "+Prefix+"/openapi.json", a.document())
	a.needs["GET "+Prefix+"/openapi.json"] = access.Routes["GET "+Prefix+"/openapi.json"]
	return a
}

// Routes returns the routes that are served, as the table of permissions has them.
func (a *API) Routes() []string { return slices.Sorted(maps.Keys(a.needs)) }

// HandleFunc implements humago.Mux: every operation is registered here, and none without its line in the table of permissions.
func (a *API) HandleFunc(pattern string, handle func(http.ResponseWriter, *http.Request)) {
	need, known := access.Routes[pattern]
	if !known || need == access.Closed {
		panic("native: the table of permissions lacks " + pattern)
	}
	a.needs[pattern] = need
	a.mux.HandleFunc(pattern, handle)
}

// Stop ends the acts that are under way after the write in hand, and waits for them. Streams of events and whatever waits for sources and
// targets are broken off at once; who follows an act still hears its end.
func (a *API) Stop(ctx context.Context) error { return a.acts.stop(ctx) }

// A visit is one request on its way to its operation.
type visit struct {
	info    *request.Info
	caller  access.Caller
	who     string
	house   *answer.House
	need    access.Permission
	accept  string
	entered string // the target, of a caller on GitHub's word
	lists   bool   // they maintain some team, and may look for groups alone
	writer  http.ResponseWriter

	// Of a person who has signed in.
	given   []access.Given // the roles that are ours to know
	sees    scope          // the targets that a list is narrowed to
	request *http.Request
	idle    bool // it is no use of their session
}

type visitKey struct{}

func visitOf(ctx context.Context) *visit {
	if v, ok := ctx.Value(visitKey{}).(*visit); ok {
		return v
	}
	return &visit{info: request.Of(ctx)} // which may do nothing: its need is Closed
}

// ServeHTTP answers one request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := &visit{info: request.Of(r.Context()), accept: r.Header.Get("Accept"), writer: w}
	r = r.WithContext(context.WithValue(r.Context(), visitKey{}, v))
	v.request = r
	h := w.Header()
	h.Set("Cache-Control", "no-store") // answers are somebody's own
	if err := a.open(r, v); err != nil {
		a.fail(w, r, err)
		return
	}
	if slices.Contains(slow, v.info.Route) {
		// What it reads elsewhere takes its time, and so may the answer. A server without deadlines has none to lift.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
		ctx, end := a.acts.untilStop(r.Context())
		defer end()
		r = r.WithContext(ctx)
	}
	a.mux.ServeHTTP(w, r)
	if r.Method != http.MethodGet {
		a.changed.ring()
	}
}

// slow are the routes that wait for sources and targets, or whose answers have no end that is known.
var slow = []string{
	"POST " + Prefix + "/check",
	"POST " + Prefix + "/sources/{source}/check",
	"POST " + Prefix + "/sources/check",
	"POST " + Prefix + "/targets/check",
	"POST " + Prefix + "/notifications/{name}/test",
	"POST " + Prefix + "/links/preview",
	"POST " + Prefix + "/targets/{target}/check",
	"POST " + Prefix + "/targets/{target}/plan",
	"POST " + Prefix + "/targets/{target}/shown-plan",
	"POST " + Prefix + "/targets/{target}/approvals",
	"POST " + Prefix + "/targets/{target}/teams/{team}/mappings/preview",
	"PUT " + Prefix + "/targets/{target}/teams/{team}/mappings",
	"POST " + Prefix + "/runs/{run}/undo/plan",
	"GET " + Prefix + "/targets/{target}/teams",
	"POST " + Prefix + "/targets/{target}/memory/teams",
	"GET " + Prefix + "/targets/{target}/memory/teams/{team}",
	"GET " + Prefix + "/targets/{target}/memory/teams/{team}/people",
	"GET " + Prefix + "/targets/{target}/teams/{team}",
	"GET " + Prefix + "/sources/{source}/groups",
	"GET " + Prefix + "/audit/export",
	"GET " + Prefix + "/audit/verify",
}

// Fail implements api.Room.
func (a *API) Fail(w http.ResponseWriter, r *http.Request, status int, message string) {
	a.write(w, &problem{Body: problemBody{Class: classOf(status), Message: message, Request: request.Of(r.Context()).ID}, status: status})
}

// open finds the route of a request and who its caller is.
func (a *API) open(r *http.Request, v *visit) error {
	if path.Clean(r.URL.Path) != r.URL.Path { // the mux would send the caller to another path
		return noRoute()
	}
	_, pattern := a.mux.Handler(r)
	need, known := a.needs[pattern]
	if known && need == access.Public {
		v.need, v.info.Route = need, pattern
		return nil
	}
	if err := a.identify(r, v); err != nil {
		return err
	}
	if err := printable(r); err != nil {
		return err
	}
	if !known {
		return a.notServed(r)
	}
	v.info.Who, v.info.Route, v.need = v.who, pattern, need
	if sort, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); r.ContentLength != 0 && (err != nil || sort != "application/json") {
		return &problem{
			Body:   problemBody{Class: answer.Usage, Message: "a body must be JSON, and say so: Content-Type: application/json"},
			status: http.StatusUnsupportedMediaType,
		}
	}
	var err error
	v.house, err = a.House(r.Context())
	return err
}

// identify finds out who the caller is: by the credential that they show, or by their session.
func (a *API) identify(r *http.Request, v *visit) error {
	if err := a.signed(r, v); err != nil {
		return err
	}
	if _, person := v.caller.Person(); person {
		return nil
	}
	var err error
	if v.caller, err = a.Access.Identify(r.Context(), r.Header.Get("Authorization"), v.info.From); err != nil {
		return err
	}
	v.who = "a GitHub token"
	if t, ours := v.caller.Token(); ours {
		v.who = "token " + t.Name
	}
	return nil
}

func noRoute() error {
	return answer.Errorf(answer.NotFound, "there is no such route").WithHint(Prefix + "/openapi.json describes all of them")
}

// notServed is the refusal of a route that there is not.
func (a *API) notServed(r *http.Request) error {
	var allowed []string
	for _, m := range []string{http.MethodDelete, http.MethodGet, http.MethodPost, http.MethodPut} {
		asked := r.Clone(r.Context())
		asked.Method = m
		if _, pattern := a.mux.Handler(asked); a.needs[pattern] != access.Closed {
			allowed = append(allowed, m)
		}
	}
	if len(allowed) == 0 {
		return noRoute()
	}
	return &problem{
		Body:   problemBody{Class: answer.Usage, Message: "the route does not take this method"},
		status: http.StatusMethodNotAllowed, allow: strings.Join(allowed, ", "),
	}
}

// by is who stands in the audit record for an act: the caller and, where they act for somebody who has told them, that one as well.
func (v *visit) by(said string) string {
	said = strings.Join(strings.Fields(said), " ")
	if said == "" || said == v.who {
		return v.who
	}
	if len(said) > 100 {
		said = strings.ToValidUTF8(said[:100], "")
	}
	return said + ", by " + v.who
}

// on lets the caller in to one target, or says why not. Of a target that they may not know of they are told that there is none.
func (a *API) on(ctx context.Context, name string) (*visit, error) {
	v, e, err := a.enter(ctx, name)
	if err != nil {
		return nil, err
	}
	return v, v.may(e)
}

// onTeam lets the caller in to one team of a target: whoever may on the whole target, and on GitHub's word whoever may administer the team.
func (a *API) onTeam(ctx context.Context, of TeamOf) (*visit, error) {
	v, e, err := a.enter(ctx, of.Target)
	if err != nil {
		return nil, err
	}
	if !e.Guest.Member || e.Guest.App || e.May(v.need) {
		return v, v.may(e)
	}
	none := answer.Errorf(answer.NotFound, "there is no such team")
	// The word is understood as the operation will understand it, so that the team that is asked about is the one that is changed.
	t, err := v.house.Team(ctx, of.Target, of.Team)
	if err != nil {
		if c := answer.ErrorOf(err).Class; c == answer.NotFound || c == answer.Usage {
			return nil, none // nor are they told of teams that they cannot see
		}
		return nil, err
	}
	place, err := a.place(ctx, v, of.Target)
	if err != nil {
		return nil, err
	}
	e, err = a.Access.Enter(ctx, v.caller, place, target.Door{Team: team.ID(t.ID)}, v.changes())
	if r, refused := errors.AsType[*access.Refusal](err); refused && r.Status == http.StatusNotFound {
		return nil, none
	}
	if err != nil {
		return nil, err
	}
	if e.Role == access.Nobody {
		return nil, mayNot()
	}
	return v, v.may(e)
}

// changes reports whether the operation changes anything.
func (v *visit) changes() bool { return !v.need.Allows(access.Viewer) }

// may says why somebody at a door may not; nil when they may.
func (v *visit) may(e access.Entry) error {
	switch {
	case !e.May(v.need) && e.Unsure != nil:
		return e.Unsure
	case e.Role == access.Nobody && !e.Lists:
		return noTarget()
	case !e.May(v.need):
		return mayNot()
	case v.changes() && e.Why != nil:
		return e.Why
	}
	v.lists = e.Role == access.Nobody
	return nil
}

// place is a target as access knows it.
func (a *API) place(ctx context.Context, v *visit, name string) (access.Place, error) {
	gate, err := v.house.Gate(ctx, name)
	if err == nil && gate == nil {
		err = noTarget()
	}
	return access.Place{Target: name, Host: v.house.Host(ctx, name), Gate: gate, Unscoped: v.house.Config.Targets[name].Unscoped}, err
}

// enter says what the caller is to a target. One that they may not know of is none.
func (a *API) enter(ctx context.Context, name string) (*visit, access.Entry, error) {
	v := visitOf(ctx)
	none := access.Entry{}
	configured, err := v.house.Configured(ctx)
	if err != nil {
		return nil, none, err
	}
	known := slices.Contains(configured.TargetNames(), name)
	if t, ours := v.caller.Token(); ours {
		if t.Target != "" && t.Target != name || !known {
			return nil, none, noTarget()
		}
		return v, access.Entry{Role: access.Role(t.Role), Who: v.who}, nil
	}
	if !known {
		return nil, none, noTarget()
	}
	if _, person := v.caller.Person(); person {
		e, err := a.personAt(ctx, v, name)
		if err == nil && !v.unbound() {
			v.entered = name
		}
		return v, e, err
	}
	place, err := a.place(ctx, v, name)
	if err != nil {
		return nil, none, err
	}
	e, err := a.Access.Enter(ctx, v.caller, place, target.Door{}, v.changes())
	if err != nil {
		return nil, none, err
	}
	v.who, v.entered = e.Who, name
	v.info.Who = e.Who
	return v, e, nil
}

func noTarget() error { return answer.Errorf(answer.NotFound, "there is no such target") }

func mayNot() error {
	return answer.Errorf(answer.Forbidden, "your role does not allow this")
}

// everywhere lets the caller in to what belongs to the whole server.
func (a *API) everywhere(ctx context.Context) (*visit, error) {
	v := visitOf(ctx)
	if _, person := v.caller.Person(); person {
		return v.everywherePerson()
	}
	t, ours := v.caller.Token()
	switch {
	case !ours:
		return nil, answer.Errorf(answer.Forbidden, "this is not about one target: it takes a Musterline token").
			WithHint("make one with: musterline token create")
	case t.Target != "":
		return nil, answer.Errorf(answer.Forbidden, "the token is bound to one target, and this is about all of them")
	case !v.need.Allows(access.Role(t.Role)):
		return nil, mayNot()
	}
	return v, nil
}

// within lets the caller in to a list that shows each what they may see. It returns the target to which they are bound; empty: all.
func (a *API) within(ctx context.Context) (v *visit, target string, err error) {
	v = visitOf(ctx)
	if _, person := v.caller.Person(); person && !v.unbound() {
		names, err := a.openTo(ctx, v)
		if err != nil {
			return nil, "", err
		}
		if len(names) > 1 {
			return nil, "", answer.Usagef("this is about one target at a time for you: say which with target")
		}
		v.entered = names[0]
		return v, names[0], nil
	}
	t, ours := v.caller.Token()
	if !ours || t.Target == "" {
		v, err = a.everywhere(ctx)
		return v, "", err
	}
	v, err = a.on(ctx, t.Target)
	return v, t.Target, err
}

// chosen lets the caller in to the target that they name or are bound to; with neither, to all of them.
func (a *API) chosen(ctx context.Context, named string) (v *visit, target string, err error) {
	if named != "" {
		v, err = a.on(ctx, named)
		return v, named, err
	}
	return a.within(ctx)
}

// An op describes an operation to people.
type op struct {
	id      string
	route   string // below Prefix: "GET /status"
	summary string
	promise string // in full sentences
	tag     string
	status  int              // of the answer; 200 when 0
	refuses []int            // statuses beside those that every operation may answer
	other   map[string]other // answers that are no JSON
	open    bool             // for everybody
}

// An other answer is no JSON.
type other struct{ contentType, description string }

// maxBody is how many bytes a body may have.
const maxBody = 256 << 10

// operate makes an operation of huma's of one of ours.
func operate[I, O any](a *API, o op, do func(ctx context.Context, in *I) (*O, error)) {
	method, route, _ := strings.Cut(o.route, " ")
	operation := huma.Operation{
		OperationID: o.id, Method: method, Path: Prefix + route, Summary: o.summary, Description: o.promise, Tags: []string{o.tag},
		DefaultStatus: o.status, MaxBodyBytes: maxBody, BodyReadTimeout: 10 * time.Second,
		SkipValidateBody: true, // read does it, and names the nearest right word
		Responses:        map[string]*huma.Response{},
		Security:         []map[string][]string{{"bearer": {}}, {"session": {}}},
	}
	refuses := append([]int{401, 403, 404, 422, 429, 502, 503}, o.refuses...)
	if method == http.MethodPost || method == http.MethodPut {
		refuses = append(refuses, 400, 408, 413, 415)
	}
	for _, status := range refuses {
		operation.Responses[fmt.Sprint(status)] = refusal(a.doors.OpenAPI(), status)
	}
	for status, w := range o.other {
		operation.Responses[status] = &huma.Response{
			Description: w.description, Content: map[string]*huma.MediaType{w.contentType: {Schema: &huma.Schema{Type: huma.TypeString}}},
		}
	}
	if o.open {
		operation.Security = []map[string][]string{}
	}
	huma.Register(a.doors, operation, func(ctx context.Context, in *I) (*O, error) {
		out, err := do(ctx, in)
		if err != nil {
			return nil, a.explain(ctx, err)
		}
		return out, nil
	})
}

// A body is an answer as JSON.
type body[T any] struct {
	ETag string `header:"ETag"` //nolint:tagliatelle // as RFC 9110 spells it
	Body T
}

// told is an answer without a version.
func told[T any](v T, err error) (*body[T], error) {
	if err != nil {
		return nil, err
	}
	return &body[T]{Body: v}, nil
}

// huma returns huma over our mux: JSON alone, no pages of its own, and refusals in our form.
func (a *API) huma() huma.API { //nolint:ireturn // huma gives out no type
	config := huma.DefaultConfig("Musterline", a.Version)
	config.Info.Description = about
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "", "", ""
	config.CreateHooks = nil
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"bearer": {
		Type: "http", Scheme: "bearer",
		Description: "A Musterline token (musterline token create), or for routes about one target a token of that target's GitHub.",
	}, "session": {
		Type: "apiKey", In: "cookie", Name: "__Host-musterline",
		Description: "Somebody who has signed in with a browser. What changes something must come from our own pages.",
	}}
	config.Formats = map[string]huma.Format{"application/json": {
		Marshal: func(w io.Writer, v any) error {
			e := json.NewEncoder(w)
			e.SetEscapeHTML(false)
			return e.Encode(v)
		},
		Unmarshal: a.read,
	}}
	config.Formats["application/problem+json"] = config.Formats["application/json"] // of what huma itself refuses, before ours makes it ours
	config.DefaultFormat = "application/json"
	config.RejectUnknownQueryParameters = true
	config.Transformers = []huma.Transformer{a.ours}
	return humago.New(a, config)
}

const about = `Everything that Musterline's commands and configuration file can do.

Lists that can be long come in pages: ask for the next one with the cursor that an answer has named as "next". What can be changed by several
people has an ETag, and a change names in If-Match the one that it was made from. What is wrong has one form everywhere, and repeats nothing
of what it was sent. New keys may come into answers; none goes or changes its meaning.`

// document serves the OpenAPI document.
func (a *API) document() func(http.ResponseWriter, *http.Request) {
	text, err := json.Marshal(a.doors.OpenAPI())
	if err != nil {
		panic("native: " + err.Error()) // it is made of what was registered above
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/vnd.oai.openapi+json;version=3.1")
		_, _ = w.Write(text) // the caller has gone
	}
}

// OpenAPI returns the OpenAPI 3.1 document.
func (a *API) OpenAPI() ([]byte, error) { return json.Marshal(a.doors.OpenAPI()) }

// fail writes an error in our form.
func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	a.write(w, a.explain(r.Context(), err))
}

func (a *API) write(w http.ResponseWriter, p *problem) {
	maps.Copy(w.Header(), p.GetHeaders())
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(p.status)
	_ = json.NewEncoder(w).Encode(p) // the caller has gone
}
