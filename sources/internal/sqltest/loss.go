package sqltest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Dial is how a source opens the connection below that of its driver.
type Dial = func(ctx context.Context, network, address string) (net.Conn, error)

// CutAfter breaks every connection after so many bytes from the server, and counts the broken connections.
func CutAfter(dial Dial, bytes int) (Dial, *atomic.Int32) {
	cuts := &atomic.Int32{}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &cutConn{Conn: conn, left: bytes, cuts: cuts}, nil
	}, cuts
}

// cutConn breaks once so many bytes have come.
type cutConn struct {
	net.Conn
	left int
	cuts *atomic.Int32
}

func (c *cutConn) Read(b []byte) (int, error) {
	if c.left <= 0 {
		c.cuts.Add(1)
		_ = c.Close()
		return 0, io.ErrUnexpectedEOF
	}
	n, err := c.Conn.Read(b[:min(len(b), c.left)])
	c.left -= n
	return n, err
}

// Narrow gives connections small receive buffers, so that a server has not sent the end of a large result before its
// beginning was read. By default the system lets the buffer grow, on some to 32 MB.
func Narrow(dial Dial) Dial {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if tcp, ok := conn.(*net.TCPConn); ok && err == nil {
			err = tcp.SetReadBuffer(64 << 10)
		}
		return conn, err
	}
}

// SilentAfter lets the read time limit of a connection expire after the first statement that contains the text, as if
// the server had fallen silent, but not before seen is closed. So the test decides when the limit expires, and no
// earlier response has to meet it.
func SilentAfter(dial Dial, text string, seen <-chan struct{}) Dial {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &silentConn{Conn: conn, text: []byte(text), seen: seen}, nil
	}
}

// silentConn reads nothing once the text was written.
type silentConn struct {
	net.Conn
	text   []byte
	seen   <-chan struct{}
	silent atomic.Bool
}

func (c *silentConn) Write(b []byte) (int, error) {
	if bytes.Contains(b, c.text) {
		c.silent.Store(true)
	}
	return c.Conn.Write(b)
}

func (c *silentConn) Read(b []byte) (int, error) {
	if c.silent.Load() {
		<-c.seen
		return 0, os.ErrDeadlineExceeded
	}
	return c.Conn.Read(b)
}

// CountDials counts the connections that are opened; the first of them, as many as refused, fail.
func CountDials(dial Dial, refused int) (Dial, *atomic.Int32) {
	n := &atomic.Int32{}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if int(n.Add(1)) <= refused {
			return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
		}
		return dial(ctx, network, address)
	}, n
}

// HangsUp is the port of a server that closes every connection at once.
func HangsUp(t testing.TB) (port int) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() { // ends when the listener is closed
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}

// NoPauses replaces the pauses: it counts them, and lets the source continue at once.
func NoPauses() (pause func(context.Context, time.Duration) error, n *atomic.Int32) {
	n = &atomic.Int32{}
	return func(ctx context.Context, _ time.Duration) error { n.Add(1); return ctx.Err() }, n
}

// ReadWith reads a part, and calls do when as many documents as its key have come. times counts how often each id
// came.
func ReadWith(t testing.TB, part source.Part, do map[int]func()) (times map[string]int, err error) {
	t.Helper()
	times = map[string]int{}
	n := 0
	for doc, err := range part.Documents(t.Context()) {
		if err != nil {
			return times, err
		}
		n++
		times[strings.Clone(doc.ID)]++
		if f := do[n]; f != nil {
			f()
		}
	}
	return times, nil
}

// Once fails the test unless each of so many rows came exactly once.
func Once(t testing.TB, times map[string]int, rows int) {
	t.Helper()
	if len(times) != rows {
		t.Errorf("%d of %d rows came", len(times), rows)
	}
	for id, n := range times {
		if n > 1 {
			t.Errorf("the row %q came %d times", id, n)
		}
	}
}

// Nested reads each part while those before it are being read, and counts the rows.
func Nested(t *testing.T, parts []source.Part) (n int) {
	t.Helper()
	if len(parts) == 0 {
		return 0
	}
	first := true
	for _, err := range parts[0].Documents(t.Context()) {
		if err != nil {
			t.Error(err)
			return n
		}
		n++
		if first {
			first = false
			n += Nested(t, parts[1:])
		}
	}
	return n
}

// Pool holds the sessions that no part uses.
type Pool[S any] interface {
	Take() (s S, ok bool)
	Drop()
}

// LoseIdle ends the unused sessions of a pool, and counts them.
func LoseIdle[S interface{ HangUp() }](pool Pool[S]) (n int) {
	for s, ok := pool.Take(); ok; s, ok = pool.Take() {
		s.HangUp()
		pool.Drop()
		n++
	}
	return n
}

// CheckLoss checks a table of so many rows that was read while its connection was lost: if says is "", it was read to
// its end, otherwise it failed with an error of the kind.
func CheckLoss(t *testing.T, times map[string]int, err error, rows int, kind error, says string) {
	t.Helper()
	if says == "" {
		if err != nil {
			t.Error(err)
		}
		Once(t, times, rows)
		return
	}
	Refuse(t, err, kind, says)
	if !errors.Is(kind, source.ErrTemporary) && errors.Is(err, source.ErrTemporary) {
		t.Error("the error is temporary")
	}
	if len(times) == rows {
		t.Error("all rows came although the connection was lost")
	}
}

// ServerLoss is how a server loses the session that reads a table.
type ServerLoss[D any] struct {
	Set  map[string]any          // changed keys
	Lose func(db D, user string) // what happens after some rows; user is the one who reads
	Kind error
	Says string // "" if the table is read to its end
}

