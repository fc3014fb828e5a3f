package github

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"musterline.example/internal/githubapi"
	"musterline.example/internal/githubsim"
	"musterline.example/plan"
	"musterline.example/setting"
	"musterline.example/target"
	"musterline.example/team"
)

func TestDocumentsAreValid(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "internal", "githubsim", "schema.graphql"))
	if err != nil {
		t.Fatal(err)
	}
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "GitHub", Input: string(text)})
	if err != nil {
		t.Fatal(err)
	}
	for name, document := range map[string]string{
		"accounts": accountsDocument, "accounts by id": accountsByIDDocument, "enterprise": enterpriseDocument, "teams": teamsDocument, "list": listDocument,
		"maintains": maintainsDocument, "maintains any": maintainsAnyDocument,
		"one more page": moreDocument([]part{people}), "more pages": moreDocument([]part{people, invited, below, people}),
		"find by slug": findDocument(3, 0), "find by name": findDocument(0, 3),
		"identities": identitiesDocument(3, false), "enterprise's identities": identitiesDocument(3, true),
	} {
		if _, err := gqlparser.LoadQueryWithRules(schema, document, rules.NewDefaultRules()); err != nil {
			t.Errorf("%s: %v\n%s", name, err, document)
		}
	}
}

// inProcess calls the simulator without a network, so that a test may own the clock.
type inProcess struct{ h http.Handler }

func (p inProcess) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body == nil {
		req.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	in := req.Clone(req.Context())
	in.RemoteAddr = "192.0.2.1:1234"
	p.h.ServeHTTP(w, in)
	return w.Result(), nil
}

func TestBatchesShrinkUntilGitHubCanAnswer(t *testing.T) {
	for name, limit := range map[string]githubsim.Limits{
		"502 after ten seconds": {TimeoutNodes: 3100},
		"resource limit":        {ResourceNodes: 400},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, githubsim.Options{Limits: limit})
			for i := range 60 {
				l.acme.AddMember(fmt.Sprintf("u%d", i))
			}
			for i := range 40 {
				tm := l.acme.AddTeam(fmt.Sprintf("T%d", i))
				for j := range 30 {
					tm.Set(fmt.Sprintf("u%d", (i+j)%60), githubsim.Member)
				}
			}
			o := l.open(t, nil)
			teams, err := o.Teams(t.Context(), ids(l.acme.Teams()))
			if err != nil || len(teams) != 40 {
				t.Fatalf("%d teams, %v", len(teams), err)
			}
			for _, tm := range teams {
				if len(tm.Members) != 30 {
					t.Errorf("%s has %d members", tm.Slug, len(tm.Members))
				}
			}
			if o.batchSize() >= startTeams {
				t.Errorf("still asking for %d teams", o.batchSize())
			}
		})
	}
}

func TestPagesOfAccountsShrinkToo(t *testing.T) {
	l := newLab(t, githubsim.Options{Limits: githubsim.Limits{TimeoutNodes: 120}})
	l.acme.EnableSAML("idp", "https://idp.example")
	for i := range 150 {
		login := fmt.Sprintf("u%d", i)
		l.acme.AddMember(login)
		l.acme.SetIdentity(login, githubsim.Identity{NameID: login})
	}
	got, err := l.open(t, nil).Accounts(t.Context(), nil)
	if err != nil || len(got.List) != 151 || !got.Identities || len(got.List[150].Identities) != 1 {
		t.Errorf("%d accounts, %v, %v", len(got.List), got.Trouble, err)
	}
}

func TestAGatewayThatStaysBrokenIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &lab{gh: githubsim.New(githubsim.Options{}), url: "https://git.example.com/api/v3"}
		l.world = l.gh.World()
		l.acme = l.world.AddOrganization("acme", "ann")
		l.gh.PutToken(githubsim.Token{Value: annsToken, User: "ann", Scopes: []string{"admin:org"}})
		tm := l.acme.AddTeam("Platform")
		o := l.openOver(t, nil, inProcess{l.gh})
		if _, err := o.Probe(t.Context()); err != nil {
			t.Fatal(err)
		}
		l.gh.Inject(githubsim.Fault{GraphQL: true, Status: 502})
		for what, err := range map[string]error{
			"teams":    second(o.Teams(t.Context(), []team.ID{team.ID(fmt.Sprint(tm.ID()))})),
			"accounts": second(o.Accounts(t.Context(), nil)),
			"find":     second(o.Find(t.Context(), []string{"platform"})),
		} {
			if target.ClassOf(err) != target.Unavailable || err == nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		l.gh.ClearFaults()
		if _, err := o.Teams(t.Context(), []team.ID{team.ID(fmt.Sprint(tm.ID()))}); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	})
}

func second[T any](_ T, err error) error { return err }

func TestAWrongHintIsNeverBelieved(t *testing.T) {
	l := newLab(t, githubsim.Options{})
	a, b, gone := l.acme.AddTeam("A"), l.acme.AddTeam("B"), l.acme.AddTeam("Gone")
	other := l.world.AddOrganization("other", "ann").AddTeam("A")
	l.acme.AddMember("bob")
	b.Set("bob", githubsim.Member)
	all := ids([]*githubsim.Team{a, b, gone})
	for name, handle := range map[string]string{
		"another team's": a.NodeID(), "another organization's team's": other.NodeID(), "a person's": l.world.User("bob").NodeID(), "nobody's": "T_nonsense",
	} {
		l.hints.Keep("team:"+string(all[0]), a.NodeID())
		l.hints.Keep("team:"+string(all[1]), handle)
		teams, err := l.open(t, nil).Teams(t.Context(), all[:2])
		if err != nil || len(teams) != 2 || teams[1].Slug != "b" || len(teams[1].Members) != 1 {
			t.Errorf("%s: %+v, %v", name, teams, err)
		}
	}
	// Gone is what GitHub says is gone, by id, and not what a handle fails to find.
	l.hints.Keep("team:"+string(all[2]), gone.NodeID())
	gone.Delete()
	l.gh.Reset()
	teams, err := l.open(t, nil).Teams(t.Context(), all)
	if err != nil || len(teams) != 2 {
		t.Errorf("%+v, %v", teams, err)
	}
	l.gh.Inject(githubsim.Fault{Path: "/organizations/*/team/*", Status: 500})
	if teams, err := l.open(t, nil).Teams(t.Context(), all); err == nil {
		t.Errorf("nobody said that the team is gone: %+v", teams)
	}
}

