package storetest

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"musterline.example/audit"
	"musterline.example/directory"
	"musterline.example/guard"
	"musterline.example/internal/secret"
	"musterline.example/link"
	"musterline.example/mapping"
	"musterline.example/plan"
	"musterline.example/reconcile"
	"musterline.example/store"
	"musterline.example/target"
	"musterline.example/team"
)

// basic is what each method promises when it is called alone.
var basic = merge(opening, targets, sources, mappings, people, ledgers, runs, waivers, records, jobs, teams, looked, names, followed)

func merge(all ...map[string]func(*world)) map[string]func(*world) {
	merged := map[string]func(*world){}
	for _, m := range all {
		maps.Copy(merged, m)
	}
	return merged
}

var opening = map[string]func(*world){
	"a database keeps what it was told when it is opened again": func(w *world) {
		w.must(w.Store.Pause(w.ctx(), "octo", reconcile.Pause{By: "ada", Reason: "audit week"}))
		p, err := w.open(store.Options{}).Paused(w.ctx(), "octo")
		w.must(err)
		w.equal(p, reconcile.Pause{By: "ada", Reason: "audit week", At: start})
	},
	"another key file is refused by name": func(w *world) {
		other, err := secret.New()
		w.must(err)
		_, err = store.Open(w.ctx(), w.db.URL(), store.Options{Key: other})
		w.is(err, secret.ErrWrongKey)
		for _, name := range []string{w.key.Fingerprint(), other.Fingerprint()} {
			if !strings.Contains(err.Error(), name) {
				w.Errorf("%q does not name the key file %s", err, name)
			}
		}
	},
	"a reader writes nothing and needs no key": func(w *world) {
		s, err := store.Open(w.ctx(), w.db.URL(), store.Options{ReadOnly: true})
		w.must(err)
		defer func() { _ = s.Shut() }()
		if _, err := s.Mappings(w.ctx(), "octo"); err != nil {
			w.Error(err)
		}
		if _, err := s.AddRequest(w.ctx(), reconcile.Request{Target: "octo"}); err == nil {
			w.Error("a reader could write")
		}
	},
	"an empty database is told from one that is in use": func(w *world) {
		empty, err := store.Empty(w.ctx(), w.db.URL())
		w.must(err)
		w.equal(empty, false)
	},
	"a database that a command holds is refused to others, by the name of who holds it": func(w *world) {
		first := w.open(store.Options{Who: "musterline serve"})
		unlock, err := first.Lock(w.ctx())
		w.must(err)
		second := w.open(store.Options{Who: "musterline sync"})
		_, err = second.Lock(w.ctx())
		w.is(err, store.ErrLocked)
		if !strings.Contains(err.Error(), "musterline serve") {
			w.Errorf("%q does not say who holds it", err)
		}
		_, err = second.LockShared(w.ctx())
		w.is(err, store.ErrLocked)
		w.must(unlock())
		unlock, err = second.Lock(w.ctx())
		w.must(err)
		w.must(unlock())
	},
	"a URL that is none is an error without the URL": func(w *world) {
		_, err := store.Open(w.ctx(), "mysql://root:hunter2@db/x", store.Options{Key: w.key})
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			w.Errorf("got %v", err)
		}
	},
}

var targets = map[string]func(*world){
	"a target that nobody paused is not paused, and resuming it does nothing": func(w *world) {
		p, err := w.Paused(w.ctx(), "octo")
		w.must(err)
		w.equal(p, reconcile.Pause{})
		was, err := w.Resume(w.ctx(), "octo", "ada")
		w.must(err)
		w.equal(was, false)
	},
	"a paused target resumes, and both are in the audit record": func(w *world) {
		w.must(w.Store.Pause(w.ctx(), "octo", reconcile.Pause{By: "ada", Reason: "audit week"}))
		was, err := w.Resume(w.ctx(), "octo", "bob")
		w.must(err)
		w.equal(was, true)
		p, err := w.Paused(w.ctx(), "octo")
		w.must(err)
		w.equal(p, reconcile.Pause{})
		w.equal(w.entries(store.KindPause)[0].Actor.Requester, "ada")
		w.equal(w.entries(store.KindResume)[0].Actor.Requester, "bob")
	},
	"a place is known once it was said": func(w *world) {
		_, err := w.Place(w.ctx(), "octo")
		w.is(err, store.ErrNotFound)
		w.must(w.SavePlace(w.ctx(), "octo", octo))
		p, err := w.Place(w.ctx(), "octo")
		w.must(err)
		w.equal(p, octo)
	},
	"a hint is there for whoever asks next": func(w *world) {
		h, err := w.Hints(w.ctx(), "octo")
		w.must(err)
		h.Keep("team/7", "T_kwDO")
		h.Keep("team/7", "T_kwDP")
		h.Flush()
		again, err := w.Hints(w.ctx(), "octo")
		w.must(err)
		v, ok := again.Hint("team/7")
		w.equal(v, "T_kwDP")
		w.equal(ok, true)
		if _, ok := again.Hint("team/8"); ok {
			w.Error("a hint that nobody gave")
		}
	},
	"a credential comes back for its own place and for no other": func(w *world) {
		w.must(w.SaveCredential(w.ctx(), "target:octo", []byte("ghp_secret"), "ada"))
		got, err := w.Credential(w.ctx(), "target:octo")
		w.must(err)
		w.equal(string(got), "ghp_secret")
		_, err = w.Credential(w.ctx(), "target:other")
		w.is(err, store.ErrNotFound)
		w.db.Exec(w, "UPDATE credentials SET place = 'target:other'")
		_, err = w.Credential(w.ctx(), "target:other")
		w.is(err, secret.ErrWrongKey)
		w.must(w.DeleteCredential(w.ctx(), "target:other", "ada"))
		w.is(w.DeleteCredential(w.ctx(), "target:other", "ada"), store.ErrNotFound)
		for _, e := range w.entries("") {
			if strings.Contains(string(e.Body), "ghp_") {
				w.Error("the audit record holds a credential")
			}
		}
	},
}

