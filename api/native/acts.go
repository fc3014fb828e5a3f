package native

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"musterline.example/answer"
	"musterline.example/reconcile"
	"musterline.example/team"
)

// An act is something that a caller has seen the plan of and wants done: exactly that, or nothing. It goes on when the caller has gone, and
// what happened in it can be heard for an hour.
type act struct {
	mu     sync.Mutex
	wish   answer.Request
	events []answer.RunEvent
	err    error
	ended  time.Time
	news   chan struct{} // closed and made anew with every event
}

// acts are those of this process.
type acts struct {
	now func() time.Time

	mu       sync.Mutex
	all      map[string]*act
	busy     map[string]bool // targets
	life     context.Context //nolint:containedctx // of acts, which outlive the requests that begin them
	end      context.CancelCauseFunc
	underWay sync.WaitGroup
}

// heard is how long an act can be heard of after its end.
const heard = time.Hour

func newActs(now func() time.Time) *acts {
	s := &acts{now: now, all: map[string]*act{}, busy: map[string]bool{}}
	s.life, s.end = context.WithCancelCause(context.Background())
	return s
}

// stop ends the acts after the write in hand, and lets none begin.
func (s *acts) stop(ctx context.Context) error {
	s.mu.Lock()
	s.end(stopping())
	s.mu.Unlock()
	gone := make(chan struct{})
	go func() {
		s.underWay.Wait()
		close(gone)
	}()
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop the acts: %w", ctx.Err())
	}
}

// stopping is what whoever waits is told when the server stops.
func stopping() error {
	return answer.Errorf(answer.Unavailable, "the server stops").WithHint("ask again in a moment")
}

// untilStop returns a context that ends when the server stops, if ctx does not end before.
func (s *acts) untilStop(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, end := context.WithCancelCause(ctx)
	free := context.AfterFunc(s.life, func() { end(context.Cause(s.life)) })
	return ctx, func() {
		free()
		end(nil)
	}
}

func (s *acts) get(id string) *act {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all[id]
}

// take marks a target as one at which an act is, until done.
func (s *acts) take(target string) (done func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.life.Err() != nil {
		return nil, stopping()
	}
	if s.busy[target] {
		return nil, underWay("")
	}
	s.busy[target] = true
	s.underWay.Add(1)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.busy, target)
		s.underWay.Done()
	}, nil
}

func underWay(run string) error {
	err := answer.Errorf(answer.Conflict, "a run of the target is under way")
	if run != "" {
		err = answer.Errorf(answer.Conflict, "run %s of the target is under way", run)
	}
	return err.WithHint("wait until it has ended, or cancel it; then look at the plan again")
}

// begin begins an act. do is called with a context that outlives the request.
func (a *API) begin(
	ctx context.Context, h *answer.House, wish answer.Request, do func(ctx context.Context, c *act) (answer.Done, error),
) (answer.Request, error) {
	free, err := a.acts.take(wish.Target)
	if err != nil {
		return wish, err
	}
	if open, err := h.OpenRun(ctx, wish.Target); err != nil || open != "" {
		free()
		if err == nil {
			err = underWay(open)
		}
		return wish, err
	}
	alone, done := context.Background(), func() {}
	if a.Alone != nil {
		if alone, done, err = a.Alone(ctx, wish.Target); err != nil {
			free()
			return wish, err
		}
	}
	random := make([]byte, 12)
	_, _ = rand.Read(random) // it never fails
	wish.ID, wish.AskedAt, wish.Trigger, wish.Teams = fmt.Sprintf("act-%x", random), a.Now(), reconcile.ByPerson, []team.ID{}
	c := &act{wish: wish, news: make(chan struct{})}
	a.acts.keep(c)
	go func() {
		defer free()
		said, err := a.carryOut(alone, c, do)
		done() // before it is told that the act has ended: whoever hears that may begin the next
		c.finish(said, err, a.Now())
	}()
	return wish, nil
}

// carryOut does an act until the server stops or its right to be alone with the target is lost. A panic is the end of the act and of nothing
// else.
func (a *API) carryOut(
	alone context.Context, c *act, do func(ctx context.Context, c *act) (answer.Done, error),
) (said answer.Done, err error) {
	ctx, end := a.acts.untilStop(alone)
	defer end()
	defer func() {
		if why := recover(); why != nil {
			a.Log.ErrorContext(ctx, "panic", "act", c.request().ID, "panic", fmt.Sprint(why), "stack", string(debug.Stack()))
			err = answer.Errorf(answer.Failed, "a fault of Musterline's own broke the act off, and the server's log tells more").
				WithHint("what was written is in the audit record")
		}
	}()
	if said, err = do(ctx, c); err != nil && alone.Err() != nil {
		a.Log.ErrorContext(ctx, "an act was ended", "act", c.request().ID, "why", context.Cause(alone), "error", err)
		err = answer.Errorf(answer.Unavailable, "the database was out of reach, or taken by another, so the act was ended after the write in hand").
			WithHint("what was written is in the audit record; look at the plan again")
	}
	return said, err
}

