package guard

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Settings are the limits of the guards. They are set for an organization and may be set anew for a team; the zero value of a field in a
// team's settings means the organization's, in an organization's the default. A team's settings are heard by the guards that look at
// one team at a time; those that look at a source or the organization hear the organization's only.
type Settings struct {
	FirstConnection string `yaml:"first_connection" json:"first_connection"` // "hold", or "apply" as GitHub does

	EmptyGroup   string        `yaml:"empty_group" json:"empty_group"`     // "hold" or "apply"
	MissingGroup time.Duration `yaml:"missing_group" json:"missing_group"` // how long a group must be gone, over two complete reads at least

	TeamRemovals         Limit `yaml:"team_removals" json:"team_removals"`
	TeamRemovalsSmall    Limit `yaml:"team_removals_small" json:"team_removals_small"` // for teams under 10 members
	TeamAdditions        Limit `yaml:"team_additions" json:"team_additions"`
	SourceRemovals       Limit `yaml:"source_removals" json:"source_removals"`
	SourceShrunk         Limit `yaml:"source_shrunk" json:"source_shrunk"` // share of its groups that shrink
	OrganizationRemovals Limit `yaml:"organization_removals" json:"organization_removals"`
	SourceShape          Limit `yaml:"source_shape" json:"source_shape"`
	DisabledUsers        Limit `yaml:"disabled_users" json:"disabled_users"`
	LostLinks            Limit `yaml:"lost_links" json:"lost_links"`
	MappingsLost         Limit `yaml:"mappings_lost" json:"mappings_lost"` // both the number and the share must be passed

	StaleWarn   time.Duration `yaml:"stale_warn" json:"stale_warn"`
	StaleFreeze time.Duration `yaml:"stale_freeze" json:"stale_freeze"`

	Apply     string   `yaml:"apply" json:"apply"`         // "auto", "approve" or "off"
	Protected []string `yaml:"protected" json:"protected"` // account ids that may never lose a team; a team's come on top of the organization's
	Off       []string `yaml:"off" json:"off"`             // names of guards that are switched off; a team's come on top of the organization's
}

// A Limit is passed by a count that is larger than both Max and Percent of the whole. A negative Max is never passed: it switches the
// limit off. A limit is set as a whole: one of 10 without a percentage is passed by the eleventh, whatever the whole.
type Limit struct {
	Max     int `yaml:"max" json:"max"`
	Percent int `yaml:"percent" json:"percent"`
}

// The words of settings.
const (
	Hold  = "hold"  // wait for a person
	Apply = "apply" // go on without asking

	ApplyAuto    = "auto"    // carry plans out
	ApplyApprove = "approve" // carry out what a person has approved
	ApplyOff     = "off"     // only show plans
)

// Defaults are the settings of an operator who sets none. Shares of small numbers say little, so the limits that are shares have a floor:
// one of two groups that shrinks, or one of ten users who leaves, is an ordinary day.
var Defaults = Settings{
	FirstConnection:      Hold,
	EmptyGroup:           Hold,
	MissingGroup:         24 * time.Hour,
	TeamRemovals:         Limit{Max: 5, Percent: 20},
	TeamRemovalsSmall:    Limit{Max: 3},
	TeamAdditions:        Limit{Max: 25, Percent: 100},
	SourceRemovals:       Limit{Max: 25, Percent: 5},
	SourceShrunk:         Limit{Max: 2, Percent: 20},
	OrganizationRemovals: Limit{Max: 500},
	SourceShape:          Limit{Max: 4, Percent: 10},
	DisabledUsers:        Limit{Max: 2, Percent: 5},
	LostLinks:            Limit{Max: 3, Percent: 5},
	MappingsLost:         Limit{Max: 3, Percent: 10},
	StaleWarn:            24 * time.Hour,
	StaleFreeze:          7 * 24 * time.Hour,
	Apply:                ApplyAuto,
}

// smallTeam is the size from which on a share of a team means something.
const smallTeam = 10

// Over returns the settings that hold where s is set on top of base.
func (s Settings) Over(base Settings) Settings {
	return Settings{
		FirstConnection:      cmp.Or(s.FirstConnection, base.FirstConnection),
		EmptyGroup:           cmp.Or(s.EmptyGroup, base.EmptyGroup),
		MissingGroup:         cmp.Or(s.MissingGroup, base.MissingGroup),
		TeamRemovals:         cmp.Or(s.TeamRemovals, base.TeamRemovals),
		TeamRemovalsSmall:    cmp.Or(s.TeamRemovalsSmall, base.TeamRemovalsSmall),
		TeamAdditions:        cmp.Or(s.TeamAdditions, base.TeamAdditions),
		SourceRemovals:       cmp.Or(s.SourceRemovals, base.SourceRemovals),
		SourceShrunk:         cmp.Or(s.SourceShrunk, base.SourceShrunk),
		OrganizationRemovals: cmp.Or(s.OrganizationRemovals, base.OrganizationRemovals),
		SourceShape:          cmp.Or(s.SourceShape, base.SourceShape),
		DisabledUsers:        cmp.Or(s.DisabledUsers, base.DisabledUsers),
		LostLinks:            cmp.Or(s.LostLinks, base.LostLinks),
		MappingsLost:         cmp.Or(s.MappingsLost, base.MappingsLost),
		StaleWarn:            cmp.Or(s.StaleWarn, base.StaleWarn),
		StaleFreeze:          cmp.Or(s.StaleFreeze, base.StaleFreeze),
		Apply:                cmp.Or(s.Apply, base.Apply),
		Protected:            slices.Concat(base.Protected, s.Protected),
		Off:                  slices.Concat(base.Off, s.Off),
	}
}

// off reports whether a guard is switched off by name.
func (s Settings) off(guard string) bool { return slices.Contains(s.Off, guard) }

// passed reports whether n of a whole is more than the limit allows.
func (l Limit) passed(n, whole int) bool {
	return l.Max >= 0 && n > l.Max && n*100 > l.Percent*whole
}

// of returns the most that the limit allows of a whole.
func (l Limit) of(whole int) int { return max(l.Max, l.Percent*whole/100) }

// Validate returns an error for each word that no guard understands.
func (s Settings) Validate() error {
	var errs []error
	word := func(key, value string, known ...string) {
		if value != "" && !slices.Contains(known, value) {
			errs = append(errs, fmt.Errorf("%s: %q is not one of %q", key, value, known))
		}
	}
	word("first_connection", s.FirstConnection, Hold, Apply)
	word("empty_group", s.EmptyGroup, Hold, Apply)
	word("apply", s.Apply, ApplyAuto, ApplyApprove, ApplyOff)
	for _, name := range s.Off {
		word("off", name, Names()...)
	}
	return errors.Join(errs...)
}
