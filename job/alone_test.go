package job

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"musterline.example/reconcile"
)

// TestAnActThatWantsToBeAloneMeetsNoSync: what is asked during the act waits until it is done, and nobody can be alone while a sync goes on.
func TestAnActThatWantsToBeAloneMeetsNoSync(t *testing.T) {
	both(t, func(l *lab) {
		ctx := context.Background()
		teams := l.long(20, 20*time.Millisecond)
		l.start()
		jobs := l.jobs
		_, done, err := jobs.Alone(ctx, "octo")
		if err != nil {
			l.Fatal(err)
		}
		if _, _, err := jobs.Alone(ctx, "octo"); !errors.Is(err, ErrBusy) {
			l.Errorf("two are alone: %v", err)
		}
		l.ask(reconcile.ByPerson)
		time.Sleep(hasty.silent + 500*time.Millisecond) // longer than a right lasts without a sign of life
		if runs := l.runs(); len(runs) != 0 {
			l.Errorf("a run was begun beside the act: %+v", runs)
		}
		done()
		l.until("the sync is under way", func() bool { return len(teams[2].Members()) > 0 })
		if _, _, err := jobs.Alone(ctx, "octo"); !errors.Is(err, ErrBusy) {
			l.Errorf("alone while a sync goes on: %v", err)
		}
		l.quiet()
		l.until("one can be alone again", func() bool {
			_, done, err := jobs.Alone(ctx, "octo")
			if err == nil {
				done()
			}
			return err == nil
		})
	})
}

// TestTheRightToBeAloneEndsWithItsProcess: nobody gives it back, and nobody says that they are still there.
func TestTheRightToBeAloneEndsWithItsProcess(t *testing.T) {
	both(t, func(l *lab) {
		ctx := context.Background()
		platform := l.team("platform")
		l.join("ada")
		l.corp.group("eng", "ada")
		l.mapped("platform", "corp", "eng")
		lease, err := l.store.Lease(ctx, actOf("octo"))
		if err != nil {
			l.Fatal(err)
		}
		lease.Holder = "a server that was killed"
		if taken, err := l.store.TakeLease(ctx, lease, time.Time{}); err != nil || !taken {
			l.Fatal(taken, err)
		}
		l.ask(reconcile.ByPerson)
		l.start()
		l.quiet()
		l.holds(platform, "ada")
	})
}

// TestAnActWhoseRightIsLostIsToldSo: another has the target, or the database does not answer.
func TestAnActWhoseRightIsLostIsToldSo(t *testing.T) {
	t.Parallel()
	losses := map[string]func(l *lab){
		"taken over": func(l *lab) {
			l.clock.pass(2 * hasty.silent) // in which nobody was heard of
			lease, err := l.store.Lease(context.Background(), actOf("octo"))
			if err != nil {
				l.Fatal(err)
			}
			lease.Holder = "another server"
			if taken, err := l.store.TakeLease(context.Background(), lease, l.clock.Now()); err != nil || !taken {
				l.Fatal(taken, err)
			}
		},
		"no database": func(l *lab) { _ = l.store.Shut() },
	}
	for name, lose := range losses {
		t.Run(name, func(t *testing.T) {
			both(t, func(l *lab) {
				l.idle()
				alone, done, err := l.jobs.Alone(context.Background(), "octo")
				if err != nil {
					l.Fatal(err)
				}
				if alone.Err() != nil {
					l.Error("it is lost at once")
				}
				lose(l)
				<-alone.Done()
				if !errors.Is(context.Cause(alone), ErrLost) {
					l.Errorf("it ended because of %v", context.Cause(alone))
				}
				done()
			})
		})
	}
}

func TestARightThatIsGivenBackWasNotLost(t *testing.T) {
	l := newLab(t, "sqlite:"+filepath.Join(t.TempDir(), "m.db"))
	l.idle()
	alone, done, err := l.jobs.Alone(context.Background(), "octo")
	if err != nil {
		t.Fatal(err)
	}
	done()
	if alone.Err() == nil || errors.Is(context.Cause(alone), ErrLost) {
		t.Errorf("it ended because of %v", context.Cause(alone))
	}
}
