package guard_test

import (
	"fmt"

	"musterline.example/guard"
	"musterline.example/plan"
)

// A team of 12 would lose two at its first connection. Nobody is removed until somebody says that it is right.
func ExampleApprove() {
	p := &plan.Plan{Target: "octo", Teams: []plan.TeamChange{{
		Team: "7", Slug: "platform", Members: 12, Sources: []string{"corp"},
		Add:    []plan.Change{{Act: plan.Add, Account: "1024", Login: "ada-l"}},
		Remove: []plan.Change{{Act: plan.Remove, Account: "9", Login: "bob"}, {Act: plan.Remove, Account: "11", Login: "eve"}},
	}}}
	facts := guard.Facts{Now: now, Sources: map[string]guard.SourceFacts{"corp": {ReadAt: now, Memberships: 2340}}}
	guards := guard.All(guard.Settings{})

	approved, objections := guard.Approve(p, facts, guards, nil)
	fmt.Printf("%+v\n", approved.Plan().Summary())
	for _, o := range objections {
		fmt.Println(o.Guard+":", o.Message)
		fmt.Println(o.WayOut)
	}

	waiver := guard.WaiverFor(p, objections, guard.Filter{Teams: []string{"platform"}}, "grace@example.com", "they have moved to web", now)
	approved, objections = guard.Approve(p, facts, guards, []guard.Waiver{waiver})
	fmt.Printf("%+v, objections: %d\n", approved.Plan().Summary(), len(objections))
	// Output:
	// {Teams:1 Create:0 Add:1 Update:0 Remove:0 Held:0 People:0}
	// first_connection: platform would lose 2 of 12 members at its first connection
	// If this is right: musterline approve octo --team platform --reason TEXT. If not: put the people into a mapped group, map another group, or set the team's mode to additive.
	// {Teams:1 Create:0 Add:1 Update:0 Remove:2 Held:0 People:0}, objections: 0
}
