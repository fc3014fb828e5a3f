package view

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"musterline.example/guard"
	"musterline.example/plan"
	"musterline.example/team"
)

// A Plan is what there is to say of the plan of one target.
type Plan struct {
	Plan       *plan.Plan
	Objections []guard.Objection
	Place      team.Place
	Mapped     int      // teams that mappings name
	Notes      []string // what else the reader must know, such as a source that could not be read
	Now        time.Time
	Unread     bool   // a source could not be read: of what its groups say nothing is known
	Undo       string // the run that it takes back; empty for the plan of a sync
	Brief      bool   // leave held people and refused mappings to the last line
}

// Summary is the last line of a plan: what it would do, and what stops or waits.
func (p Plan) Summary() string {
	s := p.Plan.Summary()
	var parts []string
	if p.Plan.Empty() {
		parts = append(parts, "nothing to change")
	} else {
		parts = append(parts, fmt.Sprintf("%s to add, %s to remove, %s to change in %s", Figure(s.Add), Figure(s.Remove), Figure(s.Update), Count(s.Teams, "team")))
		if s.Create > 0 {
			parts[0] += fmt.Sprintf(" (%s to create)", Figure(s.Create))
		}
	}
	if n := guard.Count(p.Objections); n > 0 {
		verb := "stop"
		if len(p.guards()) == 1 {
			verb = "stops"
		}
		parts = append(parts, fmt.Sprintf("%s %s %s", Count(len(p.guards()), "guard"), verb, Count(n, "change")))
	}
	if s.Held > 0 {
		parts = append(parts, fmt.Sprintf("%s of %s held", Count(s.Held, "membership"), Count(s.People, "person")))
	}
	if n := len(p.Plan.Refused); n > 0 {
		parts = append(parts, Count(n, "mapping")+" refused")
	}
	return "Plan: " + strings.Join(parts, "; ") + "."
}

// guards are the guards that stop something, in the order in which they speak.
func (p Plan) guards() []string {
	var names []string
	for _, o := range p.Objections {
		if len(o.Changes) > 0 && !slices.Contains(names, o.Guard) {
			names = append(names, o.Guard)
		}
	}
	return names
}

// Text writes the plan for people: teams, refused mappings, held people, objections, and the line that sums up.
func (p Plan) Text(s Screen) {
	p.header(s)
	stopped := guard.Stopped(p.Objections)
	width := p.loginWidth()
	for i := range p.Plan.Teams {
		p.team(s, &p.Plan.Teams[i], stopped, width)
	}
	if !p.Brief {
		p.refused(s)
		p.held(s)
	}
	p.objections(s)
	s.hang("", "  ", s.paint(bold, p.Summary()))
}

func (p Plan) header(s Screen) {
	title := s.paint(bold, "Target "+p.Plan.Target)
	if p.Place.Organization != "" {
		title += s.paint(faint, fmt.Sprintf(" (organization %s on %s)", p.Place.Organization, p.Place.Host))
	}
	s.line(title)
	for _, n := range p.Notes {
		s.hangIn(yellow, "  ", "  ", n)
	}
	s.Blank()
	if p.Plan.Empty() {
		switch {
		case p.Mapped == 0:
			s.Para(0, "No team is mapped. Say under mappings: in the configuration which groups belong in which team.")
		case p.Unread:
			s.Para(0, "Nothing to change, as far as the sources could be read.")
		case p.Mapped == 1:
			s.Para(0, "Nothing to change: the mapped team is as its groups say.")
		default:
			s.Para(0, "Nothing to change: the %s mapped teams are as their groups say.", Figure(p.Mapped))
		}
		s.Blank()
	}
}

