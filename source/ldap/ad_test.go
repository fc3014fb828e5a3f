package ldap

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"musterline.example/directory"
	"musterline.example/internal/ldaptest"
	"musterline.example/setting"
	"musterline.example/source"
)

const reader, readerPassword = "reader@ad.example.test", "r3ad-Everything"

// forest is 300 users: every fiftieth disabled, one expired, one that expires later, one whose primary group is another; groups of all, of 250, of 50,
// one that holds groups that hold groups; a computer and a foreign security principal among the members.
func forest() string {
	var b strings.Builder
	const base = ldaptest.ADBase
	fmt.Fprintf(&b, "dn: OU=people,%s\nobjectClass: organizationalUnit\n\ndn: OU=teams,%s\nobjectClass: organizationalUnit\n\n", base, base)
	for u := range 300 {
		control := 544
		if u%50 == 49 {
			control = 546
		}
		fmt.Fprintf(&b, "dn: CN=User %d,OU=people,%s\nobjectClass: user\nsAMAccountName: u%d\nuserPrincipalName: u%d@ad.example.test\nmail: u%d@example.test\nextensionName: Dev-%d\nuserAccountControl: %d\n", u, base, u, u, u, u, control)
		switch u {
		case 7:
			b.WriteString("accountExpires: 130000000000000000\n") // 2012
		case 8:
			b.WriteString("accountExpires: 150000000000000000\n") // 2076
		}
		b.WriteByte('\n')
	}
	// The account that reads is an ordinary member of Domain Users, with a password as Active Directory takes it (MS-ADTS §3.1.1.3.1.5.1).
	var quoted []byte
	for _, c := range utf16.Encode([]rune(`"` + readerPassword + `"`)) {
		quoted = binary.LittleEndian.AppendUint16(quoted, c)
	}
	fmt.Fprintf(&b, "dn: CN=reader,CN=Users,%s\nobjectClass: user\nsAMAccountName: reader\nuserPrincipalName: %s\nuserAccountControl: 66048\nunicodePwd:: %s\n\n", base, reader, base64.StdEncoding.EncodeToString(quoted))
	fmt.Fprintf(&b, "dn: CN=build,CN=Computers,%s\nobjectClass: computer\nsAMAccountName: build$\nuserAccountControl: 4096\n\n", base)
	group := func(name string, members ...string) {
		fmt.Fprintf(&b, "dn: CN=%s,OU=teams,%s\nobjectClass: group\nsAMAccountName: %s\ndescription: The %s\n", name, base, name, name)
		for _, m := range members {
			fmt.Fprintf(&b, "member: %s,%s\n", m, base)
		}
		b.WriteByte('\n')
	}
	group("all", users(300)...)
	group("250", users(250)...)
	group("50", append(users(50), "CN=build,CN=Computers")...)
	group("none")
	group("parent", "CN=50,OU=teams", "CN=none,OU=teams")
	group("grandparent", "CN=parent,OU=teams", "CN=User 299,OU=people", "CN=S-1-5-11,CN=ForeignSecurityPrincipals")
	return b.String()
}

func users(n int) []string {
	var dns []string
	for u := range n {
		dns = append(dns, fmt.Sprintf("CN=User %d,OU=people", u))
	}
	return dns
}

func adValues(url string) setting.Values {
	return setting.Values{
		"url": url, "plaintext": true, "bind_dn": reader, "bind_password": setting.Secret(readerPassword), "base_dn": "dc=AD, dc=example, dc=test",
		"account_attribute": "extensionName", "page_size": "1000",
	}
}

