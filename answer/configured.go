package answer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"musterline.example/catalog"
	"musterline.example/config"
	"musterline.example/internal/document"
	"musterline.example/reconcile"
	"musterline.example/setting"
	"musterline.example/store"
)

// A Row is one part of the configuration: of the file, where it can only be read, or made by the API.
type Row struct {
	Section string          `json:"section"` // sources, targets, rules or settings
	Name    string          `json:"name"`
	Body    json.RawMessage `json:"body"`    // what a file would hold there, without secrets
	Secrets []string        `json:"secrets"` // the keys of those that are set
	Origin  string          `json:"origin"`  // file or api
	File    string          `json:"file,omitempty"`
	Line    int             `json:"line,omitempty"` // of the file
	By      string          `json:"by,omitempty"`
	At      time.Time       `json:"at,omitzero"`

	Version int64 `json:"-"` // for the change that is made from it; 0 for a part of the file
}

// Rows are parts of the configuration, in order of section and name.
type Rows struct {
	Rows []Row `json:"rows"`
}

// A RowWish is what a row shall be.
type RowWish struct {
	Section string
	Name    string
	Body    json.RawMessage // what a file would hold there. A secret that it leaves out stays as it is, one that is null goes
	Version int64           // of the row that the wish was made from; 0 when there was none, store.AnyVersion for whatever there is
	By      string
}

// configure takes what the API has configured into the house, for the house's opening.
func (h *House) configure(ctx context.Context) error {
	revision, err := h.Store.ConfiguredRevision(ctx)
	if err != nil || revision == 0 {
		return err
	}
	c, _, err := h.composed(ctx)
	if err != nil {
		return err
	}
	n := h.With(c)
	h.Config, h.deps = n.Config, n.deps
	return nil
}

// composed is the configuration of the file with what the API has configured, and the revision of that. A row that the file defines too gives
// way to it.
func (h *House) composed(ctx context.Context) (*config.Config, int64, error) {
	rows, revision, err := h.Store.OpenConfigured(ctx)
	if err != nil {
		return nil, 0, databaseTrouble(err)
	}
	for _, r := range rows {
		if line := h.Config.Defined(r.Section, r.Name); line > 0 {
			h.log.Warn("the file defines what the API has configured, and wins", "section", r.Section, "name", r.Name, "line", line)
		}
	}
	c, err := h.Config.With(h.parts(rows))
	if err != nil {
		return nil, 0, Errorf(Failed, "what the API has configured does not fit the file any more:\n%w", err).
			WithHint("put back into the file what it refers to")
	}
	return c, revision, nil
}

// parts are rows as the configuration takes them, without those that the file defines.
func (h *House) parts(rows []store.Opened) []config.Row {
	var parts []config.Row
	for _, r := range rows {
		if h.Config.Defined(r.Section, r.Name) == 0 {
			parts = append(parts, config.Row{Section: r.Section, Name: r.Name, Body: r.Body, Secrets: r.Values})
		}
	}
	return parts
}

// A Current is the house of a server as it is configured now. It is safe for concurrent use.
type Current struct {
	mu       sync.Mutex
	house    *House
	revision int64
}

// NewCurrent returns the Current of an opened house, which stays the one to be closed.
func NewCurrent(h *House) *Current { return &Current{house: h} }

// House returns the house as it is configured now. It asks the database one question, and opens nothing anew that has not changed.
// Whoever works with a house goes on with that one; it stays open.
func (c *Current) House(ctx context.Context) (*House, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.house.Store == nil {
		return c.house, nil
	}
	revision, err := c.house.Store.ConfiguredRevision(ctx)
	if err != nil || revision == c.revision {
		return c.house, err
	}
	now, revision, err := c.house.composed(ctx)
	if answerable, ok := errors.AsType[*Error](err); ok && answerable.Class == Failed {
		// Two changes that fit each and not together: what was in force stays so.
		c.house.log.ErrorContext(ctx, "what is configured cannot be taken over", "error", err)
		return c.house, nil
	}
	if err != nil {
		return nil, err
	}
	c.house, c.revision = c.house.With(now), revision
	return c.house, nil
}

