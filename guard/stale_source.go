package guard

import (
	"fmt"
	"slices"

	"musterline.example/plan"
)

// staleSource warns when the last complete read of a source is older than 24 hours, and objects to every removal that belongs to it from
// 7 days on: who left a group and came back since is not in the picture. The warning names no changes.
//
// Of a source that is no longer configured nothing is known at all; what a person has disconnected may go all the same.
type staleSource struct{ settings Settings }

func (staleSource) Name() string { return "stale_source" }

func (g staleSource) Check(p *plan.Plan, f Facts) []Objection {
	warn, freeze := g.settings.StaleWarn, g.settings.StaleFreeze
	var objections []Objection
	for _, name := range sources(p, f) {
		s, configured := f.Sources[name]
		age := f.Now.Sub(s.ReadAt)
		never := s.ReadAt.IsZero()
		o := Objection{Guard: g.Name(), Source: name, Message: fmt.Sprintf("%s was last read in full %s ago", name, span(age))}
		switch {
		case never && configured:
			o.Message = name + " has never been read in full"
		case never:
			o.Message = name + " is not configured"
		}
		wrong := "see under the source's last error why it cannot be read."
		switch {
		case freeze >= 0 && (never || age > freeze):
			for i := range p.Teams {
				c := &p.Teams[i]
				if slices.Contains(c.Sources, name) {
					o.Changes = append(o.Changes, pick(c, c.Remove, func(ch plan.Change) bool { return configured || !disconnected(ch) })...)
				}
			}
			if len(o.Changes) == 0 && !configured {
				continue
			}
			o.Message += fmt.Sprintf(" (limit %s)", span(freeze))
			if len(o.Changes) > 0 {
				o.Message += "; this stops " + many(len(o.Changes), "removal")
			}
			o.WayOut = wayOut(p.Target, onlyGuard(g.Name()), wrong)
		case warn >= 0 && (never || age > warn):
			o.Message += fmt.Sprintf(" (limit %s)", span(warn))
			o.WayOut = "Nothing is stopped. To end this warning, " + wrong
		default:
			continue
		}
		objections = append(objections, o)
	}
	return objections
}
