package ldap

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"musterline.example/directory"
	"musterline.example/internal/ldaptest"
	"musterline.example/setting"
	"musterline.example/source"
)

// The company of 20,000 users and 500 groups, read complete, and in every way of which a part of it would look whole.
func TestCompany(t *testing.T) {
	const users, groups = 20_000, 500
	slapd := ldaptest.StartSlapd(t, ldaptest.Options{LDIF: ldaptest.Company(users, groups)})
	want, err := opened(t, valuesFor(slapd.URL, "account_attribute", "githubLogin")).Snapshot(t.Context(), source.Selection{All: true})
	if err != nil {
		t.Fatal(err)
	}
	logins, values := 0, 0
	for _, u := range want.Users {
		if u.Accounts["github"] != "" {
			logins++
		}
	}
	for _, g := range want.Groups {
		values += len(g.Members) + len(g.Groups)
	}
	if len(want.Users) != users || len(want.Groups) != groups || logins != users*9/10 || values != 98_620 {
		t.Fatalf("%d users, %d groups, %d logins, %d values", len(want.Users), len(want.Groups), logins, values)
	}
	size := func(got *directory.Snapshot, name string) int { return got.Size(got.Find(name)[0].ID) }
	for name, n := range map[string]int{"g0": 20_000, "g1": 6_000, "g5": 1_600, "g25": 50} {
		if size(want, name) != n {
			t.Errorf("%s has %d members, not %d", name, size(want, name), n)
		}
	}
	// g475 holds five groups of fifty, and g495 four such groups.
	if one, two := size(want, "g475"), size(want, "g495"); one < 200 || one > 250 || two <= one || two > 1000 {
		t.Errorf("nested groups have %d and %d members", one, two)
	}

	t.Run("by other pages and one by one it is the same", func(t *testing.T) {
		for _, pageSize := range []string{"37", "499"} {
			got, err := opened(t, valuesFor(slapd.URL, "page_size", pageSize)).Snapshot(t.Context(), source.Selection{Names: []string{"g495", "g3"}})
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"g495", "g3"} {
				id := got.Find(name)[0].ID
				if !slices.Equal(got.Groups[id].Members, want.Groups[id].Members) || !slices.Equal(got.Closure(id), want.Closure(id)) || got.Size(id) != want.Size(id) {
					t.Errorf("pages of %s: %s is not the same", pageSize, name)
				}
			}
			if got.Groups[got.Find("g4")[0].ID].Read() {
				t.Error("g4 was not asked for")
			}
		}
	})

	proxy := ldaptest.StartProxy(t, slapd.URL)
	s := opened(t, valuesFor(proxy.URL))
	whole := func(a *ldaptest.Answer) bool { return a.Request.Operation == ldaptest.Search && a.Request.Whole }
	usersOnly := func(a *ldaptest.Answer) bool { return whole(a) && slices.Contains(a.Request.Attributes, "mail") }
	listing := func(a *ldaptest.Answer) bool { return whole(a) && slices.Contains(a.Request.Attributes, "description") }
	for name, test := range map[string]struct {
		rule  func(a *ldaptest.Answer)
		state string
		fix   string
	}{
		"a page of users lacks one": {func(a *ldaptest.Answer) {
			if usersOnly(a) {
				a.Entries = slices.DeleteFunc(a.Entries, func(e *ldaptest.Entry) bool { return strings.HasPrefix(e.DN, "uid=u4711,") })
			}
		}, "listing-short", ""},
		"the users end early": {func(a *ldaptest.Answer) {
			if usersOnly(a) && a.Number > 20 {
				a.Cookie = ""
			}
		}, "listing-short", ""},
		"the listing of groups lacks the one asked for": {func(a *ldaptest.Answer) {
			if listing(a) && len(a.Entries) > 10 {
				a.Entries = slices.DeleteFunc(a.Entries, func(e *ldaptest.Entry) bool { return strings.HasPrefix(e.DN, "cn=g495,") })
			}
		}, "listing-short", ""},
		"the listing of groups lacks a nested one": {func(a *ldaptest.Answer) {
			if listing(a) {
				a.Entries = slices.DeleteFunc(a.Entries, func(e *ldaptest.Entry) bool { return strings.HasPrefix(e.DN, "cn=g475,") })
			}
		}, "listing-short", ""},
		"a lookthrough limit": {ldaptest.Lookthrough(5000), stateAdminLimit, "size.pr"},
		"a size limit without any entry": {func(a *ldaptest.Answer) {
			if usersOnly(a) && a.Number > 5 {
				a.Code, a.Entries = 4, nil
			}
		}, stateSizeLimit, "size.prtotal=unlimited"},
		"a time limit": {func(a *ldaptest.Answer) {
			if whole(a) {
				a.Code = 3
			}
		}, stateTimeLimit, "time=unlimited"},
		"no access": {func(a *ldaptest.Answer) {
			if whole(a) {
				a.Code, a.Entries = 50, nil
			}
		}, statePermission, "olcAccess"},
		"busy": {func(a *ldaptest.Answer) {
			if whole(a) {
				a.Code, a.Entries = 51, nil
			}
		}, "busy", ""},
		"unavailable": {func(a *ldaptest.Answer) {
			if whole(a) {
				a.Code, a.Entries = 52, nil
			}
		}, "busy", ""},
		"no such extension": {func(a *ldaptest.Answer) {
			if whole(a) {
				a.Code, a.Entries = 12, nil
			}
		}, "paging-unsupported", ""},
		"a cut in the middle of a page": {func(a *ldaptest.Answer) {
			if usersOnly(a) && a.Number > 10 {
				a.Cut = 250
			}
		}, "connection-lost", ""},
		"a cut before the end of a page": {func(a *ldaptest.Answer) {
			if usersOnly(a) && a.Number > 10 {
				a.Cut = len(a.Entries) + 1
			}
		}, "connection-lost", ""},
		"a place to go on": {func(a *ldaptest.Answer) {
			if usersOnly(a) {
				a.References = []string{"ldap://other.example.test/ou=more," + ldaptest.Base}
			}
		}, "referral", "a source of its own"},
		"a referral": {func(a *ldaptest.Answer) {
			if whole(a) {
				a.Code, a.Entries, a.Referral = 10, nil, "ldap://other.example.test/"+ldaptest.Base
			}
		}, "referral", "a source of its own"},
		"pages that go round": {func(a *ldaptest.Answer) {
			if usersOnly(a) && a.Number > 10 {
				a.Entries = a.Entries[:0]
				a.Entries = append(a.Entries, &ldaptest.Entry{DN: "uid=u1,ou=people," + ldaptest.Base, Attributes: []ldaptest.Attribute{{Name: "entryUUID", Values: []string{"same"}}}})
			}
		}, "listed-twice", ""},
		"an id that may not be read": {func(a *ldaptest.Answer) {
			if usersOnly(a) {
				a.Entries[3].Attributes = a.Entries[3].Attributes[:0]
			}
		}, "attribute-unreadable", "entryUUID"},
		"nobody to be found": {func(a *ldaptest.Answer) {
			if whole(a) {
				a.Entries = nil
			}
		}, "no-groups", "group_filter"},
	} {
		t.Run(name, func(t *testing.T) {
			proxy.Set(test.rule)
			defer proxy.Set(nil)
			got, err := s.Snapshot(t.Context(), source.Selection{Names: []string{"g0", "g495"}})
			e, ok := errors.AsType[*source.Error](err)
			if got != nil || !ok || e.State != test.state || !strings.Contains(e.Error(), test.fix) || e.Fix == "" {
				t.Errorf("got %v, not %s with %q", err, test.state, test.fix)
			}
		})
	}
	t.Run("a server that takes too long", func(t *testing.T) {
		v := valuesFor(proxy.URL, "timeout", "50ms")
		proxy.Set(func(a *ldaptest.Answer) {
			if whole(a) {
				a.Wait = make(chan struct{})
			}
		})
		defer proxy.Set(nil)
		_, err := opened(t, v).Snapshot(t.Context(), source.Selection{})
		if e, ok := errors.AsType[*source.Error](err); !ok || e.State != "timeout" || !e.Retry {
			t.Errorf("got %v", err)
		}
	})
}

