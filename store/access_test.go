package store_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"musterline.example/directory"
	"musterline.example/internal/pgtest"
	"musterline.example/mapping"
	"musterline.example/store"
	"musterline.example/team"
)

// onBoth runs a benchmark on both databases.
func onBoth(b *testing.B, f func(*testing.B, *store.Store)) {
	for name, url := range map[string]func() string{
		"SQLite":     func() string { return "sqlite:" + filepath.Join(b.TempDir(), "m.db") },
		"PostgreSQL": func() string { return pgtest.URL(b) },
	} {
		b.Run(name, func(b *testing.B) {
			s, err := store.Open(b.Context(), url(), store.Options{Key: newKey(b), Create: true})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = s.Shut() }()
			f(b, s)
		})
	}
}

// BenchmarkToken is what every request with a Musterline token costs, among 1,000 tokens.
func BenchmarkToken(b *testing.B) {
	onBoth(b, func(b *testing.B, s *store.Store) {
		texts := make([]string, 1000)
		for i := range texts {
			_, text, err := s.CreateToken(b.Context(), store.Token{Name: fmt.Sprint(i), Role: "viewer"}, "ada")
			if err != nil {
				b.Fatal(err)
			}
			texts[i] = text
		}
		perSecond(b, func(i int) error {
			_, err := s.Token(b.Context(), texts[i%len(texts)])
			return err
		})
	})
}

// BenchmarkTeamMappings is what reading the mappings of a team costs, among 1,000 teams of 3 groups.
func BenchmarkTeamMappings(b *testing.B) {
	onBoth(b, func(b *testing.B, s *store.Store) {
		var all []mapping.Mapping
		for i := range 3000 {
			all = append(all, mapping.Mapping{
				ID: fmt.Sprintf("file:%d", i), Origin: mapping.FromFile, Target: "octo", Team: fmt.Sprintf("team-%d", i/3), TeamID: team.ID(fmt.Sprint(i / 3)),
				Source: "corp", Group: fmt.Sprintf("Group %d", i), GroupID: directory.GroupID(fmt.Sprint(i)),
			})
		}
		if err := s.SaveMappings(b.Context(), "octo", all, nil); err != nil {
			b.Fatal(err)
		}
		perSecond(b, func(i int) error {
			got, err := s.TeamMappings(b.Context(), "octo", team.ID(fmt.Sprint(i%1000)))
			if err == nil && len(got) != 3 {
				err = fmt.Errorf("%d mappings", len(got))
			}
			return err
		})
	})
}

// perSecond runs f on all cores and reports how often it ran in a second.
func perSecond(b *testing.B, f func(i int) error) {
	b.ReportAllocs()
	b.ResetTimer()
	begin := time.Now()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i += 7 {
			if err := f(i); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/time.Since(begin).Seconds(), "/s")
}
