package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"musterline.example/apply"
	"musterline.example/cmd/musterline/view"
	"musterline.example/guard"
	"musterline.example/reconcile"
	"musterline.example/store"
)

func (c *cli) undoCommand() *cobra.Command {
	var yes bool
	var by string
	command := &cobra.Command{
		Use:   "undo RUN",
		Short: "Take back what a run has changed, and pause the target",
		Long: `Plans the inverse of what a run has written and is still in place, shows it,
asks, passes the guards and applies it. The target is paused first, because the
next sync would do the same again: put right what was wrong, then resume.

What guards object to stays until musterline approve TARGET --undo RUN; then
undo the run again.`,
		Example: `  musterline status          shows the last run of each target
  musterline undo 17`,
		Args: arguments(1, 1, "a run"),
		RunE: func(command *cobra.Command, args []string) error {
			if !yes && !c.asks() {
				return c.confirm(yes, "")
			}
			h, err := c.hold(command.Context(), "undo")
			if err != nil {
				return err
			}
			defer h.close()
			run, err := h.run(command.Context(), args[0])
			if err != nil {
				return err
			}
			names, err := h.targets([]string{run.Target})
			if err != nil {
				return err
			}
			if err := h.open(command.Context(), "person", names); err != nil {
				return err
			}
			return h.undo(command.Context(), run, yes, c.person(by))
		},
	}
	command.Flags().BoolVar(&yes, "yes", false, "do not ask")
	byFlag(command, &by)
	return command
}

// run finds a run by its number.
func (h *house) run(ctx context.Context, id string) (store.Run, error) {
	run, err := h.store.Run(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return run, usagef("there is no run %q", id).hint("musterline status shows the last run of each target, musterline audit the others")
	}
	return run, err
}

func (h *house) undo(ctx context.Context, run store.Run, yes bool, by string) error {
	s := h.cli.screen()
	decision, err := reconcile.PlanUndo(ctx, h.deps, run.Target, run.ID)
	if errors.Is(err, reconcile.ErrNothingToUndo) {
		s.Para(0, "Run %s of %s: %s.", run.ID, run.Target, err)
		return nil
	}
	if err != nil {
		return err
	}
	shown := h.view(ctx, decision)
	shown.Objections, shown.Undo = answered(decision.Objections), run.ID
	shown.Text(s)
	n := free(decision.Plan, shown.Objections)
	if n == 0 {
		return nil
	}
	s.Blank()
	if err := h.cli.confirm(yes, fmt.Sprintf("Take back run %s by %s, and pause %s?", run.ID, these(n), run.Target)); err != nil {
		return err
	}
	progress := &view.Progress{Screen: s, Total: n, Align: view.SlugWidth(decision.Plan), Now: h.cli.now}
	done := result{view.Done{Target: run.Target, Began: h.cli.now(), Plan: shown}}
	progress.Begin()
	report, err := reconcile.Undo(ctx, h.deps, run.Target, run.ID, reconcile.Budget{
		Run: reconcile.Run{Requester: by}, Answered: true,
		Progress: func(w apply.Written) {
			done.Count(w)
			progress.Wrote(w)
		},
	})
	progress.End()
	done.Run, done.State, done.Failed, done.Ended = report.Run, report.State, len(progress.Failures), h.cli.now()
	done.Objected, done.Skipped = guard.Count(shown.Objections), report.Skipped
	done.Text(s)
	if err := firstError(err, done.err()); err != nil {
		return err
	}
	s.Para(0, "%s is paused, so that the next sync does not do the same again. Put right what was wrong, look at musterline plan %s, then: musterline resume %s",
		run.Target, view.Quote(run.Target), view.Quote(run.Target))
	return nil
}
