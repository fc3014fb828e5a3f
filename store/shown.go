package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"musterline.example/guard"
	"musterline.example/plan"
	"musterline.example/store/internal/db"
)

// A ShownPlan is a plan that was made for people to look at, by no run.
type ShownPlan struct {
	Undoes     string // the run whose undoing it is; empty for the plan of a sync
	At         time.Time
	By         string // who wanted to see it
	Plan       *plan.Plan
	Objections []guard.Objection
	Beside     json.RawMessage // what else a reader must know, in the words of whoever keeps it
}

// shownLife is how long a plan is kept that nobody has made anew. The world has long moved on by then.
const shownLife = 24 * time.Hour

// shownBody is how a shown plan is stored.
type shownBody struct {
	Plan       *plan.Plan
	Objections []guard.Objection
	Beside     json.RawMessage
}

// SaveShownPlan keeps a plan for those who turn its pages. It takes the place of the one before; those older than a day go.
func (s *Store) SaveShownPlan(ctx context.Context, p ShownPlan) error {
	body, err := pack(shownBody{p.Plan, p.Objections, p.Beside})
	if err != nil {
		return fmt.Errorf("keep a plan to be shown: %w", err)
	}
	if p.At.IsZero() {
		p.At = s.now()
	}
	return s.write(ctx, "keep a plan to be shown", func(t *tx) error {
		if err := t.TidyShownPlans(ctx, micros(p.At.Add(-shownLife))); err != nil {
			return err
		}
		return t.PutShownPlan(ctx, db.PutShownPlanParams{
			Target: p.Plan.Target, Undoes: p.Undoes, At: micros(p.At), Digest: p.Plan.Digest, MadeBy: p.By, Body: body,
		})
	})
}

// ShownPlan returns the plan of a target, or of undoing one of its runs, that was last made for people to look at; ErrNotFound when there is
// none.
func (s *Store) ShownPlan(ctx context.Context, target, undoes string) (ShownPlan, error) {
	row, err := s.queries.GetShownPlan(ctx, db.GetShownPlanParams{Target: target, Undoes: undoes})
	if errors.Is(err, sql.ErrNoRows) {
		return ShownPlan{}, fmt.Errorf("shown plan of target %s: %w", target, ErrNotFound)
	}
	var body shownBody
	if err == nil {
		err = unpack(row.Body, &body)
	}
	if err != nil {
		return ShownPlan{}, fmt.Errorf("read the shown plan of target %s: %w", target, err)
	}
	return ShownPlan{row.Undoes, moment(row.At), row.MadeBy, body.Plan, body.Objections, body.Beside}, nil
}

// A PlanMark tells the last plan of a target from the one before it.
type PlanMark struct {
	Run    string
	At     time.Time
	Digest string
}

// PlanMark returns the mark of the last plan that a run of a target has made; ErrNotFound when there never was one.
func (s *Store) PlanMark(ctx context.Context, target string) (PlanMark, error) {
	row, err := s.queries.GetPlanMark(ctx, target)
	if errors.Is(err, sql.ErrNoRows) {
		return PlanMark{}, fmt.Errorf("plan of target %s: %w", target, ErrNotFound)
	}
	if err != nil {
		return PlanMark{}, fmt.Errorf("read the mark of the plan of target %s: %w", target, err)
	}
	return PlanMark{row.Run, moment(row.At), row.Digest}, nil
}
