package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"musterline.example/audit"
	"musterline.example/plan"
	"musterline.example/reconcile"
	"musterline.example/store/internal/db"
	"musterline.example/team"
)

// A RunFilter chooses runs: those that fit everything that is set. Its zero value chooses all.
type RunFilter struct {
	Targets []string // nil is no bound; of an empty list there are none
	State   string   // how it ended, or Running
	Trigger string
	Before  string // only older ones than this run
	Limit   int    // 20 when 0
}

// Running is the state of runs that are open, for a filter.
const Running = "running"

// RunsOf lists runs, the newest first. ErrNotFound is about the run to go on before.
func (s *Store) RunsOf(ctx context.Context, f RunFilter) ([]Run, error) {
	var (
		conditions []string
		values     []any
	)
	value := func(v any) string {
		values = append(values, v)
		return fmt.Sprintf("$%d", len(values))
	}
	if f.Targets != nil {
		names := []string{"NULL"} // which nothing is in
		for _, target := range f.Targets {
			names = append(names, value(target))
		}
		conditions = append(conditions, "target IN ("+strings.Join(names, ", ")+")")
	}
	switch f.State {
	case "":
	case Running:
		conditions = append(conditions, "finished_at = 0")
	default:
		conditions = append(conditions, "finished_at > 0 AND state = "+value(f.State))
	}
	if f.Trigger != "" {
		conditions = append(conditions, "cause = "+value(f.Trigger))
	}
	if f.Before != "" {
		r, err := s.run(ctx, f.Before)
		if err != nil {
			return nil, err
		}
		conditions = append(conditions, "number < "+value(r.Number))
	}
	query := "SELECT id, number, target, cause, requester, credential, undoes, started_at, finished_at, state, report, cancelled_by, calls, cost FROM runs"
	if len(conditions) > 0 {
		query += " WHERE " + strings.Join(conditions, " AND ")
	}
	if f.Limit == 0 {
		f.Limit = 20
	}
	rows, err := s.reads.QueryContext(ctx, query+fmt.Sprintf(" ORDER BY number DESC LIMIT %d", f.Limit), values...)
	if err != nil {
		return nil, fmt.Errorf("read runs: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var runs []Run
	for rows.Next() {
		var r db.GetOpenRunRow
		if err := rows.Scan(&r.ID, &r.Number, &r.Target, &r.Cause, &r.Requester, &r.Credential, &r.Undoes, &r.StartedAt, &r.FinishedAt, &r.State,
			&r.Report, &r.CancelledBy, &r.Calls, &r.Cost); err != nil {
			return nil, fmt.Errorf("read runs: %w", err)
		}
		run, err := endedRun(r)
		if err != nil {
			return nil, err
		}
		runs = append(runs, run)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read runs: %w", err)
	}
	return runs, nil
}

// WritesFrom returns writes of a run in the order in which they were intended: at most limit, after the first so many.
func (s *Store) WritesFrom(ctx context.Context, run string, after, limit int) ([]Write, error) {
	rows, err := s.queries.WritesOfRun(ctx, db.WritesOfRunParams{Run: run, After: int32(after), N: int32(limit)})
	if err != nil {
		return nil, fmt.Errorf("read writes of run %s: %w", run, err)
	}
	all := make([]Write, 0, len(rows))
	for _, r := range rows {
		w := Write{Intent: r.Intent, Target: r.Target, Team: team.ID(r.Team), Slug: r.Slug}
		err := json.Unmarshal([]byte(r.Body), &w.Write)
		if err == nil && r.Outcome != "" {
			err = json.Unmarshal([]byte(r.Outcome), &w.Outcome)
		}
		if err != nil {
			return nil, fmt.Errorf("read intent %s: %w", r.Intent, err)
		}
		w.Outcome.Result = audit.Result(r.Result)
		all = append(all, w)
	}
	return all, nil
}

// CountWrites says how many writes of a run ended in what way; those that are open have the empty result.
func (s *Store) CountWrites(ctx context.Context, run string) (map[audit.Result]int, error) {
	rows, err := s.queries.CountWritesOfRun(ctx, run)
	if err != nil {
		return nil, fmt.Errorf("count writes of run %s: %w", run, err)
	}
	count := make(map[audit.Result]int)
	for _, r := range rows {
		count[audit.Result(r.Result)] = int(r.N)
	}
	return count, nil
}

// A WriteKey names a write within a run.
type WriteKey struct {
	Team    team.ID
	Slug    string // of a team that was to be created
	Account team.AccountID
	Act     plan.Act
}

// Results says how the writes of a run ended: empty of one that is open. Each is there under the team's id and under its slug.
func (s *Store) Results(ctx context.Context, run string) (map[WriteKey]audit.Result, error) {
	rows, err := s.queries.ResultsOfRun(ctx, run)
	if err != nil {
		return nil, fmt.Errorf("read results of run %s: %w", run, err)
	}
	results := make(map[WriteKey]audit.Result, 2*len(rows))
	for _, r := range rows {
		account, act, result := team.AccountID(r.Account), plan.Act(r.Act), audit.Result(r.Result)
		results[WriteKey{Team: team.ID(r.Team), Account: account, Act: act}] = result
		results[WriteKey{Slug: r.Slug, Account: account, Act: act}] = result
	}
	return results, nil
}

// UndoneBy returns the last run that has taken a run back; empty when none has.
func (s *Store) UndoneBy(ctx context.Context, target, run string) (string, error) {
	number, err := s.queries.UndoneBy(ctx, db.UndoneByParams{Target: target, Undoes: run})
	if err != nil || number == 0 {
		return "", err
	}
	id, err := s.queries.RunOfNumber(ctx, number)
	if err != nil {
		return "", fmt.Errorf("read who has undone run %s: %w", run, err)
	}
	return id, nil
}

// Wishes returns the requests that a run has taken, the oldest first. They are forgotten some time after it.
func (s *Store) Wishes(ctx context.Context, run string) ([]reconcile.Request, error) {
	rows, err := s.queries.RequestsOfRun(ctx, run)
	if err != nil {
		return nil, fmt.Errorf("read the requests of run %s: %w", run, err)
	}
	wishes := make([]reconcile.Request, 0, len(rows))
	for _, r := range rows {
		wishes = append(wishes, reconcile.Request{ID: r.ID, Asker: r.Asker, Why: r.Why, Trigger: r.Cause, AskedAt: moment(r.AskedAt)})
	}
	return wishes, nil
}
