package view

import (
	"context"
	"fmt"
	"strings"
	"time"

	"musterline.example/answer"
	"musterline.example/internal/words"
)

// Status writes a paragraph for each target and a line for each source.
func Status(s Screen, st answer.Status, now time.Time) {
	if !st.Database {
		s.Para(0, "There is no database yet: nothing was ever synced from here. To see what a sync would do: musterline plan")
		s.Blank()
	}
	for _, t := range st.Targets {
		title := s.paint(bold, "Target "+t.Name)
		if t.Organization != "" {
			title += s.paint(faint, " (organization "+t.Organization+")")
		}
		s.line(title)
		s.Table(2, targetRows(s, t, now))
		s.Blank()
	}
	for _, u := range st.Unfit {
		s.line(s.paint(red, "Left out of the configuration: ") + u.Section + "/" + u.Name)
		s.Para(2, "%s", u.Reason)
		s.Blank()
	}
	for _, src := range st.Sources {
		s.line(s.paint(bold, "Source "+src.Name) + s.paint(faint, " ("+src.Kind+")"))
		s.Table(2, sourceRows(s, src, now))
	}
}

func targetRows(s Screen, t answer.TargetStatus, now time.Time) [][]string {
	label := func(l string) string { return s.paint(faint, l) }
	rows := [][]string{{label("teams"), fmt.Sprintf("%s mapped, %s connected", words.Figure(t.Mapped), words.Figure(t.Connected))}}
	if t.Paused != nil {
		rows = append(rows, []string{s.paint(yellow, "paused"), fmt.Sprintf("by %s since %s: %s (to end it: musterline resume %s)",
			t.Paused.By, words.Moment(t.Paused.At, now), t.Paused.Reason, words.Quote(t.Name))})
	}
	if t.Off != nil {
		rows = append(rows, []string{s.paint(yellow, "turned off"), turnedOff(*t.Off, now)})
	}
	if len(t.RestsOn) > 0 {
		rows = append(rows, []string{s.paint(red, "not synced"), "it rests on what does not fit: " + words.List(t.RestsOn)})
	}
	if t.Apply != "auto" && t.Apply != "" {
		rows = append(rows, []string{label("apply"), t.Apply})
	}
	rows = append(rows, []string{label("last run"), runText(t.Run, now)})
	var waits []string
	if t.Objected > 0 {
		look := "musterline plan " + words.Quote(t.Name)
		if t.Run != nil && t.Run.Undoes != "" {
			look = "musterline undo " + words.Quote(t.Run.Undoes)
		}
		waits = append(waits, fmt.Sprintf("%s for approval (%s): %s", words.Count(t.Objected, "change"), strings.Join(t.Guards, ", "), look))
	}
	if t.Held > 0 {
		waits = append(waits, fmt.Sprintf("%s of %s held", words.Count(t.Held, "membership"), words.Count(t.HeldPeople, "person")))
	}
	if t.Refused > 0 {
		waits = append(waits, words.Count(t.Refused, "mapping")+" refused")
	}
	if t.Run != nil && len(waits) == 0 {
		waits = append(waits, "nothing")
	}
	for i, w := range waits {
		name := ""
		if i == 0 {
			name = label("waits")
		}
		rows = append(rows, []string{name, w})
	}
	return rows
}

// turnedOff says who has turned a target off, and what is to become of its members.
func turnedOff(o answer.TurnedOff, now time.Time) string {
	who := ""
	if o.By != "" {
		who = fmt.Sprintf("by %s since %s: ", o.By, words.Moment(o.At, now))
	}
	if o.Members == "remove" {
		return who + "memberships that came from groups are taken away, and nobody joins"
	}
	return who + "members stay as they are, and nobody joins or leaves"
}

func runText(r *answer.RunStatus, now time.Time) string {
	if r == nil {
		return "none yet"
	}
	state := map[string]string{
		"done": "everything done", "objected": "done but for what waits", "failed": "failed", "cancelled": "cancelled", "off": "only shown", "": "under way",
	}[r.State]
	text := fmt.Sprintf("run %s at %s%s: %s, %s", r.ID, words.Moment(r.StartedAt, now), answer.AskedBy(r.Trigger, r.Requester), state, words.Count(r.Done, "write"))
	if r.Failed > 0 {
		text += ", " + words.Figure(r.Failed) + " failed"
	}
	if r.Calls > 0 {
		text += ", " + words.Count(r.Calls, "call")
	}
	switch {
	case strings.HasSuffix(r.Error, context.Canceled.Error()):
		text += ": interrupted"
	case r.Error != "":
		text += ": " + r.Error
	}
	return text
}

func sourceRows(s Screen, src answer.SourceStatus, now time.Time) [][]string {
	var rows [][]string
	if src.ReadAt.IsZero() {
		rows = append(rows, []string{s.paint(faint, "read"), "never yet"})
	} else {
		rows = append(rows, []string{s.paint(faint, "read"), fmt.Sprintf("%s ago, at %s: %s, %s",
			words.Span(now.Sub(src.ReadAt)), words.Moment(src.ReadAt, now), words.Count(src.Groups, "group"), words.Count(src.Users, "user"))})
	}
	if src.Failure != "" {
		rows = append(rows, []string{s.paint(red, "failed"), "at " + words.Moment(src.FailedAt, now) + ": " + src.Failure})
	}
	return rows
}