// snapshot is a read of source corp at a moment, with groups as "name member member @group".
func snapshot(at time.Time, groups ...string) *directory.Snapshot {
	s := &directory.Snapshot{Source: "corp", TakenAt: at, Users: map[directory.UserID]directory.User{}, Groups: map[directory.GroupID]directory.Group{}}
	for _, text := range groups {
		words := strings.Fields(text)
		g := directory.Group{ID: directory.GroupID(words[0]), Name: "The " + words[0], ReadAt: at}
		for _, word := range words[1:] {
			if sub, ok := strings.CutPrefix(word, "@"); ok {
				g.Groups = append(g.Groups, directory.GroupID(sub))
				continue
			}
			id := directory.UserID(word)
			g.Members = append(g.Members, id)
			s.Users[id] = directory.User{ID: id, Status: directory.Active}
		}
		s.Groups[g.ID] = g
	}
	return s
}

// save saves a read of the moment.
func (w *world) save(groups ...string) *directory.Snapshot {
	w.Helper()
	s := snapshot(w.clock.Now(), groups...)
	w.must(w.SaveSnapshot(w.ctx(), "octo", s, guard.Shape{At: s.TakenAt, Groups: len(s.Groups), Users: len(s.Users)}, true))
	return s
}

func (w *world) reads() reconcile.Reads {
	w.Helper()
	r, err := w.Reads(w.ctx(), "corp")
	w.must(err)
	return r
}

var sources = map[string]func(*world){
	"a source that was never read says nothing": func(w *world) {
		r := w.reads()
		w.equal(r, reconcile.Reads{})
		if r.DayAgo != nil {
			w.Error("sizes of a read that never was")
		}
	},
	"the last complete read comes back as it was": func(w *world) {
		w.save("sre bob")
		w.later(time.Hour)
		s := w.save("sre bob", "platform ada @sre")
		w.equal(w.reads().Last, s)
	},
	"a failure is told until a read succeeds": func(w *world) {
		w.save("sre bob")
		w.later(time.Hour)
		w.must(w.SaveFailure(w.ctx(), "corp", w.clock.Now(), "read group sre: 503"))
		r := w.reads()
		w.equal(r.Failure, "read group sre: 503")
		w.equal(r.FailedAt, w.clock.Now())
		if r.Last == nil {
			w.Error("the failure took the last complete read away")
		}
		w.later(time.Hour)
		w.save("sre bob")
		w.equal(w.reads().Failure, "")
	},
	"sizes are flattened, of members only, and of groups that were read in full": func(w *world) {
		s := snapshot(start, "sre bob eve", "platform ada bob @sre")
		s.Users["eve"] = directory.User{ID: "eve", Status: directory.Disabled}
		s.Groups["listed"] = directory.Group{ID: "listed", Name: "Listed"}
		w.must(w.SaveSnapshot(w.ctx(), "octo", s, guard.Shape{At: start}, true))
		w.equal(w.reads().DayAgo, map[directory.GroupID]int{"sre": 1, "platform": 2})
	},
	"a day ago is the read nearest to it": func(w *world) {
		for hours, n := range []int{0: 1, 10: 2, 23: 3, 26: 4, 47: 5} {
			if n == 0 {
				continue
			}
			s := snapshot(start.Add(time.Duration(hours)*time.Hour), "sre "+strings.Join(strings.Fields("a b c d e")[:n], " "))
			w.must(w.SaveSnapshot(w.ctx(), "octo", s, guard.Shape{At: s.TakenAt}, true))
		}
		for at, want := range map[int]int{24: 1, 33: 2, 35: 2, 48: 3, 49: 4, 50: 4, 70: 5, 500: 5} {
			w.clock.mu.Lock()
			w.clock.now = start.Add(time.Duration(at) * time.Hour)
			w.clock.mu.Unlock()
			if got := w.reads().DayAgo["sre"]; got != want {
				w.Errorf("after %d hours the size a day ago is %d, want %d", at, got, want)
			}
		}
	},
	"sizes that stay the same are kept once and told for every read": func(w *world) {
		for range 3 {
			w.save("sre bob")
			w.later(24 * time.Hour)
		}
		w.equal(w.reads().DayAgo, map[directory.GroupID]int{"sre": 1})
	},
	"seven shapes are told, the newest first": func(w *world) {
		for range 9 {
			w.later(time.Hour)
			w.save("sre bob")
		}
		var hours []int
		for _, s := range w.reads().Shapes {
			w.equal(s.Groups, 1)
			hours = append(hours, int(s.At.Sub(start)/time.Hour))
		}
		w.equal(hours, []int{9, 8, 7, 6, 5, 4, 3})
	},
	"a group that had members once is known for it ever after": func(w *world) {
		w.save("sre bob", "empty")
		w.later(time.Hour)
		w.save("sre", "empty")
		w.equal(w.reads().HadMembers, map[directory.GroupID]bool{"sre": true})
		w.later(time.Hour)
		w.save("sre", "empty", "all @nested", "nested eve")
		w.equal(w.reads().HadMembers, map[directory.GroupID]bool{"sre": true, "all": true, "nested": true})
	},
	"a missing group is counted by complete reads, keeps its name, and is back when it is listed": func(w *world) {
		w.save("sre bob", "platform ada")
		w.later(time.Hour)
		gone := w.clock.Now()
		w.save("platform ada")
		w.later(time.Hour)
		s := w.save("platform ada")
		w.must(w.SaveSnapshot(w.ctx(), "octo", s, guard.Shape{At: s.TakenAt}, true)) // the same read once more
		r := w.reads()
		w.equal(r.Missing, map[directory.GroupID]reconcile.Missing{"sre": {Since: gone, Reads: 2}})
		w.equal(r.Names, map[directory.GroupID]string{"sre": "The sre", "platform": "The platform"})
		w.later(time.Hour)
		w.save("platform ada", "sre")
		w.equal(w.reads().Missing, map[directory.GroupID]reconcile.Missing{})
	},
	"a missing group that never had members is counted as any other, and one that is listed without any has no past": func(w *world) {
		w.save("sre bob", "empty", "idle")
		w.later(time.Hour)
		gone := w.clock.Now()
		w.save("sre bob", "idle")
		r := w.reads()
		w.equal(r.Missing, map[directory.GroupID]reconcile.Missing{"empty": {Since: gone, Reads: 1}})
		w.equal(r.Names, map[directory.GroupID]string{"sre": "The sre", "empty": "The empty"})
	},
	"an older read that comes late changes figures only": func(w *world) {
		late := snapshot(start.Add(-time.Hour), "old eve")
		s := w.save("sre bob")
		w.must(w.SaveSnapshot(w.ctx(), "octo", late, guard.Shape{At: late.TakenAt, Groups: 1, Users: 1}, true))
		r := w.reads()
		w.equal(r.Last, s)
		w.equal(len(r.Shapes), 2)
		w.equal(len(r.Missing), 0)
	},
	"a read that looks strange is kept without its look": func(w *world) {
		w.save("sre bob")
		w.later(time.Hour)
		strange := snapshot(w.clock.Now(), "sre")
		w.must(w.SaveSnapshot(w.ctx(), "octo", strange, guard.Shape{}, true))
		r := w.reads()
		w.equal(r.Last, strange)
		w.equal(len(r.Shapes), 1)
	},
	"a read whose losses wait for a person leaves no sizes": func(w *world) {
		w.save("sre ada bob")
		for range 3 {
			w.later(24 * time.Hour)
			shrunk := snapshot(w.clock.Now(), "sre bob")
			w.must(w.SaveSnapshot(w.ctx(), "octo", shrunk, guard.Shape{At: shrunk.TakenAt, Groups: 1, Users: 1}, false))
		}
		w.equal(w.reads().DayAgo, map[directory.GroupID]int{"sre": 2})
		w.later(24 * time.Hour)
		w.save("sre bob")
		w.equal(w.reads().DayAgo, map[directory.GroupID]int{"sre": 1})
	},
	"sources are listed with how they stand": func(w *world) {
		w.save("sre bob")
		w.must(w.SaveFailure(w.ctx(), "people", start, "no such file"))
		all, err := w.Store.Sources(w.ctx())
		w.must(err)
		w.equal(all, []store.SourceState{
			{Name: "corp", ReadAt: start, Shape: guard.Shape{At: start, Groups: 1, Users: 1}},
			{Name: "people", Failure: "no such file", FailedAt: start},
		})
	},
}

