package native

import (
	"context"
	"strings"

	"musterline.example/answer"
	"musterline.example/api/access"
	"musterline.example/store"
	"musterline.example/target"
	"musterline.example/team"
)

// IfMatch is what a change was made from.
type IfMatch struct {
	IfMatch string `header:"If-Match" doc:"The ETag of what the change was made from; * for whatever there is."`
}

// tag is a version as an ETag.
func tag(version string) string { return `"` + version + `"` }

// version reads If-Match. Without one a change is refused: it may take back what somebody else has just done (RFC 6585, 3).
func (m IfMatch) version() (string, error) {
	given := strings.TrimSpace(m.IfMatch)
	switch {
	case given == "":
		return "", &problem{Body: problemBody{
			Class: answer.Usage, Message: "a change must say what it was made from",
			Hint: "send the ETag that you have read in If-Match, or * for whatever there is",
		}, status: 428}
	case given == "*":
		return answer.AnyVersion, nil
	case len(given) < 2 || given[0] != '"' || given[len(given)-1] != '"' || strings.Contains(given[1:len(given)-1], `"`):
		return "", answer.Usagef(`If-Match must be one ETag as it was given out, in quotes, or *`)
	}
	return given[1 : len(given)-1], nil
}

// number reads If-Match where versions are numbers. A tag that is no number is another version.
func (m IfMatch) number() (int64, error) {
	v, err := m.version()
	if err != nil || v == answer.AnyVersion {
		return store.AnyVersion, err
	}
	return parseVersion(v), nil
}

// TeamOf names a team of a target.
type TeamOf struct {
	Target string `path:"target"`
	Team   string `path:"team" doc:"Its slug, id or exact name."`
}

type mapWish struct {
	GroupsOf

	Seen   string `json:"seen,omitempty" maxLength:"100" doc:"What the preview that was shown has named so. When something else would come about by now, nothing is changed: 409. Of those who may approve it is also the acceptance of what was shown and guards object to: for exactly these changes, and with a reason."`
	Reason string `json:"reason,omitempty" maxLength:"500" doc:"Why that is right, for the audit record."`
}

// GroupsOf is what the groups of a team shall be. Huma sees only exported types.
type GroupsOf struct {
	AsWhom
	Groups []answer.GroupWish `json:"groups" nullable:"false" maxItems:"1000" doc:"All groups of the team; none at all take it out of our hands. Written source/id, else source/name."`
	Mode   string             `json:"mode,omitempty" enum:"exclusive,additive" doc:"What becomes of members who are in no group: exclusive, they go; additive, only those that we brought."`
}

// registerMappings are the groups of teams.
func (a *API) registerMappings() {
	operate(a, op{
		id: "team", route: "GET /targets/{target}/teams/{team}", tag: "teams", summary: "One team with its groups",
		promise: "Reads the team from the target, and says which groups are mapped to it and who owns these mappings: the file, a rule, or the API.",
	}, func(ctx context.Context, in *TeamOf) (*body[answer.TeamMappings], error) {
		v, err := a.onTeam(ctx, *in)
		if err != nil {
			return nil, err
		}
		return ofTeam(v.house.Team(ctx, in.Target, in.Team))
	})
	operate(a, op{
		id: "map-team", route: "PUT /targets/{target}/teams/{team}/mappings", tag: "teams", summary: "Set the groups of a team", refuses: []int{409, 412, 428},
		promise: "Makes these the groups of the team, and asks for a sync of it. Members who were in it for a group that is taken away leave after the target's grace. " +
			"A team that the file or a rule maps is 403, and the message says where.",
	}, func(ctx context.Context, in *struct {
		TeamOf
		IfMatch
		Body mapWish
	}) (*body[answer.TeamMappings], error) {
		v, err := a.onTeam(ctx, in.TeamOf)
		if err != nil {
			return nil, err
		}
		version, err := in.version()
		if err != nil {
			return nil, err
		}
		wish := in.Body.wish(in.TeamOf, version, v)
		if in.Body.Seen != "" {
			may, err := a.mayOf(ctx, in.Target, "")
			if err != nil {
				return nil, err
			}
			wish.Seen, wish.Accept, wish.Reason = in.Body.Seen, may.Approve, in.Body.Reason
		}
		set, err := v.house.MapTeam(ctx, wish)
		if err == nil && a.Asked != nil {
			a.Asked(in.Target)
		}
		return ofTeam(set, err)
	})
	operate(a, op{
		id: "preview-mapping", route: "POST /targets/{target}/teams/{team}/mappings/preview", tag: "teams", summary: "Who would come and go", refuses: []int{409, 412},
		promise: "Plans the target as if these were the groups of the team, with the very planning that a sync uses, and shows the team's part of the plan: who would " +
			"join, leave, be held, and what guards would object to. Changes nothing. What it names as seen can be sent with the change.",
	}, func(ctx context.Context, in *struct {
		TeamOf
		Body GroupsOf
	}) (*body[answer.Preview], error) {
		v, err := a.onTeam(ctx, in.TeamOf)
		if err != nil {
			return nil, err
		}
		return told(v.house.PreviewMapping(ctx, in.Body.wish(in.TeamOf, answer.AnyVersion, v)))
	})
}

func (w GroupsOf) wish(of TeamOf, version string, v *visit) answer.MapWish {
	return answer.MapWish{Target: of.Target, Team: of.Team, Groups: w.Groups, Mode: w.Mode, Version: version, By: v.by(w.By)}
}

func ofTeam(t answer.TeamMappings, err error) (*body[answer.TeamMappings], error) {
	if err != nil {
		return nil, err
	}
	return &body[answer.TeamMappings]{ETag: tag(t.Version), Body: t}, nil
}

// A may is what the caller may do with a team.
type may struct {
	Map     bool `json:"map" doc:"Set its groups, if nothing else is in the way."`
	Approve bool `json:"approve" doc:"Accept what guards object to."`
}

// mayOf says what the caller may do with a team, for a page that offers it. Whether they may is looked at again when they do.
func (a *API) mayOf(ctx context.Context, name string, of team.ID) (may, error) {
	v, e, err := a.enter(ctx, name)
	if err != nil {
		return may{}, err
	}
	m := may{Map: e.Why == nil && e.May(access.ChangeMappings), Approve: e.Why == nil && e.May(access.Operate)}
	if m.Map || !e.Guest.Member || e.Guest.App || of == "" {
		return m, nil
	}
	place, err := a.place(ctx, v, name)
	if err != nil {
		return m, err
	}
	if e, err = a.Access.Enter(ctx, v.caller, place, target.Door{Team: of}, v.changes()); err != nil {
		return m, err
	}
	m.Map = e.Why == nil && e.May(access.ChangeMappings)
	return m, nil
}
