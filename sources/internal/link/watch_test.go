package link

import (
	"errors"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// readFor reads once from a watched connection whose other end is silent, and returns the error and
// how long it took.
func readFor(c net.Conn) (time.Duration, error) {
	start := time.Now()
	_, err := c.Read(make([]byte, 1))
	return time.Since(start), err
}

func TestWatched(t *testing.T) {
	t.Parallel()
	const limit = time.Minute
	for name, check := range map[string]func(t *testing.T, c *Watched, other net.Conn){
		"silence ends a read, and those after it": func(t *testing.T, c *Watched, _ net.Conn) {
			if err := c.Stalled(); err != nil {
				t.Errorf("before a read: %v", err)
			}
			took, err := readFor(c)
			if _, ok := errors.AsType[*StallError](err); !ok || took != limit || !errors.Is(c.Stalled(), err) {
				t.Errorf("after %v: %v, then %v", took, err, c.Stalled())
			}
			if took, err := readFor(c); err == nil || took != 0 {
				t.Errorf("the read after it: after %v: %v", took, err)
			}
		},
		"the driver's deadline is its own": func(t *testing.T, c *Watched, _ net.Conn) {
			if err := c.SetDeadline(time.Now().Add(time.Second)); err != nil {
				t.Fatal(err)
			}
			took, err := readFor(c)
			if !errors.Is(err, os.ErrDeadlineExceeded) || took != time.Second {
				t.Errorf("after %v: %v", took, err)
			}
		},
		"the driver's deadline while a read waits": func(t *testing.T, c *Watched, _ net.Conn) {
			time.AfterFunc(time.Second, func() { _ = c.SetDeadline(time.Now()) })
			took, err := readFor(c)
			if !errors.Is(err, os.ErrDeadlineExceeded) || took != time.Second {
				t.Errorf("after %v: %v", took, err)
			}
		},
		"the driver's deadline that is late": func(t *testing.T, c *Watched, _ net.Conn) {
			if err := c.SetReadDeadline(time.Now().Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
			took, err := readFor(c)
			if _, ok := errors.AsType[*StallError](err); !ok || took != limit {
				t.Errorf("after %v: %v", took, err)
			}
		},
		"time between reads does not count": func(t *testing.T, c *Watched, other net.Conn) {
			go func() {
				for range 2 {
					_, _ = other.Write([]byte("x"))
				}
			}()
			for range 2 {
				if _, err := readFor(c); err != nil {
					t.Error(err)
				}
				<-time.After(time.Hour) // the bubble's time
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				here, there := net.Pipe()
				defer func() { _ = here.Close(); _ = there.Close() }()
				check(t, &Watched{Conn: here, Limit: limit}, there)
			})
		})
	}
}
