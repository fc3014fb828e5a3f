package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"musterline.example/answer"
	"musterline.example/cmd/musterline/view"
	"musterline.example/guard"
	"musterline.example/internal/words"
)

func (c *cli) applyCommand() *cobra.Command {
	var yes, detailed, asJSON bool
	var by string
	command := &cobra.Command{
		Use:   "apply [FILE] [TARGET]",
		Short: "Show a plan, ask, and carry it out",
		Long: `Shows what would change, asks, and carries it out, with the time that is left.
What guards object to is left alone. With a FILE that plan --out has saved it
carries out exactly that plan, or refuses because the world has moved since.`,
		Example: `  musterline apply
  musterline apply octo --yes
  musterline plan --out friday.plan && musterline apply friday.plan`,
		Args:              arguments(0, 2, "a file and a target"),
		ValidArgsFunction: c.completeTargets,
		RunE: func(command *cobra.Command, args []string) error {
			if err := c.canAsk(yes); err != nil {
				return err
			}
			d, err := c.hold(command.Context(), "apply")
			if err != nil {
				return err
			}
			defer d.close()
			targets, digests, err := d.toApply(command.Context(), args)
			if err != nil {
				return err
			}
			all := answer.Synced{Format: answer.Format, Targets: []answer.Done{}}
			for _, t := range targets {
				done, err := c.apply(command.Context(), d, t, digests[t.Name], yes, asJSON, c.person(by))
				if err != nil {
					return err
				}
				all.Targets = append(all.Targets, done.Form())
				if done.Objected > 0 && detailed {
					c.code = exitObjected
				}
			}
			if asJSON {
				return view.WriteJSON(c.stdout, all)
			}
			return nil
		},
	}
	command.Flags().BoolVar(&yes, "yes", false, "do not ask; answers apply: approve, and no other guard")
	command.Flags().BoolVar(&detailed, "detailed-exitcode", false, "exit with 3 when objections remain")
	byFlag(command, &by)
	jsonFlag(command, &asJSON)
	return command
}

func byFlag(command *cobra.Command, by *string) {
	command.Flags().StringVar(by, "by", "", "`who` does this, for the audit record (default: the user of the operating system)")
}

// toApply reads the words behind apply: a saved plan, a target, or both.
func (d desk) toApply(ctx context.Context, args []string) (chosen []answer.ConfiguredTarget, digests map[string]string, err error) {
	configured, err := d.Configured(ctx)
	if err != nil {
		return nil, nil, err
	}
	known := configured.TargetNames()
	digests = make(map[string]string)
	var targets []string
	saved := false
	for _, arg := range args {
		if slices.Contains(known, arg) || saved || !exists(arg) {
			targets = append(targets, arg)
			continue
		}
		if digests, err = readPlan(arg); err != nil {
			return nil, nil, err
		}
		saved = true
	}
	names, err := configured.Choose(targets)
	if err != nil {
		return nil, nil, err
	}
	if saved && len(targets) == 0 {
		for name := range digests {
			if err := answer.OneOf("target", name, known); err != nil {
				return nil, nil, err
			}
		}
		names = slices.DeleteFunc(names, func(name string) bool { return digests[name] == "" })
	}
	for _, name := range names {
		if saved && digests[name] == "" {
			return nil, nil, answer.Usagef("the saved plan is not for %s", name)
		}
		chosen = append(chosen, configured.Target(name))
	}
	return chosen, digests, nil
}

// readPlan reads what plan --out has saved: the digest of the plan of each target.
func readPlan(path string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the saved plan: %w", err)
	}
	var saved answer.Plans
	if err := json.Unmarshal(text, &saved); err != nil || saved.Format == 0 {
		return nil, answer.Usagef("%s is no saved plan", path).WithHint("make one with: musterline plan --out FILE")
	}
	if saved.Format != answer.Format {
		return nil, answer.Usagef("%s was saved by another version (format %d, we read %d)", path, saved.Format, answer.Format).
			WithHint("make a new one with: musterline plan --out FILE")
	}
	digests := make(map[string]string)
	for _, p := range saved.Plans {
		digests[p.Target] = p.Digest
	}
	return digests, nil
}

// apply shows the plan of one target, asks, and carries it out.
func (c *cli) apply(ctx context.Context, d desk, t answer.ConfiguredTarget, digest string, yes, asJSON bool, by string) (answer.Done, error) {
	name := t.Name
	if t.Apply == guard.ApplyOff {
		return answer.Done{}, answer.Errorf(answer.Conflict, "%s is set to apply: off: its plans are only shown", name).
			WithHint("set targets." + name + ".apply to approve or auto in the configuration")
	}
	p, err := d.Plan(ctx, name)
	if err != nil {
		return answer.Done{}, err
	}
	if digest != "" && digest != p.Digest {
		return answer.Done{}, answer.Moved(name)
	}
	p = p.Answered()
	s := c.page(asJSON)
	view.Plan{Plan: p, Now: c.now(), Brief: true}.Text(s)
	free := p.Free()
	if free == 0 {
		return answer.NothingDone(p), nil
	}
	s.Blank()
	if paused := p.Setting().Paused; paused != nil {
		return answer.Done{}, answer.Errorf(answer.Halted, "%s is paused %s", name, view.Paused(*paused, c.now())).
			WithHint("to let it run again: musterline resume " + words.Quote(name))
	}
	if err := c.confirm(s, yes, fmt.Sprintf("Make %s to %s?", these(free), name)); err != nil {
		return answer.Done{}, err
	}
	done, err := c.watch(ctx, s, free, func(tell func(answer.Progress)) (answer.Done, error) {
		return d.Sync(ctx, answer.SyncWish{Target: name, Trigger: answer.Person, By: by, Digest: p.Digest, Answered: true}, tell)
	})
	if err != nil && answer.ErrorOf(err).Class == answer.Conflict {
		return done, err
	}
	if err != nil && done.Beside != nil && done.Beside.Planned == nil {
		done.Beside.Left = free // it did not come to a plan of its own, and the one that was shown is not done
	}
	if err == nil {
		err = c.outcome(done)
	}
	if done.Words().Paused == nil {
		view.Done(s, done)
	}
	return done, err
}

// these points at changes that a question is about: "this change", "these 3 changes".
func these(n int) string {
	if n == 1 {
		return "this change"
	}
	return "these " + words.Count(n, "change")
}