// inFile is a mapping as a line of the file says it.
func inFile(line int, of, group string) mapping.Mapping {
	return mapping.Mapping{
		ID: fmt.Sprintf("file:%d", line), Origin: mapping.FromFile, Target: "octo", Team: of, Source: "corp", Group: group, Mode: mapping.Exclusive,
	}
}

// pinned gives a mapping its ids.
func pinned(m mapping.Mapping, id team.ID, group directory.GroupID) mapping.Mapping {
	m.TeamID, m.GroupID = id, group
	return m
}

func (w *world) mapped() []mapping.Mapping {
	w.Helper()
	m, err := w.Mappings(w.ctx(), "octo")
	w.must(err)
	return m
}

func (w *world) disconnects() []mapping.Disconnect {
	w.Helper()
	d, err := w.Disconnects(w.ctx(), "octo")
	w.must(err)
	return d
}

// load brings the mappings in line with a file, as a run does, and returns the teams that are left without one.
func (w *world) load(file ...mapping.Mapping) []mapping.Disconnect {
	w.Helper()
	after, lost := mapping.Load(w.mapped(), file)
	w.must(w.SaveMappings(w.ctx(), "octo", after, lost))
	return lost
}

var mappings = map[string]func(*world){
	"mappings of the file keep their ids when their line moves": func(w *world) {
		w.load(inFile(1, "platform", "sre"), inFile(2, "leads", "leads"))
		w.must(w.SaveMappings(w.ctx(), "octo", []mapping.Mapping{
			pinned(inFile(1, "platform", "sre"), "7", "g1"), pinned(inFile(2, "leads", "leads"), "8", "g2"),
		}, nil))
		w.equal(len(w.load(inFile(4, "platform", "sre"), inFile(5, "leads", "leads"))), 0)
		w.equal(w.mapped(), []mapping.Mapping{pinned(inFile(4, "platform", "sre"), "7", "g1"), pinned(inFile(5, "leads", "leads"), "8", "g2")})
		w.equal(len(w.disconnects()), 0)
	},
	"loading the same file again writes nothing": func(w *world) {
		w.load(inFile(1, "platform", "sre"))
		before := w.verified()
		w.load(inFile(1, "platform", "sre"))
		w.equal(w.verified(), before)
	},
	"two mappings on one line are two rows": func(w *world) {
		w.load(inFile(1, "platform", "sre"), inFile(1, "platform", "dev"))
		w.equal(len(w.mapped()), 2)
	},
	"a team that the file no longer maps is counted and disconnected without grace": func(w *world) {
		w.load(inFile(1, "platform", "sre"), inFile(2, "leads", "leads"))
		w.must(w.SaveMappings(w.ctx(), "octo", []mapping.Mapping{
			pinned(inFile(1, "platform", "sre"), "7", "g1"), pinned(inFile(2, "leads", "leads"), "8", "g2"),
		}, nil))
		w.equal(len(w.load(inFile(1, "platform", "sre"))), 1)
		w.equal(w.disconnects(), []mapping.Disconnect{{Team: "8", By: "file:2", Origin: mapping.FromFile}})
	},
	"a team that was never pinned has no members of ours to lose": func(w *world) {
		w.load(inFile(1, "typo", "sre"))
		w.load()
		w.equal(len(w.mapped())+len(w.disconnects()), 0)
	},
	"a file entry replaces the API's mappings of its team, with an audit entry": func(w *world) {
		_, err := w.MapTeam(w.ctx(), "octo", "7", []mapping.Mapping{{Team: "platform", Source: "corp", Group: "sre", GroupID: "g1"}}, mapping.Disconnect{By: "ada"})
		w.must(err)
		w.load(inFile(1, "platform", "dev"))
		w.equal(w.mapped(), []mapping.Mapping{inFile(1, "platform", "dev")})
		if body := string(w.entries(store.KindMapping)[0].Body) + string(w.entries(store.KindMapping)[1].Body); !strings.Contains(body, `"removed"`) {
			w.Errorf("the audit record does not say so: %s", body)
		}
	},
	"a rule's mappings come and go with what the rule makes, and stay with their team": func(w *world) {
		rule := mapping.Mapping{ID: "rule:1", Origin: mapping.FromRule, Target: "octo", Team: "sre", Source: "corp", Group: "gh-sre", GroupID: "g1", New: &team.New{Name: "sre"}}
		other := rule
		other.Team, other.Group, other.GroupID, other.New = "dev", "gh-dev", "g2", nil
		w.must(w.SaveMappings(w.ctx(), "octo", []mapping.Mapping{rule, other}, nil))
		w.equal(w.mapped(), []mapping.Mapping{rule, other})
		rule.TeamID, rule.New = "7", nil
		w.must(w.SaveMappings(w.ctx(), "octo", []mapping.Mapping{rule, other}, nil))
		rule.Group = "gh-sre-renamed"
		w.must(w.SaveMappings(w.ctx(), "octo", []mapping.Mapping{rule}, []mapping.Disconnect{{Team: "9", By: "rule:1", Origin: mapping.FromRule}}))
		w.equal(w.mapped(), []mapping.Mapping{rule})
		w.equal(w.disconnects(), []mapping.Disconnect{{Team: "9", By: "rule:1", Origin: mapping.FromRule}})
	},
	"a run that knows nothing of the API's mappings takes none of them away and brings none back": func(w *world) {
		_, err := w.MapTeam(w.ctx(), "octo", "7", []mapping.Mapping{{Team: "platform", Source: "corp", Group: "sre", GroupID: "g1"}}, mapping.Disconnect{By: "ada"})
		w.must(err)
		stale := w.mapped()
		w.must(w.SaveMappings(w.ctx(), "octo", nil, nil))
		w.equal(w.mapped(), stale)
		_, err = w.MapTeam(w.ctx(), "octo", "7", nil, mapping.Disconnect{By: "ada"})
		w.must(err)
		w.must(w.SaveMappings(w.ctx(), "octo", stale, nil))
		w.equal(len(w.mapped()), 0)
	},
	"a PATCH keeps the ids of groups that stay and gives a grace to the members of those that go": func(w *world) {
		group := func(id string) mapping.Mapping {
			return mapping.Mapping{Team: "platform", Source: "corp", Group: "The " + id, GroupID: directory.GroupID(id), Mode: mapping.Exclusive}
		}
		first, err := w.MapTeam(w.ctx(), "octo", "7", []mapping.Mapping{group("g1"), group("g2")}, mapping.Disconnect{By: "ada"})
		w.must(err)
		ends := start.Add(10 * time.Minute)
		second, err := w.MapTeam(w.ctx(), "octo", "7", []mapping.Mapping{group("g2"), group("g3")}, mapping.Disconnect{By: "bob", Until: ends})
		w.must(err)
		w.equal(second[0], first[1])
		w.equal(len(second), 2)
		w.equal(w.disconnects(), []mapping.Disconnect{{Team: "7", Until: ends, By: "bob", Origin: mapping.FromAPI}})
	},
	"a team of the file is not the API's to map": func(w *world) {
		w.load(inFile(12, "platform", "sre"))
		w.must(w.SaveMappings(w.ctx(), "octo", []mapping.Mapping{pinned(inFile(12, "platform", "sre"), "7", "g1")}, nil))
		_, err := w.MapTeam(w.ctx(), "octo", "7", nil, mapping.Disconnect{By: "ada"})
		owned, ok := errors.AsType[*store.Owned](err)
		if !ok || owned.Mapping.ID != "file:12" {
			w.Errorf("got %v", err)
		}
	},
	"a disconnect is forgotten when it is settled, and not while its grace lasts": func(w *world) {
		w.must(w.SaveMappings(w.ctx(), "octo", nil, []mapping.Disconnect{{Team: "7"}, {Team: "8", Until: start.Add(time.Minute), By: "ada", Keep: true}}))
		w.must(w.SettleDisconnects(w.ctx(), "octo", []team.ID{"7", "8"}))
		w.equal(w.disconnects(), []mapping.Disconnect{{Team: "8", Until: start.Add(time.Minute), By: "ada", Keep: true}})
		w.later(time.Hour)
		w.must(w.SettleDisconnects(w.ctx(), "octo", []team.ID{"8"}))
		w.equal(len(w.disconnects()), 0)
	},
	"a disconnected team is a first connection when it is mapped again": func(w *world) {
		w.must(w.SavePlace(w.ctx(), "octo", octo))
		w.must(w.SaveConnected(w.ctx(), octo, []team.ID{"7"}, start))
		w.must(w.SaveMappings(w.ctx(), "octo", nil, []mapping.Disconnect{{Team: "7"}}))
		w.must(w.SettleDisconnects(w.ctx(), "octo", []team.ID{"7"}))
		c, err := w.Connected(w.ctx(), octo)
		w.must(err)
		w.equal(len(c), 0)
	},
}

