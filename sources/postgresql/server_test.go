package postgresql

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/engine/testenv"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// testDB is the database of one test.
type testDB struct {
	t      testing.TB
	config *pgx.ConnConfig // of the role that owns it
	name   string
}

// newDB creates a database, owned by the role of TEST_POSTGRES_DSN, and drops it when the test ends.
func newDB(t testing.TB) *testDB {
	t.Helper()
	return newDBOf(t, "")
}

// newDBOf is newDB with options of CREATE DATABASE.
func newDBOf(t testing.TB, options string) *testDB {
	t.Helper()
	config, err := pgx.ParseConfig(testenv.Required(t, "TEST_POSTGRES_DSN"))
	if err != nil {
		t.Fatal(err)
	}
	name := "e_" + strings.ToLower(rand.Text()[:12])
	adminExec(t, "", fmt.Sprintf("CREATE DATABASE %s OWNER %s %s", name, quote.Ident(config.User), options))
	t.Cleanup(func() { adminExec(t, "", "DROP DATABASE "+name+" WITH (FORCE)") })
	config.Database = name
	return &testDB{t: t, config: config, name: name}
}

// adminExec runs SQL as a superuser.
func adminExec(t testing.TB, database, sql string) {
	t.Helper()
	config, err := pgx.ParseConfig(testenv.Required(t, "TEST_POSTGRES_ADMIN_DSN"))
	if err != nil {
		t.Fatal(err)
	}
	if database != "" {
		config.Database = database
	}
	execAs(t, config, sql)
}

func execAs(t testing.TB, config *pgx.ConnConfig, sql string) {
	t.Helper()
	conn := dialAs(t, config)
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	if _, err := conn.PgConn().Exec(context.WithoutCancel(t.Context()), sql).ReadAll(); err != nil {
		t.Fatalf("%v in: %s", err, sql)
	}
}

func dialAs(t testing.TB, config *pgx.ConnConfig) *pgx.Conn {
	t.Helper()
	conn, err := pgx.ConnectConfig(context.WithoutCancel(t.Context()), config)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// exec runs SQL as the owner of the database.
func (db *testDB) exec(sql string) { db.t.Helper(); execAs(db.t, db.patient(), sql) }

// patient is the configuration of the tests' own connections: some tests set a statement limit for the role, which
// must not apply to them.
func (db *testDB) patient() *pgx.ConnConfig {
	config := db.config.Copy()
	config.RuntimeParams["statement_timeout"] = "0"
	return config
}

// session is a connection of the owner that stays open until the test ends.
func (db *testDB) session() *pgx.Conn {
	db.t.Helper()
	conn := dialAs(db.t, db.patient())
	db.t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// reader creates a role that may only connect, and returns the configuration to read as that role.
func (db *testDB) reader() (role string, values map[string]any) {
	db.t.Helper()
	role = "e_" + strings.ToLower(rand.Text()[:12])
	adminExec(db.t, "", fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD 'p@ss/w:rd%%'", role))
	db.t.Cleanup(func() {
		adminExec(db.t, db.name, "DROP OWNED BY "+role)
		adminExec(db.t, "", "DROP ROLE "+role)
	})
	return role, db.values(map[string]any{"username": role, "password": "p@ss/w:rd%"})
}

// values is the configuration that reads the database as its owner, with some keys changed.
func (db *testDB) values(change map[string]any) map[string]any {
	return valuesOf(db.config, db.name, change)
}

// valuesOf is the configuration that reads a database as the user of a DSN, with some keys changed.
func valuesOf(config *pgx.ConnConfig, database string, change map[string]any) map[string]any {
	return sqltest.Changed(map[string]any{
		"host": config.Host, "port": int(config.Port), "database": database, "schema": "public",
		"username": config.User, "password": config.Password, "retry_count": 1,
	}, change)
}

// openSource opens the source and closes it when the test ends.
func openSource(t testing.TB, raw map[string]any, env source.Env) *database {
	t.Helper()
	d := sqltest.Open(t, &Type, raw, env).(*database)
	d.driver.DialFunc = pgconn.DialFunc(sqltest.Narrow(sqltest.Dial(d.driver.DialFunc)))
	return d
}

// shared is the database for the shared cases.
func (db *testDB) shared() *sqltest.DB {
	return &sqltest.DB{
		Type: &Type, Ident: quote.Ident, Table: quote.Ident,
		Open: func(change map[string]any, env source.Env) source.Source {
			return openSource(db.t, db.values(change), env)
		},
		Exec:  func(statements ...string) { db.t.Helper(); db.exec(strings.Join(statements, "; ")) },
		Scope: func(table string) string { return quote.Dotted("public", table) },
		Field: func(table, column string) string { return strings.ToLower("public_" + table + "_" + column) },
		ID: func(table string, key ...string) string {
			return db.name + "_public_" + table + "_" + strings.Join(key, "_")
		},
	}
}
