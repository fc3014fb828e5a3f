package answer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"musterline.example/apply"
	"musterline.example/guard"
	"musterline.example/internal/words"
	"musterline.example/plan"
	"musterline.example/reconcile"
	"musterline.example/target"
	"musterline.example/team"
)

// A SyncWish asks for a sync of one target.
type SyncWish struct {
	Target  string `json:"target"`
	Trigger string `json:"trigger,omitempty"` // what set it off: person, event or schedule
	By      string `json:"by,omitempty"`

	// Digest is that of a plan that was shown: the sync makes exactly those changes, or none because the world has moved since.
	Digest string `json:"digest,omitempty"`
	// Answered says that a person has said yes to that plan: it answers the guard approval, and no other.
	Answered bool `json:"answered,omitempty"`

	Begun func(run string) `json:"-"` // told of the run before it reads anything; may be nil
}

// A Progress is one thing that happens in a sync: either of the two is set.
type Progress struct {
	Plan  *Plan  `json:"plan,omitempty"` // what is about to be done; anew with each slice of the run
	Write *Write `json:"write,omitempty"`
}

// A Write is one write as it happened.
type Write struct {
	Team    string        `json:"team"` // its slug
	TeamID  team.ID       `json:"team_id"`
	Act     string        `json:"act"`     // add, update, remove or cancel; create for the team itself
	Account Account       `json:"account"` // empty for create
	Role    team.Role     `json:"role"`    // after an add or an update
	Result  target.Result `json:"result"`
	Error   string        `json:"error,omitempty"`
}

// Failed reports whether the write did not take effect and was not in place.
func (w Write) Failed() bool {
	return w.Result != target.Done && w.Result != target.Pending && w.Result != target.Already
}

// WriteOf puts a write into plain words.
func WriteOf(w apply.Written) Write {
	out := Write{
		Team: w.Slug, TeamID: cmp.Or(w.Outcome.Team, w.Team), Act: w.Outcome.Act, Account: Account{w.Change.Account, w.Change.Login}, Role: w.Change.Role,
		Result: w.Outcome.Result,
	}
	if w.Outcome.Err != nil {
		out.Error = w.Outcome.Err.Error()
	}
	return out
}

// Synced is what `sync --json` prints.
type Synced struct {
	Format  int    `json:"format"`
	Targets []Done `json:"targets"`
}

// A Done is what a run of one target did.
type Done struct {
	Target   string     `json:"target"`
	Run      string     `json:"run,omitempty"`
	State    string     `json:"state"` // done, objected, failed, cancelled, off or paused
	Created  int        `json:"created"`
	Added    int        `json:"added"`
	Removed  int        `json:"removed"`
	Updated  int        `json:"updated"`
	Already  int        `json:"already"`
	Failed   int        `json:"failed"`
	Calls    int        `json:"calls"` // to the target
	Cost     int        `json:"cost"`  // in points of the target's rations, as far as it tells
	Skipped  int        `json:"skipped"`
	Objected int        `json:"objected"`
	Guards   []string   `json:"guards"` // that object
	Held     int        `json:"held"`
	Unread   []string   `json:"unread"` // sources that could not be read, and why
	Undoes   string     `json:"undoes,omitempty"`
	Beside   *DoneWords `json:"beside,omitempty"` // what else there is to tell people
}

// DoneWords are what there is to tell people of a run beside its figures.
type DoneWords struct {
	StartedAt   time.Time      `json:"started_at"`
	FinishedAt  time.Time      `json:"finished_at"`
	Teams       int            `json:"teams"`             // in which something was changed
	Planned     *PlanSummary   `json:"planned,omitempty"` // none when it did not come that far
	Refused     int            `json:"refused,omitempty"` // mappings
	Left        int            `json:"left,omitempty"`    // writes that an interruption or an error left undone
	Interrupted bool           `json:"interrupted,omitempty"`
	Paused      *Pause         `json:"paused,omitempty"` // why nothing was done
	Objections  []Objection    `json:"objections,omitempty"`
	Stopped     map[string]int `json:"stopped,omitempty"` // changes that each guard stops
	Notes       []string       `json:"notes,omitempty"`   // what has been renamed
}

// Words returns what there is to tell people of the run.
func (d Done) Words() DoneWords {
	if d.Beside == nil {
		return DoneWords{}
	}
	return *d.Beside
}

