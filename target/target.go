// Package target reads and changes one system whose teams we keep. The kinds lie in folders of their own; targettest is the suite that each
// of them passes.
package target

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"musterline.example/plan"
	"musterline.example/setting"
	"musterline.example/team"
)

// A Target is one system whose teams we keep in line. Every read is complete or an error: partial data is never returned. What reads can be
// asked at the same time.
type Target interface {
	// Probe asks who we are there, and what the credential has, needs and should not have. It is the first call of every run, and the
	// one that every state of a credential shows in.
	Probe(ctx context.Context) (Standing, error)

	// Accounts lists who could be a member, with the identities that the target has linked to them; with no ids given: all. An id
	// that is no member of the organization any more is absent from the answer.
	Accounts(ctx context.Context, ids []team.AccountID) (Accounts, error)

	// Find looks teams up by slug, else by exact display name. The answer holds at most one team by slug for each name, else all that
	// have the name; names without a team are absent.
	Find(ctx context.Context, names []string) ([]team.Team, error)

	// List lists all teams, a page at a time, in order of folded slug, without their members.
	List(ctx context.Context, page Page) ([]team.Team, Page, error)

	// Teams reads teams as they are now: immediate members, roles, pending invitations, children. A team that is gone is absent.
	Teams(ctx context.Context, ids []team.ID) ([]team.Team, error)

	// Apply makes one team's changes in the order create, additions, role changes, removals, and tells did of each write as it happens.
	// It is idempotent: a change that is already in place is reported as such and costs nothing worse than a call. When did returns
	// an error, Apply stops and returns it. One failed write does not stop the next; an error that concerns all of them does.
	Apply(ctx context.Context, c plan.TeamChange, did func(Outcome) error) error
}

// Accounts is an answer to Target.Accounts.
type Accounts struct {
	List []team.Account
	// Identities says whether the external identities beside the accounts were readable and read in full. Where it is false, their
	// absence proves nothing; Trouble says why in words a person can act on, and is empty when the organization has no single sign-on.
	Identities bool
	Trouble    string
}

// A Page is where to go on in a list, opaque to the caller; Size is a wish. The zero value is the first page, and what comes back with
// the last one.
type Page struct {
	Size  int
	Token string
}

// An Outcome is the result of one write.
type Outcome struct {
	Act     string // of the plan.Change, or "create" for the team itself
	Account team.AccountID
	Team    team.ID // of the team; new when Act is "create"
	Result  Result
	Err     error  // set for Failed and Skipped; an *Error where the target said something a person can act on
	Request string // the target's own id of the request
}

// A Result is how a write ended.
type Result string

// The results of a write.
const (
	Done    Result = "done"
	Already Result = "already"
	Pending Result = "pending"
	Failed  Result = "failed"
	Skipped Result = "skipped"
)

// ErrAccountGone is in the error of an outcome whose account has been deleted at the target. Ids are not used again: nobody will ever be
// there to invite.
var ErrAccountGone = errors.New("the account was deleted")

// A Standing is how we stand with a target.
type Standing struct {
	Place      team.Place
	Credential string    // kind and name, never the secret: "GitHub App 12 (musterline)", "classic token of ada"
	Expires    time.Time // zero when it does not end or does not say
	Has        []string  // permissions or scopes
	Needs      []string  // of what it needs, what it lacks
	Extra      []string  // what it has and should not have
	Warnings   []string
}

// A Class sorts errors by what has to happen next.
type Class string

// The classes of errors.
const (
	BadCredential Class = "bad-credential" // expired, revoked or wrong; never tried again
	Forbidden     Class = "forbidden"      // a scope, a role, single sign-on or an IP list is in the way
	NotFound      Class = "not-found"
	Limited       Class = "limited" // a rate limit; Until says when to come back
	Refused       Class = "refused" // the target understood and said no
	Unavailable   Class = "unavailable"
)

// An Error is what a target says when it cannot do what it was asked, sorted and with the next step.
type Error struct {
	Class   Class
	State   string // a stable word for the very state, such as "sso-unauthorized"; the catalogue is the kind's
	Message string // what is wrong
	Fix     string // what to do
	Until   time.Time
	Request string
	Err     error
}

// Error returns message and fix in one line.
func (e *Error) Error() string {
	if e.Fix == "" {
		return e.Message
	}
	return e.Message + ": " + e.Fix
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// ClassOf returns the class of the first *Error in err's chain, or Unavailable.
func ClassOf(err error) Class {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Class
	}
	return Unavailable
}

// Hints are small facts that make a read cheaper and never truer, such as the vendor's own handle of a team. They may be lost at any
// time. Keys and values are plain text. Whoever keeps hints calls Flush at the end of the read or change that told of them: until then
// they may be known to this process only. The methods may be called from several goroutines.
type Hints interface {
	Hint(key string) (value string, ok bool)
	Keep(key, value string)
	Flush()
}

// Env is what a kind is given to open a target with, beside the operator's values.
type Env struct {
	Name  string // the word in configuration files
	Lane  string // who waits: "person", "event" or "schedule"
	Now   func() time.Time
	HTTP  http.RoundTripper
	Log   *slog.Logger
	Hints Hints
	Meter Meter // nil: nobody counts
}

// A Meter is told what the calls under one credential cost. Its methods return at once and may be called from several goroutines. The
// context is that of the call, for who counts in it; the resource is the vendor's word for a ration, such as "core".
type Meter interface {
	// Called tells of one call; status 0 is one without an answer.
	Called(ctx context.Context, resource string, status int, took time.Duration)
	// Spent tells how many points of a ration an answer took, and Left what the vendor says remains of it.
	Spent(ctx context.Context, resource string, points int)
	Left(resource string, remaining, limit int)
	// Waited tells how long a call stood in the queue or before a limit.
	Waited(d time.Duration)
}

// A Feature is something a kind can or cannot do, for the capability table.
type Feature struct {
	Name string
	Can  bool
	Note string
}

// A Kind is one sort of target that the program knows, such as "github". The configuration check, the command line's help, the
// console's form, the capability table and the choice of conformance cases come from it.
type Kind struct {
	Name     string // the folder, and the word in configuration files
	Title    string // the vendor's own spelling
	Settings []setting.Field
	Features []Feature
	Open     func(ctx context.Context, v setting.Values, env Env) (Target, error)
}

// Named returns the error of an answer that two teams fit a name.
func Named(name string, found []team.Team) error {
	return fmt.Errorf("the name %q fits %d teams (%s and %s): use the slug", name, len(found), found[0].Slug, found[1].Slug)
}
