package commands

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
)

// Ending runs the program and returns its exit code, or the one from gone if run does not end.
func Ending(gone <-chan int, run func() int) int {
	ended := make(chan int, 1)
	go func() { ended <- run() }() // ends with the program
	select {
	case code := <-ended:
		return code
	case code := <-gone:
		return code
	}
}

// afterCut is how long the program may take to end in order after everything was aborted.
const afterCut = 700 * time.Millisecond

// Signals converts the signals that end a program into the ends of two contexts, whose causes have the type
// [SignalError]. The first signal ends ctx: a run stops in order. The second ends cut: requests in progress
// are aborted. If the program still runs a moment later, it waits for something that cannot be interrupted:
// gone then returns the exit code to end it with. stop stops handling the signals.
//
// A closed stdout is not a signal here: writing returns an error instead, so that a sync whose output has no
// reader still ends in order.
func Signals() (ctx, cut context.Context, gone <-chan int, stop func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	cut, cancelCut := context.WithCancelCause(context.Background())
	signal.Ignore(syscall.SIGPIPE)
	received := make(chan os.Signal, 2)
	signal.Notify(received, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	done, code := make(chan struct{}), make(chan int, 1)
	go func() { // ends with stop
		var last *term.SignalError
		for _, end := range []context.CancelCauseFunc{cancel, cancelCut} {
			select {
			case s := <-received:
				last = &term.SignalError{Signal: s}
				end(last)
			case <-done:
				return
			}
		}
		moment := time.NewTimer(afterCut)
		defer moment.Stop()
		select {
		case <-moment.C:
			code <- signalCode(last)
		case <-done:
		}
	}()
	return ctx, cut, code, func() {
		signal.Stop(received)
		close(done)
		cancel(nil)
		cancelCut(nil)
	}
}
