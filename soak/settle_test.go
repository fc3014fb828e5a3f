package soak

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"musterline.example/internal/githubsim"
	"musterline.example/mapping"
)

// A recorded is what Musterline remembers at the end.
type recorded struct {
	outcomes []outcome
	ledger   map[seat]mapping.LedgerOrigin
	open     int // intents
}

// An outcome is an entry of the audit record about one write.
type outcome struct {
	seat   seat
	act    string
	result string
}

// settle is fair weather and a person who approves. Then everybody is where they belong, planning again gives nothing, and what is
// remembered is what was done.
func (w *world) settle() {
	w.fair()
	w.engine.open(w)
	for round := 0; ; round++ {
		if !w.real {
			wait(25 * time.Hour)
		}
		if err := w.engine.sync(w); err != nil {
			w.fail("sync in fair weather: %v", err)
		}
		w.judge()
		if round == 0 && w.truth.reinvite {
			continue // the run that sees that somebody has left does not invite them yet
		}
		free, all := w.engine.plan(w)
		if free > 0 {
			w.fail("after a sync in fair weather %d changes are left that nobody objects to", free)
		}
		if all == 0 {
			break
		}
		if round == 5 {
			w.fail("%d changes are objected to, however often they are approved", all)
		}
		w.engine.approve(w)
	}
	w.hold()
	w.compare(w.engine.memory(w))
}

// hold checks that every team holds who is wanted and nobody without a reason to stay.
func (w *world) hold() {
	tr := w.truth
	for id, t := range tr.teams {
		lines := tr.linesOf(id)
		if t.Deleted() || tr.parent(id) || len(lines) == 0 {
			continue
		}
		members, pending := t.Members(), t.Pending()
		unsettled := slices.ContainsFunc(lines, tr.unsettled)
		for login, role := range w.org.Roles() {
			at := seat{id, w.gh.World().User(login).ID()}
			_, there := members[login]
			wanted, maintainer := tr.belongs(at)
			named, doubted := tr.someones(at.account)
			switch {
			case wanted && doubted:
			case wanted && !there && !slices.Contains(pending, login):
				w.fail("%s is not in %s, and a mapped group lists them", login, t.Slug())
			case wanted && maintainer && members[login] != githubsim.Maintainer:
				w.fail("%s is no maintainer of %s, and should be", login, t.Slug())
			case wanted && tr.byHand[at] && role != githubsim.Owner && members[login] != githubsim.Maintainer:
				w.fail("%s was made a maintainer of %s by hand and is none any more", login, t.Slug())
			case wanted || !there || unsettled:
			case doubted || at.account == tr.boss || tr.protected[at.account] || !named && w.unsure(lines):
			case tr.additive[id] && !tr.granted[at]:
			default:
				w.fail("%s is in %s without a reason", login, t.Slug())
			}
		}
	}
}

// unsure reports whether somebody in the groups is not known for certain: an account that nobody is linked to may be theirs.
func (w *world) unsure(lines []mapped) bool {
	for _, m := range lines {
		if _, listed := w.truth.said[m.source].Groups[m.group]; !listed {
			continue
		}
		for _, u := range w.truth.walk(m) {
			if b := w.truth.beliefs[userKey{m.source, u.ID}]; b == nil || b.state == nobody || b.state == murky {
				return true
			}
		}
	}
	return false
}

