package answer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"musterline.example/guard"
	"musterline.example/internal/words"
	"musterline.example/plan"
	"musterline.example/reconcile"
	"musterline.example/store"
	"musterline.example/team"
)

// Format is the version of the form of Plans and of Synced.
const Format = 1

// Plans is what `plan --json` prints and `plan --out` saves. The form is stable: it changes only with Format, and fields are only added.
type Plans struct {
	Format int    `json:"format"`
	Plans  []Plan `json:"plans"`
}

// A Plan is what there is to say of the plan of one target.
type Plan struct {
	Target     string       `json:"target"`
	Digest     string       `json:"digest"`
	Teams      []TeamPlan   `json:"teams"`
	Refused    []Refused    `json:"refused"` // in order of slug
	Held       []Held       `json:"held"`
	Objections []Objection  `json:"objections"`
	Summary    PlanSummary  `json:"summary"`
	Beside     *PlanSetting `json:"beside,omitempty"` // what else a reader must know
}

// A PlanSetting is what a reader of a plan must know beside it.
type PlanSetting struct {
	Organization string   `json:"organization,omitempty"`
	Host         string   `json:"host,omitempty"`
	Undoes       string   `json:"undoes,omitempty"`     // the run that it takes back; empty for the plan of a sync
	Mapped       int      `json:"mapped"`               // teams that mappings name
	Unread       bool     `json:"unread,omitempty"`     // a source could not be read: of what its groups say nothing is known
	NoHistory    bool     `json:"no_history,omitempty"` // there is no database: every team counts as a first connection
	Apply        string   `json:"apply,omitempty"`      // who carries plans of this target out: auto, approve or off
	Paused       *Pause   `json:"paused,omitempty"`
	Notes        []string `json:"notes,omitempty"` // such as a source that could not be read, or a group that was renamed
}

// A TeamPlan is what happens to one team.
type TeamPlan struct {
	ID       team.ID    `json:"id"` // empty for a team that is to be created
	Slug     string     `json:"slug"`
	Members  int        `json:"members"` // before
	Create   *team.New  `json:"create,omitempty"`
	Unmapped bool       `json:"unmapped,omitempty"`
	Add      []Addition `json:"add"`
	Remove   []Removal  `json:"remove"`
	Update   []Update   `json:"update"`
	Leaving  []Leaving  `json:"leaving,omitempty"`  // still members, in grace
	Objected []string   `json:"objected,omitempty"` // guards that stop the creation of a team that is to have no member yet
}

// An Account is a login with its number.
type Account struct {
	ID    team.AccountID `json:"id"`
	Login string         `json:"login"`
}

// An Addition is somebody who joins.
type Addition struct {
	Account  Account       `json:"account"`
	Role     team.Role     `json:"role"`
	Why      []team.Reason `json:"why"`
	Objected []string      `json:"objected"`         // guards that stop it
	Invite   bool          `json:"invite,omitempty"` // they have left the organization and are invited again
}

// A Removal is somebody who leaves.
type Removal struct {
	Account  Account       `json:"account"`
	Why      []team.Reason `json:"why"`
	Objected []string      `json:"objected"`
	Cancel   bool          `json:"cancel,omitempty"` // an invitation that is not accepted yet
}

// An Update is somebody whose role changes.
type Update struct {
	Account  Account       `json:"account"`
	From     team.Role     `json:"from"`
	To       team.Role     `json:"to"`
	Why      []team.Reason `json:"why"`
	Objected []string      `json:"objected"`
}

// A Leaving is a member whose time in the team has an end.
type Leaving struct {
	Account Account       `json:"account"`
	At      time.Time     `json:"at"`
	Why     []team.Reason `json:"why"`
}

// A Refused is a mapping that is not carried out.
type Refused struct {
	Team    string `json:"team"`
	Mapping string `json:"mapping,omitempty"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// A Held is a person who should be in a team and cannot be yet.
type Held struct {
	Team    string `json:"team"`
	User    string `json:"user"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
	Name    string `json:"name,omitempty"` // of the person, as the identity provider has it
}

