package mysql

import (
	"database/sql/driver"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// TestReadingResumesAfterKeysOfEveryOrderedType repeatedly breaks the connection, for keys of all types with a
// reliable order: no row is missed or comes twice.
func TestReadingResumesAfterKeysOfEveryOrderedType(t *testing.T) {
	t.Parallel()
	const rows = 600
	onBoth(t, func(t *testing.T, db *testDB) {
		for i, tt := range []struct{ columns, key, values string }{
			{"k int", "k", "n - 300"},
			{"k bigint unsigned", "k", "18446744073709551615 - n"},
			{"k bigint", "k", "9007199254740993 * IF(n % 2, 1, -1) + n"},
			{"k year, l mediumint", "k, l", "1970 + n % 60, n"},
			{"k decimal(20,10)", "k", "(n - 300) / 7"},
			{"k decimal(30,2) unsigned", "k", "9999999999999999999999999999.00 - n / 100"},
			{"k varchar(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci", "k", "CONCAT(ELT(n % 5 + 1, 'a', 'B', 'ä', 'Z', '_'), n)"},
			{"k varchar(40) CHARACTER SET latin1 COLLATE latin1_german2_ci", "k", "CONCAT(ELT(n % 5 + 1, 'é', 'E', 'ß', 'ss ', 'x'), n)"},
			{"k char(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci", "k", "CONCAT(ELT(n % 3 + 1, 'č', '😀', ''), n)"},
			{"k varbinary(40)", "k", "UNHEX(SHA1(n))"},
			{"k binary(20)", "k", "CONCAT(CHAR(0, 255), UNHEX(MD5(n)))"},
			{"k date, l smallint", "k, l", "DATE_ADD('2024-01-01', INTERVAL n % 50 DAY), n"},
			{"k datetime(6)", "k", "DATE_ADD('2024-01-01 00:00:00.000001', INTERVAL n * 777777 MICROSECOND)"},
			{"k timestamp(3)", "k", "DATE_ADD('2024-01-01 00:00:00', INTERVAL n MINUTE)"},
			{"k time(6)", "k", "SEC_TO_TIME((n - 300) * 1234.567891)"},
			{"b varchar(9), a int, c tinyint", "b, a, c", "n % 3, n % 50, n % 4 + n DIV 150 * 4"},
		} {
			table := fmt.Sprintf("t%d", i)
			db.exec(fmt.Sprintf("SET SESSION sql_mode = ''; CREATE TABLE %s (n int, %s, v varchar(200), PRIMARY KEY (%s))", table, tt.columns, tt.key))
			db.fill(table, rows, tt.values+", repeat('x', 100)")
			if n := db.number("SELECT COUNT(*) FROM " + table); n != rows {
				t.Fatalf("%s: %d rows", tt.columns, n)
			}
		}
		log := &sqltest.Logbook{}
		sqltest.Resumes(t, wayOf(openSource(t, db.values(map[string]any{"retry_count": 2}), log.Env())), log, rows, 20_000, idleIn)
	})
}

// TestALossEndsATableWithoutAKeyOrder has key types that are sorted and compared differently: every row comes once,
// in one statement, and a loss ends the table.
func TestALossEndsATableWithoutAKeyOrder(t *testing.T) {
	t.Parallel()
	const rows = 600
	onBoth(t, func(t *testing.T, db *testDB) {
		for i, tt := range []struct{ columns, key, values string }{
			{"k enum('b','a'), l int", "k, l", "IF(n % 2, 'a', 'b'), n"},
			{"k set('b','a'), l int", "k, l", "IF(n % 2, 'a', 'b'), n"},
			{"k float", "k", "n / 7"},
			{"k double", "k", "n / 7"},
			{"k bit(64)", "k", "n"},
		} {
			table := fmt.Sprintf("t%d", i)
			db.exec(fmt.Sprintf("CREATE TABLE %s (n int, %s, v varchar(200), PRIMARY KEY (%s))", table, tt.columns, tt.key))
			db.fill(table, rows, tt.values+", repeat('x', 100)")
		}
		sqltest.EveryRowOnce(t, openSource(t, db.values(nil), source.Env{}), rows)
		d := openSource(t, db.values(map[string]any{"retry_count": 5}), source.Env{})
		sqltest.LossEndsTheTable(t, wayOf(d), d.Part(relationOf("t0"), nil), 20_000)
	})
}

// TestDatesThatCannotBeComparedEndTheTable checks that such a date ends the table at a loss: as a parameter it would
// be NULL, and no row comes after NULL.
func TestDatesThatCannotBeComparedEndTheTable(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		db.exec("CREATE TABLE t (n int, d date, v varchar(200), PRIMARY KEY (d, n)); SET SESSION sql_mode = ''; INSERT INTO t VALUES (1, '2024-00-10', repeat('x', 100))")
		for n := 1; n < 512; n *= 2 {
			db.exec(fmt.Sprintf("SET SESSION sql_mode = ''; INSERT INTO t SELECT n + %d, d, v FROM t", n))
		}
		d := openSource(t, db.values(map[string]any{"retry_count": 5}), source.Env{})
		sqltest.LossEndsTheTable(t, wayOf(d), d.Part(relationOf("t"), nil), 20_000)
	})
}

// lossRows of 1.9 KB each are more than the socket buffers of both sides hold.
const lossRows = 8_000

