package view

import (
	"fmt"
	"strings"
	"time"
)

// A Known is an id with the name that people know.
type Known struct {
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
}

// An Answer says why somebody is in a team, or why not, from stored evidence.
type Answer struct {
	Verdict  string       `json:"verdict"` // in, out, held, refused, waits, unknown
	Summary  string       `json:"summary"`
	Target   string       `json:"target"`
	Team     Known        `json:"team"`
	Account  Known        `json:"account"`
	User     string       `json:"user,omitempty"` // "source/id"
	Person   string       `json:"person,omitempty"`
	Status   string       `json:"status,omitempty"` // at the identity provider
	Mappings []WhyMapping `json:"mappings"`
	Link     *Link        `json:"link,omitempty"`
	Ledger   *LedgerRow   `json:"ledger,omitempty"`
	History  []WhyEvent   `json:"history"`
	Held     *WhyHeld     `json:"held,omitempty"`
	Pending  *WhyPending  `json:"pending,omitempty"`
	Refused  []string     `json:"refused,omitempty"`
	LeavesAt time.Time    `json:"leaves_at,omitzero"`
	PlanRun  string       `json:"plan_run,omitempty"` // the run whose plan is the last
	PlanAt   time.Time    `json:"plan_at,omitzero"`
	Now      time.Time    `json:"-"`
}

// A WhyMapping is one mapping of the team, and the path by which it reaches the person.
type WhyMapping struct {
	ID      string    `json:"id"`
	Group   string    `json:"group"`
	Role    string    `json:"role"`
	Mode    string    `json:"mode,omitempty"`
	Path    []string  `json:"path,omitempty"` // empty: the person is not in the group
	Status  string    `json:"status,omitempty"`
	ReadAt  time.Time `json:"read_at,omitzero"`
	Missing bool      `json:"missing,omitempty"` // the source lists no such group
	Failure string    `json:"failure,omitempty"` // of a later read
}

// A LedgerRow is why the membership stands.
type LedgerRow struct {
	Origin   string    `json:"origin"` // granted or found
	Role     string    `json:"role"`
	Mappings []string  `json:"mappings"`
	Since    time.Time `json:"since"`
	Entry    int64     `json:"entry"` // of the audit record
}

// A WhyEvent is one write to the membership.
type WhyEvent struct {
	Entry     int64     `json:"entry"`
	Intent    int64     `json:"intent,omitempty"`
	At        time.Time `json:"at"`
	Run       string    `json:"run"`
	Trigger   string    `json:"trigger,omitempty"`
	Requester string    `json:"requester,omitempty"`
	Act       string    `json:"act"`
	Result    string    `json:"result"`
	Error     string    `json:"error,omitempty"`
	Why       string    `json:"why,omitempty"`
	Waiver    string    `json:"waiver,omitempty"`
	Waived    []string  `json:"waived,omitempty"` // guards
	WaivedBy  string    `json:"waived_by,omitempty"`
	WaivedWhy string    `json:"waived_why,omitempty"`
}

