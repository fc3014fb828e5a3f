package main

import (
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"musterline.example/answer"
	"musterline.example/cmd/musterline/view"
)

func (c *cli) auditCommand() *cobra.Command {
	var filter answer.AuditFilter
	var since string
	var asJSON, asCSV bool
	command := &cobra.Command{
		Use:   "audit",
		Short: "Show the audit record: who did what and why",
		Long: `Shows the audit record, the newest entries last. The record is written before
the act, is never changed, and each entry is chained to all before it.`,
		Example: `  musterline audit --since 24h
  musterline audit --team platform --account ada-l
  musterline audit --run 17
  musterline audit --all --json > audit.jsonl
  musterline audit --since 7d --csv > audit.csv
  musterline audit verify`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return answer.OneOf("command", args[0], []string{"verify"})
		},
		RunE: func(command *cobra.Command, _ []string) error {
			if asCSV && (asJSON || filter.Limit > 0) {
				return answer.Usagef("--csv writes all entries that are chosen, and goes with neither --json nor --limit")
			}
			d, err := c.look(command.Context())
			if err != nil {
				return err
			}
			defer d.close()
			if filter.Since, err = moment(since, c.now()); err != nil {
				return err
			}
			if asCSV {
				return d.ExportCSV(command.Context(), filter, c.stdout)
			}
			if asJSON && filter.All {
				return d.Export(command.Context(), filter, c.stdout)
			}
			found, err := d.Audit(command.Context(), filter)
			if err != nil {
				return err
			}
			if asJSON {
				return view.WriteJSON(c.stdout, found.Form())
			}
			view.Audit(c.screen(), found, c.now())
			return nil
		},
	}
	command.Flags().StringVar(&filter.Target, "target", "", "only entries of this `target`")
	command.Flags().StringVar(&filter.Team, "team", "", "only entries of this `team`, by slug or target/slug")
	command.Flags().StringVar(&filter.Account, "account", "", "only entries of this `account`, by login, number or source/user")
	command.Flags().StringVar(&filter.Run, "run", "", "only entries of this `run`")
	command.Flags().StringVar(&since, "since", "", "only entries since a `moment`: 24h, 7d, 2026-08-21, 2026-08-21T12:00Z")
	command.Flags().IntVar(&filter.Limit, "limit", 0, "the newest `n` entries (default 100)")
	command.Flags().BoolVar(&filter.All, "all", false, "all entries; with --json as one line of JSON each")
	jsonFlag(command, &asJSON)
	command.Flags().BoolVar(&asCSV, "csv", false, "all entries that are chosen, as comma-separated values for a spreadsheet")
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
	return time.Time{}, answer.Usagef("%q is no moment", text).WithHint("write a span such as 24h or 7d, or a day such as 2026-08-21")
}

func (c *cli) auditVerifyCommand() *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "verify",
		Short: "Check that nobody has changed the audit record",
		Long: `Walks the whole audit record and checks the chain with the key file. It prints
the head: kept elsewhere, it proves later that the record was not set back.`,
		Example: "  musterline audit verify",
		Args:    arguments(0, 0, ""),
		RunE: func(command *cobra.Command, _ []string) error {
			d, err := c.look(command.Context())
			if err != nil {
				return err
			}
			defer d.close()
			verified, err := d.Verify(command.Context())
			if err != nil {
				return err
			}
			return tell(c, asJSON, verified, view.Verified)
		},
	}
	jsonFlag(command, &asJSON)
	return command
}
