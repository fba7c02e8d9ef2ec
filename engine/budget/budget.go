// Package budget bounds the bytes that are on their way at the same time.
//
// It counts what it is told to count and allocates nothing. Its invariant: what is granted and not
// yet given back never exceeds the limit, and whoever waits longest is served first.
package budget

import (
	"context"

	"golang.org/x/sync/semaphore"
)

// Bytes is a byte budget. Its methods may be called from several goroutines.
type Bytes struct {
	limit    int64
	sem      *semaphore.Weighted
	pressure func()
}

// New makes a budget. pressure is called when somebody has to wait, so that whoever holds half-full
// buffers lets them go; it must not block for long and may be called often.
func New(limit int64, pressure func()) *Bytes {
	return &Bytes{limit: limit, sem: semaphore.NewWeighted(limit), pressure: pressure}
}

// Acquire waits for n bytes and returns what was granted, which the caller gives back once. More
// than the whole budget is granted as the whole budget: such a document travels alone.
func (b *Bytes) Acquire(ctx context.Context, n int64) (granted int64, err error) {
	n = min(max(n, 1), b.limit)
	if b.sem.TryAcquire(n) {
		return n, nil
	}
	b.pressure()
	return n, b.sem.Acquire(ctx, n)
}

// Release gives back what Acquire granted, or a part of it.
func (b *Bytes) Release(n int64) {
	if n > 0 {
		b.sem.Release(n)
	}
}
