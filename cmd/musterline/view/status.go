package view

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// A Status is how things stand, from memory.
type Status struct {
	Database bool           `json:"database"` // there is one
	Targets  []TargetStatus `json:"targets"`
	Sources  []SourceStatus `json:"sources"`
	Now      time.Time      `json:"-"`
}

// A TargetStatus is how one target stands.
type TargetStatus struct {
	Name         string     `json:"name"`
	Kind         string     `json:"kind"`
	Organization string     `json:"organization,omitempty"`
	Apply        string     `json:"apply"`
	Mapped       int        `json:"mapped"`    // teams
	Connected    int        `json:"connected"` // of these, the teams whose first connection has ended
	Run          *RunStatus `json:"run"`       // the last one; null when there was none
	Objected     int        `json:"objected"`
	Guards       []string   `json:"guards"`
	Held         int        `json:"held"`
	HeldPeople   int        `json:"held_people"`
	Refused      int        `json:"refused"`
	Paused       *Pause     `json:"paused,omitempty"`
}

// A RunStatus is how a run went.
type RunStatus struct {
	ID         string    `json:"id"`
	Trigger    string    `json:"trigger"`
	Undoes     string    `json:"undoes,omitempty"` // the run that it took back
	Requester  string    `json:"requester,omitempty"`
	StartedAt  time.Time `json:"started_at"`
	FinishedAt time.Time `json:"finished_at,omitzero"`
	State      string    `json:"state"`
	Done       int       `json:"done"`
	Failed     int       `json:"failed"`
	Error      string    `json:"error,omitempty"`
}

// A Pause is who stopped a target and why.
type Pause struct {
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
}

// A SourceStatus is how one source stands.
type SourceStatus struct {
	Name     string    `json:"name"`
	Kind     string    `json:"kind"`
	ReadAt   time.Time `json:"read_at,omitzero"` // of the last complete read
	Groups   int       `json:"groups"`
	Users    int       `json:"users"`
	Failure  string    `json:"failure,omitempty"` // of the last try, when it failed after that
	FailedAt time.Time `json:"failed_at,omitzero"`
}

// Text writes a paragraph for each target and a line for each source.
func (st Status) Text(s Screen) {
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
		s.Table(2, t.rows(s, st.Now))
		s.Blank()
	}
	for _, src := range st.Sources {
		s.line(s.paint(bold, "Source "+src.Name) + s.paint(faint, " ("+src.Kind+")"))
		s.Table(2, src.rows(s, st.Now))
	}
}

func (t TargetStatus) rows(s Screen, now time.Time) [][]string {
	label := func(l string) string { return s.paint(faint, l) }
	rows := [][]string{{label("teams"), fmt.Sprintf("%s mapped, %s connected", Figure(t.Mapped), Figure(t.Connected))}}
	if t.Paused != nil {
		rows = append(rows, []string{s.paint(yellow, "paused"), fmt.Sprintf("by %s since %s: %s (to end it: musterline resume %s)",
			t.Paused.By, Moment(t.Paused.At, now), t.Paused.Reason, Quote(t.Name))})
	}
	if t.Apply != "auto" && t.Apply != "" {
		rows = append(rows, []string{label("apply"), t.Apply})
	}
	rows = append(rows, []string{label("last run"), t.Run.text(now)})
	var waits []string
	if t.Objected > 0 {
		look := "musterline plan " + Quote(t.Name)
		if t.Run != nil && t.Run.Undoes != "" {
			look = "musterline undo " + Quote(t.Run.Undoes)
		}
		waits = append(waits, fmt.Sprintf("%s for approval (%s): %s", Count(t.Objected, "change"), strings.Join(t.Guards, ", "), look))
	}
	if t.Held > 0 {
		waits = append(waits, fmt.Sprintf("%s of %s held", Count(t.Held, "membership"), Count(t.HeldPeople, "person")))
	}
	if t.Refused > 0 {
		waits = append(waits, Count(t.Refused, "mapping")+" refused")
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

func (r *RunStatus) text(now time.Time) string {
	if r == nil {
		return "none yet"
	}
	state := map[string]string{
		"done": "everything done", "objected": "done but for what waits", "failed": "failed", "off": "only shown", "": "under way",
	}[r.State]
	text := fmt.Sprintf("run %s at %s%s: %s, %s", r.ID, Moment(r.StartedAt, now), AskedBy(r.Trigger, r.Requester), state, Count(r.Done, "write"))
	if r.Failed > 0 {
		text += ", " + Figure(r.Failed) + " failed"
	}
	switch {
	case strings.HasSuffix(r.Error, context.Canceled.Error()):
		text += ": interrupted"
	case r.Error != "":
		text += ": " + r.Error
	}
	return text
}

func (src SourceStatus) rows(s Screen, now time.Time) [][]string {
	var rows [][]string
	if src.ReadAt.IsZero() {
		rows = append(rows, []string{s.paint(faint, "read"), "never yet"})
	} else {
		rows = append(rows, []string{s.paint(faint, "read"), fmt.Sprintf("%s ago, at %s: %s, %s",
			Span(now.Sub(src.ReadAt)), Moment(src.ReadAt, now), Count(src.Groups, "group"), Count(src.Users, "user"))})
	}
	if src.Failure != "" {
		rows = append(rows, []string{s.paint(red, "failed"), "at " + Moment(src.FailedAt, now) + ": " + src.Failure})
	}
	return rows
}
