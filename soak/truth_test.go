package soak

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"musterline.example/directory"
	"musterline.example/internal/githubsim"
	"musterline.example/team"
)

// This file is the naive account of the world: who is known to be whom and who belongs where, kept from what identity providers and GitHub
// have said and without a look at the engine. Where a careful person could doubt, it says "murky" and claims nothing but that nobody
// may be added whom no evidence ever named.

func accountID(id int64) team.AccountID { return team.AccountID(strconv.FormatInt(id, 10)) }

type userKey struct {
	source string
	id     directory.UserID
}

// A seat is an account in a team.
type seat struct{ team, account int64 }

type certainty string

const (
	nobody   certainty = ""         // no evidence names an account
	standing certainty = "standing" // all evidence there ever was names one account, and that account for nobody else
	lost     certainty = "lost"     // what named the account was taken away, and others still have theirs
	murky    certainty = "murky"    // anything else, for good
)

// A belief is what is known of one user.
type belief struct {
	state   certainty
	account int64
	via     string // manual, saml, attribute
	value   string // the login that the attribute held when it named the account
	login   string // of the account when last seen
	ever    map[int64]bool
	shadow  map[int64]bool // accounts that a login names which has changed hands: they are in doubt and gain nothing
	clean   bool           // there is no evidence at all: nobody could link this user
}

// A mapped is one line of the mappings.
type mapped struct {
	team       int64
	source     string
	group      directory.GroupID
	maintainer bool
	text       string // what the file calls the team
}

// A pin is a line whose group has been seen: what becomes of its name after that does not matter. Of one that never was nothing is known.
type pin struct {
	team, source string
	group        directory.GroupID
}

// A write is one call of ours that changes something, with what it changed.
type write struct {
	method  string
	seat    seat
	effect  string // added, removed, promoted, demoted, invited, uninvited, created; empty: none
	status  int
	fault   string
	lossy   bool // the answer was lost or spoilt
	pending bool // GitHub answered that there is an invitation now
}

// A truth is the naive account.
type truth struct {
	gh   *githubsim.Server
	org  *githubsim.Organization
	boss int64
	talk []*provider

	identities map[int64]string  // account → NameID
	statements map[userKey]int64 // by hand
	protected  map[int64]bool
	additive   map[int64]bool // teams
	reinvite   bool
	rule       bool // corp's groups gh-* make teams
	unruled    map[directory.GroupID]bool

	mu         sync.Mutex
	beliefs    map[userKey]*belief
	teams      map[int64]*githubsim.Team // all that ever were mapped
	lines      []mapped                  // the file's, when the plan in hand was made
	pins       map[pin]bool
	bound      map[directory.GroupID]int64
	granted    map[seat]bool // we put them there
	justified  map[seat]bool // a mapped group has named them once
	byHand     map[seat]bool // maintainers whom somebody made by hand
	touched    map[seat]bool // somebody else has changed this by hand
	created    map[int64]bool
	once       map[int64]bool           // accounts that were members once
	parents    map[*githubsim.Team]bool // teams that others were put below
	writes     []write
	given      map[seat]bool // we have tried to make them a maintainer
	denied     map[seat]bool // GitHub answered 404 to their removal: "already"
	violations []string

	said map[string]*directory.Snapshot // for the plan in hand; nil: the source failed
	hold *sight
}

// A sight is what a seat looks like.
type sight struct {
	role    githubsim.Role
	member  bool
	pending bool
	inOrg   bool
	people  map[string]githubsim.Role
	invited int
	login   string
	seat    seat
}

