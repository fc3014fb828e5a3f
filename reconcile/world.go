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
	"musterline.example/internal/together"
	"musterline.example/link"
	"musterline.example/mapping"
	"musterline.example/plan"
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

	cancelled string // why, with errCancelled
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
	countedAt   time.Time // the read that absences counted last
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

// errUnfinished is what read returns when its time was up; errCancelled when the run was cancelled meanwhile.
var (
	errUnfinished = errors.New("not everything is read yet")
	errCancelled  = errors.New("cancelled")
)

// read looks at sources, target and memory. What an earlier slice of the run has read of the target is not read again, but for the teams it
// has touched since and what requests name that came since. With an error comes what was read before it.
func read(ctx context.Context, d Deps, name string, t Target, run Run, earlier *Reading, b Budget) (*World, error) {
	w := &World{Target: name, Settings: t.Settings, now: d.Now(), Reads: make(map[string]Reads)}
	if earlier != nil {
		w.Reading = *earlier
	}
	rows, err := d.Memory.Mappings(ctx, name)
	if err != nil {
		return w, err
	}
	w.memory.mappings, w.Lost = mapping.Load(rows, d.File[name])
	b.phase(ReadingSources)
	first := w.Place == team.Place{}
	ahead := first && run.Narrow() // somebody waits, and what it takes of the sources is mostly at hand
	var asked together.Group
	var unproved error
	probe := func() { w.Standing, unproved = t.Probe(ctx) }
	if ahead {
		asked.Go(probe)
	}
	err = w.readSources(ctx, d, run)
	asked.Wait()
	if err != nil {
		return w, err
	}
	b.phase(ReadingTeams)
	if first && !ahead {
		probe()
	}
	if unproved != nil {
		return w, fmt.Errorf("target %s: %w", name, unproved)
	}
	if first {
		w.Place, w.Credential = w.Standing.Place, w.Standing.Credential
	}
	if err := w.readMemory(ctx, d); err != nil {
		return w, err
	}
	if first {
		w.Absences = w.uncounted(d)
		if err := w.takeKept(ctx, d, run, b); err != nil {
			return w, err
		}
	}
	if err := w.settleNames(ctx, d, t); err != nil {
		return w, fmt.Errorf("target %s: %w", name, err)
	}
	if err := w.readTarget(ctx, d, t, run, b); err != nil {
		return w, fmt.Errorf("target %s: %w", name, err)
	}
	w.protect(t, w.Accounts)
	return w, nil
}

// readSources reads every source that the target's mappings and rules name, each once. A source that cannot be read is no error here: it is
// marked, keeps its last snapshot for display, and removes nobody. Of those that others read, all are asked before the first is waited for.
func (w *World) readSources(ctx context.Context, d Deps, run Run) error {
	all, err := d.selections(ctx)
	if err != nil {
		return err
	}
	if w.Sources == nil {
		w.Sources = make(map[string]mapping.Reading)
	}
	var wait error
	for _, name := range w.sources(d) {
		src, known := d.Sources[name]
		if !known {
			continue // Resolve refuses the mapping
		}
		reading, read := w.Sources[name]
		if !read || d.Reader != nil && len(run.Taken) > 0 {
			now, err := d.readSource(ctx, name, src, *all[name], run)
			switch {
			case err == nil && (!read || now.Failed == ""):
				reading = now
			case err == nil || read: // what the run has read already is good enough
			case isWait(err):
				wait = err
				continue
			default:
				return err
			}
			w.Sources[name] = reading
		}
		before := time.Time{}
		if d.Reader != nil && reading.Snapshot != nil {
			before = reading.Snapshot.TakenAt // runs of other targets may have judged and recorded it already
		}
		if w.Reads[name], err = d.Memory.Earlier(ctx, name, w.Target, before); err != nil {
			return err
		}
	}
	return wait
}

func isWait(err error) bool {
	_, ok := errors.AsType[*Wait](err)
	return ok
}

// sources are those that the target's mappings and rules name, in order.
func (w *World) sources(d Deps) []string {
	named := make(map[string]bool)
	for _, m := range w.memory.mappings {
		named[m.Source] = true
	}
	for _, r := range d.Rules {
		if r.Target == w.Target {
			named[r.Source] = true
		}
	}
	return slices.Sorted(maps.Keys(named))
}

