package notify

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"musterline.example/guard"
)

// A Run is a run that has ended.
type Run struct {
	ID      string
	Number  int64 // runs of a target have one order
	Target  string
	State   string // done, objected, failed, cancelled or off
	Error   string
	EndedAt time.Time
}

// A Source is how the reads of a source went.
type Source struct {
	Name     string
	ReadAt   time.Time // of the last complete read
	Failure  string    // of the last try, when it failed after that
	FailedAt time.Time
}

// A TargetWatch is what a destination was told of a target. Its zero value was told nothing.
type TargetWatch struct {
	Run     int64                `json:"run"`     // the number of the last run that was looked at
	Failing bool                 `json:"failing"` // the last of them that succeeded or failed has failed
	Plan    time.Time            `json:"plan"`    // when the plan was made that was looked at last
	Told    map[string]time.Time `json:"told"`    // objections, and when a plan had them last
}

// A SourceWatch is what a destination was told of a source. Its zero value was told nothing.
type SourceWatch struct {
	Failing bool `json:"failing"`
}

// remembered is how long an objection is remembered that no plan has any more. One that comes and goes, as when a source can be read only
// every other time, is told once.
const remembered = 24 * time.Hour

// Runs returns what there is to tell of runs that have ended since the last look, the oldest first. A run that was cancelled or only planned
// says nothing about whether syncs work.
func (t To) Runs(w TargetWatch, ended []Run) ([]Event, TargetWatch) {
	var events []Event
	for _, r := range ended {
		if r.Number <= w.Run {
			continue
		}
		w.Run = r.Number
		was := w.Failing
		switch r.State {
		case "failed":
			w.Failing = true
		case "done", "objected":
			w.Failing = false
		}
		switch {
		case w.Failing && !was && t.wants(RunFailed):
			events = append(events, t.run(RunFailed, r))
		case was && !w.Failing && t.wants(RunRecovered):
			events = append(events, t.run(RunRecovered, r))
		}
	}
	return events, w
}

// Plan returns what there is to tell of the objections of a target's last plan, made at a moment: one event for all that are new. Warnings,
// which stop nothing, are none of them.
func (t To) Plan(w TargetWatch, target string, at time.Time, said []guard.Objection) ([]Event, TargetWatch) {
	if !at.After(w.Plan) {
		return nil, w
	}
	w.Plan, w.Told = at, maps.Clone(w.Told)
	if w.Told == nil {
		w.Told = make(map[string]time.Time)
	}
	var fresh []guard.Objection
	for _, o := range said {
		if len(o.Changes) == 0 {
			continue
		}
		mark := Mark(o)
		if _, known := w.Told[mark]; !known {
			fresh = append(fresh, o)
		}
		w.Told[mark] = at
	}
	maps.DeleteFunc(w.Told, func(_ string, seen time.Time) bool { return at.Sub(seen) > remembered })
	if len(fresh) == 0 || !t.wants(Objection) {
		return nil, w
	}
	return []Event{t.objection(target, at, fresh)}, w
}

// Source returns what there is to tell of a source.
func (t To) Source(w SourceWatch, s Source) ([]Event, SourceWatch) {
	was := w.Failing
	w.Failing = s.Failure != ""
	switch {
	case w.Failing && !was && t.wants(SourceFailed):
		return []Event{t.source(SourceFailed, s)}, w
	case was && !w.Failing && t.wants(SourceRecovered):
		return []Event{t.source(SourceRecovered, s)}, w
	}
	return nil, w
}

// Mark tells objections apart: by guard, by what it is about, and by the changes. Figures in its message are none of it: they move while
// the changes that wait stay the same.
func Mark(o guard.Objection) string {
	refs := make([]string, len(o.Changes))
	for i, r := range o.Changes {
		refs[i] = word(string(r.Team), r.Slug, string(r.Account), string(r.Act))
	}
	slices.Sort(refs)
	sum := sha256.Sum256([]byte(word(o.Guard, string(o.Team), o.Slug, o.Source) + strings.Join(refs, "")))
	return hex.EncodeToString(sum[:12])
}

// word joins parts, each with its length before it, so that no two lists of parts give the same.
func word(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		fmt.Fprintf(&b, "%d:%s,", len(p), p)
	}
	return b.String()
}

// Store and Recall are how what a destination was told is kept. What cannot be read was told nothing.
func Store[W TargetWatch | SourceWatch](w W) string {
	body, err := json.Marshal(w)
	if err != nil {
		panic("notify: " + err.Error()) // it can always be encoded
	}
	return string(body)
}

// Recall reads what Store wrote.
func Recall[W TargetWatch | SourceWatch](body string) (w W) {
	if json.Unmarshal([]byte(body), &w) != nil {
		return *new(W)
	}
	return w
}
