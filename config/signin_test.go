package config

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const signInFile = `
server:
  external_url: https://musterline.example.com
  sign_in:
    oidc:
      issuer: https://idp.example.com/realms/corp
      client_id: musterline
      client_secret: ${LDAP_PASSWORD}
      name: Example SSO
      source: people
      claim: preferred_username
      matches: username
    github: { client_id: Ov23li, client_secret_file: password, url: "https://github.example.com/", api_url: https://github.example.com/api/v3 }
    idle: 1h
    lifetime: 24h
sources: { people: { kind: file, path: d.yaml } }
`

func TestHowPeopleSignIn(t *testing.T) {
	c, err := readText(signInFile)
	if err != nil {
		t.Fatal(err)
	}
	want := SignIn{
		OIDC: &OIDC{
			Issuer: "https://idp.example.com/realms/corp", ClientID: "musterline", ClientSecret: "s3cr:t# {not yaml}", Name: "Example SSO",
			Scopes: []string{"openid", "profile", "email"}, Source: "people", Claim: "preferred_username", Matches: MatchUsername,
		},
		GitHub: &GitHubSignIn{ClientID: "Ov23li", ClientSecret: "from a file", URL: "https://github.example.com", APIURL: "https://github.example.com/api/v3"},
		Idle:   time.Hour, Lifetime: 24 * time.Hour,
	}
	if diff := cmp.Diff(want, c.Server.SignIn); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if c.Server.SignIn.OIDC.ClientSecret.Reveal() != "s3cr:t# {not yaml}" {
		t.Error("the secret is another")
	}
}

func TestWhoSaysLessGetsWhatIsSafe(t *testing.T) {
	c, err := readText(`
server: { external_url: http://localhost:8080, sign_in: { oidc: { issuer: "http://127.0.0.1:5556", client_id: m, client_secret: s, source: people }, github: { client_id: x, client_secret: y } } }
sources: { people: { kind: file, path: d.yaml } }
`)
	if err != nil {
		t.Fatal(err)
	}
	in := c.Server.SignIn
	if in.Idle != 8*time.Hour || in.Lifetime != 7*24*time.Hour || in.OIDC.Claim != "sub" || in.OIDC.Matches != MatchID || in.OIDC.Name == "" ||
		in.GitHub.URL != "https://github.com" || in.GitHub.APIURL != "https://api.github.com" {
		t.Errorf("%+v %+v %+v", in, in.OIDC, in.GitHub)
	}
}

func TestEveryMistakeInSigningInIsNamedWhereItStands(t *testing.T) {
	for change, says := range map[[2]string]string{
		{"issuer: https", "isuer: https"}:                                "isuer is not a setting here; did you mean issuer?",
		{"issuer: https", "issuer: http"}:                                "6:15: server.sign_in.oidc.issuer must begin with https://",
		{"client_id: musterline", "client_idd: musterline"}:              "client_id is required",
		{"source: people", "source: peple"}:                              `10:15: server.sign_in.oidc.source "peple": there is no source of that name; did you mean people?`,
		{"source: people", "scopes: [profile]"}:                          "server.sign_in.oidc.scopes must hold openid",
		{"      source: people\n", ""}:                                   "server.sign_in.oidc.claim goes with source",
		{"matches: username", "matches: usernme"}:                        "matches must be one of id, username, email; did you mean username?",
		{"idle: 1h", "idle: 48h"}:                                        "idle is longer than server.sign_in.lifetime",
		{"idle: 1h", "idle: 0s"}:                                         "idle must be longer than nothing",
		{"external_url: https://musterline.example.com", "listen: :1"}:   "server.external_url is not set",
		{"external_url: https://", "external_url: http://"}:              "server.external_url must begin with https://",
		{"url: \"https://github.example.com/\"", "url: http://git.corp"}: "server.sign_in.github.url must begin with https://",
		{"sign_in:", "signin:"}:                                          "server.signin is not a setting here; did you mean sign_in?",
	} {
		if !strings.Contains(signInFile, change[0]) {
			t.Fatalf("the file has no %q", change[0])
		}
		_, err := readText(strings.Replace(signInFile, change[0], change[1], 1))
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q for %q: %v\ndoes not say: %s", change[1], change[0], err, says)
		}
		if err != nil && strings.Contains(err.Error(), "not yaml") {
			t.Error("the error holds a secret:", err)
		}
	}
}

func TestThisMachineHasSeveralNames(t *testing.T) {
	for host, is := range map[string]bool{
		"localhost": true, "localhost:8080": true, "127.0.0.1": true, "127.9.9.9:1": true, "[::1]:8080": true, "::1": true, "a.localhost:1": true,
		"": false, "example.com": false, "localhost.example.com": false, "10.0.0.1": false, "0.0.0.0:80": false, "127.0.0.1.example.com": false,
	} {
		if Loopback(host) != is {
			t.Errorf("%q", host)
		}
	}
}
