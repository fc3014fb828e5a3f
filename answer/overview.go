package answer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"musterline.example/guard"
	"musterline.example/internal/words"
	"musterline.example/plan"
	"musterline.example/store"
)

// An Overview is how everything stands, from memory, for somebody who wants to know whether they are needed.
type Overview struct {
	At      time.Time        `json:"at"`
	Targets []TargetOverview `json:"targets"`
	Sources []SourceOverview `json:"sources"`
	Needs   []Need           `json:"needs"` // what a person has to do, the most pressing first
	Days    []Day            `json:"days"`  // of the last weeks, the oldest first, and those without anything too
}

// A TargetOverview is how one target stands, in one word and one sentence.
type TargetOverview struct {
	TargetStatus

	State   string     `json:"state"`   // in_sync, waits, failed, late, paused, off, shown, never, running
	Says    string     `json:"says"`    // what that means here
	InSync  bool       `json:"in_sync"` // the last run has ended well and no guard objects to anything: to plan again would give no change
	NextAt  time.Time  `json:"next_at,omitzero"`
	Running *RunStatus `json:"running,omitempty"` // the run that is open
	Quota   []Quota    `json:"quota"`             // as this server has heard last; none before its first call
}

// A SourceOverview is how one source stands.
type SourceOverview struct {
	SourceStatus

	Trouble string `json:"trouble,omitempty"` // failing, stale or unread; empty: none
	Says    string `json:"says"`
}

// A Need is something that a person has to do.
type Need struct {
	Kind   string `json:"kind"`   // failed, source, objected, unfit, notification, paused, off, refused, held, late or connect
	Urgent bool   `json:"urgent"` // changes do not come about, or come late, until it is done
	Target string `json:"target,omitempty"`
	Source string `json:"source,omitempty"`
	Told   string `json:"told,omitempty"` // the notification that it is about
	Run    string `json:"run,omitempty"`
	Count  int    `json:"count,omitempty"`
	Text   string `json:"text"`
	More   string `json:"more,omitempty"`
}

// A Day is what was done on one day, in UTC. What put right another's hand is counted as drift alone.
type Day struct {
	Day    string `json:"day"` // 2026-03-01
	Add    int    `json:"add"`
	Remove int    `json:"remove"`
	Update int    `json:"update"`
	Drift  int    `json:"drift"`
}

// overviewDays is how many days an overview tells of.
const overviewDays = 30

// Overview says from memory how targets stand: all when names is nil, else those, which may be none.
func (h *House) Overview(ctx context.Context, names []string) (Overview, error) {
	o := Overview{At: h.now(), Targets: []TargetOverview{}, Sources: []SourceOverview{}, Needs: []Need{}, Days: []Day{}}
	everything := names == nil
	if everything {
		names = h.targetNames()
	}
	var next map[string]time.Time
	if h.Store != nil {
		var err error
		if next, err = h.Store.NextSyncs(ctx); err != nil {
			return o, err
		}
	}
	for _, name := range names {
		t, err := h.targetOverview(ctx, name)
		if err != nil {
			return o, err
		}
		if t.Off == nil && t.Paused == nil && len(t.RestsOn) == 0 {
			t.NextAt = next[name]
		}
		t.conclude(o.At, h.Config.Schedule.Every)
		o.Targets = append(o.Targets, t)
		o.Needs = append(o.Needs, t.needs()...)
	}
	if err := h.sourceOverviews(ctx, &o); err != nil {
		return o, err
	}
	for _, u := range h.Config.Unfit {
		o.Needs = append(o.Needs, Need{Kind: "unfit", Text: fmt.Sprintf("%s/%s is left out of what is configured", u.Section, u.Name), More: u.Reason()})
	}
	if everything {
		needs, err := h.unheard(ctx)
		if err != nil {
			return o, err
		}
		o.Needs = append(o.Needs, needs...)
	}
	if len(h.Config.Targets) == 0 {
		o.Needs = append(o.Needs, Need{Kind: "connect", Text: "No organization is connected yet"})
	}
	slices.SortStableFunc(o.Needs, func(a, b Need) int {
		return needOrder(a) - needOrder(b)
	})
	days, err := h.days(ctx, names)
	o.Days = days
	return o, err
}

