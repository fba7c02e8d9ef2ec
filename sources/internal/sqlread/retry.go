package sqlread

import (
	"context"
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
