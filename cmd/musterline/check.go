package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"musterline.example/catalog"
	"musterline.example/cmd/musterline/view"
	"musterline.example/directory"
	"musterline.example/internal/secret"
	"musterline.example/source"
	"musterline.example/store"
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
			report := c.check(command.Context())
			if asJSON {
				_ = view.WriteJSON(c.stdout, report)
			} else {
				report.Text(c.screen())
			}
			if n := report.Troubles(); n > 0 {
				return failf("%s to look at", view.Count(n, "trouble"))
			}
			return nil
		},
	}
	jsonFlag(command, &asJSON)
	return command
}

// check tries everything and stops at nothing: whoever puts things right wants to know of all of it.
func (c *cli) check(ctx context.Context) view.Check {
	report := view.Check{Now: c.now()}
	h, err := c.configured()
	if err != nil {
		report.Add(view.Checked{What: "configuration", Trouble: []string{err.Error()}})
		return report
	}
	report.Add(view.Checked{What: "configuration", Name: h.config.Path, Facts: []string{strings.Join([]string{
		view.Count(len(h.config.Sources), "source"), view.Count(len(h.config.Targets), "target"),
		view.Count(len(h.config.Mappings), "mapping"), view.Count(len(h.config.Rules), "rule"),
	}, ", ")}})
	report.Add(h.checkDatabase(ctx))
	listed := make(map[string]*directory.Snapshot)
	for _, name := range h.sourceNames() {
		checked, snapshot := h.checkSource(ctx, name)
		report.Add(checked)
		listed[name] = snapshot
	}
	for _, name := range h.targetNames() {
		report.Add(h.checkTarget(ctx, name))
	}
	for _, m := range h.config.Mappings {
		s := listed[m.Source]
		if s == nil {
			continue
		}
		if _, byID := s.Groups[directory.GroupID(m.Group)]; !byID && len(s.Find(m.Group)) == 0 {
			report.Add(view.Checked{What: "mapping", Name: m.ID, Trouble: []string{fmt.Sprintf("source %s lists no group %q: correct the name, or ask whether the credential may see it", m.Source, m.Group)}})
		}
	}
	return report
}

func (h *house) checkDatabase(ctx context.Context) view.Checked {
	checked := view.Checked{What: "database"}
	key, keyErr := secret.Open(h.config.KeyFile)
	s, err := store.Open(ctx, h.config.Database.Reveal(), store.Options{Key: key, Now: h.cli.now, Log: h.deps.Logger, ReadOnly: true})
	switch {
	case errors.Is(err, store.ErrNoDatabase):
		checked.Facts = append(checked.Facts, "not there yet: the first command that writes makes it")
		return checked
	case err != nil:
		checked.Trouble = append(checked.Trouble, err.Error())
		return checked
	}
	defer func() { _ = s.Shut() }()
	h.store = s
	switch {
	case errors.Is(keyErr, fs.ErrNotExist):
		checked.Trouble = append(checked.Trouble, fmt.Sprintf("the key file %s is missing: put it back from the backup", h.config.KeyFile))
	case keyErr != nil:
		checked.Trouble = append(checked.Trouble, keyErr.Error())
	default:
		checked.Facts = append(checked.Facts, "opens with its key file")
	}
	h.store = nil
	return checked
}

func (h *house) checkSource(ctx context.Context, name string) (view.Checked, *directory.Snapshot) {
	kind := catalog.Sources()[h.config.Sources[name].Kind]
	checked := view.Checked{What: "source", Name: name, Kind: kind.Title}
	if err := h.openSource(ctx, name); err != nil {
		checked.Trouble = append(checked.Trouble, err.Error())
		return checked, nil
	}
	began := h.cli.now()
	snapshot, err := h.deps.Sources[name].Snapshot(ctx, source.Selection{})
	if err != nil {
		checked.Trouble = append(checked.Trouble, err.Error())
		return checked, nil
	}
	checked.Facts = append(checked.Facts, fmt.Sprintf("lists %s, in %s", view.Count(len(snapshot.Groups), "group"), view.Span(h.cli.now().Sub(began))))
	return checked, snapshot
}

// soon is how long before its end a credential is spoken of.
const soon = 14 * 24 * time.Hour

func (h *house) checkTarget(ctx context.Context, name string) view.Checked {
	kind := catalog.Targets()[h.config.Targets[name].Kind]
	checked := view.Checked{What: "target", Name: name, Kind: kind.Title}
	if err := h.openTarget(ctx, "person", name); err != nil {
		checked.Trouble = append(checked.Trouble, err.Error())
		return checked
	}
	standing, err := h.deps.Targets[name].Probe(ctx)
	if standing.Place.Organization != "" {
		checked.Facts = append(checked.Facts, fmt.Sprintf("organization %s on %s", standing.Place.Organization, standing.Place.Host))
	}
	checked.Credential, checked.Has, checked.Needs, checked.Extra = standing.Credential, standing.Has, standing.Needs, standing.Extra
	checked.Expires, checked.Warnings = standing.Expires, slices.Clone(standing.Warnings)
	if err != nil {
		checked.Trouble = append(checked.Trouble, err.Error())
		return checked
	}
	if len(standing.Needs) > 0 {
		checked.Trouble = append(checked.Trouble, "the credential lacks "+view.List(standing.Needs)+": without it nothing can be changed")
	}
	if left := standing.Expires.Sub(h.cli.now()); !standing.Expires.IsZero() && left < soon {
		checked.Warnings = append(checked.Warnings, fmt.Sprintf("the credential ends in %s: renew it", view.Span(max(left, 0))))
	}
	return checked
}
