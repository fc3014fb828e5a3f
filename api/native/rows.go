package native

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"musterline.example/answer"
	"musterline.example/config"
)

// parseVersion reads the version of a row; one that is none is none that a row ever had.
func parseVersion(v string) int64 {
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < 0 {
		return 1<<63 - 1
	}
	return n
}

// A part is a row's body: what a file would hold there. Its keys are those of the kind, and are checked as in a file.
type part struct{ json.RawMessage }

// Schema implements huma.SchemaProvider: what is in it depends on the kind.
func (part) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Description: "What a configuration file would hold there: see docs/configuration.md, and GET " + Prefix + "/kinds. Secrets stand in it when they are set, and are never given back; null takes one away, and one that is left out stays."}
}

// A section is one sort of rows.
type section struct {
	name, one string
	promise   string // what it holds
}

var rowSections = []section{
	{config.SourcesSection, "source", "A source is a connection to one identity provider."},
	{config.TargetsSection, "target", "A target is a connection to one organization, with its own settings: limits, modes, guards, grace, who carries plans out."},
	{config.RulesSection, "rule", "A rule makes mappings from groups whose name fits a pattern."},
	{config.SettingsSection, "setting", "Settings are enterprise (whose settings win over those of its organizations), guards, links and schedule."},
	{config.NotificationsSection, "notification", "A notification is somebody who is told of what happens: a webhook, or a channel of Slack."},
}

// RowName is the name of a row.
type RowName struct {
	Name string `path:"name" doc:"Its name in the configuration. A rule of the file has its place there for one."`
}

type rowList struct {
	Rows []answer.Row `json:"rows"`
	Next string       `json:"next,omitempty"`
}

// registerRows are the parts of the configuration.
func (a *API) registerRows() {
	for _, s := range rowSections {
		a.registerSection(s)
	}
	a.registerEnabled()
}

const ofFile = " What the configuration file defines can be read here and changed there only: 403, with file and line."

func (a *API) registerSection(s section) {
	route := "/" + s.name
	operate(a, op{
		id: "list-" + s.name, route: "GET " + route, tag: "configuration", summary: "The " + s.name + " that are configured",
		promise: s.promise + " Lists those of the configuration file first, then those that the API has made. Of secrets only the names are shown. " +
			"One that was left out, because the file says otherwise by now, says why in \"unfit\".",
	}, func(ctx context.Context, in *struct{ Page }) (*body[rowList], error) {
		v, err := a.everywhere(ctx)
		if err != nil {
			return nil, err
		}
		rows, err := v.house.Rows(ctx, s.name)
		if err != nil {
			return nil, err
		}
		from, err := in.at(s.name)
		if err != nil {
			return nil, err
		}
		page := rowList{Rows: []answer.Row{}}
		begun, last := from == "", ""
		for _, r := range rows.Rows {
			if len(page.Rows) == in.size() {
				page.Next = cursor(s.name, last)
				break
			}
			place := r.Origin + "/" + r.Name // the file may define what the API has made
			if begun {
				page.Rows, last = append(page.Rows, r), place
			}
			begun = begun || place == from
		}
		return told(page, nil)
	})
	operate(a, op{
		id: "get-" + s.one, route: "GET " + route + "/{name}", tag: "configuration", summary: "One " + s.one,
		promise: s.promise + " Of secrets only the names are shown. The ETag is for the change that is made from it.",
	}, func(ctx context.Context, in *RowName) (*body[answer.Row], error) {
		v, err := a.row(ctx, s, in.Name)
		if err != nil {
			return nil, err
		}
		return ofRow(v.house.Row(ctx, s.name, in.Name))
	})
	operate(a, op{
		id: "put-" + s.one, route: "PUT " + route + "/{name}", tag: "configuration", summary: "Make or change a " + s.one, refuses: []int{409, 412, 428},
		promise: s.promise + " It is checked together with the file and everything else, as one file would be, and nothing is changed when anything is wrong." +
			` If-Match names the version that the change was made from: "0" for what there is not yet.` + ofFile,
	}, func(ctx context.Context, in *struct {
		RowName
		IfMatch
		Body part
	}) (*body[answer.Row], error) {
		v, err := a.everywhere(ctx)
		if err != nil {
			return nil, err
		}
		version, err := in.number()
		if err != nil {
			return nil, err
		}
		return ofRow(v.house.PutRow(ctx, answer.RowWish{
			Section: s.name, Name: in.Name, Body: in.Body.RawMessage, Version: version, By: v.by(""),
		}))
	})
	operate(a, op{
		id: "delete-" + s.one, route: "DELETE " + route + "/{name}", tag: "configuration", summary: "Take a " + s.one + " away", status: http.StatusNoContent,
		refuses: []int{409, 412, 428},
		promise: "Takes it away with its secrets. Nothing is changed at any target by it. What something else still refers to stays: 409." + ofFile,
	}, func(ctx context.Context, in *struct {
		RowName
		IfMatch
	}) (*struct{}, error) {
		v, err := a.everywhere(ctx)
		if err != nil {
			return nil, err
		}
		version, err := in.number()
		if err != nil {
			return nil, err
		}
		return nil, v.house.DeleteRow(ctx, answer.RowWish{Section: s.name, Name: in.Name, Version: version, By: v.by("")})
	})
}

