package link

import (
	"slices"

	"musterline.example/directory"
	"musterline.example/team"
)

// bySync is who asserts a link that was found.
const bySync = "sync"

// match links the users who have no link yet by one tier. What is found in a tier binds the tiers after it, never the same one, so the order
// of users does not matter.
func (r *resolver) match(tier Tier) {
	var links []Link
	for user := range r.claims {
		if r.decided(user) {
			continue
		}
		c, ok := r.claim(user, tier)
		if !ok || c.refused != nil {
			continue
		}
		if l, linked := r.propose(user, c); linked {
			links = append(links, l)
		}
	}
	for _, l := range links {
		r.keep(l)
	}
	r.weigh()
}

// propose links a user to the account that a tier names, or holds the user.
func (r *resolver) propose(user UserRef, c claim) (Link, bool) {
	switch {
	case len(c.accounts) == 0:
		r.hold(user, NotAMember, absent(c))
		return Link{}, false
	case len(c.accounts) > 1:
		r.hold(user, Ambiguous, string(c.tier)+" names "+r.listAccounts(c.accounts)+settle(user), doubtsOf(c.accounts, c.tier)...)
		return Link{}, false
	}
	account := c.accounts[0]
	here := doubt{account, c.tier}
	if rivals := r.rivals(user, c.tier, account); len(rivals) > 0 {
		r.hold(user, Ambiguous, string(c.tier)+" names "+r.name(account)+" for "+listUsers(rivals)+" too"+settle(user), here)
		return Link{}, false
	}
	at := seat{user.Source, account}
	if owner, taken := r.holder[at]; taken && owner != user {
		l := r.result.Links[owner]
		reason := Ambiguous
		if r.stronger(c.tier, l.Tier) {
			reason = Conflict
		}
		r.hold(user, reason, string(c.tier)+" names "+r.name(account)+", which is linked to "+owner.String()+" by "+string(l.Tier)+settle(user), here)
		return Link{}, false
	}
	if rival, tier := r.outranked(user, c.tier, account); tier != "" {
		r.hold(user, Ambiguous, string(c.tier)+" names "+r.name(account)+", "+string(tier)+" names "+rival.String()+" for it"+settle(user), here)
		return Link{}, false
	}
	if rank, doubted := r.doubts[at]; doubted && rank < r.rank[c.tier] {
		r.hold(user, Ambiguous, string(c.tier)+" names "+r.name(account)+", of which it is in doubt whose it is"+settle(user), here)
		return Link{}, false
	}
	for _, other := range r.found {
		if id, ok := r.decisive(user, other); ok && id != account && r.stronger(c.tier, other) {
			r.hold(user, Conflict, string(c.tier)+" names "+r.name(account)+", "+string(other)+" names "+r.name(id)+settle(user), here, doubt{id, other})
			return Link{}, false
		}
	}
	return Link{
		User: user, Account: account, Tier: c.tier, Evidence: c.evidence(), Value: c.value, Note: r.notes(user, account), By: bySync,
		MadeAt: r.in.Now, SeenAt: r.in.Now, State: Standing, Organization: r.organization(c.tier),
	}, true
}

// notes says what of the found evidence disagrees with a link.
func (r *resolver) notes(user UserRef, account team.AccountID) string {
	var notes string
	for _, tier := range r.found {
		c, ok := r.claim(user, tier)
		note := ""
		switch {
		case !ok || c.refused != nil:
		case len(c.accounts) == 0:
			note = "the attribute holds " + c.value + ", the login of no member"
		case !c.names(account):
			note = string(c.tier) + " names " + r.listAccounts(c.accounts)
		}
		if notes != "" && note != "" {
			notes += "; "
		}
		notes += note
	}
	return notes
}

// compareSources holds people whom two sources know as different accounts. Users of several sources are taken for one person when they
// have the same mail address and no other user of their source has it. That is good enough to doubt and never to link. A link that
// was made before stands against what another source finds later; two of them are frozen. A person's word is asked for nothing: who
// says that somebody has two accounts knows it.
func (r *resolver) compareSources() {
	if len(r.sources) < 2 {
		return
	}
	persons := make(map[string][]Link)
	for user, l := range r.result.Links {
		if l.State == Revoked || l.Tier == Manual || l.Tier == Self {
			continue
		}
		if u, ok := r.user(user); ok && u.Status.Member() {
			if address, ok := addressOf(u); ok {
				persons[address] = append(persons[address], l)
			}
		}
	}
	for address, links := range persons {
		same := func(l Link) bool { return l.Account == links[0].Account }
		if !slices.ContainsFunc(links, func(l Link) bool { return !same(l) }) {
			delete(persons, address)
		}
	}
	if len(persons) == 0 {
		return
	}
	shared := r.sharedAddresses(persons)
	for address, links := range persons {
		links = slices.DeleteFunc(links, func(l Link) bool { return shared[addressIn{l.User.Source, address}] })
		r.disagree(address, links)
	}
}

// disagree settles what becomes of the links of one person.
func (r *resolver) disagree(address string, links []Link) {
	slices.SortFunc(links, func(a, b Link) int { return compareUsers(a.User, b.User) })
	accounts := func(of func(Link) bool) (ids []team.AccountID) {
		for _, l := range links {
			if of(l) && !slices.Contains(ids, l.Account) {
				ids = append(ids, l.Account)
			}
		}
		return ids
	}
	made := func(l Link) bool {
		before, had := r.before[l.User]
		return had && before.State != Revoked && before.Account == l.Account
	}
	all, old := accounts(func(Link) bool { return true }), accounts(made)
	if len(all) < 2 {
		return
	}
	slices.Sort(all)
	why := "conflict: " + address + " is " + r.listAccounts(all) + " in different sources"
	for _, l := range links {
		switch {
		case len(old) == 1 && l.Account == old[0]:
		case made(l):
			l.State, l.Trouble = Frozen, why+settle(l.User)
			r.result.Links[l.User] = l
		default:
			delete(r.result.Links, l.User)
			delete(r.holder, seatOf(l))
			if before, had := r.before[l.User]; had && before.State == Revoked {
				r.result.Links[l.User] = *before
			}
			r.hold(l.User, Conflict, why+settle(l.User), doubt{l.Account, l.Tier})
		}
	}
}

// An addressIn is a mail address within one source.
type addressIn struct{ source, address string }

// sharedAddresses finds those of the addresses that several users of one source have: they are nobody's.
func (r *resolver) sharedAddresses(of map[string][]Link) map[addressIn]bool {
	count := make(map[addressIn]int)
	for source, s := range r.sources {
		for _, u := range s.Users {
			if !u.Status.Member() {
				continue
			}
			if address, ok := addressOf(u); ok && len(of[address]) > 0 {
				count[addressIn{source, address}]++
			}
		}
	}
	shared := make(map[addressIn]bool)
	for at, n := range count {
		shared[at] = n > 1
	}
	return shared
}

// addressOf returns the form of a user's mail address in which two are the same.
func addressOf(u directory.User) (string, bool) {
	address, err := normalizeName(u.Email)
	if err != nil {
		return "", false
	}
	return foldAddress(address)
}
