package guard_test

import (
	"fmt"
	"testing"

	"musterline.example/guard"
	"musterline.example/plan"
	"musterline.example/team"
)

// Six large sources lose a little each, in teams so large that nobody else notices.
func organizationRemovalsWorld() *world {
	w := calm()
	for i := range 6 {
		source, slug := fmt.Sprintf("source-%d", i), fmt.Sprintf("large-%d", i)
		f := w.facts.Sources["corp"]
		f.Memberships = 5000
		w.facts.Sources[source] = f
		w.team(slug, 1000).Sources = []string{source}
		w.remove(slug, 100, team.NotInGroup)
	}
	return w
}

func TestOrganizationRemovalsIsTheLastLine(t *testing.T) {
	w := organizationRemovalsWorld()
	w.says(t, "octo: 600 removals from its teams (limit 500)", "organization_removals")
	w.settings.OrganizationRemovals = guard.Limit{Max: 600}
	w.silent(t)
	w.done("web", 5, plan.Cancel)
	w.says(t, "octo: 605 removals from its teams, 5 of them in the last 24 h (limit 600)", "organization_removals")
}
