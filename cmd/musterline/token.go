package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"musterline.example/answer"
	"musterline.example/cmd/musterline/view"
	"musterline.example/internal/words"
)

func (c *cli) tokenCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "token",
		Short: "Make, list and revoke the tokens of the server's API",
		Long: `A token lets a program, or --server on another machine, in to the server. It has
a role, may be bound to one target, and ends at a time. Only its hash is kept:
the text is printed once, when it is made.`,
		Example: `  musterline token create --name ci --role owner --target octo
  musterline token list
  musterline token revoke 3`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return answer.OneOf("command", args[0], []string{"create", "list", "revoke"})
		},
		RunE: func(command *cobra.Command, _ []string) error { return command.Help() },
	}
	command.AddCommand(c.tokenCreateCommand(), c.tokenListCommand(), c.tokenRevokeCommand())
	return command
}

// usualLife is how long a token is good when nothing is said: long enough to forget it, and short enough to matter.
const usualLife = "90d"

func (c *cli) tokenCreateCommand() *cobra.Command {
	var wish answer.TokenWish
	var life string
	var asJSON bool
	var roles strings.Builder
	for _, m := range answer.RoleMeanings {
		fmt.Fprintf(&roles, "\n  %-14s %s", m[0], m[1])
	}
	command := &cobra.Command{
		Use:   "create --name NAME --role ROLE",
		Short: "Make a token, and print it once",
		Long: `Makes a token. Its text is printed on standard output, this once; what it may do
and until when is said on standard error. The roles:
` + roles.String(),
		Example: `  musterline token create --name ci --role owner --target octo --for 30d
  musterline token create --name backup --role viewer --for never`,
		Args: arguments(0, 0, ""),
		RunE: func(command *cobra.Command, _ []string) error {
			var err error
			if wish.ExpiresAt, err = until(life, c.now()); err != nil {
				return err
			}
			keys, done, err := c.keyring(command.Context(), "token create")
			if err != nil {
				return err
			}
			defer done()
			wish.By = c.person(wish.By)
			made, err := keys.CreateToken(command.Context(), wish)
			if err != nil {
				return err
			}
			if asJSON {
				return view.WriteJSON(c.stdout, made)
			}
			view.TokenMade(c.screenOn(c.stderr), made, c.now())
			fmt.Fprintln(c.stdout, made.Text)
			return nil
		},
	}
	command.Flags().StringVar(&wish.Name, "name", "", "by which `name` it is known when it is to be revoked")
	command.Flags().StringVar(&wish.Role, "role", "", "what it may do: "+strings.Join(answer.RoleNames(), ", "))
	command.Flags().StringVar(&wish.Target, "target", "", "bind it to this `target` (default: all)")
	command.Flags().StringVar(&life, "for", usualLife, "how `long` it is good: 12h, 30d, or never")
	byFlag(command, &wish.By)
	jsonFlag(command, &asJSON)
	return command
}

// until reads how long something is good from now.
func until(life string, now time.Time) (time.Time, error) {
	if life == "never" {
		return time.Time{}, nil
	}
	if days, ok := strings.CutSuffix(life, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n > 0 && n <= 36500 {
			return now.AddDate(0, 0, n), nil
		}
	}
	if d, err := time.ParseDuration(life); err == nil && d > 0 {
		return now.Add(d), nil
	}
	return time.Time{}, answer.Usagef("%q is no span of time", life).WithHint("write 12h, 30d or never")
}

func (c *cli) tokenListCommand() *cobra.Command {
	var wish answer.PageWish
	var asJSON bool
	command := &cobra.Command{
		Use:     "list",
		Short:   "List tokens: what they may do, when they were used, when they end",
		Example: "  musterline token list",
		Args:    arguments(0, 0, ""),
		RunE: func(command *cobra.Command, _ []string) error {
			keys, done, err := c.keyring(command.Context(), "")
			if err != nil {
				return err
			}
			defer done()
			all := answer.Tokens{Tokens: []answer.Token{}}
			for {
				page, err := keys.Tokens(command.Context(), wish)
				if err != nil {
					return err
				}
				all.Tokens = append(all.Tokens, page.Tokens...)
				if wish.Next = page.Next; wish.Next == "" {
					break
				}
			}
			return tell(c, asJSON, all, func(s view.Screen, all answer.Tokens) { view.Tokens(s, all, c.now()) })
		},
	}
	command.Flags().StringVar(&wish.Target, "target", "", "only those bound to this `target`")
	jsonFlag(command, &asJSON)
	return command
}

func (c *cli) tokenRevokeCommand() *cobra.Command {
	var wish answer.RevokeWish
	var asJSON bool
	command := &cobra.Command{
		Use:     "revoke NUMBER",
		Short:   "End a token at once",
		Example: "  musterline token revoke 3",
		Args:    arguments(1, 1, "the number of a token"),
		RunE: func(command *cobra.Command, args []string) error {
			if strings.HasPrefix(args[0], "mst_") {
				return answer.Usagef("that is the text of a token, and a token is named by its number").WithHint("to see the numbers: musterline token list")
			}
			keys, done, err := c.keyring(command.Context(), "token revoke")
			if err != nil {
				return err
			}
			defer done()
			wish.ID, wish.By = args[0], c.person(wish.By)
			ended, err := keys.RevokeToken(command.Context(), wish)
			if err != nil {
				return err
			}
			return tell(c, asJSON, ended, func(s view.Screen, t answer.Token) {
				s.Para(0, "Token %s (%s) is revoked.", t.ID, words.Quote(t.Name))
			})
		},
	}
	byFlag(command, &wish.By)
	jsonFlag(command, &asJSON)
	return command
}
