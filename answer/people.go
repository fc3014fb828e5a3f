package answer

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"musterline.example/directory"
	"musterline.example/link"
	"musterline.example/mapping"
	"musterline.example/plan"
	"musterline.example/store"
	"musterline.example/team"
)

// The states of a person: how somebody whom a source knows stands with accounts. Where they stand differently on two hosts, or in two
// targets, the one counts that needs a person first.
const (
	PersonLinked     = "linked"
	PersonUnmatched  = "not-linked"   // no account is known to be theirs
	PersonNoMember   = "not-a-member" // their account is in no organization that wants it
	PersonAmbiguous  = "ambiguous"    // two accounts or two users are named
	PersonInConflict = "conflict"     // evidence disagrees, or the link is frozen
	PersonRevoked    = "revoked"      // the identity behind the link is gone
	PersonInactive   = "inactive"     // disabled or deleted at the identity provider
)

// PersonStates are all of them, what needs a person first.
var PersonStates = []string{
	PersonInactive, PersonInConflict, PersonAmbiguous, PersonRevoked, PersonNoMember, PersonUnmatched, PersonLinked,
}

// A PeopleWish asks for users of sources.
type PeopleWish struct {
	Targets []string // whose sources, hosts and plans count; nil: all
	Source  string   // of this source alone
	Search  string   // in names, sign-in names, addresses, ids and logins
	State   string   // of this state alone
}

// People are users of the sources with their accounts, as the last snapshots, links and plans have them.
type People struct {
	People  []PersonLine   `json:"people"`
	Counts  map[string]int `json:"counts"` // by state, of all whom the search finds
	Sources []SourceAge    `json:"sources"`
	Next    string         `json:"next,omitempty"`
}

// A SourceAge is how old what is known of a source is.
type SourceAge struct {
	Name   string    `json:"name"`
	ReadAt time.Time `json:"read_at,omitzero"` // of the last complete read; none: it was never read
}

// A PersonLine is one user of a source.
type PersonLine struct {
	Source   string          `json:"source"`
	ID       string          `json:"id"`
	Name     string          `json:"name,omitempty"`
	Username string          `json:"username,omitempty"`
	Email    string          `json:"email,omitempty"`
	Status   string          `json:"status"` // at the identity provider: active, locked, disabled or deleted
	State    string          `json:"state"`
	Message  string          `json:"message,omitempty"` // what is in the way, and what to do
	Accounts []PersonAccount `json:"accounts"`
}

// A PersonAccount is an account that a user is linked to.
type PersonAccount struct {
	Host    string `json:"host"`
	Account string `json:"account"`
	Login   string `json:"login,omitempty"`
	Tier    string `json:"tier"`
	State   string `json:"state"` // standing, frozen, revoked; stated: said by hand, and no sync has looked yet
	Trouble string `json:"trouble,omitempty"`
}

// Key orders people by name, and is of one alone.
func (p PersonLine) Key() string {
	return strings.ToLower(cmp.Or(p.Name, p.Username, p.ID)) + "\x00" + p.Source + "/" + p.ID
}

// People lists users, in order of name. The list is whole: whoever shows it cuts pages out of it.
func (h *House) People(ctx context.Context, wish PeopleWish) (People, error) {
	list := People{People: []PersonLine{}, Counts: map[string]int{}, Sources: []SourceAge{}}
	if wish.State != "" && !slices.Contains(PersonStates, wish.State) {
		return list, Usagef("state is one of %s", strings.Join(PersonStates, ", "))
	}
	sources := h.sourcesShown(wish.Targets)
	if wish.Source != "" {
		if err := OneOf("source", wish.Source, sources); err != nil {
			return list, err
		}
		sources = []string{wish.Source}
	}
	stand, err := h.standing(ctx, wish.Targets)
	if err != nil {
		return list, err
	}
	search := strings.ToLower(strings.TrimPrefix(strings.TrimSpace(wish.Search), "@"))
	for _, name := range sources {
		s, err := h.lastRead(ctx, name)
		if err != nil {
			return list, err
		}
		age := SourceAge{Name: name}
		if s != nil {
			age.ReadAt = s.TakenAt
			for _, u := range s.Users {
				p := stand.line(name, u)
				if !p.fits(search) {
					continue
				}
				list.Counts[p.State]++
				if wish.State == "" || p.State == wish.State {
					list.People = append(list.People, p)
				}
			}
		}
		list.Sources = append(list.Sources, age)
	}
	keys := make(map[[2]string]string, len(list.People)) // made once each: a comparison is made many times
	for _, p := range list.People {
		keys[[2]string{p.Source, p.ID}] = p.Key()
	}
	slices.SortFunc(list.People, func(a, b PersonLine) int {
		return cmp.Compare(keys[[2]string{a.Source, a.ID}], keys[[2]string{b.Source, b.ID}])
	})
	return list, nil
}

