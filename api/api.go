// Package api is the door of the server: it gives every request an id and a log line, finds out at which address and from where it was
// asked, and hands it to the room that answers. GitHub's API is at / and takes what no other room does; each room has its own form of refusal.
//
// Who may do what is decided in package access, which every room asks.
package api

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"musterline.example/api/request"
)

// A Room answers the requests below a path.
type Room interface {
	http.Handler
	// Fail writes a refusal with this status in the room's own form, for what goes wrong before or around it.
	Fail(w http.ResponseWriter, r *http.Request, status int, message string)
}

// Metrics are told of every request that was answered. Route is the pattern, "" when there was none.
type Metrics interface {
	Served(method, route string, status int, took time.Duration)
}

// Options are what the door works with.
type Options struct {
	GitHub Room            // at /, and so at /api/v3 and /{target}/api/v3
	Rooms  map[string]Room // by the path that they begin with, such as /api/musterline, /console or /scim
	Home   string          // where a browser is led that asks for /; empty: / is GitHub's API alone

	// TrustedProxies are those whose X-Forwarded headers are believed: what the caller's address is, and at which one they asked.
	TrustedProxies []netip.Prefix

	Metrics Metrics // may be nil
	Now     func() time.Time
	Log     *slog.Logger
}

// New returns the door.
func New(o Options) http.Handler {
	d := &door{Options: o}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	for path := range o.Rooms {
		d.paths = append(d.paths, path)
	}
	slices.SortFunc(d.paths, func(a, b string) int { return len(b) - len(a) }) // the longest fits best
	return d
}

type door struct {
	Options
	paths []string
}

// room returns who answers a path.
func (d *door) room(path string) Room {
	for _, p := range d.paths {
		if path == p || strings.HasPrefix(path, strings.TrimSuffix(p, "/")+"/") {
			return d.Rooms[p]
		}
	}
	return d.GitHub
}

// hosts are what a Host header may hold: it is written into addresses that callers follow.
var hosts = regexp.MustCompile(`^[A-Za-z0-9._\-]+(:[0-9]{1,5})?$|^\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?$`)

// ServeHTTP implements http.Handler.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := d.Now()
	info := &request.Info{ID: requestID(), From: d.from(r)}
	host, scheme := d.asked(r)
	info.Base = scheme + "://" + host
	r = r.WithContext(request.With(r.Context(), info))
	out := &recorder{ResponseWriter: w}
	out.Header().Set("X-Request-Id", info.ID)
	out.Header().Set("X-Content-Type-Options", "nosniff")
	room := d.room(r.URL.Path)

	defer func() {
		if why := recover(); why != nil {
			if why == http.ErrAbortHandler { //nolint:errorlint // net/http's own sign, which nobody wraps
				panic(why)
			}
			d.Log.ErrorContext(r.Context(), "panic", "request", info.ID, "panic", fmt.Sprint(why), "stack", string(debug.Stack()))
			if out.status == 0 {
				room.Fail(out, r, http.StatusInternalServerError, "Server Error")
			}
		}
		d.tell(r, info, out, d.Now().Sub(began))
	}()
	if !hosts.MatchString(host) {
		info.Base = ""
		room.Fail(out, r, http.StatusBadRequest, "The Host header is no host.")
		return
	}
	if d.Home != "" && r.URL.Path == "/" && strings.Contains(r.Header.Get("Accept"), "text/html") {
		http.Redirect(out, r, d.Home, http.StatusFound)
		return
	}
	room.ServeHTTP(out, r)
}

// tell leaves one line in the log, which names nobody's credential: neither headers nor the query stand in it.
func (d *door) tell(r *http.Request, info *request.Info, out *recorder, took time.Duration) {
	status := out.status
	if status == 0 {
		status = http.StatusOK
	}
	d.Log.InfoContext(r.Context(), "request", "request", info.ID, "method", r.Method, "path", tokens.ReplaceAllString(r.URL.Path, "***"), "route", info.Route,
		"status", status, "bytes", out.bytes, "took", took, "who", info.Who, "from", info.From)
	if d.Metrics != nil {
		d.Metrics.Served(r.Method, info.Route, status, took)
	}
}

// tokens are what looks like a credential of ours or of GitHub's, which somebody may have put where a name belongs.
var tokens = regexp.MustCompile(`(?i)ms[tl]_[^/]*|gh[a-z]_[^/]*|github_pat_[^/]*`)

func requestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	return strings.ToUpper(hex.EncodeToString(b[:]))
}

// from is where a request came from: the peer or, behind proxies that are trusted, the last address that none of them is.
func (d *door) from(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	from := peer.Addr().Unmap()
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !d.trusts(from) {
			break
		}
		next, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		from = next.Unmap()
	}
	return from
}

func (d *door) trusts(a netip.Addr) bool {
	return slices.ContainsFunc(d.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(a) })
}

// asked is the host and scheme that the caller used.
func (d *door) asked(r *http.Request) (host, scheme string) {
	host, scheme = r.Host, "http"
	if r.TLS != nil {
		scheme = "https"
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !d.trusts(peer.Addr().Unmap()) {
		return host, scheme
	}
	if h := first(r.Header.Get("X-Forwarded-Host")); h != "" {
		host = h
	}
	if s := strings.ToLower(first(r.Header.Get("X-Forwarded-Proto"))); s == "http" || s == "https" {
		scheme = s
	}
	return host, scheme
}

// first is the first of a list, which is what the proxy next to the caller has said.
func first(list string) string {
	one, _, _ := strings.Cut(list, ",")
	return strings.TrimSpace(one)
}

// A recorder notes what was answered.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= http.StatusOK {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController through.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// Plain makes a Room of a handler that has no form of its own for refusals.
func Plain(h http.Handler) Room { return plain{h} }

type plain struct{ http.Handler }

// Fail implements Room.
func (plain) Fail(w http.ResponseWriter, _ *http.Request, status int, message string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": message}) // the caller has gone
}
