package storetest

import (
	"time"

	"musterline.example/audit"
	"musterline.example/plan"
	"musterline.example/reconcile"
	"musterline.example/store"
	"musterline.example/team"
)

// design is a team as it was read.
var design = team.Team{
	ID: "7", Slug: "design", Name: "Design", Parent: "3", Children: []team.Ref{{ID: "8", Slug: "icons"}},
	Members: []team.Membership{{Account: "1", Login: "ada-l"}, {Account: "2", Login: "bob", Role: team.Maintainer}, {Account: "5", Login: "eve", Pending: true}},
}

var teams = map[string]func(*world){
	"teams are kept as they were read, with when that was": func(w *world) {
		w.must(w.SaveTeams(w.ctx(), octo, []team.Team{design, {ID: "9", Slug: "Admins", Name: "Admins"}}, start, false))
		all, listed, err := w.Teams(w.ctx(), "octo", octo)
		w.must(err)
		if len(all) != 2 || all[0].Slug != "Admins" || all[1].Size != 3 || !all[1].ReadAt.Equal(start) || !listed.IsZero() {
			w.Errorf("%+v, listed %v", all, listed)
		}
		one, err := w.KnownTeam(w.ctx(), "octo", octo, "7")
		w.must(err)
		w.equal(one, store.KnownTeam{Team: design, Size: 3, ReadAt: start})
		_, err = w.KnownTeam(w.ctx(), "octo", octo, "404")
		w.is(err, store.ErrNotFound)
	},
	"a team that a run has taken from an earlier one was not read anew, unless it is another now": func(w *world) {
		moved := design
		moved.ID, moved.Slug = "10", "moved"
		w.must(w.SaveTeams(w.ctx(), octo, []team.Team{design, moved}, start, false))
		moved.Members = moved.Members[:1]
		w.must(w.SaveTeams(w.ctx(), octo, []team.Team{design, moved}, start.Add(time.Hour), true))
		all, _, err := w.Teams(w.ctx(), "octo", octo)
		w.must(err)
		if len(all) != 2 || !all[0].ReadAt.Equal(start) || !all[1].ReadAt.Equal(start.Add(time.Hour)) || all[1].Size != 1 {
			w.Errorf("%+v", all)
		}
	},
	"a list of teams names all, forgets those that are gone and takes nothing from what was read": func(w *world) {
		w.must(w.SaveTeams(w.ctx(), octo, []team.Team{design, {ID: "9", Slug: "gone", Name: "Gone"}}, start, false))
		renamed := design
		renamed.Slug, renamed.Name, renamed.Members, renamed.Children = "look", "Look", nil, nil
		w.must(w.SaveTeamList(w.ctx(), octo, []team.Team{renamed, {ID: "11", Slug: "free", Name: "Free"}}, start.Add(time.Minute)))
		all, listed, err := w.Teams(w.ctx(), "octo", octo)
		w.must(err)
		if len(all) != 2 || all[0].Slug != "free" || !all[0].ReadAt.IsZero() || all[1].Slug != "look" || all[1].Size != 3 || !listed.Equal(start.Add(time.Minute)) {
			w.Errorf("%+v, listed %v", all, listed)
		}
		one, err := w.KnownTeam(w.ctx(), "octo", octo, "7")
		w.must(err)
		if len(one.Members) != 3 || len(one.Children) != 1 || one.Name != "Look" {
			w.Errorf("%+v", one)
		}
	},
	"what we have changed since a team was read is reckoned in": func(w *world) {
		w.must(w.SavePlace(w.ctx(), "octo", octo))
		run, err := w.Begin(w.ctx(), reconcile.Run{Target: "octo", Trigger: reconcile.ByPerson})
		w.must(err)
		w.must(w.SaveTeams(w.ctx(), octo, []team.Team{design}, start, false))
		w.later(time.Minute)
		id, err := w.Intent(w.ctx(), audit.Intent{Run: run.ID, Target: "octo", Team: "7", Slug: "design", Writes: []audit.Write{
			{Act: "add", Account: "4", Login: "dee", Role: "maintainer"},
			{Act: "remove", Account: "1", Login: "ada-l", Rule: string(team.NotInGroup)},
			{Act: "update", Account: "2", Login: "bob", Role: "member", Rule: string(team.AddedByHand)},
			{Act: "remove", Account: "5", Login: "eve"},
		}})
		w.must(err)
		for _, o := range []audit.Outcome{
			{Act: "add", Account: "4", Result: audit.Done}, {Act: "remove", Account: "1", Result: audit.Done},
			{Act: "update", Account: "2", Result: audit.Done}, {Act: "remove", Account: "5", Result: audit.Failed},
		} {
			w.must(w.Outcome(w.ctx(), id, o))
		}
		one, err := w.KnownTeam(w.ctx(), "octo", octo, "7")
		w.must(err)
		w.equal(one.Members, []team.Membership{
			{Account: "2", Login: "bob"}, {Account: "4", Login: "dee", Role: team.Maintainer}, {Account: "5", Login: "eve", Pending: true},
		})
		all, _, err := w.Teams(w.ctx(), "octo", octo)
		w.must(err)
		if all[0].Size != 3 || !all[0].ChangedAt.Equal(start.Add(time.Minute)) {
			w.Errorf("%+v", all[0])
		}
	},
	"what was done is counted by day, act, and whether it put right another's hand": func(w *world) {
		w.must(w.SavePlace(w.ctx(), "octo", octo))
		run, err := w.Begin(w.ctx(), reconcile.Run{Target: "octo", Trigger: reconcile.ByPerson})
		w.must(err)
		hostile := `"rule":"drift: `
		id, err := w.Intent(w.ctx(), audit.Intent{Run: run.ID, Target: "octo", Team: "7", Slug: "design", Writes: []audit.Write{
			{Act: "add", Account: "1", Login: "a", Why: []team.Reason{{Path: []string{hostile}}, {Rule: team.RemovedByHand}}},
			{Act: "add", Account: "2", Login: "b", Why: []team.Reason{{Path: []string{hostile}}}},
			{Act: "add", Account: "3", Login: "c"},
			{Act: "remove", Account: "4", Login: "d"},
		}})
		w.must(err)
		day := start.Truncate(24 * time.Hour)
		for account, o := range map[string]audit.Outcome{
			"1": {Act: "add", Result: audit.Done}, "2": {Act: "add", Result: audit.Seen, At: start.Add(24 * time.Hour)},
			"3": {Act: "add", Result: audit.Failed}, "4": {Act: "remove", Result: audit.Done},
		} {
			o.Account = account
			w.must(w.Outcome(w.ctx(), id, o))
		}
		deeds, err := w.Activity(w.ctx(), "octo", start.Add(-time.Hour))
		w.must(err)
		w.equal(deeds, []store.Deed{
			{Day: day, Act: plan.Add, Drift: true, N: 1}, {Day: day, Act: plan.Remove, N: 1}, {Day: day.Add(24 * time.Hour), Act: plan.Add, N: 1},
		})
	},
}
