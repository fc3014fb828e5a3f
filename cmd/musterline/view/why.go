package view

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"musterline.example/answer"
	"musterline.example/internal/words"
	"musterline.example/link"
)

// Why writes the answer first and the evidence below it.
func Why(s Screen, a answer.Answer, now time.Time) {
	s.hangIn(bold, "", "  ", a.Summary+".")
	label := func(l string) string { return s.paint(faint, l) }
	rows := [][]string{{label("who"), identity(a)}}
	for _, m := range a.Mappings {
		rows = append(rows, []string{label("group"), pathText(m, now)}, []string{label("mapping"), mappingLine(m, a.Target+"/"+a.Team.Name)})
	}
	rows = append(rows, []string{label("link"), linkText(a, now)})
	if l := a.Ledger; l != nil {
		rows = append(rows, []string{label("ledger"), fmt.Sprintf("%s as %s since %s, justified by %s (audit entry %d)",
			l.Origin, l.Role, words.Moment(l.Since, now), strings.Join(l.Mappings, ", "), l.Entry)})
	} else {
		rows = append(rows, []string{label("ledger"), "no row: the membership is not Musterline's"})
	}
	if a.Held != nil {
		rows = append(rows, []string{label("held"), a.Held.Reason + ": " + a.Held.Message})
	}
	for _, r := range a.Refused {
		rows = append(rows, []string{label("refused"), r})
	}
	for _, e := range a.History {
		rows = append(rows, []string{label("run " + e.Run), eventText(e, now)})
	}
	if a.Pending != nil {
		for _, o := range a.Pending.Objections {
			rows = append(rows, []string{label("objection"), o})
		}
	}
	if a.PlanRun != "" {
		rows = append(rows, []string{label("last plan"), fmt.Sprintf("of run %s, at %s", a.PlanRun, words.Moment(a.PlanAt, now))})
	}
	s.Table(2, rows)
}

// linkText says whose account it is and how that is known; where it is not, what to do about it.
func linkText(a answer.Answer, now time.Time) string {
	host := cmp.Or(a.Host, "HOST")
	switch {
	case a.Link != nil:
		return evidence(a.Link, now)
	case a.User == "":
		return "none: no user of a source is linked to this account; if you know whose it is: musterline link add SOURCE/USER " +
			host + "/" + a.Account.ID + " --reason TEXT"
	case a.Held != nil && a.Held.Reason != string(link.NotLinked):
		return "none yet"
	}
	return "none: nobody knows which account is theirs; once you know: musterline link add " + words.Quote(a.User) + " " + host + "/NUMBER --reason TEXT"
}

func identity(a answer.Answer) string {
	var parts []string
	if a.Account.ID != "" {
		parts = append(parts, strings.TrimSpace("account "+a.Account.ID+" "+a.Account.Name))
	}
	if a.User != "" {
		user := a.User
		if a.Person != "" {
			user += " (" + a.Person + ")"
		}
		if a.Status != "" && a.Status != "active" {
			user += ", " + a.Status
		}
		parts = append(parts, user)
	}
	return strings.Join(parts, "; ")
}

func pathText(m answer.WhyMapping, now time.Time) string {
	read := ""
	if !m.ReadAt.IsZero() {
		read = ", as read at " + words.Moment(m.ReadAt, now)
	}
	if m.Failure != "" {
		read += "; a later read failed: " + m.Failure
	}
	switch {
	case m.Missing:
		return m.Group + " is not listed by its source" + read
	case m.ReadAt.IsZero():
		return m.Group + " was never read"
	case len(m.Path) == 0:
		return "not in " + m.Group + read
	case m.Status != "active":
		return answer.Path(m.Path) + " (" + m.Status + ")" + read
	}
	return answer.Path(m.Path) + read
}

func mappingLine(m answer.WhyMapping, where string) string {
	text := m.Group + " → " + where + " (" + m.ID
	if m.Role == "maintainer" {
		text += ", as maintainer"
	}
	if m.Mode == "additive" {
		text += ", additive"
	}
	return text + ")"
}

func evidence(l *answer.Link, now time.Time) string {
	text := l.Tier
	if l.Evidence != "" {
		text += ": " + strings.TrimPrefix(l.Evidence, l.Tier+" ")
	}
	if l.By != "" && l.By != "sync" && !strings.Contains(l.Evidence, l.By) {
		text += ", says " + l.By
	}
	if !l.Since.IsZero() {
		text += ", since " + words.Moment(l.Since, now)
	}
	if l.State != "standing" {
		text += "; " + l.State
		if l.Trouble != "" {
			text += ": " + l.Trouble
		}
	}
	return text
}

func eventText(e answer.WhyEvent, now time.Time) string {
	act := map[string]string{"add": "added", "remove": "removed", "update": "role changed", "cancel": "invitation cancelled"}[e.Act]
	text := fmt.Sprintf("%s at %s", act, words.Moment(e.At, now))
	switch e.Result {
	case "done":
	case "already":
		text += " (was so already)"
	default:
		text += ": " + e.Result
	}
	if e.Error != "" {
		text += ": " + e.Error
	}
	if e.Why != "" {
		text += " (" + e.Why + ")"
	}
	text += answer.AskedBy(e.Trigger, e.Requester)
	text += fmt.Sprintf("; audit entries %d and %d", e.Intent, e.Entry)
	if e.Waiver != "" {
		text += fmt.Sprintf("; %s waived by %s: %s (waiver %s)", words.List(e.Waived), e.WaivedBy, e.WaivedWhy, e.Waiver)
	}
	return text
}
