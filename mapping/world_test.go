package mapping_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"musterline.example/directory"
	"musterline.example/link"
	"musterline.example/mapping"
	"musterline.example/team"
)

var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

// A world is one small identity provider ("corp"), one organization, and the mappings between them. Its user "ada" claims the login
// "ada", which is the account "ada-id"; so do all others, unless the test says otherwise.
type world struct {
	in       mapping.Input
	snapshot *directory.Snapshot
	before   []link.Link
	states   []link.Statement
	complete bool
}

func newWorld() *world {
	w := &world{snapshot: &directory.Snapshot{Source: "corp", TakenAt: noon, Users: map[directory.UserID]directory.User{}, Groups: map[directory.GroupID]directory.Group{}}}
	w.in = mapping.Input{Target: "octo", Place: team.Place{Host: "github.com", OrganizationID: "1", Organization: "octo-org"},
		Settings: mapping.DefaultSettings, Ledger: mapping.Ledger{}, Now: noon}
	w.in.Sources = map[string]mapping.Reading{"corp": {Snapshot: w.snapshot}}
	return w
}

// group lists users and, with a leading "@", groups. Users who are not known yet become active members of the organization.
func (w *world) group(id string, members ...string) *world {
	g := directory.Group{ID: directory.GroupID(id), Name: id, ReadAt: noon}
	for _, m := range members {
		if sub, ok := strings.CutPrefix(m, "@"); ok {
			g.Groups = append(g.Groups, directory.GroupID(sub))
			continue
		}
		g.Members = append(g.Members, directory.UserID(m))
		if _, known := w.snapshot.Users[directory.UserID(m)]; !known {
			w.user(m, directory.Active, m).account(m)
		}
	}
	w.snapshot.Groups[g.ID] = g
	return w
}

// user sets a user with the login that the identity provider claims; an empty login is no claim.
func (w *world) user(id string, status directory.Status, login string) *world {
	u := directory.User{ID: directory.UserID(id), Status: status}
	if login != "" {
		u.Accounts = map[string]string{"github": login}
	}
	w.snapshot.Users[u.ID] = u
	return w
}

// account makes a member of the organization.
func (w *world) account(login string) *world {
	for _, a := range w.in.Accounts {
		if a.Login == login {
			return w
		}
	}
	w.in.Accounts = append(w.in.Accounts, team.Account{ID: team.AccountID(login + "-id"), Login: login})
	return w
}

func (w *world) owner(login string) *world {
	w.account(login)
	for i := range w.in.Accounts {
		if w.in.Accounts[i].Login == login {
			w.in.Accounts[i].Owner = true
		}
	}
	return w
}

// team makes a team of the target. A leading "+" is a maintainer, a leading "?" a pending invitation.
func (w *world) team(slug string, logins ...string) *world {
	t := team.Team{ID: team.ID(slug + "-id"), Slug: slug, Name: slug}
	for _, l := range logins {
		m := team.Membership{}
		if rest, ok := strings.CutPrefix(l, "+"); ok {
			l, m.Role = rest, team.Maintainer
		}
		if rest, ok := strings.CutPrefix(l, "?"); ok {
			l, m.Pending = rest, true
		} else {
			w.account(l)
		}
		m.Account, m.Login = team.AccountID(l+"-id"), l
		t.Members = append(t.Members, m)
	}
	t.Sort()
	w.in.Teams = append(w.in.Teams, t)
	return w
}

func (w *world) mapped(slug string, groups ...string) *world {
	for _, g := range groups {
		m := mapping.Mapping{ID: "file:" + g, Origin: mapping.FromFile, Target: "octo", Team: slug, Source: "corp", Group: g, Mode: mapping.Exclusive}
		if _, ok := w.snapshot.Groups[directory.GroupID(g)]; ok {
			m.GroupID = directory.GroupID(g)
		}
		if slices.ContainsFunc(w.in.Teams, func(t team.Team) bool { return t.Slug == slug }) {
			m.TeamID = team.ID(slug + "-id")
		}
		w.in.Mappings = append(w.in.Mappings, m)
	}
	return w
}

// known writes a row into the ledger: justified by the group of that name.
func (w *world) known(slug, login string, origin mapping.LedgerOrigin, groups ...string) *world {
	id := team.ID(slug + "-id")
	e := mapping.Entry{Account: team.AccountID(login + "-id"), Origin: origin, Since: noon.Add(-time.Hour)}
	for _, g := range groups {
		e.Mappings = append(e.Mappings, "corp/"+g)
	}
	w.in.Ledger[id] = append(w.in.Ledger[id], e)
	w.in.Ledger.Sort()
	return w
}

func (w *world) resolve() mapping.Result {
	if w.in.Links == nil {
		w.in.Links = link.Resolve(link.Input{Snapshots: []*directory.Snapshot{w.snapshot}, Kind: "github", Accounts: w.in.Accounts,
			Complete: w.complete, Before: w.before, Statements: w.states, Now: w.in.Now})
	}
	return mapping.Resolve(w.in)
}

// verdict renders what a team should hold, one word an account: "+ada" comes or stays in, "=bob (rule)" is kept, "-eve (rule)" goes;
// "*" marks a maintainer.
func verdict(t *testing.T, r mapping.Result, slug string) string {
	t.Helper()
	for _, w := range r.Wanted {
		if w.Team != team.ID(slug+"-id") && (w.Create == nil || w.Create.Name != slug) {
			continue
		}
		words := make([]string, 0, len(w.Members))
		for _, m := range w.Members {
			word := map[team.In]string{team.Yes: "+", team.Keep: "=", team.Out: "-"}[m.In] + strings.TrimSuffix(string(m.Account), "-id")
			if m.In == team.Yes && m.Role == team.Maintainer {
				word += "*"
			}
			if m.Demote {
				word += " demote"
			}
			if m.In != team.Yes {
				word += " (" + string(m.Why[0].Rule) + ")"
			}
			words = append(words, word)
		}
		return strings.Join(words, ", ")
	}
	return "not wanted"
}

func refusals(r mapping.Result) string {
	var all []string
	for _, f := range r.Refused {
		all = append(all, f.Slug+": "+string(f.Reason))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

func heldPeople(r mapping.Result) string {
	var all []string
	for _, h := range r.Held {
		all = append(all, string(h.User.ID)+" "+h.Reason)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}