// person is the LDIF of a user, entry that of anything else; $B in their lines is the base.
func person(uid string, lines ...string) string {
	return fmt.Sprintf("dn: uid=%s,ou=people,%s\nobjectClass: inetOrgPerson\nuid: %s\ncn: %s\nsn: %s\n%s\n", uid, ldaptest.Base, uid, uid, uid, joined(lines))
}

func entry(rdn, class string, lines ...string) string {
	kind, name, _ := strings.Cut(strings.Split(rdn, ",")[0], "=")
	return fmt.Sprintf("dn: %s,%s\nobjectClass: %s\n%s: %s\n%s\n", rdn, ldaptest.Base, class, kind, name, joined(lines))
}

func joined(lines []string) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(strings.ReplaceAll(l, "$B", ldaptest.Base) + "\n")
	}
	return b.String()
}

// What a group may list beside users and groups, and what becomes of it.
func TestMembersThatNoListingShows(t *testing.T) {
	tree := person("ada") + person("bob") +
		entry("cn=bot,ou=people", "applicationProcess") +
		entry("ou=other", "organizationalUnit") +
		entry("cn=far,ou=other", "groupOfNames", "member: uid=bob,ou=people,$B") +
		entry("cn=robots,ou=groups", "groupOfNames", "member: cn=bot,ou=people,$B", "member: uid=ada,ou=people,$B", "member: uid=eve,dc=elsewhere", "member: cn=reader,$B") +
		entry("cn=ghosts,ou=groups", "groupOfNames", "member: uid=gone,ou=people,$B", "member: uid=ada,ou=people,$B") +
		entry("cn=holder,ou=groups", "groupOfNames", "member: cn=far,ou=other,$B", "member: uid=ada,ou=people,$B") +
		entry("cn=unique,ou=groups", "groupOfUniqueNames", "uniqueMember: uid=ada,ou=people,$B#'0101'B", "uniqueMember: UID=bob, ou=People,$B") +
		entry("cn=unix,ou=groups", "posixGroup", "gidNumber: 7", "memberUid: ada", "memberUid: BOB") +
		entry("cn=root,ou=groups", "posixGroup", "gidNumber: 0", "memberUid: ada", "memberUid: root") +
		entry("cn=bare,ou=groups", "posixGroup", "gidNumber: 8") +
		entry("cn=young,ou=groups", "groupOfMembers")
	slapd := ldaptest.StartSlapd(t, ldaptest.Options{LDIF: tree})
	for _, test := range []struct {
		group   string
		more    []string
		members int
		err     string
	}{
		{"robots", nil, 1, ""},
		{"ghosts", nil, 0, "lists the member uid=gone,ou=people,dc=example,dc=test, which is not there"},
		{"ghosts", []string{"missing_members", "ignore"}, 1, ""},
		{"holder", nil, 2, ""},
		{"holder", []string{"group_bases", "ou=groups," + ldaptest.Base}, 0, "it holds the group cn=far,ou=other"},
		{"holder", []string{"group_filter", "(&(objectClass=groupOfNames)(cn=h*))"}, 0, "it holds the group cn=far,ou=other"},
		{"holder", []string{"group_bases", "ou=groups," + ldaptest.Base, "base_dn", "ou=groups," + ldaptest.Base, "user_bases", "ou=people," + ldaptest.Base}, 1, ""},
		{"unique", nil, 2, ""},
		{"unix", nil, 2, ""},
		{"root", nil, 0, "lists the member root"},
		{"root", []string{"missing_members", "ignore"}, 1, ""},
		{"bare", nil, 0, ""},
		{"young", nil, 0, ""},
		{"unique", []string{"user_filter", "(uid=ada)"}, 1, ""},
		{"unix", []string{"user_filter", "(&(objectClass=inetOrgPerson)(uid=bob))"}, 1, ""},
	} {
		t.Run(test.group+" "+strings.Join(test.more, " "), func(t *testing.T) {
			got, err := opened(t, valuesFor(slapd.URL, test.more...)).Snapshot(t.Context(), source.Selection{Names: []string{test.group}})
			switch {
			case test.err != "":
				if got != nil || err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("got %v, not %q", err, test.err)
				}
			case err != nil:
				t.Error(err)
			default:
				if n := got.Size(got.Find(test.group)[0].ID); n != test.members {
					t.Errorf("%d members, not %d", n, test.members)
				}
			}
		})
	}
}

