package answer

import (
	"context"
	"strings"
	"testing"

	"musterline.example/directory"
	"musterline.example/source"
)

// A plain source cannot look groups up.
type plain struct{ names []string }

func (p plain) Snapshot(context.Context, source.Selection) (*directory.Snapshot, error) {
	s := &directory.Snapshot{Groups: make(map[directory.GroupID]directory.Group)}
	for _, name := range p.names {
		s.Groups[directory.GroupID("id-"+name)] = directory.Group{ID: directory.GroupID("id-" + name), Name: name}
	}
	return s, nil
}

func TestASourceThatCannotSearchIsCutIntoPages(t *testing.T) {
	s := plain{[]string{"b2", "a", "B1", "c", "b3"}}
	for _, c := range []struct {
		wish       GroupsWish
		want, next string
	}{
		{GroupsWish{}, "B1 a b2 b3 c", ""},
		{GroupsWish{Prefix: "b"}, "B1 b2 b3", ""},
		{GroupsWish{Prefix: "b", Size: 2}, "B1 b2", "2"},
		{GroupsWish{Prefix: "b", Size: 2, Next: "2"}, "b3", ""},
		{GroupsWish{Size: 5}, "B1 a b2 b3 c", ""},
		{GroupsWish{Size: 2, Next: "70"}, "", ""},
	} {
		found, next, err := listGroups(t.Context(), s, c.wish)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, g := range found {
			names = append(names, g.Name)
		}
		if got := strings.Join(names, " "); got != c.want || next != c.next {
			t.Errorf("%+v: %q and next %q, want %q and %q", c.wish, got, next, c.want, c.next)
		}
	}
	for _, page := range []string{"two", "-1"} {
		if _, _, err := listGroups(t.Context(), s, GroupsWish{Size: 2, Next: page}); ErrorOf(err) == nil || ErrorOf(err).Class != Usage {
			t.Errorf("page %q: %v", page, err)
		}
	}
}
