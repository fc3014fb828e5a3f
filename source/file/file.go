// Package file reads users and groups from files: one YAML or JSON file, or a pair of CSV files. It is the source for people whose
// directory is a repository, an export of another program, or a first try.
//
// A file is read whole at every Snapshot and refused whole when anything in it is wrong, with every mistake named by line and column.
// Nothing is kept between reads.
//
//	users:  [{ id: ada, name: Ada Lovelace, username: ada, email: ada@example.com, active: true, accounts: { github: ada-l } }]
//	groups: [{ id: platform, name: Platform engineers, description: …, members: [ada], groups: [sre] }]
//
// Ids are text as written, quoted or not: 0123, 1e5, no and 2024-01-01 are ids like any other. A user is active unless active: false or
// a status (active, locked, disabled, deleted) says otherwise; a group without a name is named by its id. Both keys must be there, so
// that a file cut off between them is not taken for one without groups.
//
// The CSV files have a header line that names the columns, in any order:
//
//	users.csv   id, name, username, email, active or status, github (or account.KIND for another kind of target)
//	groups.csv  id, name, description, members, groups; one row for each group, the ids in members and groups separated by ;
//
// A program that writes these files should write to another name and rename it: only then can nobody read half of one.
package file

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"musterline.example/directory"
	"musterline.example/setting"
	"musterline.example/source"
)

// Kind is the source that reads files.
var Kind = source.Kind{
	Name:  "file",
	Title: "YAML, JSON or CSV file",
	Settings: []setting.Field{
		{
			Key: "path", Label: "File", Type: setting.Path, Example: "directory.yaml",
			Help: "A YAML or JSON file: users: [{ id, name, username, email, active or status, accounts: { github: LOGIN } }] and groups: [{ id, name, description, members, groups }].",
		},
		{
			Key: "users", Label: "Users (CSV)", Type: setting.Path, Example: "users.csv",
			Help: "A CSV file of users with the columns id, name, username, email, active or status, github (or account.KIND); goes with groups, in place of path.",
		},
		{
			Key: "groups", Label: "Groups (CSV)", Type: setting.Path, Example: "groups.csv",
			Help: "A CSV file of groups with the columns id, name, description, members, groups; the ids in the last two are separated by ; and each group has one row.",
		},
	},
	Features: []source.Feature{
		{Name: source.NestedGroups, Can: true},
		{Name: source.Descriptions, Can: true},
		{Name: source.SharedNames, Can: true},
		{Name: source.LockedUsers, Can: true},
		{Name: source.DisabledUsers, Can: true},
		{Name: source.DeletedUsers, Can: true},
		{Name: source.AccountAttribute, Can: true, Note: "accounts of any kind of target"},
		{Name: source.Search, Can: true},
		{Name: source.ChangeFeed, Note: "the file is read whole each time"},
		{Name: source.Push},
	},
	Check: check,
	Open:  open,
}

// check says what the fields cannot: a path, or a pair.
func check(v setting.Values) []setting.Problem {
	switch path, users, groups := v.Text("path"), v.Text("users"), v.Text("groups"); {
	case path != "" && (users != "" || groups != ""):
		return []setting.Problem{{Key: "path", Message: "goes without users and groups: give one YAML or JSON file, or two CSV files"}}
	case path != "":
		if parserOf(path) == nil {
			return []setting.Problem{{Key: "path", Message: "must end in .yaml, .yml or .json; CSV files are given as users and groups"}}
		}
	case users == "" && groups == "":
		return []setting.Problem{{Key: "path", Message: "is required: a YAML or JSON file; or give users and groups, two CSV files"}}
	case users == "":
		return []setting.Problem{{Key: "users", Message: "is required beside groups: the CSV file of users"}}
	case groups == "":
		return []setting.Problem{{Key: "groups", Message: "is required beside users: the CSV file of groups"}}
	}
	return nil
}