// needOrder puts first what keeps changes from coming about.
func needOrder(n Need) int {
	return slices.Index([]string{"connect", "failed", "source", "objected", "unfit", "notification", "late", "paused", "off", "refused", "held"}, n.Kind)
}

func (h *House) targetOverview(ctx context.Context, name string) (TargetOverview, error) {
	status, err := h.targetStatus(ctx, name)
	t := TargetOverview{TargetStatus: status, Quota: h.quotas.of(name)}
	if err != nil || h.Store == nil {
		return t, err
	}
	if t.Run == nil || !t.Run.FinishedAt.IsZero() {
		return t, nil
	}
	t.Running = t.Run
	runs, err := h.Store.Runs(ctx, name, t.Run.ID, 1)
	if err != nil {
		return t, err
	}
	t.Run = nil
	for _, r := range runs {
		last := runOf(r)
		last.Target = ""
		t.Run = &last
	}
	return t, nil
}

// conclude puts how the target stands into one word and one sentence.
func (t *TargetOverview) conclude(now time.Time, every time.Duration) {
	held := ""
	if t.Held > 0 {
		held = "; " + words.Count(t.HeldPeople, "person") + " " + words.Verb(t.HeldPeople, "is", "are") + " held back"
	}
	switch {
	case t.Off != nil:
		t.State, t.Says = "off", "It is turned off: no team is kept in line"
	case t.Paused != nil:
		t.State, t.Says = "paused", "It is paused: nothing is changed until somebody resumes it"
	case len(t.RestsOn) > 0:
		t.State, t.Says = "failed", "It is not synced: it rests on configuration that was left out ("+strings.Join(t.RestsOn, ", ")+")"
	case t.Run == nil && t.Running != nil:
		t.State, t.Says = "running", "The first sync is under way"
	case t.Run == nil:
		t.State, t.Says = "never", "It was never synced"
	case t.Run.State == "failed":
		t.State, t.Says = "failed", "The last sync failed: "+firstLine(t.Run.Error)
		if t.Run.Error == "" {
			t.Says = fmt.Sprintf("The last sync could not carry out %s", words.Count(t.Run.Failed, "change"))
		}
	case t.Objected > 0:
		t.State, t.Says = "waits", words.Count(t.Objected, "change")+" "+words.Verb(t.Objected, "waits", "wait")+" until somebody approves"+held
	case t.Apply == guard.ApplyOff:
		t.State, t.Says = "shown", "Plans are only shown: the setting apply is off"
	case t.Run.State == "cancelled":
		t.State, t.Says = "waits", "The last sync was cancelled"
	case !t.NextAt.IsZero() && now.Sub(t.NextAt) > every:
		t.State, t.Says = "late", "A sync is overdue"
	default:
		t.State, t.Says, t.InSync = "in_sync", "Every mapped team holds who it should"+held, true
		if t.Mapped == 0 {
			t.Says = "No team is mapped yet"
		}
	}
}

// firstLine is the beginning of an error, for a sentence.
func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// needs is what a person has to do about the target.
func (t *TargetOverview) needs() []Need {
	var all []Need
	add := func(n Need) {
		n.Target = t.Name
		all = append(all, n)
	}
	switch t.State {
	case "failed":
		n := Need{Kind: "failed", Urgent: true, Text: t.Says}
		if t.Run != nil && len(t.RestsOn) == 0 {
			n.Run = t.Run.ID
		}
		add(n)
	case "late":
		add(Need{Kind: "late", Urgent: true, Text: "A sync of the organization is overdue", More: "the server may have more to do than it can, or wait for a limit"})
	case "paused":
		add(Need{Kind: "paused", Text: "Paused by " + t.Paused.By, More: t.Paused.Reason})
		return all
	case "off":
		add(Need{Kind: "off", Text: "Turned off by " + t.Off.By})
		return all
	}
	if t.Objected > 0 {
		add(Need{
			Kind: "objected", Urgent: true, Count: t.Objected, More: "stopped by " + words.List(t.Guards),
			Text: words.Count(t.Objected, "change") + " " + words.Verb(t.Objected, "waits", "wait") + " until somebody approves",
		})
	}
	if t.Refused > 0 {
		add(Need{Kind: "refused", Count: t.Refused, Text: words.Count(t.Refused, "mapping") + " " + words.Verb(t.Refused, "is", "are") + " not carried out"})
	}
	if t.HeldPeople > 0 {
		add(Need{
			Kind: "held", Count: t.HeldPeople, More: "they should be in " + words.Count(t.Held, "team") + " and cannot be yet",
			Text: words.Count(t.HeldPeople, "person") + " " + words.Verb(t.HeldPeople, "is", "are") + " held back",
		})
	}
	return all
}