// With returns the house of another configuration over the same database, for a server whose configuration has changed. What is reached as
// before stays open. Only one of the two is closed.
func (h *House) With(c *config.Config) *House {
	n := New(c, Options{Now: h.now, Log: h.log, Say: h.say, Meter: h.meter})
	n.Store, n.close, n.mapping = h.Store, h.close, h.mapping
	n.deps.Memory, n.deps.Notebook, n.deps.Log = h.deps.Memory, h.deps.Notebook, h.deps.Log
	h.mu.Lock()
	defer h.mu.Unlock()
	for name, s := range h.sources {
		if was, is := h.Config.Sources[name], c.Sources[name]; was.Kind == is.Kind && reflect.DeepEqual(was.Values, is.Values) {
			n.sources[name] = s
		}
	}
	for key, t := range h.targets {
		if was, is := h.Config.Targets[key[1]], c.Targets[key[1]]; was.Kind == is.Kind && reflect.DeepEqual(was.Values, is.Values) {
			n.targets[key], n.hints[key[1]] = kept(t.Target, is), h.hints[key[1]]
		}
	}
	return n
}

// Rows lists what is configured in a section: what the file says first, in its order, then what the API has made.
func (h *House) Rows(ctx context.Context, section string) (Rows, error) {
	list := Rows{Rows: []Row{}}
	if err := OneOf("section", section, sections); err != nil {
		return list, err
	}
	for _, w := range h.Config.Written(section) {
		list.Rows = append(list.Rows, h.fileRow(section, w))
	}
	if h.Store == nil {
		return list, nil
	}
	rows, err := h.Store.ListConfigured(ctx, section)
	for _, r := range rows {
		if h.Config.Defined(section, r.Name) == 0 {
			list.Rows = append(list.Rows, rowOf(r))
		}
	}
	return list, err
}

var sections = []string{config.SourcesSection, config.TargetsSection, config.RulesSection, config.SettingsSection}

func (h *House) fileRow(section string, w config.Written) Row {
	return Row{
		Section: section, Name: w.Name, Body: w.Body, Secrets: list(w.Secrets), Origin: "file", File: filepath.Base(h.Config.Path), Line: w.Line,
	}
}

func rowOf(r store.Configured) Row {
	return Row{
		Section: r.Section, Name: r.Name, Body: r.Body, Secrets: list(r.Secrets), Origin: "api", By: r.By, At: r.At, Version: r.Version,
	}
}

// Row returns one part of the configuration.
func (h *House) Row(ctx context.Context, section, name string) (Row, error) {
	if err := OneOf("section", section, sections); err != nil {
		return Row{}, err
	}
	for _, w := range h.Config.Written(section) {
		if w.Name == name {
			return h.fileRow(section, w), nil
		}
	}
	if h.Store == nil {
		return Row{}, noRow()
	}
	r, err := h.Store.Configured(ctx, section, name)
	if errors.Is(err, store.ErrNotFound) {
		return Row{}, noRow()
	}
	return rowOf(r), err
}

func noRow() error { return Errorf(NotFound, "nothing of that name is configured") }

// ReadOnly is the refusal to change what the file defines; nil when it does not.
func (h *House) readOnly(section, name string) error {
	if i := slices.IndexFunc(h.Config.Written(section), func(w config.Written) bool { return w.Name == name }); i >= 0 {
		line := h.Config.Written(section)[i].Line
		return Errorf(Forbidden, "this is defined in %s, line %d", filepath.Base(h.Config.Path), line).WithHint("change it there")
	}
	return nil
}

// PutRow makes or changes a part of the configuration. It is checked together with the file and all other rows, as one file would be; what
// is wrong is an error of class Usage that repeats nothing of it. The secrets of a row go to the place of secrets and are never shown again;
// they have to be given anew when the row shall reach another address.
func (h *House) PutRow(ctx context.Context, wish RowWish) (Row, error) {
	if err := h.mayConfigure(wish); err != nil {
		return Row{}, err
	}
	if wish.Section == config.SourcesSection || wish.Section == config.TargetsSection || wish.Section == config.RulesSection {
		if !config.ProperName(wish.Name) || wish.Section == config.TargetsSection && config.Reserved(wish.Name) {
			return Row{}, Usagef("a name is made of letters, digits, -, _ and ., begins with a letter or digit, and is no path of the server")
		}
	}
	rows, _, err := h.Store.OpenConfigured(ctx)
	if err != nil {
		return Row{}, err
	}
	before := store.Opened{Configured: store.Configured{Section: wish.Section, Name: wish.Name}}
	if i := slices.IndexFunc(rows, func(r store.Opened) bool { return r.Section == wish.Section && r.Name == wish.Name }); i >= 0 {
		before = rows[i]
		rows = slices.Delete(rows, i, i+1)
	}
	if wish.Version != store.AnyVersion && wish.Version != before.Version {
		return Row{}, stale()
	}
	body, changed, err := split(wish, before)
	if err != nil {
		return Row{}, err
	}
	after := before
	after.Body, after.Values = body, make(map[string]setting.Secret)
	maps.Copy(after.Values, before.Values)
	for key, value := range changed {
		if after.Values[key] = value; value == "" {
			delete(after.Values, key)
		}
	}
	if err := h.fits(append(rows, after)); err != nil {
		return Row{}, err
	}
	if err := h.opens(ctx, wish, append(rows, after)); err != nil {
		return Row{}, err
	}
	c := store.Change{Section: wish.Section, Name: wish.Name, Body: body, Secrets: changed, Version: wish.Version, By: wish.By}
	if wish.Section == config.TargetsSection {
		c.Target = wish.Name
	}
	now, err := h.Store.PutConfigured(ctx, c)
	if errors.Is(err, store.ErrConflict) {
		return Row{}, stale()
	}
	return rowOf(now), err
}

