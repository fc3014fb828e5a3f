package storetest

import (
	"context"
	"errors"
	"time"

	"musterline.example/directory"
	"musterline.example/guard"
	"musterline.example/mapping"
	"musterline.example/reconcile"
	"musterline.example/store"
	"musterline.example/team"
)

// jobs are what a server needs that works by itself.
var jobs = map[string]func(*world){
	"who is told of requests writes in their transaction": func(w *world) {
		var told []reconcile.Request
		w.OnAsked(func(_ context.Context, t store.Tx, rs []reconcile.Request) error {
			if (t.SQLite == nil) == (t.Postgres == nil) {
				w.Error("it is the transaction of no database, or of two")
			}
			told = append(told, rs...)
			return nil
		})
		id, err := w.AddRequest(w.ctx(), reconcile.Request{Target: "octo", Trigger: "person"})
		w.must(err)
		_, err = w.AddRequest(w.ctx(), reconcile.Request{Target: "octo", DueAt: start.Add(time.Hour)})
		w.must(err)
		w.equal(len(told), 1)
		w.equal(told[0].ID, id)
	},
	"no request is there when who is told of it fails": func(w *world) {
		no := errors.New("no")
		w.OnAsked(func(context.Context, store.Tx, []reconcile.Request) error { return no })
		_, err := w.AddRequest(w.ctx(), reconcile.Request{Target: "octo"})
		w.is(err, no)
		group := mapping.Mapping{Team: "platform", Source: "corp", Group: "sre", GroupID: "g1"}
		_, err = w.MapTeam(w.ctx(), "octo", "7", []mapping.Mapping{group}, mapping.Disconnect{By: "ada"}, reconcile.Request{Target: "octo"})
		w.is(err, no)
		w.equal(len(w.waiting()), 0)
		rows, err := w.Mappings(w.ctx(), "octo")
		w.must(err)
		w.equal(len(rows), 0)
	},
	"a mapping is asked for with its row, and the end of its grace is": func(w *world) {
		group := mapping.Mapping{Team: "platform", Source: "corp", Group: "sre", GroupID: "g1"}
		asks := reconcile.Request{Target: "octo", Teams: []team.ID{"7"}, Trigger: "event", Asker: "ada"}
		_, err := w.MapTeam(w.ctx(), "octo", "7", []mapping.Mapping{group}, mapping.Disconnect{By: "ada"}, asks)
		w.must(err)
		w.equal(len(w.waiting()), 1)
		ends := start.Add(10 * time.Minute)
		_, err = w.MapTeam(w.ctx(), "octo", "7", nil, mapping.Disconnect{By: "ada", Until: ends}, asks)
		w.must(err)
		all := w.waiting()
		w.equal(len(all), 3)
		due, err := w.Due(w.ctx(), "octo")
		w.must(err)
		w.equal(len(due), 2)
		w.later(10 * time.Minute)
		due, err = w.Due(w.ctx(), "octo")
		w.must(err)
		w.equal(len(due), 3)
		for _, r := range all {
			w.equal(r.Teams, []team.ID{"7"})
		}
	},
	"a run that has read its target takes requests for teams and accounts only": func(w *world) {
		r, err := w.Begin(w.ctx(), reconcile.Run{Target: "octo", Trigger: "schedule"})
		w.must(err)
		w.must(w.SaveRunReading(w.ctx(), r.ID, &reconcile.Reading{Place: octo}))
		for _, q := range []reconcile.Request{
			{Target: "octo", Asker: "all"}, {Target: "octo", Asker: "team", Teams: []team.ID{"7"}}, {Target: "octo", Asker: "account", Account: "1"},
		} {
			_, err := w.AddRequest(w.ctx(), q)
			w.must(err)
		}
		r, err = w.Begin(w.ctx(), reconcile.Run{Target: "octo", Trigger: "schedule"})
		w.must(err)
		w.equal(len(r.Taken), 2)
		w.equal(r.First, []team.ID{"7"})
		left := w.waiting()
		w.equal(len(left), 1)
		w.equal(left[0].Asker, "all")
		r, err = w.Begin(w.ctx(), reconcile.Run{Target: "octo", Trigger: "schedule"})
		w.must(err)
		w.equal(len(r.Taken), 0)
		w.equal(len(r.Requests), 2)
	},
	"a run is that of the first person who asks, before events and the schedule": func(w *world) {
		for i, trigger := range []string{"schedule", "event", "person", "person"} {
			_, err := w.AddRequest(w.ctx(), reconcile.Request{
				Target: "octo", Trigger: trigger, Asker: trigger + string(rune('1'+i)), AskedAt: start.Add(time.Duration(i) * time.Second),
			})
			w.must(err)
		}
		_, err := w.AddRequest(w.ctx(), reconcile.Request{Target: "other", Trigger: "schedule", Asker: "clock"})
		w.must(err)
		r, err := w.Begin(w.ctx(), reconcile.Run{Target: "octo"})
		w.must(err)
		w.equal([]string{r.Trigger, r.Requester}, []string{"person", "person3"})
		r, err = w.Begin(w.ctx(), reconcile.Run{Target: "other"})
		w.must(err)
		w.equal([]string{r.Trigger, r.Requester}, []string{"schedule", "clock"})
		r, err = w.Begin(w.ctx(), reconcile.Run{Target: "third"})
		w.must(err)
		w.equal(r.Trigger, "schedule")
	},
	"a request that is due later is taken later": func(w *world) {
		_, err := w.AddRequest(w.ctx(), reconcile.Request{Target: "octo", Trigger: "person", DueAt: start.Add(time.Hour)})
		w.must(err)
		r, err := w.Begin(w.ctx(), reconcile.Run{Target: "octo"})
		w.must(err)
		w.equal(len(r.Taken), 0)
		w.equal(r.Trigger, "schedule")
		w.equal(w.work(), []string{"octo"}) // the run
		w.must(w.Finish(w.ctx(), r.ID, reconcile.Report{State: "done"}))
		w.equal(len(w.work()), 0)
		w.later(time.Hour)
		w.equal(w.work(), []string{"octo"})
		n, oldest, err := w.Store.Waiting(w.ctx())
		w.must(err)
		w.equal(n, 1)
		w.equal(oldest, start)
		w.must(w.Store.Pause(w.ctx(), "octo", reconcile.Pause{By: "ada"}))
		w.equal(len(w.work()), 0)
	},
	"what a run has read is kept for one that comes soon": func(w *world) {
		kept, err := w.KeptReading(w.ctx(), "octo", start)
		w.must(err)
		w.equal(kept, (*reconcile.Reading)(nil))
		want := &reconcile.Reading{Place: octo, AccountsAt: start, Accounts: []team.Account{{ID: "1", Login: "ada"}}, Touched: []team.ID{"7"}}
		w.must(w.KeepReading(w.ctx(), "octo", want))
		kept, err = w.KeptReading(w.ctx(), "octo", start)
		w.must(err)
		w.equal(kept, want)
		kept, err = w.KeptReading(w.ctx(), "octo", start.Add(time.Second))
		w.must(err)
		w.equal(kept, (*reconcile.Reading)(nil))
	},
	"a run is cancelled once, with an audit entry, and sees it": func(w *world) {
		run := w.run()
		woken := 0
		w.OnAsked(func(context.Context, store.Tx, []reconcile.Request) error { woken++; return nil })
		for _, want := range []bool{true, false} {
			was, err := w.CancelRun(w.ctx(), run, "eve")
			w.must(err)
			w.equal(was, want)
		}
		w.equal(woken, 1)
		w.equal(len(w.entries(store.KindCancel)), 1)
		signs, err := w.Signs(w.ctx(), run)
		w.must(err)
		w.equal(signs.Cancelled, "eve")
		r, err := w.Begin(w.ctx(), reconcile.Run{Target: "octo"})
		w.must(err)
		w.equal(r.Cancelled, "eve")
		w.must(w.Finish(w.ctx(), run, reconcile.Report{State: "cancelled"}))
		was, err := w.CancelRun(w.ctx(), run, "eve")
		w.must(err)
		w.equal(was, false)
		_, err = w.CancelRun(w.ctx(), "404", "eve")
		w.is(err, store.ErrNotFound)
		w.verified()
	},
	"a run under way sees who waits and who has paused it": func(w *world) {
		run := w.run()
		for _, q := range []reconcile.Request{
			{Target: "octo", Trigger: "person"},
			{Target: "octo", Trigger: "schedule", Teams: []team.ID{"7"}},
			{Target: "octo", Trigger: "event", Teams: []team.ID{"7"}, DueAt: start.Add(time.Hour)},
			{Target: "other", Trigger: "event", Teams: []team.ID{"7"}},
		} {
			_, err := w.AddRequest(w.ctx(), q)
			w.must(err)
		}
		signs, err := w.Signs(w.ctx(), run)
		w.must(err)
		w.equal(signs, store.Signs{})
		_, err = w.AddRequest(w.ctx(), reconcile.Request{Target: "octo", Trigger: "event", Teams: []team.ID{"7"}})
		w.must(err)
		w.must(w.Store.Pause(w.ctx(), "octo", reconcile.Pause{By: "ada", Reason: "audit"}))
		signs, err = w.Signs(w.ctx(), run)
		w.must(err)
		w.equal(signs, store.Signs{Waiting: 1, Pause: reconcile.Pause{By: "ada", Reason: "audit", At: start}})
	},
	"the progress of a run is told as it was written last, and is a sign of life": func(w *world) {
		run := w.run()
		p, err := w.Progress(w.ctx(), run)
		w.must(err)
		w.equal(p, store.Progress{})
		want := store.Progress{
			Phase: reconcile.Writing, Planned: 9, Done: 4, Failed: 1, EndsAt: start.Add(time.Minute), WaitsFor: "a limit", WaitsUntil: start.Add(time.Hour), At: start,
		}
		for range 2 {
			w.must(w.SaveProgress(w.ctx(), run, want))
			p, err = w.Progress(w.ctx(), run)
			w.must(err)
			w.equal(p, want)
		}
		r, err := w.Begin(w.ctx(), reconcile.Run{Target: "octo"})
		w.must(err)
		w.equal(r.AliveAt, start.Add(time.Hour))
	},
	"a lease is one holder's until they fall silent": func(w *world) {
		ada, bob := store.Lease{Name: "read corp", Holder: "ada"}, store.Lease{Name: "read corp", Holder: "bob"}
		w.equal(w.take(ada), true)
		w.equal(w.take(bob), false)
		w.later(50 * time.Second)
		held, err := w.BeatLease(w.ctx(), ada)
		w.must(err)
		w.equal(held, true)
		w.later(50 * time.Second)
		w.equal(w.brokenLease(ada), false)
		w.later(20 * time.Second)
		w.equal(w.brokenLease(ada), true)
		held, err = w.BeatLease(w.ctx(), ada)
		w.must(err)
		w.equal(held, false)
		w.equal(w.take(ada), false) // of an epoch that is over
		bob.Epoch = 1
		w.equal(w.take(bob), true)
		now, err := w.Lease(w.ctx(), "read corp")
		w.must(err)
		w.equal(now, store.Lease{Name: "read corp", Epoch: 1, Holder: "bob", BeatAt: w.clock.Now()})
		w.must(w.Turn(w.ctx(), "test", func(u *store.Turn) error {
			for l, want := range map[store.Lease]bool{ada: false, bob: true} {
				held, err := u.EndLease(w.ctx(), l)
				w.must(err)
				w.equal(held, want)
			}
			return nil
		}))
	},
	"a schedule is spread over its time, kept, and mended when it makes no sense": func(w *world) {
		every := time.Hour
		next, err := w.Schedule(w.ctx(), []string{"a", "b"}, every)
		w.must(err)
		w.equal(next, map[string]time.Time{"a": start, "b": start.Add(30 * time.Minute)})
		w.later(10 * time.Minute)
		again, err := w.Schedule(w.ctx(), []string{"a", "b"}, every)
		w.must(err)
		w.equal(again, next)
		again, err = w.Schedule(w.ctx(), []string{"b", "c"}, every)
		w.must(err)
		w.equal(again, map[string]time.Time{"b": next["b"], "c": start.Add(40 * time.Minute)})
		w.later(24 * time.Hour)
		now := w.clock.Now()
		again, err = w.Schedule(w.ctx(), []string{"b", "c"}, every)
		w.must(err)
		w.equal(again, map[string]time.Time{"b": now, "c": now.Add(30 * time.Minute)})
		again, err = w.Schedule(w.ctx(), []string{"b", "c"}, time.Minute)
		w.must(err)
		w.equal(again["c"], now.Add(30*time.Second))
	},
	"of several servers one asks when it is time, and nobody while a request of the schedule waits": func(w *world) {
		next, err := w.Schedule(w.ctx(), []string{"octo"}, time.Hour)
		w.must(err)
		for _, want := range []bool{true, false} {
			asked, err := w.AskOnSchedule(w.ctx(), "octo", next["octo"], start.Add(time.Hour))
			w.must(err)
			w.equal(asked, want)
		}
		asked, err := w.AskOnSchedule(w.ctx(), "octo", start.Add(time.Hour), start.Add(2*time.Hour))
		w.must(err)
		w.equal(asked, false)
		all := w.waiting()
		w.equal(len(all), 1)
		w.equal(all[0].Trigger, reconcile.BySchedule)
		w.run()
		w.must(w.Store.Pause(w.ctx(), "octo", reconcile.Pause{By: "ada"}))
		asked, err = w.AskOnSchedule(w.ctx(), "octo", start.Add(2*time.Hour), start.Add(3*time.Hour))
		w.must(err)
		w.equal(asked, false)
		w.equal(len(w.waiting()), 0)
	},
	"failures in a row are counted from the last run that did not fail": func(w *world) {
		for i, state := range []string{"failed", "done", "failed", "failed"} {
			w.must(w.Finish(w.ctx(), w.run(), reconcile.Report{State: state}))
			w.must(w.Turn(w.ctx(), "test", func(u *store.Turn) error {
				n, err := u.Failures(w.ctx(), "octo")
				w.equal(n, []int{1, 0, 1, 2}[i])
				return err
			}))
		}
	},
	"a read is wanted until it has succeeded or failed": func(w *world) {
		want := func(at time.Time) {
			w.must(w.Turn(w.ctx(), "test", func(u *store.Turn) error { return u.Want(w.ctx(), "corp", at) }))
		}
		w.equal(len(w.wanted()), 0)
		want(start)
		want(start.Add(-time.Hour))
		w.equal(w.wanted(), []string{"corp"})
		w.keep(snapshot(start.Add(-time.Minute), "sre bob"))
		w.equal(w.wanted(), []string{"corp"})
		w.keep(snapshot(start, "sre bob"))
		w.equal(len(w.wanted()), 0)
		want(start.Add(time.Minute))
		w.must(w.Turn(w.ctx(), "test", func(u *store.Turn) error { return u.FailRead(w.ctx(), "corp", start.Add(time.Minute), "503") }))
		w.equal(len(w.wanted()), 0)
		r, err := w.SourceRead(w.ctx(), "corp")
		w.must(err)
		w.equal(r, store.SourceRead{At: start, Failure: "503", FailedAt: start.Add(time.Minute), Version: 2})
	},
	"a read that was kept before it was judged is counted once, and compared with earlier ones only": func(w *world) {
		w.keep(snapshot(w.clock.Now(), "sre bob eve", "platform ada"))
		first := w.judge("octo")
		w.equal(len(first.DayAgo), 0)
		w.judge("other")
		for reads := range 3 {
			w.later(time.Hour)
			w.keep(snapshot(w.clock.Now(), "platform ada"))
			for _, target := range []string{"octo", "other"} {
				for range 2 {
					r := w.judge(target)
					w.equal(r.DayAgo, map[directory.GroupID]int{"sre": 2, "platform": 1})
					w.equal(r.Missing["sre"].Reads, reads)
					w.equal(r.HadMembers["sre"], true)
					w.equal(len(r.Shapes), reads+1)
				}
			}
		}
	},
	"what is usual is each target's own": func(w *world) {
		for n := range 3 {
			s := snapshot(w.clock.Now(), "sre bob eve")
			shape := guard.Shape{At: s.TakenAt, Groups: 1, Users: 2, Linked: 2}
			w.must(w.SaveSnapshot(w.ctx(), "octo", s, shape, true))
			if shape.Linked = 0; n == 2 {
				shape = guard.Shape{} // it looks strange to the other
			}
			w.must(w.SaveSnapshot(w.ctx(), "other", s, shape, true))
			w.later(time.Hour)
		}
		for target, want := range map[string][]int{"octo": {2, 2, 2}, "other": {0, 0}, "new": nil} {
			r, err := w.Earlier(w.ctx(), "corp", target, time.Time{})
			w.must(err)
			var linked []int
			for _, s := range r.Shapes {
				linked = append(linked, s.Linked)
				w.equal(s.Users, 2)
			}
			w.equal(linked, want)
		}
	},
	"sizes that one target finds lossy are no measure for it, and are one for another": func(w *world) {
		whole := snapshot(start, "sre bob eve")
		w.must(w.SaveSnapshot(w.ctx(), "octo", whole, guard.Shape{Users: 2}, true))
		w.must(w.SaveSnapshot(w.ctx(), "other", whole, guard.Shape{Users: 2}, true))
		w.later(time.Hour)
		half := snapshot(w.clock.Now(), "sre bob")
		w.must(w.SaveSnapshot(w.ctx(), "octo", half, guard.Shape{Users: 1}, false))
		w.must(w.SaveSnapshot(w.ctx(), "other", half, guard.Shape{Users: 1}, true))
		w.later(48 * time.Hour)
		for target, want := range map[string]int{"octo": 2, "other": 1} {
			r, err := w.Earlier(w.ctx(), "corp", target, time.Time{})
			w.must(err)
			w.equal(r.DayAgo["sre"], want)
		}
	},
	"a snapshot is mended only when nobody else has put another in its place": func(w *world) {
		w.keep(snapshot(start, "sre bob"))
		s, version, err := w.LastSnapshot(w.ctx(), "corp")
		w.must(err)
		mended := snapshot(start, "sre bob", "platform ada")
		done, err := w.MendSnapshot(w.ctx(), mended, version)
		w.must(err)
		w.equal(done, true)
		done, err = w.MendSnapshot(w.ctx(), s, version)
		w.must(err)
		w.equal(done, false)
		now, again, err := w.LastSnapshot(w.ctx(), "corp")
		w.must(err)
		w.equal(now, mended)
		w.equal(again > version, true)
	},
	"a turn that fails leaves nothing": func(w *world) {
		no := errors.New("no")
		w.is(w.Turn(w.ctx(), "test", func(u *store.Turn) error {
			w.must(u.Ask(w.ctx(), reconcile.Request{Target: "octo"}))
			return no
		}), no)
		w.equal(len(w.waiting()), 0)
	},
}

