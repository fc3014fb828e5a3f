package reconcile

import (
	"context"
	"time"

	"musterline.example/audit"
	"musterline.example/directory"
	"musterline.example/guard"
	"musterline.example/link"
	"musterline.example/mapping"
	"musterline.example/plan"
	"musterline.example/target"
	"musterline.example/team"
)

// Memory is everything that outlives a run. The store satisfies it; NoMemory is what a plan without a database remembers.
type Memory interface {
	Recollection
	Notebook
}

// A Recollection is what a run reads from memory. None of it writes, so a plan can be made from it by a command that never writes.
type Recollection interface {
	Paused(ctx context.Context, target string) (Pause, error)
	Requests(ctx context.Context, target string) ([]Request, error) // waiting, oldest first

	Mappings(ctx context.Context, target string) ([]mapping.Mapping, error)
	Disconnects(ctx context.Context, target string) ([]mapping.Disconnect, error)

	Links(ctx context.Context, host string) ([]link.Link, error)
	Statements(ctx context.Context, host string) ([]link.Statement, error) // manual and self-service, made by link or on the console

	Ledger(ctx context.Context, place team.Place) (mapping.Ledger, error)
	Connected(ctx context.Context, place team.Place) (map[team.ID]time.Time, error)
	Former(ctx context.Context, place team.Place) (map[team.AccountID]mapping.Former, error)
	// Absences also tells when the read was made that was counted last.
	Absences(ctx context.Context, place team.Place) (mapping.Absences, time.Time, error)
	Protected(ctx context.Context, target string) (map[string]team.AccountID, error) // by folded login, as settled at first sight

	// Earlier tells what complete reads of a source said that runs of a target have judged; with before set, only reads made before it.
	// Last and the failure are left out.
	Earlier(ctx context.Context, source, target string, before time.Time) (Reads, error)
	Snapshot(ctx context.Context, source string) (*directory.Snapshot, error) // the last complete read; nil when there never was one
	Waivers(ctx context.Context, target string) ([]guard.Waiver, error)       // that are not used up; the guard judges their age
	Recent(ctx context.Context, target string, since time.Time) ([]guard.Done, error)
	OpenIntents(ctx context.Context, target string) ([]OpenIntent, error)
	RunWrites(ctx context.Context, run string) ([]RunWrite, error)                     // that took effect: done, or seen by a later run
	RunReading(ctx context.Context, run string) (*Reading, error)                      // what an earlier slice left; nil in the first. Finish forgets it
	KeptReading(ctx context.Context, target string, since time.Time) (*Reading, error) // of the last finished run; nil when it is older
}

// A Notebook is what a run writes to memory. Each method is one transaction.
type Notebook interface {
	// Begin opens a run, or returns the one that an earlier slice left open, and takes the requests that are due into it. A run that
	// has read its target takes those for teams or an account only: who asks for the whole waits for a run that reads it anew. With no
	// trigger given, that of the first person's request is the run's, else of the first event's, else of the first.
	Begin(ctx context.Context, r Run) (Run, error)
	// CountCalls adds to what a run has asked of its target.
	CountCalls(ctx context.Context, run string, c target.Calls) error
	// Finish closes a run with its report.
	Finish(ctx context.Context, run string, r Report) error

	// SaveSnapshot keeps a complete read at the end of a run that judged it, so that during the run Reads tells what earlier ones said:
	// its body as the source's last, its figures for good, groups that are new, gone or had members. To the runs of this target the zero
	// shape is no part of what is usual, nor are the sizes of groups of a read that is not usual. A read that several runs judge is
	// recorded once.
	SaveSnapshot(ctx context.Context, target string, s *directory.Snapshot, shape guard.Shape, usual bool) error
	// SaveFailure remembers that a source could not be read.
	SaveFailure(ctx context.Context, source string, at time.Time, message string) error
	SaveRunReading(ctx context.Context, run string, r *Reading) error
	// KeepReading keeps what a run has read of its target for one that comes soon.
	KeepReading(ctx context.Context, target string, r *Reading) error
	// SaveMembers remembers who is a member of the organization, so that who has left it is known.
	SaveMembers(ctx context.Context, place team.Place, accounts []team.Account, at time.Time) error
	// SaveTeams keeps teams as they were read, for people to look at. With kept, those that are as they were have not been read anew.
	SaveTeams(ctx context.Context, place team.Place, teams []team.Team, at time.Time, kept bool) error
	// SaveDeclined remembers former members who have declined an invitation, whose invitation somebody has cancelled, or whose account
	// was deleted: they are not
	// invited again until they have come back by themselves.
	SaveDeclined(ctx context.Context, place team.Place, accounts []team.AccountID) error

	// SaveMappings brings the rows of a target in line with these, ids and all, and adds the teams that are left without one to the
	// disconnects; with one audit entry for each team that changed.
	SaveMappings(ctx context.Context, target string, mappings []mapping.Mapping, lost []mapping.Disconnect) error
	SaveLinks(ctx context.Context, host string, links []link.Link) error
	// SavePlan keeps what a run has planned and what guards said of it, for people to read and approve.
	SavePlan(ctx context.Context, run string, p *plan.Plan, objections []guard.Objection) error
	// Found records in the ledger current members whom a mapped group justifies, under one audit entry for each team; it also brings
	// the mappings of entries that exist up to date.
	Found(ctx context.Context, run string, place team.Place, entries mapping.Ledger) error
	// Forget takes entries out of the ledger whose account is no longer in the team or is kept after a disconnect.
	Forget(ctx context.Context, run string, place team.Place, entries mapping.Ledger) error
	// Restore puts rows of the ledger back as they were, under one audit entry for each team.
	Restore(ctx context.Context, run string, place team.Place, entries mapping.Ledger) error
	// SaveConnected ends the first connection of teams.
	SaveConnected(ctx context.Context, place team.Place, teams []team.ID, at time.Time) error
	SaveProtected(ctx context.Context, target string, pins map[string]team.AccountID) error
	SaveAbsences(ctx context.Context, place team.Place, a mapping.Absences, read time.Time) error
	// SettleDisconnects forgets disconnects that are carried out.
	SettleDisconnects(ctx context.Context, target string, teams []team.ID) error
	// SettleWaivers takes changes out of waivers that are done or no longer wanted.
	SettleWaivers(ctx context.Context, target string, done []guard.Ref) error
	Pause(ctx context.Context, target string, p Pause) error
}

