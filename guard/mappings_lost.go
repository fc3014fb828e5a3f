package guard

import (
	"fmt"

	"musterline.example/plan"
)

// mappingsLost objects when one load of the configuration file leaves more than 3 mapped teams, and more than 10 % of them, without a
// mapping: a file that was cut short reads like an order to empty teams. It stops the removals of unmapped teams.
type mappingsLost struct{ settings Settings }

func (mappingsLost) Name() string { return "mappings_lost" }

func (g mappingsLost) Check(p *plan.Plan, f Facts) []Objection {
	limit := g.settings.MappingsLost
	if !limit.passed(f.MappingsLost, f.MappingsBefore) {
		return nil
	}
	leavers := removals(p, func(c *plan.TeamChange, _ plan.Change) bool { return c.Unmapped })
	if len(leavers) == 0 {
		return nil
	}
	return []Objection{{
		Guard: g.Name(), Changes: leavers,
		Message: fmt.Sprintf("%s: %s of %s lost their mappings in one load of the configuration (limit %s); %s would follow",
			p.Target, figure(f.MappingsLost), many(f.MappingsBefore, "mapped team"), figure(limit.of(f.MappingsBefore)), many(len(leavers), "removal")),
		WayOut: wayOut(p.Target, onlyGuard(g.Name()), "put the mappings back into the file and load it again."),
	}}
}
