package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"musterline.example/mapping"
	"musterline.example/store/internal/db"
	"musterline.example/team"
)

// A Membership is why somebody is in a team.
type Membership struct {
	Team  team.ID
	Row   mapping.Entry
	Entry int64 // of the audit record, which last changed it
}

// LedgerOf returns the rows of the ledger of one account in an organization, in order of team.
func (s *Store) LedgerOf(ctx context.Context, place team.Place, account team.AccountID) ([]Membership, error) {
	rows, err := s.queries.GetLedgerOfAccount(ctx, db.GetLedgerOfAccountParams{
		Host: place.Host, OrganizationID: place.OrganizationID, Account: string(account),
	})
	if err != nil {
		return nil, fmt.Errorf("read the ledger of account %s: %w", account, err)
	}
	all := make([]Membership, 0, len(rows))
	for _, r := range rows {
		one := mapping.Ledger{}
		if err := ledgerAdd(one, lists{}, db.GetLedgerOfTeamRow(r)); err != nil {
			return nil, fmt.Errorf("read the ledger of account %s: %w", account, err)
		}
		id := team.ID(r.Team)
		all = append(all, Membership{Team: id, Row: one[id][0], Entry: r.Entry})
	}
	slices.SortFunc(all, func(a, b Membership) int { return cmp.Compare(a.Team, b.Team) })
	return all, nil
}
