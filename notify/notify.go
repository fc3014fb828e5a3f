// Package notify says to other systems what people want to hear without looking: that changes wait for their approval, that a sync failed or
// a source cannot be read, and when that has passed.
//
// Each destination is told once. What it was told is remembered beside what is sent to it, so a thing that stays as it is makes no second
// message however often it is found again, and a destination that is new hears how things stand. What there is to tell is decided here from
// values, by Watch and its methods; package job looks, remembers and delivers.
package notify

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"musterline.example/guard"
	"musterline.example/internal/words"
	"musterline.example/setting"
)

// A Type is the sort of an event.
type Type string

// The types of events. A Test is sent when somebody asks for it, and to nobody else.
const (
	Objection       Type = "objection"
	RunFailed       Type = "run_failed"
	RunRecovered    Type = "run_recovered"
	SourceFailed    Type = "source_failed"
	SourceRecovered Type = "source_recovered"
	Test            Type = "test"
)

// Types are the types that a destination can choose from, in the order in which people are shown them, with what each tells.
var Types = []struct {
	Type  Type
	Title string
	Means string
}{
	{Objection, "Changes wait for approval", "A guard objects to them. Told once, and again when the changes are others."},
	{RunFailed, "A sync failed", "Told once, until one succeeds."},
	{RunRecovered, "Syncs work again", "The first that succeeds after one that failed."},
	{SourceFailed, "A source cannot be read", "Told once, until it can be. Nobody is removed on its word meanwhile."},
	{SourceRecovered, "A source can be read again", "The first read after one that failed."},
}

// TypeNames are the names of Types.
func TypeNames() []string {
	names := make([]string, len(Types))
	for i, t := range Types {
		names[i] = string(t.Type)
	}
	return names
}

// A To is a destination: who is told of what.
type To struct {
	Name    string
	Kind    string
	Values  setting.Values // of the kind, checked
	Events  []Type         // that it wants to hear of
	Targets []string       // that it wants to hear of
	Sources []string       // that it wants to hear of
	Console string         // the address of the console, without a slash at its end; empty when people were told none
}

// An Event is one thing to tell. It is stored and sent as it is: what it holds can be read by whoever is told.
type Event struct {
	Type Type      `json:"type"`
	At   time.Time `json:"timestamp"` // when it came to be
	Data Data      `json:"data"`
}

// Data is what an event is about.
type Data struct {
	Sentence   string      `json:"sentence"` // the whole of it, for people
	Target     string      `json:"target,omitempty"`
	Source     string      `json:"source,omitempty"`
	Run        string      `json:"run,omitempty"`
	Reason     string      `json:"reason,omitempty"` // why it failed
	Changes    int         `json:"changes,omitempty"`
	Objections []Objecting `json:"objections,omitempty"`
	More       int         `json:"more_objections,omitempty"` // that are not listed
	URL        string      `json:"url,omitempty"`             // of the page in the console
}

// An Objecting is one objection.
type Objecting struct {
	Guard   string `json:"guard"`
	Team    *Team  `json:"team,omitempty"`   // none: it is about a source or the organization
	Source  string `json:"source,omitempty"` // that it is about, if any
	Changes int    `json:"changes"`
	Message string `json:"message"`
}

// A Team is a team as the target knows it.
type Team struct {
	ID   string `json:"id,omitempty"` // none yet of a team that is to be created
	Slug string `json:"slug"`
}

// listed is how many objections an event lists.
const listed = 20

// ParseEvent reads an event that was stored.
func ParseEvent(body []byte) (Event, error) {
	var e Event
	if err := json.Unmarshal(body, &e); err != nil {
		return e, fmt.Errorf("read a notification: %w", err)
	}
	return e, nil
}

// Body is the event as it is stored and sent.
func (e Event) Body() []byte {
	body, err := json.Marshal(e)
	if err != nil {
		panic("notify: " + err.Error()) // texts and numbers can always be encoded
	}
	return body
}

// TestEvent is what is sent to find out whether a destination takes what it is sent.
func (t To) TestEvent(now time.Time) Event {
	return Event{Test, now.UTC(), Data{
		Sentence: "This is a test of the notification " + t.Name + ". Nothing has happened.", URL: t.page("/settings/notifications"),
	}}
}

// wants reports whether the destination wants to hear of a type of event.
func (t To) wants(is Type) bool { return slices.Contains(t.Events, is) }

func (t To) page(path string) string {
	if t.Console == "" {
		return ""
	}
	return t.Console + path
}

// objection is the event of objections.
func (t To) objection(target string, at time.Time, said []guard.Objection) Event {
	refs := make(map[guard.Ref]bool)
	var guards []string
	d := Data{Target: target, URL: t.page("/organizations/" + target + "/plan")}
	for _, o := range said {
		for _, r := range o.Changes {
			refs[r] = true
		}
		if !slices.Contains(guards, o.Guard) {
			guards = append(guards, o.Guard)
		}
		if len(d.Objections) == listed {
			d.More++
			continue
		}
		l := Objecting{Guard: o.Guard, Source: o.Source, Changes: len(o.Changes), Message: clip(o.Message)}
		if o.Team != "" || o.Slug != "" {
			l.Team = &Team{string(o.Team), o.Slug}
		}
		d.Objections = append(d.Objections, l)
	}
	d.Changes = len(refs)
	d.Sentence = fmt.Sprintf("%s of %s %s for approval: %s %s.", words.Count(d.Changes, "change"), target, words.Verb(d.Changes, "waits", "wait"),
		words.List(guards), words.Verb(len(guards), "objects", "object"))
	return Event{Objection, at.UTC(), d}
}

// clip bounds what comes from elsewhere, so that a message is taken by everybody.
func clip(text string) string {
	const most = 1000
	if letters := []rune(text); len(letters) > most {
		return string(letters[:most]) + "…"
	}
	return text
}

// run is the event of a run that failed, or of the first that did not after one that had.
func (t To) run(is Type, r Run) Event {
	d := Data{Target: r.Target, Run: r.ID, Reason: clip(r.Error), URL: t.page("/runs/" + r.ID)}
	if d.Sentence = "The sync of " + r.Target + " works again."; is == RunFailed {
		d.Sentence = "The sync of " + r.Target + " failed."
	}
	return Event{is, r.EndedAt.UTC(), d}
}

// source is the event of a source that cannot be read, or can be again.
func (t To) source(is Type, s Source) Event {
	d := Data{Source: s.Name, Reason: clip(s.Failure), URL: t.page("/connections/sources/" + s.Name)}
	at := s.FailedAt
	if d.Sentence = "The source " + s.Name + " cannot be read. Nobody is removed on its word."; is == SourceRecovered {
		at, d.Sentence = s.ReadAt, "The source "+s.Name+" can be read again."
	}
	return Event{is, at.UTC(), d}
}