// A group that may be read while its members may not must not pass for an empty one.
func TestHiddenMembersAreNoEmptyGroup(t *testing.T) {
	tree := person("ada") + entry("cn=team,ou=groups", "groupOfNames", "member: uid=ada,ou=people,$B") +
		entry("cn=unix,ou=groups", "posixGroup", "gidNumber: 7", "memberUid: ada")
	for _, right := range []string{"none", "compare", "search"} {
		slapd := ldaptest.StartSlapd(t, ldaptest.Options{LDIF: tree, Access: "access to attrs=member,memberUid by * " + right})
		for _, group := range []string{"team", "unix"} {
			got, err := opened(t, valuesFor(slapd.URL)).Snapshot(t.Context(), source.Selection{Names: []string{group}})
			if e, ok := errors.AsType[*source.Error](err); got != nil || !ok || e.State != "members-hidden" {
				t.Errorf("with the right %s for %s: %v", right, group, err)
			}
		}
	}
}

// What a server that is not kept well does by itself.
func TestLimitsOfTheServer(t *testing.T) {
	var tree strings.Builder
	for i := range 600 {
		tree.WriteString(person(fmt.Sprintf("u%d", i)))
	}
	tree.WriteString(entry("cn=team,ou=groups", "groupOfNames", "member: uid=u1,ou=people,$B"))
	for limits, want := range map[string]string{
		"sizelimit 500": stateSizeLimit,
		"sizelimit size.soft=500 size.hard=500 size.pr=100 size.prtotal=unlimited": stateAdminLimit,
		"sizelimit size.prtotal=disabled":                                          stateAdminLimit,
		"sizelimit size.unchecked=100":                                             stateAdminLimit,
	} {
		slapd := ldaptest.StartSlapd(t, ldaptest.Options{LDIF: tree.String(), Limits: limits})
		got, err := opened(t, valuesFor(slapd.URL)).Snapshot(t.Context(), source.Selection{All: true})
		if e, ok := errors.AsType[*source.Error](err); got != nil || !ok || e.State != want || e.Fix == "" {
			t.Errorf("%s: %v", limits, err)
		}
	}
}

