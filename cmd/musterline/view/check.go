package view

import (
	"strings"
	"time"
)

// A Check is what `check` has found.
type Check struct {
	Checked []Checked `json:"checked"`
	Now     time.Time `json:"-"`
}

// A Checked is one thing that was tried.
type Checked struct {
	What       string    `json:"what"` // configuration, database, source, target or mapping
	Name       string    `json:"name,omitempty"`
	Kind       string    `json:"kind,omitempty"`
	Facts      []string  `json:"facts,omitempty"`
	Credential string    `json:"credential,omitempty"`
	Has        []string  `json:"has,omitempty"`
	Needs      []string  `json:"needs,omitempty"` // and lacks
	Extra      []string  `json:"extra,omitempty"` // has and should not have
	Expires    time.Time `json:"expires,omitzero"`
	Warnings   []string  `json:"warnings,omitempty"`
	Trouble    []string  `json:"trouble,omitempty"` // a person must do something
}

// Add notes one thing more.
func (c *Check) Add(what Checked) { c.Checked = append(c.Checked, what) }

// Troubles counts what needs a person.
func (c *Check) Troubles() int {
	n := 0
	for _, what := range c.Checked {
		n += len(what.Trouble)
	}
	return n
}

// Text writes a paragraph for each thing tried.
func (c *Check) Text(s Screen) {
	for _, what := range c.Checked {
		mark := s.paint(green, "ok     ")
		switch {
		case len(what.Trouble) > 0:
			mark = s.paint(red, "trouble")
		case len(what.Warnings) > 0 || len(what.Extra) > 0:
			mark = s.paint(yellow, "warning")
		}
		title := strings.TrimSpace(what.What + " " + what.Name)
		if what.Kind != "" {
			title += s.paint(faint, " ("+what.Kind+")")
		}
		s.line(mark + "  " + title)
		for _, f := range what.Facts {
			s.Para(9, "%s", f)
		}
		what.credential(s, c.Now)
		for _, w := range what.Warnings {
			s.hangIn(yellow, "         ", "         ", w)
		}
		for _, t := range what.Trouble {
			for line := range strings.SplitSeq(t, "\n") {
				s.hangIn(red, "         ", "         ", line)
			}
		}
	}
}

func (c Checked) credential(s Screen, now time.Time) {
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
		add("ends", []string{Moment(c.Expires, now) + ", in " + Span(max(0, c.Expires.Sub(now)))}, "")
	}
	s.Table(9, rows)
}
