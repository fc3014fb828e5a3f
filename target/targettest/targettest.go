// Package targettest is the suite that every target passes. A kind's test makes a Harness, which is a hand in the world behind the
// target, and calls Run; what all kinds promise is tested here and nowhere else.
package targettest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"musterline.example/plan"
	"musterline.example/target"
	"musterline.example/team"
)

// A Harness is a fresh world behind a target, and the target on it. What a kind cannot do is nil, and its cases are skipped by name.
type Harness struct {
	// Open opens the target on the world, logging to log.
	Open func(log *slog.Logger) (target.Target, error)
	// Account adds an account that could be a member.
	Account func(login string) team.AccountID
	// Team adds a team.
	Team func(name string) team.ID
	// Join puts an account into a team, by somebody else's hand.
	Join func(t team.ID, a team.AccountID, r team.Role)
	// Members returns the truth: the immediate members of a team, pending ones included.
	Members func(t team.ID) map[team.AccountID]team.Membership
	// Secrets must show up in no error and no log.
	Secrets []string

	Maintainers bool // the target knows roles
	Create      bool // the target can make teams

	// Owner adds an owner of the organization.
	Owner func(login string) team.AccountID
	// Invite invites somebody from outside into a team.
	Invite func(t team.ID, login string) team.AccountID
	// Leave takes an account out of the organization.
	Leave func(a team.AccountID)
	// Child adds a team below another.
	Child func(parent team.ID, name string) team.ID
	// Login is the login an account has now; without it accounts have none but their id. RenameAccount changes it and frees the old one.
	Login         func(a team.AccountID) string
	RenameAccount func(a team.AccountID, login string)
	// RenameTeam gives a team another name and returns the slug that follows from it.
	RenameTeam func(t team.ID, name string) (slug string)
	// DeleteTeam deletes a team.
	DeleteTeam func(t team.ID)
	// Fill adds so many accounts, more than fit on a page.
	Fill func(prefix string, n int) []team.AccountID

	// From here on things go wrong. Refuse makes every write about a login fail, Limit every call meet a rate limit, Revoke the credential
	// worthless; CutAccounts and CutTeams leave something out of lists without a word, Partial leaves a team out with an error beside.
	Refuse      func(login string)
	Limit       func(wait time.Duration)
	Revoke      func()
	CutAccounts func()
	CutTeams    func()
	Partial     func()
}

// Run runs every case on a world of its own.
func Run(t *testing.T, world func(t *testing.T) *Harness) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := world(t)
			if missing := c.needs(h); missing != "" {
				t.Skip("this target has no " + missing)
			}
			s := &scene{T: t, Harness: h, ctx: t.Context()}
			s.open()
			c.run(s)
			s.noSecrets(s.log.String())
		})
	}
}

type scene struct {
	*testing.T
	*Harness
	ctx    context.Context
	target target.Target
	log    bytes.Buffer
}

func (s *scene) open() {
	s.Helper()
	var err error
	if s.target, err = s.Harness.Open(slog.New(slog.NewTextHandler(&s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))); err != nil {
		s.Fatal(err)
	}
}

func (s *scene) noSecrets(text string) {
	s.Helper()
	for _, secret := range s.Secrets {
		if secret != "" && strings.Contains(text, secret) {
			s.Errorf("a secret shows in: %s", strings.ReplaceAll(text, secret, "<the secret>"))
		}
	}
}

// read reads teams and fails the test on an error.
func (s *scene) read(ids ...team.ID) []team.Team {
	s.Helper()
	teams, err := s.target.Teams(s.ctx, ids)
	if err != nil {
		s.Fatalf("read teams: %v", err)
	}
	return teams
}

// want says what a team should hold: everybody named, and every current member who is not goes.
func (s *scene) want(id team.ID, roles map[team.AccountID]team.Role) team.Wanted {
	w := team.Wanted{Team: id}
	for a, r := range roles {
		w.Members = append(w.Members, team.Want{Account: a, Login: s.login(a), In: team.Yes, Role: r, Demote: true})
	}
	for a, m := range s.Members(id) {
		if _, named := roles[a]; !named {
			w.Members = append(w.Members, team.Want{Account: a, Login: m.Login, In: team.Out})
		}
	}
	slices.SortFunc(w.Members, func(a, b team.Want) int { return strings.Compare(string(a.Account), string(b.Account)) })
	return w
}

func (s *scene) login(a team.AccountID) string {
	if s.Login != nil {
		return s.Login(a)
	}
	return string(a)
}

// plan compares what is wanted with what the target says.
func (s *scene) plan(wanted ...team.Wanted) *plan.Plan {
	s.Helper()
	var ids []team.ID
	for _, w := range wanted {
		if w.Team != "" {
			ids = append(ids, w.Team)
		}
	}
	return plan.Compute("test", wanted, s.read(ids...))
}

// apply makes the changes of a plan and returns the outcomes.
func (s *scene) apply(p *plan.Plan) (outcomes []target.Outcome, err error) {
	for _, c := range p.Teams {
		err = errors.Join(err, s.target.Apply(s.ctx, c, func(o target.Outcome) error {
			outcomes = append(outcomes, o)
			return nil
		}))
	}
	return outcomes, err
}

// done applies a plan that must succeed: one outcome for each change, in the order of the changes, all done or already so.
func (s *scene) done(p *plan.Plan) []target.Outcome {
	s.Helper()
	outcomes, err := s.apply(p)
	if err != nil {
		s.Fatalf("apply: %v", err)
	}
	i := 0
	for _, c := range p.Teams {
		for _, ch := range c.Changes() {
			if i >= len(outcomes) {
				s.Fatalf("%d outcomes, and none for %s %s", len(outcomes), ch.Act, ch.Login)
			}
			o := outcomes[i]
			if o.Act != string(ch.Act) || o.Account != ch.Account || o.Team != c.Team {
				s.Errorf("outcome %d is of %s %s in %s, want %s %s in %s", i, o.Act, o.Account, o.Team, ch.Act, ch.Account, c.Team)
			}
			if o.Result != target.Done && o.Result != target.Already {
				s.Errorf("%s %s: %s: %v", ch.Act, ch.Login, o.Result, o.Err)
			}
			i++
		}
	}
	return outcomes
}

// holds compares the truth with what is wanted.
func (s *scene) holds(id team.ID, roles map[team.AccountID]team.Role) {
	s.Helper()
	got := map[team.AccountID]team.Role{}
	for a, m := range s.Members(id) {
		if m.Pending {
			s.Errorf("%s is invited", m.Login)
		}
		got[a] = m.Role
	}
	if !s.Maintainers {
		for a := range roles {
			roles[a] = team.Member
		}
	}
	if diff := cmp.Diff(roles, got); diff != "" {
		s.Errorf("team %s (-want +got):\n%s", id, diff)
	}
}

// accounts adds accounts a0, a1, … and returns their ids.
func (s *scene) accounts(n int) []team.AccountID {
	ids := make([]team.AccountID, n)
	for i := range ids {
		ids[i] = s.Account(fmt.Sprintf("a%d", i))
	}
	return ids
}

func (s *scene) role(r team.Role) team.Role {
	if s.Maintainers {
		return r
	}
	return team.Member
}
