package reconcile

import (
	"context"
	"time"

	"musterline.example/directory"
	"musterline.example/guard"
	"musterline.example/link"
	"musterline.example/mapping"
	"musterline.example/team"
)

// NoMemory is what a plan without a database remembers: nothing. Every team counts as a first connection.
type NoMemory struct{}

var _ Recollection = NoMemory{}

// Paused implements Recollection.
func (NoMemory) Paused(context.Context, string) (p Pause, err error) { return }

// Requests implements Recollection.
func (NoMemory) Requests(context.Context, string) (rs []Request, err error) { return }

// Mappings implements Recollection.
func (NoMemory) Mappings(context.Context, string) (ms []mapping.Mapping, err error) { return }

// Disconnects implements Recollection.
func (NoMemory) Disconnects(context.Context, string) (ds []mapping.Disconnect, err error) { return }

// Links implements Recollection.
func (NoMemory) Links(context.Context, string) (ls []link.Link, err error) { return }

// Statements implements Recollection.
func (NoMemory) Statements(context.Context, string) (ss []link.Statement, err error) { return }

// Ledger implements Recollection.
func (NoMemory) Ledger(context.Context, team.Place) (l mapping.Ledger, err error) { return }

// Connected implements Recollection.
func (NoMemory) Connected(context.Context, team.Place) (c map[team.ID]time.Time, err error) { return }

// Former implements Recollection.
func (NoMemory) Former(context.Context, team.Place) (f map[team.AccountID]mapping.Former, err error) {
	return
}

// Absences implements Recollection.
func (NoMemory) Absences(context.Context, team.Place) (a mapping.Absences, read time.Time, err error) {
	return
}

// Protected implements Recollection.
func (NoMemory) Protected(context.Context, string) (p map[string]team.AccountID, err error) { return }

// Earlier implements Recollection.
func (NoMemory) Earlier(context.Context, string, string, time.Time) (r Reads, err error) { return }

// Snapshot implements Recollection.
func (NoMemory) Snapshot(context.Context, string) (s *directory.Snapshot, err error) { return }

// Waivers implements Recollection.
func (NoMemory) Waivers(context.Context, string) (ws []guard.Waiver, err error) { return }

// Recent implements Recollection.
func (NoMemory) Recent(context.Context, string, time.Time) (ds []guard.Done, err error) { return }

// OpenIntents implements Recollection.
func (NoMemory) OpenIntents(context.Context, string) (is []OpenIntent, err error) { return }

// RunWrites implements Recollection.
func (NoMemory) RunWrites(context.Context, string) (ws []RunWrite, err error) { return }

// RunReading implements Recollection.
func (NoMemory) RunReading(context.Context, string) (r *Reading, err error) { return }

// KeptReading implements Recollection.
func (NoMemory) KeptReading(context.Context, string, time.Time) (r *Reading, err error) { return }
