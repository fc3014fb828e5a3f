package answer

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"musterline.example/config"
	"musterline.example/guard"
	"musterline.example/mapping"
	"musterline.example/setting"
	"musterline.example/store"
)

// TeamsSection is what Explained calls the settings of a single team. They are a part of their target's row, and no section of their own.
const TeamsSection = "teams"

// notOfTeams are settings of a target that say nothing of a team.
var notOfTeams = []string{"sources", "unscoped_tokens"}

// ExplainTeam says what holds for one team, and where that comes from: the team's own settings, its organization's, the enterprise's, or a
// default. What a team may set for itself are the guards that look at one team at a time; its mode is set with its groups. Its version is that of
// the target's row.
func (h *House) ExplainTeam(ctx context.Context, target, word string) (Explained, error) {
	e := Explained{Section: TeamsSection, Settings: []Setting{}, Guards: []GuardSetting{}, Teams: []string{}}
	i, err := h.inspect(ctx, target, word)
	if err != nil {
		return e, err
	}
	of, layers, limits, err := h.targetLayers(ctx, target)
	if err != nil {
		return e, err
	}
	key := i.settingsKey()
	own := layers[0].child("teams").child(key)
	own.from.Level = "team"
	e.Name, e.Title, e.Version = i.team.Slug, cmp.Or(i.team.Name, i.team.Slug), of.Version
	if of.Row != nil && own.body != nil {
		row := *of.Row
		row.Section, row.Name, row.Secrets = TeamsSection, key, []string{}
		row.Line = h.origin(layers[0].child("teams"), key).Line
		row.Body, _ = json.Marshal(own.body) // it was JSON
		e.Row = &row
	}
	if of.ReadOnly != "" {
		e.ReadOnly = fmt.Sprintf("settings of single teams of %s are set in %s, line %d, under targets.%[1]s.teams", target, of.Row.File, of.Row.Line)
	}
	e.Settings = append(e.Settings, i.modeSetting(own))
	fields := slices.DeleteFunc(config.TargetFields(), func(f setting.Field) bool { return slices.Contains(notOfTeams, f.Key) })
	e.Settings = append(e.Settings, h.settings(fields, layers)...)
	e.Guards = slices.DeleteFunc(h.guardSettings(append(limits, own.child("guards"))), func(g GuardSetting) bool {
		return !slices.Contains(guard.TeamNames(), g.Name)
	})
	if limits := own.child("guards").body; limits["team_removals"] != nil && limits["team_removals_small"] == nil {
		e.smallToo()
	}
	return e, nil
}

// smallToo says that a team's own limit of removals holds for it whatever its size.
func (e *Explained) smallToo() {
	for _, g := range e.Guards {
		from := slices.IndexFunc(g.Limits, func(l LimitSetting) bool { return l.Key == "team_removals" })
		to := slices.IndexFunc(g.Limits, func(l LimitSetting) bool { return l.Key == "team_removals_small" })
		if from >= 0 && to >= 0 {
			g.Limits[to].Value, g.Limits[to].From = g.Limits[from].Value, g.Limits[from].From
		}
	}
}

// settingsKey is what the settings of the team stand under: what its mappings call it, else its slug, as reconcile looks them up.
func (i *inspection) settingsKey() string {
	set := i.Config.Targets[i.name].TeamGuards
	for _, m := range i.of {
		if _, ok := set[m.Team]; ok {
			return m.Team
		}
	}
	return i.team.Slug
}

// modeSetting is the mode, which whoever maps the team says for it.
func (i *inspection) modeSetting(own layer) Setting {
	fields := config.TeamFields()
	at := slices.IndexFunc(fields, func(f setting.Field) bool { return f.Key == "mode" })
	s := i.settings(fields[at:at+1], []layer{own})[0]
	s.Default = string(mapping.Exclusive)
	s.Value = []string{cmp.Or(i.row.Mode, s.Default)}
	switch {
	case s.From.Origin == "file" || s.Value[0] == s.Default:
	case i.row.Origin == string(mapping.FromFile):
		s.From = From{Origin: "file", Level: "team", File: filepath.Base(i.Config.Path)}
		_, _ = fmt.Sscanf(i.of[0].ID, "file:%d", &s.From.Line) // an id of ours
	default:
		s.From = From{Origin: i.row.Origin, Level: "team"}
	}
	if s.Value[0] == s.Default && s.From.Origin != "file" {
		s.From = From{Origin: "default"}
	}
	return s
}

