package sourcetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"musterline.example/directory"
	"musterline.example/source"
)

// patience is how long a source may take to notice that nobody waits any more. It is not a figure of speed: a source that does not look
// at its context never notices.
const patience = 30 * time.Second

var all = source.Selection{All: true}

func ids(ids ...directory.GroupID) []directory.GroupID { return ids }

// cases are the suite.
var cases = []sentence{
	{"the kind describes itself", nil, describes},
	{"everything asked for is read", nil, func(ctx context.Context, b *bench) error {
		w := Small()
		s, err := b.open(ctx, w)
		if err != nil {
			return err
		}
		got, err := b.read(ctx, s, all)
		if err != nil {
			return err
		}
		var every []directory.GroupID
		for _, g := range w.without(b.harness.Kind).Groups {
			every = append(every, g.ID)
		}
		return b.compare(w, got, every...)
	}},
	{"what is not asked for is listed, not read and never empty", nil, func(ctx context.Context, b *bench) error {
		w := Small()
		s, err := b.open(ctx, w)
		if err != nil {
			return err
		}
		for _, read := range [][]directory.GroupID{nil, ids("g-web"), ids("g-empty"), ids("g-web", "g-ops", "g-case")} {
			got, err := b.read(ctx, s, source.Selection{IDs: mapped(read, b.group)})
			if err != nil {
				return err
			}
			if err := b.compare(w, got, read...); err != nil {
				return fmt.Errorf("asked for %v: %w", read, err)
			}
		}
		return nil
	}},
	{"an empty group is read and empty", nil, func(ctx context.Context, b *bench) error {
		s, err := b.open(ctx, Small())
		if err != nil {
			return err
		}
		got, err := b.read(ctx, s, source.Selection{Names: []string{"empty"}})
		if err != nil {
			return err
		}
		if g := got.Groups[b.group("g-empty")]; !g.Read() || len(g.Members)+len(g.Groups) > 0 || len(got.Unread(g.ID)) > 0 {
			return fmt.Errorf("it is %+v", g)
		}
		return nil
	}},
	{"the members of nested groups are read too, cycles and all", []string{source.NestedGroups}, func(ctx context.Context, b *bench) error {
		w := Small()
		for _, read := range []directory.GroupID{"g-all", "g-platform", "g-sre"} {
			s, err := b.open(ctx, w)
			if err != nil {
				return err
			}
			got, err := b.read(ctx, s, source.Selection{IDs: ids(b.group(read))})
			if err != nil {
				return err
			}
			if err := b.compare(w, got, read); err != nil {
				return fmt.Errorf("asked for %s: %w", read, err)
			}
			if unread := got.Unread(b.group(read)); len(unread) > 0 {
				return fmt.Errorf("asked for %s: %v are not read", read, unread)
			}
			count := 0
			for range got.Walk(b.group(read)) {
				count++
			}
			if want := len(w.without(b.harness.Kind).Users) - 1; count != want { // all but the lone wolf
				return fmt.Errorf("asked for %s: walking it meets %d people, not %d", read, count, want)
			}
		}
		return nil
	}},
	{"groups are chosen by name and by pattern", nil, func(ctx context.Context, b *bench) error {
		w := Small()
		s, err := b.open(ctx, w)
		if err != nil {
			return err
		}
		for _, c := range []struct {
			want source.Selection
			read []directory.GroupID
		}{
			{source.Selection{Names: []string{"gh-web"}}, ids("g-web")},
			{source.Selection{Names: []string{string(b.group("g-web"))}}, ids("g-web")},
			{source.Selection{Names: []string{"ALL"}}, ids("g-case")},
			{source.Selection{Patterns: []string{"gh-*"}}, ids("g-ops", "g-web")},
			{source.Selection{Patterns: []string{"gh-w?b", "nothing-*"}, Names: []string{"gh-ops"}, IDs: ids(b.group("g-empty"))}, ids("g-web", "g-ops", "g-empty")},
		} {
			got, err := b.read(ctx, s, c.want)
			if err != nil {
				return fmt.Errorf("asked for %+v: %w", c.want, err)
			}
			if err := b.compare(w, got, c.read...); err != nil {
				return fmt.Errorf("asked for %+v: %w", c.want, err)
			}
		}
		return nil
	}},
	{"a group that does not exist is absent, and no error", nil, func(ctx context.Context, b *bench) error {
		w := Small()
		s, err := b.open(ctx, w)
		if err != nil {
			return err
		}
		got, err := b.read(ctx, s, source.Selection{IDs: ids("no-such-id", b.group("g-web")), Names: []string{"no such name", "twi", "GH-WEB"}})
		if err != nil {
			return err
		}
		return b.compare(w, got, "g-web")
	}},
	{"two groups of one name are an error that names both", []string{source.SharedNames}, func(ctx context.Context, b *bench) error {
		w := Small()
		s, err := b.open(ctx, w)
		if err != nil {
			return err
		}
		got, err := s.Snapshot(ctx, source.Selection{Names: []string{"gh-web", "twin"}})
		e, ok := errors.AsType[*source.NameError](b.kept(err))
		if !ok || got != nil {
			return fmt.Errorf("there is %s, and the error %v is no *source.NameError", some(got), err)
		}
		if both := mapped(ids("g-twin-a", "g-twin-b"), b.group); e.Name != "twin" || !slices.Equal(sorted(e.IDs), both) {
			return fmt.Errorf("it names %q and %v, not twin and %v", e.Name, e.IDs, both)
		}
		// By id either can be had, and a pattern means both.
		got, err = b.read(ctx, s, source.Selection{IDs: ids(b.group("g-twin-a"))})
		if err != nil {
			return err
		}
		if err := b.compare(w, got, "g-twin-a"); err != nil {
			return err
		}
		if got, err = b.read(ctx, s, source.Selection{Patterns: []string{"twi*"}}); err != nil {
			return err
		}
		return b.compare(w, got, "g-twin-a", "g-twin-b")
	}},
	{"5,001 members are read to the last", nil, func(ctx context.Context, b *bench) error {
		w := Large()
		s, err := b.open(ctx, w)
		if err != nil {
			return err
		}
		got, err := b.read(ctx, s, source.Selection{Names: []string{"over the crowd"}, Patterns: []string{"crowd", "group 5?"}})
		if err != nil {
			return err
		}
		read := ids("g-over", "g-crowd")
		for i := 50; i < 60; i++ {
			read = append(read, directory.GroupID(fmt.Sprintf("g-%02d", i)))
		}
		return b.compare(w, got, read...)
	}},
	{"the same world twice gives equal snapshots", nil, func(ctx context.Context, b *bench) error {
		s, err := b.open(ctx, Small())
		if err != nil {
			return err
		}
		one, err := b.read(ctx, s, all)
		if err != nil {
			return err
		}
		two, err := b.read(ctx, s, all)
		if err != nil {
			return err
		}
		if err := same(one, two); err != nil {
			return err
		}
		// Nor does what a caller does to one snapshot show in the next.
		clear(two.Users)
		clear(two.Groups)
		for _, g := range one.Groups {
			clear(g.Members)
		}
		three, err := b.read(ctx, s, all)
		if err != nil {
			return fmt.Errorf("after a snapshot was changed by its owner: %w", err)
		}
		other, err := b.reopen(ctx)
		if err != nil {
			return err
		}
		four, err := b.read(ctx, other, all)
		if err != nil {
			return err
		}
		return same(three, four)
	}},
	{"many read at once and see the same", nil, func(ctx context.Context, b *bench) error {
		w := Small()
		s, err := b.open(ctx, w)
		if err != nil {
			return err
		}
		var (
			wait sync.WaitGroup
			errs [8]error
		)
		for i := range errs {
			wait.Go(func() {
				read := ids("g-web", "g-ops", "g-case", "g-empty")[i%4]
				var got *directory.Snapshot
				if got, errs[i] = s.Snapshot(ctx, source.Selection{IDs: ids(b.group(read))}); errs[i] == nil {
					errs[i] = b.compare(w, got, read)
				}
			})
		}
		wait.Wait()
		return errors.Join(errs[:]...)
	}},
	{"a rename keeps the id", nil, func(ctx context.Context, b *bench) error {
		w := Small()
		s, err := b.open(ctx, w)
		if err != nil {
			return err
		}
		if _, err := b.read(ctx, s, source.Selection{IDs: ids(b.group("g-web"))}); err != nil {
			return err
		}
		w.Group("g-web").Name, w.Group("g-web").Description = "gh-frontend", "renamed"
		cy := w.User("u-cy")
		cy.Name, cy.Username, cy.Email = "Çiğdem Kaya", "cigdem.kaya", "kaya@example.com"
		if err := b.change(w); err != nil {
			return err
		}
		got, err := b.read(ctx, s, source.Selection{IDs: ids(b.group("g-web")), Names: []string{"gh-web"}})
		if err != nil {
			return err
		}
		return b.compare(w, got, "g-web")
	}},
	{"who leaves and who comes is seen by the next read", nil, func(ctx context.Context, b *bench) error {
		w := Small()
		s, err := b.open(ctx, w)
		if err != nil {
			return err
		}
		read := source.Selection{Names: []string{"gh-web", "gh-ops", "Platform engineers"}}
		if _, err := b.read(ctx, s, read); err != nil {
			return err
		}
		web := w.Group("g-web")
		web.Members = people("u-lone", "u-ada") // and not u-cy
		w.Leave("u-no")
		w.User("u-ada").Status = directory.Disabled
		w.Disband("g-empty")
		if err := b.change(w); err != nil {
			return err
		}
		got, err := b.read(ctx, s, read)
		if err != nil {
			return err
		}
		return b.compare(w, got, "g-web", "g-ops", "g-platform")
	}},
	{"a cancelled context stops a read before it begins", nil, func(ctx context.Context, b *bench) error {
		s, err := b.open(ctx, Small())
		if err != nil {
			return err
		}
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		got, err := s.Snapshot(ctx, all)
		if got != nil || !errors.Is(b.kept(err), context.Canceled) {
			return fmt.Errorf("there is %s, and the error is %v", some(got), err)
		}
		return nil
	}},
	{"a cancelled context stops a read that hangs", nil, func(ctx context.Context, b *bench) error {
		s, err := b.open(ctx, Small())
		if err != nil {
			return err
		}
		struck, err := b.inject(Fault{Sort: Hang})
		if err != nil {
			return err
		}
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		done := make(chan error, 1)
		go func() {
			_, err := s.Snapshot(ctx, all)
			done <- err
		}()
		for deadline := time.Now().Add(patience); struck() == 0; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				return errors.New("the read never came to where it would hang")
			}
		}
		cancel()
		select {
		case err := <-done:
			if !errors.Is(b.kept(err), context.Canceled) {
				return fmt.Errorf("got %v, which is not context.Canceled", err)
			}
			return nil
		case <-time.After(patience):
			return errors.New("the read goes on")
		}
	}},
	{"a failing page yields an error and no snapshot", nil, func(ctx context.Context, b *bench) error { return partial(ctx, b, FailPage) }},
	{"a short read yields an error and no snapshot", nil, func(ctx context.Context, b *bench) error { return partial(ctx, b, ShortRead) }},
	{"a size limit yields an error and no snapshot", nil, func(ctx context.Context, b *bench) error { return partial(ctx, b, SizeLimit) }},
	{"a silent truncation yields an error and no snapshot", nil, func(ctx context.Context, b *bench) error { return partial(ctx, b, Truncate) }},
	{"throttling is waited out, or told as worth another try", nil, func(ctx context.Context, b *bench) error {
		w := Large()
		s, err := b.open(ctx, w)
		if err != nil {
			return err
		}
		struck, err := b.inject(Fault{Sort: Throttle, Times: 1, After: time.Second})
		if err != nil {
			return err
		}
		got, err := b.read(ctx, s, source.Selection{IDs: ids(b.group("g-crowd"))})
		if struck() == 0 {
			return skipped("the fault did not strike")
		}
		if err == nil {
			return b.compare(w, got, "g-crowd")
		}
		if e, ok := errors.AsType[*source.Error](err); !ok || !e.Retry {
			return fmt.Errorf("the error is no *source.Error with Retry: %w", err)
		}
		return nil
	}},
	{"expired credentials are told as such, with a way out", nil, func(ctx context.Context, b *bench) error {
		s, err := b.open(ctx, Small())
		if err != nil {
			return err
		}
		struck, err := b.inject(Fault{Sort: Expired})
		if err != nil {
			return err
		}
		_, err = b.read(ctx, s, all)
		e, ok := errors.AsType[*source.Error](err)
		switch {
		case struck() == 0:
			return skipped("the fault did not strike")
		case !ok:
			return fmt.Errorf("the error is no *source.Error: %w", err)
		case e.State == "" || e.Message == "" || e.Fix == "":
			return fmt.Errorf("the error has no state, message or fix: %+v", e)
		case e.Retry:
			return errors.New("the error asks to be tried again by itself: credentials do not mend by trying")
		}
		return nil
	}},
	{"groups are found by the beginning of their name", []string{source.Search}, search},
}

