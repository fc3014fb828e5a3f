package config

import (
	"slices"
	"strings"
	"time"

	"musterline.example/guard"
	"musterline.example/internal/document"
	"musterline.example/setting"
)

// TargetFields are the settings that every target takes, whatever its kind.
func TargetFields() []setting.Field { return slices.Clone(targetFields) }

// TeamFields are the settings that a target takes for a single team, beside the limits of guards.
func TeamFields() []setting.Field { return slices.Clone(teamFields) }

// SettingFields are the fields of one of SettingNames that are no limits: of guards there are none, see GuardFields.
func SettingFields(name string) []setting.Field {
	switch name {
	case "enterprise":
		return slices.Clone(enterpriseFields)
	case "links":
		return slices.Clone(linksFields)
	case "schedule":
		return slices.Clone(scheduleFields)
	}
	return nil
}

// A GuardField is one limit under guards.
type GuardField struct {
	Guard   string // whose limit it is
	Key     string
	Help    string // when the guard objects
	Type    string // "limit", "duration" or "choice"
	Choices []string
	Default string // as a file would have it
}

// GuardFields are the limits of the guards, in the order of guard.Names. Guards without a limit have none here.
func GuardFields() []GuardField {
	defaults := guard.Defaults
	var all []GuardField
	for _, name := range guard.Names() {
		for _, k := range guardKeys {
			if guardOf(k.name) != name {
				continue
			}
			f := GuardField{Guard: name, Key: k.name, Help: k.help, Default: shownDefault(k.of(&defaults))}
			switch k.of(&defaults).(type) {
			case *guard.Limit:
				f.Type = "limit"
			case *time.Duration:
				f.Type = "duration"
			default:
				f.Type, f.Choices = "choice", []string{guard.Hold, guard.Apply}
			}
			all = append(all, f)
		}
	}
	return all
}

// guardOf names the guard whose limit a key is.
func guardOf(key string) string {
	switch {
	case key == "source_shrunk":
		return "source_removals"
	case strings.HasPrefix(key, "stale_"):
		return "stale_source"
	}
	return strings.TrimSuffix(key, "_small")
}

// LineOf returns the line on which the file itself sets a key, named by its path from the top; 0 when it does not.
func (c *Config) LineOf(path ...string) int {
	at, line := c.origin.root, 0
	for _, key := range path {
		if at == nil || at.Sort != document.Map {
			return 0
		}
		i := slices.IndexFunc(at.Fields, func(f document.Field) bool { return f.Key == key })
		if i < 0 {
			return 0
		}
		at, line = at.Fields[i].Value, at.Fields[i].Line
	}
	return line
}
