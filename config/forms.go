package config

import (
	"slices"

	"musterline.example/setting"
)

// TargetSettings are what every target takes beside the settings of its kind, for who makes forms of them.
func TargetSettings() []setting.Field { return slices.Clone(targetFields) }
