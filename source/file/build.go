package file

import (
	"bytes"
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	"musterline.example/directory"
	"musterline.example/internal/document"
	"musterline.example/setting"
)

// builder puts users and groups together and keeps, beside each, where it was written.
type builder struct {
	reports []*document.Report
	users   []userAt
	groups  []groupAt
}

type place struct {
	report       *document.Report
	line, column int
}

func (p place) says(format string, args ...any) { p.report.Addf(p.line, p.column, format, args...) }

type userAt struct {
	place
	directory.User
}

type groupAt struct {
	place
	directory.Group
	members, groups []reference
}

// A reference is an id that must be somebody else's.
type reference struct {
	place
	id string
}

func (b *builder) report(path string) *document.Report {
	r := &document.Report{File: path}
	b.reports = append(b.reports, r)
	return r
}

// suggestions is for how many mistakes the nearest right word is looked for: it costs a look at every id there is.
const suggestions = 25

// snapshot gives all that was read, or all that is wrong.
func (b *builder) snapshot(now time.Time) (*directory.Snapshot, error) {
	s := &directory.Snapshot{
		TakenAt: now,
		Users:   make(map[directory.UserID]directory.User, len(b.users)),
		Groups:  make(map[directory.GroupID]directory.Group, len(b.groups)),
	}
	userLines, groupLines := make(map[directory.UserID]int, len(b.users)), make(map[directory.GroupID]int, len(b.groups))
	var userIDs, groupIDs []string
	for _, u := range b.users {
		if u.ID == "" {
			continue // said already
		}
		if first, again := userLines[u.ID]; again {
			u.says("the user id %q is taken: line %d has it", u.ID, first)
			continue
		}
		userLines[u.ID] = u.line
		s.Users[u.ID] = u.User
		userIDs = append(userIDs, string(u.ID))
	}
	for _, g := range b.groups {
		if g.ID == "" {
			continue
		}
		if first, again := groupLines[g.ID]; again {
			g.says("the group id %q is taken: line %d has it", g.ID, first)
			continue
		}
		groupLines[g.ID] = g.line
		groupIDs = append(groupIDs, string(g.ID))
	}

	left := suggestions
	didYouMean := func(id string, among, others []string) string {
		if left--; left < 0 {
			return ""
		}
		if slices.Contains(others, id) {
			return "; it is a group: put it under groups"
		}
		return setting.DidYouMean(id, among)
	}
	for _, g := range b.groups {
		g.ReadAt = now
		g.Name = cmp.Or(g.Name, string(g.ID))
		g.Members = make([]directory.UserID, 0, len(g.members))
		for _, m := range g.members {
			if _, ok := s.Users[directory.UserID(m.id)]; !ok {
				m.says("member %q is no user%s", m.id, didYouMean(m.id, userIDs, groupIDs))
			}
			g.Members = append(g.Members, directory.UserID(m.id))
		}
		slices.Sort(g.Members)
		g.Members = slices.Compact(g.Members)
		for _, sub := range g.groups {
			if _, ok := groupLines[directory.GroupID(sub.id)]; !ok {
				sub.says("there is no group %q%s", sub.id, didYouMean(sub.id, groupIDs, nil))
			}
			if id := directory.GroupID(sub.id); !slices.Contains(g.Groups, id) {
				g.Groups = append(g.Groups, id)
			}
		}
		if _, again := s.Groups[g.ID]; !again {
			s.Groups[g.ID] = g.Group
		}
	}

	var problems document.Problems
	for _, r := range b.reports {
		if err, ok := errors.AsType[document.Problems](r.Err()); ok {
			problems = append(problems, err...)
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return s, nil
}

// status reads what a file says of a user's right to sign in. It returns none when it has said what is wrong.
func (p place) status(active, status string) directory.Status {
	switch {
	case active != "" && status != "":
		p.says("has both active and status: give one of them")
		return ""
	case status != "":
		if s := directory.Status(strings.ToLower(status)); s.Known() {
			return s
		}
		words := []string{string(directory.Active), string(directory.Locked), string(directory.Disabled), string(directory.Deleted)}
		p.says("%q is no status: use %s%s", status, strings.Join(words, ", "), setting.DidYouMean(status, words))
		return ""
	case active == "", strings.EqualFold(active, "true"):
		return directory.Active
	case strings.EqualFold(active, "false"):
		return directory.Disabled
	}
	p.says("active is %q: use true or false", active)
	return ""
}

// uncut reports a last line without an end. Half a YAML or CSV file often reads like a whole one that lists fewer people, and a missing
// end of line is the only sign of it that the file itself can give.
func uncut(r *document.Report, data []byte) {
	if len(data) > 0 && data[len(data)-1] != '\n' {
		line := bytes.Count(data, []byte{'\n'}) + 1
		r.Addf(line, len(data)-bytes.LastIndexByte(data, '\n'), "the last line has no end: the file may be cut off; if it is whole, end it with a line break")
	}
}
