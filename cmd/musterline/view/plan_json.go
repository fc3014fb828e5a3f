package view

import (
	"time"

	"musterline.example/guard"
	"musterline.example/plan"
	"musterline.example/team"
)

// Plans is what `plan --json` prints and `plan --out` saves. The form is stable: it changes only with Format, and fields are only added.
type Plans struct {
	Format int        `json:"format"`
	Plans  []JSONPlan `json:"plans"`
}

// Format is the version of the form of Plans.
const Format = 1

// A JSONPlan is the plan of one target.
type JSONPlan struct {
	Target     string          `json:"target"`
	Digest     string          `json:"digest"`
	Teams      []jsonTeam      `json:"teams"`
	Refused    []jsonRefused   `json:"refused"`
	Held       []jsonHeld      `json:"held"`
	Objections []jsonObjection `json:"objections"`
	Summary    jsonSummary     `json:"summary"`
}

type jsonTeam struct {
	ID       team.ID       `json:"id"`
	Slug     string        `json:"slug"`
	Members  int           `json:"members"`
	Create   *team.New     `json:"create,omitempty"`
	Unmapped bool          `json:"unmapped,omitempty"`
	Add      []jsonAdd     `json:"add"`
	Remove   []jsonRemove  `json:"remove"`
	Update   []jsonUpdate  `json:"update"`
	Leaving  []jsonLeaving `json:"leaving,omitempty"`
}

type jsonAccount struct {
	ID    team.AccountID `json:"id"`
	Login string         `json:"login"`
}

type jsonAdd struct {
	Account  jsonAccount   `json:"account"`
	Role     team.Role     `json:"role"`
	Why      []team.Reason `json:"why"`
	Objected []string      `json:"objected"`
}

type jsonRemove struct {
	Account  jsonAccount   `json:"account"`
	Why      []team.Reason `json:"why"`
	Objected []string      `json:"objected"`
}

type jsonUpdate struct {
	Account  jsonAccount   `json:"account"`
	From     team.Role     `json:"from"`
	To       team.Role     `json:"to"`
	Why      []team.Reason `json:"why"`
	Objected []string      `json:"objected"`
}

type jsonLeaving struct {
	Account jsonAccount   `json:"account"`
	At      time.Time     `json:"at"`
	Why     []team.Reason `json:"why"`
}

type jsonRefused struct {
	Team    string `json:"team"`
	Mapping string `json:"mapping,omitempty"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

type jsonHeld struct {
	Team    string `json:"team"`
	User    string `json:"user"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

type jsonObjection struct {
	Guard   string `json:"guard"`
	Team    string `json:"team"`
	Source  string `json:"source,omitempty"`
	Changes int    `json:"changes"` // how many it stops; a warning stops none
	Message string `json:"message"`
	Waive   string `json:"waive"` // the command that answers it, empty for a warning
}

type jsonSummary struct {
	Add      int `json:"add"`
	Remove   int `json:"remove"`
	Update   int `json:"update"`
	Held     int `json:"held"`
	Objected int `json:"objected"` // changes that guards stop, each counted once
}

// JSON returns the plan in its stable form.
func (p Plan) JSON() JSONPlan {
	s := p.Plan.Summary()
	out := JSONPlan{
		Target: p.Plan.Target, Digest: p.Plan.Digest,
		Teams: []jsonTeam{}, Refused: []jsonRefused{}, Held: []jsonHeld{}, Objections: []jsonObjection{},
		Summary: jsonSummary{Add: s.Add, Remove: s.Remove, Update: s.Update, Held: s.Held, Objected: guard.Count(p.Objections)},
	}
	stopped := guard.Stopped(p.Objections)
	for i := range p.Plan.Teams {
		out.Teams = append(out.Teams, teamJSON(&p.Plan.Teams[i], stopped))
	}
	for _, r := range sortedRefused(p.Plan.Refused) {
		out.Refused = append(out.Refused, jsonRefused{Team: r.Slug, Mapping: r.Mapping, Reason: r.Reason, Message: r.Message})
	}
	for _, h := range p.Plan.Held {
		out.Held = append(out.Held, jsonHeld{Team: h.Slug, User: h.User, Reason: h.Reason, Message: h.Message})
	}
	for _, o := range p.Objections {
		j := jsonObjection{Guard: o.Guard, Team: o.Slug, Source: o.Source, Changes: len(o.Changes), Message: o.Message}
		if len(o.Changes) > 0 {
			j.Waive = ApproveCommand(p.Plan.Target, o)
		}
		out.Objections = append(out.Objections, j)
	}
	return out
}

// ApproveCommand is the command that answers an objection.
func ApproveCommand(target string, o guard.Objection) string {
	command := "musterline approve " + Quote(target)
	if o.Slug != "" {
		command += " --team " + Quote(o.Slug)
	}
	return command + " --guard " + Quote(o.Guard) + " --reason TEXT"
}

func teamJSON(c *plan.TeamChange, stopped map[guard.Ref][]string) jsonTeam {
	t := jsonTeam{
		ID: c.Team, Slug: c.Slug, Members: c.Members, Create: c.Create, Unmapped: c.Unmapped,
		Add: []jsonAdd{}, Remove: []jsonRemove{}, Update: []jsonUpdate{},
	}
	for _, ch := range c.Add {
		t.Add = append(t.Add, jsonAdd{accountOf(ch), ch.Role, list(ch.Why), list(stopped[guard.RefOf(c, ch)])})
	}
	for _, ch := range c.Remove {
		t.Remove = append(t.Remove, jsonRemove{accountOf(ch), list(ch.Why), list(stopped[guard.RefOf(c, ch)])})
	}
	for _, ch := range c.Update {
		t.Update = append(t.Update, jsonUpdate{accountOf(ch), ch.From, ch.Role, list(ch.Why), list(stopped[guard.RefOf(c, ch)])})
	}
	for _, l := range c.Leaving {
		t.Leaving = append(t.Leaving, jsonLeaving{jsonAccount{l.Account, l.Login}, l.At, list(l.Why)})
	}
	return t
}

func accountOf(ch plan.Change) jsonAccount { return jsonAccount{ch.Account, ch.Login} }

// list makes an empty list of none: programs should not have to tell null from [].
func list[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}
