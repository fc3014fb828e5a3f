// Package words writes figures, moments and commands as people read them, so that every door of the house speaks alike.
package words

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Figure writes a number as people read it: 2,340.
func Figure(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Count writes a number of things: "1 member", "2,340 members", "3 people".
func Count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	switch {
	case thing == "person":
		thing = "people"
	case strings.HasSuffix(thing, "y") && !strings.HasSuffix(thing, "ay"):
		thing = strings.TrimSuffix(thing, "y") + "ies"
	default:
		thing += "s"
	}
	return Figure(n) + " " + thing
}

// List joins words as a sentence does: "a", "a and b", "a, b and c".
func List(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// Span writes a duration as a person would say it, in its largest fitting unit: "40 s", "3 min", "26 h", "5 days".
func Span(d time.Duration) string {
	switch {
	case d < time.Second:
		return "a moment"
	case d < 90*time.Second:
		return fmt.Sprintf("%d s", int(d.Round(time.Second)/time.Second))
	case d < 90*time.Minute:
		return fmt.Sprintf("%d min", int(d.Round(time.Minute)/time.Minute))
	case d < 72*time.Hour:
		return fmt.Sprintf("%d h", int(d.Round(time.Hour)/time.Hour))
	default:
		return Count(int(d/(24*time.Hour)), "day")
	}
}

// Moment writes a time in the zone of the reader; the day is left out when it is today.
func Moment(t, now time.Time) string {
	t = t.In(now.Location())
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format("15:04")
	}
	return t.Format("2006-01-02 15:04")
}

// Quote writes a word so that a shell takes it as one.
func Quote(word string) string {
	if word != "" && strings.IndexFunc(word, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:@%+=", r))
	}) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// Verb chooses between a verb's forms for one and for many.
func Verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