// some says whether there is a snapshot, in place of printing all of it.
func some(s *directory.Snapshot) string {
	if s == nil {
		return "no snapshot"
	}
	return fmt.Sprintf("a snapshot of %d groups", len(s.Groups))
}

func people(ids ...directory.UserID) []directory.UserID { return ids }

// describes looks at the kind itself.
func describes(_ context.Context, b *bench) error {
	k := b.harness.Kind
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if k.Name == "" || k.Title == "" || k.Open == nil {
		wrong("it has no name, no title or no Open")
	}
	for _, f := range k.Features {
		if !slices.Contains(source.Features, f.Name) {
			wrong("%q is no feature", f.Name)
		}
	}
	for _, name := range source.Features {
		if !slices.ContainsFunc(k.Features, func(f source.Feature) bool { return f.Name == name }) {
			wrong("it does not say whether it has %s", name)
		}
	}
	for _, f := range k.Settings {
		if f.Key == "" || f.Label == "" || f.Help == "" || f.Type == "" {
			wrong("the setting %q lacks a label, a help or a type", f.Key)
		}
		for _, word := range []string{"password", "token", "secret"} {
			if strings.HasSuffix(f.Key, word) && f.Type != "secret" {
				wrong("the setting %s is not a secret", f.Key)
			}
		}
	}
	return errors.Join(errs...)
}

