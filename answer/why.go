package answer

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"musterline.example/directory"
	"musterline.example/guard"
	"musterline.example/internal/words"
	"musterline.example/link"
	"musterline.example/mapping"
	"musterline.example/plan"
	"musterline.example/store"
	"musterline.example/team"
)

// A Known is an id with the name that people know.
type Known struct {
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
}

// An Answer says why somebody is in a team, or why not, from stored evidence.
type Answer struct {
	Verdict  string       `json:"verdict"` // in, out, held, refused, waits, unknown
	Summary  string       `json:"summary"`
	Target   string       `json:"target"`
	Host     string       `json:"host,omitempty"` // where the accounts of the target live
	Team     Known        `json:"team"`
	Account  Known        `json:"account"`
	User     string       `json:"user,omitempty"` // "source/id"
	Person   string       `json:"person,omitempty"`
	Status   string       `json:"status,omitempty"` // at the identity provider
	Mappings []WhyMapping `json:"mappings"`
	Link     *Link        `json:"link,omitempty"`
	Ledger   *LedgerRow   `json:"ledger,omitempty"`
	History  []WhyEvent   `json:"history"`
	Held     *WhyHeld     `json:"held,omitempty"`
	Pending  *WhyPending  `json:"pending,omitempty"`
	Refused  []string     `json:"refused,omitempty"`
	LeavesAt time.Time    `json:"leaves_at,omitzero"`
	PlanRun  string       `json:"plan_run,omitempty"` // the run whose plan is the last
	PlanAt   time.Time    `json:"plan_at,omitzero"`
}

// A WhyMapping is one mapping of the team, and the path by which it reaches the person.
type WhyMapping struct {
	ID      string    `json:"id"`
	Group   string    `json:"group"`
	Role    string    `json:"role"`
	Mode    string    `json:"mode,omitempty"`
	Path    []string  `json:"path,omitempty"` // empty: the person is not in the group
	Status  string    `json:"status,omitempty"`
	ReadAt  time.Time `json:"read_at,omitzero"`
	Missing bool      `json:"missing,omitempty"` // the source lists no such group
	Failure string    `json:"failure,omitempty"` // of a later read
}

// A LedgerRow is why the membership stands.
type LedgerRow struct {
	Origin   string    `json:"origin"` // granted or found
	Role     string    `json:"role"`
	Mappings []string  `json:"mappings"`
	Since    time.Time `json:"since"`
	Entry    int64     `json:"entry"` // of the audit record
}

// A WhyEvent is one write to the membership.
type WhyEvent struct {
	Entry     int64     `json:"entry"`
	Intent    int64     `json:"intent,omitempty"`
	At        time.Time `json:"at"`
	Run       string    `json:"run"`
	Trigger   string    `json:"trigger,omitempty"`
	Requester string    `json:"requester,omitempty"`
	Act       string    `json:"act"`
	Result    string    `json:"result"`
	Error     string    `json:"error,omitempty"`
	Why       string    `json:"why,omitempty"`
	Waiver    string    `json:"waiver,omitempty"`
	Waived    []string  `json:"waived,omitempty"` // guards
	WaivedBy  string    `json:"waived_by,omitempty"`
	WaivedWhy string    `json:"waived_why,omitempty"`
}

