package protocol

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
)

// machine is a program's view of the records on a machine whose clock is wrong by off, and knows it.
func (c *cluster) machine(off time.Duration) *Store {
	c.t.Helper()
	s := c.store(c.transport)
	s.clock.machine = func() time.Time { return c.clock().Add(off) }
	s.clock.ask = func(context.Context) (time.Duration, error) { return -off, nil }
	s.clock.set(c.t.Context(), slog.New(slog.DiscardHandler))
	return s
}

// TestAJobIsNotTakenByAnotherClock: a machine whose clock is wrong by an hour, either way, leaves a job
// alone that another one runs, and takes it as soon as any other machine would.
func TestAJobIsNotTakenByAnotherClock(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ runner, other time.Duration }{
		{0, time.Hour}, {0, -time.Hour}, {time.Hour, 0}, {-time.Hour, 0}, {-time.Hour, 26 * time.Hour},
	} {
		t.Run(tt.runner.String()+" and "+tt.other.String(), func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			claim := c.claimed(c.machine(tt.runner))
			other := c.program(c.transport)
			other.Store = c.machine(tt.other)
			c.advance(idleAfter - time.Second)
			c.poll(other)
			if err := claim.look(t.Context()); err != nil || c.statuses() != "full in_progress" {
				t.Errorf("a second before it is idle: %v, jobs %q", err, c.statuses())
			}
			if err := claim.saveProgress(t.Context(), Counts{}); err != nil {
				t.Fatal(err)
			}
			c.advance(idleAfter)
			c.poll(other)
			if err := claim.look(t.Context()); err != nil {
				t.Errorf("five minutes after a sign of life: %v", err)
			}
			c.advance(2 * time.Second)
			c.poll(other)
			if err := claim.Fence(t.Context()); !errors.Is(err, ErrTaken) {
				t.Errorf("it was idle: %v, jobs %q", err, c.statuses())
			}
		})
	}
}

// TestAClockThatIsSetWhileAJobRuns: what the job writes of itself stays by the server's clock.
func TestAClockThatIsSetWhileAJobRuns(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, c *cluster, s *Store) {
		claim := c.claimed(s)
		var wrong atomic.Int64
		s.clock.machine = func() time.Time { return time.Now().Add(time.Duration(wrong.Load())) }
		s.clock.ask = func(context.Context) (time.Duration, error) { return -time.Duration(wrong.Load()), nil }
		err := claim.Run(t.Context(), func() Counts { return Counts{} }, func(ctx context.Context) error {
			for _, off := range []time.Duration{time.Hour, -3 * time.Hour, 0} {
				wrong.Store(int64(off))
				time.Sleep(looksBeat * lookEvery) //nolint:forbidigo // on a clock that jumps
				synctest.Wait()
				j, err := s.Jobs.Get(ctx, claim.Job.ID)
				if err != nil {
					return err
				}
				if age := time.Since(j.Body.LastSeen.Time); age.Abs() > looksBeat*lookEvery {
					t.Errorf("set by %v, the job was seen %v ago", off, age)
				}
			}
			return ctx.Err()
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// TestWithoutTheServersClock: where it is not known the last difference holds, and the machine's clock.
func TestWithoutTheServersClock(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	s := c.machine(time.Hour)
	s.clock.ask = func(context.Context) (time.Duration, error) { return 0, elastic.ErrAuth }
	s.clock.set(t.Context(), slog.New(slog.DiscardHandler))
	if got := s.now(); !got.Equal(c.clock()) {
		t.Errorf("the last difference: %v", got)
	}
	if got := c.store(c.transport).now(); !got.Equal(c.clock()) {
		t.Errorf("no difference: %v", got)
	}
}
