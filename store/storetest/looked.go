package storetest

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"musterline.example/audit"
	"musterline.example/guard"
	"musterline.example/plan"
	"musterline.example/reconcile"
	"musterline.example/store"
	"musterline.example/team"
)

// looked is what pages ask: plans that are shown, runs that are chosen, writes by the page.
var looked = map[string]func(*world){
	"a plan that was made to be looked at is kept for a day, beside those of runs": func(w *world) {
		_, err := w.ShownPlan(w.ctx(), "octo", "")
		w.is(err, store.ErrNotFound)
		p := &plan.Plan{Target: "octo", Digest: "d1", Teams: []plan.TeamChange{{Team: "7", Slug: "platform"}}}
		said := []guard.Objection{{Guard: "team_removals", Team: "7", Message: "many"}}
		w.must(w.SaveShownPlan(w.ctx(), store.ShownPlan{By: "ada", Plan: p, Objections: said, Beside: json.RawMessage(`{"mapped":1}`)}))
		shown, err := w.ShownPlan(w.ctx(), "octo", "")
		w.must(err)
		w.equal(shown, store.ShownPlan{At: start, By: "ada", Plan: p, Objections: said, Beside: json.RawMessage(`{"mapped":1}`)})
		_, err = w.LastPlan(w.ctx(), "octo")
		w.is(err, store.ErrNotFound)
		_, err = w.ShownPlan(w.ctx(), "octo", "3")
		w.is(err, store.ErrNotFound)

		w.later(25 * time.Hour)
		w.must(w.SaveShownPlan(w.ctx(), store.ShownPlan{Undoes: "3", Plan: &plan.Plan{Target: "octo", Digest: "d2"}, Beside: json.RawMessage(`{}`)}))
		_, err = w.ShownPlan(w.ctx(), "octo", "")
		w.is(err, store.ErrNotFound)
		shown, err = w.ShownPlan(w.ctx(), "octo", "3")
		w.must(err)
		w.equal(shown.Plan.Digest, "d2")
	},
	"the plans of a target end with the organization that they are of": func(w *world) {
		w.must(w.SavePlace(w.ctx(), "octo", octo))
		p := &plan.Plan{Target: "octo", Digest: "d1"}
		w.must(w.SavePlan(w.ctx(), "3", p, nil))
		w.must(w.SaveShownPlan(w.ctx(), store.ShownPlan{Plan: p, Beside: json.RawMessage(`{}`)}))
		w.must(w.SavePlace(w.ctx(), "octo", octo))
		_, err := w.LastPlan(w.ctx(), "octo")
		w.must(err)
		other := octo
		other.OrganizationID, other.Organization = "2", "hex-org"
		w.must(w.SavePlace(w.ctx(), "octo", other))
		_, err = w.LastPlan(w.ctx(), "octo")
		w.is(err, store.ErrNotFound)
		_, err = w.ShownPlan(w.ctx(), "octo", "")
		w.is(err, store.ErrNotFound)
	},
	"the mark of a plan says which it is": func(w *world) {
		_, err := w.PlanMark(w.ctx(), "octo")
		w.is(err, store.ErrNotFound)
		w.must(w.SavePlan(w.ctx(), "3", &plan.Plan{Target: "octo", Digest: "d1"}, nil))
		m, err := w.PlanMark(w.ctx(), "octo")
		w.must(err)
		w.equal(m, store.PlanMark{Run: "3", At: start, Digest: "d1"})
	},
	"runs are chosen by target, state and trigger, the newest first": func(w *world) {
		for _, r := range []struct{ target, trigger, state string }{
			{"octo", "person", "done"}, {"hex", "schedule", "failed"}, {"octo", "schedule", "objected"}, {"octo", "schedule", ""},
		} {
			run, err := w.Begin(w.ctx(), reconcile.Run{Target: r.target, Trigger: r.trigger})
			w.must(err)
			if r.state != "" {
				w.must(w.Finish(w.ctx(), run.ID, reconcile.Report{State: r.state}))
			}
		}
		for want, f := range map[string]store.RunFilter{
			"4 3 2 1":  {},
			"4 3 1":    {Targets: []string{"octo"}},
			"4 3 2 1 ": {Targets: []string{"octo", "hex"}},
			"":         {Targets: []string{}},
			"4":        {State: store.Running},
			"2":        {State: "failed"},
			"4 3 2":    {Trigger: "schedule"},
			"3":        {Targets: []string{"octo"}, Trigger: "schedule", Before: "4"},
			"4 3":      {Limit: 2},
		} {
			runs, err := w.RunsOf(w.ctx(), f)
			w.must(err)
			var ids []string
			for _, r := range runs {
				ids = append(ids, r.ID)
			}
			got, want := strings.Join(ids, " "), strings.TrimSpace(want)
			if got != want {
				w.Errorf("%+v are the runs %q, want %q", f, got, want)
			}
		}
		_, err := w.RunsOf(w.ctx(), store.RunFilter{Before: "99"})
		w.is(err, store.ErrNotFound)
	},
	"the writes of a run come by the page, and are counted by how they ended": func(w *world) {
		run := w.run()
		first := w.intend(run, add("1"), add("2"))
		w.intend(run, add("3"))
		w.outcome(first, "add", "1", audit.Done)
		w.outcome(first, "add", "2", audit.Failed)
		var seen []string
		for after := 0; ; after += 2 {
			page, err := w.WritesFrom(w.ctx(), run, after, 2)
			w.must(err)
			for _, one := range page {
				seen = append(seen, fmt.Sprintf("%s %s %s", one.Write.Login, one.Slug, one.Outcome.Result))
			}
			if len(page) < 2 {
				break
			}
		}
		w.equal(seen, []string{"login-1 platform done", "login-2 platform failed", "login-3 platform "})
		count, err := w.CountWrites(w.ctx(), run)
		w.must(err)
		w.equal(count, map[audit.Result]int{audit.Done: 1, audit.Failed: 1, "": 1})
		results, err := w.Results(w.ctx(), run)
		w.must(err)
		w.equal(results[store.WriteKey{Team: "7", Account: "2", Act: plan.Add}], audit.Failed)
		w.equal(results[store.WriteKey{Slug: "platform", Account: "1", Act: plan.Add}], audit.Done)
		if _, ok := results[store.WriteKey{Team: team.ID("7"), Account: "9", Act: plan.Add}]; ok {
			w.Error("there is a result of a write that nobody made")
		}
	},
	"a run knows who asked for it and which run has undone it": func(w *world) {
		_, err := w.AddRequest(w.ctx(), reconcile.Request{Target: "octo", Trigger: "person", Asker: "ada", Why: "a new colleague", AskedAt: start})
		w.must(err)
		run, err := w.Begin(w.ctx(), reconcile.Run{Target: "octo"})
		w.must(err)
		wishes, err := w.Wishes(w.ctx(), run.ID)
		w.must(err)
		w.equal(len(wishes), 1)
		w.equal([]string{wishes[0].Asker, wishes[0].Why, wishes[0].Trigger}, []string{"ada", "a new colleague", "person"})
		w.must(w.Finish(w.ctx(), run.ID, reconcile.Report{State: "done"}))
		by, err := w.UndoneBy(w.ctx(), "octo", run.ID)
		w.must(err)
		w.equal(by, "")
		back, err := w.Begin(w.ctx(), reconcile.Run{Target: "octo", Trigger: "undo", Undoes: run.ID})
		w.must(err)
		by, err = w.UndoneBy(w.ctx(), "octo", run.ID)
		w.must(err)
		w.equal(by, "") // it has not ended
		w.must(w.Finish(w.ctx(), back.ID, reconcile.Report{State: "done"}))
		by, err = w.UndoneBy(w.ctx(), "octo", run.ID)
		w.must(err)
		w.equal(by, back.ID)
	},
}
