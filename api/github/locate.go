package github

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"musterline.example/api/access"
	"musterline.example/team"
)

// candidates are the targets that a place can mean, by its prefix and its organization's name. An id is asked for only where the name does
// not settle it.
func (a *API) candidates(ctx context.Context, at place) ([]*Target, error) {
	all := a.targets
	if bound := visitOf(ctx).bound; bound != nil {
		all = []*Target{bound}
	}
	var found []*Target
	for _, t := range all {
		is, err := a.is(ctx, t, at)
		if err != nil {
			return nil, err
		}
		if is {
			found = append(found, t)
		}
	}
	return found, nil
}

// where says where a target's teams live. It is asked with our own credential, so a no is kept as long as a yes: nobody can make us show a
// credential again and again that is not accepted.
func (a *API) where(ctx context.Context, t *Target) (team.Place, error) {
	return a.places.get(ctx, t.Name, t.Gate.Where)
}

// is reports whether a place can be within a target's organization.
func (a *API) is(ctx context.Context, t *Target, at place) (bool, error) {
	switch {
	case at.org != "":
		if team.FoldLogin(at.org) == team.FoldLogin(t.Organization) {
			return true, nil
		}
		now, err := a.where(ctx, t) // it may have been renamed
		return err == nil && team.FoldLogin(at.org) == team.FoldLogin(now.Organization), nil
	case at.orgID != "":
		now, err := a.where(ctx, t)
		if err != nil {
			return false, &access.Refusal{
				Status: http.StatusBadGateway, Message: t.Host + " could not be asked for the ids of its organizations.", Err: err,
			}
		}
		return at.orgID == now.OrganizationID, nil
	}
	return true, nil
}

// locate returns the one target that a place means. Two organizations of one name on two hosts are told apart by the address alone, because
// a credential is shown to one host only; who is known to us is told so.
func (a *API) locate(ctx context.Context, at place) (*Target, error) {
	found, err := a.candidates(ctx, at)
	switch {
	case err != nil:
		return nil, err
	case len(found) == 1:
		return found[0], nil
	case len(found) == 0:
		return nil, notFound()
	case at.org == "" && at.orgID == "" && sameHost(found):
		return a.among(ctx, at, found)
	}
	a.log.WarnContext(ctx, "an address fits several targets: it needs the form /TARGET/api/v3", "route", visitOf(ctx).info.Route)
	if _, ours := visitOf(ctx).caller.Token(); ours {
		return nil, problemf(http.StatusNotFound, docs, "Not Found. Several targets fit: use the address /TARGET%s.", v3)
	}
	return nil, notFound()
}

func sameHost(targets []*Target) bool {
	return !slices.ContainsFunc(targets, func(t *Target) bool { return !strings.EqualFold(t.Host, targets[0].Host) })
}

// among finds the organization of a team that is named by its id alone, among several on one host: the one that shows it to the caller. Of
// the caller alone, any will do.
func (a *API) among(ctx context.Context, at place, found []*Target) (*Target, error) {
	if at.door.Organization() {
		return found[0], nil
	}
	v := visitOf(ctx)
	var last error = notFound()
	for _, t := range found {
		set, err := t.Settings(ctx)
		if err != nil {
			return nil, err
		}
		_, err = a.access.Enter(ctx, v.caller, t.place(set), at.door, false)
		if err == nil {
			return t, nil
		}
		last = err
		if explain(err).status != http.StatusNotFound {
			break
		}
	}
	return nil, last
}

// place is the target as access knows it.
func (t *Target) place(s Settings) access.Place {
	return access.Place{Target: t.Name, Host: t.Host, Gate: t.Gate, Unscoped: s.Unscoped}
}

// An entered is somebody who may, and where.
type entered struct {
	access.Entry
	target   *Target
	settings Settings
}

// enter lets the caller of an operation in, or does not: whoever has no role on the organization or team is told that there is none, and
// whose role is not enough is told so.
func (a *API) enter(ctx context.Context, at place) (*entered, error) {
	v := visitOf(ctx)
	t, err := a.locate(ctx, at)
	if err != nil {
		return nil, err
	}
	set, err := t.Settings(ctx)
	if err != nil {
		return nil, err
	}
	changes := v.need == access.ChangeMappings
	at.door.Nested = changes
	e, err := a.access.Enter(ctx, v.caller, t.place(set), at.door, changes)
	if err != nil {
		return nil, err
	}
	v.info.Who = e.Who
	switch {
	case e.May(v.need):
	case e.Guest.Member || e.Role != access.Nobody:
		return nil, problemf(http.StatusForbidden, docsTeamSync, "You must be an organization owner or a maintainer of the team to do this.")
	default:
		return nil, notFound()
	}
	if changes && e.Why != nil {
		return nil, e.Why
	}
	return &entered{e, t, set}, nil
}
