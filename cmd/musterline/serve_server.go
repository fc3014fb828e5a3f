package main

import (
	"context"
	"crypto/subtle"
	"crypto/tls"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"musterline.example/answer"
	"musterline.example/api"
	"musterline.example/api/access"
	"musterline.example/api/connect"
	"musterline.example/api/github"
	"musterline.example/api/native"
	"musterline.example/api/signin"
	"musterline.example/config"
	"musterline.example/internal/marked"
	"musterline.example/internal/telemetry"
	"musterline.example/job"
	"musterline.example/setting"
	"musterline.example/store"
	"musterline.example/web"
)

// A server is what runs behind the doors: jobs, and rooms that answer requests.
type server struct {
	now     *answer.Current
	jobs    *job.Jobs
	figures *telemetry.Telemetry
	log     *slog.Logger
	clock   func() time.Time
	config  config.Server
	store   *store.Store
	answers *marked.Answers // of the store

	asking context.Context //nolint:containedctx // of all requests
	hangUp context.CancelCauseFunc

	access  *access.Access
	native  *native.API
	signIn  *signin.SignIn
	connect *connect.Connect
	console api.Room
	rooms   atomic.Pointer[rooms]
	looked  sync.Mutex // held by who looks whether the configuration has changed
}

// Rooms are those of one configuration.
type rooms struct {
	house  *answer.House
	at     time.Time // when the configuration was last found unchanged
	answer http.Handler
	whole  bool // false while a target cannot be opened
}

// fresh is how long the configuration is taken for unchanged.
const fresh = time.Second

// open makes the rooms, so that a configuration that cannot be served is known at once.
func (s *server) open(ctx context.Context) error {
	s.answers = marked.New(s.store.Mark)
	var err error
	if s.signIn, err = signin.New(signin.Options{
		Store: s.store, House: s.now.House, SignIn: s.config.SignIn, ExternalURL: s.config.ExternalURL, Now: s.clock, Log: s.log,
	}); err != nil {
		return answer.Errorf(answer.Failed, "%w", err)
	}
	s.access = access.New(access.Options{Tokens: s.store, Assignments: s.store, People: s.signIn, Now: s.clock, Log: s.log})
	s.signIn.Access = s.access
	s.native = native.New(native.Options{House: s.now.House, Access: s.access, Sessions: s.signIn, Alone: s.alone, Version: version, Now: s.clock, Log: s.log})
	s.connect = connect.New(connect.Options{
		House: s.now.House, Sessions: s.signIn, Access: s.access, Key: s.store.Derive("app manifests"), ExternalURL: s.config.ExternalURL, Now: s.clock, Log: s.log,
	})
	s.console = api.Plain(web.Handler())
	_, err = s.room(ctx)
	return err
}

// alone keeps syncs away from a target during an act.
func (s *server) alone(ctx context.Context, target string) (context.Context, func(), error) {
	alone, done, err := s.jobs.Alone(ctx, target)
	if errors.Is(err, job.ErrBusy) {
		err = answer.Errorf(answer.Conflict, "%w", err).WithHint("wait until it has ended, or cancel it; then look at the plan again")
	}
	return alone, done, err
}

// room returns what answers requests under the configuration of now.
func (s *server) room(ctx context.Context) (*rooms, error) {
	if r := s.rooms.Load(); r != nil && time.Since(r.at) < fresh {
		return r, nil
	}
	s.looked.Lock()
	defer s.looked.Unlock()
	was := s.rooms.Load()
	if was != nil && time.Since(was.at) < fresh {
		return was, nil
	}
	h, err := s.now.House(ctx)
	if err != nil {
		return was, err
	}
	r := &rooms{house: h, at: time.Now()}
	if was != nil && was.house == h && was.whole {
		r.answer, r.whole = was.answer, true
	} else if r.answer, r.whole, err = s.furnish(ctx, h); err != nil {
		return was, err
	}
	s.rooms.Store(r)
	return r, nil
}

// furnish makes the rooms of a configuration. They are not whole while a target cannot be opened.
func (s *server) furnish(ctx context.Context, h *answer.House) (rooms http.Handler, whole bool, err error) {
	whole = true
	o := github.Options{
		Access: s.access, Memory: s.store, Answers: s.answers, File: h.Config.Path, Key: s.store.Derive("cursors"), Now: s.clock, Log: s.log,
	}
	configured, err := h.Configured(ctx)
	if err != nil {
		return nil, false, err
	}
	o.Sources = configured.SourceNames()
	if o.Search, err = h.Searchers(ctx); err != nil {
		return nil, false, err
	}
	for _, name := range configured.TargetNames() {
		gate, err := h.Gate(ctx, name)
		if err != nil {
			s.log.ErrorContext(ctx, "a target cannot be opened, and its API is not served until it can", "target", name, "error", err)
			whole = false
			continue
		}
		if gate == nil {
			continue // of a kind without an API of its own
		}
		t := github.Target{
			Name: name, Organization: h.Config.Targets[name].Values.Text("organization"), Host: h.Host(ctx, name), Gate: gate,
			Settings: func(ctx context.Context) (github.Settings, error) { return s.settings(ctx, h, name) },
		}
		for _, m := range h.Config.Mappings {
			if m.Target == name {
				t.File = append(t.File, m)
			}
		}
		o.Targets = append(o.Targets, t)
	}
	return api.New(api.Options{
		GitHub: github.New(o), Rooms: map[string]api.Room{native.Prefix: s.native, signin.Prefix: s.signIn, connect.Prefix: s.connect, web.Prefix: s.console}, Home: web.Prefix + "/",
		TrustedProxies: s.config.Proxies, Metrics: served{s.figures}, Now: s.clock, Log: s.log,
	}), whole, nil
}

