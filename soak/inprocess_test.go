package soak

import (
	"context"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"musterline.example/guard"
	"musterline.example/mapping"
	"musterline.example/reconcile"
	"musterline.example/store"
)

// An inProcess is the engine in this process.
type inProcess struct{ *lab }

func (e inProcess) open(w *world) {
	e.reopen(w.t)
	e.deps.File["octo"], e.deps.Rules = nil, nil
	for _, u := range w.units {
		for _, l := range u.lines {
			e.mapped(u.text, l.source.name, l.group, l.role, u.mode)
		}
	}
	if w.truth.rule {
		e.deps.Rules = []mapping.Rule{{
			ID: "rule:1", Source: "corp", Match: "gh-*", Target: "octo", Team: `{{ trimPrefix "gh-" .Group.Name }}`, Create: true, Mode: mapping.Exclusive,
		}}
	}
	e.set(func(tg *reconcile.Target) {
		tg.Settings.Reinvite = w.truth.reinvite
		tg.Protected = nil
		for id := range w.truth.protected {
			tg.Protected = append(tg.Protected, strconv.FormatInt(id, 10))
		}
		tg.Guards = w.guards
	})
}

func (e inProcess) sync(w *world) error {
	report, err := e.lab.sync(func(d *reconcile.Decision) {
		countObjections(d)
		w.planned()
	}, w.between)
	total.add("runs that ended "+report.State, 1)
	return err
}

func (e inProcess) plan(w *world) (free, all int) {
	d := e.lab.plan(w.t)
	stopped := guard.Stopped(d.Objections)
	for i := range d.Plan.Teams {
		for _, ch := range d.Plan.Teams[i].Changes() {
			all++
			if len(stopped[guard.RefOf(&d.Plan.Teams[i], ch)]) == 0 {
				free++
				w.t.Logf("left: %s %s %s %+v", d.Plan.Teams[i].Slug, ch.Act, ch.Login, ch.Why)
			}
		}
	}
	return free, all
}

func (e inProcess) approve(w *world) int      { return e.lab.approve(w.t) }
func (e inProcess) say(w *world, p *person)   { e.lab.say(w.t, p.source.name, p.id, p.account.ID()) }
func (e inProcess) memory(w *world) *recorded { return remembered(w.t, e.store) }
func (e inProcess) verify(*world) error {
	_, err := e.store.Verify(context.Background())
	return err
}

// remembered reads what is on record.
func remembered(t T, s *store.Store) *recorded {
	t.Helper()
	ctx := context.Background()
	r := &recorded{ledger: map[seat]mapping.LedgerOrigin{}}
	entries, err := s.Entries(ctx, store.Filter{Kind: store.KindOutcome, Limit: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		r.outcomes = append(r.outcomes, outcome{seat{number(e.Team), number(e.Account)}, e.Act, e.Result})
	}
	place, err := s.Place(ctx, "octo")
	if err != nil {
		t.Fatal(err)
	}
	ledger, err := s.Ledger(ctx, place)
	if err != nil {
		t.Fatal(err)
	}
	for id, rows := range ledger {
		for _, row := range rows {
			r.ledger[seat{number(string(id)), number(string(row.Account))}] = row.Origin
		}
	}
	open, err := s.OpenIntents(ctx, "octo")
	if err != nil {
		t.Fatal(err)
	}
	r.open = len(open)
	return r
}

func number(id string) int64 {
	n, _ := strconv.ParseInt(id, 10, 64)
	return n
}

// TestRandomWorldsKeepTheirPromises lives some days of random organizations whose sources and whose GitHub fail and lie; see docs/soak.md for
// what is promised. Time is that of a bubble, and no socket is between the engine and GitHub.
func TestRandomWorldsKeepTheirPromises(t *testing.T) {
	check(t, *worlds, func(t *testing.T, rt *rapid.T) {
		url := database(t, "sqlite")
		total.add("worlds in process", 1)
		bubble(t, func() {
			l := newLab(t, url)
			defer l.shut()
			live(newWorld(rt, l.hub, inProcess{l}))
		})
	})
}

// live is the life of a world.
func live(w *world) {
	for range rapid.IntRange(1, 4).Draw(w.t, "days") {
		total.add("days", 1)
		for range rapid.IntRange(0, 5).Draw(w.t, "changes") {
			w.change()
		}
		w.day()
	}
	w.settle()
}