var people = map[string]func(*world){
	"the links of some accounts are found among many": func(w *world) {
		var all, want []link.Link
		var asked []team.AccountID
		for i := range 1200 {
			l := link.Link{
				User: link.UserRef{Source: "corp", ID: directory.UserID(fmt.Sprintf("u%04d", i))}, Account: team.AccountID(fmt.Sprint(i)), Login: fmt.Sprint("l", i),
				Tier: link.Manual, Evidence: "said by ann", By: "ann", MadeAt: start, SeenAt: start, State: link.Standing, Value: "v", Note: "n", Organization: "1",
			}
			all = append(all, l)
			if i%2 == 0 {
				want, asked = append(want, l), append(asked, l.Account)
			}
		}
		w.must(w.SaveLinks(w.ctx(), "github.com", all))
		w.must(w.SaveLinks(w.ctx(), "ghes.example.com", all[:1]))
		of, err := w.LinksOfAccounts(w.ctx(), "github.com", asked)
		w.must(err)
		w.equal(of, want)
		none, err := w.LinksOfAccounts(w.ctx(), "github.com", nil)
		w.must(err)
		w.equal(len(none), 0)
	},
	"links come back as they were saved, and those not named stay": func(w *world) {
		ada := link.Link{
			User: link.UserRef{Source: "corp", ID: "ada"}, Account: "1024", Login: "ada-l", Tier: link.SAML, Evidence: "nameID ada@example.com = email",
			Value: "ada@example.com", Note: "folded", Organization: "1",
			By: "sync", MadeAt: start, SeenAt: start, State: link.Standing,
		}
		bob := ada
		bob.User.ID, bob.Account, bob.Login = "bob", "9", "bob"
		w.must(w.SaveLinks(w.ctx(), "github.com", []link.Link{bob, ada}))
		bob.State, bob.Trouble = link.Revoked, "gone from SAML"
		w.must(w.SaveLinks(w.ctx(), "github.com", []link.Link{bob}))
		got, err := w.Links(w.ctx(), "github.com")
		w.must(err)
		w.equal(got, []link.Link{ada, bob})
		other, err := w.Links(w.ctx(), "ghes.example.com")
		w.must(err)
		w.equal(len(other), 0)
		w.equal(len(w.entries(store.KindLink)), 2)
	},
	"a link that was only seen again leaves no audit entry, and an unchanged one no write": func(w *world) {
		l := link.Link{User: link.UserRef{Source: "corp", ID: "ada"}, Account: "1024", State: link.Standing, MadeAt: start, SeenAt: start}
		w.must(w.SaveLinks(w.ctx(), "github.com", []link.Link{l}))
		l.SeenAt = start.Add(time.Hour)
		w.must(w.SaveLinks(w.ctx(), "github.com", []link.Link{l}))
		w.equal(len(w.entries(store.KindLink)), 1)
		got, err := w.Links(w.ctx(), "github.com")
		w.must(err)
		w.equal(got[0].SeenAt, l.SeenAt)
		w.must(w.SaveLinks(w.ctx(), "github.com", []link.Link{l}))
	},
	"a link goes with the statement that it rests on, but for one that is revoked": func(w *world) {
		of := func(user string, tier link.Tier, state link.State) link.Link {
			return link.Link{User: link.UserRef{Source: "corp", ID: directory.UserID(user)}, Account: team.AccountID(user), Tier: tier, State: state, MadeAt: start, SeenAt: start}
		}
		stands, gone, other := of("1", link.Manual, link.Standing), of("2", link.Manual, link.Revoked), of("3", link.SAML, link.Standing)
		w.must(w.SaveLinks(w.ctx(), "github.com", []link.Link{stands, gone, other}))
		w.must(w.SaveLinks(w.ctx(), "ghes.example.com", []link.Link{stands}))
		for _, l := range []link.Link{stands, gone, other} {
			w.must(w.AddStatement(w.ctx(), "github.com", link.Statement{User: l.User, Account: l.Account, Tier: link.Manual, By: "bob", At: start}))
			w.must(w.RemoveStatement(w.ctx(), "github.com", l.User, link.Manual, "bob"))
		}
		got, err := w.Links(w.ctx(), "github.com")
		w.must(err)
		w.equal(got, []link.Link{gone, other})
		got, err = w.Links(w.ctx(), "ghes.example.com")
		w.must(err)
		w.equal(got, []link.Link{stands})
	},
	"protected logins stay with the accounts they were settled to, until they are no longer named": func(w *world) {
		pins := map[string]team.AccountID{"boss": "1", "robot": "2"}
		w.must(w.SaveProtected(w.ctx(), "octo", pins))
		w.must(w.SaveProtected(w.ctx(), "other", map[string]team.AccountID{"boss": "9"}))
		got, err := w.Protected(w.ctx(), "octo")
		w.must(err)
		w.equal(got, pins)
		w.must(w.SaveProtected(w.ctx(), "octo", map[string]team.AccountID{"robot": "2"}))
		got, err = w.Protected(w.ctx(), "octo")
		w.must(err)
		w.equal(got, map[string]team.AccountID{"robot": "2"})
	},
	"a statement is one for each user and tier, and can be taken back": func(w *world) {
		st := link.Statement{User: link.UserRef{Source: "corp", ID: "ada"}, Account: "1", Tier: link.Manual, By: "bob", At: start}
		w.must(w.AddStatement(w.ctx(), "github.com", st))
		st.Account = "2"
		w.must(w.AddStatement(w.ctx(), "github.com", st))
		self := st
		self.Tier, self.By = link.Self, "ada"
		w.must(w.AddStatement(w.ctx(), "github.com", self))
		got, err := w.Statements(w.ctx(), "github.com")
		w.must(err)
		w.equal(got, []link.Statement{st, self})
		w.must(w.RemoveStatement(w.ctx(), "github.com", st.User, link.Manual, "bob"))
		w.is(w.RemoveStatement(w.ctx(), "github.com", st.User, link.Manual, "bob"), store.ErrNotFound)
		got, err = w.Statements(w.ctx(), "github.com")
		w.must(err)
		w.equal(got, []link.Statement{self})
		w.equal(len(w.entries(store.KindLink)), 4)
	},
	"who leaves the organization is a former member, and who comes back is not": func(w *world) {
		ada, bob := team.Account{ID: "1", Login: "ada"}, team.Account{ID: "2", Login: "bob"}
		w.must(w.SaveMembers(w.ctx(), octo, []team.Account{ada, bob}, start))
		w.must(w.SaveMembers(w.ctx(), octo, []team.Account{ada}, start.Add(time.Hour)))
		w.must(w.SaveMembers(w.ctx(), octo, []team.Account{ada}, start.Add(2*time.Hour)))
		f, err := w.Former(w.ctx(), octo)
		w.must(err)
		w.equal(f, map[team.AccountID]mapping.Former{"2": {Login: "bob", LeftAt: start.Add(time.Hour)}})
		w.must(w.SaveMembers(w.ctx(), octo, []team.Account{ada, bob}, start.Add(3*time.Hour)))
		f, err = w.Former(w.ctx(), octo)
		w.must(err)
		w.equal(len(f), 0)
	},
	"members of one organization say nothing of another": func(w *world) {
		other := octo
		other.OrganizationID = "2"
		w.must(w.SaveMembers(w.ctx(), octo, []team.Account{{ID: "1", Login: "ada"}}, start))
		w.must(w.SaveMembers(w.ctx(), other, nil, start))
		f, err := w.Former(w.ctx(), octo)
		w.must(err)
		w.equal(len(f), 0)
	},
	"an invitation of a former member is counted, and a declined one remembered": func(w *world) {
		w.must(w.SaveMembers(w.ctx(), octo, []team.Account{{ID: "2", Login: "bob"}}, start))
		w.must(w.SaveMembers(w.ctx(), octo, nil, start))
		w.later(time.Hour)
		i := w.intend(w.run(), audit.Write{Act: "add", Account: "2", Login: "bob"})
		w.outcome(i, "add", "2", audit.Pending)
		w.must(w.SaveDeclined(w.ctx(), octo, []team.AccountID{"2", "3"}))
		f, err := w.Former(w.ctx(), octo)
		w.must(err)
		w.equal(f, map[team.AccountID]mapping.Former{"2": {Login: "bob", LeftAt: start, Invited: 1, LastAt: w.clock.Now(), Declined: true}})
	},
}

