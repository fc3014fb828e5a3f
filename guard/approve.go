package guard

import (
	"slices"

	"musterline.example/plan"
)

// Creation is the act in a Ref that means the making of a team itself. A team is made with the first change that is approved for it, so
// the act is named only for a team that is to be made without members.
const Creation plan.Act = "create"

// RefOf names a change of a plan. A team that exists is named by its id alone, so that a rename breaks no waiver.
func RefOf(c *plan.TeamChange, ch plan.Change) Ref {
	r := Ref{Team: c.Team, Account: ch.Account, Act: ch.Act}
	if c.Create != nil {
		r.Slug = c.Slug
	}
	return r
}

// refsOf names all changes of a team, and its making where that is all there is.
func refsOf(c *plan.TeamChange) []Ref {
	if c.Create != nil && len(c.Add)+len(c.Update)+len(c.Remove) == 0 {
		return []Ref{RefOf(c, plan.Change{Act: Creation})}
	}
	refs := make([]Ref, 0, len(c.Add)+len(c.Update)+len(c.Remove))
	for _, changes := range [][]plan.Change{c.Add, c.Update, c.Remove} {
		for _, ch := range changes {
			refs = append(refs, RefOf(c, ch))
		}
	}
	return refs
}

// Approve asks every guard and turns what is left of the plan into the only thing that can be applied. The rest waits, each change
// with the objections that name it.
//
// A guard sees the plan and the last 24 hours without the changes that a live waiver lets pass it: they are not stopped by it, and they
// count for nothing it counts. A waiver is live when it is for this target and not older than WaiverLife. It lets a change pass the
// guards that had objected when somebody waived it, and no other: a guard that objects only later stops the change all the same. Nor does it let pass
// what gives another role by now than the one that was accepted.
//
//	change             objected to by   waived for        approved
//	remove bob         –                –                 yes
//	remove eve         team_removals    team_removals     yes, and its waiver is among Waivers
//	remove joe         team_removals    –                 no
//	remove joe         empty_group      team_removals     no
func Approve(p *plan.Plan, f Facts, gs []Guard, ws []Waiver) (Approved, []Objection) {
	if p == nil {
		return Approved{}, nil
	}
	live := passes(p, f.Now, ws)
	var objections []Objection
	for _, g := range gs {
		objections = append(objections, g.Check(live.plan(p, g.Name()), live.facts(f, g.Name()))...)
	}
	n := 0
	for _, o := range objections {
		n += len(o.Changes)
	}
	stopped := make(map[Ref]bool, n)
	for _, o := range objections {
		for _, r := range o.Changes {
			stopped[r] = true
		}
	}
	approved := without(p, func(r Ref) bool { return stopped[r] })
	approved.Teams = slices.DeleteFunc(approved.Teams, func(c plan.TeamChange) bool { return c.Empty() })
	return Approved{plan: approved, waivers: used(approved, live, ws), at: f.Now}, objections
}

// without copies a plan without some of its changes. What is left shares reasons with the original, which nobody may change, and nothing else.
func without(p *plan.Plan, gone func(Ref) bool) *plan.Plan {
	left := *p
	left.Held, left.Refused = slices.Clone(p.Held), slices.Clone(p.Refused)
	left.Teams = make([]plan.TeamChange, len(p.Teams))
	for i := range p.Teams {
		left.Teams[i] = teamWithout(&p.Teams[i], gone)
	}
	return &left
}

// teamWithout copies what happens to a team without some of its changes. A team that was to be made and keeps nothing to do is not made.
func teamWithout(c *plan.TeamChange, gone func(Ref) bool) plan.TeamChange {
	left := *c
	keep := func(changes []plan.Change) []plan.Change {
		return slices.DeleteFunc(slices.Clone(changes), func(ch plan.Change) bool { return gone(RefOf(c, ch)) })
	}
	left.Add, left.Update, left.Remove = keep(c.Add), keep(c.Update), keep(c.Remove)
	left.Sources, left.Leaving = slices.Clone(c.Sources), slices.Clone(c.Leaving)
	if c.Create != nil {
		create := *c.Create
		left.Create = &create
		if len(left.Add)+len(left.Update)+len(left.Remove) == 0 && allOf(refsOf(c), gone) {
			left.Create = nil
		}
	}
	return left
}

func allOf(refs []Ref, gone func(Ref) bool) bool {
	return !slices.ContainsFunc(refs, func(r Ref) bool { return !gone(r) })
}

// Stopped says for each change that is objected to which guards object, in the order of the objections.
func Stopped(objections []Objection) map[Ref][]string {
	stopped := make(map[Ref][]string)
	for _, o := range objections {
		for _, r := range o.Changes {
			if !slices.Contains(stopped[r], o.Guard) {
				stopped[r] = append(stopped[r], o.Guard)
			}
		}
	}
	return stopped
}

// Count returns how many changes are objected to; one that several guards object to counts once.
func Count(objections []Objection) int {
	stopped := make(map[Ref]struct{})
	for _, o := range objections {
		for _, r := range o.Changes {
			stopped[r] = struct{}{}
		}
	}
	return len(stopped)
}
