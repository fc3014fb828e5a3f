package guard

import (
	"fmt"

	"musterline.example/plan"
)

// approval objects to every change while the settings say that plans wait for a person. A waiver answers it, and so does the person who
// said yes to this very plan (Facts.ApprovedByHand); that yes answers no other guard.
type approval struct{ settings Settings }

func (approval) Name() string { return "approval" }

func (g approval) Check(p *plan.Plan, f Facts) []Objection {
	if f.ApprovedByHand {
		return nil
	}
	o := Objection{Guard: g.Name()}
	teams := 0
	for v := range views(p, f, g.settings, g.Name()) {
		if v.settings.Apply == ApplyApprove && !v.Empty() {
			o.Changes = append(o.Changes, refsOf(v.TeamChange)...)
			teams++
		}
	}
	if len(o.Changes) == 0 {
		return nil
	}
	o.Message = fmt.Sprintf("%s waits for a person (apply: approve) with %s in %s", p.Target, many(len(o.Changes), "change"), many(teams, "team"))
	o.WayOut = wayOut(p.Target, onlyGuard(g.Name()), "change the groups or the mappings; nothing is done until somebody approves.")
	return []Objection{o}
}
