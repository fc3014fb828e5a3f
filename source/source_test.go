package source_test

import (
	"errors"
	"io/fs"
	"slices"
	"testing"

	"musterline.example/directory"
	"musterline.example/source"
)

var groups = map[directory.GroupID]directory.Group{
	"1": {ID: "1", Name: "gh-web"}, "2": {ID: "2", Name: "gh-ops"}, "3": {ID: "3", Name: "twin"}, "4": {ID: "4", Name: "twin"}, "5": {ID: "5", Name: "1"},
}

func TestASelectionSettlesOnGroups(t *testing.T) {
	type ids = []directory.GroupID
	for _, test := range []struct {
		name string
		want source.Selection
		ids  ids
	}{
		{"nothing", source.Selection{}, ids{}},
		{"all", source.Selection{All: true}, ids{"1", "2", "3", "4", "5"}},
		{"by id", source.Selection{IDs: ids{"4", "nowhere"}}, ids{"4"}},
		{"by name", source.Selection{Names: []string{"gh-ops", "GH-WEB", "nowhere"}}, ids{"2"}},
		{"an id before a name", source.Selection{Names: []string{"1"}}, ids{"1"}},
		{"by pattern", source.Selection{Patterns: []string{"gh-*", "[bad"}}, ids{"1", "2"}},
		{"a pattern may fit two of one name", source.Selection{Patterns: []string{"twi?"}}, ids{"3", "4"}},
		{"each once", source.Selection{IDs: ids{"1"}, Names: []string{"gh-web"}, Patterns: []string{"gh-w*"}}, ids{"1"}},
	} {
		got, err := test.want.Settle(groups)
		if err != nil || !slices.Equal(got, test.ids) {
			t.Errorf("%s: got %v and %v", test.name, got, err)
		}
	}
	got, err := source.Selection{Names: []string{"twin"}}.Settle(groups)
	e, ok := errors.AsType[*source.NameError](err)
	if !ok || got != nil || e.Name != "twin" || !slices.Equal(e.IDs, ids{"3", "4"}) || err.Error() != `the name "twin" fits 2 groups (ids "3" and "4"): use the id` {
		t.Errorf("got %v and %v", got, err)
	}
}

func TestAnErrorEndsWithTheNextStep(t *testing.T) {
	err := error(&source.Error{State: "x", Message: "it is gone", Fix: "bring it back", Err: fs.ErrNotExist})
	if err.Error() != "it is gone: bring it back" || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if err := (&source.Error{Message: "it is gone"}); err.Error() != "it is gone" {
		t.Errorf("got %v", err)
	}
}

func TestAKindSaysWhatItCan(t *testing.T) {
	k := source.Kind{Features: []source.Feature{{Name: source.Search, Can: true}, {Name: source.Push}}}
	if !k.Can(source.Search) || k.Can(source.Push) || k.Can(source.NestedGroups) {
		t.Error("wrong")
	}
}
