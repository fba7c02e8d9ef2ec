// Package guard stands between a source and the driver of Oracle, github.com/sijms/go-ora/v2, which trusts
// what a server sends and how long that takes.
//
// It makes an error of a panic in the driver, ends calls that take too long or whose context is over, closes
// what has become useless, and notices rows that went missing. It does not know what a statement means.
//
// A connection that broke is not repaired: it answers every later call with [driver.ErrBadConn]. So does one
// that had an error of the driver's own making, which leaves unread what the server answered. Only the
// answers of the server leave it as it is.
//
// It cannot keep the driver from making room for as many things as a server says there are: against a server
// that means harm there is no guard.
//
// The driver never gets a context that can end: on its end the driver would write to the connection from a
// goroutine of its own, where a panic ends the program. What ends is the socket, see [Dialer].
//
// Its invariant: rows end without an error only where the server said that these were all.
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

// Limits are how long things may take; 0 is for ever.
type Limits struct {
	Login time.Duration // until a connection is open, in all
	Call  time.Duration // each call of it; to fetch rows with all that belongs to them is one call
}

// ErrPanic is wrapped where the driver panicked.
var ErrPanic = errors.New("the driver panicked")

// Mistakes of the program.
var (
	errNoSocket    = errors.New("guard: the connector does not dial through guard.Dialer")
	errNoConnector = errors.New("guard: dialed by another than guard.Connector")
	errForeign     = errors.New("guard: the connection is not one of go-ora")
	errNotHere     = errors.New("guard: use the calls that take a context, and statements for transactions")
)

// Connector opens guarded connections. The connector must dial by what [Dialer] returns.
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

// Dialer makes known to the guard what a connector dials. Dialing ends with the context that was given to
// Connect, and so does the socket of a listener that sent the driver to another.
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

// call runs a call of the driver within its limit and its context. An error that is no answer of the server
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
			l.cut(fmt.Errorf("%w while it was asked to %s: %v (%s)", ErrPanic, what, p, panicked()))
		} else if err != nil && !answered(err) {
			if errors.Is(err, io.EOF) { // which would be taken for the end of rows
				err = fmt.Errorf("the server hung up: %w", io.ErrUnexpectedEOF)
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

// answered reports whether an error is an answer of the server.
func answered(err error) bool {
	_, answer := errors.AsType[*network.OracleError](err)
	return answer
}

// silence is why a call ended that took too long. It is a timeout, as [net.Error] has it.
type silence struct {
	what  string
	limit time.Duration
}

func (e *silence) Error() string {
	return fmt.Sprintf("the server did not finish within %v what it was asked to do: %s", e.limit, e.what)
}

func (e *silence) Unwrap() error { return os.ErrDeadlineExceeded }

// panicked is where in the driver the panic happened that was just recovered.
func panicked() string {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(0, pcs[:])])
	for behind := false; ; {
		f, more := frames.Next()
		// Behind the panic itself come functions of the runtime, where that is what panicked.
		if behind && !strings.HasPrefix(f.Function, "runtime.") || !more {
			return fmt.Sprintf("%s:%d", f.Function, f.Line)
		}
		behind = behind || f.Function == "runtime.gopanic"
	}
}
