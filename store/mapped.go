package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"musterline.example/directory"
	"musterline.example/mapping"
	"musterline.example/store/internal/db"
	"musterline.example/team"
)

// TeamMappings returns the mappings of one team, in the order in which they came. Those whose team is not pinned yet are none of it.
func (s *Store) TeamMappings(ctx context.Context, target string, of team.ID) ([]mapping.Mapping, error) {
	if of == "" {
		return nil, errors.New("read mappings: a team is named by its id")
	}
	rows, err := s.queries.GetTeamMappings(ctx, db.GetTeamMappingsParams{Target: target, TeamID: string(of)})
	if err != nil {
		return nil, fmt.Errorf("read mappings of team %s: %w", of, err)
	}
	all := make([]mapping.Mapping, len(rows))
	for i, r := range rows {
		if all[i], err = mappingOf(r); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func mappingOf(r db.Mapping) (mapping.Mapping, error) {
	role, err := team.ParseRole(r.Role)
	if err != nil {
		return mapping.Mapping{}, fmt.Errorf("read mapping %s: %w", r.ID, err)
	}
	m := mapping.Mapping{
		ID: r.ID, Origin: mapping.Origin(r.Origin), Target: r.Target, Team: r.Team, TeamID: team.ID(r.TeamID), Source: r.Source,
		Group: r.GroupName, GroupID: directory.GroupID(r.GroupID), Role: role, Mode: mapping.Mode(r.Mode),
	}
	if m.Echo, err = echoOf(r.Echo); err != nil {
		return mapping.Mapping{}, fmt.Errorf("read mapping %s: %w", r.ID, err)
	}
	if r.Creates == "" {
		return m, nil
	}
	if err := json.Unmarshal([]byte(r.Creates), &m.New); err != nil {
		return mapping.Mapping{}, fmt.Errorf("read mapping %s: %w", r.ID, err)
	}
	return m, nil
}

// Enabled says whether a target's teams are kept, and what was answered about their members when that was turned off.
type Enabled struct {
	On   bool
	Keep bool // the members stayed; else what we brought was to go
}

// enabledBody is an Enabled in its configured row.
type enabledBody struct {
	Enabled bool   `json:"enabled"`
	Members string `json:"members,omitempty"` // "keep" or "remove"
}

// enabledSection is where the rows lie that say so, each under the name of its target.
const enabledSection = "enabled"

// Enabled returns whether a target is enabled, with the version of the row for SetEnabled. A target without a row is.
func (s *Store) Enabled(ctx context.Context, target string) (e Enabled, version int64, err error) {
	row, err := s.Configured(ctx, enabledSection, target)
	if errors.Is(err, ErrNotFound) {
		return Enabled{On: true}, 0, nil
	}
	if err != nil {
		return Enabled{}, 0, err
	}
	var body enabledBody
	if err := json.Unmarshal(row.Body, &body); err != nil {
		return Enabled{}, 0, fmt.Errorf("read whether target %s is enabled: %w", target, err)
	}
	return Enabled{On: body.Enabled, Keep: body.Members == "keep"}, row.Version, nil
}

// SetEnabled turns a target on or off. Turning it off disconnects all teams that the API mapped, as DisconnectAll does, in the same
// transaction. A stale version is ErrConflict.
func (s *Store) SetEnabled(ctx context.Context, target string, e Enabled, version int64, by string) (Configured, error) {
	body := enabledBody{Enabled: e.On}
	if !e.On {
		if body.Members = "remove"; e.Keep {
			body.Members = "keep"
		}
	}
	text, err := encode(body)
	if err != nil {
		return Configured{}, err
	}
	var now Configured
	err = s.write(ctx, "turn target "+target+" on or off", func(t *tx) error {
		if now, err = t.putConfigured(ctx, Change{
			Section: enabledSection, Name: target, Target: target, Body: json.RawMessage(text), Version: version, By: by,
		}); err != nil || e.On {
			return err
		}
		_, err = t.disconnectAll(ctx, target, e.Keep, by)
		return err
	})
	return now, err
}

// DisconnectAll takes all mappings away that were made by the API or in the console, with an audit entry for each team, in one transaction.
// Members stay when keep is set; else what we brought goes, without a grace, because a person was asked. Mappings of the file and of rules
// stay. It returns the teams.
func (s *Store) DisconnectAll(ctx context.Context, target string, keep bool, by string) (teams []team.ID, err error) {
	err = s.write(ctx, "disconnect all teams of target "+target, func(t *tx) error {
		teams, err = t.disconnectAll(ctx, target, keep, by)
		return err
	})
	return teams, err
}

func (t *tx) disconnectAll(ctx context.Context, target string, keep bool, by string) ([]team.ID, error) {
	if err := t.hold(ctx); err != nil {
		return nil, err
	}
	before, err := mappingsOf(ctx, t.Queries, target)
	if err != nil {
		return nil, err
	}
	e := &edit{target: target, before: before, actor: person(by)}
	e.removed = slices.DeleteFunc(slices.Clone(before), func(m mapped) bool { return m.Origin != mapping.FromAPI })
	teams := e.ended()
	for _, id := range teams {
		e.lost = append(e.lost, mapping.Disconnect{Team: id, Until: t.s.now(), By: by, Origin: mapping.FromAPI, Keep: keep})
	}
	return teams, t.carryOut(ctx, e)
}
