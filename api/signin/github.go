package signin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"golang.org/x/oauth2"

	"musterline.example/api/access"
	"musterline.example/config"
	"musterline.example/internal/githubapi"
	"musterline.example/store"
	"musterline.example/target"
	"musterline.example/team"
)

// A githubDoor lets in whose GitHub account it is, by an OAuth App or a GitHub App. No scope is asked for: whose account it is everybody may know,
// and what it is to an organization is asked with that target's own credential.
type githubDoor struct {
	config.GitHubSignIn

	s    *SignIn
	http *http.Client
	at   githubapi.Endpoint
	name string // for people
}

func newGitHubDoor(s *SignIn, c config.GitHubSignIn, client *http.Client) (*githubDoor, error) {
	at, err := githubapi.ParseEndpoint(c.APIURL)
	if err != nil {
		return nil, fmt.Errorf("server.sign_in.github.api_url: %w", err)
	}
	d := &githubDoor{GitHubSignIn: c, s: s, http: client, at: at, name: "GitHub"}
	if at.Host != "github.com" {
		d.name = "GitHub (" + at.Host + ")"
	}
	return d, nil
}

func (d *githubDoor) client(r *http.Request) *oauth2.Config {
	return &oauth2.Config{
		ClientID: d.ClientID, ClientSecret: d.ClientSecret.Reveal(), RedirectURL: d.s.base(r).url + Prefix + "/github/callback",
		Endpoint: oauth2.Endpoint{
			AuthURL: d.URL + "/login/oauth/authorize", TokenURL: d.URL + "/login/oauth/access_token", AuthStyle: oauth2.AuthStyleInParams,
		},
	}
}

// begin sends somebody to GitHub.
func (d *githubDoor) begin(w http.ResponseWriter, r *http.Request) {
	d.s.depart(w, r, access.ByGitHub, func(f flow) (string, error) {
		options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(f.Verifier)}
		if f.Again {
			options = append(options, oauth2.SetAuthURLParam("prompt", "select_account"))
		}
		return d.client(r).AuthCodeURL(f.State, options...), nil
	})
}

// end takes back whom GitHub sends.
func (d *githubDoor) end(w http.ResponseWriter, r *http.Request) {
	f, ok := d.s.arrive(w, r, access.ByGitHub, d.name)
	if !ok {
		return
	}
	ctx, done := context.WithTimeout(r.Context(), patience)
	defer done()
	account, err := d.vouch(ctx, r, f)
	if err != nil {
		d.fail(w, r, err, f.To)
		return
	}
	d.s.proven(w, r, f, func(h *held) {
		if h.Way == "" || h.Way == access.ByGitHub {
			h.Subject, h.Way, h.Name, h.Login = account.Is(), access.ByGitHub, account.Name, account.Login
		}
		h.Account = account
	})
}

// welcome reports whether an account that nothing else speaks for is somebody's who has to do with this server. GitHub vouches for everybody on
// earth: a session is for those who have a role here, or are members of an organization that is connected. The others have been told when it is not,
// and of no organization.
func (s *SignIn) welcome(w http.ResponseWriter, r *http.Request, h held) bool {
	ctx, done := context.WithTimeout(r.Context(), patience)
	defer done()
	known, err := s.belongs(ctx, h.person(store.Session{}))
	switch {
	case known:
		return true
	case err != nil:
		s.Log.WarnContext(r.Context(), "nobody was signed in: it could not be asked whether they are a member", "account", h.Subject, "error", err)
		s.tell(w, r, notAsked.with(s.github.name, Prefix))
	default:
		s.Log.InfoContext(r.Context(), "nobody was signed in: the account is no member and has no role", "account", h.Subject)
		t := notMember
		if s.oidc != nil {
			t.do = "If you are known to " + s.oidc.Name + ", sign in with that; your account at %s is added then. " + t.do
		}
		s.tell(w, r, t.with(s.github.name, Prefix))
	}
	return false
}

