package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"musterline.example/cmd/musterline/view"
	"musterline.example/guard"
	"musterline.example/plan"
	"musterline.example/reconcile"
)

func (c *cli) applyCommand() *cobra.Command {
	var yes, detailed bool
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
			if !yes && !c.asks() {
				return c.confirm(yes, "")
			}
			h, err := c.hold(command.Context(), "apply")
			if err != nil {
				return err
			}
			defer h.close()
			names, digests, err := h.toApply(args)
			if err != nil {
				return err
			}
			if err := h.open(command.Context(), "person", names); err != nil {
				return err
			}
			objected := false
			for _, name := range names {
				left, err := h.apply(command.Context(), name, digests[name], yes, c.person(by))
				if err != nil {
					return err
				}
				objected = objected || left > 0
			}
			if detailed && objected {
				c.code = exitObjected
			}
			return nil
		},
	}
	command.Flags().BoolVar(&yes, "yes", false, "do not ask; answers apply: approve, and no other guard")
	command.Flags().BoolVar(&detailed, "detailed-exitcode", false, "exit with 3 when objections remain")
	byFlag(command, &by)
	return command
}

func byFlag(command *cobra.Command, by *string) {
	command.Flags().StringVar(by, "by", "", "`who` does this, for the audit record (default: the user of the operating system)")
}

// toApply reads the words behind apply: a saved plan, a target, or both.
func (h *house) toApply(args []string) (names []string, digests map[string]string, err error) {
	digests = make(map[string]string)
	var targets []string
	saved := false
	for _, arg := range args {
		if slices.Contains(h.targetNames(), arg) || saved || !exists(arg) {
			targets = append(targets, arg)
			continue
		}
		if digests, err = readPlan(arg); err != nil {
			return nil, nil, err
		}
		saved = true
	}
	if names, err = h.targets(targets); err != nil {
		return nil, nil, err
	}
	if !saved {
		return names, digests, nil
	}
	if len(targets) == 0 {
		for name := range digests {
			if err := oneOf("target", name, h.targetNames()); err != nil {
				return nil, nil, err
			}
		}
		names = slices.DeleteFunc(names, func(name string) bool { return digests[name] == "" })
	}
	for _, name := range names {
		if digests[name] == "" {
			return nil, nil, usagef("the saved plan is not for %s", name)
		}
	}
	return names, digests, nil
}

// readPlan reads what plan --out has saved: the digest of the plan of each target.
func readPlan(path string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the saved plan: %w", err)
	}
	var saved view.Plans
	if err := json.Unmarshal(text, &saved); err != nil || saved.Format == 0 {
		return nil, usagef("%s is no saved plan", path).hint("make one with: musterline plan --out FILE")
	}
	if saved.Format != view.Format {
		return nil, usagef("%s was saved by another version (format %d, we read %d)", path, saved.Format, view.Format).
			hint("make a new one with: musterline plan --out FILE")
	}
	digests := make(map[string]string)
	for _, p := range saved.Plans {
		digests[p.Target] = p.Digest
	}
	return digests, nil
}

// apply shows the plan of one target, asks, and carries it out. It returns how many changes guards stop.
func (h *house) apply(ctx context.Context, name, digest string, yes bool, by string) (objected int, err error) {
	if h.config.Targets[name].Apply == guard.ApplyOff {
		return 0, withHint(failf("%s is set to apply: off: its plans are only shown", name), "set targets."+name+".apply to approve or auto in the configuration")
	}
	decision, err := reconcile.Plan(ctx, h.deps, name)
	if err != nil {
		return 0, err
	}
	if digest != "" && digest != decision.Plan.Digest {
		return 0, moved(name)
	}
	shown := h.view(ctx, decision)
	shown.Objections, shown.Brief = answered(decision.Objections), true
	s := h.cli.screen()
	shown.Text(s)
	objected = guard.Count(shown.Objections)
	free := free(decision.Plan, shown.Objections)
	if free == 0 {
		return objected, nil
	}
	s.Blank()
	if err := h.refusePaused(ctx, name); err != nil {
		return 0, err
	}
	if err := h.cli.confirm(yes, fmt.Sprintf("Make %s to %s?", these(free), name)); err != nil {
		return 0, err
	}
	done, err := h.carryOut(ctx, name, free, reconcile.Budget{
		Run: reconcile.Run{Trigger: "person", Requester: by}, Answered: true, Digest: decision.Plan.Digest,
	}, s)
	if errors.Is(err, reconcile.ErrMoved) {
		return 0, moved(name)
	}
	done.Text(s)
	return done.Objected, firstError(err, done.err())
}

func moved(name string) error {
	return withHint(failf("%s: %w", name, reconcile.ErrMoved), "look at it again: musterline plan "+view.Quote(name))
}

// answered leaves out what a person's yes answers.
func answered(objections []guard.Objection) []guard.Objection {
	return slices.DeleteFunc(slices.Clone(objections), func(o guard.Objection) bool { return o.Guard == "approval" })
}

// these points at changes that a question is about: "this change", "these 3 changes".
func these(n int) string {
	if n == 1 {
		return "this change"
	}
	return "these " + view.Count(n, "change")
}

// free counts the changes that nothing stops.
func free(p *plan.Plan, objections []guard.Objection) int {
	stopped := guard.Stopped(objections)
	n := 0
	for i := range p.Teams {
		t := &p.Teams[i]
		for _, ch := range t.Changes() {
			if len(stopped[guard.RefOf(t, ch)]) == 0 {
				n++
			}
		}
		if t.Create != nil && len(t.Changes()) == 0 && len(stopped[guard.RefOf(t, plan.Change{Act: guard.Creation})]) == 0 {
			n++
		}
	}
	return n
}

// refusePaused is the refusal of everything that writes to a paused target.
func (h *house) refusePaused(ctx context.Context, name string) error {
	p, err := h.paused(ctx, name)
	if err != nil || p == "" {
		return err
	}
	return withHint(failf("%s is paused %s", name, p), "to let it run again: musterline resume "+view.Quote(name))
}

// paused says by whom a target is paused, since when and why; nothing when it runs.
func (h *house) paused(ctx context.Context, name string) (string, error) {
	p, err := h.deps.Memory.Paused(ctx, name)
	if err != nil || p.By == "" {
		return "", err
	}
	return fmt.Sprintf("by %s since %s: %s", p.By, view.Moment(p.At, h.cli.now()), p.Reason), nil
}
