package bulk

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/elastic-ingest/elastic-ingest/engine/plan"
)

// queue holds changes that were applied and not sent yet, in requests, and counts the requests in flight. It is
// the half of a [Writer] that readers and workers share.
type queue struct {
	opts *Options // of the writer

	mu       sync.Mutex
	changed  *sync.Cond // one of the fields below has changed
	filling  *request
	ready    []*request
	pressure bool // a reader waits for bytes: send the open request
	flushing int  // callers of Flush
	inFlight int
	closed   bool
	ended    error // why Run has ended; nothing is written after that
	spare    []*request
	typical  int // bytes of the largest request so far, up to the limit of the options, so that a new one need not grow
}

// typicalItems is the default number of operations in a request.
const typicalItems = 500

// Apply adds the change to a request. It waits if a request is ready for every worker: holding more would cost
// memory and save no time.
func (q *queue) Apply(_ context.Context, c plan.Change) error {
	c.ID = strings.Clone(c.ID)
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.ended == nil && len(q.ready) >= q.opts.Workers {
		q.changed.Wait()
	}
	if q.ended != nil {
		q.opts.Budget.Release(c.Grant)
		return fmt.Errorf("write to index %q: %w", q.opts.Index, q.ended)
	}
	// A node rejects all operations of a request for which it has no memory, so a document of this size gets a
	// request of its own.
	if q.filling != nil && len(q.filling.body)+len(c.Source) > q.opts.Bytes {
		q.letGo()
	}
	if q.filling == nil {
		q.filling = q.take()
	}
	q.filling.add(c)
	if len(q.filling.items) >= q.opts.Operations || len(q.filling.body) >= q.opts.Bytes {
		q.letGo()
	} else if q.pressure = q.opts.Budget.Waiting(); q.pressure {
		q.changed.Broadcast()
	}
	return nil
}

// letGo hands over the open request for sending. The caller holds the lock.
func (q *queue) letGo() {
	q.typical = max(q.typical, min(len(q.filling.body), q.opts.Bytes))
	q.ready = append(q.ready, q.filling)
	q.filling = nil
	q.changed.Broadcast()
}

// Pressure asks to send the open request as soon as a worker is free.
func (q *queue) Pressure() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.pressure = true
	q.changed.Broadcast()
}

// Flush returns when every earlier change has ended, or with the error that ended the writer.
func (q *queue) Flush(context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.flushing++
	defer func() { q.flushing-- }()
	q.changed.Broadcast()
	for q.ended == nil && (q.filling != nil || len(q.ready) > 0 || q.inFlight > 0) {
		q.changed.Wait()
	}
	return q.ended
}

// Close lets Run end after everything is sent.
func (q *queue) Close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.changed.Broadcast()
}

// take returns an empty request, a used one if possible. The caller holds the lock.
func (q *queue) take() *request {
	if n := len(q.spare); n > 0 {
		r := q.spare[n-1]
		q.spare = q.spare[:n-1]
		return r
	}
	return &request{body: make([]byte, 0, q.typical+q.typical/8), items: make([]item, 0, min(q.opts.Operations, typicalItems))}
}

// next waits for a request to send; it returns nil at the end.
func (q *queue) next() *request {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		switch {
		case q.ended != nil:
			return nil
		case len(q.ready) > 0:
			r := q.ready[0]
			q.ready = q.ready[1:]
			q.inFlight++
			q.changed.Broadcast() // wakes callers of Apply
			return r
		case q.filling != nil && (q.pressure || q.flushing > 0 || q.closed):
			r := q.filling
			q.filling, q.pressure = nil, false
			q.inFlight++
			return r
		case q.closed:
			return nil
		}
		q.changed.Wait()
	}
}

// finished records that a request has ended. reusable means that its memory has no other readers and can be
// reused.
func (q *queue) finished(r *request, reusable bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.inFlight--
	if err != nil && q.ended == nil {
		q.ended = err
	}
	if reusable && len(q.spare) <= q.opts.Workers && cap(r.body) <= 2*q.opts.Bytes {
		r.reset()
		q.spare = append(q.spare, r)
	}
	q.changed.Broadcast()
}

// shut stops all sending, because of err.
func (q *queue) shut(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.ended == nil {
		q.ended = err
	}
	q.changed.Broadcast()
}
