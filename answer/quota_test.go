package answer

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A deaf meter counts what it is told and remembers nothing.
type deaf struct{ told int }

func (d *deaf) Called(context.Context, string, int, time.Duration) { d.told++ }
func (d *deaf) Spent(context.Context, string, int)                 { d.told++ }
func (d *deaf) Left(string, int, int)                              { d.told++ }
func (d *deaf) Waited(time.Duration)                               { d.told++ }

func TestWhatATargetSaysOfItsRationsIsRememberedAndToldOn(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	all, next := &quotas{}, &deaf{}
	of := func(name string) rationed {
		return rationed{to: next, quotas: all, name: name, now: func() time.Time { return now }}
	}
	if got := all.of("octo"); len(got) != 0 {
		t.Errorf("before the first call: %v", got)
	}
	of("octo").Left("graphql", 4990, 5000)
	of("octo").Left("core", 12, 5000)
	of("hex").Left("core", 3, 60)
	now = now.Add(time.Minute)
	of("octo").Left("core", 11, 5000)
	of("octo").Called(t.Context(), "core", 200, time.Second)
	of("octo").Spent(t.Context(), "graphql", 2)
	of("octo").Waited(time.Second)
	want := []Quota{{"core", 11, 5000, now}, {"graphql", 4990, 5000, now.Add(-time.Minute)}}
	if diff := cmp.Diff(want, all.of("octo")); diff != "" {
		t.Error(diff)
	}
	if next.told != 7 {
		t.Errorf("the meter was told %d times", next.told)
	}
}
