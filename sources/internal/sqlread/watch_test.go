package sqlread

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
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

func TestWatchedConn(t *testing.T) {
	t.Parallel()
	const limit = time.Minute
	for name, check := range map[string]func(t *testing.T, c *WatchedConn, other net.Conn){
		"silence ends a read, and those after it": func(t *testing.T, c *WatchedConn, _ net.Conn) {
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
		"the driver's deadline is its own": func(t *testing.T, c *WatchedConn, _ net.Conn) {
			if err := c.SetDeadline(time.Now().Add(time.Second)); err != nil {
				t.Fatal(err)
			}
			took, err := readFor(c)
			if !errors.Is(err, os.ErrDeadlineExceeded) || took != time.Second {
				t.Errorf("after %v: %v", took, err)
			}
		},
		"the driver's deadline while a read waits": func(t *testing.T, c *WatchedConn, _ net.Conn) {
			time.AfterFunc(time.Second, func() { _ = c.SetDeadline(time.Now()) })
			took, err := readFor(c)
			if !errors.Is(err, os.ErrDeadlineExceeded) || took != time.Second {
				t.Errorf("after %v: %v", took, err)
			}
		},
		"the driver's deadline that is late": func(t *testing.T, c *WatchedConn, _ net.Conn) {
			if err := c.SetReadDeadline(time.Now().Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
			took, err := readFor(c)
			if _, ok := errors.AsType[*StallError](err); !ok || took != limit {
				t.Errorf("after %v: %v", took, err)
			}
		},
		"time between reads does not count": func(t *testing.T, c *WatchedConn, other net.Conn) {
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
				check(t, &WatchedConn{Conn: here, Limit: limit}, there)
			})
		})
	}
}

// TestBrief: what a driver puts before an error of the network is left out, and the cause is still found.
func TestBrief(t *testing.T) {
	t.Parallel()
	cause := errors.New("connection refused")
	for name, tt := range map[string]struct {
		err  error
		want string
	}{
		"network":        {&net.OpError{Op: "dial", Net: "tcp", Err: cause}, "dial tcp: connection refused"},
		"name":           {&net.DNSError{Err: "no such host", Name: "h"}, "lookup h: no such host"},
		"stall":          {&StallError{Limit: time.Second}, "the server has sent nothing for 1s, the stall timeout"},
		"deadline":       {context.DeadlineExceeded, "the server did not answer in time"},
		"something else": {cause, ""},
	} {
		wrapped := fmt.Errorf("user x at 10.0.0.7, attempt 3: %w", tt.err)
		brief := Brief(wrapped)
		if (brief != nil) != (tt.want != "") {
			t.Errorf("%s: %v", name, brief)
		}
		if brief != nil && (brief.Error() != tt.want || !errors.Is(brief, tt.err)) {
			t.Errorf("%s: got %v", name, brief)
		}
	}
}

func TestHandshakeFailed(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		err  error
		want bool
	}{
		"certificate": {&tls.CertificateVerificationError{Err: errors.New("x")}, true},
		"no TLS":      {tls.RecordHeaderError{Msg: "x"}, true},
		"alert":       {tls.AlertError(40), true},
		"network":     {&net.OpError{Op: "read", Err: errors.New("x")}, false},
	} {
		if got := HandshakeFailed(fmt.Errorf("connect: %w", tt.err)); got != tt.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
