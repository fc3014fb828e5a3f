package mapping

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"musterline.example/directory"
	"musterline.example/link"
	"musterline.example/team"
)

// Resolve is the only place that decides who belongs where. Teams come out in order of id, members in order of account, so that the same
// input gives the same result. A team that is refused as a whole is not among the wanted.
//
// Who is in no mapped group goes, unless one of these keeps them, the first that applies being the reason given:
//
//	protected account, or our own                       never goes
//	the linked identity is in doubt                     until a person looks
//	invited by hand, and nobody is linked to it         until it is accepted
//	a mapped group is unread, unsettled or too large    the team loses nobody
//	nobody is linked to the account, and somebody
//	in a mapped group is not linked yet                 it may be theirs
//	the team was disconnected                           until the end of the grace
//	additive team, and the ledger does not say granted  for good
//	fewer complete reads agree than RemovalReads        until they do
func Resolve(in Input) Result {
	shared := &resolver{Input: in}
	shared.index()
	teams := shared.byTeam()
	keys := slices.SortedFunc(maps.Keys(teams), compareTeamKeys)

	// Teams do not look at each other, so they are decided side by side, in stretches whose results lie in a row in the end.
	stretch := max(1, (len(keys)+stretches-1)/stretches)
	var workers []*resolver
	var all sync.WaitGroup
	for part := range slices.Chunk(keys, stretch) {
		r := shared.worker()
		workers = append(workers, r)
		all.Go(func() {
			for _, key := range part {
				r.team(key, teams[key])
			}
		})
	}
	all.Wait()
	for _, r := range workers {
		shared.result.add(r.result)
	}
	shared.unmapped(teams)
	return shared.result
}

// stretches is in how many parts teams are decided at once. Each part judges its people anew, so more of them would be slower on few cores.
const stretches = 4

// add puts the result of some teams behind that of those before them.
func (r *Result) add(more Result) {
	r.Wanted, r.Held, r.Refused = append(r.Wanted, more.Wanted...), append(r.Held, more.Held...), append(r.Refused, more.Refused...)
	r.Found, r.Forget, r.Settled = append(r.Found, more.Found...), append(r.Forget, more.Forget...), append(r.Settled, more.Settled...)
	maps.Copy(r.Absences, more.Absences)
}

// A teamKey names a team that exists by its id and one to be created by its name.
type teamKey struct {
	id  team.ID
	new string
}

func compareTeamKeys(a, b teamKey) int {
	return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.new, b.new))
}

type resolver struct {
	Input
	result Result

	accounts   map[team.AccountID]*team.Account
	teams      map[team.ID]*team.Team
	people     map[string]map[directory.UserID]*person
	candidates []candidate // of the team at hand; the room is used again for the next
}

func (r *resolver) index() {
	r.accounts = make(map[team.AccountID]*team.Account, len(r.Accounts))
	for i := range r.Accounts {
		r.accounts[r.Accounts[i].ID] = &r.Accounts[i]
	}
	r.teams = make(map[team.ID]*team.Team, len(r.Teams))
	for i := range r.Teams {
		r.teams[r.Teams[i].ID] = &r.Teams[i]
	}
	r.result.Absences = Absences{}
}

// worker is a resolver that shares what is only read.
func (r *resolver) worker() *resolver {
	w := *r
	w.result = Result{Absences: Absences{}}
	w.people = make(map[string]map[directory.UserID]*person, len(r.Sources))
	return &w
}

// byTeam gathers the mappings of each team and refuses those that belong to none.
func (r *resolver) byTeam() map[teamKey][]Mapping {
	teams := make(map[teamKey][]Mapping)
	for _, m := range r.Mappings {
		switch {
		case m.TeamID != "":
			teams[teamKey{id: m.TeamID}] = append(teams[teamKey{id: m.TeamID}], m)
		case m.New != nil:
			teams[teamKey{new: m.New.Name}] = append(teams[teamKey{new: m.New.Name}], m)
		default:
			r.refuse(m, "", NoSuchTeam, fmt.Sprintf("there is no team %q in the organization: create it, or correct the name", m.Team))
		}
	}
	return teams
}

