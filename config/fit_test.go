package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// leftOut is how a composition came out: the rows that were left out, and what rests on them.
func leftOut(c *Config) string {
	var said []string
	for _, u := range c.Unfit {
		said = append(said, u.Section+"/"+u.Name)
	}
	for name, t := range c.Targets {
		for _, u := range t.LeftOut {
			said = append(said, fmt.Sprintf("%s<%s/%s", name, u.Section, u.Name))
		}
	}
	slices.Sort(said)
	return strings.Join(said, " ")
}

func TestRowsThatDoNotFitAreLeftOutAndWhatRestsOnThemSaysSo(t *testing.T) {
	file := wholeFile(t)
	hex := row(TargetsSection, "hex", `{"kind":"github","organization":"hex-org"}`)
	rule := row(RulesSection, "r", `{"match":"people/gh-*","team":"octo/{{ .Group.Name }}"}`)
	for name, c := range map[string]struct {
		rows []Row
		want string
	}{
		"all fit": {[]Row{hex, rule}, ""},
		"the organization of a row is the file's by now": {
			[]Row{row(TargetsSection, "again", `{"kind":"github","organization":"OCTO-ORG"}`), hex}, "targets/again",
		},
		"a rule whose source is gone is missed by its target alone": {
			[]Row{hex, row(RulesSection, "r", `{"match":"gone/gh-*","team":"octo/{{ .Group.Name }}"}`)}, "octo<rules/r rules/r",
		},
		"a rule that does not say whose it is is missed by all": {
			[]Row{hex, row(RulesSection, "r", `{"match":"people/gh-*"}`)}, "hex<rules/r octo<rules/r rules/r",
		},
		"with a target go the rules that refer to it": {
			[]Row{
				row(RulesSection, "r", `{"match":"people/gh-*","team":"again/{{ .Group.Name }}"}`), hex,
				row(TargetsSection, "again", `{"kind":"github","organization":"octo-org"}`),
			}, "rules/r targets/again",
		},
		"an enterprise is missed by its organizations": {
			[]Row{hex, row(SettingsSection, "enterprise", `{"organizations":["octo","gone"],"guards":{"team_removals":1}}`)},
			"octo<settings/enterprise settings/enterprise",
		},
		"an enterprise of nobody knows whom is missed by all": {
			[]Row{hex, row(SettingsSection, "enterprise", `{"guards":{"team_removals":"none"}}`)},
			"hex<settings/enterprise octo<settings/enterprise settings/enterprise",
		},
		"a source is missed by nobody, because what is not read removes nobody": {
			[]Row{hex, row(SourcesSection, "s", `{"kind":"gone"}`)}, "sources/s",
		},
		"what the file defines is missed by nobody": {
			[]Row{
				hex, row(SourcesSection, "corp", `{"kind":"file","path":"x"}`), row(TargetsSection, "octo", `{"kind":"github","organization":"x"}`),
				row(SettingsSection, "guards", `{"team_removals":1}`),
			}, "settings/guards sources/corp targets/octo",
		},
		"a schedule is missed by nobody": {[]Row{hex, row(SettingsSection, "schedule", `{"every":"x"}`)}, "settings/schedule"},
		"of two that do not go together the first stays": {
			[]Row{hex, row(TargetsSection, "hex2", `{"kind":"github","organization":"hex-org"}`)}, "targets/hex2",
		},
	} {
		got, err := file.Fit(c.rows)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if leftOut(got) != c.want {
			t.Errorf("%s: left out %q, want %q", name, leftOut(got), c.want)
		}
		for _, u := range got.Unfit {
			if u.Reason() == "" || u.Shadowed != (file.Defined(u.Section, u.Name) > 0) {
				t.Errorf("%s: %+v", name, u)
			}
		}
		if len(got.Sources) < 2 || got.Targets["octo"].Kind == "" || len(got.Mappings) != len(file.Mappings) {
			t.Errorf("%s: the file's own was left out", name)
		}
	}
}

func TestTheReasonsOfUnfitRowsShowNoneOfTheirWords(t *testing.T) {
	c, err := wholeFile(t).Fit([]Row{
		row(SourcesSection, "x", `{"kind":"hunter2"}`), row(RulesSection, "r", `{"match":"hunter2/*","team":"octo/{{ .hunter2 }}"}`), row("none", "x", `hunter2`),
	})
	if err != nil || len(c.Unfit) != 3 || strings.Contains(fmt.Sprint(c.Unfit), "hunter2") {
		t.Errorf("%v, %v", c.Unfit, err)
	}
}

func TestAFileThatCannotBeReadAnyMoreIsNoFaultOfTheRows(t *testing.T) {
	file := wholeFile(t)
	file.origin.env = func(string) (string, bool) { return "", false }
	if c, err := file.Fit([]Row{row(SourcesSection, "x", `{"kind":"hunter2"}`)}); err == nil {
		t.Errorf("left out: %s", leftOut(c))
	}
}
