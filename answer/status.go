package answer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"musterline.example/config"
	"musterline.example/guard"
	"musterline.example/mapping"
	"musterline.example/store"
)

// A Status is how things stand, from memory.
type Status struct {
	Database bool           `json:"database"` // there is one
	Targets  []TargetStatus `json:"targets"`
	Sources  []SourceStatus `json:"sources"`
	Unfit    []Unfit        `json:"unfit,omitempty"`
}

// An Unfit is a part of the configuration that was made over the API and left out, because it does not fit the file and the other parts.
type Unfit struct {
	Section string `json:"section"`
	Name    string `json:"name"`
	Reason  string `json:"reason"`
}

// A TargetStatus is how one target stands.
type TargetStatus struct {
	Name         string     `json:"name"`
	Kind         string     `json:"kind"`
	Organization string     `json:"organization,omitempty"`
	Apply        string     `json:"apply"`
	Mapped       int        `json:"mapped"`        // teams
	Connected    int        `json:"connected"`     // of these, the teams whose first connection has ended
	Run          *RunStatus `json:"run,omitempty"` // the last one; left out when there was none
	Objected     int        `json:"objected"`
	Guards       []string   `json:"guards"`
	Held         int        `json:"held"`
	HeldPeople   int        `json:"held_people"`
	Refused      int        `json:"refused"`
	Off          *TurnedOff `json:"off,omitempty"`
	Paused       *Pause     `json:"paused,omitempty"`
	RestsOn      []string   `json:"rests_on,omitempty"` // parts of the configuration that were left out: until they fit it is not synced
}

// A TurnedOff is who has turned a target off. Its teams are not kept in line until somebody turns it on again.
type TurnedOff struct {
	By      string    `json:"by"`
	At      time.Time `json:"at"`
	Members string    `json:"members"` // keep or remove
}

// A RunStatus is how a run went.
type RunStatus struct {
	ID         string    `json:"id"`
	Target     string    `json:"target,omitempty"` // left out in the status of the target
	Trigger    string    `json:"trigger"`
	Undoes     string    `json:"undoes,omitempty"` // the run that it took back
	Requester  string    `json:"requester,omitempty"`
	StartedAt  time.Time `json:"started_at"`
	FinishedAt time.Time `json:"finished_at,omitzero"`
	State      string    `json:"state"`
	Done       int       `json:"done"`
	Failed     int       `json:"failed"`
	Calls      int       `json:"calls"` // to the target, in the slices so far
	Cost       int       `json:"cost"`  // in points of the target's rations, as far as it tells
	Error      string    `json:"error,omitempty"`
}

// A SourceStatus is how one source stands.
type SourceStatus struct {
	Name     string    `json:"name"`
	Kind     string    `json:"kind"`
	ReadAt   time.Time `json:"read_at,omitzero"` // of the last complete read
	Groups   int       `json:"groups"`
	Users    int       `json:"users"`
	Failure  string    `json:"failure,omitempty"` // of the last try, when it failed after that
	FailedAt time.Time `json:"failed_at,omitzero"`
}

// Status says from memory how targets stand: all when none are named.
func (h *House) Status(ctx context.Context, names ...string) (Status, error) {
	configured, err := h.Configured(ctx)
	if err != nil {
		return Status{}, err
	}
	if names, err = configured.Choose(names); err != nil {
		return Status{}, err
	}
	status := Status{Database: h.Store != nil, Targets: []TargetStatus{}, Sources: []SourceStatus{}}
	for _, name := range names {
		t, err := h.targetStatus(ctx, name)
		if err != nil {
			return status, err
		}
		status.Targets = append(status.Targets, t)
	}
	if status.Sources, err = h.sourceStates(ctx); err != nil {
		return status, err
	}
	for _, u := range h.Config.Unfit {
		status.Unfit = append(status.Unfit, Unfit{u.Section, u.Name, u.Reason()})
	}
	return status, nil
}

func (h *House) targetStatus(ctx context.Context, name string) (TargetStatus, error) {
	t := TargetStatus{Name: name, Kind: h.Config.Targets[name].Kind, Apply: h.Config.Targets[name].Apply, Guards: []string{}}
	for _, u := range h.Config.Targets[name].LeftOut {
		t.RestsOn = append(t.RestsOn, u.Section+"/"+u.Name)
	}
	mappings, err := h.mappings(ctx, name)
	if err != nil {
		return t, err
	}
	t.Mapped = mappedTeams(mappings)
	if h.Store == nil {
		return t, nil
	}
	place, err := h.Store.Place(ctx, name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return t, err
	}
	if err == nil {
		t.Organization = fmt.Sprintf("%s on %s", place.Organization, place.Host)
		connected, err := h.Store.Connected(ctx, place)
		if err != nil {
			return t, err
		}
		t.Connected = len(connected)
	}
	if t.Paused, err = h.paused(ctx, name); err != nil {
		return t, err
	}
	if t.Off, err = h.off(ctx, name); err != nil {
		return t, err
	}
	runs, err := h.Store.Runs(ctx, name, "", 1)
	if err != nil {
		return t, err
	}
	for _, r := range runs {
		run := runOf(r)
		run.Target = ""
		t.Run = &run
	}
	last, err := h.Store.LastPlan(ctx, name)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return t, nil
	case err != nil:
		return t, err
	}
	t.Objected = guard.Count(last.Objections)
	for _, o := range last.Objections {
		if len(o.Changes) > 0 && !slices.Contains(t.Guards, o.Guard) {
			t.Guards = append(t.Guards, o.Guard)
		}
	}
	s := last.Plan.Summary()
	t.Held, t.HeldPeople, t.Refused = s.Held, s.People, len(last.Plan.Refused)
	return t, nil
}

// off says who has turned a target off; nil while it is on.
func (h *House) off(ctx context.Context, name string) (*TurnedOff, error) {
	if !h.Config.Targets[name].Disabled {
		return nil, nil
	}
	e, err := h.Enabled(ctx, name)
	if err != nil {
		return nil, err
	}
	row, err := h.Store.Configured(ctx, config.EnabledSection, name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	return &TurnedOff{By: row.By, At: row.At, Members: e.Members}, nil
}

// mappedTeams counts the teams that mappings name.
func mappedTeams(mappings []mapping.Mapping) int {
	teams := make(map[string]bool)
	for _, m := range mappings {
		if m.TeamID != "" {
			teams[string(m.TeamID)] = true
		} else {
			teams["by name: "+m.Team] = true
		}
	}
	return len(teams)
}
