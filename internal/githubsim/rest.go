package githubsim

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// A route is one operation of the REST API. Patterns are those of GitHub's OpenAPI description.
type route struct {
	pattern string
	need    need
	handle  func(*call) (reply, error)
}

// The table lists what the simulator serves. Two families of aliases follow from it, as on GitHub:
//
//	/orgs/{org}/…                    /organizations/{org_id}/…
//	/orgs/{org}/teams/{team_slug}/…  /organizations/{org_id}/team/{team_id}/…  and, long deprecated, /teams/{team_id}/…
var table = []route{
	{"GET /meta", nothing, getMeta},
	{"GET /rate_limit", nothing, getRateLimit},

	{"GET /user", nothing, getAuthenticatedUser},
	{"GET /user/{account_id}", nothing, getUserByID},
	{"GET /users/{username}", nothing, getUser},
	{"GET /user/orgs", nothing, listOwnOrganizations},
	{"GET /user/memberships/orgs", nothing, listOwnMemberships},
	{"GET /user/memberships/orgs/{org}", nothing, getOwnMembership},
	{"PATCH /user/memberships/orgs/{org}", nothing, acceptInvitation},

	{"GET /orgs/{org}", nothing, getOrganization},
	{"GET /orgs/{org}/members", readMembers, listMembers},
	{"GET /orgs/{org}/members/{username}", readMembers, checkMember},
	{"DELETE /orgs/{org}/members/{username}", adminMembers, removeMembership},
	{"GET /orgs/{org}/memberships/{username}", readMembers, getMembership},
	{"PUT /orgs/{org}/memberships/{username}", adminMembers, setMembership},
	{"DELETE /orgs/{org}/memberships/{username}", adminMembers, removeMembership},
	{"GET /orgs/{org}/outside_collaborators", readMembers, listOutsideCollaborators},

	{"GET /orgs/{org}/invitations", readMembers, listInvitations},
	{"POST /orgs/{org}/invitations", adminMembers, createInvitation},
	{"DELETE /orgs/{org}/invitations/{invitation_id}", adminMembers, cancelInvitation},
	{"GET /orgs/{org}/invitations/{invitation_id}/teams", readMembers, listInvitationTeams},
	{"GET /orgs/{org}/failed_invitations", readMembers, listFailedInvitations},

	{"GET /orgs/{org}/teams", readMembers, listTeams},
	{"POST /orgs/{org}/teams", writeMembers, createTeam},
	{"GET /orgs/{org}/teams/{team_slug}", readMembers, getTeam},
	{"PATCH /orgs/{org}/teams/{team_slug}", writeMembers, updateTeam},
	{"DELETE /orgs/{org}/teams/{team_slug}", writeMembers, deleteTeam},
	{"GET /orgs/{org}/teams/{team_slug}/teams", readMembers, listChildTeams},
	{"GET /orgs/{org}/teams/{team_slug}/members", readMembers, listTeamMembers},
	{"GET /orgs/{org}/teams/{team_slug}/invitations", readMembers, listTeamInvitations},
	{"GET /orgs/{org}/teams/{team_slug}/memberships/{username}", readMembers, getTeamMembership},
	{"PUT /orgs/{org}/teams/{team_slug}/memberships/{username}", writeMembers, setTeamMembership},
	{"DELETE /orgs/{org}/teams/{team_slug}/memberships/{username}", writeMembers, removeTeamMembership},

	{"GET /orgs/{org}/external-groups", readMembers, listExternalGroups},
	{"GET /orgs/{org}/external-group/{group_id}", readMembers, getExternalGroup},

	{"GET /orgs/{org}/installation", nothing, getOrganizationInstallation},
	{"POST /app-manifests/{code}/conversions", nothing, convertManifest},
	{"GET /app", nothing, getApp},
	{"GET /app/installations", nothing, listInstallations},
	{"GET /app/installations/{installation_id}", nothing, getInstallation},
	{"POST /app/installations/{installation_id}/access_tokens", nothing, createInstallationToken},
}

func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	for _, r := range table {
		for _, pattern := range r.aliases() {
			mux.HandleFunc(pattern, func(w http.ResponseWriter, req *http.Request) {
				c := req.Context().Value(callKey{}).(*call)
				c.r = req
				*w.(replyWriter).out = c.serve(r)
			})
		}
	}
	return mux
}