// readSource reads a source, or asks the reader for it. A failure is no error but marked.
func (d Deps) readSource(ctx context.Context, name string, src source.Source, groups source.Selection, run Run) (mapping.Reading, error) {
	read := src.Snapshot
	if d.Reader != nil {
		read = func(ctx context.Context, groups source.Selection) (*directory.Snapshot, error) {
			return d.Reader.Snapshot(ctx, name, groups, run)
		}
	}
	snapshot, err := settled(ctx, read, groups)
	switch {
	case ctx.Err() != nil:
		return mapping.Reading{}, ctx.Err()
	case err == nil:
		return mapping.Reading{Snapshot: snapshot}, nil
	case isWait(err):
		return mapping.Reading{}, err
	}
	last, lost := d.Memory.Snapshot(ctx, name)
	return mapping.Reading{Snapshot: last, Failed: err.Error()}, lost
}

// ReadSource reads a source for all targets at once: the groups that any of them needs.
func ReadSource(ctx context.Context, d Deps, name string) (*directory.Snapshot, error) {
	src, known := d.Sources[name]
	if !known {
		return nil, fmt.Errorf("%w: %q", ErrNoSource, name)
	}
	all, err := d.selections(ctx)
	if err != nil {
		return nil, err
	}
	groups := source.Selection{}
	if all[name] != nil {
		groups = *all[name]
	}
	return settled(ctx, src.Snapshot, groups)
}

