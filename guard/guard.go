// Package guard looks at a whole plan before the first write. Guards object to changes; a person waives them; Approve turns what is left
// into the only thing that can be applied. It is pure: the clock and every figure come in Facts.
package guard

import (
	"time"

	"musterline.example/plan"
	"musterline.example/team"
)

// A Guard looks at a plan and objects to what it finds dangerous, with the figures and the way out.
type Guard interface {
	Name() string
	Check(p *plan.Plan, f Facts) []Objection
}

// A Ref names one change of a plan in a way that stays true in later plans.
type Ref struct {
	Team    team.ID        `json:"team"` // empty with Slug set for a team that is to be created
	Slug    string         `json:"slug,omitempty"`
	Account team.AccountID `json:"account"`
	Act     plan.Act       `json:"act"`
}

// An Objection stops exactly the changes that it names. One that names none is a warning.
type Objection struct {
	Guard   string
	Team    team.ID // the team it is about; empty when it is about a source or the organization
	Slug    string
	Source  string // the source it is about, if any
	Changes []Ref
	Message string // what the guard saw, with its figures and its limit
	WayOut  string // what a person can do when the plan is right, and what when it is wrong
}

// A Waiver is a named person's acceptance of changes: those and no others pass the guards that objected to them, in any later plan.
// Each change is used up when done or no longer wanted; the rest ends after 72 hours.
type Waiver struct {
	ID      string
	Target  string
	Changes []Waived
	By      string
	Reason  string
	At      time.Time
}

// A Waived is one change of a waiver with the guards that had objected to it. One that makes somebody a member is not accepted as one that makes
// them a maintainer.
type Waived struct {
	Ref
	Role   string `json:"role,omitempty"` // after the change: member or maintainer; empty: of no matter
	Guards []string
}

// WaiverLife is how long a waiver lives.
const WaiverLife = 72 * time.Hour

// Facts are the figures that guards judge by, gathered by reconcile. They cover the target and the sources its mappings name.
type Facts struct {
	Now     time.Time
	Place   team.Place
	Sources map[string]SourceFacts
	Teams   map[team.ID]TeamFacts
	Recent  []Done // changes of this target done in the last 24 hours

	// OrganizationMembers is how many members the organization has.
	OrganizationMembers int

	// MappingsBefore and MappingsLost say how many teams the target had mapped, and how many of them have no mapping any more and wait
	// to lose their members.
	MappingsBefore, MappingsLost int

	// Unintended are writes under our own credential that match no intent of ours: a second Musterline, or a script.
	Unintended []Unintended

	// ApprovedByHand is set when a person answered the question that the guard approval asks, for this very plan.
	ApprovedByHand bool
}

// SourceFacts are the figures of one source.
type SourceFacts struct {
	ReadAt      time.Time // of the snapshot that the plan rests on
	Now         Shape
	History     []Shape  // of earlier complete reads, newest first, at most 7
	Memberships int      // of its mapped groups, flattened, 24 h ago; of now when no older read is known
	Shrunk      []string // names of mapped groups that have fewer members than 24 h ago; nil without an older read
	Groups      int      // mapped groups known 24 h ago
	LinksBefore int      // standing links of its users before this plan
	LinksLost   int      // of these, revoked by this plan's read
	Disabled    int      // users who were members in the last complete read and are disabled or deleted now
}

// A Shape is what a source looks like from afar. A jump in it means that we see it with other eyes: a lost scope, a renamed attribute.
type Shape struct {
	At                            time.Time
	Groups, Users, Linked, Active int
}

// TeamFacts are the figures of one team.
type TeamFacts struct {
	Connected bool                    // its first connection has ended
	Members24 int                     // its size 24 h ago; the size now when that is not known
	Known     map[team.AccountID]bool // of the accounts that the plan removes: those in the ledger
	Emptied   []string                // groups behind its mappings, nested ones too, that are empty and had members in an earlier complete read
	Missing   []MissingGroup
	Settings  *Settings // the team's own, or nil
}

// A MissingGroup is a mapped group that its source no longer lists.
type MissingGroup struct {
	Name  string
	Since time.Time // of the first complete read without it
	Reads int       // complete reads without it
}

// Done is a change that was carried out.
type Done struct {
	Ref
	At      time.Time
	Sources []string
	Rule    team.Rule // why, of the first reason
	Waived  []string  // guards that a waiver let it pass: for these it counts no more
}

// An Unintended write is one by our own credential that we have no intent for.
type Unintended struct {
	Ref
	At time.Time
}

// Approved is a plan to which no guard objects, or whose objections somebody waived by name. Only Approve makes a usable one.
type Approved struct {
	plan    *plan.Plan
	waivers []Waiver
	at      time.Time
}

// Plan returns the approved plan: it holds the changes that may be made and no others. Nil for the zero value, which apply refuses.
func (a Approved) Plan() *plan.Plan { return a.plan }

// Waivers returns the waivers that the plan needed, each with the changes that needed it.
func (a Approved) Waivers() []Waiver { return a.waivers }

// At returns the moment of the approval.
func (a Approved) At() time.Time { return a.at }
