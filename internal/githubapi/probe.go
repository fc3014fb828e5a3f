package githubapi

import (
	"context"
	_ "embed" // the document below
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// ProbeDocument is what Probe asks.
//
//go:embed queries/probe.graphql
var ProbeDocument string

// expiresSoon is from when on the end of a token is worth a warning.
const expiresSoon = 14 * 24 * time.Hour

// A Standing is how a credential stands with an organization.
type Standing struct {
	Host           string
	OrganizationID string // numeric
	Organization   string // login as it is now
	NodeID         string
	Self           string // numeric id of the account; empty for an App
	Login          string
	Kind           Kind
	Credential     string // its kind and name, never the secret
	Expires        time.Time
	Has            []string // scopes of a classic token, "members:write" of an App
	Known          bool     // Has is all there is; a fine-grained token does not tell
	Troubles       []*Error // what is wrong and stops nothing
}

// sightings are what answers say in passing of the credential.
type sightings struct {
	mu      sync.Mutex
	scopes  []string
	scoped  bool
	expires time.Time
}

func (s *sightings) observe(h http.Header) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if values := h.Values("X-OAuth-Scopes"); values != nil {
		s.scopes, s.scoped = splitList(strings.Join(values, ",")), true
	}
	if at, ok := parseExpiry(h.Get("GitHub-Authentication-Token-Expiration")); ok {
		s.expires = at
	}
}

