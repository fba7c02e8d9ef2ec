package term

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"time"
)

// errOutputStuck is the error of an output without a reader when the program has to end.
var errOutputStuck = errors.New("the output is full and has no reader")

// stuckPatience is how long a write may last once the program has to end. With a reader, a write takes no
// time.
const stuckPatience = time.Second

// escapable is an output that cannot stop the program from ending. A write to a pipe waits for its reader, and
// no signal interrupts it; so a goroutine does the write, and is abandoned when the program ends.
type escapable struct {
	ended context.Context //nolint:containedctx // that of the program
	mu    sync.Mutex
	buf   []byte
	in    chan []byte
	out   chan written
	stuck bool
}

type written struct {
	n   int
	err error
}

// escapableFrom creates an output of f that abandons a write when ended is done. A regular file never blocks,
// so it is written to directly.
func escapableFrom(ended context.Context, f *os.File) io.Writer {
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		return f
	}
	return newEscapable(ended, f)
}

func newEscapable(ended context.Context, w io.Writer) *escapable {
	e := &escapable{ended: ended, in: make(chan []byte), out: make(chan written, 1)}
	go func() { // ends with the program: a blocked write cannot be interrupted
		for p := range e.in {
			n, err := w.Write(p)
			e.out <- written{n, err}
		}
	}()
	return e
}

// Write implements [io.Writer].
func (e *escapable) Write(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stuck {
		return 0, errOutputStuck
	}
	e.buf = append(e.buf[:0], p...) // the caller may reuse p although this write may still be blocked
	e.in <- e.buf
	select {
	case w := <-e.out:
		return w.n, w.err
	case <-e.ended.Done():
	}
	patience := time.NewTimer(stuckPatience)
	defer patience.Stop()
	select {
	case w := <-e.out:
		return w.n, w.err
	case <-patience.C:
		e.stuck = true
		return 0, errOutputStuck
	}
}
