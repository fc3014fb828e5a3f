package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"musterline.example/answer"
)

// act asks for something that is carried out meanwhile, and follows it to its end. Who gives up waiting ends it: as for a command that does
// it itself, the write in hand is finished.
func (c *Client) act(ctx context.Context, path string, wish map[string]any, tell func(answer.Progress)) (answer.Done, error) {
	if tell == nil {
		tell = func(answer.Progress) {}
	}
	var accepted struct {
		ID     string `json:"id"`
		Target string `json:"target"`
	}
	if err := c.call(ctx, http.MethodPost, path, wish, &accepted); err != nil {
		return answer.Done{}, err
	}
	f := &following{client: c, path: at("requests", accepted.ID, "/events"), tell: tell}
	err := f.whole(ctx)
	done := answer.Done{Target: accepted.Target, Guards: []string{}, Unread: []string{}}
	if f.done != nil {
		done = *f.done
	}
	if err != nil && ctx.Err() != nil {
		return done, c.stopped(ctx, accepted.ID, accepted.Target, wish["by"])
	}
	return done, err
}

// stopped cancels what the asker does not wait for any more.
func (c *Client) stopped(ctx context.Context, id, target string, by any) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	var asked answer.Request
	var err error
	for try := 0; try < tries && err == nil && asked.Run == ""; try++ { // what has just been asked for becomes a run in a moment, if nothing is before it
		if try > 0 {
			select {
			case <-ctx.Done():
			case <-time.After(time.Second / 2):
			}
		}
		err = c.call(ctx, http.MethodGet, at("requests", id, ""), nil, &asked)
	}
	if err == nil && asked.Run != "" {
		err = c.call(ctx, http.MethodPost, at("runs", asked.Run, "/cancel"), map[string]any{"by": by}, nil)
	}
	if err != nil || asked.Run == "" {
		return answer.Errorf(answer.Stopped, "%s: not waited for any more, and the server goes on", target).
			WithHint("musterline status shows how it ends")
	}
	return answer.Errorf(answer.Stopped, "%s: cancelled run %s, which ends after the write in hand", target, asked.Run).
		WithHint("what was written is in the audit record, and the next sync does the rest")
}

// A following hears the events of a request.
type following struct {
	client *Client
	path   string
	tell   func(answer.Progress)
	last   string // the last event that was heard of
	done   *answer.Done
}

// tries is how often a stream that breaks off is taken up again where nothing was heard in between.
const tries = 5

// whole hears all events. A stream that breaks off is taken up where it was.
func (f *following) whole(ctx context.Context) error {
	for try := 1; ; try++ {
		before := f.last
		err := f.once(ctx)
		switch {
		case err == nil || ctx.Err() != nil:
			return err
		case !errors.Is(err, errBroken):
			return err
		case f.last != before:
			try = 1
		case try == tries:
			return answer.Errorf(answer.Unavailable, "the server is not heard any more, and goes on").
				WithHint("musterline status shows how it ends")
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(try) * time.Second / 2):
		}
	}
}

var errBroken = errors.New("the stream of events broke off")

// silent is how long a stream may say nothing, not even that it is alive.
const silent = time.Minute

// once hears the events of one connection.
func (f *following) once(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	header := http.Header{"Accept": {"text/event-stream"}}
	if f.last != "" {
		header.Set("Last-Event-Id", f.last)
	}
	answered, err := f.client.send(ctx, http.MethodGet, f.path, nil, header)
	if err != nil {
		if answer.ErrorOf(err).Class == answer.Unavailable {
			return errBroken // what was asked for is under way
		}
		return err
	}
	defer func() { _ = answered.Body.Close() }()
	watch := time.AfterFunc(silent, cancel)
	defer watch.Stop()
	var name, data, id string
	lines := bufio.NewScanner(answered.Body)
	lines.Buffer(make([]byte, 64<<10), 64<<20) // a plan is one line
	for lines.Scan() {
		watch.Reset(silent)
		key, value, _ := strings.Cut(lines.Text(), ": ")
		switch {
		case lines.Text() == "":
			ended, err := f.event(name, data)
			if name != "" && id != "" {
				f.last = id
			}
			if ended || err != nil {
				return err
			}
			name, data, id = "", "", ""
		case key == "event":
			name = value
		case key == "data":
			data = value
		case key == "id":
			id = value
		}
	}
	return errBroken
}

// event takes in one event, and reports whether it is the last.
func (f *following) event(name, data string) (ended bool, err error) {
	switch name {
	case "plan":
		var p answer.Plan
		if err := json.Unmarshal([]byte(data), &p); err != nil {
			return true, f.client.trouble(err)
		}
		f.tell(answer.Progress{Plan: &p})
	case "write":
		var w answer.Write
		if err := json.Unmarshal([]byte(data), &w); err != nil {
			return true, f.client.trouble(err)
		}
		f.tell(answer.Progress{Write: &w})
	case "done":
		f.done = new(answer.Done)
		if err := json.Unmarshal([]byte(data), f.done); err != nil {
			return true, f.client.trouble(err)
		}
	case "error":
		said := new(answer.Error)
		if err := json.Unmarshal([]byte(data), said); err != nil {
			return true, f.client.trouble(err)
		}
		return true, said
	case "end":
		return true, nil
	}
	return false, nil
}
