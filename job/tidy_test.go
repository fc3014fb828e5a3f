package job

import (
	"context"
	"errors"
	"testing"
	"time"

	"musterline.example/reconcile"
	"musterline.example/store"
)

func TestWhatARunAnsweredLongAgoIsForgottenWhileTheServerRuns(t *testing.T) {
	both(t, func(l *lab) {
		ctx := context.Background()
		l.team("platform")
		l.join("ada")
		l.corp.group("eng", "ada")
		l.mapped("platform", "corp", "eng")
		l.times.tidy = 50 * time.Millisecond
		l.idle()
		l.ask(reconcile.ByPerson)
		waiting, err := l.store.Requests(ctx, "octo")
		if err != nil || len(waiting) != 1 {
			l.Fatal(waiting, err)
		}
		l.start()
		runs := l.quiet()
		if _, err := l.store.Request(ctx, waiting[0].ID); err != nil {
			l.Fatalf("it was forgotten at once: %v", err)
		}
		later, err := l.store.AddRequest(ctx, reconcile.Request{Target: "octo", Trigger: reconcile.ByEvent, DueAt: l.clock.Now().Add(100 * 24 * time.Hour)})
		if err != nil {
			l.Fatal(err)
		}
		l.clock.pass(kept + time.Hour)
		l.until("it is forgotten", func() bool {
			_, err := l.store.Request(ctx, waiting[0].ID)
			return errors.Is(err, store.ErrNotFound)
		})
		if _, err := l.store.Request(ctx, later); err != nil {
			l.Errorf("who waits was forgotten: %v", err)
		}
		if _, err := l.store.Run(ctx, runs[0].ID); err != nil {
			l.Errorf("the run was forgotten: %v", err)
		}
	})
}
