package engine

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/budget"
	"github.com/elastic-ingest/elastic-ingest/engine/bulk"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
)

// writing is the sink of changes and the budget of their bytes.
type writing struct {
	budget *budget.Bytes
	sink   plan.Sink
}

// through lets do send changes to the index, keeps the point in time alive in the meantime, and completes all
// applied changes. A dry run compares them with the scanned documents instead.
func (d *destination) through(ctx context.Context, s *scanned, do func(reading context.Context, w *writing) error) error {
	reading, stopReading := context.WithCancelCause(ctx)
	defer stopReading(nil)
	until, stopWriting := d.writingContext(ctx)
	defer stopWriting()

	var wg sync.WaitGroup
	defer wg.Wait()
	var w *writing
	finish := func() error { return nil }
	if d.job.DryRun {
		w = newDiffer(s)
	} else {
		w, finish = d.startWriter(until, stopReading, &wg)
	}
	w.sink = d.planned(w)
	if s != nil {
		s.view.hold(reading, stopReading, &wg)
	}
	err := guarded(func() error { return do(reading, w) })
	if drops(ctx) {
		stopWriting()
	}
	if ferr := w.sink.Flush(until); err == nil {
		err = ferr
	}
	stopReading(nil)
	// An error of the writer cancels the readers, and they return it, too, as the error of a request.
	if ferr := finish(); ferr != nil && (err == nil || errors.Is(err, context.Canceled) || errors.Is(err, ferr)) {
		err = ferr
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// drops reports that ctx ended because the run is no longer wanted, such as when a sync job was canceled or taken
// over: then documents already read are not written. The cause says so by a method Drops. The shutdown grace is
// for signals.
func drops(ctx context.Context) bool {
	var cause interface {
		error
		Drops()
	}
	return ctx.Err() != nil && errors.As(context.Cause(ctx), &cause)
}

// writingContext outlives ctx by the shutdown grace, so that documents already read are written.
func (t *task) writingContext(ctx context.Context) (context.Context, func()) {
	writing, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	var grace *time.Timer
	var mu sync.Mutex
	stopped := context.AfterFunc(ctx, func() {
		if drops(ctx) {
			cancel(context.Cause(ctx))
			return
		}
		mu.Lock()
		defer mu.Unlock()
		grace = time.AfterFunc(t.deps.ShutdownGrace, func() { cancel(context.Cause(ctx)) })
	})
	cut := context.AfterFunc(t.deps.Cut, func() { cancel(context.Cause(t.deps.Cut)) })
	return writing, func() {
		stopped()
		cut()
		mu.Lock()
		defer mu.Unlock()
		if grace != nil {
			grace.Stop()
		}
		cancel(nil)
	}
}

// startWriter starts the bulk writer. If it ends with an error, reading stops. finish waits for it.
func (d *destination) startWriter(ctx context.Context, stopReading context.CancelCauseFunc, wg *sync.WaitGroup) (w *writing, finish func() error) {
	deps := &d.deps
	var writer *bulk.Writer
	w = &writing{budget: budget.New(deps.Budget, func() { writer.Pressure() })}
	writer = bulk.New(bulk.Options{
		Client: deps.Client, Index: d.index.Name, Pipeline: d.job.Pipeline, Connector: d.job.Connector,
		Workers: deps.Writers, Operations: deps.Operations, Bytes: min(deps.RequestBytes, int(max(deps.Budget/4, 1))), Retry: deps.Retry,
		Budget: w.budget, Counters: deps.Counters, Observer: deps.Observer, DeadLetter: deps.DeadLetter, Breaker: deps.Breaker,
		Widen: d.widen, Fence: (&fence{destination: d}).mayWrite, Grace: deps.ShutdownGrace, Log: deps.Log, Now: deps.Now,
	})
	w.sink = writer
	done := make(chan error, 1)
	wg.Go(func() { // ends when finish closes the writer, or with its first error
		err := guarded(func() error { return writer.Run(ctx) })
		if err != nil {
			stopReading(err)
		}
		done <- err
	})
	return w, func() error {
		writer.Close()
		return <-done
	}
}

// trueUp adjusts the bytes granted for a document to its encoded size. Content that has grown since it was listed
// may need more.
func (w *writing) trueUp(ctx context.Context, granted, need int64) (int64, error) {
	need = min(need, w.budget.Limit())
	if granted >= need {
		w.budget.Release(granted - need)
		return need, nil
	}
	return w.reacquire(ctx, granted, need)
}

// reacquire acquires more than was granted. It holds nothing while it waits: readers that hold some could
// otherwise wait for each other.
func (w *writing) reacquire(ctx context.Context, granted, need int64) (int64, error) {
	w.budget.Release(granted)
	return w.budget.Acquire(ctx, need)
}

// indexCheck is how often a run verifies that its index still exists: a bulk request to a deleted index would
// create it again, without mapping and owner.
const indexCheck = 2 * time.Second

// fence checks before each bulk request of a run that it may write.
type fence struct {
	*destination

	mu      sync.Mutex
	checked time.Time // when the index was last verified
}

// mayWrite is called before each bulk request. An error ends the run.
func (f *fence) mayWrite(ctx context.Context) error {
	if err := f.ours(ctx); err != nil {
		return err
	}
	f.mu.Lock()
	now := f.deps.Now()
	due := now.Sub(f.checked) >= indexCheck
	if due {
		f.checked = now
	}
	f.mu.Unlock()
	if !due {
		return nil
	}
	ix, err := f.deps.Client.Index(ctx, f.index.Name)
	switch {
	case errors.Is(err, elastic.ErrNotFound), err == nil && ix.UUID != f.index.UUID:
		return f.replaced()
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return nil // the request itself will report a destination that does not respond
}
