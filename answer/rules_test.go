package answer_test

import (
	"strings"
	"testing"

	"musterline.example/answer"
)

// ruled maps by rules what the groups' names say.
const ruled = `
sources:
  people: { kind: file, path: directory.yaml }
targets:
  octo: { kind: github, organization: octo-org, api_url: "${GITHUB}", token: ghp_sim, pace: 0s }
mappings:
- { team: octo/docs, groups: [people/gh-docs] }
rules:
- { match: "people/gh-*", team: 'octo/{{ trimPrefix "gh-" .Group.Name }}' }
- { match: "people/*-twins", team: 'octo/{{ .Group.Name | trimPrefix "a-" | trimPrefix "b-" }}', create: true }
`

const ruledPeople = `
users: []
groups:
- { id: g1, name: gh-docs }
- { id: g2, name: gh-platform }
- { id: g3, name: leads }
- { id: g4, name: a-twins }
- { id: g5, name: b-twins }
`

func TestGroupsShowWhatRulesWouldMapBeforeAnySync(t *testing.T) {
	s := open(t)
	s.write("directory.yaml", ruledPeople)
	s.reload(ruled)
	want := map[string]string{
		"gh-docs": "octo/docs", "gh-platform": "octo/platform", "leads": "",
		"a-twins": "", "b-twins": "", // two groups of one team: the rule maps neither
	}
	look := func(when string, wish answer.GroupsWish, n int) {
		t.Helper()
		wish.Source = "people"
		found, err := s.Groups(t.Context(), wish)
		if err != nil || len(found.Groups) != n {
			t.Fatalf("%s: %+v, %v", when, found, err)
		}
		for _, g := range found.Groups {
			if got := strings.Join(g.Teams, " "); got != want[g.Name] {
				t.Errorf("%s: %s is mapped to %q, want %q", when, g.Name, got, want[g.Name])
			}
		}
	}
	look("before", answer.GroupsWish{}, 5)
	look("before, by prefix", answer.GroupsWish{Prefix: "gh-p"}, 1)
	look("before, a page", answer.GroupsWish{Prefix: "gh-", Size: 2}, 2)
	s.sync()
	look("after", answer.GroupsWish{}, 5)
	// The team stays with the group that the rule bound it to.
	s.write("directory.yaml", strings.Replace(ruledPeople, "gh-platform", "gh-engines", 1))
	want["gh-engines"] = "octo/platform"
	look("renamed", answer.GroupsWish{}, 5)
}
