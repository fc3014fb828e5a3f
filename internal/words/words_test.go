package words

import (
	"testing"
	"time"
)

var noon = time.Date(2026, 8, 21, 12, 0, 0, 0, time.UTC)

func TestWordsOfFiguresAndTimes(t *testing.T) {
	for want, got := range map[string]string{
		"1,234,567":        Figure(1234567),
		"-1,234":           Figure(-1234),
		"12":               Figure(12),
		"1 person":         Count(1, "person"),
		"2 people":         Count(2, "person"),
		"3 entries":        Count(3, "entry"),
		"4 days":           Count(4, "day"),
		"a, b and c":       List([]string{"a", "b", "c"}),
		"a moment":         Span(20 * time.Millisecond),
		"80 s":             Span(80 * time.Second),
		"3 min":            Span(3*time.Minute + 5*time.Second),
		"26 h":             Span(26 * time.Hour),
		"5 days":           Span(5*24*time.Hour + time.Hour),
		"12:00":            Moment(noon, noon),
		"2026-08-20 12:00": Moment(noon.AddDate(0, 0, -1), noon),
		`'it'\''s'`:        Quote("it's"),
		"plain-word":       Quote("plain-word"),
		"''":               Quote(""),
		"waits":            Verb(1, "waits", "wait"),
		"wait":             Verb(2, "waits", "wait"),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
