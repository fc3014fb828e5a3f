package view

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"musterline.example/answer"
	"musterline.example/guard"
	"musterline.example/internal/words"
	"musterline.example/plan"
	"musterline.example/team"
)

// A Plan is how the plan of one target is shown.
type Plan struct {
	answer.Plan
	Now   time.Time
	Brief bool // leave held people and refused mappings to the last line
}

// summary is the last line of a plan: what it would do, and what stops or waits.
func (p Plan) summary() string {
	s := p.Summary
	var parts []string
	if p.Empty() {
		parts = append(parts, "nothing to change")
	} else {
		parts = append(parts, planned(&s))
		if s.Create > 0 {
			parts[0] += fmt.Sprintf(" (%s to create)", words.Figure(s.Create))
		}
	}
	if s.Objected > 0 {
		n := len(p.Guards())
		parts = append(parts, fmt.Sprintf("%s %s %s", words.Count(n, "guard"), words.Verb(n, "stops", "stop"), words.Count(s.Objected, "change")))
	}
	if s.Held > 0 {
		parts = append(parts, fmt.Sprintf("%s of %s held", words.Count(s.Held, "membership"), words.Count(s.People, "person")))
	}
	if n := len(p.Refused); n > 0 {
		parts = append(parts, words.Count(n, "mapping")+" refused")
	}
	return "Plan: " + strings.Join(parts, "; ") + "."
}

// Text writes the plan for people: teams, refused mappings, held people, objections, and the line that sums up.
func (p Plan) Text(s Screen) {
	p.header(s)
	width := p.loginWidth()
	for _, t := range p.Teams {
		p.team(s, t, width)
	}
	if !p.Brief {
		p.refused(s)
		p.held(s)
	}
	p.objections(s)
	s.hang("", "  ", s.paint(bold, p.summary()))
}

// notes are what a reader of a plan must know beside it.
func (p Plan) notes() []string {
	var notes []string
	beside := p.Setting()
	if beside.NoHistory {
		notes = append(notes, "no history: every team counts as a first connection")
	}
	switch beside.Apply {
	case guard.ApplyOff:
		notes = append(notes, "apply: off: plans of this target are only shown")
	case guard.ApplyApprove:
		notes = append(notes, "apply: approve: every change of this target waits for a person")
	}
	if beside.Paused != nil {
		notes = append(notes, fmt.Sprintf("paused %s; nothing is done until: musterline resume %s", Paused(*beside.Paused, p.Now), words.Quote(p.Target)))
	}
	return append(notes, beside.Notes...)
}

func (p Plan) header(s Screen) {
	beside := p.Setting()
	title := s.paint(bold, "Target "+p.Target)
	if beside.Organization != "" {
		title += s.paint(faint, fmt.Sprintf(" (organization %s on %s)", beside.Organization, beside.Host))
	}
	s.line(title)
	for _, n := range p.notes() {
		s.hangIn(yellow, "  ", "  ", n)
	}
	s.Blank()
	if p.Empty() {
		switch {
		case beside.Mapped == 0:
			s.Para(0, "No team is mapped. Say under mappings: in the configuration which groups belong in which team.")
		case beside.Unread:
			s.Para(0, "Nothing to change, as far as the sources could be read.")
		case beside.Mapped == 1:
			s.Para(0, "Nothing to change: the mapped team is as its groups say.")
		default:
			s.Para(0, "Nothing to change: the %s mapped teams are as their groups say.", words.Figure(beside.Mapped))
		}
		s.Blank()
	}
}

// A change is one line of a plan: a sign, a login, and what stands beside it.
type change struct {
	act      plan.Act
	login    string
	text     string
	objected []string
}

// changes puts additions first, then removals, then role changes, each in order of login: the order in which people look for a name.
func changes(t answer.TeamPlan) []change {
	var add, remove, update []change
	for _, ch := range t.Add {
		add = append(add, change{plan.Add, ch.Account.Login, added(ch) + because(ch.Why), ch.Objected})
	}
	for _, ch := range t.Remove {
		remove = append(remove, change{plan.Remove, ch.Account.Login, because(ch.Why), ch.Objected})
	}
	for _, ch := range t.Update {
		update = append(update, change{plan.Update, ch.Account.Login, fmt.Sprintf("%s → %s ", ch.From, ch.To) + because(ch.Why), ch.Objected})
	}
	var all []change
	for _, l := range [][]change{add, remove, update} {
		slices.SortStableFunc(l, func(a, b change) int { return strings.Compare(team.FoldLogin(a.login), team.FoldLogin(b.login)) })
		all = append(all, l...)
	}
	return all
}

