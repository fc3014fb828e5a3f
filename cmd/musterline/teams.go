package main

import (
	"errors"

	"github.com/spf13/cobra"

	"musterline.example/answer"
	"musterline.example/cmd/musterline/view"
)

func (c *cli) teamsCommand() *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "teams [TARGET]",
		Short: "List the teams of the targets, and the groups they are mapped to",
		Example: `  musterline teams
  musterline teams octo --json | jq '.teams[] | select(.groups == [])'`,
		Args:              arguments(0, 1, "a target"),
		ValidArgsFunction: c.completeTargets,
		RunE: func(command *cobra.Command, args []string) error {
			d, err := c.look(command.Context())
			if err != nil {
				return err
			}
			defer d.close()
			names, err := d.targets(command.Context(), args)
			if err != nil {
				return err
			}
			list := answer.Teams{Teams: []answer.Team{}}
			var failed []error
			for _, name := range names {
				found, err := d.Teams(command.Context(), name)
				if err != nil {
					failed = append(failed, err)
					continue
				}
				list.Teams = append(list.Teams, found.Teams...)
			}
			return errors.Join(tell(c, asJSON, list, view.Teams), errors.Join(failed...))
		},
	}
	jsonFlag(command, &asJSON)
	return command
}
