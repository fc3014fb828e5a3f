package answer

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"musterline.example/catalog"
	"musterline.example/config"
	"musterline.example/store"
)

// Connections are sources and targets with where they are defined and how they stand.
type Connections struct {
	Sources []SourceConnection `json:"sources"`
	Targets []TargetConnection `json:"targets"`
}

// A Connection is where a source or a target is defined.
type Connection struct {
	Name    string    `json:"name"`
	Kind    string    `json:"kind"`
	Title   string    `json:"title"`          // of the kind
	Origin  string    `json:"origin"`         // file or api
	File    string    `json:"file,omitempty"` // what the file defines is changed there
	Line    int       `json:"line,omitempty"`
	By      string    `json:"by,omitempty"`
	At      time.Time `json:"at,omitzero"`
	Secrets []string  `json:"secrets"`         // the keys of those that are set
	Unfit   string    `json:"unfit,omitempty"` // why it was left out of what is in force
}

// A SourceConnection is a source.
type SourceConnection struct {
	Connection
	ReadAt   time.Time `json:"read_at,omitzero"` // of the last complete read
	Groups   int       `json:"groups"`
	Users    int       `json:"users"`
	Failure  string    `json:"failure,omitempty"` // of the last try, when it failed after that
	FailedAt time.Time `json:"failed_at,omitzero"`
}

// A TargetConnection is a target.
type TargetConnection struct {
	Connection
	Host         string     `json:"host"`
	Organization string     `json:"organization,omitempty"`
	Apply        string     `json:"apply,omitempty"` // who carries plans out: auto, approve or off
	Enabled      bool       `json:"enabled"`
	Members      string     `json:"members,omitempty"` // what was answered when it was turned off: keep or remove
	Paused       *Pause     `json:"paused,omitempty"`
	Mapped       int        `json:"mapped"`        // teams
	Run          *RunStatus `json:"run,omitempty"` // the last one; none when there was none
	RestsOn      []string   `json:"rests_on,omitempty"`
}

// Connections lists sources and targets in order of name, from memory; of targets those that are named, nil: all.
func (h *House) Connections(ctx context.Context, targets []string) (Connections, error) {
	list := Connections{Sources: []SourceConnection{}, Targets: []TargetConnection{}}
	var status Status
	if len(h.Config.Targets) > 0 && (targets == nil || len(targets) > 0) {
		var err error
		if status, err = h.Status(ctx, targets...); err != nil {
			return list, err
		}
	}
	var known []store.SourceState
	if h.Store != nil {
		var err error
		if known, err = h.Store.Sources(ctx); err != nil {
			return list, err
		}
	}
	rows, err := h.Rows(ctx, config.SourcesSection)
	if err != nil {
		return list, err
	}
	shown := h.sourcesShown(targets)
	for _, r := range rows.Rows {
		if targets != nil && !slices.Contains(shown, r.Name) {
			continue
		}
		s := SourceConnection{Connection: connection(r, h.Config.Sources[r.Name].Kind)}
		if k, ok := catalog.Source(s.Kind); ok {
			s.Title = k.Title
		}
		if i := slices.IndexFunc(known, func(of store.SourceState) bool { return of.Name == r.Name }); i >= 0 {
			of := known[i]
			s.ReadAt, s.Groups, s.Users, s.Failure, s.FailedAt = of.ReadAt, of.Shape.Groups, of.Shape.Users, of.Failure, of.FailedAt
		}
		list.Sources = append(list.Sources, s)
	}
	if rows, err = h.Rows(ctx, config.TargetsSection); err != nil {
		return list, err
	}
	for _, r := range rows.Rows {
		if targets != nil && !slices.Contains(targets, r.Name) {
			continue
		}
		t := TargetConnection{Connection: connection(r, h.Config.Targets[r.Name].Kind), Enabled: true}
		if k, ok := catalog.Target(t.Kind); ok {
			t.Title = k.Title
		}
		if i := slices.IndexFunc(status.Targets, func(of TargetStatus) bool { return of.Name == r.Name }); i >= 0 {
			of := status.Targets[i]
			t.Host, t.Apply, t.Paused, t.Mapped, t.Run, t.RestsOn = h.host(ctx, r.Name), of.Apply, of.Paused, of.Mapped, of.Run, of.RestsOn
			t.Organization = h.Config.Targets[r.Name].Values.Text("organization")
			e, err := h.Enabled(ctx, r.Name)
			if err != nil {
				return list, err
			}
			t.Enabled, t.Members = e.Enabled, e.Members
		}
		list.Targets = append(list.Targets, t)
	}
	slices.SortStableFunc(list.Sources, func(a, b SourceConnection) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortStableFunc(list.Targets, func(a, b TargetConnection) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}

// connection is where a row is defined. A row that was left out of what is in force has no kind there.
func connection(r Row, kind string) Connection {
	if kind == "" || r.Unfit != "" {
		var body struct {
			Kind string `json:"kind"`
		}
		_ = json.Unmarshal(r.Body, &body) // what is wrong with it stands in Unfit
		kind = body.Kind
	}
	return Connection{
		Name: r.Name, Kind: kind, Origin: r.Origin, File: r.File, Line: r.Line, By: r.By, At: r.At, Secrets: r.Secrets, Unfit: r.Unfit,
	}
}
