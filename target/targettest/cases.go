package targettest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"musterline.example/plan"
	"musterline.example/target"
	"musterline.example/team"
)

// A roster is what a team should hold.
type roster = map[team.AccountID]team.Role

var cases = []struct {
	name  string
	needs func(h *Harness) (missing string)
	run   func(s *scene)
}{
	{"a plan is empty after it was applied", nothing, applied},
	{"the same twice gives the same", nothing, twice},
	{"whatever the teams hold, they come to hold what is wanted", nothing, anyWorld},
	{"members come, change and go", nothing, comeAndGo},
	{"an addition names its role", maintainers, addMaintainer},
	{"two reads of one world are equal", nothing, equalReads},
	{"long lists are read whole", has(func(h *Harness) bool { return h.Fill != nil }, "way to add many accounts"), longLists},
	{"a pending invitation is not sent again", invitations, notInvitedAgain},
	{"a pending invitation that nobody wants is cancelled", invitations, cancelled},
	{"who has left is not invited back", has(func(h *Harness) bool { return h.Leave != nil }, "way to leave"), leftMeanwhile},
	{"who has left is no account", has(func(h *Harness) bool { return h.Leave != nil }, "way to leave"), leftAccount},
	{"one failing member loses no other's outcome", has(func(h *Harness) bool { return h.Refuse != nil }, "failing writes"), oneFails},
	{"an unknown team is absent", nothing, unknownTeam},
	{"a deleted team is absent", has(func(h *Harness) bool { return h.DeleteTeam != nil }, "way to delete a team"), deletedTeam},
	{"inherited members are no members", children, inherited},
	{"a parent names its children", children, parents},
	{"an owner reads as maintainer and is never a difference", has(func(h *Harness) bool { return h.Owner != nil }, "owners"), owners},
	{"a renamed account is the same account", has(func(h *Harness) bool { return h.RenameAccount != nil }, "logins that change"), renamedAccount},
	{"a renamed team is the same team", has(func(h *Harness) bool { return h.RenameTeam != nil }, "names that change"), renamedTeam},
	{"teams are found by slug, then by name", nothing, finds},
	{"the list of teams is whole, in order and without repeats", nothing, lists},
	{"a team is made without its maker", has(func(h *Harness) bool { return h.Create }, "creation of teams"), creates},
	{"a team that exists is not made again", has(func(h *Harness) bool { return h.Create }, "creation of teams"), existsAlready},
	{"a limit is told as an error", has(func(h *Harness) bool { return h.Limit != nil }, "limits"), limits},
	{"a worthless credential is told as an error", has(func(h *Harness) bool { return h.Revoke != nil }, "credential"), revoked},
	{"a short list of accounts is an error", has(func(h *Harness) bool { return h.CutAccounts != nil }, "lists to cut"), shortAccounts},
	{"a short list of members is an error", has(func(h *Harness) bool { return h.CutTeams != nil }, "lists to cut"), shortTeams},
	{"partial data is an error", has(func(h *Harness) bool { return h.Partial != nil }, "partial answers"), partial},
	{"a cancelled context stops everything", nothing, stopsOnCancel},
	{"an error of did stops the writing", nothing, stopsOnDid},
	{"a probe names the place and the credential", nothing, probes},
}

func nothing(*Harness) string { return "" }

func has(can func(*Harness) bool, what string) func(*Harness) string {
	return func(h *Harness) string {
		if can(h) {
			return ""
		}
		return what
	}
}

var (
	maintainers = has(func(h *Harness) bool { return h.Maintainers }, "roles")
	invitations = has(func(h *Harness) bool { return h.Invite != nil }, "invitations")
	children    = has(func(h *Harness) bool { return h.Child != nil }, "child teams")
)

func applied(s *scene) {
	a := s.accounts(4)
	platform, empty := s.Team("Platform"), s.Team("Empty")
	s.Join(platform, a[0], team.Member)
	s.Join(platform, a[1], s.role(team.Maintainer))
	wanted := []team.Wanted{s.want(platform, roster{a[1]: s.role(team.Maintainer), a[2]: s.role(team.Maintainer)}), s.want(empty, roster{a[3]: team.Member})}
	p := s.plan(wanted...)
	if p.Empty() {
		s.Fatal("there was nothing to do")
	}
	s.done(p)
	if again := s.plan(wanted...); !again.Empty() {
		s.Errorf("the plan after the plan: %+v", again.Teams)
	}
	s.holds(platform, roster{a[1]: team.Maintainer, a[2]: team.Maintainer})
	s.holds(empty, roster{a[3]: team.Member})
}

