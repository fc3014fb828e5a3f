package guard_test

import (
	"testing"

	"musterline.example/guard"
	"musterline.example/plan"
)

// Somebody nests "all employees" into the group of a team of 40.
func teamAdditionsWorld() *world {
	w := calm()
	w.add("platform", 300)
	return w
}

func TestTeamAdditionsAllowsATeamToDouble(t *testing.T) {
	w := calm()
	w.add("platform", 40)
	w.silent(t)
	w.add("platform", 1)
	w.says(t, "platform would gain 41 on top of 40 members (limit 40)", "team_additions")
	w.on("platform").Add = w.on("platform").Add[:20]
	w.done("platform", 21, plan.Add)
	w.says(t, "platform would gain 41 on top of 40 members, 21 of them in the last 24 h (limit 40)", "team_additions")
}

func TestTeamAdditionsAllowsSmallTeamsTwentyFive(t *testing.T) {
	w := calm()
	w.team("sre", 2)
	w.add("sre", 25)
	w.silent(t)
	w.add("sre", 1)
	w.says(t, "sre would gain 26 on top of 2 members (limit 25)", "team_additions")
}

func TestTeamAdditionsExpectsManyAtTheFirstConnection(t *testing.T) {
	w := teamAdditionsWorld()
	w.about("platform", func(f *guard.TeamFacts) { f.Connected = false })
	w.silent(t)
}