// sourceOverviews says how sources stand, and what a person has to do about them.
func (h *House) sourceOverviews(ctx context.Context, o *Overview) error {
	states, err := h.sourceStates(ctx)
	if err != nil {
		return err
	}
	for _, s := range states {
		of := SourceOverview{SourceStatus: s}
		switch {
		case s.Failure != "":
			of.Trouble, of.Says = "failing", "The last read failed: "+firstLine(s.Failure)
			if s.ReadAt.IsZero() {
				of.Says = "It could not be read yet: " + firstLine(s.Failure)
			}
			o.Needs = append(o.Needs, Need{Kind: "source", Urgent: true, Source: s.Name, Text: "The source cannot be read", More: firstLine(s.Failure)})
		case s.ReadAt.IsZero():
			of.Trouble, of.Says = "unread", "It was not read yet"
		case o.At.Sub(s.ReadAt) > guard.Defaults.StaleWarn:
			of.Trouble, of.Says = "stale", "It was last read "+words.Span(o.At.Sub(s.ReadAt))+" ago: what has changed there since is in no team yet"
			o.Needs = append(o.Needs, Need{Kind: "source", Urgent: true, Source: s.Name, Text: "The source was not read for " + words.Span(o.At.Sub(s.ReadAt))})
		default:
			of.Says = "It is read as it should be"
		}
		o.Sources = append(o.Sources, of)
	}
	return nil
}

// sourceStates says from memory how sources stand, in order of name.
func (h *House) sourceStates(ctx context.Context) ([]SourceStatus, error) {
	known := make(map[string]store.SourceState)
	if h.Store != nil {
		states, err := h.Store.Sources(ctx)
		if err != nil {
			return nil, err
		}
		for _, s := range states {
			known[s.Name] = s
		}
	}
	all := []SourceStatus{}
	for _, name := range h.sourceNames() {
		k := known[name]
		all = append(all, SourceStatus{
			Name: name, Kind: h.Config.Sources[name].Kind, ReadAt: k.ReadAt, Failure: k.Failure, FailedAt: k.FailedAt, Groups: k.Shape.Groups, Users: k.Shape.Users,
		})
	}
	return all, nil
}

// days counts what was done to targets, day by day.
func (h *House) days(ctx context.Context, names []string) ([]Day, error) {
	const form = "2006-01-02"
	today := h.now().UTC().Truncate(24 * time.Hour)
	first := today.AddDate(0, 0, 1-overviewDays)
	days := make(map[string]*Day, overviewDays)
	for at := first; !at.After(today); at = at.AddDate(0, 0, 1) {
		days[at.Format(form)] = &Day{Day: at.Format(form)}
	}
	for _, name := range names {
		if h.Store == nil {
			break
		}
		deeds, err := h.Store.Activity(ctx, name, first)
		if err != nil {
			return nil, err
		}
		for _, d := range deeds {
			day := days[d.Day.Format(form)]
			switch {
			case day == nil: // of a clock that went ahead
			case d.Drift:
				day.Drift += d.N
			case d.Act == plan.Add:
				day.Add += d.N
			case d.Act == plan.Update:
				day.Update += d.N
			default:
				day.Remove += d.N
			}
		}
	}
	all := make([]Day, 0, len(days))
	for _, key := range slices.Sorted(maps.Keys(days)) {
		all = append(all, *days[key])
	}
	return all, nil
}
