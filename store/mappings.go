package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"musterline.example/audit"
	"musterline.example/directory"
	"musterline.example/guard"
	"musterline.example/mapping"
	"musterline.example/reconcile"
	"musterline.example/store/internal/db"
	"musterline.example/team"
)

// Mappings returns the mappings of a target in the order in which they came.
func (s *Store) Mappings(ctx context.Context, target string) ([]mapping.Mapping, error) {
	rows, err := mappingsOf(ctx, s.queries, target)
	if err != nil {
		return nil, err
	}
	return plain(rows), nil
}

// plain are mappings without the numbers of their rows.
func plain(rows []mapped) []mapping.Mapping {
	all := make([]mapping.Mapping, len(rows))
	for i, r := range rows {
		all[i] = r.Mapping
	}
	return all
}

// A mapped is a mapping with the number of its row.
type mapped struct {
	mapping.Mapping
	number int64
}

func mappingsOf(ctx context.Context, q *db.Queries, target string) ([]mapped, error) {
	rows, err := q.GetMappings(ctx, target)
	if err != nil {
		return nil, fmt.Errorf("read mappings: %w", err)
	}
	all := make([]mapped, len(rows))
	for i, r := range rows {
		m, err := mappingOf(r)
		if err != nil {
			return nil, err
		}
		all[i] = mapped{m, r.Number}
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

// echoOf reads what echoed stored.
func echoOf(text string) (e mapping.Echo, err error) {
	if text == "" {
		return e, nil
	}
	return e, json.Unmarshal([]byte(text), &e)
}

// echoed is how an echo is stored.
func echoed(e mapping.Echo) string {
	if e == (mapping.Echo{}) {
		return ""
	}
	text, err := encode(e)
	if err != nil {
		panic("store: " + err.Error()) // strings can always be encoded
	}
	return text
}

// teamKey names the team of a mapping, by its id once that is known.
func teamKey(m mapping.Mapping) string {
	if m.TeamID != "" {
		return "id " + string(m.TeamID)
	}
	return "name " + m.Team
}

// An edit is what is to be done to the mappings of a target.
type edit struct {
	target  string
	actor   audit.Actor
	before  []mapped
	added   []mapping.Mapping
	changed []mapped
	removed []mapped
	lost    []mapping.Disconnect
}

func (e *edit) empty() bool { return len(e.added)+len(e.changed)+len(e.removed)+len(e.lost) == 0 }

// after returns the mappings as they will be.
func (e *edit) after() []mapping.Mapping {
	gone, now := map[int64]bool{}, map[int64]mapping.Mapping{}
	for _, m := range e.removed {
		gone[m.number] = true
	}
	for _, m := range e.changed {
		now[m.number] = m.Mapping
	}
	var all []mapping.Mapping
	for _, m := range e.before {
		if changed, ok := now[m.number]; ok {
			m.Mapping = changed
		}
		if !gone[m.number] {
			all = append(all, m.Mapping)
		}
	}
	return append(all, e.added...)
}

// ended returns the teams from which a group was taken that nothing else maps to them.
func (e *edit) ended() []team.ID {
	type pair struct {
		team team.ID
		key  string
	}
	still := map[pair]bool{}
	for _, m := range e.after() {
		still[pair{m.TeamID, m.Key()}] = true
	}
	teams := map[team.ID]bool{}
	for _, m := range e.removed {
		if m.TeamID != "" && !still[pair{m.TeamID, m.Key()}] {
			teams[m.TeamID] = true
		}
	}
	return slices.Sorted(maps.Keys(teams))
}

// graces are requests that are due when the grace of what the edit disconnects is over.
func (e *edit) graces(target string, now time.Time) []reconcile.Request {
	var due []reconcile.Request
	for _, d := range e.lost {
		if d.Until.After(now) && !d.Keep {
			due = append(due, reconcile.Request{
				Target: target, Teams: []team.ID{d.Team}, Trigger: reconcile.ByEvent, Asker: d.By, Why: "the grace of a disconnect is over", DueAt: d.Until,
			})
		}
	}
	return due
}

// A mappingBody is a mapping in an audit entry.
type mappingBody struct {
	ID     string          `json:"id"`
	Origin mapping.Origin  `json:"origin"`
	Team   string          `json:"team"`
	TeamID team.ID         `json:"team_id,omitempty"`
	Group  string          `json:"group"` // "source/name"
	Key    string          `json:"key,omitempty"`
	Role   team.Role       `json:"role"`
	Mode   mapping.Mode    `json:"mode,omitempty"`
	Create json.RawMessage `json:"create,omitempty"`
}

func mappingBodyOf(m mapping.Mapping) mappingBody {
	b := mappingBody{ID: m.ID, Origin: m.Origin, Team: m.Team, TeamID: m.TeamID, Group: m.Source + "/" + m.Group, Role: m.Role, Mode: m.Mode}
	if m.GroupID != "" {
		b.Key = m.Key()
	}
	if m.New != nil {
		b.Create = json.RawMessage(creation(m.New))
	}
	return b
}

// creation is how a team to be created is stored.
func creation(n *team.New) string {
	if n == nil {
		return ""
	}
	text, err := encode(n)
	if err != nil {
		panic("store: " + err.Error()) // strings can always be encoded
	}
	return text
}

// editBody is the body of the entry about one team.
type editBody struct {
	Team    string        `json:"team"` // as written
	Added   []mappingBody `json:"added,omitempty"`
	Changed []mappingBody `json:"changed,omitempty"`
	Removed []mappingBody `json:"removed,omitempty"`
	Ends    time.Time     `json:"ends,omitzero"` // the grace of memberships that rested on what was removed
	Keep    bool          `json:"keep,omitempty"`
}

var mappings = table{name: "mappings", columns: []string{
	"target", "number", "id", "origin", "team", "team_id", "source", "group_name", "group_id", "role", "mode", "creates", "echo",
}}

// carryOut makes an edit, with one audit entry for each team. Added mappings without an id get their number as one.
func (t *tx) carryOut(ctx context.Context, e *edit) error {
	if e.empty() {
		return nil
	}
	for _, m := range e.removed {
		if err := t.DeleteMapping(ctx, db.DeleteMappingParams{Target: e.target, Number: m.number}); err != nil {
			return err
		}
	}
	for _, m := range e.changed {
		if err := t.UpdateMapping(ctx, db.UpdateMappingParams{
			Target: e.target, Number: m.number, ID: m.ID, Team: m.Team, TeamID: string(m.TeamID), GroupName: m.Group, GroupID: string(m.GroupID),
			Role: m.Role.String(), Mode: string(m.Mode), Creates: creation(m.New), Echo: echoed(m.Echo),
		}); err != nil {
			return err
		}
	}
	if n := int64(len(e.added)); n > 0 {
		last, err := t.Count(ctx, db.CountParams{Name: "mapping", N: n})
		if err != nil {
			return err
		}
		first := last - n + 1
		for i := range e.added {
			if e.added[i].ID == "" {
				e.added[i].ID = strconv.FormatInt(first+int64(i), 10)
			}
		}
		if err := t.put(ctx, mappings, len(e.added), func(i int) []any {
			m := &e.added[i]
			return []any{
				e.target, first + int64(i), m.ID, string(m.Origin), m.Team, string(m.TeamID), m.Source, m.Group, string(m.GroupID),
				m.Role.String(), string(m.Mode), creation(m.New), echoed(m.Echo),
			}
		}); err != nil {
			return err
		}
	}
	if err := t.recordEdit(ctx, e); err != nil {
		return err
	}
	for _, d := range e.lost {
		number, err := t.number(ctx, "disconnect")
		if err != nil {
			return err
		}
		if err := t.PutDisconnect(ctx, db.PutDisconnectParams{
			Target: e.target, Number: number, Team: string(d.Team), EndsAt: micros(d.Until), MadeBy: d.By, Origin: string(d.Origin), Keep: d.Keep,
		}); err != nil {
			return err
		}
	}
	return nil
}

// recordEdit leaves one audit entry for each team.
func (t *tx) recordEdit(ctx context.Context, e *edit) error {
	bodies := map[string]*editBody{}
	ids := map[string]team.ID{}
	of := func(m mapping.Mapping) *editBody {
		k := teamKey(m)
		if bodies[k] == nil {
			bodies[k], ids[k] = &editBody{Team: m.Team}, m.TeamID
		}
		return bodies[k]
	}
	for _, m := range e.added {
		b := of(m)
		b.Added = append(b.Added, mappingBodyOf(m))
	}
	for _, m := range e.changed {
		b := of(m.Mapping)
		b.Changed = append(b.Changed, mappingBodyOf(m.Mapping))
	}
	for _, m := range e.removed {
		b := of(m.Mapping)
		b.Removed = append(b.Removed, mappingBodyOf(m.Mapping))
		if i := slices.IndexFunc(e.lost, func(d mapping.Disconnect) bool { return d.Team == m.TeamID }); i >= 0 {
			b.Ends, b.Keep = e.lost[i].Until, e.lost[i].Keep
		}
	}
	var notes []note
	for _, k := range slices.Sorted(maps.Keys(bodies)) {
		notes = append(notes, note{kind: KindMapping, target: e.target, team: string(ids[k]), actor: e.actor, body: bodies[k]})
	}
	_, err := t.record(ctx, notes...)
	return err
}

// SaveMappings brings the rows of a target in line with these, ids and all, and keeps the disconnects of teams that lost them. Of the API's
// rows it only takes away those of teams that the file maps: another may have been made or unmade since the caller read them. Names once
// pinned stay pinned.
func (s *Store) SaveMappings(ctx context.Context, target string, given []mapping.Mapping, lost []mapping.Disconnect) error {
	return s.edit(ctx, target, func(before []mapped) *edit { return inLine(target, before, given, lost) })
}

// edit carries out what plan makes of the mappings as they are. Most runs change none: then nothing is locked.
func (s *Store) edit(ctx context.Context, target string, plan func(before []mapped) *edit) error {
	before, err := mappingsOf(ctx, s.queries, target)
	if err != nil || plan(before).empty() {
		return err
	}
	return s.write(ctx, "save mappings of target "+target, func(t *tx) error {
		if err := t.hold(ctx); err != nil {
			return err
		}
		before, err := mappingsOf(ctx, t.Queries, target)
		if err != nil {
			return err
		}
		return t.carryOut(ctx, plan(before))
	})
}

// A rowKey finds the row of a mapping.
type rowKey struct {
	origin          mapping.Origin
	id, team, group string
	source          string
}

// rowKeyOf is, for a mapping of a rule, its group, because a rule makes many; for one of the file what is written, because its line may
// move; for one of the API its id.
func rowKeyOf(m mapping.Mapping) rowKey {
	switch m.Origin {
	case mapping.FromRule:
		return rowKey{origin: m.Origin, id: m.ID, source: m.Source, group: string(m.GroupID)}
	case mapping.FromFile:
		return rowKey{origin: m.Origin, team: m.Team, source: m.Source, group: m.Group}
	default:
		return rowKey{origin: mapping.FromAPI, id: m.ID}
	}
}

// inLine compares mappings with the rows.
func inLine(target string, before []mapped, given []mapping.Mapping, lost []mapping.Disconnect) *edit {
	e := &edit{target: target, before: before, lost: lost} // who brought it about stands in the mappings: their origin
	rows := map[rowKey][]mapped{}
	for _, m := range before {
		rows[rowKeyOf(m.Mapping)] = append(rows[rowKeyOf(m.Mapping)], m)
	}
	named, owned := map[int64]bool{}, map[string]bool{}
	for _, m := range given {
		m.Target = target
		if m.Origin == mapping.FromFile {
			owned["name "+m.Team], owned[teamKey(m)] = true, true
		}
		key := rowKeyOf(m)
		same := rows[key]
		if len(same) == 0 {
			if m.Origin != mapping.FromAPI {
				e.added = append(e.added, m)
			}
			continue
		}
		row := same[0]
		rows[key], named[row.number] = same[1:], true
		m.TeamID, m.GroupID = cmp.Or(m.TeamID, row.TeamID), cmp.Or(m.GroupID, row.GroupID)
		m.Echo = row.Echo // a run knows of none
		if !sameMapping(m, row.Mapping) {
			e.changed = append(e.changed, mapped{m, row.number})
		}
	}
	for _, m := range before {
		if named[m.number] || m.Origin == mapping.FromAPI && !owned["name "+m.Team] && !owned[teamKey(m.Mapping)] {
			continue
		}
		e.removed = append(e.removed, m)
	}
	return e
}

func sameMapping(a, b mapping.Mapping) bool {
	sameNew := creation(a.New) == creation(b.New)
	a.New, b.New = nil, nil
	return sameNew && a == b
}

// ErrOff is in the chain of the error about a mapping of a target that is turned off.
var ErrOff = errors.New("the target is turned off")

// An Owned is the refusal to change the mappings of a team that the file or a rule owns.
type Owned struct{ Mapping mapping.Mapping }

// Error names the owner.
func (o *Owned) Error() string {
	return fmt.Sprintf("team %s is mapped by %s: change it there", o.Mapping.Team, o.Mapping.ID)
}

// MapTeam makes these the API mappings of one team, as a PATCH does, which speaks of groups alone: rows of groups that stay keep their ids, and
// the role and mode that they have by then; new ones are added, and what is missing is disconnected as end says. None at all unmaps the team. A team that the file or a rule maps is *Owned, and one of a target that
// is turned off ErrOff.
//
// What the caller asks for is asked in the same transaction. When the grace of what was disconnected is over, a sync of the team is due.
func (s *Store) MapTeam(
	ctx context.Context, target string, of team.ID, wanted []mapping.Mapping, end mapping.Disconnect, asks ...reconcile.Request,
) ([]mapping.Mapping, error) {
	now, _, err := s.mapTeam(ctx, target, of, remapped{wanted: wanted, groups: true, end: end, asks: asks})
	return now, err
}

// MapTeamIf is MapTeam for a change that was made from what somebody has read: check is shown all mappings of the target as they are in the
// transaction, and its error refuses the change. It may be called more than once, and must ask nobody. With a waiver, which may be nil, what
// the change brings about and somebody has seen is accepted in the same transaction; its id is returned.
func (s *Store) MapTeamIf(
	ctx context.Context, target string, of team.ID, check func(now []mapping.Mapping) error, wanted []mapping.Mapping, end mapping.Disconnect,
	accept *guard.Waiver, asks ...reconcile.Request,
) (now []mapping.Mapping, waiver string, err error) {
	return s.mapTeam(ctx, target, of, remapped{check: check, wanted: wanted, end: end, accept: accept, asks: asks})
}

// remapped is what is to become of the mappings of a team.
type remapped struct {
	check  func(now []mapping.Mapping) error // may be nil
	wanted []mapping.Mapping
	groups bool // they say nothing of role and mode
	end    mapping.Disconnect
	accept *guard.Waiver // may be nil
	asks   []reconcile.Request
}

func (s *Store) mapTeam(ctx context.Context, target string, of team.ID, c remapped) (now []mapping.Mapping, waiver string, err error) {
	if of == "" {
		return nil, "", errors.New("map team: a team is mapped by its id")
	}
	err = s.write(ctx, "map team "+string(of), func(t *tx) error {
		if err := t.hold(ctx); err != nil {
			return err
		}
		if on, err := t.enabled(ctx, target); err != nil || !on {
			return cmp.Or(err, ErrOff)
		}
		before, err := mappingsOf(ctx, t.Queries, target)
		if err != nil {
			return err
		}
		if c.check != nil {
			if err := c.check(plain(before)); err != nil {
				return err
			}
		}
		e := &edit{target: target, before: before, actor: audit.Actor{Trigger: "person", Requester: c.end.By}}
		rows := map[string]mapped{}
		for _, m := range before {
			if m.TeamID != of {
				continue
			}
			if m.Origin != mapping.FromAPI {
				return &Owned{m.Mapping}
			}
			rows[m.Key()] = m
		}
		for _, m := range c.wanted {
			m.ID, m.Target, m.TeamID, m.Origin = "", target, of, mapping.FromAPI
			row, there := rows[m.Key()]
			if !there {
				e.added = append(e.added, m)
				continue
			}
			delete(rows, m.Key())
			if c.groups {
				m.Role, m.Mode = row.Role, row.Mode
			}
			if m.ID = row.ID; !sameMapping(m, row.Mapping) {
				e.changed = append(e.changed, mapped{m, row.number})
			}
		}
		for _, m := range before {
			if row, left := rows[m.Key()]; left && row.number == m.number {
				e.removed = append(e.removed, m)
			}
		}
		for _, id := range e.ended() {
			c.end.Team, c.end.Origin = id, mapping.FromAPI
			e.lost = append(e.lost, c.end)
		}
		if err := t.carryOut(ctx, e); err != nil {
			return err
		}
		if c.accept != nil {
			if waiver, err = t.addWaiver(ctx, *c.accept); err != nil {
				return err
			}
		}
		if _, err := t.ask(ctx, append(slices.Clone(c.asks), e.graces(target, s.now())...)...); err != nil {
			return err
		}
		now = slices.DeleteFunc(e.after(), func(m mapping.Mapping) bool { return m.TeamID != of })
		return nil
	})
	return now, waiver, err
}

// Disconnects returns the teams that lost mappings and whose members are not all settled, the oldest first.
func (s *Store) Disconnects(ctx context.Context, target string) ([]mapping.Disconnect, error) {
	rows, err := s.queries.GetDisconnects(ctx, target)
	if err != nil {
		return nil, fmt.Errorf("read disconnects: %w", err)
	}
	var all []mapping.Disconnect
	for _, r := range rows {
		all = append(all, mapping.Disconnect{Team: team.ID(r.Team), Until: moment(r.EndsAt), By: r.MadeBy, Origin: mapping.Origin(r.Origin), Keep: r.Keep})
	}
	return all, nil
}

// SettleDisconnects forgets disconnects that are carried out. One that is still in its grace cannot be: it was made after the plan, and stays.
// A team without any mapping left is connected anew when it is mapped again.
func (s *Store) SettleDisconnects(ctx context.Context, target string, teams []team.ID) error {
	if len(teams) == 0 {
		return nil
	}
	return s.write(ctx, "settle disconnects of target "+target, func(t *tx) error {
		left, err := mappingsOf(ctx, t.Queries, target)
		if err != nil {
			return err
		}
		for _, id := range teams {
			if err := t.SettleDisconnect(ctx, db.SettleDisconnectParams{Target: target, Team: string(id), Now: micros(s.now())}); err != nil {
				return err
			}
			if slices.ContainsFunc(left, func(m mapped) bool { return m.TeamID == id }) {
				continue
			}
			if err := t.disconnectTeam(ctx, target, id); err != nil {
				return err
			}
		}
		return nil
	})
}

// disconnectTeam forgets that a team was ever connected.
func (t *tx) disconnectTeam(ctx context.Context, target string, id team.ID) error {
	row, err := t.GetTarget(ctx, target)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // never read, so nothing was connected
	}
	if err != nil {
		return err
	}
	return t.DeleteConnected(ctx, db.DeleteConnectedParams{Host: row.Host, OrganizationID: row.OrganizationID, Team: string(id)})
}
