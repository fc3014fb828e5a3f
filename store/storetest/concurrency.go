package storetest

import (
	"fmt"
	"strconv"
	"sync"
	"time"

	"musterline.example/audit"
	"musterline.example/guard"
	"musterline.example/mapping"
	"musterline.example/reconcile"
	"musterline.example/store"
	"musterline.example/team"
)

// atOnce calls f from n goroutines, half of them through another connection to the same database.
func (w *world) atOnce(n int, f func(s *store.Store, i int) error) {
	w.Helper()
	other := w.open(store.Options{})
	var wg sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		s := w.Store
		if i%2 == 1 {
			s = other
		}
		wg.Go(func() { errs[i] = f(s, i) })
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			w.Errorf("caller %d: %v", i, err)
		}
	}
}

// concurrency is what holds when many call at once.
var concurrency = map[string]func(*world){
	"a mark moves with what anybody commits": func(w *world) {
		other := w.open(store.Options{})
		seen := map[string]bool{}
		for i, s := range []*store.Store{w.Store, other, w.Store, other} {
			w.must(s.SaveFailure(w.ctx(), "corp", start.Add(time.Duration(i)*time.Second), "no answer"))
			mark, err := w.Mark(w.ctx())
			w.must(err)
			if seen[mark] {
				w.Errorf("the mark is %q again after write %d", mark, i)
			}
			seen[mark] = true
		}
	},
	"a mark stays while nobody writes": func(w *world) {
		for range 1000 { // on a server that others use there are writes of theirs
			before, err := w.Mark(w.ctx())
			w.must(err)
			_, err = w.Sources(w.ctx())
			w.must(err)
			after, err := w.Mark(w.ctx())
			w.must(err)
			if before == after {
				return
			}
		}
		w.Error("no two marks are the same")
	},
	"the audit record stays one chain": func(w *world) {
		w.atOnce(8, func(s *store.Store, i int) error {
			for n := range 10 {
				if err := s.Pause(w.ctx(), fmt.Sprint("target-", i), reconcile.Pause{By: fmt.Sprint(n)}); err != nil {
					return err
				}
			}
			return nil
		})
		w.equal(w.verified().Entries, int64(80))
	},
	"outcomes of many teams do not wait for ever and lose nothing": func(w *world) {
		run := w.run()
		w.atOnce(8, func(s *store.Store, i int) error {
			of := strconv.Itoa(100 + i)
			var writes []audit.Write
			for n := range 10 {
				writes = append(writes, add(strconv.Itoa(n)))
			}
			id, err := s.Intent(w.ctx(), audit.Intent{Run: run, Target: "octo", Team: of, Writes: writes})
			if err != nil {
				return err
			}
			for n := range 10 {
				if err := s.Outcome(w.ctx(), id, audit.Outcome{Act: "add", Account: strconv.Itoa(n), Result: audit.Done}); err != nil {
					return err
				}
			}
			return s.Close(w.ctx(), id)
		})
		l, err := w.Ledger(w.ctx(), octo)
		w.must(err)
		sum := 0
		for _, of := range l {
			sum += len(of)
		}
		w.equal(sum, 80)
		w.equal(w.verified().Entries, int64(8*12))
	},
	"ten who begin a run get the same, and every request is in it": func(w *world) {
		var mu sync.Mutex
		ids := map[string]bool{}
		w.atOnce(10, func(s *store.Store, i int) error {
			if _, err := s.AddRequest(w.ctx(), reconcile.Request{Target: "octo", Teams: []team.ID{team.ID(strconv.Itoa(i))}}); err != nil {
				return err
			}
			r, err := s.Begin(w.ctx(), reconcile.Run{Target: "octo"})
			mu.Lock()
			ids[r.ID] = true
			mu.Unlock()
			return err
		})
		w.equal(len(ids), 1)
		waiting, err := w.Requests(w.ctx(), "octo")
		w.must(err)
		w.equal(len(waiting), 0)
		r, err := w.Begin(w.ctx(), reconcile.Run{Target: "octo"})
		w.must(err)
		w.equal(len(r.First), 10)
	},
	"a member found by two runs at once is one row": func(w *world) {
		run := w.run()
		w.atOnce(6, func(s *store.Store, _ int) error {
			return s.Found(w.ctx(), run, octo, mapping.Ledger{"7": {row("1", mapping.LedgerFound, "corp/g1")}})
		})
		w.equal(len(w.ledger()), 1)
		w.equal(len(w.entries(store.KindFound)), 1)
	},
	"waivers made at once have ids of their own": func(w *world) {
		w.atOnce(10, func(s *store.Store, i int) error {
			_, err := s.AddWaiver(w.ctx(), guard.Waiver{Target: "octo", Changes: []guard.Waived{{Ref: guard.Ref{Team: "7", Account: team.AccountID(strconv.Itoa(i)), Act: "add"}}}})
			return err
		})
		got, err := w.Waivers(w.ctx(), "octo")
		w.must(err)
		w.equal(len(got), 10)
	},
	"readers see whole transactions while a writer works": func(w *world) {
		run := w.run()
		two := mapping.Ledger{"7": {row("1", mapping.LedgerFound), row("2", mapping.LedgerFound)}}
		w.atOnce(6, func(s *store.Store, i int) error {
			for range 10 {
				if i == 0 {
					if err := s.Found(w.ctx(), run, octo, two); err != nil {
						return err
					}
					if err := s.Forget(w.ctx(), run, octo, two); err != nil {
						return err
					}
					continue
				}
				l, err := s.Ledger(w.ctx(), octo)
				if err != nil {
					return err
				}
				if n := len(l["7"]); n != 0 && n != 2 {
					return fmt.Errorf("saw %d of 2 rows", n)
				}
			}
			return nil
		})
	},
	"of many who want the lock one gets it": func(w *world) {
		var mu sync.Mutex
		got := 0
		var unlocks []func() error
		w.atOnce(6, func(s *store.Store, _ int) error {
			unlock, err := s.Lock(w.ctx())
			if err != nil {
				return nil // a refusal is what most get
			}
			mu.Lock()
			defer mu.Unlock()
			got++
			unlocks = append(unlocks, unlock)
			return nil
		})
		w.equal(got, 1)
		for _, unlock := range unlocks {
			w.must(unlock())
		}
	},
}
