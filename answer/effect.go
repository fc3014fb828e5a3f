package answer

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"musterline.example/guard"
	"musterline.example/link"
	"musterline.example/plan"
	"musterline.example/reconcile"
	"musterline.example/source"
	"musterline.example/target"
)

// A LinkEffect says what a link by hand, or taking one back, would do with the next sync of each target of the host.
type LinkEffect struct {
	User    string         `json:"user"`
	Host    string         `json:"host"`
	Account string         `json:"account,omitempty"` // of a link; none: what was said is taken back
	Notes   []string       `json:"notes"`
	Targets []TargetEffect `json:"targets"`
}

// A TargetEffect is what changes in one target, and what does not come about although it is wished.
type TargetEffect struct {
	Target  string         `json:"target"`
	Changes []EffectChange `json:"changes"` // that would come with it, and would not without
	Dropped []EffectChange `json:"dropped"` // that the next sync would make without it, and would not with it
	Held    []Held         `json:"held"`    // of the user, with it
	Trouble string         `json:"trouble,omitempty"`
	Paused  *Pause         `json:"paused,omitempty"`
	Apply   string         `json:"apply"` // who carries plans out: auto, approve or off
}

// An EffectChange is one change of a plan.
type EffectChange struct {
	Team     string   `json:"team"` // its slug
	Act      string   `json:"act"`  // add, update, remove or cancel
	Account  Account  `json:"account"`
	User     string   `json:"user,omitempty"`
	Role     string   `json:"role,omitempty"`
	Why      string   `json:"why,omitempty"`
	Objected []string `json:"objected"` // guards that stop it
}

// LinkEffect says what would come of saying by hand that a user is an account. Nothing is written. The sources and the targets of the host are
// read, once each.
func (h *House) LinkEffect(ctx context.Context, wish LinkWish) (LinkEffect, error) {
	user, host, account, err := parseLink(wish.User, wish.Account)
	if err != nil {
		return LinkEffect{}, err
	}
	e := LinkEffect{User: user.String(), Host: host, Account: string(account), Notes: []string{}}
	if err := OneOf("host", host, h.hosts(ctx)); err != nil {
		return e, err
	}
	st, err := h.standing(ctx, nil)
	if err != nil {
		return e, err
	}
	for _, other := range st.owner[[2]string{host, string(account)}] {
		if other != user && other.Source == user.Source {
			e.Notes = append(e.Notes, "The account is linked to another user of the same source. What is said by hand wins, and that user loses it.")
		}
	}
	at := h.now()
	return h.effect(ctx, e, user, func(said []link.Statement) []link.Statement {
		return append(without(said, user), link.Statement{User: user, Account: account, Tier: link.Manual, By: cmp.Or(wish.By, "somebody"), At: at})
	})
}

// UnlinkEffect says what would come of taking back what was said of a user by hand on a host.
func (h *House) UnlinkEffect(ctx context.Context, wish UnlinkWish, host string) (LinkEffect, error) {
	user, ok := link.ParseUserRef(wish.User)
	if !ok {
		return LinkEffect{}, noUser(wish.User)
	}
	e := LinkEffect{User: user.String(), Host: host, Notes: []string{}}
	if err := OneOf("host", host, h.hosts(ctx)); err != nil {
		return e, err
	}
	return h.effect(ctx, e, user, func(said []link.Statement) []link.Statement { return without(said, user) })
}

// without takes out what was said of a user by hand.
func without(said []link.Statement, user link.UserRef) []link.Statement {
	return slices.DeleteFunc(slices.Clone(said), func(s link.Statement) bool { return s.User == user && s.Tier == link.Manual })
}

func (h *House) effect(
	ctx context.Context, e LinkEffect, user link.UserRef, said func([]link.Statement) []link.Statement,
) (LinkEffect, error) {
	e.Targets = []TargetEffect{}
	if err := OneOf("source", user.Source, h.sourceNames()); err != nil {
		return e, err
	}
	for _, name := range h.targetNames() {
		if h.host(ctx, name) != e.Host {
			continue
		}
		t := TargetEffect{Target: name, Changes: []EffectChange{}, Dropped: []EffectChange{}, Held: []Held{}, Apply: h.Config.Targets[name].Apply}
		var err error
		if t.Paused, err = h.paused(ctx, name); err != nil {
			return e, err
		}
		if err := h.targetEffect(ctx, &t, user, said); err != nil {
			if ctx.Err() != nil {
				return e, err
			}
			h.log.WarnContext(ctx, "the effect of a link on a target cannot be told", "target", name, "error", err)
			t.Trouble = "it cannot be told now: " + forPeople(err)
		}
		e.Targets = append(e.Targets, t)
	}
	return e, nil
}

// forPeople is what somebody who asked over the API is told of an error: its own words only where they were written for people.
func forPeople(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Public().Message
	}
	if e, ok := errors.AsType[*target.Error](err); ok {
		return e.Error()
	}
	if e, ok := errors.AsType[*source.Error](err); ok {
		return e.Error()
	}
	return "the server's log names the reason"
}

// targetEffect compares two plans of a target: with what would be said and without.
func (h *House) targetEffect(
	ctx context.Context, t *TargetEffect, user link.UserRef, said func([]link.Statement) []link.Statement,
) error {
	d, err := h.Deps(ctx, Person, t.Target)
	if err != nil {
		return err
	}
	now, then, err := reconcile.Foresee(ctx, d, t.Target, said)
	if err != nil {
		return err
	}
	t.Changes, t.Dropped = differences(now, then), differences(then, now)
	for _, held := range then.Plan.Held {
		if held.User == user.String() {
			t.Held = append(t.Held, Held{Team: held.Slug, User: held.User, Reason: held.Reason, Message: held.Message, Name: held.Name})
		}
	}
	return nil
}

// differences are the changes of one decision that another lacks.
func differences(lacks, has *reconcile.Decision) []EffectChange {
	known := make(map[guard.Ref]bool)
	for i := range lacks.Plan.Teams {
		c := &lacks.Plan.Teams[i]
		for _, ch := range c.Changes() {
			known[guard.RefOf(c, ch)] = true
		}
	}
	out := []EffectChange{}
	stopped := guard.Stopped(has.Objections)
	for i := range has.Plan.Teams {
		c := &has.Plan.Teams[i]
		for _, ch := range c.Changes() {
			ref := guard.RefOf(c, ch)
			if known[ref] {
				continue
			}
			one := EffectChange{
				Team: c.Slug, Act: string(ch.Act), Account: Account{ch.Account, ch.Login}, User: ch.User, Why: Why(ch.Why), Objected: list(stopped[ref]),
			}
			if ch.Act == plan.Add || ch.Act == plan.Update {
				one.Role = ch.Role.String()
			}
			out = append(out, one)
		}
	}
	return out
}
