package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"musterline.example/answer"
	"musterline.example/cmd/musterline/view"
	"musterline.example/guard"
	"musterline.example/internal/words"
)

func (c *cli) syncCommand() *cobra.Command {
	var detailed, asJSON bool
	var by string
	command := &cobra.Command{
		Use:   "sync [TARGET…]",
		Short: "Plan and carry out what no guard objects to, without questions",
		Long: `Plans, asks the guards, and carries out what none of them objects to. It asks
nothing and says little: a line for each team that it changes and one for each
target, so that it can run from cron or a systemd timer.

Exit code 0 says that everything unobjected was done, or is only to be shown
(apply: off); 1 that something failed: a source that could not be read, a target
that could not be reached or is paused, a write that was refused. The others are
done all the same.`,
		Example: `  musterline sync
  musterline sync octo --detailed-exitcode      3 when objections remain
  musterline sync --config /etc/musterline/musterline.yaml      for cron`,
		Args:              arguments(0, -1, ""),
		ValidArgsFunction: c.completeTargets,
		RunE: func(command *cobra.Command, args []string) error {
			d, err := c.hold(command.Context(), "sync")
			if err != nil {
				return err
			}
			defer d.close()
			names, err := d.targets(command.Context(), args)
			if err != nil {
				return err
			}
			return c.sync(command.Context(), d, names, detailed, asJSON, c.person(by))
		},
	}
	command.Flags().BoolVar(&detailed, "detailed-exitcode", false, "exit with 3 when objections remain")
	jsonFlag(command, &asJSON)
	byFlag(command, &by)
	return command
}

// sync does the targets one after the other. What goes wrong with one stops no other.
func (c *cli) sync(ctx context.Context, d desk, names []string, detailed, asJSON bool, by string) error {
	var failed []error
	s, all := c.page(asJSON), answer.Synced{Format: answer.Format, Targets: []answer.Done{}}
	for _, name := range names {
		done, err := c.watch(ctx, s, 0, func(tell func(answer.Progress)) (answer.Done, error) {
			return d.Sync(ctx, answer.SyncWish{Target: name, Trigger: c.trigger(), By: by}, tell)
		})
		if err == nil {
			err = c.outcome(done)
		}
		all.Targets = append(all.Targets, done.Form())
		if !asJSON && done.Words().Paused == nil {
			view.Done(s, done)
		}
		if err != nil {
			failed = append(failed, err)
		}
		if done.Objected > 0 && detailed {
			c.code = exitObjected
		}
		if ctx.Err() != nil {
			break
		}
	}
	if asJSON {
		_ = view.WriteJSON(c.stdout, all)
	}
	return errors.Join(failed...)
}

// outcome is what makes a run that went through a failed one all the same. A timer must not take a pause for work that was done.
func (c *cli) outcome(done answer.Done) error {
	paused := done.Words().Paused
	if paused == nil {
		return done.Err()
	}
	return answer.Errorf(answer.Halted, "%s is paused %s; nothing was done", done.Target, view.Paused(*paused, c.now())).
		WithHint("to let it run again: musterline resume " + words.Quote(done.Target))
}

// trigger is what sets a sync off: a person where there is a terminal, else a schedule.
func (c *cli) trigger() string {
	if c.asks() {
		return "person"
	}
	return "schedule"
}

// watch shows the writes of a run as they happen. total is how many the reader was told of; 0 when nobody was told, and then the plan tells.
func (c *cli) watch(ctx context.Context, s view.Screen, total int, run func(tell func(answer.Progress)) (answer.Done, error)) (answer.Done, error) {
	quiet := context.AfterFunc(ctx, func() {
		fmt.Fprintln(c.stderr, "\nStopping after the write in hand; Ctrl-C again stops at once.")
	})
	defer quiet()
	progress := &view.Progress{Screen: s, Total: total, Now: c.now}
	began := false
	done, err := run(func(p answer.Progress) {
		switch {
		case p.Write != nil:
			progress.Wrote(*p.Write)
		case p.Plan != nil && !began && p.Plan.Free() > 0 && p.Plan.Setting().Apply != guard.ApplyOff:
			progress.Total, progress.Align = cmp.Or(total, p.Plan.Free()), view.SlugWidth(*p.Plan)
			progress.Begin()
			began = true
		}
	})
	progress.End()
	return done, err
}
