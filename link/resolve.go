package link

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"musterline.example/directory"
	"musterline.example/team"
)

// Resolve says which user is which account. It never guesses: what is not proven or stated is held, with the reason.
//
//   - A person's statement wins outright. Found evidence that disagrees with it is noted beside the link. Two statements of one tier that
//     contradict each other are ambiguous; of two tiers the first wins. A statement that was withdrawn leaves no link behind.
//   - A link that was made before is reused without matching again, by account id, whatever has been renamed since.
//   - Other users are matched tier by tier, in the order of Tiers. A tier counts when it names one account for one user of the
//     source and no other; the first such tier wins, unless a later one names another account.
//   - One account may belong to one user of each source. Users of several sources who have one mail address are one person: where
//     what is found for them differs, it is a conflict.
//
// What is found this time against a link that was made before:
//
//	                                                        the link
//	its evidence holds                                      stands, with the login of now
//	its user is disabled or deleted, or was not in the read stands: status is for mapping to judge, absence proves nothing
//	its source was not read                                 is carried over untouched
//	its account was renamed, the attribute holds the old    stands; the old login is noted and never looked up again
//	… and another member has taken the old login            frozen: identity-replaced
//	its account is no member, another has its login         frozen: identity-replaced
//	any tier names another account for its user             frozen: conflict
//	a higher tier names another user for its account        frozen: conflict
//	the attribute holds another login than it did           frozen: nobody is moved by an edit
//	its tier is switched off                                frozen, unless another tier names the same account
//	its address is no longer verified                       frozen: an address is not an identity
//	its SAML identity is gone, in a complete read           revoked, unless another tier names the same account
//	the attribute was cleared                               revoked, unless another tier names the same account
//	… of at least two users, and nobody has one any more    frozen: we look with other eyes
//
// Revoked is an act at the identity provider or the target, seen in full; nothing else ends a link. In particular a broken link by itself
// removes nobody: an account that has left the organization keeps its link, and mapping reports who is not a member. A frozen link
// stands again once what put it in doubt is gone; a revoked one when evidence for it is back, and gives way when its user is linked anew.
//
// Resolving again with its own result as Before changes nothing. The order of the inputs does not matter.
func Resolve(in Input) *Result {
	r := newResolver(in)
	r.rule()
	r.gather()
	r.note()
	r.reuse()
	for _, tier := range r.found {
		r.match(tier)
	}
	r.giveWay()
	r.compareSources()
	r.report()
	return r.result
}

// A seat is an account as one source sees it: one user of the source may have it.
type seat struct {
	source  string
	account team.AccountID
}

type resolver struct {
	in     Input
	rank   map[Tier]int // of the tiers that are on
	stated []Tier       // of these, those by which people state links
	found  []Tier       // and those by which links are found

	sources    map[string]*directory.Snapshot
	accounts   map[team.AccountID]*team.Account
	logins     map[string][]team.AccountID
	identities *register
	addresses  *register
	attributes map[string]bool // sources that have any user with the attribute

	before    map[UserRef]*Link
	resting   map[ground]int        // how many of these links rest on what
	ruled     map[UserRef]Statement // users of whom a person has spoken
	users     []UserRef             // who were read and are not held at first sight
	claims    map[UserRef][]claim
	claimants map[spot][]claimant

	holder    map[seat]UserRef // who has the account for good
	doubts    map[seat]int     // accounts in doubt, with the rank of the strongest tier that raised it
	questions []question
	weighed   int              // how many of the questions are among the doubts
	shaken    map[UserRef]Hold // users of whom people have said two things
	yielding  []Link           // of users who are deleted
	stuck     map[UserRef]bool // users who are held and keep a revoked link
	result    *Result
}

// A doubt is an account that a tier names for somebody who cannot be linked to it.
type doubt struct {
	account team.AccountID
	tier    Tier
}

func doubtsOf(accounts []team.AccountID, tier Tier) []doubt {
	doubts := make([]doubt, 0, len(accounts))
	for _, id := range accounts {
		doubts = append(doubts, doubt{id, tier})
	}
	return doubts
}

// A question is a doubt with the user because of whom it is raised.
type question struct {
	doubt
	user UserRef
	why  string
}