func TestEncryption(t *testing.T) {
	slapd := ldaptest.StartSlapd(t, ldaptest.Options{LDIF: person("ada") + entry("cn=team,ou=groups", "groupOfNames", "member: uid=ada,ou=people,$B")})
	other := ldaptest.StartSlapd(t, ldaptest.Options{})
	for _, test := range []struct {
		name, url string
		more      []string
		want      string
	}{
		{"ldaps", slapd.TLSURL, []string{"ca_file", slapd.CAFile}, ""},
		{"ldaps by name", strings.Replace(slapd.TLSURL, "127.0.0.1", "localhost", 1), []string{"ca_file", slapd.CAFile}, ""},
		{"ldaps without the authority", slapd.TLSURL, nil, "ca_file"},
		{"ldaps with another authority", slapd.TLSURL, []string{"ca_file", other.CAFile}, "ca_file"},
		{"ldaps to the port of ldap", strings.Replace(slapd.URL, "ldap:", "ldaps:", 1), []string{"ca_file", slapd.CAFile}, "speaks TLS"},
		{"start_tls", slapd.URL, []string{"ca_file", slapd.CAFile, "start_tls", "true"}, ""},
		{"start_tls without the authority", slapd.URL, []string{"start_tls", "true"}, "ca_file"},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := valuesFor(test.url, append(test.more, "timeout", "5s")...)
			delete(v, "plaintext")
			got, err := opened(t, v).Snapshot(t.Context(), source.Selection{All: true})
			if test.want == "" {
				if err != nil || got.Size(got.Find("team")[0].ID) != 1 {
					t.Error(err)
				}
				return
			}
			if e, ok := errors.AsType[*source.Error](err); !ok || !strings.Contains(e.Fix, test.want) {
				t.Errorf("got %v, not %q", err, test.want)
			}
		})
	}
}

