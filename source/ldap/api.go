package ldap

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"musterline.example/internal/together"
	"musterline.example/source"
)

// A connection is bound and speaks with one server.
type connection struct {
	server  *server
	dialect *dialect
	raw     net.Conn
	ldap    *ldap.Conn
	late    atomic.Bool // the server took longer than the timeout
}

// connect dials, encrypts, binds and finds out what server it is.
func (s *server) connect(ctx context.Context) (*connection, error) {
	c, err := s.bind(ctx)
	if err != nil {
		return nil, err
	}
	if c.dialect, err = c.chooseDialect(ctx); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// beginTLS is what is done when a certificate is looked at.
const beginTLS = "begin TLS"

// bind dials, encrypts and binds. A password never goes over a connection that should have been encrypted and is not.
func (s *server) bind(ctx context.Context) (*connection, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("connect to %s: %w", s.url, context.Cause(ctx))
	}
	c := &connection{server: s}
	dialer := net.Dialer{Timeout: s.timeout}
	raw, err := dialer.DialContext(ctx, "tcp", s.address)
	if err != nil {
		return nil, c.trouble(ctx, "connect", err)
	}
	c.raw = raw
	over := raw
	if s.tls != nil && !s.startTLS {
		encrypted := tls.Client(raw, s.tls)
		if _, err := wait(ctx, c, beginTLS, func() (struct{}, error) { return struct{}{}, encrypted.HandshakeContext(ctx) }); err != nil {
			c.cut()
			return nil, err
		}
		over = encrypted
	}
	// ldap.Conn.SetTimeout is left alone: when it runs out, an entry on its way to us can be dropped and the search still end well.
	c.ldap = ldap.NewConn(over, over != raw)
	c.ldap.Start()
	if s.startTLS {
		if _, err := wait(ctx, c, beginTLS, func() (struct{}, error) { return struct{}{}, c.ldap.StartTLS(s.tls) }); err != nil {
			c.close()
			return nil, err
		}
	}
	_, err = wait(ctx, c, "bind as "+s.bindDN, func() (struct{}, error) { return struct{}{}, c.ldap.Bind(s.bindDN, s.password.Reveal()) })
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// cut ends the connection at once: whoever waits for an answer gets an error.
func (c *connection) cut() { _ = c.raw.Close() }

// close ends the connection and what go-ldap runs for it.
func (c *connection) close() {
	c.cut() // first, or a server that does not read keeps Close waiting
	_ = c.ldap.Close()
}

// wait waits for one answer, as long as the timeout and the context allow.
func wait[T any](ctx context.Context, c *connection, doing string, ask func() (T, error)) (T, error) {
	stop := context.AfterFunc(ctx, c.cut)
	defer stop()
	timer := time.AfterFunc(c.server.timeout, func() { c.late.Store(true); c.cut() })
	defer timer.Stop()
	answer, err := ask()
	if err != nil || ctx.Err() != nil {
		var none T
		return none, c.trouble(ctx, doing, err)
	}
	return answer, nil
}

// root reads the root DSE: what the server says of itself.
func (c *connection) root(ctx context.Context) (*ldap.Entry, error) {
	e, err := c.entry(ctx, "read the root DSE", "", "(objectClass=*)", "objectClass", "vendorName", "vendorVersion", "supportedCapabilities")
	if err == nil && e == nil {
		err = &source.Error{State: "vendor", Message: c.server.url + " does not show its root DSE", Fix: "set vendor, or let the bind DN read the root DSE"}
	}
	return e, err
}

// entry reads one entry by its DN. It returns none for one that the filter does not fit, and for one that does not exist or may not be
// seen, or whose name is none; which of these it is a server does not tell.
func (c *connection) entry(ctx context.Context, doing, dn, filter string, attributes ...string) (*ldap.Entry, error) {
	result, err := wait(ctx, c, doing, func() (*ldap.SearchResult, error) {
		r, err := c.ldap.Search(&ldap.SearchRequest{BaseDN: dn, Scope: ldap.ScopeBaseObject, Filter: filter, Attributes: attributes, Controls: c.controls()})
		if ldap.IsErrorAnyOf(err, ldap.LDAPResultNoSuchObject, ldap.LDAPResultInvalidDNSyntax) {
			return &ldap.SearchResult{}, nil
		}
		return r, err
	})
	switch {
	case err != nil:
		return nil, err
	case len(result.Referrals) > 0:
		return nil, c.referred(doing, result.Referrals[0])
	case len(result.Entries) == 0:
		return nil, nil
	}
	return result.Entries[0], nil
}

// pages reads all that a filter shows below a base, page by page, and hands each entry on. It ends without an error only when the server
// has said that there is no more.
func (c *connection) pages(ctx context.Context, doing, base, filter string, attributes []string, each func(*ldap.Entry) error) error {
	// While the entries of one page are taken, the next is on its way.
	type page struct {
		entries []*ldap.Entry
		cookie  []byte
		err     error
	}
	ask := func(n int, cookie []byte) page {
		doing := fmt.Sprintf("%s: page %d", doing, n)
		result, err := wait(ctx, c, doing, func() (*ldap.SearchResult, error) {
			return c.ldap.Search(&ldap.SearchRequest{
				BaseDN: base, Scope: ldap.ScopeWholeSubtree, Filter: filter, Attributes: attributes,
				Controls: append(c.controls(), paging{c.server.pageSize, cookie}),
			})
		})
		if err != nil {
			return page{err: err}
		}
		if len(result.Referrals) > 0 {
			return page{err: c.referred(doing, result.Referrals[0])}
		}
		// RFC 2696 §3: the server includes the control in its answer. An answer without it is one that nobody said the end of.
		control, ok := ldap.FindControl(result.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging)
		if !ok {
			return page{err: &source.Error{
				State:   "paging-unanswered",
				Message: fmt.Sprintf("%s: %s: the answer does not say whether there is more", c.server.url, doing),
				Fix:     "the server, or a proxy before it, drops the paged results control (RFC 2696): let it pass",
			}}
		}
		return page{entries: result.Entries, cookie: control.Cookie}
	}
	empty := 0
	current := ask(1, nil)
	for n := 2; ; n++ {
		if current.err != nil {
			return current.err
		}
		// A page may be empty, and a cookie may be the same on each page (389-ds numbers the search, not the page); but not for ever.
		if len(current.entries) > 0 {
			empty = 0
		} else if empty++; empty > 100 {
			return &source.Error{
				State: "paging-loop", Retry: true, Message: fmt.Sprintf("%s: %s: a hundred empty pages, and always another one", c.server.url, doing),
				Fix: "restart the server, or what stands before it",
			}
		}
		var next page
		var wait together.Group
		if len(current.cookie) > 0 {
			wait.Go(func() { next = ask(n, current.cookie) })
		}
		for _, e := range current.entries {
			if err := each(e); err != nil {
				wait.Wait()
				return err
			}
		}
		wait.Wait()
		if len(current.cookie) == 0 {
			return nil
		}
		current = next
	}
}

// controls are those of every search.
func (c *connection) controls() []ldap.Control {
	if c.dialect == nil {
		return nil
	}
	return append([]ldap.Control(nil), c.dialect.controls...)
}

// paging is the simple paged results control (RFC 2696), marked critical: a server that does not know it must say so (RFC 4511 §4.1.11), and
// not answer with as much as it likes.
type paging struct {
	size   int
	cookie []byte
}

// GetControlType implements ldap.Control.
func (p paging) GetControlType() string { return ldap.ControlTypePaging }

// String implements ldap.Control.
func (p paging) String() string { return fmt.Sprintf("paged results, %d at once", p.size) }

// Encode implements ldap.Control.
func (p paging) Encode() *ber.Packet {
	value := ber.NewSequence("")
	value.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, p.size, ""))
	value.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, string(p.cookie), ""))
	control := ber.NewSequence("")
	control.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, p.GetControlType(), ""))
	control.AppendChild(ber.NewBoolean(ber.ClassUniversal, ber.TypePrimitive, ber.TagBoolean, true, ""))
	control.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, string(value.Bytes()), ""))
	return control
}