// belongs reports whether a person has a role here, or is a member of an organization that is connected. It asks one after the other, and no
// further than the first that says yes; what is asked serves the pages that come next, too.
func (s *SignIn) belongs(ctx context.Context, p *access.Person) (bool, error) {
	if s.Access == nil {
		return false, errors.New("nobody can say what an account may")
	}
	given, err := s.Access.Given(ctx, p)
	if err != nil || len(given) > 0 {
		return err == nil, err
	}
	h, err := s.House(ctx)
	if err != nil {
		return false, err
	}
	configured, err := h.Configured(ctx)
	if err != nil {
		return false, err
	}
	var unsure error
	for _, name := range configured.TargetNames() {
		at := access.Place{Target: name, Host: h.Host(ctx, name)}
		if p.Account == nil || at.Host != p.Account.Host {
			continue
		}
		var g target.Guest
		if at.Gate, err = h.Gate(ctx, name); err == nil {
			g, err = s.Access.Word(ctx, p, at, target.Door{})
		}
		if err != nil {
			unsure = err
		} else if g.Member {
			return true, nil
		}
	}
	return false, unsure
}

// vouch asks GitHub, for a code, whose account it is. The token that the code is changed for is forgotten here.
func (d *githubDoor) vouch(ctx context.Context, r *http.Request, f flow) (*access.ProvenAccount, error) {
	ctx = context.WithValue(ctx, oauth2.HTTPClient, d.http)
	token, err := d.client(r).Exchange(ctx, r.URL.Query().Get("code"), oauth2.VerifierOption(f.Verifier))
	if err != nil {
		return nil, err
	}
	defer d.giveBack(r.Context(), token.AccessToken)
	ask, err := http.NewRequestWithContext(ctx, http.MethodGet, d.at.REST.String()+"user", nil)
	if err != nil {
		return nil, err
	}
	ask.Header.Set("Authorization", "Bearer "+token.AccessToken)
	ask.Header.Set("Accept", "application/vnd.github+json")
	ask.Header.Set("User-Agent", githubapi.UserAgent)
	resp, err := d.http.Do(ask)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	var user struct {
		ID    int64  `json:"id"`
		Login string `json:"login"`
		Name  string `json:"name"`
		Type  string `json:"type"`
	}
	switch {
	case resp.StatusCode == http.StatusUnauthorized, resp.StatusCode == http.StatusForbidden:
		return nil, fmt.Errorf("%w: its API answers %d to the token that it gave out a moment ago", errOtherAPI, resp.StatusCode)
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("whose account it is was answered with %d", resp.StatusCode)
	case json.NewDecoder(resp.Body).Decode(&user) != nil || user.ID <= 0 || user.Login == "":
		return nil, fmt.Errorf("%w: it does not say whose account it is", errOtherAPI)
	case user.Type != "" && user.Type != "User":
		return nil, fmt.Errorf("%w: the account is no person's", errOtherAPI)
	}
	return &access.ProvenAccount{
		Host: d.at.Host, ID: team.AccountID(strconv.FormatInt(user.ID, 10)), Login: access.Plain(user.Login), Name: access.Plain(user.Name), At: d.s.Now().UTC(),
	}, nil
}

// giveBack ends the token at GitHub as well, so that it is nowhere of use any more. Where that fails nothing is lost: nobody has it.
func (d *githubDoor) giveBack(ctx context.Context, token string) {
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer done()
	body, err := json.Marshal(map[string]string{"access_token": token})
	if err != nil {
		return
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodDelete, d.at.REST.String()+"applications/"+url.PathEscape(d.ClientID)+"/token", bytes.NewReader(body))
	if err != nil {
		return
	}
	r.SetBasicAuth(d.ClientID, d.ClientSecret.Reveal())
	r.Header.Set("Accept", "application/vnd.github+json")
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", githubapi.UserAgent)
	resp, err := d.http.Do(r)
	if err != nil {
		d.s.Log.DebugContext(ctx, "a token was not given back", "error", spoken(err))
		return
	}
	_ = resp.Body.Close()
}

// errOtherAPI is what comes of a web site and an API that do not belong together.
var errOtherAPI = errors.New("GitHub's answer cannot be used")

// fail tells somebody, and the log, why GitHub does not let them in.
func (d *githubDoor) fail(w http.ResponseWriter, r *http.Request, err error, to string) {
	s := d.s
	s.Log.WarnContext(r.Context(), "nobody was signed in", "provider", d.name, "error", spoken(err))
	again := s.again(access.ByGitHub, to)
	refused, spoke := errors.AsType[*oauth2.RetrieveError](err)
	switch {
	case spoke:
		s.tell(w, r, notExchanged(refused).with(d.name, again))
	case errors.Is(err, errOtherAPI):
		s.tell(w, r, unbelievable.with(d.name, again))
	default:
		s.tell(w, r, unreachable(err).with(d.name, again))
	}
}
