package guard

import (
	"fmt"

	"musterline.example/plan"
)

// organizationRemovals objects when all teams together lose more than the limit, 500 by default, planned and done in the last 24 hours
// together. It is the last line: it holds when every share of every source and team looks ordinary.
type organizationRemovals struct{ settings Settings }

func (organizationRemovals) Name() string { return "organization_removals" }

func (g organizationRemovals) Check(p *plan.Plan, f Facts) []Objection {
	leavers := removals(p, func(*plan.TeamChange, plan.Change) bool { return true })
	gone := 0
	for d := range recent(f) {
		if d.removal() {
			gone++
		}
	}
	limit := g.settings.OrganizationRemovals
	if len(leavers) == 0 || !limit.passed(len(leavers)+gone, f.OrganizationMembers) {
		return nil
	}
	return []Objection{{
		Guard: g.Name(), Changes: leavers,
		Message: fmt.Sprintf("%s: %s from its teams%s (limit %s)",
			p.Target, many(len(leavers)+gone, "removal"), within24h(gone), figure(limit.of(f.OrganizationMembers))),
		WayOut: wayOut(p.Target, onlyGuard(g.Name()), "read the plan team by team; nothing is removed until somebody approves."),
	}}
}
