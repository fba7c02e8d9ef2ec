// Package crash turns panics into errors, so that a bug in a source, a driver or our own code ends a run
// in order: its reads count as incomplete, locks are released, and the exit code reports it.
//
// A panic can only be caught in its own goroutine, so every goroutine that is started
// while documents are in flight runs its work with [Guarded]. Goroutines of drivers are out of reach.
package crash

import (
	"fmt"
	"runtime/debug"
)

// Error is a caught panic.
type Error struct {
	Value any
	Stack []byte
}

func (e *Error) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Guarded runs f and turns a panic into an [Error].
func Guarded(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &Error{Value: v, Stack: debug.Stack()}
		}
	}()
	return f()
}
