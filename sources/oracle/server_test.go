package oracle

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	ora "github.com/sijms/go-ora/v2"
	"github.com/sijms/go-ora/v2/configurations"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/engine/testenv"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// The tests with a server are written for Oracle: TEST_ORACLE_DSN names a user who may create other users and use
// their tables, such as SYSTEM. Its stand-in (see testdata/services) is a different database that speaks Oracle's
// protocol. If it is used, TEST_ORACLE_POSTGRES_DSN names that database, and a test requests the features that it
// needs, or is skipped with the reason; see [testDB.needs].

const password = "p@ss/w:rd%"

// testDB is the user of one test, with the schema of that name.
type testDB struct {
	t       testing.TB
	config  *configurations.ConnectionConfig // of the user who may create others
	owner   string
	standIn bool
	pool    *sql.DB // of the user who may create others
}

// shared are the sessions in which all tests create their users and tables.
var shared = sync.OnceValue(func() *sql.DB { return sql.OpenDB(ora.NewConnector(os.Getenv("TEST_ORACLE_DSN"))) })

// newDB creates a user for the test.
func newDB(t testing.TB) *testDB {
	t.Helper()
	dsn := testenv.Required(t, "TEST_ORACLE_DSN")
	config, err := configurations.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("TEST_ORACLE_POSTGRES_DSN") != "" {
		alone(t)
	}
	db := &testDB{t: t, config: config, owner: "E_" + rand.Text()[:12], standIn: os.Getenv("TEST_ORACLE_POSTGRES_DSN") != "", pool: shared()}
	db.user(db.owner)
	return db
}

// alone waits until no other test uses the stand-in, in other packages as well, and reserves it until the test ends.
// A query of the stand-in's catalog fails if an object is dropped while it runs, and the stand-in uses only one
// processor.
func alone(t testing.TB) {
	t.Helper()
	conn := connectBelow(t)
	if _, err := conn.Exec(t.Context(), "SELECT pg_advisory_lock(1521)"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
}

// connectBelow connects to the database under the stand-in.
func connectBelow(t testing.TB) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(context.WithoutCancel(t.Context()), testenv.Required(t, "TEST_ORACLE_POSTGRES_DSN"))
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// user creates a user who may only have tables and views.
func (db *testDB) user(name string) {
	db.t.Helper()
	db.exec(fmt.Sprintf("CREATE USER %q IDENTIFIED BY %q", name, password), fmt.Sprintf("GRANT CREATE SESSION, CREATE TABLE, CREATE VIEW, UNLIMITED TABLESPACE TO %q", name))
	if db.standIn {
		db.below(fmt.Sprintf("CREATE SCHEMA %q", name))
	}
	db.t.Cleanup(func() {
		if db.standIn {
			db.below(fmt.Sprintf("DROP SCHEMA %q CASCADE", name))
		}
		sqltest.Eventually(db.t, "the user and its sessions have been dropped", func() bool { return db.try(fmt.Sprintf("DROP USER %q CASCADE", name)) == nil })
	})
}

// below runs a statement on the database under the stand-in.
func (db *testDB) below(statement string) {
	db.t.Helper()
	ctx := context.WithoutCancel(db.t.Context())
	conn := connectBelow(db.t)
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, statement); err != nil {
		db.t.Fatalf("%v in: %s", err, statement)
	}
}

// try runs a statement, in which @ before a dot stands for the schema of the test.
func (db *testDB) try(statement string) error {
	_, err := db.pool.ExecContext(context.WithoutCancel(db.t.Context()), strings.ReplaceAll(statement, "@.", fmt.Sprintf("%q.", db.owner)))
	return err
}

// exec runs statements, see [testDB.try].
func (db *testDB) exec(statements ...string) {
	db.t.Helper()
	for _, s := range statements {
		if err := db.try(s); err != nil {
			db.t.Fatalf("%v in: %s", err, s)
		}
	}
}

// needs runs a statement on which the test depends. If it fails, the test is skipped on a stand-in, and fails on
// Oracle.
func (db *testDB) needs(t testing.TB, what, statement string) {
	t.Helper()
	switch err := db.try(statement); {
	case err == nil:
	case db.standIn:
		t.Skipf("the stand-in for Oracle has no %s: %v", what, err)
	default:
		t.Fatalf("%v in: %s", err, statement)
	}
}

// fill inserts n rows into a table of a number and other columns: values are the values after the number, in which n
// is the number of the row.
func (db *testDB) fill(table string, n int, values string) {
	db.t.Helper()
	if values != "" {
		values = ", " + values
	}
	db.exec(fmt.Sprintf("INSERT INTO %s SELECT n%s FROM (SELECT LEVEL AS n FROM DUAL CONNECT BY LEVEL <= %d) x", table, values, n))
}

// number reads a number.
func (db *testDB) number(query string) (n int) {
	db.t.Helper()
	query = strings.ReplaceAll(query, "@.", fmt.Sprintf("%q.", db.owner))
	if err := db.pool.QueryRowContext(context.WithoutCancel(db.t.Context()), query).Scan(&n); err != nil {
		db.t.Fatalf("%v in: %s", err, query)
	}
	return n
}

// values is the configuration that reads the schema as its owner, with some keys changed.
func (db *testDB) values(change map[string]any) map[string]any {
	return sqltest.Changed(map[string]any{
		"host": db.config.Servers[0].Addr, "port": db.config.Servers[0].Port, "username": db.owner, "password": password,
		"connection_source": "service_name", "service_name": db.config.ServiceName, "retry_count": 1,
	}, change)
}

// openSource opens the source and closes it when the test ends.
func openSource(t testing.TB, raw map[string]any, env source.Env) *database {
	t.Helper()
	return sqltest.Open(t, &Type, raw, env).(*database)
}

// shared is the database for the shared cases. Names are in capitals, as in Oracle.
func (db *testDB) shared() *sqltest.DB {
	capitals := func(name string) string {
		if strings.ContainsAny(name, "./") {
			return name // was in quotes
		}
		return strings.ToUpper(name)
	}
	return &sqltest.DB{
		Type: &Type, Types: map[string]string{sqltest.Int: "NUMBER(10)", sqltest.Text: "VARCHAR2(20)"},
		Open: func(change map[string]any, env source.Env) source.Source {
			return openSource(db.t, db.values(change), env)
		},
		Exec:  db.exec,
		Ident: func(name string) string { return quote.Ident(capitals(name)) },
		Table: func(name string) string { return "@." + quote.Ident(capitals(name)) },
		Scope: func(table string) string { return quote.Dotted(capitals(table)) },
		Field: func(table, column string) string { return strings.ToLower(table + "_" + column) },
		ID: func(table string, key ...string) string {
			return db.config.ServiceName + "_" + capitals(table) + "_" + strings.Join(append(key, ""), "_")
		},
	}
}
