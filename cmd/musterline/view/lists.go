package view

import (
	"slices"
	"strings"

	"musterline.example/answer"
)

// Groups writes a line for each group. An id is shown where it is not the name.
func Groups(s Screen, g answer.Groups) {
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

// Teams writes a line for each team.
func Teams(s Screen, t answer.Teams) {
	if len(t.Teams) == 0 {
		s.Para(0, "No teams.")
		return
	}
	rows := [][]string{s.Header("TEAM", "PARENT", "CONNECTED", "GROUPS")}
	nested := slices.ContainsFunc(t.Teams, func(team answer.Team) bool { return team.Parent != "" })
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