// A TeamSetWish is what a team shall set for itself.
type TeamSetWish struct {
	Target  string
	Team    string          // a slug, an id, or an exact name
	Body    json.RawMessage // what a file would hold under targets.TARGET.teams.SLUG; an empty map takes everything back
	Version int64           // of the target's row that the wish was made from; store.AnyVersion for whatever it is
	By      string
}

// SetTeam sets what a team sets for itself. It is a change of the target's row, checked and recorded as one.
func (h *House) SetTeam(ctx context.Context, wish TeamSetWish) (Explained, error) {
	if err := OneOf("target", wish.Target, h.targetNames()); err != nil {
		return Explained{}, err
	}
	of := RowWish{Section: config.TargetsSection, Name: wish.Target, By: wish.By}
	if err := cmp.Or(h.mayConfigure(of), h.readOnly(of.Section, of.Name)); err != nil {
		return Explained{}, err
	}
	if err := teamBody(wish.Body); err != nil {
		return Explained{}, err
	}
	i, err := h.inspect(ctx, wish.Target, wish.Team)
	if err != nil {
		return Explained{}, err
	}
	row, err := h.Store.Configured(ctx, of.Section, of.Name)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return Explained{}, noRow()
	case err != nil:
		return Explained{}, err
	case wish.Version != store.AnyVersion && wish.Version != row.Version:
		return Explained{}, stale()
	}
	if of.Body, err = withTeam(row.Body, i.settingsKey(), wish.Body); err != nil {
		return Explained{}, err
	}
	of.Version = row.Version
	if _, err := h.PutRow(ctx, of); err != nil {
		return Explained{}, err
	}
	now, _, err := h.composed(ctx)
	if err != nil {
		return Explained{}, err
	}
	return h.With(now).ExplainTeam(ctx, wish.Target, string(i.team.ID))
}

// teamBody refuses what a team cannot set for itself. The rest is checked with the target's row.
func teamBody(body json.RawMessage) error {
	var keys map[string]json.RawMessage
	if json.Unmarshal(body, &keys) != nil || keys == nil {
		return Usagef("the body must be one JSON object, as the file would have it there")
	}
	for key := range keys {
		switch key {
		case "guards":
		case "mode":
			return Usagef("mode is set with the groups of the team, where it is shown first who would come and go")
		default:
			return Usagef("a team sets guards for itself, and nothing else")
		}
	}
	var limits map[string]json.RawMessage
	_ = json.Unmarshal(keys["guards"], &limits) // what is wrong with it is said with the rest
	whole := func(name string) error {
		return Usagef("%s looks at more than one team: set it for the organization", name)
	}
	for _, f := range config.GuardFields() {
		if _, there := limits[f.Key]; there && !slices.Contains(guard.TeamNames(), f.Guard) {
			return whole(f.Key)
		}
	}
	for _, name := range asWritten(limits["off"]) {
		if slices.Contains(guard.Names(), name) && !slices.Contains(guard.TeamNames(), name) {
			return whole(name)
		}
	}
	return nil
}

// withTeam returns the body of a target's row with that of a team in it. What is empty is not kept.
func withTeam(row json.RawMessage, key string, body json.RawMessage) (json.RawMessage, error) {
	var keys, teams, own map[string]json.RawMessage
	if err := json.Unmarshal(row, &keys); err != nil {
		return nil, fmt.Errorf("answer: the row of a target is no map: %w", err)
	}
	_ = json.Unmarshal(keys["teams"], &teams) // of none there is no map
	_ = json.Unmarshal(body, &own)            // teamBody has looked at it
	if teams == nil {
		teams = make(map[string]json.RawMessage)
	}
	if teams[key] = body; len(own) == 0 {
		delete(teams, key)
	}
	delete(keys, "teams")
	if len(teams) > 0 {
		keys["teams"], _ = json.Marshal(teams) // it was JSON
	}
	return json.Marshal(keys)
}
