package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"

	"musterline.example/catalog"
	"musterline.example/config"
	"musterline.example/internal/secret"
	"musterline.example/link"
	"musterline.example/mapping"
	"musterline.example/plan"
	"musterline.example/reconcile"
	"musterline.example/source"
	"musterline.example/store"
	"musterline.example/target"
)

// A house is what a command works in: the configuration, and the parts of the stages opened as it says.
type house struct {
	cli    *cli
	config *config.Config
	deps   reconcile.Deps
	store  *store.Store // nil without a database
	close  func()
}

// look opens the house for a command that never writes. There need be no database, and none is made.
func (c *cli) look(ctx context.Context) (*house, error) {
	h, err := c.configured()
	if err != nil {
		return nil, err
	}
	o := store.Options{Now: c.now, Log: h.deps.Logger, ReadOnly: true}
	if key, err := secret.Open(h.config.KeyFile); err == nil {
		o.Key = key
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err // nothing that a reader shows needs the key, but a key file that others may read must not go unseen
	}
	switch h.store, err = store.Open(ctx, h.config.Database.Reveal(), o); {
	case errors.Is(err, store.ErrNoDatabase):
		h.deps.Memory = reconcile.NoMemory{}
		return h, nil
	case err != nil:
		return nil, h.databaseTrouble(err)
	}
	h.deps.Memory = h.store
	h.close = func() { _ = h.store.Shut() } // it was only read
	return h, nil
}

// hold opens the house for a command that writes and takes the database's lock. A missing database is made, and a missing key file beside
// an empty one: beside any other it has been lost, and a new one would open nothing.
func (c *cli) hold(ctx context.Context, who string) (*house, error) {
	h, err := c.configured()
	if err != nil {
		return nil, err
	}
	key, err := h.key(ctx)
	if err != nil {
		return nil, err
	}
	h.store, err = store.Open(ctx, h.config.Database.Reveal(), store.Options{
		Key: key, Now: c.now, Log: h.deps.Logger, Create: true, Who: "musterline " + who,
	})
	if err != nil {
		return nil, h.databaseTrouble(err)
	}
	unlock, err := h.store.Lock(ctx)
	if err != nil {
		return nil, errors.Join(h.databaseTrouble(err), h.store.Shut())
	}
	h.close = func() {
		if err := errors.Join(unlock(), h.store.Shut()); err != nil {
			h.deps.Logger.Error("close the database", "error", err)
		}
	}
	h.deps.Memory, h.deps.Notebook, h.deps.Log = h.store, h.store, h.store
	return h, nil
}

// configured reads the configuration, and opens nothing yet.
func (c *cli) configured() (*house, error) {
	cfg, err := config.Load(c.config, c.env, config.Kinds{Sources: catalog.Sources(), Targets: catalog.Targets()})
	if err != nil {
		if _, wrong := errors.AsType[config.Problems](err); wrong {
			return nil, withHint(failf("the configuration is wrong:\n%w", err), "correct the file; nothing was read or changed")
		}
		if errors.Is(err, fs.ErrNotExist) {
			places := config.Places
			if c.config != "" {
				places = []string{c.config}
			}
			return nil, withHint(failf("there is no configuration file: looked for %s", strings.Join(places, " and ")),
				"name it with --config FILE, see how it works with musterline demo, or begin with this musterline.yaml:\n\n"+config.Example)
		}
		return nil, err
	}
	level := slog.LevelError
	if c.verbose {
		level = slog.LevelDebug
	}
	h := &house{cli: c, config: cfg, close: func() {}}
	h.deps = reconcile.Deps{
		Rules: cfg.Rules, Tiers: cfg.Tiers, Manual: make(map[string][]link.Statement), Now: c.now,
		Logger:  slog.New(slog.NewTextHandler(c.stderr, &slog.HandlerOptions{Level: level})),
		Sources: make(map[string]source.Source), Targets: make(map[string]reconcile.Target),
	}
	h.deps.File = make(map[string][]mapping.Mapping)
	for _, m := range cfg.Mappings {
		h.deps.File[m.Target] = append(h.deps.File[m.Target], m)
	}
	for _, m := range cfg.Manual {
		h.deps.Manual[m.Host] = append(h.deps.Manual[m.Host], m.Statement(c.now()))
	}
	return h, nil
}

// key opens the key file, or makes it beside an empty database.
func (h *house) key(ctx context.Context) (*secret.Key, error) {
	key, err := secret.Open(h.config.KeyFile)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	empty, err := store.Empty(ctx, h.config.Database.Reveal())
	if err != nil {
		return nil, h.databaseTrouble(err)
	}
	if !empty {
		return nil, withHint(failf("the key file %s is missing, and the database was made with it", h.config.KeyFile),
			"put the file back from the backup: a new one could neither open the credentials nor go on with the audit record")
	}
	key, err = secret.Create(h.config.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("make a key file: %w", err)
	}
	fmt.Fprintf(h.cli.stderr, "Made the key file %s. Keep a copy of it apart from the database.\n", h.config.KeyFile)
	return key, nil
}

