package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"musterline.example/cmd/musterline/view"
	"musterline.example/guard"
	"musterline.example/reconcile"
	"musterline.example/team"
)

func (c *cli) planCommand() *cobra.Command {
	var out string
	var detailed, asJSON bool
	command := &cobra.Command{
		Use:   "plan [TARGET…]",
		Short: "Show what a sync would change, and why",
		Long: `Reads the sources and the targets and shows what a sync would change, with the
reason for every change, the people who are held, the mappings that are refused,
and what guards object to. It writes nothing: not to the target, not to the
database.`,
		Example: `  musterline plan
  musterline plan octo --out friday.plan     then: musterline apply friday.plan
  musterline plan --detailed-exitcode        0 nothing, 2 changes, 3 objections
  musterline plan --json | jq '.plans[].summary'`,
		Args:              arguments(0, -1, ""),
		ValidArgsFunction: c.completeTargets,
		RunE: func(command *cobra.Command, args []string) error {
			h, err := c.look(command.Context())
			if err != nil {
				return err
			}
			defer h.close()
			names, err := h.targets(args)
			if err != nil {
				return err
			}
			if err := h.open(command.Context(), "person", names); err != nil {
				return err
			}
			var plans []view.Plan
			var failed []error
			for _, name := range names {
				decision, err := reconcile.Plan(command.Context(), h.deps, name)
				if err != nil {
					failed = append(failed, err)
					continue
				}
				plans = append(plans, h.view(command.Context(), decision))
			}
			c.showPlans(plans, asJSON)
			if err := errors.Join(failed...); err != nil {
				return err
			}
			if out != "" {
				if err := save(out, plans); err != nil {
					return err
				}
				if !asJSON {
					c.screen().Para(0, "Saved as %s. To carry out exactly this: musterline apply %s", out, view.Quote(out))
				}
			}
			if detailed {
				c.code = planCode(plans)
			}
			return nil
		},
	}
	command.Flags().StringVar(&out, "out", "", "save the plan to a `file`, for apply")
	command.Flags().BoolVar(&detailed, "detailed-exitcode", false, "exit with 0 when there is nothing to do, 2 for changes, 3 for objections")
	jsonFlag(command, &asJSON)
	return command
}

func jsonFlag(command *cobra.Command, asJSON *bool) {
	command.Flags().BoolVar(asJSON, "json", false, "print JSON, for programs")
}

func (c *cli) showPlans(plans []view.Plan, asJSON bool) {
	if asJSON {
		_ = view.WriteJSON(c.stdout, plansJSON(plans)) // nothing in a plan cannot be encoded
		return
	}
	s := c.screen()
	for i, p := range plans {
		if i > 0 {
			s.Blank()
		}
		p.Text(s)
	}
}

func plansJSON(plans []view.Plan) view.Plans {
	all := view.Plans{Format: view.Format, Plans: []view.JSONPlan{}}
	for _, p := range plans {
		all.Plans = append(all.Plans, p.JSON())
	}
	return all
}

// planCode is what --detailed-exitcode says of plans.
func planCode(plans []view.Plan) int {
	code := exitDone
	for _, p := range plans {
		switch {
		case guard.Count(p.Objections) > 0:
			return exitObjected
		case !p.Plan.Empty():
			code = exitChanges
		}
	}
	return code
}

// save writes plans to a file in the form of plan --json: people can read it, and apply needs no more than target and digest.
func save(path string, plans []view.Plan) error {
	var text bytes.Buffer
	if err := view.WriteJSON(&text, plansJSON(plans)); err != nil {
		return fmt.Errorf("save the plan: %w", err)
	}
	if err := os.WriteFile(filepath.Clean(path), text.Bytes(), 0o600); err != nil {
		return fmt.Errorf("save the plan: %w", err)
	}
	return nil
}

// view gathers what there is to say of a decision.
func (h *house) view(ctx context.Context, d *reconcile.Decision) view.Plan {
	p := view.Plan{Plan: d.Plan, Objections: d.Objections, Place: d.World.Place, Now: h.cli.now(), Notes: h.notes(ctx, d)}
	mapped := make(map[team.ID]bool)
	for _, m := range d.World.Mappings {
		if m.TeamID != "" {
			mapped[m.TeamID] = true
		}
	}
	for _, r := range d.Plan.Refused {
		delete(mapped, r.Team)
	}
	p.Mapped = len(mapped)
	for _, r := range d.World.Sources {
		p.Unread = p.Unread || r.Failed != ""
	}
	return p
}

// notes are what a reader of a plan must know beside it.
func (h *house) notes(ctx context.Context, d *reconcile.Decision) []string {
	var notes []string
	if h.store == nil {
		notes = append(notes, "no history: every team counts as a first connection")
	}
	switch h.config.Targets[d.Plan.Target].Apply {
	case guard.ApplyOff:
		notes = append(notes, "apply: off: plans of this target are only shown")
	case guard.ApplyApprove:
		notes = append(notes, "apply: approve: every change of this target waits for a person")
	}
	if paused, err := h.paused(ctx, d.Plan.Target); err == nil && paused != "" {
		notes = append(notes, fmt.Sprintf("paused %s; nothing is done until: musterline resume %s", paused, view.Quote(d.Plan.Target)))
	}
	for _, name := range slices.Sorted(maps.Keys(d.World.Sources)) {
		if failed := d.World.Sources[name].Failed; failed != "" {
			notes = append(notes, fmt.Sprintf("source %s could not be read, and nobody joins or leaves a team for it: %s", name, failed))
		}
	}
	if d.World.IdentityTrouble != "" {
		notes = append(notes, "linked identities could not be read: "+d.World.IdentityTrouble)
	}
	for _, lack := range d.World.Standing.Needs {
		notes = append(notes, "the credential lacks "+lack+": see musterline check")
	}
	return append(notes, d.World.Standing.Warnings...)
}

// completeTargets offers the targets of the configuration to the shell.
func (c *cli) completeTargets(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	h, err := c.configured()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return h.targetNames(), cobra.ShellCompDirectiveNoFileComp
}
