package guard

import (
	"fmt"

	"musterline.example/plan"
)

// teamAdditions objects when a team that is in line already gains more than its limit, planned and done in the last 24 hours together:
// max(25, 100 %) of its size a day ago. Somebody has put a large group into a small one, or mapped the wrong one. A first
// connection and a new team are expected to bring many.
type teamAdditions struct{ settings Settings }

func (teamAdditions) Name() string { return "team_additions" }

func (g teamAdditions) Check(p *plan.Plan, f Facts) []Objection {
	before := recently(f, func(d Done) bool { return d.Act == plan.Add })
	var objections []Objection
	for v := range views(p, f, g.settings, g.Name()) {
		came, size, limit := before[v.Team], v.members24(), v.settings.TeamAdditions
		if !v.facts.Connected || len(v.Add) == 0 || !limit.passed(len(v.Add)+came, size) {
			continue
		}
		o := v.objection(g.Name(), pick(v.TeamChange, v.Add, func(plan.Change) bool { return true }))
		o.Message = fmt.Sprintf("%s would gain %s on top of %s%s (limit %s)",
			v.Slug, figure(len(v.Add)+came), many(size, "member"), within24h(came), figure(limit.of(size)))
		o.WayOut = wayOut(p.Target, onlyTeam(v.Slug), "see in the plan which group brings them, and take it out of the mapping or out of the mapped group.")
		objections = append(objections, o)
	}
	return objections
}
