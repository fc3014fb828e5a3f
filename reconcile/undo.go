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
	"musterline.example/target"
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
// leaves the target paused, because the next sync would do the same again. With b.Digest it makes the changes of the plan with that digest,
// or none and ErrMoved. Of the budget only the deadline is not looked at, and a Call that only says to leave is not heeded.
func Undo(ctx context.Context, d Deps, name, undone string, b Budget) (report Report, err error) {
	b.Run.Undoes, b.Run.Trigger = undone, "undo"
	ctx, calls := target.Counted(ctx)
	if t, ok := d.Targets[name]; ok {
		if err := closeIntents(ctx, d, t, name); err != nil {
			return report, err
		}
	}
	t, dec, err := d.planUndo(ctx, name, undone, b.Answered)
	if err != nil {
		return report, err
	}
	if b.Digest != "" && b.Digest != dec.Plan.Digest {
		return report, ErrMoved
	}
	run, _, err := d.begin(ctx, name, b.Run, "")
	if err != nil {
		return report, err
	}
	run.Why = b.Run.Why
	if b.Begun != nil {
		b.Begun(run)
	}
	defer func() {
		why := recover()
		if why != nil {
			err = errFault
		}
		report.Calls = d.countCalls(ctx, run, calls())
		report = d.finish(ctx, run, nil, report, err)
		if why != nil {
			panic(why)
		}
	}()
	if err := d.Notebook.SavePlan(ctx, run.ID, dec.Plan, dec.Objections); err != nil {
		return report, err
	}
	if b.Planned != nil {
		b.Planned(dec)
	}
	// Paused first: were it done last, a crash in between would let the next sync write again what was just taken back.
	pause := Pause{By: b.Run.Requester, Reason: run.pauses(), At: d.Now()}
	if err := d.Notebook.Pause(ctx, name, pause); err != nil {
		return report, err
	}
	report = dec.report()
	w := &witness{progress: b.Progress}
	cancelled := ""
	var leave func(within bool) bool
	if b.Call != nil {
		leave = func(within bool) bool {
			cancelled = b.Call(within).Cancelled
			return cancelled != ""
		}
	}
	applied, err := apply.Run(ctx, t, dec.Approved, d.Log, apply.Options{
		Run: run.ID, Now: d.Now, Progress: w.saw, Leave: leave,
		Actor: audit.Actor{Credential: dec.World.Credential, Trigger: run.Trigger, Requester: run.Requester},
	})
	report = report.with(applied)
	if cancelled != "" {
		report.State, report.Error = "cancelled", cancelled
	}
	return report, errors.Join(err, d.restore(ctx, undone, run.ID, dec.World.Place, w.done))
}

// pauses is why the target of an undo is paused.
func (r Run) pauses() string {
	said := "run " + r.Undoes + " was undone by run " + r.ID
	if r.Why != "" {
		said += ": " + r.Why
	}
	return said
}

// Paused reports whether a pause is that with which an undo leaves its target.
func (r Run) Paused(p Pause) bool { return r.Undoes != "" && p.Reason == r.pauses() }

func (d Deps) planUndo(ctx context.Context, name, undone string, answered bool) (Target, *Decision, error) {
	t, ok := d.Targets[name]
	if !ok {
		return t, nil, fmt.Errorf("%w: %q", ErrNoTarget, name)
	}
	writes, err := d.undoable(ctx, name, undone)
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
	var people []team.Account
	for _, now := range w.Teams {
		for _, m := range now.Members {
			people = append(people, team.Account{ID: m.Account, Login: m.Login})
		}
	}
	w.protect(t, people)
	p := plan.Compute(name, inverse(writes, w.Teams, w.Place.Self), w.Teams)
	if p.Empty() {
		return t, nil, ErrNothingToUndo
	}
	facts := gather(t, w, p, &link.Result{})
	facts.ApprovedByHand = answered
	for id, tf := range facts.Teams {
		tf.Connected = true // the run that is taken back has connected it
		facts.Teams[id] = tf
	}
	approved, objections := guard.Approve(p, facts, w.guards(t), w.memory.waivers)
	return t, &Decision{Plan: p, Approved: approved, Objections: objections, Links: &link.Result{}, Facts: facts, World: w}, nil
}

