package guard_test

import (
	"fmt"
	"testing"

	"musterline.example/guard"
	"musterline.example/plan"
	"musterline.example/team"
)

// BenchmarkApprove judges a plan of a million changes in 10,000 teams, free and all under waivers.
func BenchmarkApprove(b *testing.B) {
	w := calm()
	for i := range 10_000 {
		c := w.team(fmt.Sprintf("team-%05d", i), 200)
		for j := range 100 {
			ch := plan.Change{Act: plan.Add, Account: team.AccountID(fmt.Sprint(j))}
			if i < 100 && j < 10 {
				ch.Act = plan.Remove
				c.Remove = append(c.Remove, ch)
				continue
			}
			c.Add = append(c.Add, ch)
		}
	}
	b.Run("objected", func(b *testing.B) {
		for b.Loop() {
			w.under()
		}
	})
	waiver := w.waive(guard.Filter{})
	b.Run("waived", func(b *testing.B) {
		for b.Loop() {
			w.under(waiver)
		}
	})
	w.settings.Apply = guard.ApplyApprove
	b.Run("approval", func(b *testing.B) {
		for b.Loop() {
			w.under()
		}
	})
}
