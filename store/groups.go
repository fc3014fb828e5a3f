package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"musterline.example/directory"
	"musterline.example/mapping"
	"musterline.example/store/internal/db"
	"musterline.example/team"
)

// A ListedGroup is a group as the last complete read of its source listed it.
type ListedGroup struct {
	ID          directory.GroupID
	Name        string
	Description string
	Place       string // in the list of its source: bytes to go on from, which tell the folded name before the first zero byte
}

// endOfGroups is past every place in a list: no UTF-8 holds the byte.
const endOfGroups = "\xff"

// ListGroups lists the groups of a source whose name begins with prefix, without regard to case, in order of folded name and id as bytes:
// at most n of them, and only those past the place after. Groups that the last complete read no longer had are none of them.
func (s *Store) ListGroups(ctx context.Context, source, prefix, after string, n int) ([]ListedGroup, error) {
	from, before := fold(prefix), endOfGroups
	if from != "" {
		before = from + endOfGroups
	}
	rows, err := s.queries.PageGroups(ctx, db.PageGroupsParams{
		Source: source, After: []byte(max(from, after)), Before: []byte(before), N: int32(n),
	})
	if err != nil {
		return nil, fmt.Errorf("list groups of source %s: %w", source, err)
	}
	groups := make([]ListedGroup, len(rows))
	for i, r := range rows {
		groups[i] = ListedGroup{directory.GroupID(r.ID), r.Name, r.Description, string(r.Folded)}
	}
	return groups, nil
}

// ListedGroup returns a group that the last complete read of its source listed; ErrNotFound when it did not.
func (s *Store) ListedGroup(ctx context.Context, source string, id directory.GroupID) (ListedGroup, error) {
	r, err := s.queries.GetGroup(ctx, db.GetGroupParams{Source: source, ID: string(id)})
	if errors.Is(err, sql.ErrNoRows) {
		return ListedGroup{}, fmt.Errorf("group of source %s: %w", source, ErrNotFound)
	}
	if err != nil {
		return ListedGroup{}, fmt.Errorf("read group of source %s: %w", source, err)
	}
	return ListedGroup{directory.GroupID(r.ID), r.Name, r.Description, string(r.Folded)}, nil
}

// A Mapped is a mapping of a team with the group that it names, as that was listed last; without a name the group is not known.
type Mapped struct {
	mapping.Mapping
	ListedName        string
	ListedDescription string
}

// MappedGroups returns the mappings of a team with their groups, in the order in which they came. Mappings that no run has settled yet are
// found by what was written for the team: its slug or its name.
func (s *Store) MappedGroups(ctx context.Context, target string, of team.Team) ([]Mapped, error) {
	rows, err := s.queries.GetMapped(ctx, db.GetMappedParams{Target: target, TeamID: string(of.ID), Slug: of.Slug, Name: of.Name})
	if err != nil {
		return nil, fmt.Errorf("read mappings of team %s: %w", of.ID, err)
	}
	all := make([]Mapped, len(rows))
	for i, r := range rows {
		m, err := mappingOf(db.Mapping{
			Target: target, ID: r.ID, Origin: r.Origin, Team: r.Team, TeamID: r.TeamID, Source: r.Source, GroupName: r.GroupName, GroupID: r.GroupID,
			Role: r.Role, Mode: r.Mode, Echo: r.Echo, // that a team is to be created is nobody's question here
		})
		if err != nil {
			return nil, err
		}
		all[i] = Mapped{m, r.ListedName, r.ListedDescription}
	}
	return all, nil
}