// databaseTrouble says what to do about a database that cannot be used.
func (h *house) databaseTrouble(err error) error {
	switch {
	case errors.Is(err, store.ErrLocked):
		return withHint(err, "wait until it is done; what only looks needs not wait, such as musterline plan")
	case errors.Is(err, secret.ErrWrongKey):
		return withHint(err, "set secrets.key_file to the file that this database was made with")
	}
	return err
}

// open opens the sources and targets with these names: all when none are given. lane says who waits: "person" or "schedule".
func (h *house) open(ctx context.Context, lane string, targets []string) error {
	for name := range h.config.Sources {
		if err := h.openSource(ctx, name); err != nil {
			return err
		}
	}
	if len(targets) == 0 {
		targets = h.targetNames()
	}
	for _, name := range targets {
		if err := h.openTarget(ctx, lane, name); err != nil {
			return err
		}
	}
	return nil
}

func (h *house) openSource(ctx context.Context, name string) error {
	s := h.config.Sources[name]
	opened, err := catalog.Sources()[s.Kind].Open(ctx, s.Values, source.Env{
		Name: name, Dir: h.config.Dir, Now: h.cli.now, HTTP: nil, Log: h.deps.Logger.With("source", name),
	})
	if err != nil {
		return fmt.Errorf("source %s: %w", name, err)
	}
	h.deps.Sources[name] = opened
	return nil
}

func (h *house) openTarget(ctx context.Context, lane, name string) error {
	t := h.config.Targets[name]
	env := target.Env{Name: name, Lane: lane, Now: h.cli.now, Log: h.deps.Logger.With("target", name)}
	if h.store != nil {
		hints, err := h.store.Hints(ctx, name)
		if err != nil {
			return err
		}
		env.Hints = hints
	}
	opened, err := catalog.Targets()[t.Kind].Open(ctx, t.Values, env)
	if err != nil {
		return fmt.Errorf("target %s: %w", name, err)
	}
	h.deps.Targets[name] = reconcile.Target{
		Target: gentle{opened}, Kind: t.Kind, Applies: t.Apply, Settings: t.Settings, Protected: t.ProtectedLogins,
		Guards: t.Guards, TeamGuards: t.TeamGuards,
	}
	return nil
}

// mappings are those of a target as the next run will have them: what memory holds, brought in line with the file.
func (h *house) mappings(ctx context.Context, target string) ([]mapping.Mapping, error) {
	rows, err := h.deps.Memory.Mappings(ctx, target)
	if err != nil {
		return nil, err
	}
	after, _ := mapping.Load(rows, h.deps.File[target])
	return after, nil
}

func (h *house) targetNames() []string { return slices.Sorted(maps.Keys(h.config.Targets)) }
func (h *house) sourceNames() []string { return slices.Sorted(maps.Keys(h.config.Sources)) }

// targets checks the names on a command line; none means all.
func (h *house) targets(args []string) ([]string, error) {
	for _, name := range args {
		if err := oneOf("target", name, h.targetNames()); err != nil {
			return nil, err
		}
	}
	if len(args) > 0 {
		return args, nil
	}
	if len(h.config.Targets) == 0 {
		return nil, withHint(failf("no target is configured"), "say under targets: in "+h.config.Path+" which organization to keep")
	}
	return h.targetNames(), nil
}

// host is where a target's accounts live, as far as the configuration tells: links are made for a host before anything was read of it.
func (h *house) host(ctx context.Context, name string) string {
	if h.store != nil {
		if place, err := h.store.Place(ctx, name); err == nil && place.Host != "" {
			return place.Host
		}
	}
	address := h.config.Targets[name].Values.Text("api_url")
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Host == "api.github.com" {
		return "github.com"
	}
	return strings.TrimPrefix(u.Host, "api.")
}

// A gentle target is not interrupted within a write: who gives up waiting stops it between two, so that no answer is lost.
type gentle struct{ target.Target }

// Apply stops after the write in hand once ctx is done.
func (g gentle) Apply(ctx context.Context, change plan.TeamChange, did func(target.Outcome) error) error {
	return g.Target.Apply(context.WithoutCancel(ctx), change, func(o target.Outcome) error {
		if err := did(o); err != nil {
			return err
		}
		return ctx.Err()
	})
}

var _ target.Target = gentle{}

// exists reports whether there is a file of that name.
func exists(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}
