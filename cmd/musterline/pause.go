package main

import (
	"strings"

	"github.com/spf13/cobra"

	"musterline.example/cmd/musterline/view"
	"musterline.example/reconcile"
)

func (c *cli) pauseCommand() *cobra.Command {
	var reason, by string
	command := &cobra.Command{
		Use:   "pause TARGET --reason TEXT",
		Short: "Stop all changes to a target until resume",
		Long: `The stop button: until resume, no sync and no apply changes anything in the
target. Plans can still be made and looked at.`,
		Example:           `  musterline pause octo --reason "audit until Friday"`,
		Args:              arguments(1, 1, "a target"),
		ValidArgsFunction: c.completeTargets,
		RunE: func(command *cobra.Command, args []string) error {
			if strings.TrimSpace(reason) == "" {
				return usagef("a pause needs a reason, for whoever finds it").hint("say it with --reason TEXT")
			}
			h, err := c.hold(command.Context(), "pause")
			if err != nil {
				return err
			}
			defer h.close()
			if _, err := h.targets(args); err != nil {
				return err
			}
			if err := h.store.Pause(command.Context(), args[0], reconcile.Pause{By: c.person(by), Reason: reason, At: c.now()}); err != nil {
				return err
			}
			c.screen().Para(0, "%s is paused: nothing is changed there until: musterline resume %s", args[0], view.Quote(args[0]))
			return nil
		},
	}
	command.Flags().StringVar(&reason, "reason", "", "why, in a `text` for whoever finds the target paused")
	byFlag(command, &by)
	return command
}