func (w *world) waiting() []reconcile.Request {
	w.Helper()
	waiting, err := w.Requests(w.ctx(), "octo")
	w.must(err)
	return waiting
}

func (w *world) work() []string {
	w.Helper()
	targets, err := w.TargetsWithWork(w.ctx())
	w.must(err)
	return targets
}

func (w *world) wanted() []string {
	w.Helper()
	wanted, err := w.WantedSources(w.ctx())
	w.must(err)
	return wanted
}

func (w *world) take(l store.Lease) bool {
	w.Helper()
	taken, err := w.TakeLease(w.ctx(), l, w.clock.Now().Add(-time.Minute))
	w.must(err)
	return taken
}

func (w *world) brokenLease(l store.Lease) (broken bool) {
	w.Helper()
	w.must(w.Turn(w.ctx(), "test", func(u *store.Turn) (err error) {
		broken, err = u.BreakLease(w.ctx(), l, w.clock.Now().Add(-time.Minute))
		return err
	}))
	return broken
}

// keep keeps a read that no run has judged.
func (w *world) keep(s *directory.Snapshot) {
	w.Helper()
	packed, err := store.PackSnapshot(s)
	w.must(err)
	w.must(w.Turn(w.ctx(), "test", func(u *store.Turn) error { return u.KeepSnapshot(w.ctx(), packed) }))
}

// judge does what a run of a target does with the last read.
func (w *world) judge(target string) reconcile.Reads {
	w.Helper()
	s, err := w.Store.Snapshot(w.ctx(), "corp")
	w.must(err)
	r, err := w.Earlier(w.ctx(), "corp", target, s.TakenAt)
	w.must(err)
	w.must(w.SaveSnapshot(w.ctx(), target, s, guard.Shape{At: s.TakenAt, Groups: len(s.Groups), Users: len(s.Users)}, true))
	return r
}
