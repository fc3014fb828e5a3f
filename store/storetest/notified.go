package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"musterline.example/reconcile"
	"musterline.example/store"
)

// message is a delivery as it is made.
func message(id string) store.Delivery {
	return store.Delivery{ID: id, Type: "objection", Body: json.RawMessage(`{"type":"objection"}`)}
}

// notify makes deliveries to ops, and remembers that it was told after.
func (w *world) notify(before, after string, ids ...string) bool {
	w.Helper()
	t := store.Telling{Notification: "ops", Subject: "target:octo", Before: before, After: after}
	for _, id := range ids {
		t.Deliveries = append(t.Deliveries, message(id))
	}
	var told bool
	w.must(w.Turn(w.ctx(), "tell", func(u *store.Turn) (err error) {
		told, err = u.Tell(w.ctx(), t)
		return err
	}))
	return told
}

// tried writes what came of an attempt.
func (w *world) tried(d store.Delivery) {
	w.Helper()
	w.must(w.Turn(w.ctx(), "try", func(u *store.Turn) error { return u.Tried(w.ctx(), d) }))
}

// deliveries lists deliveries by id, with their states.
func (w *world) deliveries(notification, before string, limit int) string {
	w.Helper()
	all, err := w.Deliveries(w.ctx(), notification, before, limit)
	w.must(err)
	var said []string
	for _, d := range all {
		said = append(said, d.ID+" "+d.State)
	}
	return strings.Join(said, ", ")
}

