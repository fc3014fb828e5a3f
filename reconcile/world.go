package reconcile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"musterline.example/apply"
	"musterline.example/directory"
	"musterline.example/guard"
	"musterline.example/link"
	"musterline.example/mapping"
	"musterline.example/source"
	"musterline.example/target"
	"musterline.example/team"
)

// A World is what one slice looks at: everything read, nothing decided.
type World struct {
	Target string
	Reading
	Standing target.Standing
	Settings mapping.Settings
	Mappings []mapping.Mapping
	Refused  []mapping.Refused
	Lost     []mapping.Disconnect // teams that the file or a rule leaves without a mapping now
	Reads    map[string]Reads     // what earlier reads of each source said, before this one
	memory   memories
	shapes   map[string]guard.Shape    // of the sources read, for the record
	pins     map[string]team.AccountID // protected logins, settled
	lossy    map[string]bool           // sources whose losses wait for a person
	now      time.Time
}

// Memories are what a slice has read from memory.
type memories struct {
	mappings    []mapping.Mapping
	disconnects []mapping.Disconnect
	links       []link.Link
	statements  []link.Statement
	ledger      mapping.Ledger
	connected   map[team.ID]time.Time
	former      map[team.AccountID]mapping.Former
	absences    mapping.Absences
	protected   map[string]team.AccountID
	waivers     []guard.Waiver
	recent      []guard.Done
}

// attempts is how many slices a run may spend on teams that keep moving.
const attempts = 5

// goOn reports whether another slice is worth its while. Of a plan that somebody has seen, a team that moved is left alone: what is to be
// done to it now is another plan.
func (w *World) goOn(r apply.Report, seen bool) bool {
	return r.More || len(r.Moved) > 0 && w.Slices < attempts && !seen
}

func (w *World) snapshots() []*directory.Snapshot {
	var all []*directory.Snapshot
	for _, r := range w.Sources {
		if r.Snapshot != nil && r.Failed == "" {
			all = append(all, r.Snapshot)
		}
	}
	slices.SortFunc(all, func(a, b *directory.Snapshot) int { return strings.Compare(a.Source, b.Source) })
	return all
}

// read looks at sources, target and memory. What an earlier slice of the run has read of the target is not read again, but for the teams it
// has touched since.
func read(ctx context.Context, d Deps, name string, t Target, earlier *Reading) (*World, error) {
	w := &World{Target: name, Settings: t.Settings, now: d.Now(), Reads: make(map[string]Reads)}
	if earlier != nil {
		w.Reading = *earlier
	}
	rows, err := d.Memory.Mappings(ctx, name)
	if err != nil {
		return nil, err
	}
	w.memory.mappings, w.Lost = mapping.Load(rows, d.File[name])
	if err := w.readSources(ctx, d, earlier); err != nil {
		return nil, err
	}
	if earlier == nil {
		if w.Standing, err = t.Probe(ctx); err != nil {
			return nil, fmt.Errorf("target %s: %w", name, err)
		}
		w.Place, w.Credential = w.Standing.Place, w.Standing.Credential
	}
	if err := w.readMemory(ctx, d); err != nil {
		return nil, err
	}
	if earlier == nil {
		w.Absences = w.memory.absences
	}
	if err := w.settleNames(ctx, d, t); err != nil {
		return nil, fmt.Errorf("target %s: %w", name, err)
	}
	if err := w.readTarget(ctx, t, earlier); err != nil {
		return nil, fmt.Errorf("target %s: %w", name, err)
	}
	w.protect(t, w.Accounts)
	return w, nil
}

