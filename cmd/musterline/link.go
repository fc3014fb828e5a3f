package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"musterline.example/cmd/musterline/view"
	"musterline.example/link"
	"musterline.example/store"
	"musterline.example/team"
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
			return oneOf("command", args[0], []string{"add", "remove", "list"})
		},
		RunE: func(command *cobra.Command, _ []string) error {
			h, err := c.look(command.Context())
			if err != nil {
				return err
			}
			defer h.close()
			list, err := h.links(command.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return view.WriteJSON(c.stdout, list)
			}
			list.Text(c.screen())
			return nil
		},
	}
	jsonFlag(command, &asJSON)
	command.AddCommand(c.linkAddCommand(), c.linkRemoveCommand())
	return command
}

// links lists the links of every host, and the statements that no run has looked at yet.
func (h *house) links(ctx context.Context) (view.Links, error) {
	list := view.Links{Links: []view.Link{}}
	for _, host := range h.hosts(ctx) {
		var links []link.Link
		var statements []link.Statement
		if h.store != nil {
			var err error
			if links, err = h.store.Links(ctx, host); err != nil {
				return list, err
			}
			if statements, err = h.store.Statements(ctx, host); err != nil {
				return list, err
			}
		}
		for _, l := range links {
			list.Links = append(list.Links, view.Link{User: l.User.String(), Host: host, Account: string(l.Account), Login: l.Login, Tier: string(l.Tier),
				State: string(l.State), Evidence: l.Evidence, By: l.By, Since: l.MadeAt, Trouble: l.Trouble})
		}
		for _, st := range slices.Concat(statements, h.deps.Manual[host]) {
			known := slices.ContainsFunc(links, func(l link.Link) bool { return l.User == st.User && l.Account == st.Account && l.Tier == st.Tier })
			if !known {
				list.Links = append(list.Links, view.Link{User: st.User.String(), Host: host, Account: string(st.Account), Tier: string(st.Tier),
					State: "stated", By: st.By, Since: st.At})
			}
		}
	}
	slices.SortStableFunc(list.Links, func(a, b view.Link) int { return cmp.Or(cmp.Compare(a.User, b.User), cmp.Compare(a.Host, b.Host)) })
	return list, nil
}

// hosts are where the targets' accounts live.
func (h *house) hosts(ctx context.Context) []string {
	var hosts []string
	for _, name := range h.targetNames() {
		hosts = append(hosts, h.host(ctx, name))
	}
	for host := range h.deps.Manual {
		hosts = append(hosts, host)
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

func (c *cli) linkAddCommand() *cobra.Command {
	var reason, by string
	command := &cobra.Command{
		Use:   "add SOURCE/USER HOST/ACCOUNT --reason TEXT",
		Short: "Say whose account it is",
		Long: `Says that a user is an account, by the account's numeric id: GET /users/LOGIN
tells it. It wins over everything that is found, counts from the next sync, and
replaces what was said of the same user before.`,
		Example: `  musterline link add corp/ada github.com/1024 --reason "asked her"`,
		Args:    arguments(2, 2, "a user (source/id) and an account (host/number)"),
		RunE: func(command *cobra.Command, args []string) error {
			if strings.TrimSpace(reason) == "" {
				return usagef("a link by hand needs a reason, which the audit record keeps").hint("say it with --reason TEXT")
			}
			user, host, account, err := parseLink(args[0], args[1])
			if err != nil {
				return err
			}
			h, err := c.hold(command.Context(), "link add")
			if err != nil {
				return err
			}
			defer h.close()
			if err := oneOf("source", user.Source, h.sourceNames()); err != nil {
				return err
			}
			if err := oneOf("host", host, h.hosts(command.Context())); err != nil {
				return err
			}
			if reads, err := h.store.Reads(command.Context(), user.Source); err != nil {
				return err
			} else if reads.Last != nil {
				if _, ok := reads.Last.Users[user.ID]; !ok {
					fmt.Fprintf(c.stderr, "Note: %s was not among the users of the mapped groups when %s was last read.\n", user, user.Source)
				}
			}
			if err := h.store.AddStatement(command.Context(), host, link.Statement{
				User: user, Account: account, Tier: link.Manual, By: c.person(by) + ": " + reason, At: c.now(),
			}); err != nil {
				return err
			}
			c.screen().Para(0, "%s is account %s on %s. To see what it changes: musterline plan", user, account, host)
			return nil
		},
	}
	command.Flags().StringVar(&reason, "reason", "", "how you know, in a `text` that the audit record keeps")
	byFlag(command, &by)
	return command
}

func parseLink(of, is string) (link.UserRef, string, team.AccountID, error) {
	user, ok := link.ParseUserRef(of)
	if !ok {
		return user, "", "", usagef("%q is no user: write SOURCE/USER, such as corp/ada", of)
	}
	host, account, ok := strings.Cut(is, "/")
	if !ok || host == "" || account == "" {
		return user, "", "", usagef("%q is no account: write HOST/NUMBER, such as github.com/1024", is)
	}
	if strings.ContainsFunc(account, func(r rune) bool { return r < '0' || r > '9' }) {
		return user, "", "", usagef("%q is a login: write the account's number, because a login can change hands", account).
			hint("the number stands in GET /users/" + account + " as id")
	}
	return user, host, team.AccountID(account), nil
}

func (c *cli) linkRemoveCommand() *cobra.Command {
	var reason, by string
	command := &cobra.Command{
		Use:   "remove SOURCE/USER",
		Short: "Take back what was said by hand",
		Long: `Takes back what link add has said of a user. What other evidence says counts
again from the next sync.`,
		Example: `  musterline link remove corp/ada --reason "it was another Ada"`,
		Args:    arguments(1, 1, "a user (source/id)"),
		RunE: func(command *cobra.Command, args []string) error {
			user, ok := link.ParseUserRef(args[0])
			if !ok {
				return usagef("%q is no user: write SOURCE/USER, such as corp/ada", args[0])
			}
			h, err := c.hold(command.Context(), "link remove")
			if err != nil {
				return err
			}
			defer h.close()
			who := c.person(by)
			if reason != "" {
				who += ": " + reason
			}
			removed := 0
			for _, host := range h.hosts(command.Context()) {
				err := h.store.RemoveStatement(command.Context(), host, user, link.Manual, who)
				switch {
				case errors.Is(err, store.ErrNotFound):
					continue
				case err != nil:
					return err
				}
				removed++
				c.screen().Para(0, "What was said of %s on %s is taken back. To see what it changes: musterline plan", user, host)
			}
			if removed == 0 {
				for _, m := range h.config.Manual {
					if m.User == user {
						return withHint(failf("the link of %s stands in %s, line %d", user, h.config.Path, m.Line), "take it out there")
					}
				}
				return withHint(failf("nobody has said anything of %s by hand", user), "to see all links: musterline link")
			}
			return nil
		},
	}
	command.Flags().StringVar(&reason, "reason", "", "why, in a `text` for the audit record")
	byFlag(command, &by)
	return command
}