// keep makes an act known, and forgets those that nobody hears of any more.
func (s *acts) keep(c *act) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, old := range s.all {
		if at := old.endedAt(); !at.IsZero() && s.now().Sub(at) > heard {
			delete(s.all, id)
		}
	}
	s.all[c.wish.ID] = c
}

func (c *act) endedAt() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended
}

func (c *act) request() answer.Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wish
}

// begun makes the run known, so that it can be cancelled while it is under way.
func (c *act) begun(run string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wish.Run = run
}

func (c *act) tell(p answer.Progress) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(answer.RunEvent{Plan: p.Plan, Write: p.Write})
}

func (c *act) add(e answer.RunEvent) {
	e.ID = strconv.Itoa(len(c.events) + 1)
	c.events = append(c.events, e)
	close(c.news)
	c.news = make(chan struct{})
}

func (c *act) finish(said answer.Done, err error, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wish.Run, c.err, c.ended = cmp.Or(said.Run, c.wish.Run), err, at
	c.add(answer.RunEvent{Done: &said})
}

// follow tells what happens in the act after so many events, until it has ended.
func (c *act) follow(ctx context.Context, after int, tell func(answer.RunEvent) error) error {
	for {
		c.mu.Lock()
		events, news, ended, err := c.events, c.news, !c.ended.IsZero(), c.err
		c.mu.Unlock()
		for ; after < len(events); after++ {
			if e := tell(events[after]); e != nil {
				return e
			}
		}
		if ended {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-news:
		}
	}
}

// taken waits until a run has taken a request.
func (a *API) taken(ctx context.Context, h *answer.House, r answer.Request) (run string, err error) {
	for r.Run == "" {
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
		if r, err = h.Request(ctx, r.ID); err != nil {
			return "", err
		}
		if err := h.MayRun(ctx, r.Target); err != nil {
			return "", err // it waits until somebody resumes the target
		}
	}
	return r.Run, nil
}

// A syncWish asks for a sync.
type syncWish struct {
	AsWhom
	Teams    []string `json:"teams,omitempty" maxItems:"1000" doc:"Only what is read anew and written first, by team id; a plan always covers the whole target."`
	Trigger  string   `json:"trigger,omitempty" enum:"person,event,schedule" doc:"What set it off; person when not said."`
	Why      string   `json:"why,omitempty" maxLength:"500"`
	Digest   string   `json:"digest,omitempty" doc:"Of a plan that was shown: exactly those changes are made, or none because the world has moved."`
	Answered bool     `json:"answered,omitempty" doc:"A person has said yes to that plan: it answers the guard approval, and no other."`
}

// An accepted is an answer to a wish that is carried out meanwhile.
type accepted struct {
	Location string `header:"Location"`
	Body     struct {
		answer.Request

		Events string `json:"events" doc:"Where to follow it."`
	}
}

func acceptedOf(r answer.Request) *accepted {
	out := &accepted{Location: Prefix + "/requests/" + r.ID}
	out.Body.Request, out.Body.Events = r, out.Location+"/events"
	return out
}

