package commands_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/google/go-cmp/cmp"
)

// mysqlBench is a [bench] whose database is of MySQL or MariaDB.
type mysqlBench struct {
	*bench
	pool *sql.DB
}

// newMySQLBench makes a database, a user who may only read it, and an empty destination.
func newMySQLBench(t *testing.T, dsn, elasticsearch string) *mysqlBench {
	t.Helper()
	name := "e2e_" + strings.ToLower(rand.Text())[:12]
	b := &mysqlBench{bench: &bench{
		t: t, dir: t.TempDir(), database: name, index: strings.ReplaceAll(name, "_", "-"), destination: elasticsearch, secret: "canary-" + rand.Text(),
	}}
	if elasticsearch == "" {
		b.destination = "embedded:" + filepath.Join(b.dir, "data")
	} else {
		t.Cleanup(func() { b.call(http.MethodDelete, "/"+b.index, "") })
	}
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	config.MultiStatements = true
	admin := b.open(config)
	mysqlExec(t, admin, "CREATE DATABASE "+name+" CHARACTER SET utf8mb4")
	mysqlExec(t, admin, fmt.Sprintf("CREATE USER %s@'%%' IDENTIFIED BY '%s'; GRANT SELECT ON %s.* TO %s@'%%'", name, b.secret, name, name))
	t.Cleanup(func() { mysqlExec(t, admin, "DROP DATABASE "+name+"; DROP USER "+name+"@'%'") })
	config.DBName = name
	b.pool = b.open(config)
	b.configureMySQL(config.Addr)
	return b
}

func (b *mysqlBench) open(config *mysql.Config) *sql.DB {
	b.t.Helper()
	connector, err := mysql.NewConnector(config)
	if err != nil {
		b.t.Fatal(err)
	}
	pool := sql.OpenDB(connector)
	b.t.Cleanup(func() { _ = pool.Close() })
	return pool
}

func mysqlExec(t *testing.T, pool *sql.DB, statements string) {
	t.Helper()
	if _, err := pool.ExecContext(context.Background(), statements); err != nil {
		t.Fatalf("%v in: %.200s", err, statements)
	}
}

func (b *mysqlBench) configureMySQL(address string) {
	b.t.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		b.t.Fatal(err)
	}
	config := fmt.Sprintf(`
elasticsearch: {host: %q, max_wait_duration: 1, max_retries: 1, retry_interval: 1}
connectors:
  - name: shop
    service_type: mysql
    index_name: %s
    configuration: {host: %q, port: %s, user: %s, password: "${E2E_SECRET}", database: %s}
`, b.destination, b.index, host, port, b.database, b.database)
	if err := os.WriteFile(filepath.Join(b.dir, "config.yml"), []byte(config), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// TestChinookOfMySQL does with MySQL and MariaDB what [TestChinook] does with PostgreSQL, as a user who may
// do nothing but read.
func TestChinookOfMySQL(t *testing.T) {
	t.Parallel()
	script, err := os.ReadFile(filepath.Join(required(t, "TEST_CHINOOK_DIR"), "Chinook_MySql.sql"))
	if err != nil {
		t.Fatal(err)
	}
	_, tables, _ := strings.Cut(string(script), "CREATE TABLE")
	for name, variable := range map[string]string{"mysql": "TEST_MYSQL_DSN", "mariadb": "TEST_MARIADB_DSN"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := required(t, variable)
			destinations(t, func(t *testing.T, elasticsearch string) {
				b := newMySQLBench(t, dsn, elasticsearch)
				mysqlExec(t, b.pool, "CREATE TABLE"+tables)
				b.mirrorChinook()
			})
		})
	}
}

func (b *mysqlBench) mirrorChinook() {
	t := b.t
	t.Helper()
	var rows int64
	for _, table := range []string{"Album", "Artist", "Customer", "Employee", "Genre", "Invoice", "InvoiceLine", "MediaType", "Playlist", "PlaylistTrack", "Track"} {
		var n int64
		if err := b.pool.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
			t.Fatal(err)
		}
		rows += n
	}
	if res := b.must(0, "sync"); res.Created != rows || rows < 15_000 {
		t.Fatalf("%+v, the database has %d rows", res, rows)
	}
	if res := b.must(0, "sync"); res != (result{Kept: rows}) {
		t.Fatalf("second sync: %+v", res)
	}
	if res := b.must(0, "diff"); res != (result{Kept: rows}) {
		t.Fatalf("diff: %+v", res)
	}
	mysqlExec(t, b.pool, `UPDATE Track SET UnitPrice = 11.90 WHERE TrackId = 1; UPDATE Genre SET Name = 'Räp' WHERE GenreId = 17;
		UPDATE Employee SET Title = NULL WHERE EmployeeId = 1;
		DELETE FROM PlaylistTrack WHERE PlaylistId = 1 AND TrackId = 3402; DELETE FROM InvoiceLine WHERE InvoiceLineId = 5;
		INSERT INTO Genre VALUES (99, 'Polka')`)
	want := map[string]string{
		"Track_1":              `update {"UnitPrice":["0.99","11.90"]}`,
		"Genre_17":             `update {"Name":["Hip Hop/Rap","Räp"]}`,
		"Employee_1":           `update {"Title":["General Manager",null]}`,
		"PlaylistTrack_1_3402": "delete null",
		"InvoiceLine_5":        "delete null",
		"Genre_99":             "create null",
	}
	diff := b.run("diff", "-o", "ndjson", "--fields")
	if d := cmp.Diff(want, changes(t, diff.stdout)); d != "" || diff.code != 1 {
		t.Fatalf("diff exits with %d:\n%s\n%s", diff.code, d, diff.stderr)
	}
	if res := b.must(0, "sync"); res != (result{Created: 1, Updated: 3, Deleted: 2, Kept: rows - 5}) {
		t.Fatalf("sync: %+v", res)
	}
	if res := b.must(0, "diff"); res != (result{Kept: rows - 1}) {
		t.Fatalf("last diff: %+v", res)
	}
}
