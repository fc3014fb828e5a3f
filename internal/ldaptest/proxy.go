package ldaptest

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// A Proxy stands before a server, holds each answer until it is whole, and lets a rule change it on its way to the client. It speaks LDAP
// without encryption.
type Proxy struct {
	URL string

	t        testing.TB
	listener net.Listener
	changing sync.Mutex // held while a rule runs: rules are called one at a time
	mu       sync.Mutex
	upstream string
	rule     func(*Answer)
	ask      func(*Request)
	counts   map[Operation]int
	conns    map[net.Conn]bool
}

// An Operation is what a client may ask for.
type Operation string

// The operations that are told apart.
const (
	Bind    Operation = "bind"
	Search  Operation = "search"
	Compare Operation = "compare"
	Other   Operation = "other"
)

// A Request is what the client asked.
type Request struct {
	Operation  Operation
	Base       string
	Whole      bool     // the search is of a subtree
	Attributes []string // that a search asks for
	PageSize   int      // 0: not paged; a rule for requests may change it
	Cookie     string
}

// An Answer is all that the server says to one request. A rule changes it in place.
type Answer struct {
	Request    Request
	Number     int // which answer to its operation since the rule was set, from 1
	Entries    []*Entry
	References []string // where to go on
	Code       int
	Diagnostic string
	Referral   string // goes with code 10
	Paged      bool   // the paged results control is there
	Cookie     string // empty: this was the last page

	Cut  int             // how many messages go out before the connection is cut; none is cut when it is 0
	Wait <-chan struct{} // the answer goes out when this is closed
}

// An Entry is one entry of an answer.
type Entry struct {
	DN         string
	Attributes []Attribute
}

// An Attribute is one attribute of an entry.
type Attribute struct {
	Name   string
	Values []string
}

// StartProxy listens before a server until the test is over.
func StartProxy(t testing.TB, upstream string) *Proxy {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{URL: "ldap://" + l.Addr().String(), t: t, listener: l, conns: make(map[net.Conn]bool)}
	p.To(upstream)
	p.Set(nil)
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			wait.Go(func() { p.serve(client) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		p.mu.Lock()
		for c := range p.conns {
			_ = c.Close()
		}
		p.mu.Unlock()
		wait.Wait()
	})
	return p
}

// To sets where new connections go: the URL of a server.
func (p *Proxy) To(upstream string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.upstream = strings.TrimPrefix(upstream, "ldap://")
	if !strings.Contains(p.upstream, ":") {
		p.upstream += ":389"
	}
}

// Set sets the rule for answers, which is called for one at a time, and begins to count anew; nil lets all pass as they are.
func (p *Proxy) Set(rule func(*Answer)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rule, p.counts = rule, make(map[Operation]int)
}

// SetRequests sets the rule for requests, which may change the size of a page.
func (p *Proxy) SetRequests(rule func(*Request)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ask = rule
}

// Count returns how many answers of an operation went out since the rule was set.
func (p *Proxy) Count(o Operation) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts[o]
}

