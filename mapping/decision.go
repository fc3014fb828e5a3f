package mapping

import (
	"fmt"

	"musterline.example/directory"
	"musterline.example/link"
	"musterline.example/team"
)

// A decision is the work on one team.
type decision struct {
	*resolver
	now    *team.Team
	mode   Mode
	create *team.New
	ledger []Entry         // of the team, in order of account
	row    int             // the first one that merging has not come to
	keys   map[string]bool // of the mappings that stand

	out      map[team.AccountID]team.Reason // accounts that a mapped group lists and that are no members of it, with the fact
	held     map[*person]bool
	unlinked int          // users of mapped groups whom nobody has linked
	keep     *team.Reason // why the team loses nobody at all
	missing  []string     // mapped groups that are gone
}

// A candidate is an account that a mapping puts into the team.
type candidate struct {
	account team.AccountID
	*person
	role team.Role
	why  []team.Reason
}

// group adds what one mapping justifies.
func (d *decision) group(m Mapping) {
	name := m.Source + "/" + m.Group
	reading, known := d.Sources[m.Source]
	switch {
	case !known:
		d.loseNobody(team.GroupUnsettled, m, name)
		d.refuse(m, d.now.ID, SourceUnknown, fmt.Sprintf("there is no source %q", m.Source))
		return
	case reading.Failed != "" || reading.Snapshot == nil:
		d.loseNobody(team.SourceUnread, m, name)
		return
	case m.GroupID == "":
		d.loseNobody(team.GroupUnsettled, m, name)
		if fits := reading.Snapshot.Find(m.Group); len(fits) > 1 {
			d.refuse(m, d.now.ID, NameNotUnique, fmt.Sprintf("the name %q fits %d groups of %s (ids %q and %q): use the id", m.Group, len(fits), m.Source, fits[0].ID, fits[1].ID))
			return
		}
		d.refuse(m, d.now.ID, NoSuchGroup, fmt.Sprintf("there is no group %q in source %q: create it, or correct the name; until then the team loses nobody", m.Group, m.Source))
		return
	}
	s := reading.Snapshot
	g, listed := s.Groups[m.GroupID]
	if !listed {
		d.missing = append(d.missing, name)
		return
	}
	name = m.Source + "/" + g.Name
	if len(s.Unread(m.GroupID)) > 0 {
		d.loseNobody(team.SourceUnread, m, name)
		return
	}
	if d.tooLarge(m, s, name) {
		return
	}
	people := d.people[s]
	var why reasons
	for id, path := range s.WalkIDs(m.GroupID) {
		if p := people[id]; p != nil { // nil for one whom the snapshot does not hold
			d.user(m, p, why.of(m, s, path))
		}
	}
}

// tooLarge refuses a group past the limit: it gives nobody, never half.
func (d *decision) tooLarge(m Mapping, s *directory.Snapshot, name string) bool {
	limit, listed := d.Settings.MembersPerGroup, 0
	for _, id := range s.Closure(m.GroupID) {
		listed += len(s.Groups[id].Members)
	}
	if listed <= limit {
		return false // not even with everyone counted as often as listed
	}
	size := s.Size(m.GroupID)
	if size <= limit {
		return false
	}
	d.loseNobody(team.GroupUnsettled, m, name)
	d.refuse(m, d.now.ID, GroupTooLarge, fmt.Sprintf("%s has %d members, the limit is %d: split it, or raise members_per_group; it gives nobody and the team loses nobody", name, size, limit))
	return true
}

func (d *decision) loseNobody(rule team.Rule, m Mapping, name string) {
	if d.keep == nil {
		d.keep = &team.Reason{Rule: rule, Mapping: m.ID, Note: name}
	}
}

// user puts one user of a mapped group among the candidates, or reports why not.
func (d *decision) user(m Mapping, p *person, why func(link.Tier) []team.Reason) {
	if p.held == string(link.NotAMember) && d.pending(p.account) { // whoever invited them, they are on their way
		d.candidates = append(d.candidates, candidate{p.account, p, m.Role, why(p.tier)})
		return
	}
	if p.held != "" {
		d.hold(p, p.held, p.message)
	}
	if p.fact != nil {
		if d.out == nil {
			d.out = make(map[team.AccountID]team.Reason)
		}
		fact := *p.fact
		fact.Mapping = m.ID
		d.out[p.account] = fact
	}
	if p.belongs && p.invite && !p.mayInvite && !d.pending(p.account) {
		d.hold(p, string(link.NotAMember), p.login+" has left the organization, and it is not time for another invitation")
		return
	}
	if p.belongs {
		d.candidates = append(d.candidates, candidate{p.account, p, m.Role, why(p.tier)})
	}
}

// pending reports whether an account has been invited into the team and has not accepted.
func (d *decision) pending(account team.AccountID) bool {
	m, there := d.now.Member(account)
	return there && m.Pending
}

// hold reports somebody who should be in the team and cannot be yet, once for each team.
func (d *decision) hold(p *person, reason, message string) {
	if d.held[p] {
		return
	}
	if d.held == nil {
		d.held = make(map[*person]bool)
	}
	d.held[p] = true
	if reason == string(link.NotLinked) && p.fact == nil {
		d.unlinked++
	}
	d.report(p, reason, message)
}

func (d *decision) report(p *person, reason, message string) {
	d.result.Held = append(d.result.Held, Held{Team: d.now.ID, User: p.ref, Name: p.name, Reason: reason, Message: message})
}
