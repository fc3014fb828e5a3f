package view

import (
	"fmt"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"musterline.example/answer"
	"musterline.example/internal/words"
	"musterline.example/plan"
	"musterline.example/target"
	"musterline.example/team"
)

// A Progress shows writes as they happen: a line for each team that is done and, on a terminal, a bar below with what is left. The time
// left is reckoned from the writes made so far, pauses that the target asks for included; while there are too few of them to tell,
// nothing is said.
type Progress struct {
	Screen Screen
	Total  int // writes that the plan holds
	Align  int // width of the column of teams
	Now    func() time.Time

	Failures []answer.Write
	Done     int // writes that took effect, or were in place
	Teams    int

	began time.Time
	seen  int
	rest  time.Duration // that is left, reckoned at the last write
	slug  string
	line  []string // what was done to the team in hand
}

// Begin starts the clock, and shows an empty bar on a terminal.
func (p *Progress) Begin() {
	p.began = p.Now()
	p.bar("")
}

// Wrote shows one write.
func (p *Progress) Wrote(w answer.Write) {
	if w.Team != p.slug {
		p.flush()
		p.slug = w.Team
		p.Teams++
	}
	what := writtenText(w)
	switch w.Result {
	case target.Done, target.Pending:
		p.Done++
		p.line = append(p.line, what)
	case target.Already:
		p.Done++
		p.line = append(p.line, what+" (was so already)")
	default:
		p.Failures = append(p.Failures, w)
		p.line = append(p.line, p.Screen.paint(red, what+" "+string(w.Result)))
	}
	if w.Act != "create" {
		p.seen++
	}
	p.rest = p.left()
	p.bar(w.Team + " " + strings.ReplaceAll(what, tie, " "))
}

// End clears the bar and writes what went wrong.
func (p *Progress) End() {
	p.flush()
	p.clear()
	for _, f := range p.Failures {
		cause := "the target did not say why"
		if f.Error != "" {
			cause = f.Error
		}
		p.Screen.hang("  "+p.Screen.paint(red, "!")+" ", "    ", fmt.Sprintf("%s: %s %s: %s", f.Team, writtenText(f), f.Result, cause))
	}
}

func writtenText(w answer.Write) string {
	if w.Act == "create" {
		return "created"
	}
	text := sign(w.Act) + tie + w.Account.Login
	switch {
	case w.Act == string(plan.Update), w.Act == string(plan.Add) && w.Role == team.Maintainer:
		text += " as " + w.Role.String()
	case w.Act == string(plan.Cancel):
		text += " (invitation)"
	}
	if w.Result == target.Pending {
		text += " (invited)"
	}
	return text
}

func (p *Progress) flush() {
	if len(p.line) == 0 {
		return
	}
	p.clear()
	left := ""
	if d := p.rest; !p.Screen.Live && d >= 10*time.Second {
		left = fmt.Sprintf(" (%s of %s, about %s left)", words.Figure(p.seen), words.Figure(p.Total), words.Span(d))
	}
	p.Screen.hang("  "+pad(p.slug, p.Align)+"  ", strings.Repeat(" ", p.Align+4), strings.Join(p.line, ", ")+left)
	p.line = nil
}

// left is how long the rest will take at the rate so far; 0 when that cannot be told yet.
func (p *Progress) left() time.Duration {
	elapsed := p.Now().Sub(p.began)
	if p.seen < 3 || p.seen >= p.Total || elapsed <= 0 {
		return 0
	}
	return elapsed / time.Duration(p.seen) * time.Duration(p.Total-p.seen)
}

func (p *Progress) bar(doing string) {
	if p.Screen.Live {
		fmt.Fprint(p.Screen.Out, "\r\x1b[K", p.Bar(doing))
	}
}

// Bar is the line that a terminal shows below what is done: how much is written, how long the rest takes, and what was written last.
func (p *Progress) Bar(doing string) string {
	const width = 24
	share := 0.0
	if p.Total > 0 {
		share = min(1, float64(p.seen)/float64(p.Total))
	}
	full := int(share*width + 0.5)
	line := "  " + p.Screen.paint(green, strings.Repeat("█", full)) + p.Screen.paint(faint, strings.Repeat("░", width-full)) +
		fmt.Sprintf(" %s of %s", words.Figure(p.seen), words.Figure(p.Total))
	if d := p.left(); d >= time.Second {
		line += ", about " + words.Span(d) + " left"
	}
	if room := p.Screen.width() - lipgloss.Width(line) - 4; doing != "" && room > lipgloss.Width(doing) {
		line += "  " + p.Screen.paint(faint, doing)
	}
	return line
}

func (p *Progress) clear() {
	if p.Screen.Live {
		fmt.Fprint(p.Screen.Out, "\r\x1b[K")
	}
}

// SlugWidth is how wide a column of the teams of a plan is. A longer name stands out of it.
func SlugWidth(p answer.Plan) int {
	width := 0
	for i := range p.Teams {
		if !p.Teams[i].Empty() {
			width = max(width, len(p.Teams[i].Slug))
		}
	}
	return min(width, 28)
}
