package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"musterline.example/answer"
	"musterline.example/cmd/musterline/view"
	"musterline.example/internal/words"
	"musterline.example/reconcile"
)

func (c *cli) undoCommand() *cobra.Command {
	var yes, asJSON bool
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
			if err := c.canAsk(yes); err != nil {
				return err
			}
			d, err := c.hold(command.Context(), "undo")
			if err != nil {
				return err
			}
			defer d.close()
			done, err := c.undo(command.Context(), d, args[0], yes, asJSON, c.person(by))
			if err != nil || !asJSON {
				return err
			}
			return view.WriteJSON(c.stdout, answer.Synced{Format: answer.Format, Targets: []answer.Done{done.Form()}})
		},
	}
	command.Flags().BoolVar(&yes, "yes", false, "do not ask")
	byFlag(command, &by)
	jsonFlag(command, &asJSON)
	return command
}

// undo shows what taking back a run would change, asks, and does it.
func (c *cli) undo(ctx context.Context, d desk, run string, yes, asJSON bool, by string) (answer.Done, error) {
	p, err := d.PlanUndo(ctx, run)
	if err != nil {
		return answer.Done{}, err
	}
	s, target := c.page(asJSON), p.Target
	if p.Empty() {
		s.Para(0, "Run %s of %s: %s.", run, target, reconcile.ErrNothingToUndo)
		return answer.NothingDone(p), nil
	}
	view.Plan{Plan: p, Now: c.now()}.Text(s)
	n := p.Free()
	if n == 0 {
		return answer.NothingDone(p), nil
	}
	s.Blank()
	if err := c.confirm(s, yes, fmt.Sprintf("Take back run %s by %s, and pause %s?", run, these(n), target)); err != nil {
		return answer.Done{}, err
	}
	done, err := c.watch(ctx, s, n, func(tell func(answer.Progress)) (answer.Done, error) {
		return d.Undo(ctx, answer.UndoWish{Run: run, By: by, Digest: p.Digest}, tell)
	})
	view.Done(s, done)
	if err = cmp.Or(err, done.Err()); err != nil {
		return done, err
	}
	s.Para(0, "%s is paused, so that the next sync does not do the same again. Put right what was wrong, look at musterline plan %s, then: musterline resume %s",
		target, words.Quote(target), words.Quote(target))
	return done, nil
}