// has reports whether an attribute has values, whether or not they may be read: a compare needs less than a read, and a server tells an
// attribute that is not there from one whose values are others and one that nobody may ask about (RFC 4511 §4.10).
func (c *connection) has(ctx context.Context, dn, attribute, value string) (bool, error) {
	type answer struct{ has bool }
	a, err := wait(ctx, c, "compare "+attribute+" of "+dn, func() (answer, error) {
		_, err := c.ldap.Compare(dn, attribute, value)
		switch {
		case err == nil, ldap.IsErrorWithCode(err, ldap.LDAPResultInsufficientAccessRights):
			return answer{true}, nil
		case ldap.IsErrorAnyOf(err, ldap.LDAPResultNoSuchAttribute, ldap.LDAPResultUndefinedAttributeType):
			return answer{false}, nil
		}
		return answer{}, err
	})
	return a.has, err
}

// atOnce is how many single entries are asked for at the same time on one connection.
const atOnce = 8

// forEach calls do for each item, several at a time, until one fails; it returns that error.
func forEach[T any](ctx context.Context, items []T, do func(context.Context, T) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var wait together.Group
	var next atomic.Int64
	for range min(atOnce, len(items)) {
		wait.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(items)); i = next.Add(1) - 1 {
				if ctx.Err() != nil {
					return
				}
				if err := do(ctx, items[i]); err != nil {
					stop(err)
					return
				}
			}
		})
	}
	wait.Wait()
	return context.Cause(ctx)
}

func validFilter(text string) bool {
	_, err := ldap.CompileFilter(text)
	return err == nil
}

// beginsWith is the filter for values of an attribute that begin with a text.
func beginsWith(attribute, prefix string) string {
	return "(" + attribute + "=" + ldap.EscapeFilter(prefix) + "*)"
}

func equals(attribute, value string) string {
	return "(" + attribute + "=" + ldap.EscapeFilter(value) + ")"
}

func and(filters ...string) string { return "(&" + strings.Join(filters, "") + ")" }

func or(filters ...string) string { return "(|" + strings.Join(filters, "") + ")" }

// values returns the values of an attribute. Its name may come back in another case, as the schema spells it.
func values(e *ldap.Entry, attribute string) []string {
	for _, a := range e.Attributes {
		if strings.EqualFold(a.Name, attribute) {
			return a.Values
		}
	}
	return nil
}

// value returns the first value of an attribute.
func value(e *ldap.Entry, attribute string) string {
	if vs := values(e, attribute); len(vs) > 0 {
		return vs[0]
	}
	return ""
}

// errVanished is the cause of an error about an entry that was there a moment ago.
var errVanished = errors.New("the directory changed while it was read")
