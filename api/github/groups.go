package github

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"musterline.example/store"
)

// How many groups a page has (GitHub: "List IdP groups for an organization").
const (
	perPage    = 30
	maxPerPage = 100
)

// A group is one of GitHub's group-mapping, with what may be left out.
type group struct {
	ID          string  `json:"group_id"`
	Name        string  `json:"group_name"`
	Description string  `json:"group_description"`
	Status      string  `json:"status,omitempty"`
	SyncedAt    *string `json:"synced_at,omitempty"`
}

// A groupMapping is the whole body of every answer about groups: one more key would change what Octokit's paginate returns.
type groupMapping struct {
	Groups []group `json:"groups"`
}

// groupID is a group's id for clients: the source's name has no colon, so it can be taken apart again.
func groupID(source, id string) string { return source + ":" + id }

// sourceStates are how the sources stand that were ever tried, by name.
type sourceStates map[string]store.SourceState

func (a *API) sourceStates(ctx context.Context) (sourceStates, error) {
	return a.states.get(ctx, "", func(ctx context.Context) (sourceStates, error) {
		all, err := a.memory.Sources(ctx)
		if err != nil {
			return nil, err
		}
		by := make(sourceStates, len(all))
		for _, s := range all {
			by[s.Name] = s
		}
		return by, nil
	})
}

// shows returns the sources that a target shows.
func (a *API) shows(s Settings) []string {
	if len(s.Sources) == 0 {
		return a.sources
	}
	return slices.DeleteFunc(slices.Clone(a.sources), func(name string) bool { return !slices.Contains(s.Sources, name) })
}

// listGroups lists the groups of all sources that the target shows, in order of folded name and id, from the last complete read of each. A
// source that was never read is an error and no empty list; one that failed since is listed as it was, and marked.
func (a *API) listGroups(ctx context.Context, at place, in Listing) (*reply, error) {
	e, err := a.enter(ctx, at)
	if err != nil {
		return nil, err
	}
	if e.settings.Off {
		return nil, notManaged(docsList)
	}
	size := in.PerPage
	switch {
	case size < 1:
		size = perPage
	case size > maxPerPage:
		size = maxPerPage
	}
	scope := scope{Target: e.target.Name, Query: in.Query, PerPage: size}
	var from *position
	for _, token := range []string{in.Page, in.After} {
		if token == "" {
			continue
		}
		p, err := a.position(scope, token)
		if err != nil {
			return nil, err
		}
		if from == nil || from.before(p) { // a client that began with one of the two adds the other to it: the later is meant
			from = &p
		}
	}
	warning, err := a.stale(ctx, e.settings)
	if err != nil {
		return nil, err
	}
	found, err := a.page(ctx, a.shows(e.settings), in.Query, from, size+1)
	if err != nil {
		return nil, err
	}
	more := len(found) > size
	found = found[:min(size, len(found))]
	body := groupMapping{Groups: make([]group, len(found))}
	for i, f := range found {
		body.Groups[i] = group{ID: f.ID, Name: f.Name, Description: f.Description}
	}
	r := answer(shown(body), at.unless)
	r.Warning = warning
	if more {
		r.Link = a.next(ctx, in.Query, size, a.cursor(scope, found[len(found)-1].position))
	}
	return r, nil
}

// stale says which sources could not be read lately; an error when one was never read.
func (a *API) stale(ctx context.Context, s Settings) (warning string, err error) {
	states, err := a.sourceStates(ctx)
	if err != nil {
		return "", err
	}
	var old []string
	for _, name := range a.shows(s) {
		switch state := states[name]; {
		case state.ReadAt.IsZero() && state.Failure != "":
			return "", problemf(http.StatusBadGateway, docsList,
				"The identity provider %s could not be read yet. The reason stands in musterline status.", name)
		case state.ReadAt.IsZero():
			p := problemf(http.StatusServiceUnavailable, docsList, "The identity provider %s has not been read yet.", name)
			p.retry = 30 * time.Second
			return "", p
		case state.Failure != "":
			old = append(old, fmt.Sprintf("%s as of %s", name, state.ReadAt.UTC().Format(time.RFC3339)))
		}
	}
	if len(old) == 0 {
		return "", nil
	}
	return fmt.Sprintf(`110 musterline "Response is Stale: %s"`, strings.Join(old, ", ")), nil
}

// A placedGroup is one at its place in the whole list.
type placedGroup struct {
	position
	Name, Description string
}

// page returns the n groups of several sources that follow a position. Each source gives its next n; the first n of them all are the page.
func (a *API) page(ctx context.Context, sources []string, prefix string, from *position, n int) ([]placedGroup, error) {
	var all []placedGroup
	for _, source := range sources {
		listed, err := a.memory.ListGroups(ctx, source, prefix, after(source, from), n)
		if err != nil {
			return nil, err
		}
		for _, g := range listed {
			folded, _, _ := strings.Cut(g.Place, "\x00")
			all = append(all, placedGroup{position{folded, groupID(source, string(g.ID))}, g.Name, g.Description})
		}
	}
	if len(sources) > 1 {
		slices.SortFunc(all, func(a, b placedGroup) int { return a.compare(b.position) })
	}
	return all[:min(n, len(all))], nil
}

// after is the place in a source's own list that a position in the whole list stands for. Groups of one folded name lie in order of
// "source:id": those of a source whose name comes earlier are all past, those of a later one are all to come.
func after(source string, from *position) string {
	if from == nil {
		return ""
	}
	if id, same := strings.CutPrefix(from.ID, source+":"); same {
		return from.Folded + "\x00" + id
	}
	if source+":" < from.ID {
		return from.Folded + "\x01"
	}
	return from.Folded + "\x00"
}

// next is the header that leads to the next page: absolute, at the address that the caller used, so that it can be followed as it stands. It
// has the cursor by both names: libraries that list page by page read page, and go-github's iterator reads after.
func (a *API) next(ctx context.Context, q string, size int, cursor string) string {
	query := url.Values{"per_page": {strconv.Itoa(size)}, "page": {cursor}, "after": {cursor}}
	if q != "" {
		query.Set("q", q)
	}
	return fmt.Sprintf(`<%s?%s>; rel="next"`, visitOf(ctx).self, query.Encode())
}