// isEnabled is the question whether a target is enabled.
type isEnabled string

// settings are an organization's, as the GitHub API heeds them.
func (s *server) settings(ctx context.Context, h *answer.House, name string) (github.Settings, error) {
	enabled, err := marked.Get(ctx, s.answers, isEnabled(name), func(ctx context.Context) (store.Enabled, error) {
		e, _, err := s.store.Enabled(ctx, name)
		return e, err
	})
	if err != nil {
		return github.Settings{}, err
	}
	t := h.Config.Targets[name]
	return github.Settings{
		Off: !enabled.On, Sources: t.Sources, GroupsPerTeam: t.Settings.GroupsPerTeam, ParentTeams: t.Settings.ParentTeams, Grace: t.Grace,
		Unscoped: t.Unscoped,
	}, nil
}

// served tells the figures of requests.
type served struct{ figures *telemetry.Telemetry }

// Served implements api.Metrics.
func (s served) Served(_, route string, status int, took time.Duration) {
	s.figures.Served(route, status, took)
}

// ServeHTTP answers one request. What asks how the server fares is answered before all rooms and without a line in the log: it comes
// every few seconds, and must be answered when nothing else can be.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/healthz":
		state(w, http.StatusOK, map[string]string{"status": "alive"})
		return
	case "/readyz":
		s.ready(w, r)
		return
	case "/metrics":
		if s.config.MetricsListen == "" && s.config.MetricsToken != "" {
			s.metrics(w, r)
			return
		}
	}
	room, err := s.room(r.Context())
	if room == nil {
		s.log.ErrorContext(r.Context(), "there is no configuration to answer from", "error", err)
		state(w, http.StatusServiceUnavailable, map[string]string{"message": "The server cannot read its configuration. Its log says why."})
		return
	}
	if err != nil {
		s.log.WarnContext(r.Context(), "answering from the configuration of a moment ago", "error", err)
	}
	room.answer.ServeHTTP(w, r)
}

// ready answers whether the server can work: its database answers, its tables are up to date, its workers work. A source that cannot be
// read is no reason to take the server out of service; its age is a figure.
func (s *server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	said, status := map[string]string{"database": "ready", "jobs": "ready"}, http.StatusOK
	if err := s.store.Ping(ctx); err != nil {
		s.log.Warn("not ready: the database does not answer", "error", err)
		said["database"], status = "does not answer", http.StatusServiceUnavailable
	}
	if err := s.jobs.Ready(); err != nil {
		s.log.Warn("not ready", "error", err)
		said["jobs"], status = "are not worked", http.StatusServiceUnavailable
	}
	state(w, status, said)
}

// metrics shows the figures to whoever has the token, if one is set.
func (s *server) metrics(w http.ResponseWriter, r *http.Request) {
	if want := s.config.MetricsToken; want != "" && !bearer(r, want) {
		w.Header().Set("WWW-Authenticate", "Bearer")
		state(w, http.StatusUnauthorized, map[string]string{"message": "The figures ask for server.metrics_token."})
		return
	}
	s.figures.Handler().ServeHTTP(w, r)
}

func bearer(r *http.Request, want setting.Secret) bool {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare([]byte(token), []byte(want.Reveal())) == 1
}

func state(w http.ResponseWriter, status int, said map[string]string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(said) // who asked may have gone
}

// certificates returns how to serve HTTPS with the certificate of these files, which is read again when a file has changed; nil without.
func certificates(certFile, keyFile string) (*tls.Config, error) {
	if certFile == "" {
		return nil, nil
	}
	k := &keyPair{certFile: certFile, keyFile: keyFile}
	if _, err := k.get(nil); err != nil {
		return nil, answer.Errorf(answer.Failed, "the certificate: %w", err).WithHint("see server.tls_cert_file and server.tls_key_file")
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: k.get}, nil
}

// A keyPair is a certificate with its key, in two files that are renewed from time to time.
type keyPair struct {
	certFile, keyFile string

	mu     sync.Mutex
	loaded *tls.Certificate
	of     [2]time.Time // when the files had changed last
}

func (k *keyPair) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var changed [2]time.Time
	for i, name := range []string{k.certFile, k.keyFile} {
		about, err := os.Stat(name)
		if err != nil {
			return k.or(err)
		}
		changed[i] = about.ModTime()
	}
	if k.loaded != nil && changed == k.of {
		return k.loaded, nil
	}
	pair, err := tls.LoadX509KeyPair(k.certFile, k.keyFile)
	if err != nil {
		return k.or(err) // half of a renewal, perhaps
	}
	k.loaded, k.of = &pair, changed
	return k.loaded, nil
}

// or returns the certificate of before, while there is one, in place of an error.
func (k *keyPair) or(err error) (*tls.Certificate, error) {
	if k.loaded != nil {
		return k.loaded, nil
	}
	return nil, err
}
