// Package team holds what a target has and what it should have: accounts, teams, members, and the wanted state of a team with its reasons.
//
// It is the second noun at the bottom of the house and imports the standard library only. A target fills Team and Account; mapping says
// Wanted; plan compares the two. Nothing here knows what an identity provider is: reasons are plain text and ids.
package team

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// An ID is a target's immutable id of a team; on GitHub the numeric id in decimal. Slug and name are display values that follow renames.
type ID string

// An AccountID is a target's immutable id of an account; on GitHub the numeric user id in decimal.
type AccountID string

// A Place is where a target's teams live. Teams are keyed by (Host, OrganizationID, ID), accounts and links by (Host, AccountID), so
// that organizations on one host share links.
type Place struct {
	Host           string    `json:"host"`            // "github.com", or the host of a GHES or ghe.com
	OrganizationID string    `json:"organization_id"` // immutable
	Organization   string    `json:"organization"`    // the login, which may be renamed
	Self           AccountID `json:"self,omitempty"`  // the account that acts for us; empty for an app, which is no account
}

// A Role is what a member may do in the team. Roles are ordered: Maintainer is more than Member.
type Role uint8

// The roles of a team.
const (
	Member Role = iota
	Maintainer
)

// String returns "member" or "maintainer".
func (r Role) String() string {
	if r == Maintainer {
		return "maintainer"
	}
	return "member"
}

// MarshalText implements encoding.TextMarshaler.
func (r Role) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *Role) UnmarshalText(text []byte) error {
	role, err := ParseRole(string(text))
	*r = role
	return err
}

// ParseRole reads "member" or "maintainer".
func ParseRole(s string) (Role, error) {
	switch s {
	case "member", "":
		return Member, nil
	case "maintainer":
		return Maintainer, nil
	}
	return Member, fmt.Errorf("%q is no role: use member or maintainer", s)
}

// An Account is somebody who could be in a team: a member of the organization.
type Account struct {
	ID    AccountID `json:"id"`
	Login string    `json:"login"`
	Name  string    `json:"name,omitempty"`

	// Owner is set for an owner of the organization. An owner reads as maintainer in every team they are in, which is never a
	// difference to repair (GitHub: "organization owners are always maintainers").
	Owner bool `json:"owner,omitempty"`

	Identities     []Identity `json:"identities,omitempty"`
	VerifiedEmails []string   `json:"verified_emails,omitempty"` // at domains the organization has verified
}

// An Identity is an external identity that the target itself has linked to an account by SAML single sign-on or SCIM.
type Identity struct {
	GUID     string   `json:"guid"`
	NameID   string   `json:"name_id,omitempty"`  // from SAML
	Username string   `json:"username,omitempty"` // from SCIM
	Emails   []string `json:"emails,omitempty"`
}

// FoldLogin returns the form of a login in which two logins are the same account name: GitHub compares them without regard to ASCII case.
func FoldLogin(login string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, login)
}

// A Membership is one immediate membership of a team, standing or invited.
type Membership struct {
	Account AccountID `json:"account"`
	Login   string    `json:"login"`
	Role    Role      `json:"role"`
	Pending bool      `json:"pending,omitempty"` // invited and not yet accepted: counts as present, is never invited again
}

// A Ref names a team for people: by id for machines, by slug for eyes.
type Ref struct {
	ID   ID     `json:"id"`
	Slug string `json:"slug"`
}

// A Team is one team of a target as it was read. Members are the immediate ones, in order of account: who is in it only through a child
// team is no member here, or a sync would remove them in vain for ever.
type Team struct {
	ID          ID           `json:"id"`
	Slug        string       `json:"slug"`
	Name        string       `json:"name"`
	Description string       `json:"description,omitempty"`
	Parent      ID           `json:"parent,omitempty"`
	Children    []Ref        `json:"children,omitempty"`
	Members     []Membership `json:"members"`

	// Expired are the logins or addresses of invitations into this team that ran out unanswered; they are reported, never sent again.
	Expired []string `json:"expired,omitempty"`

	// Foreign is why no membership of this team can be changed here, such as an enterprise team or one that the vendor itself
	// keeps in line. Empty for a team we may keep.
	Foreign string `json:"foreign,omitempty"`
}

// Member returns the membership of an account, if it has one.
func (t *Team) Member(id AccountID) (Membership, bool) {
	i, ok := slices.BinarySearchFunc(t.Members, id, func(m Membership, id AccountID) int { return cmp.Compare(m.Account, id) })
	if !ok {
		return Membership{}, false
	}
	return t.Members[i], true
}

// Sort puts the members in the order that Member and plan.Compute rely on. Every target calls it on what it has read.
func (t *Team) Sort() {
	slices.SortFunc(t.Members, func(a, b Membership) int { return cmp.Compare(a.Account, b.Account) })
	slices.SortFunc(t.Children, func(a, b Ref) int { return cmp.Compare(a.ID, b.ID) })
}

