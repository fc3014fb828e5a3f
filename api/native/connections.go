package native

import (
	"context"
	"strconv"

	"musterline.example/answer"
	"musterline.example/catalog"
	"musterline.example/config"
)

// A connection is a source or a target as a page shows it: what is configured, what its kind asks for, and how it stands.
type connection struct {
	Row    answer.Row               `json:"row"`
	Kind   kind                     `json:"kind"`
	Common []field                  `json:"common" doc:"What every target takes, whatever its kind."`
	Source *answer.SourceConnection `json:"source,omitempty"`
	Target *answer.TargetConnection `json:"target,omitempty"`
}

// registerConnections are sources and targets as people look at them.
func (a *API) registerConnections() {
	operate(a, op{
		id: "connections", route: "GET /connections", tag: "configuration", summary: "Sources and targets, and how they stand",
		promise: "Lists sources and targets with where each is defined, when it was last read, and what is wrong with it. Answers from memory.",
	}, func(ctx context.Context, _ *struct{}) (*body[answer.Connections], error) {
		v, seen, err := a.among(ctx, "")
		if err != nil {
			return nil, err
		}
		return told(v.house.Connections(ctx, seen))
	})
	operate(a, op{
		id: "source-connection", route: "GET /connections/sources/{source}", tag: "configuration", summary: "One source, and how it stands",
		promise: "What is configured for the source, what its kind asks for, and how it stands. The ETag is for the change that is made from it.",
	}, func(ctx context.Context, in *struct {
		Source string `path:"source"`
	}) (*body[connection], error) {
		v, err := a.everywhere(ctx)
		if err != nil {
			return nil, err
		}
		row, err := v.house.Row(ctx, config.SourcesSection, in.Source)
		if err != nil {
			return nil, err
		}
		all, err := v.house.Connections(ctx, nil)
		c := connection{Row: row, Common: []field{}, Kind: kind{Fields: []field{}}}
		for i := range all.Sources {
			if s := &all.Sources[i]; s.Name == in.Source && s.Origin == row.Origin {
				c.Source = s
				if k, ok := catalog.Source(s.Kind); ok {
					c.Kind = kind{k.Name, k.Title, fieldsOf(k.Settings)}
				}
			}
		}
		return ofConnection(c, err)
	})
	operate(a, op{
		id: "target-connection", route: "GET /connections/targets/{target}", tag: "configuration", summary: "One target, and how it stands",
		promise: "What is configured for the target, what its kind asks for, and how it stands. The ETag is for the change that is made from it.",
	}, func(ctx context.Context, in *OnTarget) (*body[connection], error) {
		v, row, err := a.targetRow(ctx, in.Target)
		if err != nil {
			return nil, err
		}
		all, err := v.house.Connections(ctx, nil)
		c := connection{Row: row, Common: fieldsOf(config.TargetSettings()), Kind: kind{Fields: []field{}}}
		for i := range all.Targets {
			if t := &all.Targets[i]; t.Name == in.Target && t.Origin == row.Origin {
				c.Target = t
				if k, ok := catalog.Target(t.Kind); ok {
					c.Kind = kind{k.Name, k.Title, fieldsOf(k.Settings)}
				}
			}
		}
		return ofConnection(c, err)
	})
	for _, s := range []section{rowSections[0], rowSections[1]} {
		operate(a, op{
			id: "try-" + s.one, route: "POST /" + s.name + "/check", tag: "configuration", summary: "Reach a " + s.one + " before it is saved",
			promise: "Checks what a " + s.one + " would be together with the rest of the configuration, opens it and reaches it. Nothing of what was sent is kept. " +
				"With a name, secrets that are left out are those of the " + s.one + " of that name, unless they would be sent to another address.",
		}, func(ctx context.Context, in *struct {
			Name string `query:"name" maxLength:"256" doc:"Of the one that it would change; none: it is new."`
			Body part
		}) (*body[answer.Checked], error) {
			v, err := a.everywhere(ctx)
			if err != nil {
				return nil, err
			}
			return told(v.house.TryRow(ctx, answer.RowWish{Section: s.name, Name: in.Name, Body: in.Body.RawMessage, By: v.by("")}))
		})
	}
}

// targetRow lets the caller in to a target's row. One that was left out of what is in force is no target, and an administrator's to see.
func (a *API) targetRow(ctx context.Context, name string) (*visit, answer.Row, error) {
	v, err := a.on(ctx, name)
	if err != nil {
		if answer.ErrorOf(err).Class != answer.NotFound {
			return nil, answer.Row{}, err
		}
		why := err
		if v, err = a.everywhere(ctx); err != nil {
			return nil, answer.Row{}, why
		}
	}
	row, err := v.house.Row(ctx, config.TargetsSection, name)
	return v, row, err
}

func ofConnection(c connection, err error) (*body[connection], error) {
	if err != nil {
		return nil, err
	}
	return &body[connection]{ETag: tag(strconv.FormatInt(c.Row.Version, 10)), Body: c}, nil
}
