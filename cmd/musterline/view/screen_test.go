package view

import (
	"bytes"
	"testing"
	"time"
)

func TestTextIsWrappedAtSpacesAndCommandsStayWhole(t *testing.T) {
	for _, c := range []struct {
		text        string
		first, rest int
		want        []string
	}{
		{"", 10, 10, []string{""}},
		{"one two three", 7, 10, []string{"one two", "three"}},
		{"a-command-that-is-long x", 5, 5, []string{"a-command-that-is-long", "x"}},
		{"+" + tie + "ada, −" + tie + "bob", 6, 6, []string{"+ ada,", "− bob"}},
		{"größe → ok", 7, 7, []string{"größe →", "ok"}},
	} {
		got := wrap(c.text, c.first, c.rest)
		if len(got) != len(c.want) {
			t.Errorf("%q: %q", c.text, got)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%q: %q, want %q", c.text, got, c.want)
			}
		}
	}
}

func TestTheLastColumnGoesUnderTheRowWhereThereIsNoRoom(t *testing.T) {
	var out bytes.Buffer
	Screen{Out: &out, Width: 40}.Table(2, [][]string{
		{"a", "one two three four five six seven eight"},
		{"b-very-long-cell-indeed", "one two three"},
		{"c", "short"},
	})
	want := `  a
      one two three four five six seven
      eight
  b-very-long-cell-indeed  one two three
  c                        short
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

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
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
