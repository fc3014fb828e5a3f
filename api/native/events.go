package native

import (
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
func (a *API) stream(_ *visit, follow func(ctx context.Context, tell func(answer.RunEvent) error) error) *huma.StreamResponse {
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

		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		var alive sync.WaitGroup
		alive.Go(func() { out.alive(ctx) })
		err := follow(ctx, out.tell)
		switch {
		case err == nil:
			_ = out.event("end", "", struct{}{}) // the caller has gone
		case ctx.Err() == nil && !errors.Is(err, errLater):
			p := a.explain(r.Context(), err)
			p.Body.Request = request.Of(r.Context()).ID
			_ = out.event("error", "", p.Body) // the caller has gone
		}
		cancel()
		alive.Wait()
	}}
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
