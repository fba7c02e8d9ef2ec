package mssql

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
	"github.com/elastic-ingest/elastic-ingest/sources/mssql/mssqltest"
	"github.com/elastic-ingest/elastic-ingest/sources/mssql/tdstest"
)

// onServer names a SQL Server, and a user with all privileges: sqlserver://sa:password@host:port. Without it, the
// same tests run on the database of mssqltest, which does not prove that SQL Server accepts the statements.
const onServer = "TEST_MSSQL_DSN"

// testDB is the database of one test.
type testDB struct {
	t    testing.TB
	url  *url.URL // of the user with all privileges
	name string
	pool *sql.DB
	here *mssqltest.Server // nil on a real server
}

// newDB creates a database in which snapshot isolation is allowed, and drops it when the test ends.
func newDB(t testing.TB) *testDB {
	t.Helper()
	dsn := os.Getenv(onServer)
	if dsn == "" {
		return newDBHere(t, mssqltest.Config{Encryption: tdstest.EncryptLogin})
	}
	db := &testDB{t: t, url: parseURL(t, dsn), name: "e_" + strings.ToLower(rand.Text()[:12])}
	admin := db.open("master")
	sqltest.MustExec(t, admin, "CREATE DATABASE "+db.name)
	sqltest.MustExec(t, admin, "ALTER DATABASE "+db.name+" SET ALLOW_SNAPSHOT_ISOLATION ON")
	t.Cleanup(func() {
		sqltest.MustExec(t, admin, "ALTER DATABASE "+db.name+" SET SINGLE_USER WITH ROLLBACK IMMEDIATE")
		sqltest.MustExec(t, admin, "DROP DATABASE "+db.name)
	})
	db.pool = db.open(db.name)
	return db
}

// newDBHere starts the database of mssqltest, for events that a real server does not cause on demand.
func newDBHere(t testing.TB, cfg mssqltest.Config) *testDB {
	t.Helper()
	cfg.Database = "shop"
	here := mssqltest.New(t, cfg)
	db := &testDB{t: t, url: parseURL(t, here.DSN()), name: cfg.Database, here: here}
	db.pool = db.open(db.name)
	return db
}

