package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"musterline.example/apply"
	"musterline.example/cmd/musterline/view"
	"musterline.example/guard"
	"musterline.example/reconcile"
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

Exit code 0 says that everything unobjected was done, 1 that something failed: a
source that could not be read, a target that could not be reached, a write that
was refused. The others are done all the same.`,
		Example: `  musterline sync
  musterline sync octo --detailed-exitcode      3 when objections remain
  musterline sync --config /etc/musterline/musterline.yaml      for cron`,
		Args:              arguments(0, -1, ""),
		ValidArgsFunction: c.completeTargets,
		RunE: func(command *cobra.Command, args []string) error {
			h, err := c.hold(command.Context(), "sync")
			if err != nil {
				return err
			}
			defer h.close()
			names, err := h.targets(args)
			if err != nil {
				return err
			}
			if err := h.open(command.Context(), "schedule", names); err != nil {
				return err
			}
			return c.sync(command.Context(), h, names, detailed, asJSON, c.person(by))
		},
	}
	command.Flags().BoolVar(&detailed, "detailed-exitcode", false, "exit with 3 when objections remain")
	jsonFlag(command, &asJSON)
	byFlag(command, &by)
	return command
}

// sync does the targets one after the other. What goes wrong with one stops no other.
func (c *cli) sync(ctx context.Context, h *house, names []string, detailed, asJSON bool, by string) error {
	var failed []error
	s, all := c.screen(), view.Synced{Format: view.Format, Targets: []view.JSONDone{}}
	if asJSON {
		s.Out, s.Live = c.stderr, false
	}
	for _, name := range names {
		done, err := h.carryOut(ctx, name, 0, reconcile.Budget{Run: reconcile.Run{Trigger: c.trigger(), Requester: by}}, s)
		if errors.Is(err, reconcile.ErrPaused) {
			done.Paused, err = h.paused(ctx, name)
		}
		if err == nil {
			err = done.err()
		}
		all.Targets = append(all.Targets, done.JSON())
		if !asJSON {
			done.Text(s)
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

// trigger is what sets a sync off: a person where there is a terminal, else a schedule.
func (c *cli) trigger() string {
	if c.asks() {
		return "person"
	}
	return "schedule"
}

// A result is what became of one target.
type result struct {
	view.Done
}

// carryOut does a run of one target, slice after slice, and shows each write. total is how many writes the reader was told of; 0 when
// nobody was told, and then it is taken from the plan.
func (h *house) carryOut(ctx context.Context, name string, total int, budget reconcile.Budget, s view.Screen) (result, error) {
	progress := &view.Progress{Screen: s, Total: total, Now: h.cli.now}
	quiet := context.AfterFunc(ctx, func() {
		fmt.Fprintln(h.cli.stderr, "\nStopping after the write in hand; Ctrl-C again stops at once.")
	})
	defer quiet()
	done := result{view.Done{Target: name, Began: h.cli.now()}}
	began := false
	budget.Planned = func(d *reconcile.Decision) {
		done.Plan = h.view(ctx, d)
		if budget.Answered {
			done.Plan.Objections = answered(d.Objections)
		}
		if n := free(d.Plan, done.Plan.Objections); n > 0 && !began && h.config.Targets[name].Apply != guard.ApplyOff {
			progress.Total, progress.Align = cmp.Or(total, n), view.SlugWidth(d.Plan)
			progress.Begin()
			began = true
		}
	}
	budget.Progress = func(w apply.Written) {
		done.Count(w)
		progress.Wrote(w)
	}
	for more := true; more; {
		var report reconcile.Report
		var err error
		report, more, err = reconcile.Slice(ctx, h.deps, name, budget)
		budget.Digest = "" // it has been compared; what comes after is what has moved since
		done.Run, done.State, done.Objected, done.Unread = cmp.Or(report.Run, done.Run), report.State, report.Objected, report.Unread
		done.Skipped = report.Skipped
		if err != nil {
			progress.End()
			done.Left = max(0, progress.Total-done.Added-done.Removed-done.Updated-done.Already-len(progress.Failures))
			done.Stopped = errors.Is(err, context.Canceled)
			done.Ended = h.cli.now()
			if done.Stopped {
				return done, withHint(failf("%s: interrupted", name), "what was written is in the audit record, and the next sync does the rest")
			}
			return done, fmt.Errorf("%s: %w", name, err)
		}
	}
	progress.End()
	done.Failed, done.Ended = len(progress.Failures), h.cli.now()
	return done, nil
}

// err is what makes a run that went through a failed one all the same.
func (r result) err() error {
	switch {
	case r.Failed > 0:
		return withHint(failf("%s: %s failed", r.Target, view.Count(r.Failed, "write")), "they are tried again by the next sync")
	case len(r.Unread) > 0:
		return withHint(failf("%s: %s", r.Target, strings.Join(r.Unread, "; ")), "nobody joined or left a team for it; to see what is wrong: musterline check")
	}
	return nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
