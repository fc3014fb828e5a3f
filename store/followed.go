package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"musterline.example/audit"
	"musterline.example/team"
)

// A WritePlace is a place among the writes of a run, in the order in which they were intended: after the first so many. The zero value is
// before all. One that WritesAfter has given out is found again at once, however many there are.
type WritePlace struct {
	N int

	intent, number int64 // of the last write before it; zero while only the count is known
}

// A PlacedWrite is a write with the place after it.
type PlacedWrite struct {
	Write

	Place WritePlace
}

// WritesAfter returns the writes of a run after a place: at most limit. Their actors and sources are left out.
func (s *Store) WritesAfter(ctx context.Context, run string, after WritePlace, limit int) ([]PlacedWrite, error) {
	if after.N > 0 && after.intent == 0 {
		err := s.reads.QueryRowContext(ctx, `SELECT i.number, w.number FROM intents i JOIN writes w ON w.intent = i.id WHERE i.run = $1
			ORDER BY i.number, w.number LIMIT 1 OFFSET $2`, run, after.N-1).Scan(&after.intent, &after.number)
		if errors.Is(err, sql.ErrNoRows) {
			return nil, nil // there are not so many yet
		}
		if err != nil {
			return nil, fmt.Errorf("read writes of run %s: %w", run, err)
		}
	}
	rows, err := s.reads.QueryContext(ctx, `SELECT i.id, i.number, i.target, i.team, i.slug, w.number, w.body, w.result, w.outcome
		FROM intents i JOIN writes w ON w.intent = i.id WHERE i.run = $1 AND i.number >= $2 AND (i.number > $2 OR w.number > $3 OR $2 = 0)
		ORDER BY i.number, w.number LIMIT $4`, run, after.intent, after.number, limit)
	if err != nil {
		return nil, fmt.Errorf("read writes of run %s: %w", run, err)
	}
	defer func() { _ = rows.Close() }()
	var all []PlacedWrite
	for rows.Next() {
		var w PlacedWrite
		var id, body, result, outcome string
		if err := rows.Scan(&w.Intent, &after.intent, &w.Target, &id, &w.Slug, &after.number, &body, &result, &outcome); err != nil {
			return nil, fmt.Errorf("read writes of run %s: %w", run, err)
		}
		err := json.Unmarshal([]byte(body), &w.Write.Write)
		if err == nil && outcome != "" {
			err = json.Unmarshal([]byte(outcome), &w.Outcome)
		}
		if err != nil {
			return nil, fmt.Errorf("read intent %s: %w", w.Intent, err)
		}
		after.N++
		w.Team, w.Outcome.Result, w.Place = team.ID(id), audit.Result(result), after
		all = append(all, w)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read writes of run %s: %w", run, err)
	}
	return all, nil
}
