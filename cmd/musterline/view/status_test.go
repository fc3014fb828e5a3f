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

func TestTheLastRunSaysHowManyCallsItMade(t *testing.T) {
	now := time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	run := answer.RunStatus{ID: "7", Trigger: "schedule", StartedAt: now, FinishedAt: now, State: "done", Done: 3}
	for calls, want := range map[int]string{0: "everything done, 3 writes\n", 1: "3 writes, 1 call\n", 1204: "3 writes, 1,204 calls\n"} {
		var out bytes.Buffer
		run.Calls = calls
		Status(Screen{Out: &out, Width: 120}, answer.Status{Database: true, Targets: []answer.TargetStatus{{Name: "octo", Run: &run}}}, now)
		if !strings.Contains(out.String(), want) {
			t.Errorf("%d calls:\n%s\nwant %s", calls, out.String(), want)
		}
	}
}