// row is a row of the ledger about team 7.
func row(account team.AccountID, origin mapping.LedgerOrigin, keys ...string) mapping.Entry {
	return mapping.Entry{Account: account, Origin: origin, Mappings: keys, Since: start}
}

// ledger returns the rows of team 7.
func (w *world) ledger() map[team.AccountID]mapping.Entry {
	w.Helper()
	l, err := w.Ledger(w.ctx(), octo)
	w.must(err)
	rows := map[team.AccountID]mapping.Entry{}
	for _, e := range l["7"] {
		rows[e.Account] = e
	}
	return rows
}

var ledgers = map[string]func(*world){
	"found members are recorded under one audit entry for each team": func(w *world) {
		run := w.run()
		w.must(w.Found(w.ctx(), run, octo, mapping.Ledger{
			"7": {row("1", mapping.LedgerFound, "corp/g1"), row("2", mapping.LedgerFound, "corp/g1", "corp/g2")},
			"8": {row("1", mapping.LedgerFound, "corp/g1")},
		}))
		w.equal(w.ledger(), map[team.AccountID]mapping.Entry{"1": row("1", mapping.LedgerFound, "corp/g1"), "2": row("2", mapping.LedgerFound, "corp/g1", "corp/g2")})
		entries := w.entries(store.KindFound)
		w.equal(len(entries), 2)
		w.equal(entries[1].Team, "7")
		w.equal(entries[1].Target, "octo")
		w.equal(entries[1].Actor.Requester, "ada")
		got, entry, err := w.LedgerRow(w.ctx(), octo, "7", "1")
		w.must(err)
		w.equal(got, row("1", mapping.LedgerFound, "corp/g1"))
		w.equal(entry, entries[1].Seq)
		_, _, err = w.LedgerRow(w.ctx(), octo, "7", "5")
		w.is(err, store.ErrNotFound)
	},
	"finding again brings mappings up to date and takes no grant back": func(w *world) {
		run := w.run()
		i := w.intend(run, audit.Write{Act: "add", Account: "1", Role: "maintainer", Mappings: []string{"corp/g1"}})
		w.outcome(i, "add", "1", audit.Done)
		w.must(w.Found(w.ctx(), run, octo, mapping.Ledger{"7": {row("1", mapping.LedgerFound, "corp/g2")}}))
		want := row("1", mapping.LedgerGranted, "corp/g2")
		want.Role = team.Maintainer
		w.equal(w.ledger(), map[team.AccountID]mapping.Entry{"1": want})
		before := w.verified()
		w.must(w.Found(w.ctx(), run, octo, mapping.Ledger{"7": {row("1", mapping.LedgerFound, "corp/g2")}}))
		w.equal(w.verified(), before)
	},
	"forgotten rows are gone and named in the audit record": func(w *world) {
		run := w.run()
		w.must(w.Found(w.ctx(), run, octo, mapping.Ledger{"7": {row("1", mapping.LedgerFound), row("2", mapping.LedgerFound)}}))
		w.must(w.Forget(w.ctx(), run, octo, mapping.Ledger{"7": {row("2", mapping.LedgerFound), row("3", mapping.LedgerFound)}}))
		w.equal(w.ledger(), map[team.AccountID]mapping.Entry{"1": row("1", mapping.LedgerFound)})
		e := w.entries(store.KindForget)
		w.equal(len(e), 1)
		if body := string(e[0].Body); !strings.Contains(body, `"account":"2"`) || strings.Contains(body, `"account":"3"`) {
			w.Errorf("the entry says %s", body)
		}
	},
	"restored rows are exactly as they were": func(w *world) {
		run := w.run()
		want := row("1", mapping.LedgerGranted, "corp/g1")
		want.Role, want.Since = team.Maintainer, start.Add(-time.Hour)
		w.must(w.Restore(w.ctx(), run, octo, mapping.Ledger{"7": {want}}))
		w.equal(w.ledger(), map[team.AccountID]mapping.Entry{"1": want})
		w.equal(len(w.entries(store.KindRestore)), 1)
	},
	"a first connection ends once": func(w *world) {
		w.must(w.SaveConnected(w.ctx(), octo, []team.ID{"7"}, start))
		w.must(w.SaveConnected(w.ctx(), octo, []team.ID{"7", "8"}, start.Add(time.Hour)))
		c, err := w.Connected(w.ctx(), octo)
		w.must(err)
		w.equal(c, map[team.ID]time.Time{"7": start, "8": start.Add(time.Hour)})
	},
	"absences are replaced": func(w *world) {
		w.must(w.SaveAbsences(w.ctx(), octo, mapping.Absences{"7": {"1": 1, "2": 1}, "8": {"1": 1}}, start))
		w.must(w.SaveAbsences(w.ctx(), octo, mapping.Absences{"7": {"1": 2}}, start.Add(time.Hour)))
		a, read, err := w.Absences(w.ctx(), octo)
		w.must(err)
		w.equal(a, mapping.Absences{"7": {"1": 2}})
		w.equal(read, start.Add(time.Hour))
	},
}

