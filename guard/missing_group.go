package guard

import (
	"fmt"

	"musterline.example/plan"
)

// missingReads is how many complete reads must agree that a group is gone. One read may have met it in the middle of a move.
const missingReads = 2

// missingGroup objects to removals from a team when a mapped group is no longer listed: deleted, renamed out of a filter, or out of our
// sight. By default a group must be gone for 24 hours and two complete reads; then it counts as empty.
type missingGroup struct{ settings Settings }

func (missingGroup) Name() string { return "missing_group" }

func (g missingGroup) Check(p *plan.Plan, f Facts) []Objection {
	var objections []Objection
	for v := range views(p, f, g.settings, g.Name()) {
		wait := v.settings.MissingGroup
		if wait < 0 {
			continue
		}
		var gone []string
		var since string
		for _, m := range v.facts.Missing {
			if age := f.Now.Sub(m.Since); age < wait || m.Reads < missingReads {
				gone = append(gone, m.Name)
				since = fmt.Sprintf("for %s and %s", span(age), many(m.Reads, "complete read"))
			}
		}
		leavers := pick(v.TeamChange, v.Remove, func(ch plan.Change) bool { return !disconnected(ch) })
		if len(gone) == 0 || len(leavers) == 0 {
			continue
		}
		o := v.objection(g.Name(), leavers)
		o.Message = fmt.Sprintf("%s would lose %s of %s: %s %s gone, %s (it counts as empty after %s and %d complete reads)",
			v.Slug, figure(len(leavers)), many(v.Members, "member"), names(gone), be(len(gone)), since, span(wait), missingReads)
		o.WayOut = wayOut(p.Target, onlyTeam(v.Slug), "bring the group back, or map the team to another one.")
		objections = append(objections, o)
	}
	return objections
}
