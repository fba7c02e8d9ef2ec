package mssql

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
	"github.com/elastic-ingest/elastic-ingest/sources/mssql/mssqltest"
	"github.com/elastic-ingest/elastic-ingest/sources/mssql/tdstest"
)

// guid is an identifier whose bytes have no order.
func guid(n int) string {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	return fmt.Sprintf("'%08X-%04X-%04X-%04X-%012X'", r.Uint32(), r.IntN(1<<16), r.IntN(1<<16), r.IntN(1<<16), r.Uint64()>>16)
}

// at is the time a number of units after the beginning of 2024.
func at(form string, unit time.Duration, n int) string {
	return "'" + time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(n)*unit).Format(form) + "'"
}

// keyed is a table with other key columns than its neighbors.
type keyed struct {
	columns, key string
	values       func(n int) string // of the columns, in the row of a number
}

// keyed creates the tables t0, t1 and so on.
func (db *testDB) keyed(rows int, tables []keyed) {
	db.t.Helper()
	for i, tt := range tables {
		table := fmt.Sprintf("t%d", i)
		db.exec(fmt.Sprintf("CREATE TABLE %s (n int, %s, v nvarchar(200), PRIMARY KEY (%s))", table, tt.columns, tt.key))
		db.fill(table, rows, func(n int) string { return fmt.Sprintf("%d, %s, N'%s'", n, tt.values(n), strings.Repeat("x", 100)) })
	}
}

// TestReadingResumesAfterKeysOfEveryOrderedType repeatedly breaks the connection, for keys of all types with a
// reliable order: no row is missed or comes twice. Only a real server sorts texts by the rules of a language.
func TestReadingResumesAfterKeysOfEveryOrderedType(t *testing.T) {
	t.Parallel()
	const rows = 600
	db := newDB(t)
	db.keyed(rows, []keyed{
		{"k int", "k", func(n int) string { return fmt.Sprint(n - 300) }},
		{"k bigint", "k", func(n int) string { return fmt.Sprint(int64(n%2*2-1)*9007199254740993 + int64(n)) }},
		{"k smallint, l tinyint", "k, l", func(n int) string { return fmt.Sprintf("%d, %d", n/200-2, n%200) }},
		{"k decimal(20,10)", "k", func(n int) string { return fmt.Sprintf("%d.%010d", n-300, n*1234567) }},
		{"k numeric(38,0)", "k", func(n int) string { return fmt.Sprintf("99999999999999999999999999999999999%03d", n) }},
		{"k money", "k", func(n int) string { return fmt.Sprintf("%d.%04d", n-300, n) }},
		{"k nvarchar(40) COLLATE Latin1_General_BIN2", "k", func(n int) string {
			return fmt.Sprintf("N'%s%d'", []string{"a", "B", "ä", "Z", "😀"}[n%5], n)
		}},
		{"k nvarchar(40)", "k", func(n int) string { return fmt.Sprintf("N'%s%d'", []string{"a", "B", "č", "Z", "_"}[n%5], n) }},
		{"k varchar(40)", "k", func(n int) string { return fmt.Sprintf("'%s%d'", []string{"a", "B", "é", "Z", "_ "}[n%5], n) }},
		{"k char(12)", "k", func(n int) string { return fmt.Sprintf("'%s%d'", []string{"a", "B", "é", ""}[n%4], n) }},
		{"k varchar(40) COLLATE Latin1_General_100_BIN2_UTF8", "k", func(n int) string {
			return fmt.Sprintf("N'%s%d'", []string{"a", "ž", "ť"}[n%3], n)
		}},
		{"k varchar(40) COLLATE Czech_CI_AS", "k", func(n int) string { return fmt.Sprintf("N'%s%d'", []string{"a", "ž", "ť"}[n%3], n) }},
		{"k varbinary(40)", "k", func(n int) string { return fmt.Sprintf("0x%04xff", n*37%65536) }},
		{"k binary(8)", "k", func(n int) string { return fmt.Sprintf("0x00ff%08x", n*7919) }},
		{"k date, l smallint", "k, l", func(n int) string { return at(time.DateOnly, 24*time.Hour, n%50) + fmt.Sprintf(", %d", n) }},
		{"k datetime", "k", func(n int) string { return at("2006-01-02T15:04:05.000", time.Second/300+time.Nanosecond, n) }},
		{"k smalldatetime", "k", func(n int) string { return at("2006-01-02T15:04:05", time.Minute, n) }},
		{"k datetime2(7)", "k", func(n int) string { return at("2006-01-02T15:04:05.0000000", 777_777_700*time.Nanosecond, n) }},
		{"k datetimeoffset(3)", "k", func(n int) string {
			return strings.TrimSuffix(at("2006-01-02T15:04:05.000", 777*time.Millisecond, n), "'") + fmt.Sprintf("%+03d:30'", n%10)
		}},
		{"k time(7)", "k", func(n int) string { return at("15:04:05.0000000", 123_456_789_100*time.Nanosecond, n) }},
		{"k uniqueidentifier", "k", guid},
		{"k bit, l uniqueidentifier", "k, l", func(n int) string { return fmt.Sprintf("%d, %s", n%2, guid(n)) }},
		{"b nvarchar(9), a int, c tinyint", "b, a, c", func(n int) string { return fmt.Sprintf("N'%d', %d, %d", n%3, n%50, n%4+n/150*4) }},
	})
	log := &sqltest.Logbook{}
	sqltest.Resumes(t, wayOf(openSource(t, db.values(map[string]any{"retry_count": 2}), log.Env())), log, rows, 70_000, idleIn)
}

