package term

import (
	"fmt"
	"os"
	"syscall"
)

// SignalError is the cause of a run that was ended by a signal.
type SignalError struct{ Signal os.Signal }

// Error implements [error].
func (e *SignalError) Error() string { return fmt.Sprintf("ended by signal %v", e.Name()) }

// Name is the signal as shells write it.
func (e *SignalError) Name() string {
	switch e.Signal {
	case os.Interrupt:
		return "SIGINT"
	case syscall.SIGTERM:
		return "SIGTERM"
	case syscall.SIGHUP:
		return "SIGHUP"
	}
	return e.Signal.String()
}
