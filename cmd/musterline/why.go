package main

import (
	"github.com/spf13/cobra"

	"musterline.example/answer"
	"musterline.example/cmd/musterline/view"
)

func (c *cli) whyCommand() *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "why USER TEAM",
		Short: "Say why somebody is in a team, or why not",
		Long: `Answers from stored evidence, without asking anybody: the group path, the
mapping, the link and what it rests on, the row of the ledger, and the run and
audit entry that did it. It also says why not: held, refused, stopped by a
guard, in no mapped group, or removed by a run.

USER is a login, an account's number, or a user's id, sign-in name or address,
also as source/user; TEAM is a slug, or target/slug.`,
		Example: `  musterline why ada platform
  musterline why corp/ada octo/platform`,
		Args: arguments(2, 2, "a user and a team"),
		RunE: func(command *cobra.Command, args []string) error {
			d, err := c.look(command.Context())
			if err != nil {
				return err
			}
			defer d.close()
			found, err := d.Why(command.Context(), args[0], args[1])
			if err != nil {
				return err
			}
			found.Conclude(c.now()) // in our own zone, wherever it was answered
			return tell(c, asJSON, found, func(s view.Screen, a answer.Answer) { view.Why(s, a, c.now()) })
		},
	}
	jsonFlag(command, &asJSON)
	return command
}
