// Package bulk writes changes to the destination in bulk requests: it fills them, sends several at the
// same time, and brings every single operation to its end.
//
// It decides nothing about documents. Its invariant: every change that was applied ends exactly once,
// as done, dropped, left alone or rejected, or the run ends with an error; and the bytes it was
// granted are given back.
package bulk

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/elastic-ingest/elastic-ingest/engine/budget"
	"github.com/elastic-ingest/elastic-ingest/engine/crash"
	"github.com/elastic-ingest/elastic-ingest/engine/docfile"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
	"github.com/elastic-ingest/elastic-ingest/engine/retry"
)

// Options are how a writer writes: one field for each key of the configuration and each thing that only the run can have.
type Options struct {
	Client     *elastic.Client
	Index      string // concrete
	Pipeline   string // "" for none
	Connector  string // for the dead-letter file
	Workers    int    // requests at the same time
	Operations int    // of a request, at most
	Bytes      int    // of a request, about: only a document that is larger by itself makes a larger one
	Retry      retry.Policy
	Budget     *budget.Bytes
	Counters   *report.Counters
	Observer   report.Observer
	DeadLetter *docfile.DeadLetter
	Breaker    *Breaker // nil lets a run go on to its end
	// Widen maps a field that the index does not have yet as a number that may have a fraction, or as text;
	// nil is that it cannot. After an error the document is rejected.
	Widen func(ctx context.Context, field string, numbers bool) error
	// Fence is asked before each request whether it may be sent; nil is always. Its error ends the run.
	Fence func(context.Context) error
	Log   *slog.Logger
	Now   func() time.Time
}

// Breaker ends a run in which nearly everything is rejected: more than Count documents, and more than
// Ratio of those that were answered.
type Breaker struct {
	Count int64
	Ratio float64 // 0 to 1
}

// ErrTooManyRejected is the error of a run that the breaker ended.
var ErrTooManyRejected = errors.New("too many documents are rejected")

// broken reports whether the breaker ends the run.
func (w *Writer) broken() bool {
	b, n := w.o.Breaker, w.o.Counters
	rejected := n.Rejected.Load()
	answered := rejected + n.Created.Load() + n.Updated.Load() + n.Deleted.Load()
	return b != nil && rejected > b.Count && float64(rejected) > b.Ratio*float64(answered)
}

// Writer is a [plan.Sink] that writes. Apply may be called from several goroutines. Before Run runs nothing is
// sent, and Apply may wait for that.
type Writer struct {
	queue

	o       Options
	retried atomic.Bool // a request failed and this was logged
	limit   *limiter
}

var _ plan.Sink = (*Writer)(nil)

// New makes a writer.
func New(o Options) *Writer {
	w := &Writer{o: o, limit: newLimiter(o.Workers)}
	w.opts, w.changed = &w.o, sync.NewCond(&w.mu)
	return w
}

// Run sends what is applied until Close was called and all is sent, or an error or ctx ends it.
func (w *Writer) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	stop := context.AfterFunc(ctx, func() { w.shut(context.Cause(ctx)) })
	defer stop()
	for range w.o.Workers {
		g.Go(func() error { // ends with the writer; owns one request at a time
			return crash.Guarded(func() error { return w.work(ctx) })
		})
	}
	return g.Wait()
}

func (w *Writer) work(ctx context.Context) error {
	for {
		r := w.next()
		if r == nil {
			return nil
		}
		reusable, err := w.send(ctx, r)
		w.finished(r, reusable, err)
		if err != nil {
			return err
		}
	}
}
