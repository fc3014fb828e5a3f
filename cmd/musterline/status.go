package main

import (
	"github.com/spf13/cobra"

	"musterline.example/answer"
	"musterline.example/cmd/musterline/view"
)

func (c *cli) statusCommand() *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "status [TARGET…]",
		Short: "Show the last runs, what waits, and how old the sources are",
		Long: `Shows from memory, without asking anybody: teams connected, the last run, what
waits for a person, who is held, what is paused, and the age of the sources.`,
		Example:           "  musterline status",
		Args:              arguments(0, -1, ""),
		ValidArgsFunction: c.completeTargets,
		RunE: func(command *cobra.Command, args []string) error {
			d, err := c.look(command.Context())
			if err != nil {
				return err
			}
			defer d.close()
			status, err := d.Status(command.Context(), args...)
			if err != nil {
				return err
			}
			return tell(c, asJSON, status, func(s view.Screen, st answer.Status) { view.Status(s, st, c.now()) })
		},
	}
	jsonFlag(command, &asJSON)
	return command
}
