package answer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"musterline.example/catalog"
	"musterline.example/config"
	"musterline.example/directory"
	"musterline.example/internal/secret"
	"musterline.example/link"
	"musterline.example/mapping"
	"musterline.example/reconcile"
	"musterline.example/source"
	"musterline.example/store"
	"musterline.example/target"
)

// Lanes say who waits for a target: its calls for persons and events go before those of the schedule.
const (
	Person   = "person"
	Event    = "event"
	Schedule = "schedule"
)

// Options are what a house takes from its surroundings.
type Options struct {
	Now func() time.Time
	Log *slog.Logger

	// Say is told what a person should know of the opening, such as that a key file was made. It may be nil.
	Say func(string)

	// Meter returns who is told what the calls to a target cost. It may be nil.
	Meter func(target string) target.Meter
}

// A House is a configuration with its database, its sources and its targets. A source or a target is opened when it is first needed and
// stays open. A House is safe for concurrent use once Look, Hold or Share has returned.
type House struct {
	Config *config.Config
	Store  *store.Store // nil without a database

	now    func() time.Time
	log    *slog.Logger
	say    func(string)
	meter  func(string) target.Meter
	deps   reconcile.Deps // without sources and targets
	serves bool           // a server's: somebody takes what is asked
	close  func() error

	mu      sync.Mutex
	sources map[string]source.Source
	targets map[[2]string]reconcile.Target // by lane and name
	hints   map[string]*store.Hints        // of targets: its lanes share them
	offers  map[[2]string]offer            // the last approval shown, by target and undone run
	quotas  *quotas                        // what targets have said; shared by the houses of one server

	rereads   map[[2]string]reread // what sources said for the last previews, by source and selection
	snapshots *snapshots           // shared by the houses of one server
}

var _ Desk = (*House)(nil)

// New returns the house of a configuration. It opens nothing yet, and no database: Look, Hold and Share do.
func New(c *config.Config, o Options) *House {
	h := &House{
		Config: c, now: o.Now, log: o.Log, say: o.Say, meter: o.Meter, close: func() error { return nil },
		sources: make(map[string]source.Source), targets: make(map[[2]string]reconcile.Target), hints: make(map[string]*store.Hints),
		offers: make(map[[2]string]offer), quotas: &quotas{}, snapshots: &snapshots{},
	}
	if h.say == nil {
		h.say = func(string) {}
	}
	h.deps = reconcile.Deps{
		File: make(map[string][]mapping.Mapping), Rules: c.Rules, Tiers: c.Tiers, Manual: make(map[string][]link.Statement),
		Memory: reconcile.NoMemory{}, Now: o.Now, Logger: o.Log,
	}
	for _, m := range c.Mappings {
		h.deps.File[m.Target] = append(h.deps.File[m.Target], m)
	}
	for _, m := range c.Manual {
		h.deps.Manual[m.Host] = append(h.deps.Manual[m.Host], m.Statement(o.Now()))
	}
	return h
}

// Look opens the database for somebody who never writes. There need be none, and none is made.
func (h *House) Look(ctx context.Context) error {
	o := store.Options{Now: h.now, Log: h.log, ReadOnly: true}
	if key, err := secret.Open(h.Config.KeyFile); err == nil {
		o.Key = key
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err // nothing that a reader shows needs the key, but a key file that others may read must not go unseen
	}
	s, err := store.Open(ctx, h.Config.Database.Reveal(), o)
	switch {
	case errors.Is(err, store.ErrNoDatabase):
		return nil
	case err != nil:
		return databaseTrouble(err)
	}
	h.Store, h.deps.Memory, h.close = s, s, s.Shut
	return h.enter(ctx)
}

// Hold opens the database for one command that writes, and takes it for itself. A missing database is made, and a missing key file beside
// an empty one: beside any other it has been lost, and a new one would open nothing. who is named to others who find the database locked.
func (h *House) Hold(ctx context.Context, who string) error {
	return h.write(ctx, who, (*store.Store).Lock)
}

// Share does the same for a server, which on PostgreSQL shares the database with other servers.
func (h *House) Share(ctx context.Context, who string) error {
	h.serves = true
	return h.write(ctx, who, (*store.Store).LockShared)
}

// Beside opens the database for one small thing that a server which runs on it does not mind, such as making a token or a sign-in link: one
// transaction of its own with its entry in the audit record. Where there is no database yet it is made, as by Hold. The lock is for those who
// work on targets, and is not needed for this; a database that another version of the program has made is left as it is.
func (h *House) Beside(ctx context.Context, who string) error {
	key, err := secret.Open(h.Config.KeyFile)
	if errors.Is(err, fs.ErrNotExist) {
		return h.Hold(ctx, who)
	}
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, h.Config.Database.Reveal(), store.Options{Key: key, Now: h.now, Log: h.log, Who: who, Beside: true})
	if errors.Is(err, store.ErrNoDatabase) {
		return h.Hold(ctx, who)
	}
	if err != nil {
		return databaseTrouble(err)
	}
	h.Store, h.deps.Memory, h.deps.Notebook, h.deps.Log = s, s, s, s
	h.close = s.Shut
	return h.enter(ctx)
}

