package guard

import "time"

// Settings are the limits of the guards. They are set for an organization and may be set anew for a team; the zero value of a field in a
// team's settings means the organization's.
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
	Protected []string `yaml:"protected" json:"protected"` // account ids that may never lose a team
}

// A Limit is passed by a count that is larger than both Max and Percent of the whole.
type Limit struct {
	Max     int `yaml:"max" json:"max"`
	Percent int `yaml:"percent" json:"percent"`
}
