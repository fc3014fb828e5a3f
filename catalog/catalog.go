// Package catalog is the map of kinds: one line for each sort of source and target that the program knows. Whoever needs to go from a
// word in a configuration file to code comes here, and nowhere else is a kind named.
package catalog

import (
	"cmp"
	"maps"
	"slices"

	"musterline.example/source"
	"musterline.example/source/file"
	"musterline.example/source/ldap"
	"musterline.example/target"
	"musterline.example/target/github"
)

// Sources returns the kinds of sources by name. The map is the caller's.
func Sources() map[string]source.Kind {
	return map[string]source.Kind{
		"file": file.Kind,
		"ldap": ldap.Kind,
	}
}

// Targets returns the kinds of targets by name. The map is the caller's.
func Targets() map[string]target.Kind {
	return map[string]target.Kind{
		"github": github.Kind,
	}
}

// Source returns the kind of source of a name.
func Source(name string) (source.Kind, bool) {
	k, ok := Sources()[name]
	return k, ok
}

// Target returns the kind of target of a name.
func Target(name string) (target.Kind, bool) {
	k, ok := Targets()[name]
	return k, ok
}

// SourceNames returns the names of the kinds of sources, in order.
func SourceNames() []string { return slices.Sorted(maps.Keys(Sources())) }

// TargetNames returns the names of the kinds of targets, in order.
func TargetNames() []string { return slices.Sorted(maps.Keys(Targets())) }

// byTitle sorts kinds as people look for them.
func byTitle[K any](kinds map[string]K, title func(K) string) []K {
	return slices.SortedFunc(maps.Values(kinds), func(a, b K) int { return cmp.Compare(title(a), title(b)) })
}
