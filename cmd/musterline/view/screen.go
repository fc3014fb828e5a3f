// Package view says in words and in JSON what the commands have found out. It takes values and writes text; it reads nothing, decides
// nothing and knows no command. What there is to say comes from package answer.
//
// Text is written for people on a terminal of 80 columns or more: sorted, aligned, nothing cut off, readable without colours, which
// only help the eye. JSON is the answer itself, written for programs.
package view

import (
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode"

	"charm.land/lipgloss/v2"
)

// A Screen is what views are written on.
type Screen struct {
	Out    io.Writer
	Width  int  // of a line; 0 means 80
	Colour bool // the reader can see colours and wants them
	Live   bool // the reader is a terminal, where a line can be written over
}

// The colours are the terminal's own sixteen, which its owner has made readable. None of them says what the words do not.
var (
	bold   = lipgloss.NewStyle().Bold(true)
	faint  = lipgloss.NewStyle().Faint(true)
	green  = lipgloss.NewStyle().Foreground(lipgloss.Green)
	red    = lipgloss.NewStyle().Foreground(lipgloss.Red)
	yellow = lipgloss.NewStyle().Foreground(lipgloss.Yellow)
	cyan   = lipgloss.NewStyle().Foreground(lipgloss.Cyan)
)

// measure returns how many columns a text takes. A test counts how often that is asked.
var measure = lipgloss.Width

func (s Screen) paint(style lipgloss.Style, text string) string {
	if !s.Colour || text == "" {
		return text
	}
	return style.Render(text)
}

// Title writes a heading.
func (s Screen) Title(format string, args ...any) {
	s.line(s.paint(bold, fmt.Sprintf(format, args...)))
}

// Line writes one line as it is.
func (s Screen) Line(format string, args ...any) { s.line(fmt.Sprintf(format, args...)) }

// Blank writes an empty line.
func (s Screen) Blank() { s.line("") }

// Para writes a paragraph, wrapped at the width, every line indented by so many columns.
func (s Screen) Para(indent int, format string, args ...any) {
	pad := strings.Repeat(" ", indent)
	s.hang(pad, pad, fmt.Sprintf(format, args...))
}

func (s Screen) line(text string) { fmt.Fprintln(s.Out, strings.TrimRight(tame(text), " ")) }

// color is what our own styles write.
var color = regexp.MustCompile(`^\x1b\[[0-9;]*m`)

// tame takes from a text what a terminal would obey: names and reasons are other people's words. Colors stay.
func tame(text string) string {
	if !strings.ContainsFunc(text, obeyed) {
		return text
	}
	var b strings.Builder
	for i, r := range text {
		if obeyed(r) && !color.MatchString(text[i:]) {
			r = '\uFFFD'
		}
		b.WriteRune(r)
	}
	return b.String()
}

func obeyed(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }

func (s Screen) width() int {
	if s.Width <= 0 {
		return 80
	}
	return max(s.Width, 40)
}

// hang writes text wrapped at the width: the first line begins with first, the others with rest.
func (s Screen) hang(first, rest, text string) { s.hangIn(lipgloss.NewStyle(), first, rest, text) }

// hangIn does the same in a colour.
func (s Screen) hangIn(style lipgloss.Style, first, rest, text string) {
	before := first
	for _, l := range wrap(text, s.width()-measure(first), s.width()-measure(rest)) {
		s.line(before + s.paint(style, l))
		before = rest
	}
}

// A tie is a space at which no line is broken.
const tie = "\u00a0"

// wrap breaks text at spaces into lines of the given widths, the first and the others. A word longer than a line stays whole: a command that
// is cut in two cannot be copied.
func wrap(text string, first, rest int) []string {
	var lines []string
	line, width, limit := "", 0, first
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ' ' || r == '\n' || r == '\t' }) {
		word = strings.ReplaceAll(word, tie, " ")
		w := measure(word)
		if line != "" && width+1+w > limit {
			lines = append(lines, line)
			line, width, limit = "", 0, rest
		}
		if line != "" {
			line += " "
			width++
		}
		line += word
		width += w
	}
	return append(lines, line)
}

// Table writes rows in columns that are as wide as their widest cell. The last column is wrapped under itself, or goes under the row
// when there is no room left for it.
func (s Screen) Table(indent int, rows [][]string) {
	const enough = 24
	widths := columns(rows)
	for _, row := range rows {
		line, last := strings.Repeat(" ", indent), row[len(row)-1]
		for i, cell := range row[:len(row)-1] {
			line += pad(cell, widths[i]) + "  "
		}
		left := s.width() - measure(line)
		if left < enough && measure(last) > left {
			s.line(line)
			line = strings.Repeat(" ", indent+4)
		}
		s.hang(line, strings.Repeat(" ", measure(line)), last)
	}
}

// Header is a row of a table that names its columns.
func (s Screen) Header(names ...string) []string {
	row := make([]string, len(names))
	for i, n := range names {
		row[i] = s.paint(faint, n)
	}
	return row
}

func columns(rows [][]string) []int {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], measure(cell))
		}
	}
	return widths
}

func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-measure(text)))
}

// WriteJSON writes a value as indented JSON.
func WriteJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// Problem writes what went wrong in one line and what to do in the next.
func (s Screen) Problem(cause, hint string) {
	s.line(s.paint(red, "musterline:") + " " + strings.ReplaceAll(strings.TrimSpace(cause), "\n", "\n  "))
	if hint != "" {
		way, sample, _ := strings.Cut(hint, "\n")
		s.hang("  "+s.paint(bold, "→")+" ", "    ", way)
		for line := range strings.Lines(sample) {
			s.line("    " + strings.TrimRight(line, "\n"))
		}
	}
}

// Step writes the heading of a step in a story.
func (s Screen) Step(n int, why string) {
	number := fmt.Sprintf("%d. ", n)
	s.hangIn(cyan, s.paint(cyan, number), strings.Repeat(" ", len(number)), why)
	s.Blank()
}

// Command writes a command line as a shell shows it.
func (s Screen) Command(line string) { s.line(s.paint(faint, "$ ") + s.paint(bold, line)) }
