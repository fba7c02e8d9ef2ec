package sqlread

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"
)

const longestPause = time.Minute

// BackOff is how long to wait before another attempt, the first being 1: a random time that grows with
// their number.
func BackOff(attempt int) time.Duration {
	return rand.N(min(longestPause, time.Second<<min(attempt, 10))) + time.Millisecond
}

// Pause waits, or returns early with the context's error.
func Pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Attempts are how often something is tried, and when.
type Attempts struct {
	Most  int                                        // in all
	Pause func(context.Context, time.Duration) error // [Pause], or none in tests
	Worth func(error) bool                           // whether another may work
	Log   *slog.Logger
	Told  func(error) error // the error, as the log has it
}

// Connect opens a connection. What may pass is tried again, with pauses that grow. It returns the last
// error, or that of the context.
func Connect[C any](ctx context.Context, a Attempts, once func(context.Context) (C, error)) (C, error) {
	for attempt := 1; ; attempt++ {
		c, err := once(ctx)
		switch {
		case err == nil:
			return c, nil
		case ctx.Err() != nil:
			return c, ctx.Err()
		case attempt >= a.Most || !a.Worth(err):
			return c, err
		}
		a.Log.Debug("the server does not answer; trying again", "attempt", attempt, "err", a.Told(err))
		if err := a.Pause(ctx, BackOff(attempt)); err != nil {
			return c, err
		}
	}
}