// added is what an addition does beside its sign.
func added(ch answer.Addition) string {
	switch {
	case ch.Invite && ch.Role == team.Maintainer:
		return "invited again as maintainer "
	case ch.Invite:
		return "invited again "
	case ch.Role == team.Maintainer:
		return "as maintainer "
	}
	return ""
}

func because(why []team.Reason) string { return strings.TrimSpace(parens(answer.Why(why))) }

// loginWidth is the column of logins, the same in all teams so that the eye can go down it. A login that is longer stands out of it.
func (p Plan) loginWidth() int {
	width := 0
	for _, t := range p.Teams {
		for _, ch := range changes(t) {
			width = max(width, len(ch.login))
		}
		for _, l := range t.Leaving {
			width = max(width, len(l.Account.Login))
		}
	}
	return min(width, 22)
}

// team writes the changes of one team.
//
//	platform  12 → 13 members
//	  + ada-l     (corp/platform › corp/sre)
//	! − bob       (not in a mapped group)
//	  ~ eve       member → maintainer (corp/leads)
//	  … joe       leaves at 14:32 (disconnected, in grace)
//	! stopped by first_connection
func (p Plan) team(s Screen, t answer.TeamPlan, width int) {
	s.line(s.paint(bold, t.Slug) + "  " + s.paint(faint, teamState(t)))
	marks := &marks{}
	marks.add("the new team", t.Objected)
	for _, ch := range changes(t) {
		first := "  "
		if len(ch.objected) > 0 {
			first = s.paint(yellow, "!") + " "
			marks.add(ch.login, ch.objected)
		}
		first += s.paint(actStyle(ch.act), sign(string(ch.act))) + " " + pad(ch.login, width) + " "
		s.hang(first, strings.Repeat(" ", min(4+width+2, 28)), ch.text)
	}
	for _, l := range t.Leaving {
		s.hang("  "+s.paint(yellow, "…")+" "+pad(l.Account.Login, width)+" ", strings.Repeat(" ", 4+width+2),
			fmt.Sprintf("leaves at %s%s", words.Moment(l.At, p.Now), parens(answer.Why(l.Why))))
	}
	marks.write(s)
	s.Blank()
}

// teamState is what stands beside a team's name: its size before and after, and what is special about it.
func teamState(t answer.TeamPlan) string {
	after := t.Members + len(t.Add) - len(t.Remove)
	free := t.Members
	for _, ch := range t.Add {
		if len(ch.Objected) == 0 {
			free++
		}
	}
	for _, ch := range t.Remove {
		if len(ch.Objected) == 0 {
			free--
		}
	}
	size := fmt.Sprintf("%s → %s", words.Figure(t.Members), words.Count(after, "member"))
	if after == t.Members {
		size = words.Count(after, "member")
	}
	if t.Create != nil {
		size = "new team, 0 → " + words.Count(len(t.Add), "member")
		if t.Create.Privacy != "" {
			size += ", " + string(t.Create.Privacy)
		}
	}
	if free != after {
		size += fmt.Sprintf(", %s until approved", words.Figure(free))
	}
	if t.Unmapped {
		size += ", no longer mapped"
	}
	return size
}

func actStyle(a plan.Act) lipgloss.Style {
	switch a {
	case plan.Add:
		return green
	case plan.Update:
		return yellow
	default:
		return red
	}
}

func parens(text string) string {
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}

// Marks gather which guards stop which changes of one team, so that it is said once and not on every line.
type marks struct {
	guards []string // joined
	logins [][]string
}

func (m *marks) add(login string, guards []string) {
	if len(guards) == 0 {
		return
	}
	key := words.List(guards)
	i := slices.Index(m.guards, key)
	if i < 0 {
		i = len(m.guards)
		m.guards, m.logins = append(m.guards, key), append(m.logins, nil)
	}
	m.logins[i] = append(m.logins[i], login)
}