func twice(s *scene) {
	a := s.accounts(3)
	platform := s.Team("Platform")
	s.Join(platform, a[0], team.Member)
	p := s.plan(s.want(platform, roster{a[1]: team.Member, a[2]: team.Member}))
	s.done(p)
	before := s.read(platform)
	for _, o := range s.done(p) {
		if o.Act == string(plan.Remove) && o.Result == target.Failed {
			s.Errorf("the second removal failed: %v", o.Err)
		}
	}
	if diff := cmp.Diff(before, s.read(platform)); diff != "" {
		s.Errorf("the second time changed something:\n%s", diff)
	}
}

func anyWorld(s *scene) {
	random := rand.New(rand.NewPCG(1, 2))
	a := s.accounts(12)
	for round := range 6 {
		id := s.Team(fmt.Sprintf("Round %d", round))
		wanted := roster{}
		for _, account := range a {
			if random.IntN(2) == 0 {
				s.Join(id, account, s.role(team.Role(random.IntN(2))))
			}
			if random.IntN(2) == 0 {
				wanted[account] = s.role(team.Role(random.IntN(2)))
			}
		}
		w := s.want(id, wanted)
		s.done(s.plan(w))
		s.holds(id, wanted)
		if again := s.plan(w); !again.Empty() {
			s.Errorf("round %d: the plan after the plan: %+v", round, again.Teams)
		}
	}
}

func comeAndGo(s *scene) {
	a := s.accounts(3)
	id := s.Team("Platform")
	s.Join(id, a[0], team.Member)
	s.Join(id, a[1], team.Member)
	p := s.plan(s.want(id, roster{a[1]: s.role(team.Maintainer), a[2]: team.Member}))
	var acts []string
	for _, o := range s.done(p) {
		acts = append(acts, o.Act)
	}
	want := []string{"add", "update", "remove"}
	if !s.Maintainers {
		want = []string{"add", "remove"}
	}
	if diff := cmp.Diff(want, acts); diff != "" {
		s.Errorf("additions, role changes, removals, in this order (-want +got):\n%s", diff)
	}
	s.holds(id, roster{a[1]: team.Maintainer, a[2]: team.Member})
}

func addMaintainer(s *scene) {
	a := s.accounts(2)
	id := s.Team("Platform")
	s.done(s.plan(s.want(id, roster{a[0]: team.Maintainer, a[1]: team.Member})))
	s.holds(id, roster{a[0]: team.Maintainer, a[1]: team.Member})
	s.done(s.plan(s.want(id, roster{a[0]: team.Member, a[1]: team.Member})))
	s.holds(id, roster{a[0]: team.Member, a[1]: team.Member})
}

func equalReads(s *scene) {
	a := s.accounts(5)
	var ids []team.ID
	for i := range 7 {
		id := s.Team(fmt.Sprintf("Team %d", i))
		ids = append(ids, id)
		for _, account := range a[:i%5] {
			s.Join(id, account, team.Member)
		}
	}
	first := s.read(ids...)
	accounts, err := s.target.Accounts(s.ctx, nil)
	if err != nil {
		s.Fatal(err)
	}
	s.open()
	slices.Reverse(ids)
	if diff := cmp.Diff(first, s.read(ids...)); diff != "" {
		s.Errorf("teams differ between two reads:\n%s", diff)
	}
	again, err := s.target.Accounts(s.ctx, nil)
	if err != nil {
		s.Fatal(err)
	}
	if diff := cmp.Diff(accounts, again); diff != "" {
		s.Errorf("accounts differ between two reads:\n%s", diff)
	}
	for _, t := range first {
		if !slices.IsSortedFunc(t.Members, func(x, y team.Membership) int {
			return slices.Compare([]byte(x.Account), []byte(y.Account))
		}) {
			s.Errorf("the members of %s are out of order", t.Slug)
		}
	}
}

