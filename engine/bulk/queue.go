package bulk

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/elastic-ingest/elastic-ingest/engine/plan"
)

// queue holds what was applied and not sent yet, in requests, and counts those that are on their way. It is the half of
// a [Writer] that readers and workers share.
type queue struct {
	opts *Options // of the writer

	mu       sync.Mutex
	changed  *sync.Cond // a field below has changed
	filling  *request
	ready    []*request
	pressure bool // a reader waits for bytes: send what is there
	flushing int  // callers of Flush
	inFlight int
	closed   bool
	ended    error // why Run has ended; nothing is written any more
	spare    []*request
	typical  int // bytes of the largest request yet, at most those of the options, so that a new one need not grow
}

// typicalItems is room for the operations of a request as they are by default.
const typicalItems = 500

// Apply puts the change into a request. It waits while a request is ready for every worker: to hold more
// would cost memory and save no time.
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
	// A node refuses all operations of a request that it has no memory for, so a document that is a
	// request by itself has no neighbors that this would hold up.
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

// letGo has the request that is being filled sent. The lock is held.
func (q *queue) letGo() {
	q.typical = max(q.typical, min(len(q.filling.body), q.opts.Bytes))
	q.ready = append(q.ready, q.filling)
	q.filling = nil
	q.changed.Broadcast()
}

// Pressure asks for the request that is being filled to be sent as soon as a worker can.
func (q *queue) Pressure() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.pressure = true
	q.changed.Broadcast()
}

// Flush returns when everything applied before has ended, or an error that ended the writer.
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

// Close lets Run end once all is sent.
func (q *queue) Close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.changed.Broadcast()
}

// take gives an empty request, a used one where there is one. The lock is held.
func (q *queue) take() *request {
	if n := len(q.spare); n > 0 {
		r := q.spare[n-1]
		q.spare = q.spare[:n-1]
		return r
	}
	return &request{body: make([]byte, 0, q.typical+q.typical/8), items: make([]item, 0, min(q.opts.Operations, typicalItems))}
}

// next waits for a request to send; nil when no more will come.
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
			q.changed.Broadcast() // to callers of Apply
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

// finished notes that a request has ended. Its memory is used again where reusable says that no one reads it.
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

// shut has nothing sent any more, because of err.
func (q *queue) shut(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.ended == nil {
		q.ended = err
	}
	q.changed.Broadcast()
}
