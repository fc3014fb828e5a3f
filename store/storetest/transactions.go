package storetest

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"musterline.example/audit"
	"musterline.example/directory"
	"musterline.example/guard"
	"musterline.example/link"
	"musterline.example/mapping"
	"musterline.example/reconcile"
	"musterline.example/store"
	"musterline.example/team"
)

// transactions is what happens when something goes wrong in between, and when there is much to do at once.
var transactions = map[string]func(*world){
	"an outcome whose ledger row cannot be written leaves no audit entry": func(w *world) {
		id := w.intend(w.run(), add("1"))
		before := w.verified()
		w.db.Exec(w, "ALTER TABLE ledger RENAME TO away")
		if err := w.Outcome(w.ctx(), id, audit.Outcome{Act: "add", Account: "1", Result: audit.Done}); err == nil {
			w.Error("it was recorded")
		}
		w.db.Exec(w, "ALTER TABLE away RENAME TO ledger")
		w.equal(w.verified(), before)
		w.outcome(id, "add", "1", audit.Done)
		w.equal(len(w.ledger()), 1)
	},
	"found members whose audit entry cannot be written are not found": func(w *world) {
		run := w.run()
		w.db.Exec(w, "ALTER TABLE audit_entries RENAME TO away")
		if err := w.Found(w.ctx(), run, octo, mapping.Ledger{"7": {row("1", mapping.LedgerFound)}}); err == nil {
			w.Error("they were recorded")
		}
		w.db.Exec(w, "ALTER TABLE away RENAME TO audit_entries")
		w.equal(len(w.ledger()), 0)
		w.verified()
	},
	"an outcome is recorded even when its run was told to stop": func(w *world) {
		id := w.intend(w.run(), add("1"))
		ctx, cancel := context.WithCancel(w.ctx())
		cancel()
		w.must(w.Outcome(ctx, id, audit.Outcome{Act: "add", Account: "1", Result: audit.Done}))
		w.must(w.Close(ctx, id))
		if _, err := w.Intent(ctx, audit.Intent{Target: "octo", Team: "7"}); err == nil {
			w.Error("a stopped run began something new")
		}
	},
	"an intent that a crash left open is closed by the next run, and only what is seen touches the ledger": func(w *world) {
		run := w.run()
		id := w.intend(run, add("1"), add("2"), add("3"))
		w.outcome(id, "add", "1", audit.Done)
		// The process is gone. The next one opens the database, goes on with the run, and asks the target.
		next := &world{T: w.T, Store: w.open(store.Options{}), db: w.db, key: w.key, clock: w.clock}
		w.equal(next.run(), run)
		open, err := next.OpenIntents(w.ctx(), "octo")
		w.must(err)
		w.equal(open[0].Open, []audit.Write{add("2"), add("3")})
		next.outcome(id, "add", "2", audit.Seen)
		next.outcome(id, "add", "3", audit.NotDone)
		w.must(next.Close(w.ctx(), id))
		rows := next.ledger()
		w.equal(len(rows), 2)
		w.equal(rows["2"].Origin, mapping.LedgerGranted)
		next.verified()
	},
	"ten thousand accounts, links, rows and writes are kept and come back": func(w *world) {
		const n = 10_000
		var (
			accounts []team.Account
			links    []link.Link
			rows     = mapping.Ledger{}
			writes   []audit.Write
			refs     []guard.Waived
		)
		for i := range n {
			id := strconv.Itoa(i)
			accounts = append(accounts, team.Account{ID: team.AccountID(id), Login: "login-" + id})
			links = append(links, link.Link{User: link.UserRef{Source: "corp", ID: directory.UserID(fmt.Sprintf("u%05d", i))}, Account: team.AccountID(id), State: link.Standing, MadeAt: start})
			of := team.ID(strconv.Itoa(i % 300))
			rows[of] = append(rows[of], mapping.Entry{Account: team.AccountID(id), Origin: mapping.LedgerFound, Mappings: []string{"corp/g1"}, Since: start})
			writes = append(writes, add(id))
			refs = append(refs, guard.Waived{Ref: guard.Ref{Team: "7", Account: team.AccountID(id), Act: "add"}})
		}
		run := w.run()
		for what, f := range map[string]func() error{
			"accounts": func() error { return w.SaveMembers(w.ctx(), octo, accounts, start) },
			"links":    func() error { return w.SaveLinks(w.ctx(), "github.com", links) },
			"rows":     func() error { return w.Found(w.ctx(), run, octo, rows) },
			"writes": func() error {
				_, err := w.Intent(w.ctx(), audit.Intent{Run: run, Target: "octo", Team: "7", Writes: writes})
				return err
			},
			"waived": func() error {
				_, err := w.AddWaiver(w.ctx(), guard.Waiver{Target: "octo", Changes: refs})
				return err
			},
		} {
			begun := time.Now()
			w.must(f())
			w.Logf("%d %s: %v", n, what, time.Since(begun).Round(time.Millisecond))
		}
		begun := time.Now()
		w.must(w.SaveMembers(w.ctx(), octo, accounts, start))
		w.must(w.SaveLinks(w.ctx(), "github.com", links))
		w.must(w.Found(w.ctx(), run, octo, rows))
		w.Logf("the same once more: %v", time.Since(begun).Round(time.Millisecond))
		got, err := w.Links(w.ctx(), "github.com")
		w.must(err)
		w.equal(got, links)
		l, err := w.Ledger(w.ctx(), octo)
		w.must(err)
		sum := 0
		for _, of := range l {
			sum += len(of)
		}
		w.equal(sum, n)
		open, err := w.OpenIntents(w.ctx(), "octo")
		w.must(err)
		w.equal(len(open[0].Open), n)
		w.must(w.Forget(w.ctx(), run, octo, rows))
		w.must(w.SaveMembers(w.ctx(), octo, accounts[:5000], start))
		f, err := w.Former(w.ctx(), octo)
		w.must(err)
		w.equal(len(f), 5000)
		w.verified()
	},
	"a run that two servers begin at once is one run": func(w *world) {
		other := w.open(store.Options{})
		first, err := w.Begin(w.ctx(), reconcile.Run{Target: "octo"})
		w.must(err)
		second, err := other.Begin(w.ctx(), reconcile.Run{Target: "octo"})
		w.must(err)
		w.equal(first.ID, second.ID)
		third, err := other.Begin(w.ctx(), reconcile.Run{Target: "another"})
		w.must(err)
		if third.ID == first.ID {
			w.Error("two targets share a run")
		}
	},
}