// Form returns the run as `sync --json` promises it to programs: without what is only said to people.
func (d Done) Form() Done {
	d.Beside = nil
	return d
}

// NothingDone is what there is to tell of a plan that nobody carries out, because nothing in it is free.
func NothingDone(p Plan) Done {
	d := Done{
		Target: p.Target, State: "done", Objected: p.Summary.Objected, Guards: p.Guards(), Held: p.Summary.Held, Unread: []string{},
		Undoes: p.Setting().Undoes,
	}
	if d.Objected > 0 {
		d.State = "objected"
	}
	return d
}

// Err is what makes a run that went through a failed one all the same: writes that failed, sources that could not be read.
func (d Done) Err() error {
	switch {
	case d.Failed > 0:
		return Errorf(Failed, "%s: %s failed", d.Target, words.Count(d.Failed, "write")).WithHint("they are tried again by the next sync")
	case len(d.Unread) > 0:
		return Errorf(Unavailable, "%s: %s", d.Target, strings.Join(d.Unread, "; ")).
			WithHint("nobody joined or left a team for it; to see what is wrong: musterline check")
	}
	return nil
}

// Sync does a run of a target to its end, for whoever waits for it; a server hands the wish to a job. A paused target is no error: nothing
// is done, and the answer says why.
func (h *House) Sync(ctx context.Context, wish SyncWish, tell func(Progress)) (Done, error) {
	lane := Schedule
	if wish.Answered {
		lane = Person
	}
	done, _, err := h.Carry(ctx, lane, wish.Target, reconcile.Budget{
		Run:      reconcile.Run{Trigger: wish.Trigger, Requester: wish.By},
		Answered: wish.Answered, Digest: wish.Digest, Begun: begun(wish.Begun),
	}, tell)
	return done, err
}

// begun tells of a run by its id.
func begun(tell func(run string)) func(reconcile.Run) {
	return func(r reconcile.Run) {
		if tell != nil {
			tell(r.ID)
		}
	}
}

// Carry does a run of a target, slice after slice, until nothing is left or the deadline of the budget has passed; more says that work is
// left. It ends after the write in hand when the run is cancelled or its target paused. The budget's own Begun, Progress and Planned are called as
// well; its Call takes the place of ours.
func (h *House) Carry(ctx context.Context, lane, name string, budget reconcile.Budget, tell func(Progress)) (done Done, more bool, err error) {
	t := h.tally(name, budget.Answered, tell)
	if err := h.writes(); err != nil {
		return t.done, false, err
	}
	d, err := h.Deps(ctx, lane, name)
	if err != nil {
		return t.done, false, err
	}
	began, planned, progress := budget.Begun, budget.Planned, budget.Progress
	listen := &listener{house: h}
	budget.Begun = func(r reconcile.Run) {
		listen.run = r
		if began != nil {
			began(r)
		}
	}
	if budget.Call == nil {
		budget.Call = listen.call
	}
	budget.Planned = func(d *reconcile.Decision) {
		if planned != nil {
			planned(d)
		}
		t.planned(ctx, d)
	}
	budget.Progress = func(w apply.Written) {
		if progress != nil {
			progress(w)
		}
		t.wrote(w)
	}
	if budget.Digest != "" {
		budget.Deadline = time.Time{} // a plan that was seen is carried out in one slice: the next would make another
	}
	for more = true; more; {
		var report reconcile.Report
		report, more, err = reconcile.Slice(ctx, d, name, budget)
		t.slice(report)
		switch {
		case errors.Is(err, reconcile.ErrPaused):
			err = t.paused(ctx)
			return t.end(), false, err
		case errors.Is(err, reconcile.ErrMoved) && budget.Digest != "":
			return t.end(), false, Moved(name)
		case err != nil:
			err = t.failed(err)
			return t.end(), false, err
		case report.State == "cancelled":
			err = t.cancelled(report.Error)
			return t.end(), false, err
		}
		if more && !budget.Deadline.IsZero() && !h.now().Before(budget.Deadline) {
			break
		}
	}
	return t.end(), more, nil
}

// A listener hears between two writes whether the run is to go on.
type listener struct {
	house *House
	run   reconcile.Run
}

