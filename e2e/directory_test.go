package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"musterline.example/internal/ldaptest"
)

// A directory is the company's: an OpenLDAP, which the server reads over TLS as its source "people".
type directory struct{ *ldaptest.Slapd }

// staff are the people of the company. Ivy's login is nobody's in the organization, and Joe has none.
var staff = []struct{ id, name, login string }{
	{"ada", "Ada Lovelace", "ada-l"},
	{"ben", "Ben Okafor", "ben-o"},
	{"cleo", "Cleo Marchetti", "cleo-m"},
	{"dana", "Dana Levy", "dana-l"},
	{"emil", "Emil Kraus", "emil-k"},
	{"fay", "Fay Wong", "fay-w"},
	{"gus", "Gus Ferreira", "gus-f"},
	{"hana", "Hana Sato", "hana-s"},
	{"ivy", "Ivy Laurent", "ivy-laurent"},
	{"joe", "Joe Marsh", ""},
}

// groups are those of the company. A member with a capital is a group.
var groups = []struct {
	name    string
	members []string
}{
	{"On call", []string{"cleo"}},
	{"Platform engineers", []string{"ada", "ben", "On call"}},
	{"Design", []string{"dana", "emil", "ivy"}},
	{"Security", []string{"fay", "gus", "joe"}},
	{"Writers", []string{"hana"}},
}

// company is a directory in a file, for tests of such.
const company = `
users:
  - { id: ada, name: Ada Lovelace, email: ada@example.com, accounts: { github: ada-l } }
groups:
  - { id: platform, name: Platform engineers, members: [ada] }
`

func newDirectory(t *testing.T) *directory {
	t.Helper()
	var ldif strings.Builder
	for _, p := range staff {
		ldif.WriteString(entry(person(p.id), personal(p.id, p.name, p.login)))
	}
	for _, g := range groups {
		ldif.WriteString(entry(group(g.name), grouped(g.name, g.members...)))
	}
	return &directory{ldaptest.StartSlapd(t, ldaptest.Options{LDIF: ldif.String(), Refint: true})}
}

// person is where somebody stands in the directory, group where a group does.
func person(id string) string { return "uid=" + id + ",ou=people," + ldaptest.Base }

func group(name string) string { return "cn=" + ldap.EscapeDN(name) + ",ou=groups," + ldaptest.Base }

// uuid is the id of who or what has this name: its letters, as the sixteen bytes of a UUID.
func uuid(name string) string {
	h := fmt.Sprintf("%-32x", name)
	return strings.ReplaceAll(h[:8]+"-"+h[8:12]+"-"+h[12:16]+"-"+h[16:20]+"-"+h[20:32], " ", "0")
}

func personal(id, name, login string) []ldap.Attribute {
	is := []ldap.Attribute{
		{Type: "objectClass", Vals: []string{"inetOrgPerson", "githubAccount"}},
		{Type: "uid", Vals: []string{id}},
		{Type: "cn", Vals: []string{name}},
		{Type: "sn", Vals: []string{name}},
		{Type: "mail", Vals: []string{id + "@example.com"}},
	}
	if login != "" {
		is = append(is, ldap.Attribute{Type: "githubLogin", Vals: []string{login}})
	}
	return is
}

func grouped(name string, members ...string) []ldap.Attribute {
	var dns []string
	for _, m := range members {
		if strings.ToLower(m) == m {
			dns = append(dns, person(m))
		} else {
			dns = append(dns, group(m))
		}
	}
	return []ldap.Attribute{
		{Type: "objectClass", Vals: []string{"groupOfNames"}}, {Type: "cn", Vals: []string{name}}, {Type: "member", Vals: dns},
	}
}

// entry is one as slapadd takes it, with an id that a test can name.
func entry(dn string, is []ldap.Attribute) string {
	_, name, _ := strings.Cut(dn[:strings.IndexByte(dn, ',')], "=")
	text := "dn: " + dn + "\nentryUUID: " + uuid(name) + "\n"
	for _, a := range is {
		for _, v := range a.Vals {
			text += a.Type + ": " + v + "\n"
		}
	}
	return text + "\n"
}

// hires adds somebody.
func (d *directory) hires(id, name, login string) {
	d.Change(func(c *ldap.Conn) error {
		return c.Add(&ldap.AddRequest{DN: person(id), Attributes: personal(id, name, login)})
	})
}

// dismisses removes somebody, from their groups too.
func (d *directory) dismisses(id string) {
	d.Change(func(c *ldap.Conn) error { return c.Del(ldap.NewDelRequest(person(id), nil)) })
	d.Forgets(person(id))
}

// forms adds a group.
func (d *directory) forms(name string, members ...string) {
	d.Change(func(c *ldap.Conn) error {
		return c.Add(&ldap.AddRequest{DN: group(name), Attributes: grouped(name, members...)})
	})
}

// renames gives a group another name.
func (d *directory) renames(name, to string) {
	d.Change(func(c *ldap.Conn) error {
		return c.ModifyDN(ldap.NewModifyDNRequest(group(name), "cn="+ldap.EscapeDN(to), true, ""))
	})
	d.Forgets(group(name))
}

// sets gives somebody another value of an attribute.
func (d *directory) sets(id, attribute, value string) {
	d.modifies(person(id), func(r *ldap.ModifyRequest) { r.Replace(attribute, []string{value}) })
}

// joins adds somebody to a group, and leaves removes them.
func (d *directory) joins(id, name string) {
	d.modifies(group(name), func(r *ldap.ModifyRequest) { r.Add("member", []string{person(id)}) })
}

func (d *directory) modifies(dn string, what func(*ldap.ModifyRequest)) {
	r := ldap.NewModifyRequest(dn, nil)
	what(r)
	d.Change(func(c *ldap.Conn) error { return c.Modify(r) })
}
