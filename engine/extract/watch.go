package extract

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/crash"
)

// watch ends a request that makes no progress: in each time span at least a piece must pass, in one
// direction or the other. Time that the source of the content takes does not count.
type watch struct {
	span   time.Duration
	piece  int64
	cancel context.CancelCauseFunc

	mu       sync.Mutex
	timer    *time.Timer
	deadline time.Time
	left     time.Duration // while it is held
	moved    int64         // since the deadline was set
}

// silentError is the cause of a request that was ended because of silence.
type silentError struct{ span time.Duration }

func (e silentError) Error() string {
	return fmt.Sprintf("no progress for %s, see extraction_service.timeout", e.span)
}

// watched returns a context for one request, and its watch, which must be stopped.
func watched(ctx context.Context, span time.Duration, piece int64) (context.Context, *watch) {
	ctx, cancel := context.WithCancelCause(ctx)
	w := &watch{span: span, piece: piece, cancel: cancel, deadline: time.Now().Add(span)}
	w.timer = time.AfterFunc(span, func() { cancel(silentError{span}) })
	return ctx, w
}

func (w *watch) stop() {
	w.timer.Stop()
	w.cancel(nil)
}

// step begins a new span: the request has made progress.
func (w *watch) step() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.begin(w.span)
}

func (w *watch) begin(span time.Duration) {
	w.moved, w.deadline = 0, time.Now().Add(span)
	w.timer.Reset(span)
}

// pass records that n bytes have passed.
func (w *watch) pass(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.moved += int64(n); w.moved >= w.piece {
		w.begin(w.span)
	}
}

// hold stops the clock while do waits for something other than the service.
func (w *watch) hold(do func()) {
	w.mu.Lock()
	w.timer.Stop()
	w.left = time.Until(w.deadline)
	w.mu.Unlock()
	do()
	w.mu.Lock()
	defer w.mu.Unlock()
	moved := w.moved
	w.begin(max(w.left, 0))
	w.moved = moved
}

// errTooLarge is content that has grown beyond the limit since it was listed.
var errTooLarge = errors.New("larger than the limit")

// upload is content being sent to a service. It is read by a goroutine of net/http, where nothing else would
// catch a panic of the source.
type upload struct {
	ctx   context.Context //nolint:containedctx // lives no longer than one request
	r     io.ReadCloser
	watch *watch
	limit int64         // bytes; 0: any number
	done  chan struct{} // closed when it is no longer read
	last  int           // bytes read, and sent by the next call
	once  sync.Once

	mu    sync.Mutex
	total int64
	err   error // of reading, during the request
	ended bool  // read to its end
}

func (u *upload) Read(p []byte) (n int, err error) {
	if err := context.Cause(u.ctx); err != nil {
		return 0, err
	}
	u.watch.pass(u.last)
	u.watch.hold(func() {
		err = crash.Guarded(func() (err error) { n, err = u.r.Read(p); return err })
	})
	u.last = n
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.total += int64(n); u.limit > 0 && u.total > u.limit {
		n, err = 0, errTooLarge
	}
	switch {
	case errors.Is(err, io.EOF):
		u.ended = true
		u.watch.step()
	case err != nil && u.ctx.Err() == nil:
		u.err = err
	}
	return n, err
}

// Close is called by the transport, at least once.
func (u *upload) Close() (err error) {
	u.once.Do(func() {
		err = crash.Guarded(u.r.Close)
		close(u.done)
	})
	return err
}

// state is the progress so far.
func (u *upload) state() (total int64, ended bool, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.total, u.ended, u.err
}

// download is a watched response.
type download struct {
	r     io.Reader
	watch *watch
}

func (d download) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	d.watch.pass(n)
	return n, err
}
