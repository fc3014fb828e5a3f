package github

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"musterline.example/internal/githubapi"
	"musterline.example/target"
	"musterline.example/team"
)

// A found is a team that was looked up by id.
type found struct {
	handle string
	team   team.Team
}

// teamByID asks for a team on its id route; nil when GitHub says that it does not exist.
func (o *organization) teamByID(ctx context.Context, at githubapi.Standing, id team.ID) (*found, error) {
	org, _ := parseID(at.OrganizationID)
	n, ok := parseID(string(id))
	if !ok {
		return nil, nil
	}
	t, _, err := o.api.REST().Teams.GetTeamByID(ctx, org, n)
	if err = o.api.Explain(err); githubapi.Is(err, githubapi.Missing) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	o.keep("team:"+string(id), t.GetNodeID())
	return &found{t.GetNodeID(), restTeam(t)}, nil
}

// perFind is how many names are looked up in one call.
const perFind = 50

// Find looks teams up by slug and, those names that no slug fits, by exact display name. Several names go in one call.
func (o *organization) Find(ctx context.Context, names []string) ([]team.Team, error) {
	defer o.flush()
	at, err := o.place(ctx)
	if err != nil {
		return nil, o.trouble(err, "look up teams of %s", o.login)
	}
	names = distinct(names)
	var teams []team.Team
	if o.byREST() {
		teams, err = o.findByREST(ctx, at, names)
	} else {
		teams, err = o.find(ctx, at, names)
		if o.refused(err) {
			teams, err = o.findByREST(ctx, at, names)
		}
	}
	if err != nil {
		return nil, o.trouble(err, "look up teams of %s", at.Organization)
	}
	return once(teams), nil
}

// A search is a display name to look for, from a page on.
type search struct{ name, after string }

func (o *organization) find(ctx context.Context, at githubapi.Standing, names []string) ([]team.Team, error) {
	var teams []team.Team
	var searches []search
	for _, batch := range chunks(names, perFind) {
		variables := map[string]any{"organization": at.Organization}
		for i, name := range batch {
			variables[fmt.Sprintf("s%d", i)] = name
		}
		out, err := o.findCall(ctx, findDocument(len(batch), 0), variables)
		if err != nil {
			return nil, err
		}
		for i, name := range batch {
			var t *ghTeam
			text, answered := out[fmt.Sprintf("s%d", i)]
			if err := json.Unmarshal(text, &t); !answered || err != nil {
				return nil, githubapi.Gap("a team that was looked for was left out")
			}
			if t != nil && strings.EqualFold(t.Slug, name) {
				teams = append(teams, o.seen(t))
			} else {
				searches = append(searches, search{name: name})
			}
		}
	}
	for len(searches) > 0 {
		batch := searches[:min(len(searches), startTeams)]
		searches = searches[len(batch):]
		variables := map[string]any{"organization": at.Organization}
		for i, s := range batch {
			variables[fmt.Sprintf("n%d", i)], variables[fmt.Sprintf("a%d", i)] = s.name, nil
			if s.after != "" {
				variables[fmt.Sprintf("a%d", i)] = s.after
			}
		}
		out, err := o.findCall(ctx, findDocument(0, len(batch)), variables)
		if err != nil {
			return nil, err
		}
		for i, s := range batch {
			var page *ghTeams
			if err := json.Unmarshal(out[fmt.Sprintf("n%d", i)], &page); err != nil || page == nil {
				return nil, githubapi.Gap("teams that were looked for were left out")
			}
			for _, t := range page.Nodes {
				if t != nil && t.Name == s.name {
					teams = append(teams, o.seen(t))
				}
			}
			if page.PageInfo.HasNextPage {
				searches = append(searches, search{s.name, page.PageInfo.EndCursor})
			}
		}
	}
	return teams, nil
}

func (o *organization) findCall(ctx context.Context, document string, variables map[string]any) (map[string]json.RawMessage, error) {
	var out struct {
		Organization map[string]json.RawMessage `json:"organization"`
	}
	// "Not found" is an answer here: the name is no team's slug.
	err := o.api.Ask(ctx, document, variables, &out, func(f githubapi.Fault) bool {
		return f.At("organization") && len(f.Path) == 2 && f.NotFound()
	})
	if err == nil && out.Organization == nil {
		err = githubapi.Gap("the organization was left out")
	}
	return out.Organization, err
}

