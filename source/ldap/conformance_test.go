package ldap

import (
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"musterline.example/directory"
	"musterline.example/internal/ldaptest"
	"musterline.example/setting"
	"musterline.example/source/sourcetest"
)

func TestConformance(t *testing.T) {
	sourcetest.Run(t, sourcetest.Harness{Kind: Kind, Serve: func(t testing.TB, w sourcetest.World) sourcetest.Server {
		slapd := ldaptest.StartSlapd(t, ldaptest.Options{LDIF: worldLDIF(w)})
		proxy := ldaptest.StartProxy(t, slapd.URL)
		return sourcetest.Server{
			Values:  valuesFor(proxy.URL, "account_attribute", "githubLogin"),
			Change:  func(w sourcetest.World) { slapd.Load(worldLDIF(w)); proxy.To(slapd.URL) },
			Inject:  func(f sourcetest.Fault) func() int { return inject(proxy, f) },
			Secrets: []string{ldaptest.Password},
			UserID:  func(id directory.UserID) directory.UserID { return directory.UserID(uuid(string(id))) },
			GroupID: func(id directory.GroupID) directory.GroupID { return directory.GroupID(uuid(string(id))) },
		}
	}})
}

// inject makes an answer to a search go wrong, or that to the bind.
func inject(p *ldaptest.Proxy, f sourcetest.Fault) func() int {
	var struck atomic.Int64
	faults := map[sourcetest.FaultSort]func(a *ldaptest.Answer){
		sourcetest.FailPage:  func(a *ldaptest.Answer) { a.Code, a.Diagnostic = 80, "internal error near "+ldaptest.Password },
		sourcetest.ShortRead: func(a *ldaptest.Answer) { a.Cut = 1 + len(a.Entries)/2 },
		sourcetest.SizeLimit: func(a *ldaptest.Answer) { a.Code, a.Entries = 4, a.Entries[:len(a.Entries)/2] },
		sourcetest.Truncate:  func(a *ldaptest.Answer) { a.Paged, a.Entries = false, a.Entries[:len(a.Entries)/2] },
		sourcetest.Throttle:  func(a *ldaptest.Answer) { a.Code, a.Entries = 51, nil },
		sourcetest.Expired:   func(a *ldaptest.Answer) { a.Code = 49 },
		sourcetest.Hang:      func(a *ldaptest.Answer) { a.Wait = make(chan struct{}) },
	}
	of := ldaptest.Search
	if f.Sort == sourcetest.Expired {
		of = ldaptest.Bind
	}
	fault := faults[f.Sort]
	searches := 0
	p.Set(func(a *ldaptest.Answer) {
		if fault == nil || a.Request.Operation != of || of == ldaptest.Search && !a.Request.Whole {
			return
		}
		searches++
		if f.Page != 0 && searches != f.Page || f.Times > 0 && int(struck.Load()) >= f.Times {
			return
		}
		struck.Add(1)
		fault(a)
	})
	return func() int { return int(struck.Load()) }
}

// valuesFor are the settings for a server without encryption, and others by key and value.
func valuesFor(url string, more ...string) setting.Values {
	v := setting.Values{"url": url, "plaintext": true, "bind_dn": ldaptest.Reader, "bind_password": setting.Secret(ldaptest.Password), "base_dn": ldaptest.Base}
	for i := 0; i < len(more); i += 2 {
		v[more[i]] = more[i+1]
	}
	return v
}

// uuid makes the entryUUID of a world's id.
func uuid(id string) string {
	h := sha1.Sum([]byte(id))
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[0:4], h[4:6], h[6:8], h[8:10], h[10:16])
}

// worldLDIF writes a world as a directory that has seen many hands: names with every sort of letter in DNs, members written in another
// case, with other spaces and other escapes than the entries they name, and a placeholder in the group that is empty.
func worldLDIF(w sourcetest.World) string {
	var b strings.Builder
	put := func(attribute, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s:: %s\n", attribute, base64.StdEncoding.EncodeToString([]byte(value)))
		}
	}
	userDN := func(u directory.User) string {
		return fmt.Sprintf("cn=%s+uid=%s,ou=people,%s", ldap.EscapeDN(u.Name), ldap.EscapeDN(u.Username), ldaptest.Base)
	}
	users, groups := make(map[directory.UserID]string), make(map[directory.GroupID]string)
	for _, u := range w.Users {
		users[u.ID] = userDN(u)
		put("dn", users[u.ID])
		b.WriteString("objectClass: inetOrgPerson\nobjectClass: githubAccount\nsn: x\n")
		put("entryUUID", uuid(string(u.ID)))
		put("cn", u.Name)
		put("uid", u.Username)
		put("mail", u.Email)
		put("githubLogin", u.Accounts["github"])
		switch u.Status {
		case directory.Disabled:
			put("pwdAccountLockedTime", permanent)
		case directory.Locked:
			put("pwdAccountLockedTime", "20260301000000Z")
		}
		b.WriteByte('\n')
	}
	for _, g := range w.Groups {
		groups[g.ID] = fmt.Sprintf("ou=%s,ou=groups,%s", g.ID, ldaptest.Base)
	}
	for i, g := range w.Groups {
		put("dn", groups[g.ID])
		members := []string{}
		for n, m := range g.Members {
			members = append(members, disguised(users[m], n))
		}
		for n, sub := range g.Groups {
			members = append(members, disguised(groups[sub], n))
		}
		class, attribute := "groupOfNames", "member"
		switch {
		case i%3 == 1:
			class, attribute = "groupOfUniqueNames", "uniqueMember"
		case len(members) == 0:
			members = []string{""}
		}
		if len(members) == 0 {
			members = []string{ldaptest.Reader}
		}
		put("objectClass", class)
		put("entryUUID", uuid(string(g.ID)))
		put("cn", g.Name)
		put("ou", string(g.ID))
		put("description", g.Description)
		for _, m := range members {
			if m == "" {
				fmt.Fprintf(&b, "%s:\n", attribute)
			}
			put(attribute, m)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// disguised writes a DN in another way.
func disguised(dn string, n int) string {
	switch n % 4 {
	case 1:
		return strings.ToUpper(dn[:3]) + dn[3:]
	case 2:
		return strings.ReplaceAll(dn, ",dc=", " , DC=")
	case 3:
		return strings.ReplaceAll(dn, "ou=people", `ou=\70eople`)
	}
	return dn
}

var march = time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)
