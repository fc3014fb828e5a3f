package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"musterline.example/cmd/musterline/view"
	"musterline.example/store"
)

func (c *cli) auditCommand() *cobra.Command {
	var filter store.Filter
	var teamName, account, since string
	var asJSON, all bool
	command := &cobra.Command{
		Use:   "audit",
		Short: "Show the audit record: who did what and why",
		Long: `Shows the audit record, the newest entries last. The record is written before
the act, is never changed, and each entry is chained to all before it.`,
		Example: `  musterline audit --since 24h
  musterline audit --team platform --account ada-l
  musterline audit --run 17
  musterline audit --all --json > audit.jsonl
  musterline audit verify`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return oneOf("command", args[0], []string{"verify"})
		},
		RunE: func(command *cobra.Command, _ []string) error {
			h, err := c.look(command.Context())
			if err != nil {
				return err
			}
			defer h.close()
			if h.store == nil {
				return withHint(failf("there is no audit record yet: %w", store.ErrNoDatabase), "the first command that writes begins it, such as musterline sync")
			}
			if filter.Since, err = moment(since, c.now()); err != nil {
				return err
			}
			if filter.Target != "" {
				if _, err := h.targets([]string{filter.Target}); err != nil {
					return err
				}
			}
			ctx := command.Context()
			if teamName != "" {
				known, err := h.knownTeam(ctx, teamName)
				if err != nil {
					return err
				}
				if known.id == "" {
					return failf("there is no entry of team %s yet", known.slug)
				}
				filter.Target, filter.Team = known.target, string(known.id)
			}
			if account != "" {
				if filter.Account, err = h.knownAccount(ctx, account); err != nil {
					return err
				}
			}
			if asJSON && all {
				return h.store.Export(ctx, c.stdout, filter)
			}
			if all {
				filter.Limit = 1 << 30
			}
			entries, err := h.store.Entries(ctx, filter)
			if err != nil {
				return err
			}
			slices.Reverse(entries)
			shown := view.Audit{Entries: entries, Names: h.names(ctx), Now: c.now()}
			if len(entries) == filter.Limit || len(entries) == 100 && filter.Limit == 0 {
				shown.More = true
			}
			if asJSON {
				return view.WriteJSON(c.stdout, shown.JSON())
			}
			shown.Text(c.screen())
			return nil
		},
	}
	command.Flags().StringVar(&filter.Target, "target", "", "only entries of this `target`")
	command.Flags().StringVar(&teamName, "team", "", "only entries of this `team`, by slug or target/slug")
	command.Flags().StringVar(&account, "account", "", "only entries of this `account`, by login, number or source/user")
	command.Flags().StringVar(&filter.Run, "run", "", "only entries of this `run`")
	command.Flags().StringVar(&since, "since", "", "only entries since a `moment`: 24h, 7d, 2026-08-21, 2026-08-21T12:00Z")
	command.Flags().IntVar(&filter.Limit, "limit", 0, "the newest `n` entries (default 100)")
	command.Flags().BoolVar(&all, "all", false, "all entries; with --json as one line of JSON each")
	jsonFlag(command, &asJSON)
	command.AddCommand(c.auditVerifyCommand())
	return command
}

// moment reads a time on the command line: a span before now, a day, or a moment.
func moment(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 {
			return now.AddDate(0, 0, -n), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	for _, form := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(form, text, now.Location()); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usagef("%q is no moment", text).hint("write a span such as 24h or 7d, or a day such as 2026-08-21")
}

func (c *cli) auditVerifyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "verify",
		Short: "Check that nobody has changed the audit record",
		Long: `Walks the whole audit record and checks the chain with the key file. It prints
the head: kept elsewhere, it proves later that the record was not set back.`,
		Example: "  musterline audit verify",
		Args:    arguments(0, 0, ""),
		RunE: func(command *cobra.Command, _ []string) error {
			h, err := c.look(command.Context())
			if err != nil {
				return err
			}
			defer h.close()
			if h.store == nil {
				return withHint(failf("there is no audit record yet: %w", store.ErrNoDatabase), "the first command that writes begins it, such as musterline sync")
			}
			verified, err := h.store.Verify(command.Context())
			if broken, ok := errors.AsType[*store.Broken](err); ok {
				return withHint(broken, "keep the database as it is for whoever looks into this, and go on from a backup")
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(c.stdout, "The audit record is whole: %s, from %d to %d.\nHead: %s\n", entries(verified.Entries), verified.First, verified.Last, verified.Head)
			return nil
		},
	}
}

func entries(n int64) string {
	if n == 1 {
		return "1 entry"
	}
	return view.Figure(int(n)) + " entries"
}
