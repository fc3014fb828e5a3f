package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"musterline.example/audit"
	"musterline.example/guard"
	"musterline.example/mapping"
	"musterline.example/plan"
	"musterline.example/reconcile"
	"musterline.example/store/internal/db"
	"musterline.example/team"
)

// Intent writes down what is about to be done. Its id is the number of its audit entry. The place of the target must be known by then:
// SaveRunReading, Found and SavePlace say it.
func (s *Store) Intent(ctx context.Context, i audit.Intent) (id string, err error) {
	err = s.write(ctx, "record intent", func(t *tx) error {
		if err := t.hold(ctx); err != nil {
			return err
		}
		target, err := t.GetTarget(ctx, i.Target)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if target.Host == "" && target.OrganizationID == "" {
			return fmt.Errorf("the organization of target %s was never read", i.Target)
		}
		if i.At.IsZero() {
			i.At = s.now()
		}
		seq, err := t.record(ctx, note{kind: KindIntent, at: i.At, run: i.Run, target: i.Target, team: i.Team, actor: i.Actor, body: i})
		if err != nil {
			return err
		}
		id = strconv.FormatInt(seq, 10)
		body, err := encode(i)
		if err != nil {
			return err
		}
		if err := t.PutIntent(ctx, db.PutIntentParams{
			ID: id, Number: seq, Run: i.Run, Target: i.Target, Host: target.Host, OrganizationID: target.OrganizationID,
			Team: i.Team, Slug: i.Slug, Sources: list(i.Sources), Body: body, At: micros(i.At),
		}); err != nil {
			return err
		}
		return t.putWrites(ctx, id, i)
	})
	return id, err
}

var writes = table{name: "writes", columns: []string{
	"intent", "number", "target", "act", "account", "body", "rule", "waived", "result", "outcome", "before", "at",
}}

// putWrites keeps the writes of an intent, all open.
func (t *tx) putWrites(ctx context.Context, id string, i audit.Intent) error {
	bodies := make([]string, len(i.Writes))
	for n, w := range i.Writes {
		body, err := encode(w)
		if err != nil {
			return err
		}
		bodies[n] = body
	}
	return t.put(ctx, writes, len(i.Writes), func(n int) []any {
		w := &i.Writes[n]
		return []any{id, int64(n), i.Target, w.Act, w.Account, bodies[n], w.Rule, list(w.Waived), "", "", "", int64(0)}
	})
}

// recordingTime is how long the record of something done may take after the run that did it was told to stop.
const recordingTime = 30 * time.Second

// recording keeps a stopped run from leaving undone the record of what it did.
func recording(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), recordingTime)
}

// creates is the act of an outcome that is about the team itself.
const creates = "create"

// An effect is what an outcome made of a row of the ledger; nil is no row.
type effect struct {
	Before *ledgerBody `json:"before,omitempty"`
	After  *ledgerBody `json:"after,omitempty"`
}

// outcomeBody is the body of the entry of an outcome.
type outcomeBody struct {
	Intent string `json:"intent"`
	audit.Outcome
	Ledger *effect `json:"ledger,omitempty"`
}

