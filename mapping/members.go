package mapping

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"musterline.example/team"
)

// members merges who is justified with who is there.
func (d *decision) members() []team.Want {
	justified := d.justified()
	wants := make([]team.Want, 0, max(len(justified), len(d.now.Members)))
	i := 0
	for _, m := range d.now.Members {
		row, known := d.entry(m.Account, justified)
		for ; i < len(justified) && justified[i].account < m.Account; i++ {
			wants = append(wants, d.comes(justified[i]))
		}
		if i < len(justified) && justified[i].account == m.Account {
			wants = append(wants, d.stays(justified[i], m, row, known))
			i++
			continue
		}
		wants = append(wants, d.unjustified(m, row, known))
	}
	for ; i < len(justified); i++ {
		wants = append(wants, d.comes(justified[i]))
	}
	if d.create != nil && d.now.ID == "" && d.Place.Self != "" {
		wants = d.creatorLeaves(wants)
	}
	d.forget(len(d.ledger), justified)
	return wants
}

// entry returns the ledger's row of a current member. Members are asked for in order of account, so the rows are walked along with them; rows
// that are passed over are of accounts that are not in the team.
func (d *decision) entry(account team.AccountID, justified []candidate) (Entry, bool) {
	at := d.row
	for at < len(d.ledger) && d.ledger[at].Account < account {
		at++
	}
	d.forget(at, justified)
	if at < len(d.ledger) && d.ledger[at].Account == account {
		d.row++
		return d.ledger[at], true
	}
	return Entry{}, false
}

// forget drops the rows up to one: their accounts have left the team by another hand. Who is about to come back keeps theirs.
func (d *decision) forget(upTo int, justified []candidate) {
	for ; d.row < upTo; d.row++ {
		_, wanted := slices.BinarySearchFunc(justified, d.ledger[d.row].Account, func(c candidate, id team.AccountID) int { return cmp.Compare(c.account, id) })
		if !wanted {
			d.result.Forget[d.now.ID] = append(d.result.Forget[d.now.ID], d.ledger[d.row])
		}
	}
}

// justified puts the candidates in order of account and makes one of those who are justified several times: the highest role, and all reasons.
func (d *decision) justified() []candidate {
	slices.SortStableFunc(d.candidates, func(a, b candidate) int { return cmp.Compare(a.account, b.account) })
	one := d.candidates[:0]
	for _, c := range d.candidates {
		if n := len(one); n > 0 && one[n-1].account == c.account {
			last := &one[n-1]
			last.role = max(last.role, c.role)
			if !sameMappings(last.why, c.why) {
				last.why = append(slices.Clip(last.why), c.why...)
			}
			continue
		}
		one = append(one, c)
	}
	return one
}

// sameMappings reports whether the mapping of a further reason is among the reasons already.
func sameMappings(why, further []team.Reason) bool {
	return slices.ContainsFunc(why, func(r team.Reason) bool { return r.Key == further[0].Key })
}

// comes wants somebody who is not in the team. Whom the ledger knows there has been taken out by another hand.
func (d *decision) comes(c candidate) team.Want {
	w := c.want()
	if _, known := d.Ledger.Row(d.now.ID, c.account); known {
		w.Why = append(slices.Clip(w.Why), team.Reason{Rule: team.RemovedByHand})
	}
	return w
}

func (c candidate) want() team.Want {
	return team.Want{Account: c.account, Login: c.login, User: c.text, In: team.Yes, Role: c.role, Invite: c.invite, Why: c.why}
}

// creatorLeaves takes our own account out of a team that it creates, unless a mapped group wants it there.
func (d *decision) creatorLeaves(wants []team.Want) []team.Want {
	i, wanted := slices.BinarySearchFunc(wants, d.Place.Self, func(w team.Want, id team.AccountID) int { return cmp.Compare(w.Account, id) })
	if wanted {
		return wants
	}
	w := team.Want{Account: d.Place.Self, In: team.Out, Why: []team.Reason{{Rule: team.CreatorLeaves}}}
	if a := d.accounts[d.Place.Self]; a != nil {
		w.Login = a.Login
	}
	return slices.Insert(wants, i, w)
}

