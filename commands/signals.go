package commands

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// Signals turns the signals that end a program into the ends of two contexts, whose causes are of
// type [SignalError]. The first signal ends ctx: a run stops in order. The second ends cut: requests
// under way are cut. stop gives the signals back.
//
// A reader of stdout that went away is no signal here: writing returns an error instead, so that a
// sync whose output nobody reads still ends in order.
func Signals() (ctx, cut context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	cut, cancelCut := context.WithCancelCause(context.Background())
	signal.Ignore(syscall.SIGPIPE)
	received := make(chan os.Signal, 2)
	signal.Notify(received, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	done := make(chan struct{})
	go func() { // ends with stop
		for _, end := range []context.CancelCauseFunc{cancel, cancelCut} {
			select {
			case s := <-received:
				end(&SignalError{Signal: s})
			case <-done:
				return
			}
		}
	}()
	return ctx, cut, func() {
		signal.Stop(received)
		close(done)
		cancel(nil)
		cancelCut(nil)
	}
}