// loginWidth is the column of logins, the same in all teams so that the eye can go down it. A login that is longer stands out of it.
func (p Plan) loginWidth() int {
	width := 0
	for i := range p.Plan.Teams {
		c := &p.Plan.Teams[i]
		for _, ch := range c.Changes() {
			width = max(width, len(ch.Login))
		}
		for _, l := range c.Leaving {
			width = max(width, len(l.Login))
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
func (p Plan) team(s Screen, c *plan.TeamChange, stopped map[guard.Ref][]string, width int) {
	s.line(s.paint(bold, c.Slug) + "  " + s.paint(faint, teamState(c, stopped)))
	marks := &marks{}
	if c.Create != nil && len(c.Changes()) == 0 {
		marks.add("the new team", stopped[guard.RefOf(c, plan.Change{Act: guard.Creation})])
	}
	for _, ch := range inOrderOfLogin(c.Add, c.Remove, c.Update) {
		first := "  "
		if guards := stopped[guard.RefOf(c, ch)]; len(guards) > 0 {
			first = s.paint(yellow, "!") + " "
			marks.add(ch.Login, guards)
		}
		first += s.paint(actStyle(ch.Act), sign(ch.Act)) + " " + pad(ch.Login, width) + " "
		s.hang(first, strings.Repeat(" ", min(4+width+2, 28)), changeText(ch))
	}
	for _, l := range c.Leaving {
		s.hang("  "+s.paint(yellow, "…")+" "+pad(l.Login, width)+" ", strings.Repeat(" ", 4+width+2),
			fmt.Sprintf("leaves at %s%s", Moment(l.At, p.Now), parens(Why(l.Why))))
	}
	marks.write(s)
	s.Blank()
}

// teamState is what stands beside a team's name: its size before and after, and what is special about it.
func teamState(c *plan.TeamChange, stopped map[guard.Ref][]string) string {
	after := c.Members + len(c.Add) - len(c.Remove)
	free := c.Members
	for _, ch := range c.Changes() {
		if len(stopped[guard.RefOf(c, ch)]) > 0 {
			continue
		}
		switch ch.Act {
		case plan.Add:
			free++
		case plan.Remove, plan.Cancel:
			free--
		}
	}
	size := fmt.Sprintf("%s → %s", Figure(c.Members), Count(after, "member"))
	if after == c.Members {
		size = Count(after, "member")
	}
	if c.Create != nil {
		joining := len(c.Add)
		size = fmt.Sprintf("new team, 0 → %s", Count(joining, "member"))
		if c.Create.Privacy != "" {
			size += ", " + string(c.Create.Privacy)
		}
	}
	if free != after {
		size += fmt.Sprintf(", %s until approved", Figure(free))
	}
	if c.Unmapped {
		size += ", no longer mapped"
	}
	return size
}

// inOrderOfLogin puts additions first, then removals, then role changes, each in order of login: the order in which people look for a name.
func inOrderOfLogin(lists ...[]plan.Change) []plan.Change {
	var all []plan.Change
	for _, l := range lists {
		l = slices.Clone(l)
		slices.SortStableFunc(l, func(a, b plan.Change) int { return strings.Compare(team.FoldLogin(a.Login), team.FoldLogin(b.Login)) })
		all = append(all, l...)
	}
	return all
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

// changeText is what a change does beside its sign, and why.
func changeText(ch plan.Change) string {
	text := ""
	switch {
	case ch.Act == plan.Update:
		text = fmt.Sprintf("%s → %s ", ch.From, ch.Role)
	case ch.Act == plan.Add && ch.Invite:
		text = "invited again"
		if ch.Role == team.Maintainer {
			text += " as maintainer"
		}
		text += " "
	case ch.Act == plan.Add && ch.Role == team.Maintainer:
		text = "as maintainer "
	}
	return text + strings.TrimSpace(parens(Why(ch.Why)))
}

func parens(text string) string {
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}

// Why puts reasons into words: the rule and what it rests on, or for a member of a mapped group the path of groups that leads there.
func Why(reasons []team.Reason) string {
	var all []string
	for _, r := range reasons {
		text := string(r.Rule)
		switch {
		case text == "":
			text = Path(r.Path)
		case r.Note != "":
			text += ": " + r.Note
		}
		if text != "" && !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return strings.Join(all, "; ")
}

// Path writes a path of groups from the mapped one to the one that lists the user.
func Path(groups []string) string { return strings.Join(groups, " › ") }

// Marks gather which guards stop which changes of one team, so that it is said once and not on every line.
type marks struct {
	guards []string // joined
	logins [][]string
}

func (m *marks) add(login string, guards []string) {
	if len(guards) == 0 {
		return
	}
	key := List(guards)
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
	if len(p.Plan.Refused) == 0 {
		return
	}
	s.Title("Refused: %s not carried out", Count(len(p.Plan.Refused), "mapping"))
	for _, r := range sortedRefused(p.Plan.Refused) {
		name := r.Slug
		if r.Mapping != "" {
			name += s.paint(faint, "  "+r.Mapping)
		}
		s.line("  " + name + "  " + s.paint(yellow, r.Reason))
		s.Para(4, "%s", r.Message)
	}
	s.Blank()
}

func sortedRefused(refused []plan.Refused) []plan.Refused {
	sorted := slices.Clone(refused)
	slices.SortStableFunc(sorted, func(a, b plan.Refused) int { return strings.Compare(a.Slug, b.Slug) })
	return sorted
}

// heldOrder is the order of reasons: first what a person has to decide, last what needs nothing but time.
var heldOrder = []string{"conflict", "ambiguous", "not-linked", "not-a-member", "pending", "inactive"}

// heldMeans says what each reason means and what to do about it, where the people held for it have been told different things.
var heldMeans = map[string]string{
	"conflict":     "it is in doubt whose account it is: nobody is added or removed until somebody decides (musterline link add)",
	"ambiguous":    "two accounts or two users are in question: nobody is added or removed until somebody decides (musterline link add)",
	"not-linked":   "nothing says which account is theirs: link them (musterline link add), or let the identity provider name it",
	"not-a-member": "the account is not in the organization: invite it there; a team sync invites nobody",
	"pending":      "invited, not accepted yet: they join by accepting",
	"inactive":     "disabled at the identity provider: nothing to do",
}

type heldPerson struct {
	user, name, message string
	teams               []string
}

// heldPeople gathers held memberships by reason and person.
func heldPeople(held []plan.Held) (reasons []string, people map[string][]*heldPerson) {
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
		if h.Slug != "" && !slices.Contains(who.teams, h.Slug) {
			who.teams = append(who.teams, h.Slug)
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
		return cmp.Or(cmp.Compare(slices.Index(heldOrder, a), slices.Index(heldOrder, b)), strings.Compare(a, b))
	})
	return reasons, people
}

func (p Plan) held(s Screen) {
	if len(p.Plan.Held) == 0 {
		return
	}
	sum := p.Plan.Summary()
	s.Title("Held: %s of %s who should be in a team and cannot be yet", Count(sum.Held, "membership"), Count(sum.People, "person"))
	reasons, people := heldPeople(p.Plan.Held)
	for _, reason := range reasons {
		list := people[reason]
		said, alike := alike(list)
		if !alike {
			said = heldMeans[reason]
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
		for i, who := range list {
			s.Table(4, [][]string{widen(rows, i)})
			if !alike && who.message != "" {
				s.hangIn(faint, "      ", "      ", who.message)
			}
		}
	}
	s.Blank()
}

// widen pads the first cell of a row as wide as the first column of all rows, up to a limit that leaves room for the second.
func widen(rows [][]string, i int) []string {
	width := 0
	for _, r := range rows {
		if w := lipgloss.Width(r[0]); w <= 36 {
			width = max(width, w)
		}
	}
	return []string{pad(rows[i][0], width), rows[i][1]}
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
	var stops, warns []guard.Objection
	for _, o := range p.Objections {
		if len(o.Changes) > 0 {
			stops = append(stops, o)
		} else {
			warns = append(warns, o)
		}
	}
	if len(warns) > 0 {
		s.Title("Warnings")
		for _, o := range warns {
			p.objectionsOf(s, []guard.Objection{o})
		}
		s.Blank()
	}
	if len(stops) == 0 {
		return
	}
	n := guard.Count(stops)
	s.Title("Objections: %s until somebody approves", Count(n, "change")+" "+verb(n, "waits", "wait"))
	for _, name := range p.guards() {
		p.objectionsOf(s, slices.DeleteFunc(slices.Clone(stops), func(o guard.Objection) bool { return o.Guard != name }))
	}
	if len(p.guards()) > 1 {
		s.line("  " + s.paint(faint, "all of them, if right: ") + p.approval(p.Plan.Target))
	}
	s.Blank()
}

// approval is the command that approves everything objected to.
func (p Plan) approval(target string) string {
	return p.command("musterline approve " + Quote(target) + " --reason TEXT")
}

// command makes of the approval of a plan's changes that of an undo's, where the plan is one.
func (p Plan) command(approve string) string {
	if p.Undo == "" {
		return approve
	}
	return strings.Replace(approve, " --reason TEXT", " --undo "+Quote(p.Undo)+" --reason TEXT", 1)
}

func verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// objectionsOf writes what one guard says. The way out is said once where it is the same for all but the team.
func (p Plan) objectionsOf(s Screen, objections []guard.Objection) {
	head := s.paint(yellow, objections[0].Guard)
	if n := guard.Count(objections); n > 0 {
		head += s.paint(faint, "  stops "+Count(n, "change"))
	}
	s.line("  " + head)
	ways := make(map[string]bool)
	for _, o := range objections {
		ways[wayForAll(o)] = true
	}
	for _, o := range objections {
		s.hang("    ", "      ", o.Message)
		if len(ways) > 1 || len(objections) == 1 {
			s.wayOut(p.command(o.WayOut))
		}
	}
	if len(ways) == 1 && len(objections) > 1 {
		s.wayOut(p.command(wayForAll(objections[0])))
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
func wayForAll(o guard.Objection) string {
	if o.Slug == "" {
		return o.WayOut
	}
	return strings.ReplaceAll(o.WayOut, " --team "+o.Slug, " --guard "+o.Guard)
}

// Waiver writes the changes that somebody is about to approve, and what guards say of them.
func (p Plan) Waiver(s Screen) {
	p.header(s)
	stopped := guard.Stopped(p.Objections)
	width := p.loginWidth()
	for i := range p.Plan.Teams {
		p.team(s, &p.Plan.Teams[i], stopped, width)
	}
	for _, name := range p.guards() {
		for _, o := range p.Objections {
			if o.Guard == name {
				s.hang("  "+s.paint(yellow, "!")+" ", "    ", o.Guard+": "+o.Message)
			}
		}
	}
	s.Blank()
}
