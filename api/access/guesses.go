package access

import (
	"net/netip"
	"sync"
	"time"
)

// How many credentials may be wrong within guessWindow before a stranger has to wait. GitHub locks an address out after "several" wrong
// ones ("Authenticating to the REST API", failed login limit), our own good credential included; so what we ask it for strangers ends
// well before that.
const (
	guessWindow    = 5 * time.Minute
	guessesPerAddr = 20
	guessesPerHost = 8
)

// guesses count wrong credentials, by the address they come from and by the host that was asked about them. It holds the last addresses only.
type guesses struct {
	now   func() time.Time
	addrs *cache[netip.Prefix, *tally]
	hosts *cache[string, *tally]
}

// A tally counts up to the end of a window.
type tally struct {
	mu    sync.Mutex
	count int
	until time.Time
}

func newGuesses(now func() time.Time) *guesses {
	return &guesses{now: now, addrs: newCache[netip.Prefix, *tally](10_000, now), hosts: newCache[string, *tally](1000, now)}
}

// wait says how long a credential that nobody has found good yet must wait before it is looked at; zero: not at all.
func (g *guesses) wait(from netip.Addr, host string) time.Duration {
	w := g.over(g.addrs, network(from), guessesPerAddr)
	if host != "" {
		if h, kept, _ := g.hosts.get(host); kept {
			w = max(w, h.over(g.now(), guessesPerHost))
		}
	}
	return w
}

func (g *guesses) over(in *cache[netip.Prefix, *tally], key netip.Prefix, limit int) time.Duration {
	t, kept, _ := in.get(key)
	if !kept {
		return 0
	}
	return t.over(g.now(), limit)
}

func (t *tally) over(now time.Time, limit int) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.count < limit {
		return 0
	}
	return max(t.until.Sub(now), time.Second)
}

// wrong counts a credential that was wrong; host is empty when nobody was asked.
func (g *guesses) wrong(from netip.Addr, host string) {
	count(g.addrs, network(from), g.now())
	if host != "" {
		count(g.hosts, host, g.now())
	}
}

// lock makes everybody wait whom a host would have to be asked about: it does not listen to us for now.
func (g *guesses) lock(host string) {
	g.hosts.put(host, &tally{count: guessesPerHost, until: g.now().Add(guessWindow)}, nil, guessWindow)
}

func count[K comparable](in *cache[K, *tally], key K, now time.Time) {
	t := in.keep(key, func() *tally { return &tally{until: now.Add(guessWindow)} }, guessWindow)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count++
}

// network is what one household is given: an IPv4 address, or the 64 bits of an IPv6 network (RFC 6177).
func network(from netip.Addr) netip.Prefix {
	from = from.Unmap().WithZone("")
	bits := 32
	if from.Is6() {
		bits = 64
	}
	p, _ := from.Prefix(bits) // the zero address has none, and all without one share it
	return p
}
