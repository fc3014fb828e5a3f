package signin

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"musterline.example/answer"
	"musterline.example/api/access"
	"musterline.example/config"
	"musterline.example/directory"
	"musterline.example/link"
	"musterline.example/store"
	"musterline.example/team"
)

// remember is how long what the last reading of a source says of people is taken for true.
const remember = time.Minute

// users know which user of the identity provider somebody is, and in which of the groups they are that have roles.
type users struct {
	s *SignIn

	mu   sync.Mutex
	kept *census // nil: none yet
}

// A census is what one reading of the source says of everybody.
type census struct {
	at     time.Time
	with   []directory.GroupID           // that have roles
	groups map[directory.UserID][]string // those of with that somebody is in, as subjects
	called map[string][]directory.UserID // by what the claim is held against
}

// Groups implements access.People.
func (s *SignIn) Groups(ctx context.Context, p *access.Person) ([]string, error) {
	o := s.SignIn.OIDC
	if !s.vouched(p) {
		return nil, nil
	}
	with, err := s.groupRoles(ctx, o.Source)
	if err != nil || len(with) == 0 {
		return nil, err
	}
	c, err := s.users.census(ctx, o, with)
	if err != nil {
		return nil, err
	}
	if ids := c.called[answer.ClaimKey(o.Matches, p.User.Value)]; len(ids) == 1 {
		return c.groups[ids[0]], nil
	}
	return nil, nil // nobody, or somebody who cannot be told from another
}

// vouched reports whether the identity provider has said of a person whose user they are, by the claim that counts now.
func (s *SignIn) vouched(p *access.Person) bool {
	o := s.SignIn.OIDC
	return o != nil && o.Source != "" && p.User != nil && p.User.Issuer == o.Issuer && p.User.Claim == o.Claim && p.User.Value != ""
}

// groupRoles are the groups of a source that have roles.
func (s *SignIn) groupRoles(ctx context.Context, source string) ([]directory.GroupID, error) {
	var all []directory.GroupID
	for page := (store.Page{Limit: 1000}); ; {
		roles, next, err := s.Store.Roles(ctx, page)
		if err != nil {
			return nil, err
		}
		for _, r := range roles {
			if id, of := strings.CutPrefix(r.Subject, "group:"+source+"/"); of {
				all = append(all, directory.GroupID(id))
			}
		}
		if page.After = next; next == "" {
			slices.Sort(all)
			return slices.Compact(all), nil
		}
	}
}

// census returns what the last complete reading of the source says, at most a minute old.
func (u *users) census(ctx context.Context, o *config.OIDC, with []directory.GroupID) (*census, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	now := u.s.Now()
	if u.kept != nil && now.Sub(u.kept.at) < remember && slices.Equal(u.kept.with, with) {
		return u.kept, nil
	}
	last, err := u.s.Store.Snapshot(ctx, o.Source)
	if err != nil {
		return nil, err
	}
	u.kept = count(last, o, with)
	u.kept.at = now
	return u.kept, nil
}

// count takes out of a reading what is asked of it; of none at all there is nothing to take.
func count(last *directory.Snapshot, o *config.OIDC, with []directory.GroupID) *census {
	c := &census{with: with, groups: map[directory.UserID][]string{}, called: map[string][]directory.UserID{}}
	if last == nil {
		return c
	}
	for id, user := range last.Users {
		if user.Status.Member() {
			k := answer.ClaimKey(o.Matches, answer.Claimed(o.Matches, user))
			c.called[k] = append(c.called[k], id)
		}
	}
	for _, g := range with {
		for user := range last.Walk(g) {
			if user.Status.Member() {
				c.groups[user.ID] = append(c.groups[user.ID], "group:"+o.Source+"/"+string(g))
			}
		}
	}
	return c
}

// Account implements access.People.
func (s *SignIn) Account(ctx context.Context, p *access.Person, host string) (team.AccountID, error) {
	o := s.SignIn.OIDC
	if !s.vouched(p) {
		return "", nil
	}
	with, err := s.groupRoles(ctx, o.Source) // the same as for Groups, so that one reading serves both
	if err != nil {
		return "", err
	}
	c, err := s.users.census(ctx, o, with)
	if err != nil {
		return "", err
	}
	ids := c.called[answer.ClaimKey(o.Matches, p.User.Value)]
	if len(ids) != 1 {
		return "", nil
	}
	links, err := s.Store.LinksOf(ctx, host, link.UserRef{Source: o.Source, ID: ids[0]})
	if err != nil {
		return "", err
	}
	for _, l := range links {
		if l.State == link.Standing && slices.Contains(proofs, l.Tier) {
			return l.Account, nil
		}
	}
	return "", nil
}

// proofs are the tiers in which the account's own bearer has shown that it is theirs, or an operator has said so.
var proofs = []link.Tier{link.Manual, link.Self, link.SAML}