func TestANullWithoutAWordIsAnError(t *testing.T) {
	l := newLab(t, githubsim.Options{})
	tm := l.acme.AddTeam("Platform")
	l.acme.AddMember("bob")
	web := &tamperer{}
	o := l.openOver(t, nil, web)
	id := ids([]*githubsim.Team{tm})
	if _, err := o.Teams(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	for _, hole := range [][2]string{
		{`"nodes":[{"__typename"`, `"nodes":[null],"ignored":[{"__typename"`},
		{`"members":{`, `"members":null,"ignored":{`},
		{`"invitations":{`, `"invitations":null,"ignored":{`},
		{`"childTeams":{`, `"childTeams":null,"ignored":{`},
	} {
		web.set(hole[0], hole[1])
		if teams, err := o.Teams(t.Context(), id); err == nil {
			t.Errorf("%s: %+v", hole[1], teams)
		}
	}
	for _, hole := range [][2]string{
		{`"membersWithRole":{`, `"membersWithRole":null,"ignored":{`},
		{`"node":{"id"`, `"node":null,"ignored":{"id"`},
		{`"organization":{"membersWithRole"`, `"organization":null,"ignored":{"membersWithRole"`},
	} {
		web.set(hole[0], hole[1])
		if accounts, err := o.Accounts(t.Context(), nil); err == nil {
			t.Errorf("%s: %+v", hole[1], accounts)
		}
	}
}

func TestLongListsWithinATeamAreReadWhole(t *testing.T) {
	l := newLab(t, githubsim.Options{})
	parent := l.acme.AddTeam("Parent")
	for i := range 130 {
		l.acme.AddTeam(fmt.Sprintf("Child %d", i)).SetParent(parent)
		login := fmt.Sprintf("guest-%d", i)
		l.world.AddUser(login)
		l.acme.Invite(login, parent)
		member := fmt.Sprintf("member-%d", i)
		l.acme.AddMember(member)
		parent.Set(member, githubsim.Member)
	}
	l.hints.Keep("team:"+fmt.Sprint(parent.ID()), parent.NodeID())
	o := l.openOver(t, nil, inProcess{l.gh})
	teams, err := o.Teams(t.Context(), ids([]*githubsim.Team{parent}))
	if err != nil {
		t.Fatal(err)
	}
	pending := 0
	for _, m := range teams[0].Members {
		if m.Pending {
			pending++
		}
	}
	if len(teams[0].Children) != 130 || pending != 130 || len(teams[0].Members) != 260 {
		t.Errorf("%d children, %d of %d pending", len(teams[0].Children), pending, len(teams[0].Members))
	}
	if n := l.gh.Counts().Calls; n != 3 { // probe, first pages, all second pages
		t.Errorf("%d calls", n)
	}
}

func TestIdentities(t *testing.T) {
	const enterpriseToken = "ghp_enterpriseSecret"
	saml := func(l *lab) {
		l.acme.EnableSAML("idp", "https://idp.example")
		l.acme.SetIdentity("bob", githubsim.Identity{NameID: "bob@acme.example", Emails: []string{"b@acme.example", "bob@acme.example"}, SCIM: &githubsim.SCIM{Username: "bob.b"}})
	}
	corp := func(l *lab) {
		e := l.world.AddEnterprise("corp", "ann")
		e.Adopt(l.acme)
		e.EnableSAML("idp", "https://idp.example")
		e.SetIdentity("bob", githubsim.Identity{NameID: "bob@corp.example"})
		l.gh.PutToken(githubsim.Token{Value: enterpriseToken, User: "ann", Scopes: []string{"read:enterprise"}})
	}
	with := map[string]any{"enterprise": "corp", "enterprise_token": enterpriseToken}
	for _, c := range []struct {
		name     string
		make     func(*lab)
		settings map[string]any
		nameID   string
		whole    bool
		trouble  string
	}{
		{"no single sign-on", func(*lab) {}, nil, "", true, ""},
		{"of the organization", saml, nil, "bob@acme.example", true, ""},
		{"hidden", func(l *lab) {
			saml(l)
			l.gh.Inject(githubsim.Fault{Match: accountsCall, Errors: []githubsim.GraphQLError{{Type: "FORBIDDEN", Message: "No.", Path: []string{"organization", "samlIdentityProvider"}}}})
		}, nil, "", false, "admin:org"},
		{"list left out", func(l *lab) {
			saml(l)
			l.gh.Inject(githubsim.Fault{Operation: "Accounts", Errors: []githubsim.GraphQLError{{Type: "INTERNAL", Message: "Oops.", Path: []string{"organization", "samlIdentityProvider", "externalIdentities"}}}})
		}, nil, "", false, "left something out"},
		{"of the enterprise", corp, with, "bob@corp.example", true, ""},
		{"of an enterprise that is not ours", func(l *lab) {
			corp(l)
			l.gh.UpdateToken(enterpriseToken, func(t *githubsim.Token) { t.Scopes = nil })
		}, with, "", false, "owner of the enterprise"},
		{"of an enterprise with a dead token", func(l *lab) {
			corp(l)
			l.gh.UpdateToken(enterpriseToken, func(t *githubsim.Token) { t.Revoked = true })
		}, with, "", false, "new token"},
		{"of no enterprise", func(l *lab) {
			l.gh.PutToken(githubsim.Token{Value: enterpriseToken, User: "ann", Scopes: []string{"read:enterprise"}})
		}, with, "", false, "still exists"},
		{"fine-grained token that sees none", func(l *lab) {
			l.gh.PutToken(githubsim.Token{Value: "github_pat_x", Kind: githubsim.FineGrainedToken, User: "ann", Organization: "acme", Permissions: map[string]string{"members": "write"}})
		}, map[string]any{"token": "github_pat_x"}, "", false, "classic token"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t, githubsim.Options{})
			bob := team.AccountID(fmt.Sprint(l.acme.AddMember("bob").ID()))
			c.make(l)
			o := l.open(t, c.settings)
			for what, ids := range map[string][]team.AccountID{"all": nil, "by id": {bob}} {
				got, err := o.Accounts(t.Context(), ids)
				if err != nil {
					t.Fatal(err)
				}
				i := slices.IndexFunc(got.List, func(a team.Account) bool { return a.ID == bob })
				if i < 0 {
					t.Fatalf("%s: bob is missing among %+v", what, got.List)
				}
				nameID := ""
				for _, id := range got.List[i].Identities {
					nameID = id.NameID
				}
				if c.name == "list left out" && what == "by id" {
					continue // this read asks otherwise
				}
				if nameID != c.nameID || got.Identities != c.whole || (got.Trouble == "") != (c.trouble == "") || !strings.Contains(got.Trouble, c.trouble) {
					t.Errorf("%s: %q, %t, %q", what, nameID, got.Identities, got.Trouble)
				}
				if strings.Contains(got.Trouble, enterpriseToken) {
					t.Error("the trouble tells the token")
				}
			}
			st, err := o.Probe(t.Context())
			if err != nil || (len(st.Warnings) > 0) != (strings.Contains(c.name, "enterprise") && !c.whole) {
				t.Errorf("probe: %v, %v", st.Warnings, err)
			}
		})
	}
}

