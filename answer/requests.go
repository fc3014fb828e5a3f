package answer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"musterline.example/audit"
	"musterline.example/internal/words"
	"musterline.example/mapping"
	"musterline.example/plan"
	"musterline.example/reconcile"
	"musterline.example/store"
	"musterline.example/target"
	"musterline.example/team"
)

// Requests are wishes for syncs that no run has taken, the oldest first.
type Requests struct {
	Requests []Request `json:"requests"`
}

// A Request is somebody's wish for a sync.
type Request struct {
	ID      string    `json:"id"`
	Target  string    `json:"target"`
	Teams   []team.ID `json:"teams"` // none: all
	Trigger string    `json:"trigger"`
	Asker   string    `json:"asker,omitempty"`
	Why     string    `json:"why,omitempty"`
	AskedAt time.Time `json:"asked_at"`
	DueAt   time.Time `json:"due_at,omitzero"` // no run takes it before
	Run     string    `json:"run,omitempty"`   // that has taken it
}

func requestOf(r reconcile.Request, run string) Request {
	return Request{
		ID: r.ID, Target: r.Target, Teams: list(r.Teams), Trigger: r.Trigger, Asker: r.Asker, Why: r.Why, AskedAt: r.AskedAt, DueAt: r.DueAt, Run: run,
	}
}

// An AskWish asks for a sync without waiting for it.
type AskWish struct {
	Target  string
	Teams   []team.ID // none: all
	Trigger string
	By      string
	Why     string
}

// Ask keeps a wish for a sync, which a job carries out. A target that is paused, or rests on something that was left out, takes none.
func (h *House) Ask(ctx context.Context, wish AskWish) (Request, error) {
	if err := h.mayRun(ctx, wish.Target); err != nil {
		return Request{}, err
	}
	r := reconcile.Request{
		Target: wish.Target, Teams: wish.Teams, Trigger: wish.Trigger, Asker: wish.By, Why: wish.Why, AskedAt: h.now(),
	}
	var err error
	r.ID, err = h.Store.AddRequest(ctx, r)
	return requestOf(r, ""), err
}

// following are requests for what should follow at once on something that is done. A command that has the database for itself makes none: nobody
// takes them while it works, and the next sync does the same without.
func (h *House) following(asks ...reconcile.Request) []reconcile.Request {
	if !h.serves {
		return nil
	}
	return asks
}

// mayRun is the refusal to begin anything with a target that is paused, or that rests on something that was left out.
func (h *House) mayRun(ctx context.Context, target string) error {
	if err := OneOf("target", target, h.targetNames()); err != nil {
		return err
	}
	if err := cmp.Or(h.writes(), h.synced(target)); err != nil {
		return err
	}
	paused, err := h.paused(ctx, target)
	if err == nil && paused != nil {
		return Errorf(Halted, "the target is paused by %s: %s", paused.By, paused.Reason).
			WithHint("to let it run again: musterline resume " + words.Quote(target))
	}
	return err
}

// Requests lists the wishes that no run of a target has taken.
func (h *House) Requests(ctx context.Context, target string) (Requests, error) {
	all := Requests{Requests: []Request{}}
	if err := OneOf("target", target, h.targetNames()); err != nil || h.Store == nil {
		return all, err
	}
	waiting, err := h.Store.Requests(ctx, target)
	for _, r := range waiting {
		all.Requests = append(all.Requests, requestOf(r, ""))
	}
	return all, err
}

// Request returns a wish for a sync, with the run that has taken it.
func (h *House) Request(ctx context.Context, id string) (Request, error) {
	if h.Store == nil {
		return Request{}, Errorf(NotFound, "there is no such request")
	}
	r, err := h.Store.Request(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return Request{}, Errorf(NotFound, "there is no such request")
	}
	return requestOf(r.Request, r.Run), err
}

