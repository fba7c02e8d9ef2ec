package mssqltest_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	mssql "github.com/microsoft/go-mssqldb"

	"github.com/elastic-ingest/elastic-ingest/sources/mssql/mssqltest"
	"github.com/elastic-ingest/elastic-ingest/sources/mssql/tdstest"
)

// conn is one session.
type conn struct {
	t *testing.T
	*sql.Conn
}

// connect opens a session as a user.
func connect(t *testing.T, d *mssqltest.Server, user, password string) *conn {
	t.Helper()
	u, err := url.Parse(d.DSN())
	if err != nil {
		t.Fatal(err)
	}
	if user != "" {
		u.User = url.UserPassword(user, password)
	}
	db, err := sql.Open("sqlserver", u.String())
	if err != nil {
		t.Fatal(err)
	}
	c, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(); _ = db.Close() })
	return &conn{t: t, Conn: c}
}

func (c *conn) exec(statements string) {
	c.t.Helper()
	if _, err := c.ExecContext(c.t.Context(), statements); err != nil {
		c.t.Fatalf("%v in: %s", err, statements)
	}
}

// read returns the first column of all rows, as texts joined by blanks.
func (c *conn) read(query string, args ...any) (string, error) {
	rows, err := c.QueryContext(c.t.Context(), query, args...)
	if err != nil {
		return "", err
	}
	defer func() { _ = rows.Close() }()
	var all []string
	for rows.Next() {
		var v any
		if err := rows.Scan(&v); err != nil {
			return "", err
		}
		switch x := v.(type) {
		case []byte:
			v = string(x)
		case time.Time:
			v = x.Format("15:04:05.000")
		}
		all = append(all, fmt.Sprint(v))
	}
	return strings.Join(all, " "), rows.Err()
}

// want fails the test unless the query returns this.
func (c *conn) want(want, query string, args ...any) {
	c.t.Helper()
	got, err := c.read(query, args...)
	if err != nil || got != want {
		c.t.Errorf("%s: got %q, %v; want %q", query, got, err, want)
	}
}

// refused fails the test unless the statement fails with the error.
func (c *conn) refused(number int32, query string, args ...any) {
	c.t.Helper()
	_, err := c.read(query, args...)
	if got := numberOf(err); got != number {
		c.t.Errorf("%s: got %v, want error %d", query, err, number)
	}
}

func numberOf(err error) int32 {
	if e, ok := errors.AsType[mssql.Error](err); ok {
		return e.Number
	}
	return 0
}

// TestOrderOfTypes checks that values are sorted and compared as on SQL Server.
func TestOrderOfTypes(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		typ, values, want string
		after             any // the second value as a parameter; only the third must come after it
		bind              string
	}{
		"int":              {"int", "3, -5, 2", "-5 2 3", int64(2), "@p1"},
		"bigint":           {"bigint", "9007199254740993, 9007199254740992, -1", "-1 9007199254740992 9007199254740993", int64(9007199254740992), "@p1"},
		"decimal":          {"decimal(10,2)", "10, 9.5, -1", "-1.00 9.50 10.00", "9.50", "CONVERT(decimal(10, 2), @p1)"},
		"BIN2":             {"nvarchar(9) COLLATE Latin1_General_BIN2", "N'a', N'ž', N'B'", "B a ž", "a", "@p1"},
		"case-insensitive": {"nvarchar(9)", "N'b', N'A', N'C'", "A b C", "B", "@p1"},
		"blanks":           {"varchar(9)", "'b', 'a ', 'c'", "a  b c", "b   ", "@p1"},
		"binary":           {"varbinary(4)", "0xff, 0x00, 0x0102", "\x00 \x01\x02 \xff", []byte{1, 2}, "@p1"},
		"datetime":         {"datetime", "'2024-01-01T00:00:00.007', '2024-01-01T00:00:00.003', '2024-01-01T00:00:00.000'", "00:00:00.000 00:00:00.003 00:00:00.007", "2024-01-01 00:00:00.003", "CONVERT(datetime, @p1, 121)"},
		"time":             {"time(3)", "'23:00:00', '01:00:00', '02:00:00'", "01:00:00.000 02:00:00.000 23:00:00.000", "02:00:00", "CONVERT(time(3), @p1, 114)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := connect(t, mssqltest.New(t, mssqltest.Config{}), "", "")
			c.exec("CREATE TABLE t (k " + tt.typ + " PRIMARY KEY)")
			for v := range strings.SplitSeq(tt.values, ", ") {
				c.exec("INSERT INTO t VALUES (" + v + ")")
			}
			c.want(tt.want, "SELECT [k] FROM [dbo].[t] ORDER BY [k]")
			parts := strings.Split(tt.want, " ")
			c.want(parts[len(parts)-1], "SELECT [k] FROM [dbo].[t] WHERE [k] > "+tt.bind+" ORDER BY [k]", tt.after)
		})
	}
}

