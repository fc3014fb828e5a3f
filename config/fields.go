package config

import (
	"errors"
	"io/fs"
	"slices"
	"strconv"

	"musterline.example/guard"
	"musterline.example/link"
	"musterline.example/mapping"
	"musterline.example/setting"
	"musterline.example/team"
)

// The fields of every section. The check of a file and docs/configuration.md are made from them.

var topFields = []setting.Field{
	{
		Key: "database", Type: setting.SecretValue, Default: "sqlite:musterline.db", Example: "postgres://musterline@db.example.com/musterline",
		Help: "Where links, ledger and history live: sqlite:PATH or postgres://….",
	},
}

var serverFields = []setting.Field{
	{Key: "listen", Type: setting.Text, Default: "127.0.0.1:8080", Help: "The address and port to listen on."},
	{
		Key: "external_url", Type: setting.URL, Example: "https://musterline.example.com",
		Help: "The address at which people and webhooks reach the server, for links and sign-in.",
	},
	{Key: "tls_cert_file", Type: setting.Path, Example: "server.pem", Help: "The certificate, with those of its issuers, to serve HTTPS with. Read again when it changes."},
	{Key: "tls_key_file", Type: setting.Path, Example: "server.key", Help: "The key of the certificate."},
	{
		Key: "trusted_proxies", Type: setting.List, Example: "[10.0.0.0/8]",
		Help: "Addresses or networks of proxies whose X-Forwarded-For, -Host and -Proto are believed.",
	},
	{Key: "metrics_listen", Type: setting.Text, Example: "127.0.0.1:9090", Help: "A listener of its own for /metrics."},
	{Key: "metrics_token", Type: setting.SecretValue, Help: "The bearer token that /metrics asks for."},
}

var secretsFields = []setting.Field{
	{Key: "key_file", Type: setting.Path, Default: "musterline.key", Help: "The key that credentials in the database are encrypted with."},
}

var scheduleFields = []setting.Field{
	{Key: "every", Type: setting.Duration, Default: "15m", Help: "How often everything is synced without anybody asking."},
	{
		Key: "full", Type: setting.Duration, Default: "6h",
		Help: "Without effect in this version, in which every sync of the schedule reads everything anew. It is for webhooks and change feeds: how often a sync does so whatever those say.",
	},
}

// kindField stands at the head of every source and target.
var kindField = setting.Field{Key: "kind", Type: setting.Text, Required: true, Help: "The sort of source or target."}

// targetFields are what every target takes, whatever its kind.
var targetFields = []setting.Field{
	{
		Key: "apply", Type: setting.Choice, Choices: []string{guard.ApplyAuto, guard.ApplyApprove, guard.ApplyOff}, Default: guard.ApplyAuto,
		Help: "Whether plans are carried out by themselves, wait for a person, or are only shown.",
	},
	{Key: "sources", Type: setting.List, Example: "[corp]", Help: "The sources whose groups the target's API and console show; all when not set."},
	{
		Key: "protected", Type: setting.List, Example: `[octocat, 1024]`,
		Help: "Accounts that are never removed from a team: logins, or ids in digits (a login of digits alone is written @123).",
	},
	{Key: "groups_per_team", Type: setting.Number, Default: strconv.Itoa(mapping.DefaultSettings.GroupsPerTeam), Help: "How many groups one team may have: 1 to 100. GitHub's own figure is 5."},
	{Key: "members_per_group", Type: setting.Number, Default: strconv.Itoa(mapping.DefaultSettings.MembersPerGroup), Help: "How many members a group may have: 1 to 200000. GitHub's own figure is 5000."},
	{Key: "removal_reads", Type: setting.Number, Default: strconv.Itoa(mapping.DefaultSettings.RemovalReads), Help: "How many complete reads in a row must agree before somebody is removed: 1 to 10."},
	{
		Key: "parent_teams", Type: setting.Choice, Choices: []string{"refuse", "allow"}, Default: "refuse",
		Help: "Whether a team with child teams may be mapped. GitHub refuses.",
	},
	{
		Key: "revoked_links", Type: setting.Choice, Choices: []string{"remove", "hold"}, Default: "remove",
		Help: "Whether a person whose linked identity was revoked is removed, as on GitHub, or a person is asked first.",
	},
	{
		Key: "grace", Type: setting.Duration, Default: "10m",
		Help: "How long members stay whose group the API has taken from their team: Terraform changes a mapping by emptying it and setting it anew.",
	},
	{
		Key: "unscoped_tokens", Type: setting.Choice, Choices: []string{"read", "write"}, Default: "read",
		Help: "What GitHub tokens may do in our API that do not say what they may do: fine-grained ones and those of apps.",
	},
	{Key: "reinvite", Type: setting.Flag, Default: "false", Help: "Invite people again who were members of the organization once and left it."},
}

// teamFields are what a target takes for a single team, under teams.
var teamFields = []setting.Field{modeField}

var modeField = setting.Field{
	Key: "mode", Type: setting.Choice, Choices: []string{string(mapping.Exclusive), string(mapping.Additive)},
	Help: "exclusive: who is in no mapped group goes. additive: only memberships that Musterline gave are taken back. Belongs to the team; exclusive when not set.",
}

var roleField = setting.Field{
	Key: "role", Type: setting.Choice, Choices: []string{team.Member.String(), team.Maintainer.String()}, Default: team.Member.String(),
	Help: "The least role that members of the groups get in the team.",
}