func (m *marks) write(s Screen) {
	for i, g := range m.guards {
		text := "stopped by " + g
		if len(m.guards) > 1 {
			text += ": " + strings.Join(m.logins[i], ", ")
		}
		s.hangIn(yellow, s.paint(yellow, "! "), "  ", text)
	}
}

func (p Plan) refused(s Screen) {
	if len(p.Refused) == 0 {
		return
	}
	s.Title("Refused: %s not carried out", words.Count(len(p.Refused), "mapping"))
	for _, r := range p.Refused {
		name := r.Team
		if r.Mapping != "" {
			name += s.paint(faint, "  "+r.Mapping)
		}
		s.line("  " + name + "  " + s.paint(yellow, r.Reason))
		s.Para(4, "%s", r.Message)
	}
	s.Blank()
}

type heldPerson struct {
	user, name, message string
	teams               []string
}

// heldPeople gathers held memberships by reason and person.
func heldPeople(held []answer.Held) (reasons []string, people map[string][]*heldPerson) {
	people = make(map[string][]*heldPerson)
	index := make(map[[2]string]*heldPerson)
	for _, h := range held {
		key := [2]string{h.Reason, h.User}
		who := index[key]
		if who == nil {
			who = &heldPerson{user: h.User, name: h.Name, message: h.Message}
			index[key] = who
			people[h.Reason] = append(people[h.Reason], who)
		}
		if h.Team != "" && !slices.Contains(who.teams, h.Team) {
			who.teams = append(who.teams, h.Team)
		}
	}
	for reason, list := range people {
		reasons = append(reasons, reason)
		slices.SortFunc(list, func(a, b *heldPerson) int { return strings.Compare(a.user, b.user) })
		for _, who := range list {
			slices.Sort(who.teams)
		}
	}
	slices.SortFunc(reasons, func(a, b string) int {
		return cmp.Or(cmp.Compare(slices.Index(answer.HeldReasons, a), slices.Index(answer.HeldReasons, b)), strings.Compare(a, b))
	})
	return reasons, people
}

func (p Plan) held(s Screen) {
	if len(p.Held) == 0 {
		return
	}
	sum := p.Summary
	s.Title("Held: %s of %s who should be in a team and cannot be yet", words.Count(sum.Held, "membership"), words.Count(sum.People, "person"))
	reasons, people := heldPeople(p.Held)
	for _, reason := range reasons {
		list := people[reason]
		said, alike := alike(list)
		if !alike {
			said = answer.HeldMeans(reason)
		}
		s.hang("  ", "    ", strings.TrimSuffix(s.paint(yellow, reason)+": "+said, ": "))
		var rows [][]string
		for _, who := range list {
			name := who.user
			if who.name != "" && !strings.HasSuffix(strings.ToLower(who.user), "/"+strings.ToLower(who.name)) {
				name += " (" + who.name + ")"
			}
			if login := strings.TrimSuffix(strings.TrimSuffix(who.message, said), " is "); alike && login != who.message && login != "is " &&
				!strings.Contains(strings.ToLower(name), strings.ToLower(login)) {
				name += " as " + login
			}
			rows = append(rows, []string{name, strings.Join(who.teams, ", ")})
		}
		widen(rows)
		for i, who := range list {
			s.Table(4, rows[i:i+1])
			if !alike && who.message != "" {
				s.hangIn(faint, "      ", "      ", who.message)
			}
		}
	}
	s.Blank()
}

// widen pads the first cell of every row as wide as the widest of them, up to a limit that leaves room for the second.
func widen(rows [][]string) {
	width := 0
	for _, r := range rows {
		if w := measure(r[0]); w <= 36 {
			width = max(width, w)
		}
	}
	for _, r := range rows {
		r[0] = pad(r[0], width)
	}
}

// alike returns what all messages of a group say, if they say the same but for the login that they may begin with.
func alike(list []*heldPerson) (string, bool) {
	first := list[0].message
	same := func(of func(string) string) bool {
		return !slices.ContainsFunc(list, func(h *heldPerson) bool { return of(h.message) != of(first) })
	}
	if same(func(m string) string { return m }) {
		return strings.TrimPrefix(first, "is "), true
	}
	behind := func(m string) string {
		_, rest, _ := strings.Cut(m, " ")
		return strings.TrimPrefix(rest, "is ")
	}
	return behind(first), same(behind)
}

