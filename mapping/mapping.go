// Package mapping decides who should be in, kept in, or out of each team, and why. It is pure, and with link it is the only bridge between
// what identity providers say and what a target holds.
package mapping

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"musterline.example/directory"
	"musterline.example/link"
	"musterline.example/team"
)

// A Mapping says that the members of one group belong in one team. Several mappings may feed one team: it takes their union, and
// the highest role wins.
type Mapping struct {
	ID     string // "file:12", "rule:1", or the row's id
	Origin Origin
	Target string

	Team   string  // as written: a slug, else an exact display name
	TeamID team.ID // what Team was pinned to; empty while it is not

	Source  string
	Group   string            // as written: an id, else an exact name
	GroupID directory.GroupID // what Group was pinned to; empty while it is not

	Role   Role
	Mode   Mode
	New    *team.New // set by a rule with create: what to create when there is no such team
	Parent string    // of New, as written, until Pin has settled it

	Echo Echo // decides nothing
}

// An Echo is what a caller of the API said of the group beside its id, and when they first did. Clients hold what they are told against what
// they said, so it is told back as it was.
type Echo struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	MappedAt    int64  `json:"mapped_at"` // microseconds since 1970 in UTC
}

// Key identifies the mapping among those of its team for as long as source and group live: "source/group id". The ledger justifies
// memberships by it.
func (m Mapping) Key() string { return m.Source + "/" + string(m.GroupID) }

// A Role is a team.Role; the alias spares readers of configuration one import.
type Role = team.Role

// An Origin says who owns the mappings of a team. A team has exactly one.
type Origin string

// The origins, the strongest first.
const (
	FromFile Origin = "file"
	FromRule Origin = "rule"
	FromAPI  Origin = "api" // the API and the console
)

// A Mode says what becomes of members of a team who are in no mapped group.
type Mode string

// The modes.
const (
	Exclusive Mode = "exclusive" // they go, as on GitHub
	Additive  Mode = "additive"  // they stay, unless the ledger says that we brought them
)

// A Rule makes mappings from the groups whose name matches a pattern. It binds a group's id to a team's id once; later renames create
// nothing.
type Rule struct {
	ID      string // "rule:1"
	Source  string
	Match   string // pattern of group names, as path.Match reads it
	Target  string
	Team    string // template of the team's name, with .Group.Name and trimPrefix
	Create  bool
	Privacy team.Privacy
	Parent  string
	Role    Role
	Mode    Mode
}

// An Entry is a row of the ledger of a team: why an account is in it.
type Entry struct {
	Account  team.AccountID
	Origin   LedgerOrigin
	Role     Role     // that we gave; Member for a found one
	Mappings []string // keys of the mappings that justify it, see Mapping.Key; they outlive a mapping's line in a file
	Since    time.Time
}

// A LedgerOrigin says how a membership came to be.
type LedgerOrigin uint8

// The origins of a membership in the ledger.
const (
	LedgerFound   LedgerOrigin = iota // it was there, and a mapped group justifies it
	LedgerGranted                     // we added it
	LedgerCreated                     // our own: making the team brought it about, and it ends as soon as it can
)

// String returns "found", "granted" or "created".
func (o LedgerOrigin) String() string { return [...]string{"found", "granted", "created"}[o] }

// MarshalText implements encoding.TextMarshaler.
func (o LedgerOrigin) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (o *LedgerOrigin) UnmarshalText(text []byte) (err error) {
	*o, err = ParseLedgerOrigin(string(text))
	return err
}

// ParseLedgerOrigin reads "found", "granted" or "created".
func ParseLedgerOrigin(s string) (LedgerOrigin, error) {
	for o := LedgerFound; o <= LedgerCreated; o++ {
		if s == o.String() {
			return o, nil
		}
	}
	return LedgerFound, fmt.Errorf("%q is no origin of a membership: it is found, granted or created", s)
}

// A Ledger is what memory holds of the teams of one target: the rows of each team in order of account.
type Ledger map[team.ID][]Entry

// Row returns the row of an account in a team, if there is one.
func (l Ledger) Row(id team.ID, account team.AccountID) (Entry, bool) {
	rows := l[id]
	i, ok := slices.BinarySearchFunc(rows, account, func(e Entry, id team.AccountID) int { return cmp.Compare(e.Account, id) })
	if !ok {
		return Entry{}, false
	}
	return rows[i], true
}

// Sort puts the rows of each team in the order that Row and Resolve rely on.
func (l Ledger) Sort() {
	for _, rows := range l {
		slices.SortFunc(rows, func(a, b Entry) int { return cmp.Compare(a.Account, b.Account) })
	}
}

