package github

import (
	"context"
	"strings"

	lib "github.com/google/go-github/v92/github"

	"musterline.example/internal/githubapi"
	"musterline.example/target"
	"musterline.example/team"
)

// Reads by REST, for a GitHub that refuses GraphQL: one call for each team and more, conditional, and without external identities.

// byREST reports whether reads go by REST.
func (o *organization) byREST() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.rest
}

// refused reports whether GraphQL as a whole is not to be had here, and then goes by REST from now on.
func (o *organization) refused(err error) bool {
	if !githubapi.GraphQLRefused(err) {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.rest = true
	o.log.Warn("GitHub refuses GraphQL; reading by REST", "organization", o.login)
	return true
}

// pages reads all pages of a REST list. Page addresses in answers are not followed: the library counts pages.
func pages[T any](o *organization, call func(lib.ListOptions) ([]T, *lib.Response, error)) ([]T, error) {
	var all []T
	for opts := (lib.ListOptions{PerPage: 100}); ; {
		page, resp, err := call(opts)
		if err != nil {
			return nil, o.api.Explain(err)
		}
		all = append(all, page...)
		if resp.NextPage == 0 {
			return all, nil
		}
		opts.Page = resp.NextPage
	}
}

func restTeam(t *lib.Team) team.Team {
	out := team.Team{ID: team.ID(number(t.GetID())), Slug: t.GetSlug(), Name: t.GetName(), Description: t.GetDescription(), Foreign: foreign(t.GetSlug())}
	if t.Parent != nil {
		out.Parent = team.ID(number(t.Parent.GetID()))
	}
	if t.GetType() == "enterprise" && out.Foreign == "" {
		out.Foreign = foreign("ent:")
	}
	return out
}

func (o *organization) listByREST(ctx context.Context, at githubapi.Standing) ([]team.Team, error) {
	listed, err := pages(o, func(opts lib.ListOptions) ([]*lib.Team, *lib.Response, error) {
		return o.api.REST().Teams.ListTeams(ctx, at.Organization, &opts)
	})
	var teams []team.Team
	for _, t := range listed {
		teams = append(teams, restTeam(t))
		o.keep("team:"+number(t.GetID()), t.GetNodeID())
	}
	return teams, err
}

func (o *organization) findByREST(ctx context.Context, at githubapi.Standing, names []string) ([]team.Team, error) {
	all, err := o.listByREST(ctx, at)
	var teams []team.Team
	for _, name := range names {
		before := len(teams)
		for _, t := range all {
			if strings.EqualFold(t.Slug, name) {
				teams = append(teams, t)
			}
		}
		for _, t := range all {
			if t.Name == name && len(teams) == before {
				teams = append(teams, t)
			}
		}
	}
	return teams, err
}

func (o *organization) allByREST(ctx context.Context, at githubapi.Standing) (target.Accounts, error) {
	var list []team.Account
	seen := map[team.AccountID]bool{}
	for _, role := range []string{"admin", "member"} {
		users, err := pages(o, func(opts lib.ListOptions) ([]*lib.User, *lib.Response, error) {
			return o.api.REST().Organizations.ListMembers(ctx, at.Organization, &lib.ListMembersOptions{Role: role, ListOptions: opts})
		})
		if err != nil {
			return target.Accounts{}, err
		}
		for _, u := range users {
			a := team.Account{ID: team.AccountID(number(u.GetID())), Login: u.GetLogin(), Name: u.GetName(), Owner: role == "admin"}
			if !seen[a.ID] {
				seen[a.ID] = true
				list = append(list, a)
				o.remember(a, u.GetNodeID())
			}
		}
	}
	in := newIdentities()
	if o.enterprise == nil {
		in.trouble = "external identities are to be had by GraphQL only, and reads go by REST"
	} else if err := o.enterpriseIdentities(ctx, in); err != nil {
		return target.Accounts{}, err
	}
	return joined(list, in), nil
}

// someByREST looks people up one by one: who has the id, and are they a member.
func (o *organization) someByREST(ctx context.Context, at githubapi.Standing, ids []team.AccountID) (target.Accounts, error) {
	var list []team.Account
	for _, id := range distinct(ids) {
		n, ok := parseID(string(id))
		if !ok {
			continue
		}
		user, _, err := o.api.REST().Users.GetByID(ctx, n)
		if err = o.api.Explain(err); githubapi.Is(err, githubapi.Missing) {
			continue
		} else if err != nil {
			return target.Accounts{}, err
		}
		m, _, err := o.api.REST().Organizations.GetOrgMembership(ctx, user.GetLogin(), at.Organization)
		if err = o.api.Explain(err); githubapi.Is(err, githubapi.Missing) {
			continue
		} else if err != nil {
			return target.Accounts{}, err
		}
		if m.GetState() == "active" {
			list = append(list, team.Account{ID: id, Login: user.GetLogin(), Name: user.GetName(), Owner: m.GetRole() == "admin"})
		}
	}
	return target.Accounts{List: list, Trouble: "external identities are to be had by GraphQL only, and reads go by REST"}, nil
}

func (o *organization) teamsByREST(ctx context.Context, at githubapi.Standing, ids []team.ID) ([]team.Team, error) {
	org, _ := parseID(at.OrganizationID)
	rest := o.api.REST().Teams
	var teams []team.Team
	for _, id := range ids {
		f, err := o.teamByID(ctx, at, id)
		if err != nil {
			return nil, err
		}
		if f == nil {
			continue
		}
		t := f.team
		n, _ := parseID(string(id))
		children, err := pages(o, func(opts lib.ListOptions) ([]*lib.Team, *lib.Response, error) {
			return rest.ListChildTeamsByParentID(ctx, org, n, &opts)
		})
		if err != nil {
			return nil, err
		}
		for _, c := range children {
			t.Children = append(t.Children, team.Ref{ID: team.ID(number(c.GetID())), Slug: c.GetSlug()})
		}
		if err := o.membersByREST(ctx, org, n, &t); err != nil {
			return nil, err
		}
		t.Sort()
		teams = append(teams, t)
	}
	return teams, nil
}

// membersByREST reads the members of a team and who is invited into it. REST lists the members of child teams too and marks them as
// inherited; where it does not, and there are child teams, nobody can say who is who.
func (o *organization) membersByREST(ctx context.Context, org, id int64, t *team.Team) error {
	rest := o.api.REST().Teams
	there := map[team.AccountID]bool{}
	for _, role := range []team.Role{team.Maintainer, team.Member} {
		users, err := pages(o, func(opts lib.ListOptions) ([]*lib.User, *lib.Response, error) {
			return rest.ListTeamMembersByID(ctx, org, id, &lib.TeamListTeamMembersOptions{Role: role.String(), ListOptions: opts})
		})
		if err != nil {
			return err
		}
		for _, u := range users {
			if u.Inherited == nil && len(t.Children) > 0 {
				return githubapi.Gap("who is in team %s by a child team only is not told", t.Slug)
			}
			account := team.AccountID(number(u.GetID()))
			if !u.GetInherited() && !there[account] {
				there[account] = true
				t.Members = append(t.Members, team.Membership{Account: account, Login: u.GetLogin(), Role: role})
			}
		}
	}
	if t.Foreign != "" {
		return nil // GitHub answers 422 for the invitations of an enterprise's team
	}
	invitations, err := pages(o, func(opts lib.ListOptions) ([]*lib.Invitation, *lib.Response, error) {
		return rest.ListPendingTeamInvitationsByID(ctx, org, id, &opts)
	})
	if err != nil {
		return err
	}
	for _, i := range invitations {
		if i.GetLogin() == "" {
			continue // by address: nobody's account yet
		}
		// The id of the item is the invitation's; the account's is asked for.
		user, _, err := o.api.REST().Users.Get(ctx, i.GetLogin())
		if err = o.api.Explain(err); githubapi.Is(err, githubapi.Missing) {
			continue
		} else if err != nil {
			return err
		}
		if account := team.AccountID(number(user.GetID())); !there[account] {
			t.Members = append(t.Members, team.Membership{Account: account, Login: user.GetLogin(), Pending: true})
		}
	}
	return nil
}