// readSources reads every source that the target's mappings and rules name, each once. A source that cannot be read is no error here: it is
// marked, keeps its last snapshot for display, and removes nobody.
func (w *World) readSources(ctx context.Context, d Deps, earlier *Reading) error {
	selections := make(selections)
	for _, m := range w.memory.mappings {
		selections.of(m.Source).mapped(m)
	}
	for _, r := range d.Rules {
		if r.Target == w.Target {
			selections.of(r.Source).Patterns = append(selections.of(r.Source).Patterns, r.Match)
		}
	}
	if err := w.others(ctx, d, selections); err != nil {
		return err
	}
	if earlier == nil {
		w.Sources = make(map[string]mapping.Reading, len(selections))
	}
	for name, selection := range selections {
		src, known := d.Sources[name]
		if !known {
			continue // Resolve refuses the mapping
		}
		reads, err := d.Memory.Reads(ctx, name)
		if err != nil {
			return err
		}
		w.Reads[name] = reads
		if earlier != nil {
			continue
		}
		snapshot, err := snapshot(ctx, src, selection.Selection)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			w.Sources[name] = mapping.Reading{Snapshot: reads.Last, Failed: err.Error()}
			continue
		}
		w.Sources[name] = mapping.Reading{Snapshot: snapshot}
	}
	return nil
}

// selections say what is asked of each source.
type selections map[string]*selection

type selection struct{ source.Selection }

func (s selections) of(name string) *selection {
	if s[name] == nil {
		s[name] = &selection{}
	}
	return s[name]
}

func (s *selection) mapped(m mapping.Mapping) {
	if m.GroupID != "" {
		s.IDs = append(s.IDs, m.GroupID)
	} else {
		s.Names = append(s.Names, m.Group)
	}
}

// others asks these sources for the groups of all other targets too: a read tells the same of a source for whichever target it was made, so
// that its figures can be compared with those of the next.
func (w *World) others(ctx context.Context, d Deps, s selections) error {
	targets := make(map[string]bool)
	for name := range d.File {
		targets[name] = true
	}
	for name := range d.Targets {
		targets[name] = true
	}
	delete(targets, w.Target)
	for name := range targets {
		rows, err := d.Memory.Mappings(ctx, name)
		if err != nil {
			return err
		}
		rows, _ = mapping.Load(rows, d.File[name])
		for _, m := range rows {
			if s[m.Source] != nil {
				s[m.Source].mapped(m)
			}
		}
	}
	for _, r := range d.Rules {
		if r.Target != w.Target && s[r.Source] != nil {
			s[r.Source].Patterns = append(s[r.Source].Patterns, r.Match)
		}
	}
	return nil
}

// snapshot reads a source. A name that fits two groups is taken out of the selection, so that one ambiguous mapping stops no other: Resolve
// refuses it with both ids.
func snapshot(ctx context.Context, src source.Source, s source.Selection) (*directory.Snapshot, error) {
	for {
		read, err := src.Snapshot(ctx, s)
		twice, ok := errors.AsType[*source.NameError](err)
		if !ok {
			return read, err
		}
		left := slices.DeleteFunc(slices.Clone(s.Names), func(n string) bool { return n == twice.Name })
		if len(left) == len(s.Names) {
			return nil, err
		}
		s.Names = left
	}
}

func (w *World) readMemory(ctx context.Context, d Deps) error {
	m, errs := &w.memory, make([]error, 0, 9)
	keep := func(err error) { errs = append(errs, err) }
	var err error
	m.disconnects, err = d.Memory.Disconnects(ctx, w.Target)
	keep(err)
	m.links, err = d.Memory.Links(ctx, w.Place.Host)
	keep(err)
	m.statements, err = d.Memory.Statements(ctx, w.Place.Host)
	keep(err)
	m.statements = append(m.statements, d.Manual[w.Place.Host]...)
	m.ledger, err = d.Memory.Ledger(ctx, w.Place)
	keep(err)
	m.connected, err = d.Memory.Connected(ctx, w.Place)
	keep(err)
	m.former, err = d.Memory.Former(ctx, w.Place)
	keep(err)
	m.protected, err = d.Memory.Protected(ctx, w.Target)
	keep(err)
	m.absences, err = d.Memory.Absences(ctx, w.Place)
	keep(err)
	m.waivers, err = d.Memory.Waivers(ctx, w.Target)
	keep(err)
	m.recent, err = d.Memory.Recent(ctx, w.Target, w.now.Add(-24*time.Hour))
	keep(err)
	return errors.Join(errs...)
}

