package github

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"musterline.example/internal/githubsim"
	"musterline.example/plan"
	"musterline.example/target"
	"musterline.example/team"
)

// A shaky transport calls the simulator without a network and lets its cut connections be errors.
type shaky struct{ h http.Handler }

func (s shaky) RoundTrip(req *http.Request) (resp *http.Response, err error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	if req.Body == nil {
		req.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	defer func() {
		if cut := recover(); cut == nil {
			return
		} else if cut != http.ErrAbortHandler { //nolint:errorlint // a panic carries any value; this is how net/http names a cut
			panic(cut)
		}
		resp, err = nil, io.ErrUnexpectedEOF
		if w.Body.Len() > 0 {
			resp, err = w.Result(), nil
			resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(w.Body.Bytes()), broken{}))
		}
	}()
	in := req.Clone(req.Context())
	in.RemoteAddr = "192.0.2.1:1234"
	s.h.ServeHTTP(w, in)
	return w.Result(), nil
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// Whatever goes wrong on the way, what is read is the truth or an error, and in the end the teams hold what is wanted. Nobody leaves the
// organization, and nobody is invited.
func TestInAnyWorldAndAnyWeather(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(struct{ rapid.TB }{t}, func(rt *rapid.T) { // without the deadline, which is of another clock
			l := &lab{gh: githubsim.New(githubsim.Options{Now: time.Now}), url: "https://api.github.com"}
			l.world = l.gh.World()
			l.acme = l.world.AddOrganization("acme", "ann")
			l.gh.PutToken(githubsim.Token{Value: annsToken, User: "ann", Scopes: []string{"admin:org"}})
			var people []*githubsim.User
			for i := range rapid.SampledFrom([]int{1, 5, 30, 130}).Draw(rt, "people") {
				people = append(people, l.acme.AddMember(fmt.Sprintf("u%d", i)))
			}
			var teams []*githubsim.Team
			for i := range rapid.IntRange(1, 8).Draw(rt, "teams") {
				tm := l.acme.AddTeam(fmt.Sprintf("T%d", i))
				if i > 0 && rapid.Bool().Draw(rt, "nested") {
					tm.SetParent(teams[rapid.IntRange(0, i-1).Draw(rt, "parent")])
				}
				teams = append(teams, tm)
				share := rapid.IntRange(0, 4).Draw(rt, "share")
				for j, u := range people {
					if (i+j)%5 < share {
						tm.Set(u.Login(), []githubsim.Role{githubsim.Member, githubsim.Maintainer}[(i*j)%2])
					}
				}
			}
			weather := rapid.SampledFrom([]githubsim.Fault{
				{}, {Status: 502}, {Status: 503}, {Truncate: true}, {Short: true}, {Drop: githubsim.DropRequest}, {Drop: githubsim.DropAnswer}, {Drop: githubsim.DropBody},
				{Secondary: true, RetryAfter: 3 * time.Second},
				{GraphQL: true, Errors: []githubsim.GraphQLError{{Type: "INTERNAL", Message: "x", Path: []string{"nodes", "0", "members"}}}},
				{GraphQL: true, Errors: []githubsim.GraphQLError{{Message: "y", Path: []string{"organization", "membersWithRole", "edges", "0", "node"}}}},
				{GraphQL: true, Errors: []githubsim.GraphQLError{{Type: "RESOURCE_LIMITS_EXCEEDED", Message: "z", Path: []string{"nodes", "0"}}}},
			}).Draw(rt, "weather")
			weather.Probability, weather.Seed = 0.2, rapid.Uint64().Draw(rt, "seed")
			if weather.Status+len(weather.Errors)+len(weather.Drop) > 0 || weather.Truncate || weather.Short || weather.Secondary {
				l.gh.Inject(weather)
			}

			all, wanted := ids(teams), map[team.ID]map[string]githubsim.Role{}
			var want []team.Wanted
			for i := range teams {
				w, hold := team.Wanted{Team: all[i]}, map[string]githubsim.Role{}
				for j, u := range people {
					one := team.Want{Account: team.AccountID(fmt.Sprint(u.ID())), Login: u.Login(), In: team.Out}
					if (i*7+j*3)%11 < 2 {
						one.In, one.Role, one.Demote = team.Yes, team.Role(j%2), true
						hold[u.Login()] = []githubsim.Role{githubsim.Member, githubsim.Maintainer}[j%2]
					}
					w.Members = append(w.Members, one)
				}
				wanted[all[i]], want = hold, append(want, w)
			}

			o := l.openOver(t, nil, shaky{l.gh})
			for round := 0; ; round++ {
				if round == 60 {
					rt.Fatal("never done")
				}
				if got, err := o.Accounts(t.Context(), nil); err == nil && len(got.List) != len(people)+1 {
					rt.Fatalf("%d accounts of %d", len(got.List), len(people)+1)
				}
				read, err := o.Teams(t.Context(), all)
				if err != nil {
					continue
				}
				if len(read) != len(teams) {
					rt.Fatalf("%d teams of %d", len(read), len(teams))
				}
				for i, tm := range read {
					truth := membersOf(l.world, teams[slices.Index(all, tm.ID)])
					if len(truth) != len(tm.Members) {
						rt.Fatalf("team %d: read %d members of %d", i, len(tm.Members), len(truth))
					}
				}
				p := plan.Compute("octo", want, read)
				if p.Empty() {
					break
				}
				for _, c := range p.Teams {
					err := o.Apply(t.Context(), c, func(out target.Outcome) error {
						if out.Result == target.Pending {
							rt.Fatalf("%s was invited", out.Account)
						}
						return nil
					})
					if e, ok := errors.AsType[*target.Error](err); err != nil && (!ok || e.Class != target.Unavailable && e.Class != target.Limited) {
						rt.Fatal(err)
					}
				}
			}
			for i, tm := range teams {
				if diff := cmp.Diff(wanted[all[i]], tm.Members()); diff != "" {
					rt.Fatalf("%s (-want +got):\n%s", tm.Slug(), diff)
				}
			}
			if n := len(l.acme.Roles()); n != len(people)+1 {
				rt.Fatalf("%d in the organization, of %d", n, len(people)+1)
			}
		})
	})
}