// refuse reports a mapping that is not carried out.
func (r *resolver) refuse(m Mapping, id team.ID, reason RefusedReason, message string) {
	slug := m.Team
	if t := r.teams[id]; t != nil {
		slug = t.Slug
	}
	r.result.Refused = append(r.result.Refused, Refused{Team: id, Slug: slug, Mapping: m.ID, Reason: reason, Message: message})
}

// team decides about one mapped team.
func (r *resolver) team(key teamKey, ms []Mapping) {
	ms = r.oneOrigin(key, ms)
	now := &team.Team{}
	if key.id != "" {
		now = r.teams[key.id]
	}
	if reason, message := r.unfit(now, ms); reason != "" {
		r.refuse(ms[0], key.id, reason, message)
		return
	}
	d := &decision{resolver: r, now: now, mode: ms[0].Mode, create: ms[0].New, ledger: r.Ledger[key.id], keys: make(map[string]bool, len(ms))}
	for _, m := range ms {
		if m.GroupID != "" {
			d.keys[m.Key()] = true
		}
	}
	if tooMany := len(d.keys); tooMany > r.Settings.GroupsPerTeam {
		r.refuse(ms[0], key.id, TooManyGroups, fmt.Sprintf("%d groups are mapped to this team, the limit is %d: nest them in one group, or raise groups_per_team", tooMany, r.Settings.GroupsPerTeam))
		return
	}
	r.candidates = r.candidates[:0]
	for _, m := range ms {
		d.group(m)
	}
	if key.id == "" && d.keep != nil {
		return // what is in the group is not known: the team is not made for it yet
	}
	w := team.Wanted{Team: key.id, Sources: sources(ms)}
	if key.id == "" {
		w.Create = d.create
	}
	w.Members = d.members()
	r.result.Wanted = append(r.result.Wanted, w)
}

// oneOrigin leaves the mappings of the strongest origin and refuses the others.
func (r *resolver) oneOrigin(key teamKey, ms []Mapping) []Mapping {
	rank := func(o Origin) int { return slices.Index([]Origin{FromFile, FromRule, FromAPI}, o) }
	owner := slices.MinFunc(ms, func(a, b Mapping) int { return cmp.Compare(rank(a.Origin), rank(b.Origin)) }).Origin
	var kept []Mapping
	for _, m := range ms {
		if m.Origin == owner {
			kept = append(kept, m)
			continue
		}
		r.refuse(m, key.id, TwoOrigins, fmt.Sprintf("the mappings of this team belong to the %s (%s): remove them there first", owner, kept0(ms, owner).ID))
	}
	return kept
}

func kept0(ms []Mapping, o Origin) Mapping {
	return ms[slices.IndexFunc(ms, func(m Mapping) bool { return m.Origin == o })]
}

// unfit says why nothing at all is done to a team.
func (r *resolver) unfit(now *team.Team, ms []Mapping) (RefusedReason, string) {
	switch {
	case now == nil:
		return TeamDeleted, fmt.Sprintf("the team that %q was pinned to is gone from the organization: a new team of that name is not taken for it; remove the mapping, or map the new team", ms[0].Team)
	case now.Foreign != "":
		return ForeignTeam, now.Foreign
	case len(now.Children) > 0 && !r.Settings.ParentTeams:
		children := make([]string, len(now.Children))
		for i, c := range now.Children {
			children[i] = c.Slug
		}
		slices.Sort(children)
		return ParentTeam, fmt.Sprintf("has child teams (%s), and GitHub does not synchronize parent teams: map the children, or set parent_teams: allow to keep its immediate members", strings.Join(children, ", "))
	}
	for _, m := range ms[1:] {
		if m.Mode != ms[0].Mode {
			return TwoModes, fmt.Sprintf("is exclusive by one mapping and additive by another (%s and %s): the mode belongs to the team", ms[0].ID, m.ID)
		}
	}
	return "", ""
}

