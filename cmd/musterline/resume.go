package main

import (
	"github.com/spf13/cobra"

	"musterline.example/answer"
	"musterline.example/cmd/musterline/view"
	"musterline.example/internal/words"
)

func (c *cli) resumeCommand() *cobra.Command {
	var reason, by string
	var asJSON bool
	command := &cobra.Command{
		Use:               "resume TARGET",
		Short:             "Let a paused target run again",
		Long:              "Ends a pause. Nothing is changed by it: the next sync does what is due, which\nis at once on a server.",
		Example:           "  musterline resume octo",
		Args:              arguments(1, 1, "a target"),
		ValidArgsFunction: c.completeTargets,
		RunE: func(command *cobra.Command, args []string) error {
			d, err := c.hold(command.Context(), "resume")
			if err != nil {
				return err
			}
			defer d.close()
			resumed, err := d.Resume(command.Context(), answer.PauseWish{Target: args[0], By: c.person(by), Reason: reason})
			if err != nil {
				return err
			}
			return tell(c, asJSON, resumed, func(s view.Screen, p answer.Pausing) {
				if !p.WasPaused {
					s.Para(0, "%s was not paused.", p.Target)
					return
				}
				s.Para(0, "%s runs again. To see what is due: musterline plan %s", p.Target, words.Quote(p.Target))
			})
		},
	}
	command.Flags().StringVar(&reason, "reason", "", "why, in a `text` for the audit record")
	byFlag(command, &by)
	jsonFlag(command, &asJSON)
	return command
}
