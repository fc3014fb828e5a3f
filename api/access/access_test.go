package access

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"musterline.example/setting"
	"musterline.example/target"
	"musterline.example/team"
)

// A clock that tests move.
type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time       { return time.Unix(0, c.at.Load()) }
func (c *clock) pass(d time.Duration) { c.at.Add(int64(d)) }

func TestAnAnswerIsKeptForItsTimeAndAccidentsAreNot(t *testing.T) {
	c := &clock{}
	kept := newCache[string, int](10, c.now)
	asked := 0
	ask := func(life time.Duration, err error) (int, error) {
		return kept.ask(t.Context(), "k", func(context.Context) (int, time.Duration, error) { asked++; return asked, life, err })
	}
	for range 3 {
		if n, err := ask(time.Minute, nil); n != 1 || err != nil {
			t.Fatal(n, err)
		}
	}
	c.pass(time.Minute)
	if n, _ := ask(0, errors.New("an accident")); n != 2 {
		t.Fatal(n)
	}
	if n, err := ask(time.Minute, errors.New("a no")); n != 3 || err == nil {
		t.Fatal(n, err)
	}
	if n, err := ask(time.Minute, nil); n != 3 || err == nil {
		t.Fatal("the no was not kept", n, err)
	}
}

func TestAQuestionIsAskedOnceHoweverManyWait(t *testing.T) {
	kept := newCache[string, int](10, (&clock{}).now)
	var asked atomic.Int32
	begun, answer := make(chan struct{}), make(chan struct{})
	load := func(ctx context.Context) (int, time.Duration, error) {
		asked.Add(1)
		close(begun)
		<-answer
		return 7, time.Minute, ctx.Err()
	}
	impatient, cancel := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() {
		_, err := kept.ask(impatient, "k", load)
		gone <- err
	}()
	<-begun
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if n, err := kept.ask(t.Context(), "k", load); n != 7 || err != nil {
				t.Error(n, err)
			}
		})
	}
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(answer) // whoever gave up has not taken the answer from the others
	all.Wait()
	if n := asked.Load(); n != 1 {
		t.Error("asked", n)
	}
}

func TestACacheForgetsWhatWasUsedLongestAgo(t *testing.T) {
	kept := newCache[int, int](3, (&clock{}).now)
	for i := range 1000 {
		kept.put(i, i, nil, time.Hour)
		_, _, _ = kept.get(0)
	}
	if len(kept.answers) != 3 || kept.order.Len() != 3 {
		t.Error(len(kept.answers), kept.order.Len())
	}
	if _, ok, _ := kept.get(0); !ok {
		t.Error("what was used was forgotten")
	}
	if _, ok, _ := kept.get(998); !ok {
		t.Error("what is new was forgotten")
	}
}

func TestGuessesAreCountedByNetworkAndByHost(t *testing.T) {
	c := &clock{}
	g := newGuesses(c.now)
	a, b := netip.MustParseAddr("203.0.113.7"), netip.MustParseAddr("203.0.113.8")
	for range guessesPerAddr {
		if w := g.wait(a, ""); w != 0 {
			t.Fatal(w)
		}
		g.wrong(a, "")
	}
	if w := g.wait(a, ""); w != guessWindow {
		t.Error(w)
	}
	if w := g.wait(netip.MustParseAddr("::ffff:203.0.113.7"), ""); w != guessWindow {
		t.Error("the same address in another form", w)
	}
	if w := g.wait(b, "github.com"); w != 0 {
		t.Error("another address", w)
	}
	c.pass(guessWindow)
	if w := g.wait(a, ""); w != 0 {
		t.Error("after the window", w)
	}
	for i := range guessesPerHost { // each from elsewhere
		g.wrong(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), "github.com")
	}
	if g.wait(b, "github.com") == 0 || g.wait(b, "other.example.com") != 0 || g.wait(b, "") != 0 {
		t.Error("the host is not counted, or not it alone")
	}
	six := netip.MustParseAddr("2001:db8::1")
	for range guessesPerAddr {
		g.wrong(six, "")
	}
	if g.wait(netip.MustParseAddr("2001:db8::2"), "") == 0 || g.wait(netip.MustParseAddr("2001:db8:0:1::1"), "") != 0 {
		t.Error("a household's network is not one")
	}
	if g.wait(netip.Addr{}, "") != 0 {
		t.Error("the address that is none")
	}
}

func TestAMillionAddressesTakeNoMoreMemoryThanAFew(t *testing.T) {
	g := newGuesses((&clock{}).now)
	for i := range 100_000 {
		g.wrong(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), fmt.Sprint(i))
	}
	if n, m := len(g.addrs.answers), len(g.hosts.answers); n > 10_000 || m > 1000 {
		t.Error(n, m)
	}
}

func TestWhatIsNotAllowedIsForbidden(t *testing.T) {
	roles := append([]Role{Nobody, "conductor", "ADMINISTRATOR"}, Roles...)
	for _, r := range roles {
		for _, p := range []Permission{Closed, "forgotten"} {
			if p.Allows(r) {
				t.Errorf("%q may do what nobody has permitted (%q)", r, p)
			}
		}
		if !Public.Allows(r) {
			t.Errorf("%q may not do what everybody may", r)
		}
	}
	for p := range least {
		for _, r := range []Role{Nobody, "conductor", "ADMINISTRATOR"} {
			if p.Allows(r) {
				t.Errorf("%q has %s", r, p)
			}
		}
		if !p.Allows(Administrator) {
			t.Errorf("an administrator does not have %s", p)
		}
		for i, r := range Roles[1:] {
			if p.Allows(Roles[i]) && !p.Allows(r) {
				t.Errorf("%s has less than %s: %s", r, Roles[i], p)
			}
		}
	}
	for route, p := range Routes {
		if _, known := least[p]; !known && p != Public {
			t.Errorf("%s needs %q, which is no permission", route, p)
		}
	}
}

