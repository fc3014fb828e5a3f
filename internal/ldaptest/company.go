package ldaptest

import (
	"fmt"
	"strings"
)

// Company returns the LDIF of a company: users u0, u1, … with the login Dev-N, but one in ten without, and the groups g0, g1, …:
//
//	g0            all users
//	g1 to g4      6,000 members each: more than GitHub takes
//	g5 to g24     1,600: more than Active Directory gives at once
//	the others    50
//	the last 25   groups only: twenty that hold five of the groups of 50, and five that hold four of those twenty
//
// Group gN begins with user N×7919 and goes on with those that follow it. With 20,000 users and 500 groups that is 98,620 values.
func Company(users, groups int) string {
	var b strings.Builder
	for u := range users {
		fmt.Fprintf(&b, "dn: uid=u%d,ou=people,%s\nobjectClass: inetOrgPerson\nobjectClass: githubAccount\nuid: u%d\ncn: User %d\nsn: %d\nmail: u%d@example.test\n", u, Base, u, u, u, u)
		if u%10 != 9 {
			fmt.Fprintf(&b, "githubLogin: Dev-%d\n", u)
		}
		b.WriteByte('\n')
	}
	leaves := groups - 25
	for g := range groups {
		fmt.Fprintf(&b, "dn: cn=g%d,ou=groups,%s\nobjectClass: groupOfNames\ncn: g%d\n", g, Base, g)
		switch {
		case g < leaves:
			for k := range GroupSize(g, users) {
				fmt.Fprintf(&b, "member: uid=u%d,ou=people,%s\n", (g*7919+k)%users, Base)
			}
		case g < groups-5:
			for k := range 5 {
				fmt.Fprintf(&b, "member: cn=g%d,ou=groups,%s\n", 25+(g*5+k)%(leaves-25), Base)
			}
		default:
			for k := range 4 {
				fmt.Fprintf(&b, "member: cn=g%d,ou=groups,%s\n", leaves+(g*4+k)%20, Base)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// GroupSize is how many users a group of the Company that holds users lists.
func GroupSize(g, users int) int {
	switch {
	case g == 0:
		return users
	case g < 5:
		return min(6000, users)
	case g < 25:
		return min(1600, users)
	}
	return min(50, users)
}
