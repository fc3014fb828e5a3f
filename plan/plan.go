// Package plan compares the teams as they should be with the teams as they are. It is pure: it reads no clock and no network, so the
// same inputs give the same bytes.
//
// A Plan is plain data. It is stored, shown, signed off, and applied by another process an hour later.
package plan

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

	"musterline.example/team"
)

// A Plan is the difference between the teams as they should be and as they are.
type Plan struct {
	Target  string
	Digest  string       // of the changes only: held and refused are a report
	Teams   []TeamChange // teams with changes or leavers only, in order of slug
	Held    []Held
	Refused []Refused
}

// A TeamChange is what happens to one team. It is the unit of applying, of retrying and of audit.
type TeamChange struct {
	Team     team.ID
	Slug     string
	Create   *team.New // the team is to be created; Team and BasedOn are then empty
	BasedOn  string    // digest of the team as read; apply leaves a team alone that has moved on
	Members  int       // before the change, so that guards can reckon in shares
	Sources  []string  // whose facts the changes rest on: a removal belongs to all of them
	Unmapped bool
	Add      []Change
	Update   []Change
	Remove   []Change
	Leaving  []Leaving // still members, in grace
}

// An Act is what a change does.
type Act string

// The acts.
const (
	Add    Act = "add"
	Update Act = "update"
	Remove Act = "remove"
	Cancel Act = "cancel" // a pending invitation that nobody wants; it counts as a removal
)

// A Change is one membership that comes, goes or changes its role.
type Change struct {
	Act     Act
	Account team.AccountID
	Login   string
	User    string    // "source/id" at the identity provider; empty when nobody is known
	From    team.Role // before an Update or a Remove
	Invite  bool      // an Add of somebody who has left the organization and is invited again
	Role    team.Role // after an Add or an Update
	Why     []team.Reason
}

// A Leaving is a member whose time in the team has an end.
type Leaving struct {
	Account team.AccountID
	Login   string
	At      time.Time
	Why     []team.Reason
}

// A Held is a person who should be in a team and cannot be yet.
type Held struct {
	Team    team.ID
	Slug    string
	User    string // "source/id"
	Name    string
	Reason  string // not-linked, not-a-member, inactive, ambiguous, conflict, pending
	Message string // what to do about it
}

// A Refused is a mapping or a team that is not carried out, and why. It stops nothing else.
type Refused struct {
	Team    team.ID // empty when there is no such team
	Slug    string  // or the name as the mapping gives it
	Mapping string
	Reason  string // parent-team, no-such-team, no-such-group, too-many-groups, group-too-large, …
	Message string // what is wrong, where, and the way out
}

// Changes yields every change of the team: additions, role changes, removals, the order in which they are applied.
func (c *TeamChange) Changes() []Change {
	return slices.Concat(c.Add, c.Update, c.Remove)
}

// Empty reports whether nothing is to be done to the team.
func (c *TeamChange) Empty() bool {
	return c.Create == nil && len(c.Add)+len(c.Update)+len(c.Remove) == 0
}

// A Summary counts the changes of a plan.
type Summary struct{ Teams, Create, Add, Update, Remove, Held, People int }

// Summary counts. People are the distinct users behind the held memberships.
func (p *Plan) Summary() Summary {
	s := Summary{Held: len(p.Held)}
	for _, c := range p.Teams {
		if !c.Empty() {
			s.Teams++
		}
		if c.Create != nil {
			s.Create++
		}
		s.Add += len(c.Add)
		s.Update += len(c.Update)
		s.Remove += len(c.Remove)
	}
	people := make(map[string]struct{}, len(p.Held))
	for _, h := range p.Held {
		people[h.User] = struct{}{}
	}
	s.People = len(people)
	return s
}

// Empty reports whether the plan changes nothing. Held people, refusals and leavers in grace are no changes.
func (p *Plan) Empty() bool {
	for i := range p.Teams {
		if !p.Teams[i].Empty() {
			return false
		}
	}
	return true
}

// Compute compares the wanted with the current teams. A wanted team that is not among the current ones and is not to be created is left
// out: it is for mapping to refuse. The results are ordered by slug and account, whatever the order of the inputs.
//
//	want \ current   absent    pending                      member            maintainer
//	in, member       add       –                            –                 – (unless Demote: update)
//	in, maintainer   add       –                            update            –
//	keep             –         –                            –                 –
//	out              – (*)     cancel                       remove            remove
//	not named        –         –                            –                 –
//
//	(*) remove, when the team is to be created: the target puts its creator in.
func Compute(target string, wanted []team.Wanted, current []team.Team) *Plan {
	teams := make(map[team.ID]*team.Team, len(current))
	for i := range current {
		teams[current[i].ID] = &current[i]
	}
	p := &Plan{Target: target}
	for _, w := range wanted {
		c := TeamChange{Team: w.Team, Sources: w.Sources, Unmapped: w.Unmapped, Create: w.Create}
		now := &team.Team{}
		if w.Create != nil {
			c.Slug = w.Create.Name
		} else {
			var read bool
			if now, read = teams[w.Team]; !read {
				continue
			}
			c.Slug, c.Members = now.Slug, len(now.Members)
		}
		for i := range w.Members {
			c.compare(&w.Members[i], now, w.Grace)
		}
		if c.Create == nil && !c.Empty() {
			c.BasedOn = now.Digest() // of the few teams that change: it costs more than the comparison
		}
		if !c.Empty() || len(c.Leaving) > 0 || c.Unmapped {
			p.Teams = append(p.Teams, c)
		}
	}
	slices.SortFunc(p.Teams, func(a, b TeamChange) int {
		return cmp.Or(cmp.Compare(a.Slug, b.Slug), cmp.Compare(a.Team, b.Team))
	})
	p.Digest = p.digest()
	return p
}

// compare appends what one want asks of the team as it is; of most members, nothing. Members in grace leave when that ends.
func (c *TeamChange) compare(want *team.Want, now *team.Team, grace time.Time) {
	member, present := now.Member(want.Account)
	login := want.Login
	if present {
		login = member.Login
	}
	change := func(act Act, to team.Role) Change {
		return Change{Act: act, Account: want.Account, Login: login, User: want.User, From: member.Role, Role: to, Invite: want.Invite, Why: want.Why}
	}
	switch {
	case want.In == team.Yes && !present:
		c.Add = append(c.Add, change(Add, want.Role))
	case want.In == team.Yes && !member.Pending && (want.Role > member.Role || want.Demote && want.Role < member.Role):
		c.Update = append(c.Update, change(Update, want.Role))
	case want.In == team.Out && member.Pending:
		c.Remove = append(c.Remove, change(Cancel, member.Role))
	case want.In == team.Out && (present || c.Create != nil): // who creates a team is put into it
		c.Remove = append(c.Remove, change(Remove, member.Role))
	case want.In == team.Keep && present && want.InGrace:
		c.Leaving = append(c.Leaving, Leaving{want.Account, login, grace, want.Why})
	}
}

// digest identifies what the plan would do: target, teams with what they were read as, and changes without their reasons.
func (p *Plan) digest() string {
	type line struct {
		Act     Act
		Account team.AccountID
		Role    team.Role
	}
	h := sha256.New()
	enc := json.NewEncoder(h)
	_ = enc.Encode(p.Target) // a hash takes every write
	for _, c := range p.Teams {
		if c.Empty() {
			continue
		}
		_ = enc.Encode([]any{c.Team, c.BasedOn, c.Create})
		for _, ch := range c.Changes() {
			_ = enc.Encode(line{ch.Act, ch.Account, ch.Role})
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