// Cancel ends an open run after the write in hand. It reports whether there was one to cancel.
func (h *House) Cancel(ctx context.Context, run, by string) (bool, error) {
	if err := h.writes(); err != nil {
		return false, err
	}
	if _, err := h.run(ctx, run); err != nil {
		return false, err
	}
	return h.Store.CancelRun(ctx, run, by)
}

// A RunProgress is how far a run is.
type RunProgress struct {
	Run        string    `json:"run"`
	Target     string    `json:"target"`
	Finished   bool      `json:"finished"`
	Phase      string    `json:"phase,omitempty"`
	Planned    int       `json:"planned"` // writes
	Done       int       `json:"done"`
	Failed     int       `json:"failed"`
	EndsAt     time.Time `json:"ends_at,omitzero"` // an estimate
	WaitsFor   string    `json:"waits_for,omitempty"`
	WaitsUntil time.Time `json:"waits_until,omitzero"`
	At         time.Time `json:"at,omitzero"` // the last sign of life
}

// RunProgress says how far a run is.
func (h *House) RunProgress(ctx context.Context, id string) (RunProgress, error) {
	run, err := h.run(ctx, id)
	if err != nil {
		return RunProgress{}, err
	}
	return h.progressOf(ctx, run)
}

func (h *House) progressOf(ctx context.Context, run store.Run) (RunProgress, error) {
	p, err := h.Store.Progress(ctx, run.ID)
	return RunProgress{
		Run: run.ID, Target: run.Target, Finished: !run.FinishedAt.IsZero(), Phase: string(p.Phase), Planned: p.Planned, Done: p.Done, Failed: p.Failed,
		EndsAt: p.EndsAt, WaitsFor: p.WaitsFor, WaitsUntil: p.WaitsUntil, At: p.At,
	}, err
}

// A LastPlan is the last plan that a run of a target has made.
type LastPlan struct {
	Run  string    `json:"run"`
	At   time.Time `json:"at"`
	Plan Plan      `json:"plan"`
}

// LastPlan returns the last plan that a run of a target has made.
func (h *House) LastPlan(ctx context.Context, target string) (LastPlan, error) {
	if err := OneOf("target", target, h.targetNames()); err != nil {
		return LastPlan{}, err
	}
	if h.Store == nil {
		return LastPlan{}, noPlan()
	}
	last, err := h.Store.LastPlan(ctx, target)
	if errors.Is(err, store.ErrNotFound) {
		return LastPlan{}, noPlan()
	}
	if err != nil {
		return LastPlan{}, err
	}
	p, err := h.storedPlan(ctx, last)
	return LastPlan{Run: last.Run, At: last.At, Plan: p}, err
}

func noPlan() error {
	return Errorf(Nothing, "no run of the target has made a plan yet").WithHint("plan it anew")
}

// storedPlan says what there is to say of a stored plan.
func (h *House) storedPlan(ctx context.Context, last store.Plan) (Plan, error) {
	p := PlanOf(last.Plan, last.Objections)
	p.Beside = &PlanSetting{Apply: h.Config.Targets[p.Target].Apply}
	place, err := h.Store.Place(ctx, p.Target)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return p, err
	}
	p.Beside.Organization, p.Beside.Host = place.Organization, place.Host
	mappings, err := h.mappings(ctx, p.Target)
	if err != nil {
		return p, err
	}
	refused := make(map[team.ID]bool)
	for _, r := range last.Plan.Refused {
		refused[r.Team] = true
	}
	p.Beside.Mapped = mappedTeams(slices.DeleteFunc(mappings, func(m mapping.Mapping) bool { return m.TeamID == "" || refused[m.TeamID] }))
	p.Beside.Paused, err = h.paused(ctx, p.Target)
	return p, err
}

