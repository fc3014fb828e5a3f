package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"musterline.example/reconcile"
	"musterline.example/store/internal/db"
	"musterline.example/team"
)

// AddRequest keeps somebody's wish for a sync until a run takes it, and returns its id.
func (s *Store) AddRequest(ctx context.Context, r reconcile.Request) (id string, err error) {
	if r.AskedAt.IsZero() {
		r.AskedAt = s.now()
	}
	// Not a number of a counter: those who ask at once would have to wait for each other.
	random := make([]byte, 12)
	if _, err := rand.Read(random); err != nil {
		return "", err
	}
	id = hex.EncodeToString(random)
	return id, s.write(ctx, "add request", func(t *tx) error {
		return t.PutRequest(ctx, db.PutRequestParams{
			ID: id, Target: r.Target, Teams: list(r.Teams), Account: string(r.Account), Cause: r.Trigger, Asker: r.Asker, Why: r.Why,
			AskedAt: micros(r.AskedAt),
		})
	})
}

// Requests returns the requests that no run has taken, the oldest first.
func (s *Store) Requests(ctx context.Context, target string) ([]reconcile.Request, error) {
	return requestsOf(ctx, s.queries, target, "")
}

// requestsOf returns the requests that a run has taken, or those that wait.
func requestsOf(ctx context.Context, q *db.Queries, target, run string) ([]reconcile.Request, error) {
	rows, err := q.GetRequests(ctx, db.GetRequestsParams{Target: target, Run: run})
	if err != nil {
		return nil, fmt.Errorf("read requests: %w", err)
	}
	var requests []reconcile.Request
	for _, r := range rows {
		var teams []team.ID
		if err := json.Unmarshal([]byte(r.Teams), &teams); err != nil {
			return nil, fmt.Errorf("read requests: %w", err)
		}
		if len(teams) == 0 {
			teams = nil
		}
		requests = append(requests, reconcile.Request{
			ID: r.ID, Target: r.Target, Teams: teams, Account: team.AccountID(r.Account), Trigger: r.Cause, Asker: r.Asker, Why: r.Why,
			AskedAt: moment(r.AskedAt),
		})
	}
	return requests, nil
}