// A real domain controller, and the limits of a larger one put before it.
func TestActiveDirectory(t *testing.T) {
	samba := ldaptest.StartSamba(t, forest())
	proxy := ldaptest.StartProxy(t, samba.URL)
	s := opened(t, adValues(proxy.URL))
	read := func(t *testing.T, names ...string) *directory.Snapshot {
		t.Helper()
		got, err := s.Snapshot(t.Context(), source.Selection{Names: names})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	t.Run("users, groups and who is in them", func(t *testing.T) {
		got := read(t, "all", "250", "grandparent", "none")
		for name, want := range map[string]int{"all": 300 - 6 - 1, "250": 250 - 5 - 1, "50": 50 - 1 - 1, "parent": 48, "grandparent": 48, "none": 0} {
			if n := got.Size(got.Find(name)[0].ID); n != want {
				t.Errorf("%s has %d members, not %d", name, n, want)
			}
		}
		if g := got.Find("all")[0]; len(g.Members) != 300 || g.Description != "The all" {
			t.Errorf("all: %d members, described %q", len(g.Members), g.Description)
		}
		statuses := map[string]directory.Status{"u0": directory.Active, "u7": directory.Disabled, "u8": directory.Active, "u49": directory.Disabled}
		for _, u := range got.Users {
			name, _, _ := strings.Cut(u.Username, "@")
			if want, ok := statuses[name]; ok {
				delete(statuses, name)
				if u.Status != want || u.Email != name+"@example.test" || u.Accounts["github"] != "Dev-"+name[1:] || u.Name != "User "+name[1:] {
					t.Errorf("%s is %+v", name, u)
				}
			}
			if len(u.ID) != 36 || strings.Count(string(u.ID), "-") != 4 {
				t.Errorf("the id %q is no GUID", u.ID)
			}
		}
		if len(statuses) > 0 {
			t.Errorf("not read: %v", statuses)
		}
		again := read(t, string(got.Find("250")[0].ID)) // by id
		if !again.Groups[got.Find("250")[0].ID].Read() {
			t.Error("not found by its id")
		}
	})
	t.Run("every group there is", func(t *testing.T) {
		got, err := s.Snapshot(t.Context(), source.Selection{All: true})
		if err != nil {
			t.Fatal(err)
		}
		if n := got.Size(got.Find("Users")[0].ID); n < 290 { // it holds Domain Users, and those all by their primary group
			t.Errorf("Users has %d members", n)
		}
	})
	t.Run("the primary group", func(t *testing.T) {
		got := read(t, "Domain Users")
		members := got.Groups[got.Find("Domain Users")[0].ID].Members
		if len(members) < 300 {
			t.Errorf("%d members", len(members))
		}
	})
	t.Run("slices of 10 values and pages of 12", func(t *testing.T) {
		want := read(t, "all", "grandparent", "250")
		proxy.Set(ldaptest.Slices("member", 10))
		proxy.SetRequests(ldaptest.PageLimit(12))
		defer proxy.SetRequests(nil)
		defer proxy.Set(nil)
		got := read(t, "all", "grandparent", "250")
		for id, g := range want.Groups {
			if len(got.Groups[id].Members) != len(g.Members) || len(got.Groups[id].Groups) != len(g.Groups) {
				t.Errorf("%s has %d members, not %d", g.Name, len(got.Groups[id].Members), len(g.Members))
			}
		}
		if proxy.Count(ldaptest.Search) < 300/12+300/10+250/10 {
			t.Error("the limits were not met")
		}
	})
	slice := ldaptest.Slices("member", 10)
	marker := func(a *ldaptest.Answer, change func(at *ldaptest.Attribute)) {
		slice(a)
		for _, e := range a.Entries {
			for i := range e.Attributes {
				if strings.HasPrefix(e.Attributes[i].Name, "member;range=") {
					change(&e.Attributes[i])
				}
			}
		}
	}
	for name, test := range map[string]struct {
		rule func(a *ldaptest.Answer)
		want string
	}{
		"the last slice is missing": {func(a *ldaptest.Answer) {
			marker(a, func(at *ldaptest.Attribute) {
				if strings.HasSuffix(at.Name, "*") {
					at.Name = "other"
				}
			})
		}, "neither gives more nor says that these are all"},
		"a slice in between is missing": {func(a *ldaptest.Answer) {
			marker(a, func(at *ldaptest.Attribute) { at.Name = strings.Replace(at.Name, "=20-29", "=30-39", 1) })
		}, "after number 19 comes number 30"},
		"the first slice is missing": {func(a *ldaptest.Answer) {
			marker(a, func(at *ldaptest.Attribute) { at.Name = strings.Replace(at.Name, "=0-9", "=5-14", 1) })
		}, "the values begin with number 5"},
		"a slice lacks a value": {func(a *ldaptest.Answer) {
			marker(a, func(at *ldaptest.Attribute) {
				if strings.HasSuffix(at.Name, "=10-19") {
					at.Values = at.Values[1:]
				}
			})
		}, "holds 9 values, not 10"},
		"the group changes": {func(a *ldaptest.Answer) {
			slice(a)
			for _, e := range a.Entries {
				for i := range e.Attributes {
					if e.Attributes[i].Name == "uSNChanged" && a.Number > 20 {
						e.Attributes[i].Values = []string{fmt.Sprint(a.Number)}
					}
				}
			}
		}, "the group changed while its members were read"},
		"the control bits may not be read": {func(a *ldaptest.Answer) {
			for _, e := range a.Entries {
				e.Attributes = slices.DeleteFunc(e.Attributes, func(at ldaptest.Attribute) bool { return at.Name == "userAccountControl" })
			}
		}, "shows no userAccountControl"},
	} {
		t.Run(name, func(t *testing.T) {
			proxy.Set(test.rule)
			defer proxy.Set(nil)
			got, err := s.Snapshot(t.Context(), source.Selection{Names: []string{"all"}})
			if got != nil || err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, not %q", err, test.want)
			}
		})
	}
	t.Run("groups are found by prefix", func(t *testing.T) {
		found, _, err := s.SearchGroups(t.Context(), "GRAND", source.Page{})
		if err != nil || len(found) != 1 || found[0].Name != "grandparent" {
			t.Errorf("%v, %v", found, err)
		}
	})
	t.Run("a wrong password", func(t *testing.T) {
		v := adValues(proxy.URL)
		v["bind_password"] = setting.Secret("wr0ng-wr0ng")
		_, err := opened(t, v).Snapshot(t.Context(), source.Selection{})
		if err == nil || !strings.Contains(err.Error(), "bind_password") || strings.Contains(err.Error(), "wr0ng-wr0ng") {
			t.Errorf("got %v", err)
		}
	})
}
