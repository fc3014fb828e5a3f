// Package answer is what people ask of this house and what they are told: plain values, and the functions that gather them from the
// stages, the store and the configuration.
//
// The command line, the API and the console give the same answers because all of them ask a Desk. A House answers from its own rooms; a
// Desk may as well stand at the other end of a network, so every question and every answer is a value that JSON can carry, and so is
// every Error that a person can act on. How an answer looks is for the door to say; who may ask is, too.
//
// A field of an answer is only ever added.
package answer

import (
	"context"
	"io"
	"time"
)

// A Desk answers questions and does what it is asked. What only looks writes nothing, neither to a target nor to memory.
type Desk interface {
	// Configured lists the sources and targets of the configuration, in order of name.
	Configured(ctx context.Context) (Configured, error)

	// Plan reads the sources and a target and says what a sync would change.
	Plan(ctx context.Context, target string) (Plan, error)
	// PlanUndo says what taking back a run would change. The plan is empty when nothing of the run is left to undo.
	PlanUndo(ctx context.Context, run string) (Plan, error)
	// Sync plans anew and makes the changes that no guard objects to. tell hears of the plan before the first write and of every write; it
	// may be nil. What was done is in the answer also when there is an error; Done.Err is about what failed in a run that went through.
	Sync(ctx context.Context, wish SyncWish, tell func(Progress)) (Done, error)
	// Undo takes back what a run has written, past the guards, and pauses its target.
	Undo(ctx context.Context, wish UndoWish, tell func(Progress)) (Done, error)

	// Approve waives objections. A preview only says which.
	Approve(ctx context.Context, wish ApproveWish) (Approval, error)
	// Pause stops a target until Resume.
	Pause(ctx context.Context, wish PauseWish) (Pausing, error)
	Resume(ctx context.Context, wish PauseWish) (Pausing, error)
	// Link says by hand whose account it is, Unlink takes that back.
	Link(ctx context.Context, wish LinkWish) (Linked, error)
	Unlink(ctx context.Context, wish UnlinkWish) (Unlinked, error)

	// Check reaches every source and target. It stops at nothing: what is wrong stands in the answer.
	Check(ctx context.Context) (Check, error)
	// Status says from memory how targets stand: all when none are named.
	Status(ctx context.Context, targets ...string) (Status, error)
	// Why says from stored evidence why somebody is in a team, or why not. user is a login, an account's number, or source/user; team is a
	// slug, an id, or either behind target/.
	Why(ctx context.Context, user, team string) (Answer, error)
	// Groups lists the groups of a source, in order of name.
	Groups(ctx context.Context, wish GroupsWish) (Groups, error)
	// Teams lists the teams of a target, in order of slug.
	Teams(ctx context.Context, target string) (Teams, error)
	// Links lists the linked identities, in order of user.
	Links(ctx context.Context) (Links, error)
	// Runs lists runs, the newest first.
	Runs(ctx context.Context, wish RunsWish) (Runs, error)
	// Run returns a run with everything that it wrote or tried to.
	Run(ctx context.Context, id string) (Run, error)

	// Audit returns a piece of the audit record, the oldest entry first.
	Audit(ctx context.Context, choose AuditFilter) (Audit, error)
	// Export writes all entries that the filter chooses as lines of JSON, the oldest first.
	Export(ctx context.Context, choose AuditFilter, to io.Writer) error
	// ExportCSV writes the same as comma-separated values, of which a spreadsheet takes none for a formula.
	ExportCSV(ctx context.Context, choose AuditFilter, to io.Writer) error
	// Verify walks the whole audit record and proves that nobody has changed it.
	Verify(ctx context.Context) (Verified, error)
}

// Configured is what the configuration names.
type Configured struct {
	Sources []ConfiguredSource `json:"sources"`
	Targets []ConfiguredTarget `json:"targets"`

	path string // of the file, where it is at hand
}

// A ConfiguredSource is one source of the configuration.
type ConfiguredSource struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
}

// A ConfiguredTarget is one target of the configuration.
type ConfiguredTarget struct {
	Name  string `json:"name"`
	Kind  string `json:"kind"`
	Apply string `json:"apply"` // who carries its plans out: auto, approve or off
}

// SourceNames returns the names of the sources.
func (c Configured) SourceNames() []string {
	names := make([]string, 0, len(c.Sources))
	for _, s := range c.Sources {
		names = append(names, s.Name)
	}
	return names
}

// TargetNames returns the names of the targets.
func (c Configured) TargetNames() []string {
	names := make([]string, 0, len(c.Targets))
	for _, t := range c.Targets {
		names = append(names, t.Name)
	}
	return names
}

// Target returns the target of a name.
func (c Configured) Target(name string) ConfiguredTarget {
	for _, t := range c.Targets {
		if t.Name == name {
			return t
		}
	}
	return ConfiguredTarget{}
}

// Choose checks the names of targets; none means all. It is an error when there are none at all.
func (c Configured) Choose(names []string) ([]string, error) {
	known := c.TargetNames()
	for _, name := range names {
		if err := OneOf("target", name, known); err != nil {
			return nil, err
		}
	}
	switch {
	case len(names) > 0:
		return names, nil
	case len(known) == 0:
		file := c.path
		if file == "" {
			file = "the configuration"
		}
		return nil, Errorf(Nothing, "no target is configured").WithHint("say under targets: in " + file + " which organization to keep")
	}
	return known, nil
}

// A Pause is who stopped a target and why.
type Pause struct {
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
}

// list makes an empty list of none: programs should not have to tell null from [].
func list[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}
