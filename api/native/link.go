package native

import (
	"context"
	"slices"
	"time"

	"musterline.example/answer"
	"musterline.example/api/access"
	"musterline.example/team"
)

// A sides is what somebody has proven in this session, and what would become of it.
type sides struct {
	answer.SelfLink

	Proven  *provenUser    `json:"proven_user,omitempty" doc:"Whom the identity provider vouches for; none: it has not yet. /login/oidc?prove=1 does it, or does it again."`
	Account *provenAccount `json:"proven_account,omitempty" doc:"The account that they have signed in to; none: not yet. /login/github?prove=1 does it, or does it again."`
	Members []mine         `json:"members" doc:"What the account is to targets on its host: to those of whose organization they are a member, or in which mappings give them a team. Who is no member of an organization is in none of its teams."`
}

type provenUser struct {
	Name  string    `json:"name,omitempty"`
	Login string    `json:"login,omitempty"`
	At    time.Time `json:"at"`
}

type provenAccount struct {
	Host  string         `json:"host"`
	ID    team.AccountID `json:"id"`
	Login string         `json:"login"`
	Name  string         `json:"name,omitempty"`
	At    time.Time      `json:"at"`
}

// registerMyLink is how somebody links themselves. It takes no role.
func (a *API) registerMyLink() {
	operate(a, op{
		id: "my-link", route: "GET /me/link", tag: "me", summary: "What I have proven, and what comes of it",
		promise: "Says which sides of a link the caller has proven in this session, which teams they get when both are, and what is in the way. Answers from memory; " +
			"GitHub is asked what the account is to its organizations.",
	}, func(ctx context.Context, _ *struct{}) (*body[sides], error) {
		v, p, err := a.person(ctx)
		if err != nil {
			return nil, err
		}
		proven := a.proven(v, p)
		said, err := v.house.SelfLink(ctx, proven)
		if err != nil {
			return nil, err
		}
		return told(a.sides(ctx, v, p, said))
	})
	operate(a, op{
		id: "link-myself", route: "POST /me/link", tag: "me", summary: "Link myself", refuses: []int{409},
		promise: "Makes the link between the two sides that the caller has proven in this session, with both as its evidence, and asks for a sync of the account. " +
			"It counts for more than what an attribute says, and for less than what somebody says by hand. To make it again does nothing.",
	}, func(ctx context.Context, _ *struct{}) (*body[sides], error) {
		v, p, err := a.person(ctx)
		if err != nil {
			return nil, err
		}
		said, err := v.house.LinkSelf(ctx, a.proven(v, p))
		if err != nil {
			return nil, err
		}
		configured, err := v.house.Configured(ctx)
		if err != nil {
			return nil, err
		}
		for _, name := range configured.TargetNames() {
			if a.Asked != nil && v.house.Host(ctx, name) == p.Account.Host {
				a.Asked(name)
			}
		}
		return told(a.sides(ctx, v, p, said))
	})
}

// proven is what a person has proven, as the house takes it.
func (a *API) proven(v *visit, p *access.Person) answer.Proven {
	said := answer.Proven{By: p.Who()}
	if u := p.User; u != nil {
		o := v.house.Config.Server.SignIn.OIDC
		said.User = &answer.ProvenUser{Subject: u.Is(), At: u.At}
		if o != nil && o.Issuer == u.Issuer && o.Claim == u.Claim { // else the settings have changed since, and the claim is not the one that counts
			said.User.Source, said.User.Matches, said.User.Value = o.Source, o.Matches, u.Value
		}
	}
	if c := p.Account; c != nil {
		said.Account = &answer.ProvenAccount{Host: c.Host, ID: c.ID, Login: c.Login, At: c.At}
	}
	return said
}

func (a *API) sides(ctx context.Context, v *visit, p *access.Person, said answer.SelfLink) (sides, error) {
	s := sides{SelfLink: said, Members: []mine{}}
	if u := p.User; u != nil {
		s.Proven = &provenUser{u.Name, u.Login, u.At}
	}
	if c := p.Account; c != nil {
		s.Account = &provenAccount{c.Host, c.ID, c.Login, c.Name, c.At}
		all, err := a.mine(ctx, v, p)
		if err != nil {
			return s, err
		}
		for _, m := range all {
			gets := slices.ContainsFunc(said.Targets, func(t answer.SelfTarget) bool { return t.Target == m.Target })
			if m.Host == c.Host && (gets || v.knows(m)) {
				s.Members = append(s.Members, m)
			}
		}
	}
	return s, nil
}
