package storetest

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"musterline.example/audit"
	"musterline.example/mapping"
	"musterline.example/reconcile"
	"musterline.example/store"
	"musterline.example/team"
)

// auditing are questions of people to the audit record.
var auditing = map[string]func(*world){
	"the audit record answers what a page asks": func(w *world) {
		run := w.run()
		id := w.intend(run, add("1"), add("2"))
		w.outcome(id, "add", "1", audit.Done)
		w.later(time.Hour)
		w.outcome(id, "add", "2", audit.Failed)
		w.must(w.Close(w.ctx(), id))
		w.must(w.Store.Pause(w.ctx(), "acme", reconcile.Pause{By: "Joe"}))
		for name, c := range map[string]struct {
			f    store.Filter
			want []int64
		}{
			"all":                      {store.Filter{}, []int64{5, 4, 3, 2, 1}},
			"the oldest first":         {store.Filter{Oldest: true}, []int64{1, 2, 3, 4, 5}},
			"the oldest of an account": {store.Filter{Oldest: true, Account: "2"}, []int64{3}},
			"act":                      {store.Filter{Act: "add"}, []int64{3, 2}},
			"result":                   {store.Filter{Result: "failed"}, []int64{3}},
			"requester":                {store.Filter{Requester: "Joe"}, []int64{5}},
			"credential":               {store.Filter{Credential: "App 12"}, []int64{4, 3, 2, 1}},
			"trigger and kind":         {store.Filter{Trigger: "person", Kind: store.KindPause}, []int64{5}},
			"since":                    {store.Filter{Since: start.Add(time.Hour)}, []int64{5, 4, 3}},
			"until":                    {store.Filter{Until: start.Add(time.Hour)}, []int64{2, 1}},
			"between":                  {store.Filter{Since: start.Add(time.Microsecond), Until: start.Add(time.Hour + time.Microsecond), Team: "7"}, []int64{4, 3}},
			"targets":                  {store.Filter{Targets: []string{"acme", "other"}}, []int64{5}},
			"a target out of bounds":   {store.Filter{Target: "octo", Targets: []string{"acme"}}, nil},
			"no target":                {store.Filter{Targets: []string{}}, nil},
		} {
			if got := w.numbers(c.f); !slices.Equal(got, c.want) {
				w.Errorf("%s: %v, want %v", name, got, c.want)
			}
		}
	},
	"the audit record is searched by login, slug and person": func(w *world) {
		run := w.run()
		w.must(w.SaveMembers(w.ctx(), octo, []team.Account{{ID: "1", Login: "Ada-L"}, {ID: "2", Login: "joe_m"}}, start))
		id := w.intend(run, add("1"), add("2"))
		w.outcome(id, "add", "1", audit.Done)
		w.outcome(id, "add", "2", audit.Done)
		w.must(w.Store.Pause(w.ctx(), "octo", reconcile.Pause{By: "Zoe Martin"}))
		w.must(w.Store.Pause(w.ctx(), "octo", reconcile.Pause{By: "100%!"}))
		w.mapByAPI("8", "g1")
		for text, want := range map[string][]int64{
			"ada-l": {2}, "ADA-L": {2}, "Ada": {6, 3, 2, 1}, "joe_m": {3}, "joexm": nil, "latf": {3, 2, 1}, "team-8": {6}, "zoe m": {4},
			"%": {5}, "0%!": {5}, "'": nil,
		} {
			if got := w.numbers(store.Filter{Text: text}); !slices.Equal(got, want) {
				w.Errorf("%q: %v, want %v", text, got, want)
			}
		}
		if got := w.numbers(store.Filter{Text: "platform", Account: "2", Oldest: true}); !slices.Equal(got, []int64{3}) {
			w.Errorf("text and account: %v", got)
		}
	},
	"pages of the audit record neither repeat nor lose an entry while others are written": func(w *world) {
		w.tell(7)
		var seen []int64
		for f := (store.Filter{Limit: 3}); ; {
			page := w.numbers(f)
			if seen = append(seen, page...); len(page) < f.Limit {
				break
			}
			w.tell(2)
			f.Before = page[len(page)-1]
		}
		w.equal(seen, []int64{7, 6, 5, 4, 3, 2, 1})
		seen = nil
		for f := (store.Filter{Limit: 4, Oldest: true}); ; {
			page := w.numbers(f)
			if seen = append(seen, page...); len(page) < f.Limit {
				break
			}
			if len(seen) < 8 {
				w.tell(1)
			}
			f.After = page[len(page)-1]
		}
		w.equal(seen, []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
	},
	"an export is whole, and ends where the record ended when it began": func(w *world) {
		w.tell(450)
		var lines []int64
		w.must(w.Export(w.ctx(), writer(func(line []byte) error {
			var e store.Entry
			w.must(json.Unmarshal(line, &e))
			lines = append(lines, e.Seq)
			if len(lines)%100 == 1 {
				w.tell(1)
			}
			return nil
		}), store.Filter{}))
		want := make([]int64, 450)
		for i := range want {
			want[i] = int64(i) + 1
		}
		w.equal(lines, want)
		var out bytes.Buffer
		w.must(w.Export(w.ctx(), &out, store.Filter{Before: 3}))
		w.equal(strings.Count(out.String(), "\n"), 2)
	},
	"an export that cannot be written says so": func(w *world) {
		w.tell(1)
		full := errors.New("no space left on device")
		broken := writer(func([]byte) error { return full })
		w.is(w.Export(w.ctx(), broken, store.Filter{}), full)
		w.is(w.ExportCSV(w.ctx(), broken, store.Filter{}), full)
	},
	"an export for spreadsheets has a row for each entry, and no formula": func(w *world) {
		id := w.intend(w.run(), add("1"))
		w.outcome(id, "add", "1", audit.Done)
		for _, by := range []string{`=HYPERLINK("http://x")`, "+1", "-1", "@SUM(A1)", "\tx", "\rx", `ada, "the boss"`, "a=b"} {
			w.must(w.Store.Pause(w.ctx(), "octo", reconcile.Pause{By: by, Reason: "line\nbreak"}))
		}
		var out bytes.Buffer
		w.must(w.ExportCSV(w.ctx(), &out, store.Filter{}))
		if !strings.HasPrefix(out.String(), "seq,at,kind,run,target,team,account,act,result,credential,trigger,requester,body,mac\n") {
			w.Errorf("it begins %.100q", out.String())
		}
		rows, err := csv.NewReader(&out).ReadAll()
		w.must(err)
		w.equal(len(rows), 11)
		first, err := w.Entry(w.ctx(), 2)
		w.must(err)
		w.equal(rows[2], []string{
			"2", "2026-03-01T12:00:00Z", "outcome", first.Run, "octo", "7", "1", "add", "done", "App 12", "person", "ada", string(first.Body), first.MAC,
		})
		var who []string
		for _, r := range rows[3:] {
			who = append(who, r[11])
		}
		w.equal(who, []string{`'=HYPERLINK("http://x")`, "'+1", "'-1", "'@SUM(A1)", "'\tx", "'\rx", `ada, "the boss"`, "a=b"})
		out.Reset()
		w.must(w.ExportCSV(w.ctx(), &out, store.Filter{Targets: []string{}}))
		w.equal(strings.Count(out.String(), "\n"), 1)
	},
	"a bound on targets holds for an export too": func(w *world) {
		w.tell(2)
		w.must(w.Store.Pause(w.ctx(), "acme", reconcile.Pause{By: "joe"}))
		w.must(w.SaveMappings(w.ctx(), "acme", []mapping.Mapping{inFile(1, "docs", "writers")}, nil))
		var out bytes.Buffer
		w.must(w.Export(w.ctx(), &out, store.Filter{Targets: []string{"acme"}}))
		w.equal(strings.Count(out.String(), "\n"), strings.Count(out.String(), `"target":"acme"`))
		w.equal(strings.Count(out.String(), "\n"), 2)
	},
}

// A writer is told of what is written.
type writer func([]byte) error

func (f writer) Write(p []byte) (int, error) { return len(p), f(p) }

// numbers returns the numbers of the entries that a filter chooses.
func (w *world) numbers(f store.Filter) (all []int64) {
	w.Helper()
	entries, err := w.Entries(w.ctx(), f)
	w.must(err)
	for _, e := range entries {
		all = append(all, e.Seq)
	}
	return all
}
