package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"musterline.example/apply"
	"musterline.example/audit"
	"musterline.example/guard"
	"musterline.example/link"
	"musterline.example/mapping"
	"musterline.example/plan"
	"musterline.example/team"
)

// ErrNothingToUndo is what Undo returns for a run that wrote nothing, or whose writes are no longer in place.
var ErrNothingToUndo = errors.New("nothing of that run is left to undo")

// PlanUndo says what taking back a run would do: everything it wrote that is still as it left it. It writes nothing. Teams that the run
// created stay, without the members it gave them.
func PlanUndo(ctx context.Context, d Deps, name, undone string) (*Decision, error) {
	_, dec, err := d.planUndo(ctx, name, undone, false)
	return dec, err
}

// Undo takes a run back: it plans the inverse of its writes, passes the guards, applies, puts the rows of the ledger back as they were, and
// leaves the target paused, because the next sync would do the same again. Only b.Answered, b.Progress and b.Run are looked at.
func Undo(ctx context.Context, d Deps, name, undone string, b Budget) (report Report, err error) {
	b.Run.Undoes, b.Run.Trigger = undone, "undo"
	t, dec, err := d.planUndo(ctx, name, undone, b.Answered)
	if err != nil {
		return report, err
	}
	run, err := d.begin(ctx, name, b.Run)
	if err != nil {
		return report, err
	}
	defer func() { report = d.finish(ctx, run, nil, report, err) }()
	if err := d.Notebook.SavePlan(ctx, run.ID, dec.Plan, dec.Objections); err != nil {
		return report, err
	}
	// Paused first: were it done last, a crash in between would let the next sync write again what was just taken back.
	pause := Pause{By: b.Run.Requester, Reason: "run " + undone + " was undone by run " + run.ID, At: d.Now()}
	if err := d.Notebook.Pause(ctx, name, pause); err != nil {
		return report, err
	}
	report = dec.report()
	w := &witness{progress: b.Progress}
	applied, err := apply.Run(ctx, t, dec.Approved, d.Log, apply.Options{
		Run: run.ID, Now: d.Now, Progress: w.saw,
		Actor: audit.Actor{Credential: dec.World.Credential, Trigger: run.Trigger, Requester: run.Requester},
	})
	report = report.with(applied)
	return report, errors.Join(err, d.restore(ctx, undone, run.ID, dec.World.Place, w.done))
}

func (d Deps) planUndo(ctx context.Context, name, undone string, answered bool) (Target, *Decision, error) {
	t, ok := d.Targets[name]
	if !ok {
		return t, nil, fmt.Errorf("%w: %q", ErrNoTarget, name)
	}
	writes, err := d.Memory.RunWrites(ctx, undone)
	if err != nil {
		return t, nil, err
	}
	if len(writes) == 0 {
		return t, nil, ErrNothingToUndo
	}
	w := &World{Target: name, Settings: t.Settings, now: d.Now()}
	if w.Standing, err = t.Probe(ctx); err != nil {
		return t, nil, fmt.Errorf("target %s: %w", name, err)
	}
	w.Place, w.Credential = w.Standing.Place, w.Standing.Credential
	if err := w.readMemory(ctx, d); err != nil {
		return t, nil, err
	}
	var ids []team.ID
	for _, write := range writes {
		ids = append(ids, write.Team)
	}
	slices.Sort(ids)
	if w.Teams, err = t.Teams(ctx, slices.Compact(ids)); err != nil {
		return t, nil, fmt.Errorf("target %s: read teams: %w", name, err)
	}
	p := plan.Compute(name, inverse(writes, w.Teams), w.Teams)
	if p.Empty() {
		return t, nil, ErrNothingToUndo
	}
	facts := gather(t, w, p, &link.Result{})
	facts.ApprovedByHand = answered
	for id, tf := range facts.Teams {
		tf.Connected = true // the run that is taken back has connected it
		facts.Teams[id] = tf
	}
	settings := t.Guards
	settings.Apply = t.Applies
	approved, objections := guard.Approve(p, facts, guard.All(settings), w.memory.waivers)
	return t, &Decision{Plan: p, Approved: approved, Objections: objections, Links: &link.Result{}, Facts: facts, World: w}, nil
}

// inverse is what the teams of a run should hold for its writes to be taken back. Who is not named stays as they are, and a membership that
// somebody has changed since is not touched: plan.Compute finds nothing to do for it. No source is named, for an undo rests on no
// source's facts.
func inverse(writes []RunWrite, teams []team.Team) []team.Wanted {
	byTeam := make(map[team.ID]*team.Wanted)
	for _, t := range teams {
		byTeam[t.ID] = &team.Wanted{Team: t.ID}
	}
	for _, write := range writes {
		w := byTeam[write.Team]
		if w == nil {
			continue // the team is gone, and its members with it
		}
		from, _ := team.ParseRole(write.From)
		want := team.Want{Account: team.AccountID(write.Account), Login: write.Login, User: write.User, In: team.Yes, Role: from,
			Why: []team.Reason{{Rule: team.Undone}}}
		for _, key := range write.Mappings {
			want.Why = append(want.Why, team.Reason{Rule: team.Undone, Key: key})
		}
		switch plan.Act(write.Act) {
		case plan.Add:
			want.In = team.Out
		case plan.Update:
			want.Demote = true
		case plan.Cancel:
			continue // an invitation that was cancelled is not sent again
		}
		w.Members = append(w.Members, want)
	}
	var all []team.Wanted
	for _, t := range teams {
		w := byTeam[t.ID]
		slices.SortFunc(w.Members, func(a, b team.Want) int { return strings.Compare(string(a.Account), string(b.Account)) })
		all = append(all, *w)
	}
	return all
}

// restore puts the ledger's rows of the memberships that were taken back as they were before the undone run.
func (d Deps) restore(ctx context.Context, undone, run string, place team.Place, done []guard.Ref) error {
	writes, err := d.Memory.RunWrites(ctx, undone)
	if err != nil {
		return err
	}
	var rows []mapping.Entry
	for _, write := range writes {
		taken := slices.ContainsFunc(done, func(r guard.Ref) bool {
			return r.Team == write.Team && string(r.Account) == write.Account
		})
		if taken && write.Before != nil {
			rows = append(rows, *write.Before)
		}
	}
	return d.Notebook.Restore(context.WithoutCancel(ctx), run, place, rows)
}