// Outcome writes down how one write ended and makes the ledger say so, in one transaction:
//
//	result \ act           add                          update                                     remove, cancel
//	done, seen             granted                      has the role                               no row
//	already                found, unless there is a row has the role, unless it was a promotion    no row
//	other                  –                            –                                          –
//
// A team that is made has our own account in it: the row of that is created until its removal is done.
// It goes on when ctx has ended: what was done must not go unrecorded. An outcome of a write that the intent does not name is kept too.
func (s *Store) Outcome(ctx context.Context, intent string, o audit.Outcome) error {
	ctx, cancel := recording(ctx)
	defer cancel()
	return s.write(ctx, "record outcome", func(t *tx) error {
		if err := t.hold(ctx); err != nil {
			return err
		}
		i, err := t.openIntent(ctx, intent)
		if err != nil {
			return err
		}
		if o.At.IsZero() {
			o.At = s.now()
		}
		var said audit.Intent
		if err := json.Unmarshal([]byte(i.Body), &said); err != nil {
			return fmt.Errorf("intent %s: %w", intent, err)
		}
		if i.Team == "" && o.Team != "" {
			if err := t.NameTeam(ctx, db.NameTeamParams{ID: intent, Team: o.Team}); err != nil {
				return err
			}
			i.Team = o.Team
		}
		number, write, err := t.writeOf(ctx, i, o)
		if err != nil {
			return err
		}
		row := ledgerKey{i.Host, i.OrganizationID, cmp.Or(o.Team, i.Team), o.Account}
		if o.Act == creates {
			row.account = creator(said)
		}
		e, err := t.effectOf(ctx, row, write, o)
		if err != nil {
			return err
		}
		seq, err := t.record(ctx, note{
			kind: KindOutcome, at: o.At, run: i.Run, target: i.Target, team: row.team, account: o.Account, act: o.Act,
			result: string(o.Result), actor: said.Actor, body: outcomeBody{intent, o, e},
		})
		if err != nil {
			return err
		}
		if err := t.putOutcome(ctx, intent, number, o, e); err != nil {
			return err
		}
		if o.Act == string(plan.Add) && (o.Result == audit.Done || o.Result == audit.Pending) {
			// Of somebody who has left the organization, an addition is an invitation.
			if err := t.CountInvitation(ctx, db.CountInvitationParams{
				Host: i.Host, OrganizationID: i.OrganizationID, Account: o.Account, InvitedAt: micros(o.At),
			}); err != nil {
				return err
			}
		}
		if o.Result == audit.Done || o.Result == audit.Seen {
			if err := t.TouchTeam(ctx, db.TouchTeamParams{
				Host: i.Host, OrganizationID: i.OrganizationID, ID: row.team, ChangedAt: micros(o.At),
			}); err != nil {
				return err
			}
		}
		return t.take(ctx, row, e, seq)
	})
}

// openIntent returns an intent that may still get outcomes.
func (t *tx) openIntent(ctx context.Context, id string) (db.Intent, error) {
	i, err := t.GetIntent(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return i, fmt.Errorf("intent %s: %w", id, ErrNotFound)
	}
	if err == nil && i.ClosedAt != 0 {
		return i, fmt.Errorf("intent %s is closed", id)
	}
	return i, err
}

// writeOf returns the write that an outcome is about, and its place in the intent. One that is not there is added: the outcome of the
// creation of a team, and whatever a target did beside what it was told to.
func (t *tx) writeOf(ctx context.Context, i db.Intent, o audit.Outcome) (int64, audit.Write, error) {
	w := audit.Write{Act: o.Act, Account: o.Account}
	key := db.GetWriteParams{Intent: i.ID, Act: o.Act, Account: o.Account}
	row, err := t.GetWrite(ctx, key)
	if errors.Is(err, sql.ErrNoRows) {
		if o.Act != creates {
			t.s.log.WarnContext(ctx, "an outcome that no intent announced", "intent", i.ID, "act", o.Act, "account", o.Account)
		}
		body, err := encode(w)
		if err != nil {
			return 0, w, err
		}
		if err := t.PutWrite(ctx, db.PutWriteParams{Intent: i.ID, Target: i.Target, Act: o.Act, Account: o.Account, Body: body}); err != nil {
			return 0, w, err
		}
		row, err = t.GetWrite(ctx, key)
		return row.Number, w, err
	}
	if err != nil {
		return 0, w, err
	}
	return row.Number, w, json.Unmarshal([]byte(row.Body), &w)
}

func (t *tx) putOutcome(ctx context.Context, intent string, number int64, o audit.Outcome, e *effect) error {
	body, err := encode(o)
	if err != nil {
		return err
	}
	var before string
	if e != nil && e.Before != nil {
		if before, err = encode(e.Before); err != nil {
			return err
		}
	}
	return t.PutOutcome(ctx, db.PutOutcomeParams{
		Intent: intent, Number: number, Result: string(o.Result), Outcome: body, Before: before, At: micros(o.At),
	})
}

// creator is our own account, when it is to leave the team that the intent makes; else empty.
func creator(i audit.Intent) string {
	for _, w := range i.Writes {
		if w.Act == string(plan.Remove) && w.Rule == string(team.CreatorLeaves) {
			return w.Account
		}
	}
	return ""
}

