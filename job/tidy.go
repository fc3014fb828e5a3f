package job

import (
	"context"
	"time"
)

// kept is how long what a run has answered, and how far it was, can be asked for. docs/server.md says so.
const kept = 30 * 24 * time.Hour

// tidy forgets once a day what nobody asks for any more. Each server does: what one has deleted costs the next nothing.
func (j *Jobs) tidy() {
	for {
		if err := j.round(j.life, j.forget); err != nil && j.life.Err() == nil {
			j.Log.ErrorContext(j.life, "what is old was not forgotten", "error", err)
		}
		select {
		case <-j.life.Done():
			return
		case <-time.After(j.times.tidy):
		}
	}
}

func (j *Jobs) forget(ctx context.Context) error {
	if err := j.Store.Held(); err != nil {
		return err // another has the database; tomorrow is soon enough
	}
	done, err := j.Store.Tidy(ctx, j.Now().Add(-kept))
	if err == nil {
		err = j.Store.Sessions(nil).Sweep(ctx)
	}
	if err == nil {
		j.Log.InfoContext(ctx, "what is old was forgotten", "requests", done.Requests, "progress", done.Progress, "reads", done.Views, "deliveries", done.Deliveries)
	}
	return err
}