func newTruth(gh *githubsim.Server, org *githubsim.Organization, providers ...*provider) *truth {
	return &truth{
		gh: gh, org: org, boss: gh.World().User("boss").ID(), talk: providers,
		identities: map[int64]string{}, statements: map[userKey]int64{}, protected: map[int64]bool{}, additive: map[int64]bool{},
		unruled: map[directory.GroupID]bool{},
		beliefs: map[userKey]*belief{}, teams: map[int64]*githubsim.Team{}, bound: map[directory.GroupID]int64{},
		granted: map[seat]bool{}, justified: map[seat]bool{}, byHand: map[seat]bool{}, touched: map[seat]bool{}, created: map[int64]bool{},
		once: map[int64]bool{}, parents: map[*githubsim.Team]bool{}, denied: map[seat]bool{}, given: map[seat]bool{},
	}
}

func (tr *truth) violate(format string, args ...any) {
	tr.violations = append(tr.violations, fmt.Sprintf(format, args...))
}

// members are the accounts in the organization, by id and by folded login.
func (tr *truth) members() (byID map[int64]string, byLogin map[string]int64) {
	byID, byLogin = map[int64]string{}, map[string]int64{}
	for login := range tr.org.Roles() {
		id := tr.gh.World().User(login).ID()
		byID[id], byLogin[strings.ToLower(login)] = login, id
		tr.once[id] = true
	}
	return byID, byLogin
}

// learn takes in what the providers have said for the plan that was just made, before anything is written.
func (tr *truth) learn(lines []mapped) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.lines = slices.Clone(lines)
	tr.said = map[string]*directory.Snapshot{}
	byID, byLogin := tr.members()
	for _, p := range tr.talk {
		tr.said[p.name] = p.said
		if p.said != nil {
			tr.step(p.name, p.said, byID, byLogin)
		}
	}
	pins := map[pin]bool{}
	for _, m := range lines {
		p := pin{m.text, m.source, m.group}
		if s := tr.said[m.source]; s != nil {
			_, listed := s.Groups[m.group]
			pins[p] = tr.pins[p] || listed
		} else {
			pins[p] = tr.pins[p]
		}
	}
	tr.pins = pins
	tr.bind()
	for _, m := range tr.current() {
		for _, u := range tr.walk(m) {
			b := tr.beliefs[userKey{m.source, u.ID}]
			if b == nil || !u.Status.Member() {
				continue
			}
			tr.justified[seat{m.team, b.account}] = true
			for a := range b.ever {
				tr.justified[seat{m.team, a}] = true
			}
		}
	}
}

// An evidence is what names an account for a user now.
type evidence struct {
	claim     string // folded login; empty: none
	attribute int64
	saml      int64
}

func (tr *truth) step(source string, s *directory.Snapshot, byID map[int64]string, byLogin map[string]int64) {
	seen := map[directory.UserID]evidence{}
	rivals := map[int64]int{}
	attributes, identities := 0, 0
	for id := range byID {
		if tr.identities[id] != "" {
			identities++
		}
	}
	for id, u := range s.Users {
		e := evidence{claim: strings.ToLower(strings.TrimPrefix(u.Accounts["github"], "@"))}
		if e.claim != "" {
			attributes++
			e.attribute = byLogin[e.claim]
		}
		for account, name := range tr.identities {
			if _, in := byID[account]; in && name == u.Username {
				e.saml = account
			}
		}
		seen[id] = e
		if _, ruled := tr.statements[userKey{source, id}]; ruled || u.Status == directory.Deleted {
			continue
		}
		for _, a := range distinct(e.attribute, e.saml) {
			rivals[a]++
		}
	}
	for id := range s.Users {
		key := userKey{source, id}
		b := tr.beliefs[key]
		if b == nil {
			b = &belief{ever: map[int64]bool{}, shadow: map[int64]bool{}}
			tr.beliefs[key] = b
		}
		tr.judge(key, b, seen[id], s.Users[id].Status, rivals, attributes, identities, byID, byLogin)
	}
	// Two users who are believed to be one account are both in doubt.
	holders := map[int64][]*belief{}
	for key, b := range tr.beliefs {
		if key.source == source && b.account != 0 {
			holders[b.account] = append(holders[b.account], b)
		}
	}
	for _, all := range holders {
		for _, b := range all {
			if len(all) > 1 {
				b.state = murky
			}
		}
	}
}

