package guard

import (
	"testing"
	"time"
)

func TestFiguresReadAsPeopleWriteThem(t *testing.T) {
	for n, want := range map[int]string{0: "0", 7: "7", 999: "999", 1000: "1,000", 2340: "2,340", 1234567: "1,234,567", -1000: "-1,000", -100: "-100"} {
		if got := figure(n); got != want {
			t.Errorf("figure(%d) = %q", n, got)
		}
	}
	for d, want := range map[time.Duration]string{
		0: "0 min", 59 * time.Minute: "59 min", time.Hour: "1 h", 26 * time.Hour: "26 h", 71 * time.Hour: "71 h", 3 * day: "3 days", 8*day + time.Hour: "8 days",
	} {
		if got := span(d); got != want {
			t.Errorf("span(%v) = %q", d, got)
		}
	}
}

func TestALimitIsPassedByMoreThanBothFigures(t *testing.T) {
	for _, c := range []struct {
		limit    Limit
		n, whole int
		want     bool
	}{
		{Limit{5, 20}, 5, 10, false},
		{Limit{5, 20}, 6, 10, true},
		{Limit{5, 20}, 6, 30, false},
		{Limit{5, 20}, 6, 29, true},
		{Limit{3, 0}, 4, 1000, true},
		{Limit{0, 10}, 1, 10, false},
		{Limit{0, 10}, 1, 9, true},
		{Limit{-1, 0}, 1_000_000, 1, false},
	} {
		if got := c.limit.passed(c.n, c.whole); got != c.want {
			t.Errorf("%+v.passed(%d, %d) = %t", c.limit, c.n, c.whole, got)
		}
		if c.limit.Max >= 0 && c.limit.passed(c.n, c.whole) != (c.n > c.limit.of(c.whole)) {
			t.Errorf("%+v allows %d of %d and is passed by %d: %t", c.limit, c.limit.of(c.whole), c.whole, c.n, c.want)
		}
	}
}
