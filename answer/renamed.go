package answer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"musterline.example/directory"
	"musterline.example/mapping"
	"musterline.example/reconcile"
	"musterline.example/team"
)

// renamed tells which groups and teams go by another name now than the configuration file has for them. Their mappings go on, because they
// are bound to ids; who reads the file is misled.
func renamed(w *reconcile.World) []string {
	teams := make(map[team.ID]*team.Team, len(w.Teams))
	for i := range w.Teams {
		teams[w.Teams[i].ID] = &w.Teams[i]
	}
	var said []string
	where := make(map[string][]string) // mappings, by what is said of them
	note := func(text string, m mapping.Mapping) {
		if len(where[text]) == 0 {
			said = append(said, text)
		}
		if !slices.Contains(where[text], m.ID) {
			where[text] = append(where[text], m.ID)
		}
	}
	for _, m := range w.Mappings {
		if m.Origin != mapping.FromFile {
			continue // nobody wrote its names
		}
		if r := w.Sources[m.Source]; r.Failed == "" {
			if text := groupRenamed(r.Snapshot, m); text != "" {
				note(text, m)
			}
		}
		if t := teams[m.TeamID]; t != nil && m.Team != t.Name && !strings.EqualFold(m.Team, t.Slug) && m.Team != string(t.ID) {
			note(fmt.Sprintf("team %s/%s is named %s now. Its mappings go on by the team's id; write %[1]s/%[3]s", m.Target, m.Team, t.Slug), m)
		}
	}
	for i, text := range said {
		said[i] = written(text, where[text]...)
	}
	return said
}

// groupRenamed says that a group goes by another name than its mapping has for it; empty when it does not, or is not listed.
func groupRenamed(s *directory.Snapshot, m mapping.Mapping) string {
	if s == nil || m.GroupID == "" || m.Group == string(m.GroupID) {
		return ""
	}
	g, ok := s.Groups[m.GroupID]
	if !ok || g.Name == m.Group {
		return ""
	}
	return fmt.Sprintf("group %s/%s is named %[1]s/%[3]s at the source now. The mapping goes on by the group's id; write the new name", m.Source, m.Group, g.Name)
}

// written says at which mappings of the file something is to be written.
func written(text string, ids ...string) string { return text + " (" + strings.Join(ids, ", ") + ")" }

// fromFile returns the mappings of the configuration file, with the ids that memory knows for their names.
func (h *House) fromFile(ctx context.Context, memory reconcile.Recollection) ([]mapping.Mapping, error) {
	var all []mapping.Mapping
	for _, target := range h.targetNames() {
		rows, err := memory.Mappings(ctx, target)
		if err != nil {
			return nil, err
		}
		after, _ := mapping.Load(rows, h.deps.File[target])
		for _, m := range after {
			if m.Origin == mapping.FromFile {
				all = append(all, m)
			}
		}
	}
	return all, nil
}

// checkMapping says what is wrong with the group of a mapping, and what has changed about it. Nothing to say is no Checked.
func checkMapping(s *directory.Snapshot, m mapping.Mapping) (Checked, bool) {
	checked := Checked{What: "mapping", Name: m.ID}
	_, known := s.Groups[m.GroupID]
	_, byID := s.Groups[directory.GroupID(m.Group)]
	named := s.Find(m.Group)
	switch note := groupRenamed(s, m); {
	case note != "":
		checked.Notes = append(checked.Notes, written(note, m.ID))
	case known || m.GroupID == "" && (byID || len(named) > 0):
		return checked, false
	case m.GroupID == "":
		checked.Trouble = append(checked.Trouble, fmt.Sprintf("source %s lists no group %q: correct the name, or ask whether the credential may see it", m.Source, m.Group))
	default:
		trouble := fmt.Sprintf("source %s lists no group %q (id %s) any more: ask whether the credential may see it; if the group is gone for good, take the mapping out",
			m.Source, m.Group, m.GroupID)
		if len(named) > 0 {
			trouble += fmt.Sprintf(". The group that has this name now is another one: to mean that, write %s/%s", m.Source, named[0].ID)
		}
		checked.Trouble = append(checked.Trouble, trouble)
	}
	return checked, true
}
