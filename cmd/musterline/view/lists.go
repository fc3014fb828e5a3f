package view

import (
	"slices"
	"strings"
)

// Groups is what `groups` lists.
type Groups struct {
	Groups []Group `json:"groups"`
}

// A Group is one group of a source.
type Group struct {
	Source      string   `json:"source"`
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"`
	Teams       []string `json:"teams"` // target/team that it is mapped to
}

// Text writes a line for each group. An id is shown where it is not the name.
func (g Groups) Text(s Screen) {
	if len(g.Groups) == 0 {
		s.Para(0, "No groups.")
		return
	}
	rows := [][]string{s.Header("GROUP", "ID", "MAPPED TO")}
	ids := false
	for _, group := range g.Groups {
		ids = ids || group.ID != group.Name
	}
	if !ids {
		rows = [][]string{s.Header("GROUP", "MAPPED TO")}
	}
	for _, group := range g.Groups {
		row := []string{group.Source + "/" + group.Name, group.ID, dash(strings.Join(group.Teams, ", "))}
		if !ids {
			row = []string{row[0], row[2]}
		}
		rows = append(rows, row)
	}
	s.Table(0, rows)
}

// Teams is what `teams` lists.
type Teams struct {
	Teams []Team `json:"teams"`
}

// A Team is one team of a target.
type Team struct {
	Target    string   `json:"target"`
	ID        string   `json:"id"`
	Slug      string   `json:"slug"`
	Name      string   `json:"name"`
	Parent    string   `json:"parent,omitempty"` // its slug
	Groups    []string `json:"groups"`           // source/group mapped to it
	Connected bool     `json:"connected"`        // its first connection has ended
	Foreign   string   `json:"foreign,omitempty"`
}

// Text writes a line for each team.
func (t Teams) Text(s Screen) {
	if len(t.Teams) == 0 {
		s.Para(0, "No teams.")
		return
	}
	rows := [][]string{s.Header("TEAM", "PARENT", "CONNECTED", "GROUPS")}
	nested := slices.ContainsFunc(t.Teams, func(team Team) bool { return team.Parent != "" })
	if !nested {
		rows = [][]string{s.Header("TEAM", "CONNECTED", "GROUPS")}
	}
	for _, team := range t.Teams {
		connected := "-"
		switch {
		case team.Foreign != "":
			connected = "never"
		case team.Connected:
			connected = "yes"
		case len(team.Groups) > 0:
			connected = "not yet"
		}
		row := []string{team.Target + "/" + team.Slug, dash(team.Parent), connected, dash(strings.Join(team.Groups, ", "))}
		if !nested {
			row = slices.Delete(row, 1, 2)
		}
		rows = append(rows, row)
	}
	s.Table(0, rows)
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
