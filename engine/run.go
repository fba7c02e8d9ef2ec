package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/budget"
	"github.com/elastic-ingest/elastic-ingest/engine/bulk"
	"github.com/elastic-ingest/elastic-ingest/engine/crash"
	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/ids"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
	"github.com/elastic-ingest/elastic-ingest/engine/rules"
	"github.com/elastic-ingest/elastic-ingest/engine/shape"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// run is the state of one run; it dies with it.
type run struct {
	job       Job
	deps      Deps
	rules     *rules.Set
	started   time.Time
	flags     document.Flags
	timestamp string // for documents that bring none
	index     *elastic.Index
	absent    bool // a dry run's index that does not exist
	owned     bool // deletes are ours to do
	wholeText bool // the pipeline can be told to read content to its end
	print     string
	printed   bool         // the fingerprint decides which documents may be unchanged
	nextSeqNo atomic.Int64 // after the highest sequence number at the scan
	options   plan.Options
	table     *ids.Table
	pit       *elastic.PIT
	pitLost   atomic.Bool
	stale     error // why the index could not be refreshed before the scan
	info      elastic.Info
	described described
	drift     []shape.Drift   // fields that the index maps otherwise than a new one would
	deep      sync.Map        // fields of which objects were too deep, by name
	ignored   []shape.Ignored // fields of which values could not be indexed
	parts     plan.Parts
	scopes    scopes
	changes   *source.Changes // what is read instead of everything
	cursor    source.Cursor   // the place that the index keeps once the run has ended well
	kept      source.Cursor   // it was kept
	// vanishedBefore are the scopes that had vanished in the sync before; it is not changed while reading.
	vanishedBefore map[string]bool
	budget         *budget.Bytes
	sink           plan.Sink
	closer         closer
	extraction     extraction

	mu        sync.Mutex
	checked   time.Time // when the index was last seen to be the same
	failed    int64
	late      error // what the time limit left to the next run
	temporary error // the first failure of the source that may pass
	withheld  map[plan.Reason]int64
	eligible  int64
	judged    int64 // documents of the index that the guard compared them with
	passed    int64
	vanished  map[string]bool // scopes, in this run
}

func (r *run) result() Result {
	r.mu.Lock()
	defer r.mu.Unlock()
	res := Result{
		Counts: r.deps.Counters.Snapshot(), Failed: r.failed, Withheld: r.withheld, Eligible: r.eligible, Passed: r.passed, Late: r.late != nil,
		Judged: r.judged, Drift: r.drift, NotIndexed: r.ignored, Incremental: r.changes != nil, Cursor: r.kept,
	}
	if r.extraction.used.Load() {
		res.Extraction = r.extraction.way
	}
	if r.index != nil {
		res.Index = r.index.Name
	} else {
		res.Index = r.job.Index
	}
	if r.table != nil {
		res.Held = int64(r.table.Len())
	}
	return res
}

func (r *run) phase(name string) { r.deps.Observer.Phase(name, r.deps.Now().Sub(r.started)) }

func (r *run) run(ctx context.Context) (err error) {
	connecting, stop := r.limited(ctx)
	defer stop()
	src, err := r.open(connecting)
	if err != nil {
		return r.inTime(ctx, err)
	}
	defer func() {
		if cerr := src.Close(); cerr != nil {
			r.deps.Log.Warn("closing the source failed", report.Err, cerr.Error())
		}
	}()
	r.phase("reaching the source")
	if err := src.Validate(connecting); err != nil {
		return r.inTime(ctx, err)
	}
	if err := src.Ping(connecting); err != nil {
		return r.inTime(ctx, err)
	}
	unlock, err := r.prepare(ctx, src)
	if err != nil {
		return err
	}
	defer unlock()
	defer func() {
		if r.table != nil {
			r.closeIDs(r.table)
		}
	}()
	if err := r.scan(ctx); err != nil {
		return err
	}
	defer r.closePIT(ctx)
	return r.mirror(ctx, src)
}

