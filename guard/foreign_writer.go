package guard

import (
	"fmt"

	"musterline.example/plan"
	"musterline.example/team"
)

// foreignWriter objects to all changes of a team in which somebody writes under our own credential whom we know nothing of: a second
// Musterline or a script. Two who each put right what the other did never end.
type foreignWriter struct{ settings Settings }

func (foreignWriter) Name() string { return "foreign_writer" }

func (g foreignWriter) Check(p *plan.Plan, f Facts) []Objection {
	writes := make(map[team.ID][]Unintended)
	for _, u := range f.Unintended {
		writes[u.Team] = append(writes[u.Team], u)
	}
	var objections []Objection
	for v := range views(p, f, g.settings, g.Name()) {
		found := writes[v.Team]
		if len(found) == 0 || v.Create != nil || v.Empty() {
			continue
		}
		last := found[0]
		for _, u := range found {
			if u.At.After(last.At) {
				last = u
			}
		}
		o := v.objection(g.Name(), refsOf(v.TeamChange))
		o.Message = fmt.Sprintf("%s was changed under our own credential by somebody else: %s, the last %s ago; this stops %s",
			v.Slug, many(len(found), "write"), span(f.Now.Sub(last.At)), many(len(o.Changes), "change"))
		o.WayOut = wayOut(p.Target, onlyTeam(v.Slug), "find the other program that uses this credential, stop it, or give it one of its own.")
		objections = append(objections, o)
	}
	return objections
}