// A RunEvent is one thing that happens in a run. One of Plan, Write, Progress and Done is set.
type RunEvent struct {
	ID       string       `json:"-"` // to go on after it
	Plan     *Plan        `json:"plan,omitempty"`
	Write    *Write       `json:"write,omitempty"`
	Progress *RunProgress `json:"progress,omitempty"`
	Done     *Done        `json:"done,omitempty"`
}

// often is how soon a follower hears of what has happened.
const often = 200 * time.Millisecond

// Follow tells what happens in a run, from the beginning or after an event, until it has ended: its writes as they are, its plan and its
// progress as they are now. Why a run did not go through is the error after the last event. What it tells comes from the database, so it does not matter which process does the run.
func (h *House) Follow(ctx context.Context, id, after string, tell func(RunEvent) error) error {
	var plans string
	var writes store.WritePlace
	if after != "" {
		if _, err := fmt.Sscanf(after, "%d", &writes.N); err != nil || writes.N < 0 {
			return Usagef("there is no such event")
		}
	}
	var before RunProgress
	for {
		run, err := h.run(ctx, id) // before its writes: what was written when it had ended is all
		if err != nil {
			return err
		}
		if plans, err = h.tellPlan(ctx, run, plans, tell, writes.N); err != nil {
			return err
		}
		if writes, err = h.tellWrites(ctx, run, writes, tell); err != nil {
			return err
		}
		p, err := h.progressOf(ctx, run)
		if err != nil {
			return err
		}
		if p != before && !p.Finished {
			if err := tell(RunEvent{ID: fmt.Sprint(writes.N), Progress: &p}); err != nil {
				return err
			}
		}
		if before = p; p.Finished {
			done, err := h.DoneOf(ctx, id)
			if err != nil {
				return err
			}
			if err := tell(RunEvent{ID: fmt.Sprint(writes.N), Done: &done}); err != nil {
				return err
			}
			return done.failure(run.Report.Error)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(often):
		}
	}
}

// tellPlan tells the plan of a run when it is another than the one told before.
func (h *House) tellPlan(ctx context.Context, run store.Run, told string, tell func(RunEvent) error, writes int) (string, error) {
	mark, err := h.Store.PlanMark(ctx, run.Target) // it is asked for five times a second, and the plan may be large
	if errors.Is(err, store.ErrNotFound) || err == nil && mark.Run != run.ID {
		return told, nil
	}
	if err != nil {
		return told, err
	}
	name := mark.At.String() + mark.Digest
	if name == told {
		return told, nil
	}
	last, err := h.Store.LastPlan(ctx, run.Target)
	if err != nil || last.Run != run.ID {
		return told, err
	}
	p, err := h.storedPlan(ctx, last)
	if err != nil {
		return told, err
	}
	p.Beside.Undoes = run.Undoes
	return name, tell(RunEvent{ID: fmt.Sprint(writes), Plan: &p})
}

// tellWrites tells the writes of a run after a place. It stops at one that is open: the order of events is that of the writes.
func (h *House) tellWrites(ctx context.Context, run store.Run, from store.WritePlace, tell func(RunEvent) error) (store.WritePlace, error) {
	for {
		writes, err := h.Store.WritesAfter(ctx, run.ID, from, writesAtOnce)
		if err != nil {
			return from, err
		}
		for _, w := range writes {
			if w.Outcome.Result == "" && run.FinishedAt.IsZero() {
				return from, nil
			}
			from = w.Place
			if w.Outcome.Result == "" {
				continue // its answer was lost
			}
			said := writeOf(w.Write)
			if err := tell(RunEvent{ID: fmt.Sprint(from.N), Write: &said}); err != nil {
				return from, err
			}
		}
		if len(writes) < writesAtOnce {
			return from, nil
		}
	}
}

// writesAtOnce is how many writes of a run are read at a time.
const writesAtOnce = 500