func (r route) aliases() []string {
	method, path, _ := strings.Cut(r.pattern, " ")
	all := []string{r.pattern}
	if rest, is := strings.CutPrefix(path, "/orgs/{org}/teams/{team_slug}"); is {
		return append(all, method+" /organizations/{org_id}/team/{team_id}"+rest, method+" /teams/{team_id}"+rest)
	}
	if rest, is := strings.CutPrefix(path, "/orgs/{org}"); is {
		all = append(all, method+" /organizations/{org_id}"+rest)
	}
	return all
}

// A replyWriter carries a handler's reply past http.ServeMux, which knows only of bytes.
type replyWriter struct {
	http.ResponseWriter
	out *reply
}

// serve finds organization and team, checks the door, and runs the handler under the world's lock, so that a call is one step.
func (c *call) serve(r route) reply {
	if writes(c.Method) {
		c.w.mu.Lock()
		defer c.w.mu.Unlock()
	} else {
		c.w.mu.RLock()
		defer c.w.mu.RUnlock()
	}
	rep, err := c.run(r)
	if err != nil {
		return err.(*problem).reply() // handlers know no other errors
	}
	return rep
}

func (c *call) run(r route) (reply, error) {
	if moved, err := c.locate(); moved != nil || err != nil {
		if err != nil {
			return reply{}, err
		}
		return *moved, nil
	}
	if c.org != nil && c.cred.app == nil {
		if p := c.enter(c.org, r.need); p != nil {
			return reply{}, p
		}
		if c.team != nil && !c.sees(c.team) {
			return reply{}, notFound()
		}
	} else if r.need.permission != "" {
		return reply{}, problemf(http.StatusForbidden, "This call is not for an App's own JSON web token.")
	}
	return r.handle(c)
}

// locate looks up the organization and team of the path. A renamed organization answers 301 with its address by id; a renamed
// team's old slug answers 404.
func (c *call) locate() (*reply, error) {
	switch login, id, team := c.r.PathValue("org"), c.r.PathValue("org_id"), c.r.PathValue("team_id"); {
	case login != "":
		if c.org = c.w.orgNamed(login); c.org == nil {
			old, was := c.w.moved[fold(login)]
			if !was {
				return nil, notFound()
			}
			rest := strings.TrimPrefix(c.Path, "/orgs/"+login)
			to := fmt.Sprintf("%s/organizations/%d%s", c.base, old, rest)
			if c.Query != "" {
				to += "?" + c.Query
			}
			return &reply{status: http.StatusMovedPermanently, header: http.Header{"Location": {to}},
				body: object{{"message", "Moved Permanently"}, {"url", to}, {"documentation_url", docs}}}, nil
		}
	case id != "":
		if c.org = c.w.orgs[number(id)]; c.org == nil {
			return nil, notFound()
		}
		if team != "" {
			if c.team = c.w.teams[number(team)]; c.team == nil || c.team.org != c.org {
				return nil, notFound()
			}
		}
	case team != "":
		if c.team = c.w.teams[number(team)]; c.team == nil {
			return nil, notFound()
		}
		c.org = c.team.org
	}
	if slug := c.r.PathValue("team_slug"); slug != "" {
		if c.team = c.org.teamSlugged(slug); c.team == nil {
			// Somebody who may not look in learns the reason at the door first.
			if p := c.enter(c.org, readMembers); p != nil && c.cred.app == nil {
				return nil, p
			}
			return nil, notFound()
		}
	}
	return nil, nil
}

// named returns the user of the path.
func (c *call) named() (*User, error) {
	if u := c.w.userNamed(c.r.PathValue("username")); u != nil {
		return u, nil
	}
	return nil, notFound()
}

// number reads an id; what is none becomes one that nobody has.
func number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return -1
	}
	return n
}

func itoa(n int) string { return strconv.Itoa(n) }

// read decodes the body, which GitHub wants to be an object where there is one.
func (c *call) read(into any) error {
	if len(strings.TrimSpace(string(c.body))) == 0 {
		return nil
	}
	if !json.Valid(c.body) {
		return problemf(http.StatusBadRequest, "Problems parsing JSON")
	}
	if strings.TrimSpace(string(c.body))[0] != '{' {
		return problemf(http.StatusBadRequest, "Body should be a JSON object")
	}
	if err := json.Unmarshal(c.body, into); err != nil {
		return problemf(http.StatusUnprocessableEntity, "Invalid request: %v", err)
	}
	return nil
}