// TestOrderOfGUIDs has Microsoft's examples: the last group counts most, then the others from right to left, and in
// the first three the bytes from right to left.
func TestOrderOfGUIDs(t *testing.T) {
	t.Parallel()
	c := connect(t, mssqltest.New(t, mssqltest.Config{}), "", "")
	c.exec("CREATE TABLE t (k uniqueidentifier PRIMARY KEY, n int)")
	for n, digits := range []string{
		"01000000-0000-0000-0000-000000000000", "10000000-0000-0000-0000-000000000000", "00010000-0000-0000-0000-000000000000",
		"00000100-0000-0000-0000-000000000000", "00000001-0000-0000-0000-000000000000", "00000000-0100-0000-0000-000000000000",
		"00000000-0001-0000-0000-000000000000", "00000000-0000-0100-0000-000000000000", "00000000-0000-0001-0000-000000000000",
		"00000000-0000-0000-0001-000000000000", "00000000-0000-0000-0100-000000000000", "00000000-0000-0000-0000-000000000001",
		"00000000-0000-0000-0000-000000000100", "00000000-0000-0000-0000-010000000000",
	} {
		c.exec(fmt.Sprintf("INSERT INTO t VALUES ('%s', %d)", strings.ToUpper(digits), n))
	}
	c.want("0 1 2 3 4 5 6 7 8 9 10 11 12 13", "SELECT [n] FROM [dbo].[t] ORDER BY [k]")
	c.want("11 12 13", "SELECT [n] FROM [dbo].[t] WHERE [k] > CONVERT(uniqueidentifier, @p1) ORDER BY [k]", "00000000-0000-0000-0100-000000000000")
}

