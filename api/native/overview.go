package native

import (
	"context"
	"slices"
	"strings"

	"musterline.example/answer"
	"musterline.example/team"
)

// registerOverview are the questions of who looks at everything, and at teams, without asking a target.
func (a *API) registerOverview() {
	operate(a, op{
		id: "overview", route: "GET /overview", tag: "looking", summary: "What needs a person, and how everything stands",
		promise: "Says from memory of each target that the caller may see whether it is in sync, when its last and next runs are, what waits for a person, what is " +
			"left of its credential's quota, and what was done in the last 30 days; and of each source how old its last read is. Asks nobody else.",
	}, func(ctx context.Context, _ *struct{}) (*body[answer.Overview], error) {
		v, seen, err := a.among(ctx, "")
		if err != nil {
			return nil, err
		}
		o, err := v.house.Overview(ctx, seen)
		if seen = v.bounds(); seen == nil {
			return told(o, err)
		}
		o.Sources = slices.DeleteFunc(o.Sources, func(of answer.SourceOverview) bool { return !v.showsAny(seen, of.Name) })
		o.Needs = slices.DeleteFunc(o.Needs, func(n answer.Need) bool {
			return n.Kind == "unfit" || n.Source != "" && !v.showsAny(seen, n.Source)
		})
		return told(o, err)
	})
	operate(a, op{
		id: "remembered-teams", route: "GET /targets/{target}/memory/teams", tag: "teams", summary: "The teams of a target, from memory",
		promise: "Lists the teams of the target in order of slug as they were read last, with their state by the last plan and what was done since. Asks nobody else: " +
			"listed_at says when the target was asked for the names of all its teams, read_at of each team when its members were read.",
	}, func(ctx context.Context, in *ChosenTeams) (*body[teamMemory], error) {
		v, err := a.on(ctx, in.Target)
		if err != nil {
			return nil, err
		}
		return in.from(ctx, v)
	})
	operate(a, op{
		id: "list-teams", route: "POST /targets/{target}/memory/teams", tag: "teams", summary: "Read the names of all teams anew",
		promise: "Asks the target for the names of all its teams, keeps them for the list from memory, and returns that. Nothing is changed at the target.",
	}, func(ctx context.Context, in *ChosenTeams) (*body[teamMemory], error) {
		v, err := a.on(ctx, in.Target)
		if err != nil {
			return nil, err
		}
		if err := v.house.ListTeams(ctx, in.Target); err != nil {
			return nil, err
		}
		return in.from(ctx, v)
	})
	a.registerRemembered()
}

// ChosenTeams is what a list of teams takes. Huma sees only exported types.
type ChosenTeams struct {
	Page
	Target string `path:"target"`
	Text   string `query:"q" maxLength:"200" doc:"Only teams whose name, or that of a group of theirs, contains this, in small letters or capitals."`
	Filter string `query:"filter" enum:"mapped,unmapped,held,objected,refused" doc:"Only teams that are so."`
}

// from returns the page of the list that is chosen.
func (in *ChosenTeams) from(ctx context.Context, v *visit) (*body[teamMemory], error) {
	all, err := v.house.Remembered(ctx, in.Target, in.Text, in.Filter)
	if err != nil {
		return nil, err
	}
	of := strings.Join([]string{"memory", in.Target, in.Text, in.Filter}, "\x00")
	page, next, err := cut(in.Page, of, all.Teams, func(t answer.RememberedTeam) string { return strings.ToLower(t.Slug) + "\x00" + t.ID })
	all.Teams = page
	return told(teamMemory{all, next}, err)
}

// registerRemembered are the questions about one team.
func (a *API) registerRemembered() {
	operate(a, op{
		id: "remembered-team", route: "GET /targets/{target}/memory/teams/{team}", tag: "teams", summary: "One team, from memory",
		promise: "Says how the team stands by the last read, the last plan and what was done since: its groups and who owns them, what is refused or objected to, how " +
			"many people come, go or are held; and whether its groups can be set here, and by the caller. The ETag is for the change of the mappings. " +
			"A team that memory does not know is looked up at the target.",
	}, func(ctx context.Context, in *TeamOf) (*body[teamPage], error) {
		v, err := a.onTeam(ctx, *in)
		if err != nil {
			return nil, err
		}
		t, err := v.house.RememberedTeam(ctx, in.Target, in.Team)
		if err != nil {
			return nil, err
		}
		may, err := a.mayOf(ctx, in.Target, team.ID(t.ID))
		return &body[teamPage]{ETag: tag(t.Version), Body: teamPage{t, may}}, err
	})
	operate(a, op{
		id: "team-people", route: "GET /targets/{target}/memory/teams/{team}/people", tag: "teams", summary: "Who is in a team, comes, goes or is held, and why",
		promise: "Lists from memory the people of the team in order of login: members with the path of groups that puts them there, whose account they are by what " +
			"evidence and what the ledger says, who is about to come or go by the last plan, and who is held and why.",
	}, func(ctx context.Context, in *struct {
		Page
		TeamOf
		Text  string `query:"q" maxLength:"200" doc:"Only people whose login, name or user contains this, in small letters or capitals."`
		State string `query:"state" enum:"member,invited,joining,leaving,held" doc:"Only people who are so."`
	}) (*body[peoplePage], error) {
		v, err := a.onTeam(ctx, in.TeamOf)
		if err != nil {
			return nil, err
		}
		all, err := v.house.TeamPeople(ctx, in.Target, in.Team, in.Text, in.State)
		if err != nil {
			return nil, err
		}
		of := strings.Join([]string{"people", in.Target, in.Team, in.Text, in.State}, "\x00")
		page, next, err := cut(in.Page, of, all.People, func(p answer.TeamPerson) string { return p.Key() })
		all.People = page
		return told(peoplePage{all, next}, err)
	})
}

type teamMemory struct {
	answer.Remembered

	Next string `json:"next,omitempty"`
}

type teamPage struct {
	answer.TeamView

	May may `json:"may"`
}

type peoplePage struct {
	answer.TeamPeople

	Next string `json:"next,omitempty"`
}