func parseURL(t testing.TB, dsn string) *url.URL {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// open opens a pool of sessions of the user with all privileges.
func (db *testDB) open(database string) *sql.DB {
	db.t.Helper()
	u := *db.url
	query := u.Query()
	query.Set("database", database)
	u.RawQuery = query.Encode()
	pool, err := sql.Open("sqlserver", u.String())
	if err != nil {
		db.t.Fatal(err)
	}
	db.t.Cleanup(func() { _ = pool.Close() })
	return pool
}

// exec runs SQL in the database. CREATE VIEW and CREATE SCHEMA must be the only statement.
func (db *testDB) exec(statements ...string) {
	db.t.Helper()
	for _, s := range statements {
		sqltest.MustExec(db.t, db.pool, s)
	}
}

// transaction runs statements in an open transaction of its own, until a call of end with COMMIT or ROLLBACK.
func (db *testDB) transaction(statements string) (end func(statement string)) {
	db.t.Helper()
	conn, err := db.pool.Conn(db.t.Context())
	if err != nil {
		db.t.Fatal(err)
	}
	run := func(ctx context.Context, statements string) {
		db.t.Helper()
		if _, err := conn.ExecContext(ctx, statements); err != nil {
			db.t.Fatal(err)
		}
	}
	run(db.t.Context(), "BEGIN TRANSACTION; "+statements)
	return func(statement string) {
		run(context.WithoutCancel(db.t.Context()), statement)
		_ = conn.Close()
	}
}

// fill inserts n rows into a table, as many per statement as the server accepts. values returns those of the row of a
// number, from 1.
func (db *testDB) fill(table string, n int, values func(n int) string) {
	db.t.Helper()
	const most = 1000
	for from := 1; from <= n; from += most {
		var rows []string
		for i := from; i <= min(n, from+most-1); i++ {
			rows = append(rows, "("+values(i)+")")
		}
		db.exec("INSERT INTO " + table + " VALUES " + strings.Join(rows, ", "))
	}
}

// odd is a password of characters with a special meaning elsewhere.
const odd = "P@ss/w:rd%1;='{}\" +&"

// reader creates a user without any privilege, and returns the configuration to read as that user.
func (db *testDB) reader() (user string, values map[string]any) {
	db.t.Helper()
	user = "e_" + strings.ToLower(rand.Text()[:12])
	db.login(user, odd)
	return user, db.values(map[string]any{"username": user, "password": odd})
}

func (db *testDB) login(user, password string) {
	db.t.Helper()
	name := quote.Ident(user)
	db.exec("CREATE LOGIN "+name+" WITH PASSWORD = '"+strings.ReplaceAll(password, "'", "''")+"'", "CREATE USER "+name+" FOR LOGIN "+name)
	db.t.Cleanup(func() {
		for _, id := range db.sessions(user, false) {
			_, _ = db.pool.ExecContext(context.Background(), fmt.Sprintf("KILL %d", id)) // it may have ended by now
		}
		db.exec("DROP USER "+name, "DROP LOGIN "+name)
	})
}

// user creates a user who may select from all tables of the schema dbo.
func (db *testDB) user() (user string, values map[string]any) {
	db.t.Helper()
	user, values = db.reader()
	db.exec("GRANT SELECT ON SCHEMA::dbo TO " + user)
	return user, values
}

// values is the configuration that reads the database as the user with all privileges, with some keys changed.
func (db *testDB) values(change map[string]any) map[string]any {
	n, _ := strconv.Atoi(db.url.Port())
	password, _ := db.url.User.Password()
	return sqltest.Changed(map[string]any{
		"host": db.url.Hostname(), "port": n, "database": db.name, "username": db.url.User.Username(), "password": password,
		"schema": "dbo", "retry_count": 1,
	}, change)
}

// openSource opens the source and closes it when the test ends.
func openSource(t testing.TB, raw map[string]any, env source.Env) *database {
	t.Helper()
	return sqltest.Open(t, &Type, raw, env).(*database)
}

// shared is the database for the shared cases.
func (db *testDB) shared() *sqltest.DB {
	return &sqltest.DB{
		Type: &Type, Types: map[string]string{sqltest.Text: "nvarchar(20)"}, Ident: quote.Ident,
		Table: func(name string) string { return quote.Table("dbo", name) },
		Text:  func(text string) string { return "N'" + strings.ReplaceAll(text, "'", "''") + "'" },
		Open: func(change map[string]any, env source.Env) source.Source {
			return openSource(db.t, db.values(change), env)
		},
		Exec:  db.exec,
		Scope: func(table string) string { return quote.Dotted("dbo", table) },
		Field: func(table, column string) string { return strings.ToLower("dbo_" + table + "_" + column) },
		ID: func(table string, key ...string) string {
			return db.name + "_dbo_" + table + "_" + strings.Join(key, "_")
		},
	}
}

// idleIn ends the unused sessions of a source, and counts them.
func idleIn(s source.Source) int { return sqltest.LoseIdle[*session](s.(*database).Snapshots) }

// sessions are the ids of a login's sessions; if busy is true, only of those that run a statement.
func (db *testDB) sessions(user string, busy bool) []int {
	db.t.Helper()
	only := 0
	if busy {
		only = 1
	}
	return sqltest.Numbers(db.t, db.pool, mssqltest.SessionsQuestion, user, only)
}

// kill ends the sessions of a login, or if busy is true only those that run a statement, and waits until they have
// ended.
func (db *testDB) kill(user string, busy bool) {
	db.t.Helper()
	ids := db.sessions(user, busy)
	if len(ids) == 0 {
		db.t.Error("there is no session to end")
	}
	for _, id := range ids {
		db.exec(fmt.Sprintf("KILL %d", id))
	}
	sqltest.Gone(db.t, ids, func() []int { return db.sessions(user, false) })
}

// TestStatementsAreKnown checks that the database of mssqltest answers every statement of the golden file, so that no
// test passes because a statement is never sent.
func TestStatementsAreKnown(t *testing.T) {
	t.Parallel()
	golden, err := os.ReadFile(statementsFile)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for s := range strings.SplitSeq(string(golden), "\nGO\n") {
		var lines []string
		for line := range strings.SplitSeq(s, "\n") {
			if !strings.HasPrefix(line, "--") {
				lines = append(lines, line)
			}
		}
		if s = strings.TrimSpace(strings.Join(lines, "\n")); s == "" {
			continue
		}
		n++
		if err := mssqltest.Understands(s); err != nil {
			t.Errorf("%v: %s", err, s)
		}
	}
	if n < 20 {
		t.Errorf("there are %d statements", n)
	}
}