// A WhyHeld is why the person cannot be in the team yet.
type WhyHeld struct {
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// A WhyPending is a change of the last plan that has not come about.
type WhyPending struct {
	Act        string   `json:"act"`
	Why        string   `json:"why,omitempty"`
	Stopped    []string `json:"stopped,omitempty"`
	Objections []string `json:"objections,omitempty"`
}

// who is the person as people know them.
func (a *Answer) who() string {
	name := a.Account.Name
	if name == "" {
		name = a.User
	}
	if name == "" {
		name = "account " + a.Account.ID
	}
	return name
}

// Conclude puts the evidence into one word and one sentence.
func (a *Answer) Conclude() {
	who, where := a.who(), a.Target+"/"+a.Team.Name
	removed := len(a.History) > 0 && a.History[0].removed()
	switch {
	case a.Ledger != nil && a.Pending != nil:
		a.Verdict, a.Summary = "in", fmt.Sprintf("%s is in %s, and the last plan %s", who, where, a.Pending.sentence())
	case a.Ledger != nil && !a.LeavesAt.IsZero():
		a.Verdict, a.Summary = "in", fmt.Sprintf("%s is in %s, and leaves at %s", who, where, Moment(a.LeavesAt, a.Now))
	case a.Ledger != nil && a.Ledger.Origin == "found":
		a.Verdict, a.Summary = "in", fmt.Sprintf("%s is in %s: was there already, and a mapped group justifies it", who, where)
	case a.Ledger != nil:
		a.Verdict, a.Summary = "in", fmt.Sprintf("%s is in %s: Musterline put them there", who, where)
	case a.Pending != nil && a.Pending.Act == "add":
		a.Verdict, a.Summary = "waits", fmt.Sprintf("%s is not in %s yet: the last plan %s", who, where, a.Pending.sentence())
	case a.Pending != nil:
		a.Verdict, a.Summary = "in", fmt.Sprintf("%s is in %s by another hand: the last plan %s", who, where, a.Pending.sentence())
	case len(a.Refused) > 0:
		a.Verdict, a.Summary = "refused", fmt.Sprintf("%s is not kept in line: %s", where, strings.Join(a.Refused, "; "))
	case a.Held != nil:
		a.Verdict, a.Summary = "held", fmt.Sprintf("%s should be in %s and cannot be yet: %s", who, where, a.Held.Reason)
	case removed:
		a.Verdict, a.Summary = "out", fmt.Sprintf("%s is not in %s: removed by run %s (%s)", who, where, a.History[0].Run, a.History[0].Why)
	case len(a.Mappings) == 0:
		a.Verdict, a.Summary = "unknown", fmt.Sprintf("%s has no mapping: Musterline does not say who is in it", where)
	case a.reached():
		a.Verdict, a.Summary = "waits", fmt.Sprintf("%s should be in %s by the groups as last read: the next sync sees to it", who, where)
	default:
		a.Verdict, a.Summary = "out", fmt.Sprintf("Musterline has not put %s into %s: in none of its mapped groups", who, where)
	}
}

func (a *Answer) reached() bool {
	for _, m := range a.Mappings {
		if len(m.Path) > 0 && (m.Status == "active" || m.Status == "locked") {
			return true
		}
	}
	return false
}

func (e WhyEvent) removed() bool {
	return (e.Act == "remove" || e.Act == "cancel") && (e.Result == "done" || e.Result == "already" || e.Result == "seen")
}

func (p *WhyPending) sentence() string {
	act := map[string]string{"add": "adds them", "remove": "removes them", "update": "changes their role", "cancel": "cancels their invitation"}[p.Act]
	if p.Why != "" {
		act += " (" + p.Why + ")"
	}
	if len(p.Stopped) > 0 {
		return act + ", but " + List(p.Stopped) + " " + verb(len(p.Stopped), "objects", "object")
	}
	return act
}

// Text writes the answer first and the evidence below it.
func (a *Answer) Text(s Screen) {
	s.hangIn(bold, "", "  ", a.Summary+".")
	label := func(l string) string { return s.paint(faint, l) }
	rows := [][]string{{label("who"), a.identity()}}
	for _, m := range a.Mappings {
		rows = append(rows, []string{label("group"), m.text(a.Now)}, []string{label("mapping"), m.mapping(a.Target + "/" + a.Team.Name)})
	}
	if a.Link != nil {
		rows = append(rows, []string{label("link"), a.Link.sentence(a.Now)})
	} else if a.User != "" {
		rows = append(rows, []string{label("link"), "none: nobody knows which account is theirs"})
	} else {
		rows = append(rows, []string{label("link"), "none: no user of a source is linked to this account"})
	}
	if l := a.Ledger; l != nil {
		rows = append(rows, []string{label("ledger"), fmt.Sprintf("%s as %s since %s, justified by %s (audit entry %d)",
			l.Origin, l.Role, Moment(l.Since, a.Now), strings.Join(l.Mappings, ", "), l.Entry)})
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
		rows = append(rows, []string{label("run " + e.Run), e.text(a.Now)})
	}
	if a.Pending != nil {
		for _, o := range a.Pending.Objections {
			rows = append(rows, []string{label("objection"), o})
		}
	}
	if a.PlanRun != "" {
		rows = append(rows, []string{label("last plan"), fmt.Sprintf("of run %s, at %s", a.PlanRun, Moment(a.PlanAt, a.Now))})
	}
	s.Table(2, rows)
}

func (a *Answer) identity() string {
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

func (m WhyMapping) text(now time.Time) string {
	read := ""
	if !m.ReadAt.IsZero() {
		read = ", as read at " + Moment(m.ReadAt, now)
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
		return Path(m.Path) + " (" + m.Status + ")" + read
	}
	return Path(m.Path) + read
}

func (m WhyMapping) mapping(where string) string {
	text := m.Group + " → " + where + " (" + m.ID
	if m.Role == "maintainer" {
		text += ", as maintainer"
	}
	if m.Mode == "additive" {
		text += ", additive"
	}
	return text + ")"
}

func (l *Link) sentence(now time.Time) string {
	text := l.Tier
	if l.Evidence != "" {
		text += ": " + strings.TrimPrefix(l.Evidence, l.Tier+" ")
	}
	if l.By != "" && l.By != "sync" && !strings.Contains(l.Evidence, l.By) {
		text += ", says " + l.By
	}
	if !l.Since.IsZero() {
		text += ", since " + Moment(l.Since, now)
	}
	if l.State != "standing" {
		text += "; " + l.State
		if l.Trouble != "" {
			text += ": " + l.Trouble
		}
	}
	return text
}

func (e WhyEvent) text(now time.Time) string {
	act := map[string]string{"add": "added", "remove": "removed", "update": "role changed", "cancel": "invitation cancelled"}[e.Act]
	text := fmt.Sprintf("%s at %s", act, Moment(e.At, now))
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
	text += AskedBy(e.Trigger, e.Requester)
	text += fmt.Sprintf("; audit entries %d and %d", e.Intent, e.Entry)
	if e.Waiver != "" {
		text += fmt.Sprintf("; %s waived by %s: %s (waiver %s)", List(e.Waived), e.WaivedBy, e.WaivedWhy, e.Waiver)
	}
	return text
}