func newResolver(in Input) *resolver {
	if in.Tiers == nil {
		in.Tiers = DefaultTiers
	}
	r := &resolver{
		in: in, rank: make(map[Tier]int),
		sources:    make(map[string]*directory.Snapshot, len(in.Snapshots)),
		accounts:   make(map[team.AccountID]*team.Account, len(in.Accounts)),
		logins:     make(map[string][]team.AccountID, len(in.Accounts)),
		identities: newRegister(), addresses: newRegister(), attributes: make(map[string]bool),
		before: make(map[UserRef]*Link, len(in.Before)), resting: make(map[ground]int), ruled: make(map[UserRef]Statement),
		users: make([]UserRef, 0, len(in.Accounts)), claims: make(map[UserRef][]claim, len(in.Accounts)), claimants: make(map[spot][]claimant, len(in.Accounts)),
		holder: make(map[seat]UserRef, len(in.Accounts)), doubts: make(map[seat]int),
		shaken: make(map[UserRef]Hold), stuck: make(map[UserRef]bool),
		result: &Result{Links: make(map[UserRef]Link, len(in.Accounts)), frozen: make(map[team.AccountID]string)},
	}
	for _, t := range in.Tiers {
		if _, twice := r.rank[t]; twice {
			continue
		}
		r.rank[t] = len(r.rank)
		switch t {
		case Manual, Self:
			r.stated = append(r.stated, t)
		case SAML, Attribute, Email:
			r.found = append(r.found, t)
		}
	}
	for _, s := range in.Snapshots {
		if s == nil {
			continue
		}
		if other, twice := r.sources[s.Source]; !twice || s.TakenAt.After(other.TakenAt) {
			r.sources[s.Source] = s
		}
	}
	users := 0
	for _, s := range r.sources {
		users += len(s.Users)
	}
	r.result.Held = make(map[UserRef]Hold, max(users-len(in.Accounts), 0))
	for i := range in.Accounts {
		a := &in.Accounts[i]
		r.accounts[a.ID] = a
		login := team.FoldLogin(a.Login)
		r.logins[login] = append(r.logins[login], a.ID)
		slices.Sort(r.logins[login])
		for _, identity := range a.Identities {
			r.identities.add(a.ID, "nameID", identity.NameID)
			r.identities.add(a.ID, "SCIM username", identity.Username)
		}
		if _, on := r.rank[Email]; on {
			for _, address := range a.VerifiedEmails {
				r.addresses.add(a.ID, "verified address", address)
			}
		}
	}
	for i := range in.Before {
		l := &in.Before[i]
		if other, twice := r.before[l.User]; !twice || compareLinks(l, other) < 0 {
			r.before[l.User] = l
		}
	}
	return r
}

// compareLinks decides which of two links of one user is the one that memory means: never more than one is kept, so it is only a rule
// against chance.
func compareLinks(a, b *Link) int {
	return cmp.Or(a.MadeAt.Compare(b.MadeAt), cmp.Compare(a.Account, b.Account), cmp.Compare(a.Tier, b.Tier), cmp.Compare(a.State, b.State))
}

// user returns a user who was read.
func (r *resolver) user(ref UserRef) (directory.User, bool) {
	s, ok := r.sources[ref.Source]
	if !ok {
		return directory.User{}, false
	}
	u, ok := s.Users[ref.ID]
	return u, ok
}

// name shows an account to people.
func (r *resolver) name(id team.AccountID) string {
	if a, ok := r.accounts[id]; ok {
		return a.Login + " (" + string(id) + ")"
	}
	return "account " + string(id)
}

func (r *resolver) listAccounts(ids []team.AccountID) string {
	shown := make([]string, 0, len(ids))
	for _, id := range ids {
		shown = append(shown, r.name(id))
	}
	return strings.Join(shown, " and ")
}

func listUsers(users []UserRef) string {
	shown := make([]string, 0, len(users))
	for _, u := range users {
		shown = append(shown, u.String())
	}
	return strings.Join(shown, ", ")
}

// settle says what to do about a doubt.
func settle(user UserRef) string {
	return "; say whose account it is: musterline link add " + user.String() + " HOST/NUMBER --reason TEXT"
}

// seatOf returns the seat of a link.
func seatOf(l Link) seat { return seat{l.User.Source, l.Account} }

// compareSeats orders links by seat and user.
func compareSeats(a, b *Link) int {
	return cmp.Or(cmp.Compare(a.Account, b.Account), compareUsers(a.User, b.User))
}