func (p *Proxy) serve(client net.Conn) {
	defer func() { _ = client.Close() }()
	p.mu.Lock()
	address := p.upstream
	p.mu.Unlock()
	server, err := new(net.Dialer).Dial("tcp", address)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	p.keep(client, server)
	defer p.forget(client, server)

	var mu sync.Mutex
	requests := make(map[int64]Request)
	gone := make(chan struct{})
	var wait sync.WaitGroup
	defer wait.Wait()
	wait.Go(func() { // client → server
		defer close(gone)
		defer func() { _ = server.Close() }()
		in := bufio.NewReader(client)
		for {
			message, err := ber.ReadPacket(in)
			if err != nil {
				return
			}
			id, r := message.Children[0].Value.(int64), readRequest(message)
			before := r.PageSize
			p.mu.Lock()
			if p.ask != nil {
				p.ask(&r)
			}
			p.mu.Unlock()
			if r.PageSize != before {
				message = withPageSize(message, r)
			}
			mu.Lock()
			requests[id] = r
			mu.Unlock()
			if _, err := server.Write(message.Bytes()); err != nil {
				return
			}
		}
	})

	in := bufio.NewReader(server)
	pending := make(map[int64]*Answer)
	var write sync.Mutex
	for { // server → client
		message, err := ber.ReadPacket(in)
		if err != nil {
			_ = client.Close()
			return
		}
		id, op := message.Children[0].Value.(int64), message.Children[1]
		a := pending[id]
		if a == nil {
			mu.Lock()
			a = &Answer{Request: requests[id]}
			mu.Unlock()
			pending[id] = a
		}
		switch op.Tag {
		case 4:
			a.Entries = append(a.Entries, readEntry(op))
			continue
		case 19:
			for _, u := range op.Children {
				a.References = append(a.References, u.Data.String())
			}
			continue
		}
		delete(pending, id)
		a.finish(message)
		p.mu.Lock()
		p.counts[a.Request.Operation]++
		a.Number = p.counts[a.Request.Operation]
		rule := p.rule
		p.mu.Unlock()
		if rule != nil {
			p.changing.Lock()
			rule(a)
			p.changing.Unlock()
		}
		send := func() {
			write.Lock()
			defer write.Unlock()
			messages := a.messages(id, op)
			for i, m := range messages {
				if a.Cut > 0 && i >= a.Cut-1 {
					_, _ = client.Write(m[:len(m)/2])
					_ = client.Close()
					return
				}
				if _, err := client.Write(m); err != nil {
					return
				}
			}
		}
		if a.Wait == nil {
			send()
			continue
		}
		wait.Go(func() {
			select {
			case <-a.Wait:
				send()
			case <-gone:
			}
		})
	}
}

func (p *Proxy) keep(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		p.conns[c] = true
	}
}

func (p *Proxy) forget(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		delete(p.conns, c)
	}
}

const pagedResults = "1.2.840.113556.1.4.319"

// readRequest reads an LDAPMessage (RFC 4511 §4.1.1) from a client.
func readRequest(message *ber.Packet) Request {
	op := message.Children[1]
	switch op.Tag {
	case 0:
		return Request{Operation: Bind}
	case 14:
		return Request{Operation: Compare, Base: op.Children[0].Data.String()}
	case 3:
	default:
		return Request{Operation: Other}
	}
	r := Request{Operation: Search, Base: op.Children[0].Data.String(), Whole: op.Children[1].Value.(int64) == 2}
	for _, a := range op.Children[7].Children {
		r.Attributes = append(r.Attributes, a.Data.String())
	}
	if value := control(message, pagedResults); value != nil {
		r.PageSize, r.Cookie = int(value.Children[0].Value.(int64)), value.Children[1].Data.String()
	}
	return r
}

// control returns the decoded value of a control.
func control(message *ber.Packet, oid string) *ber.Packet {
	if len(message.Children) < 3 {
		return nil
	}
	for _, c := range message.Children[2].Children {
		if last := c.Children[len(c.Children)-1]; c.Children[0].Data.String() == oid && last.Tag == ber.TagOctetString {
			return ber.DecodePacket(last.Data.Bytes())
		}
	}
	return nil
}

// pagedControl makes the control, for a request or an answer.
func pagedControl(size int, cookie string) *ber.Packet {
	value := ber.NewSequence("")
	value.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, size, ""))
	value.AppendChild(octets(cookie))
	c := ber.NewSequence("")
	c.AppendChild(octets(pagedResults))
	c.AppendChild(octets(string(value.Bytes())))
	return c
}

// withPageSize makes a search with another size of page.
func withPageSize(message *ber.Packet, r Request) *ber.Packet {
	out := ber.NewSequence("")
	out.AppendChild(message.Children[0])
	out.AppendChild(message.Children[1])
	controls := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "")
	for _, c := range message.Children[2].Children {
		if c.Children[0].Data.String() == pagedResults {
			c = pagedControl(r.PageSize, r.Cookie)
		}
		controls.AppendChild(c)
	}
	out.AppendChild(controls)
	return out
}

func octets(s string) *ber.Packet {
	return ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, s, "")
}

func readEntry(op *ber.Packet) *Entry {
	e := &Entry{DN: op.Children[0].Data.String()}
	for _, a := range op.Children[1].Children {
		attribute := Attribute{Name: a.Children[0].Data.String()}
		for _, v := range a.Children[1].Children {
			attribute.Values = append(attribute.Values, v.Data.String())
		}
		e.Attributes = append(e.Attributes, attribute)
	}
	return e
}

