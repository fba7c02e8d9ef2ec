// Package retry says how long to wait between attempts and when to give up.
//
// It does not know what failed: whether an error is worth another attempt is decided where the error
// is made. Its invariant: waiting ends as soon as the context does.
package retry

import (
	"context"
	"math/rand/v2"
	"time"
)

// Policy is how patient a caller is.
type Policy struct {
	First    time.Duration // the longest first wait
	Max      time.Duration // the longest single wait
	Patience time.Duration // no new attempt begins later than this after the first failure; none at all if it is 0
}

// Backoff counts the attempts of one piece of work. It is used by one goroutine.
type Backoff struct {
	policy Policy
	next   time.Duration
	since  time.Time
}

// Start makes the backoff of one piece of work.
func (p Policy) Start() *Backoff { return &Backoff{policy: p, next: p.First} }

// Wait waits before the next attempt: a random time of at most the current step, at least half of
// it, and at least atLeast (what a server asked for). Steps double. It reports false when patience is
// over or ctx has ended; then no attempt should follow.
func (b *Backoff) Wait(ctx context.Context, atLeast time.Duration) bool {
	now := time.Now()
	if b.since.IsZero() {
		b.since = now
	}
	wait := max(b.next/2+rand.N(b.next/2+1), atLeast) //nolint:gosec // jitter needs no secrecy
	if b.policy.Patience <= 0 || now.Add(wait).Sub(b.since) > b.policy.Patience {
		return false
	}
	b.next = min(2*b.next, b.policy.Max)
	return Sleep(ctx, wait)
}

// Sleep waits for a time; it returns false if the context ends first.
func Sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
