package guard

import (
	"bufio"
	"bytes"
	"context"
	"database/sql/driver"
	_ "embed"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	ora "github.com/sijms/go-ora/v2"
)

// The tests replay a recorded session, see TestRecord, with a fault in it. The packets of the driver are read and
// ignored: the responses to a login do not depend on the values that the driver generates.

//go:embed testdata/session.txt
var recorded string

// sessionRows are the rows of the query in the session; the driver fetches them in four responses.
const (
	sessionRows  = 35
	sessionFetch = 10
	sessionQuery = `SELECT "ID", "NAME" FROM "GUARD" WHERE "ID" > :1 ORDER BY "ID"`
)

// step is one packet of a session.
type step struct {
	server []byte // nil if it is the driver's turn
}

// steps reads the recorded session.
func steps(t testing.TB) (all []step) {
	t.Helper()
	for line := range strings.Lines(recorded) {
		who, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch who {
		case "driver":
			all = append(all, step{})
		case "server":
			packet, err := hex.DecodeString(text)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, step{packet})
		case "#":
		default:
			t.Fatalf("a line that begins with %q", who)
		}
	}
	return all
}

// answers are the positions of the server's packets.
func answers(all []step) (places []int) {
	for i, s := range all {
		if s.server != nil {
			places = append(places, i)
		}
	}
	return places
}

// fault changes what the server does at a step; more is false if the server sends nothing more.
type fault func(place int, packet []byte) (instead []byte, more bool)

func none(_ int, packet []byte) ([]byte, bool) { return packet, true }

// silent keeps the connection open when the server sends nothing more.
type silent bool

// serve plays the server's part until the session ends or the driver hangs up.
func serve(socket net.Conn, all []step, f fault, quiet silent) {
	defer socket.Close()
	r := packetReader{bufio.NewReader(socket), &atomic.Bool{}}
	for i, s := range all {
		if s.server == nil {
			if _, err := r.next(); err != nil {
				return
			}
			continue
		}
		// Over a network, the goroutine that the driver starts with each call has begun before the response comes;
		// otherwise it would wait for a lock that a panic never releases.
		synctest.Wait()
		packet, more := f(i, s.server)
		if len(packet) > 0 {
			if _, err := socket.Write(packet); err != nil {
				return
			}
		}
		r.heard(packet)
		if !more {
			if quiet {
				_, _ = io.Copy(io.Discard, r.r)
			}
			return
		}
	}
	_, _ = io.Copy(io.Discard, r.r)
}

// packetReader cuts a stream into packets. Their length has 2 bytes, and 4 once the server accepted the
// protocol's version 315 or later.
type packetReader struct {
	r    *bufio.Reader
	wide *atomic.Bool // 4 bytes, in both directions
}

func (p *packetReader) heard(packet []byte) {
	const accept = 2
	if len(packet) >= 10 && packet[4] == accept {
		p.wide.Store(binary.BigEndian.Uint16(packet[8:]) >= 315)
	}
}

func (p *packetReader) next() ([]byte, error) {
	head := make([]byte, 8)
	if _, err := io.ReadFull(p.r, head); err != nil {
		return nil, err
	}
	length := int(binary.BigEndian.Uint16(head))
	if p.wide.Load() {
		length = int(binary.BigEndian.Uint32(head))
	}
	rest := make([]byte, max(0, length-len(head)))
	_, err := io.ReadFull(p.r, rest)
	return append(head, rest...), err
}

// dialerFunc is a function as a dialer of the driver.
type dialerFunc func(ctx context.Context, network, address string) (net.Conn, error)

func (f dialerFunc) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return f(ctx, network, address)
}

// connectorTo opens connections of the driver through the dialer.
func connectorTo(dsn string, dial dialerFunc) driver.Connector {
	c, ok := ora.NewConnector(dsn).(*ora.OracleConnector)
	if !ok {
		panic("the driver's connector has another type")
	}
	c.Dialer(dialerFunc(Dialer(dial)))
	return c
}

const (
	replayDSN = "oracle://ingest:ingest-secret@server:1521/ORCL?PREFETCH_ROWS=10&SERVER+LOCATION=UTC"
	limit     = 3 * time.Minute
)

// replay connects to a server that replays the session with a fault in it.
func replay(ctx context.Context, all []step, f fault, quiet silent) (driver.Conn, error) {
	c := connectorTo(replayDSN, func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go serve(theirs, all, f, quiet) // until either closes
		return ours, nil
	})
	return Connector(c, Limits{Login: limit, Call: limit}).Connect(ctx)
}

// run is the session: it sets an option, queries rows, and logs off. It returns the rows.
func run(ctx context.Context, c driver.Conn) (read []driver.Value, err error) {
	defer func() { err = errors.Join(err, c.Close()) }()
	able, ok := c.(interface {
		driver.ExecerContext
		driver.ConnPrepareContext
	})
	if !ok {
		return nil, errors.New("the connection cannot do what sources need")
	}
	if _, err := able.ExecContext(ctx, "ALTER SESSION SET NLS_SORT = BINARY", nil); err != nil {
		return nil, err
	}
	s, err := able.PrepareContext(ctx, sessionQuery)
	if err != nil {
		return nil, err
	}
	r, err := s.(driver.StmtQueryContext).QueryContext(ctx, []driver.NamedValue{{Ordinal: 1, Value: int64(0)}})
	if err != nil {
		return nil, err
	}
	row := make([]driver.Value, len(r.Columns()))
	for {
		switch err := r.Next(row); {
		case errors.Is(err, io.EOF):
			return read, errors.Join(r.Close(), s.Close())
		case err != nil:
			return read, errors.Join(err, r.Close())
		}
		read = append(read, slices.Clone(row)...)
	}
}

// replayed is the complete session with a fault in it.
func replayed(ctx context.Context, all []step, f fault, quiet silent) ([]driver.Value, error) {
	c, err := replay(ctx, all, f, quiet)
	if err != nil {
		return nil, err
	}
	return run(ctx, c)
}

// garbled has other bytes after the header of a packet.
func garbled(packet, body []byte) []byte {
	return slices.Concat(packet[:min(8, len(packet))], body)
}

// sized is a packet whose header states its length.
func sized(packet []byte, wide bool) []byte {
	packet = bytes.Clone(packet)
	if wide {
		binary.BigEndian.PutUint32(packet, uint32(len(packet)))
	} else {
		binary.BigEndian.PutUint16(packet, uint16(len(packet)))
	}
	return packet
}
