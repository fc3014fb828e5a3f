package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"musterline.example/directory"
	"musterline.example/guard"
	"musterline.example/link"
	"musterline.example/mapping"
	"musterline.example/plan"
	"musterline.example/reconcile"
	"musterline.example/store"
	"musterline.example/team"
)

// changes are what people change while others do, and what follows from it in the same transaction.
var changes = map[string]func(*world){
	"a mapping that was made from what somebody has read is compared where it is written": func(w *world) {
		before := w.mapByAPI("7", "g1")
		w.load(inFile(1, "docs", "writers"))
		no := errors.New("no")
		entries := len(w.entries(""))
		wanted := []mapping.Mapping{{Team: "team-7", Source: "corp", Group: "g2", GroupID: "g2"}}
		asks := reconcile.Request{Target: "octo", Teams: []team.ID{"7"}}
		var shown []mapping.Mapping
		_, _, err := w.MapTeamIf(w.ctx(), "octo", "7", func(now []mapping.Mapping) error {
			shown = now
			return no
		}, wanted, mapping.Disconnect{By: "ada"}, nil, asks)
		w.is(err, no)
		w.equal(shown, append(before, inFile(1, "docs", "writers")))
		w.equal(w.mapped(), shown)
		w.equal([]int{len(w.entries("")), len(w.waiting()), len(w.disconnects())}, []int{entries, 0, 0})
		now, _, err := w.MapTeamIf(w.ctx(), "octo", "7", func([]mapping.Mapping) error { return nil }, wanted, mapping.Disconnect{By: "ada"}, nil, asks)
		w.must(err)
		w.equal([]any{len(now), now[0].Group, len(w.waiting())}, []any{1, "g2", 1})
	},
	"a team of a target that is turned off cannot be mapped, whatever was seen before": func(w *world) {
		w.mapByAPI("7", "g1")
		_, err := w.SetEnabled(w.ctx(), "octo", store.Enabled{Keep: true}, 0, "joe")
		w.must(err)
		for _, wanted := range [][]mapping.Mapping{nil, {{Team: "team-7", Source: "corp", Group: "g1", GroupID: "g1"}}} {
			_, err = w.MapTeam(w.ctx(), "octo", "7", wanted, mapping.Disconnect{By: "ada"}, reconcile.Request{Target: "octo"})
			w.is(err, store.ErrOff)
		}
		w.equal([]int{len(w.mapped()), len(w.waiting())}, []int{0, 0})
		_, err = w.MapTeam(w.ctx(), "other", "7", nil, mapping.Disconnect{By: "ada"})
		w.must(err)
		_, err = w.SetEnabled(w.ctx(), "octo", store.Enabled{On: true}, store.AnyVersion, "joe")
		w.must(err)
		w.mapByAPI("7", "g1")
	},
	"a target is turned off with the sync that is asked for, or not at all": func(w *world) {
		w.mapByAPI("7", "g1")
		asks := reconcile.Request{Target: "octo", Trigger: "person", Asker: "joe"}
		no := w.deaf()
		_, err := w.SetEnabled(w.ctx(), "octo", store.Enabled{}, 0, "joe", asks)
		w.is(err, no)
		e, _, err := w.Enabled(w.ctx(), "octo")
		w.must(err)
		w.equal([]any{e.On, len(w.mapped()), len(w.waiting())}, []any{true, 1, 0})
		w.OnAsked(nil)
		_, err = w.SetEnabled(w.ctx(), "octo", store.Enabled{}, 0, "joe", asks)
		w.must(err)
		w.equal([]int{len(w.mapped()), len(w.waiting())}, []int{0, 1})
	},
	"a waiver, a link by hand, what takes it back and the end of a pause come with the sync that is asked for, or not at all": func(w *world) {
		user := link.UserRef{Source: "corp", ID: "ada"}
		waiver := guard.Waiver{Target: "octo", Changes: []guard.Waived{{Ref: guard.Ref{Team: "7", Account: "1", Act: plan.Add}}}, By: "ada"}
		asks := func(why string) reconcile.Request {
			return reconcile.Request{Target: "octo", Trigger: "person", Why: why}
		}
		acts := []func() error{
			func() error { _, err := w.AddWaiver(w.ctx(), waiver, asks("waiver")); return err },
			func() error {
				return w.AddStatement(w.ctx(), "github.com", link.Statement{User: user, Account: "1", Tier: link.Manual, By: "ada"}, asks("link"))
			},
			func() error {
				return w.RemoveStatement(w.ctx(), "github.com", user, link.Manual, "ada", asks("unlink"))
			},
			func() error { _, err := w.Resume(w.ctx(), "octo", "ada", asks("resume")); return err },
		}
		w.must(w.Pause(w.ctx(), "octo", reconcile.Pause{By: "eve", Reason: "x"}))
		for i, act := range acts {
			entries := len(w.entries(""))
			no := w.deaf()
			w.is(act(), no)
			w.equal([]int{len(w.entries("")), len(w.waiting())}, []int{entries, i})
			w.OnAsked(nil)
			w.must(act())
			w.equal([]int{len(w.entries("")), len(w.waiting())}, []int{entries + 1, i + 1})
		}
		was, err := w.Resume(w.ctx(), "octo", "ada", asks("resume"))
		w.must(err)
		w.equal([]any{was, len(w.waiting())}, []any{false, 4}) // nothing was paused, and nothing follows
	},

	"what is bound to a target ends with the change that makes another organization of it": func(w *world) {
		x := w.Sessions(who)
		put := func(body string, moved bool) {
			w.Helper()
			_, err := w.PutConfigured(w.ctx(), store.Change{
				Section: "targets", Name: "octo", Target: "octo", Body: json.RawMessage(body), Version: store.AnyVersion, Moved: moved, By: "joe",
			})
			w.must(err)
		}
		put(`{"organization":"one"}`, false)
		w.must(w.SavePlace(w.ctx(), "octo", octo))
		stand := w.guests()
		for subject, target := range map[string]string{"local:ada": "octo", "local:bob": "other", "local:cy": ""} {
			text, err := w.CreateSignInLink(w.ctx(), store.SignInLink{Subject: subject, Role: "owner", Target: target, ExpiresAt: start.Add(time.Hour)}, "ada")
			w.must(err)
			_, err = w.UseSignInLink(w.ctx(), text)
			w.must(err)
			w.must(x.Commit(subject, []byte(subject), start.Add(1000*time.Hour)))
		}
		unused, err := w.CreateSignInLink(w.ctx(), store.SignInLink{Subject: "local:dee", Role: "owner", Target: "octo", ExpiresAt: start.Add(1000 * time.Hour)}, "ada")
		w.must(err)
		in := func() string {
			var still []string
			for _, subject := range []string{"local:ada", "local:bob", "local:cy"} {
				if _, found, err := x.Find(subject); err != nil {
					w.Error(err)
				} else if found {
					still = append(still, subject)
				}
			}
			return strings.Join(still, " ")
		}
		put(`{"organization":"one","apply":"off"}`, false)
		put(`{"organization":"one","apply":"off"}`, true) // says nothing new
		w.equal([]any{len(stand()), in()}, []any{6, "local:ada local:bob local:cy"})
		w.later(72 * time.Hour)
		w.must(x.Sweep(w.ctx())) // a link that has led to a session is known as long as that
		w.db.Exec(w, "ALTER TABLE audit_entries RENAME TO away")
		if _, err := w.PutConfigured(w.ctx(), store.Change{
			Section: "targets", Name: "octo", Body: json.RawMessage(`{}`), Version: store.AnyVersion, Moved: true, By: "joe",
		}); err == nil {
			w.Error("it moved without a record")
		}
		w.db.Exec(w, "ALTER TABLE away RENAME TO audit_entries")
		w.equal([]any{len(stand()), in()}, []any{6, "local:ada local:bob local:cy"})
		put(`{"organization":"two"}`, true)
		w.equal(stand(), []string{"token other", "token ", "role other", "role "})
		w.equal(in(), "local:bob local:cy")
		_, err = w.UseSignInLink(w.ctx(), unused)
		w.is(err, store.ErrNotFound)
		_, err = w.Place(w.ctx(), "octo")
		w.is(err, store.ErrNotFound)
		e := w.entries(store.KindSession)[0]
		w.equal([]string{e.Act, e.Actor.Requester, string(e.Body)}, []string{"revoke", "joe", `{"subject":"local:ada","sessions":1}`})
		w.verified()
	},
	"a row that the file shadows goes without what is bound to the target of that name": func(w *world) {
		row := store.Change{Section: "targets", Name: "octo", Body: json.RawMessage(`{}`), Version: store.AnyVersion, By: "joe"}
		_, err := w.PutConfigured(w.ctx(), row)
		w.must(err)
		w.must(w.SavePlace(w.ctx(), "octo", octo))
		stand := w.guests()
		row.Shadowed = true
		w.must(w.DeleteConfigured(w.ctx(), row))
		place, err := w.Place(w.ctx(), "octo")
		w.must(err)
		w.equal([]any{len(stand()), place}, []any{6, octo})
	},

	"what is old is forgotten, and nobody who waits": func(w *world) {
		ask := func() string {
			id, err := w.AddRequest(w.ctx(), reconcile.Request{Target: "octo", Trigger: "event"})
			w.must(err)
			return id
		}
		answered := func() (request, run string) {
			request, run = ask(), w.run()
			w.must(w.SaveProgress(w.ctx(), run, store.Progress{Planned: 7}))
			w.must(w.Finish(w.ctx(), run, reconcile.Report{State: "done"}))
			return request, run
		}
		old, oldRun := answered()
		w.later(2 * time.Hour)
		young, youngRun := answered()
		taken := ask() // by a run that is open yet
		open := w.run()
		w.must(w.SaveProgress(w.ctx(), open, store.Progress{Planned: 7}))
		waiting := ask()
		w.later(time.Hour)
		x := w.Sessions(who)
		w.must(x.Commit("t1", []byte("ada"), w.clock.Now().Add(time.Minute)))
		w.later(time.Hour)
		done, err := w.Tidy(w.ctx(), start.Add(time.Hour))
		w.must(err)
		w.equal(done, store.Tidied{Requests: 1, Progress: 1})
		for id, want := range map[string]error{old: store.ErrNotFound, young: nil, taken: nil, waiting: nil} {
			_, err := w.Request(w.ctx(), id)
			w.is(err, want)
		}
		for run, want := range map[string]int{oldRun: 0, youngRun: 7, open: 7} {
			p, err := w.Progress(w.ctx(), run)
			w.must(err)
			w.equal(p.Planned, want)
		}
		r, err := w.Store.Run(w.ctx(), oldRun) // what was done stays
		w.must(err)
		w.equal(r.Report.State, "done")
		done, err = w.Tidy(w.ctx(), w.clock.Now().Add(time.Hour))
		w.must(err)
		w.equal(done, store.Tidied{Requests: 1, Progress: 1})
		w.equal(len(w.waiting()), 1)
	},
	"so much that it takes several transactions is forgotten all the same": func(w *world) {
		run := w.run()
		w.must(w.Finish(w.ctx(), run, reconcile.Report{State: "done"}))
		for i := range 1203 {
			w.db.Exec(w, `INSERT INTO requests (id, target, teams, account, cause, asker, why, asked_at, run) VALUES ($1, 'octo', '[]', '', 'event', '', '', 1, $2)`,
				"old "+time.Duration(i).String(), run)
		}
		w.later(time.Hour)
		done, err := w.Tidy(w.ctx(), w.clock.Now())
		w.must(err)
		w.equal(done.Requests, int64(1203))
	},
	"of what runs made of old reads, all that guards look at stays": func(w *world) {
		read := func(usual bool) {
			w.later(time.Hour)
			s := &directory.Snapshot{Source: "corp", TakenAt: w.clock.Now(), Groups: map[directory.GroupID]directory.Group{"g": {ID: "g", Name: "g"}}}
			w.must(w.SaveSnapshot(w.ctx(), "octo", s, guard.Shape{At: s.TakenAt, Groups: 1, Users: w.clock.Now().Hour() + 1}, usual))
		}
		for range 20 {
			read(true)
		}
		for range 5 { // strange ones, of which nothing follows
			read(false)
		}
		w.later(1000 * time.Hour) // the source has not been read since
		before, err := w.Earlier(w.ctx(), "corp", "octo", time.Time{})
		w.must(err)
		done, err := w.Tidy(w.ctx(), w.clock.Now().Add(-time.Hour))
		w.must(err)
		w.equal(done, store.Tidied{Views: 6})
		after, err := w.Earlier(w.ctx(), "corp", "octo", time.Time{})
		w.must(err)
		w.equal(after, before)
		if len(after.Shapes) != 7 || after.DayAgo == nil {
			w.Errorf("nothing was there to be kept: %+v", after)
		}
		done, err = w.Tidy(w.ctx(), w.clock.Now().Add(-time.Hour))
		w.must(err)
		w.equal(done, store.Tidied{})
	},
}

// deaf lets nobody be told of requests, and returns the error of it.
func (w *world) deaf() error {
	no := errors.New("nobody hears")
	w.OnAsked(func(context.Context, store.Tx, []reconcile.Request) error { return no })
	return no
}
