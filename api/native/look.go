package native

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"musterline.example/answer"
	"musterline.example/catalog"
	"musterline.example/config"
	"musterline.example/setting"
)

// registerLooks are the questions that change nothing.
func (a *API) registerLooks() {
	operate(a, op{
		id: "configured", route: "GET /configured", tag: "configuration", summary: "What is configured, by name",
		promise: "Lists the names of sources and targets. A token that is bound to a target sees that one and the sources that it shows.",
	}, func(ctx context.Context, _ *struct{}) (*body[answer.Configured], error) {
		v, seen, err := a.among(ctx, "")
		if err != nil {
			return nil, err
		}
		c, err := v.house.Configured(ctx)
		c.Targets = slices.DeleteFunc(c.Targets, func(t answer.ConfiguredTarget) bool { return !seen.has(t.Name) })
		c.Sources = slices.DeleteFunc(c.Sources, func(s answer.ConfiguredSource) bool { return !v.showsAny(seen, s.Name) })
		return told(c, err)
	})
	operate(a, op{
		id: "status", route: "GET /status", tag: "looking", summary: "How everything stands",
		promise: "Says from memory how targets and sources stand: the last run of each target, what waits for a person, the age of each source. Asks nobody else.",
	}, func(ctx context.Context, in *struct {
		Target string `query:"target" doc:"Only this target."`
	}) (*body[answer.Status], error) {
		v, seen, err := a.among(ctx, in.Target)
		if err != nil {
			return nil, err
		}
		s, err := v.house.Status(ctx, seen...)
		if seen = v.bounds(); seen == nil {
			return told(s, err)
		}
		s.Sources = slices.DeleteFunc(s.Sources, func(of answer.SourceStatus) bool { return !v.showsAny(seen, of.Name) })
		s.Unfit = nil // whose they are is not theirs to know; their own target says what it rests on
		return told(s, err)
	})
	operate(a, op{
		id: "why", route: "GET /why", tag: "looking", summary: "Why somebody is in a team, or why not",
		promise: "Answers from stored evidence: the path of groups, the mapping, the link, the ledger, the runs. Asks nobody else. " +
			"A team that several targets have, of those that the caller may look at, is written target/team.",
	}, func(ctx context.Context, in *struct {
		User string `query:"user" required:"true" doc:"A login, an account's number, or source/user."`
		Team string `query:"team" required:"true" doc:"A slug, an id, or either behind target/."`
	}) (*body[answer.Answer], error) {
		name, _, both := strings.Cut(in.Team, "/")
		v, seen, err := a.among(ctx, "")
		if err != nil {
			// A caller with a GitHub token names the target with the team.
			if !both {
				return nil, err
			}
			if v, err = a.on(ctx, name); err != nil {
				return nil, err
			}
			seen = scope{name}
		}
		if seen == nil || both && seen.has(name) {
			return told(v.house.Why(ctx, in.User, in.Team))
		}
		return told(whyIn(ctx, v.house, seen, in.User, in.Team))
	})
	operate(a, op{
		id: "check", route: "POST /check", tag: "looking", summary: "Reach every source and target",
		promise: "Reaches every source and every target and says of each credential what it has, what it lacks and when it ends. What is wrong stands in the answer.",
	}, func(ctx context.Context, _ *struct{}) (*body[answer.Check], error) {
		v, err := a.everywhere(ctx)
		if err != nil {
			return nil, err
		}
		return told(v.house.Check(ctx))
	})
	operate(a, op{
		id: "check-target", route: "POST /targets/{target}/check", tag: "looking", summary: "Reach one target",
		promise: "Does for one target what check does for everything: the credential's permissions as they are now.",
	}, func(ctx context.Context, in *struct {
		Target string `path:"target"`
	}) (*body[answer.Checked], error) {
		v, err := a.on(ctx, in.Target)
		if err != nil {
			return nil, err
		}
		return told(v.house.CheckTarget(ctx, in.Target))
	})
	operate(a, op{
		id: "check-source", route: "POST /sources/{source}/check", tag: "looking", summary: "Reach one source",
		promise: "Does for one source what check does for everything.",
	}, func(ctx context.Context, in *struct {
		Source string `path:"source"`
	}) (*body[answer.Checked], error) {
		v, err := a.everywhere(ctx)
		if err != nil {
			return nil, err
		}
		return told(v.house.CheckSource(ctx, in.Source))
	})
	operate(a, op{
		id: "kinds", route: "GET /kinds", tag: "configuration", summary: "The kinds of sources and targets, with what they ask for",
		promise: "Lists what a source or target of each kind can be told, so that a form can be made of it.",
	}, func(ctx context.Context, _ *struct{}) (*body[kinds], error) {
		if _, _, err := a.among(ctx, ""); err != nil {
			return nil, err
		}
		return told(allKinds(), nil)
	})
	a.registerLists()
}

