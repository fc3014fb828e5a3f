package github

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"musterline.example/internal/githubapi"
	"musterline.example/target"
	"musterline.example/team"
)

// Accounts lists the members of the organization with their roles and the identities that single sign-on has linked to them: all of them
// at a hundred a call, identities riding along, or those asked for.
//
// Where identities cannot be read, the accounts are still complete and the answer says so. An organization without single sign-on has
// no identities, which is a complete answer too.
func (o *organization) Accounts(ctx context.Context, ids []team.AccountID) (target.Accounts, error) {
	defer o.flush()
	at, err := o.place(ctx)
	if err != nil {
		return target.Accounts{}, o.trouble(err, "read the members of %s", o.login)
	}
	var got target.Accounts
	switch {
	case len(ids) > 0 && o.byREST():
		got, err = o.someByREST(ctx, at, ids)
	case len(ids) > 0:
		got, err = o.someAccounts(ctx, at, ids)
	case o.byREST():
		got, err = o.allByREST(ctx, at)
	default:
		got, err = o.allAccounts(ctx, at)
		if o.refused(err) {
			got, err = o.allByREST(ctx, at)
		}
	}
	if err != nil {
		return target.Accounts{}, o.trouble(err, "read the members of %s", at.Organization)
	}
	sortAccounts(got.List)
	return got, nil
}

// identities collects external identities by account and what stands in the way of having them all.
type identities struct {
	of      map[team.AccountID][]team.Identity
	trouble string
	page    githubapi.Count
	guids   map[string]bool
}

func newIdentities() *identities {
	return &identities{of: map[team.AccountID][]team.Identity{}, guids: map[string]bool{}}
}

// add takes one page in. An identity that nobody has claimed yet is linked to nobody.
func (in *identities) add(page *ghIdentities, first bool) {
	in.page.Page(page.TotalCount, first)
	for _, i := range page.Nodes {
		if i == nil || in.guids[i.GUID] {
			continue
		}
		in.guids[i.GUID] = true
		in.page.Seen++
		if i.User != nil {
			id := team.AccountID(number(i.User.DatabaseID))
			in.of[id] = append(in.of[id], i.identity())
		}
	}
}

// fail notes why identities are not all there. The first reason stays.
func (in *identities) fail(err error) {
	if in.trouble == "" {
		in.trouble = err.Error()
		if e, ok := githubapi.As(err); ok && e.Fix != "" {
			in.trouble += "; " + e.Fix
		}
	}
}

