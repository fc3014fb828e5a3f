// Package marked keeps answers for as long as what they were read from has not changed, which a mark tells: a word that is another one after
// every change, by whoever. To read the mark is all that an answer costs then, and it is read once for all who come before it is.
//
// An answer is never older than the request that it is given to: its mark was read after the request came.
package marked

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// patience is how long a mark may take, which is read for everybody.
const patience = 15 * time.Second

// most is how many answers are kept. With one more than that all are forgotten, as they are when anything has changed.
const most = 2000

// Answers keep answers. They are safe for concurrent use.
type Answers struct {
	mark joined

	mu   sync.Mutex
	of   string // the mark of what is kept
	kept map[any]any
}

// New returns answers to what the mark is about.
func New(mark func(context.Context) (string, error)) *Answers {
	return &Answers{mark: joined{ask: mark, turn: make(chan struct{}, 1)}}
}

type requestKey struct{}

// A request is one that has a mark already, or will.
type request struct {
	mu    sync.Mutex
	marks map[*Answers]string
}

// Request returns the context of one request: all that is asked in it rests on one mark.
func Request(ctx context.Context) context.Context {
	return context.WithValue(ctx, requestKey{}, &request{marks: make(map[*Answers]string, 1)})
}

// now returns a mark that was read after the request came.
func (a *Answers) now(ctx context.Context) (string, error) {
	r, ok := ctx.Value(requestKey{}).(*request)
	if !ok {
		return a.mark.get(ctx)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if mark, read := r.marks[a]; read {
		return mark, nil
	}
	mark, err := a.mark.get(ctx)
	if err == nil {
		r.marks[a] = mark
	}
	return mark, err
}

// Get returns the answer that is kept to a question, or asks. Questions are told apart by their type and value. The answer is shared: nobody
// may change it. An error is nobody's but the caller's.
func Get[Q comparable, V any](ctx context.Context, a *Answers, question Q, ask func(context.Context) (V, error)) (V, error) {
	var none V
	mark, err := a.now(ctx)
	if err != nil {
		return none, err
	}
	a.mu.Lock()
	if a.of == mark {
		if v, ok := a.kept[question].(V); ok {
			a.mu.Unlock()
			return v, nil
		}
	}
	a.mu.Unlock()
	v, err := ask(ctx) // of now: not older than the mark
	if err != nil {
		return none, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.of != mark || len(a.kept) >= most {
		a.of, a.kept = mark, make(map[any]any)
	}
	a.kept[question] = v
	return v, nil
}

// joined reads a mark once for all who ask before it is read. Who comes while that goes on is told the next one.
type joined struct {
	ask func(context.Context) (string, error)

	turn chan struct{} // holds who reads
	mu   sync.Mutex
	next *round // that has not begun
}

type round struct {
	done chan struct{}
	mark string
	err  error
}

// get returns the mark. Who gives up leaves it to the others.
func (j *joined) get(ctx context.Context) (string, error) {
	j.mu.Lock()
	r := j.next
	if r == nil {
		r = &round{done: make(chan struct{})}
		j.next = r
		go j.read(context.WithoutCancel(ctx), r)
	}
	j.mu.Unlock()
	select {
	case <-r.done:
		return r.mark, r.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// read reads the mark of a round. A panic is an error: nobody stands above it who could stop it, and several wait.
func (j *joined) read(ctx context.Context, r *round) {
	j.turn <- struct{}{}
	defer func() { <-j.turn }()
	j.mu.Lock()
	j.next = nil
	j.mu.Unlock()
	defer close(r.done)
	defer func() {
		if why := recover(); why != nil {
			r.err = fmt.Errorf("panic: %v\n%s", why, debug.Stack())
		}
	}()
	ctx, end := context.WithTimeout(ctx, patience)
	defer end()
	r.mark, r.err = j.ask(ctx)
}
