package ldap

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"musterline.example/source"
)

// Active Directory gives at most MaxValRange values of an attribute at once, 1,500 unless changed, and the others when they are asked for:
// the answer to member is member;range=0-1499, that to member;range=1500-* is member;range=1500-2999, and the last one ends in *
// (MS-ADTS §3.1.1.3.1.3.3). A reader that does not know it sees 1,500 members, or, as member itself comes back empty, none.

// A slice is some of the values of an attribute.
type slice struct {
	first, last int // last is -1 in the last slice
	values      []string
}

// sliced finds the slice of an attribute in an entry.
func sliced(e *ldap.Entry, attribute string) (s slice, ok bool, err error) {
	for _, a := range e.Attributes {
		name, option, _ := strings.Cut(a.Name, ";")
		option, isRange := strings.CutPrefix(strings.ToLower(option), "range=")
		if !isRange || !strings.EqualFold(name, attribute) {
			continue
		}
		if s.first, s.last, ok = bounds(option); !ok {
			return s, false, fmt.Errorf("%s is no range of values", a.Name)
		}
		s.values = a.Values
		if n := s.last - s.first + 1; s.last >= 0 && n != len(s.values) {
			return s, false, fmt.Errorf("%s holds %d values, not %d", a.Name, len(s.values), n)
		}
		return s, true, nil
	}
	return s, false, nil
}

// bounds reads 0-1499 or 1500-*.
func bounds(text string) (first, last int, ok bool) {
	from, to, ok := strings.Cut(text, "-")
	if !ok {
		return 0, 0, false
	}
	first, err := strconv.Atoi(from)
	if err != nil || first < 0 {
		return 0, 0, false
	}
	if to == "*" {
		return first, -1, true
	}
	last, err = strconv.Atoi(to)
	return first, last, err == nil && last >= first
}

// rest reads the values of an attribute that begins with the slice s in the entry e, to the marker of the last slice. The group must stand
// still meanwhile: when a value goes, those behind it move up, and one of them would fall between two slices.
func (c *connection) rest(ctx context.Context, e *ldap.Entry, attribute string, s slice) ([]string, error) {
	gap := func(format string, args ...any) error {
		return &source.Error{
			State: "range-gap", Retry: true, Fix: "try again; if it stays so, the server, or a proxy before it, does not keep to the rules of range retrieval",
			Message: fmt.Sprintf("%s: read %s of %s: %s", c.server.url, attribute, e.DN, fmt.Sprintf(format, args...)),
		}
	}
	if s.first != 0 {
		return nil, gap("the values begin with number %d", s.first)
	}
	all := s.values
	stamp := value(e, c.dialect.stamp)
	for s.last >= 0 {
		asked := fmt.Sprintf("%s;range=%d-*", attribute, s.last+1)
		more, err := c.entry(ctx, "read "+asked+" of "+e.DN, e.DN, "(objectClass=*)", asked, c.dialect.stamp)
		if err != nil {
			return nil, err
		}
		if more == nil {
			return nil, c.vanished(e.DN)
		}
		if value(more, c.dialect.stamp) != stamp {
			return nil, &source.Error{
				State: "changed", Retry: true, Fix: "try again", Err: errVanished,
				Message: fmt.Sprintf("%s: read %s of %s: the group changed while its members were read in slices", c.server.url, attribute, e.DN),
			}
		}
		next, ok, err := sliced(more, attribute)
		switch {
		case err != nil:
			return nil, gap("%v", err)
		case !ok:
			return nil, gap("%d values were read, and the server neither gives more nor says that these are all", len(all))
		case next.first != s.last+1:
			return nil, gap("after number %d comes number %d", s.last, next.first)
		}
		s = next
		all = append(all, s.values...)
	}
	return all, nil
}

// vanished is the error of an entry that was listed and is not there any more.
func (c *connection) vanished(dn string) error {
	return &source.Error{
		State: "changed", Retry: true, Fix: "try again; if it stays so, the bind DN may list that entry and not read it", Err: errVanished,
		Message: fmt.Sprintf("%s: %s was listed a moment ago and is not there any more", c.server.url, dn),
	}
}
