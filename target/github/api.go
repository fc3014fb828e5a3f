package github

import (
	"context"
	"fmt"
	"slices"
	"time"

	"musterline.example/internal/githubapi"
	"musterline.example/internal/httpx"
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

// ask posts a query that must be answered whole: any fault but those that but lets pass, is an error.
func (o *organization) ask(ctx context.Context, c *githubapi.Client, document string, variables map[string]any, out any, but func(githubapi.Fault) bool) error {
	faults, err := c.Query(ctx, document, variables, out)
	if err != nil {
		return err
	}
	for _, f := range faults {
		if f.At("rateLimit") || but != nil && but(f) {
			continue
		}
		return c.Fault(f, "")
	}
	return nil
}

// shrinking calls with a size, and with half of it when GitHub cannot answer that much (GraphQL: ten seconds, then 502 or 504, or part
// of the data with a resource-limit error). At the least size it tries again some times, as any read.
func shrinking(ctx context.Context, size, least int, call func(ctx context.Context, size int) error) (int, error) {
	for try := 0; ; {
		err := call(httpx.GatewayOnce(ctx), size)
		if !githubapi.Is(err, githubapi.TooMuch) {
			return size, err
		}
		if size > least {
			size = max(size/2, least)
			continue
		}
		if try++; try > 3 {
			return size, err
		}
		if err := httpx.Sleep(ctx, httpx.Backoff(try-1)); err != nil {
			return size, err
		}
	}
}

// A page says how a list goes on, and how long it is.
type pageInfo struct {
	HasNextPage bool   `json:"hasNextPage"`
	EndCursor   string `json:"endCursor"`
}

// incomplete is the error of an answer that left something out. Absence must come from GitHub's word, never from a gap.
func incomplete(format string, args ...any) error {
	e := githubapi.Problem(githubapi.Incomplete)
	e.Said = fmt.Sprintf(format, args...)
	return e
}

// A count holds what was read of a list against what GitHub says it holds. People come and go while pages are read, so the least figure
// counts: a list that shrank meanwhile is whole, one with a gap is not.
type count struct{ least, seen int }

func (c *count) page(total int, first bool) {
	if first || total < c.least {
		c.least = total
	}
}

func (c *count) check(what string) error {
	if c.seen < c.least {
		return incomplete("%d of %d %s were listed", c.seen, c.least, what)
	}
	return nil
}

func chunks[T any](all []T, size int) [][]T { return slices.Collect(slices.Chunk(all, size)) }

// hint and keep use the memory of hints if there is one.
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

// recent is how long a list of all teams serves for the next pages of it.
const recent = time.Minute
