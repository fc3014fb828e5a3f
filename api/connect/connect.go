// Package connect leads an administrator through the making of a GitHub App for a target: to GitHub with a manifest, and back with a code, for
// which GitHub hands out the App and its key. The key goes from GitHub into the database, and nobody sees it.
//
// The pages stand beside the console and not in it, because the form goes to GitHub: the console's content security policy allows no form to
// leave, and that of the page here allows the one host.
package connect

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	_ "embed" // the page below
	"encoding/base64"
	"encoding/json"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"musterline.example/answer"
	"musterline.example/api/access"
	"musterline.example/api/native"
	"musterline.example/api/request"
	"musterline.example/config"
	"musterline.example/internal/githubapi"
)

// Prefix is where the pages are.
const Prefix = "/connect"

const (
	home      = "/console/connections"
	begin     = Prefix + "/github-app"
	callback  = begin + "/callback"
	installed = begin + "/installed"
)

// life is how long somebody may take at GitHub, which keeps its code for an hour.
const life = time.Hour

// patience is how long GitHub may take to hand out the App.
const patience = 30 * time.Second

// Options are what the pages work with.
type Options struct {
	// House returns the house as it is configured now.
	House    func(ctx context.Context) (*answer.House, error)
	Sessions native.Sessions
	Access   *access.Access

	Key         []byte // by which what comes back from GitHub is known to have been sent from here
	ExternalURL string // where people reach the server; empty: at the address that they used
	HTTP        http.RoundTripper

	Now func() time.Time
	Log *slog.Logger
}

// Connect is the room of the pages. It is safe for concurrent use.
type Connect struct {
	Options

	mux *http.ServeMux
}

// New returns the room. It calls nobody.
func New(o Options) *Connect {
	c := &Connect{Options: o, mux: http.NewServeMux()}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.mux.HandleFunc("GET "+begin, c.begin)
	c.mux.HandleFunc("GET "+callback, c.callback)
	c.mux.HandleFunc("GET "+installed+"/{name}", c.installed)
	return c
}

//go:embed pages/page.html
var source string

var page = template.Must(template.New("page").Parse(source))

// A view is what a page shows.
type view struct {
	Title    string
	Says     []string
	List     []string
	Action   template.URL // of the form that takes the manifest to GitHub
	Manifest string
	Link     template.URL
	Act      string
	Back     string
	Note     string
	Request  string

	status int
	form   string // the host that the form may go to
}

func (c *Connect) show(w http.ResponseWriter, r *http.Request, v view) {
	var b bytes.Buffer
	if err := page.Execute(&b, v); err != nil {
		c.Log.ErrorContext(r.Context(), "a page cannot be made", "error", err)
		http.Error(w, "This page cannot be made.", http.StatusInternalServerError)
		return
	}
	form := v.form
	if form == "" {
		form = "'none'"
	}
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action "+form+"; base-uri 'none'; frame-ancestors 'none'")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(v.status)
	_, _ = w.Write(b.Bytes()) // the reader has gone
}

// Fail implements api.Room.
func (c *Connect) Fail(w http.ResponseWriter, r *http.Request, status int, message string) {
	c.show(w, r, view{Title: "That did not work", Says: []string{message}, Back: home, Request: request.Of(r.Context()).ID, status: status})
}

// ServeHTTP answers one request. Only an administrator gets anything else than a way to sign in.
func (c *Connect) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, pattern := c.mux.Handler(r)
	info := request.Of(r.Context())
	info.Route = pattern
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer") // the address may hold a code
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	if path.Clean(r.URL.Path) != r.URL.Path || pattern == "" {
		c.Fail(w, r, http.StatusNotFound, "There is no such page.")
		return
	}
	p, err := c.Sessions.Person(r)
	if err != nil {
		c.refuse(w, r, err)
		return
	}
	if p == nil {
		http.Redirect(w, r, "/login?return="+url.QueryEscape(home), http.StatusSeeOther)
		return
	}
	info.Who = p.Who()
	given, err := c.Access.Given(r.Context(), p)
	switch {
	case err != nil:
		c.refuse(w, r, err)
	case !access.Administer.Allows(access.On(given, "")):
		c.Fail(w, r, http.StatusForbidden, "Your role does not allow this: an administrator of Musterline connects organizations.")
	default:
		c.mux.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), personKey{}, p)))
	}
}

type personKey struct{}

func personOf(ctx context.Context) *access.Person {
	p, _ := ctx.Value(personKey{}).(*access.Person)
	return p
}

// refuse tells somebody of an error in words that were written for people, and the log of all of it.
func (c *Connect) refuse(w http.ResponseWriter, r *http.Request, err error) {
	c.Log.WarnContext(r.Context(), "an App was not connected", "request", request.Of(r.Context()).ID, "error", err)
	if refusal, ok := errors.AsType[*access.Refusal](err); ok {
		c.Fail(w, r, refusal.Status, refusal.Message)
		return
	}
	e, ok := errors.AsType[*answer.Error](err)
	if !ok {
		c.Fail(w, r, http.StatusServiceUnavailable, "The server cannot do this at the moment.")
		return
	}
	public := e.Public()
	v := view{Title: "That did not work", Says: strings.Split(public.Message, "\n"), Back: home, Request: request.Of(r.Context()).ID, status: statusOf(e)}
	if public.Hint != "" {
		v.Note = public.Hint
	}
	c.show(w, r, v)
}

