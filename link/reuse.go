package link

import (
	"slices"

	"musterline.example/directory"
	"musterline.example/team"
)

// reuse takes over the links that were made before, each as far as what was read this time bears it out.
func (r *resolver) reuse() {
	links := make([]*Link, 0, len(r.before))
	for _, l := range r.before {
		if l.State != Revoked {
			r.resting[restsOn(*l)]++
		}
	}
	for user, l := range r.before {
		_, shaken := r.shaken[user]
		_, ruled := r.ruled[user]
		u, read := r.user(user)
		switch {
		case ruled && !shaken:
			continue // the statement has made a link
		case l.State == Revoked:
			r.keep(*l) // until the user is linked anew
		case !shaken && r.withdrawn(l):
			continue
		case !shaken && read && u.Status == directory.Deleted:
			r.yielding = append(r.yielding, *l)
		default:
			links = append(links, l)
		}
	}
	slices.SortFunc(links, compareSeats)
	for len(links) > 0 {
		at, n := seatOf(*links[0]), 1
		for n < len(links) && seatOf(*links[n]) == at {
			n++
		}
		if _, taken := r.holder[at]; !taken { // or a statement gives the account to somebody else
			r.reuseSeat(links[:n])
		}
		links = links[n:]
	}
	for user, h := range r.shaken {
		if l, linked := r.result.Links[user]; linked && l.State == Frozen {
			r.ask(user, h.Message, doubtsOf(h.Among, "")...)
			continue
		}
		r.hold(user, h.Reason, h.Message, doubtsOf(h.Among, "")...)
	}
	r.weigh()
}

// reuseSeat takes over the links to one account of one source, of which there is more than one only by somebody's mistake.
func (r *resolver) reuseSeat(before []*Link) {
	var users []UserRef
	for _, b := range before {
		l := *b
		if h, shaken := r.shaken[l.User]; shaken {
			l.State, l.Trouble = Frozen, h.Message
		} else {
			l = r.review(l)
		}
		r.keep(l)
		if l.State != Revoked {
			users = append(users, l.User)
		}
	}
	if len(users) < 2 {
		return
	}
	for _, user := range users {
		l := r.result.Links[user]
		l.State, l.Trouble = Frozen, r.name(l.Account)+" is linked to "+listUsers(users)+settle(user)
		r.keep(l)
	}
}

// withdrawn reports whether a link rests on a statement that is no longer made. People take statements back to correct them; it removes
// nobody, and the user is matched anew.
func (r *resolver) withdrawn(l *Link) bool {
	_, on := r.rank[l.Tier]
	return on && (l.Tier == Manual || l.Tier == Self)
}

// review looks at a link that was made before with the eyes of now. Of a source that was not read nothing is known; a user who is not in
// the read may be in no group that was asked for; one who is disabled often loses attributes with it. Their links keep the
// state they have, but for what the target itself shows.
func (r *resolver) review(l Link) Link {
	if _, read := r.sources[l.User.Source]; !read {
		return l
	}
	if u, ok := r.user(l.User); ok && u.Status.Member() {
		l = r.judge(l)
	}
	if l.State == Revoked {
		return l
	}
	if others := r.logins[team.FoldLogin(l.Login)]; l.Login != "" && r.accounts[l.Account] == nil && len(others) > 0 {
		l.State, l.Trouble = Frozen, r.replaced(l, l.Login, others)
		return l
	}
	if rival, tier := r.outranked(l.User, l.Tier, l.Account); tier != "" {
		l.State, l.Trouble = Frozen, "conflict: "+string(tier)+" names "+rival.String()+" for "+r.name(l.Account)+settle(l.User)
	}
	return l
}

