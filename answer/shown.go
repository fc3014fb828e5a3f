package answer

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"musterline.example/audit"
	"musterline.example/guard"
	"musterline.example/internal/words"
	"musterline.example/plan"
	"musterline.example/reconcile"
	"musterline.example/store"
	"musterline.example/team"
)

// A ShownPlan is a plan as people look at it: what it would do, in figures, with what guards say. Its changes, and whoever is held, refused or
// leaving, are asked for by the page; Digest names it there.
type ShownPlan struct {
	Target       string      `json:"target"`
	Organization string      `json:"organization,omitempty"`
	Host         string      `json:"host,omitempty"`
	Digest       string      `json:"digest"`
	At           time.Time   `json:"at"`               // when it was made
	By           string      `json:"by,omitempty"`     // who wanted to see it; empty for the plan of a run
	Run          *RunStatus  `json:"run,omitempty"`    // that has made it; none for a plan that was made to be looked at
	Undoes       string      `json:"undoes,omitempty"` // the run that it takes back
	Apply        string      `json:"apply"`            // who carries plans of this target out: auto, approve or off
	Paused       *Pause      `json:"paused,omitempty"`
	Open         string      `json:"open,omitempty"` // the run that is under way
	Mapped       int         `json:"mapped"`         // teams that mappings name
	Summary      PlanSummary `json:"summary"`
	Free         int         `json:"free"`    // changes that no guard stops
	Ready        int         `json:"ready"`   // changes that no guard stops but approval, which the yes of a person answers
	Written      int         `json:"written"` // of these, changes that its run has made
	Failed       int         `json:"failed"`  // changes that its run has tried in vain
	Refused      int         `json:"refused"`
	Leaving      int         `json:"leaving"`
	Held         []HeldSum   `json:"held"`
	Guards       []GuardSays `json:"guards"`
	Notes        []string    `json:"notes"` // such as a source that could not be read
	Unread       bool        `json:"unread,omitempty"`
}

// A HeldSum is how many are held for one reason, and what that means.
type HeldSum struct {
	Reason      string `json:"reason"`
	Memberships int    `json:"memberships"`
	People      int    `json:"people"`
	Means       string `json:"means"` // and what to do about it
}

// A GuardSays is what one guard objects to in a whole plan.
type GuardSays struct {
	Guard      string  `json:"guard"`
	Changes    int     `json:"changes"` // that it stops; a warning stops none
	Teams      int     `json:"teams"`
	Objections []Doubt `json:"objections"` // the first few of them
	More       int     `json:"more"`       // objections beside these
}

// A Doubt is an objection with its way out.
type Doubt struct {
	Guard   string `json:"guard"`
	Team    string `json:"team,omitempty"`
	Source  string `json:"source,omitempty"`
	Changes int    `json:"changes"`
	Message string `json:"message"`
	Right   string `json:"right,omitempty"` // the command that answers it, when the plan is right
	Wrong   string `json:"wrong,omitempty"` // what to do when it is not
}

// fewDoubts is how many objections of one guard are told at once. There may be one for every team.
const fewDoubts = 5

// HeldReasons are the reasons for which people are held: first what a person has to decide, last what needs nothing but time.
var HeldReasons = []string{"conflict", "ambiguous", "not-linked", "not-a-member", "pending", "inactive"}

// HeldMeans says what a reason for which people are held means, and what to do about it.
func HeldMeans(reason string) string {
	return map[string]string{
		"conflict":     "it is in doubt whose account it is: nobody is added or removed until somebody decides (musterline link add)",
		"ambiguous":    "two accounts or two users are in question: nobody is added or removed until somebody decides (musterline link add)",
		"not-linked":   "nothing says which account is theirs: link them (musterline link add), or let the identity provider name it",
		"not-a-member": "the account is not in the organization: invite it there; a team sync invites nobody",
		"pending":      "invited, not accepted yet: they join by accepting",
		"inactive":     "disabled at the identity provider: nothing to do",
	}[reason]
}

