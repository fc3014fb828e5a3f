package config

import (
	"testing"

	"musterline.example/guard"
)

func TestEveryLimitIsAGuards(t *testing.T) {
	fields := GuardFields()
	if len(fields) != len(guardKeys) {
		t.Errorf("%d of %d limits are told of", len(fields), len(guardKeys))
	}
	for _, f := range fields {
		if guard.About(f.Guard) == "" || f.Help == "" || f.Default == "" || f.Type == "" || f.Type == "choice" && len(f.Choices) == 0 {
			t.Errorf("something is missing: %+v", f)
		}
	}
}

func TestTheLineOfAKeyIsTheFilesOwn(t *testing.T) {
	c, err := readText(`
sources:
  people: { kind: file, path: x.yaml }
targets:
  octo:
    kind: github
    organization: octo-org
    token: hunter2
    grace: 5m
    guards:
      team_removals: { max: 2 }
`)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range []struct {
		path []string
		line int
	}{
		{[]string{"targets", "octo", "grace"}, 9},
		{[]string{"targets", "octo", "guards", "team_removals"}, 11},
		{[]string{"targets", "octo", "guards", "team_removals", "max"}, 11},
		{[]string{"targets", "octo", "apply"}, 0},
		{[]string{"targets", "none", "apply"}, 0},
		{[]string{"guards", "team_removals"}, 0},
		{[]string{"targets", "octo", "grace", "deeper"}, 0},
	} {
		if got := c.LineOf(one.path...); got != one.line {
			t.Errorf("%v: line %d, want %d", one.path, got, one.line)
		}
	}
}