func distinct(ids ...int64) []int64 {
	slices.Sort(ids)
	return slices.DeleteFunc(slices.Compact(ids), func(id int64) bool { return id == 0 })
}

// judge brings one belief up to date.
func (tr *truth) judge(key userKey, b *belief, e evidence, status directory.Status, rivals map[int64]int, attributes, identities int,
	byID map[int64]string, byLogin map[string]int64,
) {
	said, ruled := tr.statements[key]
	named := distinct(e.attribute, e.saml)
	b.clean = !ruled && e.claim == "" && e.saml == 0 && b.state == nobody
	contested := slices.ContainsFunc(named, func(a int64) bool { return rivals[a] > 1 || tr.anothers(a, key) })
	become := func(state certainty) {
		b.state = state
		if state == murky {
			for _, a := range named {
				if a != e.attribute || e.claim != b.value {
					b.ever[a] = true
				} else {
					b.shadow[a] = true
				}
			}
		}
	}
	switch {
	case ruled:
		b.ever[said] = true
		if b.state == murky || rivals[said] > 0 || b.account != 0 && b.account != said {
			become(murky)
			return
		}
		b.state, b.account, b.via, b.login = standing, said, "manual", byID[said]
	case b.via == "manual" || b.state == murky || contested:
		become(murky)
	case b.state == nobody:
		switch {
		case len(named) > 1:
			become(murky)
		case len(named) == 1 && status != directory.Deleted:
			b.state, b.account, b.via, b.login = standing, named[0], "attribute", byID[named[0]]
			b.ever[named[0]] = true
			if e.saml != 0 {
				b.via = "saml"
			} else {
				b.value = e.claim
			}
		}
	case b.state == lost:
		if len(named) > 0 || e.claim != "" {
			become(murky)
		}
	case !status.Member():
		// what a disabled user lacks proves nothing
		if slices.ContainsFunc(named, func(a int64) bool { return a != b.account }) || tr.replaced(b, byID, byLogin) {
			become(murky)
		}
	case slices.ContainsFunc(named, func(a int64) bool { return a != b.account }) || tr.replaced(b, byID, byLogin):
		become(murky)
	case b.via == "saml" && e.saml == b.account, b.via == "attribute" && e.attribute == b.account:
		b.login = byID[b.account]
		if b.via == "attribute" {
			b.value = e.claim
		}
	case b.via == "saml":
		switch {
		case e.attribute == b.account:
			b.via, b.value = "attribute", e.claim
		case byID[b.account] == "":
		case identities > 0 && e.claim == "":
			become(lost)
		default:
			become(murky)
		}
	case e.claim == b.value && e.claim != "":
		// the account was renamed or has left: a login is not looked up twice
		if login := byID[b.account]; login != "" {
			b.login = login
		}
	case e.claim == "" && e.saml == b.account:
		b.via = "saml"
	case e.claim == "" && attributes > 0:
		become(lost)
	default:
		become(murky)
	}
}

// anothers reports whether somebody has said by hand that an account is another user's.
func (tr *truth) anothers(account int64, but userKey) bool {
	for key, a := range tr.statements {
		if a == account && key != but {
			return true
		}
	}
	return false
}

// replaced reports whether a believed account is gone from the organization and somebody else has its login.
func (tr *truth) replaced(b *belief, byID map[int64]string, byLogin map[string]int64) bool {
	_, in := byID[b.account]
	return !in && byLogin[strings.ToLower(b.login)] != 0
}

// bind binds groups of the rule to teams that exist.
func (tr *truth) bind() {
	if !tr.rule || tr.said["corp"] == nil {
		return
	}
	for id, g := range tr.said["corp"].Groups {
		name, ok := strings.CutPrefix(g.Name, "gh-")
		if ok && tr.bound[id] == 0 {
			for _, t := range tr.org.Teams() {
				if t.Slug() == githubsim.Slug(name) {
					tr.bound[id], tr.teams[t.ID()] = t.ID(), t
				}
			}
		}
		if tr.bound[id] != 0 {
			tr.unruled[id] = !ok
		}
	}
}

