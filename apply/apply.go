// Package apply carries out an approved plan, team by team: what moved since the plan is left alone, every write has its audit entry first,
// and a crash at any point leaves a record that the next run can close.
package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"musterline.example/audit"
	"musterline.example/guard"
	"musterline.example/internal/together"
	"musterline.example/plan"
	"musterline.example/target"
	"musterline.example/team"
)

// A batch of teams is read again in one go before it is written. It is small enough that its last write comes soon after the read.
const (
	batchTeams  = 20
	batchWrites = 60
)

// lastAnswer is how long the write in hand may go on after its caller has given up waiting. A vendor who answers at all answers sooner; the
// next run looks what became of a write that is cut off.
const lastAnswer = 15 * time.Second

// ErrNotApproved is what Run returns for the zero Approved.
var ErrNotApproved = errors.New("the plan is not approved")

// Options say for whom and how long Run works.
type Options struct {
	Run      string // id of the run, for the audit
	Actor    audit.Actor
	Now      func() time.Time
	First    []team.ID     // teams that somebody waits for
	Deadline time.Time     // no team is begun after it; zero is no deadline
	Progress func(Written) // told of every write; may be nil

	// Leave is asked before each team and, within one, after each write; true leaves the rest undone. It may be nil.
	Leave func(within bool) bool
}

// A Written is one write as it happened.
type Written struct {
	Team    team.ID
	Slug    string
	Change  plan.Change // zero for the creation of a team
	Outcome target.Outcome
}

// A Report says what Run did. A failed write fails no other; it is tried again when a later plan still wants it.
type Report struct {
	Done, Already, Failed, Skipped int

	// Unknown counts writes whose answer was lost. Their intents stay open, and the next run looks whether they took effect.
	Unknown int

	Moved    []team.Ref // teams left for the next slice because they had changed since the plan
	More     bool       // the deadline passed, or Run was told to leave, with something left to do
	Failures []Written
}

// Run makes the changes of the approved plan and no others. It returns an error when nothing more can be done at all: the audit log cannot
// be written, the credential is refused, the circuit breaker opened, the context ended. The report counts what was done until then.
//
// When the context ends, reads are broken off and the write in hand is finished, or cut off when it gets no answer in a while.
func Run(ctx context.Context, t target.Target, a guard.Approved, log audit.Log, opts Options) (Report, error) {
	if a.Plan() == nil {
		return Report{}, ErrNotApproved
	}
	w := &writer{Options: opts, target: t, approved: a, log: log}
	for _, batch := range batches(inOrder(a.Plan().Teams, opts.First)) {
		if w.leaves(ctx) {
			break
		}
		if err := w.batch(ctx, batch); err != nil {
			return w.report, err
		}
		if w.report.More {
			break
		}
	}
	if w.report.More {
		return w.report, ctx.Err()
	}
	return w.report, nil
}

// leaves reports whether no other team is to be begun.
func (w *writer) leaves(ctx context.Context) bool {
	late := !w.Deadline.IsZero() && !w.Now().Before(w.Deadline)
	w.report.More = w.report.More || late || ctx.Err() != nil || w.Leave != nil && w.Leave(false)
	return w.report.More
}

// inOrder puts the teams that somebody waits for first and leaves out those with nothing to do.
func inOrder(teams []plan.TeamChange, first []team.ID) []plan.TeamChange {
	var ahead, rest []plan.TeamChange
	for _, c := range teams {
		switch {
		case c.Empty():
		case slices.Contains(first, c.Team):
			ahead = append(ahead, c)
		default:
			rest = append(rest, c)
		}
	}
	return append(ahead, rest...)
}

func batches(teams []plan.TeamChange) [][]plan.TeamChange {
	var all [][]plan.TeamChange
	var batch []plan.TeamChange
	writes := 0
	for _, c := range teams {
		n := len(c.Changes())
		if len(batch) == batchTeams || len(batch) > 0 && writes+n > batchWrites {
			all = append(all, batch)
			batch, writes = nil, 0
		}
		batch, writes = append(batch, c), writes+n
	}
	if len(batch) > 0 {
		all = append(all, batch)
	}
	return all
}

type writer struct {
	Options
	target   target.Target
	approved guard.Approved
	log      audit.Log
	report   Report
	breaker  breaker
}

