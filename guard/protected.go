package guard

import (
	"fmt"
	"slices"

	"musterline.example/plan"
	"musterline.example/team"
)

// protected objects to removals of our own account, without which nothing more can be done, and of accounts that the settings protect.
// Our own account does leave a team that it has just made for others.
// Mapping keeps them already: this is the second lock, and when it holds something is wrong.
type protected struct{ settings Settings }

func (protected) Name() string { return "protected" }

func (g protected) Check(p *plan.Plan, f Facts) []Objection {
	var objections []Objection
	for v := range views(p, f, g.settings, g.Name()) {
		safe := func(ch plan.Change) bool {
			mine := ch.Account != "" && ch.Account == f.Place.Self && !onlyFor(ch, team.CreatorLeaves)
			return mine || slices.Contains(v.settings.Protected, string(ch.Account))
		}
		var logins []string
		refs := pick(v.TeamChange, v.Remove, func(ch plan.Change) bool {
			if safe(ch) {
				logins = append(logins, ch.Login)
			}
			return safe(ch)
		})
		if len(refs) == 0 {
			continue
		}
		o := v.objection(g.Name(), refs)
		o.Message = fmt.Sprintf("%s would lose %s, protected; the mapping should have kept them", v.Slug, names(logins))
		o.WayOut = wayOut(p.Target, onlyTeam(v.Slug), "report it: a plan that removes a protected account is a mistake of ours.")
		objections = append(objections, o)
	}
	return objections
}
