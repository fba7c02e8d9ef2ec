package commands

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
)

// Ending runs the program and returns its exit code, or that of gone, where run does not come to an end.
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

// afterCut is how long the program may take to end in order once everything was cut.
const afterCut = 700 * time.Millisecond

// Signals turns the signals that end a program into the ends of two contexts, whose causes are of
// type [SignalError]. The first signal ends ctx: a run stops in order. The second ends cut: requests
// under way are cut, and if the program is there a moment later all the same, gone gives the exit code to
// end it with: whatever it waits for cannot be ended. stop gives the signals back.
//
// A reader of stdout that went away is no signal here: writing returns an error instead, so that a
// sync whose output nobody reads still ends in order.
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
