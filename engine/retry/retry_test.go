package retry

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestWaitsDoubleUntilPatienceIsOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := Policy{First: time.Second, Max: 4 * time.Second, Patience: time.Minute}
		b := p.Start()
		begun := time.Now()
		for _, longest := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 4 * time.Second} {
			before := time.Now()
			if !b.Wait(t.Context(), 0) {
				t.Fatal("gave up early")
			}
			if waited := time.Since(before); waited < longest/2 || waited > longest {
				t.Errorf("waited %s, want between %s and %s", waited, longest/2, longest)
			}
		}
		for b.Wait(t.Context(), 0) {
		}
		if waited := time.Since(begun); waited > p.Patience || waited < p.Patience-p.Max {
			t.Errorf("gave up after %s, want nearly %s", waited, p.Patience)
		}
	})
}

// TestWithoutPatienceThereIsNoOtherAttempt: also where the clock stands still between two attempts.
func TestWithoutPatienceThereIsNoOtherAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		if (Policy{}).Start().Wait(t.Context(), 0) {
			t.Error("it waited")
		}
	})
}

func TestAServerMayAskForALongerWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := Policy{First: time.Second, Max: time.Second, Patience: time.Minute}.Start()
		before := time.Now()
		if !b.Wait(t.Context(), 30*time.Second) || time.Since(before) != 30*time.Second {
			t.Errorf("waited %s", time.Since(before))
		}
		if b.Wait(t.Context(), time.Hour) {
			t.Error("waited longer than patience lasts")
		}
	})
}

func TestWaitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		before := time.Now()
		b := Policy{First: time.Hour, Max: time.Hour, Patience: 24 * time.Hour}.Start()
		if b.Wait(ctx, 0) || time.Since(before) != time.Second {
			t.Errorf("waited %s", time.Since(before))
		}
	})
}
