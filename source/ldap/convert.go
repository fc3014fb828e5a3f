package ldap

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"musterline.example/directory"
	"musterline.example/source"
)

// names finds who bears a DN: first as it was written, then as it is compared.
type names[ID ~string] struct {
	written map[string]ID
	folded  map[string]ID // made when a name was not found as written; "" for what two entries share
}

func (n *names[ID]) add(dn string, id ID) {
	if n.written == nil {
		n.written = make(map[string]ID)
	}
	n.written[dn] = id
}

func (n *names[ID]) find(dn string) (ID, bool) {
	if id, ok := n.written[dn]; ok {
		return id, true
	}
	if n.folded == nil {
		n.folded = make(map[string]ID, len(n.written))
		for dn, id := range n.written {
			if c, ok := canonical(dn); ok {
				if _, shared := n.folded[c]; shared {
					id = "" // by a rule of comparison stricter than ours they are two: the server is asked
				}
				n.folded[c] = id
			}
		}
	}
	var room [200]byte
	if plain, ok := appendPlain(room[:0], dn); ok {
		id := n.folded[string(plain)]
		return id, id != ""
	}
	c, ok := canonicalOdd(dn)
	if !ok {
		return "", false
	}
	id := n.folded[c]
	return id, id != ""
}

// people are the users that were read, and how members name them.
type people struct {
	byID      map[directory.UserID]directory.User
	byDN      names[directory.UserID]
	byUID     map[string][]directory.UserID // as memberUid names them
	byPrimary map[string][]directory.UserID // by the security id of their primary group
}

