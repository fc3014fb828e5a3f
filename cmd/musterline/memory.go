package main

import (
	"context"
	"slices"
	"time"

	"musterline.example/cmd/musterline/config"
	"musterline.example/guard"
	"musterline.example/link"
	"musterline.example/mapping"
	"musterline.example/reconcile"
	"musterline.example/store"
	"musterline.example/team"
)

// Forgetful is the memory of a command that never writes where there is no database: it knows the configuration file and nothing of the
// past, so that every team counts as a first connection.
type forgetful struct{ config *config.Config }

var _ reconcile.Recollection = forgetful{}

func (f forgetful) Mappings(_ context.Context, target string) ([]mapping.Mapping, error) {
	return ofTarget(f.config.Mappings, target), nil
}

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

// A preview is the memory of a command that never writes where there is a database: what the store holds, with the mappings as they will be
// once a command that writes has loaded the file as it is now.
type preview struct {
	*store.Store
	config *config.Config
}

// Mappings returns the stored mappings brought in line with the file.
func (p preview) Mappings(ctx context.Context, target string) ([]mapping.Mapping, error) {
	rows, err := p.Store.Mappings(ctx, target)
	if err != nil {
		return nil, err
	}
	after, _ := mapping.Load(rows, ofTarget(p.config.Mappings, target))
	return after, nil
}

// Disconnects returns the stored ones, and those that loading the file will make.
func (p preview) Disconnects(ctx context.Context, target string) ([]mapping.Disconnect, error) {
	rows, err := p.Store.Mappings(ctx, target)
	if err != nil {
		return nil, err
	}
	stored, err := p.Store.Disconnects(ctx, target)
	if err != nil {
		return nil, err
	}
	_, lost := mapping.Load(rows, ofTarget(p.config.Mappings, target))
	return slices.Concat(stored, lost), nil
}

func ofTarget(mappings []mapping.Mapping, target string) []mapping.Mapping {
	return slices.DeleteFunc(slices.Clone(mappings), func(m mapping.Mapping) bool { return m.Target != target })
}
