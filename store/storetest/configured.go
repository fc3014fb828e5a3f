package storetest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/google/go-cmp/cmp"

	"musterline.example/directory"
	"musterline.example/internal/secret"
	"musterline.example/mapping"
	"musterline.example/setting"
	"musterline.example/store"
	"musterline.example/team"
)

// corp is a change of the source corp.
func corp(body string, version int64, secrets map[string]setting.Secret) store.Change {
	return store.Change{Section: "sources", Name: "corp", Body: json.RawMessage(body), Version: version, Secrets: secrets, By: "ada"}
}

// configured are about rows that administrators make instead of the file.
var configured = map[string]func(*world){
	"a configured row is what was put, without its secrets": func(w *world) {
		now, err := w.PutConfigured(w.ctx(), corp(`{ "kind": "ldap" }`, 0, map[string]setting.Secret{"bind_password": "hunter2", "cert": "pem"}))
		w.must(err)
		want := store.Configured{
			Section: "sources", Name: "corp", Body: json.RawMessage(`{"kind":"ldap"}`), Secrets: []string{"bind_password", "cert"}, Version: 1, By: "ada", At: start,
		}
		w.equal(now, want)
		got, err := w.Configured(w.ctx(), "sources", "corp")
		w.must(err)
		w.equal(got, want)
		_, err = w.Configured(w.ctx(), "targets", "corp")
		w.is(err, store.ErrNotFound)
	},
	"a change from a stale version is a conflict and changes nothing": func(w *world) {
		first, err := w.PutConfigured(w.ctx(), corp(`1`, 0, nil))
		w.must(err)
		second, err := w.PutConfigured(w.ctx(), corp(`2`, first.Version, nil))
		w.must(err)
		for _, version := range []int64{0, first.Version, second.Version + 1} {
			_, err = w.PutConfigured(w.ctx(), corp(`3`, version, map[string]setting.Secret{"token": "x"}))
			w.is(err, store.ErrConflict)
			w.is(w.DeleteConfigured(w.ctx(), corp(``, version, nil)), store.ErrConflict)
		}
		got, err := w.Configured(w.ctx(), "sources", "corp")
		w.must(err)
		w.equal(got, second)
		third, err := w.PutConfigured(w.ctx(), corp(`3`, store.AnyVersion, nil))
		w.must(err)
		w.equal(string(third.Body), "3")
		w.equal(len(w.entries(store.KindConfigured)), 3)
	},
	"a row that was deleted and made again has no version that it had before": func(w *world) {
		first, err := w.PutConfigured(w.ctx(), corp(`1`, 0, nil))
		w.must(err)
		w.must(w.DeleteConfigured(w.ctx(), corp(``, first.Version, nil)))
		w.is(w.DeleteConfigured(w.ctx(), corp(``, store.AnyVersion, nil)), store.ErrNotFound)
		again, err := w.PutConfigured(w.ctx(), corp(`1`, 0, nil))
		w.must(err)
		if again.Version <= first.Version {
			w.Errorf("version %d after %d", again.Version, first.Version)
		}
	},
	"the same again leaves the version and no entry": func(w *world) {
		first, err := w.PutConfigured(w.ctx(), corp(`{"a":1}`, 0, nil))
		w.must(err)
		w.later(1000)
		again, err := w.PutConfigured(w.ctx(), corp(`{ "a": 1 }`, first.Version, map[string]setting.Secret{"never": ""}))
		w.must(err)
		w.equal(again, first)
		w.equal(len(w.entries(store.KindConfigured)), 1)
	},
	"each change leaves one entry with the body before and after, and what happened to secrets": func(w *world) {
		c := corp(`{"a":1}`, 0, map[string]setting.Secret{"token": "sesame1", "cert": "sesame2"})
		c.Target = "octo"
		now, err := w.PutConfigured(w.ctx(), c)
		w.must(err)
		now, err = w.PutConfigured(w.ctx(), corp(`{"a":2}`, now.Version, map[string]setting.Secret{"token": "sesame3", "key": "sesame4", "cert": ""}))
		w.must(err)
		w.equal(now.Secrets, []string{"key", "token"})
		w.must(w.DeleteConfigured(w.ctx(), corp(``, now.Version, nil)))
		e := w.entries(store.KindConfigured)
		w.equal(len(e), 3)
		w.equal([]string{e[2].Act, e[2].Target, e[2].Actor.Requester, e[1].Act, e[0].Act}, []string{"create", "octo", "ada", "change", "delete"})
		w.equal(string(e[2].Body), `{"section":"sources","name":"corp","version":1,"after":{"a":1},"secrets":{"cert":"set","token":"set"}}`)
		w.equal(string(e[1].Body),
			`{"section":"sources","name":"corp","version":2,"before":{"a":1},"after":{"a":2},"secrets":{"cert":"removed","key":"set","token":"changed"}}`)
		w.equal(string(e[0].Body), `{"section":"sources","name":"corp","version":3,"before":{"a":2},"secrets":{"key":"removed","token":"removed"}}`)
		w.equal(len(w.entries("")), 3) // none beside these, of the credentials
		body, err := json.Marshal(e)
		w.must(err)
		if strings.Contains(string(body), "sesame") {
			w.Error("the audit record holds a secret")
		}
		w.verified()
	},
	"a change whose audit entry cannot be written did not happen": func(w *world) {
		first, err := w.PutConfigured(w.ctx(), corp(`1`, 0, map[string]setting.Secret{"token": "old"}))
		w.must(err)
		w.db.Exec(w, "ALTER TABLE audit_entries RENAME TO away")
		if _, err := w.PutConfigured(w.ctx(), corp(`2`, first.Version, map[string]setting.Secret{"token": "new"})); err == nil {
			w.Error("it was made")
		}
		if w.DeleteConfigured(w.ctx(), corp(``, first.Version, nil)) == nil {
			w.Error("it was deleted")
		}
		w.db.Exec(w, "ALTER TABLE away RENAME TO audit_entries")
		rows, revision, err := w.OpenConfigured(w.ctx())
		w.must(err)
		w.equal([]any{len(rows), string(rows[0].Body), rows[0].Values["token"].Reveal(), revision}, []any{1, "1", "old", first.Version})
	},
	"rows are opened with their secrets as they are at one moment": func(w *world) {
		_, err := w.PutConfigured(w.ctx(), corp(`1`, 0, map[string]setting.Secret{"token": "a", "cert": "b"}))
		w.must(err)
		_, err = w.PutConfigured(w.ctx(), corp(`1`, store.AnyVersion, map[string]setting.Secret{"token": "c"}))
		w.must(err)
		rows, revision, err := w.OpenConfigured(w.ctx())
		w.must(err)
		now, err := w.ConfiguredRevision(w.ctx())
		w.must(err)
		w.equal([]int64{revision, now, rows[0].Version}, []int64{2, 2, 2})
		w.equal([]string{rows[0].Values["token"].Reveal(), rows[0].Values["cert"].Reveal()}, []string{"c", "b"})
		w.must(w.DeleteConfigured(w.ctx(), corp(``, store.AnyVersion, nil)))
		rows, revision, err = w.OpenConfigured(w.ctx())
		w.must(err)
		w.equal([]any{len(rows), revision}, []any{0, int64(3)})
		if w.db.Try("INSERT INTO credentials (place, sealed, at) VALUES ('configured:sources/corp/token', 'x', 0)") != nil {
			w.Error("a secret outlived its row")
		}
	},
	"a secret is bound to its row": func(w *world) {
		_, err := w.PutConfigured(w.ctx(), corp(`1`, 0, map[string]setting.Secret{"token": "mine"}))
		w.must(err)
		other := corp(`1`, 0, map[string]setting.Secret{"b/token": "other"})
		_, err = w.PutConfigured(w.ctx(), other)
		w.is(err, store.ErrConflict)
		other.Name = "a"
		_, err = w.PutConfigured(w.ctx(), other)
		w.must(err)
		other.Name, other.Secrets = "a/b", map[string]setting.Secret{"token": "another"}
		_, err = w.PutConfigured(w.ctx(), other)
		w.must(err)
		rows, _, err := w.OpenConfigured(w.ctx())
		w.must(err)
		w.equal([]string{rows[0].Values["b/token"].Reveal(), rows[1].Values["token"].Reveal()}, []string{"other", "another"})
		w.db.Exec(w, `UPDATE credentials SET sealed = (SELECT sealed FROM credentials WHERE place = 'configured:sources/corp/token')
			WHERE place = 'configured:sources/a/b%2Ftoken'`)
		_, _, err = w.OpenConfigured(w.ctx())
		w.is(err, secret.ErrWrongKey)
	},
	"rows are listed by section and name": func(w *world) {
		for _, at := range [][2]string{{"targets", "b"}, {"sources", "z"}, {"sources", "Z"}, {"sources", "é"}, {"sources", "a-b"}, {"sources", "ab"}} {
			_, err := w.PutConfigured(w.ctx(), store.Change{Section: at[0], Name: at[1], Body: json.RawMessage(`{}`), By: "ada"})
			w.must(err)
		}
		names := func(section string) (names []string) {
			rows, err := w.ListConfigured(w.ctx(), section)
			w.must(err)
			for _, r := range rows {
				names = append(names, r.Section+"/"+r.Name)
			}
			return names
		}
		w.equal(names("sources"), []string{"sources/Z", "sources/a-b", "sources/ab", "sources/z", "sources/é"})
		w.equal(len(names("")), 6)
		w.equal(len(names("rules")), 0)
	},
	"what is no JSON or has no name is refused": func(w *world) {
		for _, c := range []store.Change{
			corp(``, 0, nil), corp(`{`, 0, nil), corp(`{} {}`, 0, nil), corp("\"\xff\"", 0, nil), {Name: "x", Body: json.RawMessage(`1`)},
			{Section: "x", Body: json.RawMessage(`1`)}, {Section: "x", Name: "a\x00", Body: json.RawMessage(`1`)},
			{Section: "x", Name: "\xff", Body: json.RawMessage(`1`)}, corp(`1`, 0, map[string]setting.Secret{"": "x"}),
		} {
			if _, err := w.PutConfigured(w.ctx(), c); err == nil {
				w.Errorf("%q %q %q was put", c.Section, c.Name, c.Body)
			}
		}
		rows, err := w.ListConfigured(w.ctx(), "")
		w.must(err)
		w.equal(len(rows), 0)
	},
	"of many who change one version at once one succeeds": func(w *world) {
		first, err := w.PutConfigured(w.ctx(), corp(`0`, 0, nil))
		w.must(err)
		var wait sync.WaitGroup
		results := make([]error, 8)
		for i := range results {
			wait.Go(func() { _, results[i] = w.PutConfigured(w.ctx(), corp(fmt.Sprint(i+1), first.Version, nil)) })
		}
		wait.Wait()
		var won int
		for _, err := range results {
			if err == nil {
				won++
				continue
			}
			w.is(err, store.ErrConflict)
		}
		w.equal(won, 1)
		w.verified()
	},
	"a change that was checked against rows of which another has changed since is refused, and nothing is written": func(w *world) {
		first, err := w.PutConfigured(w.ctx(), corp(`1`, 0, map[string]setting.Secret{"token": "old"}))
		w.must(err)
		_, revision, err := w.OpenConfigured(w.ctx())
		w.must(err)
		other := store.Change{Section: "rules", Name: "x", Body: json.RawMessage(`1`), Revision: &revision, By: "joe"}
		_, err = w.PutConfigured(w.ctx(), other)
		w.must(err)
		stale := corp(`2`, first.Version, map[string]setting.Secret{"token": "new"})
		stale.Revision = &revision
		_, err = w.PutConfigured(w.ctx(), stale)
		w.is(err, store.ErrRevised)
		w.is(w.DeleteConfigured(w.ctx(), stale), store.ErrRevised)
		rows, now, err := w.OpenConfigured(w.ctx())
		w.must(err)
		w.equal([]any{len(rows), now, len(w.entries(store.KindConfigured))}, []any{2, revision + 1, 2})
		w.equal(rows[1].Configured, first)
		w.equal(rows[1].Values["token"].Reveal(), "old")
		stale.Revision = &now
		_, err = w.PutConfigured(w.ctx(), stale)
		w.must(err)
		w.verified()
	},
	"of many who check different rows against one revision at once one succeeds": func(w *world) {
		var wait sync.WaitGroup
		results := make([]error, 8)
		for i := range results {
			wait.Go(func() {
				c := store.Change{Section: "targets", Name: fmt.Sprint(i), Body: json.RawMessage(`1`), Revision: new(int64), By: "ada"}
				_, results[i] = w.PutConfigured(w.ctx(), c)
			})
		}
		wait.Wait()
		won := 0
		for _, err := range results {
			if err == nil {
				won++
				continue
			}
			w.is(err, store.ErrRevised)
		}
		rows, err := w.ListConfigured(w.ctx(), "")
		w.must(err)
		w.equal([]int{won, len(rows)}, []int{1, 1})
		w.verified()
	},

	"the mappings of a team are read without those of others": func(w *world) {
		a := w.mapByAPI("7", "g1", "g2")
		w.mapByAPI("8", "g1")
		got, err := w.TeamMappings(w.ctx(), "octo", "7")
		w.must(err)
		w.equal(got, a)
		rule := mapping.Mapping{
			ID: "rule:1", Origin: mapping.FromRule, Target: "octo", Team: "sre", TeamID: "9", Source: "corp", Group: "x", GroupID: "x",
			Role: team.Maintainer, New: &team.New{Name: "sre"},
		}
		w.must(w.SaveMappings(w.ctx(), "octo", []mapping.Mapping{rule}, nil))
		got, err = w.TeamMappings(w.ctx(), "octo", "9")
		w.must(err)
		w.equal(got, []mapping.Mapping{rule})
		for _, m := range w.mapped() { // what is read of one team is what is read of all
			got, err = w.TeamMappings(w.ctx(), "octo", m.TeamID)
			w.must(err)
			if !slices.ContainsFunc(got, func(one mapping.Mapping) bool { return cmp.Equal(one, m) }) {
				w.Errorf("%s is not among %v", m.ID, got)
			}
		}
		for _, of := range []struct {
			target string
			id     team.ID
		}{{"other", "7"}, {"octo", "10"}} {
			got, err = w.TeamMappings(w.ctx(), of.target, of.id)
			w.must(err)
			w.equal(len(got), 0)
		}
		if _, err := w.TeamMappings(w.ctx(), "octo", ""); err == nil {
			w.Error("it read the mappings of no team")
		}
	},
	"a target that is turned off is disconnected from what the API mapped, in the same transaction": func(w *world) {
		e, version, err := w.Enabled(w.ctx(), "octo")
		w.must(err)
		w.equal([]any{e, version}, []any{store.Enabled{On: true}, int64(0)})
		w.mapByAPI("7", "g1", "g2")
		w.mapByAPI("8", "g1")
		w.load(inFile(1, "docs", "writers"))
		before := len(w.entries(store.KindMapping))
		row, err := w.SetEnabled(w.ctx(), "octo", store.Enabled{Keep: true}, 0, "joe")
		w.must(err)
		w.equal(w.mapped(), []mapping.Mapping{inFile(1, "docs", "writers")})
		w.equal(w.disconnects(), []mapping.Disconnect{
			{Team: "7", Until: start, By: "joe", Origin: mapping.FromAPI, Keep: true},
			{Team: "8", Until: start, By: "joe", Origin: mapping.FromAPI, Keep: true},
		})
		e, version, err = w.Enabled(w.ctx(), "octo")
		w.must(err)
		w.equal([]any{e, version}, []any{store.Enabled{Keep: true}, row.Version})
		w.equal(len(w.entries(store.KindMapping))-before, 2)
		w.equal(w.entries(store.KindMapping)[0].Actor.Requester, "joe")
		said := w.entries(store.KindConfigured)[0]
		w.equal([]string{said.Target, string(said.Body)},
			[]string{"octo", `{"section":"enabled","name":"octo","version":1,"after":{"enabled":false,"members":"keep"}}`})
		_, err = w.SetEnabled(w.ctx(), "octo", store.Enabled{On: true}, 0, "joe")
		w.is(err, store.ErrConflict)
		_, err = w.SetEnabled(w.ctx(), "octo", store.Enabled{On: true}, version, "joe")
		w.must(err)
		e, _, err = w.Enabled(w.ctx(), "octo")
		w.must(err)
		w.equal(e, store.Enabled{On: true})
		w.verified()
	},
	"a target that cannot be disconnected is not turned off": func(w *world) {
		w.mapByAPI("7", "g1")
		w.db.Exec(w, "ALTER TABLE disconnects RENAME TO away")
		if _, err := w.SetEnabled(w.ctx(), "octo", store.Enabled{}, 0, "joe"); err == nil {
			w.Error("it was")
		}
		w.db.Exec(w, "ALTER TABLE away RENAME TO disconnects")
		e, _, err := w.Enabled(w.ctx(), "octo")
		w.must(err)
		w.equal(e.On, true)
		w.equal(len(w.mapped()), 1)
	},
	"all teams are disconnected at once, without a grace": func(w *world) {
		w.mapByAPI("7", "g1")
		w.mapByAPI("8", "g1")
		teams, err := w.DisconnectAll(w.ctx(), "octo", false, "joe")
		w.must(err)
		w.equal(teams, []team.ID{"7", "8"})
		w.equal(w.disconnects(), []mapping.Disconnect{
			{Team: "7", Until: start, By: "joe", Origin: mapping.FromAPI}, {Team: "8", Until: start, By: "joe", Origin: mapping.FromAPI},
		})
		n := len(w.entries(""))
		teams, err = w.DisconnectAll(w.ctx(), "octo", false, "joe")
		w.must(err)
		w.equal([]int{len(teams), len(w.entries(""))}, []int{0, n})
		_, err = w.DisconnectAll(w.ctx(), "other", true, "joe")
		w.must(err)
	},
}

// mapByAPI maps a team to groups as a PATCH does.
func (w *world) mapByAPI(of team.ID, groups ...string) []mapping.Mapping {
	w.Helper()
	var wanted []mapping.Mapping
	for _, g := range groups {
		wanted = append(wanted, mapping.Mapping{Team: "team-" + string(of), Source: "corp", Group: g, GroupID: directory.GroupID(g), Echo: mapping.Echo{Name: "As " + g}})
	}
	now, err := w.MapTeam(w.ctx(), "octo", of, wanted, mapping.Disconnect{By: "ada"})
	w.must(err)
	return now
}
