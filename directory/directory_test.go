package directory_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"musterline.example/directory"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// snapshot makes a snapshot of lines such as "platform: ada bob > sre ops": members, then nested groups. A name before "?" is not read.
func snapshot(lines ...string) *directory.Snapshot {
	s := &directory.Snapshot{Source: "corp", TakenAt: noon, Users: map[directory.UserID]directory.User{}, Groups: map[directory.GroupID]directory.Group{}}
	for _, line := range lines {
		name, rest, _ := strings.Cut(line, ":")
		g := directory.Group{ID: directory.GroupID(strings.TrimSuffix(name, "?")), ReadAt: noon}
		g.Name = string(g.ID)
		if strings.HasSuffix(name, "?") {
			g.ReadAt = time.Time{}
		}
		members, groups, _ := strings.Cut(rest, ">")
		for m := range strings.FieldsSeq(members) {
			id := directory.UserID(m)
			s.Users[id] = directory.User{ID: id, Name: m, Status: directory.Active}
			g.Members = append(g.Members, id)
		}
		for sub := range strings.FieldsSeq(groups) {
			g.Groups = append(g.Groups, directory.GroupID(sub))
		}
		s.Groups[g.ID] = g
	}
	return s
}

// walked is a walk as lines such as "ada platform/sre".
func walked(s *directory.Snapshot, id directory.GroupID) []string {
	var lines []string
	for u, path := range s.Walk(id) {
		var names []string
		for _, p := range path {
			names = append(names, string(p))
		}
		lines = append(lines, string(u.ID)+" "+strings.Join(names, "/"))
	}
	return lines
}