func (h *House) write(ctx context.Context, who string, lock func(*store.Store, context.Context) (func() error, error)) error {
	key, err := h.key(ctx)
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, h.Config.Database.Reveal(), store.Options{Key: key, Now: h.now, Log: h.log, Create: true, Who: who})
	if err != nil {
		return databaseTrouble(err)
	}
	unlock, err := lock(s, ctx)
	if err != nil {
		return errors.Join(databaseTrouble(err), s.Shut())
	}
	h.Store, h.deps.Memory, h.deps.Notebook, h.deps.Log = s, s, s, s
	h.close = func() error { return errors.Join(unlock(), s.Shut()) }
	if err := h.enter(ctx); err != nil {
		return err
	}
	if err := h.settleTargets(ctx); err != nil {
		h.Close()
		return err
	}
	return nil
}

// settleTargets ends what was given for an organization that a target is no more, by what is configured now: before anybody is let in.
func (h *House) settleTargets(ctx context.Context) error {
	for _, name := range h.targetNames() {
		organization := h.Config.Targets[name].Values.Text("organization")
		if organization == "" {
			continue
		}
		if err := h.Store.ConfiguredAs(ctx, name, h.configuredHost(name), organization); err != nil {
			return databaseTrouble(err)
		}
	}
	return nil
}

// enter takes what the API has configured into the house. A house that cannot be entered is closed.
func (h *House) enter(ctx context.Context) error {
	err := h.configure(ctx)
	if err != nil {
		h.Close()
	}
	return err
}

// writes is the refusal of a house that only looks.
func (h *House) writes() error {
	if h.deps.Notebook == nil {
		return Errorf(Unavailable, "the database is open for reading only")
	}
	return nil
}

// Close closes the database and lets go of its lock.
func (h *House) Close() {
	if err := h.close(); err != nil {
		h.log.Error("close the database", "error", err)
	}
}

// key opens the key file, or makes it beside an empty database.
func (h *House) key(ctx context.Context) (*secret.Key, error) {
	key, err := secret.Open(h.Config.KeyFile)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	empty, err := store.Empty(ctx, h.Config.Database.Reveal())
	if err != nil {
		return nil, databaseTrouble(err)
	}
	if !empty {
		return nil, Errorf(Failed, "the key file %s is missing, and the database was made with it", h.Config.KeyFile).
			WithHint("put the file back from the backup: a new one could neither open the credentials nor go on with the audit record")
	}
	key, err = secret.Create(h.Config.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("make a key file: %w", err)
	}
	h.say("Made the key file " + h.Config.KeyFile + ". Keep a copy of it apart from the database.")
	return key, nil
}

// databaseTrouble says what to do about a database that cannot be used.
func databaseTrouble(err error) error {
	switch {
	case errors.Is(err, store.ErrLocked) && strings.Contains(err.Error(), "musterline serve"):
		return Errorf(Unavailable, "%w", err).WithHint("a server runs on it: give the command to that with --server URL")
	case errors.Is(err, store.ErrLocked):
		return Errorf(Unavailable, "%w", err).WithHint("wait until it is done; what only looks needs not wait, such as musterline plan")
	case errors.Is(err, secret.ErrWrongKey):
		return Errorf(Failed, "%w", err).WithHint("set secrets.key_file to the file that this database was made with")
	}
	return err
}

// Deps returns what a reconcile of these targets works with: all sources, and the targets in the lane of who waits. A source that cannot be
// opened counts as one that cannot be read; it is tried again the next time.
func (h *House) Deps(ctx context.Context, lane string, targets ...string) (reconcile.Deps, error) {
	d := h.deps
	d.Sources, d.Targets = make(map[string]source.Source), make(map[string]reconcile.Target)
	var err error
	for name := range h.Config.Sources {
		s, err := h.source(ctx, name)
		if err != nil {
			h.log.ErrorContext(ctx, "a source cannot be opened", "source", name, "error", err)
			s = shut{err}
		}
		d.Sources[name] = s
	}
	for _, name := range targets {
		if err := h.synced(name); err != nil {
			return d, err
		}
		if d.Targets[name], err = h.target(ctx, lane, name); err != nil {
			return d, err
		}
	}
	return d, nil
}

// AllDeps are the Deps of all targets that can be opened. The log tells of the others, for which nothing is done until they can; nor is there
// for those that rest on rows which were left out.
func (h *House) AllDeps(ctx context.Context, lane string) (reconcile.Deps, error) {
	d, err := h.Deps(ctx, lane)
	if err != nil {
		return d, err
	}
	for _, name := range h.targetNames() {
		if h.synced(name) != nil {
			continue // the log has said so when it was configured
		}
		t, err := h.target(ctx, lane, name)
		if err != nil {
			h.log.ErrorContext(ctx, "a target cannot be opened, and nothing is done for it", "target", name, "error", err)
			continue
		}
		d.Targets[name] = t
	}
	return d, nil
}

// A shut source could not be opened.
type shut struct{ err error }

// Snapshot implements source.Source.
func (s shut) Snapshot(context.Context, source.Selection) (*directory.Snapshot, error) {
	return nil, s.err
}

