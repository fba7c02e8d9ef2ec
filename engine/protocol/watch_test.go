package protocol

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/crash"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
)

// claimed makes a claim of a full job whose clock is the bubble's.
func (c *cluster) claimed(store *Store) *Claim {
	c.t.Helper()
	claim, err := store.Claim(c.t.Context(), c.started(store, c.connect(), JobFull), "host", NewToken())
	if err != nil {
		c.t.Fatal(err)
	}
	return claim
}

// started is a new job of a connector, which no program has claimed.
func (c *cluster) started(store *Store, r Record[Connector], typ JobType) Record[Job] {
	c.t.Helper()
	id, err := store.StartJob(c.t.Context(), &r, typ)
	if err != nil {
		c.t.Fatal(err)
	}
	job, err := store.Jobs.Get(c.t.Context(), id)
	if err != nil {
		c.t.Fatal(err)
	}
	return job
}

// inBubble runs a test on a clock of its own.
func inBubble(t *testing.T, f func(*testing.T, *cluster, *Store)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		s := c.store(c.transport)
		s.clock.machine = time.Now
		f(t, c, s)
	})
}

// TestARunSeesThatItIsToEnd: within seconds, whoever asks for it and however.
func TestARunSeesThatItIsToEnd(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		do   func(context.Context, *Store, *Claim) error
		want error
	}{
		{"a person cancels the job", func(ctx context.Context, s *Store, c *Claim) error {
			_, _, err := s.CancelJob(ctx, c.Job.ID)
			return err
		}, ErrCanceled},
		{"another program took the job for idle", func(ctx context.Context, s *Store, c *Claim) error {
			return s.failJob(ctx, c.Job, JobEventFail, "idle")
		}, ErrTaken},
		{"another program runs the job", func(ctx context.Context, s *Store, c *Claim) error {
			_, err := s.Jobs.Update(ctx, c.Job, func(j *Job) error {
				j.Metadata = j.Metadata.with(Details{Claim: "another"})
				return nil
			})
			return err
		}, ErrTaken},
		{"the job is deleted", func(ctx context.Context, s *Store, c *Claim) error { return s.Jobs.Delete(ctx, c.Job.ID) }, ErrTaken},
		{"the connector is deleted", func(ctx context.Context, s *Store, _ *Claim) error { return s.Connectors.Delete(ctx, "c") }, ErrDeleted},
		{"the connector is deleted softly", func(ctx context.Context, s *Store, c *Claim) error {
			_, err := s.Connectors.Update(ctx, c.Connector, func(b *Connector) error {
				b.Deleted = true
				return nil
			})
			return err
		}, ErrDeleted},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, c *cluster, s *Store) {
				claim := c.claimed(s)
				asked := time.Time{}
				err := claim.Run(t.Context(), func() Counts { return Counts{} }, func(ctx context.Context) error {
					time.Sleep(33 * time.Second) //nolint:forbidigo // on a clock that jumps
					if ctx.Err() != nil {
						t.Errorf("it ended without a reason: %v", context.Cause(ctx))
					}
					if err := tt.do(ctx, s, claim); err != nil {
						t.Error(err)
					}
					asked = time.Now()
					<-ctx.Done()
					return context.Cause(ctx)
				})
				if took := time.Since(asked); !errors.Is(err, tt.want) || took > lookEvery {
					t.Errorf("after %v: %v", took, err)
				}
			})
		})
	}
}