// current are the lines in force: the file's, and what the rule has made of groups that match.
func (tr *truth) current() []mapped {
	lines := slices.Clone(tr.lines)
	for group, t := range tr.bound {
		if !tr.unruled[group] {
			lines = append(lines, mapped{team: t, source: "corp", group: group})
		}
	}
	return lines
}

// linesOf are those of one team.
func (tr *truth) linesOf(id int64) []mapped {
	return slices.DeleteFunc(tr.current(), func(m mapped) bool { return m.team != id })
}

// walk lists the users of a mapped group as its provider has said, each once.
func (tr *truth) walk(m mapped) []directory.User {
	s := tr.said[m.source]
	if s == nil {
		return nil
	}
	var users []directory.User
	seen, been := map[directory.UserID]bool{}, map[directory.GroupID]bool{}
	var visit func(directory.GroupID)
	visit = func(id directory.GroupID) {
		g, listed := s.Groups[id]
		if been[id] || !listed {
			return
		}
		been[id] = true
		for _, u := range g.Members {
			if user, there := s.Users[u]; there && !seen[u] {
				seen[u] = true
				users = append(users, user)
			}
		}
		for _, inner := range g.Groups {
			visit(inner)
		}
	}
	visit(m.group)
	return users
}

// belongs reports whether it is beyond doubt that an account belongs in a team, and with what role.
func (tr *truth) belongs(at seat) (in, maintainer bool) {
	for _, m := range tr.linesOf(at.team) {
		for _, u := range tr.walk(m) {
			b := tr.beliefs[userKey{m.source, u.ID}]
			if b != nil && b.state == standing && b.account == at.account && u.Status.Member() {
				in, maintainer = true, maintainer || m.maintainer
			}
		}
	}
	return in, maintainer
}

// named reports whether any evidence that counts names an account for a member of a mapped group, and whether one gives it the role of maintainer.
func (tr *truth) named(at seat) (in, maintainer bool) {
	for _, m := range tr.linesOf(at.team) {
		for _, u := range tr.walk(m) {
			b := tr.beliefs[userKey{m.source, u.ID}]
			if b == nil || !u.Status.Member() {
				continue
			}
			if b.state == standing && b.account == at.account || b.state == murky && (b.ever[at.account] || b.account == at.account) {
				in, maintainer = true, maintainer || m.maintainer
			}
		}
	}
	return in, maintainer
}

// someones reports whether evidence has ever named an account for anybody, and whether somebody in doubt is among them.
func (tr *truth) someones(account int64) (named, doubted bool) {
	for _, b := range tr.beliefs {
		if b.account == account || b.ever[account] || b.shadow[account] {
			named = true
			doubted = doubted || b.state == murky
		}
	}
	for _, said := range tr.statements {
		named = named || said == account // whether the user was read or not
	}
	return named, doubted
}

// unsettled reports whether a line names a group that nobody has seen: the team loses nobody.
func (tr *truth) unsettled(m mapped) bool {
	return m.text != "" && !tr.pins[pin{m.text, m.source, m.group}]
}

// unlinked reports whether a mapped group of a team has an active user of whom nothing is known at all.
func (tr *truth) unlinked(id int64) bool {
	for _, m := range tr.linesOf(id) {
		for _, u := range tr.walk(m) {
			if b := tr.beliefs[userKey{m.source, u.ID}]; u.Status.Member() && (b == nil || b.clean) {
				return true
			}
		}
	}
	return false
}

// parent reports whether a team has teams below it: GitHub does not synchronize those, nor do we.
func (tr *truth) parent(id int64) bool {
	t := tr.teams[id]
	return t != nil && tr.parents[t]
}

