package guard

import (
	"fmt"
	"slices"
	"strings"

	"musterline.example/plan"
)

// shapeReads is how many earlier reads it takes to know what a source usually looks like.
const shapeReads = 2

// sourceShape objects when a source looks other than in its last seven complete reads: its groups, its users, the share of users who are
// linked or the share who are active differ from the median by more than 10 %, and by five at least. Such a jump means that we see
// it with other eyes, for a lost scope, a renamed attribute, another filter, and that its facts are no ground to remove anybody.
//
// It stops removals only: an addition rests on a group and a link that were seen, and what is out of sight adds nobody.
type sourceShape struct{ settings Settings }

func (sourceShape) Name() string { return "source_shape" }

func (g sourceShape) Check(p *plan.Plan, f Facts) []Objection {
	var objections []Objection
	for _, name := range sources(p, f) {
		s := f.Sources[name]
		if len(s.History) < shapeReads {
			continue
		}
		jumps := g.jumps(s.Now, s.History)
		leavers := removalsOf(p, name)
		if len(jumps) == 0 || len(leavers) == 0 {
			continue
		}
		objections = append(objections, Objection{
			Guard: g.Name(), Source: name, Changes: leavers,
			Message: fmt.Sprintf("%s looks other than in its last %d reads: %s (limit %d %%); this stops %s",
				name, len(s.History), strings.Join(jumps, ", "), g.settings.SourceShape.Percent, many(len(leavers), "removal")),
			WayOut: wayOut(p.Target, onlyGuard(g.Name()), "check what our credential may see, and the names of attributes and filters in the source's settings."),
		})
	}
	return objections
}

// jumps says how a shape differs from what is usual. Of the shares it says how many people they are too many or too few.
func (g sourceShape) jumps(now Shape, history []Shape) []string {
	var jumps []string
	compare := func(what string, is, usual int) {
		if g.settings.SourceShape.passed(max(is-usual, usual-is), usual) {
			jumps = append(jumps, fmt.Sprintf("%s %s, usually %s", figure(is), what, figure(usual)))
		}
	}
	compare("groups", now.Groups, median(history, func(s Shape) int { return s.Groups }))
	compare("users", now.Users, median(history, func(s Shape) int { return s.Users }))
	share := func(what string, of func(Shape) int) {
		const parts = 1_000_000
		usual := median(history, func(s Shape) int { return of(s) * parts / max(s.Users, 1) })
		compare(what, of(now), usual*now.Users/parts)
	}
	share("linked users", func(s Shape) int { return s.Linked })
	share("active users", func(s Shape) int { return s.Active })
	return jumps
}

// median returns the middle one of a figure's values, the lower of the two when their number is even.
func median(shapes []Shape, figure func(Shape) int) int {
	values := make([]int, 0, len(shapes))
	for _, s := range shapes {
		values = append(values, figure(s))
	}
	slices.Sort(values)
	return values[(len(values)-1)/2]
}