// readUsers reads all users over a connection of its own.
func (s *server) readUsers(ctx context.Context, d *dialect, now time.Time) (*people, error) {
	c, err := s.bind(ctx)
	if err != nil {
		return nil, err
	}
	defer c.close()
	c.dialect = d
	p := &people{byID: make(map[directory.UserID]directory.User), byUID: make(map[string][]directory.UserID), byPrimary: make(map[string][]directory.UserID)}
	attributes := slices.Concat([]string{d.id, d.email}, d.username, d.display, d.statusAttributes, d.needed)
	for _, a := range []string{d.account, d.sid, d.primary} {
		if a != "" {
			attributes = append(attributes, a)
		}
	}
	if d.memberUIDs != "" {
		attributes = append(attributes, "uid")
	}
	attributes = distinct(attributes)
	several := 0
	for _, b := range s.userBases {
		err := c.pages(ctx, "read the users below "+b.dn, b.dn, d.userFilter, attributes, func(e *ldap.Entry) error {
			u, err := c.user(e, now)
			if err != nil {
				return err
			}
			if _, again := p.byID[u.ID]; again {
				return c.twice(e.DN)
			}
			if d.account != "" {
				switch logins := values(e, d.account); len(logins) {
				case 0:
				case 1:
					u.Accounts = map[string]string{"github": strings.TrimSpace(logins[0])}
				default:
					several++ // which of them is theirs would be a guess
				}
			}
			p.byID[u.ID] = u
			p.byDN.add(e.DN, u.ID)
			if d.memberUIDs != "" {
				for _, uid := range values(e, "uid") {
					uid = strings.ToLower(uid)
					p.byUID[uid] = append(p.byUID[uid], u.ID)
				}
			}
			if d.primary != "" {
				sid := primaryGroup(value(e, d.sid), value(e, d.primary))
				if sid == "" {
					return c.unreadable(e.DN, d.primary)
				}
				p.byPrimary[sid] = append(p.byPrimary[sid], u.ID)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if several > 0 {
		s.log.Warn("users with several GitHub logins count as users without one", "attribute", d.account, "users", several)
	}
	return p, nil
}

// findUserBases asks for the first user below each base as readUsers would, so that a base that does not exist is an error.
func (c *connection) findUserBases(ctx context.Context) error {
	for _, b := range c.server.userBases {
		doing := "look for users below " + b.dn
		_, err := wait(ctx, c, doing, func() (*ldap.SearchResult, error) {
			return c.ldap.Search(&ldap.SearchRequest{
				BaseDN: b.dn, Scope: ldap.ScopeWholeSubtree, Filter: c.dialect.userFilter, Attributes: []string{"1.1"},
				Controls: append(c.controls(), paging{1, nil}),
			})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// user turns an entry into a user.
func (c *connection) user(e *ldap.Entry, now time.Time) (directory.User, error) {
	d := c.dialect
	id, err := c.idOf(e)
	if err != nil {
		return directory.User{}, err
	}
	for _, attribute := range d.needed {
		if value(e, attribute) == "" {
			return directory.User{}, c.unreadable(e.DN, attribute)
		}
	}
	u := directory.User{ID: directory.UserID(id), Name: first(e, d.display), Username: first(e, d.username), Email: value(e, d.email)}
	if u.Status, err = d.status(e, now); err != nil {
		return u, &source.Error{State: "attribute-invalid", Message: c.server.url + ": " + err.Error(), Fix: "correct that value, or keep the entry out with user_filter", Err: err}
	}
	return u, nil
}

// first returns the first value of the first attribute that has one.
func first(e *ldap.Entry, attributes []string) string {
	for _, a := range attributes {
		if v := value(e, a); v != "" {
			return v
		}
	}
	return ""
}

// idOf returns what identifies an entry for ever.
func (c *connection) idOf(e *ldap.Entry) (string, error) {
	for _, a := range e.Attributes {
		if strings.EqualFold(a.Name, c.dialect.id) && len(a.ByteValues) == 1 {
			if id := c.dialect.idText(a.ByteValues[0]); id != "" {
				return id, nil
			}
		}
	}
	return "", c.unreadable(e.DN, c.dialect.id)
}

// unreadable is the error of an attribute that an entry must have for us to know who or what it is.
func (c *connection) unreadable(dn, attribute string) error {
	return &source.Error{
		State:   "attribute-unreadable",
		Message: fmt.Sprintf("%s: %s shows no %s", c.server.url, dn, attribute),
		Fix:     "let the bind DN read that attribute, or keep entries without it out by a filter: " + c.advice(statePermission),
	}
}

// twice is the error of a listing that gives an entry again: it went round in a circle, or something was moved while it went on.
func (c *connection) twice(dn string) error {
	return &source.Error{
		State: "listed-twice", Retry: true, Fix: "try again; if it stays so, an id is on two entries, or the pages of the server go round in a circle", Err: errVanished,
		Message: fmt.Sprintf("%s: the id of %s came twice in one listing", c.server.url, dn),
	}
}

// primaryGroup returns the security id of a user's primary group: the user's own with another last number (MS-ADTS §3.1.1.4.5.11,
// MS-DTYP §2.4.2.2). Neither member nor memberOf shows that membership.
func primaryGroup(sid, rid string) string {
	var n uint32
	if _, err := fmt.Sscanf(rid, "%d", &n); err != nil || len(sid) < 12 {
		return ""
	}
	return string(binary.LittleEndian.AppendUint32([]byte(sid[:len(sid)-4]), n))
}

// groupName returns the name of a group. An attribute may have several values in no order: the one that the group's own DN names counts, or the
// first by alphabet.
func groupName(e *ldap.Entry, attribute string) string {
	all := values(e, attribute)
	if len(all) < 2 {
		return value(e, attribute)
	}
	if dn, err := ldap.ParseDN(e.DN); err == nil && len(dn.RDNs) > 0 {
		for _, part := range dn.RDNs[0].Attributes {
			for _, v := range all {
				if strings.EqualFold(part.Type, attribute) && prepared(part.Value) == prepared(v) {
					return v
				}
			}
		}
	}
	return slices.Min(all)
}

// noun returns a group whose members were read. What it holds lies in order of id: a directory
// gives values in no order, and nobody downstream has to sort them.
func (g *group) noun(now time.Time) directory.Group {
	slices.Sort(g.users)
	slices.Sort(g.groups)
	return directory.Group{
		ID: g.id, Name: g.name, Description: g.description, ReadAt: now,
		Members: slices.Compact(g.users), Groups: slices.Compact(g.groups),
	}
}

// nouns returns the groups as a listing shows them: none of them read.
func (l *listing) nouns() map[directory.GroupID]directory.Group {
	all := make(map[directory.GroupID]directory.Group, len(l.byID))
	for id, g := range l.byID {
		all[id] = directory.Group{ID: id, Name: cmp.Or(g.name, string(id)), Description: g.description}
	}
	return all
}

// distinct returns the list without what stood in it before.
func distinct[T comparable](list []T) []T {
	var out []T
	seen := make(map[T]bool, len(list))
	for _, v := range list {
		if !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	return out
}
