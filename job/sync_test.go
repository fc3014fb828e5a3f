package job

import (
	"context"
	"errors"
	"testing"

	"musterline.example/reconcile"
	"musterline.example/store"
)

func TestTenRequestsMakeOneRun(t *testing.T) {
	both(t, func(l *lab) {
		platform := l.team("platform", "bob")
		l.join("ada")
		l.corp.group("eng", "ada")
		l.mapped("platform", "corp", "eng")
		l.idle()
		for range 10 {
			l.ask(reconcile.ByPerson)
		}
		l.start()
		runs := l.quiet()
		if len(runs) != 1 || runs[0].Report.State != "done" || runs[0].Trigger != reconcile.ByPerson || runs[0].Requester != "ada" {
			l.Errorf("%+v", runs)
		}
		l.holds(platform, "ada")
	})
}

func TestWhatIsAskedAfterARunIsDoneAsWell(t *testing.T) {
	both(t, func(l *lab) {
		platform := l.team("platform")
		l.join("ada", "bob")
		l.corp.group("eng", "ada")
		l.mapped("platform", "corp", "eng")
		l.start()
		l.ask(reconcile.ByPerson)
		l.quiet()
		l.holds(platform, "ada")
		l.corp.group("eng", "ada", "bob")
		l.ask(reconcile.ByPerson)
		if runs := l.quiet(); len(runs) != 2 {
			l.Errorf("%d runs", len(runs))
		}
		l.holds(platform, "ada bob")
	})
}

func TestARequestIsNotThereWithoutItsJob(t *testing.T) {
	both(t, func(l *lab) {
		l.idle()
		l.store.OnAsked(func(context.Context, store.Tx, []reconcile.Request) error { return errors.New("no") })
		if _, err := l.store.AddRequest(context.Background(), reconcile.Request{Target: "octo"}); err == nil {
			l.Error("the request was taken")
		}
		if waiting, err := l.store.Requests(context.Background(), "octo"); err != nil || len(waiting) != 0 {
			l.Errorf("%v, %v", waiting, err)
		}
	})
}
