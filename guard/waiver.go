package guard

import (
	"slices"
	"time"

	"musterline.example/plan"
)

// Live reports whether the waiver counts for a target at a moment: it is for this target and not older than WaiverLife.
func (w Waiver) Live(target string, now time.Time) bool {
	return w.Target == target && now.Sub(w.At) <= WaiverLife
}

// A Filter chooses among the changes that are objected to. Each part that is empty lets all pass.
type Filter struct {
	Teams   []string // ids or slugs
	Guards  []string // that object
	Changes []Ref    // exactly these: what somebody was shown
}

// WaiverFor returns the waiver of the changes that are objected to and that the filter chooses. The filter chooses changes; the waiver then
// answers every objection that these changes have now. It has no ID yet, and no changes when nothing that is objected to is chosen:
// nobody can waive ahead of an objection.
func WaiverFor(p *plan.Plan, objections []Objection, choose Filter, by, reason string, now time.Time) Waiver {
	w := Waiver{Target: p.Target, By: by, Reason: reason, At: now}
	stopped := Stopped(objections)
	exactly := make(map[Ref]bool, len(choose.Changes))
	for _, r := range choose.Changes {
		exactly[r] = true
	}
	for i := range p.Teams {
		c := &p.Teams[i]
		if len(choose.Teams) > 0 && !slices.Contains(choose.Teams, c.Slug) && (c.Team == "" || !slices.Contains(choose.Teams, string(c.Team))) {
			continue
		}
		roles := make(map[Ref]string)
		addRoles(roles, c)
		for _, r := range refsOf(c) {
			guards := stopped[r]
			if len(guards) == 0 || len(exactly) > 0 && !exactly[r] {
				continue
			}
			if len(choose.Guards) > 0 && !slices.ContainsFunc(guards, func(g string) bool { return slices.Contains(choose.Guards, g) }) {
				continue
			}
			w.Changes = append(w.Changes, Waived{Ref: r, Role: roles[r], Guards: guards})
		}
	}
	return w
}

// A passTable says which changes the live waivers let pass which guards.
type passTable struct {
	changes map[Ref]pass
	teams   map[Ref]bool // of those changes: a Ref with team and slug only
}

// A pass is what live waivers say of one change.
type pass struct {
	guards  []string
	waivers []int // places in the list of waivers
}

// addRoles notes which role each change of a team gives.
func addRoles(roles map[Ref]string, c *plan.TeamChange) {
	for _, changes := range [][]plan.Change{c.Add, c.Update} {
		for _, ch := range changes {
			roles[RefOf(c, ch)] = ch.Role.String()
		}
	}
}

// passes gathers what the live waivers let pass of a plan.
func passes(p *plan.Plan, now time.Time, ws []Waiver) passTable {
	t := passTable{make(map[Ref]pass), make(map[Ref]bool)}
	roles := make(map[Ref]string)
	about := make(map[Ref]bool)
	for _, w := range ws {
		if !w.Live(p.Target, now) {
			continue
		}
		for _, waived := range w.Changes {
			about[Ref{Team: waived.Team, Slug: waived.Slug}] = true
		}
	}
	for i := range p.Teams {
		if c := &p.Teams[i]; about[RefOf(c, plan.Change{})] {
			addRoles(roles, c)
		}
	}
	for i, w := range ws {
		if !w.Live(p.Target, now) {
			continue
		}
		for _, waived := range w.Changes {
			if role, planned := roles[waived.Ref]; planned && waived.Role != "" && waived.Role != role {
				continue
			}
			entry := t.changes[waived.Ref]
			entry.guards = append(entry.guards, waived.Guards...)
			entry.waivers = append(entry.waivers, i)
			t.changes[waived.Ref] = entry
			t.teams[Ref{Team: waived.Team, Slug: waived.Slug}] = true
		}
	}
	return t
}

// plan returns the plan as a guard sees it: without the changes that may pass it.
func (t passTable) plan(p *plan.Plan, guard string) *plan.Plan {
	if len(t.changes) == 0 {
		return p
	}
	seen := *p
	seen.Teams = slices.Clone(p.Teams)
	for i := range seen.Teams {
		c := &seen.Teams[i]
		team := RefOf(c, plan.Change{})
		if t.teams[team] {
			*c = teamWithout(c, func(r Ref) bool { return slices.Contains(t.changes[r].guards, guard) })
		}
	}
	return &seen
}

// facts returns the facts as a guard sees them: what was done under a waiver for it counts no more.
func (t passTable) facts(f Facts, guard string) Facts {
	waived := func(d Done) bool { return slices.Contains(d.Waived, guard) }
	if slices.ContainsFunc(f.Recent, waived) {
		f.Recent = slices.DeleteFunc(slices.Clone(f.Recent), waived)
	}
	return f
}

// used returns the waivers that an approved plan makes use of, each with the changes of the plan that it covers.
func used(p *plan.Plan, live passTable, ws []Waiver) []Waiver {
	if len(live.changes) == 0 {
		return nil
	}
	done := make(map[Ref]bool)
	for i := range p.Teams {
		for _, r := range refsOf(&p.Teams[i]) {
			if _, ok := live.changes[r]; ok {
				done[r] = true
			}
		}
	}
	inUse := make(map[int]bool)
	for r := range done {
		for _, i := range live.changes[r].waivers {
			inUse[i] = true
		}
	}
	var out []Waiver
	for i, w := range ws {
		if !inUse[i] {
			continue
		}
		changes := w.Changes
		w.Changes = nil
		for _, waived := range changes {
			if done[waived.Ref] {
				w.Changes = append(w.Changes, Waived{waived.Ref, waived.Role, slices.Clone(waived.Guards)})
			}
		}
		out = append(out, w)
	}
	return out
}
