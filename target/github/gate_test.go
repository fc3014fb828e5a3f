package github

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"musterline.example/internal/githubsim"
	"musterline.example/setting"
	"musterline.example/target"
	"musterline.example/team"
)

const (
	bobsToken setting.Secret = "ghp_bobsSecretToken"
	eves      setting.Secret = "ghp_evesSecretToken"
)

// gateLab is a lab with bob, who maintains platform, and eve, who is nobody.
func gateLab(t *testing.T) (*lab, *organization) {
	t.Helper()
	l := newLab(t, githubsim.Options{})
	l.acme.AddMember("bob")
	l.world.AddUser("eve")
	l.acme.AddTeam("Platform").Set("bob", githubsim.Maintainer)
	l.acme.AddTeam("Below").SetParent(l.acme.Team("platform"))
	l.acme.AddTeam("Other")
	l.gh.PutToken(githubsim.Token{Value: bobsToken.Reveal(), User: "bob", Scopes: []string{"write:org"}})
	l.gh.PutToken(githubsim.Token{Value: eves.Reveal(), User: "eve", Scopes: []string{"admin:org"}})
	return l, l.open(t, nil)
}

func TestAGuestIsWhatGitHubSays(t *testing.T) {
	l, o := gateLab(t)
	platform := team.ID(fmt.Sprint(l.acme.Team("platform").ID()))
	for _, test := range []struct {
		who        setting.Secret
		door       target.Door
		member     bool
		owner      bool
		maintainer bool
		writes     bool
	}{
		{annsToken, target.Door{}, true, true, true, true},
		{annsToken, target.Door{Slug: "other"}, true, true, true, true},
		{bobsToken, target.Door{}, true, false, true, true},
		{bobsToken, target.Door{Slug: "platform"}, true, false, true, true},
		{bobsToken, target.Door{Team: platform}, true, false, true, true},
		{bobsToken, target.Door{Slug: "other"}, true, false, false, true},
		{eves, target.Door{}, false, false, false, false},
	} {
		g, err := o.Admit(t.Context(), test.who, test.door)
		if err != nil || g.Member != test.member || g.Owner != test.owner || g.Maintainer != test.maintainer || g.Writes != test.writes || g.App {
			t.Errorf("%+v: %+v %v", test, g, err)
		}
		if (g.Team == nil) != test.door.Organization() {
			t.Errorf("%+v: team %+v", test, g.Team)
		}
	}
	if _, err := o.Admit(t.Context(), eves, target.Door{Slug: "platform"}); target.ClassOf(err) != target.NotFound {
		t.Error("a stranger learns that there is a team:", err)
	}
	g, err := o.Admit(t.Context(), bobsToken, target.Door{Slug: "platform", Nested: true})
	if err != nil || len(g.Team.Children) != 1 || g.Team.Children[0].Slug != "below" || g.Team.ID != platform {
		t.Errorf("%+v %v", g.Team, err)
	}
}

func TestADoorThatIsNoneIsNotFound(t *testing.T) {
	l, o := gateLab(t)
	for _, door := range []target.Door{
		{Slug: "none"}, {Slug: ".."}, {Slug: "a/b"}, {Slug: "."}, {Team: "0"}, {Team: "x"}, {Team: "1"}, {Slug: "?q=1"}, {Slug: "a#b"},
	} {
		if _, err := o.Admit(t.Context(), annsToken, door); target.ClassOf(err) != target.NotFound {
			t.Errorf("%+v: %v", door, err)
		}
	}
	for _, c := range l.gh.Calls() {
		if strings.Contains(c.Path, "..") || c.Query != "" {
			t.Error("a slug became a part of the address:", c.Path, c.Query)
		}
	}
}

// Each refusal counts towards the failed logins of our address.
func TestAnUnknownCredentialIsAskedAboutOnce(t *testing.T) {
	l, o := gateLab(t)
	for i, door := range []target.Door{{}, {Slug: "platform"}, {Slug: "platform", Nested: true}} {
		l.gh.Reset()
		_, err := o.Admit(t.Context(), setting.Secret(fmt.Sprintf("ghp_guess%d", i)), door)
		if target.ClassOf(err) != target.BadCredential || l.gh.Counts().Calls != 1 {
			t.Errorf("%+v: %v after %d calls", door, err, l.gh.Counts().Calls)
		}
		if strings.Contains(fmt.Sprint(err), "guess") {
			t.Error("the error has the credential")
		}
	}
}

func TestARenamedOrganizationIsFoundUnderItsNewName(t *testing.T) {
	l, o := gateLab(t)
	l.acme.Rename("acme-inc")
	if at, err := o.Where(t.Context()); err != nil || at.Organization != "acme-inc" {
		t.Fatal(at, err)
	}
	if g, err := o.Admit(t.Context(), bobsToken, target.Door{Slug: "platform"}); err != nil || !g.Maintainer {
		t.Error(g, err)
	}
}

// Who cannot be asked about is nobody.
func TestWithoutGraphQLOnlyOwnersAreKnown(t *testing.T) {
	l, o := gateLab(t)
	l.gh.Inject(githubsim.Fault{GraphQL: true, Status: http.StatusForbidden, Message: "GraphQL is off."})
	if g, err := o.Admit(t.Context(), annsToken, target.Door{Slug: "platform"}); err != nil || !g.Owner {
		t.Error(g, err)
	}
	if g, err := o.Admit(t.Context(), bobsToken, target.Door{Slug: "platform"}); err != nil || g.Maintainer || !g.Member {
		t.Error(g, err)
	}
}