// Outline is the plan without its parts, of which there may be thousands.
func (p Plan) Outline() Plan {
	p.Teams, p.Refused, p.Held, p.Objections = []TeamPlan{}, []Refused{}, []Held{}, []Objection{}
	return p
}

// A shown is a plan in full, before a page is cut out of it.
type shown struct {
	head       ShownPlan
	plan       *plan.Plan
	objections []guard.Objection
	results    map[store.WriteKey]audit.Result // of its run
}

// ShownPlan returns the plan that was made last of a target, by a run or to be looked at; of a run to be undone, when one is named, only one
// that was made to be looked at. It reads nothing anew.
func (h *House) ShownPlan(ctx context.Context, target, undo string) (ShownPlan, error) {
	s, err := h.shown(ctx, target, undo)
	return s.head, err
}

// PlanShown reads the sources and a target, says what a sync would change, or taking back a run, and keeps that for those who turn its pages.
// Nothing is written elsewhere.
func (h *House) PlanShown(ctx context.Context, target, undo, by string) (ShownPlan, error) {
	if err := OneOf("target", target, h.targetNames()); err != nil {
		return ShownPlan{}, err
	}
	if err := h.writes(); err != nil {
		return ShownPlan{}, err
	}
	decision, err := h.toApprove(ctx, target, undo)
	if errors.Is(err, reconcile.ErrNothingToUndo) {
		decision, err = nil, h.keepShown(ctx, &plan.Plan{Target: target, Digest: "nothing"}, nil, PlanSetting{Undoes: undo}, by)
	}
	if err != nil {
		return ShownPlan{}, err
	}
	if decision != nil {
		err = h.keepDecision(ctx, decision, undo, by)
	}
	if err != nil {
		return ShownPlan{}, err
	}
	return h.ShownPlan(ctx, target, undo)
}

// keepDecision keeps a plan for those who turn its pages.
func (h *House) keepDecision(ctx context.Context, d *reconcile.Decision, undo, by string) error {
	beside := *h.planOf(ctx, d, d.Plan, d.Objections).Beside
	beside.Undoes = undo
	return h.keepShown(ctx, d.Plan, d.Objections, beside, by)
}

func (h *House) keepShown(ctx context.Context, p *plan.Plan, objections []guard.Objection, beside PlanSetting, by string) error {
	said, err := json.Marshal(beside)
	if err != nil {
		return err
	}
	return h.Store.SaveShownPlan(ctx, store.ShownPlan{Undoes: beside.Undoes, At: h.now(), By: by, Plan: p, Objections: objections, Beside: said})
}

// shown finds the plan that was made last.
func (h *House) shown(ctx context.Context, target, undo string) (shown, error) {
	if err := OneOf("target", target, h.targetNames()); err != nil {
		return shown{}, err
	}
	if h.Store == nil {
		return shown{}, noPlan()
	}
	looked, err := h.Store.ShownPlan(ctx, target, undo)
	found := err == nil
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return shown{}, err
	}
	if undo == "" {
		mark, err := h.Store.PlanMark(ctx, target)
		switch {
		case errors.Is(err, store.ErrNotFound):
		case err != nil:
			return shown{}, err
		case !found || mark.At.After(looked.At):
			return h.shownOfRun(ctx, target)
		}
	}
	if !found {
		return shown{}, noPlan()
	}
	var beside PlanSetting
	if err := json.Unmarshal(looked.Beside, &beside); err != nil {
		return shown{}, err
	}
	s := shown{plan: looked.Plan, objections: looked.Objections}
	s.head.At, s.head.By, s.head.Undoes, s.head.Mapped = looked.At, looked.By, undo, beside.Mapped
	s.head.Organization, s.head.Host, s.head.Notes, s.head.Unread = beside.Organization, beside.Host, beside.Notes, beside.Unread
	return s, h.describe(ctx, &s)
}

