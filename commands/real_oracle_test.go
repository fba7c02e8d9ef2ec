package commands_test

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	_ "github.com/sijms/go-ora/v2" // the driver "oracle"
	"github.com/sijms/go-ora/v2/configurations"

	"github.com/elastic-ingest/elastic-ingest/engine/elastictest"
	"github.com/elastic-ingest/elastic-ingest/engine/testenv"
)

// oracleBench is a [bench] whose database is Oracle or its stand-in, see testdata/services.
type oracleBench struct {
	*bench
	pool    *sql.DB
	owner   string // of the tables, and the connector's user
	service string
	address string
	standIn bool
}

// newOracleBench creates a user and an empty destination.
func newOracleBench(t *testing.T, dsn, elasticsearch string) *oracleBench {
	t.Helper()
	config, err := configurations.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	b := &oracleBench{bench: newBenchOf(t, elasticsearch), service: config.ServiceName}
	b.owner = strings.ToUpper(b.database)
	b.address = net.JoinHostPort(config.Servers[0].Addr, strconv.Itoa(config.Servers[0].Port))
	b.standInFor(t)
	if b.pool, err = sql.Open("oracle", dsn); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.pool.Close() })
	b.exec(fmt.Sprintf(`CREATE USER %q IDENTIFIED BY %q; GRANT CREATE SESSION, UNLIMITED TABLESPACE TO %q`, b.owner, b.secret, b.owner))
	t.Cleanup(func() { b.exec(fmt.Sprintf("DROP USER %q CASCADE", b.owner)) })
	return b
}

// standInFor creates what Oracle creates with a user, and locks out other tests; sources/oracle/server_test.go
// says why.
func (b *oracleBench) standInFor(t *testing.T) {
	t.Helper()
	below := os.Getenv("TEST_ORACLE_POSTGRES_DSN")
	if b.standIn = below != ""; !b.standIn {
		return
	}
	ctx := context.WithoutCancel(t.Context())
	conn, err := pgx.Connect(ctx, below)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(ctx) })
	if _, err := conn.Exec(ctx, fmt.Sprintf("SELECT pg_advisory_lock(1521); CREATE SCHEMA %q", b.owner)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = conn.Exec(ctx, fmt.Sprintf("DROP SCHEMA %q CASCADE", b.owner)) })
}

// configure writes the configuration, with more values of the source and keys for the connector.
func (b *oracleBench) configure(values, more string) {
	b.t.Helper()
	b.writeServer("oracle", b.address, fmt.Sprintf("username: %s, connection_source: service_name, service_name: %s, %s", b.owner, b.service, values), more)
}

var (
	oracleTables  = regexp.MustCompile(`\b(a|b|c|big|hidden|hidden_switch|shown)\b`)
	oracleColumns = regexp.MustCompile(`\b(id|v|d)\b`)
)

// exec runs statements as the administrator. Lower-case names are those of tables and columns, which become
// quoted capitals: the stand-in for Oracle finds no others.
func (b *oracleBench) exec(statements string) {
	b.t.Helper()
	for s := range strings.SplitSeq(statements, "; ") {
		if !strings.Contains(s, " USER ") && !strings.HasPrefix(s, "GRANT CREATE") {
			s = oracleTables.ReplaceAllStringFunc(s, func(name string) string { return fmt.Sprintf("%q.%q", b.owner, strings.ToUpper(name)) })
			s = oracleColumns.ReplaceAllStringFunc(s, func(name string) string { return strconv.Quote(strings.ToUpper(name)) })
		}
		mustExec(b.t, b.pool, s)
	}
}

// oracleTablesOfThirty creates a, b, c and hidden with thirty rows each.
func oracleTablesOfThirty() string {
	var s strings.Builder
	for _, table := range []string{"a", "b", "c", "hidden"} {
		fmt.Fprintf(&s, "CREATE TABLE %s (id NUMBER(10), v VARCHAR2(20), CONSTRAINT KEY_OF_%s PRIMARY KEY (id)); ", table, strings.ToUpper(table))
		fmt.Fprintf(&s, "INSERT INTO %s SELECT n, 'x' || n FROM (SELECT LEVEL AS n FROM DUAL CONNECT BY LEVEL <= 30) x; ", table)
	}
	return strings.TrimSuffix(s.String(), "; ")
}

func TestFailuresOfOracle(t *testing.T) {
	t.Parallel()
	b := newOracleBench(t, testenv.Required(t, "TEST_ORACLE_DSN"), elastictest.Server(t))
	w := walked{
		bench: b.bench, exec: b.exec, server: b.address,
		at: func(address string) {
			b.address = address
			b.configure(`tables: ["*", shown, "-hidden*"], retry_count: 1`, "    id_columns: {SHOWN: [ID]}")
		},
		faults: faults{
			tables: oracleTablesOfThirty() + "; CREATE TABLE hidden_switch (d NUMBER(1)); INSERT INTO hidden_switch VALUES (1)" +
				"; CREATE VIEW shown AS SELECT id, v FROM hidden WHERE 1 / (SELECT d FROM hidden_switch) = 1",
			grow: `CREATE TABLE big (id NUMBER(10) PRIMARY KEY, v VARCHAR2(4000));` +
				` INSERT INTO big SELECT n, RPAD('x', 2000, 'x') FROM (SELECT LEVEL AS n FROM DUAL CONNECT BY LEVEL <= 1500) x`,
			loseKey: "ALTER TABLE b DROP CONSTRAINT KEY_OF_B", giveKey: "ALTER TABLE b ADD CONSTRAINT KEY_OF_B PRIMARY KEY (id)",
			breakView: "UPDATE hidden_switch SET d = 0", repairView: "UPDATE hidden_switch SET d = 1", saysView: "SHOWN: ",
		},
	}
	w.walk(t)
}
