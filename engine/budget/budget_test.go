package budget

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

func nothing() {}

// acquire takes n bytes which must be granted as want.
func acquire(t *testing.T, b *Bytes, n, want int64) {
	t.Helper()
	if got, err := b.Acquire(t.Context(), n); err != nil || got != want {
		t.Fatalf("Acquire(%d) = %d, %v, want %d", n, got, err, want)
	}
}

func TestGrants(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name         string
		limit, asked int64
		want         int64
	}{
		{"as asked", 100, 40, 40},
		{"the whole budget", 100, 100, 100},
		{"one larger than the whole takes all of it", 100, 101, 100},
		{"one much larger", 100, 1 << 62, 100},
		{"an empty document takes its place, too", 100, 0, 1},
		{"nonsense takes the least", 100, -5, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := New(tt.limit, func() { t.Error("pressure although no caller waits") })
			if b.Limit() != tt.limit {
				t.Errorf("Limit() = %d, want %d", b.Limit(), tt.limit)
			}
			for range 3 { // what was released can be acquired again
				acquire(t, b, tt.asked, tt.want)
				b.Release(tt.want)
			}
			acquire(t, b, tt.limit, tt.limit)
		})
	}
}

// TestNeverExceeds has many goroutines acquire and release in shares, with a counter next to it.
func TestNeverExceeds(t *testing.T) {
	t.Parallel()
	const limit, readers, rounds = 1000, 64, 300
	b := New(limit, nothing)
	var used, most atomic.Int64
	var wg sync.WaitGroup
	for w := range readers {
		rnd := rand.New(rand.NewPCG(uint64(w), 1))
		wg.Go(func() {
			for range rounds {
				granted, err := b.Acquire(t.Context(), rnd.Int64N(limit+limit/2))
				if err != nil {
					t.Error(err)
					return
				}
				now := used.Add(granted)
				for m := most.Load(); now > m; m = most.Load() {
					most.CompareAndSwap(m, now)
				}
				share := rnd.Int64N(granted + 1)
				used.Add(-share)
				b.Release(share)
				used.Add(share - granted)
				b.Release(granted - share)
			}
		})
	}
	wg.Wait()
	if most.Load() > limit || most.Load() == 0 {
		t.Errorf("%d bytes concurrently, limit %d", most.Load(), limit)
	}
	if b.Waiting() || used.Load() != 0 {
		t.Errorf("afterwards: waiting %v, used %d", b.Waiting(), used.Load())
	}
	acquire(t, b, limit, limit) // nothing was lost
}

// TestFirstComeFirstServed: a large document is not overtaken by small ones that would fit.
func TestFirstComeFirstServed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := New(100, nothing)
		acquire(t, b, 60, 60)
		sizes := []int64{90, 40, 70, 31, 100} // no two neighbors fit together; 40 would fit immediately
		var mu sync.Mutex
		var served []int64
		for _, n := range sizes {
			go func() { // ends when it was served
				granted, err := b.Acquire(t.Context(), n)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				served = append(served, granted)
				mu.Unlock()
				b.Release(granted)
			}()
			synctest.Wait() // it waits in the queue
		}
		if len(served) != 0 || !b.Waiting() {
			t.Errorf("served %v before the first, waiting %v", served, b.Waiting())
		}
		b.Release(60)
		synctest.Wait()
		if !slices.Equal(served, sizes) {
			t.Errorf("served %v, want %v", served, sizes)
		}
		if b.Waiting() {
			t.Error("a caller still waits")
		}
	})
}

// TestCancellation: a caller that gives up was granted nothing and keeps no later caller waiting; what
// others hold stays counted.
func TestCancellation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := New(100, nothing)
		acquire(t, b, 60, 60)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		gaveUp := make(chan struct{})
		go func() { // ends when ctx does
			defer close(gaveUp)
			if granted, err := b.Acquire(ctx, 90); granted != 0 || !errors.Is(err, context.Canceled) {
				t.Errorf("Acquire = %d, %v", granted, err)
			}
		}()
		synctest.Wait()
		next := make(chan int64, 1)
		go func() { // ends when the one before it has given up
			granted, err := b.Acquire(t.Context(), 40)
			if err != nil {
				t.Error(err)
			}
			next <- granted
		}()
		synctest.Wait()
		cancel()
		<-gaveUp
		if granted := <-next; granted != 40 {
			t.Errorf("the one after it was granted %d", granted)
		}
		if b.Waiting() {
			t.Error("a caller still waits")
		}
		b.Release(60)
		b.Release(40)
		acquire(t, b, 100, 100)
		defer func() {
			if recover() == nil {
				t.Error("more was released than was granted, without a panic")
			}
		}()
		b.Release(101)
	})
}

// TestPressure: it is called before anybody waits, so a buffer that is let go then makes room; and
// whoever fills a buffer after that sees [Bytes.Waiting].
func TestPressure(t *testing.T) {
	t.Parallel()
	t.Run("called before waiting", func(t *testing.T) {
		t.Parallel()
		var b *Bytes
		calls := 0
		b = New(100, func() {
			calls++
			if !b.Waiting() {
				t.Error("pressure although no caller waits")
			}
			b.Release(100) // as a writer does that lets its buffer go at once
		})
		acquire(t, b, 100, 100)
		if calls != 0 {
			t.Errorf("%d calls though there was room", calls)
		}
		acquire(t, b, 1, 1)
		if calls != 1 || b.Waiting() {
			t.Errorf("%d calls, waiting %v", calls, b.Waiting())
		}
	})
	t.Run("seen by whoever comes late", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			pressed := 0
			b := New(100, func() { pressed++ }) // the buffer is empty at that moment
			acquire(t, b, 60, 60)
			done := make(chan struct{})
			go func() { // ends when the other's bytes are released
				defer close(done)
				if _, err := b.Acquire(t.Context(), 60); err != nil {
					t.Error(err)
				}
			}()
			synctest.Wait()
			if pressed != 1 || !b.Waiting() {
				t.Fatalf("pressed %d times, waiting %v", pressed, b.Waiting())
			}
			b.Release(60) // what a buffer does that is filled only now
			<-done
			if b.Waiting() {
				t.Error("a caller still waits")
			}
		})
	})
}

func TestReleaseOfNothing(t *testing.T) {
	t.Parallel()
	b := New(10, nothing)
	b.Release(0)
	b.Release(-1)
	acquire(t, b, 10, 10)
}

func BenchmarkBytes(b *testing.B) {
	budget := New(1<<20, nothing)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			granted, err := budget.Acquire(b.Context(), 1000)
			if err != nil {
				b.Error(err)
				return
			}
			budget.Release(granted)
		}
	})
}
