// Package link says which user is which account. It is pure: it takes what the identity providers and the target say, what was linked
// before and what a person has ruled, and gives links with their evidence, and everything it will not guess with the reason.
//
// Links are keyed on the target's numeric account id and on the identity provider's immutable user id. Logins, addresses and names
// are evidence, never keys.
package link

import (
	"strings"
	"time"

	"musterline.example/directory"
	"musterline.example/team"
)

// A UserRef names a user of any source.
type UserRef struct {
	Source string
	ID     directory.UserID
}

// String returns "source/id", the form that configuration, plans and people use.
func (u UserRef) String() string { return u.Source + "/" + string(u.ID) }

// ParseUserRef reads "source/id". The id may itself hold slashes.
func ParseUserRef(s string) (UserRef, bool) {
	source, id, ok := strings.Cut(s, "/")
	return UserRef{source, directory.UserID(id)}, ok && source != "" && id != ""
}

// A Tier is a way of knowing whose account it is. Tiers are tried in the order that the operator sets; the first decisive one wins.
type Tier string

// The tiers, in their default order. Email is off unless named.
const (
	Manual    Tier = "manual"    // a person said so, by numeric id
	Self      Tier = "self"      // the person proved both sides in one sitting
	SAML      Tier = "saml"      // the target's own SAML or SCIM external identity
	Attribute Tier = "attribute" // an attribute at the identity provider names the login
	Email     Tier = "email"     // an address at a domain that the organization has verified
)

// DefaultTiers is what an operator gets who sets none: everything that is proof or a deliberate statement, and no guess by e-mail.
var DefaultTiers = []Tier{Manual, Self, SAML, Attribute}

// A State is where a link stands.
type State string

// The states of a link. Only a Standing link adds anybody to a team.
const (
	Standing State = "standing"
	Frozen   State = "frozen"  // in doubt: nobody is added, nobody removed, until a person looks
	Revoked  State = "revoked" // the link stood, and a complete read shows the identity behind it gone
)

// A Link is the proof that a user and an account are one person. It is sticky: once made it is reused without matching again, and
// it carries what it rests on.
type Link struct {
	User     UserRef
	Account  team.AccountID
	Login    string // of the account, when last seen
	Tier     Tier
	Evidence string // the values that were compared, in words: `nameID ada@example.com = email`
	Value    string // what the evidence asserts: the NameID, the login in the attribute, the address; empty for a person's word
	Note     string // what disagrees and shakes nothing: found evidence beside a person's word, an attribute that holds an old login
	By       string // who asserted it: "sync", or the person behind a manual or self-service link
	MadeAt   time.Time
	SeenAt   time.Time // the last complete read in which the evidence still held
	State    State
	Trouble  string // why it is frozen or revoked

	// Organization is where the evidence was seen, for evidence that the target itself holds (tiers SAML and Email). Organizations on
	// one host share links, and only a read of this one can show the identity gone.
	Organization string
}

// A Statement is a link that a person made, by hand or by self-service. It wins over what is found.
type Statement struct {
	User    UserRef
	Account team.AccountID // on the host that is being linked
	Tier    Tier           // Manual or Self
	By      string
	At      time.Time
}

// A Reason says why a user has no standing link. The words are those of held people in a plan.
type Reason string

// The reasons, as design §3 lists them for held people.
const (
	NotLinked  Reason = "not-linked"   // no tier names an account
	NotAMember Reason = "not-a-member" // a tier names an account that is not in the organization
	Ambiguous  Reason = "ambiguous"    // a tier names two accounts, or two users of one source name the same account
	Conflict   Reason = "conflict"     // two tiers, or two sources, name different accounts
)

// A Hold is a user who cannot be linked, and why.
type Hold struct {
	User    UserRef
	Reason  Reason
	Message string           // what was compared and what to do
	Among   []team.AccountID // the accounts in question: for these nobody is added and nobody removed
}

// Input is all that linking looks at.
type Input struct {
	Snapshots  []*directory.Snapshot // one complete snapshot for each source that could be read
	Kind       string                // the kind of target, the key of directory.User.Accounts: "github"
	Accounts   []team.Account        // all members of the organization
	Complete   bool                  // the identities beside the accounts were readable and read in full; without it none is ever revoked
	Before     []Link                // every link of this host that memory holds, of other organizations and of unread sources too
	Statements []Statement
	Tiers      []Tier // nil means DefaultTiers
	Now        time.Time

	// Organization is the immutable id of the organization that Accounts are members of.
	Organization string
}