// registerLists are the questions about groups, teams and links.
func (a *API) registerLists() {
	operate(a, op{
		id: "groups", route: "GET /sources/{source}/groups", tag: "looking", summary: "The groups of a source",
		promise: "Lists groups in order of name, with the teams that they are mapped to. A source that looks groups up itself lists them in its own order.",
	}, func(ctx context.Context, in *struct {
		Page
		Source string `path:"source"`
		Prefix string `query:"prefix" maxLength:"256" doc:"Only groups whose name begins with this."`
		Target string `query:"target" doc:"As this target shows them, with its teams alone."`
	}) (*body[answer.Groups], error) {
		v, bound, err := a.chosen(ctx, in.Target)
		if err != nil {
			return nil, err
		}
		if !v.shows(bound, in.Source) {
			return nil, answer.Errorf(answer.NotFound, "there is no such source")
		}
		of := "groups\x00" + in.Source + "\x00" + in.Prefix
		from, err := in.at(of)
		if err != nil {
			return nil, err
		}
		groups, err := v.house.Groups(ctx, answer.GroupsWish{Source: in.Source, Prefix: in.Prefix, Size: in.size(), Next: from})
		groups.Next = cursor(of, groups.Next)
		for i := range groups.Groups {
			g := &groups.Groups[i]
			g.Teams = slices.DeleteFunc(g.Teams, func(t string) bool { return v.lists || bound != "" && !strings.HasPrefix(t, bound+"/") })
		}
		return told(groups, err)
	})
	operate(a, op{
		id: "teams", route: "GET /targets/{target}/teams", tag: "looking", summary: "The teams of a target",
		promise: "Lists all teams in order of slug, with the groups that are mapped to them. The first page reads the target; those after it go on in what was read.",
	}, func(ctx context.Context, in *struct {
		Page
		Target string `path:"target"`
	}) (*body[teamList], error) {
		v, err := a.on(ctx, in.Target)
		if err != nil {
			return nil, err
		}
		all, err := a.teams.list(ctx, v.house, in.Target, in.Cursor != "", a.Now())
		if err != nil {
			return nil, err
		}
		page, next, err := cut(in.Page, "teams\x00"+in.Target, all, func(t answer.Team) string { return strings.ToLower(t.Slug) + "\x00" + t.ID })
		return told(teamList{page, next}, err)
	})
	operate(a, op{
		id: "links", route: "GET /links", tag: "people", summary: "Who is which account",
		promise: "Lists linked identities in order of user: by what evidence, and which are frozen or revoked. Who may look at single targets sees those of their hosts, of the sources that they show.",
	}, func(ctx context.Context, in *struct {
		Page
		Host   string `query:"host" doc:"Only accounts of this host."`
		Target string `query:"target" doc:"As this target shows them."`
	}) (*body[linkList], error) {
		v, seen, err := a.among(ctx, in.Target)
		if err != nil {
			return nil, err
		}
		links, err := v.house.Links(ctx)
		if err != nil {
			return nil, err
		}
		hosts := make(map[string]string, len(seen))
		for _, name := range seen {
			hosts[name] = v.house.Host(ctx, name)
		}
		all := slices.DeleteFunc(links.Links, func(l answer.Link) bool {
			source, _, _ := strings.Cut(l.User, "/")
			shown := seen == nil || slices.ContainsFunc(seen, func(name string) bool { return hosts[name] == l.Host && v.shows(name, source) })
			return !shown || in.Host != "" && l.Host != in.Host
		})
		key := func(l answer.Link) string {
			return strings.Join([]string{l.User, l.Host, l.State, l.Tier, l.Account}, "\x00")
		}
		slices.SortStableFunc(all, func(x, y answer.Link) int { return strings.Compare(key(x), key(y)) })
		page, next, err := cut(in.Page, "links\x00"+strings.Join(seen, ",")+"\x00"+in.Host, all, key)
		return told(linkList{page, next}, err)
	})
}

