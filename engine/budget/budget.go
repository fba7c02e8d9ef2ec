// Package budget limits the bytes that are in flight at a time.
//
// It only counts and allocates nothing. Its invariant: the bytes that are granted and not
// yet released never exceed the limit, and callers are served in the order of their calls.
package budget

import (
	"context"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
)

// Bytes is a byte budget. Its methods are safe for concurrent use.
type Bytes struct {
	limit    int64
	sem      *semaphore.Weighted
	waiting  atomic.Int64
	pressure func()
}

// New creates a budget. pressure is called when a caller has to wait, so that holders of half-full
// buffers release them; it must not block for long and may be called often.
func New(limit int64, pressure func()) *Bytes {
	return &Bytes{limit: limit, sem: semaphore.NewWeighted(limit), pressure: pressure}
}

// Acquire waits for n bytes and returns the granted number, which the caller releases once. If n exceeds
// the complete budget, the complete budget is granted: such a document travels alone.
func (b *Bytes) Acquire(ctx context.Context, n int64) (granted int64, err error) {
	n = min(max(n, 1), b.limit)
	if b.sem.TryAcquire(n) {
		return n, nil
	}
	b.waiting.Add(1)
	defer b.waiting.Add(-1)
	b.pressure()
	if err := b.sem.Acquire(ctx, n); err != nil {
		return 0, err
	}
	return n, nil
}

// Waiting reports whether a caller is waiting. Bytes that were granted earlier and are put into a buffer
// only now must then be released immediately, because pressure is not called for them again.
func (b *Bytes) Waiting() bool { return b.waiting.Load() > 0 }

// Limit is the most that can be granted.
func (b *Bytes) Limit() int64 { return b.limit }

// Release releases bytes that Acquire granted, all or some of them.
func (b *Bytes) Release(n int64) {
	if n > 0 {
		b.sem.Release(n)
	}
}
