// Package ldap reads users and groups from an LDAP directory: OpenLDAP, 389 Directory Server and its descendants, or Active Directory.
//
// It binds once for each reading, lists the groups below the group bases, and reads the members of the groups asked for, of those nested
// in them, and all users below the user bases. Everything is read in pages; nothing is kept between readings and nothing is written.
// memberOf is never asked for: OpenLDAP's dynlist takes fifty times as long over it, and it lacks the primary group of Active Directory.
//
// What a directory leaves out looks like people who left. So every answer that may be a part is an error that names the server's setting
// to change: a size, time or lookthrough limit, a page without its cookie, a range of values without its end, a referral, a cut connection,
// a group whose members the bind DN may not see. And a member that no listing showed is looked up by itself before it is left out:
//
//	the member is…                                     it is…
//	outside all bases                                  left out, and counted in the log
//	there, and neither user nor group by the filters   left out, and counted in the log (a computer, a service account,
//	                                                   a foreignSecurityPrincipal, the placeholder of an empty group)
//	there, and a user or group by the filters          an error: the listing came short
//	a group, but not by our bases or filter            an error: the people in it would be lost
//	not there, or not to be seen                       an error, unless missing_members: ignore
//
// Groups are nested as the directory nests them; directory.Snapshot flattens.
//
//	ldap.go     the kind, its settings, and the order of a reading
//	dialect.go  what differs between the servers, as data
//	api.go      speaks LDAP
//	range.go    the values that Active Directory gives in slices
//	members.go  who is in which group
//	convert.go  entries into our nouns
//	status.go   who may sign in, by each server's own attributes
//	dn.go       when two names are one
//	trouble.go  what went wrong, and the setting to change
package ldap

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"musterline.example/directory"
	"musterline.example/internal/together"
	"musterline.example/setting"
	"musterline.example/source"
)

