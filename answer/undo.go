package answer

import (
	"context"
	"errors"
	"strings"

	"musterline.example/reconcile"
)

// An UndoWish asks to take back what a run has changed.
type UndoWish struct {
	Run string `json:"run"`
	By  string `json:"by,omitempty"`

	// Digest is that of the plan that was shown: exactly those changes are made, or none because the world has moved since.
	Digest string `json:"digest,omitempty"`

	Reason string `json:"reason,omitempty"` // why; the pause that is left says it, and so does the audit record

	Begun func(run string) `json:"-"` // told of the run before it writes anything; may be nil
}

// Undo takes a run back, past the guards, and pauses its target: the next sync would do the same again. It ends after the write in hand when
// its own run is cancelled, or somebody else pauses the target.
func (h *House) Undo(ctx context.Context, wish UndoWish, tell func(Progress)) (Done, error) {
	if err := h.writes(); err != nil {
		return Done{}, err
	}
	run, err := h.run(ctx, wish.Run)
	if err != nil {
		return Done{}, err
	}
	t := h.tally(run.Target, true, tell) // to undo is a person's wish, which answers the guard approval
	t.done.Undoes = run.ID
	d, err := h.Deps(ctx, Person, run.Target)
	if err != nil {
		return t.done, err
	}
	listen, tellBegun := &listener{house: h}, begun(wish.Begun)
	report, err := reconcile.Undo(ctx, d, run.Target, run.ID, reconcile.Budget{
		Run: reconcile.Run{Requester: wish.By, Why: strings.Join(strings.Fields(wish.Reason), " ")}, Answered: true, Digest: wish.Digest, Progress: t.wrote,
		Planned: func(d *reconcile.Decision) { t.planned(ctx, d) }, Call: listen.call,
		Begun: func(r reconcile.Run) {
			listen.run = r
			tellBegun(r)
		},
	})
	t.slice(report)
	switch {
	case errors.Is(err, reconcile.ErrMoved):
		err = Errorf(Conflict, "run %s of %s: %w", run.ID, run.Target, err).WithHint("look at it again: musterline undo " + run.ID)
	case err != nil:
		err = t.failed(err)
	case report.State == "cancelled":
		err = t.cancelled(report.Error)
	}
	return t.end(), err
}
