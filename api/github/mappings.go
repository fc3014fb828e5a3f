package github

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"musterline.example/directory"
	"musterline.example/internal/marked"
	"musterline.example/mapping"
	"musterline.example/reconcile"
	"musterline.example/source"
	"musterline.example/store"
	"musterline.example/team"
)

// notManagedMessage is what GitHub says of a team that it does not synchronize. Clients know it.
const notManagedMessage = "This team is not externally managed. Learn more at https://docs.github.com/articles/synchronizing-teams-between-your-identity-provider-and-github"

func notManaged(doc string) *problem { return problemf(http.StatusForbidden, doc, notManagedMessage) }

// groupsOf is the question for the mappings of a team, by everything that they are found by.
type groupsOf struct {
	target     string
	team       team.ID
	slug, name string
}

// readMappings shows the groups of a team, in the order in which they came.
func (a *API) readMappings(ctx context.Context, at place) (*reply, error) {
	e, err := a.enter(ctx, at)
	if err != nil {
		return nil, err
	}
	if e.settings.Off {
		return nil, notManaged(docsRead)
	}
	if err := ourTeam(e.Team, docsRead); err != nil {
		return nil, err
	}
	mapped, err := marked.Get(ctx, a.answers, groupsOf{e.target.Name, e.Team.ID, e.Team.Slug, e.Team.Name}, func(ctx context.Context) ([]store.Mapped, error) {
		return a.memory.MappedGroups(ctx, e.target.Name, *e.Team)
	})
	if err != nil {
		return nil, err
	}
	body, err := a.show(ctx, e, mapped)
	if err != nil {
		return nil, err
	}
	return answer(shown(body), at.unless), nil
}

// ourTeam refuses what is not the organization's to change (GitHub: 422 for an enterprise team).
func ourTeam(t *team.Team, doc string) error {
	if t.Foreign == "" {
		return nil
	}
	p := problemf(http.StatusUnprocessableEntity, doc, "This operation is not available for this team: %s.", t.Foreign)
	p.Errors = []fieldError{{Resource: "Team", Field: "team_slug", Code: "unprocessable", Message: t.Foreign}}
	return p
}

// show makes the body of some mappings. What a PATCH said of a group is told back as it was said; a group that the file or a rule maps is
// shown as it was listed last.
func (a *API) show(ctx context.Context, e *entered, mapped []store.Mapped) (groupMapping, error) {
	body := groupMapping{Groups: make([]group, len(mapped))}
	if len(mapped) == 0 {
		return body, nil
	}
	last, err := a.planned(ctx, e.target.Name)
	if err != nil {
		return body, err
	}
	for i, m := range mapped {
		g := group{ID: groupID(m.Source, cmp.Or(string(m.GroupID), m.Group)), Name: cmp.Or(m.ListedName, m.Group), Description: m.ListedDescription}
		if m.Echo != (mapping.Echo{}) {
			g.Name, g.Description = m.Echo.Name, m.Echo.Description
		}
		g.Status = unsynced
		if at, done := last.done(e.Team.ID, m.Mapping); done {
			when := at.UTC().Format(time.RFC3339)
			g.Status, g.SyncedAt = synced, &when
		}
		body.Groups[i] = g
	}
	return body, nil
}

// changeMappings makes the groups of a body the groups of a team: all of them or, where anything is wrong, nothing. Every check comes
// before the first write.
func (a *API) changeMappings(ctx context.Context, at place, body []byte, legacy bool) (*reply, error) {
	e, err := a.enter(ctx, at)
	if err != nil {
		return nil, err
	}
	wishes, p := readGroups(body, legacy)
	if p != nil {
		return nil, p
	}
	before, err := a.mayMap(ctx, e)
	if err != nil {
		return nil, err
	}
	if limit := e.settings.GroupsPerTeam; len(wishes) > limit {
		return nil, invalid("invalid", "a team has at most %d groups", limit)
	}
	wanted := make([]mapping.Mapping, len(wishes))
	for i, w := range wishes {
		wanted[i], err = a.wanted(ctx, e, w, before)
		if p, wrong := errors.AsType[*problem](err); wrong && len(p.Errors) > 0 {
			return nil, p.at(i)
		}
		if err != nil {
			return nil, err
		}
	}
	end := mapping.Disconnect{Until: a.now().Add(e.settings.Grace), By: e.Who}
	made, err := a.memory.MapTeam(ctx, e.target.Name, e.Team.ID, wanted, end, reconcile.Request{
		Target: e.target.Name, Teams: []team.ID{e.Team.ID}, Trigger: "event", Asker: e.Who, Why: "the groups of the team were set",
	})
	if owned, ok := errors.AsType[*store.Owned](err); ok {
		return nil, a.owned(owned.Mapping)
	}
	if errors.Is(err, store.ErrOff) { // since it was looked at above
		return nil, notManaged(docsChange)
	}
	if err != nil {
		return nil, err
	}
	mapped := make([]store.Mapped, len(made))
	for i, m := range made {
		mapped[i] = store.Mapped{Mapping: m}
	}
	answered, err := a.show(ctx, e, mapped)
	if err != nil {
		return nil, err
	}
	return answer(shown(answered), ""), nil
}

