package commands_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/elastic-ingest/elastic-ingest/engine/testenv"
)

// mysqlBench is a [bench] whose database is MySQL or MariaDB.
type mysqlBench struct {
	*bench
	pool    *sql.DB
	address string
}

// newMySQLBench creates a database, a read-only user, and an empty destination.
func newMySQLBench(t *testing.T, dsn, elasticsearch string) *mysqlBench {
	t.Helper()
	b := &mysqlBench{bench: newBenchOf(t, elasticsearch)}
	name := b.database
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	config.MultiStatements = true
	admin := b.open(config)
	mustExec(t, admin, "CREATE DATABASE "+name+" CHARACTER SET utf8mb4")
	mustExec(t, admin, fmt.Sprintf("CREATE USER %s@'%%' IDENTIFIED BY '%s'; GRANT SELECT, SHOW VIEW ON %s.* TO %s@'%%'", name, b.secret, name, name))
	t.Cleanup(func() { mustExec(t, admin, "DROP DATABASE "+name+"; DROP USER "+name+"@'%'") })
	config.DBName = name
	b.pool = b.open(config)
	b.address = config.Addr
	b.configure("tables: '*'", "")
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

// configure writes the configuration, with more values of the source and keys for the connector.
func (b *mysqlBench) configure(values, more string) {
	b.t.Helper()
	b.writeServer("mysql", b.address, fmt.Sprintf("user: %s, database: %s, %s", b.database, b.database, values), more)
}

// exec runs SQL, which may be several statements, as the administrator.
func (b *mysqlBench) exec(statements string) {
	b.t.Helper()
	mustExec(b.t, b.pool, statements)
}

// onMySQL runs a test on MySQL and on MariaDB.
func onMySQL(t *testing.T, f func(t *testing.T, dsn string)) {
	t.Helper()
	for name, variable := range map[string]string{"mysql": "TEST_MYSQL_DSN", "mariadb": "TEST_MARIADB_DSN"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(t, testenv.Required(t, variable))
		})
	}
}

// threeTables creates a, b and c with thirty rows each.
func (b *mysqlBench) threeTables() string {
	var s strings.Builder
	for _, table := range []string{"a", "b", "c"} {
		s.WriteString("CREATE TABLE " + table + " (id int PRIMARY KEY, v varchar(20)); INSERT INTO " + table + " VALUES ")
		for n := 1; n <= 30; n++ {
			fmt.Fprintf(&s, "(%d, '%s%d')%s", n, table, n, map[bool]string{true: "; ", false: ", "}[n == 30])
		}
	}
	return s.String()
}

// grantsOfTables lets the connector's user select from these tables and no others.
func (b *mysqlBench) grantsOfTables(tables ...string) string {
	s := "REVOKE ALL PRIVILEGES, GRANT OPTION FROM " + b.database + "@'%'"
	for _, table := range tables {
		s += fmt.Sprintf("; GRANT SELECT, SHOW VIEW ON %s.%s TO %s@'%%'", b.database, table, b.database)
	}
	return s
}
