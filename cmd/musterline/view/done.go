package view

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"musterline.example/apply"
	"musterline.example/guard"
	"musterline.example/plan"
	"musterline.example/target"
)

// A Done is what a run of one target did.
type Done struct {
	Target       string
	Run          string
	State        string
	Plan         Plan
	Began, Ended time.Time

	Created, Added, Removed, Updated, Already, Failed, Skipped int

	Objected int      // changes that guards stop
	Unread   []string // sources that could not be read, and why
	Left     int      // writes that an interruption or an error left undone
	Stopped  bool     // somebody interrupted it
	Paused   string   // by whom and why nothing was done

	teams map[string]bool
}

// Count adds one write.
func (d *Done) Count(w apply.Written) {
	switch w.Outcome.Result {
	case target.Already:
		d.Already++
		return
	case target.Done, target.Pending:
	default:
		return
	}
	if d.teams == nil {
		d.teams = make(map[string]bool)
	}
	d.teams[w.Slug] = true
	switch plan.Act(w.Outcome.Act) {
	case plan.Add:
		d.Added++
	case plan.Update:
		d.Updated++
	case plan.Remove, plan.Cancel:
		d.Removed++
	default:
		d.Created++
	}
}

// Text writes what was done in one line, and in others what waits for whom.
func (d *Done) Text(s Screen) {
	if d.Paused != "" {
		s.hang("", "  ", s.paint(bold, d.Target)+": paused "+d.Paused+"; nothing was done")
		return
	}
	s.hang("", "  ", s.paint(bold, d.Target)+": "+strings.Join(d.parts(), "; ")+d.run())
	for _, name := range d.objecting() {
		s.hang("  "+s.paint(yellow, "!")+" ", "    ", d.objection(name))
	}
	if d.Objected > 0 {
		s.Line("  %s %s, then %s", s.paint(bold, "→"), d.look(), d.Plan.approval(d.Target))
	}
	for _, o := range d.Plan.Objections {
		if len(o.Changes) == 0 {
			s.hang("  "+s.paint(yellow, "!")+" ", "    ", o.Guard+": "+o.Message)
		}
	}
}

// look is the command that shows what guards stop.
func (d *Done) look() string {
	if d.Plan.Undo != "" {
		return "musterline undo " + Quote(d.Plan.Undo)
	}
	return "musterline plan " + Quote(d.Target)
}

func (d *Done) objecting() []string {
	if d.Objected == 0 {
		return nil
	}
	return d.Plan.guards()
}

// objection is what a guard says, in its own words or, where it speaks of many teams, in figures.
func (d *Done) objection(name string) string {
	said := slices.DeleteFunc(slices.Clone(d.Plan.Objections), func(o guard.Objection) bool { return o.Guard != name || len(o.Changes) == 0 })
	if len(said) == 1 {
		return name + ": " + said[0].Message
	}
	return fmt.Sprintf("%s stops %s in %s", name, Count(guard.Count(said), "change"), Count(len(said), "team"))
}

func (d *Done) parts() []string {
	var did []string
	for _, p := range []struct {
		n    int
		verb string
	}{{d.Added, "added"}, {d.Removed, "removed"}, {d.Updated, "changed"}} {
		if p.n > 0 {
			did = append(did, Figure(p.n)+" "+p.verb)
		}
	}
	var parts []string
	switch {
	case len(did) > 0:
		parts = append(parts, strings.Join(did, ", ")+" in "+Count(len(d.teams), "team"))
	case d.State == "off":
		parts = append(parts, d.Plan.planned()+", only shown (apply: off)")
	case d.Left > 0 || d.Failed > 0 || d.Plan.Plan == nil || len(d.Unread) > 0:
		parts = append(parts, "nothing changed")
	default:
		parts = append(parts, "nothing to do")
	}
	if d.Created > 0 {
		parts = append(parts, Count(d.Created, "team")+" created")
	}
	if d.Already > 0 {
		parts = append(parts, Figure(d.Already)+" in place already")
	}
	if d.Failed > 0 {
		parts = append(parts, Figure(d.Failed)+" failed")
	}
	if d.Skipped > 0 {
		parts = append(parts, Count(d.Skipped, "change")+" left, because the teams moved meanwhile")
	}
	if d.Stopped {
		parts = append(parts, fmt.Sprintf("interrupted: %s left for the next sync", Count(d.Left, "change")))
	} else if d.Left > 0 {
		parts = append(parts, Count(d.Left, "change")+" left")
	}
	if d.Objected > 0 {
		parts = append(parts, fmt.Sprintf("%s %s for approval", Count(d.Objected, "change"), verb(d.Objected, "waits", "wait")))
	}
	if d.Plan.Plan != nil {
		if s := d.Plan.Plan.Summary(); s.People > 0 {
			parts = append(parts, Count(s.People, "person")+" held")
		}
		if n := len(d.Plan.Plan.Refused); n > 0 {
			parts = append(parts, Count(n, "mapping")+" refused")
		}
	}
	return parts
}

// planned says in a few words what a plan would do.
func (p Plan) planned() string {
	if p.Plan == nil || p.Plan.Empty() {
		return "nothing to change"
	}
	s := p.Plan.Summary()
	return fmt.Sprintf("%s to add, %s to remove, %s to change in %s", Figure(s.Add), Figure(s.Remove), Figure(s.Update), Count(s.Teams, "team"))
}

func (d *Done) run() string {
	if d.Run == "" {
		return ""
	}
	return fmt.Sprintf(" (run %s, %s)", d.Run, Span(d.Ended.Sub(d.Began)))
}

// Synced is what `sync --json` prints.
type Synced struct {
	Format  int        `json:"format"`
	Targets []JSONDone `json:"targets"`
}

// A JSONDone is what a run of one target did, for programs.
type JSONDone struct {
	Target   string   `json:"target"`
	Run      string   `json:"run,omitempty"`
	State    string   `json:"state"` // done, objected, failed, off or paused
	Created  int      `json:"created"`
	Added    int      `json:"added"`
	Removed  int      `json:"removed"`
	Updated  int      `json:"updated"`
	Already  int      `json:"already"`
	Failed   int      `json:"failed"`
	Skipped  int      `json:"skipped"`
	Objected int      `json:"objected"`
	Guards   []string `json:"guards"` // that object
	Held     int      `json:"held"`
	Unread   []string `json:"unread"`
}

// JSON returns the run for programs.
func (d *Done) JSON() JSONDone {
	j := JSONDone{
		Target: d.Target, Run: d.Run, State: d.State, Created: d.Created, Added: d.Added, Removed: d.Removed, Updated: d.Updated,
		Already: d.Already, Failed: d.Failed, Skipped: d.Skipped, Objected: d.Objected, Guards: list(slices.Clone(d.objecting())), Unread: list(d.Unread),
	}
	if d.Paused != "" {
		j.State = "paused"
	}
	if d.Plan.Plan != nil {
		j.Held = d.Plan.Plan.Summary().Held
	}
	return j
}