func longLists(s *scene) {
	many := s.Fill("many-", 231)
	big, small := s.Team("Big"), s.Team("Small")
	want := roster{}
	for _, a := range many {
		s.Join(big, a, team.Member)
		want[a] = team.Member
	}
	s.Join(small, many[0], team.Member)
	for _, t := range s.read(big, small) {
		n := 1
		if t.ID == big {
			n = len(many)
		}
		if len(t.Members) != n {
			s.Errorf("%s: %d members of %d", t.Slug, len(t.Members), n)
		}
	}
	all, err := s.target.Accounts(s.ctx, nil)
	if err != nil {
		s.Fatal(err)
	}
	some, err := s.target.Accounts(s.ctx, many)
	if err != nil {
		s.Fatal(err)
	}
	if len(all.List) < len(many) || len(some.List) != len(many) {
		s.Errorf("%d accounts in all and %d by id, of %d", len(all.List), len(some.List), len(many))
	}
}

func notInvitedAgain(s *scene) {
	id := s.Team("Platform")
	guest := s.Invite(id, "guest")
	t := s.read(id)[0]
	if m, ok := t.Member(guest); !ok || !m.Pending {
		s.Fatalf("the invitation reads as %+v", t.Members)
	}
	if p := s.plan(team.Wanted{Team: id, Members: []team.Want{{Account: guest, Login: "guest", In: team.Yes}}}); !p.Empty() {
		s.Errorf("somebody who is invited would be invited again: %+v", p.Teams)
	}
}

func cancelled(s *scene) {
	id := s.Team("Platform")
	guest := s.Invite(id, "guest")
	w := team.Wanted{Team: id, Members: []team.Want{{Account: guest, Login: "guest", In: team.Out}}}
	p := s.plan(w)
	if len(p.Teams) != 1 || len(p.Teams[0].Remove) != 1 || p.Teams[0].Remove[0].Act != plan.Cancel {
		s.Fatalf("plan: %+v", p.Teams)
	}
	s.done(p)
	if m, there := s.Members(id)[guest]; there {
		s.Errorf("still there: %+v", m)
	}
	if again := s.plan(w); !again.Empty() {
		s.Errorf("the plan after the plan: %+v", again.Teams)
	}
}

func leftMeanwhile(s *scene) {
	a := s.accounts(2)
	id := s.Team("Platform")
	p := s.plan(s.want(id, roster{a[0]: team.Member, a[1]: team.Member}))
	s.Leave(a[0])
	outcomes, err := s.apply(p)
	if err != nil {
		s.Fatal(err)
	}
	for _, o := range outcomes {
		if left := o.Account == a[0]; left == (o.Result == target.Done) || left && o.Err == nil {
			s.Errorf("%s: %s, %v", o.Account, o.Result, o.Err)
		}
	}
	s.holds(id, roster{a[1]: team.Member})
}

func leftAccount(s *scene) {
	a := s.accounts(3)
	if _, err := s.target.Accounts(s.ctx, nil); err != nil {
		s.Fatal(err)
	}
	s.Leave(a[1])
	got, err := s.target.Accounts(s.ctx, append(a, "999999999"))
	if err != nil {
		s.Fatal(err)
	}
	var ids []team.AccountID
	for _, account := range got.List {
		ids = append(ids, account.ID)
	}
	if diff := cmp.Diff([]team.AccountID{a[0], a[2]}, ids); diff != "" {
		s.Errorf("accounts (-want +got):\n%s", diff)
	}
}

func oneFails(s *scene) {
	a := s.accounts(3)
	id := s.Team("Platform")
	s.Join(id, a[2], team.Member)
	s.Refuse(s.login(a[0]))
	outcomes, err := s.apply(s.plan(s.want(id, roster{a[0]: team.Member, a[1]: team.Member})))
	if err != nil {
		s.Fatal(err)
	}
	if len(outcomes) != 3 {
		s.Fatalf("%d outcomes of 3", len(outcomes))
	}
	for _, o := range outcomes {
		if fails := o.Account == a[0]; fails != (o.Result == target.Failed) || fails != (o.Err != nil) {
			s.Errorf("%s %s: %s, %v", o.Act, o.Account, o.Result, o.Err)
		}
		if o.Err != nil {
			s.noSecrets(o.Err.Error())
		}
	}
	s.holds(id, roster{a[1]: team.Member})
}