// source opens a source, or returns the open one.
func (h *House) source(ctx context.Context, name string) (source.Source, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s, ok := h.sources[name]; ok {
		return s, nil
	}
	s, ok := h.Config.Sources[name]
	if !ok {
		return nil, OneOf("source", name, h.sourceNames())
	}
	opened, err := catalog.Sources()[s.Kind].Open(ctx, s.Values, source.Env{
		Name: name, Dir: h.Config.Dir, Now: h.now, HTTP: nil, Log: h.log.With("source", name),
	})
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", name, err)
	}
	h.sources[name] = opened
	return opened, nil
}

// target opens a target for a lane, or returns the open one.
func (h *House) target(ctx context.Context, lane, name string) (reconcile.Target, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	key := [2]string{lane, name}
	if t, ok := h.targets[key]; ok {
		return t, nil
	}
	t, ok := h.Config.Targets[name]
	if !ok {
		return reconcile.Target{}, OneOf("target", name, h.targetNames())
	}
	env := target.Env{Name: name, Lane: lane, Now: h.now, Log: h.log.With("target", name)}
	if h.Store != nil {
		if h.hints[name] == nil {
			hints, err := h.Store.Hints(ctx, name)
			if err != nil {
				return reconcile.Target{}, err
			}
			h.hints[name] = hints
		}
		env.Hints = h.hints[name]
	}
	var meter target.Meter
	if h.meter != nil {
		meter = rationed{to: h.meter(name), quotas: h.quotas, name: name, now: h.now}
	}
	env.Meter = target.Counting(meter)
	opened, err := catalog.Targets()[t.Kind].Open(ctx, t.Values, env)
	if err != nil {
		return reconcile.Target{}, fmt.Errorf("target %s: %w", name, err)
	}
	h.targets[key] = kept(opened, t)
	return h.targets[key], nil
}

// kept is an open target with what is set for it.
func kept(opened target.Target, t config.TargetConfig) reconcile.Target {
	return reconcile.Target{
		Target: opened, Kind: t.Kind, Applies: t.Apply, Settings: t.Settings, Protected: t.ProtectedLogins, Guards: t.Guards, TeamGuards: t.TeamGuards,
	}
}

// Gate returns whom to ask about guests of a target. It is nil for a target that cannot tell.
func (h *House) Gate(ctx context.Context, name string) (target.Gate, error) {
	t, err := h.target(ctx, Person, name)
	if err != nil {
		return nil, err
	}
	gate, _ := t.Target.(target.Gate)
	return gate, nil
}

// Searchers returns the sources that can be asked for groups by the beginning of their names. One that cannot be opened is none of them.
func (h *House) Searchers(ctx context.Context) (map[string]source.Searcher, error) {
	found := make(map[string]source.Searcher)
	for name := range h.Config.Sources {
		s, err := h.source(ctx, name)
		if err != nil {
			h.log.ErrorContext(ctx, "a source cannot be opened", "source", name, "error", err)
			continue
		}
		if searcher, ok := s.(source.Searcher); ok {
			found[name] = searcher
		}
	}
	return found, nil
}

// Host returns where a target's accounts live, as far as memory or the configuration tells.
func (h *House) Host(ctx context.Context, name string) string { return h.host(ctx, name) }

// mappings are those of a target as the next run will have them: what memory holds, brought in line with the file.
func (h *House) mappings(ctx context.Context, target string) ([]mapping.Mapping, error) {
	rows, err := h.deps.Memory.Mappings(ctx, target)
	if err != nil {
		return nil, err
	}
	after, _ := mapping.Load(rows, h.deps.File[target])
	return after, nil
}

func (h *House) targetNames() []string { return slices.Sorted(maps.Keys(h.Config.Targets)) }
func (h *House) sourceNames() []string { return slices.Sorted(maps.Keys(h.Config.Sources)) }

// host is where a target's accounts live, as far as the configuration tells: links are made for a host before anything was read of it.
func (h *House) host(ctx context.Context, name string) string {
	if h.Store != nil {
		if place, err := h.Store.Place(ctx, name); err == nil && place.Host != "" {
			return place.Host
		}
	}
	return h.configuredHost(name)
}

// configuredHost is where a target's accounts live, as the configuration alone tells.
func (h *House) configuredHost(name string) string {
	address := h.Config.Targets[name].Values.Text("api_url")
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Host == "api.github.com" {
		return "github.com"
	}
	return strings.TrimPrefix(u.Host, "api.")
}

// Configured lists the sources and targets of the configuration.
func (h *House) Configured(context.Context) (Configured, error) {
	c := Configured{Sources: []ConfiguredSource{}, Targets: []ConfiguredTarget{}, path: h.Config.Path}
	for _, name := range h.sourceNames() {
		c.Sources = append(c.Sources, ConfiguredSource{Name: name, Kind: h.Config.Sources[name].Kind})
	}
	for _, name := range h.targetNames() {
		t := h.Config.Targets[name]
		c.Targets = append(c.Targets, ConfiguredTarget{Name: name, Kind: t.Kind, Apply: t.Apply})
	}
	return c, nil
}