// registerActs are what changes a target.
func (a *API) registerActs() {
	operate(a, op{
		id: "sync", route: "POST /targets/{target}/sync", tag: "acts", summary: "Ask for a sync", status: http.StatusAccepted, refuses: []int{409},
		promise: "Keeps the wish for a sync, which is carried out as soon as a worker is free, within the guards. With the digest of a plan that was shown, " +
			"exactly that plan is carried out, or nothing. The answer says where to follow it. A paused target is 409.",
	}, func(ctx context.Context, in *struct {
		OnTarget
		Body syncWish
	}) (*accepted, error) {
		v, err := a.on(ctx, in.Target)
		if err != nil {
			return nil, err
		}
		wish, by := in.Body, v.by(in.Body.By)
		if wish.Trigger == "" {
			wish.Trigger = reconcile.ByPerson
		}
		if wish.Trigger != reconcile.ByPerson && wish.Trigger != reconcile.ByEvent && wish.Trigger != reconcile.BySchedule {
			return nil, answer.Usagef("trigger is person, event or schedule")
		}
		if wish.Digest == "" && !wish.Answered {
			var teams []team.ID
			for _, id := range wish.Teams {
				teams = append(teams, team.ID(id))
			}
			r, err := v.house.Ask(ctx, answer.AskWish{Target: in.Target, Teams: teams, Trigger: wish.Trigger, By: by, Why: wish.Why})
			if err != nil {
				return nil, err
			}
			if a.Asked != nil {
				a.Asked(in.Target)
			}
			return acceptedOf(r), nil
		}
		if wish.Digest == "" {
			return nil, answer.Usagef("answered is about a plan that was shown: say its digest")
		}
		if err := v.house.MayRun(ctx, in.Target); err != nil {
			return nil, err
		}
		r, err := a.begin(ctx, v.house, answer.Request{Target: in.Target, Asker: by, Why: wish.Why}, func(
			ctx context.Context, c *act,
		) (answer.Done, error) {
			return v.house.Sync(ctx, answer.SyncWish{
				Target: in.Target, Trigger: wish.Trigger, By: by, Digest: wish.Digest, Answered: wish.Answered, Begun: c.begun,
			}, c.tell)
		})
		if err != nil {
			return nil, err
		}
		return acceptedOf(r), nil
	})
	operate(a, op{
		id: "undo", route: "POST /runs/{run}/undo", tag: "acts", summary: "Take a run back", status: http.StatusAccepted, refuses: []int{409},
		promise: "Takes back what a run has written and is still in place, past the guards, and pauses its target. With the digest of a plan that was shown, " +
			"exactly that is done, or nothing.",
	}, func(ctx context.Context, in *struct {
		OfRun
		Body undoWish
	}) (*accepted, error) {
		v, err := a.run(ctx, in.Run)
		if err != nil {
			return nil, err
		}
		run, err := v.house.RunStatus(ctx, in.Run)
		if err != nil {
			return nil, err
		}
		by := v.by(in.Body.By)
		r, err := a.begin(ctx, v.house, answer.Request{Target: run.Target, Asker: by, Why: cmp.Or(in.Body.Reason, "undo run "+run.ID)}, func(
			ctx context.Context, c *act,
		) (answer.Done, error) {
			return v.house.Undo(ctx, answer.UndoWish{Run: run.ID, By: by, Digest: in.Body.Digest, Reason: in.Body.Reason, Begun: c.begun}, c.tell)
		})
		if err != nil {
			return nil, err
		}
		return acceptedOf(r), nil
	})
	operate(a, op{
		id: "approve", route: "POST /targets/{target}/approvals", tag: "acts", summary: "Waive objections", refuses: []int{409},
		promise: "Plans anew and waives what guards object to, for the changes that the filters choose. A preview only says which. With the digest of a preview, " +
			"exactly that is waived, or nothing. Nothing is applied by it: the sync that is asked for with it does that, and a person undoes.",
	}, func(ctx context.Context, in *struct {
		OnTarget
		Body approveWish
	}) (*body[answer.Approval], error) {
		v, err := a.on(ctx, in.Target)
		if err != nil {
			return nil, err
		}
		w := in.Body
		made, err := v.house.Approve(ctx, answer.ApproveWish{
			Target: in.Target, Undo: w.Undo, Teams: w.Teams, Guards: w.Guards, Digest: w.Digest, Preview: w.Preview, Show: w.Show, Reason: w.Reason,
			By: v.by(w.By),
		})
		if w.Show {
			made.Plan = made.Plan.Outline()
		}
		return told(made, err)
	})
	a.registerPause()
	a.registerLink()
}

type undoWish struct {
	AsWhom
	Digest string `json:"digest,omitempty" doc:"Of the plan that was shown."`
	Reason string `json:"reason,omitempty" maxLength:"2000" doc:"Why it is taken back; the pause that is left says it, and the audit record keeps it."`
}

type approveWish struct {
	AsWhom
	Undo    string   `json:"undo,omitempty" doc:"The run whose undoing it is about; without one, the plan of a sync."`
	Teams   []string `json:"teams,omitempty" doc:"Slugs or ids; none: all."`
	Guards  []string `json:"guards,omitempty" doc:"That object; none: all."`
	Digest  string   `json:"digest,omitempty" doc:"Of the approval that was shown."`
	Preview bool     `json:"preview,omitempty" doc:"Only say what it would be about."`
	Show    bool     `json:"show,omitempty" doc:"Keep the whole plan for GET /targets/{target}/shown-plan/changes, by whose pages it is looked at, and leave its parts out of the answer."`
	Reason  string   `json:"reason,omitempty" maxLength:"2000" doc:"Needed unless it is a preview; the audit record keeps it."`
}

type pauseWish struct {
	AsWhom
	Reason string `json:"reason,omitempty" maxLength:"2000" doc:"Needed to pause."`
}