// shownOfRun is the plan that the last run of a target has made, with what came of it.
func (h *House) shownOfRun(ctx context.Context, target string) (shown, error) {
	last, err := h.Store.LastPlan(ctx, target)
	if err != nil {
		return shown{}, err
	}
	p, err := h.storedPlan(ctx, last)
	if err != nil {
		return shown{}, err
	}
	s := shown{plan: last.Plan, objections: last.Objections}
	s.head.At, s.head.Mapped, s.head.Organization, s.head.Host = last.At, p.Beside.Mapped, p.Beside.Organization, p.Beside.Host
	run, err := h.Store.Run(ctx, last.Run)
	if errors.Is(err, store.ErrNotFound) {
		return s, h.describe(ctx, &s)
	}
	if err != nil {
		return s, err
	}
	status := runOf(run)
	s.head.Run, s.head.Undoes = &status, run.Undoes
	for _, unread := range run.Report.Unread {
		s.head.Unread = true
		s.head.Notes = append(s.head.Notes, unread+": nobody joins or leaves a team for it")
	}
	if s.results, err = h.Store.Results(ctx, run.ID); err != nil {
		return s, err
	}
	return s, h.describe(ctx, &s)
}

// describe fills in what can be said of every plan.
func (h *House) describe(ctx context.Context, s *shown) error {
	d, sum := &s.head, s.plan.Summary()
	d.Target, d.Digest, d.Apply, d.Notes = s.plan.Target, s.plan.Digest, h.Config.Targets[s.plan.Target].Apply, list(d.Notes)
	d.Summary = PlanSummary{
		Add: sum.Add, Remove: sum.Remove, Update: sum.Update, Held: sum.Held, Objected: guard.Count(s.objections), Teams: sum.Teams, Create: sum.Create,
		People: sum.People,
	}
	d.Refused, d.Held, d.Guards = len(s.plan.Refused), heldSums(s.plan.Held), guardsSay(s.objections)
	stopped := guard.Stopped(s.objections)
	for i := range s.plan.Teams {
		t := &s.plan.Teams[i]
		d.Leaving += len(t.Leaving)
		for _, ch := range changesOf(t) {
			stops := stopped[guard.RefOf(t, ch)]
			if len(stops) == 0 {
				d.Free++
			}
			if len(stops) == 0 || len(stops) == 1 && stops[0] == "approval" {
				d.Ready++
			}
			switch s.result(t, ch) {
			case audit.Done, audit.Seen, audit.Pending, audit.Already:
				d.Written++
			case audit.Failed, audit.NotDone:
				d.Failed++
			}
		}
	}
	var err error
	if d.Paused, err = h.paused(ctx, d.Target); err != nil {
		return err
	}
	d.Open, err = h.OpenRun(ctx, d.Target)
	return err
}

// changesOf are the changes of a team in the order in which people look for a name: additions, then removals, then roles, each by login. A
// team that is made without members has its making for a change.
func changesOf(t *plan.TeamChange) []plan.Change {
	if t.Create != nil && len(t.Changes()) == 0 {
		return []plan.Change{{Act: guard.Creation}}
	}
	var all []plan.Change
	for _, of := range [][]plan.Change{t.Add, t.Remove, t.Update} {
		of = slices.Clone(of)
		slices.SortStableFunc(of, func(a, b plan.Change) int { return strings.Compare(team.FoldLogin(a.Login), team.FoldLogin(b.Login)) })
		all = append(all, of...)
	}
	return all
}

// result is what came of a change in the run of the plan; empty when nothing did.
func (s *shown) result(t *plan.TeamChange, ch plan.Change) audit.Result {
	if t.Create != nil {
		return s.results[store.WriteKey{Slug: t.Slug, Account: ch.Account, Act: ch.Act}]
	}
	return s.results[store.WriteKey{Team: t.Team, Account: ch.Account, Act: ch.Act}]
}