// parseExpiry reads the two forms in which GitHub writes the end of a token: with the name of a zone and with its offset.
func parseExpiry(v string) (time.Time, bool) {
	for _, layout := range []string{"2006-01-02 15:04:05 MST", "2006-01-02 15:04:05 -0700", time.RFC3339} {
		if at, err := time.Parse(layout, v); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

// Probe asks in one call who we are, whether we may administer the organization, and what the organization's ids are. Only in doubt does
// it ask more: whether the account is an owner after all, and whether the organization has another name now. The Standing is filled in
// as far as it is known, beside an error too.
func (c *Client) Probe(ctx context.Context) (Standing, error) {
	s, err := c.probe(ctx, c.org)
	if err == nil || !Is(err, NoOrganization) {
		return s, err
	}
	// GraphQL does not know former names, REST answers them with a redirect by id ("Renaming an organization").
	var moved struct {
		ID    int64  `json:"id"`
		Login string `json:"login"`
	}
	if _, again := c.Get(ctx, "orgs/"+c.org, &moved); again != nil || moved.Login == "" || strings.EqualFold(moved.Login, c.org) {
		return s, err
	}
	s, err = c.probe(ctx, moved.Login)
	if err == nil && s.OrganizationID != strconv.FormatInt(moved.ID, 10) {
		return s, Problem(NoOrganization)
	}
	warn := Problem(Renamed)
	warn.Message = fmt.Sprintf("the organization %s is called %s now", c.org, moved.Login)
	s.Troubles = append(s.Troubles, warn)
	return s, err
}

func (c *Client) probe(ctx context.Context, login string) (Standing, error) {
	person := c.cred.kind() != App
	s := Standing{Host: c.at.Host, Kind: c.cred.kind(), Credential: string(c.cred.kind())}
	var out struct {
		Viewer *struct {
			DatabaseID int64  `json:"databaseId"`
			Login      string `json:"login"`
		} `json:"viewer"`
		Organization *struct {
			ID                  string `json:"id"`
			DatabaseID          int64  `json:"databaseId"`
			Login               string `json:"login"`
			ViewerCanAdminister bool   `json:"viewerCanAdminister"`
		} `json:"organization"`
	}
	faults, err := c.Query(ctx, ProbeDocument, map[string]any{"organization": login, "person": person}, &out)
	if GraphQLRefused(err) {
		return c.probeByREST(ctx, login)
	}
	c.describe(&s)
	if out.Viewer != nil {
		s.Self, s.Login = strconv.FormatInt(out.Viewer.DatabaseID, 10), out.Viewer.Login
		s.Credential = fmt.Sprintf("%s of %s", c.cred.kind(), s.Login)
	}
	if err != nil {
		if Is(err, Missing) {
			err = Problem(NoOrganization)
		}
		return s, err
	}
	for _, f := range faults {
		if f.At("organization") && f.NotFound() {
			return s, Problem(NoOrganization)
		}
		if !f.At("rateLimit") { // switched off on a GHES
			return s, c.Fault(f, "")
		}
	}
	if out.Organization == nil || out.Organization.DatabaseID == 0 || person && (out.Viewer == nil || out.Viewer.DatabaseID == 0) {
		return s, Problem(NoOrganization)
	}
	s.NodeID, s.Organization = out.Organization.ID, out.Organization.Login
	s.OrganizationID = strconv.FormatInt(out.Organization.DatabaseID, 10)
	if person && !out.Organization.ViewerCanAdminister {
		if err := c.owner(ctx, s.Organization); err != nil {
			return s, err
		}
	}
	return s, nil
}

// GraphQLRefused reports whether an error says that GraphQL as a whole is not to be had, so that REST is worth a try.
func GraphQLRefused(err error) bool {
	e, ok := As(err)
	return ok && (e.Status == http.StatusForbidden && e.State == Denied || e.Status == http.StatusNotFound && e.State == Missing)
}

// probeByREST asks the same in three calls.
func (c *Client) probeByREST(ctx context.Context, login string) (Standing, error) {
	s := Standing{Host: c.at.Host, Kind: c.cred.kind(), Credential: string(c.cred.kind())}
	var user, org struct {
		ID     int64  `json:"id"`
		NodeID string `json:"node_id"`
		Login  string `json:"login"`
	}
	_, err := c.Get(ctx, "orgs/"+login, &org)
	c.describe(&s)
	if Is(err, Missing) {
		return s, Problem(NoOrganization)
	} else if err != nil {
		return s, err
	}
	s.OrganizationID, s.Organization, s.NodeID = strconv.FormatInt(org.ID, 10), org.Login, org.NodeID
	if c.cred.kind() == App {
		return s, nil
	}
	if _, err := c.Get(ctx, "user", &user); err != nil {
		return s, err
	}
	s.Self, s.Login = strconv.FormatInt(user.ID, 10), user.Login
	s.Credential = fmt.Sprintf("%s of %s", s.Kind, s.Login)
	return s, c.owner(ctx, s.Organization)
}

// owner asks whether the account is an owner of the organization: a token may lack what viewerCanAdminister looks at, and its account
// still be one.
func (c *Client) owner(ctx context.Context, login string) error {
	var m struct{ Role, State string }
	_, err := c.Get(ctx, "user/memberships/orgs/"+login, &m)
	switch {
	case Is(err, Missing, Denied, ScopeMissing):
		e := Problem(NotOwner)
		e.Err = err
		return e
	case err != nil:
		return err
	case m.Role != "admin" || m.State != "active":
		return Problem(NotOwner)
	}
	return nil
}

// describe adds what the credential has and when it ends, from what answers have told in passing.
func (c *Client) describe(s *Standing) {
	seen := &c.shared.seen
	seen.mu.Lock()
	s.Expires = seen.expires
	if seen.scoped {
		s.Has, s.Known = slices.Sorted(slices.Values(seen.scopes)), true
		if s.Kind == Other {
			s.Kind = Classic
			s.Credential = string(Classic)
		}
	}
	seen.mu.Unlock()
	if in, ok := c.cred.(*installation); ok {
		s.Credential = "GitHub App " + in.app
		found := in.found()
		if found == nil {
			return
		}
		if found.GetAppSlug() != "" {
			s.Credential += " (" + found.GetAppSlug() + ")"
		}
		permissions := map[string]string{}
		if text, err := json.Marshal(found.Permissions); err == nil {
			_ = json.Unmarshal(text, &permissions) // a struct of texts
		}
		for name, level := range permissions {
			s.Has = append(s.Has, name+":"+level)
		}
		slices.Sort(s.Has)
		s.Known = true
		if found.GetRepositorySelection() == "selected" {
			s.Troubles = append(s.Troubles, Problem(AppSelected))
		}
	}
	if !s.Expires.IsZero() && s.Expires.Sub(c.now()) < expiresSoon {
		e := Problem(TokenExpiring)
		e.Message = "the token ends on " + s.Expires.UTC().Format("2 January 2006 at 15:04 UTC")
		s.Troubles = append(s.Troubles, e)
	}
}

// A Requirement is one thing that a role needs of a credential: any of the scopes of a classic token, or the permission of an App.
type Requirement struct {
	Scopes     []string // the one to name first
	Permission string   // "members"
	Level      string   // "read" or "write"
}

// Weigh holds what a credential has against what a role needs. What it does not know it does not claim: for a fine-grained token both
// answers are empty. Tolerated are scopes and permissions that are more than needed and do no harm.
func (s Standing) Weigh(needs []Requirement, tolerated ...string) (lacks, extra []string) {
	if !s.Known {
		return nil, nil
	}
	if s.Kind == App {
		wanted := map[string]bool{"metadata:read": true}
		for _, n := range needs {
			for _, level := range []string{n.Level, "write", "admin"} {
				wanted[n.Permission+":"+level] = true
			}
			if !slices.ContainsFunc(s.Has, func(h string) bool { return wanted[h] && strings.HasPrefix(h, n.Permission+":") }) {
				lacks = append(lacks, n.Permission+":"+n.Level)
			}
		}
		for _, h := range s.Has {
			if !wanted[h] && !slices.Contains(tolerated, h) {
				extra = append(extra, h)
			}
		}
		return lacks, extra
	}
	has := impliedScopes(s.Has)
	var wanted []string
	for _, n := range needs {
		if !slices.ContainsFunc(n.Scopes, func(w string) bool { return slices.Contains(has, w) }) {
			lacks = append(lacks, n.Scopes[0])
		}
		wanted = append(wanted, n.Scopes...)
	}
	for _, h := range s.Has {
		if !slices.Contains(impliedScopes(append(wanted, tolerated...)), h) {
			extra = append(extra, h)
		}
	}
	return lacks, extra
}

// scopes that hold others (GitHub: "Scopes for OAuth apps"). The header names only the outermost.
var implied = map[string][]string{
	"admin:org":        {"write:org", "read:org"},
	"write:org":        {"read:org"},
	"user":             {"read:user", "user:email", "user:follow"},
	"admin:enterprise": {"manage_runners:enterprise", "manage_billing:enterprise", "read:enterprise", "scim:enterprise"},
	"audit_log":        {"read:audit_log"},
	"repo":             {"repo:status", "repo_deployment", "public_repo", "repo:invite", "security_events"},
}

func impliedScopes(has []string) []string {
	all := slices.Clone(has)
	for _, s := range has {
		all = append(all, implied[s]...)
	}
	return all
}
