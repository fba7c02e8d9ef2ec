package oracle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// TestReadingResumesAfterKeysOfEveryOrderedType repeatedly breaks the connection, for keys of all types with a
// reliable order: no row is missed or comes twice.
func TestReadingResumesAfterKeysOfEveryOrderedType(t *testing.T) {
	t.Parallel()
	const rows = 300
	db := newDB(t)
	keys := []struct{ columns, key, values string }{
		{`"K" NUMBER(10)`, `"K"`, "n - 150"},
		{`"K" NUMBER`, `"K"`, "(n - 150) / 8"},
		{`"K" NUMBER(38)`, `"K"`, "90071992547409930000 + n"},
		{`"K" VARCHAR2(40)`, `"K"`, "CASE MOD(n, 5) WHEN 0 THEN 'a' WHEN 1 THEN 'B' WHEN 2 THEN 'ä' WHEN 3 THEN 'Z' ELSE '_' END || n"},
		{`"K" DATE, "L" NUMBER(5)`, `"K", "L"`, "DATE '2024-01-01' + MOD(n, 50), n"},
		{`"K" TIMESTAMP(6)`, `"K"`, "TIMESTAMP '2024-01-01 00:00:00.000001' + n * INTERVAL '0.777777' SECOND"},
		{`"B" VARCHAR2(9), "A" NUMBER(5), "C" NUMBER(5)`, `"B", "A", "C"`, "'k' || MOD(n, 3), MOD(n, 50), n"},
	}
	for i, tt := range keys {
		table := fmt.Sprintf(`@."T%d"`, i)
		db.exec(fmt.Sprintf(`CREATE TABLE %s ("N" NUMBER(5), %s, "V" VARCHAR2(200), PRIMARY KEY (%s))`, table, tt.columns, tt.key))
		db.fill(table, rows, tt.values+", '"+strings.Repeat("x", 200)+"'")
		if n := db.number("SELECT COUNT(*) FROM " + table); n != rows {
			t.Fatalf("%s: %d rows", tt.columns, n)
		}
	}
	log := &sqltest.Logbook{}
	sqltest.Resumes(t, wayOf(openSource(t, db.values(map[string]any{"retry_count": 2}), log.Env())), log, rows, 60_000, func(s source.Source) int {
		return sqltest.LoseIdle[*session](s.(*database).Snapshots)
	})
}

// TestATableThatIsNotReadToItsEndFails checks that a table fails once no attempt is left.
func TestATableThatIsNotReadToItsEndFails(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec(`CREATE TABLE @."T" ("ID" NUMBER(10) PRIMARY KEY, "V" VARCHAR2(200))`, `CREATE TABLE @."F" ("ID" BINARY_FLOAT PRIMARY KEY, "V" VARCHAR2(200))`)
	for _, table := range []string{"T", "F"} {
		db.fill(fmt.Sprintf("@.%q", table), 500, "'"+strings.Repeat("x", 200)+"'")
	}
	for table, attempts := range map[string]int{"T": 1, "F": 5} { // reading does not resume after a binary fraction
		d := openSource(t, db.values(map[string]any{"retry_count": attempts}), source.Env{})
		pauses := wayOf(d).NoPauses()
		part := sqltest.Listed(t, d)[table]
		sqltest.LoseIdle[*session](d.Snapshots)
		wayOf(d).CutAfter(50_000)
		times, err := sqltest.ReadWith(t, part, nil)
		sqltest.Refuse(t, err, source.ErrTemporary, table+": read rows: ", "the connection was lost")
		if len(times) == 0 || len(times) == 500 || pauses.Load() != 0 {
			t.Errorf("%s: %d rows came, with %d pauses", table, len(times), pauses.Load())
		}
	}
}

// lostConn reports to its reader that the server has hung up, once it has.
type lostConn struct {
	net.Conn
	lost *atomic.Bool
}

func (c *lostConn) Read(b []byte) (int, error) {
	if c.lost.Load() {
		return 0, io.EOF
	}
	return c.Conn.Read(b)
}

// TestSessionsLostWhileIdle checks that lost sessions are skipped.
func TestSessionsLostWhileIdle(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.shared().Create(sqltest.IDs("a", 1), sqltest.IDs("b", 1))
	d := openSource(t, db.values(nil), source.Env{})
	lost := &atomic.Bool{}
	d.DialNet = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		return &lostConn{conn, lost}, err
	}
	sqltest.LostWhileIdle(t, d, func() {
		lost.Store(true)
		d.DialNet = dial
	})
}

// holdConn keeps incoming bytes from its reader once hold is set.
type holdConn struct {
	net.Conn
	hold    *atomic.Bool
	holding chan struct{}
}

func (c *holdConn) Read(b []byte) (int, error) {
	if !c.hold.Load() {
		return c.Conn.Read(b)
	}
	select {
	case c.holding <- struct{}{}:
	default:
	}
	discard := make([]byte, 1024) // a deadline and closing end the loop
	for {
		if _, err := c.Conn.Read(discard); err != nil {
			return 0, err
		}
	}
}

// silence makes the server silent once hold is set; holding reports when the reader waits for it.
func silence(d *database) (hold *atomic.Bool, holding chan struct{}) {
	hold, holding = &atomic.Bool{}, make(chan struct{}, 1)
	d.DialNet = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		return &holdConn{conn, hold, holding}, err
	}
	return hold, holding
}

// TestCancelEndsAtOnce cancels in different states of the server.
func TestCancelEndsAtOnce(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec(`CREATE TABLE @."T" ("ID" NUMBER(10) PRIMARY KEY)`)
	db.fill(`@."T"`, 500, "")
	d := openSource(t, db.values(nil), source.Env{})
	hold, holding := silence(d)
	part := sqltest.Listed(t, d)["T"]
	ctx, cancel := context.WithCancel(t.Context())
	hold.Store(true)
	ended := make(chan error, 1)
	go func() { ended <- sqltest.Read(ctx, part).Err }() // ends with the context
	<-holding
	start := time.Now()
	cancel()
	err := <-ended
	if took := time.Since(start); !errors.Is(err, context.Canceled) || took > sqltest.Patience {
		t.Errorf("after %v: %v", took, err)
	}
}

// TestStall checks that a server that falls silent ends the table after the time limit.
func TestStall(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec(`CREATE TABLE @."T" ("ID" NUMBER(10) PRIMARY KEY)`)
	db.fill(`@."T"`, 500, "")
	d := openSource(t, db.values(nil), source.Env{StallTimeout: sqltest.Patience})
	wayOf(d).NoPauses()
	hold, _ := silence(d)
	part := sqltest.Listed(t, d)["T"]
	hold.Store(true)
	d.Stall = 200 * time.Millisecond // of later sessions
	sqltest.LoseIdle[*session](d.Snapshots)
	sqltest.Refuse(t, sqltest.Read(t.Context(), part).Err, nil, "the server has sent nothing for 200ms, the stall timeout")
}