// batch reads some teams and the accounts they are to gain once more, and writes what still holds.
func (w *writer) batch(ctx context.Context, changes []plan.TeamChange) error {
	var ids []team.ID
	var joining []team.AccountID
	for _, c := range changes {
		if c.Create == nil {
			ids = append(ids, c.Team)
		}
		for _, ch := range c.Add {
			if !ch.Invite {
				joining = append(joining, ch.Account)
			}
		}
	}
	teams, logins, err := w.again(ctx, ids, joining)
	if err != nil {
		return err
	}
	for i, c := range changes {
		if i > 0 && w.leaves(ctx) {
			return nil
		}
		if c.Create == nil && (teams[c.Team] == nil || teams[c.Team].Digest() != c.BasedOn) {
			w.report.Moved = append(w.report.Moved, team.Ref{ID: c.Team, Slug: c.Slug})
			w.report.Skipped += len(c.Changes())
			continue
		}
		if err := w.team(ctx, renewed(c, teams[c.Team], logins)); err != nil {
			return err
		}
		if w.report.More {
			return nil
		}
	}
	return nil
}

// again reads teams and the logins of accounts, both at the same time: somebody may wait for the first write.
func (w *writer) again(ctx context.Context, ids []team.ID, joining []team.AccountID) (map[team.ID]*team.Team, map[team.AccountID]string, error) {
	teams, logins := make(map[team.ID]*team.Team, len(ids)), make(map[team.AccountID]string, len(joining))
	var asked together.Group
	var noTeams, noAccounts error
	if len(ids) > 0 {
		asked.Go(func() {
			read, err := w.target.Teams(ctx, ids)
			if err != nil {
				noTeams = fmt.Errorf("read the teams again before writing: %w", err)
			}
			for i := range read {
				teams[read[i].ID] = &read[i]
			}
		})
	}
	if len(joining) > 0 {
		asked.Go(func() {
			slices.Sort(joining)
			read, err := w.target.Accounts(ctx, slices.Compact(joining))
			if err != nil {
				noAccounts = fmt.Errorf("read the accounts to add again before writing: %w", err)
			}
			for _, a := range read.List {
				logins[a.ID] = a.Login
			}
		})
	}
	asked.Wait()
	return teams, logins, cmp.Or(noTeams, noAccounts)
}

// renewed gives the change with the logins of today, because the target's addresses hold logins and a login can change hands. Who has left
// the organization since the plan loses the login and is not added.
func renewed(c plan.TeamChange, now *team.Team, logins map[team.AccountID]string) plan.TeamChange {
	c.Add = slices.Clone(c.Add)
	for i := range c.Add {
		if !c.Add[i].Invite {
			c.Add[i].Login = logins[c.Add[i].Account]
		}
	}
	if now == nil {
		return c
	}
	c.Update, c.Remove = slices.Clone(c.Update), slices.Clone(c.Remove)
	for _, changes := range [][]plan.Change{c.Update, c.Remove} {
		for i := range changes {
			if m, ok := now.Member(changes[i].Account); ok {
				changes[i].Login = m.Login
			}
		}
	}
	return c
}

// team makes the change of one team between its intent and its outcomes.
func (w *writer) team(ctx context.Context, c plan.TeamChange) error {
	intent, err := w.log.Intent(ctx, w.intent(c))
	if err != nil {
		return fmt.Errorf("audit log: %s is left alone: %w", c.Slug, err)
	}
	var gone []plan.Change
	c.Add = slices.DeleteFunc(c.Add, func(ch plan.Change) bool {
		if ch.Login == "" {
			gone = append(gone, ch)
		}
		return ch.Login == ""
	})
	open := 0
	told := make(map[write]bool)
	did := func(o target.Outcome) error {
		unknown, err := w.outcome(ctx, intent, c, o)
		if unknown {
			open++
		}
		told[write{o.Act, o.Account}] = true
		return err
	}
	for _, ch := range gone {
		if err := did(target.Outcome{Act: string(ch.Act), Account: ch.Account, Team: c.Team, Result: target.Skipped,
			Err: errors.New("has left the organization since the plan")}); err != nil {
			return err
		}
	}
	hand, done := inHand(ctx)
	defer done()
	err = w.target.Apply(hand, c, func(o target.Outcome) error {
		if err := did(o); err != nil {
			return err
		}
		if err := hand.Err(); err != nil {
			return err
		}
		if ctx.Err() != nil || w.Leave != nil && w.Leave(true) {
			return errLeft
		}
		return nil
	})
	if errors.Is(err, errLeft) {
		err = w.leaveRest(ctx, intent, c, told)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", c.Slug, err)
	}
	if open > 0 {
		return nil
	}
	if err := w.log.Close(ctx, intent); err != nil {
		return fmt.Errorf("audit log: close %s: %w", c.Slug, err)
	}
	return nil
}