// stays settles role and ledger of a member who is justified.
func (d *decision) stays(c candidate, m team.Membership, row Entry, known bool) team.Want {
	w := c.want()
	if m.Pending {
		d.report(c.person, HeldPending, "has been invited and has not accepted yet")
		return w
	}
	if known && row.Role == team.Maintainer && w.Role == team.Member {
		a := d.accounts[m.Account]
		w.Demote = a == nil || !a.Owner
	}
	if !known || !justifiedBy(row.Mappings, w.Why) {
		entry := Entry{Account: m.Account, Origin: LedgerFound, Mappings: team.Keys(w.Why), Since: d.Now}
		if known {
			entry.Origin, entry.Role, entry.Since = row.Origin, row.Role, row.Since
		}
		d.result.Found[d.now.ID] = append(d.result.Found[d.now.ID], entry)
	}
	return w
}

// justifiedBy reports whether a row of the ledger names exactly the mappings of some reasons.
func justifiedBy(keys []string, why []team.Reason) bool {
	if len(keys) != len(why) {
		return false
	}
	for _, r := range why {
		if !slices.Contains(keys, r.Key) {
			return false
		}
	}
	return true
}

// unjustified decides about a current member whom no mapped group justifies; see the table at Resolve.
func (d *decision) unjustified(m team.Membership, row Entry, known bool) team.Want {
	w := team.Want{Account: m.Account, Login: m.Login, In: team.Keep, Role: m.Role}
	users := d.Links.Users(m.Account)
	if len(users) > 0 {
		w.User = users[0].String()
	}
	fact, stated := d.out[m.Account]
	doubt, frozen := d.Links.Frozen(m.Account)
	switch {
	case m.Account == d.Place.Self && row.Origin == LedgerCreated:
		w.In, w.Why = team.Out, []team.Reason{{Rule: team.CreatorLeaves}}
	case m.Account == d.Place.Self || slices.Contains(d.Settings.Protected, m.Account):
		w.Why = []team.Reason{{Rule: team.Protected}}
	case frozen:
		w.Why = []team.Reason{{Rule: team.LinkFrozen, Note: doubt}}
	case m.Pending && len(users) == 0:
		w.Why = []team.Reason{{Rule: team.InvitedByHand}}
	case d.keep != nil:
		w.Why = []team.Reason{*d.keep}
	case stated && fact.Rule == team.LinkRevoked && d.Settings.HoldRevoked:
		w.Why = []team.Reason{{Rule: team.LinkHeld, Note: fact.Note}}
	case len(users) == 0 && d.unlinked > 0:
		w.Why = []team.Reason{{Rule: team.UserUnlinked, Note: fmt.Sprintf("%d not linked", d.unlinked)}}
	case d.inGrace(row):
		w.InGrace = true
		w.Why = []team.Reason{{Rule: team.InGrace}}
	case d.mode == Additive && (!known || row.Origin != LedgerGranted):
		w.Why = []team.Reason{{Rule: team.Granted}}
	case !stated && d.absent(m.Account):
		w.Why = []team.Reason{{Rule: team.Unconfirmed}}
	default:
		w.In = team.Out
		w.Why = d.leaves(m, fact, stated)
		if _, connected := d.Connected[d.now.ID]; connected && !known && !m.Pending {
			w.Why = append(w.Why, team.Reason{Rule: team.AddedByHand})
		}
	}
	return w
}

// leaves gives the reason for which a member goes.
func (d *decision) leaves(m team.Membership, fact team.Reason, stated bool) []team.Reason {
	switch {
	case stated:
		return []team.Reason{fact}
	case len(d.missing) > 0:
		return []team.Reason{{Rule: team.GroupMissing, Note: strings.Join(d.missing, ", ")}}
	case m.Pending:
		return []team.Reason{{Rule: team.NotWanted}}
	default:
		return []team.Reason{{Rule: team.NotInGroup}}
	}
}

// inGrace reports whether a membership was brought by a mapping that has been taken away and whose grace has not ended.
func (d *decision) inGrace(row Entry) bool {
	_, grace := d.grace[d.now.ID]
	return grace && slices.ContainsFunc(row.Mappings, func(key string) bool { return !d.keys[key] })
}

// absent counts a complete read that does not justify a member any more, and reports whether more of them are needed.
func (d *decision) absent(account team.AccountID) bool {
	if d.Settings.RemovalReads <= 1 {
		return false
	}
	reads := d.Absences[d.now.ID][account] + 1
	if d.result.Absences[d.now.ID] == nil {
		d.result.Absences[d.now.ID] = make(map[team.AccountID]int)
	}
	d.result.Absences[d.now.ID][account] = reads
	return reads < d.Settings.RemovalReads
}
