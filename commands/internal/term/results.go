package term

import (
	"errors"
	"io"
	"sync"
	"syscall"
)

// ErrOutputClosed is the cause of a run that ends because the reader of its output is gone.
var ErrOutputClosed = errors.New("the output was closed by its reader")

// Results is stdout for results. After a failed write the rest is discarded, so that a run can end in order;
// failed is called once.
type Results struct {
	mu     sync.Mutex
	w      io.Writer
	failed func(error)
	err    error
}

// NewResults creates it; failed may be nil.
func NewResults(w io.Writer, failed func(error)) *Results { return &Results{w: w, failed: failed} }

// Write implements [io.Writer].
func (r *Results) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return len(p), nil
	}
	if _, err := r.w.Write(p); err != nil {
		r.err = err
		if errors.Is(err, syscall.EPIPE) || errors.Is(err, errOutputStuck) {
			r.err = ErrOutputClosed
		}
		if r.failed != nil {
			r.failed(r.err)
		}
	}
	return len(p), nil
}

// Failure is the error of the first failed write.
func (r *Results) Failure() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}