// fits reports whether a lower-case search finds a person.
func (p PersonLine) fits(search string) bool {
	if search == "" {
		return true
	}
	for _, text := range []string{p.Name, p.Username, p.Email, p.ID, p.Source + "/" + p.ID} {
		if strings.Contains(strings.ToLower(text), search) {
			return true
		}
	}
	return slices.ContainsFunc(p.Accounts, func(a PersonAccount) bool {
		return strings.Contains(strings.ToLower(a.Login), search) || a.Account == search
	})
}

// sourcesShown are the sources that one of the targets shows; of no targets: all.
func (h *House) sourcesShown(targets []string) []string {
	all := h.sourceNames()
	if targets == nil {
		return all
	}
	return slices.DeleteFunc(all, func(source string) bool {
		return !slices.ContainsFunc(targets, func(name string) bool {
			shown := h.Config.Targets[name].Sources
			return len(shown) == 0 || slices.Contains(shown, source)
		})
	})
}

// A standings is how everybody stands with accounts, as memory has it.
type standings struct {
	accounts map[link.UserRef][]PersonAccount
	held     map[string][]heldOn          // by user: what the last plans of the targets say
	owner    map[[2]string][]link.UserRef // by host and account
}

// A heldOn is somebody who is held in a target, with the host of its accounts.
type heldOn struct {
	plan.Held
	target, host string
}