// statusOf is what a refusal is answered with.
func statusOf(e *answer.Error) int {
	switch e.Class {
	case answer.Conflict:
		return http.StatusConflict
	case answer.Stale:
		return http.StatusPreconditionFailed
	default:
		return http.StatusUnprocessableEntity
	}
}

// A wish is the target that an App is made for. It goes to GitHub and comes back as the state, signed.
type wish struct {
	Session      string    `json:"s"`
	Name         string    `json:"n"`
	Organization string    `json:"o"`
	APIURL       string    `json:"u"`
	Version      int64     `json:"v"` // of the target's row when it was wished; 0 when there was none
	At           time.Time `json:"t"`
}

func (c *Connect) seal(x wish) string {
	text, _ := json.Marshal(x) // texts and a moment
	return base64.RawURLEncoding.EncodeToString(text) + "." + base64.RawURLEncoding.EncodeToString(c.mac(text))
}

func (c *Connect) mac(text []byte) []byte {
	h := hmac.New(sha256.New, c.Key)
	h.Write(text)
	return h.Sum(nil)
}

// opened reads a state that was sent from this session, not long ago.
func (c *Connect) opened(state string, p *access.Person) (wish, bool) {
	var x wish
	one, two, _ := strings.Cut(state, ".")
	text, err := base64.RawURLEncoding.DecodeString(one)
	sum, err2 := base64.RawURLEncoding.DecodeString(two)
	if err != nil || err2 != nil || !hmac.Equal(sum, c.mac(text)) || json.Unmarshal(text, &x) != nil {
		return x, false
	}
	return x, x.Session == p.Session && c.Now().Sub(x.At) < life
}

// base is where people reach us.
func (c *Connect) base(r *http.Request) string {
	if c.ExternalURL != "" {
		return strings.TrimSuffix(c.ExternalURL, "/")
	}
	return request.Of(r.Context()).Base
}

// permissions are all that the App asks for: to read who is a member and in which team, and to change who is in a team. GitHub has one permission
// for both.
var permissions = map[string]string{"members": "write"}

// nameLength is how many characters GitHub takes for the name of an App.
const nameLength = 34

// begin shows what the App will be, and the button that takes the manifest to GitHub. A link on another site's page does not lead here: what is
// asked for has to come from our own pages (W3C: Fetch Metadata), or be typed.
func (c *Connect) begin(w http.ResponseWriter, r *http.Request) {
	if from := r.Header.Get("Sec-Fetch-Site"); from == "cross-site" || from == "same-site" {
		c.Fail(w, r, http.StatusForbidden, "Another site has led here. Begin in the console, under Connections.")
		return
	}
	q := r.URL.Query()
	x := wish{Session: personOf(r.Context()).Session, Name: q.Get("name"), Organization: q.Get("organization"), APIURL: q.Get("api_url"), At: c.Now()}
	h, err := c.House(r.Context())
	if err != nil {
		c.refuse(w, r, err)
		return
	}
	row, err := c.row(r.Context(), h, x, nil)
	if err == nil {
		err = h.DraftRow(r.Context(), row)
	}
	if err != nil {
		c.refuse(w, r, err)
		return
	}
	at, err := githubapi.ParseEndpoint(x.address())
	if err != nil {
		c.Fail(w, r, http.StatusUnprocessableEntity, "The API address is none: write https://api.github.com, or that of a GitHub Enterprise Server, which ends in /api/v3.")
		return
	}
	x.Version = row.Version
	says := []string{"GitHub creates an App that belongs to " + x.Organization + " and that only it can install. It asks for:"}
	if x.Version != 0 {
		says = append([]string{x.Name + " is connected already. The App takes the place of the credential that it has now, and nothing else of it changes."}, says...)
	}
	name := "Musterline " + x.Organization
	if len(name) > nameLength {
		name = name[:nameLength]
	}
	base := c.base(r)
	m, _ := json.Marshal(githubapi.Manifest{ // texts
		Name: name, URL: base, RedirectURL: base + callback, SetupURL: base + installed + "/" + url.PathEscape(x.Name), Permissions: permissions,
	})
	c.show(w, r, view{
		Title:  "Create a GitHub App",
		Says:   says,
		List:   []string{"Members: read and write. To read who is in the organization and its teams, and to change who is in a team."},
		Action: template.URL(at.NewApp(x.Organization, c.seal(x))), //nolint:gosec // our own address, of a GitHub that an administrator names
		Act:    "Continue to " + at.Host, Manifest: string(m), Back: home,
		Note:   "You need to be an owner of the organization there. GitHub hands the App's key to this server, which keeps it encrypted.",
		status: http.StatusOK, form: at.Web(),
	})
}

// address is the API's, GitHub's own when none was given.
func (x wish) address() string {
	if x.APIURL == "" {
		return "https://api.github.com"
	}
	return x.APIURL
}

