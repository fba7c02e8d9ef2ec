package link

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
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
	Most    int                                        // in total
	Pause   func(context.Context, time.Duration) error // [Pause], or none in tests
	Worth   func(error) bool                           // whether another attempt may work
	Log     *slog.Logger
	Shorten func(error) error // to what the log needs
	// For connecting alone: how long to wait before another attempt, nil for [BackOff], and whether there were enough,
	// nil where Most says it.
	Wait   func(attempt int) time.Duration
	Enough func(attempt int, err error) bool
}

// Loss is about a part of which no more rows come.
type Loss struct {
	Attempts
	Part   string
	Failed func(error) error // the error, as an error of the part
	Final  func(error) bool  // whether resuming is impossible, such as after the table was altered
}

// Resume resumes after the last row received, by calling again, if cause, which stopped the rows, may pass: as many
// times in a row as the attempts allow; n counts them. From the second time on, cause is why the previous attempt
// failed. If the server is unreachable, enough attempts have been made already.
func Resume[R any](ctx context.Context, l *Loss, n *int, cause error, again func(ctx context.Context, cause error) (R, error)) (none R, err error) {
	failed := l.Failed(cause)
	if !errors.Is(failed, source.ErrTemporary) {
		return none, failed
	}
	for *n++; *n < l.Most; *n++ {
		l.Log.Info("reading was interrupted; resuming after the last row", "part", l.Part, "attempt", *n, "err", l.Shorten(cause))
		if err := l.Pause(ctx, BackOff(*n)); err != nil {
			return none, l.Failed(err)
		}
		r, err := again(ctx, cause)
		if err == nil {
			return r, nil
		}
		wrapped := l.Failed(err)
		switch {
		case l.Final(err) || errors.Is(err, source.ErrUnreachable):
			if _, brief := errors.AsType[*BriefError](err); !brief {
				err = l.Shorten(err)
			}
			return none, &source.Error{
				Kind: source.ErrTemporary, Part: l.Part, Err: fmt.Errorf("read rows: %w; resuming was not possible: %w", l.Shorten(cause), err),
			}
		case !errors.Is(wrapped, source.ErrTemporary):
			return none, wrapped
		}
		cause = err
	}
	return none, failed
}

// Connect opens a connection. A failure that may pass is retried, with growing pauses. It returns the last error, or
// that of the context.
func Connect[C any](ctx context.Context, a Attempts, once func(context.Context) (C, error)) (C, error) {
	wait, enough := a.Wait, a.Enough
	if wait == nil {
		wait = BackOff
	}
	if enough == nil {
		enough = func(attempt int, _ error) bool { return attempt >= a.Most }
	}
	for attempt := 1; ; attempt++ {
		c, err := once(ctx)
		switch {
		case err == nil:
			return c, nil
		case ctx.Err() != nil:
			return c, ctx.Err()
		case enough(attempt, err) || !a.Worth(err):
			return c, err
		}
		a.Log.Debug("the server does not respond; retrying", "attempt", attempt, "err", a.Shorten(err))
		if err := a.Pause(ctx, wait(attempt)); err != nil {
			return c, err
		}
	}
}