// standing gathers how everybody stands on the hosts of the targets; nil: of all.
func (h *House) standing(ctx context.Context, targets []string) (*standings, error) {
	st := &standings{
		accounts: make(map[link.UserRef][]PersonAccount), held: make(map[string][]heldOn), owner: make(map[[2]string][]link.UserRef),
	}
	if targets == nil {
		targets = h.targetNames()
	}
	var hosts []string
	for _, name := range targets {
		if host := h.host(ctx, name); !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	if h.Store == nil {
		return st, nil
	}
	slices.Sort(hosts)
	for _, host := range hosts {
		if err := h.standingOn(ctx, st, host); err != nil {
			return nil, err
		}
	}
	for _, name := range targets {
		last, err := h.Store.LastPlan(ctx, name)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, held := range last.Plan.Held {
			st.held[held.User] = append(st.held[held.User], heldOn{held, name, h.host(ctx, name)})
		}
	}
	return st, nil
}

// standingOn adds the links of a host, and the statements that no run has looked at yet.
func (h *House) standingOn(ctx context.Context, st *standings, host string) error {
	links, err := h.Store.Links(ctx, host)
	if err != nil {
		return err
	}
	said, err := h.Store.Statements(ctx, host)
	if err != nil {
		return err
	}
	stated := make(map[link.UserRef]link.Statement, len(said))
	for _, s := range slices.Concat(h.deps.Manual[host], said) {
		if first, there := stated[s.User]; !there || s.Tier == link.Manual && first.Tier != link.Manual {
			stated[s.User] = s
		}
	}
	login := make(map[team.AccountID]string, len(links))
	put := func(user link.UserRef, a PersonAccount) {
		st.accounts[user] = append(st.accounts[user], a)
		key := [2]string{host, a.Account}
		st.owner[key] = append(st.owner[key], user)
	}
	for _, l := range links {
		login[l.Account] = l.Login
		if s, ok := stated[l.User]; ok && (s.Account != l.Account || s.Tier != l.Tier) {
			continue // what a person has said since counts
		}
		delete(stated, l.User)
		put(l.User, PersonAccount{Host: host, Account: string(l.Account), Login: l.Login, Tier: string(l.Tier), State: string(l.State), Trouble: l.Trouble})
	}
	for user, s := range stated {
		put(user, PersonAccount{Host: host, Account: string(s.Account), Login: login[s.Account], Tier: string(s.Tier), State: "stated"})
	}
	return nil
}

// line says how a user stands.
func (st *standings) line(source string, u directory.User) PersonLine {
	ref := link.UserRef{Source: source, ID: u.ID}
	p := PersonLine{
		Source: source, ID: string(u.ID), Name: u.Name, Username: u.Username, Email: u.Email, Status: string(u.Status),
		Accounts: list(st.accounts[ref]), State: PersonUnmatched,
	}
	raise := func(state, message string) {
		if slices.Index(PersonStates, state) < slices.Index(PersonStates, p.State) || p.Message == "" && state == p.State {
			p.State, p.Message = state, message
		}
	}
	stated := false
	for i, a := range p.Accounts {
		state := map[string]string{string(link.Frozen): PersonInConflict, string(link.Revoked): PersonRevoked}[a.State]
		if state == "" && i == 0 {
			p.State = PersonLinked
		} else if state != "" {
			raise(state, a.Trouble)
		}
		stated = stated || a.State == "stated"
	}
	for _, held := range st.held[ref.String()] {
		state := held.Reason
		switch {
		case held.Reason == mapping.HeldPending, stated:
			continue // there is a link; what the last plan says is older than it
		case held.Reason == mapping.HeldInactive:
			state = PersonInactive
		case held.Reason == string(link.NotLinked) && slices.ContainsFunc(p.Accounts, func(a PersonAccount) bool { return a.Host == held.host }):
			continue // revoked, which the link says
		}
		if slices.Contains(PersonStates, state) {
			raise(state, held.Message)
		}
	}
	if !u.Status.Member() {
		p.State, p.Message = PersonInactive, "is "+string(u.Status)+" at the identity provider"
	}
	return p
}

// A Stranger is a member of an organization whom no user is linked to, or who is.
type Stranger struct {
	Account string   `json:"account"` // the number
	Login   string   `json:"login"`
	Users   []string `json:"users"` // "source/id" of those linked to it; none: nobody is
}

// Accounts are members of the organization of a target, in order of login, as of its last run.
type Accounts struct {
	Target   string     `json:"target"`
	Host     string     `json:"host"`
	Accounts []Stranger `json:"accounts"`
	Total    int        `json:"total"` // of those that the search finds
	Next     string     `json:"next,omitempty"`
}

// An AccountsWish asks for members of an organization.
type AccountsWish struct {
	Target   string
	Search   string // in logins, or a number
	Unlinked bool   // only those to whom no user is linked
	Shown    []string
}

// Accounts lists members of an organization from memory. The list is whole: whoever shows it cuts pages out of it.
func (h *House) Accounts(ctx context.Context, wish AccountsWish) (Accounts, error) {
	out := Accounts{Target: wish.Target, Accounts: []Stranger{}}
	if err := OneOf("target", wish.Target, h.targetNames()); err != nil {
		return out, err
	}
	out.Host = h.host(ctx, wish.Target)
	if h.Store == nil {
		return out, nil
	}
	place, err := h.Store.Place(ctx, wish.Target)
	if errors.Is(err, store.ErrNotFound) {
		return out, nil // it was never read
	}
	if err != nil {
		return out, err
	}
	members, err := h.Store.Members(ctx, place)
	if err != nil {
		return out, err
	}
	st := &standings{accounts: make(map[link.UserRef][]PersonAccount), owner: make(map[[2]string][]link.UserRef)}
	if err := h.standingOn(ctx, st, place.Host); err != nil {
		return out, err
	}
	search := team.FoldLogin(strings.TrimPrefix(strings.TrimSpace(wish.Search), "@"))
	for _, login := range slices.SortedFunc(maps.Keys(members), func(a, b string) int {
		return cmp.Or(cmp.Compare(team.FoldLogin(a), team.FoldLogin(b)), cmp.Compare(a, b))
	}) {
		id := members[login]
		owners := st.owner[[2]string{place.Host, string(id)}]
		if wish.Unlinked && len(owners) > 0 || search != "" && !strings.Contains(team.FoldLogin(login), search) && string(id) != search {
			continue
		}
		one := Stranger{Account: string(id), Login: login, Users: []string{}}
		for _, user := range owners {
			if wish.Shown == nil || slices.Contains(wish.Shown, user.Source) {
				one.Users = append(one.Users, user.String())
			}
		}
		out.Accounts = append(out.Accounts, one)
	}
	out.Total = len(out.Accounts)
	return out, nil
}
