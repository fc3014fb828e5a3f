package team_test

import (
	"testing"

	"musterline.example/team"
)

func TestDigestKnowsMembershipsAndNotNames(t *testing.T) {
	read := team.Team{ID: "7", Slug: "platform", Members: []team.Membership{{Account: "2", Login: "bob"}, {Account: "1", Login: "ada"}}}
	read.Sort()
	same := read
	same.Slug, same.Name = "platform-engineering", "Platform engineering"
	if read.Digest() != same.Digest() {
		t.Error("a rename changed the digest")
	}
	for name, change := range map[string]func(*team.Team){
		"role":     func(t *team.Team) { t.Members[0].Role = team.Maintainer },
		"pending":  func(t *team.Team) { t.Members[0].Pending = true },
		"member":   func(t *team.Team) { t.Members = t.Members[:1] },
		"children": func(t *team.Team) { t.Children = []team.Ref{{ID: "8"}} },
	} {
		moved := read
		moved.Members = append([]team.Membership(nil), read.Members...)
		change(&moved)
		if moved.Digest() == read.Digest() {
			t.Errorf("a change of %s left the digest as it was", name)
		}
	}
}

func TestMemberIsFoundByAccount(t *testing.T) {
	read := team.Team{Members: []team.Membership{{Account: "10"}, {Account: "9"}, {Account: "1", Role: team.Maintainer}}}
	read.Sort()
	if m, ok := read.Member("1"); !ok || m.Role != team.Maintainer {
		t.Errorf("Member(1) = %v, %v", m, ok)
	}
	if _, ok := read.Member("2"); ok {
		t.Error("found a member who is not there")
	}
}

func TestRolesAreOrderedAndReadBack(t *testing.T) {
	for _, r := range []team.Role{team.Member, team.Maintainer} {
		if got, err := team.ParseRole(r.String()); err != nil || got != r {
			t.Errorf("ParseRole(%s) = %v, %v", r, got, err)
		}
	}
	if team.Member >= team.Maintainer {
		t.Error("a maintainer must be more than a member")
	}
	if _, err := team.ParseRole("admin"); err == nil {
		t.Error("admin was taken for a role")
	}
}