// whyIn says why somebody is in a team of one of these targets, whichever has it.
func whyIn(ctx context.Context, h *answer.House, seen scope, user, word string) (answer.Answer, error) {
	var (
		found []answer.Answer
		first error
	)
	for _, name := range seen {
		said, err := h.Why(ctx, user, name+"/"+word)
		switch {
		case err == nil:
			found = append(found, said)
		case len(seen) == 1 || !unfound(err):
			return said, err
		case first == nil:
			first = err
		}
	}
	switch len(found) {
	case 0:
		return answer.Answer{}, first
	case 1:
		return found[0], nil
	}
	return answer.Answer{}, answer.Usagef("several organizations have a team of that name: say which").WithHint("write it as target/team")
}

// unfound reports whether an error says that there is no such thing.
func unfound(err error) bool {
	c := answer.ErrorOf(err).Class
	return c == answer.NotFound || c == answer.Nothing || c == answer.Usage
}

// bound is the target beyond which the caller sees nothing: that of their token, or the one that they have entered on GitHub's word.
func (v *visit) bound() string {
	if t, ours := v.caller.Token(); ours {
		return t.Target
	}
	return v.entered
}

// bounds are the targets beyond which the caller sees nothing; nil: none.
func (v *visit) bounds() scope {
	if one := v.bound(); one != "" {
		return scope{one}
	}
	return v.sees
}

// showsAny reports whether one of the targets shows a source.
func (v *visit) showsAny(targets scope, source string) bool {
	return targets == nil || slices.ContainsFunc(targets, func(name string) bool { return v.shows(name, source) })
}

// shows reports whether a target shows a source to those who see only that target.
func (v *visit) shows(target, source string) bool {
	shown := v.house.Config.Targets[target].Sources
	return target == "" || len(shown) == 0 || slices.Contains(shown, source)
}

type teamList struct {
	Teams []answer.Team `json:"teams"`
	Next  string        `json:"next,omitempty"`
}

type linkList struct {
	Links []answer.Link `json:"links"`
	Next  string        `json:"next,omitempty"`
}

// teamLists keep what was read of targets for those who turn pages.
type teamLists struct {
	mu   sync.Mutex
	kept map[string]keptTeams
}

type keptTeams struct {
	teams []answer.Team
	at    time.Time
}

// turning is how long somebody may take to turn a page before the target is read anew.
const turning = 5 * time.Minute

// list returns the teams of a target: for a first page as they are, for a later one as they were for the first, if that is not long ago.
func (l *teamLists) list(ctx context.Context, h *answer.House, target string, later bool, now time.Time) ([]answer.Team, error) {
	l.mu.Lock()
	kept, ok := l.kept[target]
	l.mu.Unlock()
	if ok && later && now.Sub(kept.at) < turning {
		return kept.teams, nil
	}
	read, err := h.Teams(ctx, target)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(read.Teams, func(x, y answer.Team) int {
		return strings.Compare(strings.ToLower(x.Slug)+"\x00"+x.ID, strings.ToLower(y.Slug)+"\x00"+y.ID)
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.kept == nil {
		l.kept = make(map[string]keptTeams)
	}
	l.kept[target] = keptTeams{read.Teams, now}
	return read.Teams, nil
}

type kinds struct {
	Sources []kind `json:"sources"`
	Targets []kind `json:"targets"`

	TargetFields []field `json:"target_fields" doc:"What every target takes, whatever its kind."`
}

type kind struct {
	Name   string  `json:"name"`
	Title  string  `json:"title"`
	Fields []field `json:"fields"`
}

type field struct {
	Key      string   `json:"key"`
	Label    string   `json:"label,omitempty"`
	Help     string   `json:"help"`
	Type     string   `json:"type"`
	Required bool     `json:"required"`
	Default  string   `json:"default,omitempty"`
	Choices  []string `json:"choices,omitempty"`
	Example  string   `json:"example,omitempty"`

	Multiline bool `json:"multiline,omitempty"`
}

func allKinds() kinds {
	all := kinds{Sources: []kind{}, Targets: []kind{}, TargetFields: fieldsOf(config.TargetSettings())}
	for _, name := range catalog.SourceNames() {
		k, _ := catalog.Source(name)
		all.Sources = append(all.Sources, kind{name, k.Title, fieldsOf(k.Settings)})
	}
	for _, name := range catalog.TargetNames() {
		k, _ := catalog.Target(name)
		all.Targets = append(all.Targets, kind{name, k.Title, fieldsOf(k.Settings)})
	}
	return all
}

func fieldsOf(settings []setting.Field) []field {
	fields := make([]field, len(settings))
	for i, f := range settings {
		fields[i] = field{f.Key, f.Label, f.Help, string(f.Type), f.Required, f.Default, f.Choices, f.Example, f.Multiline}
	}
	return fields
}
