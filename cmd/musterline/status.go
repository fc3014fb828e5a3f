package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"musterline.example/cmd/musterline/view"
	"musterline.example/guard"
	"musterline.example/mapping"
	"musterline.example/store"
	"musterline.example/team"
)

func (c *cli) statusCommand() *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "status [TARGET…]",
		Short: "Show the last runs, what waits, and how old the sources are",
		Long: `Shows from memory, without asking anybody: teams connected, the last run, what
waits for a person, who is held, what is paused, and the age of the sources.`,
		Example:           "  musterline status",
		Args:              arguments(0, -1, ""),
		ValidArgsFunction: c.completeTargets,
		RunE: func(command *cobra.Command, args []string) error {
			h, err := c.look(command.Context())
			if err != nil {
				return err
			}
			defer h.close()
			names, err := h.targets(args)
			if err != nil {
				return err
			}
			status, err := h.status(command.Context(), names)
			if err != nil {
				return err
			}
			if asJSON {
				return view.WriteJSON(c.stdout, status)
			}
			status.Text(c.screen())
			return nil
		},
	}
	jsonFlag(command, &asJSON)
	return command
}

func (h *house) status(ctx context.Context, names []string) (view.Status, error) {
	status := view.Status{Now: h.cli.now(), Database: h.store != nil, Targets: []view.TargetStatus{}, Sources: []view.SourceStatus{}}
	for _, name := range names {
		t, err := h.targetStatus(ctx, name)
		if err != nil {
			return status, err
		}
		status.Targets = append(status.Targets, t)
	}
	var known []store.SourceState
	if h.store != nil {
		var err error
		if known, err = h.store.Sources(ctx); err != nil {
			return status, err
		}
	}
	for _, name := range h.sourceNames() {
		s := view.SourceStatus{Name: name, Kind: h.config.Sources[name].Kind}
		if i := slices.IndexFunc(known, func(k store.SourceState) bool { return k.Name == name }); i >= 0 {
			k := known[i]
			s.ReadAt, s.Failure, s.FailedAt = k.ReadAt, k.Failure, k.FailedAt
			s.Groups, s.Users = k.Shape.Groups, k.Shape.Users
		}
		status.Sources = append(status.Sources, s)
	}
	return status, nil
}

func (h *house) targetStatus(ctx context.Context, name string) (view.TargetStatus, error) {
	t := view.TargetStatus{Name: name, Kind: h.config.Targets[name].Kind, Apply: h.config.Targets[name].Apply, Guards: []string{}}
	mappings, err := h.mappings(ctx, name)
	if err != nil {
		return t, err
	}
	t.Mapped = mappedTeams(mappings)
	if h.store == nil {
		return t, nil
	}
	place, err := h.store.Place(ctx, name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return t, err
	}
	if err == nil {
		t.Organization = fmt.Sprintf("%s on %s", place.Organization, place.Host)
		connected, err := h.store.Connected(ctx, place)
		if err != nil {
			return t, err
		}
		t.Connected = len(connected)
	}
	pause, err := h.store.Paused(ctx, name)
	if err != nil {
		return t, err
	}
	if pause.By != "" {
		t.Paused = &view.Pause{By: pause.By, Reason: pause.Reason, At: pause.At}
	}
	runs, err := h.store.Runs(ctx, name, "", 1)
	if err != nil {
		return t, err
	}
	for _, r := range runs {
		t.Run = &view.RunStatus{
			ID: r.ID, Trigger: r.Trigger, Undoes: r.Undoes, Requester: r.Requester, StartedAt: r.StartedAt, FinishedAt: r.FinishedAt,
			State: r.Report.State, Done: r.Report.Done, Failed: r.Report.Failed, Error: r.Report.Error,
		}
	}
	last, err := h.store.LastPlan(ctx, name)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return t, nil
	case err != nil:
		return t, err
	}
	t.Objected = guard.Count(last.Objections)
	for _, o := range last.Objections {
		if len(o.Changes) > 0 && !slices.Contains(t.Guards, o.Guard) {
			t.Guards = append(t.Guards, o.Guard)
		}
	}
	s := last.Plan.Summary()
	t.Held, t.HeldPeople, t.Refused = s.Held, s.People, len(last.Plan.Refused)
	return t, nil
}

// mappedTeams counts the teams that mappings name.
func mappedTeams(mappings []mapping.Mapping) int {
	teams := make(map[string]bool)
	for _, m := range mappings {
		if m.TeamID != team.ID("") {
			teams[string(m.TeamID)] = true
		} else {
			teams["by name: "+m.Team] = true
		}
	}
	return len(teams)
}