// Digest identifies the memberships of the team as read. Apply leaves a team alone whose digest has changed since the plan. Names are not
// part of it: a rename changes nobody's membership.
func (t *Team) Digest() string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n", t.ID)
	for _, m := range t.Members {
		fmt.Fprintf(h, "%s %d %t\n", m.Account, m.Role, m.Pending)
	}
	for _, c := range t.Children {
		_, _ = io.WriteString(h, string(c.ID)+"\n")
	}
	return hex.EncodeToString(h.Sum(nil)[:12])
}

// A Privacy says who sees a team: "closed" (the organization) or "secret" (its members), in GitHub's words.
type Privacy string

// The privacies of a team.
const (
	Closed Privacy = "closed"
	Secret Privacy = "secret"
)

// New is a team that does not exist yet and that a rule wants created.
type New struct {
	Name        string  `json:"name"`
	Description string  `json:"description,omitempty"`
	Privacy     Privacy `json:"privacy,omitempty"`
	Parent      ID      `json:"parent,omitempty"`
}

// In says whether an account should be in a team.
type In uint8

// Whether an account should be in a team. Absent from Wanted.Members means "stays as it is", the same as Keep without a reason.
const (
	Keep In = iota // stays if it is there, is not added if it is not
	Yes
	Out
)

// String returns "keep", "in" or "out".
func (i In) String() string { return [...]string{"keep", "in", "out"}[i] }

// A Want says what one team should do with one account, and why.
type Want struct {
	Account AccountID
	Login   string
	User    string // who it is at the identity provider, "source/id"; empty when nobody is known
	In      In
	Role    Role     // a minimum: it promotes, and never takes back what was not ours to give
	Demote  bool     // take back a maintainer role that the ledger says we gave
	Invite  bool     // an account that has left the organization and is to be invited again
	InGrace bool     // a Keep that ends with the grace of the team, see Wanted.Grace
	Why     []Reason // shared between wants with the same reasons; must not be changed
}

// Wanted says what one team should hold. Every current member and every newcomer is named, in order of account.
type Wanted struct {
	Team     ID
	Create   *New      // set for a team that does not exist yet; Team is then empty
	Sources  []string  // every source that the team's mappings name: a removal belongs to all of them
	Unmapped bool      // the team lost its last mapping and stays in the plan until its members are gone or kept
	Grace    time.Time // when the time of the members in grace ends
	Members  []Want
}

// A Reason is one cause of a membership or of its end, in plain text and ids that outlive what they name.
type Reason struct {
	Rule    Rule     `json:"rule,omitempty"`    // what was decided; empty for the plain case of a member of a mapped group
	Mapping string   `json:"mapping,omitempty"` // id of the mapping: "file:12", "rule:1" or a row's id
	Key     string   `json:"key,omitempty"`     // of the same mapping: "source/group id", which outlives its place in a file
	Path    []string `json:"path,omitempty"`    // "source/group" from the mapped group to the one that lists the user
	Link    string   `json:"link,omitempty"`    // the tier that says whose account it is: manual, self, saml, attribute, email
	Note    string   `json:"note,omitempty"`    // a figure, a name, a moment
}

// Keys returns the keys of the mappings behind some reasons, each once, in their order. The ledger justifies memberships by them.
func Keys(why []Reason) []string {
	var keys []string
	for _, r := range why {
		if r.Key != "" && !slices.Contains(keys, r.Key) {
			keys = append(keys, r.Key)
		}
	}
	return keys
}

// A Rule is the sentence of a decision. The same words are stored, shown and judged by guards.
type Rule string

// The rules. The first group takes people out of a team, the second says that somebody else's hand was there before, the third keeps
// people, the last is about who may not be touched.
const (
	NotInGroup    Rule = "not in a mapped group"
	UserDisabled  Rule = "disabled at the identity provider"
	LinkRevoked   Rule = "linked identity revoked"
	GroupMissing  Rule = "mapped group is gone"
	TeamUnmapped  Rule = "team is no longer mapped"
	RuleUnmatched Rule = "the rule no longer matches its group"
	CreatorLeaves Rule = "created the team, is in no mapped group"
	NotWanted     Rule = "pending invitation that no mapping wants"
	Undone        Rule = "undo of an earlier run"

	AddedByHand   Rule = "drift: added by hand, author unknown"
	RemovedByHand Rule = "drift: removed by hand, author unknown"

	InvitedByHand  Rule = "invited by hand, not accepted yet"
	SourceUnread   Rule = "a mapped group could not be read"
	GroupUnsettled Rule = "a mapped group is missing, too large or named twice"
	UserUnlinked   Rule = "somebody in a mapped group is not linked yet"
	LinkFrozen     Rule = "linked identity is in doubt"
	Granted        Rule = "additive team: not granted by us"
	InGrace        Rule = "disconnected, in grace"
	LinkHeld       Rule = "linked identity revoked; waits for a person"
	Unconfirmed    Rule = "seen gone by one complete read so far"

	Protected Rule = "protected account"
)
