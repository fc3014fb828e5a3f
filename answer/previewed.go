package answer

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"musterline.example/directory"
	"musterline.example/guard"
	"musterline.example/link"
	"musterline.example/plan"
	"musterline.example/reconcile"
	"musterline.example/source"
	"musterline.example/team"
)

// A Preview says who would come and go if a team had other groups: its part of the plan of the target.
type Preview struct {
	Plan

	Changes  []ForeseenChange `json:"changes"`  // who would come and go, in words; those who would go after a grace come last
	Seen     string           `json:"seen"`     // names what is shown, for MapWish.Seen
	Accepted int              `json:"accepted"` // how many changes, which guards object to, the acceptance of this would let pass
}

// A ForeseenChange is one change of a preview, in words.
type ForeseenChange struct {
	PlanChange

	Name string    `json:"name,omitempty"` // of the person, as the identity provider has it
	At   time.Time `json:"at,omitzero"`    // when they leave, of somebody in grace, whose act is leave
}

// A foreseen is a preview with the waiver that it would become.
type foreseen struct {
	preview Preview
	waiver  guard.Waiver
}

// PreviewMapping says who would come and go if these were the groups of a team, with the very planning that a sync uses.
func (h *House) PreviewMapping(ctx context.Context, wish MapWish) (Preview, error) {
	r, err := h.remap(ctx, wish)
	if err != nil {
		return Preview{}, err
	}
	f, err := h.foresee(ctx, wish.Target, r, false)
	return f.preview, err
}

// lately is how long what a source said for a preview is not asked of it once more: as long as it takes to look at one and to save.
const lately = 30 * time.Second

// A reread is what a source said for a preview.
type reread struct {
	snapshot *directory.Snapshot
	at       time.Time
}

// A reader is a source that keeps what it says for who saves what a preview has shown.
type reader struct {
	source.Source

	name string
	h    *House
	kept bool // what was said a moment ago will do
}

// Snapshot implements source.Source.
func (r *reader) Snapshot(ctx context.Context, groups source.Selection) (*directory.Snapshot, error) {
	key := [2]string{r.name, fmt.Sprintf("%#v", groups)}
	now := r.h.now()
	r.h.mu.Lock()
	was, known := r.h.rereads[key]
	r.h.mu.Unlock()
	if r.kept && known && now.Sub(was.at) < lately {
		return was.snapshot, nil
	}
	s, err := r.Source.Snapshot(ctx, groups)
	if err != nil {
		return nil, err
	}
	r.h.mu.Lock()
	defer r.h.mu.Unlock()
	if r.h.rereads == nil {
		r.h.rereads = make(map[[2]string]reread)
	}
	maps.DeleteFunc(r.h.rereads, func(_ [2]string, old reread) bool { return now.Sub(old.at) >= lately })
	r.h.rereads[key] = reread{s, now}
	return s, nil
}

// foresee plans the target as if the wish were granted, and leaves of the plan what is about the team. With kept, what sources said for a preview a
// moment ago will do; the target is read anew in any case.
func (h *House) foresee(ctx context.Context, target string, r *remapping, kept bool) (foreseen, error) {
	d, err := h.Deps(ctx, Person, target)
	if err != nil {
		return foreseen{}, err
	}
	for name, s := range d.Sources {
		d.Sources[name] = &reader{Source: s, name: name, h: h, kept: kept}
	}
	d.Memory = &foresight{Recollection: d.Memory, remapping: r}
	decision, err := reconcile.Plan(ctx, d, target)
	if err != nil {
		return foreseen{}, err
	}
	ours := func(id team.ID) bool { return id == r.team.ID }
	part := &plan.Plan{Target: decision.Plan.Target, Digest: decision.Plan.Digest}
	for _, t := range decision.Plan.Teams {
		if ours(t.Team) {
			part.Teams = append(part.Teams, t)
		}
	}
	for _, held := range decision.Plan.Held {
		if ours(held.Team) {
			part.Held = append(part.Held, held)
		}
	}
	for _, refused := range decision.Plan.Refused {
		if ours(refused.Team) {
			part.Refused = append(part.Refused, refused)
		}
	}
	var objections []guard.Objection
	for _, o := range decision.Objections {
		o.Changes = slices.DeleteFunc(slices.Clone(o.Changes), func(ref guard.Ref) bool { return !ours(ref.Team) })
		if len(o.Changes) > 0 {
			objections = append(objections, o)
		}
	}
	w := guard.WaiverFor(part, objections, guard.Filter{}, "", "", h.now())
	w.Target = target
	return foreseen{
		waiver: w,
		preview: Preview{
			Plan: h.planOf(ctx, decision, part, objections), Changes: changesInWords(part, objections, decision.World), Seen: r.digest(part, objections),
			Accepted: len(w.Changes),
		},
	}, nil
}

