package native

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"musterline.example/answer"
)

// registerRuns are the questions about plans, runs and requests.
func (a *API) registerRuns() {
	operate(a, op{
		id: "last-plan", route: "GET /targets/{target}/plan", tag: "plans", summary: "The last plan of a target",
		promise: "Returns the plan that the last run has made, with what guards object to. Reads nothing anew.",
	}, func(ctx context.Context, in *OnTarget) (*body[answer.LastPlan], error) {
		v, err := a.on(ctx, in.Target)
		if err != nil {
			return nil, err
		}
		return told(v.house.LastPlan(ctx, in.Target))
	})
	operate(a, op{
		id: "plan", route: "POST /targets/{target}/plan", tag: "plans", summary: "Plan anew", refuses: []int{409},
		promise: "Reads the sources and the target and says what a sync would change. Writes nothing anywhere. May take as long as reading them takes.",
	}, func(ctx context.Context, in *OnTarget) (*body[answer.Plan], error) {
		v, err := a.on(ctx, in.Target)
		if err != nil {
			return nil, err
		}
		return told(v.house.Plan(ctx, in.Target))
	})
	operate(a, op{
		id: "runs", route: "GET /runs", tag: "runs", summary: "Runs, the newest first",
		promise: "Lists runs of a target, or of all that the caller may see.",
	}, func(ctx context.Context, in *struct {
		Page
		Target  string `query:"target" doc:"Only runs of this target."`
		State   string `query:"state" enum:"running,done,objected,failed,cancelled,off,paused" doc:"Only runs that ended so, or that are running."`
		Trigger string `query:"trigger" enum:"schedule,person,event,undo" doc:"Only runs that this set off."`
	}) (*body[runList], error) {
		v, seen, err := a.among(ctx, in.Target)
		if err != nil {
			return nil, err
		}
		of := fmt.Sprintf("%q", append([]string{"runs", in.State, in.Trigger}, seen...))
		before, err := in.at(of)
		if err != nil {
			return nil, err
		}
		runs, err := v.house.Runs(ctx, answer.RunsWish{Targets: seen, State: in.State, Trigger: in.Trigger, Before: before, Limit: in.size() + 1})
		if err != nil {
			return nil, err
		}
		list := runList{Runs: runs.Runs}
		if n := in.size(); len(list.Runs) > n {
			list.Runs = list.Runs[:n]
			list.Next = cursor(of, list.Runs[n-1].ID)
		}
		return told(list, nil)
	})
	operate(a, op{
		id: "run", route: "GET /runs/{run}", tag: "runs", summary: "One run, with everything that it wrote or tried to",
		promise: "Returns a run with its writes in order, each with its reason, the waiver that it needed, and how it ended.",
	}, func(ctx context.Context, in *OfRun) (*body[answer.Run], error) {
		v, err := a.run(ctx, in.Run)
		if err != nil {
			return nil, err
		}
		return told(v.house.Run(ctx, in.Run))
	})
	operate(a, op{
		id: "run-progress", route: "GET /runs/{run}/progress", tag: "runs", summary: "How far a run is",
		promise: "Says what a run is at, how many writes are done, and when it may end.",
	}, func(ctx context.Context, in *OfRun) (*body[answer.RunProgress], error) {
		v, err := a.run(ctx, in.Run)
		if err != nil {
			return nil, err
		}
		return told(v.house.RunProgress(ctx, in.Run))
	})
	operate(a, op{
		id: "run-done", route: "GET /runs/{run}/done", tag: "runs", summary: "What a run has done, in figures",
		promise: "Returns what the last event of the run says: what was added, removed and changed, and what guards have stopped.",
	}, func(ctx context.Context, in *OfRun) (*body[answer.Done], error) {
		v, err := a.run(ctx, in.Run)
		if err != nil {
			return nil, err
		}
		return told(v.house.DoneOf(ctx, in.Run))
	})
	operate(a, op{
		id: "follow-run", route: "GET /runs/{run}/events", tag: "runs", summary: "Follow a run as server-sent events",
		promise: events + " The stream goes on after the event that Last-Event-ID names.",
		other:   map[string]other{"200": {"text/event-stream", "Events until the run has ended."}},
	}, func(ctx context.Context, in *struct {
		OfRun
		After string `header:"Last-Event-ID" doc:"The last event that was heard."` //nolint:tagliatelle // as the HTML standard spells it
		From  int    `query:"after" minimum:"0" doc:"The same for a page, which can set no header at first; where both are said the header counts."`
		Brief bool   `query:"brief" doc:"Without plans, which may be large."`
	}) (*huma.StreamResponse, error) {
		v, err := a.run(ctx, in.Run)
		if err != nil {
			return nil, err
		}
		after := cmp.Or(in.After, strconv.Itoa(in.From))
		if _, err := afterEvent(after); err != nil {
			return nil, err
		}
		return a.stream(v, func(ctx context.Context) error { _, err := a.run(ctx, in.Run); return err }, func(ctx context.Context, tell func(answer.RunEvent) error) error {
			return a.whileServing(ctx, func(ctx context.Context) error {
				return v.house.Follow(ctx, in.Run, after, func(e answer.RunEvent) error {
					if in.Brief && e.Plan != nil {
						return nil
					}
					return tell(e)
				})
			})
		}), nil
	})
	operate(a, op{
		id: "cancel-run", route: "POST /runs/{run}/cancel", tag: "runs", summary: "Cancel a run",
		promise: "Ends an open run after the write in hand. What was written stays. A run that has ended is 409.", refuses: []int{409},
	}, func(ctx context.Context, in *struct {
		OfRun
		Body AsWhom
	}) (*body[answer.RunProgress], error) {
		v, err := a.run(ctx, in.Run)
		if err != nil {
			return nil, err
		}
		was, err := v.house.Cancel(ctx, in.Run, v.by(in.Body.By))
		if err == nil && !was {
			err = answer.Errorf(answer.Conflict, "the run has ended, or is cancelled already")
		}
		if err != nil {
			return nil, err
		}
		return told(v.house.RunProgress(ctx, in.Run))
	})
	operate(a, op{
		id: "plan-undo", route: "POST /runs/{run}/undo/plan", tag: "runs", summary: "Plan taking a run back", refuses: []int{409},
		promise: "Says what taking back a run would change. Writes nothing. The plan is empty when nothing of the run is left to undo.",
	}, func(ctx context.Context, in *OfRun) (*body[answer.Plan], error) {
		v, err := a.run(ctx, in.Run)
		if err != nil {
			return nil, err
		}
		return told(v.house.PlanUndo(ctx, in.Run))
	})
	a.registerRequests()
}