// Kind is the source that reads an LDAP directory.
var Kind = source.Kind{
	Name:  "ldap",
	Title: "LDAP and Active Directory",
	Settings: []setting.Field{
		{Key: "url", Label: "URL", Type: setting.URL, Required: true, Example: "ldaps://ldap.example.com", Help: "The server: ldaps://HOST[:PORT], or ldap://HOST[:PORT] with start_tls."},
		{Key: "start_tls", Label: "StartTLS", Type: setting.Flag, Default: "false", Help: "Encrypt a connection to an ldap:// URL before anything is sent over it."},
		{Key: "plaintext", Label: "No encryption", Type: setting.Flag, Default: "false", Help: "Send the password and everything else unencrypted, as an ldap:// URL without start_tls does; for a server on the same machine."},
		{Key: "ca_file", Label: "CA certificates", Type: setting.Path, Example: "ldap-ca.pem", Help: "The PEM file of the authorities that the server's certificate must come from; those of the system if not set."},
		{Key: "bind_dn", Label: "Bind DN", Type: setting.Text, Required: true, Example: "cn=musterline,ou=services,dc=example,dc=com", Help: "Who reads: a DN, or a user principal name at Active Directory; it needs to read, and nothing more."},
		{Key: "bind_password", Label: "Bind password", Type: setting.SecretValue, Required: true, Help: "The password of the bind DN."},
		{Key: "base_dn", Label: "Base DN", Type: setting.Text, Required: true, Example: "dc=example,dc=com", Help: "The entry below which users and groups lie."},
		{Key: "vendor", Label: "Server", Type: setting.Choice, Choices: []string{auto, "openldap", "389ds", "ad"}, Default: auto, Help: "What the server is; auto asks it."},
		{Key: "account_attribute", Label: "Attribute of the GitHub login", Type: setting.Text, Example: "githubLogin", Help: "The attribute of a user that holds the GitHub login; a user with several values has none."},
		{Key: "user_bases", Label: "User bases", Type: setting.List, Example: `["ou=people,dc=example,dc=com"]`, Help: "The entries below which users lie; the base DN if not set."},
		{Key: "user_filter", Label: "User filter", Type: setting.Text, Example: "(&(objectClass=inetOrgPerson)(employeeType=staff))", Help: "Which entries are users; people of every server's usual classes if not set."},
		{Key: "group_bases", Label: "Group bases", Type: setting.List, Example: `["ou=groups,dc=example,dc=com"]`, Help: "The entries below which groups lie, nested ones too; the base DN if not set."},
		{Key: "group_filter", Label: "Group filter", Type: setting.Text, Example: "(&(objectClass=groupOfNames)(!(cn=tmp-*)))", Help: "Which entries are groups, nested ones too; groups of every server's usual classes if not set."},
		{Key: "id_attribute", Label: "Attribute of the id", Type: setting.Text, Help: "What identifies a user or group for ever; entryUUID, nsUniqueId or objectGUID if not set."},
		{Key: "username_attribute", Label: "Attribute of the sign-in name", Type: setting.Text, Help: "uid, or userPrincipalName and else sAMAccountName at Active Directory, if not set."},
		{Key: "email_attribute", Label: "Attribute of the e-mail address", Type: setting.Text, Default: "mail", Help: "The attribute of the primary address."},
		{Key: "name_attribute", Label: "Attribute of a user's name", Type: setting.Text, Help: "displayName and else cn, if not set."},
		{Key: "group_name_attribute", Label: "Attribute of a group's name", Type: setting.Text, Default: "cn", Help: "The attribute by which mappings and rules name a group."},
		{Key: "missing_members", Label: "Members that are not there", Type: setting.Choice, Choices: []string{"refuse", "ignore"}, Default: "refuse", Help: "What to do when a group lists an entry that does not exist or cannot be seen: stop with an error, or leave it out."},
		{Key: "page_size", Label: "Page size", Type: setting.Number, Default: "500", Help: "How many entries are asked for at once: 10 to 10000; a server's own limit may be lower."},
		{Key: "timeout", Label: "Timeout", Type: setting.Duration, Default: "60s", Help: "How long the server may take to connect and for each page."},
	},
	Features: []source.Feature{
		{Name: source.NestedGroups, Can: true},
		{Name: source.Descriptions, Can: true},
		{Name: source.SharedNames, Can: true},
		{Name: source.LockedUsers, Can: true},
		{Name: source.DisabledUsers, Can: true, Note: "expired accounts too"},
		{Name: source.DeletedUsers, Note: "a deleted entry is gone"},
		{Name: source.AccountAttribute, Can: true, Note: "GitHub logins"},
		{Name: source.Search, Can: true},
		{Name: source.ChangeFeed, Note: "the directory is read whole each time"},
		{Name: source.Push},
	},
	Check: check,
	Open:  open,
}

// auto is the vendor that is to be found out.
const auto = "auto"

