package apply

import (
	"fmt"
	"time"

	"musterline.example/target"
)

// The circuit breaker opens after so many failures of one class in a row, or when more than a share of a minute's answers, of enough
// of them to tell, say that the target is unwell.
const (
	sameFailures    = 3
	unavailableOf   = 10
	unavailableMore = 20 // percent
)

// A breaker stops a run that goes wrong the same way again and again. Reading goes on; the next run begins anew.
type breaker struct {
	class  target.Class
	row    int
	recent []answer
}

type answer struct {
	at          time.Time
	unavailable bool
}

// note takes one outcome in and returns an error when the breaker opens.
func (b *breaker) note(now time.Time, o target.Outcome) error {
	failed := o.Result == target.Failed
	class := target.Class("")
	if failed {
		class = target.ClassOf(o.Err)
	}
	if failed && class == b.class {
		b.row++
	} else if failed {
		b.class, b.row = class, 1
	} else {
		b.row = 0
	}
	if b.row >= sameFailures {
		return fmt.Errorf("stopped after %d failures of one kind in a row, the last: %w", b.row, o.Err)
	}
	b.recent = append(b.recent, answer{now, class == target.Unavailable})
	for len(b.recent) > 0 && now.Sub(b.recent[0].at) > time.Minute {
		b.recent = b.recent[1:]
	}
	bad := 0
	for _, a := range b.recent {
		if a.unavailable {
			bad++
		}
	}
	if len(b.recent) >= unavailableOf && bad*100 > unavailableMore*len(b.recent) {
		return fmt.Errorf("stopped: the target failed %d of %d writes in a minute, the last: %w", bad, len(b.recent), o.Err)
	}
	return nil
}
