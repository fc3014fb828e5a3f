package answer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"musterline.example/guard"
	"musterline.example/internal/words"
	"musterline.example/plan"
	"musterline.example/reconcile"
	"musterline.example/team"
)

// An ApproveWish asks to waive what guards object to in the plan of a target, or in the undoing of a run. Without teams and guards it is
// about all changes objected to. The filters choose changes; the waiver then answers every objection that those changes have now.
type ApproveWish struct {
	Target string   `json:"target"`
	Undo   string   `json:"undo,omitempty"`   // the run whose undoing it is about; empty: the plan of a sync
	Teams  []string `json:"teams,omitempty"`  // slugs or ids
	Guards []string `json:"guards,omitempty"` // that object

	// Digest is that of the approval that was shown: if something else would be waived by now, nothing is. Without one, what the filters
	// choose now is waived.
	Digest  string `json:"digest,omitempty"`
	Preview bool   `json:"preview,omitempty"` // only say what it would be about
	Show    bool   `json:"show,omitempty"`    // keep the plan for those who turn its pages

	By     string `json:"by,omitempty"`
	Reason string `json:"reason"`
}

// An Approval is a waiver, or what one would be about.
type Approval struct {
	Target  string `json:"target"`
	Undo    string `json:"undo,omitempty"`
	Digest  string `json:"digest"`  // of the changes, and of the guards whose objections are answered
	Changes int    `json:"changes"` // 0 when no guard objects to anything
	Plan    Plan   `json:"plan"`    // those changes, and those objections

	Waiver string    `json:"waiver,omitempty"` // its id; empty for a preview
	By     string    `json:"by,omitempty"`
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"at,omitzero"`
	Until  time.Time `json:"until,omitzero"` // it ends
}

// An offer is an approval that was shown, with the waiver that it would become.
type offer struct {
	approval Approval
	waiver   guard.Waiver
	at       time.Time
}

// fresh is how long an offer need not be planned anew.
const fresh = 10 * time.Minute

// Approve plans anew, and waives what guards object to. Nothing is applied: the next sync, or undo, does that. A server is asked for the
// sync with the waiver; to undo is for a person.
func (h *House) Approve(ctx context.Context, wish ApproveWish) (Approval, error) {
	if strings.TrimSpace(wish.Reason) == "" && !wish.Preview {
		return Approval{}, Usagef("an approval needs a reason, which the audit record keeps")
	}
	if err := OneOf("target", wish.Target, h.targetNames()); err != nil {
		return Approval{}, err
	}
	for _, g := range wish.Guards {
		if err := OneOf("guard", g, guard.Names()); err != nil {
			return Approval{}, err
		}
	}
	of, known := h.offered(wish)
	if !known {
		var err error
		if of, err = h.offer(ctx, wish); err != nil {
			return Approval{}, err
		}
	}
	if wish.Preview || of.approval.Changes == 0 {
		h.mu.Lock()
		h.offers[[2]string{wish.Target, wish.Undo}] = of
		h.mu.Unlock()
		return of.approval, nil
	}
	if wish.Digest != "" && wish.Digest != of.approval.Digest {
		return Approval{}, Moved(wish.Target)
	}
	if err := h.writes(); err != nil {
		return Approval{}, err
	}
	w, a := of.waiver, of.approval
	w.By, w.Reason, w.At = wish.By, wish.Reason, h.now()
	var asks []reconcile.Request
	if wish.Undo == "" {
		asks = h.following(reconcile.Request{
			Target: wish.Target, Teams: teamsOf(w), Trigger: reconcile.ByPerson, Asker: wish.By, Why: "what guards objected to was approved",
		})
	}
	id, err := h.Store.AddWaiver(ctx, w, asks...)
	if err != nil {
		return Approval{}, err
	}
	a.Waiver, a.By, a.Reason, a.At, a.Until = id, w.By, w.Reason, w.At, w.At.Add(guard.WaiverLife)
	return a, nil
}

// teamsOf are the teams that a waiver is about; one that is to be created has no id, and is planned with the rest.
func teamsOf(w guard.Waiver) []team.ID {
	var teams []team.ID
	for _, c := range w.Changes {
		if c.Team != "" && !slices.Contains(teams, c.Team) {
			teams = append(teams, c.Team)
		}
	}
	return teams
}

// offered returns the offer that a wish accepts, if it was made here and lately: then it need not be planned anew.
func (h *House) offered(wish ApproveWish) (offer, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	key := [2]string{wish.Target, wish.Undo}
	of, ok := h.offers[key]
	if !ok || wish.Preview {
		return offer{}, false
	}
	delete(h.offers, key)
	return of, wish.Digest != "" && wish.Digest == of.approval.Digest && h.now().Sub(of.at) < fresh
}

// offer plans what an approval is about.
func (h *House) offer(ctx context.Context, wish ApproveWish) (offer, error) {
	decision, err := h.toApprove(ctx, wish.Target, wish.Undo)
	if err != nil {
		return offer{}, err
	}
	if err := teamsExist(decision, wish.Teams); err != nil {
		return offer{}, err
	}
	if wish.Show {
		if err := h.keepDecision(ctx, decision, wish.Undo, wish.By); err != nil {
			return offer{}, err
		}
	}
	w := guard.WaiverFor(decision.Plan, decision.Objections, guard.Filter{Teams: wish.Teams, Guards: wish.Guards}, wish.By, wish.Reason, h.now())
	if len(w.Changes) == 0 && guard.Count(decision.Objections) > 0 {
		look := "musterline plan " + words.Quote(wish.Target)
		if wish.Undo != "" {
			look = "musterline undo " + words.Quote(wish.Undo)
		}
		return offer{}, Errorf(Conflict, "%s: no guard objects to the changes chosen", wish.Target).WithHint("to see what guards object to: " + look)
	}
	about := h.planOf(ctx, decision, chosen(decision.Plan, w), answers(decision.Objections, w))
	about.Beside.Undoes = wish.Undo
	a := Approval{Target: wish.Target, Undo: wish.Undo, Changes: len(w.Changes), Digest: digest(w), Plan: about}
	return offer{approval: a, waiver: w, at: h.now()}, nil
}

// digest names what a waiver lets pass, and which guards.
func digest(w guard.Waiver) string {
	sum := sha256.New()
	for _, c := range w.Changes {
		fmt.Fprintf(sum, "%q %q %q %q %q %q\n", c.Team, c.Slug, c.Account, c.Act, c.Role, c.Guards)
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

// toApprove plans what an approval is about: a sync, or the undoing of a run.
func (h *House) toApprove(ctx context.Context, name, undo string) (*reconcile.Decision, error) {
	if undo == "" {
		d, err := h.Deps(ctx, Person, name)
		if err != nil {
			return nil, err
		}
		return reconcile.Plan(ctx, d, name)
	}
	run, err := h.run(ctx, undo)
	if err != nil {
		return nil, err
	}
	if run.Target != name {
		return nil, Usagef("run %s is one of %s, not of %s", run.ID, run.Target, name).Plainly("the run is one of another target")
	}
	d, err := h.Deps(ctx, Person, name)
	if err != nil {
		return nil, err
	}
	decision, err := reconcile.PlanUndo(ctx, d, name, undo)
	if err != nil {
		return nil, fmt.Errorf("run %s of %s: %w", undo, name, err)
	}
	// To undo is a person's wish, which answers the guard approval.
	decision.Objections = slices.DeleteFunc(slices.Clone(decision.Objections), func(o guard.Objection) bool { return o.Guard == "approval" })
	return decision, nil
}

// teamsExist checks the teams of a wish against those of the plan and of the target.
func teamsExist(d *reconcile.Decision, teams []string) error {
	known := make([]string, 0, len(d.Plan.Teams))
	ids := make([]string, 0, len(d.Plan.Teams))
	for _, t := range d.Plan.Teams {
		known, ids = append(known, t.Slug), append(ids, string(t.Team))
	}
	for _, t := range d.World.Teams {
		known, ids = append(known, t.Slug), append(ids, string(t.ID))
	}
	slices.Sort(known)
	known = slices.Compact(known)
	for _, name := range teams {
		if slices.Contains(ids, name) && name != "" {
			continue
		}
		if err := OneOf("team", name, known); err != nil {
			return err
		}
	}
	return nil
}

// chosen leaves of a plan the changes that a waiver is about.
func chosen(p *plan.Plan, w guard.Waiver) *plan.Plan {
	in := named(w)
	left := &plan.Plan{Target: p.Target, Digest: p.Digest}
	for i := range p.Teams {
		t := p.Teams[i]
		keep := func(changes []plan.Change) []plan.Change {
			return slices.DeleteFunc(slices.Clone(changes), func(ch plan.Change) bool { return !in[guard.RefOf(&p.Teams[i], ch)] })
		}
		creation := t.Create != nil && in[guard.RefOf(&p.Teams[i], plan.Change{Act: guard.Creation})]
		t.Add, t.Update, t.Remove, t.Leaving = keep(t.Add), keep(t.Update), keep(t.Remove), nil
		if creation || len(t.Changes()) > 0 {
			left.Teams = append(left.Teams, t)
		}
	}
	return left
}

// answers leaves of objections what a waiver answers.
func answers(objections []guard.Objection, w guard.Waiver) []guard.Objection {
	in := named(w)
	var left []guard.Objection
	for _, o := range objections {
		o.Changes = slices.DeleteFunc(slices.Clone(o.Changes), func(r guard.Ref) bool { return !in[r] })
		if len(o.Changes) > 0 {
			left = append(left, o)
		}
	}
	return left
}

func named(w guard.Waiver) map[guard.Ref]bool {
	in := make(map[guard.Ref]bool, len(w.Changes))
	for _, c := range w.Changes {
		in[c.Ref] = true
	}
	return in
}

// Moved is the refusal to make a plan that is not the plan of now.
func Moved(target string) error {
	return Errorf(Conflict, "%s: %w", target, reconcile.ErrMoved).WithHint("look at it again: musterline plan " + words.Quote(target))
}
