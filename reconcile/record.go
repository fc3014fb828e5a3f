package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"musterline.example/apply"
	"musterline.example/audit"
	"musterline.example/guard"
	"musterline.example/link"
	"musterline.example/mapping"
	"musterline.example/plan"
	"musterline.example/target"
	"musterline.example/team"
)

// idle is how long an open run may wait for its next slice. After that its process is taken for dead, and what it has read for old.
const idle = 10 * time.Minute

// begin opens a run for the requests that wait, or goes on with the open one, of which it returns what was read. One that cannot be gone on
// with is closed first, and what its requests named comes first in the new one.
func (d Deps) begin(ctx context.Context, name string, wish Run, digest string) (run Run, earlier *Reading, err error) {
	for {
		wish.Target, wish.StartedAt = name, d.Now()
		if run, err = d.Notebook.Begin(ctx, wish); err != nil {
			return run, nil, err
		}
		if earlier, err = d.Memory.RunReading(ctx, run.ID); err != nil {
			return run, nil, err
		}
		at := run.StartedAt
		if earlier != nil {
			at, run.Tally = earlier.LeftAt, earlier.Tally
		}
		if run.AliveAt.After(at) {
			at = run.AliveAt
		}
		given := Report{Run: run.ID, State: "failed", At: wish.StartedAt}
		switch {
		case run.Undoes != wish.Undoes:
			given.Error = "it was left open, and a run of another sort has begun since"
		case earlier != nil && digest != "":
			given.Error = "it was left open, and a saved plan is carried out since" // which has to be compared with the world of now
		case wish.StartedAt.Sub(at) > idle:
			given.Error = "it was left open, and what it had read is old"
		case earlier != nil && wish.StartedAt.Sub(earlier.LeftAt) > idle:
			return run, nil, nil // it had to wait: the world is read anew
		default:
			return run, earlier, nil
		}
		if err := d.Notebook.Finish(ctx, run.ID, given); err != nil {
			return run, nil, err
		}
		wish.First = append(slices.Clone(wish.First), run.First...)
	}
}

// finish closes a run with its report, even when the caller has given up waiting. What memory keeps counts the writes of all slices.
func (d Deps) finish(ctx context.Context, run Run, w *World, r Report, err error) Report {
	ctx = context.WithoutCancel(ctx)
	if w != nil {
		err = errors.Join(err, d.saveReads(ctx, w))
	}
	r.Run, r.At = run.ID, d.Now()
	switch {
	case err != nil:
		r.State, r.Error = "failed", err.Error()
	case r.State != "":
	case r.Failed+r.Unknown > 0:
		r.State = "failed"
	case r.Objected > 0:
		r.State = "objected"
	default:
		r.State = "done"
	}
	whole := r
	whole.Done, whole.Already, whole.Failed = r.Done+run.Tally.Done, r.Already+run.Tally.Already, r.Failed+run.Tally.Failed
	whole.Skipped, whole.Unknown = r.Skipped+run.Tally.Skipped, r.Unknown+run.Tally.Unknown
	if err := d.Notebook.Finish(ctx, run.ID, whole); err != nil {
		d.Logger.Error("close the run", "run", run.ID, "error", err)
	}
	return r
}

// countCalls notes what a slice has asked of its target, also when the caller has given up waiting. A count that is lost is no reason to end a run.
func (d Deps) countCalls(ctx context.Context, run Run, c target.Calls) target.Calls {
	if c == (target.Calls{}) {
		return c
	}
	if err := d.Notebook.CountCalls(context.WithoutCancel(ctx), run.ID, c); err != nil {
		d.Logger.Error("count the calls of the run", "run", run.ID, "error", err)
	}
	return c
}

