package native_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"musterline.example/answer"
	"musterline.example/api/client"
	"musterline.example/api/native"
	"musterline.example/internal/githubsim"
	"musterline.example/setting"
)

// What is carried out for somebody far away ends when they give up waiting for it, as it would beside them.
func TestAnActThatNobodyWaitsForAnyMoreIsCancelled(t *testing.T) {
	l := newLab(t)
	l.write("directory.yaml", strings.NewReplacer(
		"name: docs, members: [ada]", "name: docs, members: [ada, bob, cy]", "name: platform, members: [ada, bob]", "name: platform, members: [ada, bob, cy]",
	).Replace(people))
	l.post("/targets/octo/sync", `{"answered":true}`).want(422).says("say its digest")
	shown := as[answer.Plan](l.post("/targets/octo/plan", "").want(200))
	l.github.Inject(githubsim.Fault{Method: http.MethodPut, After: 1, Delay: 2 * time.Second}) // so that there is time to cancel within the second write
	c, err := client.New(client.Options{URL: l.server.URL, Token: setting.Secret(l.tokens["octo's owner"])})
	if err != nil {
		t.Fatal(err)
	}
	ctx, giveUp := context.WithCancel(t.Context())
	defer giveUp()
	_, err = c.Sync(ctx, answer.SyncWish{Target: "octo", By: "ann", Digest: shown.Digest, Answered: true}, func(p answer.Progress) {
		if p.Write != nil {
			giveUp()
		}
	})
	if err == nil || !strings.Contains(err.Error(), "cancelled run 1") {
		t.Fatalf("%v", err)
	}
	l.follow("viewer", "/runs/1/events") // until it has ended
	l.get("/runs/1").want(200).says(`"state":"cancelled"`, "cancelled by ann, by token octo's owner")
	// The cancellation meets the second write in hand, or comes before it.
	if n := len(l.writes()); n > 2 || n < 1 {
		t.Errorf("there were %d writes: the first, and the one in hand", n)
	}
}

// alone lets acts be alone until lose is called, and counts those that are.
func (l *lab) alone() (lose func(), there func() int64) {
	ctx, end := context.WithCancelCause(context.Background())
	l.t.Cleanup(func() { end(nil) })
	var n atomic.Int64
	l.api.Alone = func(context.Context, string) (context.Context, func(), error) {
		n.Add(1)
		return ctx, func() { n.Add(-1) }, nil
	}
	return func() { end(errors.New("lost")) }, n.Load
}

// last is the last event of a stream.
func (l *lab) last(path string) event {
	l.t.Helper()
	events := l.follow("administrator", path)
	if len(events) == 0 {
		l.t.Fatal("nothing was heard")
	}
	return events[len(events)-1]
}

func TestAFaultOfOursIsTheEndOfTheActAndOfNothingElse(t *testing.T) {
	l := newLab(t)
	_, there := l.alone()
	id, err := l.api.Begin(t.Context(), "octo", func(context.Context) (answer.Done, error) { panic("hunter2") })
	if err != nil {
		t.Fatal(err)
	}
	if e := l.last("/requests/" + id + "/events"); e.name != "error" || !strings.Contains(e.data, `"failed"`) || strings.Contains(e.data, "hunter2") {
		t.Errorf("the last event is %+v", e)
	}
	if there() != 0 {
		t.Error("the target was not given back")
	}
	shown := as[answer.Plan](l.post("/targets/octo/plan", "").want(200))
	next := as[accepted](l.post("/targets/octo/sync", `{"digest":"`+shown.Digest+`"}`).want(202))
	if e := l.last(strings.TrimPrefix(next.Events, native.Prefix)); e.name != "end" {
		t.Errorf("the next act ends with %+v", e)
	}
}

// Somebody else may be at the target by then.
func TestAnActThatIsNotAloneAnyMoreEndsAfterTheWriteInHand(t *testing.T) {
	l := newLab(t)
	l.write("directory.yaml", strings.NewReplacer(
		"name: docs, members: [ada]", "name: docs, members: [ada, bob, cy]", "name: platform, members: [ada, bob]", "name: platform, members: [ada, bob, cy]",
	).Replace(people))
	lose, _ := l.alone()
	shown := as[answer.Plan](l.post("/targets/octo/plan", "").want(200))
	if shown.Free() < 2 {
		t.Fatalf("the plan is too small: %+v", shown.Summary)
	}
	l.github.Inject(githubsim.Fault{Method: http.MethodPut, Delay: 200 * time.Millisecond, Match: func(githubsim.Call) bool { lose(); return true }})
	act := as[accepted](l.post("/targets/octo/sync", `{"digest":"`+shown.Digest+`"}`).want(202))
	if e := l.last(strings.TrimPrefix(act.Events, native.Prefix)); e.name != "error" || !strings.Contains(e.data, `"unavailable"`) || !strings.Contains(e.data, "after the write in hand") {
		t.Errorf("the last event is %+v", e)
	}
	if n := len(l.writes()); n != 1 {
		t.Errorf("there were %d writes", n)
	}
	if open, err := l.house.Store.OpenIntents(t.Context(), "octo"); err != nil || len(open) != 0 {
		t.Errorf("in doubt: %+v, %v", open, err)
	}
}

// stop stops the API, without a bound: what does not end by itself holds it for ever.
func (l *lab) stop() {
	l.t.Helper()
	if err := l.api.Stop(context.Background()); err != nil {
		l.t.Error(err)
	}
}

func TestAStopBreaksStreamsOffThatGoOnLater(t *testing.T) {
	l := newLab(t)
	asked := as[accepted](l.post("/targets/octo/sync", `{}`).want(202)) // nobody works, so it waits
	heard := make(chan []event)
	go func() { heard <- l.follow("viewer", strings.TrimPrefix(asked.Events, native.Prefix)) }()
	l.stop()
	if events := <-heard; len(events) != 0 { // no last one, which would say that there is nothing more to hear
		t.Errorf("heard %+v", events)
	}
	if again := l.follow("viewer", strings.TrimPrefix(asked.Events, native.Prefix)); len(again) != 0 {
		t.Errorf("heard %+v", again)
	}
}

func TestAStopBreaksReadsOff(t *testing.T) {
	l := newLab(t)
	asked := make(chan struct{}, 100)
	l.github.Inject(githubsim.Fault{Delay: time.Hour, Match: func(githubsim.Call) bool { asked <- struct{}{}; return true }})
	heard := make(chan reply)
	go func() { heard <- l.post("/targets/octo/plan", "") }()
	<-asked
	l.stop()
	reply := <-heard
	reply.want(http.StatusServiceUnavailable).says("the server stops")
}

// Who follows an act hears what became of it, also when it ends because the server stops.
func TestAStopIsHeardByThoseWhoFollowAnAct(t *testing.T) {
	l := newLab(t)
	begun := make(chan struct{})
	id, err := l.api.Begin(t.Context(), "octo", func(ctx context.Context) (answer.Done, error) {
		close(begun)
		<-ctx.Done()
		return answer.Done{Run: "7"}, answer.Errorf(answer.Stopped, "octo: interrupted")
	})
	if err != nil {
		t.Fatal(err)
	}
	heard := make(chan event)
	go func() { heard <- l.last("/requests/" + id + "/events") }()
	<-begun
	l.stop()
	if e := <-heard; e.name != "error" || !strings.Contains(e.data, "interrupted") {
		t.Errorf("the last event is %+v", e)
	}
	if _, err := l.api.Begin(t.Context(), "octo", nil); answer.ErrorOf(err).Class != answer.Unavailable {
		t.Errorf("begun by a server that stops: %v", err)
	}
}
