package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"musterline.example/answer"
	"musterline.example/cmd/musterline/view"
)

func (c *cli) signInCommand() *cobra.Command {
	var wish answer.SignInWish
	var life string
	var asJSON bool
	command := &cobra.Command{
		Use:   "sign-in",
		Short: "Print a link that lets somebody in to the console, once",
		Long: `Makes a link and prints it on standard output, this once. Whoever opens it first
and presses the button is signed in, with the role and for the target that it
was made for; the session ends like any other. It is for the first
administrator, and for when the identity provider or GitHub cannot be asked.

It works while the server runs, on the machine that has its database and its key
file. The audit record has who made the link and when it was used.`,
		Example: `  musterline sign-in
  musterline sign-in --name ada --role owner --target octo --for 1h`,
		Args: arguments(0, 0, ""),
		RunE: func(command *cobra.Command, _ []string) error {
			if c.remote.url != "" || c.variable("MUSTERLINE_SERVER") != "" {
				return answer.Usagef("a sign-in link is made where the database and the key file of the server are, and not over the network").
					WithHint("leave --server (or MUSTERLINE_SERVER) out, on the server's own machine")
			}
			var err error
			if wish.ExpiresAt, err = until(life, c.now()); err != nil {
				return err
			}
			if wish.ExpiresAt.IsZero() {
				return answer.Usagef("a sign-in link ends: say how long it is good").WithHint("write 15m or 1h")
			}
			wish.By = c.person(wish.By)
			if wish.Name == "" {
				wish.Name = strings.Join(strings.Fields(wish.By), "-")
			}
			h, err := c.house()
			if err != nil {
				return err
			}
			if err := h.Beside(command.Context(), "musterline sign-in"); err != nil {
				return err
			}
			defer h.Close()
			made, err := h.SignInLink(command.Context(), wish)
			if err != nil {
				return err
			}
			if asJSON {
				return view.WriteJSON(c.stdout, made)
			}
			view.SignInLinkMade(c.screenOn(c.stderr), made, c.now())
			fmt.Fprintln(c.stdout, made.URL)
			return nil
		},
	}
	command.Flags().StringVar(&wish.Name, "name", "", "as `whom` (default: who gives the command)")
	command.Flags().StringVar(&wish.Role, "role", "administrator", "what they may do: "+strings.Join(answer.RoleNames(), ", "))
	command.Flags().StringVar(&wish.Target, "target", "", "on this `target` only (default: all)")
	command.Flags().StringVar(&life, "for", "15m", "how `long` the link is good: at most 24h")
	command.Flags().StringVar(&wish.URL, "url", "", "the `address` of the server in the link (default: server.external_url, else server.listen)")
	_ = command.RegisterFlagCompletionFunc("target", c.completeTargets)
	byFlag(command, &wish.By)
	jsonFlag(command, &asJSON)
	return command
}
