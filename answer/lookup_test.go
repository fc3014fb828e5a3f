package answer_test

import (
	"strings"
	"testing"

	"musterline.example/answer"
)

// unreadable is a company whose users have ids that nobody knows by heart, as LDAP gives them, and two of whom go by one name.
const unreadable = `
users:
- { id: 6f1d-a, name: Ada Lovelace, username: ada, email: ada@example.com, accounts: { github: ada-l } }
- { id: 6f1d-b, name: Bob Marsh, username: bob, email: bob@example.com, accounts: { github: bob } }
- { id: 6f1d-c, name: Cy One, username: sam, email: cy@example.com }
- { id: 6f1d-d, name: Cy Two, username: cy.two, email: sam }
- { id: ghost, name: Ghost, username: g1 }
- { id: g2, name: Other, username: ghost }
groups:
- { id: docs, name: docs, members: [6f1d-a, ghost, g2] }
- { id: platform, name: platform, members: [6f1d-a, 6f1d-b, 6f1d-c, 6f1d-d] }
`

func unreadableStreet(t *testing.T) *street {
	t.Helper()
	s := open(t)
	s.write("directory.yaml", unreadable)
	s.sync()
	return s
}

func TestAUserOfASourceIsFoundByAnyNameThatTheSourceHasForThem(t *testing.T) {
	s := unreadableStreet(t)
	for word, want := range map[string]string{
		"people/6f1d-a": "people/6f1d-a", "people/ada": "people/6f1d-a", "people/Ada@Example.com": "people/6f1d-a", "ada": "people/6f1d-a",
		"people/cy.two": "people/6f1d-d",
		"people/ghost":  "people/ghost", "ghost": "people/ghost", // an id before a sign-in name
	} {
		got, err := s.Why(t.Context(), word, "platform")
		if err != nil || got.User != want {
			t.Errorf("%s: %q, %v", word, got.User, err)
		}
	}
	for _, word := range []string{"people/nobody", "people/", "poeple/ada"} {
		if got, err := s.Why(t.Context(), word, "platform"); class(err) != answer.NotFound {
			t.Errorf("%s: %+v, %v", word, got, err)
		}
	}
}

func TestANameOfTwoUsersIsNobodysAndTheErrorNamesBoth(t *testing.T) {
	s := unreadableStreet(t)
	for doing, ask := range map[string]func() error{
		"why":  func() error { _, err := s.Why(t.Context(), "people/sam", "platform"); return err },
		"bare": func() error { _, err := s.Why(t.Context(), "sam", "platform"); return err },
		"link": func() error {
			_, err := s.Link(t.Context(), answer.LinkWish{User: "people/sam", Account: s.hostOf() + "/1000003", Reason: "asked"})
			return err
		},
		"unlink": func() error {
			_, err := s.Unlink(t.Context(), answer.UnlinkWish{User: "people/sam", Reason: "asked"})
			return err
		},
	} {
		err := ask()
		if class(err) != answer.Usage || !strings.Contains(err.Error(), "people/6f1d-c (Cy One)") || !strings.Contains(err.Error(), "people/6f1d-d (Cy Two)") {
			t.Errorf("%s: %v", doing, err)
			continue
		}
		if said := answer.ErrorOf(err).Public(); strings.Contains(said.Message+said.Hint, "sam") {
			t.Errorf("%s: the words for the web repeat what was asked: %+v", doing, said)
		}
	}
}

// hostOf is where the accounts live.
func (s *street) hostOf() string { return s.Host(s.t.Context(), "octo") }

func TestALinkIsOfTheUserWhomTheNameMeans(t *testing.T) {
	s := unreadableStreet(t)
	account := s.hostOf() + "/1000003"
	for word, want := range map[string]string{"people/bob": "people/6f1d-b", "people/cy@example.com": "people/6f1d-c", "people/ghost": "people/ghost"} {
		linked, err := s.Link(t.Context(), answer.LinkWish{User: word, Account: account, By: "ann", Reason: "asked"})
		if err != nil || linked.User != want {
			t.Errorf("%s: %+v, %v", word, linked, err)
		}
		if told := strings.Join(linked.Notes, " "); (word != want) != strings.Contains(told, word+" is "+want) {
			t.Errorf("%s: notes %q", word, told)
		}
		un, err := s.Unlink(t.Context(), answer.UnlinkWish{User: word, By: "ann", Reason: "it was another"})
		if err != nil || un.User != want || len(un.Hosts) != 1 {
			t.Errorf("%s: taken back %+v, %v", word, un, err)
		}
	}
	// Who is not known is taken at their word: the user may be in no mapped group yet.
	linked, err := s.Link(t.Context(), answer.LinkWish{User: "people/new", Account: account, By: "ann", Reason: "asked"})
	if err != nil || linked.User != "people/new" || len(linked.Notes) != 1 {
		t.Errorf("%+v, %v", linked, err)
	}
	// What was said of them can be taken back when somebody has come to be called so.
	s.write("directory.yaml", strings.Replace(unreadable, "username: bob", "username: new", 1))
	s.sync()
	if un, err := s.Unlink(t.Context(), answer.UnlinkWish{User: "people/new", By: "ann", Reason: "it was another"}); err != nil || un.User != "people/new" {
		t.Errorf("%+v, %v", un, err)
	}
}
