package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"musterline.example/mapping"
	"musterline.example/store/internal/db"
	"musterline.example/team"
)

var members = table{
	name: "members",
	key:  []string{"host", "organization_id", "account"},
	columns: []string{
		"host", "organization_id", "account", "login", "since", "left_at", "invited", "invited_at", "declined",
	},
}

// SaveMembers remembers who is a member of the organization. Who was one and is not named has left at that moment; who came back is no
// former member any more. Rows that say the same already are not written.
func (s *Store) SaveMembers(ctx context.Context, place team.Place, accounts []team.Account, at time.Time) error {
	return s.write(ctx, "save members", func(t *tx) error {
		before, err := t.GetMembers(ctx, db.GetMembersParams{Host: place.Host, OrganizationID: place.OrganizationID})
		if err != nil {
			return err
		}
		known := make(map[string]db.GetMembersRow, len(before))
		for _, m := range before {
			known[m.Account] = m
		}
		var changed []db.GetMembersRow
		for _, a := range accounts {
			m, there := known[string(a.ID)]
			delete(known, string(a.ID))
			if there && m.LeftAt == 0 && m.Login == a.Login {
				continue
			}
			if !there || m.LeftAt != 0 {
				m = db.GetMembersRow{Account: string(a.ID), Since: micros(at)}
			}
			m.Login = a.Login
			changed = append(changed, m)
		}
		for _, m := range known {
			if m.LeftAt == 0 {
				m.LeftAt = micros(at)
				changed = append(changed, m)
			}
		}
		return t.put(ctx, members, len(changed), func(i int) []any {
			m := &changed[i]
			return []any{place.Host, place.OrganizationID, m.Account, m.Login, m.Since, m.LeftAt, m.Invited, m.InvitedAt, m.Declined}
		})
	})
}

// Members returns who is a member of the organization as of the last run, by login.
func (s *Store) Members(ctx context.Context, place team.Place) (map[string]team.AccountID, error) {
	rows, err := s.queries.GetMembers(ctx, db.GetMembersParams{Host: place.Host, OrganizationID: place.OrganizationID})
	if err != nil {
		return nil, fmt.Errorf("read members: %w", err)
	}
	logins := make(map[string]team.AccountID, len(rows))
	for _, r := range rows {
		if r.LeftAt == 0 {
			logins[r.Login] = team.AccountID(r.Account)
		}
	}
	return logins, nil
}

// Former returns who was a member of the organization once and is not now.
func (s *Store) Former(ctx context.Context, place team.Place) (map[team.AccountID]mapping.Former, error) {
	rows, err := s.queries.GetFormer(ctx, db.GetFormerParams{Host: place.Host, OrganizationID: place.OrganizationID})
	if err != nil {
		return nil, fmt.Errorf("read former members: %w", err)
	}
	former := make(map[team.AccountID]mapping.Former, len(rows))
	for _, r := range rows {
		former[team.AccountID(r.Account)] = mapping.Former{
			Login: r.Login, LeftAt: moment(r.LeftAt), Invited: int(r.Invited), LastAt: moment(r.InvitedAt), Declined: r.Declined,
		}
	}
	return former, nil
}

// SaveDeclined remembers that former members declined an invitation, that somebody cancelled it, or that their account was deleted: they
// are not invited again until they have come back by themselves.
func (s *Store) SaveDeclined(ctx context.Context, place team.Place, accounts []team.AccountID) error {
	if len(accounts) == 0 {
		return nil
	}
	return s.write(ctx, "save declined invitations", func(t *tx) error {
		for _, a := range slices.Compact(slices.Sorted(slices.Values(accounts))) {
			if err := t.DeclineInvitation(ctx, db.DeclineInvitationParams{
				Host: place.Host, OrganizationID: place.OrganizationID, Account: string(a), Declined: true,
			}); err != nil {
				return err
			}
		}
		return nil
	})
}

var protected = table{name: "protected", columns: []string{"target", "login", "account"}}

// Protected returns the accounts that the protected logins of a target were settled to.
func (s *Store) Protected(ctx context.Context, target string) (map[string]team.AccountID, error) {
	rows, err := s.queries.GetProtected(ctx, target)
	if err != nil {
		return nil, fmt.Errorf("read protected accounts: %w", err)
	}
	pins := make(map[string]team.AccountID, len(rows))
	for _, r := range rows {
		pins[r.Login] = team.AccountID(r.Account)
	}
	return pins, nil
}

// SaveProtected replaces what the protected logins of a target are settled to. When nothing changes, nothing is written.
func (s *Store) SaveProtected(ctx context.Context, target string, pins map[string]team.AccountID) error {
	before, err := s.Protected(ctx, target)
	if err != nil || maps.Equal(before, pins) {
		return err
	}
	logins := slices.Sorted(maps.Keys(pins))
	return s.write(ctx, "save protected accounts", func(t *tx) error {
		if err := t.DeleteProtected(ctx, target); err != nil {
			return err
		}
		return t.put(ctx, protected, len(logins), func(i int) []any { return []any{target, logins[i], string(pins[logins[i]])} })
	})
}
