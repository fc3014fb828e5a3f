package access

import (
	"container/list"
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// A cache keeps answers for a while, at most so many, and asks a question once however many wait for its answer. What was used longest ago
// goes first.
type cache[K comparable, V any] struct {
	max int
	now func() time.Time

	mu      sync.Mutex
	order   *list.List // of *answer, the latest first
	answers map[K]*list.Element
	asking  map[K]*question[V]
}

type answer[K comparable, V any] struct {
	key   K
	value V
	err   error
	until time.Time
}

// A question is one that somebody is asking.
type question[V any] struct {
	done  chan struct{}
	value V
	err   error
}

func newCache[K comparable, V any](most int, now func() time.Time) *cache[K, V] {
	return &cache[K, V]{max: most, now: now, order: list.New(), answers: map[K]*list.Element{}, asking: map[K]*question[V]{}}
}

// get returns the answer that is kept.
func (c *cache[K, V]) get(key K) (value V, kept bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.look(key)
}

func (c *cache[K, V]) look(key K) (value V, kept bool, err error) {
	e, ok := c.answers[key]
	if !ok {
		return value, false, nil
	}
	a, _ := e.Value.(*answer[K, V])
	if !c.now().Before(a.until) {
		c.drop(e)
		return value, false, nil
	}
	c.order.MoveToFront(e)
	return a.value, true, a.err
}

// put keeps an answer for so long, in place of what was kept.
func (c *cache[K, V]) put(key K, value V, err error, life time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.set(key, value, err, life)
}

// keep returns the answer that is kept, else the one that it makes and keeps for so long.
func (c *cache[K, V]) keep(key K, first func() V, life time.Duration) V {
	c.mu.Lock()
	defer c.mu.Unlock()
	value, kept, _ := c.look(key)
	if !kept {
		value = first()
		c.set(key, value, nil, life)
	}
	return value
}

func (c *cache[K, V]) set(key K, value V, err error, life time.Duration) {
	if e, ok := c.answers[key]; ok {
		c.drop(e)
	}
	if life <= 0 {
		return
	}
	c.answers[key] = c.order.PushFront(&answer[K, V]{key, value, err, c.now().Add(life)})
	for c.order.Len() > c.max {
		c.drop(c.order.Back())
	}
}

func (c *cache[K, V]) drop(e *list.Element) {
	if a, ok := c.order.Remove(e).(*answer[K, V]); ok {
		delete(c.answers, a.key)
	}
}

// ask returns the answer that is kept, else the answer of load, which says how long it may be kept. Those who ask the same meanwhile wait
// for the same answer. Who gives up waiting leaves the question to the others.
func (c *cache[K, V]) ask(ctx context.Context, key K, load func(context.Context) (V, time.Duration, error)) (V, error) {
	c.mu.Lock()
	if value, kept, err := c.look(key); kept {
		c.mu.Unlock()
		return value, err
	}
	q, asked := c.asking[key]
	if !asked {
		q = &question[V]{done: make(chan struct{})}
		c.asking[key] = q
		go func() {
			var life time.Duration
			q.value, life, q.err = safely(context.WithoutCancel(ctx), load)
			c.put(key, q.value, q.err, life)
			c.mu.Lock()
			delete(c.asking, key)
			c.mu.Unlock()
			close(q.done)
		}()
	}
	c.mu.Unlock()
	select {
	case <-q.done:
		return q.value, q.err
	case <-ctx.Done():
		var none V
		return none, ctx.Err()
	}
}

// safely makes an error of a panic, which would end the program: nobody stands above it who could stop it, and several wait for the answer.
func safely[V any](ctx context.Context, load func(context.Context) (V, time.Duration, error)) (value V, life time.Duration, err error) {
	defer func() {
		if why := recover(); why != nil {
			life, err = 0, fmt.Errorf("panic: %v\n%s", why, debug.Stack())
		}
	}()
	return load(ctx)
}