// saveReads keeps what the run has read of its sources, for the runs to come.
func (d Deps) saveReads(ctx context.Context, w *World) error {
	for _, name := range slices.Sorted(maps.Keys(w.Sources)) {
		reading := w.Sources[name]
		var err error
		switch {
		case reading.Failed == "":
			err = d.Notebook.SaveSnapshot(ctx, w.Target, reading.Snapshot, w.shapes[name], !w.lossy[name])
		case d.Reader == nil: // else it was remembered by whoever tried
			err = d.Notebook.SaveFailure(ctx, name, w.now, reading.Failed)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// report counts what was planned.
func (dec *Decision) report() Report {
	r := Report{Summary: dec.Plan.Summary(), Objected: len(guard.Stopped(dec.Objections))}
	for _, name := range slices.Sorted(maps.Keys(dec.World.Sources)) {
		if failed := dec.World.Sources[name].Failed; failed != "" {
			r.Unread = append(r.Unread, fmt.Sprintf("source %s: %s", name, failed))
		}
	}
	return r
}

// with adds what was done.
func (r Report) with(a apply.Report) Report {
	r.Done, r.Already, r.Failed, r.Skipped, r.Unknown = a.Done, a.Already, a.Failed, a.Skipped, a.Unknown
	return r
}

// remember writes down what was read and decided, before anything is changed at the target.
func remember(ctx context.Context, d Deps, run Run, w *World, dec *Decision) error {
	n := d.Notebook
	if w.Slices == 0 {
		if err := n.SaveProtected(ctx, w.Target, w.pins); err != nil {
			return err
		}
	}
	if w.Slices == 0 && !w.Kept {
		if err := n.SaveMembers(ctx, w.Place, w.Accounts, w.AccountsAt); err != nil {
			return err
		}
		if err := n.SaveDeclined(ctx, w.Place, w.declined()); err != nil {
			return err
		}
	}
	if err := n.SaveTeams(ctx, w.Place, w.Teams, w.TeamsAt, w.Kept || w.Slices > 0); err != nil {
		return err
	}
	if err := n.SaveMappings(ctx, w.Target, w.Mappings, w.Lost); err != nil {
		return err
	}
	links := slices.SortedFunc(maps.Values(dec.Links.Links), func(a, b link.Link) int {
		return cmp.Or(cmp.Compare(a.User.Source, b.User.Source), cmp.Compare(a.User.ID, b.User.ID))
	})
	if err := n.SaveLinks(ctx, w.Place.Host, links); err != nil {
		return err
	}
	if err := n.Found(ctx, run.ID, w.Place, dec.Result.Found); err != nil {
		return err
	}
	if err := n.Forget(ctx, run.ID, w.Place, dec.Result.Forget); err != nil {
		return err
	}
	if err := n.SaveAbsences(ctx, w.Place, dec.Result.Absences, w.readAt()); err != nil {
		return err
	}
	if err := n.SettleDisconnects(ctx, w.Target, dec.Result.Settled); err != nil {
		return err
	}
	if err := n.SettleWaivers(ctx, w.Target, unwanted(w.memory.waivers, dec.Plan)); err != nil {
		return err
	}
	return n.SavePlan(ctx, run.ID, dec.Plan, dec.Objections)
}

// declined are the former members whose invitation is gone before its time, and who are not back.
func (w *World) declined() []team.AccountID {
	waiting := make(map[team.AccountID]bool)
	for _, t := range w.Teams {
		for _, m := range t.Members {
			waiting[m.Account] = waiting[m.Account] || m.Pending
		}
	}
	for _, a := range w.Accounts {
		waiting[a.ID] = true // back already
	}
	var gone []team.AccountID
	for id, f := range w.memory.former {
		if f.Invited > 0 && !f.Declined && !waiting[id] && w.now.Sub(f.LastAt) < mapping.InvitationLife {
			gone = append(gone, id)
		}
	}
	slices.Sort(gone)
	return gone
}

// unwanted are the waived changes that the plan does not hold any more: their waivers are used up.
func unwanted(waivers []guard.Waiver, p *plan.Plan) []guard.Ref {
	wanted := make(map[guard.Ref]bool)
	for i := range p.Teams {
		c := &p.Teams[i]
		for _, ch := range c.Changes() {
			wanted[guard.RefOf(c, ch)] = true
		}
		if c.Create != nil {
			wanted[guard.RefOf(c, plan.Change{Act: guard.Creation})] = true
		}
	}
	var refs []guard.Ref
	for _, w := range waivers {
		for _, c := range w.Changes {
			if !wanted[c.Ref] {
				refs = append(refs, c.Ref)
			}
		}
	}
	return refs
}

// A witness notes what apply reports, for what is to be settled afterwards.
type witness struct {
	progress func(apply.Written)
	done     []guard.Ref
	touched  []team.ID
	created  map[string]team.ID // by name
	gone     []team.AccountID   // that do not exist any more
}

func (w *witness) saw(written apply.Written) {
	if r := written.Outcome.Result; r == target.Done || r == target.Already {
		if written.Outcome.Act == string(guard.Creation) {
			if w.created == nil {
				w.created = make(map[string]team.ID)
			}
			w.created[written.Slug] = written.Outcome.Team
		}
		c := plan.TeamChange{Team: written.Team, Slug: written.Slug}
		w.done = append(w.done, guard.RefOf(&c, written.Change))
	}
	if errors.Is(written.Outcome.Err, target.ErrAccountGone) {
		w.gone = append(w.gone, written.Outcome.Account)
	}
	if !slices.Contains(w.touched, written.Team) {
		w.touched = append(w.touched, written.Team)
	}
	if w.progress != nil {
		w.progress(written)
	}
}

// settle notes after the writes what they have ended: waivers, first connections, and for the next slice which teams to read again.
func (d Deps) settle(
	ctx context.Context, name string, run Run, w *World, dec *Decision, seen *witness, done apply.Report, more bool,
) error {
	ctx = context.WithoutCancel(ctx)
	if err := d.Notebook.SettleWaivers(ctx, name, seen.done); err != nil {
		return err
	}
	if err := d.Notebook.SaveConnected(ctx, w.Place, dec.connected(), d.Now()); err != nil {
		return err
	}
	if err := d.pinCreated(ctx, w, seen.created); err != nil {
		return err
	}
	if err := d.Notebook.SaveDeclined(ctx, w.Place, seen.gone); err != nil {
		return err
	}
	w.Touched = append(w.Touched, seen.touched...)
	for i := range dec.Plan.Teams {
		if c := &dec.Plan.Teams[i]; !c.Empty() && !slices.Contains(w.Touched, c.Team) {
			w.Touched = append(w.Touched, c.Team) // one that has moved is read again, too
		}
	}
	if !more {
		return nil
	}
	w.Slices++
	w.LeftAt = d.Now()
	w.Tally = Tally{
		Done: run.Tally.Done + done.Done, Already: run.Tally.Already + done.Already, Failed: run.Tally.Failed + done.Failed,
		Skipped: run.Tally.Skipped + done.Skipped, Unknown: run.Tally.Unknown + done.Unknown,
	}
	return d.Notebook.SaveRunReading(ctx, run.ID, &w.Reading)
}

// leaveUnread leaves a run open that could not read everything, with what it has read. It returns what the caller has to wait for, if
// anything.
func (d Deps) leaveUnread(ctx context.Context, run Run, w *World, why error) error {
	if errors.Is(why, errUnfinished) {
		why = nil
	}
	if w.Place == (team.Place{}) {
		return why
	}
	w.LeftAt, w.Tally = d.Now(), run.Tally
	return errors.Join(why, d.Notebook.SaveRunReading(context.WithoutCancel(ctx), run.ID, &w.Reading))
}

// keep keeps what the run has read of its target, for a run that comes soon.
func (d Deps) keep(ctx context.Context, name string, w *World, b Budget) error {
	if b.Kept == 0 {
		return nil
	}
	kept := w.Reading
	kept.Sources, kept.Absences, kept.Tally, kept.Slices = nil, nil, Tally{}, 0
	return d.Notebook.KeepReading(context.WithoutCancel(ctx), name, &kept)
}

// pinCreated binds mappings to the teams that were made for them, before anything can be renamed.
func (d Deps) pinCreated(ctx context.Context, w *World, created map[string]team.ID) error {
	if len(created) == 0 {
		return nil
	}
	for i, m := range w.Mappings {
		if m.New != nil && m.TeamID == "" && created[m.New.Name] != "" {
			w.Mappings[i].TeamID, w.Mappings[i].New = created[m.New.Name], nil
		}
	}
	return d.Notebook.SaveMappings(ctx, w.Target, w.Mappings, nil)
}

// connected are the teams whose first connection has ended: nothing waits of what it protects, neither for a person nor for a source
// that could not be read or a user who is not linked yet.
func (dec *Decision) connected() []team.ID {
	waiting := make(map[team.ID]bool)
	for _, o := range dec.Objections {
		if o.Guard == "first_connection" {
			waiting[o.Team] = true
		}
	}
	var ids []team.ID
	for _, w := range dec.Result.Wanted {
		if _, already := dec.World.memory.connected[w.Team]; w.Team != "" && !w.Unmapped && !waiting[w.Team] && !already && !dec.keepsStrangers(w) {
			ids = append(ids, w.Team)
		}
	}
	return ids
}

// keepsStrangers reports whether a team keeps a member whom the ledger does not know for a reason that may pass.
func (dec *Decision) keepsStrangers(w team.Wanted) bool {
	for _, m := range w.Members {
		if m.In != team.Keep || len(m.Why) == 0 || m.Why[0].Rule == team.Protected || m.Why[0].Rule == team.Granted {
			continue
		}
		if _, known := dec.World.memory.ledger.Row(w.Team, m.Account); !known {
			return true
		}
	}
	return false
}

// closeIntents closes what a crash left open: the target as it is now tells which writes took effect.
func closeIntents(ctx context.Context, d Deps, t Target, name string) error {
	open, err := d.Memory.OpenIntents(ctx, name)
	if err != nil {
		return err
	}
	for _, i := range open {
		if err := d.closeIntent(ctx, t, i); err != nil {
			return fmt.Errorf("close the open intent of %s: %w", i.Intent.Slug, err)
		}
	}
	return nil
}

func (d Deps) closeIntent(ctx context.Context, t Target, i OpenIntent) error {
	id := team.ID(i.Intent.Team)
	var teams []team.Team
	var err error
	if id != "" {
		teams, err = t.Teams(ctx, []team.ID{id})
	} else if teams, err = t.Find(ctx, []string{i.Intent.Create}); err == nil && len(teams) == 1 {
		teams, err = t.Teams(ctx, []team.ID{teams[0].ID}) // looking a team up does not read who is in it
	}
	if err != nil {
		return err
	}
	now := &team.Team{}
	if len(teams) == 1 {
		now = &teams[0]
	}
	made := id != "" || now.ID != ""
	if id == "" {
		o := audit.Outcome{Act: "create", Team: string(now.ID), Result: audit.NotDone, At: d.Now()}
		if now.ID != "" {
			o.Result = audit.Seen
		}
		if err := d.Log.Outcome(ctx, i.ID, o); err != nil {
			return err
		}
	}
	for _, write := range i.Open {
		o := audit.Outcome{Act: write.Act, Account: write.Account, Team: string(now.ID), Result: audit.NotDone, At: d.Now()}
		if made && took(write, now) {
			o.Result = audit.Seen
		}
		if err := d.Log.Outcome(ctx, i.ID, o); err != nil {
			return err
		}
	}
	return d.Log.Close(ctx, i.ID)
}

// took reports whether a write is on the target. A team that is gone has lost its members: removals are seen, the rest is not.
func took(write audit.Write, now *team.Team) bool {
	m, there := now.Member(team.AccountID(write.Account))
	switch plan.Act(write.Act) {
	case plan.Add:
		return there
	case plan.Update:
		return there && m.Role.String() == write.Role
	default:
		return !there
	}
}