// look is how a seat looks now.
func (tr *truth) look(_, p string) *sight {
	parts := strings.Split(strings.Trim(p, "/"), "/") // organizations/ID/team/ID/memberships/LOGIN
	at := &sight{people: tr.org.Roles(), invited: len(tr.org.Invitations())}
	if ok, _ := path.Match("/organizations/*/team/*/memberships/*", p); !ok {
		return at
	}
	at.seat.team, _ = strconv.ParseInt(parts[3], 10, 64)
	at.login = parts[5]
	if tr.gh.World().HasUser(at.login) {
		u := tr.gh.World().User(at.login)
		at.seat.account, at.login = u.ID(), u.Login()
	}
	_, at.inOrg = at.people[at.login]
	for _, t := range tr.org.Teams() {
		if t.ID() != at.seat.team {
			continue
		}
		tr.teams[t.ID()] = t
		at.role, at.member = t.Members()[at.login], false
		_, at.member = t.Members()[at.login]
		at.pending = slices.Contains(t.Pending(), at.login)
	}
	return at
}

// before is told of a call before it is answered.
func (tr *truth) before(c githubsim.Call) {
	if !c.Write {
		return
	}
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.hold = tr.look(c.Method, c.Path)
}

// after is told of a call that has ended, and judges what it has done.
func (tr *truth) after(c githubsim.Call) {
	if c.Fault != "" {
		total.add("faults struck: "+c.Fault, 1)
	}
	total.add("calls of GitHub", 1)
	if !c.Write {
		return
	}
	tr.mu.Lock()
	defer tr.mu.Unlock()
	was := tr.hold
	if was == nil || was.seat.account == 0 && strings.Contains(c.Path, "/memberships/") {
		was = tr.look(c.Method, c.Path) // a call that was cut before it was looked at
	}
	tr.hold = nil
	is := tr.look(c.Method, c.Path)
	w := write{method: c.Method, seat: is.seat, status: c.Status, fault: c.Fault, lossy: lossy[c.Fault] && (c.Status != 204 || c.Fault == "cut after write")}
	if len(was.people) != len(is.people) {
		tr.violate("%s %s changed who is in the organization: %v → %v", c.Method, c.Path, was.people, is.people)
	}
	for login, role := range was.people {
		if is.people[login] != role {
			tr.violate("%s %s changed the role of %s in the organization to %q", c.Method, c.Path, login, is.people[login])
		}
	}
	switch ok, _ := path.Match("/organizations/*/team/*/memberships/*", c.Path); {
	case ok:
		w.effect = tr.effect(was, is)
		if _, maintainer := tr.named(is.seat); maintainer && c.Method == "PUT" {
			tr.given[is.seat] = true
			delete(tr.byHand, is.seat)
		}
		tr.denied[is.seat] = tr.denied[is.seat] || c.Method == "DELETE" && c.Status == 404
		w.pending = !is.member && c.Method == "PUT" && c.Status/100 == 2
		if c.Method == "PUT" && c.Status/100 == 2 && w.effect == "" {
			tr.granted[is.seat] = true // somebody was quicker; we were told that it was we
		}
		if c.Method == "PUT" && c.Status/100 == 2 && w.effect == "" && !tr.touched[is.seat] {
			tr.violate("%s was put into team %d without need", is.login, is.seat.team)
		}
	case c.Method == "POST" && strings.HasSuffix(c.Path, "/teams"):
		if c.Status/100 == 2 || w.lossy {
			w.effect = "created"
			tr.bindNew()
		}
	case c.Method == "DELETE" && strings.Contains(c.Path, "/invitations/"):
		w.effect = "uninvited"
	default:
		tr.violate("an unexpected write: %s %s", c.Method, c.Path)
	}
	total.add("writes that took effect", min(1, len(w.effect)))
	tr.weigh(w, is.login)
	tr.writes = append(tr.writes, w)
}

