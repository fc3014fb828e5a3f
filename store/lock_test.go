package store

import (
	"strings"
	"testing"
	"time"
)

func TestWhoHoldsALockIsShortenedWhereItDoesNotMatter(t *testing.T) {
	for host, want := range map[string]string{
		"db1":                           "musterline serve (process 4194304 on db1)",
		"db1.a-long-domain.example.com": "musterline serve (process 4194304 on db1)",
		"musterline-7d9f8b6c5d-x2x4z":   "musterline serve (process 4194304 on musterline-...b6c5d-x2x4z)",
	} {
		h := holder{"musterline serve", 4194304, host, time.Unix(0, 0)}
		if got := h.within(longestName); got != want || len(got) > longestName {
			t.Errorf("%s: %q of %d bytes, want %q", host, got, len(got), want)
		}
		if whole := h.String(); !strings.Contains(whole, host) || !strings.HasSuffix(whole, ", since 1970-01-01T00:00:00Z)") {
			t.Errorf("whole: %q", whole)
		}
	}
}
