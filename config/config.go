// Package config reads the configuration file and hands it on as plain values.
//
// Everything that is wrong with a file is named at once, each mistake with file, line and column and, where there is one, the nearest right
// word. Nothing is guessed: an unknown key, a value of the wrong sort or a reference to nothing is an error. What the kinds of sources
// and targets ask for comes from their Kind; this package knows none of them.
//
// A ${VAR} within a value is replaced by the environment's VAR after the file is parsed, so that no value can change the file's
// structure. A ${VAR} that is not set is an error, $${ stands for ${ itself, and any other $ is a $. A secret may stand in a file of its
// own: the key with _file appended names it. Relative paths start from the configuration file's folder. No error repeats a secret or
// the value of a variable.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"musterline.example/guard"
	"musterline.example/internal/document"
	"musterline.example/link"
	"musterline.example/mapping"
	"musterline.example/setting"
	"musterline.example/source"
	"musterline.example/target"
	"musterline.example/team"
)

// A Config is a configuration file that was read without an error.
type Config struct {
	Path string // of the file
	Dir  string // its folder, absolute: where relative paths start

	Server   Server
	Database setting.Secret // sqlite:PATH, the path absolute, or postgres://…, which may hold a password
	KeyFile  string         // absolute

	Sources map[string]SourceConfig
	Targets map[string]TargetConfig

	Mappings []mapping.Mapping // one for each team and group, in the order of the file
	Rules    []mapping.Rule
	Tiers    []link.Tier
	Manual   []ManualLink
	Guards   guard.Settings // of all targets, as set; those of a target are complete in TargetConfig.Guards
	Schedule Schedule

	Notifications map[string]NotificationConfig // who is told of what happens

	Unfit []Unfit // rows that were left out by Fit

	origin origin // what the file was read from, for With
}

// A Server says where we listen.
type Server struct {
	Listen        string
	ExternalURL   string // without a slash at its end; empty when not set
	CertFile      string // of the certificate to serve HTTPS with; empty: plain HTTP
	CertKeyFile   string
	Proxies       []netip.Prefix // whose X-Forwarded headers are believed
	MetricsListen string         // a listener of its own for /metrics; empty: with the rest
	MetricsToken  setting.Secret
	SignIn        SignIn
}

// A SourceConfig is one source, ready for its kind's Open.
type SourceConfig struct {
	Kind   string
	Values setting.Values // checked, defaults filled in, paths absolute
	Line   int
}

// A TargetConfig is one target, ready for its kind's Open.
type TargetConfig struct {
	Kind     string
	Values   setting.Values // the kind's own: checked, defaults filled in, paths absolute
	Line     int
	Settings mapping.Settings

	// Guards are what holds for the organization: its own settings over those of the whole file, an enterprise's over both. What is not
	// set is zero. TeamGuards are those of single teams, by slug as written, and hold only what is set there.
	Guards     guard.Settings
	TeamGuards map[string]guard.Settings
	TeamModes  map[string]mapping.Mode // modes set under teams, by slug as written

	Apply           string        // guard.ApplyAuto, ApplyApprove or ApplyOff
	Grace           time.Duration // of members whose group the API has taken away
	Unscoped        bool          // GitHub tokens that do not say what they may do may write in the API
	Sources         []string      // that the API and the console show; empty: all
	Protected       []string      // as written
	ProtectedLogins []string      // those of Protected that are logins; the ids are in Settings and Guards already
	Enterprise      bool          // an enterprise's settings are in force here
	Disabled        bool          // somebody has turned it off: no team is mapped any more
	LeftOut         []Unfit       // rows that it rests on and that Fit has left out: while there are any it is not to be synced
}

// A ManualLink is a person's word that a user is an account.
type ManualLink struct {
	User    link.UserRef
	Host    string
	Account team.AccountID
	Line    int
}

// Statement returns the link as package link takes it.
func (m ManualLink) Statement(at time.Time) link.Statement {
	return link.Statement{User: m.User, Account: m.Account, Tier: link.Manual, By: fmt.Sprintf("file:%d", m.Line), At: at}
}

// A Schedule says how often sources and targets are read without anybody asking.
type Schedule struct {
	Every time.Duration // a sync
	Full  time.Duration // a sync that trusts no webhook and no change feed; as there are none yet, every sync is one
}

// Kinds are the sorts of sources and targets that a file may name, by name.
type Kinds struct {
	Sources map[string]source.Kind
	Targets map[string]target.Kind
}

// Problems are all that is wrong with a file, as the error of Load.
type Problems = document.Problems

// Places are where Load looks when it is told no path.
var Places = []string{"musterline.yaml", "/etc/musterline/musterline.yaml"}