// TestALossAtAnyRowSkipsAndRepeatsNone breaks the connection anywhere and in several ways: no row is missed or comes
// twice. The random seed decides how. It runs on the server of mssqltest, which breaks on demand.
func TestALossAtAnyRowSkipsAndRepeatsNone(t *testing.T) {
	t.Parallel()
	const rows = 60
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			db := newDBHere(t, mssqltest.Config{Encryption: tdstest.EncryptLogin})
			db.exec("CREATE TABLE t (a nvarchar(9), b int, v nvarchar(max), PRIMARY KEY (a, b))")
			db.fill("t", rows, func(n int) string { return fmt.Sprintf("N'%c', %d, N'%s'", 'a'+n%5, n, strings.Repeat("x", 50)) })
			_, values := db.user()
			values["retry_count"] = 2
			r := rand.New(rand.NewPCG(seed, seed))
			d := openSource(t, values, source.Env{})
			wayOf(d).NoPauses()
			for after := range rows {
				part := sqltest.Listed(t, d)["dbo.t"] // reads a row, to take the snapshot
				b := mssqltest.Break{Table: "t", After: after}
				switch r.IntN(5) {
				case 0:
					b.Fault.Cut = true
				case 1:
					b.After, b.Fault.CutBytes = rows, 100*(after+1) // a row has more bytes
				case 2:
					b.Fault.Wire = []byte("\xff\x00nothing that means anything")
				case 3:
					b.Error, b.Rollback = &tdstest.Message{Number: 1205, Class: 13, Text: "chosen as the deadlock victim"}, true
				case 4:
					b.Error = &tdstest.Message{Number: 596, Class: 21, Text: "the session is in the kill state"}
				}
				db.here.Break(b)
				times, err := sqltest.ReadWith(t, part, nil)
				if err != nil {
					t.Errorf("after %d rows, %+v: %v", after, b, err)
				}
				if sqltest.Once(t, times, rows); t.Failed() {
					t.Fatalf("it broke after %d rows by %+v, %+v", after, b.Fault, b.Error)
				}
			}
		})
	}
}

// TestErrorsThatPass has the server end a statement, after which reading resumes after the last row. It runs on the
// server of mssqltest, which ends statements on demand.
func TestErrorsThatPass(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		number   int32
		rollback bool
		passes   bool
	}{
		"deadlock": {1205, true, true}, "lock time-out": {1222, false, true}, "conflict of a snapshot": {3960, true, true},
		"Azure moves the database": {40613, false, true}, "arithmetic": {8134, false, false}, "column": {207, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := newDBHere(t, mssqltest.Config{})
			db.exec("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1), (2), (3), (4)")
			_, values := db.user()
			values["retry_count"] = 2
			log := &sqltest.Logbook{}
			d := openSource(t, values, log.Env())
			wayOf(d).NoPauses()
			part := sqltest.Listed(t, d)["dbo.t"]
			db.here.Break(mssqltest.Break{Table: "t", After: 2, Rollback: tt.rollback, Error: &tdstest.Message{Number: tt.number, Text: "something passed"}})
			times, err := sqltest.ReadWith(t, part, nil)
			if tt.passes {
				if err != nil {
					t.Error(err)
				}
				sqltest.Once(t, times, 4)
				// If the transaction has ended, its snapshot has ended as well.
				if apart := strings.Contains(log.String(), "from a later snapshot"); apart != tt.rollback {
					t.Errorf("logged %s", log)
				}
				return
			}
			if err == nil || errors.Is(err, source.ErrTemporary) || len(times) != 2 {
				t.Errorf("%d rows, %v", len(times), err)
			}
		})
	}
}