// undoable are the writes of a run that took effect, or may have: of those that a crash left open, the target as it is now tells.
func (d Deps) undoable(ctx context.Context, name, undone string) ([]RunWrite, error) {
	writes, err := d.Memory.RunWrites(ctx, undone)
	if err != nil {
		return nil, err
	}
	open, err := d.Memory.OpenIntents(ctx, name)
	if err != nil {
		return nil, err
	}
	for _, i := range open {
		if i.Intent.Run != undone || i.Intent.Team == "" {
			continue
		}
		for _, write := range i.Open {
			writes = append(writes, RunWrite{Write: write, Team: team.ID(i.Intent.Team), Slug: i.Intent.Slug})
		}
	}
	return writes, nil
}

// A trace is what a run did to one membership: its first write there tells how it was before, its last how the run left it.
type trace struct{ first, last RunWrite }

// traces puts the writes of a run together by membership, in the order of the first ones.
func traces(writes []RunWrite) []trace {
	type membership struct {
		team    team.ID
		account string
	}
	var all []trace
	at := make(map[membership]int)
	for _, write := range writes {
		m := membership{write.Team, write.Account}
		if i, again := at[m]; again {
			all[i].last = write
			continue
		}
		at[m] = len(all)
		all = append(all, trace{write, write})
	}
	return all
}

// back says what a membership should be for the run to be taken back; nothing when somebody has changed it since. An invitation that was
// cancelled is not sent again.
//
//	the run     now                    back
//	added       there                  out
//	changed     there with that role   the role before
//	removed     absent                 in, with the role before
func (tr trace) back(now team.Team) (team.In, team.Role, bool) {
	m, there := now.Member(team.AccountID(tr.first.Account))
	before, _ := team.ParseRole(tr.first.From)
	gone := plan.Act(tr.last.Act) == plan.Remove || plan.Act(tr.last.Act) == plan.Cancel
	switch plan.Act(tr.first.Act) {
	case plan.Add:
		return team.Out, before, there && !gone
	case plan.Update, plan.Remove:
		asLeft := there == !gone && (gone || !m.Pending && m.Role.String() == tr.last.Role)
		return team.Yes, before, asLeft
	}
	return team.Keep, before, false
}

// inverse is what the teams of a run should hold for its writes to be taken back. Who is not named stays as they are. No source is named,
// for an undo rests on no source's facts. Our own account, which leaves the teams that it creates, does not come back to them.
func inverse(writes []RunWrite, teams []team.Team, self team.AccountID) []team.Wanted {
	all := make([]team.Wanted, len(teams))
	at := make(map[team.ID]int, len(teams))
	for i, t := range teams {
		all[i].Team, at[t.ID] = t.ID, i
	}
	for _, tr := range traces(writes) {
		account := team.AccountID(tr.first.Account)
		i, there := at[tr.first.Team]
		if !there || account == self {
			continue // the team is gone, and its members with it
		}
		in, role, ok := tr.back(teams[i])
		if !ok {
			continue
		}
		want := team.Want{Account: account, Login: tr.first.Login, User: tr.first.User, In: in, Role: role, Demote: in == team.Yes, Why: []team.Reason{{Rule: team.Undone}}}
		for _, key := range tr.first.Mappings {
			want.Why = append(want.Why, team.Reason{Rule: team.Undone, Key: key})
		}
		all[i].Members = append(all[i].Members, want)
	}
	for _, w := range all {
		slices.SortFunc(w.Members, func(a, b team.Want) int { return strings.Compare(string(a.Account), string(b.Account)) })
	}
	return all
}

// restore puts the ledger's rows of the memberships that were taken back as they were before the undone run; where there was none, there is
// none again.
func (d Deps) restore(ctx context.Context, undone, run string, place team.Place, done []guard.Ref) error {
	ctx = context.WithoutCancel(ctx)
	writes, err := d.Memory.RunWrites(ctx, undone)
	if err != nil {
		return err
	}
	rows, none := mapping.Ledger{}, mapping.Ledger{}
	for _, tr := range traces(writes) {
		taken := slices.ContainsFunc(done, func(r guard.Ref) bool {
			return r.Team == tr.first.Team && string(r.Account) == tr.first.Account
		})
		switch {
		case taken && tr.first.Before != nil:
			rows[tr.first.Team] = append(rows[tr.first.Team], *tr.first.Before)
		case taken:
			none[tr.first.Team] = append(none[tr.first.Team], mapping.Entry{Account: team.AccountID(tr.first.Account)})
		}
	}
	return errors.Join(d.Notebook.Restore(ctx, run, place, rows), d.Notebook.Forget(ctx, run, place, none))
}
