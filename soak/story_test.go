package soak

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// tell notes what happens, for the case that it ends badly.
func (w *world) tell(format string, args ...any) {
	w.story = append(w.story, fmt.Sprintf(format, args...))
}

// fail ends the world with what is wrong, what has happened and how things stand: a case that a person can read.
func (w *world) fail(format string, args ...any) {
	w.t.Helper()
	w.t.Fatalf("%s\n\n%s", fmt.Sprintf(format, args...), w.portrait())
}

func (w *world) portrait() string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	say("What happened:")
	for _, line := range w.story {
		say("  %s", line)
	}
	say("How things stand (SAML %t, reinvite %t, rule %t):", w.saml, w.truth.reinvite, w.truth.rule)
	for _, p := range w.people {
		u := p.source.users[p.key().id]
		line := fmt.Sprintf("  %s/%s %s claims %q; account %d is %s", p.source.name, p.id, u.Status, u.Accounts["github"], p.account.ID(), p.account.Login())
		if w.in(p) {
			line += ", " + string(w.org.Roles()[p.account.Login()])
		} else {
			line += ", not in the organization"
		}
		if b := w.truth.beliefs[p.key()]; b != nil {
			line += fmt.Sprintf("; believed %q %d by %s", b.state, b.account, b.via)
		}
		if n := w.truth.identities[p.account.ID()]; n != "" {
			line += "; identity " + n
		}
		if w.truth.protected[p.account.ID()] {
			line += "; protected"
		}
		say("%s", line)
	}
	for _, s := range []*provider{w.corp, w.hr} {
		for _, id := range slices.Sorted(maps.Keys(s.groups)) {
			g := s.groups[id]
			if len(g.Members)+len(g.Groups) > 0 {
				say("  group %s/%s (%s): %v %v", s.name, id, g.Name, g.Members, g.Groups)
			}
		}
	}
	for _, u := range w.units {
		line := fmt.Sprintf("  team %d %s (%s in the file, %s):", u.team.ID(), u.team.Slug(), u.text, u.mode)
		for _, l := range u.lines {
			line += fmt.Sprintf(" %s/%s %s", l.source.name, l.group, l.role)
		}
		if u.team.Deleted() {
			line += "; deleted"
		} else {
			line += fmt.Sprintf("; holds %v, invited %v", u.team.Members(), u.team.Pending())
		}
		if w.truth.parents[u.team] {
			line += "; a parent"
		}
		say("%s", line)
	}
	for _, write := range w.truth.writes {
		say("  write: %s %v %s %d %s pending %t", write.method, write.seat, write.effect, write.status, write.fault, write.pending)
	}
	return b.String()
}
