package guard

import (
	"fmt"

	"musterline.example/plan"
)

// emptyGroup objects to removals from a team when a group behind it had members in an earlier complete read and has none now: that is
// how a filter, a lost permission and a slip of the hand look. By default it holds at any size.
type emptyGroup struct{ settings Settings }

func (emptyGroup) Name() string { return "empty_group" }

func (g emptyGroup) Check(p *plan.Plan, f Facts) []Objection {
	var objections []Objection
	for v := range views(p, f, g.settings, g.Name()) {
		if v.settings.EmptyGroup == Apply || len(v.facts.Emptied) == 0 {
			continue
		}
		leavers := pick(v.TeamChange, v.Remove, func(ch plan.Change) bool { return !disconnected(ch) })
		if len(leavers) == 0 {
			continue
		}
		o := v.objection(g.Name(), leavers)
		o.Message = fmt.Sprintf("%s would lose %s of %s: %s had members and is empty now",
			v.Slug, figure(len(leavers)), many(v.Members, "member"), names(v.facts.Emptied))
		o.WayOut = wayOut(p.Target, onlyTeam(v.Slug), "see at the identity provider why the group is empty, and whether our credential still sees its members.")
		objections = append(objections, o)
	}
	return objections
}
