package main

import (
	"github.com/spf13/cobra"

	"musterline.example/cmd/musterline/view"
)

func (c *cli) resumeCommand() *cobra.Command {
	var reason, by string
	command := &cobra.Command{
		Use:               "resume TARGET",
		Short:             "Let a paused target run again",
		Long:              "Ends a pause. Nothing is changed by it: the next sync does what is due.",
		Example:           "  musterline resume octo",
		Args:              arguments(1, 1, "a target"),
		ValidArgsFunction: c.completeTargets,
		RunE: func(command *cobra.Command, args []string) error {
			h, err := c.hold(command.Context(), "resume")
			if err != nil {
				return err
			}
			defer h.close()
			if _, err := h.targets(args); err != nil {
				return err
			}
			who := c.person(by)
			if reason != "" {
				who += ": " + reason
			}
			was, err := h.store.Resume(command.Context(), args[0], who)
			if err != nil {
				return err
			}
			if !was {
				c.screen().Para(0, "%s was not paused.", args[0])
				return nil
			}
			c.screen().Para(0, "%s runs again. To see what is due: musterline plan %s", args[0], view.Quote(args[0]))
			return nil
		},
	}
	command.Flags().StringVar(&reason, "reason", "", "why, in a `text` for the audit record")
	byFlag(command, &by)
	return command
}
