package guard_test

import (
	"testing"
	"time"

	"musterline.example/guard"
	"musterline.example/team"
)

// A group moves to another part of the directory, where our credential sees it only tomorrow.
func missingGroupWorld() *world {
	w := calm()
	w.remove("platform", 3, team.GroupMissing)
	w.about("platform", func(f *guard.TeamFacts) {
		f.Missing = []guard.MissingGroup{{Name: "corp/sre", Since: now.Add(-3 * time.Hour), Reads: 12}}
	})
	return w
}

func TestMissingGroupWaitsADayAndTwoReads(t *testing.T) {
	const tail = " (it counts as empty after 24 h and 2 complete reads)"
	for _, c := range []struct {
		age     time.Duration
		reads   int
		message string
	}{
		{3 * time.Hour, 12, "platform would lose 3 of 40 members: corp/sre is gone, for 3 h and 12 complete reads" + tail},
		{30 * time.Hour, 1, "platform would lose 3 of 40 members: corp/sre is gone, for 30 h and 1 complete read" + tail},
		{24 * time.Hour, 2, ""},
	} {
		w := missingGroupWorld()
		w.about("platform", func(f *guard.TeamFacts) {
			f.Missing = []guard.MissingGroup{{Name: "corp/sre", Since: now.Add(-c.age), Reads: c.reads}}
		})
		if c.message == "" {
			w.silent(t)
		} else {
			w.says(t, c.message, "missing_group")
		}
	}
}

func TestMissingGroupWaitsAsLongAsSet(t *testing.T) {
	w := missingGroupWorld()
	w.settings.MissingGroup = time.Hour
	w.silent(t)
	w.settings.MissingGroup = -1
	w.silent(t)
}
