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
	"fmt"
	"log/slog"
	"strings"
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

// Options are how a writer writes.
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
	o       Options
	retried atomic.Bool // a request failed and this was told
	limit   *limiter

	mu       sync.Mutex
	changed  *sync.Cond // something of the below has changed
	filling  *request
	ready    []*request
	pressure bool // somebody waits for bytes: let go what is there
	flushing int  // callers of Flush
	inFlight int
	closed   bool
	ended    error // why Run has ended; nothing is written any more
	spare    []*request
	typical  int // bytes of the largest request yet, at most those of the options, so that a new one need not grow
}

// typicalItems is room for the operations of a request as they are by default.
const typicalItems = 500

var _ plan.Sink = (*Writer)(nil)

// New makes a writer.
func New(o Options) *Writer {
	w := &Writer{o: o, limit: newLimiter(o.Workers)}
	w.changed = sync.NewCond(&w.mu)
	return w
}

// Run sends what is applied until Close was called and all is sent, or an error or ctx ends it.
func (w *Writer) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	stop := context.AfterFunc(ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.ended == nil {
			w.ended = context.Cause(ctx)
		}
		w.changed.Broadcast()
	})
	defer stop()
	for range w.o.Workers {
		g.Go(func() error { // ends with the writer; owns one request at a time
			return crash.Guarded(func() error { return w.work(ctx) })
		})
	}
	return g.Wait()
}

// Apply puts the change into a request. It waits while a request is ready for every worker: to hold more
// would cost memory and save no time.
func (w *Writer) Apply(_ context.Context, c plan.Change) error {
	c.ID = strings.Clone(c.ID)
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.ended == nil && len(w.ready) >= w.o.Workers {
		w.changed.Wait()
	}
	if w.ended != nil {
		w.o.Budget.Release(c.Grant)
		return fmt.Errorf("write to index %q: %w", w.o.Index, w.ended)
	}
	// A node refuses all operations of a request that it has no memory for, so a document that is a
	// request by itself has no neighbours whom that would hold up.
	if w.filling != nil && len(w.filling.body)+len(c.Source) > w.o.Bytes {
		w.letGo()
	}
	if w.filling == nil {
		w.filling = w.take()
	}
	w.filling.add(c)
	if len(w.filling.items) >= w.o.Operations || len(w.filling.body) >= w.o.Bytes {
		w.letGo()
	} else if w.pressure = w.o.Budget.Waiting(); w.pressure {
		w.changed.Broadcast()
	}
	return nil
}

// letGo has the request that is being filled sent. The lock is held.
func (w *Writer) letGo() {
	w.typical = max(w.typical, min(len(w.filling.body), w.o.Bytes))
	w.ready = append(w.ready, w.filling)
	w.filling = nil
	w.changed.Broadcast()
}

// Pressure asks for the request that is being filled to be sent as soon as somebody can.
func (w *Writer) Pressure() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pressure = true
	w.changed.Broadcast()
}

// Flush returns when everything applied before has ended, or an error that ended the writer.
func (w *Writer) Flush(context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flushing++
	defer func() { w.flushing-- }()
	w.changed.Broadcast()
	for w.ended == nil && (w.filling != nil || len(w.ready) > 0 || w.inFlight > 0) {
		w.changed.Wait()
	}
	return w.ended
}

// Close lets Run end once all is sent.
func (w *Writer) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.changed.Broadcast()
}

// take gives an empty request, a used one where there is one. The lock is held.
func (w *Writer) take() *request {
	if n := len(w.spare); n > 0 {
		r := w.spare[n-1]
		w.spare = w.spare[:n-1]
		return r
	}
	return &request{body: make([]byte, 0, w.typical+w.typical/8), items: make([]item, 0, min(w.o.Operations, typicalItems))}
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

// next waits for a request to send; nil when there is none any more.
func (w *Writer) next() *request {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		switch {
		case w.ended != nil:
			return nil
		case len(w.ready) > 0:
			r := w.ready[0]
			w.ready = w.ready[1:]
			w.inFlight++
			w.changed.Broadcast() // to callers of Apply
			return r
		case w.filling != nil && (w.pressure || w.flushing > 0 || w.closed):
			r := w.filling
			w.filling, w.pressure = nil, false
			w.inFlight++
			return r
		case w.closed:
			return nil
		}
		w.changed.Wait()
	}
}

func (w *Writer) finished(r *request, reusable bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.inFlight--
	if err != nil && w.ended == nil {
		w.ended = err
	}
	if reusable && len(w.spare) <= w.o.Workers && cap(r.body) <= 2*w.o.Bytes {
		r.reset()
		w.spare = append(w.spare, r)
	}
	w.changed.Broadcast()
}
