// Package signin lets people in: with the identity provider (OpenID Connect), with GitHub, or with a link from the command line. It keeps
// their sessions, and shows the few pages that stand before the console.
//
// Nothing is kept of a sign-in but who it was. GitHub's token is forgotten as soon as it has told whose it is, and so are the identity
// provider's; codes, states and tokens are never logged. What somebody may do is not decided here but in package access.
//
// session.go is what a session holds and how it is found; flow.go the way of a browser to a provider and back; oidc.go and github.go are the two
// providers, link.go the links; page.go the pages; people.go says which user of the identity provider somebody is.
package signin

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"musterline.example/answer"
	"musterline.example/api/access"
	"musterline.example/api/native"
	"musterline.example/api/request"
	"musterline.example/config"
	"musterline.example/store"
)

// Prefix is where the doors are.
const Prefix = "/login"

// home is where somebody is sent who asked for no page.
const home = "/console/"

// patience is how long a provider may take over one answer, and over all that a sign-in asks of it.
const patience = 10 * time.Second

// Options are what signing in works with.
type Options struct {
	Store *store.Store
	// House returns the house as it is configured now.
	House func(ctx context.Context) (*answer.House, error)

	// Access says what an account is to the organizations that are connected here. It may be set after New, before the first request: it needs
	// what the doors know of people.
	Access *access.Access

	SignIn      config.SignIn
	ExternalURL string // where people reach the server; empty: at the address that they used, if that is HTTPS or this machine

	Now func() time.Time
	Log *slog.Logger
}

// SignIn is the room of the doors, and knows who has come in by them. It is safe for concurrent use.
type SignIn struct {
	Options

	mux      *http.ServeMux
	kept     *store.Sessions
	sessions *scs.SessionManager
	cross    *http.CrossOriginProtection
	flows    *flows
	oidc     *oidcDoor   // nil without
	github   *githubDoor // nil without
	users    *users
}

var (
	_ native.Sessions = (*SignIn)(nil)
	_ access.People   = (*SignIn)(nil)
)

// New returns the doors. It calls nobody: a provider that is down does not keep the server from starting, and is asked when somebody wants in.
// The error is about a file that the configuration names.
func New(o Options) (*SignIn, error) {
	s := &SignIn{Options: o, mux: http.NewServeMux(), cross: http.NewCrossOriginProtection()}
	if s.Now == nil {
		s.Now = time.Now
	}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	if o.ExternalURL != "" {
		if u, err := url.Parse(o.ExternalURL); err == nil {
			_ = s.cross.AddTrustedOrigin(u.Scheme + "://" + u.Host) // checked with the configuration
		}
	}
	s.kept = o.Store.Sessions(subjectOf)
	s.sessions = scs.New()
	s.sessions.Store, s.sessions.Codec, s.sessions.Lifetime = idle{s.kept, s}, codec{}, o.SignIn.Lifetime
	s.flows = newFlows(o.Store.Derive("sign-in flows"), s.Now)
	s.users = &users{s: s}
	if err := s.providers(); err != nil {
		return nil, err
	}
	s.mux.HandleFunc("GET "+Prefix, s.choose)
	s.mux.HandleFunc("GET "+Prefix+"/style.css", style)
	s.mux.HandleFunc("GET "+Prefix+"/link/{text}", s.showLink)
	s.mux.HandleFunc("POST "+Prefix+"/link/{text}", s.useLink)
	return s, nil
}

// ServeHTTP answers one request.
func (s *SignIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, pattern := s.mux.Handler(r)
	request.Of(r.Context()).Route = pattern
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "no-referrer") // the path may be a link that lets somebody in
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	switch {
	case path.Clean(r.URL.Path) != r.URL.Path, pattern == "":
		s.tell(w, r, notThere)
	case s.base(r).cookie == "":
		s.tell(w, r, notSafe)
	default:
		s.mux.ServeHTTP(w, r)
	}
}

// Fail implements api.Room.
func (s *SignIn) Fail(w http.ResponseWriter, r *http.Request, status int, message string) {
	s.tell(w, r, trouble{status: status, title: "That did not work", says: message})
}

// Doors implements native.Sessions.
func (s *SignIn) Doors() []native.Door {
	doors := []native.Door{}
	if s.oidc != nil {
		doors = append(doors, native.Door{ID: access.ByOIDC, Name: s.SignIn.OIDC.Name})
	}
	if s.github != nil {
		doors = append(doors, native.Door{ID: access.ByGitHub, Name: s.github.name})
	}
	return doors
}

// A base is where people reach us, as a request shows it.
type base struct {
	url    string // without a slash at its end
	secure bool
	cookie string // the name of the session's; empty where browsers keep none that is safe
}

// base is the configured address, else the one that the caller used.
func (s *SignIn) base(r *http.Request) base {
	b := base{url: s.ExternalURL}
	if b.url == "" {
		b.url = request.Of(r.Context()).Base
	}
	u, err := url.Parse(b.url)
	switch {
	case err != nil || u.Host == "":
	case u.Scheme == "https":
		b.secure, b.cookie = true, "__Host-"+cookieName // RFC 6265bis: of this host alone, over HTTPS alone
	case config.Loopback(u.Host) && loops(r):
		b.cookie = cookieName
	}
	return b
}

// loops reports whether a request was made to this machine by a name of it, so that no name of somebody else's stands for it.
func loops(r *http.Request) bool {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return config.Loopback(host)
}

// within returns the page to go to: a path below the console, and no other place whatever the caller wrote.
func within(wish string) string {
	u, err := url.Parse(wish)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" || strings.ContainsAny(wish, "\\\r\n\t") || len(wish) > 2000 {
		return home
	}
	clean := path.Clean(u.Path)
	if clean+"/" != home && !strings.HasPrefix(clean, home) || strings.Contains(u.Path, "//") {
		return home
	}
	if strings.HasSuffix(u.Path, "/") {
		clean += "/"
	}
	to := url.URL{Path: clean, RawQuery: u.RawQuery, Fragment: u.Fragment}
	return to.String()
}
