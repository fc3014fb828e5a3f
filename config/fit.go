package config

import (
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"musterline.example/internal/document"
)

// An Unfit is a row that was left out of a configuration because it does not fit the file and the other rows.
type Unfit struct {
	Section, Name string
	Shadowed      bool // the file defines the same, and wins
	Problems      Problems
}

// Reason says what is wrong with the row, in one line, and repeats none of its words.
func (u Unfit) Reason() string {
	said := make([]string, len(u.Problems))
	for i, p := range u.Problems {
		if said[i] = p.Message; p.Line > 0 {
			said[i] = filepath.Base(p.File) + ", line " + strconv.Itoa(p.Line) + ": " + p.Message
		}
	}
	return strings.Join(said, "; ")
}

// Error is what the log and people are told of it.
func (u Unfit) Error() string { return u.Section + "/" + u.Name + ": " + u.Reason() }

// Fit is With for rows that may have fitted once: those that do not are left out, and stand in the Unfit of what is returned. Of two rows that
// do not go together the one stays whose section comes first (sources, targets, settings, rules, notifications) and, within a section, the one that
// is given first.
//
// Less configuration is not always the safer one: without a rule the mappings that it made are gone, and without the limits that somebody has
// set others hold. So the targets that rest on a row which was left out say so in LeftOut, and are not to be synced. A row that the file
// shadows is not missed: the file's author has said what holds.
//
// An error is about the file, which names variables and files with secrets that may have changed since.
func (c *Config) Fit(rows []Row) (*Config, error) {
	whole, err := c.With(rows)
	if err == nil {
		return whole, nil
	}
	fitting, err := c.With(nil)
	if err != nil {
		return nil, err
	}
	var kept []Row
	var unfit []Unfit
	var missed []Row
	for _, r := range inOrder(rows) {
		with, err := c.With(append(slices.Clip(kept), r))
		if err == nil {
			fitting, kept = with, append(kept, r)
			continue
		}
		problems, _ := errors.AsType[Problems](err)
		u := Unfit{Section: r.Section, Name: r.Name, Shadowed: c.Defined(r.Section, r.Name) > 0, Problems: problems}
		if unfit = append(unfit, u); !u.Shadowed {
			missed = append(missed, r)
		}
	}
	fitting.Unfit = unfit
	for _, r := range missed {
		for _, name := range fitting.restOn(r) {
			t := fitting.Targets[name]
			i := slices.IndexFunc(unfit, func(u Unfit) bool { return u.Section == r.Section && u.Name == r.Name })
			t.LeftOut = append(t.LeftOut, unfit[i])
			fitting.Targets[name] = t
		}
	}
	return fitting, nil
}

// inOrder puts rows that others refer to before those others.
func inOrder(rows []Row) []Row {
	order := []string{SourcesSection, TargetsSection, SettingsSection, RulesSection, NotificationsSection}
	rank := func(r Row) int {
		if i := slices.Index(order, r.Section); i >= 0 {
			return i
		}
		return len(order)
	}
	sorted := slices.Clone(rows)
	slices.SortStableFunc(sorted, func(a, b Row) int { return rank(a) - rank(b) })
	return sorted
}

// restOn returns the targets of which a row says how they are kept; all of them where it does not say which. A source is none of it: what is
// not read removes nobody.
func (c *Config) restOn(r Row) []string {
	all := slices.Sorted(maps.Keys(c.Targets))
	body := document.ParseJSON(r.Body, &document.Report{})
	var named []string
	switch {
	case r.Section == RulesSection:
		if team := body.Get("team"); team != nil {
			name, _, _ := strings.Cut(team.Text, "/")
			named = append(named, name)
		}
	case r.Section == EnabledSection:
		named = append(named, r.Name)
	case r.Section == SettingsSection && r.Name == "enterprise":
		for _, n := range items(body.Get("organizations")) {
			named = append(named, n.Text)
		}
	case r.Section == SettingsSection && r.Name != "schedule":
	default:
		return nil
	}
	if len(named) == 0 {
		return all
	}
	return slices.DeleteFunc(all, func(name string) bool { return !slices.Contains(named, name) })
}
