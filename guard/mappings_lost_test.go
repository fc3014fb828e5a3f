package guard_test

import (
	"fmt"
	"testing"

	"musterline.example/team"
)

// The configuration file is cut short by a bad merge: 4 of 20 teams are not in it.
func mappingsLostWorld() *world {
	w := calm()
	for i := range 4 {
		slug := fmt.Sprintf("cut-%d", i)
		w.team(slug, 12).Unmapped = true
		w.remove(slug, 12, team.TeamUnmapped)
	}
	w.facts.MappingsLost = 4
	return w
}

func TestMappingsLostNeedsANumberAndAShare(t *testing.T) {
	w := mappingsLostWorld()
	w.says(t, "octo: 4 of 20 mapped teams lost their mappings in one load of the configuration (limit 3); 48 removals would follow", "mappings_lost")
	w.facts.MappingsBefore = 40
	w.silent(t)
	w.facts.MappingsBefore, w.facts.MappingsLost = 4, 3
	w.silent(t)
}

func TestMappingsLostStopsUnmappedTeamsOnly(t *testing.T) {
	w := mappingsLostWorld()
	w.remove("web", 2, team.NotInGroup)
	if a, _ := w.approve(); len(refs(a.Plan())) != 2 {
		t.Errorf("approved %v; want the team that is mapped", refs(a.Plan()))
	}
}
