package github

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"musterline.example/team"
)

// What GitHub says, by the fields that we ask for.
type (
	pageInfo struct {
		HasNextPage bool   `json:"hasNextPage"`
		EndCursor   string `json:"endCursor"`
	}
	ghUser struct {
		ID         string   `json:"id"`
		DatabaseID int64    `json:"databaseId"`
		Login      string   `json:"login"`
		Name       string   `json:"name"`
		Emails     []string `json:"organizationVerifiedDomainEmails"`
	}
	ghMembers struct {
		TotalCount int      `json:"totalCount"`
		PageInfo   pageInfo `json:"pageInfo"`
		Edges      []*struct {
			Role string  `json:"role"`
			Node *ghUser `json:"node"`
		} `json:"edges"`
	}
	ghAddress struct {
		Value string `json:"value"`
	}
	ghIdentity struct {
		GUID string `json:"guid"`
		SAML *struct {
			NameID string      `json:"nameId"`
			Emails []ghAddress `json:"emails"`
		} `json:"samlIdentity"`
		SCIM *struct {
			Username string      `json:"username"`
			Emails   []ghAddress `json:"emails"`
		} `json:"scimIdentity"`
		User *struct {
			DatabaseID int64 `json:"databaseId"`
		} `json:"user"`
	}
	ghIdentities struct {
		TotalCount int           `json:"totalCount"`
		PageInfo   pageInfo      `json:"pageInfo"`
		Nodes      []*ghIdentity `json:"nodes"`
	}
	ghProvider struct {
		ID                 string        `json:"id"`
		ExternalIdentities *ghIdentities `json:"externalIdentities"`
	}
	ghInvitations struct {
		TotalCount int      `json:"totalCount"`
		PageInfo   pageInfo `json:"pageInfo"`
		Nodes      []*struct {
			Invitee *ghUser `json:"invitee"`
		} `json:"nodes"`
	}
	ghTeams struct {
		TotalCount int       `json:"totalCount"`
		PageInfo   pageInfo  `json:"pageInfo"`
		Nodes      []*ghTeam `json:"nodes"`
	}
	ghTeam struct {
		TypeName     string `json:"__typename"`
		ID           string `json:"id"`
		DatabaseID   int64  `json:"databaseId"`
		Slug         string `json:"slug"`
		Name         string `json:"name"`
		Description  string `json:"description"`
		Organization *struct {
			DatabaseID int64 `json:"databaseId"`
		} `json:"organization"`
		Parent *struct {
			DatabaseID int64 `json:"databaseId"`
		} `json:"parentTeam"`
		Members     *ghMembers     `json:"members"`
		Invitations *ghInvitations `json:"invitations"`
		Children    *ghTeams       `json:"childTeams"`
	}
)

func number(n int64) string { return strconv.FormatInt(n, 10) }

// account converts a member of the organization.
func (u *ghUser) account(role string) team.Account {
	return team.Account{ID: team.AccountID(number(u.DatabaseID)), Login: u.Login, Name: u.Name, Owner: role == "ADMIN", VerifiedEmails: u.Emails}
}

// identity converts an external identity. Both sides of it, SAML and SCIM, may name addresses.
func (i *ghIdentity) identity() team.Identity {
	id := team.Identity{GUID: i.GUID}
	if i.SAML != nil {
		id.NameID = i.SAML.NameID
		for _, a := range i.SAML.Emails {
			id.Emails = append(id.Emails, a.Value)
		}
	}
	if i.SCIM != nil {
		id.Username = i.SCIM.Username
		for _, a := range i.SCIM.Emails {
			id.Emails = append(id.Emails, a.Value)
		}
	}
	slices.Sort(id.Emails)
	id.Emails = slices.Compact(id.Emails)
	return id
}

// ref converts what a list says of a team.
func (t *ghTeam) ref() team.Team {
	out := team.Team{ID: team.ID(number(t.DatabaseID)), Slug: t.Slug, Name: t.Name, Description: t.Description, Foreign: foreign(t.Slug)}
	if t.Parent != nil {
		out.Parent = team.ID(number(t.Parent.DatabaseID))
	}
	return out
}

// foreign says why a team cannot be changed by the organization. The slug of an enterprise's team, and of no other, begins with "ent:";
// the REST API answers 422 when its membership is changed there.
func foreign(slug string) string {
	if strings.HasPrefix(slug, "ent:") {
		return "it is a team of the enterprise, which the organization shows and cannot change"
	}
	return ""
}

// role converts a team role.
func role(s string) team.Role {
	if strings.EqualFold(s, "maintainer") {
		return team.Maintainer
	}
	return team.Member
}

// sortAccounts puts accounts in order of id and each one's identities in order of GUID, so that the same organization reads the same twice.
func sortAccounts(list []team.Account) {
	slices.SortFunc(list, func(a, b team.Account) int { return cmp.Compare(a.ID, b.ID) })
	for _, a := range list {
		slices.SortFunc(a.Identities, func(x, y team.Identity) int { return cmp.Compare(x.GUID, y.GUID) })
	}
}