// check says what the fields cannot.
func check(v setting.Values) []setting.Problem {
	var problems []setting.Problem
	wrong := func(key, message string) { problems = append(problems, setting.Problem{Key: key, Message: message}) }
	u, err := url.Parse(v.Text("url"))
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		wrong("url", "must be ldaps://HOST[:PORT] or ldap://HOST[:PORT]")
	case u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "":
		wrong("url", "must be ldaps://HOST[:PORT] or ldap://HOST[:PORT] and nothing more: who binds and what is read are settings of their own")
	case u.Scheme == "ldaps" && v.Flag("start_tls"):
		wrong("start_tls", "goes with an ldap:// URL; ldaps:// is encrypted from the beginning")
	case u.Scheme == "ldaps" && v.Flag("plaintext"):
		wrong("plaintext", "goes with an ldap:// URL; ldaps:// is encrypted")
	case u.Scheme == "ldap" && v.Flag("start_tls") && v.Flag("plaintext"):
		wrong("plaintext", "goes without start_tls: a connection is encrypted or it is not")
	case u.Scheme == "ldap" && !v.Flag("start_tls") && !v.Flag("plaintext"):
		wrong("url", "is not encrypted: use ldaps://, or set start_tls: true; plaintext: true sends the password for everybody on the way to read")
	case u.Scheme != "ldap" && u.Scheme != "ldaps":
		wrong("url", "must begin with ldaps:// or ldap://")
	}
	if v.Has("bind_password") && v.Text("bind_password") == "" {
		// RFC 4513 §5.1.2: a bind with a name and no password succeeds as anonymous, who may see a part of everything.
		wrong("bind_password", "is empty: a server takes that for an anonymous bind")
	}
	if n := v.Number("page_size"); v.Has("page_size") && (n < 10 || n > 10_000) {
		wrong("page_size", "must be 10 to 10000")
	}
	if v.Has("timeout") && v.Duration("timeout") <= 0 {
		wrong("timeout", "must be more than nothing")
	}
	for _, key := range []string{"user_filter", "group_filter"} {
		if f := v.Text(key); f != "" && !validFilter(f) {
			wrong(key, "is no LDAP filter such as (objectClass=person)")
		}
	}
	if _, ok := canonical(v.Text("base_dn")); !ok {
		wrong("base_dn", "is no DN such as dc=example,dc=com")
	}
	for _, key := range []string{"user_bases", "group_bases"} {
		var bases []string
		for _, dn := range v.List(key) {
			base, ok := canonical(dn)
			if !ok || base == "" {
				wrong(key, "must hold DNs such as ou=people,dc=example,dc=com")
				break
			}
			if i := slices.IndexFunc(bases, func(other string) bool { return below(base, other) || below(other, base) }); i >= 0 {
				wrong(key, "overlap: one lies below another, and would be read twice")
				break
			}
			bases = append(bases, base)
		}
	}
	return problems
}

func open(_ context.Context, v setting.Values, env source.Env) (source.Source, error) {
	if problems := check(v); len(problems) > 0 {
		return nil, &source.Error{State: "settings", Message: problems[0].Key + " " + problems[0].Message}
	}
	u, err := url.Parse(v.Text("url"))
	if err != nil {
		return nil, &source.Error{State: "settings", Message: "url is no URL"}
	}
	s := &server{
		name: env.Name, now: env.Now, log: env.Log,
		url: u.String(), startTLS: v.Flag("start_tls"),
		bindDN: v.Text("bind_dn"), password: v.Secret("bind_password"),
		vendor: cmp.Or(v.Text("vendor"), auto), ignoreMissing: v.Text("missing_members") == "ignore",
		pageSize: cmp.Or(v.Number("page_size"), 500), timeout: cmp.Or(v.Duration("timeout"), time.Minute),
		userBases: bases(v, "user_bases"), groupBases: bases(v, "group_bases"),
		given: dialect{
			id: v.Text("id_attribute"), username: one(v.Text("username_attribute")), email: cmp.Or(v.Text("email_attribute"), "mail"),
			display: one(v.Text("name_attribute")), groupName: cmp.Or(v.Text("group_name_attribute"), "cn"),
			account: v.Text("account_attribute"), userFilter: v.Text("user_filter"), groupFilter: v.Text("group_filter"),
		},
	}
	s.baseDN = v.Text("base_dn")
	s.base, _ = canonical(s.baseDN)
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "ldaps":
		port = "636"
	default:
		port = "389"
	}
	s.address = net.JoinHostPort(u.Hostname(), port)
	if u.Scheme == "ldaps" || s.startTLS {
		s.tls = &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12}
		if path := v.Text("ca_file"); path != "" {
			if s.tls.RootCAs, err = authorities(path, env.Dir); err != nil {
				return nil, err
			}
		}
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return s, nil
}

func bases(v setting.Values, key string) []base {
	list := v.List(key)
	if len(list) == 0 {
		list = []string{v.Text("base_dn")}
	}
	var out []base
	for _, dn := range list {
		c, _ := canonical(dn)
		out = append(out, base{dn: dn, canonical: c})
	}
	return out
}

func one(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}

