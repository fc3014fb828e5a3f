package link

import (
	"cmp"
	"slices"

	"musterline.example/team"
)

// rule makes the links that people have stated. A user need not have been read for it: a statement rests on itself.
func (r *resolver) rule() {
	said := make(map[UserRef][]Statement)
	for _, s := range r.in.Statements {
		if _, on := r.rank[s.Tier]; on && (s.Tier == Manual || s.Tier == Self) && s.Account != "" {
			said[s.User] = append(said[s.User], s)
		}
	}
	// Of each user the statements of their first tier count, one for each account: the earliest.
	at := make(map[spot][]UserRef)
	for user, all := range said {
		slices.SortFunc(all, func(a, b Statement) int {
			return cmp.Or(cmp.Compare(r.rank[a.Tier], r.rank[b.Tier]), cmp.Compare(a.Account, b.Account), a.At.Compare(b.At), cmp.Compare(a.By, b.By))
		})
		first := all[0].Tier
		all = slices.DeleteFunc(all, func(s Statement) bool { return s.Tier != first })
		all = slices.CompactFunc(all, func(a, b Statement) bool { return a.Account == b.Account })
		said[user] = all
		r.ruled[user] = all[0]
		for _, s := range all {
			at[spot{user.Source, first, s.Account}] = append(at[spot{user.Source, first, s.Account}], user)
		}
	}
	for _, tier := range r.stated {
		var stands []Statement
		for user, all := range said {
			if all[0].Tier != tier {
				continue
			}
			if i := slices.IndexFunc(all, r.stood); i >= 0 {
				all = all[i : i+1] // it stood before a second statement contradicted it
			}
			s := all[0]
			var rivals []UserRef
			rivalStood := false
			for _, other := range at[spot{user.Source, tier, s.Account}] {
				if other != user {
					rivals = append(rivals, other)
					rivalStood = rivalStood || r.stood(Statement{User: other, Account: s.Account, Tier: tier})
				}
			}
			slices.SortFunc(rivals, compareUsers)
			owner, taken := r.holder[seat{user.Source, s.Account}]
			h := Hold{User: user, Reason: Ambiguous, Among: accountsOf(all)}
			switch {
			case len(all) > 1:
				h.Message = "people have said two things: " + r.listAccounts(h.Among) + "; take all statements but one back"
			case taken:
				h.Message = r.name(s.Account) + " is " + owner.String() + ", says a statement that counts for more"
			case len(rivals) > 0 && (rivalStood || !r.stood(s)):
				h.Message = "people have said of " + listUsers(rivals) + " too that they are " + r.name(s.Account) + "; take all statements but one back"
			default:
				stands = append(stands, s)
				continue
			}
			r.shaken[user] = h
		}
		for _, s := range stands {
			r.keep(r.spoken(s))
		}
	}
}

// stood reports whether a statement made the link that its user has.
func (r *resolver) stood(s Statement) bool {
	l, ok := r.before[s.User]
	return ok && l.Account == s.Account && l.Tier == s.Tier && l.State == Standing
}

// spoken returns the link that a statement makes.
func (r *resolver) spoken(s Statement) Link {
	l := Link{
		User: s.User, Account: s.Account, Tier: s.Tier, By: s.By, MadeAt: s.At, SeenAt: r.in.Now, State: Standing,
		Evidence: "said by " + s.By,
	}
	if s.Tier == Self {
		l.Evidence = "signed in to both in one sitting"
	}
	if l.MadeAt.IsZero() {
		l.MadeAt = r.in.Now
	}
	if before, ok := r.before[s.User]; ok && before.Account == s.Account {
		l.Login = before.Login
		if before.Tier == s.Tier {
			l.MadeAt = before.MadeAt
		}
	}
	return l
}

// note writes beside a person's word what found evidence says instead.
func (r *resolver) note() {
	for user := range r.ruled {
		l, ok := r.result.Links[user]
		if !ok {
			continue
		}
		l.Note = r.notes(user, l.Account)
		r.result.Links[user] = l
	}
}

func accountsOf(all []Statement) []team.AccountID {
	var ids []team.AccountID
	for _, s := range all {
		ids = append(ids, s.Account)
	}
	return ids
}