// A Reading is what one source gave for this run.
type Reading struct {
	Snapshot *directory.Snapshot // the last complete one; nil when there never was one
	Failed   string              // why there is no fresh one: removals that rest on this source wait; empty when all is well
}

// A Disconnect is a team that a person took all or some mappings from. The memberships that only those mappings justify, which the ledger
// knows, end after a grace.
type Disconnect struct {
	Team   team.ID
	Until  time.Time // the end of the grace; zero or past: now
	By     string    // the person, or the id of the mapping that is gone
	Origin Origin    // of the mappings that are gone
	Keep   bool      // the members stay and the ledger forgets them
}

// Settings are an organization's.
type Settings struct {
	GroupsPerTeam   int  // GitHub: 5
	MembersPerGroup int  // GitHub: 5,000
	ParentTeams     bool // allow mapped teams with children
	HoldRevoked     bool // revoked_links: hold
	Reinvite        bool // invite people again who were members of the organization once and left it
	RemovalReads    int  // complete reads that must agree before somebody goes; 1 by default
	Protected       []team.AccountID
}

// DefaultSettings are GitHub's own figures.
var DefaultSettings = Settings{GroupsPerTeam: 5, MembersPerGroup: 5000, RemovalReads: 1}

// Input is all that Resolve looks at.
type Input struct {
	Target      string
	Place       team.Place
	Mappings    []Mapping // pinned, of this target only
	Sources     map[string]Reading
	Links       *link.Result
	Accounts    []team.Account // members of the organization
	Teams       []team.Team    // as they are, mapped or unmapped and still in the plan
	Ledger      Ledger
	Connected   map[team.ID]time.Time // teams whose first connection has ended: what has changed in them since is drift
	Disconnects []Disconnect
	Former      map[team.AccountID]Former
	Absences    Absences
	Settings    Settings
	Now         time.Time
}

// A Former is an account that was a member of the organization once.
type Former struct {
	Login    string
	LeftAt   time.Time
	Invited  int       // invitations sent since
	LastAt   time.Time // of the last one
	Declined bool      // it was declined or cancelled by hand, or the account was deleted: never invited again
}

// Absences count, for somebody who was justified before, the complete reads in a row that no longer justify them. It is only kept when
// RemovalReads asks for more than one.
type Absences map[team.ID]map[team.AccountID]int

// Result is who should be where.
type Result struct {
	Wanted  []team.Wanted
	Held    []Held
	Refused []Refused

	Found    Ledger    // current members whom a mapped group justifies and whom the ledger does not know, or knows by other mappings
	Forget   Ledger    // rows of the ledger whose account has left the team by another hand, or is kept after a disconnect
	Settled  []team.ID // disconnected teams with nothing left to do
	Absences Absences
}

// A Held is a person who should be in a team and cannot be yet.
type Held struct {
	Team    team.ID
	User    link.UserRef
	Name    string
	Reason  string // link.Reason, or HeldInactive, HeldPending
	Message string
}

// Reasons for held people beside those of package link.
const (
	HeldInactive = "inactive"
	HeldPending  = "pending"
)

// A Refused is a mapping or a team that is not carried out. It stops nothing else.
type Refused struct {
	Team    team.ID
	Slug    string
	Mapping string
	Reason  RefusedReason
	Message string
}

// A RefusedReason is a stable word for why a mapping or team is not carried out.
type RefusedReason string

// Why mappings and teams are refused.
const (
	ParentTeam    RefusedReason = "parent-team"
	ForeignTeam   RefusedReason = "foreign-team"
	NoSuchTeam    RefusedReason = "no-such-team"
	NoSuchGroup   RefusedReason = "no-such-group"
	TooManyGroups RefusedReason = "too-many-groups"
	GroupTooLarge RefusedReason = "group-too-large"
	NameNotUnique RefusedReason = "name-not-unique"
	TwoOrigins    RefusedReason = "two-origins"
	TwoModes      RefusedReason = "two-modes"
	SlugConflict  RefusedReason = "slug-conflict"
	TeamDeleted   RefusedReason = "team-deleted"
	SourceUnknown RefusedReason = "no-such-source"
)

// InvitationLife is how long GitHub keeps an invitation open.
const InvitationLife = 7 * 24 * time.Hour

// mayBeInvited reports whether a former member may be sent another invitation now. Each
// unanswered one doubles the wait for the next, and after five, or one declined, there is none.
func (f Former) mayBeInvited(now time.Time) bool {
	if f.Declined || f.Invited >= 5 {
		return false
	}
	return f.Invited == 0 || now.Sub(f.LastAt) >= InvitationLife<<f.Invited
}
