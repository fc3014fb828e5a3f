package native

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"musterline.example/answer"
	"musterline.example/api/request"
	"musterline.example/internal/together"
)

// ping is how often a stream shows that it is alive; proxies cut off those that are silent for a minute.
const ping = 15 * time.Second

// afterEvent reads a Last-Event-ID: how many writes were heard of.
func afterEvent(id string) (int, error) {
	if id == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(id)
	if err != nil || n < 0 {
		return 0, answer.Usagef("Last-Event-ID is none that was given out here")
	}
	return n, nil
}

// stream answers with server-sent events (HTML Living Standard, 9.2) until follow is done or the caller has gone. A server that stops breaks
// the stream off without a last event, so that whoever follows takes it up again where it was.
//
// Whoever follows is let in anew every few seconds, and whenever something was changed here: with the session, the token or the role that let them
// in the stream ends, with the refusal as its last event.
func (a *API) stream(
	v *visit, admit func(ctx context.Context) error, follow func(ctx context.Context, tell func(answer.RunEvent) error) error,
) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(c huma.Context) {
		r, w := humago.Unwrap(c)
		control := http.NewResponseController(w)
		_ = control.SetWriteDeadline(time.Time{}) // a run may take an hour; where there is no deadline there is none to lift
		h := w.Header()
		h.Set("Content-Type", "text/event-stream")
		h.Set("X-Accel-Buffering", "no") // nginx hands on what comes at once
		w.WriteHeader(http.StatusOK)
		out := &eventWriter{w: w, flush: control.Flush}
		_ = out.write(": \n\n")

		ctx, cancel := context.WithCancelCause(r.Context())
		defer cancel(nil)
		var beside together.Group
		beside.Go(func() { out.alive(ctx) })
		beside.Go(func() { a.watch(ctx, v, admit, cancel) })
		err := follow(ctx, out.tell)
		put, refused := errors.AsType[*putOut](context.Cause(ctx))
		switch {
		case refused:
			if p := a.explain(r.Context(), put.why); p.status < http.StatusInternalServerError {
				p.Body.Request = request.Of(r.Context()).ID
				_ = out.event("error", "", p.Body) // the caller has gone
			} // else nobody knows whether they may: who asks again is told
		case err == nil:
			_ = out.event("end", "", struct{}{}) // the caller has gone
		case ctx.Err() == nil && !errors.Is(err, errLater):
			p := a.explain(r.Context(), err)
			p.Body.Request = request.Of(r.Context()).ID
			_ = out.event("error", "", p.Body) // the caller has gone
		}
		cancel(nil)
		beside.Wait()
	}}
}

// watchEvery is how often whoever follows events is let in anew.
const watchEvery = 5 * time.Second

// putOut ends what somebody follows who would not be let in any more.
type putOut struct{ why error }

func (p *putOut) Error() string { return "no longer let in: " + p.why.Error() }
func (p *putOut) Unwrap() error { return p.why }

// watch ends the context once somebody would not be let in any more to what they follow.
func (a *API) watch(ctx context.Context, v *visit, admit func(context.Context) error, end context.CancelCauseFunc) {
	tick := time.NewTicker(cmp.Or(a.Watch, watchEvery))
	defer tick.Stop()
	for {
		changed := a.changed.wait()
		if err := a.again(ctx, v, admit); err != nil {
			end(&putOut{err})
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-changed:
		}
	}
}

// again lets somebody in as if they asked now. It is no use of a session that would make it last.
func (a *API) again(ctx context.Context, v *visit, admit func(context.Context) error) error {
	info := *v.info
	now := &visit{info: &info, accept: v.accept, writer: v.writer, idle: true}
	ctx = context.WithValue(ctx, visitKey{}, now)
	now.request = v.request.WithContext(ctx)
	if err := a.open(now.request, now); err != nil {
		return err
	}
	return admit(ctx)
}

// A bell is heard by all who wait for it. The zero value is ready.
type bell struct {
	mu   sync.Mutex
	rung chan struct{}
}

// wait returns what is closed when the bell rings next.
func (b *bell) wait() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rung == nil {
		b.rung = make(chan struct{})
	}
	return b.rung
}

func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rung != nil {
		close(b.rung)
		b.rung = nil
	}
}

// errLater ends a stream of events that can be heard later.
var errLater = errors.New("the server stops")

// whileServing follows something that goes on, or will be gone on with, when the server stops.
func (a *API) whileServing(ctx context.Context, follow func(ctx context.Context) error) error {
	ctx, done := a.acts.untilStop(ctx)
	defer done()
	err := follow(ctx)
	if err != nil && ctx.Err() != nil {
		return errLater
	}
	return err
}

// eventWriter writes events, one at a time.
type eventWriter struct {
	mu    sync.Mutex
	w     http.ResponseWriter
	flush func() error
}

func (e *eventWriter) write(text string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, err := e.w.Write([]byte(text)); err != nil {
		return err
	}
	if err := e.flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}

func (e *eventWriter) alive(ctx context.Context) {
	tick := time.NewTicker(ping)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if e.write(": \n\n") != nil {
				return
			}
		}
	}
}

// tell writes one event of a run.
func (e *eventWriter) tell(of answer.RunEvent) error {
	switch {
	case of.Plan != nil:
		return e.event("plan", of.ID, of.Plan)
	case of.Write != nil:
		return e.event("write", of.ID, of.Write)
	case of.Progress != nil:
		return e.event("progress", of.ID, of.Progress)
	case of.Done != nil:
		return e.event("done", of.ID, of.Done)
	}
	return nil
}

func (e *eventWriter) event(name, id string, v any) error {
	text, err := json.Marshal(v) // without a line break in it
	if err != nil {
		return err
	}
	if id != "" {
		id = "id: " + id + "\n"
	}
	return e.write(fmt.Sprintf("%sevent: %s\ndata: %s\n\n", id, name, text))
}