func sources(ms []Mapping) []string {
	var names []string
	for _, m := range ms {
		names = append(names, m.Source)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// A decision is the work on one team.
type decision struct {
	*resolver
	now    *team.Team
	mode   Mode
	create *team.New
	ledger []Entry         // of the team, in order of account
	row    int             // the first one that merging has not come to
	keys   map[string]bool // of the mappings that stand

	out      map[team.AccountID]team.Reason // accounts that a mapped group lists and that are no members of it, with the fact
	held     map[*person]bool
	unlinked int          // users of mapped groups whom nobody has linked
	keep     *team.Reason // why the team loses nobody at all
	missing  []string     // mapped groups that are gone
}

// A candidate is an account that a mapping puts into the team.
type candidate struct {
	account team.AccountID
	*person
	role team.Role
	why  []team.Reason
}

// group adds what one mapping justifies.
func (d *decision) group(m Mapping) {
	name := m.Source + "/" + m.Group
	reading, known := d.Sources[m.Source]
	switch {
	case !known:
		d.loseNobody(team.GroupUnsettled, m, name)
		d.refuse(m, d.now.ID, SourceUnknown, fmt.Sprintf("there is no source %q", m.Source))
		return
	case reading.Failed != "" || reading.Snapshot == nil:
		d.loseNobody(team.SourceUnread, m, name)
		return
	case m.GroupID == "":
		d.loseNobody(team.GroupUnsettled, m, name)
		if fits := reading.Snapshot.Find(m.Group); len(fits) > 1 {
			d.refuse(m, d.now.ID, NameNotUnique, fmt.Sprintf("the name %q fits %d groups of %s (ids %q and %q): use the id", m.Group, len(fits), m.Source, fits[0].ID, fits[1].ID))
			return
		}
		d.refuse(m, d.now.ID, NoSuchGroup, fmt.Sprintf("there is no group %q in source %q: create it, or correct the name; until then the team loses nobody", m.Group, m.Source))
		return
	}
	s := reading.Snapshot
	g, listed := s.Groups[m.GroupID]
	if !listed {
		d.missing = append(d.missing, name)
		return
	}
	name = m.Source + "/" + g.Name
	if len(s.Unread(m.GroupID)) > 0 {
		d.loseNobody(team.SourceUnread, m, name)
		return
	}
	if d.tooLarge(m, s, name) {
		return
	}
	var why reasons
	for id, path := range s.WalkIDs(m.GroupID) {
		if p := d.person(s, id); p != nil {
			d.user(m, p, why.of(m, s, path))
		}
	}
}

// tooLarge refuses a group past the limit: it gives nobody, never half.
func (d *decision) tooLarge(m Mapping, s *directory.Snapshot, name string) bool {
	limit, listed := d.Settings.MembersPerGroup, 0
	for _, id := range s.Closure(m.GroupID) {
		listed += len(s.Groups[id].Members)
	}
	if listed <= limit {
		return false // not even with everyone counted as often as listed
	}
	size := s.Size(m.GroupID)
	if size <= limit {
		return false
	}
	d.loseNobody(team.GroupUnsettled, m, name)
	d.refuse(m, d.now.ID, GroupTooLarge, fmt.Sprintf("%s has %d members, the limit is %d: split it, or raise members_per_group; it gives nobody and the team loses nobody", name, size, limit))
	return true
}

func (d *decision) loseNobody(rule team.Rule, m Mapping, name string) {
	if d.keep == nil {
		d.keep = &team.Reason{Rule: rule, Mapping: m.ID, Note: name}
	}
}

// user puts one user of a mapped group among the candidates, or reports why not.
func (d *decision) user(m Mapping, p *person, why func(link.Tier) []team.Reason) {
	if p.held != "" {
		d.hold(p, p.held, p.message)
	}
	if p.fact.Rule != "" {
		if d.out == nil {
			d.out = make(map[team.AccountID]team.Reason)
		}
		fact := p.fact
		fact.Mapping = m.ID
		d.out[p.account] = fact
	}
	if p.belongs && p.invite && !p.mayInvite && !d.pending(p.account) {
		d.hold(p, string(link.NotAMember), p.login+" has left the organization, and it is not time for another invitation")
		return
	}
	if p.belongs {
		d.candidates = append(d.candidates, candidate{p.account, p, m.Role, why(p.tier)})
	}
}

// pending reports whether an account has been invited into the team and has not accepted.
func (d *decision) pending(account team.AccountID) bool {
	m, there := d.now.Member(account)
	return there && m.Pending
}

// hold reports somebody who should be in the team and cannot be yet, once for each team.
func (d *decision) hold(p *person, reason, message string) {
	if d.held[p] {
		return
	}
	if d.held == nil {
		d.held = make(map[*person]bool)
	}
	d.held[p] = true
	if reason == string(link.NotLinked) && p.fact.Rule == "" {
		d.unlinked++
	}
	d.report(p, reason, message)
}

func (d *decision) report(p *person, reason, message string) {
	d.result.Held = append(d.result.Held, Held{Team: d.now.ID, User: p.ref, Name: p.name, Reason: reason, Message: message})
}

// members merges who is justified with who is there.
func (d *decision) members() []team.Want {
	justified := d.justified()
	wants := make([]team.Want, 0, max(len(justified), len(d.now.Members)))
	i := 0
	for _, m := range d.now.Members {
		row, known := d.entry(m.Account, justified)
		for ; i < len(justified) && justified[i].account < m.Account; i++ {
			wants = append(wants, justified[i].want())
		}
		if i < len(justified) && justified[i].account == m.Account {
			wants = append(wants, d.stays(justified[i], m, row, known))
			i++
			continue
		}
		wants = append(wants, d.unjustified(m, row, known))
	}
	for ; i < len(justified); i++ {
		wants = append(wants, justified[i].want())
	}
	if d.create != nil && d.now.ID == "" && d.Place.Self != "" {
		wants = d.creatorLeaves(wants)
	}
	d.forget(len(d.ledger), justified)
	return wants
}

// entry returns the ledger's row of a current member. Members are asked for in order of account, so the rows are walked along with them; rows
// that are passed over are of accounts that are not in the team.
func (d *decision) entry(account team.AccountID, justified []candidate) (Entry, bool) {
	at := d.row
	for at < len(d.ledger) && d.ledger[at].Account < account {
		at++
	}
	d.forget(at, justified)
	if at < len(d.ledger) && d.ledger[at].Account == account {
		d.row++
		return d.ledger[at], true
	}
	return Entry{}, false
}

// forget drops the rows up to one: their accounts have left the team by another hand. Who is about to come back keeps theirs.
func (d *decision) forget(upTo int, justified []candidate) {
	for ; d.row < upTo; d.row++ {
		_, wanted := slices.BinarySearchFunc(justified, d.ledger[d.row].Account, func(c candidate, id team.AccountID) int { return cmp.Compare(c.account, id) })
		if !wanted {
			d.result.Forget = append(d.result.Forget, d.ledger[d.row])
		}
	}
}

// justified puts the candidates in order of account and makes one of those who are justified several times: the highest role, and all reasons.
func (d *decision) justified() []candidate {
	slices.SortStableFunc(d.candidates, func(a, b candidate) int { return cmp.Compare(a.account, b.account) })
	one := d.candidates[:0]
	for _, c := range d.candidates {
		if n := len(one); n > 0 && one[n-1].account == c.account {
			last := &one[n-1]
			last.role = max(last.role, c.role)
			if !sameMappings(last.why, c.why) {
				last.why = append(slices.Clip(last.why), c.why...)
			}
			continue
		}
		one = append(one, c)
	}
	return one
}

// sameMappings reports whether the mapping of a further reason is among the reasons already.
func sameMappings(why, further []team.Reason) bool {
	return slices.ContainsFunc(why, func(r team.Reason) bool { return r.Key == further[0].Key })
}

func (c candidate) want() team.Want {
	return team.Want{Account: c.account, Login: c.login, User: c.text, In: team.Yes, Role: c.role, Invite: c.invite, Why: c.why}
}

// creatorLeaves takes our own account out of a team that it creates, unless a mapped group wants it there.
func (d *decision) creatorLeaves(wants []team.Want) []team.Want {
	i, wanted := slices.BinarySearchFunc(wants, d.Place.Self, func(w team.Want, id team.AccountID) int { return cmp.Compare(w.Account, id) })
	if wanted {
		return wants
	}
	w := team.Want{Account: d.Place.Self, In: team.Out, Why: []team.Reason{{Rule: team.CreatorLeaves}}}
	if a := d.accounts[d.Place.Self]; a != nil {
		w.Login = a.Login
	}
	return slices.Insert(wants, i, w)
}

// stays settles role and ledger of a member who is justified.
func (d *decision) stays(c candidate, m team.Membership, row Entry, known bool) team.Want {
	w := c.want()
	if m.Pending {
		d.report(c.person, HeldPending, "has been invited and has not accepted yet")
		return w
	}
	if known && row.Role == team.Maintainer && w.Role == team.Member {
		a := d.accounts[m.Account]
		w.Demote = a == nil || !a.Owner
	}
	if !known || !justifiedBy(row.Mappings, w.Why) {
		entry := Entry{Team: d.now.ID, Account: m.Account, Origin: LedgerFound, Mappings: team.Keys(w.Why), Since: d.Now}
		if known {
			entry.Origin, entry.Role, entry.Since = row.Origin, row.Role, row.Since
		}
		d.result.Found = append(d.result.Found, entry)
	}
	return w
}

// justifiedBy reports whether a row of the ledger names exactly the mappings of some reasons.
func justifiedBy(keys []string, why []team.Reason) bool {
	if len(keys) != len(why) {
		return false
	}
	for _, r := range why {
		if !slices.Contains(keys, r.Key) {
			return false
		}
	}
	return true
}

// unjustified decides about a current member whom no mapped group justifies; see the table at Resolve.
func (d *decision) unjustified(m team.Membership, row Entry, known bool) team.Want {
	w := team.Want{Account: m.Account, Login: m.Login, In: team.Keep, Role: m.Role}
	users := d.Links.Users(m.Account)
	if len(users) > 0 {
		w.User = users[0].String()
	}
	fact, stated := d.out[m.Account]
	doubt, frozen := d.Links.Frozen(m.Account)
	switch {
	case m.Account == d.Place.Self || slices.Contains(d.Settings.Protected, m.Account):
		w.Why = []team.Reason{{Rule: team.Protected}}
	case frozen:
		w.Why = []team.Reason{{Rule: team.LinkFrozen, Note: doubt}}
	case m.Pending && len(users) == 0:
		w.Why = []team.Reason{{Rule: team.InvitedByHand}}
	case d.keep != nil:
		w.Why = []team.Reason{*d.keep}
	case stated && fact.Rule == team.LinkRevoked && d.Settings.HoldRevoked:
		w.Why = []team.Reason{{Rule: team.LinkHeld, Note: fact.Note}}
	case len(users) == 0 && d.unlinked > 0:
		w.Why = []team.Reason{{Rule: team.UserUnlinked, Note: fmt.Sprintf("%d not linked", d.unlinked)}}
	case d.inGrace(row):
		w.Until = d.graceEnd()
		w.Why = []team.Reason{{Rule: team.InGrace}}
	case d.mode == Additive && (!known || row.Origin != LedgerGranted):
		w.Why = []team.Reason{{Rule: team.Granted}}
	case !stated && d.absent(m.Account):
		w.Why = []team.Reason{{Rule: team.Unconfirmed}}
	default:
		w.In = team.Out
		w.Why = d.leaves(m, fact, stated)
	}
	return w
}

// leaves gives the reason for which a member goes.
func (d *decision) leaves(m team.Membership, fact team.Reason, stated bool) []team.Reason {
	switch {
	case stated:
		return []team.Reason{fact}
	case len(d.missing) > 0:
		return []team.Reason{{Rule: team.GroupMissing, Note: strings.Join(d.missing, ", ")}}
	case m.Pending:
		return []team.Reason{{Rule: team.NotWanted}}
	default:
		return []team.Reason{{Rule: team.NotInGroup}}
	}
}

// inGrace reports whether a membership was brought by a mapping that has been taken away and whose grace has not ended.
func (d *decision) inGrace(row Entry) bool {
	if !d.graceEnd().After(d.Now) {
		return false
	}
	return slices.ContainsFunc(row.Mappings, func(key string) bool { return !d.keys[key] })
}

func (d *decision) graceEnd() (end time.Time) {
	for _, c := range d.Disconnects {
		if c.Team == d.now.ID && c.Until.After(end) {
			end = c.Until
		}
	}
	return end
}

// absent counts a complete read that does not justify a member any more, and reports whether more of them are needed.
func (d *decision) absent(account team.AccountID) bool {
	if d.Settings.RemovalReads <= 1 {
		return false
	}
	reads := d.Absences[d.now.ID][account] + 1
	if d.result.Absences[d.now.ID] == nil {
		d.result.Absences[d.now.ID] = make(map[team.AccountID]int)
	}
	d.result.Absences[d.now.ID][account] = reads
	return reads < d.Settings.RemovalReads
}

// unmapped decides about teams that lost their last mapping. Who is in the ledger was brought or justified by mappings that are gone, and
// goes when the grace ends; everybody else stays and is not named.
func (r *resolver) unmapped(mapped map[teamKey][]Mapping) {
	ends := make(map[team.ID]Disconnect)
	for _, c := range r.Disconnects {
		if _, still := mapped[teamKey{id: c.Team}]; still {
			if !c.Until.After(r.Now) {
				r.result.Settled = append(r.result.Settled, c.Team)
			}
			continue
		}
		if known, ok := ends[c.Team]; !ok || c.Until.After(known.Until) {
			ends[c.Team] = c
		}
	}
	for _, id := range slices.Sorted(maps.Keys(ends)) {
		r.disconnect(r.teams[id], id, ends[id])
	}
}

func (r *resolver) disconnect(now *team.Team, id team.ID, c Disconnect) {
	rows := r.Ledger[id]
	if now == nil || now.Foreign != "" || c.Keep || len(rows) == 0 {
		r.result.Forget = append(r.result.Forget, rows...)
		r.settled(id, c)
		return
	}
	rule := team.TeamUnmapped
	if c.Origin == FromRule {
		rule = team.RuleUnmatched // nobody decided that: guards look at it as at any other removal
	}
	w := team.Wanted{Team: id, Unmapped: true}
	left := false
	for _, m := range now.Members {
		row, known := r.Ledger.Row(id, m.Account)
		if !known {
			continue
		}
		left = true
		want := team.Want{Account: m.Account, Login: m.Login, In: team.Out, Role: m.Role, Why: []team.Reason{{Rule: rule, Note: strings.Join(row.Mappings, ", ")}}}
		if users := r.Links.Users(m.Account); len(users) > 0 {
			want.User = users[0].String()
		}
		doubt, frozen := r.Links.Frozen(m.Account)
		switch {
		case m.Account == r.Place.Self || slices.Contains(r.Settings.Protected, m.Account):
			want.In, want.Why = team.Keep, []team.Reason{{Rule: team.Protected}}
		case frozen:
			want.In, want.Why = team.Keep, []team.Reason{{Rule: team.LinkFrozen, Note: doubt}}
		case c.Until.After(r.Now):
			want.In, want.Until, want.Why = team.Keep, c.Until, []team.Reason{{Rule: team.InGrace}}
		}
		w.Members = append(w.Members, want)
		for _, key := range row.Mappings {
			source, _, _ := strings.Cut(key, "/")
			w.Sources = append(w.Sources, source)
		}
	}
	slices.Sort(w.Sources)
	w.Sources = slices.Compact(w.Sources)
	for _, row := range rows {
		if _, there := now.Member(row.Account); !there {
			r.result.Forget = append(r.result.Forget, row)
		}
	}
	if !left {
		r.settled(id, c)
		return
	}
	r.result.Wanted = append(r.result.Wanted, w)
}

// settled ends a disconnect that has nothing left to do, but not within its grace: a team that is mapped again by then was never disconnected.
func (r *resolver) settled(id team.ID, c Disconnect) {
	if !c.Until.After(r.Now) {
		r.result.Settled = append(r.result.Settled, id)
	}
}