// inHand returns a context that ends a while after ctx, so that an answer which is on its way still arrives.
func inHand(ctx context.Context) (context.Context, context.CancelFunc) {
	hand, cut := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-hand.Done():
		case <-time.After(lastAnswer):
			cut()
		}
	})
	return hand, func() {
		stop()
		cut()
	}
}

// errLeft makes a target stop after the write in hand.
var errLeft = errors.New("told to leave")

// A write is known within its team by what it does to whom.
type write struct {
	act     string
	account team.AccountID
}

// leaveRest says of the writes that were not told of that they were not done. Nobody has to look at the target for that.
func (w *writer) leaveRest(ctx context.Context, intent string, c plan.TeamChange, told map[write]bool) error {
	for _, ch := range c.Changes() {
		if told[write{string(ch.Act), ch.Account}] {
			continue
		}
		w.report.More = true
		o := audit.Outcome{Act: string(ch.Act), Account: string(ch.Account), Team: string(c.Team), Result: audit.NotDone, At: w.Now()}
		if err := w.log.Outcome(context.WithoutCancel(ctx), intent, o); err != nil {
			return fmt.Errorf("audit log: outcome in %s: %w", c.Slug, err)
		}
	}
	return nil
}

// absent reports whether a target says of a member whom it has just shown that there is none. A vendor hides in the same words what the
// credential may not see, so it is no proof that they have left.
func absent(o target.Outcome) bool {
	return o.Result == target.Already && (o.Act == string(plan.Remove) || o.Act == string(plan.Cancel))
}

// outcome records one write and reports whether its answer was lost.
func (w *writer) outcome(ctx context.Context, intent string, c plan.TeamChange, o target.Outcome) (unknown bool, err error) {
	written := Written{Team: c.Team, Slug: c.Slug, Outcome: o}
	for _, ch := range c.Changes() {
		if ch.Account == o.Account && string(ch.Act) == o.Act {
			written.Change = ch
		}
	}
	if o.Result == target.Failed && target.ClassOf(o.Err) == target.Unavailable || absent(o) {
		unknown = true // it may have taken effect: the next run looks
		w.report.Unknown++
		w.report.Failures = append(w.report.Failures, written)
	} else {
		w.count(o, written)
		entry := audit.Outcome{Act: o.Act, Account: string(o.Account), Team: string(o.Team), Result: audit.Result(o.Result), Request: o.Request, At: w.Now()}
		if o.Err != nil {
			entry.Error = o.Err.Error()
		}
		// What has happened is recorded even when the caller has given up waiting.
		if err := w.log.Outcome(context.WithoutCancel(ctx), intent, entry); err != nil {
			return false, fmt.Errorf("audit log: outcome in %s: %w", c.Slug, err)
		}
	}
	if w.Progress != nil {
		w.Progress(written)
	}
	return unknown, w.breaker.note(w.Now(), o)
}

func (w *writer) count(o target.Outcome, written Written) {
	switch o.Result {
	case target.Done:
		w.report.Done++
	case target.Already:
		w.report.Already++
	case target.Skipped:
		w.report.Skipped++
	default:
		w.report.Failed++
		w.report.Failures = append(w.report.Failures, written)
	}
}

// intent says what is about to be done to one team.
func (w *writer) intent(c plan.TeamChange) audit.Intent {
	i := audit.Intent{
		Run: w.Run, Target: w.approved.Plan().Target, Team: string(c.Team), Slug: c.Slug, Plan: w.approved.Plan().Digest,
		Actor: w.Actor, Sources: c.Sources, At: w.Now(),
	}
	if c.Create != nil {
		i.Create = c.Create.Name
	}
	for _, ch := range c.Changes() {
		write := audit.Write{
			Act: string(ch.Act), Account: string(ch.Account), Login: ch.Login, User: ch.User,
			From: ch.From.String(), Role: ch.Role.String(), Mappings: team.Keys(ch.Why), Why: ch.Why,
		}
		if len(ch.Why) > 0 {
			write.Rule = string(ch.Why[0].Rule)
		}
		for _, waiver := range w.approved.Waivers() {
			for _, waived := range waiver.Changes {
				if waived.Ref == guard.RefOf(&c, ch) {
					write.Waiver, write.Waived = waiver.ID, append(write.Waived, waived.Guards...)
				}
			}
		}
		i.Writes = append(i.Writes, write)
	}
	return i
}
