package link_test

import (
	"fmt"
	"slices"
	"strings"

	"musterline.example/link"
	"musterline.example/team"
)

// describe says in lines what a result holds.
func describe(in link.Input, r *link.Result) []string {
	var lines []string
	for user, l := range r.Links {
		line := fmt.Sprintf("%s %s %s %s", user, l.State, l.Account, l.Tier)
		for _, b := range in.Before {
			if b.User == user && b.Account == l.Account && b.Login != l.Login {
				line += " as " + l.Login
			}
		}
		if l.Evidence != "" {
			line += ": " + l.Evidence
		}
		if l.State != link.Standing && (strings.HasPrefix(l.Trouble, "conflict") || strings.HasPrefix(l.Trouble, "identity-replaced")) {
			word, _, _ := strings.Cut(l.Trouble, ":")
			line += ": " + word
		}
		if l.Note != "" && l.State == link.Standing {
			line += "; note: " + l.Note
		}
		lines = append(lines, line)
	}
	for user, h := range r.Held {
		line := fmt.Sprintf("%s %s", user, h.Reason)
		if h.Reason == link.Ambiguous || h.Reason == link.Conflict {
			line += fmt.Sprintf(" %v", h.Among)
		}
		lines = append(lines, line)
	}
	seen := make(map[team.AccountID]bool)
	for _, id := range mentioned(in) {
		if _, frozen := r.Frozen(id); frozen && !seen[id] {
			lines = append(lines, "frozen "+string(id))
		}
		seen[id] = true
	}
	slices.Sort(lines)
	return lines
}

// mentioned are all accounts that an input speaks of.
func mentioned(in link.Input) []team.AccountID {
	var ids []team.AccountID
	for _, a := range in.Accounts {
		ids = append(ids, a.ID)
	}
	for _, l := range in.Before {
		ids = append(ids, l.Account)
	}
	return ids
}
