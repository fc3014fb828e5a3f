package githubsim

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// A file is an organization as Load reads it.
type file struct {
	Organization string     `json:"organization"`
	Owners       []string   `json:"owners"`
	Members      []string   `json:"members"`
	Teams        []fileTeam `json:"teams"`
}

type fileTeam struct {
	Name        string   `json:"name"`
	Parent      *string  `json:"parent"` // name of another team
	Description string   `json:"description"`
	Privacy     string   `json:"privacy"` // closed or secret
	Members     []string `json:"members"`
	Maintainers []string `json:"maintainers"`
}

// Load reads an organization from JSON:
//
//	{"organization": "acme", "owners": ["ann"], "members": ["bob"],
//	 "teams": [{"name": "Platform", "parent": null, "description": "", "privacy": "closed", "members": ["bob"], "maintainers": []}]}
//
// Owners are members as well, and read as maintainers in their teams. Ids are dealt in the order of the folded logins and names,
// so that the same file gives the same ids wherever a line of it stands. A team that names somebody who is not a member, or a
// parent that is not in the file, is an error.
func Load(r io.Reader) (*World, error) {
	var f file
	if err := json.NewDecoder(r).Decode(&f); err != nil {
		return nil, fmt.Errorf("organization file: %w", err)
	}
	if f.Organization == "" {
		return nil, fmt.Errorf("organization file: no organization")
	}
	w := NewWorld()
	logins := slices.Concat(f.Owners, f.Members)
	slices.SortFunc(logins, byFold)
	logins = slices.CompactFunc(logins, func(a, b string) bool { return fold(a) == fold(b) })
	for _, login := range logins {
		if login == "" || fold(login) == fold(f.Organization) {
			return nil, fmt.Errorf("organization file: %q cannot be a person's login", login)
		}
		w.addUser(login)
	}
	o := w.AddOrganization(f.Organization, f.Owners...)
	for _, login := range f.Members {
		o.AddMember(login)
	}

	slices.SortFunc(f.Teams, func(a, b fileTeam) int { return byFold(a.Name, b.Name) })
	for _, ft := range f.Teams {
		if ft.Name == "" || o.teamCalled(ft.Name) != nil {
			return nil, fmt.Errorf("organization file: team name %q is empty or taken", ft.Name)
		}
		t := o.addTeam(ft.Name)
		t.description = ft.Description
		for role, logins := range map[Role][]string{Member: ft.Members, Maintainer: ft.Maintainers} {
			for _, login := range logins {
				u := w.userNamed(login)
				if u == nil {
					return nil, fmt.Errorf("organization file: team %s: %s is not a member", ft.Name, login)
				}
				if had, _ := t.members.get(u.id); had != Maintainer {
					t.members.set(u.id, role)
				}
			}
		}
	}
	for _, ft := range f.Teams {
		t := o.teamCalled(ft.Name)
		if ft.Parent != nil && *ft.Parent != "" {
			parent := o.teamCalled(*ft.Parent)
			if parent == nil || parent.within(t) {
				return nil, fmt.Errorf("organization file: team %s cannot be below %q", ft.Name, *ft.Parent)
			}
			t.setParent(parent)
		}
	}
	for _, ft := range f.Teams {
		switch t := o.teamCalled(ft.Name); {
		case ft.Privacy == "" || ft.Privacy == "closed":
		case ft.Privacy == "secret" && t.parent == nil && t.children.len() == 0:
			t.secret = true
		default:
			return nil, fmt.Errorf("organization file: team %s cannot be %q", ft.Name, ft.Privacy)
		}
	}
	return w, nil
}

func byFold(a, b string) int { return cmp.Or(cmp.Compare(fold(a), fold(b)), cmp.Compare(a, b)) }