func (o *organization) allAccounts(ctx context.Context, at githubapi.Standing) (target.Accounts, error) {
	var (
		list             []team.Account
		seen             = map[team.AccountID]bool{}
		members          githubapi.Count
		in               = newIdentities()
		memberAt, idAt   *string
		doneM, doneI     bool
		emails, firstM   = true, true
		firstI           = true
		size             = 100
		ofIdentity       = func(f githubapi.Fault) bool { return f.At("organization", "samlIdentityProvider") }
		ofVerifiedEmails = func(f githubapi.Fault) bool {
			return f.At("organization", "membersWithRole", "edges", "*", "node", "organizationVerifiedDomainEmails")
		}
	)
	for !doneM || !doneI {
		var out struct {
			Organization *struct {
				Members  *ghMembers  `json:"membersWithRole"`
				Provider *ghProvider `json:"samlIdentityProvider"`
			} `json:"organization"`
		}
		var hidden, noEmails *githubapi.Fault
		var err error
		size, err = githubapi.Shrinking(ctx, size, 10, func(ctx context.Context, size int) error {
			hidden, noEmails, out.Organization = nil, nil, nil
			return o.api.Ask(ctx, accountsDocument, map[string]any{
				"organization": at.Organization, "size": size, "members": memberAt, "identities": idAt,
				"withMembers": !doneM, "withEmails": emails && !doneM, "withIdentities": !doneI,
			}, &out, func(f githubapi.Fault) bool {
				switch {
				case ofIdentity(f):
					hidden = &f
				case ofVerifiedEmails(f):
					noEmails = &f
				default:
					return false
				}
				return true
			})
		})
		if err != nil {
			return target.Accounts{}, err
		}
		if out.Organization == nil {
			return target.Accounts{}, githubapi.Gap("the organization was left out")
		}
		if noEmails != nil && emails {
			emails = false // the same page again, without the addresses that we may not see or that made it null
			o.log.Warn("verified e-mail addresses cannot be read", "organization", at.Organization, "error", o.api.Fault(*noEmails, ""))
			continue
		}
		if !doneM {
			page := out.Organization.Members
			if page == nil {
				return target.Accounts{}, githubapi.Gap("the list of members was left out")
			}
			members.Page(page.TotalCount, firstM)
			firstM = false
			for _, e := range page.Edges {
				if e == nil || e.Node == nil || e.Node.DatabaseID == 0 {
					return target.Accounts{}, githubapi.Gap("a member was left out")
				}
				a := e.Node.account(e.Role)
				if !seen[a.ID] {
					seen[a.ID] = true
					list = append(list, a)
					o.remember(a, e.Node.ID)
				}
			}
			doneM = !page.PageInfo.HasNextPage
			if !doneM && page.PageInfo.EndCursor == "" {
				return target.Accounts{}, githubapi.Gap("the next page of members has no cursor")
			}
			memberAt = &page.PageInfo.EndCursor
		}
		if !doneI {
			switch p := out.Organization.Provider; {
			case hidden != nil:
				in.fail(o.api.Fault(*hidden, ""))
				doneI = true
			case p == nil:
				o.unseen(in)
				doneI = true
			case p.ExternalIdentities == nil:
				in.fail(githubapi.Gap("the list of identities was left out"))
				doneI = true
			default:
				in.add(p.ExternalIdentities, firstI)
				firstI = false
				doneI = !p.ExternalIdentities.PageInfo.HasNextPage
				idAt = &p.ExternalIdentities.PageInfo.EndCursor
			}
		}
	}
	members.Seen = len(list)
	if err := members.Check("members"); err != nil {
		return target.Accounts{}, err
	}
	if err := in.page.Check("external identities"); err != nil {
		in.fail(err)
	}
	if err := o.enterpriseIdentities(ctx, in); err != nil {
		return target.Accounts{}, err
	}
	return joined(list, in), nil
}

// unseen takes in that the organization shows no single sign-on: it has none, or this token is not shown it. GitHub shows it to owners
// with a classic token and to Apps; it does not say so of fine-grained tokens, and then nothing follows from nothing.
func (o *organization) unseen(in *identities) {
	if o.enterprise == nil && o.api.Kind() == githubapi.FineGrained {
		in.fail(errors.New("GitHub does not promise to show single sign-on to a fine-grained token: if the organization has it, use a GitHub App or a classic token"))
	}
}

// joined puts identities beside their accounts.
func joined(list []team.Account, in *identities) target.Accounts {
	for i := range list {
		list[i].Identities = in.of[list[i].ID]
	}
	return target.Accounts{List: list, Identities: in.trouble == "", Trouble: in.trouble}
}

// remember keeps what makes a later look-up of the account cheap. The role of an owner cannot be looked up for single people by GraphQL;
// an owner who is one no more reads as one until the next full read, which hides a role difference and makes none.
func (o *organization) remember(a team.Account, id string) {
	value := id
	if a.Owner {
		value += " owner"
	}
	o.mu.Lock()
	o.nodes[a.ID] = node{id, a.Owner}
	o.mu.Unlock()
	o.keep("account:"+string(a.ID), value)
}

func (o *organization) known(id team.AccountID) (node, bool) {
	o.mu.Lock()
	n, ok := o.nodes[id]
	o.mu.Unlock()
	if ok {
		return n, true
	}
	value, ok := o.hint("account:" + string(id))
	handle, is, _ := strings.Cut(value, " ")
	return node{handle, is == "owner"}, ok && handle != ""
}

