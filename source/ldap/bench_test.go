package ldap

import (
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"musterline.example/internal/ldaptest"
	"musterline.example/source"
)

// BenchmarkSnapshot reads 20,000 users and 500 groups of 98,620 values from OpenLDAP: bare, as paged searches for the same attributes by the
// same library that keep nothing; and as a Snapshot. The two are read in turn, so that what else the machine does weighs on both; the figure
// to look at is ratio.
//
//	go test -run '^$' -bench Snapshot ./source/ldap
func BenchmarkSnapshot(b *testing.B) {
	slapd := ldaptest.StartSlapd(b, ldaptest.Options{LDIF: ldaptest.Company(20_000, 500)})
	s := opened(b, valuesFor(slapd.URL, "account_attribute", "githubLogin"))
	var bare, snapshot time.Duration
	for b.Loop() {
		bare += bareRead(b, slapd.URL)
		began := time.Now()
		got, err := s.Snapshot(b.Context(), source.Selection{All: true})
		snapshot += time.Since(began)
		if err != nil || len(got.Users) != 20_000 || len(got.Groups) != 500 {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(bare.Milliseconds())/float64(b.N), "bare-ms/op")
	b.ReportMetric(float64(snapshot.Milliseconds())/float64(b.N), "snapshot-ms/op")
	b.ReportMetric(float64(snapshot)/float64(bare), "ratio")
}

// bareRead reads users and groups with their members, over one connection, and keeps nothing.
func bareRead(b *testing.B, url string) time.Duration {
	began := time.Now()
	c, err := ldap.DialURL(url)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.Bind(ldaptest.Reader, ldaptest.Password); err != nil {
		b.Fatal(err)
	}
	for _, of := range []struct {
		filter     string
		attributes []string
	}{
		{commonUsers, []string{"entryUUID", "mail", "uid", "displayName", "cn", "pwdAccountLockedTime", "pwdStartTime", "pwdEndTime", "shadowExpire", "githubLogin"}},
		{commonGroups, []string{"entryUUID", "cn", "description", "objectClass", "member", "uniqueMember", "memberUid", "memberURL"}},
	} {
		request := ldap.NewSearchRequest(ldaptest.Base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, of.filter, of.attributes, nil)
		if _, err := c.SearchWithPaging(request, 500); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(began)
}

// opened opens a source.
func opened(t testing.TB, v map[string]any) *server {
	t.Helper()
	s, err := Kind.Open(t.Context(), v, source.Env{Name: "corp", Now: func() time.Time { return march }})
	if err != nil {
		t.Fatal(err)
	}
	return s.(*server)
}
