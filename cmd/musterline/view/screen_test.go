package view

import (
	"bytes"
	"testing"
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