// outranked returns the other user of the source for whom a stronger tier names the account, and that tier.
func (r *resolver) outranked(user UserRef, by Tier, account team.AccountID) (UserRef, Tier) {
	for _, tier := range r.found {
		if !r.stronger(tier, by) {
			continue
		}
		for _, rival := range r.rivals(user, tier, account) {
			if id, ok := r.decisive(rival, tier); ok && id == account {
				return rival, tier
			}
		}
	}
	return UserRef{}, ""
}

// replaced says that a login has changed hands.
func (r *resolver) replaced(l Link, login string, now []team.AccountID) string {
	return "identity-replaced: " + login + " belonged to account " + string(l.Account) + " and belongs to " + r.listAccounts(now) + " now" + settle(l.User)
}

// stronger reports whether a tier counts for more than another; one that is switched off counts for nothing.
func (r *resolver) stronger(a, b Tier) bool {
	ra, on := r.rank[a]
	rb, other := r.rank[b]
	return on && (!other || ra < rb)
}

// A finding is what was found of a link's own evidence.
type finding int

const (
	unknown  finding = iota // it could not be read
	holds                   // it is there
	doubtful                // it says something else
	gone                    // it is not there, and was read in full
)

// judge looks for the evidence of a link whose user was read and counts.
func (r *resolver) judge(l Link) Link {
	user := l.User
	if l.Value == "" && l.Tier == Attribute {
		l.Value = team.FoldLogin(l.Login) // made before values were kept
	}
	found, c, why := r.evidence(l)
	for _, tier := range r.found {
		if id, ok := r.decisive(user, tier); ok && id != l.Account && found != doubtful {
			found, why = doubtful, "conflict: "+string(tier)+" names "+r.name(id)+", and the link by "+string(l.Tier)+" is to "+r.name(l.Account)+settle(user)
			r.ask(user, why, doubt{id, tier})
		}
	}
	if found == gone {
		for _, tier := range r.found {
			if id, ok := r.decisive(user, tier); ok && id == l.Account {
				other, _ := r.claim(user, tier)
				l.Tier, l.By, l.Organization = tier, bySync, r.organization(tier)
				found, c = holds, other
				break
			}
		}
	}
	switch found {
	case unknown:
	case doubtful:
		l.State, l.Trouble = Frozen, why
	case gone:
		switch {
		case l.Tier == Email:
			l.State, l.Trouble = Frozen, why+settle(user)
		case r.allLost(l):
			l.State, l.Trouble = Frozen, why+", like that of everybody else: is it still read?"
		default:
			l.State, l.Trouble = Revoked, why
		}
	case holds:
		l.State, l.Trouble, l.SeenAt = Standing, "", r.in.Now
		if c.tier != "" {
			l.Evidence, l.Value = c.evidence(), c.value
		}
	}
	l.Note = r.notes(user, l.Account)
	return l
}

// evidence looks for what a link rests on. The claim is what it rests on now, if that is worded anew.
func (r *resolver) evidence(l Link) (found finding, c claim, why string) {
	if _, on := r.rank[l.Tier]; !on {
		return r.switchedOff(l)
	}
	account := r.accounts[l.Account]
	c, claimed := r.claim(l.User, l.Tier)
	if claimed && c.names(l.Account) {
		return holds, c, ""
	}
	if l.Tier == Attribute {
		return r.attributeEvidence(l, c, claimed)
	}
	switch {
	case claimed && c.refused == nil: // what the user is called at the identity provider is on another account now
		why = "conflict: " + string(l.Tier) + " names " + r.listAccounts(c.accounts) + " now, and the link is to " + r.name(l.Account) + settle(l.User)
		r.ask(l.User, why, doubtsOf(c.accounts, l.Tier)...)
		return doubtful, claim{}, why
	case account == nil || l.Organization != r.organization(l.Tier):
		return unknown, claim{}, ""
	case r.onRecord(account, l):
		// The user is called otherwise by now; the account is not. Whoever has taken over the name must not take over the account.
		for _, rival := range r.rivals(l.User, l.Tier, l.Account) {
			if id, ok := r.decisive(rival, l.Tier); ok && id == l.Account {
				return doubtful, claim{}, "conflict: " + l.Value + " is " + rival.String() + " by now" + settle(l.User)
			}
		}
		return holds, claim{}, ""
	case l.Tier == SAML && !r.in.Complete:
		return unknown, claim{}, ""
	case l.Tier == SAML:
		return gone, claim{}, "the SAML identity " + l.Value + " is gone from " + r.name(l.Account)
	default:
		return gone, claim{}, l.Value + " is no longer a verified address of " + r.name(l.Account)
	}
}

