// Package link handles the path to a server: a connection that ends when the other end is silent for too long,
// certificates as people paste them, retries, resuming after a lost connection, and the messages about all that.
//
// It knows no kind of server and no driver. Its invariant: what it returns in place of an error still has
// that error in its chain.
package link

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
)

// StallError says that a read ended because the server was silent for too long. It is a timeout, so that the driver
// passes it on instead of just saying that the connection is closed.
type StallError struct{ Limit time.Duration }

func (e *StallError) Error() string {
	return fmt.Sprintf("the server has sent nothing for %v, the stall timeout", e.Limit)
}

// Timeout makes it a [net.Error].
func (e *StallError) Timeout() bool { return true }

// Temporary makes it a [net.Error].
func (e *StallError) Temporary() bool { return true }

// Watched ends a read that takes longer than Limit. Only reading counts: while no bytes are requested, because the
// rows received are still being processed, no time passes.
type Watched struct {
	net.Conn
	Limit time.Duration // 0 is forever

	mu       sync.Mutex
	deadline time.Time // set by the driver, such as when a context is over; zero is none
	stalled  error     // once it happened, every read says so
}

// Read reads; see [Watched].
func (c *Watched) Read(b []byte) (int, error) {
	if c.Limit <= 0 {
		return c.Conn.Read(b)
	}
	ours, err := c.arm()
	if err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(b)
	if ours && errors.Is(err, os.ErrDeadlineExceeded) {
		err = c.expired(err)
	}
	return n, err
}

// Stalled is the error of a read that took too long; nil if there was none. The driver may not return it.
func (c *Watched) Stalled() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stalled
}

// arm sets the deadline of a read: ours, unless the driver's comes before it.
func (c *Watched) arm() (ours bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stalled != nil {
		return false, c.stalled
	}
	deadline := time.Now().Add(c.Limit)
	if !c.deadline.IsZero() && c.deadline.Before(deadline) {
		return false, c.Conn.SetReadDeadline(c.deadline)
	}
	return true, c.Conn.SetReadDeadline(deadline)
}

// expired determines whose deadline ended a read: the driver may have set one since the read began.
func (c *Watched) expired(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.deadline.IsZero() && !time.Now().Before(c.deadline) {
		return err
	}
	c.stalled = &StallError{c.Limit}
	return c.stalled
}

// SetDeadline remembers the driver's deadline, which a read must not push back.
func (c *Watched) SetDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = t
	return c.Conn.SetDeadline(t)
}

// SetReadDeadline is like [Watched.SetDeadline] for reads.
func (c *Watched) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = t
	return c.Conn.SetReadDeadline(t)
}
