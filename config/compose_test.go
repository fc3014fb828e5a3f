package config

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"musterline.example/guard"
	"musterline.example/mapping"
	"musterline.example/setting"
)

func wholeFile(t *testing.T) *Config {
	t.Helper()
	c, err := readText(whole)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func row(section, name, body string) Row {
	return Row{Section: section, Name: name, Body: []byte(body)}
}

func TestRowsJoinTheFileAsIfTheyStoodInIt(t *testing.T) {
	file := wholeFile(t)
	corp2 := row(SourcesSection, "corp2", `{"kind":"ldap","url":"ldaps://two.example.com","base_dn":"dc=two","page_size":100,"start_tls":true}`)
	corp2.Secrets = map[string]setting.Secret{"bind_password": "${GITHUB_TOKEN}"}
	c, err := file.With([]Row{
		corp2,
		row(TargetsSection, "hex", `{"kind":"github","organization":"hex-org","sources":["corp2"],"guards":{"team_removals":7},
			"teams":{"core":{"mode":"additive"}},"apply":"approve"}`),
		row(RulesSection, "by-name", `{"match":"corp2/gh-*","team":"hex/{{ .Group.Name }}","create":true}`),
		row(SettingsSection, "enterprise", `{"organizations":["hex"],"guards":{"lost_links":"off"},"groups_per_team":9}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	if s := c.Sources["corp2"]; s.Kind != "ldap" || s.Values.Number("page_size") != 100 || !s.Values.Flag("start_tls") {
		t.Errorf("the source of a row is %+v", s)
	}
	if got := c.Sources["corp2"].Values.Secret("bind_password").Reveal(); got != "${GITHUB_TOKEN}" {
		t.Error("a row was given the value of a variable")
	}
	hex := c.Targets["hex"]
	if hex.Apply != "approve" || hex.TeamModes["core"] != mapping.Additive || hex.Guards.TeamRemovals.Max != 7 ||
		hex.Guards.LostLinks != (guard.Limit{Max: -1}) || hex.Settings.GroupsPerTeam != 9 || !hex.Enterprise {
		t.Errorf("the target of a row is %+v", hex)
	}
	if octo := c.Targets["octo"]; octo.Enterprise || octo.Settings.GroupsPerTeam != 5 {
		t.Error("the enterprise's settings reached a target that it does not list")
	}
	if id := c.Rules[len(c.Rules)-1].ID; id != "rule:by-name" {
		t.Errorf("the rule of a row is %s", id)
	}
	if len(c.Rules) < 2 || c.Rules[0].ID != "rule:1" || len(c.Mappings) != len(file.Mappings) {
		t.Error("what the file says has changed")
	}
	if len(file.Sources) != 2 || file.Defined(SourcesSection, "corp2") != 0 {
		t.Error("the configuration of the file was changed")
	}
	again, err := c.With(nil)
	if err != nil || len(again.Sources) != 2 {
		t.Errorf("without rows there are %d sources: %v", len(again.Sources), err)
	}
}

func TestTheFileIsNotOverridden(t *testing.T) {
	file := wholeFile(t)
	for _, r := range []Row{
		row(SourcesSection, "corp", `{"kind":"file","path":"x.yaml"}`), row(TargetsSection, "octo", `{}`), row(SettingsSection, "guards", `{}`),
		row(SettingsSection, "schedule", `{"every":"1h"}`), row(SettingsSection, "links", `{"tiers":["manual"]}`),
	} {
		line := file.Defined(r.Section, r.Name)
		if line == 0 {
			t.Fatalf("%s/%s is not said to be the file's", r.Section, r.Name)
		}
		_, err := file.With([]Row{r})
		if err == nil || !strings.HasPrefix(err.Error(), r.Section+"/"+r.Name+": is defined in the file, on line ") {
			t.Errorf("%s/%s: %v", r.Section, r.Name, err)
		}
	}
}

// What is wrong with a row is said with the row's name, and with nothing that the row says: that may be a secret in the wrong place.
func TestProblemsOfRowsShowNoneOfTheirWords(t *testing.T) {
	file := wholeFile(t)
	for body, want := range map[string]string{
		`{"kind":"hunter2"}`:                                  "sources/x: sources.x.kind: there is no kind \"…\"",
		`{"kind":"file","pth":"hunter2"}`:                     "did you mean path?",
		`{"kind":"file","hunter2":"a","path":"b"}`:            "sources.x.… is not a setting here",
		`{"kind":"ldap","url":"hunter2","base_dn":"x"}`:       "sources.x.url must be a URL",
		`{"kind":"ldap","bind_password_file":"/etc/hunter2"}`: "sources.x.bind_password_file is for configuration files: give the secret itself",
		`{"kind":"file","path":{"hunter2":1}}`:                "sources.x.path takes one value, not a map",
		`{"kind":"file","path":"a","path":"hunter2"}`:         "must be one JSON object, with no key twice",
		`["hunter2"]`: "must be one JSON object",
		`hunter2`:     "must be one JSON object",
		``:            "must be one JSON object",
	} {
		_, err := file.With([]Row{row(SourcesSection, "x", body)})
		problems, ok := errors.AsType[Problems](err)
		if !ok || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v\n  is not: %s", body, err, want)
			continue
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error repeats it: %v", body, err)
		}
		for _, p := range problems {
			if p.File != "sources/x" || p.Line != 0 {
				t.Errorf("%s: the problem is at %s:%d", body, p.File, p.Line)
			}
		}
	}
	for name, r := range map[string]Row{
		"a guard":     row(SettingsSection, "enterprise", `{"organizations":["octo"],"guards":{"hunter2":1}}`),
		"a team":      row(TargetsSection, "x", `{"kind":"github","organization":"o","teams":{"hunter2":{"mode":"hunter2"}}}`),
		"a source":    row(TargetsSection, "x", `{"kind":"github","organization":"o","sources":["hunter2"]}`),
		"a rule":      row(RulesSection, "x", `{"match":"hunter2/*","team":"octo/{{ .hunter2 }}"}`),
		"an account":  row(TargetsSection, "x", `{"kind":"github","organization":"o","protected":["hun ter2","hunter2/"]}`),
		"no section":  row("hunter2", "x", `{}`),
		"no settings": row(SettingsSection, "x", `{"hunter2":1}`),
	} {
		_, err := file.With([]Row{r})
		if err == nil {
			t.Errorf("%s: nothing is wrong with %s", name, r.Body)
			continue
		}
		problems, _ := errors.AsType[Problems](err)
		for _, p := range problems {
			if strings.Contains(p.Message, "hunter2") {
				t.Errorf("%s: the error repeats it: %v", name, p.Message)
			}
		}
	}
}

func TestReferencesAreCheckedAcrossRows(t *testing.T) {
	file := wholeFile(t)
	rule := row(RulesSection, "r", `{"match":"late/gh-*","team":"octo/{{ .Group.Name }}"}`)
	if _, err := file.With([]Row{rule}); err == nil || !strings.Contains(err.Error(), "rules/r: rules.match: \"…\": there is no source of that name") {
		t.Errorf("a rule of no source: %v", err)
	}
	if _, err := file.With([]Row{rule, row(SourcesSection, "late", `{"kind":"file","path":"late.yaml"}`)}); err != nil {
		t.Errorf("a rule of a row's source: %v", err)
	}
	two := row(TargetsSection, "again", `{"kind":"github","organization":"OCTO-ORG"}`)
	if _, err := file.With([]Row{two}); err == nil || !strings.Contains(err.Error(), "is the organization of targets.octo too") {
		t.Errorf("an organization twice: %v", err)
	}
	for _, name := range []string{"orgs", "a/b", "", "ä"} {
		if _, err := file.With([]Row{row(TargetsSection, name, `{"kind":"github","organization":"o"}`)}); err == nil {
			t.Errorf("a target was called %q", name)
		}
	}
}

func TestWhatIsTurnedOffOnlyShowsItsPlansAndStaysOffWithItsMembers(t *testing.T) {
	file := wholeFile(t)
	for body, want := range map[string]string{
		`{"enabled":true}`: "auto false", `{"enabled":false,"members":"keep"}`: "off true", `{"enabled":false,"members":"remove"}`: "auto true",
	} {
		c, err := file.With([]Row{row(EnabledSection, "octo", body), row(EnabledSection, "gone", body)})
		if err != nil {
			t.Fatal(err)
		}
		if octo := c.Targets["octo"]; fmt.Sprint(octo.Apply, " ", octo.Disabled) != want || octo.Guards.Apply != octo.Apply {
			t.Errorf("%s makes %s %v, not %s", body, octo.Apply, octo.Disabled, want)
		}
	}
}

func TestWhatTheFileSaysIsShownAsWrittenWithoutItsSecrets(t *testing.T) {
	var shown []string
	file := wholeFile(t)
	for _, section := range []string{SourcesSection, TargetsSection, RulesSection, SettingsSection} {
		for _, w := range file.Written(section) {
			shown = append(shown, fmt.Sprintf("%s/%s:%d %s %v", section, w.Name, w.Line, w.Body, w.Secrets))
			if name := w.Name; section != RulesSection && file.Defined(section, name) != w.Line {
				t.Errorf("%s/%s is on line %d and on line %d", section, name, w.Line, file.Defined(section, name))
			}
		}
	}
	all := strings.Join(shown, "\n")
	if !strings.Contains(all, `sources/corp:6 {"account_attribute":"githubLogin","base_dn":"dc=example,dc=com","bind_dn":"cn=reader,dc=example,dc=com",`+
		`"kind":"ldap","url":"ldaps://${HOST}"} [bind_password]`) || !strings.Contains(all, `rules/1:`) || !strings.Contains(all, "settings/guards:") {
		t.Error(all)
	}
	for _, secret := range environment {
		if secret != "" && strings.Contains(all, secret) && secret != "octo/platform" {
			t.Errorf("the value of a variable is shown:\n%s", all)
		}
	}
}

func FuzzRow(f *testing.F) {
	f.Add("sources", "x", `{"kind":"file","path":"a"}`)
	f.Add("targets", "x", `{"kind":"github","organization":"o","teams":{"a":{"guards":{"off":["empty_group"]}}}}`)
	f.Add("rules", "x", `{"match":"corp/[a","team":"octo/{{"}`)
	f.Add("settings", "enterprise", `{"organizations":"octo","guards":{"team_removals":{"max":null}}}`)
	file, err := readText(whole)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, section, name, body string) {
		_, err := file.With([]Row{{section, name, []byte(body), nil}})
		if err == nil {
			return
		}
		problems, ok := errors.AsType[Problems](err)
		if !ok {
			t.Fatal(err)
		}
		for _, p := range problems {
			if p.File == "" || p.Line < 0 {
				t.Errorf("a problem stands nowhere: %v", p)
			}
		}
	})
}