// partial makes each of the first answers of a read go wrong in turn: never may a part of the world pass for the whole.
func partial(ctx context.Context, b *bench, sort FaultSort) error {
	w := Large()
	s, err := b.open(ctx, w)
	if err != nil {
		return err
	}
	read := source.Selection{IDs: ids(b.group("g-over"), b.group("g-crowd"), b.group("g-07"))}
	tried := 0
	for page := 1; page <= 5; page++ {
		struck, err := b.inject(Fault{Sort: sort, Page: page})
		if err != nil {
			return err
		}
		got, err := s.Snapshot(ctx, read)
		_ = b.kept(err)
		if struck() == 0 {
			continue // the read had fewer answers
		}
		tried++
		if got != nil || err == nil {
			return fmt.Errorf("answer %d was bad, and there is a snapshot (error: %v)", page, err)
		}
		if err.Error() == "" {
			return fmt.Errorf("answer %d was bad, and the error says nothing", page)
		}
	}
	if tried == 0 {
		return skipped("the fault did not strike")
	}
	// What went wrong leaves nothing behind.
	if _, err := b.inject(Fault{}); err != nil {
		return err
	}
	got, err := b.read(ctx, s, read)
	if err != nil {
		return fmt.Errorf("after the fault is over: %w", err)
	}
	return b.compare(w, got, "g-over", "g-crowd", "g-07")
}

