package github

import (
	"fmt"
	"slices"

	"musterline.example/internal/githubapi"
	"musterline.example/target"
)

// trouble puts an error of the client into the words of targets, with what was being done before it.
func (o *organization) trouble(err error, format string, args ...any) error {
	e, ok := githubapi.As(err)
	if !ok {
		return fmt.Errorf(format+": %w", append(args, err)...)
	}
	said := &target.Error{Class: target.Class(e.Class), State: string(e.State), Message: e.Error(), Fix: e.Fix, Until: e.Until, Request: e.Request, Err: e.Err}
	return fmt.Errorf(format+": %w", append(args, said)...)
}

// chunks cuts a list into pieces of at most a size.
func chunks[T any](all []T, size int) [][]T { return slices.Collect(slices.Chunk(all, size)) }

// hint, keep and flush use the memory of hints if there is one.
func (o *organization) hint(key string) (string, bool) {
	if o.hints == nil {
		return "", false
	}
	return o.hints.Hint(key)
}

func (o *organization) keep(key, value string) {
	if o.hints == nil {
		return
	}
	if known, ok := o.hints.Hint(key); !ok || known != value {
		o.hints.Keep(key, value)
	}
}

// flush is deferred by whatever the outside calls and keeps hints.
func (o *organization) flush() {
	if o.hints != nil {
		o.hints.Flush()
	}
}
