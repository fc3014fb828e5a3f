package guard

import (
	"fmt"
	"slices"

	"musterline.example/plan"
)

// sourceRemovals objects when the facts of one source take out more than its limit, in all teams and with the last 24 hours: max(25, 5 %)
// of the memberships of its mapped groups a day ago; or when more than 20 % of its mapped groups, and at least three, have shrunk
// since then. Many small losses in many teams pass every team's own limit and are one large loss all the same.
//
// A removal belongs to every source that its team's mappings name.
type sourceRemovals struct{ settings Settings }

func (sourceRemovals) Name() string { return "source_removals" }

func (g sourceRemovals) Check(p *plan.Plan, f Facts) []Objection {
	var objections []Objection
	for _, name := range sources(p, f) {
		s := f.Sources[name]
		leavers := removalsOf(p, name)
		if len(leavers) == 0 {
			continue
		}
		o := Objection{Guard: g.Name(), Source: name, Changes: leavers}
		gone := 0
		for d := range recent(f) {
			if d.removal() && slices.Contains(d.Sources, name) {
				gone++
			}
		}
		limit, shrunk := g.settings.SourceRemovals, g.settings.SourceShrunk
		switch all := len(leavers) + gone; {
		case limit.passed(all, s.Memberships):
			o.Message = fmt.Sprintf("%s: %s of %s%s (limit %s)",
				name, many(all, "removal"), many(s.Memberships, "membership"), within24h(gone), figure(limit.of(s.Memberships)))
		case s.Groups > 0 && shrunk.passed(len(s.Shrunk), s.Groups):
			o.Message = fmt.Sprintf("%s: %s of %s have fewer members than a day ago (limit %s): %s",
				name, figure(len(s.Shrunk)), many(s.Groups, "mapped group"), figure(shrunk.of(s.Groups)), names(s.Shrunk))
		default:
			continue
		}
		o.WayOut = wayOut(p.Target, onlyGuard(g.Name()), "see whether the identity provider has lost people or our credential has lost sight of them.")
		objections = append(objections, o)
	}
	return objections
}
