package github

import (
	"cmp"
	"context"
	"sync"
	"time"
)

// moment is how long what is known of all sources, or of a target's last plan, is good for everybody who asks. It is asked for once for
// thousands of requests.
const moment = time.Second

// patience is how long a question may take that is asked for everybody.
const patience = 15 * time.Second

// recent keeps the last answer to each of a few questions for a moment, or for as long as it is told to. Its zero value needs a clock.
type recent[K comparable, V any] struct {
	now    func() time.Time
	life   time.Duration // moment when zero
	errors bool          // whether errors are answers, too

	mu   sync.Mutex
	kept map[K]*kept[V]
}

type kept[V any] struct {
	mu    sync.Mutex
	value V
	err   error
	until time.Time
}

// get returns the answer that is kept, or asks. An error that is kept must not be that of a caller who gave up, so whoever asks such a question
// asks it to the end.
func (r *recent[K, V]) get(ctx context.Context, key K, ask func(context.Context) (V, error)) (V, error) {
	r.mu.Lock()
	k := r.kept[key]
	if k == nil {
		if r.kept == nil {
			r.kept = map[K]*kept[V]{}
		}
		k = &kept[V]{}
		r.kept[key] = k
	}
	r.mu.Unlock()
	k.mu.Lock()
	defer k.mu.Unlock()
	if r.now().Before(k.until) {
		return k.value, k.err
	}
	if r.errors {
		var end context.CancelFunc
		ctx, end = context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer end()
	}
	value, err := ask(ctx)
	if err == nil || r.errors {
		k.value, k.err, k.until = value, err, r.now().Add(cmp.Or(r.life, moment))
	}
	return value, err
}
