package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"musterline.example/audit"
	"musterline.example/mapping"
	"musterline.example/store/internal/db"
	"musterline.example/team"
)

// A ledgerKey names one row of the ledger.
type ledgerKey struct{ host, organization, team, account string }

// A ledgerBody is a row of the ledger as audit entries show it.
type ledgerBody struct {
	Origin   mapping.LedgerOrigin `json:"origin"`
	Role     string               `json:"role"`
	Mappings []string             `json:"mappings,omitempty"`
	Since    time.Time            `json:"since"`
}

func bodyOf(e mapping.Entry) ledgerBody {
	return ledgerBody{e.Origin, e.Role.String(), e.Mappings, e.Since.UTC()}
}

func (b ledgerBody) entry(account string) (*mapping.Entry, error) {
	r, err := team.ParseRole(b.Role)
	return &mapping.Entry{
		Account: team.AccountID(account), Origin: b.Origin, Role: r, Mappings: b.Mappings, Since: b.Since,
	}, err
}

// An accountBody is one account in an audit entry about several.
type accountBody struct {
	Account string `json:"account"`
	ledgerBody
}

// Ledger returns why everybody is in the teams of an organization.
func (s *Store) Ledger(ctx context.Context, place team.Place) (mapping.Ledger, error) {
	ledger, err := ledgerOf(ctx, s.queries, place)
	if err != nil {
		return nil, fmt.Errorf("read ledger: %w", err)
	}
	return ledger, nil
}

func ledgerOf(ctx context.Context, q *db.Queries, place team.Place) (mapping.Ledger, error) {
	rows, err := q.GetLedger(ctx, db.GetLedgerParams{Host: place.Host, OrganizationID: place.OrganizationID})
	if err != nil {
		return nil, err
	}
	ledger, l := mapping.Ledger{}, lists{}
	for _, r := range rows {
		if err := ledgerAdd(ledger, l, db.GetLedgerOfTeamRow(r)); err != nil {
			return nil, err
		}
	}
	ledger.Sort() // the databases sort text each in its way
	return ledger, nil
}

// fewTeams is up to how many teams are read one by one rather than the whole organization.
const fewTeams = 50

// ledgerOfTeams returns the rows of some teams, and perhaps of others.
func ledgerOfTeams(ctx context.Context, q *db.Queries, place team.Place, teams []team.ID) (mapping.Ledger, error) {
	if len(teams) > fewTeams {
		return ledgerOf(ctx, q, place)
	}
	ledger, l := mapping.Ledger{}, lists{}
	for _, id := range teams {
		rows, err := q.GetLedgerOfTeam(ctx, db.GetLedgerOfTeamParams{Host: place.Host, OrganizationID: place.OrganizationID, Team: string(id)})
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			if err := ledgerAdd(ledger, l, r); err != nil {
				return nil, err
			}
		}
	}
	ledger.Sort()
	return ledger, nil
}

func ledgerAdd(to mapping.Ledger, l lists, r db.GetLedgerOfTeamRow) error {
	mappings, err := l.read(r.Mappings)
	if err != nil {
		return err
	}
	given, err := team.ParseRole(r.Role)
	if err != nil {
		return err
	}
	origin, err := mapping.ParseLedgerOrigin(r.Origin)
	if err != nil {
		return err
	}
	id := team.ID(r.Team)
	to[id] = append(to[id], mapping.Entry{
		Account: team.AccountID(r.Account), Origin: origin, Role: given, Mappings: mappings, Since: moment(r.Since),
	})
	return nil
}

// LedgerRow returns one row of the ledger and the number of the audit entry that last changed it. There may be none: ErrNotFound.
func (s *Store) LedgerRow(ctx context.Context, place team.Place, of team.ID, account team.AccountID) (mapping.Entry, int64, error) {
	r, err := s.queries.GetLedgerRow(ctx, db.GetLedgerRowParams{
		Host: place.Host, OrganizationID: place.OrganizationID, Team: string(of), Account: string(account),
	})
	if errors.Is(err, sql.ErrNoRows) {
		return mapping.Entry{}, 0, fmt.Errorf("ledger row of account %s in team %s: %w", account, of, ErrNotFound)
	}
	if err != nil {
		return mapping.Entry{}, 0, fmt.Errorf("read ledger: %w", err)
	}
	one := mapping.Ledger{}
	if err := ledgerAdd(one, lists{}, db.GetLedgerOfTeamRow{
		Team: string(of), Account: string(account), Origin: r.Origin, Role: r.Role, Mappings: r.Mappings, Since: r.Since,
	}); err != nil {
		return mapping.Entry{}, 0, fmt.Errorf("read ledger: %w", err)
	}
	return one[of][0], r.Entry, nil
}