// selections says what all targets need of each source: a read tells the same of a source for whichever target it was made, so that its
// figures can be compared with those of the next.
func (d Deps) selections(ctx context.Context) (map[string]*source.Selection, error) {
	all := make(map[string]*source.Selection)
	of := func(name string) *source.Selection {
		if all[name] == nil {
			all[name] = &source.Selection{}
		}
		return all[name]
	}
	targets := make(map[string]bool)
	for name := range d.File {
		targets[name] = true
	}
	for name := range d.Targets {
		targets[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(targets)) {
		rows, err := d.Memory.Mappings(ctx, name)
		if err != nil {
			return nil, err
		}
		rows, _ = mapping.Load(rows, d.File[name])
		for _, m := range rows {
			if s := of(m.Source); m.GroupID != "" {
				s.IDs = append(s.IDs, m.GroupID)
			} else {
				s.Names = append(s.Names, m.Group)
			}
		}
	}
	for _, r := range d.Rules {
		of(r.Source).Patterns = append(of(r.Source).Patterns, r.Match)
	}
	return all, nil
}

// settled reads a source. A name that fits two groups is taken out of the selection, so that one ambiguous mapping stops no other: Resolve
// refuses it with both ids.
func settled(
	ctx context.Context, read func(context.Context, source.Selection) (*directory.Snapshot, error), s source.Selection,
) (*directory.Snapshot, error) {
	for {
		snapshot, err := read(ctx, s)
		twice, ok := errors.AsType[*source.NameError](err)
		if !ok {
			return snapshot, err
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
	m.absences, m.countedAt, err = d.Memory.Absences(ctx, w.Place)
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

// readAt is when the oldest of the reads was made that the run rests on; zero without any.
func (w *World) readAt() time.Time {
	var oldest time.Time
	for _, s := range w.snapshots() {
		if oldest.IsZero() || s.TakenAt.Before(oldest) {
			oldest = s.TakenAt
		}
	}
	return oldest.Truncate(time.Microsecond) // as memory keeps it
}

// uncounted are the absences as they were before the reads that the run rests on. A read that an earlier run has counted is not another.
func (w *World) uncounted(d Deps) mapping.Absences {
	if d.Reader == nil || w.readAt().After(w.memory.countedAt) {
		return w.memory.absences
	}
	before := make(mapping.Absences, len(w.memory.absences))
	for id, accounts := range w.memory.absences {
		before[id] = make(map[team.AccountID]int, len(accounts))
		for account, reads := range accounts {
			before[id][account] = reads - 1
		}
	}
	return before
}

// takeKept begins a run for a few teams with what the last run has read of the others.
func (w *World) takeKept(ctx context.Context, d Deps, run Run, b Budget) error {
	if b.Kept == 0 || !run.Narrow() {
		return nil
	}
	kept, err := d.Memory.KeptReading(ctx, w.Target, w.now.Add(-b.Kept))
	if err != nil || kept == nil || kept.Place != w.Place {
		return err
	}
	w.Kept = true
	w.Accounts, w.AccountsAt, w.Identities, w.IdentityTrouble = kept.Accounts, kept.AccountsAt, kept.Identities, kept.IdentityTrouble
	w.Teams, w.TeamsAt, w.Touched = kept.Teams, kept.TeamsAt, kept.Touched
	return nil
}

// teamsAtOnce is how many teams are read before somebody asks whether there is time for more.
const teamsAtOnce = 400

// readTarget reads accounts and teams, or only the teams and accounts that an earlier slice has touched or that somebody asks for.
func (w *World) readTarget(ctx context.Context, d Deps, t Target, run Run, b Budget) error {
	if err := w.readAccounts(ctx, d, t, run, b); err != nil {
		return err
	}
	anew := make(map[team.ID]bool)
	for _, id := range w.Touched {
		anew[id] = true
	}
	for _, q := range run.Taken {
		for _, id := range q.Teams {
			anew[id] = true
		}
	}
	var ids []team.ID
	for _, m := range w.Mappings {
		ids = append(ids, m.TeamID)
	}
	for _, c := range w.memory.disconnects {
		ids = append(ids, c.Team)
	}
	slices.Sort(ids)
	there := make(map[team.ID]bool, len(w.Teams))
	for i := range w.Teams {
		there[w.Teams[i].ID] = true
	}
	ids = slices.DeleteFunc(slices.Compact(ids), func(id team.ID) bool { return id == "" || there[id] && !anew[id] })
	w.Touched = slices.DeleteFunc(slices.Sorted(maps.Keys(anew)), func(id team.ID) bool { return !slices.Contains(ids, id) })
	atOnce := len(ids)
	if b.Patient {
		atOnce = teamsAtOnce
	}
	for len(ids) > 0 {
		batch := ids[:min(atOnce, len(ids))]
		ids = ids[len(batch):]
		if err := w.readTeams(ctx, t, batch); err != nil {
			return err
		}
		if len(ids) > 0 {
			if err := w.goOnReading(d, b); err != nil {
				return err
			}
		}
	}
	return nil
}

// readAccounts reads who could be a member: all, or those whom a request names.
func (w *World) readAccounts(ctx context.Context, d Deps, t Target, run Run, b Budget) error {
	if w.AccountsAt.IsZero() {
		accounts, err := t.Accounts(ctx, nil)
		if err != nil {
			return fmt.Errorf("read accounts: %w", err)
		}
		w.Accounts, w.Identities, w.IdentityTrouble, w.AccountsAt = accounts.List, accounts.Identities, accounts.Trouble, w.now
		return w.goOnReading(d, b)
	}
	var ids []team.AccountID
	for _, q := range run.Taken {
		if q.Account != "" && !slices.Contains(ids, q.Account) {
			ids = append(ids, q.Account)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	accounts, err := t.Accounts(ctx, ids)
	if err != nil {
		return fmt.Errorf("read accounts: %w", err)
	}
	w.Accounts = slices.DeleteFunc(slices.Clone(w.Accounts), func(a team.Account) bool { return slices.Contains(ids, a.ID) })
	w.Accounts = append(w.Accounts, accounts.List...)
	return nil
}

func (w *World) readTeams(ctx context.Context, t Target, ids []team.ID) error {
	teams, err := t.Teams(ctx, ids)
	if err != nil {
		return fmt.Errorf("read teams: %w", err)
	}
	read := make(map[team.ID]bool, len(ids))
	for _, id := range ids {
		read[id] = true
	}
	w.Teams = slices.DeleteFunc(slices.Clone(w.Teams), func(old team.Team) bool { return read[old.ID] })
	w.Teams = append(w.Teams, teams...)
	slices.SortFunc(w.Teams, func(a, b team.Team) int { return strings.Compare(string(a.ID), string(b.ID)) })
	w.TeamsAt = w.now
	w.Touched = slices.DeleteFunc(w.Touched, func(id team.ID) bool { return read[id] })
	return nil
}

// goOnReading is asked between two reads. Only a patient caller comes back for the rest.
func (w *World) goOnReading(d Deps, b Budget) error {
	if !b.Patient {
		return nil
	}
	if b.Call != nil {
		called := b.Call(false)
		if w.cancelled = called.Cancelled; w.cancelled != "" {
			return errCancelled
		}
		if called.Leave {
			return errUnfinished
		}
	}
	if !b.Deadline.IsZero() && !d.Now().Before(b.Deadline) {
		return errUnfinished
	}
	return nil
}

// first are the teams that somebody waits for: those that requests name, and those that the plan changes for an account they name.
func (w *World) first(run Run, p *plan.Plan) []team.ID {
	ids := slices.Clone(run.First)
	for _, q := range run.Requests {
		if q.Account == "" {
			continue
		}
		for i := range p.Teams {
			c := &p.Teams[i]
			if slices.ContainsFunc(c.Changes(), func(ch plan.Change) bool { return ch.Account == q.Account }) {
				ids = append(ids, c.Team)
			}
		}
	}
	return ids
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
