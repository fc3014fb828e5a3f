package github

import (
	"context"

	"musterline.example/target"
	"musterline.example/team"
)

// Where an operation is asked for, in the forms of GitHub's paths. The names of the fields are GitHub's.
type (
	// Anywhere is no organization at all.
	Anywhere struct {
		Unless string `header:"If-None-Match" hidden:"true"`
	}
	// ByName is an organization by its name.
	ByName struct {
		Org    string `path:"org" doc:"The organization name. The name is not case sensitive."`
		Unless string `header:"If-None-Match" hidden:"true"`
	}
	// ByID is an organization by its id.
	ByID struct {
		Org    string `path:"org_id" doc:"The organization id."`
		Unless string `header:"If-None-Match" hidden:"true"`
	}
	// TeamByName is a team by its slug.
	TeamByName struct {
		ByName
		Slug string `path:"team_slug" doc:"The slug of the team name."`
	}
	// TeamByID is a team by its id.
	TeamByID struct {
		ByID
		Team string `path:"team_id" doc:"The unique identifier of the team."`
	}
	// TeamAlone is a team by its id, without its organization: the form that GitHub calls legacy.
	TeamAlone struct {
		Team   string `path:"team_id" doc:"The unique identifier of the team."`
		Unless string `header:"If-None-Match" hidden:"true"`
	}
)

// A place is where an operation is asked for, whatever the form.
type place struct {
	org, orgID string
	door       target.Door
	unless     string // If-None-Match
}

func (p ByName) place() place { return place{org: p.Org, unless: p.Unless} }
func (p ByID) place() place   { return place{orgID: p.Org, unless: p.Unless} }
func (p TeamByName) place() place {
	at := p.ByName.place()
	at.door.Slug = p.Slug
	return at
}

func (p TeamByID) place() place {
	at := p.ByID.place()
	at.door.Team = team.ID(p.Team)
	return at
}

func (p TeamAlone) place() place {
	return place{door: target.Door{Team: team.ID(p.Team)}, unless: p.Unless}
}

// Bodies and parameters beside the place.
type (
	// Listing is the page of a list that is wanted.
	Listing struct {
		PerPage int    `query:"per_page" doc:"The number of results per page (max 100)." default:"30"`
		Page    string `query:"page" doc:"Page token"`
		After   string `query:"after" doc:"Another name for page."`
		Query   string `query:"q" doc:"Filters the list to return only those that begin with this value."`
	}
	// GroupsByName lists the groups for an organization by its name.
	GroupsByName struct {
		ByName
		Listing
	}
	// GroupsByID lists the groups for an organization by its id.
	GroupsByID struct {
		ByID
		Listing
	}
	// PatchByName replaces the groups of a team by its slug.
	PatchByName struct {
		TeamByName
		RawBody []byte `contentType:"application/json"`
	}
	// PatchByID replaces the groups of a team by its id.
	PatchByID struct {
		TeamByID
		RawBody []byte `contentType:"application/json"`
	}
	// PatchAlone replaces the groups of a team by its id alone.
	PatchAlone struct {
		TeamAlone
		RawBody []byte `contentType:"application/json"`
	}
	// MemberByName is somebody in a team by its slug.
	MemberByName struct {
		TeamByName
		Username string `path:"username" doc:"The handle for the GitHub user account."`
	}
	// MemberByID is somebody in a team by its id.
	MemberByID struct {
		TeamByID
		Username string `path:"username" doc:"The handle for the GitHub user account."`
	}
	// MemberAlone is somebody in a team by its id alone.
	MemberAlone struct {
		TeamAlone
		Username string `path:"username" doc:"The handle for the GitHub user account."`
	}
)

// maxBody is how long a body may be. A hundred groups with long descriptions are a tenth of it.
const maxBody = 1 << 20

