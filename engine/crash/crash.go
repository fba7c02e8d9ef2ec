// Package crash turns panics into errors, so that a fault of a source, a driver or our own ends a run
// in order: what was read is judged as not whole, locks are given back, and the exit code says so.
//
// A panic can only be caught in the goroutine that it happens in, so every goroutine that is started
// while documents are on their way runs its work by [Guarded]. Goroutines of drivers are out of reach.
package crash

import (
	"fmt"
	"runtime/debug"
)

// Error is a panic that was caught.
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