// finish reads the LDAPResult that ends an answer.
func (a *Answer) finish(message *ber.Packet) {
	op := message.Children[1]
	if len(op.Children) < 3 {
		return
	}
	a.Code, a.Diagnostic = int(op.Children[0].Value.(int64)), op.Children[2].Data.String()
	for _, c := range op.Children[3:] {
		if c.Tag == 3 && c.ClassType == ber.ClassContext && len(c.Children) > 0 {
			a.Referral = c.Children[0].Data.String()
		}
	}
	if value := control(message, pagedResults); value != nil {
		a.Paged, a.Cookie = true, value.Children[1].Data.String()
	}
}

// messages are what goes out.
func (a *Answer) messages(id int64, end *ber.Packet) [][]byte {
	var out [][]byte
	wrap := func(op *ber.Packet, controls ...*ber.Packet) {
		m := ber.NewSequence("")
		m.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, ""))
		m.AppendChild(op)
		if len(controls) > 0 {
			all := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "")
			for _, c := range controls {
				all.AppendChild(c)
			}
			m.AppendChild(all)
		}
		out = append(out, m.Bytes())
	}
	for _, e := range a.Entries {
		op := ber.Encode(ber.ClassApplication, ber.TypeConstructed, 4, nil, "")
		op.AppendChild(octets(e.DN))
		attributes := ber.NewSequence("")
		for _, at := range e.Attributes {
			attribute, set := ber.NewSequence(""), ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "")
			for _, v := range at.Values {
				set.AppendChild(octets(v))
			}
			attribute.AppendChild(octets(at.Name))
			attribute.AppendChild(set)
			attributes.AppendChild(attribute)
		}
		op.AppendChild(attributes)
		wrap(op)
	}
	for _, url := range a.References {
		op := ber.Encode(ber.ClassApplication, ber.TypeConstructed, 19, nil, "")
		op.AppendChild(octets(url))
		wrap(op)
	}
	op := ber.Encode(ber.ClassApplication, ber.TypeConstructed, end.Tag, nil, "")
	op.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, a.Code, ""))
	op.AppendChild(octets(""))
	op.AppendChild(octets(a.Diagnostic))
	if a.Referral != "" {
		referral := ber.Encode(ber.ClassContext, ber.TypeConstructed, 3, nil, "")
		referral.AppendChild(octets(a.Referral))
		op.AppendChild(referral)
	}
	if a.Paged {
		wrap(op, pagedControl(0, a.Cookie))
	} else {
		wrap(op)
	}
	return out
}

// Slices makes a rule that gives at most limit values of an attribute at once, as Active Directory does for a MaxValRange of that many.
func Slices(attribute string, limit int) func(*Answer) {
	return func(a *Answer) {
		for _, e := range a.Entries {
			for i := range e.Attributes {
				at := &e.Attributes[i]
				name, option, sliced := strings.Cut(at.Name, ";range=")
				if !strings.EqualFold(name, attribute) || len(at.Values) <= limit {
					continue
				}
				first := 0
				if sliced {
					_, _ = fmt.Sscanf(option, "%d-", &first)
				}
				at.Name, at.Values = fmt.Sprintf("%s;range=%d-%d", name, first, first+limit-1), at.Values[:limit]
				if !sliced {
					e.Attributes = append(e.Attributes, Attribute{Name: name})
				}
			}
		}
	}
}

// PageLimit makes a rule that lets no page be larger than limit, as Active Directory does with MaxPageSize.
func PageLimit(limit int) func(*Request) {
	return func(r *Request) {
		if r.PageSize > limit {
			r.PageSize = limit
		}
	}
}

// Lookthrough makes a rule that looks at no more than limit entries in all pages of a search together, as 389-ds does with
// nsslapd-lookthroughlimit.
func Lookthrough(limit int) func(*Answer) {
	looked := make(map[string]int)
	return func(a *Answer) {
		if !a.Request.Whole {
			return
		}
		of := a.Request.Base + strings.Join(a.Request.Attributes, ",")
		if a.Request.Cookie == "" {
			looked[of] = 0
		}
		looked[of] += len(a.Entries)
		if over := looked[of] - limit; over > 0 {
			a.Entries = slices.Clip(a.Entries[:max(0, len(a.Entries)-over)])
			a.Code, a.Cookie, a.Diagnostic = 11, "", ""
		}
	}
}