// DeleteRow takes a part of the configuration away that the API has made. What refers to it has to go first.
func (h *House) DeleteRow(ctx context.Context, wish RowWish) error {
	if err := h.mayConfigure(wish); err != nil {
		return err
	}
	rows, _, err := h.Store.OpenConfigured(ctx)
	if err != nil {
		return err
	}
	rows = slices.DeleteFunc(rows, func(r store.Opened) bool { return r.Section == wish.Section && r.Name == wish.Name })
	if err := h.fits(rows); err != nil {
		return Errorf(Conflict, "something else still refers to it:\n%w", err)
	}
	c := store.Change{Section: wish.Section, Name: wish.Name, Version: wish.Version, By: wish.By}
	if wish.Section == config.TargetsSection {
		c.Target = wish.Name
	}
	switch err := h.Store.DeleteConfigured(ctx, c); {
	case errors.Is(err, store.ErrNotFound):
		return noRow()
	case errors.Is(err, store.ErrConflict):
		return stale()
	default:
		return err
	}
}

func (h *House) mayConfigure(wish RowWish) error {
	if err := OneOf("section", wish.Section, sections); err != nil {
		return err
	}
	if err := h.writes(); err != nil {
		return err
	}
	return h.readOnly(wish.Section, wish.Name)
}

// fits checks rows as one configuration with the file.
func (h *House) fits(rows []store.Opened) error {
	_, err := h.Config.With(h.parts(rows))
	if problems, wrong := errors.AsType[config.Problems](err); wrong {
		lines := make([]string, len(problems))
		for i, p := range problems {
			if lines[i] = p.Message; p.Line > 0 {
				lines[i] = fmt.Sprintf("%s, line %d: %s", filepath.Base(p.File), p.Line, p.Message)
			}
		}
		return Usagef("%s", strings.Join(lines, "\n"))
	}
	return err
}

// opens tries to open what a row describes: a file that it names may be missing, or settings that are right each may not go together.
func (h *House) opens(ctx context.Context, wish RowWish, rows []store.Opened) error {
	c, err := h.Config.With(h.parts(rows))
	if err != nil {
		return err
	}
	n := h.With(c)
	switch wish.Section {
	case config.SourcesSection:
		_, err = n.source(ctx, wish.Name)
	case config.TargetsSection:
		_, err = n.target(ctx, Person, wish.Name)
	}
	if err == nil {
		return nil
	}
	plain := "it cannot be opened with these settings: the server's log names the reason"
	if file, ok := errors.AsType[*fs.PathError](err); ok {
		plain = "it cannot be opened: a file that it names: " + file.Err.Error()
	}
	return Usagef("it cannot be opened: %w", err).Plainly(plain)
}

func stale() error {
	return Errorf(Stale, "it was changed since it was read").WithHint("read it again, and make the change from that")
}

// split takes the secrets out of the body of a row.
func split(wish RowWish, before store.Opened) (body json.RawMessage, secrets map[string]setting.Secret, err error) {
	var keys map[string]json.RawMessage
	report := &document.Report{}
	if document.ParseJSON(wish.Body, report); report.Err() != nil || json.Unmarshal(wish.Body, &keys) != nil || keys == nil {
		return nil, nil, Usagef("the body must be one JSON object, as the file would have it there, with no key twice")
	}
	var was map[string]json.RawMessage
	_ = json.Unmarshal(before.Body, &was) // of a new row there is none
	secrets = make(map[string]setting.Secret)
	fields := fieldsOf(wish.Section, keys["kind"])
	for _, f := range fields {
		given, there := keys[f.Key]
		if f.Type != setting.SecretValue || !there {
			continue
		}
		delete(keys, f.Key)
		var text *string
		if json.Unmarshal(given, &text) != nil {
			return nil, nil, Usagef("%s must be a text, or null to take it away", f.Key)
		}
		if secrets[f.Key] = ""; text != nil {
			secrets[f.Key] = setting.Secret(*text)
		}
	}
	for _, key := range before.Secrets {
		if i := slices.IndexFunc(fields, func(f setting.Field) bool { return f.Key == key }); i < 0 {
			secrets[key] = "" // of another kind
		}
	}
	for _, f := range fields {
		if f.Type != setting.URL || bytes.Equal(keys[f.Key], was[f.Key]) {
			continue
		}
		for _, key := range before.Secrets {
			if _, anew := secrets[key]; !anew {
				return nil, nil, Usagef("%s is another: give %s anew, so that it is not sent where nobody wanted it", f.Key, key)
			}
		}
	}
	body, err = json.Marshal(keys)
	return body, secrets, err
}