var runs = map[string]func(*world){
	"a run takes the requests that wait and writes first the teams that they name": func(w *world) {
		for i, teams := range [][]team.ID{{"7"}, nil, {"8", "7"}} {
			_, err := w.AddRequest(w.ctx(), reconcile.Request{
				Target: "octo", Teams: teams, Trigger: "event", Asker: "webhook", Why: "team changed", AskedAt: start.Add(time.Duration(i) * time.Second),
			})
			w.must(err)
		}
		waiting, err := w.Requests(w.ctx(), "octo")
		w.must(err)
		w.equal(len(waiting), 3)
		w.equal(waiting[0].Teams, []team.ID{"7"})
		w.equal(waiting[2].Asker, "webhook")
		r, err := w.Begin(w.ctx(), reconcile.Run{Target: "octo", Trigger: "event"})
		w.must(err)
		w.equal(r.Requests, waiting)
		w.equal(r.Taken, waiting)
		r.Requests, r.Taken = nil, nil
		w.equal(r, reconcile.Run{ID: "1", Target: "octo", Trigger: "event", StartedAt: start, First: []team.ID{"7", "8"}})
		waiting, err = w.Requests(w.ctx(), "octo")
		w.must(err)
		w.equal(len(waiting), 0)
	},
	"a request that comes during a run is taken by its next slice": func(w *world) {
		first := w.run()
		_, err := w.AddRequest(w.ctx(), reconcile.Request{Target: "octo", Teams: []team.ID{"9"}})
		w.must(err)
		r, err := w.Begin(w.ctx(), reconcile.Run{Target: "octo", Trigger: "schedule"})
		w.must(err)
		w.equal(r.ID, first)
		w.equal(r.Trigger, "person")
		w.equal(r.First, []team.ID{"9"})
	},
	"a run keeps what it has read until it is finished": func(w *world) {
		run := w.run()
		r, err := w.RunReading(w.ctx(), run)
		w.must(err)
		if r != nil {
			w.Error("a reading of a run that has read nothing")
		}
		s := snapshot(start, "sre bob")
		want := &reconcile.Reading{
			Sources: map[string]mapping.Reading{"corp": {Snapshot: s}, "people": {Failed: "no such file"}}, Credential: "App 12", Place: octo,
			Accounts:   []team.Account{{ID: "1", Login: "ada", Owner: true, Identities: []team.Identity{{GUID: "g", NameID: "ada@example.com"}}}},
			AccountsAt: start, Identities: true, TeamsAt: start, Touched: []team.ID{"7"}, Slices: 2,
			Teams: []team.Team{{ID: "7", Slug: "platform", Members: []team.Membership{{Account: "1", Login: "ada", Role: team.Maintainer}}}},
		}
		w.must(w.SaveRunReading(w.ctx(), run, want))
		r, err = w.RunReading(w.ctx(), run)
		w.must(err)
		w.equal(r, want)
		w.must(w.Finish(w.ctx(), run, reconcile.Report{State: "done"}))
		r, err = w.RunReading(w.ctx(), run)
		w.must(err)
		if r != nil {
			w.Error("a finished run still has its reading")
		}
	},
	"what a run asks of its target adds up": func(w *world) {
		run := w.run()
		w.must(w.CountCalls(w.ctx(), run, target.Calls{Made: 7, Cost: 12}))
		w.must(w.CountCalls(w.ctx(), run, target.Calls{Made: 2}))
		w.must(w.Finish(w.ctx(), run, reconcile.Report{State: "done"}))
		want := target.Calls{Made: 9, Cost: 12}
		one, err := w.Store.Run(w.ctx(), run)
		w.must(err)
		w.equal(one.Calls, want)
		of, err := w.RunsOf(w.ctx(), store.RunFilter{})
		w.must(err)
		w.equal(of[0].Calls, want)
		other := w.run()
		all, err := w.Runs(w.ctx(), "", "", 0)
		w.must(err)
		w.equal([]target.Calls{all[0].Calls, all[1].Calls}, []target.Calls{{}, want})
		w.must(w.Finish(w.ctx(), other, reconcile.Report{State: "done"}))
	},
	"a PATCH changes the groups of a team, and neither role nor mode of those that stay": func(w *world) {
		platform := func(group string, role team.Role, mode mapping.Mode) mapping.Mapping {
			return mapping.Mapping{Team: "platform", Source: "corp", Group: group, GroupID: directory.GroupID(group), Role: role, Mode: mode}
		}
		_, err := w.MapTeam(w.ctx(), "octo", "7", []mapping.Mapping{platform("a", team.Member, "")}, mapping.Disconnect{By: "ada"})
		w.must(err)
		// What the PATCH was made from is older than what somebody sets meanwhile.
		_, _, err = w.MapTeamIf(w.ctx(), "octo", "7", nil, []mapping.Mapping{platform("a", team.Maintainer, mapping.Additive)}, mapping.Disconnect{By: "bob"}, nil)
		w.must(err)
		_, err = w.MapTeam(w.ctx(), "octo", "7", []mapping.Mapping{platform("a", team.Member, ""), platform("b", team.Member, "")}, mapping.Disconnect{By: "ada"})
		w.must(err)
		now, err := w.Mappings(w.ctx(), "octo")
		w.must(err)
		w.equal(len(now), 2)
		w.equal([]any{now[0].Group, now[0].Role, now[0].Mode}, []any{"a", team.Maintainer, mapping.Additive})
		w.equal(now[1].Group, "b")
	},
	"runs are listed with their reports, the newest first": func(w *world) {
		report := reconcile.Report{Run: "1", State: "objected", Summary: plan.Summary{Teams: 1, Remove: 4}, Objected: 4, At: start.Add(time.Minute)}
		w.must(w.Finish(w.ctx(), w.run(), report))
		w.is(w.Finish(w.ctx(), "1", report), store.ErrNotFound)
		second := w.run()
		all, err := w.Runs(w.ctx(), "octo", "", 0)
		w.must(err)
		w.equal(len(all), 2)
		w.equal(all[0].ID, second)
		w.equal(all[0].FinishedAt.IsZero(), true)
		w.equal(all[1].Report, report)
		older, err := w.Runs(w.ctx(), "", second, 1)
		w.must(err)
		w.equal(older[0].ID, "1")
		one, err := w.Store.Run(w.ctx(), "1")
		w.must(err)
		w.equal(one, all[1])
		_, err = w.Store.Run(w.ctx(), "77")
		w.is(err, store.ErrNotFound)
	},
	"the last plan comes back with its objections and the same digest": func(w *world) {
		_, err := w.LastPlan(w.ctx(), "octo")
		w.is(err, store.ErrNotFound)
		run := w.run()
		p := plan.Compute("octo", []team.Wanted{{Team: "7", Sources: []string{"corp"}, Members: []team.Want{
			{Account: "1", Login: "ada", In: team.Yes, Role: team.Maintainer, Why: []team.Reason{{Mapping: "file:1", Path: []string{"corp/sre"}, Link: "saml"}}},
			{Account: "2", In: team.Out, Why: []team.Reason{{Rule: team.NotInGroup}}},
		}}}, []team.Team{{ID: "7", Slug: "platform", Members: []team.Membership{{Account: "2", Login: "bob"}}}})
		p.Held = []plan.Held{{Team: "7", Slug: "platform", User: "corp/joe", Reason: "not-linked"}}
		objections := []guard.Objection{{Guard: "team_removals", Team: "7", Changes: []guard.Ref{{Team: "7", Account: "2", Act: plan.Remove}}, Message: "loses 1 of 1"}}
		w.must(w.SavePlan(w.ctx(), run, p, objections))
		got, err := w.LastPlan(w.ctx(), "octo")
		w.must(err)
		w.equal(got, store.Plan{Run: run, At: start, Plan: p, Objections: objections})
	},
}

