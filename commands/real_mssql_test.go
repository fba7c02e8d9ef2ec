package commands_test

import (
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	_ "github.com/microsoft/go-mssqldb" // registers sqlserver

	"github.com/elastic-ingest/elastic-ingest/sources/mssql/mssqltest"
	"github.com/elastic-ingest/elastic-ingest/sources/mssql/tdstest"
)

// mssqlBench is a [bench] whose database is SQL Server if TEST_MSSQL_DSN is set, otherwise that of mssqltest.
type mssqlBench struct {
	*bench
	pool    *sql.DB
	url     *url.URL
	address string // the server's address for the connector
}

// newMSSQLBench creates a database, a read-only user, and an empty destination.
func newMSSQLBench(t *testing.T, elasticsearch string) *mssqlBench {
	t.Helper()
	b := &mssqlBench{bench: newBenchOf(t, elasticsearch)}
	name, dsn := b.database, os.Getenv("TEST_MSSQL_DSN")
	if dsn == "" {
		dsn = mssqltest.New(t, mssqltest.Config{Database: name, Encryption: tdstest.EncryptLogin}).DSN()
	}
	var err error
	if b.url, err = url.Parse(dsn); err != nil {
		t.Fatal(err)
	}
	if os.Getenv("TEST_MSSQL_DSN") != "" {
		admin := b.open("master")
		mustExec(t, admin, "CREATE DATABASE "+name, "ALTER DATABASE "+name+" SET ALLOW_SNAPSHOT_ISOLATION ON")
		t.Cleanup(func() {
			mustExec(t, admin, "ALTER DATABASE "+name+" SET SINGLE_USER WITH ROLLBACK IMMEDIATE", "DROP DATABASE "+name, "DROP LOGIN "+name)
		})
	}
	b.pool, b.address = b.open(name), b.url.Host
	b.exec(fmt.Sprintf("CREATE LOGIN %s WITH PASSWORD = '%s'\nGO\nCREATE USER %s FOR LOGIN %s\nGO\nGRANT SELECT ON SCHEMA::dbo TO %s", name, b.secret, name, name, name))
	return b
}

func (b *mssqlBench) open(database string) *sql.DB {
	b.t.Helper()
	u := *b.url
	query := u.Query()
	query.Set("database", database)
	u.RawQuery = query.Encode()
	pool, err := sql.Open("sqlserver", u.String())
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = pool.Close() })
	return pool
}

// configure writes the configuration, with more values of the source and keys for the connector.
func (b *mssqlBench) configure(values, more string) {
	b.t.Helper()
	b.writeServer("mssql", b.address, fmt.Sprintf("username: %s, database: %s, schema: dbo, %s", b.database, b.database, values), more)
}

// exec runs batches, which are separated by lines of GO, as the administrator.
func (b *mssqlBench) exec(batches string) {
	b.t.Helper()
	mustExec(b.t, b.pool, strings.Split(batches, "\nGO\n")...)
}

// tables are a, b, c and hidden with thirty rows each, and a view v of the rows of hidden.
func (b *mssqlBench) tables() string {
	var batches []string
	for _, table := range []string{"a", "b", "c", "hidden"} {
		batches = append(batches, fmt.Sprintf("CREATE TABLE %s (id int NOT NULL, v nvarchar(20), CONSTRAINT %[1]s_key PRIMARY KEY (id))", table), insertRows(table, 30, "'"+table+"'"))
	}
	return strings.Join(append(batches, "CREATE VIEW v AS SELECT id, v FROM hidden"), "\nGO\n")
}

// insertRows inserts rows with ids from 1 and one value, in batches that the server accepts.
func insertRows(table string, n int, value string) string {
	const most = 1000
	var batches []string
	for from := 1; from <= n; from += most {
		var rows []string
		for id := from; id <= min(n, from+most-1); id++ {
			rows = append(rows, fmt.Sprintf("(%d, %s)", id, value))
		}
		batches = append(batches, "INSERT INTO "+table+" VALUES "+strings.Join(rows, ", "))
	}
	return strings.Join(batches, "\nGO\n")
}
