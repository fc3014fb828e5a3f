package github

import (
	"context"
	"net/http"
	"slices"
)

// changeMember refuses to change who is in a team. The members of a mapped team come from its groups (GitHub: "Forbidden if team
// synchronization is set up"); those of another are changed on GitHub, because nothing but team synchronization is served here.
func (a *API) changeMember(ctx context.Context, at place) (*reply, error) {
	e, err := a.enter(ctx, at)
	if err != nil {
		return nil, err
	}
	mapped, err := a.memory.MappedGroups(ctx, e.target.Name, *e.Team)
	if err != nil {
		return nil, err
	}
	if len(mapped) == 0 && !slices.ContainsFunc(e.target.File, fits(e.Team)) {
		return nil, problemf(http.StatusNotFound, docsMembers,
			"Not Found. Only team synchronization is served here, and this team is not synchronized: change its members at %s.", e.target.Host)
	}
	return nil, problemf(http.StatusForbidden, docsMembers,
		"The members of this team are kept in line with groups of an identity provider and cannot be changed by hand: change the groups.")
}
