package answer

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
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
	Section string          `json:"section"` // sources, targets, rules, settings or notifications
	Name    string          `json:"name"`
	Body    json.RawMessage `json:"body"`    // what a file would hold there, without secrets
	Secrets []string        `json:"secrets"` // the keys of those that are set
	Origin  string          `json:"origin"`  // file or api
	File    string          `json:"file,omitempty"`
	Line    int             `json:"line,omitempty"` // of the file
	By      string          `json:"by,omitempty"`
	At      time.Time       `json:"at,omitzero"`
	Unfit   string          `json:"unfit,omitempty"` // why it was left out of what is in force; empty: it was not

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

// composed is the configuration of the file with what the API has configured, and the revision of that. A row that does not fit is left out,
// and the log says so: a server must start whatever the file has come to say.
func (h *House) composed(ctx context.Context) (*config.Config, int64, error) {
	rows, revision, err := h.Store.OpenConfigured(ctx)
	if err != nil {
		return nil, 0, databaseTrouble(err)
	}
	c, err := h.Config.Fit(parts(rows))
	if err != nil {
		return nil, 0, Errorf(Failed, "the configuration file cannot be read again:\n%w", err)
	}
	for _, u := range c.Unfit {
		level := slog.LevelError
		if u.Shadowed {
			level = slog.LevelWarn // on purpose, most likely
		}
		h.log.Log(ctx, level, "what the API has configured does not fit and is left out", "section", u.Section, "name", u.Name, "reason", u.Reason())
	}
	for _, name := range slices.Sorted(maps.Keys(c.Targets)) {
		if out := c.Targets[name].LeftOut; len(out) > 0 {
			h.log.ErrorContext(ctx, "a target is not synced until what it rests on fits again", "target", name, "rests_on", unfitNames(out))
		}
	}
	return c, revision, nil
}

// parts are rows as the configuration takes them. What was changed last comes last: of two that do not go together that one has to go.
func parts(rows []store.Opened) []config.Row {
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b store.Opened) int { return cmp.Compare(a.Version, b.Version) })
	parts := make([]config.Row, len(rows))
	for i, r := range rows {
		parts[i] = config.Row{Section: r.Section, Name: r.Name, Body: r.Body, Secrets: r.Values}
	}
	return parts
}

// unfitNames are rows as people are told of them.
func unfitNames(rows []config.Unfit) string {
	names := make([]string, len(rows))
	for i, u := range rows {
		names[i] = u.Section + "/" + u.Name
	}
	return strings.Join(names, ", ")
}

// synced is the refusal to plan a target that rests on rows which were left out: without them it would be another plan.
func (h *House) synced(target string) error {
	out := h.Config.Targets[target].LeftOut
	if len(out) == 0 {
		return nil
	}
	said := make([]string, len(out))
	for i, u := range out {
		said[i] = u.Error()
	}
	return Errorf(Conflict, "target %s is not synced: what it rests on does not fit and was left out:\n%s", target, strings.Join(said, "\n")).
		WithHint("change what is said there over the API, or put back into the file what it refers to")
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
		// A variable or a file with a secret that the configuration file names is gone: what was in force stays so.
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
	n.Store, n.close, n.quotas, n.serves, n.snapshots = h.Store, h.close, h.quotas, h.serves, h.snapshots
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
		list.Rows = append(list.Rows, h.rowOf(r))
	}
	return list, err
}

var sections = []string{config.SourcesSection, config.TargetsSection, config.RulesSection, config.SettingsSection, config.NotificationsSection}

func (h *House) fileRow(section string, w config.Written) Row {
	return Row{
		Section: section, Name: w.Name, Body: w.Body, Secrets: list(w.Secrets), Origin: "file", File: filepath.Base(h.Config.Path), Line: w.Line,
	}
}