// ledgerRow returns one row, nil when there is none.
func (t *tx) ledgerRow(ctx context.Context, key ledgerKey) (*ledgerBody, error) {
	r, err := t.GetLedgerRow(ctx, db.GetLedgerRowParams{
		Host: key.host, OrganizationID: key.organization, Team: key.team, Account: key.account,
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read ledger: %w", err)
	}
	origin, err := mapping.ParseLedgerOrigin(r.Origin)
	if err != nil {
		return nil, fmt.Errorf("read ledger: %w", err)
	}
	mappings, err := lists{}.read(r.Mappings)
	return &ledgerBody{origin, r.Role, mappings, moment(r.Since)}, err
}

var ledger = table{
	name:    "ledger",
	key:     []string{"host", "organization_id", "team", "account"},
	columns: []string{"host", "organization_id", "team", "account", "origin", "role", "mappings", "since", "entry"},
}

// A ledgerRow is a row of the ledger with its team.
type ledgerRow struct {
	team team.ID
	mapping.Entry
}

// rowsOf returns the rows of a ledger, team by team.
func rowsOf(l mapping.Ledger) []ledgerRow {
	var rows []ledgerRow
	for _, id := range slices.Sorted(maps.Keys(l)) {
		for _, e := range l[id] {
			rows = append(rows, ledgerRow{id, e})
		}
	}
	return rows
}

// putLedger writes rows; seqs are the audit entries that they rest on, one for each team.
func (t *tx) putLedger(ctx context.Context, place team.Place, entries mapping.Ledger, seqs map[team.ID]int64) error {
	rows := rowsOf(entries)
	return t.put(ctx, ledger, len(rows), func(i int) []any {
		r := &rows[i]
		return []any{
			place.Host, place.OrganizationID, string(r.team), string(r.Account), r.Origin.String(), r.Role.String(), list(r.Mappings),
			micros(r.Since), seqs[r.team],
		}
	})
}

// Found records in the ledger current members whom a mapped group justifies, under one audit entry for each team. Of rows that are there
// it changes the mappings only: who was granted stays granted. Even when there is nothing to record, it is told here where the teams of
// the run's target live, which Intent relies on.
func (s *Store) Found(ctx context.Context, run string, place team.Place, entries mapping.Ledger) error {
	if err := s.placeRun(ctx, run, place); err != nil {
		return err
	}
	if len(entries) == 0 {
		return nil
	}
	teams := slices.Collect(maps.Keys(entries))
	// Most runs find nothing new. Then there is nothing to lock.
	before, err := ledgerOfTeams(ctx, s.queries, place, teams)
	if err != nil {
		return fmt.Errorf("read ledger: %w", err)
	}
	if len(news(before, entries, time.Time{})) == 0 {
		return nil
	}
	return s.write(ctx, "record found members", func(t *tx) error {
		if err := t.hold(ctx); err != nil {
			return err
		}
		before, err := ledgerOfTeams(ctx, t.Queries, place, teams)
		if err != nil {
			return err
		}
		rows := news(before, entries, s.now())
		seqs, err := t.recordTeams(ctx, KindFound, run, rows)
		if err != nil {
			return err
		}
		return t.putLedger(ctx, place, rows, seqs)
	})
}

// news returns the entries that the ledger does not hold, since now unless they say otherwise, and the rows of it whose mappings are others now.
func news(before, entries mapping.Ledger, now time.Time) mapping.Ledger {
	rows := mapping.Ledger{}
	for id, of := range entries {
		for _, e := range of {
			row, there := before.Row(id, e.Account)
			switch {
			case !there:
				if e.Since.IsZero() {
					e.Since = now
				}
				rows[id] = append(rows[id], e)
			case !slices.Equal(row.Mappings, e.Mappings):
				row.Mappings = e.Mappings
				rows[id] = append(rows[id], row)
			}
		}
	}
	return rows
}

// Forget takes rows out of the ledger, under one audit entry for each team.
func (s *Store) Forget(ctx context.Context, run string, place team.Place, entries mapping.Ledger) error {
	if len(entries) == 0 {
		return nil
	}
	return s.write(ctx, "forget members", func(t *tx) error {
		if err := t.hold(ctx); err != nil {
			return err
		}
		before, err := ledgerOfTeams(ctx, t.Queries, place, slices.Collect(maps.Keys(entries)))
		if err != nil {
			return err
		}
		gone := mapping.Ledger{}
		for id, of := range entries {
			for _, e := range of {
				if row, there := before.Row(id, e.Account); there {
					gone[id] = append(gone[id], row)
				}
			}
		}
		if _, err := t.recordTeams(ctx, KindForget, run, gone); err != nil {
			return err
		}
		rows := rowsOf(gone)
		return t.remove(ctx, ledger, len(rows), func(i int) []any {
			return []any{place.Host, place.OrganizationID, string(rows[i].team), string(rows[i].Account)}
		})
	})
}

// Restore puts rows back into the ledger exactly as they were, as undo does, under one audit entry for each team.
func (s *Store) Restore(ctx context.Context, run string, place team.Place, entries mapping.Ledger) error {
	if len(entries) == 0 {
		return nil
	}
	return s.write(ctx, "restore ledger", func(t *tx) error {
		if err := t.hold(ctx); err != nil {
			return err
		}
		seqs, err := t.recordTeams(ctx, KindRestore, run, entries)
		if err != nil {
			return err
		}
		return t.putLedger(ctx, place, entries, seqs)
	})
}

// recordTeams leaves one audit entry for each team that names its accounts, and returns their numbers.
func (t *tx) recordTeams(ctx context.Context, kind Kind, run string, entries mapping.Ledger) (map[team.ID]int64, error) {
	if len(entries) == 0 {
		return nil, nil
	}
	r, err := t.GetRun(ctx, run)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	teams := slices.Sorted(maps.Keys(entries))
	notes := make([]note, len(teams))
	for i, id := range teams {
		accounts := make([]accountBody, len(entries[id]))
		for j, e := range entries[id] {
			accounts[j] = accountBody{string(e.Account), bodyOf(e)}
		}
		notes[i] = note{
			kind: kind, run: run, target: r.Target, team: string(id), body: map[string]any{"accounts": accounts},
			actor: audit.Actor{Credential: r.Credential, Trigger: r.Cause, Requester: r.Requester},
		}
	}
	first, err := t.record(ctx, notes...)
	if err != nil {
		return nil, err
	}
	seqs := make(map[team.ID]int64, len(teams))
	for i, id := range teams {
		seqs[id] = first + int64(i)
	}
	return seqs, nil
}

// Connected returns the teams whose first connection has ended, and when.
func (s *Store) Connected(ctx context.Context, place team.Place) (map[team.ID]time.Time, error) {
	rows, err := s.queries.GetConnected(ctx, db.GetConnectedParams{Host: place.Host, OrganizationID: place.OrganizationID})
	if err != nil {
		return nil, fmt.Errorf("read connected teams: %w", err)
	}
	connected := make(map[team.ID]time.Time, len(rows))
	for _, r := range rows {
		connected[team.ID(r.Team)] = moment(r.At)
	}
	return connected, nil
}

// SaveConnected ends the first connection of teams. One that has ended stays ended at its time.
func (s *Store) SaveConnected(ctx context.Context, place team.Place, teams []team.ID, at time.Time) error {
	if len(teams) == 0 {
		return nil
	}
	return s.write(ctx, "save connected teams", func(t *tx) error {
		for _, id := range teams {
			if err := t.PutConnected(ctx, db.PutConnectedParams{
				Host: place.Host, OrganizationID: place.OrganizationID, Team: string(id), At: micros(at),
			}); err != nil {
				return err
			}
		}
		return nil
	})
}

// Absences returns for how many complete reads in a row somebody was no longer justified, and when the last of these reads was made.
func (s *Store) Absences(ctx context.Context, place team.Place) (absences mapping.Absences, read time.Time, err error) {
	rows, err := s.queries.GetAbsences(ctx, db.GetAbsencesParams{Host: place.Host, OrganizationID: place.OrganizationID})
	if err != nil {
		return nil, read, fmt.Errorf("read absences: %w", err)
	}
	absences = mapping.Absences{}
	for _, r := range rows {
		id := team.ID(r.Team)
		if absences[id] == nil {
			absences[id] = map[team.AccountID]int{}
		}
		absences[id][team.AccountID(r.Account)] = int(r.ReadsN)
		read = moment(r.ReadAt)
	}
	return absences, read, nil
}

var absences = table{name: "absences", columns: []string{"host", "organization_id", "team", "account", "reads_n", "read_at"}}

// SaveAbsences replaces the absences of an organization, which now count a read of that moment.
func (s *Store) SaveAbsences(ctx context.Context, place team.Place, a mapping.Absences, read time.Time) error {
	type absence struct {
		team    team.ID
		account team.AccountID
		reads   int
	}
	var rows []absence
	for id, accounts := range a {
		for account, reads := range accounts {
			rows = append(rows, absence{id, account, reads})
		}
	}
	return s.write(ctx, "save absences", func(t *tx) error {
		if err := t.DeleteAbsences(ctx, db.DeleteAbsencesParams{Host: place.Host, OrganizationID: place.OrganizationID}); err != nil {
			return err
		}
		return t.put(ctx, absences, len(rows), func(i int) []any {
			return []any{place.Host, place.OrganizationID, string(rows[i].team), string(rows[i].account), int64(rows[i].reads), micros(read)}
		})
	})
}
