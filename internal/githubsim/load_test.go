package githubsim_test

import (
	"strings"
	"testing"

	"musterline.example/internal/githubsim"
)

const sample = `{"organization": "acme", "owners": ["Zoe"], "members": ["bob", "Amy", "zoe"], "teams": [
	{"name": "ops.eu-admins", "parent": "Ops", "description": "", "privacy": "closed", "members": ["bob"], "maintainers": []},
	{"name": "Ops", "parent": null, "description": "keeps it up", "privacy": "closed", "members": ["Zoe", "Amy"], "maintainers": ["AMY"]},
	{"name": "Hush", "privacy": "secret", "members": [], "maintainers": []}]}`

func TestLoad(t *testing.T) {
	w, err := githubsim.Load(strings.NewReader(sample))
	if err != nil {
		t.Fatal(err)
	}
	acme := w.Organization("ACME")
	equal(t, "roles", acme.Roles(), map[string]githubsim.Role{"Zoe": githubsim.Owner, "Amy": githubsim.Member, "bob": githubsim.Member})
	equal(t, "ids follow the folded logins", w.User("zoe").ID()-w.User("amy").ID(), int64(2))
	equal(t, "ids follow the folded names", acme.Team("ops").ID()-acme.Team("hush").ID(), int64(1))
	equal(t, "members", acme.Team("ops").Members(), map[string]githubsim.Role{"Zoe": githubsim.Maintainer, "Amy": githubsim.Maintainer})
	equal(t, "slug", acme.Team("ops-eu-admins").Name(), "ops.eu-admins")

	for name, text := range map[string]string{
		"no JSON":         `{`,
		"no organization": `{}`,
		"unknown member":  `{"organization":"o","owners":["a"],"teams":[{"name":"t","members":["b"]}]}`,
		"unknown parent":  `{"organization":"o","owners":["a"],"teams":[{"name":"t","parent":"p"}]}`,
		"cycle":           `{"organization":"o","owners":["a"],"teams":[{"name":"t","parent":"u"},{"name":"u","parent":"t"}]}`,
		"team twice":      `{"organization":"o","owners":["a"],"teams":[{"name":"t"},{"name":"T"}]}`,
		"nested secret":   `{"organization":"o","owners":["a"],"teams":[{"name":"t","privacy":"secret","parent":"u"},{"name":"u"}]}`,
		"login of org":    `{"organization":"o","owners":["O"]}`,
	} {
		if _, err := githubsim.Load(strings.NewReader(text)); err == nil {
			t.Errorf("%s: loaded", name)
		}
	}
}