// TestALossEndsATableWithoutAKeyOrder has key types without a reliable equality: every row comes once, in one
// statement, and a loss ends the table.
func TestALossEndsATableWithoutAKeyOrder(t *testing.T) {
	t.Parallel()
	const rows = 600
	db := newDB(t)
	db.keyed(rows, []keyed{
		{"k float", "k", func(n int) string { return fmt.Sprintf("%.17e", float64(n)/7) }},
		{"k real", "k", func(n int) string { return fmt.Sprintf("%de-1", n) }},
		{"k sql_variant, l int", "k, l", func(n int) string {
			if n%2 == 0 {
				return fmt.Sprintf("%d, %d", n, n)
			}
			return fmt.Sprintf("N'x%d', %d", n, n)
		}},
	})
	sqltest.EveryRowOnce(t, openSource(t, db.values(nil), source.Env{}), rows)
	d := openSource(t, db.values(map[string]any{"retry_count": 5, "tables": "t0"}), source.Env{})
	part := sqltest.Listed(t, d)["dbo.t0"]
	idleIn(d)
	sqltest.LossEndsTheTable(t, wayOf(d), part, 70_000)
}

// lossRows of 3.8 KB each are more than the socket buffers of both sides hold.
const lossRows = 4_000

func lossDB(t *testing.T, db *testDB) (user string, values map[string]any) {
	t.Helper()
	db.exec("CREATE TABLE t (id int PRIMARY KEY, v nvarchar(max))")
	db.fill("t", lossRows, func(n int) string { return fmt.Sprintf("%d, REPLICATE(N'x', 1900)", n) })
	user, values = db.user()
	values["retry_count"] = 3
	return user, values
}

// TestLossesOfTheServer has the server end the session that reads.
func TestLossesOfTheServer(t *testing.T) {
	t.Parallel()
	on := func(t *testing.T, test func(t *testing.T, db *testDB)) { t.Helper(); test(t, newDB(t)) }
	sqltest.LossesOfTheServer(t, on, func(t *testing.T, db *testDB, set map[string]any) (string, sqltest.Way) {
		t.Helper()
		user, values := lossDB(t, db)
		return user, wayOf(openSource(t, sqltest.Changed(values, set), source.Env{}))
	}, lossRows, map[string]sqltest.ServerLoss[*testDB]{
		"the session that reads": {Lose: func(db *testDB, user string) { db.kill(user, true) }},
		"all sessions":           {Lose: func(db *testDB, user string) { db.kill(user, false) }},
		"no attempt is left":     {Set: map[string]any{"retry_count": 1}, Lose: func(db *testDB, user string) { db.kill(user, true) }, Kind: source.ErrTemporary, Says: "dbo.t: read rows: "},
		"altered during the run": {Lose: func(db *testDB, user string) { db.kill(user, false); db.exec("ALTER TABLE t ADD w int") }, Kind: source.ErrTemporary, Says: "the table was altered in the meantime"},
		"dropped during the run": {Lose: func(db *testDB, user string) { db.kill(user, false); db.exec("DROP TABLE t") }, Says: "does not exist, or the user has no privilege on it"},
		"rights are revoked as well": {Lose: func(db *testDB, user string) {
			db.kill(user, false)
			db.exec("DENY SELECT ON t TO "+user, "GRANT INSERT ON t TO "+user)
		}, Kind: source.ErrAuth, Says: "GRANT SELECT ON"},
	})
}

// TestSessionsLostWhileIdle checks that lost sessions are skipped, and reported once.
func TestSessionsLostWhileIdle(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.shared().Create(sqltest.IDs("a", 1), sqltest.IDs("b", 1))
	user, values := db.user()
	log := &sqltest.Logbook{}
	sqltest.LostWhileIdle(t, openSource(t, values, log.Env()), func() { db.kill(user, false) })
	if n := strings.Count(log.String(), "level=WARN"); n != 1 {
		t.Errorf("logged %s", log)
	}
}

