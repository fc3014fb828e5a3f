package guard

import (
	"fmt"

	"musterline.example/plan"
	"musterline.example/team"
)

// teamRemovals objects when a team loses more than its limit, planned and done in the last 24 hours together: max(5, 20 %) of its size a
// day ago, and 3 for teams under 10 members, of which a share says little. A limit that is set for one team holds for it at any size.
type teamRemovals struct{ settings Settings }

func (teamRemovals) Name() string { return "team_removals" }

func (g teamRemovals) Check(p *plan.Plan, f Facts) []Objection {
	before := recently(f, func(d Done) bool { return d.removal() && d.Rule != team.TeamUnmapped })
	var objections []Objection
	for v := range views(p, f, g.settings, g.Name()) {
		leavers := pick(v.TeamChange, v.Remove, func(ch plan.Change) bool { return !disconnected(ch) })
		gone, size := before[v.Team], v.members24()
		limit := v.removalsLimit()
		if len(leavers) == 0 || !limit.passed(len(leavers)+gone, size) {
			continue
		}
		o := v.objection(g.Name(), leavers)
		o.Message = fmt.Sprintf("%s would lose %s of %s%s (limit %s)",
			v.Slug, figure(len(leavers)+gone), many(v.Members+gone, "member"), within24h(gone), figure(limit.of(size)))
		o.WayOut = wayOut(p.Target, onlyTeam(v.Slug), "see in the plan why they leave, and put it right at the identity provider or in the mapping.")
		objections = append(objections, o)
	}
	return objections
}

// removalsLimit returns the limit that holds for a team of this size.
func (v view) removalsLimit() Limit {
	if own := v.facts.Settings; own != nil && own.TeamRemovals != (Limit{}) && own.TeamRemovalsSmall == (Limit{}) {
		return own.TeamRemovals
	}
	if v.members24() < smallTeam {
		return v.settings.TeamRemovalsSmall
	}
	return v.settings.TeamRemovals
}
