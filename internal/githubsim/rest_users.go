package githubsim

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

func getMeta(c *call) (reply, error) {
	body := object{{"verifiable_password_authentication", false}}
	if c.srv.opts.EnterpriseServer {
		body = append(body, entry{"installed_version", enterpriseServerVersion})
	}
	return ok(body)
}

func getRateLimit(c *call) (reply, error) {
	if c.srv.opts.EnterpriseServer {
		return reply{}, problemf(http.StatusNotFound, "Rate limiting is not enabled.")
	}
	core, graphql := c.srv.quota(c, "core"), c.srv.quota(c, "graphql")
	search := quota{Limit: 30, Remaining: 30, Reset: c.now.Unix() + 60}
	return ok(object{{"resources", object{{"core", core}, {"search", search}, {"graphql", graphql}}}, {"rate", core}})
}

func getAuthenticatedUser(c *call) (reply, error) {
	if c.cred.user == nil {
		return reply{}, problemf(http.StatusForbidden, "An app is no user.")
	}
	return ok(c.showAccount(c.cred.user))
}

func getUserByID(c *call) (reply, error) {
	if u := c.w.users[number(c.r.PathValue("account_id"))]; u != nil {
		return ok(c.showAccount(u))
	}
	return reply{}, notFound()
}

func getUser(c *call) (reply, error) {
	if o := c.w.orgNamed(c.r.PathValue("username")); o != nil {
		return ok(c.showOrganizationAsUser(o))
	}
	u, err := c.named()
	if err != nil {
		return reply{}, err
	}
	return ok(c.showAccount(u))
}

// ownOrganizations returns the caller's organizations. Those that want single sign-on first are silently left out, but for a
// header that names them.
func (c *call) ownOrganizations(also func(*Organization) bool) (reached []*Organization, header http.Header, err error) {
	if c.cred.user == nil {
		return nil, nil, problemf(http.StatusForbidden, "An app is no user.")
	}
	var hidden []string
	for _, o := range c.w.orgs {
		if !o.isMember(c.cred.user) && !also(o) {
			continue
		}
		if slices.ContainsFunc(c.cred.token.NoSSO, func(login string) bool { return c.w.orgNamed(login) == o }) {
			hidden = append(hidden, fmt.Sprint(o.id))
			continue
		}
		if c.cred.has(FineGrainedToken) && c.w.orgNamed(c.cred.token.Organization) != o {
			continue
		}
		reached = append(reached, o)
	}
	header = http.Header{}
	if len(hidden) > 0 {
		slices.Sort(hidden)
		header.Set("X-GitHub-SSO", "partial-results; organizations="+strings.Join(hidden, ","))
	}
	return byID(reached), header, nil
}

func listOwnOrganizations(c *call) (reply, error) {
	orgs, header, err := c.ownOrganizations(func(*Organization) bool { return false })
	if err != nil {
		return reply{}, err
	}
	return paged(c, orgs, header, c.showOrganizationSimple)
}

func listOwnMemberships(c *call) (reply, error) {
	state := c.r.URL.Query().Get("state")
	orgs, header, err := c.ownOrganizations(func(o *Organization) bool { return state != "active" && o.pendingFor(c.cred.user) != nil })
	if err != nil {
		return reply{}, err
	}
	if state == "pending" {
		orgs = slices.DeleteFunc(orgs, func(o *Organization) bool { return o.isMember(c.cred.user) })
	}
	return paged(c, orgs, header, func(o *Organization) object { m, _ := c.showMembership(o, c.cred.user); return m })
}

func paged[T, J any](c *call, items []T, header http.Header, show func(T) J) (reply, error) {
	shown, links := cut(c, items, show)
	maps.Copy(header, links)
	return reply{status: http.StatusOK, body: shown, header: header}, nil
}

func getOwnMembership(c *call) (reply, error) {
	if c.cred.user == nil {
		return reply{}, problemf(http.StatusForbidden, "An app is no user.")
	}
	if m, is := c.showMembership(c.org, c.cred.user); is {
		return ok(m)
	}
	return reply{}, notFound()
}

// acceptInvitation makes the caller a member of an organization that has invited it.
func acceptInvitation(c *call) (reply, error) {
	var in struct {
		State string `json:"state"`
	}
	if err := c.read(&in); err != nil {
		return reply{}, err
	}
	if in.State != "active" {
		return reply{}, invalid("OrganizationMember", "state", "invalid", "state can only become active.")
	}
	i := c.org.pendingFor(c.cred.user)
	if i == nil && !c.org.isMember(c.cred.user) {
		return reply{}, notFound()
	}
	if i != nil {
		c.org.add(c.cred.user, i.role == "admin")
	}
	return getOwnMembership(c)
}

// web returns an address on the web site that belongs to the API.
func (c *call) web(format string, args ...any) string {
	site := strings.TrimSuffix(c.base, prefixV3)
	return site + fmt.Sprintf(format, args...)
}

func (c *call) api(format string, args ...any) string { return c.base + fmt.Sprintf(format, args...) }

func stamp(t interface{ Format(string) string }) string { return t.Format("2006-01-02T15:04:05Z") }

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func (c *call) showUser(u *User) object {
	return c.showAccountHead(u.login, u.id, nodeID(nodeUser, u.id), "User")
}

func (c *call) showAccountHead(login string, id int64, node, kind string) object {
	url := c.api("/users/%s", login)
	return object{
		{"login", login}, {"id", id}, {"node_id", node}, {"avatar_url", c.web("/avatars/u/%d?v=4", id)}, {"gravatar_id", ""},
		{"url", url}, {"html_url", c.web("/%s", login)}, {"followers_url", url + "/followers"}, {"following_url", url + "/following{/other_user}"},
		{"gists_url", url + "/gists{/gist_id}"}, {"starred_url", url + "/starred{/owner}{/repo}"}, {"subscriptions_url", url + "/subscriptions"},
		{"organizations_url", url + "/orgs"}, {"repos_url", url + "/repos"}, {"events_url", url + "/events{/privacy}"},
		{"received_events_url", url + "/received_events"}, {"type", kind}, {"user_view_type", "public"}, {"site_admin", false},
	}
}

func (c *call) showAccount(u *User) object {
	return append(c.showUser(u), object{
		{"name", orNull(u.name)}, {"company", nil}, {"blog", ""}, {"location", nil}, {"email", orNull(u.email)}, {"hireable", nil}, {"bio", nil},
		{"twitter_username", nil}, {"public_repos", 0}, {"public_gists", 0}, {"followers", 0}, {"following", 0},
		{"created_at", stamp(u.created.UTC())}, {"updated_at", stamp(u.created.UTC())},
	}...)
}

func (c *call) showOrganizationAsUser(o *Organization) object {
	return append(c.showAccountHead(o.login, o.id, nodeID(nodeOrganization, o.id), "Organization"), object{
		{"name", orNull(o.name)}, {"company", nil}, {"blog", ""}, {"location", nil}, {"email", nil}, {"hireable", nil}, {"bio", nil},
		{"twitter_username", nil}, {"public_repos", 0}, {"public_gists", 0}, {"followers", 0}, {"following", 0},
		{"created_at", stamp(o.created.UTC())}, {"updated_at", stamp(o.created.UTC())},
	}...)
}