func writeOf(w store.Write) Write {
	role, _ := team.ParseRole(w.Write.Role) // a write without one is a member's
	return Write{
		Team: w.Slug, TeamID: w.Team, Act: w.Write.Act, Account: Account{team.AccountID(w.Write.Account), w.Write.Login}, Role: role,
		Result: target.Result(w.Outcome.Result), Error: w.Outcome.Error,
	}
}

// DoneOf says what a run has done so far, from the database.
func (h *House) DoneOf(ctx context.Context, id string) (Done, error) {
	run, err := h.run(ctx, id)
	if err != nil {
		return Done{}, err
	}
	r := run.Report
	d := Done{
		Target: run.Target, Run: run.ID, State: r.State, Guards: []string{}, Unread: list(r.Unread), Undoes: run.Undoes, Skipped: r.Skipped,
		Calls: run.Calls.Made, Cost: run.Calls.Cost, Objected: r.Objected, Held: r.Summary.Held,
	}
	d.Beside = &DoneWords{StartedAt: run.StartedAt, FinishedAt: run.FinishedAt}
	writes, err := h.Store.Writes(ctx, run.ID)
	if err != nil {
		return d, err
	}
	teams := make(map[string]bool)
	for _, w := range writes {
		var changed bool
		if d, changed = d.with(writeOf(w)); changed {
			teams[w.Slug] = true
		}
	}
	d.Beside.Teams = len(teams)
	last, err := h.Store.LastPlan(ctx, run.Target)
	if errors.Is(err, store.ErrNotFound) || err == nil && last.Run != run.ID {
		return d, nil
	}
	if err != nil {
		return d, err
	}
	p := PlanOf(last.Plan, last.Objections)
	d.Held = p.Summary.Held
	d.Beside.Planned, d.Beside.Refused, d.Beside.Objections, d.Beside.Stopped = &p.Summary, len(p.Refused), p.Objections, p.Stopped()
	if d.Objected > 0 {
		d.Guards = p.Guards()
	}
	return d, nil
}

// with adds one write, and reports whether it has changed something.
func (d Done) with(w Write) (Done, bool) {
	switch w.Result {
	case target.Already:
		d.Already++
		return d, false
	case target.Skipped, "":
		return d, false
	case target.Done, target.Pending, target.Result(audit.Seen):
	default:
		d.Failed++
		return d, false
	}
	switch plan.Act(w.Act) {
	case plan.Add:
		d.Added++
	case plan.Update:
		d.Updated++
	case plan.Remove, plan.Cancel:
		d.Removed++
	default:
		d.Created++
	}
	return d, true
}

// failure is why a run that has ended did not go through; nil when it did.
func (d Done) failure(message string) error {
	switch {
	case d.State == "cancelled":
		return Errorf(Stopped, "%s: %s", d.Target, message).WithHint("what was written is in the audit record, and the next sync does the rest")
	case d.State == "failed" && message != "":
		return Errorf(Failed, "%s: %s", d.Target, message)
	}
	return nil
}

// MayRun is the refusal to begin anything with a target that is paused; nil when it runs.
func (h *House) MayRun(ctx context.Context, target string) error { return h.mayRun(ctx, target) }

// OpenRun returns the run of a target that is under way; empty when there is none, or when nobody has been at it for so long that the next
// run takes its place.
func (h *House) OpenRun(ctx context.Context, target string) (string, error) {
	run, err := h.Store.OpenRun(ctx, target)
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	p, err := h.Store.Progress(ctx, run.ID)
	alive := run.StartedAt
	for _, at := range []time.Time{p.At, p.WaitsUntil} {
		if at.After(alive) {
			alive = at
		}
	}
	if h.now().Sub(alive) > dead {
		return "", err
	}
	return run.ID, err
}

// dead is how long an open run may show no sign of life; reconcile closes it after that.
const dead = 10 * time.Minute

// RunStatus says how a run stands, without its writes.
func (h *House) RunStatus(ctx context.Context, id string) (RunStatus, error) {
	run, err := h.run(ctx, id)
	return runOf(run), err
}