// switchedOff is the finding on a link of a tier that the operator no longer trusts: another tier may bear it out.
func (r *resolver) switchedOff(l Link) (finding, claim, string) {
	for _, tier := range r.found {
		if id, ok := r.decisive(l.User, tier); ok && id == l.Account {
			return gone, claim{}, ""
		}
	}
	return doubtful, claim{}, "it rests on the tier " + string(l.Tier) + ", which is switched off" + settle(l.User)
}

// attributeEvidence is the finding on a link whose attribute does not hold the login of its account.
func (r *resolver) attributeEvidence(l Link, c claim, claimed bool) (finding, claim, string) {
	asserted := l.Value
	switch {
	case !claimed:
		return gone, claim{}, "the attribute that held " + asserted + " is empty"
	case c.refused != nil:
		return doubtful, claim{}, "the attribute holds " + c.value + ", which " + c.refused.Error() + settle(l.User)
	case c.value == asserted && len(c.accounts) == 0:
		return holds, c, "" // renamed, or not a member: a login is not looked up twice
	}
	why := "conflict: the attribute held " + asserted + " and holds " + c.value + " now" + settle(l.User)
	if c.value == asserted {
		why = r.replaced(l, asserted, c.accounts)
	}
	r.ask(l.User, why, doubtsOf(c.accounts, Attribute)...)
	return doubtful, claim{}, why
}

// onRecord reports whether the target still has the evidence of a link on record for its account.
func (r *resolver) onRecord(a *team.Account, l Link) bool {
	if l.Value == "" {
		return len(a.Identities) > 0 && l.Tier == SAML
	}
	records := r.identities
	if l.Tier == Email {
		records = r.addresses
	}
	found, _ := records.find(l.Value)
	return slices.ContainsFunc(found, func(x record) bool { return x.account == a.ID })
}

// organization is where evidence of a tier is seen, for a tier whose evidence the target holds.
func (r *resolver) organization(tier Tier) string {
	if tier == SAML || tier == Email {
		return r.in.Organization
	}
	return ""
}

// allLost reports whether the kind of evidence that a link has lost is there for nobody any more, and at least two links rested on it. One
// identity that is gone was taken away; all of them gone at once are not being read. A link that is frozen for that stays so until
// somebody has such evidence again, even when people have ruled on the others meanwhile.
func (r *resolver) allLost(l Link) bool {
	if l.Tier == SAML && len(r.identities.exact) > 0 || l.Tier == Attribute && r.attributes[l.User.Source] {
		return false
	}
	return r.before[l.User].State == Frozen || r.resting[restsOn(l)] > 1
}

// A ground is what links rest on together: the identities of one organization, the attribute at one source.
type ground struct {
	tier  Tier
	where string
}

func restsOn(l Link) ground {
	if l.Tier == SAML {
		return ground{SAML, l.Organization}
	}
	return ground{l.Tier, l.User.Source}
}

// giveWay takes over the links of users who are deleted at the identity provider, unless somebody else of the source has proven the account
// to be theirs: people come back under a new id.
func (r *resolver) giveWay() {
	slices.SortFunc(r.yielding, func(a, b Link) int { return compareUsers(a.User, b.User) })
	for _, l := range r.yielding {
		if _, taken := r.holder[seatOf(l)]; !taken {
			r.keep(l)
		}
	}
}