func (a *API) registerRequests() {
	operate(a, op{
		id: "requests", route: "GET /targets/{target}/requests", tag: "runs", summary: "Requests that no run has taken",
		promise: "Lists the wishes for syncs of a target that wait, the oldest first. Those that are not due yet say when they are.",
	}, func(ctx context.Context, in *struct {
		Page
		Target string `path:"target"`
	}) (*body[requestList], error) {
		v, err := a.on(ctx, in.Target)
		if err != nil {
			return nil, err
		}
		waiting, err := v.house.Requests(ctx, in.Target)
		if err != nil {
			return nil, err
		}
		page, next, err := cut(in.Page, "requests\x00"+in.Target, waiting.Requests, func(r answer.Request) string {
			return r.AskedAt.UTC().Format("2006-01-02T15:04:05.000000") + "\x00" + r.ID
		})
		return told(requestList{page, next}, err)
	})
	operate(a, op{
		id: "request", route: "GET /requests/{request}", tag: "runs", summary: "One request",
		promise: "Returns a wish for a sync, with the run that has taken it.",
	}, func(ctx context.Context, in *OfRequest) (*body[answer.Request], error) {
		_, r, _, err := a.request(ctx, in.Request)
		return told(r, err)
	})
	operate(a, op{
		id: "follow-request", route: "GET /requests/{request}/events", tag: "runs", summary: "Follow a request as server-sent events",
		promise: "Waits until a run takes the request, then tells what happens in it. " + events,
		other:   map[string]other{"200": {"text/event-stream", "Events until the run has ended."}},
	}, func(ctx context.Context, in *struct {
		OfRequest
		After string `header:"Last-Event-ID" doc:"The last event that was heard."` //nolint:tagliatelle // as the HTML standard spells it
	}) (*huma.StreamResponse, error) {
		v, r, act, err := a.request(ctx, in.Request)
		if err != nil {
			return nil, err
		}
		after, err := afterEvent(in.After)
		if err != nil {
			return nil, err
		}
		return a.stream(v, func(ctx context.Context) error { _, _, _, err := a.request(ctx, in.Request); return err }, func(ctx context.Context, tell func(answer.RunEvent) error) error {
			if act != nil {
				return act.follow(ctx, after, tell)
			}
			return a.whileServing(ctx, func(ctx context.Context) error {
				run, err := a.taken(ctx, v.house, r)
				if err != nil {
					return err
				}
				return v.house.Follow(ctx, run, in.After, tell)
			})
		}), nil
	})
}