// A reply is an answer before it is written.
type reply struct {
	status int
	body   any    // JSON; nil for none
	raw    []byte // in place of body
	header http.Header
	free   bool // takes nothing from the primary limit
	web    bool // no answer of the API: its header says what it is
}

func ok(body any) (reply, error)      { return reply{status: http.StatusOK, body: body}, nil }
func created(body any) (reply, error) { return reply{status: http.StatusCreated, body: body}, nil }
func noContent() (reply, error)       { return reply{status: http.StatusNoContent}, nil }

const docs = "https://docs.github.com/rest"

// A problem is an answer that says no.
type problem struct {
	status  int
	message string
	doc     string
	errors  []fieldError
	header  http.Header
	free    bool // takes nothing from the primary limit
	scope   bool // a classic token lacks a scope
}

type fieldError struct {
	Resource string `json:"resource"`
	Field    string `json:"field"`
	Code     string `json:"code"` // missing, missing_field, invalid, already_exists, unprocessable, custom
	Message  string `json:"message,omitempty"`
}

func (p *problem) Error() string { return fmt.Sprintf("%d %s", p.status, p.message) }

func problemf(status int, format string, args ...any) *problem {
	return &problem{status: status, message: fmt.Sprintf(format, args...), doc: docs}
}

func notFound() *problem { return problemf(http.StatusNotFound, "Not Found") }

func invalid(resource, field, code, format string, args ...any) *problem {
	p := problemf(http.StatusUnprocessableEntity, "Validation Failed")
	p.errors = []fieldError{{resource, field, code, fmt.Sprintf(format, args...)}}
	return p
}

func (p *problem) reply() reply {
	body := object{{"message", p.message}}
	if len(p.errors) > 0 {
		body = append(body, entry{"errors", p.errors})
	}
	return reply{status: p.status, header: p.header, free: p.free || p.status == http.StatusUnauthorized,
		body: append(body, entry{"documentation_url", p.doc}, entry{"status", itoa(p.status)})}
}

// page cuts the page that the caller asked for out of all items and links to its neighbours as GitHub does: absolute addresses
// by id, no Link when everything fits on one page.
func page[T, J any](c *call, items []T, show func(T) J) (reply, error) {
	shown, header := cut(c, items, show)
	return reply{status: http.StatusOK, body: shown, header: header}, nil
}

func cut[T, J any](c *call, items []T, show func(T) J) ([]J, http.Header) {
	q := c.r.URL.Query()
	size, err := strconv.Atoi(q.Get("per_page"))
	if err != nil || size < 1 {
		size = 30
	}
	size = min(size, 100)
	n, err := strconv.Atoi(q.Get("page"))
	if err != nil || n < 1 {
		n = 1
	}
	last := max(1, (len(items)+size-1)/size)
	from := min((n-1)*size, len(items))
	part := items[from:min(from+size, len(items))]
	if c.fault.shortens() {
		part = part[:len(part)/2]
	}
	shown := make([]J, 0, len(part))
	for _, item := range part {
		shown = append(shown, show(item))
	}
	var links []string
	link := func(rel string, to int) {
		q.Set("page", itoa(to))
		links = append(links, fmt.Sprintf(`<%s%s?%s>; rel="%s"`, c.base, c.pathByID(), q.Encode(), rel))
	}
	if n > 1 {
		link("prev", min(n-1, last))
	}
	if n < last {
		link("next", n+1)
		link("last", last)
	}
	if n > 1 {
		link("first", 1)
	}
	header := http.Header{}
	if len(links) > 0 {
		header.Set("Link", strings.Join(links, ", "))
	}
	return shown, header
}

// pathByID spells the call's path with ids in place of names.
func (c *call) pathByID() string {
	path := c.Path
	if slug := c.r.PathValue("team_slug"); slug != "" {
		prefix := "/orgs/" + c.r.PathValue("org") + "/teams/" + slug
		return fmt.Sprintf("/organizations/%d/team/%d%s", c.org.id, c.team.id, strings.TrimPrefix(path, prefix))
	}
	if login := c.r.PathValue("org"); login != "" {
		if rest, is := strings.CutPrefix(path, "/orgs/"+login); is {
			return fmt.Sprintf("/organizations/%d%s", c.org.id, rest)
		}
	}
	return path
}