// open opens the source; where identities are wanted, it is one of those.
func (r *run) open(ctx context.Context) (source.Source, error) {
	src, err := r.job.Type.Open(ctx, r.job.Values, source.Env{
		Log: r.deps.Log, IDColumns: r.job.IDColumns, StallTimeout: r.deps.StallTimeout, Own: r.deps.Own,
		Profile: r.job.Profile, Encoding: r.job.Encoding, AdvancedRules: r.job.Advanced,
		IDsOnly: r.job.Kind == Deletion && len(r.job.Rules) == 0,
	})
	if err != nil {
		return nil, fmt.Errorf("open the source: %w", err)
	}
	if r.job.Kind != AccessControl {
		return src, nil
	}
	return r.identities(src)
}

// mirror reads the source, writes what differs, and deletes what is gone.
func (r *run) mirror(ctx context.Context, src source.Source) error {
	err := r.through(ctx, func(reading context.Context) error {
		r.phase("reading the source")
		err := r.read(reading, src)
		if n := r.scopes.silent(); err == nil && n > 0 {
			r.partFailed("", "", fmt.Errorf("%d parts of the source ended without saying that they were read to their end: nothing is deleted", n))
		}
		if err == nil {
			err = r.closer.flush(reading)
		}
		if err == nil && r.temporary == nil {
			r.phase("looking for what is gone")
			if err = r.deletes(reading); err == nil {
				r.keepVanished()
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	if !r.job.DryRun {
		err = r.conclude(ctx)
	}
	switch {
	case r.temporary != nil:
		return r.temporary
	case err == nil:
		return r.late
	}
	return err
}

// through gives the run a sink and its budget while do reads, keeps the point in time meanwhile, and
// brings all that was applied to its end.
func (r *run) through(ctx context.Context, do func(reading context.Context) error) error {
	reading, stopReading := context.WithCancelCause(ctx)
	defer stopReading(nil)
	writing, stopWriting := r.writingContext(ctx)
	defer stopWriting()

	var wg sync.WaitGroup
	defer wg.Wait()
	finish := func() error { return nil }
	if r.job.DryRun {
		r.budget = budget.New(r.deps.Budget, func() {})
		r.sink = newDiffer(r)
	} else {
		finish = r.startWriter(writing, stopReading, &wg)
	}
	r.holdPIT(reading, stopReading, &wg)
	err := guarded(func() error { return do(reading) })
	if drops(ctx) {
		stopWriting()
	}
	if ferr := r.sink.Flush(writing); err == nil {
		err = ferr
	}
	stopReading(nil)
	// An error of the writer cuts what reads, and comes back from there as well, as that of a request.
	if ferr := finish(); ferr != nil && (err == nil || errors.Is(err, context.Canceled) || errors.Is(err, ferr)) {
		err = ferr
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// drops reports that ctx ended because what is read is no longer wanted, such as when a sync job was
// canceled or taken over: then nothing of it is written any more. Its cause says so by a method Drops. The
// shutdown grace is for signals.
func drops(ctx context.Context) bool {
	var cause interface {
		error
		Drops()
	}
	return ctx.Err() != nil && errors.As(context.Cause(ctx), &cause)
}

// writingContext outlives ctx by the shutdown grace, so that what was read is written.
func (r *run) writingContext(ctx context.Context) (context.Context, func()) {
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
		grace = time.AfterFunc(r.deps.ShutdownGrace, func() { cancel(context.Cause(ctx)) })
	})
	cut := context.AfterFunc(r.deps.Cut, func() { cancel(context.Cause(r.deps.Cut)) })
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

// startWriter starts the bulk writer. When it ends with an error, reading stops. finish waits for it.
func (r *run) startWriter(ctx context.Context, stopReading context.CancelCauseFunc, wg *sync.WaitGroup) (finish func() error) {
	d := &r.deps
	var w *bulk.Writer
	r.budget = budget.New(d.Budget, func() { w.Pressure() })
	w = bulk.New(bulk.Options{
		Client: d.Client, Index: r.index.Name, Pipeline: r.job.Pipeline, Connector: r.job.Connector,
		Workers: d.Writers, Operations: d.Operations, Bytes: min(d.RequestBytes, int(max(d.Budget/4, 1))), Retry: d.Retry,
		Budget: r.budget, Counters: d.Counters, Observer: d.Observer, DeadLetter: d.DeadLetter, Breaker: d.Breaker,
		Widen: r.widen, Fence: r.mayWrite, Log: d.Log, Now: d.Now,
	})
	r.sink = w
	done := make(chan error, 1)
	wg.Go(func() { // ends when finish closes the writer, or with its first error
		err := guarded(func() error { return w.Run(ctx) })
		if err != nil {
			stopReading(err)
		}
		done <- err
	})
	return func() error {
		w.Close()
		return <-done
	}
}

// holdPIT keeps the point in time until reading ends.
func (r *run) holdPIT(ctx context.Context, stopReading context.CancelCauseFunc, wg *sync.WaitGroup) {
	if r.pit == nil {
		return
	}
	wg.Go(func() { // ends with ctx
		err := guarded(func() error { return r.pit.Hold(ctx) })
		if _, crashed := errors.AsType[*crash.Error](err); crashed {
			stopReading(err)
		}
		if err != nil {
			r.pitLost.Store(true)
			r.deps.Log.Warn("the point in time is lost: nothing will be deleted", report.Err, err.Error())
		}
	})
}

func (r *run) closePIT(ctx context.Context) {
	if r.pit == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := r.pit.Close(ctx); err != nil {
		r.deps.Log.Debug("closing the point in time failed", report.Err, err.Error())
	}
}

// partFailed notes that a part, or the list of parts, was not read to its end.
func (r *run) partFailed(part, scope string, err error) {
	r.mu.Lock()
	r.failed++
	if r.temporary == nil && (errors.Is(err, source.ErrTemporary) || errors.Is(err, source.ErrUnreachable)) {
		r.temporary = err
	}
	r.mu.Unlock()
	r.deps.Observer.Failed(report.Failure{Part: part, Scope: scope, Err: err})
}

// withhold counts and tells a delete that is not done.
func (r *run) withhold(reason plan.Reason, c plan.Change) {
	r.mu.Lock()
	r.withheld[reason]++
	r.mu.Unlock()
	r.deps.Counters.Withheld.Add(1)
	c.Kind, c.Reason = plan.Withheld, reason
	r.deps.Observer.Changed(told(r.index.Name, c))
}

// conclude makes the writes visible and, after a run that was whole, says in the index how its
// documents were made.
func (r *run) conclude(ctx context.Context) error {
	c := r.deps.Client
	if !r.nothingChanged() {
		if err := c.Refresh(ctx, r.index.Name); err != nil && !errors.Is(err, elastic.ErrAuth) {
			return err
		}
	}
	now, err := c.Index(ctx, r.index.Name)
	if err != nil {
		return err
	}
	if now.UUID != r.index.UUID {
		return fmt.Errorf("index %q: %w: run again", r.index.Name, ErrReplaced)
	}
	if r.job.Kind != AccessControl {
		r.countIgnored(ctx, now)
	}
	r.sayTexts()
	if !r.nothingChanged() {
		r.sayIngestionErrors(ctx)
	}
	return r.keepMarker(ctx, now)
}

// keepMarker says in the index how its documents were made, after a run that was whole, and up to where it
// has the changes of its source.
func (r *run) keepMarker(ctx context.Context, now *elastic.Index) error {
	res := r.result()
	if r.job.Kind == Deletion || r.job.Wants != nil || res.Late {
		return nil
	}
	if !r.owned && (now.Marker.Owner != "" || len(res.Withheld) > 0) {
		return nil // an index without an owner becomes ours where there was nothing to hold back
	}
	m := now.Marker
	if !res.Incomplete() && r.changes == nil && m.Fingerprint != r.print {
		m = elastic.Marker{Owner: r.job.Owner, Identity: r.identity(), Fingerprint: r.print}
	}
	if m.Owner == r.job.Owner {
		m.Cursor = r.keptCursor(now.Marker.Cursor, &res)
	}
	if m == now.Marker {
		return nil
	}
	if err := r.ours(ctx); err != nil {
		return err
	}
	taken := now.Marker.Owner != r.job.Owner
	if err := r.deps.Client.SetMarker(ctx, now, m); err != nil {
		r.deps.Log.Warn("the index could not be marked: the next run compares or reads more than it needs to", slog.String(report.Err, err.Error()))
		return nil
	}
	r.kept = source.Cursor(m.Cursor.At)
	if taken {
		r.extend(ctx, now)
	}
	return nil
}
