package github

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"musterline.example/internal/githubapi"
	"musterline.example/internal/together"
	"musterline.example/setting"
	"musterline.example/target"
	"musterline.example/team"
)

var _ target.Gate = (*organization)(nil)

// A reader is what a question is asked with: a guest's credential, or our own.
type reader interface {
	Get(ctx context.Context, path string) (http.Header, []byte, error)
	Query(ctx context.Context, document string, variables map[string]any, out any) ([]githubapi.Fault, error)
}

// ours asks with our own credential.
type ours struct{ *githubapi.Client }

// Get implements reader.
func (o ours) Get(ctx context.Context, path string) (http.Header, []byte, error) {
	var body json.RawMessage
	resp, err := o.Client.Get(ctx, path, &body)
	if err != nil {
		return nil, nil, err
	}
	return resp.Header, body, nil
}

// gateTrouble is trouble for somebody at the door, who is told what is wrong and not what GitHub said: that may name what they asked for.
func gateTrouble(err error, format string, args ...any) error {
	e, ok := githubapi.As(err)
	if !ok {
		return fmt.Errorf(format+": %w", append(args, err)...)
	}
	return &target.Error{Class: target.Class(e.Class), State: string(e.State), Message: e.Message, Fix: e.Fix, Until: e.Until, Request: e.Request, Err: e}
}

// A bearer is what a credential is, as far as that is known before anybody is asked.
type bearer struct {
	reader
	own, app bool
	known    bool // GitHub has accepted it lately
}

func (o *organization) bearer(credential setting.Secret) bearer {
	if credential == "" {
		return bearer{reader: ours{o.api}, own: true, known: true}
	}
	guest := o.reception.As(credential.Reveal())
	return bearer{reader: guest, app: guest.Kind() == githubapi.App, known: guest.Known()}
}

// Where implements target.Gate. It asks GitHub only the first time.
func (o *organization) Where(ctx context.Context) (team.Place, error) {
	s, err := o.place(ctx)
	if err != nil {
		return team.Place{}, gateTrouble(err, "look up %s", o.login)
	}
	return team.Place{Host: s.Host, OrganizationID: s.OrganizationID, Organization: s.Organization, Self: team.AccountID(s.Self)}, nil
}

// name is the organization's name as far as it is known by now.
func (o *organization) name() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.standing != nil && o.standing.Organization != "" {
		return o.standing.Organization
	}
	return o.login
}

// path is the address of a door.
func (o *organization) path(ctx context.Context, to target.Door) (string, error) {
	switch {
	case to.Organization():
		return "orgs/" + url.PathEscape(o.name()), nil
	case to.Team == "":
		// A slug that a server could take for a step in the path is none.
		if strings.Trim(to.Slug, ".") == "" || strings.Contains(to.Slug, "/") {
			return "", githubapi.Problem(githubapi.Missing)
		}
		return "orgs/" + url.PathEscape(o.name()) + "/teams/" + url.PathEscape(to.Slug), nil
	}
	if _, ok := parseID(string(to.Team)); !ok {
		return "", githubapi.Problem(githubapi.Missing)
	}
	at, err := o.place(ctx)
	return "organizations/" + at.OrganizationID + "/team/" + string(to.Team), err
}

// Relay implements target.Gate.
func (o *organization) Relay(ctx context.Context, credential setting.Secret, about target.Question, at target.Door) (target.Relayed, error) {
	path := "user"
	if about != target.AboutUser {
		if about == target.AboutOrganization {
			at = target.Door{}
		}
		var err error
		if path, err = o.path(ctx, at); err != nil {
			return target.Relayed{}, gateTrouble(err, "ask about the %s", about)
		}
	}
	_, body, err := o.bearer(credential).Get(ctx, path)
	if err != nil {
		return target.Relayed{}, gateTrouble(err, "ask about the %s", about)
	}
	return target.Relayed{Body: body, Base: strings.TrimSuffix(o.api.At().REST.String(), "/")}, nil
}

// Admit implements target.Gate. What does not hang on another answer is asked at the same time, except for a credential that GitHub may not
// accept: then the first answer is waited for.
//
//	GET user/memberships/orgs/{org}      who, member, owner; the scopes of the token
//	GET the team, or one of the teams    may they look in: also the proof for a token that names no scopes
//	GET the teams below the team         only if asked for
//	then viewerCanAdminister             only for a member who is no owner
func (o *organization) Admit(ctx context.Context, credential setting.Secret, to target.Door) (target.Guest, error) {
	guest, err := o.admit(ctx, credential, to)
	if err != nil {
		return target.Guest{}, gateTrouble(err, "ask who wants in")
	}
	return guest, nil
}