// settleNames makes the mappings of rules and pins names to ids. Only names without an id are asked of the target.
func (w *World) settleNames(ctx context.Context, d Deps, t Target) error {
	var rules []mapping.Rule
	for _, r := range d.Rules {
		if r.Target == w.Target {
			rules = append(rules, r)
		}
	}
	expanded, unmatched, conflicts := mapping.Expand(rules, w.memory.mappings, w.Sources)
	w.Lost = append(w.Lost, unmatched...)
	w.memory.disconnects = append(w.memory.disconnects, w.Lost...)
	var names []string
	for _, m := range expanded {
		if m.TeamID == "" {
			names = append(names, m.Team)
			if m.Parent != "" {
				names = append(names, m.Parent)
			}
		}
	}
	var found []team.Team
	if len(names) > 0 {
		slices.Sort(names)
		var err error
		if found, err = t.Find(ctx, slices.Compact(names)); err != nil {
			return fmt.Errorf("look teams up by name: %w", err)
		}
	}
	pinned, twice := mapping.Pin(expanded, found, w.Sources)
	w.Mappings, w.Refused = pinned, slices.Concat(conflicts, twice)
	return nil
}

// readTarget reads accounts and teams, or only the teams that an earlier slice has touched.
func (w *World) readTarget(ctx context.Context, t Target, earlier *Reading) error {
	if earlier == nil {
		accounts, err := t.Accounts(ctx, nil)
		if err != nil {
			return fmt.Errorf("read accounts: %w", err)
		}
		w.Accounts, w.Identities, w.IdentityTrouble, w.AccountsAt = accounts.List, accounts.Identities, accounts.Trouble, w.now
	}
	var ids []team.ID
	for _, m := range w.Mappings {
		ids = append(ids, m.TeamID)
	}
	for _, c := range w.memory.disconnects {
		ids = append(ids, c.Team)
	}
	slices.Sort(ids)
	ids = slices.DeleteFunc(slices.Compact(ids), func(id team.ID) bool {
		return id == "" || earlier != nil && !slices.Contains(earlier.Touched, id) && w.has(id)
	})
	if len(ids) == 0 {
		return nil
	}
	teams, err := t.Teams(ctx, ids)
	if err != nil {
		return fmt.Errorf("read teams: %w", err)
	}
	w.Teams = slices.DeleteFunc(w.Teams, func(old team.Team) bool { return slices.Contains(ids, old.ID) })
	w.Teams = append(w.Teams, teams...)
	slices.SortFunc(w.Teams, func(a, b team.Team) int { return strings.Compare(string(a.ID), string(b.ID)) })
	w.TeamsAt, w.Touched = w.now, nil
	return nil
}

func (w *World) has(id team.ID) bool {
	return slices.ContainsFunc(w.Teams, func(t team.Team) bool { return t.ID == id })
}

// protect turns the operator's protected logins into account ids. A login is settled once, among some accounts, and means that account from
// then on, whatever it is called later.
func (w *World) protect(t Target, accounts []team.Account) {
	w.Settings.Protected = slices.Clone(w.Settings.Protected)
	w.pins = make(map[string]team.AccountID, len(t.Protected))
	for _, p := range t.Protected {
		login := team.FoldLogin(p)
		if id, known := w.memory.protected[login]; known {
			w.pins[login] = id
			continue
		}
		for _, a := range accounts {
			if team.FoldLogin(a.Login) == login || string(a.ID) == p {
				w.pins[login] = a.ID
			}
		}
	}
	w.Settings.Protected = append(w.Settings.Protected, slices.Sorted(maps.Values(w.pins))...)
}

// noteShapes keeps what the sources look like for the record, but for those whose look a guard objects to: recorded often enough, the
// strange look would become the usual one, and the guard would fall silent while the removals still wait. The same holds of the sizes of
// groups, with which those of tomorrow are compared.
func (w *World) noteShapes(f guard.Facts, objections []guard.Objection) {
	w.shapes, w.lossy = make(map[string]guard.Shape, len(f.Sources)), make(map[string]bool)
	strange := make(map[string]bool)
	for _, o := range objections {
		switch o.Guard {
		case "source_shape":
			strange[o.Source] = true
		case "source_removals":
			w.lossy[o.Source] = true
		}
	}
	for name, source := range f.Sources {
		if !strange[name] {
			w.shapes[name] = source.Now
		}
	}
}
