package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"musterline.example/guard"
	"musterline.example/plan"
	"musterline.example/store/internal/db"
)

// A Plan is the last plan of a target and what guards said of it.
type Plan struct {
	Run        string
	At         time.Time
	Plan       *plan.Plan
	Objections []guard.Objection
}

// planBody is how a plan is stored.
type planBody struct {
	Plan       *plan.Plan
	Objections []guard.Objection
}

// SavePlan keeps a plan as the last of its target.
func (s *Store) SavePlan(ctx context.Context, run string, p *plan.Plan, objections []guard.Objection) error {
	body, err := pack(planBody{p, objections})
	if err != nil {
		return fmt.Errorf("save plan: %w", err)
	}
	return s.write(ctx, "save plan", func(t *tx) error {
		return t.PutPlan(ctx, db.PutPlanParams{Target: p.Target, Run: run, At: micros(s.now()), Digest: p.Digest, Body: body})
	})
}

// LastPlan returns the last plan of a target; ErrNotFound when there never was one.
func (s *Store) LastPlan(ctx context.Context, target string) (Plan, error) {
	row, err := s.queries.GetPlan(ctx, target)
	if errors.Is(err, sql.ErrNoRows) {
		return Plan{}, fmt.Errorf("plan of target %s: %w", target, ErrNotFound)
	}
	if err != nil {
		return Plan{}, fmt.Errorf("read plan of target %s: %w", target, err)
	}
	var body planBody
	if err := unpack(row.Body, &body); err != nil {
		return Plan{}, fmt.Errorf("read plan of target %s: %w", target, err)
	}
	return Plan{Run: row.Run, At: moment(row.At), Plan: body.Plan, Objections: body.Objections}, nil
}