// compare holds what is remembered against what GitHub has seen: every write has its entry, every entry its write, and the ledger is who was
// granted or found.
func (w *world) compare(r *recorded) {
	if r.open > 0 {
		w.fail("%d intents were left open", r.open)
	}
	total.add("audit outcomes compared with GitHub's log", len(r.outcomes))
	if broken := w.truth.accounts(r.outcomes); len(broken) > 0 {
		w.fail("%s", strings.Join(broken, "\n"))
	}
	tr := w.truth
	for id, t := range tr.teams {
		if t.Deleted() || tr.parent(id) || len(tr.linesOf(id)) == 0 {
			continue
		}
		members := t.Members()
		for login := range members {
			at := seat{id, w.gh.World().User(login).ID()}
			origin, known := r.ledger[at]
			wanted, _ := tr.belongs(at)
			_, doubted := tr.someones(at.account)
			switch {
			case doubted:
			case wanted && !known:
				w.fail("the ledger does not know why %s is in %s", login, t.Slug())
			case wanted && tr.sure(at) && origin != map[bool]mapping.LedgerOrigin{true: mapping.LedgerGranted, false: mapping.LedgerFound}[tr.granted[at]]:
				w.fail("the ledger calls %s in %s %s; granted by us: %t", login, t.Slug(), origin, tr.granted[at])
			}
		}
		for at := range r.ledger {
			in := slices.ContainsFunc(slices.Collect(maps.Keys(members)), func(l string) bool { return w.gh.World().User(l).ID() == at.account })
			in = in || slices.ContainsFunc(t.Pending(), func(l string) bool { return w.gh.World().User(l).ID() == at.account }) // on their way back
			if at.team == id && !in {
				w.fail("the ledger knows account %d in %s, and it is not there", at.account, t.Slug())
			}
		}
	}
}

// sure reports whether nobody can be mistaken about who brought somebody: no answer was lost, and no other hand was there.
func (tr *truth) sure(at seat) bool {
	return !tr.touched[at] && !slices.ContainsFunc(tr.writes, func(w write) bool { return w.seat == at && (w.lossy || w.pending || w.status/100 != 2) })
}

// A deed is what the log of GitHub and the audit record have in common.
type deed struct {
	seat   seat
	method string
}

var methods = map[string]string{"add": "PUT", "update": "PUT", "remove": "DELETE", "cancel": "DELETE"}

// accounts compares the writes that GitHub has seen with the outcomes on record.
func (tr *truth) accounts(outcomes []outcome) (broken []string) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	plain, blurred := map[deed]int{}, map[deed]int{}
	effective := map[deed]int{}
	took := map[deed]bool{} // back what was put too much
	for _, w := range tr.writes {
		if w.seat.account == 0 {
			continue
		}
		d := deed{w.seat, w.method}
		switch {
		case w.pending:
			took[deed{w.seat, "DELETE"}] = true
		case w.lossy || w.status/100 == 5:
			blurred[d]++
			if w.effect != "" {
				effective[d]++
			}
		case w.status/100 == 2:
			plain[d]++
		}
	}
	done, seen, other := map[deed]int{}, map[deed]int{}, map[deed]int{}
	for _, o := range outcomes {
		d := deed{o.seat, methods[o.act]}
		switch {
		case d.method == "" || d.seat.team == 0: // nothing was tried in a team that was never made
		case o.result == "done":
			done[d]++
		case o.result == "seen":
			seen[d]++
		default:
			other[d]++
		}
	}
	say := func(format string, args ...any) { broken = append(broken, fmt.Sprintf(format, args...)) }
	for d, n := range plain {
		if (done[d] < n || done[d] > n+blurred[d]) && !took[d] {
			say("%s of account %d in team %d: GitHub answered %d times that it is done, the record says %d", d.method, d.seat.account, d.seat.team, n, done[d])
		}
	}
	for d, n := range done {
		if plain[d]+blurred[d] == 0 {
			say("%s of account %d in team %d: the record says %d times that it was done, GitHub has no such call", d.method, d.seat.account, d.seat.team, n)
		}
	}
	for d, n := range effective {
		if t := tr.teams[d.seat.team]; t != nil && t.Deleted() {
			continue // nobody can look any more
		}
		if !tr.touched[d.seat] && seen[d]+done[d] < n+plain[d] {
			say("%s of account %d in team %d took effect %d times without an answer, and the record knows of %d (%d others)", d.method, d.seat.account, d.seat.team, n, seen[d], other[d])
		}
	}
	for d, n := range seen {
		if blurred[d] == 0 && !tr.touched[d.seat] {
			say("%s of account %d in team %d: the record has seen it %d times, and no answer was lost", d.method, d.seat.account, d.seat.team, n)
		}
	}
	return broken
}
