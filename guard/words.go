package guard

import (
	"strconv"
	"strings"
	"time"
	"unicode"
)

// figure writes a number as people read it: 2,340.
func figure(n int) string {
	s := strconv.Itoa(n)
	digits := strings.TrimPrefix(s, "-")
	var b strings.Builder
	b.WriteString(s[:len(s)-len(digits)])
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}

// many writes a number of things: "1 member", "2,340 members".
func many(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return figure(n) + " " + thing + "s"
}

// span writes a duration in its largest fitting unit: "3 days", "26 h", "40 min".
func span(d time.Duration) string {
	switch {
	case d >= 3*day:
		return many(int(d/day), "day")
	case d >= time.Hour:
		return figure(int(d/time.Hour)) + " h"
	default:
		return figure(int(d/time.Minute)) + " min"
	}
}

// names lists at most three names and counts the rest.
func names(list []string) string {
	if len(list) > 3 {
		return strings.Join(list[:3], ", ") + " and " + figure(len(list)-3) + " more"
	}
	return strings.Join(list, ", ")
}

// be is the verb of so many things.
func be(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// within24h is what a message says when part of a count was done before.
func within24h(done int) string {
	if done == 0 {
		return ""
	}
	return ", " + figure(done) + " of them in the last 24 h"
}

// onlyTeam is the filter of the approve command for one team.
func onlyTeam(slug string) string {
	if strings.ContainsFunc(slug, unicode.IsSpace) {
		slug = strconv.Quote(slug)
	}
	return "--team " + slug
}

// onlyGuard is the filter of the approve command for the changes that one guard stops.
func onlyGuard(name string) string { return "--guard " + name }

// wayOut says what to do when the plan is right and what when it is wrong.
func wayOut(target, filter, wrong string) string {
	return "If this is right: musterline approve " + target + " " + filter + " --reason TEXT. If not: " + wrong
}