// effectOf says what an outcome makes of the ledger; nil when it touches nothing.
func (t *tx) effectOf(ctx context.Context, key ledgerKey, w audit.Write, o audit.Outcome) (*effect, error) {
	if o.Result != audit.Done && o.Result != audit.Already && o.Result != audit.Seen {
		return nil, nil
	}
	if o.Act == creates {
		if o.Result == audit.Already || key.account == "" {
			return nil, nil // another made the team, or nobody joins it by making it
		}
		return &effect{After: &ledgerBody{Origin: mapping.LedgerCreated, Role: team.Maintainer.String(), Since: o.At.UTC()}}, nil
	}
	before, err := t.ledgerRow(ctx, key)
	if err != nil {
		return nil, err
	}
	e := &effect{Before: before}
	switch plan.Act(o.Act) {
	case plan.Add:
		after := ledgerBody{Origin: mapping.LedgerGranted, Role: w.Role, Mappings: w.Mappings, Since: o.At.UTC()}
		switch {
		case o.Result == audit.Already && before == nil:
			after.Origin, after.Role = mapping.LedgerFound, team.Member.String()
		case o.Result == audit.Already:
			after.Origin, after.Role, after.Since = before.Origin, before.Role, before.Since
		}
		e.After = &after
	case plan.Update:
		after := ledgerBody{Origin: mapping.LedgerFound, Role: team.Member.String(), Mappings: w.Mappings, Since: o.At.UTC()}
		if before != nil {
			after.Origin, after.Role, after.Since = before.Origin, before.Role, before.Since
			if len(w.Mappings) == 0 {
				after.Mappings = before.Mappings
			}
		}
		// Somebody who was a maintainer already owes that to another: it is not ours to take back.
		if o.Result != audit.Already || w.Role != team.Maintainer.String() {
			after.Role = w.Role
		}
		e.After = &after
	case plan.Remove, plan.Cancel:
		if before == nil {
			return nil, nil
		}
	default:
		return nil, nil
	}
	return e, nil
}

// take makes the ledger what an effect says.
func (t *tx) take(ctx context.Context, key ledgerKey, e *effect, entry int64) error {
	if e == nil {
		return nil
	}
	if e.After == nil {
		return t.DeleteLedgerRow(ctx, db.DeleteLedgerRowParams{
			Host: key.host, OrganizationID: key.organization, Team: key.team, Account: key.account,
		})
	}
	r, err := team.ParseRole(e.After.Role)
	if err != nil {
		return err
	}
	return t.PutLedgerRow(ctx, db.PutLedgerRowParams{
		Host: key.host, OrganizationID: key.organization, Team: key.team, Account: key.account, Origin: e.After.Origin.String(),
		Role: r.String(), Mappings: list(e.After.Mappings), Since: micros(e.After.Since), Entry: entry,
	})
}

// Close ends an intent. One with a write that has no outcome is refused: it stays open for the next run to look at the target.
func (s *Store) Close(ctx context.Context, intent string) error {
	ctx, cancel := recording(ctx)
	defer cancel()
	return s.write(ctx, "close intent", func(t *tx) error {
		if err := t.hold(ctx); err != nil {
			return err
		}
		i, err := t.openIntent(ctx, intent)
		if err != nil {
			return err
		}
		open, err := t.CountOpenWrites(ctx, intent)
		if err != nil {
			return err
		}
		if open > 0 {
			return fmt.Errorf("intent %s has %d writes without an outcome", intent, open)
		}
		var said audit.Intent
		if err := json.Unmarshal([]byte(i.Body), &said); err != nil {
			return fmt.Errorf("intent %s: %w", intent, err)
		}
		if _, err := t.record(ctx, note{
			kind: KindClose, run: i.Run, target: i.Target, team: i.Team, actor: said.Actor, body: map[string]string{"intent": intent},
		}); err != nil {
			return err
		}
		return t.CloseIntent(ctx, db.CloseIntentParams{ID: intent, ClosedAt: micros(s.now())})
	})
}

