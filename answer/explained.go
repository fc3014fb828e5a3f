package answer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"musterline.example/config"
	"musterline.example/guard"
	"musterline.example/setting"
	"musterline.example/store"
)

// An Explained is a part of the configuration with every setting that it can hold: its value here, and where that comes from.
type Explained struct {
	Section string `json:"section"` // a section of rows, or teams
	Name    string `json:"name"`
	Title   string `json:"title,omitempty"` // of a team: its display name
	Row     *Row   `json:"row,omitempty"`   // what a change begins from; none: nothing is set yet

	ReadOnly string         `json:"read_only,omitempty"` // why it cannot be changed here
	Settings []Setting      `json:"settings"`
	Guards   []GuardSetting `json:"guards"`
	Teams    []string       `json:"teams"` // slugs of teams with settings of their own
	Enabled  *EnabledNow    `json:"enabled,omitempty"`

	Version int64 `json:"-"` // for the change that is made from it; 0 where nothing is set, or in the file
}

// EnabledNow is Enabled with the tag that a change of it names.
type EnabledNow struct {
	Enabled
	Tag string `json:"tag"`
}

// A Setting is one setting.
type Setting struct {
	Key     string   `json:"key"`
	Help    string   `json:"help"`
	Type    string   `json:"type"`
	Choices []string `json:"choices"`
	Example string   `json:"example,omitempty"`
	Default string   `json:"default,omitempty"`
	Value   []string `json:"value"` // as it is written: one text, or those of a list; none: not set
	From    From     `json:"from"`
}

// A GuardSetting is one guard.
type GuardSetting struct {
	Name   string         `json:"name"`
	About  string         `json:"about"` // what it objects to
	Off    bool           `json:"off"`   // it is switched off here
	From   From           `json:"from"`  // by whom
	Limits []LimitSetting `json:"limits"`
}

// A LimitSetting is one limit of a guard.
type LimitSetting struct {
	Key     string          `json:"key"`
	Help    string          `json:"help"`
	Type    string          `json:"type"` // limit, duration or choice
	Choices []string        `json:"choices"`
	Default string          `json:"default"` // as a file would have it
	Value   string          `json:"value"`   // the same
	Set     json.RawMessage `json:"set,omitempty"`
	From    From            `json:"from"`
}

// From says where a value comes from.
type From struct {
	Origin string    `json:"origin"`         // default, file, rule or api
	Level  string    `json:"level"`          // team, organization, all or enterprise; empty for a default
	File   string    `json:"file,omitempty"` // of the file
	Line   int       `json:"line,omitempty"`
	By     string    `json:"by,omitempty"` // of the api
	At     time.Time `json:"at,omitzero"`
}

// A layer is what one part of the configuration sets.
type layer struct {
	from From
	path []string                   // of its keys in the file
	body map[string]json.RawMessage // what it says
}

// ExplainTarget says what is set for a target.
func (h *House) ExplainTarget(ctx context.Context, target string) (Explained, error) {
	if err := OneOf("target", target, h.targetNames()); err != nil {
		return Explained{}, err
	}
	e, layers, limits, err := h.targetLayers(ctx, target)
	if err != nil {
		return e, err
	}
	e.Settings = h.settings(config.TargetFields(), layers)
	e.Guards = h.guardSettings(limits)
	for slug := range layers[0].child("teams").body {
		e.Teams = append(e.Teams, slug)
	}
	slices.Sort(e.Teams)
	enabled, err := h.Enabled(ctx, target)
	e.Enabled = &EnabledNow{enabled, fmt.Sprintf("%q", fmt.Sprint(enabled.Version))}
	return e, err
}

