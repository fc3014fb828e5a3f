package ldap

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/go-ldap/ldap/v3"

	"musterline.example/directory"
	"musterline.example/source"
)

// A group is one group of the listing.
type group struct {
	id          directory.GroupID
	dn          string
	name        string
	description string
	sid         string

	read   bool
	values []string // DNs of members as the group lists them
	uids   []string // uids of members
	users  []directory.UserID
	groups []directory.GroupID
}

// A listing is all groups in scope.
type listing struct {
	byID map[directory.GroupID]*group
	byDN names[directory.GroupID]
}

// listGroups lists all groups, without members.
func (c *connection) listGroups(ctx context.Context) (*listing, error) {
	l, err := c.findGroups(ctx, "")
	if err == nil && len(l.byID) == 0 {
		err = &source.Error{
			State: "no-groups", Message: fmt.Sprintf("%s: there is not one group below %s", c.server.url, c.server.groupBases[0].dn),
			Fix: "correct group_bases and group_filter; if they are right, the bind DN may not see the groups: " + c.advice(statePermission),
		}
	}
	return l, err
}

// findGroups lists the groups that a further filter shows; "" for all.
func (c *connection) findGroups(ctx context.Context, filter string) (*listing, error) {
	d := c.dialect
	l := &listing{byID: make(map[directory.GroupID]*group)}
	attributes := []string{d.id, d.groupName, "description"}
	if d.sid != "" {
		attributes = append(attributes, d.sid)
	}
	full := d.groupFilter
	if filter != "" {
		full = and(full, filter)
	}
	for _, b := range c.server.groupBases {
		err := c.pages(ctx, "list the groups below "+b.dn, b.dn, full, attributes, func(e *ldap.Entry) error {
			text, err := c.idOf(e)
			if err != nil {
				return err
			}
			id := directory.GroupID(text)
			if _, again := l.byID[id]; again {
				return c.twice(e.DN)
			}
			l.byID[id] = &group{id: id, dn: e.DN, name: cmp.Or(groupName(e, d.groupName), text), description: value(e, "description"), sid: value(e, d.sid)}
			l.byDN.add(e.DN, id)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return l, nil
}

// missed asks by themselves for the groups of a selection that the listing lacks. One that is there after all was left out of the listing,
// and then nobody knows what else was.
func (c *connection) missed(ctx context.Context, want source.Selection, l *listing) error {
	named := make(map[string]bool, len(l.byID))
	for _, g := range l.byID {
		named[g.name] = true
	}
	var filters []string
	wanted := make(map[string]bool)
	ask := func(word string, asName bool) {
		if _, ok := l.byID[directory.GroupID(word)]; ok || asName && named[word] {
			return
		}
		wanted[word] = true
		if v := c.dialect.idFilter(word); v != "" {
			filters = append(filters, "("+c.dialect.id+"="+v+")")
		}
		if asName {
			filters = append(filters, equals(c.dialect.groupName, word))
		}
	}
	for _, id := range want.IDs {
		ask(string(id), false)
	}
	for _, name := range want.Names {
		ask(name, true)
	}
	for some := range slices.Chunk(filters, 20) {
		found, err := c.findGroups(ctx, or(some...))
		if err != nil {
			return err
		}
		for id, g := range found.byID {
			if _, listed := l.byID[id]; !listed && (wanted[string(id)] || wanted[g.name]) {
				return c.short("the listing of groups", g.dn)
			}
		}
	}
	return nil
}

// short is the error of a listing that lacks an entry it should have shown.
func (c *connection) short(listing, dn string) error {
	return &source.Error{
		State: "listing-short", Retry: true, Fix: "try again; if it stays so, the server leaves out entries of a search that it shows by themselves: see its limits, its indexes and its log",
		Message: fmt.Sprintf("%s: %s came short: it lacks %s, which is there and fits the filter", c.server.url, listing, dn),
	}
}

// readMembers reads what the groups list, and what the groups within them list, each once.
func (c *connection) readMembers(ctx context.Context, l *listing, ids []directory.GroupID) error {
	d := c.dialect
	attributes := append([]string{d.id, "objectClass"}, d.members...)
	for _, a := range []string{d.memberUIDs, d.dynamic, d.stamp} {
		if a != "" {
			attributes = append(attributes, a)
		}
	}
	todo := make([]*group, 0, len(ids))
	for _, id := range ids {
		todo = append(todo, l.byID[id])
	}
	if len(todo) > 100 && len(todo) > len(l.byID)/4 {
		if err := c.readAllMembers(ctx, l, attributes); err != nil {
			return err
		}
	}
	for len(todo) > 0 {
		err := forEach(ctx, slices.DeleteFunc(slices.Clone(todo), func(g *group) bool { return g.values != nil }), func(ctx context.Context, g *group) error {
			e, err := c.entry(ctx, "read the members of "+g.dn, g.dn, "(objectClass=*)", attributes...)
			if err != nil {
				return err
			}
			if e == nil {
				return c.vanished(g.dn)
			}
			if id, err := c.idOf(e); err != nil || directory.GroupID(id) != g.id {
				return cmp.Or(err, c.vanished(g.dn))
			}
			return c.take(ctx, g, e)
		})
		if err != nil {
			return err
		}
		var nested []*group
		for _, g := range todo {
			g.read = true
		}
		for _, g := range todo {
			for _, dn := range g.values {
				if id, ok := l.byDN.find(dn); ok && !l.byID[id].read {
					l.byID[id].read = true
					nested = append(nested, l.byID[id])
				}
			}
		}
		todo = nested
	}
	return nil
}

// readAllMembers reads what every group lists, in pages: quicker than one by one when most of them are wanted.
func (c *connection) readAllMembers(ctx context.Context, l *listing, attributes []string) error {
	var sliced []*ldap.Entry
	for _, b := range c.server.groupBases {
		err := c.pages(ctx, "read the members of the groups below "+b.dn, b.dn, c.dialect.groupFilter, attributes, func(e *ldap.Entry) error {
			id, err := c.idOf(e)
			if err != nil {
				return err
			}
			g, listed := l.byID[directory.GroupID(id)]
			if !listed {
				return nil // made since the listing: nobody asked for it
			}
			if c.dialect.ranges && slices.ContainsFunc(e.Attributes, func(a *ldap.EntryAttribute) bool { return strings.Contains(a.Name, ";") }) {
				sliced = append(sliced, e) // its other slices would come between two pages
				return nil
			}
			return c.take(ctx, g, e)
		})
		if err != nil {
			return err
		}
	}
	return forEach(ctx, sliced, func(ctx context.Context, e *ldap.Entry) error {
		id, err := c.idOf(e)
		if err != nil {
			return err
		}
		return c.take(ctx, l.byID[directory.GroupID(id)], e)
	})
}

// take keeps what an entry lists as members, when it is all of them.
func (c *connection) take(ctx context.Context, g *group, e *ldap.Entry) error {
	d := c.dialect
	for _, attribute := range d.members {
		listed := values(e, attribute)
		if d.ranges {
			s, ok, err := sliced(e, attribute)
			if err != nil {
				return &source.Error{State: "range-gap", Message: fmt.Sprintf("%s: read the members of %s: %v", c.server.url, g.dn, err), Retry: true, Fix: "try again"}
			}
			if ok {
				if listed, err = c.rest(ctx, e, attribute, s); err != nil {
					return err
				}
			}
		}
		if attribute == "uniqueMember" {
			for i, v := range listed {
				listed[i] = withoutUID(v)
			}
		}
		g.values = append(g.values, listed...)
	}
	if d.memberUIDs != "" {
		g.uids = values(e, d.memberUIDs)
	}
	if d.dynamic != "" && len(values(e, d.dynamic)) > 0 && len(g.values) == 0 {
		return &source.Error{
			State: "dynamic-group", Message: fmt.Sprintf("%s: %s describes its members by %s, and the server does not list them", c.server.url, g.dn, d.dynamic),
			Fix: "let the server list them (OpenLDAP: overlay dynlist with dynlist-attrset groupOfURLs memberURL member), or keep the group out with group_filter",
		}
	}
	if len(g.values)+len(g.uids) == 0 && d.compares {
		if err := c.trulyEmpty(ctx, g, values(e, "objectClass")); err != nil {
			return err
		}
	}
	if g.values == nil {
		g.values = []string{} // read
	}
	return nil
}

// trulyEmpty returns an error for a group that only looks empty because its members may not be read.
func (c *connection) trulyEmpty(ctx context.Context, g *group, classes []string) error {
	for _, of := range []struct{ class, attribute, value string }{
		{"groupOfNames", "member", g.dn}, {"groupOfMembers", "member", g.dn}, {"groupOfUniqueNames", "uniqueMember", g.dn}, {"posixGroup", "memberUid", "nobody"},
	} {
		if !slices.ContainsFunc(classes, func(class string) bool { return strings.EqualFold(class, of.class) }) {
			continue
		}
		hidden, err := c.has(ctx, g.dn, of.attribute, of.value)
		if err != nil {
			return err
		}
		if hidden {
			return &source.Error{
				State: "members-hidden", Message: fmt.Sprintf("%s: %s has the attribute %s, and the bind DN may not read it", c.server.url, g.dn, of.attribute),
				Fix: "let the bind DN read that attribute: " + c.advice(statePermission),
			}
		}
	}
	return nil
}

// settle finds out who the members of the groups that were read are.
func (c *connection) settle(ctx context.Context, l *listing, p *people) error {
	strangers := make(map[string][]*group)
	var order []string
	meet := func(word string, g *group) {
		if _, met := strangers[word]; !met {
			order = append(order, word)
		}
		strangers[word] = append(strangers[word], g)
	}
	const uid = "\x00uid="
	for _, id := range sortedKeys(l.byID) {
		g := l.byID[id]
		if !g.read {
			continue
		}
		g.users = make([]directory.UserID, 0, len(g.values)+len(g.uids))
		for _, dn := range g.values {
			if u, ok := p.byDN.find(dn); ok {
				g.users = append(g.users, u)
			} else if id, ok := l.byDN.find(dn); ok {
				g.groups = append(g.groups, id)
			} else if dn != "" { // the empty DN is the root DSE's: a placeholder in a group that must have a member
				meet(dn, g)
			}
		}
		for _, name := range g.uids {
			switch who := p.byUID[strings.ToLower(name)]; len(who) {
			case 0:
				meet(uid+name, g)
			case 1:
				g.users = append(g.users, who[0])
			default:
				return &source.Error{
					State: "uid-ambiguous", Message: fmt.Sprintf("%s: %s lists the uid %q, which %d users have", c.server.url, g.dn, name, len(who)),
					Fix: "give each user a uid of their own, or narrow user_bases or user_filter",
				}
			}
		}
		if g.sid != "" {
			g.users = append(g.users, p.byPrimary[g.sid]...)
		}
	}

	var mu sync.Mutex
	left := make(map[fate]int)
	example := make(map[fate]string)
	err := forEach(ctx, order, func(ctx context.Context, word string) error {
		var f found
		var err error
		name, isUID := strings.CutPrefix(word, uid)
		if isUID {
			f, err = c.lookUpUID(ctx, name)
		} else {
			f, err = c.lookUp(ctx, name, l, p)
		}
		if err != nil {
			return fmt.Errorf("a member of %s: %w", strangers[word][0].dn, err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, g := range strangers[word] {
			switch f.fate {
			case isUser:
				g.users = append(g.users, f.user)
			case isGroup:
				g.groups = append(g.groups, f.group)
			case missing:
				if !c.server.ignoreMissing {
					return c.notThere(name, g)
				}
			}
		}
		if f.fate != isUser && f.fate != isGroup {
			left[f.fate]++
			example[f.fate] = max(example[f.fate], name)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for f, n := range left {
		c.server.log.Info("members left out", "because", string(f), "entries", n, "such as", example[f])
	}
	return nil
}

// A fate is what becomes of a member that no listing showed.
type fate string

const (
	isUser  fate = "user"
	isGroup fate = "group"
	outside fate = "outside all bases"
	neither fate = "neither users nor groups by the filters"
	missing fate = "not there, or not to be seen"
)

type found struct {
	fate  fate
	user  directory.UserID
	group directory.GroupID
}

// lookUp looks up by itself a member that neither listing showed.
func (c *connection) lookUp(ctx context.Context, dn string, l *listing, p *people) (found, error) {
	s, d := c.server, c.dialect
	name, ok := canonical(dn)
	if ok && !below(name, s.base) && !belowAny(name, s.userBases) && !belowAny(name, s.groupBases) {
		return found{fate: outside}, nil
	}
	doing := "look up the member " + dn
	e, err := c.entry(ctx, doing, dn, "(objectClass=*)", d.id)
	if err != nil {
		return found{}, err
	}
	if e == nil {
		return found{fate: missing}, nil
	}
	// It may be one of those we have, under a name that is new or that only the server can read.
	if id, err := c.idOf(e); err == nil {
		if _, known := p.byID[directory.UserID(id)]; known {
			return found{fate: isUser, user: directory.UserID(id)}, nil
		}
		if g, known := l.byID[directory.GroupID(id)]; known {
			if !g.read {
				return found{}, c.short("the way through nested groups", dn)
			}
			return found{fate: isGroup, group: g.id}, nil
		}
	}
	if name, ok = canonical(e.DN); !ok {
		return found{}, c.short("the listing of users", dn)
	}
	fits := func(filter string) bool {
		var again *ldap.Entry
		if err == nil {
			again, err = c.entry(ctx, doing, dn, filter, "1.1")
		}
		return again != nil
	}
	switch {
	case belowAny(name, s.userBases) && fits(d.userFilter):
		return found{}, c.short("the listing of users", dn)
	case belowAny(name, s.groupBases) && fits(d.groupFilter):
		return found{}, c.short("the listing of groups", dn)
	case fits(or(dialects["openldap"].groupFilter, dialects["ad"].groupFilter)):
		return found{}, &source.Error{
			State: "nested-group-hidden", Message: fmt.Sprintf("%s: it holds the group %s, which lies outside group_bases or does not fit group_filter", s.url, dn),
			Fix: "widen group_bases or group_filter, so that the people in that group are not lost, or take it out of the group",
		}
	}
	return found{fate: neither}, err
}

// lookUpUID looks up a member that a group names by uid and that no listing showed.
func (c *connection) lookUpUID(ctx context.Context, uid string) (found, error) {
	f := found{fate: missing}
	for _, b := range c.server.userBases {
		doing := "look up the member " + uid + " below " + b.dn
		err := c.pages(ctx, doing, b.dn, equals("uid", uid), []string{c.dialect.id}, func(e *ldap.Entry) error {
			again, err := c.entry(ctx, doing, e.DN, c.dialect.userFilter, c.dialect.id)
			if err != nil {
				return err
			}
			if again == nil {
				f.fate = neither
				return nil
			}
			return c.short("the listing of users", e.DN)
		})
		if err != nil {
			return found{}, err
		}
	}
	return f, nil
}

// notThere is the error of a member that cannot be found: who it is, and whether it is somebody, nobody can say.
func (c *connection) notThere(member string, g *group) error {
	fix := "take it out of the group, or let the bind DN see it; if the directory leaves such members behind when people are deleted, let it clean up, or set missing_members: ignore"
	return &source.Error{
		State: "member-missing", Fix: fix,
		Message: fmt.Sprintf("%s: %s lists the member %s, which is not there or may not be seen", c.server.url, g.dn, member),
	}
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
