package soak

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"musterline.example/internal/pgtest"
)

// How much is done. The defaults are the sample that every test run does; `make soak` asks for the full tallies.
var (
	worlds   = flag.Int("soak.worlds", 24, "random worlds in process")
	binaries = flag.Int("soak.binary", 1, "random worlds through the real binary, on each database")
	families = flag.Int("soak.families", 1, "worlds of the directed family of each guard")
	kills    = flag.Int("soak.kills", 4, "kills on each database")
	steps    = flag.Int("soak.steps", 20, "steps of the replay, out of 200 that make five years")
	seed     = flag.Uint64("soak.seed", 1, "seed of the random worlds; 0 takes a new one each time")
	printed  = flag.Bool("soak.print", false, "print the tally")
)

func TestMain(m *testing.M) {
	flag.Parse()
	began := time.Now()
	code := pgtest.Main(m)
	clearUp()
	if *printed {
		fmt.Fprintf(os.Stdout, "\n%s%-52s %9s\n", total.String(), "duration", time.Since(began).Round(time.Second))
	}
	os.Exit(code)
}

// A tally counts what was done and met.
type tally struct {
	mu    sync.Mutex
	count map[string]int
}

var total = &tally{count: make(map[string]int)}

func (t *tally) add(what string, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count[what] += n
}

// String lists the counts in order of name, one a line.
func (t *tally) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var b strings.Builder
	names := make([]string, 0, len(t.count))
	for name := range t.count {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(&b, "%-52s %9d\n", name, t.count[name])
	}
	return b.String()
}

// check runs a property on so many random worlds, in two halves side by side. rapid knows one seed: the second half draws other worlds from
// it by leaving the first number of each unused.
func check(t *testing.T, n int, property func(t *testing.T, rt *rapid.T)) {
	t.Helper()
	set := func(name, value string) {
		if err := flag.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	if f := flag.Lookup("rapid.seed"); f.Value.String() == "0" {
		set("rapid.seed", strconv.FormatUint(*seed, 10))
	}
	if f := flag.Lookup("rapid.shrinktime"); f.Value.String() == f.DefValue {
		set("rapid.shrinktime", "20s")
	}
	set("rapid.checks", strconv.Itoa((n+1)/2))
	halves := min(n, 2)
	t.Run("worlds", func(t *testing.T) {
		for half := range halves {
			t.Run(strconv.Itoa(half), func(t *testing.T) {
				t.Parallel()
				rapid.Check(t, func(rt *rapid.T) {
					for range half {
						rapid.Uint64().Draw(rt, "another half")
					}
					property(t, rt)
				})
			})
		}
	})
}

// bubble runs f with a clock of its own, on which waiting costs nothing, and hands on what f panics with: that is how rapid stops a check.
func bubble(t *testing.T, f func()) {
	t.Helper()
	var stopped any
	synctest.Test(t, func(*testing.T) {
		defer func() { stopped = recover() }()
		f()
	})
	if strings.HasSuffix(fmt.Sprintf("%T", stopped), ".invalidData") {
		outOfNumbers(stopped)
	}
	if stopped != nil {
		panic(stopped)
	}
}

// outOfNumbers says from another place than a failure does that rapid has run out of numbers: it tells failures apart by where they come from.
func outOfNumbers(why any) { panic(why) }

// wait lets time pass; in a bubble at once.
func wait(d time.Duration) { <-time.After(d) }