// What only lists the groups must not say that all is well when the users cannot be read.
func TestABaseThatDoesNotExistIsAnErrorOfEveryReading(t *testing.T) {
	slapd := ldaptest.StartSlapd(t, ldaptest.Options{LDIF: person("ada") + person("bob") + entry("cn=team,ou=groups", "groupOfNames", "member: uid=ada,ou=people,$B")})
	if got, err := opened(t, valuesFor(slapd.URL, "user_bases", "ou=people,"+ldaptest.Base)).Snapshot(t.Context(), source.Selection{}); err != nil || len(got.Groups) != 1 {
		t.Errorf("with bases that exist: %v", err)
	}
	for _, key := range []string{"user_bases", "group_bases"} {
		for _, want := range []source.Selection{{}, {All: true}} {
			got, err := opened(t, valuesFor(slapd.URL, key, "ou=peple,"+ldaptest.Base)).Snapshot(t.Context(), want)
			if e, ok := errors.AsType[*source.Error](err); got != nil || !ok || e.State != "base-missing" || !strings.Contains(e.Message, "ou=peple") {
				t.Errorf("%s, %+v: %v", key, want, err)
			}
		}
	}
}

// What may be wrong with settings before anything is sent.
func TestCheck(t *testing.T) {
	for want, change := range map[string]setting.Values{
		"":                             {},
		"url is not encrypted":         {"plaintext": false},
		"start_tls goes with an ldap":  {"url": "ldaps://x", "plaintext": false, "start_tls": true},
		"plaintext goes with an ldap":  {"url": "ldaps://x"},
		"plaintext goes without start": {"start_tls": true},
		"url must begin with ldaps":    {"url": "https://x"},
		"url must be ldaps":            {"url": "ldap://"},
		"url must be ldaps://HOST[:PORT] or ldap://HOST[:PORT] and nothing more": {"url": "ldap://user:secret@x/dc=example"},
		"bind_password is empty":                 {"bind_password": setting.Secret("")},
		"page_size must be":                      {"page_size": "5"},
		"timeout must be":                        {"timeout": "-1s"},
		"user_filter is no LDAP filter":          {"user_filter": "objectClass=person)"},
		"group_filter is no LDAP filter":         {"group_filter": "(cn=x"},
		"base_dn is no DN":                       {"base_dn": "example.com"},
		"user_bases must hold DNs":               {"user_bases": []any{"people"}},
		"user_bases overlap":                     {"user_bases": []any{"OU=people,dc=example", "dc=Example"}},
		"group_bases overlap: one lies below an": {"group_bases": []any{"ou=a,dc=example", "ou=b,dc=example", "ou=c, ou=a,dc=example"}},
	} {
		v := valuesFor("ldap://x")
		maps.Copy(v, change)
		problems := append(setting.Check(Kind.Settings, v), Kind.Check(v)...)
		got := ""
		if len(problems) > 0 {
			got = problems[0].Key + " " + problems[0].Message
		}
		if !strings.HasPrefix(got, want) || want == "" && got != "" || strings.Contains(got, "secret@") {
			t.Errorf("got %q, not %q", got, want)
		}
		if _, err := Kind.Open(t.Context(), v, source.Env{}); (err == nil) != (want == "") {
			t.Errorf("opened with %v: %v", change, err)
		}
	}
}

func TestAPasswordIsInNoErrorWhateverTheServerSays(t *testing.T) {
	slapd := ldaptest.StartSlapd(t, ldaptest.Options{})
	proxy := ldaptest.StartProxy(t, slapd.URL)
	proxy.Set(func(a *ldaptest.Answer) {
		a.Code, a.Diagnostic = 49, "no: "+ldaptest.Password+"\r\n is wrong, data 532, v1db0"
	})
	_, err := opened(t, valuesFor(proxy.URL)).Snapshot(t.Context(), source.Selection{})
	e, ok := errors.AsType[*source.Error](err)
	if !ok || e.State != "credentials-expired" || strings.Contains(fmt.Sprintf("%+v %v", err, errors.Unwrap(err)), ldaptest.Password) {
		t.Errorf("%+v", err)
	}
}

func TestAServerThatIsNotThereIsWorthAnotherTry(t *testing.T) {
	_, err := opened(t, valuesFor("ldap://127.0.0.1:1")).Snapshot(t.Context(), source.Selection{})
	if e, ok := errors.AsType[*source.Error](err); !ok || e.State != "unreachable" || !e.Retry {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	<-ctx.Done()
	if _, err := opened(t, valuesFor("ldap://127.0.0.1:1")).Snapshot(ctx, source.Selection{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}