// TestSnapshots checks that a snapshot begins with the first statement that reads, hides rows of other sessions, and
// cannot read altered tables.
func TestSnapshots(t *testing.T) {
	t.Parallel()
	d := mssqltest.New(t, mssqltest.Config{})
	w, r := connect(t, d, "", ""), connect(t, d, "", "")
	w.exec("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY); INSERT INTO a VALUES (1); INSERT INTO b VALUES (1)")
	r.exec("SET TRANSACTION ISOLATION LEVEL SNAPSHOT")
	r.exec("BEGIN TRANSACTION")
	w.exec("INSERT INTO a VALUES (2)")
	r.want("1 2", "SELECT id FROM a")
	w.exec("INSERT INTO a VALUES (3); DELETE FROM b; INSERT INTO b VALUES (7)")
	r.want("1 2", "SELECT id FROM a")
	r.want("1", "SELECT id FROM b")
	r.exec("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
	r.want("1 2 3", "SELECT id FROM a")
	r.exec("SET TRANSACTION ISOLATION LEVEL SNAPSHOT")
	r.want("1 2", "SELECT id FROM a")
	r.want("1", "SELECT @@TRANCOUNT")
	w.exec("ALTER TABLE b ADD v int")
	r.refused(3961, "SELECT id FROM b")
	r.want("0", "SELECT @@TRANCOUNT")
	r.want("7", "SELECT id FROM b")

	w.exec("BEGIN TRANSACTION; INSERT INTO a VALUES (4)")
	r.exec("BEGIN TRANSACTION")
	r.want("1 2 3", "SELECT id FROM a")
	w.exec("COMMIT")
	r.want("1 2 3", "SELECT id FROM a")
	r.exec("ROLLBACK")
	r.want("1 2 3 4", "SELECT id FROM a")
	r.exec("SET TRANSACTION ISOLATION LEVEL READ COMMITTED; BEGIN TRANSACTION")
	r.refused(3951, "SET TRANSACTION ISOLATION LEVEL SNAPSHOT")

	n := connect(t, mssqltest.New(t, mssqltest.Config{NoSnapshots: true}), "", "")
	n.exec("CREATE TABLE a (id int PRIMARY KEY); SET TRANSACTION ISOLATION LEVEL SNAPSHOT; BEGIN TRANSACTION")
	n.refused(3952, "SELECT id FROM a")
}

// TestLocks checks that a reader without a snapshot waits for a writer, and any reader waits for a session that
// alters the table.
func TestLocks(t *testing.T) {
	t.Parallel()
	d := mssqltest.New(t, mssqltest.Config{})
	w, r := connect(t, d, "", ""), connect(t, d, "", "")
	w.exec("CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1)")
	r.exec("SET LOCK_TIMEOUT 50")
	w.exec("BEGIN TRANSACTION; INSERT INTO a VALUES (2)")
	r.refused(1222, "SELECT id FROM a")
	r.refused(1222, "SELECT id FROM a WHERE id > @p1", 0)
	r.exec("SET LOCK_TIMEOUT -1")
	got := make(chan string, 1)
	go func() { // ends when the lock is released
		all, err := r.read("SELECT id FROM a")
		got <- fmt.Sprint(all, err)
	}()
	w.exec("ROLLBACK")
	if g := <-got; g != "1<nil>" {
		t.Errorf("got %s", g)
	}
	r.exec("SET LOCK_TIMEOUT 0; SET TRANSACTION ISOLATION LEVEL SNAPSHOT; BEGIN TRANSACTION")
	w.exec("BEGIN TRANSACTION; INSERT INTO a VALUES (2)")
	r.want("1", "SELECT id FROM a")
	w.exec("ALTER TABLE a ADD v int")
	r.refused(1222, "SELECT id FROM a")

	// A session that ends releases its locks, and a session that stops waiting does not hang.
	r.exec("ROLLBACK; SET LOCK_TIMEOUT -1")
	ctx, cancel := context.WithCancel(t.Context())
	defer time.AfterFunc(50*time.Millisecond, cancel).Stop()
	if _, err := r.ExecContext(ctx, "SELECT id FROM a"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	d.TDS().Kill(1)
	r.want("1", "SELECT id FROM a")
}

// TestVersionsOfStatements checks that with row versions, a reader without a snapshot sees committed rows, and does
// not wait for writers.
func TestVersionsOfStatements(t *testing.T) {
	t.Parallel()
	d := mssqltest.New(t, mssqltest.Config{})
	w, r := connect(t, d, "", ""), connect(t, d, "", "")
	w.exec("CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1); ALTER DATABASE shop SET READ_COMMITTED_SNAPSHOT ON WITH ROLLBACK IMMEDIATE")
	w.exec("BEGIN TRANSACTION; INSERT INTO a VALUES (2)")
	r.exec("SET LOCK_TIMEOUT 0")
	r.want("1", "SELECT id FROM a")
	w.exec("ALTER TABLE a ADD v int")
	r.refused(1222, "SELECT id FROM a")
	w.exec("COMMIT")
	r.want("1 2", "SELECT id FROM a")
}

// TestStructure creates, changes and drops objects.
func TestStructure(t *testing.T) {
	t.Parallel()
	c := connect(t, mssqltest.New(t, mssqltest.Config{}), "", "")
	c.exec("CREATE TABLE a (id int NOT NULL, v nvarchar(9), w AS (CONVERT(tinyint, id)), CONSTRAINT pk PRIMARY KEY CLUSTERED (id)); INSERT INTO a VALUES (1, N'x'), (2, NULL)")
	c.want("1 2", "SELECT w FROM a")
	c.refused(2628, "INSERT INTO a VALUES (3, N'more than nine')")
	c.refused(213, "INSERT INTO a VALUES (3)")
	c.exec("ALTER TABLE a DROP CONSTRAINT pk; INSERT INTO a (id, v) VALUES (1, N'y'); UPDATE a SET v = CONCAT('z', v) WHERE id = 1")
	c.want("zx zy", "SELECT v FROM a WHERE v > N'' ORDER BY v")
	c.exec("CREATE TABLE b (id int PRIMARY KEY); ALTER TABLE a ADD CONSTRAINT fk FOREIGN KEY (id) REFERENCES b (id) ON DELETE NO ACTION")
	c.exec("CREATE VIEW v AS SELECT id FROM a WHERE id > 1; EXEC sp_rename 'a', 'c'")
	c.refused(4413, "SELECT * FROM v")
	c.exec("EXEC sp_rename 'c', 'a'")
	c.want("2", "SELECT * FROM v")
	c.want("3", "SELECT COUNT_BIG(*) FROM a")
	c.exec("DELETE FROM a WHERE id = 1 OR id > 1 AND (id <= 2 OR id <> 2); DROP TABLE a")
	c.refused(208, "SELECT id FROM a")
}

// TestConversions covers the uses of CONVERT that the source relies on, and the values that they refuse.
func TestConversions(t *testing.T) {
	t.Parallel()
	c := connect(t, mssqltest.New(t, mssqltest.Config{}), "", "")
	for query, want := range map[string]string{
		"CONVERT(nvarchar(30), CONVERT(datetime, '2024-01-02 03:04:05.006', 121), 121)":           "2024-01-02 03:04:05.007",
		"CONVERT(nvarchar(40), CONVERT(datetimeoffset(1), '2024-01-02 03:04:05.16 +02:00'))":      "2024-01-02 03:04:05.2 +02:00",
		"CONVERT(nvarchar(40), CONVERT(datetimeoffset(0), '2024-01-02T03:04:05+00:00'))":          "2024-01-02 03:04:05 +00:00",
		"CONVERT(nvarchar(30), CONVERT(date, '2024-02-29'), 23)":                                  "2024-02-29",
		"CONVERT(nvarchar(30), CONVERT(time(3), '03:04:05.1236'), 121)":                           "03:04:05.124",
		"CONVERT(nvarchar(30), CONVERT(money, '1.23456'), 2)":                                     "1.2346",
		"CONVERT(nvarchar(30), CONVERT(float, '0.1'), 3)":                                         "1.0000000000000001e-001",
		"CONVERT(nvarchar(30), 0x00ff, 2)":                                                        "00FF",
		"CONVERT(nvarchar(3), N'žluť')":                                                           "žlu",
		"CONVERT(varchar(36), CONVERT(uniqueidentifier, '0e984725-c51c-4bf4-9960-e1c80e27aba0'))": "0E984725-C51C-4BF4-9960-E1C80E27ABA0",
		"CONVERT(decimal(5,1), '12.25')":                                                          "12.3",
		"CONVERT(bit, '2')":                                                                       "true",
	} {
		c.want(want, "SELECT "+query)
	}
	for _, query := range []string{"CONVERT(datetime, '2024-01-02 03:04:05.0066', 121)", "CONVERT(date, 'yesterday')", "CONVERT(int, 'x')", "CONVERT(uniqueidentifier, 'x')"} {
		c.refused(245, "SELECT "+query)
	}
}

// TestRights covers rights on tables, columns, schemas and the database.
func TestRights(t *testing.T) {
	t.Parallel()
	d := mssqltest.New(t, mssqltest.Config{})
	c := connect(t, d, "", "")
	c.exec("CREATE TABLE a (id int PRIMARY KEY, v int); CREATE VIEW w AS SELECT id FROM a; INSERT INTO a VALUES (1, 2); CREATE LOGIN u WITH PASSWORD = 'p@ss/w:rd%'; CREATE USER u FOR LOGIN u")
	r := connect(t, d, "u", "p@ss/w:rd%")
	r.refused(208, "SELECT id FROM nosuch")
	r.refused(229, "SELECT id FROM a")
	c.exec("GRANT SELECT ON a (id) TO u")
	r.want("1", "SELECT id FROM a")
	r.refused(230, "SELECT v FROM a")
	r.refused(230, "SELECT * FROM a")
	r.refused(229, "SELECT id FROM w")
	c.exec("REVOKE SELECT ON a FROM u; GRANT SELECT ON w TO u")
	r.refused(229, "SELECT id FROM a")
	r.want("1", "SELECT id FROM w")
	c.exec("GRANT SELECT ON SCHEMA::dbo TO u")
	r.want("2", "SELECT v FROM a")
	c.exec("DENY SELECT ON a TO u")
	r.refused(229, "SELECT id FROM a")
	c.exec("REVOKE SELECT ON a FROM u")
	r.want("1", "SELECT id FROM a")
	c.exec("REVOKE SELECT ON SCHEMA::dbo FROM u")
	r.refused(229, "SELECT id FROM a")
	r.refused(262, "DROP TABLE a")
}

// TestBreaks checks each fault of a user's reading statement once.
func TestBreaks(t *testing.T) {
	t.Parallel()
	d := mssqltest.New(t, mssqltest.Config{})
	c := connect(t, d, "", "")
	c.exec("CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1), (2), (3); CREATE LOGIN u WITH PASSWORD = 'x'; CREATE USER u; GRANT SELECT ON a TO u")
	r := connect(t, d, "u", "x")
	r.exec("SET TRANSACTION ISOLATION LEVEL SNAPSHOT; BEGIN TRANSACTION")
	d.Break(mssqltest.Break{Table: "a", After: 2, Error: &tdstest.Message{Number: 1205, Class: 13, Text: "deadlock"}, Rollback: true})
	c.want("1 2 3", "SELECT id FROM a")
	r.refused(1205, "SELECT id FROM a")
	r.want("0", "SELECT @@TRANCOUNT")
	r.want("1 2 3", "SELECT id FROM a")
	d.Break(mssqltest.Break{Table: "a", After: 1, Fault: tdstest.Fault{Cut: true}})
	if got, err := r.read("SELECT id FROM a"); err == nil {
		t.Errorf("got %q although the connection was cut", got)
	}
}

// recorder is a test that records its failure instead of failing.
type recorder struct {
	testing.TB
	failed  chan string
	cleanup []func()
}

func (r *recorder) Cleanup(f func())                  { r.cleanup = append(r.cleanup, f) }
func (r *recorder) Errorf(format string, args ...any) { r.failed <- fmt.Sprintf(format, args...) }

// TestUnknownStatementsFailTheTest, unless they have a fixture.
func TestUnknownStatementsFailTheTest(t *testing.T) {
	t.Parallel()
	rec := &recorder{TB: t, failed: make(chan string, 4)}
	d := mssqltest.New(rec, mssqltest.Config{})
	defer rec.cleanup[0]()
	const query = "SELECT id FROM a JOIN b ON 1 = 1"
	c := connect(t, d, "", "")
	c.refused(102, query)
	if got := <-rec.failed; !strings.Contains(got, query) {
		t.Errorf("the test failed with %s", got)
	}
	d.Fixture(query, "id int", "(7), (8)")
	c.want("7 8", query)
	if d := cmp.Diff(0, len(rec.failed)); d != "" {
		t.Error(d)
	}
}