// Example is the smallest useful file, for people who have none.
const Example = `sources:
  people: { kind: file, path: directory.yaml }
targets:
  octo: { kind: github, organization: octo-org, token: "${GITHUB_TOKEN}" }
mappings:
  - { team: octo/platform, groups: [people/platform] }
`

// Load reads the file at path; with no path, the first of Places that exists. env looks up a variable of the environment, as os.LookupEnv.
// The error is a Problems when the file was found and is wrong.
func Load(path string, env func(string) (string, bool), kinds Kinds) (*Config, error) {
	places := []string{path}
	if path == "" {
		places = Places
	}
	for _, place := range places {
		data, err := os.ReadFile(place)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return nil, fmt.Errorf("read the configuration: %w", err)
		}
		dir, err := filepath.Abs(filepath.Dir(place))
		if err != nil {
			return nil, fmt.Errorf("read the configuration: %w", err)
		}
		return read(place, dir, data, env, os.ReadFile, kinds)
	}
	places = slices.Clone(places)
	for i, place := range places {
		if abs, err := filepath.Abs(place); err == nil {
			places[i] = abs
		}
	}
	return nil, fmt.Errorf("there is no configuration file: looked for %s; name it with --config, or write one such as\n\n%s: %w",
		strings.Join(places, " and "), Example, fs.ErrNotExist)
}

// read reads a file's text. Everything it needs from the world is handed in.
func read(path, dir string, data []byte, env func(string) (string, bool), readFile func(string) ([]byte, error), kinds Kinds) (*Config, error) {
	l := &loader{
		report: &document.Report{File: path}, env: env, readFile: readFile, kinds: kinds,
		config: &Config{Path: path, Dir: dir, Sources: map[string]SourceConfig{}, Targets: map[string]TargetConfig{}},
	}
	root := document.ParseYAML(data, l.report)
	if root != nil {
		l.file(root)
	}
	if err := l.report.Err(); err != nil {
		return nil, err
	}
	l.config.origin = origin{root, env, readFile, kinds}
	return l.config, nil
}

// file reads the whole document. The order matters: what is referred to is read before what refers to it.
func (l *loader) file(root *document.Node) {
	if root.Sort == document.Null {
		l.report.At(root, "the file is empty; a useful one holds sources, targets and mappings")
		return
	}
	top := l.section("", root, topFields, "server", "secrets", "sources", "targets", "mappings", "rules", "links", "guards", "schedule", "enterprise",
		"notifications")
	l.database(top)

	server := l.section("server", top.child("server"), serverFields, "sign_in")
	s := server
	l.config.Server = Server{
		Listen: s.values.Text("listen"), ExternalURL: strings.TrimRight(s.values.Text("external_url"), "/"),
		CertFile: s.values.Text("tls_cert_file"), CertKeyFile: s.values.Text("tls_key_file"), Proxies: s.networks("trusted_proxies"),
		MetricsListen: s.values.Text("metrics_listen"), MetricsToken: s.values.Secret("metrics_token"),
	}
	s.address("listen")
	s.address("metrics_listen")
	s.webURL("external_url")
	if s.values.Has("tls_cert_file") != s.values.Has("tls_key_file") {
		s.says("tls_cert_file", "and tls_key_file go together")
	}
	l.config.KeyFile = l.section("secrets", top.child("secrets"), secretsFields).values.Text("key_file")

	s = l.section("schedule", top.child("schedule"), scheduleFields)
	l.config.Schedule = Schedule{Every: s.values.Duration("every"), Full: s.values.Duration("full")}
	if s.positive("every") && s.positive("full") && l.config.Schedule.Full < l.config.Schedule.Every {
		s.says("full", "is shorter than schedule.every (%s)", l.config.Schedule.Every)
	}

	l.config.Guards = l.guards("guards", top.child("guards"))
	l.sources(top)
	l.signIn(server)
	l.targets(top)
	l.enterprise(top)
	l.notifications(top)
	l.mappings(top)
	l.rules(top)
	l.links(top)
}

func (l *loader) database(top *section) {
	url := top.values.Text("database")
	switch path, sqlite := strings.CutPrefix(url, "sqlite:"); {
	case !top.fine("database"):
		return
	case sqlite && path != "":
		if !filepath.IsAbs(path) {
			path = filepath.Join(l.config.Dir, path)
		}
		url = "sqlite:" + path
	case strings.HasPrefix(url, "postgres://"), strings.HasPrefix(url, "postgresql://"):
	default:
		top.says("database", "must be sqlite:PATH or postgres://…")
	}
	l.config.Database = setting.Secret(url)
}

// parseRef reads "name/rest", the form in which files name teams, groups and users. The rest may hold slashes.
func parseRef(s string) (name, rest string, ok bool) {
	name, rest, ok = strings.Cut(s, "/")
	return name, rest, ok && name != "" && rest != ""
}

// groupRef is a group as mappings name it.
type groupRef struct {
	source string
	group  string
}
