package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"musterline.example/cmd/musterline/view"
	"musterline.example/store"
	"musterline.example/target"
	"musterline.example/team"
)

func (c *cli) teamsCommand() *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "teams [TARGET]",
		Short: "List the teams of the targets, and the groups they are mapped to",
		Example: `  musterline teams
  musterline teams octo --json | jq '.teams[] | select(.groups == [])'`,
		Args:              arguments(0, 1, "a target"),
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
			list := view.Teams{Teams: []view.Team{}}
			var failed []error
			for _, name := range names {
				teams, err := h.teams(command.Context(), name)
				if err != nil {
					failed = append(failed, fmt.Errorf("target %s: %w", name, err))
					continue
				}
				list.Teams = append(list.Teams, teams...)
			}
			if asJSON {
				_ = view.WriteJSON(c.stdout, list)
			} else {
				list.Text(c.screen())
			}
			return errors.Join(failed...)
		},
	}
	jsonFlag(command, &asJSON)
	return command
}

// teams lists the teams of one target in order of slug.
func (h *house) teams(ctx context.Context, name string) ([]view.Team, error) {
	if err := h.openTarget(ctx, "person", name); err != nil {
		return nil, err
	}
	mappings, err := h.mappings(ctx, name)
	if err != nil {
		return nil, err
	}
	connected := make(map[team.ID]bool)
	if h.store != nil {
		place, err := h.store.Place(ctx, name)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		at, err := h.store.Connected(ctx, place)
		if err != nil {
			return nil, err
		}
		for id := range at {
			connected[id] = true
		}
	}
	var all []view.Team
	slugs := make(map[team.ID]string)
	for page := (target.Page{Size: 100}); ; {
		teams, next, err := h.deps.Targets[name].List(ctx, page)
		if err != nil {
			return nil, err
		}
		for _, t := range teams {
			slugs[t.ID] = t.Slug
			shown := view.Team{Target: name, ID: string(t.ID), Slug: t.Slug, Name: t.Name, Parent: string(t.Parent), Connected: connected[t.ID], Foreign: t.Foreign, Groups: []string{}}
			for _, m := range mappings {
				if m.TeamID == t.ID || m.TeamID == "" && (m.Team == t.Slug || m.Team == t.Name) {
					shown.Groups = append(shown.Groups, m.Source+"/"+m.Group)
				}
			}
			slices.Sort(shown.Groups)
			all = append(all, shown)
		}
		if next.Token == "" {
			break
		}
		page = next
	}
	for i := range all {
		if slug, ok := slugs[team.ID(all[i].Parent)]; ok {
			all[i].Parent = slug
		}
	}
	return all, nil
}