func TestWalk(t *testing.T) {
	for _, test := range []struct {
		name  string
		lines []string
		want  []string
	}{
		{"members by id, each once", []string{"a: cy ada bob ada"}, []string{"ada a", "bob a", "cy a"}},
		{"nobody", []string{"a:"}, nil},
		{"an unknown group", nil, nil},
		{"once each, by a shortest path", []string{"a: ada > b c", "b: bob ada > d", "c: cy > d", "d: dan ada"}, []string{"ada a", "bob a/b", "cy a/c", "dan a/b/d"}},
		{"a cycle", []string{"a: ada > b", "b: bob > c", "c: cy > a b"}, []string{"ada a", "bob a/b", "cy a/b/c"}},
		{"a group in itself", []string{"a: ada > a a"}, []string{"ada a"}},
		{"shortest, not first", []string{"a: > b d", "b: > c", "c: > e", "d: > e", "e: eve"}, []string{"eve a/d/e"}},
		{"an unread group yields nobody", []string{"a: ada > b c", "b?:", "c: cy"}, []string{"ada a", "cy a/c"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, walked(snapshot(test.lines...), "a")); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestWalkYieldsUsersOfEveryStatus(t *testing.T) {
	s := snapshot("a: ada bob cy dan")
	for i, status := range []directory.Status{directory.Active, directory.Locked, directory.Disabled, directory.Deleted} {
		id := s.Groups["a"].Members[i]
		u := s.Users[id]
		u.Status = status
		s.Users[id] = u
	}
	var statuses []directory.Status
	for u := range s.Walk("a") {
		statuses = append(statuses, u.Status)
	}
	if want := []directory.Status{directory.Active, directory.Locked, directory.Disabled, directory.Deleted}; !slices.Equal(want, statuses) {
		t.Errorf("got %v", statuses)
	}
	if n := s.Size("a"); n != 2 {
		t.Errorf("%d of them count as members, not the active and the locked one", n)
	}
}

func TestWalkStopsWhenAskedTo(t *testing.T) {
	s := snapshot("a: ada bob > b", "b: cy")
	for limit := range 4 {
		n := 0
		for range s.Walk("a") {
			if n++; n > limit {
				break
			}
		}
		if n != min(limit+1, 3) {
			t.Errorf("stopped after %d of %d", n, limit+1)
		}
	}
}

func TestWalkLeavesTheSnapshotAlone(t *testing.T) {
	s := snapshot("a: cy ada bob > b", "b: zoe ada")
	before, _ := json.Marshal(s)
	_ = walked(s, "a")
	if after, _ := json.Marshal(s); string(before) != string(after) {
		t.Error("the members were put in order in place")
	}
}

func TestClosureAndUnread(t *testing.T) {
	s := snapshot("a: ada > b c", "b?: > d", "c: cy > a d gone", "d: dan")
	if got := s.Closure("a"); !slices.Equal(got, []directory.GroupID{"a", "b", "c", "d", "gone"}) {
		t.Errorf("closure %v", got)
	}
	if got := s.Unread("a"); !slices.Equal(got, []directory.GroupID{"b", "gone"}) {
		t.Errorf("unread %v", got)
	}
	if got := s.Unread("d"); got != nil {
		t.Errorf("unread %v", got)
	}
	if got := s.Unread("nowhere"); !slices.Equal(got, []directory.GroupID{"nowhere"}) {
		t.Errorf("unread %v", got)
	}
}

func TestFind(t *testing.T) {
	s := snapshot("b:", "a:", "c:")
	for _, id := range []directory.GroupID{"a", "b"} {
		g := s.Groups[id]
		g.Name = "twin"
		s.Groups[id] = g
	}
	var ids []directory.GroupID
	for _, g := range s.Find("twin") {
		ids = append(ids, g.ID)
	}
	if !slices.Equal(ids, []directory.GroupID{"a", "b"}) || s.Find("Twin") != nil {
		t.Errorf("found %v", ids)
	}
}

func TestValidate(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*directory.Snapshot)
		want   string
	}{
		"well":               {func(*directory.Snapshot) {}, ""},
		"an unknown member":  {func(s *directory.Snapshot) { delete(s.Users, "ada") }, `group "a" lists user "ada", who was not read`},
		"an unknown group":   {func(s *directory.Snapshot) { delete(s.Groups, "b") }, `group "a" holds group "b", whose members were not read`},
		"an unread group":    {func(s *directory.Snapshot) { s.Groups["b"] = directory.Group{ID: "b"} }, `group "a" holds group "b", whose members were not read`},
		"a wrong key":        {func(s *directory.Snapshot) { s.Groups["c"] = s.Groups["b"] }, `group "b" is filed under "c"`},
		"a user's wrong key": {func(s *directory.Snapshot) { s.Users["eve"] = s.Users["ada"] }, `user "ada" is filed under "eve"`},
		"a status":           {func(s *directory.Snapshot) { s.Users["ada"] = directory.User{ID: "ada", Status: "suspended"} }, `user "ada" has the status "suspended"`},
	} {
		t.Run(name, func(t *testing.T) {
			s := snapshot("a: ada > b", "b: bob", "other?:")
			test.change(s)
			got := ""
			if err := s.Validate(); err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	// What was not read is not looked at: a listing may hold whatever the provider shows in passing.
	s := snapshot("a?: ada > b")
	delete(s.Users, "ada")
	if err := s.Validate(); err != nil {
		t.Error(err)
	}
}

func TestAStatusIsOneOfFour(t *testing.T) {
	for status, member := range map[directory.Status]bool{directory.Active: true, directory.Locked: true, directory.Disabled: false, directory.Deleted: false} {
		if !status.Known() || status.Member() != member {
			t.Errorf("%s: known %t, member %t", status, status.Known(), status.Member())
		}
	}
	if directory.Status("").Known() || directory.Status("").Member() {
		t.Error("no status is no member")
	}
}

func TestASnapshotSurvivesJSON(t *testing.T) {
	s := snapshot("a: ada > b", "b:", "c?:")
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var back directory.Snapshot
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s, &back); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if back.Groups["c"].Read() || !back.Groups["b"].Read() {
		t.Error("not read and empty became one")
	}
}

// world draws a snapshot of a few groups that nest at random, cycles included, some of them not read.
func world(t *rapid.T) *directory.Snapshot {
	groups, users := rapid.IntRange(1, 8).Draw(t, "groups"), rapid.IntRange(0, 10).Draw(t, "users")
	var lines []string
	for i := range groups {
		var b strings.Builder
		fmt.Fprintf(&b, "g%d", i)
		if rapid.IntRange(0, 9).Draw(t, "unread") == 0 {
			b.WriteString("?")
		}
		b.WriteString(":")
		if users > 0 {
			for _, u := range rapid.SliceOfN(rapid.IntRange(0, users-1), 0, 5).Draw(t, "members") {
				fmt.Fprintf(&b, " u%d", u)
			}
		}
		b.WriteString(" >")
		for _, sub := range rapid.SliceOfN(rapid.IntRange(0, groups), 0, 4).Draw(t, "nested") { // groups itself is an unknown one
			fmt.Fprintf(&b, " g%d", sub)
		}
		lines = append(lines, b.String())
	}
	return snapshot(lines...)
}

// The walk against the plainest closure there is: repeat until nothing is new.
func TestWalkIsTheClosure(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := world(t)
		distance := map[directory.GroupID]int{"g0": 0}
		for changed := true; changed; {
			changed = false
			for id, d := range maps.Clone(distance) {
				for _, sub := range s.Groups[id].Groups {
					if old, known := distance[sub]; !known || old > d+1 {
						distance[sub], changed = d+1, true
					}
				}
			}
		}
		want := make(map[directory.UserID]int) // user → length of a shortest path
		for id, d := range distance {
			for _, m := range s.Groups[id].Members {
				if old, known := want[m]; !known || old > d+1 {
					want[m] = d + 1
				}
			}
		}
		got := make(map[directory.UserID]int)
		last := 0
		for u, path := range s.Walk("g0") {
			if _, again := got[u.ID]; again {
				t.Fatalf("%s comes twice", u.ID)
			}
			got[u.ID] = len(path)
			if path[0] != "g0" || !slices.Contains(s.Groups[path[len(path)-1]].Members, u.ID) {
				t.Fatalf("%s does not lead to %s", path, u.ID)
			}
			for i, id := range path[1:] {
				if !slices.Contains(s.Groups[path[i]].Groups, id) {
					t.Fatalf("%s: %s is not in %s", path, id, path[i])
				}
			}
			if len(path) < last {
				t.Fatalf("%s comes after a longer path", path)
			}
			last = len(path)
		}
		if !maps.Equal(want, got) {
			t.Fatalf("want %v, got %v", want, got)
		}
		if one, two := walked(s, "g0"), walked(s, "g0"); !slices.Equal(one, two) {
			t.Fatalf("%v, then %v", one, two)
		}
		closure := slices.Sorted(slices.Values(s.Closure("g0")))
		if reached := slices.Sorted(maps.Keys(distance)); !slices.Equal(closure, reached) {
			t.Fatalf("closure %v, reached %v", closure, reached)
		}
		unread := slices.DeleteFunc(closure, func(id directory.GroupID) bool { return s.Groups[id].Read() })
		if !slices.Equal(unread, slices.Sorted(slices.Values(s.Unread("g0")))) {
			t.Fatalf("unread %v, not %v", s.Unread("g0"), unread)
		}
	})
}

// million is 10,000 groups of 100 members each; every tenth holds five others.
func million() *directory.Snapshot {
	s := &directory.Snapshot{Users: make(map[directory.UserID]directory.User), Groups: make(map[directory.GroupID]directory.Group)}
	users := make([]directory.UserID, 50_000)
	for i := range users {
		users[i] = directory.UserID(fmt.Sprintf("user-%08d", i))
		s.Users[users[i]] = directory.User{ID: users[i], Name: "Somebody", Status: directory.Active}
	}
	for i := range 10_000 {
		g := directory.Group{ID: groupID(i), ReadAt: noon, Members: make([]directory.UserID, 100)}
		for j := range g.Members {
			g.Members[j] = users[(i*37+j*499)%len(users)]
		}
		slices.Sort(g.Members)
		s.Groups[g.ID] = g
	}
	return s
}

func groupID(i int) directory.GroupID { return directory.GroupID(fmt.Sprintf("group-%05d", i)) }

func BenchmarkWalkMillionMemberships(b *testing.B) {
	s := million()
	b.Run("flat", func(b *testing.B) { walkAll(b, s) })
	for i := 0; i < 10_000; i += 10 {
		g := s.Groups[groupID(i)]
		for j := 1; j <= 5; j++ {
			g.Groups = append(g.Groups, groupID((i+j*10)%10_000)) // which in turn hold others: the closure of each is 1,000 groups deep
		}
		if i%500 != 0 {
			g.Groups = nil // but for one in fifty
		}
		s.Groups[g.ID] = g
	}
	b.Run("nested", func(b *testing.B) { walkAll(b, s) })
}

func walkAll(b *testing.B, s *directory.Snapshot) {
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for i := range 10_000 {
			for range s.Walk(groupID(i)) {
				n++
			}
		}
		b.ReportMetric(float64(n), "users/op")
	}
}

// A chain of 10,000 groups, each in the one before.
func BenchmarkWalkChain(b *testing.B) {
	s := million()
	for i := range 9_999 {
		g := s.Groups[groupID(i)]
		g.Groups = []directory.GroupID{groupID(i + 1)}
		s.Groups[g.ID] = g
	}
	b.ReportAllocs()
	for b.Loop() {
		for range s.Walk(groupID(0)) {
		}
	}
}
