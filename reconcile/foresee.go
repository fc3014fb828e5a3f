package reconcile

import (
	"context"
	"fmt"

	"musterline.example/link"
)

// Foresee is Plan with a second plan beside it: what a sync would do if people had said otherwise whose account is whose. said returns the
// statements as they would be. Both plans are made from one reading, so that nothing but the statements makes the difference.
func Foresee(
	ctx context.Context, d Deps, name string, said func([]link.Statement) []link.Statement,
) (now, then *Decision, err error) {
	t, ok := d.Targets[name]
	if !ok {
		return nil, nil, fmt.Errorf("%w: %q", ErrNoTarget, name)
	}
	world, err := read(ctx, d, name, t, Run{}, nil, Budget{})
	if err != nil {
		return nil, nil, err
	}
	other := *world
	other.memory.statements = said(world.memory.statements)
	return decide(d, t, world, false), decide(d, t, &other, false), nil
}