// An Objection is what a guard says.
type Objection struct {
	Guard   string `json:"guard"`
	Team    string `json:"team"`
	Source  string `json:"source,omitempty"`
	Changes int    `json:"changes"` // how many it stops; a warning stops none
	Message string `json:"message"`
	Waive   string `json:"waive"`             // the command that answers it, empty for a warning
	WayOut  string `json:"way_out,omitempty"` // what to do when the plan is right, and what when it is wrong
}

// A PlanSummary counts the changes of a plan.
type PlanSummary struct {
	Add      int `json:"add"`
	Remove   int `json:"remove"`
	Update   int `json:"update"`
	Held     int `json:"held"`
	Objected int `json:"objected"`         // changes that guards stop, each counted once
	Teams    int `json:"teams,omitempty"`  // with changes
	Create   int `json:"create,omitempty"` // of these, teams that are to be created
	People   int `json:"people,omitempty"` // who are held
}

// PlanOf says what there is to say of a plan by itself.
func PlanOf(p *plan.Plan, objections []guard.Objection) Plan {
	s := p.Summary()
	out := Plan{
		Target: p.Target, Digest: p.Digest,
		Teams: []TeamPlan{}, Refused: []Refused{}, Held: []Held{}, Objections: []Objection{},
		Summary: PlanSummary{
			Add: s.Add, Remove: s.Remove, Update: s.Update, Held: s.Held, Objected: guard.Count(objections),
			Teams: s.Teams, Create: s.Create, People: s.People,
		},
	}
	stopped := guard.Stopped(objections)
	for i := range p.Teams {
		out.Teams = append(out.Teams, teamOf(&p.Teams[i], stopped))
	}
	for _, r := range p.Refused {
		out.Refused = append(out.Refused, Refused{Team: r.Slug, Mapping: r.Mapping, Reason: r.Reason, Message: r.Message})
	}
	slices.SortStableFunc(out.Refused, func(a, b Refused) int { return strings.Compare(a.Team, b.Team) })
	for _, h := range p.Held {
		out.Held = append(out.Held, Held{Team: h.Slug, User: h.User, Reason: h.Reason, Message: h.Message, Name: h.Name})
	}
	for _, o := range objections {
		said := Objection{Guard: o.Guard, Team: o.Slug, Source: o.Source, Changes: len(o.Changes), Message: o.Message, WayOut: o.WayOut}
		if len(o.Changes) > 0 {
			said.Waive = approveCommand(p.Target, o)
		}
		out.Objections = append(out.Objections, said)
	}
	return out
}

// approveCommand is the command that answers an objection.
func approveCommand(target string, o guard.Objection) string {
	command := "musterline approve " + words.Quote(target)
	if o.Slug != "" {
		command += " --team " + words.Quote(o.Slug)
	}
	return command + " --guard " + words.Quote(o.Guard) + " --reason TEXT"
}

func teamOf(c *plan.TeamChange, stopped map[guard.Ref][]string) TeamPlan {
	t := TeamPlan{
		ID: c.Team, Slug: c.Slug, Members: c.Members, Create: c.Create, Unmapped: c.Unmapped,
		Add: []Addition{}, Remove: []Removal{}, Update: []Update{},
	}
	by := func(ch plan.Change) []string { return list(stopped[guard.RefOf(c, ch)]) }
	for _, ch := range c.Add {
		t.Add = append(t.Add, Addition{Account: Account{ch.Account, ch.Login}, Role: ch.Role, Why: list(ch.Why), Objected: by(ch), Invite: ch.Invite})
	}
	for _, ch := range c.Remove {
		t.Remove = append(t.Remove, Removal{Account: Account{ch.Account, ch.Login}, Why: list(ch.Why), Objected: by(ch), Cancel: ch.Act == plan.Cancel})
	}
	for _, ch := range c.Update {
		t.Update = append(t.Update, Update{Account: Account{ch.Account, ch.Login}, From: ch.From, To: ch.Role, Why: list(ch.Why), Objected: by(ch)})
	}
	for _, l := range c.Leaving {
		t.Leaving = append(t.Leaving, Leaving{Account{l.Account, l.Login}, l.At, list(l.Why)})
	}
	if c.Create != nil && len(c.Changes()) == 0 {
		t.Objected = stopped[guard.RefOf(c, plan.Change{Act: guard.Creation})]
	}
	return t
}

