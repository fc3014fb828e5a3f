package answer

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"musterline.example/audit"
	"musterline.example/directory"
	"musterline.example/internal/words"
	"musterline.example/link"
	"musterline.example/setting"
	"musterline.example/store"
	"musterline.example/team"
)

// A knownTeam is a team that memory has a name for.
type knownTeam struct {
	target string
	id     team.ID
	slug   string
}

// A register is the names that memory has for teams and accounts: those of the last plan before those of older intents.
type register struct {
	target   string // the only one whose names these are; empty: all
	teams    []knownTeam
	accounts map[team.AccountID]string // login
}

// lookBack is how many intents are searched for the names of teams and accounts that no plan holds any more.
const lookBack = 5000

// register gathers the names of a target, or of all. Who asks about one target learns no names of others.
func (h *House) register(ctx context.Context, target string) (*register, error) {
	r, err := h.registerNow(ctx, target)
	if err != nil {
		return nil, err
	}
	return r, h.registerPast(ctx, r)
}

// registerNow gathers the names of now, which is enough for most questions.
func (h *House) registerNow(ctx context.Context, target string) (*register, error) {
	r := &register{target: target, accounts: make(map[team.AccountID]string)}
	if h.Store == nil {
		return r, nil
	}
	for _, host := range h.hostsOf(ctx, target) {
		links, err := h.linksOf(ctx, target, host)
		if err != nil {
			return nil, err
		}
		for _, l := range links {
			r.account(l.Account, l.Login)
		}
	}
	targets := h.targetNames()
	if target != "" {
		targets = []string{target}
	}
	for _, target := range targets {
		if err := h.registerPlan(ctx, r, target); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// registerPast adds the names of older intents.
func (h *House) registerPast(ctx context.Context, r *register) error {
	if h.Store == nil {
		return nil
	}
	intents, err := h.Store.Entries(ctx, store.Filter{Target: r.target, Kind: store.KindIntent, Limit: lookBack})
	if err != nil {
		return err
	}
	for _, e := range intents {
		var i audit.Intent
		if json.Unmarshal(e.Body, &i) != nil {
			continue
		}
		r.team(i.Target, team.ID(i.Team), i.Slug)
		for _, w := range i.Writes {
			r.account(team.AccountID(w.Account), w.Login)
		}
	}
	return nil
}

// look looks among the names of now, and among those of older intents for what is not there.
func (h *House) look(ctx context.Context, target string, find func(*register) error) error {
	r, err := h.registerNow(ctx, target)
	if err != nil {
		return err
	}
	if err := find(r); err == nil || ErrorOf(err).Class != NotFound {
		return err
	}
	if err := h.registerPast(ctx, r); err != nil {
		return err
	}
	return find(r)
}

// hostsOf are where the accounts of a target live, or of all.
func (h *House) hostsOf(ctx context.Context, target string) []string {
	if target != "" {
		return []string{h.host(ctx, target)}
	}
	return h.hosts(ctx)
}

// linksOf are the links on a host, for one target those of the users that have to do with it.
func (h *House) linksOf(ctx context.Context, target, host string) ([]link.Link, error) {
	if h.Store == nil {
		return nil, nil
	}
	sources, err := h.sourcesOf(ctx, target)
	if err != nil {
		return nil, err
	}
	links, err := h.Store.Links(ctx, host)
	return slices.DeleteFunc(links, func(l link.Link) bool { return target != "" && !slices.Contains(sources, l.User.Source) }), err
}

// sourcesOf are the sources that have to do with a target: those that it shows, and those that the file maps its teams to. Of no target: all.
func (h *House) sourcesOf(ctx context.Context, target string) ([]string, error) {
	if target == "" || len(h.Config.Targets[target].Sources) == 0 {
		return h.sourceNames(), nil
	}
	sources := slices.Clone(h.Config.Targets[target].Sources)
	for _, r := range h.Config.Rules {
		if r.Target == target {
			sources = append(sources, r.Source)
		}
	}
	mappings, err := h.mappings(ctx, target)
	for _, m := range mappings {
		sources = append(sources, m.Source)
	}
	slices.Sort(sources)
	return slices.Compact(sources), err
}

func (h *House) registerPlan(ctx context.Context, r *register, target string) error {
	last, err := h.Store.LastPlan(ctx, target)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err == nil {
		for i := range last.Plan.Teams {
			c := &last.Plan.Teams[i]
			r.team(target, c.Team, c.Slug)
			for _, ch := range c.Changes() {
				r.account(ch.Account, ch.Login)
			}
		}
		for _, held := range last.Plan.Held {
			r.team(target, held.Team, held.Slug)
		}
		for _, refused := range last.Plan.Refused {
			r.team(target, refused.Team, refused.Slug)
		}
	}
	if place, err := h.Store.Place(ctx, target); err == nil {
		members, err := h.Store.Members(ctx, place)
		if err != nil {
			return err
		}
		for login, id := range members {
			r.account(id, login)
		}
	} else if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	mappings, err := h.mappings(ctx, target)
	if err != nil {
		return err
	}
	for _, m := range mappings {
		r.team(target, m.TeamID, m.Team)
	}
	return nil
}

func (r *register) account(id team.AccountID, login string) {
	if _, known := r.accounts[id]; !known && id != "" && login != "" {
		r.accounts[id] = login
	}
}

// team keeps every name that a team has gone by, so that an old one is understood as well.
func (r *register) team(target string, id team.ID, slug string) {
	t := knownTeam{target, id, slug}
	if slug != "" && !slices.Contains(r.teams, t) {
		r.teams = append(r.teams, t)
	}
}

// slug returns the name that a team has now, as far as memory knows.
func (r *register) slug(target string, id team.ID) string {
	for _, t := range r.teams {
		if t.target == target && t.id == id {
			return t.slug
		}
	}
	return string(id)
}

// knownTeam understands what findTeam does. Only for a word that memory does not know all names are gathered, to offer the nearest.
func (h *House) knownTeam(ctx context.Context, target, word string) (found knownTeam, err error) {
	r := &register{target: target}
	for _, name := range h.targetNames() {
		if h.Store == nil || target != "" && target != name {
			continue
		}
		called := strings.TrimPrefix(word, name+"/")
		ids, err := h.Store.TeamsCalled(ctx, name, called)
		if err != nil {
			return found, err
		}
		slugs, _, err := h.Store.Names(ctx, name, ids, nil)
		if err != nil {
			return found, err
		}
		for _, id := range ids {
			r.team(name, id, slugs[id])
			r.team(name, id, called)
		}
	}
	if len(r.teams) > 0 {
		return r.findTeam(word)
	}
	err = h.look(ctx, target, func(r *register) error {
		found, err = r.findTeam(word)
		return err
	})
	return found, err
}

// findTeam understands a slug, an id, or either behind its target.
func (r *register) findTeam(word string) (knownTeam, error) {
	var found []knownTeam
	var names []string
	for _, t := range r.teams {
		names = append(names, t.slug)
		for _, name := range []string{t.slug, string(t.id)} {
			if name != "" && (word == name || word == t.target+"/"+name) {
				t.slug = cmp.Or(r.slug(t.target, t.id), t.slug)
				found = append(found, t)
			}
		}
	}
	found = slices.DeleteFunc(found, func(t knownTeam) bool { // a name without an id, when another has the id
		return t.id == "" && slices.ContainsFunc(found, func(o knownTeam) bool { return o.id != "" && o.target == t.target })
	})
	slices.SortFunc(found, func(a, b knownTeam) int { return cmp.Or(cmp.Compare(a.target, b.target), cmp.Compare(a.id, b.id)) })
	found = slices.Compact(found)
	switch len(found) {
	case 0:
		slices.Sort(names)
		return knownTeam{}, OneOf("team", word, slices.Compact(names))
	case 1:
		return found[0], nil
	}
	return knownTeam{}, Usagef("%q is a team of %s and of %s", word, found[0].target, found[1].target).Plainly("several targets have a team of that name").
		WithHint("write target/team, such as " + found[0].target + "/" + found[0].slug)
}

// A person is somebody whom memory knows as a user, as an account, or as both.
type person struct {
	user    link.UserRef // zero when nobody is linked
	name    string
	status  directory.Status
	account team.AccountID // empty when no account is known
	login   string
	link    *link.Link
}

// findPerson understands a login, an account's number, and a user's id, sign-in name or address, also behind the name of the source.
func (h *House) findPerson(ctx context.Context, r *register, host, word string) (person, error) {
	links, err := h.linksOf(ctx, r.target, host)
	if err != nil {
		return person{}, err
	}
	fold := team.FoldLogin(strings.TrimPrefix(word, "@"))
	for _, l := range links {
		if l.User.String() == word || team.FoldLogin(l.Login) == fold || string(l.Account) == word {
			return h.described(ctx, person{user: l.User, account: l.Account, login: l.Login, link: &l})
		}
	}
	users, err := h.usersCalled(ctx, r.target, word)
	if err != nil {
		return person{}, err
	}
	for _, ref := range users {
		for _, l := range links {
			if l.User == ref {
				return h.described(ctx, person{user: l.User, account: l.Account, login: l.Login, link: &l})
			}
		}
	}
	if len(users) > 1 {
		return person{}, Usagef("%q is a user of %s and of %s", word, users[0].Source, users[1].Source).Plainly("several sources have a user of that name").
			WithHint("write source/user, such as " + users[0].String())
	}
	if len(users) == 1 {
		return h.described(ctx, person{user: users[0]})
	}
	for _, id := range slices.Sorted(maps.Keys(r.accounts)) {
		if string(id) == word || team.FoldLogin(r.accounts[id]) == fold {
			return person{account: id, login: r.accounts[id]}, nil
		}
	}
	near := nearestPerson(links, word)
	return person{}, Errorf(NotFound, "nobody called %q is known%s", word, near).Plainly("nobody of that name is known" + near).
		WithHint("write a login, an account's number, or source/user; memory knows the users of mapped groups and their accounts, and whom a plan has named: who is neither was never added or removed")
}

func nearestPerson(links []link.Link, word string) string {
	var known []string
	for _, l := range links {
		known = append(known, l.Login, l.User.String())
	}
	return setting.DidYouMean(word, known)
}

// described adds what the last snapshot says of a user.
func (h *House) described(ctx context.Context, p person) (person, error) {
	last, err := h.lastRead(ctx, p.user.Source)
	if err != nil {
		return p, err
	}
	if last != nil {
		u := last.Users[p.user.ID]
		p.name, p.status = cmp.Or(u.Name, u.Username), u.Status
	}
	return p, nil
}

// usersCalled finds users of the last snapshots by id, sign-in name or address, or by any of these behind the name of their source.
func (h *House) usersCalled(ctx context.Context, target, word string) ([]link.UserRef, error) {
	var found []link.UserRef
	sources, err := h.sourcesOf(ctx, target)
	if err != nil {
		return nil, err
	}
	for _, name := range sources {
		of, ok := strings.CutPrefix(word, name+"/")
		if !ok {
			of = word
		}
		last, err := h.lastRead(ctx, name)
		if err != nil {
			return nil, err
		}
		u, ok, err := userCalled(last, of)
		if err != nil {
			return nil, err
		}
		if ok {
			found = append(found, link.UserRef{Source: name, ID: u.ID})
		}
	}
	return found, nil
}

// lastRead is the last snapshot of a source, which is shared and must not be changed; nil when there never was one.
func (h *House) lastRead(ctx context.Context, source string) (*directory.Snapshot, error) {
	if h.Store == nil {
		return nil, nil
	}
	return h.snapshots.last(ctx, h.Store, source)
}

// userCalled finds a user of a source: by id, else by sign-in name or address. That of two is an error that names both.
func userCalled(s *directory.Snapshot, word string) (u directory.User, ok bool, err error) {
	if s == nil || word == "" {
		return u, false, nil
	}
	if u, ok = s.Users[directory.UserID(word)]; ok {
		return u, true, nil
	}
	var found []directory.User
	for _, u := range s.Users {
		if u.Username == word || strings.EqualFold(u.Email, word) {
			found = append(found, u)
		}
	}
	slices.SortFunc(found, func(a, b directory.User) int { return cmp.Compare(a.ID, b.ID) })
	switch len(found) {
	case 0:
		return u, false, nil
	case 1:
		return found[0], true, nil
	}
	ids, names := make([]string, len(found)), make([]string, len(found))
	for i, u := range found {
		ids[i], names[i] = s.Source+"/"+string(u.ID), introduced(s.Source, u)
	}
	return u, false, Usagef("%q is what %s are called", word, words.List(names)).Plainly("several users of the source have that name").
		WithHint("write which one is meant, by the id: " + strings.Join(ids, " or "))
}

// introduced is a user with the name that people know.
func introduced(source string, u directory.User) string {
	who := source + "/" + string(u.ID)
	if name := cmp.Or(u.Name, u.Username); name != "" {
		who += " (" + name + ")"
	}
	return who
}

// knownAccount understands what findPerson does, and returns the account's number.
func (h *House) knownAccount(ctx context.Context, target, word string) (account string, err error) {
	err = h.look(ctx, target, func(r *register) error {
		var last error
		for _, host := range h.hostsOf(ctx, target) {
			p, err := h.findPerson(ctx, r, host, word)
			if err == nil && p.account != "" {
				account = string(p.account)
				return nil
			}
			if err == nil {
				err = Errorf(Nothing, "no account of %s is known", word).Plainly("no account of them is known")
			}
			last = err
		}
		return last
	})
	return account, err
}