var mappingFields = []setting.Field{
	{Key: "team", Type: setting.Text, Required: true, Example: "octo/platform", Help: "TARGET/TEAM: the team's slug, else its exact display name."},
	{Key: "groups", Type: setting.List, Required: true, Example: "[corp/platform]", Help: "SOURCE/GROUP: the group's id, else its exact name, which may hold slashes."},
	roleField,
	modeField,
}

var ruleFields = []setting.Field{
	{Key: "match", Type: setting.Text, Required: true, Example: "corp/gh-*", Help: "SOURCE/PATTERN: which groups, by name. * is any text without a slash, ? one character, [a-z] one of a range."},
	{
		Key: "team", Type: setting.Text, Required: true, Example: `octo/{{ trimPrefix "gh-" .Group.Name }}`,
		Help: "TARGET/TEMPLATE: the team of each group. .Group.Name, .Group.ID, .Group.Description; trimPrefix, trimSuffix, replace, lower, upper.",
	},
	{Key: "create", Type: setting.Flag, Default: "false", Help: "Create the team when there is none."},
	{Key: "privacy", Type: setting.Choice, Choices: []string{string(team.Closed), string(team.Secret)}, Help: "Who sees a team that is created: the organization (closed) or its members (secret). Goes with create."},
	{Key: "parent", Type: setting.Text, Example: "engineering", Help: "The slug of the team that a created one is put under. Goes with create."},
	roleField,
	modeField,
}

var tiers = []link.Tier{link.Manual, link.Self, link.SAML, link.Attribute, link.Email}

var linksFields = []setting.Field{
	{
		Key: "tiers", Type: setting.List, Example: "[manual, self, saml, attribute]",
		Help: "The ways of knowing whose account it is, the first decisive one wins: manual, self, saml, attribute, email. All but email when not set.",
	},
}

var manualFields = []setting.Field{
	{Key: "user", Type: setting.Text, Required: true, Example: "corp/ada", Help: "SOURCE/ID: the user's id at the identity provider."},
	{Key: "account", Type: setting.Text, Required: true, Example: "github.com/1024", Help: "HOST/ID: the account's numeric id, which no rename changes."},
}

// enterpriseFields are the target's own, without defaults: what an enterprise does not set is left to each organization.
var enterpriseFields = func() []setting.Field {
	fields := []setting.Field{{Key: "organizations", Type: setting.List, Required: true, Example: "[octo]", Help: "The targets that the enterprise's settings win over."}}
	for _, f := range targetFields {
		f.Default = ""
		fields = append(fields, f)
	}
	return fields
}()

// A guardKey is one limit under guards, as package guard names it.
type guardKey struct {
	name string
	help string
	of   func(*guard.Settings) any // a *string, *time.Duration or *guard.Limit
}

var guardKeys = []guardKey{
	{"first_connection", "A team would lose members at its first connection: hold, or apply as GitHub does.", func(s *guard.Settings) any { return &s.FirstConnection }},
	{"empty_group", "A group that had members is empty: hold or apply.", func(s *guard.Settings) any { return &s.EmptyGroup }},
	{"missing_group", "How long a mapped group must be gone before it counts as empty.", func(s *guard.Settings) any { return &s.MissingGroup }},
	{"team_removals", "A team loses more than this.", func(s *guard.Settings) any { return &s.TeamRemovals }},
	{"team_removals_small", "The same for teams under 10 members.", func(s *guard.Settings) any { return &s.TeamRemovalsSmall }},
	{"team_additions", "A connected team gains more than this.", func(s *guard.Settings) any { return &s.TeamAdditions }},
	{"source_removals", "One source's facts remove more than this share of its memberships.", func(s *guard.Settings) any { return &s.SourceRemovals }},
	{"source_shrunk", "More than this share of a source's groups shrinks.", func(s *guard.Settings) any { return &s.SourceShrunk }},
	{"organization_removals", "An organization loses more than this.", func(s *guard.Settings) any { return &s.OrganizationRemovals }},
	{"source_shape", "A source's groups, users, linked share or status mix jump by more than this.", func(s *guard.Settings) any { return &s.SourceShape }},
	{"disabled_users", "More than this share of a source's users turns inactive at once.", func(s *guard.Settings) any { return &s.DisabledUsers }},
	{"lost_links", "More than this share of links is revoked at once.", func(s *guard.Settings) any { return &s.LostLinks }},
	{"mappings_lost", "More than this share of mappings vanishes in one load of the file.", func(s *guard.Settings) any { return &s.MappingsLost }},
	{"stale_warn", "The age of a source's last complete read from which on there is a warning.", func(s *guard.Settings) any { return &s.StaleWarn }},
	{"stale_freeze", "The age from which on nobody is removed on its word.", func(s *guard.Settings) any { return &s.StaleFreeze }},
}

var limitFields = []setting.Field{
	{Key: "max", Type: setting.Number, Help: "The number that may be reached."},
	{Key: "percent", Type: setting.Number, Help: "The share that may be reached; both must be passed."},
}

// offKey lists guards that are switched off.
const offKey = "off"

// reserved are paths of the server: a target of such a name could not be addressed as /{target}/api/v3.
var reserved = []string{
	"api", "console", "enterprises", "graphql", "healthz", "login", "meta", "metrics", "organizations", "orgs", "rate_limit", "readyz", "repos", "scim", "teams",
	"user", "users", "webhooks",
}

// properName reports whether s may name a source or target: it stands before a slash in references and in addresses.
func properName(s string) bool {
	for i, r := range s {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		if !letter && (i == 0 || !slices.Contains([]rune{'-', '_', '.'}, r)) {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// reason is why a file cannot be read, without its path.
func reason(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}