// LossesOfTheServer has servers end sessions, and perhaps change the table, after the fifth of so many rows of the only
// table. on runs a test on each server; open opens the source with some keys changed, for at most three attempts.
func LossesOfTheServer[D any](t *testing.T, on func(*testing.T, func(*testing.T, D)), open func(t *testing.T, db D, set map[string]any) (user string, w Way), rows int, cases map[string]ServerLoss[D]) {
	for name, tt := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			on(t, func(t *testing.T, db D) {
				t.Helper()
				user, w := open(t, db, tt.Set)
				w.NoPauses()
				part := List(t, w.Source)[0]
				times, err := ReadWith(t, part, map[int]func(){5: func() { tt.Lose(db, user) }})
				CheckLoss(t, times, err, rows, tt.Kind, tt.Says)
				if tt.Says != "" {
					Refuse(t, err, tt.Kind, part.Name()+": ")
				}
			})
		})
	}
}

// CancelEndsTheStatement checks that canceling ends the statement of a part that runs for ever, and closes the
// session. sessions counts the sessions of the user, or only those that run a statement.
func CancelEndsTheStatement(t *testing.T, s source.Source, part source.Part, sessions func(busy bool) int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { // ends with the statement
		ended <- Read(ctx, part).Err
	}()
	Eventually(t, "the statement runs", func() bool { return sessions(true) == 1 })
	start := time.Now()
	cancel()
	err := <-ended
	if took := time.Since(start); !errors.Is(err, context.Canceled) || took > Patience {
		t.Errorf("after %v: %v", took, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	Eventually(t, "no session is left", func() bool { return sessions(false) == 0 })
}

// Resumes repeatedly breaks the connections of a source after so many bytes, and checks that each of its parts is
// read to the end, with each of so many rows once. idle ends the unused sessions.
func Resumes(t *testing.T, w Way, log *Logbook, rows, bytes int, idle func(source.Source) int) {
	t.Helper()
	w.NoPauses()
	parts := List(t, w.Source)
	idle(w.Source)
	cuts := w.CutAfter(bytes)
	for _, p := range parts {
		before := cuts.Load()
		times, err := ReadWith(t, p, nil)
		if err != nil {
			t.Errorf("%s: %v", p.Scope(), err)
		}
		if Once(t, times, rows); cuts.Load() == before {
			t.Errorf("%s: the connection did not break", p.Scope())
		}
	}
	if !strings.Contains(log.String(), "resuming after the last row") {
		t.Errorf("nothing is said of it: %s", log)
	}
}

// EveryRowOnce reads all parts, and checks that each of so many rows came exactly once.
func EveryRowOnce(t *testing.T, s source.Source, rows int) {
	t.Helper()
	for scope, r := range ReadAll(t, s) {
		times := map[string]int{}
		for _, id := range r.IDs {
			times[id]++
		}
		if r.Err != nil {
			t.Error(scope, r.Err)
		}
		Once(t, times, rows)
	}
}

// LossEndsTheTable checks that a part that cannot be resumed fails when its connection breaks after so many bytes,
// without another attempt.
func LossEndsTheTable(t *testing.T, w Way, part source.Part, bytes int) {
	t.Helper()
	pauses := w.NoPauses()
	w.CutAfter(bytes)
	_, err := ReadWith(t, part, nil)
	Refuse(t, err, source.ErrTemporary, part.Scope()+": read rows: ")
	if pauses.Load() != 0 {
		t.Error("the source tried to resume")
	}
}

// LostWhileIdle checks that sessions lost after the tables were listed are skipped: every part still has its one row.
func LostWhileIdle(t *testing.T, s source.Source, lose func()) {
	t.Helper()
	parts := List(t, s)
	lose()
	for _, p := range parts {
		if r := Read(t.Context(), p); r.Err != nil || len(r.IDs) != 1 {
			t.Errorf("%s: %+v", p.Scope(), r)
		}
	}
}

// LeaveEarly reads one document of a part, and checks that the server stops sending the others.
func LeaveEarly(t *testing.T, part source.Part, busy func() int) {
	t.Helper()
	for _, err := range part.Documents(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	Eventually(t, "nothing runs", func() bool { return busy() == 0 })
}

// ReadSlowly pauses for the given time after some documents of a part, and checks that all rows come.
func ReadSlowly(t *testing.T, part source.Part, rows int, pause time.Duration) {
	t.Helper()
	n := 0
	for _, err := range part.Documents(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 10 {
			since := time.Now()
			Eventually(t, "the pause is over", func() bool { return time.Since(since) > pause })
		}
	}
	if n != rows {
		t.Errorf("got %d rows", n)
	}
}

// Stalls checks that a part that waits for a lock, which lock acquires, ends once the server has sent nothing for the
// time limit, which is [Patience], and that its statement ends with it. In new sessions the limit expires after the
// statement that contains the text, encoded as it is sent.
func Stalls(t *testing.T, w Way, part source.Part, text string, idle func(source.Source) int, lock func(), busy func() int) {
	t.Helper()
	w.NoPauses()
	waits := make(chan struct{})
	*w.Dial = SilentAfter(*w.Dial, text, waits)
	idle(w.Source)
	lock()
	done := make(chan error, 1)
	go func() { done <- Read(t.Context(), part).Err }() // ends with the time limit
	Eventually(t, "the table is waited for", func() bool { return busy() == 1 })
	close(waits)
	Refuse(t, <-done, nil, part.Scope()+": start reading: ", "the server has sent nothing for 3m0s, the stall timeout")
	Eventually(t, "no session waits for the table", func() bool { return busy() == 0 })
}
