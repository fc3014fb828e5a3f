// Package together does several things at once for somebody who waits for all of them.
package together

import (
	"fmt"
	"runtime/debug"
	"sync"
)

// A Group is a sync.WaitGroup in which functions may panic: Wait panics in their place. A panic in a goroutine of its own ends the program,
// whoever it works for; where somebody waits there is somebody who can stop it, such as the server of a request. The zero value is ready.
type Group struct {
	wait sync.WaitGroup

	mu    sync.Mutex
	fault *Fault
}

// A Fault is what Wait panics with: a panic of one of the functions, the first one.
type Fault struct {
	Value any
	Stack string // where it was
}

// Error tells the panic with its own stack, which that of Wait is not.
func (f *Fault) Error() string { return fmt.Sprintf("%v\n%s", f.Value, f.Stack) }

// Go calls f in a goroutine of its own.
func (g *Group) Go(f func()) {
	g.wait.Go(func() {
		defer func() {
			why := recover()
			if why == nil {
				return
			}
			g.mu.Lock()
			defer g.mu.Unlock()
			if g.fault == nil {
				g.fault = &Fault{why, string(debug.Stack())}
			}
		}()
		f()
	})
}

// Wait waits for all functions to end. When one of them has panicked, it panics with a *Fault.
func (g *Group) Wait() {
	g.wait.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.fault != nil {
		panic(g.fault)
	}
}