func accountsCall(c githubsim.Call) bool { return strings.HasPrefix(c.Operation, "Accounts") }

func TestVerifiedAddressesAreReadWhereTheyMayBe(t *testing.T) {
	l := newLab(t, githubsim.Options{})
	l.acme.AddMember("bob").SetVerifiedEmails(l.acme, "bob@acme.example")
	read := func() team.Account {
		got, err := l.open(t, nil).Accounts(t.Context(), nil)
		if err != nil || len(got.List) != 2 {
			t.Fatalf("%+v, %v", got, err)
		}
		return got.List[1]
	}
	if b := read(); !slices.Equal(b.VerifiedEmails, []string{"bob@acme.example"}) {
		t.Errorf("%+v", b)
	}
	l.gh.Inject(githubsim.Fault{Operation: "Accounts", Times: 1, Errors: []githubsim.GraphQLError{{Type: "FORBIDDEN", Message: "No.",
		Path: []string{"organization", "membersWithRole", "edges", "*", "node", "organizationVerifiedDomainEmails"}}}})
	if b := read(); b.VerifiedEmails != nil || b.Login != "bob" {
		t.Errorf("%+v", b)
	}
}

func change(act plan.Act, u *githubsim.User, r team.Role) plan.Change {
	return plan.Change{Act: act, Account: team.AccountID(fmt.Sprint(u.ID())), Login: u.Login(), Role: r}
}

func collect(t *testing.T, o *organization, c plan.TeamChange) ([]target.Outcome, error) {
	t.Helper()
	var all []target.Outcome
	err := o.Apply(t.Context(), c, func(out target.Outcome) error { all = append(all, out); return nil })
	return all, err
}