func (h *House) rowOf(r store.Configured) Row {
	row := Row{
		Section: r.Section, Name: r.Name, Body: r.Body, Secrets: list(r.Secrets), Origin: "api", By: r.By, At: r.At, Version: r.Version,
	}
	if i := slices.IndexFunc(h.Config.Unfit, func(u config.Unfit) bool { return u.Section == r.Section && u.Name == r.Name }); i >= 0 {
		row.Unfit = h.Config.Unfit[i].Reason()
	}
	return row
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
	return h.rowOf(r), err
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

// tries is how often a change of the configuration is composed and checked anew because somebody else has made one meanwhile.
const tries = 5

// again makes a change of the configuration until it is checked against what there is when it is written.
func again[T any](change func() (T, error)) (T, error) {
	for range tries {
		done, err := change()
		if !errors.Is(err, store.ErrRevised) {
			return done, err
		}
	}
	var none T
	return none, Errorf(Conflict, "others change the configuration at the same moment").WithHint("try again")
}

// PutRow makes or changes a part of the configuration. It is checked together with the file and all other rows, as one file would be, and
// with those that there are when it is written; what is wrong is an error of class Usage that repeats nothing of it. The secrets of a row go
// to the place of secrets and are never shown again; they have to be given anew when the row shall reach another address.
func (h *House) PutRow(ctx context.Context, wish RowWish) (Row, error) {
	if err := cmp.Or(h.mayConfigure(wish), h.readOnly(wish.Section, wish.Name)); err != nil {
		return Row{}, err
	}
	if wish.Section != config.SettingsSection {
		if !config.ProperName(wish.Name) || wish.Section == config.TargetsSection && config.Reserved(wish.Name) {
			return Row{}, Usagef("a name is made of letters, digits, -, _ and ., begins with a letter or digit, and is no path of the server")
		}
	}
	return again(func() (Row, error) { return h.putRow(ctx, wish) })
}

func (h *House) putRow(ctx context.Context, wish RowWish) (Row, error) {
	d, err := h.draft(ctx, wish)
	if err != nil {
		return Row{}, err
	}
	if err := h.opens(ctx, wish, d.config); err != nil {
		return Row{}, err
	}
	now, err := h.Store.PutConfigured(ctx, store.Change{
		Section: wish.Section, Name: wish.Name, Target: wish.target(), Body: d.body, Secrets: d.changed, Version: wish.Version, Revision: &d.revision,
		Moved: d.before.Version != 0 && moved(wish.Section, d.before.Body, d.body), By: wish.By,
	})
	if errors.Is(err, store.ErrConflict) {
		return Row{}, stale()
	}
	row := h.rowOf(now)
	row.Unfit = "" // it was mended, if it was
	return row, err
}

// A draft is what a wish makes of a row and of the configuration, before anything is saved.
type draft struct {
	before   store.Opened
	body     json.RawMessage
	changed  map[string]setting.Secret
	revision int64 // of the rows that it was made from
	config   *config.Config
}

// draft says what a wish comes to. What is tested, previewed and saved is the same for that.
func (h *House) draft(ctx context.Context, wish RowWish) (d draft, err error) {
	rows, revision, err := h.Store.OpenConfigured(ctx)
	if err != nil {
		return d, err
	}
	d.revision = revision
	d.before = store.Opened{Configured: store.Configured{Section: wish.Section, Name: wish.Name}}
	if i := slices.IndexFunc(rows, wish.about); i >= 0 {
		d.before = rows[i]
	}
	if wish.Version != store.AnyVersion && wish.Version != d.before.Version {
		return d, stale()
	}
	if d.body, d.changed, err = split(wish, d.before); err != nil {
		return d, err
	}
	after := d.before
	after.Body, after.Values, after.Version = d.body, make(map[string]setting.Secret), revision+1
	maps.Copy(after.Values, d.before.Values)
	for key, value := range d.changed {
		if after.Values[key] = value; value == "" {
			delete(after.Values, key)
		}
	}
	others := slices.DeleteFunc(slices.Clone(rows), wish.about)
	d.config, err = h.fits(rows, append(others, after), wish)
	return d, err
}

// moved reports whether a target that was described by one body is another organization by the other: another name, or one at another address.
func moved(section string, before, after json.RawMessage) bool {
	return section == config.TargetsSection && lives(before) != lives(after)
}

// lives names where a target's teams live, as far as its body tells.
func lives(body json.RawMessage) string {
	var keys map[string]json.RawMessage
	_ = json.Unmarshal(body, &keys) // a body that is no map says nothing
	where := []string{string(keys["kind"])}
	for _, f := range fieldsOf(config.TargetsSection, keys["kind"]) {
		if f.Type != setting.URL && f.Key != "organization" {
			continue
		}
		text := f.Default
		_ = json.Unmarshal(keys[f.Key], &text) // what is not there is the default
		where = append(where, strings.ToLower(strings.TrimRight(text, "/")))
	}
	return strings.Join(where, "\n")
}

// about reports whether a row is the one that the wish is about.
func (w RowWish) about(r store.Opened) bool { return r.Section == w.Section && r.Name == w.Name }

// target is the one that the wish is about, for who looks for it in the audit record.
func (w RowWish) target() string {
	if w.Section == config.TargetsSection {
		return w.Name
	}
	return ""
}

// DeleteRow takes a part of the configuration away that the API has made, also one that the file has come to define as well. What refers to it
// has to go first.
func (h *House) DeleteRow(ctx context.Context, wish RowWish) error {
	if err := h.mayConfigure(wish); err != nil {
		return err
	}
	if err := h.readOnly(wish.Section, wish.Name); err != nil && !h.shadowed(wish) {
		return err
	}
	_, err := again(func() (struct{}, error) { return struct{}{}, h.deleteRow(ctx, wish) })
	return err
}

// shadowed reports whether the API has made what a wish is about, and the file defines it too.
func (h *House) shadowed(wish RowWish) bool {
	return slices.ContainsFunc(h.Config.Unfit, func(u config.Unfit) bool { return u.Shadowed && u.Section == wish.Section && u.Name == wish.Name })
}

func (h *House) deleteRow(ctx context.Context, wish RowWish) error {
	rows, revision, err := h.Store.OpenConfigured(ctx)
	if err != nil {
		return err
	}
	if _, err := h.fits(rows, slices.DeleteFunc(slices.Clone(rows), wish.about), wish); err != nil {
		return Errorf(Conflict, "something else still refers to it:\n%w", err)
	}
	err = h.Store.DeleteConfigured(ctx, store.Change{
		Section: wish.Section, Name: wish.Name, Target: wish.target(), Version: wish.Version, Revision: &revision,
		Shadowed: h.shadowed(wish), By: wish.By,
	})
	switch {
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
	return h.writes()
}

// fits checks rows as one configuration with the file, and returns it. What does not fit already is no reason to refuse a change: the changed
// row has to fit, and so has every other that did.
func (h *House) fits(before, after []store.Opened, wish RowWish) (*config.Config, error) {
	c, err := h.Config.Fit(parts(after))
	if err != nil || len(c.Unfit) == 0 {
		return c, err
	}
	was, err := h.Config.Fit(parts(before))
	if err != nil {
		return nil, err
	}
	ours := func(u config.Unfit) bool { return u.Section == wish.Section && u.Name == wish.Name }
	wrong := slices.ContainsFunc(c.Unfit, ours)
	var lines []string
	for _, u := range c.Unfit {
		did := !slices.ContainsFunc(was.Unfit, func(w config.Unfit) bool { return w.Section == u.Section && w.Name == u.Name })
		if !ours(u) && (wrong || !did) {
			continue // for want of the one that is wrong, or of something else long since
		}
		for _, p := range u.Problems {
			line := p.Message
			if p.Line > 0 {
				line = fmt.Sprintf("%s, line %d: %s", filepath.Base(p.File), p.Line, p.Message)
			}
			lines = append(lines, line)
		}
	}
	if len(lines) > 0 {
		return nil, Usagef("%s", strings.Join(lines, "\n")).About(wish.Section+"."+wish.Name, lines)
	}
	return c, nil
}

// opens tries to open what a row describes: a file that it names may be missing, or settings that are right each may not go together.
func (h *House) opens(ctx context.Context, wish RowWish, c *config.Config) error {
	n := h.With(c)
	var err error
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
			return nil, nil, Usagef("%s must be a text, or null to take it away", f.Key).OfField(f.Key, "must be a text")
		}
		if secrets[f.Key] = ""; text != nil {
			secrets[f.Key] = setting.Secret(*text)
		}
	}
	for _, key := range before.Secrets {
		if i := slices.IndexFunc(fields, func(f setting.Field) bool { return f.Key == key && f.Type == setting.SecretValue }); i < 0 {
			secrets[key] = "" // of another kind
		}
	}
	for _, f := range fields {
		if f.Type != setting.URL || bytes.Equal(keys[f.Key], was[f.Key]) {
			continue
		}
		for _, key := range before.Secrets {
			if _, anew := secrets[key]; !anew {
				return nil, nil, Usagef("%s is another: give %s anew, so that it is not sent where nobody wanted it", f.Key, key).
					OfField(key, "give it anew: "+f.Key+" is another, and it is sent nowhere that nobody wanted")
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
	case config.NotificationsSection:
		return config.NotificationFields(name)
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
	var asks []reconcile.Request
	if wish.Members == "remove" {
		asks = append(asks, reconcile.Request{
			Target: wish.Target, Trigger: reconcile.ByPerson, Asker: wish.By, Why: "the target was turned off, and its members shall go",
		})
	}
	e := store.Enabled{On: wish.Enabled, Keep: wish.Members == "keep"}
	row, err := h.Store.SetEnabled(ctx, wish.Target, e, wish.Version, wish.By, asks...)
	if errors.Is(err, store.ErrConflict) {
		return Enabled{}, stale()
	}
	if err != nil {
		return Enabled{}, err
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