// keep gives a user a link and its seat.
func (r *resolver) keep(l Link) {
	if a, ok := r.accounts[l.Account]; ok {
		l.Login = a.Login
	}
	r.result.Links[l.User] = l
	if l.State != Revoked {
		r.holder[seatOf(l)] = l.User
	}
}

// hold leaves a user without a link. Who had one that was revoked keeps that: it says more.
func (r *resolver) hold(user UserRef, reason Reason, message string, doubts ...doubt) {
	r.ask(user, message, doubts...)
	if _, revoked := r.result.Links[user]; revoked {
		r.stuck[user] = true
		return
	}
	h := Hold{User: user, Reason: reason, Message: message}
	for _, d := range doubts {
		if !slices.Contains(h.Among, d.account) {
			h.Among = append(h.Among, d.account)
		}
	}
	slices.Sort(h.Among)
	r.result.Held[user] = h
}

// ask raises doubts about accounts because of a user.
func (r *resolver) ask(user UserRef, why string, doubts ...doubt) {
	for _, d := range doubts {
		r.questions = append(r.questions, question{d, user, user.String() + ": " + why})
	}
}

// weigh lets the questions raised so far bind the tiers to come.
func (r *resolver) weigh() {
	for _, q := range r.questions[r.weighed:] {
		at := seat{q.user.Source, q.account}
		rank, ok := r.rank[q.tier]
		if !ok {
			rank = -1 // people have said it
		}
		if other, doubted := r.doubts[at]; !doubted || rank < other {
			r.doubts[at] = rank
		}
	}
	r.weighed = len(r.questions)
}

// decided reports whether a user is done with. Of whom a person has spoken, nothing is matched.
func (r *resolver) decided(user UserRef) bool {
	if _, ruled := r.ruled[user]; ruled || r.stuck[user] {
		return true
	}
	if l, linked := r.result.Links[user]; linked {
		return l.State != Revoked
	}
	_, held := r.result.Held[user]
	return held
}

// inSight reports whether a standing link rests on something that can be seen now: a person's word, or a user who was read and counts.
// Claims of others do not shake it.
func (r *resolver) inSight(l Link) bool {
	if l.State != Standing {
		return false
	}
	if l.Tier == Manual || l.Tier == Self {
		return true
	}
	u, ok := r.user(l.User)
	return ok && u.Status.Member()
}

// report fills in who is left over and which accounts are in doubt.
func (r *resolver) report() {
	res := r.result
	for _, user := range r.users {
		if _, linked := res.Links[user]; linked {
			continue
		}
		if _, held := res.Held[user]; !held {
			res.Held[user] = Hold{User: user, Reason: NotLinked, Message: r.unlinked(user)}
		}
	}
	why := make(map[team.AccountID]question)
	raise := func(q question) {
		if other, ok := why[q.account]; !ok || compareUsers(q.user, other.user) < 0 || q.user == other.user && q.why < other.why {
			why[q.account] = q
		}
	}
	for user, l := range res.Links {
		if l.State == Frozen {
			raise(question{doubt{l.Account, l.Tier}, user, user.String() + ": " + l.Trouble})
		}
	}
	settled := func(user UserRef, account team.AccountID) bool {
		owner, taken := r.holder[seat{user.Source, account}]
		return taken && owner != user && r.inSight(res.Links[owner])
	}
	for _, q := range r.questions {
		if !settled(q.user, q.account) {
			raise(q)
		}
	}
	for user, h := range res.Held {
		if len(h.Among) > 0 {
			h.Among = slices.DeleteFunc(h.Among, func(id team.AccountID) bool { return settled(user, id) })
			res.Held[user] = h
		}
	}
	for account, q := range why {
		res.frozen[account] = q.why
	}
	res.index()
}

// unlinked says why no tier names an account for a user, and which came closest.
func (r *resolver) unlinked(user UserRef) string {
	for _, c := range r.claims[user] {
		if c.refused != nil {
			return fmt.Sprintf("%s: %q %v, so it is compared with nothing", c.tier, c.value, c.refused)
		}
		if c.weak && len(c.accounts) > 0 {
			return fmt.Sprintf("the address %s is another user's sign-in name, whose account %s is%s", c.value, r.listAccounts(c.accounts), settle(user))
		}
	}
	return nobody
}