func lossDB(t *testing.T, db *testDB) (user string, values map[string]any) {
	t.Helper()
	db.exec("CREATE TABLE t (id int PRIMARY KEY, v text)")
	db.fill("t", lossRows, "repeat('x', 1900)")
	user, values = db.user()
	values["retry_count"] = 3
	return user, values
}

// TestLossesOfTheServer has the server end the session, or the statement, that reads.
func TestLossesOfTheServer(t *testing.T) {
	t.Parallel()
	sqltest.LossesOfTheServer(t, onBoth, func(t *testing.T, db *testDB, set map[string]any) (string, sqltest.Way) {
		t.Helper()
		user, values := lossDB(t, db)
		return user, wayOf(openSource(t, sqltest.Changed(values, set), source.Env{}))
	}, lossRows, map[string]sqltest.ServerLoss[*testDB]{
		"the session that reads": {Lose: func(db *testDB, user string) { db.kill("KILL", user, true) }},
		"all sessions":           {Lose: func(db *testDB, user string) { db.kill("KILL", user, false) }},
		"no attempt is left":     {Set: map[string]any{"retry_count": 1}, Lose: func(db *testDB, user string) { db.kill("KILL", user, true) }, Kind: source.ErrTemporary, Says: "t: read rows: "},
		"canceled by a user":     {Lose: func(db *testDB, user string) { db.kill("KILL QUERY", user, true) }, Kind: source.ErrTemporary, Says: "1317"},
		"altered during the run": {Lose: func(db *testDB, user string) { db.kill("KILL", user, false); db.exec("ALTER TABLE t ADD COLUMN w int") }, Kind: source.ErrTemporary, Says: "the table was altered in the meantime"},
		"dropped during the run": {Lose: func(db *testDB, user string) { db.kill("KILL", user, false); db.exec("DROP TABLE t") }, Says: "doesn't exist"},
		"rights are revoked as well": {Lose: func(db *testDB, user string) {
			db.kill("KILL", user, false)
			db.exec("REVOKE SELECT ON " + db.name + ".* FROM " + user + "; GRANT INSERT ON " + db.name + ".t TO " + user)
		}, Kind: source.ErrAuth, Says: "GRANT SELECT ON"},
	})
}

// TestSessionsLostWhileIdle checks that lost sessions are skipped, and reported once.
func TestSessionsLostWhileIdle(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		db.shared().Create(sqltest.IDs("a", 1), sqltest.IDs("b", 1))
		user, values := db.user()
		log := &sqltest.Logbook{}
		sqltest.LostWhileIdle(t, openSource(t, values, log.Env()), func() { db.kill("KILL", user, false) })
		if n := strings.Count(log.String(), "level=WARN"); n != 1 {
			t.Errorf("logged %s", log)
		}
	})
}

// TestCancelEndsTheStatement includes a statement with nothing to send, for which the server would not notice a
// closed connection.
func TestCancelEndsTheStatement(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		db.exec("CREATE TABLE t (id int PRIMARY KEY)")
		db.fill("t", 1000, "")
		user, values := db.user()
		d := openSource(t, values, source.Env{AdvancedRules: []any{map[string]any{"tables": []any{"t"}, "query": "SELECT COUNT(*) AS id FROM t a, t b, t c, t d WHERE a.id + b.id + c.id + d.id < 0"}}})
		part := sqltest.Listed(t, d)["t"]
		sqltest.CancelEndsTheStatement(t, d, part, func(busy bool) int { return len(db.sessions(user, busy)) })
	})
}

// TestLeavingEarlyEndsTheStatement checks that the statement ends without reading the remaining rows.
func TestLeavingEarlyEndsTheStatement(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		user, values := lossDB(t, db)
		d := openSource(t, values, source.Env{})
		sqltest.LeaveEarly(t, sqltest.Listed(t, d)["t"], func() int { return len(db.sessions(user, true)) })
	})
}

// TestStall checks that a table locked by another session ends after the time limit, and so does the statement that
// waited for it.
func TestStall(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		db.exec("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
		user, values := db.user()
		d := openSource(t, values, source.Env{StallTimeout: sqltest.Patience})
		part := sqltest.Listed(t, d)["t"]
		conn, err := db.pool.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		sqltest.Stalls(t, wayOf(d), part, "`t`", idleIn, func() {
			if _, err := conn.ExecContext(t.Context(), "LOCK TABLES t WRITE"); err != nil {
				t.Fatal(err)
			}
		}, func() int { return len(db.sessions(user, true)) })
		if _, err := conn.ExecContext(t.Context(), "UNLOCK TABLES"); err != nil {
			t.Fatal(err)
		}
	})
}

// TestServerTimeLimitsDoNotMatter checks that a slow reader loses no rows.
func TestServerTimeLimitsDoNotMatter(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		_, values := lossDB(t, db)
		d := openSource(t, values, source.Env{StallTimeout: sqltest.Patience})
		sqltest.ReadSlowly(t, sqltest.Listed(t, d)["t"], lossRows, 1500*time.Millisecond) // the server's limit is shorter
		s, err := d.Connect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer s.HangUp()
		for _, limit := range []string{"net_write_timeout", "wait_timeout"} {
			var got string
			if err := s.Each(t.Context(), "SELECT @@session."+limit, nil, func(row []driver.Value) { got = sqlread.TextOf(row[0]) }); err != nil || got != "604800" {
				t.Errorf("%s is %s, %v", limit, got, err)
			}
		}
	})
}
