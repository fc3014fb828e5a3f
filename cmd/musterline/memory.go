package main

import (
	"context"
	"time"

	"musterline.example/guard"
	"musterline.example/link"
	"musterline.example/mapping"
	"musterline.example/reconcile"
	"musterline.example/team"
)

// Forgetful is the memory of a command that never writes where there is no database: it knows nothing of the past, so that every team
// counts as a first connection.
type forgetful struct{}

var _ reconcile.Recollection = forgetful{}

func (forgetful) Mappings(context.Context, string) (m []mapping.Mapping, err error) { return }

func (forgetful) Paused(context.Context, string) (p reconcile.Pause, err error)              { return }
func (forgetful) Requests(context.Context, string) (r []reconcile.Request, err error)        { return }
func (forgetful) Disconnects(context.Context, string) (d []mapping.Disconnect, err error)    { return }
func (forgetful) Links(context.Context, string) (l []link.Link, err error)                   { return }
func (forgetful) Statements(context.Context, string) (s []link.Statement, err error)         { return }
func (forgetful) Ledger(context.Context, team.Place) (l mapping.Ledger, err error)           { return }
func (forgetful) Connected(context.Context, team.Place) (c map[team.ID]time.Time, err error) { return }
func (forgetful) Absences(context.Context, team.Place) (a mapping.Absences, err error)       { return }
func (forgetful) Reads(context.Context, string) (r reconcile.Reads, err error)               { return }
func (forgetful) Waivers(context.Context, string) (w []guard.Waiver, err error)              { return }
func (forgetful) OpenIntents(context.Context, string) (o []reconcile.OpenIntent, err error)  { return }
func (forgetful) RunReading(context.Context, string) (r *reconcile.Reading, err error)       { return }
func (forgetful) RunWrites(context.Context, string) (w []reconcile.RunWrite, err error)      { return }
func (forgetful) Recent(context.Context, string, time.Time) (d []guard.Done, err error)      { return }
func (forgetful) Former(context.Context, team.Place) (f map[team.AccountID]mapping.Former, err error) {
	return
}
