package access

import (
	"fmt"
	"slices"
	"strings"
)

// A Role is what somebody is to what they want to touch: to a team, to an organization, or to the whole server.
type Role string

// The roles, the least first. Each may what the one before it may. Nobody is the zero value.
const (
	Nobody        Role = ""
	Viewer        Role = "viewer"        // looks at an organization
	Maintainer    Role = "maintainer"    // maps a team to groups of the sources that the target shows
	Owner         Role = "owner"         // everything within an organization
	Administrator Role = "administrator" // everything
)

// Roles are those that can be given, the least first.
var Roles = []Role{Viewer, Maintainer, Owner, Administrator}

// ParseRole reads the word of a role that can be given.
func ParseRole(word string) (Role, error) {
	if r := Role(word); slices.Contains(Roles, r) {
		return r, nil
	}
	words := make([]string, len(Roles))
	for i, r := range Roles {
		words[i] = string(r)
	}
	return Nobody, fmt.Errorf("%q is no role: the roles are %s", word, strings.Join(words, ", "))
}

// rank is a role's place; what is no role is nobody's.
func (r Role) rank() int { return slices.Index(Roles, r) }

// AtLeast reports whether a role is as much as another, or more.
func (r Role) AtLeast(other Role) bool { return r.rank() >= other.rank() }

// A Permission is what a route asks of its caller.
type Permission string

// The permissions. The zero value is nobody's: a route that was forgotten is closed.
const (
	Closed Permission = ""

	Public     Permission = "public"     // nothing is asked: whether the server is alive
	Identified Permission = "identified" // a credential that is good
	LookUp     Permission = "look-up"    // what GitHub itself shows the caller, or a viewer of the target
	SignedIn   Permission = "signed-in"  // a person who has signed in, whatever their role: what is their own

	ReadGroups     Permission = "read-groups"     // groups of the identity providers that a target shows
	ReadMappings   Permission = "read-mappings"   // of a team
	ChangeMappings Permission = "change-mappings" // of a team
	ChangeMembers  Permission = "change-members"  // of a team, by hand

	Read       Permission = "read"       // everything about a target
	ReadAll    Permission = "read-all"   // what belongs to the whole server: by a role on all of it
	Operate    Permission = "operate"    // a target: sync, approve, pause, undo, link, settings
	Administer Permission = "administer" // the server: sources, targets, tokens, roles
)

// least is the least role that each permission takes, on the team or organization in question. Identified and LookUp are settled by
// who vouches for the caller and take no role of ours; a Musterline token takes Viewer for them. SignedIn is for people alone, or
// for an administrator's token.
var least = map[Permission]Role{
	Identified: Viewer,
	LookUp:     Viewer,
	SignedIn:   Administrator,

	ReadGroups:     Viewer,
	ReadMappings:   Viewer,
	ChangeMappings: Maintainer,
	ChangeMembers:  Maintainer,

	Read:       Viewer,
	ReadAll:    Viewer,
	Operate:    Owner,
	Administer: Administrator,
}

// Allows reports whether a role on something is enough for a permission on it.
func (p Permission) Allows(r Role) bool {
	if p == Public {
		return true
	}
	needed, known := least[p]
	return known && r.AtLeast(needed) && r != Nobody
}
