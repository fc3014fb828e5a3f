package answer

import (
	"cmp"
	"context"
	"slices"
	"time"

	"musterline.example/audit"
	"musterline.example/store"
)

// A ShownRun is a run as people look at it: how it went, in figures. Its writes are asked for by the page.
type ShownRun struct {
	RunStatus
	Organization string      `json:"organization,omitempty"`
	Credential   string      `json:"credential,omitempty"` // under which it acted: its kind and id
	CancelledBy  string      `json:"cancelled_by,omitempty"`
	UndoneBy     string      `json:"undone_by,omitempty"` // the run that has taken it back
	Wishes       []RunWish   `json:"wishes"`              // that it answers, the oldest first; forgotten some days after it
	Summary      PlanSummary `json:"summary"`             // of its last plan
	Already      int         `json:"already"`
	Skipped      int         `json:"skipped"`
	Unknown      int         `json:"unknown"` // writes whose answer was lost: the next run looks whether they took effect
	Unread       []string    `json:"unread"`  // sources that could not be read, and why
	Writes       int         `json:"writes"`  // that it has set out to make
	Settled      int         `json:"settled"` // of these, those that have ended: where its events go on
	Results      []ResultSum `json:"results"`
	Undoable     int         `json:"undoable"` // writes that undoing it would look at
	Planned      bool        `json:"planned"`  // its plan is the last one of the target
	Progress     RunProgress `json:"progress"`
}

// A RunWish is why somebody, or something, asked for a run.
type RunWish struct {
	Trigger string    `json:"trigger"`
	Asker   string    `json:"asker,omitempty"`
	Why     string    `json:"why,omitempty"`
	At      time.Time `json:"at"`
}

// A ResultSum is how many writes of a run ended in one way.
type ResultSum struct {
	Result string `json:"result"` // open where there is none yet
	Writes int    `json:"writes"`
}

// openWrite is the result of a write that has none yet, in words.
const openWrite = "open"

// ShownRun says how a run goes or went.
func (h *House) ShownRun(ctx context.Context, id string) (ShownRun, error) {
	r, err := h.run(ctx, id)
	if err != nil {
		return ShownRun{}, err
	}
	s := r.Report.Summary
	run := ShownRun{
		RunStatus: runOf(r), Credential: r.Credential, CancelledBy: r.Cancelled, Wishes: []RunWish{}, Results: []ResultSum{},
		Already: r.Report.Already, Skipped: r.Report.Skipped, Unknown: r.Report.Unknown, Unread: list(r.Report.Unread),
		Summary: PlanSummary{
			Add: s.Add, Remove: s.Remove, Update: s.Update, Held: s.Held, Objected: r.Report.Objected, Teams: s.Teams, Create: s.Create, People: s.People,
		},
	}
	if run.FinishedAt.IsZero() {
		run.State = store.Running
	}
	if run.Progress, err = h.progressOf(ctx, r); err != nil {
		return run, err
	}
	if run.UndoneBy, err = h.Store.UndoneBy(ctx, r.Target, r.ID); err != nil {
		return run, err
	}
	wishes, err := h.Store.Wishes(ctx, r.ID)
	if err != nil {
		return run, err
	}
	for _, w := range wishes {
		run.Wishes = append(run.Wishes, RunWish{w.Trigger, w.Asker, w.Why, w.AskedAt})
	}
	count, err := h.Store.CountWrites(ctx, r.ID)
	if err != nil {
		return run, err
	}
	for result, n := range count {
		run.Writes += n
		if result == audit.Done || result == audit.Seen {
			run.Undoable += n
		}
		if result != "" {
			run.Settled += n
		}
		run.Results = append(run.Results, ResultSum{cmp.Or(string(result), openWrite), n})
	}
	slices.SortFunc(run.Results, func(a, b ResultSum) int { return cmp.Compare(a.Result, b.Result) })
	if place, err := h.Store.Place(ctx, r.Target); err == nil {
		run.Organization = place.Organization
	}
	mark, err := h.Store.PlanMark(ctx, r.Target)
	run.Planned = err == nil && mark.Run == r.ID
	return run, nil
}

// A WritesWish asks for writes of a run.
type WritesWish struct {
	Run    string
	Result string // only those that ended so; open: those that have not ended
	Text   string // a part of a login or a slug
	After  int    // so many were shown on the pages before
	Size   int
}

// RunWrites are writes of a run, in the order in which they were made.
type RunWrites struct {
	Writes []RunWrite `json:"writes"`
	More   bool       `json:"more"`
}

// RunWrites returns a page of what a run wrote or tried to, each with its reason and how it ended.
func (h *House) RunWrites(ctx context.Context, wish WritesWish) (RunWrites, error) {
	r, err := h.run(ctx, wish.Run)
	if err != nil {
		return RunWrites{}, err
	}
	page := RunWrites{Writes: []RunWrite{}}
	chosen := 0
	for from := 0; ; from += writesAtOnce {
		writes, err := h.Store.WritesFrom(ctx, r.ID, from, writesAtOnce)
		if err != nil {
			return page, err
		}
		for _, w := range writes {
			if wish.Result != "" && cmp.Or(string(w.Outcome.Result), openWrite) != wish.Result || !contains(w.Slug+" "+w.Write.Login, wish.Text) {
				continue
			}
			if chosen++; chosen <= wish.After {
				continue
			}
			if len(page.Writes) == wish.Size {
				page.More = true
				return page, nil
			}
			page.Writes = append(page.Writes, runWriteOf(w))
		}
		if len(writes) < writesAtOnce {
			return page, nil
		}
	}
}
