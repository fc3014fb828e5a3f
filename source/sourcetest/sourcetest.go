// Package sourcetest is the suite that every source passes. It owns small worlds of users and groups; the test of a kind serves a world
// in the provider's own dialect, and the suite reads it back through the source and holds the answer against the world.
//
// A kind's test is a Harness and a call of Run:
//
//	func TestConformance(t *testing.T) {
//		sourcetest.Run(t, sourcetest.Harness{Kind: ldap.Kind, Serve: func(t testing.TB, w sourcetest.World) sourcetest.Server {
//			server := startServer(t, w)
//			return sourcetest.Server{Values: server.settings(), Change: server.load, Inject: server.inject, Secrets: []string{"s3cret"}}
//		}})
//	}
//
// Cases that need a feature run for the kinds whose Kind.Features have it, and a world never holds what the kind says it cannot tell: no
// nested groups without nested groups, no locked user without locked users. Faults are injected by the harness; a fault that its dialect
// does not know is skipped.
package sourcetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"musterline.example/directory"
	"musterline.example/setting"
	"musterline.example/source"
)

// A Harness is what the suite needs of a kind.
type Harness struct {
	Kind source.Kind
	// Serve makes a provider that holds the world and says how to reach it. It cleans up by t.Cleanup.
	Serve func(t testing.TB, w World) Server
}

// A Server is one provider with a world in it.
type Server struct {
	Values setting.Values // what an operator would write to reach it
	Env    source.Env     // Dir and HTTP, if it needs them; the suite sets the rest
	// Change replaces the world. Users and groups that stay keep their ids.
	Change func(w World)
	// Inject makes the next reads go wrong until the fault is over or another is injected; Fault{} ends all. It returns how many times
	// the fault has struck, or nil for a fault that the provider cannot have.
	Inject func(f Fault) (struck func() int)
	// Secrets are what must not be seen in any error or log line.
	Secrets []string
	// UserID and GroupID give the provider's id for a world's, where the provider makes ids itself. Nil: they are the world's.
	UserID  func(directory.UserID) directory.UserID
	GroupID func(directory.GroupID) directory.GroupID
}

// A Fault is something that goes wrong at the provider.
type Fault struct {
	Sort  FaultSort
	Page  int           // for FailPage and ShortRead: which answer of a read, from 1
	Times int           // how often it strikes; 0: always
	After time.Duration // for Throttle: what Retry-After says
}

// A FaultSort is a way to go wrong.
type FaultSort string

// The faults.
const (
	FailPage  FaultSort = "failing page" // an answer is an error that trying again does not cure
	ShortRead FaultSort = "short read"   // an answer ends in the middle
	Throttle  FaultSort = "throttling"   // an answer is "too many requests", with a Retry-After
	Expired   FaultSort = "expired credentials"
	Hang      FaultSort = "hanging"           // no answer comes until the request is cancelled
	SizeLimit FaultSort = "size limit"        // the provider gives a part and says that there is more than it will give
	Truncate  FaultSort = "silent truncation" // an answer is cut and looks whole, as far as the dialect can show it
)

// Run runs every case that the kind's features allow, each as a subtest whose name is the sentence it proves.
func Run(t *testing.T, h Harness) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			err := c.run(t.Context(), &bench{harness: h, t: t})
			if skip, ok := errors.AsType[skipped](err); ok {
				t.Skip(string(skip))
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// run tries one case and looks, whatever came of it, for secrets.
func (c sentence) run(ctx context.Context, b *bench) error {
	for _, feature := range c.needs {
		if !b.harness.Kind.Can(feature) {
			return skipped(b.harness.Kind.Title + " has no " + feature)
		}
	}
	err := c.check(ctx, b)
	if indiscreet := b.discreet(err); indiscreet != nil {
		return indiscreet
	}
	return err
}

// A sentence is what is true of every source. Its check returns what is wrong instead of failing a test, so that the suite's own test can hold it
// against sources that are wrong on purpose.
type sentence struct {
	name  string
	needs []string
	check func(ctx context.Context, b *bench) error
}

// skipped is the error of a case that could not be tried.
type skipped string

func (s skipped) Error() string { return string(s) }

// now is when the suite's clock stands.
var now = time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)

// name is what the source under test is called.
const name = "under-test"

// A bench is where one case works: a server, the source over it, and all that was logged and returned.
type bench struct {
	harness Harness
	t       testing.TB
	server  Server
	log     buffer
	errs    []error
}

// open serves a world and opens the source over it.
func (b *bench) open(ctx context.Context, w World) (source.Source, error) {
	b.server = b.harness.Serve(b.t, w.without(b.harness.Kind))
	return b.reopen(ctx)
}

// reopen opens another source over the server that stands.
func (b *bench) reopen(ctx context.Context) (source.Source, error) {
	v := maps.Clone(b.server.Values)
	if v == nil {
		v = setting.Values{}
	}
	if problems := setting.Check(b.harness.Kind.Settings, v); len(problems) > 0 {
		return nil, fmt.Errorf("the harness's own settings are wrong: %s %s", problems[0].Key, problems[0].Message)
	}
	env := b.server.Env
	env.Name, env.Now = name, func() time.Time { return now }
	env.Log = slog.New(slog.NewTextHandler(&b.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s, err := b.harness.Kind.Open(ctx, v, env)
	if err != nil {
		return nil, fmt.Errorf("open: %w", b.kept(err))
	}
	return s, nil
}

// change replaces the world.
func (b *bench) change(w World) error {
	if b.server.Change == nil {
		return skipped("the harness cannot change its world")
	}
	b.server.Change(w.without(b.harness.Kind))
	return nil
}

// inject makes something go wrong.
func (b *bench) inject(f Fault) (struck func() int, err error) {
	if b.server.Inject != nil {
		struck = b.server.Inject(f)
	}
	if struck == nil {
		return nil, skipped(fmt.Sprintf("the harness has no %s", f.Sort))
	}
	return struck, nil
}

// kept remembers an error, for the look for secrets.
func (b *bench) kept(err error) error {
	if err != nil {
		b.errs = append(b.errs, err)
	}
	return err
}

// discreet looks for secrets in everything that was logged and returned.
func (b *bench) discreet(last error) error {
	texts := []string{b.log.String()}
	for _, err := range append(b.errs, last) {
		if err != nil {
			texts = append(texts, err.Error(), fmt.Sprintf("%+v", err))
		}
	}
	for _, secret := range b.server.Secrets {
		for _, text := range texts {
			if at := strings.Index(text, secret); at >= 0 {
				return fmt.Errorf("a secret is shown: …%s********", text[max(0, at-60):at])
			}
		}
	}
	return nil
}

func (b *bench) user(id directory.UserID) directory.UserID {
	if b.server.UserID != nil {
		return b.server.UserID(id)
	}
	return id
}

func (b *bench) group(id directory.GroupID) directory.GroupID {
	if b.server.GroupID != nil {
		return b.server.GroupID(id)
	}
	return id
}

// buffer is a log that several goroutines write.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
