package config

import (
	"maps"
	"slices"

	"musterline.example/setting"
)

// sources reads the sources, each held against what its kind asks for.
func (l *loader) sources(top *section) {
	for _, f := range top.entries("sources") {
		path := "sources." + f.Key
		if !properName(f.Key) {
			l.report.Addf(f.Line, f.Column, "a source's name is made of letters, digits, -, _ and ., and begins with a letter or digit")
		}
		name, known := l.kind(path, f.Value, slices.Sorted(maps.Keys(l.kinds.Sources)))
		kind := l.kinds.Sources[name]
		if !known {
			// The name stands for references to it, so that one mistake is not told once for each mapping.
			l.config.Sources[f.Key] = SourceConfig{Line: f.Line}
			continue
		}
		s := l.section(path, f.Value, append([]setting.Field{kindField}, kind.Settings...))
		if kind.Check != nil {
			s.problems(kind.Check(s.values))
		}
		delete(s.values, kindField.Key)
		l.config.Sources[f.Key] = SourceConfig{Kind: name, Values: s.values, Line: f.Line}
	}
}
