package job

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"musterline.example/internal/githubsim"
	"musterline.example/internal/pgtest"
	"musterline.example/reconcile"
)

// BenchmarkRequestToFirstWrite tells how long it takes from a request for a team to its first write at GitHub, through the durable queue,
// with 100 ms for each simulated call.
func BenchmarkRequestToFirstWrite(b *testing.B) {
	for name, url := range map[string]func(b *testing.B) string{
		"SQLite":     func(b *testing.B) string { b.Helper(); return "sqlite:" + filepath.Join(b.TempDir(), "m.db") },
		"PostgreSQL": func(b *testing.B) string { b.Helper(); return pgtest.URL(b) },
	} {
		b.Run(name, func(b *testing.B) {
			l := newLab(b, url(b))
			const teams, each = 200, 25
			all := make([]*githubsim.Team, teams)
			logins := make([]string, 2000)
			for i := range logins {
				logins[i] = fmt.Sprintf("user-%04d", i)
			}
			l.join(logins...)
			for i := range all {
				name := fmt.Sprintf("team-%03d", i)
				at := i * 10 % (len(logins) - each)
				all[i] = l.team(name, logins[at:at+each]...)
				l.corp.group(name, logins[at:at+each]...)
				l.mapped(name, "corp", name)
			}
			l.times = usual
			l.start()
			l.ask(reconcile.ByPerson)
			l.quiet()
			l.ask(reconcile.ByPerson)
			l.quiet()
			l.gh.Inject(githubsim.Fault{Name: "distance", Delay: 100 * time.Millisecond, Match: func(githubsim.Call) bool { return true }})
			wrote := make(chan time.Time, 1)
			l.gate.set(func() { l.gate.write = func() { wrote <- time.Now() } })
			var took []time.Duration
			for b.Loop() {
				tm := all[len(took)%teams]
				for login := range tm.Members() {
					tm.Remove(login)
					break
				}
				asked := time.Now()
				l.ask(reconcile.ByEvent, tm)
				took = append(took, (<-wrote).Sub(asked))
				l.quiet()
			}
			slices.Sort(took)
			at := func(percent int) float64 { return float64(took[(len(took)-1)*percent/100].Milliseconds()) }
			b.ReportMetric(at(50), "ms/p50")
			b.ReportMetric(at(99), "ms/p99")
		})
	}
}
