package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"musterline.example/answer"
	"musterline.example/cmd/musterline/view"
)

func (c *cli) linkCommand() *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "link",
		Short: "List who is linked to which account, or say so by hand",
		Long: `Lists the linked identities: which user is which account, by what evidence, and
which of them are frozen or revoked. Links are made by the account's numeric id,
because a login can change hands.`,
		Example: `  musterline link
  musterline link add corp/ada github.com/1024 --reason "asked her"
  musterline link remove corp/ada`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return answer.OneOf("command", args[0], []string{"add", "remove", "list"})
		},
		RunE: func(command *cobra.Command, _ []string) error {
			d, err := c.look(command.Context())
			if err != nil {
				return err
			}
			defer d.close()
			list, err := d.Links(command.Context())
			if err != nil {
				return err
			}
			return tell(c, asJSON, list, view.Links)
		},
	}
	jsonFlag(command, &asJSON)
	command.AddCommand(c.linkAddCommand(), c.linkRemoveCommand())
	return command
}

func (c *cli) linkAddCommand() *cobra.Command {
	var reason, by string
	var asJSON bool
	command := &cobra.Command{
		Use:   "add SOURCE/USER HOST/ACCOUNT --reason TEXT",
		Short: "Say whose account it is",
		Long: `Says that a user is an account, by the account's numeric id: GET /users/LOGIN
tells it. The user is named by id, sign-in name or address at the source. It
wins over everything that is found, counts from the next sync, and replaces what
was said of the same user before.`,
		Example: `  musterline link add corp/ada github.com/1024 --reason "asked her"`,
		Args:    arguments(2, 2, "a user (source/id) and an account (host/number)"),
		RunE: func(command *cobra.Command, args []string) error {
			if strings.TrimSpace(reason) == "" {
				return answer.Usagef("a link by hand needs a reason, which the audit record keeps").WithHint("say it with --reason TEXT")
			}
			d, err := c.hold(command.Context(), "link add")
			if err != nil {
				return err
			}
			defer d.close()
			linked, err := d.Link(command.Context(), answer.LinkWish{User: args[0], Account: args[1], By: c.person(by), Reason: reason})
			if err != nil {
				return err
			}
			for _, n := range linked.Notes {
				fmt.Fprintln(c.stderr, "Note:", n)
			}
			return tell(c, asJSON, linked, func(s view.Screen, l answer.Linked) {
				s.Para(0, "%s is account %s on %s. To see what it changes: musterline plan", l.User, l.Account, l.Host)
			})
		},
	}
	command.Flags().StringVar(&reason, "reason", "", "how you know, in a `text` that the audit record keeps")
	byFlag(command, &by)
	jsonFlag(command, &asJSON)
	return command
}

func (c *cli) linkRemoveCommand() *cobra.Command {
	var reason, by string
	var asJSON bool
	command := &cobra.Command{
		Use:   "remove SOURCE/USER",
		Short: "Take back what was said by hand",
		Long: `Takes back what link add has said of a user. What other evidence says counts
again from the next sync.`,
		Example: `  musterline link remove corp/ada --reason "it was another Ada"`,
		Args:    arguments(1, 1, "a user (source/id)"),
		RunE: func(command *cobra.Command, args []string) error {
			d, err := c.hold(command.Context(), "link remove")
			if err != nil {
				return err
			}
			defer d.close()
			unlinked, err := d.Unlink(command.Context(), answer.UnlinkWish{User: args[0], By: c.person(by), Reason: reason})
			if err != nil {
				return err
			}
			return tell(c, asJSON, unlinked, func(s view.Screen, u answer.Unlinked) {
				for _, host := range u.Hosts {
					s.Para(0, "What was said of %s on %s is taken back. To see what it changes: musterline plan", u.User, host)
				}
			})
		},
	}
	command.Flags().StringVar(&reason, "reason", "", "why, in a `text` for the audit record")
	byFlag(command, &by)
	jsonFlag(command, &asJSON)
	return command
}
