// Package reconcile is the order of a sync and nothing else: sources are read, users are linked to accounts, mappings say who belongs where,
// the plan is the difference, guards judge it, and what is approved is applied under the audit log. Read this file first; each line of it
// leads into the package that knows how.
package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"musterline.example/apply"
	"musterline.example/audit"
	"musterline.example/directory"
	"musterline.example/guard"
	"musterline.example/link"
	"musterline.example/mapping"
	"musterline.example/plan"
	"musterline.example/source"
	"musterline.example/target"
	"musterline.example/team"
)

// Deps is what a reconcile works with. Notebook and Log may be nil for Plan, which writes nothing.
type Deps struct {
	Sources  map[string]source.Source
	Targets  map[string]Target
	File     map[string][]mapping.Mapping // of the configuration file, by target
	Rules    []mapping.Rule
	Tiers    []link.Tier
	Manual   map[string][]link.Statement // of the configuration, by host
	Memory   Recollection
	Notebook Notebook
	Log      audit.Log
	Now      func() time.Time
	Logger   *slog.Logger

	// Reader answers in the place of Sources where these are read by jobs of their own, once for all targets. Nil: a run reads them itself.
	Reader Reader
}

// A Reader has complete reads of sources at hand.
type Reader interface {
	// Snapshot returns a complete read that is young enough for the requests of the run, with the members of these groups, or *Wait when
	// one has to be made first. Any other error is that of the last try to read the source.
	Snapshot(ctx context.Context, source string, groups source.Selection, run Run) (*directory.Snapshot, error)
}

// A Wait is the error of a Reader that has asked for a read, and of a Slice that waits for it with its run left open.
type Wait struct {
	Source string    // that is being read
	Until  time.Time // when to look again at the latest
}

// Error says for what.
func (w *Wait) Error() string { return "waiting for source " + w.Source + " to be read" }

// A Target is an open target with what the operator has set for it.
type Target struct {
	target.Target
	Kind       string // the key of the logins that identity providers assert, such as "github"
	Applies    string // auto, approve or off: the setting apply
	Settings   mapping.Settings
	Protected  []string // logins or account ids that never lose a team
	Guards     guard.Settings
	TeamGuards map[string]guard.Settings // by slug, or the team's name as its mappings give it
}

// A Budget says how much of the work one slice may do, and for whom.
type Budget struct {
	Deadline time.Time // nothing more is read and no team is begun after it; zero is none
	Run      Run       // the run to open, if none is open: trigger and requester
	Answered bool      // a person has said yes to this very plan: it answers the guard approval and no other
	Digest   string    // carry out the plan with this digest or none; for the first slice
	Progress func(apply.Written)
	Planned  func(*Decision) // told of the plan before anything is written; may be nil

	// Patient says that the caller comes back: a run that meets a limit or the end of its context is left open for the next slice.
	Patient bool
	// Kept is how old what the last run has read of the target may be to serve a run that is asked for some teams or one account only;
	// zero: everything is always read. What it serves for is read again before it is written.
	Kept  time.Duration
	Begun func(Run)                // told of the run; may be nil
	Phase func(Phase)              // told of what is done next; may be nil
	Call  func(within bool) Called // asked before each team and, within one, after each write; may be nil
}

// A Phase is what a slice is at.
type Phase string

// The phases.
const (
	ReadingSources Phase = "reading sources"
	ReadingTeams   Phase = "reading teams"
	Writing        Phase = "writing"
)

// Called is what a slice is told between two writes.
type Called struct {
	Leave     bool   // the rest is for the next slice
	Cancelled string // ends the run, and says why
}

func (b Budget) phase(p Phase) {
	if b.Phase != nil {
		b.Phase(p)
	}
}

// A Decision is everything that one look at the world led to, before anything is written.
type Decision struct {
	Plan       *plan.Plan
	Approved   guard.Approved
	Objections []guard.Objection
	Result     mapping.Result
	Links      *link.Result
	Facts      guard.Facts
	World      *World
}

