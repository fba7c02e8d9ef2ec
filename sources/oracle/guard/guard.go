// Package guard is a layer between a source and Oracle's driver, github.com/sijms/go-ora/v2, which trusts
// whatever a server sends and waits for it without limit.
//
// It turns a panic in the driver into an error, ends calls that take too long or whose context has ended, closes
// connections that have become useless, and detects missing rows. It does not know what a statement means.
//
// A broken connection is not repaired: it returns [driver.ErrBadConn] from every later call. So does a connection
// after an error of the driver itself, which leaves part of the server's response unread. Only errors from
// the server leave it usable.
//
// It cannot prevent the driver from allocating as much memory as a server's counts demand: it does not protect
// against a malicious server.
//
// The driver never gets a context that can end: at its end the driver would write to the connection from its
// own goroutine, where a panic ends the program. Instead the socket is closed, see [Dialer].
//
// Its invariant: rows end without an error only if the server said that there are no more.
package guard

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"time"

	ora "github.com/sijms/go-ora/v2"
	"github.com/sijms/go-ora/v2/network"
)

// Limits are how long calls may take; 0: forever.
type Limits struct {
	Login time.Duration // until a connection is open, in total
	Call  time.Duration // each call; fetching rows with their LOBs is one call
}

// ErrPanic means that the driver panicked.
var ErrPanic = errors.New("the driver panicked")

// Programming errors.
var (
	errNoSocket    = errors.New("guard: the connector does not dial through guard.Dialer")
	errNoConnector = errors.New("guard: not dialed by guard.Connector")
	errForeign     = errors.New("guard: not a connection of go-ora")
	errNotHere     = errors.New("guard: use the calls with a context, and statements for transactions")
)

// Connector opens guarded connections. The connector must dial with the function that [Dialer] returns.
func Connector(c driver.Connector, limits Limits) driver.Connector {
	return &connector{c, limits}
}

type connector struct {
	driver.Connector
	limits Limits
}

// Connect opens a connection, or leaves nothing open.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	l := &line{}
	opened, err := call(ctx, l, "log in", c.limits.Login, func(ctx context.Context) (driver.Conn, error) {
		return c.Connector.Connect(context.WithValue(ctx, lineKey{}, l))
	})
	known, ok := opened.(*ora.Connection)
	switch {
	case err != nil:
	case !ok:
		err = errForeign
	case !l.connected():
		err = errNoSocket
	}
	if err != nil {
		l.cut(err)
		return nil, err
	}
	return &conn{known, l, c.limits.Call}, nil
}

type lineKey struct{}

// Dialer registers with the guard what a connector dials. Dialing ends with the context of
// Connect, and so does the socket of a listener that redirected the driver.
func Dialer(dial func(ctx context.Context, network, address string) (net.Conn, error)) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		l, ok := ctx.Value(lineKey{}).(*line)
		if !ok {
			return nil, errNoConnector
		}
		l.hangUp()
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		l.use(cancel)
		socket, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		l.use(func() { _ = socket.Close() })
		return socket, nil
	}
}

// call runs a call of the driver within its limit and its context. An error that does not come from the server
// ends the connection.
func call[T any](ctx context.Context, l *line, what string, limit time.Duration, do func(context.Context) (T, error)) (v T, err error) {
	if broken := l.reason(); broken != nil {
		return v, fmt.Errorf("%w: %w", driver.ErrBadConn, broken)
	}
	if err := ctx.Err(); err != nil {
		return v, err
	}
	defer context.AfterFunc(ctx, func() { l.cut(ctx.Err()) })()
	if limit > 0 {
		defer time.AfterFunc(limit, func() { l.cut(&silence{what, limit}) }).Stop()
	}
	defer func() {
		if p := recover(); p != nil {
			l.cut(fmt.Errorf("%w: %s: %v (%s)", ErrPanic, what, p, panicked()))
		} else if err != nil && !answered(err) {
			if errors.Is(err, io.EOF) { // which would look like the end of rows
				err = fmt.Errorf("the server closed the connection: %w", io.ErrUnexpectedEOF)
			}
			l.cut(err)
		}
		if broken := l.reason(); broken != nil {
			var none T
			v, err = none, broken
		}
	}()
	return do(context.WithoutCancel(ctx))
}

// answered reports whether an error is a response of the server.
func answered(err error) bool {
	_, answer := errors.AsType[*network.OracleError](err)
	return answer
}

// silence is the error of a call that took too long. It is a timeout, see [net.Error].
type silence struct {
	what  string
	limit time.Duration
}

func (e *silence) Error() string {
	return fmt.Sprintf("the server did not finish within %v: %s", e.limit, e.what)
}

func (e *silence) Unwrap() error { return os.ErrDeadlineExceeded }

// panicked is the place in the driver of the panic that was just recovered.
func panicked() string {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(0, pcs[:])])
	for after := false; ; {
		f, more := frames.Next()
		// The panic is followed by functions of the runtime, if the runtime panicked.
		if after && !strings.HasPrefix(f.Function, "runtime.") || !more {
			return fmt.Sprintf("%s:%d", f.Function, f.Line)
		}
		after = after || f.Function == "runtime.gopanic"
	}
}