// Changes counts the changes of the team.
func (t TeamPlan) Changes() int { return len(t.Add) + len(t.Remove) + len(t.Update) }

// Empty reports whether nothing is to be done to the team.
func (t TeamPlan) Empty() bool { return t.Create == nil && t.Changes() == 0 }

// objected returns what guards say of every change of the team, and of its creation where that is all there is.
func (t TeamPlan) objected() [][]string {
	all := make([][]string, 0, t.Changes()+1)
	for _, ch := range t.Add {
		all = append(all, ch.Objected)
	}
	for _, ch := range t.Remove {
		all = append(all, ch.Objected)
	}
	for _, ch := range t.Update {
		all = append(all, ch.Objected)
	}
	if t.Create != nil && t.Changes() == 0 {
		all = append(all, t.Objected)
	}
	return all
}

// Empty reports whether the plan changes nothing. Held people, refusals and leavers in grace are no changes.
func (p Plan) Empty() bool {
	return !slices.ContainsFunc(p.Teams, func(t TeamPlan) bool { return !t.Empty() })
}

// Free counts the changes that no guard stops.
func (p Plan) Free() int {
	n := 0
	for _, t := range p.Teams {
		for _, guards := range t.objected() {
			if len(guards) == 0 {
				n++
			}
		}
	}
	return n
}

// Stopped counts the changes that each guard stops.
func (p Plan) Stopped() map[string]int {
	n := make(map[string]int)
	for _, t := range p.Teams {
		for _, guards := range t.objected() {
			for _, g := range guards {
				n[g]++
			}
		}
	}
	return n
}

// Guards are the guards that stop something, in the order in which they speak.
func (p Plan) Guards() []string { return guards(p.Objections) }

func guards(objections []Objection) []string {
	names := []string{}
	for _, o := range objections {
		if o.Changes > 0 && !slices.Contains(names, o.Guard) {
			names = append(names, o.Guard)
		}
	}
	return names
}

// Setting returns what a reader must know beside the plan.
func (p Plan) Setting() PlanSetting {
	if p.Beside == nil {
		return PlanSetting{}
	}
	return *p.Beside
}

// Answered returns the plan for somebody who is about to say yes or no to it: a yes answers the guard approval, which asks for no more.
func (p Plan) Answered() Plan {
	waits := func(guard string) bool { return guard == "approval" }
	without := func(guards []string) []string { return slices.DeleteFunc(slices.Clone(guards), waits) }
	p.Objections = slices.DeleteFunc(slices.Clone(p.Objections), func(o Objection) bool { return waits(o.Guard) })
	p.Summary.Objected = 0
	p.Teams = slices.Clone(p.Teams)
	for i := range p.Teams {
		t := &p.Teams[i]
		t.Add, t.Remove, t.Update = slices.Clone(t.Add), slices.Clone(t.Remove), slices.Clone(t.Update)
		for j := range t.Add {
			t.Add[j].Objected = without(t.Add[j].Objected)
		}
		for j := range t.Remove {
			t.Remove[j].Objected = without(t.Remove[j].Objected)
		}
		for j := range t.Update {
			t.Update[j].Objected = without(t.Update[j].Objected)
		}
		t.Objected = without(t.Objected)
		for _, guards := range t.objected() {
			if len(guards) > 0 {
				p.Summary.Objected++
			}
		}
	}
	return p
}

// Form returns the plan as `plan --json` promises it to programs: without what is said beside it for people to read.
func (p Plan) Form() Plan {
	p.Beside, p.Summary.Teams, p.Summary.Create, p.Summary.People = nil, 0, 0, 0
	p.Teams, p.Objections = slices.Clone(p.Teams), slices.Clone(p.Objections)
	for i := range p.Teams {
		t := &p.Teams[i]
		t.Add, t.Remove, t.Objected = slices.Clone(t.Add), slices.Clone(t.Remove), nil
		for j := range t.Add {
			t.Add[j].Invite = false
		}
		for j := range t.Remove {
			t.Remove[j].Cancel = false
		}
	}
	for i := range p.Objections {
		p.Objections[i].WayOut = ""
	}
	return p
}

