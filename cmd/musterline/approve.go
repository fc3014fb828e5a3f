package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"musterline.example/answer"
	"musterline.example/cmd/musterline/view"
	"musterline.example/guard"
)

func (c *cli) approveCommand() *cobra.Command {
	var wish answer.ApproveWish
	var by string
	var yes, asJSON bool
	command := &cobra.Command{
		Use:   "approve TARGET --reason TEXT",
		Short: "Waive the objections to the changes that a plan shows",
		Long: `Plans anew, shows the changes that guards object to, asks, and records a waiver
with your name and reason. It applies nothing: the next sync or apply does.
A server syncs at once.

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
			if strings.TrimSpace(wish.Reason) == "" {
				return answer.Usagef("an approval needs a reason, which the audit record keeps").WithHint("say it with --reason TEXT")
			}
			for _, g := range wish.Guards {
				if err := answer.OneOf("guard", g, guard.Names()); err != nil {
					return err
				}
			}
			if err := c.canAsk(yes); err != nil {
				return err
			}
			d, err := c.hold(command.Context(), "approve")
			if err != nil {
				return err
			}
			defer d.close()
			wish.Target, wish.By = args[0], c.person(by)
			return c.approve(command.Context(), d, wish, yes, asJSON)
		},
	}
	command.Flags().StringArrayVar(&wish.Teams, "team", nil, "only changes of this `team`, by slug or id; may be repeated")
	command.Flags().StringArrayVar(&wish.Guards, "guard", nil, "only changes that this `guard` objects to; may be repeated")
	command.Flags().StringVar(&wish.Undo, "undo", "", "changes that take back this `run`, in place of the plan's")
	command.Flags().StringVar(&wish.Reason, "reason", "", "why the changes are right, in a `text` that the audit record keeps")
	command.Flags().BoolVar(&yes, "yes", false, "do not ask")
	byFlag(command, &by)
	jsonFlag(command, &asJSON)
	return command
}

// approve shows what a waiver would be about, asks, and keeps it.
func (c *cli) approve(ctx context.Context, d desk, wish answer.ApproveWish, yes, asJSON bool) error {
	wish.Preview = true
	approval, err := d.Approve(ctx, wish)
	if err != nil {
		return err
	}
	s := c.page(asJSON)
	if approval.Changes == 0 {
		s.Para(0, "%s: no guard objects to anything, so there is nothing to approve.", wish.Target)
	} else {
		view.Plan{Plan: approval.Plan, Now: c.now()}.Waiver(s)
		if err := c.confirm(s, yes, fmt.Sprintf("Approve %s?", these(approval.Changes))); err != nil {
			return err
		}
		wish.Preview, wish.Digest = false, approval.Digest
		if approval, err = d.Approve(ctx, wish); err != nil {
			return err
		}
		view.Approved(s, approval, c.now())
	}
	if asJSON {
		approval.Plan = approval.Plan.Form()
		return view.WriteJSON(c.stdout, approval)
	}
	return nil
}