func open(_ context.Context, v setting.Values, env source.Env) (source.Source, error) {
	if problems := check(v); len(problems) > 0 {
		return nil, &source.Error{State: "settings", Message: problems[0].Key + " " + problems[0].Message}
	}
	from := func(key string) string {
		path := v.Text(key)
		if path == "" || filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(env.Dir, path)
	}
	s := &files{name: env.Name, path: from("path"), users: from("users"), groups: from("groups"), now: env.Now, open: openFile}
	if s.now == nil {
		s.now = time.Now
	}
	return s, nil
}

// files is the source: where the files are, and nothing of what was in them.
type files struct {
	name                string
	path, users, groups string
	now                 func() time.Time
	open                func(path string) (handle, error)
}

// Snapshot reads the files and gives all users, all groups, and the members of the groups selected and of those within them.
func (s *files) Snapshot(ctx context.Context, want source.Selection) (*directory.Snapshot, error) {
	all, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	ids, err := want.Settle(all.Groups)
	if err != nil {
		return nil, err
	}
	read := make(map[directory.GroupID]bool)
	for _, id := range ids {
		for _, in := range all.Closure(id) {
			read[in] = true
		}
	}
	for id, g := range all.Groups {
		if !read[id] {
			g.Members, g.Groups, g.ReadAt = nil, nil, time.Time{}
			all.Groups[id] = g
		}
	}
	if err := all.Validate(); err != nil {
		return nil, err
	}
	return all, nil
}

// SearchGroups gives the groups whose name begins with prefix, without regard to case, in order of name.
func (s *files) SearchGroups(ctx context.Context, prefix string, page source.Page) ([]directory.Group, source.Page, error) {
	all, err := s.read(ctx)
	if err != nil {
		return nil, source.Page{}, err
	}
	key := func(g directory.Group) string { return strings.ToLower(g.Name) + "\x00" + string(g.ID) }
	var found []directory.Group
	for g := range maps.Values(all.Groups) {
		if strings.HasPrefix(strings.ToLower(g.Name), strings.ToLower(prefix)) && key(g) > page.Token {
			g.Members, g.Groups, g.ReadAt = nil, nil, time.Time{}
			found = append(found, g)
		}
	}
	slices.SortFunc(found, func(a, b directory.Group) int { return cmp.Compare(key(a), key(b)) })
	size := page.Size
	if size <= 0 {
		size = 100
	}
	if len(found) <= size {
		return found, source.Page{}, nil
	}
	return found[:size], source.Page{Size: page.Size, Token: key(found[size-1])}, nil
}

// read gives everything the files hold, every group read.
func (s *files) read(ctx context.Context) (*directory.Snapshot, error) {
	now := s.now()
	var b builder
	var opened []*opened
	defer func() {
		for _, o := range opened {
			_ = o.handle.Close() // it was only read
		}
	}()
	take := func(path string) ([]byte, error) {
		o, err := readFile(ctx, s.open, path)
		if err != nil {
			return nil, err
		}
		opened = append(opened, o)
		return o.data, nil
	}
	if s.path != "" {
		data, err := take(s.path)
		if err != nil {
			return nil, err
		}
		b.document(s.path, data, parserOf(s.path))
	} else {
		users, err := take(s.users)
		if err != nil {
			return nil, err
		}
		groups, err := take(s.groups)
		if err != nil {
			return nil, err
		}
		b.csvUsers(s.users, users)
		b.csvGroups(s.groups, groups)
	}
	// Whether the file stood still is asked after the work, not right after reading: the longer the look, the surer the answer. And it
	// is asked before the mistakes are told, because half a file is full of them.
	for _, o := range opened {
		if err := o.unchanged(); err != nil {
			return nil, err
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", cmp.Or(s.path, s.groups), err)
	}
	snapshot, err := b.snapshot(now)
	if err != nil {
		return nil, &source.Error{State: "file-invalid", Message: err.Error(), Err: err}
	}
	snapshot.Source = s.name
	return snapshot, nil
}
