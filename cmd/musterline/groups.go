package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"musterline.example/cmd/musterline/view"
	"musterline.example/directory"
	"musterline.example/source"
)

func (c *cli) groupsCommand() *cobra.Command {
	var prefix string
	var asJSON bool
	command := &cobra.Command{
		Use:   "groups [SOURCE]",
		Short: "List the groups of the sources, and the teams they are mapped to",
		Example: `  musterline groups
  musterline groups corp --prefix gh-`,
		Args: arguments(0, 1, "a source"),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			h, err := c.configured()
			if err != nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return h.sourceNames(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(command *cobra.Command, args []string) error {
			h, err := c.look(command.Context())
			if err != nil {
				return err
			}
			defer h.close()
			names := h.sourceNames()
			if len(args) == 1 {
				if err := oneOf("source", args[0], names); err != nil {
					return err
				}
				names = args
			}
			list := view.Groups{Groups: []view.Group{}}
			var failed []error
			for _, name := range names {
				groups, err := h.groups(command.Context(), name, prefix)
				if err != nil {
					failed = append(failed, fmt.Errorf("source %s: %w", name, err))
					continue
				}
				list.Groups = append(list.Groups, groups...)
			}
			if asJSON {
				_ = view.WriteJSON(c.stdout, list)
			} else {
				list.Text(c.screen())
			}
			return errors.Join(failed...)
		},
	}
	command.Flags().StringVar(&prefix, "prefix", "", "only groups whose name begins with this `text`")
	jsonFlag(command, &asJSON)
	return command
}

// groups lists the groups of one source in order of name.
func (h *house) groups(ctx context.Context, name, prefix string) ([]view.Group, error) {
	if err := h.openSource(ctx, name); err != nil {
		return nil, err
	}
	found, err := listGroups(ctx, h.deps.Sources[name], prefix)
	if err != nil {
		return nil, err
	}
	teams, err := h.mappedTo(ctx)
	if err != nil {
		return nil, err
	}
	var groups []view.Group
	for _, g := range found {
		groups = append(groups, view.Group{Source: name, ID: string(g.ID), Name: g.Name, Description: g.Description,
			Teams: append([]string{}, teams(name, g)...)})
	}
	return groups, nil
}

// mappedTo returns what tells to which teams, as target/team, a group is mapped.
func (h *house) mappedTo(ctx context.Context) (func(source string, g directory.Group) []string, error) {
	teams := make(map[[2]string][]string)
	for _, target := range h.targetNames() {
		mappings, err := h.mappings(ctx, target)
		if err != nil {
			return nil, err
		}
		for _, m := range mappings {
			key := [2]string{m.Source, cmp.Or(string(m.GroupID), m.Group)}
			teams[key] = append(teams[key], target+"/"+m.Team)
		}
	}
	return func(source string, g directory.Group) []string {
		all := slices.Concat(teams[[2]string{source, string(g.ID)}], teams[[2]string{source, g.Name}])
		slices.Sort(all)
		return slices.Compact(all)
	}, nil
}

// listGroups asks a source for its groups, by their beginning where it can.
func listGroups(ctx context.Context, s source.Source, prefix string) ([]directory.Group, error) {
	var found []directory.Group
	if searcher, ok := s.(source.Searcher); ok && prefix != "" {
		for page := (source.Page{Size: 100}); ; {
			groups, next, err := searcher.SearchGroups(ctx, prefix, page)
			if err != nil {
				return nil, err
			}
			found = append(found, groups...)
			if next.Token == "" {
				break
			}
			page = next
		}
	} else {
		snapshot, err := s.Snapshot(ctx, source.Selection{})
		if err != nil {
			return nil, err
		}
		found = slices.Collect(maps.Values(snapshot.Groups))
		found = slices.DeleteFunc(found, func(g directory.Group) bool {
			return !strings.HasPrefix(strings.ToLower(g.Name), strings.ToLower(prefix))
		})
	}
	slices.SortFunc(found, func(a, b directory.Group) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return found, nil
}