func heldSums(held []plan.Held) []HeldSum {
	sums := []HeldSum{}
	seen := make(map[[2]string]bool)
	for _, of := range held {
		i := slices.IndexFunc(sums, func(s HeldSum) bool { return s.Reason == of.Reason })
		if i < 0 {
			i, sums = len(sums), append(sums, HeldSum{Reason: of.Reason, Means: HeldMeans(of.Reason)})
		}
		sums[i].Memberships++
		if key := [2]string{of.Reason, of.User}; !seen[key] {
			seen[key] = true
			sums[i].People++
		}
	}
	slices.SortFunc(sums, func(a, b HeldSum) int {
		return cmp.Or(cmp.Compare(slices.Index(HeldReasons, a.Reason), slices.Index(HeldReasons, b.Reason)), strings.Compare(a.Reason, b.Reason))
	})
	return sums
}

// guardsSay gathers objections by guard, in the order in which guards speak.
func guardsSay(objections []guard.Objection) []GuardSays {
	says := []GuardSays{}
	stopped, teams := make(map[string]map[guard.Ref]bool), make(map[string]map[string]bool)
	for _, o := range objections {
		i := slices.IndexFunc(says, func(s GuardSays) bool { return s.Guard == o.Guard })
		if i < 0 {
			i, says = len(says), append(says, GuardSays{Guard: o.Guard})
			stopped[o.Guard], teams[o.Guard] = make(map[guard.Ref]bool), make(map[string]bool)
		}
		for _, r := range o.Changes {
			stopped[o.Guard][r] = true
			teams[o.Guard][string(r.Team)+"\x00"+r.Slug] = true
		}
		if len(says[i].Objections) < fewDoubts {
			says[i].Objections = append(says[i].Objections, doubtOf(o))
		} else {
			says[i].More++
		}
		says[i].Changes, says[i].Teams = len(stopped[o.Guard]), len(teams[o.Guard])
	}
	return says
}

// doubtOf parts the way out of an objection into what to do when the plan is right and what when it is wrong.
func doubtOf(o guard.Objection) Doubt {
	d := Doubt{Guard: o.Guard, Team: o.Slug, Source: o.Source, Changes: len(o.Changes), Message: o.Message}
	rest, right := strings.CutPrefix(o.WayOut, "If this is right: ")
	if right {
		d.Right, d.Wrong, _ = strings.Cut(rest, ". If not: ")
	} else {
		d.Wrong = o.WayOut
	}
	return d
}

// A PlanChoice chooses a part of a plan, and the page of it.
type PlanChoice struct {
	Target string
	Undo   string // the run whose undoing it is
	Digest string // of the plan that was shown; another by now is refused as stale. Empty: whatever there is

	Teams    []string // slugs or ids
	Guards   []string // that stop the change
	Act      string   // add, remove, update or create; a cancelled invitation is a removal
	Objected bool     // only changes that some guard stops
	Reason   string   // of held people
	Text     string   // a part of a name

	After int // so many were shown on the pages before
	Size  int
}

// PlanChanges are changes of a plan, by team.
type PlanChanges struct {
	Digest string        `json:"digest"`
	Total  int           `json:"total"` // changes that fit the choice
	Teams  []TeamChanges `json:"teams"`
}

// TeamChanges are changes of one team, or those of them that a page has room for.
type TeamChanges struct {
	ID         team.ID      `json:"id"`
	Slug       string       `json:"slug"`
	Members    int          `json:"members"` // before
	After      int          `json:"after"`   // everything
	Now        int          `json:"now"`     // until somebody approves what is stopped
	Create     *team.New    `json:"create,omitempty"`
	Unmapped   bool         `json:"unmapped,omitempty"`
	Total      int          `json:"total"`               // changes of the team that fit the choice
	Continued  bool         `json:"continued,omitempty"` // they began on the page before
	Objections []Doubt      `json:"objections"`          // about this team alone
	Changes    []PlanChange `json:"changes"`
}

// A PlanChange is one change, in words.
type PlanChange struct {
	Act      string       `json:"act"` // add, remove, update or cancel; create for a team that is made without members
	Account  Account      `json:"account"`
	User     string       `json:"user,omitempty"`
	From     string       `json:"from,omitempty"` // the role before an update
	Role     string       `json:"role,omitempty"` // the role after an addition or an update
	Invite   bool         `json:"invite,omitempty"`
	Why      string       `json:"why"`
	Objected []string     `json:"objected"`         // guards that stop it
	Result   audit.Result `json:"result,omitempty"` // what came of it in the run of the plan
}

