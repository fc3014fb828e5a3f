package link_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"musterline.example/directory"
	"musterline.example/link"
	"musterline.example/team"
)

var (
	now     = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	earlier = now.Add(-30 * 24 * time.Hour)
)

// A person at an identity provider, written in one line.
func user(id, username, email, login string) directory.User {
	u := directory.User{ID: directory.UserID(id), Username: username, Email: email, Status: directory.Active}
	if login != "" {
		u.Accounts = map[string]string{"github": login}
	}
	return u
}

func disabled(u directory.User) directory.User { u.Status = directory.Disabled; return u }
func deleted(u directory.User) directory.User  { u.Status = directory.Deleted; return u }

func source(name string, users ...directory.User) *directory.Snapshot {
	s := &directory.Snapshot{Source: name, TakenAt: now, Users: make(map[directory.UserID]directory.User)}
	for _, u := range users {
		s.Users[u.ID] = u
	}
	return s
}

// account is a member of the organization, with the NameIDs that single sign-on has linked to it.
func account(id, login string, nameIDs ...string) team.Account {
	a := team.Account{ID: team.AccountID(id), Login: login}
	for _, n := range nameIDs {
		a.Identities = append(a.Identities, team.Identity{GUID: "guid-" + n, NameID: n})
	}
	return a
}

func before(user, account, login string, tier link.Tier, value string) link.Link {
	ref, _ := link.ParseUserRef(user)
	return link.Link{
		User: ref, Account: team.AccountID(account), Login: login, Tier: tier, Value: value,
		By: "sync", MadeAt: earlier, SeenAt: earlier, State: link.Standing,
	}
}

func (s said) statement() link.Statement {
	ref, _ := link.ParseUserRef(s.user)
	return link.Statement{User: ref, Account: team.AccountID(s.account), Tier: s.tier, By: "ops", At: earlier}
}

type said struct {
	user, account string
	tier          link.Tier
}

func sources(s ...*directory.Snapshot) []*directory.Snapshot { return s }
func accounts(a ...team.Account) []team.Account              { return a }

var filler = account("999", "filler", "filler@example.com") // somebody else whose identity is read

