// Package github keeps the teams of one GitHub organization.
//
// It reads by GraphQL, many teams in one call, and writes by REST, one membership in one call, because GraphQL has no mutation for it.
// Files: api.go speaks with GitHub, convert.go turns what it says into our nouns, accounts.go, teams.go, find.go and apply.go are the
// methods of target.Target, documents.go the queries.
//
// Nobody is ever removed from the organization here: the program has no code that could.
package github

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"musterline.example/internal/githubapi"
	"musterline.example/setting"
	"musterline.example/target"
	"musterline.example/team"
)

// Kind is GitHub as a target: github.com, a ghe.com with data residency, or a GitHub Enterprise Server.
var Kind = target.Kind{
	Name:  "github",
	Title: "GitHub",
	Settings: []setting.Field{
		{Key: "organization", Label: "Organization", Help: "The organization's name as in its address.", Type: setting.Text, Required: true, Example: "octo-org"},
		{Key: "api_url", Label: "API address", Help: "What GET {api_url}/orgs/{org} answers on; a GitHub Enterprise Server's ends in /api/v3.", Type: setting.URL, Default: "https://api.github.com", Example: "https://github.example.com/api/v3"},
		{Key: "token", Label: "Token", Help: "A personal access token of an owner of the organization; or use a GitHub App.", Type: setting.SecretValue},
		{Key: "app_id", Label: "App id", Help: "The id, or client id, of a GitHub App that is installed on the organization.", Type: setting.Text, Example: "123456"},
		{Key: "private_key", Label: "App's private key", Help: "What is in the .pem file that GitHub gave out for the App; in a configuration file, private_key_file names it.", Type: setting.SecretValue, Multiline: true},
		{Key: "pace", Label: "Time between writes", Help: "GitHub asks for a second; 0s lifts the spacing.", Type: setting.Duration, Example: "1s"},
		{Key: "reads", Label: "Read by", Help: "GraphQL needs far fewer calls; REST is for a GitHub that refuses GraphQL.", Type: setting.Choice, Default: "graphql", Choices: []string{"graphql", "rest"}},
		{Key: "enterprise", Label: "Enterprise", Help: "The slug of the enterprise whose single sign-on has the identities.", Type: setting.Text, Example: "octo-corp"},
		{Key: "enterprise_token", Label: "Enterprise token", Help: "A classic token of an enterprise owner with read:enterprise, for the identities only.", Type: setting.SecretValue},
	},
	Features: []target.Feature{
		{Name: "create teams", Can: true},
		{Name: "maintainers", Can: true},
		{Name: "nested teams", Can: true, Note: "immediate members only"},
		{Name: "invitations", Can: true, Note: "pending ones are seen, expired ones are not"},
		{Name: "external identities", Can: true, Note: "SAML and SCIM, of the organization or its enterprise"},
		{Name: "verified e-mail addresses", Can: true},
		{Name: "enterprise teams", Can: false, Note: "shown, never changed"},
	},
	Open: Open,
}

// Open returns the organization as a target. It calls nobody.
func Open(_ context.Context, v setting.Values, env target.Env) (target.Target, error) {
	return open(v, env, nil)
}

