package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"musterline.example/audit"
	"musterline.example/mapping"
	"musterline.example/plan"
	"musterline.example/store/internal/db"
	"musterline.example/team"
)

// A KnownTeam is a team as memory has it.
type KnownTeam struct {
	team.Team           // in a list without its members
	Size      int       // how many members it has
	ReadAt    time.Time // when members were read; what we have changed since is reckoned in. Zero: only the name is known
	ChangedAt time.Time // of the last membership that we changed
}

var teams = table{
	name: "teams",
	key:  []string{"host", "organization_id", "id"},
	columns: []string{
		"host", "organization_id", "id", "slug", "name", "description", "parent", "children", "foreign_why", "members_n", "members", "read_at",
	},
}

// SaveTeams keeps teams with their members as they were read at a moment. Of those that a run has taken from an earlier one, which it says
// with kept, only those that are others now have been read.
func (s *Store) SaveTeams(ctx context.Context, place team.Place, read []team.Team, at time.Time, kept bool) error {
	if len(read) == 0 {
		return nil
	}
	before := make(map[team.ID][2]string)
	if kept {
		rows, err := s.queries.GetTeamMembers(ctx, db.GetTeamMembersParams{Host: place.Host, OrganizationID: place.OrganizationID})
		if err != nil {
			return fmt.Errorf("read teams: %w", err)
		}
		for _, r := range rows {
			before[team.ID(r.ID)] = [2]string{r.Slug + "\x00" + r.Name + "\x00" + r.Description + "\x00" + r.Parent + "\x00" + r.Children + "\x00" + r.ForeignWhy, r.Members}
		}
	}
	rows := make([][]any, 0, len(read))
	for i := range read {
		t := &read[i]
		children, err := encode(t.Children)
		if err != nil {
			return err
		}
		members, err := encode(t.Members)
		if err != nil {
			return err
		}
		names := t.Slug + "\x00" + t.Name + "\x00" + t.Description + "\x00" + string(t.Parent) + "\x00" + children + "\x00" + t.Foreign
		if kept && before[t.ID] == [2]string{names, members} {
			continue
		}
		rows = append(rows, []any{
			place.Host, place.OrganizationID, string(t.ID), t.Slug, t.Name, t.Description, string(t.Parent), children, t.Foreign,
			int64(len(t.Members)), members, micros(at),
		})
	}
	if len(rows) == 0 {
		return nil
	}
	return s.write(ctx, "save teams", func(t *tx) error {
		return t.put(ctx, teams, len(rows), func(i int) []any { return rows[i] })
	})
}

// SaveTeamList keeps the names of all teams of an organization as they were listed at a moment. Those that were not listed are forgotten.
func (s *Store) SaveTeamList(ctx context.Context, place team.Place, listed []team.Team, at time.Time) error {
	return s.write(ctx, "save the list of teams", func(t *tx) error {
		key := db.GetTeamsParams{Host: place.Host, OrganizationID: place.OrganizationID}
		before, err := t.GetTeams(ctx, key)
		if err != nil {
			return err
		}
		known := make(map[string]db.GetTeamsRow, len(before))
		for _, r := range before {
			known[r.ID] = r
		}
		var added, changed [][]any
		for i := range listed {
			of := &listed[i]
			was, there := known[string(of.ID)]
			delete(known, string(of.ID))
			row := []any{place.Host, place.OrganizationID, string(of.ID), of.Slug, of.Name, of.Description, string(of.Parent)}
			switch {
			case !there:
				added = append(added, append(row, "[]", of.Foreign, int64(0), "[]", int64(0)))
			case was.Slug != of.Slug || was.Name != of.Name || was.Description != of.Description || was.Parent != string(of.Parent) || was.ForeignWhy != of.Foreign:
				changed = append(changed, append(row, of.Foreign))
			}
		}
		if err := t.put(ctx, teams, len(added), func(i int) []any { return added[i] }); err != nil {
			return err
		}
		if err := t.rename(ctx, changed); err != nil {
			return err
		}
		gone := make([]string, 0, len(known))
		for id := range known {
			gone = append(gone, id)
		}
		if err := t.remove(ctx, teams, len(gone), func(i int) []any { return []any{place.Host, place.OrganizationID, gone[i]} }); err != nil {
			return err
		}
		return t.PutTeamList(ctx, db.PutTeamListParams{Host: place.Host, OrganizationID: place.OrganizationID, At: micros(at)})
	})
}