func (o *organization) admit(ctx context.Context, credential setting.Secret, to target.Door) (g target.Guest, err error) {
	r := o.bearer(credential)
	own, app := r.own, r.app
	path, err := o.path(ctx, to)
	if err != nil {
		return g, err
	}
	var (
		asked             together.Group
		who, door, nested error
		below             []restRef
		seen              restSeen
	)
	introduce := func() {
		if !own && !app {
			who = o.introduce(ctx, r, &g)
		}
	}
	look := func() {
		if to.Organization() {
			var one []restRef
			door = get(ctx, r, path+"/teams?per_page=1", &one)
			return
		}
		door = get(ctx, r, path, &seen)
	}
	first, second := introduce, look
	if app {
		first, second = look, introduce
	}
	if !r.known {
		if first(); who != nil || door != nil {
			return g, cmp.Or(who, door)
		}
		first = func() {}
	}
	asked.Go(first)
	asked.Go(second)
	if to.Nested {
		asked.Go(func() { nested = get(ctx, r, path+"/teams?per_page=100", &below) })
	}
	asked.Wait()
	switch {
	case githubapi.Is(door, githubapi.TokenExpired, githubapi.LockedOut):
		return g, door
	case who != nil:
		return target.Guest{}, who
	case door != nil && to.Organization() && !own && !app && !g.Member:
		return g, nil // to a stranger the organization's teams are closed, which says no more than that
	case githubapi.Is(door, githubapi.Denied) && !own && !app && !g.Member:
		return target.Guest{}, githubapi.Problem(githubapi.Missing) // a stranger is not told that there is a team
	case door != nil:
		return target.Guest{}, door
	case !to.Organization() && seen.ID == 0:
		return target.Guest{}, githubapi.Gap("the id of a team was left out")
	case nested != nil:
		return target.Guest{}, nested
	}
	if own || app {
		g.App, g.Member, g.Owner = app, true, true
	}
	if !to.Organization() {
		g.Team = seen.team(below)
	}
	if g.Owner || !g.Member {
		g.Maintainer = g.Owner
		return g, nil
	}
	g.Maintainer, err = o.maintains(ctx, r, to, g.Team)
	return g, err
}

// Known implements target.Gate.
//
//	GET user/{id}                            the login of the account as it is now
//	GET orgs/{org}/memberships/{login}       member, owner: of that very account
//	then its teams, by GraphQL               only for a member who is no owner: of which is it a maintainer itself
func (o *organization) Known(ctx context.Context, account team.AccountID, to target.Door) (target.Guest, error) {
	guest, err := o.knownGuest(ctx, account, to)
	if err != nil {
		return target.Guest{}, gateTrouble(err, "ask what an account is")
	}
	return guest, nil
}

func (o *organization) knownGuest(ctx context.Context, account team.AccountID, to target.Door) (g target.Guest, err error) {
	if _, ok := parseID(string(account)); !ok {
		return g, nil
	}
	if to.Team != "" {
		if _, ok := parseID(string(to.Team)); !ok {
			return g, githubapi.Problem(githubapi.Missing)
		}
	}
	login, err := o.loginOf(ctx, account)
	if githubapi.Is(err, githubapi.Missing) {
		return g, nil // the account was deleted
	}
	if err != nil {
		return g, err
	}
	var m membership
	err = get(ctx, ours{o.api}, "orgs/"+url.PathEscape(o.name())+"/memberships/"+url.PathEscape(login), &m)
	if githubapi.Is(err, githubapi.Missing) {
		return target.Guest{Account: account, Login: login}, nil
	}
	if err != nil {
		return g, err
	}
	if number(m.User.ID) != string(account) {
		return g, githubapi.Gap("the login of an account has changed hands while it was looked at")
	}
	g = m.guest()
	if g.Owner || !g.Member {
		g.Maintainer = g.Owner
		return g, nil
	}
	teams, err := o.maintainedBy(ctx, account, login)
	if githubapi.GraphQLRefused(err) {
		return g, nil // who cannot be asked about is nobody
	}
	if err != nil {
		return g, err
	}
	if to.Organization() {
		g.Maintains, g.Maintainer = teams, len(teams) > 0
		return g, nil
	}
	g.Maintainer = slices.ContainsFunc(teams, func(t team.Ref) bool {
		return t.ID == to.Team || to.Team == "" && team.FoldLogin(t.Slug) == team.FoldLogin(to.Slug)
	})
	return g, nil
}

