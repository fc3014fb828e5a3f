package storetest

import (
	"slices"

	"musterline.example/audit"
	"musterline.example/mapping"
	"musterline.example/team"
)

// names are what people call the ids in the record.
var names = map[string]func(*world){
	"names are those of the last read, else those of the last write": func(w *world) {
		ada, eve := add("1"), audit.Write{Act: "remove", Account: "5", Login: "eve-old"}
		run := w.run()
		id := w.intend(run, ada, eve)
		w.outcome(id, "add", "1", audit.Done)
		w.outcome(id, "remove", "5", audit.Done)
		gone, err := w.Intent(w.ctx(), audit.Intent{Run: run, Target: "octo", Team: "70", Slug: "gone", Writes: []audit.Write{{Act: "add", Account: "6", Login: "six"}}})
		w.must(err)
		w.must(w.Outcome(w.ctx(), gone, audit.Outcome{Act: "add", Account: "6", Team: "70", Result: audit.Failed}))
		w.must(w.SaveMembers(w.ctx(), octo, []team.Account{{ID: "1", Login: "ada-now"}}, start))
		w.must(w.SaveTeams(w.ctx(), octo, []team.Team{{ID: "7", Slug: "platform-now"}}, start, false))
		w.must(w.SaveMappings(w.ctx(), "octo", []mapping.Mapping{{ID: "file:1", Origin: mapping.FromFile, Target: "octo", Team: "mapped", TeamID: "71", Source: "corp", Group: "g", GroupID: "g"}}, nil))

		slugs, logins, err := w.Names(w.ctx(), "octo", []team.ID{"7", "70", "71", "72"}, []team.AccountID{"1", "5", "6", "99"})
		w.must(err)
		w.equal(slugs, map[team.ID]string{"7": "platform-now", "70": "gone", "71": "mapped"})
		w.equal(logins, map[team.AccountID]string{"1": "ada-now", "5": "eve-old", "6": "six"})
	},
	"a target learns no names of another": func(w *world) {
		id := w.intend(w.run(), add("1"))
		w.outcome(id, "add", "1", audit.Done)
		w.must(w.SaveMembers(w.ctx(), octo, []team.Account{{ID: "1", Login: "ada"}}, start))
		slugs, logins, err := w.Names(w.ctx(), "hex", []team.ID{"7"}, []team.AccountID{"1"})
		w.must(err)
		w.equal(len(slugs)+len(logins), 0)
	},
	"a team is known by its id, its name, and the names that it had when it was written": func(w *world) {
		for slug, id := range map[string]string{"first-name": "70", "second-name": "70", "reused": "71"} {
			_, err := w.Intent(w.ctx(), audit.Intent{Run: w.run(), Target: "octo", Team: id, Slug: slug})
			w.must(err)
		}
		w.must(w.SaveTeams(w.ctx(), octo, []team.Team{{ID: "70", Slug: "now"}, {ID: "72", Slug: "reused"}}, start, false))
		for word, want := range map[string][]team.ID{
			"70": {"70"}, "now": {"70"}, "first-name": {"70"}, "second-name": {"70"}, "71": {"71"}, "reused": {"72"}, "nothing": nil, "": nil,
		} {
			ids, err := w.TeamsCalled(w.ctx(), "octo", word)
			w.must(err)
			if !slices.Equal(ids, want) {
				w.Errorf("%q is %v, not %v", word, ids, want)
			}
			other, err := w.TeamsCalled(w.ctx(), "hex", word)
			w.must(err)
			w.equal(len(other), 0)
		}
	},
	"names are found for more than a thousand at once": func(w *world) {
		var accounts []team.Account
		var ids []team.AccountID
		for i := range 1200 {
			id := team.AccountID("a" + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676)))
			accounts, ids = append(accounts, team.Account{ID: id, Login: "login-" + string(id)}), append(ids, id)
		}
		w.run()
		w.must(w.SaveMembers(w.ctx(), octo, accounts, start))
		_, logins, err := w.Names(w.ctx(), "octo", nil, ids)
		w.must(err)
		w.equal(len(logins), 1200)
	},
}