func TestAChangeIsOneCallAndNothingBeside(t *testing.T) {
	l := newLab(t, githubsim.Options{})
	bob, cy, dee, eve := l.acme.AddMember("bob"), l.acme.AddMember("cy"), l.acme.AddMember("dee"), l.acme.AddMember("eve")
	tm := l.acme.AddTeam("Platform")
	tm.Set("cy", githubsim.Member)
	tm.Set("dee", githubsim.Member)
	o := l.openOver(t, nil, inProcess{l.gh})
	if _, err := o.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.gh.Reset()
	outcomes, err := collect(t, o, plan.TeamChange{Team: ids([]*githubsim.Team{tm})[0], Slug: "platform",
		Add: []plan.Change{change(plan.Add, bob, team.Member)}, Update: []plan.Change{change(plan.Update, cy, team.Maintainer)},
		Remove: []plan.Change{change(plan.Remove, dee, 0), change(plan.Remove, eve, 0)}})
	if err != nil || len(outcomes) != 4 {
		t.Fatalf("%+v, %v", outcomes, err)
	}
	if n := l.gh.Counts(); n.Calls != 4 || n.Writes != 4 {
		t.Errorf("%+v", n)
	}
	if diff := cmp.Diff(map[string]githubsim.Role{"bob": githubsim.Member, "cy": githubsim.Maintainer}, tm.Members()); diff != "" {
		t.Error(diff)
	}
	for _, out := range outcomes {
		if out.Request == "" {
			t.Errorf("%s %s has no request id", out.Act, out.Account)
		}
	}
	// GitHub may answer 404 to a removal of who is not there; that is no failure.
	l.gh.Inject(githubsim.Fault{Method: "DELETE", Status: 404})
	outcomes, err = collect(t, o, plan.TeamChange{Team: ids([]*githubsim.Team{tm})[0], Remove: []plan.Change{change(plan.Remove, eve, 0)}})
	if err != nil || outcomes[0].Result != target.Already {
		t.Errorf("%+v, %v", outcomes, err)
	}
}

func TestADeletedAccountIsNoFailure(t *testing.T) {
	l := newLab(t, githubsim.Options{})
	gone, tm := l.acme.AddMember("gone"), l.acme.AddTeam("Platform")
	gone.Delete()
	invite := change(plan.Add, gone, team.Member)
	invite.Invite = true
	outcomes, err := collect(t, l.open(t, nil), plan.TeamChange{Team: ids([]*githubsim.Team{tm})[0], Slug: "platform", Add: []plan.Change{invite}})
	if err != nil || len(outcomes) != 1 || outcomes[0].Result != target.Skipped || !errors.Is(outcomes[0].Err, target.ErrAccountGone) {
		t.Errorf("%+v, %v", outcomes, err)
	}
}

func TestAnInvitationThatNobodyWantedIsTakenBack(t *testing.T) {
	l := newLab(t, githubsim.Options{})
	gone, again, guest := l.acme.AddMember("gone"), l.acme.AddMember("again"), l.world.AddUser("guest")
	tm, elsewhere := l.acme.AddTeam("Platform"), l.acme.AddTeam("Elsewhere")
	l.acme.RemoveMember("gone")
	l.acme.RemoveMember("again")
	l.acme.Invite("guest", elsewhere)
	wanted := change(plan.Add, again, team.Member)
	wanted.Invite = true
	outcomes, err := collect(t, l.open(t, nil), plan.TeamChange{Team: ids([]*githubsim.Team{tm})[0], Slug: "platform",
		Add: []plan.Change{change(plan.Add, gone, team.Member), wanted, change(plan.Add, guest, team.Member)}})
	if err != nil || len(outcomes) != 3 {
		t.Fatalf("%+v, %v", outcomes, err)
	}
	for i, unwanted := range []bool{true, false, true} {
		if outcomes[i].Result != target.Pending || (outcomes[i].Err != nil) != unwanted {
			t.Errorf("outcome %d: %s, %v", i, outcomes[i].Result, outcomes[i].Err)
		}
	}
	if diff := cmp.Diff([]string{"again"}, tm.Pending()); diff != "" {
		t.Errorf("invited into the team (-want +got):\n%s", diff)
	}
	// The one that our own call has sent is gone; the one that somebody else had sent, for another team, stands.
	invited := l.acme.Invitations()
	slices.Sort(invited)
	if diff := cmp.Diff([]string{"again", "guest"}, invited); diff != "" {
		t.Errorf("invited into the organization (-want +got):\n%s", diff)
	}
	if !slices.Equal(elsewhere.Pending(), []string{"guest"}) {
		t.Errorf("elsewhere: %v", elsewhere.Pending())
	}
}