// TestARunShowsThatItIsAlive: its job is seen at least every ten seconds, with counts, and a server that
// does not answer for a while does not end it.
func TestARunShowsThatItIsAlive(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, c *cluster, s *Store) {
		claim := c.claimed(s)
		down := &switched{next: c.transport}
		var err error
		claim.store.Jobs.client, err = elastic.New(elastic.Config{URL: "http://embedded", Transport: down})
		if err != nil {
			t.Fatal(err)
		}
		var n atomic.Int64
		watcher := c.store(c.transport)
		err = claim.Run(t.Context(), func() Counts {
			n := n.Add(1)
			return Counts{Indexed: 100 * n, Deleted: n, Bytes: n << 20}
		}, func(ctx context.Context) error {
			for range 12 {
				time.Sleep(10 * time.Second) //nolint:forbidigo // on a clock that jumps
				synctest.Wait()
				j, err := watcher.Jobs.Get(ctx, claim.Job.ID)
				if err != nil {
					return err
				}
				if age := time.Since(j.Body.LastSeen.Time); age > 10*time.Second || j.Body.IndexedDocumentCount != Count(100*n.Load()) || j.Body.IndexedDocumentVolume != Count(n.Load()) {
					t.Errorf("seen %v ago, %d documents, %d MiB", age, j.Body.IndexedDocumentCount, j.Body.IndexedDocumentVolume)
				}
			}
			down.off.Store(true)
			time.Sleep(40 * time.Second) //nolint:forbidigo // on a clock that jumps
			down.off.Store(false)
			time.Sleep(20 * time.Second) //nolint:forbidigo // on a clock that jumps
			return ctx.Err()
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// TestAPanicOfTheWatchEndsTheRun as one of the job itself does: in order, and known for what it is.
func TestAPanicOfTheWatchEndsTheRun(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, c *cluster, s *Store) {
		err := c.claimed(s).Run(t.Context(), func() Counts { panic("a bug") }, func(ctx context.Context) error {
			<-ctx.Done()
			return context.Cause(ctx)
		})
		if p, ok := errors.AsType[*crash.Error](err); !ok || p.Value != "a bug" {
			t.Errorf("%v", err)
		}
	})
}

// TestTheFence: within a minute of a good look and a sign of life nothing is asked; later the records are,
// each time, and a program that has slept through its job's end writes nothing more.
func TestTheFence(t *testing.T) {
	t.Parallel()
	c, s, claim := newClaimed(t)
	counted := &switched{next: c.transport}
	var err error
	if s.Jobs.client, err = elastic.New(elastic.Config{URL: "http://embedded", Transport: counted}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		c.advance(20 * time.Second)
		if err := claim.Fence(t.Context()); err != nil || counted.n.Load() != 0 {
			t.Errorf("within a minute: %v, %d requests", err, counted.n.Load())
		}
	}
	c.advance(time.Hour)
	if err := claim.Fence(t.Context()); err != nil || counted.n.Load() == 0 {
		t.Errorf("of a job that is still ours: %v, %d requests", err, counted.n.Load())
	}
	before := counted.n.Load()
	if err := claim.Fence(t.Context()); err != nil || counted.n.Load() == before {
		t.Errorf("others may take a job that shows no sign of life at any moment: %v", err)
	}
	if err := claim.saveProgress(t.Context(), Counts{}); err != nil {
		t.Fatal(err)
	}
	before = counted.n.Load()
	if err := claim.Fence(t.Context()); err != nil || counted.n.Load() != before {
		t.Errorf("after a good look and a sign of life: %v", err)
	}
	c.advance(time.Hour)
	counted.off.Store(true)
	if err := claim.Fence(t.Context()); !errors.Is(err, elastic.ErrUnreachable) {
		t.Errorf("while the records are out of reach: %v", err)
	}
	counted.off.Store(false)
	if err := c.program(c.transport).cleanup(t.Context(), []Record[Connector]{c.connector()}); err != nil {
		t.Fatal(err)
	}
	if err := claim.Fence(t.Context()); !errors.Is(err, ErrTaken) {
		t.Errorf("of a job that was taken for idle: %v", err)
	}
	if err := claim.Finish(t.Context(), Ending{Event: JobEventComplete}); !errors.Is(err, ErrTaken) {
		t.Errorf("finished: %v", err)
	}
	if got := c.statuses(); got != "full suspended" {
		t.Errorf("job: %s", got)
	}
}

// TestThePulseCountsSleep: a clock that stands still while the machine sleeps does not make a look younger.
func TestThePulseCountsSleep(t *testing.T) {
	t.Parallel()
	var p pulse
	begun := time.Now()
	p.beat(begun)
	slept := begun.Round(0).Add(time.Hour) // without the clock that stood still
	if age := p.age(slept); age < time.Hour {
		t.Errorf("after an hour of sleep it is %v old", age)
	}
	p.beat(begun.Add(time.Hour))
	if age := p.age(begun.Add(time.Hour + time.Second)); age != time.Second {
		t.Errorf("after a second it is %v old", age)
	}
	p.beat(begun.Round(0).Add(time.Hour)) // the wall clock is set back by an hour
	if age := p.age(begun); age <= fenceAfter {
		t.Errorf("by a clock that was set back it is %v old", age)
	}
}

// TestFinishLeavesOthersAlone: the end of a job does not overwrite that another one has begun.
func TestFinishLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	c, s, first := newClaimed(t)
	ended := c.changeJob(first.Job, func(j *Job) { end(j, JobCompleted, TimeOf(c.clock()), "") })
	job := c.started(s, c.connector(), JobFull)
	if _, err := s.Claim(t.Context(), job, "other", NewToken()); err != nil {
		t.Fatalf("between the end of a job and that of its connector another may begin: %v", err)
	}
	if err := s.conclude(t.Context(), first.Connector, ended, nil); err != nil {
		t.Fatal(err)
	}
	if got := c.connector().Body.LastSyncStatus; got != JobInProgress {
		t.Errorf("the connector says %s while a job runs", got)
	}
}

// TestFinishOfACanceledJob: it ends as canceled, though the run had come to its end.
func TestFinishOfACanceledJob(t *testing.T) {
	t.Parallel()
	for event, want := range map[JobEvent]JobStatus{JobEventComplete: JobCanceled, JobEventSuspend: JobCanceled, JobEventCancel: JobCanceled, JobEventFail: JobError} {
		t.Run(fmt.Sprint(event), func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			s := c.store(c.transport)
			claim := c.claimed(s)
			if _, ok, err := s.CancelJob(t.Context(), claim.Job.ID); !ok || err != nil {
				t.Fatal(ok, err)
			}
			if err := claim.Finish(t.Context(), Ending{Event: event, Error: map[bool]string{true: "broken"}[event == JobEventFail]}); err != nil {
				t.Fatal(err)
			}
			j, b := c.jobs()[0].Body, c.connector().Body
			if j.Status != want || b.LastSyncStatus != want || j.CanceledAt.IsZero() != (want != JobCanceled) || !claim.Settled() {
				t.Errorf("job %s at %v, connector %s", j.Status, j.CanceledAt, b.LastSyncStatus)
			}
		})
	}
}

// switched counts requests, and refuses them while it is off.
type switched struct {
	next http.RoundTripper
	off  atomic.Bool
	n    atomic.Int64
}

// RoundTrip implements [http.RoundTripper].
func (s *switched) RoundTrip(r *http.Request) (*http.Response, error) {
	s.n.Add(1)
	if s.off.Load() {
		return nil, errDead
	}
	return s.next.RoundTrip(r)
}