// PlanChanges returns a page of the changes of the plan that was made last.
func (h *House) PlanChanges(ctx context.Context, choose PlanChoice) (PlanChanges, error) {
	s, err := h.chosenPlan(ctx, choose)
	if err != nil {
		return PlanChanges{}, err
	}
	page := PlanChanges{Digest: s.plan.Digest, Teams: []TeamChanges{}}
	stopped := guard.Stopped(s.objections)
	doubts := make(map[string][]Doubt)
	for _, o := range s.objections {
		if o.Slug != "" {
			doubts[o.Slug] = append(doubts[o.Slug], doubtOf(o))
		}
	}
	for i := range s.plan.Teams {
		t := &s.plan.Teams[i]
		if !choose.team(t) {
			continue
		}
		out := TeamChanges{
			ID: t.Team, Slug: t.Slug, Members: t.Members, After: t.Members + len(t.Add) - len(t.Remove), Now: t.Members, Create: t.Create, Unmapped: t.Unmapped,
			Objections: list(doubts[t.Slug]), Changes: []PlanChange{},
		}
		for _, ch := range changesOf(t) {
			objected := stopped[guard.RefOf(t, ch)]
			if len(objected) == 0 {
				switch ch.Act {
				case plan.Add:
					out.Now++
				case plan.Remove, plan.Cancel:
					out.Now--
				}
			}
			if !choose.change(ch, objected) {
				continue
			}
			out.Total++
			page.Total++
			if page.Total <= choose.After {
				out.Continued = true
			} else if page.Total <= choose.After+choose.Size {
				out.Changes = append(out.Changes, s.changeOf(t, ch, objected))
			}
		}
		if len(out.Changes) > 0 {
			page.Teams = append(page.Teams, out)
		}
	}
	return page, nil
}

func (s *shown) changeOf(t *plan.TeamChange, ch plan.Change, objected []string) PlanChange {
	out := PlanChange{
		Act: string(ch.Act), Account: Account{ch.Account, ch.Login}, User: ch.User, Invite: ch.Invite, Why: Why(ch.Why), Objected: list(objected),
		Result: s.result(t, ch),
	}
	switch ch.Act {
	case plan.Add:
		out.Role = ch.Role.String()
	case plan.Update:
		out.From, out.Role = ch.From.String(), ch.Role.String()
	}
	return out
}

// team reports whether a team fits the choice.
func (c PlanChoice) team(t *plan.TeamChange) bool {
	if len(c.Teams) > 0 && !slices.Contains(c.Teams, t.Slug) && (t.Team == "" || !slices.Contains(c.Teams, string(t.Team))) {
		return false
	}
	return contains(t.Slug, c.Text)
}

// change reports whether a change fits the choice.
func (c PlanChoice) change(ch plan.Change, objected []string) bool {
	if c.Act != "" && c.Act != string(ch.Act) && (c.Act != string(plan.Remove) || ch.Act != plan.Cancel) {
		return false
	}
	if len(c.Guards) > 0 && !slices.ContainsFunc(objected, func(g string) bool { return slices.Contains(c.Guards, g) }) {
		return false
	}
	return !c.Objected || len(objected) > 0
}

// contains reports whether a name has a part, in small letters or capitals.
func contains(name, part string) bool {
	return strings.Contains(strings.ToLower(name), strings.ToLower(part))
}

// chosenPlan finds the plan that somebody is looking at, and refuses when there is another by now.
func (h *House) chosenPlan(ctx context.Context, choose PlanChoice) (shown, error) {
	s, err := h.shown(ctx, choose.Target, choose.Undo)
	if err == nil && choose.Digest != "" && choose.Digest != s.plan.Digest {
		err = Errorf(Stale, "there is a newer plan of %s", words.Quote(choose.Target)).Plainly("there is a newer plan than the one that was shown").
			WithHint("look at the new one")
	}
	return s, err
}

