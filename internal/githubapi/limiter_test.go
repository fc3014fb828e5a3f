package githubapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func quotaHeader(limit, remaining int, reset time.Time) http.Header {
	h := http.Header{}
	h.Set("X-RateLimit-Limit", fmt.Sprint(limit))
	h.Set("X-RateLimit-Remaining", fmt.Sprint(remaining))
	h.Set("X-RateLimit-Reset", fmt.Sprint(reset.Unix()))
	return h
}

func TestWritesAreSerialAndASecondApart(t *testing.T) {
	for _, c := range []struct {
		pace time.Duration
		want time.Duration
	}{{-1, 4 * time.Second}, {0, 0}, {250 * time.Millisecond, time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			l := NewLimiter(c.pace, 0)
			began := time.Now()
			var wg sync.WaitGroup
			var mu sync.Mutex
			busy := 0
			for range 5 {
				wg.Go(func() {
					release, err := l.acquire(t.Context(), Schedule, "core", true)
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					if busy++; busy > 1 {
						t.Error("two writes at once")
					}
					mu.Unlock()
					time.Sleep(10 * time.Microsecond)
					mu.Lock()
					busy--
					mu.Unlock()
					release()
				})
			}
			wg.Wait()
			if took := time.Since(began).Round(time.Millisecond); took != c.want {
				t.Errorf("pace %s: five writes took %s, want %s", c.pace, took, c.want)
			}
		})
	}
}

func TestAPersonGoesBeforeTheSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(-1, 0)
		var mu sync.Mutex
		var order []string
		var wg sync.WaitGroup
		enter := func(lane Lane, name string) {
			wg.Go(func() {
				release, err := l.acquire(t.Context(), lane, "core", true)
				if err != nil {
					t.Error(err)
					return
				}
				defer release()
				mu.Lock()
				defer mu.Unlock()
				order = append(order, name)
			})
			synctest.Wait()
		}
		for i := range 4 {
			enter(Schedule, fmt.Sprint("schedule ", i))
		}
		enter(Person, "person 0")
		enter(Person, "person 1")
		wg.Wait()
		want := []string{"schedule 0", "person 0", "person 1", "schedule 1", "schedule 2", "schedule 3"}
		if !slices.Equal(order, want) {
			t.Errorf("order %v", order)
		}
	})
}

func TestNoMoreThanTenReadsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(-1, 0)
		var releases []func()
		for range 10 {
			release, err := l.acquire(t.Context(), Schedule, "core", false)
			if err != nil {
				t.Fatal(err)
			}
			releases = append(releases, release)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if _, err := l.acquire(ctx, Schedule, "core", false); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the eleventh: %v", err)
		}
		releases[0]()
		releases[0]() // twice is once
		if _, err := l.acquire(t.Context(), Schedule, "core", false); err != nil {
			t.Error(err)
		}
		ctx2, cancel2 := context.WithTimeout(t.Context(), time.Hour)
		defer cancel2()
		if _, err := l.acquire(ctx2, Schedule, "core", false); err == nil {
			t.Error("a place was given twice")
		}
	})
}

func TestHalfOfTheQuotaIsLeftToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(0, 0)
		reset := time.Now().Add(40 * time.Minute)
		l.observe("core", quotaHeader(5000, 2500, reset), false, false)
		_, err := l.acquire(t.Context(), Schedule, "core", false)
		if e, ok := As(err); !ok || e.State != QuotaReserved || e.Class != Limited || !e.Until.Equal(reset) {
			t.Errorf("the schedule: %v", err)
		}
		if _, err := l.acquire(t.Context(), Schedule, "graphql", false); err != nil {
			t.Errorf("another resource: %v", err)
		}
		if _, err := l.acquire(t.Context(), Person, "core", false); err != nil {
			t.Errorf("a person: %v", err)
		}
		l.observe("core", quotaHeader(5000, 0, reset), false, false)
		_, err = l.acquire(t.Context(), Person, "core", true)
		if e, ok := As(err); !ok || e.State != PrimaryLimit {
			t.Errorf("a person without quota: %v", err)
		}
		time.Sleep(40 * time.Minute)
		if _, err := l.acquire(t.Context(), Schedule, "core", false); err != nil {
			t.Errorf("after the reset: %v", err)
		}
	})
}

func TestAShortLimitIsWaitedForAndALongOneIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(0, 15*time.Second)
		l.block(10*time.Second, true, false)
		began := time.Now()
		release, err := l.acquire(t.Context(), Schedule, "core", false)
		if err != nil || time.Since(began) != 10*time.Second {
			t.Fatalf("%v after %s", err, time.Since(began))
		}
		release()
		l.block(20*time.Second, true, false)
		_, err = l.acquire(t.Context(), Person, "graphql", false)
		if e, ok := As(err); !ok || e.State != SecondaryLimit || time.Until(e.Until) != 20*time.Second {
			t.Errorf("%v", err)
		}
	})
}

func TestSecondaryLimitsWithoutAWordWaitLongerEachTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(0, 0)
		var waits []time.Duration
		for range 6 {
			waits = append(waits, l.block(0, false, true))
		}
		want := []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 16 * time.Minute, 16 * time.Minute}
		if !slices.Equal(waits, want) {
			t.Errorf("waits %v", waits)
		}
		l.observe("core", http.Header{}, false, false)
		time.Sleep(time.Hour)
		if got := l.block(0, false, false); got != time.Minute {
			t.Errorf("after a good answer: %s", got)
		}
	})
}

func TestThePaceSlowsDownAfterALimitAndRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(-1, 0)
		gap := func() time.Duration {
			var at [2]time.Time
			for i := range at {
				release, err := l.acquire(t.Context(), Schedule, "core", true)
				if err != nil {
					t.Fatal(err)
				}
				at[i] = time.Now()
				release()
			}
			return at[1].Sub(at[0])
		}
		if g := gap(); g != time.Second {
			t.Errorf("before: %s", g)
		}
		l.block(time.Second, true, true)
		time.Sleep(10 * time.Second)
		if g := gap(); g != 2*time.Second {
			t.Errorf("after one limit: %s", g)
		}
		for range calmAfter {
			l.observe("core", http.Header{}, true, false)
		}
		time.Sleep(10 * time.Second)
		if g := gap(); g != time.Second {
			t.Errorf("after %d good writes: %s", calmAfter, g)
		}
	})
}

func TestACancelledWaiterLeavesTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(-1, 0)
		release, err := l.acquire(t.Context(), Schedule, "core", true)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			_, err := l.acquire(ctx, Person, "core", true)
			done <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		release()
		if _, err := l.acquire(t.Context(), Schedule, "core", true); err != nil {
			t.Error(err)
		}
	})
}
