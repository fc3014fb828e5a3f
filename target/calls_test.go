package target_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"musterline.example/target"
)

// A register is a meter that adds up what it is told.
type register struct{ calls, points, left, waits int }

func (r *register) Called(context.Context, string, int, time.Duration) { r.calls++ }
func (r *register) Spent(_ context.Context, _ string, points int)      { r.points += points }
func (r *register) Left(string, int, int)                              { r.left++ }
func (r *register) Waited(time.Duration)                               { r.waits++ }

func TestCallsCountForWhomTheyAreMade(t *testing.T) {
	one, ofOne := target.Counted(t.Context())
	other, ofOther := target.Counted(t.Context())
	m := target.Counting(nil)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { m.Called(one, "core", 200, time.Millisecond) })
		all.Go(func() { m.Spent(one, "core", 2) })
	}
	all.Wait()
	m.Called(other, "core", 304, time.Millisecond)
	m.Called(t.Context(), "core", 200, time.Millisecond) // nobody counts these
	m.Spent(t.Context(), "core", 1)
	m.Left("core", 1, 2)
	m.Waited(time.Second)
	if got := ofOne(); got != (target.Calls{Made: 20, Cost: 40}) {
		t.Errorf("one: %+v", got)
	}
	if got := ofOther(); got != (target.Calls{Made: 1}) {
		t.Errorf("the other: %+v", got)
	}
}

func TestAMeterThatCountsTellsTheNext(t *testing.T) {
	next := &register{}
	m := target.Counting(next)
	m.Called(t.Context(), "core", 200, time.Millisecond)
	m.Spent(t.Context(), "core", 3)
	m.Left("core", 1, 2)
	m.Waited(time.Second)
	if *next != (register{1, 3, 1, 1}) {
		t.Errorf("%+v", *next)
	}
}
