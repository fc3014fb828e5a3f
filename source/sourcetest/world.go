package sourcetest

import (
	"fmt"
	"maps"
	"slices"

	"musterline.example/directory"
	"musterline.example/source"
)

// A World is what a provider holds: users and groups with their members, in the order in which it would list them. ReadAt is not set.
type World struct {
	Users  []directory.User
	Groups []directory.Group
}

// Small is a world with every oddity that a directory of a dozen people can have:
//
//	all        → platform, sre, ops        nested groups
//	platform   → sre    and   sre → all     a cycle
//	empty                                   no members, no description
//	twin-a, twin-b                          two groups with one name
//	gh-*                                    for patterns
//
// and among the users two with one name, two addresses that differ by case only, one of each status, letters of several scripts, an id
// that looks like a number, and one without an address.
func Small() World {
	return World{
		Users: []directory.User{
			{ID: "u-ada", Name: "Ada Lovelace", Username: "ada", Email: "ada@example.com", Status: directory.Active, Accounts: map[string]string{"github": "ada-l"}},
			{ID: "u-ada2", Name: "Ada Lovelace", Username: "ada2", Email: "Ada@Example.com", Status: directory.Active},
			{ID: "u-bob", Name: "Bob Builder", Username: "bob", Email: "bob@example.com", Status: directory.Disabled, Accounts: map[string]string{"github": "BobBuilder"}},
			{ID: "u-cy", Name: "Çiğdem Öztürk", Username: "cigdem", Email: "cigdem@example.com", Status: directory.Active},
			{ID: "u-du", Name: "杜甫", Username: "dufu", Email: "dufu@example.com", Status: directory.Locked},
			{ID: "u-ex", Name: "Eve Ex", Username: "eve", Email: "eve@example.com", Status: directory.Deleted},
			{ID: "00420042", Name: "O'Hara, \"Jo\" <jo>", Username: "jo.o'hara", Email: "jo@example.com", Status: directory.Active},
			{ID: "u-no", Name: "No Mail", Username: "nomail", Status: directory.Active},
			{ID: "u-lone", Name: "Lone Wolf", Username: "lone", Email: "lone@example.com", Status: directory.Active},
		},
		Groups: []directory.Group{
			{ID: "g-all", Name: "all", Description: "Everybody who builds", Groups: []directory.GroupID{"g-platform", "g-sre", "g-ops"}},
			{ID: "g-platform", Name: "Platform engineers", Description: "Line one, \"two\"", Members: []directory.UserID{"u-ada", "u-bob", "u-cy"}, Groups: []directory.GroupID{"g-sre"}},
			{ID: "g-sre", Name: "SRE / on call", Description: "Ärger", Members: []directory.UserID{"u-ada", "u-ada2", "00420042", "u-du"}, Groups: []directory.GroupID{"g-all"}},
			{ID: "g-ops", Name: "gh-ops", Members: []directory.UserID{"u-no", "u-ex"}},
			{ID: "g-web", Name: "gh-web", Description: "gh-ops", Members: []directory.UserID{"u-cy"}},
			{ID: "g-empty", Name: "empty"},
			{ID: "g-twin-a", Name: "twin", Members: []directory.UserID{"u-ada"}},
			{ID: "g-twin-b", Name: "twin", Members: []directory.UserID{"u-bob"}},
			{ID: "g-case", Name: "ALL", Members: []directory.UserID{"u-lone"}},
		},
	}
}

// Large is a world of more than any page: a group of 5,001 members (GitHub supports 5,000), one that holds it, and 60 groups beside.
func Large() World {
	var w World
	crowd := directory.Group{ID: "g-crowd", Name: "crowd", Description: "More than a page"}
	for i := range 5001 {
		u := directory.User{
			ID: directory.UserID(fmt.Sprintf("u-%05d", i)), Name: fmt.Sprintf("User %d", i), Username: fmt.Sprintf("user%05d", i),
			Email: fmt.Sprintf("user%05d@example.com", i), Status: directory.Active,
		}
		w.Users = append(w.Users, u)
		crowd.Members = append(crowd.Members, u.ID)
	}
	w.Groups = append(w.Groups, crowd, directory.Group{ID: "g-over", Name: "over the crowd", Groups: []directory.GroupID{"g-crowd"}, Members: []directory.UserID{"u-00000"}})
	for i := range 60 {
		w.Groups = append(w.Groups, directory.Group{
			ID: directory.GroupID(fmt.Sprintf("g-%02d", i)), Name: fmt.Sprintf("group %02d", i), Members: []directory.UserID{w.Users[i].ID, w.Users[i+60].ID},
		})
	}
	return w
}

// Clone returns a copy that shares nothing.
func (w *World) Clone() World {
	out := World{Users: slices.Clone(w.Users), Groups: slices.Clone(w.Groups)}
	for i, u := range out.Users {
		out.Users[i].Accounts = maps.Clone(u.Accounts)
	}
	for i, g := range out.Groups {
		out.Groups[i].Members, out.Groups[i].Groups = slices.Clone(g.Members), slices.Clone(g.Groups)
	}
	return out
}

// User returns the user of an id, to be changed in place.
func (w *World) User(id directory.UserID) *directory.User {
	return &w.Users[slices.IndexFunc(w.Users, func(u directory.User) bool { return u.ID == id })]
}

// Group returns the group of an id, to be changed in place.
func (w *World) Group(id directory.GroupID) *directory.Group {
	return &w.Groups[slices.IndexFunc(w.Groups, func(g directory.Group) bool { return g.ID == id })]
}

// Leave takes a user out of the world and of every group.
func (w *World) Leave(id directory.UserID) {
	w.Users = slices.DeleteFunc(w.Users, func(u directory.User) bool { return u.ID == id })
	for i := range w.Groups {
		w.Groups[i].Members = slices.DeleteFunc(w.Groups[i].Members, func(m directory.UserID) bool { return m == id })
	}
}

// Disband takes a group out of the world and of every group.
func (w *World) Disband(id directory.GroupID) {
	w.Groups = slices.DeleteFunc(w.Groups, func(g directory.Group) bool { return g.ID == id })
	for i := range w.Groups {
		w.Groups[i].Groups = slices.DeleteFunc(w.Groups[i].Groups, func(g directory.GroupID) bool { return g == id })
	}
}

// without returns the world as a provider of this kind can hold it.
func (w *World) without(k source.Kind) World {
	out := w.Clone()
	w = &out
	statuses := map[directory.Status]string{directory.Locked: source.LockedUsers, directory.Disabled: source.DisabledUsers}
	for i, u := range w.Users {
		if feature, some := statuses[u.Status]; some && !k.Can(feature) {
			w.Users[i].Status = directory.Active
		}
		if !k.Can(source.AccountAttribute) {
			w.Users[i].Accounts = nil
		}
	}
	if !k.Can(source.DeletedUsers) {
		for _, u := range slices.Clone(w.Users) {
			if u.Status == directory.Deleted {
				w.Leave(u.ID)
			}
		}
	}
	names := make(map[string]bool)
	for _, g := range slices.Clone(w.Groups) {
		if names[g.Name] && !k.Can(source.SharedNames) {
			w.Disband(g.ID)
		}
		names[g.Name] = true
	}
	for i := range w.Groups {
		if !k.Can(source.NestedGroups) {
			w.Groups[i].Groups = nil
		}
		if !k.Can(source.Descriptions) {
			w.Groups[i].Description = ""
		}
	}
	return out
}
