package githubsim_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-github/v92/github"

	"musterline.example/internal/githubsim"
)

// A real client finds its way without allowances.
func TestGoGitHubIsServed(t *testing.T) {
	l := newLab(t)
	ctx := context.Background()
	for i := range 7 {
		l.acme.AddTeam(fmt.Sprint("Team ", i))
	}
	client, err := github.NewClient(github.WithEnterpriseURLs(l.web.URL, l.web.URL), github.WithAuthToken(annToken))
	if err != nil {
		t.Fatal(err)
	}

	opts, teams := &github.ListOptions{PerPage: 3}, 0
	for {
		page, resp, err := client.Teams.ListTeams(ctx, "acme", opts)
		if err != nil {
			t.Fatal(err)
		}
		teams += len(page)
		if resp.NextPage == 0 {
			break
		}
		opts.Page = resp.NextPage
	}
	equal(t, "teams", teams, 7)

	made, _, err := client.Teams.CreateTeam(ctx, "acme", github.CreateTeamRequest{Name: "Made", Privacy: new("closed")})
	if err != nil {
		t.Fatal(err)
	}
	for login, state := range map[string]string{"bob": "active", "eve": "pending"} {
		m, _, err := client.Teams.AddTeamMembershipByID(ctx, l.acme.ID(), made.GetID(), login, &github.TeamAddTeamMembershipOptions{Role: "maintainer"})
		if err != nil || m.GetState() != state {
			t.Errorf("%s: %v %v", login, m, err)
		}
	}
	members, _, err := client.Teams.ListTeamMembersBySlug(ctx, "acme", "made", nil)
	if err != nil || len(members) != 2 {
		t.Errorf("members %v %v", members, err)
	}
	pending, _, err := client.Teams.ListPendingTeamInvitationsBySlug(ctx, "acme", "made", nil)
	if err != nil || len(pending) != 1 || pending[0].GetLogin() != "eve" {
		t.Errorf("pending %v %v", pending, err)
	}
	if _, err := client.Teams.RemoveTeamMembershipBySlug(ctx, "acme", "made", "bob"); err != nil {
		t.Error(err)
	}

	l.gh.Exhaust(annToken, 0)
	_, _, err = client.Users.GetByID(ctx, 1)
	if limited := new(github.RateLimitError); !errors.As(err, &limited) {
		t.Errorf("primary limit reads as %v", err)
	}
	l.gh.Reset()
	l.faulty.Store(true)
	l.gh.Inject(githubsim.Fault{Secondary: true, RetryAfter: 60e9})
	fresh, _ := github.NewClient(github.WithEnterpriseURLs(l.web.URL, l.web.URL), github.WithAuthToken(annToken))
	_, _, err = fresh.Users.GetByID(ctx, 1)
	if abuse := new(github.AbuseRateLimitError); !errors.As(err, &abuse) || abuse.GetRetryAfter().Seconds() != 60 {
		t.Errorf("secondary limit reads as %v", err)
	}
}

// World and server are used from many sides at once; the race detector does the looking.
func TestConcurrentUse(t *testing.T) {
	l := newLab(t)
	team := l.acme.AddTeam("Ops")
	work := []func(int){
		func(int) { l.do("PUT", "/orgs/acme/teams/ops/memberships/bob", "") },
		func(int) { l.do("GET", "/orgs/acme/teams/ops/members", "") },
		func(int) {
			l.query(`{ organization(login: "acme") { teams(first: 5) { nodes { members(first: 5) { nodes { login } } } } } }`, nil)
		},
		func(i int) { l.acme.AddMember(fmt.Sprint("m", i)); team.Set(fmt.Sprint("m", i), githubsim.Member) },
		func(i int) { l.acme.AddTeam(fmt.Sprint("t", i)).Delete(); team.Members(); l.acme.Roles() },
		func(int) {
			l.gh.SetLimits(githubsim.Limits{})
			l.gh.Calls()
			l.gh.Counts()
			l.gh.World().User("bob").Rename("bob")
		},
		func(i int) { l.gh.UpdateToken(annToken, func(t *githubsim.Token) { t.Name = fmt.Sprint("ann's ", i) }) },
	}
	var wg sync.WaitGroup
	for _, w := range work {
		wg.Go(func() {
			for i := range 20 {
				w(i)
			}
		})
	}
	wg.Wait()
	equal(t, "members", len(team.Members()), 21)
}
