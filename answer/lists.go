package answer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"musterline.example/directory"
	"musterline.example/mapping"
	"musterline.example/source"
	"musterline.example/store"
	"musterline.example/target"
	"musterline.example/team"
)

// Groups is what `groups` lists.
type Groups struct {
	Groups []Group `json:"groups"`
	Next   string  `json:"next,omitempty"` // the page that follows; empty: there is none
}

// A Group is one group of a source.
type Group struct {
	Source      string   `json:"source"`
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"`
	Teams       []string `json:"teams"` // target/team that it is mapped to, or will be by a rule with the next sync
}

// A GroupsWish asks for groups of a source.
type GroupsWish struct {
	Source string `json:"source"`
	Prefix string `json:"prefix,omitempty"` // of the name

	// Size is how many groups a page holds, Next the page that an answer has named. A Size of 0 asks for all at once. A source that cannot
	// look groups up is read anew for each page.
	Size int    `json:"size,omitempty"`
	Next string `json:"next,omitempty"`
}

// Groups lists the groups of a source, in order of name; a page of a source that looks groups up is in the order of that source.
func (h *House) Groups(ctx context.Context, wish GroupsWish) (Groups, error) {
	s, err := h.source(ctx, wish.Source)
	if err != nil {
		return Groups{}, err
	}
	found, next, err := listGroups(ctx, s, wish)
	if err != nil {
		return Groups{}, fmt.Errorf("source %s: %w", wish.Source, err)
	}
	teams, err := h.mappedTo(ctx, wish.Source, found)
	if err != nil {
		return Groups{}, err
	}
	page := Groups{Groups: []Group{}, Next: next}
	for _, g := range found {
		page.Groups = append(page.Groups, Group{
			Source: wish.Source, ID: string(g.ID), Name: g.Name, Description: g.Description, Teams: append([]string{}, teams(wish.Source, g)...),
		})
	}
	return page, nil
}

// mappedTo returns what tells to which teams, as target/team, a group among those listed of a source is mapped by the next run, which asks the
// rules anew. Of several groups that a rule would make one team it maps none; those on another page are not known here.
func (h *House) mappedTo(ctx context.Context, source string, listed []directory.Group) (func(source string, g directory.Group) []string, error) {
	snapshot := &directory.Snapshot{Source: source, Groups: make(map[directory.GroupID]directory.Group, len(listed))}
	for _, g := range listed {
		snapshot.Groups[g.ID] = g
	}
	teams := make(map[[2]string][]string)
	for _, target := range h.targetNames() {
		mappings, err := h.mappings(ctx, target)
		if err != nil {
			return nil, err
		}
		rules := slices.DeleteFunc(slices.Clone(h.Config.Rules), func(r mapping.Rule) bool { return r.Target != target })
		mappings, _, _ = mapping.Expand(rules, mappings, map[string]mapping.Reading{source: {Snapshot: snapshot}})
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

// listGroups asks a source for its groups, by their beginning or page by page where it can.
func listGroups(ctx context.Context, s source.Source, wish GroupsWish) (found []directory.Group, next string, err error) {
	searcher, searches := s.(source.Searcher)
	if searches && wish.Size > 0 {
		groups, page, err := searcher.SearchGroups(ctx, wish.Prefix, source.Page{Size: wish.Size, Token: wish.Next})
		return groups, page.Token, err
	}
	if searches && wish.Prefix != "" {
		found, err = searchGroups(ctx, searcher, wish.Prefix)
	} else {
		found, err = groupsNamed(ctx, s, wish.Prefix)
	}
	if err != nil {
		return nil, "", err
	}
	slices.SortFunc(found, func(a, b directory.Group) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	if wish.Size == 0 {
		return found, "", nil
	}
	from, err := strconv.Atoi(cmp.Or(wish.Next, "0"))
	if err != nil || from < 0 {
		return nil, "", Usagef("there is no such page")
	}
	found = found[min(from, len(found)):]
	if len(found) > wish.Size {
		found, next = found[:wish.Size], strconv.Itoa(from+wish.Size)
	}
	return found, next, nil
}

func searchGroups(ctx context.Context, s source.Searcher, prefix string) (found []directory.Group, err error) {
	for page := (source.Page{Size: 100}); ; {
		groups, next, err := s.SearchGroups(ctx, prefix, page)
		if err != nil {
			return nil, err
		}
		found = append(found, groups...)
		if next.Token == "" {
			return found, nil
		}
		page = next
	}
}

func groupsNamed(ctx context.Context, s source.Source, prefix string) ([]directory.Group, error) {
	snapshot, err := s.Snapshot(ctx, source.Selection{})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Collect(maps.Values(snapshot.Groups)), func(g directory.Group) bool {
		return !strings.HasPrefix(strings.ToLower(g.Name), strings.ToLower(prefix))
	}), nil
}

// Teams is what `teams` lists.
type Teams struct {
	Teams []Team `json:"teams"`
}

// A Team is one team of a target.
type Team struct {
	Target    string   `json:"target"`
	ID        string   `json:"id"`
	Slug      string   `json:"slug"`
	Name      string   `json:"name"`
	Parent    string   `json:"parent,omitempty"` // its slug
	Groups    []string `json:"groups"`           // source/group mapped to it
	Connected bool     `json:"connected"`        // its first connection has ended
	Foreign   string   `json:"foreign,omitempty"`
}

// Teams lists the teams of a target, in order of slug.
func (h *House) Teams(ctx context.Context, name string) (Teams, error) {
	at, err := h.target(ctx, Person, name)
	if err != nil {
		return Teams{}, err
	}
	teams, err := h.teams(ctx, name, at)
	if err != nil {
		return Teams{}, fmt.Errorf("target %s: %w", name, err)
	}
	return Teams{Teams: list(teams)}, nil
}

func (h *House) teams(ctx context.Context, name string, from target.Target) ([]Team, error) {
	mappings, err := h.mappings(ctx, name)
	if err != nil {
		return nil, err
	}
	connected := make(map[team.ID]bool)
	if h.Store != nil {
		place, err := h.Store.Place(ctx, name)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		at, err := h.Store.Connected(ctx, place)
		if err != nil {
			return nil, err
		}
		for id := range at {
			connected[id] = true
		}
	}
	var all []Team
	slugs := make(map[team.ID]string)
	for page := (target.Page{Size: 100}); ; {
		teams, next, err := from.List(ctx, page)
		if err != nil {
			return nil, err
		}
		for _, t := range teams {
			slugs[t.ID] = t.Slug
			shown := Team{Target: name, ID: string(t.ID), Slug: t.Slug, Name: t.Name, Parent: string(t.Parent), Connected: connected[t.ID], Foreign: t.Foreign, Groups: []string{}}
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