func (p Plan) objections(s Screen) {
	var stops, warns []answer.Objection
	for _, o := range p.Objections {
		if o.Changes > 0 {
			stops = append(stops, o)
		} else {
			warns = append(warns, o)
		}
	}
	if len(warns) > 0 {
		s.Title("Warnings")
		for _, o := range warns {
			p.objectionsOf(s, []answer.Objection{o}, 0)
		}
		s.Blank()
	}
	if len(stops) == 0 {
		return
	}
	n := p.Summary.Objected
	s.Title("Objections: %s until somebody approves", words.Count(n, "change")+" "+words.Verb(n, "waits", "wait"))
	stopped := p.Stopped()
	for _, name := range p.Guards() {
		of := slices.DeleteFunc(slices.Clone(stops), func(o answer.Objection) bool { return o.Guard != name })
		p.objectionsOf(s, of, stopped[name])
	}
	if len(p.Guards()) > 1 {
		s.line("  " + s.paint(faint, "all of them, if right: ") + approval(p.Target, p.Setting().Undoes))
	}
	s.Blank()
}

// approval is the command that approves everything objected to.
func approval(target, undoes string) string {
	return forUndo("musterline approve "+words.Quote(target)+" --reason TEXT", undoes)
}

// forUndo makes of the approval of a plan's changes that of an undo's, where the plan is one.
func forUndo(approve, undoes string) string {
	if undoes == "" {
		return approve
	}
	return strings.Replace(approve, " --reason TEXT", " --undo "+words.Quote(undoes)+" --reason TEXT", 1)
}

// objectionsOf writes what one guard says, and how many changes it stops. The way out is said once where it is the same for all but the team.
func (p Plan) objectionsOf(s Screen, objections []answer.Objection, stops int) {
	undoes := p.Setting().Undoes
	head := s.paint(yellow, objections[0].Guard)
	if stops > 0 {
		head += s.paint(faint, "  stops "+words.Count(stops, "change"))
	}
	s.line("  " + head)
	ways := make(map[string]bool)
	for _, o := range objections {
		ways[wayForAll(o)] = true
	}
	for _, o := range objections {
		s.hang("    ", "      ", o.Message)
		if len(ways) > 1 || len(objections) == 1 {
			s.wayOut(forUndo(o.WayOut, undoes))
		}
	}
	if len(ways) == 1 && len(objections) > 1 {
		s.wayOut(forUndo(wayForAll(objections[0]), undoes))
	}
}

// wayOut writes what to do. A command stands on a line of its own, so that it can be copied.
func (s Screen) wayOut(way string) {
	rest, ok := strings.CutPrefix(way, "If this is right: ")
	command, wrong, both := strings.Cut(rest, ". If not: ")
	switch {
	case way == "":
	case ok && both:
		s.line("    " + s.paint(faint, "if right: ") + command)
		s.hang("    "+s.paint(faint, "if wrong: "), strings.Repeat(" ", 14), wrong)
	default:
		s.hang("    ", "    ", way)
	}
}

// wayForAll is the way out of an objection to one team, for all teams that the guard objects to.
func wayForAll(o answer.Objection) string {
	if o.Team == "" {
		return o.WayOut
	}
	return strings.ReplaceAll(o.WayOut, " --team "+o.Team, " --guard "+o.Guard)
}

// Waiver writes the changes that somebody is about to approve, and what guards say of them.
func (p Plan) Waiver(s Screen) {
	p.header(s)
	width := p.loginWidth()
	for _, t := range p.Teams {
		p.team(s, t, width)
	}
	for _, name := range p.Guards() {
		for _, o := range p.Objections {
			if o.Guard == name {
				s.hang("  "+s.paint(yellow, "!")+" ", "    ", o.Guard+": "+o.Message)
			}
		}
	}
	s.Blank()
}

// Approved writes what was approved, and what makes the changes.
func Approved(s Screen, a answer.Approval, now time.Time) {
	s.Para(0, "Approved by %s: %s (waiver %s, until %s). Nothing has been changed yet.", a.By, words.Count(a.Changes, "change"), a.Waiver,
		words.Moment(a.Until, now))
	if a.Undo != "" {
		s.Line("To make the changes: musterline undo %s", words.Quote(a.Undo))
		return
	}
	s.Line("To make the changes: musterline sync %s", words.Quote(a.Target))
}