// TestWhoIsWho states, case by case, whom linking links, freezes, revokes and holds. Outcomes read "user state account tier" and
// "user reason"; accounts after "frozen" are in doubt.
func TestWhoIsWho(t *testing.T) {
	ada := account("1024", "ada-l", "ada@example.com")
	for name, c := range map[string]struct {
		users    []*directory.Snapshot
		accounts []team.Account
		before   []link.Link
		said     []said
		tiers    []link.Tier
		partial  bool
		want     []string
	}{
		// Tiers.
		"saml by sign-in name": {
			users: sources(source("corp", user("u1", "ada@example.com", "", ""))), accounts: accounts(ada),
			want: []string{"corp/u1 standing 1024 saml: nameID ada@example.com = username"},
		},
		"saml by mail address": {
			users: sources(source("corp", user("u1", "ada", "ada@example.com", ""))), accounts: accounts(ada),
			want: []string{"corp/u1 standing 1024 saml: nameID ada@example.com = email"},
		},
		"saml in another case is marked": {
			users: sources(source("corp", user("u1", "Ada@Example.com", "", ""))), accounts: accounts(ada),
			want: []string{"corp/u1 standing 1024 saml: nameID Ada@Example.com = username (folded)"},
		},
		"saml exactly goes before saml in another case": {
			users:    sources(source("corp", user("u1", "ada@example.com", "", ""))),
			accounts: accounts(ada, account("7", "ada-x", "ADA@example.com")),
			want:     []string{"corp/u1 standing 1024 saml: nameID ada@example.com = username"},
		},
		"what is no address is not folded": {
			users: sources(source("corp", user("u1", "ADA", "", ""))), accounts: accounts(account("1", "x", "ada")),
			want: []string{"corp/u1 not-linked"},
		},
		"tags and dots belong to the name": {
			users: sources(source("corp", user("u1", "a.da+gh@example.com", "", ""))), accounts: accounts(ada),
			want: []string{"corp/u1 not-linked"},
		},
		"a cyrillic look-alike is refused": {
			users: sources(source("corp", user("u1", "аda@example.com", "", ""))), accounts: accounts(account("1", "x", "аda@example.com")),
			want: []string{"corp/u1 not-linked"},
		},
		"attribute": {
			users: sources(source("corp", user("u1", "", "", " https://github.com/Ada-L "))), accounts: accounts(ada),
			want: []string{"corp/u1 standing 1024 attribute: attribute ada-l = login"},
		},
		"a login of nobody in the organization": {
			users: sources(source("corp", user("u1", "", "", "ghost"))), accounts: accounts(ada),
			want: []string{"corp/u1 not-a-member"},
		},
		"an attribute that holds no login": {
			users: sources(source("corp", user("u1", "", "", "ada@example.com"))), accounts: accounts(ada),
			want: []string{"corp/u1 not-linked"},
		},
		"no address without its tier": {
			users:    sources(source("corp", user("u1", "", "ada@corp.com", ""))),
			accounts: accounts(team.Account{ID: "1", Login: "x", VerifiedEmails: []string{"ada@corp.com"}}),
			want:     []string{"corp/u1 not-linked"},
		},
		"a verified address with its tier": {
			users:    sources(source("corp", user("u1", "", "ada@corp.com", ""))),
			accounts: accounts(team.Account{ID: "1", Login: "x", VerifiedEmails: []string{"ada@corp.com"}}),
			tiers:    []link.Tier{link.SAML, link.Email},
			want:     []string{"corp/u1 standing 1 email: verified address ada@corp.com = email"},
		},
		"the first part of an address proves nothing": {
			users:    sources(source("corp", user("u1", "ada", "ada@other.com", ""))),
			accounts: accounts(team.Account{ID: "1", Login: "ada", VerifiedEmails: []string{"ada@corp.com"}}),
			tiers:    []link.Tier{link.SAML, link.Attribute, link.Email},
			want:     []string{"corp/u1 not-linked"},
		},
		"addresses of a SCIM record are not compared": {
			users:    sources(source("corp", user("u1", "", "ada@corp.com", ""))),
			accounts: accounts(team.Account{ID: "1", Login: "x", Identities: []team.Identity{{GUID: "g", NameID: "n", Emails: []string{"ada@corp.com"}}}}),
			want:     []string{"corp/u1 not-linked"},
		},
		"tiers that agree": {
			users: sources(source("corp", user("u1", "ada@example.com", "", "ada-l"))), accounts: accounts(ada),
			want: []string{"corp/u1 standing 1024 saml: nameID ada@example.com = username"},
		},
		"tiers that disagree": {
			users: sources(source("corp", user("u1", "ada@example.com", "", "bob"))), accounts: accounts(ada, account("5", "bob")),
			want: []string{"corp/u1 conflict [1024 5]", "frozen 1024", "frozen 5"},
		},
		"an old login in the attribute is no disagreement": {
			users: sources(source("corp", user("u1", "ada@example.com", "", "ada-old"))), accounts: accounts(ada),
			want: []string{"corp/u1 standing 1024 saml: nameID ada@example.com = username; note: the attribute holds ada-old, the login of no member"},
		},

		// One to one.
		"two users with one login": {
			users:    sources(source("corp", user("u1", "", "", "ada-l"), user("u2", "", "", "Ada-L"))),
			accounts: accounts(ada),
			want:     []string{"corp/u1 ambiguous [1024]", "corp/u2 ambiguous [1024]", "frozen 1024"},
		},
		"two accounts with one NameID": {
			users:    sources(source("corp", user("u1", "ada@example.com", "", ""))),
			accounts: accounts(ada, account("5", "ada-x", "ada@example.com")),
			want:     []string{"corp/u1 ambiguous [1024 5]", "frozen 1024", "frozen 5"},
		},
		"ambiguous in one tier is not settled by a lower one": {
			users:    sources(source("corp", user("u1", "ada@example.com", "", "ada-l"))),
			accounts: accounts(ada, account("5", "ada-x", "ada@example.com")),
			want:     []string{"corp/u1 ambiguous [1024 5]", "frozen 1024", "frozen 5"},
		},
		"a higher tier goes before another user's claim in a lower one": {
			users:    sources(source("corp", user("u1", "ada@example.com", "", ""), user("u2", "", "", "ada-l"))),
			accounts: accounts(ada),
			want:     []string{"corp/u1 standing 1024 saml: nameID ada@example.com = username", "corp/u2 ambiguous []"},
		},
		"a sign-in name goes before another user's mail address": {
			users:    sources(source("corp", user("u1", "ada@example.com", "", ""), user("adm", "adm-ada", "ada@example.com", "ada-adm"))),
			accounts: accounts(ada, account("6", "ada-adm")),
			want:     []string{"corp/adm standing 6 attribute: attribute ada-adm = login", "corp/u1 standing 1024 saml: nameID ada@example.com = username"},
		},
		"who came after keeps out of a link that stands": {
			users:    sources(source("corp", user("u1", "", "", "ada-l"), user("u2", "", "", "ada-l"))),
			accounts: accounts(ada), before: []link.Link{before("corp/u1", "1024", "ada-l", link.Attribute, "ada-l")},
			want: []string{"corp/u1 standing 1024 attribute: attribute ada-l = login", "corp/u2 ambiguous []"},
		},
		"one account for a user of each source": {
			users:    sources(source("corp", user("u1", "", "", "ada-l")), source("people", user("p1", "", "", "ada-l"))),
			accounts: accounts(ada),
			want:     []string{"corp/u1 standing 1024 attribute: attribute ada-l = login", "people/p1 standing 1024 attribute: attribute ada-l = login"},
		},
		"sources that disagree about a person": {
			users:    sources(source("corp", user("u1", "", "ada@x.com", "ada-l")), source("people", user("p1", "", "Ada@x.com", "bob"))),
			accounts: accounts(ada, account("5", "bob")),
			want:     []string{"corp/u1 conflict [1024]", "frozen 1024", "frozen 5", "people/p1 conflict [5]"},
		},
		"a link that stands, against a source that comes later": {
			users:    sources(source("corp", user("u1", "", "ada@x.com", "ada-l")), source("people", user("p1", "", "Ada@x.com", "bob"))),
			accounts: accounts(ada, account("5", "bob")), before: []link.Link{before("corp/u1", "1024", "ada-l", link.Attribute, "ada-l")},
			want: []string{"corp/u1 standing 1024 attribute: attribute ada-l = login", "frozen 5", "people/p1 conflict [5]"},
		},
		"an address that several users share says nothing of a person": {
			users: sources(
				source("corp", user("u1", "", "it@x.com", "ada-l"), user("u2", "", "it@x.com", "")),
				source("people", user("p1", "", "it@x.com", "bob"))),
			accounts: accounts(ada, account("5", "bob")),
			want: []string{
				"corp/u1 standing 1024 attribute: attribute ada-l = login", "corp/u2 not-linked",
				"people/p1 standing 5 attribute: attribute bob = login",
			},
		},

		// What people say.
		"a statement wins outright": {
			users:    sources(source("corp", user("u1", "ada@example.com", "", "ada-l"))),
			accounts: accounts(ada, account("5", "bob")), said: []said{{"corp/u1", "5", link.Manual}},
			want: []string{"corp/u1 standing 5 manual: said by ops; note: saml names ada-l (1024); attribute names ada-l (1024)"},
		},
		"a statement for an account that is no member": {
			users: sources(source("corp", user("u1", "", "", ""))), accounts: accounts(ada), said: []said{{"corp/u1", "77", link.Self}},
			want: []string{"corp/u1 standing 77 self: signed in to both in one sitting"},
		},
		"two statements that contradict each other": {
			users:    sources(source("corp", user("u1", "", "", ""))),
			accounts: accounts(ada, account("5", "bob")), said: []said{{"corp/u1", "5", link.Manual}, {"corp/u1", "1024", link.Manual}},
			want: []string{"corp/u1 ambiguous [1024 5]", "frozen 1024", "frozen 5"},
		},
		"a contradiction does not shake what stood": {
			users:    sources(source("corp", user("u1", "", "", ""))),
			accounts: accounts(ada, account("5", "bob")), said: []said{{"corp/u1", "5", link.Manual}, {"corp/u1", "1024", link.Manual}},
			before: []link.Link{before("corp/u1", "5", "bob", link.Manual, "")},
			want:   []string{"corp/u1 standing 5 manual: said by ops"},
		},
		"a contradiction freezes what was found": {
			users:    sources(source("corp", user("u1", "", "", "filler"))),
			accounts: accounts(ada, account("5", "bob"), filler), said: []said{{"corp/u1", "5", link.Manual}, {"corp/u1", "1024", link.Manual}},
			before: []link.Link{before("corp/u1", "999", "filler", link.Attribute, "filler")},
			want:   []string{"corp/u1 frozen 999 attribute", "frozen 1024", "frozen 5", "frozen 999"},
		},
		"one account said to be two people": {
			users:    sources(source("corp", user("u1", "", "", ""), user("u2", "", "", ""))),
			accounts: accounts(ada), said: []said{{"corp/u1", "1024", link.Manual}, {"corp/u2", "1024", link.Manual}},
			want: []string{"corp/u1 ambiguous [1024]", "corp/u2 ambiguous [1024]", "frozen 1024"},
		},
		"by hand goes before self-service": {
			users:    sources(source("corp", user("u1", "", "", ""), user("u2", "", "", ""))),
			accounts: accounts(ada), said: []said{{"corp/u1", "1024", link.Self}, {"corp/u2", "1024", link.Manual}},
			want: []string{"corp/u1 ambiguous []", "corp/u2 standing 1024 manual: said by ops"},
		},
		"a statement takes an account over from a link that was found": {
			users:    sources(source("corp", user("u1", "", "", "ada-l"), user("u2", "", "", ""))),
			accounts: accounts(ada), said: []said{{"corp/u2", "1024", link.Manual}},
			before: []link.Link{before("corp/u1", "1024", "ada-l", link.Attribute, "ada-l")},
			want:   []string{"corp/u1 ambiguous []", "corp/u2 standing 1024 manual: said by ops"},
		},
		"a ruling on one of two who claim an account frees the other": {
			users:    sources(source("corp", user("u1", "", "", "ada-l"), user("u2", "", "", "ada-l"))),
			accounts: accounts(ada, account("5", "bob")), said: []said{{"corp/u2", "5", link.Manual}},
			want: []string{"corp/u1 standing 1024 attribute: attribute ada-l = login", "corp/u2 standing 5 manual: said by ops; note: attribute names ada-l (1024)"},
		},
		"a statement that was withdrawn": {
			users: sources(source("corp", user("u1", "", "", ""))), accounts: accounts(ada),
			before: []link.Link{before("corp/u1", "1024", "ada-l", link.Manual, "")},
			want:   []string{"corp/u1 not-linked"},
		},

		// What becomes of links.
		"a renamed account, and nobody took the login": {
			users: sources(source("corp", user("u1", "", "", "ada-l"))), accounts: accounts(account("1024", "ada-new")),
			before: []link.Link{before("corp/u1", "1024", "ada-l", link.Attribute, "ada-l")},
			want:   []string{"corp/u1 standing 1024 attribute as ada-new: attribute ada-l = login; note: the attribute holds ada-l, the login of no member"},
		},
		"a renamed account, and somebody took the login": {
			users: sources(source("corp", user("u1", "", "", "ada-l"))), accounts: accounts(account("1024", "ada-new"), account("9999", "ada-l")),
			before: []link.Link{before("corp/u1", "1024", "ada-l", link.Attribute, "ada-l")},
			want:   []string{"corp/u1 frozen 1024 attribute as ada-new: identity-replaced", "frozen 1024", "frozen 9999"},
		},
		"a login of another account": {
			users: sources(source("corp", user("u1", "", "", "ada-l"))), accounts: accounts(account("9999", "ada-l")),
			before: []link.Link{before("corp/u1", "1024", "ada-l", link.Attribute, "ada-l")},
			want:   []string{"corp/u1 frozen 1024 attribute: identity-replaced", "frozen 1024", "frozen 9999"},
		},
		"a login of another account, and the link is by saml": {
			users: sources(source("corp", user("u1", "ada@example.com", "", ""))), accounts: accounts(account("9999", "ada-l"), filler),
			before: []link.Link{before("corp/u1", "1024", "ada-l", link.SAML, "ada@example.com")},
			want:   []string{"corp/u1 frozen 1024 saml: identity-replaced", "frozen 1024"},
		},
		"an account that has left the organization": {
			users: sources(source("corp", user("u1", "", "", "ada-l"))), accounts: accounts(filler),
			before: []link.Link{before("corp/u1", "1024", "ada-l", link.Attribute, "ada-l")},
			want:   []string{"corp/u1 standing 1024 attribute: attribute ada-l = login; note: the attribute holds ada-l, the login of no member"},
		},
		"an attribute that was brought up to date": {
			users: sources(source("corp", user("u1", "", "", "ada-new"))), accounts: accounts(account("1024", "ada-new")),
			before: []link.Link{before("corp/u1", "1024", "ada-l", link.Attribute, "ada-l")},
			want:   []string{"corp/u1 standing 1024 attribute as ada-new: attribute ada-new = login"},
		},
		"an attribute that names somebody else now": {
			users: sources(source("corp", user("u1", "", "", "bob"))), accounts: accounts(ada, account("5", "bob")),
			before: []link.Link{before("corp/u1", "1024", "ada-l", link.Attribute, "ada-l")},
			want:   []string{"corp/u1 frozen 1024 attribute: conflict", "frozen 1024", "frozen 5"},
		},
		"an attribute that was cleared": {
			users:    sources(source("corp", user("u1", "", "", ""), user("u2", "", "", "filler"))),
			accounts: accounts(ada, filler), before: []link.Link{before("corp/u1", "1024", "ada-l", link.Attribute, "ada-l")},
			want: []string{"corp/u1 revoked 1024 attribute", "corp/u2 standing 999 attribute: attribute filler = login"},
		},
		"an attribute that nobody has any more": {
			users:    sources(source("corp", user("u1", "", "", ""), user("u2", "", "", ""))),
			accounts: accounts(ada, filler),
			before:   []link.Link{before("corp/u1", "1024", "ada-l", link.Attribute, "ada-l"), before("corp/u2", "999", "filler", link.Attribute, "filler")},
			want:     []string{"corp/u1 frozen 1024 attribute", "corp/u2 frozen 999 attribute", "frozen 1024", "frozen 999"},
		},
		"an attribute that was cleared while saml names the same account": {
			users:    sources(source("corp", user("u1", "ada@example.com", "", ""), user("u2", "", "", "filler"))),
			accounts: accounts(ada, filler), before: []link.Link{before("corp/u1", "1024", "ada-l", link.Attribute, "ada-l")},
			want: []string{"corp/u1 standing 1024 saml: nameID ada@example.com = username", "corp/u2 standing 999 attribute: attribute filler = login"},
		},
		"an identity that is gone": {
			users: sources(source("corp", user("u1", "ada@example.com", "", ""))), accounts: accounts(account("1024", "ada-l"), filler),
			before: []link.Link{before("corp/u1", "1024", "ada-l", link.SAML, "ada@example.com")},
			want:   []string{"corp/u1 revoked 1024 saml"},
		},
		"the only identity there was is gone": {
			users: sources(source("corp", user("u1", "ada@example.com", "", ""))), accounts: accounts(account("1024", "ada-l")),
			before: []link.Link{before("corp/u1", "1024", "ada-l", link.SAML, "ada@example.com")},
			want:   []string{"corp/u1 revoked 1024 saml"},
		},
		"all identities are gone": {
			users:    sources(source("corp", user("u1", "ada@example.com", "", ""), user("u2", "bob@example.com", "", ""))),
			accounts: accounts(account("1024", "ada-l"), account("5", "bob")),
			before:   []link.Link{before("corp/u1", "1024", "ada-l", link.SAML, "ada@example.com"), before("corp/u2", "5", "bob", link.SAML, "bob@example.com")},
			want:     []string{"corp/u1 frozen 1024 saml", "corp/u2 frozen 5 saml", "frozen 1024", "frozen 5"},
		},
		"identities that could not be read": {
			users: sources(source("corp", user("u1", "ada@example.com", "", ""))), accounts: accounts(account("1024", "ada-l")), partial: true,
			before: []link.Link{before("corp/u1", "1024", "ada-l", link.SAML, "ada@example.com")},
			want:   []string{"corp/u1 standing 1024 saml"},
		},
		"an identity that moved to another account": {
			users: sources(source("corp", user("u1", "ada@example.com", "", ""))), accounts: accounts(account("1024", "ada-l"), account("7", "ada-2", "ada@example.com")),
			before: []link.Link{before("corp/u1", "1024", "ada-l", link.SAML, "ada@example.com")},
			want:   []string{"corp/u1 frozen 1024 saml: conflict", "frozen 1024", "frozen 7"},
		},
		"a user who is called otherwise now": {
			users: sources(source("corp", user("u1", "ada.lovelace@example.com", "", ""))), accounts: accounts(ada),
			before: []link.Link{before("corp/u1", "1024", "ada-l", link.SAML, "ada@example.com")},
			want:   []string{"corp/u1 standing 1024 saml"},
		},
		"a user who is called otherwise now, and another has the name": {
			users:    sources(source("corp", user("u1", "ada.lovelace@example.com", "", ""), user("u2", "ada@example.com", "", ""))),
			accounts: accounts(ada), before: []link.Link{before("corp/u1", "1024", "ada-l", link.SAML, "ada@example.com")},
			want: []string{"corp/u1 frozen 1024 saml: conflict", "corp/u2 ambiguous [1024]", "frozen 1024"},
		},
		"a revoked identity that is back": {
			users: sources(source("corp", user("u1", "ada@example.com", "", ""))), accounts: accounts(ada),
			before: []link.Link{revoked(before("corp/u1", "1024", "ada-l", link.SAML, "ada@example.com"))},
			want:   []string{"corp/u1 standing 1024 saml: nameID ada@example.com = username"},
		},
		"a revoked identity that is back on another account": {
			users: sources(source("corp", user("u1", "ada@example.com", "", ""))), accounts: accounts(account("1024", "ada-l"), account("7", "ada-2", "ada@example.com")),
			before: []link.Link{revoked(before("corp/u1", "1024", "ada-l", link.SAML, "ada@example.com"))},
			want:   []string{"corp/u1 standing 7 saml: nameID ada@example.com = username"},
		},
		"a revoked link of a user whom two accounts could be": {
			users:    sources(source("corp", user("u1", "ada@example.com", "", "filler"))),
			accounts: accounts(account("1024", "ada-l"), account("7", "a", "ada@example.com"), account("8", "b", "ada@example.com"), filler),
			before:   []link.Link{revoked(before("corp/u1", "1024", "ada-l", link.SAML, "ada@example.com"))},
			want:     []string{"corp/u1 revoked 1024 saml", "frozen 7", "frozen 8"},
		},
		"a lower link against a higher tier": {
			users: sources(source("corp", user("u1", "ada@example.com", "", "bob"))), accounts: accounts(ada, account("5", "bob")),
			before: []link.Link{before("corp/u1", "5", "bob", link.Attribute, "bob")},
			want:   []string{"corp/u1 frozen 5 attribute: conflict", "frozen 1024", "frozen 5"},
		},
		"a lower link against another user's higher tier": {
			users:    sources(source("corp", user("u1", "", "", "ada-l"), user("u2", "ada@example.com", "", ""))),
			accounts: accounts(ada), before: []link.Link{before("corp/u1", "1024", "ada-l", link.Attribute, "ada-l")},
			want: []string{"corp/u1 frozen 1024 attribute: attribute ada-l = login: conflict", "corp/u2 conflict [1024]", "frozen 1024"},
		},
		"a user who was not in the read": {
			users: sources(source("corp")), accounts: accounts(account("1024", "ada-l"), filler),
			before: []link.Link{before("corp/u1", "1024", "ada-l", link.SAML, "ada@example.com")},
			want:   []string{"corp/u1 standing 1024 saml"},
		},
		"a user who was not in the read, and somebody claims the account": {
			users: sources(source("corp", user("u2", "ada@example.com", "", ""))), accounts: accounts(ada),
			before: []link.Link{before("corp/u1", "1024", "ada-l", link.SAML, "ada@example.com")},
			want:   []string{"corp/u1 standing 1024 saml", "corp/u2 ambiguous [1024]", "frozen 1024"},
		},
		"a source that was not read": {
			users: sources(source("people")), accounts: accounts(account("9", "ada-l"), filler),
			before: []link.Link{before("corp/u1", "1024", "ada-l", link.SAML, "ada@example.com")},
			want:   []string{"corp/u1 standing 1024 saml"},
		},
		"a disabled user who lost the attribute with it": {
			users: sources(source("corp", disabled(user("u1", "", "", "")), user("u2", "", "", "filler"))), accounts: accounts(ada, filler),
			before: []link.Link{before("corp/u1", "1024", "ada-l", link.Attribute, "ada-l")},
			want:   []string{"corp/u1 standing 1024 attribute", "corp/u2 standing 999 attribute: attribute filler = login"},
		},
		"a disabled user whose account another claims": {
			users: sources(source("corp", disabled(user("u1", "", "", "ada-l")), user("u2", "", "", "ada-l"))), accounts: accounts(ada),
			before: []link.Link{before("corp/u1", "1024", "ada-l", link.Attribute, "ada-l")},
			want:   []string{"corp/u1 standing 1024 attribute", "corp/u2 ambiguous [1024]", "frozen 1024"},
		},
		"a deleted user": {
			users: sources(source("corp", deleted(user("u1", "", "", "")))), accounts: accounts(ada),
			before: []link.Link{before("corp/u1", "1024", "ada-l", link.Attribute, "ada-l")},
			want:   []string{"corp/u1 standing 1024 attribute"},
		},
		"a deleted user who came back under a new id": {
			users: sources(source("corp", deleted(user("u1", "", "", "ada-l")), user("u2", "", "", "ada-l"))), accounts: accounts(ada),
			before: []link.Link{before("corp/u1", "1024", "ada-l", link.Attribute, "ada-l")},
			want:   []string{"corp/u1 not-linked", "corp/u2 standing 1024 attribute: attribute ada-l = login"},
		},
		"a tier that was switched off": {
			users: sources(source("corp", user("u1", "", "", "ada-l"))), accounts: accounts(ada), tiers: []link.Tier{link.Manual, link.SAML},
			before: []link.Link{before("corp/u1", "1024", "ada-l", link.Attribute, "ada-l")},
			want:   []string{"corp/u1 frozen 1024 attribute", "frozen 1024"},
		},
		"a tier that was switched off while another names the same account": {
			users: sources(source("corp", user("u1", "ada@example.com", "", "ada-l"))), accounts: accounts(ada), tiers: []link.Tier{link.Manual, link.SAML},
			before: []link.Link{before("corp/u1", "1024", "ada-l", link.Attribute, "ada-l")},
			want:   []string{"corp/u1 standing 1024 saml: nameID ada@example.com = username"},
		},
		"an address that is no longer verified": {
			users: sources(source("corp", user("u1", "", "ada@corp.com", ""))), accounts: accounts(ada), tiers: []link.Tier{link.Email},
			before: []link.Link{before("corp/u1", "1024", "ada-l", link.Email, "ada@corp.com")},
			want:   []string{"corp/u1 frozen 1024 email", "frozen 1024"},
		},
		"two users whom memory links to one account": {
			users: sources(source("corp", user("u1", "", "", "ada-l"), user("u2", "", "", "ada-l"))), accounts: accounts(ada),
			before: []link.Link{before("corp/u1", "1024", "ada-l", link.Attribute, "ada-l"), before("corp/u2", "1024", "ada-l", link.Attribute, "ada-l")},
			want:   []string{"corp/u1 frozen 1024 attribute: attribute ada-l = login", "corp/u2 frozen 1024 attribute: attribute ada-l = login", "frozen 1024"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			in := link.Input{
				Snapshots: c.users, Kind: "github", Accounts: c.accounts, Complete: !c.partial, Before: c.before, Tiers: c.tiers, Now: now,
			}
			for _, s := range c.said {
				in.Statements = append(in.Statements, s.statement())
			}
			got := link.Resolve(in)
			if diff := cmp.Diff(c.want, describe(in, got)); diff != "" {
				t.Errorf("-want +got:\n%s\n%+v", diff, got)
			}
			for _, l := range got.Links {
				in.Before = append(in.Before, l)
			}
			in.Before = in.Before[len(c.before):]
			if diff := cmp.Diff(got, link.Resolve(in), equal...); diff != "" {
				t.Errorf("resolving again changes something:\n%s", diff)
			}
		})
	}
}

var equal = []cmp.Option{cmp.AllowUnexported(link.Result{}), cmpopts.EquateEmpty()}

func revoked(l link.Link) link.Link { l.State, l.Trouble = link.Revoked, "gone"; return l }