func TestOurOwnCredentialSeesTheTeam(t *testing.T) {
	_, o := gateLab(t)
	g, err := o.Admit(t.Context(), "", target.Door{Slug: "platform", Nested: true})
	if err != nil || g.Team == nil || g.Team.Slug != "platform" || len(g.Team.Children) != 1 {
		t.Error(g, err)
	}
	said, err := o.Relay(t.Context(), "", target.AboutOrganization, target.Door{})
	if err != nil || !strings.Contains(string(said.Body), `"acme"`) || strings.HasSuffix(said.Base, "/") {
		t.Error(string(said.Body), said.Base, err)
	}
}

// What an account is, is asked with our own credential, by its number.
func TestAnAccountIsWhatGitHubSays(t *testing.T) {
	l, o := gateLab(t)
	l.acme.AddMember("carl")
	l.acme.Team("below").Set("carl", githubsim.Maintainer)
	l.acme.Team("other").Set("bob", githubsim.Member)
	id := func(login string) team.AccountID { return team.AccountID(fmt.Sprint(l.world.User(login).ID())) }
	platform := team.ID(fmt.Sprint(l.acme.Team("platform").ID()))
	for _, test := range []struct {
		who        string
		door       target.Door
		member     bool
		owner      bool
		maintainer bool
		maintains  string
	}{
		{"ann", target.Door{}, true, true, true, ""},
		{"ann", target.Door{Slug: "other"}, true, true, true, ""},
		{"bob", target.Door{}, true, false, true, "platform"},
		{"bob", target.Door{Slug: "Platform"}, true, false, true, ""},
		{"bob", target.Door{Team: platform}, true, false, true, ""},
		{"bob", target.Door{Slug: "other"}, true, false, false, ""},
		{"carl", target.Door{}, true, false, true, "below"},
		{"carl", target.Door{Team: platform}, true, false, false, ""},
		{"eve", target.Door{}, false, false, false, ""},
		{"eve", target.Door{Team: platform}, false, false, false, ""},
	} {
		g, err := o.Known(t.Context(), id(test.who), test.door)
		var slugs []string
		for _, m := range g.Maintains {
			slugs = append(slugs, m.Slug)
		}
		if err != nil || g.Member != test.member || g.Owner != test.owner || g.Maintainer != test.maintainer || strings.Join(slugs, " ") != test.maintains ||
			g.Account != id(test.who) || g.Login != test.who || g.App || g.Writes {
			t.Errorf("%+v: %+v %v", test, g, err)
		}
	}
	for _, c := range l.gh.Calls() {
		if c.Write || strings.Contains(c.Credential, "bob") {
			t.Errorf("asked in another way: %+v", c)
		}
	}
}

// A login that has changed hands opens nothing to the stranger who has it now, and closes nothing to whom it was taken from.
func TestAnAccountIsKnownByItsNumber(t *testing.T) {
	l, o := gateLab(t)
	l.acme.AddMember("otto")
	l.acme.MakeOwner("otto")
	otto := l.world.User("otto")
	otto.Rename("otto-was")
	stranger := l.world.AddUser("otto")
	if g, err := o.Known(t.Context(), team.AccountID(fmt.Sprint(otto.ID())), target.Door{}); err != nil || !g.Owner || g.Login != "otto-was" {
		t.Error(g, err)
	}
	if g, err := o.Known(t.Context(), team.AccountID(fmt.Sprint(stranger.ID())), target.Door{}); err != nil || g.Owner || g.Member {
		t.Error(g, err)
	}
	for _, none := range []team.AccountID{"", "0", "x", "999999999", "1; drop"} {
		if g, err := o.Known(t.Context(), none, target.Door{}); err != nil || g.Member || g.Owner || g.Maintainer {
			t.Errorf("%q: %+v %v", none, g, err)
		}
	}
}

// Somebody whose login begins like a maintainer's is none; and a maintainer of many teams is one of each.
func TestMaintainersAreToldFromThoseWhoAreCalledAlike(t *testing.T) {
	l, o := gateLab(t)
	l.acme.AddMember("bobby")
	l.acme.Team("platform").Set("bobby", githubsim.Member)
	if g, err := o.Known(t.Context(), team.AccountID(fmt.Sprint(l.world.User("bobby").ID())), target.Door{Slug: "platform"}); err != nil || g.Maintainer {
		t.Error(g, err)
	}
	for i := range 120 {
		l.acme.AddTeam(fmt.Sprint("team ", i)).Set("bobby", githubsim.Maintainer)
	}
	if g, err := o.Known(t.Context(), team.AccountID(fmt.Sprint(l.world.User("bobby").ID())), target.Door{}); err != nil || len(g.Maintains) != 120 {
		t.Error(len(g.Maintains), err)
	}
}

func TestAnAccountCannotBeAskedAbout(t *testing.T) {
	l, o := gateLab(t)
	bob := team.AccountID(fmt.Sprint(l.world.User("bob").ID()))
	fault := l.gh.Inject(githubsim.Fault{GraphQL: true, Status: http.StatusForbidden, Message: "GraphQL is off."})
	if g, err := o.Known(t.Context(), bob, target.Door{Slug: "platform"}); err != nil || g.Maintainer || !g.Member {
		t.Error("who cannot be asked about is nobody:", g, err)
	}
	fault.Remove()
	l.gh.Inject(githubsim.Fault{Path: "/orgs/*/memberships/*", Status: http.StatusForbidden, Message: "No."})
	if g, err := o.Known(t.Context(), bob, target.Door{}); err == nil || g.Member {
		t.Error(g, err)
	}
}