func (a *API) registerPause() {
	operate(a, op{
		id: "pause", route: "POST /targets/{target}/pause", tag: "acts", summary: "Stop a target",
		promise: "Until it is resumed, no run changes anything in the target; one that is under way ends after the write in hand. Plans can still be made.",
	}, func(ctx context.Context, in *struct {
		OnTarget
		Body pauseWish
	}) (*body[answer.Pausing], error) {
		v, err := a.on(ctx, in.Target)
		if err != nil {
			return nil, err
		}
		return told(v.house.Pause(ctx, answer.PauseWish{Target: in.Target, Reason: in.Body.Reason, By: v.by(in.Body.By)}))
	})
	operate(a, op{
		id: "resume", route: "POST /targets/{target}/resume", tag: "acts", summary: "Start a target again",
		promise: "Ends a pause. Nothing is changed by it: the sync that is asked for with it does what is due.",
	}, func(ctx context.Context, in *struct {
		OnTarget
		Body pauseWish
	}) (*body[answer.Pausing], error) {
		v, err := a.on(ctx, in.Target)
		if err != nil {
			return nil, err
		}
		return told(v.house.Resume(ctx, answer.PauseWish{Target: in.Target, Reason: in.Body.Reason, By: v.by(in.Body.By)}))
	})
}

type linkWish struct {
	AsWhom
	User    string `json:"user" doc:"source/id"`
	Account string `json:"account" doc:"host/number: a login can change hands."`
	Reason  string `json:"reason" maxLength:"2000" doc:"How it is known; the audit record keeps it."`
}

type unlinkWish struct {
	AsWhom
	User   string `json:"user" doc:"source/id"`
	Host   string `json:"host,omitempty" maxLength:"300" doc:"Where their account lives; on all hosts when empty."`
	Reason string `json:"reason,omitempty" maxLength:"2000"`
}

func (a *API) registerLink() {
	operate(a, op{
		id: "link", route: "POST /links", tag: "people", summary: "Say whose account it is",
		promise: "Says by hand that a user is an account. It wins over everything that is found, counts from the next sync, which is asked for with it, and replaces what was said before.",
	}, func(ctx context.Context, in *struct{ Body linkWish }) (*body[answer.Linked], error) {
		host, _, _ := strings.Cut(in.Body.Account, "/")
		v, err := a.onHost(ctx, host)
		if err != nil {
			return nil, err
		}
		if source, _, _ := strings.Cut(in.Body.User, "/"); !v.shows(v.bound(), source) {
			return nil, answer.Errorf(answer.NotFound, "there is no such source")
		}
		return told(v.house.Link(ctx, answer.LinkWish{
			User: in.Body.User, Account: in.Body.Account, Reason: in.Body.Reason, By: v.by(in.Body.By),
		}))
	})
	operate(a, op{
		id: "unlink", route: "POST /links/remove", tag: "people", summary: "Take back what was said by hand",
		promise: "Takes back what was said of a user by hand, on one host or on all. What other evidence says counts again from the next sync, which is asked for with it.", refuses: []int{409},
	}, func(ctx context.Context, in *struct{ Body unlinkWish }) (*body[answer.Unlinked], error) {
		if in.Body.Host == "" {
			v, err := a.everywhere(ctx)
			if err != nil {
				return nil, err
			}
			return told(v.house.Unlink(ctx, answer.UnlinkWish{User: in.Body.User, Reason: in.Body.Reason, By: v.by(in.Body.By)}))
		}
		v, err := a.onHost(ctx, in.Body.Host)
		if err != nil {
			return nil, err
		}
		if source, _, _ := strings.Cut(in.Body.User, "/"); !v.shows(v.bound(), source) {
			return nil, answer.Errorf(answer.NotFound, "there is no such source")
		}
		return told(v.house.Unlink(ctx, answer.UnlinkWish{User: in.Body.User, Host: in.Body.Host, Reason: in.Body.Reason, By: v.by(in.Body.By)}))
	})
}

// onHost lets the caller in to the people of a host: who may on every target whose accounts live there.
func (a *API) onHost(ctx context.Context, host string) (*visit, error) {
	v := visitOf(ctx)
	if v.unbound() {
		return a.everywhere(ctx)
	}
	configured, err := v.house.Configured(ctx)
	if err != nil {
		return nil, err
	}
	found := false
	for _, name := range configured.TargetNames() {
		if v.house.Host(ctx, name) != host {
			continue
		}
		found = true
		if v, err = a.on(ctx, name); err != nil {
			return nil, answer.Errorf(answer.Forbidden, "accounts of this host are in targets that are not yours to operate")
		}
	}
	if !found {
		return nil, answer.Errorf(answer.Forbidden, "no target that is yours to operate has accounts of this host")
	}
	return v, nil
}