// mayMap refuses a team whose groups cannot be set here, and returns those that it has.
func (a *API) mayMap(ctx context.Context, e *entered) ([]store.Mapped, error) {
	if e.settings.Off {
		return nil, notManaged(docsChange)
	}
	if err := ourTeam(e.Team, docsChange); err != nil {
		return nil, err
	}
	if len(e.Team.Children) > 0 && !e.settings.ParentTeams {
		var names []string
		for _, c := range e.Team.Children {
			names = append(names, c.Slug)
		}
		return nil, problemf(http.StatusForbidden, docsChange, "%s\n\nIt has child teams (%s): map those, or let an administrator set parent_teams: allow.",
			notManagedMessage, strings.Join(names, ", "))
	}
	before, err := a.memory.MappedGroups(ctx, e.target.Name, *e.Team)
	if err != nil {
		return nil, err
	}
	for _, m := range before {
		if m.Origin != mapping.FromAPI {
			return nil, a.owned(m.Mapping)
		}
	}
	if i := slices.IndexFunc(e.target.File, fits(e.Team)); i >= 0 { // no run may have settled it yet
		return nil, a.owned(e.target.File[i])
	}
	return before, nil
}

// fits returns whether a mapping is one of the team, by its id or by what was written for it.
func fits(t *team.Team) func(mapping.Mapping) bool {
	return func(m mapping.Mapping) bool {
		return m.TeamID == t.ID || m.TeamID == "" && (m.Team == t.Slug || m.Team == t.Name)
	}
}

// owned is the refusal to change what the configuration file says, with the place where it says so.
func (a *API) owned(m mapping.Mapping) *problem {
	kind, number, _ := strings.Cut(m.ID, ":")
	where := "rule " + number
	if kind == string(mapping.FromFile) {
		where = "line " + number
	}
	return problemf(http.StatusForbidden, docsChange, "The groups of this team are set by %s of the configuration file %s: change them there.",
		where, a.options.File)
}

// wanted is the mapping that a wish stands for. What it does not speak of, such as the role, stays as it was.
func (a *API) wanted(ctx context.Context, e *entered, w wish, before []store.Mapped) (mapping.Mapping, error) {
	if !slices.Contains(a.shows(e.settings), w.source) {
		return mapping.Mapping{}, unknownGroup()
	}
	echo := mapping.Echo{Name: w.name, Description: w.description, MappedAt: a.now().UnixMicro()}
	for _, m := range before {
		if m.Source == w.source && string(m.GroupID) == w.id {
			if m.Echo.MappedAt != 0 {
				echo.MappedAt = m.Echo.MappedAt
			}
			m.Echo = echo
			return m.Mapping, nil
		}
	}
	name, err := a.known(ctx, w)
	if err != nil {
		return mapping.Mapping{}, err
	}
	return mapping.Mapping{
		Team: e.Team.Slug, TeamID: e.Team.ID, Source: w.source, Group: name, GroupID: directory.GroupID(w.id), Echo: echo,
	}, nil
}

// searchFor is how long an identity provider may take to be asked for one group.
const searchFor = 5 * time.Second

// known returns the name of a group: as it was listed last or, for one that is newer, as a search of its source by the name that the caller
// gives it finds it now.
func (a *API) known(ctx context.Context, w wish) (string, error) {
	listed, err := a.memory.ListedGroup(ctx, w.source, directory.GroupID(w.id))
	if err == nil {
		return listed.Name, nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return "", err
	}
	searcher := a.options.Search[w.source]
	if searcher == nil || w.name == "" {
		return "", unknownGroup()
	}
	ctx, cancel := context.WithTimeout(ctx, searchFor)
	defer cancel()
	for page := (source.Page{Size: maxPerPage}); ; {
		found, next, err := searcher.SearchGroups(ctx, w.name, page)
		if err != nil {
			p := problemf(http.StatusBadGateway, docsChange, "The identity provider %s could not be asked for a group that it has not listed before.", w.source)
			p.err = fmt.Errorf("search source %s: %w", w.source, err)
			return "", p
		}
		for _, g := range found {
			if string(g.ID) == w.id {
				return g.Name, nil
			}
		}
		if next.Token == "" {
			return "", unknownGroup()
		}
		page.Token = next.Token
	}
}