// fieldsOf are the settings of a kind.
func fieldsOf(section string, kind json.RawMessage) []setting.Field {
	var name string
	_ = json.Unmarshal(kind, &name) // what is wrong with it is said with the rest
	switch section {
	case config.SourcesSection:
		k, _ := catalog.Source(name)
		return k.Settings
	case config.TargetsSection:
		k, _ := catalog.Target(name)
		return k.Settings
	}
	return nil
}

// SetEnabled turns a target on, or off with what shall become of its members: they stay, or what we brought goes with the next sync. Teams
// that the API mapped are disconnected when it is turned off. Those of the file and of rules cannot be told to lose their members here.
func (h *House) SetEnabled(ctx context.Context, wish EnabledWish) (Enabled, error) {
	if err := OneOf("target", wish.Target, h.targetNames()); err != nil {
		return Enabled{}, err
	}
	if err := h.writes(); err != nil {
		return Enabled{}, err
	}
	switch {
	case wish.Enabled && wish.Members != "":
		return Enabled{}, Usagef("members is for turning off")
	case !wish.Enabled && wish.Members != "keep" && wish.Members != "remove":
		return Enabled{}, Usagef("to turn it off, say what becomes of the members: keep or remove")
	case wish.Members == "remove":
		for _, m := range h.Config.Mappings {
			if m.Target == wish.Target {
				return Enabled{}, Errorf(Forbidden, "teams of this target are mapped in %s, line %s", filepath.Base(h.Config.Path), strings.TrimPrefix(m.ID, "file:")).
					WithHint("take the mappings out there: the next sync removes the members")
			}
		}
		for _, r := range h.Config.Rules {
			if r.Target == wish.Target {
				return Enabled{}, Errorf(Conflict, "rules map teams of this target").WithHint("take the rules away first: the next sync removes the members")
			}
		}
	}
	row, err := h.Store.SetEnabled(ctx, wish.Target, store.Enabled{On: wish.Enabled, Keep: wish.Members == "keep"}, wish.Version, wish.By)
	if errors.Is(err, store.ErrConflict) {
		return Enabled{}, stale()
	}
	if err != nil {
		return Enabled{}, err
	}
	if wish.Members == "remove" {
		if _, err := h.Store.AddRequest(ctx, reconcile.Request{
			Target: wish.Target, Trigger: reconcile.ByPerson, Asker: wish.By, Why: "the target was turned off, and its members shall go",
		}); err != nil {
			return Enabled{}, err
		}
	}
	return Enabled{Target: wish.Target, Enabled: wish.Enabled, Members: wish.Members, Version: row.Version}, nil
}

// An EnabledWish turns a target on or off.
type EnabledWish struct {
	Target  string
	Enabled bool
	Members string // keep or remove; for turning off
	Version int64
	By      string
}

// Enabled says whether a target is kept.
type Enabled struct {
	Target  string `json:"target"`
	Enabled bool   `json:"enabled"`
	Members string `json:"members,omitempty"` // what was answered when it was turned off: keep or remove

	Version int64 `json:"-"`
}

// Enabled says whether a target is kept.
func (h *House) Enabled(ctx context.Context, target string) (Enabled, error) {
	if err := OneOf("target", target, h.targetNames()); err != nil {
		return Enabled{}, err
	}
	e := Enabled{Target: target, Enabled: true}
	if h.Store == nil {
		return e, nil
	}
	is, version, err := h.Store.Enabled(ctx, target)
	if err != nil {
		return e, err
	}
	if e.Enabled, e.Version = is.On, version; !is.On {
		if e.Members = "remove"; is.Keep {
			e.Members = "keep"
		}
	}
	return e, nil
}