// search looks groups up by prefix, in pages.
func search(ctx context.Context, b *bench) error {
	w := Large()
	w.Users = w.Users[:200] // the groups matter here; some sources read all there is for each search
	w.Group("g-crowd").Members = nil
	s, err := b.open(ctx, w)
	if err != nil {
		return err
	}
	searcher, ok := s.(source.Searcher)
	if !ok {
		return errors.New("the kind says it can search, and its source is no source.Searcher")
	}
	for prefix, want := range map[string]int{"group 1": 10, "GROUP 1": 10, "group 07": 1, "group": 60, "crowd": 1, "roup": 0, "no such name": 0} {
		for _, size := range []int{0, 1, 7, 1000} {
			seen := make(map[directory.GroupID]bool)
			names := []string{}
			page := source.Page{Size: size}
			for calls := 0; ; calls++ {
				if calls > 100 {
					return fmt.Errorf("%q in pages of %d: there is always another page", prefix, size)
				}
				found, next, err := searcher.SearchGroups(ctx, prefix, page)
				if err != nil {
					return fmt.Errorf("%q in pages of %d: %w", prefix, size, b.kept(err))
				}
				for _, g := range found {
					if seen[g.ID] {
						return fmt.Errorf("%q in pages of %d: %q comes twice", prefix, size, g.Name)
					}
					if !strings.HasPrefix(strings.ToLower(g.Name), strings.ToLower(prefix)) {
						return fmt.Errorf("%q in pages of %d: %q does not begin so", prefix, size, g.Name)
					}
					seen[g.ID] = true
					names = append(names, g.Name)
				}
				if next == (source.Page{}) || next.Token == "" {
					break
				}
				page = next
			}
			if len(names) != want {
				return fmt.Errorf("%q in pages of %d finds %d groups, not %d: %v", prefix, size, len(names), want, names)
			}
		}
	}
	return nil
}
