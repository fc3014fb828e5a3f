package sourcetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"musterline.example/directory"
	"musterline.example/source"
)

// read takes a snapshot and looks at what is true of every snapshot.
func (b *bench) read(ctx context.Context, s source.Source, want source.Selection) (*directory.Snapshot, error) {
	got, err := s.Snapshot(ctx, want)
	if err != nil {
		_ = b.kept(err)
		if got != nil {
			return nil, fmt.Errorf("a snapshot came with the error %w", err)
		}
		return nil, err
	}
	switch {
	case got == nil:
		return nil, errors.New("neither a snapshot nor an error")
	case got.Source != name:
		return nil, fmt.Errorf("the snapshot is of %q, not of %q as Env.Name says", got.Source, name)
	case !got.TakenAt.Equal(now):
		return nil, fmt.Errorf("taken at %s; Env.Now says %s", got.TakenAt, now)
	}
	for _, g := range got.Groups {
		if g.Read() && !g.ReadAt.Equal(now) {
			return nil, fmt.Errorf("group %q was read at %s; Env.Now says %s", g.Name, g.ReadAt, now)
		}
	}
	if err := got.Validate(); err != nil {
		return nil, fmt.Errorf("the snapshot is not fit to act upon: %w", err)
	}
	return got, nil
}

// compare holds a snapshot against the world: every group listed, those of read and no others read, every member and every user of these
// as in the world. Users beyond these may be there, if the world has them.
func (b *bench) compare(w World, got *directory.Snapshot, read ...directory.GroupID) error {
	w = w.without(b.harness.Kind)
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }

	want := make(map[directory.GroupID]bool)
	queue := slices.Clone(read)
	for len(queue) > 0 {
		id := queue[0]
		queue = queue[1:]
		if !want[id] {
			want[id] = true
			queue = append(queue, w.Group(id).Groups...)
		}
	}
	needed := make(map[directory.UserID]bool)
	listed := make(map[directory.GroupID]bool)
	for _, g := range w.Groups {
		id := b.group(g.ID)
		listed[id] = true
		is, ok := got.Groups[id]
		switch {
		case !ok:
			wrong("group %q is not listed", g.Name)
			continue
		case is.Name != g.Name:
			wrong("group %s is called %q, not %q", id, is.Name, g.Name)
		case is.Description != g.Description:
			wrong("group %q is described %q, not %q", g.Name, is.Description, g.Description)
		case want[g.ID] && !is.Read():
			wrong("group %q was asked for and is not read", g.Name)
			continue
		case !want[g.ID] && is.Read():
			wrong("group %q was not asked for, and its members count as read", g.Name)
			continue
		case !want[g.ID] && len(is.Members)+len(is.Groups) > 0:
			wrong("group %q is not read, and lists members", g.Name)
		}
		if !want[g.ID] {
			continue
		}
		for _, m := range g.Members {
			needed[m] = true
		}
		members, groups := mapped(g.Members, b.user), mapped(g.Groups, b.group)
		if !slices.Equal(members, sorted(is.Members)) {
			wrong("group %q has %s", g.Name, difference(members, sorted(is.Members)))
		}
		if !slices.Equal(groups, sorted(is.Groups)) {
			wrong("group %q holds %s", g.Name, difference(groups, sorted(is.Groups)))
		}
	}
	for id, g := range got.Groups {
		if !listed[id] {
			wrong("group %q (%s) is nowhere in the world", g.Name, id)
		}
	}
	users := make(map[directory.UserID]bool)
	for _, u := range w.Users {
		id := b.user(u.ID)
		users[id] = true
		is, ok := got.Users[id]
		if !ok {
			if needed[u.ID] {
				wrong("user %q is a member of what was asked for, and was not read", u.Name)
			}
			continue
		}
		u.ID = id
		if len(is.Accounts) == 0 {
			is.Accounts = nil
		}
		if !reflect.DeepEqual(u, is) {
			wrong("user %+v was read as %+v", u, is)
		}
	}
	for id := range got.Users {
		if !users[id] {
			wrong("user %s is nowhere in the world", id)
		}
	}
	if len(errs) > 10 {
		errs = append(errs[:10], fmt.Errorf("and %d more differences", len(errs)-10))
	}
	return errors.Join(errs...)
}

func mapped[ID cmp.Ordered](ids []ID, to func(ID) ID) []ID {
	out := make([]ID, 0, len(ids))
	for _, id := range ids {
		out = append(out, to(id))
	}
	slices.Sort(out)
	return out
}

func sorted[ID cmp.Ordered](ids []ID) []ID { return slices.Sorted(slices.Values(ids)) }

// difference says what two sorted lists do not share; a list may be long.
func difference[ID cmp.Ordered](want, got []ID) string {
	lacks := slices.DeleteFunc(slices.Clone(want), func(id ID) bool { _, ok := slices.BinarySearch(got, id); return ok })
	extra := slices.DeleteFunc(slices.Clone(got), func(id ID) bool { _, ok := slices.BinarySearch(want, id); return ok })
	if len(lacks)+len(extra) == 0 {
		return fmt.Sprintf("%d entries, some twice, in place of %d", len(got), len(want))
	}
	return fmt.Sprintf("%d in place of %d: it lacks %v and has %v too much", len(got), len(want), lacks[:min(5, len(lacks))], extra[:min(5, len(extra))])
}

// same reports how two snapshots differ.
func same(a, b *directory.Snapshot) error {
	for _, s := range []*directory.Snapshot{a, b} {
		for id, g := range s.Groups {
			g.Members, g.Groups = sorted(g.Members), sorted(g.Groups)
			s.Groups[id] = g
		}
	}
	if !maps.EqualFunc(a.Users, b.Users, func(x, y directory.User) bool { return reflect.DeepEqual(x, y) }) {
		return fmt.Errorf("%d users and %d users are not the same", len(a.Users), len(b.Users))
	}
	for id, g := range a.Groups {
		if !reflect.DeepEqual(g, b.Groups[id]) {
			return fmt.Errorf("group %+v is %+v the second time", g, b.Groups[id])
		}
	}
	if len(a.Groups) != len(b.Groups) {
		return fmt.Errorf("%d groups are %d the second time", len(a.Groups), len(b.Groups))
	}
	return nil
}