var waivers = map[string]func(*world){
	"a waiver loses the changes that are settled and stays to be seen": func(w *world) {
		change := func(id team.ID, slug string, account team.AccountID) guard.Waived {
			return guard.Waived{Ref: guard.Ref{Team: id, Slug: slug, Account: account, Act: plan.Remove}, Role: "member", Guards: []string{"team_removals"}}
		}
		id, err := w.AddWaiver(w.ctx(), guard.Waiver{Target: "octo", Changes: []guard.Waived{change("7", "", "1"), change("7", "", "2"), change("", "new", "1")}, By: "ada", Reason: "reorganization"})
		w.must(err)
		w.must(w.SettleWaivers(w.ctx(), "octo", []guard.Ref{{Team: "7", Slug: "renamed", Account: "1", Act: plan.Remove}, {Team: "7", Account: "2", Act: plan.Add}, {Slug: "new", Account: "1", Act: plan.Remove}}))
		w.must(w.SettleWaivers(w.ctx(), "other", []guard.Ref{{Team: "7", Account: "2", Act: plan.Remove}}))
		got, err := w.Waivers(w.ctx(), "octo")
		w.must(err)
		w.equal(got, []guard.Waiver{{ID: id, Target: "octo", Changes: []guard.Waived{change("7", "", "2")}, By: "ada", Reason: "reorganization", At: start}})
		all, err := w.ListWaivers(w.ctx(), "octo", time.Time{})
		w.must(err)
		w.equal(len(all[0].Changes), 3)
		w.equal(all[0].Settled, []time.Time{start, {}, start})
		w.must(w.SettleWaivers(w.ctx(), "octo", []guard.Ref{{Team: "7", Account: "2", Act: plan.Remove}}))
		got, err = w.Waivers(w.ctx(), "octo")
		w.must(err)
		w.equal(len(got), 0)
		w.equal(w.entries(store.KindWaiver)[0].Actor.Requester, "ada")
	},
	"an old waiver is still handed to the guard, a very old one is not": func(w *world) {
		_, err := w.AddWaiver(w.ctx(), guard.Waiver{Target: "octo", Changes: []guard.Waived{{Ref: guard.Ref{Team: "7", Account: "1", Act: plan.Add}}}})
		w.must(err)
		for after, want := range []int{1, 0} {
			w.later(guard.WaiverLife + time.Hour)
			got, err := w.Waivers(w.ctx(), "octo")
			w.must(err)
			if len(got) != want {
				w.Errorf("after %d lives there are %d waivers", after+1, len(got))
			}
		}
	},
	"a waiver of nothing is refused": func(w *world) {
		if _, err := w.AddWaiver(w.ctx(), guard.Waiver{Target: "octo"}); err == nil {
			w.Error("it was kept")
		}
	},
}
