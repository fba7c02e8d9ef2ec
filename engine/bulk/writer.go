// Package bulk writes changes to the destination in bulk requests: it fills them, sends several concurrently, and
// completes every single operation.
//
// It decides nothing about documents. Its invariant: every applied change ends exactly once, as done, dropped,
// left alone or rejected, or the run ends with an error; and the bytes granted to it are released.
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

// Options are the settings of a writer: one field for each key of the configuration and each thing that only the
// run can provide.
type Options struct {
	Client     *elastic.Client
	Index      string // concrete
	Pipeline   string // "" for none
	Connector  string // for the dead-letter file
	Workers    int    // concurrent requests
	Operations int    // of a request, at most
	Bytes      int    // of a request, approximately: only a single larger document exceeds it
	Retry      retry.Policy
	Budget     *budget.Bytes
	Counters   *report.Counters
	Observer   report.Observer
	DeadLetter *docfile.DeadLetter
	Breaker    *Breaker // nil never ends the run early
	// Widen maps a field that the index does not have yet as a number that may have a fraction, or as text; nil
	// means that it cannot. If it fails, the document is rejected.
	Widen func(ctx context.Context, field string, numbers bool) error
	// Fence is called before each request and reports whether it may be sent; nil means always. An error ends the
	// run.
	Fence func(context.Context) error
	Grace time.Duration // for requests in flight when another one ends the run
	Log   *slog.Logger
	Now   func() time.Time
}

// Breaker ends a run in which nearly everything is rejected: more than Count documents, and more than Ratio of
// those with a response.
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

// Writer is a [plan.Sink] that writes. Apply is safe for concurrent use. Until Run is called nothing is sent, and
// Apply may block.
type Writer struct {
	queue

	o       Options
	retried atomic.Bool // a request failed and this was logged
	limit   *limiter
}

var _ plan.Sink = (*Writer)(nil)

// New returns a writer.
func New(o Options) *Writer {
	w := &Writer{o: o, limit: newLimiter(o.Workers)}
	w.opts, w.changed = &w.o, sync.NewCond(&w.mu)
	return w
}

// Run sends applied changes until Close is called and everything is sent, or until an error or ctx ends it. After an
// error requests in flight have Options.Grace to complete: a server that is no longer waited for may still write, even
// after the next run has written something newer.
func (w *Writer) Run(ctx context.Context) error {
	requests, abandon := context.WithCancel(ctx)
	defer abandon()
	g, ctx := errgroup.WithContext(ctx)
	stop := context.AfterFunc(ctx, func() {
		w.shut(context.Cause(ctx))
		select {
		case <-time.After(w.o.Grace):
			abandon()
		case <-requests.Done():
		}
	})
	defer stop()
	for range w.o.Workers {
		g.Go(func() error { // ends with the writer; owns one request at a time
			return crash.Guarded(func() error { return w.work(ctx, requests) })
		})
	}
	return g.Wait()
}

// work sends requests while ctx lasts; the context requests is the one of requests in flight.
func (w *Writer) work(ctx, requests context.Context) error {
	for {
		r := w.next()
		if r == nil {
			return nil
		}
		reusable, err := w.send(ctx, requests, r)
		w.finished(r, reusable, err)
		if err != nil {
			return err
		}
	}
}
