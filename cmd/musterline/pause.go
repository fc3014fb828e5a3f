package main

import (
	"strings"

	"github.com/spf13/cobra"

	"musterline.example/answer"
	"musterline.example/cmd/musterline/view"
	"musterline.example/internal/words"
)

func (c *cli) pauseCommand() *cobra.Command {
	var reason, by string
	var asJSON bool
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
				return answer.Usagef("a pause needs a reason, for whoever finds it").WithHint("say it with --reason TEXT")
			}
			d, err := c.hold(command.Context(), "pause")
			if err != nil {
				return err
			}
			defer d.close()
			paused, err := d.Pause(command.Context(), answer.PauseWish{Target: args[0], By: c.person(by), Reason: reason})
			if err != nil {
				return err
			}
			return tell(c, asJSON, paused, func(s view.Screen, p answer.Pausing) {
				s.Para(0, "%s is paused: nothing is changed there until: musterline resume %s", p.Target, words.Quote(p.Target))
			})
		},
	}
	command.Flags().StringVar(&reason, "reason", "", "why, in a `text` for whoever finds the target paused")
	byFlag(command, &by)
	jsonFlag(command, &asJSON)
	return command
}