// A WhyHeld is why the person cannot be in the team yet.
type WhyHeld struct {
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// A WhyPending is a change of the last plan that has not come about.
type WhyPending struct {
	Act        string   `json:"act"`
	Why        string   `json:"why,omitempty"`
	Stopped    []string `json:"stopped,omitempty"`
	Objections []string `json:"objections,omitempty"`
}

// who is the person as people know them.
func (a *Answer) who() string {
	name := a.Account.Name
	if name == "" {
		name = a.User
	}
	if name == "" {
		name = "account " + a.Account.ID
	}
	return name
}

// Conclude puts the evidence into one word and one sentence, whose moments are in the zone of now: an answer from another zone is concluded
// again by whoever shows it.
func (a *Answer) Conclude(now time.Time) {
	who, where := a.who(), a.Target+"/"+a.Team.Name
	removed := len(a.History) > 0 && a.History[0].removed()
	switch {
	case a.Ledger != nil && a.Pending != nil:
		a.Verdict, a.Summary = "in", fmt.Sprintf("%s is in %s, and the last plan %s", who, where, a.Pending.sentence())
	case a.Ledger != nil && !a.LeavesAt.IsZero():
		a.Verdict, a.Summary = "in", fmt.Sprintf("%s is in %s, and leaves at %s", who, where, words.Moment(a.LeavesAt, now))
	case a.Ledger != nil && a.Ledger.Origin == "found":
		a.Verdict, a.Summary = "in", fmt.Sprintf("%s is in %s: was there already, and a mapped group justifies it", who, where)
	case a.Ledger != nil:
		a.Verdict, a.Summary = "in", fmt.Sprintf("%s is in %s: Musterline put them there", who, where)
	case a.Pending != nil && a.Pending.Act == "add":
		a.Verdict, a.Summary = "waits", fmt.Sprintf("%s is not in %s yet: the last plan %s", who, where, a.Pending.sentence())
	case a.Pending != nil:
		a.Verdict, a.Summary = "in", fmt.Sprintf("%s is in %s by another hand: the last plan %s", who, where, a.Pending.sentence())
	case len(a.Refused) > 0:
		a.Verdict, a.Summary = "refused", fmt.Sprintf("%s is not kept in line: %s", where, strings.Join(a.Refused, "; "))
	case a.Held != nil && a.Held.Reason == string(link.NotLinked), a.Held == nil && a.unlinked() && a.reached():
		a.Verdict, a.Summary = "held", fmt.Sprintf("%s should be in %s and cannot be yet: not linked to an account (%s)", who, where, link.NotLinked)
	case a.Held != nil:
		a.Verdict, a.Summary = "held", fmt.Sprintf("%s should be in %s and cannot be yet: %s", who, where, a.Held.Reason)
	case removed:
		a.Verdict, a.Summary = "out", fmt.Sprintf("%s is not in %s: removed by run %s (%s)", who, where, a.History[0].Run, a.History[0].Why)
	case len(a.Mappings) == 0:
		a.Verdict, a.Summary = "unknown", fmt.Sprintf("%s has no mapping: Musterline does not say who is in it", where)
	case a.reached():
		a.Verdict, a.Summary = "waits", fmt.Sprintf("%s should be in %s by the groups as last read: the next sync sees to it", who, where)
	default:
		a.Verdict, a.Summary = "out", fmt.Sprintf("Musterline has not put %s into %s: in none of its mapped groups", who, where)
	}
}

// unlinked reports whether it is about a user of whom nobody knows the account.
func (a *Answer) unlinked() bool { return a.User != "" && a.Link == nil && a.Account.ID == "" }

func (a *Answer) reached() bool {
	for _, m := range a.Mappings {
		if len(m.Path) > 0 && (m.Status == "active" || m.Status == "locked") {
			return true
		}
	}
	return false
}

func (e WhyEvent) removed() bool {
	return (e.Act == "remove" || e.Act == "cancel") && (e.Result == "done" || e.Result == "already" || e.Result == "seen")
}

func (p *WhyPending) sentence() string {
	act := map[string]string{"add": "adds them", "remove": "removes them", "update": "changes their role", "cancel": "cancels their invitation"}[p.Act]
	if p.Why != "" {
		act += " (" + p.Why + ")"
	}
	if len(p.Stopped) > 0 {
		return act + ", but " + words.List(p.Stopped) + " " + words.Verb(len(p.Stopped), "objects", "object")
	}
	return act
}

// An inquiry is one question with the evidence that is stored about it.
type inquiry struct {
	*House
	who   person
	where knownTeam
	place team.Place
	plan  store.Plan // the last one; its Plan is nil when there was none
	row   *mapping.Entry
}

// Why says from stored evidence why somebody is in a team, or why not. Where the team is named with its target, all words mean what is called so
// there, and nothing of other targets.
func (h *House) Why(ctx context.Context, user, of string) (Answer, error) {
	if h.Store == nil {
		return Answer{}, Errorf(Nothing, "there is nothing stored yet to answer from").WithHint("musterline plan says what a sync would do, and why")
	}
	target, _, _ := strings.Cut(of, "/")
	if !slices.Contains(h.targetNames(), target) {
		target = ""
	}
	r, err := h.register(ctx, target)
	if err != nil {
		return Answer{}, err
	}
	q := &inquiry{House: h}
	if q.where, err = r.findTeam(of); err != nil {
		return Answer{}, err
	}
	if q.who, err = h.findPerson(ctx, r, h.host(ctx, q.where.target), user); err != nil {
		return Answer{}, err
	}
	if q.place, err = h.Store.Place(ctx, q.where.target); err != nil && !errors.Is(err, store.ErrNotFound) {
		return Answer{}, err
	}
	if q.plan, err = h.Store.LastPlan(ctx, q.where.target); err != nil && !errors.Is(err, store.ErrNotFound) {
		return Answer{}, err
	}
	answer := Answer{
		Target: q.where.target, Host: h.host(ctx, q.where.target), Team: Known{ID: string(q.where.id), Name: q.where.slug},
		Account: Known{ID: string(q.who.account), Name: q.who.login}, Person: q.who.name, Status: string(q.who.status),
	}
	if q.who.user.Source != "" {
		answer.User = q.who.user.String()
	}
	for _, step := range []func(context.Context, *Answer) error{q.ledger, q.groups, q.linked, q.history, q.pending} {
		if err := step(ctx, &answer); err != nil {
			return answer, err
		}
	}
	answer.Conclude(h.now())
	return answer, nil
}

// ledger says what the ledger holds.
func (q *inquiry) ledger(ctx context.Context, a *Answer) error {
	if q.who.account == "" || q.where.id == "" {
		return nil
	}
	row, entry, err := q.Store.LedgerRow(ctx, q.place, q.where.id, q.who.account)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	q.row = &row
	a.Ledger = &LedgerRow{Origin: row.Origin.String(), Role: row.Role.String(), Mappings: row.Mappings, Since: row.Since, Entry: entry}
	return nil
}

// groups walks the last snapshots again for the paths that lead to the person.
func (q *inquiry) groups(ctx context.Context, a *Answer) error {
	mappings, err := q.mappings(ctx, q.where.target)
	if err != nil {
		return err
	}
	for _, m := range mappings {
		if m.TeamID != q.where.id && (m.TeamID != "" || m.Team != q.where.slug) {
			continue
		}
		read, err := q.Store.SourceRead(ctx, m.Source)
		if err != nil {
			return err
		}
		s, err := q.lastRead(ctx, m.Source)
		if err != nil {
			return err
		}
		shown := WhyMapping{ID: m.ID, Group: m.Source + "/" + m.Group, Role: m.Role.String(), Mode: string(m.Mode), Failure: read.Failure}
		if s != nil {
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
func (q *inquiry) linked(_ context.Context, a *Answer) error {
	if l := q.who.link; l != nil {
		a.Link = &Link{User: l.User.String(), Account: string(l.Account), Login: l.Login, Tier: string(l.Tier), State: string(l.State),
			Evidence: l.Evidence, By: l.By, Since: l.MadeAt, Trouble: l.Trouble}
	}
	return nil
}

// history tells what runs have done to the membership, the newest first.
func (q *inquiry) history(ctx context.Context, a *Answer) error {
	a.History = []WhyEvent{}
	if q.who.account == "" || q.where.id == "" {
		return nil
	}
	outcomes, err := q.Store.Entries(ctx, store.Filter{Target: q.where.target, Team: string(q.where.id), Account: string(q.who.account), Kind: store.KindOutcome, Limit: 10})
	if err != nil {
		return err
	}
	for _, e := range outcomes {
		event := WhyEvent{Entry: e.Seq, At: e.At, Run: e.Run, Act: e.Act, Result: e.Result, Trigger: e.Actor.Trigger, Requester: e.Actor.Requester}
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
func (q *inquiry) explain(ctx context.Context, event *WhyEvent, intent string) error {
	writes, err := q.Store.Writes(ctx, event.Run)
	if err != nil {
		return err
	}
	for _, w := range writes {
		if w.Intent != intent || w.Write.Account != string(q.who.account) || w.Write.Act != event.Act {
			continue
		}
		var why []team.Reason
		if text, err := json.Marshal(w.Write.Why); err == nil && json.Unmarshal(text, &why) == nil {
			event.Why = Why(why)
		}
		event.Why = cmp.Or(event.Why, w.Write.Rule)
		event.Waiver, event.Waived = w.Write.Waiver, w.Write.Waived
	}
	if event.Waiver == "" {
		return nil
	}
	waivers, err := q.Store.ListWaivers(ctx, q.where.target, event.At.Add(-2*guard.WaiverLife))
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
func (q *inquiry) pending(_ context.Context, a *Answer) error {
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
			a.Pending = &WhyPending{Act: string(ch.Act), Why: Why(ch.Why), Stopped: stopped[guard.RefOf(c, ch)]}
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
			a.Held = &WhyHeld{Reason: held.Reason, Message: held.Message}
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
func (q *inquiry) done(a *Answer, ch plan.Change) bool {
	for _, e := range a.History {
		if e.Run == q.plan.Run && e.Act == string(ch.Act) {
			return slices.Contains([]string{"done", "already", "seen"}, e.Result)
		}
	}
	return ch.Act == plan.Add && q.row != nil
}