// is reports whether a target's body describes what the wish is about: the same kind, organization and API address.
func (x wish) is(body map[string]any) bool {
	organization, _ := body["organization"].(string)
	at, _ := body["api_url"].(string)
	plain := func(address string) string { return strings.ToLower(strings.TrimRight(address, "/")) }
	return body["kind"] == "github" && strings.EqualFold(organization, x.Organization) && plain(wish{APIURL: at}.address()) == plain(x.address())
}

// row is the target as it shall be with the App; without one, to be looked at. A target that the API has made gets another credential and keeps
// all else; one of that name that is another organization is refused.
func (c *Connect) row(ctx context.Context, h *answer.House, x wish, app *githubapi.MadeApp) (answer.RowWish, error) {
	put := answer.RowWish{Section: config.TargetsSection, Name: x.Name, By: personOf(ctx).Who()}
	if !config.ProperName(x.Name) || x.Organization == "" {
		return put, answer.Usagef("a name for the connection, of letters, digits, - and _, and the organization are needed")
	}
	body := map[string]any{"kind": "github", "organization": x.Organization}
	if x.APIURL != "" {
		body["api_url"] = x.APIURL
	}
	before, err := h.Row(ctx, config.TargetsSection, x.Name)
	switch {
	case err == nil && before.Origin == "api":
		body = map[string]any{}
		if json.Unmarshal(before.Body, &body) != nil || !x.is(body) {
			return put, answer.Errorf(answer.Conflict, "there is another connection of that name").WithHint("choose another name")
		}
		put.Version = before.Version
	case err != nil && answer.ErrorOf(err).Class != answer.NotFound:
		return put, err
	}
	if app != nil {
		body["app_id"], body["private_key"], body["token"] = app.AppID(), app.Key, nil
	}
	put.Body, err = json.Marshal(body)
	return put, err
}

// callback takes the App over that GitHub has made.
func (c *Connect) callback(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	x, ours := c.opened(q.Get("state"), personOf(r.Context()))
	if !ours {
		c.Fail(w, r, http.StatusBadRequest, "This was not begun here, or more than an hour ago. Nothing was saved: begin again in the console. An App that GitHub has made meanwhile can be deleted there.")
		return
	}
	h, err := c.House(r.Context())
	if err != nil {
		c.refuse(w, r, err)
		return
	}
	at, err := githubapi.ParseEndpoint(x.address())
	if err != nil {
		c.refuse(w, r, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	app, err := githubapi.Convert(ctx, at, q.Get("code"), c.HTTP)
	if err != nil {
		c.notHandedOut(w, r, at, err)
		return
	}
	row, err := c.row(r.Context(), h, x, &app)
	if err == nil {
		row.Version = x.Version // what was changed meanwhile stays
		_, err = h.PutRow(r.Context(), row)
	}
	if err != nil {
		c.Log.ErrorContext(r.Context(), "an App was made and could not be saved", "app", app.ID, "target", x.Name, "error", err)
		status := http.StatusUnprocessableEntity
		if e, ok := errors.AsType[*answer.Error](err); ok {
			status = statusOf(e)
		}
		c.Fail(w, r, status, "GitHub has made the App "+app.Name+", and it could not be saved here: "+words(err)+
			". Nothing uses the App: delete it at GitHub, and begin again.")
		return
	}
	c.show(w, r, view{
		Title: "The App was created", Says: []string{app.Name + " is saved as the credential of " + x.Name + ". It can do nothing before it is installed on " + x.Organization + "."},
		Link: template.URL(app.Install), Act: "Install it on " + x.Organization, Back: home + "/targets/" + url.PathEscape(x.Name), status: http.StatusOK, //nolint:gosec // on the GitHub that was asked
	})
}

// words are what people are told of an error.
func words(err error) string {
	if e, ok := errors.AsType[*answer.Error](err); ok {
		return strings.ReplaceAll(e.Public().Message, "\n", "; ")
	}
	return "the server's log names the reason"
}

// notHandedOut says why GitHub has not given the App out.
func (c *Connect) notHandedOut(w http.ResponseWriter, r *http.Request, at githubapi.Endpoint, err error) {
	c.Log.WarnContext(r.Context(), "an App was not handed out", "request", request.Of(r.Context()).ID, "host", at.Host, "error", err)
	if errors.Is(err, githubapi.ErrCodeUsed) {
		c.Fail(w, r, http.StatusBadRequest, "The code that GitHub has sent was used before, or is older than an hour. If the connection is there, all is well; else begin again.")
		return
	}
	c.Fail(w, r, http.StatusBadGateway, at.Host+" did not hand out the App. Nothing was saved: delete the App there, and begin again.")
}

// installed leads back to the target, whose permissions the console then checks.
func (c *Connect) installed(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	if !config.ProperName(name) {
		c.Fail(w, r, http.StatusNotFound, "There is no such connection.")
		return
	}
	http.Redirect(w, r, home+"/targets/"+url.PathEscape(name)+"?check=now", http.StatusSeeOther)
}
