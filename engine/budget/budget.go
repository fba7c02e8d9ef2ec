// Package budget bounds the bytes that are on their way at the same time.
//
// It counts what it is told to count and allocates nothing. Its invariant: what is granted and not
// yet given back never exceeds the limit, and whoever waits longest is served first.
package budget

import (
	"context"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
)

// Bytes is a byte budget. Its methods may be called from several goroutines.
type Bytes struct {
	limit    int64
	sem      *semaphore.Weighted
	waiting  atomic.Int64
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
	b.waiting.Add(1)
	defer b.waiting.Add(-1)
	b.pressure()
	if err := b.sem.Acquire(ctx, n); err != nil {
		return 0, err
	}
	return n, nil
}

// Waiting reports whether somebody waits. Bytes that were granted before and are put into a buffer
// only now must then be let go at once, since nobody asks for them again.
func (b *Bytes) Waiting() bool { return b.waiting.Load() > 0 }

// Limit is the most that can be granted.
func (b *Bytes) Limit() int64 { return b.limit }

// Release gives back what Acquire granted, or a part of it.
func (b *Bytes) Release(n int64) {
	if n > 0 {
		b.sem.Release(n)
	}
}