func TestARefusalOfAllStopsAndOneOfOneDoesNot(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault githubsim.Fault
		all   bool
	}{
		{"forbidden", githubsim.Fault{Method: "PUT", Status: 403, Message: "Not this one."}, false},
		{"login of an organization", githubsim.Fault{Method: "PUT", Status: 422}, false},
		{"no such account", githubsim.Fault{Method: "PUT", Status: 404}, false},
		{"broken gateway", githubsim.Fault{Method: "PUT", Status: 502}, false},
		{"cut before", githubsim.Fault{Method: "PUT", Drop: githubsim.DropRequest}, false},
		{"cut after", githubsim.Fault{Method: "PUT", Drop: githubsim.DropAnswer}, false},
		{"token revoked", githubsim.Fault{Method: "PUT", Status: 401}, true},
		{"scope", githubsim.Fault{Method: "PUT", Status: 403, Header: http.Header{"X-Oauth-Scopes": {"read:org"}, "X-Accepted-Oauth-Scopes": {"admin:org"}}}, true},
		{"limit", githubsim.Fault{Method: "PUT", Secondary: true, RetryAfter: time.Hour}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t, githubsim.Options{})
			bob, cy := l.acme.AddMember("bob"), l.acme.AddMember("cy")
			tm := l.acme.AddTeam("Platform")
			o := l.open(t, nil)
			c.fault.Times = 1
			l.gh.Inject(c.fault)
			outcomes, err := collect(t, o, plan.TeamChange{Team: ids([]*githubsim.Team{tm})[0], Slug: "platform",
				Add: []plan.Change{change(plan.Add, bob, 0), change(plan.Add, cy, 0)}})
			if (err != nil) != c.all || len(outcomes) != 2 || outcomes[0].Err == nil {
				t.Fatalf("%+v, %v", outcomes, err)
			}
			if (outcomes[1].Result == target.Done) == c.all {
				t.Errorf("the second: %s, %v", outcomes[1].Result, outcomes[1].Err)
			}
			if lost := strings.HasPrefix(c.name, "cut") || c.name == "broken gateway"; lost != (target.ClassOf(outcomes[0].Err) == target.Unavailable) {
				t.Errorf("%v: an answer that was lost is unavailable, and no other", outcomes[0].Err)
			}
		})
	}
}

func TestATeamThatGitHubItselfKeepsIsLeftAlone(t *testing.T) {
	l := newLab(t, githubsim.Options{})
	c := plan.TeamChange{Slug: "platform"}
	for i := range 5 {
		c.Add = append(c.Add, change(plan.Add, l.acme.AddMember(fmt.Sprintf("u%d", i)), 0))
	}
	tm := l.acme.AddTeam("Platform")
	tm.ManageBy("a group of Entra ID")
	c.Team = ids([]*githubsim.Team{tm})[0]
	o := l.openOver(t, nil, inProcess{l.gh})
	outcomes, err := collect(t, o, c)
	if err != nil || len(outcomes) != 5 || outcomes[0].Result != target.Failed || outcomes[4].Result != target.Skipped || !isState(outcomes[4].Err, githubapi.Managed) {
		t.Errorf("%+v, %v", outcomes, err)
	}
	if n := l.gh.Counts().Writes; n != 1 {
		t.Errorf("%d writes", n)
	}
}

func TestTheCreatorLeavesTheTeamUnlessItIsToStay(t *testing.T) {
	l := newLab(t, githubsim.Options{})
	ann, bob := l.world.User("ann"), l.acme.AddMember("bob")
	o := l.open(t, nil)
	outcomes, err := collect(t, o, plan.TeamChange{Create: &team.New{Name: "Without Ann", Description: "text", Privacy: team.Secret}, Add: []plan.Change{change(plan.Add, bob, 0)}})
	if err != nil || len(outcomes) != 3 || outcomes[2].Act != "remove" || outcomes[2].Account != team.AccountID(fmt.Sprint(ann.ID())) {
		t.Fatalf("%+v, %v", outcomes, err)
	}
	if diff := cmp.Diff(map[string]githubsim.Role{"bob": githubsim.Member}, l.acme.Team("without-ann").Members()); diff != "" {
		t.Error(diff)
	}
	outcomes, err = collect(t, o, plan.TeamChange{Create: &team.New{Name: "With Ann"}, Add: []plan.Change{change(plan.Add, ann, 0)}})
	if err != nil || len(outcomes) != 2 {
		t.Fatalf("%+v, %v", outcomes, err)
	}
	if _, in := l.acme.Team("with-ann").Members()["ann"]; !in {
		t.Error("ann is not in her team")
	}
	parent := l.acme.AddTeam("Parent")
	if _, err = collect(t, o, plan.TeamChange{Create: &team.New{Name: "Below", Parent: ids([]*githubsim.Team{parent})[0]}}); err != nil {
		t.Fatal(err)
	}
	if teams, err := o.Teams(t.Context(), ids([]*githubsim.Team{parent})); err != nil || len(teams[0].Children) != 1 {
		t.Errorf("%+v, %v", teams, err)
	}
	// Who may not create gets a refusal for each change and no half of it.
	l.gh.Inject(githubsim.Fault{Method: "POST", Path: "/orgs/acme/teams", Status: 403})
	outcomes, err = collect(t, o, plan.TeamChange{Create: &team.New{Name: "Never"}, Add: []plan.Change{change(plan.Add, bob, 0)}})
	if err != nil || len(outcomes) != 2 || outcomes[0].Result != target.Failed || outcomes[1].Result != target.Skipped {
		t.Errorf("%+v, %v", outcomes, err)
	}
}

