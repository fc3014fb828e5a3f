package guard

import (
	"fmt"

	"musterline.example/plan"
	"musterline.example/team"
)

// disabledUsers objects when more than 5 % of a source's users, and at least three, turn inactive at once. A status that is read from the
// wrong attribute makes everybody a leaver.
//
// It counts the users who turned inactive since the last complete read, or those whose removal for it still waits, whichever are more: a
// removal that was held once must not go through because the next read no longer shows a jump.
type disabledUsers struct{ settings Settings }

func (disabledUsers) Name() string { return "disabled_users" }

func (g disabledUsers) Check(p *plan.Plan, f Facts) []Objection {
	var objections []Objection
	for _, name := range sources(p, f) {
		s := f.Sources[name]
		users := s.Now.Users
		if len(s.History) > 0 {
			users = max(users, s.History[0].Users) // a source may leave out the users whom it has disabled
		}
		inactive := max(s.Disabled, people(p, name, team.UserDisabled))
		leavers := removals(p, func(c *plan.TeamChange, ch plan.Change) bool {
			return because(ch, team.UserDisabled) && ofSource(c, ch, name)
		})
		limit := g.settings.DisabledUsers
		if len(leavers) == 0 || !limit.passed(inactive, users) {
			continue
		}
		objections = append(objections, Objection{
			Guard: g.Name(), Source: name, Changes: leavers,
			Message: fmt.Sprintf("%s: %s of %s turned inactive at once (limit %s); %s would follow",
				name, figure(inactive), many(users, "user"), figure(limit.of(users)), many(len(leavers), "removal")),
			WayOut: wayOut(p.Target, onlyGuard(g.Name()), "see at the identity provider whether these people are disabled, and which attribute the source reads their status from."),
		})
	}
	return objections
}
