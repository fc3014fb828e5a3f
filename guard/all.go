package guard

import (
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"musterline.example/plan"
	"musterline.example/team"
)

// All returns the guards, in the order in which people read of them. A zero field of the settings means the default; guards named in
// Settings.Off are left out.
func All(s Settings) []Guard {
	s = s.Over(Defaults)
	return slices.DeleteFunc([]Guard{
		firstConnection{s},
		emptyGroup{s},
		missingGroup{s},
		teamRemovals{s},
		teamAdditions{s},
		sourceRemovals{s},
		organizationRemovals{s},
		sourceShape{s},
		disabledUsers{s},
		lostLinks{s},
		mappingsLost{s},
		staleSource{s},
		approval{s},
		protected{s},
		foreignWriter{s},
	}, func(g Guard) bool { return s.off(g.Name()) })
}

// Names returns the names of all guards, in their order.
func Names() []string {
	var names []string
	for _, g := range All(Settings{}) {
		names = append(names, g.Name())
	}
	return names
}

// TeamNames returns the names of the guards that look at one team at a time, and so hear what is set for a single team, in their order.
func TeamNames() []string {
	return slices.DeleteFunc(Names(), func(name string) bool {
		switch name {
		case "first_connection", "empty_group", "missing_group", "team_removals", "team_additions", "approval", "protected", "foreign_writer":
			return false
		}
		return true
	})
}

// A view is one team of a plan with all that a guard needs to judge it.
type view struct {
	*plan.TeamChange
	facts    TeamFacts
	settings Settings
}

// views yields the teams of a plan for which a guard is not switched off, each with the settings that hold for it. A team that is to be
// made has no facts: nobody knows it yet.
func views(p *plan.Plan, f Facts, base Settings, guard string) iter.Seq[view] {
	return func(yield func(view) bool) {
		for i := range p.Teams {
			v := view{TeamChange: &p.Teams[i], settings: base}
			if v.Create == nil {
				v.facts = f.Teams[v.Team]
			}
			if v.facts.Settings != nil {
				v.settings = v.facts.Settings.Over(base)
			}
			if v.settings.off(guard) {
				continue
			}
			if !yield(v) {
				return
			}
		}
	}
}

// members24 returns the size of the team that shares are reckoned of.
func (v view) members24() int {
	if v.facts.Members24 > 0 {
		return v.facts.Members24
	}
	return v.Members
}

// objection begins what a guard says of a team.
func (v view) objection(guard string, changes []Ref) Objection {
	return Objection{Guard: guard, Team: v.Team, Slug: v.Slug, Changes: changes}
}

// pick names the changes that a condition chooses.
func pick(c *plan.TeamChange, changes []plan.Change, chosen func(plan.Change) bool) []Ref {
	var refs []Ref
	for _, ch := range changes {
		if chosen(ch) {
			refs = append(refs, RefOf(c, ch))
		}
	}
	return refs
}

// removals names the removals of a plan that a condition chooses. A cancelled invitation is a removal.
func removals(p *plan.Plan, chosen func(*plan.TeamChange, plan.Change) bool) []Ref {
	var refs []Ref
	for i := range p.Teams {
		c := &p.Teams[i]
		refs = append(refs, pick(c, c.Remove, func(ch plan.Change) bool { return chosen(c, ch) })...)
	}
	return refs
}

// removalsOf names the removals that belong to a source: those of every team whose mappings name it.
func removalsOf(p *plan.Plan, source string) []Ref {
	var refs []Ref
	for i := range p.Teams {
		c := &p.Teams[i]
		if slices.Contains(c.Sources, source) {
			refs = append(refs, pick(c, c.Remove, func(plan.Change) bool { return true })...)
		}
	}
	return refs
}

// disconnected reports whether a removal is a person's own act: somebody disconnected the team, and nothing else takes the member out.
// For the guards that look at one team, that is the approval already.
func disconnected(ch plan.Change) bool { return onlyFor(ch, team.TeamUnmapped) }

// onlyFor reports whether one rule is the only reason of a change.
func onlyFor(ch plan.Change, rule team.Rule) bool {
	return len(ch.Why) > 0 && !slices.ContainsFunc(ch.Why, func(r team.Reason) bool { return r.Rule != rule })
}

// because reports whether a rule is among the reasons of a change.
func because(ch plan.Change, rule team.Rule) bool {
	return slices.ContainsFunc(ch.Why, func(r team.Reason) bool { return r.Rule == rule })
}

// day is how far back guards look, so that small steps do not add up unseen.
const day = 24 * time.Hour

// recent yields what was done in the last 24 hours.
func recent(f Facts) iter.Seq[Done] {
	return func(yield func(Done) bool) {
		for _, d := range f.Recent {
			if f.Now.Sub(d.At) > day && !d.At.IsZero() {
				continue
			}
			if !yield(d) {
				return
			}
		}
	}
}

// removal reports whether something done was a removal.
func (d Done) removal() bool { return d.Act == plan.Remove || d.Act == plan.Cancel }

// recently counts the changes of the last 24 hours that a condition chooses, for each team.
func recently(f Facts, chosen func(Done) bool) map[team.ID]int {
	count := make(map[team.ID]int)
	for d := range recent(f) {
		if chosen(d) {
			count[d.Team]++
		}
	}
	return count
}

// sources returns the sources that have facts and those that removals of the plan belong to, in order of name.
func sources(p *plan.Plan, f Facts) []string {
	names := make(map[string]struct{}, len(f.Sources))
	for name := range f.Sources {
		names[name] = struct{}{}
	}
	for i := range p.Teams {
		for _, name := range p.Teams[i].Sources {
			names[name] = struct{}{}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// people counts the users of a source among the removals that a rule takes out of teams; somebody whom nobody is known to be counts as the account.
func people(p *plan.Plan, source string, rule team.Rule) int {
	seen := make(map[string]struct{})
	for i := range p.Teams {
		c := &p.Teams[i]
		for _, ch := range c.Remove {
			if !ofSource(c, ch, source) || !because(ch, rule) {
				continue
			}
			if ch.User != "" {
				seen[ch.User] = struct{}{}
			} else {
				seen[string(ch.Account)] = struct{}{}
			}
		}
	}
	return len(seen)
}

// ofSource reports whether a change is about a user of a source; where the user is not named, whether the team's mappings name the source.
func ofSource(c *plan.TeamChange, ch plan.Change, source string) bool {
	if ch.User != "" {
		return strings.HasPrefix(ch.User, source+"/")
	}
	return slices.Contains(c.Sources, source)
}
