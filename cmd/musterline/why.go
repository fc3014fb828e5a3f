package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"musterline.example/cmd/musterline/view"
	"musterline.example/directory"
	"musterline.example/guard"
	"musterline.example/link"
	"musterline.example/mapping"
	"musterline.example/plan"
	"musterline.example/store"
	"musterline.example/team"
)

func (c *cli) whyCommand() *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "why USER TEAM",
		Short: "Say why somebody is in a team, or why not",
		Long: `Answers from stored evidence, without asking anybody: the group path, the
mapping, the link and what it rests on, the row of the ledger, and the run and
audit entry that did it. It also says why not: held, refused, stopped by a
guard, in no mapped group, or removed by a run.

USER is a login, an account's number, or source/user; TEAM is a slug, or
target/slug.`,
		Example: `  musterline why ada platform
  musterline why corp/ada octo/platform`,
		Args: arguments(2, 2, "a user and a team"),
		RunE: func(command *cobra.Command, args []string) error {
			h, err := c.look(command.Context())
			if err != nil {
				return err
			}
			defer h.close()
			if h.store == nil {
				return withHint(failf("there is nothing stored yet to answer from"), "musterline plan says what a sync would do, and why")
			}
			answer, err := h.why(command.Context(), args[0], args[1])
			if err != nil {
				return err
			}
			if asJSON {
				return view.WriteJSON(c.stdout, answer)
			}
			answer.Text(c.screen())
			return nil
		},
	}
	jsonFlag(command, &asJSON)
	return command
}

// An inquiry is one question with the evidence that is stored about it.
type inquiry struct {
	*house
	who   person
	where knownTeam
	place team.Place
	plan  store.Plan // the last one; its Plan is nil when there was none
	row   *mapping.Entry
}

// why gathers the evidence about one person and one team.
func (h *house) why(ctx context.Context, user, of string) (view.Answer, error) {
	r, err := h.register(ctx)
	if err != nil {
		return view.Answer{}, err
	}
	q := &inquiry{house: h}
	if q.where, err = r.findTeam(of); err != nil {
		return view.Answer{}, err
	}
	if q.who, err = h.findPerson(ctx, r, h.host(ctx, q.where.target), user); err != nil {
		return view.Answer{}, err
	}
	if q.place, err = h.store.Place(ctx, q.where.target); err != nil && !errors.Is(err, store.ErrNotFound) {
		return view.Answer{}, err
	}
	if q.plan, err = h.store.LastPlan(ctx, q.where.target); err != nil && !errors.Is(err, store.ErrNotFound) {
		return view.Answer{}, err
	}
	answer := view.Answer{
		Now: h.cli.now(), Target: q.where.target, Team: view.Known{ID: string(q.where.id), Name: q.where.slug},
		Account: view.Known{ID: string(q.who.account), Name: q.who.login}, Person: q.who.name, Status: string(q.who.status),
	}
	if q.who.user.Source != "" {
		answer.User = q.who.user.String()
	}
	for _, step := range []func(context.Context, *view.Answer) error{q.ledger, q.groups, q.linked, q.history, q.pending} {
		if err := step(ctx, &answer); err != nil {
			return answer, err
		}
	}
	answer.Conclude()
	return answer, nil
}

// ledger says what the ledger holds.
func (q *inquiry) ledger(ctx context.Context, a *view.Answer) error {
	if q.who.account == "" || q.where.id == "" {
		return nil
	}
	row, entry, err := q.store.LedgerRow(ctx, q.place, q.where.id, q.who.account)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	q.row = &row
	a.Ledger = &view.LedgerRow{Origin: row.Origin.String(), Role: row.Role.String(), Mappings: row.Mappings, Since: row.Since, Entry: entry}
	return nil
}

// groups walks the last snapshots again for the paths that lead to the person.
func (q *inquiry) groups(ctx context.Context, a *view.Answer) error {
	mappings, err := q.mappings(ctx, q.where.target)
	if err != nil {
		return err
	}
	for _, m := range mappings {
		if m.TeamID != q.where.id && (m.TeamID != "" || m.Team != q.where.slug) {
			continue
		}
		reads, err := q.store.Reads(ctx, m.Source)
		if err != nil {
			return err
		}
		shown := view.WhyMapping{ID: m.ID, Group: m.Source + "/" + m.Group, Role: m.Role.String(), Mode: string(m.Mode), Failure: reads.Failure}
		if s := reads.Last; s != nil {
			shown.ReadAt = s.TakenAt
			if g, ok := s.Groups[m.GroupID]; ok {
				shown.Group = m.Source + "/" + g.Name
				shown.Path, shown.Status = pathTo(s, m, q.who.user)
			} else {
				shown.Missing = true
			}
		}
		a.Mappings = append(a.Mappings, shown)
	}
	return nil
}

// pathTo is the path of groups from a mapped one to the one that lists a user, and what the source says of the user.
func pathTo(s *directory.Snapshot, m mapping.Mapping, user link.UserRef) ([]string, string) {
	if user.Source != m.Source {
		return nil, ""
	}
	for u, path := range s.Walk(m.GroupID) {
		if u.ID != user.ID {
			continue
		}
		var names []string
		for _, id := range path {
			names = append(names, m.Source+"/"+s.Groups[id].Name)
		}
		return names, string(u.Status)
	}
	return nil, ""
}