// endless is a query whose first row never comes.
const endless = "SELECT a.id FROM t a CROSS JOIN t b CROSS JOIN t c CROSS JOIN t d WHERE a.id + b.id + c.id + d.id < 0"

// TestCancelEndsTheStatement includes a statement with nothing to send, for which the server would not notice a
// closed connection.
func TestCancelEndsTheStatement(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec("CREATE TABLE t (id int PRIMARY KEY)")
	db.fill("t", 1000, func(n int) string { return fmt.Sprint(n) })
	if db.here != nil {
		db.here.Endless(endless, "id int")
	}
	user, values := db.user()
	d := openSource(t, values, sqltest.RuleEnv(sqltest.QueryOf(endless, "t")))
	part := sqltest.List(t, d)[0]
	sqltest.CancelEndsTheStatement(t, d, part, func(busy bool) int { return len(db.sessions(user, busy)) })
}

// TestCancelAbandonsASilentServer checks that a server that does not confirm a cancellation is abandoned. The server of
// mssqltest reads the request, and its connection discards the responses.
func TestCancelAbandonsASilentServer(t *testing.T) {
	t.Parallel()
	db := newDBHere(t, mssqltest.Config{})
	db.exec("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
	d := openSource(t, db.values(nil), source.Env{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	deaf := &atomic.Bool{}
	d.DialNet = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		return &deafConn{Conn: conn, deaf: deaf, swallowed: cancel}, err
	}
	part := sqltest.Listed(t, d)["dbo.t"]
	deaf.Store(true)
	start := time.Now()
	err := sqltest.Read(ctx, part).Err
	if took := time.Since(start); !errors.Is(err, context.Canceled) || took > sqltest.Patience {
		t.Errorf("after %v: %v", took, err)
	}
}

// deafConn discards incoming bytes once deaf is set, and calls swallowed then.
type deafConn struct {
	net.Conn
	deaf      *atomic.Bool
	swallowed func()
}

func (c *deafConn) Read(b []byte) (int, error) {
	for {
		n, err := c.Conn.Read(b)
		if err != nil || !c.deaf.Load() {
			return n, err
		}
		c.swallowed()
	}
}

// TestLeavingEarlyEndsTheStatement checks that the statement ends without reading the remaining rows.
func TestLeavingEarlyEndsTheStatement(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	user, values := lossDB(t, db)
	d := openSource(t, values, source.Env{})
	sqltest.LeaveEarly(t, sqltest.Listed(t, d)["dbo.t"], func() int { return len(db.sessions(user, true)) })
}

// alteration locks the structure of a table in a transaction.
const alteration = "ALTER TABLE t ADD altered int"

// TestStall checks that a table that another session is altering ends after the time limit, and so does the statement
// that waited for it.
func TestStall(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
	user, values := db.user()
	d := openSource(t, values, source.Env{StallTimeout: sqltest.Patience})
	part := sqltest.Listed(t, d)["dbo.t"]
	columns := strings.Join(strings.Split("sys.columns", ""), "\x00") // encoded as sent; this query has to wait
	end := func(string) {}
	defer func() { end("ROLLBACK") }()
	sqltest.Stalls(t, wayOf(d), part, columns, idleIn, func() { end = db.transaction(alteration) }, func() int { return len(db.sessions(user, true)) })
}

// TestAReleasedLockLetsReadingContinue checks that the statement waits for a lock that is released in time.
func TestAReleasedLockLetsReadingContinue(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
	user, values := db.user()
	part := sqltest.Listed(t, openSource(t, values, source.Env{}))["dbo.t"]
	end := db.transaction(alteration)
	done := make(chan sqltest.Result, 1)
	go func() { done <- sqltest.Read(t.Context(), part) }() // ends when the lock is released
	sqltest.Eventually(t, "the table is waited for", func() bool { return len(db.sessions(user, true)) == 1 })
	end("ROLLBACK")
	if r := <-done; r.Err != nil || len(r.IDs) != 1 {
		t.Errorf("%+v", r)
	}
}

// TestSlowReadersLoseNothing checks that no statement ends because rows are read slowly.
func TestSlowReadersLoseNothing(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	_, values := lossDB(t, db)
	d := openSource(t, values, source.Env{StallTimeout: sqltest.Patience})
	sqltest.ReadSlowly(t, sqltest.Listed(t, d)["dbo.t"], lossRows, time.Second)
}
