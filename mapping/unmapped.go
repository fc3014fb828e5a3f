package mapping

import (
	"maps"
	"slices"
	"strings"

	"musterline.example/team"
)

// unmapped decides about teams that lost their last mapping. Who is in the ledger was brought or justified by mappings that are gone, and
// goes when the grace ends; everybody else stays and is not named.
func (r *resolver) unmapped(mapped map[teamKey][]Mapping) {
	ends := make(map[team.ID]Disconnect)
	for _, c := range r.Disconnects {
		if _, still := mapped[teamKey{id: c.Team}]; still {
			if !c.Until.After(r.Now) {
				r.result.Settled = append(r.result.Settled, c.Team)
			}
			continue
		}
		if known, ok := ends[c.Team]; !ok || c.Until.After(known.Until) {
			ends[c.Team] = c
		}
	}
	for _, id := range slices.Sorted(maps.Keys(ends)) {
		r.disconnect(r.teams[id], id, ends[id])
	}
}

func (r *resolver) disconnect(now *team.Team, id team.ID, c Disconnect) {
	rows := r.Ledger[id]
	if now == nil || now.Foreign != "" || c.Keep || len(rows) == 0 {
		if len(rows) > 0 {
			r.result.Forget[id] = rows
		}
		r.settled(id, c)
		return
	}
	rule := team.TeamUnmapped
	if c.Origin == FromRule {
		rule = team.RuleUnmatched // nobody decided that: guards look at it as at any other removal
	}
	w := team.Wanted{Team: id, Unmapped: true, Grace: c.Until}
	left := false
	for _, m := range now.Members {
		row, known := r.Ledger.Row(id, m.Account)
		if !known {
			continue
		}
		left = true
		want := team.Want{Account: m.Account, Login: m.Login, In: team.Out, Role: m.Role, Why: []team.Reason{{Rule: rule, Note: strings.Join(row.Mappings, ", ")}}}
		if users := r.Links.Users(m.Account); len(users) > 0 {
			want.User = users[0].String()
		}
		doubt, frozen := r.Links.Frozen(m.Account)
		switch {
		case m.Account == r.Place.Self && row.Origin == LedgerCreated:
			want.Why = []team.Reason{{Rule: team.CreatorLeaves}}
		case m.Account == r.Place.Self || slices.Contains(r.Settings.Protected, m.Account):
			want.In, want.Why = team.Keep, []team.Reason{{Rule: team.Protected}}
		case frozen:
			want.In, want.Why = team.Keep, []team.Reason{{Rule: team.LinkFrozen, Note: doubt}}
		case c.Until.After(r.Now):
			want.In, want.InGrace, want.Why = team.Keep, true, []team.Reason{{Rule: team.InGrace}}
		}
		w.Members = append(w.Members, want)
		for _, key := range row.Mappings {
			source, _, _ := strings.Cut(key, "/")
			w.Sources = append(w.Sources, source)
		}
	}
	slices.Sort(w.Sources)
	w.Sources = slices.Compact(w.Sources)
	for _, row := range rows {
		if _, there := now.Member(row.Account); !there {
			r.result.Forget[id] = append(r.result.Forget[id], row)
		}
	}
	if !left {
		r.settled(id, c)
		return
	}
	r.result.Wanted = append(r.result.Wanted, w)
}

// settled ends a disconnect that has nothing left to do, but not within its grace: a team that is mapped again by then was never disconnected.
func (r *resolver) settled(id team.ID, c Disconnect) {
	if !c.Until.After(r.Now) {
		r.result.Settled = append(r.result.Settled, id)
	}
}
