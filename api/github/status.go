package github

import (
	"context"
	"errors"
	"time"

	"musterline.example/mapping"
	"musterline.example/store"
	"musterline.example/team"
)

// The values of status. GitHub publishes "unsynced" alone, as an example.
const (
	synced   = "synced"
	unsynced = "unsynced"
)

// Planned is what the last plan of a target says of its teams.
type planned struct {
	at       time.Time        // of the plan; zero: there is none
	finished time.Time        // of its run, when that ended well
	open     map[team.ID]bool // teams with a change that was not made by the time of the plan
	stopped  map[team.ID]bool // teams with a change that a guard stops, or that are refused
	refused  map[string]bool  // mappings that are refused, by id
}

func (a *API) planned(ctx context.Context, name string) (planned, error) {
	return a.plans.get(ctx, name, func(ctx context.Context) (planned, error) {
		last, err := a.memory.LastPlan(ctx, name)
		if errors.Is(err, store.ErrNotFound) {
			return planned{}, nil
		}
		if err != nil {
			return planned{}, err
		}
		p := planned{at: last.At, open: map[team.ID]bool{}, stopped: map[team.ID]bool{}, refused: map[string]bool{}}
		for _, t := range last.Plan.Teams {
			p.open[t.Team] = true
		}
		for _, r := range last.Plan.Refused {
			p.refused[r.Mapping] = true
			if r.Mapping == "" {
				p.stopped[r.Team] = true
			}
		}
		for _, o := range last.Objections {
			for _, ref := range o.Changes {
				p.stopped[ref.Team] = true
			}
		}
		runs, err := a.memory.Runs(ctx, name, "", 5)
		if err != nil {
			return planned{}, err
		}
		for _, r := range runs {
			if r.ID == last.Run && (r.Report.State == "done" || r.Report.State == "objected") {
				p.finished = r.FinishedAt
			}
		}
		return p, nil
	})
}

// done reports whether a mapping of a team is carried out, and since when that is known. It never claims what no run has shown: a mapping
// that is newer than the last plan is not, nor is one whose team has a change left.
func (p planned) done(of team.ID, m mapping.Mapping) (time.Time, bool) {
	switch {
	case p.at.IsZero(), m.Echo.MappedAt >= p.at.UnixMicro(), p.stopped[of], p.refused[m.ID]:
		return time.Time{}, false
	case !p.finished.IsZero():
		return p.finished, true
	}
	return p.at, !p.open[of]
}
