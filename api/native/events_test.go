package native

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"musterline.example/answer"
)

// Begin begins an act of a target, for tests that want to be in it.
func (a *API) Begin(ctx context.Context, target string, do func(ctx context.Context) (answer.Done, error)) (id string, err error) {
	h, err := a.House(ctx)
	if err != nil {
		return "", err
	}
	r, err := a.begin(ctx, h, answer.Request{Target: target}, func(ctx context.Context, _ *act) (answer.Done, error) { return do(ctx) })
	return r.ID, err
}

// A stream that has nothing to tell shows every 15 seconds that it is alive, and no longer than it is.
func TestAStreamShowsThatItIsAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := httptest.NewRecorder()
		out := &eventWriter{w: w, flush: func() error { w.Flush(); return nil }}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Second)
		defer cancel()
		out.alive(ctx)
		if got := strings.Count(w.Body.String(), ": \n\n"); got != 3 || !w.Flushed {
			t.Errorf("in 50 seconds it was alive %d times: %q", got, w.Body)
		}
	})
}

// An act goes on when nobody follows it, and whoever comes later hears everything from where they were.
func TestAnActIsHeardFromTheMiddleOn(t *testing.T) {
	c := &act{news: make(chan struct{})}
	p := answer.Plan{Target: "octo"}
	c.tell(answer.Progress{Plan: &p})
	heard := make(chan string, 10)
	go func() {
		err := c.follow(context.Background(), 1, func(e answer.RunEvent) error {
			heard <- e.ID
			return nil
		})
		if err != nil {
			heard <- err.Error()
		}
		close(heard)
	}()
	c.tell(answer.Progress{Write: &answer.Write{Team: "docs"}})
	c.finish(answer.Done{Run: "7"}, answer.Errorf(answer.Conflict, "moved"), time.Unix(1, 0))
	var all []string
	for id := range heard {
		all = append(all, id)
	}
	if got := strings.Join(all, " "); got != "2 3 moved" || c.request().Run != "7" {
		t.Errorf("heard %s of run %s", got, c.request().Run)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := (&act{news: make(chan struct{})}).follow(ctx, 0, nil); err == nil {
		t.Error("who has gone still follows")
	}
}

func TestOnlyOneActIsAtATarget(t *testing.T) {
	s := newActs(time.Now)
	done, err := s.take("octo")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.take("octo"); answer.ErrorOf(err).Class != answer.Conflict {
		t.Errorf("a second act: %v", err)
	}
	if other, err := s.take("hex"); err != nil {
		t.Error(err)
	} else {
		other()
	}
	done()
	if again, err := s.take("octo"); err != nil {
		t.Error(err)
	} else {
		again()
	}
	if err := s.stop(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := s.take("octo"); answer.ErrorOf(err).Class != answer.Unavailable {
		t.Errorf("an act of a server that stops: %v", err)
	}
}

func FuzzCursor(f *testing.F) {
	f.Add("runs", cursor("runs", "17"))
	f.Add("runs", cursor("tokens", "17"))
	f.Add("runs", "")
	f.Fuzz(func(t *testing.T, of, given string) {
		at, err := Page{Cursor: given}.at(of)
		if err != nil {
			if at != "" || answer.ErrorOf(err).Class != answer.Usage {
				t.Errorf("%q: %q, %v", given, at, err)
			}
			return
		}
		if given != "" && cursor(of, at) == "" {
			t.Errorf("%q leads nowhere", given)
		}
		back, err := Page{Cursor: cursor(of, at)}.at(of)
		if err != nil || back != at {
			t.Errorf("%q comes back as %q: %v", at, back, err)
		}
	})
}

func FuzzStrict(f *testing.F) {
	f.Add(`{"user":"a","acount":"b"}`)
	f.Add(`{"groups":[{"group":1}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		for _, v := range []any{new(linkWish), new(mapWish), new(tokenWish), new(part)} {
			if err := strict([]byte(body), v); err != nil && err.Error() == "" {
				t.Errorf("%q: nothing is said", body)
			}
		}
	})
}
