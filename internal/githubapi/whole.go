package githubapi

import (
	"context"
	"fmt"

	"musterline.example/internal/httpx"
)

// What every reader of lists needs so that it never takes a part for the whole: absence must come from GitHub's word, not from a gap.

// Ask posts a query that must be answered whole: any fault but those that but lets pass is an error.
func (c *Client) Ask(ctx context.Context, document string, variables map[string]any, out any, but func(Fault) bool) error {
	faults, err := c.Query(ctx, document, variables, out)
	if err != nil {
		return err
	}
	for _, f := range faults {
		if f.At("rateLimit") || but != nil && but(f) { // rateLimit is null on a GHES without limits
			continue
		}
		return c.Fault(f, "")
	}
	return nil
}

// Shrinking calls with a size, and with half of it when GitHub cannot answer that much (GraphQL: ten seconds, then 502 or 504, or part
// of the data with a resource-limit error). At the least size it tries again some times, as any read. It returns the size to go on with.
func Shrinking(ctx context.Context, size, least int, call func(ctx context.Context, size int) error) (int, error) {
	for try := 0; ; {
		err := call(httpx.GatewayOnce(ctx), size)
		if !Is(err, TooMuch) {
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

// Gap is the error of an answer that left something out.
func Gap(format string, args ...any) error {
	e := Problem(Incomplete)
	e.Said = fmt.Sprintf(format, args...)
	return e
}

// A Count holds what was read of a list against what GitHub says it holds. People come and go while pages are read, so the least figure
// counts: a list that shrank meanwhile is whole, one with a gap is not.
type Count struct {
	Seen  int // distinct items read
	least int
}

// Page takes in the total that a page tells.
func (c *Count) Page(total int, first bool) {
	if first || total < c.least {
		c.least = total
	}
}

// Check returns a Gap if fewer items were seen than there are.
func (c *Count) Check(what string) error {
	if c.Seen < c.least {
		return Gap("%d of %d %s were listed", c.Seen, c.least, what)
	}
	return nil
}
