package github

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"testing"
	"time"

	"musterline.example/internal/githubapi"
	"musterline.example/internal/githubsim"
	"musterline.example/target"
	"musterline.example/target/targettest"
	"musterline.example/team"
)

func TestSuite(t *testing.T) {
	targettest.Run(t, func(t *testing.T) *targettest.Harness { return harness(t, nil) })
}

func TestSuiteByREST(t *testing.T) {
	targettest.Run(t, func(t *testing.T) *targettest.Harness {
		h := harness(t, map[string]any{"reads": "rest"})
		h.CutAccounts, h.CutTeams, h.Partial = nil, nil, nil // REST tells no totals to hold a list against
		return h
	})
}

// harness is the suite's hand in a simulated organization.
func harness(t *testing.T, settings map[string]any) *targettest.Harness {
	l := newLab(t, githubsim.Options{})
	logins := map[team.AccountID]func() string{}
	account := func(u *githubsim.User) team.AccountID {
		id := team.AccountID(fmt.Sprint(u.ID()))
		logins[id] = u.Login
		return id
	}
	find := func(id team.ID) *githubsim.Team {
		for _, tm := range l.acme.Teams() {
			if fmt.Sprint(tm.ID()) == string(id) {
				return tm
			}
		}
		panic("no team " + id)
	}
	made := func(tm *githubsim.Team) team.ID { return team.ID(fmt.Sprint(tm.ID())) }
	web := &tamperer{}
	pool := githubapi.NewPool()
	return &targettest.Harness{
		Open: func(log *slog.Logger) (target.Target, error) {
			return open(l.values(settings), target.Env{Name: "octo", Lane: "person", Log: log, Hints: &l.hints, HTTP: web}, pool)
		},
		Account:     func(login string) team.AccountID { return account(l.acme.AddMember(login)) },
		Owner:       func(login string) team.AccountID { return account(l.acme.MakeOwner(login)) },
		Team:        func(name string) team.ID { return made(l.acme.AddTeam(name)) },
		Join:        func(id team.ID, a team.AccountID, r team.Role) { find(id).Set(logins[a](), githubsim.Role(r.String())) },
		Members:     func(id team.ID) map[team.AccountID]team.Membership { return membersOf(l.world, find(id)) },
		Secrets:     []string{annsToken},
		Maintainers: true,
		Create:      true,
		Invite: func(id team.ID, login string) team.AccountID {
			guest := l.world.AddUser(login)
			l.acme.Invite(login, find(id))
			return account(guest)
		},
		Leave: func(a team.AccountID) { l.acme.RemoveMember(logins[a]()) },
		Child: func(parent team.ID, name string) team.ID {
			c := l.acme.AddTeam(name)
			c.SetParent(find(parent))
			return made(c)
		},
		RenameAccount: func(a team.AccountID, login string) { l.world.User(logins[a]()).Rename(login) },
		RenameTeam:    func(id team.ID, name string) string { tm := find(id); tm.Rename(name); return tm.Slug() },
		DeleteTeam:    func(id team.ID) { find(id).Delete() },
		Login:         func(a team.AccountID) string { return logins[a]() },
		Fill: func(prefix string, n int) (all []team.AccountID) {
			for i := range n {
				all = append(all, account(l.acme.AddMember(prefix+strconv.Itoa(i))))
			}
			return all
		},
		Refuse: func(login string) {
			l.gh.Inject(githubsim.Fault{Path: "/organizations/*/team/*/memberships/" + login, Status: 403, Message: "You cannot."})
		},
		Limit:       func(wait time.Duration) { l.gh.Inject(githubsim.Fault{Secondary: true, RetryAfter: wait}) },
		Revoke:      func() { l.gh.UpdateToken(annsToken, func(t *githubsim.Token) { t.Revoked = true }) },
		CutAccounts: func() { web.set(`"edges":[{"role":"ADMIN"`, `"edges":[],"ignored":[{"role":"ADMIN"`) },
		CutTeams:    func() { web.set(`"edges":[{"role":"MEMBER"`, `"edges":[],"ignored":[{"role":"MEMBER"`) },
		Partial: func() {
			l.gh.Inject(githubsim.Fault{GraphQL: true, Errors: []githubsim.GraphQLError{{Type: "INTERNAL", Message: "Something broke.", Path: []string{"nodes", "0"}}}})
		},
	}
}

func membersOf(w *githubsim.World, t *githubsim.Team) map[team.AccountID]team.Membership {
	all := map[team.AccountID]team.Membership{}
	put := func(login string, role githubsim.Role, pending bool) {
		id := team.AccountID(fmt.Sprint(w.User(login).ID()))
		all[id] = team.Membership{Account: id, Login: login, Role: map[bool]team.Role{true: team.Maintainer}[role == githubsim.Maintainer], Pending: pending}
	}
	for login, role := range t.Members() {
		put(login, role, false)
	}
	for _, login := range t.Pending() {
		put(login, githubsim.Member, true)
	}
	return all
}

// A tamperer changes answers on their way.
type tamperer struct{ from, to string }

func (w *tamperer) set(from, to string) { w.from, w.to = from, to }

func (w *tamperer) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil || w.from == "" {
		return resp, err
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return nil, err
	}
	body = bytes.ReplaceAll(body, []byte(w.from), []byte(w.to))
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp, nil
}
