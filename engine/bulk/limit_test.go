package bulk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/fault"
	"github.com/elastic-ingest/elastic-ingest/engine/retry"
)

// small is a node that accepts a limited number of requests at a time, each for a tenth of a second, and refuses
// the others.
type small struct {
	mu      sync.Mutex
	room    int
	busy    int
	passed  int
	refused int
}

func (s *small) answer(_ int, r *http.Request, body []byte) *http.Response {
	s.mu.Lock()
	if s.busy >= s.room {
		s.refused++
		s.mu.Unlock()
		return fault.JSON(429, `{"error":{"type":"es_rejected_execution_exception","reason":"queue is full"},"status":429}`)(r, body)
	}
	s.busy++
	s.mu.Unlock()
	time.Sleep(100 * time.Millisecond) //nolint:forbidigo // the clock is fake
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy--
	s.passed++
	return fault.Items(func(string) string { return ok })(r, body)
}

// TestABusyNodeGetsFewerRequests: 8 workers, room for 2. If each worker retried on its own, the requests in flight would
// keep the others out until their patience ends, and the run would fail.
func TestABusyNodeGetsFewerRequests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &small{room: 2}
		r := newRig(t, s.answer, func(o *Options) {
			o.Workers, o.Operations = 8, 1
			o.Retry = retry.Policy{First: 500 * time.Millisecond, Max: 10 * time.Second, Patience: 5 * time.Second}
		})
		start := time.Now()
		for i := range 400 {
			r.apply(fmt.Sprint(i))
		}
		if err := r.end(); err != nil {
			t.Fatal(err)
		}
		took := time.Since(start)
		t.Logf("%d refused, %s for 20 s of work", s.refused, took)
		if s.passed != 400 || s.refused > 60 || took > 40*time.Second {
			t.Errorf("%d passed, %d refused, in %s", s.passed, s.refused, took)
		}
	})
}

// TestRefusedRequestsGoFirst: before requests that were never sent.
func TestRefusedRequestsGoFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(1)
		age, err := l.enter(t.Context(), false)
		if err != nil {
			t.Fatal(err)
		}
		var order []string
		for _, name := range []string{"first", "second", "again"} {
			go func() {
				age, err := l.enter(t.Context(), name == "again")
				if err != nil {
					t.Error(err)
				}
				order = append(order, name)
				l.leave(age, false)
			}()
			synctest.Wait()
		}
		l.leave(age, false)
		synctest.Wait()
		if d := cmp.Diff([]string{"again", "first", "second"}, order); d != "" {
			t.Error(d)
		}
	})
}

func TestLimiter(t *testing.T) {
	t.Parallel()
	l := newLimiter(4)
	enter := func() int {
		t.Helper()
		age, err := l.enter(t.Context(), false)
		if err != nil {
			t.Fatal(err)
		}
		return age
	}
	expect := func(when string, now int) {
		t.Helper()
		if l.now != now {
			t.Fatalf("%s: %d may be in flight, want %d", when, l.now, now)
		}
	}
	a, b := enter(), enter()
	l.leave(a, true)
	expect("refused", 2)
	l.leave(b, true)
	expect("another refusal of the same group", 2)
	l.leave(enter(), true)
	l.leave(enter(), true)
	expect("refused again and again", 1)
	for range enough {
		expect("not yet", 1)
		l.leave(enter(), false)
	}
	expect("enough have passed", 2)
	for range 2*enough + 3*enough {
		l.leave(enter(), false)
	}
	expect("more have", 4)
	for range 100 {
		l.leave(enter(), false)
	}
	expect("never more than there are workers", 4)
	ctx, cancel := context.WithCancelCause(t.Context())
	for range 4 {
		enter()
	}
	ended := errors.New("ended")
	done := make(chan error)
	go func() {
		_, err := l.enter(ctx, false)
		done <- err
	}()
	cancel(ended)
	if err := <-done; !errors.Is(err, ended) {
		t.Errorf("%v", err)
	}
	if len(l.waiting) > 0 || l.busy != 4 {
		t.Errorf("%d wait, %d are in flight", len(l.waiting), l.busy)
	}
}