// enterpriseIdentities adds those of the enterprise, under its own credential. Only the context's end is an error: everything works
// without them, and says so.
func (o *organization) enterpriseIdentities(ctx context.Context, in *identities) error {
	if o.enterprise == nil {
		return nil
	}
	all, after, size := newIdentities(), "", 100
	for first := true; ; first = false {
		var page *ghIdentities
		var err error
		size, err = githubapi.Shrinking(ctx, size, 10, func(ctx context.Context, size int) (err error) {
			page, err = o.enterprisePage(ctx, after, size)
			return err
		})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			in.fail(fmt.Errorf("enterprise %s: %w", o.slug, err))
			break
		}
		if page == nil {
			break // the enterprise has no single sign-on
		}
		all.add(page, first)
		if !page.PageInfo.HasNextPage {
			if err := all.page.Check("external identities of the enterprise"); err != nil {
				in.fail(err)
			}
			break
		}
		after = page.PageInfo.EndCursor
	}
	for id, more := range all.of {
		in.of[id] = append(in.of[id], more...)
	}
	return nil
}

// enterprisePage reads one page; nil when the enterprise has no single sign-on.
func (o *organization) enterprisePage(ctx context.Context, after string, size int) (*ghIdentities, error) {
	var out struct {
		Enterprise *struct {
			OwnerInfo *struct {
				Provider *ghProvider `json:"samlIdentityProvider"`
			} `json:"ownerInfo"`
		} `json:"enterprise"`
	}
	variables := map[string]any{"enterprise": o.slug, "size": size, "after": nil}
	if after != "" {
		variables["after"] = after
	}
	err := o.enterprise.Ask(ctx, enterpriseDocument, variables, &out, nil)
	switch {
	case err != nil:
		return nil, err
	case out.Enterprise == nil || out.Enterprise.OwnerInfo == nil:
		return nil, notEnterpriseOwner()
	case out.Enterprise.OwnerInfo.Provider == nil:
		return nil, nil
	case out.Enterprise.OwnerInfo.Provider.ExternalIdentities == nil:
		return nil, githubapi.Gap("the list of identities was left out")
	}
	return out.Enterprise.OwnerInfo.Provider.ExternalIdentities, nil
}

// notEnterpriseOwner is what a missing ownerInfo means.
func notEnterpriseOwner() error {
	e := githubapi.Problem(githubapi.NotOwner)
	e.Message, e.Fix = "the enterprise token's account is no owner of the enterprise", "use a token of an enterprise owner with read:enterprise"
	return e
}

// someAccounts looks people up by node id, a hundred a call. Whose node id is not known is asked for by REST first, one call each.
func (o *organization) someAccounts(ctx context.Context, at githubapi.Standing, ids []team.AccountID) (target.Accounts, error) {
	var handles []string
	for _, id := range distinct(ids) {
		n, ok := o.known(id)
		if !ok {
			handle, err := o.accountNode(ctx, id)
			if err != nil {
				return target.Accounts{}, err
			}
			n = node{id: handle}
		}
		if n.id != "" {
			handles = append(handles, n.id)
		}
	}
	var list []team.Account
	in, sso := newIdentities(), false
	for _, batch := range chunks(handles, 100) {
		var out struct {
			Nodes []*struct {
				ghUser
				TypeName     string `json:"__typename"`
				Organization *struct {
					DatabaseID int64 `json:"databaseId"`
				} `json:"organization"`
			} `json:"nodes"`
			Organization *struct {
				Provider *ghProvider `json:"samlIdentityProvider"`
			} `json:"organization"`
		}
		gone, emails := false, true
		ask := func() error {
			return o.api.Ask(ctx, accountsByIDDocument, map[string]any{"organization": at.Organization, "ids": batch, "withEmails": emails}, &out, func(f githubapi.Fault) bool {
				switch {
				case f.At("organization", "samlIdentityProvider"):
					in.fail(o.api.Fault(f, ""))
				case f.At("nodes", "*", "organizationVerifiedDomainEmails"):
					emails = false
				case f.At("nodes", "*", "organization") && (f.NotFound() || f.Denied()):
					// GitHub's way of saying that the person is in no organization we may ask about.
				case f.At("nodes") && len(f.Path) <= 2 && f.NotFound():
					gone = true
				default:
					return false
				}
				return true
			})
		}
		err := ask()
		if err == nil && !emails {
			gone, out.Nodes = false, nil
			err = ask()
		}
		if err != nil {
			return target.Accounts{}, err
		}
		if len(out.Nodes) != len(batch) {
			return target.Accounts{}, githubapi.Gap("%d of %d accounts were answered", len(out.Nodes), len(batch))
		}
		sso = sso || out.Organization != nil && out.Organization.Provider != nil
		if !sso {
			o.unseen(in)
		}
		for _, n := range out.Nodes {
			if n == nil {
				if !gone {
					return target.Accounts{}, githubapi.Gap("an account was left out")
				}
				continue
			}
			if n.Organization == nil || number(n.Organization.DatabaseID) != at.OrganizationID {
				continue // somebody else's hint, or no member any more
			}
			a := n.account("")
			if k, ok := o.known(a.ID); ok {
				a.Owner = k.owner
			}
			if slices.Contains(ids, a.ID) {
				list = append(list, a)
				o.remember(a, n.ID)
			}
		}
	}
	if err := o.identitiesOf(ctx, at, list, sso, in); err != nil {
		return target.Accounts{}, err
	}
	return joined(list, in), nil
}