func TestAnAppKeepsTeamsAndIsNobody(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	l := newLab(t, githubsim.Options{})
	l.gh.AddApp(githubsim.App{ID: 12, Slug: "musterline", Owner: "ann", Key: &key.PublicKey, Permissions: map[string]string{"members": "write", "metadata": "read"}})
	installed := l.gh.Install(githubsim.Installation{App: 12, Organization: "acme"})
	bob := l.acme.AddMember("bob")
	o := l.open(t, map[string]any{"token": nil, "app_id": 12, "private_key": text})
	st, err := o.Probe(t.Context())
	if err != nil || st.Place.Self != "" || len(st.Needs)+len(st.Extra)+len(st.Warnings) > 0 {
		t.Fatalf("%+v, %v", st, err)
	}
	outcomes, err := collect(t, o, plan.TeamChange{Create: &team.New{Name: "New"}, Add: []plan.Change{change(plan.Add, bob, team.Maintainer)}})
	if err != nil || len(outcomes) != 2 {
		t.Fatalf("%+v, %v", outcomes, err)
	}
	if diff := cmp.Diff(map[string]githubsim.Role{"bob": githubsim.Maintainer}, l.acme.Team("new").Members()); diff != "" {
		t.Error(diff)
	}
	l.gh.UpdateInstallation(installed, func(i *githubsim.Installation) { i.Permissions = map[string]string{"members": "read"} })
	st, err = l.open(t, map[string]any{"token": nil, "app_id": 12, "private_key": text}).Probe(t.Context())
	if err != nil || !slices.Equal(st.Needs, []string{"members:write"}) || len(st.Warnings) != 1 {
		t.Errorf("%+v, %v", st, err)
	}
}

func TestTeamsOfTheEnterpriseAreForeign(t *testing.T) {
	l := newLab(t, githubsim.Options{})
	l.world.AddEnterprise("corp", "ann").Adopt(l.acme)
	tm := l.acme.AddEnterpriseTeam("Everybody")
	for _, reads := range []string{"graphql", "rest"} {
		teams, err := l.open(t, map[string]any{"reads": reads}).Teams(t.Context(), ids([]*githubsim.Team{tm}))
		if err != nil || len(teams) != 1 || teams[0].Foreign == "" {
			t.Errorf("%s: %+v, %v", reads, teams, err)
		}
	}
}

