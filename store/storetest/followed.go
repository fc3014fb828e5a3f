package storetest

import (
	"musterline.example/audit"
	"musterline.example/store"
)

// followed is what those ask who follow a run.
var followed = map[string]func(*world){
	"the writes of a run are followed from any place on, each once": func(w *world) {
		run := w.run()
		first := w.intend(run, add("1"), add("2"))
		second := w.intend(run, add("3"))
		w.outcome(first, "add", "1", audit.Done)
		w.intend("another run", add("9"))
		read := func(from store.WritePlace, limit int) (accounts string, at store.WritePlace) {
			all, err := w.WritesAfter(w.ctx(), run, from, limit)
			w.must(err)
			at = from
			for _, x := range all {
				accounts, at = accounts+x.Write.Write.Account+string(x.Outcome.Result)+" ", x.Place
			}
			return accounts, at
		}
		all, end := read(store.WritePlace{}, 10)
		w.equal(all, "1done 2 3 ")
		w.equal(end.N, 3)
		one, at := read(store.WritePlace{}, 1)
		w.equal(one, "1done ")
		rest, _ := read(at, 10)
		w.equal(rest, "2 3 ")
		for n, want := range []string{"1done 2 3 ", "2 3 ", "3 ", "", ""} { // only the count is known, as after a stream that broke off
			got, _ := read(store.WritePlace{N: n}, 10)
			w.equal(got, want)
		}
		// One that nobody announced comes at the end of its team.
		w.outcome(second, "remove", "4", audit.Done)
		more, last := read(end, 10)
		w.equal(more, "4done ")
		w.equal(last.N, 4)
	},
}