// rename writes what a list says of teams that are there.
func (t *tx) rename(ctx context.Context, rows [][]any) error {
	for _, r := range rows {
		if _, err := t.sql.ExecContext(ctx,
			"UPDATE teams SET slug = $4, name = $5, description = $6, parent = $7, foreign_why = $8 WHERE host = $1 AND organization_id = $2 AND id = $3",
			r...); err != nil {
			return err
		}
	}
	return nil
}

// Teams returns the teams of an organization that memory knows, in order of slug, and when all of them were listed last; zero when they
// never were.
func (s *Store) Teams(ctx context.Context, target string, place team.Place) (all []KnownTeam, listedAt time.Time, err error) {
	rows, err := s.queries.GetTeams(ctx, db.GetTeamsParams{Host: place.Host, OrganizationID: place.OrganizationID})
	if err != nil {
		return nil, listedAt, fmt.Errorf("read teams: %w", err)
	}
	var since int64
	for _, r := range rows {
		t, err := knownTeam(db.GetTeamRow{
			ID: r.ID, Slug: r.Slug, Name: r.Name, Description: r.Description, Parent: r.Parent, Children: r.Children, ForeignWhy: r.ForeignWhy,
			MembersN: r.MembersN, ReadAt: r.ReadAt, ChangedAt: r.ChangedAt,
		})
		if err != nil {
			return nil, listedAt, err
		}
		if r.ReadAt != 0 && r.ChangedAt >= r.ReadAt && (since == 0 || r.ReadAt < since) {
			since = r.ReadAt
		}
		all = append(all, t)
	}
	if since != 0 {
		done, err := s.queries.WritesOfTeam(ctx, db.WritesOfTeamParams{Target: target, Since: since})
		if err != nil {
			return nil, listedAt, fmt.Errorf("read what was done since: %w", err)
		}
		at := make(map[team.ID]int, len(all))
		for i := range all {
			at[all[i].ID] = i
		}
		for _, w := range done {
			if i, known := at[team.ID(w.Team)]; known && !moment(w.At).Before(all[i].ReadAt) {
				all[i].Size += grows(w.Act, w.Result)
			}
		}
	}
	slices.SortFunc(all, func(a, b KnownTeam) int {
		return cmp.Or(cmp.Compare(fold(a.Slug), fold(b.Slug)), cmp.Compare(a.ID, b.ID))
	})
	at, err := s.queries.GetTeamList(ctx, db.GetTeamListParams{Host: place.Host, OrganizationID: place.OrganizationID})
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, listedAt, fmt.Errorf("read when teams were listed: %w", err)
	}
	return all, moment(at), nil
}

// grows is by how much a write has made a team larger.
func grows(act, result string) int {
	switch {
	case result == string(audit.Already):
		return 0 // so it was when it was read, or another has done it: the next read tells
	case act == string(plan.Add):
		return 1
	case act == string(plan.Remove), act == string(plan.Cancel):
		return -1
	}
	return 0
}

