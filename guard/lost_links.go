package guard

import (
	"fmt"

	"musterline.example/plan"
	"musterline.example/team"
)

// lostLinks objects when more than max(3, 5 %) of a source's linked identities are revoked at once. A new certificate, another NameID
// format or a renamed attribute takes away everybody's identity, and nobody has left.
//
// Like disabledUsers it counts those of this read or those whose removal still waits, whichever are more.
type lostLinks struct{ settings Settings }

func (lostLinks) Name() string { return "lost_links" }

func (g lostLinks) Check(p *plan.Plan, f Facts) []Objection {
	var objections []Objection
	for _, name := range sources(p, f) {
		s := f.Sources[name]
		lost := max(s.LinksLost, people(p, name, team.LinkRevoked))
		leavers := removals(p, func(c *plan.TeamChange, ch plan.Change) bool {
			return because(ch, team.LinkRevoked) && ofSource(c, ch, name)
		})
		limit := g.settings.LostLinks
		if len(leavers) == 0 || !limit.passed(lost, s.LinksBefore) {
			continue
		}
		objections = append(objections, Objection{
			Guard: g.Name(), Source: name, Changes: leavers,
			Message: fmt.Sprintf("%s: %s of %s revoked at once (limit %s); %s would follow",
				name, figure(lost), figure(s.LinksBefore)+" linked identities", figure(limit.of(s.LinksBefore)), many(len(leavers), "removal")),
			WayOut: wayOut(p.Target, onlyGuard(g.Name()), "see what has changed in single sign-on or in the attribute that holds the login."),
		})
	}
	return objections
}
