package main

import (
	"errors"

	"github.com/spf13/cobra"

	"musterline.example/answer"
	"musterline.example/cmd/musterline/view"
)

func (c *cli) groupsCommand() *cobra.Command {
	var prefix string
	var asJSON bool
	command := &cobra.Command{
		Use:   "groups [SOURCE]",
		Short: "List the groups of the sources, and the teams they are mapped to",
		Example: `  musterline groups
  musterline groups corp --prefix gh-`,
		Args:              arguments(0, 1, "a source"),
		ValidArgsFunction: c.completeSources,
		RunE: func(command *cobra.Command, args []string) error {
			d, err := c.look(command.Context())
			if err != nil {
				return err
			}
			defer d.close()
			configured, err := d.Configured(command.Context())
			if err != nil {
				return err
			}
			names := configured.SourceNames()
			if len(args) == 1 {
				if err := answer.OneOf("source", args[0], names); err != nil {
					return err
				}
				names = args
			}
			list := answer.Groups{Groups: []answer.Group{}}
			var failed []error
			for _, name := range names {
				found, err := d.Groups(command.Context(), answer.GroupsWish{Source: name, Prefix: prefix})
				if err != nil {
					failed = append(failed, err)
					continue
				}
				list.Groups = append(list.Groups, found.Groups...)
			}
			return errors.Join(tell(c, asJSON, list, view.Groups), errors.Join(failed...))
		},
	}
	command.Flags().StringVar(&prefix, "prefix", "", "only groups whose name begins with this `text`")
	jsonFlag(command, &asJSON)
	return command
}
