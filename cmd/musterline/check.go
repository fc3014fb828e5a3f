package main

import (
	"context"

	"github.com/spf13/cobra"

	"musterline.example/answer"
	"musterline.example/cmd/musterline/view"
	"musterline.example/internal/words"
)

func (c *cli) checkCommand() *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "check",
		Short: "Check the configuration, and reach every source and target",
		Long: `Reads the configuration, reaches every source and every target, and says of each
credential what it has, what it lacks, what it should not have, and when it
ends. It changes nothing. Exit code 1 says that something needs a person.`,
		Example: "  musterline check",
		Args:    arguments(0, 0, ""),
		RunE: func(command *cobra.Command, _ []string) error {
			report, err := c.check(command.Context())
			if err != nil {
				return err
			}
			if asJSON {
				_ = view.WriteJSON(c.stdout, report)
			} else {
				view.Check(c.screen(), report, c.now())
			}
			if n := report.Troubles(); n > 0 {
				return answer.Errorf(answer.Failed, "%s to look at", words.Count(n, "trouble"))
			}
			return nil
		},
	}
	jsonFlag(command, &asJSON)
	return command
}

// check begins with the configuration itself, and opens no database: how that opens is among the things to be checked.
func (c *cli) check(ctx context.Context) (report answer.Check, err error) {
	if server, err := c.server(); err != nil {
		return report, err
	} else if server != nil {
		return server.Check(ctx)
	}
	h, err := c.house()
	if err != nil {
		report.Add(answer.Checked{What: "configuration", Trouble: []string{err.Error()}})
		return report, nil //nolint:nilerr // it stands in the report
	}
	return h.Check(ctx)
}
