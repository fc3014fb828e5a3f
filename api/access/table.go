package access

// Routes say which permission each route needs. A route is a method and a pattern of net/http, below whatever prefix it is served. This
// is the only such table: a route that it lacks cannot be served at all.
var Routes = map[string]Permission{
	"GET /rate_limit": Identified,
	"GET /user":       LookUp,

	"GET /orgs/{org}":                                                       LookUp,
	"GET /organizations/{org_id}":                                           LookUp,
	"GET /orgs/{org}/teams/{team_slug}":                                     LookUp,
	"GET /organizations/{org_id}/team/{team_id}":                            LookUp,
	"GET /teams/{team_id}":                                                  LookUp,
	"GET /orgs/{org}/team-sync/groups":                                      ReadGroups,
	"GET /organizations/{org_id}/team-sync/groups":                          ReadGroups,
	"GET /orgs/{org}/teams/{team_slug}/team-sync/group-mappings":            ReadMappings,
	"GET /organizations/{org_id}/team/{team_id}/team-sync/group-mappings":   ReadMappings,
	"GET /teams/{team_id}/team-sync/group-mappings":                         ReadMappings,
	"PATCH /orgs/{org}/teams/{team_slug}/team-sync/group-mappings":          ChangeMappings,
	"PATCH /organizations/{org_id}/team/{team_id}/team-sync/group-mappings": ChangeMappings,
	"PATCH /teams/{team_id}/team-sync/group-mappings":                       ChangeMappings,

	"PUT /orgs/{org}/teams/{team_slug}/memberships/{username}":             ChangeMembers,
	"PUT /organizations/{org_id}/team/{team_id}/memberships/{username}":    ChangeMembers,
	"PUT /teams/{team_id}/memberships/{username}":                          ChangeMembers,
	"PUT /teams/{team_id}/members/{username}":                              ChangeMembers,
	"DELETE /orgs/{org}/teams/{team_slug}/memberships/{username}":          ChangeMembers,
	"DELETE /organizations/{org_id}/team/{team_id}/memberships/{username}": ChangeMembers,
	"DELETE /teams/{team_id}/memberships/{username}":                       ChangeMembers,
	"DELETE /teams/{team_id}/members/{username}":                           ChangeMembers,
}