// notified is who was told what.
var notified = map[string]func(*world){
	"what is told is remembered with its messages, or neither is there": func(w *world) {
		if !w.notify("", "1", "a", "b") {
			w.Error("the first was not told")
		}
		told, err := w.Told(w.ctx())
		w.must(err)
		w.equal(told, map[[2]string]string{{"ops", "target:octo"}: "1"})
		d, err := w.Delivery(w.ctx(), "a")
		w.must(err)
		want := message("a")
		want.Notification, want.MadeAt, want.State, want.NextAt = "ops", start, store.DeliveryWaits, start
		w.equal(d, want)
		_, err = w.Delivery(w.ctx(), "c")
		w.is(err, store.ErrNotFound)

		no := errors.New("no")
		w.is(w.Turn(w.ctx(), "tell", func(u *store.Turn) error {
			if told, err := u.Tell(w.ctx(), store.Telling{Notification: "ops", Subject: "target:octo", Before: "1", After: "2", Deliveries: []store.Delivery{message("c")}}); !told || err != nil {
				w.Errorf("told %t: %v", told, err)
			}
			return no
		}), no)
		_, err = w.Delivery(w.ctx(), "c")
		w.is(err, store.ErrNotFound)
		told, err = w.Told(w.ctx())
		w.must(err)
		w.equal(told[[2]string{"ops", "target:octo"}], "1")
	},
	"of two servers that look at the same one tells": func(w *world) {
		if !w.notify("", "1", "a") || w.notify("", "1", "b") || !w.notify("1", "2", "c") || w.notify("1", "2", "d") {
			w.Error("it was told twice, or not at all")
		}
		w.equal(w.deliveries("ops", "", 10), "c waiting, a waiting")
	},
	"deliveries are listed by the page, those of one notification or all": func(w *world) {
		w.notify("", "1", "a", "b", "c")
		w.must(w.Turn(w.ctx(), "tell", func(u *store.Turn) error {
			_, err := u.Tell(w.ctx(), store.Telling{Notification: "chat", Subject: "target:octo", After: "1", Deliveries: []store.Delivery{message("d")}})
			return err
		}))
		w.equal(w.deliveries("", "", 10), "d waiting, c waiting, b waiting, a waiting")
		w.equal(w.deliveries("ops", "", 2), "c waiting, b waiting")
		w.equal(w.deliveries("ops", "b", 2), "a waiting")
		w.equal(w.deliveries("", "a", 2), "")
		_, err := w.Deliveries(w.ctx(), "", "z", 2)
		w.is(err, store.ErrNotFound)
		last, err := w.LastDeliveries(w.ctx())
		w.must(err)
		w.equal([]any{len(last), last["ops"].ID, last["chat"].ID}, []any{2, "c", "d"})
	},
	"a delivery is due until it has arrived or failed": func(w *world) {
		w.notify("", "1", "a", "b")
		due := func() string {
			ids, err := w.DueDeliveries(w.ctx())
			w.must(err)
			return strings.Join(ids, " ")
		}
		w.tried(store.Delivery{ID: "a", State: store.DeliveryWaits, Attempts: 1, Status: 503, Trouble: "it answered 503", NextAt: start.Add(time.Minute)})
		w.equal(due(), "b")
		w.later(time.Minute)
		w.equal(due(), "b a")
		w.tried(store.Delivery{ID: "b", State: store.DeliveryDone, Attempts: 1, Status: 204})
		w.tried(store.Delivery{ID: "a", State: store.DeliveryFailed, Attempts: 2, Status: 500, Trouble: "it answered 500"})
		w.equal(due(), "")
		d, err := w.Delivery(w.ctx(), "a")
		w.must(err)
		w.equal([]any{d.State, d.Attempts, d.Status, d.Trouble, d.TriedAt}, []any{"failed", 2, 500, "it answered 500", start.Add(time.Minute)})
		w.tried(store.Delivery{ID: "a", State: store.DeliveryDone, Attempts: 3}) // by who was held up
		w.equal(w.deliveries("ops", "", 10), "b delivered, a failed")
	},
	"what has failed is tried again when somebody wants that, and what has arrived is not": func(w *world) {
		w.notify("", "1", "a", "b")
		w.tried(store.Delivery{ID: "a", State: store.DeliveryFailed, Attempts: 10, Status: 500, Trouble: "it answered 500"})
		w.tried(store.Delivery{ID: "b", State: store.DeliveryDone, Attempts: 1, Status: 200})
		w.later(time.Hour)
		w.must(w.RetryDelivery(w.ctx(), "a"))
		d, err := w.Delivery(w.ctx(), "a")
		w.must(err)
		w.equal([]any{d.State, d.Attempts, d.NextAt}, []any{"waiting", 0, start.Add(time.Hour)})
		w.is(w.RetryDelivery(w.ctx(), "b"), store.ErrDelivered)
		w.is(w.RetryDelivery(w.ctx(), "c"), store.ErrNotFound)
	},
	"a notification that is turned off is told nothing, and forgets what it was told": func(w *world) {
		w.notify("", "1", "a", "b")
		w.tried(store.Delivery{ID: "a", State: store.DeliveryDone, Attempts: 1, Status: 200})
		for range 2 {
			w.must(w.Turn(w.ctx(), "turn off", func(u *store.Turn) error { return u.Silence(w.ctx(), "ops", "410 Gone") }))
		}
		w.equal(w.deliveries("ops", "", 10), "b failed, a delivered")
		told, err := w.Told(w.ctx())
		w.must(err)
		w.equal(told, map[[2]string]string{})
		off, err := w.Silences(w.ctx())
		w.must(err)
		w.equal(off, map[string]store.Silence{"ops": {At: start, Why: "410 Gone"}})
		for range 2 {
			w.must(w.Unsilence(w.ctx(), "ops", "ada"))
		}
		off, err = w.Silences(w.ctx())
		w.must(err)
		w.equal(off, map[string]store.Silence{})
		var said []string
		for _, e := range w.entries(store.KindConfigured) {
			said = append(said, fmt.Sprintf("%s %s %s", e.Act, e.Actor.Requester, e.Body))
		}
		w.equal(said, []string{
			`turn-on ada {"section":"notifications","name":"ops"}`, `turn-off musterline {"section":"notifications","name":"ops","why":"410 Gone"}`,
		})
		w.verified()
	},
	"what was told to who is configured no more is forgotten, and what is on its way given up": func(w *world) {
		w.notify("", "1", "a")
		w.must(w.ForgetTold(w.ctx(), []string{"ops"}))
		w.equal(w.deliveries("", "", 10), "a waiting")
		w.must(w.Turn(w.ctx(), "turn off", func(u *store.Turn) error { return u.Silence(w.ctx(), "chat", "410 Gone") }))
		w.must(w.ForgetTold(w.ctx(), nil))
		w.equal(w.deliveries("", "", 10), "a failed")
		told, err := w.Told(w.ctx())
		w.must(err)
		off, err := w.Silences(w.ctx())
		w.must(err)
		w.equal([]any{len(told), len(off)}, []any{0, 0})
	},
	"old deliveries are forgotten, but for those that wait": func(w *world) {
		w.notify("", "1", "a", "b")
		w.tried(store.Delivery{ID: "a", State: store.DeliveryDone, Attempts: 1, Status: 200})
		w.later(time.Hour)
		w.notify("1", "2", "c")
		w.tried(store.Delivery{ID: "c", State: store.DeliveryFailed})
		done, err := w.Tidy(w.ctx(), start.Add(time.Minute))
		w.must(err)
		w.equal(done.Deliveries, int64(1))
		w.equal(w.deliveries("", "", 10), "c failed, b waiting")
	},
	"runs that have ended are told in their order, with what was wrong": func(w *world) {
		for i, r := range []reconcile.Report{
			{State: "done"}, {State: "failed", Error: "GitHub is away"}, {State: "failed", Failed: 2, Unknown: 1},
		} {
			run, err := w.Begin(w.ctx(), reconcile.Run{Target: "octo", Trigger: "person"})
			w.must(err)
			r.At = start.Add(time.Duration(i) * time.Minute)
			w.must(w.Finish(w.ctx(), run.ID, r))
		}
		_, err := w.Begin(w.ctx(), reconcile.Run{Target: "octo", Trigger: "person"})
		w.must(err)
		got, err := w.Ended(w.ctx(), "octo", 1, 10)
		w.must(err)
		w.equal(got, []store.Ended{
			{ID: "2", Number: 2, State: "failed", Error: "GitHub is away", At: start.Add(time.Minute)},
			{ID: "3", Number: 3, State: "failed", Error: "2 writes failed, and of 1 it is not known", At: start.Add(2 * time.Minute)},
		})
		last, err := w.Ended(w.ctx(), "octo", 0, 1)
		w.must(err)
		w.equal([]any{len(last), last[0].ID}, []any{1, "3"})
	},
}