// identitiesOf adds the identities of some accounts, by login, up to a hundred a call.
func (o *organization) identitiesOf(ctx context.Context, at githubapi.Standing, list []team.Account, sso bool, in *identities) error {
	ask := func(c *githubapi.Client, owner string, enterprise bool, batch []team.Account) error {
		variables := map[string]any{"owner": owner}
		for i, a := range batch {
			variables[fmt.Sprintf("l%d", i)] = a.Login
		}
		type answer struct {
			Provider map[string]*ghIdentities `json:"samlIdentityProvider"`
		}
		var out struct {
			Organization *answer `json:"organization"`
			Enterprise   *struct {
				OwnerInfo *answer `json:"ownerInfo"`
			} `json:"enterprise"`
		}
		if err := c.Ask(ctx, identitiesDocument(len(batch), enterprise), variables, &out, nil); err != nil {
			return err
		}
		said := out.Organization
		if enterprise {
			if out.Enterprise == nil || out.Enterprise.OwnerInfo == nil {
				return notEnterpriseOwner()
			}
			said = out.Enterprise.OwnerInfo
		}
		if said == nil {
			return githubapi.Gap("the identities were left out")
		}
		for i, a := range batch {
			page := said.Provider[fmt.Sprintf("i%d", i)]
			if page == nil {
				if said.Provider == nil {
					return nil // no single sign-on there
				}
				return githubapi.Gap("the identities of an account were left out")
			}
			for _, one := range page.Nodes {
				if one != nil && one.User != nil && number(one.User.DatabaseID) == string(a.ID) {
					in.of[a.ID] = append(in.of[a.ID], one.identity())
				}
			}
		}
		return nil
	}
	for _, batch := range chunks(list, 100) {
		if sso && in.trouble == "" {
			if err := ask(o.api, at.Organization, false, batch); ctx.Err() != nil {
				return ctx.Err()
			} else if err != nil {
				in.fail(err)
			}
		}
		if o.enterprise != nil {
			if err := ask(o.enterprise, o.slug, true, batch); ctx.Err() != nil {
				return ctx.Err()
			} else if err != nil {
				in.fail(fmt.Errorf("enterprise %s: %w", o.slug, err))
			}
		}
	}
	return nil
}

// loginOf asks for the login of an account that is no member: it may have been renamed since it was one, and the old login be a stranger's.
func (o *organization) loginOf(ctx context.Context, id team.AccountID) (string, error) {
	n, ok := parseID(string(id))
	if !ok {
		return "", githubapi.Problem(githubapi.Missing)
	}
	user, _, err := o.api.REST().Users.GetByID(ctx, n)
	if err = o.api.Explain(err); err != nil {
		return "", err
	}
	if number(user.GetID()) != string(id) || user.GetLogin() == "" {
		return "", githubapi.Gap("the login of account %s was left out", id)
	}
	return user.GetLogin(), nil
}

// accountNode asks for the node id of one account; empty when there is no such account any more.
func (o *organization) accountNode(ctx context.Context, id team.AccountID) (string, error) {
	n, ok := parseID(string(id))
	if !ok {
		return "", nil
	}
	user, _, err := o.api.REST().Users.GetByID(ctx, n)
	if err = o.api.Explain(err); githubapi.Is(err, githubapi.Missing) {
		return "", nil
	} else if err != nil {
		return "", err
	}
	return user.GetNodeID(), nil
}
