package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"musterline.example/mapping"
	"musterline.example/reconcile"
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
	return enabledOf(ctx, s.queries, target)
}

func enabledOf(ctx context.Context, q *db.Queries, target string) (e Enabled, version int64, err error) {
	row, err := q.GetConfigured(ctx, db.GetConfiguredParams{Section: enabledSection, Name: target})
	if errors.Is(err, sql.ErrNoRows) {
		return Enabled{On: true}, 0, nil
	}
	var body enabledBody
	if err == nil {
		err = json.Unmarshal([]byte(row.Body), &body)
	}
	if err != nil {
		return Enabled{}, 0, fmt.Errorf("read whether target %s is enabled: %w", target, err)
	}
	return Enabled{On: body.Enabled, Keep: body.Members == "keep"}, row.Version, nil
}

// enabled reports whether a target is enabled, to a transaction that holds the record: then nobody else turns it off meanwhile.
func (t *tx) enabled(ctx context.Context, target string) (bool, error) {
	e, _, err := enabledOf(ctx, t.Queries, target)
	return e.On, err
}

// SetEnabled turns a target on or off. Turning it off disconnects all teams that the API mapped, as DisconnectAll does, in the same
// transaction, and what the caller asks for is asked in it. A stale version is ErrConflict.
func (s *Store) SetEnabled(
	ctx context.Context, target string, e Enabled, version int64, by string, asks ...reconcile.Request,
) (Configured, error) {
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
		}); err != nil {
			return err
		}
		if !e.On {
			if _, err := t.disconnectAll(ctx, target, e.Keep, by); err != nil {
				return err
			}
		}
		_, err := t.ask(ctx, asks...)
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