// register lists every operation that there is.
func (a *API) register() {
	const (
		org, orgID           = "/orgs/{org}", "/organizations/{org_id}"
		slug, teamID, legacy = "/orgs/{org}/teams/{team_slug}", "/organizations/{org_id}/team/{team_id}", "/teams/{team_id}"
		groups, mappings     = "/team-sync/groups", "/team-sync/group-mappings"
		membership, member   = "/memberships/{username}", "/members/{username}"
	)
	act(a, "rate-limit/get", "Get rate limit status", "GET /rate_limit", func(ctx context.Context, _ *Anywhere) (*reply, error) {
		return a.rateLimit(ctx)
	})

	act(a, "users/get-authenticated", "Get the authenticated user", "GET /user", func(ctx context.Context, in *Anywhere) (*reply, error) {
		return a.lookUp(ctx, target.AboutUser, place{unless: in.Unless})
	})
	act(a, "orgs/get", "Get an organization", "GET "+org, func(ctx context.Context, in *ByName) (*reply, error) {
		return a.lookUp(ctx, target.AboutOrganization, in.place())
	})
	act(a, "orgs/get-by-id", "Get an organization", "GET "+orgID, func(ctx context.Context, in *ByID) (*reply, error) {
		return a.lookUp(ctx, target.AboutOrganization, in.place())
	})
	act(a, "teams/get-by-name", "Get a team by name", "GET "+slug, func(ctx context.Context, in *TeamByName) (*reply, error) {
		return a.lookUp(ctx, target.AboutTeam, in.place())
	})
	act(a, "teams/get-by-id", "Get a team by id", "GET "+teamID, func(ctx context.Context, in *TeamByID) (*reply, error) {
		return a.lookUp(ctx, target.AboutTeam, in.place())
	})
	act(a, "teams/get-legacy", "Get a team (legacy)", "GET "+legacy, func(ctx context.Context, in *TeamAlone) (*reply, error) {
		return a.lookUp(ctx, target.AboutTeam, in.place())
	})

	const list = "List IdP groups for an organization"
	act(a, "teams/list-idp-groups-for-org", list, "GET "+org+groups, func(ctx context.Context, in *GroupsByName) (*reply, error) {
		return a.listGroups(ctx, in.place(), in.Listing)
	})
	act(a, "teams/list-idp-groups-for-org-by-id", list, "GET "+orgID+groups, func(ctx context.Context, in *GroupsByID) (*reply, error) {
		return a.listGroups(ctx, in.place(), in.Listing)
	})

	const read = "List IdP groups for a team"
	act(a, "teams/list-idp-groups-in-org", read, "GET "+slug+mappings, func(ctx context.Context, in *TeamByName) (*reply, error) {
		return a.readMappings(ctx, in.place())
	})
	act(a, "teams/list-idp-groups-in-org-by-id", read, "GET "+teamID+mappings, func(ctx context.Context, in *TeamByID) (*reply, error) {
		return a.readMappings(ctx, in.place())
	})
	act(a, "teams/list-idp-groups-for-legacy", read+" (legacy)", "GET "+legacy+mappings, func(ctx context.Context, in *TeamAlone) (*reply, error) {
		return a.readMappings(ctx, in.place())
	})

	const change = "Create or update IdP group connections"
	act(a, "teams/create-or-update-idp-group-connections-in-org", change, "PATCH "+slug+mappings, func(ctx context.Context, in *PatchByName) (*reply, error) {
		return a.changeMappings(ctx, in.place(), in.RawBody, false)
	})
	act(a, "teams/create-or-update-idp-group-connections-in-org-by-id", change, "PATCH "+teamID+mappings, func(ctx context.Context, in *PatchByID) (*reply, error) {
		return a.changeMappings(ctx, in.place(), in.RawBody, false)
	})
	act(a, "teams/create-or-update-idp-group-connections-legacy", change+" (legacy)", "PATCH "+legacy+mappings, func(ctx context.Context, in *PatchAlone) (*reply, error) {
		return a.changeMappings(ctx, in.place(), in.RawBody, true)
	})

	for method, word := range map[string]string{"PUT": "add", "DELETE": "remove"} {
		act(a, "teams/"+word+"-membership", "Refuse to change a member by hand", method+" "+slug+membership, func(ctx context.Context, in *MemberByName) (*reply, error) {
			return a.changeMember(ctx, in.place())
		})
		act(a, "teams/"+word+"-membership-by-id", "Refuse to change a member by hand", method+" "+teamID+membership, func(ctx context.Context, in *MemberByID) (*reply, error) {
			return a.changeMember(ctx, in.place())
		})
		for id, what := range map[string]string{"membership": membership, "member": member} {
			act(a, "teams/"+word+"-"+id+"-legacy", "Refuse to change a member by hand", method+" "+legacy+what, func(ctx context.Context, in *MemberAlone) (*reply, error) {
				return a.changeMember(ctx, in.place())
			})
		}
	}
}