// seen converts a team that was listed and keeps its handle.
func (o *organization) seen(t *ghTeam) team.Team {
	ref := t.ref()
	o.keep("team:"+string(ref.ID), t.ID)
	return ref
}

// once drops teams that several names have found.
func once(teams []team.Team) []team.Team {
	slices.SortFunc(teams, func(a, b team.Team) int { return cmp.Compare(a.ID, b.ID) })
	return slices.CompactFunc(teams, func(a, b team.Team) bool { return a.ID == b.ID })
}

// A list of all teams, for pages of it.
type list struct {
	teams []team.Team
	at    time.Time
}

// recent is how long a list of all teams serves for the next pages of it.
const recent = time.Minute

// List lists all teams in order of folded slug. GitHub orders by name only, so the first page reads all of them, at a hundred a call, and
// the next pages come from that.
func (o *organization) List(ctx context.Context, page target.Page) ([]team.Team, target.Page, error) {
	defer o.flush()
	at, err := o.place(ctx)
	if err != nil {
		return nil, target.Page{}, o.trouble(err, "list the teams of %s", o.login)
	}
	o.mu.Lock()
	kept := o.listed
	o.mu.Unlock()
	if page.Token == "" || kept == nil || time.Since(kept.at) > recent {
		teams, err := o.listTeams(ctx, at)
		if err != nil {
			return nil, target.Page{}, o.trouble(err, "list the teams of %s", at.Organization)
		}
		kept = &list{teams, time.Now()}
		o.mu.Lock()
		o.listed = kept
		o.mu.Unlock()
	}
	after, err := strconv.Unquote(page.Token)
	if page.Token != "" && err != nil {
		return nil, target.Page{}, fmt.Errorf("list the teams of %s: the page token is damaged", at.Organization)
	}
	from := 0
	if page.Token != "" {
		from, _ = slices.BinarySearchFunc(kept.teams, after+"\x00", func(t team.Team, key string) int { return cmp.Compare(slugKey(t), key) })
	}
	size := page.Size
	if size <= 0 {
		size = 100
	}
	to := min(from+size, len(kept.teams))
	some := slices.Clone(kept.teams[from:to])
	if to == len(kept.teams) {
		return some, target.Page{}, nil
	}
	return some, target.Page{Size: page.Size, Token: strconv.Quote(slugKey(kept.teams[to-1]))}, nil
}

func slugKey(t team.Team) string { return strings.ToLower(t.Slug) }

func (o *organization) listTeams(ctx context.Context, at githubapi.Standing) (teams []team.Team, err error) {
	if !o.byREST() {
		var all map[team.ID]*ghTeam
		all, err = o.listAll(ctx, at)
		for _, t := range all {
			teams = append(teams, t.ref())
		}
	}
	if o.byREST() || o.refused(err) {
		teams, err = o.listByREST(ctx, at)
	}
	slices.SortFunc(teams, func(a, b team.Team) int { return cmp.Compare(slugKey(a), slugKey(b)) })
	return teams, err
}

// listAll lists all teams by GraphQL and keeps their handles.
func (o *organization) listAll(ctx context.Context, at githubapi.Standing) (map[team.ID]*ghTeam, error) {
	all, total, after := map[team.ID]*ghTeam{}, githubapi.Count{}, any(nil)
	for first := true; ; first = false {
		var out struct {
			Organization *struct {
				Teams *ghTeams `json:"teams"`
			} `json:"organization"`
		}
		if err := o.api.Ask(ctx, listDocument, map[string]any{"organization": at.Organization, "after": after}, &out, nil); err != nil {
			return nil, err
		}
		if out.Organization == nil || out.Organization.Teams == nil {
			return nil, githubapi.Gap("the list of teams was left out")
		}
		page := out.Organization.Teams
		total.Page(page.TotalCount, first)
		for _, t := range page.Nodes {
			if t == nil || t.DatabaseID == 0 {
				return nil, githubapi.Gap("a team was left out")
			}
			ref := o.seen(t)
			all[ref.ID] = t
		}
		if !page.PageInfo.HasNextPage {
			total.Seen = len(all)
			return all, total.Check("teams")
		}
		after = page.PageInfo.EndCursor
	}
}
