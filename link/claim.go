package link

import (
	"cmp"
	"slices"
	"strings"

	"musterline.example/directory"
	"musterline.example/team"
)

// A claim is what one tier says of one user: whose account it is, as far as that tier can tell.
type claim struct {
	tier     Tier
	value    string           // what is asserted, as it is compared
	what     string           // what the value is at the identity provider: "username", "email", "login"
	accounts []team.AccountID // that it names: none when it names a login that no member has
	records  []string         // what the value is on record as at the target, for each account
	folded   bool             // it is on record in another case
	refused  error            // why the value is compared with nothing
	weak     bool             // by mail address, which people share, rather than by sign-in name, which they do not
}

// evidence puts a claim into words: "nameID ada@example.com = username", "attribute ada-l = login".
func (c claim) evidence() string {
	record := "attribute"
	if len(c.records) > 0 {
		record = c.records[0]
	}
	words := record + " " + c.value + " = " + c.what
	if c.folded {
		words += " (folded)"
	}
	return words
}

// without drops accounts from a claim.
func (c claim) without(gone func(team.AccountID) bool) claim {
	left := c
	left.accounts, left.records = nil, nil
	for i, id := range c.accounts {
		if !gone(id) {
			left.accounts, left.records = append(left.accounts, id), append(left.records, c.records[i])
		}
	}
	return left
}

// names reports whether the claim names this account, among others perhaps.
func (c claim) names(id team.AccountID) bool { return slices.Contains(c.accounts, id) }

// A spot is an account as users of one source claim it in one tier.
type spot struct {
	source  string
	tier    Tier
	account team.AccountID
}

// A claimant is a user at a spot.
type claimant struct {
	user directory.UserID
	weak bool
}

// A register finds accounts by a name or an address that the target has on record for them.
type register struct{ exact, folded map[string][]record }

// A record is one entry of a register.
type record struct {
	account team.AccountID
	what    string // "nameID", "SCIM username", "verified address"
}

func newRegister() *register {
	return &register{make(map[string][]record), make(map[string][]record)}
}

// add enters a value of an account, once, unless it is fit for no comparison.
func (g *register) add(id team.AccountID, what, value string) {
	value, err := normalizeName(value)
	if err != nil || value == "" {
		return
	}
	enter := func(m map[string][]record, key string) {
		if !slices.ContainsFunc(m[key], func(r record) bool { return r.account == id }) {
			m[key] = append(m[key], record{id, what})
		}
	}
	enter(g.exact, value)
	if folded, ok := foldAddress(value); ok {
		enter(g.folded, folded)
	}
}

// find returns the accounts on record for a value: those with exactly this value, and only where there are none, those for which it is the
// same mail address in another case.
func (g *register) find(value string) (found []record, folded bool) {
	if found = g.exact[value]; len(found) > 0 {
		return found, false
	}
	if address, ok := foldAddress(value); ok {
		return g.folded[address], true
	}
	return nil, false
}

// claim turns a value of a user into what the register says of it. what names the value at the identity provider.
func (g *register) claim(tier Tier, value, what string) (claim, bool) {
	if value == "" || len(g.exact) == 0 {
		return claim{}, false
	}
	value, err := normalizeName(value)
	if err != nil {
		return claim{tier: tier, value: value, what: what, refused: err}, true
	}
	found, folded := g.find(value)
	if len(found) == 0 {
		return claim{}, false
	}
	c := claim{
		tier: tier, value: value, what: what, folded: folded,
		accounts: make([]team.AccountID, 0, len(found)), records: make([]string, 0, len(found)),
	}
	for _, r := range slices.SortedFunc(slices.Values(found), func(a, b record) int { return cmp.Compare(a.account, b.account) }) {
		c.accounts, c.records = append(c.accounts, r.account), append(c.records, r.what)
	}
	return c, true
}

// saml looks the user up among the identities that the target has linked itself. The NameID and the SCIM user name of an identity are compared
// with the user's sign-in name, and only where that finds nothing with the user's mail address. The mail addresses of a SCIM
// record are not compared: they are attributes that somebody copied, with aliases and shared boxes among them, and not what the
// identity provider signs in with.
func (r *resolver) saml(u directory.User) (claim, bool) {
	name, named := r.identities.claim(SAML, u.Username, "username")
	if named && name.refused == nil {
		return name, true
	}
	if address, ok := r.identities.claim(SAML, u.Email, "email"); ok && (address.refused == nil || !named) {
		address.weak = true
		return address, true
	}
	return name, named
}