// call implements reconcile.Budget's Call. Nobody is waited for: whoever carries the run out waits for it to its end.
func (l *listener) call(bool) reconcile.Called {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	signs, err := l.house.Store.Signs(ctx, l.run.ID)
	switch {
	case err != nil:
		l.house.log.WarnContext(ctx, "nobody can be heard between two writes", "run", l.run.ID, "error", err)
	case signs.Cancelled != "":
		return reconcile.Called{Cancelled: "cancelled by " + signs.Cancelled}
	case signs.Pause.By != "" && !l.run.Paused(signs.Pause):
		return reconcile.Called{Cancelled: "the target was paused by " + signs.Pause.By + ": " + signs.Pause.Reason}
	}
	return reconcile.Called{}
}

// A tally counts what a run does while it does it.
type tally struct {
	house    *House
	answered bool
	tell     func(Progress)

	done     Done
	words    DoneWords
	teams    map[string]bool
	total    int // writes that the reader was told of
	failures int
}

func (h *House) tally(name string, answered bool, tell func(Progress)) *tally {
	if tell == nil {
		tell = func(Progress) {}
	}
	return &tally{
		house: h, answered: answered, tell: tell, teams: make(map[string]bool), words: DoneWords{StartedAt: h.now()},
		done: Done{Target: name, Guards: []string{}, Unread: []string{}},
	}
}

// planned takes up what is about to be done.
func (t *tally) planned(ctx context.Context, d *reconcile.Decision) {
	p := t.house.planOf(ctx, d, d.Plan, d.Objections)
	p.Beside.Undoes = t.done.Undoes
	if t.answered {
		p = p.Answered()
	}
	if n := p.Free(); t.total == 0 && p.Beside.Apply != guard.ApplyOff {
		t.total = n
	}
	summary := p.Summary
	t.words.Planned, t.words.Refused, t.words.Objections, t.words.Stopped = &summary, len(p.Refused), p.Objections, p.Stopped()
	t.done.Held, t.words.Notes = summary.Held, renamed(d.World)
	t.tell(Progress{Plan: &p})
}

// wrote counts one write.
func (t *tally) wrote(w apply.Written) {
	said := WriteOf(w)
	defer t.tell(Progress{Write: &said})
	switch {
	case said.Failed():
		t.failures++
		return
	case said.Result == target.Already:
		t.done.Already++
		return
	}
	t.teams[w.Slug] = true
	switch plan.Act(said.Act) {
	case plan.Add:
		t.done.Added++
	case plan.Update:
		t.done.Updated++
	case plan.Remove, plan.Cancel:
		t.done.Removed++
	default:
		t.done.Created++
	}
}

// slice takes up the report of a slice.
func (t *tally) slice(r reconcile.Report) {
	t.done.Run, t.done.State, t.done.Objected, t.done.Unread = cmp.Or(r.Run, t.done.Run), r.State, r.Objected, list(r.Unread)
	t.done.Skipped = r.Skipped
	t.done.Calls += r.Calls.Made
	t.done.Cost += r.Calls.Cost
}

// failed says what ended the run before its end, and counts what that has left undone.
func (t *tally) failed(err error) error {
	t.words.Left = t.left()
	if t.words.Interrupted = errors.Is(err, context.Canceled); t.words.Interrupted {
		return t.stopped("interrupted")
	}
	return fmt.Errorf("%s: %w", t.done.Target, err)
}

// cancelled says that somebody has ended the run, and counts what that has left undone.
func (t *tally) cancelled(why string) error {
	t.words.Left = t.left()
	return t.stopped(why)
}

func (t *tally) left() int {
	return max(0, t.total-t.done.Added-t.done.Removed-t.done.Updated-t.done.Already-t.failures)
}

func (t *tally) stopped(why string) error {
	rest := "and the next sync does the rest"
	if t.done.Undoes != "" {
		rest = "and the rest can be undone as before"
	}
	return Errorf(Stopped, "%s: %s", t.done.Target, why).WithHint("what was written is in the audit record, " + rest)
}

// paused takes up why nothing was done.
func (t *tally) paused(ctx context.Context) error {
	t.done.State = "paused"
	var err error
	t.words.Paused, err = t.house.paused(ctx, t.done.Target)
	return err
}

func (t *tally) end() Done {
	t.done.Failed, t.words.Teams, t.words.FinishedAt = t.failures, len(t.teams), t.house.now()
	if t.done.Objected > 0 {
		t.done.Guards = guards(t.words.Objections)
	}
	told := t.words
	t.done.Beside = &told
	return t.done
}
