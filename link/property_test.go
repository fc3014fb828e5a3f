package link_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"musterline.example/directory"
	"musterline.example/link"
	"musterline.example/team"
)

// world draws an input in which everything gets in everybody's way: few names, in two cases, shared by users, accounts, sources and memory.
func world(t *rapid.T) link.Input {
	login := rapid.SampledFrom([]string{"", "", "ada", "Ada", "bob", "eve", "@joe", "https://github.com/ada", "not a login"})
	name := rapid.SampledFrom([]string{"", "", "ada@x.com", "Ada@x.com", "bob@x.com", "eve@x.com", "joe"})
	id := rapid.SampledFrom([]string{"1", "2", "3", "4", "5"})
	userID := rapid.SampledFrom([]string{"u1", "u2", "u3", "u4"})
	sourceName := rapid.SampledFrom([]string{"corp", "people", "unread"})
	in := link.Input{
		Kind: "github", Now: now, Complete: rapid.Bool().Draw(t, "complete"), Organization: rapid.SampledFrom([]string{"o1", "o2"}).Draw(t, "org"),
		Tiers: rapid.SampledFrom([][]link.Tier{
			nil, {link.Manual, link.Self, link.SAML, link.Attribute, link.Email}, {link.Attribute, link.SAML}, {link.Email, link.Manual, link.SAML},
		}).Draw(t, "tiers"),
	}
	for _, source := range []string{"corp", "people"} {
		s := &directory.Snapshot{Source: source, TakenAt: now, Users: make(map[directory.UserID]directory.User)}
		for range rapid.IntRange(0, 4).Draw(t, "users") {
			u := directory.User{
				ID: directory.UserID(userID.Draw(t, "user")), Username: name.Draw(t, "username"), Email: name.Draw(t, "email"),
				Status: rapid.SampledFrom([]directory.Status{directory.Active, directory.Active, directory.Locked, directory.Disabled, directory.Deleted}).Draw(t, "status"),
			}
			if l := login.Draw(t, "login"); l != "" {
				u.Accounts = map[string]string{"github": l}
			}
			s.Users[u.ID] = u
		}
		in.Snapshots = append(in.Snapshots, s)
	}
	taken := make(map[string]bool)
	for _, a := range rapid.SliceOfDistinct(id, rapid.ID[string]).Draw(t, "accounts") {
		l := rapid.SampledFrom([]string{"ada", "bob", "eve", "JOE", "zed"}).Draw(t, "as")
		if taken[l] {
			l = "z" + a
		}
		taken[l] = true
		acc := team.Account{ID: team.AccountID(a), Login: l}
		if n := name.Draw(t, "nameID"); n != "" {
			acc.Identities = []team.Identity{{GUID: "g" + a, NameID: n, Username: name.Draw(t, "scim")}}
		}
		if n := name.Draw(t, "verified"); n != "" {
			acc.VerifiedEmails = []string{n}
		}
		in.Accounts = append(in.Accounts, acc)
	}
	seen := make(map[link.UserRef]bool)
	for range rapid.IntRange(0, 6).Draw(t, "links") {
		l := link.Link{
			User:    link.UserRef{Source: sourceName.Draw(t, "source"), ID: directory.UserID(userID.Draw(t, "linked"))},
			Account: team.AccountID(id.Draw(t, "to")), Login: rapid.SampledFrom([]string{"ada", "bob", "eve"}).Draw(t, "was"),
			Tier:   rapid.SampledFrom([]link.Tier{link.Manual, link.SAML, link.SAML, link.Attribute, link.Attribute, link.Email}).Draw(t, "by"),
			State:  rapid.SampledFrom([]link.State{link.Standing, link.Standing, link.Frozen, link.Revoked}).Draw(t, "state"),
			Value:  rapid.SampledFrom([]string{"", "ada", "ada@x.com", "bob@x.com"}).Draw(t, "value"),
			MadeAt: earlier, SeenAt: earlier, Organization: rapid.SampledFrom([]string{"o1", "o1", "o2"}).Draw(t, "at"),
		}
		if !seen[l.User] {
			in.Before = append(in.Before, l)
		}
		seen[l.User] = true
	}
	for range rapid.IntRange(0, 3).Draw(t, "statements") {
		in.Statements = append(in.Statements, link.Statement{
			User:    link.UserRef{Source: sourceName.Draw(t, "source"), ID: directory.UserID(userID.Draw(t, "said"))},
			Account: team.AccountID(id.Draw(t, "is")), Tier: rapid.SampledFrom([]link.Tier{link.Manual, link.Self}).Draw(t, "word"), By: "ops",
			At: earlier.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "when")) * time.Hour),
		})
	}
	return in
}

func TestOneAccountOfASourceIsOnePerson(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := link.Resolve(world(t))
		stands := make(map[string]link.UserRef)
		for user, l := range r.Links {
			if l.State != link.Standing {
				continue
			}
			seat := user.Source + " " + string(l.Account)
			if other, taken := stands[seat]; taken {
				t.Fatalf("%s and %s both stand on account %s", user, other, l.Account)
			}
			stands[seat] = user
		}
	})
}

func TestTheOrderOfInputsDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := world(t)
		first := link.Resolve(in)
		for range 3 {
			in.Snapshots, in.Accounts, in.Before, in.Statements = shuffled(in.Snapshots), shuffled(in.Accounts), shuffled(in.Before), shuffled(in.Statements)
			if diff := cmp.Diff(first, link.Resolve(in), equal...); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}

func shuffled[T any](s []T) []T {
	s = slices.Clone(s)
	rand.Shuffle(len(s), func(i, j int) { s[i], s[j] = s[j], s[i] })
	return s
}

func TestResolvingAgainChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := world(t)
		first := link.Resolve(in)
		in.Before = nil
		for _, l := range first.Links {
			in.Before = append(in.Before, l)
		}
		if diff := cmp.Diff(first, link.Resolve(in), equal...); diff != "" {
			t.Fatal(diff)
		}
	})
}

// TestALinkIsNeverAGuess looks at each link that was made this time and at each that was taken over, and asks what it rests on.
func TestALinkIsNeverAGuess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := world(t)
		r := link.Resolve(in)
		for user, l := range r.Links {
			was, had := linkIn(in.Before, user)
			if l.State == link.Revoked {
				if !had || was.Account != l.Account {
					t.Fatalf("%v is revoked and never stood", l)
				}
				if was.State != link.Revoked && l.Tier == link.SAML && !in.Complete {
					t.Fatalf("%v was revoked by an incomplete read", l)
				}
				if was.State != link.Revoked && l.Tier != link.SAML && l.Tier != link.Attribute {
					t.Fatalf("%v was revoked, and its evidence is no identity", l)
				}
			}
			if had && was.Account == l.Account && (was.State != link.Revoked || l.State == link.Revoked) {
				continue
			}
			if why := rests(in, l); why != "" {
				t.Fatalf("%+v: %s", l, why)
			}
		}
	})
}

// rests says what is wrong with a link that was made this time; nothing if it rests on what the input says.
func rests(in link.Input, l link.Link) string {
	if l.State != link.Standing {
		return "a new link that does not stand"
	}
	if l.Tier == link.Manual || l.Tier == link.Self {
		for _, s := range in.Statements {
			if s.User == l.User && s.Account == l.Account && s.Tier == l.Tier {
				return ""
			}
		}
		return "nobody said so"
	}
	var account team.Account
	for _, a := range in.Accounts {
		if a.ID == l.Account {
			account = a
		}
	}
	if account.ID == "" {
		return "found for an account that is no member"
	}
	var u directory.User
	for _, s := range in.Snapshots {
		if s.Source == l.User.Source {
			u = s.Users[l.User.ID]
		}
	}
	fold := team.FoldLogin
	mine := []string{fold(u.Username), fold(u.Email)}
	switch l.Tier {
	case link.Attribute:
		login, err := link.NormalizeLogin(u.Accounts["github"])
		if err != nil || login != fold(account.Login) {
			return fmt.Sprintf("%q is not the login %q", u.Accounts["github"], account.Login)
		}
	case link.SAML:
		if i := account.Identities; len(i) == 0 || !slices.Contains(mine, fold(i[0].NameID)) && !slices.Contains(mine, fold(i[0].Username)) {
			return "no identity of the account is the user's"
		}
	case link.Email:
		if v := account.VerifiedEmails; len(v) == 0 || fold(v[0]) != fold(u.Email) {
			return "no verified address of the account is the user's"
		}
	}
	return ""
}

func linkIn(links []link.Link, user link.UserRef) (link.Link, bool) {
	for _, l := range links {
		if l.User == user {
			return l, true
		}
	}
	return link.Link{}, false
}

func TestEverybodyIsLinkedOrHeld(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := world(t)
		r := link.Resolve(in)
		for _, s := range in.Snapshots {
			for id := range s.Users {
				user := link.UserRef{Source: s.Source, ID: id}
				h, held := r.Held[user]
				if _, linked := r.LinkOf(user); linked == held {
					t.Fatalf("%s: linked %t, held %t", user, linked, held)
				}
				if held && h.Message == "" {
					t.Fatalf("%s is held without a word why", user)
				}
			}
		}
		for user, l := range r.Links {
			if why, frozen := r.Frozen(l.Account); l.State == link.Frozen && (!frozen || why == "") {
				t.Fatalf("%s is frozen and account %s is not", user, l.Account)
			}
			if !r.Linked(l.Account) || !slices.Contains(r.Users(l.Account), user) {
				t.Fatalf("%s is not among the users of %s", user, l.Account)
			}
		}
		for _, h := range r.Held {
			for _, id := range h.Among {
				if _, frozen := r.Frozen(id); !frozen {
					t.Fatalf("%s is held among %s, which is not frozen", h.User, id)
				}
			}
		}
	})
}

func TestAnUnreadSourceKeepsItsLinks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := world(t)
		in.Statements = nil
		seats := make(map[team.AccountID]int)
		for _, l := range in.Before {
			if l.User.Source == "unread" && l.State != link.Revoked {
				seats[l.Account]++
			}
		}
		r := link.Resolve(in)
		for _, l := range in.Before {
			if l.User.Source != "unread" || l.Tier == link.Manual || seats[l.Account] > 1 {
				continue
			}
			got := r.Links[l.User]
			got.Login = l.Login // the target's to say
			if diff := cmp.Diff(l, got); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}