// maintainedBy lists the teams of which an account is an immediate member with the role of maintainer: one of a team below another may nothing
// in that one.
func (o *organization) maintainedBy(ctx context.Context, account team.AccountID, login string) ([]team.Ref, error) {
	var teams []team.Ref
	for after := ""; ; {
		var out struct {
			Organization *struct {
				Teams *struct {
					PageInfo pageInfo `json:"pageInfo"`
					Nodes    []*struct {
						DatabaseID int64  `json:"databaseId"`
						Slug       string `json:"slug"`
						Members    struct {
							Nodes []*struct {
								DatabaseID int64 `json:"databaseId"`
							} `json:"nodes"`
						} `json:"members"`
					} `json:"nodes"`
				} `json:"teams"`
			} `json:"organization"`
		}
		variables := map[string]any{"organization": o.name(), "login": login, "logins": []string{login}, "after": nil}
		if after != "" {
			variables["after"] = after
		}
		if err := o.api.Ask(ctx, maintainedDocument, variables, &out, nil); err != nil {
			return nil, err
		}
		if out.Organization == nil || out.Organization.Teams == nil {
			return nil, githubapi.Gap("the teams of an account were left out")
		}
		for _, t := range out.Organization.Teams.Nodes {
			if t == nil {
				continue
			}
			for _, m := range t.Members.Nodes {
				if m != nil && number(m.DatabaseID) == string(account) { // the query finds logins and names that only begin alike, too
					teams = append(teams, team.Ref{ID: team.ID(number(t.DatabaseID)), Slug: t.Slug})
				}
			}
		}
		page := out.Organization.Teams.PageInfo
		if !page.HasNextPage || page.EndCursor == "" {
			return teams, nil
		}
		after = page.EndCursor
	}
}

// A membership is what somebody is to the organization.
type membership struct {
	State string `json:"state"`
	Role  string `json:"role"`
	User  struct {
		ID    int64  `json:"id"`
		Login string `json:"login"`
	} `json:"user"`
}

func (m membership) guest() target.Guest {
	g := target.Guest{Account: team.AccountID(number(m.User.ID)), Login: m.User.Login, Member: m.State == "active"}
	g.Owner = g.Member && m.Role == "admin"
	return g
}

// introduce asks who the guest is and what they are to the organization.
func (o *organization) introduce(ctx context.Context, r reader, g *target.Guest) error {
	header, body, err := r.Get(ctx, "user/memberships/orgs/"+url.PathEscape(o.name()))
	if githubapi.Is(err, githubapi.Missing) {
		return nil
	}
	if err != nil {
		return err
	}
	var m membership
	if json.Unmarshal(body, &m) != nil || m.User.ID == 0 {
		return githubapi.Gap("who the caller is was left out")
	}
	*g = m.guest()
	scopes, told := githubapi.Scopes(header)
	g.Scoped, g.Writes = told, slices.Contains(scopes, "write:org")
	return nil
}

// maintains asks whether a member may administer the team, or any.
func (o *organization) maintains(ctx context.Context, r reader, to target.Door, t *team.Team) (bool, error) {
	var out struct {
		Organization *struct {
			Team *struct {
				DatabaseID int64 `json:"databaseId"`
				Can        bool  `json:"viewerCanAdminister"`
			} `json:"team"`
			Teams struct {
				TotalCount int `json:"totalCount"`
			} `json:"teams"`
		} `json:"organization"`
	}
	document, variables := maintainsAnyDocument, map[string]any{"organization": o.name()}
	if !to.Organization() {
		document, variables["slug"] = maintainsDocument, t.Slug
	}
	faults, err := r.Query(ctx, document, variables, &out)
	switch {
	case githubapi.GraphQLRefused(err):
		return false, nil // who cannot be asked about is nobody
	case err != nil:
		return false, err
	case out.Organization == nil || len(faults) > 0:
		return false, nil
	case to.Organization():
		return out.Organization.Teams.TotalCount > 0, nil
	}
	found := out.Organization.Team
	return found != nil && found.Can && number(found.DatabaseID) == string(t.ID), nil
}

// get reads a resource into out.
func get(ctx context.Context, r reader, path string, out any) error {
	_, body, err := r.Get(ctx, path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, out); err != nil {
		return githubapi.Gap("%s", fmt.Sprint("an answer cannot be read: ", err))
	}
	return nil
}

// What REST says of a team, by the fields that a door needs.
type (
	restRef struct {
		ID   int64  `json:"id"`
		Slug string `json:"slug"`
	}
	restSeen struct {
		restRef
		Name        string   `json:"name"`
		Description string   `json:"description"`
		Type        string   `json:"type"`
		Parent      *restRef `json:"parent"`
	}
)

func (s restSeen) team(below []restRef) *team.Team {
	t := &team.Team{ID: team.ID(number(s.ID)), Slug: s.Slug, Name: s.Name, Description: s.Description, Foreign: foreign(s.Slug)}
	if s.Type == "enterprise" && t.Foreign == "" {
		t.Foreign = foreign("ent:")
	}
	if s.Parent != nil {
		t.Parent = team.ID(number(s.Parent.ID))
	}
	for _, c := range below {
		t.Children = append(t.Children, team.Ref{ID: team.ID(number(c.ID)), Slug: c.Slug})
	}
	return t
}