// bindNew takes the teams that the rule's creations have made to their groups.
func (tr *truth) bindNew() {
	for _, t := range tr.org.Teams() {
		if tr.teams[t.ID()] == nil {
			tr.teams[t.ID()], tr.created[t.ID()] = t, true
		}
	}
	tr.bind()
}

func (tr *truth) effect(was, is *sight) string {
	switch {
	case !was.member && is.member:
		return "added"
	case was.member && !is.member:
		return "removed"
	case was.role == githubsim.Member && is.role == githubsim.Maintainer:
		return "promoted"
	case was.role == githubsim.Maintainer && is.role == githubsim.Member:
		return "demoted"
	case !was.pending && is.pending:
		return "invited"
	case was.pending && !is.pending:
		return "uninvited"
	}
	return ""
}

// weigh holds a write against what is true.
func (tr *truth) weigh(w write, login string) {
	at := w.seat
	slug := fmt.Sprint(at.team)
	if t := tr.teams[at.team]; t != nil {
		slug = t.Slug()
	}
	say := func(format string, args ...any) {
		tr.violate("%s %s %s: "+format, append([]any{login, w.effect, slug}, args...)...)
	}
	role, in := tr.org.Roles()[login]
	if w.effect != "" && w.effect != "created" && tr.parent(at.team) && len(tr.linesOf(at.team)) > 0 {
		say("a parent team is not synchronized")
	}
	switch w.effect {
	case "added":
		if named, _ := tr.named(at); !named && at.account != tr.boss {
			say("no fact at an identity provider wants that")
		}
		if named, maintainer := tr.named(at); named && !maintainer && tr.teams[at.team].Members()[login] == githubsim.Maintainer && role != githubsim.Owner {
			say("as a maintainer, which nothing asks for")
		}
		tr.granted[at] = true
		delete(tr.byHand, at)
	case "promoted":
		if _, maintainer := tr.named(at); !maintainer {
			say("nothing asks for it")
		}
	case "demoted":
		if role == githubsim.Owner {
			say("an owner")
		}
		if tr.byHand[at] {
			say("somebody had made them a maintainer by hand")
		}
	case "removed", "uninvited":
		if at.team == 0 {
			return // an invitation into nothing that our own write had set off
		}
		tr.weighRemoval(w, say)
		delete(tr.granted, at)
		delete(tr.byHand, at)
	case "invited":
		if named, _ := tr.named(at); !tr.reinvite && !in || !tr.once[at.account] || !named {
			say("nobody is invited who was not a member once, and only if reinvite is set")
		}
		tr.granted[at] = true
	}
}

func (tr *truth) weighRemoval(w write, say func(string, ...any)) {
	at := w.seat
	lines := tr.linesOf(at.team)
	belongs, _ := tr.belongs(at)
	named, _ := tr.someones(at.account)
	switch {
	case at.account == tr.boss:
		if !tr.created[at.team] {
			say("our own account")
		}
		return
	case tr.protected[at.account]:
		say("a protected account")
	case belongs:
		say("a mapped group lists them")
	case len(lines) == 0 && !tr.justified[at] && !tr.granted[at]:
		say("the team is not mapped, and no mapped group had ever named them")
	case len(lines) > 0 && !named && tr.unlinked(at.team):
		say("nobody is linked to the account, and a mapped group has somebody who is not linked")
	case len(lines) > 0 && tr.additive[at.team] && !tr.granted[at]:
		say("the team is additive, and we have not brought them")
	case w.effect == "uninvited" && !named && !tr.granted[at]:
		say("the invitation was made by hand")
	}
	for _, m := range lines {
		if tr.said[m.source] == nil {
			say("while %s could not be read", m.source)
		} else if tr.unsettled(m) {
			say("while it is not known what group %s is", m.group)
		}
	}
	total.add("removals justified", 1)
}

// broken returns what was found wrong since the last time.
func (tr *truth) broken() []string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	found := tr.violations
	tr.violations = nil
	return found
}