func unknownTeam(s *scene) {
	id := s.Team("Platform")
	if teams := s.read(id, "987654321"); len(teams) != 1 || teams[0].ID != id {
		s.Errorf("read %+v", teams)
	}
}

func deletedTeam(s *scene) {
	kept, gone := s.Team("Kept"), s.Team("Gone")
	s.read(kept, gone)
	s.DeleteTeam(gone)
	if teams := s.read(kept, gone); len(teams) != 1 || teams[0].ID != kept {
		s.Errorf("read %+v", teams)
	}
}

func inherited(s *scene) {
	a := s.accounts(2)
	parent := s.Team("Parent")
	child := s.Child(parent, "Child")
	s.Join(parent, a[0], team.Member)
	s.Join(child, a[1], team.Member)
	for _, t := range s.read(parent, child) {
		if len(t.Members) != 1 {
			s.Errorf("%s has %+v", t.Slug, t.Members)
		}
	}
}

func parents(s *scene) {
	parent := s.Team("Parent")
	child := s.Child(parent, "Child")
	s.Child(child, "Grandchild")
	for _, t := range s.read(parent, child) {
		if t.ID == parent && (len(t.Children) != 1 || t.Children[0] != team.Ref{ID: child, Slug: "child"}) {
			s.Errorf("the parent's children: %+v", t.Children)
		}
		if t.ID == child && t.Parent != parent {
			s.Errorf("the child's parent: %q", t.Parent)
		}
	}
}

func owners(s *scene) {
	boss := s.Owner("boss")
	id := s.Team("Platform")
	s.Join(id, boss, team.Member)
	if m, ok := (&s.read(id)[0]).Member(boss); !ok || m.Role != team.Maintainer {
		s.Errorf("the owner reads as %+v", m)
	}
	accounts, err := s.target.Accounts(s.ctx, nil)
	if err != nil {
		s.Fatal(err)
	}
	if i := slices.IndexFunc(accounts.List, func(a team.Account) bool { return a.ID == boss }); i < 0 || !accounts.List[i].Owner {
		s.Errorf("the owner is not marked among %+v", accounts.List)
	}
	if p := s.plan(team.Wanted{Team: id, Members: []team.Want{{Account: boss, Login: "boss", In: team.Yes}}}); !p.Empty() {
		s.Errorf("an owner is a difference: %+v", p.Teams)
	}
}

func renamedAccount(s *scene) {
	a := s.accounts(2)
	id := s.Team("Platform")
	s.Join(id, a[0], team.Member)
	s.read(id)
	if _, err := s.target.Accounts(s.ctx, nil); err != nil {
		s.Fatal(err)
	}
	s.RenameAccount(a[0], "new-name")
	heir := s.Account("a0") // somebody else takes the name
	got, err := s.target.Accounts(s.ctx, []team.AccountID{a[0], heir})
	if err != nil || len(got.List) != 2 {
		s.Fatalf("%+v, %v", got.List, err)
	}
	for _, account := range got.List {
		if want := map[team.AccountID]string{a[0]: "new-name", heir: "a0"}[account.ID]; account.Login != want {
			s.Errorf("account %s is called %s, want %s", account.ID, account.Login, want)
		}
	}
	if m, ok := (&s.read(id)[0]).Member(a[0]); !ok || m.Login != "new-name" {
		s.Errorf("the member reads as %+v", m)
	}
	s.done(s.plan(s.want(id, roster{})))
	s.holds(id, roster{})
}

func renamedTeam(s *scene) {
	a := s.accounts(1)
	id := s.Team("Platform")
	s.read(id)
	slug := s.RenameTeam(id, "Engines")
	other := s.Team("Platform") // somebody else takes the name
	if t := s.read(id)[0]; t.Slug != slug || t.Name != "Engines" {
		s.Errorf("the team reads as %+v", t)
	}
	s.done(s.plan(s.want(id, roster{a[0]: team.Member})))
	s.holds(id, roster{a[0]: team.Member})
	s.holds(other, roster{})
}