// linked says whose account it is and how that is known.
func (q *inquiry) linked(_ context.Context, a *view.Answer) error {
	if l := q.who.link; l != nil {
		a.Link = &view.Link{User: l.User.String(), Account: string(l.Account), Login: l.Login, Tier: string(l.Tier), State: string(l.State),
			Evidence: l.Evidence, By: l.By, Since: l.MadeAt, Trouble: l.Trouble}
	}
	return nil
}

// history tells what runs have done to the membership, the newest first.
func (q *inquiry) history(ctx context.Context, a *view.Answer) error {
	if q.who.account == "" || q.where.id == "" {
		return nil
	}
	outcomes, err := q.store.Entries(ctx, store.Filter{Target: q.where.target, Team: string(q.where.id), Account: string(q.who.account), Kind: store.KindOutcome, Limit: 10})
	if err != nil {
		return err
	}
	for _, e := range outcomes {
		event := view.WhyEvent{Entry: e.Seq, At: e.At, Run: e.Run, Act: e.Act, Result: e.Result, Trigger: e.Actor.Trigger, Requester: e.Actor.Requester}
		var body struct {
			Intent string `json:"intent"`
			Error  string `json:"error"`
		}
		if json.Unmarshal(e.Body, &body) == nil {
			event.Error = body.Error
			event.Intent, _ = strconv.ParseInt(body.Intent, 10, 64)
		}
		if err := q.explain(ctx, &event, body.Intent); err != nil {
			return err
		}
		a.History = append(a.History, event)
	}
	return nil
}

// explain adds the reasons that the intent of a write gives, and the waiver that it needed.
func (q *inquiry) explain(ctx context.Context, event *view.WhyEvent, intent string) error {
	writes, err := q.store.Writes(ctx, event.Run)
	if err != nil {
		return err
	}
	for _, w := range writes {
		if w.Intent != intent || w.Write.Account != string(q.who.account) || w.Write.Act != event.Act {
			continue
		}
		var why []team.Reason
		if text, err := json.Marshal(w.Write.Why); err == nil && json.Unmarshal(text, &why) == nil {
			event.Why = view.Why(why)
		}
		event.Why = cmp.Or(event.Why, w.Write.Rule)
		event.Waiver, event.Waived = w.Write.Waiver, w.Write.Waived
	}
	if event.Waiver == "" {
		return nil
	}
	waivers, err := q.store.ListWaivers(ctx, q.where.target, event.At.Add(-2*guard.WaiverLife))
	if err != nil {
		return err
	}
	for _, w := range waivers {
		if w.ID == event.Waiver {
			event.WaivedBy, event.WaivedWhy = w.By, w.Reason
		}
	}
	return nil
}

// pending says what the last plan has to say that has not come about.
func (q *inquiry) pending(_ context.Context, a *view.Answer) error {
	p := q.plan.Plan
	if p == nil {
		return nil
	}
	a.PlanRun, a.PlanAt = q.plan.Run, q.plan.At
	stopped := guard.Stopped(q.plan.Objections)
	for i := range p.Teams {
		c := &p.Teams[i]
		if c.Team != q.where.id || c.Team == "" && c.Slug != q.where.slug {
			continue
		}
		for _, ch := range c.Changes() {
			if q.who.account == "" || ch.Account != q.who.account || q.done(a, ch) {
				continue
			}
			a.Pending = &view.WhyPending{Act: string(ch.Act), Why: view.Why(ch.Why), Stopped: stopped[guard.RefOf(c, ch)]}
			for _, o := range q.plan.Objections {
				if slices.Contains(o.Changes, guard.RefOf(c, ch)) {
					a.Pending.Objections = append(a.Pending.Objections, o.Guard+": "+o.Message)
				}
			}
		}
		for _, l := range c.Leaving {
			if l.Account == q.who.account {
				a.LeavesAt = l.At
			}
		}
	}
	user := ""
	if q.who.user.Source != "" {
		user = q.who.user.String()
	}
	for _, held := range p.Held {
		if held.User == user && user != "" && held.Team == q.where.id {
			a.Held = &view.WhyHeld{Reason: held.Reason, Message: held.Message}
		}
	}
	for _, refused := range p.Refused {
		if refused.Team == q.where.id && refused.Team != "" || refused.Slug == q.where.slug {
			a.Refused = append(a.Refused, fmt.Sprintf("%s: %s", refused.Reason, refused.Message))
		}
	}
	slices.Sort(a.Refused)
	return nil
}

// done reports whether a change of the last plan was carried out by its run.
func (q *inquiry) done(a *view.Answer, ch plan.Change) bool {
	for _, e := range a.History {
		if e.Run == q.plan.Run && e.Act == string(ch.Act) {
			return slices.Contains([]string{"done", "already", "seen"}, e.Result)
		}
	}
	return ch.Act == plan.Add && q.row != nil
}
