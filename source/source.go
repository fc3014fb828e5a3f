// Package source reads one identity provider. The kinds lie in folders of their own; sourcetest is the suite that each of them passes.
package source

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"path"
	"slices"
	"time"

	"musterline.example/directory"
	"musterline.example/setting"
)

// A Source reads users and groups from one identity provider.
type Source interface {
	// Snapshot reads all groups in scope, the members of the groups selected and of those nested in them, and the users among these.
	// It returns everything it was asked for or an error; a group of the selection that does not exist is no error, it is absent
	// from the snapshot. A name that fits two groups is a *NameError.
	Snapshot(ctx context.Context, groups Selection) (*directory.Snapshot, error)
}

// A Watcher is a Source that can tell what changed since a cursor: a delta query, syncrepl, DirSync.
type Watcher interface {
	Source
	Changes(ctx context.Context, cursor string) (Delta, error)
}

// A Delta is what changed since a cursor. Groups come whole, users too; a deleted one has left every group.
type Delta struct {
	Users   []directory.User
	Groups  []directory.Group
	Deleted []directory.UserID
	Gone    []directory.GroupID
	Cursor  string
}

// A Receiver is a Source that is told of changes instead of asking, as with SCIM. The server mounts it under the source's own path.
type Receiver interface {
	Source
	http.Handler
}

// A Searcher is a Source that can look groups up by the beginning of their name without reading them all.
type Searcher interface {
	Source
	SearchGroups(ctx context.Context, prefix string, page Page) ([]directory.Group, Page, error)
}

// A Page is where to go on in a list, opaque to the caller; Size is a wish. The zero value is the first page, and what comes back with
// the last one.
type Page struct {
	Size  int
	Token string
}

// A Selection names the groups whose members are wanted: by id, by exact name, or by a pattern of names as in path.Match (`gh-*`). The
// source lists its groups first and settles names in the same read. The zero Selection lists groups and reads no members.
type Selection struct {
	IDs      []directory.GroupID
	Names    []string
	Patterns []string
	All      bool
}

// Settle returns the ids that the selection means among the groups of a listing, in order of id. A name that is the id of a group means
// that group; else it must be the name of exactly one. Names and ids that mean no group are left out.
func (s Selection) Settle(groups map[directory.GroupID]directory.Group) ([]directory.GroupID, error) {
	byName := make(map[string][]directory.GroupID, len(s.Names))
	for _, name := range s.Names {
		byName[name] = nil
	}
	if len(byName) > 0 {
		for id, g := range groups {
			if ids, named := byName[g.Name]; named {
				byName[g.Name] = append(ids, id)
			}
		}
	}
	want := make(map[directory.GroupID]bool)
	for _, id := range s.IDs {
		if _, ok := groups[id]; ok {
			want[id] = true
		}
	}
	for _, name := range s.Names {
		if _, ok := groups[directory.GroupID(name)]; ok {
			want[directory.GroupID(name)] = true
			continue
		}
		switch ids := byName[name]; len(ids) {
		case 0:
		case 1:
			want[ids[0]] = true
		default:
			slices.Sort(ids)
			return nil, &NameError{Name: name, IDs: ids}
		}
	}
	if s.All || len(s.Patterns) > 0 {
		for id, g := range groups {
			if s.All || slices.ContainsFunc(s.Patterns, func(p string) bool { ok, _ := path.Match(p, g.Name); return ok }) {
				want[id] = true
			}
		}
	}
	ids := make([]directory.GroupID, 0, len(want))
	for id := range want {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids, nil
}

// A NameError is a name in a selection that fits several groups.
type NameError struct {
	Name string
	IDs  []directory.GroupID
}

// Error names the groups, so that the operator can write an id instead.
func (e *NameError) Error() string {
	return fmt.Sprintf("the name %q fits %d groups (ids %q and %q): use the id", e.Name, len(e.IDs), e.IDs[0], e.IDs[1])
}

// An Error is what a source says when it could not read everything it was asked, with the next step.
type Error struct {
	State   string // a stable word for the very state, such as "credentials-expired" or "size-limit"
	Message string // what is wrong
	Fix     string // what to do
	Retry   bool   // worth trying again by itself
	Err     error
}

// Error returns message and fix in one line.
func (e *Error) Error() string {
	if e.Fix == "" {
		return e.Message
	}
	return e.Message + ": " + e.Fix
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Env is what a kind is given to open a source with, beside the operator's values.
type Env struct {
	Name string // the word in configuration files
	Dir  string // what relative paths in the values start from: the folder of the configuration file
	Now  func() time.Time
	HTTP http.RoundTripper
	Log  *slog.Logger
}

// A Feature is something a kind can or cannot do, for the capability table and the choice of cases in sourcetest.
type Feature struct {
	Name string // one of Features
	Can  bool
	Note string
}

// The features of sources. A kind states each of them, so that the capability table has no gaps and no conformance case is left out
// by silence.
const (
	NestedGroups     = "nested groups"
	Descriptions     = "group descriptions"
	SharedNames      = "groups that share a name"
	LockedUsers      = "locked users"
	DisabledUsers    = "disabled users"
	DeletedUsers     = "deleted users" // that are still listed
	AccountAttribute = "accounts by attribute"
	Search           = "search by prefix"
	ChangeFeed       = "change feed"
	Push             = "push"
)

// Features are all features, in the order of the capability table.
var Features = []string{
	NestedGroups, Descriptions, SharedNames, LockedUsers, DisabledUsers, DeletedUsers, AccountAttribute, Search, ChangeFeed, Push,
}

// A Kind is one sort of source that the program knows, such as "ldap". The configuration check, the command line's help, the
// console's form, the capability table and the choice of conformance cases come from it.
type Kind struct {
	Name     string // the folder, and the word in configuration files
	Title    string // the vendor's own spelling
	Settings []setting.Field
	Features []Feature

	// Check says what is wrong with values whose fields are right one by one, such as two that exclude each other. It may be nil.
	Check func(v setting.Values) []setting.Problem

	Open func(ctx context.Context, v setting.Values, env Env) (Source, error)
}

// Can reports whether the kind has a feature.
func (k Kind) Can(feature string) bool {
	return slices.ContainsFunc(k.Features, func(f Feature) bool { return f.Name == feature && f.Can })
}