// OpenIntents returns the intents that were never closed, with the writes that have no outcome. The team of one that created it is known
// when its outcome was recorded.
func (s *Store) OpenIntents(ctx context.Context, target string) ([]reconcile.OpenIntent, error) {
	rows, err := s.queries.OpenIntents(ctx, target)
	if err != nil {
		return nil, fmt.Errorf("read open intents: %w", err)
	}
	var open []reconcile.OpenIntent
	for _, r := range rows {
		o := reconcile.OpenIntent{ID: r.ID}
		if err := json.Unmarshal([]byte(r.Body), &o.Intent); err != nil {
			return nil, fmt.Errorf("read open intent %s: %w", r.ID, err)
		}
		o.Intent.Team = r.Team
		writes, err := s.queries.WritesOfIntent(ctx, r.ID)
		if err != nil {
			return nil, fmt.Errorf("read open intent %s: %w", r.ID, err)
		}
		for _, w := range writes {
			if w.Result != "" {
				continue
			}
			var write audit.Write
			if err := json.Unmarshal([]byte(w.Body), &write); err != nil {
				return nil, fmt.Errorf("read open intent %s: %w", r.ID, err)
			}
			o.Open = append(o.Open, write)
		}
		open = append(open, o)
	}
	return open, nil
}

// Recent returns the changes that were carried out since a moment, in order of time.
func (s *Store) Recent(ctx context.Context, target string, since time.Time) ([]guard.Done, error) {
	rows, err := s.queries.DoneWrites(ctx, db.DoneWritesParams{Target: target, Since: micros(since)})
	if err != nil {
		return nil, fmt.Errorf("read recent changes: %w", err)
	}
	var (
		done []guard.Done
		l    = lists{}
	)
	for _, r := range rows {
		ref := canonical(guard.Ref{Team: team.ID(r.Team), Slug: r.Slug, Account: team.AccountID(r.Account), Act: plan.Act(r.Act)})
		d := guard.Done{Ref: ref, At: moment(r.At), Rule: team.Rule(r.Rule)}
		if d.Sources, err = l.read(r.Sources); err != nil {
			return nil, fmt.Errorf("read recent changes: %w", err)
		}
		if d.Waived, err = l.read(r.Waived); err != nil {
			return nil, fmt.Errorf("read recent changes: %w", err)
		}
		done = append(done, d)
	}
	return done, nil
}

// A Write is one write of a run as the record tells it.
type Write struct {
	Intent  string
	Target  string
	Team    team.ID
	Slug    string
	Create  string // the name of the team that the intent was to create
	Actor   audit.Actor
	Sources []string
	Write   audit.Write
	Outcome audit.Outcome  // its Result is empty while the write is open
	Before  *mapping.Entry // the ledger row that it found, when it touched the ledger; nil for none
}

// Writes returns everything a run did or tried, in order, for its page and for undo.
func (s *Store) Writes(ctx context.Context, run string) ([]Write, error) {
	intents, err := s.queries.IntentsOfRun(ctx, run)
	if err != nil {
		return nil, fmt.Errorf("read writes of run %s: %w", run, err)
	}
	var all []Write
	for _, i := range intents {
		var said audit.Intent
		if err := json.Unmarshal([]byte(i.Body), &said); err != nil {
			return nil, fmt.Errorf("read intent %s: %w", i.ID, err)
		}
		rows, err := s.queries.WritesOfIntent(ctx, i.ID)
		if err != nil {
			return nil, fmt.Errorf("read intent %s: %w", i.ID, err)
		}
		for _, r := range rows {
			w := Write{
				Intent: i.ID, Target: i.Target, Team: team.ID(i.Team), Slug: i.Slug, Create: said.Create, Actor: said.Actor, Sources: said.Sources,
			}
			err := json.Unmarshal([]byte(r.Body), &w.Write)
			if err == nil && r.Outcome != "" {
				err = json.Unmarshal([]byte(r.Outcome), &w.Outcome)
			}
			if err == nil && r.Before != "" {
				var before ledgerBody
				err = json.Unmarshal([]byte(r.Before), &before)
				if err == nil {
					w.Before, err = before.entry(r.Account)
				}
			}
			if err != nil {
				return nil, fmt.Errorf("read intent %s: %w", i.ID, err)
			}
			all = append(all, w)
		}
	}
	return all, nil
}

// RunWrites returns the writes of a run that took effect, with the rows of the ledger as they were before.
func (s *Store) RunWrites(ctx context.Context, run string) ([]reconcile.RunWrite, error) {
	all, err := s.Writes(ctx, run)
	if err != nil {
		return nil, err
	}
	var done []reconcile.RunWrite
	for _, w := range all {
		if r := w.Outcome.Result; (r == audit.Done || r == audit.Seen) && w.Write.Act != creates {
			done = append(done, reconcile.RunWrite{Write: w.Write, Team: w.Team, Slug: w.Slug, Before: w.Before})
		}
	}
	return done, nil
}