func TestReadsGoByRESTWhereGraphQLIsRefused(t *testing.T) {
	l := newLab(t, githubsim.Options{})
	l.acme.AddMember("bob")
	tm := l.acme.AddTeam("Platform")
	tm.Set("bob", githubsim.Maintainer)
	child := l.acme.AddTeam("Child")
	child.SetParent(tm)
	o := l.open(t, nil)
	l.gh.Inject(githubsim.Fault{GraphQL: true, Status: 404})
	if st, err := o.Probe(t.Context()); err != nil || st.Place.Self == "" || st.Place.OrganizationID == "" || st.Credential != "classic token of ann" {
		t.Fatalf("%+v, %v", st, err)
	}
	teams, err := o.Teams(t.Context(), ids([]*githubsim.Team{tm, child}))
	if err != nil || len(teams) != 2 || len(teams[0].Members) != 1 || teams[0].Members[0].Role != team.Maintainer || len(teams[1].Members) != 0 {
		t.Fatalf("%+v, %v", teams, err)
	}
	accounts, err := o.Accounts(t.Context(), nil)
	if err != nil || len(accounts.List) != 2 || accounts.Identities || accounts.Trouble == "" || !accounts.List[0].Owner {
		t.Errorf("%+v, %v", accounts, err)
	}
}

func TestARunWithinALimitThatEndsSoonJustTakesLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &lab{gh: githubsim.New(githubsim.Options{Now: time.Now, Limits: githubsim.Limits{Secondary: githubsim.Secondary{ContentMinute: 80}}}), url: "https://api.github.com"}
		l.world = l.gh.World()
		l.acme = l.world.AddOrganization("acme", "ann")
		l.gh.PutToken(githubsim.Token{Value: annsToken, User: "ann", Scopes: []string{"admin:org"}})
		tm := l.acme.AddTeam("Platform")
		c := plan.TeamChange{Team: ids([]*githubsim.Team{tm})[0]}
		for i := range 100 {
			c.Add = append(c.Add, change(plan.Add, l.acme.AddMember(fmt.Sprintf("u%d", i)), 0))
		}
		o := l.openOver(t, map[string]any{"pace": nil}, inProcess{l.gh})
		began := time.Now()
		outcomes, err := collect(t, o, c)
		if err != nil || len(outcomes) != 100 || len(tm.Members()) != 100 {
			t.Fatalf("%d outcomes, %v", len(outcomes), err)
		}
		if took := time.Since(began); took < 99*time.Second || took > 101*time.Second {
			t.Errorf("a hundred writes took %s", took)
		}
	})
}

func TestSettings(t *testing.T) {
	good := setting.Values{"organization": "acme", "token": "ghp_x"}
	if p := setting.Check(Kind.Settings, good); len(p) > 0 {
		t.Errorf("%+v", p)
	}
	if _, err := Kind.Open(t.Context(), good, target.Env{}); err != nil {
		t.Error(err)
	}
	if p := setting.Check(Kind.Settings, setting.Values{"token": "ghp_x", "organisation": "acme", "pace": "soon"}); len(p) != 3 {
		t.Errorf("%+v", p)
	}
	for name, v := range map[string]setting.Values{
		"no credential":          {"organization": "acme"},
		"app without key":        {"organization": "acme", "app_id": "1"},
		"key without app":        {"organization": "acme", "token": "x", "private_key": "no key"},
		"no key at all":          {"organization": "acme", "app_id": "1", "private_key": "no key"},
		"enterprise, no token":   {"organization": "acme", "token": "x", "enterprise": "corp"},
		"address without scheme": {"organization": "acme", "token": "x", "api_url": "github.com"},
	} {
		if _, err := Kind.Open(t.Context(), v, target.Env{}); err == nil || strings.HasSuffix(err.Error(), "no key") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestListPagesSurviveANewInstance(t *testing.T) {
	l := newLab(t, githubsim.Options{})
	for i := range 10 {
		l.acme.AddTeam(fmt.Sprintf("Team %d", i))
	}
	_, next, err := l.open(t, nil).List(t.Context(), target.Page{Size: 4})
	if err != nil {
		t.Fatal(err)
	}
	teams, next, err := l.open(t, nil).List(t.Context(), next)
	if err != nil || len(teams) != 4 || teams[0].Slug != "team-4" || next.Token == "" {
		t.Errorf("%+v, %+v, %v", teams, next, err)
	}
	if _, _, err := l.open(t, nil).List(t.Context(), target.Page{Token: "damaged"}); err == nil {
		t.Error("a damaged token was taken")
	}
}

func TestTroubleKeepsTheContextsError(t *testing.T) {
	l := newLab(t, githubsim.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.open(t, nil).Probe(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