// targetLayers begins what is told of a target, with the layers of its settings and of its guards' limits: the last that sets a key wins. The
// first layer of the settings is the target's own.
func (h *House) targetLayers(ctx context.Context, target string) (e Explained, layers, limits []layer, err error) {
	e, own, err := h.explained(ctx, config.TargetsSection, target)
	if err != nil {
		return e, nil, nil, err
	}
	all, err := h.layer(ctx, config.SettingsSection, "guards", "all")
	if err != nil {
		return e, nil, nil, err
	}
	layers, limits = []layer{own}, []layer{all, own.child("guards")}
	over, err := h.layer(ctx, config.SettingsSection, "enterprise", "enterprise")
	if err != nil {
		return e, nil, nil, err
	}
	var listed []string
	_ = json.Unmarshal(over.body["organizations"], &listed) // of no enterprise there are none
	if slices.Contains(listed, target) {
		layers, limits = append(layers, over), append(limits, over.child("guards"))
	}
	return e, layers, limits, nil
}

// ExplainSetting says what is set for everything: enterprise, guards, links or schedule.
func (h *House) ExplainSetting(ctx context.Context, name string) (Explained, error) {
	if err := OneOf("setting", name, config.SettingNames); err != nil {
		return Explained{}, err
	}
	e, own, err := h.explained(ctx, config.SettingsSection, name)
	if err != nil {
		return e, err
	}
	e.Settings = h.settings(config.SettingFields(name), []layer{own})
	switch name {
	case "guards":
		e.Guards = h.guardSettings([]layer{own})
	case "enterprise":
		e.Guards = h.guardSettings([]layer{own.child("guards")})
	}
	return e, nil
}

// explained begins what is told of a part of the configuration.
func (h *House) explained(ctx context.Context, section, name string) (Explained, layer, error) {
	e := Explained{Section: section, Name: name, Settings: []Setting{}, Guards: []GuardSetting{}, Teams: []string{}}
	level := map[string]string{"enterprise": "enterprise", "guards": "all", "links": "all", "schedule": "all"}[name]
	if section == config.TargetsSection {
		level = "organization"
	}
	own, err := h.layer(ctx, section, name, level)
	if err != nil {
		return e, own, err
	}
	row, err := h.Row(ctx, section, name)
	answerable, known := errors.AsType[*Error](err)
	switch {
	case known && answerable.Class == NotFound:
	case err != nil:
		return e, own, err
	default:
		e.Row, e.Version = &row, row.Version
	}
	if refusal, ok := errors.AsType[*Error](h.readOnly(section, name)); ok {
		e.ReadOnly = refusal.Error()
	}
	return e, own, nil
}

// layer returns what one part of the configuration says; nothing when it is not there, or was left out.
func (h *House) layer(ctx context.Context, section, name, level string) (layer, error) {
	l := layer{from: From{Level: level}, path: []string{section, name}}
	if section == config.SettingsSection {
		l.path = []string{name}
	}
	for _, w := range h.Config.Written(section) {
		if w.Name == name {
			l.from.Origin, l.from.File = "file", filepath.Base(h.Config.Path)
			_ = json.Unmarshal(w.Body, &l.body) // it was a map when it was read
			return l, nil
		}
	}
	unfit := slices.ContainsFunc(h.Config.Unfit, func(u config.Unfit) bool { return u.Section == section && u.Name == name })
	if h.Store == nil || unfit {
		return l, nil
	}
	row, err := h.Store.Configured(ctx, section, name)
	if errors.Is(err, store.ErrNotFound) {
		return l, nil
	}
	if err != nil {
		return l, err
	}
	l.from.Origin, l.from.By, l.from.At = "api", row.By, row.At
	_ = json.Unmarshal(row.Body, &l.body) // it was checked when it was made
	return l, nil
}

// child is the map under a key of the layer.
func (l layer) child(key string) layer {
	c := layer{from: l.from, path: append(slices.Clone(l.path), key)}
	_ = json.Unmarshal(l.body[key], &c.body) // what is no map sets nothing
	return c
}

// origin is where a key of the layer is set.
func (h *House) origin(l layer, key string) From {
	from := l.from
	if from.Origin == "file" {
		from.Line = h.Config.LineOf(append(slices.Clone(l.path), key)...)
	}
	return from
}

// set returns what the last of the layers that sets a key says, and where.
func (h *House) set(layers []layer, key string) (json.RawMessage, From) {
	for _, l := range slices.Backward(layers) {
		if said, ok := l.body[key]; ok && string(said) != "null" {
			return said, h.origin(l, key)
		}
	}
	return nil, From{Origin: "default"}
}

