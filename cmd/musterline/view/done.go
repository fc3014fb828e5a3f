package view

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"musterline.example/answer"
	"musterline.example/internal/words"
)

// Done writes what a run of one target did in one line, and in others what waits for whom.
func Done(s Screen, d answer.Done) {
	w := d.Words()
	s.hang("", "  ", s.paint(bold, d.Target)+": "+strings.Join(doneParts(d), "; ")+doneRun(d))
	for _, name := range d.Guards {
		s.hang("  "+s.paint(yellow, "!")+" ", "    ", objected(w, name))
	}
	if d.Objected > 0 {
		look := "musterline plan " + words.Quote(d.Target)
		if d.Undoes != "" {
			look = "musterline undo " + words.Quote(d.Undoes)
		}
		s.Line("  %s %s, then %s", s.paint(bold, "→"), look, approval(d.Target, d.Undoes))
	}
	for _, o := range w.Objections {
		if o.Changes == 0 {
			s.hang("  "+s.paint(yellow, "!")+" ", "    ", o.Guard+": "+o.Message)
		}
	}
	for _, n := range w.Notes {
		s.hangIn(yellow, "  ", "  ", n)
	}
}

// Paused says who stopped a target, when and why.
func Paused(p answer.Pause, now time.Time) string {
	return fmt.Sprintf("by %s since %s: %s", p.By, words.Moment(p.At, now), p.Reason)
}

// objected is what a guard says, in its own words or, where it speaks of many teams, in figures.
func objected(w answer.DoneWords, name string) string {
	said := slices.DeleteFunc(slices.Clone(w.Objections), func(o answer.Objection) bool { return o.Guard != name || o.Changes == 0 })
	if len(said) == 1 {
		return name + ": " + said[0].Message
	}
	return fmt.Sprintf("%s stops %s in %s", name, words.Count(w.Stopped[name], "change"), words.Count(len(said), "team"))
}

func doneParts(d answer.Done) []string {
	w := d.Words()
	var did []string
	for _, p := range []struct {
		n    int
		verb string
	}{{d.Added, "added"}, {d.Removed, "removed"}, {d.Updated, "changed"}} {
		if p.n > 0 {
			did = append(did, words.Figure(p.n)+" "+p.verb)
		}
	}
	var parts []string
	switch {
	case len(did) > 0:
		parts = append(parts, strings.Join(did, ", ")+" in "+words.Count(w.Teams, "team"))
	case d.State == "off":
		parts = append(parts, planned(w.Planned)+", only shown (apply: off)")
	case w.Left > 0 || d.Failed > 0 || w.Planned == nil || len(d.Unread) > 0:
		parts = append(parts, "nothing changed")
	default:
		parts = append(parts, "nothing to do")
	}
	if d.Created > 0 {
		parts = append(parts, words.Count(d.Created, "team")+" created")
	}
	if d.Already > 0 {
		parts = append(parts, words.Figure(d.Already)+" in place already")
	}
	if d.Failed > 0 {
		parts = append(parts, words.Figure(d.Failed)+" failed")
	}
	if d.Skipped > 0 {
		parts = append(parts, words.Count(d.Skipped, "change")+" left, because the teams moved meanwhile")
	}
	if w.Interrupted && d.Undoes == "" {
		parts = append(parts, fmt.Sprintf("interrupted: %s left for the next sync", words.Count(w.Left, "change")))
	} else if w.Left > 0 {
		parts = append(parts, words.Count(w.Left, "change")+" left")
	}
	if d.Objected > 0 {
		parts = append(parts, fmt.Sprintf("%s %s for approval", words.Count(d.Objected, "change"), words.Verb(d.Objected, "waits", "wait")))
	}
	if w.Planned != nil && w.Planned.People > 0 {
		parts = append(parts, words.Count(w.Planned.People, "person")+" held")
	}
	if w.Refused > 0 {
		parts = append(parts, words.Count(w.Refused, "mapping")+" refused")
	}
	return parts
}

// planned says in a few words what a plan would do.
func planned(s *answer.PlanSummary) string {
	if s == nil || s.Teams == 0 {
		return "nothing to change"
	}
	return fmt.Sprintf("%s to add, %s to remove, %s to change in %s",
		words.Figure(s.Add), words.Figure(s.Remove), words.Figure(s.Update), words.Count(s.Teams, "team"))
}

func doneRun(d answer.Done) string {
	if d.Run == "" {
		return ""
	}
	calls := ""
	if d.Calls > 0 {
		calls = ", " + words.Count(d.Calls, "call")
	}
	return fmt.Sprintf(" (run %s, %s%s)", d.Run, words.Span(d.Words().FinishedAt.Sub(d.Words().StartedAt)), calls)
}