// authorities reads the file of certificates.
func authorities(path, dir string) (*x509.CertPool, error) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, &source.Error{State: "ca-file", Message: fmt.Sprintf("read ca_file: %v", err), Fix: "name the file of the authority's certificate in PEM form", Err: err}
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, &source.Error{State: "ca-file", Message: path + " holds no certificate", Fix: "it must be in PEM form: -----BEGIN CERTIFICATE-----"}
	}
	return pool, nil
}

// server is the source: where the directory is and how to read it, and nothing of what is in it.
type server struct {
	name string
	now  func() time.Time
	log  *slog.Logger

	url      string // for messages
	address  string
	tls      *tls.Config // nil: unencrypted
	startTLS bool
	bindDN   string
	password setting.Secret
	timeout  time.Duration
	pageSize int

	vendor                string
	given                 dialect // what the operator has set
	baseDN, base          string  // as written; canonical
	userBases, groupBases []base
	ignoreMissing         bool
}

// A base is an entry below which something is looked for.
type base struct{ dn, canonical string }

// Snapshot lists the groups and reads the members of those selected and of those within them, and all users.
func (s *server) Snapshot(ctx context.Context, want source.Selection) (*directory.Snapshot, error) {
	now := s.now()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	c, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer c.close()
	groups, err := c.listGroups(ctx)
	if err != nil {
		return nil, err
	}
	snapshot := &directory.Snapshot{Source: s.name, TakenAt: now, Users: map[directory.UserID]directory.User{}, Groups: groups.nouns()}
	ids, err := want.Settle(snapshot.Groups)
	if err != nil {
		return nil, err
	}
	if err := c.missed(ctx, want, groups); err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		// Whoever only lists wants to know whether the rest would work, too.
		if err := c.findUserBases(ctx); err != nil {
			return nil, err
		}
		return snapshot, nil
	}

	// The users come over a connection of their own while the members are read: OpenLDAP keeps one paged search for each connection.
	// Who fails first stops the other.
	var users *people
	var wait together.Group
	wait.Go(func() {
		var err error
		if users, err = s.readUsers(ctx, c.dialect, now); err != nil {
			stop(err)
		}
	})
	if err := c.readMembers(ctx, groups, ids); err != nil {
		stop(err)
	}
	wait.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	if err := c.settle(ctx, groups, users); err != nil {
		return nil, err
	}
	snapshot.Users = users.byID
	for id, g := range groups.byID {
		if g.read {
			snapshot.Groups[id] = g.noun(now)
		}
	}
	if err := snapshot.Validate(); err != nil {
		return nil, err
	}
	return snapshot, nil
}

// SearchGroups gives the groups whose name begins with prefix, without regard to case, in order of name.
func (s *server) SearchGroups(ctx context.Context, prefix string, page source.Page) ([]directory.Group, source.Page, error) {
	c, err := s.connect(ctx)
	if err != nil {
		return nil, source.Page{}, err
	}
	defer c.close()
	// The server's substring rule drops and doubles spaces (RFC 4518 §2.6.1), so it is asked for a little more than is wanted.
	found, err := c.findGroups(ctx, beginsWith(c.dialect.groupName, strings.TrimRight(prefix, " ")))
	if err != nil {
		return nil, source.Page{}, err
	}
	key := func(g directory.Group) string { return strings.ToLower(g.Name) + "\x00" + string(g.ID) }
	list := slices.SortedFunc(maps.Values(found.nouns()), func(a, b directory.Group) int { return cmp.Compare(key(a), key(b)) })
	list = slices.DeleteFunc(list, func(g directory.Group) bool {
		return !strings.HasPrefix(strings.ToLower(g.Name), strings.ToLower(prefix)) || key(g) <= page.Token
	})
	size := cmp.Or(max(page.Size, 0), 100)
	if len(list) <= size {
		return list, source.Page{}, nil
	}
	return list[:size], source.Page{Size: page.Size, Token: key(list[size-1])}, nil
}
