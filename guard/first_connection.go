package guard

import (
	"fmt"

	"musterline.example/plan"
	"musterline.example/team"
)

// firstConnection objects to removals from a team that was never in line before: its members were put there by hand, and the group may be
// the wrong one. GitHub removes them at once. It protects members whom the ledger does not know, until a run leaves none of them
// waiting. By default it holds at any number.
type firstConnection struct{ settings Settings }

func (firstConnection) Name() string { return "first_connection" }

func (g firstConnection) Check(p *plan.Plan, f Facts) []Objection {
	var objections []Objection
	for v := range views(p, f, g.settings, g.Name()) {
		if v.settings.FirstConnection == Apply || v.facts.Connected || v.Create != nil {
			continue
		}
		strangers := pick(v.TeamChange, v.Remove, func(ch plan.Change) bool {
			return !v.facts.Known[ch.Account] && !disconnected(ch) && !onlyFor(ch, team.CreatorLeaves)
		})
		if len(strangers) == 0 {
			continue
		}
		o := v.objection(g.Name(), strangers)
		o.Message = fmt.Sprintf("%s would lose %s of %s at its first connection", v.Slug, figure(len(strangers)), many(v.Members, "member"))
		o.WayOut = wayOut(p.Target, onlyTeam(v.Slug), "put the people into a mapped group, map another group, or set the team's mode to additive.")
		objections = append(objections, o)
	}
	return objections
}
