package native

import (
	"context"
	"strconv"

	"musterline.example/answer"
)

// registerExplained are the settings with where each comes from, and what the server is.
func (a *API) registerExplained() {
	operate(a, op{
		id: "explain-target", route: "GET /targets/{target}/settings", tag: "configuration", summary: "The settings of a target, and where each comes from",
		promise: "Lists every setting and every guard with its value for this target: a default, or set by the configuration file (with its line), over the API, " +
			"or by the enterprise. The ETag is for a change of the target.",
	}, func(ctx context.Context, in *OnTarget) (*body[answer.Explained], error) {
		v, err := a.on(ctx, in.Target)
		if err != nil {
			return nil, err
		}
		return ofExplained(v.house.ExplainTarget(ctx, in.Target))
	})
	operate(a, op{
		id: "explain-team", route: "GET /targets/{target}/teams/{team}/settings", tag: "configuration", summary: "The settings of a team, and where each comes from",
		promise: "Lists what holds for the team with where it comes from: the team's own settings, its organization's, the enterprise's, or a default; and the guards " +
			"that look at one team at a time, which it may set for itself. The ETag is for that, and is the target's.",
	}, func(ctx context.Context, in *TeamOf) (*body[answer.Explained], error) {
		v, err := a.onTeam(ctx, *in)
		if err != nil {
			return nil, err
		}
		return ofExplained(v.house.ExplainTeam(ctx, in.Target, in.Team))
	})
	operate(a, op{
		id: "put-team-settings", route: "PUT /targets/{target}/teams/{team}/settings", tag: "configuration", summary: "Set what a team sets for itself", refuses: []int{409, 412, 428},
		promise: "Takes what a file would hold under targets.TARGET.teams.SLUG: limits of the guards that look at one team at a time, and those that are switched off " +
			"for it. A team's own settings are the nearest to it, and hold whatever is set elsewhere; an empty body takes them back. The mode is set with the groups of the team." + ofFile,
	}, func(ctx context.Context, in *struct {
		TeamOf
		IfMatch
		Body part
	}) (*body[answer.Explained], error) {
		v, err := a.on(ctx, in.Target)
		if err != nil {
			return nil, err
		}
		version, err := in.number()
		if err != nil {
			return nil, err
		}
		return ofExplained(v.house.SetTeam(ctx, answer.TeamSetWish{
			Target: in.Target, Team: in.Team, Body: in.Body.RawMessage, Version: version, By: v.by(""),
		}))
	})
	operate(a, op{
		id: "explain-setting", route: "GET /settings/{name}/explained", tag: "configuration", summary: "The settings for everything, and where each comes from",
		promise: "Does for enterprise, guards, links or schedule what it does for a target, also when nothing of it is set. The ETag is for a change of that part.",
	}, func(ctx context.Context, in *RowName) (*body[answer.Explained], error) {
		v, err := a.everywhere(ctx)
		if err != nil {
			return nil, err
		}
		return ofExplained(v.house.ExplainSetting(ctx, in.Name))
	})
	operate(a, op{
		id: "about", route: "GET /about", tag: "looking", summary: "What this server is",
		promise: "Says the server's version, the kind of its database, and the fingerprint of its key file.",
	}, func(ctx context.Context, _ *struct{}) (*body[answer.About], error) {
		v, _, err := a.among(ctx, "")
		if err != nil {
			return nil, err
		}
		about, err := v.house.About(ctx)
		about.Version = a.Version
		return told(about, err)
	})
}

func ofExplained(e answer.Explained, err error) (*body[answer.Explained], error) {
	if err != nil {
		return nil, err
	}
	return &body[answer.Explained]{ETag: tag(strconv.FormatInt(e.Version, 10)), Body: e}, nil
}