// KnownTeam returns one team of an organization with its members, in order of account: as they were read last, with what we have changed since.
// ErrNotFound when memory does not know it.
func (s *Store) KnownTeam(ctx context.Context, target string, place team.Place, id team.ID) (KnownTeam, error) {
	row, err := s.queries.GetTeam(ctx, db.GetTeamParams{Host: place.Host, OrganizationID: place.OrganizationID, ID: string(id)})
	if errors.Is(err, sql.ErrNoRows) {
		return KnownTeam{}, fmt.Errorf("team %s: %w", id, ErrNotFound)
	}
	if err != nil {
		return KnownTeam{}, fmt.Errorf("read team %s: %w", id, err)
	}
	t, err := knownTeam(row)
	if err != nil || row.ReadAt == 0 {
		return t, err
	}
	done, err := s.queries.WritesOfTeam(ctx, db.WritesOfTeamParams{Target: target, Since: row.ReadAt, Team: string(id)})
	if err != nil {
		return t, fmt.Errorf("read what was done to team %s: %w", id, err)
	}
	for _, w := range done {
		var said audit.Write
		if err := json.Unmarshal([]byte(w.Body), &said); err != nil {
			return t, fmt.Errorf("read what was done to team %s: %w", id, err)
		}
		if err := t.after(said, w.Result); err != nil {
			return t, err
		}
	}
	t.Sort()
	t.Size = len(t.Members)
	return t, nil
}

// after reckons a write in that was made after the team was read.
func (t *KnownTeam) after(w audit.Write, result string) error {
	role, err := team.ParseRole(w.Role)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(t.Members, func(m team.Membership) bool { return string(m.Account) == w.Account })
	switch {
	case w.Act == string(plan.Remove) || w.Act == string(plan.Cancel):
		if i >= 0 {
			t.Members = slices.Delete(t.Members, i, i+1)
		}
	case i < 0:
		t.Members = append(t.Members, team.Membership{
			Account: team.AccountID(w.Account), Login: w.Login, Role: role, Pending: result == string(audit.Pending),
		})
	default:
		t.Members[i].Role = role
	}
	return nil
}

func knownTeam(r db.GetTeamRow) (KnownTeam, error) {
	t := KnownTeam{
		Team: team.Team{
			ID: team.ID(r.ID), Slug: r.Slug, Name: r.Name, Description: r.Description, Parent: team.ID(r.Parent), Foreign: r.ForeignWhy,
		},
		Size: int(r.MembersN), ReadAt: moment(r.ReadAt), ChangedAt: moment(r.ChangedAt),
	}
	err := json.Unmarshal([]byte(r.Children), &t.Children)
	if err == nil && r.Members != "" {
		err = json.Unmarshal([]byte(r.Members), &t.Members)
	}
	if err != nil {
		return t, fmt.Errorf("read team %s: %w", r.ID, err)
	}
	return t, nil
}

// A Deed is how many writes of one sort took effect on a day.
type Deed struct {
	Day   time.Time // its beginning in UTC
	Act   plan.Act
	Drift bool // it put right what somebody else's hand had changed
	N     int
}

// Activity counts what was done to the teams of a target, day by day, since a moment.
func (s *Store) Activity(ctx context.Context, target string, since time.Time) ([]Deed, error) {
	rows, err := s.queries.Activity(ctx, db.ActivityParams{Target: target, Since: micros(since)})
	if err != nil {
		return nil, fmt.Errorf("read what was done to target %s: %w", target, err)
	}
	var all []Deed
	for _, r := range rows {
		all = append(all, Deed{Day: time.Unix(r.Day*24*60*60, 0).UTC(), Act: plan.Act(r.Act), Drift: r.Drift != 0, N: int(r.N)})
	}
	return all, nil
}

// LedgerOfTeam returns why everybody is in one team, in order of account.
func (s *Store) LedgerOfTeam(ctx context.Context, place team.Place, of team.ID) ([]mapping.Entry, error) {
	ledger, err := ledgerOfTeams(ctx, s.queries, place, []team.ID{of})
	if err != nil {
		return nil, fmt.Errorf("read the ledger of team %s: %w", of, err)
	}
	return ledger[of], nil
}

// NextSyncs returns when the schedule asks for the next sync of each target.
func (s *Store) NextSyncs(ctx context.Context) (map[string]time.Time, error) {
	rows, err := s.queries.GetSchedules(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the schedule: %w", err)
	}
	next := make(map[string]time.Time, len(rows))
	for _, r := range rows {
		next[r.Target] = moment(r.NextAt)
	}
	return next, nil
}