// settle makes the reply final: its bytes, ETag and 304, and what the call costs.
func (s *Server) settle(c *call, rep reply) reply {
	if rep.raw == nil && rep.body != nil {
		rep.raw = appendJSON(nil, rep.body)
	}
	for k, v := range rep.header {
		c.header[http.CanonicalHeaderKey(k)] = v
	}
	if rep.web {
		c.Status = rep.status
		return rep
	}
	if c.Method == http.MethodGet && rep.status == http.StatusOK {
		tag := etag(c.r, rep.raw)
		c.header.Set("ETag", tag)
		c.header.Set("Vary", "Accept, Authorization, Cookie")
		c.header.Set("Cache-Control", "private, max-age=60, s-maxage=60")
		if names(c.r.Header.Get("If-None-Match"), tag) {
			rep.status, rep.raw, c.NotModified = http.StatusNotModified, nil, true
		}
	}
	// A conditional call that finds nothing new is free; so are a 401, the refusal of a limit, and an injected answer.
	if !c.GraphQL && c.Route != "GET /rate_limit" && !c.NotModified && !rep.free && !c.fault.answers() {
		s.charge(c, 1)
	}
	if c.admitted {
		s.showQuota(c)
	}
	c.Status = rep.status
	return rep
}

// names says whether an If-None-Match names the tag, weakly compared.
func names(ifNoneMatch, tag string) bool {
	return slices.ContainsFunc(strings.Split(ifNoneMatch, ","), func(t string) bool {
		return strings.TrimPrefix(strings.TrimSpace(t), "W/") == strings.TrimPrefix(tag, "W/")
	})
}

// send writes the reply, as far as the fault lets it.
func (s *Server) send(w http.ResponseWriter, c *call, rep reply) {
	body, cut := rep.raw, false
	if f := c.fault; f != nil {
		for k, v := range f.Header {
			c.header[http.CanonicalHeaderKey(k)] = v
		}
		if f.RetryAfter > 0 {
			c.header.Set("Retry-After", seconds(f.RetryAfter))
		}
		if f.Truncate {
			body = body[:len(body)/2]
		}
		cut = f.Drop == DropBody
	}
	out := w.Header()
	maps.Copy(out, c.header)
	if !rep.web {
		out.Set("X-GitHub-Media-Type", "github.v3; format=json")
	}
	if body == nil {
		w.WriteHeader(rep.status)
		return
	}
	if !rep.web {
		out.Set("Content-Type", "application/json; charset=utf-8")
	}
	out.Set("Content-Length", itoa(len(body)))
	w.WriteHeader(rep.status)
	if cut {
		_, _ = w.Write(body[:len(body)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(body)
}

// etag hashes what GitHub's does, by observation: the request's Accept, Authorization and Cookie, then the body. So a tag does
// not outlive the token it was read with.
func etag(r *http.Request, body []byte) string {
	h := sha256.New()
	for _, name := range []string{"Accept", "Authorization", "Cookie"} {
		fmt.Fprintf(h, "%s:", r.Header.Get(name))
	}
	h.Write(body)
	return fmt.Sprintf(`W/"%x"`, h.Sum(nil))
}

// An object is a JSON object that keeps the order of its keys, as answers to GraphQL must.
type object []entry

type entry struct {
	key   string
	value any
}

// MarshalJSON lets an object lie within other values.
func (o object) MarshalJSON() ([]byte, error) { return appendJSON(nil, o), nil }

func appendJSON(b []byte, v any) []byte {
	switch v := v.(type) {
	case object:
		b = append(b, '{')
		for i, e := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendString(b, e.key), ':')
			b = appendJSON(b, e.value)
		}
		return append(b, '}')
	case []any:
		return appendList(b, v)
	case []object:
		return appendList(b, v)
	case string:
		return appendString(b, v)
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, v)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case int64:
		return strconv.AppendInt(b, v, 10)
	}
	enc, err := json.Marshal(v)
	if err != nil {
		panic(err) // our own values only
	}
	return append(b, enc...)
}

func appendList[T any](b []byte, list []T) []byte {
	b = append(b, '[')
	for i, e := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendJSON(b, e)
	}
	return append(b, ']')
}

func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' || s[i] == '"' || s[i] == '\\' {
			enc, _ := json.Marshal(s)
			return append(b, enc...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}