// attribute looks up the login that the identity provider's own attribute asserts, among the members of the organization and nowhere
// else: out there it is anybody's.
func (r *resolver) attribute(u directory.User) (claim, bool) {
	raw := u.Accounts[r.in.Kind]
	if strings.TrimSpace(raw) == "" {
		return claim{}, false
	}
	login, err := normalizeLogin(r.in.Kind, raw)
	if err != nil {
		return claim{tier: Attribute, value: raw, what: "login", refused: err}, true
	}
	return claim{tier: Attribute, value: login, what: "login", accounts: r.logins[login]}, true
}

// email looks up the user's primary address among those that the organization has verified.
func (r *resolver) email(u directory.User) (claim, bool) {
	return r.addresses.claim(Email, u.Email, "email")
}

// gather asks the tiers that find links of every user who was read and is not deleted, and notes who claims which account.
func (r *resolver) gather() {
	ask := make([]func(directory.User) (claim, bool), 0, len(r.found))
	for _, t := range r.found {
		ask = append(ask, map[Tier]func(directory.User) (claim, bool){SAML: r.saml, Attribute: r.attribute, Email: r.email}[t])
	}
	var said []claim
	for source, s := range r.sources {
		for id, u := range s.Users {
			if u.Accounts[r.in.Kind] != "" {
				r.attributes[source] = true
			}
			said = said[:0]
			for _, find := range ask {
				if c, ok := find(u); ok && u.Status != directory.Deleted {
					said = append(said, c)
				}
			}
			user := UserRef{source, id}
			if r.alone(user, said) {
				continue
			}
			r.users = append(r.users, user)
			if len(said) > 0 {
				r.claims[user] = slices.Clone(said)
			}
		}
	}
	for user, claims := range r.claims {
		if _, ruled := r.ruled[user]; ruled {
			continue // a person has said whose account it is: what is found competes with nobody
		}
		for _, c := range claims {
			for _, account := range c.accounts {
				at := spot{user.Source, c.tier, account}
				r.claimants[at] = append(r.claimants[at], claimant{user.ID, c.weak})
			}
		}
	}
	for at, all := range r.claimants {
		slices.SortFunc(all, func(a, b claimant) int { return cmp.Compare(a.user, b.user) })
		if slices.ContainsFunc(all, func(c claimant) bool { return !c.weak }) {
			r.claimants[at] = slices.DeleteFunc(all, func(c claimant) bool { return c.weak })
		}
	}
}

// alone holds a user of whom nothing is known, or only the login of nobody. Most of a company has no account in the organization, and who
// has none concerns nobody else.
func (r *resolver) alone(user UserRef, said []claim) bool {
	h := Hold{User: user, Reason: NotLinked, Message: nobody}
	switch {
	case len(said) == 0:
	case len(said) == 1 && said[0].refused == nil && len(said[0].accounts) == 0:
		h.Reason, h.Message = NotAMember, absent(said[0])
	default:
		return false
	}
	if _, linked := r.before[user]; linked {
		return false
	}
	if _, ruled := r.ruled[user]; ruled {
		return false
	}
	r.result.Held[user] = h
	return true
}

// nobody is what is said of a user whom no tier names an account for.
const nobody = "no tier names an account: link by hand, or let the identity provider name it"

// absent says that an attribute names nobody in the organization.
func absent(c claim) string {
	return c.value + " is the login of no member of the organization: invite them, or correct the attribute"
}

// claim returns what a tier says of a user. A claim by mail address to an account that another user claims by sign-in name is void: the
// address is that user's name, and shared.
func (r *resolver) claim(user UserRef, tier Tier) (claim, bool) {
	for _, c := range r.claims[user] {
		if c.tier != tier {
			continue
		}
		if c.weak && c.refused == nil {
			c = c.without(func(id team.AccountID) bool { return r.void(user, c, id) })
			if len(c.accounts) == 0 {
				return claim{}, false
			}
		}
		return c, true
	}
	return claim{}, false
}

func (r *resolver) void(user UserRef, c claim, account team.AccountID) bool {
	if _, ruled := r.ruled[user]; ruled {
		return false
	}
	return !slices.Contains(r.claimants[spot{user.Source, c.tier, account}], claimant{user.ID, c.weak})
}

// rivals are the other users of the same source who claim an account in a tier.
func (r *resolver) rivals(user UserRef, tier Tier, account team.AccountID) []UserRef {
	var others []UserRef
	for _, c := range r.claimants[spot{user.Source, tier, account}] {
		if c.user != user.ID {
			others = append(others, UserRef{user.Source, c.user})
		}
	}
	return others
}

// decisive returns the one account that a tier names for a user and for nobody else of the source. A match that is not one-to-one counts for nothing.
func (r *resolver) decisive(user UserRef, tier Tier) (team.AccountID, bool) {
	c, ok := r.claim(user, tier)
	if !ok || len(c.accounts) != 1 || len(r.rivals(user, tier, c.accounts[0])) > 0 {
		return "", false
	}
	return c.accounts[0], true
}
