package config

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"musterline.example/catalog"
	"musterline.example/guard"
	"musterline.example/link"
	"musterline.example/mapping"
	"musterline.example/setting"
	"musterline.example/source"
	"musterline.example/team"
)

var update = flag.Bool("update", false, "write golden files and docs/configuration.md")

// kinds are the catalog's, and two that ask for every sort of value.
func kinds() Kinds {
	k := Kinds{Sources: catalog.Sources(), Targets: catalog.Targets()}
	k.Sources["ldap"] = source.Kind{Name: "ldap", Title: "LDAP", Settings: []setting.Field{
		{Key: "url", Type: setting.URL, Required: true, Help: "The server.", Example: "ldaps://ldap.example.com"},
		{Key: "bind_dn", Type: setting.Text, Help: "Who reads."},
		{Key: "bind_password", Type: setting.SecretValue, Required: true, Help: "The reader's password."},
		{Key: "base_dn", Type: setting.Text, Required: true, Help: "Where to look."},
		{Key: "account_attribute", Type: setting.Text, Help: "The attribute with the login."},
		{Key: "page_size", Type: setting.Number, Default: "500", Help: "Entries a page."},
		{Key: "start_tls", Type: setting.Flag, Help: "Whether."},
		{Key: "timeout", Type: setting.Duration, Default: "30s", Help: "How long."},
		{Key: "ca", Type: setting.Path, Help: "The certificate."},
		{Key: "scope", Type: setting.Choice, Choices: []string{"one", "sub"}, Default: "sub", Help: "How deep."},
		{Key: "filters", Type: setting.List, Help: "Which."},
	}}
	return k
}

var environment = map[string]string{
	"LDAP_PASSWORD": "s3cr:t# {not yaml}", "GITHUB_TOKEN": "ghp_0123456789", "EMPTY": "", "HOST": "ldap.example.com", "TEAM": "octo/platform",
}

func env(name string) (string, bool) { v, ok := environment[name]; return v, ok }

// readText reads a file's text as if it lay in /etc/musterline, beside the secrets that files may name.
func readText(text string) (*Config, error) {
	return read("musterline.yaml", "/etc/musterline", []byte(text), env, func(path string) ([]byte, error) {
		switch path {
		case "/etc/musterline/password":
			return []byte("from a file\n"), nil
		case "/run/token":
			return []byte("two\nlines\r\n"), nil
		case "/etc/musterline/key.pem":
			return []byte("an App's key\n"), nil
		case "/etc/musterline/empty":
			return []byte("\n"), nil
		}
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}, kinds())
}

// whole is the file of the documentation.
const whole = `
server:   { listen: "127.0.0.1:8080", external_url: "https://musterline.example.com/" }
database: "sqlite:musterline.db"                # or postgres://…
secrets:  { key_file: musterline.key }
sources:
  corp:   { kind: ldap, url: "ldaps://${HOST}", bind_dn: "cn=reader,dc=example,dc=com", bind_password: "${LDAP_PASSWORD}", base_dn: "dc=example,dc=com", account_attribute: githubLogin }
  people: { kind: file, path: directory.yaml }
targets:
  octo:   { kind: github, organization: octo-org, api_url: "https://api.github.com", token: "${GITHUB_TOKEN}", apply: auto }   # or app_id, private_key_file
mappings:
  - { team: octo/platform, groups: [corp/platform, people/sre] }
  - { team: octo/leads, groups: [corp/leads], role: maintainer, mode: additive }
rules:
  - { match: "corp/gh-*", team: 'octo/{{ trimPrefix "gh-" .Group.Name }}', create: true }
links:
  tiers: [manual, self, saml, attribute]
  manual: [{ user: corp/ada, account: "github.com/1024" }]
guards:
  team_removals: { max: 5, percent: 20 }
schedule: { every: 15m, full: 6h }
`

