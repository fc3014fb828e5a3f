package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"musterline.example/answer"
	"musterline.example/cmd/musterline/view"
	"musterline.example/internal/words"
)

func (c *cli) planCommand() *cobra.Command {
	var out string
	var detailed, asJSON bool
	command := &cobra.Command{
		Use:   "plan [TARGET…]",
		Short: "Show what a sync would change, and why",
		Long: `Reads the sources and the targets and shows what a sync would change, with the
reason for every change, the people who are held, the mappings that are refused,
and what guards object to. It writes nothing: not to the target, not to the
database.`,
		Example: `  musterline plan
  musterline plan octo --out friday.plan     then: musterline apply friday.plan
  musterline plan --detailed-exitcode        0 nothing, 2 changes, 3 objections
  musterline plan --json | jq '.plans[].summary'`,
		Args:              arguments(0, -1, ""),
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
			var plans []answer.Plan
			var failed []error
			for _, name := range names {
				p, err := d.Plan(command.Context(), name)
				if err != nil {
					failed = append(failed, err)
					continue
				}
				plans = append(plans, p)
			}
			c.showPlans(plans, asJSON)
			if err := errors.Join(failed...); err != nil {
				return err
			}
			if out != "" {
				if err := save(out, plans); err != nil {
					return err
				}
				if !asJSON {
					c.screen().Para(0, "Saved as %s. To carry out exactly this: musterline apply %s", out, words.Quote(out))
				}
			}
			if detailed {
				c.code = planCode(plans)
			}
			return nil
		},
	}
	command.Flags().StringVar(&out, "out", "", "save the plan to a `file`, for apply")
	command.Flags().BoolVar(&detailed, "detailed-exitcode", false, "exit with 0 when there is nothing to do, 2 for changes, 3 for objections")
	jsonFlag(command, &asJSON)
	return command
}

func jsonFlag(command *cobra.Command, asJSON *bool) {
	command.Flags().BoolVar(asJSON, "json", false, "print JSON, for programs")
}

func (c *cli) showPlans(plans []answer.Plan, asJSON bool) {
	if asJSON {
		_ = view.WriteJSON(c.stdout, inForm(plans)) // nothing in a plan cannot be encoded
		return
	}
	s := c.screen()
	for i, p := range plans {
		if i > 0 {
			s.Blank()
		}
		view.Plan{Plan: p, Now: c.now()}.Text(s)
	}
}

// inForm puts plans into the form that programs rely on.
func inForm(plans []answer.Plan) answer.Plans {
	all := answer.Plans{Format: answer.Format, Plans: []answer.Plan{}}
	for _, p := range plans {
		all.Plans = append(all.Plans, p.Form())
	}
	return all
}

// planCode is what --detailed-exitcode says of plans.
func planCode(plans []answer.Plan) int {
	code := exitDone
	for _, p := range plans {
		switch {
		case p.Summary.Objected > 0:
			return exitObjected
		case !p.Empty():
			code = exitChanges
		}
	}
	return code
}

// save writes plans to a file in the form of plan --json: people can read it, and apply needs no more than target and digest.
func save(path string, plans []answer.Plan) error {
	var text bytes.Buffer
	if err := view.WriteJSON(&text, inForm(plans)); err != nil {
		return fmt.Errorf("save the plan: %w", err)
	}
	if err := os.WriteFile(filepath.Clean(path), text.Bytes(), 0o600); err != nil {
		return fmt.Errorf("save the plan: %w", err)
	}
	return nil
}
