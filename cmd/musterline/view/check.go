package view

import (
	"strings"
	"time"

	"musterline.example/answer"
	"musterline.example/internal/words"
)

// Check writes a paragraph for each thing tried.
func Check(s Screen, c answer.Check, now time.Time) {
	for _, what := range c.Checked {
		mark := s.paint(green, "ok     ")
		switch {
		case len(what.Trouble) > 0:
			mark = s.paint(red, "trouble")
		case len(what.Warnings) > 0 || len(what.Extra) > 0:
			mark = s.paint(yellow, "warning")
		case len(what.Notes) > 0:
			mark = s.paint(cyan, "note   ")
		}
		title := strings.TrimSpace(what.What + " " + what.Name)
		if what.Kind != "" {
			title += s.paint(faint, " ("+what.Kind+")")
		}
		s.line(mark + "  " + title)
		for _, f := range what.Facts {
			s.Para(9, "%s", f)
		}
		credential(s, what, now)
		for _, w := range what.Warnings {
			s.hangIn(yellow, "         ", "         ", w)
		}
		for _, n := range what.Notes {
			s.Para(9, "%s", n)
		}
		for _, t := range what.Trouble {
			for line := range strings.SplitSeq(t, "\n") {
				s.hangIn(red, "         ", "         ", line)
			}
		}
	}
}

func credential(s Screen, c answer.Checked, now time.Time) {
	if c.Credential == "" {
		return
	}
	rows := [][]string{{s.paint(faint, "credential"), c.Credential}}
	add := func(label string, words []string, none string) {
		text := strings.Join(words, ", ")
		if text == "" {
			text = none
		}
		if text != "" {
			rows = append(rows, []string{s.paint(faint, label), text})
		}
	}
	add("has", c.Has, "")
	none := "nothing"
	if len(c.Trouble) > 0 {
		none = "" // nothing is known of a credential that was refused
	}
	add("lacks", c.Needs, none)
	add("too much", c.Extra, "")
	if !c.Expires.IsZero() {
		add("ends", []string{words.Moment(c.Expires, now) + ", in " + words.Span(max(0, c.Expires.Sub(now)))}, "")
	}
	s.Table(9, rows)
}