func (h *House) settings(fields []setting.Field, layers []layer) []Setting {
	all := make([]Setting, 0, len(fields))
	for _, f := range fields {
		s := Setting{
			Key: f.Key, Help: f.Help, Type: string(f.Type), Choices: list(f.Choices), Example: f.Example, Default: f.Default, Value: []string{},
		}
		var said json.RawMessage
		said, s.From = h.set(layers, f.Key)
		switch {
		case said != nil:
			s.Value = asWritten(said)
		case f.Default != "":
			s.Value = []string{f.Default}
		}
		all = append(all, s)
	}
	return all
}

// asWritten is a value as texts.
func asWritten(said json.RawMessage) []string {
	var items []json.RawMessage
	if json.Unmarshal(said, &items) == nil {
		texts := make([]string, len(items))
		for i, it := range items {
			texts[i] = strings.Join(asWritten(it), " ")
		}
		return texts
	}
	var text string
	if json.Unmarshal(said, &text) == nil {
		return []string{text}
	}
	return []string{string(bytes.TrimSpace(said))} // a number or a flag
}

func (h *House) guardSettings(layers []layer) []GuardSetting {
	all := make([]GuardSetting, 0, len(guard.Names()))
	for _, name := range guard.Names() {
		g := GuardSetting{Name: name, About: guard.About(name), From: From{Origin: "default"}, Limits: []LimitSetting{}}
		for _, l := range layers { // guards that are switched off add up
			if slices.Contains(asWritten(l.body["off"]), name) {
				g.Off, g.From = true, h.origin(l, "off")
			}
		}
		for _, f := range config.GuardFields() {
			if f.Guard != name {
				continue
			}
			s := LimitSetting{Key: f.Key, Help: f.Help, Type: f.Type, Choices: list(f.Choices), Default: f.Default, Value: f.Default}
			s.Set, s.From = h.set(layers, f.Key)
			if s.Set != nil {
				s.Value = limitAsWritten(s.Set)
			}
			g.Limits = append(g.Limits, s)
		}
		all = append(all, g)
	}
	return all
}

// limitAsWritten is a limit as a file would have it: { max: 5, percent: 20 }, a word, or a span of time.
func limitAsWritten(said json.RawMessage) string {
	var limit struct {
		Max     json.RawMessage `json:"max"`
		Percent json.RawMessage `json:"percent"`
	}
	if json.Unmarshal(said, &limit) != nil {
		text := strings.Join(asWritten(said), " ")
		if strings.Trim(text, "0123456789") == "" {
			text = "{ max: " + text + " }"
		}
		return text
	}
	var parts []string
	for _, p := range []struct {
		key  string
		said json.RawMessage
	}{{"max", limit.Max}, {"percent", limit.Percent}} {
		if p.said != nil {
			parts = append(parts, p.key+": "+strings.Join(asWritten(p.said), " "))
		}
	}
	return "{ " + strings.Join(parts, ", ") + " }"
}

// About is what a server is.
type About struct {
	Version  string `json:"version"`
	Built    string `json:"built"`              // with what, and for which system
	Server   string `json:"server,omitempty"`   // the address at which people reach it; none: it was not told
	Database string `json:"database"`           // sqlite or postgres
	KeyFile  string `json:"key_file,omitempty"` // the fingerprint of the key file, which tells key files apart and gives nothing away
	File     string `json:"file"`               // the name of the configuration file
}

// About says what the server is. The version is for whoever serves to add.
func (h *House) About(ctx context.Context) (About, error) {
	a := About{
		Built: runtime.Version() + ", " + runtime.GOOS + "/" + runtime.GOARCH, Server: h.Config.Server.ExternalURL, File: filepath.Base(h.Config.Path),
		Database: "sqlite",
	}
	if !strings.HasPrefix(h.Config.Database.Reveal(), "sqlite:") {
		a.Database = "postgres"
	}
	var err error
	if h.Store != nil {
		a.KeyFile, err = h.Store.KeyFingerprint(ctx)
	}
	return a, err
}
