package target

import (
	"context"
	"sync/atomic"
	"time"
)

// Calls are what a piece of work has asked of a vendor.
type Calls struct {
	Made int // calls, answered or not; one that had to be made again counts again
	Cost int // points of the vendor's rations, as far as it tells: a call that only said that nothing has changed costs none
}

// A count is what is counted in a context, from several goroutines.
type count struct{ made, cost atomic.Int64 }

type countKey struct{}

// Counted returns a context whose calls are counted where a Counting meter hears of them, and what tells how many there were so far.
func Counted(ctx context.Context) (counted context.Context, sofar func() Calls) {
	c := &count{}
	return context.WithValue(ctx, countKey{}, c), func() Calls { return Calls{Made: int(c.made.Load()), Cost: int(c.cost.Load())} }
}

// Counting returns a meter that tells who counts in the context of a call, and next, which may be nil.
func Counting(next Meter) Meter { return counting{next} }

type counting struct{ next Meter }

// Called implements Meter.
func (m counting) Called(ctx context.Context, resource string, status int, took time.Duration) {
	if c, ok := ctx.Value(countKey{}).(*count); ok {
		c.made.Add(1)
	}
	if m.next != nil {
		m.next.Called(ctx, resource, status, took)
	}
}

// Spent implements Meter.
func (m counting) Spent(ctx context.Context, resource string, points int) {
	if c, ok := ctx.Value(countKey{}).(*count); ok {
		c.cost.Add(int64(points))
	}
	if m.next != nil {
		m.next.Spent(ctx, resource, points)
	}
}

// Left implements Meter.
func (m counting) Left(resource string, remaining, limit int) {
	if m.next != nil {
		m.next.Left(resource, remaining, limit)
	}
}

// Waited implements Meter.
func (m counting) Waited(d time.Duration) {
	if m.next != nil {
		m.next.Waited(d)
	}
}
