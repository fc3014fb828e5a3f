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

// AddRequest keeps somebody's wish for a sync until a run takes it, and returns its id. With it comes the job that does it, where a server
// has one.
func (s *Store) AddRequest(ctx context.Context, r reconcile.Request) (id string, err error) {
	err = s.write(ctx, "add request", func(t *tx) error {
		ids, err := t.ask(ctx, r)
		if err == nil {
			id = ids[0]
		}
		return err
	})
	return id, err
}

// ask adds requests, and tells the job queue of those that are due.
func (t *tx) ask(ctx context.Context, requests ...reconcile.Request) (ids []string, err error) {
	var due []reconcile.Request
	for _, r := range requests {
		if r.AskedAt.IsZero() {
			r.AskedAt = t.s.now()
		}
		// Not a number of a counter: those who ask at once would have to wait for each other.
		random := make([]byte, 12)
		if _, err := rand.Read(random); err != nil {
			return nil, err
		}
		r.ID = hex.EncodeToString(random)
		if err := t.PutRequest(ctx, db.PutRequestParams{
			ID: r.ID, Target: r.Target, Teams: list(r.Teams), Account: string(r.Account), Cause: r.Trigger, Asker: r.Asker, Why: r.Why,
			AskedAt: micros(r.AskedAt), DueAt: micros(r.DueAt),
		}); err != nil {
			return nil, err
		}
		if ids = append(ids, r.ID); !r.DueAt.After(t.s.now()) {
			due = append(due, r)
		}
	}
	if t.s.asked == nil || len(due) == 0 {
		return ids, nil
	}
	return ids, t.s.asked(ctx, t.own, due)
}

// Requests returns the requests that no run has taken, the oldest first. Some may not be due yet.
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
			AskedAt: moment(r.AskedAt), DueAt: moment(r.DueAt),
		})
	}
	return requests, nil
}