func finds(s *scene) {
	for _, name := range []string{"Platform", "Site Reliability", "Other"} {
		s.Team(name)
	}
	teams, err := s.target.Find(s.ctx, []string{"platform", "Site Reliability", "nobody", "Plat"})
	if err != nil {
		s.Fatal(err)
	}
	var names []string
	for _, t := range teams {
		names = append(names, t.Name)
	}
	slices.Sort(names)
	if diff := cmp.Diff([]string{"Platform", "Site Reliability"}, names); diff != "" {
		s.Errorf("found (-want +got):\n%s", diff)
	}
}

func lists(s *scene) {
	want := []team.ID{}
	for i := range 23 {
		want = append(want, s.Team(fmt.Sprintf("Team %02d", (i*7)%23)))
	}
	var got []team.ID
	var slugs []string
	for page := (target.Page{Size: 5}); ; {
		teams, next, err := s.target.List(s.ctx, page)
		if err != nil {
			s.Fatal(err)
		}
		for _, t := range teams {
			got, slugs = append(got, t.ID), append(slugs, t.Slug)
		}
		if next == (target.Page{}) {
			break
		}
		page = next
	}
	if !slices.IsSorted(slugs) {
		s.Errorf("out of order: %v", slugs)
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		s.Errorf("listed (-want +got):\n%s", diff)
	}
}

func creates(s *scene) {
	a := s.accounts(2)
	p := s.plan(team.Wanted{Create: &team.New{Name: "Brand New", Privacy: team.Closed}, Members: []team.Want{
		{Account: a[0], Login: s.login(a[0]), In: team.Yes}, {Account: a[1], Login: s.login(a[1]), In: team.Yes, Role: s.role(team.Maintainer)},
	}})
	outcomes, err := s.apply(p)
	if err != nil || len(outcomes) < 3 || outcomes[0].Act != "create" || outcomes[0].Result != target.Done || outcomes[0].Team == "" {
		s.Fatalf("outcomes %+v, %v", outcomes, err)
	}
	id := outcomes[0].Team
	for _, o := range outcomes {
		if o.Team != id || o.Result != target.Done {
			s.Errorf("%s %s in %s: %s: %v", o.Act, o.Account, o.Team, o.Result, o.Err)
		}
	}
	s.holds(id, roster{a[0]: team.Member, a[1]: team.Maintainer})
	if t := s.read(id); len(t) != 1 || t[0].Name != "Brand New" {
		s.Errorf("the new team reads as %+v", t)
	}
}

func existsAlready(s *scene) {
	a := s.accounts(1)
	p := s.plan(team.Wanted{Create: &team.New{Name: "Platform"}, Members: []team.Want{{Account: a[0], Login: s.login(a[0]), In: team.Yes}}})
	id := s.Team("Platform") // by somebody else, since the plan
	outcomes, err := s.apply(p)
	if err != nil || len(outcomes) != 2 {
		s.Fatalf("outcomes %+v, %v", outcomes, err)
	}
	if outcomes[0].Result == target.Done || outcomes[1].Result != target.Skipped {
		s.Errorf("a team that nobody has planned as it is was changed: %+v", outcomes)
	}
	s.holds(id, roster{})
}

func limits(s *scene) {
	a := s.accounts(2)
	id := s.Team("Platform")
	p := s.plan(s.want(id, roster{a[0]: team.Member, a[1]: team.Member}))
	s.Limit(time.Hour)
	began := time.Now()
	check := func(what string, err error) {
		s.Helper()
		e, ok := errors.AsType[*target.Error](err)
		if !ok || e.Class != target.Limited {
			s.Fatalf("%s: %v is no limit", what, err)
		}
		if e.Until.Before(began.Add(30 * time.Minute)) {
			s.Errorf("%s: until %v", what, e.Until)
		}
		if e.Message == "" || e.State == "" {
			s.Errorf("%s: %+v", what, e)
		}
	}
	_, err := s.target.Teams(s.ctx, []team.ID{id})
	check("teams", err)
	_, err = s.target.Accounts(s.ctx, nil)
	check("accounts", err)
	outcomes, err := s.apply(p)
	check("apply", err)
	if len(outcomes) != 2 || outcomes[0].Result != target.Skipped || outcomes[1].Result != target.Skipped {
		s.Errorf("what a limit stops is skipped: %+v", outcomes)
	}
	s.holds(id, roster{})
}