// Plan reads the sources and a target and says what a sync would change.
func (h *House) Plan(ctx context.Context, name string) (Plan, error) {
	d, err := h.Deps(ctx, Person, name)
	if err != nil {
		return Plan{}, err
	}
	decision, err := reconcile.Plan(ctx, d, name)
	if err != nil {
		return Plan{}, err
	}
	return h.planOf(ctx, decision, decision.Plan, decision.Objections), nil
}

// PlanUndo says what taking back a run would change.
func (h *House) PlanUndo(ctx context.Context, id string) (Plan, error) {
	run, err := h.run(ctx, id)
	if err != nil {
		return Plan{}, err
	}
	d, err := h.Deps(ctx, Person, run.Target)
	if err != nil {
		return Plan{}, err
	}
	decision, err := reconcile.PlanUndo(ctx, d, run.Target, run.ID)
	if errors.Is(err, reconcile.ErrNothingToUndo) {
		p := PlanOf(&plan.Plan{Target: run.Target}, nil)
		p.Beside = &PlanSetting{Undoes: run.ID}
		return p, nil
	}
	if err != nil {
		return Plan{}, err
	}
	p := h.planOf(ctx, decision, decision.Plan, decision.Objections)
	p.Beside.Undoes = run.ID
	return p.Answered(), nil // to undo is a person's wish
}

// run finds a run by its number.
func (h *House) run(ctx context.Context, id string) (store.Run, error) {
	if h.Store == nil {
		return store.Run{}, noRun(id)
	}
	run, err := h.Store.Run(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return run, noRun(id)
	}
	return run, err
}

func noRun(id string) error {
	return Errorf(NotFound, "there is no run %q", id).Plainly("there is no such run").
		WithHint("musterline status shows the last run of each target, musterline audit the others")
}

// planOf gathers what there is to say of a decision, or of the part of it that is given.
func (h *House) planOf(ctx context.Context, d *reconcile.Decision, part *plan.Plan, objections []guard.Objection) Plan {
	p := PlanOf(part, objections)
	mapped := make(map[team.ID]bool)
	for _, m := range d.World.Mappings {
		if m.TeamID != "" {
			mapped[m.TeamID] = true
		}
	}
	for _, r := range d.Plan.Refused {
		delete(mapped, r.Team)
	}
	p.Beside = &PlanSetting{
		Organization: d.World.Place.Organization, Host: d.World.Place.Host, Mapped: len(mapped),
		NoHistory: h.Store == nil, Apply: h.Config.Targets[p.Target].Apply,
	}
	if paused, err := h.paused(ctx, p.Target); err == nil {
		p.Beside.Paused = paused
	}
	for _, name := range slices.Sorted(maps.Keys(d.World.Sources)) {
		if failed := d.World.Sources[name].Failed; failed != "" {
			p.Beside.Unread = true
			p.Beside.Notes = append(p.Beside.Notes, fmt.Sprintf("source %s could not be read, and nobody joins or leaves a team for it: %s", name, failed))
		}
	}
	if d.World.IdentityTrouble != "" {
		p.Beside.Notes = append(p.Beside.Notes, "linked identities could not be read: "+d.World.IdentityTrouble)
	}
	for _, lack := range d.World.Standing.Needs {
		p.Beside.Notes = append(p.Beside.Notes, "the credential lacks "+lack+": see musterline check")
	}
	p.Beside.Notes = append(p.Beside.Notes, d.World.Standing.Warnings...)
	p.Beside.Notes = append(p.Beside.Notes, renamed(d.World)...)
	return p
}

// Why puts reasons into words: the rule and what it rests on, or for a member of a mapped group the path of groups that leads there.
func Why(reasons []team.Reason) string {
	var all []string
	for _, r := range reasons {
		text := string(r.Rule)
		switch {
		case text == "":
			text = Path(r.Path)
		case r.Note != "":
			text += ": " + r.Note
		}
		if text != "" && !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return strings.Join(all, "; ")
}

// Path writes a path of groups from the mapped one to the one that lists the user.
func Path(groups []string) string { return strings.Join(groups, " › ") }
