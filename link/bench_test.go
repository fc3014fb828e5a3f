package link_test

import (
	"fmt"
	"testing"

	"musterline.example/directory"
	"musterline.example/link"
	"musterline.example/team"
)

// BenchmarkResolve links 200,000 users to 10,000 accounts, at first and with all links made before.
func BenchmarkResolve(b *testing.B) {
	s := &directory.Snapshot{Source: "corp", TakenAt: now, Users: make(map[directory.UserID]directory.User, 200_000)}
	for i := range 200_000 {
		id := directory.UserID(fmt.Sprintf("00u%06d", i))
		s.Users[id] = directory.User{
			ID: id, Username: fmt.Sprintf("User%d@example.com", i), Email: fmt.Sprintf("user.%d@example.com", i), Status: directory.Active,
			Accounts: map[string]string{"github": fmt.Sprintf("User-%d", i)},
		}
	}
	in := link.Input{Snapshots: sources(s), Kind: "github", Complete: true, Now: now}
	for i := range 10_000 {
		name := fmt.Sprintf("user%d@example.com", i*20)
		in.Accounts = append(in.Accounts, team.Account{
			ID: team.AccountID(fmt.Sprint(1_000_000 + i)), Login: fmt.Sprintf("user-%d", i*20),
			Identities: []team.Identity{{GUID: name, NameID: name, Username: name}},
		})
	}
	made := link.Resolve(in)
	if len(made.Links) != len(in.Accounts) {
		b.Fatalf("%d links for %d accounts", len(made.Links), len(in.Accounts))
	}
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			link.Resolve(in)
		}
	})
	for _, l := range made.Links {
		in.Before = append(in.Before, l)
	}
	b.Run("again", func(b *testing.B) {
		for b.Loop() {
			link.Resolve(in)
		}
	})
}
