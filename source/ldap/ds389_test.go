package ldap

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"musterline.example/directory"
	"musterline.example/internal/ldaptest"
	"musterline.example/source"
)

// staff is 6,000 users: every fiftieth locked by an administrator, one locked out for a while, one whose account has run out; groups of all, of 50,
// of nobody, of people by uid, and two that hold groups.
func staff() string {
	var b strings.Builder
	for u := range 6000 {
		more := []string{"objectClass: githubAccount", fmt.Sprintf("githubLogin: Dev-%d", u), fmt.Sprintf("mail: u%d@example.test", u)}
		switch {
		case u%50 == 49:
			more = append(more, "nsAccountLock: TRUE")
		case u == 7:
			more = append(more, "accountUnlockTime: 20760101000000Z")
		case u == 8:
			more = append(more, "objectClass: shadowAccount", "shadowExpire: 15000") // 2011
		}
		b.WriteString(person(fmt.Sprintf("u%d", u), more...))
	}
	var all []string
	fifty := []string{`aci: (targetattr="member")(version 3.0; acl "blind"; deny (all) userdn="ldap:///cn=blind,$B";)`}
	for u := range 6000 {
		all = append(all, fmt.Sprintf("uniqueMember: uid=u%d,ou=people,$B", u))
		if u < 50 {
			fifty = append(fifty, fmt.Sprintf("member: UID=u%d, ou=People,$B", u))
		}
	}
	b.WriteString(entry("cn=all,ou=groups", "groupOfUniqueNames", all...) + entry("cn=50,ou=groups", "groupOfNames", fifty...) +
		entry("cn=none,ou=groups", "groupOfNames") +
		entry("cn=unix,ou=groups", "posixGroup", "gidNumber: 7", "memberUid: u1", "memberUid: U2") +
		entry("cn=parent,ou=groups", "groupOfNames", "member: cn=50,ou=groups,$B", "member: cn=none,ou=groups,$B") +
		entry("cn=grandparent,ou=groups", "groupOfNames", "member: cn=parent,ou=groups,$B", "member: uid=u100,ou=people,$B"))
	return b.String()
}

// other is somebody else who reads, with limits or rights of their own.
func other(name string, more ...string) string {
	return entry("cn="+name, "organizationalRole", append([]string{"objectClass: simpleSecurityObject", "userPassword: " + ldaptest.Password}, more...)...)
}

// A real 389 Directory Server, as docs/ldap.md says to set it up, and as it is before.
func Test389DirectoryServer(t *testing.T) {
	server := ldaptest.Start389(t, staff()+other("plain")+other("narrow", "nsLookThroughLimit: 100", "nsPagedLookThroughLimit: 100")+
		other("short", "nsLookThroughLimit: -1", "nsPagedLookThroughLimit: -1", "nsSizeLimit: 1000", "nsPagedSizeLimit: 1000")+
		other("blind", "nsLookThroughLimit: -1", "nsPagedLookThroughLimit: -1"))
	users := 0
	for _, size := range []string{"500", "77"} {
		s := opened(t, valuesFor(server.URL, "account_attribute", "githubLogin", "page_size", size))
		got, err := s.Snapshot(t.Context(), source.Selection{All: true})
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]int{"all": 6000 - 120 - 1, "50": 48, "none": 0, "unix": 2, "parent": 48, "grandparent": 49} {
			if n := got.Size(got.Find(name)[0].ID); n != want {
				t.Errorf("pages of %s: %s has %d members, not %d", size, name, n, want)
			}
		}
		statuses := map[string]directory.Status{"u0": directory.Active, "u7": directory.Locked, "u8": directory.Disabled, "u49": directory.Disabled}
		for _, u := range got.Users {
			if want, ok := statuses[u.Username]; ok && (u.Status != want || u.Accounts["github"] != "Dev-"+u.Username[1:] || u.Email != u.Username+"@example.test") {
				t.Errorf("%s is %+v", u.Username, u)
			}
			if len(u.ID) != 35 || strings.Count(string(u.ID), "-") != 3 { // four times eight digits
				t.Fatalf("the id %q is no nsUniqueId", u.ID)
			}
		}
		id := got.Find("50")[0].ID
		again, err := s.Snapshot(t.Context(), source.Selection{IDs: []directory.GroupID{id}})
		if err != nil || !again.Groups[id].Read() {
			t.Errorf("by its id: %v", err)
		}
		if found, _, err := s.SearchGroups(t.Context(), "GRAND", source.Page{}); err != nil || len(found) != 1 {
			t.Errorf("by prefix: %v, %v", found, err)
		}
		if users = max(users, len(got.Users)); users != len(got.Users) {
			t.Errorf("pages of %s give %d users, and others %d", size, len(got.Users), users)
		}
	}
	if _, err := opened(t, valuesFor(server.URL, "bind_dn", "cn=short,"+ldaptest.Base, "page_size", "999")).Snapshot(t.Context(), source.Selection{All: true}); err != nil {
		t.Errorf("pages smaller than the limit: %v", err)
	}
	// Nothing of what the server does to others may look like people who left.
	for who, want := range map[string]struct{ size, state, fix string }{
		"plain":  {"500", stateAdminLimit, "nsPagedLookThroughLimit"}, // 5,000 for all pages together
		"narrow": {"500", stateAdminLimit, "nsLookThroughLimit"},
		"short":  {"1000", stateSizeLimit, "lower page_size"}, // 1,000 for each page, and not one that is full
		"blind":  {"500", "members-hidden", "ACI"},
	} {
		got, err := opened(t, valuesFor(server.URL, "bind_dn", "cn="+who+","+ldaptest.Base, "page_size", want.size)).Snapshot(t.Context(), source.Selection{Names: []string{"50"}})
		e, ok := errors.AsType[*source.Error](err)
		if got != nil || !ok || e.State != want.state || !strings.Contains(e.Fix, want.fix) {
			t.Errorf("%s: %v", who, err)
		}
	}
}
