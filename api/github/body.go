package github

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// A wish is a group as a body names it.
type wish struct {
	source, id        string
	name, description string
}

// readGroups reads the body of a PATCH:
//
//	not JSON, not an object       400
//	empty, or without groups      422: an empty body never unmaps; a client may lose the body when it repeats a request
//	of the wrong type             422
//	with other keys at its top    422, but not on the legacy route, whose description allows them
//	groups of unknown keys        taken: GitHub's own example has one
//	the same group twice          counts once, as it was said last
//
// A nil answer is never returned without a problem: no groups at all is an empty list.
func readGroups(body []byte, legacy bool) ([]wish, *problem) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, invalidRequest("groups is missing.")
	}
	var whole any
	if err := json.Unmarshal(body, &whole); err != nil {
		return nil, problemf(http.StatusBadRequest, docsChange, "Problems parsing JSON")
	}
	object, ok := whole.(map[string]any)
	if !ok {
		return nil, problemf(http.StatusBadRequest, docsChange, "Body should be a JSON object")
	}
	groups, given := object["groups"]
	if !legacy && (len(object) > 1 || len(object) == 1 && !given) {
		return nil, invalidRequest("groups is the only permitted key.")
	}
	if !given {
		return nil, invalidRequest("groups is missing.")
	}
	list, ok := groups.([]any)
	if !ok {
		return nil, invalidRequest("groups is not an array.")
	}
	if at, given := object["synced_at"]; given && legacy {
		if _, ok := at.(string); !ok {
			return nil, invalidRequest("synced_at is not a string.")
		}
	}
	wishes := make([]wish, 0, len(list))
	for i, item := range list {
		w, p := readGroup(item)
		if p != nil {
			return nil, p.at(i)
		}
		same := slices.IndexFunc(wishes, func(o wish) bool { return o.source == w.source && o.id == w.id })
		if same >= 0 {
			wishes[same] = w
			continue
		}
		wishes = append(wishes, w)
	}
	return wishes, nil
}

// readGroup reads one of the groups.
func readGroup(item any) (w wish, p *problem) {
	object, ok := item.(map[string]any)
	if !ok {
		return w, invalid("invalid", "is not an object")
	}
	var id string
	for _, field := range []struct {
		key string
		to  *string
	}{{"group_id", &id}, {"group_name", &w.name}, {"group_description", &w.description}} {
		value, given := object[field.key]
		if !given {
			return w, invalid("missing_field", "has no %s", field.key)
		}
		if *field.to, ok = value.(string); !ok {
			return w, invalid("invalid", "has a %s that is not a string", field.key)
		}
		if strings.ContainsRune(*field.to, 0) {
			return w, invalid("invalid", "has a %s with a zero byte", field.key)
		}
	}
	if w.source, w.id, ok = strings.Cut(id, ":"); !ok || w.source == "" || w.id == "" {
		return w, unknownGroup()
	}
	return w, nil
}

func unknownGroup() *problem {
	return invalid("missing", "has a group_id that is none of the groups that can be listed here")
}

// invalidRequest is GitHub's refusal of a body whose shape is wrong.
func invalidRequest(why string) *problem {
	p := invalid("invalid", "%s", why)
	p.Message = "Invalid request.\n\n" + why
	return p
}