func TestTheServersDoor(t *testing.T) {
	c, err := readText(`server: { tls_cert_file: a.pem, tls_key_file: a.key, trusted_proxies: [10.1.2.3/8, "::1", 192.0.2.1] }`)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(c.Server.CertFile, c.Server.CertKeyFile, c.Server.Proxies), "/etc/musterline/a.pem/etc/musterline/a.key[10.0.0.0/8 ::1/128 192.0.2.1/32]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	_, err = readText("server:\n  tls_cert_file: a.pem\n  trusted_proxies: [10.0.0.0/8, proxy.example.com]\ntargets:\n  octo: { kind: github, organization: o, token: t, grace: -1s }\n")
	if err == nil {
		t.Fatal("half a key pair, a name in place of an address and a grace of less than nothing are taken")
	}
	for _, want := range []string{
		"tls_cert_file and tls_key_file go together", "musterline.yaml:3:33: server.trusted_proxies must hold addresses or networks", "grace must not be less than nothing",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("not said: %s\n%v", want, err)
		}
	}
}

func TestTheWholeFile(t *testing.T) {
	got, err := readText(whole)
	if err != nil {
		t.Fatal(err)
	}
	limits := guard.Settings{TeamRemovals: guard.Limit{Max: 5, Percent: 20}}
	octo := limits
	octo.Apply = guard.ApplyAuto
	want := &Config{
		Path: "musterline.yaml", Dir: "/etc/musterline",
		Server:   Server{Listen: "127.0.0.1:8080", ExternalURL: "https://musterline.example.com", SignIn: SignIn{Idle: 8 * time.Hour, Lifetime: 7 * 24 * time.Hour}},
		Database: "sqlite:/etc/musterline/musterline.db", KeyFile: "/etc/musterline/musterline.key",
		Sources: map[string]SourceConfig{
			"corp": {Kind: "ldap", Line: 6, Values: setting.Values{
				"url": "ldaps://ldap.example.com", "bind_dn": "cn=reader,dc=example,dc=com", "bind_password": setting.Secret("s3cr:t# {not yaml}"),
				"base_dn": "dc=example,dc=com", "account_attribute": "githubLogin", "page_size": "500", "timeout": "30s", "scope": "sub",
			}},
			"people": {Kind: "file", Line: 7, Values: setting.Values{"path": "/etc/musterline/directory.yaml"}},
		},
		Targets: map[string]TargetConfig{"octo": {
			Kind: "github", Line: 9, Apply: guard.ApplyAuto, Grace: 10 * time.Minute, Settings: mapping.DefaultSettings, Guards: octo,
			Values: setting.Values{
				"organization": "octo-org", "api_url": "https://api.github.com", "token": setting.Secret("ghp_0123456789"), "reads": "graphql",
			},
			TeamGuards: map[string]guard.Settings{}, TeamModes: map[string]mapping.Mode{},
		}},
		Mappings: []mapping.Mapping{
			{ID: "file:11", Origin: mapping.FromFile, Target: "octo", Team: "platform", Source: "corp", Group: "platform", Mode: mapping.Exclusive},
			{ID: "file:11", Origin: mapping.FromFile, Target: "octo", Team: "platform", Source: "people", Group: "sre", Mode: mapping.Exclusive},
			{ID: "file:12", Origin: mapping.FromFile, Target: "octo", Team: "leads", Source: "corp", Group: "leads", Role: team.Maintainer, Mode: mapping.Additive},
		},
		Rules: []mapping.Rule{{
			ID: "rule:1", Source: "corp", Match: "gh-*", Target: "octo", Team: `{{ trimPrefix "gh-" .Group.Name }}`, Create: true, Mode: mapping.Exclusive,
		}},
		Tiers:    []link.Tier{link.Manual, link.Self, link.SAML, link.Attribute},
		Manual:   []ManualLink{{User: link.UserRef{Source: "corp", ID: "ada"}, Host: "github.com", Account: "1024", Line: 17}},
		Guards:   limits,
		Schedule: Schedule{Every: 15 * time.Minute, Full: 6 * time.Hour},
	}
	// The kind of target may come to ask for more; what it does not say here is its own affair.
	for key := range got.Targets["octo"].Values {
		if _, ok := want.Targets["octo"].Values[key]; !ok {
			delete(got.Targets["octo"].Values, key)
		}
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Config{})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestDefaults(t *testing.T) {
	got, err := readText("targets: { octo: { kind: github, organization: o, token: t } }\n")
	if err != nil {
		t.Fatal(err)
	}
	if got.Database.Reveal() != "sqlite:/etc/musterline/musterline.db" || got.KeyFile != "/etc/musterline/musterline.key" || got.Server.Listen != "127.0.0.1:8080" ||
		got.Schedule != (Schedule{15 * time.Minute, 6 * time.Hour}) || !cmp.Equal(got.Tiers, link.DefaultTiers) {
		t.Errorf("got %+v", got)
	}
}

// settingsText uses every setting of a target, and has two mistakes, in database_file and team_removals.
const settingsText = `
database_file: /run/token
sources:
  people: { kind: file, users: users.csv, groups: /srv/groups.csv }
  corp:
    kind: ldap
    url: ldap://x
    base_dn: "$${HOST} costs $5 $$$"
    bind_password_file: password
    filters: [a, "${TEAM}"]
    start_tls: true
    ca: ca.pem
targets:
  octo:
    kind: github
    organization: octo-org
    token: t
    apply: approve
    sources: people
    protected: [Octocat, 1024, "@2048"]
    groups_per_team: 20
    members_per_group: 20000
    removal_reads: 2
    parent_teams: allow
    revoked_links: hold
    reinvite: true
    guards: { team_removals: 50%x, off: [lost_links] }
    teams:
      platform: { mode: additive, guards: { team_removals: { max: 1 }, first_connection: apply } }
      sre: {}
  acme: { kind: github, organization: acme, token: t, api_url: "https://github.acme.example/api/v3", private_key_file: key.pem }
enterprise:
  organizations: [octo, acme]
  apply: off
  protected: [4096]
  guards: { empty_group: apply, team_removals: off }
guards:
  missing_group: 48h
  organization_removals: 100
  source_removals: { max: 10, percent: 7% }
mappings:
  - team: ${TEAM}
    groups:
      - people/a/b c
      - corp/cn=x,dc=y
  - { team: octo/platform, groups: people/d, role: maintainer }
  - { team: octo/Site Reliability, groups: [people/e], mode: additive }
  - { team: octo/Site Reliability, groups: [people/f] }
`

func TestSettingsOfTargetsAndTeams(t *testing.T) {
	got, err := readText(settingsText)
	want := "musterline.yaml:2:16: database must be sqlite:PATH or postgres://…\nmusterline.yaml:27:30: targets.octo.guards.team_removals must be a whole number"
	if got != nil || err == nil || err.Error() != want {
		t.Fatalf("got %v", err)
	}
	got, err = readText(strings.NewReplacer("50%x", "50", "database_file: /run/token", "").Replace(settingsText))
	if err != nil {
		t.Fatal(err)
	}
	corp := got.Sources["corp"].Values
	if corp.Secret("bind_password").Reveal() != "from a file" || corp.Text("base_dn") != "${HOST} costs $5 $$$" || !corp.Flag("start_tls") ||
		corp.Text("ca") != "/etc/musterline/ca.pem" || !cmp.Equal(corp.List("filters"), []string{"a", "octo/platform"}) || corp.Has("kind") {
		t.Errorf("corp: %v", corp)
	}
	people := got.Sources["people"].Values
	if people.Text("users") != "/etc/musterline/users.csv" || people.Text("groups") != "/srv/groups.csv" {
		t.Errorf("people: %v", people)
	}
	octo := got.Targets["octo"]
	if want := (mapping.Settings{
		GroupsPerTeam: 20, MembersPerGroup: 20000, ParentTeams: true, HoldRevoked: true, Reinvite: true, RemovalReads: 2, Protected: []team.AccountID{"1024", "4096"},
	}); !cmp.Equal(want, octo.Settings) {
		t.Error(cmp.Diff(want, octo.Settings))
	}
	if want := (guard.Settings{
		EmptyGroup: "apply", MissingGroup: 48 * time.Hour, TeamRemovals: guard.Limit{Max: -1}, OrganizationRemovals: guard.Limit{Max: 100},
		SourceRemovals: guard.Limit{Max: 10, Percent: 7}, Apply: "off", Protected: []string{"1024", "4096"}, Off: []string{"lost_links"},
	}); !cmp.Equal(want, octo.Guards) {
		t.Error(cmp.Diff(want, octo.Guards))
	}
	if want := map[string]guard.Settings{"platform": {FirstConnection: "apply", TeamRemovals: guard.Limit{Max: 1}}}; !cmp.Equal(want, octo.TeamGuards) {
		t.Error(cmp.Diff(want, octo.TeamGuards))
	}
	if octo.Apply != "off" || !octo.Enterprise || !cmp.Equal(octo.Sources, []string{"people"}) || !cmp.Equal(octo.ProtectedLogins, []string{"Octocat", "2048"}) ||
		!cmp.Equal(octo.Protected, []string{"Octocat", "1024", "@2048", "4096"}) {
		t.Errorf("octo: %+v", octo)
	}
	if acme := got.Targets["acme"]; acme.Values.Secret("private_key").Reveal() != "an App's key" || acme.Guards.TeamRemovals.Max != -1 || acme.Values.Has("apply") {
		t.Errorf("acme: %+v", acme)
	}
	var lines []string
	for _, m := range got.Mappings {
		lines = append(lines, fmt.Sprintf("%s %s/%s %s/%s %s %s", m.ID, m.Target, m.Team, m.Source, m.Group, m.Role, m.Mode))
	}
	if diff := cmp.Diff([]string{
		"file:44 octo/platform people/a/b c member additive",
		"file:45 octo/platform corp/cn=x,dc=y member additive",
		"file:46 octo/platform people/d maintainer additive",
		"file:47 octo/Site Reliability people/e member additive",
		"file:48 octo/Site Reliability people/f member additive",
	}, lines); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestNoSecretIsPrinted(t *testing.T) {
	got, err := readText(whole)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprintf("%v %+v %#v", got, got, got), string(encoded)} {
		for _, name := range []string{"LDAP_PASSWORD", "GITHUB_TOKEN"} {
			if strings.Contains(text, environment[name]) {
				t.Errorf("%s is shown in %s", name, text)
			}
		}
	}
}

// Each file of testdata is wrong in many ways, and all of them are told at once. The .txt beside it holds them.
func TestAllMistakesOfAFileAtOnce(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got, err := readText(string(data))
			if err == nil || got != nil {
				t.Fatalf("no error, but %+v", got)
			}
			checkProblems(t, err)
			golden := strings.TrimSuffix(file, ".yaml") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(err.Error()+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, readErr := os.ReadFile(golden)
			if readErr != nil {
				t.Fatal(readErr)
			}
			if diff := cmp.Diff(string(want), err.Error()+"\n"); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// checkProblems holds what is true of every error that is about a file's text.
func checkProblems(t *testing.T, err error) {
	t.Helper()
	problems, ok := errors.AsType[Problems](err)
	if !ok {
		t.Fatalf("not Problems: %v", err)
	}
	for _, p := range problems {
		if p.Line < 1 || p.Column < 1 || p.Message == "" || p.File == "" {
			t.Errorf("a problem without a place: %+v", p)
		}
		for name, value := range environment {
			if len(value) > 5 && name != "HOST" && name != "TEAM" && strings.Contains(p.Message, value) {
				t.Errorf("the value of %s is shown: %s", name, p.Message)
			}
		}
	}
}

func TestAMissingFileSaysWhereItLooked(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	_, err := Load("there/musterline.yaml", env, kinds())
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), filepath.Join(dir, "there/musterline.yaml")) || !strings.Contains(err.Error(), "kind: github") {
		t.Errorf("got %v", err)
	}
	_, err = Load("", env, kinds())
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), filepath.Join(dir, "musterline.yaml")+" and /etc/musterline/musterline.yaml") {
		t.Errorf("got %v", err)
	}
	if err := os.WriteFile("musterline.yaml", []byte(Example), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Load("", env, kinds())
	if err != nil || got.Dir != dir || got.Path != "musterline.yaml" {
		t.Errorf("the example is wrong: %v", err)
	}
	if _, err := Load(dir, env, kinds()); err == nil {
		t.Error("a folder is no file")
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(whole)
	f.Add(Example)
	files, _ := filepath.Glob("testdata/*.yaml")
	for _, file := range files {
		if data, err := os.ReadFile(file); err == nil {
			f.Add(string(data))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := readText(text)
		if (got == nil) == (err == nil) {
			t.Fatalf("got %v and %v", got, err)
		}
		if err != nil {
			checkProblems(t, err)
		}
	})
}
