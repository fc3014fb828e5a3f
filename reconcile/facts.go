package reconcile

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"musterline.example/directory"
	"musterline.example/guard"
	"musterline.example/link"
	"musterline.example/mapping"
	"musterline.example/plan"
	"musterline.example/team"
)

// gather collects the figures that guards judge by.
func gather(t Target, w *World, p *plan.Plan, links *link.Result) guard.Facts {
	f := guard.Facts{
		Now: w.now, Place: w.Place, Recent: w.memory.recent, OrganizationMembers: len(w.Accounts),
		Sources: make(map[string]guard.SourceFacts, len(w.Sources)),
		Teams:   make(map[team.ID]guard.TeamFacts, len(p.Teams)),
	}
	mapped := make(map[string][]directory.GroupID)
	byTeam := make(map[team.ID][]mapping.Mapping)
	for _, m := range w.Mappings {
		byTeam[m.TeamID] = append(byTeam[m.TeamID], m)
		if m.GroupID != "" && !slices.Contains(mapped[m.Source], m.GroupID) {
			mapped[m.Source] = append(mapped[m.Source], m.GroupID)
		}
	}
	for name, reading := range w.Sources {
		f.Sources[name] = w.sourceFacts(name, reading, mapped[name], p, links)
	}
	f.MappingsBefore = len(byTeam)
	for i := range p.Teams {
		c := &p.Teams[i]
		f.Teams[c.Team] = w.teamFacts(c, t, byTeam[c.Team])
		if c.Unmapped && !c.Empty() {
			f.MappingsLost++
			f.MappingsBefore++
		}
	}
	return f
}

// sourceFacts compares a source with what earlier reads of it said.
func (w *World) sourceFacts(name string, reading mapping.Reading, mapped []directory.GroupID, p *plan.Plan, links *link.Result) guard.SourceFacts {
	reads := w.Reads[name]
	f := guard.SourceFacts{History: reads.Shapes}
	s := reading.Snapshot
	if s == nil {
		return f
	}
	f.ReadAt = s.TakenAt
	f.Now = shape(s, links)
	for _, id := range mapped {
		size := s.Size(id)
		before, known := reads.DayAgo[id]
		switch {
		case !known:
			f.Memberships += size
		default:
			f.Memberships += before
			f.Groups++
			if size < before {
				f.Shrunk = append(f.Shrunk, cmp.Or(s.Groups[id].Name, reads.Names[id], string(id))) // one that is gone has its last name
			}
		}
	}
	f.LinksBefore, f.LinksLost = w.lostLinks(name, p, links)
	f.Disabled = w.disabled(name, p)
	return f
}

// lostLinks counts the links of a source that stood, and those of them that were revoked within a day or whose removal still waits: what
// was objected to in one run must not pass unseen in the next.
func (w *World) lostLinks(name string, p *plan.Plan, links *link.Result) (before, lost int) {
	waiting := usersLeaving(p, team.LinkRevoked)
	for ref, l := range links.Links {
		if ref.Source != name {
			continue
		}
		switch {
		case l.State == link.Standing:
			before++
		case l.State == link.Revoked && (waiting[ref.String()] || w.now.Sub(l.SeenAt) < 24*time.Hour):
			before++
			lost++
		}
	}
	return before, lost
}

// disabled counts the users of a source whose removal for being disabled waits or was made within a day.
func (w *World) disabled(name string, p *plan.Plan) int {
	users := make(map[string]bool)
	for user := range usersLeaving(p, team.UserDisabled) {
		if strings.HasPrefix(user, name+"/") {
			users[user] = true
		}
	}
	n := len(users)
	accounts := make(map[team.AccountID]bool)
	for _, done := range w.memory.recent {
		if done.Rule == team.UserDisabled && slices.Contains(done.Sources, name) && !accounts[done.Account] {
			accounts[done.Account] = true
			n++
		}
	}
	return n
}

// usersLeaving are the users whom the plan removes from somewhere by a rule.
func usersLeaving(p *plan.Plan, rule team.Rule) map[string]bool {
	users := make(map[string]bool)
	for _, c := range p.Teams {
		for _, ch := range c.Remove {
			if ch.User != "" && len(ch.Why) > 0 && ch.Why[0].Rule == rule {
				users[ch.User] = true
			}
		}
	}
	return users
}

func shape(s *directory.Snapshot, links *link.Result) guard.Shape {
	sh := guard.Shape{At: s.TakenAt, Groups: len(s.Groups), Users: len(s.Users)}
	for id, u := range s.Users {
		if u.Status.Member() {
			sh.Active++
		}
		if l, ok := links.Links[link.UserRef{Source: s.Source, ID: id}]; ok && l.State == link.Standing {
			sh.Linked++
		}
	}
	return sh
}

// teamFacts gathers what guards ask about one team of the plan.
func (w *World) teamFacts(c *plan.TeamChange, t Target, ms []mapping.Mapping) guard.TeamFacts {
	_, connected := w.memory.connected[c.Team]
	f := guard.TeamFacts{Connected: connected, Members24: c.Members, Known: make(map[team.AccountID]bool)}
	for _, done := range w.memory.recent {
		if done.Team != c.Team {
			continue
		}
		switch done.Act {
		case plan.Remove, plan.Cancel:
			f.Members24++
		case plan.Add:
			f.Members24--
		}
	}
	for _, ch := range c.Remove {
		_, f.Known[ch.Account] = w.memory.ledger.Row(c.Team, ch.Account)
	}
	for _, m := range ms {
		reading := w.Sources[m.Source]
		if m.GroupID == "" || reading.Snapshot == nil || reading.Failed != "" {
			continue
		}
		s, reads := reading.Snapshot, w.Reads[m.Source]
		if _, listed := s.Groups[m.GroupID]; !listed {
			gone := reads.Missing[m.GroupID]
			if gone.Since.IsZero() {
				gone.Since = s.TakenAt
			}
			f.Missing = append(f.Missing, guard.MissingGroup{Name: m.Source + "/" + m.Group, Since: gone.Since, Reads: gone.Reads + 1})
			continue
		}
		f.Emptied = append(f.Emptied, emptied(m, s, reads)...)
	}
	if own, ok := ownGuards(t, c.Slug, ms); ok {
		f.Settings = &own
	}
	return f
}

// emptied names the groups behind a mapping, nested ones too, that are empty with all that is nested in them and were not in an earlier
// complete read.
func emptied(m mapping.Mapping, s *directory.Snapshot, reads Reads) []string {
	var names []string
	for _, id := range s.Closure(m.GroupID) {
		if (reads.HadMembers[id] || reads.DayAgo[id] > 0) && listsNobody(s, id) {
			names = append(names, m.Source+"/"+s.Groups[id].Name)
		}
	}
	return names
}

// ownGuards are the settings of a single team, which name it as its mappings do or as it is called now: a rename takes no guard away.
func ownGuards(t Target, slug string, ms []mapping.Mapping) (guard.Settings, bool) {
	for _, m := range ms {
		if own, ok := t.TeamGuards[m.Team]; ok {
			return own, true
		}
	}
	own, ok := t.TeamGuards[slug]
	return own, ok
}

func listsNobody(s *directory.Snapshot, id directory.GroupID) bool {
	for range s.WalkIDs(id) {
		return false
	}
	return true
}
