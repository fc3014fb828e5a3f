package storetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"musterline.example/audit"
	"musterline.example/guard"
	"musterline.example/internal/secret"
	"musterline.example/mapping"
	"musterline.example/plan"
	"musterline.example/reconcile"
	"musterline.example/store"
	"musterline.example/team"
)

// add is a write of an addition.
func add(account string) audit.Write {
	return audit.Write{
		Act: "add", Account: account, Login: "login-" + account, Role: "member", Mappings: []string{"corp/g1"}, Rule: "r", Waived: []string{"team_additions"},
	}
}

// records are about intents, outcomes, and the audit record.
var records = map[string]func(*world){
	"an outcome makes the ledger say so": func(w *world) {
		for i, c := range []struct {
			before *mapping.Entry
			write  audit.Write
			result audit.Result
			want   string // "origin role mappings", empty for no row
		}{
			{nil, add("1"), audit.Done, "granted member corp/g1"},
			{nil, add("1"), audit.Seen, "granted member corp/g1"},
			{nil, add("1"), audit.Already, "found member corp/g1"},
			{nil, add("1"), audit.Pending, ""},
			{nil, add("1"), audit.Failed, ""},
			{nil, add("1"), audit.Skipped, ""},
			{nil, add("1"), audit.NotDone, ""},
			{nil, audit.Write{Act: "add", Account: "1", Role: "maintainer"}, audit.Done, "granted maintainer "},
			{new(row("1", mapping.LedgerFound, "corp/old")), add("1"), audit.Done, "granted member corp/g1"},
			{new(row("1", mapping.LedgerFound, "corp/old")), add("1"), audit.Already, "found member corp/g1"},
			{new(row("1", mapping.LedgerGranted, "corp/old")), add("1"), audit.Already, "granted member corp/g1"},
			{new(row("1", mapping.LedgerGranted, "corp/g1")), audit.Write{Act: "update", Account: "1", Role: "maintainer"}, audit.Done, "granted maintainer corp/g1"},
			{new(row("1", mapping.LedgerGranted, "corp/g1")), audit.Write{Act: "update", Account: "1", Role: "maintainer"}, audit.Already, "granted member corp/g1"},
			{new(row("1", mapping.LedgerFound, "corp/g1")), audit.Write{Act: "update", Account: "1", Role: "maintainer", Mappings: []string{"corp/g2"}}, audit.Seen, "found maintainer corp/g2"},
			{nil, audit.Write{Act: "update", Account: "1", Role: "maintainer", Mappings: []string{"corp/g2"}}, audit.Done, "found maintainer corp/g2"},
			{new(maintainer(row("1", mapping.LedgerGranted, "corp/g1"))), audit.Write{Act: "update", Account: "1", Role: "member"}, audit.Done, "granted member corp/g1"},
			{new(maintainer(row("1", mapping.LedgerGranted, "corp/g1"))), audit.Write{Act: "update", Account: "1", Role: "member"}, audit.Already, "granted member corp/g1"},
			{new(maintainer(row("1", mapping.LedgerGranted, "corp/g1"))), audit.Write{Act: "update", Account: "1", Role: "member"}, audit.Failed, "granted maintainer corp/g1"},
			{new(row("1", mapping.LedgerFound, "corp/g1")), audit.Write{Act: "remove", Account: "1"}, audit.Done, ""},
			{new(row("1", mapping.LedgerFound, "corp/g1")), audit.Write{Act: "remove", Account: "1"}, audit.Already, ""},
			{new(row("1", mapping.LedgerFound, "corp/g1")), audit.Write{Act: "cancel", Account: "1"}, audit.Seen, ""},
			{new(row("1", mapping.LedgerFound, "corp/g1")), audit.Write{Act: "remove", Account: "1"}, audit.Skipped, "found member corp/g1"},
			{nil, audit.Write{Act: "remove", Account: "1"}, audit.Done, ""},
		} {
			run := w.run()
			w.must(w.Forget(w.ctx(), run, octo, mapping.Ledger{"7": {{Account: "1"}}}))
			if c.before != nil {
				w.must(w.Restore(w.ctx(), run, octo, mapping.Ledger{"7": {*c.before}}))
			}
			w.outcome(w.intend(run, c.write), c.write.Act, "1", c.result)
			var got string
			if e, ok := w.ledger()["1"]; ok {
				got = fmt.Sprintf("%s %s %s", e.Origin, e.Role, strings.Join(e.Mappings, " "))
			}
			if got != c.want {
				w.Errorf("case %d, %s %s: the ledger says %q, want %q", i, c.write.Act, c.result, got, c.want)
			}
		}
		w.verified()
	},
	"an intent without a place is refused, so that the act does not happen": func(w *world) {
		_, err := w.Intent(w.ctx(), audit.Intent{Target: "octo", Team: "7", Writes: []audit.Write{add("1")}})
		if err == nil {
			w.Error("it was recorded")
		}
		w.equal(len(w.entries(store.KindIntent)), 0)
	},
	"a team that an intent creates is known to its later outcomes by its new id": func(w *world) {
		run := w.run()
		id, err := w.Intent(w.ctx(), audit.Intent{Run: run, Target: "octo", Slug: "sre", Create: "sre", Sources: []string{"corp"}, Writes: []audit.Write{add("1")}})
		w.must(err)
		open, err := w.OpenIntents(w.ctx(), "octo")
		w.must(err)
		w.equal(open[0].Intent.Team, "")
		w.must(w.Outcome(w.ctx(), id, audit.Outcome{Act: "create", Team: "12", Result: audit.Done}))
		open, err = w.OpenIntents(w.ctx(), "octo")
		w.must(err)
		w.equal(open[0].Intent.Team, "12")
		w.must(w.Outcome(w.ctx(), id, audit.Outcome{Act: "add", Account: "1", Result: audit.Done}))
		_, _, err = w.LedgerRow(w.ctx(), octo, "12", "1")
		w.must(err)
		w.must(w.Close(w.ctx(), id))
		w.equal(w.entries(store.KindClose)[0].Team, "12")
		done, err := w.RunWrites(w.ctx(), run)
		w.must(err)
		w.equal(len(done), 1)
		w.equal(done[0].Team, team.ID("12"))
	},
	"a team that we make has our own account in it until that has left": func(w *world) {
		leave := audit.Write{Act: "remove", Account: "99", Rule: string(team.CreatorLeaves)}
		for result, stays := range map[audit.Result]bool{
			audit.Done: true, audit.Seen: true, audit.Already: false, audit.Failed: false, audit.NotDone: false,
		} {
			made := "made-" + string(result)
			id, err := w.Intent(w.ctx(), audit.Intent{Run: w.run(), Target: "octo", Slug: made, Create: made, Sources: []string{"corp"}, Writes: []audit.Write{leave}})
			w.must(err)
			w.must(w.Outcome(w.ctx(), id, audit.Outcome{Act: "create", Team: made, Result: result}))
			row, _, err := w.LedgerRow(w.ctx(), octo, team.ID(made), "99")
			if !stays {
				w.is(err, store.ErrNotFound)
				continue
			}
			w.must(err)
			w.equal(row.Origin, mapping.LedgerCreated)
			w.equal(row.Role, team.Maintainer)
			w.must(w.Outcome(w.ctx(), id, audit.Outcome{Act: "remove", Account: "99", Team: made, Result: audit.Done}))
			_, _, err = w.LedgerRow(w.ctx(), octo, team.ID(made), "99")
			w.is(err, store.ErrNotFound)
		}
		w.verified()
	},
	"an intent stays open until it is closed, with the writes that have no outcome": func(w *world) {
		id := w.intend(w.run(), add("1"), add("2"))
		open, err := w.OpenIntents(w.ctx(), "octo")
		w.must(err)
		w.equal(len(open), 1)
		w.equal(open[0].ID, id)
		w.equal(open[0].Intent.Actor.Credential, "App 12")
		w.equal(open[0].Open, []audit.Write{add("1"), add("2")})
		w.outcome(id, "add", "1", audit.Done)
		if err := w.Close(w.ctx(), id); err == nil {
			w.Error("it was closed with a write that has no outcome")
		}
		w.outcome(id, "add", "2", audit.Failed)
		open, err = w.OpenIntents(w.ctx(), "octo")
		w.must(err)
		w.equal(open[0].Open, []audit.Write{})
		w.must(w.Close(w.ctx(), id))
		open, err = w.OpenIntents(w.ctx(), "octo")
		w.must(err)
		w.equal(len(open), 0)
		if err := w.Outcome(w.ctx(), id, audit.Outcome{Act: "add", Account: "1", Result: audit.Done}); err == nil {
			w.Error("a closed intent took an outcome")
		}
		w.is(w.Close(w.ctx(), "999"), store.ErrNotFound)
	},
	"an outcome that no intent announced is kept all the same": func(w *world) {
		id := w.intend(w.run(), add("1"))
		w.outcome(id, "remove", "42", audit.Done)
		w.equal(w.entries(store.KindOutcome)[0].Account, "42")
	},
	"recent changes are those carried out, with their sources, reason and waived guards": func(w *world) {
		id := w.intend(w.run(), add("1"), add("2"), add("3"), audit.Write{Act: "remove", Account: "4"})
		w.outcome(id, "add", "1", audit.Done)
		w.outcome(id, "add", "2", audit.Already)
		w.outcome(id, "add", "3", audit.Failed)
		w.later(time.Minute)
		w.outcome(id, "remove", "4", audit.Seen)
		got, err := w.Recent(w.ctx(), "octo", start)
		w.must(err)
		w.equal(got, []guard.Done{
			{Ref: guard.Ref{Team: "7", Account: "1", Act: plan.Add}, At: start, Sources: []string{"corp"}, Rule: "r", Waived: []string{"team_additions"}},
			{Ref: guard.Ref{Team: "7", Account: "4", Act: plan.Remove}, At: start.Add(time.Minute), Sources: []string{"corp"}},
		})
		got, err = w.Recent(w.ctx(), "octo", start.Add(time.Second))
		w.must(err)
		w.equal(len(got), 1)
	},
	"the writes of a run are told with what the ledger said before": func(w *world) {
		run := w.run()
		before := row("2", mapping.LedgerFound, "corp/g1")
		w.must(w.Found(w.ctx(), run, octo, mapping.Ledger{"7": {before}}))
		remove := audit.Write{Act: "remove", Account: "2", Login: "bob", From: "member"}
		id := w.intend(run, add("1"), remove, add("3"))
		w.outcome(id, "add", "1", audit.Done)
		w.outcome(id, "remove", "2", audit.Done)
		done, err := w.RunWrites(w.ctx(), run)
		w.must(err)
		w.equal(done, []reconcile.RunWrite{{Write: add("1"), Team: "7", Slug: "platform"}, {Write: remove, Team: "7", Slug: "platform", Before: &before}})
		all, err := w.Writes(w.ctx(), run)
		w.must(err)
		w.equal(len(all), 3)
		w.equal(all[2].Outcome.Result, audit.Result(""))
		w.equal(all[0].Actor.Credential, "App 12")
	},
	"the audit record is filtered, paged and exported": func(w *world) {
		run := w.run()
		id := w.intend(run, add("1"), add("2"))
		w.later(time.Hour)
		w.outcome(id, "add", "1", audit.Done)
		w.outcome(id, "add", "2", audit.Failed)
		w.must(w.Close(w.ctx(), id))
		w.must(w.Store.Pause(w.ctx(), "other", reconcile.Pause{By: "ada"}))
		for name, c := range map[string]struct {
			f    store.Filter
			want int
		}{
			"all":     {store.Filter{}, 5},
			"target":  {store.Filter{Target: "octo"}, 4},
			"team":    {store.Filter{Team: "7"}, 4},
			"account": {store.Filter{Account: "2"}, 1},
			"run":     {store.Filter{Run: run}, 4},
			"kind":    {store.Filter{Kind: store.KindOutcome, Target: "octo"}, 2},
			"since":   {store.Filter{Since: start.Add(time.Minute)}, 4},
			"limit":   {store.Filter{Limit: 2}, 2},
			"page":    {store.Filter{Before: 3}, 2},
		} {
			got, err := w.Entries(w.ctx(), c.f)
			w.must(err)
			if len(got) != c.want {
				w.Errorf("%s: %d entries, want %d", name, len(got), c.want)
			}
		}
		var out bytes.Buffer
		w.must(w.Export(w.ctx(), &out, store.Filter{Target: "octo"}))
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		w.equal(len(lines), 4)
		var first store.Entry
		w.must(json.Unmarshal([]byte(lines[0]), &first))
		w.equal(first.Kind, store.KindIntent)
		one, err := w.Entry(w.ctx(), first.Seq)
		w.must(err)
		w.equal(one.MAC, first.MAC)
	},
	"a whole audit record is verified, also by a reader with the key": func(w *world) {
		w.tell(5)
		w.equal(w.verified().Entries, int64(5))
		v, err := w.open(store.Options{ReadOnly: true}).Verify(w.ctx())
		w.must(err)
		w.equal(v, w.verified())
	},
	"without the key nothing is verified": func(w *world) {
		s, err := store.Open(w.ctx(), w.db.URL(), store.Options{ReadOnly: true})
		w.must(err)
		defer func() { _ = s.Shut() }()
		if _, err := s.Verify(w.ctx()); err == nil {
			w.Error("it was")
		}
	},
	"the database itself forbids to change the audit record": func(w *world) {
		w.tell(2)
		for _, statement := range []string{"UPDATE audit_entries SET run = 'x' WHERE seq = 1", "DELETE FROM audit_entries WHERE seq = 2"} {
			if w.db.Try(statement) == nil {
				w.Errorf("%s went through", statement)
			}
		}
		w.equal(w.verified().Entries, int64(2))
	},
	"a changed entry is found": func(w *world) {
		w.tell(5)
		w.db.Disarm(w)
		for _, column := range []string{"kind", "run", "target", "team", "account", "act", "result", "credential", "cause", "requester", "body"} {
			w.db.Exec(w, "UPDATE audit_entries SET "+column+" = "+column+" || 'x' WHERE seq = 3")
			w.broken(3, "changed")
			w.db.Exec(w, "UPDATE audit_entries SET "+column+" = substr("+column+", 1, length("+column+") - 1) WHERE seq = 3")
			w.verified()
		}
	},
	"a changed moment is found": func(w *world) {
		w.tell(5)
		w.db.Disarm(w)
		w.db.Exec(w, "UPDATE audit_entries SET at = at - 1 WHERE seq = 2")
		w.broken(2, "changed")
	},
	"an entry that was taken out is found": func(w *world) {
		w.tell(5)
		w.db.Disarm(w)
		w.db.Exec(w, "DELETE FROM audit_entries WHERE seq = 2")
		w.broken(2, "missing")
	},
	"an entry that was taken out and its successors renumbered is found": func(w *world) {
		w.tell(5)
		w.db.Disarm(w)
		w.db.Exec(w, "DELETE FROM audit_entries WHERE seq = 4")
		w.db.Exec(w, "UPDATE audit_entries SET seq = 4 WHERE seq = 5")
		w.broken(4, "changed")
	},
	"two entries that changed places are found": func(w *world) {
		w.tell(5)
		w.db.Disarm(w)
		w.db.Exec(w, "UPDATE audit_entries SET seq = 100 WHERE seq = 2")
		w.db.Exec(w, "UPDATE audit_entries SET seq = 2 WHERE seq = 3")
		w.db.Exec(w, "UPDATE audit_entries SET seq = 3 WHERE seq = 100")
		w.broken(2, "moved")
	},
	"a record that was cut off is found": func(w *world) {
		w.tell(5)
		w.db.Disarm(w)
		w.db.Exec(w, "DELETE FROM audit_entries WHERE seq > 3")
		w.broken(4, "cut off")
	},
	"a record whose beginning was taken away is found": func(w *world) {
		w.tell(5)
		w.db.Disarm(w)
		w.db.Exec(w, "DELETE FROM audit_entries WHERE seq <= 3")
		w.broken(1, "missing")
	},
	"a head that was set back with the record is found, and nothing is added to it": func(w *world) {
		w.tell(5)
		w.db.Disarm(w)
		w.db.Exec(w, "DELETE FROM audit_entries WHERE seq > 3")
		w.db.Exec(w, "UPDATE audit_head SET seq = 3, mac = (SELECT mac FROM audit_entries WHERE seq = 3)")
		w.broken(3, "head")
		if err := w.Store.Pause(w.ctx(), "octo", reconcile.Pause{By: "eve"}); err == nil {
			w.Error("an entry was added")
		}
	},
	"an entry that somebody added is found": func(w *world) {
		w.tell(2)
		w.db.Exec(w, `INSERT INTO audit_entries SELECT 3, at, kind, run, target, team, account, act, result, credential, cause, requester, body, mac FROM audit_entries WHERE seq = 2`)
		w.broken(3, "added")
	},
	"a head under another key is found": func(w *world) {
		w.tell(2)
		other, err := secret.New()
		w.must(err)
		w.db.Exec(w, "UPDATE stores SET fingerprint = $1", other.Fingerprint())
		s := w.open(store.Options{Key: other})
		_, err = s.Verify(w.ctx())
		if broken, ok := errors.AsType[*store.Broken](err); !ok || !strings.Contains(broken.Reason, "another key file") {
			w.Errorf("got %v", err)
		}
	},
	"pruning leaves a checkpoint and what stays can be verified": func(w *world) {
		w.tell(5)
		w.later(time.Hour)
		w.tell(2)
		n, err := w.PruneAudit(w.ctx(), start.Add(time.Minute), "ada")
		w.must(err)
		w.equal(n, int64(5))
		v := w.verified()
		w.equal([]int64{v.Entries, v.First, v.Last}, []int64{3, 6, 8})
		w.equal(w.entries(store.KindCheckpoint)[0].Actor.Requester, "ada")
		w.tell(1)
		n, err = w.PruneAudit(w.ctx(), start.Add(time.Minute), "ada")
		w.must(err)
		w.equal(n, int64(0))
		w.equal(w.verified().Entries, int64(4))
		w.db.Disarm(w)
		w.db.Exec(w, "DELETE FROM audit_entries WHERE seq = 6")
		w.broken(6, "missing")
	},
	"pruning stops before an intent that is open": func(w *world) {
		run := w.run()
		w.tell(1)
		id := w.intend(run, add("1"))
		w.tell(1)
		w.later(time.Hour)
		n, err := w.PruneAudit(w.ctx(), w.clock.Now(), "ada")
		w.must(err)
		w.equal(n, int64(1))
		w.outcome(id, "add", "1", audit.Done)
		w.must(w.Close(w.ctx(), id))
		w.later(time.Hour)
		_, err = w.PruneAudit(w.ctx(), w.clock.Now(), "ada")
		w.must(err)
		w.equal(w.verified().Entries, int64(1))
	},
}

func maintainer(e mapping.Entry) mapping.Entry {
	e.Role = team.Maintainer
	return e
}

// tell leaves entries.
func (w *world) tell(n int) {
	w.Helper()
	for range n {
		w.must(w.Store.Pause(w.ctx(), "octo", reconcile.Pause{By: "ada", Reason: "x"}))
	}
}

// broken fails the case unless Verify finds the first wrong entry and says what is wrong with it.
func (w *world) broken(seq int64, reason string) {
	w.Helper()
	_, err := w.Verify(w.ctx())
	b, ok := errors.AsType[*store.Broken](err)
	if !ok || b.Seq != seq || !strings.Contains(b.Reason, reason) {
		w.Errorf("got %v, want entry %d %s", err, seq, reason)
	}
}