// Errors that Slice and Plan return for a person to act on.
var (
	ErrPaused   = errors.New("the target is paused")
	ErrMoved    = errors.New("the world has moved since that plan was made")
	ErrNoTarget = errors.New("there is no such target")
	ErrNoSource = errors.New("there is no such source")
)

// errFault is the end of a run in a panic. Whoever stops the panic has what it was.
var errFault = errors.New("a fault of Musterline's own broke it off, and the log tells more")

// Plan looks at the world and says what a sync would do. It writes nothing, neither to the target nor to memory.
func Plan(ctx context.Context, d Deps, name string) (*Decision, error) {
	t, ok := d.Targets[name]
	if !ok {
		return nil, fmt.Errorf("%w: %q", ErrNoTarget, name)
	}
	world, err := read(ctx, d, name, t, Run{}, nil, Budget{})
	if err != nil {
		return nil, err
	}
	return decide(d, t, world, false), nil
}

// Slice does one piece of a target's run within the budget; more says that work is left for another. It opens a run or goes on with the
// open one, closes what a crash left open, and plans anew from what the run has read and what changed since. More with an error says that
// the run is left open: the error is a *Wait, or a patient caller's limit or end.
func Slice(ctx context.Context, d Deps, name string, b Budget) (report Report, more bool, err error) {
	t, ok := d.Targets[name]
	if !ok {
		return report, false, fmt.Errorf("%w: %q", ErrNoTarget, name)
	}
	if p, err := d.Memory.Paused(ctx, name); err != nil {
		return report, false, err
	} else if p.By != "" {
		return report, false, fmt.Errorf("%w by %s since %s: %s", ErrPaused, p.By, p.At.Format(time.DateTime), p.Reason)
	}
	run, earlier, err := d.begin(ctx, name, b.Run, b.Digest)
	if err != nil {
		return report, false, err
	}
	ctx, calls := target.Counted(ctx)
	if b.Begun != nil {
		b.Begun(run)
	}
	var world *World
	defer func() {
		why := recover()
		if why != nil {
			world, more, err = nil, false, errFault
		}
		report.Calls = d.countCalls(ctx, run, calls())
		if !more {
			report = d.finish(ctx, run, world, report, err)
		}
		if why != nil {
			panic(why)
		}
	}()
	if run.Cancelled != "" {
		report.State, report.Error = "cancelled", "cancelled by "+run.Cancelled
		return report, false, closeIntents(ctx, d, t, name)
	}
	if err := closeIntents(ctx, d, t, name); err != nil {
		return report, b.waits(ctx, err), err
	}

	world, err = read(ctx, d, name, t, run, earlier, b) // 1–3: sources, target, accounts
	if err != nil {
		unread := world
		world = nil
		switch {
		case errors.Is(err, errUnfinished), b.waits(ctx, err):
			return report, true, d.leaveUnread(ctx, run, unread, err)
		case errors.Is(err, errCancelled):
			report.State, report.Error, err = "cancelled", unread.cancelled, nil
		}
		return report, false, err
	}
	decision := decide(d, t, world, b.Answered) // 4–7: link, mapping, plan, guard
	if b.Digest != "" && b.Digest != decision.Plan.Digest {
		return report, false, ErrMoved
	}
	if err := remember(ctx, d, run, world, decision); err != nil {
		return report, b.waits(ctx, err), err
	}
	if b.Planned != nil {
		b.Planned(decision)
	}
	report = decision.report()
	if t.Applies == "off" {
		report.State = "off"
		return report, false, d.keep(ctx, name, world, b)
	}

	b.phase(Writing)
	w := &witness{progress: b.Progress}
	cancelled := ""
	applied, err := apply.Run(ctx, t, decision.Approved, d.Log, apply.Options{ // 8: apply, under the audit log
		Run: run.ID, Now: d.Now, First: world.first(run, decision.Plan), Deadline: b.Deadline, Progress: w.saw, Leave: b.leave(&cancelled),
		Actor: audit.Actor{Credential: world.Credential, Trigger: run.Trigger, Requester: run.Requester},
	})
	report = report.with(applied)
	waits := b.waits(ctx, err)
	if cancelled != "" && !waits {
		report.State, report.Error = "cancelled", cancelled
	}
	more = waits || err == nil && cancelled == "" && world.goOn(applied, b.Digest != "")
	err = errors.Join(err, d.settle(ctx, name, run, world, decision, w, applied, more))
	if !more {
		err = errors.Join(err, d.keep(ctx, name, world, b))
	}
	return report, more && (err == nil || waits), err
}