// changesInWords are the changes of a part of a plan, with the names that the world has for people.
func changesInWords(part *plan.Plan, objections []guard.Objection, world *reconcile.World) []ForeseenChange {
	all := []ForeseenChange{}
	name := func(user string) string {
		ref, ok := link.ParseUserRef(user)
		if reading := world.Sources[ref.Source]; ok && reading.Snapshot != nil {
			u := reading.Snapshot.Users[ref.ID]
			return cmp.Or(u.Name, u.Username)
		}
		return ""
	}
	stopped := guard.Stopped(objections)
	for i := range part.Teams {
		c := &part.Teams[i]
		for _, ch := range changesOf(c) {
			said := (&shown{}).changeOf(c, ch, stopped[guard.RefOf(c, ch)])
			all = append(all, ForeseenChange{PlanChange: said, Name: name(ch.User)})
		}
		for _, l := range c.Leaving {
			all = append(all, ForeseenChange{
				PlanChange: PlanChange{Act: "leave", Account: Account{l.Account, l.Login}, Why: Why(l.Why), Objected: []string{}}, At: l.At,
			})
		}
	}
	return all
}

// digest names a preview: the groups that are wanted, and who would come, go, or go later, with the guards that object. People who are held
// are no part of it: that one more of them is not linked changes nobody's membership.
func (r *remapping) digest(part *plan.Plan, objections []guard.Objection) string {
	sum := sha256.New()
	fmt.Fprintln(sum, r.named())
	stopped := guard.Stopped(objections)
	for i := range part.Teams {
		c := &part.Teams[i]
		for _, ch := range c.Changes() {
			fmt.Fprintf(sum, "%q %q %q %q\n", ch.Act, ch.Account, ch.Role, stopped[guard.RefOf(c, ch)])
		}
		for _, l := range c.Leaving {
			fmt.Fprintf(sum, "leaving %q\n", l.Account)
		}
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

// named is what the wish wants of which team.
func (r *remapping) named() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q", r.team.ID)
	for _, m := range r.wanted {
		fmt.Fprintf(&b, " %q %q %q %q", m.Target, m.Key(), m.Role, m.Mode)
	}
	return b.String()
}

// accepted compares what a wish has seen with what would come about by now, and returns the waiver of what of it guards object to; nil when there
// is none, or it is not theirs to accept who wish it.
func (h *House) accepted(ctx context.Context, wish MapWish, r *remapping) (*guard.Waiver, error) {
	if wish.Seen == "" {
		return nil, nil
	}
	f, err := h.foresee(ctx, wish.Target, r, true)
	if err != nil {
		return nil, err
	}
	if f.preview.Seen != wish.Seen {
		return nil, Errorf(Conflict, "something else would come about by now than what was shown").WithHint("look at the preview again")
	}
	if len(f.waiver.Changes) == 0 || !wish.Accept {
		return nil, nil
	}
	if strings.TrimSpace(wish.Reason) == "" {
		return nil, Usagef("guards object to what was shown: to accept it needs a reason, which the audit record keeps")
	}
	f.waiver.By, f.waiver.Reason, f.waiver.At = wish.By, wish.Reason, h.now()
	return &f.waiver, nil
}
