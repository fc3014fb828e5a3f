package view

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"musterline.example/answer"
)

func TestATargetThatIsTurnedOffSaysWhoDidItAndWhatBecomesOfItsMembers(t *testing.T) {
	now := time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	for members, want := range map[string]string{
		"keep":   "turned off  by joe since 11:00: members stay as they are, and nobody joins or leaves",
		"remove": "turned off  by joe since 11:00: memberships that came from groups are taken away, and nobody joins",
	} {
		var out bytes.Buffer
		Status(Screen{Out: &out, Width: 120}, answer.Status{Database: true, Targets: []answer.TargetStatus{
			{Name: "octo", Off: &answer.TurnedOff{By: "joe", At: now.Add(-time.Hour), Members: members}},
		}}, now)
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s:\n%s\nwant %s", members, out.String(), want)
		}
	}
}