// waits reports whether an error is none of the run's: a read of a source or a limit has to be waited for, or the caller has to go.
func (b Budget) waits(ctx context.Context, err error) bool {
	if _, ok := errors.AsType[*Wait](err); ok {
		return true
	}
	return b.Patient && err != nil && (target.ClassOf(err) == target.Limited || errors.Is(ctx.Err(), context.Canceled))
}

// leave is what apply asks; why the run was cancelled is put in cancelled.
func (b Budget) leave(cancelled *string) func(within bool) bool {
	if b.Call == nil {
		return nil
	}
	return func(within bool) bool {
		called := b.Call(within)
		*cancelled = called.Cancelled
		return called.Leave || called.Cancelled != ""
	}
}

// decide takes the world through link, mapping, plan and guard.
func decide(d Deps, t Target, w *World, answered bool) *Decision {
	links := link.Resolve(link.Input{
		Snapshots: w.snapshots(), Kind: t.Kind, Organization: w.Place.OrganizationID, Accounts: w.Accounts, Complete: w.Identities,
		Before: w.memory.links, Statements: w.memory.statements, Tiers: d.Tiers, Now: w.now,
	})
	result := mapping.Resolve(mapping.Input{
		Target: w.Target, Place: w.Place, Mappings: w.Mappings, Sources: w.Sources, Links: links,
		Accounts: w.Accounts, Teams: w.Teams, Ledger: w.memory.ledger, Connected: w.memory.connected, Disconnects: w.memory.disconnects,
		Former: w.memory.former, Absences: w.Absences, Settings: w.Settings, Now: w.now,
	})
	p := plan.Compute(w.Target, result.Wanted, w.Teams)
	report(p, result, w)

	facts := gather(t, w, p, links)
	facts.ApprovedByHand = answered
	approved, objections := guard.Approve(p, facts, w.guards(t), w.memory.waivers)
	w.noteShapes(facts, objections)
	return &Decision{Plan: p, Approved: approved, Objections: objections, Result: result, Links: links, Facts: facts, World: w}
}

// guards are those of a target, which know whom mapping protects.
func (w *World) guards(t Target) []guard.Guard {
	settings := t.Guards
	settings.Apply = t.Applies
	settings.Protected = slices.Clone(settings.Protected)
	for _, id := range w.Settings.Protected {
		settings.Protected = append(settings.Protected, string(id))
	}
	return guard.All(settings)
}

// report puts held people and refusals beside the changes of the plan, with names for people.
func report(p *plan.Plan, r mapping.Result, w *World) {
	slugs := make(map[team.ID]string, len(w.Teams))
	for _, t := range w.Teams {
		slugs[t.ID] = t.Slug
	}
	for _, h := range r.Held {
		p.Held = append(p.Held, plan.Held{Team: h.Team, Slug: slugs[h.Team], User: h.User.String(), Name: h.Name, Reason: h.Reason, Message: h.Message})
	}
	for _, f := range append(w.Refused, r.Refused...) {
		p.Refused = append(p.Refused, plan.Refused{Team: f.Team, Slug: f.Slug, Mapping: f.Mapping, Reason: string(f.Reason), Message: f.Message})
	}
}