// A Pause is the stop button of a target. The zero value is not paused.
type Pause struct {
	By, Reason string
	At         time.Time
}

// A Request is somebody's wish for a sync.
type Request struct {
	ID      string
	Target  string
	Teams   []team.ID      // empty with no account: all
	Account team.AccountID // a sign-in
	Trigger string         // schedule, person, event
	Asker   string
	Why     string
	AskedAt time.Time
	DueAt   time.Time // no run takes it before; zero: at once
}

// Narrow reports whether the request is for some teams or one account. The others want everything read anew.
func (r Request) Narrow() bool { return len(r.Teams) > 0 || r.Account != "" }

// ByPerson and the others are what sets a sync off.
const (
	ByPerson   = "person"
	ByEvent    = "event"
	BySchedule = "schedule"
)

// Waited reports whether somebody waits for what the request asks.
func (r Request) Waited() bool { return r.Trigger != BySchedule }

// A Run is one reconcile of one target, in one slice or many.
type Run struct {
	ID         string
	Target     string
	Trigger    string
	Requester  string
	Credential string
	StartedAt  time.Time
	Undoes     string    // the run that this one takes back
	Why        string    // it is taken back, in the words of who asked; in memory it stands with the pause that is left
	First      []team.ID // teams that a request names: they are written first
	Cancelled  string    // by whom; empty while nobody has
	AliveAt    time.Time // the last sign of life, of one whose progress is written

	Requests []Request // that the run answers, the oldest first
	Taken    []Request // those of them that this slice has taken
	Tally    Tally     // of earlier slices
}

// Narrow reports whether all that the run is asked for are some teams and accounts.
func (r Run) Narrow() bool {
	for _, q := range r.Requests {
		if !q.Narrow() {
			return false
		}
	}
	return len(r.Requests) > 0
}

// Reads are what earlier complete reads of a source said.
type Reads struct {
	Last       *directory.Snapshot // nil when there never was one
	Failure    string              // of the last try, when it failed after Last
	FailedAt   time.Time
	DayAgo     map[directory.GroupID]int // flattened sizes in the complete read nearest 24 hours ago; nil without an earlier read
	HadMembers map[directory.GroupID]bool
	Names      map[directory.GroupID]string // last known, of groups that had members or are missing
	Missing    map[directory.GroupID]Missing
	Shapes     []guard.Shape // newest first, at most 7
}

// Missing says since when a group that was once listed is not.
type Missing struct {
	Since time.Time
	Reads int
}

// An OpenIntent is an intent that a crash left without outcomes for some of its writes.
type OpenIntent struct {
	ID     string
	Intent audit.Intent
	Open   []audit.Write
}

// A Reading is what a run has read, so that the next slice need not read it again.
type Reading struct {
	Sources         map[string]mapping.Reading
	Credential      string // its kind and name, for the audit
	Place           team.Place
	Accounts        []team.Account
	AccountsAt      time.Time
	Identities      bool   // the external identities beside the accounts were readable and read in full
	IdentityTrouble string // why not
	Teams           []team.Team
	TeamsAt         time.Time
	Touched         []team.ID // teams to read again before the next plan
	Slices          int       // that the run has finished
	LeftAt          time.Time // when the last of them ended

	Absences mapping.Absences // as they were before the run: its slices are one read together
	Tally    Tally            // of the slices that the run has finished
	Kept     bool             // accounts and teams are those that an earlier run has read
}

// A Tally counts writes.
type Tally struct{ Done, Already, Failed, Skipped, Unknown int }

// A Report is how a run ended.
type Report struct {
	Run     string
	State   string // done, objected, failed, cancelled or off
	Summary plan.Summary

	Done, Already, Failed, Skipped, Unknown int // writes: in this slice, and in memory in the whole run

	Calls    target.Calls // in this slice
	Objected int          // changes that guards stop
	Unread   []string     // sources that could not be read, and why
	Error    string
	At       time.Time
}

// A RunWrite is one write that a run made, with the ledger's row as it was before it; nil when there was none.
type RunWrite struct {
	audit.Write
	Team   team.ID
	Slug   string
	Before *mapping.Entry
}
