package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"musterline.example/cmd/musterline/view"
	"musterline.example/guard"
	"musterline.example/plan"
	"musterline.example/reconcile"
)

func (c *cli) approveCommand() *cobra.Command {
	var teams, guards []string
	var reason, by, undo string
	var yes bool
	command := &cobra.Command{
		Use:   "approve TARGET --reason TEXT",
		Short: "Waive the objections to the changes that a plan shows",
		Long: `Plans anew, shows the changes that guards object to, asks, and records a waiver
with your name and reason. It applies nothing: the next sync or apply does.

Without --team and --guard it is about all changes objected to. The filters
choose changes; the waiver then answers every objection that those changes have
now, and none that another guard makes later. It ends after 72 hours.

With --undo it is about what guards object to in taking back a run; musterline
undo then does it.`,
		Example: `  musterline approve octo --reason "moved to the new directory, see OPS-12"
  musterline approve octo --team data --team docs --reason "reorganisation"
  musterline approve octo --guard first_connection --reason "checked"
  musterline approve octo --undo 17 --reason "the wrong group, see OPS-13"`,
		Args:              arguments(1, 1, "a target"),
		ValidArgsFunction: c.completeTargets,
		RunE: func(command *cobra.Command, args []string) error {
			if strings.TrimSpace(reason) == "" {
				return usagef("an approval needs a reason, which the audit record keeps").hint("say it with --reason TEXT")
			}
			for _, g := range guards {
				if err := oneOf("guard", g, guard.Names()); err != nil {
					return err
				}
			}
			if !yes && !c.asks() {
				return c.confirm(yes, "")
			}
			h, err := c.hold(command.Context(), "approve")
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
			return h.approve(command.Context(), names[0], guard.Filter{Teams: teams, Guards: guards}, undo, yes, c.person(by), reason)
		},
	}
	command.Flags().StringArrayVar(&teams, "team", nil, "only changes of this `team`, by slug or id; may be repeated")
	command.Flags().StringArrayVar(&guards, "guard", nil, "only changes that this `guard` objects to; may be repeated")
	command.Flags().StringVar(&undo, "undo", "", "changes that take back this `run`, in place of the plan's")
	command.Flags().StringVar(&reason, "reason", "", "why the changes are right, in a `text` that the audit record keeps")
	command.Flags().BoolVar(&yes, "yes", false, "do not ask")
	byFlag(command, &by)
	return command
}

// approve shows what a waiver would be about, asks, and keeps it. undo is the run that the changes would take back; empty for those of a sync.
func (h *house) approve(ctx context.Context, name string, choose guard.Filter, undo string, yes bool, by, reason string) error {
	decision, err := h.toApprove(ctx, name, undo)
	if err != nil {
		return err
	}
	if err := teamsExist(decision, choose.Teams); err != nil {
		return err
	}
	waiver := guard.WaiverFor(decision.Plan, decision.Objections, choose, by, reason, h.cli.now())
	s := h.cli.screen()
	if len(waiver.Changes) == 0 {
		if guard.Count(decision.Objections) == 0 {
			s.Para(0, "%s: no guard objects to anything, so there is nothing to approve.", name)
			return nil
		}
		look := "musterline plan " + view.Quote(name)
		if undo != "" {
			look = "musterline undo " + view.Quote(undo)
		}
		return withHint(failf("%s: no guard objects to the changes chosen", name), "to see what guards object to: "+look)
	}
	about := h.view(ctx, decision)
	about.Plan, about.Objections = chosen(decision.Plan, decision.Objections, waiver)
	about.Waiver(s)
	if err := h.cli.confirm(yes, fmt.Sprintf("Approve %s?", these(len(waiver.Changes)))); err != nil {
		return err
	}
	id, err := h.store.AddWaiver(ctx, waiver)
	if err != nil {
		return err
	}
	s.Para(0, "Approved by %s: %s (waiver %s, until %s). Nothing has been changed yet.", by, view.Count(len(waiver.Changes), "change"), id,
		view.Moment(waiver.At.Add(guard.WaiverLife), h.cli.now()))
	if undo != "" {
		s.Line("To make the changes: musterline undo %s", view.Quote(undo))
		return nil
	}
	s.Line("To make the changes: musterline sync %s", view.Quote(name))
	return nil
}

// toApprove plans what an approval is about: a sync, or the undoing of a run.
func (h *house) toApprove(ctx context.Context, name, undo string) (*reconcile.Decision, error) {
	if undo == "" {
		return reconcile.Plan(ctx, h.deps, name)
	}
	run, err := h.run(ctx, undo)
	if err != nil {
		return nil, err
	}
	if run.Target != name {
		return nil, usagef("run %s is one of %s, not of %s", run.ID, run.Target, name)
	}
	decision, err := reconcile.PlanUndo(ctx, h.deps, name, undo)
	if err != nil {
		return nil, fmt.Errorf("run %s of %s: %w", undo, name, err)
	}
	decision.Objections = answered(decision.Objections) // to undo is a person's wish
	return decision, nil
}

// teamsExist checks the teams on a command line against those of the plan.
func teamsExist(d *reconcile.Decision, teams []string) error {
	known := make([]string, 0, len(d.Plan.Teams))
	ids := make([]string, 0, len(d.Plan.Teams))
	for _, t := range d.Plan.Teams {
		known, ids = append(known, t.Slug), append(ids, string(t.Team))
	}
	for _, t := range d.World.Teams {
		known, ids = append(known, t.Slug), append(ids, string(t.ID))
	}
	slices.Sort(known)
	for _, name := range teams {
		if slices.Contains(ids, name) && name != "" {
			continue
		}
		if err := oneOf("team", name, slices.Compact(known)); err != nil {
			return err
		}
	}
	return nil
}

// chosen leaves of a plan the changes that a waiver is about, and of the objections those that it answers.
func chosen(p *plan.Plan, objections []guard.Objection, w guard.Waiver) (*plan.Plan, []guard.Objection) {
	in := make(map[guard.Ref]bool, len(w.Changes))
	for _, c := range w.Changes {
		in[c.Ref] = true
	}
	left := &plan.Plan{Target: p.Target, Digest: p.Digest}
	for i := range p.Teams {
		t := p.Teams[i]
		keep := func(changes []plan.Change) []plan.Change {
			return slices.DeleteFunc(slices.Clone(changes), func(ch plan.Change) bool { return !in[guard.RefOf(&p.Teams[i], ch)] })
		}
		creation := t.Create != nil && in[guard.RefOf(&p.Teams[i], plan.Change{Act: guard.Creation})]
		t.Add, t.Update, t.Remove, t.Leaving = keep(t.Add), keep(t.Update), keep(t.Remove), nil
		if creation || len(t.Changes()) > 0 {
			left.Teams = append(left.Teams, t)
		}
	}
	var answers []guard.Objection
	for _, o := range objections {
		o.Changes = slices.DeleteFunc(slices.Clone(o.Changes), func(r guard.Ref) bool { return !in[r] })
		if len(o.Changes) > 0 {
			answers = append(answers, o)
		}
	}
	return left, answers
}
