package answer

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"musterline.example/store"
)

// A Journal is a page of the audit record for people, the newest entry first.
type Journal struct {
	Entries []JournalEntry `json:"entries"`
	More    bool           `json:"more"` // there are older ones
}

// A JournalEntry is an audit entry with what it says in words.
type JournalEntry struct {
	store.Entry

	Said     string   `json:"said"`
	TeamSlug string   `json:"team_slug,omitempty"`
	Login    string   `json:"login,omitempty"`
	Details  []Detail `json:"details"`        // what its body says, line by line
	Left     int      `json:"left,omitempty"` // lines beside these, for which there is the export
}

// A Detail is one thing that the body of an entry says: a value, or what it was before and is after.
type Detail struct {
	Label  string  `json:"label"`
	Value  string  `json:"value,omitempty"`
	Before *string `json:"before,omitempty"` // null where it is no change
	After  *string `json:"after,omitempty"`
}

// manyDetails is how many lines of a body are told. A waiver of ten thousand changes is for the export.
const manyDetails = 60

// Journal returns a page of the audit record for people.
func (h *House) Journal(ctx context.Context, choose AuditFilter) (Journal, error) {
	f, err := h.filter(ctx, choose)
	if err != nil {
		return Journal{}, err
	}
	if f.Limit == 0 {
		f.Limit = 100
	}
	size := f.Limit
	f.Limit++ // which tells whether there is more
	entries, err := h.Store.Entries(ctx, f)
	if err != nil {
		return Journal{}, err
	}
	j := Journal{Entries: []JournalEntry{}, More: len(entries) > size}
	if j.More {
		entries = entries[:size]
	}
	names := h.namesIn(ctx, f.Target, entries)
	for _, e := range entries {
		said := JournalEntry{Entry: e, Said: Sentence(names, e), TeamSlug: names.Teams[e.Target+"/"+e.Team], Login: names.Accounts[e.Account]}
		said.Details, said.Left = detailsOf(e)
		said.Body = json.RawMessage("{}") // it may be large; the details and the export have it
		j.Entries = append(j.Entries, said)
	}
	return j, nil
}

// detailsOf takes a body apart for people: each value under the words that lead to it, and side by side what was before and what is after.
func detailsOf(e store.Entry) (lines []Detail, left int) {
	decoder := json.NewDecoder(bytes.NewReader(e.Body))
	decoder.UseNumber() // ids are not to be rounded
	var v any
	if decoder.Decode(&v) != nil {
		return []Detail{}, 0 // an entry that cannot be read says less
	}
	if said, ok := v.(map[string]any); ok && (e.Kind == store.KindIntent || e.Kind == store.KindOutcome) {
		for _, key := range []string{"account", "act", "actor", "at", "result", "run", "target", "team"} {
			delete(said, key) // the entry itself says it
		}
	}
	lines = details("", v)
	if len(lines) > manyDetails {
		lines, left = lines[:manyDetails], len(lines)-manyDetails
	}
	return list(lines), left
}

func details(label string, v any) []Detail {
	switch v := v.(type) {
	case map[string]any:
		before, was := v["before"]
		after, is := v["after"]
		if was || is {
			lines := compared(label, before, after)
			rest := maps.Clone(v)
			delete(rest, "before")
			delete(rest, "after")
			return append(details(label, rest), lines...)
		}
		var lines []Detail
		for _, key := range slices.Sorted(maps.Keys(v)) {
			lines = append(lines, details(under(label, key), v[key])...)
		}
		return lines
	case []any:
		if wordsOnly(v) {
			break
		}
		var lines []Detail
		for i, one := range v {
			lines = append(lines, Detail{Label: fmt.Sprintf("%s %d", label, i+1), Value: flat(one)})
		}
		return lines
	}
	if text := flat(v); text != "" {
		return []Detail{{Label: label, Value: text}}
	}
	return nil
}

// compared puts what was before beside what is after.
func compared(label string, before, after any) []Detail {
	was, _ := before.(map[string]any)
	is, _ := after.(map[string]any)
	if was == nil && is == nil {
		b, a := flat(before), flat(after)
		if label == "" {
			label = "value"
		}
		return []Detail{{Label: label, Before: &b, After: &a}}
	}
	keys := slices.Collect(maps.Keys(was))
	keys = slices.AppendSeq(keys, maps.Keys(is))
	slices.Sort(keys)
	var lines []Detail
	for _, key := range slices.Compact(keys) {
		b, a := flat(was[key]), flat(is[key])
		lines = append(lines, Detail{Label: under(label, key), Before: &b, After: &a})
	}
	return lines
}

// under names what lies below a label.
func under(label, key string) string {
	key = strings.ReplaceAll(key, "_", " ")
	if label == "" {
		return key
	}
	return label + " › " + key
}

// wordsOnly reports whether a list holds nothing but words and figures.
func wordsOnly(values []any) bool {
	return !slices.ContainsFunc(values, func(v any) bool {
		switch v.(type) {
		case map[string]any, []any:
			return true
		}
		return false
	})
}

// flat writes any value on one line.
func flat(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case []any:
		parts := make([]string, 0, len(v))
		for _, one := range v {
			parts = append(parts, flat(one))
		}
		return strings.Join(parts, ", ")
	case map[string]any:
		var parts []string
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if text := flat(v[key]); text != "" {
				parts = append(parts, under("", key)+": "+text)
			}
		}
		return strings.Join(parts, " · ")
	}
	return fmt.Sprint(v)
}
