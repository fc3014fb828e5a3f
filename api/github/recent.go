package github

import (
	"context"
	"sync"
	"time"
)

// moment is how long what is known of all sources, or of a target's last plan, is good for everybody who asks. It is asked for once for
// thousands of requests.
const moment = time.Second

// recent keeps the last answer to each of a few questions for a moment. Its zero value needs a clock.
type recent[K comparable, V any] struct {
	now func() time.Time

	mu   sync.Mutex
	kept map[K]*kept[V]
}

type kept[V any] struct {
	mu    sync.Mutex
	value V
	until time.Time
}

// get returns the answer that is kept, or asks. Errors are not kept.
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
		return k.value, nil
	}
	value, err := ask(ctx)
	if err == nil {
		k.value, k.until = value, r.now().Add(moment)
	}
	return value, err
}
