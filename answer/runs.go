package answer

import (
	"context"
	"encoding/json"
	"errors"

	"musterline.example/audit"
	"musterline.example/store"
	"musterline.example/team"
)

// A RunsWish asks for runs.
type RunsWish struct {
	Target  string   `json:"target,omitempty"`  // all when empty
	Targets []string `json:"targets,omitempty"` // or of any of these; nil is no bound
	State   string   `json:"state,omitempty"`   // how they ended, or running
	Trigger string   `json:"trigger,omitempty"`
	Before  string   `json:"before,omitempty"` // only older ones than this run, for the next page
	Limit   int      `json:"limit,omitempty"`  // 20 when 0
}

// Runs are runs, the newest first.
type Runs struct {
	Runs []RunStatus `json:"runs"`
}

// A Run is a run with everything that it wrote or tried to, in order.
type Run struct {
	RunStatus
	Summary PlanSummary `json:"summary"` // of its last plan
	Already int         `json:"already"`
	Skipped int         `json:"skipped"`
	Unknown int         `json:"unknown"` // writes whose answer was lost: the next run looks whether they took effect
	Unread  []string    `json:"unread"`  // sources that could not be read, and why
	Writes  []RunWrite  `json:"writes"`
}

// A RunWrite is one write of a run.
type RunWrite struct {
	Intent  string       `json:"intent"` // the number of its audit entry
	Team    string       `json:"team"`   // its slug then
	TeamID  team.ID      `json:"team_id"`
	Act     string       `json:"act"`
	Account Account      `json:"account"`
	User    string       `json:"user,omitempty"`
	From    string       `json:"from,omitempty"` // role before
	Role    string       `json:"role,omitempty"` // role after
	Why     any          `json:"why,omitempty"`
	Waiver  string       `json:"waiver,omitempty"` // that it needed
	Waived  []string     `json:"waived,omitempty"` // guards that the waiver answered
	Result  audit.Result `json:"result"`           // empty while it is open
	Error   string       `json:"error,omitempty"`
	Said    string       `json:"said,omitempty"` // why, in words
}

// Runs lists runs.
func (h *House) Runs(ctx context.Context, wish RunsWish) (Runs, error) {
	targets := wish.Targets
	if wish.Target != "" {
		if err := OneOf("target", wish.Target, h.targetNames()); err != nil {
			return Runs{}, err
		}
		targets = []string{wish.Target}
	}
	all := Runs{Runs: []RunStatus{}}
	if h.Store == nil {
		return all, nil
	}
	runs, err := h.Store.RunsOf(ctx, store.RunFilter{Targets: targets, State: wish.State, Trigger: wish.Trigger, Before: wish.Before, Limit: wish.Limit})
	if errors.Is(err, store.ErrNotFound) {
		return all, noRun(wish.Before)
	}
	for _, r := range runs {
		all.Runs = append(all.Runs, runOf(r))
	}
	return all, err
}

// Run returns a run with its writes.
func (h *House) Run(ctx context.Context, id string) (Run, error) {
	r, err := h.run(ctx, id)
	if err != nil {
		return Run{}, err
	}
	s := r.Report.Summary
	run := Run{
		RunStatus: runOf(r), Already: r.Report.Already, Skipped: r.Report.Skipped, Unknown: r.Report.Unknown, Unread: list(r.Report.Unread),
		Summary: PlanSummary{
			Add: s.Add, Remove: s.Remove, Update: s.Update, Held: s.Held, Objected: r.Report.Objected, Teams: s.Teams, Create: s.Create, People: s.People,
		},
		Writes: []RunWrite{},
	}
	writes, err := h.Store.Writes(ctx, r.ID)
	for _, w := range writes {
		run.Writes = append(run.Writes, runWriteOf(w))
	}
	return run, err
}

// runWriteOf puts one write of a run into plain words.
func runWriteOf(w store.Write) RunWrite {
	return RunWrite{
		Intent: w.Intent, Team: w.Slug, TeamID: w.Team, Act: w.Write.Act, Account: Account{team.AccountID(w.Write.Account), w.Write.Login},
		User: w.Write.User, From: w.Write.From, Role: w.Write.Role, Why: w.Write.Why, Waiver: w.Write.Waiver, Waived: w.Write.Waived,
		Result: w.Outcome.Result, Error: w.Outcome.Error, Said: WhyWritten(w.Write),
	}
}

// WhyWritten puts the reasons of a write into words, as Why does those of a change.
func WhyWritten(w audit.Write) string {
	var reasons []team.Reason
	if text, err := json.Marshal(w.Why); err == nil && json.Unmarshal(text, &reasons) == nil {
		if said := Why(reasons); said != "" {
			return said
		}
	}
	return w.Rule
}

// runOf says how a run went.
func runOf(r store.Run) RunStatus {
	return RunStatus{
		ID: r.ID, Target: r.Target, Trigger: r.Trigger, Undoes: r.Undoes, Requester: r.Requester, StartedAt: r.StartedAt, FinishedAt: r.FinishedAt,
		State: r.Report.State, Done: r.Report.Done, Failed: r.Report.Failed, Calls: r.Calls.Made, Cost: r.Calls.Cost, Error: r.Report.Error,
	}
}