func revoked(s *scene) {
	a := s.accounts(2)
	id := s.Team("Platform")
	p := s.plan(s.want(id, roster{a[0]: team.Member, a[1]: team.Member}))
	s.Revoke()
	check := func(what string, err error) {
		s.Helper()
		if err == nil || target.ClassOf(err) != target.BadCredential {
			s.Fatalf("%s: %v", what, err)
		}
		s.noSecrets(err.Error())
		s.noSecrets(fmt.Sprintf("%+v %#v", err, err))
	}
	_, err := s.target.Probe(s.ctx)
	check("probe", err)
	_, err = s.target.Teams(s.ctx, []team.ID{id})
	check("teams", err)
	_, err = s.target.Accounts(s.ctx, nil)
	check("accounts", err)
	outcomes, err := s.apply(p)
	check("apply", err)
	for _, o := range outcomes {
		if o.Result == target.Done || o.Err == nil {
			s.Errorf("%s %s: %s", o.Act, o.Account, o.Result)
		}
	}
}

func shortAccounts(s *scene) {
	s.accounts(6)
	s.CutAccounts()
	if got, err := s.target.Accounts(s.ctx, nil); err == nil {
		s.Errorf("a short list passed for a whole one: %d accounts", len(got.List))
	}
}

func shortTeams(s *scene) {
	a := s.accounts(6)
	id := s.Team("Platform")
	for _, account := range a {
		s.Join(id, account, team.Member)
	}
	s.CutTeams()
	if got, err := s.target.Teams(s.ctx, []team.ID{id}); err == nil {
		s.Errorf("a short list passed for a whole one: %+v", got)
	}
}

func partial(s *scene) {
	a := s.accounts(2)
	one, two := s.Team("One"), s.Team("Two")
	s.Join(one, a[0], team.Member)
	s.read(one, two)
	s.Partial()
	if got, err := s.target.Teams(s.ctx, []team.ID{one, two}); err == nil {
		s.Errorf("partial data passed for all: %+v", got)
	}
}

func stopsOnCancel(s *scene) {
	a := s.accounts(3)
	id := s.Team("Platform")
	p := s.plan(s.want(id, roster{a[0]: team.Member, a[1]: team.Member, a[2]: team.Member}))
	ctx, cancel := context.WithCancel(s.ctx)
	writes := 0
	err := s.target.Apply(ctx, p.Teams[0], func(target.Outcome) error {
		writes++
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) || writes != 1 || len(s.Members(id)) != 1 {
		s.Errorf("apply: %v after %d writes, %d members", err, writes, len(s.Members(id)))
	}
	if _, err := s.target.Teams(ctx, []team.ID{id}); !errors.Is(err, context.Canceled) {
		s.Errorf("teams: %v", err)
	}
	if _, err := s.target.Accounts(ctx, nil); !errors.Is(err, context.Canceled) {
		s.Errorf("accounts: %v", err)
	}
}

func stopsOnDid(s *scene) {
	a := s.accounts(3)
	id := s.Team("Platform")
	p := s.plan(s.want(id, roster{a[0]: team.Member, a[1]: team.Member, a[2]: team.Member}))
	enough := errors.New("enough")
	writes := 0
	err := s.target.Apply(s.ctx, p.Teams[0], func(target.Outcome) error {
		writes++
		return enough
	})
	if !errors.Is(err, enough) || writes != 1 || len(s.Members(id)) != 1 {
		s.Errorf("apply: %v after %d writes, %d members", err, writes, len(s.Members(id)))
	}
}

func probes(s *scene) {
	st, err := s.target.Probe(s.ctx)
	if err != nil {
		s.Fatal(err)
	}
	if st.Place.Host == "" || st.Place.OrganizationID == "" || st.Credential == "" || len(st.Needs) > 0 {
		s.Errorf("standing: %+v", st)
	}
	s.noSecrets(fmt.Sprintf("%+v", st))
}
