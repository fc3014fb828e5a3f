package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"musterline.example/reconcile"
	"musterline.example/team"
)

// A KeptRequest is a request with the run that took it.
type KeptRequest struct {
	reconcile.Request
	Run string // empty while none has
}

// Request returns a request, whether a run has taken it or not; ErrNotFound when there is none.
func (s *Store) Request(ctx context.Context, id string) (KeptRequest, error) {
	r, err := s.queries.GetRequest(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return KeptRequest{}, fmt.Errorf("request: %w", ErrNotFound)
	}
	if err != nil {
		return KeptRequest{}, fmt.Errorf("read request: %w", err)
	}
	var teams []team.ID
	if err := json.Unmarshal([]byte(r.Teams), &teams); err != nil {
		return KeptRequest{}, fmt.Errorf("read request: %w", err)
	}
	if len(teams) == 0 {
		teams = nil
	}
	return KeptRequest{Request: reconcile.Request{
		ID: r.ID, Target: r.Target, Teams: teams, Account: team.AccountID(r.Account), Trigger: r.Cause, Asker: r.Asker, Why: r.Why,
		AskedAt: moment(r.AskedAt), DueAt: moment(r.DueAt),
	}, Run: r.Run}, nil
}