func open(v setting.Values, env target.Env, pool *githubapi.Pool) (*organization, error) {
	cfg := githubapi.Config{
		URL: v.Text("api_url"), Organization: v.Text("organization"), Token: v.Secret("token").Reveal(),
		AppID: v.Text("app_id"), Lane: githubapi.ParseLane(env.Lane),
		HTTP: env.HTTP, Now: env.Now, Log: env.Log, Pool: pool,
	}
	if env.Meter != nil {
		cfg.Meter = env.Meter
	}
	if v.Has("pace") {
		if cfg.Pace = v.Duration("pace"); cfg.Pace <= 0 {
			cfg.Pace = -1 // none: zero is the default
		}
	}
	if text := v.Secret("private_key").Reveal(); text != "" {
		var err error
		if cfg.Key, err = githubapi.ParseKey([]byte(text)); err != nil {
			return nil, fmt.Errorf("private_key: %w", err)
		}
	}
	if (cfg.AppID != "") != (cfg.Key != nil) {
		return nil, fmt.Errorf("app_id and private_key go together")
	}
	api, err := githubapi.Open(cfg)
	if err != nil {
		return nil, err
	}
	o := &organization{
		api: api, reception: githubapi.NewReception(api, env.HTTP), login: cfg.Organization, hints: env.Hints, log: env.Log, now: env.Now,
		rest: v.Text("reads") == "rest", batch: startTeams, ceiling: maxTeams, nodes: map[team.AccountID]node{},
	}
	if o.log == nil {
		o.log = slog.New(slog.DiscardHandler)
	}
	if o.now == nil {
		o.now = time.Now
	}
	if slug := v.Text("enterprise"); slug != "" {
		cfg.Token, cfg.AppID, cfg.Key = v.Secret("enterprise_token").Reveal(), "", nil
		if cfg.Token == "" {
			return nil, fmt.Errorf("enterprise needs enterprise_token: a token of an enterprise owner")
		}
		if o.enterprise, err = githubapi.Open(cfg); err != nil {
			return nil, fmt.Errorf("enterprise_token: %w", err)
		}
		o.slug = slug
	}
	return o, nil
}

// An organization is one organization on one GitHub. It is safe for concurrent use.
type organization struct {
	api        *githubapi.Client
	enterprise *githubapi.Client // nil without one
	reception  *githubapi.Reception
	slug       string       // of the enterprise
	login      string       // of the organization, as configured
	hints      target.Hints // may be nil
	log        *slog.Logger
	now        func() time.Time

	mu       sync.Mutex
	standing *githubapi.Standing
	rest     bool // GraphQL is refused, or was not wanted
	batch    int  // teams in one call
	ceiling  int  // teams in one call that GitHub can answer, as far as we know
	listed   *list
	nodes    map[team.AccountID]node
}

// A node is what a later look-up of an account can use.
type node struct {
	id    string
	owner bool
}

// needs is what the syncer asks of a credential.
var needs = []githubapi.Requirement{{Scopes: []string{"admin:org", "write:org"}, Permission: "members", Level: "write"}}

// Probe asks who we are and how we stand with the organization, in one call, and in one more for the enterprise's own credential.
func (o *organization) Probe(ctx context.Context) (target.Standing, error) {
	s, err := o.probe(ctx)
	lacks, extra := s.Weigh(needs, "read:user", "user:email", "read:enterprise", "read:audit_log", "organization_administration:read")
	standing := target.Standing{
		Place:      team.Place{Host: s.Host, OrganizationID: s.OrganizationID, Organization: s.Organization, Self: team.AccountID(s.Self)},
		Credential: s.Credential, Expires: s.Expires, Has: s.Has, Needs: lacks, Extra: extra,
	}
	for _, t := range s.Troubles {
		if t.State != githubapi.AppSelected { // teams are no repositories
			standing.Warnings = append(standing.Warnings, t.Message+": "+t.Fix)
		}
	}
	if err != nil {
		return standing, o.trouble(err, "probe %s", o.login)
	}
	if len(lacks) > 0 && s.Kind == githubapi.App {
		pending := githubapi.Problem(githubapi.AppPending)
		standing.Warnings = append(standing.Warnings, pending.Message+": "+pending.Fix)
	}
	if o.enterprise != nil {
		if _, err := o.enterprisePage(ctx, "", 1); err != nil {
			standing.Warnings = append(standing.Warnings, "the identities of the enterprise "+o.slug+" cannot be read: "+err.Error())
		}
	}
	return standing, nil
}

func (o *organization) probe(ctx context.Context) (githubapi.Standing, error) {
	s, err := o.api.Probe(ctx)
	if err != nil {
		return s, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.standing = &s
	return s, nil
}

// place returns where we are, by a probe if there was none.
func (o *organization) place(ctx context.Context) (githubapi.Standing, error) {
	o.mu.Lock()
	s := o.standing
	o.mu.Unlock()
	if s != nil {
		return *s, nil
	}
	return o.probe(ctx)
}