// events say what a stream is made of.
const events = "Each event has a name: plan is what is about to be done, write one write as it happened, progress how far the run is, done what came of it; " +
	"the last is end, or error with what went wrong. Their data are JSON. Where nothing happens, a comment comes every 15 seconds."

// OnTarget names a target.
type OnTarget struct {
	Target string `path:"target" doc:"The target's name in the configuration."`
}

// OfRun names a run.
type OfRun struct {
	Run string `path:"run" doc:"The run's number."`
}

// OfRequest names a request.
type OfRequest struct {
	Request string `path:"request"`
}

type runList struct {
	Runs []answer.RunStatus `json:"runs"`
	Next string             `json:"next,omitempty"`
}

type requestList struct {
	Requests []answer.Request `json:"requests"`
	Next     string           `json:"next,omitempty"`
}

// AsWhom says for whom an act is, where a caller acts for people.
type AsWhom struct {
	By string `json:"by,omitempty" doc:"For whom this is done, beside the caller, in the audit record."`
}

// run lets the caller in to a run's target.
func (a *API) run(ctx context.Context, id string) (*visit, error) {
	v := visitOf(ctx)
	if v.caller.Credential() != "" && !a.oneHost(ctx, v.house) {
		// A number that is guessed or mistyped must not send somebody's GitHub token to a host that they did not mean.
		return nil, answer.Errorf(answer.Forbidden, "runs are named by number on all hosts: this takes a Musterline token")
	}
	run, err := v.house.RunStatus(ctx, id)
	if err != nil {
		return nil, err
	}
	if v, err = a.on(ctx, run.Target); err != nil {
		return nil, hidden(err, "run")
	}
	return v, nil
}

// oneHost reports whether all targets live on one host.
func (a *API) oneHost(ctx context.Context, h *answer.House) bool {
	configured, err := h.Configured(ctx)
	hosts := make(map[string]bool)
	for _, name := range configured.TargetNames() {
		hosts[h.Host(ctx, name)] = true
	}
	return err == nil && len(hosts) == 1
}

// request lets the caller in to the target of a request. Where it is an act of this process, that is returned too.
func (a *API) request(ctx context.Context, id string) (*visit, answer.Request, *act, error) {
	v := visitOf(ctx)
	act := a.acts.get(id)
	var r answer.Request
	if act != nil {
		r = act.request()
	} else {
		var err error
		if r, err = v.house.Request(ctx, id); err != nil {
			return nil, r, nil, err
		}
	}
	v, err := a.on(ctx, r.Target)
	if err != nil {
		return nil, answer.Request{}, nil, hidden(err, "request")
	}
	return v, r, act, nil
}

// hidden is an error about a target as it is told to those who have asked for something of it by number: that there is a target of which they
// may not know must not show.
func hidden(err error, what string) error {
	if e, ok := errors.AsType[*answer.Error](err); ok && e.Class == answer.NotFound {
		return answer.Errorf(answer.NotFound, "there is no such %s", what)
	}
	return err
}