func TestOnlyRolesCanBeGiven(t *testing.T) {
	for _, r := range Roles {
		if got, err := ParseRole(string(r)); got != r || err != nil {
			t.Error(got, err)
		}
	}
	for _, word := range []string{"", "admin", "Owner", "nobody"} {
		if _, err := ParseRole(word); err == nil {
			t.Errorf("%q is a role", word)
		}
	}
}

// A gate that says what it is told to.
type gate struct {
	guest target.Guest
	err   error
	asked int
}

func (g *gate) Where(context.Context) (team.Place, error) { return team.Place{}, nil }

func (g *gate) Admit(context.Context, setting.Secret, target.Door) (target.Guest, error) {
	g.asked++
	return g.guest, g.err
}

func (g *gate) Known(context.Context, team.AccountID, target.Door) (target.Guest, error) {
	g.asked++
	return g.guest, g.err
}

func (g *gate) Relay(context.Context, setting.Secret, target.Question, target.Door) (target.Relayed, error) {
	g.asked++
	return target.Relayed{}, g.err
}

func TestEveryTroubleHasItsRefusal(t *testing.T) {
	c := &clock{}
	for i, test := range []struct {
		err    error
		status int
		kept   bool
	}{
		{&target.Error{Class: target.BadCredential}, http.StatusUnauthorized, true},
		{&target.Error{Class: target.Forbidden, Message: "single sign-on"}, http.StatusForbidden, true},
		{&target.Error{Class: target.NotFound}, http.StatusNotFound, true},
		{&target.Error{Class: target.Limited, Until: c.now().Add(time.Minute)}, http.StatusTooManyRequests, false},
		{&target.Error{Class: target.Unavailable}, http.StatusBadGateway, false},
		{&target.Error{Class: target.Refused}, http.StatusBadGateway, false},
		{&target.Error{Class: target.BadCredential, State: "locked-out"}, http.StatusServiceUnavailable, false},
		{errors.New("something else"), http.StatusBadGateway, false},
	} {
		a := New(Options{Now: c.now})
		g := &gate{err: test.err}
		caller, err := a.Identify(t.Context(), fmt.Sprint("Bearer t", i), netip.MustParseAddr("203.0.113.7"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = a.Enter(t.Context(), caller, Place{Target: "octo", Host: "github.com", Gate: g}, target.Door{}, false)
		r, ok := errors.AsType[*Refusal](err)
		if !ok || r.Status != test.status {
			t.Errorf("%v: got %v, want %d", test.err, err, test.status)
			continue
		}
		_, _ = a.Enter(t.Context(), caller, Place{Target: "octo", Host: "github.com", Gate: g}, target.Door{}, false)
		if kept := g.asked == 1; kept != test.kept && test.status != http.StatusServiceUnavailable {
			t.Errorf("%v: kept %t", test.err, kept)
		}
	}
}

func TestACallerWhoGivesUpIsNotAnAnswer(t *testing.T) {
	a := New(Options{})
	caller, err := a.Identify(t.Context(), "token t", netip.Addr{})
	if err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	g := &gate{err: context.Canceled}
	at := Place{Target: "octo", Host: "github.com", Gate: g}
	if _, err := a.Enter(gone, caller, at, target.Door{}, true); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	g.err, g.guest = nil, target.Guest{Owner: true, Login: "ann"}
	if e, err := a.Enter(t.Context(), caller, at, target.Door{}, false); err != nil || e.Role != Owner {
		t.Error(e, err)
	}
}

// GitHub does not show what an installation was given, so its token is no owner's.
func TestAnAppLooksAndNoMore(t *testing.T) {
	platform := target.Door{Slug: "platform"}
	for _, test := range []struct {
		door     target.Door
		unscoped bool
		role     Role
	}{{target.Door{}, false, Viewer}, {target.Door{}, true, Viewer}, {platform, false, Viewer}, {platform, true, Maintainer}} {
		a := New(Options{})
		caller, err := a.Identify(t.Context(), "Bearer ghs_app", netip.Addr{})
		if err != nil {
			t.Fatal(err)
		}
		at := Place{Target: "octo", Host: "github.com", Unscoped: test.unscoped, Gate: &gate{guest: target.Guest{App: true, Member: true, Owner: true, Maintainer: true}}}
		e, err := a.Enter(t.Context(), caller, at, test.door, true)
		if err != nil || e.Role != test.role || e.May(Operate) || (e.Why == nil) != test.unscoped {
			t.Errorf("%+v: %+v %v", test, e, err)
		}
	}
}

// Whoever waits is told, and the next question is asked anew.
func TestAPanicInAQuestionIsAnErrorForThoseWhoAsked(t *testing.T) {
	kept := newCache[string, int](10, (&clock{}).now)
	_, err := kept.ask(t.Context(), "a", func(context.Context) (int, time.Duration, error) { panic("a test") })
	if err == nil || !strings.Contains(err.Error(), "panic: a test") {
		t.Errorf("err %v", err)
	}
	n, err := kept.ask(t.Context(), "a", func(context.Context) (int, time.Duration, error) { return 7, time.Minute, nil })
	if n != 7 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}