// PlanHeld are people who are held, one for each team in which they should be.
type PlanHeld struct {
	Digest string `json:"digest"`
	Total  int    `json:"total"`
	Held   []Held `json:"held"`
}

// PlanHeld returns a page of those who are held in the plan that was made last, by reason.
func (h *House) PlanHeld(ctx context.Context, choose PlanChoice) (PlanHeld, error) {
	s, err := h.chosenPlan(ctx, choose)
	if err != nil {
		return PlanHeld{}, err
	}
	all := slices.Clone(s.plan.Held)
	slices.SortStableFunc(all, func(a, b plan.Held) int {
		return cmp.Or(cmp.Compare(slices.Index(HeldReasons, a.Reason), slices.Index(HeldReasons, b.Reason)), cmp.Compare(a.User, b.User), cmp.Compare(a.Slug, b.Slug))
	})
	page := PlanHeld{Digest: s.plan.Digest, Held: []Held{}}
	for _, of := range all {
		if choose.Reason != "" && choose.Reason != of.Reason || !contains(of.Slug+" "+of.User+" "+of.Name, choose.Text) {
			continue
		}
		if page.Total++; page.Total > choose.After && page.Total <= choose.After+choose.Size {
			page.Held = append(page.Held, Held{Team: of.Slug, User: of.User, Reason: of.Reason, Message: of.Message, Name: of.Name})
		}
	}
	return page, nil
}

// PlanRefused are mappings that are not carried out.
type PlanRefused struct {
	Digest  string    `json:"digest"`
	Total   int       `json:"total"`
	Refused []Refused `json:"refused"`
}

// PlanRefused returns a page of the mappings that the plan that was made last does not carry out, in order of team.
func (h *House) PlanRefused(ctx context.Context, choose PlanChoice) (PlanRefused, error) {
	s, err := h.chosenPlan(ctx, choose)
	if err != nil {
		return PlanRefused{}, err
	}
	all := slices.Clone(s.plan.Refused)
	slices.SortStableFunc(all, func(a, b plan.Refused) int {
		return cmp.Or(cmp.Compare(a.Slug, b.Slug), cmp.Compare(a.Mapping, b.Mapping))
	})
	page := PlanRefused{Digest: s.plan.Digest, Refused: []Refused{}}
	for _, of := range all {
		if !contains(of.Slug+" "+of.Mapping+" "+of.Reason, choose.Text) {
			continue
		}
		if page.Total++; page.Total > choose.After && page.Total <= choose.After+choose.Size {
			page.Refused = append(page.Refused, Refused{Team: of.Slug, Mapping: of.Mapping, Reason: of.Reason, Message: of.Message})
		}
	}
	return page, nil
}

// PlanLeaving are members whose time in a team has an end.
type PlanLeaving struct {
	Digest  string       `json:"digest"`
	Total   int          `json:"total"`
	Leaving []TeamLeaver `json:"leaving"`
}

// A TeamLeaver is a member of a team whose time in it has an end.
type TeamLeaver struct {
	Team    string    `json:"team"`
	Account Account   `json:"account"`
	At      time.Time `json:"at"`
	Why     string    `json:"why"`
}

// PlanLeaving returns a page of those who are in grace in the plan that was made last, the first to leave first.
func (h *House) PlanLeaving(ctx context.Context, choose PlanChoice) (PlanLeaving, error) {
	s, err := h.chosenPlan(ctx, choose)
	if err != nil {
		return PlanLeaving{}, err
	}
	var all []TeamLeaver
	for i := range s.plan.Teams {
		t := &s.plan.Teams[i]
		for _, l := range t.Leaving {
			if contains(t.Slug+" "+l.Login, choose.Text) {
				all = append(all, TeamLeaver{t.Slug, Account{l.Account, l.Login}, l.At, Why(l.Why)})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b TeamLeaver) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Team, b.Team), strings.Compare(team.FoldLogin(a.Account.Login), team.FoldLogin(b.Account.Login)))
	})
	from := min(choose.After, len(all))
	return PlanLeaving{s.plan.Digest, len(all), list(all[from:min(from+choose.Size, len(all))])}, nil
}
