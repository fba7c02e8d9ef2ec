package mysql

import (
	"crypto/rand"
	"database/sql"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"

	driver "github.com/go-sql-driver/mysql"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/engine/testenv"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

const (
	onMySQL   = "TEST_MYSQL_DSN"
	onMariaDB = "TEST_MARIADB_DSN"
)

// onBoth runs a test on MySQL and on MariaDB, in parallel, each time with its own database.
func onBoth(t *testing.T, test func(t *testing.T, db *testDB)) {
	t.Helper()
	for name, variable := range map[string]string{"mysql": onMySQL, "mariadb": onMariaDB} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newDB(t, variable))
		})
	}
}

// testDB is the database of one test.
type testDB struct {
	t       testing.TB
	config  *driver.Config // of the user with all privileges
	name    string
	mariaDB bool
	pool    *sql.DB
}

// newDB creates a database, and drops it when the test ends.
func newDB(t testing.TB, variable string) *testDB {
	t.Helper()
	config, err := driver.ParseDSN(testenv.Required(t, variable))
	if err != nil {
		t.Fatal(err)
	}
	db := &testDB{t: t, config: config, name: "e_" + strings.ToLower(rand.Text()[:12]), mariaDB: variable == onMariaDB}
	config.MultiStatements = true
	admin := db.open("")
	sqltest.MustExec(t, admin, "CREATE DATABASE "+db.name+" CHARACTER SET utf8mb4")
	t.Cleanup(func() { sqltest.MustExec(t, admin, "DROP DATABASE "+db.name); _ = admin.Close() })
	db.pool = db.open(db.name)
	t.Cleanup(func() { _ = db.pool.Close() })
	return db
}

// open opens a pool of sessions of the user with all privileges.
func (db *testDB) open(database string) *sql.DB {
	db.t.Helper()
	config := db.config.Clone()
	config.DBName = database
	connector, err := driver.NewConnector(config)
	if err != nil {
		db.t.Fatal(err)
	}
	return sql.OpenDB(connector)
}

// exec runs SQL in the database.
func (db *testDB) exec(statements string) { db.t.Helper(); sqltest.MustExec(db.t, db.pool, statements) }

// number reads a number.
func (db *testDB) number(query string) int {
	db.t.Helper()
	return sqltest.Numbers(db.t, db.pool, query)[0]
}

// fill inserts n rows into a table of a key and other columns: values are the values after the key, in which n is the
// number of the row.
func (db *testDB) fill(table string, n int, values string) {
	db.t.Helper()
	const digits = "(SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)"
	numbers := "(SELECT a.d + 10*b.d + 100*c.d + 1000*e.d + 10000*f.d + 1 AS n FROM " + digits + " a, " + digits + " b, " + digits + " c, " + digits + " e, " + digits + " f)"
	if values != "" {
		values = ", " + values
	}
	db.exec(fmt.Sprintf("INSERT INTO %s SELECT n%s FROM %s x WHERE n <= %d ORDER BY n", table, values, numbers, n))
}

// reader creates a user without any privilege, and returns the configuration to read as that user.
func (db *testDB) reader() (user string, values map[string]any) {
	db.t.Helper()
	user = "e_" + strings.ToLower(rand.Text()[:12])
	db.exec(fmt.Sprintf("CREATE USER %s@'%%' IDENTIFIED BY 'p@ss/w:rd%%'", user))
	db.t.Cleanup(func() { db.exec("DROP USER " + user) })
	return user, db.values(map[string]any{"user": user, "password": "p@ss/w:rd%"})
}

// values is the configuration that reads the database as the user with all privileges, with some keys changed.
func (db *testDB) values(change map[string]any) map[string]any {
	host, port, _ := net.SplitHostPort(db.config.Addr)
	n, _ := strconv.Atoi(port)
	return sqltest.Changed(map[string]any{
		"host": host, "port": n, "database": db.name, "user": db.config.User, "password": db.config.Passwd, "retry_count": 1,
	}, change)
}

// openSource opens the source and closes it when the test ends.
func openSource(t testing.TB, raw map[string]any, env source.Env) *database {
	t.Helper()
	return sqltest.Open(t, &Type, raw, env).(*database)
}

// sessions are the ids of a user's sessions; if busy is true, only of those that run a statement.
func (db *testDB) sessions(user string, busy bool) []int {
	db.t.Helper()
	query := "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = '" + user + "'"
	if busy {
		query += " AND COMMAND IN ('Execute', 'Query')"
	}
	return sqltest.Numbers(db.t, db.pool, query)
}

// kill ends sessions, as KILL or KILL QUERY does, and waits until they have ended.
func (db *testDB) kill(how, user string, busy bool) {
	db.t.Helper()
	ids := db.sessions(user, busy)
	if len(ids) == 0 {
		db.t.Error("there is no session to end")
	}
	for _, id := range ids {
		db.exec(fmt.Sprintf("%s %d", how, id))
	}
	if how == "KILL" {
		sqltest.Gone(db.t, ids, func() []int { return db.sessions(user, false) })
	}
}

// user creates a user who may select from all tables of the database.
func (db *testDB) user() (user string, values map[string]any) {
	db.t.Helper()
	user, values = db.reader()
	db.exec("GRANT SELECT ON " + db.name + ".* TO " + user)
	return user, values
}

// shared is the database for the shared cases.
func (db *testDB) shared() *sqltest.DB {
	return &sqltest.DB{
		Type: &Type, Types: map[string]string{sqltest.Text: "varchar(20)"}, Ident: quote.Ident, Table: quote.Ident,
		Open: func(change map[string]any, env source.Env) source.Source {
			return openSource(db.t, db.values(change), env)
		},
		Exec: func(statements ...string) {
			for _, s := range statements {
				db.exec(s)
			}
		},
		Scope: func(table string) string { return quote.Dotted(table) },
		Field: func(_, column string) string {
			if column == "id" {
				return "id_" // because the document has its own id
			}
			return column
		},
		ID: func(table string, key ...string) string { return table + "_" + strings.Join(key, "_") },
	}
}

// eachServer runs a shared check, as [onBoth] does.
func eachServer(t *testing.T, check func(t *testing.T, db *sqltest.DB)) {
	t.Helper()
	onBoth(t, func(t *testing.T, db *testDB) { check(t, db.shared()) })
}

// idleIn ends the unused sessions of a source, and counts them.
func idleIn(s source.Source) int { return sqltest.LoseIdle[*session](s.(*database).Snapshots) }