// row lets the caller in to read a row: that of a target whoever may read the target.
func (a *API) row(ctx context.Context, s section, name string) (*visit, error) {
	if s.name == config.TargetsSection {
		return a.on(ctx, name)
	}
	return a.everywhere(ctx)
}

func ofRow(r answer.Row, err error) (*body[answer.Row], error) {
	if err != nil {
		return nil, err
	}
	return &body[answer.Row]{ETag: tag(strconv.FormatInt(r.Version, 10)), Body: r}, nil
}

type enabledWish struct {
	AsWhom
	Enabled bool   `json:"enabled"`
	Members string `json:"members,omitempty" enum:"keep,remove" doc:"For turning off: whether members stay, or those that we brought go with the next sync."`
}

func (a *API) registerEnabled() {
	operate(a, op{
		id: "get-enabled", route: "GET /targets/{target}/enabled", tag: "configuration", summary: "Whether a target is kept",
		promise: "Says whether the teams of the target are kept in line, and what was answered about their members when that was turned off.",
	}, func(ctx context.Context, in *OnTarget) (*body[answer.Enabled], error) {
		v, err := a.on(ctx, in.Target)
		if err != nil {
			return nil, err
		}
		return ofEnabled(v.house.Enabled(ctx, in.Target))
	})
	operate(a, op{
		id: "put-enabled", route: "PUT /targets/{target}/enabled", tag: "configuration", summary: "Turn a target on or off", refuses: []int{409, 412, 428},
		promise: "Turning a target off takes all mappings away that the API has made, and asks what becomes of the members: keep or remove. " +
			"While the configuration file maps teams of it, members cannot be told to go here.",
	}, func(ctx context.Context, in *struct {
		OnTarget
		IfMatch
		Body enabledWish
	}) (*body[answer.Enabled], error) {
		v, err := a.on(ctx, in.Target)
		if err != nil {
			return nil, err
		}
		version, err := in.number()
		if err != nil {
			return nil, err
		}
		e, err := v.house.SetEnabled(ctx, answer.EnabledWish{
			Target: in.Target, Enabled: in.Body.Enabled, Members: in.Body.Members, Version: version, By: v.by(in.Body.By),
		})
		if err == nil && in.Body.Members == "remove" && a.Asked != nil {
			a.Asked(in.Target)
		}
		return ofEnabled(e, err)
	})
}

func ofEnabled(e answer.Enabled, err error) (*body[answer.Enabled], error) {
	if err != nil {
		return nil, err
	}
	return &body[answer.Enabled]{ETag: tag(strconv.FormatInt(e.Version, 10)), Body: e}, nil
}
